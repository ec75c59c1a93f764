
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MPEG-TS as publishers send it: bytes, events of the demuxer, what publish
 * takes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_ts_in_state.h"


/* what has been no MPEG-TS for so long, ms, will be none */
#define NGX_MEDIA_TS_IN_PATIENCE  5000

/* a clock that is off by less goes on, 90 kHz */
#define NGX_MEDIA_TS_IN_JUMP      9000

/* by more than that of which stamps are ahead, so that they are of one side */
#define NGX_MEDIA_TS_IN_SIDES     (2 * 90000)


static void ngx_media_ts_in_tell(ngx_media_ts_in_t *ts);
static ngx_media_publish_e ngx_media_ts_in_event(ngx_media_ts_in_t *ts,
    const ngx_media_ts_event_t *ev);
static ngx_media_ts_in_track_t *ngx_media_ts_in_track(ngx_media_ts_in_t *ts,
    const ngx_media_ts_event_t *ev);
static void ngx_media_ts_in_clock(ngx_media_ts_in_t *ts,
    const ngx_media_ts_event_t *ev);
static void ngx_media_ts_in_note(ngx_media_ts_in_t *ts,
    const ngx_media_ts_event_t *ev);
static ngx_media_publish_e ngx_media_ts_in_patience(ngx_media_ts_in_t *ts);
static void ngx_media_ts_in_link_pids(const ngx_media_ts_in_t *ts,
    ngx_media_link_t *link);


ngx_media_ts_in_t *
ngx_media_ts_in_create(const ngx_media_ts_in_conf_t *conf)
{
    ngx_media_ts_in_t          *ts;
    ngx_media_ts_demux_conf_t   demux;

    ts = ngx_calloc(sizeof(ngx_media_ts_in_t), conf->log);
    if (ts == NULL) {
        return NULL;
    }

    ts->conf = *conf;

    ngx_memzero(&demux, sizeof(ngx_media_ts_demux_conf_t));

    demux.program = conf->program;
    demux.early = conf->early;

    ngx_media_ts_demux_init(&ts->demux, &demux);

    return ts;
}


void
ngx_media_ts_in_destroy(ngx_media_ts_in_t *ts)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        ngx_media_ts_in_track_free(ts, i);
    }

    ngx_free(ts);
}


ngx_media_publish_e
ngx_media_ts_in_bytes(ngx_media_ts_in_t *ts, const u_char *pos,
    const u_char *last, int64_t arrival)
{
    ngx_media_span_t      in;
    ngx_media_publish_e   rc;
    ngx_media_ts_event_t  ev;

    in.pos = pos;
    in.last = last;

    ts->arrival = arrival;
    ts->demux.now = arrival;

    while (ngx_media_ts_demux(&ts->demux, &in, &ev) == NGX_OK) {

        rc = ngx_media_ts_in_event(ts, &ev);

        if (!ngx_media_publish_goes_on(rc)) {
            return rc;
        }
    }

    if (ts->demux.stat.cc_errors > ts->told) {
        ngx_media_ts_in_tell(ts);
    }

    return ngx_media_ts_in_patience(ts);
}


/* the first one, and when there are twice as many */

static void
ngx_media_ts_in_tell(ngx_media_ts_in_t *ts)
{
    ngx_uint_t                  i;
    ngx_media_ts_in_stat_t      stat;
    const ngx_media_ts_slot_t  *slot;

    ngx_media_ts_in_stat(ts, &stat);

    ts->told = 2 * stat.cc_errors;

    for (i = 0; /* void */ ; i++) {
        slot = ngx_media_ts_demux_pid(&ts->demux, i);

        if (slot == NULL) {
            break;
        }

        if (slot->cc_errors) {
            ngx_log_error(NGX_LOG_WARN, ts->conf.log, 0,
                          "ts: PID %ui has %uL gaps, %uL packets in all, "
                          "%uL frames left out",
                          (ngx_uint_t) slot->pid, slot->cc_errors,
                          stat.packets, stat.damaged);
        }
    }
}


void
ngx_media_ts_in_gap(ngx_media_ts_in_t *ts, size_t bytes)
{
    ngx_log_debug1(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0, "ts gap bytes:%uz",
                   bytes);

    ngx_media_ts_demux_gap(&ts->demux, bytes);
}


ngx_media_publish_e
ngx_media_ts_in_flush(ngx_media_ts_in_t *ts)
{
    ngx_uint_t            i;
    ngx_media_publish_e   rc;
    ngx_media_ts_event_t  ev;

    while (ngx_media_ts_demux_flush(&ts->demux, &ev) == NGX_OK) {

        rc = ngx_media_ts_in_event(ts, &ev);

        if (!ngx_media_publish_goes_on(rc)) {
            return rc;
        }
    }

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {

        if (ts->tracks[i] == NULL) {
            continue;
        }

        rc = ngx_media_ts_in_rest(ts, ts->tracks[i]);

        if (!ngx_media_publish_goes_on(rc)) {
            return rc;
        }
    }

    return NGX_MEDIA_PUBLISH_OK;
}


