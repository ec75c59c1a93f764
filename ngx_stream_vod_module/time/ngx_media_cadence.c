
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The cadence of a video track: the duration D of its frames, learnt from the
 * intervals of their stamps, and the smoothed stamp.
 *
 * D is a trimmed mean of up to 300 intervals (stamps in ms have a biased
 * median: 33, 33, 34) and is taken for exact, N or N * 1000 / 1001 frames a
 * second, where it is near enough.  The smoothed stamp advances by multiples
 * of D and is kept within 1.5 ms of the publisher's, so constant rates come
 * out exact, variable ones follow the publisher, and nothing can wind up.
 *
 * Where the publisher's clock is not quite what its rate says, the bound alone
 * would make steps at frames whose predecessor may be settled already.  So
 * while the cadence is locked, a lasting error is worked off ahead of that by
 * a few ticks a frame, which are known one frame before.
 */


#include "time/ngx_media_line.h"


#define NGX_MEDIA_CADENCE_GUESS   14400     /* 40 ms */
#define NGX_MEDIA_CADENCE_LEAST   720       /* 2 ms */
#define NGX_MEDIA_CADENCE_LOCK    16
#define NGX_MEDIA_CADENCE_NEAR    (2 * NGX_MEDIA_U_MSEC)
#define NGX_MEDIA_CADENCE_SLOW    4

#define NGX_MEDIA_CADENCE_FILTER  16
#define NGX_MEDIA_CADENCE_OFF     108       /* 0.3 ms: is worked off */
#define NGX_MEDIA_CADENCE_DONE    18        /* 0.05 ms: no more */
#define NGX_MEDIA_CADENCE_PACE    512       /* by D / 512 a frame */


static void ngx_media_cadence_forget(ngx_media_cadence_t *c, uint32_t n);
static void ngx_media_cadence_estimate(ngx_media_cadence_t *c);
static uint32_t ngx_media_cadence_median(const ngx_media_cadence_t *c);
static void ngx_media_cadence_snap(ngx_media_cadence_t *c, int64_t sum,
    int64_t n);
static void ngx_media_cadence_set(ngx_media_cadence_t *c, int64_t num,
    int64_t den);
static ngx_uint_t ngx_media_cadence_within(int64_t sum, int64_t n,
    int64_t num, int64_t den, int64_t tolerance);
static void ngx_media_cadence_correct(ngx_media_cadence_t *c, int64_t error);
static int64_t ngx_media_cadence_count(const ngx_media_cadence_t *c,
    int64_t v);


void
ngx_media_cadence_init(ngx_media_cadence_t *c, uint32_t hint)
{
    ngx_memzero(c, sizeof(ngx_media_cadence_t));

    if (hint < NGX_MEDIA_CADENCE_LEAST || hint > NGX_MEDIA_CTS_MAX) {
        hint = 0;
    }

    c->hint = hint;
    c->num = hint;
    c->den = 1;
}


void
ngx_media_cadence_start(ngx_media_cadence_t *c, int64_t stamp)
{
    c->out = stamp;
    c->frac = 0;
    c->error = 0;
    c->correction = 0;
    c->run = 0;
    c->odd = 0;
    c->slow = 0;
}


void
ngx_media_cadence_frame(ngx_media_cadence_t *c, int64_t stamp,
    int64_t interval)
{
    ngx_media_cadence_learn(c, interval);
    ngx_media_cadence_move(c, stamp);
}


void
ngx_media_cadence_move(ngx_media_cadence_t *c, int64_t stamp)
{
    int64_t  k, total, previous;

    previous = c->out;

    if (c->num == 0) {
        c->out = stamp;

    } else {
        k = ngx_max(ngx_media_cadence_count(c, stamp - c->out), 1);
        total = c->frac + k * c->num;

        c->out += total / c->den + c->correction;
        c->frac = total % c->den;
    }

    if (c->out >= stamp + NGX_MEDIA_U_BOUND) {
        c->out = stamp + NGX_MEDIA_U_BOUND;
        c->frac = 0;

    } else if (c->out < stamp - NGX_MEDIA_U_BOUND) {
        c->out = stamp - NGX_MEDIA_U_BOUND;
        c->frac = 0;
    }

    if (c->out < previous + NGX_MEDIA_U_STEP) {
        c->out = previous + NGX_MEDIA_U_STEP;
        c->frac = 0;
    }

    ngx_media_cadence_correct(c, stamp - c->out);
}


