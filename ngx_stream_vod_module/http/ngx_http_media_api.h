
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * media_api: what is asked for below its location is one row of a table.  A row
 * says what its path and arguments are, who answers, and what the OpenAPI
 * document tells of it; nobody else has a list of calls.  Modules of HTTP add
 * tables of their own (docs/developing.md).
 *
 * Whatever is answered, errors too, is JSON and "no-store".
 *
 * style: long header, it is one table and how its rows answer.
 */


#ifndef _NGX_HTTP_MEDIA_API_H_INCLUDED_
#define _NGX_HTTP_MEDIA_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media.h"
#include "formats/ngx_media_text.h"


#define NGX_HTTP_MEDIA_API_BODY     65536     /* bytes, at most */
#define NGX_HTTP_MEDIA_API_ARGS     8         /* of a row, at most */
#define NGX_HTTP_MEDIA_API_VALUE    1024      /* bytes of one, decoded */
#define NGX_HTTP_MEDIA_API_PART     64        /* and of what is looked for in
                                                 all names */

#define NGX_HTTP_MEDIA_API_LIMIT    100       /* items of a list */
#define NGX_HTTP_MEDIA_API_LIMIT_MAX  1000
#define NGX_HTTP_MEDIA_API_BAN_MAX  31536000  /* s */

#define NGX_HTTP_MEDIA_API_UNPROCESSABLE  422  /* nginx has no name for it */


/* location's media_api */

typedef enum {
    NGX_HTTP_MEDIA_API_OFF = 0,
    NGX_HTTP_MEDIA_API_READ,
    NGX_HTTP_MEDIA_API_WRITE
} ngx_http_media_api_e;


/* flags of rows */

/* behind the path stands /APP/NAME, where a name may hold slashes; or /ID */
#define NGX_HTTP_MEDIA_API_NAME     0x01
#define NGX_HTTP_MEDIA_API_ID       0x02
/* it wants a body, of JSON */
#define NGX_HTTP_MEDIA_API_JSON     0x04


typedef enum {
    NGX_HTTP_MEDIA_API_STRING = 0,
    NGX_HTTP_MEDIA_API_NUMBER,
    NGX_HTTP_MEDIA_API_WORD
} ngx_http_media_api_type_e;


typedef struct {
    ngx_str_t                 name;
    ngx_http_media_api_type_e type;
    ngx_uint_t                min;            /* NUMBER */
    ngx_uint_t                max;            /* and STRING: bytes */
    const char *const        *words;          /* WORD; NULL ends them */
    const char               *help;
} ngx_http_media_api_arg_t;

#define ngx_http_media_api_no_arg                                             \
    { ngx_null_string, NGX_HTTP_MEDIA_API_STRING, 0, 0, NULL, NULL }


typedef struct {
    ngx_str_t                 text;           /* data NULL: it was not given */
    ngx_uint_t                n;              /* NUMBER; WORD: which of them */
} ngx_http_media_api_value_t;


typedef struct ngx_http_media_api_row_s  ngx_http_media_api_row_t;


/* of a request; all of it lives as long */

typedef struct {
    const ngx_http_media_api_row_t  *row;
    ngx_str_t                 app;            /* with _NAME */
    ngx_str_t                 name;           /* and _ID: the id */
    ngx_http_media_api_value_t
                              args[NGX_HTTP_MEDIA_API_ARGS];  /* as the row's */
    ngx_str_t                 body;           /* with _JSON */
    void                    **loc_conf;       /* while that is read: nginx's */
    ngx_http_media_api_e      access;
} ngx_http_media_api_ctx_t;


/* what a content handler returns */
typedef ngx_int_t (*ngx_http_media_api_pt)(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);


struct ngx_http_media_api_row_s {
    ngx_uint_t                method;         /* NGX_HTTP_GET: HEAD, too */
    ngx_str_t                 path;           /* "v1/streams" */
    ngx_uint_t                flags;          /* NGX_HTTP_MEDIA_API_* */
    const ngx_http_media_api_arg_t
                             *args;           /* the last has no name; NULL */
    ngx_http_media_api_pt     handler;

    /* for the document */
    const char               *summary;
    ngx_uint_t                status;         /* if all is well */
    const char               *schema;         /* of its answer; NULL: none */
    const char               *request;        /* of the body; NULL: none */
    const char               *errors;         /* "404 409": besides 400, 405 */
};


/* JSON Schema of an answer, 2020-12, as OpenAPI 3.1 has it */

typedef struct {
    const char               *name;           /* NULL: the last one */
    const char               *json;
} ngx_http_media_api_schema_t;


#define NGX_HTTP_MEDIA_API_LIST_SCHEMA(item)                                  \
    "{\"type\":\"object\",\"additionalProperties\":false,"                    \
    "\"required\":[\"total\",\"cursor\",\"items\"],\"properties\":{"          \
    "\"total\":{\"type\":\"integer\",\"minimum\":0,"                          \
    "\"description\":\"of all pages\"},"                                      \
    "\"cursor\":{\"type\":[\"string\",\"null\"],"                             \
    "\"description\":\"of the next page; null: there is none\"},"             \
    "\"items\":{\"type\":\"array\",\"items\":{\"$ref\":"                      \
    "\"#/components/schemas/" item "\"}}}}"

