
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A process that waits for a stream sets its bit in the stream, fences, and
 * looks again before it sleeps; who changes the stream stores, fences, takes
 * the bits and writes to the eventfds.  One write wakes every process that
 * listens to that number, and none of them ever reads it: edge-triggered
 * epoll reports each write anew.  EAGAIN would take 2^64 wake-ups.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/eventfd.h>
#include "core/ngx_media_notify.h"
#include "core/ngx_media_zone.h"


#define NGX_MEDIA_EVENTFDS  64

/* where eventfds are not to be had, waiters look by themselves, in ms */
#define NGX_MEDIA_POLL      50


static void ngx_media_notify_handler(ngx_event_t *ev);
static void ngx_media_notify_stub(ngx_event_t *ev);
static void ngx_media_notify_poll(ngx_event_t *ev);
static void ngx_media_notify_stream(ngx_media_zone_t *zone, uint32_t index);


/* made once, before the first fork; never closed */
static int               ngx_media_eventfds[NGX_MEDIA_EVENTFDS];
static ngx_uint_t        ngx_media_neventfds;

static ngx_connection_t  ngx_media_notify_connection;
static ngx_event_t       ngx_media_notify_read;
static ngx_event_t       ngx_media_notify_write;
static ngx_event_t       ngx_media_notify_timer;
static uint64_t          ngx_media_notify_bit;

/* zones of this process with waiters */
static ngx_queue_t       ngx_media_notify_zones;


ngx_int_t
ngx_media_notify_init(ngx_log_t *log)
{
    int         fd;
    ngx_uint_t  i;

    if (ngx_media_neventfds) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_MEDIA_EVENTFDS; i++) {
        fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (fd == -1) {
            ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                          "eventfd() failed, media waiters will poll");

            while (i) {
                (void) close(ngx_media_eventfds[--i]);
            }

            return NGX_DECLINED;
        }

        ngx_media_eventfds[i] = fd;
    }

    ngx_media_neventfds = NGX_MEDIA_EVENTFDS;

    return NGX_OK;
}


ngx_int_t
ngx_media_notify_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t         slot;
    ngx_event_t       *rev, *wev;
    ngx_connection_t  *c;

    slot = ngx_process_slot % NGX_MEDIA_EVENTFDS;

    ngx_queue_init(&ngx_media_notify_zones);
    ngx_media_notify_bit = (uint64_t) 1 << slot;

    c = &ngx_media_notify_connection;
    rev = &ngx_media_notify_read;
    wev = &ngx_media_notify_write;

    ngx_memzero(c, sizeof(ngx_connection_t));
    ngx_memzero(rev, sizeof(ngx_event_t));
    ngx_memzero(wev, sizeof(ngx_event_t));
    ngx_memzero(&ngx_media_notify_timer, sizeof(ngx_event_t));

    if (ngx_media_neventfds == 0) {
        ngx_media_notify_timer.handler = ngx_media_notify_poll;
        ngx_media_notify_timer.log = cycle->log;
        ngx_media_notify_timer.data = c;
        ngx_media_notify_timer.cancelable = 1;

        ngx_add_timer(&ngx_media_notify_timer, NGX_MEDIA_POLL);

        return NGX_OK;
    }

    c->fd = ngx_media_eventfds[slot];
    c->read = rev;
    c->write = wev;
    c->log = cycle->log;
    c->data = c;

    rev->data = c;
    rev->log = cycle->log;
    rev->handler = ngx_media_notify_handler;

    wev->data = c;
    wev->log = cycle->log;
    wev->handler = ngx_media_notify_stub;
    wev->write = 1;

    /*
     * Always edge-triggered, also where the event method is not: the counter
     * is never read, so a level would never go.
     */

    if (ngx_event_flags & NGX_USE_CLEAR_EVENT) {
        return ngx_add_event(rev, NGX_READ_EVENT, NGX_CLEAR_EVENT);
    }

    ngx_media_notify_timer.handler = ngx_media_notify_poll;
    ngx_media_notify_timer.log = cycle->log;
    ngx_media_notify_timer.data = c;
    ngx_media_notify_timer.cancelable = 1;

    ngx_add_timer(&ngx_media_notify_timer, NGX_MEDIA_POLL);

    return NGX_OK;
}


static void
ngx_media_notify_stub(ngx_event_t *ev)
{
}


