
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Answers of the API: JSON, "no-store", with a validator, so that who polls is
 * told that nothing has changed (304, by nginx's own filter).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "formats/ngx_media_fmt.h"
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_reply.h"


#define NGX_HTTP_MEDIA_API_DETAIL  1024


typedef struct {
    const char               *type;
    ngx_uint_t                status;
    ngx_str_t                 detail;
} ngx_http_media_api_problem_t;


static ngx_int_t ngx_http_media_api_send(ngx_http_request_t *r,
    ngx_uint_t status, ngx_http_media_api_write_pt write, const void *data,
    const ngx_str_t *type);
static ngx_buf_t *ngx_http_media_api_render(ngx_http_request_t *r,
    ngx_http_media_api_write_pt write, const void *data);
static void ngx_http_media_api_type(ngx_http_request_t *r,
    const ngx_str_t *type);
static void ngx_http_media_api_problem_write(ngx_media_text_t *text,
    const void *data);


static const ngx_str_t  ngx_http_media_api_json =
    ngx_string("application/json");
static const ngx_str_t  ngx_http_media_api_error =
    ngx_string("application/problem+json");


/* what others refuse, as they would be asked for it */

static const ngx_http_media_api_problem_t  ngx_http_media_api_foreign[] = {
    { "bad-request", NGX_HTTP_BAD_REQUEST,
      ngx_string("the request is malformed") },
    { "unauthorized", NGX_HTTP_UNAUTHORIZED,
      ngx_string("say who it is, see the header WWW-Authenticate") },
    { "forbidden", NGX_HTTP_FORBIDDEN, ngx_string("this may not be asked") },
    { "precondition-failed", NGX_HTTP_PRECONDITION_FAILED,
      ngx_string("it has changed, says If-Match or If-Unmodified-Since") },
    { "too-large", NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
      ngx_string("the body is larger than the server takes") },
    { "too-many-requests", NGX_HTTP_TOO_MANY_REQUESTS,
      ngx_string("there are too many requests") },
    { "internal", NGX_HTTP_INTERNAL_SERVER_ERROR,
      ngx_string("the server failed, its error log says why") },
    { "unavailable", NGX_HTTP_SERVICE_UNAVAILABLE,
      ngx_string("the server is busy") },
    { "refused", 0, ngx_string("the server refused the request") }
};


ngx_int_t
ngx_http_media_api_reply(ngx_http_request_t *r, ngx_uint_t status,
    ngx_http_media_api_write_pt write, const void *data)
{
    return ngx_http_media_api_send(r, status, write, data,
                                   &ngx_http_media_api_json);
}


static ngx_int_t
ngx_http_media_api_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_http_media_api_write_pt write, const void *data,
    const ngx_str_t *type)
{
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t   out;

    /* a body that nobody has read; it may be an error of its own */

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    b = ngx_http_media_api_render(r, write, data);

    if (b == NULL
        || ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
           != NGX_OK
        || (status == NGX_HTTP_OK
            && ngx_http_media_etag(r, "%016xL",
                                   ngx_media_hash(b->pos, b->last - b->pos))
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_media_api_type(r, type);

    r->headers_out.status = status;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* twice, so that it is as large as it has to be */

static ngx_buf_t *
ngx_http_media_api_render(ngx_http_request_t *r,
    ngx_http_media_api_write_pt write, const void *data)
{
    size_t             len;
    ngx_buf_t         *b;
    ngx_media_text_t   text;

    ngx_media_text_init(&text, NULL, 0);
    write(&text, data);
    len = text.total;

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    ngx_media_text_init(&text, b->pos, len);
    write(&text, data);

    if (text.overflow || text.total != len) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "http media api answer of %uz bytes became one of %uz",
                      len, text.total);
        return NULL;
    }

    b->last = b->pos + len;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    return b;
}


static void
ngx_http_media_api_type(ngx_http_request_t *r, const ngx_str_t *type)
{
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);
}


ngx_int_t
ngx_http_media_api_no_content(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
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
ngx_http_media_api_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, const char *fmt, ...)
{
    u_char                        buf[NGX_HTTP_MEDIA_API_DETAIL];
    va_list                       args;
    ngx_http_media_api_problem_t  problem;

    va_start(args, fmt);
    problem.detail.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args)
                         - buf;
    va_end(args);

    problem.detail.data = buf;
    problem.type = type;
    problem.status = status;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media api problem:%ui %s: %V", status, type,
                   &problem.detail);

    return ngx_http_media_api_send(r, status, ngx_http_media_api_problem_write,
                                   &problem, &ngx_http_media_api_error);
}


ngx_uint_t
ngx_http_media_api_is_problem(ngx_http_request_t *r)
{
    return r->headers_out.content_type.data == ngx_http_media_api_error.data;
}


ngx_buf_t *
ngx_http_media_api_problem_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                    i;
    ngx_http_media_api_problem_t  problem;

    for (i = 0; ngx_http_media_api_foreign[i].status; i++) {
        if (ngx_http_media_api_foreign[i].status == status) {
            break;
        }
    }

    problem = ngx_http_media_api_foreign[i];
    problem.status = status;

    ngx_http_media_api_type(r, &ngx_http_media_api_error);

    return ngx_http_media_api_render(r, ngx_http_media_api_problem_write,
                                     &problem);
}


/* RFC 9457, 3.1 */

static void
ngx_http_media_api_problem_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_problem_t *problem = data;

    const char  *p;

    ngx_media_text_cstr(text, "{\"type\":\"urn:media:");
    ngx_media_text_data(text, problem->type, ngx_strlen(problem->type));
    ngx_media_text_cstr(text, "\",\"title\":\"");

    for (p = problem->type; *p; p++) {
        ngx_media_text_data(text, *p == '-' ? " " : p, 1);
    }

    ngx_media_text_cstr(text, "\",\"status\":");
    ngx_media_text_u64(text, problem->status);
    ngx_media_text_cstr(text, ",\"detail\":\"");
    ngx_media_text_json(text, &problem->detail);
    ngx_media_text_cstr(text, "\"}\n");
}


ngx_media_app_t *
ngx_http_media_api_app(ngx_http_request_t *r, const ngx_str_t *name,
    ngx_int_t *rc)
{
    ngx_media_app_t  *app;

    app = ngx_media_app_find((ngx_cycle_t *) ngx_cycle, (ngx_str_t *) name);

    if (app == NULL) {
        *rc = ngx_http_media_api_problem(r, NGX_HTTP_NOT_FOUND,
                                         "no-such-application",
                                         "there is no application \"%V\"",
                                         name);
    }

    return app;
}


void
ngx_http_media_api_list_begin(ngx_media_text_t *text, ngx_uint_t total,
    const ngx_str_t *cursor)
{
    ngx_media_text_cstr(text, "{\"total\":");
    ngx_media_text_u64(text, total);

    if (cursor->len) {
        ngx_media_text_cstr(text, ",\"cursor\":\"");
        ngx_media_text_json(text, cursor);
        ngx_media_text_cstr(text, "\",\"items\":[");

    } else {
        ngx_media_text_cstr(text, ",\"cursor\":null,\"items\":[");
    }
}


void
ngx_http_media_api_list_end(ngx_media_text_t *text)
{
    ngx_media_text_cstr(text, "]}\n");
}


ngx_int_t
ngx_http_media_api_no_list(ngx_http_request_t *r, ngx_int_t rc)
{
    if (rc != NGX_DECLINED) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST, "bad-argument",
                                      "\"cursor\" must be that of an answer");
}
