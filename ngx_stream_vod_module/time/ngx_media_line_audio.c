
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Audio: time is what was counted in samples, and there is never a hole.
 *
 * Each frame lasts its samples, which are those of its line if it does not say
 * otherwise.  How far that is from the stamps is low-passed and, beyond 1 ms,
 * worked off by a few samples a frame.  What cannot be worked off is a gap,
 * filled with whole frames of silence, or an overlap: frames are dropped until
 * they are due.  As a frame's duration never depends on the next one, it is
 * settled when the frame comes.
 */


#include "time/ngx_media_line.h"


#define NGX_MEDIA_AUDIO_FILTER  64

/* so many errors > 40 ms in a row are no accident */
#define NGX_MEDIA_AUDIO_OFF     3

/* stamps are good that came so often in a row where they were expected */
#define NGX_MEDIA_AUDIO_STEADY  8

/* the most that a line may be behind the others before it is fed, ms */
#define NGX_MEDIA_AUDIO_LAG_MAX  3000

/* more than two lumps of audio, ms */
#define NGX_MEDIA_AUDIO_LUMP     100

/* the most frames of silence that one call asks for */
#define NGX_MEDIA_AUDIO_BURST    64


static ngx_int_t ngx_media_line_audio_first(ngx_media_line_t *line,
    int64_t stamp, uint32_t frame, ngx_media_time_t *out);
static ngx_int_t ngx_media_line_audio_next(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, int64_t stamp, uint32_t frame,
    ngx_media_time_t *out);
static int64_t ngx_media_line_audio_silent(ngx_media_line_t *line,
    int64_t error);
static void ngx_media_line_audio_judge(ngx_media_line_t *line,
    int64_t error);
static ngx_uint_t ngx_media_line_audio_late(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, int64_t error, int64_t stamp);
static void ngx_media_line_audio_put(ngx_media_line_t *line, int64_t dts,
    uint32_t frame, ngx_media_time_t *out);
static void ngx_media_line_audio_feed(ngx_media_line_t *line, int64_t start,
    int64_t n);
static int64_t ngx_media_line_audio_correction(ngx_media_line_t *line);
static int64_t ngx_media_line_msec(const ngx_media_line_t *line,
    int64_t msec);
static int64_t ngx_media_line_audio_start(const ngx_media_line_t *line);


ngx_int_t
ngx_media_line_audio(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, int64_t media, ngx_media_time_t *out)
{
    int64_t   stamp;
    uint32_t  frame;

    stamp = ngx_media_muldiv(media, line->timescale, NGX_MEDIA_U);
    frame = in->duration ? in->duration : line->frame;

    if (!line->started) {
        return ngx_media_line_audio_first(line, stamp, frame, out);
    }

    return ngx_media_line_audio_next(tl, line, stamp, frame, out);
}


static ngx_int_t
ngx_media_line_audio_first(ngx_media_line_t *line, int64_t stamp,
    uint32_t frame, ngx_media_time_t *out)
{
    int64_t  dts, start;

    start = ngx_media_line_audio_start(line);
    dts = stamp;

    if (stamp < start) {

        if (stamp + frame <= start) {
            ngx_media_time_trace(out, "is before its start, stamp:%L start:%L",
                                 stamp, start, 0, 0);
            out->drop = 1;
            return NGX_OK;
        }

        if (line->ever && stamp < line->next) {

            /* what the period before has left */

            if (line->next - stamp > frame / 2) {
                ngx_media_time_trace(out, "is before its start, stamp:%L "
                                     "end:%L", stamp, line->next, 0, 0);
                out->drop = 1;
                return NGX_OK;
            }

            dts = line->next;
        }

    } else {

        if (stamp - start > ngx_media_line_msec(line, 10000)) {
            return NGX_DECLINED;
        }

        out->silent = (uint32_t) ((stamp - start) / line->frame);

        dts = start + (int64_t) out->silent * line->frame;

        if (!line->ever || start != line->next
            || stamp - dts > ngx_media_line_msec(line, 3))
        {
            dts = stamp;
        }

        /* else it goes on where it was */
    }

    line->error = (stamp - dts) * NGX_MEDIA_AUDIO_FILTER;
    line->shift = stamp - dts;
    line->off = 0;
    line->steady = 0;
    line->silent = 0;
    line->correcting = 0;

    ngx_media_line_audio_put(line, dts, frame, out);

    return NGX_OK;
}


