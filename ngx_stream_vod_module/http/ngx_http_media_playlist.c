
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Playlists and manifests.  Delivery directives are those of RFC 8216bis,
 * 6.2.5: a request may ask to be answered only when a part or segment is
 * listed, and for a delta update.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "formats/ngx_media_text.h"
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_text.h"
#include "packager/ngx_media_pack.h"
#include "transcode/ngx_media_transcode.h"


/* 6.2.5.2: how far ahead a request may ask */
#define NGX_HTTP_MEDIA_AHEAD     2            /* segments */

/* lifetimes in target durations (B.1) */
#define NGX_HTTP_MEDIA_BLOCKED   6
#define NGX_HTTP_MEDIA_REFUSED   4

/* without so many whole segments Chromium's own player gives up */
#define NGX_HTTP_MEDIA_BROWSER   3


static ngx_int_t ngx_http_media_directives(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static ngx_int_t ngx_http_media_directive(ngx_http_request_t *r,
    const char *name, size_t len, uint64_t *value);
static ngx_int_t ngx_http_media_ahead(ngx_http_media_ctx_t *ctx,
    const ngx_media_edge_t *edge);
static ngx_uint_t ngx_http_media_reached(ngx_http_media_ctx_t *ctx,
    const ngx_media_edge_t *edge);
static ngx_uint_t ngx_http_media_early(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, const ngx_media_edge_t *edge);
static ngx_int_t ngx_http_media_playlist_send(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_http_media_text_t *text);
static time_t ngx_http_media_playlist_lifetime(ngx_http_media_ctx_t *ctx,
    ngx_http_media_text_t *text);
static ngx_int_t ngx_http_media_live_text(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_http_media_text_t **text);
static ngx_int_t ngx_http_media_live_render(ngx_pool_t *pool,
    const ngx_http_media_text_key_t *key, void *data,
    ngx_media_stream_view_t *view, ngx_str_t *bytes);
static void ngx_http_media_unlist(const ngx_http_media_ctx_t *ctx,
    ngx_media_stream_view_t *view);
static ngx_uint_t ngx_http_media_live_asked(ngx_http_media_ctx_t *ctx,
    const ngx_media_stream_view_t *view);


static ngx_str_t  ngx_http_media_time_url = ngx_string("time.txt");


ngx_int_t
ngx_http_media_playlist_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx)
{
    ngx_int_t               rc;
    ngx_media_edge_t        edge;
    ngx_http_media_text_t  *text;

    rc = ngx_media_ref_look(&ctx->track);

    if (rc != NGX_OK) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    ngx_media_ref_edge(&ctx->track, &edge);

    if (edge.state == NGX_MEDIA_STREAM_ENDED) {
        edge.ended = 1;
    }

    rc = ngx_http_media_directives(r, ctx);

    /* 6.2.5: they are ignored once the playlist has ended */

    if (edge.ended) {
        ctx->block = 0;
        ctx->skip = 0;

    } else if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->block) {

        if (edge.any && ngx_http_media_ahead(ctx, &edge) != NGX_OK) {
            return ngx_http_media_refuse(r, NGX_HTTP_BAD_REQUEST, 1);
        }

        if (!ngx_http_media_reached(ctx, &edge)) {
            goto later;
        }
    }

    rc = ngx_http_media_live_text(r, ctx, &text);

    if (rc == NGX_OK) {

        if (ctx->block ? ngx_http_media_reached(ctx, &text->edge)
                       : !ngx_http_media_early(r, ctx, &text->edge))
        {
            return ngx_http_media_playlist_send(r, ctx, text);
        }

        /* rendered a moment before the edge moved, or too early */

        ngx_http_media_text_release(text);
        goto later;
    }

    if (rc == NGX_AGAIN) {

        if (ngx_http_media_is_live(&edge)) {
            goto later;
        }

        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    if (rc == NGX_DONE || rc == NGX_DECLINED) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;

later:

    /* in its grace time a stream may still go on: the request waits */

    if (ctx->timedout) {
        return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_HTTP_MEDIA_NO_STORE);
    }

    return NGX_HTTP_MEDIA_WAIT;
}


