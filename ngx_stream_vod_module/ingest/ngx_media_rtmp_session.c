
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Events of an RTMP session.  Input is received into one buffer of the
 * worker; a message that is whole in it is handled in place, others are put
 * together in memory of their own that goes with them.  So a connection that
 * is silent holds no media, and all that it can make the worker allocate is
 * bounded by max_message.
 *
 * There is one timer, that of the read event, set from the first byte to the
 * last: until something is published or played it bounds the whole time (of a
 * client that sends its handshake byte by byte, too), later the time between
 * two received bytes of media: what else comes does not keep a publisher.  Of
 * a viewer it is looked at from time to time whether any byte of what waits
 * has left.  It is not cancelable: a worker that is leaving waits for it, and
 * so for the client.  That of the write event is how long viewers are waited
 * for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ingest/ngx_media_rtmp.h"
#include "ingest/ngx_media_rtmp_session.h"


#define NGX_MEDIA_RTMP_READ      65536        /* bytes of one recv() */
#define NGX_MEDIA_RTMP_READS     16           /* in one event */
#define NGX_MEDIA_RTMP_LINGER    2000         /* ms for the last answer */
#define NGX_MEDIA_RTMP_BYTES     16           /* that are logged */


static ngx_uint_t ngx_media_rtmp_reads(ngx_media_rtmp_session_t *session);
static void ngx_media_rtmp_finalize(ngx_media_rtmp_session_t *session);
static void ngx_media_rtmp_unplay_all(ngx_media_rtmp_session_t *session,
    const char *reason);
