
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The publisher's clock, common to its tracks: unrolling, jumps, bases that
 * differ, where periods begin, and how media time relates to the wall clock.
 *
 *     media = unrolled stamp + base (common) + rebase (of the line)
 *
 * base is set when a period opens, so that its first frame is at the wall
 * clock's time, or stays where the stamps went on.  Media time is never bent
 * to the wall clock afterwards: the anchor is moved instead (timing.md, 6).
 */


#include "time/ngx_media_line.h"


/* jumps: back more than 1 s, ahead of arrival more than 3 s */
#define NGX_MEDIA_JUMP_BACK      NGX_MEDIA_U
#define NGX_MEDIA_JUMP_AHEAD     (3 * NGX_MEDIA_U)

/* lines whose stamps differ by more than this have different bases */
#define NGX_MEDIA_BASE_FAR       (3 * NGX_MEDIA_U)

/* after a jump others may follow for so long, ms, and are then as near */
#define NGX_MEDIA_FOLLOW_MSEC    1000
#define NGX_MEDIA_FOLLOW_NEAR    NGX_MEDIA_U

#define NGX_MEDIA_ANCHOR_BUCKET  (10 * NGX_MEDIA_U)
#define NGX_MEDIA_ANCHOR_OFF     500         /* ms */
#define NGX_MEDIA_ANCHOR_PERIOD  1000        /* ms: a new period */
#define NGX_MEDIA_ANCHOR_BACK    600         /* ms: the most at once */

#define NGX_MEDIA_RATE_MSEC      30000


static ngx_uint_t ngx_media_timeline_unroll(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in,
    ngx_media_time_t *out);
static void ngx_media_timeline_jump(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in,
    ngx_media_time_t *out);
static int64_t ngx_media_timeline_off(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in);
static ngx_uint_t ngx_media_timeline_sync(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in,
    ngx_media_time_t *out);
static int64_t ngx_media_timeline_cts(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in);
static void ngx_media_timeline_video(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in, int64_t media,
    ngx_media_time_t *out);
static void ngx_media_timeline_audio(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in, int64_t media,
    ngx_media_time_t *out);
static void ngx_media_timeline_text(ngx_media_line_t *line, int64_t media,
    ngx_media_time_t *out);
static void ngx_media_timeline_accept(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in, int64_t media,
    ngx_media_time_t *out);
static void ngx_media_timeline_close(ngx_media_timeline_t *tl,
    ngx_uint_t keep, ngx_media_time_t *out);
static void ngx_media_timeline_wait(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in,
    ngx_media_time_t *out);
static ngx_uint_t ngx_media_timeline_has(ngx_media_timeline_t *tl,
    ngx_media_type_e type);
static void ngx_media_timeline_open(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in,
    ngx_media_time_t *out);
static int64_t ngx_media_timeline_base(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in, int64_t pts);
static int64_t ngx_media_timeline_end(const ngx_media_timeline_t *tl);
static int64_t ngx_media_timeline_wall(const ngx_media_timeline_t *tl,
    int64_t wall);
static int64_t ngx_media_line_end(const ngx_media_line_t *line);
static void ngx_media_timeline_observe(ngx_media_timeline_t *tl,
    int64_t media, int64_t arrival);
static void ngx_media_timeline_bucket(ngx_media_timeline_t *tl);
static int64_t ngx_media_timeline_clock_least(const ngx_media_timeline_t *tl);
static int64_t ngx_media_timeline_clock_most(const ngx_media_timeline_t *tl);
static void ngx_media_timeline_rate(ngx_media_timeline_t *tl, int64_t media,
    int64_t arrival, ngx_media_time_t *out);
static const ngx_media_line_t *ngx_media_timeline_newest(
    const ngx_media_timeline_t *tl);


void
ngx_media_timeline_init(ngx_media_timeline_t *tl,
    const ngx_media_timeline_conf_t *conf)
{
    ngx_memzero(tl, sizeof(ngx_media_timeline_t));

    tl->conf = *conf;

    if (tl->conf.timebase == 0) {
        tl->conf.timebase = 1000;
    }

    if (tl->conf.wrap < 16 || tl->conf.wrap > 40) {
        tl->conf.wrap = 32;
    }
}


