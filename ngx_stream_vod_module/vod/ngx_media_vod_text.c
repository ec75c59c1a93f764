
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_write.h"
#include "formats/ngx_media_ts.h"
#include "formats/ngx_media_tx3g.h"
#include "formats/ngx_media_wvtt.h"
#include "vod/ngx_media_vod_set_make.h"
#include "vod/ngx_media_vod_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


/* what of one segment is told: cues, samples read, and their bytes */
#define NGX_MEDIA_VOD_TEXT_CUES     1024
#define NGX_MEDIA_VOD_TEXT_SAMPLES  1024
#define NGX_MEDIA_VOD_TEXT_BYTES    (4 * 1024 * 1024)
#define NGX_MEDIA_VOD_TEXT_CHUNK    (16 * 1024 * 1024)

/*
 * A cue of wvtt is in several samples if others begin or end meanwhile: so
 * many of them are looked at before and after the segment, for its times
 */
#define NGX_MEDIA_VOD_TEXT_AROUND   8

/* a sidecar that is read in well under a millisecond */
#define NGX_MEDIA_VOD_TEXT_SMALL    (128 * 1024)

/* a cycle of 33 bits at 90 kHz, in ms, down */
#define NGX_MEDIA_VOD_TEXT_CYCLE    95443717


typedef struct {
    ngx_media_vod_text_make_t    *make;
    const ngx_media_vod_open_t   *open;
    const ngx_media_vod_track_t  *track;

    int64_t                       from;       /* ms in the file, of time 0 */
    int64_t                       base;       /* ms, media time of time 0 */
    int64_t                       start;      /* ms, the segment */
    int64_t                       end;
    int64_t                       limit;      /* ms, the end of the clip */

    ngx_media_cue_t              *cues;
    ngx_uint_t                    ncues;

    ngx_media_index_sample_t     *samples;
    ngx_uint_t                    nsamples;
    u_char                       *bytes;
    size_t                        size;
} ngx_media_vod_text_ctx_t;


static ngx_int_t ngx_media_vod_text_find(ngx_media_vod_text_ctx_t *ctx);
static ngx_int_t ngx_media_vod_text_cues(ngx_media_vod_text_ctx_t *ctx);
static void ngx_media_vod_text_sidecar(ngx_media_vod_text_ctx_t *ctx);
static ngx_int_t ngx_media_vod_text_samples(ngx_media_vod_text_ctx_t *ctx);
static ngx_int_t ngx_media_vod_text_seek(ngx_media_vod_text_ctx_t *ctx,
    ngx_media_index_reader_t *reader);
static ngx_int_t ngx_media_vod_text_fill(ngx_media_vod_text_ctx_t *ctx);
static ngx_int_t ngx_media_vod_text_pread(ngx_media_vod_text_ctx_t *ctx,
    u_char *p, size_t len, uint64_t offset);
static void ngx_media_vod_text_sample(ngx_media_vod_text_ctx_t *ctx,
    const ngx_media_index_sample_t *sample, const u_char *pos);
static void ngx_media_vod_text_clip(ngx_media_vod_text_ctx_t *ctx);
static ngx_int_t ngx_media_vod_text_vtt(ngx_media_vod_text_ctx_t *ctx);
static ngx_int_t ngx_media_vod_text_wvtt(ngx_media_vod_text_ctx_t *ctx);
static ngx_int_t ngx_media_vod_text_fail(ngx_media_vod_text_ctx_t *ctx,
    ngx_uint_t status, const char *error);


void
ngx_media_vod_text_make(ngx_media_vod_text_make_t *make)
{
    ngx_media_vod_text_ctx_t  ctx;

    ngx_memzero(&ctx, sizeof(ngx_media_vod_text_ctx_t));

    ctx.make = make;

    make->status = 500;
    make->data = NULL;
    make->len = 0;
    make->error[0] = '\0';

    if (ngx_media_vod_text_find(&ctx) == NGX_OK
        && ngx_media_vod_text_cues(&ctx) == NGX_OK)
    {
        ngx_media_vod_text_clip(&ctx);

        if ((make->wvtt ? ngx_media_vod_text_wvtt(&ctx)
                        : ngx_media_vod_text_vtt(&ctx))
            == NGX_OK)
        {
            make->status = 200;
        }
    }

    free(ctx.cues);
    free(ctx.samples);
    free(ctx.bytes);
}


