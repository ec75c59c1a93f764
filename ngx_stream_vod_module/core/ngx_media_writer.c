
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The clock track decides the cuts; each cut has a number, and every track
 * goes over to it before its first frame that is not earlier than the cut.
 * Tracks may lag: the last cuts are kept in a ring.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_derive_state.h"
#include "core/ngx_media_writer_still.h"
#include "time/ngx_media_timeline_still.h"


/* without "part", segments still consist of chunks, of this target */
#define NGX_MEDIA_CHUNK_TARGET   10000        /* 1/10000 s */


#if (NGX_DEBUG)
static void ngx_media_writer_narrate(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time);
#endif
static void ngx_media_writer_leave(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static uint32_t ngx_media_writer_lasts(const ngx_media_writer_track_t *t,
    const ngx_media_writer_frame_t *frame);
static ngx_int_t ngx_media_writer_timed(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);
static void ngx_media_writer_period(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time);
static void ngx_media_writer_cut_first(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time);
static void ngx_media_writer_clock(ngx_media_writer_t *w);
static void ngx_media_writer_cut_joins(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static void ngx_media_writer_cut_forced(ngx_media_writer_t *w, int64_t time);
static void ngx_media_writer_runs(ngx_media_writer_t *w);
static void ngx_media_writer_silence(ngx_media_writer_t *w);
static void ngx_media_writer_silent(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t dts, ngx_uint_t n);

static ngx_int_t ngx_media_writer_sample(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame, ngx_uint_t period);
static void ngx_media_writer_clock_sample(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);
static ngx_uint_t ngx_media_writer_due(ngx_media_writer_t *w, int64_t at,
    int64_t duration, ngx_uint_t key);
static ngx_uint_t ngx_media_writer_gone(ngx_media_writer_t *w,
    ngx_media_writer_track_t *clock, int64_t time);
static ngx_uint_t ngx_media_writer_amid(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time);
static ngx_uint_t ngx_media_writer_waits(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    ngx_uint_t key);
static void ngx_media_writer_substitute(ngx_media_writer_track_t *t,
    ngx_media_writer_frame_t *frame, ngx_media_silence_t *silence);


int64_t
ngx_media_writer_start(const ngx_media_writer_t *w,
    const ngx_media_writer_track_t *t)
{
    return ngx_media_rescale(w->cut.time, w->cut.timescale,
                             t->params.timescale);
}


uint64_t
ngx_media_writer_cut_of(const ngx_media_writer_t *w,
    const ngx_media_writer_track_t *t, const ngx_media_time_t *time)
{
    uint64_t  number, oldest;

    if (t == w->clock) {
        return w->cut.number;
    }

    oldest = w->cut.number + 1 - w->ncuts;

    for (number = w->cut.number; number > oldest; number--) {
        if (ngx_media_cut_reached(&w->cuts[number % NGX_MEDIA_CUTS],
                                  time->pts, t->params.timescale))
        {
            break;
        }
    }

    return number;
}


ngx_media_writer_t *
ngx_media_writer_create(ngx_media_app_t *app, const ngx_media_claim_t *claim,
    uint32_t timebase, uint32_t wrap, ngx_log_t *log)
{
    ngx_media_writer_t         *w;
    ngx_media_timeline_conf_t   conf;

    w = ngx_calloc(sizeof(ngx_media_writer_t), log);
    if (w == NULL) {
        return NULL;
    }

    w->app = app;
    w->claim = *claim;
    w->log = log;

    w->target = claim->stream.sh->part_target;

    if (w->target == 0) {
        w->target = NGX_MEDIA_CHUNK_TARGET;
    }

    w->arrived = ngx_current_msec;

    conf.timebase = timebase;
    conf.wrap = wrap;
    conf.floor = claim->floor;
    conf.wall = claim->wall;
    conf.wait = app->track_wait;

    ngx_media_timeline_init(&w->timeline, &conf);

    ngx_queue_init(&w->derived);

    ngx_queue_insert_tail(&claim->stream.zone->app->publishers, &w->queue);

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, log, 0,
                   "media writer of \"%V/%*s\", epoch:%uL number:%uL floor:%L "
                   "wall:%L returned:%d",
                   &app->name, (size_t) claim->stream.sh->name_len,
                   claim->stream.sh->name, claim->epoch,
                   ngx_media_stream_number(claim), claim->floor, claim->wall,
                   claim->returned);

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, log, 0,
                   "media writer has segment:%M max:%M part:%uD target:%uD "
                   "grace:%M wait:%M timebase:%uD wrap:%uD",
                   (ngx_msec_t) claim->stream.sh->segment,
                   (ngx_msec_t) claim->stream.sh->segment_max, w->target,
                   claim->stream.sh->target,
                   (ngx_msec_t) claim->stream.sh->grace, app->track_wait,
                   timebase, wrap);

    return w;
}