typedef struct {
    const ngx_http_media_api_row_t     *rows;   /* the last has no method */
    const ngx_http_media_api_schema_t  *schemas;
} ngx_http_media_api_table_t;

extern const ngx_http_media_api_table_t  ngx_http_media_api_root_table;
extern const ngx_http_media_api_table_t  ngx_http_media_api_stream_table;
extern const ngx_http_media_api_table_t  ngx_http_media_api_publisher_table;
extern const ngx_http_media_api_table_t  ngx_http_media_api_ban_table;
extern const ngx_http_media_api_table_t  ngx_http_media_api_session_table;


/* arguments that several have, for the document and "limit" */
#define ngx_http_media_api_arg_app                                            \
    { ngx_string("app"), NGX_HTTP_MEDIA_API_STRING, 1, NGX_MEDIA_NAME_MAX,    \
      NULL, "Only of this application." }
#define ngx_http_media_api_arg_q                                              \
    { ngx_string("q"), NGX_HTTP_MEDIA_API_STRING, 1,                          \
      NGX_HTTP_MEDIA_API_PART, NULL,                                          \
      "Only those with this in their name, whatever the case." }
#define ngx_http_media_api_arg_limit                                          \
    { ngx_string("limit"), NGX_HTTP_MEDIA_API_NUMBER, 1,                      \
      NGX_HTTP_MEDIA_API_LIMIT_MAX, NULL, "How many; 100." }
#define ngx_http_media_api_arg_cursor                                         \
    { ngx_string("cursor"), NGX_HTTP_MEDIA_API_STRING, 1,                     \
      NGX_HTTP_MEDIA_API_VALUE, NULL,                                         \
      "Of the answer before: what follows it." }


/*
 * ngx_http_media_api_module.c.  In preconfiguration of any module of HTTP: adds
 * a table, which stays where it is; and all of a configuration, pointers.
 */
ngx_int_t ngx_http_media_api_add(ngx_conf_t *cf,
    const ngx_http_media_api_table_t *table);
ngx_array_t *ngx_http_media_api_tables(ngx_http_request_t *r);

/* of the location: the URI's bytes before the path, and what may be done */
ngx_http_media_api_e ngx_http_media_api_access(ngx_http_request_t *r,
    size_t *prefix);

/* ngx_http_media_api_guard.c: does this location ask who it is? */
ngx_uint_t ngx_http_media_api_guarded(ngx_conf_t *cf, void **loc_conf);

extern ngx_module_t  ngx_http_media_api_module;

/* ngx_http_media_api.c: the content handler, and words of methods */
ngx_int_t ngx_http_media_api_handler(ngx_http_request_t *r);
const char *ngx_http_media_api_method(ngx_uint_t method);

/* ngx_http_media_api_open.c: the OpenAPI document */
ngx_int_t ngx_http_media_api_open(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);

/*
 * ngx_http_media_api_args.c: those of the request; NGX_DECLINED, or what was
 * answered
 */
ngx_int_t ngx_http_media_api_args(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);


/* ngx_http_media_api_reply.c */

/* writes all of the answer; called twice, first to measure it */
typedef void (*ngx_http_media_api_write_pt)(ngx_media_text_t *text,
    const void *data);

ngx_int_t ngx_http_media_api_reply(ngx_http_request_t *r, ngx_uint_t status,
    ngx_http_media_api_write_pt write, const void *data);
ngx_int_t ngx_http_media_api_no_content(ngx_http_request_t *r);

/*
 * RFC 9457; type "no-such-stream": urn:media:no-such-stream, whose title is "no
 * such stream".  The detail is a sentence for people.
 */
ngx_int_t ngx_http_media_api_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, const char *fmt, ...);

/*
 * For the filter: is this answer one; and what another one's refusal is as one,
 * with its Content-Type, NULL: no memory
 */
ngx_uint_t ngx_http_media_api_is_problem(ngx_http_request_t *r);
ngx_buf_t *ngx_http_media_api_problem_page(ngx_http_request_t *r,
    ngx_uint_t status);

/* that there is no such application; or NULL, and it was answered with *rc */
ngx_media_app_t *ngx_http_media_api_app(ngx_http_request_t *r,
    const ngx_str_t *name, ngx_int_t *rc);

/* of 16 hexadecimal digits; NGX_OK, NGX_DECLINED: it is none */
ngx_int_t ngx_http_media_api_id(const ngx_str_t *text, uint64_t *id);

/* {"total":2,"cursor":null,"items":[ ... ]}; cursor empty: there is no more */
void ngx_http_media_api_list_begin(ngx_media_text_t *text, ngx_uint_t total,
    const ngx_str_t *cursor);
void ngx_http_media_api_list_end(ngx_media_text_t *text);

/* that there was none: NGX_DECLINED, the cursor is wrong, or NGX_ERROR */
ngx_int_t ngx_http_media_api_no_list(ngx_http_request_t *r, ngx_int_t rc);


#endif /* _NGX_HTTP_MEDIA_API_H_INCLUDED_ */
