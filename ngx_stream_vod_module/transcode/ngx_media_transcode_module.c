
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * "transcode" of media {}: which streams get which ladder, in which threads.
 * A job (ngx_media_transcode_job.h) is made of each publisher whose stream has
 * one, as its first track comes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_event.h"
#include "core/ngx_media_module.h"
#include "transcode/ngx_media_ladder.h"
#include "transcode/ngx_media_transcode.h"
#include "transcode/ngx_media_transcode_job.h"
#include "transcode/ngx_media_transcode_table.h"


/* a directive */

typedef struct {
    ngx_media_app_t          *app;
    ngx_str_t                 name;           /* of the ladder */
    const ngx_media_ladder_t *ladder;         /* NULL: off */
    ngx_thread_pool_t        *pool;
    ngx_uint_t                off;
#if (NGX_PCRE)
    ngx_regex_t              *regex;          /* NULL: all streams */
#endif
} ngx_media_transcode_t;


typedef struct {
    ngx_media_app_t          *app;
    ngx_array_t               ladders;        /* ngx_media_transcode_t */
} ngx_media_transcode_conf_t;


static void *ngx_media_transcode_create_conf(ngx_conf_t *cf,
    ngx_media_app_t *app);
static char *ngx_media_transcode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_transcode_option(ngx_conf_t *cf,
    ngx_media_transcode_t *t, ngx_str_t *value);
static char *ngx_media_transcode_regex(ngx_conf_t *cf,
    ngx_media_transcode_t *t, ngx_str_t *value);
static char *ngx_media_transcode_check(ngx_conf_t *cf, void *data);
static ngx_media_transcode_t *ngx_media_transcode_find(ngx_media_app_t *app,
    const ngx_str_t *name);
#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)
static ngx_int_t ngx_media_transcode_postconfiguration(ngx_conf_t *cf);
static void ngx_media_transcode_track(ngx_media_event_t *ev);
static void ngx_media_transcode_end(ngx_media_event_t *ev);
static size_t ngx_media_transcode_shared(const ngx_media_zone_conf_t *conf);
static void ngx_media_transcode_swept(ngx_media_zone_t *zone, void *mem,
    ngx_uint_t row);
static void ngx_media_transcode_tick(ngx_media_zone_t *zone, void *mem);
#endif


