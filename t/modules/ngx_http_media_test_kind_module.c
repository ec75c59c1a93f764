
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: kinds of URLs that no product has.
 *
 *     NAME/v1/<n>.size.txt    of a live stream: the bytes of that segment, once
 *                             it is complete
 *     NAME/tracks.txt         of a file: how many there are
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_vod.h"


static ngx_int_t ngx_http_media_test_kind_size(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static ngx_int_t ngx_http_media_test_kind_tracks(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
static ngx_int_t ngx_http_media_test_kind_send(ngx_http_request_t *r,
    uint64_t n);
static ngx_int_t ngx_http_media_test_kind_preconfiguration(ngx_conf_t *cf);


static const ngx_http_media_kind_t  ngx_http_media_test_kinds[] = {

    { ngx_string(".size.txt"),
      ngx_http_media_url_segment, ngx_http_media_url_track, "va",
      { "text/plain", "text/x-audio", NULL },
      NGX_HTTP_MEDIA_COUNT_SEGMENT, NGX_HTTP_MEDIA_KIND_NUMBER,
      ngx_http_media_test_kind_size, NULL, NULL },

    { ngx_string("tracks.txt"),
      ngx_http_media_url_all, NULL, NULL,
      { "text/plain", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_OTHER, 0,
      NULL, ngx_http_media_test_kind_tracks, NULL },

    { ngx_null_string, NULL, NULL, NULL, { NULL, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_OTHER, 0, NULL, NULL, NULL }
};


static ngx_http_module_t  ngx_http_media_test_kind_module_ctx = {
    ngx_http_media_test_kind_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_test_kind_module = {
    NGX_MODULE_V1,
    &ngx_http_media_test_kind_module_ctx,  /* module context */
    NULL,                                  /* module directives */
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
ngx_http_media_test_kind_size(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_media_segment_t  segment;

    rc = ngx_media_ref_look(&ctx->track);

    if (rc == NGX_OK) {
        rc = ngx_media_ref_segment(&ctx->track, ctx->url.number, &segment);
    }

    if (rc == NGX_OK && segment.open) {
        rc = NGX_AGAIN;
    }

    if (rc != NGX_OK) {
        return ngx_http_media_missing(r, ctx, rc);
    }

    return ngx_http_media_test_kind_send(r, segment.bytes);
}


static ngx_int_t
ngx_http_media_test_kind_tracks(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_test_kind_send(r, ctx->load.source.set->ntracks);
}


static ngx_int_t
ngx_http_media_test_kind_send(ngx_http_request_t *r, uint64_t n)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_bytes_send(r, p, ngx_sprintf(p, "%uL", n) - p);
}


static ngx_int_t
ngx_http_media_test_kind_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_media_kinds_add(cf, ngx_http_media_test_kinds);
}