const ngx_media_claim_t *
ngx_media_writer_claim(const ngx_media_writer_t *w)
{
    return &w->claim;
}


uint64_t
ngx_media_writer_taken(const ngx_media_writer_t *w)
{
    uint64_t    n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < w->ntracks; i++) {
        n += w->tracks[i]->packer.count.frames
             - w->tracks[i]->packer.count.silent;
    }

    return n;
}


void
ngx_media_writer_announce(ngx_media_writer_t *w,
    const ngx_media_announce_t *announce)
{
    w->announce = *announce;
    w->announced = announce->video || announce->audio;

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media writer is announced video:%d audio:%d rate:%uD",
                   announce->video, announce->audio, announce->frame_rate);

    if (announce->video && !(w->useless & 1 << NGX_MEDIA_VIDEO)) {
        ngx_media_timeline_announce(&w->timeline, NGX_MEDIA_VIDEO);
    }

    if (announce->audio && !(w->useless & 1 << NGX_MEDIA_AUDIO)) {
        ngx_media_timeline_announce(&w->timeline, NGX_MEDIA_AUDIO);
    }
}


const ngx_media_announce_t *
ngx_media_writer_announced(const ngx_media_writer_t *w)
{
    return &w->announce;
}


void
ngx_media_writer_lump(ngx_media_writer_t *w, ngx_uint_t track,
    ngx_msec_t lump)
{
    ngx_media_writer_track_t  *t;

    t = w->tracks[track];

    if (t->line == NULL) {
        return;
    }

    ngx_media_timeline_lump(t->line, lump);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media track %ui comes in lumps, ms:%M lag ms:%L",
                   t->packer.index, lump, t->line->lag);
}


void
ngx_media_writer_restart(ngx_media_writer_t *w)
{
    ngx_log_debug0(NGX_LOG_DEBUG_CORE, w->log, 0, "media stamps begin anew");

    ngx_media_timeline_restart(&w->timeline);
}


void
ngx_media_writer_bad(ngx_media_writer_t *w, ngx_uint_t track)
{
    ngx_media_writer_track_t  *t;

    t = w->tracks[track];
    t->packer.count.dropped_bad++;

    ngx_media_writer_dropped(w, t, "bad");

    if (t->params.type == NGX_MEDIA_VIDEO) {
        ngx_media_writer_broken(t);
    }
}


ngx_int_t
ngx_media_writer_frame(ngx_media_writer_t *w, ngx_uint_t track,
    const ngx_media_writer_frame_t *frame)
{
    ngx_media_time_t           time;
    ngx_media_stamp_t          stamp;
    ngx_media_writer_track_t  *t;

    t = w->tracks[track];

    if (t->refused) {
        t->packer.count.dropped_nomem++;
        ngx_media_writer_dropped(w, t, "nomem, the track is refused");
        return w->lost ? NGX_DECLINED : NGX_OK;
    }

    if (!frame->key && t->changed
        && t->next_params.codec != t->params.codec)
    {
        /* of another codec already, and nothing to begin with */
        t->packer.count.dropped_key++;
        ngx_media_writer_dropped(w, t, "key, of another codec");
        return w->lost ? NGX_DECLINED : NGX_OK;
    }

    ngx_media_writer_useful(w, t);

    ngx_memzero(&stamp, sizeof(ngx_media_stamp_t));

    stamp.stamp = frame->stamp;
    stamp.cts = frame->cts;
    stamp.nsec = frame->nsec;
    stamp.key = frame->key;
    stamp.arrival = frame->arrival ? frame->arrival : ngx_media_wall_msec();

    stamp.duration = ngx_media_writer_lasts(t, frame);

    if (t->packer.nsamples) {
        stamp.limit = ngx_media_packer_room(&t->packer);
    }

    if (stamp.duration) {
        ngx_log_debug2(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media frame to come of track %ui lasts:%uD",
                       t->packer.index, stamp.duration);
    }

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media frame comes, track:%ui stamp:%uL cts:%D nsec:%uD "
                   "key:%d repeat:%d arrival:%L size:%uz",
                   t->packer.index, stamp.stamp, stamp.cts, stamp.nsec,
                   stamp.key, frame->repeat, stamp.arrival,
                   frame->last - frame->pos);

    ngx_media_timeline_frame(&w->timeline, t->line, &stamp, &time);

