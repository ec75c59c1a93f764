
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A set as the packager sees streams.  Segments have the numbers of the set,
 * and media times with the base of their clip.
 *
 * What has no samples is not listed: a track that ends sooner than its set, or
 * whose key frames are too far apart, so that the segment before goes on.
 * Where else a track has nothing, and no silence either, it has gaps, so that
 * the playlists of all tracks stay in step.
 */


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_write.h"
#include "vod/ngx_media_vod_set_make.h"


/* ms: players that follow a channel have seen by then that it is over */
#define NGX_MEDIA_VOD_SETTLE  60000


/* where a DASH period begins, and HLS has a discontinuity */

typedef struct {
    uint64_t                  number;
    int64_t                   time;           /* in timescale, with base */
    uint32_t                  timescale;
    int64_t                   wall;           /* ms since the epoch; -1 */
} ngx_media_vod_mark_t;


typedef struct {
    const ngx_media_vod_source_t
                             *source;
    const ngx_media_vod_set_t
                             *set;
    ngx_pool_t               *pool;
    ngx_media_stream_view_t  *stream;
    ngx_media_vod_listed_t   *turns;
    ngx_uint_t                nturns;
    ngx_media_vod_mark_t     *marks;
    ngx_uint_t                nmarks;
    uint32_t                **descriptions;   /* [period][track], of each
                                                 segment; NULL: the clip's */

    /* of a track */
    ngx_media_track_view_t   *view;
    ngx_uint_t                track;
    ngx_uint_t                mark;           /* of the last segment */
} ngx_media_vod_view_ctx_t;


static ngx_int_t ngx_media_vod_view_stream(ngx_media_vod_view_ctx_t *ctx);
static ngx_int_t ngx_media_vod_view_descriptions(
    ngx_media_vod_view_ctx_t *ctx, ngx_uint_t *changes);
static ngx_int_t ngx_media_vod_view_describe(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period, uint32_t track, uint32_t **descriptions);
static ngx_int_t ngx_media_vod_view_marks(ngx_media_vod_view_ctx_t *ctx,
    ngx_uint_t changes);
static void ngx_media_vod_view_changes(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_vod_listed_t *listed);
static ngx_uint_t ngx_media_vod_view_changed(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period, uint32_t segment);
static ngx_uint_t ngx_media_vod_view_joint(ngx_media_vod_view_ctx_t *ctx,
    uint32_t prev, uint32_t period);
static ngx_uint_t ngx_media_vod_view_continuous(
    ngx_media_vod_view_ctx_t *ctx);
static ngx_int_t ngx_media_vod_view_track(ngx_media_vod_view_ctx_t *ctx,
    ngx_uint_t listed);
static ngx_int_t ngx_media_vod_view_inits(ngx_media_vod_view_ctx_t *ctx);
static ngx_int_t ngx_media_vod_view_init(ngx_media_vod_view_ctx_t *ctx,
    uint64_t name, const ngx_media_params_t *params);
static ngx_int_t ngx_media_vod_view_segments(ngx_media_vod_view_ctx_t *ctx);
static ngx_int_t ngx_media_vod_view_turn(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_vod_listed_t *listed);
static void ngx_media_vod_view_time(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_vod_turn_t *turn, uint32_t n,
    const ngx_media_plan_segment_t *own, ngx_media_segment_t *segment);
static ngx_int_t ngx_media_vod_view_described(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period, uint32_t n, uint64_t *name);
static void ngx_media_vod_view_add(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_segment_t *segment);
static ngx_uint_t ngx_media_vod_view_forced(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period);
static const ngx_media_index_t *ngx_media_vod_view_video(
    ngx_media_vod_view_ctx_t *ctx, uint32_t period);
static ngx_uint_t ngx_media_vod_view_leading(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period);


static ngx_inline void
ngx_media_vod_view_str(ngx_str_t *str, const u_char *text)
{
    str->data = (u_char *) text;
    str->len = ngx_strlen(text);
}