static ngx_int_t ngx_media_rtmp_drain(ngx_media_rtmp_session_t *session);
static void ngx_media_rtmp_timedout(ngx_media_rtmp_session_t *session);
static ngx_int_t ngx_media_rtmp_receive(ngx_media_rtmp_session_t *session);
static ngx_int_t ngx_media_rtmp_take(ngx_media_rtmp_session_t *session,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_rtmp_input(ngx_media_rtmp_session_t *session,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_rtmp_piece(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_piece_t *piece);
static void ngx_media_rtmp_release(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_cs_t *cs);
static ngx_int_t ngx_media_rtmp_message(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_cs_t *cs, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_rtmp_control(ngx_media_rtmp_session_t *session,
    uint32_t type, const u_char *pos, const u_char *last);
static void ngx_media_rtmp_ack(ngx_media_rtmp_session_t *session);
static ngx_int_t ngx_media_rtmp_finish(ngx_media_rtmp_session_t *session);
static ngx_int_t ngx_media_rtmp_flush(ngx_media_rtmp_session_t *session);
static ngx_int_t ngx_media_rtmp_output(ngx_media_rtmp_session_t *session);
static ngx_int_t ngx_media_rtmp_answers(ngx_media_rtmp_session_t *session);
static u_char *ngx_media_rtmp_stream_log(ngx_log_t *log, u_char *buf,
    size_t len);


/* of this worker: nothing of it is used after the call that filled it */
static u_char  ngx_media_rtmp_buffer[NGX_MEDIA_RTMP_READ];

/* from start to finalize */
static ngx_queue_t  ngx_media_rtmp_sessions = {
    &ngx_media_rtmp_sessions, &ngx_media_rtmp_sessions
};


ngx_media_rtmp_session_t *
ngx_media_rtmp_session_create(ngx_connection_t *c,
    const ngx_media_rtmp_conf_t *conf, ngx_media_rtmp_finalize_pt finalize,
    void *data)
{
    ngx_int_t                  i;
    ngx_media_rtmp_stream_t   *stream;
    ngx_media_rtmp_session_t  *session;

    session = ngx_pcalloc(c->pool, sizeof(ngx_media_rtmp_session_t));
    if (session == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     session->state = NGX_MEDIA_RTMP_HANDSHAKE;
     *     session->handshake = NULL;
     *     session->reader = NULL;
     *     session->out = NULL;
     *     session->waiting = NULL;
     *     session->held = NULL;
     */

    session->connection = c;
    session->conf = conf;
    session->finalize = finalize;
    session->data = data;
    session->status = 200;
    session->window = conf->window;
    session->chunk_size = NGX_MEDIA_RTMP_CHUNK_SIZE;

    session->streams = ngx_pcalloc(c->pool, conf->max_streams
                                            * sizeof(ngx_media_rtmp_stream_t));
    if (session->streams == NULL) {
        return NULL;
    }

    for (i = 0; i < conf->max_streams; i++) {
        stream = &session->streams[i];

        stream->session = session;
        stream->log = *c->log;
        stream->log.handler = ngx_media_rtmp_stream_log;
        stream->log.data = stream;
        stream->log.action = "publishing";
    }

    return session;
}


void
ngx_media_rtmp_session_start(ngx_media_rtmp_session_t *session,
    ngx_buf_t *preread)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = session->connection;

    ngx_queue_insert_tail(&ngx_media_rtmp_sessions, &session->queue);

    c->log->action = "reading RTMP handshake";

    c->idle = 1;
    ngx_reusable_connection(c, 1);

    ngx_add_timer(c->read, session->conf->timeout);

    if (preread && preread->pos < preread->last) {
        session->received = preread->last - preread->pos;

        rc = ngx_media_rtmp_input(session, preread->pos, preread->last);

        preread->pos = preread->last;

        if (rc != NGX_OK) {
            ngx_media_rtmp_finalize(session);
            return;
        }
    }

    ngx_media_rtmp_session_read(session);
}


void
ngx_media_rtmp_session_read(ngx_media_rtmp_session_t *session)
{
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = session->connection;
    rev = c->read;

    if (c->close && ngx_media_rtmp_drain(session) != NGX_OK) {
        ngx_media_rtmp_finalize(session);
        return;
    }

    if (rev->timedout && ngx_media_rtmp_reads(session)) {
        return;
    }

    if (rev->timedout && session->waiting) {
        ngx_media_rtmp_timedout(session);
        return;
    }

    if (rev->timedout) {

        if (session->state != NGX_MEDIA_RTMP_CLOSING) {
            session->reason = session->publishers
                              ? "publisher sent no media for too long"
                              : session->players
                                ? "viewer did not read for too long"
                                : "client did not publish or play in time";
            ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                          "rtmp %s", session->reason);
        }

        ngx_media_rtmp_finalize(session);
        return;
    }

    ngx_media_rtmp_resume(session, NGX_OK);
}


void
ngx_media_rtmp_resume(ngx_media_rtmp_session_t *session, ngx_int_t rc)
{
    if (rc != NGX_OK
        || ngx_media_rtmp_receive(session) != NGX_OK
        || ngx_media_rtmp_finish(session) != NGX_OK)
    {
        ngx_media_rtmp_finalize(session);
    }
}


/* the timer is a viewer's, who is not that slow: it is set anew */

static ngx_uint_t
ngx_media_rtmp_reads(ngx_media_rtmp_session_t *session)
{
    ngx_msec_t    stalled;
    ngx_event_t  *rev;

    rev = session->connection->read;

    if (session->state == NGX_MEDIA_RTMP_CLOSING || session->publishers
        || session->waiting || session->players == 0)
    {
        return 0;
    }

    stalled = ngx_media_rtmp_play_stalled(session);

    if (stalled >= session->conf->idle_timeout) {
        return 0;
    }

    rev->timedout = 0;
    ngx_add_timer(rev, session->conf->idle_timeout - stalled);

    return 1;
}


/*
 * A stream waited for too long, and that is no fault of the client's, nor of
 * what else it publishes.
 */

static void
ngx_media_rtmp_timedout(ngx_media_rtmp_session_t *session)
{
    ngx_int_t     rc;
    ngx_event_t  *rev;

    rev = session->connection->read;
    rev->timedout = 0;

    rc = ngx_media_rtmp_late(session->waiting);

    if (session->publishers == 0 && session->players == 0) {
        ngx_media_rtmp_close(session,
                             "the access check did not answer in time");

    } else {
        ngx_add_timer(rev, session->conf->idle_timeout);
    }

    ngx_media_rtmp_resume(session, rc);
}


void
ngx_media_rtmp_session_write(ngx_media_rtmp_session_t *session)
{
    ngx_event_t  *wev;

    wev = session->connection->write;

    if (wev->timedout) {
        wev->timedout = 0;
        ngx_media_rtmp_unplay_all(session, "the drain time is over");
    }

    if (ngx_media_rtmp_finish(session) != NGX_OK) {
        ngx_media_rtmp_finalize(session);
    }
}


static void
ngx_media_rtmp_finalize(ngx_media_rtmp_session_t *session)
{
    ngx_int_t          i;
    ngx_uint_t         n;
    ngx_connection_t  *c;

    c = session->connection;

    if (session->reason == NULL) {
        session->reason = "internal error";
        session->status = 500;
    }

    ngx_queue_remove(&session->queue);

    for (i = 0; i < session->conf->max_streams; i++) {
        ngx_media_rtmp_unpublish(&session->streams[i], session->reason);
    }

    ngx_media_rtmp_unplay_all(session, session->reason);
    ngx_media_rtmp_play_forget(session);

    if (session->held) {
        ngx_free(session->held);
        session->held = NULL;
    }

    if (session->reader) {
        for (n = 0; n < session->reader->nstreams; n++) {
            ngx_media_rtmp_release(session, &session->reader->streams[n]);
        }
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->idle = 0;
    c->log->action = "closing RTMP session";

    session->finalize(session->data, session->status);
}


static void
ngx_media_rtmp_unplay_all(ngx_media_rtmp_session_t *session,
    const char *reason)
{
    ngx_int_t  i;

    for (i = 0; i < session->conf->max_streams; i++) {
        ngx_media_rtmp_unplay(&session->streams[i], reason);
    }
}


void
ngx_media_rtmp_exit(void)
{
    ngx_queue_t               *q;
    ngx_connection_t          *c;
    ngx_media_rtmp_session_t  *session;

    while (!ngx_queue_empty(&ngx_media_rtmp_sessions)) {

        q = ngx_queue_head(&ngx_media_rtmp_sessions);
        session = ngx_queue_data(q, ngx_media_rtmp_session_t, queue);
        c = session->connection;

#if (NGX_SSL)
        if (c->ssl) {
            c->ssl->no_wait_shutdown = 1;
            c->ssl->no_send_shutdown = 1;
        }
#endif

        session->reason = "worker exited";

        ngx_media_rtmp_finalize(session);
    }
}


/*
 * c->close: with c->error the time to shut down is over; without it this
 * worker is leaving, or connections are scarce and this one neither publishes
 * nor plays.
 */

static ngx_int_t
ngx_media_rtmp_drain(ngx_media_rtmp_session_t *session)
{
    ngx_connection_t  *c;

    c = session->connection;

    c->close = 0;

    if (c->error || (session->publishers == 0 && session->players == 0)) {
        session->reason = "worker is shutting down";
        return NGX_ERROR;
    }

    if (session->draining) {
        return NGX_OK;
    }

    session->draining = 1;

    if (session->players && session->app->drain) {
        ngx_add_timer(c->write, session->app->drain);
    }

    if (session->reconnect) {
        return ngx_media_rtmp_reconnect(session);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_receive(ngx_media_rtmp_session_t *session)
{
    u_char            *held;
    ssize_t            n;
    ngx_int_t          rc;
    ngx_uint_t         i;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = session->connection;
    rev = c->read;

    if (session->held && session->waiting == NULL) {
        held = session->held;
        session->held = NULL;

        rc = ngx_media_rtmp_take(session, held, held + session->held_len);

        ngx_free(held);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (i = 0;
         rev->ready && session->waiting == NULL && i < NGX_MEDIA_RTMP_READS;
         i++)
    {
        n = c->recv(c, ngx_media_rtmp_buffer, NGX_MEDIA_RTMP_READ);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {

            if (session->reason == NULL) {
                session->reason = n ? "connection was broken"
                                    : "client closed connection";
            }

            return NGX_ERROR;
        }

        session->received += n;

        rc = ngx_media_rtmp_take(session, ngx_media_rtmp_buffer,
                                 ngx_media_rtmp_buffer + n);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (session->waiting && rev->pending_eof) {
        session->reason = "client closed connection";
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_take(ngx_media_rtmp_session_t *session, const u_char *pos,
    const u_char *last)
{
    ngx_int_t  rc;

    session->media = 0;

    rc = ngx_media_rtmp_input(session, pos, last);

    if (rc != NGX_OK) {
        return rc;
    }

    if (session->media && session->publishers) {
        ngx_add_timer(session->connection->read, session->conf->idle_timeout);
    }

    ngx_media_rtmp_ack(session);

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_input(ngx_media_rtmp_session_t *session, const u_char *pos,
    const u_char *last)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_media_rtmp_piece_t  piece;

    if (session->state == NGX_MEDIA_RTMP_HANDSHAKE) {

        rc = ngx_media_rtmp_handshake(session, &pos, last);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        c = session->connection;

        session->reader = ngx_palloc(c->pool, sizeof(ngx_media_rtmp_reader_t));
        if (session->reader == NULL) {
            return NGX_ERROR;
        }

        ngx_media_rtmp_chunk_init(session->reader, session->conf->max_message);

        session->state = NGX_MEDIA_RTMP_CONNECT;
        c->log->action = "waiting for RTMP connect";
    }

    while (session->state != NGX_MEDIA_RTMP_CLOSING
           && session->waiting == NULL)
    {
        rc = ngx_media_rtmp_chunk_read(session->reader, &pos, last, &piece);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc != NGX_OK) {
            return ngx_media_rtmp_fail(session, session->reader->reason);
        }

        rc = ngx_media_rtmp_piece(session, &piece);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (session->waiting && pos < last) {
        return ngx_media_rtmp_hold(session, pos, last);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_piece(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_piece_t *piece)
{
    u_char               *p;
    ngx_int_t             rc;
    ngx_media_rtmp_cs_t  *cs;

    cs = piece->cs;

    /* what a publisher is heard by, also while a message is on its way */

    session->media |= cs->type == NGX_MEDIA_RTMP_AUDIO
                      || cs->type == NGX_MEDIA_RTMP_VIDEO
                      || cs->type == NGX_MEDIA_RTMP_AGGREGATE;

    if (piece->first && piece->complete) {
        return ngx_media_rtmp_message(session, cs, piece->payload.pos,
                                      piece->payload.last);
    }

    if (piece->first) {

        if (cs->length > 2 * session->conf->max_message - session->in_flight) {
            return ngx_media_rtmp_fail(session,
                                       "too many large messages at once");
        }

        cs->data = ngx_alloc(cs->length, session->connection->log);
        if (cs->data == NULL) {
            return NGX_ERROR;
        }

        session->in_flight += cs->length;
    }

    p = cs->data;

    ngx_memcpy(p + piece->offset, piece->payload.pos,
               ngx_media_span_len(&piece->payload));

    if (!piece->complete) {
        return NGX_OK;
    }

    rc = ngx_media_rtmp_message(session, cs, p, p + cs->length);

    ngx_media_rtmp_release(session, cs);

    return rc;
}


static void
ngx_media_rtmp_release(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_cs_t *cs)
{
    if (cs->data == NULL) {
        return;
    }

    ngx_free(cs->data);

    cs->data = NULL;
    session->in_flight -= cs->length;
}


static ngx_int_t
ngx_media_rtmp_message(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_cs_t *cs, const u_char *pos, const u_char *last)
{
    ngx_int_t                 rc;
    ngx_media_rtmp_stream_t  *stream;

    ngx_log_debug5(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "rtmp message type:%uD csid:%uD stream:%uD time:%uD "
                   "len:%uD",
                   cs->type, cs->id, cs->stream, cs->timestamp, cs->length);

    switch (cs->type) {

    case NGX_MEDIA_RTMP_CHUNK:
    case NGX_MEDIA_RTMP_ABORT:
    case NGX_MEDIA_RTMP_ACK:
    case NGX_MEDIA_RTMP_USER:
    case NGX_MEDIA_RTMP_WINDOW:
    case NGX_MEDIA_RTMP_BANDWIDTH:
        return ngx_media_rtmp_control(session, cs->type, pos, last);

    case NGX_MEDIA_RTMP_COMMAND3:
    case NGX_MEDIA_RTMP_DATA3:

        /* the AMF3 types hold AMF0 behind a byte that tells so */

        if (pos < last) {
            pos++;
        }

        break;
    }

    if (cs->type == NGX_MEDIA_RTMP_COMMAND
        || cs->type == NGX_MEDIA_RTMP_COMMAND3)
    {
        session->current = ngx_media_rtmp_stream(session, cs->stream);

        rc = ngx_media_rtmp_command(session, cs->stream, pos, last);

        session->current = NULL;

        return rc;
    }

    stream = ngx_media_rtmp_stream(session, cs->stream);

    /* encoders may go on for a while after a refusal or an unpublish */

    if (stream == NULL || stream->publisher == NULL) {
        ngx_media_rtmp_ignored(session, NGX_MEDIA_RTMP_SAID_MEDIA,
                               "media where nothing is published",
                               cs->type, pos, last);
        return NGX_OK;
    }

    session->current = stream;

    rc = ngx_media_rtmp_media(stream, cs->type, cs->timestamp, pos, last);

    session->current = NULL;

    return rc;
}


/* RTMP 1.0, 5.4 and 7.1.7 */

static ngx_int_t
ngx_media_rtmp_control(ngx_media_rtmp_session_t *session, uint32_t type,
    const u_char *pos, const u_char *last)
{
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_media_rtmp_cs_t       *cs;
    ngx_media_rtmp_control_t   control;

    rc = ngx_media_rtmp_control_parse(type, pos, last, &control);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    /* without the size of chunks what follows cannot be read */

    if (rc != NGX_OK && type != NGX_MEDIA_RTMP_CHUNK) {
        ngx_media_rtmp_ignored(session, NGX_MEDIA_RTMP_SAID_CONTROL,
                               "control message that is too short", type, pos,
                               last);
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return ngx_media_rtmp_fail(session, "malformed control message");
    }

    switch (type) {

    case NGX_MEDIA_RTMP_CHUNK:

        if (ngx_media_rtmp_chunk_set_size(session->reader, control.value)
            != NGX_OK)
        {
            return ngx_media_rtmp_fail(session, "invalid chunk size");
        }

        break;

    case NGX_MEDIA_RTMP_ABORT:

        cs = ngx_media_rtmp_chunk_abort(session->reader, control.value);

        if (cs) {
            ngx_media_rtmp_release(session, cs);
        }

        break;

    case NGX_MEDIA_RTMP_WINDOW:

        if (control.value) {
            session->window = control.value;
        }

        break;

    case NGX_MEDIA_RTMP_USER:

        if (control.event != NGX_MEDIA_RTMP_PING) {
            break;
        }

        /* a client that does not read its answers gets fewer of them */

        p = ngx_media_rtmp_reserve(session, NGX_MEDIA_RTMP_CONTROL_MAX);

        if (p) {
            session->out_last += ngx_media_rtmp_user_write(p,
                                                     NGX_MEDIA_RTMP_PONG,
                                                     control.value);
        }

        break;

    default: /* ACK, BANDWIDTH: what we send is far below any limit */

        break;
    }

    return NGX_OK;
}


/*
 * RTMP 1.0, 5.4.3: the sequence number is the count of all received bytes.
 * Numbers are cumulative, so one that finds no room is not missed.
 */

static void
ngx_media_rtmp_ack(ngx_media_rtmp_session_t *session)
{
    u_char  *p;

    if (session->state < NGX_MEDIA_RTMP_CONNECTED
        || session->state == NGX_MEDIA_RTMP_CLOSING
        || session->received - session->acked < session->window)
    {
        return;
    }

    p = ngx_media_rtmp_reserve(session, NGX_MEDIA_RTMP_CONTROL_MAX);

    if (p == NULL) {
        return;
    }

    session->out_last += ngx_media_rtmp_control_write(p, NGX_MEDIA_RTMP_ACK,
                                                (uint32_t) session->received);
    session->acked = session->received;
}


/* the end of every event: output, the timer, and what to wait for */

static ngx_int_t
ngx_media_rtmp_finish(ngx_media_rtmp_session_t *session)
{
    ngx_uint_t         timer;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = session->connection;
    rev = c->read;

    if (session->draining && session->publishers == 0
        && session->players == 0)
    {
        ngx_media_rtmp_close(session, "worker is shutting down");
    }

    if (ngx_media_rtmp_flush(session) != NGX_OK) {
        return NGX_ERROR;
    }

    timer = session->publishers ? NGX_MEDIA_RTMP_TIMER_PUBLISH
            : session->players ? NGX_MEDIA_RTMP_TIMER_PLAY
                               : NGX_MEDIA_RTMP_TIMER_BEGIN;

    if (session->state != NGX_MEDIA_RTMP_CLOSING && session->timer != timer) {
        session->timer = timer;

        ngx_add_timer(rev, timer ? session->conf->idle_timeout
                                 : session->conf->timeout);
        ngx_reusable_connection(c, timer == NGX_MEDIA_RTMP_TIMER_BEGIN);
    }

    if (rev->ready && session->waiting == NULL) {

        /* others first */

        ngx_post_event(rev, &ngx_posted_next_events);
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_flush(ngx_media_rtmp_session_t *session)
{
    ngx_connection_t  *c;

    c = session->connection;

    if (ngx_media_rtmp_output(session) != NGX_OK
        || ngx_media_rtmp_play_finish(session) != NGX_OK
        || ngx_media_rtmp_output(session) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (session->state == NGX_MEDIA_RTMP_CLOSING
        && session->out_pos == session->out_last
        && session->midway == NULL
        && !session->shutdown)
    {
        session->shutdown = 1;

        /*
         * unread input at close() makes a reset, which may overtake the
         * answer: tell the end, and wait for that of the client
         */

#if (NGX_SSL)
        if (c->ssl == NULL)
#endif
        if (ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
            ngx_connection_error(c, ngx_socket_errno,
                                 ngx_shutdown_socket_n " failed");
            return NGX_ERROR;
        }
    }

    return ngx_handle_write_event(c->write, 0);
}


/*
 * Sends what waits, as far as that goes now: answers first, but not in the
 * midst of a message.
 */

static ngx_int_t
ngx_media_rtmp_output(ngx_media_rtmp_session_t *session)
{
    ngx_int_t  rc;

    /* OpenSSL does not forgive another attempt */

    if (session->broken) {
        return NGX_ERROR;
    }

    do {
        rc = NGX_OK;

        if (session->midway == NULL) {
            rc = ngx_media_rtmp_answers(session);
        }

        if (rc == NGX_OK) {
            rc = ngx_media_rtmp_play_output(session);
        }

    } while (rc == NGX_DECLINED);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* NGX_OK: all are sent, NGX_AGAIN, NGX_ERROR */

static ngx_int_t
ngx_media_rtmp_answers(ngx_media_rtmp_session_t *session)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = session->connection;

    while (session->out_pos < session->out_last) {

        n = c->send(c, session->out_pos, session->out_last - session->out_pos);

        if (n == NGX_ERROR) {

            if (session->reason == NULL) {
                session->reason = "connection was broken";
            }

            session->broken = 1;

            return NGX_ERROR;
        }

        if (n == NGX_AGAIN || n == 0) {
            return NGX_AGAIN;
        }

        session->out_pos += n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_rtmp_fail(ngx_media_rtmp_session_t *session, const char *reason)
{
    ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                  "rtmp client sent invalid data: %s", reason);

    session->reason = reason;
    session->status = 400;

    return NGX_ERROR;
}


void
ngx_media_rtmp_ignored(ngx_media_rtmp_session_t *session, ngx_uint_t said,
    const char *what, uint32_t type, const u_char *pos, const u_char *last)
{
    u_char  bytes[2 * NGX_MEDIA_RTMP_BYTES];
    size_t  n;

    ngx_log_debug3(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "rtmp ignored: %s, type:%uD len:%uz", what, type,
                   (size_t) (last - pos));

    if (session->said & said) {
        return;
    }

    session->said |= said;

    n = ngx_min(last - pos, NGX_MEDIA_RTMP_BYTES);

    (void) ngx_hex_dump(bytes, (u_char *) pos, n);

    ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                  "rtmp ignored: %s, type:%uD len:%uz bytes:%*s", what, type,
                  (size_t) (last - pos), n * 2, bytes);
}


void
ngx_media_rtmp_close(ngx_media_rtmp_session_t *session, const char *reason)
{
    ngx_int_t  i;

    if (session->state == NGX_MEDIA_RTMP_CLOSING) {
        return;
    }

    for (i = 0; i < session->conf->max_streams; i++) {
        ngx_media_rtmp_unpublish(&session->streams[i], reason);
        ngx_media_rtmp_unplay(&session->streams[i], reason);
    }

    session->state = NGX_MEDIA_RTMP_CLOSING;
    session->reason = reason;

    ngx_add_timer(session->connection->read, NGX_MEDIA_RTMP_LINGER);
}


u_char *
ngx_media_rtmp_reserve(ngx_media_rtmp_session_t *session, size_t n)
{
    if (session->out == NULL) {
        session->out = ngx_palloc(session->connection->pool,
                                  NGX_MEDIA_RTMP_OUT);
        if (session->out == NULL) {
            return NULL;
        }

        session->out_pos = session->out;
        session->out_last = session->out;
    }

    if ((size_t) (session->out + NGX_MEDIA_RTMP_OUT - session->out_last) < n
        && ngx_media_rtmp_output(session) != NGX_OK)
    {
        return NULL;
    }

    /* what waits is never moved: OpenSSL wants the same bytes again */

    if (session->out_pos == session->out_last) {
        session->out_pos = session->out;
        session->out_last = session->out;
    }

    if ((size_t) (session->out + NGX_MEDIA_RTMP_OUT - session->out_last) < n) {
        return NULL;
    }

    return session->out_last;
}


ngx_media_rtmp_stream_t *
ngx_media_rtmp_stream(ngx_media_rtmp_session_t *session, uint32_t id)
{
    if (id == 0
        || id > (ngx_uint_t) session->conf->max_streams
        || !session->streams[id - 1].created)
    {
        return NULL;
    }

    return &session->streams[id - 1];
}


void
ngx_media_rtmp_waits(ngx_media_rtmp_session_t *session)
{
    if (session->publishers == 0 && session->players == 0) {
        session->connection->log->action = "waiting for RTMP publish or play";
    }
}


void
ngx_media_rtmp_unpublish(ngx_media_rtmp_stream_t *stream, const char *reason)
{
    ngx_media_publisher_t  *publisher;

    ngx_media_rtmp_unwait(stream, reason);

    publisher = stream->publisher;

    if (publisher == NULL) {
        return;
    }

    stream->publisher = NULL;
    stream->session->publishers--;

    ngx_media_publish_end(publisher, reason);

    ngx_log_error(NGX_LOG_INFO, &stream->log, 0,
                  "rtmp publish ended: %s", reason);

    stream->name.len = 0;
}


off_t
ngx_media_rtmp_session_received(const ngx_media_rtmp_session_t *session)
{
    return session->received;
}


void
ngx_media_rtmp_session_text(const ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_text_e what, ngx_str_t *text)
{
    ngx_str_null(text);

    switch (what) {

    case NGX_MEDIA_RTMP_APP:

        if (session->app) {
            *text = session->app->name;
        }

        break;

    case NGX_MEDIA_RTMP_STREAM:
        *text = session->last;
        break;

    case NGX_MEDIA_RTMP_REASON:

        if (session->reason) {
            text->data = (u_char *) session->reason;
            text->len = ngx_strlen(session->reason);
        }
    }
}


u_char *
ngx_media_rtmp_session_log(const ngx_media_rtmp_session_t *session,
    u_char *buf, size_t len)
{
    u_char  *p;

    p = buf;

    if (session->app) {
        p = ngx_slprintf(p, buf + len, ", app: %V", &session->app->name);
    }

    if (session->current && session->current->name.len) {
        p = ngx_slprintf(p, buf + len, ", stream: %V",
                         &session->current->name);
    }

    return p;
}


/* the connection's own context, with this stream's name in it */

static u_char *
ngx_media_rtmp_stream_log(ngx_log_t *log, u_char *buf, size_t len)
{
    char                           *action;
    ngx_log_t                      *main;
    ngx_media_rtmp_stream_t        *stream;
    ngx_media_rtmp_session_t       *session;
    const ngx_media_rtmp_stream_t  *current;

    stream = log->data;
    session = stream->session;
    main = session->connection->log;

    if (main->handler == NULL) {
        return buf;
    }

    current = session->current;
    action = main->action;

    session->current = stream;
    main->action = log->action;

    buf = main->handler(main, buf, len);

    session->current = current;
    main->action = action;

    return buf;
}
