
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A set as the packager sees streams.  Segments have the numbers of the set,
 * and media times with the base of their clip.
 *
 * What has no samples is not listed: a track that ends sooner, or whose key
 * frames are too far apart, so that the segment before goes on.  Where a
 * track begins later than others, or is missing in a clip and comes back, it
 * has gaps instead, so that the playlists of all tracks stay in step.
 */


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_write.h"
#include "vod/ngx_media_vod_set_make.h"


/* where a DASH period begins, and HLS has a discontinuity */

typedef struct {
    uint64_t                  number;
    int64_t                   time;           /* in timescale, with base */
    uint32_t                  timescale;
} ngx_media_vod_mark_t;


typedef struct {
    const ngx_media_vod_source_t
                             *source;
    const ngx_media_vod_set_t
                             *set;
    ngx_pool_t               *pool;
    ngx_media_vod_mark_t     *marks;
    ngx_uint_t                nmarks;
    uint64_t                  end;            /* number, after the last one
                                                 that may be listed */

    ngx_uint_t                forced;         /* any begins without a key
                                                 frame */

    /* of a track */
    ngx_media_track_view_t   *view;
    ngx_uint_t                track;
    ngx_uint_t                mark;           /* of the last segment */
} ngx_media_vod_view_ctx_t;


static ngx_int_t ngx_media_vod_view_marks(ngx_media_vod_view_ctx_t *ctx);
static ngx_uint_t ngx_media_vod_view_joint(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period);
static void ngx_media_vod_view_end(ngx_media_vod_view_ctx_t *ctx);
static ngx_int_t ngx_media_vod_view_track(ngx_media_vod_view_ctx_t *ctx,
    ngx_uint_t listed);
static ngx_int_t ngx_media_vod_view_inits(ngx_media_vod_view_ctx_t *ctx);
static ngx_int_t ngx_media_vod_view_init(ngx_media_vod_view_ctx_t *ctx,
    uint64_t name, const ngx_media_params_t *params);
static ngx_int_t ngx_media_vod_view_segments(ngx_media_vod_view_ctx_t *ctx);
static void ngx_media_vod_view_period(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period);
static void ngx_media_vod_view_add(ngx_media_vod_view_ctx_t *ctx,
    const ngx_media_segment_t *segment);
