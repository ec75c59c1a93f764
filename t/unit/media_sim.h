
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A publisher and a writer, simulated, for the tests of the timeline: the
 * publisher makes frames at true times and stamps them badly, the writer does
 * with the timeline what the real one does and holds every output against
 * what must be true of it.
 */


#ifndef _MEDIA_SIM_H_INCLUDED_
#define _MEDIA_SIM_H_INCLUDED_


#include "time/ngx_media_segmenter.h"
#include "time/ngx_media_timeline.h"


#define SIM_WALL    1795000000000LL      /* ms */
#define SIM_TARGET  2134                 /* PART-TARGET of 200 ms */


typedef struct {
    /* publisher: video */
    int64_t               num;           /* frames in den seconds; 0: none */
    int64_t               den;
    int64_t               gop;           /* frames, in decode order */
    int64_t               bframes;
    unsigned              pyramid:1;
    unsigned              open:1;        /* open GOP */
    unsigned              hint:1;        /* D is announced */

    /* publisher: audio */
    int64_t               rate;          /* 0: none */
    int64_t               samples;

    /* stamps */
    int64_t               timebase;      /* 1000 or 90000 */
    uint32_t              wrap;
    int64_t               first;         /* the stamp at true time 0 */
    int64_t               audio_first;   /* more for audio */
    unsigned              round:1;       /* else floor */
    int64_t               ppm;           /* the publisher's clock is fast */
    int64_t               jitter;        /* of video stamps, us, +- */
    int64_t               delay;         /* of arrivals, ms, 0 .. */

    int64_t               late;          /* audio is so late in the order
                                            of frames, ms */

    int64_t               seconds;

    /* what becomes of the frame number n; may change stamp, arrival (ms) */
    int                 (*lose)(void *sim, int video, int64_t n,
                            int64_t *stamp, int64_t *arrival);
    int64_t               a, b, c;       /* its parameters */
} sim_conf_t;


typedef struct {
    ngx_media_line_t     *line;
    int64_t               n;             /* next frame of the publisher */
    int64_t               dts;           /* of the last frame put out */
    int64_t               pts;
    int64_t               part;          /* duration of the open part up to
                                            its last frame */
    int64_t               expect;        /* of the last frame */
    int64_t               frames;        /* put out */
    int64_t               silent;
    int64_t               dropped;
    int64_t               shortest;      /* durations */
    int64_t               longest;
    int64_t               parts;
    int64_t               small;         /* parts below 85 % */
    int64_t               early;         /* closed with the last frame */
    int64_t               offset_min;    /* pts less true time, ns */
    int64_t               offset_max;
    int64_t               offset;        /* the last */
    int64_t               cto_min;
    int64_t               cto_max;
    int64_t               key_cto;       /* key frames with cto != 0 */
    int64_t               worst;         /* pts against the stamp, u */
    int64_t               recent[32];    /* pts */
    int64_t               nrecent;
    unsigned              any:1;         /* dts is valid */
    unsigned              settled:1;
    unsigned              mixed:1;       /* a part with a key frame */
} sim_line_t;


typedef struct {
    sim_conf_t            conf;
    ngx_media_timeline_t  tl;
    sim_line_t            video;
    sim_line_t            audio;
    uint64_t              seed;
    int64_t               periods;
    int64_t               broken;
    int64_t               notes;
    const char           *note;
    int64_t               av_min;        /* audio against video, ns */
    int64_t               av_max;
    int64_t               anchors;       /* moves of the anchor */
    int64_t               wall_min;      /* arrival less wall, ms */
    int64_t               wall_max;
    int64_t               warm;          /* true time, ns, from which offsets
                                            count */
    int64_t               bad;           /* violations */
    const char           *what;          /* the first */
    int64_t               when;          /* its true time, ns */
    int64_t               now;
} sim_t;


static inline uint64_t
sim_random(sim_t *sim)
{
    sim->seed ^= sim->seed << 13;
    sim->seed ^= sim->seed >> 7;
    sim->seed ^= sim->seed << 17;

    return sim->seed >> 11;
}


static inline void
sim_bad(sim_t *sim, const char *what)
{
    if (sim->bad++ == 0) {
        sim->what = what;
        sim->when = sim->now;
    }
}


