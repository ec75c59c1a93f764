
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pictures as an encoder takes them: in its format, and where it has memory of
 * its own, in that.
 */


#ifndef _NGX_MEDIA_AV_FEED_H_INCLUDED_
#define _NGX_MEDIA_AV_FEED_H_INCLUDED_


#include "av/ngx_media_av_kind.h"

#if (NGX_MEDIA_HAVE_AV)

#include <libswscale/swscale.h>


typedef struct {
    enum AVPixelFormat        format;         /* that it takes */
    struct SwsContext        *sws;            /* NULL: pictures have it */
    AVBufferRef              *frames;         /* NULL: it has no memory */
} ngx_media_av_feed_t;


/*
 * ctx, whose size is set, gets its format and device; feed is zeroed, close()
 * is needed always
 */
ngx_int_t ngx_media_av_feed_open(ngx_media_av_feed_t *feed,
    const ngx_media_av_kind_t *kind, AVCodecContext *ctx, ngx_uint_t depth,
    u_char *error);
void ngx_media_av_feed_close(ngx_media_av_feed_t *feed);

/* a new picture, or another reference; NULL: error says why */
AVFrame *ngx_media_av_feed_frame(ngx_media_av_feed_t *feed,
    const AVFrame *frame, u_char *error);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_FEED_H_INCLUDED_ */
