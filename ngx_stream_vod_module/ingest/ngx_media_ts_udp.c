
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Sessions of publishers that send MPEG-TS in datagrams.
 *
 * Workers may share the listener, and of a sender's first datagrams several of
 * them get some: who claims the stream has it, and the others, who see that it
 * is the same sender's, leave these out.  So is a sender who was refused, for
 * a second, after which he is asked about again: from whatever address and port
 * datagrams say that they are, they take no stream from a sender who goes on,
 * and of those that may be made up there are not more than so many sessions.
 *
 * What was queued at the listener before the socket was connected is older than
 * what comes to that, so it is given a moment before that is read.
 *
 * The one timer is not cancelable: a worker that is leaving waits for it, and
 * so for the sender, who cannot be told to come back.  When the drain time is
 * over the session ends and what he sends comes to a new worker's listener.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_ts.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_ts_in.h"
#include "ingest/ngx_media_ts_udp.h"
#include "ingest/ngx_media_udp.h"


#define NGX_MEDIA_TS_UDP_READ     65536       /* the largest datagram */
#define NGX_MEDIA_TS_UDP_READS    64          /* of one event */
#define NGX_MEDIA_TS_UDP_REFUSED  1000        /* ms */
#define NGX_MEDIA_TS_UDP_SETTLE   50          /* ms for what is queued */
#define NGX_MEDIA_TS_UDP_REPORT   1000        /* ms between numbers told */
#define NGX_MEDIA_TS_UDP_OTHERS   64          /* senders that are refused, of a
                                                 worker */

/* RTP, RFC 3550, 5.1 and RFC 3551, 6: MP2T */
#define NGX_MEDIA_TS_UDP_RTP_HEADER  12
#define NGX_MEDIA_TS_UDP_RTP_TYPE    33

/* of RTP: datagrams that come so much too late are lost, others are of a
   sender that began anew; so are those that are so much ahead, RFC 3550, A.1 */
#define NGX_MEDIA_TS_UDP_RTP_LATE    1000
#define NGX_MEDIA_TS_UDP_RTP_AHEAD   3000


struct ngx_media_ts_udp_session_s {
    ngx_queue_t                     queue;    /* of this worker's sessions */
    ngx_connection_t               *connection;     /* nginx's */
    ngx_connection_t               *socket;   /* ours; NULL: none yet */
    const ngx_media_ts_udp_conf_t  *conf;
    ngx_str_t                       name;     /* as it was configured */
    ngx_media_ts_udp_finalize_pt    finalize;
    void                           *data;
    ngx_media_publisher_t          *publisher;      /* NULL: it has ended, or
                                                 was refused */
    ngx_media_ts_in_t              *ts;
    ngx_event_t                     timer;
    ngx_msec_t                      heard;
    off_t                           received;
    const char                     *reason;   /* NULL: it goes on */
    ngx_uint_t                      status;

    uint32_t                        seq;      /* of RTP, the last */
    ngx_media_link_t                link;     /* counters of datagrams since it
                                                 was told */
    ngx_msec_t                      told;     /* then */
    uint64_t                        unread;   /* datagrams that came before it
                                                 has begun */
    uint64_t                        overflows;      /* of the socket, in all, */
    uint64_t                        dropped;  /* and those that were told */

    unsigned                        waiting:1;      /* for access checks */
    unsigned                        settled:1;      /* the socket is read */
    unsigned                        rtp:1;    /* it has headers, as the first
                                                 one had; else datagrams begin
                                                 with any byte */
    unsigned                        counted:1;      /* seq is known */
    unsigned                        refused:1;      /* is one of those that
                                                 are counted */
    unsigned                        late:1;   /* it was said that RTP is, */
    unsigned                        strange:1;      /* that it is none */
};


static ngx_uint_t ngx_media_ts_udp_plain(const u_char *pos,
    const u_char *last);