static void
ngx_media_notify_poll(ngx_event_t *ev)
{
    ngx_media_notify_handler(ev);

    ngx_add_timer(ev, NGX_MEDIA_POLL);
}


static void
ngx_media_notify_handler(ngx_event_t *ev)
{
    ngx_queue_t       *q, *next;
    ngx_media_zone_t  *zone;

    for (q = ngx_queue_head(&ngx_media_notify_zones);
         q != ngx_queue_sentinel(&ngx_media_notify_zones);
         q = next)
    {
        next = ngx_queue_next(q);
        zone = ngx_queue_data(q, ngx_media_zone_t, queue);

        ngx_media_notify_zone(zone);
    }
}


void
ngx_media_notify_zone(ngx_media_zone_t *zone)
{
    uint32_t  i, n;

    if (zone->nwaiters == 0) {
        return;
    }

    n = ngx_media_load(&zone->sh->used_streams);

    for (i = 0; i < n; i++) {
        if (!ngx_queue_empty(&zone->waiters[i].queue)) {
            ngx_media_notify_stream(zone, i);
        }
    }
}


static void
ngx_media_notify_stream(ngx_media_zone_t *zone, uint32_t index)
{
    uint64_t                  version;
    ngx_queue_t               turn, *q, *waiters;
    ngx_media_waiter_t       *waiter;
    ngx_media_stream_shm_t   *s;

    s = ngx_media_stream_record(zone, index);
    waiters = &zone->waiters[index].queue;

    /*
     * Set again before they look, and before the version is looked at: the
     * bit may have been taken for a change that the waiter had seen when it
     * came, and what happens after this wakes us anew.
     */

    if (!(ngx_media_peek(&s->waiters) & ngx_media_notify_bit)) {
        ngx_media_set_bits(&s->waiters, ngx_media_notify_bit);
    }

    ngx_media_fence();

    version = ngx_media_load(&s->version);

    if (version == zone->waiters[index].version) {
        /* it was another stream that changed */
        return;
    }

    zone->waiters[index].version = version;

    ngx_queue_init(&turn);
    ngx_queue_add(&turn, waiters);
    ngx_queue_init(waiters);

    while (!ngx_queue_empty(&turn)) {
        q = ngx_queue_head(&turn);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(waiters, q);

        waiter = ngx_queue_data(q, ngx_media_waiter_t, queue);
        waiter->handler(waiter);
    }
}


void
ngx_media_wait(ngx_media_waiter_t *waiter)
{
    uint32_t           i;
    ngx_media_zone_t  *zone;

    zone = waiter->stream.zone;

    if (zone->waiters == NULL) {
        zone->waiters = ngx_alloc(zone->sh->nstreams
                                  * sizeof(ngx_media_waiters_t), zone->log);
        if (zone->waiters == NULL) {
            return;
        }

        for (i = 0; i < zone->sh->nstreams; i++) {
            ngx_queue_init(&zone->waiters[i].queue);
        }

        ngx_queue_insert_tail(&ngx_media_notify_zones, &zone->queue);
    }

    i = ngx_media_stream_index(zone, waiter->stream.sh);

    if (ngx_queue_empty(&zone->waiters[i].queue)) {
        zone->waiters[i].version =
                                 ngx_media_load(&waiter->stream.sh->version);
    }

    ngx_queue_insert_tail(&zone->waiters[i].queue, &waiter->queue);
    waiter->active = 1;
    zone->nwaiters++;

    ngx_media_set_bits(&waiter->stream.sh->waiters, ngx_media_notify_bit);
    ngx_media_fence();
}


void
ngx_media_wait_done(ngx_media_waiter_t *waiter)
{
    if (!waiter->active) {
        return;
    }

    ngx_queue_remove(&waiter->queue);
    waiter->active = 0;
    waiter->stream.zone->nwaiters--;
}


void
ngx_media_notify(ngx_media_stream_shm_t *stream)
{
    ssize_t   n;
    uint64_t  mask, one;

    ngx_media_fence();

    if (ngx_media_peek(&stream->waiters) == 0) {
        return;
    }

    mask = ngx_media_exchange(&stream->waiters, 0);

    one = 1;

    while (mask && ngx_media_neventfds) {
        n = write(ngx_media_eventfds[__builtin_ctzll(mask)], &one,
                  sizeof(one));

        if (n == -1 && ngx_errno != NGX_EAGAIN) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                          "write() to an eventfd failed");
        }

        mask &= mask - 1;
    }
}
