
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Work of the processor, pictures for instance: as ngx_http_media_task.h, but
 * only some of it at a time in a process, two for each processor, so that
 * threads are left for those that read files.  Others wait in a queue; where
 * that is too long the answer is 503.
 */


#ifndef _NGX_HTTP_MEDIA_HEAVY_H_INCLUDED_
#define _NGX_HTTP_MEDIA_HEAVY_H_INCLUDED_


#include "http/ngx_http_media_task.h"


ngx_int_t ngx_http_media_heavy(ngx_http_request_t *r,
    ngx_thread_pool_t *thread_pool, ngx_http_media_task_run_pt run,
    ngx_http_media_task_done_pt done, void *data);


#endif /* _NGX_HTTP_MEDIA_HEAVY_H_INCLUDED_ */
