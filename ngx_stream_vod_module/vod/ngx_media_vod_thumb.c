
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_picture.h"
#include "formats/ngx_media_codec.h"
#include "vod/ngx_media_vod_set_make.h"
#include "vod/ngx_media_vod_thumb.h"

#include <stdio.h>
#include <stdlib.h>


/*
 * What is decoded for one picture: frames, bytes, pixels of all frames.  If
 * that is not enough, it is the key frame before it.
 */
#define NGX_MEDIA_VOD_THUMB_FRAMES   300
#define NGX_MEDIA_VOD_THUMB_BYTES    (32 * 1024 * 1024)
#define NGX_MEDIA_VOD_THUMB_PIXELS   ((uint64_t) 300 * 3840 * 2160)

/* frames, in decode order, that are looked at */
#define NGX_MEDIA_VOD_THUMB_AHEAD    (NGX_MEDIA_VOD_THUMB_FRAMES + 64)

/* of a set, on all its sheets */
#define NGX_MEDIA_VOD_THUMB_COUNT    100000

/* bytes of a cue of thumbs.vtt: two times, a name, a place */
#define NGX_MEDIA_VOD_THUMB_CUE      160


#if (NGX_MEDIA_HAVE_AV)

/* one track in one clip */

typedef struct {
    ngx_uint_t                clip;
    const ngx_media_vod_open_t *open;
    const ngx_media_vod_track_t *track;
    const ngx_media_index_t  *index;
    const ngx_media_params_t *params;         /* the usual ones */
    ngx_media_vod_shape_t     shape;
} ngx_media_vod_video_t;


/* who draws a sheet: decoders and pictures are used again */

typedef struct {
    ngx_media_vod_thumb_make_t *make;
    ngx_media_vod_video_t     video;
    ngx_media_vod_decoder_t  *decoder;
    const ngx_media_params_t *params;         /* it is of these, */
    ngx_fd_t                  fd;             /* of this file, */
    uint32_t                  number;         /* and its picture is of this
                                                 sample */
    unsigned                  any:1;          /* it has one */
} ngx_media_vod_thumb_ctx_t;


static void ngx_media_vod_thumb_one(ngx_media_vod_thumb_ctx_t *ctx);
static void ngx_media_vod_thumb_sheet(ngx_media_vod_thumb_ctx_t *ctx);
static ngx_int_t ngx_media_vod_thumb_encode(ngx_media_vod_thumb_ctx_t *ctx,
    const ngx_media_vod_canvas_t *canvas);
static ngx_int_t ngx_media_vod_thumb_video(ngx_media_vod_video_t *video,
    const ngx_media_vod_source_t *source, int64_t time, uint32_t width,
    int64_t *ticks);
static ngx_int_t ngx_media_vod_thumb_track(ngx_media_vod_video_t *video,
    const ngx_media_vod_source_t *source, uint32_t period, uint32_t width);
static ngx_int_t ngx_media_vod_thumb_decode(ngx_media_vod_thumb_ctx_t *ctx,
    int64_t time, ngx_uint_t exact);
static ngx_int_t ngx_media_vod_thumb_count(ngx_media_vod_thumb_ctx_t *ctx,
    int64_t time, uint32_t *n);
static ngx_int_t ngx_media_vod_thumb_samples(ngx_media_vod_thumb_ctx_t *ctx,
    uint32_t first, uint32_t n);
static ngx_int_t ngx_media_vod_thumb_fail(ngx_media_vod_thumb_ctx_t *ctx,
    const char *text);
static uint32_t ngx_media_vod_thumb_pictures(
    const ngx_media_vod_source_t *source, const ngx_media_vod_sheet_t *sheet);
static ngx_int_t ngx_media_vod_thumb_field(
    const ngx_media_vod_source_t *source, const ngx_media_vod_sheet_t *sheet,
    uint32_t *width, uint32_t *height);
static u_char *ngx_media_vod_thumb_time(u_char *p, uint64_t msec);


void
ngx_media_vod_thumb_make(ngx_media_vod_thumb_make_t *make)
{
    ngx_media_vod_thumb_ctx_t  ctx;

    ngx_memzero(&ctx, sizeof(ngx_media_vod_thumb_ctx_t));

    ctx.make = make;

    make->status = 404;

    if (make->sheet) {
        ngx_media_vod_thumb_sheet(&ctx);

    } else {
        ngx_media_vod_thumb_one(&ctx);
    }

    ngx_media_vod_decoder_close(ctx.decoder);
}


