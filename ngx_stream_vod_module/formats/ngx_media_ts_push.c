
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Each frame is a sample table of one entry, of which ngx_media_ts_mux.c makes
 * units and bytes as it does of segments.  What is here is what a segment knows
 * by looking ahead, and a stream cannot know: when tables are due, and what
 * time it is.  Clauses are of ISO/IEC 13818-1.
 */


#include "formats/ngx_media_ts_push.h"
#include "formats/ngx_media_ts_unit.h"


/* 90 kHz units */
#define NGX_MEDIA_TS_PUSH_TABLES  7200        /* 80 ms, then with a frame */
#define NGX_MEDIA_TS_PUSH_AHEAD   18000       /* of a track's next frame */
#define NGX_MEDIA_TS_PUSH_AWAY    90000       /* nobody waits for it */

/* sets of PIDs, that a track goes through as its codec changes */
#define NGX_MEDIA_TS_PUSH_SETS    32


static void ngx_media_ts_push_sample(ngx_media_ts_push_t *push, ngx_uint_t n,
    const ngx_media_ts_frame_t *frame);
static int64_t ngx_media_ts_push_decode(ngx_media_ts_push_t *push,
    ngx_uint_t n, const ngx_media_ts_frame_t *frame);
static int64_t ngx_media_ts_push_away(const ngx_media_ts_push_t *push,
    ngx_uint_t n);
static void ngx_media_ts_push_break(ngx_media_ts_push_t *push, ngx_uint_t n,
    uint64_t time);
static ngx_int_t ngx_media_ts_push_plan(ngx_media_ts_push_t *push);
static void ngx_media_ts_push_plan_frame(ngx_media_ts_push_t *push,
    uint64_t clock);
static uint64_t ngx_media_ts_push_clock(const ngx_media_ts_push_t *push);


void
ngx_media_ts_push_init(ngx_media_ts_push_t *push)
{
    ngx_memzero(push, sizeof(ngx_media_ts_push_t));

    push->planned = 1;

    push->mux.tracks = push->tracks;
    push->mux.offset = NGX_MEDIA_TS_OFFSET;
    push->mux.pid = NGX_MEDIA_TS_PID_ES;
    push->mux.pushed = 1;
    push->mux.measured = 1;
}


ngx_int_t
ngx_media_ts_push_track(ngx_media_ts_push_t *push, ngx_uint_t n,
    const ngx_media_ts_es_t *es, const u_char *head, size_t head_len,
    uint32_t reorder)
{
    ngx_media_ts_es_t      before;
    ngx_media_ts_track_t  *track;

    if (n > push->mux.ntracks || n >= NGX_MEDIA_TS_TRACKS
        || es->timescale == 0 || es->prefix_len > NGX_MEDIA_TS_PREFIX_MAX)
    {
        return NGX_ERROR;
    }

    if (n == push->mux.ntracks) {
        push->mux.ntracks++;
    }

    track = &push->tracks[n];

    before = push->es[n];

    push->es[n] = *es;
    track->es = &push->es[n];

    if (ngx_media_ts_mux_fits(&push->mux) != NGX_OK) {
        push->es[n] = before;
        push->mux.ntracks -= (before.timescale == 0);
        return NGX_ERROR;
    }

    if (before.codec
        && (before.codec != es->codec
            || before.stream_type != es->stream_type))
    {
        push->mux.shifts[n] = (push->mux.shifts[n] + NGX_MEDIA_TS_TRACKS)
                              % (NGX_MEDIA_TS_PUSH_SETS * NGX_MEDIA_TS_TRACKS);
    }

    /* times before it were of another scale, maybe */

    if (before.timescale != es->timescale) {
        push->seen &= ~(1u << n);
    }

    push->delays[n] = 0;
    push->reorders[n] = reorder;

    track->head = head;
    track->head_len = head_len;
    track->samples = &push->samples[n];
    track->nals = &push->nals[n];

    /* 2.4.4.9: another table is another version */

    if (!push->changed) {
        push->changed = 1;
        push->mux.version = (push->mux.version + 1) & 0x1f;
    }

    push->fresh = 1;

    ngx_media_ts_mux_set_clock(&push->mux);

    return NGX_OK;
}


