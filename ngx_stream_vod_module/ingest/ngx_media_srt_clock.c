
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_clock.h"


#define NGX_MEDIA_SRT_CLOCK_NONE  0x7fffffffffffffffll

/* us of ours for each us that base may rise: 1 ms/s */
#define NGX_MEDIA_SRT_CLOCK_RISE  1000


static void ngx_media_srt_clock_begin(ngx_media_srt_clock_t *clock,
    int64_t base, int64_t now);
static void ngx_media_srt_clock_next(ngx_media_srt_clock_t *clock,
    int64_t now, int64_t latency);
static void ngx_media_srt_clock_rise(ngx_media_srt_clock_t *clock,
    int64_t now);


int64_t
ngx_media_srt_clock_unroll(ngx_media_srt_clock_t *clock, uint32_t ts)
{
    int64_t  t;

    if (!clock->stamped) {
        clock->stamped = 1;
        clock->last = ((int64_t) 1 << 32) + ts;
        return clock->last;
    }

    t = clock->last + (int32_t) (ts - (uint32_t) clock->last);

    if (t > clock->last) {
        clock->last = t;
    }

    return t;
}


void
ngx_media_srt_clock_sample(ngx_media_srt_clock_t *clock, int64_t ts,
    int64_t now, ngx_uint_t repeated, int64_t latency)
{
    int64_t  base;

    base = now - ts;

    if (repeated) {

        if (!clock->based) {
            clock->based = 1;
            clock->base = base;
        }

        return;
    }

    if (!clock->firm
        || now - clock->begin
           >= (int64_t) NGX_MEDIA_SRT_CLOCK_BUCKETS
              * NGX_MEDIA_SRT_CLOCK_BUCKET)
    {
        /* nothing came for a minute: what base was says nothing */

        ngx_media_srt_clock_begin(clock, base, now);
        return;
    }

    while (now - clock->begin >= NGX_MEDIA_SRT_CLOCK_BUCKET) {
        ngx_media_srt_clock_next(clock, now, latency);
    }

    clock->least[clock->bucket] = ngx_min(clock->least[clock->bucket], base);

    if (base < clock->base) {
        clock->base = base;
    }

    ngx_media_srt_clock_rise(clock, now);
}


static void
ngx_media_srt_clock_begin(ngx_media_srt_clock_t *clock, int64_t base,
    int64_t now)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_SRT_CLOCK_BUCKETS; i++) {
        clock->least[i] = NGX_MEDIA_SRT_CLOCK_NONE;
    }

    clock->bucket = 0;
    clock->least[0] = base;
    clock->base = base;
    clock->begin = now;
    clock->moved = now;
    clock->based = 1;
    clock->firm = 1;
}


static void
ngx_media_srt_clock_next(ngx_media_srt_clock_t *clock, int64_t now,
    int64_t latency)
{
    int64_t  least;

    least = clock->least[clock->bucket];

    if (least != NGX_MEDIA_SRT_CLOCK_NONE && least > clock->base + latency) {

        /*
         * All of it came when it was due or later: the way has become longer
         * than the latency, or the peer's clock was set.  To walk there would
         * mean minutes in which nothing that is lost can be had again.
         */

        clock->steps++;
        ngx_media_srt_clock_begin(clock, least, clock->begin);
    }

    clock->begin += NGX_MEDIA_SRT_CLOCK_BUCKET;
    clock->bucket = (clock->bucket + 1) % NGX_MEDIA_SRT_CLOCK_BUCKETS;
    clock->least[clock->bucket] = NGX_MEDIA_SRT_CLOCK_NONE;

    ngx_media_srt_clock_rise(clock, ngx_min(now, clock->begin));
}


static void
ngx_media_srt_clock_rise(ngx_media_srt_clock_t *clock, int64_t now)
{
    int64_t     least, step;
    ngx_uint_t  i;

    step = (now - clock->moved) / NGX_MEDIA_SRT_CLOCK_RISE;

    if (step <= 0) {
        return;
    }

    clock->moved += step * NGX_MEDIA_SRT_CLOCK_RISE;

    least = clock->least[0];

    for (i = 1; i < NGX_MEDIA_SRT_CLOCK_BUCKETS; i++) {
        least = ngx_min(least, clock->least[i]);
    }

    if (least != NGX_MEDIA_SRT_CLOCK_NONE && least > clock->base) {
        clock->base += ngx_min(step, least - clock->base);
    }
}