#if (NGX_DEBUG)
    ngx_media_writer_narrate(w, t, &time);
#endif

    if (time.note && ngx_media_writer_tells(w)) {
        ngx_log_error(NGX_LOG_INFO, w->log, 0, "media %s, track:%ui",
                      time.note, t->packer.index);
    }

    if (time.jump) {
        w->jumps++;
        ngx_media_stream_jumped(&w->claim);
    }

    if (time.broken) {
        ngx_media_writer_break(w);
    }

    if (time.anew) {
        ngx_media_writer_leave(w, t);
    }

    if (t->refused) {

        /* what it was to change to */

        t->packer.count.dropped_nomem++;
        ngx_media_writer_dropped(w, t, "nomem, the track was refused");
        return w->lost ? NGX_DECLINED : NGX_OK;
    }

    if (time.drop) {

        if (t->params.type == NGX_MEDIA_VIDEO) {
            ngx_media_writer_broken(t);
        }

        t->packer.count.dropped_key += w->clock == NULL;
        t->packer.count.dropped_late += w->clock != NULL;
        ngx_media_writer_dropped(w, t, w->clock == NULL ? "key" : "late");
        return w->lost ? NGX_DECLINED : NGX_OK;
    }

    if (time.period) {
        ngx_media_writer_period(w, t, &time);
    }

    ngx_media_writer_clock(w);

    if (w->clock == NULL) {
        t->packer.count.dropped_nomem++;
        ngx_media_writer_dropped(w, t, "nomem, no clock");
        return w->lost ? NGX_DECLINED : NGX_OK;
    }

    if (t->away) {

        /* in no period that is open, it begins as one that comes late */

        t->away = 0;

        if (t != w->clock) {
            ngx_media_writer_join(w, t);
        }
    }

    if (ngx_media_writer_timed(w, t, &time, frame) == NGX_AGAIN && !w->lost) {

        /* a key frame: it needs nothing of what is lost, and opens a period */

        return ngx_media_writer_frame(w, track, frame);
    }

    return w->lost ? NGX_DECLINED : NGX_OK;
}


/* in timescale; 0: as all frames of its line */

static uint32_t
ngx_media_writer_lasts(const ngx_media_writer_track_t *t,
    const ngx_media_writer_frame_t *frame)
{
    uint32_t                   duration;
    const ngx_media_params_t  *params;

    params = &t->params;

    /* other parameters hold later: until then it is silence of these */

    if (t->changed || frame->samples == 0 || params->sample_rate == 0) {
        return 0;
    }

    duration = ngx_media_writer_frame_samples(frame->samples,
                                              params->sample_rate,
                                              params->timescale);

    return duration == params->frame_samples ? 0 : duration;
}


#if (NGX_DEBUG)

/* what the timeline made of a frame; how it came to that, first */

static void
ngx_media_writer_narrate(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time)
{
    ngx_uint_t                     i;
    const ngx_media_time_trace_t  *trace;

    if (!(w->log->log_level & NGX_LOG_DEBUG_CORE)) {
        return;
    }

    for (i = 0; i < time->ntraces; i++) {
        trace = &time->traces[i];

        ngx_log_debug5(NGX_LOG_DEBUG_CORE, w->log, 0, trace->text,
                       t->packer.index, trace->values[0], trace->values[1],
                       trace->values[2], trace->values[3]);
    }

    if (time->drop) {
        return;
    }

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media time of track %ui, dts:%L pts:%L duration:%uD "
                   "locked:%d silent:%uD period:%d resume:%d",
                   t->packer.index, time->dts, time->pts, time->duration,
                   time->locked, time->silent, time->period, time->resume);
}

#endif


/* nothing comes of it while others go on: its part of the period ends */

static void
ngx_media_writer_leave(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_media_writer_flush(w, t, "left");
    ngx_media_writer_close(w, t);

    t->away = 1;
}


/*
 * A frame whose time is known, in an open period.  NGX_AGAIN: it is a key frame
 * and the picture before it could not be held, so that the period is over.
 */

