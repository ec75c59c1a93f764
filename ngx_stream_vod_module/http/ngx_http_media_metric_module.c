
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * media_metrics, variables, and what is counted of requests.  Phases have a
 * handler of ours only where some location has media.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_metric.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_session.h"
#include "http/ngx_http_media_subject.h"
#include "http/ngx_http_media_vod.h"


#define NGX_HTTP_MEDIA_METRIC_STREAMS      1000
#define NGX_HTTP_MEDIA_METRIC_STREAMS_MAX  5000


typedef struct {
    ngx_media_count_t        *count;
    ngx_uint_t                places;         /* locations with media */
    ngx_uint_t                used;           /* counters are wanted */
} ngx_http_media_metric_main_conf_t;


typedef struct {
    ngx_http_media_place_t       *place;      /* NULL: no media here */
    ngx_http_media_metric_conf_t  metrics;
} ngx_http_media_metric_loc_conf_t;


static ngx_int_t ngx_http_media_metric_handler(ngx_http_request_t *r);
static ngx_uint_t ngx_http_media_metric_is_open(ngx_http_request_t *r);
static ngx_uint_t ngx_http_media_metric_quality(const ngx_str_t *accept,
    const char *type, ngx_uint_t versions);
static ngx_uint_t ngx_http_media_metric_params(const u_char *p,
    const u_char *last, ngx_uint_t versions);
static ngx_int_t ngx_http_media_metric_note(ngx_http_request_t *r);

static ngx_int_t ngx_http_media_metric_init(ngx_conf_t *cf);
static void *ngx_http_media_metric_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_media_metric_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_media_metric_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_media_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_media_metric_init_process(ngx_cycle_t *cycle);
static void ngx_http_media_metric_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_media_metric_commands[] = {

    { ngx_string("media_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE12,
      ngx_http_media_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_metric_module_ctx = {
    ngx_http_media_variables_add,          /* preconfiguration */
    ngx_http_media_metric_init,            /* postconfiguration */

    ngx_http_media_metric_create_main_conf,  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_metric_create_loc_conf, /* create location configuration */
    ngx_http_media_metric_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_media_metric_module = {
    NGX_MODULE_V1,
    &ngx_http_media_metric_module_ctx,     /* module context */
    ngx_http_media_metric_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_media_metric_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_media_metric_exit_process,    /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_media_metric_handler(ngx_http_request_t *r)
{
    ngx_int_t                          rc;
    ngx_str_t                          page;
    ngx_uint_t                         open;
    ngx_media_cache_t                 *cache;
    ngx_http_media_metrics_t           metrics;
    ngx_http_media_metric_loc_conf_t  *mlcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    mlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_metric_module);

    ngx_memzero(&metrics, sizeof(ngx_http_media_metrics_t));

    metrics.pool = r->pool;
    metrics.count = ngx_http_media_count_conf(r);
    metrics.sessions = ngx_http_media_sessions_conf(r);

    cache = ngx_http_media_vod_cache_conf(r);

    if (cache) {
        ngx_media_cache_stat(cache, &metrics.cache);
        metrics.vod = 1;
    }

    open = ngx_http_media_metric_is_open(r);

    if (ngx_http_media_metrics_collect(&metrics, &mlcf->metrics) != NGX_OK
        || ngx_http_media_metrics_page(&metrics, open, &page) != NGX_OK
        || ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media metrics, streams:%ui, bytes:%uz, open:%ui",
                   metrics.nstreams, page.len, open);

    if (open) {
        ngx_str_set(&r->headers_out.content_type,
                    "application/openmetrics-text; version=1.0.0; "
                    "charset=utf-8");

    } else {
        ngx_str_set(&r->headers_out.content_type,
                    "text/plain; version=0.0.4; charset=utf-8");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_http_media_bytes_send(r, page.data, page.len);
}


/* RFC 9110, 12.5.1: it has to be asked for, and not less than the other */

static ngx_uint_t
ngx_http_media_metric_is_open(ngx_http_request_t *r)
{
    ngx_uint_t        open;
    ngx_table_elt_t  *h;

    h = ngx_http_media_request_header(r, "accept", 6);

    if (h == NULL) {
        return 0;
    }

    open = ngx_http_media_metric_quality(&h->value,
                                         "application/openmetrics-text", 1);

    return open && open >= ngx_http_media_metric_quality(&h->value,
                                                         "text/plain", 0);
}


/* the best of the elements of this type, in thousandths */

static ngx_uint_t
ngx_http_media_metric_quality(const ngx_str_t *accept, const char *type,
    ngx_uint_t versions)
{
    size_t         len;
    ngx_uint_t     quality, best;
    const u_char  *p, *last, *end;

    p = accept->data;
    end = p + accept->len;
    len = ngx_strlen(type);
    best = 0;

    while (p < end) {

        last = ngx_strlchr((u_char *) p, (u_char *) end, ',');
        if (last == NULL) {
            last = end;
        }

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if ((size_t) (last - p) >= len
            && ngx_strncasecmp((u_char *) p, (u_char *) type, len) == 0
            && (p + len == last || p[len] == ';' || p[len] == ' '))
        {
            quality = ngx_http_media_metric_params(p + len, last, versions);
            best = ngx_max(best, quality);
        }

        p = last + 1;
    }

    return best;
}


/* 0: not acceptable, or of another version */

static ngx_uint_t
ngx_http_media_metric_params(const u_char *p, const u_char *last,
    ngx_uint_t versions)
{
    ngx_uint_t  quality, unit;

    quality = 1000;

    for ( /* void */ ; p < last; p++) {

        if (*p == ';' || *p == ' ' || *p == '\t') {
            continue;
        }

        if (versions && last - p > 8
            && ngx_strncasecmp((u_char *) p, (u_char *) "version=", 8) == 0
            && p[8] != '1')
        {
            return 0;
        }

        if (last - p > 2 && (*p == 'q' || *p == 'Q') && p[1] == '=') {
            quality = (p[2] == '1') ? 1000 : 0;
            p += 3;

            if (p < last && *p == '.') {

                for (unit = 100, p++;
                     unit && p < last && *p >= '0' && *p <= '9';
                     unit /= 10, p++)
                {
                    quality += (ngx_uint_t) (*p - '0') * unit;
                }
            }
        }

        while (p < last && *p != ';') {
            p++;
        }
    }

    return ngx_min(quality, 1000);
}


/* of the rewrite phase: what was asked for, whatever becomes of the request */

static ngx_int_t
ngx_http_media_metric_note(ngx_http_request_t *r)
{
    (void) ngx_http_media_subject(r);

    return NGX_DECLINED;
}


ngx_http_media_place_t *
ngx_http_media_place(ngx_http_request_t *r)
{
    ngx_http_media_metric_loc_conf_t  *mlcf;

    mlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_metric_module);

    return mlcf->place;
}


ngx_media_count_t *
ngx_http_media_count_conf(ngx_http_request_t *r)
{
    ngx_http_media_metric_main_conf_t  *mmcf;

    mmcf = ngx_http_get_module_main_conf(r, ngx_http_media_metric_module);

    return mmcf->count;
}


ngx_int_t
ngx_http_media_place_add(ngx_conf_t *cf, const ngx_str_t *app)
{
    ngx_http_media_place_t             *place;
    ngx_http_core_loc_conf_t           *clcf;
    ngx_http_media_metric_loc_conf_t   *mlcf;
    ngx_http_media_metric_main_conf_t  *mmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    mlcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_media_metric_module);
    mmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_media_metric_module);

    place = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_place_t));
    if (place == NULL) {
        return NGX_ERROR;
    }

    place->app = app ? *app : clcf->name;

    /* of others all of the URI stands before what is wanted of it */

    if (!clcf->named && !clcf->exact_match
#if (NGX_PCRE)
        && clcf->regex == NULL
#endif
       )
    {
        place->prefix = clcf->name;
    }

    place->group = ngx_media_count_group(cf, mmcf->count, &place->app);
    if (place->group == NULL) {
        return NGX_ERROR;
    }

    mlcf->place = place;

    mmcf->places = 1;
    mmcf->used = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metric_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt                *h;
    ngx_http_core_main_conf_t          *cmcf;
    ngx_http_media_metric_main_conf_t  *mmcf;

    mmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_media_metric_module);

    if (!mmcf->used) {
        mmcf->count = NULL;
        return NGX_OK;
    }

    if (ngx_media_count_zone(cf, mmcf->count) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!mmcf->places) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_media_metric_note;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_media_subject_count;

    return NGX_OK;
}