static ngx_media_publish_e
ngx_media_ts_in_event(ngx_media_ts_in_t *ts, const ngx_media_ts_event_t *ev)
{
    ngx_media_ts_in_track_t  *t;

    switch (ev->type) {

    case NGX_MEDIA_TS_EVENT_PROGRAM:
        return ngx_media_ts_in_program(ts);

    case NGX_MEDIA_TS_EVENT_CLOCK:

        ngx_media_ts_in_clock(ts, ev);
        return NGX_MEDIA_PUBLISH_OK;

    case NGX_MEDIA_TS_EVENT_NOTE:
        ngx_media_ts_in_note(ts, ev);
        return NGX_MEDIA_PUBLISH_OK;

    default:
        break;
    }

    t = ngx_media_ts_in_track(ts, ev);

    if (t == NULL) {
        return NGX_MEDIA_PUBLISH_OK;
    }

    switch (ev->type) {

    case NGX_MEDIA_TS_EVENT_START:
        return ngx_media_ts_in_start(ts, t, ev);

    case NGX_MEDIA_TS_EVENT_DATA:
        return ngx_media_ts_in_data(ts, t, ev);

    case NGX_MEDIA_TS_EVENT_END:
        return ngx_media_ts_in_whole(ts, t, ev);

    default: /* NGX_MEDIA_TS_EVENT_SECTION */
        return ngx_media_ts_in_section(ts, t, ev);
    }
}


static ngx_media_ts_in_track_t *
ngx_media_ts_in_track(ngx_media_ts_in_t *ts, const ngx_media_ts_event_t *ev)
{
    return ev->stream < NGX_MEDIA_TS_STREAMS ? ts->tracks[ev->stream] : NULL;
}


/*
 * What stamps do not follow means nothing, and what is small is no jump.  Those
 * that went first were seen to jump for themselves, and the others follow them:
 * there is no second period.
 */

static void
ngx_media_ts_in_clock(ngx_media_ts_in_t *ts, const ngx_media_ts_event_t *ev)
{
    int64_t                         jump;
    ngx_uint_t                      i;
    const ngx_media_ts_in_track_t  *t;

    jump = ev->pcr - ev->from;

    ngx_log_debug3(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                   "ts clock jumps, PID:%ui to:%L by:%L", ev->pid, ev->pcr,
                   jump);

    if (ngx_abs(jump) < NGX_MEDIA_TS_IN_JUMP) {
        return;
    }

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        t = ts->tracks[i];

        if (t && t->codec && t->dts != NGX_MEDIA_TS_NO_TIME
            && ngx_abs(jump) > NGX_MEDIA_TS_IN_SIDES
            && ngx_abs(t->dts - ev->pcr) < ngx_abs(t->dts - ev->from))
        {
            ngx_log_debug2(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                           "ts stamps went before the clock, PID:%ui dts:%L",
                           t->pid, t->dts);
            return;
        }
    }

    ts->jump = jump;
    ts->jumped = ts->arrival;
}


static void
ngx_media_ts_in_note(ngx_media_ts_in_t *ts, const ngx_media_ts_event_t *ev)
{
    if (ev->stream < NGX_MEDIA_TS_STREAMS) {

        ngx_log_error(NGX_LOG_INFO, ts->conf.log, 0,
                      "ts: PID %ui type 0x%02Xd ignored: %s", ev->pid,
                      (int) ts->demux.streams[ev->stream].stream_type,
                      ev->why);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, ts->conf.log, 0,
                  "ts: PID %ui ignored: %s", ev->pid, ev->why);
}


static ngx_media_publish_e
ngx_media_ts_in_patience(ngx_media_ts_in_t *ts)
{
    uint64_t  packets;

    packets = ts->demux.stat.packets;

    if (ts->good == 0
        || (packets != ts->packets && ts->demux.program)
        || ts->arrival < ts->good)
    {
        ts->good = ts->arrival;
        ts->packets = packets;

        return NGX_MEDIA_PUBLISH_OK;
    }

    if (ts->arrival - ts->good < NGX_MEDIA_TS_IN_PATIENCE) {
        return NGX_MEDIA_PUBLISH_OK;
    }

    ts->why = packets == ts->packets
              ? "this is no MPEG-TS: no sync byte for 5 s"
              : "no programme for 5 s: no PAT, or not the one that was asked "
                "for";

    return NGX_MEDIA_PUBLISH_USELESS;
}


