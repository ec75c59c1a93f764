
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The directives of stream {} servers, and the glue between nginx's stream
 * sessions and the sessions of ingest/.  This module gives the .so its name.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "core/ngx_media.h"
#include "ingest/ngx_media_rtmp.h"
#include "stream/ngx_stream_media.h"
#include "stream/ngx_stream_media_srt.h"
#include "stream/ngx_stream_media_ts.h"

#include <dlfcn.h>


#define NGX_STREAM_MEDIA_WINDOW  2500000

/* above all there are; none of this type is listened to */
#define NGX_STREAM_MEDIA_NO_PORT  65536


typedef struct {
    ngx_media_rtmp_conf_t     rtmp;
    ngx_stream_media_srt_conf_t
                              srt;
    ngx_stream_media_ts_conf_t
                              ts;

    ngx_stream_media_place_t  place;          /* of media_rtmp */
} ngx_stream_media_srv_conf_t;


static void ngx_stream_media_rtmp_handler(ngx_stream_session_t *s);
static void ngx_stream_media_rtmp_read(ngx_event_t *rev);
static void ngx_stream_media_rtmp_write(ngx_event_t *wev);
static void ngx_stream_media_rtmp_finalize(void *data, ngx_uint_t status);
static u_char *ngx_stream_media_rtmp_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_stream_media_rtmp_text(const void *session,
    ngx_stream_media_text_e what, ngx_str_t *text);
static ngx_media_rtmp_session_t *ngx_stream_media_rtmp_get(
    ngx_stream_session_t *s);
static void ngx_stream_media_exit_process(ngx_cycle_t *cycle);

