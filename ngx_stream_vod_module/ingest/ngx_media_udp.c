
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Of several sockets of a port the kernel takes for a datagram the one that is
 * connected to its sender, else the newest that is not connected.  So between
 * bind() and connect() a new one gets what is everybody's, which for media
 * that is sent again and again is a loss as any other.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ingest/ngx_media_udp.h"


#define NGX_MEDIA_UDP_STRAYS  64              /* datagrams, before connect() */
#define NGX_MEDIA_UDP_STRAY   2048            /* bytes of one: longer ones are
                                                 nobody's */


static ngx_socket_t ngx_media_udp_socket(ngx_connection_t *c, size_t rcvbuf,
    const char *what);
static ngx_int_t ngx_media_udp_setup(ngx_connection_t *c, ngx_socket_t s,
    size_t rcvbuf, const char *what);
static void ngx_media_udp_rcvbuf(ngx_connection_t *c, ngx_socket_t s,
    size_t rcvbuf);
static ngx_int_t ngx_media_udp_failed(ngx_connection_t *c, const char *what,
    const char *call);
static int ngx_media_udp_bind(const ngx_connection_t *c, ngx_socket_t s);
static void ngx_media_udp_strays(ngx_connection_t *c, ngx_socket_t s,
    void *data, ngx_media_udp_stray_pt stray);
static void ngx_media_udp_write_handler(ngx_event_t *wev);


ngx_connection_t *
ngx_media_udp_connect(ngx_connection_t *c, size_t rcvbuf, const char *what,
    ngx_event_handler_pt handler, void *data, ngx_media_udp_stray_pt stray)
{
    ngx_socket_t       s;
    ngx_connection_t  *socket;

    s = ngx_media_udp_socket(c, rcvbuf, what);
    if (s == (ngx_socket_t) -1) {
        return NULL;
    }

    ngx_media_udp_strays(c, s, data, stray);

    socket = ngx_get_connection(s, c->log);

    if (socket == NULL) {
        (void) ngx_close_socket(s);
        return NULL;
    }

    socket->type = SOCK_DGRAM;
    socket->data = data;
    socket->log = c->log;
    socket->log_error = NGX_ERROR_INFO;
    socket->number = c->number;
    socket->start_time = ngx_current_msec;
    socket->recv = ngx_udp_recv;

    socket->read->handler = handler;
    socket->read->log = c->log;
    socket->write->handler = ngx_media_udp_write_handler;
    socket->write->log = c->log;

    if (ngx_handle_read_event(socket->read, 0) != NGX_OK) {
        ngx_close_connection(socket);
        return NULL;
    }

    return socket;
}


void
ngx_media_udp_overflows(struct msghdr *msg, uint64_t *overflows)
{
    uint32_t         n;
    struct cmsghdr  *cmsg;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {

        if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SO_RXQ_OVFL) {
            ngx_memcpy(&n, CMSG_DATA(cmsg), sizeof(uint32_t));

            *overflows += (uint32_t) (n - (uint32_t) *overflows);
        }
    }
}


void
ngx_media_udp_close(ngx_connection_t *socket)
{
    if (socket->read->posted) {
        ngx_delete_posted_event(socket->read);
    }

    ngx_close_connection(socket);
}


static ngx_socket_t
ngx_media_udp_socket(ngx_connection_t *c, size_t rcvbuf, const char *what)
{
    ngx_socket_t  s;

    s = ngx_socket(c->sockaddr->sa_family, SOCK_DGRAM, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, c->log, ngx_socket_errno,
                      ngx_socket_n " failed");
        return s;
    }

    if (ngx_media_udp_setup(c, s, rcvbuf, what) != NGX_OK) {

        if (ngx_close_socket(s) == -1) {
            ngx_log_error(NGX_LOG_ALERT, c->log, ngx_socket_errno,
                          ngx_close_socket_n " failed");
        }

        return (ngx_socket_t) -1;
    }

    return s;
}


static ngx_int_t
ngx_media_udp_setup(ngx_connection_t *c, ngx_socket_t s, size_t rcvbuf,
    const char *what)
{
    int  on;

    if (ngx_nonblocking(s) == -1) {
        return ngx_media_udp_failed(c, what, ngx_nonblocking_n);
    }

    on = 1;

    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (const void *) &on,
                   sizeof(int))
        == -1)
    {
        return ngx_media_udp_failed(c, what, "setsockopt(SO_REUSEADDR)");
    }

    ngx_media_udp_rcvbuf(c, s, rcvbuf);

    if (setsockopt(s, SOL_SOCKET, SO_RXQ_OVFL, (const void *) &on, sizeof(int))
        == -1)
    {
        ngx_log_error(NGX_LOG_WARN, c->log, ngx_socket_errno,
                      "setsockopt(SO_RXQ_OVFL) failed");
    }

    if (ngx_media_udp_bind(c, s) == -1) {
        return ngx_media_udp_failed(c, what, "bind()");
    }

    if (connect(s, c->sockaddr, c->socklen) == -1) {
        return ngx_media_udp_failed(c, what, "connect()");
    }

    return NGX_OK;
}


