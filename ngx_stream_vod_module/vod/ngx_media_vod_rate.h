
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a set says of the rates of a track: measured by reading its index
 * once, in the thread that makes the set.
 */


#ifndef _NGX_MEDIA_VOD_RATE_H_INCLUDED_
#define _NGX_MEDIA_VOD_RATE_H_INCLUDED_


#include "vod/ngx_media_vod.h"


typedef struct {
    uint64_t                  peak;           /* bit/s, RFC 8216bis, 4.4.6.2 */
    uint64_t                  key_peak;       /* of key frames alone */
    uint64_t                  bytes;
    double                    seconds;
} ngx_media_vod_rate_form_t;


/* of all clips of one track; zero before the first */

typedef struct {
    ngx_media_vod_rate_form_t cmaf;
    ngx_media_vod_rate_form_t ts;             /* MPEG-TS, with tables; zero:
                                                 it cannot carry the track */
    uint64_t                  samples;
} ngx_media_vod_rate_t;


/*
 * Adds one clip, and tells its frame rate.  joint: of the video whose segments
 * of MPEG-TS it is in, and lasts as long as; NULL: it is alone in them.
 * target: of the set, s.  NGX_OK; NGX_ERROR: the index is broken;
 * NGX_DECLINED: no memory.
 */
ngx_int_t ngx_media_vod_rate_add(ngx_media_vod_rate_t *rate,
    const ngx_media_vod_file_t *file, ngx_media_vod_set_clip_t *clip,
    const ngx_media_plan_t *plan, const ngx_media_plan_t *joint,
    uint32_t target);

/* bit/s */
uint64_t ngx_media_vod_rate_average(const ngx_media_vod_rate_form_t *form);


#endif /* _NGX_MEDIA_VOD_RATE_H_INCLUDED_ */
