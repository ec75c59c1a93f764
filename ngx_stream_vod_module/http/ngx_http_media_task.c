
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_task.h"


/* ms; a worker that shall exit does not while there is a timer */
#define NGX_HTTP_MEDIA_TASK_TIMER  60000


typedef struct {
    ngx_http_request_t           *request;
    ngx_http_media_task_run_pt    run;
    ngx_http_media_task_done_pt   done;
    void                         *data;
} ngx_http_media_task_t;


static void ngx_http_media_task_thread(void *data, ngx_log_t *log);
static void ngx_http_media_task_handler(ngx_event_t *ev);


ngx_int_t
ngx_http_media_task(ngx_http_request_t *r, ngx_thread_pool_t *thread_pool,
    ngx_http_media_task_run_pt run, ngx_http_media_task_done_pt done,
    void *data)
{
    ngx_thread_task_t      *task;
    ngx_http_media_task_t  *ctx;

    task = ngx_thread_task_alloc(r->pool, sizeof(ngx_http_media_task_t));
    if (task == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = task->ctx;

    ctx->request = r;
    ctx->run = run;
    ctx->done = done;
    ctx->data = data;

    task->handler = ngx_http_media_task_thread;
    task->event.handler = ngx_http_media_task_handler;
    task->event.data = ctx;
    task->event.log = r->connection->log;

    /* the queue is full */

    if (ngx_thread_task_post(thread_pool, task) != NGX_OK) {
        return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    ngx_add_timer(&task->event, NGX_HTTP_MEDIA_TASK_TIMER);

    r->main->count++;
    r->main->blocked++;
    r->aio = 1;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static void
ngx_http_media_task_thread(void *data, ngx_log_t *log)
{
    ngx_http_media_task_t *ctx = data;

    ctx->run(ctx->data);
}


static void
ngx_http_media_task_handler(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_media_task_t  *ctx;

    if (ev->timedout) {
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_HTTP_MEDIA_TASK_TIMER);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->main->blocked--;
    r->aio = 0;

    if (r->write_event_handler == ngx_http_request_empty_handler) {
        ngx_http_finalize_request(r, ctx->done(r, ctx->data));

    } else {

        /* it was terminated meanwhile, and is finalized now */

        r->write_event_handler(r);
    }

    ngx_http_run_posted_requests(c);
}
