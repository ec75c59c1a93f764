
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_frames.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_subject.h"
#include "http/ngx_http_media_task.h"
#include "http/ngx_http_media_vod.h"
#include "vod/ngx_media_vod_text.h"


/* entries of a text that is rendered in a thread */
#define NGX_HTTP_MEDIA_VOD_LONG  2000

/* s: that a channel has not begun is kept by caches for so long at most, for
   its mapping may change */
#define NGX_HTTP_MEDIA_VOD_EARLY  60


/* a playlist or manifest */

typedef struct {
    ngx_http_media_vod_ctx_t  *ctx;
    ngx_http_media_text_key_t  key;
    ngx_http_media_render_pt   render;
    uint64_t                   version;
    ngx_int_t                  rc;
    ngx_http_media_text_t     *text;          /* a reference */
} ngx_http_media_vod_page_t;


typedef struct {
    ngx_http_media_vod_ctx_t  *ctx;
    ngx_media_vod_text_make_t  make;
} ngx_http_media_vod_cues_t;


static time_t ngx_http_media_vod_modified(ngx_http_media_vod_ctx_t *ctx);
static ngx_int_t ngx_http_media_vod_find(ngx_http_media_vod_ctx_t *ctx);
static uint64_t ngx_http_media_vod_entries(ngx_http_media_vod_ctx_t *ctx);
static ngx_int_t ngx_http_media_vod_page(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_http_media_render_pt render,
    uint64_t entries);
static void ngx_http_media_vod_page_run(void *data);
static ngx_int_t ngx_http_media_vod_page_done(ngx_http_request_t *r,
    void *data);
static ngx_int_t ngx_http_media_vod_page_send(ngx_http_request_t *r,
    ngx_http_media_vod_page_t *page, ngx_int_t rc);
static void ngx_http_media_vod_page_free(void *data);
static uint64_t ngx_http_media_vod_when(const ngx_media_vod_map_t *map);
static ngx_int_t ngx_http_media_vod_render(ngx_pool_t *pool,
    const ngx_http_media_text_key_t *key, void *data,
    ngx_media_stream_view_t *view, ngx_str_t *bytes);
static ngx_uint_t ngx_http_media_vod_is_bare(
    const ngx_media_stream_view_t *view);
static ngx_int_t ngx_http_media_vod_render_sheets(ngx_pool_t *pool,
    const ngx_http_media_text_key_t *key, void *data,
    ngx_media_stream_view_t *view, ngx_str_t *bytes);
static ngx_int_t ngx_http_media_vod_chunk(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t key);
static ngx_int_t ngx_http_media_vod_segment(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t key);
static void ngx_http_media_vod_watch(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, const ngx_media_frames_t *frames);
static ngx_int_t ngx_http_media_vod_cues(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t wvtt, ngx_uint_t ts);
static void ngx_http_media_vod_cues_run(void *data);
static ngx_int_t ngx_http_media_vod_cues_done(ngx_http_request_t *r,
    void *data);
static void ngx_http_media_vod_cues_free(void *data);
static ngx_int_t ngx_http_media_vod_validate(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
static ngx_int_t ngx_http_media_vod_missing(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_int_t rc);


ngx_int_t
ngx_http_media_vod_answer(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx)
{
    int64_t                       early;
    uint32_t                      tag;
    ngx_int_t                     again;
    const ngx_http_media_kind_t  *kind;

    kind = ctx->url.kind;
    tag = (uint32_t) ctx->load.source.set->tag;

    if (kind->flags & NGX_HTTP_MEDIA_KIND_SHEET) {
        tag = ngx_media_vod_sheet_tag(&ctx->load.source, ctx->sheet);
    }

    if (!ctx->url.tagged && (kind->flags & NGX_HTTP_MEDIA_KIND_TAGGED)) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, ctx->lifetime);
    }

    /* the tag of a file that was replaced is that of nothing */

    if ((ctx->url.tagged && ctx->url.tag != tag)
        || ngx_http_media_vod_find(ctx) != NGX_OK)
    {
        again = ngx_http_media_vod_again(r, ctx);

        if (again != NGX_DECLINED) {
            return again;
        }

        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, ctx->lifetime);
    }

    /* a channel that has not begun: none of its names is there but the clock */

    early = ctx->load.source.map->first_time - ctx->load.source.now;

    if (ctx->load.source.map->live && early > 0
        && !(kind->flags & NGX_HTTP_MEDIA_KIND_CLOCK))
    {
        early = ngx_min((early + 999) / 1000, NGX_HTTP_MEDIA_VOD_EARLY);

        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, (time_t) early);
    }

    ngx_http_media_set_type(r, &ctx->url);

    r->headers_out.last_modified_time = ngx_http_media_vod_modified(ctx);

    return kind->file(r, ctx);
}


