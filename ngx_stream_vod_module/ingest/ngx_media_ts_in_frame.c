
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Bytes of elementary streams wait here until frames of them are whole, and
 * these get what publish wants of them: a stamp and an arrival.
 *
 * A frame arrives with the last packet that has bytes of it.  It has the stamp
 * of its PES packet; where none ever came, it is the clock of the program that
 * says when it will be shown, and without that its arrival.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_ts_in_state.h"


/* bytes that wait, at first and at most: of video, of others */
#define NGX_MEDIA_TS_IN_BUF        4096
#define NGX_MEDIA_TS_IN_VIDEO_MAX  (8 * 1024 * 1024)
#define NGX_MEDIA_TS_IN_OTHER_MAX  (64 * 1024)

/* of all together, however many there are */
#define NGX_MEDIA_TS_IN_ALL_MAX    (32 * 1024 * 1024)

/* what was not needed for so long, ms, is given back */
#define NGX_MEDIA_TS_IN_SHRINK     60000

/* stamps follow the clock within so many ms */
#define NGX_MEDIA_TS_IN_FOLLOW     5000

/* pictures of one PES packet, ms: what is longer is stamps that jump */
#define NGX_MEDIA_TS_IN_LUMP       3000

/* from the clock of a frame without a stamp until it is shown, 90 kHz */
#define NGX_MEDIA_TS_IN_DELAY      18000


static ngx_media_publish_e ngx_media_ts_in_frames(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t);
static uint64_t ngx_media_ts_in_pictures(int64_t span, ngx_uint_t n);
static ngx_media_publish_e ngx_media_ts_in_frame(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, ngx_media_ts_split_frame_t *frame,
    int64_t arrival);
static void ngx_media_ts_in_stamp(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, ngx_media_ts_split_frame_t *frame);
static void ngx_media_ts_in_jump(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, const ngx_media_ts_split_frame_t *frame);
static ngx_int_t ngx_media_ts_in_room(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, size_t n);
static ngx_int_t ngx_media_ts_in_resize(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, size_t size);
static void ngx_media_ts_in_shrink(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t);


ngx_media_publish_e
ngx_media_ts_in_start(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    const ngx_media_ts_event_t *ev)
{
    t->mark = t->used;
    t->mark_arrival = t->arrival;

    ngx_media_ts_split_start(&t->split, t->used, ev);

    return NGX_MEDIA_PUBLISH_OK;
}


ngx_media_publish_e
ngx_media_ts_in_data(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    const ngx_media_ts_event_t *ev)
{
    size_t               n;
    ngx_int_t            rc;
    ngx_media_publish_e  answer;

    if (ev->damaged) {
        ngx_media_ts_split_hole(&t->split, t->used);
    }

    n = ngx_media_span_len(&ev->data);
    rc = ngx_media_ts_in_room(ts, t, n);

    if (rc == NGX_ERROR) {
        return NGX_MEDIA_PUBLISH_NOMEM;
    }

    if (rc == NGX_DECLINED && t->type == NGX_MEDIA_AUDIO) {

        /* many frames of a PES packet that does not say its length */

        answer = ngx_media_ts_in_frames(ts, t);

        if (!ngx_media_publish_goes_on(answer)) {
            return answer;
        }

        rc = ngx_media_ts_in_room(ts, t, n);
    }

    if (rc == NGX_DECLINED) {

        /* no frame is so large: what waits goes, and what it belongs to */

        if (!t->large) {
            t->large = 1;

            ngx_log_error(NGX_LOG_WARN, ts->conf.log, 0,
                          "ts: PID %ui has a frame of more than %uz bytes, "
                          "it is left out", t->pid, t->used);
        }

        ngx_media_ts_split_flush(&t->split);

        answer = ngx_media_ts_in_frames(ts, t);

        if (!ngx_media_publish_goes_on(answer)) {
            return answer;
        }

        ngx_media_ts_split_hole(&t->split, t->used);
    }

    ngx_memcpy(t->buf + t->used, ev->data.pos, n);

    t->used += n;
    t->arrival = ts->arrival;

    return NGX_MEDIA_PUBLISH_OK;
}


