
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_event.h"


#define NGX_MEDIA_EVENT_POOL  1024


ngx_int_t
ngx_media_listeners_init(ngx_media_listeners_t *listeners, ngx_pool_t *pool)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_EVENTS; i++) {
        if (ngx_array_init(&listeners->handlers[i], pool, 4,
                           sizeof(ngx_media_event_pt))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_media_events_begin(ngx_media_events_t *events, ngx_media_app_t *app,
    const ngx_media_claim_t *claim, const ngx_str_t *name, ngx_log_t *log)
{
    uint32_t                wanted;
    ngx_uint_t              i;
    ngx_pool_t             *pool;
    ngx_media_event_t      *ev;
    ngx_media_listeners_t  *listeners;

    listeners = app->listeners;
    wanted = 0;

    for (i = 0; listeners && i < NGX_MEDIA_EVENTS; i++) {
        if (listeners->handlers[i].nelts) {
            wanted |= (uint32_t) 1 << i;
        }
    }

    if (wanted == 0) {
        return;
    }

    pool = ngx_create_pool(NGX_MEDIA_EVENT_POOL, log);
    if (pool == NULL) {
        return;
    }

    ev = &events->event;

    ev->ctx = ngx_pcalloc(pool, listeners->nmodules * sizeof(void *));
    events->name.len = name->len;
    events->name.data = ngx_pnalloc(pool, name->len);

    if (ev->ctx == NULL || events->name.data == NULL) {
        ngx_destroy_pool(pool);
        return;
    }

    ngx_memcpy(events->name.data, name->data, name->len);

    ev->app = app;
    ev->name = &events->name;
    ev->claim = claim;
    ev->pool = pool;
    ev->log = log;

    events->listeners = listeners;
    events->since = ngx_current_msec;
    events->wanted = wanted;
}


/* its connection is gone, and the log of that */

void
ngx_media_events_log(ngx_media_events_t *events, ngx_log_t *log)
{
    events->event.log = log;

    if (events->event.pool) {
        events->event.pool->log = log;
    }
}


void
ngx_media_events_end(ngx_media_events_t *events)
{
    if (events->event.pool) {
        ngx_destroy_pool(events->event.pool);
    }

    events->event.pool = NULL;
    events->wanted = 0;
}


void
ngx_media_event_run(ngx_media_events_t *events, ngx_media_event_e event,
    ngx_uint_t track, const void *what)
{
    ngx_uint_t           i;
    ngx_media_event_t    ev;
    ngx_media_event_pt  *handler;

    handler = events->listeners->handlers[event].elts;

    for (i = 0; i < events->listeners->handlers[event].nelts; i++) {

        /* what one of them does to it is not seen by the next */

        ev = events->event;
        ev.track = track;
        ev.what = what;

        handler[i](&ev);
    }
}


void
ngx_media_event_sum_add(ngx_media_event_sum_t *sum,
    const ngx_media_event_sum_t *more)
{
    sum->frames += more->frames;
    sum->bytes += more->bytes;
    sum->late += more->late;
    sum->key += more->key;
    sum->nomem += more->nomem;
    sum->bad += more->bad;
}