static ngx_int_t
ngx_media_writer_timed(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    ngx_int_t  rc;

    if (time->silent) {
        ngx_media_writer_silent(w, t,
                                time->dts - (int64_t) time->silent
                                            * t->params.frame_samples,
                                time->silent);
    }

    if (t != w->clock) {
        ngx_media_writer_pause(w, time->dts, t->params.timescale);
    }

    rc = time->resume ? ngx_media_writer_resume(w, t, time, frame) : NGX_AGAIN;

    if (rc == NGX_DECLINED) {
        ngx_media_writer_broken(t);
        ngx_media_timeline_break(&w->timeline);

        if (frame->key) {
            return NGX_AGAIN;
        }

        t->packer.count.dropped_key++;
        ngx_media_writer_dropped(w, t, "key, the picture was not held");
        return NGX_OK;
    }

    rc = ngx_media_writer_sample(w, t, time, frame,
                                 time->period || rc == NGX_OK);

    if (t->params.type == NGX_MEDIA_VIDEO) {
        if (rc == NGX_OK) {
            ngx_media_writer_went_on(w, t, frame);

        } else {
            ngx_media_writer_broken(t);
        }
    }

    ngx_media_writer_silence(w);

    w->arrived = ngx_current_msec;
    w->resting = 0;

    if (!w->ready && w->clock) {
        ngx_media_writer_ready(w, time->dts * 1000
                                  / (int64_t) t->params.timescale);
    }

    return NGX_OK;
}


/* the period ends: all that is open is closed, audio not before video */

void
ngx_media_writer_break(ngx_media_writer_t *w)
{
    int64_t                    dts, end;
    ngx_uint_t                 i, n;
    ngx_media_writer_track_t  *t;

    t = w->clock;

    if (t && t->params.type == NGX_MEDIA_VIDEO && t->packer.open) {
        end = ngx_media_timeline_next(t->line);

        for (i = 0; i < w->ntracks; i++) {
            t = w->tracks[i];

            /* what it has nothing of would be a gap */

            if (t->params.type == NGX_MEDIA_AUDIO && t->packer.open
                && t->number < w->cut.number)
            {
                n = ngx_media_timeline_owed(t->line, end, &dts);

                if (n) {
                    ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                                   "media track %ui is fed until its period "
                                   "ends, dts:%L silent:%ui end:%L",
                                   t->packer.index, dts, n, end);
                }

                ngx_media_writer_silent(w, t, dts, n);
            }
        }
    }

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        ngx_media_writer_flush(w, t, "period");
        ngx_media_writer_close(w, t);

        t->packer.torn = 0;
        t->still = 0;
    }

    if (w->clock) {
        ngx_log_debug2(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media period ends, clock:%ui cut:%uL",
                       w->clock->packer.index, w->cut.number);
    }

    w->due = 0;
    w->clock = NULL;
    w->ncuts = 0;
}


static void
ngx_media_writer_period(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time)
{
    ngx_uint_t  i;

    ngx_media_writer_break(w);
    ngx_media_writer_event_period(w, t, time->dts);

    w->clock = t;

    ngx_media_segmenter_init(&w->segmenter, t->params.type,
                             t->params.timescale,
                             w->claim.stream.sh->segment,
                             w->claim.stream.sh->segment_max);
    ngx_media_segmenter_start(&w->segmenter, time->pts, 1);

    (void) ngx_media_timeline_anchor(&w->timeline, &w->anchor);

    for (i = 0; i < w->ntracks; i++) {
        if (w->tracks[i]->changed) {
            (void) ngx_media_writer_apply(w, w->tracks[i]);

        } else {
            ngx_media_derived_period(w, w->tracks[i], &w->tracks[i]->params);
        }

        w->tracks[i]->packer.bandwidth = 0;
        w->tracks[i]->joining = 0;
        w->tracks[i]->missed = 0;
        w->tracks[i]->away = 0;
    }

    if (t->refused) {
        w->clock = NULL;
        return;
    }

    if (w->ready) {
        ngx_media_stream_ready(&w->claim, t->packer.index, 0);
    }

    if (!ngx_media_writer_whole(w, t)) {
        ngx_media_segmenter_hurry(&w->segmenter, 1);
    }

    ngx_media_writer_cut_first(w, t, time);

    if (w->began == 0) {
        w->began = time->dts * 1000 / (int64_t) t->params.timescale;
        w->since = ngx_current_msec;
    }
}


/* the cut that opens a period */

