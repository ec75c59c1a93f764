
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Derived tracks: their frames, of video and audio, and what is common to all.
 *
 * The source's starts are kept in a ring beside the cuts, so a derived track
 * may be late by any time that is less than NGX_MEDIA_CUTS segments.  It opens
 * no segment that the source has not: what is complete of a stream is what any
 * of its tracks says, and window and end follow that.
 *
 * Inside a period its decode times have no hole either.  Where it has nothing
 * for the begin of a segment, all of that segment is a gap, also where it lost
 * a part: for a gap takes the time that is missing.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_derive_state.h"


static ngx_int_t ngx_media_derived_refuse(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, uint32_t id, ngx_int_t rc);
static void ngx_media_derived_put(void *data, ngx_media_part_put_t *put);
static ngx_uint_t ngx_media_derived_in_dash(const ngx_media_derived_t *d);
static ngx_uint_t ngx_media_derived_amid(ngx_media_derived_t *d,
    uint64_t number, const ngx_media_packer_frame_t *first);
static void ngx_media_derived_join(ngx_media_derived_t *d);
static ngx_uint_t ngx_media_derived_forgotten(const ngx_media_derived_t *d);
static uint64_t ngx_media_derived_number(const ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame);
static void ngx_media_derived_go(ngx_media_derived_t *d, uint64_t number,
    const ngx_media_packer_frame_t *frame);
static void ngx_media_derived_leave(ngx_media_derived_t *d, uint64_t number,
    ngx_media_packer_frame_t *first);
static ngx_int_t ngx_media_derived_enter(ngx_media_derived_t *d,
    uint64_t number, ngx_media_packer_frame_t *first);
static void ngx_media_derived_settle(ngx_media_derived_t *d, int64_t next);
static int64_t ngx_media_derived_limit(const ngx_media_derived_t *d);
static int64_t ngx_media_derived_dts(const ngx_media_derived_t *d,
    int64_t dts);
static void ngx_media_derived_append(ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame, ngx_uint_t settled);
static void ngx_media_derived_free(ngx_media_derived_t *d);


#define ngx_media_derived_start(d, n)                                         \
    (&(d)->source->starts[(n) % NGX_MEDIA_CUTS])

#define ngx_media_derived_video(d)                                            \
    ((d)->packer.type == NGX_MEDIA_VIDEO)


ngx_int_t
ngx_media_writer_derive(ngx_media_writer_t *w, ngx_uint_t source,
    const ngx_media_params_t *params, const ngx_media_derive_t *conf,
    ngx_media_derived_t **derived)
{
    ngx_int_t                  rc;
    ngx_media_derived_t       *d;
    ngx_media_writer_track_t  *t;

    t = w->tracks[source];

    if (w->lost || w->leaving) {
        return NGX_DECLINED;
    }

    if (t->starts == NULL) {
        t->starts = ngx_calloc(NGX_MEDIA_CUTS * sizeof(ngx_media_start_t),
                               w->log);
        if (t->starts == NULL) {
            return NGX_ERROR;
        }
    }

    d = ngx_calloc(sizeof(ngx_media_derived_t), w->log);
    if (d == NULL) {
        return NGX_ERROR;
    }

    ngx_media_packer_init(&d->packer, &w->claim, w->target, w->log);

    d->packer.mild = 1;
    d->packer.derived = 1;
    d->packer.events = &w->events;
    d->packer.part = ngx_media_derived_put;
    d->packer.data = d;
    d->writer = w;
    d->source = t;
    d->conf = *conf;

    if (params) {
        ngx_media_params_copy(&d->params, params);

        rc = ngx_media_packer_params(&d->packer, params,
                                     NGX_MEDIA_DERIVED_ID + conf->id);

        if (rc != NGX_OK) {
            ngx_free(d);
            return ngx_media_derived_refuse(w, t, conf->id, rc);
        }

        (void) ngx_media_track_only(&w->claim, d->packer.index, conf->only);
        (void) ngx_media_track_end(&w->claim, d->packer.index, &d->end);
    }

    ngx_queue_insert_tail(&w->derived, &d->queue);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media track %i is derived of track %ui, end:%L",
                   (ngx_int_t) d->packer.index, t->packer.index, d->end);

    *derived = d;

    return NGX_OK;
}


