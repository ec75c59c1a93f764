
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * media_srt and its directives, and the glue between nginx's UDP sessions and
 * the SRT sessions of ingest/.  nginx makes a session for each address that its
 * listener knows: most of them end with the datagram that made them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "formats/ngx_media_srt.h"
#include "ingest/ngx_media_srt_keys.h"
#include "stream/ngx_stream_media.h"
#include "stream/ngx_stream_media_srt.h"


static void ngx_stream_media_srt_handler(ngx_stream_session_t *s);
static void ngx_stream_media_srt_read(ngx_event_t *rev);
static void ngx_stream_media_srt_finalize(void *data, ngx_uint_t status);
static ngx_int_t ngx_stream_media_srt_value(void *data,
    ngx_media_srt_value_e which, ngx_str_t *value);
static u_char *ngx_stream_media_srt_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_stream_media_srt_text(const void *session,
    ngx_stream_media_text_e what, ngx_str_t *text);
static ngx_media_srt_session_t *ngx_stream_media_srt_get(
    ngx_stream_session_t *s);

static char *ngx_stream_media_srt_param(ngx_conf_t *cf,
    ngx_stream_media_srt_conf_t *conf, ngx_str_t *value);
static ngx_int_t ngx_stream_media_srt_compile(ngx_conf_t *cf,
    ngx_str_t *value, ngx_stream_complex_value_t **cv);
static char *ngx_stream_media_srt_check_app(ngx_conf_t *cf, void *data);


ngx_conf_enum_t  ngx_stream_media_srt_deliveries[] = {
    { ngx_string("paced"), 0 },
    { ngx_string("early"), 1 },
    { ngx_null_string, 0 }
};


static void
ngx_stream_media_srt_handler(ngx_stream_session_t *s)
{
    ngx_int_t                           rc;
    ngx_buf_t                          *b;
    ngx_connection_t                   *c;
    ngx_media_srt_user_t                user;
    ngx_media_srt_session_t            *session;
    const ngx_stream_media_srt_conf_t  *conf;

    c = s->connection;
    b = c->buffer;

    conf = ngx_stream_media_srt_conf(s);

    if (b == NULL) {
        ngx_stream_media_symbols.finalize_session(s, NGX_STREAM_BAD_REQUEST);
        return;
    }

    c->log->action = "reading SRT handshake";

    rc = ngx_media_srt_listen(c, &conf->srt, b->pos, b->last);

    if (rc != NGX_OK) {
        ngx_stream_media_symbols.finalize_session(s, NGX_STREAM_OK);
        return;
    }

    user.finalize = ngx_stream_media_srt_finalize;
    user.value = ngx_stream_media_srt_value;
    user.data = s;

    session = ngx_media_srt_session_create(c, &conf->srt, &user);
    if (session == NULL) {
        ngx_stream_media_symbols.finalize_session(s,
                                             NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_stream_media_ctx(s, session, ngx_stream_media_srt_text) == NULL) {
        return;
    }

    s->log_handler = ngx_stream_media_srt_log;

    c->read->handler = ngx_stream_media_srt_read;

    ngx_media_srt_session_start(session, b->pos, b->last);
}


/* what comes to the listener from the address of a session */

static void
ngx_stream_media_srt_read(ngx_event_t *rev)
{
    u_char                    buf[NGX_MEDIA_SRT_DATAGRAM + 1];
    ssize_t                   n;
    ngx_connection_t         *c;
    ngx_stream_session_t     *s;
    ngx_media_srt_session_t  *session;

    c = rev->data;
    s = c->data;

    session = ngx_stream_media_srt_get(s);

    if (c->close) {
        ngx_media_srt_session_close(session);
        return;
    }

    n = c->recv(c, buf, sizeof(buf));

    if (n > 0 && n < (ssize_t) sizeof(buf)) {
        ngx_media_srt_session_listener(session, buf, buf + n);
    }
}


static void
ngx_stream_media_srt_finalize(void *data, ngx_uint_t status)
{
    ngx_stream_session_t *s = data;

    s->received = ngx_media_srt_session_received(ngx_stream_media_srt_get(s));

    ngx_stream_media_symbols.finalize_session(s, status);
}


static ngx_int_t
ngx_stream_media_srt_value(void *data, ngx_media_srt_value_e which,
    ngx_str_t *value)
{
    ngx_stream_session_t *s = data;

    ngx_stream_complex_value_t         *cv;
    const ngx_stream_media_srt_conf_t  *conf;

    conf = ngx_stream_media_srt_conf(s);

    cv = (which == NGX_MEDIA_SRT_VALUE_NAME) ? conf->name : conf->passphrase;

    ngx_str_null(value);

    if (cv == NULL) {
        return NGX_OK;
    }

    return ngx_stream_media_symbols.complex_value(s, cv, value);
}


static u_char *
ngx_stream_media_srt_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_stream_session_t *s = log->data;

    return ngx_media_srt_session_log(ngx_stream_media_srt_get(s), buf, len);
}


