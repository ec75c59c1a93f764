
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What is written of a track: frames become parts, and these segments.  A part
 * is closed as its last frame arrives where that is known, otherwise with the
 * frame that comes after it (timing.md, 1 and 7): its owner says.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_packer_event.h"
#include "core/ngx_media_tail.h"
#include "core/ngx_media_track.h"
#include "time/ngx_media_segmenter.h"


/* so many in a row that are too long: frames, or pauses, are that long */
#define NGX_MEDIA_PARTS_OVER  3

/* parts that are not listed for now are when so many target durations fit */
#define NGX_MEDIA_PARTS_BACK  3


static void ngx_media_packer_period(ngx_media_packer_t *p,
    const ngx_media_cut_t *cut);
static void ngx_media_packer_tail(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame);
static ngx_int_t ngx_media_packer_grow(ngx_media_packer_t *p, size_t len);
static void ngx_media_packer_count(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame);
static void ngx_media_packer_chunk(ngx_media_packer_t *p,
    ngx_media_part_put_t *put);
static void ngx_media_packer_empty(ngx_media_packer_t *p);
static void ngx_media_packer_over(ngx_media_packer_t *p,
    ngx_media_part_put_t *put);


void
ngx_media_packer_init(ngx_media_packer_t *p, const ngx_media_claim_t *claim,
    uint32_t target, ngx_log_t *log)
{
    ngx_memzero(p, sizeof(ngx_media_packer_t));

    p->claim = claim;
    p->log = log;
    p->target = target;
    p->index = NGX_MEDIA_NO_TRACK;
}


void
ngx_media_packer_free(ngx_media_packer_t *p)
{
    if (p->payload) {
        ngx_free(p->payload);
    }

    if (p->samples) {
        ngx_free(p->samples);
    }
}


ngx_int_t
ngx_media_packer_params(ngx_media_packer_t *p,
    const ngx_media_params_t *params, uint32_t id)
{
    uint64_t    bandwidth;
    ngx_int_t   rc;
    ngx_uint_t  index;

    index = p->index;

    p->type = params->type;
    p->timescale = params->timescale;

    rc = ngx_media_track_add(p->claim, params, id, &p->index);

    if (rc != NGX_OK) {
        return rc;
    }

    if (p->index != index) {
        ngx_media_packer_sum(p);
        ngx_media_track_counts(p->claim, p->index, &p->count, &bandwidth);
        p->base = p->count;
        p->listed = 0;
    }

    rc = ngx_media_track_set_init(p->claim, p->index, params, &p->init);

    ngx_log_debug6(NGX_LOG_DEBUG_CORE, p->log, 0,
                   "media track %ui has parameters, type:%d timescale:%uD "
                   "target:%uD init:%016xL rc:%i",
                   p->index, (int) p->type, p->timescale, p->target, p->init,
                   rc);

    if (rc == NGX_OK) {
        ngx_media_packer_event_track(p, params, id);
    }

    return rc;
}


void
ngx_media_packer_begin(ngx_media_packer_t *p, const ngx_media_cut_t *cut,
    const ngx_media_packer_frame_t *frame)
{
    ngx_media_segment_t  *segment;

    segment = &p->segment;

    ngx_memzero(segment, sizeof(ngx_media_segment_t));

    segment->number = cut->number;
    segment->time = frame->dts;
    segment->wall = frame->dts * 1000 / (int64_t) p->timescale + cut->anchor;
    segment->init = p->init;
    segment->bandwidth = p->bandwidth;
    segment->discontinuity = cut->discontinuity;
    segment->anchored = cut->anchored;
    segment->leading = frame->leading;
    segment->forced = p->type == NGX_MEDIA_VIDEO && !frame->key;

    ngx_media_packer_period(p, cut);

    p->segment_bytes = 0;
    p->segment_ticks = 0;
    p->nparts = 0;
    p->open = 1;
}


static void
ngx_media_packer_period(ngx_media_packer_t *p, const ngx_media_cut_t *cut)
{
    ngx_media_segment_t  *segment;

    segment = &p->segment;

    segment->runs = cut->runs;
    segment->period = cut->period;
    segment->period_wall = cut->period_wall;
    segment->period_time = ngx_media_rescale(cut->period_time,
                                             cut->period_timescale,
                                             p->timescale);
}


