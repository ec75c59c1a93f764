
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A socket of a session's own beside a listener of nginx's for datagrams.
 */


#ifndef _NGX_MEDIA_UDP_H_INCLUDED_
#define _NGX_MEDIA_UDP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* s is the socket, which may be sent by, to others than its peer, too */
typedef void (*ngx_media_udp_stray_pt)(void *data, ngx_socket_t s,
    const struct sockaddr *from, socklen_t len, const u_char *pos,
    const u_char *last);


/*
 * Bound to the address that c, a connection of a listener, was reached at, and
 * connected to its peer.  Until it is connected it gets datagrams of anybody
 * who has no such socket: stray, if it is not NULL, is called with each, those
 * of the peer, too, from inside this function; else they are thrown away, and
 * those of the peer wait in it.  handler is called when something has come, and
 * when this worker is leaving.  what: "TS", for the log.  NULL: it could not be
 * made, which was logged.
 */
ngx_connection_t *ngx_media_udp_connect(ngx_connection_t *c, size_t rcvbuf,
    const char *what, ngx_event_handler_pt handler, void *data,
    ngx_media_udp_stray_pt stray);

/* msg_control of a datagram: SO_RXQ_OVFL, and who wants it SO_TIMESTAMPNS */
typedef union {
    struct cmsghdr            align;
    u_char                    data[CMSG_SPACE(sizeof(uint32_t))
                                   + CMSG_SPACE(sizeof(struct timespec))];
} ngx_media_udp_cmsg_t;

/* how many datagrams the socket has had no room for so far, of which a message
   that was received says 32 bits: *overflows goes on from there */
void ngx_media_udp_overflows(struct msghdr *msg, uint64_t *overflows);

void ngx_media_udp_close(ngx_connection_t *socket);


#endif /* _NGX_MEDIA_UDP_H_INCLUDED_ */
