
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The role of an SRT session that plays:
 *
 *     ngx_media_follow.h -> ngx_media_srt_feed.h -> ngx_media_srt_tx.h -> here
 *
 * Datagrams leave many at a time: those of one size by one message that the
 * kernel cuts (UDP_SEGMENT), where it can, and all messages by one call.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_ban.h"
#include "access/ngx_media_viewer.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_srt_feed.h"
#include "ingest/ngx_media_srt_session.h"
#include "ingest/ngx_media_srt_tx.h"

#include <netinet/udp.h>


#define NGX_MEDIA_SRT_PLAY_BATCH   32         /* packets of one sendmmsg() */
#define NGX_MEDIA_SRT_PLAY_SEGMENT  3         /* from so many on they are one
                                                 message */

/* of an IP datagram with a payload of a ring, as handshakes count it */
#define NGX_MEDIA_SRT_PLAY_MTU     (28 + NGX_MEDIA_SRT_TX_HEADER              \
                                    + NGX_MEDIA_SRT_RING_PAYLOAD)

/* ms until it is tried again to send what the system has no room for */
#define NGX_MEDIA_SRT_PLAY_AGAIN    5

/* ms that the peer has, behind its latency, to get what was sent last */
#define NGX_MEDIA_SRT_PLAY_LINGER   500

#ifndef UDP_SEGMENT
#define UDP_SEGMENT                 103
#endif


typedef struct {
    ngx_media_srt_session_t      *session;
    ngx_media_access_t           *asking;     /* NULL: it is known */
    ngx_media_access_verdict_t    verdict;
    ngx_str_t                     name;       /* the stream, in buffer */
    ngx_media_srt_feed_member_t   member;
    ngx_media_srt_tx_t           *tx;         /* NULL: there is no socket yet */
    ngx_media_viewer_t            viewer;
    ngx_event_t                   expiry;
    ngx_event_t                   touch;      /* of viewer */
    ngx_event_t                   leave;      /* drain, or the stream is over */
    ngx_event_t                   closed;     /* posted: a check wants it to
                                                 end */
    const char                   *over;       /* why; static */
    unsigned                      here:1;     /* access was told */
    unsigned                      blocked:1;  /* the system has no room */
    unsigned                      whole:1;    /* the kernel does not cut */
    unsigned                      encrypted:1;
    u_char                        buffer[NGX_MEDIA_NAME_MAX];
} ngx_media_srt_play_t;


/* what one sendmmsg() needs */

