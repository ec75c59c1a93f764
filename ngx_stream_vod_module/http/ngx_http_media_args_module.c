
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Arguments of the request for a playlist, in all URIs of it: for secure_link,
 * and for CDNs whose tokens have to be in each request.
 *
 * Such a text is one client's, so it is made for each request, of the text that
 * is shared by all, and compressed by nginx's gzip filter if at all.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "formats/ngx_media_args.h"
#include "http/ngx_http_media_reply.h"


/* bytes of all of them */
#define NGX_HTTP_MEDIA_ARGS_MAX   2048

/*
 * Bytes of a text that has them once for each URI: it is there as long as its
 * client takes to read it
 */
#define NGX_HTTP_MEDIA_ARGS_TEXT  (2 * 1024 * 1024)


typedef struct {
    ngx_array_t              *names;          /* ngx_str_t; NULL: none */
} ngx_http_media_args_conf_t;


static ngx_int_t ngx_http_media_args(ngx_http_request_t *r, ngx_array_t *names,
    ngx_str_t *args);
static ngx_int_t ngx_http_media_args_value(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static void *ngx_http_media_args_create_conf(ngx_conf_t *cf);
static char *ngx_http_media_args_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_media_args_forward(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_media_args_commands[] = {

    { ngx_string("media_args_forward"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_media_args_forward,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_args_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_args_create_conf,       /* create location configuration */
    ngx_http_media_args_merge_conf         /* merge location configuration */
};


ngx_module_t  ngx_http_media_args_module = {
    NGX_MODULE_V1,
    &ngx_http_media_args_module_ctx,       /* module context */
    ngx_http_media_args_commands,          /* module directives */
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


ngx_int_t
ngx_http_media_args_text(ngx_http_request_t *r, ngx_media_args_e form,
    ngx_str_t *bytes)
{
    ngx_int_t                    rc;
    ngx_str_t                    args, text;
    ngx_http_media_args_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_media_args_module);

    if (conf->names == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_media_args(r, conf->names, &args);

    if (rc != NGX_OK) {
        return rc;
    }

    text.len = ngx_media_args_write(NULL, form, bytes, &args);

    if (text.len > NGX_HTTP_MEDIA_ARGS_TEXT) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "arguments of %uz bytes are not put into the playlist: "
                      "it would be of %uz bytes", args.len, text.len);
        return NGX_DECLINED;
    }

    text.data = ngx_pnalloc(r->pool, text.len);

    if (text.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_args_write(text.data, form, bytes, &args);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media arguments of %uz bytes in a text: %uz -> %uz",
                   args.len, bytes->len, text.len);

    *bytes = text;

    return NGX_OK;
}


/* "a=1&b=2"; NGX_DECLINED: the request has none of them */

static ngx_int_t
ngx_http_media_args(ngx_http_request_t *r, ngx_array_t *names, ngx_str_t *args)
{
    u_char      *p;
    ngx_str_t   *name, value;
    ngx_uint_t   i;

    p = NULL;
    name = names->elts;

    for (i = 0; i < names->nelts; i++) {

        if (ngx_http_media_args_value(r, &name[i], &value) != NGX_OK) {
            continue;
        }

        if (p == NULL) {
            p = ngx_pnalloc(r->pool, NGX_HTTP_MEDIA_ARGS_MAX);

            if (p == NULL) {
                return NGX_ERROR;
            }

            args->data = p;
        }

        if ((size_t) (p - args->data) + name[i].len + value.len + 2
            > NGX_HTTP_MEDIA_ARGS_MAX
            || !ngx_media_args_safe(value.data, value.data + value.len))
        {
            /* what it is is nobody's business */

            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "argument \"%V\" is not put into the playlist: it "
                          "is too long, or no part of a URI", &name[i]);
            continue;
        }

        if (p != args->data) {
            *p++ = '&';
        }

        p = ngx_cpymem(p, name[i].data, name[i].len);
        *p++ = '=';
        p = ngx_cpymem(p, value.data, value.len);
    }

    if (p == NULL || p == args->data) {
        return NGX_DECLINED;
    }

    args->len = p - args->data;

    return NGX_OK;
}


/* a token that was one is none of the request's any more */

static ngx_int_t
ngx_http_media_args_value(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    if (ngx_http_media_token_argument(r, name, value) == NGX_OK) {
        return NGX_OK;
    }

    return ngx_http_arg(r, name->data, name->len, value);
}


static void *
ngx_http_media_args_create_conf(ngx_conf_t *cf)
{
    ngx_http_media_args_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_http_media_args_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->names = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_media_args_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_media_args_conf_t *prev = parent;
    ngx_http_media_args_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->names, prev->names, NULL);

    return NGX_CONF_OK;
}


/* off | NAME... */

static char *
ngx_http_media_args_forward(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_args_conf_t *macf = conf;

    u_char      *p;
    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (macf->names != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        macf->names = NULL;
        return NGX_CONF_OK;
    }

    macf->names = ngx_array_create(cf->pool, cf->args->nelts,
                                   sizeof(ngx_str_t));
    if (macf->names == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        for (p = value[i].data; *p; p++) {

            if (!((*p >= '0' && *p <= '9')
                  || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
                  || *p == '_' || *p == '-' || *p == '.'))
            {
                break;
            }
        }

        /* RFC 8216bis, 6.2.5: players say other ones each time */

        if (*p || value[i].len == 0
            || ngx_strncmp(value[i].data, "_HLS_", 5) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid name of an argument \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        name = ngx_array_push(macf->names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}