ngx_uint_t
ngx_media_writer_source(const ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < w->ntracks; i++) {
        if (w->tracks[i]->params.type == type && w->tracks[i]->id == id) {
            return i;
        }
    }

    return NGX_MEDIA_NO_TRACK;
}


void
ngx_media_derived_expect(ngx_media_derived_t *d, ngx_uint_t n)
{
    d->expected = n;
}


static ngx_int_t
ngx_media_derived_refuse(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    uint32_t id, ngx_int_t rc)
{
    if (rc == NGX_DECLINED) {
        w->lost = 1;
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_WARN, w->log, 0,
                  "media track %uD, derived of track %ui, is ignored: %s",
                  id, t->packer.index, ngx_media_writer_refusal(rc));

    return NGX_ABORT;
}


ngx_int_t
ngx_media_derived_params(ngx_media_derived_t *d,
    const ngx_media_params_t *params)
{
    if (params->codec != d->params.codec
        || params->timescale != d->params.timescale)
    {
        return NGX_DECLINED;
    }

    ngx_media_params_copy(&d->params, params);
    d->changed = 1;

    return NGX_OK;
}


ngx_int_t
ngx_media_derived_frame(ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame, ngx_uint_t settled)
{
    uint64_t            number;
    ngx_media_packer_t  *p;

    p = &d->packer;

    if (d->writer->lost) {
        return NGX_DECLINED;
    }

    if (p->type == NGX_MEDIA_TEXT) {
        return ngx_media_derived_text_frame(d, frame);
    }

    if (p->open && ngx_media_derived_forgotten(d)) {
        ngx_media_derived_flush(d, "forgotten", 1);
        ngx_media_derived_close_segment(d);
    }

    number = ngx_media_derived_number(d, frame);

    if (number != d->number) {
        ngx_media_derived_go(d, number, frame);
    }

    if (p->open) {
        ngx_media_derived_append(d, frame, settled);

    } else {
        p->count.dropped_key++;
    }

    return d->writer->lost ? NGX_DECLINED : NGX_OK;
}


/* it is so late that nobody knows where its segment ends */

static ngx_uint_t
ngx_media_derived_forgotten(const ngx_media_derived_t *d)
{
    return d->source->begun - d->number >= NGX_MEDIA_CUTS;
}


/* of the newest segment that the frame has come to; else where it is */

static uint64_t
ngx_media_derived_number(const ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame)
{
    uint64_t                  n, newest;
    ngx_media_cut_t          *cut;
    ngx_media_start_t        *start;
    const ngx_media_packer_t *p;

    p = &d->packer;
    newest = d->source->begun;

    for (n = newest; n > d->number && newest - n < NGX_MEDIA_CUTS; n--) {

        start = ngx_media_derived_start(d, n);
        cut = &d->writer->cuts[n % NGX_MEDIA_CUTS];

        if (start->number != n || cut->number != n) {
            continue;
        }

        if (p->type == NGX_MEDIA_AUDIO
            ? ngx_media_cut_reached(cut, frame->pts, p->timescale)
            : frame->pts >= ngx_media_rescale(start->shown, start->timescale,
                                              p->timescale))
        {
            return n;
        }
    }

    return d->number;
}


static void
ngx_media_derived_go(ngx_media_derived_t *d, uint64_t number,
    const ngx_media_packer_frame_t *frame)
{
    ngx_int_t                  late;
    ngx_media_start_t         *start;
    ngx_media_packer_t        *p;
    ngx_media_packer_frame_t   first;

    p = &d->packer;
    start = ngx_media_derived_start(d, number);
    first = *frame;
    late = 0;

    if (ngx_media_derived_video(d)) {
        first.dts = ngx_media_rescale(start->time, start->timescale,
                                      p->timescale);

        late = frame->pts - ngx_media_rescale(start->shown, start->timescale,
                                              p->timescale);
    }

    if (p->open) {
        ngx_media_derived_leave(d, number, &first);
    }

    if (late * 10000 > (int64_t) p->target * p->timescale
        || !frame->key)
    {
        ngx_log_debug4(NGX_LOG_DEBUG_CORE, p->log, 0,
                       "media segment %uL is a gap in derived track %ui, "
                       "key:%d late:%i", number, p->index, frame->key, late);

        d->number = number;
        return;
    }

    (void) ngx_media_derived_begin(d, number, &first);
}


