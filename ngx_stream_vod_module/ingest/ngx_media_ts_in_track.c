
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Elementary streams become tracks.  A track's number is the place of its
 * stream among those of its type in the first PMT, and stays with it; what
 * comes later takes the number of one that has gone, else the next: so encoders
 * that change their PIDs go on with the same tracks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_lang.h"
#include "ingest/ngx_media_ts_in_state.h"


/* channel_config_code where what is said is none that is known: stereo */
#define NGX_MEDIA_TS_IN_CHANNELS  2


static ngx_media_publish_e ngx_media_ts_in_back(ngx_media_ts_in_t *ts);
static ngx_media_publish_e ngx_media_ts_in_track_add(ngx_media_ts_in_t *ts,
    ngx_uint_t i);
static ngx_media_publish_e ngx_media_ts_in_configure(ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t, const ngx_media_ts_stream_t *stream);
static ngx_uint_t ngx_media_ts_in_track_id(ngx_media_ts_in_t *ts,
    ngx_uint_t type);
static void ngx_media_ts_in_describe(ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t, const ngx_media_ts_stream_t *stream);
static void ngx_media_ts_in_announce(ngx_media_ts_in_t *ts);


ngx_media_publish_e
ngx_media_ts_in_program(ngx_media_ts_in_t *ts)
{
    ngx_uint_t                    gone, i, order;
    ngx_media_publish_e           rc;
    ngx_media_ts_in_track_t      *t;
    const ngx_media_ts_stream_t  *stream;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        t = ts->tracks[i];
        stream = &ts->demux.streams[i];

        if (t == NULL) {
            continue;
        }

        gone = !stream->used || stream->serial != t->serial;

        /* one that takes its place is not to wait for its last frame */

        if (gone || (stream->gone && !t->gone)) {
            rc = ngx_media_ts_in_rest(ts, t);

            if (!ngx_media_publish_goes_on(rc)) {
                return rc;
            }
        }

        t->back = t->gone && !stream->gone;
        t->gone = stream->gone;

        if (gone) {
            ngx_media_ts_in_track_free(ts, i);
        }
    }

    rc = ngx_media_ts_in_back(ts);

    if (!ngx_media_publish_goes_on(rc)) {
        return rc;
    }

    for (order = 0; order < 256; order++) {

        for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
            stream = &ts->demux.streams[i];

            if (!stream->used || stream->gone || stream->order != order) {
                continue;
            }

            if (ts->tracks[i] == NULL) {
                rc = ngx_media_ts_in_track_add(ts, i);

                if (!ngx_media_publish_goes_on(rc)) {
                    return rc;
                }
            }

            if (ts->tracks[i] && ts->tracks[i]->codec) {
                ngx_media_ts_in_describe(ts, ts->tracks[i], stream);
            }
        }
    }

    ngx_media_ts_in_announce(ts);

    return NGX_MEDIA_PUBLISH_OK;
}


/*
 * A PMT has streams again that another one had not: where one that came in
 * between goes on with the track, that is not theirs any more.
 */

static ngx_media_publish_e
ngx_media_ts_in_back(ngx_media_ts_in_t *ts)
{
    ngx_uint_t                i;
    ngx_media_publish_e       rc;
    ngx_media_ts_in_track_t  *t;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        t = ts->tracks[i];

        if (t == NULL || !t->back) {
            continue;
        }

        t->back = 0;

        if (!ngx_media_ts_in_taken(ts, t)) {
            continue;
        }

        t->id = ngx_media_ts_in_track_id(ts, t->type);
        t->lump = 0;

        ngx_log_debug3(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                       "ts PID:%ui is back, as track %ui.%ui", t->pid,
                       t->type, t->id);

        rc = ngx_media_ts_in_configure(ts, t, &ts->demux.streams[i]);

        if (rc == NGX_MEDIA_PUBLISH_NOMEM) {
            return rc;
        }
    }

    return NGX_MEDIA_PUBLISH_OK;
}


static ngx_media_publish_e
ngx_media_ts_in_track_add(ngx_media_ts_in_t *ts, ngx_uint_t i)
{
    ngx_media_ts_in_track_t      *t;
    const ngx_media_ts_stream_t  *stream;

    stream = &ts->demux.streams[i];

    if (stream->as == NGX_MEDIA_TS_AS_NONE) {
        return NGX_MEDIA_PUBLISH_OK;
    }

    t = ngx_calloc(sizeof(ngx_media_ts_in_track_t), ts->conf.log);
    if (t == NULL) {
        return NGX_MEDIA_PUBLISH_NOMEM;
    }

    if (stream->as == NGX_MEDIA_TS_AS_LATM) {
        t->latm = ngx_alloc(sizeof(ngx_media_latm_t), ts->conf.log);
        if (t->latm == NULL) {
            ngx_free(t);
            return NGX_MEDIA_PUBLISH_NOMEM;
        }

        ngx_media_latm_init(t->latm);
    }

    t->serial = stream->serial;
    t->as = stream->as;
    t->codec = stream->codec;
    t->pid = stream->pid;
    t->stamp = NGX_MEDIA_TS_NO_TIME;
    t->dts = NGX_MEDIA_TS_NO_TIME;
    t->base = NGX_MEDIA_TS_NO_TIME;
    t->since = ts->arrival;
    t->type = NGX_MEDIA_TEXT;

    if (t->codec) {
        t->type = t->codec->type;
        t->id = ngx_media_ts_in_track_id(ts, t->type);
    }

    if (t->as != NGX_MEDIA_TS_AS_SCTE35) {
        ngx_media_ts_split_init(&t->split, stream);
    }

    ts->tracks[i] = t;

    if (ngx_media_ts_in_configure(ts, t, stream) == NGX_MEDIA_PUBLISH_NOMEM) {
        return NGX_MEDIA_PUBLISH_NOMEM;
    }

    ngx_log_debug6(NGX_LOG_DEBUG_STREAM, ts->conf.log, 0,
                   "ts PID:%ui type:%xd is track %ui.%ui as:%d order:%d",
                   t->pid, (int) stream->stream_type, t->type, t->id,
                   (int) t->as, (int) stream->order);

    return NGX_MEDIA_PUBLISH_OK;
}


