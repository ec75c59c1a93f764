
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * From a request to its row: path, method, arguments, body, in this order, so
 * that what is answered first is what is wrong first.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_reply.h"


#define NGX_HTTP_MEDIA_API_READS  (NGX_HTTP_GET|NGX_HTTP_HEAD)


static ngx_int_t ngx_http_media_api_route(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static const ngx_http_media_api_row_t *ngx_http_media_api_find(
    ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx,
    const ngx_str_t *path, ngx_uint_t *methods);
static ngx_uint_t ngx_http_media_api_match(ngx_http_media_api_ctx_t *ctx,
    const ngx_http_media_api_row_t *row, const ngx_str_t *path);
static ngx_int_t ngx_http_media_api_allow(ngx_http_request_t *r,
    ngx_uint_t methods);
static ngx_int_t ngx_http_media_api_not_allowed(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx, ngx_uint_t methods);
static ngx_int_t ngx_http_media_api_write(ngx_http_request_t *r);
static ngx_uint_t ngx_http_media_api_has_body(ngx_http_request_t *r);
static ngx_uint_t ngx_http_media_api_is_json(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_api_too_large(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_api_read(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static ngx_int_t ngx_http_media_api_cap(ngx_http_request_t *r);
static void ngx_http_media_api_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_api_body(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);


static const struct {
    ngx_uint_t                method;
    const char               *name;
} ngx_http_media_api_methods[] = {
    { NGX_HTTP_GET, "GET" },
    { NGX_HTTP_HEAD, "HEAD" },
    { NGX_HTTP_POST, "POST" },
    { NGX_HTTP_PUT, "PUT" },
    { NGX_HTTP_PATCH, "PATCH" },
    { NGX_HTTP_DELETE, "DELETE" },
    { NGX_HTTP_OPTIONS, "OPTIONS" },
    { 0, NULL }
};


ngx_int_t
ngx_http_media_api_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_media_api_ctx_t  *ctx;

    /* of subrequests (mirror, SSI) nginx asks nobody who it is */

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "\"media_api\" answers no subrequests, uri:\"%V\"",
                      &r->uri);
        return NGX_HTTP_FORBIDDEN;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_media_api_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_media_api_route(r, ctx);

    if (ctx->row == NULL || rc != NGX_OK) {
        return rc;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media api row \"%V\", flags:%ui app:\"%V\" "
                   "name:\"%V\"", &ctx->row->path, ctx->row->flags, &ctx->app,
                   &ctx->name);

    /* nothing is changed by a request of which more may be wrong */

    if ((ctx->row->flags & NGX_HTTP_MEDIA_API_JSON)
        || (!(r->method & NGX_HTTP_MEDIA_API_READS)
            && ngx_http_media_api_has_body(r)))
    {
        return ngx_http_media_api_read(r, ctx);
    }

    return ctx->row->handler(r, ctx);
}


/* NGX_OK with a row: it is to be called; without: the answer was sent */

static ngx_int_t
ngx_http_media_api_route(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    size_t                           prefix;
    ngx_int_t                        rc;
    ngx_str_t                        path;
    ngx_uint_t                       methods;
    const ngx_http_media_api_row_t  *row;

    ctx->access = ngx_http_media_api_access(r, &prefix);

    path.data = r->uri.data + ngx_min(prefix, r->uri.len);
    path.len = r->uri.data + r->uri.len - path.data;

    /* "location /api" is for "/api/v1/", and for "/apiv1/", which is nothing */

    if (path.len && path.data[-1] != '/') {
        path.len = (path.data[0] == '/') ? path.len - 1 : 0;
        path.data++;
    }

    row = ngx_http_media_api_find(r, ctx, &path, &methods);

    if (methods == 0) {
        return ngx_http_media_api_problem(r, NGX_HTTP_NOT_FOUND,
                                          "no-such-resource",
                                          "there is nothing of this name, "
                                          "see v1/openapi.json");
    }

    if (ctx->access != NGX_HTTP_MEDIA_API_WRITE) {
        methods &= NGX_HTTP_MEDIA_API_READS;
    }

    if (row == NULL || !(row->method & methods)) {
        return ngx_http_media_api_not_allowed(r, ctx, methods);
    }

    (void) ngx_http_media_api_match(ctx, row, &path);

    rc = ngx_http_media_api_write(r);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ctx->row = row;

    rc = ngx_http_media_api_args(r, ctx);

    if (rc != NGX_DECLINED) {
        ctx->row = NULL;
        return rc;
    }

    return NGX_OK;
}


/* the row of this path and method, or NULL; methods: of all of this path */

static const ngx_http_media_api_row_t *
ngx_http_media_api_find(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx,
    const ngx_str_t *path, ngx_uint_t *methods)
{
    ngx_uint_t                          i, method;
    ngx_array_t                        *tables;
    const ngx_http_media_api_row_t     *row, *found;
    const ngx_http_media_api_table_t  **table;

    method = (r->method == NGX_HTTP_HEAD) ? NGX_HTTP_GET : r->method;
    found = NULL;

    *methods = 0;

    tables = ngx_http_media_api_tables(r);
    table = tables->elts;

    for (i = 0; i < tables->nelts; i++) {

        for (row = table[i]->rows; row->method; row++) {

            if (!ngx_http_media_api_match(ctx, row, path)) {
                continue;
            }

            *methods |= row->method;

            if (row->method == method) {
                found = row;
            }
        }
    }

    return found;
}


/* is the path that of the row?  What of it is a name is set then */

static ngx_uint_t
ngx_http_media_api_match(ngx_http_media_api_ctx_t *ctx,
    const ngx_http_media_api_row_t *row, const ngx_str_t *path)
{
    u_char  *p, *last, *slash;

    if (path->len < row->path.len
        || ngx_memcmp(path->data, row->path.data, row->path.len) != 0)
    {
        return 0;
    }

    p = path->data + row->path.len;
    last = path->data + path->len;

    if (!(row->flags & (NGX_HTTP_MEDIA_API_NAME|NGX_HTTP_MEDIA_API_ID))) {
        return p == last;
    }

    if (p == last || *p++ != '/' || p == last) {
        return 0;
    }

    if (row->flags & NGX_HTTP_MEDIA_API_ID) {
        ctx->name.data = p;
        ctx->name.len = last - p;

        return ngx_strlchr(p, last, '/') == NULL;
    }

    slash = ngx_strlchr(p, last, '/');

    if (slash == NULL || slash == p || slash + 1 == last) {
        return 0;
    }

    ctx->app.data = p;
    ctx->app.len = slash - p;
    ctx->name.data = slash + 1;
    ctx->name.len = last - slash - 1;

    return 1;
}


const char *
ngx_http_media_api_method(ngx_uint_t method)
{
    ngx_uint_t  i;

    for (i = 0; ngx_http_media_api_methods[i].method; i++) {
        if (ngx_http_media_api_methods[i].method == method) {
            return ngx_http_media_api_methods[i].name;
        }
    }

    return "";
}


/* RFC 9110, 10.2.1 */

static ngx_int_t
ngx_http_media_api_allow(ngx_http_request_t *r, ngx_uint_t methods)
{
    u_char      *p;
    u_char       buf[sizeof("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")];
    ngx_uint_t   i;

    if (methods & NGX_HTTP_GET) {
        methods |= NGX_HTTP_HEAD;
    }

    methods |= NGX_HTTP_OPTIONS;
    p = buf;

    for (i = 0; ngx_http_media_api_methods[i].method; i++) {

        if (methods & ngx_http_media_api_methods[i].method) {
            p = ngx_slprintf(p, buf + sizeof(buf), "%s%s",
                             p == buf ? "" : ", ",
                             ngx_http_media_api_methods[i].name);
        }
    }

    return ngx_http_media_header(r, "Allow", "%*s", (size_t) (p - buf), buf);
}


static ngx_int_t
ngx_http_media_api_not_allowed(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx, ngx_uint_t methods)
{
    if (ngx_http_media_api_allow(r, methods) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_media_api_no_content(r);
    }

    return ngx_http_media_api_problem(r, NGX_HTTP_NOT_ALLOWED,
                                      "method-not-allowed",
                                      ctx->access == NGX_HTTP_MEDIA_API_WRITE
                                      ? "see the header Allow"
                                      : "see the header Allow; nothing can "
                                        "be changed here");
}


/*
 * Pages of other origins may not write, whatever the browser has of its user
 * (Fetch Metadata, 2.4): what they can send without being asked is no JSON, and
 * nobody allows what they have to ask for.  NGX_DECLINED: go on.
 */

static ngx_int_t
ngx_http_media_api_write(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    if (r->method & NGX_HTTP_MEDIA_API_READS) {
        return NGX_DECLINED;
    }

    h = ngx_http_media_request_header(r, "sec-fetch-site",
                                      sizeof("sec-fetch-site") - 1);

    if (h && h->value.len == sizeof("cross-site") - 1
        && ngx_strncasecmp(h->value.data, (u_char *) "cross-site",
                           h->value.len)
           == 0)
    {
        return ngx_http_media_api_problem(r, NGX_HTTP_FORBIDDEN, "cross-site",
                                          "pages of other sites cannot "
                                          "change anything");
    }

    /* RFC 9110, 13.1.1: nothing that can be changed here has a validator */

    h = r->headers_in.if_match;

    if (h && (h->value.len != 1 || h->value.data[0] != '*')) {
        return ngx_http_media_api_problem(r, NGX_HTTP_PRECONDITION_FAILED,
                                          "precondition-failed",
                                          "what can be changed has no ETag, "
                                          "so none matches");
    }

    if (r->headers_in.content_length_n > NGX_HTTP_MEDIA_API_BODY) {
        return ngx_http_media_api_too_large(r);
    }

    if (ngx_http_media_api_has_body(r) && !ngx_http_media_api_is_json(r))
    {
        return ngx_http_media_api_problem(r,
                                          NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                          "unsupported-media-type",
                                          "a body must be of the type "
                                          "application/json");
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_media_api_has_body(ngx_http_request_t *r)
{
    return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}


static ngx_uint_t
ngx_http_media_api_is_json(ngx_http_request_t *r)
{
    ngx_str_t  *type;

    static const ngx_str_t  json = ngx_string("application/json");

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;

    return type->len >= json.len
           && ngx_strncasecmp(type->data, json.data, json.len) == 0
           && (type->len == json.len || type->data[json.len] == ';'
               || type->data[json.len] == ' ');
}


static ngx_int_t
ngx_http_media_api_too_large(ngx_http_request_t *r)
{
    return ngx_http_media_api_problem(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                      "too-large",
                                      "a body has at most %d bytes",
                                      NGX_HTTP_MEDIA_API_BODY);
}


static ngx_int_t
ngx_http_media_api_read(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->loc_conf = r->loc_conf;

    if (ngx_http_media_api_cap(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_media_api_module);

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_http_media_api_body_handler);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


/*
 * Of a body whose length nobody has said nginx writes as much to a file as
 * client_max_body_size lets it, which may be all.  So this request has a
 * configuration of its own, in which our limit holds, and no file is needed.
 */

static ngx_int_t
ngx_http_media_api_cap(ngx_http_request_t *r)
{
    void                     **conf;
    ngx_http_core_loc_conf_t  *clcf;

    conf = ngx_palloc(r->pool, ngx_http_max_module * sizeof(void *));
    clcf = ngx_palloc(r->pool, sizeof(ngx_http_core_loc_conf_t));

    if (conf == NULL || clcf == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(conf, r->loc_conf, ngx_http_max_module * sizeof(void *));

    *clcf = *(ngx_http_core_loc_conf_t *)
             ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->client_max_body_size == 0
        || clcf->client_max_body_size > NGX_HTTP_MEDIA_API_BODY)
    {
        clcf->client_max_body_size = NGX_HTTP_MEDIA_API_BODY;
    }

    clcf->client_body_buffer_size = NGX_HTTP_MEDIA_API_BODY;

    conf[ngx_http_core_module.ctx_index] = clcf;
    r->loc_conf = conf;

    return NGX_OK;
}


static void
ngx_http_media_api_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_media_api_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_api_module);

    /* what is in the pool may not stay: keepalive looks at it afterwards */

    r->loc_conf = ctx->loc_conf;

    rc = ngx_http_media_api_body(r, ctx);

    if (rc == NGX_DECLINED) {
        rc = ctx->row->handler(r, ctx);
    }

    ngx_http_finalize_request(r, rc);
}


/* all of it in one piece, from memory or a file; NGX_DECLINED: go on */

static ngx_int_t
ngx_http_media_api_body(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    u_char       *p;
    off_t         size;
    size_t        n;
    ngx_chain_t  *cl, *bufs;

    bufs = r->request_body ? r->request_body->bufs : NULL;
    size = 0;

    for (cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > NGX_HTTP_MEDIA_API_BODY) {
        return ngx_http_media_api_too_large(r);
    }

    p = ngx_pnalloc(r->pool, size + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->body.data = p;

    for (cl = bufs; cl; cl = cl->next) {
        n = ngx_buf_size(cl->buf);

        if (ngx_buf_in_memory(cl->buf)) {
            ngx_memcpy(p, cl->buf->pos, n);

        } else if (n && ngx_read_file(cl->buf->file, p, n, cl->buf->file_pos)
                        != (ssize_t) n)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p += n;
    }

    ctx->body.len = p - ctx->body.data;

    return NGX_DECLINED;
}
