
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Wake-ups between processes: 64 eventfds that all inherit; and waiters: who
 * in this process wants to know when something changes that is in shared
 * memory.
 */


#ifndef _NGX_MEDIA_NOTIFY_H_INCLUDED_
#define _NGX_MEDIA_NOTIFY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "memory/ngx_media_sync.h"


/*
 * What may be waited for, in a record that never becomes another kind of
 * record: who comes late sets a stranger's bit, which costs a wake-up.
 */

typedef struct {
    uint64_t                  version;        /* [atomic] goes up with each
                                                 change */
    uint64_t                  waiters;        /* [atomic] slots mod 64 */
} ngx_media_notify_shm_t;


/* the waiters of this process for one of them */
typedef struct ngx_media_watch_s   ngx_media_watch_t;

typedef struct ngx_media_waiter_s  ngx_media_waiter_t;

struct ngx_media_waiter_s {
    ngx_queue_t               queue;
    ngx_media_notify_shm_t   *notify;         /* what it waits for */
    ngx_media_watch_t        *watch;
    ngx_log_t                *log;
    /*
     * It has changed (what is gone has, too).  The handler looks again; it may
     * remove this waiter and others, and add some.
     */
    void                    (*handler)(ngx_media_waiter_t *waiter);
    void                     *data;
    unsigned                  active:1;
};


/*
 * Adds the waiter, of which notify, log, handler and data are set; its owner
 * frees it after ngx_media_wait_done().  The condition must be looked at once
 * more after this call, before sleeping.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_media_wait(ngx_media_waiter_t *waiter);
void ngx_media_wait_done(ngx_media_waiter_t *waiter);


/* for the core */

/*
 * The eventfds are there while any cycle of this process has them: each init is
 * given back by one done.  NGX_DECLINED: there are none, waiters will poll.
 */
ngx_int_t ngx_media_notify_init(ngx_log_t *log);
void ngx_media_notify_done(void);
ngx_int_t ngx_media_notify_init_process(ngx_cycle_t *cycle);

/*
 * Looks after the waiters of this process, whether or not they were woken:
 * who took their bits may have died before it wrote.  Any worker's timer.
 */
void ngx_media_notify_look(void);

/* wakes all processes that wait for it; after the change is stored */
void ngx_media_notify(ngx_media_notify_shm_t *notify);


#endif /* _NGX_MEDIA_NOTIFY_H_INCLUDED_ */
