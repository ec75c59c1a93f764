
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_feed.h"
#include "http/ngx_http_media_frames.h"
#include "packager/ngx_media_pack_ts.h"


typedef struct {
    ngx_http_media_feed_t     feed;
    ngx_media_pack_ts_t       pack;
} ngx_http_media_ts_t;


static ngx_int_t ngx_http_media_ts_prepare(ngx_http_media_feed_t *feed);
static ngx_int_t ngx_http_media_ts_fill(ngx_http_media_feed_t *feed,
    u_char **p, u_char *last);
static uint64_t ngx_http_media_ts_seek(ngx_http_media_feed_t *feed,
    uint64_t offset);
static ngx_int_t ngx_http_media_ts_made(ngx_http_media_ts_t *ts,
    ngx_int_t rc);


/* the length is known from the tables, */

static const ngx_http_media_feed_body_t  ngx_http_media_ts_body = {
    NULL,
    ngx_http_media_ts_fill,
    ngx_http_media_ts_seek
};


/* or only when all NAL units have been counted */

static const ngx_http_media_feed_body_t  ngx_http_media_ts_count_body = {
    ngx_http_media_ts_prepare,
    ngx_http_media_ts_fill,
    ngx_http_media_ts_seek
};


/* frames in memory are muxed in the event loop */

ngx_int_t
ngx_http_media_frames_ts(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_uint_t n, uint64_t number,
    ngx_thread_pool_t *thread_pool)
{
    ngx_int_t               rc;
    ngx_http_media_ts_t    *ts;
    ngx_http_media_feed_t  *feed;

    ts = ngx_pcalloc(r->pool, sizeof(ngx_http_media_ts_t));
    if (ts == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_media_pack_ts_init(&ts->pack, frames, n, number, r->pool);

    if (rc == NGX_DECLINED) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (rc == NGX_ERROR) {

        if (ts->pack.fault.error) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "%s, \"%V\"",
                          ts->pack.fault.error, &frames->name);
        }

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    feed = &ts->feed;

    feed->body = rc == NGX_AGAIN ? &ngx_http_media_ts_count_body
                                 : &ngx_http_media_ts_body;
    feed->data = ts;
    feed->request = r;
    feed->name = frames->name;
    feed->size = ts->pack.size;
    feed->thread_pool = ts->pack.blocks ? thread_pool : NULL;

    return ngx_http_media_feed(feed);
}


static ngx_int_t
ngx_http_media_ts_prepare(ngx_http_media_feed_t *feed)
{
    ngx_int_t             rc;
    ngx_http_media_ts_t  *ts;

    ts = feed->data;

    rc = ngx_media_pack_ts_prepare(&ts->pack);

    feed->size = ts->pack.size;

    return ngx_http_media_ts_made(ts, rc);
}


static ngx_int_t
ngx_http_media_ts_fill(ngx_http_media_feed_t *feed, u_char **p, u_char *last)
{
    ngx_http_media_ts_t  *ts;

    ts = feed->data;

    ts->pack.nowait = feed->nowait;

    return ngx_http_media_ts_made(ts,
                                  ngx_media_pack_ts_fill(&ts->pack, p, last));
}


static uint64_t
ngx_http_media_ts_seek(ngx_http_media_feed_t *feed, uint64_t offset)
{
    ngx_http_media_ts_t  *ts;

    ts = feed->data;

    return ngx_media_pack_ts_seek(&ts->pack, offset);
}


static ngx_int_t
ngx_http_media_ts_made(ngx_http_media_ts_t *ts, ngx_int_t rc)
{
    if (rc == NGX_ERROR) {
        ts->feed.fault = ts->pack.fault;
        ts->feed.name = ts->pack.failed;
    }

    return rc;
}
