
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One clip of a set: the plans of its tracks, and where it is on the line of
 * media times.
 *
 * A clip's times count from its begin, for all tracks; video that needs a key
 * frame from before, the silence beside that, and a frame of audio that goes on
 * when the clip begins have negative ones.  "base" is added to all of them:
 * whole seconds, which every timescale has, but where a clip goes on as the one
 * before, as much as that lasts.  So tracks are in step to the tick, no time is
 * negative, and what comes later in the set has later times.
 */


#include "formats/ngx_media_mp4_write.h"
#include "vod/ngx_media_vod_set_fill.h"

#include <stdlib.h>


/* ms by which segments may be off before it is worth a line */
#define NGX_MEDIA_VOD_SET_APART  100

/* times are within so many seconds: 34 years */
#define NGX_MEDIA_VOD_SET_SECONDS  (1024 * 1024 * 1024)

/* a clip that goes on as the one before, which may have been dropped */
#define ngx_media_vod_set_joined(map, clip)                                   \
    (!(map)->discontinuity && ((clip) > 0 || (map)->live))


typedef struct {
    ngx_media_vod_set_ctx_t  *ctx;
    ngx_uint_t                clip;
    ngx_media_plan_range_t    ranges[NGX_MEDIA_VOD_SET_TRACKS];
    ngx_uint_t                clock;          /* track */
    int64_t                   end;            /* ms, of the longest track */
    int64_t                   start;          /* ms, of the first sample; it
                                                 is not after the begin */
    ngx_media_vod_set_cover_t cover;
} ngx_media_vod_set_period_t;


static ngx_int_t ngx_media_vod_set_ranges(ngx_media_vod_set_period_t *p);
static ngx_int_t ngx_media_vod_set_cut(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t track, ngx_uint_t clip, const ngx_media_index_t *index,
    ngx_media_plan_range_t *range, int64_t *start, int64_t *end);
static ngx_int_t ngx_media_vod_set_seen(const ngx_media_index_t *index,
    ngx_media_plan_range_t *range);
static ngx_int_t ngx_media_vod_set_whole(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t track, ngx_uint_t clip, const ngx_media_index_t *index,
    ngx_media_plan_range_t *range);
static ngx_int_t ngx_media_vod_set_end(const ngx_media_index_t *index,
    const ngx_media_plan_range_t *range, int64_t *start, int64_t *end);
static ngx_int_t ngx_media_vod_set_made(ngx_media_vod_set_period_t *p);
static ngx_int_t ngx_media_vod_set_plans(ngx_media_vod_set_period_t *p);
static void ngx_media_vod_set_last(ngx_media_vod_set_period_t *p);
static void ngx_media_vod_set_last_made(ngx_media_vod_set_period_t *p,
    ngx_uint_t track, int64_t cut, uint32_t timescale);
static ngx_int_t ngx_media_vod_set_add(ngx_media_vod_set_period_t *p,
    ngx_uint_t track, int64_t until);
static void ngx_media_vod_set_apart(ngx_media_vod_set_period_t *p,
    ngx_uint_t track);
static void ngx_media_vod_set_place(ngx_media_vod_set_period_t *p);
static ngx_int_t ngx_media_vod_set_inits(ngx_media_vod_set_period_t *p);
static uint32_t ngx_media_vod_set_delay(ngx_media_vod_set_period_t *p,
    ngx_uint_t track);
static uint32_t ngx_media_vod_set_edit(const ngx_media_vod_set_period_t *p,
    uint32_t delay, uint32_t timescale);
static void ngx_media_vod_set_delay_max(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t track, const ngx_media_vod_file_t *file, uint32_t n);
static uint32_t ngx_media_vod_set_reorder(const ngx_media_vod_file_t *file,
    const ngx_media_index_t *index, ngx_uint_t equal);
static const ngx_media_vod_track_t *ngx_media_vod_set_source(
    ngx_media_vod_set_period_t *p, ngx_uint_t track,
    const ngx_media_index_t **index);


