
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Connections: one that was kept, or the addresses of the server in turn, TLS,
 * the request, the answer.  A connection that was kept and ends without a byte
 * of an answer was closed by its server in that moment: once the request is
 * made again, over a new one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include "core/ngx_media_fetch_state.h"


#define NGX_MEDIA_FETCH_PEER_POOL  512
#define NGX_MEDIA_FETCH_IDLE       16         /* connections of a server */
#define NGX_MEDIA_FETCH_KEPT       30000      /* ms */
#define NGX_MEDIA_FETCH_AGE        300000     /* ms: then its name may stand
                                                 for others */
#define NGX_MEDIA_FETCH_BUFFER     4096       /* bytes of an answer, at first */


static void ngx_media_fetch_reuse(ngx_media_fetch_t *fetch);
static void ngx_media_fetch_resolve(ngx_media_fetch_t *fetch);
static void ngx_media_fetch_resolved(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_media_fetch_addrs(ngx_media_fetch_t *fetch,
    ngx_resolver_ctx_t *ctx);
static void ngx_media_fetch_connect(ngx_media_fetch_t *fetch);
static ngx_int_t ngx_media_fetch_peer_create(ngx_media_fetch_t *fetch,
    ngx_connection_t *c, ngx_uint_t addr);
static void ngx_media_fetch_connecting(ngx_event_t *ev);
static ngx_int_t ngx_media_fetch_connected(ngx_connection_t *c);
static void ngx_media_fetch_write(ngx_event_t *wev);
static void ngx_media_fetch_read(ngx_event_t *rev);
static ngx_int_t ngx_media_fetch_room(ngx_media_fetch_t *fetch);
static void ngx_media_fetch_broken(ngx_media_fetch_t *fetch,
    const char *error);
static void ngx_media_fetch_keep(ngx_media_fetch_peer_t *peer);
static void ngx_media_fetch_idle(ngx_event_t *rev);
static void ngx_media_fetch_dummy(ngx_event_t *ev);
static void ngx_media_fetch_close(ngx_media_fetch_peer_t *peer);
static void ngx_media_fetch_logs(ngx_connection_t *c, ngx_log_t *log);


void
ngx_media_fetch_begin(ngx_media_fetch_t *fetch)
{
    if (!ngx_queue_empty(&fetch->server->idle)) {
        ngx_media_fetch_reuse(fetch);
        return;
    }

    ngx_media_fetch_resolve(fetch);
}


static void
ngx_media_fetch_reuse(ngx_media_fetch_t *fetch)
{
    ngx_queue_t             *q;
    ngx_connection_t        *c;
    ngx_media_fetch_peer_t  *peer;

    q = ngx_queue_head(&fetch->server->idle);
    ngx_queue_remove(q);
    fetch->server->nidle--;

    peer = ngx_queue_data(q, ngx_media_fetch_peer_t, queue);
    peer->fetch = fetch;

    fetch->peer = peer;
    fetch->reused = 1;

    c = peer->c;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    c->idle = 0;
    c->log_error = NGX_ERROR_INFO;

    ngx_media_fetch_logs(c, &fetch->log);

    c->read->handler = ngx_media_fetch_read;
    c->write->handler = ngx_media_fetch_write;

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, c->log, 0,
                   "media fetch %p has a connection that was kept, left:%ui",
                   fetch, fetch->server->nidle);

    ngx_media_fetch_write(c->write);
}


/* what its name stands for is known, or asked for */

static void
ngx_media_fetch_resolve(ngx_media_fetch_t *fetch)
{
    ngx_resolver_ctx_t        *ctx;
    ngx_media_fetch_server_t  *server;

    server = fetch->server;

    if (server->addrs) {
        fetch->addrs = server->addrs;
        fetch->naddrs = server->naddrs;
    }

    if (fetch->addrs) {
        ngx_media_fetch_connect(fetch);
        return;
    }

    ctx = ngx_resolve_start(server->main->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_media_fetch_finish(fetch, NULL, "there is no memory for a look-up");
        return;
    }

    ctx->name = server->host;
    ctx->handler = ngx_media_fetch_resolved;
    ctx->data = fetch;

    /* the request has a timer of its own, which comes first */

    ctx->timeout = fetch->conf.timeout + 1000;

    fetch->resolve = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        fetch->resolve = NULL;
        ngx_media_fetch_finish(fetch, NULL, "there is no memory for a look-up");
    }
}