static void
ngx_media_writer_cut_first(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time)
{
    ngx_media_cut_t  *cut;

    cut = &w->cut;

    ngx_memzero(cut, sizeof(ngx_media_cut_t));

    cut->number = ngx_media_stream_number(&w->claim);
    cut->time = time->dts;
    cut->timescale = t->params.timescale;
    cut->anchor = w->anchor;
    cut->discontinuity = w->claim.returned || w->began;
    cut->apart = 1;
    cut->period = cut->number;
    cut->period_time = time->dts;
    cut->period_timescale = t->params.timescale;
    cut->period_wall = time->dts * 1000 / (int64_t) t->params.timescale
                       + w->anchor;

    w->cuts[cut->number % NGX_MEDIA_CUTS] = *cut;
    w->ncuts = 1;

    ngx_log_debug6(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media cut %uL opens a period, track:%ui time:%L "
                   "timescale:%uD anchor:%L discontinuity:%d",
                   cut->number, t->packer.index, cut->time, cut->timescale,
                   cut->anchor, cut->discontinuity);
}


/* who decides the cuts changes when video joins, or stops */

static void
ngx_media_writer_clock(ngx_media_writer_t *w)
{
    int64_t                    start;
    ngx_uint_t                 i;
    ngx_media_line_t          *line;
    ngx_media_writer_track_t  *t;

    line = ngx_media_timeline_clock(&w->timeline);

    if (w->clock == NULL || line == NULL || w->clock->line == line) {
        return;
    }

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        if (t->line != line) {
            continue;
        }

        start = ngx_media_writer_start(w, t);

        ngx_media_segmenter_init(&w->segmenter, t->params.type,
                                 t->params.timescale,
                                 w->claim.stream.sh->segment,
                                 w->claim.stream.sh->segment_max);
        ngx_media_segmenter_start(&w->segmenter, start, 1);

        if (!ngx_media_writer_whole(w, t)) {
            ngx_media_segmenter_hurry(&w->segmenter, 1);
        }

        /* its first frame: an AdaptationSet cannot come into a Period */

        t->joining |= t->params.type == NGX_MEDIA_VIDEO && !t->packer.open;

        ngx_log_debug5(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media track %ui decides the cuts, before:%ui "
                       "start:%L joins:%d early:%d",
                       t->packer.index, w->clock->packer.index, start,
                       t->joining, w->segmenter.early);

        w->clock = t;

        if (w->ready) {
            ngx_media_stream_ready(&w->claim, t->packer.index, 0);
        }
    }
}


/* a new segment in all tracks, from this time of this track on */

void
ngx_media_writer_cut(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t time, ngx_uint_t forced, ngx_uint_t discontinuity)
{
    ngx_media_cut_t  *cut;

    cut = &w->cut;

    if (forced && !cut->runs) {
        ngx_media_writer_runs(w);
    }

    cut->number++;
    cut->time = time;
    cut->timescale = t->params.timescale;
    cut->forced = forced;
    cut->discontinuity = discontinuity;
    cut->joined = 0;
    cut->apart = 0;

    if (!forced) {
        ngx_media_writer_cut_joins(w, t);
    }

    cut->anchored = !forced
                    && ngx_media_timeline_anchor(&w->timeline, &w->anchor);

    if (cut->anchored) {
        ngx_log_debug2(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media anchor moves, from:%L to:%L",
                       cut->anchor, w->anchor);
    }

    cut->anchor = w->anchor;

    if (cut->anchored || cut->discontinuity || cut->joined) {
        cut->period = cut->number;
        cut->period_time = time;
        cut->period_timescale = t->params.timescale;
        cut->period_wall = time * 1000 / (int64_t) t->params.timescale
                           + w->anchor;

        if (ngx_media_writer_tells(w)) {
            ngx_log_error(NGX_LOG_INFO, w->log, 0,
                          "media %s at segment %uL",
                          cut->discontinuity ? "tracks or parameters changed"
                          : cut->joined ? "track joins"
                          : "wall clock was set anew",
                          cut->number);
        }
    }

    w->cuts[cut->number % NGX_MEDIA_CUTS] = *cut;

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media cut %uL, track:%ui time:%L period:%uL forced:%d "
                   "discontinuity:%d joined:%d anchored:%d",
                   cut->number, t->packer.index, cut->time, cut->period,
                   cut->forced, cut->discontinuity, cut->joined,
                   cut->anchored);

    if (w->ncuts < NGX_MEDIA_CUTS) {
        w->ncuts++;
    }

    if (forced) {
        t->packer.count.forced_cuts++;
        ngx_media_writer_cut_forced(w, time);
    }
}


