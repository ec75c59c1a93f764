
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Viewers: "RTMP 1.0", 7.2.2.1 and the commands that go with it.  A message
 * that has been begun is sent to its end before anything else of the session:
 * the rest of it is what a play that has ended is kept for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_ban.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv_write.h"
#include "ingest/ngx_media_rtmp_session.h"


#define NGX_MEDIA_RTMP_BUFS         64        /* messages of one writev() */

/* Enhanced RTMP v2, FourCcInfoMask: it can decode it, or hand it on */
#define NGX_MEDIA_RTMP_CAN_TAKE     0x05


/* why a stream may not be played */

typedef enum {
    NGX_MEDIA_RTMP_PLAY_OFF = 0,
    NGX_MEDIA_RTMP_PLAY_NOT_CREATED,
    NGX_MEDIA_RTMP_PLAY_OCCUPIED,
    NGX_MEDIA_RTMP_PLAY_NAMELESS,
    NGX_MEDIA_RTMP_PLAY_NOT_FOUND,
    NGX_MEDIA_RTMP_PLAY_HURRIES,
    NGX_MEDIA_RTMP_PLAY_LONG_ARGS,
    NGX_MEDIA_RTMP_PLAY_DENIED,
    NGX_MEDIA_RTMP_PLAY_CLOSING,
    NGX_MEDIA_RTMP_PLAY_FAILED
} ngx_media_rtmp_play_e;


typedef struct {
    const char               *code;
    const char               *text;
} ngx_media_rtmp_play_refusal_t;


static ngx_int_t ngx_media_rtmp_play_ask(ngx_media_rtmp_stream_t *stream,
    const ngx_str_t *name, const ngx_media_span_t *value);
static const ngx_str_t *ngx_media_rtmp_play_rename(void *data,
    const ngx_str_t *name);
static void ngx_media_rtmp_play_answer(void *data, ngx_int_t rc,
    const char *reason);
static ngx_int_t ngx_media_rtmp_play_answered(ngx_media_rtmp_stream_t *stream,
    ngx_int_t rc, const char *reason);
static ngx_media_rtmp_play_e ngx_media_rtmp_play_begin(
    ngx_media_rtmp_stream_t *stream, const char **reason);
static ngx_int_t ngx_media_rtmp_play_viewer(ngx_media_rtmp_stream_t *stream,
    ngx_media_viewer_t *viewer, const char **reason);
static ngx_int_t ngx_media_rtmp_play_refuse(ngx_media_rtmp_session_t *session,
    uint32_t stream, const ngx_str_t *name, ngx_media_rtmp_play_e why,
    const char *reason);
static ngx_int_t ngx_media_rtmp_play_started(
    ngx_media_rtmp_session_t *session, uint32_t stream);
static void ngx_media_rtmp_play_ready(void *data);
static ngx_uint_t ngx_media_rtmp_play_takes(void *data, uint32_t codec);
static void ngx_media_rtmp_play_list(ngx_media_rtmp_session_t *session,
    const ngx_media_amf_value_t *list);
static ngx_int_t ngx_media_rtmp_play_write(ngx_media_rtmp_session_t *session,
    ngx_media_play_t *play, ngx_uint_t max);
static ngx_int_t ngx_media_rtmp_play_over(ngx_media_rtmp_stream_t *stream,
    const char *reason);


static const ngx_str_t  ngx_media_rtmp_play_protocol = ngx_string("rtmp");

static const ngx_media_rtmp_play_refusal_t  ngx_media_rtmp_play_refusals[] = {

    { "NetStream.Play.Failed",
      "viewers are not served by RTMP here, \"media_rtmp_play\" is off" },

    { "NetStream.Play.Failed", "the stream was not created" },

    { "NetStream.Play.Failed", "something is being published here" },

    { "NetStream.Play.StreamNotFound", "play says no name" },

    { "NetStream.Play.StreamNotFound", "there is no such stream" },

    { "NetStream.Play.Failed",
      "this connection begins too many streams a second" },

    { "NetStream.Play.Failed", "the arguments behind \"?\" are too long" },

    { "NetStream.Play.Failed", NULL },        /* as the check says */

    { "NetStream.Play.Failed", "the server is restarting, connect again" },

    { "NetStream.Play.Failed", "the server is out of resources" }
};


