
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: a feature with memory that all
 * workers share, whose handlers fail.
 *
 *     test_feature on;      inside media {}; off by default
 *
 * Each second each worker says what the memory has, as an info line.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_event.h"
#include "core/ngx_media_module.h"


typedef struct {
    ngx_flag_t                on;
} ngx_media_test_feature_conf_t;


typedef struct {
    uint64_t                  made;           /* [once] */
    uint64_t                  ticks;          /* [atomic] of all workers */
    uint64_t                  swept;          /* [zone] rows */
    uint64_t                  failed;         /* [atomic] handlers */
    uint32_t                  pids[NGX_MEDIA_ROWS];  /* each its process's */
} ngx_media_test_feature_shm_t;


static void *ngx_media_test_feature_create(ngx_conf_t *cf,
    ngx_media_app_t *app);
static char *ngx_media_test_feature_init(ngx_conf_t *cf, ngx_media_app_t *app,
    void *conf);
static ngx_int_t ngx_media_test_feature_postconfiguration(ngx_conf_t *cf);
static size_t ngx_media_test_feature_shared(const ngx_media_zone_conf_t *conf);
static void ngx_media_test_feature_shared_init(ngx_media_zone_t *zone,
    void *mem);
static void ngx_media_test_feature_swept(ngx_media_zone_t *zone, void *mem,
    ngx_uint_t row);
static void ngx_media_test_feature_tick(ngx_media_zone_t *zone, void *mem);
static void ngx_media_test_feature_event(ngx_media_event_t *ev);


static ngx_command_t  ngx_media_test_feature_commands[] = {

    { ngx_string("test_feature"),
      NGX_MEDIA_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_test_feature_conf_t, on),
      NULL },

      ngx_null_command
};


static ngx_media_module_ctx_t  ngx_media_test_feature_module_ctx = {
    1,                                     /* layout of its shared memory */
    ngx_media_test_feature_create,         /* create configuration */
    ngx_media_test_feature_init,           /* init configuration */
    ngx_media_test_feature_postconfiguration,  /* postconfiguration */
    ngx_media_test_feature_shared,         /* shared memory */
    ngx_media_test_feature_shared_init,    /* init shared memory */
    ngx_media_test_feature_swept,          /* a process has gone */
    ngx_media_test_feature_tick            /* once a second */
};


ngx_module_t  ngx_media_test_feature_module = {
    NGX_MODULE_V1,
    &ngx_media_test_feature_module_ctx,    /* module context */
    ngx_media_test_feature_commands,       /* module directives */
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
ngx_media_test_feature_create(ngx_conf_t *cf, ngx_media_app_t *app)
{
    ngx_media_test_feature_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_media_test_feature_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->on = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_media_test_feature_init(ngx_conf_t *cf, ngx_media_app_t *app, void *conf)
{
    ngx_media_test_feature_conf_t *mtcf = conf;

    ngx_conf_init_value(mtcf->on, 0);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_media_test_feature_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_EVENTS; i++) {
        if (ngx_media_event_add(cf, i, ngx_media_test_feature_event)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static size_t
ngx_media_test_feature_shared(const ngx_media_zone_conf_t *conf)
{
    return sizeof(ngx_media_test_feature_shm_t);
}


static void
ngx_media_test_feature_shared_init(ngx_media_zone_t *zone, void *mem)
{
    ngx_media_test_feature_shm_t *sh = mem;

    sh->made++;
}


static void
ngx_media_test_feature_swept(ngx_media_zone_t *zone, void *mem,
    ngx_uint_t row)
{
    ngx_media_test_feature_shm_t *sh = mem;

    if (sh->pids[row]) {
        sh->pids[row] = 0;
        sh->swept++;
    }
}


static void
ngx_media_test_feature_tick(ngx_media_zone_t *zone, void *mem)
{
    ngx_media_test_feature_shm_t *sh = mem;

    ngx_uint_t                      i, n;
    ngx_media_test_feature_conf_t  *mtcf;

    mtcf = ngx_media_app_conf(zone->app, ngx_media_test_feature_module);

    ngx_media_count(&sh->ticks, 1);

    if (ngx_media_zone_attach(zone) != NGX_OK) {
        return;
    }

    ngx_media_store(&sh->pids[zone->nrow], (uint32_t) ngx_pid);

    n = 0;

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        n += ngx_media_load(&sh->pids[i]) != 0;
    }

    ngx_log_error(NGX_LOG_INFO, zone->log, 0,
                  "test feature on:%d made:%uL ticks:%uL swept:%uL failed:%uL "
                  "rows:%ui", (int) mtcf->on, sh->made, sh->ticks, sh->swept,
                  sh->failed, n);
}


/* all that can go wrong in one does: it finds nothing, and spoils the event */

static void
ngx_media_test_feature_event(ngx_media_event_t *ev)
{
    ngx_media_test_feature_shm_t   *sh;
    ngx_media_test_feature_conf_t  *mtcf;

    mtcf = ngx_media_app_conf(ev->app, ngx_media_test_feature_module);
    sh = ngx_media_app_shared(ev->app, ngx_media_test_feature_module);

    if (!mtcf->on) {
        return;
    }

    if (ev->ctx[ngx_media_test_feature_module.ctx_index] == NULL) {
        ngx_media_count(&sh->failed, 1);
    }

    ngx_memzero(ev, sizeof(ngx_media_event_t));
}
