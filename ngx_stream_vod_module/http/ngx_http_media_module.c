
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_session.h"
#include "http/ngx_http_media_subject.h"


typedef struct {
    ngx_array_t               kinds;          /* of arrays of kinds */
} ngx_http_media_main_conf_t;


typedef struct {
    ngx_str_t                 name;           /* of the application */
    ngx_media_app_t          *app;
    ngx_http_media_cors_t     cors;
    ngx_thread_pool_t        *threads;        /* of pictures */

    u_char                   *file;           /* of the directive */
    ngx_uint_t                line;
} ngx_http_media_loc_conf_t;


typedef struct {
    ngx_http_core_loc_conf_t *clcf;
    ngx_http_handler_pt       handler;
    ngx_str_t                 name;           /* of the directive */
} ngx_http_media_answers_t;


static ngx_int_t ngx_http_media_live_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_live_find(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);

static void *ngx_http_media_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_media_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_media_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_media_threads_add(ngx_conf_t *cf,
    ngx_http_media_loc_conf_t *conf);
static char *ngx_http_media_live(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_media_answers_check(ngx_conf_t *cf, void *data);
static char *ngx_http_media_live_check(ngx_conf_t *cf, void *data);
static char *ngx_http_media_cors_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


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

    ngx_http_media_create_main_conf,       /* create main configuration */
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
    ngx_http_media_subject_t   *subject;
    ngx_http_media_loc_conf_t  *mlcf;

    rc = ngx_http_media_accept(r);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK : rc;
    }

    mlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_module);

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_media_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->app = mlcf->app;

    subject = ngx_http_media_subject_parse(r);

    if (subject == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (subject->rc != NGX_OK) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND,
                                     ctx->app->target);
    }

    ctx->url = subject->url;

    if (ngx_http_media_live_find(r, ctx) != NGX_OK) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    ngx_http_media_set_type(r, &ctx->url);

    return ngx_http_media_wait(r, ctx);
}


static ngx_int_t
ngx_http_media_live_find(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media kind:\"%V\", stream: \"%V\", track: \"%V\"",
                   &ctx->url.kind->suffix, &ctx->url.name, &ctx->url.track);

    ctx->handler = ctx->url.kind->live;

    if (ctx->handler == NULL || ctx->url.tagged) {
        return NGX_DECLINED;
    }

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

    if (ctx->url.kind->flags & NGX_HTTP_MEDIA_KIND_TS) {
        ngx_media_stream_ask(&ctx->stream, NGX_MEDIA_ASK_TS);
    }

    ctx->second.track = NGX_MEDIA_NO_TRACK;

    if (ctx->url.second.len
        && ngx_media_track_find(&ctx->stream, &ctx->url.second, &ctx->second)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_media_app_t *
ngx_http_media_app_conf(ngx_http_request_t *r)
{
    ngx_http_media_loc_conf_t  *mlcf;

    mlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_module);

    return mlcf->app;
}


ngx_thread_pool_t *
ngx_http_media_threads(ngx_http_request_t *r)
{
    ngx_http_media_loc_conf_t  *mlcf;

    mlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_module);

    return mlcf->threads;
}


ngx_http_media_cors_t *
ngx_http_media_cors_conf(ngx_http_request_t *r)
{
    ngx_http_media_loc_conf_t  *mlcf;

    mlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_module);

    return &mlcf->cors;
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
ngx_http_media_kinds_parse(ngx_http_request_t *r, const u_char *pos,
    const u_char *last, ngx_http_media_url_t *url)
{
    ngx_uint_t                      i;
    ngx_http_media_main_conf_t     *mmcf;
    const ngx_http_media_kind_t   **kinds;

    mmcf = ngx_http_get_module_main_conf(r, ngx_http_media_module);

    kinds = mmcf->kinds.elts;

    for (i = 0; i < mmcf->kinds.nelts; i++) {
        if (ngx_http_media_url_parse(kinds[i], pos, last, url) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_media_kinds_add(ngx_conf_t *cf, const ngx_http_media_kind_t *kinds)
{
    ngx_http_media_main_conf_t     *mmcf;
    const ngx_http_media_kind_t   **elt;

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_media_module);

    elt = ngx_array_push(&mmcf->kinds);
    if (elt == NULL) {
        return NGX_ERROR;
    }

    *elt = kinds;

    return NGX_OK;
}


/* ours are there before the preconfiguration of any module, and so first */

static void *
ngx_http_media_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_media_main_conf_t     *conf;
    const ngx_http_media_kind_t   **elt;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&conf->kinds, cf->pool, 4,
                       sizeof(ngx_http_media_kind_t *))
        != NGX_OK)
    {
        return NULL;
    }

    elt = ngx_array_push(&conf->kinds);
    *elt = ngx_http_media_kinds;

    return conf;
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
     *     conf->threads = NULL;
     *     conf->file = NULL;
     *     conf->line = 0;
     */

    conf->cors.origins = NGX_CONF_UNSET_PTR;
    conf->cors.any = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_media_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_media_loc_conf_t *prev = parent;
    ngx_http_media_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_ptr_value(conf->cors.origins, prev->cors.origins, NULL);
    ngx_conf_merge_value(conf->cors.any, prev->cors.any, 0);

    if (conf->name.len) {
        return ngx_http_media_threads_add(cf, conf);
    }

    if (prev->name.len == 0) {
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

    return ngx_http_media_threads_add(cf, conf);
}


