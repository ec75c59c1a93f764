
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_reply.h"


/* a location that may change something, as it is read */

typedef struct {
    ngx_http_conf_ctx_t      *ctx;
    ngx_http_core_loc_conf_t *clcf;
    u_char                   *file;
    ngx_uint_t                line;
} ngx_http_media_api_writer_t;


typedef struct {
    ngx_array_t               tables;         /* const _table_t * */
    ngx_array_t               writers;        /* _writer_t */
} ngx_http_media_api_main_conf_t;


typedef struct {
    ngx_http_media_api_e      access;
    size_t                    prefix;         /* bytes of its name */
} ngx_http_media_api_loc_conf_t;


static ngx_int_t ngx_http_media_api_init(ngx_conf_t *cf);
static ngx_uint_t ngx_http_media_api_writer_guarded(ngx_conf_t *cf,
    const ngx_http_media_api_writer_t *writer);
static void *ngx_http_media_api_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_media_api_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_media_api_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_media_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_uint_t ngx_http_media_api_prefixed(
    const ngx_http_core_loc_conf_t *clcf);


static ngx_command_t  ngx_http_media_api_commands[] = {

    { ngx_string("media_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_media_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_api_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_media_api_init,               /* postconfiguration */

    ngx_http_media_api_create_main_conf,   /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_api_create_loc_conf,    /* create location configuration */
    ngx_http_media_api_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_media_api_module = {
    NGX_MODULE_V1,
    &ngx_http_media_api_module_ctx,        /* module context */
    ngx_http_media_api_commands,           /* module directives */
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


static const ngx_http_media_api_table_t  *ngx_http_media_api_own[] = {
    &ngx_http_media_api_root_table,
    &ngx_http_media_api_stream_table,
    &ngx_http_media_api_publisher_table,
    &ngx_http_media_api_ban_table,
    &ngx_http_media_api_session_table,
    NULL
};


ngx_int_t
ngx_http_media_api_add(ngx_conf_t *cf,
    const ngx_http_media_api_table_t *table)
{
    ngx_http_media_api_main_conf_t     *mamcf;
    const ngx_http_media_api_table_t  **elt;

    mamcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_media_api_module);

    elt = ngx_array_push(&mamcf->tables);
    if (elt == NULL) {
        return NGX_ERROR;
    }

    *elt = table;

    return NGX_OK;
}


ngx_array_t *
ngx_http_media_api_tables(ngx_http_request_t *r)
{
    ngx_http_media_api_main_conf_t  *mamcf;

    mamcf = ngx_http_get_module_main_conf(r, ngx_http_media_api_module);

    return &mamcf->tables;
}


ngx_http_media_api_e
ngx_http_media_api_access(ngx_http_request_t *r, size_t *prefix)
{
    ngx_http_media_api_loc_conf_t  *malcf;

    malcf = ngx_http_get_module_loc_conf(r, ngx_http_media_api_module);

    *prefix = malcf->prefix;

    return malcf->access;
}


/*
 * All has been merged, whatever the order of modules is: so this is where what
 * holds in a location can be seen.
 */

static ngx_int_t
ngx_http_media_api_init(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_http_media_api_writer_t     *writer;
    ngx_http_media_api_main_conf_t  *mamcf;

    mamcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_media_api_module);
    writer = mamcf->writers.elts;

    for (i = 0; i < mamcf->writers.nelts; i++) {

        if (ngx_http_media_api_writer_guarded(cf, &writer[i])) {
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"media_api write\" in %s:%ui lets everybody "
                      "disconnect publishers: put \"allow 127.0.0.1; deny "
                      "all;\", \"auth_basic\" or \"auth_request\" into "
                      "location \"%V\", or write \"media_api read\"; where a "
                      "module that is not known here asks who it is, write "
                      "\"media_api write access=other\"",
                      writer[i].file, writer[i].line, &writer[i].clcf->name);

        return NGX_ERROR;
    }

    return NGX_OK;
}


/* each method that changes something is in the location, or in limit_except */

static ngx_uint_t
ngx_http_media_api_writer_guarded(ngx_conf_t *cf,
    const ngx_http_media_api_writer_t *writer)
{
    void        **loc_conf;
    ngx_uint_t    i;

    static const ngx_uint_t  methods[] = {
        NGX_HTTP_POST, NGX_HTTP_PUT, NGX_HTTP_PATCH, NGX_HTTP_DELETE
    };

    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {

        loc_conf = (writer->clcf->limit_except & methods[i])
                   ? writer->clcf->limit_except_loc_conf
                   : writer->ctx->loc_conf;

        if (!ngx_http_media_api_guarded(cf, loc_conf)) {
            return 0;
        }
    }

    return 1;
}


/* ours are there before the preconfiguration of any module, and so first */

static void *
ngx_http_media_api_create_main_conf(ngx_conf_t *cf)
{
    ngx_uint_t                          i;
    ngx_http_media_api_main_conf_t     *conf;
    const ngx_http_media_api_table_t  **elt;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_api_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&conf->tables, cf->pool, 8,
                       sizeof(ngx_http_media_api_table_t *))
        != NGX_OK
        || ngx_array_init(&conf->writers, cf->pool, 2,
                          sizeof(ngx_http_media_api_writer_t))
           != NGX_OK)
    {
        return NULL;
    }

    for (i = 0; ngx_http_media_api_own[i]; i++) {

        elt = ngx_array_push(&conf->tables);
        if (elt == NULL) {
            return NULL;
        }

        *elt = ngx_http_media_api_own[i];
    }

    return conf;
}


