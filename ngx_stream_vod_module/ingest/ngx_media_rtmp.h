
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * RTMP publishers and viewers (RTMP 1.0, Enhanced RTMP v2) on an nginx
 * connection.
 */


#ifndef _NGX_MEDIA_RTMP_H_INCLUDED_
#define _NGX_MEDIA_RTMP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_media_rtmp_session_s  ngx_media_rtmp_session_t;


typedef struct {
    ngx_str_t                    app;         /* empty: as connect says */
    ngx_msec_t                   timeout;     /* to begin to publish, play */
    ngx_msec_t                   idle_timeout;
                                              /* between received bytes of a
                                                 publisher, sent ones of a
                                                 viewer */
    size_t                       max_message; /* bytes */
    ngx_int_t                    max_streams; /* of a connection */
    size_t                       chunk_size;  /* of what we send */
    size_t                       window;      /* bytes between two acks */
    ngx_flag_t                   play;        /* viewers may come */
} ngx_media_rtmp_conf_t;


/* what ends a session; status as in the access log of nginx's stream */

typedef void (*ngx_media_rtmp_finalize_pt)(void *data, ngx_uint_t status);


/*
 * The caller owns the connection and its handlers: it hands read and write
 * events on to the session, until finalize is called, once, at whose return
 * the session may be gone.  conf is borrowed for the session's life.
 */
ngx_media_rtmp_session_t *ngx_media_rtmp_session_create(ngx_connection_t *c,
    const ngx_media_rtmp_conf_t *conf, ngx_media_rtmp_finalize_pt finalize,
    void *data);

/* begins with the bytes that were read before, may be NULL */
void ngx_media_rtmp_session_start(ngx_media_rtmp_session_t *session,
    ngx_buf_t *preread);

void ngx_media_rtmp_session_read(ngx_media_rtmp_session_t *session);
void ngx_media_rtmp_session_write(ngx_media_rtmp_session_t *session);

/* this worker ends now: so do all of its sessions */
void ngx_media_rtmp_exit(void);

/* bytes received so far */
off_t ngx_media_rtmp_session_received(
    const ngx_media_rtmp_session_t *session);

/* what it is about, empty where that is not known: the application; the stream
   that it published last; why it ended */

typedef enum {
    NGX_MEDIA_RTMP_APP = 0,
    NGX_MEDIA_RTMP_STREAM,
    NGX_MEDIA_RTMP_REASON
} ngx_media_rtmp_text_e;

void ngx_media_rtmp_session_text(const ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_text_e what, ngx_str_t *text);

/* ", app: live, stream: x" */
u_char *ngx_media_rtmp_session_log(const ngx_media_rtmp_session_t *session,
    u_char *buf, size_t len);


#endif /* _NGX_MEDIA_RTMP_H_INCLUDED_ */
