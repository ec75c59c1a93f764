
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * An SRT session's socket and events.  The socket is bound to the address that
 * the caller has used, so that a host of many answers from the right one, and
 * connected: from then on the kernel brings the caller's datagrams there, and
 * no others.  Between bind() and connect() it gets those of everybody who has
 * no socket yet, since it is the newest of this port.  They are looked at
 * once: what is ours is taken, who asks for a cookie is answered, and the rest
 * is repeated by its sender.
 *
 * Time: one clock of the worker for all sessions that hold packets or owe an
 * acknowledgement, which runs when the first of them is due, and not more than
 * once in 5 ms; and one timer a session for what is slow, which is not set anew
 * by each datagram.  That one is not cancelable: a worker that is leaving waits
 * for it, and so for the peer.
 *
 * A peer that paces its packets would wake the worker by each of them.  One
 * that wakes it more often than the clock could is not waited for any more: its
 * socket is looked at each time that the clock runs, until little is found
 * there.  What is to be handed on early must not wait for that so long: then it
 * takes more packets to be polled, and the clock runs sooner.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ingest/ngx_media_srt_session.h"
#include "ingest/ngx_media_udp.h"


#define NGX_MEDIA_SRT_BATCH      16           /* datagrams of one recvmmsg() */
#define NGX_MEDIA_SRT_BATCHES    16           /* in one event */

#define NGX_MEDIA_SRT_ALIVE      1000         /* ms without sending anything */
#define NGX_MEDIA_SRT_GONE       1000         /* ms that it is unreachable */
#define NGX_MEDIA_SRT_KEYED      250000       /* us between looks at keys */

/*
 * What is handed on and acknowledged may wait for what is due just after it: a
 * frame's packets have come within a moment, and are due so.
 */
#define NGX_MEDIA_SRT_SLACK      4000         /* us */

/*
 * Of an interval of 100 ms: half as many events again as the clock has looks,
 * and it is polled; no more than a fifth of these find something, and it is
 * not.
 */
#define NGX_MEDIA_SRT_POLL       100          /* ms */

#define ngx_media_srt_poll_more(every)  (NGX_MEDIA_SRT_POLL * 3 / 2 / (every))
#define ngx_media_srt_poll_less(every)  (NGX_MEDIA_SRT_POLL / 5 / (every))


/* us: a datagram has waited in its socket, at most; the clock was set where it
   seems to have for longer */
#define NGX_MEDIA_SRT_WAITED     100000


typedef struct {
    ngx_media_srt_slots_t    *slots;          /* NULL: there was no session */
    ngx_media_srt_slot_t     *batch[NGX_MEDIA_SRT_BATCH];
    ngx_event_t               clock;
    int64_t                   ran;            /* us: the clock did */
    ngx_queue_t               busy;
    ngx_queue_t               sessions;
} ngx_media_srt_worker_t;


static void ngx_media_srt_read_handler(ngx_event_t *rev);
static void ngx_media_srt_receive(ngx_media_srt_session_t *session);
static ngx_int_t ngx_media_srt_batch(ngx_media_srt_session_t *session);
static int64_t ngx_media_srt_ahead(int64_t now);
static int64_t ngx_media_srt_came(ngx_media_srt_session_t *session,
    struct msghdr *msg, int64_t now, int64_t ahead);
static ngx_int_t ngx_media_srt_data(ngx_media_srt_session_t *session,
    ngx_media_srt_slot_t *slot, const ngx_media_srt_data_t *packet,
    int64_t now);
static void ngx_media_srt_control(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now);
static void ngx_media_srt_key_message(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now);
static void ngx_media_srt_key_check(ngx_media_srt_session_t *session,
    int64_t now);
static void ngx_media_srt_strange(ngx_media_srt_session_t *session,
    const char *what);
static void ngx_media_srt_polled(ngx_media_srt_session_t *session,
    ngx_uint_t found);
