
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * All calls, as an OpenAPI 3.1 document that is made of their rows: what is in
 * no row is not in it, and the other way round.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_api.h"


/* whatever is asked for, and what changes something */
#define NGX_HTTP_MEDIA_API_ERRORS  "400 401 403 405 412 429 503"
#define NGX_HTTP_MEDIA_API_ERRORS_WRITE  "413 415"


typedef struct {
    const ngx_array_t        *tables;
    ngx_str_t                 base;           /* location, its last name */
    ngx_uint_t                write;          /* calls that change something */
} ngx_http_media_api_document_t;


static void ngx_http_media_api_open_write(ngx_media_text_t *text,
    const void *data);
static ngx_int_t ngx_http_media_api_open_base(ngx_http_request_t *r,
    ngx_str_t *base);
static void ngx_http_media_api_open_paths(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document);
static ngx_uint_t ngx_http_media_api_open_path(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document,
    const ngx_http_media_api_row_t *of);
static ngx_uint_t ngx_http_media_api_open_same(
    const ngx_http_media_api_row_t *one, const ngx_http_media_api_row_t *two);
static void ngx_http_media_api_open_call(ngx_media_text_t *text,
    const ngx_http_media_api_row_t *row);
static void ngx_http_media_api_open_parameters(ngx_media_text_t *text,
    const ngx_http_media_api_row_t *row);
static void ngx_http_media_api_open_in_path(ngx_media_text_t *text,
    const char *name, const char *help);
static void ngx_http_media_api_open_argument(ngx_media_text_t *text,
    const ngx_http_media_api_arg_t *arg);
static void ngx_http_media_api_open_responses(ngx_media_text_t *text,
    const ngx_http_media_api_row_t *row);
static void ngx_http_media_api_open_errors(ngx_media_text_t *text,
    const char *errors, const char *before);
static void ngx_http_media_api_open_schemas(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document);


ngx_int_t
ngx_http_media_api_open(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    ngx_http_media_api_document_t  document;

    document.tables = ngx_http_media_api_tables(r);
    document.write = (ctx->access == NGX_HTTP_MEDIA_API_WRITE);

    if (ngx_http_media_api_open_base(r, &document.base) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_open_write, &document);
}


/* of "/x/api/" it is "api", escaped */

static ngx_int_t
ngx_http_media_api_open_base(ngx_http_request_t *r, ngx_str_t *base)
{
    u_char     *p, *last;
    size_t      prefix, len;

    (void) ngx_http_media_api_access(r, &prefix);

    last = r->uri.data + ngx_min(prefix, r->uri.len);

    if (last > r->uri.data && last[-1] == '/') {
        last--;
    }

    for (p = last; p > r->uri.data && p[-1] != '/'; p--) { /* void */ }

    len = last - p;

    base->data = ngx_pnalloc(r->pool, 3 * len + 1);
    if (base->data == NULL) {
        return NGX_ERROR;
    }

    base->len = (u_char *) ngx_escape_uri(base->data, p, len,
                                          NGX_ESCAPE_URI_COMPONENT)
                - base->data;

    return NGX_OK;
}


/*
 * OpenAPI 3.1.0; paths follow the server's URL, which is relative to where the
 * document is (4.8.5) and so has no slash at its end
 */

static void
ngx_http_media_api_open_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_document_t *document = data;

    ngx_media_text_cstr(text, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":"
                        "\"ngx_stream_vod_module\",\"version\":\"1\"},"
                        "\"servers\":[{\"url\":\"");

    if (document->base.len) {
        ngx_media_text_cstr(text, "../../");
        ngx_media_text_json(text, &document->base);

    } else {
        ngx_media_text_cstr(text, "/");
    }

    ngx_media_text_cstr(text, "\"}],\"paths\":{");

    ngx_http_media_api_open_paths(text, document);

    ngx_media_text_cstr(text, "},\"components\":{\"schemas\":{");

    ngx_http_media_api_open_schemas(text, document);

    ngx_media_text_cstr(text, "}}}\n");
}


/* each path is there once, whichever tables have it */

static void
ngx_http_media_api_open_paths(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document)
{
    ngx_uint_t                                i, n;
    const ngx_http_media_api_row_t           *row;
    const ngx_http_media_api_table_t *const  *table;

    table = document->tables->elts;
    n = 0;

    for (i = 0; i < document->tables->nelts; i++) {

        for (row = table[i]->rows; row->method; row++) {

            if (!ngx_http_media_api_open_path(NULL, document, row)) {
                continue;
            }

            if (n++) {
                ngx_media_text_cstr(text, ",");
            }

            ngx_media_text_cstr(text, "\"/");
            ngx_media_text_json(text, &row->path);

            if (row->flags & NGX_HTTP_MEDIA_API_NAME) {
                ngx_media_text_cstr(text, "/{app}/{name}");

            } else if (row->flags & NGX_HTTP_MEDIA_API_ID) {
                ngx_media_text_cstr(text, "/{id}");
            }

            ngx_media_text_cstr(text, "\":{");

            (void) ngx_http_media_api_open_path(text, document, row);

            ngx_media_text_cstr(text, "}");
        }
    }
}


