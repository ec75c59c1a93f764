
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <stdio.h>
#include <time.h>
#include "ngx_stub.h"


typedef struct ngx_stub_piece_s  ngx_stub_piece_t;

struct ngx_stub_piece_s {
    ngx_stub_piece_t         *next;
    ngx_stub_piece_t         *self;           /* data is aligned to 16 */
    u_char                    data[];
};


ngx_uint_t                ngx_stub_logged[NGX_LOG_DEBUG + 1];
ngx_uint_t                ngx_stub_log_level = NGX_LOG_ALERT;
ngx_uint_t                ngx_stub_pools;
ngx_uint_t                ngx_stub_fail;
ngx_log_t                 ngx_stub_log;

static ngx_time_t         ngx_stub_time = { 1800000000, 0, 0 };
static ngx_cycle_t        ngx_stub_cycle;
static uint64_t           ngx_stub_random = 1;

volatile ngx_cycle_t     *ngx_cycle = &ngx_stub_cycle;
volatile ngx_time_t      *ngx_cached_time = &ngx_stub_time;
volatile ngx_msec_t       ngx_current_msec = 1000000;

ngx_pid_t                 ngx_pid;
ngx_int_t                 ngx_process_slot;
ngx_uint_t                ngx_process;
ngx_uint_t                ngx_pagesize = 4096;
ngx_uint_t                ngx_pagesize_shift = 12;
ngx_uint_t                ngx_cacheline_size = 64;

ngx_uint_t                ngx_exiting;
sig_atomic_t              ngx_terminate;

ngx_uint_t                ngx_event_flags;
ngx_event_actions_t       ngx_event_actions;
ngx_rbtree_t              ngx_event_timer_rbtree;
ngx_queue_t               ngx_posted_events;


static void __attribute__((constructor))
ngx_stub_init(void)
{
    ngx_pid = getpid();

    ngx_stub_log.log_level = NGX_LOG_INFO;
    ngx_stub_cycle.log = &ngx_stub_log;

    ngx_queue_init(&ngx_posted_events);
}


void
ngx_stub_events(void)
{
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    while (!ngx_queue_empty(&ngx_posted_events)) {
        q = ngx_queue_head(&ngx_posted_events);
        ev = ngx_queue_data(q, ngx_event_t, queue);

        ngx_delete_posted_event(ev);

        ev->handler(ev);
    }
}


void
ngx_stub_clock(int64_t msec)
{
    ngx_current_msec += (ngx_msec_t) (msec
                        - ((int64_t) ngx_stub_time.sec * 1000
                           + ngx_stub_time.msec));

    ngx_stub_time.sec = msec / 1000;
    ngx_stub_time.msec = msec % 1000;
}


void
ngx_stub_clock_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);
    ngx_current_msec = (ngx_msec_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    ngx_stub_time.sec = ts.tv_sec;
    ngx_stub_time.msec = ts.tv_nsec / 1000000;
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    if (level > NGX_LOG_DEBUG) {
        level = NGX_LOG_DEBUG;
    }

    ngx_stub_logged[level]++;

    if (level <= ngx_stub_log_level) {
        printf("# %d: level %d, error %d: %s\n", (int) ngx_pid, (int) level,
               (int) err, fmt);
        fflush(stdout);
    }
}


/* nobody reads what contexts of logs say, unless a test brings its own */

u_char * __attribute__((weak))
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    return buf;
}


/* one in so many, and always the same ones */

static ngx_uint_t
ngx_stub_fails(void)
{
    if (ngx_stub_fail == 0) {
        return 0;
    }

    ngx_stub_random = ngx_stub_random * 6364136223846793005ull + 1;

    return (ngx_stub_random >> 33) % ngx_stub_fail == 0;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return ngx_stub_fails() ? NULL : malloc(size);
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    return ngx_stub_fails() ? NULL : calloc(1, size);
}


ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_pool_t  *pool;

    pool = ngx_calloc(sizeof(ngx_pool_t), log);

    if (pool) {
        pool->log = log;
        ngx_stub_pools++;
    }

    return pool;
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    ngx_stub_piece_t    *piece, *next;
    ngx_pool_cleanup_t  *c;

    for (c = pool->cleanup; c; c = c->next) {
        if (c->handler) {
            c->handler(c->data);
        }
    }

    for (piece = (ngx_stub_piece_t *) pool->large; piece; piece = next) {
        next = piece->next;
        free(piece);
    }

    free(pool);
    ngx_stub_pools--;
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    ngx_stub_piece_t  *piece;

    piece = ngx_alloc(sizeof(ngx_stub_piece_t) + size, pool->log);
    if (piece == NULL) {
        return NULL;
    }

    piece->self = piece;
    piece->next = (ngx_stub_piece_t *) pool->large;
    pool->large = (ngx_pool_large_t *) piece;

    return piece->data;
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_palloc(pool, size);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_palloc(pool, size);
    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}


ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t  *c;

    c = ngx_palloc(pool, sizeof(ngx_pool_cleanup_t));
    if (c == NULL) {
        return NULL;
    }

    c->data = size ? ngx_palloc(pool, size) : NULL;
    c->handler = NULL;
    c->next = pool->cleanup;

    pool->cleanup = c;

    return c;
}