ngx_uint_t
ngx_media_vod_text_blocks(const ngx_media_vod_text_make_t *make)
{
    ngx_media_vod_text_ctx_t   ctx;
    ngx_media_vod_text_make_t  copy;

    ngx_memzero(&ctx, sizeof(ngx_media_vod_text_ctx_t));

    copy = *make;
    ctx.make = &copy;

    /*
     * What is not there is found out at once.  Samples of "wvtt" repeat what
     * goes on showing: of many cues at a time they are much more than these.
     */

    return ngx_media_vod_text_find(&ctx) == NGX_OK
           && ctx.track
           && (make->wvtt || !ctx.track->sidecar
               || ctx.track->nparams > NGX_MEDIA_VOD_TEXT_SMALL);
}


static ngx_int_t
ngx_media_vod_text_find(ngx_media_vod_text_ctx_t *ctx)
{
    int64_t                           begin;
    uint32_t                          n;
    const ngx_media_vod_set_t        *set;
    ngx_media_vod_turn_t              turn;
    const ngx_media_vod_period_t     *period;
    const ngx_media_vod_source_t     *source;
    const ngx_media_vod_set_clip_t   *clip;
    const ngx_media_vod_set_track_t  *track;

    source = ctx->make->source;
    set = source->set;

    if (ctx->make->track >= set->ntracks
        || ngx_media_vod_place(source, ctx->make->number, &turn, &n)
           != NGX_OK)
    {
        return ngx_media_vod_text_fail(ctx, 404, "no such segment");
    }

    track = ngx_media_vod_set_track(set, ctx->make->track);
    clip = ngx_media_vod_set_clip(set, turn.period, ctx->make->track);
    period = ngx_media_vod_set_period_at(set, turn.period);

    if (!track->text) {
        return ngx_media_vod_text_fail(ctx, 404, "no such segment");
    }

    if (clip->track != NGX_MEDIA_VOD_NONE) {
        ctx->open = &source->files[clip->file];
        ctx->track = &ctx->open->file->tracks[clip->track];
    }

    ctx->from = source->map->sequences[track->sequence]
                            .clips[turn.period].from;

    /* all of these are times of the set, which the turn is added to */

    begin = period->base;

    ctx->base = begin + turn.shift;
    ctx->start = ngx_media_vod_common(set, turn.period, n, 1000) - begin;
    ctx->end = ngx_media_vod_common(set, turn.period, n + 1, 1000) - begin;
    ctx->limit = ngx_media_vod_common(set, turn.period, period->nsegments,
                                      1000)
                 - begin;

    if (ctx->start < 0 || ctx->end <= ctx->start || ctx->base < 0) {
        return ngx_media_vod_text_fail(ctx, 404, "an empty segment");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_text_cues(ngx_media_vod_text_ctx_t *ctx)
{
    ctx->cues = malloc(NGX_MEDIA_VOD_TEXT_CUES * sizeof(ngx_media_cue_t));
    if (ctx->cues == NULL) {
        return ngx_media_vod_text_fail(ctx, 500, "no memory");
    }

    if (ctx->track == NULL) {
        return NGX_OK;
    }

    if (ctx->track->sidecar) {
        ngx_media_vod_text_sidecar(ctx);
        return NGX_OK;
    }

    return ngx_media_vod_text_samples(ctx);
}


static void
ngx_media_vod_text_sidecar(ngx_media_vod_text_ctx_t *ctx)
{
    u_char                     *text;
    ngx_media_webvtt_reader_t   reader;

    text = ngx_media_vod_at(ctx->open->file, ctx->track->params);

    ngx_media_webvtt_open(&reader, text, text + ctx->track->nparams);

    ctx->ncues = ngx_media_webvtt_collect(&reader, ctx->from + ctx->start,
                                          ctx->from + ctx->end, ctx->cues,
                                          NGX_MEDIA_VOD_TEXT_CUES);

    ctx->ncues = ngx_min(ctx->ncues, NGX_MEDIA_VOD_TEXT_CUES);
}


static ngx_int_t
ngx_media_vod_text_samples(ngx_media_vod_text_ctx_t *ctx)
{
    u_char                    *p;
    int64_t                    end;
    uint32_t                   after;
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    const ngx_media_index_t   *index;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t  *s;

    index = ngx_media_vod_at(ctx->open->file, ctx->track->index);

    ctx->samples = malloc(NGX_MEDIA_VOD_TEXT_SAMPLES
                          * sizeof(ngx_media_index_sample_t));
    if (ctx->samples == NULL) {
        return ngx_media_vod_text_fail(ctx, 500, "no memory");
    }

    rc = ngx_media_vod_text_seek(ctx, &reader);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK
               : ngx_media_vod_text_fail(ctx, 500, "broken index");
    }

    end = ngx_media_plan_rescale(ctx->from + ctx->end, 1000, index->timescale);
    after = 0;

    while (reader.number < index->end
           && after < NGX_MEDIA_VOD_TEXT_AROUND
           && ctx->nsamples < NGX_MEDIA_VOD_TEXT_SAMPLES)
    {
        s = &ctx->samples[ctx->nsamples];

        if (ngx_media_index_next(&reader, s) != NGX_OK) {
            return ngx_media_vod_text_fail(ctx, 500, "broken index");
        }

        after += (s->dts >= end);

        if (s->size > NGX_MEDIA_VOD_TEXT_BYTES - ctx->size) {
            break;
        }

        ctx->size += s->size;
        ctx->nsamples++;
    }

    if (ngx_media_vod_text_fill(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ctx->bytes;

    for (i = 0; i < ctx->nsamples; i++) {
        ngx_media_vod_text_sample(ctx, &ctx->samples[i], p);
        p += ctx->samples[i].size;
    }

    return NGX_OK;
}


/* to what shows at the begin of the segment, and a little before it */

static ngx_int_t
ngx_media_vod_text_seek(ngx_media_vod_text_ctx_t *ctx,
    ngx_media_index_reader_t *reader)
{
    int64_t                   time;
    uint32_t                  n;
    ngx_int_t                 rc;
    const ngx_media_index_t  *index;

    index = ngx_media_vod_at(ctx->open->file, ctx->track->index);

    if (index->first >= index->end) {
        return NGX_DONE;
    }

    time = ngx_media_plan_rescale(ctx->from + ctx->start, 1000,
                                  index->timescale);

    ngx_media_index_open(reader, index);

    rc = ngx_media_index_seek_time(reader, time);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    n = (rc == NGX_OK) ? ngx_min(reader->number, index->end) : index->end;

    n = (n > index->first && n - index->first > NGX_MEDIA_VOD_TEXT_AROUND)
        ? n - NGX_MEDIA_VOD_TEXT_AROUND : index->first;

    ngx_media_index_open(reader, index);

    return ngx_media_index_seek(reader, n);
}


/* samples that follow one another in the file are read at once */

static ngx_int_t
ngx_media_vod_text_fill(ngx_media_vod_text_ctx_t *ctx)
{
    size_t                     len;
    u_char                    *p;
    uint64_t                   offset;
    ngx_uint_t                 i;
    ngx_media_index_sample_t  *s;

    ctx->bytes = malloc(ctx->size + 1);
    if (ctx->bytes == NULL) {
        return ngx_media_vod_text_fail(ctx, 500, "no memory");
    }

    p = ctx->bytes;
    len = 0;
    offset = 0;

    for (i = 0; i < ctx->nsamples; i++) {
        s = &ctx->samples[i];

        if (s->offset != offset + len) {

            if (ngx_media_vod_text_pread(ctx, p, len, offset) != NGX_OK) {
                return NGX_ERROR;
            }

            p += len;
            len = 0;
            offset = s->offset;
        }

        len += s->size;
    }

    return ngx_media_vod_text_pread(ctx, p, len, offset);
}


static ngx_int_t
ngx_media_vod_text_pread(ngx_media_vod_text_ctx_t *ctx, u_char *p, size_t len,
    uint64_t offset)
{
    ssize_t  n;

    while (len) {
        n = pread(ctx->open->fd, p, len, (off_t) offset);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1) {
            return ngx_media_vod_text_fail(ctx, 500, strerror(ngx_errno));
        }

        if (n == 0) {
            return ngx_media_vod_text_fail(ctx, 500,
                                           "the file has become shorter");
        }

        p += n;
        len -= n;
        offset += n;
    }

    return NGX_OK;
}


/* the cues of one sample, which show as long as it lasts */

static void
ngx_media_vod_text_sample(ngx_media_vod_text_ctx_t *ctx,
    const ngx_media_index_sample_t *sample, const u_char *pos)
{
    int64_t                    start, end;
    uint32_t                   timescale;
    ngx_media_cue_t            cue;
    ngx_media_span_t           in;
    const ngx_media_index_t   *index;
    const ngx_media_params_t  *params;

    index = ngx_media_vod_at(ctx->open->file, ctx->track->index);
    timescale = index->timescale;

    start = sample->dts + sample->cto;
    end = ngx_media_plan_rescale(start + (int64_t) sample->duration, timescale,
                                 1000);
    start = ngx_media_plan_rescale(start, timescale, 1000);

    if (end <= start || sample->description == 0
        || sample->description > ctx->track->nparams)
    {
        return;
    }

    in.pos = pos;
    in.last = pos + sample->size;

    params = ngx_media_params_at(ngx_media_vod_at(ctx->open->file,
                                                  ctx->track->params),
                                 ctx->track->params_size,
                                 sample->description - 1);

    switch (params->codec) {

    case NGX_MEDIA_CODEC_TX3G:

        if (ngx_media_tx3g_empty(in.pos, in.last)) {
            return;
        }

        ngx_memzero(&cue, sizeof(ngx_media_cue_t));

        cue.form = NGX_MEDIA_CUE_TX3G;
        cue.start = start;
        cue.end = end;
        cue.text = in;

        (void) ngx_media_webvtt_add(ctx->cues, &ctx->ncues,
                                    NGX_MEDIA_VOD_TEXT_CUES, &cue);
        return;

    case NGX_MEDIA_CODEC_WVTT:

        while (ngx_media_wvtt_read(&in, &cue) == NGX_OK) {
            cue.start = start;
            cue.end = end;

            (void) ngx_media_webvtt_add(ctx->cues, &ctx->ncues,
                                        NGX_MEDIA_VOD_TEXT_CUES, &cue);
        }
    }
}


/* from times in the file to those of the clip, of which none is outside */

static void
ngx_media_vod_text_clip(ngx_media_vod_text_ctx_t *ctx)
{
    ngx_uint_t        i, n;
    ngx_media_cue_t  *cue;

    n = 0;

    for (i = 0; i < ctx->ncues; i++) {
        cue = &ctx->cues[i];

        if (cue->kind == NGX_MEDIA_CUE) {
            cue->start = ngx_max(cue->start - ctx->from, 0);
            cue->end = ngx_min(cue->end - ctx->from, ctx->limit);

            if (cue->start >= ctx->end || cue->end <= ctx->start) {
                continue;
            }
        }

        ctx->cues[n++] = *cue;
    }

    ctx->ncues = n;
}


static ngx_int_t
ngx_media_vod_text_vtt(ngx_media_vod_text_ctx_t *ctx)
{
    int64_t             base;
    ngx_media_webvtt_t  view;

    base = ctx->base;

    if (ctx->make->ts) {
        base += NGX_MEDIA_TS_OFFSET * 1000 / NGX_MEDIA_TS_TIMESCALE;
    }

    ngx_memzero(&view, sizeof(ngx_media_webvtt_t));

    view.cues = ctx->cues;
    view.ncues = ctx->ncues;
    view.start = ctx->start;
    view.end = ctx->end;
    view.map = 1;

    /*
     * RFC 8216bis, 3.1.4: one map for all segments, and another where 33 bits
     * have come to their end
     */

    if (base + ctx->start >= NGX_MEDIA_VOD_TEXT_CYCLE) {
        view.local = ctx->start;
    }

    view.mpegts = (uint64_t) (base + view.local) * 90;

    ctx->make->len = ngx_media_webvtt_write(NULL, 0, &view);

    ctx->make->data = malloc(ctx->make->len);
    if (ctx->make->data == NULL) {
        return ngx_media_vod_text_fail(ctx, 500, "no memory");
    }

    (void) ngx_media_webvtt_write(ctx->make->data, ctx->make->len, &view);

    return NGX_OK;
}


/* ISO/IEC 14496-30: samples without a gap from the first to the last ms */

static ngx_int_t
ngx_media_vod_text_wvtt(ngx_media_vod_text_ctx_t *ctx)
{
    size_t                  head, size;
    u_char                 *p;
    int64_t                 time, next;
    ngx_uint_t              n;
    ngx_media_sample_t     *samples;
    ngx_media_mp4_chunk_t   chunk;

    /* each cue begins one sample and ends another */

    samples = malloc((2 * ctx->ncues + 1) * sizeof(ngx_media_sample_t));
    if (samples == NULL) {
        return ngx_media_vod_text_fail(ctx, 500, "no memory");
    }

    n = 0;
    size = 0;

    for (time = ctx->start; time < ctx->end; time = next) {
        next = ngx_media_wvtt_next(ctx->cues, ctx->ncues, time, ctx->end);

        samples[n].size = (uint32_t) ngx_media_wvtt_write(NULL, ctx->cues,
                                                          ctx->ncues, time,
                                                          next);
        samples[n].duration = (uint32_t) (next - time);
        samples[n].cto = 0;
        samples[n].key = 1;

        size += samples[n++].size;

        if (size > NGX_MEDIA_VOD_TEXT_CHUNK) {
            free(samples);
            return ngx_media_vod_text_fail(ctx, 500, "too much text");
        }
    }

    ngx_memzero(&chunk, sizeof(ngx_media_mp4_chunk_t));

    chunk.samples = samples;
    chunk.nsamples = n;
    chunk.decode_time = (uint64_t) (ctx->base + ctx->start);
    chunk.sequence = ctx->make->sequence;
    chunk.type = NGX_MEDIA_TEXT;
    chunk.styp = 1;

    head = ngx_media_mp4_write_chunk(NULL, &chunk);

    p = malloc(head + size);
    if (p == NULL) {
        free(samples);
        return ngx_media_vod_text_fail(ctx, 500, "no memory");
    }

    ctx->make->data = p;
    ctx->make->len = head + size;

    p += ngx_media_mp4_write_chunk(p, &chunk);

    for (time = ctx->start; time < ctx->end; time = next) {
        next = ngx_media_wvtt_next(ctx->cues, ctx->ncues, time, ctx->end);
        p += ngx_media_wvtt_write(p, ctx->cues, ctx->ncues, time, next);
    }

    free(samples);

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_text_fail(ngx_media_vod_text_ctx_t *ctx, ngx_uint_t status,
    const char *error)
{
    ctx->make->status = status;

    (void) snprintf((char *) ctx->make->error, NGX_MEDIA_VOD_ERROR, "%s",
                    error);

    return NGX_ERROR;
}
