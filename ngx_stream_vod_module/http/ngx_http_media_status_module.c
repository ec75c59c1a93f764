
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_session.h"
#include "http/ngx_http_media_status.h"
#include "http/ngx_http_media_vod.h"


static ngx_int_t ngx_http_media_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_status_collect(ngx_http_request_t *r,
    ngx_http_media_status_t *status);
static ngx_int_t ngx_http_media_status_collect_app(ngx_http_request_t *r,
    ngx_http_media_status_app_t *app);

static char *ngx_http_media_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_media_status_commands[] = {

    { ngx_string("media_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_media_status,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_status_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_status_module = {
    NGX_MODULE_V1,
    &ngx_http_media_status_module_ctx,     /* module context */
    ngx_http_media_status_commands,        /* module directives */
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
ngx_http_media_status_handler(ngx_http_request_t *r)
{
    size_t                    len;
    u_char                   *p;
    ngx_int_t                 rc;
    ngx_http_media_status_t   status;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_media_status_collect(r, &status) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = ngx_http_media_status_json(NULL, 0, &status);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_http_media_status_json(p, len, &status);

    if (ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_http_media_bytes_send(r, p, len);
}


static ngx_int_t
ngx_http_media_status_collect(ngx_http_request_t *r,
    ngx_http_media_status_t *status)
{
    ngx_uint_t          n;
    ngx_media_cache_t  *cache;

    for (n = 0; ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, n); n++) {
        /* void */
    }

    ngx_memzero(status, sizeof(ngx_http_media_status_t));

    cache = ngx_http_media_vod_cache_conf(r);

    if (cache) {
        ngx_media_cache_stat(cache, &status->cache);
        status->vod = 1;
    }

    status->sessions = (ngx_http_media_sessions_conf(r) != NULL);
    status->time = ngx_media_wall_msec();
    status->worker = ngx_worker;
    status->napps = n;

    if (n == 0) {
        return NGX_OK;
    }

    status->apps = ngx_pcalloc(r->pool,
                               n * sizeof(ngx_http_media_status_app_t));
    if (status->apps == NULL) {
        return NGX_ERROR;
    }

    for (n = 0; n < status->napps; n++) {
        status->apps[n].app = ngx_media_app_entry((ngx_cycle_t *) ngx_cycle,
                                                  n);

        if (ngx_http_media_status_collect_app(r, &status->apps[n])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_status_collect_app(ngx_http_request_t *r,
    ngx_http_media_status_app_t *app)
{
    ngx_int_t            rc;
    ngx_uint_t           i, n;
    ngx_media_zone_t    *zone;
    ngx_media_stream_t  *streams;

    zone = app->app->zone;

    ngx_media_zone_stat(zone, &app->zone);
    ngx_http_media_ladders(app->app, &app->transcode);

    if (ngx_media_zone_streams(zone, r->pool, &streams, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (n == 0) {
        return NGX_OK;
    }

    app->streams = ngx_pcalloc(r->pool, n * sizeof(ngx_media_stream_stat_t));
    app->ladders = ngx_pcalloc(r->pool, n * sizeof(void *));

    if (app->streams == NULL || app->ladders == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        rc = ngx_media_stream_stat(&streams[i], r->pool,
                                   &app->streams[app->nstreams]);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            ngx_http_media_session_count(ngx_http_media_sessions_conf(r),
                                         &app->app->name,
                                         &app->streams[app->nstreams]);
            app->ladders[app->nstreams]
                         = ngx_http_media_ladder(app->app,
                                       &app->streams[app->nstreams].name,
                                       r->pool);
            app->nstreams++;
        }
    }

    return NGX_OK;
}


static char *
ngx_http_media_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    if (ngx_http_media_answers(cf, cmd, ngx_http_media_status_handler)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
