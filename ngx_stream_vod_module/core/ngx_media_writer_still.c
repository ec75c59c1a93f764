
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A picture that stands still (timing.md, 1).
 *
 * Screens, slides and slow cameras send no picture while nothing changes, and
 * the next one refers to what was before.  Players need something in every
 * part and segment, and to begin with.
 *
 * Where the codec can say "the same again" the track goes on at its cadence
 * with such still frames.  Otherwise, and where the track lists no parts, the
 * last frame gets the time.  A segment that would then begin without a key
 * frame begins with all frames since the last one, each for the least time
 * that any container can express: they show how the picture came about.  So
 * it decodes on its own, whatever the codec, and what comes goes on from it.
 *
 * These frames are read back from the zone when they are needed: a stream that
 * never pauses pays for counting what that would be.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_read.h"
#include "core/ngx_media_writer_still.h"
#include "formats/ngx_media_mp4_chunk.h"
#include "time/ngx_media_timeline_still.h"


/* a frame that is shown again lasts 1/90000 s */
#define NGX_MEDIA_AGAIN_STEP    (NGX_MEDIA_VIDEO_TIMESCALE / 90000)

/* the most that is shown again: frames; bytes, of so many usual segments */
#define NGX_MEDIA_AGAIN_FRAMES    1500
#define NGX_MEDIA_AGAIN_SEGMENTS  4
#define NGX_MEDIA_AGAIN_LEAST     (1024 * 1024)
#define NGX_MEDIA_AGAIN_MOST      (8 * 1024 * 1024)


static ngx_uint_t ngx_media_writer_plain(const ngx_media_writer_track_t *t);
static int64_t ngx_media_writer_ticks(const ngx_media_writer_track_t *t,
    uint64_t msec);