ngx_uint_t
ngx_media_packer_fits(const ngx_media_packer_t *p, size_t len,
    uint32_t duration)
{
    return p->nsamples == 0
           || (p->nsamples != NGX_MEDIA_PART_SAMPLES + p->again
               && p->size + len <= NGX_MEDIA_PART_BYTES
               && ngx_media_part_fits(p->target, p->timescale, p->duration,
                                      duration));
}


ngx_uint_t
ngx_media_packer_full(const ngx_media_packer_t *p)
{
    return p->nsamples
           && !ngx_media_part_fits(p->target, p->timescale, p->duration,
                                   (uint64_t) p->samples[p->nsamples - 1]
                                                 .duration * 2);
}


uint32_t
ngx_media_packer_room(const ngx_media_packer_t *p)
{
    uint64_t  limit;

    limit = (uint64_t) p->target * p->timescale / 10000;

    return limit > p->duration ? limit - p->duration : 0;
}


void
ngx_media_packer_settle(ngx_media_packer_t *p, int64_t dts)
{
    ngx_media_sample_t  *sample;

    if (p->nsamples) {
        sample = &p->samples[p->nsamples - 1];
        sample->duration = dts - p->dts;
        p->duration += sample->duration;
    }
}


ngx_int_t
ngx_media_packer_frame(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame)
{
    size_t               len;
    ngx_media_sample_t  *sample;

    len = frame->last - frame->pos;

    if (len > NGX_MEDIA_PART_BYTES) {
        return NGX_DECLINED;
    }

    ngx_media_packer_tail(p, frame);

    if (ngx_media_packer_grow(p, len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (p->nsamples == 0) {
        p->time = frame->dts;
        p->duration = 0;
        p->independent = 0;
    }

    sample = &p->samples[p->nsamples++];

    sample->size = len;
    sample->duration = frame->duration;
    sample->cto = frame->pts - frame->dts;
    sample->key = frame->key;

    if (len) {
        ngx_memcpy(p->payload + p->size, frame->pos, len);
        p->size += len;
    }

    p->dts = frame->dts;
    p->independent |= frame->key;

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, p->log, 0,
                   "media frame of track %ui in %uL.%ui, dts:%L pts:%L "
                   "duration:%uD size:%uz key:%d",
                   p->index, p->segment.number, p->nparts, frame->dts,
                   frame->pts, frame->duration, len, frame->key);

    ngx_media_packer_count(p, frame);

    if (ngx_media_packer_tells(p, NGX_MEDIA_EVENT_FRAME)) {
        ngx_media_packer_event_frame(p, frame);
    }

    return NGX_OK;
}


/*
 * Those who follow the stream get it now, before its part is there.  What was
 * put out before so that a picture is held would be all of a GOP in a moment.
 */

static void
ngx_media_packer_tail(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame)
{
    ngx_media_tail_frame_t  out;

    if (p->type == NGX_MEDIA_TEXT || (frame->again && p->again)) {
        return;
    }

    out.track = p->index;
    out.type = p->type;
    out.flags = (frame->key ? NGX_MEDIA_TAIL_KEY : 0)
                | (frame->silent ? NGX_MEDIA_TAIL_SILENT : 0);
    out.timescale = p->timescale;
    out.duration = frame->duration;
    out.dts = frame->dts;
    out.cto = (int32_t) (frame->pts - frame->dts);
    out.number = p->segment.number;
    out.init = p->init;
    out.pos = frame->pos;
    out.size = frame->last - frame->pos;

    if (p->segment.discontinuity && p->nparts == 0 && p->nsamples == 0) {
        out.flags |= NGX_MEDIA_TAIL_PERIOD;
    }

    ngx_media_tail_put(p->claim, &out);
}


/* room for another sample of this length */

static ngx_int_t
ngx_media_packer_grow(ngx_media_packer_t *p, size_t len)
{
    u_char              *payload;
    size_t               alloc;
    ngx_uint_t           n;
    ngx_media_sample_t  *samples;

    if (p->size + len > p->alloc) {
        alloc = ngx_max(p->size + len, p->alloc * 2);
        alloc = ngx_max(alloc, 4096);

        payload = ngx_alloc(alloc, p->log);
        if (payload == NULL) {
            return NGX_ERROR;
        }

        if (p->size) {
            ngx_memcpy(payload, p->payload, p->size);
        }

        if (p->payload) {
            ngx_free(p->payload);
        }

        p->payload = payload;
        p->alloc = alloc;
    }

    if (p->nsamples == p->max_samples) {
        n = ngx_max(p->max_samples * 2, NGX_MEDIA_PART_SAMPLES);

        /* with room for what is written of them */

        samples = ngx_alloc(n * sizeof(ngx_media_sample_t)
                            + ngx_media_mp4_chunk_max(n), p->log);
        if (samples == NULL) {
            return NGX_ERROR;
        }

        if (p->samples) {
            ngx_memcpy(samples, p->samples,
                       p->nsamples * sizeof(ngx_media_sample_t));
            ngx_free(p->samples);
        }

        p->samples = samples;
        p->max_samples = n;
    }

    return NGX_OK;
}


/* for the status */

static void
ngx_media_packer_count(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame)
{
    p->count.frames++;
    p->count.bytes += frame->last - frame->pos;
    p->fps = frame->duration ? (uint64_t) p->timescale * 1000
                               / frame->duration : 0;

    if (!frame->key || p->type != NGX_MEDIA_VIDEO) {
        return;
    }

    if (p->count.keys++ && p->key_time) {
        p->count.key_msec = (frame->pts - p->key_time) * 1000
                            / (int64_t) p->timescale;
        p->count.key_msec_max = ngx_max(p->count.key_msec_max,
                                        p->count.key_msec);
    }

    p->key_time = frame->pts;
}


/*
 * Its last sample has the duration that it was given: either it was settled by
 * the next one, or its owner goes on from there.
 */

ngx_int_t
ngx_media_packer_flush(ngx_media_packer_t *p, const char *why)
{
    ngx_int_t             rc;
    ngx_uint_t            n;
    ngx_media_part_put_t  put;

    if (p->nsamples == 0) {
        return NGX_OK;
    }

    n = p->nsamples;

    if (p->torn) {
        p->count.dropped_nomem += n;
        ngx_media_packer_event_lost(p, n);
        ngx_media_packer_empty(p);
        return NGX_OK;
    }

    ngx_media_packer_chunk(p, &put);
    ngx_media_packer_over(p, &put);

    if (p->part) {
        p->part(p->data, &put);
    }

    p->plain |= put.parts_off;

    ngx_media_packer_empty(p);

    rc = ngx_media_part_put(p->claim, p->index, &put, 1);

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, p->log, 0,
                   "media part %uL.%ui of track %ui, %s: time:%L "
                   "duration:%uD frames:%ui rc:%i",
                   p->segment.number, p->nparts, p->index, why, p->time,
                   put.duration, n, rc);

    if (rc == NGX_OK) {
        p->opened = p->segment.number;
        p->nparts++;
        p->listed = 1;
        p->segment_bytes += put.size;
        p->segment_ticks += put.duration;
        p->bytes += put.size;
        p->ticks += put.duration;
        ngx_media_packer_event_part(p, &put);

    } else if (rc == NGX_ABORT) {
        p->count.dropped_nomem += n;
        ngx_media_packer_event_lost(p, n);
    }

    return rc;
}


