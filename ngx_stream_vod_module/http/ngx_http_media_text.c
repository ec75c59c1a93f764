
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <zlib.h>
#include "formats/ngx_media_fmt.h"
#include "http/ngx_http_media_kind.h"
#include "http/ngx_http_media_text.h"


#define NGX_HTTP_MEDIA_TEXT_BUCKETS  1024     /* a power of two */
#define NGX_HTTP_MEDIA_TEXT_MAX      (16 * 1024 * 1024)   /* bytes cached */
#define NGX_HTTP_MEDIA_TEXT_POOL     32768

#define NGX_HTTP_MEDIA_GZIP_LEVEL    4
#define NGX_HTTP_MEDIA_GZIP_BITS     (15 + 16)   /* 16: gzip, not zlib */
#define NGX_HTTP_MEDIA_GZIP_MEM      8


/* of this process */

typedef struct {
    ngx_queue_t               buckets[NGX_HTTP_MEDIA_TEXT_BUCKETS];
    ngx_queue_t               lru;            /* oldest last */
    size_t                    size;
    z_stream                  zstream;
    ngx_uint_t                deflate;        /* zstream is initialized */
    ngx_uint_t                initialized;
} ngx_http_media_texts_t;


static void ngx_http_media_text_init(void);
static ngx_uint_t ngx_http_media_text_hash(
    const ngx_http_media_text_key_t *key);
static ngx_http_media_text_t *ngx_http_media_text_lookup(
    const ngx_http_media_text_key_t *key, ngx_uint_t hash);
static void ngx_http_media_text_add(ngx_http_media_text_t *text);
static void ngx_http_media_text_edge(ngx_http_media_text_t *text,
    const ngx_media_stream_view_t *view);
static void ngx_http_media_text_remove(ngx_http_media_text_t *text);
static void ngx_http_media_text_pack(ngx_http_media_text_t *text,
    z_stream *z, ngx_log_t *log);
static ngx_int_t ngx_http_media_text_deflate(ngx_log_t *log);


static ngx_http_media_texts_t  ngx_http_media_texts;


ngx_int_t
ngx_http_media_text_get(const ngx_http_media_text_key_t *key,
    uint64_t version, ngx_http_media_render_pt render, void *data,
    ngx_log_t *log, ngx_http_media_text_t **text)
{
    ngx_int_t  rc;

    *text = ngx_http_media_text_find(key, version);

    if (*text) {
        return NGX_OK;
    }

    rc = ngx_http_media_text_make(key, version, render, data, 0, log, text);

    if (rc == NGX_OK) {
        ngx_http_media_text_keep(text);
    }

    return rc;
}


ngx_http_media_text_t *
ngx_http_media_text_find(const ngx_http_media_text_key_t *key,
    uint64_t version)
{
    ngx_http_media_text_t  *text;

    ngx_http_media_text_init();

    text = ngx_http_media_text_lookup(key, ngx_http_media_text_hash(key));

    if (text == NULL || text->version != version) {
        return NULL;
    }

    ngx_queue_remove(&text->lru);
    ngx_queue_insert_head(&ngx_http_media_texts.lru, &text->lru);

    text->refs++;

    return text;
}