typedef struct {
    ngx_media_srt_tx_packet_t     packets[NGX_MEDIA_SRT_PLAY_BATCH];
    struct iovec                  iov[2 * NGX_MEDIA_SRT_PLAY_BATCH];
    struct mmsghdr                msgs[NGX_MEDIA_SRT_PLAY_BATCH];
    ngx_uint_t                    sizes[NGX_MEDIA_SRT_PLAY_BATCH];
                                              /* packets of each message */

    union {
        u_char                    data[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr            align;
    } controls[NGX_MEDIA_SRT_PLAY_BATCH];

    u_char                        bytes[NGX_MEDIA_SRT_PLAY_BATCH]
                                       [NGX_MEDIA_SRT_RING_PAYLOAD];
                                              /* encrypted */
} ngx_media_srt_play_batch_t;


static ngx_int_t ngx_media_srt_play_ask(ngx_media_srt_session_t *session);
static const ngx_str_t *ngx_media_srt_play_rename(void *data,
    const ngx_str_t *name);
static void ngx_media_srt_play_answer(void *data, ngx_int_t rc,
    const char *reason);
static ngx_int_t ngx_media_srt_play_answered(ngx_media_srt_play_t *play,
    ngx_int_t rc, const char *reason);
static ngx_int_t ngx_media_srt_play_begin(ngx_media_srt_play_t *play);
static ngx_uint_t ngx_media_srt_play_latency(
    const ngx_media_srt_session_t *session);
static ngx_int_t ngx_media_srt_play_viewer(ngx_media_srt_play_t *play,
    const char **reason);
static void ngx_media_srt_play_events(ngx_media_srt_play_t *play);
static ngx_int_t ngx_media_srt_play_open(ngx_media_srt_session_t *session,
    int64_t now);
static void ngx_media_srt_play_control(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now);
static ngx_msec_t ngx_media_srt_play_tick(ngx_media_srt_session_t *session,
    int64_t now);
static ngx_int_t ngx_media_srt_play_drain(ngx_media_srt_session_t *session);
static void ngx_media_srt_play_end(ngx_media_srt_session_t *session,
    const char *reason);
static ngx_uint_t ngx_media_srt_play_send(ngx_media_srt_play_t *play,
    ngx_uint_t n);
static void ngx_media_srt_play_refresh(ngx_media_srt_play_t *play,
    int64_t now);
static void ngx_media_srt_play_encrypt(ngx_media_srt_play_t *play,
    ngx_uint_t n);
static ngx_uint_t ngx_media_srt_play_messages(ngx_media_srt_play_t *play,
    ngx_uint_t n);
static ngx_uint_t ngx_media_srt_play_group(ngx_media_srt_play_t *play,
    ngx_uint_t first, ngx_uint_t n);
static ngx_uint_t ngx_media_srt_play_cuts(ngx_socket_t s);
static void ngx_media_srt_play_ready(void *data);
static void ngx_media_srt_play_over(void *data, const char *reason);
static void ngx_media_srt_play_close(void *data, const char *reason);
static void ngx_media_srt_play_closed(ngx_event_t *ev);
static void ngx_media_srt_play_leave(ngx_event_t *ev);
static void ngx_media_srt_play_expire(ngx_event_t *ev);
static void ngx_media_srt_play_touch(ngx_event_t *ev);


const ngx_media_srt_role_t  ngx_media_srt_play_role = {
    "play",
    ngx_media_srt_play_ask,
    ngx_media_srt_play_open,
    NULL,
    ngx_media_srt_play_control,
    ngx_media_srt_play_tick,
    ngx_media_srt_play_drain,
    ngx_media_srt_play_end
};


static const ngx_str_t  ngx_media_srt_play_protocol = ngx_string("srt");

/* of this worker: nothing of it is used after the call */
static ngx_media_srt_play_batch_t  ngx_media_srt_play_batch;


/* whether there is such a stream is told to those only who may play it */

static ngx_int_t
ngx_media_srt_play_ask(ngx_media_srt_session_t *session)
{
    ngx_int_t                 rc;
    const char               *reason;
    ngx_connection_t         *c;
    ngx_media_srt_play_t     *play;
    ngx_media_access_conf_t   conf;

    c = session->connection;

    if (ngx_exiting) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_UNAVAILABLE,
                                     "this worker is leaving");
    }

    if (!ngx_media_publish_name_valid(&session->asked_for)) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_NOT_FOUND,
                                     "there is no such stream");
    }

    /* what is larger a caller cuts, and asks for again and again */

    if (session->mtu < NGX_MEDIA_SRT_PLAY_MTU) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_NARROW,
                                     "viewers need an MTU of 1360 bytes");
    }

    play = ngx_pcalloc(c->pool, sizeof(ngx_media_srt_play_t));
    if (play == NULL) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    session->ctx = play;
    play->session = session;

    (void) ngx_media_srt_play_rename(play, &session->asked_for);

    ngx_memzero(&conf, sizeof(ngx_media_access_conf_t));

    conf.action = NGX_MEDIA_ACCESS_PLAY;
    conf.app = session->conf->app;
    conf.name = play->name;
    conf.args = session->args;
    conf.protocol = ngx_media_srt_play_protocol;
    conf.address = c->addr_text;
    conf.connection = c;
    conf.log = c->log;
    conf.verdict = &play->verdict;
    conf.ready = ngx_media_srt_play_answer;
    conf.rename = ngx_media_srt_play_rename;
    conf.data = play;

    rc = ngx_media_access_ask(&conf, &play->asking, &reason);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    play->asking = NULL;

    return ngx_media_srt_play_answered(play, rc, reason);
}