ngx_media_publish_e
ngx_media_ts_in_whole(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    const ngx_media_ts_event_t *ev)
{
    if (ev->damaged) {
        ngx_media_ts_split_hole(&t->split, t->used);
    }

    return t->used ? ngx_media_ts_in_frames(ts, t) : NGX_MEDIA_PUBLISH_OK;
}


ngx_media_publish_e
ngx_media_ts_in_rest(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t)
{
    if (t->as == NGX_MEDIA_TS_AS_SCTE35 || t->used == 0) {
        return NGX_MEDIA_PUBLISH_OK;
    }

    ngx_media_ts_split_flush(&t->split);

    return ngx_media_ts_in_frames(ts, t);
}


static ngx_media_publish_e
ngx_media_ts_in_frames(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t)
{
    int64_t                     arrival, first, last;
    uint64_t                    lump;
    ngx_uint_t                  pictures;
    ngx_media_span_t            in;
    ngx_media_publish_e         rc;
    ngx_media_ts_split_frame_t  frame;

    in.pos = t->buf;
    in.last = t->buf + t->used;

    t->peak = ngx_max(t->peak, t->used);
    lump = 0;
    first = 0;
    last = 0;
    pictures = 0;

    while (ngx_media_ts_split(&t->split, &in, &frame) == NGX_OK) {

        arrival = (size_t) (frame.last - t->buf) <= t->mark ? t->mark_arrival
                                                            : t->arrival;

        rc = ngx_media_ts_in_frame(ts, t, &frame, arrival);

        if (!ngx_media_publish_goes_on(rc)) {
            return rc;
        }

        if (frame.samples) {
            lump += (uint64_t) frame.samples * 1000 / frame.rate;

        } else if (t->type == NGX_MEDIA_VIDEO) {
            first = pictures++ ? first : frame.dts;
            last = frame.dts;
        }
    }

    if (pictures > 1) {
        lump = ngx_media_ts_in_pictures(last - first, pictures);
    }

    if (lump > t->lump) {
        t->lump = (ngx_msec_t) lump;
        ngx_media_publish_lump(ts->conf.publisher, t->type, t->id, t->lump);
    }

    t->used = ngx_media_span_len(&in);
    t->mark = 0;

    if (t->used && in.pos != t->buf) {
        ngx_memmove(t->buf, in.pos, t->used);
    }

    ngx_media_ts_in_shrink(ts, t);

    return NGX_MEDIA_PUBLISH_OK;
}


/* ms that n of them last, from the first of which to the last it is the span */

static uint64_t
ngx_media_ts_in_pictures(int64_t span, ngx_uint_t n)
{
    if (span <= 0
        || span > NGX_MEDIA_TS_IN_LUMP * (NGX_MEDIA_TS_TIMESCALE / 1000))
    {
        return 0;
    }

    return (uint64_t) span * n / (n - 1) / (NGX_MEDIA_TS_TIMESCALE / 1000);
}


static ngx_media_publish_e
ngx_media_ts_in_frame(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    ngx_media_ts_split_frame_t *frame, int64_t arrival)
{
    uint64_t                   mask;
    ngx_media_publish_e        rc;
    ngx_media_publish_frame_t  out;

    /* what still comes of one whose track another one goes on with would stand
       between the frames of that */

    if (t->gone && ngx_media_ts_in_taken(ts, t)) {
        t->split.stat.damaged++;
        return NGX_MEDIA_PUBLISH_OK;
    }

    ngx_media_ts_in_stamp(ts, t, frame);

    mask = NGX_MEDIA_TS_TIME_MASK;

    if (frame->codec == NULL) {
        return ngx_media_ts_in_timed(ts, t, frame->pts, frame->pos,
                                     frame->last);
    }

    ngx_media_ts_in_jump(ts, t, frame);

    t->dts = frame->dts;

    out.type = t->type;
    out.id = t->id;
    out.codec = frame->codec->id;
    out.stamp = (uint64_t) frame->dts & mask;
    out.cts = (int32_t) (frame->pts - frame->dts);
    out.nsec = 0;
    out.arrival = arrival;
    out.pos = frame->pos;
    out.last = frame->last;

    rc = t->latm ? ngx_media_ts_in_latm(ts, t, frame, &out)
                 : ngx_media_publish_frame(ts->conf.publisher, &out);

    ngx_log_debug7(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                   "ts frame PID:%ui pts:%L dts:%L counted:%d arrival:%L "
                   "len:%uz answer:%d", t->pid, frame->pts, frame->dts,
                   (int) frame->counted, arrival,
                   (size_t) (frame->last - frame->pos), (int) rc);

    return rc;
}