static void
ngx_stream_media_srt_text(const void *session, ngx_stream_media_text_e what,
    ngx_str_t *text)
{
    static const ngx_media_srt_text_e  texts[] = {
        NGX_MEDIA_SRT_APP, NGX_MEDIA_SRT_STREAM, NGX_MEDIA_SRT_REASON,
        NGX_MEDIA_SRT_SESSION
    };

    ngx_media_srt_session_text(session, texts[what], text);
}


static ngx_media_srt_session_t *
ngx_stream_media_srt_get(ngx_stream_session_t *s)
{
    ngx_stream_media_ctx_t  *ctx;

    ctx = ngx_stream_get_module_ctx(s, ngx_stream_vod_module);

    return ctx->session;
}


void
ngx_stream_media_srt_create_conf(ngx_stream_media_srt_conf_t *conf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->app = { 0, NULL };
     *     conf->name = NULL;
     *     conf->place.file = NULL;
     *     conf->srt.app = NULL;
     *     conf->srt.reads = 0;
     */

    conf->passphrase = NGX_CONF_UNSET_PTR;
    conf->srt.play = NGX_CONF_UNSET;
    conf->srt.latency = NGX_CONF_UNSET_MSEC;
    conf->srt.latency_max = NGX_CONF_UNSET_MSEC;
    conf->srt.timeout = NGX_CONF_UNSET_MSEC;
    conf->srt.idle_timeout = NGX_CONF_UNSET_MSEC;
    conf->srt.early = NGX_CONF_UNSET_UINT;
    conf->srt.memory = NGX_CONF_UNSET_SIZE;
    conf->srt.rcvbuf = NGX_CONF_UNSET_SIZE;
}


