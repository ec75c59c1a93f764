
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_kind.h"
#include "http/ngx_http_media_reply.h"


static ngx_int_t ngx_http_media_cors(ngx_http_request_t *r,
    ngx_http_media_cors_t *cors);
static ngx_str_t *ngx_http_media_cors_origin(ngx_http_request_t *r,
    ngx_http_media_cors_t *cors);
static ngx_int_t ngx_http_media_vary(ngx_http_request_t *r, const char *name);
static ngx_int_t ngx_http_media_preflight(ngx_http_request_t *r);
static ngx_media_args_e ngx_http_media_text_form(
    ngx_http_media_text_t *text);
static ngx_int_t ngx_http_media_text_send_own(ngx_http_request_t *r,
    ngx_str_t *bytes, time_t lifetime);
static ngx_uint_t ngx_http_media_text_is_weak(ngx_http_request_t *r,
    ngx_http_media_text_t *text);
static void ngx_http_media_text_cleanup(void *data);
static ngx_table_elt_t *ngx_http_media_push(ngx_http_request_t *r,
    const char *name, const char *fmt, va_list args);


/* what every request for media begins with */

ngx_int_t
ngx_http_media_accept(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_media_cors_t  *cors;

    cors = ngx_http_media_cors_conf(r);

    if (ngx_http_media_cors(r, cors) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_OPTIONS && (cors->origins || cors->any)) {
        rc = ngx_http_media_preflight(r);

        return (rc == NGX_OK) ? NGX_DONE : rc;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_media_cors_add(ngx_http_request_t *r)
{
    return ngx_http_media_cors(r, ngx_http_media_cors_conf(r));
}


void
ngx_http_media_set_type(ngx_http_request_t *r,
    const ngx_http_media_url_t *url)
{
    ngx_str_t  type;

    ngx_http_media_kind_type(url, &type);

    r->headers_out.content_type = type;
    r->headers_out.content_type_len = type.len;
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


/* name and format are static, the value is of at most 2047 bytes */

static ngx_table_elt_t *
ngx_http_media_push(ngx_http_request_t *r, const char *name, const char *fmt,
    va_list args)
{
    size_t            len;
    u_char            buf[2048];
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
ngx_http_media_cors(ngx_http_request_t *r, ngx_http_media_cors_t *cors)
{
    ngx_str_t  *origin;

    if (cors->any) {
        if (ngx_http_media_header(r, "Access-Control-Allow-Origin", "*")
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (cors->origins) {

        if (ngx_http_media_vary(r, "Origin") != NGX_OK) {
            return NGX_ERROR;
        }

        origin = ngx_http_media_cors_origin(r, cors);

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
    ngx_http_media_cors_t *cors)
{
    ngx_str_t        *origins;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    h = ngx_http_media_request_header(r, "origin", 6);
    if (h == NULL) {
        return NULL;
    }

    origins = cors->origins->elts;

    for (i = 0; i < cors->origins->nelts; i++) {
        if (origins[i].len == h->value.len
            && ngx_strncasecmp(origins[i].data, h->value.data, h->value.len)
               == 0)
        {
            return &origins[i];
        }
    }

    return NULL;
}


/*
 * All that a response depends on stands in one line: nginx before 1.23, as a
 * cache, believes one of several.  "gzip_vary" lets nginx write a line, too, so
 * that is the only one where there is nothing else to say.
 */

static ngx_int_t
ngx_http_media_vary(ngx_http_request_t *r, const char *name)
{
    size_t                     len;
    u_char                    *p;
    ngx_uint_t                 i;
    ngx_list_part_t           *part;
    ngx_table_elt_t           *h;
#if (NGX_HTTP_GZIP)
    ngx_http_core_loc_conf_t  *clcf;
#endif

    part = &r->headers_out.headers.part;

    for ( /* void */ ; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0 || h[i].key.len != 4
                || ngx_strncasecmp(h[i].key.data, (u_char *) "Vary", 4) != 0)
            {
                continue;
            }

            len = h[i].value.len + 2 + ngx_strlen(name);

            p = ngx_pnalloc(r->pool, len);
            if (p == NULL) {
                return NGX_ERROR;
            }

            (void) ngx_sprintf(p, "%V, %s", &h[i].value, name);

            h[i].value.data = p;
            h[i].value.len = len;

            return NGX_OK;
        }
    }

#if (NGX_HTTP_GZIP)

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->gzip_vary && ngx_strcmp(name, "Accept-Encoding") == 0) {
        r->gzip_vary = 1;
        return NGX_OK;
    }

#endif

    return ngx_http_media_header(r, "Vary", "%s", name);
}


void *
ngx_http_media_kept(ngx_http_request_t *r, ngx_pool_cleanup_pt handler)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == handler) {
            return cln->data;
        }
    }

    return NULL;
}


ngx_table_elt_t *
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
                                 "Authorization, Range, If-None-Match, "
                                 "CMCD-Object, CMCD-Request, CMCD-Session, "
                                 "CMCD-Status")
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


