
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Derived tracks: what the writer says of their source.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_derive_state.h"


void
ngx_media_derived_begun(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_packer_frame_t *frame)
{
    ngx_queue_t          *q;
    ngx_media_start_t    *start;
    ngx_media_derived_t  *d;

    t->begun = t->number;

    if (t->starts == NULL) {
        return;
    }

    start = &t->starts[t->number % NGX_MEDIA_CUTS];

    start->number = t->number;
    start->timescale = t->params.timescale;
    start->time = frame->dts;
    start->shown = frame->pts;
    start->end = 0;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->source == t && d->packer.type == NGX_MEDIA_TEXT) {
            ngx_media_derived_text_begin(d, start);
        }
    }
}


void
ngx_media_derived_closed(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_queue_t          *q;
    ngx_media_start_t    *start;
    ngx_media_derived_t  *d;

    if (t->starts == NULL) {
        return;
    }

    start = &t->starts[t->packer.segment.number % NGX_MEDIA_CUTS];

    if (start->number != t->packer.segment.number) {
        return;
    }

    start->end = t->packer.segment.time + (int64_t) t->packer.segment_ticks;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->source == t && d->packer.type == NGX_MEDIA_TEXT) {
            ngx_media_derived_text_close(d,
                                  ngx_media_rescale(start->end,
                                                    start->timescale,
                                                    d->packer.timescale));
        }
    }
}


void
ngx_media_derived_flushed(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_queue_t          *q;
    ngx_media_derived_t  *d;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->source == t && d->waiting) {
            ngx_media_derived_flush(d, "waited", 0);
        }
    }
}


void
ngx_media_derived_tell(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_packer_frame_t *frame, ngx_uint_t first,
    ngx_uint_t settled)
{
    ngx_queue_t               *q, *next;
    ngx_media_derived_t       *d;
    ngx_media_source_frame_t   source;

    source.frame = *frame;
    source.number = t->packer.segment.number;
    source.reorder = t->line ? t->line->reorder : 0;
    source.first = first;
    source.silent = t->silent;
    source.settled = settled;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = next)
    {
        next = ngx_queue_next(q);
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->source == t && d->conf.frame) {
            d->conf.frame(d->conf.data, &source);
        }
    }
}


void
ngx_media_derived_period(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_params_t *params)
{
    ngx_queue_t          *q, *next;
    ngx_media_derived_t  *d;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = next)
    {
        next = ngx_queue_next(q);
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->source == t && d->conf.period) {
            d->conf.period(d->conf.data, params);
        }
    }
}


ngx_uint_t
ngx_media_derived_joins(ngx_media_writer_t *w, const ngx_media_cut_t *cut)
{
    ngx_uint_t            joins;
    ngx_queue_t          *q;
    ngx_media_derived_t  *d;

    joins = 0;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->joining && d->offered <= d->number) {
            d->offered = cut->number;
            joins = 1;
        }
    }

    return joins;
}


ngx_uint_t
ngx_media_derived_wanting(ngx_media_writer_t *w, ngx_uint_t waited)
{
    ngx_uint_t            n, wanting;
    ngx_queue_t          *q;
    ngx_media_packer_t   *p;
    ngx_media_derived_t  *d;

    wanting = 0;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_media_derived_t, queue);
        p = &d->packer;

        wanting += waited ? 0 : d->expected;

        if (p->index == NGX_MEDIA_NO_TRACK) {
            continue;
        }

        if (p->bandwidth == 0) {
            ngx_media_packer_bandwidth(p, d->conf.bandwidth,
                                       w->app->max_bitrate);
        }

        n = ngx_media_track_first(&w->claim, p->index) != 0;

        wanting += p->listed ? !n || p->bandwidth == 0 : !waited;
    }

    return wanting;
}


uint64_t
ngx_media_derived_first(ngx_media_writer_t *w)
{
    uint64_t              first, own;
    ngx_queue_t          *q;
    ngx_media_derived_t  *d;

    first = 0;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->packer.index == NGX_MEDIA_NO_TRACK) {
            continue;
        }

        own = ngx_media_track_first(&w->claim, d->packer.index);
        first = ngx_max(first, own);
    }

    return first;
}


ngx_uint_t
ngx_media_derived_end(ngx_media_writer_t *w)
{
    ngx_queue_t          *q, *next;
    ngx_media_derived_t  *d;

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = next)
    {
        next = ngx_queue_next(q);
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->conf.end) {
            d->conf.end(d->conf.data);
        }
    }

    return !ngx_queue_empty(&w->derived);
}
