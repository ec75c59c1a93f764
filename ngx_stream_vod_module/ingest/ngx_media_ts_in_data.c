
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Timed data beside audio and video: ID3 and KLV, of PES packets, and SCTE-35,
 * which encoders send several times, to be sure.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_scte35.h"
#include "ingest/ngx_media_ts_in_state.h"


/* ms in which the same section means the same */
#define NGX_MEDIA_TS_IN_SAME  10000


static ngx_uint_t ngx_media_ts_in_again(ngx_media_ts_in_t *ts,
    const ngx_media_span_t *section);
static ngx_media_publish_e ngx_media_ts_in_data_put(ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t, ngx_media_data_kind_e kind,
    int64_t stamp, const u_char *pos, const u_char *last);


ngx_media_publish_e
ngx_media_ts_in_timed(ngx_media_ts_in_t *ts, const ngx_media_ts_in_track_t *t,
    int64_t pts, const u_char *pos, const u_char *last)
{
    return ngx_media_ts_in_data_put(ts, t, t->as == NGX_MEDIA_TS_AS_ID3
                                           ? NGX_MEDIA_DATA_ID3
                                           : NGX_MEDIA_DATA_KLV,
                                    pts, pos, last);
}


ngx_media_publish_e
ngx_media_ts_in_section(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    const ngx_media_ts_event_t *ev)
{
    int64_t     stamp;
    uint64_t    time;
    ngx_int_t   rc;

    if (t->as != NGX_MEDIA_TS_AS_SCTE35
        || ngx_media_ts_in_again(ts, &ev->data))
    {
        return NGX_MEDIA_PUBLISH_OK;
    }

    /* encoders send these to show that they are there */

    if (ngx_media_scte35_idle(ev->data.pos, ev->data.last)) {
        ngx_log_debug1(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                       "ts section of PID:%ui says nothing", t->pid);
        return NGX_MEDIA_PUBLISH_OK;
    }

    rc = ngx_media_scte35_time(&time, ev->data.pos, ev->data.last);

    switch (rc) {

    case NGX_OK:
        stamp = (int64_t) time;
        break;

    case NGX_DECLINED:

        /* at once: by the clock */

        stamp = ev->pcr != NGX_MEDIA_TS_NO_TIME
                ? ev->pcr : ts->arrival * (NGX_MEDIA_TS_TIMESCALE / 1000);
        break;

    default: /* NGX_ERROR */
        stamp = NGX_MEDIA_TS_NO_TIME;
    }

    return ngx_media_ts_in_data_put(ts, t, NGX_MEDIA_DATA_SCTE35, stamp,
                                    ev->data.pos, ev->data.last);
}


static ngx_uint_t
ngx_media_ts_in_again(ngx_media_ts_in_t *ts, const ngx_media_span_t *section)
{
    uint64_t                    hash;
    ngx_uint_t                  i;
    ngx_media_ts_in_section_t  *s;

    hash = ngx_media_hash(section->pos, ngx_media_span_len(section));

    for (i = 0; i < NGX_MEDIA_TS_IN_SECTIONS; i++) {
        s = &ts->sections[i];

        if (s->arrival && s->hash == hash
            && ts->arrival - s->arrival < NGX_MEDIA_TS_IN_SAME)
        {
            ngx_log_debug1(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                           "ts section again, ms:%L",
                           ts->arrival - s->arrival);
            return 1;
        }
    }

    s = &ts->sections[ts->section++ % NGX_MEDIA_TS_IN_SECTIONS];

    s->hash = hash;
    s->arrival = ts->arrival;

    return 0;
}


/* NGX_MEDIA_TS_NO_TIME: it is malformed */

static ngx_media_publish_e
ngx_media_ts_in_data_put(ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t, ngx_media_data_kind_e kind,
    int64_t stamp, const u_char *pos, const u_char *last)
{
    ngx_media_publish_e          rc;
    ngx_media_publish_ignored_t  ignored;

    if (stamp != NGX_MEDIA_TS_NO_TIME && last - pos <= NGX_MEDIA_DATA_MAX) {

        rc = ngx_media_publish_data(ts->conf.publisher, kind,
                                    (uint64_t) stamp & NGX_MEDIA_TS_TIME_MASK,
                                    pos, last);

        ngx_log_debug5(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                       "ts data PID:%ui kind:%d stamp:%L len:%uz answer:%d",
                       t->pid, (int) kind, stamp, (size_t) (last - pos),
                       (int) rc);
        return rc;
    }

    ngx_memzero(&ignored, sizeof(ngx_media_publish_ignored_t));

    ignored.kind = NGX_MEDIA_IGNORED_DATA;
    ignored.type = NGX_MEDIA_TEXT;
    ignored.pos = pos;
    ignored.last = last;

    return ngx_media_publish_ignore(ts->conf.publisher, &ignored);
}
