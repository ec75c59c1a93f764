
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Containers round times to milliseconds.  If what they say is a steady rate
 * up to that, then the rate is what was meant: frames are put one after the
 * other, and only where a stamp is farther off than rounding can be, it is
 * taken as it is.  So times stay near the stamps for ever, and most frames
 * have the same duration.
 *
 * Decode times: the n-th frame to be decoded is decoded when the n-th one is
 * shown, less a delay, the smallest one with which none is late.
 */


#include "files/ngx_media_vod_av_times.h"


#define NGX_MEDIA_VOD_AV_SECOND     1000000000

/* two roundings to 1 ms, in ns: 1 ms in all */
#define NGX_MEDIA_VOD_AV_TOLERANCE  1100000

/* frames that a rate is guessed from */
#define NGX_MEDIA_VOD_AV_GUESS      501

/* no decoder reorders more, in seconds */
#define NGX_MEDIA_VOD_AV_DELAY_MAX  10

/* stamps are within 2^31 seconds */
#define NGX_MEDIA_VOD_AV_TIME_MAX                                             \
    ((int64_t) NGX_MEDIA_VOD_AV_SECOND << 31)


typedef struct {
    int64_t                   time;           /* ns, then ticks */
    ngx_uint_t                n;              /* in decode order */
} ngx_media_vod_av_order_t;


static void ngx_media_vod_av_times_audio(const ngx_media_vod_av_track_t *t,
    int64_t origin, uint32_t timescale, ngx_media_vod_av_time_t *times,
    uint64_t *last);
static ngx_int_t ngx_media_vod_av_times_video(
    const ngx_media_vod_av_track_t *t, int64_t origin, uint32_t timescale,
    ngx_media_vod_av_time_t *times, uint64_t *last);
static void ngx_media_vod_av_rate(const ngx_media_vod_av_track_t *t,
    const ngx_media_vod_av_order_t *order, ngx_media_vod_av_clock_t *clock);
static int64_t ngx_media_vod_av_median(const ngx_media_vod_av_order_t *order,
    ngx_uint_t n);
static ngx_uint_t ngx_media_vod_av_try(const ngx_media_vod_av_order_t *order,
    ngx_uint_t n, uint32_t num, uint32_t den);
static int64_t ngx_media_vod_av_scale(int64_t ns, uint32_t timescale);
static int ngx_media_vod_av_compare(const void *one, const void *two);
static int ngx_media_vod_av_compare_time(const void *one, const void *two);


/* frames in a second */

static const uint32_t  ngx_media_vod_av_rates[][2] = {
    { 24000, 1001 }, { 24, 1 }, { 25, 1 }, { 30000, 1001 }, { 30, 1 },
    { 48, 1 }, { 50, 1 }, { 60000, 1001 }, { 60, 1 }, { 15, 1 },
    { 15000, 1001 }, { 25, 2 }, { 12, 1 }, { 10, 1 }, { 20, 1 }, { 5, 1 },
    { 100, 1 }, { 120000, 1001 }, { 120, 1 }
};


ngx_int_t
ngx_media_vod_av_times(const ngx_media_vod_av_track_t *t, int64_t origin,
    uint32_t timescale, ngx_media_vod_av_time_t *times, uint64_t *last)
{
    int64_t     pts;
    ngx_uint_t  i;

    for (i = 0; i < t->npackets; i++) {
        pts = t->packets[i].pts;

        if (pts > NGX_MEDIA_VOD_AV_TIME_MAX / 2
            || pts < -NGX_MEDIA_VOD_AV_TIME_MAX / 2)
        {
            return NGX_DECLINED;
        }
    }

    if (t->track.type != NGX_MEDIA_VIDEO) {
        ngx_media_vod_av_times_audio(t, origin, timescale, times, last);
        return NGX_OK;
    }

    return ngx_media_vod_av_times_video(t, origin, timescale, times, last);
}


