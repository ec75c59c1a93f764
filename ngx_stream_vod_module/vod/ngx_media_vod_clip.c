
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_blob.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_movie.h"
#include "vod/ngx_media_vod_clip.h"
#include "vod/ngx_media_vod_set_make.h"

#include <stdio.h>
#include <stdlib.h>


/* frames of audio that come before the first one that is heard: that one is
   cut, and what decoders need to begin with */
#define NGX_MEDIA_VOD_CLIP_AUDIO   2
#define NGX_MEDIA_VOD_CLIP_BOUND   5          /* of NGX_MEDIA_IS_BOUND */


typedef struct {
    ngx_media_vod_clip_make_t   *make;
    ngx_media_mp4_movie_t        movie;
    ngx_media_mp4_movie_track_t  tracks[NGX_MEDIA_VOD_TRACKS];
    uint32_t                     file;
} ngx_media_vod_clip_ctx_t;


static ngx_int_t ngx_media_vod_clip_file(ngx_media_vod_clip_ctx_t *ctx);
static ngx_int_t ngx_media_vod_clip_tracks(ngx_media_vod_clip_ctx_t *ctx);
static ngx_int_t ngx_media_vod_clip_track(ngx_media_vod_clip_ctx_t *ctx,
    uint32_t track);
static int64_t ngx_media_vod_clip_finish(const ngx_media_vod_clip_ctx_t *ctx,
    const ngx_media_vod_set_track_t *track, int64_t origin,
    uint32_t timescale);
static ngx_int_t ngx_media_vod_clip_range(ngx_media_mp4_movie_track_t *t,
    uint32_t type, uint32_t codec);
static ngx_int_t ngx_media_vod_clip_movie(ngx_media_vod_clip_ctx_t *ctx);
static ngx_int_t ngx_media_vod_clip_ranges(ngx_media_vod_clip_ctx_t *ctx);
static ngx_int_t ngx_media_vod_clip_fail(ngx_media_vod_clip_ctx_t *ctx,
    ngx_uint_t status, const char *text);


void
ngx_media_vod_clip_make(ngx_media_vod_clip_make_t *make)
{
    const ngx_media_vod_set_t  *set;
    ngx_media_vod_clip_ctx_t   *ctx;

    set = make->source->set;

    make->status = 404;

    if (make->to < 0 || make->to > set->duration) {
        make->to = set->duration;
    }

    if (make->source->map->live || set->nperiods != 1
        || make->from >= make->to)
    {
        return;
    }

    ctx = calloc(1, sizeof(ngx_media_vod_clip_ctx_t));
    if (ctx == NULL) {
        make->status = 500;
        return;
    }

    ctx->make = make;
    ctx->movie.tracks = ctx->tracks;

    if (ngx_media_vod_clip_file(ctx) == NGX_OK
        && ngx_media_vod_clip_tracks(ctx) == NGX_OK
        && ngx_media_vod_clip_movie(ctx) == NGX_OK)
    {
        make->status = 200;
    }

    free(ctx);
}


/* that of the first video, or of the first track */