static void
ngx_media_packer_chunk(ngx_media_packer_t *p, ngx_media_part_put_t *put)
{
    size_t                 size, styp;
    u_char                *head;
    ngx_uint_t             i;
    ngx_media_mp4_chunk_t  chunk;

    ngx_memzero(put, sizeof(ngx_media_part_put_t));
    ngx_memzero(&chunk, sizeof(ngx_media_mp4_chunk_t));

    for (i = 0; i < p->nsamples; i++) {
        put->duration += p->samples[i].duration;
    }

    chunk.samples = p->samples;
    chunk.nsamples = p->nsamples;
    chunk.decode_time = p->time;
    chunk.sequence = (uint32_t) (p->segment.number * 1024 + p->nparts);
    chunk.type = p->type;
    chunk.styp = p->nparts == 0;

    head = (u_char *) &p->samples[p->max_samples];
    size = ngx_media_mp4_write_chunk(head, &chunk);
    styp = chunk.styp ? NGX_MEDIA_MP4_STYP_SIZE : 0;

    put->data[0].data = head;
    put->data[0].len = styp;
    put->data[1].data = head + styp;
    put->data[1].len = size - styp;
    put->data[2].data = p->payload;
    put->data[2].len = p->size;
    put->segment = &p->segment;
    put->part = p->nparts;
    put->time = p->time;
    put->independent = p->independent;

    if (p->nparts == 0 && p->samples[0].key) {
        put->key_size = size + p->samples[0].size;
    }

    put->count = &p->count;
    put->fps = p->fps;
    put->expect_number = p->segment.number;
    put->expect_part = p->nparts + 1;
}


static void
ngx_media_packer_empty(ngx_media_packer_t *p)
{
    p->nsamples = 0;
    p->again = 0;
    p->size = 0;
    p->duration = 0;
}


