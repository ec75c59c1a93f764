
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
    ngx_uint_t                write;          /* calls that change something */
} ngx_http_media_api_document_t;


static void ngx_http_media_api_open_write(ngx_media_text_t *text,
    const void *data);
static void ngx_http_media_api_open_paths(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document,
    const ngx_http_media_api_table_t *table, ngx_uint_t *n);
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

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_open_write, &document);
}


/* OpenAPI 3.1.0; paths are relative to where the document is */

static void
ngx_http_media_api_open_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_document_t *document = data;

    ngx_uint_t                                i, n;
    const ngx_http_media_api_table_t *const  *table;

    ngx_media_text_cstr(text, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":"
                        "\"ngx_stream_vod_module\",\"version\":\"1\"},"
                        "\"servers\":[{\"url\":\"..\"}],\"paths\":{");

    table = document->tables->elts;
    n = 0;

    for (i = 0; i < document->tables->nelts; i++) {
        ngx_http_media_api_open_paths(text, document, table[i], &n);
    }

    ngx_media_text_cstr(text, "},\"components\":{\"schemas\":{");

    ngx_http_media_api_open_schemas(text, document);

    ngx_media_text_cstr(text, "}}}\n");
}


/* rows of one path stand together */

static void
ngx_http_media_api_open_paths(ngx_media_text_t *text,
    const ngx_http_media_api_document_t *document,
    const ngx_http_media_api_table_t *table, ngx_uint_t *n)
{
    ngx_uint_t                       same;
    const ngx_http_media_api_row_t  *row, *before;

    before = NULL;

    for (row = table->rows; row->method; row++) {

        if (row->method != NGX_HTTP_GET && !document->write) {
            continue;
        }

        same = before && before->path.len == row->path.len
               && ngx_strncmp(before->path.data, row->path.data,
                              row->path.len)
                  == 0
               && ((before->flags ^ row->flags)
                   & (NGX_HTTP_MEDIA_API_NAME|NGX_HTTP_MEDIA_API_ID))
                  == 0;

        if (same) {
            ngx_media_text_cstr(text, ",");

        } else {

            if (before) {
                ngx_media_text_cstr(text, "}");
            }

            if ((*n)++) {
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
        }

        ngx_http_media_api_open_call(text, row);

        before = row;
    }

    if (before) {
        ngx_media_text_cstr(text, "}");
    }
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
