
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
#include "formats/ngx_media_mp4_write.h"
#include "http/ngx_http_media_feed.h"
#include "http/ngx_http_media_frames.h"


/* pieces that are so large on average go out one by one, bytes */
#define NGX_HTTP_MEDIA_FRAMES_PIECE  8192

/* and not more of them: each takes memory */
#define NGX_HTTP_MEDIA_FRAMES_PIECES  16384

/* sizes in the boxes are of 32 bits */
#define NGX_HTTP_MEDIA_FRAMES_MAX    0x7fffffff


typedef struct {
    ngx_str_t                 head;           /* all but the media */
    size_t                    head_pos;
    ngx_media_pull_t          reader;
    ngx_http_media_feed_t     feed;
} ngx_http_media_cmaf_t;


static ngx_int_t ngx_http_media_cmaf_head(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, uint32_t sequence, ngx_str_t *head);
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
    ngx_str_t  head;

    if (frames->bytes > NGX_HTTP_MEDIA_FRAMES_MAX
                        - ngx_media_mp4_chunk_max(frames->nsamples))
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "segment is too large, %uL bytes: \"%V\"",
                      frames->bytes, &frames->name);

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_media_cmaf_head(r, frames, sequence, &head) != NGX_OK) {
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


static ngx_int_t
ngx_http_media_cmaf_head(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, uint32_t sequence, ngx_str_t *head)
{
    ngx_media_mp4_chunk_t  chunk;

    ngx_memzero(&chunk, sizeof(ngx_media_mp4_chunk_t));

    chunk.samples = frames->samples;
    chunk.nsamples = frames->nsamples;
    chunk.decode_time = frames->decode_time;
    chunk.delay = frames->delay - frames->edit;
    chunk.sequence = sequence;
    chunk.type = frames->params->type;
    chunk.styp = 1;

    head->data = ngx_pnalloc(r->pool, ngx_media_mp4_write_chunk(NULL, &chunk));
    if (head->data == NULL) {
        return NGX_ERROR;
    }

    head->len = ngx_media_mp4_write_chunk(head->data, &chunk);

    return NGX_OK;
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

    cmaf->head = *head;

    cmaf->reader.ranges = frames->ranges;
    cmaf->reader.nranges = frames->nranges;
    cmaf->reader.fd = frames->fd;

    feed = &cmaf->feed;

    feed->body = &ngx_http_media_cmaf_body;
    feed->data = cmaf;
    feed->request = r;
    feed->thread_pool = thread_pool;
    feed->size = head->len + frames->bytes;
    feed->name = frames->name;

    return ngx_http_media_feed(feed);
}


/* the reader's buffer is the feed's: what is read is not copied */

static ngx_int_t
ngx_http_media_cmaf_fill(ngx_http_media_feed_t *feed, u_char **p,
    u_char *last)
{
    size_t                  n;
    u_char                 *from, *to;
    ngx_int_t               rc;
    ngx_media_pull_t       *reader;
    ngx_http_media_cmaf_t  *cmaf;

    cmaf = feed->data;
    reader = &cmaf->reader;

    n = ngx_min(cmaf->head.len - cmaf->head_pos, (size_t) (last - *p));
    *p = ngx_cpymem(*p, cmaf->head.data + cmaf->head_pos, n);
    cmaf->head_pos += n;

    while (*p < last) {

        switch (ngx_media_pull_next(reader, &from, &to)) {

        case NGX_OK:
            break;

        case NGX_AGAIN:
            reader->start = *p;
            reader->size = last - *p;
            reader->nowait = feed->nowait;

            rc = ngx_media_pull_fill(reader);

            if (rc == NGX_AGAIN) {
                return NGX_AGAIN;
            }

            if (rc != NGX_OK) {
                return ngx_http_media_feed_unread(feed, reader);
            }

            continue;

        default: /* NGX_DONE */
            return NGX_OK;
        }

        n = ngx_min((size_t) (to - from), (size_t) (last - *p));

        if (from != *p) {
            ngx_memcpy(*p, from, n);
        }

        *p += n;

        ngx_media_pull_use(reader, n);
    }

    return NGX_OK;
}


static uint64_t
ngx_http_media_cmaf_seek(ngx_http_media_feed_t *feed, uint64_t offset)
{
    ngx_http_media_cmaf_t  *cmaf;

    cmaf = feed->data;

    cmaf->head_pos = (size_t) ngx_min(offset, cmaf->head.len);

    ngx_media_pull_skip(&cmaf->reader, offset - cmaf->head_pos);

    return offset;
}
