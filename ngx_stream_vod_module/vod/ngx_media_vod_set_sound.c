
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Audio that is made, in a set: a track beside each track of audio that has
 * another codec than the ladder asks for.  Its frames begin at multiples of
 * their length from the begin of the clip, and an index of these, which have
 * no bytes yet, is planned as that of any other track.
 */


#include "vod/ngx_media_vod_set_make.h"

#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_audio.h"
#include "formats/ngx_media_index_build.h"

#include <stdio.h>
#include <stdlib.h>


#define NGX_MEDIA_VOD_SET_PIECE   (256 * 1024)

/* frames of one clip: two days */
#define NGX_MEDIA_VOD_SET_SOUNDS  8388608


static void ngx_media_vod_set_sounds_only(ngx_media_vod_set_ctx_t *ctx);
static void ngx_media_vod_set_sound_add(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t source, ngx_uint_t audio);
static ngx_int_t ngx_media_vod_set_sound_open(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t audio, const ngx_media_params_t *source,
    ngx_media_vod_set_own_t *own, u_char *error);
static ngx_int_t ngx_media_vod_set_sound_index(ngx_media_vod_set_own_t *own,
    uint32_t n);
static ngx_int_t ngx_media_vod_set_sound_build(ngx_media_index_build_t *build,
    ngx_media_vod_set_own_t *own, uint32_t n);


ngx_int_t
ngx_media_vod_set_sounds(ngx_media_vod_set_ctx_t *ctx)
{
    uint32_t                         n;
    ngx_uint_t                       audio, i, ntracks;
    const ngx_media_ladder_t        *ladder;
    const ngx_media_params_t        *params;
    const ngx_media_vod_file_t      *file;
    const ngx_media_ladder_audio_t  *a;

    if (ctx->make->ladder == NULL) {
        return NGX_OK;
    }

    ladder = ctx->make->ladder->ladder;
    ntracks = ctx->ntracks;

    for (i = 0; i < ntracks; i++) {

        if (ctx->tracks[i].type != NGX_MEDIA_AUDIO) {
            continue;
        }

        n = ngx_media_vod_set_find(ctx, i, 0);
        file = ctx->make->files[ctx->tracks[i].sequence
                                * ctx->make->map->nclips].file;
        params = (n == NGX_MEDIA_VOD_NONE)
                 ? NULL : ngx_media_vod_params(file, &file->tracks[n], 0);

        for (audio = 0; params && audio < ladder->naudios; audio++) {
            a = &ladder->audios[audio];

            if (a->codec != params->codec
                || a->when == NGX_MEDIA_LADDER_ALWAYS)
            {
                ngx_media_vod_set_sound_add(ctx, i, audio);
            }
        }
    }

    ngx_media_vod_set_sounds_only(ctx);

    return ctx->no_memory ? NGX_ERROR : NGX_OK;
}


/* of what no manifest carries that which is made is all there is */

static void
ngx_media_vod_set_sounds_only(ngx_media_vod_set_ctx_t *ctx)
{
    uint32_t    k;
    ngx_uint_t  i;

    if (ctx->make->ladder->ladder->naudios == 0) {
        return;
    }

    for (i = 0; i < ctx->make->map->nsequences; i++) {

        for (k = 0; k < NGX_MEDIA_VOD_TRACKS; k++) {

            if (!ngx_media_vod_set_foreign(ctx, NGX_MEDIA_AUDIO, i, k)) {
                break;
            }

            ngx_media_vod_set_sound_add(ctx, ctx->ntracks, 0);
        }
    }
}


static void
ngx_media_vod_set_sound_add(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t source,
    ngx_uint_t audio)
{
    u_char                       error[NGX_MEDIA_AV_ERROR];
    uint32_t                     n;
    ngx_uint_t                   i;
    const ngx_media_params_t    *params;
    const ngx_media_vod_file_t  *file;
    ngx_media_vod_set_own_t     *own;
    ngx_media_vod_set_track_t   *track;

    track = &ctx->tracks[source];

    own = ngx_media_vod_set_own(ctx);
    if (own == NULL) {
        return;
    }

    for (i = 0; i < ctx->make->map->nclips; i++) {
        n = ngx_media_vod_set_find(ctx, source, i);

        if (n == NGX_MEDIA_VOD_NONE) {
            continue;
        }

        file = ctx->make->files[track->sequence * ctx->make->map->nclips
                                + i].file;
        params = ngx_media_vod_params_any(file, &file->tracks[n], 0);

        if (ngx_media_vod_set_sound_open(ctx, audio, params, &own[i], error)
            != NGX_OK)
        {
            ngx_media_vod_set_note(ctx, "no %s is made of audio %u: %s",
                                ctx->make->ladder->ladder->audios[audio]
                                                          .name.data,
                                (unsigned) ctx->ordinal[source] + 1, error);

            ngx_media_vod_set_disown(ctx, ctx->ntracks);
            return;
        }
    }

    for (i = 0; i < ctx->make->map->nclips; i++) {
        ngx_media_vod_set_mark(ctx, own[i].made);
    }

    if (source != ctx->ntracks) {
        ctx->tracks[ctx->ntracks] = *track;
        ctx->tracks[ctx->ntracks].is_default = 0;
        ctx->ordinal[ctx->ntracks] = ctx->ordinal[source];
        ctx->foreign[ctx->ntracks] = ctx->foreign[source];
    }

    ctx->tracks[ctx->ntracks].rung = (uint32_t) audio + 1;
    ctx->ntracks++;
}


