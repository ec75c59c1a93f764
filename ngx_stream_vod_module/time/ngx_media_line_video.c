
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Video: presentation time is the publisher's, decode time is ours.
 *
 * Browsers drop everything up to the next random access point when decode
 * times leave a hole of more than two frames, and a part is closed before its
 * last frame's duration can be known.  So the decode line has no holes: it
 * makes up for what is missing by at most two frame durations a frame, or by
 * at least 1 ms when it is ahead, and pts stays true by signed cto.
 *
 * The decode line aims at the smoothed stamp + r, with r the cto of the
 * period's first key frame: so a segment's decode time is the presentation
 * time of its first picture, also with B-frames and open GOPs (CMAF, 7.5.17).
 * A period whose GOPs turn out to need another r gets there by the same steps.
 *
 * Few pictures are not loss: screens, slides and slow cameras send none while
 * nothing changes.  A picture that others show to be still is held, and the
 * next frame goes on behind it at its own time (timing.md, 1).
 */


#include "time/ngx_media_line.h"
#include "time/ngx_media_timeline_still.h"


/* intervals up to this are no silence as long as nothing is known: 5 s */
#define NGX_MEDIA_VIDEO_SILENCE  (5 * NGX_MEDIA_U)

/* so long the picture may stand still while others go on: 0.5 s to 1 s */
#define NGX_MEDIA_VIDEO_STILL       (NGX_MEDIA_U / 2)
#define NGX_MEDIA_VIDEO_STILL_MOST  NGX_MEDIA_U
#define NGX_MEDIA_VIDEO_STILL_DUE   (NGX_MEDIA_U / 10)
#define NGX_MEDIA_VIDEO_STILL_MSEC  400

/* still frames keep so far behind the others: 0.2 s */
#define NGX_MEDIA_VIDEO_STILL_LAG   (NGX_MEDIA_U / 5)

/* a pause in which nothing came that others could have shown: 3 s */
#define NGX_MEDIA_VIDEO_PAUSE    (3 * NGX_MEDIA_U)

/* stamps that stand still or fall behind so much are frames to drop: 2 s */
#define NGX_MEDIA_VIDEO_BEHIND   (2 * NGX_MEDIA_U)


static int64_t ngx_media_line_video_limit(ngx_media_timeline_t *tl,
    ngx_media_line_t *line);
static void ngx_media_line_video_resume(ngx_media_line_t *line,
    int64_t media, ngx_media_time_t *out);
static void ngx_media_line_video_reorder(ngx_media_line_t *line,
    int64_t aim, int64_t pts);
static int64_t ngx_media_line_video_dts(ngx_media_line_t *line,
    const ngx_media_stamp_t *in, int64_t aim);
static int64_t ngx_media_line_video_unique(ngx_media_line_t *line,
    int64_t pts, int64_t stamp);
static void ngx_media_line_video_expect(ngx_media_line_t *line,
    int64_t aim, ngx_media_time_t *out);


ngx_int_t
ngx_media_line_video(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, int64_t media, int64_t cts,
    ngx_media_time_t *out)
{
    int64_t               aim, interval, pts;
    ngx_media_cadence_t  *c;

    c = &line->cadence;
    interval = media - line->media;

    if (interval > ngx_media_line_video_limit(tl, line)) {

        ngx_media_time_trace(out, "was silent for:%L limit:%L whole:%L "
                             "held:%L", interval,
                             ngx_media_line_video_limit(tl, line),
                             line->whole, line->held);

        /* so does a rate look that is lower than what was said */
        ngx_media_cadence_learn(c, interval);

        return NGX_DECLINED;
    }

    if (c->out - media > NGX_MEDIA_VIDEO_BEHIND) {
        ngx_media_time_trace(out, "stamps are behind by:%L",
                             c->out - media, 0, 0, 0);
        out->drop = 1;

        if (!line->stuck) {
            line->stuck = 1;
            out->note = "timestamps stand still";
        }

        return NGX_OK;
    }

    line->stuck = 0;

    if (line->stills) {
        ngx_media_cadence_learn(c, media - line->real);
        ngx_media_cadence_move(c, media);

        line->stills = 0;
        line->fixed = 0;

        out->resume = 1;
        out->held = line->next;

    } else if (line->held
               || (tl->clock == line
                   && interval > ngx_media_line_video_silence(line)))
    {
        ngx_media_cadence_learn(c, interval);
        ngx_media_line_video_resume(line, media, out);

    } else {
        ngx_media_cadence_frame(c, media, interval);
    }

    pts = ngx_media_cadence_place(c, media, cts);
    pts = ngx_media_line_video_unique(line, pts, media + cts);

    aim = ngx_media_cadence_place(c, media, line->reorder);

    if (in->key) {
        ngx_media_line_video_reorder(line, aim, pts);
        aim = ngx_media_cadence_place(c, media, line->reorder);

        if (ngx_abs(pts - aim) <= 2 * NGX_MEDIA_U_BOUND) {
            aim = pts;
        }

        line->key = aim;
        line->early = pts;

    } else if (pts < line->early) {
        line->early = pts;
    }

    line->real = media;
    line->dts = out->resume ? ngx_max(aim, line->next)
                            : ngx_media_line_video_dts(line, in, aim);

    out->dts = line->dts;
    out->pts = pts;

    ngx_media_line_video_expect(line, aim, out);

    return NGX_OK;
}


