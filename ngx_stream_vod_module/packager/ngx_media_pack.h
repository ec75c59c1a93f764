
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * From a consistent copy of a stream to the text of a playlist or manifest,
 * in a pool.  What is written depends on the copy alone: whoever renders the
 * same version of a stream, on any worker, gets the same bytes.
 *
 * Answers: NGX_OK; NGX_AGAIN, there is nothing to list yet; NGX_ERROR, no
 * memory.
 */


#ifndef _NGX_MEDIA_PACK_H_INCLUDED_
#define _NGX_MEDIA_PACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_store.h"


/* views of all of these are made with NGX_MEDIA_ALL_TRACKS */

/* skip: a delta update is wanted, and made where there is one */
ngx_int_t ngx_media_hls_media(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_uint_t track, ngx_uint_t skip,
    ngx_str_t *text);

/* the key frames that segments start with */
ngx_int_t ngx_media_hls_iframes(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_uint_t track, ngx_uint_t skip,
    ngx_str_t *text);

ngx_int_t ngx_media_hls_multi(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_str_t *text);

/* time_url: of UTCTiming http-iso, relative to the manifest */
ngx_int_t ngx_media_dash_mpd(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_str_t *time_url,
    ngx_str_t *text);


/* what both need to know of a track */

/* its newest parameters; NULL: it has none yet */
const ngx_media_init_t *ngx_media_pack_init(
    const ngx_media_track_view_t *track);

/* the parameters of this name; NULL: unknown */
const ngx_media_init_t *ngx_media_pack_init_find(
    const ngx_media_track_view_t *track, uint64_t name);

/* value * to / from, exact, rounded down */
int64_t ngx_media_pack_rescale(int64_t value, uint32_t from, uint32_t to);


#endif /* _NGX_MEDIA_PACK_H_INCLUDED_ */