static void ngx_media_ts_udp_begin(ngx_media_ts_udp_session_t *session);
static ngx_uint_t ngx_media_ts_udp_held(ngx_media_ts_udp_session_t *session);
static ngx_uint_t ngx_media_ts_udp_holds(
    const ngx_media_ts_udp_session_t *session,
    const ngx_media_holder_t *holder);
static void ngx_media_ts_udp_refuse(ngx_media_ts_udp_session_t *session,
    ngx_uint_t status);
static void ngx_media_ts_udp_ready(void *data, ngx_media_publish_e rc,
    const char *reason);
static void ngx_media_ts_udp_begun(ngx_media_ts_udp_session_t *session,
    ngx_media_publish_e rc);
static void ngx_media_ts_udp_close_handler(void *data, const char *reason);
static void ngx_media_ts_udp_read_handler(ngx_event_t *rev);
static void ngx_media_ts_udp_timer_handler(ngx_event_t *ev);
static void ngx_media_ts_udp_receive(ngx_media_ts_udp_session_t *session);
static ssize_t ngx_media_ts_udp_read(ngx_media_ts_udp_session_t *session);
static void ngx_media_ts_udp_input(ngx_media_ts_udp_session_t *session,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_ts_udp_rtp(ngx_media_ts_udp_session_t *session,
    const u_char **pos, const u_char **last);
static ngx_int_t ngx_media_ts_udp_rtp_payload(const u_char **pos,
    const u_char **last);
static void ngx_media_ts_udp_report(ngx_media_ts_udp_session_t *session);
static void ngx_media_ts_udp_unread(ngx_media_ts_udp_session_t *session);
static void ngx_media_ts_udp_finish(ngx_media_ts_udp_session_t *session);
static void ngx_media_ts_udp_end(ngx_media_ts_udp_session_t *session);


/* of this worker: nothing of it is used after the call that filled it */
static u_char  ngx_media_ts_udp_buffer[NGX_MEDIA_TS_UDP_READ];

/* from start to finalize */
static ngx_queue_t  ngx_media_ts_udp_sessions = {
    &ngx_media_ts_udp_sessions, &ngx_media_ts_udp_sessions
};

static ngx_uint_t  ngx_media_ts_udp_others;

static ngx_str_t  ngx_media_ts_udp_protocol = ngx_string("ts");


ngx_uint_t
ngx_media_ts_udp_is(const u_char *pos, const u_char *last)
{
    return ngx_media_ts_udp_plain(pos, last)
           || (ngx_media_ts_udp_rtp_payload(&pos, &last) == NGX_OK
               && ngx_media_ts_udp_plain(pos, last));
}


/* does it begin with a packet, and is there another one behind that? */

static ngx_uint_t
ngx_media_ts_udp_plain(const u_char *pos, const u_char *last)
{
    size_t      n, size;
    ngx_uint_t  i;

    static const struct {
        size_t  before;                       /* the sync byte */
        size_t  size;
    } kinds[] = {
        { 0, NGX_MEDIA_TS_PACKET }, { 4, NGX_MEDIA_TS_PACKET + 4 },
        { 0, NGX_MEDIA_TS_PACKET + 16 }
    };

    size = last - pos;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        n = kinds[i].before + kinds[i].size;

        if (size >= kinds[i].size
            && pos[kinds[i].before] == NGX_MEDIA_TS_SYNC
            && (size <= n || pos[n] == NGX_MEDIA_TS_SYNC))
        {
            return 1;
        }
    }

    return 0;
}