void
ngx_media_timeline_announce(ngx_media_timeline_t *tl, ngx_media_type_e type)
{
    tl->announced |= 1 << type;
}


void
ngx_media_timeline_deny(ngx_media_timeline_t *tl, ngx_media_type_e type)
{
    tl->announced &= ~(1 << type);
}


void
ngx_media_timeline_refuse(ngx_media_line_t *line, ngx_uint_t refused)
{
    line->refused = refused;
}


ngx_media_line_t *
ngx_media_timeline_add(ngx_media_timeline_t *tl, ngx_media_type_e type,
    uint32_t timescale, uint32_t frame)
{
    ngx_uint_t         i;
    ngx_media_line_t  *line;

    for (i = 0; i < tl->nlines; i++) {
        if (!tl->lines[i].used) {
            break;
        }
    }

    if (i == NGX_MEDIA_TIMELINE_LINES || timescale == 0) {
        return NULL;
    }

    line = &tl->lines[i];
    tl->nlines = ngx_max(tl->nlines, i + 1);

    ngx_memzero(line, sizeof(ngx_media_line_t));

    line->used = 1;
    line->type = type;
    line->timescale = timescale;
    line->lag = NGX_MEDIA_AUDIO_LAG;
    line->lag_least = NGX_MEDIA_AUDIO_LAG;

    if (type == NGX_MEDIA_AUDIO) {

        /* one millisecond to one second, or it is a mistake */

        if (frame < timescale / 1000 + 1 || frame > timescale) {
            frame = 1024;
        }

        line->frame = frame;
    }

    ngx_media_cadence_init(&line->cadence,
                           (type == NGX_MEDIA_VIDEO) ? frame : 0);

    if (tl->open) {

        /* not much later than the others: from where they began */

        line->start = (tl->head - tl->cut <= NGX_MEDIA_GAP_MAX) ? tl->cut
                                                                : tl->head;
    }

    return line;
}


void
ngx_media_timeline_resume(ngx_media_line_t *line, int64_t end)
{
    line->next = end;
    line->dts = end;
    line->ever = 1;
}


void
ngx_media_timeline_remove(ngx_media_timeline_t *tl, ngx_media_line_t *line)
{
    int64_t  end;

    /* periods do not begin before its end either */

    if (line->ever) {
        end = -ngx_media_muldiv(-ngx_media_line_end(line), 1,
                                NGX_MEDIA_U_MSEC);
        tl->conf.floor = ngx_max(tl->conf.floor, end);
    }

    if (tl->clock == line) {
        tl->open = 0;
        tl->waiting = 0;
        tl->breaking = 0;
        tl->clock = NULL;
    }

    ngx_memzero(line, sizeof(ngx_media_line_t));
}


void
ngx_media_timeline_change(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    uint32_t timescale, uint32_t frame)
{
    if (line->type == NGX_MEDIA_VIDEO) {

        if (frame && frame != line->cadence.hint) {
            line->cadence.hint = frame;
            line->cadence.count = 0;
            line->cadence.head = 0;
            line->cadence.due = 0;
        }

        return;
    }

    if (timescale == 0) {
        return;
    }

    if (frame < timescale / 1000 + 1 || frame > timescale) {
        frame = 1024;
    }

    line->frame = frame;

    if (timescale == line->timescale) {
        return;
    }

    /* rounded up */

    line->dts = -ngx_media_muldiv(-line->dts, timescale, line->timescale);
    line->next = -ngx_media_muldiv(-line->next, timescale, line->timescale);
    line->timescale = timescale;
    line->error = 0;

    tl->breaking = tl->open;
}