static void ngx_media_srt_poll(ngx_media_srt_session_t *session);
static void ngx_media_srt_busy(ngx_media_srt_session_t *session, int64_t now);
static ngx_msec_t ngx_media_srt_every(const ngx_media_srt_session_t *session);
static int64_t ngx_media_srt_until(const ngx_media_srt_session_t *session);
static void ngx_media_srt_clock(int64_t until, int64_t now);
static void ngx_media_srt_clock_handler(ngx_event_t *ev);
static void ngx_media_srt_timer_handler(ngx_event_t *ev);
static const char *ngx_media_srt_overdue(ngx_media_srt_session_t *session);
static void ngx_media_srt_rearm(ngx_media_srt_session_t *session);


static ngx_media_srt_worker_t  ngx_media_srt_worker;


/* ngx_queue_t of static memory, before it is used for the first time */

#define ngx_media_srt_queue(queue)                                            \
    if ((queue)->next == NULL) {                                              \
        ngx_queue_init(queue);                                                \
    }


ngx_media_srt_session_t *
ngx_media_srt_session_create(ngx_connection_t *c,
    const ngx_media_srt_conf_t *conf, const ngx_media_srt_user_t *user)
{
    ngx_media_srt_session_t  *session;

    session = ngx_pcalloc(c->pool, sizeof(ngx_media_srt_session_t));
    if (session == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     session->socket = NULL;
     *     session->role = NULL;
     *     session->record.id = 0;
     *     session->reason = NULL;
     */

    session->connection = c;
    session->conf = conf;
    session->user = *user;
    session->table = ngx_media_srt_app_table(conf->app);
    session->status = 200;
    session->began = ngx_media_srt_now();

    session->timer.handler = ngx_media_srt_timer_handler;
    session->timer.data = session;
    session->timer.log = c->log;

    return session;
}


void
ngx_media_srt_session_join(ngx_media_srt_session_t *session)
{
    ngx_media_srt_queue(&ngx_media_srt_worker.sessions);
    ngx_media_srt_queue(&ngx_media_srt_worker.busy);

    ngx_queue_insert_tail(&ngx_media_srt_worker.sessions, &session->queue);
}


ngx_media_srt_slots_t *
ngx_media_srt_worker_slots(const ngx_media_srt_conf_t *conf)
{
    if (ngx_media_srt_worker.slots == NULL) {
        ngx_media_srt_worker.slots =
                                 ngx_media_srt_slots_create(conf->memory,
                                                            ngx_cycle->log);
    }

    return ngx_media_srt_worker.slots;
}


ngx_media_srt_session_t *
ngx_media_srt_session_find(uint32_t id,
    const ngx_media_srt_table_shm_t *table)
{
    ngx_queue_t              *q;
    ngx_media_srt_session_t  *session;

    ngx_media_srt_queue(&ngx_media_srt_worker.sessions);

    for (q = ngx_queue_head(&ngx_media_srt_worker.sessions);
         q != ngx_queue_sentinel(&ngx_media_srt_worker.sessions);
         q = ngx_queue_next(q))
    {
        session = ngx_queue_data(q, ngx_media_srt_session_t, queue);

        if (session->record.id == id && session->table == table) {
            return session;
        }
    }

    return NULL;
}


void
ngx_media_srt_exit(void)
{
    ngx_uint_t                i;
    ngx_queue_t              *q;
    ngx_media_srt_worker_t   *worker;
    ngx_media_srt_session_t  *session;

    worker = &ngx_media_srt_worker;

    ngx_media_srt_queue(&worker->sessions);

    while (!ngx_queue_empty(&worker->sessions)) {
        q = ngx_queue_head(&worker->sessions);
        session = ngx_queue_data(q, ngx_media_srt_session_t, queue);

        ngx_media_srt_session_end(session, "worker exited");
    }

    if (worker->slots == NULL) {
        return;
    }

    for (i = 0; i < NGX_MEDIA_SRT_BATCH; i++) {
        if (worker->batch[i]) {
            ngx_media_srt_slots_put(worker->slots, worker->batch[i]);
            worker->batch[i] = NULL;
        }
    }

    ngx_media_srt_slots_destroy(worker->slots);
    worker->slots = NULL;
}


ngx_int_t
ngx_media_srt_session_connect(ngx_media_srt_session_t *session)
{
    int                on;
    ngx_connection_t  *c;

    if (ngx_media_srt_worker_slots(session->conf) == NULL) {
        return NGX_ERROR;
    }

    c = ngx_media_udp_connect(session->connection, session->conf->rcvbuf,
                              "SRT", ngx_media_srt_read_handler, session,
                              ngx_media_srt_stray);
    if (c == NULL) {
        return NGX_ERROR;
    }

    on = 1;

    if (session->role->data
        && setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, (const void *) &on,
                      sizeof(int))
           == -1)
    {
        ngx_log_error(NGX_LOG_WARN, c->log, ngx_socket_errno,
                      "setsockopt(SO_TIMESTAMPNS) failed");
    }

    session->socket = c;
    session->came = ngx_media_srt_now();

    /* it is told when this worker leaves */

    c->idle = 1;
    session->connection->idle = 0;

    session->heard = ngx_current_msec;
    session->media = ngx_current_msec;
    session->sent = ngx_current_msec;

    return NGX_OK;
}