char *
ngx_stream_media_srt_merge_conf(ngx_conf_t *cf,
    ngx_stream_media_srt_conf_t *prev, ngx_stream_media_srt_conf_t *conf)
{

    ngx_conf_merge_ptr_value(conf->passphrase, prev->passphrase, NULL);
    ngx_conf_merge_value(conf->srt.play, prev->srt.play, 0);

    /* both are of one directive */

    if (conf->srt.latency == NGX_CONF_UNSET_MSEC) {
        conf->srt.latency = prev->srt.latency;
        conf->srt.latency_max = prev->srt.latency_max;
    }

    if (conf->srt.latency == NGX_CONF_UNSET_MSEC) {
        conf->srt.latency = 120;
        conf->srt.latency_max = 8000;
    }

    ngx_conf_merge_msec_value(conf->srt.timeout, prev->srt.timeout, 5000);
    ngx_conf_merge_msec_value(conf->srt.idle_timeout, prev->srt.idle_timeout,
                              60000);
    ngx_conf_merge_uint_value(conf->srt.early, prev->srt.early, 0);
    ngx_conf_merge_size_value(conf->srt.memory, prev->srt.memory,
                              256 * 1024 * 1024);
    ngx_conf_merge_size_value(conf->srt.rcvbuf, prev->srt.rcvbuf,
                              1024 * 1024);

    if (conf->place.file == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_stream_media_place_udp(cf, &conf->place,
                                   ngx_stream_media_srt_handler, 9000)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_stream_media_srt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                         *rv;
    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_stream_media_srt_conf_t  *srt;

    srt = (ngx_stream_media_srt_conf_t *) ((u_char *) conf + cmd->offset);

    if (srt->place.file) {
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

    srt->app = value[1];

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_stream_media_srt_param(cf, srt, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }


    rv = ngx_stream_media_place(cf, &srt->place, "media_srt",
                                ngx_stream_media_srt_handler);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_media_conf_check(cf, ngx_stream_media_srt_check_app, srt)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_media_srt_param(ngx_conf_t *cf, ngx_stream_media_srt_conf_t *conf,
    ngx_str_t *value)
{
    ngx_str_t  name;

    if (value->len == 12 && ngx_strncmp(value->data, "mode=publish", 12) == 0)
    {
        conf->srt.reads = 0;
        return NGX_CONF_OK;
    }

    if (value->len == 9 && ngx_strncmp(value->data, "mode=read", 9) == 0) {
        conf->srt.reads = 1;
        return NGX_CONF_OK;
    }

    if (value->len > 5 && ngx_strncmp(value->data, "name=", 5) == 0) {

        if (conf->name) {
            return "has two names";
        }

        name.data = value->data + 5;
        name.len = value->len - 5;

        return ngx_stream_media_srt_compile(cf, &name, &conf->name) == NGX_OK
               ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"media_srt\": it may be "
                       "\"mode=publish\", \"mode=read\" or \"name=NAME\"",
                       value);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_stream_media_srt_compile(ngx_conf_t *cf, ngx_str_t *value,
    ngx_stream_complex_value_t **cv)
{
    ngx_stream_compile_complex_value_t  ccv;

    *cv = ngx_palloc(cf->pool, sizeof(ngx_stream_complex_value_t));
    if (*cv == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_stream_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = *cv;

    return ngx_stream_media_symbols.compile_complex_value(&ccv);
}


/* the passphrase is not shown: it may stand where another one was meant */

char *
ngx_stream_media_srt_passphrase(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                         *rv;
    ngx_str_t                    *value;
    ngx_stream_complex_value_t   *cv;
    ngx_stream_media_srt_conf_t  *srt;

    srt = (ngx_stream_media_srt_conf_t *) ((u_char *) conf + cmd->offset);

    if (srt->passphrase != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    rv = ngx_stream_media_resolve(cf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        srt->passphrase = NULL;
        return NGX_CONF_OK;
    }

    if (ngx_stream_media_srt_compile(cf, &value[1], &cv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cv->lengths == NULL
        && (value[1].len < NGX_MEDIA_SRT_PASSPHRASE_MIN
            || value[1].len > NGX_MEDIA_SRT_PASSPHRASE_MAX))
    {
        return "must have 10 to 79 bytes";
    }

    srt->passphrase = cv;

    return NGX_CONF_OK;
}


char *
ngx_stream_media_srt_latency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                    *value, text;
    ngx_msec_t                    max;
    ngx_media_srt_conf_t         *srt;
    ngx_stream_media_srt_conf_t  *smsc;

    smsc = (ngx_stream_media_srt_conf_t *) ((u_char *) conf + cmd->offset);
    srt = &smsc->srt;

    if (srt->latency != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    srt->latency = ngx_parse_time(&value[1], 0);
    max = 8000;

    if (cf->args->nelts == 3) {

        if (value[2].len <= 4 || ngx_strncmp(value[2].data, "max=", 4) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"media_srt_latency\": it may be "
                               "\"max=TIME\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        text.data = value[2].data + 4;
        text.len = value[2].len - 4;

        max = ngx_parse_time(&text, 0);
    }

    if (srt->latency == (ngx_msec_t) NGX_ERROR || max == (ngx_msec_t) NGX_ERROR
        || srt->latency < 20 || srt->latency > max || max > 30000)
    {
        return "needs a time from 20ms up to \"max\", which is 30s at most, "
               "and 8s where it is not said";
    }

    srt->latency_max = max;

    return NGX_CONF_OK;
}


static char *
ngx_stream_media_srt_check_app(ngx_conf_t *cf, void *data)
{
    ngx_stream_media_srt_conf_t *conf = data;

    conf->srt.app = ngx_stream_media_place_app(cf, &conf->place, &conf->app);

    return conf->srt.app ? NGX_CONF_OK : NGX_CONF_ERROR;
}