static void *
ngx_http_media_metric_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_media_metric_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_metric_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->places = 0;
     *     conf->used = 0;
     */

    conf->count = ngx_media_count_create(cf, NGX_HTTP_MEDIA_COUNT_WIDTH);

    return conf->count ? conf : NULL;
}


static void *
ngx_http_media_metric_create_loc_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->place = NULL;
     *     conf->metrics = { 0, 0 };
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_media_metric_loc_conf_t));
}


/* "if" and "limit_except" blocks go on with what surrounds them */

static char *
ngx_http_media_metric_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_media_metric_loc_conf_t *prev = parent;
    ngx_http_media_metric_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->noname && !clcf->lmt_excpt) {
        return NGX_CONF_OK;
    }

    if (conf->place == NULL) {
        conf->place = prev->place;
    }

    if (conf->metrics.streams == 0 && prev->metrics.streams) {
        conf->metrics = prev->metrics;

        if (clcf->handler == NULL) {
            clcf->handler = ngx_http_media_metric_handler;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_media_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_metric_loc_conf_t *mlcf = conf;

    ngx_int_t                           n;
    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_http_media_metric_main_conf_t  *mmcf;

    if (mlcf->metrics.streams) {
        return "is duplicate";
    }

    mlcf->metrics.streams = NGX_HTTP_MEDIA_METRIC_STREAMS;
    mlcf->metrics.tracks = 1;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "streams=", 8) == 0) {
            n = ngx_atoi(value[i].data + 8, value[i].len - 8);

            if (n >= 1 && n <= NGX_HTTP_MEDIA_METRIC_STREAMS_MAX) {
                mlcf->metrics.streams = n;
                continue;
            }

        } else if (ngx_strcmp(value[i].data, "tracks=on") == 0) {
            continue;

        } else if (ngx_strcmp(value[i].data, "tracks=off") == 0) {
            mlcf->metrics.tracks = 0;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", write \"streams=N\", "
                           "from 1 to 5000, or \"tracks=off\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_media_answers(cf, cmd, ngx_http_media_metric_handler)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_media_metric_module);
    mmcf->used = 1;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_media_metric_init_process(ngx_cycle_t *cycle)
{
    ngx_http_media_metric_main_conf_t  *mmcf;

    mmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_media_metric_module);

    if (mmcf && mmcf->count
        && (ngx_process == NGX_PROCESS_WORKER
            || ngx_process == NGX_PROCESS_SINGLE))
    {
        ngx_media_count_attach(mmcf->count);
    }

    return NGX_OK;
}


static void
ngx_http_media_metric_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_media_metric_main_conf_t  *mmcf;

    mmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_media_metric_module);

    if (mmcf && mmcf->count) {
        ngx_media_count_detach(mmcf->count);
    }
}
