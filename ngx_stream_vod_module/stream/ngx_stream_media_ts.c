
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * media_ts: datagrams of MPEG-TS that come to a server are a publisher.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "core/ngx_media.h"
#include "ingest/ngx_media_publish.h"
#include "stream/ngx_stream_media.h"
#include "stream/ngx_stream_media_ts.h"


/* of a datagram */
#define NGX_STREAM_MEDIA_TS_READ  65536


static void ngx_stream_media_ts_handler(ngx_stream_session_t *s);
static void ngx_stream_media_ts_read(ngx_event_t *rev);
static void ngx_stream_media_ts_write(ngx_event_t *wev);
static void ngx_stream_media_ts_finalize(void *data, ngx_uint_t status);
static u_char *ngx_stream_media_ts_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_stream_media_ts_text(const void *session,
    ngx_stream_media_text_e what, ngx_str_t *text);
static ngx_media_ts_udp_session_t *ngx_stream_media_ts_get(
    ngx_stream_session_t *s);
static char *ngx_stream_media_ts_check_app(ngx_conf_t *cf, void *data);


/* of this worker: nothing of it is used after the call that filled it */
static u_char  ngx_stream_media_ts_buffer[NGX_STREAM_MEDIA_TS_READ];


static void
ngx_stream_media_ts_handler(ngx_stream_session_t *s)
{
    ngx_buf_t                         *b;
    ngx_connection_t                  *c;
    ngx_media_ts_udp_session_t        *session;
    const ngx_stream_media_ts_conf_t  *conf;

    c = s->connection;
    b = c->buffer;
    conf = ngx_stream_media_ts_conf(s);

    /* what is no MPEG-TS makes nobody a publisher */

    if (b == NULL || !ngx_media_ts_udp_is(b->pos, b->last)) {
        ngx_log_debug0(NGX_LOG_DEBUG_STREAM, c->log, 0,
                       "ts datagram that is none is ignored");

        ngx_stream_media_symbols.finalize_session(s, NGX_STREAM_BAD_REQUEST);
        return;
    }

    session = ngx_media_ts_udp_session_create(c, &conf->udp, &conf->name,
                                              ngx_stream_media_ts_finalize, s);
    if (session == NULL) {
        ngx_stream_media_symbols.finalize_session(s,
                                             NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_stream_media_ctx(s, session, ngx_stream_media_ts_text) == NULL) {
        return;
    }

    s->log_handler = ngx_stream_media_ts_log;

    c->read->handler = ngx_stream_media_ts_read;
    c->write->handler = ngx_stream_media_ts_write;

    ngx_media_ts_udp_session_start(session, b->pos, b->last);
}


/* what still comes by the listener */

static void
ngx_stream_media_ts_read(ngx_event_t *rev)
{
    ssize_t                      n;
    ngx_connection_t            *c;
    ngx_media_ts_udp_session_t  *session;

    c = rev->data;
    session = ngx_stream_media_ts_get(c->data);

    if (c->close) {
        ngx_media_ts_udp_session_close(session);
        return;
    }

    n = c->recv(c, ngx_stream_media_ts_buffer, NGX_STREAM_MEDIA_TS_READ);

    if (n > 0) {
        ngx_media_ts_udp_session_listener(session, ngx_stream_media_ts_buffer,
                                          ngx_stream_media_ts_buffer + n);
    }
}


static void
ngx_stream_media_ts_write(ngx_event_t *wev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_STREAM, wev->log, 0,
                   "ts: nothing is sent to publishers");
}


static void
ngx_stream_media_ts_finalize(void *data, ngx_uint_t status)
{
    ngx_stream_session_t *s = data;

    s->received = ngx_media_ts_udp_session_received(
                                                  ngx_stream_media_ts_get(s));

    ngx_stream_media_symbols.finalize_session(s, status);
}


static u_char *
ngx_stream_media_ts_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_stream_session_t *s = log->data;

    return ngx_media_ts_udp_session_log(ngx_stream_media_ts_get(s), buf, len);
}