static void
ngx_media_srt_read_handler(ngx_event_t *rev)
{
    ngx_connection_t         *c;
    ngx_media_srt_session_t  *session;

    c = rev->data;
    session = c->data;

    if (c->close) {
        c->close = 0;

        if (c->error) {
            ngx_media_srt_session_end(session, "worker is shutting down");
            return;
        }

        if (!session->draining) {
            session->draining = 1;

            if (session->role->drain(session) != NGX_OK) {
                ngx_media_srt_session_end(session, "worker is shutting down");
                return;
            }
        }
    }

    ngx_media_srt_receive(session);
    ngx_media_srt_polled(session, 1);

    ngx_media_srt_session_finish(session);
}


static void
ngx_media_srt_receive(ngx_media_srt_session_t *session)
{
    ngx_int_t     rc;
    ngx_uint_t    i;
    ngx_event_t  *rev;

    rev = session->socket->read;

    for (i = 0; i < NGX_MEDIA_SRT_BATCHES; i++) {
        rc = ngx_media_srt_batch(session);

        if (rc == NGX_AGAIN || session->reason) {
            rev->ready = 0;
            return;
        }

        if (rc != NGX_OK) {
            return;
        }
    }

    /* others first */

    ngx_post_event(rev, &ngx_posted_next_events);
}


/*
 * NGX_OK: there may be more; NGX_AGAIN: there are none; NGX_ERROR: no memory.
 * Fewer than were asked for is all there were.
 */

static ngx_int_t
ngx_media_srt_batch(ngx_media_srt_session_t *session)
{
    int                       n;
    int64_t                   ahead, came, now;
    ngx_err_t                 err;
    ngx_int_t                 i;
    struct iovec              iov[NGX_MEDIA_SRT_BATCH];
    struct mmsghdr            msgs[NGX_MEDIA_SRT_BATCH];
    ngx_media_srt_slot_t    **batch;
    ngx_media_udp_cmsg_t      cmsg[NGX_MEDIA_SRT_BATCH];
    ngx_media_srt_worker_t   *worker;

    worker = &ngx_media_srt_worker;
    batch = worker->batch;

    ngx_memzero(msgs, sizeof(msgs));

    for (i = 0; i < NGX_MEDIA_SRT_BATCH; i++) {

        if (batch[i] == NULL) {
            batch[i] = ngx_media_srt_slots_get(worker->slots);

            if (batch[i] == NULL) {
                return NGX_ERROR;
            }
        }

        iov[i].iov_base = batch[i]->data;
        iov[i].iov_len = NGX_MEDIA_SRT_DATAGRAM;

        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
        msgs[i].msg_hdr.msg_control = &cmsg[i];
        msgs[i].msg_hdr.msg_controllen = sizeof(ngx_media_udp_cmsg_t);
    }

    n = recvmmsg(session->socket->fd, msgs, NGX_MEDIA_SRT_BATCH, MSG_DONTWAIT,
                 NULL);

    if (n == -1) {
        err = ngx_socket_errno;

        if (err == NGX_EAGAIN) {
            return NGX_AGAIN;
        }

        if (err != NGX_EINTR) {
            ngx_media_srt_unreachable(session, err);
        }

        return NGX_OK;
    }

    if (n) {
        ngx_media_udp_overflows(&msgs[n - 1].msg_hdr, &session->overflows);
    }

    now = ngx_media_srt_now();
    ahead = session->role->data ? ngx_media_srt_ahead(now) : 0;

    for (i = 0; i < n; i++) {

        if (msgs[i].msg_hdr.msg_flags & MSG_TRUNC) {
            ngx_media_srt_strange(session, "a datagram that is too long");
            continue;
        }

        came = session->role->data
               ? ngx_media_srt_came(session, &msgs[i].msg_hdr, now, ahead)
               : now;

        if (ngx_media_srt_session_input(session, batch[i], batch[i]->data,
                                        batch[i]->data + msgs[i].msg_len, came)
            == NGX_OK)
        {
            batch[i] = NULL;
        }
    }

    return n == NGX_MEDIA_SRT_BATCH ? NGX_OK : NGX_AGAIN;
}