ngx_int_t
ngx_media_vod_set_period(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip)
{
    ngx_int_t                    rc;
    ngx_media_vod_set_period_t  *p;

    p = calloc(1, sizeof(ngx_media_vod_set_period_t));
    if (p == NULL) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    p->ctx = ctx;
    p->clip = clip;

    rc = ngx_media_vod_set_ranges(p);

    /* beside a key frame from before such a clip is the end of the other */

    if (ngx_media_vod_set_joined(ctx->make->map, clip)) {
        p->cover.begin = ngx_max(p->cover.begin, 0);
    }

    if (rc == NGX_OK) {
        rc = ngx_media_vod_set_fill(ctx, clip, p->ranges, &p->cover);
    }

    if (rc == NGX_OK) {
        rc = ngx_media_vod_set_made(p);
    }

    if (rc == NGX_OK) {
        rc = ngx_media_vod_set_plans(p);
    }

    if (rc == NGX_OK) {
        ngx_media_vod_set_place(p);
        rc = ngx_media_vod_set_inits(p);
    }

    free(p);

    return rc;
}


/* what of each track is in the clip, and which one is the clock */

static ngx_int_t
ngx_media_vod_set_ranges(ngx_media_vod_set_period_t *p)
{
    int64_t                     end, start;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_media_vod_set_ctx_t    *ctx;
    ngx_media_vod_set_clip_t   *clip;
    ngx_media_vod_set_track_t  *t;
    const ngx_media_index_t    *index;

    ctx = p->ctx;
    p->clock = NGX_MEDIA_VOD_SET_TRACKS;

    for (i = 0; i < ctx->ntracks; i++) {
        t = &ctx->tracks[i];

        clip = ngx_media_vod_set_clip(ctx->set, p->clip, i);
        clip->file = t->sequence * ctx->make->map->nclips
                     + (uint32_t) p->clip;
        clip->track = ngx_media_vod_set_find(ctx, i, p->clip);

        if (clip->track == NGX_MEDIA_VOD_NONE || t->text) {
            continue;
        }

        (void) ngx_media_vod_set_source(p, i, &index);

        rc = ngx_media_vod_set_cut(ctx, i, p->clip, index, &p->ranges[i],
                                   &start, &end);

        if (rc == NGX_ERROR) {
            return ngx_media_vod_set_fail(ctx, 500, "index of %s is broken",
                                          t->name);
        }

        if (rc == NGX_OK) {
            ngx_media_vod_set_cover(&p->cover, i, start, end,
                                    index->timescale);

            end = ngx_media_plan_rescale(end, index->timescale, 1000);
            p->end = ngx_max(p->end, end);
        }

        /* tracks are in the order of their types */

        if (p->ranges[i].first < p->ranges[i].end
            && p->clock == NGX_MEDIA_VOD_SET_TRACKS)
        {
            p->clock = i;
        }
    }

    if (p->clock == NGX_MEDIA_VOD_SET_TRACKS) {
        return ngx_media_vod_set_nothing(ctx, p->clip);
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_set_nothing(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip)
{
    ngx_uint_t                   i;
    const ngx_media_vod_map_t   *map;
    const ngx_media_vod_clip_t  *c;

    map = ctx->make->map;

    for (i = 0; i < map->nsequences; i++) {
        c = &map->sequences[i].clips[clip];

        if (c->from > 0 || c->to >= 0) {
            return ngx_media_vod_set_fail(ctx, 404, "nothing is left of clip "
                                          "%u, which begins with clipFrom "
                                          "%lld ms of its file",
                                          (unsigned) clip + 1,
                                          (long long) c->from);
        }
    }

    return ngx_media_vod_set_fail(ctx, 415, "clip %u has no samples",
                                  (unsigned) clip + 1);
}


ngx_uint_t
ngx_media_vod_set_shown(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track)
{
    int64_t                      end, start;
    uint32_t                     n;
    ngx_uint_t                   i;
    ngx_media_plan_range_t       range;
    const ngx_media_vod_map_t   *map;
    const ngx_media_vod_file_t  *file;

    map = ctx->make->map;

    for (i = 0; i < map->nclips; i++) {
        n = ngx_media_vod_set_find(ctx, track, i);

        if (n == NGX_MEDIA_VOD_NONE) {
            continue;
        }

        file = ctx->make->files[ctx->tracks[track].sequence * map->nclips
                                + i].file;

        ngx_memzero(&range, sizeof(ngx_media_plan_range_t));

        /* what is broken is told later */

        if (ngx_media_vod_set_cut(ctx, track, i,
                                  ngx_media_vod_at(file,
                                                   file->tracks[n].index),
                                  &range, &start, &end)
            != NGX_DONE)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * What of a track is in a clip, and when that starts and ends, in timescale
 * from the clip's begin: NGX_OK; NGX_DONE: nothing of it is seen or heard;
 * NGX_ERROR: the index is broken, or has times that cannot be reckoned with
 */

static ngx_int_t
ngx_media_vod_set_cut(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track,
    ngx_uint_t clip, const ngx_media_index_t *index,
    ngx_media_plan_range_t *range, int64_t *start, int64_t *end)
{
    int64_t                      from, limit, to;
    uint32_t                     timescale;
    ngx_int_t                    rc;
    const ngx_media_vod_map_t   *map;
    const ngx_media_vod_clip_t  *c;

    map = ctx->make->map;
    c = &map->sequences[ctx->tracks[track].sequence].clips[clip];

    if (ngx_media_index_check(index, index->size) != NGX_OK) {
        return NGX_ERROR;
    }

    from = c->from;
    to = c->to;

    if (from < 0 || from > (int64_t) NGX_MEDIA_VOD_SET_SECONDS * 1000
        || to > (int64_t) NGX_MEDIA_VOD_SET_SECONDS * 1000)
    {
        return NGX_ERROR;
    }

    if (map->durations && map->durations[clip] > 0
        && (to < 0 || to - from > map->durations[clip]))
    {
        to = from + map->durations[clip];
    }

    timescale = index->timescale;
    limit = (to < 0) ? INT64_MAX
                     : ngx_media_plan_rescale(to, 1000, timescale);

    if (from == 0 && to < 0) {
        range->first = index->first;
        range->end = index->end;

    } else if (ngx_media_plan_range(range, index, ctx->tracks[track].type,
                                    ngx_media_plan_rescale(from, 1000,
                                                           timescale),
                                    limit)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_media_vod_set_whole(ctx, track, clip, index, range) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_media_vod_set_end(index, range, start, end);

    if (rc == NGX_OK && *end <= 0) {
        rc = ngx_media_vod_set_seen(index, range);
    }

    return rc;
}


/*
 * Video begins with the key frame before, and goes on after its last dts:
 * NGX_OK: there is a picture that is shown after the begin; NGX_DONE: none
 */

static ngx_int_t
ngx_media_vod_set_seen(const ngx_media_index_t *index,
    ngx_media_plan_range_t *range)
{
    uint32_t                   i;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    ngx_media_index_open(&reader, index);

    if (ngx_media_index_seek(&reader, range->first) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = range->first; i < range->end; i++) {

        if (ngx_media_index_next(&reader, &sample) != NGX_OK) {
            return NGX_ERROR;
        }

        /* dts are near the end, see ngx_media_vod_set_end() */

        if (sample.dts - range->origin + (int64_t) sample.duration
            > -sample.cto)
        {
            return NGX_OK;
        }
    }

    range->end = range->first;

    return NGX_DONE;
}


/*
 * Where a clip goes on as the one before, without a discontinuity, its sound
 * has no frame that began before it: there is the end of the other's
 */

static ngx_int_t
ngx_media_vod_set_whole(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track,
    ngx_uint_t clip, const ngx_media_index_t *index,
    ngx_media_plan_range_t *range)
{
    ngx_media_index_sample_t    sample;
    const ngx_media_vod_map_t  *map;

    map = ctx->make->map;

    if (!ngx_media_vod_set_joined(map, clip)
        || ctx->tracks[track].type != NGX_MEDIA_AUDIO
        || range->first >= range->end)
    {
        return NGX_OK;
    }

    if (ngx_media_index_sample(index, range->first, &sample) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_media_index_covers(index, &sample, range->origin)) {
        range->first++;
    }

    return NGX_OK;
}


/* when it ends, or NGX_ERROR for times that cannot be reckoned with */

static ngx_int_t
ngx_media_vod_set_end(const ngx_media_index_t *index,
    const ngx_media_plan_range_t *range, int64_t *start, int64_t *end)
{
    int64_t                   limit;
    ngx_int_t                 rc;
    ngx_media_index_sample_t  sample;

    rc = ngx_media_plan_end(index, range, end);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_media_index_sample(index, range->first, &sample) != NGX_OK) {
        return NGX_ERROR;
    }

    limit = (int64_t) NGX_MEDIA_VOD_SET_SECONDS * index->timescale;

    if (*end > limit || *end < -limit
        || sample.dts > limit || sample.dts < -limit
        || range->origin > limit || range->origin < -limit)
    {
        return NGX_ERROR;
    }

    *start = sample.dts - range->origin;

    return NGX_OK;
}


/* audio that is made lasts as long as the clip, as silence does */

static ngx_int_t
ngx_media_vod_set_made(ngx_media_vod_set_period_t *p)
{
    ngx_uint_t                i;
    ngx_media_vod_set_ctx_t  *ctx;

    ctx = p->ctx;

    for (i = 0; i < ctx->ntracks; i++) {

        if (ctx->tracks[i].type != NGX_MEDIA_AUDIO || !ctx->tracks[i].rung
            || ngx_media_vod_set_clip(ctx->set, p->clip, i)->track
               == NGX_MEDIA_VOD_NONE)
        {
            continue;
        }

        if (ngx_media_vod_set_sound_frames(ctx, p->clip, i, p->cover.begin,
                                           p->cover.end, &p->ranges[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_set_plans(ngx_media_vod_set_period_t *p)
{
    int64_t                     end, until;
    uint64_t                    longest;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_media_plan_t           *plan;
    ngx_media_vod_set_ctx_t    *ctx;
    ngx_media_vod_set_clip_t   *clip;
    const ngx_media_index_t    *index, *other;

    ctx = p->ctx;

    (void) ngx_media_vod_set_source(p, p->clock, &index);

    until = 0;

    for (i = 0; i < ctx->ntracks; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, p->clip, i);

        if (clip->track == NGX_MEDIA_VOD_NONE || ctx->tracks[i].text) {
            continue;
        }

        (void) ngx_media_vod_set_source(p, i, &other);

        if (ngx_media_plan_end(other, &p->ranges[i], &end) == NGX_OK) {
            end = ngx_media_plan_rescale(end, other->timescale,
                                         index->timescale);
            until = ngx_max(until, end);
        }
    }

    rc = ngx_media_vod_set_add(p, p->clock, until);

    if (rc == NGX_OK && !ctx->set->growing) {
        ngx_media_vod_set_last(p);
    }

    for (i = 0; i < ctx->ntracks && rc == NGX_OK; i++) {
        if (i != p->clock) {
            rc = ngx_media_vod_set_add(p, i, until);
        }
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->ntracks; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, p->clip, i);

        if (clip->track == NGX_MEDIA_VOD_NONE || ctx->tracks[i].text) {
            continue;
        }

        plan = ngx_media_vod_set_plan(ctx->set, clip);

        longest = (plan->longest * 1000 + plan->timescale - 1)
                  / plan->timescale;
        ctx->longest = ngx_max(ctx->longest, longest);

        if (plan->last && plan->start < 0) {
            end = -ngx_media_plan_rescale(-plan->start, plan->timescale, 1000);
            p->start = ngx_min(p->start, end - 1);
        }

        if (ctx->tracks[i].type == NGX_MEDIA_VIDEO) {
            ngx_media_vod_set_apart(p, i);
        }
    }

    return NGX_OK;
}


/* audio is in the last segment, too, however short that is */

static void
ngx_media_vod_set_last(ngx_media_vod_set_period_t *p)
{
    int64_t                    end;
    ngx_uint_t                 i;
    ngx_media_plan_t          *clock;
    ngx_media_plan_segment_t   segment;

    clock = ngx_media_vod_set_plan(p->ctx->set,
                        ngx_media_vod_set_clip(p->ctx->set, p->clip, p->clock));

    (void) ngx_media_plan_segment(clock, clock->nsegments - 1, &segment);

    for (i = 0; i < p->ctx->ntracks; i++) {

        if (i == p->clock || p->ctx->tracks[i].type != NGX_MEDIA_AUDIO) {
            continue;
        }

        if (p->ctx->tracks[i].rung) {
            ngx_media_vod_set_last_made(p, i, segment.time, clock->timescale);
            continue;
        }

        end = ngx_media_vod_set_fill_last(p->ctx, p->clip, i, &p->ranges[i],
                                          segment.time, clock->timescale);
        p->end = ngx_max(p->end, end);
    }
}


/* of what is made there is a frame more than the clip has room for */

static void
ngx_media_vod_set_last_made(ngx_media_vod_set_period_t *p, ngx_uint_t track,
    int64_t cut, uint32_t timescale)
{
    ngx_media_plan_range_t    *range;
    const ngx_media_index_t   *index;
    ngx_media_index_sample_t   sample;

    (void) ngx_media_vod_set_source(p, track, &index);

    range = &p->ranges[track];

    if (range->first < range->end
        && ngx_media_index_sample(index, range->end - 1, &sample) == NGX_OK
        && sample.dts - range->origin
           < ngx_media_plan_rescale(cut, timescale, index->timescale))
    {
        range->end++;
    }
}


/* text has no plan of its own, it is cut at the times of the clock */

static ngx_int_t
ngx_media_vod_set_add(ngx_media_vod_set_period_t *p, ngx_uint_t track,
    int64_t until)
{
    size_t                      size;
    uint32_t                    offset, type;
    ngx_int_t                   rc;
    ngx_uint_t                  pass;
    ngx_media_plan_t           *clock, *plan;
    ngx_media_vod_set_ctx_t    *ctx;
    ngx_media_vod_set_clip_t   *clip;
    const ngx_media_fill_t     *fill;
    const ngx_media_index_t    *index;

    ctx = p->ctx;
    type = ctx->tracks[track].type;
    clip = ngx_media_vod_set_clip(ctx->set, p->clip, track);

    if (clip->track == NGX_MEDIA_VOD_NONE || ctx->tracks[track].text) {
        clip->plan = ngx_media_vod_set_clip(ctx->set, p->clip,
                                            p->clock)->plan;
        return NGX_OK;
    }

    /* a rung of a track is cut where that is */

    if (ctx->tracks[track].rung && track != p->clock
        && type == NGX_MEDIA_VIDEO)
    {
        clip->plan = ngx_media_vod_set_clip(ctx->set, p->clip,
                                            p->clock)->plan;
        return NGX_OK;
    }

    (void) ngx_media_vod_set_source(p, track, &index);

    plan = NULL;
    size = 0;
    offset = 0;

    for (pass = 0; pass < 2; pass++) {

        if (pass) {
            if (ngx_media_vod_set_reserve(ctx, size, &offset) != NGX_OK) {
                return NGX_ERROR;
            }

            plan = ngx_media_vod_at(ctx->set, offset);
        }

        /* the set may have moved */

        fill = &ngx_media_vod_set_clip(ctx->set, p->clip, track)->fill;

        if (track == p->clock) {
            rc = ngx_media_plan_make(plan, &size, index, &p->ranges[track],
                                     fill, type, ctx->set->segment, until);
        } else {
            clip = ngx_media_vod_set_clip(ctx->set, p->clip, p->clock);
            clock = ngx_media_vod_set_plan(ctx->set, clip);

            rc = ngx_media_plan_follow(plan, &size, index, &p->ranges[track],
                                       fill, type, clock);
        }

        if (rc != NGX_OK) {
            return ngx_media_vod_set_fail(ctx, 500, (rc == NGX_DECLINED)
                                          ? "%s has too many segments"
                                          : "index of %s is broken",
                                          ctx->tracks[track].name);
        }
    }

    clip = ngx_media_vod_set_clip(ctx->set, p->clip, track);
    clip->plan = offset;

    return NGX_OK;
}


/* video whose key frames are not where those of the clock are */

static void
ngx_media_vod_set_apart(ngx_media_vod_set_period_t *p, ngx_uint_t track)
{
    uint64_t                    apart, longest;
    ngx_media_plan_t           *clock, *plan;
    ngx_media_vod_set_ctx_t    *ctx;
    ngx_media_vod_set_track_t  *t;

    ctx = p->ctx;
    t = &ctx->tracks[track];

    plan = ngx_media_vod_set_plan(ctx->set,
                       ngx_media_vod_set_clip(ctx->set, p->clip, track));
    clock = ngx_media_vod_set_plan(ctx->set,
                       ngx_media_vod_set_clip(ctx->set, p->clip, p->clock));

    apart = (plan->apart * 1000 + plan->timescale - 1) / plan->timescale;

    /* its segments are longer: some times have none */

    longest = clock->longest * 1000 / clock->timescale * 3 / 2;

    if (plan->last < clock->last
        && plan->longest * 1000 / plan->timescale > longest)
    {
        apart = ngx_max(apart, plan->longest * 1000 / plan->timescale
                               - longest * 2 / 3);
    }

    apart = ngx_min(apart, UINT32_MAX);
    t->apart = ngx_max(t->apart, (uint32_t) apart);

    if (apart > NGX_MEDIA_VOD_SET_APART && !ctx->apart) {
        ctx->apart = 1;

        ngx_media_vod_set_note(ctx, "key frames of %s in clip %u are up to %u"
                               " ms off those of %s", t->name,
                               (unsigned) p->clip + 1, (unsigned) apart,
                               ctx->tracks[p->clock].name);
    }
}


static void
ngx_media_vod_set_place(ngx_media_vod_set_period_t *p)
{
    int64_t                     room;
    ngx_media_plan_t           *clock;
    ngx_media_vod_set_t        *set;
    const ngx_media_vod_map_t  *map;
    ngx_media_vod_period_t     *period, *prev;

    set = p->ctx->set;
    map = p->ctx->make->map;
    period = ngx_media_vod_set_period_at(set, p->clip);

    clock = ngx_media_vod_set_plan(set,
                           ngx_media_vod_set_clip(set, p->clip, p->clock));

    period->nsegments = clock->nsegments;
    period->clock = (uint32_t) p->clock;
    period->duration = p->end;

    if (map->live && map->durations) {
        period->duration = map->durations[p->clip];
    }

    room = (p->start < 0) ? -p->start : 0;

    if (p->clip) {
        prev = period - 1;
        period->number = prev->number + prev->nsegments;
        period->start = prev->start + prev->duration;
        period->base = prev->base + prev->duration;
    }

    if (map->live && map->starts) {
        period->start = map->starts[p->clip];
    }

    if (p->clip == 0 || map->discontinuity) {
        period->base = (period->base + room + 999) / 1000 * 1000;
    }

    set->duration = period->start + period->duration;
}


static ngx_int_t
ngx_media_vod_set_inits(ngx_media_vod_set_period_t *p)
{
    u_char                       *bytes;
    size_t                        size;
    uint32_t                      delay, timescale;
    ngx_uint_t                    i;
    ngx_media_params_t            own;
    ngx_media_vod_set_ctx_t      *ctx;
    ngx_media_vod_set_clip_t     *clip;
    ngx_media_fill_reader_t       reader;
    ngx_media_index_sample_t      sample;
    const ngx_media_index_t      *index;
    const ngx_media_params_t     *params;
    const ngx_media_vod_file_t   *file;
    const ngx_media_vod_track_t  *track;

    ctx = p->ctx;

    for (i = 0; i < ctx->ntracks; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, p->clip, i);

        if (ctx->tracks[i].text) {

            /* also where it has no cues */

            ngx_media_vod_text_params(&own);
            timescale = own.timescale;

        } else if (clip->track == NGX_MEDIA_VOD_NONE) {
            continue;

        } else if (ctx->tracks[i].rung) {

            if (ngx_media_vod_set_rung(ctx, p->clip, i) != NGX_OK) {
                return NGX_ERROR;
            }

            clip = ngx_media_vod_set_clip(ctx->set, p->clip, i);
            ngx_media_params_copy(&own, ngx_media_vod_at(ctx->set, clip->own));
            timescale = own.timescale;

            /* players that do not look at edit lists have it where its source
               is */

            if (ctx->tracks[i].type == NGX_MEDIA_VIDEO) {
                delay = ngx_media_vod_set_delay(p, i);
                clip->delay = ngx_max(clip->delay, delay);
            }

            clip->edit = ngx_media_vod_set_edit(p, clip->delay, timescale);
            own.delay = clip->edit;

        } else {
            file = ctx->make->files[clip->file].file;
            track = ngx_media_vod_set_source(p, i, &index);

            ngx_media_fill_open(&reader, index, &clip->fill);
            sample.description = 0;

            if (ngx_media_fill_seek(&reader, p->ranges[i].first) == NGX_OK) {
                (void) ngx_media_fill_next(&reader, &sample);
            }

            clip->description = sample.description;
            params = ngx_media_vod_params(file, track, sample.description);

            if (params == NULL) {
                clip->description = 0;
                params = ngx_media_vod_params(file, track, 0);
            }

            clip->delay = ngx_media_vod_set_delay(p, i);
            timescale = index->timescale;
            ngx_media_params_copy(&own, params);
            clip->edit = ngx_media_vod_set_edit(p, clip->delay, timescale);
            own.delay = clip->edit;
        }

        clip->base = ngx_media_plan_rescale(
            ngx_media_vod_set_period_at(ctx->set, p->clip)->base, 1000,
            timescale);

        size = ngx_media_mp4_write_init(NULL, &own);

        bytes = malloc(size + 1);
        if (bytes == NULL) {
            ctx->no_memory = 1;
            return NGX_ERROR;
        }

        size = ngx_media_mp4_write_init(bytes, &own);
        clip->init = ngx_media_hash(bytes, size);

        free(bytes);
    }

    return NGX_OK;
}


/*
 * The same in all clips, so that MPEG-TS has one line of decode times.  Of a
 * channel clips come and go, and what one has must not depend on the others.
 */

static uint32_t
ngx_media_vod_set_delay(ngx_media_vod_set_period_t *p, ngx_uint_t track)
{
    int64_t                      delay;
    uint32_t                    *d, n;
    ngx_uint_t                   i;
    ngx_media_vod_set_ctx_t     *ctx;
    ngx_media_vod_set_clip_t    *clip;
    const ngx_media_vod_map_t   *map;
    const ngx_media_index_t     *index;
    const ngx_media_vod_open_t  *files;

    ctx = p->ctx;
    map = ctx->make->map;
    files = ctx->make->files;
    d = ctx->delays[track];

    if (map->live) {
        clip = ngx_media_vod_set_clip(ctx->set, p->clip, track);

        d[1] = 0;
        ngx_media_vod_set_delay_max(ctx, track, files[clip->file].file,
                                    clip->track);

    } else if (d[1] == 0) {
        files += ctx->tracks[track].sequence * map->nclips;

        for (i = 0; i < map->nclips; i++) {
            n = ngx_media_vod_set_find(ctx, track, i);

            if (n != NGX_MEDIA_VOD_NONE) {
                ngx_media_vod_set_delay_max(ctx, track, files[i].file, n);
            }
        }
    }

    if (d[1] == 0) {
        return 0;
    }

    (void) ngx_media_vod_set_source(p, track, &index);

    delay = ngx_media_plan_rescale(d[0], d[1], index->timescale);

    return (uint32_t) ngx_min(delay, INT32_MAX);
}


/*
 * hls.js takes a segment to end where its composition offsets say, without the
 * edit list.  Within a clip that does no harm, but it puts the next clip there:
 * a hole as long as the delay, and an end that never comes.
 */

static uint32_t
ngx_media_vod_set_edit(const ngx_media_vod_set_period_t *p, uint32_t delay,
    uint32_t timescale)
{
    const ngx_media_vod_map_t  *map;

    map = p->ctx->make->map;

    if (map->live || map->nclips > 1) {
        return 0;
    }

    return ngx_media_edit_delay(delay, timescale);
}


static void
ngx_media_vod_set_delay_max(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track,
    const ngx_media_vod_file_t *file, uint32_t n)
{
    uint32_t                 *d, delay;
    const ngx_media_index_t  *index;

    d = ctx->delays[track];
    index = ngx_media_vod_at(file, file->tracks[n].index);

    if (ngx_media_index_check(index, index->size) != NGX_OK) {
        return;
    }

    delay = ngx_media_vod_set_reorder(file, index, ctx->make->map->live);

    if (d[1] == 0
        || (uint64_t) delay * d[1] > (uint64_t) d[0] * index->timescale)
    {
        d[0] = delay;
        d[1] = index->timescale;
    }
}


/*
 * As much as it takes, or more where the same is wanted of all clips by one
 * encoder (equal).  What is appended to a file may not change it: of fragments
 * the first GOP tells.  In the timescale of the index.
 */

static uint32_t
ngx_media_vod_set_reorder(const ngx_media_vod_file_t *file,
    const ngx_media_index_t *index, ngx_uint_t equal)
{
    int64_t                    delay, least;
    ngx_uint_t                 keys;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    if (!file->fragments && !equal) {
        return ngx_media_vod_delay(index);
    }

    /* raw offsets are not negative in most files: then it is that delay */

    least = 0;

    if (!file->fragments) {
        least = ngx_min(index->min_cto, 0);

    } else {
        ngx_media_index_open(&reader, index);

        for (keys = 0; ngx_media_index_next(&reader, &sample) == NGX_OK;
             /* void */ )
        {
            keys += sample.key;

            if (keys > 1) {
                break;
            }

            least = ngx_min(least, sample.cto + index->delay);
        }
    }

    delay = index->delay - least;

    return (delay > 0 && delay <= INT32_MAX) ? (uint32_t) delay : 0;
}


static const ngx_media_vod_track_t *
ngx_media_vod_set_source(ngx_media_vod_set_period_t *p, ngx_uint_t track,
    const ngx_media_index_t **index)
{
    const ngx_media_vod_file_t   *file;
    const ngx_media_vod_track_t  *t;
    ngx_media_vod_set_clip_t     *clip;

    clip = ngx_media_vod_set_clip(p->ctx->set, p->clip, track);
    file = p->ctx->make->files[clip->file].file;
    t = &file->tracks[clip->track];

    *index = ngx_media_vod_at(file, t->index);

    /* frames of what is made, when these are known */

    if (p->ctx->own[track] && p->ctx->own[track][p->clip].index) {
        *index = p->ctx->own[track][p->clip].index;
    }

    return t;
}