/* the multivariant playlist and the MPD */

ngx_int_t
ngx_http_media_manifest_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx)
{
    time_t                  lifetime;
    ngx_int_t               rc;
    ngx_http_media_text_t  *text;

    rc = ngx_http_media_live_text(r, ctx, &text);

    if (rc == NGX_OK) {
        lifetime = (ctx->url.kind->flags & NGX_HTTP_MEDIA_KIND_FRESH)
                   ? 1 : ctx->app->target;

        return ngx_http_media_text_send(r, text, lifetime);
    }

    if (rc == NGX_AGAIN) {

        if (ctx->timedout) {
            return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                         NGX_HTTP_MEDIA_NO_STORE);
        }

        return NGX_HTTP_MEDIA_WAIT;
    }

    if (rc == NGX_DONE) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_media_live_text(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_http_media_text_t **text)
{
    uint64_t                   version;
    ngx_http_media_text_key_t  key;

    version = ngx_media_stream_version(&ctx->stream);

    if (version == 0) {
        return NGX_DONE;
    }

    key.owner = ctx->stream.sh;
    key.id = ctx->stream.id;
    key.kind = ctx->url.kind;
    key.track = ctx->track.track;
    key.second = ctx->second.track;
    key.skip = ctx->skip;

    return ngx_http_media_text_get(&key, version, ngx_http_media_live_render,
                                   ctx, r->connection->log, text);
}


static ngx_int_t
ngx_http_media_live_render(ngx_pool_t *pool,
    const ngx_http_media_text_key_t *key, void *data,
    ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    ngx_http_media_ctx_t *ctx = data;

    ngx_int_t                  rc;
    ngx_http_media_text_key_t  place;

    rc = ngx_media_stream_view(&ctx->stream, pool, NGX_MEDIA_ALL_TRACKS,
                               view);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_media_unlist(ctx, view);

    if (key->kind->flags & NGX_HTTP_MEDIA_KIND_TS) {
        ngx_media_pack_only(view, NGX_MEDIA_PACK_HLS_TS);

        if (ngx_http_media_live_asked(ctx, view)) {
            return NGX_AGAIN;
        }

    } else {
        ngx_media_pack_only(view, NGX_MEDIA_IN_CMAF);
    }

    /* the packager counts tracks as the view does */

    place = *key;
    place.track = ngx_http_media_text_place(view, key->track);
    place.second = ngx_http_media_text_place(view, key->second);

    if ((ctx->url.track.len && place.track == view->ntracks)
        || (ctx->url.second.len && place.second == view->ntracks))
    {
        /* it has ended, and gone */
        return NGX_DONE;
    }

    return key->kind->render(pool, &ctx->url, &place, view, bytes);
}


/*
 * "source off" of a ladder: its video is no variant as long as there are rungs;
 * its own playlist goes on, for those who began before there were any.
 */

static void
ngx_http_media_unlist(const ngx_http_media_ctx_t *ctx,
    ngx_media_stream_view_t *view)
{
    ngx_uint_t               i, rungs;
    ngx_media_track_view_t  *track;

    rungs = 0;

    for (i = 0; i < view->ntracks; i++) {
        track = &view->tracks[i];

        rungs += track->type == NGX_MEDIA_VIDEO && track->derived
                 && track->edge_any
                 && (view->state == NGX_MEDIA_STREAM_ENDED
                     || (!track->ended && !track->away));
    }

    if (rungs == 0
        || ngx_media_transcode_source(ctx->app, &ctx->url.name))
    {
        return;
    }

    for (i = 0; i < view->ntracks; i++) {
        track = &view->tracks[i];

        track->unlisted = track->type == NGX_MEDIA_VIDEO && !track->derived;
    }
}


