
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A chunk whose media lie in the file in large pieces goes out as these, and
 * nginx does what it does with files.  Many small pieces, audio in
 * interleaved files, cost a system call each; they are read together, and so
 * is what cannot go out by sendfile(), as that would be read in the event
 * loop.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_feed.h"
#include "http/ngx_http_media_frames.h"
#include "packager/ngx_media_pack_cmaf.h"


/* pieces that are so large on average go out one by one, bytes */
#define NGX_HTTP_MEDIA_FRAMES_PIECE  8192

/* and not more of them: each takes memory */
#define NGX_HTTP_MEDIA_FRAMES_PIECES  16384


typedef struct {
    ngx_http_media_feed_t     feed;
    ngx_media_pack_cmaf_t     pack;
} ngx_http_media_cmaf_t;


static ngx_uint_t ngx_http_media_cmaf_is_direct(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_thread_pool_t *thread_pool);
static ngx_int_t ngx_http_media_cmaf_direct(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_str_t *head);
static ngx_buf_t *ngx_http_media_cmaf_buf(ngx_pool_t *pool,
    ngx_chain_t ***ll, u_char *pos, size_t len);
static ngx_int_t ngx_http_media_cmaf_feed(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_str_t *head,
    ngx_thread_pool_t *thread_pool);
static ngx_int_t ngx_http_media_cmaf_fill(ngx_http_media_feed_t *feed,
    u_char **p, u_char *last);
static uint64_t ngx_http_media_cmaf_seek(ngx_http_media_feed_t *feed,
    uint64_t offset);


static const ngx_http_media_feed_body_t  ngx_http_media_cmaf_body = {
    NULL,
    ngx_http_media_cmaf_fill,
    ngx_http_media_cmaf_seek
};


ngx_int_t
ngx_http_media_frames_cmaf(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, uint32_t sequence,
    ngx_thread_pool_t *thread_pool)
{
    ngx_int_t  rc;
    ngx_str_t  head;

    rc = ngx_media_pack_cmaf_head(frames, sequence, r->pool, &head);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "segment is too large, %uL bytes: \"%V\"",
                      frames->bytes, &frames->name);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_frames_head(r, frames, &head, thread_pool);
}


ngx_int_t
ngx_http_media_frames_head(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_str_t *head,
    ngx_thread_pool_t *thread_pool)
{
    if (ngx_http_media_cmaf_is_direct(r, frames, thread_pool)) {
        return ngx_http_media_cmaf_direct(r, frames, head);
    }

    return ngx_http_media_cmaf_feed(r, frames, head, thread_pool);
}


static ngx_uint_t
ngx_http_media_cmaf_is_direct(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_thread_pool_t *thread_pool)
{
    uint64_t    bytes;
    ngx_uint_t  i, n;

    n = 0;
    bytes = 0;

    for (i = 0; i < frames->nranges; i++) {
        if (frames->ranges[i].memory == NULL) {
            bytes += frames->ranges[i].size;
            n++;
        }
    }

    if (n == 0 || thread_pool == NULL) {
        return 1;
    }

    return r->connection->sendfile
           && !r->main_filter_need_in_memory
           && !r->filter_need_in_memory
           && n <= NGX_HTTP_MEDIA_FRAMES_PIECES
           && bytes / n >= NGX_HTTP_MEDIA_FRAMES_PIECE;
}


static ngx_int_t
ngx_http_media_cmaf_direct(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_str_t *head)
{
    ngx_buf_t                *b;
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_file_t               *file;
    ngx_chain_t              *out, **ll;
    const ngx_media_piece_t  *range;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) (head->len + frames->bytes);
    r->allow_ranges = 1;
    r->single_range = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    /* of this request alone: threads leave their task in it */

    file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (file == NULL) {
        return NGX_ERROR;
    }

    file->fd = frames->fd;
    file->name = frames->name;
    file->log = r->connection->log;

    ll = &out;

    b = ngx_http_media_cmaf_buf(r->pool, &ll, head->data, head->len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < frames->nranges; i++) {
        range = &frames->ranges[i];

        b = ngx_http_media_cmaf_buf(r->pool, &ll, range->memory, range->size);
        if (b == NULL) {
            return NGX_ERROR;
        }

        if (range->memory == NULL) {
            b->memory = 0;
            b->in_file = 1;
            b->file = file;
            b->file_pos = range->offset;
            b->file_last = range->offset + (off_t) range->size;
        }
    }

    *ll = NULL;

    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    return ngx_http_output_filter(r, out);
}


static ngx_buf_t *
ngx_http_media_cmaf_buf(ngx_pool_t *pool, ngx_chain_t ***ll, u_char *pos,
    size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(pool);
    cl = ngx_alloc_chain_link(pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    if (pos) {
        b->pos = pos;
        b->last = pos + len;
        b->start = pos;
        b->end = b->last;
        b->memory = 1;
    }

    cl->buf = b;
    **ll = cl;
    *ll = &cl->next;

    return b;
}


static ngx_int_t
ngx_http_media_cmaf_feed(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_str_t *head,
    ngx_thread_pool_t *thread_pool)
{
    ngx_http_media_feed_t  *feed;
    ngx_http_media_cmaf_t  *cmaf;

    cmaf = ngx_pcalloc(r->pool, sizeof(ngx_http_media_cmaf_t));
    if (cmaf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_media_pack_cmaf_init(&cmaf->pack, frames, head);

    feed = &cmaf->feed;

    feed->body = &ngx_http_media_cmaf_body;
    feed->data = cmaf;
    feed->request = r;
    feed->thread_pool = thread_pool;
    feed->size = head->len + frames->bytes;
    feed->name = frames->name;

    return ngx_http_media_feed(feed);
}


/* the packer's buffer is the feed's */

static ngx_int_t
ngx_http_media_cmaf_fill(ngx_http_media_feed_t *feed, u_char **p,
    u_char *last)
{
    ngx_int_t               rc;
    ngx_http_media_cmaf_t  *cmaf;

    cmaf = feed->data;

    rc = ngx_media_pack_cmaf_fill(&cmaf->pack, p, last, feed->nowait);

    if (rc == NGX_ERROR) {
        feed->fault = cmaf->pack.fault;
    }

    return rc;
}


static uint64_t
ngx_http_media_cmaf_seek(ngx_http_media_feed_t *feed, uint64_t offset)
{
    ngx_http_media_cmaf_t  *cmaf;

    cmaf = feed->data;

    ngx_media_pack_cmaf_seek(&cmaf->pack, offset);

    return offset;
}
