
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What encoders send is not always what CMAF carries: byte streams with start
 * codes instead of lengths, NAL units of nothing, AAC with ADTS headers,
 * several frames in one message, parameter sets in the frames and no header.
 * All of that is unambiguous, so it is put right here.
 *
 * Encoders that refresh the picture in columns send one key frame and then
 * recovery points, from which the picture is whole after some frames.  Players
 * begin at what is whole at once, so that is what these say here: who begins
 * there sees the picture being built up (timing.md, 10).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_adts.h"
#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_nal.h"
#include "ingest/ngx_media_publish_state.h"


/* a refresh takes at most so many frames */
#define NGX_MEDIA_PUBLISH_REFRESH  600

/* frames in a row that have to say that the configuration is another one */
#define NGX_MEDIA_PUBLISH_DOUBTS   3


static ngx_int_t ngx_media_publish_unconfigured(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_publish_frame_t *frame);
static ngx_int_t ngx_media_publish_config_nals(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config);
static ngx_int_t ngx_media_publish_config_aac(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config);
static ngx_int_t ngx_media_publish_nals(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame);
static void ngx_media_publish_nals_init(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame, ngx_media_nals_t *nals);
static void ngx_media_publish_codes(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec);
static ngx_int_t ngx_media_publish_nals_write(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_publish_frame_t *frame,
    const ngx_media_nals_t *nals, size_t size);
static ngx_uint_t ngx_media_publish_refresh(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_span_t *nal);
static void ngx_media_publish_refresh_write(u_char *pos, u_char *last,
    ngx_uint_t nal_length);
static ngx_int_t ngx_media_publish_sets(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame, const ngx_media_nals_t *nals);
static ngx_int_t ngx_media_publish_aac(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame);
static ngx_int_t ngx_media_publish_adts(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame, const ngx_media_adts_t *adts);
static ngx_int_t ngx_media_publish_own(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    ngx_media_params_t *params, ngx_int_t rc,
    const ngx_media_publish_frame_t *frame);
static ngx_int_t ngx_media_publish_frames(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame);
static ngx_int_t ngx_media_publish_learn(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame);
static ngx_int_t ngx_media_publish_after(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_publish_frame_t *piece,
    const ngx_media_publish_frame_t *frame, uint64_t *before);


ngx_int_t
ngx_media_publish_mend_config(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config)
{
    switch (codec->units) {

    case NGX_MEDIA_UNITS_AVC:
    case NGX_MEDIA_UNITS_HEVC:
        return ngx_media_publish_config_nals(p, t, codec, config);

    case NGX_MEDIA_UNITS_AAC:
        return ngx_media_publish_config_aac(p, t, codec, config);

    default:
        return ngx_media_publish_configure(p, t, codec, config);
    }
}


ngx_int_t
ngx_media_publish_mend_frame(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame)
{
    switch (codec->units) {

    case NGX_MEDIA_UNITS_AVC:
    case NGX_MEDIA_UNITS_HEVC:
        return ngx_media_publish_nals(p, t, codec, frame);

    case NGX_MEDIA_UNITS_AAC:
        return ngx_media_publish_aac(p, t, codec, frame);

    case NGX_MEDIA_UNITS_FRAMES:
        return ngx_media_publish_frames(p, t, codec, frame);

    default:
        break;
    }

    if (t->codec != codec) {
        return ngx_media_publish_unconfigured(p, t, frame);
    }

    return ngx_media_publish_put(p, t, frame);
}


/* none has come, or it was refused: then that is why */

static ngx_int_t
ngx_media_publish_unconfigured(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_publish_frame_t *frame)
{
    ngx_media_ignored_e  kind;

    kind = t->refused ? t->why : NGX_MEDIA_IGNORED_UNCONFIGURED;

    return ngx_media_publish_ignore_frame(p, kind, frame);
}


/* a record, which begins with its version 1, or sets behind start codes */

static ngx_int_t
ngx_media_publish_config_nals(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config)
{
    ngx_int_t         rc;
    ngx_media_nals_t  nals;

    ngx_media_nals_init(&nals, config->pos, config->last, NGX_MEDIA_SETS_NAL,
                        NGX_MEDIA_NALS_SEEN);

    if (nals.codes) {
        ngx_media_publish_codes(p, t, codec);

        rc = ngx_media_publish_sets(p, t, codec, config, &nals);

        if (rc == NGX_OK && t->codec != codec) {
            return ngx_media_publish_ignore_frame(p,
                                             NGX_MEDIA_IGNORED_CONFIG, config);
        }

        return rc;
    }

    return ngx_media_publish_configure(p, t, codec, config);
}


