
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Wake-ups between processes: 64 eventfds that all inherit; and waiters: who
 * in this process wants to know when a stream changes.
 */


#ifndef _NGX_MEDIA_NOTIFY_H_INCLUDED_
#define _NGX_MEDIA_NOTIFY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_store.h"


typedef struct ngx_media_waiter_s  ngx_media_waiter_t;

struct ngx_media_waiter_s {
    ngx_queue_t               queue;
    ngx_media_stream_t        stream;
    /*
     * Something about the stream changed (also: it has gone).  The handler
     * looks again; it may remove this waiter (ngx_media_wait_done), not
     * others.
     */
    void                    (*handler)(ngx_media_waiter_t *waiter);
    void                     *data;
    unsigned                  active:1;
};


/*
 * Adds the waiter; its owner frees it after ngx_media_wait_done().  The
 * condition must be looked at once more after this call, before sleeping.
 */
void ngx_media_wait(ngx_media_waiter_t *waiter);
void ngx_media_wait_done(ngx_media_waiter_t *waiter);


/* for the core */

ngx_int_t ngx_media_notify_init(ngx_log_t *log);
ngx_int_t ngx_media_notify_init_process(ngx_cycle_t *cycle);

/*
 * Looks after the waiters of this process, whether or not they were woken:
 * who took their bits may have died before it wrote.  Any worker's timer.
 */
void ngx_media_notify_zone(ngx_media_zone_t *zone);

/* wakes all processes that wait for this stream; after the change is stored */
void ngx_media_notify(ngx_media_stream_shm_t *stream);


#endif /* _NGX_MEDIA_NOTIFY_H_INCLUDED_ */
