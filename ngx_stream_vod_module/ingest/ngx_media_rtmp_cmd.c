
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Commands, "RTMP 1.0", 7.2, and those that encoders send beyond it.  All of
 * a command is read at once, by one table: the name, the transaction, then
 * an object or null, then two strings or numbers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_amf.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_rtmp_session.h"


#define NGX_MEDIA_RTMP_CSID_COMMAND  3
#define NGX_MEDIA_RTMP_CSID_STATUS   5

/* the largest answer, that to connect, is half of it */
#define NGX_MEDIA_RTMP_ANSWER        1536

/* Enhanced RTMP v2, "Enhancing NetConnection connect Command" */
#define NGX_MEDIA_RTMP_RECONNECT     0x01
#define NGX_MEDIA_RTMP_CAPS          0x0f     /* and multitrack, ModEx, its
                                                 nanosecond offsets */
#define NGX_MEDIA_RTMP_CAN_FORWARD   4

/* answers of ours to publish, beside those of ngx_media_publish_e */
#define NGX_MEDIA_RTMP_HURRIES       (-30)
#define NGX_MEDIA_RTMP_NOT_CREATED   (-31)
#define NGX_MEDIA_RTMP_NAMELESS      (-32)
#define NGX_MEDIA_RTMP_OCCUPIED      (-33)
#define NGX_MEDIA_RTMP_LONG_ARGS     (-34)
#define NGX_MEDIA_RTMP_LATE          (-35)


typedef struct {
    uint32_t                  stream;         /* message stream id */
    ngx_media_span_t          name;
    double                    transaction;

    /* first argument after the object */
    ngx_media_amf_value_t     value;

    /* properties of connect's object */
    ngx_media_span_t          app;
    ngx_media_span_t          version;
    ngx_media_span_t          url;
    ngx_media_span_t          page;
    ngx_media_span_t          swf;
    double                    caps;
    ngx_media_amf_value_t     fourccs;
    ngx_media_amf_value_t     video;
    ngx_media_amf_value_t     audio;
} ngx_media_rtmp_command_t;


typedef struct {
    ngx_str_t                 name;
    ngx_int_t               (*handler)(ngx_media_rtmp_session_t *session,
                                const ngx_media_rtmp_command_t *cmd);
} ngx_media_rtmp_command_entry_t;


/* an answer in the making */

typedef struct {
    ngx_media_text_t          text;
    u_char                    buffer[NGX_MEDIA_RTMP_ANSWER];
} ngx_media_rtmp_answer_t;


/* why a stream may not be published */

typedef struct {
    ngx_int_t                 rc;             /* of publish begin, or ours */
    const char               *code;
    const char               *text;           /* NULL: as publish said, and
                                                 has logged */
    ngx_media_refused_e       why;            /* otherwise, counted as this */
} ngx_media_rtmp_refusal_t;


