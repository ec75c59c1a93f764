
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_mp4_write.h"
#include "formats/ngx_media_ts_mux.h"
#include "vod/ngx_media_vod_set_make.h"

#include <stdlib.h>


#define NGX_MEDIA_VOD_RATE_ROUNDING  1.0001

/* a rate is a known one if it is not farther from it than 1/2500 */
#define NGX_MEDIA_VOD_RATE_NEAR    2500


/*
 * NAL units of a sample, where the index does not tell how much longer their
 * lengths become in MPEG-TS: a few bytes more than there will be
 */
#define NGX_MEDIA_VOD_RATE_NALS      8

/* that part more, for what MPEG-TS cannot be measured of */
#define NGX_MEDIA_VOD_RATE_TS        20


/* of a segment, with what is around its media */

typedef struct {
    uint64_t                  bytes;
    uint64_t                  key;            /* of its key frame */
    double                    seconds;
} ngx_media_vod_rate_size_t;

typedef struct {
    ngx_media_vod_rate_size_t cmaf;
    ngx_media_vod_rate_size_t ts;
} ngx_media_vod_rate_segment_t;


/* the samples of a segment, and what a muxer needs of them; by malloc() */

typedef struct {
    const ngx_media_vod_file_t *file;
    const ngx_media_vod_track_t *track;
    const ngx_media_fill_t   *fill;
    int64_t                   base;           /* added to times, */
    uint32_t                  delay;          /* and to cto */
    ngx_media_sample_t       *samples;
    uint32_t                 *nals;
    u_char                   *head;
    uint32_t                  size;           /* there is room for so many */
    uint32_t                  description;    /* of what follows */
    ngx_media_ts_es_t         es;
    ngx_media_ts_track_t      ts;
    unsigned                  known:1;        /* description was looked at, */
    unsigned                  carried:1;      /* and MPEG-TS has it */
} ngx_media_vod_rate_room_t;


static ngx_int_t ngx_media_vod_rate_segments(ngx_media_vod_rate_t *rate,
    ngx_media_vod_rate_room_t *room, const ngx_media_plan_t *plan,
    const ngx_media_plan_t *joint, uint32_t target);
static ngx_int_t ngx_media_vod_rate_read(ngx_media_vod_rate_segment_t *s,
    ngx_media_fill_reader_t *reader, const ngx_media_plan_segment_t *segment,
    ngx_media_vod_rate_room_t *room);
static ngx_int_t ngx_media_vod_rate_room(ngx_media_vod_rate_room_t *room,
    uint32_t n);
static uint64_t ngx_media_vod_rate_head(ngx_media_vod_rate_room_t *room,
    uint32_t nsamples);
static ngx_int_t ngx_media_vod_rate_ts_init(ngx_media_vod_rate_room_t *room,
    uint32_t description);
static uint64_t ngx_media_vod_rate_ts(ngx_media_vod_rate_room_t *room,
    const ngx_media_plan_segment_t *segment, uint32_t nsamples,
    uint64_t bytes);
static uint32_t ngx_media_vod_rate_fps(uint64_t samples, double seconds);
static void ngx_media_vod_rate_peaks(ngx_media_vod_rate_form_t *form,
    const ngx_media_vod_rate_size_t *size, uint32_t n, uint32_t target);
static void ngx_media_vod_rate_max(uint64_t *max, uint64_t bytes,
    double seconds);


ngx_int_t
ngx_media_vod_rate_add(ngx_media_vod_rate_t *rate,
    const ngx_media_vod_file_t *file, ngx_media_vod_set_clip_t *clip,
    const ngx_media_plan_t *plan, const ngx_media_plan_t *joint,
    uint32_t target)
{
    double                     seconds;
    uint64_t                   samples;
    ngx_int_t                  rc;
    ngx_media_vod_rate_room_t  room;

    ngx_memzero(&room, sizeof(ngx_media_vod_rate_room_t));

    room.file = file;
    room.track = &file->tracks[clip->track];
    room.fill = &clip->fill;
    room.base = clip->base;
    room.delay = clip->delay;

    samples = rate->samples;
    seconds = rate->cmaf.seconds;

    rc = ngx_media_vod_rate_segments(rate, &room, plan, joint, target);

    clip->fps = ngx_media_vod_rate_fps(rate->samples - samples,
                                       rate->cmaf.seconds - seconds);

    free(room.samples);
    free(room.nals);
    free(room.head);

    return rc;
}


