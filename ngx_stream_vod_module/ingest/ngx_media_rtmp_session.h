
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the parts of an RTMP session share:
 *
 *     bytes -> handshake -> chunks -> messages -> commands | media -> publish
 *     follow -> play -> bytes
 *
 *   session    events, timers, queue of output, acknowledgements, the end
 *   handshake  C0 C1 C2 against S0 S1 S2, plain or with digests
 *   cmd        commands of a connection and of its streams
 *   wait       what waits for an answer, and what came behind it
 *   name       what clients call a stream
 *   media      audio, video, data and aggregate messages
 *   play       viewers, and how what they are sent goes out
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
#include "access/ngx_media_access.h"
#include "core/ngx_media.h"
#include "formats/ngx_media_amf.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"
#include "ingest/ngx_media_play.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_rtmp.h"


/* bytes of answers that may wait for a client to read them */
#define NGX_MEDIA_RTMP_OUT       4096


/* bytes of arguments of a stream's URL, those of connect with them */
#define NGX_MEDIA_RTMP_ARGS      4096

/* bytes of what a client says of itself, each; more is left out */
#define NGX_MEDIA_RTMP_CLIENT    512


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


/* what the timer of the read event is set for */

#define NGX_MEDIA_RTMP_TIMER_BEGIN    0       /* to publish or to play */
#define NGX_MEDIA_RTMP_TIMER_PLAY     1
#define NGX_MEDIA_RTMP_TIMER_PUBLISH  2


typedef struct ngx_media_rtmp_handshake_s  ngx_media_rtmp_handshake_t;


/* a message stream; its id is its index + 1 */

