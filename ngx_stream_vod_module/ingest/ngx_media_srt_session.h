
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the parts of an SRT session share:
 *
 *   listen   what comes to a listener: inductions, conclusions, stragglers
 *   accept   a conclusion becomes a session, or is refused
 *   name     the stream id: which stream, and what for
 *   session  its socket, events, timers, the end
 *   refuse   refusals that are kept for a moment
 *   publish  the role of publishers, above ngx_media_srt_rx.h
 *
 * Only events end a session: what they call notes why, by
 * ngx_media_srt_session_fail(), and returns.
 *
 * style: long header, it is the state of one session.
 */


#ifndef _NGX_MEDIA_SRT_SESSION_H_INCLUDED_
#define _NGX_MEDIA_SRT_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_module.h"
#include "formats/ngx_media_srt.h"
#include "formats/ngx_media_srt_handshake.h"
#include "ingest/ngx_media_srt_keys.h"
#include "ingest/ngx_media_srt_listen.h"
#include "ingest/ngx_media_srt_slots.h"
#include "ingest/ngx_media_srt_table.h"


/* the worker's clock: ms between two looks at sessions that have to do, and at
   sockets of those that are early and polled */
#define NGX_MEDIA_SRT_CLOCK      5
#define NGX_MEDIA_SRT_SOON       3

#define NGX_MEDIA_SRT_EVER       0x7fffffffffffffffll     /* us: never */


/*
 * What a session is for.  All are called from the event loop; each may end the
 * session by ngx_media_srt_session_fail(), and only so.  now is in microseconds
 * of a clock that never goes back.
 */

typedef struct {
    const char               *name;           /* "publish" */

    /*
     * May it begin: NGX_OK; NGX_AGAIN: ngx_media_srt_answered() is called
     * later; NGX_DECLINED: ngx_media_srt_decline() was.  Nothing is sent
     * before that is known.
     */
    ngx_int_t               (*ask)(ngx_media_srt_session_t *session);

    /* its socket is there, the answer is to be sent; NGX_OK, NGX_ERROR */
    ngx_int_t               (*open)(ngx_media_srt_session_t *session,
                                int64_t now);

    /* as ngx_media_srt_rx_data() */
    ngx_int_t               (*data)(ngx_media_srt_session_t *session,
                                ngx_media_srt_slot_t *slot,
                                const ngx_media_srt_data_t *packet,
                                int64_t now);

    /* all control packets, those that the session looks at, too */
    void                    (*control)(ngx_media_srt_session_t *session,
                                const ngx_media_srt_control_t *packet,
                                int64_t now);

    /* ms until it wants to be called again, at the latest; (ngx_msec_t) -1:
       when something has come */
    ngx_msec_t              (*tick)(ngx_media_srt_session_t *session,
                                int64_t now);

    /* this worker is leaving: NGX_OK, it stays; NGX_ERROR: it ends */
    ngx_int_t               (*drain)(ngx_media_srt_session_t *session);

    /* once, after ask; reason is static */
    void                    (*end)(ngx_media_srt_session_t *session,
                                const char *reason);
} ngx_media_srt_role_t;


struct ngx_media_srt_session_s {
    ngx_queue_t                   queue;      /* of this worker's sessions */
    ngx_queue_t                   busy;       /* that the clock calls */
    ngx_connection_t             *connection; /* nginx's: never sent to once
                                                 there is a socket */
    ngx_connection_t             *socket;     /* ours; NULL: it is pending */
    const ngx_media_srt_conf_t   *conf;
    ngx_media_srt_user_t          user;
    const ngx_media_srt_role_t   *role;       /* NULL: it is not known yet */
    void                         *ctx;        /* of that */

    ngx_media_srt_table_shm_t    *table;
    ngx_media_srt_record_t        record;     /* id 0: it has none */
    ngx_media_srt_handshake_t    *hs;         /* the conclusion */
    ngx_media_srt_keys_t         *keys;       /* NULL: it has no socket yet */
    ngx_event_t                   timer;      /* not cancelable */

