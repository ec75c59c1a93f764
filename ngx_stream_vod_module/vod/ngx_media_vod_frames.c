
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The frames of one segment: a search in the plan, a search in the index, and
 * its own samples.
 */


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_write.h"
#include "vod/ngx_media_vod_set_make.h"


/*
 * Of a segment: samples that are described in the event loop, in about 3 ms,
 * and kept until the client has them, 3 MB; the media of a chunk are less than
 * 2^31 bytes
 */
#define NGX_MEDIA_VOD_FRAMES_MAX  65536
#define NGX_MEDIA_VOD_BYTES_MAX   0x7fff0000

/* silence is sent in pieces of so many bytes, or of a frame */
#define NGX_MEDIA_VOD_SILENCE     4096


/* where frames go, in the pool */

typedef struct {
    uint32_t                  delay;          /* added to cto */
    const ngx_media_vod_file_t *file;
    const ngx_media_vod_track_t *track;
    ngx_pool_t               *pool;
    ngx_media_sample_t       *samples;
    ngx_media_piece_t *ranges;
    ngx_media_frames_t       *frames;
    uint64_t                  end;            /* in the file, of the last */
    u_char                   *silence;        /* frames of it; NULL: not yet */
    size_t                    silence_len;
    uint32_t                  silence_frame;  /* bytes of one */
    uint32_t                  silence_description;
} ngx_media_vod_frames_ctx_t;


static ngx_int_t ngx_media_vod_frames_read(ngx_media_vod_frames_ctx_t *ctx,
    ngx_media_fill_reader_t *reader, uint32_t n, uint32_t *description,
    uint32_t *key);
static ngx_int_t ngx_media_vod_frames_range(ngx_media_vod_frames_ctx_t *ctx,
    const ngx_media_index_sample_t *sample);
static ngx_int_t ngx_media_vod_frames_silent(ngx_media_vod_frames_ctx_t *ctx,
    const ngx_media_index_sample_t *sample);
static ngx_int_t ngx_media_vod_frames_silence(ngx_media_vod_frames_ctx_t *ctx,
    uint32_t description);
static ngx_int_t ngx_media_vod_frames_fail(
    const ngx_media_vod_source_t *source, const ngx_media_vod_set_clip_t *clip,
    uint64_t number, ngx_pool_t *pool, const char *error);
static ngx_int_t ngx_media_vod_init_write(const ngx_media_params_t *params,
    uint64_t name, ngx_pool_t *pool, ngx_str_t *bytes);


