
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * SRT publishers and viewers (draft-sharabayko-srt, HSv5, live mode) that come
 * to a listener of nginx's.  Each has a socket of its own once it is let in:
 * nginx's connection, of which there is one for each address that a listener
 * knows, is kept for variables and the log, and for what still comes there.
 */


#ifndef _NGX_MEDIA_SRT_LISTEN_H_INCLUDED_
#define _NGX_MEDIA_SRT_LISTEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"


typedef struct ngx_media_srt_session_s  ngx_media_srt_session_t;


typedef struct {
    ngx_media_app_t          *app;
    ngx_flag_t                play;           /* viewers may come */
    ngx_uint_t                reads;          /* who does not say is one */
    ngx_msec_t                latency;
    ngx_msec_t                latency_max;    /* of what callers ask for */
    ngx_msec_t                timeout;        /* of a peer that is silent */
    ngx_msec_t                idle_timeout;   /* of one that sends no data */
    ngx_uint_t                early;          /* data is handed on at once */
    ngx_uint_t                program;        /* of MPEG-TS; 0: the first */
    ngx_flag_t                ts_early;       /* see ngx_media_ts_in.h */
    size_t                    memory;         /* of a worker, for what waits */
    size_t                    rcvbuf;         /* of a socket */
} ngx_media_srt_conf_t;


/* values of the configuration that hold variables */

typedef enum {
    NGX_MEDIA_SRT_VALUE_NAME = 0,             /* where no stream id says it */
    NGX_MEDIA_SRT_VALUE_PASSPHRASE
} ngx_media_srt_value_e;


/* whose session it is */

typedef struct {

    /* it ends, once; status as in the access log of nginx's stream.  At its
       return the session may be gone */
    void                    (*finalize)(void *data, ngx_uint_t status);

    /* NGX_OK, empty: there is none; NGX_ERROR */
    ngx_int_t               (*value)(void *data, ngx_media_srt_value_e which,
                                ngx_str_t *value);
    void                     *data;
} ngx_media_srt_user_t;


/*
 * What came to a listener from somebody who has no session there: NGX_DONE, it
 * was answered or ignored, and nobody waits for the connection; NGX_OK: it asks
 * for a session, which the caller makes and starts with the same bytes.
 */
ngx_int_t ngx_media_srt_listen(ngx_connection_t *c,
    const ngx_media_srt_conf_t *conf, const u_char *pos, const u_char *last);

/*
 * In the connection's pool; conf is borrowed for the session's life, user is
 * copied.  start may call finalize.
 */
ngx_media_srt_session_t *ngx_media_srt_session_create(ngx_connection_t *c,
    const ngx_media_srt_conf_t *conf, const ngx_media_srt_user_t *user);
void ngx_media_srt_session_start(ngx_media_srt_session_t *session,
    const u_char *pos, const u_char *last);

/* another datagram has come to the listener from this address */
void ngx_media_srt_session_listener(ngx_media_srt_session_t *session,
    const u_char *pos, const u_char *last);

/* c->close of nginx's connection */
void ngx_media_srt_session_close(ngx_media_srt_session_t *session);

/* this worker ends now: so do all of its sessions */
void ngx_media_srt_exit(void);

/* bytes received so far */
off_t ngx_media_srt_session_received(const ngx_media_srt_session_t *session);


/* what it is about, empty where that is not known: the application; the
   stream; why it ended; "1", unless it was a handshake that is repeated */

typedef enum {
    NGX_MEDIA_SRT_APP = 0,
    NGX_MEDIA_SRT_STREAM,
    NGX_MEDIA_SRT_REASON,
    NGX_MEDIA_SRT_SESSION
} ngx_media_srt_text_e;

void ngx_media_srt_session_text(const ngx_media_srt_session_t *session,
    ngx_media_srt_text_e what, ngx_str_t *text);

/* ", app: live, stream: x" */
u_char *ngx_media_srt_session_log(const ngx_media_srt_session_t *session,
    u_char *buf, size_t len);


#endif /* _NGX_MEDIA_SRT_LISTEN_H_INCLUDED_ */