static void
ngx_media_vod_thumb_one(ngx_media_vod_thumb_ctx_t *ctx)
{
    int64_t                      ticks;
    uint32_t                     max;
    ngx_media_vod_shape_t        shape;
    ngx_media_vod_thumb_make_t  *make;

    make = ctx->make;

    max = make->width ? make->width : NGX_MEDIA_VOD_THUMB_WIDTH;
    max = ngx_max(max, NGX_MEDIA_VOD_THUMB_MIN);
    max = ngx_min(max, NGX_MEDIA_VOD_THUMB_MAX);

    if (ngx_media_vod_thumb_video(&ctx->video, make->source, make->time, max,
                                  &ticks)
        != NGX_OK)
    {
        return;
    }

    if (ngx_media_vod_thumb_decode(ctx, ticks, 1) != NGX_OK) {
        return;
    }

    shape = ctx->video.shape;

    if (ngx_media_vod_decoder_jpeg(ctx->decoder, &shape, max & ~1u,
                                   NGX_MEDIA_VOD_SHEET_MAX, &make->data,
                                   &make->len)
        != NGX_OK)
    {
        (void) ngx_media_vod_thumb_fail(ctx,
                                   ngx_media_vod_decoder_error(ctx->decoder));
        return;
    }

    make->status = 200;
}


static void
ngx_media_vod_thumb_sheet(ngx_media_vod_thumb_ctx_t *ctx)
{
    int64_t                       ticks;
    uint32_t                      count, drawn, height, i, n, size, width;
    ngx_media_vod_shape_t         shape;
    ngx_media_vod_canvas_t        canvas;
    ngx_media_vod_thumb_make_t   *make;
    const ngx_media_vod_sheet_t  *sheet;

    make = ctx->make;
    sheet = make->sheet;
    size = sheet->tiles_x * sheet->tiles_y;
    count = ngx_media_vod_thumb_pictures(make->source, sheet);

    if (make->time < 0 || (uint64_t) make->time * size >= count
        || ngx_media_vod_thumb_field(make->source, sheet, &width, &height)
           != NGX_OK)
    {
        return;
    }

    if (ngx_media_vod_canvas_init(&canvas, width * sheet->tiles_x,
                                  height * sheet->tiles_y)
        != NGX_OK)
    {
        (void) ngx_media_vod_thumb_fail(ctx, "no memory");
        return;
    }

    drawn = 0;

    for (i = 0; i < size; i++) {
        n = (uint32_t) make->time * size + i;

        if (n >= count) {
            break;
        }

        if (ngx_media_vod_thumb_video(&ctx->video, make->source,
                                      (int64_t) n * sheet->interval, width,
                                      &ticks)
            != NGX_OK
            || ngx_media_vod_thumb_decode(ctx, ticks, 0) != NGX_OK)
        {
            continue;
        }

        shape = ctx->video.shape;

        ngx_media_vod_decoder_shape(ctx->decoder, &shape);

        if (ngx_media_vod_decoder_draw(ctx->decoder, &shape, &canvas,
                                       i % sheet->tiles_x * width,
                                       i / sheet->tiles_x * height,
                                       width, height)
            == NGX_OK)
        {
            drawn++;
        }
    }

    /* some that are missing are black, and said in the log */

    if (drawn) {
        (void) ngx_media_vod_thumb_encode(ctx, &canvas);
    }

    free(canvas.data);
}


static ngx_int_t
ngx_media_vod_thumb_encode(ngx_media_vod_thumb_ctx_t *ctx,
    const ngx_media_vod_canvas_t *canvas)
{
    ngx_media_vod_thumb_make_t  *make;

    make = ctx->make;

    if (ngx_media_vod_canvas_encode(canvas, &make->data, &make->len)
        != NGX_OK)
    {
        return ngx_media_vod_thumb_fail(ctx, "picture cannot be encoded");
    }

    make->status = 200;

    return NGX_OK;
}


/*
 * The video that shows at this time, in ms, and the time in its own scale;
 * NGX_DECLINED: there is none
 */

