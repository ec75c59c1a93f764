
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The segment in progress: its parts are sent as they appear, in a body
 * without a length (DASH-IF low latency).  No cache may wait for its end, so
 * it says X-Accel-Expires: 0, and X-Media-Open for configurations that want
 * to know.
 *
 * The request waits between its parts like any other, see
 * ngx_http_media_wait.c; meanwhile what is left of the last part is written
 * here.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_subject.h"


static ngx_int_t ngx_http_media_grow_header(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static ngx_int_t ngx_http_media_grow_end(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static ngx_int_t ngx_http_media_grow_part(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_media_part_t *part);
static ngx_int_t ngx_http_media_grow_blocked(ngx_http_request_t *r);


ngx_int_t
ngx_http_media_grow_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_int_t         rc;
    ngx_media_part_t  part;

    if (!ctx->growing) {
        rc = ngx_http_media_grow_header(r, ctx);

        if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
            return rc;
        }
    }

    rc = ngx_media_ref_look(&ctx->track);

    while (rc == NGX_OK) {
        rc = ngx_media_ref_part(&ctx->track, ctx->url.number, ctx->next,
                                &part);

        if (rc != NGX_OK) {
            break;
        }

        if (ngx_http_media_grow_part(r, ctx, &part) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->next++;
        ngx_http_media_wait_renew(ctx);
    }

    if (rc == NGX_AGAIN) {

        if (ctx->timedout) {
            return NGX_ERROR;
        }

        return NGX_HTTP_MEDIA_WAIT;
    }

    return ngx_http_media_grow_end(r, ctx);
}


static ngx_int_t
ngx_http_media_grow_header(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_http_media_subject_t  *subject;

    if (ngx_http_media_header(r, "X-Accel-Expires", "0") != NGX_OK
        || ngx_http_media_header(r, "X-Media-Open", "1") != NGX_OK
        || ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    ctx->growing = 1;

    subject = ngx_http_media_subject(r);

    if (subject) {
        subject->open = 1;
    }

    return ngx_http_send_header(r);
}


static ngx_int_t
ngx_http_media_grow_part(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_media_part_t *part)
{
    ngx_int_t     rc;
    ngx_chain_t  *out;

    if (part->range.size == 0) {
        return NGX_OK;
    }

    if (ngx_http_media_pin(r, ctx, &part->range, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    out = ngx_http_media_chain(r, ctx, &part->range, 1);
    if (out == NULL) {
        return NGX_ERROR;
    }

    out->buf->flush = 1;

    ngx_http_media_watch(r, ctx, part->duration, part->range.size);

    rc = ngx_http_output_filter(r, out);

    if (rc == NGX_AGAIN) {

        if (ngx_http_media_grow_blocked(r) != NGX_OK) {
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    return rc;
}


/* after the last part, if nothing is missing */

static ngx_int_t
ngx_http_media_grow_end(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_media_segment_t  segment;

    /* it may have been closed since the look that its parts were sent by */

    rc = ngx_media_ref_look(&ctx->track);

    if (rc == NGX_OK) {
        rc = ngx_media_ref_segment(&ctx->track, ctx->url.number, &segment);
    }

    if (rc != NGX_OK || segment.open || segment.nparts != ctx->next) {

        /* the client has to see that the body is incomplete */

        return NGX_ERROR;
    }

    rc = ngx_http_send_special(r, NGX_HTTP_LAST);

    if (rc == NGX_AGAIN && ngx_http_media_limit(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_http_media_grow_blocked(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->delayed && !wev->timer_set) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


void
ngx_http_media_grow_write(ngx_http_request_t *r)
{
    ngx_int_t          rc;
    ngx_event_t       *wev;
    ngx_connection_t  *c;

    c = r->connection;
    wev = c->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = ngx_http_output_filter(r, NULL);

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (r->buffered || c->buffered) {

        if (ngx_http_media_grow_blocked(r) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }
}