ngx_int_t
ngx_http_media_text_make(const ngx_http_media_text_key_t *key,
    uint64_t version, ngx_http_media_render_pt render, void *data,
    ngx_uint_t compress, ngx_log_t *log, ngx_http_media_text_t **text)
{
    z_stream                  z;
    ngx_int_t                 rc;
    ngx_str_t                 bytes;
    ngx_pool_t               *pool;
    ngx_http_media_text_t    *new;
    ngx_media_stream_view_t   view;

    pool = ngx_create_pool(NGX_HTTP_MEDIA_TEXT_POOL, log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = render(pool, key, data, &view, &bytes);

    if (rc != NGX_OK) {
        goto done;
    }

    new = ngx_alloc(sizeof(ngx_http_media_text_t) + bytes.len, log);

    if (new == NULL) {
        rc = NGX_ERROR;
        goto done;
    }

    ngx_memzero(new, sizeof(ngx_http_media_text_t));

    new->key = *key;
    new->hash = ngx_http_media_text_hash(key);
    new->version = view.version ? view.version : version;
    new->refs = 1;
    new->len = bytes.len;
    new->tag = ngx_media_hash(bytes.data, bytes.len);

    ngx_memcpy(new->data, bytes.data, bytes.len);

    ngx_http_media_text_edge(new, &view);

    if (compress) {
        ngx_memzero(&z, sizeof(z_stream));

        if (deflateInit2(&z, NGX_HTTP_MEDIA_GZIP_LEVEL, Z_DEFLATED,
                         NGX_HTTP_MEDIA_GZIP_BITS, NGX_HTTP_MEDIA_GZIP_MEM,
                         Z_DEFAULT_STRATEGY)
            == Z_OK)
        {
            ngx_http_media_text_pack(new, &z, log);
            (void) deflateEnd(&z);
        }

        new->compressed = 1;
    }

    *text = new;

done:

    ngx_destroy_pool(pool);

    return rc;
}


void
ngx_http_media_text_keep(ngx_http_media_text_t **text)
{
    ngx_http_media_text_t  *old, *new;

    ngx_http_media_text_init();

    new = *text;
    old = ngx_http_media_text_lookup(&new->key, new->hash);

    if (old && old->len == new->len
        && ngx_memcmp(old->data, new->data, new->len) == 0)
    {
        /* another track went on */

        old->version = new->version;
        old->edge = new->edge;
        old->refs++;

        ngx_http_media_text_release(new);
        *text = old;

        return;
    }

    if (old) {
        ngx_http_media_text_remove(old);
    }

    ngx_http_media_text_add(new);
}


static void
ngx_http_media_text_init(void)
{
    ngx_uint_t  i;

    if (ngx_http_media_texts.initialized) {
        return;
    }

    for (i = 0; i < NGX_HTTP_MEDIA_TEXT_BUCKETS; i++) {
        ngx_queue_init(&ngx_http_media_texts.buckets[i]);
    }

    ngx_queue_init(&ngx_http_media_texts.lru);

    ngx_http_media_texts.initialized = 1;
}


static ngx_uint_t
ngx_http_media_text_hash(const ngx_http_media_text_key_t *key)
{
    uint64_t  h;

    h = key->id * 31 + (uintptr_t) key->kind;
    h = h * 31 + key->track;
    h = h * 31 + key->second;
    h = h * 2 + key->skip;
    h *= 0x9e3779b97f4a7c15ull;

    return (ngx_uint_t) (h >> 32);
}


static ngx_http_media_text_t *
ngx_http_media_text_lookup(const ngx_http_media_text_key_t *key,
    ngx_uint_t hash)
{
    ngx_queue_t            *q, *bucket;
    ngx_http_media_text_t  *text;

    bucket = &ngx_http_media_texts.buckets[hash
                                           % NGX_HTTP_MEDIA_TEXT_BUCKETS];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        text = ngx_queue_data(q, ngx_http_media_text_t, bucket);

        if (text->hash == hash
            && text->key.id == key->id
            && text->key.owner == key->owner
            && text->key.kind == key->kind
            && text->key.track == key->track
            && text->key.second == key->second
            && text->key.skip == key->skip)
        {
            return text;
        }
    }

    return NULL;
}


/* the cache has a reference of its own */

static void
ngx_http_media_text_add(ngx_http_media_text_t *text)
{
    size_t        size;
    ngx_queue_t  *q, *bucket;

    size = sizeof(ngx_http_media_text_t) + text->len + text->gzip_len;

    /* what is least used goes */

    while (ngx_http_media_texts.size + size > NGX_HTTP_MEDIA_TEXT_MAX
           && !ngx_queue_empty(&ngx_http_media_texts.lru))
    {
        q = ngx_queue_last(&ngx_http_media_texts.lru);

        ngx_http_media_text_remove(ngx_queue_data(q, ngx_http_media_text_t,
                                                  lru));
    }

    bucket = &ngx_http_media_texts.buckets[text->hash
                                           % NGX_HTTP_MEDIA_TEXT_BUCKETS];

    ngx_queue_insert_head(bucket, &text->bucket);
    ngx_queue_insert_head(&ngx_http_media_texts.lru, &text->lru);

    ngx_http_media_texts.size += size;
    text->refs++;
}