static const ngx_str_t *
ngx_media_srt_play_rename(void *data, const ngx_str_t *name)
{
    ngx_media_srt_play_t *play = data;

    if (name->len > NGX_MEDIA_NAME_MAX) {
        return NULL;
    }

    ngx_memcpy(play->buffer, name->data, name->len);

    play->name.data = play->buffer;
    play->name.len = name->len;

    return &play->name;
}


static void
ngx_media_srt_play_answer(void *data, ngx_int_t rc, const char *reason)
{
    ngx_media_srt_play_t *play = data;

    play->asking = NULL;

    ngx_media_srt_answered(play->session,
                           ngx_media_srt_play_answered(play, rc, reason));
}


static ngx_int_t
ngx_media_srt_play_answered(ngx_media_srt_play_t *play, ngx_int_t rc,
    const char *reason)
{
    ngx_uint_t  code;

    if (rc == NGX_OK) {
        return ngx_media_srt_play_begin(play);
    }

    if (rc != NGX_DECLINED) {
        return ngx_media_srt_decline(play->session,
                                     NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    switch (play->verdict.status) {

    case 401:
        code = NGX_MEDIA_SRT_REFUSE_UNAUTHORIZED;
        break;

    case 503:
        code = NGX_MEDIA_SRT_REFUSE_UNAVAILABLE;
        break;

    default:
        code = NGX_MEDIA_SRT_REFUSE_FORBIDDEN;
    }

    return ngx_media_srt_decline(play->session, code, reason);
}


/* he may */

static ngx_int_t
ngx_media_srt_play_begin(ngx_media_srt_play_t *play)
{
    ngx_int_t                 rc;
    const char               *reason;
    ngx_media_app_t          *app;
    ngx_media_stream_t        stream;
    ngx_media_srt_session_t  *session;

    session = play->session;
    app = session->conf->app;

    /* the name is that of the stream now, which it may not have been before */

    if (ngx_media_ban_check(app, NGX_MEDIA_BAN_PLAY, &play->name,
                            &session->connection->addr_text, &reason)
        != NGX_OK)
    {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_FORBIDDEN,
                                     reason);
    }

    if (ngx_media_stream_find(app->zone, &play->name, &stream) != NGX_OK) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_NOT_FOUND,
                                     "there is no such stream");
    }

    if (ngx_media_srt_play_viewer(play, &reason) != NGX_OK) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_FORBIDDEN,
                                     reason);
    }

    play->member.slots = ngx_media_srt_worker_slots(session->conf);

    if (play->member.slots == NULL) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    play->member.latency = ngx_media_srt_play_latency(session);
    play->member.ready = ngx_media_srt_play_ready;
    play->member.end = ngx_media_srt_play_over;
    play->member.data = play;

    rc = ngx_media_srt_feed_join(&stream, &play->member);

    if (rc == NGX_DONE) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_NOT_FOUND,
                                     "there is no such stream");
    }

    if (rc != NGX_OK) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    return ngx_media_srt_named(session, &play->name);
}


/* ms for which it can have what was lost: memory is not the viewer's to say,
   who may wait longer than that */

static ngx_uint_t
ngx_media_srt_play_latency(const ngx_media_srt_session_t *session)
{
    return ngx_min(session->peer_latency, session->conf->latency_max);
}