static void *
ngx_http_media_api_create_loc_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->access = NGX_HTTP_MEDIA_API_OFF;
     *     conf->prefix = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_media_api_loc_conf_t));
}


/* "if" and "limit_except" blocks go on with what surrounds them */

static char *
ngx_http_media_api_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_media_api_loc_conf_t *prev = parent;
    ngx_http_media_api_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if ((!clcf->noname && !clcf->lmt_excpt)
        || conf->access != NGX_HTTP_MEDIA_API_OFF
        || prev->access == NGX_HTTP_MEDIA_API_OFF)
    {
        return NGX_CONF_OK;
    }

    *conf = *prev;

    if (clcf->handler == NULL) {
        clcf->handler = ngx_http_media_api_handler;
    }

    return NGX_CONF_OK;
}


/* media_api read | write [access=other] */

static char *
ngx_http_media_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_api_loc_conf_t *malcf = conf;

    ngx_str_t                       *value;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_media_api_writer_t     *writer;
    ngx_http_media_api_main_conf_t  *mamcf;

    if (malcf->access != NGX_HTTP_MEDIA_API_OFF) {
        return "is duplicate";
    }

    value = cf->args->elts;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (ngx_strcmp(value[1].data, "read") == 0 && cf->args->nelts == 2) {
        malcf->access = NGX_HTTP_MEDIA_API_READ;

    } else if (ngx_strcmp(value[1].data, "write") == 0
               && (cf->args->nelts == 2
                   || ngx_strcmp(value[2].data, "access=other") == 0))
    {
        malcf->access = NGX_HTTP_MEDIA_API_WRITE;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", write \"read\", \"write\" "
                           "or \"write access=other\"",
                           &value[cf->args->nelts - 1]);
        return NGX_CONF_ERROR;
    }

    if (!ngx_http_media_api_prefixed(clcf)) {
        return "has to be in a location of a prefix, \"location /api/\"";
    }

    malcf->prefix = clcf->name.len;

    if (malcf->access == NGX_HTTP_MEDIA_API_WRITE && cf->args->nelts == 2) {
        mamcf = ngx_http_conf_get_module_main_conf(cf,
                                                   ngx_http_media_api_module);

        writer = ngx_array_push(&mamcf->writers);
        if (writer == NULL) {
            return NGX_CONF_ERROR;
        }

        writer->ctx = cf->ctx;
        writer->clcf = clcf;
        writer->file = cf->conf_file->file.name.data;
        writer->line = cf->conf_file->line;
    }

    if (ngx_http_media_answers(cf, cmd, ngx_http_media_api_handler)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_media_api_prefixed(const ngx_http_core_loc_conf_t *clcf)
{
#if (NGX_PCRE)
    if (clcf->regex) {
        return 0;
    }
#endif

    return !clcf->named && !clcf->exact_match && !clcf->noname;
}