ngx_media_ts_udp_session_t *
ngx_media_ts_udp_session_create(ngx_connection_t *c,
    const ngx_media_ts_udp_conf_t *conf, const ngx_str_t *name,
    ngx_media_ts_udp_finalize_pt finalize, void *data)
{
    ngx_media_ts_udp_session_t  *session;

    session = ngx_pcalloc(c->pool, sizeof(ngx_media_ts_udp_session_t));
    if (session == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     session->socket = NULL;
     *     session->publisher = NULL;
     *     session->ts = NULL;
     *     session->reason = NULL;
     */

    session->connection = c;
    session->conf = conf;
    session->name = *name;
    session->finalize = finalize;
    session->data = data;
    session->status = 200;
    session->heard = ngx_current_msec;

    session->timer.handler = ngx_media_ts_udp_timer_handler;
    session->timer.data = session;
    session->timer.log = c->log;

    return session;
}


void
ngx_media_ts_udp_session_start(ngx_media_ts_udp_session_t *session,
    const u_char *pos, const u_char *last)
{
    session->rtp = !ngx_media_ts_udp_plain(pos, last);

    ngx_queue_insert_tail(&ngx_media_ts_udp_sessions, &session->queue);

    ngx_media_ts_udp_begin(session);

    ngx_media_ts_udp_session_listener(session, pos, last);
}


void
ngx_media_ts_udp_session_listener(ngx_media_ts_udp_session_t *session,
    const u_char *pos, const u_char *last)
{
    ngx_media_ts_udp_input(session, pos, last);
    ngx_media_ts_udp_finish(session);
}


void
ngx_media_ts_udp_session_close(ngx_media_ts_udp_session_t *session)
{
    ngx_connection_t  *c;

    c = session->connection;

    c->close = 0;

    if (c->error || session->publisher == NULL || session->waiting) {
        session->reason = "worker is shutting down";
    }

    ngx_media_ts_udp_finish(session);
}


void
ngx_media_ts_udp_exit(void)
{
    ngx_queue_t                 *q;
    ngx_media_ts_udp_session_t  *session;

    while (!ngx_queue_empty(&ngx_media_ts_udp_sessions)) {

        q = ngx_queue_head(&ngx_media_ts_udp_sessions);
        session = ngx_queue_data(q, ngx_media_ts_udp_session_t, queue);

        session->reason = "worker exited";

        ngx_media_ts_udp_end(session);
    }
}


off_t
ngx_media_ts_udp_session_received(const ngx_media_ts_udp_session_t *session)
{
    return session->received;
}


void
ngx_media_ts_udp_session_text(const ngx_media_ts_udp_session_t *session,
    ngx_media_ts_udp_text_e what, ngx_str_t *text)
{
    switch (what) {

    case NGX_MEDIA_TS_UDP_APP:
        *text = session->conf->app->name;
        break;

    case NGX_MEDIA_TS_UDP_STREAM:
        *text = session->name;
        break;

    default: /* NGX_MEDIA_TS_UDP_REASON */

        ngx_str_null(text);

        if (session->reason) {
            text->data = (u_char *) session->reason;
            text->len = ngx_strlen(session->reason);
        }
    }
}


u_char *
ngx_media_ts_udp_session_log(const ngx_media_ts_udp_session_t *session,
    u_char *buf, size_t len)
{
    return ngx_snprintf(buf, len, ", app: %V, stream: %V",
                        &session->conf->app->name, &session->name);
}


static void
ngx_media_ts_udp_begin(ngx_media_ts_udp_session_t *session)
{
    const char           *reason;
    ngx_connection_t     *c;
    ngx_media_publish_e   rc;
    ngx_media_publish_t   conf;

    c = session->connection;

    if (ngx_media_ts_udp_held(session)) {
        ngx_log_debug0(NGX_LOG_DEBUG_STREAM, c->log, 0,
                       "ts datagrams of a sender who is published elsewhere");

        ngx_media_ts_udp_refuse(session, 409);
        return;
    }

    if (ngx_media_ts_udp_others == NGX_MEDIA_TS_UDP_OTHERS) {
        ngx_log_debug0(NGX_LOG_DEBUG_STREAM, c->log, 0,
                       "ts datagram while many senders are refused");

        session->reason = "too many senders are refused";
        session->status = 503;
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_media_publish_t));

    conf.app = session->conf->app;
    conf.name = session->name;
    conf.protocol = ngx_media_ts_udp_protocol;
    conf.address = c->addr_text;
    conf.connection = c;
    conf.timebase = NGX_MEDIA_TS_IN_TIMEBASE;
    conf.wrap = NGX_MEDIA_TS_IN_WRAP;
    conf.bare = 1;
    conf.log = c->log;
    conf.ready = ngx_media_ts_udp_ready;
    conf.close = ngx_media_ts_udp_close_handler;
    conf.data = session;

    c->log->action = "waiting for access checks";

    rc = ngx_media_publish_begin(&conf, &session->publisher, &reason);

    if (rc == NGX_MEDIA_PUBLISH_WAIT) {
        session->waiting = 1;

        ngx_add_timer(&session->timer, session->conf->timeout);
        return;
    }

    ngx_media_ts_udp_begun(session, rc);
}


