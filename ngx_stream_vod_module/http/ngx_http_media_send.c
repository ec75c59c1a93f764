
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Bytes of the arena.  A range is described twice in one buffer, as a part of
 * the arena's file and as memory: nginx uses sendfile() where it can, and
 * encrypts straight from the mapping where it cannot.  What a response sends
 * is pinned until its request is freed.
 *
 * A name never means other bytes, so validators are made of the name, and
 * lifetimes are bounded only by the wish that caches forget what is over.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_subject.h"


/* segments of a run that is addressed by time */
#define NGX_HTTP_MEDIA_RUN_SEGMENTS  256

/* what is smaller goes out with its header, in one call: that costs less */
#define NGX_HTTP_MEDIA_COPY          16384

/* room for a validator */
#define NGX_HTTP_MEDIA_TAG_LEN       (3 * NGX_INT64_LEN)


typedef struct {
    ngx_media_zone_t         *zone;
    ngx_uint_t                n;
    ngx_media_range_t         ranges[];
} ngx_http_media_pin_t;


static ngx_int_t ngx_http_media_run_add(ngx_http_media_ctx_t *ctx,
    ngx_media_segment_t *segment, ngx_array_t *ranges);
static ngx_int_t ngx_http_media_run_more(ngx_http_media_ctx_t *ctx,
    ngx_media_segment_t *segment);
static ngx_int_t ngx_http_media_send(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, const ngx_media_range_t *ranges,
    ngx_uint_t n, ngx_str_t *tag, int64_t wall);
static time_t ngx_http_media_lifetime(ngx_http_media_ctx_t *ctx, int64_t wall);
static void ngx_http_media_unpin(void *data);
static void ngx_http_media_limit_handler(ngx_event_t *ev);
static void ngx_http_media_limit_cleanup(void *data);


ngx_int_t
ngx_http_media_segment_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx)
{
    u_char               buf[NGX_HTTP_MEDIA_TAG_LEN];
    ngx_int_t            rc;
    ngx_str_t            tag;
    ngx_media_segment_t  segment;

    rc = ngx_media_ref_look(&ctx->track);

    if (rc == NGX_OK) {
        rc = ngx_media_ref_segment(&ctx->track, ctx->url.number, &segment);
    }

    if (rc != NGX_OK) {
        return ngx_http_media_missing(r, ctx, rc);
    }

    if (segment.open) {
        ctx->handler = ngx_http_media_grow_handler;
        return ngx_http_media_grow_handler(r, ctx);
    }

    tag.data = buf;
    tag.len = ngx_sprintf(buf, "%uL-%uL", segment.number, segment.bytes)
              - buf;

    ngx_http_media_watch(r, ctx, segment.duration, 0);

    return ngx_http_media_send(r, ctx, segment.ranges, segment.nranges, &tag,
                               segment.wall);
}


ngx_int_t
ngx_http_media_part_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    u_char            buf[NGX_HTTP_MEDIA_TAG_LEN];
    ngx_int_t         rc;
    ngx_str_t         tag;
    ngx_media_part_t  part;

    rc = ngx_media_ref_look(&ctx->track);

    if (rc == NGX_OK) {
        rc = ngx_media_ref_part(&ctx->track, ctx->url.number, ctx->url.part,
                                &part);
    }

    if (rc != NGX_OK) {
        return ngx_http_media_missing(r, ctx, rc);
    }

    tag.data = buf;
    tag.len = ngx_sprintf(buf, "%uL.%uD-%uD", part.number, part.part,
                          part.range.size)
              - buf;

    ngx_http_media_watch(r, ctx, part.duration, 0);

    return ngx_http_media_send(r, ctx, &part.range, 1, &tag,
                               ngx_media_wall_msec());
}


/*
 * A segment that starts at a random access point and the forced ones behind
 * it, for DASH (timing.md, 4)
 */