static ngx_int_t
ngx_media_publish_config_aac(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config)
{
    ngx_int_t         rc;
    ngx_media_adts_t  adts;

    if (ngx_media_adts_parse(&adts, config->pos, config->last) == NGX_OK) {
        rc = ngx_media_publish_adts(p, t, codec, config, &adts);

        return rc == NGX_DONE ? NGX_OK : rc;
    }

    return ngx_media_publish_configure(p, t, codec, config);
}


static ngx_int_t
ngx_media_publish_nals(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec, const ngx_media_publish_frame_t *frame)
{
    size_t             size;
    ngx_int_t          rc;
    ngx_uint_t         n;
    ngx_media_nals_t   it, nals;
    ngx_media_span_t   nal;

    ngx_media_publish_nals_init(p, t, codec, frame, &nals);

    if (t->codec != codec || t->own) {
        rc = ngx_media_publish_sets(p, t, codec, frame, &nals);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (t->codec != codec) {
        return ngx_media_publish_unconfigured(p, t, frame);
    }

    it = nals;
    n = 0;
    t->refresh = 0;

    while ((rc = ngx_media_nals_next(&it, &nal)) == NGX_OK) {
        n++;

        if (codec->units == NGX_MEDIA_UNITS_AVC) {
            t->refresh |= ngx_media_publish_refresh(p, t, &nal);
        }
    }

    size = ngx_media_nals_write(NULL, &nals, t->params.nal_length);

    if (rc != NGX_DONE || (n && size == 0)) {
        ngx_media_writer_bad(p->writer, t->track);
        return ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_FRAME,
                                              frame);
    }

    if (it.left_out) {
        rc = ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_UNIT, frame);

        if (rc != NGX_OK || n == 0) {
            return rc;
        }
    }

    if (!nals.codes && it.left_out == 0 && !t->refresh) {
        return ngx_media_publish_put(p, t, frame);
    }

    return ngx_media_publish_nals_write(p, t, frame, &nals, size);
}


static void
ngx_media_publish_nals_init(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame, ngx_media_nals_t *nals)
{
    ngx_uint_t  nal_length;

    nal_length = t->codec == codec ? t->params.nal_length
                                   : NGX_MEDIA_SETS_NAL;

    ngx_media_nals_init(nals, frame->pos, frame->last, nal_length,
                        p->conf.bare ? NGX_MEDIA_NALS_CODES
                        : t->codes ? NGX_MEDIA_NALS_SEEN
                                   : NGX_MEDIA_NALS_UNKNOWN);

    if (codec->units == NGX_MEDIA_UNITS_HEVC) {
        nals->header = 2;
    }

    if (nals->codes) {
        ngx_media_publish_codes(p, t, codec);
    }
}


static void
ngx_media_publish_codes(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec)
{
    if (t->codes) {
        return;
    }

    t->codes = 1;

    if (p->conf.bare) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, p->log, 0,
                  "media frames have start codes instead of lengths, they are "
                  "converted, track:video %ui codec:%V",
                  t->id, &codec->name);
}


/* for as long as it takes to be copied: few encoders need it */