/* us: the epoch's clock, which the kernel stamps by, is so much ahead */

static int64_t
ngx_media_srt_ahead(int64_t now)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - now;
}


/*
 * When it came to the socket, which may not have been looked at for a while:
 * how far the peer is, and how near to each other it sends, would be of the
 * worker's clock.  Not before the one before it.
 */

static int64_t
ngx_media_srt_came(ngx_media_srt_session_t *session, struct msghdr *msg,
    int64_t now, int64_t ahead)
{
    int64_t          came;
    struct cmsghdr  *cmsg;
    struct timespec  ts;

    came = now;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {

        if (cmsg->cmsg_level == SOL_SOCKET
            && cmsg->cmsg_type == SCM_TIMESTAMPNS
            && cmsg->cmsg_len == CMSG_LEN(sizeof(struct timespec)))
        {
            ngx_memcpy(&ts, CMSG_DATA(cmsg), sizeof(struct timespec));

            came = (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - ahead;
        }
    }

    if (came > now || came < now - NGX_MEDIA_SRT_WAITED) {
        came = now;
    }

    session->came = ngx_max(session->came, came);

    return session->came;
}


/*
 * ICMP says that nobody is there, which also routers say that have just lost
 * their way, or anybody: it is believed when nothing comes for a while.
 */

void
ngx_media_srt_unreachable(ngx_media_srt_session_t *session, ngx_err_t err)
{
    if (session->is_unreachable) {
        return;
    }

    session->is_unreachable = 1;
    session->unreachable = ngx_current_msec;

    ngx_log_debug0(NGX_LOG_DEBUG_STREAM, session->connection->log, err,
                   "srt peer is not reachable");
}


ngx_int_t
ngx_media_srt_session_input(ngx_media_srt_session_t *session,
    ngx_media_srt_slot_t *slot, const u_char *pos, const u_char *last,
    int64_t now)
{
    ngx_media_srt_packet_t  packet;

    session->received += last - pos;

    if (ngx_media_srt_parse(&packet, pos, last) != NGX_OK) {
        ngx_media_srt_strange(session, "a datagram without a header");
        return NGX_DECLINED;
    }

    if (packet.control
        && packet.u.control.type == NGX_MEDIA_SRT_HANDSHAKE
        && packet.u.control.dst == 0)
    {
        ngx_media_srt_handshake(session, pos, last);
        return NGX_DECLINED;
    }

    if (ngx_media_srt_dst(pos, last) != session->record.id) {
        ngx_media_srt_strange(session, "a datagram for somebody else");
        return NGX_DECLINED;
    }

    session->heard = ngx_current_msec;
    session->is_unreachable = 0;

    if (session->reason) {
        return NGX_DECLINED;
    }

    if (!packet.control) {
        return ngx_media_srt_data(session, slot, &packet.u.data, now);
    }

    ngx_media_srt_control(session, &packet.u.control, now);

    return NGX_DECLINED;
}


static ngx_int_t
ngx_media_srt_data(ngx_media_srt_session_t *session,
    ngx_media_srt_slot_t *slot, const ngx_media_srt_data_t *packet,
    int64_t now)
{
    if (session->role->data == NULL) {
        ngx_media_srt_strange(session, "data of a viewer");
        return NGX_DECLINED;
    }

    session->media = ngx_current_msec;

    return session->role->data(session, slot, packet, now);
}


static void
ngx_media_srt_control(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now)
{
    session->role->control(session, packet, now);

    switch (packet->type) {

    case NGX_MEDIA_SRT_SHUTDOWN:
        session->closed = 1;
        ngx_media_srt_session_fail(session, "peer closed the connection");
        break;

    case NGX_MEDIA_SRT_EXT:
        ngx_media_srt_key_message(session, packet, now);
        break;
    }
}


/* draft 6.1.6: a new key, or that ours has come */

static void
ngx_media_srt_key_message(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now)
{
    ngx_int_t  rc;

    if (packet->subtype == NGX_MEDIA_SRT_KMRSP) {
        ngx_media_srt_keys_answered(session->keys, packet->pos, packet->last);
        return;
    }

    if (packet->subtype != NGX_MEDIA_SRT_KMREQ) {
        return;
    }

    rc = ngx_media_srt_keys_update(session->keys, packet->pos, packet->last,
                                   now);

    ngx_log_debug1(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "srt peer has a new key, rc:%i", rc);

    if (rc == NGX_OK) {
        ngx_media_srt_session_send(session, NGX_MEDIA_SRT_EXT,
                                   NGX_MEDIA_SRT_KMRSP, 0, packet->pos,
                                   packet->last - packet->pos);

    } else if (rc == NGX_ERROR) {
        ngx_media_srt_session_fail(session, "its new key cannot be used");
    }
}


/* a sender whose new key was lost takes it for known, and never says it again:
   it has to come back */

static void
ngx_media_srt_key_check(ngx_media_srt_session_t *session, int64_t now)
{
    if (now - session->keyed < NGX_MEDIA_SRT_KEYED) {
        return;
    }

    session->keyed = now;

    if (ngx_media_srt_keys_check(session->keys, now) == NGX_OK) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, session->connection->log, 0,
                  "srt: no key for 2 s of data");

    ngx_media_srt_session_fail(session, "there is no key for its data");
}