void
ngx_media_timeline_frame(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, ngx_media_time_t *out)
{
    int64_t  media;

    ngx_memzero(out, sizeof(ngx_media_time_t));

    if (tl->breaking) {
        tl->breaking = 0;
        ngx_media_timeline_close(tl, 1, out);
    }

    if (ngx_media_timeline_unroll(tl, line, in, out)) {
        ngx_media_timeline_jump(tl, line, in, out);
    }

    if (!tl->open) {
        ngx_media_timeline_wait(tl, line, in, out);
        return;
    }

    if (!line->synced && !ngx_media_timeline_sync(tl, line, in, out)) {
        out->drop = 1;
        return;
    }

    media = line->u + line->rebase + tl->base;

    switch (line->type) {

    case NGX_MEDIA_VIDEO:
        ngx_media_timeline_video(tl, line, in, media, out);
        break;

    case NGX_MEDIA_AUDIO:
        ngx_media_timeline_audio(tl, line, in, media, out);
        break;

    default:
        ngx_media_timeline_text(line, media, out);
    }
}


/* returns whether the line's stamps jumped */

static ngx_uint_t
ngx_media_timeline_unroll(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, ngx_media_time_t *out)
{
    int64_t     d, full, raw, u, waited;
    uint32_t    nsec;
    ngx_uint_t  jump;

    full = (int64_t) 1 << tl->conf.wrap;
    raw = (int64_t) (in->stamp & (uint64_t) (full - 1));
    nsec = ngx_min(in->nsec, 999999999);

    d = (raw - line->stamp) & (full - 1);

    if (!line->seen) {
        line->stamp = raw;

    } else if (d < full / 2) {

        if (raw < (line->stamp & (full - 1))) {
            ngx_media_time_trace(out, "stamps wrap, from:%L by:%L", line->stamp,
                                 d, 0, 0);
        }

        line->stamp += d;

    } else {
        line->stamp += d - full;
    }

    u = ngx_media_muldiv(line->stamp, NGX_MEDIA_U, tl->conf.timebase)
        + (int64_t) nsec * 9 / 25000;

    jump = 0;

    if (line->seen) {
        waited = ngx_max(in->arrival - line->arrival, 0);

        if (line->arrival - in->arrival > NGX_MEDIA_ANCHOR_PERIOD) {
            /* the wall clock was set back */
            ngx_media_time_trace(out, "the clock went back by ms:%L",
                                 line->arrival - in->arrival, 0, 0, 0);
            tl->restart = 1;
            tl->high = 0;
        }

        d = u - line->u;
        jump = d < -NGX_MEDIA_JUMP_BACK
               || d > NGX_MEDIA_JUMP_AHEAD + waited * NGX_MEDIA_U_MSEC;
    }

    if (jump) {
        ngx_media_time_trace(out, "stamps jump by:%L waited ms:%L from:%L "
                             "to:%L", d,
                             ngx_max(in->arrival - line->arrival, 0),
                             line->u, u);

        /* so that nothing adds up over many jumps */
        line->stamp = raw;
        u = ngx_media_muldiv(raw, NGX_MEDIA_U, tl->conf.timebase)
            + (int64_t) nsec * 9 / 25000;
    }

    line->seen = 1;
    line->u = u;
    line->arrival = in->arrival;

    return jump;
}


static void
ngx_media_timeline_jump(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, ngx_media_time_t *out)
{
    ngx_uint_t  i;

    /* the others follow */

    if (in->arrival - tl->jumped > NGX_MEDIA_FOLLOW_MSEC
        || in->arrival < tl->jumped)
    {
        tl->jumped = in->arrival;
        out->jump = 1;
        out->note = "timestamps jumped";
    }

    line->jumped = 1;

    if (tl->open && line->type != NGX_MEDIA_VIDEO && line != tl->clock) {

        /* alone, or ahead of the others: that remains to be seen */

        line->synced = 0;
        line->pending = 0;
        return;
    }

    for (i = 0; i < tl->nlines; i++) {
        tl->lines[i].jumped = 1;
    }

    ngx_media_timeline_close(tl, 0, out);
}


/*
 * How far the line's stamp is from what the common clock had at last, or, by
 * arrival, should have by now; 0 in between: the network may have stalled, or
 * the publisher paused.
 */