const char *
ngx_media_ts_in_why(const ngx_media_ts_in_t *ts, ngx_media_publish_e rc)
{
    return ts->why ? ts->why : ngx_media_publish_why(ts->conf.publisher, rc);
}


void
ngx_media_ts_in_stat(const ngx_media_ts_in_t *ts, ngx_media_ts_in_stat_t *stat)
{
    ngx_uint_t                        i;
    const ngx_media_ts_demux_stat_t  *s;

    s = &ts->demux.stat;

    stat->bytes = s->bytes;
    stat->packets = s->packets;
    stat->resyncs = s->resyncs;
    stat->skipped = s->skipped;
    stat->tei = s->tei;
    stat->scrambled = s->scrambled;
    stat->malformed = s->malformed + s->sections;
    stat->duplicates = s->duplicates;
    stat->cc_errors = s->cc_errors;
    stat->ignored = s->ignored;
    stat->jumps = s->jumps;
    stat->damaged = ts->damaged;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        if (ts->tracks[i]) {
            stat->damaged += ts->tracks[i]->split.stat.damaged;
        }
    }
}


ngx_int_t
ngx_media_ts_in_pid(const ngx_media_ts_in_t *ts, ngx_uint_t i,
    ngx_media_ts_in_pid_t *pid)
{
    const ngx_media_ts_slot_t    *slot;
    const ngx_media_ts_stream_t  *stream;

    slot = ngx_media_ts_demux_pid(&ts->demux, i);

    if (slot == NULL) {
        return NGX_DONE;
    }

    pid->pid = slot->pid;
    pid->packets = slot->packets;
    pid->cc_errors = slot->cc_errors;
    pid->scrambled = slot->scrambled;
    pid->stream_type = 0;
    pid->codec = NULL;

    if (slot->stream < NGX_MEDIA_TS_STREAMS) {
        stream = &ts->demux.streams[slot->stream];

        pid->stream_type = stream->stream_type;
        pid->codec = stream->codec;
    }

    return NGX_OK;
}


void
ngx_media_ts_in_link(ngx_media_ts_in_t *ts, ngx_media_link_t *link)
{
    ngx_media_ts_in_stat_t   stat;
    ngx_media_ts_in_stat_t  *was;

    was = &ts->linked;

    ngx_media_ts_in_stat(ts, &stat);

    link->count[NGX_MEDIA_LINK_TS_PACKETS] = stat.packets - was->packets;
    link->count[NGX_MEDIA_LINK_TS_BYTES] = stat.bytes - was->bytes;
    link->count[NGX_MEDIA_LINK_TS_CC] = stat.cc_errors - was->cc_errors;
    link->count[NGX_MEDIA_LINK_TS_ERRORS] = stat.tei - was->tei;
    link->count[NGX_MEDIA_LINK_TS_SCRAMBLED] = stat.scrambled
                                               - was->scrambled;
    link->count[NGX_MEDIA_LINK_TS_MALFORMED] = stat.malformed
                                               - was->malformed;
    link->count[NGX_MEDIA_LINK_TS_IGNORED] = stat.ignored - was->ignored;
    link->count[NGX_MEDIA_LINK_TS_DUPLICATES] = stat.duplicates
                                                - was->duplicates;
    link->count[NGX_MEDIA_LINK_TS_RESYNCS] = stat.resyncs - was->resyncs;
    link->count[NGX_MEDIA_LINK_TS_SKIPPED] = stat.skipped - was->skipped;
    link->count[NGX_MEDIA_LINK_TS_DAMAGED] = stat.damaged - was->damaged;
    link->count[NGX_MEDIA_LINK_TS_JUMPS] = stat.jumps - was->jumps;

    ts->linked = stat;

    ngx_media_ts_in_link_pids(ts, link);
}


static void
ngx_media_ts_in_link_pids(const ngx_media_ts_in_t *ts, ngx_media_link_t *link)
{
    ngx_uint_t              i;
    ngx_media_link_pid_t   *to;
    ngx_media_ts_in_pid_t   pid;

    ngx_memzero(link->pids, sizeof(link->pids));

    link->npids = 0;
    link->more = 0;

    for (i = 0; ngx_media_ts_in_pid(ts, i, &pid) == NGX_OK; i++) {

        if (link->npids == NGX_MEDIA_LINK_PIDS) {
            link->more++;
            continue;
        }

        to = &link->pids[link->npids++];

        to->pid = (uint16_t) pid.pid;
        to->stream_type = (uint8_t) pid.stream_type;
        to->codec = pid.codec ? pid.codec->id : 0;
        to->packets = pid.packets;
        to->cc_errors = pid.cc_errors;
        to->scrambled = pid.scrambled;
    }
}