static ngx_int_t
ngx_media_srt_play_viewer(ngx_media_srt_play_t *play, const char **reason)
{
    ngx_media_access_conf_t     conf;
    ngx_media_session_who_t     who;
    ngx_media_session_limit_t   limit;

    ngx_memzero(&conf, sizeof(ngx_media_access_conf_t));

    conf.app = play->session->conf->app;
    conf.name = play->name;
    conf.connection = play->session->connection;
    conf.verdict = &play->verdict;

    ngx_media_viewer_who(&conf, NGX_MEDIA_SESSION_SRT, &who, &limit);

    return ngx_media_viewer_begin(conf.app, &who, &limit, &play->viewer,
                                  reason);
}


static ngx_int_t
ngx_media_srt_play_open(ngx_media_srt_session_t *session, int64_t now)
{
    ngx_connection_t            *c;
    ngx_media_srt_play_t        *play;
    ngx_media_srt_tx_conf_t      conf;
    ngx_media_srt_keys_stat_t    keys;

    c = session->connection;
    play = session->ctx;

    ngx_memzero(&conf, sizeof(ngx_media_srt_tx_conf_t));

    conf.ring = ngx_media_srt_feed_ring(play->member.feed);
    conf.log = c->log;
    conf.isn = session->hs->isn;
    conf.id = session->hs->id;
    conf.window = session->hs->window;
    conf.latency = ngx_media_srt_play_latency(session);
    conf.base = session->began;
    conf.send = ngx_media_srt_session_reply;
    conf.data = session;

    play->tx = ngx_media_srt_tx_create(&conf);
    if (play->tx == NULL) {
        return NGX_ERROR;
    }

    ngx_media_srt_keys_stat(session->keys, &keys);

    play->encrypted = (keys.len != 0);
    play->whole = !ngx_media_srt_play_cuts(session->socket->fd);

    ngx_media_srt_play_events(play);

    c->log->action = "sending SRT media";

    ngx_log_error(NGX_LOG_INFO, c->log, 0, "srt play started");

    return NGX_OK;
}


static void
ngx_media_srt_play_events(ngx_media_srt_play_t *play)
{
    ngx_log_t  *log;

    log = play->session->connection->log;

    play->expiry.handler = ngx_media_srt_play_expire;
    play->expiry.data = play;
    play->expiry.log = log;
    play->expiry.cancelable = 1;

    if (play->verdict.expires) {
        ngx_add_timer(&play->expiry,
                      ngx_media_access_left(play->verdict.expires));
    }

    play->touch.handler = ngx_media_srt_play_touch;
    play->touch.data = play;
    play->touch.log = log;
    play->touch.cancelable = 1;

    if (play->viewer.sessions) {
        ngx_add_timer(&play->touch, ngx_media_viewer_tick(&play->viewer));
    }

    play->leave.handler = ngx_media_srt_play_leave;
    play->leave.data = play;
    play->leave.log = log;
    play->leave.cancelable = 1;

    play->closed.handler = ngx_media_srt_play_closed;
    play->closed.data = play;
    play->closed.log = log;

    if (play->verdict.id) {
        play->here = 1;

        ngx_media_access_here(play->session->conf->app, play->verdict.id,
                              ngx_media_srt_play_close, play);
    }
}


static void
ngx_media_srt_play_control(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now)
{
    ngx_media_srt_play_t  *play;

    play = session->ctx;

    switch (packet->type) {

    case NGX_MEDIA_SRT_ACK:
        ngx_media_srt_tx_ack(play->tx, packet->info, packet->pos,
                             packet->last, now);
        break;

    case NGX_MEDIA_SRT_NAK:
        ngx_media_srt_tx_nak(play->tx, packet->pos, packet->last, now);
        break;
    }
}


/* sends what may leave now */