/* what other tracks have been waiting for */

static void
ngx_media_writer_cut_joins(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_uint_t        i;
    ngx_media_cut_t  *cut;

    cut = &w->cut;

    for (i = 0; i < w->ntracks; i++) {
        cut->discontinuity |= w->tracks[i]->changed
                              && w->tracks[i]->packer.open;

        if (w->tracks[i]->joining
            && (w->tracks[i] == t
                || w->tracks[i]->offered <= w->tracks[i]->number))
        {
            w->tracks[i]->offered = cut->number;
            cut->joined = 1;
        }
    }

    if (cut->joined) {
        ngx_media_segmenter_hurry(&w->segmenter, 1);
    }

    if (ngx_media_derived_joins(w, cut)) {
        cut->joined = 1;
    }
}


/* are key frames too far apart for parts?  The log says so once */

static void
ngx_media_writer_cut_forced(ngx_media_writer_t *w, int64_t time)
{
    if (!ngx_media_segmenter_apart(&w->segmenter, time)) {
        return;
    }

    /* of one that stands alone nothing follows, if viewers are there */

    w->parts_off |= !w->ready
                    || (w->late && w->late_key != w->segmenter.key);
    w->late_key = w->segmenter.key;

    if (w->late) {
        return;
    }

    w->late = 1;

    ngx_log_error(NGX_LOG_WARN, w->log, 0,
                  "media key frames are farther apart than \"segment\" "
                  "allows, segments without a key frame: set the encoder's "
                  "key frame interval to %Mms",
                  (ngx_msec_t) w->claim.stream.sh->segment);
}


/*
 * The segment that ends now, by force, is the first one of a period whose
 * segments DASH addresses by time, since not all of them start at a key frame
 * (timing.md, 4).  No track has closed it yet.
 */

static void
ngx_media_writer_runs(ngx_media_writer_t *w)
{
    ngx_media_cut_t  *cut;

    cut = &w->cut;

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media segments from %uL on are addressed by time:%L "
                   "period:%uL", cut->number, cut->time, cut->period);

    cut->runs = 1;
    cut->period = cut->number;
    cut->period_time = cut->time;
    cut->period_timescale = cut->timescale;
    cut->period_wall = cut->time * 1000 / (int64_t) cut->timescale
                       + cut->anchor;

    w->cuts[cut->number % NGX_MEDIA_CUTS] = *cut;
}


/* audio must never have a hole: it is fed up to where the others are */

static void
ngx_media_writer_silence(ngx_media_writer_t *w)
{
    int64_t                    dts;
    ngx_uint_t                 i, n;
    ngx_media_writer_track_t  *t;

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        if (t->params.type != NGX_MEDIA_AUDIO || t->refused) {
            continue;
        }

        /* other parameters may hold in the midst of it, and be refused */

        while (!t->refused) {
            n = ngx_media_timeline_silence(&w->timeline, t->line, &dts);

            if (n == 0) {
                break;
            }

            ngx_log_debug5(NGX_LOG_DEBUG_CORE, w->log, 0,
                           "media track %ui is behind, dts:%L silent:%ui "
                           "head:%L lag ms:%L", t->packer.index, dts, n,
                           w->timeline.head, t->line->lag);

            ngx_media_writer_silent(w, t, dts, n);
        }
    }
}


static void
ngx_media_writer_silent(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t dts, ngx_uint_t n)
{
    int64_t                   end, rest;
    ngx_media_time_t          time;
    ngx_media_writer_frame_t  frame;

    if (n == 0) {
        return;
    }

    ngx_memzero(&time, sizeof(ngx_media_time_t));
    ngx_memzero(&frame, sizeof(ngx_media_writer_frame_t));

    frame.key = 1;

    time.locked = 1;
    t->silent = 1;

    end = dts + (int64_t) n * t->params.frame_samples;

    while (dts < end && !t->refused) {

        /*
         * New parameters may hold from a cut within, with frames of another
         * length: the last one reaches to the end.
         */

        rest = end - dts;

        time.dts = dts;
        time.pts = dts;
        time.duration = rest < 2 * (int64_t) t->params.frame_samples
                        ? rest : t->params.frame_samples;

        (void) ngx_media_writer_sample(w, t, &time, &frame, 0);

        dts += time.duration;
    }

    t->silent = 0;
}


/* NGX_DECLINED: it was not put out */