static ngx_int_t
ngx_media_vod_thumb_video(ngx_media_vod_video_t *video,
    const ngx_media_vod_source_t *source, int64_t time, uint32_t width,
    int64_t *ticks)
{
    uint32_t                         i;
    const ngx_media_plan_t          *plan;
    const ngx_media_vod_set_t       *set;
    const ngx_media_vod_period_t    *period;
    const ngx_media_vod_set_clip_t  *clip;

    set = source->set;

    if (source->map->live || time < 0 || time >= set->duration
        || set->nperiods == 0)
    {
        return NGX_DECLINED;
    }

    for (i = set->nperiods - 1; i > 0; i--) {
        if (ngx_media_vod_set_period_at(set, i)->start <= time) {
            break;
        }
    }

    if (ngx_media_vod_thumb_track(video, source, i, width) != NGX_OK) {
        return NGX_DECLINED;
    }

    period = ngx_media_vod_set_period_at(set, i);
    clip = ngx_media_vod_set_clip(set, i, video->clip);
    plan = ngx_media_vod_set_plan(set, clip);

    *ticks = plan->origin
             + ngx_media_plan_rescale(time - period->start, 1000,
                                      video->index->timescale);

    return NGX_OK;
}


/* the smallest that is as wide as it will be shown, or the widest */

static ngx_int_t
ngx_media_vod_thumb_track(ngx_media_vod_video_t *video,
    const ngx_media_vod_source_t *source, uint32_t period, uint32_t width)
{
    uint32_t                          i, found, h, w;
    ngx_media_vod_shape_t             shape;
    const ngx_media_params_t         *params;
    const ngx_media_vod_set_t        *set;
    const ngx_media_vod_open_t       *open;
    const ngx_media_vod_track_t      *t;
    const ngx_media_vod_set_clip_t   *clip;

    set = source->set;
    found = 0;

    for (i = 0; i < set->ntracks; i++) {
        clip = ngx_media_vod_set_clip(set, period, i);

        if (ngx_media_vod_set_track(set, i)->type != NGX_MEDIA_VIDEO
            || clip->track == NGX_MEDIA_VOD_NONE
            || ngx_media_vod_set_plan(set, clip)->last == 0)
        {
            continue;
        }

        open = &source->files[clip->file];
        t = &open->file->tracks[clip->track];
        params = ngx_media_vod_params(open->file, t, clip->description);

        if (params == NULL || params->width == 0 || params->height == 0) {
            continue;
        }

        shape.width = params->width;
        shape.height = params->height;
        shape.sar_num = params->sar_num;
        shape.sar_den = params->sar_den;
        shape.rotation = t->rotation;

        ngx_media_vod_picture_size(&shape, UINT16_MAX, UINT16_MAX, &w, &h);

        if (found && (found >= width ? (w < width || w >= found)
                                     : w <= found))
        {
            continue;
        }

        found = w;

        video->clip = i;
        video->open = open;
        video->track = t;
        video->index = ngx_media_vod_at(open->file, t->index);
        video->params = params;
        video->shape = shape;
    }

    return found ? NGX_OK : NGX_DECLINED;
}


/* the decoder has the picture of that time then, or the key frame before */

