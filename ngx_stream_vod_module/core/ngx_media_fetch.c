
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Requests, from being asked for until done is called.  What follows a request
 * may be the end of whoever asked, so nothing is called from inside of fetch()
 * or cancel(): each begins with an event, which is the deadline's timer, too.
 * That is not cancelable: a worker that leaves stays for what it has asked.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_fetch_state.h"


#define NGX_MEDIA_FETCH_AGENT  "ngx_stream_vod_module"
#define NGX_MEDIA_FETCH_POOL   1024


static ngx_int_t ngx_media_fetch_request(ngx_media_fetch_t *fetch);
static u_char *ngx_media_fetch_header(u_char *p, const char *name,
    const ngx_str_t *value);
static void ngx_media_fetch_quieten(ngx_media_fetch_t *fetch);
static void ngx_media_fetch_event(ngx_event_t *ev);
static void ngx_media_fetch_judge(ngx_media_fetch_t *fetch,
    const char *error);
static void ngx_media_fetch_leave(ngx_media_fetch_t *fetch, ngx_uint_t keep);
static void ngx_media_fetch_pass(ngx_media_fetch_server_t *server);
static void ngx_media_fetch_unwait(ngx_media_fetch_t *fetch);
static void ngx_media_fetch_free(ngx_media_fetch_t *fetch);


