
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * How a writer's tracks go through segments and parts: to which cut a frame
 * belongs, when a part is closed, and what is made of parts that are lost.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_derive_state.h"
#include "core/ngx_media_writer_still.h"


static void ngx_media_writer_begin(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_packer_frame_t *frame);
static void ngx_media_writer_tear(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);


/* goes over to the segment that this frame belongs to */

void
ngx_media_writer_follow(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    uint64_t                  number, oldest;
    ngx_media_cut_t          *cut;
    ngx_media_packer_frame_t  first;

    oldest = w->cut.number + 1 - w->ncuts;

    ngx_memzero(&first, sizeof(ngx_media_packer_frame_t));

    first.dts = time->dts;
    first.pts = time->pts;
    first.key = frame->key;
    first.leading = frame->leading;

    if (!t->packer.open) {

        number = ngx_media_writer_cut_of(w, t, time);

        t->number = ngx_max(number, t->number + 1);
        t->number = ngx_min(t->number, w->cut.number);

        ngx_media_writer_begin(w, t, &first);
        return;
    }

    while (t->number < w->cut.number) {
        number = ngx_max(t->number + 1, oldest);
        cut = &w->cuts[number % NGX_MEDIA_CUTS];

        if (t != w->clock
            && !ngx_media_cut_reached(cut, time->pts, t->params.timescale))
        {
            return;
        }

        ngx_media_writer_flush(w, t, "cut");
        ngx_media_writer_close(w, t);

        t->number = number;

        ngx_media_writer_begin(w, t, &first);
    }
}


static void
ngx_media_writer_begin(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_packer_frame_t *frame)
{
    ngx_media_cut_t  *cut;

    cut = &w->cuts[t->number % NGX_MEDIA_CUTS];

    if (cut->discontinuity || cut->anchored || cut->joined
        || t->packer.bandwidth == 0)
    {
        ngx_media_writer_bandwidth(w, t);
    }

    ngx_media_packer_begin(&t->packer, cut, frame);

    ngx_media_derived_begun(w, t, frame);
}


void
ngx_media_writer_bandwidth(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    uint64_t  said;

    said = t->params.type == NGX_MEDIA_VIDEO ? w->announce.video_rate
                                             : w->announce.audio_rate;

    if (t->id) {
        said = 0;                             /* that is of the first one */
    }

    ngx_media_packer_bandwidth(&t->packer, said, w->app->max_bitrate);
}


ngx_int_t
ngx_media_writer_append(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    size_t                    len;
    ngx_int_t                 rc;
    ngx_uint_t                first;
    ngx_media_packer_t       *p;
    ngx_media_packer_frame_t  out;

    p = &t->packer;
    len = frame->last - frame->pos;

    if (len > NGX_MEDIA_PART_BYTES) {
        return NGX_DECLINED;
    }

    if (!ngx_media_packer_fits(p, len, time->duration)) {
        p->count.parts_late++;
        ngx_media_writer_flush(w, t, "late");
    }

    out.dts = time->dts;
    out.pts = time->pts;
    out.duration = time->duration;
    out.pos = frame->pos;
    out.last = frame->last;
    out.key = frame->key;
    out.leading = frame->leading;
    out.silent = frame->silent;
    out.again = frame->again;

    rc = ngx_media_packer_frame(p, &out);

    if (rc != NGX_OK) {
        return rc;
    }

    first = p->nparts == 0 && p->segment.time == time->dts;

    if (frame->key) {
        t->since = 0;
        t->since_bytes = 0;
    }

    t->since++;
    t->since_bytes += len;

    if (time->locked && ngx_media_packer_full(p)) {

        /* silence has its place already, the line may be farther */

        if (!t->silent) {
            ngx_media_timeline_fix(t->line, time->duration);
        }

        ngx_media_writer_flush(w, t, "early");
    }

    if (t->starts && !p->torn) {
        ngx_media_derived_tell(w, t, &out, first, time->locked);
    }

    return NGX_OK;
}


void
ngx_media_writer_flush(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const char *why)
{
    switch (ngx_media_packer_flush(&t->packer, why)) {

    case NGX_OK:

        if (t->starts) {
            ngx_media_derived_flushed(w, t);
        }

        break;

    case NGX_DECLINED:
        w->lost = 1;
        break;

    default: /* NGX_ABORT */
        ngx_media_writer_tear(w, t);
    }
}


void
ngx_media_writer_put(void *data, ngx_media_part_put_t *put)
{
    ngx_media_writer_track_t *t = data;

    ngx_media_writer_t  *w;

    w = t->writer;

    put->drift = ngx_media_timeline_drift(&w->timeline);
    put->parts_off |= w->parts_off && t->params.type == NGX_MEDIA_VIDEO;

    ngx_media_writer_expect(w, t->number, t == w->clock,
                            t->packer.time + put->duration,
                            t->params.timescale, put);
}


void
ngx_media_writer_expect(ngx_media_writer_t *w, uint64_t number,
    ngx_uint_t clock, int64_t next, uint32_t timescale,
    ngx_media_part_put_t *put)
{
    int64_t     key;
    ngx_uint_t  cut;

    if (w->clock == NULL) {
        cut = 0;

    } else if (number < w->cut.number) {
        cut = ngx_media_cut_reached(&w->cuts[(number + 1) % NGX_MEDIA_CUTS],
                                    next, timescale);

    } else {
        next = ngx_media_rescale(next, timescale, w->clock->params.timescale);

        if (ngx_media_segmenter_unsure(&w->segmenter, next)) {

            /* none: one that does not come true ends shaka-player */

            put->expect_number = 0;
            put->expect_part = 0;
            return;
        }

        if (clock) {
            cut = ngx_media_segmenter_expects(&w->segmenter, next);

        } else {
            key = w->segmenter.key + w->segmenter.gap;
            cut = ngx_media_segmenter_expects(&w->segmenter, key)
                  && next >= key;
        }
    }

    if (cut) {
        put->expect_number++;
        put->expect_part = 0;
    }
}


/* a hole is not allowed: the period ends here */

static void
ngx_media_writer_tear(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_media_writer_broken(t);
    t->packer.torn = 1;
    ngx_media_timeline_break(&w->timeline);

    if (w->nomem) {
        return;
    }

    w->nomem = 1;

    ngx_log_error(NGX_LOG_WARN, w->log, 0,
                  "media zone \"%V\" is too small, parts are lost: make "
                  "\"zone\" larger or \"window\" shorter", &w->app->name);
}


void
ngx_media_writer_close(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_int_t         rc;
    ngx_media_cut_t  *cut;

    if (!t->packer.open) {
        return;
    }

    cut = &w->cuts[t->number % NGX_MEDIA_CUTS];

    rc = ngx_media_packer_close(&t->packer,
                                cut->number == t->number ? cut : NULL);

    if (rc == NGX_DECLINED) {
        w->lost = 1;
    }

    if (rc == NGX_OK && w->ready) {
        ngx_media_packer_peak(&t->packer);
    }

    ngx_media_derived_closed(w, t);
}
