
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One track, the clock track, decides where segments end; its decision is
 * taken by all tracks of the stream, so numbers are equal in all of them.
 *
 * With s the segment duration that is wished for, H the one that is never
 * exceeded (it fixes TARGETDURATION), e the time since the segment's start
 * and g the distance of the last two key frames, a key frame ends a segment
 * when it is as near to s as the next one will be, or when waiting for the
 * next one could overrun H; other frames end it by force.
 */


#include "time/ngx_media_segmenter.h"


/* the largest gap is forgotten after one to two times so many key frames */
#define NGX_MEDIA_SEGMENTER_MEMORY  32


typedef struct {
    uint32_t                  num;
    uint32_t                  den;
    uint32_t                  weight;
} ngx_media_part_frame_t;


static ngx_uint_t ngx_media_segmenter_key(ngx_media_segmenter_t *s,
    int64_t pts);
static ngx_uint_t ngx_media_segmenter_due(const ngx_media_segmenter_t *s,
    int64_t pts);
static ngx_uint_t ngx_media_segmenter_early(const ngx_media_segmenter_t *s,
    int64_t pts, int64_t previous);
static ngx_uint_t ngx_media_segmenter_passed(const ngx_media_segmenter_t *s,
    int64_t pts, int64_t previous);
static ngx_uint_t ngx_media_segmenter_overrun(const ngx_media_segmenter_t *s,
    int64_t pts, int64_t duration);
static int64_t ngx_media_segmenter_multiple(int64_t t, int64_t s);
static ngx_uint_t ngx_media_part_misfit(uint32_t target,
    const ngx_media_part_frame_t *frame);


/*
 * Usual frame durations, in seconds.  The video rates that nearly all streams
 * have weigh double.
 */

static const ngx_media_part_frame_t  ngx_media_part_frames[] = {
    { 1001, 24000, 2 },
    { 1, 24, 2 },
    { 1, 25, 2 },
    { 1001, 30000, 2 },
    { 1, 30, 2 },
    { 1, 50, 2 },
    { 1001, 60000, 2 },
    { 1, 60, 2 },
    { 1, 120, 1 },
    { 1, 10, 1 },
    { 1, 15, 1 },
    { 1024, 48000, 1 },         /* AAC */
    { 1024, 44100, 1 },
    { 1024, 32000, 1 },
    { 1024, 24000, 1 },
    { 2048, 48000, 1 },         /* HE-AAC */
    { 2048, 44100, 1 },
    { 1, 50, 1 },               /* Opus */
    { 1536, 48000, 1 },         /* AC-3 */
    { 1152, 48000, 1 },         /* MP3 */
    { 1152, 44100, 1 },
    { 4096, 48000, 1 }          /* FLAC; as HE-AAC at 24 kHz */
};


void
ngx_media_segmenter_init(ngx_media_segmenter_t *s, ngx_media_type_e type,
    uint32_t timescale, ngx_uint_t segment, ngx_uint_t max)
{
    ngx_memzero(s, sizeof(ngx_media_segmenter_t));

    s->type = type;
    s->timescale = timescale;
    s->segment = (int64_t) segment * timescale / 1000;
    s->max = (int64_t) max * timescale / 1000;

    if (s->segment < 1) {
        s->segment = 1;
    }

    if (s->max < s->segment) {
        s->max = s->segment;
    }
}


void
ngx_media_segmenter_start(ngx_media_segmenter_t *s, int64_t pts,
    ngx_uint_t period)
{
    s->start = pts;
    s->early = period;
    s->awaited = 0;

    if (period) {
        s->period = pts;
        s->aligned = pts + s->segment;
        s->key = pts;
        s->keys = 1;
        s->gap = 0;
        s->regular = 0;
        s->aligning = 1;
        return;
    }

    if (s->aligned <= pts) {
        s->aligned += ((pts - s->aligned) / s->segment + 1) * s->segment;
    }
}


