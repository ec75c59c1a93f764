
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_frames.h"
#include "http/ngx_http_media_heavy.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_subject.h"
#include "http/ngx_http_media_vod.h"
#include "vod/ngx_media_vod_clip.h"


/* seconds in a query: more have no meaning */
#define NGX_HTTP_MEDIA_VOD_CLIP_SECONDS  ((int64_t) 1000000000)


typedef struct {
    ngx_http_media_vod_ctx_t   *ctx;
    ngx_media_vod_clip_make_t   make;
} ngx_http_media_vod_clip_t;


static ngx_int_t ngx_http_media_vod_clip_arg(ngx_http_request_t *r,
    const char *name, size_t len, int64_t *msec);
static void ngx_http_media_vod_clip_run(void *data);
static ngx_int_t ngx_http_media_vod_clip_done(ngx_http_request_t *r,
    void *data);
static ngx_int_t ngx_http_media_vod_clip_name(ngx_http_request_t *r,
    const ngx_str_t *name);
static void ngx_http_media_vod_clip_cleanup(void *data);


ngx_int_t
ngx_http_media_vod_clip(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    int64_t                     from, to;
    ngx_pool_cleanup_t         *cln;
    ngx_http_media_vod_clip_t  *clip;

    from = 0;
    to = -1;

    if (ngx_http_media_vod_clip_arg(r, "from", 4, &from) != NGX_OK
        || ngx_http_media_vod_clip_arg(r, "to", 2, &to) != NGX_OK
        || (to >= 0 && to <= from))
    {
        return ngx_http_media_refuse(r, NGX_HTTP_BAD_REQUEST, ctx->lifetime);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_vod_clip_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    clip = cln->data;

    ngx_memzero(clip, sizeof(ngx_http_media_vod_clip_t));

    cln->handler = ngx_http_media_vod_clip_cleanup;

    clip->ctx = ctx;
    clip->make.source = &ctx->load.source;
    clip->make.from = from;
    clip->make.to = to;

    return ngx_http_media_heavy(r, ctx->load.conf->thread_pool,
                                ngx_http_media_vod_clip_run,
                                ngx_http_media_vod_clip_done, clip);
}


/* seconds, "12" or "12.345"; what is not there stays as it is */

static ngx_int_t
ngx_http_media_vod_clip_arg(ngx_http_request_t *r, const char *name,
    size_t len, int64_t *msec)
{
    u_char     *last, *p;
    int64_t     n;
    ngx_str_t   value;
    ngx_uint_t  scale;

    if (ngx_http_arg(r, (u_char *) name, len, &value) != NGX_OK) {
        return NGX_OK;
    }

    n = 0;
    scale = 0;                            /* of the next decimal */
    last = value.data + value.len;

    for (p = value.data; p < last; p++) {

        if (*p == '.' && scale == 0 && p > value.data && p + 1 < last) {
            scale = 1000;
            continue;
        }

        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        if (scale == 0) {
            n = n * 10 + (*p - '0') * 1000;

            if (n > NGX_HTTP_MEDIA_VOD_CLIP_SECONDS * 1000) {
                return NGX_ERROR;
            }

        } else if (scale > 1) {
            scale /= 10;
            n += (*p - '0') * (int64_t) scale;
        }
    }

    if (value.len == 0) {
        return NGX_ERROR;
    }

    *msec = n;

    return NGX_OK;
}


static void
ngx_http_media_vod_clip_run(void *data)
{
    ngx_http_media_vod_clip_t *clip = data;

    ngx_media_vod_clip_make(&clip->make);
}


static ngx_int_t
ngx_http_media_vod_clip_done(ngx_http_request_t *r, void *data)
{
    ngx_http_media_vod_clip_t *clip = data;

    ngx_str_t                   head;
    ngx_media_frames_t          frames;
    ngx_http_media_vod_ctx_t   *ctx;
    ngx_media_vod_clip_make_t  *make;

    ctx = clip->ctx;
    make = &clip->make;

    if (make->error[0]) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "media vod clip: %s", make->error);
    }

    if (make->status != NGX_HTTP_OK) {
        return ngx_http_media_refuse(r, make->status, ctx->lifetime);
    }

    if (ngx_http_media_cache_control(r, ctx->lifetime, 0) != NGX_OK
        || ngx_http_media_vod_clip_name(r, &ctx->url.name) != NGX_OK
        || ngx_http_media_etag(r, "%016xL-%L-%L",
                               make->source->set->hash, make->from, make->to)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&frames, sizeof(ngx_media_frames_t));

    frames.ranges = make->ranges;
    frames.nranges = make->nranges;
    frames.bytes = make->bytes;
    frames.fd = make->open->fd;
    frames.name = make->open->path;

    head.data = make->head;
    head.len = make->len;

    ngx_http_media_subject_media(r, make->to - make->from, 1000, 0);

    return ngx_http_media_frames_head(r, &frames, &head,
                                      ctx->load.conf->thread_pool);
}


/* RFC 6266: the file's own name, and what every client understands of it */

static ngx_int_t
ngx_http_media_vod_clip_name(ngx_http_request_t *r, const ngx_str_t *name)
{
    u_char     *last, *p;
    ngx_str_t   escaped, plain, stem;

    stem = *name;
    last = stem.data + stem.len;

    for (p = last; p > stem.data && p[-1] != '/'; p--) { /* void */ }

    stem.data = p;

    for (p = last; p > stem.data + 1; p--) {
        if (p[-1] == '.') {
            last = p - 1;
            break;
        }
    }

    stem.len = last - stem.data;

    escaped.data = ngx_pnalloc(r->pool, stem.len * 3 + 1);
    plain.data = ngx_pnalloc(r->pool, stem.len + 1);

    if (escaped.data == NULL || plain.data == NULL) {
        return NGX_ERROR;
    }

    escaped.len = (u_char *) ngx_escape_uri(escaped.data, stem.data, stem.len,
                                            NGX_ESCAPE_URI_COMPONENT)
                  - escaped.data;

    plain.len = stem.len;

    for (p = plain.data; stem.len--; stem.data++) {
        *p++ = (*stem.data < 0x20 || *stem.data >= 0x7f
                || *stem.data == '"' || *stem.data == '\\')
               ? '_' : *stem.data;
    }

    return ngx_http_media_header(r, "Content-Disposition",
                                 "attachment; filename=\"%V.mp4\"; "
                                 "filename*=UTF-8''%V.mp4", &plain, &escaped);
}


static void
ngx_http_media_vod_clip_cleanup(void *data)
{
    ngx_http_media_vod_clip_t *clip = data;

    if (clip->make.head) {
        free(clip->make.head);
    }

    if (clip->make.ranges) {
        free(clip->make.ranges);
    }
}
