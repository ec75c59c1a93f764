
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The newest key frame of a live stream, as a picture.  Its bytes are read
 * from the arena's file in a thread, pinned meanwhile by the request that
 * makes the picture for all that wait for it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media_track_key.h"
#include "files/ngx_media_vod_picture.h"
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_heavy.h"
#include "http/ngx_http_media_picture.h"
#include "vod/ngx_media_vod_thumb.h"


#if (NGX_MEDIA_HAVE_AV)

/* how often another key frame is looked for, as one leaves meanwhile */
#define NGX_HTTP_MEDIA_THUMB_TRIES  3

#define NGX_HTTP_MEDIA_THUMB_ERROR  160
#define NGX_HTTP_MEDIA_THUMB_TAG    (3 * NGX_INT64_LEN + NGX_INT32_LEN)


/* of what the picture is made */

typedef struct {
    ngx_media_track_ref_t     track;
    ngx_media_track_key_t     key;
    ngx_media_params_t       *params;
    ngx_media_vod_shape_t     shape;
    uint32_t                  width;          /* of the picture, at most */
} ngx_http_media_thumb_video_t;


/* who makes it */

typedef struct {
    ngx_http_media_ctx_t     *ctx;
    ngx_http_media_picture_t *picture;
    ngx_http_media_thumb_video_t  video;
    ngx_fd_t                  fd;
    ngx_media_index_sample_t  sample;
    u_char                   *data;           /* by malloc(); NULL: failed */
    size_t                    len;
    unsigned                  ran:1;          /* the thread has done it */
    unsigned                  told:1;
    u_char                    error[NGX_HTTP_MEDIA_THUMB_ERROR];
} ngx_http_media_thumb_t;


static ngx_int_t ngx_http_media_thumb_video(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_http_media_thumb_video_t *video,
    ngx_uint_t *waits);
static ngx_int_t ngx_http_media_thumb_track(ngx_media_track_ref_t *ref,
    ngx_media_params_t *params, ngx_http_media_thumb_video_t *video);
static uint32_t ngx_http_media_thumb_width(
    const ngx_media_vod_shape_t *shape, uint32_t max);
static ngx_int_t ngx_http_media_thumb_get(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_http_media_thumb_video_t *video);
static ngx_int_t ngx_http_media_thumb_make(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, ngx_http_media_picture_t *picture,
    ngx_http_media_thumb_video_t *video);
static void ngx_http_media_thumb_run(void *data);
static ngx_int_t ngx_http_media_thumb_done(ngx_http_request_t *r,
    void *data);
static void ngx_http_media_thumb_tell(ngx_http_media_thumb_t *thumb);
static void ngx_http_media_thumb_cleanup(void *data);
static ngx_int_t ngx_http_media_thumb_made(ngx_http_request_t *r,
    ngx_http_media_picture_t *picture, void *data);
static ngx_int_t ngx_http_media_thumb_head(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx, const ngx_http_media_picture_key_t *key);
static ngx_uint_t ngx_http_media_thumb_is_known(ngx_http_request_t *r,
    const ngx_http_media_picture_key_t *key);
static size_t ngx_http_media_thumb_tag(u_char *p,
    const ngx_http_media_picture_key_t *key);


ngx_int_t
ngx_http_media_thumb_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, waits;
    ngx_http_media_thumb_video_t  video;

    for (i = 0; i < NGX_HTTP_MEDIA_THUMB_TRIES; i++) {
        rc = ngx_http_media_thumb_video(r, ctx, &video, &waits);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc != NGX_OK) {

            if (!waits) {
                return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
            }

            if (!ctx->timedout) {
                return NGX_HTTP_MEDIA_WAIT;
            }

            break;
        }

        rc = ngx_http_media_thumb_get(r, ctx, &video);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                 NGX_HTTP_MEDIA_NO_STORE);
}


/*
 * Of several the smallest that is as wide as it will be shown, or the widest;
 * not those of which nothing comes while others go on.  NGX_DECLINED: there is
 * none; *waits: it may still come.
 */