static ngx_msec_t
ngx_media_srt_play_tick(ngx_media_srt_session_t *session, int64_t now)
{
    ngx_uint_t             n, sent;
    ngx_media_srt_play_t  *play;

    play = session->ctx;
    play->blocked = 0;

    do {
        n = ngx_media_srt_tx_peek(play->tx, ngx_media_srt_play_batch.packets,
                                  NGX_MEDIA_SRT_PLAY_BATCH, now);
        if (n == 0) {
            break;
        }

        if (play->encrypted) {
            ngx_media_srt_play_encrypt(play, n);
        }

        sent = ngx_media_srt_play_send(play, n);

        ngx_media_srt_tx_sent(play->tx, ngx_media_srt_play_batch.packets,
                              sent, now);

        if (sent < n) {
            play->blocked = 1;
        }

    } while (n == NGX_MEDIA_SRT_PLAY_BATCH && !play->blocked);

    if (play->encrypted) {
        ngx_media_srt_play_refresh(play, now);
    }

    return play->blocked ? NGX_MEDIA_SRT_PLAY_AGAIN
                         : ngx_media_srt_tx_wait(play->tx, now);
}


/* draft, 6.1.6: a new key is said before it is used */

static void
ngx_media_srt_play_refresh(ngx_media_srt_play_t *play, int64_t now)
{
    ngx_int_t                 rc;
    ngx_str_t                 km;
    ngx_media_srt_session_t  *session;
    ngx_media_srt_tx_stat_t   stat;

    session = play->session;

    ngx_media_srt_tx_stat(play->tx, &stat);

    rc = ngx_media_srt_keys_refresh(session->keys, now, stat.rtt, &km);

    if (rc == NGX_OK) {
        ngx_media_srt_session_send(session, NGX_MEDIA_SRT_EXT,
                                   NGX_MEDIA_SRT_KMREQ, 0, km.data, km.len);

    } else if (rc == NGX_DECLINED) {
        ngx_media_srt_session_fail(session, "it did not take a new key");

    } else if (rc == NGX_ERROR) {
        ngx_media_srt_session_fail(session, "there is no new key");
    }
}


/* it stays, for the time of "drain" */

static ngx_int_t
ngx_media_srt_play_drain(ngx_media_srt_session_t *session)
{
    ngx_media_srt_play_t  *play;

    play = session->ctx;

    if (session->conf->app->drain && !play->leave.timer_set) {
        play->over = "the drain time is over";
        ngx_add_timer(&play->leave, session->conf->app->drain);
    }

    return NGX_OK;
}


static void
ngx_media_srt_play_end(ngx_media_srt_session_t *session, const char *reason)
{
    ngx_media_srt_play_t     *play;
    ngx_media_srt_tx_stat_t   stat;

    play = session->ctx;

    if (play == NULL) {
        return;
    }

    if (play->asking) {
        ngx_media_access_cancel(play->asking);
        play->asking = NULL;
    }

    if (play->verdict.id) {
        ngx_media_access_ended(session->conf->app, play->verdict.id,
                               play->here ? reason : "it was not played");
    }

    ngx_media_viewer_end(&play->viewer);
    ngx_media_srt_feed_leave(&play->member);

    if (play->tx == NULL) {
        return;
    }

    if (play->expiry.timer_set) {
        ngx_del_timer(&play->expiry);
    }

    if (play->touch.timer_set) {
        ngx_del_timer(&play->touch);
    }

    if (play->leave.timer_set) {
        ngx_del_timer(&play->leave);
    }

    if (play->closed.posted) {
        ngx_delete_posted_event(&play->closed);
    }

    ngx_media_srt_tx_stat(play->tx, &stat);

    ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                  "srt play ended: %s, packets:%uL repeated:%uL dropped:%uL",
                  reason, stat.unique, stat.repeats, stat.dropped);

    ngx_media_srt_tx_destroy(play->tx);
    play->tx = NULL;
}


/* the first n packets of the batch; returns how many of them have left */