/*
 * The segment that is open ends where the source's did, which is known, for
 * that has gone farther; of audio, where the next frame begins.  What is not
 * known any more, or in the next period, it does not reach for.
 */

static void
ngx_media_derived_leave(ngx_media_derived_t *d, uint64_t number,
    ngx_media_packer_frame_t *first)
{
    int64_t              end, next;
    ngx_media_cut_t     *cut;
    ngx_media_packer_t  *p;

    p = &d->packer;
    cut = &d->writer->cuts[number % NGX_MEDIA_CUTS];

    end = d->end;

    if (p->nsamples) {
        end = p->dts + (int64_t) p->samples[p->nsamples - 1].duration;
    }

    next = ngx_media_derived_limit(d);

    if (next == INT64_MAX) {
        next = first->dts;

        if (number != d->number + 1 || cut->number != number || cut->apart) {
            next = ngx_min(next, end);
        }
    }

    if (p->nsamples) {
        ngx_media_derived_settle(d, next);

    } else if (end < next && p->type == NGX_MEDIA_AUDIO) {
        first->dts = end;

    } else if (end < next && number == d->number + 1 && !cut->apart) {

        /* a gap takes what is missing */
        d->skip = number;
    }

    ngx_media_derived_flush(d, "cut", 1);
    ngx_media_derived_close_segment(d);
}


/*
 * The last frame lasts until then.  Where it was put as it is shown, behind
 * that, it is decoded earlier, if there is another one before it.
 */

static void
ngx_media_derived_settle(ngx_media_derived_t *d, int64_t next)
{
    int64_t              shift;
    ngx_media_packer_t  *p;
    ngx_media_sample_t  *last;

    p = &d->packer;
    last = &p->samples[p->nsamples - 1];
    shift = p->dts - (next - 1);

    if (shift > 0 && p->nsamples > 1
        && shift < (int64_t) last[-1].duration)
    {
        last[-1].duration -= shift;
        last->cto += shift;
        p->duration -= shift;
        p->dts -= shift;
    }

    ngx_media_packer_settle(p, ngx_max(next, p->dts + 1));
}


ngx_int_t
ngx_media_derived_begin(ngx_media_derived_t *d, uint64_t number,
    const ngx_media_packer_frame_t *frame)
{
    ngx_media_cut_t           *cut;
    ngx_media_packer_t        *p;
    ngx_media_packer_frame_t   first;

    p = &d->packer;
    cut = &d->writer->cuts[number % NGX_MEDIA_CUTS];
    first = *frame;

    d->number = number;

    if (ngx_media_derived_enter(d, number, &first) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (cut->discontinuity || cut->anchored || cut->joined
        || cut->number == cut->period || p->bandwidth == 0)
    {
        ngx_media_packer_bandwidth(p, d->conf.bandwidth,
                                   d->writer->app->max_bitrate);
    }

    ngx_media_packer_begin(p, cut, &first);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, p->log, 0,
                   "media segment %uL of derived track %ui, time:%L pts:%L "
                   "source:%uL", number, p->index, first.dts, frame->pts,
                   d->source->begun);

    p->torn = 0;
    d->joining = 0;

    return NGX_OK;
}


/* may it begin with this number? */