static ngx_int_t
ngx_media_vod_clip_file(ngx_media_vod_clip_ctx_t *ctx)
{
    uint32_t                          heard, i, other;
    ngx_media_vod_set_clip_t         *clip;
    const ngx_media_vod_set_t        *set;
    const ngx_media_vod_set_track_t  *t;

    set = ctx->make->source->set;

    ctx->file = NGX_MEDIA_VOD_NONE;
    heard = 0;
    other = 0;

    /* tracks are in the order of their types */

    for (i = 0; i < set->ntracks; i++) {
        t = ngx_media_vod_set_track(set, i);
        clip = ngx_media_vod_set_clip(set, 0, i);

        if (clip->track == NGX_MEDIA_VOD_NONE || t->type == NGX_MEDIA_TEXT
            || t->rung)
        {
            continue;
        }

        if (ctx->file == NGX_MEDIA_VOD_NONE) {
            ctx->file = clip->file;
        }

        if (t->type == NGX_MEDIA_AUDIO) {
            if (clip->file == ctx->file) {
                heard = 1;

            } else {
                other = 1;
            }
        }
    }

    if (ctx->file == NGX_MEDIA_VOD_NONE) {
        return NGX_DECLINED;
    }

    ctx->make->open = &ctx->make->source->files[ctx->file];

    if (other && !heard) {
        return ngx_media_vod_clip_fail(ctx, 404,
                                       "its audio is in another file");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_clip_tracks(ngx_media_vod_clip_ctx_t *ctx)
{
    uint32_t                     i;
    ngx_int_t                    rc;
    ngx_media_vod_set_clip_t    *clip;
    const ngx_media_vod_set_t   *set;

    set = ctx->make->source->set;

    for (i = 0; i < set->ntracks; i++) {
        clip = ngx_media_vod_set_clip(set, 0, i);

        if (clip->track == NGX_MEDIA_VOD_NONE || clip->file != ctx->file
            || ngx_media_vod_set_track(set, i)->type == NGX_MEDIA_TEXT
            || clip->own
            || ctx->movie.ntracks == NGX_MEDIA_VOD_TRACKS)
        {
            continue;
        }

        rc = ngx_media_vod_clip_track(ctx, i);

        if (rc == NGX_ERROR) {
            return ngx_media_vod_clip_fail(ctx, 500, "index is broken");
        }

        if (rc == NGX_OK) {
            ctx->movie.ntracks++;
        }
    }

    return ctx->movie.ntracks ? NGX_OK : NGX_DECLINED;
}


/* NGX_DECLINED: it has nothing there */

static ngx_int_t
ngx_media_vod_clip_track(ngx_media_vod_clip_ctx_t *ctx, uint32_t track)
{
    ngx_uint_t                    i;
    const ngx_media_plan_t       *plan;
    const ngx_media_vod_set_t    *set;
    ngx_media_vod_set_clip_t     *clip;
    const ngx_media_params_t     *params;
    const ngx_media_vod_file_t   *file;
    const ngx_media_vod_track_t  *from;
    ngx_media_mp4_movie_track_t  *t;
    ngx_media_vod_set_track_t    *st;

    set = ctx->make->source->set;
    file = ctx->make->open->file;
    st = ngx_media_vod_set_track(set, track);
    clip = ngx_media_vod_set_clip(set, 0, track);
    plan = ngx_media_vod_set_plan(set, clip);
    from = &file->tracks[clip->track];
    params = ngx_media_vod_params(file, from, clip->description);

    if (plan->last == 0 || params == NULL) {
        return NGX_DECLINED;
    }

    t = &ctx->tracks[ctx->movie.ntracks];

    t->index = ngx_media_vod_at(file, from->index);
    t->params = ngx_media_vod_at(file, from->params);
    t->params_size = from->params_size;
    t->nparams = from->nparams;
    t->start = plan->origin
               + ngx_media_plan_rescale(ctx->make->from, 1000,
                                        t->index->timescale);
    t->finish = ngx_media_vod_clip_finish(ctx, st, plan->origin,
                                          t->index->timescale);

    t->lang.data = st->lang;
    t->lang.len = ngx_strlen(st->lang);
    t->label.data = st->label;
    t->label.len = ngx_strlen(st->label);

    ngx_media_lang_code(t->code, st->lang);

    /* of each type one is played: the first, others are chosen */

    for (i = 0; i < ctx->movie.ntracks; i++) {
        if (ctx->tracks[i].params->type == params->type) {
            t->disabled = 1;
        }
    }

    return ngx_media_vod_clip_range(t, params->type, params->codec);
}


/*
 * In times of the index.  Up to the end of the file is to its last tick, not
 * to its last ms; what the map cuts off is not shown, although a frame of
 * audio goes on there.
 */

static int64_t
ngx_media_vod_clip_finish(const ngx_media_vod_clip_ctx_t *ctx,
    const ngx_media_vod_set_track_t *track, int64_t origin,
    uint32_t timescale)
{
    int64_t                      finish, to;
    const ngx_media_vod_map_t   *map;
    const ngx_media_vod_clip_t  *clip;

    map = ctx->make->source->map;
    clip = &map->sequences[track->sequence].clips[0];

    finish = INT64_MAX;

    if (ctx->make->to < ctx->make->source->set->duration) {
        finish = origin + ngx_media_plan_rescale(ctx->make->to, 1000,
                                                 timescale);
    }

    to = clip->to;

    if (map->durations && map->durations[0] > 0
        && (to < 0 || to - clip->from > map->durations[0]))
    {
        to = clip->from + map->durations[0];
    }

    if (to >= 0) {
        to = ngx_media_plan_rescale(to, 1000, timescale);
        finish = ngx_min(finish, to);
    }

    return finish;
}


static ngx_int_t
ngx_media_vod_clip_range(ngx_media_mp4_movie_track_t *t, uint32_t type,
    uint32_t codec)
{
    int64_t                   end;
    uint32_t                  back;
    ngx_int_t                 rc;
    ngx_media_plan_range_t    range;
    const ngx_media_codec_t  *entry;

    if (ngx_media_plan_range(&range, t->index, type, t->start, t->finish)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (type == NGX_MEDIA_AUDIO) {
        entry = ngx_media_codec_find(codec);
        back = (entry && (entry->flags & NGX_MEDIA_IS_BOUND))
               ? NGX_MEDIA_VOD_CLIP_BOUND : NGX_MEDIA_VOD_CLIP_AUDIO;

        range.first -= ngx_min(back, range.first);
    }

    if (range.first >= range.end) {
        return NGX_DECLINED;
    }

    rc = ngx_media_plan_end(t->index, &range, &end);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_DECLINED : NGX_ERROR;
    }

    t->first = range.first;
    t->end = range.end;

    return (end > 0) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_media_vod_clip_movie(ngx_media_vod_clip_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_media_vod_clip_make_t  *make;

    make = ctx->make;

    rc = ngx_media_mp4_movie_scan(&ctx->movie);

    if (rc != NGX_OK) {
        return ngx_media_vod_clip_fail(ctx, 500, (rc == NGX_DECLINED)
                                       ? "has samples that are not served"
                                       : "index is broken");
    }

    if (ctx->movie.head > NGX_MEDIA_VOD_CLIP_MAX) {
        return ngx_media_vod_clip_fail(ctx, 413, "clip has too many samples");
    }

    rc = ngx_media_vod_clip_ranges(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    make->len = (size_t) ctx->movie.head;
    make->bytes = ctx->movie.bytes;

    make->head = malloc(make->len);

    if (make->head == NULL) {
        return ngx_media_vod_clip_fail(ctx, 500, "no memory");
    }

    if (ngx_media_mp4_movie_write(&ctx->movie, make->head) != NGX_OK) {
        return ngx_media_vod_clip_fail(ctx, 500, "index is broken");
    }

    return NGX_OK;
}


/* counted first, then written */

static ngx_int_t
ngx_media_vod_clip_ranges(ngx_media_vod_clip_ctx_t *ctx)
{
    uint64_t                    end;
    ngx_int_t                   rc;
    ngx_uint_t                  n, pass, track;
    ngx_media_index_sample_t    sample;
    ngx_media_piece_t          *range;
    ngx_media_vod_clip_make_t  *make;

    make = ctx->make;

    for (pass = 0; pass < 2; pass++) {
        n = 0;
        end = 0;

        if (ngx_media_mp4_movie_rewind(&ctx->movie) != NGX_OK) {
            return ngx_media_vod_clip_fail(ctx, 500, "index is broken");
        }

        for ( ;; ) {
            rc = ngx_media_mp4_movie_next(&ctx->movie, &track, &sample);

            if (rc == NGX_DONE) {
                break;
            }

            if (rc != NGX_OK) {
                return ngx_media_vod_clip_fail(ctx, 500, "index is broken");
            }

            if (sample.size == 0) {
                continue;
            }

            if (n == 0 || sample.offset != end) {

                if (pass) {
                    range = &make->ranges[n];
                    range->offset = (off_t) sample.offset;
                    range->size = 0;
                    range->memory = NULL;
                }

                n++;
            }

            if (pass) {
                make->ranges[n - 1].size += sample.size;
            }

            end = sample.offset + sample.size;
        }

        if (pass == 0) {

            if (n > (NGX_MEDIA_VOD_CLIP_MAX - ctx->movie.head)
                    / sizeof(ngx_media_piece_t))
            {
                return ngx_media_vod_clip_fail(ctx, 413,
                                               "clip is of too many pieces");
            }

            make->ranges = malloc((n + 1) * sizeof(ngx_media_piece_t));

            if (make->ranges == NULL) {
                return ngx_media_vod_clip_fail(ctx, 500, "no memory");
            }
        }
    }

    make->nranges = n;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_clip_fail(ngx_media_vod_clip_ctx_t *ctx, ngx_uint_t status,
    const char *text)
{
    ctx->make->status = status;

    (void) snprintf((char *) ctx->make->error, NGX_MEDIA_VOD_ERROR,
                    "\"%.200s\": %s", (char *) ctx->make->open->path.data,
                    text);

    return NGX_ERROR;
}