/* that of the first file; a clip that is empty has none */

static time_t
ngx_http_media_vod_modified(ngx_http_media_vod_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < ctx->load.source.set->nfiles; i++) {
        if (ctx->load.source.files[i].id.mtime) {
            return ctx->load.source.files[i].id.mtime / 1000000000;
        }
    }

    return -1;
}


static ngx_int_t
ngx_http_media_vod_find(ngx_http_media_vod_ctx_t *ctx)
{
    u_char                      name[NGX_INT32_LEN];
    ngx_str_t                   track;
    const ngx_media_vod_set_t  *set;

    set = ctx->load.source.set;
    ctx->second = NGX_MEDIA_NO_TRACK;

    if (ctx->url.track.len == 0) {
        return NGX_OK;
    }

    /* i1: sheets, it is all there is of that kind */

    if (ctx->url.kind->flags & NGX_HTTP_MEDIA_KIND_SHEET) {
        return (ctx->url.track.len == 2 && ctx->url.track.data[1] == '1')
               ? NGX_OK : NGX_DECLINED;
    }

    track = ctx->url.track;

    /* k1: the key frames of v1 */

    if (track.data[0] == 'k' && track.len <= sizeof(name)) {
        ngx_memcpy(name, track.data, track.len);
        name[0] = 'v';
        track.data = name;
    }

    if (ngx_media_vod_track_find(set, &track, &ctx->track) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ctx->url.second.len == 0) {
        return NGX_OK;
    }

    return ngx_media_vod_track_find(set, &ctx->url.second, &ctx->second);
}


/* playlists and manifests of what a view lists */

ngx_int_t
ngx_http_media_vod_text(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_page(r, ctx, ngx_http_media_vod_render,
                                   ngx_http_media_vod_entries(ctx));
}


/* which thumbnail is where in which sheet */

ngx_int_t
ngx_http_media_vod_sheets(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx)
{
    uint64_t  n;

    n = ctx->sheet->interval
        ? ctx->load.source.set->duration / ctx->sheet->interval : 0;

    return ngx_http_media_vod_page(r, ctx, ngx_http_media_vod_render_sheets,
                                   n);
}


static ngx_int_t
ngx_http_media_vod_page(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx,
    ngx_http_media_render_pt render, uint64_t entries)
{
    ngx_int_t                   rc;
    ngx_pool_cleanup_t         *cln;
    const ngx_media_vod_set_t  *set;
    ngx_http_media_vod_page_t  *page;
    ngx_http_media_text_key_t  *key;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_vod_page_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    page = cln->data;

    ngx_memzero(page, sizeof(ngx_http_media_vod_page_t));

    cln->handler = ngx_http_media_vod_page_free;

    page->ctx = ctx;
    page->render = render;

    set = ctx->load.source.set;
    key = &page->key;

    key->owner = ctx->load.conf->cache;
    key->id = set->hash;

    if (ctx->load.source.map->live) {
        key->id ^= ngx_http_media_vod_when(ctx->load.source.map);
    }

    if (ctx->url.kind->flags & NGX_HTTP_MEDIA_KIND_SHEETS) {
        key->id ^= ngx_media_vod_sheet_tag(&ctx->load.source, ctx->sheet);
    }

    key->kind = ctx->url.kind;
    key->track = ctx->track;
    key->second = ctx->second;

    /* a mapping says until when it holds */

    if (ctx->load.source.map->expired) {
        return ngx_http_media_vod_missing(r, ctx, NGX_DECLINED);
    }

    /* what is listed of a channel changes with the time */

    page->version = set->hash;

    if (ctx->load.source.map->live) {
        page->version = ngx_time();
    }

    if (entries <= NGX_HTTP_MEDIA_VOD_LONG) {
        rc = ngx_http_media_text_get(key, page->version, render, ctx,
                                     r->connection->log, &page->text);

        return ngx_http_media_vod_page_send(r, page, rc);
    }

    page->text = ngx_http_media_text_find(key, page->version);

    if (page->text) {
        return ngx_http_media_vod_page_send(r, page, NGX_OK);
    }

    return ngx_http_media_task(r, ctx->load.conf->thread_pool,
                               ngx_http_media_vod_page_run,
                               ngx_http_media_vod_page_done, page);
}