ngx_int_t
ngx_media_fetch(const ngx_media_fetch_conf_t *conf, ngx_media_fetch_t **fetch)
{
    ngx_pool_t         *pool;
    ngx_media_fetch_t  *f;

    pool = ngx_create_pool(NGX_MEDIA_FETCH_POOL, conf->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    f = ngx_pcalloc(pool, sizeof(ngx_media_fetch_t));
    if (f == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     f->peer = NULL;
     *     f->resolve = NULL;
     *     f->addrs = NULL;
     *     f->answer = NULL;
     *     f->waiting = 0;
     *     f->slot = 0;
     */

    f->pool = pool;
    f->server = conf->target->server;
    f->ident = (ngx_socket_t) -1;
    f->conf = *conf;

    if (ngx_media_fetch_request(f) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    f->log = *conf->log;
    f->log.action = (char *) conf->target->action;
    ngx_media_fetch_quieten(f);

    pool->log = &f->log;

    f->event.handler = ngx_media_fetch_event;
    f->event.data = f;
    f->event.log = &f->log;

    f->deadline = ngx_current_msec + conf->timeout;

    ngx_add_timer(&f->event, conf->timeout);

    /* in init_process, too, events of this list are not slept over */

    ngx_post_event(&f->event, &ngx_posted_next_events);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, conf->log, 0,
                   "media fetch %p of %V within %M ms", f, &conf->target->name,
                   conf->timeout);

    *fetch = f;

    return NGX_OK;
}


static ngx_int_t
ngx_media_fetch_request(ngx_media_fetch_t *fetch)
{
    size_t                         len;
    u_char                        *p;
    ngx_str_t                     *text;
    ngx_media_target_t            *target;
    const ngx_media_fetch_conf_t  *conf;

    conf = &fetch->conf;
    target = conf->target;
    text = &fetch->request;

    len = conf->method.len + target->path.len + target->args.len
          + conf->args.len + target->host.len + target->user.len
          + conf->type.len + conf->headers.len + conf->body.len
          + NGX_SIZE_T_LEN
          + sizeof(" ?& HTTP/1.1" CRLF "Host: " CRLF
                   "User-Agent: " NGX_MEDIA_FETCH_AGENT CRLF
                   "Accept: */*" CRLF "Connection: keep-alive" CRLF
                   "Authorization: " CRLF "Content-Type: " CRLF
                   "Content-Length: " CRLF CRLF);

    text->data = ngx_pnalloc(fetch->pool, len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(text->data, "%V %V", &conf->method, &target->path);

    if (target->args.len) {
        p = ngx_sprintf(p, "?%V", &target->args);
    }

    if (conf->args.len) {
        p = ngx_sprintf(p, "%s%V", target->args.len ? "&" : "?", &conf->args);
    }

    p = ngx_sprintf(p, " HTTP/1.1" CRLF "Host: %V" CRLF
                    "User-Agent: " NGX_MEDIA_FETCH_AGENT CRLF
                    "Accept: */*" CRLF "Connection: keep-alive" CRLF,
                    &target->host);

    p = ngx_media_fetch_header(p, "Authorization", &target->user);
    p = ngx_media_fetch_header(p, "Content-Type", &conf->type);

    /* RFC 9110, 8.6: where a body is usual its length is said, also of none */

    if (conf->body.len || (conf->method.len == 4
                           && ngx_memcmp(conf->method.data, "POST", 4) == 0))
    {
        p = ngx_sprintf(p, "Content-Length: %uz" CRLF, conf->body.len);
    }

    p = ngx_sprintf(p, "%V" CRLF "%V", &conf->headers, &conf->body);

    text->len = p - text->data;

    return NGX_OK;
}


static u_char *
ngx_media_fetch_header(u_char *p, const char *name, const ngx_str_t *value)
{
    return value->len ? ngx_sprintf(p, "%s: %V" CRLF, name, value) : p;
}


/*
 * Of a server that is down each 2^n-th failure is logged, with what nginx says
 * of its connection; debug lines all are.
 */

static void
ngx_media_fetch_quieten(ngx_media_fetch_t *fetch)
{
    ngx_uint_t  n;

    n = fetch->server->failures + 1;

    if ((n & (n - 1)) && !(fetch->log.log_level & NGX_LOG_DEBUG_ALL)
        && fetch->log.log_level > NGX_LOG_CRIT)
    {
        fetch->log.log_level = NGX_LOG_CRIT;
    }
}


static void
ngx_media_fetch_event(ngx_event_t *ev)
{
    ngx_media_fetch_t *fetch = ev->data;

    ngx_media_fetch_server_t  *server;

    server = fetch->server;

    if (ev->timedout) {
        ngx_media_fetch_finish(fetch, NULL, fetch->peer || fetch->resolve
                               ? "there was no answer in time"
                               : "others were asked for first, until its time "
                                 "was over");
        return;
    }

    if (!fetch->slot) {

        if (server->active == NGX_MEDIA_FETCH_CONNECTIONS) {

            if (server->nwaiting == NGX_MEDIA_FETCH_WAITING
                || fetch->request.len > NGX_MEDIA_FETCH_BYTES - server->bytes)
            {
                ngx_media_fetch_finish(fetch, NULL,
                                       "too many others wait for the server");
                return;
            }

            ngx_queue_insert_tail(&server->waiting, &fetch->queue);
            server->nwaiting++;
            server->bytes += fetch->request.len;
            fetch->waiting = 1;

            ngx_log_debug3(NGX_LOG_DEBUG_CORE, &fetch->log, 0,
                           "media fetch %p waits with others:%ui bytes:%uz",
                           fetch, server->nwaiting, server->bytes);
            return;
        }

        server->active++;
        fetch->slot = 1;
    }

    ngx_media_fetch_begin(fetch);
}


void
ngx_media_fetch_finish(ngx_media_fetch_t *fetch,
    const ngx_media_http_t *answer, const char *error)
{
    void             *data;
    ngx_media_http_t  copy;
    void            (*done)(void *data, const ngx_media_http_t *answer,
                            const char *error);

    ngx_media_fetch_judge(fetch, answer ? NULL : error);

    if (answer) {
        copy = *answer;
    }

    ngx_media_fetch_leave(fetch, answer && answer->keepalive
                                 && fetch->sent == fetch->request.len);

    done = fetch->conf.done;
    data = fetch->conf.data;

    /* its log may be gone when it returns */

    fetch->log = *ngx_cycle->log;

    done(data, answer ? &copy : NULL, error);

    ngx_media_fetch_free(fetch);
}


/* what is said of the server */

static void
ngx_media_fetch_judge(ngx_media_fetch_t *fetch, const char *error)
{
    ngx_uint_t                 n;
    const ngx_str_t           *name;
    ngx_media_fetch_server_t  *server;

    server = fetch->server;
    name = &fetch->conf.target->name;

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, &fetch->log, 0,
                   "media fetch %p has ended, bytes:%uz %s", fetch, fetch->len,
                   error ? error : "well");

    if (error) {
        n = ++server->failures;

        if ((n & (n - 1)) == 0) {
            ngx_log_error(NGX_LOG_ERR, fetch->conf.log, 0,
                          "media fetch of %V failed: %s, failures:%ui",
                          name, error, n);
        }

        return;
    }

    if (server->failures) {
        ngx_log_error(NGX_LOG_NOTICE, fetch->conf.log, 0,
                      "media fetch of %V works again, failures:%ui",
                      name, server->failures);
        server->failures = 0;
    }
}


void
ngx_media_fetch_cancel(ngx_media_fetch_t *fetch)
{
    ngx_log_debug1(NGX_LOG_DEBUG_CORE, &fetch->log, 0,
                   "media fetch %p is of no interest any more", fetch);

    ngx_media_fetch_leave(fetch, 0);

    fetch->log = *ngx_cycle->log;

    ngx_media_fetch_free(fetch);
}


/* all that it has of the process and the server */

static void
ngx_media_fetch_leave(ngx_media_fetch_t *fetch, ngx_uint_t keep)
{
    if (fetch->event.timer_set) {
        ngx_del_timer(&fetch->event);
    }

    if (fetch->event.posted) {
        ngx_delete_posted_event(&fetch->event);
    }

    if (fetch->waiting) {
        ngx_media_fetch_unwait(fetch);
    }

    ngx_media_fetch_end(fetch, keep);

    if (fetch->slot) {
        fetch->slot = 0;
        ngx_media_fetch_pass(fetch->server);
    }
}


/* a slot is free */

static void
ngx_media_fetch_pass(ngx_media_fetch_server_t *server)
{
    ngx_queue_t        *q;
    ngx_media_fetch_t  *fetch;

    if (ngx_queue_empty(&server->waiting)) {
        server->active--;
        return;
    }

    q = ngx_queue_head(&server->waiting);
    fetch = ngx_queue_data(q, ngx_media_fetch_t, queue);

    ngx_media_fetch_unwait(fetch);
    fetch->slot = 1;

    ngx_post_event(&fetch->event, &ngx_posted_events);
}


static void
ngx_media_fetch_unwait(ngx_media_fetch_t *fetch)
{
    ngx_queue_remove(&fetch->queue);
    fetch->server->nwaiting--;
    fetch->server->bytes -= fetch->request.len;
    fetch->waiting = 0;
}


static void
ngx_media_fetch_free(ngx_media_fetch_t *fetch)
{
    /* it may be a secret */

    if (fetch->answer) {
        ngx_explicit_memzero(fetch->answer, fetch->len);
        ngx_free(fetch->answer);
    }

    fetch->pool->log = ngx_cycle->log;

    ngx_destroy_pool(fetch->pool);
}