static int64_t
ngx_media_timeline_off(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in)
{
    int64_t  d, turn, turns, waited;

    d = line->u + line->rebase + tl->base - tl->head;

    /* the lines may have wrapped at different times */

    turn = ngx_media_muldiv((int64_t) 1 << tl->conf.wrap, NGX_MEDIA_U,
                            tl->conf.timebase);
    turns = ngx_media_muldiv(d + turn / 2, 1, turn);

    line->u -= turns * turn;
    line->stamp -= turns * ((int64_t) 1 << tl->conf.wrap);

    d -= turns * turn;

    if (d <= 0) {
        return d;
    }

    waited = ngx_max(in->arrival - tl->head_arrival, 0) * NGX_MEDIA_U_MSEC;

    return ngx_max(d - waited, 0);
}


/* does the line fit the common clock? */

static ngx_uint_t
ngx_media_timeline_sync(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, ngx_media_time_t *out)
{
    int64_t  d, near, waited;

    d = ngx_media_timeline_off(tl, line, in);
    near = line->jumped ? NGX_MEDIA_FOLLOW_NEAR : NGX_MEDIA_BASE_FAR;

    if (ngx_abs(d) > near) {

        if (line->jumped) {

            if (line->pending == 0 || line->pending > in->arrival) {
                line->pending = in->arrival;
            }

            if (in->arrival - line->pending < NGX_MEDIA_FOLLOW_MSEC) {
                ngx_media_time_trace(out, "does not fit, off by:%L near:%L "
                                     "since ms:%L", d, near,
                                     in->arrival - line->pending, 0);
                return 0;
            }
        }

        if (ngx_abs(d) > NGX_MEDIA_BASE_FAR) {
            waited = ngx_max(in->arrival - tl->head_arrival, 0);
            line->rebase = tl->head + waited * NGX_MEDIA_U_MSEC - tl->base
                           - line->u;
            out->note = "timestamps rebased";
        }
    }

    ngx_media_time_trace(out, "joins, off by:%L near:%L rebase:%L", d, near,
                         line->rebase, 0);

    line->pending = 0;
    line->jumped = 0;
    line->synced = 1;

    return 1;
}


static int64_t
ngx_media_timeline_cts(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in)
{
    int64_t  cts;

    if (line->type != NGX_MEDIA_VIDEO) {
        return 0;
    }

    cts = ngx_media_muldiv(in->cts, NGX_MEDIA_U, tl->conf.timebase);

    return ngx_media_clamp(cts, -NGX_MEDIA_CTS_MAX, NGX_MEDIA_CTS_MAX);
}


static void
ngx_media_timeline_video(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, int64_t media, ngx_media_time_t *out)
{
    int64_t     cts;
    ngx_uint_t  clock;

    cts = ngx_media_timeline_cts(tl, line, in);
    clock = (tl->clock == line);

    if (!line->started) {

        if (!in->key) {
            ngx_media_time_trace(out, "no key frame yet", 0, 0, 0, 0);
            out->drop = 1;
            return;
        }

        if (line->reopen) {
            ngx_media_timeline_close(tl, 1, out);
            ngx_media_timeline_open(tl, line, in, out);
            return;
        }

        ngx_media_line_video_start(line, media, cts, 1, out);

        if (tl->clock->type != NGX_MEDIA_VIDEO) {
            tl->clock = line;
        }

        ngx_media_timeline_accept(tl, line, in, media, out);
        return;
    }

    if (clock && tl->restart && in->key) {
        out->note = "new period, clocks differ";
        ngx_media_timeline_close(tl, 0, out);
        ngx_media_timeline_open(tl, line, in, out);
        return;
    }

    if (ngx_media_line_video(tl, line, in, media, cts, out) == NGX_OK) {

        if (line->reopen) {
            line->reopen = 0;
            tl->clock = line;
        }

        ngx_media_timeline_accept(tl, line, in, media, out);
        return;
    }

    if (!in->key && line->reopen) {
        ngx_media_time_trace(out, "was silent, no key frame yet", 0, 0, 0, 0);
        line->started = 0;
        out->drop = 1;
        return;
    }

    if (!clock && !line->reopen && tl->clock->type == NGX_MEDIA_VIDEO) {

        /* of several pictures one was away: that is not the others' period */

        out->note = "video was silent, others went on";
        out->anew = 1;

        ngx_media_timeline_leave(line);
        ngx_media_timeline_video(tl, line, in, media, out);
        return;
    }

    out->note = "video was silent, new period";

    ngx_media_timeline_close(tl, 1, out);
    ngx_media_timeline_wait(tl, line, in, out);
}


