
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * From a consistent copy of a stream to the text of a playlist or manifest,
 * in a pool.  What is written depends on the copy alone: whoever renders the
 * same version of a stream, on any worker, gets the same bytes.
 *
 * Answers: NGX_OK; NGX_AGAIN, there is nothing to list yet; NGX_DECLINED,
 * there never will be, as no codec may be in such a format; NGX_ERROR, no
 * memory.
 */


#ifndef _NGX_MEDIA_PACK_H_INCLUDED_
#define _NGX_MEDIA_PACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_read.h"


/*
 * Views of live streams are made with NGX_MEDIA_ALL_TRACKS.  Of files, media
 * playlists look at their own track alone, those of two at both.
 */

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

/*
 * The same in MPEG-TS: name is what is joined, "v1-a1" or "a1", track the one
 * whose segments are listed, the video if there is one, and second the other
 * or NGX_MEDIA_NO_TRACK.  I-frames are of views with tricks only, and name is
 * not looked at.
 */
ngx_int_t ngx_media_hls_ts_media(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, const ngx_str_t *name,
    ngx_uint_t track, ngx_uint_t second, ngx_uint_t iframes, ngx_str_t *text);

ngx_int_t ngx_media_hls_ts_multi(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_str_t *text);

/* time_url: of UTCTiming http-iso, relative to the manifest */
ngx_int_t ngx_media_dash_mpd(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, const ngx_str_t *time_url,
    ngx_str_t *text);


/* what they need to know of a track */

typedef enum {
    NGX_MEDIA_PACK_HLS = NGX_MEDIA_IN_HLS,
    NGX_MEDIA_PACK_HLS_TS = NGX_MEDIA_IN_HLS_TS,
    NGX_MEDIA_PACK_DASH = NGX_MEDIA_IN_DASH
} ngx_media_pack_format_e;


/* its newest parameters; NULL: it has none yet */
const ngx_media_init_t *ngx_media_pack_init(
    const ngx_media_track_view_t *track);

/* the parameters of this name; NULL: unknown */
const ngx_media_init_t *ngx_media_pack_init_find(
    const ngx_media_track_view_t *track, uint64_t name);

/* whether it has parameters, and may be in such a format: by its codec, and
   MPEG-TS by all of its parameters */
ngx_uint_t ngx_media_pack_allowed(const ngx_media_track_view_t *track,
    ngx_uint_t format);

/*
 * Takes those tracks out of a view that are listed in other formats alone;
 * formats: one of these suffices
 */
void ngx_media_pack_only(ngx_media_stream_view_t *view, ngx_uint_t formats);

/*
 * Whether all segments of a track begin with a random access point; where more
 * comes, whether all of the stream have
 */
ngx_uint_t ngx_media_pack_independent(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track);

/* the name of its key frames: "k1" of "v1"; NGX_OK, NGX_ERROR */
ngx_int_t ngx_media_pack_trick(ngx_pool_t *pool,
    const ngx_media_track_view_t *track, ngx_str_t *name);

/* what a language calls itself, in UTF-8; NULL: not known here */
const ngx_str_t *ngx_media_pack_language(const ngx_str_t *tag);

/* value * to / from, exact, rounded down */
int64_t ngx_media_pack_rescale(int64_t value, uint32_t from, uint32_t to);


#endif /* _NGX_MEDIA_PACK_H_INCLUDED_ */