static ngx_int_t
ngx_media_writer_sample(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_time_t *time, const ngx_media_writer_frame_t *frame,
    ngx_uint_t period)
{
    ngx_int_t                 rc;
    ngx_uint_t                waits;
    ngx_media_silence_t       silence;
    ngx_media_writer_frame_t  copy;

    waits = 0;

    if (t != w->clock && !t->packer.open && !t->joining && w->ready
        && ngx_media_writer_amid(w, t, time))
    {
        ngx_media_writer_join(w, t);
    }

    ngx_media_packer_settle(&t->packer, time->dts);

    if (t == w->clock) {
        if (!period) {
            ngx_media_writer_clock_sample(w, t, time, frame);
        }

    } else if ((t->changed || t->joining)
               && ngx_media_writer_waits(w, t, time, frame->key))
    {
        if (t->joining || t->params.type != NGX_MEDIA_AUDIO) {
            t->packer.count.dropped_key++;
            ngx_media_writer_dropped(w, t, "key, it waits for a cut");
            return NGX_DECLINED;
        }

        /* audio may have no hole: what went before goes on, silent */

        waits = 1;
    }

    if (t->refused) {
        t->packer.count.dropped_nomem++;
        ngx_media_writer_dropped(w, t, "nomem, the track was refused");
        return NGX_DECLINED;
    }

    if (t->params.type == NGX_MEDIA_VIDEO) {
        ngx_media_timeline_moved(t->line, time);
    }

    /* of the codec that holds now, which may be another one since the cut */

    if (waits || t->silent) {
        copy = *frame;
        frame = &copy;

        ngx_media_writer_substitute(t, &copy, &silence);

        t->packer.count.silent++;
    }

    ngx_media_writer_follow(w, t, time, frame);

    rc = ngx_media_writer_append(w, t, time, frame);

    if (rc == NGX_OK) {

        /* or what was before it is lost, and so will it be */

        return t->packer.torn ? NGX_DECLINED : NGX_OK;
    }

    t->packer.count.dropped_bad += rc == NGX_DECLINED;
    t->packer.count.dropped_nomem += rc == NGX_ERROR;

    ngx_media_writer_dropped(w, t, rc == NGX_ERROR ? "nomem" : "bad");

    if (t->packer.nsamples == 0) {

        /* no frame is there to last until the next: that would be a hole */

        t->packer.torn = 1;
        ngx_media_timeline_break(&w->timeline);
    }

    return NGX_DECLINED;
}


/* does a segment start with this frame? */

static void
ngx_media_writer_clock_sample(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame)
{
    ngx_int_t   rc;
    ngx_uint_t  change, cut, due, gone;

    cut = ngx_media_writer_due(w, frame->key ? time->pts : time->dts,
                               time->duration, frame->key);

    if (cut == NGX_MEDIA_CUT_FORCED && t->still) {
        rc = ngx_media_writer_still_cut(w, t, time);

        if (rc != NGX_DECLINED) {
            return;
        }
    }

    change = t->changed && frame->key;
    due = change || t->joining || w->due;
    w->due = 0;

    if (due && cut == NGX_MEDIA_CUT_NONE) {
        ngx_media_segmenter_start(&w->segmenter, time->pts, t->joining);
    }

    if (due || cut != NGX_MEDIA_CUT_NONE) {
        t->still = 0;
        gone = cut != NGX_MEDIA_CUT_FORCED
               && (ngx_media_writer_gone(w, t, time->dts) || w->gone);

        w->gone &= cut == NGX_MEDIA_CUT_FORCED;

        ngx_media_writer_cut(w, t, time->dts, cut == NGX_MEDIA_CUT_FORCED,
                             change || gone);
    }

    t->joining = 0;

    if (change) {
        ngx_media_writer_flush(w, t, "change");
        ngx_media_writer_close(w, t);
        (void) ngx_media_writer_apply(w, t);
    }
}


/* asks the segmenter; key frames, and what ends a segment, are told of */

static ngx_uint_t
ngx_media_writer_due(ngx_media_writer_t *w, int64_t at, int64_t duration,
    ngx_uint_t key)
{
    ngx_uint_t  cut;
#if (NGX_DEBUG)
    int64_t     e;
    ngx_uint_t  early;

    e = at - w->segmenter.start;
    early = w->segmenter.early | w->segmenter.awaited << 1
            | w->segmenter.aligning << 2;
#endif

    cut = ngx_media_segmenter_frame(&w->segmenter, at, duration, key);

    if (key || cut != NGX_MEDIA_CUT_NONE) {
        ngx_log_debug8(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media frame may be a cut, at:%L key:%ui lasts:%L "
                       "e:%L g:%L gmax:%L early:%ui cut:%ui",
                       at, key, duration, e, w->segmenter.gap,
                       w->segmenter.gap_max, early, cut);
    }

    return cut;
}