/* by another worker, or by this one, for another port of his */

static ngx_uint_t
ngx_media_ts_udp_held(ngx_media_ts_udp_session_t *session)
{
    ngx_media_holder_t  holder;

    return ngx_media_stream_holder(session->conf->app->zone, &session->name,
                                   &holder)
           == NGX_OK
           && holder.silent < NGX_MEDIA_TS_UDP_REFUSED
           && ngx_media_ts_udp_holds(session, &holder);
}


/* from whatever port */

static ngx_uint_t
ngx_media_ts_udp_holds(const ngx_media_ts_udp_session_t *session,
    const ngx_media_holder_t *holder)
{
    const ngx_str_t  *address;

    address = &session->connection->addr_text;

    return holder->protocol_len == ngx_media_ts_udp_protocol.len
           && ngx_memcmp(holder->protocol, ngx_media_ts_udp_protocol.data,
                         holder->protocol_len)
              == 0
           && holder->address_len == address->len
           && ngx_memcmp(holder->address, address->data, address->len) == 0;
}


static void
ngx_media_ts_udp_refuse(ngx_media_ts_udp_session_t *session, ngx_uint_t status)
{
    session->status = status;
    session->refused = 1;
    ngx_media_ts_udp_others++;

    ngx_add_timer(&session->timer, NGX_MEDIA_TS_UDP_REFUSED);
}


static void
ngx_media_ts_udp_ready(void *data, ngx_media_publish_e rc, const char *reason)
{
    ngx_media_ts_udp_session_t *session = data;

    session->waiting = 0;

    if (rc != NGX_MEDIA_PUBLISH_OK) {
        session->publisher = NULL;
    }

    ngx_media_ts_udp_begun(session, rc);
    ngx_media_ts_udp_finish(session);
}


/* publish has logged why it was refused */

static void
ngx_media_ts_udp_begun(ngx_media_ts_udp_session_t *session,
    ngx_media_publish_e rc)
{
    ngx_connection_t        *c;
    ngx_media_ts_in_conf_t   conf;

    c = session->connection;

    if (rc != NGX_MEDIA_PUBLISH_OK) {
        session->publisher = NULL;

        ngx_media_ts_udp_refuse(session,
                                rc == NGX_MEDIA_PUBLISH_NOMEM ? 500 : 403);
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_media_ts_in_conf_t));

    conf.publisher = session->publisher;
    conf.program = session->conf->program;
    conf.early = session->conf->early;
    conf.log = c->log;

    session->ts = ngx_media_ts_in_create(&conf);

    if (session->ts) {
        session->socket = ngx_media_udp_connect(c, session->conf->rcvbuf,
                                               "TS",
                                               ngx_media_ts_udp_read_handler,
                                               session, NULL);
    }

    if (session->socket == NULL) {
        session->reason = "internal error";
        session->status = 500;
        return;
    }

    /* that one is told when this worker leaves */

    session->socket->idle = 1;
    session->heard = ngx_current_msec;
    session->told = ngx_current_msec;

    /* other workers see whose it is; what came while checks were waited for is
       lost */

    session->link.port = ngx_inet_get_port(c->sockaddr);
    session->link.count[NGX_MEDIA_LINK_PACKETS] = session->unread;
    session->link.count[NGX_MEDIA_LINK_BYTES] = session->received;
    session->link.count[NGX_MEDIA_LINK_DROPPED] = session->unread;

    ngx_media_ts_udp_report(session);

    c->log->action = "receiving MPEG-TS";

    ngx_log_error(NGX_LOG_INFO, c->log, 0, "ts publish started");

    ngx_add_timer(&session->timer, NGX_MEDIA_TS_UDP_SETTLE);
}