static ngx_int_t
ngx_media_line_audio_next(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    int64_t stamp, uint32_t frame, ngx_media_time_t *out)
{
    int64_t  error, silent;

    error = stamp - line->next;

    if (error > ngx_media_line_msec(line, (tl->clock == line) ? 1000
                                                               : 10000))
    {
        return NGX_DECLINED;
    }

    ngx_media_line_audio_judge(line, error);

    if (ngx_media_line_audio_late(tl, line, error, stamp)) {
        ngx_media_time_trace(out, "overlaps by:%L in a row:%L lag ms:%L",
                             -error, line->off, line->lag, 0);
        out->drop = 1;
        return NGX_OK;
    }

    silent = ngx_media_line_audio_silent(line, error);

    if (silent || line->silent) {
        ngx_media_time_trace(out, "is late by:%L shift:%L steady:%L in a "
                             "row:%L", error, line->shift, line->steady,
                             line->off);
    }

    error -= silent * line->frame;

    if (ngx_abs(error - line->shift) <= ngx_media_line_msec(line, 3)) {
        line->steady++;

    } else {
        line->steady = 0;
    }

    line->shift = error;

    if (silent || line->silent) {

        /* begins anew from here */
        line->error = error * NGX_MEDIA_AUDIO_FILTER;
        line->off = 0;

    } else {
        line->error += error - line->error / NGX_MEDIA_AUDIO_FILTER;
    }

    line->silent = 0;

    out->silent = (uint32_t) silent;

    ngx_media_line_audio_put(line, line->next + silent * line->frame, frame,
                             out);

    return NGX_OK;
}


/* how many frames of silence come before a frame that is so late */

static int64_t
ngx_media_line_audio_silent(ngx_media_line_t *line, int64_t error)
{
    int64_t  lost, n;

    n = (error + line->frame / 2) / line->frame;

    if (error <= 0 || n <= 0) {
        return 0;
    }

    if (line->silent) {
        return n;
    }

    if (line->off >= NGX_MEDIA_AUDIO_OFF) {
        return (line->off_least + line->frame / 2) / line->frame;
    }

    if (line->steady >= NGX_MEDIA_AUDIO_STEADY) {

        /* lost frames are an exact number of them where stamps are good */

        lost = (error - line->shift + line->frame / 2) / line->frame;

        if (ngx_abs(error - n * line->frame)
            <= ngx_media_line_msec(line, 3))
        {
            return n;
        }

        if (lost > 0
            && ngx_abs(error - line->shift - lost * line->frame)
               <= ngx_media_line_msec(line, 3))
        {
            return lost;
        }
    }

    if (error > ngx_media_line_msec(line, 100) && error > 2 * line->frame) {
        return n;
    }

    return 0;
}


/* counts errors that are too large to be worked off */

static void
ngx_media_line_audio_judge(ngx_media_line_t *line, int64_t error)
{
    int64_t  small;

    small = ngx_max(ngx_media_line_msec(line, 40), (int64_t) line->frame);

    if (error > small) {
        line->off_least = (line->off > 0) ? ngx_min(line->off_least, error)
                                          : error;
        line->off = (line->off > 0) ? line->off + 1 : 1;

    } else if (error < -small) {
        line->off = (line->off < 0) ? line->off - 1 : -1;

    } else {
        line->off = 0;
    }
}


/* frames that overlap what was put out: is this one to be dropped? */

static ngx_uint_t
ngx_media_line_audio_late(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    int64_t error, int64_t stamp)
{
    int64_t  behind, head, large;

    large = ngx_max(ngx_media_line_msec(line, 100),
                    2 * (int64_t) line->frame);

    if (error >= -((int64_t) line->frame / 2)) {
        return 0;
    }

    if (!line->silent && line->off > -NGX_MEDIA_AUDIO_OFF
        && error >= -large)
    {
        return 0;
    }

    /* wait longer for a line that really is so much behind the others */

    head = ngx_media_muldiv(tl->head, line->timescale, NGX_MEDIA_U);
    behind = ngx_media_muldiv(head - stamp, 1000, line->timescale) + 200;

    if (line->silent && behind > line->lag) {
        line->lag = ngx_min(behind, NGX_MEDIA_AUDIO_LAG_MAX);
    }

    /* until they are due */
    line->silent = 1;

    return 1;
}


static void
ngx_media_line_audio_put(ngx_media_line_t *line, int64_t dts, uint32_t frame,
    ngx_media_time_t *out)
{
    int64_t  duration;

    duration = frame + ngx_media_line_audio_correction(line);

    line->dts = dts;
    line->next = dts + duration;
    line->started = 1;
    line->ever = 1;
    line->fixed = 0;

    out->dts = dts;
    out->pts = dts;
    out->duration = (uint32_t) duration;
    out->locked = 1;
}