static ngx_uint_t ngx_media_vod_view_forced(ngx_media_vod_view_ctx_t *ctx,
    uint32_t period);
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
    ngx_uint_t                  i;
    ngx_media_vod_view_ctx_t    ctx;
    const ngx_media_vod_set_t  *set;

    static const u_char  hex[] = "0123456789abcdef";

    set = source->set;

    ngx_memzero(view, sizeof(ngx_media_stream_view_t));
    ngx_memzero(&ctx, sizeof(ngx_media_vod_view_ctx_t));

    ctx.source = source;
    ctx.set = set;
    ctx.pool = pool;

    view->version = set->hash;
    view->state = set->growing ? NGX_MEDIA_STREAM_LIVE
                               : NGX_MEDIA_STREAM_ENDED;
    view->target = set->target;
    view->segment = set->target * 1000;
    view->ready = 1;
    view->file = 1;
    view->event = set->growing;
    view->duration = set->duration;
    view->window = set->duration;
    view->ntracks = set->ntracks;

    view->tag.len = 8;

    view->tag.data = ngx_pnalloc(pool, view->tag.len);
    if (view->tag.data == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < view->tag.len; i++) {
        view->tag.data[i] = hex[(uint32_t) set->tag >> (28 - i * 4) & 0xf];
    }

    view->tracks = ngx_pcalloc(pool, (set->ntracks + 1)
                                     * sizeof(ngx_media_track_view_t));
    if (view->tracks == NULL) {
        return NGX_ERROR;
    }

    if (ngx_media_vod_view_marks(&ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_media_vod_view_end(&ctx);

    for (i = 0; i < set->ntracks; i++) {
        ctx.view = &view->tracks[i];
        ctx.track = i;

        if (ngx_media_vod_view_track(&ctx, track == NGX_MEDIA_ALL_TRACKS
                                           || track == i)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    view->forced = ctx.forced;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_marks(ngx_media_vod_view_ctx_t *ctx)
{
    uint32_t                       i;
    ngx_media_vod_mark_t          *mark;
    const ngx_media_vod_period_t  *period;

    ctx->marks = ngx_palloc(ctx->pool, (ctx->set->nperiods + 1)
                                       * sizeof(ngx_media_vod_mark_t));
    if (ctx->marks == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->set->nperiods; i++) {

        if (i && ngx_media_vod_view_joint(ctx, i)) {
            continue;
        }

        period = ngx_media_vod_set_period_at(ctx->set, i);
        mark = &ctx->marks[ctx->nmarks++];

        mark->number = period->number;
        mark->time = period->base;
        mark->timescale = 1000;
    }

    return NGX_OK;
}


/* this clip goes on as the one before, in all its tracks */

static ngx_uint_t
ngx_media_vod_view_joint(ngx_media_vod_view_ctx_t *ctx, uint32_t period)
{
    uint32_t                         i;
    const ngx_media_vod_set_clip_t  *clip, *prev;

    if (ctx->source->map->discontinuity) {
        return 0;
    }

    for (i = 0; i < ctx->set->ntracks; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, period, i);
        prev = ngx_media_vod_set_clip(ctx->set, period - 1, i);

        if (clip->init != prev->init) {
            return 0;
        }
    }

    return 1;
}


/*
 * A file that grows: what is last in any track may change still
 */

static void
ngx_media_vod_view_end(ngx_media_vod_view_ctx_t *ctx)
{
    uint32_t                       i, last;
    const ngx_media_plan_t        *plan;
    const ngx_media_vod_period_t  *period;

    period = ngx_media_vod_set_period_at(ctx->set, ctx->set->nperiods - 1);

    ctx->end = (uint64_t) period->number + period->nsegments;

    if (!ctx->set->growing) {
        return;
    }

    last = period->nsegments;

    for (i = 0; i < ctx->set->ntracks; i++) {

        if (ngx_media_vod_set_track(ctx->set, i)->text) {
            continue;
        }

        plan = ngx_media_vod_set_plan(ctx->set,
                   ngx_media_vod_set_clip(ctx->set, ctx->set->nperiods - 1,
                                          i));

        if (plan->last < last) {
            last = plan->last;
        }
    }

    ctx->end = (uint64_t) period->number + (last ? last - 1 : 0);
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
    view->fps = track->fps;
    view->apart = track->apart;
    view->ended = !ctx->set->growing;
    view->parts_off = 1;
    view->is_default = track->is_default;
    view->forced = track->forced;
    view->sdh = track->sdh;
    view->described = track->described;

    ngx_media_vod_view_str(&view->name, track->name);
    ngx_media_vod_view_str(&view->lang, track->lang);
    ngx_media_vod_view_str(&view->label, track->label);

    for (i = 0; i < ctx->set->nperiods; i++) {
        ctx->forced |= ngx_media_vod_view_forced(ctx, i);
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

    ngx_media_vod_view_str(&view->supplemental, t->supplemental);
    ngx_media_vod_view_str(&view->brands, t->brands);

    if (ngx_media_vod_view_inits(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return listed ? ngx_media_vod_view_segments(ctx) : NGX_OK;
}


static ngx_int_t
ngx_media_vod_view_inits(ngx_media_vod_view_ctx_t *ctx)
{
    uint32_t                          i;
    ngx_media_params_t               *text;
    const ngx_media_params_t         *params;
    const ngx_media_vod_file_t       *file;
    const ngx_media_vod_set_clip_t   *clip;
    const ngx_media_vod_set_track_t  *track;

    track = ngx_media_vod_set_track(ctx->set, ctx->track);

    ctx->view->inits = ngx_palloc(ctx->pool, sizeof(ngx_media_init_t));
    if (ctx->view->inits == NULL) {
        return NGX_ERROR;
    }

    text = NULL;

    if (track->text) {
        text = ngx_palloc(ctx->pool, sizeof(ngx_media_params_t));
        if (text == NULL) {
            return NGX_ERROR;
        }

        ngx_media_vod_text_params(text);
    }

    for (i = 0; i < ctx->set->nperiods; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, i, ctx->track);

        if (clip->track == NGX_MEDIA_VOD_NONE) {
            continue;
        }

        params = text;

        if (params == NULL) {
            file = ctx->source->files[clip->file].file;
            params = ngx_media_vod_params(file, &file->tracks[clip->track],
                                          clip->description);
        }

        if (params == NULL
            || ngx_media_vod_view_init(ctx, clip->init, params) != NGX_OK)
        {
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

    if (view->ninits) {

        /* few tracks have a second one */

        init = ngx_palloc(ctx->pool,
                          (view->ninits + 1) * sizeof(ngx_media_init_t));
        if (init == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(init, view->inits,
                   view->ninits * sizeof(ngx_media_init_t));
        view->inits = init;
    }

    init = &view->inits[view->ninits++];

    init->name = name;
    init->params = *params;
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
    uint32_t                       i;
    const ngx_media_vod_period_t  *period;

    period = ngx_media_vod_set_period_at(ctx->set, ctx->set->nperiods - 1);

    ctx->view->segments = ngx_palloc(ctx->pool,
                          ((size_t) period->number + period->nsegments + 1)
                          * sizeof(ngx_media_segment_t));
    if (ctx->view->segments == NULL) {
        return NGX_ERROR;
    }

    ctx->mark = 0;

    for (i = 0; i < ctx->set->nperiods; i++) {
        ngx_media_vod_view_period(ctx, i);
    }

    return NGX_OK;
}


static void
ngx_media_vod_view_period(ngx_media_vod_view_ctx_t *ctx, uint32_t period)
{
    int64_t                           next;
    uint32_t                          i;
    ngx_uint_t                        common, forced, leading, none;
    ngx_media_segment_t               s;
    const ngx_media_plan_t           *plan;
    ngx_media_track_view_t           *view;
    ngx_media_plan_segment_t          segment;
    const ngx_media_vod_period_t     *p;
    const ngx_media_vod_set_clip_t   *clip;
    const ngx_media_vod_set_track_t  *track;

    view = ctx->view;
    track = ngx_media_vod_set_track(ctx->set, ctx->track);
    clip = ngx_media_vod_set_clip(ctx->set, period, ctx->track);
    p = ngx_media_vod_set_period_at(ctx->set, period);
    plan = ngx_media_vod_set_plan(ctx->set, clip);
    none = (clip->track == NGX_MEDIA_VOD_NONE);
    forced = ngx_media_vod_view_forced(ctx, period);
    leading = ngx_media_vod_view_leading(ctx, period);
    common = 1;

    ngx_memzero(&s, sizeof(ngx_media_segment_t));

    for (i = 0; i < p->nsegments && p->number + i < ctx->end; i++) {

        (void) ngx_media_plan_segment(plan, i, &segment);

        s.gap = none;

        if (!none && !track->text) {

            if (segment.samples) {
                common = 0;

            } else if (common) {
                s.gap = 1;

            } else if (i >= plan->last && period + 1 < ctx->set->nperiods) {
                s.gap = 1;
                common = 1;

            } else {
                continue;
            }
        }

        s.number = (uint64_t) p->number + i;
        s.wall = -1;
        s.init = clip->init;
        s.bandwidth = view->bandwidth;

        if (common) {
            s.time = ngx_media_vod_common(ctx->set, period, i,
                                          view->timescale);
            next = ngx_media_vod_common(ctx->set, period, i + 1,
                                        view->timescale);

        } else {
            s.time = segment.time + clip->base;
            next = s.time + (int64_t) segment.duration;

            if (plan->timescale != view->timescale) {
                s.time = ngx_media_plan_rescale(s.time, plan->timescale,
                                                view->timescale);
                next = ngx_media_plan_rescale(next, plan->timescale,
                                              view->timescale);
            }
        }

        s.duration = (next > s.time) ? (uint64_t) (next - s.time) : 0;
        s.forced = forced && !s.gap;
        s.leading = leading && !s.gap;
        s.key_size = (view->type == NGX_MEDIA_VIDEO && !s.gap && !s.forced);

        if (!s.gap) {
            forced = 0;
        }

        ngx_media_vod_view_add(ctx, &s);
    }
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

    s->discontinuity = (ctx->mark != mark && ctx->view->nsegments);
    s->period = m->number;
    s->period_time = ngx_media_plan_rescale(m->time, m->timescale,
                                            ctx->view->timescale);
    s->period_wall = -1;

    ctx->view->nsegments++;
}


/* only the first segment of a clip may begin with something else */

static ngx_uint_t
ngx_media_vod_view_forced(ngx_media_vod_view_ctx_t *ctx, uint32_t period)
{
    uint32_t                         i;
    const ngx_media_plan_t          *plan;
    ngx_media_plan_segment_t         segment;
    ngx_media_index_reader_t         reader;
    ngx_media_index_sample_t         sample;
    const ngx_media_index_t         *index;
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_set_clip_t  *clip;

    clip = ngx_media_vod_set_clip(ctx->set, period, ctx->track);

    if (ctx->view->type != NGX_MEDIA_VIDEO
        || clip->track == NGX_MEDIA_VOD_NONE)
    {
        return 0;
    }

    plan = ngx_media_vod_set_plan(ctx->set, clip);
    file = ctx->source->files[clip->file].file;
    index = ngx_media_vod_at(file, file->tracks[clip->track].index);

    for (i = 0; i < plan->last; i++) {
        (void) ngx_media_plan_segment(plan, i, &segment);

        if (segment.samples) {
            ngx_media_index_open(&reader, index);

            return ngx_media_index_seek(&reader, segment.sample) != NGX_OK
                   || ngx_media_index_next(&reader, &sample) != NGX_OK
                   || !sample.key;
        }
    }

    return 0;
}


/* open GOPs, SAP type 2 */

static ngx_uint_t
ngx_media_vod_view_leading(ngx_media_vod_view_ctx_t *ctx, uint32_t period)
{
    const ngx_media_index_t         *index;
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_set_clip_t  *clip;

    clip = ngx_media_vod_set_clip(ctx->set, period, ctx->track);

    if (ctx->view->type != NGX_MEDIA_VIDEO
        || clip->track == NGX_MEDIA_VOD_NONE)
    {
        return 0;
    }

    file = ctx->source->files[clip->file].file;
    index = ngx_media_vod_at(file, file->tracks[clip->track].index);

    return index->leading;
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
