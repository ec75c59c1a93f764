
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The table of a configuration, its shared memory as nginx gives it, and the
 * timer by which sessions end that nobody touches any more.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"
#include "access/ngx_media_session_shm.h"


#define NGX_MEDIA_SESSION_MOMENT  20          /* ms, for others to go on */


typedef struct {
    ngx_media_sessions_t     *sessions;       /* NULL: there are none */
    ngx_array_t               ended;          /* ngx_media_session_ended_pt */
} ngx_media_session_conf_t;


static void *ngx_media_session_create_conf(ngx_cycle_t *cycle);
static ngx_int_t ngx_media_sessions_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_media_session_init_process(ngx_cycle_t *cycle);
static void ngx_media_session_event(ngx_event_t *ev);


static ngx_core_module_t  ngx_media_session_module_ctx = {
    ngx_string("media_session"),
    ngx_media_session_create_conf,
    NULL
};


ngx_module_t  ngx_media_session_module = {
    NGX_MODULE_V1,
    &ngx_media_session_module_ctx,         /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_media_session_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_media_session_create_conf(ngx_cycle_t *cycle)
{
    ngx_media_session_conf_t  *mscf;

    mscf = ngx_pcalloc(cycle->pool, sizeof(ngx_media_session_conf_t));
    if (mscf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mscf->ended, cycle->pool, 2,
                       sizeof(ngx_media_session_ended_pt))
        != NGX_OK)
    {
        return NULL;
    }

    return mscf;
}


ngx_int_t
ngx_media_session_ended_add(ngx_conf_t *cf, ngx_media_session_ended_pt handler)
{
    ngx_uint_t                   i;
    ngx_media_session_conf_t    *mscf;
    ngx_media_session_ended_pt  *entry;

    mscf = (ngx_media_session_conf_t *)
               ngx_get_conf(cf->cycle->conf_ctx, ngx_media_session_module);

    entry = mscf->ended.elts;

    for (i = 0; i < mscf->ended.nelts; i++) {
        if (entry[i] == handler) {
            return NGX_OK;
        }
    }

    entry = ngx_array_push(&mscf->ended);
    if (entry == NULL) {
        return NGX_ERROR;
    }

    *entry = handler;

    return NGX_OK;
}


ngx_media_sessions_t *
ngx_media_sessions_get(ngx_cycle_t *cycle)
{
    ngx_media_session_conf_t  *mscf;

    mscf = (ngx_media_session_conf_t *)
               ngx_get_conf(cycle->conf_ctx, ngx_media_session_module);

    return mscf->sessions;
}


char *
ngx_media_session_limits(ngx_conf_t *cf, ngx_media_session_limit_t *limit)
{
    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_uint_t   i, *to;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        to = NULL;
        n = NGX_ERROR;

        if (ngx_strncmp(value[i].data, "session=", 8) == 0) {
            to = &limit->viewer;
            n = ngx_atoi(value[i].data + 8, value[i].len - 8);

        } else if (ngx_strncmp(value[i].data, "ip=", 3) == 0) {
            to = &limit->address;
            n = ngx_atoi(value[i].data + 3, value[i].len - 3);

        } else if (ngx_strncmp(value[i].data, "stream=", 7) == 0) {
            to = &limit->stream;
            n = ngx_atoi(value[i].data + 7, value[i].len - 7);
        }

        if (to == NULL || n < 1 || *to) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", write some of "
                               "\"session=N\", \"ip=N\" and \"stream=N\", or "
                               "\"off\"", ngx_media_access_quoted(&value[i]));
            return NGX_CONF_ERROR;
        }

        *to = (ngx_uint_t) n;
    }

    return NGX_CONF_OK;
}


ngx_media_sessions_t *
ngx_media_sessions_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    ngx_msec_t timeout, ngx_uint_t address)
{
    u_char                    *p;
    ngx_str_t                  text;
    ngx_shm_zone_t            *shm_zone;
    ngx_media_sessions_t      *sessions;
    ngx_media_session_conf_t  *mscf;

    mscf = (ngx_media_session_conf_t *)
               ngx_get_conf(cf->cycle->conf_ctx, ngx_media_session_module);

    if (mscf->sessions) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is a table of media sessions already");
        return NULL;
    }

    if (size < NGX_MEDIA_SESSION_LEAST) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "media sessions \"%V\" need %dk at least", name,
                           NGX_MEDIA_SESSION_LEAST / 1024);
        return NULL;
    }

    sessions = ngx_pcalloc(cf->pool, sizeof(ngx_media_sessions_t));
    if (sessions == NULL) {
        return NULL;
    }

    p = ngx_pnalloc(cf->pool, sizeof("media_sessions::") + name->len
                              + NGX_INT_T_LEN);
    if (p == NULL) {
        return NULL;
    }

    /* nginx compares only sizes: the layout is in the name */

    text.data = p;
    text.len = ngx_sprintf(p, "media_sessions:%V:%d", name,
                           NGX_MEDIA_SESSION_LAYOUT)
               - p;

    shm_zone = ngx_shared_memory_add(cf, &text, size,
                                     &ngx_media_session_module);
    if (shm_zone == NULL) {
        return NULL;
    }

    sessions->shm_zone = shm_zone;
    sessions->timeout = ngx_max(timeout / NGX_MEDIA_SESSION_UNIT, 1);
    sessions->address = address;
    sessions->ended = &mscf->ended;

    shm_zone->init = ngx_media_sessions_init_zone;
    shm_zone->data = sessions;

    mscf->sessions = sessions;

    return sessions;
}


static ngx_int_t
ngx_media_sessions_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_media_sessions_t *old = data;

    void                  *mem;
    size_t                 size;
    ngx_slab_pool_t       *shpool;
    ngx_media_sessions_t  *sessions;

    sessions = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (old) {
        sessions->sh = old->sh;

    } else if (shm_zone->shm.exists) {
        sessions->sh = shpool->data;
    }

    if (sessions->sh) {
        return NGX_OK;
    }

    /* fresh, all free pages are neighbors: one piece, and no other one */

    size = shpool->pfree * ngx_pagesize;

    mem = ngx_slab_alloc(shpool, size);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(mem, size);

    if (ngx_media_sessions_format(&sessions->sh, mem, size) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" cannot be made", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    shpool->data = sessions->sh;

    return NGX_OK;
}


static ngx_int_t
ngx_media_session_init_process(ngx_cycle_t *cycle)
{
    ngx_media_sessions_t  *sessions;

    sessions = ngx_media_sessions_get(cycle);

    if (sessions == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    sessions->event.handler = ngx_media_session_event;
    sessions->event.data = sessions;
    sessions->event.log = cycle->log;
    sessions->event.cancelable = 1;

    ngx_add_timer(&sessions->event, ngx_media_sessions_pace(sessions));

    return NGX_OK;
}


static void
ngx_media_session_event(ngx_event_t *ev)
{
    ngx_media_sessions_t *sessions = ev->data;

    ngx_uint_t  more;

    more = ngx_media_sessions_sweep(sessions);

    ngx_add_timer(ev, more ? NGX_MEDIA_SESSION_MOMENT
                           : ngx_media_sessions_pace(sessions));
}