void
ngx_media_cadence_learn(ngx_media_cadence_t *c, int64_t interval)
{
    int64_t  d;

    if (interval <= 0 || interval > NGX_MEDIA_GAP_MAX) {
        c->run = 0;
        c->slow = 0;
        return;
    }

    d = ngx_media_cadence_duration(c);

    if (c->num != 0 && ngx_abs(interval - d) <= NGX_MEDIA_CADENCE_NEAR) {
        c->run++;
        c->odd = 0;

    } else {
        c->run = 0;
        c->odd++;
    }

    c->slow = (interval > d + d / 2) ? c->slow + 1 : 0;

    c->window[c->head] = (uint32_t) interval;
    c->head = (c->head + 1) % NGX_MEDIA_CADENCE_WINDOW;

    if (c->count < NGX_MEDIA_CADENCE_WINDOW) {
        c->count++;
    }

    if (c->slow >= NGX_MEDIA_CADENCE_SLOW
        && c->count > NGX_MEDIA_CADENCE_SLOW)
    {
        /* the rate fell; losses do not look like this */
        ngx_media_cadence_forget(c, NGX_MEDIA_CADENCE_SLOW);

    } else if (c->odd >= NGX_MEDIA_CADENCE_LOCK
               && c->count > NGX_MEDIA_CADENCE_LOCK)
    {
        ngx_media_cadence_forget(c, NGX_MEDIA_CADENCE_LOCK);
    }

    if (c->due > 1) {
        c->due--;
        return;
    }

    ngx_media_cadence_estimate(c);

    if (c->count < 8) {
        c->due = 1;

    } else if (c->count < 64) {
        c->due = 8;

    } else {
        c->due = (c->count < NGX_MEDIA_CADENCE_WINDOW) ? 16 : 50;
    }
}


/*
 * Only the last n intervals stay in the window, unless their mean says what
 * is known already and they merely scatter.
 */

static void
ngx_media_cadence_forget(ngx_media_cadence_t *c, uint32_t n)
{
    int64_t   sum;
    uint32_t  i, from, kept[NGX_MEDIA_CADENCE_LOCK];

    sum = 0;
    from = c->head + NGX_MEDIA_CADENCE_WINDOW - n;

    for (i = 0; i < n; i++) {
        kept[i] = c->window[(from + i) % NGX_MEDIA_CADENCE_WINDOW];
        sum += kept[i];
    }

    c->odd = 0;
    c->slow = 0;

    if (c->num != 0
        && ngx_media_cadence_within(sum, n, c->num, c->den, 50))
    {
        return;
    }

    for (i = 0; i < n; i++) {
        c->window[i] = kept[i];
    }

    c->head = n;
    c->count = n;
    c->due = 0;
}


static void
ngx_media_cadence_estimate(ngx_media_cadence_t *c)
{
    int64_t   interval, k, median, n, sum, tolerance;
    uint32_t  i;

    median = ngx_media_cadence_median(c);
    tolerance = ngx_max(median / 4, NGX_MEDIA_CADENCE_NEAR);

    sum = 0;
    n = 0;

    for (i = 0; i < c->count; i++) {
        interval = c->window[i];
        k = (2 * interval + median) / (2 * median);

        /* one or two lost frames tell D as well */

        if (k < 1 || k > 3 || ngx_abs(interval - k * median) > tolerance) {
            continue;
        }

        sum += interval;
        n += k;
    }

    if (n == 0) {
        sum = median;
        n = 1;
    }

    if (sum < NGX_MEDIA_CADENCE_LEAST * n) {
        sum = NGX_MEDIA_CADENCE_LEAST * n;
    }

    ngx_media_cadence_snap(c, sum, n);
}


static uint32_t
ngx_media_cadence_median(const ngx_media_cadence_t *c)
{
    uint32_t  gap, i, j, v, sorted[NGX_MEDIA_CADENCE_WINDOW];

    static const uint32_t  gaps[] = { 132, 57, 23, 10, 4, 1, 0 };

    const uint32_t  *g;

    for (i = 0; i < c->count; i++) {
        sorted[i] = c->window[i];
    }

    for (g = gaps; *g; g++) {
        gap = *g;

        for (i = gap; i < c->count; i++) {
            v = sorted[i];

            for (j = i; j >= gap && sorted[j - gap] > v; j -= gap) {
                sorted[j] = sorted[j - gap];
            }

            sorted[j] = v;
        }
    }

    return sorted[c->count / 2];
}


/*
 * D is sum / n, or where that is within 0.2 % (few intervals: 0.6 %) of it
 * the duration at a usual rate: num / m with num 720000 or 720720 and m twice
 * the rate, even above 15.5 frames a second.
 */