static void
ngx_media_ts_udp_close_handler(void *data, const char *reason)
{
    ngx_media_ts_udp_session_t *session = data;

    session->reason = reason;

    ngx_media_ts_udp_end(session);
}


static void
ngx_media_ts_udp_read_handler(ngx_event_t *rev)
{
    ngx_connection_t            *c;
    ngx_media_ts_udp_session_t  *session;

    c = rev->data;
    session = c->data;

    if (c->close) {
        c->close = 0;

        if (c->error) {
            session->reason = "worker is shutting down";
        }
    }

    if (session->settled && session->reason == NULL) {
        ngx_media_ts_udp_receive(session);
    }

    ngx_media_ts_udp_finish(session);
}


static void
ngx_media_ts_udp_timer_handler(ngx_event_t *ev)
{
    ngx_msec_t                   silent;
    ngx_media_ts_udp_session_t  *session;

    session = ev->data;

    silent = ngx_current_msec - session->heard;

    if (session->publisher == NULL) {
        session->reason = "publisher was refused";

    } else if (session->waiting) {
        session->reason = "the access check did not answer in time";

    } else if (!session->settled) {
        session->settled = 1;
        ngx_media_ts_udp_receive(session);

    } else if (silent >= session->conf->timeout) {
        session->reason = "publisher sent nothing for too long";
    }

    if (session->reason == NULL) {
        silent = ngx_current_msec - session->heard;
        silent = ngx_min(silent, session->conf->timeout - 1);

        ngx_add_timer(ev, ngx_min(session->conf->timeout - silent,
                                  NGX_MEDIA_TS_UDP_REPORT));
        ngx_media_ts_udp_report(session);
    }

    ngx_media_ts_udp_finish(session);
}


static void
ngx_media_ts_udp_receive(ngx_media_ts_udp_session_t *session)
{
    ssize_t            n;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = session->socket;

    for (i = 0; i < NGX_MEDIA_TS_UDP_READS; i++) {

        n = ngx_media_ts_udp_read(session);

        if (n == -1) {

            /* ICMP may say that somebody is not there, who does send */

            if (ngx_socket_errno == NGX_EAGAIN) {
                c->read->ready = 0;
                return;
            }

            continue;
        }

        ngx_media_ts_udp_input(session, ngx_media_ts_udp_buffer,
                               ngx_media_ts_udp_buffer + n);

        if (session->reason) {
            return;
        }
    }

    /* others first */

    ngx_post_event(c->read, &ngx_posted_next_events);
}


static ssize_t
ngx_media_ts_udp_read(ngx_media_ts_udp_session_t *session)
{
    ssize_t               n;
    struct iovec          iov;
    struct msghdr         msg;
    ngx_media_udp_cmsg_t  cmsg;

    ngx_memzero(&msg, sizeof(struct msghdr));

    iov.iov_base = ngx_media_ts_udp_buffer;
    iov.iov_len = NGX_MEDIA_TS_UDP_READ;

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &cmsg;
    msg.msg_controllen = sizeof(ngx_media_udp_cmsg_t);

    n = recvmsg(session->socket->fd, &msg, MSG_DONTWAIT);

    if (n != -1) {
        ngx_media_udp_overflows(&msg, &session->overflows);
    }

    return n;
}