static void *ngx_stream_media_create_srv_conf(ngx_conf_t *cf);
static char *ngx_stream_media_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_stream_media_rtmp(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_stream_media_check_app(ngx_conf_t *cf, void *data);


static ngx_stream_media_bounds_t  ngx_stream_media_timeout_bounds = {
    ngx_stream_media_check_bounds, 100, 3600000, "from 100ms to 1h"
};

static ngx_stream_media_bounds_t  ngx_stream_media_message_bounds = {
    ngx_stream_media_check_bounds, 65536, 16777216, "from 64k to 16m"
};

static ngx_stream_media_bounds_t  ngx_stream_media_chunk_bounds = {
    ngx_stream_media_check_bounds, 128, 65536, "from 128 to 64k"
};

static ngx_stream_media_bounds_t  ngx_stream_media_window_bounds = {
    ngx_stream_media_check_bounds, 16384, 1073741824, "from 16k to 1024m"
};

static ngx_stream_media_bounds_t  ngx_stream_media_srt_timeout_bounds = {
    ngx_stream_media_check_bounds, 1000, 3600000, "from 1s to 1h"
};

static ngx_stream_media_bounds_t  ngx_stream_media_srt_memory_bounds = {
    ngx_stream_media_check_bounds, 1048576, 68719476736, "from 1m to 65536m"
};

static ngx_stream_media_bounds_t  ngx_stream_media_srt_rcvbuf_bounds = {
    ngx_stream_media_check_bounds, 65536, 268435456, "from 64k to 256m"
};

static ngx_conf_num_bounds_t  ngx_stream_media_streams_bounds = {
    ngx_conf_check_num_bounds, 1, 64
};


static ngx_command_t  ngx_stream_media_commands[] = {

    { ngx_string("media_rtmp"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_stream_media_rtmp,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("media_rtmp_play"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, rtmp.play),
      NULL },

    { ngx_string("media_rtmp_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, rtmp.timeout),
      &ngx_stream_media_timeout_bounds },

    { ngx_string("media_rtmp_idle_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, rtmp.idle_timeout),
      &ngx_stream_media_timeout_bounds },

    { ngx_string("media_rtmp_max_message"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, rtmp.max_message),
      &ngx_stream_media_message_bounds },

    { ngx_string("media_rtmp_max_streams"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, rtmp.max_streams),
      &ngx_stream_media_streams_bounds },

    { ngx_string("media_rtmp_chunk_size"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, rtmp.chunk_size),
      &ngx_stream_media_chunk_bounds },

    { ngx_string("media_rtmp_window"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, rtmp.window),
      &ngx_stream_media_window_bounds },

    { ngx_string("media_srt"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE123,
      ngx_stream_media_srt,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt),
      NULL },

    { ngx_string("media_srt_latency"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE12,
      ngx_stream_media_srt_latency,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt),
      NULL },

    { ngx_string("media_srt_passphrase"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_media_srt_passphrase,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt),
      NULL },

    { ngx_string("media_srt_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt.srt.timeout),
      &ngx_stream_media_srt_timeout_bounds },

    { ngx_string("media_srt_idle_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt.srt.idle_timeout),
      &ngx_stream_media_srt_timeout_bounds },

    { ngx_string("media_srt_delivery"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt.srt.early),
      ngx_stream_media_srt_deliveries },

    { ngx_string("media_srt_memory"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt.srt.memory),
      &ngx_stream_media_srt_memory_bounds },

    { ngx_string("media_srt_rcvbuf"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt.srt.rcvbuf),
      &ngx_stream_media_srt_rcvbuf_bounds },

    { ngx_string("media_srt_play"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, srt.srt.play),
      NULL },

    { ngx_string("media_ts"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE2,
      ngx_stream_media_ts,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, ts),
      NULL },

    { ngx_string("media_ts_program"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_media_ts_program,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, ts),
      NULL },

    { ngx_string("media_ts_early"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, ts.early),
      NULL },

    { ngx_string("media_ts_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, ts.udp.timeout),
      &ngx_stream_media_timeout_bounds },

    { ngx_string("media_ts_rcvbuf"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_media_srv_conf_t, ts.udp.rcvbuf),
      &ngx_stream_media_srt_rcvbuf_bounds },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_vod_module_ctx = {
    ngx_stream_media_add_variables,        /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_stream_media_create_srv_conf,      /* create server configuration */
    ngx_stream_media_merge_srv_conf        /* merge server configuration */
};


ngx_module_t  ngx_stream_vod_module = {
    NGX_MODULE_V1,
    &ngx_stream_vod_module_ctx,            /* module context */
    ngx_stream_media_commands,             /* module directives */
    NGX_STREAM_MODULE,                     /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_stream_media_exit_process,         /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


ngx_stream_media_symbols_t  ngx_stream_media_symbols;


static void
ngx_stream_media_rtmp_handler(ngx_stream_session_t *s)
{
    ngx_connection_t             *c;
    ngx_media_rtmp_session_t     *session;
    ngx_stream_media_srv_conf_t  *mscf;

    c = s->connection;

    mscf = ngx_stream_get_module_srv_conf(s, ngx_stream_vod_module);

    session = ngx_media_rtmp_session_create(c, &mscf->rtmp,
                                    ngx_stream_media_rtmp_finalize, s);
    if (session == NULL) {
        ngx_stream_media_symbols.finalize_session(s,
                                             NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_stream_media_ctx(s, session, ngx_stream_media_rtmp_text)
        == NULL)
    {
        return;
    }

    s->log_handler = ngx_stream_media_rtmp_log;

    c->read->handler = ngx_stream_media_rtmp_read;
    c->write->handler = ngx_stream_media_rtmp_write;

    ngx_media_rtmp_session_start(session, c->buffer);
}


static void
ngx_stream_media_rtmp_read(ngx_event_t *rev)
{
    ngx_connection_t      *c;
    ngx_stream_session_t  *s;

    c = rev->data;
    s = c->data;

    ngx_media_rtmp_session_read(ngx_stream_media_rtmp_get(s));
}


static void
ngx_stream_media_rtmp_write(ngx_event_t *wev)
{
    ngx_connection_t      *c;
    ngx_stream_session_t  *s;

    c = wev->data;
    s = c->data;

    ngx_media_rtmp_session_write(ngx_stream_media_rtmp_get(s));
}


static void
ngx_stream_media_rtmp_finalize(void *data, ngx_uint_t status)
{
    ngx_stream_session_t *s = data;

    s->received = ngx_media_rtmp_session_received(
                                               ngx_stream_media_rtmp_get(s));

    ngx_stream_media_symbols.finalize_session(s, status);
}


static u_char *
ngx_stream_media_rtmp_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_stream_session_t *s = log->data;

    return ngx_media_rtmp_session_log(ngx_stream_media_rtmp_get(s), buf, len);
}


static void
ngx_stream_media_rtmp_text(const void *session, ngx_stream_media_text_e what,
    ngx_str_t *text)
{
    static const ngx_media_rtmp_text_e  texts[] = {
        NGX_MEDIA_RTMP_APP, NGX_MEDIA_RTMP_STREAM, NGX_MEDIA_RTMP_REASON
    };

    if (what < sizeof(texts) / sizeof(texts[0])) {
        ngx_media_rtmp_session_text(session, texts[what], text);
    }
}


static ngx_media_rtmp_session_t *
ngx_stream_media_rtmp_get(ngx_stream_session_t *s)
{
    ngx_stream_media_ctx_t  *ctx;

    ctx = ngx_stream_get_module_ctx(s, ngx_stream_vod_module);

    return ctx->session;
}


ngx_stream_media_ctx_t *
ngx_stream_media_ctx(ngx_stream_session_t *s, void *session,
    void (*text)(const void *session, ngx_stream_media_text_e what,
    ngx_str_t *text))
{
    ngx_stream_media_ctx_t  *ctx;

    ctx = ngx_palloc(s->connection->pool, sizeof(ngx_stream_media_ctx_t));
    if (ctx == NULL) {
        ngx_stream_media_symbols.finalize_session(s,
                                             NGX_STREAM_INTERNAL_SERVER_ERROR);
        return NULL;
    }

    ctx->session = session;
    ctx->text = text;

    ngx_stream_set_ctx(s, ctx, ngx_stream_vod_module);

    return ctx;
}


static void
ngx_stream_media_exit_process(ngx_cycle_t *cycle)
{
    ngx_media_rtmp_exit();
    ngx_media_srt_exit();
    ngx_stream_media_ts_exit();
}


const ngx_stream_media_ts_conf_t *
ngx_stream_media_ts_conf(ngx_stream_session_t *s)
{
    ngx_stream_media_srv_conf_t  *mscf;

    mscf = ngx_stream_get_module_srv_conf(s, ngx_stream_vod_module);

    return &mscf->ts;
}


const ngx_stream_media_srt_conf_t *
ngx_stream_media_srt_conf(ngx_stream_session_t *s)
{
    ngx_stream_media_srv_conf_t  *mscf;

    mscf = ngx_stream_get_module_srv_conf(s, ngx_stream_vod_module);

    return &mscf->srt;
}


char *
ngx_stream_media_resolve(ngx_conf_t *cf)
{
    ngx_stream_media_symbols_t  symbols;

    symbols.core_module = dlsym(RTLD_DEFAULT, "ngx_stream_core_module");

    /* POSIX, dlsym(): a function is reached through an object pointer */

    *(void **) &symbols.finalize_session =
                          dlsym(RTLD_DEFAULT, "ngx_stream_finalize_session");

    *(void **) &symbols.compile_complex_value =
                     dlsym(RTLD_DEFAULT, "ngx_stream_compile_complex_value");

    *(void **) &symbols.complex_value =
                             dlsym(RTLD_DEFAULT, "ngx_stream_complex_value");

    if (symbols.core_module == NULL || symbols.finalize_session == NULL
        || symbols.compile_complex_value == NULL
        || symbols.complex_value == NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "nginx's stream module is not visible to "
                           "ngx_stream_vod_module.so: load "
                           "ngx_stream_module.so before it, or use an nginx "
                           "that is built --with-stream and exports its "
                           "symbols (-Wl,-E)");
        return NGX_CONF_ERROR;
    }

    ngx_stream_media_symbols = symbols;

    return ngx_stream_media_add_variables(cf) == NGX_OK ? NGX_CONF_OK
                                                        : NGX_CONF_ERROR;
}


static void *
ngx_stream_media_create_srv_conf(ngx_conf_t *cf)
{
    ngx_stream_media_srv_conf_t  *mscf;

    mscf = ngx_pcalloc(cf->pool, sizeof(ngx_stream_media_srv_conf_t));
    if (mscf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mscf->rtmp.app = { 0, NULL };
     *     mscf->place.file = NULL;
     */

    mscf->rtmp.play = NGX_CONF_UNSET;
    mscf->rtmp.timeout = NGX_CONF_UNSET_MSEC;
    mscf->rtmp.idle_timeout = NGX_CONF_UNSET_MSEC;
    mscf->rtmp.max_message = NGX_CONF_UNSET_SIZE;
    mscf->rtmp.max_streams = NGX_CONF_UNSET;
    mscf->rtmp.chunk_size = NGX_CONF_UNSET_SIZE;
    mscf->rtmp.window = NGX_CONF_UNSET_SIZE;

    ngx_stream_media_srt_create_conf(&mscf->srt);
    ngx_stream_media_ts_create_conf(&mscf->ts);

    return mscf;
}


static char *
ngx_stream_media_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_stream_media_srv_conf_t *prev = parent;
    ngx_stream_media_srv_conf_t *conf = child;

    char  *rv;

    ngx_conf_merge_value(conf->rtmp.play, prev->rtmp.play, 0);
    ngx_conf_merge_msec_value(conf->rtmp.timeout, prev->rtmp.timeout, 10000);
    ngx_conf_merge_msec_value(conf->rtmp.idle_timeout,
                              prev->rtmp.idle_timeout, 30000);
    ngx_conf_merge_size_value(conf->rtmp.max_message, prev->rtmp.max_message,
                              8 * 1024 * 1024);
    ngx_conf_merge_value(conf->rtmp.max_streams, prev->rtmp.max_streams, 8);
    ngx_conf_merge_size_value(conf->rtmp.chunk_size, prev->rtmp.chunk_size,
                              4096);
    ngx_conf_merge_size_value(conf->rtmp.window, prev->rtmp.window,
                              NGX_STREAM_MEDIA_WINDOW);

    rv = ngx_stream_media_srt_merge_conf(cf, &prev->srt, &conf->srt);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_stream_media_ts_merge_conf(cf, &prev->ts, &conf->ts);

    conf->srt.srt.program = conf->ts.program;
    conf->srt.srt.ts_early = conf->ts.early;

    if (rv != NGX_CONF_OK || conf->place.file == NULL) {
        return rv;
    }

    if (ngx_stream_media_place_alone(cf, &conf->place,
                                     ngx_stream_media_rtmp_handler)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_stream_media_listens(cf, SOCK_DGRAM)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"media_rtmp\" is incompatible with the \"udp\" "
                      "parameter of \"listen\": remove it in the server of "
                      "%s:%ui", conf->place.file, conf->place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_stream_media_listens(ngx_conf_t *cf, int type)
{
    return ngx_stream_media_port(cf, type) != NGX_STREAM_MEDIA_NO_PORT;
}


#if (nginx_version >= 1025005)

ngx_uint_t
ngx_stream_media_port(ngx_conf_t *cf, int type)
{
    ngx_uint_t                     i, j, n, least;
    ngx_stream_conf_addr_t        *addr;
    ngx_stream_conf_port_t        *port;
    ngx_stream_core_srv_conf_t    *cscf, **server;
    ngx_stream_core_main_conf_t   *cmcf;

    least = NGX_STREAM_MEDIA_NO_PORT;

    cscf = ngx_stream_media_core_srv_conf(cf);
    cmcf = ngx_stream_media_core_main_conf(cf);

    if (cmcf->ports == NULL) {
        return least;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {

        if (port[i].type != type) {
            continue;
        }

        addr = port[i].addrs.elts;

        for (j = 0; j < port[i].addrs.nelts; j++) {
            server = addr[j].servers.elts;

            for (n = 0; n < addr[j].servers.nelts; n++) {
                if (server[n] == cscf) {
                    least = ngx_min(least,
                                    ngx_inet_get_port(addr[j].opt.sockaddr));
                }
            }
        }
    }

    return least;
}

#else

ngx_uint_t
ngx_stream_media_port(ngx_conf_t *cf, int type)
{
    ngx_uint_t                    i, least;
    ngx_stream_listen_t          *ls;
    ngx_stream_core_main_conf_t  *cmcf;

    least = NGX_STREAM_MEDIA_NO_PORT;

    cmcf = ngx_stream_media_core_main_conf(cf);

    ls = cmcf->listen.elts;

    for (i = 0; i < cmcf->listen.nelts; i++) {
        if (ls[i].ctx == cf->ctx && ls[i].type == type) {
            least = ngx_min(least, ngx_inet_get_port(ls[i].sockaddr));
        }
    }

    return least;
}

#endif


static char *
ngx_stream_media_rtmp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_media_srv_conf_t *mscf = conf;

    char       *rv;
    ngx_str_t  *value;

    if (mscf->place.file) {
        return "is duplicate";
    }

    rv = ngx_stream_media_resolve(cf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (value[1].len == 0) {
            return "needs the name of a \"media\" block, or no parameter";
        }

        mscf->rtmp.app = value[1];
    }

    rv = ngx_stream_media_place(cf, &mscf->place, "media_rtmp",
                                ngx_stream_media_rtmp_handler);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_media_conf_check(cf, ngx_stream_media_check_app, mscf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_media_check_app(ngx_conf_t *cf, void *data)
{
    ngx_stream_media_srv_conf_t *mscf = data;

    if (mscf->rtmp.app.len == 0) {

        if (ngx_media_app_entry(cf->cycle, 0) != NULL) {
            return NGX_CONF_OK;
        }

        return "\"media_rtmp\" has no application to publish to: add "
               "\"media live { }\" outside of the http and stream blocks";
    }

    return ngx_stream_media_place_app(cf, &mscf->place, &mscf->rtmp.app)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_stream_media_check_bounds(ngx_conf_t *cf, void *post, void *data)
{
    ngx_uint_t                *value = data;
    ngx_stream_media_bounds_t *bounds = post;

    ngx_str_t  *arg;

    if (*value >= bounds->low && *value <= bounds->high) {
        return NGX_CONF_OK;
    }

    arg = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" of \"%V\": it must be %s",
                       &arg[1], &arg[0], bounds->text);

    return NGX_CONF_ERROR;
}