typedef struct {
    ngx_media_rtmp_session_t     *session;
    ngx_media_publisher_t        *publisher;  /* NULL: none */
    ngx_media_play_t             *play;       /* NULL: none */
    ngx_media_access_t           *asking;     /* whether it may play; NULL */
    ngx_media_access_verdict_t    verdict;    /* the answer to that */
    ngx_media_publisher_t        *waiting;    /* not yet begun; NULL: none */
    u_char                       *buffer;     /* for both, NGX_MEDIA_NAME_MAX
                                                 bytes each: */
    ngx_str_t                     asked;      /* name that it was asked for, */
    ngx_str_t                     name;       /* and what it is called */
    ngx_str_t                     args;       /* of it; until it is known */
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
    ngx_str_t                     last;       /* stream that began, */
    u_char                        last_name[NGX_MEDIA_NAME_MAX];  /* in here */
    ngx_str_t                     args;       /* of connect */
    ngx_media_access_client_t     client;
    ngx_media_rtmp_stream_t      *streams;    /* conf->max_streams */
    ngx_uint_t                    publishers;
    ngx_uint_t                    players;
    ngx_media_play_t             *midway;     /* a message of it is on its
                                                 way, nothing goes before */
    uint32_t                      fourccs;    /* that the client understands:
                                                 bits by the codecs' table */
    ngx_uint_t                    begun;      /* streams since begun_msec */
    ngx_msec_t                    begun_msec;
    const ngx_media_rtmp_stream_t
                                 *current;    /* for the log; or NULL */

    unsigned                      timer:2;      /* NGX_MEDIA_RTMP_TIMER_* */
    unsigned                      listed:1;     /* fourccs were said */
    unsigned                      orphan:1;     /* midway: nobody plays it */
    unsigned                      broken:1;     /* sending has failed */
    /*
     * While a stream waits nothing is received: messages are handled in their
     * order.  What had been is held, its end is with the client's kernel.
     */
    ngx_media_rtmp_stream_t      *waiting;    /* NULL: none does */
    u_char                       *held;       /* NULL: nothing is; */
    size_t                        held_len;   /* at most what was received at
                                                 once */

    unsigned                      media:1;      /* came with what was read */
    unsigned                      reconnect:1;  /* client can */
    unsigned                      draining:1;   /* worker is leaving */
    unsigned                      shutdown:1;   /* of our direction */
    unsigned                      long_args:1;  /* of connect: too long */
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

/* nothing is published or played for now: says so in the log's context */
void ngx_media_rtmp_waits(ngx_media_rtmp_session_t *session);

/* goes on after a wait; rc: of what was done meanwhile, ends the event */
void ngx_media_rtmp_resume(ngx_media_rtmp_session_t *session, ngx_int_t rc);

/* ends what the stream publishes, or waits for; reason is static */
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

/* does the client begin more streams a second than it may hold? */
ngx_uint_t ngx_media_rtmp_hurries(ngx_media_rtmp_session_t *session);

ngx_int_t ngx_media_rtmp_status(ngx_media_rtmp_session_t *session,
    uint32_t stream, const char *level, const char *code,
    const char *description);
ngx_int_t ngx_media_rtmp_send_user(ngx_media_rtmp_session_t *session,
    uint32_t event, uint32_t value);


/*
 * What the begin of a stream has come to, see ngx_media_publish_begin(): the
 * client is told, the stream publishes or does not.  NGX_MEDIA_RTMP_* of cmd
 * have reason NULL.  NGX_OK, NGX_ERROR.
 */
ngx_int_t ngx_media_rtmp_begun(ngx_media_rtmp_stream_t *stream, ngx_int_t rc,
    const char *reason);

/* it has begun by the name that it was asked for */
void ngx_media_rtmp_named(ngx_media_rtmp_stream_t *stream);

/* the deadline of the session has come */
ngx_int_t ngx_media_rtmp_late(ngx_media_rtmp_stream_t *stream);


/*
 * wait: the stream waits, or does not any more.  ready is that of publish.
 * hold keeps what was received behind the message that is waited for.
 */
void ngx_media_rtmp_wait(ngx_media_rtmp_stream_t *stream,
    ngx_media_publisher_t *publisher);
void ngx_media_rtmp_unwait(ngx_media_rtmp_stream_t *stream,
    const char *reason);
void ngx_media_rtmp_ready(void *data, ngx_media_publish_e rc,
    const char *reason);
ngx_int_t ngx_media_rtmp_hold(ngx_media_rtmp_session_t *session,
    const u_char *pos, const u_char *last);
void ngx_media_rtmp_free_args(ngx_media_rtmp_stream_t *stream);


/*
 * name: that of a stream, in buf or, NGX_DECLINED: too long or empty, as it
 * came; what it may hold is publish's.  trim drops the query string and slashes
 * at both ends.  args: the query strings of connect and of this one, allocated;
 * NGX_DECLINED: they are too long, NGX_ERROR: no memory.
 */
ngx_int_t ngx_media_rtmp_name(ngx_media_rtmp_session_t *session,
    const ngx_media_span_t *value, u_char *buf, ngx_str_t *name);
void ngx_media_rtmp_trim(ngx_media_span_t *span);
ngx_int_t ngx_media_rtmp_args(ngx_media_rtmp_session_t *session,
    const ngx_media_span_t *value, ngx_str_t *args);
void ngx_media_rtmp_query(ngx_media_span_t *span);


/* media: one message of type AUDIO, VIDEO, DATA or AGGREGATE */
ngx_int_t ngx_media_rtmp_media(ngx_media_rtmp_stream_t *stream,
    uint32_t type, uint32_t timestamp, const u_char *pos, const u_char *last);


/* play: commands of message stream id */
ngx_int_t ngx_media_rtmp_play(ngx_media_rtmp_session_t *session, uint32_t id,
    const ngx_media_amf_value_t *value);
ngx_int_t ngx_media_rtmp_play_pause(ngx_media_rtmp_session_t *session,
    uint32_t id, const ngx_media_amf_value_t *value);
ngx_int_t ngx_media_rtmp_play_receive(ngx_media_rtmp_session_t *session,
    uint32_t id, ngx_uint_t type, const ngx_media_amf_value_t *value);

/* what connect says of codecs, each may be UNDEFINED */
void ngx_media_rtmp_play_codecs(ngx_media_rtmp_session_t *session,
    const ngx_media_amf_value_t *fourccs, const ngx_media_amf_value_t *video,
    const ngx_media_amf_value_t *audio);

/* ends what the stream plays, or asks to play; reason is static */
void ngx_media_rtmp_unplay(ngx_media_rtmp_stream_t *stream,
    const char *reason);
void ngx_media_rtmp_play_forget(ngx_media_rtmp_session_t *session);

ngx_int_t ngx_media_rtmp_play_output(ngx_media_rtmp_session_t *session);
ngx_int_t ngx_media_rtmp_play_finish(ngx_media_rtmp_session_t *session);
ngx_msec_t ngx_media_rtmp_play_stalled(
    const ngx_media_rtmp_session_t *session);


#endif /* _NGX_MEDIA_RTMP_SESSION_H_INCLUDED_ */