static ngx_int_t
ngx_media_vod_set_sound_open(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t audio,
    const ngx_media_params_t *source, ngx_media_vod_set_own_t *own,
    u_char *error)
{
    uint64_t                         made[3];
    ngx_media_params_t              *params;
    ngx_media_av_audio_t            *a;
    const ngx_media_ladder_t        *ladder;
    ngx_media_av_audio_conf_t        conf;
    const ngx_media_ladder_audio_t  *la;

    ladder = ctx->make->ladder->ladder;
    la = &ladder->audios[audio];

    ngx_memzero(&conf, sizeof(ngx_media_av_audio_conf_t));

    conf.source = source;
    conf.codec = la->codec;
    conf.bitrate = la->bitrate;
    conf.channels = la->channels;
    conf.rate = la->rate;
    conf.segment = 1;

    a = ngx_media_av_audio_open(&conf, error);
    if (a == NULL) {
        return NGX_ERROR;
    }

    params = calloc(1, sizeof(ngx_media_params_t));

    if (params == NULL) {
        ngx_media_av_audio_close(a);
        ctx->no_memory = 1;
        error[0] = '\0';
        return NGX_ERROR;
    }

    ngx_media_params_copy(params, ngx_media_av_audio_params(a));

    ngx_media_av_audio_close(a);

    made[0] = ngx_media_ladder_audio_tag(ladder, audio);
    made[1] = ngx_media_av_version(ngx_media_av_audio_encoder(la->codec));
    made[2] = ngx_media_hash((u_char *) params,
                             ngx_media_params_size(params));

    own->params = params;
    own->made = ngx_media_hash((u_char *) made, sizeof(made));

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_set_sound_frames(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, int64_t begin, int64_t end,
    ngx_media_plan_range_t *range)
{
    int64_t                     before, samples;
    uint32_t                    n, timescale;
    ngx_media_vod_set_own_t    *own;
    const ngx_media_params_t   *params;
    const ngx_media_vod_file_t *file;

    own = &ctx->own[track][clip];
    params = own->params;
    samples = params->frame_samples;

    if (samples == 0 || params->timescale == 0) {
        return ngx_media_vod_set_fail(ctx, 500, "%s has frames of no length",
                                      ctx->tracks[track].name);
    }

    /* in its own scale, from the clip's begin: whole frames before that */

    begin = ngx_media_plan_rescale(begin, NGX_MEDIA_VIDEO_TIMESCALE,
                                   params->timescale);
    end = ngx_media_plan_rescale(end, NGX_MEDIA_VIDEO_TIMESCALE,
                                 params->timescale);

    before = (begin < 0) ? (-begin + samples - 1) / samples : 0;
    end = (end > 0) ? (end + samples - 1) / samples : 0;

    if (before + end < 1 || before + end >= NGX_MEDIA_VOD_SET_SOUNDS) {
        return ngx_media_vod_set_fail(ctx, 500, "%s lasts too long",
                                      ctx->tracks[track].name);
    }

    n = (uint32_t) (before + end);

    if (ngx_media_vod_set_sound_index(own, n + 1) != NGX_OK) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    /* until now it is that of its source */

    file = ctx->make->files[ngx_media_vod_set_clip(ctx->set, clip, track)
                            ->file].file;
    timescale = file->tracks[ngx_media_vod_set_clip(ctx->set, clip, track)
                             ->track].timescale;

    own->origin = range->origin
                  - ngx_media_plan_rescale(before * samples, params->timescale,
                                           timescale);

    range->first = 0;
    range->end = n;
    range->origin = before * samples;

    return NGX_OK;
}


/* NGX_ERROR: no memory */

static ngx_int_t
ngx_media_vod_set_sound_index(ngx_media_vod_set_own_t *own, uint32_t n)
{
    ngx_int_t                 rc;
    ngx_media_index_build_t  *build;
    ngx_media_index_piece_t  *next, *piece;

    build = calloc(1, sizeof(ngx_media_index_build_t));
    if (build == NULL) {
        return NGX_ERROR;
    }

    ngx_media_index_build_init(build, own->params->timescale, UINT64_MAX, n);

    rc = ngx_media_vod_set_sound_build(build, own, n);

    if (rc == NGX_OK) {
        own->index = malloc(build->size);
        rc = NGX_ERROR;

        if (own->index) {
            ngx_media_index_pack(build, own->index);
            rc = NGX_OK;
        }
    }

    for (piece = build->first; piece; piece = next) {
        next = piece->next;
        free(piece);
    }

    free(build);

    return rc;
}


static ngx_int_t
ngx_media_vod_set_sound_build(ngx_media_index_build_t *build,
    ngx_media_vod_set_own_t *own, uint32_t n)
{
    void                      *p;
    uint32_t                   i;
    ngx_int_t                  rc;
    ngx_media_index_sample_t   sample;

    ngx_memzero(&sample, sizeof(ngx_media_index_sample_t));

    sample.duration = own->params->frame_samples;
    sample.size = 1;
    sample.description = 1;
    sample.key = 1;

    for (i = 0; i <= n; /* void */ ) {

        if (i < n) {
            rc = ngx_media_index_add(build, &sample);

        } else {
            rc = ngx_media_index_finish(build);
        }

        if (rc == NGX_AGAIN) {
            p = malloc(NGX_MEDIA_VOD_SET_PIECE);
            if (p == NULL) {
                return NGX_ERROR;
            }

            ngx_media_index_piece(build, p, NGX_MEDIA_VOD_SET_PIECE);
            continue;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        sample.dts += own->params->frame_samples;
        sample.offset++;
        i++;
    }

    return NGX_OK;
}

#else

ngx_int_t
ngx_media_vod_set_sounds(ngx_media_vod_set_ctx_t *ctx)
{
    return NGX_OK;
}


ngx_int_t
ngx_media_vod_set_sound_frames(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, int64_t begin, int64_t end,
    ngx_media_plan_range_t *range)
{
    return NGX_ERROR;
}

#endif