ngx_uint_t
ngx_http_media_text_place(const ngx_media_stream_view_t *view,
    ngx_uint_t track)
{
    ngx_uint_t  i;

    for (i = 0; i < view->ntracks; i++) {
        if (view->tracks[i].index == track) {
            break;
        }
    }

    return i;
}


static void
ngx_http_media_text_edge(ngx_http_media_text_t *text,
    const ngx_media_stream_view_t *view)
{
    ngx_uint_t               i, n;
    ngx_media_track_view_t  *track;

    ngx_memzero(&text->edge, sizeof(ngx_media_edge_t));

    text->edge.state = view->state;

    if (!(text->key.kind->flags & NGX_HTTP_MEDIA_KIND_EDGE)) {
        return;
    }

    n = ngx_http_media_text_place(view, text->key.track);

    if (n == view->ntracks) {
        return;
    }

    track = &view->tracks[n];

    text->edge.msn = track->edge_msn;
    text->edge.part = track->edge_part;
    text->edge.any = track->edge_any;
    text->edge.ended = track->ended;

    n = track->nsegments;

    for (i = 0; i < n; i++) {
        text->edge.whole += !track->segments[i].open
                            && !track->segments[i].gap;
    }

    if (n) {
        text->edge.closed = track->segments[n - 1].number
                            + !track->segments[n - 1].open;
    }
}


/* out of the cache: it lives as long as a response needs it */

static void
ngx_http_media_text_remove(ngx_http_media_text_t *text)
{
    ngx_queue_remove(&text->bucket);
    ngx_queue_remove(&text->lru);

    ngx_http_media_texts.size -= sizeof(ngx_http_media_text_t) + text->len
                                 + text->gzip_len;

    ngx_http_media_text_release(text);
}


void
ngx_http_media_text_release(ngx_http_media_text_t *text)
{
    if (--text->refs) {
        return;
    }

    if (text->gzip) {
        ngx_free(text->gzip);
    }

    ngx_free(text);
}


/* called while the text is in the cache */

void
ngx_http_media_text_compress(ngx_http_media_text_t *text, ngx_log_t *log)
{
    if (text->compressed) {
        return;
    }

    text->compressed = 1;

    if (ngx_http_media_text_deflate(log) != NGX_OK) {
        return;
    }

    ngx_http_media_text_pack(text, &ngx_http_media_texts.zstream, log);

    ngx_http_media_texts.size += text->gzip_len;
}


/* also in threads */

static void
ngx_http_media_text_pack(ngx_http_media_text_t *text, z_stream *z,
    ngx_log_t *log)
{
    size_t   size;
    u_char  *p;

    size = deflateBound(z, text->len);

    p = ngx_alloc(size, log);
    if (p == NULL) {
        return;
    }

    z->next_in = text->data;
    z->avail_in = text->len;
    z->next_out = p;
    z->avail_out = size;

    if (deflate(z, Z_FINISH) != Z_STREAM_END || z->total_out >= text->len) {
        ngx_free(p);
        return;
    }

    text->gzip = ngx_alloc(z->total_out, log);

    if (text->gzip) {
        text->gzip_len = z->total_out;
        ngx_memcpy(text->gzip, p, text->gzip_len);
    }

    ngx_free(p);
}


static ngx_int_t
ngx_http_media_text_deflate(ngx_log_t *log)
{
    int        rc;
    z_stream  *z;

    z = &ngx_http_media_texts.zstream;

    if (ngx_http_media_texts.deflate) {
        rc = deflateReset(z);

    } else {
        rc = deflateInit2(z, NGX_HTTP_MEDIA_GZIP_LEVEL, Z_DEFLATED,
                          NGX_HTTP_MEDIA_GZIP_BITS, NGX_HTTP_MEDIA_GZIP_MEM,
                          Z_DEFAULT_STRATEGY);
    }

    if (rc != Z_OK) {
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "media playlist: deflate failed: %d", rc);
        return NGX_ERROR;
    }

    ngx_http_media_texts.deflate = 1;

    return NGX_OK;
}
