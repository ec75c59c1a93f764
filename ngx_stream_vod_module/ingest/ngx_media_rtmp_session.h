
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the parts of an RTMP session share:
 *
 *     bytes -> handshake -> chunks -> messages -> commands | media -> publish
 *
 *   session    events, timers, queue of output, acknowledgements, the end
 *   handshake  C0 C1 C2 against S0 S1 S2, plain or with digests
 *   cmd        commands of a connection and of its streams
 *   name       what clients call a stream
 *   media      audio, video, data and aggregate messages
 *
 * Only event handlers end a session: what they call returns NGX_ERROR after
 * ngx_media_rtmp_fail() has noted and logged why.
 *
 * style: long header, it is the state of one session.
 */


#ifndef _NGX_MEDIA_RTMP_SESSION_H_INCLUDED_
#define _NGX_MEDIA_RTMP_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_rtmp.h"


/* bytes of answers that may wait for a client to read them */
#define NGX_MEDIA_RTMP_OUT       4096


/* what is ignored and was said once */
#define NGX_MEDIA_RTMP_SAID_CONTROL   0x01
#define NGX_MEDIA_RTMP_SAID_COMMAND   0x02
#define NGX_MEDIA_RTMP_SAID_MEDIA     0x04


typedef enum {
    NGX_MEDIA_RTMP_HANDSHAKE = 0,
    NGX_MEDIA_RTMP_CONNECT,                   /* waiting for it */
    NGX_MEDIA_RTMP_CONNECTED,
    NGX_MEDIA_RTMP_CLOSING                    /* answers are being read */
} ngx_media_rtmp_state_e;


typedef struct ngx_media_rtmp_handshake_s  ngx_media_rtmp_handshake_t;


/* a message stream; its id is its index + 1 */

typedef struct {
    ngx_media_rtmp_session_t     *session;
    ngx_media_publisher_t        *publisher;  /* NULL: none */
    u_char                       *buffer;     /* NGX_MEDIA_NAME_MAX bytes */
    ngx_str_t                     name;       /* in buffer */
    ngx_log_t                     log;        /* knows this stream */
    unsigned                      created:1;
} ngx_media_rtmp_stream_t;


struct ngx_media_rtmp_session_s {
    ngx_queue_t                   queue;      /* of this worker's sessions */
    ngx_connection_t             *connection;
    const ngx_media_rtmp_conf_t  *conf;
    ngx_media_rtmp_finalize_pt    finalize;
    void                         *data;

    ngx_media_rtmp_state_e        state;
    ngx_uint_t                    status;     /* for finalize */
    const char                   *reason;     /* why it ends; static */

    ngx_media_rtmp_handshake_t   *handshake;  /* until it is done */
    ngx_media_rtmp_reader_t      *reader;     /* from then on */
    size_t                        in_flight;  /* bytes of messages that are
                                                 being put together */

    uint64_t                      received;
    uint64_t                      acked;      /* of received */
    uint32_t                      window;     /* between our acks */

    uint32_t                      chunk_size; /* of what we send */
    u_char                       *out;        /* NGX_MEDIA_RTMP_OUT bytes */
    u_char                       *out_pos;
    u_char                       *out_last;

    ngx_media_app_t              *app;        /* after connect */
    ngx_str_t                     prefix;     /* of stream names: what follows
                                                 the app in connect */
    ngx_str_t                     alias;      /* of the app, in connect */
    ngx_str_t                     last;       /* stream, in its buffer */
    ngx_media_rtmp_stream_t      *streams;    /* conf->max_streams */
    ngx_uint_t                    publishers;
    ngx_uint_t                    begun;      /* streams since begun_msec */
    ngx_msec_t                    begun_msec;
    const ngx_media_rtmp_stream_t
                                 *current;    /* for the log; or NULL */

    unsigned                      publishing:1; /* as the timer knows it */
    unsigned                      media:1;      /* came with what was read */
    unsigned                      reconnect:1;  /* client can */
    unsigned                      draining:1;   /* worker is leaving */
    unsigned                      shutdown:1;   /* of our direction */
    unsigned                      said:4;       /* NGX_MEDIA_RTMP_SAID_* */
};


/* session: notes and logs the client's fault, returns NGX_ERROR */
ngx_int_t ngx_media_rtmp_fail(ngx_media_rtmp_session_t *session,
    const char *reason);

/* notes what is ignored: once of each kind in the log, the rest in debug */
void ngx_media_rtmp_ignored(ngx_media_rtmp_session_t *session,
    ngx_uint_t said, const char *what, uint32_t type, const u_char *pos,
    const u_char *last);

/* answers are still sent, then the session ends; reason is static */
void ngx_media_rtmp_close(ngx_media_rtmp_session_t *session,
    const char *reason);

/* room for n bytes of output, or NULL: the client does not read */
u_char *ngx_media_rtmp_reserve(ngx_media_rtmp_session_t *session, size_t n);

/* ends what the stream publishes, if it does; reason is static */
void ngx_media_rtmp_unpublish(ngx_media_rtmp_stream_t *stream,
    const char *reason);

/* the created stream with this id, or NULL */
ngx_media_rtmp_stream_t *ngx_media_rtmp_stream(
    ngx_media_rtmp_session_t *session, uint32_t id);


/* handshake: NGX_AGAIN, NGX_OK when it is over, NGX_ERROR */
ngx_int_t ngx_media_rtmp_handshake(ngx_media_rtmp_session_t *session,
    const u_char **pos, const u_char *last);


/* cmd */
ngx_int_t ngx_media_rtmp_command(ngx_media_rtmp_session_t *session,
    uint32_t stream, const u_char *pos, const u_char *last);

/*
 * The stream is another publisher's now, or has to end for other reasons of
 * ours: the client is told, and the session ends with its last stream.
 */
void ngx_media_rtmp_lost(ngx_media_rtmp_stream_t *stream,
    const char *reason);

/* asks the client to connect anew */
ngx_int_t ngx_media_rtmp_reconnect(ngx_media_rtmp_session_t *session);


/*
 * name: that of a stream, in buf or, NGX_DECLINED: too long or empty, as it
 * came; what it may hold is publish's.  trim drops the query string and slashes
 * at both ends.
 */
ngx_int_t ngx_media_rtmp_name(ngx_media_rtmp_session_t *session,
    const ngx_media_span_t *value, u_char *buf, ngx_str_t *name);
void ngx_media_rtmp_trim(ngx_media_span_t *span);


/* media: one message of type AUDIO, VIDEO, DATA or AGGREGATE */
ngx_int_t ngx_media_rtmp_media(ngx_media_rtmp_stream_t *stream,
    uint32_t type, uint32_t timestamp, const u_char *pos, const u_char *last);


#endif /* _NGX_MEDIA_RTMP_SESSION_H_INCLUDED_ */