ngx_int_t
ngx_media_ts_push_frame(ngx_media_ts_push_t *push, ngx_uint_t n,
    const ngx_media_ts_frame_t *frame)
{
    size_t               size;
    uint64_t             time;
    ngx_media_ts_mux_t  *mux;

    mux = &push->mux;
    size = frame->last - frame->pos;

    if (n >= mux->ntracks || size == 0 || size > NGX_MAX_INT32_VALUE
        || (push->es[n].form != NGX_MEDIA_TS_NAL
            && size > ngx_media_ts_es_max(&push->es[n])))
    {
        return NGX_DECLINED;
    }

    ngx_media_ts_push_sample(push, n, frame);

    time = mux->cursors[n].time;

    ngx_media_ts_push_break(push, n, time);

    if (push->seen == 0) {
        push->start = time;
    }

    push->decodes[n] = push->tracks[n].decode_time;
    push->times[n] = time;
    push->seen |= 1u << n;
    push->track = (uint32_t) n;
    push->frame.pos = frame->pos;
    push->frame.last = frame->last;
    push->planned = 0;

    /* of the frame before nothing is left */

    mux->packets = 0;
    mux->room = 0;
    mux->header_pos = 0;
    mux->header_len = 0;

    if (push->fresh
        || (frame->key && push->es[n].type == NGX_MEDIA_VIDEO)
        || (int64_t) (time - push->tables) >= NGX_MEDIA_TS_PUSH_TABLES
        || (int64_t) (time - push->tables) < -NGX_MEDIA_TS_PUSH_AWAY)
    {
        push->fresh = 0;
        push->changed = 0;
        push->tables = time;
        mux->psi = 0;
    }

    return NGX_OK;
}


/* the table of samples of its track is that one */

static void
ngx_media_ts_push_sample(ngx_media_ts_push_t *push, ngx_uint_t n,
    const ngx_media_ts_frame_t *frame)
{
    size_t                  size;
    int64_t                 dts;
    ngx_media_sample_t     *sample;
    ngx_media_ts_nals_t     nals;
    ngx_media_ts_cursor_t  *cursor;

    size = frame->last - frame->pos;
    dts = ngx_media_ts_push_decode(push, n, frame);

    sample = &push->samples[n];

    sample->size = (uint32_t) size;
    sample->duration = frame->duration;
    sample->cto = (int32_t) ((uint64_t) frame->dts - (uint64_t) dts
                             + (uint64_t) (int64_t) frame->cto);
    sample->key = frame->key ? 1 : 0;

    if (push->es[n].nal_length && push->es[n].nal_length < 4) {
        ngx_media_ts_nals_init(&nals, size, push->es[n].nal_length);
        ngx_media_ts_nals_feed(&nals, frame->pos, frame->last);
        push->nals[n] = nals.count;
    }

    push->tracks[n].decode_time = dts;
    push->tracks[n].nsamples = 1;

    cursor = &push->mux.cursors[n];

    cursor->ticks = (uint64_t) dts;
    cursor->time = ngx_media_ts_time(dts, push->es[n].timescale);
    cursor->sample = 0;
}


/*
 * When it is decoded, in timescale: not after it is shown (2.4.3.7), and later
 * than the one before, if both can be
 */

static int64_t
ngx_media_ts_push_decode(ngx_media_ts_push_t *push, ngx_uint_t n,
    const ngx_media_ts_frame_t *frame)
{
    int64_t   last, most, need;
    uint64_t  dts, pts;

    if (push->es[n].type != NGX_MEDIA_VIDEO) {
        return frame->dts;
    }

    /* what needs more is no picture that somebody waits for */

    most = (int64_t) push->es[n].timescale * 2;

    /* a forecast, of a frame that may be a long one alone: not more than half
       a second; what is seen counts as it is */

    need = (int64_t) push->reorders[n] * frame->duration;
    need = ngx_min(need, (int64_t) push->es[n].timescale / 2);
    need = ngx_max(need, -(int64_t) frame->cto);

    if (need > push->delays[n] && need <= most) {
        push->delays[n] = need;
    }

    dts = (uint64_t) frame->dts - (uint64_t) push->delays[n];
    pts = (uint64_t) frame->dts + (uint64_t) (int64_t) frame->cto;
    last = push->decodes[n];

    if ((push->seen & 1u << n)
        && (int64_t) (dts - (uint64_t) last) <= 0
        && (int64_t) (dts - (uint64_t) last) > -most)
    {
        dts = (uint64_t) last + 1;
    }

    if ((int64_t) (pts - dts) < 0) {
        dts = pts;
    }

    return (int64_t) dts;
}


/* how far behind it nobody waits for a track: its times are decode times */

static int64_t
ngx_media_ts_push_away(const ngx_media_ts_push_t *push, ngx_uint_t n)
{
    return NGX_MEDIA_TS_PUSH_AWAY
           + push->delays[n] * 90000 / (int64_t) push->es[n].timescale;
}