/* channels of the same clips, and so of one set, may begin and end at other
   times */

static uint64_t
ngx_http_media_vod_when(const ngx_media_vod_map_t *map)
{
    int64_t  when[6];

    when[0] = map->first_time;
    when[1] = map->segment_time;
    when[2] = map->first_number;
    when[3] = map->end;
    when[4] = map->time_offset;
    when[5] = map->end ? map->end_time : -1;

    return ngx_media_hash((u_char *) when, sizeof(when));
}


/* how much has to be listed: of more than some it takes milliseconds */

static uint64_t
ngx_http_media_vod_entries(ngx_http_media_vod_ctx_t *ctx)
{
    uint64_t                    n;
    const ngx_media_vod_set_t  *set;

    set = ctx->load.source.set;

    n = ngx_media_vod_set_segments(set);

    if (ctx->url.track.len == 0) {
        n *= set->ntracks;

    } else if (ctx->second != NGX_MEDIA_NO_TRACK) {
        n *= 2;
    }

    return n;
}


static void
ngx_http_media_vod_page_run(void *data)
{
    ngx_http_media_vod_page_t *page = data;

    page->rc = ngx_http_media_text_make(&page->key, page->version,
                                        page->render, page->ctx, 1,
                                        ngx_cycle->log, &page->text);
}


static ngx_int_t
ngx_http_media_vod_page_done(ngx_http_request_t *r, void *data)
{
    ngx_http_media_vod_page_t *page = data;

    if (page->rc == NGX_OK) {
        ngx_http_media_text_keep(&page->text);
    }

    return ngx_http_media_vod_page_send(r, page, page->rc);
}


static ngx_int_t
ngx_http_media_vod_page_send(ngx_http_request_t *r,
    ngx_http_media_vod_page_t *page, ngx_int_t rc)
{
    ngx_http_media_text_t  *text;

    if (rc != NGX_OK) {
        return ngx_http_media_vod_missing(r, page->ctx, rc);
    }

    text = page->text;
    page->text = NULL;

    text->version = page->version;

    return ngx_http_media_text_send(r, text, page->ctx->lifetime);
}


static void
ngx_http_media_vod_page_free(void *data)
{
    ngx_http_media_vod_page_t *page = data;

    if (page->text) {
        ngx_http_media_text_release(page->text);
    }
}


