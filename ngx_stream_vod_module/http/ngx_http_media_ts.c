
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MPEG-TS of a live stream: the frames of the store, muxed as the client
 * takes them.  Segments are those of CMAF, with the same numbers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media_track_frames.h"
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_frames.h"


/* room for a validator */
#define NGX_HTTP_MEDIA_TS_TAG_LEN  (3 * NGX_INT64_LEN)

/* video and audio */
#define NGX_HTTP_MEDIA_TS_TRACKS   2


static ngx_int_t ngx_http_media_ts_track(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_media_track_ref_t *track,
    ngx_media_segment_t *segment, ngx_media_frames_t *frames);


ngx_int_t
ngx_http_media_ts_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    u_char                  buf[NGX_HTTP_MEDIA_TS_TAG_LEN];
    uint64_t                bytes, duration;
    ngx_int_t               rc;
    ngx_str_t               tag;
    ngx_uint_t              i, n;
    ngx_media_frames_t     *frames;
    ngx_media_segment_t     segment;
    ngx_media_track_ref_t  *tracks[NGX_HTTP_MEDIA_TS_TRACKS];

    frames = ngx_palloc(r->pool, NGX_HTTP_MEDIA_TS_TRACKS
                                 * sizeof(ngx_media_frames_t));
    if (frames == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tracks[0] = &ctx->track;
    tracks[1] = &ctx->second;

    bytes = 0;
    duration = 0;
    n = 0;

    for (i = 0; i < NGX_HTTP_MEDIA_TS_TRACKS; i++) {

        if (tracks[i]->track == NGX_MEDIA_NO_TRACK) {
            continue;
        }

        rc = ngx_http_media_ts_track(r, ctx, tracks[i], &segment, &frames[n]);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc == NGX_OK) {

            if (i == 0) {
                duration = segment.duration;
            }

            bytes += segment.bytes;
            n++;
            continue;
        }

        /* a track that is shorter than the other has nothing there */

        if (rc != NGX_DECLINED || n == 0) {
            return ngx_http_media_missing(r, ctx, rc);
        }
    }

    tag.data = buf;
    tag.len = ngx_sprintf(buf, "ts-%uL-%uL", ctx->url.number, bytes) - buf;

    if (ngx_http_media_validate(r, ctx, &tag, segment.wall) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_media_limit(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_media_watch(r, ctx, duration, 0);

    return ngx_http_media_frames_ts(r, frames, n, ctx->url.number, NULL);
}


/* answers are those of the store */

static ngx_int_t
ngx_http_media_ts_track(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_media_track_ref_t *track, ngx_media_segment_t *segment,
    ngx_media_frames_t *frames)
{
    ngx_int_t  rc;

    rc = ngx_media_ref_look(track);

    if (rc == NGX_OK) {
        rc = ngx_media_ref_segment(track, ctx->url.number, segment);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (segment->open) {
        return NGX_AGAIN;
    }

    rc = ngx_http_media_pin(r, ctx, segment->ranges, segment->nranges);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_media_track_frames(track, segment, r->pool, frames);
}