/* beyond 1 ms, until hardly anything is left: at most 0.25 ms a frame */

static int64_t
ngx_media_line_audio_correction(ngx_media_line_t *line)
{
    int64_t  error, most, step;

    error = line->error / NGX_MEDIA_AUDIO_FILTER;

    if (!line->correcting) {
        if (ngx_abs(error) <= ngx_media_line_msec(line, 1)) {
            return 0;
        }

        line->correcting = 1;
    }

    step = error / NGX_MEDIA_AUDIO_FILTER;

    if (step == 0) {
        if (ngx_abs(error) <= ngx_media_line_msec(line, 1) / 4) {
            line->correcting = 0;
            return 0;
        }

        step = (error > 0) ? 1 : -1;
    }

    most = ngx_max(line->timescale / 4000, 1);

    /* large ones quickly, the rest gently */

    if (ngx_abs(error) > ngx_media_line_msec(line, 2)) {
        step = (error > 0) ? most : -most;
    }

    step = ngx_media_clamp(step, -most, most);
    line->error -= step * NGX_MEDIA_AUDIO_FILTER;

    return step;
}


ngx_uint_t
ngx_media_timeline_silence(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    int64_t *dts)
{
    int64_t  head, n, start;

    if (!tl->open || tl->breaking || line->type != NGX_MEDIA_AUDIO) {
        return 0;
    }

    start = line->started ? line->next : ngx_media_line_audio_start(line);
    head = ngx_media_muldiv(tl->head, line->timescale, NGX_MEDIA_U)
           - ngx_media_line_msec(line, line->lag);

    if (head < start) {
        return 0;
    }

    n = (head - start) / line->frame + 1;
    n = ngx_min(n, NGX_MEDIA_AUDIO_BURST);

    *dts = start;

    ngx_media_line_audio_feed(line, start, n);

    return n;
}


ngx_uint_t
ngx_media_timeline_owed(ngx_media_line_t *line, int64_t end, int64_t *dts)
{
    int64_t  n;

    if (!line->started) {
        return 0;
    }

    /* a frame may end a little later, but not begin */

    n = ngx_media_muldiv(end, line->timescale, NGX_MEDIA_U) - line->next;
    n = (n + line->frame / 2) / line->frame;

    if (n <= 0 || n * line->frame > ngx_media_line_msec(line,
                                                 NGX_MEDIA_AUDIO_LAG_MAX))
    {
        return 0;
    }

    *dts = line->next;

    ngx_media_line_audio_feed(line, line->next, n);

    return n;
}


static void
ngx_media_line_audio_feed(ngx_media_line_t *line, int64_t start, int64_t n)
{
    line->dts = start + (n - 1) * line->frame;
    line->next = start + n * line->frame;
    line->error = 0;
    line->off = 0;
    line->steady = 0;
    line->started = 1;
    line->ever = 1;
    line->fixed = 0;
    line->silent = 1;
    line->correcting = 0;
}


void
ngx_media_timeline_absent(ngx_media_line_t *line, ngx_uint_t absent)
{
    line->lag = absent ? 0 : line->lag_least;
}


void
ngx_media_timeline_lump(ngx_media_line_t *line, int64_t msec)
{
    int64_t  least;

    if (line->type == NGX_MEDIA_VIDEO) {
        line->lump = ngx_min(ngx_max(line->lump, msec),
                             NGX_MEDIA_AUDIO_LAG_MAX);
        return;
    }

    /* it is behind by one of them, and the others may be ahead by another */

    least = ngx_min(2 * msec + NGX_MEDIA_AUDIO_LUMP, NGX_MEDIA_AUDIO_LAG_MAX);

    line->lag_least = ngx_max(line->lag_least, least);
    line->lag = ngx_max(line->lag, line->lag_least);
}


static int64_t
ngx_media_line_msec(const ngx_media_line_t *line, int64_t msec)
{
    return msec * line->timescale / 1000;
}


/* from where on a line that has not started is owed frames */

static int64_t
ngx_media_line_audio_start(const ngx_media_line_t *line)
{
    int64_t  start;

    /* rounded up */
    start = -ngx_media_muldiv(-line->start, line->timescale, NGX_MEDIA_U);

    if (line->ever && start < line->next) {
        return line->next;
    }

    return start;
}