static ngx_int_t
ngx_http_media_vod_render(ngx_pool_t *pool,
    const ngx_http_media_text_key_t *key, void *data,
    ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    ngx_http_media_vod_ctx_t *ctx = data;

    ngx_uint_t  track;

    /* a playlist of one track does not look at the segments of others */

    track = (ctx->url.track.len && ctx->second == NGX_MEDIA_NO_TRACK)
            ? key->track : NGX_MEDIA_ALL_TRACKS;

    if (ngx_media_vod_view(&ctx->load.source, pool, track, view) != NGX_OK) {
        return NGX_ERROR;
    }

    /* nothing is complete yet: there are no playlists that may be named */

    if (track == NGX_MEDIA_ALL_TRACKS && ngx_http_media_vod_is_bare(view)) {
        return NGX_AGAIN;
    }

    if (ngx_media_vod_thumbs(&ctx->load.source, ctx->sheet, pool,
                             &view->thumbs)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return key->kind->render(pool, &ctx->url, key, view, bytes);
}


static ngx_int_t
ngx_http_media_vod_render_sheets(ngx_pool_t *pool,
    const ngx_http_media_text_key_t *key, void *data,
    ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    ngx_http_media_vod_ctx_t *ctx = data;

    ngx_memzero(view, sizeof(ngx_media_stream_view_t));

    return ngx_media_vod_thumbs_vtt(&ctx->load.source, ctx->sheet, pool,
                                    bytes);
}


/* UTCTiming of manifests that go on, as it is of live streams */

ngx_int_t
ngx_http_media_vod_time(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    if (!ctx->load.source.map->live && !ctx->load.source.set->growing) {
        return ngx_http_media_vod_missing(r, ctx, NGX_DECLINED);
    }

    r->headers_out.last_modified_time = -1;

    return ngx_http_media_time_send(r, ctx->load.source.map->time_offset);
}


static ngx_uint_t
ngx_http_media_vod_is_bare(const ngx_media_stream_view_t *view)
{
    ngx_uint_t  i;

    for (i = 0; i < view->ntracks; i++) {
        if (view->tracks[i].nsegments) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_media_vod_init_segment(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  bytes;

    rc = ngx_media_vod_init(&ctx->load.source, ctx->track, ctx->url.init,
                            r->pool, &bytes);

    if (rc != NGX_OK) {
        return ngx_http_media_vod_missing(r, ctx, rc);
    }

    if (ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_VOD_LIFETIME, 1)
        != NGX_OK
        || ngx_http_media_etag(r, "%016xL", ctx->url.init) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->allow_ranges = 1;
    r->single_range = 1;

    return ngx_http_media_bytes_send(r, bytes.data, bytes.len);
}


ngx_int_t
ngx_http_media_vod_cmaf(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    if (ctx->url.track.data[0] == 't') {
        return ngx_http_media_vod_cues(r, ctx, 1, 0);
    }

    return ngx_http_media_vod_chunk(r, ctx, 0);
}


ngx_int_t
ngx_http_media_vod_key(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_chunk(r, ctx, 1);
}


static ngx_int_t
ngx_http_media_vod_chunk(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx,
    ngx_uint_t key)
{
    ngx_int_t           rc;
    ngx_media_frames_t  frames;

    rc = ngx_http_media_vod_make(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_media_vod_frames(r, ctx, 0, key, &frames);

    if (rc != NGX_OK) {
        return ngx_http_media_vod_missing(r, ctx, rc);
    }

    if (ngx_http_media_vod_validate(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!key) {
        ngx_http_media_vod_watch(r, ctx, &frames);
    }

    return ngx_http_media_frames_cmaf(r, &frames,
                                      (uint32_t) ctx->url.number + 1,
                                      ctx->load.conf->thread_pool);
}


ngx_int_t
ngx_http_media_vod_ts(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_segment(r, ctx, 0);
}


ngx_int_t
ngx_http_media_vod_ts_key(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_segment(r, ctx, 1);
}


static ngx_int_t
ngx_http_media_vod_segment(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t key)
{
    ngx_int_t           rc;
    ngx_uint_t          n;
    ngx_media_frames_t  frames[2];

    n = 0;

    rc = ngx_http_media_vod_make(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    /* one of the two may have nothing there: it is shorter */

    rc = ngx_http_media_vod_frames(r, ctx, 0, key, &frames[n]);

    if (rc == NGX_OK) {
        n++;

        if (!key) {
            ngx_http_media_vod_watch(r, ctx, &frames[0]);
        }

    } else if (rc != NGX_DECLINED || ctx->second == NGX_MEDIA_NO_TRACK) {
        return ngx_http_media_vod_missing(r, ctx, rc);
    }

    if (ctx->second != NGX_MEDIA_NO_TRACK) {
        rc = ngx_http_media_vod_frames(r, ctx, 1, 0, &frames[n]);

        if (rc == NGX_OK) {
            n++;

        } else if (rc != NGX_DECLINED || n == 0) {
            return ngx_http_media_vod_missing(r, ctx, rc);
        }
    }

    if (ngx_http_media_vod_validate(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_frames_ts(r, frames, n, ctx->url.number,
                                    ctx->load.conf->thread_pool);
}


/* of url.track */

static void
ngx_http_media_vod_watch(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx,
    const ngx_media_frames_t *frames)
{
    uint64_t    duration;
    uint32_t    i;
    ngx_uint_t  video;

    static const ngx_str_t  first = ngx_string("v1");

    if (!ngx_http_media_subject_watched(r)) {
        return;
    }

    if (ctx->url.track.data[0] != 'v'
        && ngx_media_vod_track_find(ctx->load.source.set, &first, &video)
           == NGX_OK)
    {
        return;
    }

    duration = 0;

    for (i = 0; i < frames->nsamples; i++) {
        duration += frames->samples[i].duration;
    }

    ngx_http_media_subject_media(r, duration, frames->params->timescale, 0);
}


ngx_int_t
ngx_http_media_vod_vtt(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_cues(r, ctx, 0, 0);
}


ngx_int_t
ngx_http_media_vod_ts_vtt(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_cues(r, ctx, 0, 1);
}


/* text: a segment of WebVTT, or of "wvtt"; ts: at the times of MPEG-TS */

static ngx_int_t
ngx_http_media_vod_cues(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx,
    ngx_uint_t wvtt, ngx_uint_t ts)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_media_vod_cues_t  *cues;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_vod_cues_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cues = cln->data;

    ngx_memzero(cues, sizeof(ngx_http_media_vod_cues_t));

    cln->handler = ngx_http_media_vod_cues_free;

    cues->ctx = ctx;
    cues->make.source = &ctx->load.source;
    cues->make.track = ctx->track;
    cues->make.number = ctx->url.number;
    cues->make.sequence = (uint32_t) ctx->url.number + 1;
    cues->make.wvtt = wvtt;
    cues->make.ts = ts;

    if (!ngx_media_vod_text_blocks(&cues->make)) {
        ngx_http_media_vod_cues_run(cues);
        return ngx_http_media_vod_cues_done(r, cues);
    }

    return ngx_http_media_task(r, ctx->load.conf->thread_pool,
                               ngx_http_media_vod_cues_run,
                               ngx_http_media_vod_cues_done, cues);
}


static void
ngx_http_media_vod_cues_run(void *data)
{
    ngx_http_media_vod_cues_t *cues = data;

    ngx_media_vod_text_make(&cues->make);
}


static ngx_int_t
ngx_http_media_vod_cues_done(ngx_http_request_t *r, void *data)
{
    ngx_http_media_vod_cues_t *cues = data;

    if (cues->make.status == NGX_HTTP_NOT_FOUND) {
        return ngx_http_media_vod_missing(r, cues->ctx, NGX_DECLINED);
    }

    if (cues->make.status != NGX_HTTP_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "media vod: \"%V\": %s", &cues->ctx->load.path,
                      cues->make.error);

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_media_vod_validate(r, cues->ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->allow_ranges = 1;
    r->single_range = 1;

    return ngx_http_media_bytes_send(r, cues->make.data, cues->make.len);
}


static void
ngx_http_media_vod_cues_free(void *data)
{
    ngx_http_media_vod_cues_t *cues = data;

    free(cues->make.data);
}


/* a name with a tag never means other bytes */

static ngx_int_t
ngx_http_media_vod_validate(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx)
{
    if (ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_VOD_LIFETIME, 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_media_etag(r, "%08xD-%V-%uL", ctx->url.tag,
                               &ctx->url.folder, ctx->url.number);
}


static ngx_int_t
ngx_http_media_vod_missing(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_int_t rc)
{
    if (rc != NGX_DECLINED && rc != NGX_AGAIN) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_media_vod_again(r, ctx);

    if (rc == NGX_DECLINED) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    return rc;
}