static ngx_int_t
ngx_media_derived_enter(ngx_media_derived_t *d, uint64_t number,
    ngx_media_packer_frame_t *first)
{
    ngx_int_t            rc;
    ngx_media_cut_t     *cut;
    ngx_media_packer_t  *p;
    ngx_media_writer_t  *w;

    w = d->writer;
    p = &d->packer;
    cut = &w->cuts[number % NGX_MEDIA_CUTS];

    if (cut->number != number || number <= d->skip) {
        return NGX_DECLINED;
    }

    if (w->ready && cut->number != cut->period
        && p->segment.period != cut->period
        && !ngx_media_derived_amid(d, number, first))
    {
        return NGX_DECLINED;
    }

    if (d->changed) {
        rc = ngx_media_packer_params(p, &d->params,
                                     NGX_MEDIA_DERIVED_ID + d->conf.id);

        if (rc != NGX_OK) {
            w->lost |= (rc == NGX_DECLINED);
            p->count.dropped_nomem++;
            return NGX_DECLINED;
        }

        d->changed = 0;
    }

    /* nothing comes earlier than what is there already */

    first->dts = ngx_max(first->dts, d->end);

    return NGX_OK;
}


static ngx_uint_t
ngx_media_derived_in_dash(const ngx_media_derived_t *d)
{
    return d->conf.only == 0 || (d->conf.only & NGX_MEDIA_IN_DASH);
}


/*
 * Others are listed without it in this period.  Periods are of DASH: what is
 * not listed there begins amid one all the same, where a segment does.
 */

static ngx_uint_t
ngx_media_derived_amid(ngx_media_derived_t *d, uint64_t number,
    const ngx_media_packer_frame_t *first)
{
    int64_t                   time;
    const ngx_media_start_t  *start;

    if (ngx_media_derived_in_dash(d)) {
        ngx_media_derived_join(d);
        return 0;
    }

    start = ngx_media_derived_start(d, number);
    time = ngx_media_rescale(start->time, start->timescale,
                             d->packer.timescale);

    if (start->number == number
        && first->dts - time < (int64_t) first->duration)
    {
        return 1;
    }

    d->skip = number;

    return 0;
}


static void
ngx_media_derived_join(ngx_media_derived_t *d)
{
    if (d->joining && d->offered > d->number) {
        return;
    }

    d->joining = 1;

    if (d->writer->clock) {
        ngx_media_segmenter_hurry(&d->writer->segmenter, 0);
    }
}


/* where the open segment of video ends, as soon as the source's has */

static int64_t
ngx_media_derived_limit(const ngx_media_derived_t *d)
{
    const ngx_media_start_t  *start;

    start = ngx_media_derived_start(d, d->number);

    if (!ngx_media_derived_video(d) || start->number != d->number
        || start->end == 0)
    {
        return INT64_MAX;
    }

    return ngx_media_rescale(start->end, start->timescale,
                             d->packer.timescale);
}


/* of a frame in the segment that is open: times grow, up to its end */

static int64_t
ngx_media_derived_dts(const ngx_media_derived_t *d, int64_t dts)
{
    const ngx_media_packer_t  *p;

    p = &d->packer;

    if (p->nsamples == 0) {
        return p->nparts ? d->end : p->segment.time;
    }

    dts = ngx_min(dts, ngx_media_derived_limit(d) - 1);

    return ngx_max(dts, p->dts + 1);
}


static void
ngx_media_derived_append(ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame, ngx_uint_t settled)
{
    size_t                     len;
    int64_t                    limit;
    ngx_int_t                  rc;
    ngx_media_packer_t        *p;
    ngx_media_packer_frame_t   out;

    p = &d->packer;
    out = *frame;
    limit = ngx_media_derived_limit(d);
    len = frame->last - frame->pos;

    out.dts = ngx_media_derived_dts(d, frame->dts);

    if (limit > out.dts && limit - out.dts < (int64_t) out.duration) {
        out.duration = limit - out.dts;
    }

    ngx_media_packer_settle(p, out.dts);

    if (p->type == NGX_MEDIA_AUDIO) {
        out.pts = out.dts;
    }

    if (!ngx_media_packer_fits(p, len, out.duration)) {
        p->count.parts_late++;
        ngx_media_derived_flush(d, "late", 0);
    }

    if (p->nsamples >= NGX_MEDIA_PART_SAMPLES
        || p->size + len > NGX_MEDIA_PART_BYTES)
    {
        /* too much, or the source does not get on */
        p->count.dropped_nomem++;
        return;
    }

    rc = ngx_media_packer_frame(p, &out);

    if (rc != NGX_OK) {
        p->count.dropped_nomem++;

        if (p->nsamples == 0) {
            p->torn = 1;
            d->skip = d->number + (p->nparts ? 1 : 0);
        }

        return;
    }

    if (settled && ngx_media_packer_full(p)) {
        ngx_media_derived_flush(d, "early", 0);
    }
}