static ngx_int_t
ngx_media_publish_nals_write(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_publish_frame_t *frame,
    const ngx_media_nals_t *nals, size_t size)
{
    u_char                     *buf;
    ngx_int_t                   rc;
    ngx_media_publish_frame_t   out;

    if (size == 0) {
        return NGX_OK;
    }

    buf = ngx_alloc(size, p->log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    out = *frame;
    out.pos = buf;
    out.last = buf + ngx_media_nals_write(buf, nals, t->params.nal_length);

    if (t->refresh) {
        ngx_media_publish_refresh_write(buf, (u_char *) out.last,
                                        t->params.nal_length);
    }

    rc = ngx_media_publish_put(p, t, &out);

    ngx_free(buf);

    return rc;
}


static ngx_uint_t
ngx_media_publish_refresh(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_span_t *nal)
{
    uint32_t          frames;
    ngx_media_span_t  payload;

    if (ngx_media_h264_refresh(nal, &frames, &payload) != NGX_OK
        || frames > NGX_MEDIA_PUBLISH_REFRESH)
    {
        return 0;
    }

    if (!t->refreshes) {
        t->refreshes = 1;

        ngx_log_error(NGX_LOG_INFO, p->log, 0,
                      "media intra refresh, who begins sees the picture being "
                      "built up, track:video %ui frames:%uD", t->id, frames);
    }

    return 1;
}


static void
ngx_media_publish_refresh_write(u_char *pos, u_char *last,
    ngx_uint_t nal_length)
{
    uint32_t          frames;
    ngx_media_span_t  left, nal, payload;

    left.pos = pos;
    left.last = last;

    while (ngx_media_nal_next(&left, nal_length, &nal) == NGX_OK) {

        if (ngx_media_h264_refresh(&nal, &frames, &payload) == NGX_OK) {
            ngx_media_h264_refresh_at_once(pos + (payload.pos - pos),
                                           ngx_media_span_len(&payload));
        }
    }
}


/*
 * Sets in the frames are of use where no header has come; if they change, so
 * does the configuration.
 */

static ngx_int_t
ngx_media_publish_sets(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec, const ngx_media_publish_frame_t *frame,
    const ngx_media_nals_t *nals)
{
    u_char                      record[NGX_MEDIA_SETS_RECORD_MAX];
    size_t                      size;
    ngx_int_t                   rc;
    ngx_uint_t                  changed, first;
    ngx_media_nals_t            it;
    ngx_media_span_t            nal;
    ngx_media_publish_frame_t   config;

    if (t->sets == NULL) {
        t->sets = ngx_alloc(sizeof(ngx_media_sets_t), p->log);
        if (t->sets == NULL) {
            return NGX_ERROR;
        }

        ngx_media_sets_init(t->sets, codec->units);

    } else if (t->sets->units != codec->units) {
        ngx_media_sets_init(t->sets, codec->units);
    }

    it = *nals;
    changed = 0;

    while (ngx_media_nals_next(&it, &nal) == NGX_OK) {
        if (ngx_media_sets_add(t->sets, &nal) == NGX_OK) {
            changed = 1;
        }
    }

    size = changed ? ngx_media_sets_record(NULL, t->sets) : 0;

    if (size == 0) {
        return NGX_OK;
    }

    config = *frame;
    config.pos = record;
    config.last = record + ngx_media_sets_record(record, t->sets);

    first = (t->codec != codec);
    rc = ngx_media_publish_configure(p, t, codec, &config);

    if (rc == NGX_OK && t->codec == codec) {
        t->own = 1;

        if (first && !p->conf.bare) {
            ngx_log_error(NGX_LOG_INFO, p->log, 0,
                          "media decoder configuration is made of parameter "
                          "sets in the stream, track:video %ui codec:%V",
                          t->id, &codec->name);
        }
    }

    return rc;
}


static ngx_int_t
ngx_media_publish_aac(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec, const ngx_media_publish_frame_t *frame)
{
    uint64_t                    before;
    ngx_int_t                   rc;
    ngx_uint_t                  usac;
    ngx_media_adts_t            adts;
    ngx_media_span_t            data, raw;
    ngx_media_publish_frame_t   piece, rest;

    usac = (t->codec == codec
            && t->params.object_type == NGX_MEDIA_AAC_USAC);

    if (usac || !ngx_media_adts_is(frame->pos, frame->last)) {

        if (t->codec != codec) {
            return ngx_media_publish_unconfigured(p, t, frame);
        }

        return ngx_media_publish_put(p, t, frame);
    }

    data.pos = frame->pos;
    data.last = frame->last;
    piece = *frame;
    before = 0;

    while ((rc = ngx_media_adts_next(&data, &adts, &raw)) == NGX_OK) {

        rc = ngx_media_publish_adts(p, t, codec, frame, &adts);

        piece.pos = raw.pos;
        piece.last = raw.last;

        if (rc == NGX_OK) {
            rc = t->codec == codec
                 ? ngx_media_publish_after(p, t, &piece, frame, &before)
                 : ngx_media_publish_unconfigured(p, t, frame);
        }

        if (rc != NGX_OK && rc != NGX_DONE) {
            return rc;
        }
    }

    if (rc == NGX_DONE) {
        return NGX_OK;
    }

    rest = *frame;
    rest.pos = data.pos;

    return ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_FRAME, &rest);
}


/* its header is a configuration where no other one has come; as of own */

