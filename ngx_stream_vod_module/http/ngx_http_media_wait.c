
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Requests that wait.  The store calls a waiter for every change of its
 * stream; it only posts an event, since answering a request may end others
 * that wait as well (a broken HTTP/2 connection takes all of its streams).
 *
 * A waiting request is held by its count; it ends by its answer, by its timer
 * or with its connection, and whatever ends it, a pool cleanup takes it out
 * of the list.  The timer is not cancelable: a worker that shuts down stays
 * for it, at most NGX_HTTP_MEDIA_PATIENCE target durations.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_subject.h"


struct ngx_http_media_wait_s {
    ngx_media_waiter_t        waiter;
    ngx_event_t               event;          /* posted by the waiter */
    ngx_event_t               timer;
    ngx_http_request_t       *request;
    ngx_http_media_ctx_t     *ctx;
    ngx_msec_t                since;
};


static ngx_int_t ngx_http_media_wait_add(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static void ngx_http_media_wait_woken(ngx_media_waiter_t *waiter);
static void ngx_http_media_wait_event(ngx_event_t *ev);
static void ngx_http_media_wait_timer(ngx_event_t *ev);
static void ngx_http_media_wait_finalize(ngx_http_media_wait_t *w,
    ngx_int_t rc);
static void ngx_http_media_wait_end(ngx_http_media_wait_t *w);
static void ngx_http_media_wait_cleanup(void *data);
static ngx_msec_t ngx_http_media_wait_patience(ngx_http_media_ctx_t *ctx);


ngx_int_t
ngx_http_media_wait(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ctx->handler(r, ctx);

    if (rc != NGX_HTTP_MEDIA_WAIT) {
        return rc;
    }

    ngx_log_debug7(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media waits, kind:\"%V\" stream:\"%V\" track:\"%V\" "
                   "number:%uL part:%uD asked:%uL.%uL",
                   &ctx->url.kind->suffix, &ctx->url.name,
                   &ctx->url.track, ctx->url.number, ctx->url.part, ctx->msn,
                   ctx->part);

    if (r != r->main) {

        /* a subrequest holds up all of its parent's output */

        return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    if (ngx_http_media_wait_add(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    /* it may have come before the waiter was in the list */

    rc = ctx->handler(r, ctx);

    if (rc != NGX_HTTP_MEDIA_WAIT) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "http media came meanwhile, rc:%i", rc);

        ngx_http_media_wait_end(ctx->wait);
        return rc;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media wait: %M, growing:%ui version:%uL",
                   ngx_http_media_wait_patience(ctx),
                   (ngx_uint_t) ctx->growing,
                   ngx_media_peek(&ctx->wait->waiter.notify->version));

    r->connection->log->action = "waiting for media";

    ngx_add_timer(&ctx->wait->timer, ngx_http_media_wait_patience(ctx));

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ctx->growing ? ngx_http_media_grow_write
                                          : ngx_http_request_empty_handler;
    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_media_wait_add(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_pool_cleanup_t     *cln;
    ngx_http_media_wait_t  *w;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_wait_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    w = cln->data;

    ngx_memzero(w, sizeof(ngx_http_media_wait_t));

    cln->handler = ngx_http_media_wait_cleanup;

    w->request = r;
    w->ctx = ctx;
    w->since = ngx_current_msec;

    w->event.handler = ngx_http_media_wait_event;
    w->event.data = w;
    w->event.log = r->connection->log;

    w->timer.handler = ngx_http_media_wait_timer;
    w->timer.data = w;
    w->timer.log = r->connection->log;

    w->waiter.notify = ngx_media_stream_notify(&ctx->stream);
    w->waiter.log = r->connection->log;
    w->waiter.handler = ngx_http_media_wait_woken;
    w->waiter.data = w;

    ctx->wait = w;

    return ngx_media_wait(&w->waiter);
}


void
ngx_http_media_wait_renew(ngx_http_media_ctx_t *ctx)
{
    if (ctx->wait && ctx->wait->timer.timer_set) {
        ngx_add_timer(&ctx->wait->timer, ngx_http_media_wait_patience(ctx));
    }
}


static void
ngx_http_media_wait_woken(ngx_media_waiter_t *waiter)
{
    ngx_http_media_wait_t *w = waiter->data;

    if (!w->event.posted) {
        ngx_post_event(&w->event, &ngx_posted_events);
    }
}


static void
ngx_http_media_wait_event(ngx_event_t *ev)
{
    ngx_int_t               rc;
    ngx_http_request_t     *r;
    ngx_http_media_wait_t  *w;

    w = ev->data;
    r = w->request;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media is woken after ms:%M version:%uL",
                   ngx_current_msec - w->since,
                   ngx_media_peek(&w->waiter.notify->version));

    rc = w->ctx->handler(r, w->ctx);

    if (rc != NGX_HTTP_MEDIA_WAIT) {
        ngx_http_media_wait_finalize(w, rc);
        return;
    }

    if (w->ctx->growing) {
        r->write_event_handler = ngx_http_media_grow_write;
    }
}


static void
ngx_http_media_wait_timer(ngx_event_t *ev)
{
    ngx_int_t               rc;
    ngx_http_request_t     *r;
    ngx_http_media_wait_t  *w;

    w = ev->data;
    r = w->request;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "media did not come in time");

    w->ctx->timedout = 1;

    rc = w->ctx->handler(r, w->ctx);

    if (rc == NGX_HTTP_MEDIA_WAIT) {
        rc = NGX_ERROR;
    }

    ngx_http_media_wait_finalize(w, rc);
}


static void
ngx_http_media_wait_finalize(ngx_http_media_wait_t *w, ngx_int_t rc)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_media_subject_t  *subject;

    r = w->request;
    c = r->connection;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "http media has waited ms:%M timed out:%d rc:%i",
                   ngx_current_msec - w->since, w->ctx->timedout, rc);

    ngx_http_media_wait_end(w);

    /* one that grows waits for its end, and was answered long ago */

    subject = ngx_http_media_subject(r);

    if (subject && !w->ctx->growing) {
        subject->waited = 1;
        subject->wait = ngx_current_msec - w->since;
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_media_wait_end(ngx_http_media_wait_t *w)
{
    ngx_media_wait_done(&w->waiter);

    if (w->event.posted) {
        ngx_delete_posted_event(&w->event);
    }

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }
}


static void
ngx_http_media_wait_cleanup(void *data)
{
    ngx_http_media_wait_t *w = data;

    ngx_http_media_wait_end(w);
}


static ngx_msec_t
ngx_http_media_wait_patience(ngx_http_media_ctx_t *ctx)
{
    return (ngx_msec_t) ctx->app->target * NGX_HTTP_MEDIA_PATIENCE * 1000;
}