static void
ngx_media_cadence_snap(ngx_media_cadence_t *c, int64_t sum, int64_t n)
{
    int64_t     diff, m, middle, num, tolerance;
    int64_t     best_diff, best_m, best_num;
    ngx_uint_t  i;

    static const int64_t  nums[] = { 2 * NGX_MEDIA_U, 2 * 360360 };

    if (c->hint && c->count < 64
        && ngx_media_cadence_within(sum, n, c->hint, 1,
                                    (c->count < 8) ? 100 : 6))
    {
        ngx_media_cadence_set(c, c->hint, 1);
        return;
    }

    tolerance = (c->count < 32) ? 6 : 2;

    best_diff = 0;
    best_m = 0;
    best_num = 0;

    for (i = 0; i < sizeof(nums) / sizeof(nums[0]); i++) {
        num = nums[i];
        middle = (2 * num * n + sum) / (2 * sum);

        for (m = middle - 1; m <= middle + 1; m++) {

            if (m < 1 || (m > 31 && m % 2)
                || !ngx_media_cadence_within(sum, n, num, m, tolerance))
            {
                continue;
            }

            diff = ngx_abs(sum * m - num * n);

            if (best_m == 0 || diff * best_m < best_diff * m) {
                best_diff = diff;
                best_m = m;
                best_num = num;
            }
        }
    }

    if (best_m == 0) {
        ngx_media_cadence_set(c, sum, n);
        return;
    }

    /* 60 and 59.94 are 0.1 % apart: no change of mind for less than a half */

    if ((c->num == nums[0] || c->num == nums[1])
        && (sum * c->den - n * c->num) * 1667 <= n * c->num
        && (n * c->num - sum * c->den) * 1667 <= n * c->num)
    {
        return;
    }

    ngx_media_cadence_set(c, best_num, best_m);
}


static void
ngx_media_cadence_set(ngx_media_cadence_t *c, int64_t num, int64_t den)
{
    if (c->num == num && c->den == den) {
        return;
    }

    c->num = num;
    c->den = den;
    c->frac = 0;
}


static void
ngx_media_cadence_correct(ngx_media_cadence_t *c, int64_t error)
{
    int64_t  off, step;

    if (c->run < NGX_MEDIA_CADENCE_LOCK) {
        c->error = 0;
        c->correction = 0;
        return;
    }

    c->error += error - c->error / NGX_MEDIA_CADENCE_FILTER;

    off = c->error / NGX_MEDIA_CADENCE_FILTER;

    if (ngx_abs(off) <= (c->correction ? NGX_MEDIA_CADENCE_DONE
                                       : NGX_MEDIA_CADENCE_OFF))
    {
        c->correction = 0;
        return;
    }

    step = c->num / c->den / NGX_MEDIA_CADENCE_PACE + 1;

    c->correction = (off > 0) ? step : -step;
    c->error -= c->correction * NGX_MEDIA_CADENCE_FILTER;
}


/* sum / n is within tolerance per mille of num / den */

static ngx_uint_t
ngx_media_cadence_within(int64_t sum, int64_t n, int64_t num, int64_t den,
    int64_t tolerance)
{
    return ngx_abs(sum * den - num * n) * 1000 <= tolerance * num * n;
}


/* round(v / D) */

static int64_t
ngx_media_cadence_count(const ngx_media_cadence_t *c, int64_t v)
{
    int64_t  twice;

    twice = 2 * v * c->den + c->num;

    if (twice < 0) {
        return -((2 * c->num - 1 - twice) / (2 * c->num));
    }

    return twice / (2 * c->num);
}


int64_t
ngx_media_cadence_place(const ngx_media_cadence_t *c, int64_t stamp,
    int64_t cts)
{
    int64_t  behind, k, v;

    behind = stamp - c->out;

    if (c->num != 0) {
        k = ngx_media_cadence_count(c, cts);
        v = c->out + ngx_media_muldiv(c->frac + k * c->num, 1, c->den);

        if (ngx_abs(v - stamp - cts) <= NGX_MEDIA_U_BOUND) {
            return v;
        }
    }

    v = c->out + cts;

    if (ngx_abs(behind) > NGX_MEDIA_U_BOUND) {

        /* stamps went back: we go on by small steps */
        return v;
    }

    return ngx_media_clamp(v, stamp + cts - NGX_MEDIA_U_BOUND,
                           stamp + cts + NGX_MEDIA_U_BOUND);
}


int64_t
ngx_media_cadence_step(const ngx_media_cadence_t *c, int64_t cts)
{
    int64_t  k;

    if (c->num == 0) {
        return NGX_MEDIA_CADENCE_GUESS;
    }

    k = ngx_media_cadence_count(c, cts);

    return ngx_media_muldiv(c->frac + (k + 1) * c->num, 1, c->den)
           - ngx_media_muldiv(c->frac + k * c->num, 1, c->den)
           + c->correction;
}


int64_t
ngx_media_cadence_duration(const ngx_media_cadence_t *c)
{
    if (c->num == 0) {
        return NGX_MEDIA_CADENCE_GUESS;
    }

    return c->num / c->den;
}


ngx_uint_t
ngx_media_cadence_known(const ngx_media_cadence_t *c)
{
    return c->hint != 0 || c->count >= 3;
}


ngx_uint_t
ngx_media_cadence_locked(const ngx_media_cadence_t *c)
{
    return c->run >= NGX_MEDIA_CADENCE_LOCK;
}