static void
ngx_media_fetch_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_media_fetch_t *fetch = ctx->data;

    ngx_int_t  rc, state;

    fetch->resolve = NULL;
    state = ctx->state;
    rc = NGX_ERROR;

    if (state) {
        ngx_log_error(NGX_LOG_ERR, &fetch->log, 0,
                      "\"%V\" could not be resolved (%i: %s)", &ctx->name,
                      state, ngx_resolver_strerror(state));
    } else {
        rc = ngx_media_fetch_addrs(fetch, ctx);
    }

    ngx_resolve_name_done(ctx);

    if (rc != NGX_OK) {
        ngx_media_fetch_finish(fetch, NULL, state
                               ? "the server's name is not found"
                               : "there is no memory for its addresses");
        return;
    }

    ngx_media_fetch_connect(fetch);
}


/* copies, with the port */

static ngx_int_t
ngx_media_fetch_addrs(ngx_media_fetch_t *fetch, ngx_resolver_ctx_t *ctx)
{
    u_char      *p;
    ngx_uint_t   i;
    ngx_addr_t  *addr;

    addr = ngx_pcalloc(fetch->pool, ctx->naddrs * sizeof(ngx_addr_t));
    if (addr == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->naddrs; i++) {
        addr[i].socklen = ctx->addrs[i].socklen;
        addr[i].sockaddr = ngx_palloc(fetch->pool, addr[i].socklen);
        p = ngx_pnalloc(fetch->pool, NGX_SOCKADDR_STRLEN);

        if (addr[i].sockaddr == NULL || p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(addr[i].sockaddr, ctx->addrs[i].sockaddr, addr[i].socklen);
        ngx_inet_set_port(addr[i].sockaddr, fetch->server->port);

        addr[i].name.data = p;
        addr[i].name.len = ngx_sock_ntop(addr[i].sockaddr, addr[i].socklen, p,
                                         NGX_SOCKADDR_STRLEN, 1);
    }

    fetch->addrs = addr;
    fetch->naddrs = ctx->naddrs;

    return NGX_OK;
}


/*
 * The addresses in turn, from the one that was good last time.  One that does
 * not answer must leave time for the others.
 */

static void
ngx_media_fetch_connect(ngx_media_fetch_t *fetch)
{
    ngx_int_t               rc;
    ngx_uint_t              n;
    ngx_msec_int_t          left;
    ngx_connection_t       *c;
    ngx_peer_connection_t   pc;

    for ( /* void */ ; fetch->tried < fetch->naddrs; /* void */ ) {

        n = (fetch->server->addr + fetch->tried++) % fetch->naddrs;

        ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

        pc.sockaddr = fetch->addrs[n].sockaddr;
        pc.socklen = fetch->addrs[n].socklen;
        pc.name = &fetch->addrs[n].name;
        pc.get = ngx_event_get_peer;
        pc.log = &fetch->log;
        pc.log_error = NGX_ERROR_ERR;

        rc = ngx_event_connect_peer(&pc);

        if (rc != NGX_OK && rc != NGX_AGAIN) {
            continue;
        }

        c = pc.connection;

        if (ngx_media_fetch_peer_create(fetch, c, n) != NGX_OK) {
            ngx_close_connection(c);
            ngx_media_fetch_finish(fetch, NULL,
                                   "there is no memory for a connection");
            return;
        }

        c->read->handler = ngx_media_fetch_connecting;
        c->write->handler = ngx_media_fetch_connecting;

        ngx_log_debug3(NGX_LOG_DEBUG_CORE, c->log, 0,
                       "media fetch %p connects to %V, fd:%d", fetch, pc.name,
                       c->fd);

        if (rc == NGX_OK) {
            ngx_media_fetch_connecting(c->write);
            return;
        }

        left = (ngx_msec_int_t) (fetch->deadline - ngx_current_msec);

        if (fetch->tried < fetch->naddrs && left > 0) {
            ngx_add_timer(c->write, left / (fetch->naddrs - fetch->tried + 1));
        }

        return;
    }

    ngx_media_fetch_finish(fetch, NULL, "the server cannot be connected to");
}


static ngx_int_t
ngx_media_fetch_peer_create(ngx_media_fetch_t *fetch, ngx_connection_t *c,
    ngx_uint_t addr)
{
    ngx_media_fetch_peer_t  *peer;

    c->pool = ngx_create_pool(NGX_MEDIA_FETCH_PEER_POOL, &fetch->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    peer = ngx_palloc(c->pool, sizeof(ngx_media_fetch_peer_t));
    if (peer == NULL) {
        ngx_destroy_pool(c->pool);
        return NGX_ERROR;
    }

    peer->fetch = fetch;
    peer->server = fetch->server;
    peer->c = c;
    peer->addr = addr;
    peer->since = ngx_current_msec;

    c->data = peer;

    fetch->peer = peer;
    fetch->reused = 0;

    return NGX_OK;
}


static void
ngx_media_fetch_connecting(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_media_fetch_t       *fetch;
    ngx_media_fetch_peer_t  *peer;

    c = ev->data;
    peer = c->data;
    fetch = peer->fetch;

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (ev->timedout) {
        ngx_log_error(NGX_LOG_ERR, c->log, NGX_ETIMEDOUT,
                      "connecting to an address of \"%V\" takes too long",
                      &peer->server->host);
    }

    if (ev->timedout || ngx_media_fetch_connected(c) != NGX_OK) {
        ngx_media_fetch_close(peer);
        ngx_media_fetch_connect(fetch);
        return;
    }

    peer->server->addr = peer->addr;

    c->read->handler = ngx_media_fetch_read;
    c->write->handler = ngx_media_fetch_write;

#if (NGX_SSL)

    if (peer->server->tls) {
        ngx_media_fetch_tls(peer);
        return;
    }

#endif

    ngx_media_fetch_write(c->write);
}


static ngx_int_t
ngx_media_fetch_connected(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        (void) ngx_connection_error(c, err, "connect() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


#if (NGX_SSL)

void
ngx_media_fetch_secured(ngx_media_fetch_peer_t *peer, const char *error)
{
    ngx_connection_t  *c;

    if (error) {
        ngx_media_fetch_finish(peer->fetch, NULL, error);
        return;
    }

    c = peer->c;

    c->read->handler = ngx_media_fetch_read;
    c->write->handler = ngx_media_fetch_write;

    ngx_media_fetch_write(c->write);
}

#endif


static void
ngx_media_fetch_write(ngx_event_t *wev)
{
    ssize_t             n;
    ngx_str_t          *text;
    ngx_connection_t   *c;
    ngx_media_fetch_t  *fetch;

    c = wev->data;
    fetch = ((ngx_media_fetch_peer_t *) c->data)->fetch;
    text = &fetch->request;

    while (fetch->sent < text->len) {

        n = c->send(c, text->data + fetch->sent, text->len - fetch->sent);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_media_fetch_broken(fetch, "the connection broke");
            return;
        }

        fetch->sent += n;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_media_fetch_broken(fetch, "the connection broke");
        return;
    }

    /* it may have answered already, or closed */

    ngx_media_fetch_read(c->read);
}


static void
ngx_media_fetch_read(ngx_event_t *rev)
{
    ssize_t             n;
    ngx_int_t           rc;
    const char         *error;
    ngx_connection_t   *c;
    ngx_media_fetch_t  *fetch;
    ngx_media_http_t    answer;

    c = rev->data;
    fetch = ((ngx_media_fetch_peer_t *) c->data)->fetch;

    for ( ;; ) {

        if (ngx_media_fetch_room(fetch) != NGX_OK) {
            ngx_media_fetch_finish(fetch, NULL, "the answer is too large");
            return;
        }

        n = c->recv(c, fetch->answer + fetch->len, fetch->size - fetch->len);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_media_fetch_broken(fetch, "the connection broke");
            }

            return;
        }

        if (n == NGX_ERROR || (n == 0 && fetch->len == 0)) {
            ngx_media_fetch_broken(fetch, "the server closed the connection");
            return;
        }

        fetch->len += n;

        rc = ngx_media_http_parse(&fetch->http, fetch->answer, fetch->len,
                                  n == 0, 0, &answer, &error);

        if (rc == NGX_ERROR) {
            ngx_media_fetch_finish(fetch, NULL, error);
            return;
        }

        if (rc == NGX_OK) {
            ngx_log_debug4(NGX_LOG_DEBUG_CORE, c->log, 0,
                           "media fetch %p status:%ui body:%uz keep:%d", fetch,
                           answer.status, ngx_media_span_len(&answer.body),
                           answer.keepalive);

            ngx_media_fetch_finish(fetch, &answer, NULL);
            return;
        }
    }
}


/* for more of the answer */

static ngx_int_t
ngx_media_fetch_room(ngx_media_fetch_t *fetch)
{
    size_t   size;
    u_char  *p;

    if (fetch->len < fetch->size) {
        return NGX_OK;
    }

    if (fetch->size >= NGX_MEDIA_FETCH_ANSWER) {
        return NGX_ERROR;
    }

    size = fetch->size ? ngx_min(fetch->size * 4, NGX_MEDIA_FETCH_ANSWER)
                       : NGX_MEDIA_FETCH_BUFFER;

    p = ngx_alloc(size, &fetch->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (fetch->answer) {
        ngx_memcpy(p, fetch->answer, fetch->len);
        ngx_explicit_memzero(fetch->answer, fetch->len);
        ngx_free(fetch->answer);
    }

    fetch->answer = p;
    fetch->size = size;

    return NGX_OK;
}


static void
ngx_media_fetch_broken(ngx_media_fetch_t *fetch, const char *error)
{
    if (!fetch->reused || fetch->len) {
        ngx_media_fetch_finish(fetch, NULL, error);
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, &fetch->log, 0,
                   "media fetch %p: the connection was kept for too long",
                   fetch);

    ngx_media_fetch_close(fetch->peer);

    fetch->reused = 0;
    fetch->sent = 0;

    ngx_media_fetch_resolve(fetch);
}


void
ngx_media_fetch_end(ngx_media_fetch_t *fetch, ngx_uint_t keep)
{
    ngx_media_fetch_peer_t    *peer;
    ngx_media_fetch_server_t  *server;

    if (fetch->resolve) {
        ngx_resolve_name_done(fetch->resolve);
        fetch->resolve = NULL;
    }

    peer = fetch->peer;
    server = fetch->server;

    if (peer == NULL) {
        return;
    }

    /* who waits is about to take it */

    if (keep && !ngx_exiting && !ngx_terminate
        && ngx_current_msec - peer->since < NGX_MEDIA_FETCH_AGE
        && (server->nidle < NGX_MEDIA_FETCH_IDLE || server->nwaiting))
    {
        fetch->peer = NULL;
        ngx_media_fetch_keep(peer);
        return;
    }

    ngx_media_fetch_close(peer);
}


static void
ngx_media_fetch_keep(ngx_media_fetch_peer_t *peer)
{
    ngx_connection_t  *c;

    c = peer->c;

    ngx_media_fetch_logs(c, ngx_cycle->log);

    peer->fetch = NULL;

    ngx_queue_insert_head(&peer->server->idle, &peer->queue);
    peer->server->nidle++;

    c->idle = 1;
    c->read->handler = ngx_media_fetch_idle;
    c->write->handler = ngx_media_fetch_dummy;

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_add_timer(c->read, NGX_MEDIA_FETCH_KEPT);

    if (c->read->ready) {
        ngx_media_fetch_idle(c->read);
    }
}


/* whatever comes, but for nothing, is its end */

static void
ngx_media_fetch_idle(ngx_event_t *rev)
{
    int                      n;
    char                     buf[1];
    ngx_connection_t        *c;
    ngx_media_fetch_peer_t  *peer;

    c = rev->data;
    peer = c->data;

    if (!c->close && !rev->timedout) {

        n = recv(c->fd, buf, 1, MSG_PEEK);

        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            rev->ready = 0;

            if (ngx_handle_read_event(rev, 0) == NGX_OK) {
                return;
            }
        }
    }

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, c->log, 0,
                   "media fetch closes a connection that was kept, "
                   "timedout:%d", rev->timedout);

    ngx_queue_remove(&peer->queue);
    peer->server->nidle--;

    ngx_media_fetch_close(peer);
}


static void
ngx_media_fetch_dummy(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_CORE, ev->log, 0,
                   "media fetch may write, and has nothing to say");
}


static void
ngx_media_fetch_close(ngx_media_fetch_peer_t *peer)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = peer->c;

    if (peer->fetch) {
        peer->fetch->peer = NULL;
    }

#if (NGX_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

#endif

    pool = c->pool;

    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}


static void
ngx_media_fetch_logs(ngx_connection_t *c, ngx_log_t *log)
{
    c->log = log;
    c->pool->log = log;
    c->read->log = log;
    c->write->log = log;
}
