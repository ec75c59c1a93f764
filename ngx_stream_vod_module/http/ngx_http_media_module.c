
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"


typedef struct {
    ngx_str_t                 name;           /* of the application */
    ngx_media_app_t          *app;
    ngx_array_t              *cors;           /* of origins, ngx_str_t */
    ngx_flag_t                cors_any;

    u_char                   *file;           /* of the directive */
    ngx_uint_t                line;
} ngx_http_media_loc_conf_t;


/* who answers what; indexed by kind */

typedef struct {
    ngx_str_t                  type;          /* Content-Type, video */
    ngx_str_t                  audio;
    ngx_http_media_handler_pt  handler;
} ngx_http_media_kind_t;


static ngx_int_t ngx_http_media_live_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_live_parse(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static ngx_int_t ngx_http_media_live_find(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static void ngx_http_media_live_type(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static ngx_int_t ngx_http_media_cors(ngx_http_request_t *r,
    ngx_http_media_loc_conf_t *mlcf);
static ngx_str_t *ngx_http_media_cors_origin(ngx_http_request_t *r,
    ngx_http_media_loc_conf_t *mlcf);
static ngx_table_elt_t *ngx_http_media_request_header(ngx_http_request_t *r,
    const char *name, size_t len);
static ngx_int_t ngx_http_media_preflight(ngx_http_request_t *r);
static ngx_table_elt_t *ngx_http_media_push(ngx_http_request_t *r,
    const char *name, const char *fmt, va_list args);

static void *ngx_http_media_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_media_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_media_live(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_media_live_check(ngx_conf_t *cf, void *data);
static char *ngx_http_media_cors_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#define ngx_http_media_type(type)  ngx_string(type), ngx_string(type)


static const ngx_http_media_kind_t
    ngx_http_media_kinds[NGX_HTTP_MEDIA_KINDS] =
{
    /* NGX_HTTP_MEDIA_MULTI */
    { ngx_http_media_type("application/vnd.apple.mpegurl"),
      ngx_http_media_manifest_handler },

    /* NGX_HTTP_MEDIA_MPD */
    { ngx_http_media_type("application/dash+xml"),
      ngx_http_media_manifest_handler },

    /* NGX_HTTP_MEDIA_TIME */
    { ngx_http_media_type("text/plain"),
      ngx_http_media_time_handler },

    /* NGX_HTTP_MEDIA_PLAYLIST */
    { ngx_http_media_type("application/vnd.apple.mpegurl"),
      ngx_http_media_playlist_handler },

    /* NGX_HTTP_MEDIA_IFRAMES */
    { ngx_http_media_type("application/vnd.apple.mpegurl"),
      ngx_http_media_playlist_handler },

    /* NGX_HTTP_MEDIA_INIT */
    { ngx_string("video/mp4"), ngx_string("audio/mp4"),
      ngx_http_media_init_handler },

    /* NGX_HTTP_MEDIA_SEGMENT */
    { ngx_string("video/mp4"), ngx_string("audio/mp4"),
      ngx_http_media_segment_handler },

    /* NGX_HTTP_MEDIA_PART */
    { ngx_string("video/mp4"), ngx_string("audio/mp4"),
      ngx_http_media_part_handler },

    /* NGX_HTTP_MEDIA_RUN */
    { ngx_string("video/mp4"), ngx_string("audio/mp4"),
      ngx_http_media_run_handler }
};


static ngx_command_t  ngx_http_media_commands[] = {

    { ngx_string("media_live"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_media_live,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("media_cors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_media_cors_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_create_loc_conf,        /* create location configuration */
    ngx_http_media_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_http_media_module = {
    NGX_MODULE_V1,
    &ngx_http_media_module_ctx,            /* module context */
    ngx_http_media_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_media_live_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_media_ctx_t       *ctx;
    ngx_http_media_loc_conf_t  *mlcf;

    mlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_module);

    if (ngx_http_media_cors(r, mlcf) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_OPTIONS && (mlcf->cors || mlcf->cors_any)) {
        return ngx_http_media_preflight(r);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_media_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->app = mlcf->app;

    if (ngx_http_media_live_parse(r, ctx) != NGX_OK) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND,
                                     ctx->app->target);
    }

    if (ngx_http_media_live_find(r, ctx) != NGX_OK) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    ngx_http_media_live_type(r, ctx);

    return ngx_http_media_wait(r, ctx);
}


static ngx_int_t
ngx_http_media_live_parse(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    size_t                     len;
    u_char                    *p, *last;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    len = clcf->name.len;

    if (r->uri.len < len) {
        return NGX_DECLINED;
    }

    p = r->uri.data + len;
    last = r->uri.data + r->uri.len;

    /* "location /live" has no business with /liveness */

    if (len == 0 || clcf->name.data[len - 1] != '/') {

        if (p == last || *p != '/') {
            return NGX_DECLINED;
        }

        p++;
    }

    return ngx_http_media_url_parse(p, last, &ctx->url);
}


static ngx_int_t
ngx_http_media_live_find(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media kind:%ui, stream: \"%V\", track: \"%V\"",
                   (ngx_uint_t) ctx->url.kind, &ctx->url.name,
                   &ctx->url.track);

    if (ngx_media_stream_find(ctx->app->zone, &ctx->url.name, &ctx->stream)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (ctx->url.track.len
        && ngx_media_track_find(&ctx->stream, &ctx->url.track, &ctx->track)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ctx->handler = ngx_http_media_kinds[ctx->url.kind].handler;

    return NGX_OK;
}


static void
ngx_http_media_live_type(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    const ngx_http_media_kind_t  *kind;

    kind = &ngx_http_media_kinds[ctx->url.kind];

    r->headers_out.content_type = kind->type;

    if (ctx->url.track.len && ctx->url.track.data[0] == 'a') {
        r->headers_out.content_type = kind->audio;
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
}


ngx_int_t
ngx_http_media_refuse(ngx_http_request_t *r, ngx_int_t status,
    time_t lifetime)
{
    if (ngx_http_media_cache_control(r, lifetime, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_http_media_header(r, "Retry-After", "1") != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return status;
}


ngx_int_t
ngx_http_media_later(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    const ngx_media_edge_t *edge)
{
    /* its publisher has gone: what was hinted at will not come */

    if (!ngx_http_media_is_live(edge)) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    if (ctx->timedout) {
        return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    return NGX_HTTP_MEDIA_WAIT;
}


ngx_int_t
ngx_http_media_cache_control(ngx_http_request_t *r, time_t lifetime,
    ngx_uint_t immutable)
{
    if (lifetime == NGX_HTTP_MEDIA_NO_STORE) {
        return ngx_http_media_header(r, "Cache-Control", "no-store");
    }

    return ngx_http_media_header(r, "Cache-Control",
                                 immutable ? "max-age=%T, immutable"
                                           : "max-age=%T",
                                 lifetime);
}


ngx_int_t
ngx_http_media_etag(ngx_http_request_t *r, const char *fmt, ...)
{
    u_char           *p;
    va_list           args;
    ngx_table_elt_t  *h;

    va_start(args, fmt);
    h = ngx_http_media_push(r, "ETag", fmt, args);
    va_end(args);

    if (h == NULL) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, h->value.len + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    h->value.len = ngx_sprintf(p, "\"%V\"", &h->value) - p;
    h->value.data = p;

    r->headers_out.etag = h;

    return NGX_OK;
}


ngx_int_t
ngx_http_media_header(ngx_http_request_t *r, const char *name,
    const char *fmt, ...)
{
    va_list           args;
    ngx_table_elt_t  *h;

    va_start(args, fmt);
    h = ngx_http_media_push(r, name, fmt, args);
    va_end(args);

    return h ? NGX_OK : NGX_ERROR;
}


/* name and format are static, the value is of at most 255 bytes */

static ngx_table_elt_t *
ngx_http_media_push(ngx_http_request_t *r, const char *name, const char *fmt,
    va_list args)
{
    size_t            len;
    u_char            buf[256];
    ngx_table_elt_t  *h;

    len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);

    h->value.len = len;
    h->value.data = ngx_pnalloc(r->pool, len);

    if (h->value.data == NULL) {
        return NULL;
    }

    ngx_memcpy(h->value.data, buf, len);

    h->hash = 1;

    return h;
}


/* Fetch: what a page of another origin may see of the response */

static ngx_int_t
ngx_http_media_cors(ngx_http_request_t *r, ngx_http_media_loc_conf_t *mlcf)
{
    ngx_str_t  *origin;

    if (mlcf->cors_any) {
        if (ngx_http_media_header(r, "Access-Control-Allow-Origin", "*")
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (mlcf->cors) {

        if (ngx_http_media_header(r, "Vary", "Origin") != NGX_OK) {
            return NGX_ERROR;
        }

        origin = ngx_http_media_cors_origin(r, mlcf);

        if (origin == NULL) {
            return NGX_OK;
        }

        if (ngx_http_media_header(r, "Access-Control-Allow-Origin", "%V",
                                  origin)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else {
        return NGX_OK;
    }

    return ngx_http_media_header(r, "Access-Control-Expose-Headers",
                                 "Age, Content-Length, Content-Range, Date, "
                                 "ETag, Retry-After, X-Media-Open");
}


static ngx_str_t *
ngx_http_media_cors_origin(ngx_http_request_t *r,
    ngx_http_media_loc_conf_t *mlcf)
{
    ngx_str_t        *origins;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    h = ngx_http_media_request_header(r, "origin", 6);
    if (h == NULL) {
        return NULL;
    }

    origins = mlcf->cors->elts;

    for (i = 0; i < mlcf->cors->nelts; i++) {
        if (origins[i].len == h->value.len
            && ngx_strncasecmp(origins[i].data, h->value.data, h->value.len)
               == 0)
        {
            return &origins[i];
        }
    }

    return NULL;
}


static ngx_table_elt_t *
ngx_http_media_request_header(ngx_http_request_t *r, const char *name,
    size_t len)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;

    for ( /* void */ ; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                return &h[i];
            }
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_media_preflight(ngx_http_request_t *r)
{
    if (ngx_http_media_header(r, "Access-Control-Allow-Methods",
                              "GET, HEAD, OPTIONS")
        != NGX_OK
        || ngx_http_media_header(r, "Access-Control-Allow-Headers",
                                 "Range, If-None-Match, CMCD-Object, "
                                 "CMCD-Request, CMCD-Session, CMCD-Status")
           != NGX_OK
        || ngx_http_media_header(r, "Access-Control-Max-Age", "86400")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    ngx_http_clear_content_length(r);

    return ngx_http_send_header(r);
}


static void *
ngx_http_media_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_media_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->name = { 0, NULL };
     *     conf->app = NULL;
     *     conf->file = NULL;
     *     conf->line = 0;
     */

    conf->cors = NGX_CONF_UNSET_PTR;
    conf->cors_any = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_media_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_media_loc_conf_t *prev = parent;
    ngx_http_media_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_ptr_value(conf->cors, prev->cors, NULL);
    ngx_conf_merge_value(conf->cors_any, prev->cors_any, 0);

    if (conf->name.len || prev->name.len == 0) {
        return NGX_CONF_OK;
    }

    /* "if" and "limit_except" blocks go on with what surrounds them */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->noname && !clcf->lmt_excpt) {
        return NGX_CONF_OK;
    }

    conf->name = prev->name;
    conf->file = prev->file;
    conf->line = prev->line;

    if (clcf->handler == NULL) {
        clcf->handler = ngx_http_media_live_handler;
    }

    if (ngx_media_conf_check(cf, ngx_http_media_live_check, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_media_live(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_loc_conf_t *mlcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (mlcf->name.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the name of a \"media\" block";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

#if (NGX_PCRE)

    if (clcf->regex) {
        return "cannot be used inside a location given by a regular "
               "expression: the stream's name is what follows the prefix";
    }

#endif

    if (clcf->named) {
        return "cannot be used inside a named location";
    }

    clcf->handler = ngx_http_media_live_handler;

    mlcf->name = value[1];
    mlcf->file = cf->conf_file->file.name.data;
    mlcf->line = cf->conf_file->line;

    if (ngx_media_conf_check(cf, ngx_http_media_live_check, mlcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_media_live_check(ngx_conf_t *cf, void *data)
{
    ngx_http_media_loc_conf_t *mlcf = data;

    mlcf->app = ngx_media_app_find(cf->cycle, &mlcf->name);

    if (mlcf->app == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"media_live %V\": there is no \"media %V { }\" block "
                      "in %s:%ui",
                      &mlcf->name, &mlcf->name, mlcf->file, mlcf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_media_cors_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_loc_conf_t *mlcf = conf;

    ngx_str_t   *value, *origin;
    ngx_uint_t   i;

    if (mlcf->cors != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    mlcf->cors = NULL;
    mlcf->cors_any = 0;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "off") == 0) {
            return NGX_CONF_OK;
        }

        if (ngx_strcmp(value[1].data, "on") == 0
            || ngx_strcmp(value[1].data, "*") == 0)
        {
            mlcf->cors_any = 1;
            return NGX_CONF_OK;
        }
    }

    mlcf->cors = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                  sizeof(ngx_str_t));
    if (mlcf->cors == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        /* RFC 6454, 6.2: scheme "://" host [ ":" port ] */

        if (value[i].len > 240
            || ngx_strstr(value[i].data, "://") == NULL
            || value[i].data[value[i].len - 1] == '/')
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid origin \"%V\", write \"on\", \"off\" "
                               "or origins like \"https://example.com\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        origin = ngx_array_push(mlcf->cors);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = value[i];
    }

    return NGX_CONF_OK;
}
