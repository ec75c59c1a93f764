
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What there is: who answers, and which applications it has.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <nginx.h>
#include "core/ngx_media_stat.h"
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_status.h"


typedef struct {
    ngx_media_app_t          *app;
    ngx_media_zone_stat_t     stat;
} ngx_http_media_api_app_t;


typedef struct {
    ngx_uint_t                write;
    ngx_http_media_api_app_t *apps;
    ngx_uint_t                napps;
} ngx_http_media_api_root_t;


static ngx_int_t ngx_http_media_api_root(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static void ngx_http_media_api_root_write(ngx_media_text_t *text,
    const void *data);


static const ngx_http_media_api_row_t  ngx_http_media_api_root_rows[] = {

    { NGX_HTTP_GET, ngx_string("v1/"), 0, NULL, ngx_http_media_api_root,
      "The server and its applications", NGX_HTTP_OK, "Server", NULL, "" },

    { NGX_HTTP_GET, ngx_string("v1/openapi.json"), 0, NULL,
      ngx_http_media_api_open, "This document", NGX_HTTP_OK, "Document", NULL,
      "" },

    { 0, ngx_null_string, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL }
};


static const ngx_http_media_api_schema_t  ngx_http_media_api_root_schemas[] = {

    { "Date",
      "{\"type\":[\"string\",\"null\"],\"pattern\":"
      "\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
      "[.][0-9]{3}Z$\"}" },

    { "Problem",
      "{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"type\",\"title\",\"status\",\"detail\"],"
      "\"properties\":{"
      "\"type\":{\"type\":\"string\",\"pattern\":\"^urn:media:[a-z-]+$\"},"
      "\"title\":{\"type\":\"string\"},"
      "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
      "\"detail\":{\"type\":\"string\"}}}" },

    { "Server",
      "{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"version\",\"nginx\",\"time\",\"worker\",\"pid\","
      "\"write\",\"apps\"],\"properties\":{"
      "\"version\":{\"const\":1},"
      "\"nginx\":{\"type\":\"string\"},"
      "\"time\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"worker\":{\"type\":\"integer\",\"minimum\":0},"
      "\"pid\":{\"type\":\"integer\",\"minimum\":1},"
      "\"write\":{\"type\":\"boolean\"},"
      "\"apps\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
      "\"required\":[\"name\",\"zone\"],\"properties\":{"
      "\"name\":{\"type\":\"string\"},"
      "\"zone\":{\"type\":\"object\",\"required\":[\"max_streams\","
      "\"size\",\"used\",\"streams\",\"publishers\"]}}}}}}" },

    { "Document", "{\"type\":\"object\",\"required\":[\"openapi\",\"info\"]}" },

    { NULL, NULL }
};


const ngx_http_media_api_table_t  ngx_http_media_api_root_table = {
    ngx_http_media_api_root_rows,
    ngx_http_media_api_root_schemas
};


static ngx_int_t
ngx_http_media_api_root(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    ngx_uint_t                 i, n;
    ngx_media_app_t           *app;
    ngx_http_media_api_root_t  root;

    for (n = 0; ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, n); n++) {
        /* void */
    }

    root.write = (ctx->access == NGX_HTTP_MEDIA_API_WRITE);
    root.napps = n;
    root.apps = ngx_palloc(r->pool,
                           (n + 1) * sizeof(ngx_http_media_api_app_t));
    if (root.apps == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (i = 0; i < n; i++) {
        app = ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, i);

        root.apps[i].app = app;
        ngx_media_zone_stat(app->zone, &root.apps[i].stat);
    }

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_root_write, &root);
}


static void
ngx_http_media_api_root_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_root_t *root = data;

    ngx_uint_t  i;

    ngx_media_text_cstr(text, "{\"version\":1,\"nginx\":\"" NGINX_VERSION
                              "\"");
    ngx_http_media_status_date(text, "time", ngx_media_wall_msec());
    ngx_http_media_status_key(text, "worker");
    ngx_media_text_u64(text, ngx_worker);
    ngx_http_media_status_key(text, "pid");
    ngx_media_text_u64(text, ngx_pid);
    ngx_http_media_status_flag(text, "write", root->write);
    ngx_media_text_cstr(text, ",\"apps\":[");

    for (i = 0; i < root->napps; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_media_text_cstr(text, "{\"name\":\"");
        ngx_media_text_json(text, &root->apps[i].app->name);
        ngx_media_text_cstr(text, "\",");

        ngx_http_media_status_zone(text, root->apps[i].app,
                                   &root->apps[i].stat);

        ngx_media_text_cstr(text, "}");
    }

    ngx_media_text_cstr(text, "]}\n");
}