static ngx_command_t  ngx_media_transcode_commands[] = {

    { ngx_string("transcode"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE123,
      ngx_media_transcode,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

      ngx_null_command
};


static ngx_media_module_ctx_t  ngx_media_transcode_module_ctx = {
    1,                                     /* layout of its shared memory */
    ngx_media_transcode_create_conf,       /* create configuration */
    NULL,                                  /* init configuration */
#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)
    ngx_media_transcode_postconfiguration, /* postconfiguration */
    ngx_media_transcode_shared,            /* shared memory */
    NULL,                                  /* init shared memory */
    ngx_media_transcode_swept,             /* a process has gone */
    ngx_media_transcode_tick               /* once a second */
#else
    NULL,                                  /* postconfiguration */
    NULL,                                  /* shared memory */
    NULL,                                  /* init shared memory */
    NULL,                                  /* a process has gone */
    NULL                                   /* once a second */
#endif
};


ngx_module_t  ngx_media_transcode_module = {
    NGX_MODULE_V1,
    &ngx_media_transcode_module_ctx,       /* module context */
    ngx_media_transcode_commands,          /* module directives */
    NGX_MEDIA_MODULE,                      /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_media_transcode_create_conf(ngx_conf_t *cf, ngx_media_app_t *app)
{
    ngx_media_transcode_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_media_transcode_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->app = app;

    if (ngx_array_init(&conf->ladders, cf->pool, 2,
                       sizeof(ngx_media_transcode_t))
        != NGX_OK)
    {
        return NULL;
    }

    return conf;
}


static char *
ngx_media_transcode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_transcode_conf_t *mtcf = conf;

    char                   *rv;
    ngx_str_t              *value;
    ngx_uint_t              i;
    ngx_media_transcode_t  *t;

    t = ngx_array_push(&mtcf->ladders);
    if (t == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(t, sizeof(ngx_media_transcode_t));

    value = cf->args->elts;

    t->app = mtcf->app;
    t->name = value[1];
    t->off = ngx_strcmp(value[1].data, "off") == 0;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_media_transcode_option(cf, t, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (t->off) {
        return t->pool ? "off has no threads" : NGX_CONF_OK;
    }

    if (t->pool == NULL) {
        return "needs threads=POOL";
    }

#if !(NGX_MEDIA_HAVE_AV && NGX_THREADS)

    return "needs nginx with threads, and the module with libav: see "
           "docs/transcode.md";

#else

    /* arrays move as they grow: what is checked later is a copy */

    return ngx_media_conf_check(cf, ngx_media_transcode_check, mtcf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;

#endif
}


static char *
ngx_media_transcode_option(ngx_conf_t *cf, ngx_media_transcode_t *t,
    ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "threads=", 8) == 0) {

        if (t->pool) {
            return "has threads twice";
        }

        t->pool = ngx_media_ladder_pool(cf, value);

        return t->pool ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    if (ngx_strncmp(value->data, "for=", 4) == 0) {
        return ngx_media_transcode_regex(cf, t, value);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       value);

    return NGX_CONF_ERROR;
}


static char *
ngx_media_transcode_regex(ngx_conf_t *cf, ngx_media_transcode_t *t,
    ngx_str_t *value)
{
#if (NGX_PCRE)

    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;

    if (t->regex) {
        return "has for= twice";
    }

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern.len = value->len - 4;
    rc.pattern.data = value->data + 4;
    rc.pool = cf->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (rc.pattern.len == 0) {
        return "has an empty for=";
    }

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &rc.err);
        return NGX_CONF_ERROR;
    }

    t->regex = rc.regex;

    return NGX_CONF_OK;

#else

    return "has for=, which needs nginx with PCRE";

#endif
}


/* ladders may stand below the applications that use them */

static char *
ngx_media_transcode_check(ngx_conf_t *cf, void *data)
{
    ngx_media_transcode_conf_t *mtcf = data;

    ngx_uint_t              i;
    ngx_media_transcode_t  *t;

    t = mtcf->ladders.elts;

    for (i = 0; i < mtcf->ladders.nelts; i++) {

        if (t[i].off || t[i].ladder) {
            continue;
        }

        t[i].ladder = ngx_media_ladder_use(cf, &t[i].name,
                                           mtcf->app->segment);
        if (t[i].ladder == NULL) {
            return NGX_CONF_ERROR;
        }

        mtcf->app->latency = ngx_max(mtcf->app->latency,
                                     t[i].ladder->latency);
        break;
    }

    return NGX_CONF_OK;
}


ngx_media_table_shm_t *
ngx_media_transcode_table(const ngx_media_app_t *app)
{
    return ngx_media_app_shared(app, ngx_media_transcode_module);
}


ngx_uint_t
ngx_media_transcode_source(ngx_media_app_t *app, const ngx_str_t *name)
{
    ngx_media_transcode_t  *t;

    t = ngx_media_transcode_find(app, name);

    return t == NULL || t->ladder == NULL || t->ladder->source;
}


/* the first that matches; NULL: it has no ladder */

static ngx_media_transcode_t *
ngx_media_transcode_find(ngx_media_app_t *app, const ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_media_transcode_t       *t;
    ngx_media_transcode_conf_t  *conf;

    conf = ngx_media_app_conf(app, ngx_media_transcode_module);
    t = conf->ladders.elts;

    for (i = 0; i < conf->ladders.nelts; i++) {

#if (NGX_PCRE)
        if (t[i].regex
            && ngx_regex_exec(t[i].regex, (ngx_str_t *) name, NULL, 0) < 0)
        {
            continue;
        }
#endif

        return t[i].off ? NULL : &t[i];
    }

    return NULL;
}


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

static ngx_int_t
ngx_media_transcode_postconfiguration(ngx_conf_t *cf)
{
    if (ngx_media_event_add(cf, NGX_MEDIA_EVENT_TRACK,
                            ngx_media_transcode_track)
        != NGX_OK
        || ngx_media_event_add(cf, NGX_MEDIA_EVENT_END,
                               ngx_media_transcode_end)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_media_transcode_track(ngx_media_event_t *ev)
{
    ngx_media_job_t                *job;
    ngx_media_transcode_t          *t;
    const ngx_media_event_track_t  *what = ev->what;

    if (what->derived) {
        return;
    }

    job = ev->ctx[ngx_media_transcode_module.ctx_index];

    if (job == NULL) {
        t = ngx_media_transcode_find(ev->app, ev->name);

        if (t == NULL) {
            return;
        }

        job = ngx_media_job_create(ev, t->ladder, t->pool);
        if (job == NULL) {
            return;
        }

        ev->ctx[ngx_media_transcode_module.ctx_index] = job;
    }

    ngx_media_job_track(job, ev);
}


static void
ngx_media_transcode_end(ngx_media_event_t *ev)
{
    ngx_media_job_t  *job;

    job = ev->ctx[ngx_media_transcode_module.ctx_index];

    if (job) {
        ngx_media_job_release(job);
    }
}


static size_t
ngx_media_transcode_shared(const ngx_media_zone_conf_t *conf)
{
    return sizeof(ngx_media_table_shm_t);
}


static void
ngx_media_transcode_swept(ngx_media_zone_t *zone, void *mem, ngx_uint_t row)
{
    ngx_media_table_swept(mem, row);
}


static void
ngx_media_transcode_tick(ngx_media_zone_t *zone, void *mem)
{
    uint64_t                used;
    ngx_uint_t              i;
    ngx_media_job_t        *job;
    ngx_media_table_shm_t  *table = mem;

    used = 0;

    for (i = 0; /* void */ ; i++) {
        job = ngx_media_job_entry(i);

        if (job == NULL) {
            break;
        }

        if (job->app->zone == zone) {
            used += ngx_media_job_tick(job);
        }
    }

    if (zone->row) {
        ngx_media_transcode_load_used(&table->load, zone->nrow, used);
    }
}

#endif
