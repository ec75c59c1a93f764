
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "formats/ngx_media_fmt.h"
#include "http/ngx_http_media_picture.h"


#define NGX_HTTP_MEDIA_PICTURE_BUCKETS  256   /* a power of two */

/* s: what failed may have done so for want of memory */
#define NGX_HTTP_MEDIA_PICTURE_AGAIN    10


typedef struct {
    ngx_queue_t               queue;          /* of the picture's, or of those
                                                 that are called next */
    ngx_http_request_t       *request;
    ngx_http_media_picture_t *picture;
    ngx_http_media_picture_pt handler;
    void                     *data;
    unsigned                  queued:1;
} ngx_http_media_picture_wait_t;


/* of this process */

typedef struct {
    ngx_queue_t               buckets[NGX_HTTP_MEDIA_PICTURE_BUCKETS];
    ngx_queue_t               lru;            /* oldest last */
    ngx_queue_t               woken;
    ngx_event_t               event;          /* there are such */
    size_t                    size;
    ngx_uint_t                initialized;
} ngx_http_media_pictures_t;


static void ngx_http_media_picture_init(void);
static ngx_http_media_picture_t *ngx_http_media_picture_find(
    ngx_queue_t *bucket, const ngx_http_media_picture_key_t *key);
static ngx_http_media_picture_t *ngx_http_media_picture_add(
    ngx_queue_t *bucket, const ngx_http_media_picture_key_t *key,
    ngx_log_t *log);
static void ngx_http_media_picture_room(void);
static void ngx_http_media_picture_drop(ngx_http_media_picture_t *picture);
static void ngx_http_media_picture_release(void *data);
static void ngx_http_media_picture_woken(ngx_event_t *ev);
static void ngx_http_media_picture_wait_cleanup(void *data);


static ngx_http_media_pictures_t  ngx_http_media_pictures;


#define ngx_http_media_picture_size(picture)                                  \
    (sizeof(ngx_http_media_picture_t) + (picture)->len)


ngx_http_media_picture_t *
ngx_http_media_picture_get(ngx_http_request_t *r,
    const ngx_http_media_picture_key_t *key, ngx_uint_t *new)
{
    uint64_t                   hash;
    ngx_queue_t               *bucket;
    ngx_pool_cleanup_t        *cln;
    ngx_http_media_picture_t  *picture;

    ngx_http_media_picture_init();

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    hash = ngx_media_hash((const u_char *) key,
                          sizeof(ngx_http_media_picture_key_t));
    bucket = &ngx_http_media_pictures.buckets[hash
                                   & (NGX_HTTP_MEDIA_PICTURE_BUCKETS - 1)];

    picture = ngx_http_media_picture_find(bucket, key);

    *new = (picture == NULL);

    if (picture == NULL) {
        picture = ngx_http_media_picture_add(bucket, key, r->connection->log);

        if (picture == NULL) {
            return NULL;
        }
    }

    ngx_queue_remove(&picture->lru);
    ngx_queue_insert_head(&ngx_http_media_pictures.lru, &picture->lru);

    picture->refs++;

    cln->handler = ngx_http_media_picture_release;
    cln->data = picture;

    ngx_log_debug6(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media picture of %uL.%uD, width:%uD new:%ui "
                   "state:%d kept:%uz",
                   key->number, key->part, key->width, *new,
                   (int) picture->state, ngx_http_media_pictures.size);

    return picture;
}


static void
ngx_http_media_picture_init(void)
{
    ngx_uint_t  i;

    if (ngx_http_media_pictures.initialized) {
        return;
    }

    for (i = 0; i < NGX_HTTP_MEDIA_PICTURE_BUCKETS; i++) {
        ngx_queue_init(&ngx_http_media_pictures.buckets[i]);
    }

    ngx_queue_init(&ngx_http_media_pictures.lru);
    ngx_queue_init(&ngx_http_media_pictures.woken);

    ngx_http_media_pictures.event.handler = ngx_http_media_picture_woken;
    ngx_http_media_pictures.event.log = ngx_cycle->log;

    ngx_http_media_pictures.initialized = 1;
}


static ngx_http_media_picture_t *
ngx_http_media_picture_find(ngx_queue_t *bucket,
    const ngx_http_media_picture_key_t *key)
{
    ngx_queue_t               *q;
    ngx_http_media_picture_t  *picture;

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        picture = ngx_queue_data(q, ngx_http_media_picture_t, queue);

        if (ngx_memcmp(&picture->key, key,
                       sizeof(ngx_http_media_picture_key_t))
            != 0)
        {
            continue;
        }

        if (picture->state == NGX_HTTP_MEDIA_PICTURE_FAILED
            && ngx_time() - picture->failed >= NGX_HTTP_MEDIA_PICTURE_AGAIN)
        {
            ngx_http_media_picture_drop(picture);
            return NULL;
        }

        return picture;
    }

    return NULL;
}