static ngx_int_t
ngx_http_media_thumb_video(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_http_media_thumb_video_t *video, ngx_uint_t *waits)
{
    uint32_t                       found, max, w;
    ngx_int_t                      rc;
    ngx_uint_t                     any, i, over;
    ngx_media_params_t            *params;
    ngx_media_track_view_t        *track;
    ngx_media_stream_view_t        view;
    ngx_http_media_thumb_video_t   one;

    rc = ngx_media_stream_view(&ctx->stream, r->pool, NGX_MEDIA_NO_TRACK,
                               &view);

    *waits = 0;

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_DECLINED : rc;
    }

    params = ngx_palloc(r->pool, 2 * sizeof(ngx_media_params_t));
    if (params == NULL) {
        return NGX_ERROR;
    }

    max = ctx->url.width ? ctx->url.width : NGX_MEDIA_VOD_THUMB_WIDTH;
    max = ngx_max(max, NGX_MEDIA_VOD_THUMB_MIN);
    max = ngx_min(max, NGX_MEDIA_VOD_THUMB_MAX);

    any = 0;
    found = 0;

    for (over = 0; over < 2 && found == 0; over++) {

        for (i = 0; i < view.ntracks; i++) {
            track = &view.tracks[i];

            if (track->type != NGX_MEDIA_VIDEO
                || (track->ended || track->away) != over)
            {
                continue;
            }

            any = 1;

            if (ngx_media_track_ref(&ctx->stream, track->index, &one.track)
                != NGX_OK
                || ngx_http_media_thumb_track(&one.track, params, &one)
                   != NGX_OK)
            {
                continue;
            }

            w = ngx_http_media_thumb_width(&one.shape, UINT16_MAX);

            if (found && (found >= max ? (w < max || w >= found)
                                       : w <= found))
            {
                continue;
            }

            found = w;

            *video = one;
            video->params = params + 1;
            video->width = ngx_http_media_thumb_width(&one.shape, max);

            ngx_media_params_copy(params + 1, params);
        }
    }

    if (found) {
        return NGX_OK;
    }

    *waits = (view.state == NGX_MEDIA_STREAM_LIVE && (any || !view.ready));

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_media_thumb_track(ngx_media_track_ref_t *ref,
    ngx_media_params_t *params, ngx_http_media_thumb_video_t *video)
{
    ngx_int_t  rc;

    rc = ngx_media_ref_look(ref);

    if (rc == NGX_OK) {
        rc = ngx_media_track_key(ref, &video->key);
    }

    if (rc == NGX_OK) {
        rc = ngx_media_ref_init_params(ref, video->key.init, params);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    video->shape.width = params->width;
    video->shape.height = params->height;
    video->shape.sar_num = params->sar_num;
    video->shape.sar_den = params->sar_den;
    video->shape.rotation = params->rotation;

    return (params->width && params->height) ? NGX_OK : NGX_DECLINED;
}


/* what is asked for differs more than what there is to show */

static uint32_t
ngx_http_media_thumb_width(const ngx_media_vod_shape_t *shape, uint32_t max)
{
    uint32_t  height, width;

    ngx_media_vod_picture_size(shape, max & ~1u, NGX_MEDIA_VOD_SHEET_MAX,
                               &width, &height);

    return width;
}


/* NGX_DECLINED: it has gone meanwhile */

static ngx_int_t
ngx_http_media_thumb_get(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_http_media_thumb_video_t *video)
{
    ngx_int_t                      rc;
    ngx_uint_t                     new;
    ngx_http_media_picture_t      *picture;
    ngx_http_media_picture_key_t   key;

    ngx_memzero(&key, sizeof(ngx_http_media_picture_key_t));

    key.owner = ctx->stream.sh;
    key.id = ctx->stream.id;
    key.track = video->track.track;
    key.number = video->key.number;
    key.part = video->key.part;
    key.width = video->width;

    if (ngx_http_media_thumb_is_known(r, &key)) {

        if (ngx_http_media_thumb_head(r, ctx, &key) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        /* which becomes 304 */

        r->headers_out.status = NGX_HTTP_OK;

        return ngx_http_send_header(r);
    }

    picture = ngx_http_media_picture_get(r, &key, &new);

    if (picture == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!new) {

        if (picture->state == NGX_HTTP_MEDIA_PICTURE_MAKING) {
            return ngx_http_media_picture_wait(r, picture,
                                               ngx_http_media_thumb_made,
                                               ctx);
        }

        return ngx_http_media_thumb_made(r, picture, ctx);
    }

    rc = ngx_http_media_thumb_make(r, ctx, picture, video);

    if (rc != NGX_DONE) {
        ngx_http_media_picture_done(picture, NGX_HTTP_MEDIA_PICTURE_LEFT,
                                    NULL, 0);
    }

    return rc;
}


static ngx_int_t
ngx_http_media_thumb_make(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    ngx_http_media_picture_t *picture, ngx_http_media_thumb_video_t *video)
{
    ngx_int_t                rc;
    ngx_pool_cleanup_t      *cln;
    ngx_http_media_thumb_t  *thumb;

    rc = ngx_http_media_pin(r, ctx, &video->key.range, 1);

    if (rc != NGX_OK) {

        /* NGX_BUSY: this process cannot hold it while it is read */

        return (rc == NGX_DONE) ? NGX_DECLINED
               : (rc == NGX_BUSY)
                 ? ngx_http_media_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                         NGX_HTTP_MEDIA_NO_STORE)
                 : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_thumb_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    thumb = cln->data;

    ngx_memzero(thumb, sizeof(ngx_http_media_thumb_t));

    thumb->ctx = ctx;
    thumb->picture = picture;
    thumb->video = *video;
    thumb->fd = ngx_media_arena_fd(ctx->stream.zone);

    if (ngx_media_track_key_bytes(&ctx->stream, &video->key,
                                  &thumb->sample.offset, &thumb->sample.size)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "media live picture: part %uL.%uD has no key frame",
                      video->key.number, video->key.part);

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    thumb->sample.key = 1;

    rc = ngx_http_media_heavy(r, ngx_http_media_threads(r),
                              ngx_http_media_thumb_run,
                              ngx_http_media_thumb_done, thumb);

    if (rc == NGX_DONE) {
        cln->handler = ngx_http_media_thumb_cleanup;
    }

    return rc;
}


static void
ngx_http_media_thumb_run(void *data)
{
    ngx_http_media_thumb_t *thumb = data;

    const char               *error;
    ngx_media_vod_shape_t     shape;
    ngx_media_vod_decoder_t  *decoder;

    shape = thumb->video.shape;

    decoder = ngx_media_vod_decoder_open(thumb->video.params, thumb->fd,
                                         &error);

    if (decoder) {

        if (ngx_media_vod_decoder_sample(decoder, &thumb->sample, 1) == NGX_OK
            && ngx_media_vod_decoder_finish(decoder) == NGX_OK
            && ngx_media_vod_decoder_jpeg(decoder, &shape, thumb->video.width,
                                          NGX_MEDIA_VOD_SHEET_MAX,
                                          &thumb->data, &thumb->len)
               == NGX_OK)
        {
            error = NULL;

        } else {
            error = ngx_media_vod_decoder_error(decoder);
        }
    }

    if (error) {
        (void) ngx_cpystrn(thumb->error, (u_char *) error,
                           NGX_HTTP_MEDIA_THUMB_ERROR);
    }

    ngx_media_vod_decoder_close(decoder);

    thumb->ran = 1;
}


static ngx_int_t
ngx_http_media_thumb_done(ngx_http_request_t *r, void *data)
{
    ngx_http_media_thumb_t *thumb = data;

    if (thumb->error[0]) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "media live picture: key frame of %uL.%uD: %s",
                      thumb->video.key.number, thumb->video.key.part,
                      thumb->error);
    }

    ngx_http_media_thumb_tell(thumb);

    return ngx_http_media_thumb_made(r, thumb->picture, thumb->ctx);
}