/* as of files: "aio threads=NAME" says which ones work */

static char *
ngx_http_media_threads_add(ngx_conf_t *cf, ngx_http_media_loc_conf_t *conf)
{
#if (NGX_MEDIA_HAVE_AV)

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    conf->threads = clcf->thread_pool;

    if (conf->threads == NULL) {
        conf->threads = ngx_thread_pool_add(cf, NULL);

        if (conf->threads == NULL) {
            return NGX_CONF_ERROR;
        }
    }

#endif

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

    if (clcf->exact_match) {
        return "cannot be used inside \"location = ...\", which matches "
               "nothing of a stream: its name is what follows the prefix";
    }

    if (ngx_http_media_answers(cf, cmd, ngx_http_media_live_handler)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mlcf->name = value[1];
    mlcf->file = cf->conf_file->file.name.data;
    mlcf->line = cf->conf_file->line;

    if (ngx_http_media_place_add(cf, &mlcf->name) != NGX_OK
        || ngx_media_conf_check(cf, ngx_http_media_live_check, mlcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* one directive of a location answers its requests, the last one would win */

ngx_int_t
ngx_http_media_answers(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_handler_pt handler)
{
    ngx_http_media_answers_t  *answers;

    answers = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_answers_t));
    if (answers == NULL) {
        return NGX_ERROR;
    }

    answers->clcf = ngx_http_conf_get_module_loc_conf(cf,
                                                      ngx_http_core_module);
    answers->handler = handler;
    answers->name = cmd->name;

    if (answers->clcf->handler
        && ngx_http_media_answers_check(cf, answers) != NGX_CONF_OK)
    {
        return NGX_ERROR;
    }

    answers->clcf->handler = handler;

    return ngx_media_conf_check(cf, ngx_http_media_answers_check, answers);
}


static char *
ngx_http_media_answers_check(ngx_conf_t *cf, void *data)
{
    ngx_http_media_answers_t *answers = data;

    if (answers->clcf->handler == answers->handler) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" is in one location with another directive "
                       "that answers its requests, \"proxy_pass\" for "
                       "instance: give each a location of its own",
                       &answers->name);

    return NGX_CONF_ERROR;
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

    /* who is asked about once in a while has to be known again meanwhile */

    if (ngx_media_access_asks(mlcf->app)
        && ngx_media_sessions_get(cf->cycle) == NULL)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"media_live %V\" needs \"media_sessions\", as "
                      "\"media %V { }\" has hooks for viewers, in %s:%ui",
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

    if (mlcf->cors.origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    mlcf->cors.origins = NULL;
    mlcf->cors.any = 0;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "off") == 0) {
            return NGX_CONF_OK;
        }

        if (ngx_strcmp(value[1].data, "on") == 0
            || ngx_strcmp(value[1].data, "*") == 0)
        {
            mlcf->cors.any = 1;
            return NGX_CONF_OK;
        }
    }

    mlcf->cors.origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                          sizeof(ngx_str_t));
    if (mlcf->cors.origins == NULL) {
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

        origin = ngx_array_push(mlcf->cors.origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = value[i];
    }

    return NGX_CONF_OK;
}