/* said once, counted */

static void
ngx_media_srt_strange(ngx_media_srt_session_t *session, const char *what)
{
    session->strange++;

    if (session->said) {
        return;
    }

    session->said = 1;

    ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                  "srt ignored: %s", what);
}


void
ngx_media_srt_session_finish(ngx_media_srt_session_t *session)
{
    int64_t     now;
    ngx_msec_t  wait;

    if (session->reason == NULL) {
        now = ngx_media_srt_now();
        wait = session->role->tick(session, now);

        if (wait != (ngx_msec_t) -1) {
            session->due = now + (int64_t) wait * 1000;
            ngx_media_srt_busy(session, now);

        } else if (session->is_polled) {
            session->due = NGX_MEDIA_SRT_EVER;
            ngx_media_srt_busy(session, now);
        }

        ngx_media_srt_key_check(session, now);
    }

    if (session->reason) {
        ngx_media_srt_session_end(session, session->reason);
        return;
    }

    ngx_media_srt_rearm(session);
}


/* its socket was looked at: is it to be waited for, or polled? */

static void
ngx_media_srt_polled(ngx_media_srt_session_t *session, ngx_uint_t found)
{
    ngx_uint_t    n;
    ngx_event_t  *rev;

    session->polls += found;

    if (ngx_current_msec - session->polls_since < NGX_MEDIA_SRT_POLL) {
        return;
    }

    n = session->polls;
    rev = session->socket->read;

    session->polls = 0;
    session->polls_since = ngx_current_msec;

    if (session->reason) {
        return;
    }

    if (!session->is_polled) {

        if (n < ngx_media_srt_poll_more(ngx_media_srt_every(session))
            || !rev->active
            || ngx_del_event(rev, NGX_READ_EVENT, 0) != NGX_OK)
        {
            return;
        }

        session->is_polled = 1;

    } else {

        if (n > ngx_media_srt_poll_less(ngx_media_srt_every(session))) {
            return;
        }

        /* what has come meanwhile is an event at once */

        rev->ready = 0;

        if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            ngx_media_srt_session_fail(session, "its socket cannot be read");
            return;
        }

        session->is_polled = 0;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "srt socket is polled:%ui, datagrams were there %ui times",
                   (ngx_uint_t) session->is_polled, n);
}


