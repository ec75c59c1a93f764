
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Below a location of media_api errors are problems of RFC 9457, whoever says
 * them: nginx's own pages (of its access modules, of bodies that are too large)
 * become what the API would have said.  Status and other headers stay.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_reply.h"


typedef struct {
    ngx_buf_t                *page;           /* NULL: it was sent */
} ngx_http_media_api_filter_ctx_t;


static ngx_int_t ngx_http_media_api_header_filter(ngx_http_request_t *r);
static void ngx_http_media_api_forget_cache(ngx_http_request_t *r);
static ngx_uint_t ngx_http_media_api_is_foreign(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_api_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_media_api_filter_init(ngx_conf_t *cf);


static ngx_http_module_t  ngx_http_media_api_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_media_api_filter_init,        /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_api_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_media_api_filter_module_ctx, /* module context */
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


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_int_t
ngx_http_media_api_header_filter(ngx_http_request_t *r)
{
    ngx_http_media_api_filter_ctx_t  *ctx;

    if (!ngx_http_media_api_is_foreign(r)) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_media_api_filter_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->page = ngx_http_media_api_problem_page(r, r->headers_out.status);

    ngx_http_media_api_forget_cache(r);

    if (ctx->page == NULL
        || ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_media_api_filter_module);

    r->headers_out.content_length_n = ctx->page->last - ctx->page->pos;

    if (r->headers_out.content_length) {
        r->headers_out.content_length->hash = 0;
        r->headers_out.content_length = NULL;
    }

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    return ngx_http_next_header_filter(r);
}


/* what the one that refuses has said of caches: it would be there twice */

static void
ngx_http_media_api_forget_cache(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash && h[i].key.len == sizeof("Cache-Control") - 1
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Cache-Control",
                                   h[i].key.len)
                   == 0)
            {
                h[i].hash = 0;
            }
        }
    }
}


static ngx_uint_t
ngx_http_media_api_is_foreign(ngx_http_request_t *r)
{
    size_t  prefix;

    return r == r->main
           && r->headers_out.status >= NGX_HTTP_BAD_REQUEST
           && ngx_http_media_api_access(r, &prefix) != NGX_HTTP_MEDIA_API_OFF
           && !ngx_http_media_api_is_problem(r)
           && ngx_http_get_module_ctx(r, ngx_http_media_api_filter_module)
              == NULL;
}


static ngx_int_t
ngx_http_media_api_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t                       out, *cl;
    ngx_http_media_api_filter_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_api_filter_module);

    if (ctx == NULL || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->page == NULL) {
        return NGX_OK;
    }

    out.buf = ctx->page;
    out.next = NULL;

    ctx->page = NULL;

    return ngx_http_next_body_filter(r, &out);
}


static ngx_int_t
ngx_http_media_api_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_media_api_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_media_api_body_filter;

    return NGX_OK;
}