/*
 * What precedes the first key frame of a stream that has just begun is waited
 * for; start, duration and reset mean nothing to what is live.
 */

ngx_int_t
ngx_media_rtmp_play(ngx_media_rtmp_session_t *session, uint32_t id,
    const ngx_media_amf_value_t *value)
{
    u_char                    buf[NGX_MEDIA_NAME_MAX];
    ngx_str_t                 name;
    ngx_media_rtmp_stream_t  *stream;

    ngx_str_null(&name);

    if (!session->conf->play) {
        return ngx_media_rtmp_play_refuse(session, id, &name,
                                          NGX_MEDIA_RTMP_PLAY_OFF, NULL);
    }

    stream = ngx_media_rtmp_stream(session, id);

    if (stream == NULL) {
        return ngx_media_rtmp_play_refuse(session, id, &name,
                                          NGX_MEDIA_RTMP_PLAY_NOT_CREATED,
                                          NULL);
    }

    if (stream->publisher) {
        return ngx_media_rtmp_play_refuse(session, id, &name,
                                          NGX_MEDIA_RTMP_PLAY_OCCUPIED, NULL);
    }

    ngx_media_rtmp_unplay(stream, "client plays anew");

    if (value->type != NGX_MEDIA_AMF_STRING) {
        return ngx_media_rtmp_play_refuse(session, id, &name,
                                          NGX_MEDIA_RTMP_PLAY_NAMELESS, NULL);
    }

    if (ngx_media_rtmp_name(session, &value->data, buf, &name) != NGX_OK) {
        return ngx_media_rtmp_play_refuse(session, id, &name,
                                          name.len
                                          ? NGX_MEDIA_RTMP_PLAY_NOT_FOUND
                                          : NGX_MEDIA_RTMP_PLAY_NAMELESS,
                                          NULL);
    }

    return ngx_media_rtmp_play_ask(stream, &name, &value->data);
}


/* whether there is such a stream is told to those only who may play it */

static ngx_int_t
ngx_media_rtmp_play_ask(ngx_media_rtmp_stream_t *stream,
    const ngx_str_t *name, const ngx_media_span_t *value)
{
    uint32_t                   id;
    ngx_int_t                  rc;
    const char                *reason;
    ngx_connection_t          *c;
    ngx_media_access_conf_t    conf;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    c = session->connection;
    id = stream - session->streams + 1;

    if (ngx_exiting || session->draining) {
        return ngx_media_rtmp_play_refuse(session, id, name,
                                          NGX_MEDIA_RTMP_PLAY_CLOSING, NULL);
    }

    if (ngx_media_rtmp_hurries(session)) {
        return ngx_media_rtmp_play_refuse(session, id, name,
                                          NGX_MEDIA_RTMP_PLAY_HURRIES, NULL);
    }

    session->begun++;

    if (stream->buffer == NULL) {
        stream->buffer = ngx_pnalloc(c->pool, 2 * NGX_MEDIA_NAME_MAX);
    }

    rc = (stream->buffer == NULL)
         ? NGX_ERROR : ngx_media_rtmp_args(session, value, &stream->args);

    if (rc != NGX_OK) {
        return ngx_media_rtmp_play_refuse(session, id, name,
                                          rc == NGX_DECLINED
                                          ? NGX_MEDIA_RTMP_PLAY_LONG_ARGS
                                          : NGX_MEDIA_RTMP_PLAY_FAILED, NULL);
    }

    ngx_memcpy(stream->buffer, name->data, name->len);

    stream->asked.data = stream->buffer;
    stream->asked.len = name->len;

    ngx_memzero(&stream->verdict, sizeof(ngx_media_access_verdict_t));
    ngx_memzero(&conf, sizeof(ngx_media_access_conf_t));

    conf.action = NGX_MEDIA_ACCESS_PLAY;
    conf.app = session->app;
    conf.name = stream->asked;
    conf.args = stream->args;
    conf.protocol = ngx_media_rtmp_play_protocol;
    conf.address = c->addr_text;
    conf.connection = c;
    conf.log = &stream->log;
    conf.client = &session->client;
    conf.verdict = &stream->verdict;
    conf.ready = ngx_media_rtmp_play_answer;
    conf.rename = ngx_media_rtmp_play_rename;
    conf.data = stream;

    rc = ngx_media_access_ask(&conf, &stream->asking, &reason);

    if (rc == NGX_AGAIN) {
        c->log->action = "asking whether RTMP may play";
        return NGX_OK;
    }

    stream->asking = NULL;

    return ngx_media_rtmp_play_answered(stream, rc, reason);
}