static ngx_int_t ngx_media_rtmp_connect(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_find_app(ngx_media_rtmp_session_t *session,
    const ngx_media_span_t *value);
static ngx_int_t ngx_media_rtmp_client(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_copy(ngx_media_rtmp_session_t *session,
    ngx_str_t *dst, const ngx_media_span_t *src);
static ngx_int_t ngx_media_rtmp_connected(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_uint_t ngx_media_rtmp_offers(const ngx_media_codec_t *codec);
static void ngx_media_rtmp_capabilities(ngx_media_text_t *text);
static ngx_int_t ngx_media_rtmp_create_stream(
    ngx_media_rtmp_session_t *session, const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_publish(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_uint_t ngx_media_rtmp_is(const ngx_str_t *text,
    const ngx_str_t *name);
static ngx_media_rtmp_stream_t *ngx_media_rtmp_publishing(
    ngx_media_rtmp_session_t *session, const ngx_str_t *name);
static ngx_int_t ngx_media_rtmp_started(ngx_media_rtmp_session_t *session,
    uint32_t stream);
static ngx_int_t ngx_media_rtmp_refuse(ngx_media_rtmp_session_t *session,
    uint32_t stream, ngx_int_t rc, const char *reason);
static ngx_int_t ngx_media_rtmp_begin(ngx_media_rtmp_stream_t *stream,
    const ngx_str_t *name, const ngx_media_span_t *value);
static void ngx_media_rtmp_close_handler(void *data, const char *reason);
static ngx_int_t ngx_media_rtmp_fcpublish(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_fcunpublish(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_close_stream(
    ngx_media_rtmp_session_t *session, const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_delete_stream(
    ngx_media_rtmp_session_t *session, const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_stop(ngx_media_rtmp_stream_t *stream,
    const char *reason);
static ngx_int_t ngx_media_rtmp_cmd_play(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_cmd_play2(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_cmd_seek(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_cmd_pause(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_cmd_receive_audio(
    ngx_media_rtmp_session_t *session, const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_cmd_receive_video(
    ngx_media_rtmp_session_t *session, const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_length(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_accept(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);
static ngx_int_t ngx_media_rtmp_ignore(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd);

static void ngx_media_rtmp_result(ngx_media_rtmp_answer_t *answer,
    ngx_uint_t ok, double transaction);
static void ngx_media_rtmp_info(ngx_media_text_t *text, const char *level,
    const char *code, const char *description);
static ngx_int_t ngx_media_rtmp_error(ngx_media_rtmp_session_t *session,
    double transaction, const char *code, const char *description);
static ngx_int_t ngx_media_rtmp_send(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_answer_t *answer, uint32_t csid, uint32_t stream);


static const ngx_str_t  ngx_media_rtmp_protocol = ngx_string("rtmp");


static const ngx_media_amf_elt_t  ngx_media_rtmp_object[] = {

    { NGX_MEDIA_AMF_STRING, ngx_string("app"),
      offsetof(ngx_media_rtmp_command_t, app), NULL },

    { NGX_MEDIA_AMF_STRING, ngx_string("flashVer"),
      offsetof(ngx_media_rtmp_command_t, version), NULL },

    { NGX_MEDIA_AMF_STRING, ngx_string("tcUrl"),
      offsetof(ngx_media_rtmp_command_t, url), NULL },

    { NGX_MEDIA_AMF_STRING, ngx_string("pageUrl"),
      offsetof(ngx_media_rtmp_command_t, page), NULL },

    { NGX_MEDIA_AMF_STRING, ngx_string("swfUrl"),
      offsetof(ngx_media_rtmp_command_t, swf), NULL },

    { NGX_MEDIA_AMF_NUMBER, ngx_string("capsEx"),
      offsetof(ngx_media_rtmp_command_t, caps), NULL },

    { NGX_MEDIA_AMF_VALUE, ngx_string("fourCcList"),
      offsetof(ngx_media_rtmp_command_t, fourccs), NULL },

    { NGX_MEDIA_AMF_VALUE, ngx_string("videoFourCcInfoMap"),
      offsetof(ngx_media_rtmp_command_t, video), NULL },

    { NGX_MEDIA_AMF_VALUE, ngx_string("audioFourCcInfoMap"),
      offsetof(ngx_media_rtmp_command_t, audio), NULL },

    ngx_media_amf_null_elt
};


static const ngx_media_amf_elt_t  ngx_media_rtmp_arguments[] = {

    { NGX_MEDIA_AMF_STRING, ngx_null_string,
      offsetof(ngx_media_rtmp_command_t, name), NULL },

    { NGX_MEDIA_AMF_NUMBER, ngx_null_string,
      offsetof(ngx_media_rtmp_command_t, transaction), NULL },

    { NGX_MEDIA_AMF_OBJECT, ngx_null_string, 0, ngx_media_rtmp_object },

    { NGX_MEDIA_AMF_VALUE, ngx_null_string,
      offsetof(ngx_media_rtmp_command_t, value), NULL },

    ngx_media_amf_null_elt
};


static const ngx_media_rtmp_command_entry_t  ngx_media_rtmp_commands[] = {

    { ngx_string("connect"), ngx_media_rtmp_connect },
    { ngx_string("createStream"), ngx_media_rtmp_create_stream },
    { ngx_string("publish"), ngx_media_rtmp_publish },
    { ngx_string("closeStream"), ngx_media_rtmp_close_stream },
    { ngx_string("deleteStream"), ngx_media_rtmp_delete_stream },

    /* FMLE's, sent by nearly all encoders */
    { ngx_string("releaseStream"), ngx_media_rtmp_accept },
    { ngx_string("FCPublish"), ngx_media_rtmp_fcpublish },
    { ngx_string("FCUnpublish"), ngx_media_rtmp_fcunpublish },
    { ngx_string("FCSubscribe"), ngx_media_rtmp_accept },
    { ngx_string("_checkbw"), ngx_media_rtmp_accept },
    { ngx_string("getStreamLength"), ngx_media_rtmp_length },

    { ngx_string("play"), ngx_media_rtmp_cmd_play },
    { ngx_string("play2"), ngx_media_rtmp_cmd_play2 },
    { ngx_string("seek"), ngx_media_rtmp_cmd_seek },
    { ngx_string("pause"), ngx_media_rtmp_cmd_pause },
    { ngx_string("pauseRaw"), ngx_media_rtmp_cmd_pause },
    { ngx_string("receiveAudio"), ngx_media_rtmp_cmd_receive_audio },
    { ngx_string("receiveVideo"), ngx_media_rtmp_cmd_receive_video },

    /* answers to what we never ask */
    { ngx_string("_result"), ngx_media_rtmp_ignore },
    { ngx_string("_error"), ngx_media_rtmp_ignore },
    { ngx_string("onStatus"), ngx_media_rtmp_ignore },

    { ngx_null_string, NULL }
};


static const ngx_media_rtmp_refusal_t  ngx_media_rtmp_refusals[] = {

    { NGX_MEDIA_PUBLISH_DENIED, "NetStream.Publish.Denied", NULL,
      NGX_MEDIA_REFUSED_DENIED },

    { NGX_MEDIA_PUBLISH_CONFLICT, "NetStream.Publish.BadName", NULL,
      NGX_MEDIA_REFUSED_CONFLICT },

    { NGX_MEDIA_PUBLISH_NAME, "NetStream.Publish.BadName", NULL,
      NGX_MEDIA_REFUSED_NAME },

    { NGX_MEDIA_PUBLISH_LIMIT, "NetStream.Publish.Denied", NULL,
      NGX_MEDIA_REFUSED_STREAMS },

    { NGX_MEDIA_PUBLISH_HURRIES, "NetStream.Publish.Denied", NULL,
      NGX_MEDIA_REFUSED_HURRY },

    { NGX_MEDIA_PUBLISH_CLOSING, "NetStream.Publish.Denied", NULL,
      NGX_MEDIA_REFUSED_RESTART },

    { NGX_MEDIA_RTMP_HURRIES, "NetStream.Publish.Denied",
      "this connection begins too many streams a second",
      NGX_MEDIA_REFUSED_HURRY },

    { NGX_MEDIA_RTMP_NOT_CREATED, "NetStream.Publish.Denied",
      "the stream was not created", NGX_MEDIA_REFUSED_PROTOCOL },

    { NGX_MEDIA_RTMP_NAMELESS, "NetStream.Publish.BadName",
      "publish says no name", NGX_MEDIA_REFUSED_NAME },

    { NGX_MEDIA_RTMP_OCCUPIED, "NetStream.Publish.BadName",
      "something else is being published or played here",
      NGX_MEDIA_REFUSED_PROTOCOL },

    { NGX_MEDIA_RTMP_LONG_ARGS, "NetStream.Publish.Denied",
      "the arguments behind \"?\" are too long",
      NGX_MEDIA_REFUSED_PROTOCOL },

    { NGX_MEDIA_RTMP_LATE, "NetStream.Publish.Denied",
      "the access check did not answer in time",
      NGX_MEDIA_REFUSED_LATE },

    { NGX_MEDIA_PUBLISH_NOMEM, "NetStream.Publish.Failed",
      "the server is out of resources",
      NGX_MEDIA_REFUSED_NOMEM },

    { NGX_OK, NULL, NULL, NGX_MEDIA_REFUSED_KINDS }
};


ngx_int_t
ngx_media_rtmp_command(ngx_media_rtmp_session_t *session, uint32_t stream,
    const u_char *pos, const u_char *last)
{
    ngx_int_t                              rc;
    const u_char                          *start;
    ngx_media_rtmp_command_t               cmd;
    const ngx_media_rtmp_command_entry_t  *entry;

    ngx_memzero(&cmd, sizeof(ngx_media_rtmp_command_t));

    cmd.stream = stream;
    cmd.value.type = NGX_MEDIA_AMF_UNDEFINED;
    cmd.fourccs.type = NGX_MEDIA_AMF_UNDEFINED;
    cmd.video.type = NGX_MEDIA_AMF_UNDEFINED;
    cmd.audio.type = NGX_MEDIA_AMF_UNDEFINED;

    /* NGX_DECLINED: something in AMF3 that is not for us */

    start = pos;
    rc = ngx_media_amf_parse(&pos, last, ngx_media_rtmp_arguments, &cmd);

    if (rc == NGX_ERROR || cmd.name.pos == NULL) {

        if (session->state == NGX_MEDIA_RTMP_CONNECT) {
            return ngx_media_rtmp_fail(session, "malformed command");
        }

        ngx_media_rtmp_ignored(session, NGX_MEDIA_RTMP_SAID_COMMAND,
                               "command that cannot be read",
                               NGX_MEDIA_RTMP_COMMAND, start, last);
        return NGX_OK;
    }

    for (entry = ngx_media_rtmp_commands; entry->handler; entry++) {
        if (entry->name.len == ngx_media_span_len(&cmd.name)
            && ngx_memcmp(entry->name.data, cmd.name.pos, entry->name.len)
               == 0)
        {
            break;
        }
    }

    ngx_log_debug3(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "rtmp command \"%V\" stream:%uD transaction:%i",
                   &entry->name, stream, (ngx_int_t) cmd.transaction);

    if (session->state == NGX_MEDIA_RTMP_CONNECT
        && entry->handler != ngx_media_rtmp_connect)
    {
        return ngx_media_rtmp_fail(session, "command before connect");
    }

    if (entry->handler) {
        return entry->handler(session, &cmd);
    }

    if (cmd.transaction == 0) {
        return NGX_OK;
    }

    return ngx_media_rtmp_error(session, cmd.transaction,
                                "NetConnection.Call.Failed",
                                "there is no such command");
}


static ngx_int_t
ngx_media_rtmp_connect(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_int_t   rc;
    ngx_log_t  *log;

    log = session->connection->log;

    if (session->state != NGX_MEDIA_RTMP_CONNECT) {
        ngx_log_error(NGX_LOG_INFO, log, 0,
                      "rtmp connect refused: it is connected");

        return ngx_media_rtmp_error(session, cmd->transaction,
                                    "NetConnection.Connect.Rejected",
                                    "the connection is connected");
    }

    log->action = "connecting to RTMP application";

    rc = ngx_media_rtmp_find_app(session, &cmd->app);

    if (rc == NGX_OK) {
        rc = ngx_media_rtmp_client(session, cmd);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, log, 0,
                      "rtmp connect refused: no such application");

        session->status = 403;

        rc = ngx_media_rtmp_error(session, cmd->transaction,
                                  "NetConnection.Connect.InvalidApp",
                                  "there is no such application");

        ngx_media_rtmp_close(session, "no such application");

        return rc;
    }

    if (ngx_exiting || ngx_terminate) {
        rc = ngx_media_rtmp_error(session, cmd->transaction,
                                  "NetConnection.Connect.Rejected",
                                  "the server is restarting, connect again");

        ngx_media_rtmp_close(session, "worker is shutting down");

        return rc;
    }

    session->state = NGX_MEDIA_RTMP_CONNECTED;
    session->reconnect = cmd->caps >= 0 && cmd->caps < 0x80000000
                         && ((uint32_t) cmd->caps & NGX_MEDIA_RTMP_RECONNECT);

    log->action = "waiting for RTMP publish";

    return ngx_media_rtmp_connected(session, cmd);
}


/* NGX_OK, NGX_DECLINED: there is none, NGX_ERROR */

static ngx_int_t
ngx_media_rtmp_find_app(ngx_media_rtmp_session_t *session,
    const ngx_media_span_t *value)
{
    ngx_str_t          name;
    ngx_media_span_t   app, rest;
    ngx_media_app_t   *found;

    app = *value;
    rest = *value;

    ngx_media_rtmp_query(&rest);

    if (ngx_media_span_len(&rest) > NGX_MEDIA_RTMP_ARGS) {
        session->long_args = 1;

    } else if (ngx_media_rtmp_copy(session, &session->args, &rest) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_media_rtmp_trim(&app);

    rest.pos = app.pos;
    rest.last = app.last;

    while (rest.pos < rest.last && *rest.pos != '/') {
        rest.pos++;
    }

    app.last = rest.pos;

    ngx_media_rtmp_trim(&rest);

    name = session->conf->app;

    if (name.len == 0) {
        name.len = ngx_media_span_len(&app);
        name.data = (u_char *) app.pos;
    }

    if (name.len == 0) {
        return NGX_DECLINED;
    }

    found = ngx_media_app_find((ngx_cycle_t *) ngx_cycle, &name);

    if (found == NULL || ngx_media_span_len(&rest) > NGX_MEDIA_NAME_MAX) {
        return NGX_DECLINED;
    }

    if (ngx_media_rtmp_copy(session, &session->prefix, &rest) != NGX_OK) {
        return NGX_ERROR;
    }

    /* as connect says it, which is another name where we are told ours */

    if (session->conf->app.len
        && ngx_media_span_len(&app) <= NGX_MEDIA_NAME_MAX
        && ngx_media_rtmp_copy(session, &session->alias, &app) != NGX_OK)
    {
        return NGX_ERROR;
    }

    session->app = found;

    return NGX_OK;
}


/* for those who ask who it is */

static ngx_int_t
ngx_media_rtmp_client(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_uint_t                  i;
    ngx_str_t                  *dst[4];
    const ngx_media_span_t     *src[4];

    dst[0] = &session->client.agent;
    src[0] = &cmd->version;
    dst[1] = &session->client.url;
    src[1] = &cmd->url;
    dst[2] = &session->client.page;
    src[2] = &cmd->page;
    dst[3] = &session->client.swf;
    src[3] = &cmd->swf;

    for (i = 0; i < 4; i++) {
        if (ngx_media_span_len(src[i]) <= NGX_MEDIA_RTMP_CLIENT
            && ngx_media_rtmp_copy(session, dst[i], src[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_copy(ngx_media_rtmp_session_t *session, ngx_str_t *dst,
    const ngx_media_span_t *src)
{
    dst->len = ngx_media_span_len(src);

    if (dst->len == 0) {
        return NGX_OK;
    }

    dst->data = ngx_pnalloc(session->connection->pool, dst->len);
    if (dst->data == NULL) {
        dst->len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->pos, dst->len);

    return NGX_OK;
}


/* RTMP 1.0, 7.2.1.1 */

static ngx_int_t
ngx_media_rtmp_connected(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    u_char                   *p;
    ngx_uint_t                enhanced;
    ngx_media_text_t         *text;
    ngx_media_rtmp_answer_t   answer;

    p = ngx_media_rtmp_reserve(session, 3 * NGX_MEDIA_RTMP_CONTROL_MAX);
    if (p == NULL) {
        return ngx_media_rtmp_fail(session, "it does not read answers");
    }

    p += ngx_media_rtmp_control_write(p, NGX_MEDIA_RTMP_WINDOW,
                                      session->conf->window);
    p += ngx_media_rtmp_control_write(p, NGX_MEDIA_RTMP_BANDWIDTH,
                                      session->conf->window);
    p += ngx_media_rtmp_control_write(p, NGX_MEDIA_RTMP_CHUNK,
                                      session->conf->chunk_size);

    session->out_last = p;
    session->chunk_size = session->conf->chunk_size;

    ngx_media_rtmp_play_codecs(session, &cmd->fourccs, &cmd->video,
                               &cmd->audio);

    enhanced = cmd->fourccs.type != NGX_MEDIA_AMF_UNDEFINED
               || cmd->video.type != NGX_MEDIA_AMF_UNDEFINED
               || cmd->audio.type != NGX_MEDIA_AMF_UNDEFINED
               || cmd->caps != 0;

    ngx_media_rtmp_result(&answer, 1, cmd->transaction);

    text = &answer.text;

    /* properties: version and capabilities are what clients know from FMS */

    ngx_media_amf_write_object(text);
    ngx_media_amf_write_name(text, "fmsVer");
    ngx_media_amf_write_cstr(text, "FMS/3,5,7,7009");
    ngx_media_amf_write_name(text, "capabilities");
    ngx_media_amf_write_number(text, 31);
    ngx_media_amf_write_name(text, "mode");
    ngx_media_amf_write_number(text, 1);

    if (enhanced) {
        ngx_media_rtmp_capabilities(text);
    }

    ngx_media_amf_write_end(text);

    ngx_media_amf_write_object(text);
    ngx_media_rtmp_info(text, "status", "NetConnection.Connect.Success",
                        "connected");

    /* AMF3 commands are understood, but never asked for */

    ngx_media_amf_write_name(text, "objectEncoding");
    ngx_media_amf_write_number(text, 0);

    if (enhanced) {
        ngx_media_rtmp_capabilities(text);
    }

    ngx_media_amf_write_end(text);

    return ngx_media_rtmp_send(session, &answer, NGX_MEDIA_RTMP_CSID_COMMAND,
                               0);
}


/*
 * Enhanced RTMP v2: the server answers with the names that the client uses,
 * in "an object", so in both of them.
 */

static void
ngx_media_rtmp_capabilities(ngx_media_text_t *text)
{
    u_char                    id[4], array[5];
    ngx_uint_t                i, n, type;
    const ngx_media_codec_t  *codec;

    ngx_media_amf_write_name(text, "capsEx");
    ngx_media_amf_write_number(text, NGX_MEDIA_RTMP_CAPS);

    n = 0;

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        n += ngx_media_rtmp_offers(codec);
    }

    ngx_media_amf_write_name(text, "fourCcList");

    array[0] = NGX_MEDIA_AMF_ARRAY;
    (void) ngx_media_put_be32(&array[1], n);

    ngx_media_text_data(text, array, sizeof(array));

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        if (ngx_media_rtmp_offers(codec)) {
            (void) ngx_media_put_be32(id, codec->id);
            ngx_media_amf_write_string(text, id, sizeof(id));
        }
    }

    for (type = NGX_MEDIA_VIDEO; type <= NGX_MEDIA_AUDIO; type++) {

        if (type == NGX_MEDIA_VIDEO) {
            ngx_media_amf_write_name(text, "videoFourCcInfoMap");

        } else {
            ngx_media_amf_write_name(text, "audioFourCcInfoMap");
        }

        ngx_media_amf_write_object(text);

        for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {

            if (codec->type == type && ngx_media_rtmp_offers(codec)) {
                (void) ngx_media_put_be32(id, codec->id);
                ngx_media_amf_write_key(text, id, sizeof(id));
                ngx_media_amf_write_number(text, NGX_MEDIA_RTMP_CAN_FORWARD);
            }
        }

        ngx_media_amf_write_end(text);
    }
}


static ngx_uint_t
ngx_media_rtmp_offers(const ngx_media_codec_t *codec)
{
    return codec->flv.fourcc && (codec->flags & NGX_MEDIA_IS_LIVE);
}


static ngx_int_t
ngx_media_rtmp_create_stream(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_int_t                i;
    ngx_media_rtmp_answer_t  answer;

    for (i = 0; i < session->conf->max_streams; i++) {
        if (!session->streams[i].created) {
            break;
        }
    }

    if (i == session->conf->max_streams) {
        ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                      "rtmp createStream refused: more than %i streams",
                      session->conf->max_streams);

        return ngx_media_rtmp_error(session, cmd->transaction,
                                    "NetConnection.Call.Failed",
                                    "too many streams on this connection");
    }

    session->streams[i].created = 1;

    ngx_media_rtmp_result(&answer, 1, cmd->transaction);
    ngx_media_amf_write_null(&answer.text);
    ngx_media_amf_write_number(&answer.text, i + 1);

    return ngx_media_rtmp_send(session, &answer, NGX_MEDIA_RTMP_CSID_COMMAND,
                               0);
}


/*
 * RTMP 1.0, 7.2.2.6; "record" and "append" are published as "live" is.
 *
 * Cameras send publish, FCPublish and publish again: what is being published
 * by this very connection has begun already, or goes over to another of its
 * message streams.
 */

static ngx_int_t
ngx_media_rtmp_publish(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    u_char                    buf[NGX_MEDIA_NAME_MAX];
    ngx_int_t                 rc;
    ngx_str_t                 name;
    ngx_media_rtmp_stream_t  *stream, *other;

    stream = ngx_media_rtmp_stream(session, cmd->stream);

    if (stream == NULL) {
        return ngx_media_rtmp_refuse(session, cmd->stream,
                                     NGX_MEDIA_RTMP_NOT_CREATED, NULL);
    }

    if (cmd->value.type != NGX_MEDIA_AMF_STRING) {
        return ngx_media_rtmp_refuse(session, cmd->stream,
                                     NGX_MEDIA_RTMP_NAMELESS, NULL);
    }

    if (ngx_media_rtmp_name(session, &cmd->value.data, buf, &name) != NGX_OK) {
        ngx_media_publish_refuse_name(session->app, &ngx_media_rtmp_protocol,
                                      &name, session->connection->log);

        return ngx_media_rtmp_refuse(session, cmd->stream,
                           NGX_MEDIA_PUBLISH_NAME,
                           ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_NAME));
    }

    other = ngx_media_rtmp_publishing(session, &name);

    if (other == stream) {
        ngx_log_error(NGX_LOG_INFO, &stream->log, 0,
                      "rtmp publish of what is being published here");

        return ngx_media_rtmp_started(session, cmd->stream);
    }

    if (stream->publisher || stream->play || stream->asking) {
        return ngx_media_rtmp_refuse(session, cmd->stream,
                                     NGX_MEDIA_RTMP_OCCUPIED, NULL);
    }

    if (other) {
        rc = ngx_media_rtmp_stop(other, "published on another message stream");

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_media_rtmp_begin(stream, &name, &cmd->value.data);
}


static ngx_uint_t
ngx_media_rtmp_is(const ngx_str_t *text, const ngx_str_t *name)
{
    return text->len == name->len
           && ngx_memcmp(text->data, name->data, name->len) == 0;
}


/* which of this connection's streams has the name, or was asked for by it */

static ngx_media_rtmp_stream_t *
ngx_media_rtmp_publishing(ngx_media_rtmp_session_t *session,
    const ngx_str_t *name)
{
    ngx_int_t                 i;
    ngx_media_rtmp_stream_t  *stream;

    for (i = 0; i < session->conf->max_streams; i++) {
        stream = &session->streams[i];

        if (stream->publisher
            && (ngx_media_rtmp_is(&stream->name, name)
                || ngx_media_rtmp_is(&stream->asked, name)))
        {
            return stream;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_media_rtmp_started(ngx_media_rtmp_session_t *session, uint32_t stream)
{
    if (ngx_media_rtmp_send_user(session, NGX_MEDIA_RTMP_STREAM_BEGIN, stream)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_rtmp_status(session, stream, "status",
                                 "NetStream.Publish.Start", "publishing");
}


/* the client is told why, and so is the log, if publish has not done it */

static ngx_int_t
ngx_media_rtmp_refuse(ngx_media_rtmp_session_t *session, uint32_t stream,
    ngx_int_t rc, const char *reason)
{
    const ngx_media_rtmp_refusal_t  *refusal;

    for (refusal = ngx_media_rtmp_refusals; refusal[1].code; refusal++) {
        if (refusal->rc == rc) {
            break;
        }
    }

    if (refusal->text) {
        reason = refusal->text;

        ngx_media_publish_refused(session->app, refusal->why);
        ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                      "rtmp publish refused: %s, message stream:%uD", reason,
                      stream);
    }

    if (session->publishers == 0 && session->players == 0) {
        session->status = 403;
    }

    if (rc == NGX_MEDIA_PUBLISH_CLOSING && session->reconnect
        && ngx_media_rtmp_reconnect(session) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_rtmp_status(session, stream, "error", refusal->code,
                                 reason);
}


static ngx_int_t
ngx_media_rtmp_begin(ngx_media_rtmp_stream_t *stream, const ngx_str_t *name,
    const ngx_media_span_t *value)
{
    ngx_int_t                  rc;
    const char                *reason;
    ngx_connection_t          *c;
    ngx_media_publish_t        conf;
    ngx_media_publish_e        answer;
    ngx_media_publisher_t     *publisher;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    c = session->connection;

    if (ngx_media_rtmp_hurries(session)) {
        return ngx_media_rtmp_begun(stream, NGX_MEDIA_RTMP_HURRIES, NULL);
    }

    if (stream->buffer == NULL) {
        stream->buffer = ngx_pnalloc(c->pool, 2 * NGX_MEDIA_NAME_MAX);
        if (stream->buffer == NULL) {
            return ngx_media_rtmp_begun(stream, NGX_MEDIA_PUBLISH_NOMEM, NULL);
        }
    }

    rc = ngx_media_rtmp_args(session, value, &stream->args);

    if (rc != NGX_OK) {
        return ngx_media_rtmp_begun(stream, rc == NGX_DECLINED
                                            ? NGX_MEDIA_RTMP_LONG_ARGS
                                            : NGX_MEDIA_PUBLISH_NOMEM, NULL);
    }

    ngx_memcpy(stream->buffer, name->data, name->len);

    stream->asked.data = stream->buffer;
    stream->asked.len = name->len;

    ngx_memzero(&conf, sizeof(ngx_media_publish_t));

    conf.app = session->app;
    conf.name = stream->asked;
    conf.args = stream->args;
    conf.client = &session->client;
    conf.protocol = ngx_media_rtmp_protocol;
    conf.address = c->addr_text;
    conf.connection = c;
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &stream->log;
    conf.ready = ngx_media_rtmp_ready;
    conf.close = ngx_media_rtmp_close_handler;
    conf.data = stream;

    answer = ngx_media_publish_begin(&conf, &publisher, &reason);

    if (answer == NGX_MEDIA_PUBLISH_WAIT) {
        ngx_media_rtmp_wait(stream, publisher);
        return NGX_OK;
    }

    if (answer == NGX_MEDIA_PUBLISH_OK) {
        stream->publisher = publisher;
    }

    return ngx_media_rtmp_begun(stream, answer, reason);
}


ngx_int_t
ngx_media_rtmp_begun(ngx_media_rtmp_stream_t *stream, ngx_int_t rc,
    const char *reason)
{
    uint32_t                   id;
    ngx_connection_t          *c;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    c = session->connection;
    id = stream - session->streams + 1;

    ngx_media_rtmp_free_args(stream);

    if (rc != NGX_MEDIA_PUBLISH_OK) {
        c->log->action = session->publishers ? "receiving RTMP media"
                                             : "waiting for RTMP publish";

        return ngx_media_rtmp_refuse(session, id, rc, reason);
    }

    ngx_media_rtmp_named(stream);
    session->begun++;
    session->publishers++;
    session->status = 200;

    c->log->action = "receiving RTMP media";

    ngx_log_error(NGX_LOG_INFO, &stream->log, 0, "rtmp publish started");

    return ngx_media_rtmp_started(session, id);
}


void
ngx_media_rtmp_named(ngx_media_rtmp_stream_t *stream)
{
    ngx_str_t                  name;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    name = stream->asked;

    if (stream->publisher) {
        ngx_media_publish_name(stream->publisher, &name);
    }

    stream->name.data = stream->buffer + NGX_MEDIA_NAME_MAX;
    stream->name.len = name.len;
    ngx_memcpy(stream->name.data, name.data, name.len);

    /* the stream's buffer is also for names that are refused later */

    session->last.data = session->last_name;
    session->last.len = stream->name.len;
    ngx_memcpy(session->last_name, stream->name.data, stream->name.len);
}


ngx_int_t
ngx_media_rtmp_late(ngx_media_rtmp_stream_t *stream)
{
    ngx_media_rtmp_unwait(stream, "the deadline has come");

    return ngx_media_rtmp_begun(stream, NGX_MEDIA_RTMP_LATE, NULL);
}


/*
 * No more names in a second than a connection may hold at a time: each one is
 * a record that others want, and whoever publishes stays for longer.
 */

ngx_uint_t
ngx_media_rtmp_hurries(ngx_media_rtmp_session_t *session)
{
    if (ngx_current_msec - session->begun_msec >= 1000) {
        session->begun_msec = ngx_current_msec;
        session->begun = 0;
    }

    return session->begun >= (ngx_uint_t) session->conf->max_streams;
}


static void
ngx_media_rtmp_close_handler(void *data, const char *reason)
{
    ngx_media_rtmp_stream_t *stream = data;

    ngx_event_t  *wev;

    wev = stream->session->connection->write;

    ngx_media_rtmp_lost(stream, reason);

    /*
     * what is left to do may end the whole session, but the core goes on
     * with the next publisher, which may be one of this session
     */

    ngx_post_event(wev, &ngx_posted_events);
}


void
ngx_media_rtmp_lost(ngx_media_rtmp_stream_t *stream, const char *reason)
{
    ngx_media_rtmp_session_t  *session;

    session = stream->session;

    /* an answer that finds no room: the end of the connection says it too */

    (void) ngx_media_rtmp_stop(stream, reason);

    if (session->publishers == 0 && session->players == 0
        && session->waiting == NULL)
    {
        ngx_media_rtmp_close(session, reason);
    }
}


static ngx_int_t
ngx_media_rtmp_fcpublish(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_media_rtmp_answer_t  answer;

    if (ngx_media_rtmp_accept(session, cmd) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_media_text_init(&answer.text, answer.buffer, NGX_MEDIA_RTMP_ANSWER);

    ngx_media_amf_write_cstr(&answer.text, "onFCPublish");
    ngx_media_amf_write_number(&answer.text, 0);
    ngx_media_amf_write_null(&answer.text);
    ngx_media_amf_write_object(&answer.text);
    ngx_media_rtmp_info(&answer.text, "status", "NetStream.Publish.Start",
                        "go on");
    ngx_media_amf_write_end(&answer.text);

    return ngx_media_rtmp_send(session, &answer, NGX_MEDIA_RTMP_CSID_COMMAND,
                               0);
}


/* by name: it comes on message stream 0 as well as on that of the stream */

static ngx_int_t
ngx_media_rtmp_fcunpublish(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    u_char                    buf[NGX_MEDIA_NAME_MAX];
    ngx_str_t                 name;
    ngx_media_rtmp_stream_t  *stream;

    if (ngx_media_rtmp_accept(session, cmd) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cmd->value.type != NGX_MEDIA_AMF_STRING
        || ngx_media_rtmp_name(session, &cmd->value.data, buf, &name)
           != NGX_OK)
    {
        return NGX_OK;
    }

    stream = ngx_media_rtmp_publishing(session, &name);

    return stream ? ngx_media_rtmp_stop(stream, "client unpublished") : NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_close_stream(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_media_rtmp_stream_t  *stream;

    stream = ngx_media_rtmp_stream(session, cmd->stream);

    if (stream == NULL) {
        return NGX_OK;
    }

    return ngx_media_rtmp_stop(stream, "client closed stream");
}


static ngx_int_t
ngx_media_rtmp_delete_stream(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_int_t                 rc;
    ngx_media_rtmp_stream_t  *stream;

    if (cmd->value.type != NGX_MEDIA_AMF_NUMBER
        || !(cmd->value.number >= 1
             && cmd->value.number <= session->conf->max_streams))
    {
        return NGX_OK;
    }

    stream = ngx_media_rtmp_stream(session, (uint32_t) cmd->value.number);

    if (stream == NULL) {
        return NGX_OK;
    }

    rc = ngx_media_rtmp_stop(stream, "client deleted stream");

    stream->created = 0;

    return rc;
}


static ngx_int_t
ngx_media_rtmp_stop(ngx_media_rtmp_stream_t *stream, const char *reason)
{
    ngx_media_rtmp_session_t  *session;

    session = stream->session;

    if (stream->play || stream->asking) {
        ngx_media_rtmp_unplay(stream, reason);
        ngx_media_rtmp_waits(session);

        return NGX_OK;
    }

    if (stream->publisher == NULL) {
        return NGX_OK;
    }

    ngx_media_rtmp_unpublish(stream, reason);
    ngx_media_rtmp_waits(session);

    return ngx_media_rtmp_status(session, stream - session->streams + 1,
                                 "status", "NetStream.Unpublish.Success",
                                 reason);
}


static ngx_int_t
ngx_media_rtmp_cmd_play(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    return ngx_media_rtmp_play(session, cmd->stream, &cmd->value);
}


/* Flash Player 10: its only argument is a NetStreamPlayOptions */

static ngx_int_t
ngx_media_rtmp_cmd_play2(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_media_span_t          key;
    ngx_media_amf_value_t     value, name;
    ngx_media_amf_iterator_t  it;

    static const ngx_str_t  wanted = ngx_string("streamName");

    name.type = NGX_MEDIA_AMF_UNDEFINED;

    ngx_media_amf_iterate(&it, &cmd->value);

    while (ngx_media_amf_next(&it, &key, &value) == NGX_OK) {
        if (ngx_media_span_len(&key) == wanted.len
            && ngx_memcmp(key.pos, wanted.data, wanted.len) == 0)
        {
            name = value;
        }
    }

    return ngx_media_rtmp_play(session, cmd->stream, &name);
}


static ngx_int_t
ngx_media_rtmp_cmd_seek(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    return ngx_media_rtmp_status(session, cmd->stream, "error",
                                 "NetStream.Seek.Failed",
                                 "what is live cannot be sought in");
}


static ngx_int_t
ngx_media_rtmp_cmd_pause(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    return ngx_media_rtmp_play_pause(session, cmd->stream, &cmd->value);
}


static ngx_int_t
ngx_media_rtmp_cmd_receive_audio(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    return ngx_media_rtmp_play_receive(session, cmd->stream, NGX_MEDIA_AUDIO,
                                       &cmd->value);
}


static ngx_int_t
ngx_media_rtmp_cmd_receive_video(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    return ngx_media_rtmp_play_receive(session, cmd->stream, NGX_MEDIA_VIDEO,
                                       &cmd->value);
}


/* of what is not there, or live: without an end */

static ngx_int_t
ngx_media_rtmp_length(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_media_rtmp_answer_t  answer;

    if (cmd->transaction == 0) {
        return NGX_OK;
    }

    ngx_media_rtmp_result(&answer, 1, cmd->transaction);
    ngx_media_amf_write_null(&answer.text);
    ngx_media_amf_write_number(&answer.text, 0);

    return ngx_media_rtmp_send(session, &answer, NGX_MEDIA_RTMP_CSID_COMMAND,
                               0);
}


static ngx_int_t
ngx_media_rtmp_accept(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    ngx_media_rtmp_answer_t  answer;

    if (cmd->transaction == 0) {
        return NGX_OK;
    }

    ngx_media_rtmp_result(&answer, 1, cmd->transaction);
    ngx_media_amf_write_null(&answer.text);
    ngx_media_amf_write_null(&answer.text);

    return ngx_media_rtmp_send(session, &answer, NGX_MEDIA_RTMP_CSID_COMMAND,
                               0);
}


static ngx_int_t
ngx_media_rtmp_ignore(ngx_media_rtmp_session_t *session,
    const ngx_media_rtmp_command_t *cmd)
{
    return NGX_OK;
}


ngx_int_t
ngx_media_rtmp_reconnect(ngx_media_rtmp_session_t *session)
{
    ngx_log_debug0(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "rtmp reconnect request");

    return ngx_media_rtmp_status(session, 0, "status",
                                 "NetConnection.Connect.ReconnectRequest",
                                 "the server is restarting");
}


static void
ngx_media_rtmp_result(ngx_media_rtmp_answer_t *answer, ngx_uint_t ok,
    double transaction)
{
    ngx_media_text_init(&answer->text, answer->buffer, NGX_MEDIA_RTMP_ANSWER);

    if (ok) {
        ngx_media_amf_write_cstr(&answer->text, "_result");

    } else {
        ngx_media_amf_write_cstr(&answer->text, "_error");
    }

    ngx_media_amf_write_number(&answer->text, transaction);
}


static void
ngx_media_rtmp_info(ngx_media_text_t *text, const char *level,
    const char *code, const char *description)
{
    ngx_media_amf_write_name(text, "level");
    ngx_media_amf_write_string(text, level, ngx_strlen(level));
    ngx_media_amf_write_name(text, "code");
    ngx_media_amf_write_string(text, code, ngx_strlen(code));
    ngx_media_amf_write_name(text, "description");
    ngx_media_amf_write_string(text, description, ngx_strlen(description));
}


static ngx_int_t
ngx_media_rtmp_error(ngx_media_rtmp_session_t *session, double transaction,
    const char *code, const char *description)
{
    ngx_media_rtmp_answer_t  answer;

    ngx_media_rtmp_result(&answer, 0, transaction);
    ngx_media_amf_write_null(&answer.text);
    ngx_media_amf_write_object(&answer.text);
    ngx_media_rtmp_info(&answer.text, "error", code, description);
    ngx_media_amf_write_end(&answer.text);

    return ngx_media_rtmp_send(session, &answer, NGX_MEDIA_RTMP_CSID_COMMAND,
                               0);
}


/* RTMP 1.0, 7.2.2: onStatus has no answer, so transaction 0 */

ngx_int_t
ngx_media_rtmp_status(ngx_media_rtmp_session_t *session, uint32_t stream,
    const char *level, const char *code, const char *description)
{
    ngx_media_rtmp_answer_t  answer;

    ngx_media_text_init(&answer.text, answer.buffer, NGX_MEDIA_RTMP_ANSWER);

    ngx_media_amf_write_cstr(&answer.text, "onStatus");
    ngx_media_amf_write_number(&answer.text, 0);
    ngx_media_amf_write_null(&answer.text);
    ngx_media_amf_write_object(&answer.text);
    ngx_media_rtmp_info(&answer.text, level, code, description);
    ngx_media_amf_write_end(&answer.text);

    return ngx_media_rtmp_send(session, &answer,
                               stream ? NGX_MEDIA_RTMP_CSID_STATUS
                                      : NGX_MEDIA_RTMP_CSID_COMMAND,
                               stream);
}


static ngx_int_t
ngx_media_rtmp_send(ngx_media_rtmp_session_t *session,
    ngx_media_rtmp_answer_t *answer, uint32_t csid, uint32_t stream)
{
    u_char                         *p;
    size_t                          len, size;
    ngx_media_rtmp_chunk_header_t   header;

    if (answer->text.overflow) {
        ngx_log_error(NGX_LOG_ALERT, session->connection->log, 0,
                      "rtmp answer does not fit, len:%uz",
                      answer->text.total);
        return NGX_ERROR;
    }

    len = answer->text.total;

    header.csid = csid;
    header.timestamp = 0;
    header.type = NGX_MEDIA_RTMP_COMMAND;
    header.stream = stream;

    size = ngx_media_rtmp_chunk_write(NULL, &header, answer->buffer, len,
                                      session->chunk_size);

    p = ngx_media_rtmp_reserve(session, size);
    if (p == NULL) {
        return ngx_media_rtmp_fail(session, "it does not read answers");
    }

    session->out_last += ngx_media_rtmp_chunk_write(p, &header,
                                                    answer->buffer, len,
                                                    session->chunk_size);

    return NGX_OK;
}


ngx_int_t
ngx_media_rtmp_send_user(ngx_media_rtmp_session_t *session, uint32_t event,
    uint32_t value)
{
    u_char  *p;

    p = ngx_media_rtmp_reserve(session, NGX_MEDIA_RTMP_CONTROL_MAX);
    if (p == NULL) {
        return ngx_media_rtmp_fail(session, "it does not read answers");
    }

    session->out_last += ngx_media_rtmp_user_write(p, event, value);

    return NGX_OK;
}