static void
ngx_media_srt_poll(ngx_media_srt_session_t *session)
{
    off_t  received;

    if (!session->is_polled || session->reason) {
        return;
    }

    received = session->received;

    ngx_media_srt_receive(session);
    ngx_media_srt_polled(session, session->received != received);
}


static void
ngx_media_srt_busy(ngx_media_srt_session_t *session, int64_t now)
{
    if (!session->is_busy) {
        session->is_busy = 1;

        ngx_queue_insert_tail(&ngx_media_srt_worker.busy, &session->busy);
    }

    ngx_media_srt_clock(ngx_media_srt_until(session), now);
}


/* ms between two looks at its socket, while it is polled */

static ngx_msec_t
ngx_media_srt_every(const ngx_media_srt_session_t *session)
{
    return (session->conf->early && session->role->data)
           ? NGX_MEDIA_SRT_SOON : NGX_MEDIA_SRT_CLOCK;
}


/* when the clock has to run for it, which is not so soon after it last did */

static int64_t
ngx_media_srt_until(const ngx_media_srt_session_t *session)
{
    int64_t  at;

    if (session->is_polled) {
        return ngx_media_srt_worker.ran
               + (int64_t) ngx_media_srt_every(session) * 1000;
    }

    at = session->due;

    if (at == NGX_MEDIA_SRT_EVER) {
        return at;
    }

    /* what a viewer is sent is paced */

    if (session->role->data) {
        at += NGX_MEDIA_SRT_SLACK;
    }

    return ngx_max(at, ngx_media_srt_worker.ran + NGX_MEDIA_SRT_CLOCK * 1000);
}


/* it runs then, unless it runs before */

static void
ngx_media_srt_clock(int64_t until, int64_t now)
{
    ngx_msec_t    wait;
    ngx_event_t  *clock;

    clock = &ngx_media_srt_worker.clock;

    wait = (until > now) ? (ngx_msec_t) ((until - now + 500) / 1000) : 0;
    wait = ngx_max(wait, 1);

    if (clock->timer_set) {

        if ((ngx_msec_int_t) (ngx_current_msec + wait - clock->timer.key)
            >= 0)
        {
            return;
        }

        /* nginx would leave one that is nearly the same */

        ngx_del_timer(clock);
    }

    clock->handler = ngx_media_srt_clock_handler;
    clock->data = &ngx_media_srt_worker;
    clock->log = ngx_cycle->log;
    clock->cancelable = 1;

    ngx_add_timer(clock, wait);
}


static void
ngx_media_srt_clock_handler(ngx_event_t *ev)
{
    int64_t                   now, until, at;
    ngx_queue_t              *q, all;
    ngx_media_srt_session_t  *session;

    now = ngx_media_srt_now();
    until = NGX_MEDIA_SRT_EVER;

    ngx_media_srt_worker.ran = now;

    /* those that are still busy get there again; one may end others */

    ngx_queue_init(&all);

    if (!ngx_queue_empty(&ngx_media_srt_worker.busy)) {
        ngx_queue_add(&all, &ngx_media_srt_worker.busy);
        ngx_queue_init(&ngx_media_srt_worker.busy);
    }

    while (!ngx_queue_empty(&all)) {
        q = ngx_queue_head(&all);
        session = ngx_queue_data(q, ngx_media_srt_session_t, busy);

        ngx_queue_remove(q);

        if (!session->is_polled && session->due > now + 1000) {
            ngx_queue_insert_tail(&ngx_media_srt_worker.busy, q);

            at = ngx_media_srt_until(session);
            until = ngx_min(until, at);
            continue;
        }

        session->is_busy = 0;

        ngx_media_srt_poll(session);
        ngx_media_srt_session_finish(session);
    }

    /* the others have seen to it themselves */

    if (until != NGX_MEDIA_SRT_EVER) {
        ngx_media_srt_clock(until, now);
    }
}


