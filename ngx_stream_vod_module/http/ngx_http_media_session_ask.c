
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Hooks are asked once per viewer and stream, and not by each request of his:
 * requests that come meanwhile wait for the same answer.  If the one that asks
 * goes away, another one asks anew.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_session.h"


#define NGX_HTTP_MEDIA_SESSION_ASKS  1024


static ngx_int_t ngx_http_media_session_args(
    ngx_http_media_session_ctx_t *ctx);
static ngx_queue_t *ngx_http_media_session_waiting(
    const ngx_http_media_session_ctx_t *ctx);
static ngx_int_t ngx_http_media_session_question(
    ngx_http_media_session_ctx_t *ctx);
static ngx_int_t ngx_http_media_session_verdict(
    ngx_http_media_session_ctx_t *ctx, ngx_int_t rc, const char *reason);
static ngx_http_media_session_ctx_t *ngx_http_media_session_other(
    ngx_http_media_session_ctx_t *ctx);
static void ngx_http_media_session_ready(void *data, ngx_int_t rc,
    const char *reason);
static void ngx_http_media_session_answered(ngx_http_media_session_ctx_t *ctx,
    ngx_int_t rc);
static void ngx_http_media_session_resume(ngx_event_t *ev);


static const ngx_str_t  ngx_http_media_session_http = ngx_string("http");

/* those that wait, of this process, by their keys */

static ngx_queue_t
    ngx_http_media_session_asks[NGX_HTTP_MEDIA_SESSION_ASKS];


/*
 * The table calls a viewer of a stream by two keys; two who are one to it may
 * have other arguments, which hooks look at.  A request that was
 * answered enters once more, and does not come here.
 */

ngx_int_t
ngx_http_media_session_asked(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_app_t *app)
{
    ngx_int_t  rc;

    ctx->app = app;
    ctx->key = ngx_media_session_viewer(ctx->sessions, &ctx->who)
               ^ ngx_media_session_stream(ctx->sessions, &ctx->who.app,
                                          &ctx->who.name);

    if (ngx_http_media_session_args(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->key ^= ngx_crc32_long(ctx->args.data, ctx->args.len);

    if (ngx_http_media_session_other(ctx) == NULL) {
        rc = ngx_http_media_session_question(ctx);

        if (rc != NGX_AGAIN) {
            return rc;
        }

    } else {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "http media session waits for the answer to another "
                       "request, key:%xL", ctx->key);
    }

    ngx_queue_insert_tail(ngx_http_media_session_waiting(ctx), &ctx->asks);
    ctx->asking = 1;

    ctx->event.handler = ngx_http_media_session_resume;
    ctx->event.data = ctx;
    ctx->event.log = r->connection->log;

    /* as in a delay of limit_req: a client that goes away is noticed */

    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->connection->log->action = "asking whether to let a viewer in";
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}


/* all but what is another one with each request of a player */

static ngx_int_t
ngx_http_media_session_args(ngx_http_media_session_ctx_t *ctx)
{
    u_char              *p, *next, *last, *dst;
    ngx_http_request_t  *r;

    r = ctx->request;

    dst = ngx_pnalloc(r->pool, r->args.len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    ctx->args.data = dst;
    last = r->args.data + r->args.len;

    for (p = r->args.data; p < last; p = next) {

        next = ngx_strlchr(p, last, '&');
        next = next ? next + 1 : last;

        if (next - p >= 5
            && (ngx_strncmp(p, "_HLS_", 5) == 0
                || ngx_strncmp(p, "CMCD=", 5) == 0))
        {
            continue;
        }

        dst = ngx_cpymem(dst, p, next - p);
    }

    if (dst != ctx->args.data && *(dst - 1) == '&') {
        dst--;
    }

    ctx->args.len = dst - ctx->args.data;

    return NGX_OK;
}


/* NGX_AGAIN: the answer comes later; else it */

static ngx_int_t
ngx_http_media_session_question(ngx_http_media_session_ctx_t *ctx)
{
    ngx_int_t                 rc;
    const char               *reason;
    ngx_http_request_t       *r;
    ngx_media_access_conf_t   conf;

    r = ctx->request;

    ngx_memzero(&conf, sizeof(ngx_media_access_conf_t));
    ngx_memzero(&ctx->verdict, sizeof(ngx_media_access_verdict_t));
    ngx_memzero(&ctx->client, sizeof(ngx_media_access_client_t));

    /* what they call it, where they are asked once more */

    ctx->verdict.id = ctx->hook;
    ctx->client.agent = ctx->who.agent;

    if (r->headers_in.referer) {
        ctx->client.page = r->headers_in.referer->value;
    }

    conf.action = NGX_MEDIA_ACCESS_PLAY;
    conf.app = ctx->app;
    conf.name = ctx->who.name;
    conf.args = r->args;
    conf.protocol = ctx->protocol
                    ? *ngx_media_session_protocol_name(ctx->protocol)
                    : ngx_http_media_session_http;
    conf.address = r->connection->addr_text;
    conf.connection = r->connection;
    conf.log = r->connection->log;
    conf.client = &ctx->client;
    conf.verdict = &ctx->verdict;
    conf.ready = ngx_http_media_session_ready;
    conf.data = ctx;

    /* tokens of viewers by HTTP are those of media_token */

    conf.admitted = 1;
    conf.session = 1;

    reason = NULL;

    rc = ngx_media_access_ask(&conf, &ctx->access, &reason);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    ctx->access = NULL;

    return ngx_http_media_session_verdict(ctx, rc, reason);
}


/* NGX_OK, or a status */

static ngx_int_t
ngx_http_media_session_verdict(ngx_http_media_session_ctx_t *ctx,
    ngx_int_t rc, const char *reason)
{
    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc != NGX_DECLINED) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_media_subject_refused(ctx->request, NGX_HTTP_MEDIA_COUNT_HOOK);

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "media viewer refused: %s", reason);

    return ctx->verdict.status ? (ngx_int_t) ctx->verdict.status
                               : NGX_HTTP_FORBIDDEN;
}