/* one that has none: behind the last, else when it is likely to be shown */

static void
ngx_media_ts_in_stamp(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    ngx_media_ts_split_frame_t *frame)
{
    int64_t  stamp;

    if (frame->pts != NGX_MEDIA_TS_NO_TIME) {
        t->stamp = NGX_MEDIA_TS_NO_TIME;
        return;
    }

    stamp = t->stamp;

    if (stamp == NGX_MEDIA_TS_NO_TIME || frame->samples == 0) {

        stamp = ts->demux.pcr != NGX_MEDIA_TS_NO_TIME
                ? ts->demux.pcr + NGX_MEDIA_TS_IN_DELAY
                : t->arrival * (NGX_MEDIA_TS_TIMESCALE / 1000);

        if (t->stamp != NGX_MEDIA_TS_NO_TIME && stamp < t->stamp) {
            stamp = t->stamp;
        }
    }

    frame->pts = stamp;
    frame->dts = stamp;

    t->stamp = stamp + 1;

    if (frame->samples) {
        t->stamp = stamp + (int64_t) frame->samples * NGX_MEDIA_TS_TIMESCALE
                           / frame->rate;
    }
}


/* is this the first frame whose stamp has jumped as the clock has? */

static void
ngx_media_ts_in_jump(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    const ngx_media_ts_split_frame_t *frame)
{
    int64_t  d;

    if (ts->jump == 0) {
        return;
    }

    if (ts->arrival - ts->jumped > NGX_MEDIA_TS_IN_FOLLOW) {
        ts->jump = 0;
        return;
    }

    if (t->dts != NGX_MEDIA_TS_NO_TIME) {
        d = frame->dts - t->dts;

        if (ngx_abs(d) <= ngx_abs(d - ts->jump)) {
            return;
        }
    }

    ngx_log_debug3(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                   "ts stamps follow the clock, PID:%ui dts:%L jump:%L",
                   t->pid, frame->dts, ts->jump);

    ts->jump = 0;

    ngx_media_publish_restart(ts->conf.publisher);
}


/* NGX_DECLINED: it may not grow so large */

static ngx_int_t
ngx_media_ts_in_room(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    size_t n)
{
    size_t  most, size;

    if (n <= t->size - t->used) {
        return NGX_OK;
    }

    most = t->type == NGX_MEDIA_VIDEO ? NGX_MEDIA_TS_IN_VIDEO_MAX
                                      : NGX_MEDIA_TS_IN_OTHER_MAX;

    if (n > most - t->used) {
        return NGX_DECLINED;
    }

    size = ngx_max(t->size, NGX_MEDIA_TS_IN_BUF);

    while (size - t->used < n) {
        size *= 2;
    }

    if (size > NGX_MEDIA_TS_IN_BUF
        && ts->memory - t->size + size > NGX_MEDIA_TS_IN_ALL_MAX)
    {
        return NGX_DECLINED;
    }

    return ngx_media_ts_in_resize(ts, t, size);
}


static ngx_int_t
ngx_media_ts_in_resize(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    size_t size)
{
    u_char  *buf;

    buf = ngx_alloc(size, ts->conf.log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    if (t->buf) {
        ngx_memcpy(buf, t->buf, t->used);
        ngx_free(t->buf);
    }

    ngx_log_debug3(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                   "ts buffer of PID:%ui has:%uz used:%uz", t->pid, size,
                   t->used);

    ts->memory += size - t->size;

    t->buf = buf;
    t->size = size;

    return NGX_OK;
}


static void
ngx_media_ts_in_shrink(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t)
{
    size_t  size;

    if (ts->arrival >= t->since
        && ts->arrival - t->since < NGX_MEDIA_TS_IN_SHRINK)
    {
        return;
    }

    size = NGX_MEDIA_TS_IN_BUF;

    while (size < t->peak) {
        size *= 2;
    }

    /* without memory it stays as large */

    if (size < t->size) {
        (void) ngx_media_ts_in_resize(ts, t, size);
    }

    t->peak = t->used;
    t->since = ts->arrival;
}