/* what frames do not say of their codec, and a descriptor does: of Opus */

static ngx_media_publish_e
ngx_media_ts_in_configure(ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t, const ngx_media_ts_stream_t *stream)
{
    u_char                     bytes[NGX_MEDIA_TS_CONFIG_MAX];
    size_t                     size;
    ngx_media_publish_frame_t  config;

    if (t->codec == NULL || t->codec->ts.config == NULL) {
        return NGX_MEDIA_PUBLISH_OK;
    }

    size = t->codec->ts.config(bytes, stream->channels);

    if (size == 0) {
        size = t->codec->ts.config(bytes, NGX_MEDIA_TS_IN_CHANNELS);
    }

    ngx_memzero(&config, sizeof(ngx_media_publish_frame_t));

    config.type = t->type;
    config.id = t->id;
    config.codec = t->codec->id;
    config.pos = bytes;
    config.last = bytes + size;

    return ngx_media_publish_track(ts->conf.publisher, &config);
}


ngx_uint_t
ngx_media_ts_in_taken(const ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t)
{
    ngx_uint_t                      i;
    const ngx_media_ts_in_track_t  *other;

    if (t->codec == NULL) {
        return 0;
    }

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        other = ts->tracks[i];

        if (other && other != t && !other->gone && other->codec
            && other->type == t->type && other->id == t->id)
        {
            return 1;
        }
    }

    return 0;
}


/* the least that no stream of the type has; those that have gone lose it */

static ngx_uint_t
ngx_media_ts_in_track_id(ngx_media_ts_in_t *ts, ngx_uint_t type)
{
    ngx_uint_t                      i, id;
    const ngx_media_ts_in_track_t  *t;

    id = 0;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        t = ts->tracks[i];

        if (t && !t->gone && t->codec && t->type == type && t->id == id) {
            id++;
            i = (ngx_uint_t) -1;
        }
    }

    return id;
}


/* ISO_639_language_descriptor, ISO/IEC 13818-1, 2.6.18 */

static void
ngx_media_ts_in_describe(ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t, const ngx_media_ts_stream_t *stream)
{
    ngx_media_attributes_t  attributes;

    ngx_memzero(&attributes, sizeof(ngx_media_attributes_t));

    if (stream->language[0]) {
        ngx_media_lang(attributes.lang, stream->language,
                       sizeof(stream->language) - 1);
    }

    switch (stream->audio_type) {

    case 2: /* hearing impaired */
        attributes.role = NGX_MEDIA_ROLE_CLEAR;
        break;

    case 3: /* visual impaired commentary */
        attributes.role = NGX_MEDIA_ROLE_DESCRIPTION;
        break;

    default:
        break;
    }

    ngx_media_publish_describe(ts->conf.publisher, t->type, t->id,
                               &attributes);
}


static void
ngx_media_ts_in_announce(ngx_media_ts_in_t *ts)
{
    ngx_uint_t                      i;
    ngx_media_announce_t            announce;
    const ngx_media_ts_in_track_t  *t;

    ngx_memzero(&announce, sizeof(ngx_media_announce_t));

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        t = ts->tracks[i];

        if (t == NULL || t->gone || t->codec == NULL) {
            continue;
        }

        if (t->type == NGX_MEDIA_VIDEO) {
            announce.video = 1;

        } else {
            announce.audio = 1;
        }
    }

    if (announce.video || announce.audio) {
        ngx_media_publish_announce(ts->conf.publisher, &announce);
    }
}


void
ngx_media_ts_in_track_free(ngx_media_ts_in_t *ts, ngx_uint_t i)
{
    ngx_media_ts_in_track_t  *t;

    t = ts->tracks[i];

    if (t == NULL) {
        return;
    }

    ts->damaged += t->split.stat.damaged;
    ts->tracks[i] = NULL;

    if (t->buf) {
        ts->memory -= t->size;
        ngx_free(t->buf);
    }

    if (t->latm) {
        ngx_free(t->latm);
    }

    ngx_free(t);
}