/*
 * Audio that MPEG-TS carries is about to be made of a stream that has only
 * other: a player that is sent to one without stays there.  Not for longer than
 * it may wait: then it is told of what there is.
 */

static ngx_uint_t
ngx_http_media_live_asked(ngx_http_media_ctx_t *ctx,
    const ngx_media_stream_view_t *view)
{
    uint64_t    newest;
    ngx_uint_t  audio, i;

    if (!(view->offers & 1 << NGX_MEDIA_ASK_TS) || ctx->timedout
        || ctx->url.track.len || view->state != NGX_MEDIA_STREAM_LIVE)
    {
        return 0;
    }

    audio = 0;
    newest = (view->clock < view->ntracks)
             ? view->tracks[view->clock].edge_msn : 0;

    for (i = 0; i < view->ntracks; i++) {

        if (view->tracks[i].type != NGX_MEDIA_AUDIO || view->tracks[i].ended) {
            continue;
        }

        audio = 1;

        /* one that was made before goes on some segments later */

        if (view->tracks[i].nsegments
            && !view->tracks[i].away
            && view->tracks[i].edge_msn + 1 >= newest
            && ngx_media_pack_allowed(&view->tracks[i],
                                      NGX_MEDIA_PACK_HLS_TS))
        {
            return 0;
        }
    }

    return audio;
}


ngx_int_t
ngx_http_media_render_multi(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    return ngx_media_hls_multi(pool, view, bytes);
}


ngx_int_t
ngx_http_media_render_media(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    return ngx_media_hls_media(pool, view, key->track, key->skip, bytes);
}


ngx_int_t
ngx_http_media_render_iframes(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    return ngx_media_hls_iframes(pool, view, key->track, key->skip,
                                 bytes);
}


ngx_int_t
ngx_http_media_render_mpd(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    return ngx_media_dash_mpd(pool, view, &ngx_http_media_time_url, bytes);
}


ngx_int_t
ngx_http_media_render_ts_multi(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    return ngx_media_hls_ts_multi(pool, view, bytes);
}


ngx_int_t
ngx_http_media_render_ts_media(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    return ngx_media_hls_ts_media(pool, view, &url->folder, key->track,
                                  key->second, 0, bytes);
}


ngx_int_t
ngx_http_media_render_ts_iframes(ngx_pool_t *pool,
    const ngx_http_media_url_t *url, const ngx_http_media_text_key_t *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes)
{
    return ngx_media_hls_ts_media(pool, view, &url->folder, key->track,
                                  NGX_MEDIA_NO_TRACK, 1, bytes);
}


/* UTCTiming, urn:mpeg:dash:utc:http-iso:2014 */

ngx_int_t
ngx_http_media_time_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    return ngx_http_media_time_send(r, 0);
}


ngx_int_t
ngx_http_media_time_send(ngx_http_request_t *r, int64_t offset)
{
    u_char            *p;
    ngx_media_text_t   text;

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN * 2);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_time_update();

    ngx_media_text_init(&text, p, NGX_TIME_T_LEN * 2);
    ngx_media_text_date(&text, ngx_media_wall_msec() + offset);

    if (ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_bytes_send(r, p, text.total);
}


static ngx_int_t
ngx_http_media_directives(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    time_t     lifetime;
    ngx_int_t  msn, part;
    ngx_str_t  value;

    if (ctx->parsed || r->args.len == 0) {
        return NGX_OK;
    }

    msn = ngx_http_media_directive(r, "_HLS_msn", 8, &ctx->msn);
    part = ngx_http_media_directive(r, "_HLS_part", 9, &ctx->part);

    /* 6.2.5.2: _HLS_part without _HLS_msn is an error */

    if (msn == NGX_ERROR || part == NGX_ERROR
        || (part == NGX_OK && msn != NGX_OK))
    {
        lifetime = ctx->app->target * NGX_HTTP_MEDIA_REFUSED;

        return ngx_http_media_refuse(r, NGX_HTTP_BAD_REQUEST, lifetime);
    }

    ctx->block = (msn == NGX_OK);
    ctx->whole = (part != NGX_OK
                  || (ctx->url.kind->flags & NGX_HTTP_MEDIA_KIND_WHOLE));

    if (ngx_http_arg(r, (u_char *) "_HLS_skip", 9, &value) == NGX_OK
        && ((value.len == 3 && ngx_memcmp(value.data, "YES", 3) == 0)
            || (value.len == 2 && ngx_memcmp(value.data, "v2", 2) == 0)))
    {
        ctx->skip = 1;
    }

    ctx->parsed = 1;

    return NGX_OK;
}