static void
ngx_media_timeline_audio(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, int64_t media, ngx_media_time_t *out)
{
    int64_t            silence;
    ngx_int_t          rc;
    ngx_media_line_t  *clock;

    clock = tl->clock;

    if (clock == line) {
        if (tl->restart) {
            out->note = "new period, clocks differ";
            ngx_media_timeline_close(tl, 0, out);
            ngx_media_timeline_open(tl, line, in, out);
            return;
        }

        rc = NGX_OK;

    } else {
        /* nothing at all came for long */
        rc = (media - tl->head > NGX_MEDIA_JUMP_AHEAD) ? NGX_DECLINED
                                                       : NGX_OK;
    }

    if (rc == NGX_OK) {
        rc = ngx_media_line_audio(tl, line, in, media, out);
    }

    if (rc == NGX_DECLINED) {
        out->note = "audio was silent, new period";
        ngx_media_timeline_close(tl, 1, out);
        ngx_media_timeline_wait(tl, line, in, out);
        return;
    }

    if (out->drop) {
        return;
    }

    ngx_media_timeline_accept(tl, line, in, media, out);

    if (clock->type != NGX_MEDIA_VIDEO) {
        return;
    }

    silence = ngx_media_line_video_silence(clock);

    if (media - clock->media > silence
        && !clock->whole
        && in->arrival - clock->arrival > NGX_MEDIA_FOLLOW_MSEC)
    {
        ngx_media_time_trace(out, "decides the cuts, video is behind by:%L "
                             "limit:%L ms:%L", media - clock->media, silence,
                             in->arrival - clock->arrival, 0);
        clock->reopen = 1;
        tl->clock = line;
        out->note = "video stopped, audio goes on";
    }
}


static void
ngx_media_timeline_text(ngx_media_line_t *line, int64_t media,
    ngx_media_time_t *out)
{
    int64_t  dts;

    dts = ngx_media_muldiv(media, line->timescale, NGX_MEDIA_U);

    if (line->ever && dts < line->next) {
        dts = line->next;
    }

    line->dts = dts;
    line->next = dts + 1;
    line->started = 1;
    line->ever = 1;

    out->dts = dts;
    out->pts = dts;
}


static void
ngx_media_timeline_accept(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, int64_t media, ngx_media_time_t *out)
{
    line->media = media;

    if (media > tl->head) {
        tl->head = media;
        tl->head_arrival = in->arrival;
    }

    if (tl->clock == line) {
        ngx_media_timeline_observe(tl, media + line->reorder, in->arrival);
        ngx_media_timeline_rate(tl, media, in->arrival, out);
    }
}


/* keep: the stamps go on, only the period is over */

static void
ngx_media_timeline_close(ngx_media_timeline_t *tl, ngx_uint_t keep,
    ngx_media_time_t *out)
{
    if (tl->open) {
        ngx_media_time_trace(out, "the period ends, head:%L stamps go on:%L",
                             tl->head, keep, 0, 0);
        out->broken = 1;
    }

    if (!keep) {
        tl->keep = 0;
    }

    tl->open = 0;
    tl->waiting = 0;
    tl->clock = NULL;
}


/* no period is open: does this frame open one? */

static void
ngx_media_timeline_wait(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, ngx_media_time_t *out)
{
    switch (line->type) {

    case NGX_MEDIA_VIDEO:

        if (in->key || line->whole) {
            ngx_media_timeline_open(tl, line, in, out);
            return;
        }

        break;

    case NGX_MEDIA_AUDIO:

        if (!ngx_media_timeline_has(tl, NGX_MEDIA_VIDEO)) {
            ngx_media_timeline_open(tl, line, in, out);
            return;
        }

        if (!tl->waiting || line->u < tl->wait) {
            tl->waiting = 1;
            tl->wait = line->u;
        }

        if (line->u - tl->wait >= tl->conf.wait * NGX_MEDIA_U_MSEC) {
            ngx_media_timeline_open(tl, line, in, out);
            return;
        }

        break;

    default:
        break;
    }

    ngx_media_time_trace(out, "waits for a picture, since:%L limit:%L",
                         tl->waiting ? line->u - tl->wait : 0,
                         tl->conf.wait * NGX_MEDIA_U_MSEC, 0, 0);

    out->drop = 1;
}