static int64_t ngx_media_writer_step(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static uint64_t ngx_media_writer_again_most(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static ngx_uint_t ngx_media_writer_has_still(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static int64_t ngx_media_writer_still_most(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static ngx_int_t ngx_media_writer_make_still(ngx_media_writer_track_t *t);
static void ngx_media_writer_still(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time);
static ngx_int_t ngx_media_writer_moves(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time, ngx_uint_t key);
static ngx_int_t ngx_media_writer_hold(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t from, int64_t *until);
static void ngx_media_writer_held_cut(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t until);
static int64_t ngx_media_writer_stretch(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t until);
static void ngx_media_writer_again(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t from);
static ngx_int_t ngx_media_writer_past(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static ngx_int_t ngx_media_writer_past_first(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, uint64_t *number);
static ngx_int_t ngx_media_writer_past_segment(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, uint64_t number);
static ngx_int_t ngx_media_writer_past_range(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_range_t *range);
static void ngx_media_writer_past_open(ngx_media_writer_track_t *t);
static void ngx_media_writer_past_frame(ngx_media_writer_past_t *past,
    const ngx_media_sample_t *sample, int64_t time, const u_char *data);
static void ngx_media_writer_past_order(ngx_media_writer_track_t *t);


/* after each frame of video that was put out */

void
ngx_media_writer_went_on(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_writer_frame_t *frame)
{
    ngx_media_writer_forget(t);

    if (t->refused) {
        return;
    }

    if (frame->key) {
        t->whole = frame->repeat;
    }

    if (t->since > NGX_MEDIA_AGAIN_FRAMES
        || t->since_bytes > ngx_media_writer_again_most(w, t))
    {
        t->whole = 0;
    }

    ngx_media_timeline_whole(t->line, t->whole);
}


void
ngx_media_writer_broken(ngx_media_writer_track_t *t)
{
    /* what was read back may be in use: "went_on" frees it */

    t->whole = 0;

    if (t->line) {
        ngx_media_timeline_whole(t->line, 0);
    }
}


void
ngx_media_writer_forget(ngx_media_writer_track_t *t)
{
    if (t->past) {
        ngx_free(t->past);
        t->past = NULL;
    }
}


static uint64_t
ngx_media_writer_again_most(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t)
{
    uint64_t  bytes, segments;

    segments = t->packer.ticks / ngx_media_writer_ticks(t,
                                               w->claim.stream.sh->segment);

    bytes = t->packer.bytes / (segments + 1) * NGX_MEDIA_AGAIN_SEGMENTS;
    bytes = ngx_max(bytes, NGX_MEDIA_AGAIN_LEAST);

    return ngx_min(bytes, NGX_MEDIA_AGAIN_MOST);
}


/*
 * A frame of another track has come, before it is put out.  Where there are no
 * still frames the others say where segments end.  What lists parts begins a
 * segment first: parts that are listed stay so, and a held picture is longer
 * than a part may be.
 */

void
ngx_media_writer_pause(ngx_media_writer_t *w, int64_t time,
    uint32_t timescale)
{
    int64_t                    from, max, most, start, until;
    ngx_media_time_t           still;
    ngx_media_writer_track_t  *t;

    t = w->clock;

    if (t == NULL || t->params.type != NGX_MEDIA_VIDEO || t->refused) {
        return;
    }

    until = ngx_media_rescale(time, timescale, t->params.timescale);

    start = ngx_media_writer_start(w, t);

    max = ngx_media_writer_ticks(t, w->claim.stream.sh->segment_max);

    if (!ngx_media_timeline_still(t->line, until, ngx_media_wall_msec(),
                                  !ngx_media_writer_plain(t),
                                  until - start >= max))
    {
        return;
    }

    if (ngx_media_writer_has_still(w, t)) {
        most = ngx_media_writer_still_most(w, t);

        while (t->whole
               && ngx_media_timeline_still_frame(t->line, until, most,
                                                 &still))
        {
            ngx_media_writer_still(w, t, &still);
            ngx_media_timeline_moved(t->line, &still);
        }

        return;
    }

    if (!t->whole) {
        return;
    }

    from = ngx_media_timeline_next(t->line);

    if (t->packer.open && t->packer.listed && !ngx_media_writer_plain(t)) {

        if (t->packer.nsamples) {
            from = ngx_media_writer_stretch(w, t, until);
        }

        ngx_media_writer_held_cut(w, t, from);
        ngx_media_timeline_hold(t->line, from);

    } else if (until - start >= ngx_media_writer_step(w, t)) {

        if (ngx_media_writer_hold(w, t, from, &until) != NGX_OK) {
            ngx_media_writer_broken(t);
            return;
        }

        ngx_media_writer_held_cut(w, t, until);
        ngx_media_timeline_hold(t->line, until);

    } else {
        return;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media picture held, segment:%uL from:%L until:%L "
                   "frames:%uD", w->cut.number, from, until, t->since);
}


/* it lists no parts, at least now */

static ngx_uint_t
ngx_media_writer_plain(const ngx_media_writer_track_t *t)
{
    return t->packer.plain || t->packer.held_off;
}


static int64_t
ngx_media_writer_ticks(const ngx_media_writer_track_t *t, uint64_t msec)
{
    return (int64_t) (msec * t->params.timescale / 1000);
}


/* at least two of them fit into a part */

static int64_t
ngx_media_writer_still_most(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t)
{
    return (int64_t) w->target * t->params.timescale / 20000;
}


/* a still frame of the codec's, for a track that lists parts */

static ngx_uint_t
ngx_media_writer_has_still(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    if (t->packer.plain || t->codec->still == NULL
        || ngx_media_writer_past(w, t) != NGX_OK)
    {
        return 0;
    }

    if (!t->past->tried) {
        t->past->tried = 1;

        if (ngx_media_writer_make_still(t) != NGX_OK) {
            t->past->still_len = 0;
        }

        ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media picture still, segment:%uL frames:%uD "
                       "again:%uD still:%uz", w->cut.number, t->since,
                       t->past->n, t->past->still_len);
    }

    return t->past->still_len != 0;
}


static ngx_int_t
ngx_media_writer_make_still(ngx_media_writer_track_t *t)
{
    u_char                    *p;
    uint32_t                   i;
    ngx_int_t                  rc;
    ngx_media_span_t          *spans;
    ngx_media_writer_past_t   *past;

    past = t->past;
    past->still_len = NGX_MEDIA_STILL_MAX;

    spans = ngx_alloc(past->n * sizeof(ngx_media_span_t), ngx_cycle->log);
    if (spans == NULL) {
        return NGX_ERROR;
    }

    p = past->data;

    for (i = 0; i < past->n; i++) {
        spans[i].pos = p;
        p += past->frames[i].size;
        spans[i].last = p;
    }

    rc = t->codec->still(&t->params, spans, past->n, past->still,
                         &past->still_len);

    ngx_free(spans);

    return rc;
}


/* goes into the clock track as if the publisher had sent it */

static void
ngx_media_writer_still(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_time_t *time)
{
    ngx_media_writer_frame_t  frame;

    if (t->packer.nsamples && time->dts <= t->packer.dts) {

        /* what came again took longer than a frame lasts */
        return;
    }

    ngx_media_packer_settle(&t->packer, time->dts);

    if (ngx_media_segmenter_frame(&w->segmenter, time->dts, time->duration, 0)
        != NGX_MEDIA_CUT_NONE
        && ngx_media_writer_still_cut(w, t, time) != NGX_OK)
    {
        ngx_media_writer_broken(t);
        return;
    }

    ngx_memzero(&frame, sizeof(ngx_media_writer_frame_t));

    frame.again = 1;
    frame.pos = t->past->still;
    frame.last = t->past->still + t->past->still_len;

    ngx_media_writer_follow(w, t, time, &frame);

    if (ngx_media_writer_append(w, t, time, &frame) != NGX_OK) {
        ngx_media_writer_broken(t);
        return;
    }

    t->still = 1;

    t->packer.count.again++;
    t->packer.count.frames--;
    t->packer.count.bytes -= frame.last - frame.pos;
}


ngx_int_t
ngx_media_writer_still_cut(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_time_t *time)
{
    if (ngx_media_writer_past(w, t) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_media_writer_flush(w, t, "cut");
    ngx_media_writer_held_cut(w, t, time->dts);
    ngx_media_writer_again(w, t, time->dts);

    if (!t->whole) {
        return NGX_ERROR;
    }

    time->dts += (int64_t) t->past->n * NGX_MEDIA_AGAIN_STEP;
    time->pts = ngx_max(time->pts, time->dts);
    time->locked = 0;

    ngx_media_packer_settle(&t->packer, time->dts);

    return NGX_OK;
}


/*
 * How long a segment of nothing but a held picture is: players of low latency
 * have little in hand, but what is shown again takes bandwidth and decoding.
 */

static int64_t
ngx_media_writer_step(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    int64_t  segment;

    segment = ngx_media_writer_ticks(t, w->claim.stream.sh->segment);

    if (ngx_media_writer_plain(t)) {
        return segment;
    }

    return ngx_min(ngx_max((t->packer.dts - t->packer.key_time) / 2,
                           segment / 2),
                   segment);
}


static void
ngx_media_writer_held_cut(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t until)
{
    ngx_media_writer_close(w, t);
    t->still = 0;

    ngx_media_segmenter_start(&w->segmenter, until, 0);
    w->segmenter.key = until;

    ngx_media_writer_cut(w, t, until, 0, 0);
}


ngx_int_t
ngx_media_writer_resume(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    int64_t           span;
    ngx_int_t         rc;
    ngx_media_time_t  still;

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media picture moves, from:%L dts:%L key:%d period:%d "
                   "frames:%uD", time->held, time->dts, frame->key,
                   time->period, t->since);

    if (!time->period) {

        if (!ngx_media_writer_has_still(w, t)) {
            rc = ngx_media_writer_moves(w, t, time, frame->key);

            if (rc != NGX_OK || frame->key) {
                return rc;
            }

        } else {
            ngx_memzero(&still, sizeof(ngx_media_time_t));

            still.duration = ngx_min(time->duration,
                                     ngx_media_writer_still_most(w, t));
            still.dts = time->held;

            while (still.dts + still.duration / 2 < time->dts && t->whole) {
                still.pts = still.dts;
                ngx_media_writer_still(w, t, &still);
                still.dts = ngx_max(still.dts, t->packer.dts) + still.duration;
            }

            if (!t->whole) {
                return NGX_DECLINED;
            }

            if (t->packer.nsamples && time->dts <= t->packer.dts) {
                time->dts = t->packer.dts + NGX_MEDIA_AGAIN_STEP;
                time->pts = ngx_max(time->pts, time->dts);
            }

            return NGX_AGAIN;
        }
    }

    if (ngx_media_writer_past(w, t) != NGX_OK) {
        return NGX_DECLINED;
    }

    span = (int64_t) t->past->n * NGX_MEDIA_AGAIN_STEP;

    ngx_media_writer_again(w, t, time->held);

    if (!t->whole) {
        return NGX_DECLINED;
    }

    /* behind them; mostly it is there already */

    time->dts = ngx_max(time->dts, time->held + span);
    time->pts = ngx_max(time->pts, time->dts);

    return NGX_OK;
}


/*
 * The picture is held up to the frame, or to those that come again before it,
 * in segments that are not too long; time->held is where these begin.
 */

static ngx_int_t
ngx_media_writer_moves(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_time_t *time, ngx_uint_t key)
{
    int64_t  last, max, segment, start;

    start = time->dts;

    if (!key) {

        if (ngx_media_writer_past(w, t) != NGX_OK) {
            return NGX_DECLINED;
        }

        start -= (int64_t) t->past->n * NGX_MEDIA_AGAIN_STEP;
    }

    segment = ngx_media_writer_ticks(t, w->claim.stream.sh->segment);
    max = ngx_media_writer_ticks(t, w->claim.stream.sh->segment_max);

    while (start - ngx_media_writer_start(w, t) > max) {
        last = ngx_max(ngx_media_writer_start(w, t) + segment, time->held);

        if (ngx_media_writer_hold(w, t, time->held, &last) != NGX_OK) {
            return NGX_DECLINED;
        }

        ngx_media_writer_held_cut(w, t, last);
        time->held = last;
    }

    /*
     * In a segment that has nothing yet, a moment more or less is none; but
     * other parameters have a segment of their own
     */

    if (!t->packer.open && !(key && t->changed)
        && start - time->held <= ngx_media_writer_still_most(w, t))
    {
        if (key) {
            time->dts = time->held;
        }

        return NGX_OK;
    }

    start = ngx_max(start, time->held
                           + (t->packer.open ? 0 : NGX_MEDIA_AGAIN_STEP));

    if (ngx_media_writer_hold(w, t, time->held, &start) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (key) {
        time->dts = ngx_max(time->dts, start);
        w->due = 1;
        return NGX_AGAIN;
    }

    ngx_media_writer_held_cut(w, t, start);
    time->held = start;

    return NGX_OK;
}


/*
 * The picture of the segment that the track is in lasts until then, or some
 * milliseconds longer, which what comes again takes.
 */

static ngx_int_t
ngx_media_writer_hold(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t from, int64_t *until)
{
    if (t->packer.nsamples) {
        from = ngx_media_writer_stretch(w, t, *until);
    }

    if (from >= *until) {
        *until = from;
        return NGX_OK;
    }

    if (ngx_media_writer_past(w, t) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_media_writer_again(w, t, from);

    *until = ngx_max(*until, from + (int64_t) t->past->n
                                    * NGX_MEDIA_AGAIN_STEP);

    if (t->packer.nsamples) {
        t->packer.samples[t->packer.nsamples - 1].duration = *until
                                                    - t->packer.dts;

        t->packer.holding = 1;
        ngx_media_writer_flush(w, t, "held");
        t->packer.holding = 0;
    }

    return t->whole ? NGX_OK : NGX_DECLINED;
}


/*
 * The last frame that came is still in this process: it gets the time, or, in
 * a track that lists parts, what is left of its part.
 */

static int64_t
ngx_media_writer_stretch(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t until)
{
    int64_t              end, most;
    ngx_media_sample_t  *sample;

    sample = &t->packer.samples[t->packer.nsamples - 1];
    end = until;

    if (t->packer.listed && !ngx_media_writer_plain(t)) {
        most = (int64_t) w->target * t->params.timescale / 10000
               - (int64_t) t->packer.duration;
        end = ngx_min(end, t->packer.dts + most);
    }

    end = ngx_max(end, t->packer.dts + (int64_t) sample->duration);
    sample->duration = end - t->packer.dts;

    t->packer.holding = 1;
    ngx_media_writer_flush(w, t, "held");
    t->packer.holding = 0;

    return end;
}


/* the last of them lasts until whoever comes next says */

static void
ngx_media_writer_again(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t from)
{
    uint32_t                   fps, i;
    int64_t                    key_time;
    ngx_media_time_t           time;
    ngx_media_writer_past_t   *past;
    ngx_media_track_count_t    count;
    ngx_media_writer_frame_t   frame;

    past = t->past;
    count = t->packer.count;
    fps = t->packer.fps;
    key_time = t->packer.key_time;

    ngx_memzero(&time, sizeof(ngx_media_time_t));
    ngx_memzero(&frame, sizeof(ngx_media_writer_frame_t));

    time.duration = NGX_MEDIA_AGAIN_STEP;
    frame.again = 1;
    frame.last = past->data;

    for (i = 0; i < past->n; i++) {
        time.dts = from + (int64_t) i * NGX_MEDIA_AGAIN_STEP;
        time.pts = from + (int64_t) past->frames[i].shown
                          * NGX_MEDIA_AGAIN_STEP;

        frame.key = (i == 0);
        frame.pos = frame.last;
        frame.last = frame.pos + past->frames[i].size;

        ngx_media_packer_settle(&t->packer, time.dts);
        ngx_media_writer_follow(w, t, &time, &frame);

        /* they take no time: a part of nothing else would be too short */

        t->packer.again++;

        if (ngx_media_writer_append(w, t, &time, &frame) != NGX_OK) {
            break;
        }
    }

    /* the publisher sent none of this */

    count.parts_late = t->packer.count.parts_late;
    count.again = t->packer.count.again + i;

    t->packer.count = count;
    t->packer.fps = fps;
    t->packer.key_time = key_time;

    if (i < past->n) {
        ngx_media_writer_broken(t);
    }
}


/* what was put out since the last key frame */

static ngx_int_t
ngx_media_writer_past(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    size_t                    head;
    uint64_t                  n;
    ngx_media_writer_past_t  *past;

    if (!t->whole || t->since == 0) {
        return NGX_DECLINED;
    }

    if (t->past) {
        return NGX_OK;
    }

    head = sizeof(ngx_media_writer_past_t)
           + t->since * sizeof(ngx_media_writer_again_t);

    past = ngx_alloc(head + t->since_bytes, w->log);
    if (past == NULL) {
        return NGX_DECLINED;
    }

    past->n = 0;
    past->max = t->since;
    past->data = (u_char *) past + head;
    past->size = 0;
    past->max_size = t->since_bytes;
    past->tried = 0;
    past->still_len = 0;

    t->past = past;

    if (!t->packer.independent || t->packer.nsamples == 0) {

        if (ngx_media_writer_past_first(w, t, &n) != NGX_OK) {
            goto failed;
        }

        for ( /* void */ ; n <= t->number; n++) {
            if (ngx_media_writer_past_segment(w, t, n) != NGX_OK) {
                goto failed;
            }
        }
    }

    ngx_media_writer_past_open(t);

    if (past->n != t->since || past->size != t->since_bytes) {
        goto failed;
    }

    ngx_media_writer_past_order(t);

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media frames of track %ui come again, since:%uD bytes:%uL "
                   "again:%uD", t->packer.index, t->since, t->since_bytes,
                   past->n);

    return NGX_OK;

failed:

    ngx_log_error(NGX_LOG_INFO, w->log, 0,
                  "media picture cannot be held, track:%ui frames:%uD "
                  "found:%uD", t->packer.index, t->since, past->n);

    ngx_media_writer_forget(t);
    ngx_media_writer_broken(t);

    return NGX_DECLINED;
}


/* the newest segment that begins with a key frame, or is even older */

static ngx_int_t
ngx_media_writer_past_first(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, uint64_t *number)
{
    uint64_t             n;
    ngx_int_t            rc;
    ngx_media_segment_t  segment;

    for (n = t->number; t->number - n < NGX_MEDIA_CUTS; n--) {

        rc = ngx_media_track_segment(&w->claim.stream, t->packer.index, n,
                                     &segment);

        if (rc == NGX_AGAIN) {
            continue;
        }

        if (rc != NGX_OK || segment.gap || segment.init != t->packer.init) {
            return NGX_DECLINED;
        }

        if (!segment.forced) {
            *number = n;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_media_writer_past_segment(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, uint64_t number)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    ngx_media_part_t     part;
    ngx_media_segment_t  segment;

    rc = ngx_media_track_segment(&w->claim.stream, t->packer.index, number,
                                 &segment);
    if (rc != NGX_OK) {
        return (rc == NGX_AGAIN) ? NGX_OK : NGX_DECLINED;
    }

    if (!segment.open) {

        for (i = 0; i < segment.nranges; i++) {
            rc = ngx_media_writer_past_range(w, t, &segment.ranges[i]);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        return NGX_OK;
    }

    for (i = 0; i < segment.nparts; i++) {

        if (ngx_media_track_part(&w->claim.stream, t->packer.index, number, i,
                                 &part)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        rc = ngx_media_writer_past_range(w, t, &part.range);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_writer_past_range(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_range_t *range)
{
    ngx_int_t                  rc;
    const u_char              *last, *pos;
    ngx_media_mp4_frame_t      frame;
    ngx_media_mp4_reader_t     reader;

    if (ngx_media_pin(w->claim.stream.zone, range, 1) != NGX_OK) {
        return NGX_DECLINED;
    }

    pos = ngx_media_arena_bytes(w->claim.stream.zone, range);
    last = pos + range->size;

    for ( ;; ) {
        rc = ngx_media_mp4_chunk_open(&reader, pos, last);

        if (rc != NGX_OK) {
            break;
        }

        while (ngx_media_mp4_chunk_next(&reader, &frame) == NGX_OK) {

            ngx_media_writer_past_frame(t->past, &frame.sample,
                                        (int64_t) frame.decode_time,
                                        frame.data);
        }

        pos = reader.last;
    }

    ngx_media_unpin(w->claim.stream.zone, range, 1);

    return (rc == NGX_DONE) ? NGX_OK : NGX_DECLINED;
}


/* what is still in this process */

static void
ngx_media_writer_past_open(ngx_media_writer_track_t *t)
{
    int64_t              time;
    ngx_uint_t           i;
    const u_char        *p;
    ngx_media_sample_t  *sample;

    p = t->packer.payload;
    time = t->packer.time;

    for (i = 0; i < t->packer.nsamples; i++) {
        sample = &t->packer.samples[i];

        ngx_media_writer_past_frame(t->past, sample, time, p);

        p += sample->size;
        time += sample->duration;
    }
}


static void
ngx_media_writer_past_frame(ngx_media_writer_past_t *past,
    const ngx_media_sample_t *sample, int64_t time, const u_char *data)
{
    ngx_media_writer_again_t  *again;

    if (sample->key) {
        past->n = 0;
        past->size = 0;
    }

    if (past->n == past->max || past->max_size - past->size < sample->size) {

        /* of the group before: a key frame is still to come */
        return;
    }

    again = &past->frames[past->n++];

    again->pts = time + sample->cto;
    again->size = sample->size;

    ngx_memcpy(past->data + past->size, data, sample->size);
    past->size += sample->size;
}


/*
 * Frames that nothing refers to are left out, but for the one on show, and so
 * are those which are shown before the key frame; then the order of display.
 */

static void
ngx_media_writer_past_order(ngx_media_writer_track_t *t)
{
    u_char                    *from, *to;
    int64_t                    key, shown;
    uint32_t                   i, j, n;
    ngx_media_frame_info_t     info;
    ngx_media_writer_past_t   *past;
    ngx_media_writer_again_t  *frames;

    past = t->past;
    frames = past->frames;
    key = frames[0].pts;
    from = past->data;
    to = past->data;
    n = 0;

    shown = key;

    for (i = 0; i < past->n; i++) {
        shown = ngx_max(shown, frames[i].pts);
    }

    for (i = 0; i < past->n; i++) {
        ngx_memzero(&info, sizeof(ngx_media_frame_info_t));

        (void) t->codec->frame(&t->params, from, from + frames[i].size,
                               &info);

        if (frames[i].pts == shown
            || (frames[i].pts >= key && !info.disposable))
        {
            ngx_memmove(to, from, frames[i].size);
            to += frames[i].size;
            frames[n++] = frames[i];
        }

        from += past->frames[i].size;
    }

    past->n = n;

    /* in what place each is shown: they are nearly in order */

    for (i = 0; i < n; i++) {
        frames[i].shown = i;

        for (j = i; j-- > 0; /* void */ ) {

            if (frames[j].pts > frames[i].pts) {
                frames[j].shown++;
                frames[i].shown--;
            }

            if (i - j > NGX_MEDIA_LINE_RECENT) {
                break;
            }
        }
    }
}