#define sim_check(sim, expr)                                                  \
    do {                                                                      \
        if (!(expr)) {                                                        \
            sim_bad(sim, #expr);                                              \
        }                                                                     \
    } while (0)


static inline void
sim_init(sim_t *sim, const sim_conf_t *conf)
{
    ngx_media_timeline_conf_t  tc;

    memset(sim, 0, sizeof(sim_t));

    sim->conf = *conf;
    sim->seed = 88172645463325252ULL;
    sim->warm = 10000000000LL;

    if (sim->conf.timebase == 0) {
        sim->conf.timebase = 1000;
    }

    if (sim->conf.wrap == 0) {
        sim->conf.wrap = 32;
    }

    if (sim->conf.gop == 0) {
        sim->conf.gop = 48;
    }

    memset(&tc, 0, sizeof(ngx_media_timeline_conf_t));
    tc.timebase = (uint32_t) sim->conf.timebase;
    tc.wrap = sim->conf.wrap;
    tc.wait = 1000;

    ngx_media_timeline_init(&sim->tl, &tc);

    sim->video.offset_min = INT64_MAX;
    sim->video.offset_max = INT64_MIN;
    sim->video.shortest = INT64_MAX;
    sim->audio = sim->video;
    sim->av_min = INT64_MAX;
    sim->av_max = INT64_MIN;
    sim->wall_min = INT64_MAX;
    sim->wall_max = INT64_MIN;

    if (conf->num) {
        sim->video.line = ngx_media_timeline_add(&sim->tl, NGX_MEDIA_VIDEO,
                              NGX_MEDIA_VIDEO_TIMESCALE,
                              conf->hint ? 360000 * conf->den / conf->num
                                         : 0);
    }

    if (conf->rate) {
        sim->audio.line = ngx_media_timeline_add(&sim->tl, NGX_MEDIA_AUDIO,
                              (uint32_t) conf->rate,
                              (uint32_t) conf->samples);
    }
}


/* the part's last frame has its duration now */

static inline void
sim_settle(sim_t *sim, sim_line_t *l, int64_t duration)
{
    int64_t  d;

    if (!l->any || l->settled) {
        return;
    }

    l->settled = 1;

    if (l->line->type == NGX_MEDIA_VIDEO) {
        sim_check(sim, duration >= 360);

        if (sim->conf.num) {
            d = 360000 * sim->conf.den / sim->conf.num;
            sim_check(sim, duration <= 2 * d + 360 || !sim->conf.seconds);
        }

    } else {
        sim_check(sim, duration >= l->line->frame - l->line->timescale / 4000
                  - 1);
        sim_check(sim, duration <= l->line->frame + l->line->timescale / 4000
                  + 1);
    }

    if (sim->now >= sim->warm) {
        l->shortest = ngx_min(l->shortest, duration);
        l->longest = ngx_max(l->longest, duration);
    }

    sim_check(sim, l->part == 0
              || ngx_media_part_fits(SIM_TARGET, l->line->timescale, l->part,
                                     duration));

    l->part += duration;
}


static inline void
sim_close(sim_t *sim, sim_line_t *l, ngx_uint_t cut)
{
    l->parts++;

    if (!cut && !l->mixed
        && l->part * 10000 * 100
           < (int64_t) 85 * SIM_TARGET * l->line->timescale)
    {
        l->small++;
    }

    l->part = 0;
    l->mixed = 0;
}


static inline void
sim_append(sim_t *sim, sim_line_t *l, int64_t dts, int64_t duration,
    ngx_uint_t key, ngx_uint_t locked)
{
    if (l->part
        && !ngx_media_part_fits(SIM_TARGET, l->line->timescale, l->part,
                                duration))
    {
        sim_close(sim, l, 0);
    }

    l->dts = dts;
    l->expect = duration;
    l->any = 1;
    l->settled = 0;
    l->mixed |= key;

    if (locked
        && !ngx_media_part_fits(SIM_TARGET, l->line->timescale, l->part,
                                2 * duration))
    {
        ngx_media_timeline_fix(l->line, (uint32_t) duration);
        sim_settle(sim, l, duration);
        sim_close(sim, l, 0);
        l->early++;
    }
}


static inline void
sim_silent(sim_t *sim, sim_line_t *l, int64_t dts, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (n == 0) {
        return;
    }

    sim_check(sim, !l->any || dts >= l->dts);

    if (l->any) {
        sim_settle(sim, l, dts - l->dts);
    }

    for (i = 0; i < n; i++) {
        sim_append(sim, l, dts, l->line->frame, 0, 0);
        dts += l->line->frame;
        sim_settle(sim, l, l->line->frame);
    }

    l->silent += n;
    l->frames += n;
}


static inline void
sim_end(sim_t *sim, sim_line_t *l)
{
    if (l->any && !l->settled) {
        l->settled = 1;
        l->part += l->expect;
    }

    if (l->part) {
        sim_close(sim, l, 1);
    }

    l->any = 0;
    l->nrecent = 0;
}


static inline void
sim_output(sim_t *sim, sim_line_t *l, const ngx_media_stamp_t *in,
    const ngx_media_time_t *out, int64_t truth)
{
    int64_t            dts, i, offset;
    ngx_media_line_t  *line;

    line = l->line;
    dts = out->dts - (int64_t) out->silent * line->frame;

    if (out->silent) {
        sim_silent(sim, l, dts, out->silent);
    }

    if (l->any) {
        sim_check(sim, out->dts > l->dts);
        sim_settle(sim, l, out->dts - l->dts);
    }

    sim_check(sim, out->duration > 0);
    sim_check(sim, ngx_abs(out->pts - out->dts) < 0x7fffffff);

    for (i = 0; i < ngx_min(l->nrecent, 32); i++) {
        sim_check(sim, l->recent[i] != out->pts);
    }

    l->recent[l->nrecent++ % 32] = out->pts;
    l->pts = out->pts;

    if (line->type == NGX_MEDIA_VIDEO) {
        offset = line->u + line->rebase + sim->tl.base
                 + (int64_t) in->cts * 360000 / sim->conf.timebase;
        l->worst = ngx_max(l->worst, ngx_abs(out->pts - offset));

        if (sim->now >= sim->warm) {
            l->cto_min = ngx_min(l->cto_min, out->pts - out->dts);
            l->cto_max = ngx_max(l->cto_max, out->pts - out->dts);
        }

        if (in->key && out->pts != out->dts) {
            l->key_cto++;
        }
    }

    if (sim->now >= sim->warm) {
        offset = out->pts - SIM_WALL * (int64_t) line->timescale / 1000;
        offset = (int64_t) ((__int128) offset * 1000000000
                            / line->timescale)
                 - (truth + truth / 1000000 * sim->conf.ppm);
        l->offset_min = ngx_min(l->offset_min, offset);
        l->offset_max = ngx_max(l->offset_max, offset);
        l->offset = offset;

        if (sim->video.offset_max != INT64_MIN
            && sim->audio.offset_max != INT64_MIN)
        {
            offset = sim->video.offset - sim->audio.offset;
            sim->av_min = ngx_min(sim->av_min, offset);
            sim->av_max = ngx_max(sim->av_max, offset);
        }
    }

    sim_append(sim, l, out->dts, out->duration, in->key, out->locked);

    l->frames++;
}


static inline void
sim_frame(sim_t *sim, sim_line_t *l, ngx_media_stamp_t *in, int64_t truth,
    ngx_media_time_t *out)
{
    int64_t     anchor, dts, room;
    ngx_uint_t  n;

    in->limit = 0;

    if (l->any && !l->settled) {
        room = (int64_t) SIM_TARGET * l->line->timescale / 10000 - l->part;

        if (l->part || l->expect <= room) {
            in->limit = (uint32_t) room;
        }
    }

    ngx_media_timeline_frame(&sim->tl, l->line, in, out);

    if (out->note) {
        sim->notes++;
        sim->note = out->note;
    }

    if (out->broken) {
        sim->broken++;
        sim_end(sim, &sim->video);
        sim_end(sim, &sim->audio);
    }

    if (out->drop) {
        sim_check(sim, !out->period);
        l->dropped++;
        return;
    }

    if (out->period) {
        sim->periods++;
        sim_check(sim, !sim->video.any || l != &sim->video);
        sim_end(sim, &sim->video);
        sim_end(sim, &sim->audio);
    }

    sim_output(sim, l, in, out, truth);

    if (ngx_media_timeline_clock(&sim->tl) == l->line && in->key) {
        sim->anchors += ngx_media_timeline_anchor(&sim->tl, &anchor);

        dts = in->arrival - anchor
              - (int64_t) ((__int128) out->pts * 1000 / l->line->timescale);
        sim->wall_min = ngx_min(sim->wall_min, dts);
        sim->wall_max = ngx_max(sim->wall_max, dts);
    }

    if (l == &sim->video && sim->audio.line) {
        n = ngx_media_timeline_silence(&sim->tl, sim->audio.line, &dts);
        sim_silent(sim, &sim->audio, dts, n);
    }
}


/* true time of a frame, ns */

static inline int64_t
sim_truth(const sim_t *sim, int video, int64_t n)
{
    __int128  t;

    t = (__int128) n * 1000000000;

    if (video) {
        return (int64_t) (t * sim->conf.den / sim->conf.num);
    }

    return (int64_t) (t * sim->conf.samples / sim->conf.rate);
}


static inline int64_t
sim_stamp(const sim_t *sim, int64_t ns)
{
    __int128  t;

    t = (__int128) ns * (1000000 + sim->conf.ppm) * sim->conf.timebase;

    if (sim->conf.round) {
        t += (__int128) 500000000 * 1000000;
    }

    return (int64_t) (t / ((__int128) 1000000000 * 1000000));
}


/* of the frame that is number n in decode order: when it is shown */

static inline int64_t
sim_shown(const sim_t *sim, int64_t n, unsigned *key)
{
    int64_t  b, gop, group, i, m, start;

    static const int64_t  pyramid[] = { 4, 2, 1, 3 };

    b = sim->conf.bframes;
    gop = sim->conf.gop;

    if (b == 0) {
        *key = (n % gop == 0);
        return n;
    }

    if (sim->conf.pyramid) {
        b = 3;
    }

    /* whole groups of P and its B frames follow each key frame */
    gop = (gop / (b + 1)) * (b + 1);

    if (!sim->conf.open) {
        gop++;
        start = n - n % gop;
        n -= start;

        if (n == 0) {
            *key = 1;
            return start + sim->conf.a;
        }

        *key = 0;
        m = n - 1;
        group = m / (b + 1);
        i = m % (b + 1);

    } else {

        if (n == 0) {
            *key = 1;
            return sim->conf.a;
        }

        start = 0;
        m = n - 1;
        *key = (m % gop == gop - b - 1);
        group = m / (b + 1);
        i = m % (b + 1);
    }

    if (sim->conf.pyramid) {
        i = pyramid[i];

    } else {
        i = (i == 0) ? b + 1 : i;
    }

    return start + group * (b + 1) + i + sim->conf.a;
}


static inline void
sim_next(sim_t *sim, int video, ngx_media_time_t *out)
{
    int64_t             arrival, mask, n, pts, shown, stamp, truth;
    unsigned            key;
    sim_line_t         *l;
    ngx_media_stamp_t   in;

    l = video ? &sim->video : &sim->audio;
    n = l->n++;

    memset(&in, 0, sizeof(ngx_media_stamp_t));

    truth = sim_truth(sim, video, n);
    sim->now = truth;
    stamp = sim_stamp(sim, truth);
    arrival = SIM_WALL + truth / 1000000;
    pts = stamp;

    if (video) {

        if (sim->conf.jitter) {
            stamp = sim_stamp(sim, truth + 1000000000
                        + ((int64_t) (sim_random(sim)
                                % (2 * sim->conf.jitter + 1))
                           - sim->conf.jitter) * 1000);
            stamp -= sim->conf.timebase;
        }

        shown = sim_shown(sim, n, &key);
        in.key = key;
        pts = stamp;

        if (shown != n) {
            truth = sim_truth(sim, video, shown);
            pts = sim_stamp(sim, truth);
        }
    }

    if (!video) {
        in.key = (n % 64 == 0);
        sim->now += sim->conf.late * 1000000;
        arrival += sim->conf.late;
    }

    in.cts = (int32_t) (pts - stamp);

    if (sim->conf.delay) {
        arrival += sim_random(sim) % (sim->conf.delay + 1);
    }

    if (sim->conf.lose
        && sim->conf.lose(sim, video, n, &stamp, &arrival))
    {
        out->drop = 1;
        return;
    }

    mask = ((int64_t) 1 << sim->conf.wrap) - 1;
    stamp += sim->conf.first + (video ? 0 : sim->conf.audio_first);

    in.stamp = (uint64_t) (stamp & mask);
    in.arrival = arrival;

    sim_frame(sim, l, &in, truth, out);
}


static inline void
sim_run(sim_t *sim, int64_t seconds)
{
    int64_t           a, end, v;
    ngx_media_time_t  out;

    end = seconds * 1000000000;

    for ( ;; ) {
        v = sim->video.line ? sim_truth(sim, 1, sim->video.n) : INT64_MAX;
        a = sim->audio.line ? sim_truth(sim, 0, sim->audio.n) : INT64_MAX;

        if (sim->audio.line) {
            a += sim->conf.late * 1000000;
        }

        if (ngx_min(v, a) >= end) {
            break;
        }

        memset(&out, 0, sizeof(ngx_media_time_t));
        sim_next(sim, v <= a, &out);
    }
}


/* how far audio and video move against one another, in us */

static inline int64_t
sim_spread(const sim_t *sim)
{
    if (sim->av_max == INT64_MIN) {
        return 0;
    }

    return (sim->av_max - sim->av_min) / 1000;
}


#endif /* _MEDIA_SIM_H_INCLUDED_ */