static void
ngx_media_srt_timer_handler(ngx_event_t *ev)
{
    const char               *reason;
    ngx_media_srt_session_t  *session;

    session = ev->data;

    if (session->socket == NULL) {
        ngx_media_srt_late(session);
        return;
    }

    reason = ngx_media_srt_overdue(session);

    if (reason) {
        ngx_log_error(NGX_LOG_INFO, session->connection->log, NGX_ETIMEDOUT,
                      "srt %s", reason);
        ngx_media_srt_session_end(session, reason);
        return;
    }

    if (ngx_current_msec - session->sent >= NGX_MEDIA_SRT_ALIVE) {
        ngx_media_srt_session_send(session, NGX_MEDIA_SRT_KEEPALIVE, 0, 0,
                                   NULL, 0);

        /* what has not left is not tried again each millisecond */

        session->sent = ngx_current_msec;
    }

    ngx_media_srt_session_finish(session);
}


static const char *
ngx_media_srt_overdue(ngx_media_srt_session_t *session)
{
    if (session->is_unreachable
        && ngx_current_msec - session->unreachable >= NGX_MEDIA_SRT_GONE)
    {
        session->closed = 1;
        return "peer is not there any more";
    }

    if (ngx_current_msec - session->heard >= session->conf->timeout) {
        return "peer was silent for too long";
    }

    if (session->role->data
        && ngx_current_msec - session->media >= session->conf->idle_timeout)
    {
        return "publisher sent no data for too long";
    }

    return NULL;
}


/* for the first of what may have to be done; it is not put off by datagrams,
   but finds out that it has come too early */

static void
ngx_media_srt_rearm(ngx_media_srt_session_t *session)
{
    ngx_event_t     *ev;
    ngx_msec_t       at, next;

    next = session->sent + NGX_MEDIA_SRT_ALIVE;

    at = session->heard + session->conf->timeout;
    next = (ngx_msec_int_t) (at - next) < 0 ? at : next;

    if (session->role->data) {
        at = session->media + session->conf->idle_timeout;
        next = (ngx_msec_int_t) (at - next) < 0 ? at : next;
    }

    if (session->is_unreachable) {
        at = session->unreachable + NGX_MEDIA_SRT_GONE;
        next = (ngx_msec_int_t) (at - next) < 0 ? at : next;
    }

    ev = &session->timer;

    if (ev->timer_set) {

        if ((ngx_msec_int_t) (next - ev->timer.key) >= 0) {
            return;
        }

        /* nginx would leave one that is nearly the same */

        ngx_del_timer(ev);
    }

    at = next - ngx_current_msec;

    ngx_add_timer(ev, (ngx_msec_int_t) at > 1 ? at : 1);
}


uint32_t
ngx_media_srt_session_stamp(const ngx_media_srt_session_t *session,
    int64_t now)
{
    return (uint32_t) (now - session->began);
}


size_t
ngx_media_srt_session_room(const ngx_media_srt_session_t *session)
{
    size_t            headers;
    struct sockaddr  *sa;

    sa = session->connection->sockaddr;
    headers = 20 + 8 + NGX_MEDIA_SRT_HEADER;

#if (NGX_HAVE_INET6)

    if (sa->sa_family == AF_INET6
        && !IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *) sa)->sin6_addr))
    {
        headers += 20;
    }

#endif

    return session->mtu > headers ? session->mtu - headers : 0;
}


void
ngx_media_srt_session_send(ngx_media_srt_session_t *session, ngx_uint_t type,
    ngx_uint_t subtype, uint32_t info, const u_char *body, size_t len)
{
    u_char  *p, buf[NGX_MEDIA_SRT_DATAGRAM];

    if (len > NGX_MEDIA_SRT_PAYLOAD) {
        return;
    }

    p = ngx_media_srt_put_header(buf, type, subtype, info,
                                 ngx_media_srt_session_stamp(session,
                                                      ngx_media_srt_now()),
                                 session->record.peer);

    if (len) {
        p = ngx_cpymem(p, body, len);

    } else {
        ngx_memzero(p, 4);
        p += 4;
    }

    (void) ngx_media_srt_session_write(session, buf, p - buf);
}


