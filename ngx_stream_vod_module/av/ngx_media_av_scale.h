
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pictures of one size out of pictures of any: 4:2:0, limited range, square
 * pixels, progressive as they are.  Colors stay what they are said to be, and
 * unknown ones unknown.  A ladder scales each rung from the one above it.
 */


#ifndef _NGX_MEDIA_AV_SCALE_H_INCLUDED_
#define _NGX_MEDIA_AV_SCALE_H_INCLUDED_


#include "av/ngx_media_av.h"


#if (NGX_MEDIA_HAVE_AV)

typedef struct ngx_media_av_scaler_s  ngx_media_av_scaler_t;


/*
 * width and height: even, of what comes out.  depth: 8, or 10, which is for
 * HEVC and AV1 of PQ and HLG.  NULL: error says why.
 */
ngx_media_av_scaler_t *ngx_media_av_scaler_open(uint32_t width,
    uint32_t height, ngx_uint_t depth, u_char *error);
void ngx_media_av_scaler_close(ngx_media_av_scaler_t *s);

/*
 * A new picture, or another reference to the same if it is as wanted; with its
 * pts, colors and captions.  What comes in may be of another size and format
 * than what came in before.  It is not changed, and stays the caller's, as is
 * what comes out, also after close().  NULL: error says why.
 */
ngx_media_av_frame_t *ngx_media_av_scaler_scale(ngx_media_av_scaler_t *s,
    const ngx_media_av_frame_t *from, u_char *error);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_SCALE_H_INCLUDED_ */
