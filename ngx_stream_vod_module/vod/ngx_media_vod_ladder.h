
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Files as a ladder: what a location says of it (media_vod_ladder).  Rungs
 * are tracks of a set whose clips are those of their source, cut where that is
 * cut; their segments are made when they are asked for
 * (vod/ngx_media_vod_want.h), and kept in files (vod/ngx_media_vod_made.h).
 */


#ifndef _NGX_MEDIA_VOD_LADDER_H_INCLUDED_
#define _NGX_MEDIA_VOD_LADDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_thread_pool.h>
#include "transcode/ngx_media_ladder.h"


/* it lives as long as the cycle */

typedef struct {
    const ngx_media_ladder_t *ladder;
    ngx_thread_pool_t        *pool;           /* of encodes */
    ngx_uint_t                max;            /* segments that a worker makes
                                                 at the same time */
} ngx_media_vod_ladder_t;


/* of all that it makes of files, for names; NULL: 0 */
uint64_t ngx_media_vod_ladder_tag(const ngx_media_vod_ladder_t *ladder);


#endif /* _NGX_MEDIA_VOD_LADDER_H_INCLUDED_ */