static ngx_int_t
ngx_media_publish_adts(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec, const ngx_media_publish_frame_t *frame,
    const ngx_media_adts_t *adts)
{
    u_char              asc[NGX_MEDIA_ADTS_CONFIG];
    ngx_int_t           rc;
    ngx_media_params_t  params;

    if (!t->codes && !p->conf.bare) {
        t->codes = 1;
        ngx_log_error(NGX_LOG_INFO, p->log, 0,
                      "media frames have ADTS headers, they are taken off, "
                      "track:audio %ui codec:%V", t->id, &codec->name);
    }

    if ((t->codec == codec && !t->own)
        || ngx_media_adts_config(asc, adts) != NGX_OK)
    {
        return NGX_OK;
    }

    if (t->codec == codec
        && ngx_memcmp(asc, t->adts, NGX_MEDIA_ADTS_CONFIG) == 0)
    {
        t->doubts = 0;
        return NGX_OK;
    }

    rc = codec->config(&params, asc, asc + NGX_MEDIA_ADTS_CONFIG);
    rc = ngx_media_publish_own(p, t, codec, &params, rc, frame);

    if (rc == NGX_OK) {
        ngx_memcpy(t->adts, asc, NGX_MEDIA_ADTS_CONFIG);
    }

    return rc;
}


/*
 * A configuration that was found in a frame, of rc.  One that differs from what
 * frames said so far is believed when several say so: bits get lost on the way.
 * As of own.
 */

static ngx_int_t
ngx_media_publish_own(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec, ngx_media_params_t *params, ngx_int_t rc,
    const ngx_media_publish_frame_t *frame)
{
    if (t->codec == codec && ++t->doubts < NGX_MEDIA_PUBLISH_DOUBTS) {
        ngx_media_writer_bad(p->writer, t->track);

        rc = ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_FRAME,
                                            frame);

        return rc == NGX_OK ? NGX_DONE : rc;
    }

    t->doubts = 0;

    rc = ngx_media_publish_configure_own(p, t, codec, params, rc, frame);

    if (rc == NGX_OK) {
        t->own = 1;
    }

    return rc;
}


/*
 * Whole frames with headers, of which a message has one, or several.  What the
 * headers say is the configuration.
 */

static ngx_int_t
ngx_media_publish_frames(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame)
{
    uint64_t                    before;
    ngx_int_t                   rc;
    ngx_media_span_t            data, raw;
    ngx_media_params_t          params;
    ngx_media_publish_frame_t   piece;

    data.pos = frame->pos;
    data.last = frame->last;
    piece = *frame;
    before = 0;

    while (ngx_media_codec_next(codec, &data, &raw) == NGX_OK) {
        piece.pos = raw.pos;
        piece.last = raw.last;

        rc = ngx_media_publish_learn(p, t, codec, &piece);

        if (rc == NGX_OK) {
            rc = ngx_media_publish_after(p, t, &piece, frame, &before);
        }

        if (rc != NGX_OK && rc != NGX_DONE) {
            return rc;
        }
    }

    if (data.pos == data.last) {
        return NGX_OK;
    }

    piece.pos = data.pos;
    piece.last = data.last;

    rc = codec->learn(&params, data.pos, data.last);

    return ngx_media_publish_ignore_frame(p, rc == NGX_DECLINED
                                             ? NGX_MEDIA_IGNORED_CODEC
                                             : NGX_MEDIA_IGNORED_FRAME,
                                          &piece);
}


/* what a frame says of all of them, if that is something new; as of own */

static ngx_int_t
ngx_media_publish_learn(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec, const ngx_media_publish_frame_t *frame)
{
    ngx_int_t               rc;
    ngx_media_params_t      params;
    ngx_media_frame_info_t  info;

    if (t->codec == codec
        && codec->frame(&t->params, frame->pos, frame->last, &info) == NGX_OK)
    {
        t->doubts = 0;
        return NGX_OK;
    }

    rc = codec->learn(&params, frame->pos, frame->last);

    return ngx_media_publish_own(p, t, codec, &params, rc, frame);
}


/*
 * One of the frames of a message, whose stamp is that of the first: *before
 * counts samples.
 */

static ngx_int_t
ngx_media_publish_after(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_publish_frame_t *piece,
    const ngx_media_publish_frame_t *frame, uint64_t *before)
{
    uint64_t                    nsec, ticks;
    ngx_media_publish_frame_t   out;

    out = *frame;
    out.pos = piece->pos;
    out.last = piece->last;

    if (*before) {
        nsec = frame->nsec + *before * 1000000000 / t->params.sample_rate;

        ticks = nsec / 1000000000 * p->timebase
                + nsec % 1000000000 * p->timebase / 1000000000;

        out.stamp += ticks;
        out.nsec = (uint32_t) (nsec % 1000000000
                               - nsec % 1000000000 * p->timebase / 1000000000
                                 * 1000000000 / p->timebase);
    }

    *before += ngx_media_publish_samples(t, piece);

    return ngx_media_publish_put(p, t, &out);
}