ngx_int_t
ngx_http_media_text_send(ngx_http_request_t *r, ngx_http_media_text_t *text,
    time_t lifetime)
{
    ngx_int_t            rc;
    ngx_str_t            bytes;
    ngx_uint_t           gzip;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        ngx_http_media_text_release(text);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_media_text_cleanup;
    cln->data = text;

    bytes.data = text->data;
    bytes.len = text->len;

    rc = ngx_http_media_args_text(r, ngx_http_media_text_form(text), &bytes);

    if (rc == NGX_OK) {
        return ngx_http_media_text_send_own(r, &bytes, lifetime);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    gzip = 0;

#if (NGX_HTTP_GZIP)

    if (ngx_http_gzip_ok(r) == NGX_OK) {
        ngx_http_media_text_compress(text, r->connection->log);
        gzip = (text->gzip != NULL);
    }

#endif

    if (ngx_http_media_cache_control(r, lifetime, 0) != NGX_OK
        || ngx_http_media_vary(r, "Accept-Encoding") != NGX_OK
        || ngx_http_media_etag(r, gzip && !ngx_http_media_text_is_weak(r, text)
                                  ? "%016xL-gz" : "%016xL", text->tag)
           != NGX_OK
        || (gzip && ngx_http_media_gzip_offer(r, text) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_bytes_send(r, text->data, text->len);
}


/* where it has URIs */

static ngx_media_args_e
ngx_http_media_text_form(ngx_http_media_text_t *text)
{
    switch (text->key.kind->count) {

    case NGX_HTTP_MEDIA_COUNT_MANIFEST:
        return NGX_MEDIA_ARGS_MPD;

    case NGX_HTTP_MEDIA_COUNT_TEXT:
        return NGX_MEDIA_ARGS_VTT;

    default: /* NGX_HTTP_MEDIA_COUNT_PLAYLIST */
        return NGX_MEDIA_ARGS_M3U8;
    }
}


/* one that is this client's: no cache gives it to others (RFC 9111, 5.2.2.7) */

static ngx_int_t
ngx_http_media_text_send_own(ngx_http_request_t *r, ngx_str_t *bytes,
    time_t lifetime)
{
    ngx_int_t  rc;

    rc = (lifetime == NGX_HTTP_MEDIA_NO_STORE)
         ? ngx_http_media_cache_control(r, lifetime, 0)
         : ngx_http_media_header(r, "Cache-Control", "max-age=%T, private",
                                 lifetime);

    if (rc != NGX_OK
        || ngx_http_media_vary(r, "Accept-Encoding") != NGX_OK
        || ngx_http_media_etag(r, "%016xL",
                               ngx_media_hash(bytes->data, bytes->len))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_bytes_send(r, bytes->data, bytes->len);
}


/*
 * The client has the text as a filter made it, which is not compressed by us,
 * and whose validator became a weak one: it is that which is still good.
 */

static ngx_uint_t
ngx_http_media_text_is_weak(ngx_http_request_t *r, ngx_http_media_text_t *text)
{
    u_char            tag[sizeof("W/\"0123456789abcdef\"")];
    ngx_table_elt_t  *h;

    h = r->headers_in.if_none_match;

    if (h == NULL) {
        return 0;
    }

    (void) ngx_sprintf(tag, "W/\"%016xL\"%Z", text->tag);

    return ngx_strnstr(h->value.data, (char *) tag, h->value.len) != NULL;
}


ngx_int_t
ngx_http_media_bytes_send(ngx_http_request_t *r, u_char *p, size_t len)
{
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t   out;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = p;
    b->last = p + len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_http_media_text_cleanup(void *data)
{
    ngx_http_media_text_release(data);
}