/*
 * What can be filled is: tracks that are behind for longer than a publisher may
 * be gone have no more to come.  They are in no period that begins now.
 */

static ngx_uint_t
ngx_media_writer_gone(ngx_media_writer_t *w, ngx_media_writer_track_t *clock,
    int64_t time)
{
    int64_t                    limit, now;
    ngx_uint_t                 i;
    ngx_media_stream_shm_t    *s;
    ngx_media_writer_track_t  *t;

    s = w->claim.stream.sh;
    limit = ngx_max((int64_t) s->grace,
                    (int64_t) s->target * NGX_MEDIA_STILL * 1000);
    now = time * 1000 / (int64_t) clock->params.timescale;

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        if (t == clock || !t->packer.open || t->refused
            || now - t->packer.dts * 1000 / (int64_t) t->params.timescale
               <= limit)
        {
            continue;
        }

        ngx_log_error(NGX_LOG_INFO, w->log, 0,
                      "media track has gone for %L ms, others go on without "
                      "it, track:%ui", now - t->packer.dts * 1000
                                             / (int64_t) t->params.timescale,
                      t->packer.index);

        ngx_media_writer_leave(w, t);
        ngx_media_timeline_leave(t->line);
    }

    return ngx_media_tracks_away(&w->claim, w->began, limit);
}


/*
 * Would it begin in the midst of a period?  It has been away since before that
 * began, or never came: other tracks are listed without it.
 */

static ngx_uint_t
ngx_media_writer_amid(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time)
{
    ngx_media_cut_t  *cut;

    cut = &w->cuts[ngx_media_writer_cut_of(w, t, time) % NGX_MEDIA_CUTS];

    return cut->number != cut->period;
}


/*
 * New parameters, and tracks that come later than the playlists, need a cut
 * that all tracks take part in: the clock track makes one at its next key
 * frame.  Has this track come to it, with a key frame of its own?
 */

static ngx_uint_t
ngx_media_writer_waits(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, ngx_uint_t key)
{
    uint64_t          number, oldest;
    ngx_media_cut_t  *cut;

    oldest = w->cut.number + 1 - w->ncuts;

    for (number = ngx_max(t->number + 1, oldest);
         number <= w->cut.number;
         number++)
    {
        cut = &w->cuts[number % NGX_MEDIA_CUTS];

        if (!ngx_media_cut_reached(cut, time->pts, t->params.timescale)) {
            break;
        }

        if (!(t->joining ? cut->joined : cut->discontinuity)) {
            continue;
        }

        if (!key && !t->missed) {
            return 1;
        }

        if (t->joining && !t->missed && ngx_media_writer_amid(w, t, time)) {

            /* its key frames are far from those of the clock: not for ever */

            ngx_log_debug2(NGX_LOG_DEBUG_CORE, w->log, 0,
                           "media track has no key frame in segment %uL, "
                           "track:%ui", number, t->packer.index);

            ngx_media_writer_join(w, t);
            t->missed = 1;

            return 1;
        }

        t->joining = 0;
        t->missed = 0;

        if (t->changed) {
            ngx_media_writer_flush(w, t, "change");
            ngx_media_writer_close(w, t);
            (void) ngx_media_writer_apply(w, t);
        }

        return 0;
    }

    if (t->joining && t->offered > t->number && t->offered < oldest) {

        /* that one is forgotten */

        ngx_media_writer_join(w, t);
        t->missed = 1;
    }

    return 1;
}


/* the bytes are in "silence" */

static void
ngx_media_writer_substitute(ngx_media_writer_track_t *t,
    ngx_media_writer_frame_t *frame, ngx_media_silence_t *silence)
{
    frame->pos = NULL;
    frame->last = NULL;
    frame->silent = 1;

    /* no silence is known for it: empty frames keep the line going */

    if (t->codec->silence
        && t->codec->silence(&t->params, silence) == NGX_OK
        && ngx_media_writer_frame_samples(silence->samples, silence->rate,
                                          t->params.timescale)
           == t->params.frame_samples)
    {
        frame->pos = silence->frame.pos;
        frame->last = silence->frame.last;
    }
}
