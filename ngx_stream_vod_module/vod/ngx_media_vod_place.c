
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "vod/ngx_media_vod_set_make.h"


/* ms by which a client's clock may be ahead */
#define NGX_MEDIA_VOD_AHEAD  1000

/* ms: no time is after that */
#define NGX_MEDIA_VOD_FAR    ((uint64_t) 1 << 52)


/* ms, of channels: what is listed, and what of events */
#define NGX_MEDIA_VOD_WINDOW  30000
#define NGX_MEDIA_VOD_EVENT   ((int64_t) 24 * 3600 * 1000)

/* clips that are listed of a channel */
#define NGX_MEDIA_VOD_TURNS   1024


static void ngx_media_vod_turn(const ngx_media_vod_source_t *source,
    uint64_t loop, uint32_t period, ngx_media_vod_turn_t *turn);
static uint64_t ngx_media_vod_first(const ngx_media_vod_source_t *source);
static uint32_t ngx_media_vod_stable(const ngx_media_vod_set_t *set,
    uint32_t period);
static ngx_int_t ngx_media_vod_window(const ngx_media_vod_source_t *source,
    ngx_pool_t *pool, ngx_media_vod_listed_t **listed, ngx_uint_t *n);
static uint32_t ngx_media_vod_ended(const ngx_media_vod_set_t *set,
    const ngx_media_vod_turn_t *turn, int64_t time);
static const ngx_media_vod_set_clip_t *ngx_media_vod_clock(
    const ngx_media_vod_set_t *set, uint32_t period);


/* "loop": of a channel, how often all of it was shown before */

static void
ngx_media_vod_turn(const ngx_media_vod_source_t *source, uint64_t loop,
    uint32_t period, ngx_media_vod_turn_t *turn)
{
    const ngx_media_vod_set_t     *set;
    const ngx_media_vod_map_t     *map;
    const ngx_media_vod_period_t  *p, *last;

    set = source->set;
    map = source->map;
    p = ngx_media_vod_set_period_at(set, period);
    last = ngx_media_vod_set_period_at(set, set->nperiods - 1);

    turn->period = period;
    turn->number = p->number;
    turn->ordinal = period;
    turn->shift = 0;
    turn->wall = -1;

    if (!ngx_media_vod_is_channel(source)) {
        return;
    }

    turn->number += ngx_media_vod_first(source)
                    + loop * ((uint64_t) last->number + last->nsegments);
    turn->ordinal += loop * set->nperiods;

    if (map->first_clip > 0) {
        turn->ordinal += (uint64_t) map->first_clip;
    }

    turn->wall = map->first_time + (int64_t) loop * set->duration + p->start;
    turn->shift = turn->wall - p->base;
}


/*
 * The number of a channel's first segment: initialSegmentIndex, or by its
 * time from segmentBaseTime, which whoever drops clips need not count for
 */

static uint64_t
ngx_media_vod_first(const ngx_media_vod_source_t *source)
{
    int64_t                     time;
    const ngx_media_vod_map_t  *map;

    map = source->map;

    if (map->first_number >= 0) {
        return (uint64_t) map->first_number;
    }

    if (map->segment_time < 0 || source->set->segment == 0) {
        return 0;
    }

    time = map->first_time - map->segment_time + source->set->segment / 2;

    return (time > 0) ? (uint64_t) time / source->set->segment : 0;
}