static void
ngx_media_vod_av_times_audio(const ngx_media_vod_av_track_t *t,
    int64_t origin, uint32_t timescale, ngx_media_vod_av_time_t *times,
    uint64_t *last)
{
    ngx_uint_t                i;
    ngx_media_vod_av_clock_t  clock;

    ngx_memzero(&clock, sizeof(ngx_media_vod_av_clock_t));

    clock.num = timescale;
    clock.den = 1;

    for (i = 0; i < t->npackets; i++) {
        times[i].pts = ngx_media_vod_av_scale(
                           ngx_media_vod_av_clock(&clock, t->packets[i].pts)
                           - origin, timescale);
        times[i].dts = times[i].pts;

        if (t->packets[i].duration) {
            clock.ticks += t->packets[i].duration;

        } else {
            clock.started = 0;
        }
    }

    *last = t->packets[i - 1].duration;

    if (*last == 0 && i > 1) {
        *last = ngx_max(times[i - 1].dts - times[i - 2].dts, 0);
    }
}


static ngx_int_t
ngx_media_vod_av_times_video(const ngx_media_vod_av_track_t *t,
    int64_t origin, uint32_t timescale, ngx_media_vod_av_time_t *times,
    uint64_t *last)
{
    int64_t                    delay;
    ngx_uint_t                 i, n;
    ngx_media_vod_av_clock_t   clock;
    ngx_media_vod_av_order_t  *order;

    n = t->npackets;

    order = malloc(n * sizeof(ngx_media_vod_av_order_t));

    if (order == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        order[i].time = t->packets[i].pts;
        order[i].n = i;
    }

    qsort(order, n, sizeof(ngx_media_vod_av_order_t),
          ngx_media_vod_av_compare);

    ngx_memzero(&clock, sizeof(ngx_media_vod_av_clock_t));
    ngx_media_vod_av_rate(t, order, &clock);

    for (i = 0; i < n; i++) {
        order[i].time = ngx_media_vod_av_scale(
                            ngx_media_vod_av_clock(&clock, order[i].time)
                            - origin, timescale);

        if (clock.num) {
            clock.ticks++;

        } else {
            clock.started = 0;
        }

        /* an error of rounding at a step back of the clock */

        if (i && order[i].time < order[i - 1].time) {
            order[i].time = order[i - 1].time;
        }

        times[order[i].n].pts = order[i].time;
    }

    delay = 0;

    for (i = 0; i < n; i++) {
        delay = ngx_max(delay, order[i].time - times[i].pts);
    }

    for (i = 0; i < n; i++) {
        times[i].dts = order[i].time - delay;
    }

    *last = (n > 1) ? order[n - 1].time - order[n - 2].time : 0;

    if (clock.num) {
        *last = ((uint64_t) timescale * clock.den + clock.num / 2) / clock.num;
    }

    free(order);

    if (delay > (int64_t) timescale * NGX_MEDIA_VOD_AV_DELAY_MAX) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* the rate that fits best, or none */

static void
ngx_media_vod_av_rate(const ngx_media_vod_av_track_t *t,
    const ngx_media_vod_av_order_t *order, ngx_media_vod_av_clock_t *clock)
{
    int64_t     frame, median;
    uint32_t    rates[sizeof(ngx_media_vod_av_rates) / 8 + 2][2];
    ngx_uint_t  best, i, n, steps;

    n = t->npackets;

    if (n < 3) {
        return;
    }

    rates[0][0] = t->fps_num;
    rates[0][1] = t->fps_den;
    rates[1][0] = t->params[0].fps_num;
    rates[1][1] = t->params[0].fps_den;

    ngx_memcpy(rates[2], ngx_media_vod_av_rates,
               sizeof(ngx_media_vod_av_rates));

    median = ngx_media_vod_av_median(order, n);
    best = n / 8 + 1;

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {

        if (rates[i][0] == 0 || rates[i][1] == 0) {
            continue;
        }

        frame = (int64_t) ((uint64_t) rates[i][1] * NGX_MEDIA_VOD_AV_SECOND
                           / rates[i][0]);

        if (frame - median > 2 * NGX_MEDIA_VOD_AV_TOLERANCE
            || median - frame > 2 * NGX_MEDIA_VOD_AV_TOLERANCE)
        {
            continue;
        }

        steps = ngx_media_vod_av_try(order, n, rates[i][0], rates[i][1]);

        if (steps < best) {
            best = steps;
            clock->num = rates[i][0];
            clock->den = rates[i][1];
        }
    }
}


static int64_t
ngx_media_vod_av_median(const ngx_media_vod_av_order_t *order, ngx_uint_t n)
{
    int64_t     steps[NGX_MEDIA_VOD_AV_GUESS];
    ngx_uint_t  i;

    n = ngx_min(n - 1, NGX_MEDIA_VOD_AV_GUESS);

    for (i = 0; i < n; i++) {
        steps[i] = order[i + 1].time - order[i].time;
    }

    qsort(steps, n, sizeof(int64_t), ngx_media_vod_av_compare_time);

    return steps[n / 2];
}


/* how often a stamp would have to be taken as it is */

static ngx_uint_t
ngx_media_vod_av_try(const ngx_media_vod_av_order_t *order, ngx_uint_t n,
    uint32_t num, uint32_t den)
{
    ngx_uint_t                i;
    ngx_media_vod_av_clock_t  clock;

    ngx_memzero(&clock, sizeof(ngx_media_vod_av_clock_t));

    clock.num = num;
    clock.den = den;

    for (i = 0; i < n; i++) {
        (void) ngx_media_vod_av_clock(&clock, order[i].time);
        clock.ticks++;
    }

    return clock.steps;
}


int64_t
ngx_media_vod_av_clock(ngx_media_vod_av_clock_t *clock, int64_t stamp)
{
    int64_t   time;
    uint64_t  ticks, whole;

    if (clock->started) {

        /* whole seconds first: no product is longer than 64 bits */

        ticks = clock->ticks * clock->den;
        whole = ticks / clock->num;

        if (whole < (uint64_t) 1 << 31) {
            time = clock->anchor + (int64_t) (whole * NGX_MEDIA_VOD_AV_SECOND
                       + ticks % clock->num * NGX_MEDIA_VOD_AV_SECOND
                         / clock->num);

            if (time - stamp <= NGX_MEDIA_VOD_AV_TOLERANCE
                && stamp - time <= NGX_MEDIA_VOD_AV_TOLERANCE)
            {
                return time;
            }
        }

        clock->steps++;
    }

    clock->anchor = stamp;
    clock->ticks = 0;
    clock->started = 1;

    return stamp;
}


/* rounded to the nearest */

static int64_t
ngx_media_vod_av_scale(int64_t ns, uint32_t timescale)
{
    int64_t  rest, seconds;

    seconds = ns / NGX_MEDIA_VOD_AV_SECOND;
    rest = ns % NGX_MEDIA_VOD_AV_SECOND;

    if (rest < 0) {
        rest += NGX_MEDIA_VOD_AV_SECOND;
        seconds--;
    }

    return seconds * timescale
           + (rest * timescale + NGX_MEDIA_VOD_AV_SECOND / 2)
             / NGX_MEDIA_VOD_AV_SECOND;
}


static int
ngx_media_vod_av_compare(const void *one, const void *two)
{
    const ngx_media_vod_av_order_t  *a = one;
    const ngx_media_vod_av_order_t  *b = two;

    if (a->time != b->time) {
        return (a->time < b->time) ? -1 : 1;
    }

    return (a->n < b->n) ? -1 : (a->n > b->n);
}


static int
ngx_media_vod_av_compare_time(const void *one, const void *two)
{
    const int64_t  *a = one;
    const int64_t  *b = two;

    return (*a < *b) ? -1 : (*a > *b);
}