ngx_int_t
ngx_media_vod_view(const ngx_media_vod_source_t *source, ngx_pool_t *pool,
    ngx_uint_t track, ngx_media_stream_view_t *view)
{
    ngx_uint_t                i, changes;
    ngx_media_vod_view_ctx_t  ctx;

    ngx_memzero(view, sizeof(ngx_media_stream_view_t));
    ngx_memzero(&ctx, sizeof(ngx_media_vod_view_ctx_t));

    ctx.source = source;
    ctx.set = source->set;
    ctx.pool = pool;
    ctx.stream = view;

    if (ngx_media_vod_listed(source, pool, &ctx.turns, &ctx.nturns) != NGX_OK
        || ngx_media_vod_view_stream(&ctx) != NGX_OK
        || ngx_media_vod_view_descriptions(&ctx, &changes) != NGX_OK
        || ngx_media_vod_view_marks(&ctx, changes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < view->ntracks; i++) {
        ctx.view = &view->tracks[i];
        ctx.track = i;

        if (ngx_media_vod_view_track(&ctx, track == NGX_MEDIA_ALL_TRACKS
                                           || track == i)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_stream(ngx_media_vod_view_ctx_t *ctx)
{
    int64_t                     begin;
    uint64_t                    last[2];
    ngx_uint_t                  i;
    const ngx_media_vod_map_t  *map;
    const ngx_media_vod_set_t  *set;
    ngx_media_stream_view_t    *view;

    static const u_char  hex[] = "0123456789abcdef";

    map = ctx->source->map;
    set = ctx->set;
    view = ctx->stream;

    view->version = set->hash;
    view->state = set->growing ? NGX_MEDIA_STREAM_LIVE
                               : NGX_MEDIA_STREAM_ENDED;
    view->target = set->target;
    view->segment = set->target * 1000;
    view->ready = 1;
    view->tricks = 1;
    view->sparse = 1;
    view->mixed = 1;
    view->renditions = 1;
    view->measured = 1;
    view->event = set->growing;
    view->born = set->born;
    view->duration = set->duration;
    view->window = set->duration;
    view->ntracks = set->ntracks;

    if (ngx_media_vod_is_channel(ctx->source)) {
        view->walls = 1;
        view->state = map->end ? NGX_MEDIA_STREAM_ENDED
                               : NGX_MEDIA_STREAM_LIVE;
        view->event = map->event;
        view->duration = -1;
        view->window = ngx_media_vod_window_size(ctx->source);

        /* who plays when it ends has seen that, and plays on to the end */

        view->settled = map->end
                        && ctx->source->now - map->end_time
                           > NGX_MEDIA_VOD_SETTLE;

        if (ctx->nturns && map->starts) {
            begin = ctx->turns[0].turn.shift
                    + ngx_media_vod_common(set, ctx->turns[0].turn.period,
                                           ctx->turns[0].first, 1000);

            /* with a gap it goes back further than what is shown of it */

            begin = (ctx->source->now - begin + 999) / 1000 * 1000;
            view->window = ngx_max(view->window, (ngx_msec_t) begin);
        }

        if (ctx->nturns) {
            last[0] = ctx->turns[0].turn.number + ctx->turns[0].first;
            last[1] = ctx->turns[ctx->nturns - 1].turn.number
                      + ctx->turns[ctx->nturns - 1].end;
            view->version ^= ngx_media_hash((u_char *) last, sizeof(last));
        }
    }

    view->tag.len = 8;

    view->tag.data = ngx_pnalloc(ctx->pool, view->tag.len);
    if (view->tag.data == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < view->tag.len; i++) {
        view->tag.data[i] = hex[(uint32_t) set->tag >> (28 - i * 4) & 0xf];
    }

    view->tracks = ngx_pcalloc(ctx->pool, (set->ntracks + 1)
                                          * sizeof(ngx_media_track_view_t));

    return view->tracks ? NGX_OK : NGX_ERROR;
}


/*
 * Which sample description each segment has, where they are not all the same:
 * few files have several.  Their segments begin anew where it changes.
 */

static ngx_int_t
ngx_media_vod_view_descriptions(ngx_media_vod_view_ctx_t *ctx,
    ngx_uint_t *changes)
{
    uint32_t                      i, n;
    uint32_t                    **descriptions;
    const ngx_media_index_t      *index;
    const ngx_media_vod_set_t    *set;
    const ngx_media_vod_file_t   *file;
    ngx_media_vod_set_clip_t     *clip;

    set = ctx->set;
    *changes = 0;

    for (i = 0; i < set->nperiods; i++) {
        for (n = 0; n < set->ntracks; n++) {
            clip = ngx_media_vod_set_clip(set, i, n);

            if (clip->track == NGX_MEDIA_VOD_NONE || clip->own
                || ngx_media_vod_set_track(set, n)->text)
            {
                continue;
            }

            file = ctx->source->files[clip->file].file;
            index = ngx_media_vod_at(file, file->tracks[clip->track].index);

            if (!index->descriptions) {
                continue;
            }

            if (ctx->descriptions == NULL) {
                ctx->descriptions = ngx_pcalloc(ctx->pool,
                                          (size_t) set->nperiods * set->ntracks
                                          * sizeof(uint32_t *));
                if (ctx->descriptions == NULL) {
                    return NGX_ERROR;
                }
            }

            descriptions = &ctx->descriptions[i * set->ntracks + n];

            if (ngx_media_vod_view_describe(ctx, i, n, descriptions)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            *changes += ngx_media_vod_set_period_at(set, i)->nsegments;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_describe(ngx_media_vod_view_ctx_t *ctx, uint32_t period,
    uint32_t track, uint32_t **descriptions)
{
    uint32_t                         i, last, n;
    const ngx_media_plan_t          *plan;
    const ngx_media_vod_file_t      *file;
    ngx_media_plan_segment_t         segment;
    ngx_media_fill_reader_t          reader;
    ngx_media_index_sample_t         sample;
    const ngx_media_vod_set_clip_t  *clip;

    clip = ngx_media_vod_set_clip(ctx->set, period, track);
    file = ctx->source->files[clip->file].file;
    plan = ngx_media_vod_set_plan(ctx->set, clip);
    n = plan->nsegments;

    *descriptions = ngx_palloc(ctx->pool, n * sizeof(uint32_t));
    if (*descriptions == NULL) {
        return NGX_ERROR;
    }

    ngx_media_fill_open(&reader, ngx_media_vod_at(file,
                                           file->tracks[clip->track].index),
                        &clip->fill);

    last = clip->description;

    for (i = 0; i < n; i++) {
        (void) ngx_media_plan_segment(plan, i, &segment);

        if (segment.samples) {
            if (ngx_media_fill_seek(&reader, segment.sample) != NGX_OK
                || ngx_media_fill_next(&reader, &sample) != NGX_OK)
            {
                return NGX_ERROR;
            }

            last = sample.description;
        }

        (*descriptions)[i] = last;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_marks(ngx_media_vod_view_ctx_t *ctx, ngx_uint_t changes)
{
    uint32_t                       prev;
    ngx_uint_t                     i, continuous;
    ngx_media_vod_mark_t          *mark;
    const ngx_media_vod_turn_t    *turn;
    const ngx_media_vod_period_t  *period;

    ctx->marks = ngx_palloc(ctx->pool, (ctx->nturns + changes + 1)
                                       * sizeof(ngx_media_vod_mark_t));
    if (ctx->marks == NULL) {
        return NGX_ERROR;
    }

    continuous = ngx_media_vod_view_continuous(ctx);
    prev = 0;

    for (i = 0; i < ctx->nturns; i++) {
        turn = &ctx->turns[i].turn;
        period = ngx_media_vod_set_period_at(ctx->set, turn->period);

        if (i == 0 || !(continuous
                        || (turn->wall < 0
                            && ngx_media_vod_view_joint(ctx, prev,
                                                        turn->period))))
        {
            mark = &ctx->marks[ctx->nmarks++];

            mark->number = turn->number;
            mark->time = period->base + turn->shift;
            mark->timescale = 1000;
            mark->wall = turn->wall;

            if (continuous && turn->wall >= 0) {

                /* one period, whatever clips there are now */

                mark->number = 0;
                mark->time = 0;
                mark->wall = 0;
            }
        }

        prev = turn->period;

        ngx_media_vod_view_changes(ctx, &ctx->turns[i]);
    }

    if (ctx->nturns && ctx->turns[0].turn.wall >= 0 && !continuous) {
        ctx->stream->discontinuity = ctx->turns[0].turn.ordinal;

        if (ctx->turns[0].first == 0 && ctx->stream->discontinuity) {
            ctx->stream->discontinuity--;
        }
    }

    return NGX_OK;
}


/* and where parameters change inside of a clip, for all tracks */

static void
ngx_media_vod_view_changes(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_vod_listed_t *listed)
{
    uint32_t               n;
    ngx_media_vod_mark_t  *mark;

    if (ctx->descriptions == NULL) {
        return;
    }

    for (n = ngx_max(listed->first, 1); n < listed->end; n++) {

        if (!ngx_media_vod_view_changed(ctx, listed->turn.period, n)) {
            continue;
        }

        mark = &ctx->marks[ctx->nmarks++];

        mark->number = listed->turn.number + n;
        mark->timescale = NGX_MEDIA_VIDEO_TIMESCALE;
        mark->time = ngx_media_vod_common(ctx->set, listed->turn.period, n,
                                          mark->timescale)
                     + ngx_media_plan_rescale(listed->turn.shift, 1000,
                                              mark->timescale);
        mark->wall = -1;

        if (listed->turn.wall >= 0) {
            mark->wall = ngx_media_vod_common(ctx->set, listed->turn.period, n,
                                              1000) + listed->turn.shift;
        }
    }
}


static ngx_uint_t
ngx_media_vod_view_changed(ngx_media_vod_view_ctx_t *ctx, uint32_t period,
    uint32_t segment)
{
    uint32_t  i;
    uint32_t  *descriptions;

    for (i = 0; i < ctx->set->ntracks; i++) {
        descriptions = ctx->descriptions[period * ctx->set->ntracks + i];

        if (descriptions && descriptions[segment] != descriptions[segment - 1])
        {
            return 1;
        }
    }

    return 0;
}


/* a clip goes on as the one before, in all its tracks */

static ngx_uint_t
ngx_media_vod_view_joint(ngx_media_vod_view_ctx_t *ctx, uint32_t prev,
    uint32_t period)
{
    uint32_t                         i;
    const ngx_media_vod_set_clip_t  *a, *b;

    if (ctx->source->map->discontinuity) {
        return 0;
    }

    for (i = 0; i < ctx->set->ntracks; i++) {
        a = ngx_media_vod_set_clip(ctx->set, prev, i);
        b = ngx_media_vod_set_clip(ctx->set, period, i);

        if (a->init != b->init) {
            return 0;
        }
    }

    return 1;
}


/* a channel without discontinuities, and so a single period */

static ngx_uint_t
ngx_media_vod_view_continuous(ngx_media_vod_view_ctx_t *ctx)
{
    uint32_t                       i;
    const ngx_media_vod_period_t  *period;

    if (!ngx_media_vod_is_channel(ctx->source)
        || ctx->source->map->discontinuity)
    {
        return 0;
    }

    for (i = 1; i < ctx->set->nperiods; i++) {
        period = ngx_media_vod_set_period_at(ctx->set, i);

        if (!ngx_media_vod_view_joint(ctx, i - 1, i)
            || period->start != period[-1].start + period[-1].duration)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_media_vod_view_track(ngx_media_vod_view_ctx_t *ctx, ngx_uint_t listed)
{
    uint32_t                          i;
    ngx_media_track_view_t           *view;
    const ngx_media_plan_t           *plan;
    const ngx_media_vod_file_t       *file;
    const ngx_media_vod_track_t      *t;
    const ngx_media_vod_set_clip_t   *clip;
    const ngx_media_vod_set_track_t  *track;

    view = ctx->view;
    track = ngx_media_vod_set_track(ctx->set, ctx->track);

    view->index = ctx->track;
    view->type = track->type;
    view->bandwidth = track->bandwidth;
    view->average = track->average;
    view->key_bandwidth = track->key_bandwidth;
    view->ts_bandwidth = track->ts_bandwidth;
    view->ts_average = track->ts_average;
    view->ts_key_bandwidth = track->ts_key_bandwidth;
    view->fps = track->fps;
    view->apart = track->apart;
    view->ended = (ctx->stream->state == NGX_MEDIA_STREAM_ENDED);
    view->parts_off = 1;
    view->ts_off = track->ts_off;
    view->is_default = track->is_default;
    view->forced = track->forced;
    view->sdh = track->sdh;
    view->described = track->described;

    ngx_media_vod_view_str(&view->name, track->name);
    ngx_media_vod_view_str(&view->lang, track->lang);
    ngx_media_vod_view_str(&view->label, track->label);

    for (i = 0; i < ctx->set->nperiods; i++) {
        ctx->stream->forced |= ngx_media_vod_view_forced(ctx, i);
    }

    /* of the first clip that has it */

    for (i = 0; i < ctx->set->nperiods; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, i, ctx->track);

        if (clip->track != NGX_MEDIA_VOD_NONE) {
            break;
        }
    }

    if (i == ctx->set->nperiods) {
        return NGX_ERROR;
    }

    file = ctx->source->files[clip->file].file;
    t = &file->tracks[clip->track];
    plan = ngx_media_vod_set_plan(ctx->set, clip);

    view->timescale = track->text ? 1000 : plan->timescale;

    if (clip->own == 0) {
        ngx_media_vod_view_str(&view->supplemental, t->supplemental);
        ngx_media_vod_view_str(&view->brands, t->brands);
    }

    if (ngx_media_vod_view_inits(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return listed ? ngx_media_vod_view_segments(ctx) : NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_inits(ngx_media_vod_view_ctx_t *ctx)
{
    uint32_t                          i;
    ngx_media_params_t                own;
    const ngx_media_params_t         *params;
    const ngx_media_vod_set_clip_t   *clip;
    const ngx_media_vod_set_track_t  *track;

    track = ngx_media_vod_set_track(ctx->set, ctx->track);

    for (i = 0; i < ctx->set->nperiods; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, i, ctx->track);

        if (clip->track == NGX_MEDIA_VOD_NONE && !track->text) {
            continue;
        }

        if (track->text) {
            ngx_media_vod_text_params(&own);

        } else {
            params = ngx_media_vod_clip_params(ctx->set, ctx->source->files,
                                               clip, clip->description);

            if (params == NULL) {
                return NGX_ERROR;
            }

            ngx_media_params_copy(&own, params);
            own.delay = clip->edit;
        }

        if (ngx_media_vod_view_init(ctx, clip->init, &own) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_init(ngx_media_vod_view_ctx_t *ctx, uint64_t name,
    const ngx_media_params_t *params)
{
    ngx_uint_t                i;
    ngx_media_init_t         *init;
    ngx_media_track_view_t   *view;
    const ngx_media_codec_t  *codec;

    view = ctx->view;

    for (i = 0; i < view->ninits; i++) {
        if (view->inits[i].name == name) {
            return NGX_OK;
        }
    }

    /* few tracks have a second one: room is doubled when it is used up */

    if ((view->ninits & (view->ninits - 1)) == 0) {

        init = ngx_palloc(ctx->pool,
                          (view->ninits * 2 + 1) * sizeof(ngx_media_init_t));
        if (init == NULL) {
            return NGX_ERROR;
        }

        if (view->ninits) {
            ngx_memcpy(init, view->inits,
                       view->ninits * sizeof(ngx_media_init_t));
        }

        view->inits = init;
    }

    init = &view->inits[view->ninits++];

    init->name = name;
    ngx_media_params_copy(&init->params, params);
    init->codec_len = 0;

    codec = ngx_media_codec_find(params->codec);

    if (codec) {
        init->codec_len = codec->string(init->codec, params);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_segments(ngx_media_vod_view_ctx_t *ctx)
{
    size_t      total;
    ngx_uint_t  i;

    total = 1;

    for (i = 0; i < ctx->nturns; i++) {
        total += ctx->turns[i].end - ctx->turns[i].first;
    }

    ctx->view->segments = ngx_palloc(ctx->pool,
                                     total * sizeof(ngx_media_segment_t));
    if (ctx->view->segments == NULL) {
        return NGX_ERROR;
    }

    ctx->mark = 0;

    for (i = 0; i < ctx->nturns; i++) {
        if (ngx_media_vod_view_turn(ctx, &ctx->turns[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_turn(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_vod_listed_t *listed)
{
    uint32_t                          i, leading, period;
    ngx_uint_t                        common, forced;
    ngx_media_segment_t               s;
    const ngx_media_plan_t           *plan;
    ngx_media_plan_segment_t          own;
    const ngx_media_vod_set_clip_t   *clip;
    const ngx_media_vod_set_track_t  *track;

    period = listed->turn.period;
    track = ngx_media_vod_set_track(ctx->set, ctx->track);
    clip = ngx_media_vod_set_clip(ctx->set, period, ctx->track);
    plan = ngx_media_vod_set_plan(ctx->set, clip);

    forced = ngx_media_vod_view_forced(ctx, period);

    ngx_memzero(&s, sizeof(ngx_media_segment_t));

    s.init = clip->init;
    s.bandwidth = ctx->view->bandwidth;
    s.fps = clip->fps;

    /* segments before the first one that has samples are gaps */

    for (leading = 0; leading < plan->last; leading++) {
        (void) ngx_media_plan_segment(plan, leading, &own);

        if (own.samples) {
            break;
        }
    }

    for (i = listed->first; i < listed->end; i++) {

        (void) ngx_media_plan_segment(plan, i, &own);

        common = track->text;
        s.gap = 0;

        if (track->text) {
            s.gap = 0;                        /* without cues it is, too */

        } else if (clip->track == NGX_MEDIA_VOD_NONE) {
            s.gap = 1;

        } else if (own.samples == 0) {

            if (i >= leading && i < plan->last) {
                continue;
            }

            if (i >= plan->last
                && listed == &ctx->turns[ctx->nturns - 1]
                && listed->turn.wall < 0)
            {
                break;
            }

            s.gap = 1;
        }

        if (s.gap) {
            common = 1;
        }

        s.number = listed->turn.number + i;

        ngx_media_vod_view_time(ctx, &listed->turn, i, common ? NULL : &own,
                                &s);

        if (ngx_media_vod_view_described(ctx, period, i, &s.init) != NGX_OK) {
            return NGX_ERROR;
        }

        s.forced = (forced && i == leading && !s.gap);
        s.leading = (!s.gap && ngx_media_vod_view_leading(ctx, period));
        s.key_size = (track->type == NGX_MEDIA_VIDEO && !s.gap && !s.forced
                      && !track->rung);

        ngx_media_vod_view_add(ctx, &s);
    }

    return NGX_OK;
}


/* own: what the plan of the track says; NULL: it is as long as the clock's */

static void
ngx_media_vod_view_time(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_vod_turn_t *turn, uint32_t n,
    const ngx_media_plan_segment_t *own, ngx_media_segment_t *segment)
{
    int64_t                          next;
    uint32_t                         timescale;
    const ngx_media_plan_t          *plan;
    const ngx_media_vod_set_clip_t  *clip;

    timescale = ctx->view->timescale;

    if (own == NULL) {
        segment->time = ngx_media_vod_common(ctx->set, turn->period, n,
                                             timescale);
        next = ngx_media_vod_common(ctx->set, turn->period, n + 1, timescale);

        segment->time += ngx_media_plan_rescale(turn->shift, 1000, timescale);
        next += ngx_media_plan_rescale(turn->shift, 1000, timescale);

    } else {
        clip = ngx_media_vod_set_clip(ctx->set, turn->period, ctx->track);
        plan = ngx_media_vod_set_plan(ctx->set, clip);

        segment->time = own->time + clip->base
                        + ngx_media_plan_rescale(turn->shift, 1000,
                                                 plan->timescale);
        next = segment->time + (int64_t) own->duration;

        if (plan->timescale != timescale) {
            segment->time = ngx_media_plan_rescale(segment->time,
                                                   plan->timescale, timescale);
            next = ngx_media_plan_rescale(next, plan->timescale, timescale);
        }
    }

    segment->duration = (next > segment->time)
                        ? (uint64_t) (next - segment->time) : 0;
    segment->wall = -1;

    if (turn->wall >= 0) {
        segment->wall = segment->time / timescale * 1000
                        + segment->time % timescale * 1000 / timescale;
    }
}


/* the init segment, if not all segments of the clip have the same one */

static ngx_int_t
ngx_media_vod_view_described(ngx_media_vod_view_ctx_t *ctx, uint32_t period,
    uint32_t n, uint64_t *name)
{
    u_char                          *bytes;
    size_t                           size;
    uint32_t                        *descriptions;
    ngx_media_params_t               own;
    const ngx_media_params_t        *params;
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_set_clip_t  *clip;

    descriptions = NULL;

    if (ctx->descriptions) {
        descriptions = ctx->descriptions[period * ctx->set->ntracks
                                         + ctx->track];
    }

    if (descriptions == NULL
        || (n && descriptions[n] == descriptions[n - 1]
            && ctx->view->nsegments))
    {
        return NGX_OK;
    }

    clip = ngx_media_vod_set_clip(ctx->set, period, ctx->track);
    file = ctx->source->files[clip->file].file;
    params = ngx_media_vod_params(file, &file->tracks[clip->track],
                                  descriptions[n]);

    if (params == NULL) {
        return NGX_OK;
    }

    ngx_media_params_copy(&own, params);
    own.delay = clip->edit;

    size = ngx_media_mp4_write_init(NULL, &own);

    bytes = ngx_palloc(ctx->pool, size + 1);
    if (bytes == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_mp4_write_init(bytes, &own);

    *name = ngx_media_hash(bytes, size);

    return ngx_media_vod_view_init(ctx, *name, &own);
}


static void
ngx_media_vod_view_add(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_segment_t *segment)
{
    ngx_uint_t                   mark;
    ngx_media_segment_t         *s;
    const ngx_media_vod_mark_t  *m;

    mark = ctx->mark;

    while (ctx->mark + 1 < ctx->nmarks
           && ctx->marks[ctx->mark + 1].number <= segment->number)
    {
        ctx->mark++;
    }

    m = &ctx->marks[ctx->mark];

    s = &ctx->view->segments[ctx->view->nsegments];

    *s = *segment;

    s->discontinuity = (ctx->mark != mark);

    if (ctx->view->nsegments == 0) {

        /* of a channel: what was before has gone, and is counted */

        s->discontinuity = (m->wall >= 0 && m->number == s->number
                            && ctx->turns[0].turn.ordinal);
    }

    s->period = m->number;
    s->period_time = ngx_media_plan_rescale(m->time, m->timescale,
                                            ctx->view->timescale);
    s->period_wall = m->wall;

    ctx->view->nsegments++;
}


/* only the first segment of a clip may begin with something else */

static ngx_uint_t
ngx_media_vod_view_forced(ngx_media_vod_view_ctx_t *ctx, uint32_t period)
{
    uint32_t                         i;
    const ngx_media_plan_t          *plan;
    ngx_media_plan_segment_t         segment;
    ngx_media_index_sample_t         sample;
    const ngx_media_index_t         *index;
    const ngx_media_vod_set_clip_t  *clip;

    index = ngx_media_vod_view_video(ctx, period);

    if (index == NULL) {
        return 0;
    }

    clip = ngx_media_vod_set_clip(ctx->set, period, ctx->track);
    plan = ngx_media_vod_set_plan(ctx->set, clip);

    for (i = 0; i < plan->last; i++) {
        (void) ngx_media_plan_segment(plan, i, &segment);

        if (segment.samples) {
            return ngx_media_index_sample(index, segment.sample, &sample)
                   != NGX_OK || !sample.key;
        }
    }

    return 0;
}


/* open GOPs, SAP type 2 */

static ngx_uint_t
ngx_media_vod_view_leading(ngx_media_vod_view_ctx_t *ctx, uint32_t period)
{
    const ngx_media_index_t  *index;

    index = ngx_media_vod_view_video(ctx, period);

    return index ? index->leading : 0;
}


/* the index of a video track in a clip; NULL: there is none */

static const ngx_media_index_t *
ngx_media_vod_view_video(ngx_media_vod_view_ctx_t *ctx, uint32_t period)
{
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_set_clip_t  *clip;

    clip = ngx_media_vod_set_clip(ctx->set, period, ctx->track);

    /* a rung has closed GOPs, whatever its source has */

    if (ctx->view->type != NGX_MEDIA_VIDEO || clip->own
        || clip->track == NGX_MEDIA_VOD_NONE)
    {
        return NULL;
    }

    file = ctx->source->files[clip->file].file;

    return ngx_media_vod_at(file, file->tracks[clip->track].index);
}


uint64_t
ngx_media_vod_set_segments(const ngx_media_vod_set_t *set)
{
    const ngx_media_vod_period_t  *period;

    if (set->nperiods == 0) {
        return 0;
    }

    period = ngx_media_vod_set_period_at(set, set->nperiods - 1);

    return (uint64_t) period->number + period->nsegments;
}


ngx_int_t
ngx_media_vod_track_find(const ngx_media_vod_set_t *set,
    const ngx_str_t *name, ngx_uint_t *track)
{
    uint32_t                          i;
    const ngx_media_vod_set_track_t  *t;

    for (i = 0; i < set->ntracks; i++) {
        t = ngx_media_vod_set_track(set, i);

        if (ngx_strlen(t->name) == name->len
            && ngx_memcmp(t->name, name->data, name->len) == 0)
        {
            *track = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
