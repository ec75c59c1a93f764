
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Sets: made in a thread from a map and its files, read in the event loop.
 */


#ifndef _NGX_MEDIA_VOD_SET_H_INCLUDED_
#define _NGX_MEDIA_VOD_SET_H_INCLUDED_


#include "vod/ngx_media_vod.h"
#include "vod/ngx_media_vod_ladder.h"


typedef struct {
    /* set by the caller, who keeps all of it until the thread is done */
    const ngx_media_vod_map_t *map;
    const ngx_media_vod_open_t *files;        /* [sequence][clip] */
    const ngx_media_vod_ladder_t *ladder;     /* NULL: none */
    const char               *temp;           /* with a ladder: the directory
                                                 of what is made */
    ngx_msec_t                target;         /* of segments */
    time_t                    now;            /* unix time */
    int64_t                   born;           /* of the set of this name that
                                                 was before; 0: none */

    /* the result, by malloc(), the caller frees it; NULL: no memory.  A set
       that cannot be served is a result, too, by its status and error */
    ngx_media_vod_set_t      *set;
} ngx_media_vod_set_make_t;


void ngx_media_vod_set_make(ngx_media_vod_set_make_t *make);


/* what the packager renders, all of it in the pool */

typedef struct {
    const ngx_media_vod_set_t *set;
    const ngx_media_vod_open_t *files;        /* [sequence][clip] */
    const ngx_media_vod_map_t *map;
    int64_t                   now;            /* ms since the epoch: channels */
} ngx_media_vod_source_t;


/*
 * track: one, NGX_MEDIA_ALL_TRACKS or NGX_MEDIA_NO_TRACK, as of
 * ngx_media_stream_view().  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_media_vod_view(const ngx_media_vod_source_t *source,
    ngx_pool_t *pool, ngx_uint_t track, ngx_media_stream_view_t *view);

/* of a track, of all clips */
uint64_t ngx_media_vod_set_segments(const ngx_media_vod_set_t *set);

/* by its name, "v1"; NGX_OK or NGX_DECLINED */
ngx_int_t ngx_media_vod_track_find(const ngx_media_vod_set_t *set,
    const ngx_str_t *name, ngx_uint_t *track);

/*
 * The frames of segment "number"; key: only the key frame that it starts
 * with, lasting as long as the segment.  NGX_OK; NGX_DECLINED: there is no
 * such segment; NGX_ERROR: the index is broken, or no memory.
 */
ngx_int_t ngx_media_vod_frames(const ngx_media_vod_source_t *source,
    ngx_uint_t track, uint64_t number, ngx_uint_t key, ngx_pool_t *pool,
    ngx_media_frames_t *frames);

/* the init segment of this name; NGX_OK, NGX_DECLINED, NGX_ERROR */
ngx_int_t ngx_media_vod_init(const ngx_media_vod_source_t *source,
    ngx_uint_t track, uint64_t name, ngx_pool_t *pool, ngx_str_t *bytes);


#endif /* _NGX_MEDIA_VOD_SET_H_INCLUDED_ */