static ngx_int_t
ngx_media_vod_rate_segments(ngx_media_vod_rate_t *rate,
    ngx_media_vod_rate_room_t *room, const ngx_media_plan_t *plan,
    const ngx_media_plan_t *joint, uint32_t target)
{
    uint32_t                       i, n;
    ngx_int_t                      rc;
    ngx_media_fill_reader_t        reader;
    ngx_media_plan_segment_t       segment, other;
    ngx_media_vod_rate_segment_t  *segments, *s;

    segments = malloc((plan->nsegments + 1)
                      * sizeof(ngx_media_vod_rate_segment_t));
    if (segments == NULL) {
        return NGX_DECLINED;
    }

    ngx_media_fill_open(&reader, ngx_media_vod_at(room->file,
                                                  room->track->index),
                        room->fill);

    rc = NGX_OK;
    n = 0;

    for (i = 0; i < plan->nsegments && rc == NGX_OK; i++) {

        (void) ngx_media_plan_segment(plan, i, &segment);

        if (segment.samples == 0) {
            continue;
        }

        s = &segments[n++];
        rc = ngx_media_vod_rate_read(s, &reader, &segment, room);

        s->cmaf.seconds = (double) segment.duration / plan->timescale;
        s->ts.seconds = s->cmaf.seconds;

        if (joint && ngx_media_plan_segment(joint, i, &other) == NGX_OK
            && other.samples)
        {
            s->ts.seconds = (double) other.duration / joint->timescale;
        }

        rate->samples += segment.samples;
        rate->cmaf.bytes += s->cmaf.bytes;
        rate->cmaf.seconds += s->cmaf.seconds;
        rate->ts.bytes += s->ts.bytes;
        rate->ts.seconds += s->ts.seconds;
    }

    if (rc == NGX_OK) {
        ngx_media_vod_rate_peaks(&rate->cmaf, &segments[0].cmaf, n, target);
        ngx_media_vod_rate_peaks(&rate->ts, &segments[0].ts, n, target);
    }

    free(segments);

    return rc;
}


/* NGX_DECLINED: no memory */

