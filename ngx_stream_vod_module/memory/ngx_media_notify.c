
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A process that waits for something sets its bit there, fences, and looks
 * again before it sleeps; who changes it stores, fences, takes the bits and
 * writes to the eventfds.  One write wakes every process that
 * listens to that number, and none of them ever reads it: edge-triggered
 * epoll reports each write anew.  EAGAIN would take 2^64 wake-ups.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/eventfd.h>
#include "memory/ngx_media_notify.h"


#define NGX_MEDIA_EVENTFDS  64

/* where eventfds are not to be had, waiters look by themselves, in ms */
#define NGX_MEDIA_POLL      50


struct ngx_media_watch_s {
    ngx_rbtree_node_t         node;           /* key: where it is */
    ngx_queue_t               queue;          /* of all */
    ngx_queue_t               waiters;
    ngx_media_notify_shm_t   *notify;
    uint64_t                  version;        /* that they have seen */
    unsigned                  busy:1;         /* its waiters are called */
};


static void ngx_media_notify_handler(ngx_event_t *ev);
static void ngx_media_notify_stub(ngx_event_t *ev);
static void ngx_media_notify_poll(ngx_event_t *ev);
static void ngx_media_notify_watch(ngx_media_watch_t *watch);
static ngx_media_watch_t *ngx_media_watch_get(ngx_media_waiter_t *waiter);
static void ngx_media_watch_free(ngx_media_watch_t *watch);


/*
 * Made once, before the first fork, and the same over all reloads: but for one
 * that loads this module from another file, and unloads this one
 */
static int               ngx_media_eventfds[NGX_MEDIA_EVENTFDS];
static ngx_uint_t        ngx_media_neventfds;
static ngx_uint_t        ngx_media_notify_users;

static ngx_connection_t  ngx_media_notify_connection;
static ngx_event_t       ngx_media_notify_read;
static ngx_event_t       ngx_media_notify_write;
static ngx_event_t       ngx_media_notify_timer;
static uint64_t          ngx_media_notify_bit;

/* what this process waits for */
static ngx_queue_t        ngx_media_watches;
static ngx_rbtree_t       ngx_media_watch_tree;
static ngx_rbtree_node_t  ngx_media_watch_sentinel;


ngx_int_t
ngx_media_notify_init(ngx_log_t *log)
{
    int         fd;
    ngx_uint_t  i;

    ngx_media_notify_users++;

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


void
ngx_media_notify_done(void)
{
    if (--ngx_media_notify_users) {
        return;
    }

    while (ngx_media_neventfds) {
        (void) close(ngx_media_eventfds[--ngx_media_neventfds]);
    }
}


ngx_int_t
ngx_media_notify_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t         slot;
    ngx_event_t       *rev, *wev;
    ngx_connection_t  *c;

    slot = ngx_process_slot % NGX_MEDIA_EVENTFDS;

    ngx_queue_init(&ngx_media_watches);
    ngx_rbtree_init(&ngx_media_watch_tree, &ngx_media_watch_sentinel,
                    ngx_rbtree_insert_value);

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
    ngx_media_notify_look();
}


/* a handler may add and remove whatever it likes */

void
ngx_media_notify_look(void)
{
    ngx_queue_t  turn, *q;

    if (ngx_queue_empty(&ngx_media_watches)) {
        return;
    }

    ngx_queue_init(&turn);
    ngx_queue_add(&turn, &ngx_media_watches);
    ngx_queue_init(&ngx_media_watches);

    while (!ngx_queue_empty(&turn)) {
        q = ngx_queue_head(&turn);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_media_watches, q);

        ngx_media_notify_watch(ngx_queue_data(q, ngx_media_watch_t, queue));
    }
}