/* the longest interval after which the line goes on, in u */

static int64_t
ngx_media_line_video_limit(ngx_media_timeline_t *tl, ngx_media_line_t *line)
{
    int64_t  silence;

    if (tl->clock != line && !line->reopen) {
        return NGX_MEDIA_GAP_MAX;
    }

    silence = ngx_media_line_video_silence(line);

    if (line->held && line->whole) {

        /* it stood still while others went on, not longer */

        return ngx_max(silence, tl->head - line->media
                                + NGX_MEDIA_VIDEO_PAUSE);
    }

    return line->whole ? ngx_max(silence, NGX_MEDIA_VIDEO_PAUSE) : silence;
}


/* after a picture that was held, smoothing starts anew */

static void
ngx_media_line_video_resume(ngx_media_line_t *line, int64_t media,
    ngx_media_time_t *out)
{
    ngx_media_cadence_start(&line->cadence, media);

    line->held = 0;
    line->fixed = 0;

    out->resume = 1;
    out->held = line->next;
}


void
ngx_media_line_video_start(ngx_media_line_t *line, int64_t media, int64_t cts,
    ngx_uint_t key, ngx_media_time_t *out)
{
    int64_t  pts;

    ngx_media_cadence_start(&line->cadence, media);

    pts = media + cts;

    if (key) {
        line->reorder = cts;

    } else {
        out->resume = 1;
    }

    line->early = pts;
    line->key = media + line->reorder;
    line->recent_n = 0;
    line->dts = line->key;

    /* not before the period that it joins, nor what went before */

    line->dts = ngx_max(line->dts, line->start);

    if (line->ever && line->dts < line->next) {
        line->dts = line->next;
    }

    (void) ngx_media_line_video_unique(line, pts, pts);

    line->real = media;
    line->started = 1;
    line->ever = 1;
    line->reopen = 0;
    line->held = 0;
    line->stills = 0;

    out->dts = line->dts;
    out->pts = pts;
    out->held = line->dts;

    ngx_media_line_video_expect(line, line->key, out);
}


void
ngx_media_timeline_whole(ngx_media_line_t *line, ngx_uint_t whole)
{
    line->whole = whole;
}


ngx_uint_t
ngx_media_timeline_still(const ngx_media_line_t *line, int64_t time,
    int64_t arrival, ngx_uint_t parts, ngx_uint_t due)
{
    int64_t  least, lump;

    if (!line->started || !line->whole || line->reopen
        || time <= (line->fixed ? line->next : line->dts)
        || arrival - line->arrival < NGX_MEDIA_VIDEO_STILL_MSEC + line->lump)
    {
        return 0;
    }

    /* until the next of them comes there is no picture */

    lump = line->lump * (NGX_MEDIA_U / 1000);

    if (line->held || line->stills) {
        return 1;
    }

    if (due) {
        return time - line->next > NGX_MEDIA_VIDEO_STILL_DUE + lump;
    }

    least = NGX_MEDIA_VIDEO_STILL;

    if (ngx_media_cadence_known(&line->cadence)) {
        least = ngx_max(3 * ngx_media_cadence_duration(&line->cadence),
                        least);
    }

    if (parts) {
        least = ngx_min(least, NGX_MEDIA_VIDEO_STILL_MOST);
    }

    return time - line->media > least + lump;
}


ngx_uint_t
ngx_media_timeline_still_frame(ngx_media_line_t *line, int64_t time,
    int64_t duration, ngx_media_time_t *out)
{
    int64_t               aim, d, media;
    ngx_media_stamp_t     in;
    ngx_media_cadence_t  *c;

    c = &line->cadence;
    d = ngx_media_cadence_duration(c);
    media = c->out + ngx_min(d, duration);

    if (media + line->reorder + NGX_MEDIA_VIDEO_STILL_LAG > time) {
        return 0;
    }

    ngx_memzero(out, sizeof(ngx_media_time_t));
    ngx_memzero(&in, sizeof(ngx_media_stamp_t));

    if (d <= duration) {
        ngx_media_cadence_move(c, media);
        aim = ngx_media_cadence_place(c, media, line->reorder);

        line->dts = ngx_media_line_video_dts(line, &in, aim);

        ngx_media_line_video_expect(line, aim, out);

    } else {

        /* few frames a second: others than their own come between them */

        line->dts = ngx_max(media + line->reorder,
                            line->stills || line->fixed
                            ? line->next : line->dts + NGX_MEDIA_U_STEP);
        line->next = line->dts + duration;
        media = line->dts - line->reorder;

        ngx_media_cadence_start(c, media);

        line->fixed = 0;

        out->duration = (uint32_t) duration;
    }

    line->media = media;
    line->stills = 1;

    out->dts = line->dts;
    out->pts = ngx_media_line_video_unique(line, line->dts, line->dts);

    return 1;
}