void
ngx_media_srt_session_reply(void *data, ngx_uint_t type, uint32_t info,
    const u_char *body, size_t len)
{
    ngx_media_srt_session_send(data, type, 0, info, body, len);
}


ngx_int_t
ngx_media_srt_session_write(ngx_media_srt_session_t *session,
    const u_char *pos, size_t len)
{
    ngx_err_t  err;

    if (session->socket == NULL) {
        return NGX_ERROR;
    }

    if (send(session->socket->fd, pos, len, MSG_DONTWAIT) != -1) {
        session->sent = ngx_current_msec;
        session->connection->sent += len;
        return NGX_OK;
    }

    err = ngx_socket_errno;

    if (err == NGX_EAGAIN || err == NGX_EINTR || err == ENOBUFS) {
        return NGX_AGAIN;
    }

    ngx_media_srt_unreachable(session, err);

    return NGX_ERROR;
}


void
ngx_media_srt_session_repeat(ngx_media_srt_session_t *session)
{
    if (session->reply_len) {
        (void) ngx_media_srt_session_write(session, session->reply,
                                           session->reply_len);
    }
}


void
ngx_media_srt_session_fail(ngx_media_srt_session_t *session,
    const char *reason)
{
    if (session->reason == NULL) {
        session->reason = reason;
    }
}


void
ngx_media_srt_session_end(ngx_media_srt_session_t *session,
    const char *reason)
{
    ngx_connection_t  *c;

    session->reason = reason;

    c = session->connection;
    c->log->action = "closing SRT session";

    if (session->asked) {
        session->asked = 0;
        session->role->end(session, reason);
    }

    if (session->socket && !session->closed) {
        ngx_media_srt_session_send(session, NGX_MEDIA_SRT_SHUTDOWN, 0, 0,
                                   NULL, 0);
    }

    if (session->record.id == 0) {
        /* it has none */

    } else if (session->socket) {
        ngx_media_srt_table_end(session->table, session->record.id);

    } else {
        ngx_media_srt_table_free(session->table, session->record.id);
    }

    ngx_media_srt_keys_close(session->keys);
    session->keys = NULL;

    ngx_queue_remove(&session->queue);

    if (session->is_busy) {
        ngx_queue_remove(&session->busy);
    }

    if (session->timer.timer_set) {
        ngx_del_timer(&session->timer);
    }

    if (session->socket) {
        ngx_media_udp_close(session->socket);
        session->socket = NULL;
    }

    c->idle = 0;

    session->user.finalize(session->user.data, session->status);
}


void
ngx_media_srt_session_close(ngx_media_srt_session_t *session)
{
    ngx_connection_t  *c;

    c = session->connection;

    c->close = 0;

    /* one that has a socket is told there */

    if (session->socket && !c->error) {
        return;
    }

    ngx_media_srt_session_end(session, "worker is shutting down");
}


off_t
ngx_media_srt_session_received(const ngx_media_srt_session_t *session)
{
    return session->received;
}


void
ngx_media_srt_session_text(const ngx_media_srt_session_t *session,
    ngx_media_srt_text_e what, ngx_str_t *text)
{
    ngx_str_null(text);

    switch (what) {

    case NGX_MEDIA_SRT_APP:
        *text = session->conf->app->name;
        break;

    case NGX_MEDIA_SRT_STREAM:
        *text = session->name;
        break;

    case NGX_MEDIA_SRT_REASON:

        if (session->reason) {
            text->data = (u_char *) session->reason;
            text->len = ngx_strlen(session->reason);
        }

        break;

    case NGX_MEDIA_SRT_SESSION:

        if (!session->repeated) {
            ngx_str_set(text, "1");
        }
    }
}


u_char *
ngx_media_srt_session_log(const ngx_media_srt_session_t *session,
    u_char *buf, size_t len)
{
    u_char  *p;

    p = ngx_slprintf(buf, buf + len, ", app: %V",
                     &session->conf->app->name);

    if (session->name.len) {
        p = ngx_slprintf(p, buf + len, ", stream: %V", &session->name);
    }

    return p;
}