ngx_int_t
ngx_http_media_run_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    u_char               buf[NGX_HTTP_MEDIA_TAG_LEN];
    int64_t              wall;
    uint64_t             duration, first;
    ngx_int_t            rc;
    ngx_str_t            tag;
    ngx_uint_t           i;
    ngx_array_t          ranges;
    ngx_media_segment_t  segment;

    rc = ngx_media_ref_look(&ctx->track);

    if (rc == NGX_OK) {
        rc = ngx_media_ref_segment_at(&ctx->track, ctx->url.time, &segment);
    }

    /* they are listed when they are complete: nobody waits for one */

    if (rc == NGX_AGAIN) {
        rc = NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        return ngx_http_media_missing(r, ctx, rc);
    }

    if (segment.forced) {
        return ngx_http_media_missing(r, ctx, NGX_DECLINED);
    }

    if (ngx_array_init(&ranges, r->pool, NGX_MEDIA_RANGES * 4,
                       sizeof(ngx_media_range_t))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    duration = 0;
    first = segment.number;
    wall = segment.wall;

    for (i = 0; i < NGX_HTTP_MEDIA_RUN_SEGMENTS; i++) {

        if (ngx_http_media_run_add(ctx, &segment, &ranges) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        duration += segment.duration;

        rc = ngx_http_media_run_more(ctx, &segment);

        if (rc != NGX_OK) {
            break;
        }
    }

    if (rc == NGX_AGAIN) {
        return ngx_http_media_missing(r, ctx, NGX_DECLINED);
    }

    tag.data = buf;
    tag.len = ngx_sprintf(buf, "t%uL-%ui", first, i) - buf;

    ngx_http_media_watch(r, ctx, duration, 0);

    return ngx_http_media_send(r, ctx, ranges.elts, ranges.nelts, &tag, wall);
}


static ngx_int_t
ngx_http_media_run_add(ngx_http_media_ctx_t *ctx,
    ngx_media_segment_t *segment, ngx_array_t *ranges)
{
    ngx_media_range_t  *range;

    if (segment->nranges == 0) {
        return NGX_OK;
    }

    range = ngx_array_push_n(ranges, segment->nranges);
    if (range == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(range, segment->ranges,
               segment->nranges * sizeof(ngx_media_range_t));

    return NGX_OK;
}


/*
 * The next segment of the run: NGX_OK; NGX_DONE: the run is complete;
 * NGX_AGAIN: it is not known yet
 */

static ngx_int_t
ngx_http_media_run_more(ngx_http_media_ctx_t *ctx,
    ngx_media_segment_t *segment)
{
    uint64_t             period;
    ngx_int_t            rc;
    ngx_media_edge_t     edge;
    ngx_media_segment_t  next;

    period = segment->period;

    rc = ngx_media_ref_segment(&ctx->track, segment->number + 1, &next);

    if (rc == NGX_OK) {

        if (!next.forced || next.period != period) {
            return NGX_DONE;
        }

        *segment = next;

        return next.open ? NGX_AGAIN : NGX_OK;
    }

    ngx_media_ref_edge(&ctx->track, &edge);

    if (ctx->url.track.data[0] != 'v' || !ngx_http_media_is_live(&edge)) {
        return NGX_DONE;
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_media_missing(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_int_t rc)
{
    uint64_t          number;
    ngx_uint_t        limit;
    ngx_media_edge_t  edge;

    if (rc == NGX_DONE) {
        return ngx_http_media_refuse(r, NGX_HTTP_MEDIA_GONE,
                                     ctx->app->target * 6);
    }

    /* it is there, but this process cannot hold it while it is sent */

    if (rc == NGX_BUSY) {
        return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    if (rc != NGX_AGAIN) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    ngx_media_ref_edge(&ctx->track, &edge);

    /* only the next segment, or parts of it, can be waited for */

    number = edge.any ? edge.msn + 1 : ctx->url.number;

    if (ctx->url.number > number) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    if (ctx->url.kind->flags & NGX_HTTP_MEDIA_KIND_PART) {
        limit = ngx_http_media_advance(ctx->app);

        if (edge.any && ctx->url.number == edge.msn) {
            limit += edge.part;
        }

        if (ctx->url.part > limit) {
            return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
        }
    }

    return ngx_http_media_later(r, ctx, &edge);
}


void
ngx_http_media_watch(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    uint64_t duration, off_t size)
{
    ngx_media_track_ref_t  video;

    static ngx_str_t  first = ngx_string("v1");

    if (!ngx_http_media_subject_watched(r)) {
        return;
    }

    if (ctx->url.track.data[0] != 'v'
        && (ctx->url.track.data[0] != 'a'
            || ngx_media_track_find(&ctx->stream, &first, &video) == NGX_OK))
    {
        return;
    }

    ngx_http_media_subject_media(r, duration,
                                 ngx_media_ref_timescale(&ctx->track), size);
}


ngx_int_t
ngx_http_media_init_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    u_char     buf[NGX_HTTP_MEDIA_TAG_LEN];
    ngx_int_t  rc;
    ngx_str_t  bytes, tag;

    rc = ngx_media_ref_init(&ctx->track, ctx->url.init, r->pool, &bytes);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != NGX_OK || bytes.len == 0) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    tag.data = buf;
    tag.len = ngx_sprintf(buf, "%016xL", ctx->url.init) - buf;

    if (ngx_http_media_validate(r, ctx, &tag, ngx_media_wall_msec())
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->allow_ranges = 1;
    r->single_range = 1;

    return ngx_http_media_bytes_send(r, bytes.data, bytes.len);
}


static ngx_int_t
ngx_http_media_send(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    const ngx_media_range_t *ranges, ngx_uint_t n, ngx_str_t *tag,
    int64_t wall)
{
    off_t         size;
    ngx_int_t     rc;
    ngx_uint_t    i;
    ngx_chain_t  *out, *cl;

    size = 0;

    for (i = 0; i < n; i++) {
        size += ranges[i].size;
    }

    rc = ngx_http_media_pin(r, ctx, ranges, n);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != NGX_OK || size == 0) {
        return ngx_http_media_missing(r, ctx, rc ? rc : NGX_DONE);
    }

    if (ngx_http_media_validate(r, ctx, tag, wall) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = size;
    r->allow_ranges = 1;

    /* two ranges over a body of several buffers cannot be answered */

    r->single_range = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out = ngx_http_media_chain(r, ctx, ranges, n);
    if (out == NULL) {
        return NGX_ERROR;
    }

    for (cl = out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main);
    cl->buf->last_in_chain = 1;

    rc = ngx_http_output_filter(r, out);

    if (rc == NGX_AGAIN && ngx_http_media_limit(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return rc;
}


ngx_int_t
ngx_http_media_validate(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_str_t *tag, int64_t wall)
{
    time_t  lifetime;

    lifetime = ngx_http_media_lifetime(ctx, wall);

    if (ngx_http_media_cache_control(r, lifetime, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_media_etag(r, "%V", tag);
}


ngx_int_t
ngx_http_media_pin(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    const ngx_media_range_t *ranges, ngx_uint_t n)
{
    size_t                 size;
    ngx_int_t              rc;
    ngx_pool_cleanup_t    *cln;
    ngx_http_media_pin_t  *pin;

    size = n * sizeof(ngx_media_range_t);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_pin_t) + size);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_media_pin(ctx->stream.zone, ranges, n);

    if (rc != NGX_OK) {
        ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "http media has gone meanwhile, ranges:%ui first of "
                       "extent:%uD rc:%i", n, ranges[0].extent, rc);
        return rc;
    }

    pin = cln->data;
    pin->zone = ctx->stream.zone;
    pin->n = n;

    ngx_memcpy(pin->ranges, ranges, size);

    cln->handler = ngx_http_media_unpin;

    return NGX_OK;
}


static void
ngx_http_media_unpin(void *data)
{
    ngx_http_media_pin_t *pin = data;

    ngx_media_unpin(pin->zone, pin->ranges, pin->n);
}


ngx_chain_t *
ngx_http_media_chain(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    const ngx_media_range_t *ranges, ngx_uint_t n)
{
    ngx_buf_t    *b;
    ngx_uint_t    i;
    ngx_file_t   *file;
    ngx_chain_t  *out, *cl, **ll;

    /* of this request alone: threads leave their task in it */

    file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (file == NULL) {
        return NULL;
    }

    file->fd = ngx_media_arena_fd(ctx->stream.zone);
    file->log = r->connection->log;
    ngx_str_set(&file->name, "media zone");

    ll = &out;

    for (i = 0; i < n; i++) {

        if (ranges[i].size == 0) {
            continue;
        }

        b = ngx_calloc_buf(r->pool);
        if (b == NULL) {
            return NULL;
        }

        b->pos = ngx_media_arena_bytes(ctx->stream.zone, &ranges[i]);
        b->last = b->pos + ranges[i].size;
        b->start = b->pos;
        b->end = b->last;
        b->memory = 1;

        if (ranges[i].size > NGX_HTTP_MEDIA_COPY) {
            b->file = file;
            b->file_pos = ranges[i].offset;
            b->file_last = ranges[i].offset + ranges[i].size;
            b->in_file = 1;
        }

        cl = ngx_alloc_chain_link(r->pool);
        if (cl == NULL) {
            return NULL;
        }

        cl->buf = b;
        *ll = cl;
        ll = &cl->next;
    }

    *ll = NULL;

    return out;
}


ngx_int_t
ngx_http_media_limit(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_event_t         *ev;
    ngx_pool_cleanup_t  *cln;

    if (ctx->app->send_limit == 0) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_event_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_media_limit_cleanup;

    ev = cln->data;

    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_http_media_limit_handler;
    ev->data = r;
    ev->log = r->connection->log;

    /* send_timeout is what a worker that shuts down waits for */

    ev->cancelable = 1;

    ngx_add_timer(ev, ctx->app->send_limit);

    return NGX_OK;
}


static void
ngx_http_media_limit_handler(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ev->data;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                  "client is too slow for media, send_limit reached");

    c->timedout = 1;

    ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_media_limit_cleanup(void *data)
{
    ngx_event_t *ev = data;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }
}


/* timing.md, 11: until it is removed, and as long again as the window is */

static time_t
ngx_http_media_lifetime(ngx_http_media_ctx_t *ctx, int64_t wall)
{
    int64_t  left, window;

    window = (int64_t) ctx->app->window;
    left = wall + window - ngx_media_wall_msec();

    if (left < 0) {
        left = 0;
    }

    if (left > window) {
        left = window;
    }

    return (time_t) ((left + window) / 1000);
}
