
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_mp4_write.h"
#include "vod/ngx_media_vod_rate.h"

#include <stdlib.h>


#define NGX_MEDIA_VOD_RATE_ROUNDING  1.0001

/* a rate is a known one if it is not farther from it than 1/2500 */
#define NGX_MEDIA_VOD_RATE_NEAR    2500


/* of a segment, with what is around its media */

typedef struct {
    uint64_t                  bytes;
    uint64_t                  key;            /* of its key frame */
    double                    seconds;
} ngx_media_vod_rate_segment_t;


/* the samples of a segment, by malloc() */

typedef struct {
    ngx_media_sample_t       *samples;
    uint32_t                  size;           /* there is room for so many */
    uint32_t                  type;           /* ngx_media_type_e */
} ngx_media_vod_rate_room_t;


static ngx_int_t ngx_media_vod_rate_read(ngx_media_vod_rate_segment_t *s,
    ngx_media_index_reader_t *reader, const ngx_media_plan_segment_t *segment,
    ngx_media_vod_rate_room_t *room);
static uint64_t ngx_media_vod_rate_head(ngx_media_vod_rate_room_t *room,
    uint32_t nsamples);
static void ngx_media_vod_rate_peaks(ngx_media_vod_rate_t *rate,
    const ngx_media_vod_rate_segment_t *segments, uint32_t n,
    uint32_t target);
static void ngx_media_vod_rate_max(uint64_t *max, uint64_t bytes,
    double seconds);


ngx_int_t
ngx_media_vod_rate_add(ngx_media_vod_rate_t *rate,
    const ngx_media_index_t *index, const ngx_media_plan_t *plan,
    uint32_t type, uint32_t target)
{
    uint32_t                       i, n;
    ngx_int_t                      rc;
    ngx_media_index_reader_t       reader;
    ngx_media_plan_segment_t       segment;
    ngx_media_vod_rate_room_t      room;
    ngx_media_vod_rate_segment_t  *segments;

    segments = malloc(plan->nsegments * sizeof(ngx_media_vod_rate_segment_t)
                      + 1);
    if (segments == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(&room, sizeof(ngx_media_vod_rate_room_t));

    room.type = type;

    ngx_media_index_open(&reader, index);

    rc = NGX_OK;
    n = 0;

    for (i = 0; i < plan->nsegments && rc == NGX_OK; i++) {

        (void) ngx_media_plan_segment(plan, i, &segment);

        if (segment.samples == 0) {
            continue;
        }

        rc = ngx_media_vod_rate_read(&segments[n], &reader, &segment, &room);

        segments[n].seconds = (double) segment.duration / plan->timescale;
        rate->bytes += segments[n].bytes;
        rate->samples += segment.samples;
        rate->seconds += segments[n].seconds;
        n++;
    }

    if (rc == NGX_OK) {
        ngx_media_vod_rate_peaks(rate, segments, n, target);
    }

    free(room.samples);
    free(segments);

    return rc;
}


/* NGX_DECLINED: no memory */

static ngx_int_t
ngx_media_vod_rate_read(ngx_media_vod_rate_segment_t *s,
    ngx_media_index_reader_t *reader, const ngx_media_plan_segment_t *segment,
    ngx_media_vod_rate_room_t *room)
{
    uint32_t                  i;
    ngx_media_sample_t       *samples;
    ngx_media_index_sample_t  sample;

    if (segment->samples > room->size) {
        samples = realloc(room->samples,
                          segment->samples * sizeof(ngx_media_sample_t));
        if (samples == NULL) {
            return NGX_DECLINED;
        }

        room->samples = samples;
        room->size = segment->samples;
    }

    if (reader->number != segment->sample
        && ngx_media_index_seek(reader, segment->sample) != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->bytes = 0;
    s->key = 0;

    for (i = 0; i < segment->samples; i++) {

        if (ngx_media_index_next(reader, &sample) != NGX_OK) {
            return NGX_ERROR;
        }

        samples = &room->samples[i];

        samples->size = sample.size;
        samples->duration = (uint32_t) sample.duration;
        samples->cto = (int32_t) sample.cto;
        samples->key = sample.key;

        s->bytes += sample.size;
    }

    s->bytes += ngx_media_vod_rate_head(room, segment->samples);

    if (room->samples[0].key) {
        s->key = room->samples[0].size + ngx_media_vod_rate_head(room, 1);
    }

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
    chunk.type = room->type;
    chunk.styp = 1;

    return ngx_media_mp4_write_chunk(NULL, &chunk);
}


/*
 * RFC 8216bis, 4.4.6.2: the peak is the largest bit rate of any contiguous
 * set of segments whose duration is between 0.5 and 1.5 times the target
 */

static void
ngx_media_vod_rate_peaks(ngx_media_vod_rate_t *rate,
    const ngx_media_vod_rate_segment_t *segments, uint32_t n, uint32_t target)
{
    double    seconds;
    uint32_t  i, j;
    uint64_t  bytes, keys;

    for (i = 0; i < n; i++) {
        bytes = 0;
        keys = 0;
        seconds = 0;

        for (j = i; j < n; j++) {

            if (j > i && seconds + segments[j].seconds > 1.5 * target) {
                break;
            }

            bytes += segments[j].bytes;
            keys += segments[j].key;
            seconds += segments[j].seconds;

            if (seconds >= 0.5 * target || (i == 0 && j == n - 1)) {
                ngx_media_vod_rate_max(&rate->peak, bytes, seconds);
                ngx_media_vod_rate_max(&rate->key_peak, keys, seconds);
            }
        }
    }
}


static void
ngx_media_vod_rate_max(uint64_t *max, uint64_t bytes, double seconds)
{
    double  rate;

    if (seconds <= 0) {
        return;
    }

    /* EXTINF is rounded: what a client computes may be a little more */

    rate = (double) bytes * 8 / seconds * NGX_MEDIA_VOD_RATE_ROUNDING + 1;

    if (rate > (double) *max && rate < 1e18) {
        *max = (uint64_t) rate;
    }
}


uint64_t
ngx_media_vod_rate_average(const ngx_media_vod_rate_t *rate)
{
    uint64_t  average;

    average = 0;
    ngx_media_vod_rate_max(&average, rate->bytes, rate->seconds);

    return average;
}


uint32_t
ngx_media_vod_rate_fps(const ngx_media_vod_rate_t *rate)
{
    double      fps;
    uint32_t    n;
    ngx_uint_t  i;

    static const uint32_t  known[] = {
        8000, 10000, 12000, 12500, 14985, 15000, 20000, 23976, 24000, 25000,
        29970, 30000, 47952, 48000, 50000, 59940, 60000, 90000, 100000,
        119880, 120000
    };

    if (rate->seconds <= 0) {
        return 0;
    }

    fps = (double) rate->samples * 1000 / rate->seconds;

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