/* others may wait for it, also when this request has ended */

static void
ngx_http_media_thumb_tell(ngx_http_media_thumb_t *thumb)
{
    ngx_http_media_picture_state_e  state;

    if (thumb->told) {
        return;
    }

    thumb->told = 1;

    state = !thumb->ran ? NGX_HTTP_MEDIA_PICTURE_LEFT
            : thumb->data ? NGX_HTTP_MEDIA_PICTURE_READY
                          : NGX_HTTP_MEDIA_PICTURE_FAILED;

    ngx_http_media_picture_done(thumb->picture, state, thumb->data,
                                thumb->len);
}


static void
ngx_http_media_thumb_cleanup(void *data)
{
    ngx_http_media_thumb_t *thumb = data;

    ngx_http_media_thumb_tell(thumb);
}


static ngx_int_t
ngx_http_media_thumb_made(ngx_http_request_t *r,
    ngx_http_media_picture_t *picture, void *data)
{
    ngx_http_media_ctx_t *ctx = data;

    switch (picture->state) {

    case NGX_HTTP_MEDIA_PICTURE_READY:

        if (ngx_http_media_thumb_head(r, ctx, &picture->key) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        r->allow_ranges = 1;
        r->single_range = 1;

        return ngx_http_media_bytes_send(r, picture->data, picture->len);

    case NGX_HTTP_MEDIA_PICTURE_FAILED:
        return ngx_http_media_refuse(r, NGX_HTTP_INTERNAL_SERVER_ERROR, 1);

    default: /* NGX_HTTP_MEDIA_PICTURE_LEFT */

        /* who was about to make it has gone, so it is this one's turn */

        ctx->timedout = 1;

        return ngx_http_media_thumb_handler(r, ctx);
    }
}


/* newer ones come once in a segment, more or less */

static ngx_int_t
ngx_http_media_thumb_head(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx,
    const ngx_http_media_picture_key_t *key)
{
    u_char     buf[NGX_HTTP_MEDIA_THUMB_TAG];
    time_t     lifetime;
    ngx_str_t  tag;

    lifetime = (time_t) (ctx->app->segment / 1000);

    if (ngx_http_media_cache_control(r, ngx_max(lifetime, 1), 0) != NGX_OK) {
        return NGX_ERROR;
    }

    tag.data = buf;
    tag.len = ngx_http_media_thumb_tag(buf, key);

    return ngx_http_media_etag(r, "%V", &tag);
}


/*
 * The client has it, and need not wait until it is made.  What it sends is
 * what it was sent, a single validator; all else is left to nginx.
 */

static ngx_uint_t
ngx_http_media_thumb_is_known(ngx_http_request_t *r,
    const ngx_http_media_picture_key_t *key)
{
    size_t      len;
    u_char      buf[NGX_HTTP_MEDIA_THUMB_TAG];
    ngx_str_t  *value;

    if (r != r->main || r->headers_in.if_none_match == NULL
        || r->headers_in.if_modified_since)
    {
        return 0;
    }

    value = &r->headers_in.if_none_match->value;
    len = ngx_http_media_thumb_tag(buf, key);

    return value->len == len + 2
           && value->data[0] == '"'
           && ngx_memcmp(value->data + 1, buf, len) == 0
           && value->data[len + 1] == '"';
}


/* the JPEG is the same in all processes */

static size_t
ngx_http_media_thumb_tag(u_char *p, const ngx_http_media_picture_key_t *key)
{
    return ngx_sprintf(p, "%uL-%uL.%uD-%uD", key->track, key->number,
                       key->part, key->width)
           - p;
}

#else

ngx_int_t
ngx_http_media_thumb_handler(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)
{
    return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, ctx->app->target);
}

#endif