static void
ngx_media_notify_watch(ngx_media_watch_t *watch)
{
    uint64_t                 version;
    ngx_queue_t              turn, *q;
    ngx_media_waiter_t      *waiter;
    ngx_media_notify_shm_t  *notify;

    notify = watch->notify;

    /*
     * Set again before they look, and before the version is looked at: the
     * bit may have been taken for a change that the waiter had seen when it
     * came, and what happens after this wakes us anew.
     */

    if (!(ngx_media_peek(&notify->waiters) & ngx_media_notify_bit)) {
        ngx_media_set_bits(&notify->waiters, ngx_media_notify_bit);
    }

    ngx_media_fence();

    version = ngx_media_load(&notify->version);

    if (version == watch->version) {
        /* it was another one that changed */
        return;
    }

    watch->version = version;
    watch->busy = 1;

    ngx_queue_init(&turn);
    ngx_queue_add(&turn, &watch->waiters);
    ngx_queue_init(&watch->waiters);

    while (!ngx_queue_empty(&turn)) {
        q = ngx_queue_head(&turn);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&watch->waiters, q);

        waiter = ngx_queue_data(q, ngx_media_waiter_t, queue);
        waiter->handler(waiter);
    }

    watch->busy = 0;

    if (ngx_queue_empty(&watch->waiters)) {
        ngx_media_watch_free(watch);
    }
}


ngx_int_t
ngx_media_wait(ngx_media_waiter_t *waiter)
{
    ngx_media_watch_t  *watch;

    watch = ngx_media_watch_get(waiter);
    if (watch == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&watch->waiters, &waiter->queue);

    waiter->watch = watch;
    waiter->active = 1;

    ngx_media_set_bits(&waiter->notify->waiters, ngx_media_notify_bit);
    ngx_media_fence();

    return NGX_OK;
}


static ngx_media_watch_t *
ngx_media_watch_get(ngx_media_waiter_t *waiter)
{
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *node, *sentinel;
    ngx_media_watch_t  *watch;

    key = (ngx_rbtree_key_t) waiter->notify;

    node = ngx_media_watch_tree.root;
    sentinel = ngx_media_watch_tree.sentinel;

    while (node != sentinel) {

        if (key == node->key) {
            return ngx_rbtree_data(node, ngx_media_watch_t, node);
        }

        node = (key < node->key) ? node->left : node->right;
    }

    watch = ngx_alloc(sizeof(ngx_media_watch_t), waiter->log);
    if (watch == NULL) {
        return NULL;
    }

    watch->node.key = key;
    watch->notify = waiter->notify;
    watch->version = ngx_media_load(&waiter->notify->version);
    watch->busy = 0;

    ngx_queue_init(&watch->waiters);
    ngx_queue_insert_tail(&ngx_media_watches, &watch->queue);
    ngx_rbtree_insert(&ngx_media_watch_tree, &watch->node);

    return watch;
}


static void
ngx_media_watch_free(ngx_media_watch_t *watch)
{
    ngx_rbtree_delete(&ngx_media_watch_tree, &watch->node);
    ngx_queue_remove(&watch->queue);
    ngx_free(watch);
}


void
ngx_media_wait_done(ngx_media_waiter_t *waiter)
{
    ngx_media_watch_t  *watch;

    if (!waiter->active) {
        return;
    }

    watch = waiter->watch;

    ngx_queue_remove(&waiter->queue);
    waiter->active = 0;

    if (!watch->busy && ngx_queue_empty(&watch->waiters)) {
        ngx_media_watch_free(watch);
    }
}


void
ngx_media_notify(ngx_media_notify_shm_t *notify)
{
    ssize_t   n;
    uint64_t  mask, one;

    ngx_media_fence();

    if (ngx_media_peek(&notify->waiters) == 0) {
        return;
    }

    ngx_media_must_be_free(ngx_cycle->log, "processes are woken");

    mask = ngx_media_exchange(&notify->waiters, 0);

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media version:%uL wakes processes:%016xL",
                   ngx_media_peek(&notify->version), mask);

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
