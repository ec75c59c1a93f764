
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a writer writes: frames become parts, which are closed as their last
 * frame arrives while the cadence is locked, otherwise with the frame that
 * comes after it (timing.md, 1 and 7).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_tail.h"
#include "core/ngx_media_writer_still.h"
#include "formats/ngx_media_mp4_write.h"


#define NGX_MEDIA_PART_BYTES  (16 * 1024 * 1024)

/* so many in a row that are too long: frames, or pauses, are that long */
#define NGX_MEDIA_PARTS_OVER  3

/* parts that are not listed for now are when so many target durations fit */
#define NGX_MEDIA_PARTS_BACK  3


static void ngx_media_writer_segment(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t time,
    const ngx_media_writer_frame_t *frame);
static void ngx_media_writer_tail(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);
static ngx_int_t ngx_media_writer_grow(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, size_t len);
static void ngx_media_writer_empty(ngx_media_writer_track_t *t);
static void ngx_media_writer_tear(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static void ngx_media_writer_fits(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_part_put_t *put);
static void ngx_media_writer_expect(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_part_put_t *put);
static void ngx_media_writer_peak(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);


/* the last sample lasts until this one */

void
ngx_media_writer_settle(ngx_media_writer_track_t *t, int64_t dts)
{
    ngx_media_sample_t  *sample;

    if (t->nsamples) {
        sample = &t->samples[t->nsamples - 1];
        sample->duration = dts - t->dts;
        t->duration += sample->duration;
    }
}


/* goes over to the segment that this frame belongs to */

void
ngx_media_writer_follow(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    uint64_t          number, oldest;
    ngx_media_cut_t  *cut;

    oldest = w->cut.number + 1 - w->ncuts;

    if (!t->open) {

        number = ngx_media_writer_cut_of(w, t, time);

        t->number = ngx_max(number, t->number + 1);
        t->number = ngx_min(t->number, w->cut.number);

        ngx_media_writer_segment(w, t, time->dts, frame);
        return;
    }

    while (t->number < w->cut.number) {
        number = ngx_max(t->number + 1, oldest);
        cut = &w->cuts[number % NGX_MEDIA_CUTS];

        if (t != w->clock && !ngx_media_cut_reached(cut, t, time->pts)) {
            return;
        }

        ngx_media_writer_flush(w, t);
        ngx_media_writer_close(w, t);

        t->number = number;

        ngx_media_writer_segment(w, t, time->dts, frame);
    }
}


static void
ngx_media_writer_segment(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t time, const ngx_media_writer_frame_t *frame)
{
    ngx_media_cut_t      *cut;
    ngx_media_segment_t  *segment;

    cut = &w->cuts[t->number % NGX_MEDIA_CUTS];
    segment = &t->segment;

    ngx_memzero(segment, sizeof(ngx_media_segment_t));

    segment->number = cut->number;
    segment->time = time;
    segment->wall = time * 1000 / (int64_t) t->params.timescale + cut->anchor;
    segment->init = t->init;
    segment->discontinuity = cut->discontinuity;
    segment->anchored = cut->anchored;
    segment->leading = frame->leading;
    segment->forced = t->params.type == NGX_MEDIA_VIDEO && !frame->key;

    ngx_media_writer_set_period(w, t);

    if (cut->discontinuity || cut->anchored || cut->joined
        || t->bandwidth == 0)
    {
        ngx_media_writer_bandwidth(w, t);
    }

    segment->bandwidth = t->bandwidth;

    t->segment_bytes = 0;
    t->segment_ticks = 0;
    t->nparts = 0;
    t->open = 1;
}


ngx_int_t
ngx_media_writer_append(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    size_t               len;
    ngx_media_sample_t  *sample;

    len = frame->last - frame->pos;

    if (len > NGX_MEDIA_PART_BYTES) {
        return NGX_DECLINED;
    }

    ngx_media_writer_tail(w, t, time, frame);

    if (t->nsamples
        && (t->nsamples == NGX_MEDIA_PART_SAMPLES + t->again
            || t->size + len > NGX_MEDIA_PART_BYTES
            || !ngx_media_part_fits(w->target, t->params.timescale,
                                    t->duration, time->duration)))
    {
        t->count.parts_late++;
        ngx_media_writer_flush(w, t);
    }

    if (ngx_media_writer_grow(w, t, len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (t->nsamples == 0) {
        t->time = time->dts;
        t->duration = 0;
        t->independent = 0;
    }

    sample = &t->samples[t->nsamples++];

    sample->size = len;
    sample->duration = time->duration;
    sample->cto = time->pts - time->dts;
    sample->key = frame->key;

    if (len) {
        ngx_memcpy(t->data + t->size, frame->pos, len);
        t->size += len;
    }

    if (frame->key) {
        t->since = 0;
        t->since_bytes = 0;
    }

    t->since++;
    t->since_bytes += len;
    t->dts = time->dts;
    t->independent |= frame->key;
    t->count.frames++;
    t->count.bytes += len;
    t->fps = time->duration ? (uint64_t) t->params.timescale * 1000
                              / time->duration : 0;

    if (frame->key && t->params.type == NGX_MEDIA_VIDEO) {
        if (t->count.keys++) {
            t->count.key_msec = (time->pts - t->key_time) * 1000
                                / (int64_t) t->params.timescale;
            t->count.key_msec_max = ngx_max(t->count.key_msec_max,
                                            t->count.key_msec);
        }

        t->key_time = time->pts;
    }

    if (time->locked
        && !ngx_media_part_fits(w->target, t->params.timescale, t->duration,
                                (uint64_t) time->duration * 2))
    {
        /* silence has its place already, the line may be farther */

        if (!t->silent) {
            ngx_media_timeline_fix(t->line, time->duration);
        }

        ngx_media_writer_flush(w, t);
    }

    return NGX_OK;
}


/* those who follow the stream get it now, before its part is there */

static void
ngx_media_writer_tail(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    ngx_media_tail_frame_t  out;

    out.track = t->index;
    out.type = t->params.type;
    out.flags = (frame->key ? NGX_MEDIA_TAIL_KEY : 0)
                | (t->silent ? NGX_MEDIA_TAIL_SILENT : 0);
    out.timescale = t->params.timescale;
    out.duration = time->duration;
    out.dts = time->dts;
    out.cto = (int32_t) (time->pts - time->dts);
    out.number = t->segment.number;
    out.init = t->init;
    out.pos = frame->pos;
    out.size = frame->last - frame->pos;

    if (t->segment.discontinuity && t->nparts == 0 && t->nsamples == 0) {
        out.flags |= NGX_MEDIA_TAIL_PERIOD;
    }

    ngx_media_tail_put(&w->claim, &out);
}


/* room for another sample of this length */

static ngx_int_t
ngx_media_writer_grow(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    size_t len)
{
    u_char              *p;
    size_t               alloc;
    ngx_uint_t           n;
    ngx_media_sample_t  *samples;

    if (t->size + len > t->alloc) {
        alloc = ngx_max(t->size + len, t->alloc * 2);
        alloc = ngx_max(alloc, 4096);

        p = ngx_alloc(alloc, w->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (t->size) {
            ngx_memcpy(p, t->data, t->size);
        }

        if (t->data) {
            ngx_free(t->data);
        }

        t->data = p;
        t->alloc = alloc;
    }

    if (t->nsamples == t->max_samples) {
        n = ngx_max(t->max_samples * 2, NGX_MEDIA_PART_SAMPLES);

        /* with room for what is written of them */

        samples = ngx_alloc(n * sizeof(ngx_media_sample_t)
                            + ngx_media_mp4_chunk_max(n), w->log);
        if (samples == NULL) {
            return NGX_ERROR;
        }

        if (t->samples) {
            ngx_memcpy(samples, t->samples,
                       t->nsamples * sizeof(ngx_media_sample_t));
            ngx_free(t->samples);
        }

        t->samples = samples;
        t->max_samples = n;
    }

    return NGX_OK;
}


/*
 * Closes the open part.  Its last sample has the duration that it was given:
 * either it was settled by the next one, or the line goes on from there.
 */

void
ngx_media_writer_flush(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    u_char                *head;
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_media_part_put_t   put;
    ngx_media_mp4_chunk_t  chunk;

    if (t->nsamples == 0) {
        return;
    }

    if (t->torn) {
        t->count.dropped_nomem += t->nsamples;
        ngx_media_writer_empty(t);
        return;
    }

    ngx_memzero(&put, sizeof(ngx_media_part_put_t));

    for (i = 0; i < t->nsamples; i++) {
        put.duration += t->samples[i].duration;
    }

    ngx_memzero(&chunk, sizeof(ngx_media_mp4_chunk_t));

    chunk.samples = t->samples;
    chunk.nsamples = t->nsamples;
    chunk.decode_time = t->time;
    chunk.sequence = (uint32_t) (t->segment.number * 1024 + t->nparts);
    chunk.type = t->params.type;
    chunk.styp = t->nparts == 0;

    head = (u_char *) &t->samples[t->max_samples];

    put.data[0].data = head;
    put.data[0].len = ngx_media_mp4_write_chunk(head, &chunk);
    put.data[1].data = t->data;
    put.data[1].len = t->size;
    put.segment = &t->segment;
    put.part = t->nparts;
    put.independent = t->independent;

    if (t->nparts == 0 && t->samples[0].key) {
        put.key_size = put.data[0].len + t->samples[0].size;
    }

    put.count = &t->count;
    put.fps = t->fps;
    put.drift = ngx_media_timeline_drift(&w->timeline);

    ngx_media_writer_fits(w, t, &put);
    ngx_media_writer_expect(w, t, &put);
    ngx_media_writer_empty(t);

    rc = ngx_media_part_put(&w->claim, t->index, &put);

    switch (rc) {

    case NGX_OK:
        t->nparts++;
        t->listed = 1;
        t->segment_bytes += put.data[0].len + put.data[1].len;
        t->segment_ticks += put.duration;
        t->bytes += put.data[0].len + put.data[1].len;
        t->ticks += put.duration;
        break;

    case NGX_DECLINED:
        w->lost = 1;
        break;

    default: /* NGX_ABORT */

        t->count.dropped_nomem += chunk.nsamples;
        ngx_media_writer_tear(w, t);
    }
}


static void
ngx_media_writer_empty(ngx_media_writer_track_t *t)
{
    t->nsamples = 0;
    t->again = 0;
    t->size = 0;
    t->duration = 0;
}


/* a hole is not allowed: the period ends here */

static void
ngx_media_writer_tear(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_media_writer_broken(t);
    t->torn = 1;
    ngx_media_timeline_break(&w->timeline);

    if (w->nomem) {
        return;
    }

    w->nomem = 1;

    ngx_log_error(NGX_LOG_WARN, w->log, 0,
                  "media zone \"%V\" is too small, parts are lost: make "
                  "\"zone\" larger or \"window\" shorter", &w->app->name);
}


/*
 * Is it longer than a part may be?  Where frames are that long the track lists
 * none any more; where pictures are held, which goes by, not until what players
 * look at has parts again.
 */

static void
ngx_media_writer_fits(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_part_put_t *put)
{
    uint64_t  back;

    if (ngx_media_part_fits(w->target, t->params.timescale, put->duration, 0))
    {
        t->over = 0;
        t->held_over = 0;
        t->fitting += put->duration;

        back = (uint64_t) w->claim.stream.sh->target * NGX_MEDIA_PARTS_BACK;

        if (t->held_off && t->fitting >= back * t->params.timescale) {
            t->held_off = 0;

            ngx_log_debug1(NGX_LOG_DEBUG_CORE, w->log, 0,
                           "media parts are listed again, track:%ui",
                           t->index);
        }

    } else {
        t->count.parts_over++;
        t->fitting = 0;
        put->coarse = 1;

        if (t->holding) {
            t->held_over++;
            t->held_off |= !t->listed
                           || t->held_over == NGX_MEDIA_PARTS_OVER;

        } else {
            t->over++;
            put->parts_off = !t->listed || t->over == NGX_MEDIA_PARTS_OVER;
        }

        ngx_log_debug5(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media part is too long, track:%ui in a row:%ui "
                       "held:%ui off:%d for now:%d", t->index, t->over,
                       t->held_over, put->parts_off, t->held_off);
    }

    put->parts_off |= w->parts_off && t->params.type == NGX_MEDIA_VIDEO;
    put->held = t->held_off;
    t->plain |= put->parts_off;
}


/* where the next part of this track will probably go: for the hint */

static void
ngx_media_writer_expect(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_part_put_t *put)
{
    int64_t     key, next;
    ngx_uint_t  cut;

    next = t->time + put->duration;

    if (w->clock == NULL) {
        cut = 0;

    } else if (t->number < w->cut.number) {
        cut = ngx_media_cut_reached(&w->cuts[(t->number + 1)
                                             % NGX_MEDIA_CUTS],
                                    t, next);

    } else {
        next = ngx_media_rescale(next, t->params.timescale,
                                 w->clock->params.timescale);

        if (ngx_media_segmenter_unsure(&w->segmenter, next)) {

            /* none: one that does not come true ends shaka-player */
            return;
        }

        if (t == w->clock) {
            cut = ngx_media_segmenter_expects(&w->segmenter, next);

        } else {
            key = w->segmenter.key + w->segmenter.gap;
            cut = ngx_media_segmenter_expects(&w->segmenter, key)
                  && next >= key;
        }
    }

    put->expect_number = t->segment.number + cut;
    put->expect_part = cut ? 0 : t->nparts + 1;
}


void
ngx_media_writer_close(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_media_cut_t  *cut;

    if (!t->open) {
        return;
    }

    t->open = 0;

    if (t->nparts == 0) {
        return;
    }

    cut = &w->cuts[t->number % NGX_MEDIA_CUTS];

    if (cut->number == t->number && cut->runs && !t->segment.runs) {
        ngx_media_writer_set_period(w, t);
        ngx_media_segment_runs(&w->claim, t->index, &t->segment);
    }

    if (ngx_media_segment_close(&w->claim, t->index) != NGX_OK) {
        w->lost = 1;
        return;
    }

    if (w->ready) {
        ngx_media_writer_peak(w, t);
    }
}


/*
 * RFC 8216bis, 4.1: the peak is that of segments which last half a target
 * duration or more.  Shorter ones count together with those that follow: the
 * last one of a publisher may be nothing but a key frame.
 */

static void
ngx_media_writer_peak(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    uint64_t  least, msec, rate;

    least = (uint64_t) w->claim.stream.sh->target * 1000 / 2;
    msec = t->segment_ticks * 1000 / t->params.timescale;

    t->peak_bytes += t->segment_bytes;
    t->peak_msec += msec;

    if (t->peak_msec < least || t->peak_msec == 0) {
        return;
    }

    rate = t->peak_bytes * 8 * 1000 / t->peak_msec;

    if (msec >= least && msec) {
        rate = ngx_max(rate, t->segment_bytes * 8 * 1000 / msec);
    }

    t->peak_bytes = 0;
    t->peak_msec = 0;

    ngx_media_track_bandwidth(&w->claim, t->index, rate);
}


/* the first value lives for hours (timing.md, 12) */

void
ngx_media_writer_bandwidth(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t)
{
    uint64_t                 rate, said;
    ngx_media_track_count_t  count;

    said = t->params.type == NGX_MEDIA_VIDEO ? w->announce.video_rate
                                             : w->announce.audio_rate;
    rate = said + said / 10;

    if (t->ticks >= (uint64_t) w->claim.stream.sh->segment
                    * t->params.timescale / 1000)
    {
        rate = ngx_max(rate, ngx_media_track_average(t->bytes * 8, t->ticks,
                                                     t->params.timescale));

    } else if (rate == 0 && w->app->max_bitrate) {
        rate = w->app->max_bitrate;

    } else if (rate == 0 && t->ticks >= t->params.timescale) {
        rate = t->bytes * 10 * t->params.timescale / t->ticks;
    }

    if (rate == 0) {
        return;
    }

    ngx_media_track_bandwidth(&w->claim, t->index, rate);

    ngx_media_track_counts(&w->claim, t->index, &count, &t->bandwidth);
}