void
ngx_stub_timers_init(void)
{
    static ngx_rbtree_node_t  sentinel;

    ngx_rbtree_init(&ngx_event_timer_rbtree, &sentinel,
                    ngx_rbtree_insert_value);
}


void
ngx_stub_timers(void)
{
    ngx_event_t        *ev;
    ngx_rbtree_t       *tree;
    ngx_rbtree_node_t  *node;

    tree = &ngx_event_timer_rbtree;

    while (tree->root != tree->sentinel) {
        node = ngx_rbtree_min(tree->root, tree->sentinel);

        if ((ngx_msec_int_t) (node->key - ngx_current_msec) > 0) {
            break;
        }

        ev = ngx_rbtree_data(node, ngx_event_t, timer);

        ngx_rbtree_delete(tree, node);

        ev->timer_set = 0;
        ev->timedout = 1;

        ev->handler(ev);
    }
}


ngx_array_t *
ngx_array_create(ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    ngx_array_t  *array;

    array = ngx_palloc(pool, sizeof(ngx_array_t));
    if (array == NULL) {
        return NULL;
    }

    array->nelts = 0;
    array->size = size;
    array->nalloc = n;
    array->pool = pool;
    array->elts = ngx_palloc(pool, n * size);

    return array->elts ? array : NULL;
}


void *
ngx_array_push(ngx_array_t *array)
{
    void  *elts;

    if (array->nelts == array->nalloc) {
        elts = ngx_palloc(array->pool, 2 * array->nalloc * array->size);
        if (elts == NULL) {
            return NULL;
        }

        ngx_memcpy(elts, array->elts, array->nelts * array->size);
        array->elts = elts;
        array->nalloc *= 2;
    }

    return (u_char *) array->elts + array->size * array->nelts++;
}


/*
 * Trees are not balanced.  The one of timers is not initialized, unless a test
 * does it, and then nothing is in it: tests call what timers would call.
 */

void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    if (tree->insert == NULL) {
        return;
    }

    if (tree->root == tree->sentinel) {
        node->parent = NULL;
        node->left = tree->sentinel;
        node->right = tree->sentinel;
        tree->root = node;
        return;
    }

    tree->insert(tree->root, node, tree->sentinel);
}


void
ngx_rbtree_insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t  **p;

    for ( ;; ) {
        p = (node->key < temp->key) ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
}


static void
ngx_stub_rbtree_replace(ngx_rbtree_t *tree, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *with)
{
    if (node->parent == NULL) {
        tree->root = with;

    } else if (node->parent->left == node) {
        node->parent->left = with;

    } else {
        node->parent->right = with;
    }

    if (with != tree->sentinel) {
        with->parent = node->parent;
    }
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_rbtree_node_t  *next;

    if (tree->insert == NULL) {
        return;
    }

    if (node->left == tree->sentinel) {
        ngx_stub_rbtree_replace(tree, node, node->right);
        return;
    }

    if (node->right == tree->sentinel) {
        ngx_stub_rbtree_replace(tree, node, node->left);
        return;
    }

    for (next = node->right;
         next->left != tree->sentinel;
         next = next->left)
    {
        /* void */
    }

    if (next->parent != node) {
        ngx_stub_rbtree_replace(tree, next, next->right);

        next->right = node->right;
        next->right->parent = next;
    }

    ngx_stub_rbtree_replace(tree, node, next);

    next->left = node->left;
    next->left->parent = next;
}


u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    static const u_char  hex[] = "0123456789abcdef";

    while (len--) {
        *dst++ = hex[*src >> 4];
        *dst++ = hex[*src++ & 0xf];
    }

    return dst;
}


void
ngx_debug_point(void)
{
}