/*
 * 2.4.3.5: what comes now has nothing to do with the times before.  It is the
 * clock's own track that says so, while there is one: another one that jumps
 * alone is late, or early.  Who is far behind the clock may have been so all
 * the time.
 */

static void
ngx_media_ts_push_break(ngx_media_ts_push_t *push, ngx_uint_t n,
    uint64_t time)
{
    int64_t     gap;
    ngx_uint_t  master;

    if (!push->mux.has_pcr) {
        return;
    }

    master = push->mux.pcr_track;

    if (n != master && (push->seen & 1u << master)
        && (int64_t) (push->mux.pcr - push->times[master])
           <= ngx_media_ts_push_away(push, master))
    {
        return;
    }

    gap = (int64_t) (time - push->mux.pcr);

    if (gap < -NGX_MEDIA_TS_PCR_GAP) {

        if (!(push->seen & 1u << n)
            || (int64_t) (time - push->times[n]) >= -NGX_MEDIA_TS_PCR_GAP)
        {
            return;
        }

    } else if (gap <= NGX_MEDIA_TS_PCR_GAP) {
        return;
    }

    push->mux.has_pcr = 0;
    push->seen = 0;
    push->fresh = 1;
    push->broken = 1;
    push->breaks++;
}


ngx_int_t
ngx_media_ts_push_write(ngx_media_ts_push_t *push, u_char **p, u_char *last)
{
    ngx_int_t  rc;

    for ( ;; ) {
        rc = ngx_media_ts_mux_write(&push->mux, &push->in, p, last);

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        /* a unit is written */

        if (ngx_media_ts_push_plan(push) != NGX_OK) {
            return NGX_DONE;
        }

        ngx_media_ts_mux_begin(&push->mux);
    }
}


/* what there is to write of the frame: tables, clocks, and it */

static ngx_int_t
ngx_media_ts_push_plan(ngx_media_ts_push_t *push)
{
    uint64_t             clock;
    ngx_media_ts_mux_t  *mux;

    mux = &push->mux;

    if (push->planned) {
        return NGX_DONE;
    }

    if (!mux->psi) {
        mux->number++;
        ngx_media_ts_mux_plan_psi(mux);
        return NGX_OK;
    }

    clock = ngx_media_ts_push_clock(push);

    if ((mux->has_pcr || push->track != mux->pcr_track)
        && ngx_media_ts_mux_plan_clock(mux, clock) == NGX_OK)
    {
        mux->unit.broken = push->broken;
        push->broken = 0;
        return NGX_OK;
    }

    ngx_media_ts_push_plan_frame(push, clock);

    return NGX_OK;
}


static void
ngx_media_ts_push_plan_frame(ngx_media_ts_push_t *push, uint64_t clock)
{
    ngx_media_ts_mux_t   *mux;
    ngx_media_ts_unit_t  *unit;

    mux = &push->mux;
    unit = &mux->unit;

    ngx_media_ts_mux_plan_frames(mux, push->track);

    unit->pcr = clock;

    if (push->track == mux->pcr_track
        && (!mux->has_pcr || (int64_t) (clock - mux->pcr) > 0))
    {
        unit->has_pcr = 1;
        unit->broken = push->broken;
        push->broken = 0;
    }

    ngx_media_ts_mux_plan_end(mux);

    if (mux->has_pcr
        && (int64_t) (mux->pcr - unit->dts) > NGX_MEDIA_TS_PCR_LEAD)
    {
        push->late++;
    }

    push->in = push->frame;
    push->planned = 1;
}


/*
 * The time that it is, as far as all tracks agree: that of the frame, unless
 * another track's next one, or its first, is expected much earlier.  Text comes
 * when it comes.
 */

static uint64_t
ngx_media_ts_push_clock(const ngx_media_ts_push_t *push)
{
    uint32_t                   i;
    uint64_t                   clock, last, next, time;
    const ngx_media_ts_mux_t  *mux;

    mux = &push->mux;
    time = push->times[push->track];
    clock = time;

    for (i = 0; i < mux->ntracks; i++) {

        if (i == push->track || push->es[i].type == NGX_MEDIA_TEXT) {
            continue;
        }

        if (push->seen & 1u << i) {
            last = push->times[i];
            next = mux->cursors[i].time;

        } else {
            last = push->start;
            next = push->start;
        }

        if ((int64_t) (time - last) > ngx_media_ts_push_away(push, i)) {
            continue;
        }

        next += NGX_MEDIA_TS_PUSH_AHEAD;

        if ((int64_t) (clock - next) > 0) {
            clock = next;
        }
    }

    return clock;
}