static void
ngx_media_ts_udp_input(ngx_media_ts_udp_session_t *session,
    const u_char *pos, const u_char *last)
{
    uint64_t             *count;
    ngx_media_publish_e   rc;

    session->received += last - pos;

    if (session->ts == NULL) {
        session->unread++;
        return;
    }

    if (session->reason) {
        return;
    }

    count = session->link.count;

    count[NGX_MEDIA_LINK_PACKETS]++;
    count[NGX_MEDIA_LINK_BYTES] += last - pos;

    if (ngx_media_ts_udp_rtp(session, &pos, &last) != NGX_OK) {
        return;
    }

    session->heard = ngx_current_msec;

    rc = ngx_media_ts_in_bytes(session->ts, pos, last, ngx_media_wall_msec());

    if (ngx_media_publish_goes_on(rc)) {
        return;
    }

    session->reason = ngx_media_ts_in_why(session->ts, rc);
    session->status = rc == NGX_MEDIA_PUBLISH_NOMEM ? 500 : 400;
}


/* takes the header off, where they have one; NGX_DECLINED: it is of no use */

static ngx_int_t
ngx_media_ts_udp_rtp(ngx_media_ts_udp_session_t *session, const u_char **pos,
    const u_char **last)
{
    int16_t        d;
    uint32_t       seq;
    uint64_t      *count;
    ngx_int_t      rc;
    const u_char  *p;

    if (!session->rtp) {
        return NGX_OK;
    }

    p = *pos;
    count = session->link.count;

    rc = ngx_media_ts_udp_rtp_payload(pos, last);

    if (rc != NGX_OK) {
        count[NGX_MEDIA_LINK_STRANGE]++;

        if (!session->strange) {
            session->strange = 1;

            ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                          "ts ignored: a datagram of RTP that is no MPEG-TS");
        }

        return NGX_DECLINED;
    }

    seq = ngx_media_get_be16(p + 2);
    d = (int16_t) (seq - session->seq);

    if (session->counted && d <= 0 && d > -NGX_MEDIA_TS_UDP_RTP_LATE) {

        count[NGX_MEDIA_LINK_BELATED]++;

        if (!session->late) {
            session->late = 1;

            ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                          "ts ignored: a datagram of RTP that came too late, "
                          "or twice");
        }

        ngx_log_debug2(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                       "ts datagram of RTP is late, seq:%uD last:%uD", seq,
                       session->seq);

        return NGX_DECLINED;
    }

    if (session->counted && d != 1) {

        /* those that are missing were as long as this one; or it is another
           sender, or another count */

        if (d > 1 && d < NGX_MEDIA_TS_UDP_RTP_AHEAD) {
            count[NGX_MEDIA_LINK_LOST] += d - 1;
            count[NGX_MEDIA_LINK_DROPPED] += d - 1;
        }

        ngx_media_ts_in_gap(session->ts, d > 1 ? (d - 1) * (*last - *pos) : 0);
    }

    session->seq = seq;
    session->counted = 1;

    return NGX_OK;
}


/* RFC 3550, 5.1; NGX_DECLINED: it has no header; NGX_ERROR: another type */

static ngx_int_t
ngx_media_ts_udp_rtp_payload(const u_char **pos, const u_char **last)
{
    size_t         n, size;
    const u_char  *p;

    p = *pos;
    size = *last - p;

    if (size == 0 || (p[0] & 0xc0) != 0x80) {
        return NGX_DECLINED;
    }

    if (size < NGX_MEDIA_TS_UDP_RTP_HEADER
        || (p[1] & 0x7f) != NGX_MEDIA_TS_UDP_RTP_TYPE)
    {
        return NGX_ERROR;
    }

    n = NGX_MEDIA_TS_UDP_RTP_HEADER + 4 * (p[0] & 0x0f);

    if (p[0] & 0x10) {

        if (size < n + 4) {
            return NGX_ERROR;
        }

        n += 4 + 4 * (size_t) ngx_media_get_be16(p + n + 2);
    }

    if (p[0] & 0x20) {
        size -= ngx_min(size, p[size - 1]);
    }

    if (size < n) {
        return NGX_ERROR;
    }

    *pos = p + n;
    *last = p + size;

    return NGX_OK;
}