void
ngx_media_segmenter_hurry(ngx_media_segmenter_t *s, ngx_uint_t awaited)
{
    s->early = 1;
    s->awaited |= awaited;
}


ngx_uint_t
ngx_media_segmenter_frame(ngx_media_segmenter_t *s, int64_t pts,
    int64_t duration, ngx_uint_t key)
{
    ngx_uint_t  cut;

    s->duration = duration;

    if (s->type == NGX_MEDIA_AUDIO) {
        if (pts < s->aligned
            && !(s->early && pts - s->start >= s->segment / 4))
        {
            return NGX_MEDIA_CUT_NONE;
        }

        ngx_media_segmenter_start(s, pts, 0);

        return NGX_MEDIA_CUT_KEY;
    }

    cut = key ? ngx_media_segmenter_key(s, pts) : NGX_MEDIA_CUT_NONE;

    if (cut == NGX_MEDIA_CUT_NONE
        && ngx_media_segmenter_overrun(s, pts, duration))
    {
        cut = key ? NGX_MEDIA_CUT_KEY : NGX_MEDIA_CUT_FORCED;
    }

    if (cut != NGX_MEDIA_CUT_NONE) {
        ngx_media_segmenter_start(s, pts, 0);
    }

    return cut;
}


static ngx_uint_t
ngx_media_segmenter_key(ngx_media_segmenter_t *s, int64_t pts)
{
    int64_t     gap, previous, tolerance;
    ngx_uint_t  due;

    previous = s->key;

    if (s->keys == 0 || pts <= previous) {
        gap = s->gap;

    } else {
        gap = pts - previous;
    }

    tolerance = s->timescale / 500;

    if (gap - s->gap <= tolerance && s->gap - gap <= tolerance) {
        s->regular++;

    } else {
        s->regular = 0;
    }

    s->keys++;
    s->key = pts;
    s->gap = gap;

    if (s->keys % NGX_MEDIA_SEGMENTER_MEMORY == 0) {
        s->gap_old = s->gap_recent;
        s->gap_recent = 0;
    }

    s->gap_recent = ngx_max(s->gap_recent, gap);
    s->gap_max = ngx_max(s->gap_recent, s->gap_old);

    due = ngx_media_segmenter_due(s, pts)
          || ngx_media_segmenter_early(s, pts, previous);

    if (due && ngx_media_segmenter_passed(s, pts, previous)) {
        s->aligning = 0;
    }

    return due ? NGX_MEDIA_CUT_KEY : NGX_MEDIA_CUT_NONE;
}


/*
 * Nobody can play a track before its first segment is whole.  Moreover several
 * publishers with equal GOPs fall into step, at a multiple of s that the key
 * frame at pts is the first to have passed; a GOP of a quarter of s may be a
 * frame too short for that.
 */

static ngx_uint_t
ngx_media_segmenter_early(const ngx_media_segmenter_t *s, int64_t pts,
    int64_t previous)
{
    int64_t  e;

    e = pts - s->start;

    if (s->early && e >= s->segment / 4) {
        return 1;
    }

    return s->aligning && e >= s->segment / 5
           && ngx_media_segmenter_passed(s, pts, previous);
}


static ngx_uint_t
ngx_media_segmenter_passed(const ngx_media_segmenter_t *s, int64_t pts,
    int64_t previous)
{
    return ngx_media_segmenter_multiple(pts, s->segment)
           > ngx_media_segmenter_multiple(previous, s->segment);
}


/* would a key frame at pts, with the gaps as they are known, be a cut? */

static ngx_uint_t
ngx_media_segmenter_due(const ngx_media_segmenter_t *s, int64_t pts)
{
    int64_t  e, half;

    e = pts - s->start;
    half = ngx_min(s->gap, s->segment) / 2;

    if (e >= s->segment - half) {
        return 1;
    }

    return e + s->gap_max > s->max && e >= s->segment / 4;
}


