
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

/* the least that does not need a privilege */
#define NGX_STREAM_MEDIA_TS_PORT  1024


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
    ngx_uint_t                   port;
    ngx_stream_core_srv_conf_t  *cscf;

    ngx_conf_merge_value(conf->program, prev->program, 0);
    ngx_conf_merge_value(conf->early, prev->early, 0);
    ngx_conf_merge_msec_value(conf->udp.timeout, prev->udp.timeout, 5000);
    ngx_conf_merge_size_value(conf->udp.rcvbuf, prev->udp.rcvbuf,
                              1024 * 1024);

    conf->udp.program = conf->program;
    conf->udp.early = conf->early;

    if (conf->file == NULL) {
        return NGX_CONF_OK;
    }

    cscf = ngx_stream_media_core_srv_conf(cf);

    if (cscf->handler != ngx_stream_media_ts_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"media_ts\" is incompatible with another handler, "
                      "such as \"proxy_pass\" or \"return\", in the same "
                      "server: give it a server of its own in %s:%ui",
                      conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    port = ngx_stream_media_port(cf, SOCK_DGRAM);

    if (port == 0 || ngx_stream_media_listens(cf, SOCK_STREAM)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"media_ts\" needs the \"udp\" parameter of each "
                      "\"listen\", and addresses of the internet: write "
                      "\"listen 9001 udp reuseport\" in the server of %s:%ui",
                      conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (port < NGX_STREAM_MEDIA_TS_PORT) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"media_ts\" needs a port from 1024 on, which workers "
                      "may bind: change %ui in the server of %s:%ui", port,
                      conf->file, conf->line);
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
    ngx_stream_core_srv_conf_t  *cscf;
    ngx_stream_media_ts_conf_t  *tcf;

    tcf = (ngx_stream_media_ts_conf_t *) (p + cmd->offset);

    if (tcf->file) {
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
    tcf->file = cf->conf_file->file.name.data;
    tcf->line = cf->conf_file->line;

    if (!ngx_media_publish_name_valid(&tcf->name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" of \"media_ts\" cannot be the name of a "
                           "stream", &tcf->name);
        return NGX_CONF_ERROR;
    }

    cscf = ngx_stream_media_core_srv_conf(cf);

    if (cscf->handler != NULL) {
        return "is incompatible with another handler, such as "
               "\"proxy_pass\" or \"return\", in the same server: give it a "
               "server of its own";
    }

    cscf->handler = ngx_stream_media_ts_handler;

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

    tcf->udp.app = ngx_media_app_find(cf->cycle, &tcf->app);

    if (tcf->udp.app) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown application in \"media_ts %V\": add "
                       "\"media %V { ... }\" outside of the http and stream "
                       "blocks", &tcf->app, &tcf->app);

    return NGX_CONF_ERROR;
}