/* a decimal number; NGX_DECLINED: it is not there */

static ngx_int_t
ngx_http_media_directive(ngx_http_request_t *r, const char *name, size_t len,
    uint64_t *value)
{
    off_t      n;
    ngx_str_t  arg;

    if (ngx_http_arg(r, (u_char *) name, len, &arg) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = ngx_atoof(arg.data, arg.len);

    if (n == NGX_ERROR) {
        return NGX_ERROR;
    }

    *value = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_ahead(ngx_http_media_ctx_t *ctx, const ngx_media_edge_t *edge)
{
    uint64_t  limit;

    if (ctx->msn > edge->msn + NGX_HTTP_MEDIA_AHEAD) {
        return NGX_ERROR;
    }

    if (ctx->whole || ctx->msn < edge->msn) {
        return NGX_OK;
    }

    limit = ngx_http_media_advance(ctx->app);

    if (ctx->msn == edge->msn) {
        limit += edge->part;
    }

    return ctx->part > limit ? NGX_ERROR : NGX_OK;
}


/*
 * Is what the request asked for listed?  A part beyond the last one of its
 * segment means the first of the next, which comes at the same moment.
 */

static ngx_uint_t
ngx_http_media_reached(ngx_http_media_ctx_t *ctx,
    const ngx_media_edge_t *edge)
{
    if (!edge->any) {
        return 0;
    }

    if (ctx->whole) {
        return edge->closed > ctx->msn;
    }

    return edge->msn > ctx->msn
           || (edge->msn == ctx->msn && edge->part >= ctx->part);
}


/*
 * The HLS player of Chromium ends with an error where its queue, the newest
 * three segments, is empty before it plays.  It is known by what only a
 * browser's own player says of itself (Fetch Metadata, Sec-Fetch-Dest), and
 * waits; the text is that of all others, and may be cached with theirs.
 */

static ngx_uint_t
ngx_http_media_early(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    const ngx_media_edge_t *edge)
{
    ngx_table_elt_t  *dest;

    if (edge->whole >= NGX_HTTP_MEDIA_BROWSER || ctx->timedout
        || r != r->main || !ngx_http_media_is_live(edge))
    {
        return 0;
    }

    dest = ngx_http_media_request_header(r, "Sec-Fetch-Dest", 14);

    if (dest == NULL || dest->value.len != 5
        || (ngx_strncmp(dest->value.data, "video", 5) != 0
            && ngx_strncmp(dest->value.data, "audio", 5) != 0))
    {
        return 0;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media: a browser's player waits, %ui whole",
                   edge->whole);

    return 1;
}


static ngx_int_t
ngx_http_media_playlist_send(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_http_media_text_t *text)
{
    return ngx_http_media_text_send(r, text,
                                    ngx_http_media_playlist_lifetime(ctx,
                                                                     text));
}


static time_t
ngx_http_media_playlist_lifetime(ngx_http_media_ctx_t *ctx,
    ngx_http_media_text_t *text)
{
    time_t  half;

    if (ctx->block) {
        return ctx->app->target * NGX_HTTP_MEDIA_BLOCKED;
    }

    half = ctx->app->target / 2;

    /* with parts it is old after one of them; a second is the least */

    if (half == 0 || (ctx->app->part_target && !text->edge.ended)) {
        return 1;
    }

    return half;
}