void
ngx_media_timeline_moved(ngx_media_line_t *line, ngx_media_time_t *time)
{
    if (time->dts == line->dts) {
        return;
    }

    line->dts = time->dts;
    line->next = ngx_max(line->next, line->dts + NGX_MEDIA_U_STEP);

    time->duration = (uint32_t) (line->next - line->dts);
    time->locked = 0;
}


void
ngx_media_timeline_hold(ngx_media_line_t *line, int64_t until)
{
    line->next = until;
    line->fixed = 1;
    line->held = 1;
}


int64_t
ngx_media_line_video_silence(const ngx_media_line_t *line)
{
    int64_t  d;

    if (!ngx_media_cadence_known(&line->cadence)) {
        return NGX_MEDIA_VIDEO_SILENCE;
    }

    /* a second, and what slides at a low rate need */

    d = 3 * ngx_media_cadence_duration(&line->cadence);

    return ngx_max(d, NGX_MEDIA_U);
}


/*
 * A GOP has ended: was the smallest pts of it that which its key frame's dts
 * aimed at?  (Leading pictures of open GOPs have smaller ones than their key
 * frame, so that frame alone does not tell.)
 */

static void
ngx_media_line_video_reorder(ngx_media_line_t *line, int64_t aim, int64_t pts)
{
    int64_t  d, off;

    d = ngx_media_cadence_duration(&line->cadence);
    off = line->early - line->key;

    if (ngx_abs(off) > d / 2) {
        line->reorder = ngx_media_clamp(line->reorder + off,
                                        -NGX_MEDIA_CTS_MAX,
                                        NGX_MEDIA_CTS_MAX);
    }
}


static int64_t
ngx_media_line_video_dts(ngx_media_line_t *line, const ngx_media_stamp_t *in,
    int64_t aim)
{
    int64_t  least, most;

    if (line->fixed) {
        line->fixed = 0;
        return line->next;
    }

    least = line->dts + NGX_MEDIA_U_STEP;
    most = line->dts + 2 * ngx_media_cadence_duration(&line->cadence);

    if (!ngx_media_cadence_known(&line->cadence)) {
        most = line->dts + NGX_MEDIA_VIDEO_SILENCE;
    }

    /* not where one frame alone is longer */

    if (in->limit && in->limit >= line->next - line->dts) {
        most = ngx_min(most, line->dts + in->limit);
        least = ngx_min(least, most);
    }

    return ngx_media_clamp(aim, least, most);
}


/* no two of the frames that may be shown in turn have one pts */

static int64_t
ngx_media_line_video_unique(ngx_media_line_t *line, int64_t pts,
    int64_t stamp)
{
    int64_t   step;
    uint32_t  i, n;

    /* towards the stamp, to stay within the bound */
    step = (pts > stamp) ? -1 : 1;
    n = ngx_min(line->recent_n, NGX_MEDIA_LINE_RECENT);

    for (i = 0; i < n; /* void */ ) {

        if (line->recent[i] == pts) {
            pts += step;
            i = 0;
            continue;
        }

        i++;
    }

    line->recent[line->recent_n % NGX_MEDIA_LINE_RECENT] = pts;
    line->recent_n++;

    if (line->recent_n == 2 * NGX_MEDIA_LINE_RECENT) {
        line->recent_n = NGX_MEDIA_LINE_RECENT;
    }

    return pts;
}


static void
ngx_media_line_video_expect(ngx_media_line_t *line, int64_t aim,
    ngx_media_time_t *out)
{
    int64_t  duration, step;

    step = ngx_media_cadence_step(&line->cadence, line->reorder);
    duration = ngx_max(aim + step - line->dts, NGX_MEDIA_U_STEP);

    /*
     * Where something is missing the next frame may come later than this,
     * within its limit: so parts are filled as always.
     */

    out->locked = ngx_media_cadence_locked(&line->cadence)
                  && duration <= step + NGX_MEDIA_U_BOUND;

    if (!out->locked) {
        duration = ngx_min(duration, step);
    }

    line->next = line->dts + duration;
    line->fixed = 0;

    out->duration = (uint32_t) duration;
}