static const ngx_str_t *
ngx_media_rtmp_play_rename(void *data, const ngx_str_t *name)
{
    ngx_media_rtmp_stream_t *stream = data;

    if (name->len > NGX_MEDIA_NAME_MAX) {
        return NULL;
    }

    ngx_memcpy(stream->buffer, name->data, name->len);

    stream->asked.len = name->len;

    return &stream->asked;
}


/* from an event of its own: the session may end here */

static void
ngx_media_rtmp_play_answer(void *data, ngx_int_t rc, const char *reason)
{
    ngx_media_rtmp_stream_t *stream = data;

    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    stream->asking = NULL;

    ngx_media_rtmp_waits(session);

    rc = ngx_media_rtmp_play_answered(stream, rc, reason);

    ngx_media_rtmp_resume(session, rc);
}


static ngx_int_t
ngx_media_rtmp_play_answered(ngx_media_rtmp_stream_t *stream, ngx_int_t rc,
    const char *reason)
{
    uint32_t                   id;
    ngx_media_rtmp_play_e      why;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    id = stream - session->streams + 1;

    ngx_media_rtmp_free_args(stream);

    if (rc == NGX_OK) {
        why = ngx_media_rtmp_play_begin(stream, &reason);

    } else {
        why = (rc == NGX_DECLINED) ? NGX_MEDIA_RTMP_PLAY_DENIED
                                   : NGX_MEDIA_RTMP_PLAY_FAILED;
    }

    if (stream->play == NULL) {
        ngx_media_access_ended(session->app, stream->verdict.id,
                               "it was not played");

        return ngx_media_rtmp_play_refuse(session, id, &stream->asked, why,
                                          reason);
    }

    return ngx_media_rtmp_play_started(session, id);
}


/* stream->play is NULL: why it is */

static ngx_media_rtmp_play_e
ngx_media_rtmp_play_begin(ngx_media_rtmp_stream_t *stream,
    const char **reason)
{
    ngx_int_t                  rc;
    ngx_media_play_conf_t      conf;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;

    /* the check may have taken its time */

    if (ngx_exiting || session->draining) {
        return NGX_MEDIA_RTMP_PLAY_CLOSING;
    }

    /* the name is that of the stream now, which it may not have been before */

    if (ngx_media_ban_check(session->app, NGX_MEDIA_BAN_PLAY, &stream->asked,
                            &session->connection->addr_text, reason)
        != NGX_OK)
    {
        return NGX_MEDIA_RTMP_PLAY_DENIED;
    }

    ngx_memzero(&conf, sizeof(ngx_media_play_conf_t));

    if (ngx_media_stream_find(session->app->zone, &stream->asked,
                              &conf.stream)
        != NGX_OK)
    {
        return NGX_MEDIA_RTMP_PLAY_NOT_FOUND;
    }

    if (ngx_media_rtmp_play_viewer(stream, &conf.viewer, reason) != NGX_OK) {
        return NGX_MEDIA_RTMP_PLAY_DENIED;
    }

    conf.log = &stream->log;
    conf.chunk_size = session->chunk_size;
    conf.message_stream = stream - session->streams + 1;
    conf.expires = stream->verdict.expires;
    conf.id = stream->verdict.id;
    conf.takes = ngx_media_rtmp_play_takes;
    conf.classic = !session->listed;
    conf.ready = ngx_media_rtmp_play_ready;
    conf.data = stream;

    rc = ngx_media_play_begin(&conf, &stream->play);

    if (rc != NGX_OK) {
        stream->play = NULL;
        return (rc == NGX_DONE) ? NGX_MEDIA_RTMP_PLAY_NOT_FOUND
                                : NGX_MEDIA_RTMP_PLAY_FAILED;
    }

    ngx_media_rtmp_named(stream);
    stream->log.action = "playing";
    session->players++;
    session->status = 200;

    session->connection->log->action = "sending RTMP media";

    ngx_log_error(NGX_LOG_INFO, &stream->log, 0, "rtmp play started");

    return NGX_MEDIA_RTMP_PLAY_FAILED;
}