static void
ngx_stream_media_ts_text(const void *session, ngx_stream_media_text_e what,
    ngx_str_t *text)
{
    static const ngx_media_ts_udp_text_e  texts[] = {
        NGX_MEDIA_TS_UDP_APP, NGX_MEDIA_TS_UDP_STREAM, NGX_MEDIA_TS_UDP_REASON
    };

    if (what >= sizeof(texts) / sizeof(texts[0])) {
        ngx_str_null(text);
        return;
    }

    ngx_media_ts_udp_session_text(session, texts[what], text);
}


static ngx_media_ts_udp_session_t *
ngx_stream_media_ts_get(ngx_stream_session_t *s)
{
    ngx_stream_media_ctx_t  *ctx;

    ctx = ngx_stream_get_module_ctx(s, ngx_stream_vod_module);

    return ctx->session;
}


void
ngx_stream_media_ts_exit(void)
{
    ngx_media_ts_udp_exit();
}


void
ngx_stream_media_ts_create_conf(ngx_stream_media_ts_conf_t *conf)
{
    conf->program = NGX_CONF_UNSET;
    conf->early = NGX_CONF_UNSET;
    conf->udp.timeout = NGX_CONF_UNSET_MSEC;
    conf->udp.rcvbuf = NGX_CONF_UNSET_SIZE;
}


char *
ngx_stream_media_ts_merge_conf(ngx_conf_t *cf,
    ngx_stream_media_ts_conf_t *prev, ngx_stream_media_ts_conf_t *conf)
{

    ngx_conf_merge_value(conf->program, prev->program, 0);
    ngx_conf_merge_value(conf->early, prev->early, 0);
    ngx_conf_merge_msec_value(conf->udp.timeout, prev->udp.timeout, 5000);
    ngx_conf_merge_size_value(conf->udp.rcvbuf, prev->udp.rcvbuf,
                              1024 * 1024);

    conf->udp.program = conf->program;
    conf->udp.early = conf->early;

    if (conf->place.file == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_stream_media_place_udp(cf, &conf->place,
                                   ngx_stream_media_ts_handler, 9001)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_stream_media_ts(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    char                        *rv;
    ngx_str_t                   *value;
    ngx_stream_media_ts_conf_t  *tcf;

    tcf = (ngx_stream_media_ts_conf_t *) (p + cmd->offset);

    if (tcf->place.file) {
        return "is duplicate";
    }

    rv = ngx_stream_media_resolve(cf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the name of a \"media\" block";
    }

    if (ngx_strncmp(value[2].data, "name=", 5) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"media_ts\": it must "
                           "be \"name=NAME\", of the stream", &value[2]);
        return NGX_CONF_ERROR;
    }

    tcf->app = value[1];
    tcf->name.data = value[2].data + 5;
    tcf->name.len = value[2].len - 5;

    if (!ngx_media_publish_name_valid(&tcf->name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" of \"media_ts\" cannot be the name of a "
                           "stream", &tcf->name);
        return NGX_CONF_ERROR;
    }

    rv = ngx_stream_media_place(cf, &tcf->place, "media_ts",
                                ngx_stream_media_ts_handler);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_media_conf_check(cf, ngx_stream_media_ts_check_app, tcf)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_stream_media_ts_program(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t                    n;
    ngx_str_t                   *value;
    ngx_stream_media_ts_conf_t  *tcf;

    tcf = (ngx_stream_media_ts_conf_t *) (p + cmd->offset);

    if (tcf->program != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "first") == 0) {
        tcf->program = 0;
        return NGX_CONF_OK;
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 1 || n > 65535) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid program \"%V\": it must be \"first\" or a "
                           "number from 1 to 65535", &value[1]);
        return NGX_CONF_ERROR;
    }

    tcf->program = n;

    return NGX_CONF_OK;
}


static char *
ngx_stream_media_ts_check_app(ngx_conf_t *cf, void *data)
{
    ngx_stream_media_ts_conf_t *tcf = data;

    tcf->udp.app = ngx_stream_media_place_app(cf, &tcf->place, &tcf->app);

    return tcf->udp.app ? NGX_CONF_OK : NGX_CONF_ERROR;
}
