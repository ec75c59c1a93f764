
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A live stream as one FLV body without an end.  Messages go to the output
 * filters as they are, shared by all viewers; no more of them are handed on
 * until the client has taken those, so what a slow one holds is bounded by its
 * queue (ngx_media_play.h), which drops up to the next key frame.
 *
 * The timer is not cancelable: a worker that shuts down stays for its viewers,
 * at most for the time of "drain".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_access.h"
#include "access/ngx_media_ban.h"
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_session.h"
#include "ingest/ngx_media_play.h"


#define NGX_HTTP_MEDIA_FLV_BUFS  64
#define NGX_HTTP_MEDIA_FLV_TICK  1000         /* ms */


typedef struct {
    ngx_http_request_t       *request;
    ngx_media_app_t          *app;
    ngx_str_t                 name;           /* of the stream */
    ngx_media_stream_t        stream;
    ngx_media_access_t       *access;         /* NULL: nobody is asked */
    ngx_media_access_client_t client;
    ngx_media_access_verdict_t
                              verdict;
    ngx_media_play_t         *play;           /* NULL: not begun */
    ngx_event_t               timer;
    ngx_msec_t                leaving;        /* since when the worker is */
    ngx_chain_t              *free;
    ngx_chain_t              *busy;           /* not taken by the client yet */
    size_t                    left;           /* bytes of busy */
    unsigned                  exiting:1;      /* leaving is set */
    unsigned                  renamed:1;      /* access has given it name */
} ngx_http_media_flv_t;


static ngx_int_t ngx_http_media_flv_ask(ngx_http_media_flv_t *flv,
    ngx_str_t *name);
static const ngx_str_t *ngx_http_media_flv_rename(void *data,
    const ngx_str_t *name);
static void ngx_http_media_flv_answer(void *data, ngx_int_t rc,
    const char *reason);
static ngx_int_t ngx_http_media_flv_answered(ngx_http_media_flv_t *flv,
    ngx_int_t rc, const char *reason);
static ngx_int_t ngx_http_media_flv_start(ngx_http_media_flv_t *flv);
static ngx_int_t ngx_http_media_flv_viewer(ngx_http_media_flv_t *flv,
    ngx_media_viewer_t *viewer, const char **reason);
