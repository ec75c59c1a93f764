
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "http/ngx_http_media_heavy.h"
#include "http/ngx_http_media_reply.h"


#define NGX_HTTP_MEDIA_HEAVY_CPU      2       /* at a time, for each */
#define NGX_HTTP_MEDIA_HEAVY_WAITING  256


typedef struct {
    ngx_queue_t                   queue;
    ngx_http_request_t           *request;
    ngx_thread_pool_t            *thread_pool;
    ngx_http_media_task_run_pt    run;
    ngx_http_media_task_done_pt   done;
    void                         *data;
    unsigned                      waiting:1;
    unsigned                      running:1;
} ngx_http_media_heavy_t;


/* of this process */

typedef struct {
    ngx_queue_t                   queue;      /* who has waited longest is
                                                 first */
    ngx_uint_t                    waiting;
    ngx_uint_t                    running;
    ngx_event_t                   event;      /* there is room */
    ngx_uint_t                    initialized;
} ngx_http_media_heavies_t;


static ngx_uint_t ngx_http_media_heavy_room(void);
static ngx_int_t ngx_http_media_heavy_start(ngx_http_media_heavy_t *heavy);
static void ngx_http_media_heavy_run(void *data);
static ngx_int_t ngx_http_media_heavy_done(ngx_http_request_t *r,
    void *data);
static void ngx_http_media_heavy_end(ngx_http_media_heavy_t *heavy);
static void ngx_http_media_heavy_next(ngx_event_t *ev);
static void ngx_http_media_heavy_cleanup(void *data);


static ngx_http_media_heavies_t  ngx_http_media_heavies;


ngx_int_t
ngx_http_media_heavy(ngx_http_request_t *r, ngx_thread_pool_t *thread_pool,
    ngx_http_media_task_run_pt run, ngx_http_media_task_done_pt done,
    void *data)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_media_heavy_t  *heavy;

    if (!ngx_http_media_heavies.initialized) {
        ngx_queue_init(&ngx_http_media_heavies.queue);
        ngx_http_media_heavies.event.handler = ngx_http_media_heavy_next;
        ngx_http_media_heavies.event.log = ngx_cycle->log;
        ngx_http_media_heavies.initialized = 1;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_heavy_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    heavy = cln->data;

    ngx_memzero(heavy, sizeof(ngx_http_media_heavy_t));

    cln->handler = ngx_http_media_heavy_cleanup;

    heavy->request = r;
    heavy->thread_pool = thread_pool;
    heavy->run = run;
    heavy->done = done;
    heavy->data = data;

    if (ngx_http_media_heavy_room()
        && ngx_queue_empty(&ngx_http_media_heavies.queue))
    {
        return ngx_http_media_heavy_start(heavy);
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media waits for a processor, running:%ui waiting:%ui",
                   ngx_http_media_heavies.running,
                   ngx_http_media_heavies.waiting);

    if (ngx_http_media_heavies.waiting >= NGX_HTTP_MEDIA_HEAVY_WAITING) {
        return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    heavy->waiting = 1;

    ngx_queue_insert_tail(&ngx_http_media_heavies.queue, &heavy->queue);
    ngx_http_media_heavies.waiting++;

    r->main->count++;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_media_heavy_room(void)
{
    return ngx_http_media_heavies.running
           < (ngx_uint_t) ngx_ncpu * NGX_HTTP_MEDIA_HEAVY_CPU;
}


static ngx_int_t
ngx_http_media_heavy_start(ngx_http_media_heavy_t *heavy)
{
    ngx_int_t  rc;

    rc = ngx_http_media_task(heavy->request, heavy->thread_pool,
                             ngx_http_media_heavy_run,
                             ngx_http_media_heavy_done, heavy);

    if (rc == NGX_DONE) {
        heavy->running = 1;
        ngx_http_media_heavies.running++;
    }

    return rc;
}


static void
ngx_http_media_heavy_run(void *data)
{
    ngx_http_media_heavy_t *heavy = data;

    heavy->run(heavy->data);
}


static ngx_int_t
ngx_http_media_heavy_done(ngx_http_request_t *r, void *data)
{
    ngx_http_media_heavy_t *heavy = data;

    ngx_http_media_heavy_end(heavy);

    return heavy->done(r, heavy->data);
}


static void
ngx_http_media_heavy_end(ngx_http_media_heavy_t *heavy)
{
    if (!heavy->running) {
        return;
    }

    heavy->running = 0;
    ngx_http_media_heavies.running--;

    /* other requests are not for whoever is about to end this one */

    if (!ngx_queue_empty(&ngx_http_media_heavies.queue)) {
        ngx_post_event(&ngx_http_media_heavies.event, &ngx_posted_events);
    }
}


static void
ngx_http_media_heavy_next(ngx_event_t *ev)
{
    ngx_int_t                rc;
    ngx_queue_t             *q;
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_media_heavy_t  *heavy;

    while (ngx_http_media_heavy_room()
           && !ngx_queue_empty(&ngx_http_media_heavies.queue))
    {
        q = ngx_queue_head(&ngx_http_media_heavies.queue);
        heavy = ngx_queue_data(q, ngx_http_media_heavy_t, queue);

        ngx_queue_remove(q);
        ngx_http_media_heavies.waiting--;
        heavy->waiting = 0;

        r = heavy->request;
        c = r->connection;

        ngx_http_set_log_request(c->log, r);

        rc = ngx_http_media_heavy_start(heavy);

        ngx_http_finalize_request(r, rc);

        ngx_http_run_posted_requests(c);
    }
}


/* the request ends, maybe before its turn came */

static void
ngx_http_media_heavy_cleanup(void *data)
{
    ngx_http_media_heavy_t *heavy = data;

    if (heavy->waiting) {
        ngx_queue_remove(&heavy->queue);
        ngx_http_media_heavies.waiting--;
        heavy->waiting = 0;
    }

    ngx_http_media_heavy_end(heavy);
}
