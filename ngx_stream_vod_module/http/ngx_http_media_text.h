
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Texts of this worker: each playlist is rendered once for a version of its
 * stream or set, whoever asks for it, and compressed once for all clients
 * that accept gzip.  A text is counted and never changed; what is cached is
 * bounded and the least recently used goes first.
 */


#ifndef _NGX_HTTP_MEDIA_TEXT_H_INCLUDED_
#define _NGX_HTTP_MEDIA_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_read.h"
#include "core/ngx_media_view.h"
#include "http/ngx_http_media_url.h"


/* what a text is of; all of it is compared */

typedef struct ngx_http_media_text_key_s {
    const void               *owner;          /* whose ids these are */
    uint64_t                  id;             /* of a stream or set */
    const ngx_http_media_kind_t *kind;
    ngx_uint_t                track;          /* playlists of a track */
    ngx_uint_t                second;         /* muxed with it, or NO_TRACK */
    ngx_uint_t                skip;           /* delta update */
} ngx_http_media_text_key_t;


/* answers as of packager/ngx_media_pack.h; view->version is what it is of */

typedef ngx_int_t (*ngx_http_media_render_pt)(ngx_pool_t *pool,
    const ngx_http_media_text_key_t *key, void *data,
    ngx_media_stream_view_t *view, ngx_str_t *bytes);


typedef struct {
    ngx_queue_t               bucket;
    ngx_queue_t               lru;
    ngx_http_media_text_key_t key;
    ngx_uint_t                refs;
    ngx_uint_t                hash;           /* of the key */
    uint64_t                  version;        /* of the stream */
    uint64_t                  tag;            /* of the bytes */
    ngx_media_edge_t          edge;           /* of playlists of a track:
                                                 what it lists */
    u_char                   *gzip;           /* NULL: not yet, or larger */
    size_t                    gzip_len;
    unsigned                  compressed:1;   /* was tried */
    size_t                    len;
    u_char                    data[];
} ngx_http_media_text_t;


/* ngx_http_media_playlist.c: those of kinds, of live streams and of files */
ngx_int_t ngx_http_media_render_multi(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);
ngx_int_t ngx_http_media_render_media(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);
ngx_int_t ngx_http_media_render_iframes(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);
ngx_int_t ngx_http_media_render_mpd(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);
ngx_int_t ngx_http_media_render_ts_multi(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);
ngx_int_t ngx_http_media_render_ts_media(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);
ngx_int_t ngx_http_media_render_ts_iframes(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);


/*
 * The text of this version or a newer one, rendered if it has to be: NGX_OK,
 * or what render answers.  *text is a reference.
 */
ngx_int_t ngx_http_media_text_get(const ngx_http_media_text_key_t *key,
    uint64_t version, ngx_http_media_render_pt render, void *data,
    ngx_log_t *log, ngx_http_media_text_t **text);

/*
 * The same in its parts, for texts that take long: find() what there is, a
 * reference, or NULL; make() in a thread, compressed, too; keep() what was
 * made, or what is equal to it: *text may be another one then.
 */
ngx_http_media_text_t *ngx_http_media_text_find(
    const ngx_http_media_text_key_t *key, uint64_t version);
ngx_int_t ngx_http_media_text_make(const ngx_http_media_text_key_t *key,
    uint64_t version, ngx_http_media_render_pt render, void *data,
    ngx_uint_t compress, ngx_log_t *log, ngx_http_media_text_t **text);
void ngx_http_media_text_keep(ngx_http_media_text_t **text);

/* text->gzip is there if it is of use */
void ngx_http_media_text_compress(ngx_http_media_text_t *text,
    ngx_log_t *log);

void ngx_http_media_text_release(ngx_http_media_text_t *text);

/* where a view has the track of a key; ntracks: it is not in it */
ngx_uint_t ngx_http_media_text_place(const ngx_media_stream_view_t *view,
    ngx_uint_t track);


#endif /* _NGX_HTTP_MEDIA_TEXT_H_INCLUDED_ */