static ngx_uint_t
ngx_media_segmenter_overrun(const ngx_media_segmenter_t *s, int64_t pts,
    int64_t duration)
{
    int64_t  e, limit;

    e = pts - s->start;

    if (e <= 0) {
        return 0;
    }

    limit = s->max;

    if (s->gap_max > limit || pts - s->key > limit) {

        /* key frames are too far apart, so there is nothing to wait for */
        limit = s->segment;
    }

    if (s->awaited) {
        limit = ngx_min(limit, s->segment + s->segment / 2);
    }

    return e + duration > limit;
}


ngx_uint_t
ngx_media_segmenter_apart(const ngx_media_segmenter_t *s, int64_t pts)
{
    return s->gap_max > s->max || pts - s->key + s->duration > s->max;
}


ngx_uint_t
ngx_media_segmenter_expects(const ngx_media_segmenter_t *s, int64_t pts)
{
    int64_t  d, next;

    if (s->type == NGX_MEDIA_AUDIO) {
        return pts >= s->aligned
               || (s->early && pts - s->start >= s->segment / 4);
    }

    if (ngx_media_segmenter_overrun(s, pts, s->duration)) {
        return 1;
    }

    if (s->regular == 0 || s->gap == 0) {
        return 0;
    }

    next = s->key + s->gap;
    d = pts - next;

    if (d < 0) {
        d = -d;
    }

    if (d > s->duration / 2) {
        return 0;
    }

    return ngx_media_segmenter_due(s, pts)
           || ngx_media_segmenter_early(s, pts, s->key);
}


ngx_uint_t
ngx_media_segmenter_unsure(const ngx_media_segmenter_t *s, int64_t pts)
{
    return s->type == NGX_MEDIA_VIDEO && s->regular == 0
           && (ngx_media_segmenter_due(s, pts)
               || ngx_media_segmenter_early(s, pts, s->key));
}


static int64_t
ngx_media_segmenter_multiple(int64_t t, int64_t s)
{
    return (t < 0) ? -((s - 1 - t) / s) : t / s;
}


uint32_t
ngx_media_part_target(ngx_uint_t part)
{
    uint32_t    target, best, last;
    ngx_uint_t  i, n, sum, least;

    /* longer ones than this hold any usual frame often enough */

    if (part > 60000) {
        part = 60000;
    }

    target = (uint32_t) part * 10;
    last = (uint32_t) part * 1120 / 100;
    best = target;
    least = NGX_MAX_INT_T_VALUE;

    n = sizeof(ngx_media_part_frames) / sizeof(ngx_media_part_frames[0]);

    for ( /* void */ ; target <= last; target++) {

        sum = 0;

        for (i = 0; i < n; i++) {
            if (ngx_media_part_misfit(target, &ngx_media_part_frames[i])) {
                sum += ngx_media_part_frames[i].weight;
            }
        }

        if (sum < least) {
            least = sum;
            best = target;
        }

        if (sum == 0) {
            break;
        }
    }

    return best;
}


ngx_uint_t
ngx_media_part_misfits(uint32_t target)
{
    ngx_uint_t  i, n, misfits;

    n = sizeof(ngx_media_part_frames) / sizeof(ngx_media_part_frames[0]);
    misfits = 0;

    for (i = 0; i < n; i++) {
        misfits += ngx_media_part_misfit(target, &ngx_media_part_frames[i]);
    }

    return misfits;
}


/* floor(T / d) * d < 0.85 T, with T = target / 10000 and d = num / den */

static ngx_uint_t
ngx_media_part_misfit(uint32_t target, const ngx_media_part_frame_t *frame)
{
    uint64_t  n;

    n = (uint64_t) target * frame->den / ((uint64_t) 10000 * frame->num);

    return n * frame->num * 1000000 < (uint64_t) 85 * target * frame->den;
}