void
ngx_media_derived_flush(ngx_media_derived_t *d, const char *why,
    ngx_uint_t last)
{
    int64_t              end;
    ngx_uint_t           torn;
    ngx_media_packer_t  *p;

    p = &d->packer;

    if (p->nsamples == 0) {
        return;
    }

    if (d->source->packer.opened < p->segment.number) {

        if (!last) {

            ngx_log_debug3(NGX_LOG_DEBUG_CORE, p->log, 0,
                           "media part %uL.%ui of derived track %ui waits "
                           "for the source", p->segment.number, p->nparts,
                           p->index);

            d->waiting = 1;
            return;
        }

        /* the source has nothing of it */

        p->torn = 1;
    }

    d->waiting = 0;

    torn = p->torn;
    end = p->dts + (int64_t) p->samples[p->nsamples - 1].duration;

    switch (ngx_media_packer_flush(p, why)) {

    case NGX_OK:
        d->end = torn ? d->end : end;
        break;

    case NGX_DECLINED:
        d->writer->lost = 1;
        break;

    default: /* NGX_ABORT */
        p->torn = 1;
        d->skip = d->number + (p->nparts ? 1 : 0);
    }
}


void
ngx_media_derived_close_segment(ngx_media_derived_t *d)
{
    ngx_int_t         rc;
    ngx_media_cut_t  *cut;

    cut = &d->writer->cuts[d->number % NGX_MEDIA_CUTS];

    rc = ngx_media_packer_close(&d->packer,
                                cut->number == d->number ? cut : NULL);

    if (rc == NGX_DECLINED) {
        d->writer->lost = 1;
    }

    if (rc == NGX_OK && d->writer->ready) {
        ngx_media_packer_peak(&d->packer);
    }
}


/* of a part that is about to be put */

static void
ngx_media_derived_put(void *data, ngx_media_part_put_t *put)
{
    ngx_media_derived_t *d = data;

    int64_t              next;
    ngx_media_packer_t  *p;

    p = &d->packer;
    next = p->time + put->duration;

    put->drift = ngx_media_timeline_drift(&d->writer->timeline);

    ngx_media_writer_expect(d->writer, d->number, 0, next, p->timescale, put);
}


void
ngx_media_derived_close(ngx_media_writer_t *w, const char *reason)
{
    ngx_queue_t          *q;
    ngx_media_derived_t  *d;

    while (!ngx_queue_empty(&w->derived)) {
        q = ngx_queue_head(&w->derived);
        d = ngx_queue_data(q, ngx_media_derived_t, queue);

        if (d->conf.close) {
            d->conf.close(d->conf.data, reason);
        }

        ngx_media_derived_free(d);
    }
}


void
ngx_media_derived_done(ngx_media_derived_t *d)
{
    ngx_uint_t           gone, index, periods;
    ngx_media_writer_t  *w;

    w = d->writer;
    index = d->packer.index;
    periods = ngx_media_derived_in_dash(d);

    ngx_media_derived_free(d);

    /* of a stream that has ended what came to its end is listed */

    if (!w->leaving && index != NGX_MEDIA_NO_TRACK) {
        gone = ngx_media_track_away(&w->claim, index);
        w->gone |= gone && periods;
    }

    if (w->leaving && ngx_queue_empty(&w->derived)) {
        ngx_media_writer_destroy(w, "nothing of it is late any more");
    }
}


static void
ngx_media_derived_free(ngx_media_derived_t *d)
{
    int64_t  limit;

    limit = ngx_media_derived_limit(d);

    if (d->packer.nsamples && limit != INT64_MAX) {
        ngx_media_derived_settle(d, limit);
    }

    ngx_media_derived_flush(d, "done", 1);
    ngx_media_derived_close_segment(d);

    ngx_queue_remove(&d->queue);

    if (d->rest) {
        ngx_free(d->rest);
    }

    ngx_media_packer_free(&d->packer);
    ngx_free(d);
}