static ngx_int_t
ngx_media_rtmp_play_viewer(ngx_media_rtmp_stream_t *stream,
    ngx_media_viewer_t *viewer, const char **reason)
{
    ngx_media_access_conf_t     conf;
    ngx_media_session_who_t     who;
    ngx_media_session_limit_t   limit;

    ngx_memzero(&conf, sizeof(ngx_media_access_conf_t));

    conf.app = stream->session->app;
    conf.name = stream->asked;
    conf.connection = stream->session->connection;
    conf.client = &stream->session->client;
    conf.verdict = &stream->verdict;

    ngx_media_viewer_who(&conf, NGX_MEDIA_SESSION_RTMP, &who, &limit);

    return ngx_media_viewer_begin(conf.app, &who, &limit, viewer, reason);
}


static ngx_int_t
ngx_media_rtmp_play_refuse(ngx_media_rtmp_session_t *session, uint32_t stream,
    const ngx_str_t *name, ngx_media_rtmp_play_e why, const char *reason)
{
    const ngx_media_rtmp_play_refusal_t  *refusal;

    refusal = &ngx_media_rtmp_play_refusals[why];

    if (refusal->text) {
        reason = refusal->text;
    }

    /* one that cannot be a stream's may hold anything */

    if (ngx_media_publish_name_valid(name)) {
        ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                      "rtmp play refused: %s, name:\"%V\" message stream:%uD",
                      reason, name, stream);

    } else {
        ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                      "rtmp play refused: %s, message stream:%uD",
                      reason, stream);
    }

    if (session->publishers == 0 && session->players == 0) {
        session->status = 403;
    }

    if (why == NGX_MEDIA_RTMP_PLAY_CLOSING && session->reconnect
        && ngx_media_rtmp_reconnect(session) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_rtmp_status(session, stream, "error", refusal->code,
                                 reason);
}


/* RTMP 1.0, 7.2.2.1: what a player is told before the first frame */

