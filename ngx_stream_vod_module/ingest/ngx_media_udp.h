
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


/*
 * Bound to the address that c, a connection of a listener, was reached at, and
 * connected to its peer.  Until it is connected it gets datagrams of anybody
 * who has no such socket: they are thrown away, but those of the peer wait in
 * it.  handler is called when something has come, and when this worker is
 * leaving.  what: "TS", for the log.  NULL: it could not be made, which was
 * logged.
 */
ngx_connection_t *ngx_media_udp_connect(ngx_connection_t *c, size_t rcvbuf,
    const char *what, ngx_event_handler_pt handler, void *data);

/* as bind(), to the address that c was reached at */
int ngx_media_udp_bind(const ngx_connection_t *c, ngx_socket_t s);

void ngx_media_udp_close(ngx_connection_t *socket);


#endif /* _NGX_MEDIA_UDP_H_INCLUDED_ */