    ngx_uint_t                    mtu;        /* bytes of an IP datagram */
    ngx_msec_t                    latency;    /* of what we receive */
    ngx_msec_t                    peer_latency;   /* of what we send */

    ngx_str_t                     asked_for;  /* may be a secret, */
    ngx_str_t                     args;       /* "key=1&b=2", likewise */
    ngx_str_t                     name;       /* of the stream, once it is let
                                                 in; all are in the pool */
    uint64_t                      sid;        /* hash of the stream id, and how
                                                 it is asked for */

    size_t                        reply_len;  /* 0: not answered yet */
    u_char                        reply[NGX_MEDIA_SRT_ACCEPT_SIZE];
                                              /* to the conclusion */

    int64_t                       began;      /* us; our stamps are from then */
    int64_t                       due;        /* us: tick is to be called */
    int64_t                       keyed;      /* us: keys were looked at */
    int64_t                       came;       /* us: the last datagram of a
                                                 publisher did */
    ngx_uint_t                    polls;      /* its socket had something, */
    ngx_msec_t                    polls_since;    /* since then */
    ngx_msec_t                    heard;      /* ngx_current_msec of the last
                                                 datagram, */
    ngx_msec_t                    media;      /* of the last data, */
    ngx_msec_t                    sent;       /* of what was sent last, */
    ngx_msec_t                    unreachable;    /* and since when ICMP says
                                                     that nobody is there */
    off_t                         received;
    uint64_t                      strange;    /* datagrams of no use */
    uint64_t                      overflows;  /* that the kernel dropped, for
                                                 want of room in the socket */

    ngx_uint_t                    code;       /* it is declined with this */
    const char                   *why;        /* likewise; static */
    ngx_uint_t                    status;
    const char                   *reason;     /* why it ends; static */

    unsigned                      asked:1;    /* role->ask was called */
    unsigned                      is_busy:1;
    unsigned                      is_polled:1;    /* not waited for: the clock
                                                     looks at its socket */
    unsigned                      is_unreachable:1;
    unsigned                      draining:1;
    unsigned                      closed:1;   /* the peer has said so */
    unsigned                      repeated:1; /* another session has the peer */
    unsigned                      said:1;     /* strange datagrams */
};


extern ngx_module_t  ngx_media_srt_module;
extern const ngx_media_srt_role_t  ngx_media_srt_play_role;
extern const ngx_media_srt_role_t  ngx_media_srt_publish_role;


/* the table of an application */
#define ngx_media_srt_app_table(app)                                          \
    ((ngx_media_srt_table_shm_t *)                                            \
     ngx_media_app_shared(app, ngx_media_srt_module))


/* us of a clock that never goes back */

static ngx_inline int64_t
ngx_media_srt_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* listen: what a session's socket had for others before it was connected */
void ngx_media_srt_stray(void *data, ngx_socket_t s,
    const struct sockaddr *from, socklen_t len, const u_char *pos,
    const u_char *last);


/* to whom c is of; not from a worker that leaves: its listeners are closed */
void ngx_media_srt_send_listener(ngx_connection_t *c, const u_char *pos,
    size_t len);

/* a handshake has come to its socket, or to the listener from its address */
void ngx_media_srt_handshake(ngx_media_srt_session_t *session,
    const u_char *pos, const u_char *last);


/* name: what the stream id says; NGX_OK, NGX_DECLINED */
ngx_int_t ngx_media_srt_name(ngx_media_srt_session_t *session);


/* accept: of a stream id, and how it is asked for, for refusals, which are of
   one server */
uint64_t ngx_media_srt_sid_hash(const ngx_media_srt_conf_t *conf,
    const ngx_media_srt_handshake_t *hs);

/* accept: what ask has come to, after NGX_AGAIN; in the end of an event */
void ngx_media_srt_answered(ngx_media_srt_session_t *session, ngx_int_t rc);

