
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Delivery of live streams.  A request is answered by the handler of its
 * kind, which either sends the response, or refuses, or says that what is
 * wanted does not exist yet: then the request waits, and the handler is
 * called again each time the stream has changed, and a last time when the
 * time is over.
 *
 * style: long header, it lists who answers what.
 */


#ifndef _NGX_HTTP_MEDIA_H_INCLUDED_
#define _NGX_HTTP_MEDIA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media.h"
#include "core/ngx_media_read.h"
#include "http/ngx_http_media_kind.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_url.h"


/* an answer of handlers: not yet */
#define NGX_HTTP_MEDIA_WAIT      (-40)

/* in target durations: how long a request waits */
#define NGX_HTTP_MEDIA_PATIENCE  3

/* RFC 8216bis, 6.2.5.2: the Advance Part Limit, parts or seconds */
#define NGX_HTTP_MEDIA_ADVANCE   3


typedef struct ngx_http_media_ctx_s   ngx_http_media_ctx_t;
typedef struct ngx_http_media_wait_s  ngx_http_media_wait_t;


/* a request; in its pool, not in r->ctx, which a redirect clears */

struct ngx_http_media_ctx_s {
    ngx_media_app_t           *app;
    ngx_media_stream_t         stream;
    ngx_media_track_ref_t      track;         /* of kinds that are of one; each
                                                 call of the handler looks */
    ngx_media_track_ref_t      second;        /* muxed with it, or of the handle
                                                 NGX_MEDIA_NO_TRACK */
    ngx_http_media_url_t       url;
    ngx_http_media_handler_pt  handler;
    ngx_http_media_wait_t     *wait;          /* NULL: never waited */
    unsigned                   timedout:1;    /* the last call */

    /* playlists: delivery directives, RFC 8216bis, 6.2.5 */
    uint64_t                   msn;
    uint64_t                   part;
    unsigned                   parsed:1;
    unsigned                   block:1;       /* _HLS_msn */
    unsigned                   whole:1;       /* and no _HLS_part */
    unsigned                   skip:1;        /* _HLS_skip */

    /* the segment in progress */
    unsigned                   growing:1;     /* its header has been sent */
    ngx_uint_t                 next;          /* part */
};


#define ngx_http_media_is_live(edge)                                          \
    ((edge)->state == NGX_MEDIA_STREAM_LIVE && !(edge)->ended)

/* how many parts beyond the last one may be asked for */
#define ngx_http_media_advance(app)                                           \
    (((app)->part_target && (app)->part_target < 10000)                       \
     ? NGX_HTTP_MEDIA_ADVANCE * 10000 / (app)->part_target                    \
     : NGX_HTTP_MEDIA_ADVANCE)


/* ngx_http_media_wait.c */

/* calls the handler, now or later; what a content handler returns.  Renew:
 * something has come, patience begins anew */
ngx_int_t ngx_http_media_wait(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
void ngx_http_media_wait_renew(ngx_http_media_ctx_t *ctx);


/* ngx_http_media_send.c */

ngx_int_t ngx_http_media_segment_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
ngx_int_t ngx_http_media_part_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
ngx_int_t ngx_http_media_run_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
ngx_int_t ngx_http_media_init_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);

/* what the store's answers besides NGX_OK mean to the client, as of the last
   look at ctx->track */
ngx_int_t ngx_http_media_missing(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_int_t rc);
/* lifetime and ETag of what a segment of this wall clock is in */
ngx_int_t ngx_http_media_validate(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_str_t *tag, int64_t wall);

/* so much of the track is about to be sent, see
   ngx_http_media_subject_media() */
void ngx_http_media_watch(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    uint64_t duration, off_t size);

/* pins the ranges until the request ends; NGX_OK, NGX_DONE, NGX_ERROR */
ngx_int_t ngx_http_media_pin(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, const ngx_media_range_t *ranges,
    ngx_uint_t n);
/* pinned ranges as buffers */
ngx_chain_t *ngx_http_media_chain(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, const ngx_media_range_t *ranges,
    ngx_uint_t n);
/* the response is cut when it is not done in time (send_limit) */
ngx_int_t ngx_http_media_limit(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);


/* ngx_http_media_grow.c */

ngx_int_t ngx_http_media_grow_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
void ngx_http_media_grow_write(ngx_http_request_t *r);


/* ngx_http_media_playlist.c */

ngx_int_t ngx_http_media_playlist_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
ngx_int_t ngx_http_media_manifest_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
ngx_int_t ngx_http_media_time_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);


/* ngx_http_media_ts.c */

ngx_int_t ngx_http_media_ts_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);


/* ngx_http_media_flv.c */

ngx_int_t ngx_http_media_flv_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);


/* ngx_http_media_thumb.c */
ngx_int_t ngx_http_media_thumb_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);


/* ngx_http_media_module.c: of "aio threads", or the default one; NULL where
   pictures cannot be made */
ngx_thread_pool_t *ngx_http_media_threads(ngx_http_request_t *r);

/* what is not there yet: 404, 503 or WAIT */
ngx_int_t ngx_http_media_later(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, const ngx_media_edge_t *edge);


#endif /* _NGX_HTTP_MEDIA_H_INCLUDED_ */