static ngx_int_t
ngx_media_vod_thumb_decode(ngx_media_vod_thumb_ctx_t *ctx, int64_t time,
    ngx_uint_t exact)
{
    uint32_t                  first, n;
    ngx_media_index_reader_t  reader;

    ngx_media_index_open(&reader, ctx->video.index);

    if (ngx_media_index_seek_key(&reader, time) != NGX_OK) {
        return ngx_media_vod_thumb_fail(ctx, "video has no key frame");
    }

    first = reader.number;
    n = 1;

    if (ctx->any && ctx->fd == ctx->video.open->fd && ctx->number == first
        && !exact)
    {
        return NGX_OK;
    }

    if (exact && ngx_media_vod_thumb_count(ctx, time, &n) != NGX_OK) {
        return ngx_media_vod_thumb_fail(ctx, "index is broken");
    }

    ctx->any = 0;

    if (ngx_media_vod_thumb_samples(ctx, first, n) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->any = 1;
    ctx->number = first;

    return NGX_OK;
}


/*
 * How many samples, from the key frame on, are decoded for what is shown at
 * this time; it is the last of them
 */

static ngx_int_t
ngx_media_vod_thumb_count(ngx_media_vod_thumb_ctx_t *ctx, int64_t time,
    uint32_t *n)
{
    int64_t                    best, pts;
    uint32_t                   delay, description, i;
    uint64_t                   bytes, pixels;
    ngx_int_t                  rc;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    delay = ngx_media_vod_delay(ctx->video.index);
    pixels = (uint64_t) ctx->video.shape.width * ctx->video.shape.height;

    ngx_media_index_open(&reader, ctx->video.index);

    if (ngx_media_index_seek_key(&reader, time) != NGX_OK) {
        return NGX_ERROR;
    }

    *n = 1;
    best = 0;
    bytes = 0;
    description = 0;

    for (i = 0; i < NGX_MEDIA_VOD_THUMB_AHEAD; i++) {
        rc = ngx_media_index_next(&reader, &sample);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DONE) {
            break;
        }

        pts = sample.dts + sample.cto;
        bytes += sample.size;

        if (i == 0) {
            best = pts;
            description = sample.description;
        }

        if (sample.description != description) {
            break;
        }

        if (i && pts <= time && pts > best) {
            best = pts;
            *n = i + 1;

            if (i >= NGX_MEDIA_VOD_THUMB_FRAMES
                || bytes > NGX_MEDIA_VOD_THUMB_BYTES
                || pixels * i > NGX_MEDIA_VOD_THUMB_PIXELS)
            {
                *n = 1;
                break;
            }
        }

        /* nothing that follows is shown before */

        if (sample.dts > time + delay) {
            break;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_thumb_samples(ngx_media_vod_thumb_ctx_t *ctx, uint32_t first,
    uint32_t n)
{
    uint32_t                   i;
    const char                *error;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;
    const ngx_media_params_t  *params;

    ngx_media_index_open(&reader, ctx->video.index);

    if (ngx_media_index_seek(&reader, first) != NGX_OK) {
        return ngx_media_vod_thumb_fail(ctx, "index is broken");
    }

    for (i = 0; i < n; i++) {

        if (ngx_media_index_next(&reader, &sample) != NGX_OK) {
            return ngx_media_vod_thumb_fail(ctx, "index is broken");
        }

        if (i == 0) {
            params = ngx_media_vod_params(ctx->video.open->file,
                                          ctx->video.track,
                                          sample.description);

            if (params == NULL) {
                return ngx_media_vod_thumb_fail(ctx, "codec is not served");
            }

            if (ctx->decoder
                && (ctx->params != params || ctx->fd != ctx->video.open->fd))
            {
                ngx_media_vod_decoder_close(ctx->decoder);
                ctx->decoder = NULL;
            }

            if (ctx->decoder == NULL) {
                ctx->params = params;
                ctx->fd = ctx->video.open->fd;
                ctx->decoder = ngx_media_vod_decoder_open(params, ctx->fd,
                                                          &error);
            }

            if (ctx->decoder == NULL) {
                return ngx_media_vod_thumb_fail(ctx, error);
            }
        }

        if (ngx_media_vod_decoder_sample(ctx->decoder, &sample, i == n - 1)
            != NGX_OK)
        {
            return ngx_media_vod_thumb_fail(ctx,
                                   ngx_media_vod_decoder_error(ctx->decoder));
        }
    }

    if (ngx_media_vod_decoder_finish(ctx->decoder) != NGX_OK) {
        return ngx_media_vod_thumb_fail(ctx,
                                   ngx_media_vod_decoder_error(ctx->decoder));
    }

    return NGX_OK;
}


/* what is said first stays */

static ngx_int_t
ngx_media_vod_thumb_fail(ngx_media_vod_thumb_ctx_t *ctx, const char *text)
{
    ngx_media_vod_thumb_make_t  *make;

    make = ctx->make;

    make->status = 500;

    if (make->error[0] == '\0') {
        (void) snprintf((char *) make->error, sizeof(make->error),
                        "\"%.160s\": %s",
                        ctx->video.open ? (char *) ctx->video.open->path.data
                                        : "",
                        text);
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_media_vod_thumbs(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet, ngx_pool_t *pool,
    ngx_media_thumbs_view_t *view)
{
    ngx_memzero(view, sizeof(ngx_media_thumbs_view_t));

    if (ngx_media_vod_thumb_pictures(source, sheet) == 0
        || ngx_media_vod_thumb_field(source, sheet, &view->width,
                                     &view->height)
           != NGX_OK)
    {
        return NGX_OK;
    }

    view->tag.data = ngx_pnalloc(pool, 8);
    if (view->tag.data == NULL) {
        return NGX_ERROR;
    }

    view->tag.len = 8;
    ngx_sprintf(view->tag.data, "%08xD",
                ngx_media_vod_sheet_tag(source, sheet));

    view->interval = sheet->interval;
    view->tiles_x = sheet->tiles_x;
    view->tiles_y = sheet->tiles_y;

    /* a pixel takes about a bit */

    view->bandwidth = (uint32_t) ((uint64_t) view->width * view->height * 1000
                                  / view->interval);

    return NGX_OK;
}


/* of a file that grows only whole sheets: these do not change any more */

static uint32_t
ngx_media_vod_thumb_pictures(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet)
{
    uint64_t                    n;
    const ngx_media_vod_set_t  *set;

    set = source->set;

    if (sheet->interval == 0 || source->map->live || set->duration <= 0) {
        return 0;
    }

    n = ((uint64_t) set->duration + sheet->interval - 1) / sheet->interval;

    if (set->growing) {
        n = (uint64_t) set->duration / sheet->interval;
        n -= n % (sheet->tiles_x * sheet->tiles_y);
    }

    return (n <= NGX_MEDIA_VOD_THUMB_COUNT) ? (uint32_t) n : 0;
}


/* the size of the pictures on sheets: that of the first clip with video */

static ngx_int_t
ngx_media_vod_thumb_field(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet, uint32_t *width, uint32_t *height)
{
    uint32_t               i, max_height, max_width;
    ngx_media_vod_video_t  video;

    max_width = ngx_min(sheet->width,
                        NGX_MEDIA_VOD_SHEET_MAX / sheet->tiles_x);
    max_height = NGX_MEDIA_VOD_SHEET_MAX / sheet->tiles_y;

    for (i = 0; i < source->set->nperiods; i++) {

        if (ngx_media_vod_thumb_track(&video, source, i, max_width)
            == NGX_OK)
        {
            ngx_media_vod_picture_size(&video.shape, max_width & ~1u,
                                       max_height & ~1u, width, height);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


uint32_t
ngx_media_vod_sheet_tag(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet)
{
    uint32_t  words[6];

    words[0] = (uint32_t) source->set->tag;
    words[1] = (uint32_t) (source->set->tag >> 32);
    words[2] = sheet->interval;
    words[3] = sheet->width;
    words[4] = sheet->tiles_x;
    words[5] = sheet->tiles_y;

    return (uint32_t) ngx_media_hash((u_char *) words, sizeof(words));
}


ngx_int_t
ngx_media_vod_thumbs_vtt(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet, ngx_pool_t *pool, ngx_str_t *bytes)
{
    u_char                   *p;
    uint32_t                  count, i, n, size;
    uint64_t                  end;
    ngx_media_thumbs_view_t   view;

    if (ngx_media_vod_thumbs(source, sheet, pool, &view) != NGX_OK) {
        return NGX_ERROR;
    }

    if (view.interval == 0) {
        return NGX_DECLINED;
    }

    count = ngx_media_vod_thumb_pictures(source, sheet);
    size = sheet->tiles_x * sheet->tiles_y;

    bytes->data = ngx_pnalloc(pool, sizeof("WEBVTT\n\n")
                              + (size_t) count * NGX_MEDIA_VOD_THUMB_CUE);
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(bytes->data, "WEBVTT\n\n", 8);

    for (i = 0; i < count; i++) {
        n = i % size;
        end = ngx_min((uint64_t) (i + 1) * view.interval,
                      (uint64_t) source->set->duration);

        p = ngx_media_vod_thumb_time(p, (uint64_t) i * view.interval);
        p = ngx_cpymem(p, " --> ", 5);
        p = ngx_media_vod_thumb_time(p, end);

        p = ngx_sprintf(p, "\ni1/%V-%uD.jpg#xywh=%uD,%uD,%uD,%uD\n\n",
                        &view.tag, i / size, n % view.tiles_x * view.width,
                        n / view.tiles_x * view.height, view.width,
                        view.height);
    }

    bytes->len = p - bytes->data;

    return NGX_OK;
}


/* W3C WebVTT, 4.1 */

static u_char *
ngx_media_vod_thumb_time(u_char *p, uint64_t msec)
{
    return ngx_sprintf(p, "%02uL:%02uL:%02uL.%03uL", msec / 3600000,
                       msec / 60000 % 60, msec / 1000 % 60, msec % 1000);
}

#else

void
ngx_media_vod_thumb_make(ngx_media_vod_thumb_make_t *make)
{
    make->status = 404;
}


ngx_int_t
ngx_media_vod_thumbs(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet, ngx_pool_t *pool,
    ngx_media_thumbs_view_t *view)
{
    ngx_memzero(view, sizeof(ngx_media_thumbs_view_t));

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_thumbs_vtt(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet, ngx_pool_t *pool, ngx_str_t *bytes)
{
    return NGX_DECLINED;
}


uint32_t
ngx_media_vod_sheet_tag(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet)
{
    return 0;
}

#endif