static ngx_uint_t
ngx_media_srt_play_send(ngx_media_srt_play_t *play, ngx_uint_t n)
{
    int                          rc;
    ngx_err_t                    err;
    ngx_uint_t                   i, k, msgs, sent;
    ngx_connection_t            *c;
    ngx_media_srt_session_t     *session;
    ngx_media_srt_play_batch_t  *batch;

    batch = &ngx_media_srt_play_batch;
    session = play->session;

    msgs = ngx_media_srt_play_messages(play, n);

    rc = sendmmsg(session->socket->fd, batch->msgs, (unsigned) msgs,
                  MSG_DONTWAIT);

    if (rc > 0) {
        c = session->connection;
        session->sent = ngx_current_msec;
        sent = 0;

        for (i = 0; i < (ngx_uint_t) rc; i++) {

            for (k = sent; k < sent + batch->sizes[i]; k++) {
                play->viewer.bytes += batch->packets[k].last
                                      - batch->packets[k].pos;
            }

            c->sent += batch->msgs[i].msg_len;

            sent = k;
        }

        return sent;
    }

    err = ngx_socket_errno;

    if (err == NGX_EAGAIN || err == NGX_EINTR || err == ENOBUFS) {
        return 0;
    }

    /* a device that does not compute checksums, a path that is too narrow */

    if (!play->whole
        && (err == NGX_EINVAL || err == EIO || err == EMSGSIZE))
    {
        ngx_log_debug0(NGX_LOG_DEBUG_STREAM, session->connection->log, err,
                       "srt play sends datagrams one by one");

        play->whole = 1;

        return ngx_media_srt_play_send(play, n);
    }

    ngx_media_srt_unreachable(session, err);

    return 0;
}


/* each into memory of its own: the ring is everybody's */

static void
ngx_media_srt_play_encrypt(ngx_media_srt_play_t *play, ngx_uint_t n)
{
    size_t                       len;
    u_char                      *out;
    ngx_uint_t                   i, kk;
    ngx_media_srt_session_t     *session;
    ngx_media_srt_tx_packet_t   *packet;
    ngx_media_srt_play_batch_t  *batch;

    batch = &ngx_media_srt_play_batch;
    session = play->session;

    for (i = 0; i < n; i++) {
        packet = &batch->packets[i];
        out = batch->bytes[i];
        len = packet->last - packet->pos;

        if (ngx_media_srt_keys_encrypt(session->keys, packet->seq, packet->pos,
                                       packet->last, out, &kk)
            != NGX_OK)
        {
            /* nothing in clear, whatever the peer makes of it */

            ngx_memzero(out, len);
            kk = NGX_MEDIA_SRT_KK_EVEN;

            ngx_media_srt_session_fail(session, "it cannot be encrypted");
        }

        packet->header[4] |= (u_char) (kk << 3);
        packet->pos = out;
        packet->last = out + len;
    }
}


/* returns their number */

static ngx_uint_t
ngx_media_srt_play_messages(ngx_media_srt_play_t *play, ngx_uint_t n)
{
    ngx_uint_t                   count, first, i, msgs;
    struct msghdr               *msg;
    struct cmsghdr              *cmsg;
    ngx_media_srt_tx_packet_t   *packet;
    ngx_media_srt_play_batch_t  *batch;

    batch = &ngx_media_srt_play_batch;
    msgs = 0;

    for (i = 0; i < n; i++) {
        packet = &batch->packets[i];

        batch->iov[2 * i].iov_base = packet->header;
        batch->iov[2 * i].iov_len = NGX_MEDIA_SRT_TX_HEADER;
        batch->iov[2 * i + 1].iov_base = (void *) packet->pos;
        batch->iov[2 * i + 1].iov_len = packet->last - packet->pos;
    }

    for (first = 0; first < n; first += count) {
        count = ngx_media_srt_play_group(play, first, n);

        msg = &batch->msgs[msgs].msg_hdr;

        ngx_memzero(msg, sizeof(struct msghdr));

        msg->msg_iov = &batch->iov[2 * first];
        msg->msg_iovlen = 2 * count;

        batch->sizes[msgs] = count;

        if (count > 1) {
            msg->msg_control = batch->controls[msgs].data;
            msg->msg_controllen = sizeof(batch->controls[msgs].data);

            cmsg = CMSG_FIRSTHDR(msg);

            cmsg->cmsg_level = SOL_UDP;
            cmsg->cmsg_type = UDP_SEGMENT;
            cmsg->cmsg_len = CMSG_LEN(sizeof(uint16_t));

            *(uint16_t *) CMSG_DATA(cmsg) = NGX_MEDIA_SRT_TX_HEADER
                                            + NGX_MEDIA_SRT_RING_PAYLOAD;
        }

        msgs++;
    }

    return msgs;
}


