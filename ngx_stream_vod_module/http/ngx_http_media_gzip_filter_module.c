
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Texts that are compressed already.  This filter stands where nginx's gzip
 * filter does, behind all that may change a body: what sub_filter, or a module
 * that puts tokens into URLs, has made something else of goes on as it is, and
 * is nginx's own gzip filter's to compress, if it is on.  Only a text that
 * arrives untouched is replaced by its compressed form, which all requests of
 * its version share.
 *
 * Whether it is untouched is seen by its body, so the header waits for that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_reply.h"


typedef struct {
    ngx_http_media_text_t    *text;           /* of the request, as long as
                                                 that lives */
    unsigned                  held:1;         /* the header waits */
    unsigned                  done:1;
} ngx_http_media_gzip_ctx_t;


static ngx_int_t ngx_http_media_gzip_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_gzip_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_uint_t ngx_http_media_gzip_same(ngx_http_media_text_t *text,
    ngx_chain_t *in);
static void ngx_http_media_gzip_plain(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_gzip_header(ngx_http_request_t *r,
    ngx_http_media_text_t *text);
static ngx_int_t ngx_http_media_gzip_init(ngx_conf_t *cf);


static ngx_http_module_t  ngx_http_media_gzip_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_media_gzip_init,              /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_gzip_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_media_gzip_filter_module_ctx,  /* module context */
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


ngx_int_t
ngx_http_media_gzip_offer(ngx_http_request_t *r, ngx_http_media_text_t *text)
{
    ngx_http_media_gzip_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_media_gzip_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->text = text;

    ngx_http_set_ctx(r, ctx, ngx_http_media_gzip_filter_module);

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_gzip_header_filter(ngx_http_request_t *r)
{
    ngx_http_media_gzip_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_gzip_filter_module);

    /* 304 names what it is about by the validator as it is */

    if (ctx == NULL || ctx->done
        || r->headers_out.status == NGX_HTTP_NOT_MODIFIED)
    {
        return ngx_http_next_header_filter(r);
    }

    if (r->headers_out.status != NGX_HTTP_OK
        || r->headers_out.content_length_n != (off_t) ctx->text->len
        || (r->headers_out.content_encoding
            && r->headers_out.content_encoding->value.len))
    {
        /* it is an error's page, or somebody is going to change the body */

        ctx->done = 1;
        ngx_http_media_gzip_plain(r);

        return ngx_http_next_header_filter(r);
    }

    if (r->method != NGX_HTTP_HEAD && !r->header_only) {
        ctx->held = 1;
        return NGX_OK;
    }

    /* no body will come */

    ctx->done = 1;

    if (ngx_http_media_gzip_header(r, ctx->text) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_media_gzip_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                  *b;
    ngx_int_t                   rc;
    ngx_chain_t                 out;
    ngx_http_media_gzip_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_gzip_filter_module);

    if (in == NULL || ctx == NULL || !ctx->held) {
        return ngx_http_next_body_filter(r, in);
    }

    ctx->held = 0;
    ctx->done = 1;

    if (ngx_http_media_gzip_same(ctx->text, in)) {

        b = ngx_calloc_buf(r->pool);

        if (b == NULL || ngx_http_media_gzip_header(r, ctx->text) != NGX_OK) {
            return NGX_ERROR;
        }

        b->pos = ctx->text->gzip;
        b->last = b->pos + ctx->text->gzip_len;
        b->memory = 1;
        b->last_buf = 1;
        b->last_in_chain = 1;

        in->buf->pos = in->buf->last;

        out.buf = b;
        out.next = NULL;

        in = &out;

    } else {
        ngx_http_media_gzip_plain(r);
    }

    rc = ngx_http_next_header_filter(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_next_body_filter(r, in);
}


/* a copy, for a filter that writes into it for instance, is not the same */

static ngx_uint_t
ngx_http_media_gzip_same(ngx_http_media_text_t *text, ngx_chain_t *in)
{
    ngx_buf_t  *b;

    b = in->buf;

    return in->next == NULL && b->last_buf && !b->temporary
           && b->pos == text->data && b->last == text->data + text->len;
}


/* the validator was that of the compressed form: "...-gz" */

static void
ngx_http_media_gzip_plain(ngx_http_request_t *r)
{
    ngx_str_t  *tag;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media text is changed by a filter, length:%O",
                   r->headers_out.content_length_n);

    if (r->headers_out.etag == NULL) {
        return;
    }

    tag = &r->headers_out.etag->value;

    if (tag->len > 4 && ngx_memcmp(tag->data + tag->len - 4, "-gz\"", 4) == 0) {
        tag->len -= 3;
        tag->data[tag->len - 1] = '"';
    }
}


static ngx_int_t
ngx_http_media_gzip_header(ngx_http_request_t *r, ngx_http_media_text_t *text)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Content-Encoding");
    ngx_str_set(&h->value, "gzip");

    r->headers_out.content_encoding = h;

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = text->gzip_len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_gzip_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_media_gzip_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_media_gzip_body_filter;

    return NGX_OK;
}