/* it was asked for too long */
void ngx_media_srt_late(ngx_media_srt_session_t *session);

/* of ask: the stream that it is now; NGX_OK, NGX_DECLINED */
ngx_int_t ngx_media_srt_named(ngx_media_srt_session_t *session,
    const ngx_str_t *name);

/* likewise: why not; reason is static.  Returns NGX_DECLINED */
ngx_int_t ngx_media_srt_decline(ngx_media_srt_session_t *session,
    ngx_uint_t code, const char *reason);


/* session */

/* slots of this worker; NULL: no memory */
ngx_media_srt_slots_t *ngx_media_srt_worker_slots(
    const ngx_media_srt_conf_t *conf);

/* from now on it is one of this worker's, until it ends */
void ngx_media_srt_session_join(ngx_media_srt_session_t *session);

/* one of this worker; NULL: there is none */
ngx_media_srt_session_t *ngx_media_srt_session_find(uint32_t id,
    const ngx_media_srt_table_shm_t *table);

/* the socket is made and connected; NGX_OK, NGX_ERROR (logged) */
ngx_int_t ngx_media_srt_session_connect(ngx_media_srt_session_t *session);

/* it ends when this event is over; the first reason counts */
void ngx_media_srt_session_fail(ngx_media_srt_session_t *session,
    const char *reason);

/* it ends now: from the event loop, not from inside of a role's functions */
void ngx_media_srt_session_end(ngx_media_srt_session_t *session,
    const char *reason);

/* at the end of an event: goes on, or ends */
void ngx_media_srt_session_finish(ngx_media_srt_session_t *session);

/* one datagram that is for it; NGX_OK: the slot was taken */
ngx_int_t ngx_media_srt_session_input(ngx_media_srt_session_t *session,
    ngx_media_srt_slot_t *slot, const u_char *pos, const u_char *last,
    int64_t now);

/* our time stamp */
uint32_t ngx_media_srt_session_stamp(const ngx_media_srt_session_t *session,
    int64_t now);

/* of a control packet's body: what a datagram of the peer's MTU has room for;
   0: for none */
size_t ngx_media_srt_session_room(const ngx_media_srt_session_t *session);

/* a control packet with this body, or with the 4 zero bytes of none */
void ngx_media_srt_session_send(ngx_media_srt_session_t *session,
    ngx_uint_t type, ngx_uint_t subtype, uint32_t info, const u_char *body,
    size_t len);

/* the same for what receives and what sends, whose data the session is */
void ngx_media_srt_session_reply(void *data, ngx_uint_t type, uint32_t info,
    const u_char *body, size_t len);

/* a datagram as it is; NGX_OK, NGX_AGAIN, NGX_ERROR: the peer has gone, or
   nearly so, which the session sees to */
ngx_int_t ngx_media_srt_session_write(ngx_media_srt_session_t *session,
    const u_char *pos, size_t len);

/* what sending to it has met: ICMP, most probably */
void ngx_media_srt_unreachable(ngx_media_srt_session_t *session,
    ngx_err_t err);

/* our conclusion was lost */
void ngx_media_srt_session_repeat(ngx_media_srt_session_t *session);


/* refuse: kept by this worker */

/* the code that he was refused with a moment ago, or 0 */
ngx_uint_t ngx_media_srt_refused(const ngx_media_srt_addr_t *remote,
    uint64_t sid);

/* is it the first time for long: to be logged */
ngx_uint_t ngx_media_srt_refused_keep(const ngx_media_srt_addr_t *remote,
    uint64_t sid, ngx_uint_t code);

/*
 * One more caller is to be looked at: NULL, or why not, static: this worker has
 * looked at as many as it may in a second, or at as many of his address, which
 * is half of what others have left.
 */
const char *ngx_media_srt_hurries(const ngx_media_srt_addr_t *remote);


#endif /* _NGX_MEDIA_SRT_SESSION_H_INCLUDED_ */