ngx_int_t
ngx_media_vod_frames(const ngx_media_vod_source_t *source, ngx_uint_t track,
    uint64_t number, ngx_uint_t key, ngx_pool_t *pool,
    ngx_media_frames_t *frames)
{
    int64_t                      time;
    uint32_t                     description, is_key, n;
    const ngx_media_index_t     *index;
    const ngx_media_vod_set_t   *set;
    ngx_media_vod_turn_t         turn;
    const ngx_media_vod_file_t  *file;
    ngx_media_plan_segment_t     segment;
    ngx_media_fill_reader_t      reader;
    ngx_media_vod_set_clip_t    *clip;
    ngx_media_vod_frames_ctx_t   ctx;

    const ngx_media_vod_track_t  *t;

    set = source->set;

    if (track >= set->ntracks
        || ngx_media_vod_place(source, number, &turn, &n) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    clip = ngx_media_vod_set_clip(set, turn.period, track);

    if (clip->track == NGX_MEDIA_VOD_NONE || clip->own
        || ngx_media_vod_set_track(set, track)->text
        || ngx_media_plan_segment(ngx_media_vod_set_plan(set, clip),
                                  n, &segment)
           != NGX_OK
        || segment.samples == 0)
    {
        return NGX_DECLINED;
    }

    file = source->files[clip->file].file;
    t = &file->tracks[clip->track];
    index = ngx_media_vod_at(file, t->index);

    time = segment.time + clip->base
           + ngx_media_plan_rescale(turn.shift, 1000, index->timescale);

    if (time < 0) {
        return ngx_media_vod_frames_fail(source, clip, number, pool,
                                         "has a negative time");
    }

    ngx_memzero(frames, sizeof(ngx_media_frames_t));
    ngx_memzero(&ctx, sizeof(ngx_media_vod_frames_ctx_t));

    frames->nsamples = key ? 1 : segment.samples;

    /* key frames are that far apart */

    if (frames->nsamples > NGX_MEDIA_VOD_FRAMES_MAX) {
        return ngx_media_vod_frames_fail(source, clip, number, pool,
                                         "has too many samples");
    }

    ctx.delay = clip->delay;
    ctx.file = file;
    ctx.track = t;
    ctx.pool = pool;
    ctx.frames = frames;
    ctx.samples = ngx_palloc(pool, frames->nsamples
                                   * sizeof(ngx_media_sample_t));
    ctx.ranges = ngx_palloc(pool, frames->nsamples
                                  * sizeof(ngx_media_piece_t));

    if (ctx.samples == NULL || ctx.ranges == NULL) {
        return NGX_ERROR;
    }

    description = 0;
    is_key = 0;

    ngx_media_fill_open(&reader, index, &clip->fill);

    if (ngx_media_fill_seek(&reader, segment.sample) != NGX_OK
        || ngx_media_vod_frames_read(&ctx, &reader, frames->nsamples,
                                     &description, &is_key)
           != NGX_OK)
    {
        return ngx_media_vod_frames_fail(source, clip, number, pool,
                                         "is too large, or its index is "
                                         "broken");
    }

    if (key) {

        if (!is_key || segment.duration > UINT32_MAX) {
            return NGX_DECLINED;
        }

        ctx.samples[0].duration = (uint32_t) segment.duration;
    }

    frames->params = ngx_media_vod_params(file, t, description);

    if (frames->params == NULL) {
        return NGX_DECLINED;
    }

    frames->samples = ctx.samples;
    frames->ranges = ctx.ranges;
    frames->decode_time = (uint64_t) time;
    frames->delay = clip->delay;
    frames->edit = clip->edit;
    frames->fd = source->files[clip->file].fd;
    frames->name = source->files[clip->file].path;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_frames_read(ngx_media_vod_frames_ctx_t *ctx,
    ngx_media_fill_reader_t *reader, uint32_t n, uint32_t *description,
    uint32_t *key)
{
    uint32_t                   i;
    ngx_media_sample_t        *s;
    ngx_media_index_sample_t   sample;

    for (i = 0; i < n; i++) {

        if (ngx_media_fill_next(reader, &sample) != NGX_OK
            || sample.duration > UINT32_MAX
            || sample.cto > INT32_MAX || sample.cto < INT32_MIN
            || sample.cto + ctx->delay > INT32_MAX)
        {
            return NGX_ERROR;
        }

        if (i == 0) {
            *description = sample.description;
            *key = sample.key;
        }

        s = &ctx->samples[i];

        s->size = sample.size;
        s->duration = (uint32_t) sample.duration;
        s->cto = (int32_t) (sample.cto + ctx->delay);
        s->key = sample.key;

        if (ngx_media_vod_frames_range(ctx, &sample) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_frames_range(ngx_media_vod_frames_ctx_t *ctx,
    const ngx_media_index_sample_t *sample)
{
    ngx_media_piece_t  *range;

    if (sample->size == 0) {
        return NGX_OK;
    }

    if (sample->size > NGX_MEDIA_VOD_BYTES_MAX - ctx->frames->bytes) {
        return NGX_ERROR;
    }

    ctx->frames->bytes += sample->size;

    if (sample->offset == NGX_MEDIA_FILL_SILENT) {
        return ngx_media_vod_frames_silent(ctx, sample);
    }

    if (ctx->frames->nranges && sample->offset == ctx->end) {
        range = &ctx->ranges[ctx->frames->nranges - 1];
        range->size += sample->size;

    } else {
        range = &ctx->ranges[ctx->frames->nranges++];
        range->offset = (off_t) sample->offset;
        range->size = sample->size;
        range->memory = NULL;
    }

    ctx->end = sample->offset + sample->size;

    return NGX_OK;
}


/* the same bytes again and again, as long as they last in one piece */

static ngx_int_t
ngx_media_vod_frames_silent(ngx_media_vod_frames_ctx_t *ctx,
    const ngx_media_index_sample_t *sample)
{
    ngx_media_piece_t  *range;

    if (ctx->silence == NULL
        || ctx->silence_description != sample->description)
    {
        if (ngx_media_vod_frames_silence(ctx, sample->description)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* it is what the set was made with */

    if (sample->size != ctx->silence_frame) {
        return NGX_ERROR;
    }

    range = ctx->ranges + ctx->frames->nranges;

    if (ctx->frames->nranges && range[-1].memory == ctx->silence
        && ctx->silence_len - range[-1].size >= sample->size)
    {
        range[-1].size += sample->size;

    } else {
        range->offset = 0;
        range->size = sample->size;
        range->memory = ctx->silence;
        ctx->frames->nranges++;
    }

    /* of the file nothing follows what was before */

    ctx->end = NGX_MEDIA_FILL_SILENT;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_frames_silence(ngx_media_vod_frames_ctx_t *ctx,
    uint32_t description)
{
    u_char                    *p;
    size_t                     len;
    ngx_uint_t                 n;
    ngx_media_silence_t        silence;
    const ngx_media_codec_t   *codec;
    const ngx_media_params_t  *params;

    params = ngx_media_vod_params(ctx->file, ctx->track, description);
    codec = params ? ngx_media_codec_find(params->codec) : NULL;

    if (codec == NULL || codec->silence == NULL
        || codec->silence(params, &silence) != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = ngx_media_span_len(&silence.frame);
    n = NGX_MEDIA_VOD_SILENCE / len;
    n = ngx_max(n, 1);
    n = ngx_min(n, ctx->frames->nsamples);

    p = ngx_pnalloc(ctx->pool, n * len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->silence = p;
    ctx->silence_len = n * len;
    ctx->silence_frame = (uint32_t) len;
    ctx->silence_description = description;

    while (n--) {
        p = ngx_cpymem(p, silence.frame.pos, len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_frames_fail(const ngx_media_vod_source_t *source,
    const ngx_media_vod_set_clip_t *clip, uint64_t number, ngx_pool_t *pool,
    const char *error)
{
    ngx_log_error(NGX_LOG_ERR, pool->log, 0,
                  "media vod: \"%V\": segment %uL %s",
                  &source->files[clip->file].path, number, error);

    return NGX_ERROR;
}


ngx_int_t
ngx_media_vod_init(const ngx_media_vod_source_t *source, ngx_uint_t track,
    uint64_t name, ngx_pool_t *pool, ngx_str_t *bytes)
{
    uint32_t                      i, n;
    ngx_int_t                     rc;
    ngx_media_params_t            own;
    const ngx_media_vod_set_t    *set;
    const ngx_media_params_t     *params;
    const ngx_media_vod_file_t   *file;
    const ngx_media_vod_track_t  *t;
    ngx_media_vod_set_clip_t     *clip;

    set = source->set;

    if (track >= set->ntracks) {
        return NGX_DECLINED;
    }

    if (ngx_media_vod_set_track(set, track)->text) {
        ngx_media_vod_text_params(&own);

        return ngx_media_vod_init_write(&own, name, pool, bytes);
    }

    for (i = 0; i < set->nperiods; i++) {
        clip = ngx_media_vod_set_clip(set, i, track);

        if (clip->track == NGX_MEDIA_VOD_NONE) {
            continue;
        }

        if (clip->own) {
            ngx_media_params_copy(&own, ngx_media_vod_at(set, clip->own));
            own.delay = clip->edit;

            rc = ngx_media_vod_init_write(&own, name, pool, bytes);

            if (rc != NGX_DECLINED) {
                return rc;
            }

            continue;
        }

        file = source->files[clip->file].file;
        t = &file->tracks[clip->track];

        for (n = 1; n <= t->nparams; n++) {

            /* of most tracks there is one */

            if (t->nparams == 1 && clip->init != name) {
                continue;
            }

            params = ngx_media_vod_params(file, t, n);

            if (params == NULL) {
                continue;
            }

            ngx_media_params_copy(&own, params);
            own.delay = clip->edit;

            rc = ngx_media_vod_init_write(&own, name, pool, bytes);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_media_vod_init_write(const ngx_media_params_t *params, uint64_t name,
    ngx_pool_t *pool, ngx_str_t *bytes)
{
    bytes->len = ngx_media_mp4_write_init(NULL, params);

    bytes->data = ngx_pnalloc(pool, bytes->len + 1);
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_mp4_write_init(bytes->data, params);

    return (ngx_media_hash(bytes->data, bytes->len) == name) ? NGX_OK
                                                             : NGX_DECLINED;
}
