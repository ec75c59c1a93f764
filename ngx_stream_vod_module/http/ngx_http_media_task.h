
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a request needs a thread for: one function is run there, another one
 * answers the request when it is done.
 */


#ifndef _NGX_HTTP_MEDIA_TASK_H_INCLUDED_
#define _NGX_HTTP_MEDIA_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* in the thread: touches only data, which stays until it is done */
typedef void (*ngx_http_media_task_run_pt)(void *data);

/* in the event loop; returns what a content handler returns */
typedef ngx_int_t (*ngx_http_media_task_done_pt)(ngx_http_request_t *r,
    void *data);


/*
 * Called by a content handler, which returns what it returns.  The request
 * stays until run() is over; done() is not called if its client has gone, so
 * what run() allocates is freed by a cleanup of the pool.
 */
ngx_int_t ngx_http_media_task(ngx_http_request_t *r,
    ngx_thread_pool_t *thread_pool, ngx_http_media_task_run_pt run,
    ngx_http_media_task_done_pt done, void *data);


#endif /* _NGX_HTTP_MEDIA_TASK_H_INCLUDED_ */
