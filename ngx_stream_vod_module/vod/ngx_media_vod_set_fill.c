
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_codec.h"
#include "vod/ngx_media_vod_set_fill.h"


/* ms of silence that are worth a line */
#define NGX_MEDIA_VOD_SET_SILENCE  1000

/* frames that a segment at the end may need: what is not filled is not longer
   than one, and one that begins in it may be longer than that */
#define NGX_MEDIA_VOD_SET_LAST     3


static ngx_int_t ngx_media_vod_set_fill_track(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track, ngx_media_plan_range_t *range,
    const ngx_media_vod_set_cover_t *cover);
static ngx_int_t ngx_media_vod_set_fill_head(ngx_media_fill_run_t *head,
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *t,
    uint32_t first, int64_t time);
static ngx_int_t ngx_media_vod_set_fill_tail(ngx_media_fill_run_t *tail,
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *t,
    uint32_t last, int64_t time);
static ngx_int_t ngx_media_vod_set_fill_all(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track, ngx_media_plan_range_t *range,
    const ngx_media_vod_set_cover_t *cover);
static uint32_t ngx_media_vod_set_fill_from(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track, uint32_t *file);
static ngx_int_t ngx_media_vod_set_fill_run(ngx_media_fill_run_t *run,
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *t,
    uint32_t description);
static void ngx_media_vod_set_fill_note(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track,
    const ngx_media_vod_set_cover_t *cover);
static void ngx_media_vod_set_fill_lost(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track,
    const ngx_media_vod_set_cover_t *cover);


void
ngx_media_vod_set_cover(ngx_media_vod_set_cover_t *cover, ngx_uint_t track,
    int64_t start, int64_t end, uint32_t timescale)
{
    cover->starts[track] = start;
    cover->ends[track] = end;

    start = ngx_media_plan_rescale(start, timescale,
                                   NGX_MEDIA_VIDEO_TIMESCALE);
    end = ngx_media_plan_rescale(end, timescale, NGX_MEDIA_VIDEO_TIMESCALE);

    if (!cover->any || start < cover->begin) {
        cover->begin = start;
    }

    if (!cover->any || end > cover->end) {
        cover->end = end;
    }

    cover->any = 1;
}


