
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One buffer goes round: it is filled, passed to the output filters, and
 * filled again when they have taken all of it.  Nothing is made ahead: what
 * is kept for a client that stops reading is this buffer.  What is in the page
 * cache is read at once; a thread waits for the disk.
 *
 * Where the whole body is wanted, the first buffer is filled before the
 * header is sent: then a file that cannot be read, or a queue of threads that
 * is full, is a status and not a body that breaks off.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_feed.h"
#include "http/ngx_http_media_reply.h"


/* bytes that are made in one go while others wait, if nothing blocks */
#define NGX_HTTP_MEDIA_FEED_TURN  (512 * 1024)


static ngx_int_t ngx_http_media_feed_run(ngx_http_media_feed_t *feed);
static ngx_int_t ngx_http_media_feed_make(ngx_http_media_feed_t *feed);
static ngx_int_t ngx_http_media_feed_room(ngx_http_media_feed_t *feed);
static void ngx_http_media_feed_work(ngx_http_media_feed_t *feed);
static ngx_int_t ngx_http_media_feed_made(ngx_http_media_feed_t *feed);
static ngx_uint_t ngx_http_media_feed_whole(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_feed_header(ngx_http_media_feed_t *feed);
static ngx_int_t ngx_http_media_feed_output(ngx_http_media_feed_t *feed);
static ngx_int_t ngx_http_media_feed_wait(ngx_http_media_feed_t *feed);
static ngx_int_t ngx_http_media_feed_fail(ngx_http_media_feed_t *feed,
    ngx_int_t status);
static void ngx_http_media_feed_write(ngx_http_request_t *r);
static void ngx_http_media_feed_cleanup(void *data);

#if (NGX_THREADS)
static ngx_int_t ngx_http_media_feed_post(ngx_http_media_feed_t *feed);
static void ngx_http_media_feed_thread(void *data, ngx_log_t *log);
static void ngx_http_media_feed_event(ngx_event_t *ev);
#endif


ngx_int_t
ngx_http_media_feed(ngx_http_media_feed_t *feed)
{
    ngx_int_t            rc;
    ngx_pool_cleanup_t  *cln;
    ngx_http_request_t  *r;

    r = feed->request;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_media_feed_cleanup;
    cln->data = feed;

    if (feed->body->prepare == NULL) {
        feed->prepared = 1;
    }

    rc = ngx_http_media_feed_run(feed);

    if (rc != NGX_BUSY) {
        return rc;
    }

    r->write_event_handler = ngx_http_media_feed_write;

    if (ngx_http_media_feed_wait(feed) != NGX_OK) {
        return NGX_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


/*
 * As far as it goes.  NGX_BUSY: it goes on with the next write event; else
 * what the request ends with.  Its steps return NGX_DECLINED to go on.
 */

static ngx_int_t
ngx_http_media_feed_run(ngx_http_media_feed_t *feed)
{
    uint64_t             turn;
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = feed->request;
    turn = feed->done + NGX_HTTP_MEDIA_FEED_TURN;

    for ( ;; ) {

        if (feed->working) {
            feed->working = 0;
            rc = ngx_http_media_feed_made(feed);

        } else if (feed->blocked || (feed->fresh && feed->header)) {
            rc = ngx_http_media_feed_output(feed);

        } else if (feed->prepared && !feed->header
                   && (feed->fresh || !ngx_http_media_feed_whole(r)))
        {
            rc = ngx_http_media_feed_header(feed);

        } else if (feed->done >= turn) {
            ngx_post_event(r->connection->write, &ngx_posted_next_events);
            return NGX_BUSY;

        } else {
            rc = ngx_http_media_feed_make(feed);
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }
}


/* starts what is to be done next, or does it */

static ngx_int_t
ngx_http_media_feed_make(ngx_http_media_feed_t *feed)
{
    feed->filling = 0;

    if (feed->header || ngx_http_media_feed_whole(feed->request)) {

        if (ngx_http_media_feed_room(feed) != NGX_OK) {
            return ngx_http_media_feed_fail(feed,
                                            NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        feed->filling = 1;
        feed->buf->pos = feed->start;
        feed->buf->last = feed->start;
    }

#if (NGX_THREADS)

    if (feed->thread_pool) {

        /* what is in memory is not worth a switch of threads */

        if (feed->prepared) {
            feed->nowait = 1;

            ngx_http_media_feed_work(feed);

            feed->nowait = 0;

            if (feed->rc != NGX_AGAIN) {
                return ngx_http_media_feed_made(feed);
            }
        }

        if (ngx_http_media_feed_post(feed) != NGX_OK) {
            return ngx_http_media_feed_fail(feed,
                                            NGX_HTTP_SERVICE_UNAVAILABLE);
        }

        return NGX_BUSY;
    }

#endif

    ngx_http_media_feed_work(feed);

    return ngx_http_media_feed_made(feed);
}


static ngx_int_t
ngx_http_media_feed_room(ngx_http_media_feed_t *feed)
{
    size_t  room;

    if (feed->start) {
        return NGX_OK;
    }

    room = NGX_HTTP_MEDIA_FEED_BUFFER;

    if (feed->prepared) {

        if (!feed->header) {
            feed->end = feed->size;
        }

        room = (size_t) ngx_min(room, feed->end - feed->done);
    }

    feed->buf = ngx_calloc_buf(feed->request->pool);
    if (feed->buf == NULL) {
        return NGX_ERROR;
    }

    feed->start = ngx_alloc(room, feed->request->connection->log);
    if (feed->start == NULL) {
        return NGX_ERROR;
    }

    feed->room = room;

    return NGX_OK;
}


/* may be in a thread: only the feed is touched */

static void
ngx_http_media_feed_work(ngx_http_media_feed_t *feed)
{
    u_char  *last;

    if (!feed->prepared) {
        feed->rc = feed->body->prepare(feed);

        if (feed->rc != NGX_OK) {
            return;
        }

        feed->prepared = 1;
    }

    feed->rc = NGX_OK;

    if (!feed->filling) {
        return;
    }

    if (!feed->header) {
        feed->end = feed->size;
    }

    last = feed->start + ngx_min(feed->room, feed->end - feed->done);

    feed->rc = feed->body->fill(feed, &feed->buf->last, last);

    if (feed->rc == NGX_OK && feed->buf->last != last) {
        feed->rc = NGX_ERROR;
        feed->fault.error = "media is shorter than it should be";
    }
}


static ngx_int_t
ngx_http_media_feed_made(ngx_http_media_feed_t *feed)
{
    if (feed->rc != NGX_OK) {
        return ngx_http_media_feed_fail(feed, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    if (!feed->filling) {
        return NGX_DECLINED;
    }

    feed->done += feed->buf->last - feed->buf->pos;

    if (feed->done <= feed->begin) {
        feed->skip = feed->done;
        return NGX_DECLINED;
    }

    feed->fresh = 1;

    return NGX_DECLINED;
}


/* whether all of it will be sent, which filters of headers may deny */

static ngx_uint_t
ngx_http_media_feed_whole(ngx_http_request_t *r)
{
    return (r->method & NGX_HTTP_GET)
           && r->headers_in.range == NULL
           && r->headers_in.if_none_match == NULL
           && r->headers_in.if_modified_since == NULL
           && r->headers_in.if_match == NULL
           && r->headers_in.if_unmodified_since == NULL;
}


static ngx_int_t
ngx_http_media_feed_header(ngx_http_media_feed_t *feed)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = feed->request;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) feed->size;
    r->allow_ranges = 1;
    r->single_range = 1;

    feed->header = 1;
    feed->end = feed->size;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (r->headers_out.status == NGX_HTTP_PARTIAL_CONTENT && !feed->fresh) {
        feed->begin = (uint64_t) r->headers_out.content_offset;
        feed->end = feed->begin + (uint64_t) r->headers_out.content_length_n;
        feed->done = feed->body->seek(feed, feed->begin);
        feed->skip = feed->done;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_media_feed_output(ngx_http_media_feed_t *feed)
{
    ngx_buf_t           *b;
    ngx_int_t            rc;
    ngx_chain_t         *in, out, skip;
    ngx_http_request_t  *r;

    r = feed->request;
    b = feed->buf;
    in = NULL;

    if (feed->fresh) {
        feed->fresh = 0;

        b->start = feed->start;
        b->end = feed->start + feed->room;
        b->temporary = 1;
        b->flush = 1;

        if (feed->done >= feed->end) {
            b->last_buf = (r == r->main);
            b->last_in_chain = 1;
        }

        out.buf = b;
        out.next = NULL;
        in = &out;

        if (feed->skip) {

            /* the filter of ranges counts it, and drops it */

            skip.buf = ngx_calloc_buf(r->pool);
            if (skip.buf == NULL) {
                return NGX_ERROR;
            }

            skip.buf->in_file = 1;
            skip.buf->file_last = (off_t) feed->skip;
            skip.next = in;
            in = &skip;

            feed->skip = 0;
        }
    }

    rc = ngx_http_output_filter(r, in);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    if (feed->done >= feed->end) {
        return rc;
    }

    feed->blocked = (rc == NGX_AGAIN || ngx_buf_size(b) != 0);

    return feed->blocked ? NGX_BUSY : NGX_DECLINED;
}


static ngx_int_t
ngx_http_media_feed_wait(ngx_http_media_feed_t *feed)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = feed->request;
    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r->main, ngx_http_core_module);

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    if (!wev->delayed && r == r->connection->data) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


/* what was said of its lifetime is not true of an error */

static ngx_int_t
ngx_http_media_feed_fail(ngx_http_media_feed_t *feed, ngx_int_t status)
{
    ngx_uint_t           i;
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = feed->request;

    if (feed->fault.error) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, feed->fault.err,
                      "%s, \"%V\", offset:%O", feed->fault.error, &feed->name,
                      feed->fault.offset);
    }

    if (feed->header) {
        return NGX_ERROR;
    }

    part = &r->headers_out.headers.part;

    for ( /* void */ ; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if ((h[i].key.len == 13
                 && ngx_strncasecmp(h[i].key.data, (u_char *) "Cache-Control",
                                    13)
                    == 0)
                || &h[i] == r->headers_out.etag)
            {
                h[i].hash = 0;
            }
        }
    }

    r->headers_out.etag = NULL;

    return ngx_http_media_refuse(r, status, NGX_HTTP_MEDIA_NO_STORE);
}


static void
ngx_http_media_feed_write(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_event_t            *wev;
    ngx_connection_t       *c;
    ngx_pool_cleanup_t     *cln;
    ngx_http_media_feed_t  *feed;

    c = r->connection;
    wev = c->write;
    feed = NULL;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_media_feed_cleanup) {
            feed = cln->data;

            if (feed->request == r) {
                break;
            }
        }
    }

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = NGX_BUSY;

    if (!wev->delayed && !r->aio) {
        rc = ngx_http_media_feed_run(feed);
    }

    if (rc == NGX_BUSY) {

        if (ngx_http_media_feed_wait(feed) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }

    ngx_http_finalize_request(r, rc);
}


static void
ngx_http_media_feed_cleanup(void *data)
{
    ngx_http_media_feed_t *feed = data;

    if (feed->start) {
        ngx_free(feed->start);
    }
}


#if (NGX_THREADS)

static ngx_int_t
ngx_http_media_feed_post(ngx_http_media_feed_t *feed)
{
    ngx_http_request_t  *r;

    r = feed->request;

    if (feed->task == NULL) {
        feed->task = ngx_thread_task_alloc(r->pool, 0);
        if (feed->task == NULL) {
            return NGX_ERROR;
        }

        feed->task->ctx = feed;
        feed->task->handler = ngx_http_media_feed_thread;
        feed->task->event.handler = ngx_http_media_feed_event;
        feed->task->event.data = feed;
        feed->task->event.log = r->connection->log;
    }

    /* before: the flags of the feed are the thread's then */

    feed->working = 1;

    if (ngx_thread_task_post(feed->thread_pool, feed->task) != NGX_OK) {
        feed->working = 0;
        return NGX_ERROR;
    }

    r->main->blocked++;
    r->aio = 1;

    return NGX_OK;
}


static void
ngx_http_media_feed_thread(void *data, ngx_log_t *log)
{
    ngx_http_media_feed_work(data);
}


static void
ngx_http_media_feed_event(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_media_feed_t  *feed;

    feed = ev->data;
    r = feed->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->main->blocked--;
    r->aio = 0;

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}

#endif