/* all calls of this path; text NULL: is this row the first of them? */

static ngx_uint_t
ngx_http_media_api_open_path(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document,
    const ngx_http_media_api_row_t *of)
{
    ngx_uint_t                                i, n;
    const ngx_http_media_api_row_t           *row;
    const ngx_http_media_api_table_t *const  *table;

    table = document->tables->elts;
    n = 0;

    for (i = 0; i < document->tables->nelts; i++) {

        for (row = table[i]->rows; row->method; row++) {

            if ((row->method != NGX_HTTP_GET && !document->write)
                || !ngx_http_media_api_open_same(row, of))
            {
                continue;
            }

            if (text == NULL) {
                return row == of;
            }

            if (n++) {
                ngx_media_text_cstr(text, ",");
            }

            ngx_http_media_api_open_call(text, row);
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_media_api_open_same(const ngx_http_media_api_row_t *one,
    const ngx_http_media_api_row_t *two)
{
    return one->path.len == two->path.len
           && ngx_memcmp(one->path.data, two->path.data, one->path.len) == 0
           && ((one->flags ^ two->flags)
               & (NGX_HTTP_MEDIA_API_NAME|NGX_HTTP_MEDIA_API_ID))
              == 0;
}


static void
ngx_http_media_api_open_call(ngx_media_text_t *text,
    const ngx_http_media_api_row_t *row)
{
    u_char       ch;
    const char  *p;

    ngx_media_text_cstr(text, "\"");

    for (p = ngx_http_media_api_method(row->method); *p; p++) {
        ch = ngx_tolower((u_char) *p);
        ngx_media_text_data(text, &ch, 1);
    }

    ngx_media_text_cstr(text, "\":{\"summary\":\"");
    ngx_media_text_data(text, row->summary, ngx_strlen(row->summary));
    ngx_media_text_cstr(text, "\",\"parameters\":[");

    ngx_http_media_api_open_parameters(text, row);

    ngx_media_text_cstr(text, "]");

    if (row->request) {
        ngx_media_text_cstr(text, ",\"requestBody\":{\"required\":true,"
                            "\"content\":{\"application/json\":{\"schema\":"
                            "{\"$ref\":\"#/components/schemas/");
        ngx_media_text_data(text, row->request, ngx_strlen(row->request));
        ngx_media_text_cstr(text, "\"}}}}");
    }

    ngx_media_text_cstr(text, ",\"responses\":{");

    ngx_http_media_api_open_responses(text, row);

    ngx_media_text_cstr(text, "}}");
}


static void
ngx_http_media_api_open_parameters(ngx_media_text_t *text,
    const ngx_http_media_api_row_t *row)
{
    ngx_uint_t                       n;
    const ngx_http_media_api_arg_t  *arg;

    n = 0;

    if (row->flags & NGX_HTTP_MEDIA_API_NAME) {
        ngx_http_media_api_open_in_path(text, "app", "An application.");
        ngx_media_text_cstr(text, ",");
        ngx_http_media_api_open_in_path(text, "name", "Of a stream; it may "
                                        "hold slashes, as they are.");
        n = 2;
    }

    if (row->flags & NGX_HTTP_MEDIA_API_ID) {
        ngx_http_media_api_open_in_path(text, "id", "As lists have it.");
        n = 1;
    }

    for (arg = row->args; arg && arg->name.len; arg++) {

        if (n++) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_http_media_api_open_argument(text, arg);
    }
}


static void
ngx_http_media_api_open_in_path(ngx_media_text_t *text, const char *name,
    const char *help)
{
    ngx_media_text_cstr(text, "{\"name\":\"");
    ngx_media_text_data(text, name, ngx_strlen(name));
    ngx_media_text_cstr(text, "\",\"in\":\"path\",\"required\":true,"
                        "\"schema\":{\"type\":\"string\",\"minLength\":1},"
                        "\"description\":\"");
    ngx_media_text_data(text, help, ngx_strlen(help));
    ngx_media_text_cstr(text, "\"}");
}


static void
ngx_http_media_api_open_argument(ngx_media_text_t *text,
    const ngx_http_media_api_arg_t *arg)
{
    ngx_uint_t  i;

    ngx_media_text_cstr(text, "{\"name\":\"");
    ngx_media_text_json(text, &arg->name);
    ngx_media_text_cstr(text, "\",\"in\":\"query\",\"schema\":{");

    switch (arg->type) {

    case NGX_HTTP_MEDIA_API_NUMBER:
        ngx_media_text_cstr(text, "\"type\":\"integer\",\"minimum\":");
        ngx_media_text_u64(text, arg->min);
        ngx_media_text_cstr(text, ",\"maximum\":");
        ngx_media_text_u64(text, arg->max);
        break;

    case NGX_HTTP_MEDIA_API_WORD:
        ngx_media_text_cstr(text, "\"enum\":[");

        for (i = 0; arg->words[i]; i++) {

            if (i) {
                ngx_media_text_cstr(text, ",");
            }

            ngx_media_text_cstr(text, "\"");
            ngx_media_text_data(text, arg->words[i],
                                ngx_strlen(arg->words[i]));
            ngx_media_text_cstr(text, "\"");
        }

        ngx_media_text_cstr(text, "]");
        break;

    default: /* NGX_HTTP_MEDIA_API_STRING */
        ngx_media_text_cstr(text, "\"type\":\"string\",\"minLength\":");
        ngx_media_text_u64(text, arg->min);
        ngx_media_text_cstr(text, ",\"maxLength\":");
        ngx_media_text_u64(text, arg->max);
    }

    ngx_media_text_cstr(text, "},\"description\":\"");
    ngx_media_text_data(text, arg->help, ngx_strlen(arg->help));
    ngx_media_text_cstr(text, "\"}");
}


static void
ngx_http_media_api_open_responses(ngx_media_text_t *text,
    const ngx_http_media_api_row_t *row)
{
    const char  *common;

    ngx_media_text_cstr(text, "\"");
    ngx_media_text_u64(text, row->status);
    ngx_media_text_cstr(text, "\":{\"description\":\"done\"");

    if (row->status == NGX_HTTP_CREATED) {
        ngx_media_text_cstr(text, ",\"headers\":{\"Location\":{\"schema\":{"
                            "\"type\":\"string\"}}}");
    }

    if (row->schema) {
        ngx_media_text_cstr(text, ",\"content\":{\"application/json\":{"
                            "\"schema\":{\"$ref\":\"#/components/schemas/");
        ngx_media_text_data(text, row->schema, ngx_strlen(row->schema));
        ngx_media_text_cstr(text, "\"}}}");
    }

    ngx_media_text_cstr(text, "}");

    if (row->status == NGX_HTTP_OK) {
        ngx_media_text_cstr(text, ",\"304\":{\"description\":"
                            "\"as If-None-Match says\"}");
    }

    common = (row->method == NGX_HTTP_GET)
             ? NGX_HTTP_MEDIA_API_ERRORS
             : NGX_HTTP_MEDIA_API_ERRORS " " NGX_HTTP_MEDIA_API_ERRORS_WRITE;

    ngx_http_media_api_open_errors(text, common, "");
    ngx_http_media_api_open_errors(text, row->errors, common);
}


/* words of three digits, but for those that were there */

static void
ngx_http_media_api_open_errors(ngx_media_text_t *text, const char *errors,
    const char *before)
{
    const char  *p;

    for ( /* void */ ; *errors; errors += errors[3] ? 4 : 3) {

        for (p = before; *p; p += p[3] ? 4 : 3) {
            if (ngx_memcmp(p, errors, 3) == 0) {
                break;
            }
        }

        if (*p) {
            continue;
        }

        ngx_media_text_cstr(text, ",\"");
        ngx_media_text_data(text, errors, 3);
        ngx_media_text_cstr(text, "\":{\"description\":\"a problem\","
                            "\"content\":{\"application/problem+json\":{"
                            "\"schema\":{\"$ref\":"
                            "\"#/components/schemas/Problem\"}}}}");
    }
}


static void
ngx_http_media_api_open_schemas(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document)
{
    ngx_uint_t                                i, n;
    const ngx_http_media_api_table_t *const  *table;
    const ngx_http_media_api_schema_t        *schema;

    table = document->tables->elts;
    n = 0;

    for (i = 0; i < document->tables->nelts; i++) {

        for (schema = table[i]->schemas; schema && schema->name; schema++) {

            if (n++) {
                ngx_media_text_cstr(text, ",");
            }

            ngx_media_text_cstr(text, "\"");
            ngx_media_text_data(text, schema->name, ngx_strlen(schema->name));
            ngx_media_text_cstr(text, "\":");
            ngx_media_text_data(text, schema->json, ngx_strlen(schema->json));
        }
    }
}