static ngx_int_t
ngx_media_vod_rate_read(ngx_media_vod_rate_segment_t *s,
    ngx_media_fill_reader_t *reader, const ngx_media_plan_segment_t *segment,
    ngx_media_vod_rate_room_t *room)
{
    uint64_t                  bytes;
    uint32_t                  i;
    ngx_media_sample_t       *samples;
    ngx_media_index_sample_t  sample;

    ngx_memzero(s, sizeof(ngx_media_vod_rate_segment_t));

    if (ngx_media_vod_rate_room(room, segment->samples) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (reader->number != segment->sample
        && ngx_media_fill_seek(reader, segment->sample) != NGX_OK)
    {
        return NGX_ERROR;
    }

    bytes = 0;

    for (i = 0; i < segment->samples; i++) {

        if (ngx_media_fill_next(reader, &sample) != NGX_OK) {
            return NGX_ERROR;
        }

        if (i == 0
            && ngx_media_vod_rate_ts_init(room, sample.description) != NGX_OK)
        {
            return NGX_DECLINED;
        }

        samples = &room->samples[i];

        samples->size = sample.size;
        samples->duration = (uint32_t) sample.duration;
        samples->cto = (int32_t) (sample.cto + room->delay);
        samples->key = sample.key;

        bytes += sample.size;
    }

    s->cmaf.bytes = bytes + ngx_media_vod_rate_head(room, segment->samples);
    s->ts.bytes = ngx_media_vod_rate_ts(room, segment, segment->samples,
                                        bytes);

    if (room->samples[0].key && room->track->type == NGX_MEDIA_VIDEO) {
        bytes = room->samples[0].size;

        s->cmaf.key = bytes + ngx_media_vod_rate_head(room, 1);
        s->ts.key = ngx_media_vod_rate_ts(room, segment, 1, bytes);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_rate_room(ngx_media_vod_rate_room_t *room, uint32_t n)
{
    uint32_t             i, *nals;
    ngx_media_sample_t  *samples;

    if (n <= room->size) {
        return NGX_OK;
    }

    samples = realloc(room->samples, n * sizeof(ngx_media_sample_t));
    if (samples == NULL) {
        return NGX_ERROR;
    }

    room->samples = samples;

    nals = realloc(room->nals, n * sizeof(uint32_t));
    if (nals == NULL) {
        return NGX_ERROR;
    }

    room->nals = nals;

    for (i = room->size; i < n; i++) {
        nals[i] = NGX_MEDIA_VOD_RATE_NALS;
    }

    room->size = n;

    return NGX_OK;
}


/* what ngx_http_media_frames_cmaf() writes in front of the media */

static uint64_t
ngx_media_vod_rate_head(ngx_media_vod_rate_room_t *room, uint32_t nsamples)
{
    ngx_media_mp4_chunk_t  chunk;

    ngx_memzero(&chunk, sizeof(ngx_media_mp4_chunk_t));

    chunk.samples = room->samples;
    chunk.nsamples = nsamples;
    chunk.type = room->track->type;
    chunk.styp = 1;

    return ngx_media_mp4_write_chunk(NULL, &chunk);
}


/* NGX_ERROR: no memory */

static ngx_int_t
ngx_media_vod_rate_ts_init(ngx_media_vod_rate_room_t *room,
    uint32_t description)
{
    size_t                     len;
    const ngx_media_params_t  *params;

    if (room->known && room->description == description) {
        return NGX_OK;
    }

    room->known = 1;
    room->carried = 0;
    room->description = description;

    params = ngx_media_vod_params(room->file, room->track, description);

    if (params == NULL || ngx_media_ts_es_init(&room->es, params) != NGX_OK) {
        return NGX_OK;
    }

    free(room->head);

    len = ngx_media_ts_es_head(NULL, params);

    room->head = malloc(len + 1);
    if (room->head == NULL) {
        return NGX_ERROR;
    }

    room->ts.head = room->head;
    room->ts.head_len = ngx_media_ts_es_head(room->head, params);
    room->ts.es = &room->es;
    room->ts.delay = room->delay;
    room->carried = 1;

    return NGX_OK;
}


/* what ngx_http_media_frames_ts() sends of the first samples of a segment */

static uint64_t
ngx_media_vod_rate_ts(ngx_media_vod_rate_room_t *room,
    const ngx_media_plan_segment_t *segment, uint32_t nsamples,
    uint64_t bytes)
{
    ngx_media_ts_mux_t  mux;

    if (!room->carried) {
        return 0;
    }

    room->ts.samples = room->samples;
    room->ts.nsamples = nsamples;
    room->ts.nals = room->nals;
    room->ts.decode_time = segment->time + room->base;

    ngx_memzero(&mux, sizeof(ngx_media_ts_mux_t));

    mux.tracks = &room->ts;
    mux.ntracks = 1;

    if (ngx_media_ts_mux_init(&mux) != NGX_OK) {
        return bytes + bytes / NGX_MEDIA_VOD_RATE_TS;
    }

    return mux.size;
}


/*
 * RFC 8216bis, 4.4.6.2: the peak is the largest bit rate of any contiguous
 * set of segments whose duration is between 0.5 and 1.5 times the target
 */

static void
ngx_media_vod_rate_peaks(ngx_media_vod_rate_form_t *form,
    const ngx_media_vod_rate_size_t *size, uint32_t n, uint32_t target)
{
    uint32_t                          i, j;
    ngx_media_vod_rate_size_t         sum;
    const ngx_media_vod_rate_size_t  *s;

    for (i = 0; i < n; i++) {
        ngx_memzero(&sum, sizeof(ngx_media_vod_rate_size_t));

        for (j = i; j < n; j++) {

            /* those of the other form are between them */

            s = size + j * (sizeof(ngx_media_vod_rate_segment_t)
                            / sizeof(ngx_media_vod_rate_size_t));

            if (j > i && sum.seconds + s->seconds > 1.5 * target) {
                break;
            }

            sum.bytes += s->bytes;
            sum.key += s->key;
            sum.seconds += s->seconds;

            if (sum.seconds >= 0.5 * target || (i == 0 && j == n - 1)) {
                ngx_media_vod_rate_max(&form->peak, sum.bytes, sum.seconds);
                ngx_media_vod_rate_max(&form->key_peak, sum.key, sum.seconds);
            }
        }
    }
}


static void
ngx_media_vod_rate_max(uint64_t *max, uint64_t bytes, double seconds)
{
    double  rate;

    if (bytes == 0 || seconds <= 0) {
        return;
    }

    /* EXTINF is rounded: what a client computes may be a little more */

    rate = (double) bytes * 8 / seconds * NGX_MEDIA_VOD_RATE_ROUNDING + 1;

    if (rate > (double) *max && rate < 1e18) {
        *max = (uint64_t) rate;
    }
}


uint64_t
ngx_media_vod_rate_average(const ngx_media_vod_rate_form_t *form)
{
    uint64_t  average;

    average = 0;
    ngx_media_vod_rate_max(&average, form->bytes, form->seconds);

    return average;
}


/* frames in 1000 s, of a known rate if it is near one */

static uint32_t
ngx_media_vod_rate_fps(uint64_t samples, double seconds)
{
    double      fps;
    uint32_t    n;
    ngx_uint_t  i;

    static const uint32_t  known[] = {
        8000, 10000, 12000, 12500, 14985, 15000, 20000, 23976, 24000, 25000,
        29970, 30000, 47952, 48000, 50000, 59940, 60000, 90000, 100000,
        119880, 120000
    };

    if (seconds <= 0) {
        return 0;
    }

    fps = (double) samples * 1000 / seconds;

    if (fps > 1000000) {
        return 0;
    }

    n = (uint32_t) (fps + 0.5);

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {

        if (n >= known[i] - known[i] / NGX_MEDIA_VOD_RATE_NEAR
            && n <= known[i] + known[i] / NGX_MEDIA_VOD_RATE_NEAR)
        {
            return known[i];
        }
    }

    return n;
}