ngx_int_t
ngx_media_vod_place(const ngx_media_vod_source_t *source, uint64_t number,
    ngx_media_vod_turn_t *turn, uint32_t *segment)
{
    uint32_t                       high, low, n;
    uint64_t                       first, loop, total;
    const ngx_media_vod_set_t     *set;
    const ngx_media_vod_period_t  *periods;

    set = source->set;

    if (set->nperiods == 0) {
        return NGX_DECLINED;
    }

    periods = ngx_media_vod_set_period_at(set, 0);
    loop = 0;

    if (ngx_media_vod_is_channel(source)) {
        first = ngx_media_vod_first(source);
        total = (uint64_t) periods[set->nperiods - 1].number
                + periods[set->nperiods - 1].nsegments;

        if (number < first || total == 0) {
            return NGX_DECLINED;
        }

        number -= first;

        if (source->map->loop) {
            loop = number / total;
            number %= total;
        }
    }

    low = 0;
    high = set->nperiods;

    while (high - low > 1) {
        n = low + (high - low) / 2;

        if (periods[n].number <= number) {
            low = n;

        } else {
            high = n;
        }
    }

    if (number - periods[low].number >= periods[low].nsegments
        || loop > NGX_MEDIA_VOD_FAR / ((uint64_t) set->duration + 1))
    {
        return NGX_DECLINED;
    }

    *segment = (uint32_t) (number - periods[low].number);

    /* not what may change */

    if (set->growing && *segment >= ngx_media_vod_stable(set, low)) {
        return NGX_DECLINED;
    }

    ngx_media_vod_turn(source, loop, low, turn);

    /* not what is shown later */

    if (turn->wall >= 0
        && turn->shift + ngx_media_vod_common(set, low, *segment + 1, 1000)
           > source->now + NGX_MEDIA_VOD_AHEAD)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_listed(const ngx_media_vod_source_t *source, ngx_pool_t *pool,
    ngx_media_vod_listed_t **listed, ngx_uint_t *n)
{
    uint32_t                    i;
    ngx_media_vod_listed_t     *l;
    const ngx_media_vod_set_t  *set;

    set = source->set;

    if (ngx_media_vod_is_channel(source)) {
        return ngx_media_vod_window(source, pool, listed, n);
    }

    l = ngx_palloc(pool, (set->nperiods + 1)
                         * sizeof(ngx_media_vod_listed_t));
    if (l == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < set->nperiods; i++) {
        ngx_media_vod_turn(source, 0, i, &l[i].turn);

        l[i].first = 0;
        l[i].end = ngx_media_vod_set_period_at(set, i)->nsegments;
    }

    if (set->growing && set->nperiods) {
        l[i - 1].end = ngx_media_vod_stable(set, i - 1);
    }

    *listed = l;
    *n = set->nperiods;

    return NGX_OK;
}


/*
 * A file that grows: how many segments will not change, the last one of any
 * track may
 */

static uint32_t
ngx_media_vod_stable(const ngx_media_vod_set_t *set, uint32_t period)
{
    uint32_t                         i, last;
    const ngx_media_plan_t          *plan;
    const ngx_media_vod_set_clip_t  *clip;

    last = ngx_media_vod_set_period_at(set, period)->nsegments;

    for (i = 0; i < set->ntracks; i++) {
        clip = ngx_media_vod_set_clip(set, period, i);
        plan = ngx_media_vod_set_plan(set, clip);

        if (!ngx_media_vod_set_track(set, i)->text
            && clip->track != NGX_MEDIA_VOD_NONE)
        {
            last = ngx_min(last, plan->last);
        }
    }

    return last ? last - 1 : 0;
}


/*
 * What ended in the window before now.  Between clips nothing is shown: a gap
 * in a schedule, which is not counted, so what was last shown stays until the
 * next clip has as much.
 */

static ngx_int_t
ngx_media_vod_window(const ngx_media_vod_source_t *source, ngx_pool_t *pool,
    ngx_media_vod_listed_t **listed, ngx_uint_t *n)
{
    int64_t                     begin, left, now, shown;
    uint64_t                    loop;
    uint32_t                    period;
    ngx_uint_t                  i;
    ngx_media_vod_turn_t        turn;
    ngx_media_vod_listed_t     *l;
    const ngx_media_vod_map_t  *map;
    const ngx_media_vod_set_t  *set;

    set = source->set;
    map = source->map;

    *n = 0;
    *listed = NULL;

    now = source->now;

    /* what is over changes no more */

    if (map->end && map->end_time < now) {
        now = map->end_time;
    }

    if (now < map->first_time || set->duration <= 0) {
        return NGX_OK;
    }

    loop = (uint64_t) (now - map->first_time) / (uint64_t) set->duration;

    if (!map->loop && loop) {
        loop = 0;
        now = map->first_time + set->duration;
    }

    begin = now;
    left = ngx_media_vod_window_size(source);

    /* back from the last one that has begun to the first one in it */

    period = set->nperiods - 1;

    for ( ;; ) {
        ngx_media_vod_turn(source, loop, period, &turn);

        if (turn.wall <= now) {
            (*n)++;

            shown = ngx_media_vod_set_period_at(set, period)->duration;
            shown = ngx_min(shown, now - turn.wall);

            begin = turn.wall + shown - left;
            left -= shown;

            if (left <= 0 || *n == NGX_MEDIA_VOD_TURNS) {
                break;
            }
        }

        if (period) {
            period--;

        } else if (loop) {
            loop--;
            period = set->nperiods - 1;

        } else {
            break;
        }
    }

    l = ngx_palloc(pool, (*n + 1) * sizeof(ngx_media_vod_listed_t));
    if (l == NULL) {
        return NGX_ERROR;
    }

    *listed = l;

    for (i = *n; i; i--) {
        ngx_media_vod_turn(source, loop, period, &l->turn);

        l->first = ngx_media_vod_ended(set, &l->turn, begin);
        l->end = ngx_media_vod_ended(set, &l->turn, now);

        /* the first one is one that is listed */

        if (l != *listed || l->first < l->end) {
            l++;
        }

        if (++period == set->nperiods) {
            period = 0;
            loop++;
        }
    }

    *n = l - *listed;

    return NGX_OK;
}


int64_t
ngx_media_vod_window_size(const ngx_media_vod_source_t *source)
{
    int64_t  window, least;

    if (source->map->event) {
        return NGX_MEDIA_VOD_EVENT;
    }

    window = source->map->window ? source->map->window
                                 : NGX_MEDIA_VOD_WINDOW;
    window = ngx_min(window, NGX_MEDIA_VOD_EVENT);

    /* RFC 8216bis, 6.2.2: three target durations */

    least = (int64_t) source->set->target * 1000 * 4;

    return ngx_max(window, least);
}


/* how many of its segments have ended by then */

static uint32_t
ngx_media_vod_ended(const ngx_media_vod_set_t *set,
    const ngx_media_vod_turn_t *turn, int64_t time)
{
    uint32_t  high, low, middle;

    low = 0;
    high = ngx_media_vod_set_period_at(set, turn->period)->nsegments;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (turn->shift + ngx_media_vod_common(set, turn->period, middle + 1,
                                               1000)
            <= time)
        {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


int64_t
ngx_media_vod_common(const ngx_media_vod_set_t *set, uint32_t period,
    uint32_t n, uint32_t timescale)
{
    int64_t                          time;
    const ngx_media_plan_t          *plan;
    ngx_media_plan_segment_t         segment;
    const ngx_media_vod_period_t    *p;
    const ngx_media_vod_set_clip_t  *clock;

    p = ngx_media_vod_set_period_at(set, period);

    if (n == 0) {
        return ngx_media_plan_rescale(p->base, 1000, timescale);
    }

    clock = ngx_media_vod_clock(set, period);
    plan = ngx_media_vod_set_plan(set, clock);

    if (ngx_media_plan_segment(plan, n, &segment) == NGX_OK) {
        time = segment.time + clock->base;

    } else {
        (void) ngx_media_plan_segment(plan, n - 1, &segment);
        time = segment.time + (int64_t) segment.duration + clock->base;
    }

    return ngx_media_plan_rescale(time, plan->timescale, timescale);
}


static const ngx_media_vod_set_clip_t *
ngx_media_vod_clock(const ngx_media_vod_set_t *set, uint32_t period)
{
    return ngx_media_vod_set_clip(set, period,
                            ngx_media_vod_set_period_at(set, period)->clock);
}