static ngx_int_t
ngx_media_rtmp_play_started(ngx_media_rtmp_session_t *session,
    uint32_t stream)
{
    if (ngx_media_rtmp_send_user(session, NGX_MEDIA_RTMP_STREAM_BEGIN, stream)
        != NGX_OK
        || ngx_media_rtmp_status(session, stream, "status",
                                 "NetStream.Play.Reset",
                                 "playing another stream")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_rtmp_status(session, stream, "status",
                                 "NetStream.Play.Start", "playing");
}


/* RTMP 1.0, 7.2.2.8; what is live goes on meanwhile */

ngx_int_t
ngx_media_rtmp_play_pause(ngx_media_rtmp_session_t *session, uint32_t id,
    const ngx_media_amf_value_t *value)
{
    ngx_int_t                 rc;
    ngx_media_rtmp_stream_t  *stream;

    stream = ngx_media_rtmp_stream(session, id);

    if (stream == NULL || stream->play == NULL) {
        return ngx_media_rtmp_status(session, id, "error",
                                     "NetStream.Pause.Failed",
                                     "nothing is being played here");
    }

    if (value->type != NGX_MEDIA_AMF_BOOL || value->number != 0) {

        ngx_media_play_pause(stream->play);

        return ngx_media_rtmp_status(session, id, "status",
                                     "NetStream.Pause.Notify", "paused");
    }

    rc = ngx_media_play_resume(stream->play);

    if (rc == NGX_OK) {
        return ngx_media_rtmp_status(session, id, "status",
                                     "NetStream.Unpause.Notify", "playing");
    }

    return ngx_media_rtmp_play_over(stream, rc == NGX_DONE
                                            ? "stream has ended"
                                            : "server is out of resources");
}


/* RTMP 1.0, 7.2.2.4 and 7.2.2.5: who wants nothing is not answered */

ngx_int_t
ngx_media_rtmp_play_receive(ngx_media_rtmp_session_t *session, uint32_t id,
    ngx_uint_t type, const ngx_media_amf_value_t *value)
{
    ngx_uint_t                on;
    ngx_media_rtmp_stream_t  *stream;

    stream = ngx_media_rtmp_stream(session, id);

    if (stream == NULL || stream->play == NULL
        || value->type != NGX_MEDIA_AMF_BOOL)
    {
        return NGX_OK;
    }

    on = (value->number != 0);

    ngx_media_play_receive(stream->play, type, on);

    if (!on) {
        return NGX_OK;
    }

    if (ngx_media_rtmp_status(session, id, "status", "NetStream.Seek.Notify",
                              "what is live goes on")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_rtmp_status(session, id, "status",
                                 "NetStream.Play.Start", "playing");
}


/*
 * Nearly always all of it can be sent at once, and nothing else is to be done.
 * Otherwise the write event does it, which may end the session.
 */

static void
ngx_media_rtmp_play_ready(void *data)
{
    ngx_media_rtmp_stream_t *stream = data;

    ngx_event_t               *wev;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    wev = session->connection->write;

    if (!wev->ready) {
        return;
    }

    if (session->midway == NULL
        && session->out_pos == session->out_last
        && !wev->posted
        && ngx_media_rtmp_play_write(session, stream->play,
                                     NGX_MEDIA_RTMP_BUFS)
           == NGX_OK
        && ngx_media_play_over(stream->play) == NULL)
    {
        return;
    }

    ngx_post_event(wev, &ngx_posted_events);
}


/*
 * Old forms of codecs are understood by all.  Of the others, Enhanced RTMP v2,
 * "Enhancing NetConnection connect Command": who says a list has said which;
 * most players say none, and are sent what there is.
 */

static ngx_uint_t
ngx_media_rtmp_play_takes(void *data, uint32_t codec)
{
    ngx_media_rtmp_stream_t *stream = data;

    ngx_uint_t                i;
    const ngx_media_codec_t  *entry;

    if (!stream->session->listed || !ngx_media_flv_enhances(codec)) {
        return 1;
    }

    for (i = 0; (entry = ngx_media_codec_entry(i)) != NULL; i++) {
        if (entry->id == codec) {
            return (stream->session->fourccs >> i) & 1;
        }
    }

    return 0;
}


void
ngx_media_rtmp_play_codecs(ngx_media_rtmp_session_t *session,
    const ngx_media_amf_value_t *fourccs, const ngx_media_amf_value_t *video,
    const ngx_media_amf_value_t *audio)
{
    ngx_media_rtmp_play_list(session, fourccs);
    ngx_media_rtmp_play_list(session, video);
    ngx_media_rtmp_play_list(session, audio);
}


/* an array of names, or an object of names and masks; "*" is all of them */

static void
ngx_media_rtmp_play_list(ngx_media_rtmp_session_t *session,
    const ngx_media_amf_value_t *list)
{
    uint32_t                   id;
    ngx_uint_t                 i;
    ngx_media_span_t           key;
    ngx_media_amf_value_t      value;
    const ngx_media_codec_t   *entry;
    ngx_media_amf_iterator_t   it;

    if (list->type == NGX_MEDIA_AMF_UNDEFINED
        || list->type == NGX_MEDIA_AMF_NULL)
    {
        return;
    }

    session->listed = 1;

    ngx_media_amf_iterate(&it, list);

    while (ngx_media_amf_next(&it, &key, &value) == NGX_OK) {

        if (list->type == NGX_MEDIA_AMF_ARRAY) {

            if (value.type != NGX_MEDIA_AMF_STRING) {
                continue;
            }

            key = value.data;

        } else if (value.type != NGX_MEDIA_AMF_NUMBER
                   || !(value.number >= 1 && value.number <= 0xff)
                   || !((uint32_t) value.number & NGX_MEDIA_RTMP_CAN_TAKE))
        {
            continue;
        }

        if (ngx_media_span_len(&key) == 1 && *key.pos == '*') {
            session->fourccs = NGX_MAX_UINT32_VALUE;
            continue;
        }

        if (ngx_media_span_len(&key) != 4) {
            continue;
        }

        id = ngx_media_get_be32(key.pos);

        for (i = 0; (entry = ngx_media_codec_entry(i)) != NULL; i++) {
            if (entry->id == id) {
                session->fourccs |= (uint32_t) 1 << i;
            }
        }
    }
}


void
ngx_media_rtmp_unplay(ngx_media_rtmp_stream_t *stream, const char *reason)
{
    ngx_media_play_t             *play;
    ngx_media_rtmp_session_t     *session;
    const ngx_media_play_stat_t  *stat;

    if (stream->asking) {
        ngx_media_access_cancel(stream->asking);
        stream->asking = NULL;

        ngx_media_rtmp_free_args(stream);
    }

    play = stream->play;

    if (play == NULL) {
        return;
    }

    session = stream->session;
    stat = ngx_media_play_stat(play);

    ngx_log_error(NGX_LOG_INFO, &stream->log, 0,
                  "rtmp play ended: %s, frames:%uL dropped:%uL", reason,
                  stat->frames, stat->dropped);

    stream->play = NULL;
    stream->name.len = 0;
    stream->log.action = "publishing";
    session->players--;

    if (session->midway == play) {

        /* what is left of a message */

        ngx_media_play_pause(play);
        session->orphan = 1;

        return;
    }

    ngx_media_play_end(play);
}


/* the session is over: nothing is sent any more */

void
ngx_media_rtmp_play_forget(ngx_media_rtmp_session_t *session)
{
    if (session->orphan) {
        ngx_media_play_end(session->midway);
        session->orphan = 0;
    }

    session->midway = NULL;
}


/*
 * NGX_OK: all is sent, NGX_AGAIN: the client does not take more, NGX_DECLINED:
 * a message that was midway has ended, what else waits may go first
 */

ngx_int_t
ngx_media_rtmp_play_output(ngx_media_rtmp_session_t *session)
{
    ngx_int_t                 i, rc;
    ngx_uint_t                n;
    ngx_media_play_t         *play;
    ngx_media_rtmp_stream_t  *stream;

    play = session->midway;

    if (play) {

        rc = ngx_media_rtmp_play_write(session, play, 1);

        if (rc != NGX_OK) {
            return rc;
        }

        session->midway = NULL;

        if (session->orphan) {
            session->orphan = 0;
            ngx_media_play_end(play);
        }

        return NGX_DECLINED;
    }

    n = session->players;

    for (i = 0; n && i < session->conf->max_streams; i++) {
        stream = &session->streams[i];

        if (stream->play == NULL) {
            continue;
        }

        n--;

        rc = ngx_media_rtmp_play_write(session, stream->play,
                                       NGX_MEDIA_RTMP_BUFS);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* max == 1: that one alone, else as long as there are messages */

static ngx_int_t
ngx_media_rtmp_play_write(ngx_media_rtmp_session_t *session,
    ngx_media_play_t *play, ngx_uint_t max)
{
    size_t             sent;
    ngx_buf_t         *b;
    ngx_uint_t         i, n;
    ngx_chain_t       *cl;
    ngx_connection_t  *c;
    ngx_media_span_t   spans[NGX_MEDIA_RTMP_BUFS];

    /* of this worker: nothing of it is used after the call */
    static ngx_buf_t    bufs[NGX_MEDIA_RTMP_BUFS];
    static ngx_chain_t  chain[NGX_MEDIA_RTMP_BUFS];

    c = session->connection;

    do {
        n = ngx_media_play_peek(play, 0, spans, max);

        if (n == 0) {
            return NGX_OK;
        }

        for (i = 0; i < n; i++) {
            b = &bufs[i];

            b->pos = (u_char *) spans[i].pos;
            b->last = (u_char *) spans[i].last;
            b->memory = 1;

            chain[i].buf = b;
            chain[i].next = (i + 1 < n) ? &chain[i + 1] : NULL;
        }

        cl = c->send_chain(c, chain, 0);

        if (cl == NGX_CHAIN_ERROR) {
            session->broken = 1;

            if (session->reason == NULL) {
                session->reason = "connection was broken";
            }

            return NGX_ERROR;
        }

        sent = 0;

        for (i = 0; i < n; i++) {
            sent += bufs[i].pos - (u_char *) spans[i].pos;
        }

        (void) ngx_media_play_sent(play, sent);

        if (cl) {

            /* OpenSSL wants the same bytes again, though it took none */

            ngx_media_play_hold(play, 1);
            session->midway = play;

            return NGX_AGAIN;
        }

    } while (max > 1 && n == max);

    return NGX_OK;
}


/* the streams that have ended, when all of them is sent */

ngx_int_t
ngx_media_rtmp_play_finish(ngx_media_rtmp_session_t *session)
{
    ngx_int_t                 i;
    ngx_uint_t                n;
    const char               *reason;
    ngx_media_rtmp_stream_t  *stream;

    n = session->players;

    for (i = 0; n && i < session->conf->max_streams; i++) {
        stream = &session->streams[i];

        if (stream->play == NULL) {
            continue;
        }

        n--;

        reason = ngx_media_play_over(stream->play);

        if (reason && ngx_media_rtmp_play_over(stream, reason) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_play_over(ngx_media_rtmp_stream_t *stream, const char *reason)
{
    uint32_t                   id;
    ngx_int_t                  rc;
    ngx_uint_t                 stopped;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    id = stream - session->streams + 1;
    stopped = ngx_media_play_stopped(stream->play);

    ngx_media_rtmp_unplay(stream, reason);

    rc = ngx_media_rtmp_send_user(session, NGX_MEDIA_RTMP_STREAM_EOF, id);

    if (rc == NGX_OK && stopped) {
        rc = ngx_media_rtmp_status(session, id, "error",
                                   "NetStream.Play.Failed", reason);

    } else if (rc == NGX_OK) {
        rc = ngx_media_rtmp_status(session, id, "status",
                                   "NetStream.Play.UnpublishNotify", reason);
    }

    if (rc != NGX_OK
        || ngx_media_rtmp_status(session, id, "status", "NetStream.Play.Stop",
                                 reason)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (session->publishers == 0 && session->players == 0) {
        ngx_media_rtmp_close(session, reason);
    }

    return NGX_OK;
}


/* ms for which the viewer has taken nothing of what waits */

ngx_msec_t
ngx_media_rtmp_play_stalled(const ngx_media_rtmp_session_t *session)
{
    ngx_int_t   i;
    ngx_msec_t  most, stalled;

    most = 0;

    for (i = 0; i < session->conf->max_streams; i++) {

        if (session->streams[i].play) {
            stalled = ngx_media_play_stalled(session->streams[i].play);
            most = ngx_max(most, stalled);
        }
    }

    return most;
}
