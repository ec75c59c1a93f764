
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "vod/ngx_media_vod_set_make.h"


static const ngx_media_vod_set_clip_t *ngx_media_vod_clock(
    const ngx_media_vod_set_t *set, uint32_t period);


ngx_int_t
ngx_media_vod_place(const ngx_media_vod_source_t *source, uint64_t number,
    ngx_media_vod_place_t *place)
{
    uint32_t                       high, low, n;
    const ngx_media_vod_set_t     *set;
    const ngx_media_vod_period_t  *periods;

    set = source->set;
    periods = ngx_media_vod_set_period_at(set, 0);

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

    if (set->nperiods == 0
        || number - periods[low].number >= periods[low].nsegments)
    {
        return NGX_DECLINED;
    }

    place->period = low;
    place->segment = (uint32_t) (number - periods[low].number);
    place->shift = 0;

    return NGX_OK;
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


/* the first track that has a plan of its own, see set_period.c */

static const ngx_media_vod_set_clip_t *
ngx_media_vod_clock(const ngx_media_vod_set_t *set, uint32_t period)
{
    uint32_t                          i;
    const ngx_media_plan_t           *plan;
    const ngx_media_vod_set_clip_t   *clip;
    const ngx_media_vod_set_track_t  *track;

    clip = ngx_media_vod_set_clip(set, period, 0);

    for (i = 0; i < set->ntracks; i++) {
        clip = ngx_media_vod_set_clip(set, period, i);
        track = ngx_media_vod_set_track(set, i);
        plan = ngx_media_vod_set_plan(set, clip);

        if (clip->track != NGX_MEDIA_VOD_NONE && !track->text && plan->last) {
            break;
        }
    }

    return clip;
}