/* once a second, and at the end */

static void
ngx_media_ts_udp_report(ngx_media_ts_udp_session_t *session)
{
    ngx_msec_t         time;
    ngx_media_link_t  *link;

    time = ngx_current_msec - session->told;
    link = &session->link;

    link->kind = NGX_MEDIA_LINK_DATAGRAMS;

    if (time) {
        link->now.rate = link->count[NGX_MEDIA_LINK_BYTES] * 8000 / time;
    }

    link->count[NGX_MEDIA_LINK_OVERFLOWS] = session->overflows
                                            - session->dropped;

    ngx_media_ts_in_link(session->ts, link);
    ngx_media_publish_link(session->publisher, link);

    ngx_memzero(link->count, sizeof(link->count));

    session->told = ngx_current_msec;
    session->dropped = session->overflows;
}


/*
 * What came of a sender who does not publish, while another one does; or while
 * he does, by a worker that has the listener, too: then it is lost.
 */

static void
ngx_media_ts_udp_unread(ngx_media_ts_udp_session_t *session)
{
    ngx_uint_t          own;
    ngx_connection_t   *c;
    ngx_media_holder_t  holder;

    c = session->connection;

    if (session->unread == 0
        || ngx_media_stream_holder(session->conf->app->zone, &session->name,
                                   &holder)
           != NGX_OK)
    {
        return;
    }

    own = holder.port == ngx_inet_get_port(c->sockaddr)
          && ngx_media_ts_udp_holds(session, &holder);

    ngx_log_debug2(NGX_LOG_DEBUG_STREAM, c->log, 0,
                   "ts datagrams without a session:%uL own:%ui",
                   session->unread, own);

    if (own) {
        ngx_media_stream_link_add(&holder.stream, NGX_MEDIA_LINK_PACKETS,
                                  session->unread);
        ngx_media_stream_link_add(&holder.stream, NGX_MEDIA_LINK_BYTES,
                                  session->received);
    }

    ngx_media_stream_link_add(&holder.stream,
                              own ? NGX_MEDIA_LINK_DROPPED
                                  : NGX_MEDIA_LINK_FOREIGN,
                              session->unread);
}


static void
ngx_media_ts_udp_finish(ngx_media_ts_udp_session_t *session)
{
    if (session->reason) {
        ngx_media_ts_udp_end(session);
    }
}


static void
ngx_media_ts_udp_end(ngx_media_ts_udp_session_t *session)
{
    ngx_connection_t  *c;

    c = session->connection;

    ngx_queue_remove(&session->queue);

    if (session->ts) {
        (void) ngx_media_ts_in_flush(session->ts);

        ngx_media_ts_udp_report(session);

        ngx_media_ts_in_destroy(session->ts);
        session->ts = NULL;

    } else {
        ngx_media_ts_udp_unread(session);
    }

    if (session->refused) {
        ngx_media_ts_udp_others--;
    }

    if (session->publisher) {

        if (!session->waiting) {
            ngx_log_error(NGX_LOG_INFO, c->log, 0, "ts publish ended: %s",
                          session->reason);
        }

        ngx_media_publish_end(session->publisher, session->reason);
        session->publisher = NULL;
    }

    if (session->socket) {
        ngx_media_udp_close(session->socket);
        session->socket = NULL;
    }

    if (session->timer.timer_set) {
        ngx_del_timer(&session->timer);
    }

    c->log->action = "closing MPEG-TS session";

    session->finalize(session->data, session->status);
}