static ngx_int_t ngx_http_media_flv_header(ngx_http_request_t *r);
static void ngx_http_media_flv_ready(void *data);
static void ngx_http_media_flv_timer(ngx_event_t *ev);
static void ngx_http_media_flv_write(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_flv_output(ngx_http_media_flv_t *flv);
static ngx_int_t ngx_http_media_flv_chain(ngx_http_media_flv_t *flv,
    ngx_chain_t **out);
static ngx_int_t ngx_http_media_flv_pass(ngx_http_media_flv_t *flv,
    ngx_chain_t *out);
static ngx_int_t ngx_http_media_flv_wait(ngx_http_media_flv_t *flv,
    ngx_uint_t blocked);
static void ngx_http_media_flv_cleanup(void *data);


static ngx_str_t  ngx_http_media_flv_protocol = ngx_string("flv");
static ngx_str_t  ngx_http_media_flv_token = ngx_string("token");


ngx_int_t
ngx_http_media_flv_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_int_t              rc;
    ngx_pool_cleanup_t    *cln;
    ngx_http_media_flv_t  *flv;

    if (r != r->main) {

        /* what has no end holds up all of its parent's output */

        return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_flv_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    flv = cln->data;

    ngx_memzero(flv, sizeof(ngx_http_media_flv_t));

    cln->handler = ngx_http_media_flv_cleanup;

    flv->request = r;
    flv->app = ctx->app;
    flv->name = ctx->url.name;
    flv->stream = ctx->stream;
    flv->timer.handler = ngx_http_media_flv_timer;
    flv->timer.data = flv;
    flv->timer.log = r->connection->log;

    rc = ngx_http_media_flv_ask(flv, &ctx->url.name);

    if (rc != NGX_AGAIN) {
        return rc;
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->main->count++;

    return NGX_DONE;
}


/* NGX_AGAIN: it goes on; else what the request ends with */

static ngx_int_t
ngx_http_media_flv_ask(ngx_http_media_flv_t *flv, ngx_str_t *name)
{
    uint32_t                  mark;
    ngx_int_t                 rc;
    const char               *reason;
    ngx_http_request_t       *r;
    const ngx_media_pass_t   *pass;
    ngx_media_access_conf_t   conf;

    r = flv->request;

    ngx_memzero(&conf, sizeof(ngx_media_access_conf_t));

    conf.action = NGX_MEDIA_ACCESS_PLAY;
    conf.app = flv->app;
    conf.name = *name;
    conf.args = r->args;
    conf.protocol = ngx_http_media_flv_protocol;
    conf.address = r->connection->addr_text;
    conf.connection = r->connection;
    conf.log = r->connection->log;
    conf.client = &flv->client;
    conf.verdict = &flv->verdict;
    conf.admitted = ngx_http_media_token_on(r);
    conf.ready = ngx_http_media_flv_answer;
    conf.rename = ngx_http_media_flv_rename;
    conf.data = flv;

    if (r->headers_in.user_agent) {
        flv->client.agent = r->headers_in.user_agent->value;
    }

    if (r->headers_in.referer) {
        flv->client.page = r->headers_in.referer->value;
    }

    /* until when it lets its holder in, and who that is, says the token */

    flv->verdict.expires = ngx_http_media_token_expires(r);

    pass = ngx_http_media_token_pass(r, &mark);

    if (pass && pass->session.len) {
        ngx_media_access_viewer(&conf, &pass->session, pass->max);
    }

    /* what checks may look for in the arguments is nobody else's business */

    if (r->args.len
        && ngx_http_media_token_conceal(r, &ngx_http_media_flv_token)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_media_access_ask(&conf, &flv->access, &reason);

    if (rc == NGX_AGAIN) {
        r->connection->log->action = "asking whether to send FLV";
        r->write_event_handler = ngx_http_request_empty_handler;

        return NGX_AGAIN;
    }

    flv->access = NULL;

    return ngx_http_media_flv_answered(flv, rc, reason);
}


/* what it is called now is looked for when all checks have spoken */

static const ngx_str_t *
ngx_http_media_flv_rename(void *data, const ngx_str_t *name)
{
    ngx_http_media_flv_t *flv = data;

    u_char  *p;

    p = ngx_pstrdup(flv->request->pool, (ngx_str_t *) name);
    if (p == NULL) {
        return NULL;
    }

    flv->name.data = p;
    flv->name.len = name->len;
    flv->renamed = 1;

    return &flv->name;
}


static void
ngx_http_media_flv_answer(void *data, ngx_int_t rc, const char *reason)
{
    ngx_http_media_flv_t *flv = data;

    ngx_connection_t  *c;

    c = flv->request->connection;
    flv->access = NULL;

    ngx_http_set_log_request(c->log, flv->request);

    rc = ngx_http_media_flv_answered(flv, rc, reason);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(flv->request, rc);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_media_flv_answered(ngx_http_media_flv_t *flv, ngx_int_t rc,
    const char *reason)
{
    if (rc == NGX_OK) {
        return ngx_http_media_flv_start(flv);
    }

    if (rc != NGX_DECLINED) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_log_error(NGX_LOG_INFO, flv->request->connection->log, 0,
                  "FLV play refused: %s", reason);

    return ngx_http_media_refuse(flv->request,
                                 flv->verdict.status ? flv->verdict.status
                                                     : NGX_HTTP_FORBIDDEN,
                                 NGX_HTTP_MEDIA_NO_STORE);
}


static ngx_int_t
ngx_http_media_flv_start(ngx_http_media_flv_t *flv)
{
    ngx_int_t                  rc;
    ngx_http_request_t        *r;
    const char                *reason;
    ngx_media_play_conf_t      conf;
    ngx_http_core_loc_conf_t  *clcf;

    r = flv->request;

    /* the name is that of the stream now, which it may not have been before */

    if (ngx_media_ban_check(flv->app, NGX_MEDIA_BAN_PLAY, &flv->name,
                            &r->connection->addr_text, &reason)
        != NGX_OK)
    {
        return ngx_http_media_flv_answered(flv, NGX_DECLINED, reason);
    }

    if (r->method == NGX_HTTP_HEAD) {
        rc = ngx_http_media_flv_header(r);

        return (rc == NGX_AGAIN) ? NGX_OK : rc;
    }

    if (flv->renamed
        && ngx_media_stream_find(flv->app->zone, &flv->name, &flv->stream)
           != NGX_OK)
    {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    ngx_memzero(&conf, sizeof(ngx_media_play_conf_t));

    rc = ngx_http_media_flv_viewer(flv, &conf.viewer, &reason);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "FLV play refused: %s", reason);

        return ngx_http_media_session_refuse(r, NGX_HTTP_TOO_MANY_REQUESTS);
    }

    if (rc != NGX_OK) {
        rc = (rc == NGX_ABORT) ? NGX_DECLINED : NGX_ERROR;

        return ngx_http_media_flv_answered(flv, rc, reason);
    }

    conf.stream = flv->stream;
    conf.log = r->connection->log;
    conf.expires = flv->verdict.expires;
    conf.id = flv->verdict.id;
    conf.classic = 1;
    conf.ready = ngx_http_media_flv_ready;
    conf.data = flv;

    rc = ngx_media_play_begin(&conf, &flv->play);

    if (rc == NGX_DONE) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_media_flv_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* a frame waits for no acknowledgement; HTTP/2 sees to it itself */

    if (clcf->tcp_nodelay && r->http_version < NGX_HTTP_VERSION_20
        && ngx_tcp_nodelay(r->connection) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->connection->log->action = "sending FLV to client";
    r->write_event_handler = ngx_http_media_flv_write;

    ngx_add_timer(&flv->timer, NGX_HTTP_MEDIA_FLV_TICK);

    if (ngx_http_media_flv_wait(flv, r->buffered || r->connection->buffered)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


/*
 * Who it is says the location, as of other requests by HTTP; who is not counted
 * there is not here.  NGX_OK, NGX_DECLINED: one too many, NGX_ABORT: banned,
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_media_flv_viewer(ngx_http_media_flv_t *flv,
    ngx_media_viewer_t *viewer, const char **reason)
{
    ngx_int_t                   rc;
    ngx_media_access_conf_t     conf;
    ngx_media_session_who_t     known, who;
    ngx_media_session_limit_t   limit, location;

    if (ngx_media_sessions_get(flv->app->cycle) == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_media_session_who(flv->request, &who, &location);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
    }

    ngx_memzero(&conf, sizeof(ngx_media_access_conf_t));

    conf.app = flv->app;
    conf.name = flv->name;
    conf.connection = flv->request->connection;
    conf.verdict = &flv->verdict;

    ngx_media_viewer_who(&conf, NGX_MEDIA_SESSION_FLV, &known, &limit);

    /* whose the token is is more than what a player says of itself */

    if (known.by == NGX_MEDIA_SESSION_BY_TOKEN
        && (who.by == NGX_MEDIA_SESSION_BY_ADDRESS
            || who.by == NGX_MEDIA_SESSION_BY_SID))
    {
        who.by = known.by;
        who.viewer = known.viewer;
    }

    who.app = known.app;
    who.name = known.name;
    who.protocol = NGX_MEDIA_SESSION_FLV;

    ngx_media_viewer_narrow(&limit, &location);

    return ngx_media_viewer_begin(flv->app, &who, &limit, viewer, reason);
}


static ngx_int_t
ngx_http_media_flv_header(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    /* a proxy in front is not to collect what comes */

    if (ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0) != NGX_OK
        || ngx_http_media_header(r, "X-Accel-Buffering", "no") != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

#if (NGX_HTTP_GZIP)

    /* "gzip_types *" would collect, too */

    r->gzip_tested = 1;
    r->gzip_ok = 0;

#endif

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    rc = ngx_http_send_special(r, NGX_HTTP_FLUSH);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/*
 * A write event follows anyway while the client has not taken what it has.
 * Otherwise all of it can nearly always be sent at once; where not, or where
 * this is one of many on a connection, the event does it, which may end the
 * request.
 */

static void
ngx_http_media_flv_ready(void *data)
{
    ngx_http_media_flv_t *flv = data;

    ngx_event_t         *wev;
    ngx_http_request_t  *r;

    r = flv->request;
    wev = r->connection->write;

    if (flv->busy || wev->delayed) {
        return;
    }

    if (r->http_version < NGX_HTTP_VERSION_20 && !wev->posted
        && ngx_http_media_flv_output(flv) == NGX_OK)
    {
        return;
    }

    ngx_post_event(wev, &ngx_posted_events);
}


static void
ngx_http_media_flv_timer(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_media_flv_t  *flv;

    flv = ev->data;

    ngx_add_timer(&flv->timer, NGX_HTTP_MEDIA_FLV_TICK);

    if (!ngx_exiting || flv->app->drain == 0) {
        return;
    }

    if (!flv->exiting) {
        flv->exiting = 1;
        flv->leaving = ngx_current_msec;
    }

    if (ngx_current_msec - flv->leaving < flv->app->drain) {
        return;
    }

    c = flv->request->connection;

    ngx_http_set_log_request(c->log, flv->request);

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "FLV play ended: the drain time is over");

    ngx_http_finalize_request(flv->request, NGX_ERROR);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_media_flv_write(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_event_t           *wev;
    ngx_connection_t      *c;
    ngx_http_media_flv_t  *flv;

    c = r->connection;
    wev = c->write;
    flv = ngx_http_media_kept(r, ngx_http_media_flv_cleanup);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = ngx_http_media_flv_output(flv);

    if (rc == NGX_OK || rc == NGX_AGAIN) {

        if (ngx_http_media_flv_wait(flv, rc == NGX_AGAIN) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    /* NGX_DONE: the stream has ended, and so does the body */

    ngx_log_error(NGX_LOG_INFO, c->log, 0, "FLV play ended: %s",
                  ngx_media_play_over(flv->play));

    r->write_event_handler = ngx_http_request_empty_handler;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }

    ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
}


/*
 * NGX_OK: all is sent, NGX_AGAIN: the client does not take more, NGX_DONE: all
 * is sent, and no more will come, NGX_ERROR
 */

static ngx_int_t
ngx_http_media_flv_output(ngx_http_media_flv_t *flv)
{
    ngx_int_t            rc;
    ngx_chain_t         *out;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = flv->request;
    c = r->connection;
    out = NULL;

    if (c->write->delayed) {
        return NGX_AGAIN;
    }

    if (flv->busy || r->buffered || c->buffered) {

        if (ngx_http_media_flv_pass(flv, NULL) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    while (flv->busy == NULL && !r->buffered && !c->buffered) {

        rc = ngx_http_media_flv_chain(flv, &out);

        if (rc == NGX_DECLINED) {
            return ngx_media_play_over(flv->play) ? NGX_DONE : NGX_OK;
        }

        if (rc != NGX_OK || ngx_http_media_flv_pass(flv, out) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_AGAIN;
}


/* the next messages; NGX_DECLINED: there are none */

static ngx_int_t
ngx_http_media_flv_chain(ngx_http_media_flv_t *flv, ngx_chain_t **out)
{
    ngx_buf_t         *b;
    ngx_uint_t         i, n;
    ngx_chain_t       *cl, **ll;
    ngx_media_span_t   spans[NGX_HTTP_MEDIA_FLV_BUFS];

    n = ngx_media_play_peek(flv->play, 0, spans, NGX_HTTP_MEDIA_FLV_BUFS);

    if (n == 0) {
        return NGX_DECLINED;
    }

    b = NULL;
    ll = out;

    for (i = 0; i < n; i++) {

        cl = ngx_chain_get_free_buf(flv->request->pool, &flv->free);
        if (cl == NULL) {
            return NGX_ERROR;
        }

        b = cl->buf;

        ngx_memzero(b, sizeof(ngx_buf_t));

        b->tag = (ngx_buf_tag_t) &ngx_http_media_flv_handler;
        b->start = (u_char *) spans[i].pos;
        b->pos = b->start;
        b->last = (u_char *) spans[i].last;
        b->end = b->last;
        b->memory = 1;

        flv->left += b->last - b->pos;

        *ll = cl;
        ll = &cl->next;
    }

    *ll = NULL;
    b->flush = 1;

    ngx_media_play_hold(flv->play, n);

    return NGX_OK;
}


/* through the filters, and what the client has taken goes out of the queue */

static ngx_int_t
ngx_http_media_flv_pass(ngx_http_media_flv_t *flv, ngx_chain_t *out)
{
    size_t               left;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = flv->request;

    if (ngx_http_output_filter(r, out) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_chain_update_chains(r->pool, &flv->free, &flv->busy, &out,
                            (ngx_buf_tag_t) &ngx_http_media_flv_handler);

    left = 0;

    for (cl = flv->busy; cl; cl = cl->next) {
        left += ngx_buf_size(cl->buf);
    }

    (void) ngx_media_play_sent(flv->play, flv->left - left);

    flv->left = left;

    return NGX_OK;
}


/* as long as the client takes nothing "send_timeout" runs */

static ngx_int_t
ngx_http_media_flv_wait(ngx_http_media_flv_t *flv, ngx_uint_t blocked)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = flv->request;
    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->delayed) {

        if (blocked) {
            ngx_add_timer(wev, clcf->send_timeout);

        } else if (wev->timer_set) {
            ngx_del_timer(wev);
        }
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static void
ngx_http_media_flv_cleanup(void *data)
{
    ngx_http_media_flv_t *flv = data;

    if (flv->access) {
        ngx_media_access_cancel(flv->access);
    }

    if (flv->play) {
        ngx_media_play_end(flv->play);

    } else {
        ngx_media_access_ended(flv->app, flv->verdict.id, "it was not played");
    }

    if (flv->timer.timer_set) {
        ngx_del_timer(&flv->timer);
    }
}
