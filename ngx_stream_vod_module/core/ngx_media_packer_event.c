
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_packer_event.h"


void
ngx_media_packer_event_track(ngx_media_packer_t *p,
    const ngx_media_params_t *params, uint32_t id)
{
    ngx_media_event_track_t  what;

    if (!ngx_media_packer_tells(p, NGX_MEDIA_EVENT_TRACK)) {
        return;
    }

    what.params = params;
    what.id = id;
    what.init = p->init;
    what.derived = p->derived;

    ngx_media_event_run(p->events, NGX_MEDIA_EVENT_TRACK, p->index, &what);
}


void
ngx_media_packer_event_frame(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame)
{
    ngx_media_event_frame_t  what;

    what.pos = frame->pos;
    what.last = frame->last;
    what.dts = frame->dts;
    what.pts = frame->pts;
    what.duration = frame->duration;
    what.timescale = p->timescale;
    what.number = p->segment.number;
    what.key = frame->key;
    what.first = p->nparts == 0 && p->nsamples == 1;
    what.silent = frame->silent;
    what.again = frame->again;

    ngx_media_event_run(p->events, NGX_MEDIA_EVENT_FRAME, p->index, &what);
}


void
ngx_media_packer_event_part(ngx_media_packer_t *p,
    const ngx_media_part_put_t *put)
{
    ngx_media_event_part_t  what;

    if (!ngx_media_packer_tells(p, NGX_MEDIA_EVENT_PART)) {
        return;
    }

    what.segment = &p->segment;
    what.count = &p->count;
    what.part = put->part;
    what.timescale = p->timescale;
    what.duration = put->duration;
    what.bytes = put->size;
    what.fps = put->fps;

    ngx_media_event_run(p->events, NGX_MEDIA_EVENT_PART, p->index, &what);
}


void
ngx_media_packer_event_segment(ngx_media_packer_t *p)
{
    ngx_media_event_part_t  what;

    if (!ngx_media_packer_tells(p, NGX_MEDIA_EVENT_SEGMENT)) {
        return;
    }

    what.segment = &p->segment;
    what.count = &p->count;
    what.part = p->nparts;
    what.timescale = p->timescale;
    what.duration = p->segment_ticks;
    what.bytes = p->segment_bytes;
    what.fps = p->fps;

    ngx_media_event_run(p->events, NGX_MEDIA_EVENT_SEGMENT, p->index, &what);
}


void
ngx_media_packer_event_lost(ngx_media_packer_t *p, ngx_uint_t frames)
{
    ngx_media_event_lost_t  what;

    if (!ngx_media_packer_tells(p, NGX_MEDIA_EVENT_LOST)) {
        return;
    }

    what.number = p->segment.number;
    what.frames = frames;

    ngx_media_event_run(p->events, NGX_MEDIA_EVENT_LOST, p->index, &what);
}


/*
 * The store counts a track over its publishers: what is of this one is what
 * came since it began with it.
 */

void
ngx_media_packer_sum(ngx_media_packer_t *p)
{
    ngx_media_event_sum_t    *sum;
    ngx_media_track_count_t  *count, *base;

    sum = &p->sum;
    count = &p->count;
    base = &p->base;

    sum->frames += (count->frames - count->silent)
                   - (base->frames - base->silent);
    sum->bytes += count->bytes - base->bytes;
    sum->late += count->dropped_late - base->dropped_late;
    sum->key += count->dropped_key - base->dropped_key;
    sum->nomem += count->dropped_nomem - base->dropped_nomem;
    sum->bad += count->dropped_bad - base->dropped_bad;

    p->base = p->count;
}