ngx_int_t
ngx_media_vod_set_fill(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_media_plan_range_t *ranges, const ngx_media_vod_set_cover_t *cover)
{
    ngx_uint_t  i;

    for (i = 0; i < ctx->ntracks; i++) {

        if (ctx->tracks[i].type == NGX_MEDIA_AUDIO && !ctx->tracks[i].rung
            && ngx_media_vod_set_fill_track(ctx, clip, i, &ranges[i], cover)
               != NGX_OK)
        {
            return ngx_media_vod_set_fail(ctx, 500, "index of %s is broken",
                                          ctx->tracks[i].name);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_set_fill_track(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, ngx_media_plan_range_t *range,
    const ngx_media_vod_set_cover_t *cover)
{
    int64_t                       after, before;
    ngx_int_t                     rc;
    const ngx_media_index_t      *index;
    const ngx_media_vod_file_t   *file;
    const ngx_media_vod_track_t  *t;
    ngx_media_vod_set_clip_t     *c;

    c = ngx_media_vod_set_clip(ctx->set, clip, track);

    if (c->track == NGX_MEDIA_VOD_NONE || range->first >= range->end) {

        if (ctx->set->growing) {
            return NGX_OK;
        }

        rc = ngx_media_vod_set_fill_all(ctx, clip, track, range, cover);

    } else {
        file = ctx->make->files[c->file].file;
        t = &file->tracks[c->track];
        index = ngx_media_vod_at(file, t->index);

        c->fill.first = range->first;
        c->fill.nsamples = range->end - range->first;

        before = cover->starts[track]
                 - ngx_media_plan_rescale(cover->begin,
                                          NGX_MEDIA_VIDEO_TIMESCALE,
                                          index->timescale);
        after = ngx_media_plan_rescale(cover->end, NGX_MEDIA_VIDEO_TIMESCALE,
                                       index->timescale)
                - cover->ends[track];

        rc = ngx_media_vod_set_fill_head(&c->fill.head, file, t, range->first,
                                         before);

        if (rc == NGX_OK && !ctx->set->growing) {
            rc = ngx_media_vod_set_fill_tail(&c->fill.tail, file, t,
                                             range->end - 1, after);
        }
    }

    if (rc == NGX_OK) {
        ngx_media_vod_set_fill_note(ctx, clip, track, cover);

    } else if (rc == NGX_DECLINED) {
        ngx_media_vod_set_fill_lost(ctx, clip, track, cover);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* time: how much is not covered, in the index's timescale */

static ngx_int_t
ngx_media_vod_set_fill_head(ngx_media_fill_run_t *head,
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *t,
    uint32_t first, int64_t time)
{
    ngx_int_t                  rc;
    const ngx_media_index_t   *index;
    ngx_media_index_sample_t   sample;

    index = ngx_media_vod_at(file, t->index);

    if (ngx_media_index_sample(index, first, &sample) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_media_vod_set_fill_run(head, file, t, sample.description);

    if (rc == NGX_OK) {
        head->count = ngx_media_fill_count(head, time, index->timescale);
        head->time = sample.dts - ngx_media_fill_length(head, head->count,
                                                        index->timescale);
    }

    return rc;
}


static ngx_int_t
ngx_media_vod_set_fill_tail(ngx_media_fill_run_t *tail,
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *t,
    uint32_t last, int64_t time)
{
    int64_t                    length;
    ngx_int_t                  rc;
    const ngx_media_codec_t   *codec;
    const ngx_media_index_t   *index;
    ngx_media_index_sample_t   sample;

    index = ngx_media_vod_at(file, t->index);

    if (ngx_media_index_sample(index, last, &sample) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_media_vod_set_fill_run(tail, file, t, sample.description);

    if (rc != NGX_OK) {
        return rc;
    }

    /*
     * Where all frames are as long, one whose duration is cut short at the end
     * of a file sounds on, and MPEG-TS counts whole frames
     */

    length = (int64_t) sample.duration;
    codec = ngx_media_codec_find(
                     ngx_media_vod_params(file, t, sample.description)->codec);

    if (codec && (codec->flags & NGX_MEDIA_IS_STEADY)) {
        length = ngx_max(length, ngx_media_fill_length(tail, 1,
                                                    index->timescale));
    }

    tail->time = sample.dts + length;
    tail->count = ngx_media_fill_count(tail, time + (int64_t) sample.duration
                                             - length,
                                       index->timescale);

    return NGX_OK;
}


/* nothing else than silence; NGX_DECLINED: there can be none */

static ngx_int_t
ngx_media_vod_set_fill_all(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, ngx_media_plan_range_t *range,
    const ngx_media_vod_set_cover_t *cover)
{
    int64_t                       begin, end;
    uint32_t                      from, n;
    ngx_int_t                     rc;
    ngx_media_fill_t             *fill;
    const ngx_media_index_t      *index;
    const ngx_media_vod_file_t   *file;
    const ngx_media_vod_track_t  *t;
    ngx_media_vod_set_clip_t     *c;

    n = ngx_media_vod_set_fill_from(ctx, clip, track, &from);

    if (n == NGX_MEDIA_VOD_NONE) {
        return NGX_DECLINED;
    }

    file = ctx->make->files[from].file;
    t = &file->tracks[n];
    index = ngx_media_vod_at(file, t->index);

    if (ngx_media_index_check(index, index->size) != NGX_OK) {
        return NGX_ERROR;
    }

    c = ngx_media_vod_set_clip(ctx->set, clip, track);
    fill = &c->fill;

    rc = ngx_media_vod_set_fill_run(&fill->head, file, t, 0);

    if (rc != NGX_OK) {
        return rc;
    }

    begin = ngx_media_plan_rescale(cover->begin, NGX_MEDIA_VIDEO_TIMESCALE,
                                   index->timescale);
    end = ngx_media_plan_rescale(cover->end, NGX_MEDIA_VIDEO_TIMESCALE,
                                 index->timescale);

    fill->head.time = begin;
    fill->head.count = ngx_media_fill_count(&fill->head, end - begin,
                                            index->timescale);

    if (fill->head.count == 0
        || fill->head.count > UINT32_MAX - index->first)
    {
        ngx_memzero(fill, sizeof(ngx_media_fill_t));
        return NGX_DECLINED;
    }

    fill->first = index->first;

    range->first = index->first;
    range->end = index->first;
    range->origin = 0;

    c->file = from;
    c->track = n;

    return NGX_OK;
}


int64_t
ngx_media_vod_set_fill_last(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, const ngx_media_plan_range_t *range, int64_t cut,
    uint32_t timescale)
{
    int64_t                    end, time;
    uint32_t                   n;
    ngx_media_fill_run_t      *run;
    ngx_media_vod_set_clip_t  *c;
    ngx_media_fill_reader_t    reader;
    ngx_media_index_sample_t   sample;
    const ngx_media_index_t   *index;
    const ngx_media_vod_file_t *file;

    c = ngx_media_vod_set_clip(ctx->set, clip, track);
    run = c->fill.nsamples ? &c->fill.tail : &c->fill.head;

    if (c->track == NGX_MEDIA_VOD_NONE || run->rate == 0) {
        return 0;
    }

    file = ctx->make->files[c->file].file;
    index = ngx_media_vod_at(file, file->tracks[c->track].index);

    n = range->end + ngx_media_fill_silent(&c->fill);

    ngx_media_fill_open(&reader, index, &c->fill);

    if (ngx_media_fill_seek(&reader, n - 1) != NGX_OK
        || ngx_media_fill_next(&reader, &sample) != NGX_OK)
    {
        return 0;
    }

    cut = ngx_media_plan_rescale(cut, timescale, index->timescale)
          + range->origin;
    time = sample.dts;
    end = 0;

    for (n = 0; time < cut && n < NGX_MEDIA_VOD_SET_LAST; n++) {
        time = run->time + ngx_media_fill_length(run, run->count,
                                                 index->timescale);
        run->count++;

        end = time + ngx_media_fill_length(run, 1, index->timescale);
    }

    return end ? ngx_media_plan_rescale(end - range->origin, index->timescale,
                                        1000)
               : 0;
}


/*
 * The track in the nearest clip that has it, rather one before; or NONE.  Of a
 * channel clips come and go under names that stay: none lends what it has.
 */

static uint32_t
ngx_media_vod_set_fill_from(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, uint32_t *file)
{
    uint32_t    n;
    ngx_uint_t  i, nclips, nearest;

    nclips = ctx->make->map->nclips;
    nearest = ctx->make->map->live ? 1 : nclips;

    for (i = 0; i < nearest; i++) {

        /* this one, those before, and those after it */

        *file = (uint32_t) ((i <= clip) ? clip - i : i);

        n = ngx_media_vod_set_find(ctx, track, *file);

        if (n != NGX_MEDIA_VOD_NONE) {
            *file += ctx->tracks[track].sequence * (uint32_t) nclips;
            return n;
        }
    }

    return NGX_MEDIA_VOD_NONE;
}


static ngx_int_t
ngx_media_vod_set_fill_run(ngx_media_fill_run_t *run,
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *t,
    uint32_t description)
{
    ngx_media_silence_t        silence;
    const ngx_media_codec_t   *codec;
    const ngx_media_params_t  *params;

    params = ngx_media_vod_params(file, t, description);

    if (params == NULL) {
        return NGX_DECLINED;
    }

    codec = ngx_media_codec_find(params->codec);

    if (codec == NULL || codec->silence == NULL
        || codec->silence(params, &silence) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    run->size = (uint32_t) ngx_media_span_len(&silence.frame);
    run->samples = silence.samples;
    run->rate = silence.rate;
    run->description = description;

    return NGX_OK;
}


/* that video begins with a key frame from before the clip is not worth it */

static void
ngx_media_vod_set_fill_note(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, const ngx_media_vod_set_cover_t *cover)
{
    int64_t                  after, before;
    const ngx_media_fill_t  *fill;

    fill = &ngx_media_vod_set_clip(ctx->set, clip, track)->fill;

    before = 0;
    after = 0;

    if (fill->head.count) {
        before = ngx_media_fill_length(&fill->head, fill->head.count, 1000);

        if (cover->begin < 0) {
            before += cover->begin / (NGX_MEDIA_VIDEO_TIMESCALE / 1000);
        }
    }

    if (fill->tail.count) {
        after = ngx_media_fill_length(&fill->tail, fill->tail.count, 1000);
    }

    if (before < NGX_MEDIA_VOD_SET_SILENCE
        && after < NGX_MEDIA_VOD_SET_SILENCE)
    {
        return;
    }

    if (fill->nsamples == 0) {
        ngx_media_vod_set_note(ctx, "%s has nothing in clip %u: silence",
                               ctx->tracks[track].name, (unsigned) clip + 1);
        return;
    }

    ngx_media_vod_set_note(ctx, "%s in clip %u begins %u ms after the others"
                           " and ends %u ms before them: silence",
                           ctx->tracks[track].name, (unsigned) clip + 1,
                           (unsigned) ngx_max(before, 0), (unsigned) after);
}


/* there is no silence for it */

static void
ngx_media_vod_set_fill_lost(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, const ngx_media_vod_set_cover_t *cover)
{
    int64_t                    lost;
    const ngx_media_index_t   *index;
    ngx_media_vod_set_clip_t  *c;
    const ngx_media_vod_file_t *file;

    c = ngx_media_vod_set_clip(ctx->set, clip, track);
    lost = cover->end - cover->begin;

    if (c->track != NGX_MEDIA_VOD_NONE && c->fill.nsamples) {
        file = ctx->make->files[c->file].file;
        index = ngx_media_vod_at(file, file->tracks[c->track].index);

        lost -= ngx_media_plan_rescale(cover->ends[track]
                                       - cover->starts[track],
                                       index->timescale,
                                       NGX_MEDIA_VIDEO_TIMESCALE);
    }

    lost /= NGX_MEDIA_VIDEO_TIMESCALE / 1000;

    if (lost >= NGX_MEDIA_VOD_SET_SILENCE) {
        ngx_media_vod_set_note(ctx, "%s in clip %u has nothing for %u ms, and"
                               " %s", ctx->tracks[track].name,
                               (unsigned) clip + 1, (unsigned) lost,
                               (c->track == NGX_MEDIA_VOD_NONE
                                && ctx->make->map->live)
                               ? "clips of a channel lend no silence"
                               : "no silence is known of its codec");
    }
}