static ngx_http_media_picture_t *
ngx_http_media_picture_add(ngx_queue_t *bucket,
    const ngx_http_media_picture_key_t *key, ngx_log_t *log)
{
    ngx_http_media_picture_t  *picture;

    picture = ngx_calloc(sizeof(ngx_http_media_picture_t), log);
    if (picture == NULL) {
        return NULL;
    }

    picture->key = *key;
    picture->state = NGX_HTTP_MEDIA_PICTURE_MAKING;
    picture->refs = 1;

    ngx_queue_init(&picture->waiters);
    ngx_queue_insert_head(bucket, &picture->queue);
    ngx_queue_insert_head(&ngx_http_media_pictures.lru, &picture->lru);

    ngx_http_media_pictures.size += ngx_http_media_picture_size(picture);

    return picture;
}


void
ngx_http_media_picture_done(ngx_http_media_picture_t *picture,
    ngx_http_media_picture_state_e state, u_char *data, size_t len)
{
    ngx_queue_t                    *q;
    ngx_http_media_picture_wait_t  *w;

    picture->state = state;
    picture->data = data;
    picture->len = len;
    picture->failed = ngx_time();

    ngx_http_media_pictures.size += len;

    for (q = ngx_queue_head(&picture->waiters);
         q != ngx_queue_sentinel(&picture->waiters);
         q = ngx_queue_head(&picture->waiters))
    {
        w = ngx_queue_data(q, ngx_http_media_picture_wait_t, queue);

        ngx_queue_remove(&w->queue);
        ngx_queue_insert_tail(&ngx_http_media_pictures.woken, &w->queue);
    }

    /* other requests are not for whoever is about to end this one */

    if (!ngx_queue_empty(&ngx_http_media_pictures.woken)
        && !ngx_http_media_pictures.event.posted)
    {
        ngx_post_event(&ngx_http_media_pictures.event, &ngx_posted_events);
    }

    if (state == NGX_HTTP_MEDIA_PICTURE_LEFT) {
        ngx_http_media_picture_drop(picture);
        return;
    }

    ngx_http_media_picture_room();
}


/* what is being made is small, and found again by who comes meanwhile */

static void
ngx_http_media_picture_room(void)
{
    ngx_queue_t               *q, *prev;
    ngx_http_media_picture_t  *picture;

    for (q = ngx_queue_last(&ngx_http_media_pictures.lru);
         q != ngx_queue_sentinel(&ngx_http_media_pictures.lru)
         && ngx_http_media_pictures.size > NGX_HTTP_MEDIA_PICTURES;
         q = prev)
    {
        prev = ngx_queue_prev(q);
        picture = ngx_queue_data(q, ngx_http_media_picture_t, lru);

        if (picture->state != NGX_HTTP_MEDIA_PICTURE_MAKING) {
            ngx_http_media_picture_drop(picture);
        }
    }
}


static void
ngx_http_media_picture_drop(ngx_http_media_picture_t *picture)
{
    ngx_queue_remove(&picture->queue);
    ngx_queue_remove(&picture->lru);

    ngx_http_media_pictures.size -= ngx_http_media_picture_size(picture);

    ngx_http_media_picture_release(picture);
}


static void
ngx_http_media_picture_release(void *data)
{
    ngx_http_media_picture_t *picture = data;

    if (--picture->refs) {
        return;
    }

    if (picture->data) {
        free(picture->data);
    }

    ngx_free(picture);
}


ngx_int_t
ngx_http_media_picture_wait(ngx_http_request_t *r,
    ngx_http_media_picture_t *picture, ngx_http_media_picture_pt handler,
    void *data)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_media_picture_wait_t  *w;

    cln = ngx_pool_cleanup_add(r->pool,
                               sizeof(ngx_http_media_picture_wait_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    w = cln->data;

    cln->handler = ngx_http_media_picture_wait_cleanup;

    w->request = r;
    w->picture = picture;
    w->handler = handler;
    w->data = data;
    w->queued = 1;

    ngx_queue_insert_tail(&picture->waiters, &w->queue);

    r->main->count++;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static void
ngx_http_media_picture_woken(ngx_event_t *ev)
{
    ngx_int_t                       rc;
    ngx_queue_t                    *q;
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_media_picture_wait_t  *w;

    while (!ngx_queue_empty(&ngx_http_media_pictures.woken)) {
        q = ngx_queue_head(&ngx_http_media_pictures.woken);
        w = ngx_queue_data(q, ngx_http_media_picture_wait_t, queue);

        ngx_queue_remove(&w->queue);
        w->queued = 0;

        r = w->request;
        c = r->connection;

        ngx_http_set_log_request(c->log, r);

        rc = w->handler(r, w->picture, w->data);

        ngx_http_finalize_request(r, rc);

        ngx_http_run_posted_requests(c);
    }
}


/* the request ends, maybe before the picture is there */

static void
ngx_http_media_picture_wait_cleanup(void *data)
{
    ngx_http_media_picture_wait_t *w = data;

    if (w->queued) {
        ngx_queue_remove(&w->queue);
        w->queued = 0;
    }
}