/* of an address of a link nginx does not know what link, RFC 4007, 6: it is
   the peer's */

static int
ngx_media_udp_bind(const ngx_connection_t *c, ngx_socket_t s)
{
    ngx_sockaddr_t  local;

    ngx_memcpy(&local, c->local_sockaddr, c->local_socklen);

#if (NGX_HAVE_INET6)

    if (local.sockaddr.sa_family == AF_INET6
        && IN6_IS_ADDR_LINKLOCAL(&local.sockaddr_in6.sin6_addr))
    {
        local.sockaddr_in6.sin6_scope_id =
                     ((struct sockaddr_in6 *) c->sockaddr)->sin6_scope_id;
    }

#endif

    return bind(s, &local.sockaddr, c->local_socklen);
}


/* a key frame comes in one burst; the kernel says twice what it has */

static void
ngx_media_udp_rcvbuf(ngx_connection_t *c, ngx_socket_t s, size_t rcvbuf)
{
    int                 got, size;
    socklen_t           len;
    static ngx_uint_t   said;

    size = (int) rcvbuf;
    len = sizeof(int);

    if (setsockopt(s, SOL_SOCKET, SO_RCVBUF, (const void *) &size,
                   sizeof(int))
        == -1
        || getsockopt(s, SOL_SOCKET, SO_RCVBUF, (void *) &got, &len) == -1)
    {
        ngx_log_error(NGX_LOG_WARN, c->log, ngx_socket_errno,
                      "setsockopt(SO_RCVBUF, %d) failed", size);
        return;
    }

    if (got / 2 >= size || said) {
        return;
    }

    said = 1;

    ngx_log_error(NGX_LOG_WARN, c->log, 0,
                  "media: the system allows receive buffers of %d bytes, %d "
                  "are wanted: raise net.core.rmem_max", got / 2, size);
}


static ngx_int_t
ngx_media_udp_failed(ngx_connection_t *c, const char *what, const char *call)
{
    ngx_log_error(NGX_LOG_CRIT, c->log, ngx_socket_errno,
                  "%s of a session of %s failed", call, what);

    return NGX_ERROR;
}


/*
 * What others sent is before what the peer did: that cannot come here before
 * connect(), or has come with it, and both are taken for a few lost ones by
 * whom strays are nothing to.
 */

static void
ngx_media_udp_strays(ngx_connection_t *c, ngx_socket_t s, void *data,
    ngx_media_udp_stray_pt stray)
{
    u_char          buf[NGX_MEDIA_UDP_STRAY];
    ssize_t         n;
    ngx_uint_t      i, strays;
    socklen_t       len;
    ngx_sockaddr_t  from;

    strays = 0;

    for (i = 0; i < NGX_MEDIA_UDP_STRAYS; i++) {
        len = sizeof(ngx_sockaddr_t);

        n = recvfrom(s, buf, sizeof(buf),
                     MSG_DONTWAIT|MSG_TRUNC|(stray ? 0 : MSG_PEEK),
                     &from.sockaddr, &len);

        if (n == -1) {

            if (ngx_socket_errno == NGX_EAGAIN) {
                break;
            }

            /* what ICMP says of an answer to somebody */

            continue;
        }

        if (stray == NULL) {

            if (ngx_cmp_sockaddr(&from.sockaddr, len, c->sockaddr, c->socklen,
                                 1)
                == NGX_OK)
            {
                break;
            }

            (void) recv(s, buf, 1, MSG_DONTWAIT);

        } else if (n <= (ssize_t) sizeof(buf)) {
            stray(data, s, &from.sockaddr, len, buf, buf + n);
        }

        strays++;
    }

    if (strays) {
        ngx_log_debug1(NGX_LOG_DEBUG_STREAM, c->log, 0,
                       "media socket had datagrams of others:%ui", strays);
    }
}


/* what finds no room in the socket's buffer is lost, as it may be later */

static void
ngx_media_udp_write_handler(ngx_event_t *wev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, wev->log, 0,
                   "media socket may be written to");
}
