
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
 */


#include "core/ngx_media_line.h"


/* intervals up to this are no silence as long as nothing is known: 5 s */
#define NGX_MEDIA_VIDEO_SILENCE  (5 * NGX_MEDIA_U)

/* stamps that stand still or fall behind so much are frames to drop: 2 s */
#define NGX_MEDIA_VIDEO_BEHIND   (2 * NGX_MEDIA_U)


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

    interval = media - line->media;

    if (interval > ((tl->clock == line || line->reopen)
                    ? ngx_media_line_video_silence(line)
                    : NGX_MEDIA_GAP_MAX))
    {
        return NGX_DECLINED;
    }

    c = &line->cadence;

    if (c->out - media > NGX_MEDIA_VIDEO_BEHIND) {
        out->drop = 1;
        out->note = "timestamps stand still";
        return NGX_OK;
    }

    ngx_media_cadence_frame(c, media, interval);

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

    line->dts = ngx_media_line_video_dts(line, in, aim);

    out->dts = line->dts;
    out->pts = pts;

    ngx_media_line_video_expect(line, aim, out);

    return NGX_OK;
}


void
ngx_media_line_video_start(ngx_media_line_t *line, int64_t media, int64_t cts,
    ngx_media_time_t *out)
{
    int64_t  pts;

    ngx_media_cadence_start(&line->cadence, media);

    pts = media + cts;

    line->reorder = cts;
    line->early = pts;
    line->key = pts;
    line->recent_n = 0;
    line->dts = pts;

    if (line->ever && line->dts < line->next) {
        line->dts = line->next;
    }

    (void) ngx_media_line_video_unique(line, pts, pts);

    line->started = 1;
    line->ever = 1;
    line->reopen = 0;

    out->dts = line->dts;
    out->pts = pts;

    ngx_media_line_video_expect(line, pts, out);
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