static ngx_queue_t *
ngx_http_media_session_waiting(const ngx_http_media_session_ctx_t *ctx)
{
    ngx_queue_t  *q;

    q = &ngx_http_media_session_asks[ctx->key % NGX_HTTP_MEDIA_SESSION_ASKS];

    if (q->next == NULL) {
        ngx_queue_init(q);
    }

    return q;
}


/* one that waits for the same answer */

static ngx_http_media_session_ctx_t *
ngx_http_media_session_other(ngx_http_media_session_ctx_t *ctx)
{
    ngx_queue_t                   *q, *waiting;
    ngx_http_media_session_ctx_t  *other;

    waiting = ngx_http_media_session_waiting(ctx);

    for (q = ngx_queue_head(waiting);
         q != ngx_queue_sentinel(waiting);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_media_session_ctx_t, asks);

        if (other != ctx && other->key == ctx->key && other->app == ctx->app
            && other->args.len == ctx->args.len
            && ngx_memcmp(other->args.data, ctx->args.data, ctx->args.len)
               == 0)
        {
            return other;
        }
    }

    return NULL;
}


/*
 * All of them go on: each from an event of its own, as what one does may end
 * others
 */

static void
ngx_http_media_session_ready(void *data, ngx_int_t rc, const char *reason)
{
    ngx_http_media_session_ctx_t *ctx = data;

    ngx_http_media_session_ctx_t  *other;

    ctx->access = NULL;

    rc = ngx_http_media_session_verdict(ctx, rc, reason);

    while ((other = ngx_http_media_session_other(ctx)) != NULL) {
        other->verdict = ctx->verdict;

        /* who is told of the end is told once */

        other->verdict.id = 0;

        ngx_http_media_session_answered(other, rc);
    }

    ngx_http_media_session_answered(ctx, rc);
}


static void
ngx_http_media_session_answered(ngx_http_media_session_ctx_t *ctx,
    ngx_int_t rc)
{
    ngx_queue_remove(&ctx->asks);

    ctx->asking = 0;
    ctx->answered = 1;
    ctx->rc = rc;

    ngx_post_event(&ctx->event, &ngx_posted_events);
}


static void
ngx_http_media_session_resume(ngx_event_t *ev)
{
    ngx_http_media_session_ctx_t *ctx = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


/* the request ends, or begins anew elsewhere */

void
ngx_http_media_session_forget(ngx_http_media_session_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_media_session_ctx_t  *other;

    if (ctx->event.posted) {
        ngx_delete_posted_event(&ctx->event);
    }

    if (ctx->answered) {
        ctx->answered = 0;

        /* a yes that has come, and that nobody makes use of any more */

        if (ctx->verdict.id != ctx->hook) {
            ngx_media_access_ended(ctx->app, ctx->verdict.id,
                                   "the client has left");
        }

        return;
    }

    if (!ctx->asking) {
        return;
    }

    ngx_queue_remove(&ctx->asks);
    ctx->asking = 0;

    if (ctx->access == NULL) {
        return;
    }

    ngx_media_access_cancel(ctx->access);
    ctx->access = NULL;

    /* others have waited for it */

    while ((other = ngx_http_media_session_other(ctx)) != NULL) {

        rc = ngx_http_media_session_question(other);

        if (rc == NGX_AGAIN) {
            return;
        }

        ngx_http_media_session_answered(other, rc);
    }
}