/*
 * Is it longer than a part may be?  Where frames are that long the track lists
 * none any more; where pictures are held, which goes by, not until what players
 * look at has parts again.
 */

static void
ngx_media_packer_over(ngx_media_packer_t *p, ngx_media_part_put_t *put)
{
    uint64_t  back;

    if (ngx_media_part_fits(p->target, p->timescale, put->duration, 0)) {
        p->over = 0;
        p->held_over = 0;
        p->fitting += put->duration;

        back = (uint64_t) p->claim->stream.sh->target * NGX_MEDIA_PARTS_BACK;

        if (p->held_off && p->fitting >= back * p->timescale) {
            p->held_off = 0;

            ngx_log_debug1(NGX_LOG_DEBUG_CORE, p->log, 0,
                           "media parts are listed again, track:%ui",
                           p->index);
        }

    } else {
        p->count.parts_over++;
        p->fitting = 0;
        put->coarse = 1;

        if (p->mild) {
            p->over++;

        } else if (p->holding) {
            p->held_over++;
            p->held_off |= !p->listed
                           || p->held_over == NGX_MEDIA_PARTS_OVER;

        } else {
            p->over++;
            put->parts_off = !p->listed || p->over == NGX_MEDIA_PARTS_OVER;
        }

        ngx_log_debug5(NGX_LOG_DEBUG_CORE, p->log, 0,
                       "media part is too long, track:%ui in a row:%ui "
                       "held:%ui off:%d for now:%d", p->index, p->over,
                       p->held_over, put->parts_off, p->held_off);
    }

    put->held = p->held_off;
}


ngx_int_t
ngx_media_packer_close(ngx_media_packer_t *p, const ngx_media_cut_t *cut)
{
    ngx_int_t  rc;

    if (!p->open) {
        return NGX_DONE;
    }

    p->open = 0;

    if (p->nparts == 0) {
        return NGX_DONE;
    }

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, p->log, 0,
                   "media segment %uL of track %ui ends, time:%L "
                   "duration:%uL parts:%ui", p->segment.number, p->index,
                   p->segment.time, p->segment_ticks, p->nparts);

    if (cut && cut->runs && !p->segment.runs) {
        ngx_media_packer_period(p, cut);
        ngx_media_segment_runs(p->claim, p->index, &p->segment);
    }

    rc = ngx_media_segment_close(p->claim, p->index);

    if (rc == NGX_OK) {
        ngx_media_packer_event_segment(p);
    }

    return rc;
}


/*
 * RFC 8216bis, 4.1: the peak is that of segments which last half a target
 * duration or more.  Shorter ones count together with those that follow: the
 * last one of a publisher may be nothing but a key frame.
 */

void
ngx_media_packer_peak(ngx_media_packer_t *p)
{
    uint64_t  least, msec, rate;

    least = (uint64_t) p->claim->stream.sh->target * 1000 / 2;
    msec = p->segment_ticks * 1000 / p->timescale;

    p->peak_bytes += p->segment_bytes;
    p->peak_msec += msec;

    if (p->peak_msec < least || p->peak_msec == 0) {
        return;
    }

    rate = p->peak_bytes * 8 * 1000 / p->peak_msec;

    if (msec >= least && msec) {
        rate = ngx_max(rate, p->segment_bytes * 8 * 1000 / msec);
    }

    p->peak_bytes = 0;
    p->peak_msec = 0;

    ngx_media_track_bandwidth(p->claim, p->index, rate);
}


/* the first value lives for hours (timing.md, 12) */

void
ngx_media_packer_bandwidth(ngx_media_packer_t *p, uint64_t said,
    uint64_t otherwise)
{
    uint64_t                 rate;
    ngx_media_track_count_t  count;

    rate = said + said / 10;

    if (p->ticks >= (uint64_t) p->claim->stream.sh->segment * p->timescale
                    / 1000)
    {
        rate = ngx_max(rate, ngx_media_track_average(p->bytes * 8, p->ticks,
                                                     p->timescale));

    } else if (rate == 0 && otherwise) {
        rate = otherwise;

    } else if (rate == 0 && p->ticks >= p->timescale) {
        rate = p->bytes * 10 * p->timescale / p->ticks;
    }

    if (rate == 0) {
        return;
    }

    ngx_media_track_bandwidth(p->claim, p->index, rate);

    ngx_media_track_counts(p->claim, p->index, &count, &p->bandwidth);
}