static ngx_uint_t
ngx_media_timeline_has(ngx_media_timeline_t *tl, ngx_media_type_e type)
{
    ngx_uint_t  i;

    if (tl->announced & (1 << type)) {
        return 1;
    }

    for (i = 0; i < tl->nlines; i++) {
        if (tl->lines[i].used && tl->lines[i].type == type
            && !tl->lines[i].refused)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_media_timeline_open(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, ngx_media_time_t *out)
{
    int64_t            cts, lead, media, start;
    ngx_uint_t         i;
    ngx_media_line_t  *other;

    if (tl->keep
        && ngx_abs(ngx_media_timeline_off(tl, line, in)) > NGX_MEDIA_BASE_FAR)
    {
        /* another base, or a clock that stood still */
        tl->keep = 0;
    }

    cts = ngx_media_timeline_cts(tl, line, in);
    lead = (line->type == NGX_MEDIA_VIDEO && !in->key) ? line->reorder : cts;

    start = ngx_media_timeline_base(tl, line, in, line->u + lead);
    media = start - lead;

    ngx_media_time_trace(out, "opens a period, start:%L base:%L anchor:%L "
                         "stamps went on:%L", start, tl->base, tl->anchor,
                         tl->keep);

    for (i = 0; i < tl->nlines; i++) {
        other = &tl->lines[i];

        other->synced = 0;
        other->started = 0;
        other->reopen = 0;
        other->pending = 0;
        other->start = start;
    }

    line->synced = 1;
    line->jumped = 0;

    tl->cut = start;
    tl->head = media;
    tl->head_arrival = in->arrival;
    tl->clock = line;
    tl->open = 1;
    tl->opened = 1;
    tl->keep = 1;
    tl->restart = 0;

    out->period = 1;

    if (line->type == NGX_MEDIA_VIDEO) {
        ngx_media_line_video_start(line, media, cts, in->key, out);

    } else {
        (void) ngx_media_line_audio(tl, line, in, media, out);
    }

    ngx_media_timeline_accept(tl, line, in, media, out);
}


/* sets the base and the anchor; returns the media time of the first pts */

static int64_t
ngx_media_timeline_base(ngx_media_timeline_t *tl, ngx_media_line_t *line,
    const ngx_media_stamp_t *in, int64_t pts)
{
    int64_t  start, wall;

    pts += line->rebase;

    if (tl->keep && !tl->restart) {
        start = pts + tl->base;
        wall = start + tl->anchor * NGX_MEDIA_U_MSEC;

        if (line->ever) {
            start = ngx_max(start, ngx_media_line_end(line));
        }

    } else {
        wall = in->arrival * NGX_MEDIA_U_MSEC;

        if (tl->restart && tl->high >= NGX_MEDIA_ANCHOR_BUCKETS) {
            wall = pts + tl->base
                   + ngx_media_timeline_clock_least(tl) * NGX_MEDIA_U_MSEC;
        }

        wall = ngx_media_timeline_wall(tl, wall);
        start = ngx_max(wall, ngx_media_timeline_end(tl));
    }

    if (!tl->keep || tl->restart || start != pts + tl->base) {

        tl->base = start - pts;
        tl->anchor = ngx_media_muldiv(wall - start, 1, NGX_MEDIA_U_MSEC);

        tl->bucket = 0;
        tl->nbuckets = 0;
        tl->high = 0;
        tl->low = 0;
        tl->rate = 0;
    }

    return start;
}


/* of all that was put out, also before this publisher, in u */

static int64_t
ngx_media_timeline_end(const ngx_media_timeline_t *tl)
{
    int64_t     end;
    ngx_uint_t  i;

    end = tl->conf.floor * NGX_MEDIA_U_MSEC;

    for (i = 0; i < tl->nlines; i++) {
        if (tl->lines[i].ever) {
            end = ngx_max(end, ngx_media_line_end(&tl->lines[i]));
        }
    }

    return end;
}


/*
 * A period does not start earlier than the last one ended: that one may have
 * begun with frames which were late.  Where the clock was set back, or frames
 * came much faster than they are shown, there is no other way.
 */

static int64_t
ngx_media_timeline_wall(const ngx_media_timeline_t *tl, int64_t wall)
{
    int64_t  last;

    last = tl->conf.wall * NGX_MEDIA_U_MSEC;

    if (tl->opened) {
        last = ngx_media_timeline_end(tl) + tl->anchor * NGX_MEDIA_U_MSEC;
    }

    return (wall < last && last - wall < NGX_MEDIA_ANCHOR_PERIOD
                                         * NGX_MEDIA_U_MSEC) ? last : wall;
}


/* in u, rounded up */

static int64_t
ngx_media_line_end(const ngx_media_line_t *line)
{
    return -ngx_media_muldiv(-line->next, NGX_MEDIA_U, line->timescale);
}


/*
 * The least of (arrival - media) over some time is the wall clock: jitter
 * only adds to it.
 */

static void
ngx_media_timeline_observe(ngx_media_timeline_t *tl, int64_t media,
    int64_t arrival)
{
    int64_t  wall;

    wall = arrival - ngx_media_muldiv(media, 1, NGX_MEDIA_U_MSEC);

    if (tl->bucket != 0 && media < tl->bucket) {
        tl->least = ngx_min(tl->least, wall);
        return;
    }

    if (tl->bucket != 0) {
        ngx_media_timeline_bucket(tl);
    }

    tl->bucket = media + NGX_MEDIA_ANCHOR_BUCKET;
    tl->least = wall;
}


static void
ngx_media_timeline_bucket(ngx_media_timeline_t *tl)
{
    int64_t  off;

    tl->leasts[tl->nbuckets++ % NGX_MEDIA_ANCHOR_BUCKETS] = tl->least;

    off = tl->least - tl->anchor;

    tl->high = (off > NGX_MEDIA_ANCHOR_OFF) ? tl->high + 1 : 0;
    tl->low = (off < -NGX_MEDIA_ANCHOR_OFF) ? tl->low + 1 : 0;

    if (tl->high >= NGX_MEDIA_ANCHOR_BUCKETS
        && ngx_media_timeline_clock_least(tl) - tl->anchor
           > NGX_MEDIA_ANCHOR_PERIOD)
    {
        tl->restart = 1;
    }
}


/* over the last 60 s, which have been observed */

static int64_t
ngx_media_timeline_clock_least(const ngx_media_timeline_t *tl)
{
    int64_t     least;
    ngx_uint_t  i;

    least = tl->leasts[0];

    for (i = 1; i < NGX_MEDIA_ANCHOR_BUCKETS; i++) {
        least = ngx_min(least, tl->leasts[i]);
    }

    return least;
}


static int64_t
ngx_media_timeline_clock_most(const ngx_media_timeline_t *tl)
{
    int64_t     most;
    ngx_uint_t  i;

    most = tl->leasts[0];

    for (i = 1; i < NGX_MEDIA_ANCHOR_BUCKETS; i++) {
        most = ngx_max(most, tl->leasts[i]);
    }

    return most;
}


static void
ngx_media_timeline_rate(ngx_media_timeline_t *tl, int64_t media,
    int64_t arrival, ngx_media_time_t *out)
{
    int64_t  elapsed, off;
    int32_t  sign;

    if (!tl->rate) {
        tl->rate = 1;
        tl->rate_sign = 0;
        tl->rate_media = media;
        tl->rate_arrival = arrival;
        return;
    }

    elapsed = arrival - tl->rate_arrival;

    if (elapsed >= 0 && elapsed < NGX_MEDIA_RATE_MSEC) {
        return;
    }

    off = (media - tl->rate_media) / NGX_MEDIA_U_MSEC - elapsed;

    sign = 0;

    if (elapsed > 0 && ngx_abs(off) * 100 > elapsed) {
        sign = (off > 0) ? 1 : -1;
    }

    if (sign == 0) {
        tl->rate_said = 0;

    } else if (sign == tl->rate_sign && !tl->rate_said) {
        tl->rate_said = 1;
        out->note = "timestamps run at a wrong rate";
    }

    tl->rate_sign = sign;
    tl->rate_media = media;
    tl->rate_arrival = arrival;
}


int64_t
ngx_media_timeline_when(const ngx_media_timeline_t *tl, uint64_t stamp,
    int64_t arrival, int64_t far)
{
    int64_t                  ahead, d, full, media, waited;
    const ngx_media_line_t  *line;

    line = tl->open ? tl->clock : ngx_media_timeline_newest(tl);

    if (line == NULL || !tl->keep) {
        return (arrival - tl->anchor) * NGX_MEDIA_U_MSEC;
    }

    full = (int64_t) 1 << tl->conf.wrap;
    d = ((int64_t) (stamp & (uint64_t) (full - 1)) - line->stamp)
        & (full - 1);

    if (d >= full / 2) {
        d -= full;
    }

    media = line->u + ngx_media_muldiv(d, NGX_MEDIA_U, tl->conf.timebase)
            + tl->base + line->rebase;

    waited = ngx_max(arrival - tl->head_arrival, 0) * NGX_MEDIA_U_MSEC;
    ahead = media - tl->head - waited;

    return ngx_abs(ahead) > far ? tl->head + waited : media;
}


/* whose stamps came last */

static const ngx_media_line_t *
ngx_media_timeline_newest(const ngx_media_timeline_t *tl)
{
    ngx_uint_t               i;
    const ngx_media_line_t  *line, *newest;

    newest = NULL;

    for (i = 0; i < tl->nlines; i++) {
        line = &tl->lines[i];

        if (line->used && line->seen
            && (newest == NULL || line->arrival > newest->arrival))
        {
            newest = line;
        }
    }

    return newest;
}


void
ngx_media_timeline_fix(ngx_media_line_t *line, uint32_t duration)
{
    line->next = line->dts + duration;
    line->fixed = 1;
}


ngx_uint_t
ngx_media_timeline_anchor(ngx_media_timeline_t *tl, int64_t *anchor)
{
    ngx_uint_t  moved;

    moved = 0;

    if (tl->high >= NGX_MEDIA_ANCHOR_BUCKETS && !tl->restart) {
        tl->anchor = ngx_media_timeline_clock_least(tl);
        moved = 1;

    } else if (tl->low >= NGX_MEDIA_ANCHOR_BUCKETS) {

        /* little enough that the wall clock of segments never goes back */

        tl->anchor = ngx_max(ngx_media_timeline_clock_most(tl),
                             tl->anchor - NGX_MEDIA_ANCHOR_BACK);
        moved = 1;
    }

    if (moved) {
        tl->high = 0;
        tl->low = 0;
    }

    *anchor = tl->anchor;

    return moved;
}


int64_t
ngx_media_timeline_drift(const ngx_media_timeline_t *tl)
{
    return tl->nbuckets ? tl->leasts[(tl->nbuckets - 1)
                                     % NGX_MEDIA_ANCHOR_BUCKETS]
                          - tl->anchor
                        : 0;
}


ngx_media_line_t *
ngx_media_timeline_clock(ngx_media_timeline_t *tl)
{
    return tl->open ? tl->clock : NULL;
}


int64_t
ngx_media_timeline_patience(const ngx_media_timeline_t *tl)
{
    if (!tl->open || tl->clock->type != NGX_MEDIA_VIDEO) {
        return 0;
    }

    return ngx_media_line_video_silence(tl->clock) / NGX_MEDIA_U_MSEC;
}


int64_t
ngx_media_timeline_next(const ngx_media_line_t *line)
{
    return line->next;
}


void
ngx_media_timeline_break(ngx_media_timeline_t *tl)
{
    tl->breaking = tl->open;
}


void
ngx_media_timeline_restart(ngx_media_timeline_t *tl)
{
    ngx_uint_t  i;

    tl->breaking = tl->open;
    tl->keep = 0;

    for (i = 0; i < tl->nlines; i++) {
        tl->lines[i].jumped = 1;
    }
}


void
ngx_media_timeline_leave(ngx_media_line_t *line)
{
    line->started = 0;
}
