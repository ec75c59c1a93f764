
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Publishers that send MPEG-TS in datagrams, plain or in RTP (RFC 2250, payload
 * type 33), to a listener of nginx's.  Who sends such is a publisher: he says
 * nothing else.
 *
 * The first datagram comes by the listener, of which all workers may have the
 * same; the session then has a socket of its own, connected to the sender, to
 * which the kernel brings what follows.
 */


#ifndef _NGX_MEDIA_TS_UDP_H_INCLUDED_
#define _NGX_MEDIA_TS_UDP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"


typedef struct ngx_media_ts_udp_session_s  ngx_media_ts_udp_session_t;


typedef struct {
    ngx_media_app_t          *app;
    ngx_msec_t                timeout;        /* between two datagrams */
    size_t                    rcvbuf;         /* bytes, of a socket */
    ngx_uint_t                program;        /* as ngx_media_ts_in.h */
    ngx_uint_t                early;
} ngx_media_ts_udp_conf_t;


/* it ends, once; status as in the access log of nginx's stream.  At its return
   the session may be gone */

typedef void (*ngx_media_ts_udp_finalize_pt)(void *data, ngx_uint_t status);


/* whether these bytes are a datagram of a publisher */
ngx_uint_t ngx_media_ts_udp_is(const u_char *pos, const u_char *last);

/*
 * In the pool of nginx's connection, which the session lives as long as; NULL:
 * no memory.  conf and name, of the stream, are borrowed for its life.
 */
ngx_media_ts_udp_session_t *ngx_media_ts_udp_session_create(
    ngx_connection_t *c, const ngx_media_ts_udp_conf_t *conf,
    const ngx_str_t *name, ngx_media_ts_udp_finalize_pt finalize, void *data);

/* with the first datagram; it may call finalize */
void ngx_media_ts_udp_session_start(ngx_media_ts_udp_session_t *session,
    const u_char *pos, const u_char *last);

/* another one has come by the listener; likewise */
void ngx_media_ts_udp_session_listener(ngx_media_ts_udp_session_t *session,
    const u_char *pos, const u_char *last);

/* c->close of nginx's connection; likewise */
void ngx_media_ts_udp_session_close(ngx_media_ts_udp_session_t *session);

/* this worker ends now: so do all of its sessions */
void ngx_media_ts_udp_exit(void);

/* bytes received so far */
off_t ngx_media_ts_udp_session_received(
    const ngx_media_ts_udp_session_t *session);


/* what it is about, empty where that is not known: the application; the
   stream; why it ended */

typedef enum {
    NGX_MEDIA_TS_UDP_APP = 0,
    NGX_MEDIA_TS_UDP_STREAM,
    NGX_MEDIA_TS_UDP_REASON
} ngx_media_ts_udp_text_e;

void ngx_media_ts_udp_session_text(const ngx_media_ts_udp_session_t *session,
    ngx_media_ts_udp_text_e what, ngx_str_t *text);

/* ", app: live, stream: x" */
u_char *ngx_media_ts_udp_session_log(
    const ngx_media_ts_udp_session_t *session, u_char *buf, size_t len);


#endif /* _NGX_MEDIA_TS_UDP_H_INCLUDED_ */