/* how many from first on are one message: all but the last are full */

static ngx_uint_t
ngx_media_srt_play_group(ngx_media_srt_play_t *play, ngx_uint_t first,
    ngx_uint_t n)
{
    ngx_uint_t                  i;
    ngx_media_srt_tx_packet_t  *packets;

    if (play->whole) {
        return 1;
    }

    packets = ngx_media_srt_play_batch.packets;

    for (i = first; i + 1 < n; i++) {
        if (packets[i].last - packets[i].pos != NGX_MEDIA_SRT_RING_PAYLOAD) {
            break;
        }
    }

    i++;

    return (i - first >= NGX_MEDIA_SRT_PLAY_SEGMENT) ? i - first : 1;
}


/* kernels that do not know it, before 4.18, would send one that is too large */

static ngx_uint_t
ngx_media_srt_play_cuts(ngx_socket_t s)
{
    int        value;
    socklen_t  len;

    len = sizeof(int);

    return getsockopt(s, SOL_UDP, UDP_SEGMENT, (void *) &value, &len) == 0;
}


/* payloads have come before there is a socket: it is there in this event */

static void
ngx_media_srt_play_ready(void *data)
{
    ngx_media_srt_play_t *play = data;

    if (play->tx) {
        ngx_media_srt_session_finish(play->session);
    }
}


/* who is behind gets what there is */

static void
ngx_media_srt_play_over(void *data, const char *reason)
{
    ngx_media_srt_play_t *play = data;

    if (play->leave.timer_set) {
        ngx_del_timer(&play->leave);
    }

    play->over = reason;

    ngx_add_timer(&play->leave,
                  play->session->peer_latency + NGX_MEDIA_SRT_PLAY_LINGER);
}


/* of access, which may be in the middle of something */

static void
ngx_media_srt_play_close(void *data, const char *reason)
{
    ngx_media_srt_play_t *play = data;

    play->over = reason;

    ngx_post_event(&play->closed, &ngx_posted_events);
}


static void
ngx_media_srt_play_closed(ngx_event_t *ev)
{
    ngx_media_srt_play_t *play = ev->data;

    ngx_media_srt_session_end(play->session, play->over);
}


static void
ngx_media_srt_play_leave(ngx_event_t *ev)
{
    ngx_media_srt_play_t *play = ev->data;

    ngx_media_srt_session_end(play->session, play->over);
}


static void
ngx_media_srt_play_expire(ngx_event_t *ev)
{
    ngx_media_srt_play_t *play = ev->data;

    ngx_msec_t  left;

    left = ngx_media_access_left(play->verdict.expires);

    if (left) {
        ngx_add_timer(&play->expiry, left);
        return;
    }

    ngx_media_srt_session_end(play->session, NGX_MEDIA_ACCESS_OVER);
}


static void
ngx_media_srt_play_touch(ngx_event_t *ev)
{
    ngx_media_srt_play_t *play = ev->data;

    if (ngx_media_viewer_touch(&play->viewer) == NGX_ABORT) {
        ngx_media_srt_session_end(play->session, NGX_MEDIA_VIEWER_KICKED);
        return;
    }

    if (play->viewer.sessions) {
        ngx_add_timer(&play->touch, ngx_media_viewer_tick(&play->viewer));
    }
}
