
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Frames of audio say how long they are, and stand one behind the other,
 * wherever PES packets begin.  What looks like a header is one if two others
 * follow where they should and say the same; from there on each has to be
 * where the last one ended, as it was, or it is searched for again.
 */


#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_adts.h"
#include "formats/ngx_media_latm.h"
#include "formats/ngx_media_ts_split_state.h"


/* headers that agree */
#define NGX_MEDIA_TS_HEADERS     3

/* bytes that are enough to know one */
#define NGX_MEDIA_TS_HEADER_MAX  8
#define NGX_MEDIA_TS_LOAS_MAX    3

/* what frames of MPEG audio have in common, ISO/IEC 11172-3, 2.4.1.3: sync,
   version, layer, rate */
#define NGX_MEDIA_TS_MPEG_LOOK   0xfffe0c00

/* syncword of E-AC-3 and AC-3, and where that stands, ETSI TS 102 366, 4.3,
   E.1.2 */
#define NGX_MEDIA_TS_AC3_SYNC    0x0b77
#define NGX_MEDIA_TS_AC3_LOOK    4


/* a header */

typedef struct {
    size_t                    size;           /* bytes of the frame */
    uint32_t                  look;
} ngx_media_ts_header_t;


static ngx_int_t ngx_media_ts_audio_packet(ngx_media_ts_split_t *s,
    ngx_media_span_t *in, ngx_media_ts_split_frame_t *frame);
static ngx_int_t ngx_media_ts_audio_find(ngx_media_ts_split_t *s,
    ngx_media_span_t *in);
static ngx_int_t ngx_media_ts_audio_chain(const ngx_media_ts_split_t *s,
    const ngx_media_codec_t *codec, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_ts_audio_any(ngx_media_ts_split_t *s,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_ts_audio_header(const ngx_media_ts_split_t *s,
    const ngx_media_codec_t *codec, const u_char *pos, const u_char *last,
    ngx_media_ts_header_t *header);
static size_t ngx_media_ts_audio_parts(const ngx_media_ts_split_t *s,
    const ngx_media_ts_header_t *header, const ngx_media_span_t *in);
static void ngx_media_ts_audio_learn(ngx_media_ts_split_t *s,
    const ngx_media_ts_header_t *header, const u_char *pos,
    const u_char *last);
static void ngx_media_ts_audio_latm(ngx_media_ts_split_t *s,
    const u_char *pos, const u_char *last);
static void ngx_media_ts_audio_stamp(ngx_media_ts_split_t *s,
    ngx_media_ts_split_frame_t *frame);
static void ngx_media_ts_audio_pass(ngx_media_ts_split_t *s,
    ngx_media_span_t *in, size_t n);
static void ngx_media_ts_audio_missing(ngx_media_ts_split_t *s,
    const ngx_media_span_t *in);
static uint32_t ngx_media_ts_audio_lost(ngx_media_ts_split_t *s, size_t size);


ngx_int_t
ngx_media_ts_split_audio(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    ngx_media_ts_split_frame_t *frame)
{
    size_t                 size;
    ngx_int_t              rc;
    ngx_media_ts_audio_t  *a;
    ngx_media_ts_header_t  header;

    if (s->as == NGX_MEDIA_TS_AS_FRAMES && s->codec->ts.next != NULL) {
        return ngx_media_ts_audio_packet(s, in, frame);
    }

    a = &s->audio;

    for ( ;; ) {

        if (!a->synced && ngx_media_ts_audio_find(s, in) != NGX_OK) {
            return NGX_AGAIN;
        }

        rc = ngx_media_ts_audio_header(s, s->codec, in->pos, in->last,
                                       &header);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_ERROR || (a->known && header.look != a->look)) {
            a->synced = 0;
            continue;
        }

        size = header.size;

        /* of a frame that was hit nothing is known but where it began */

        if (ngx_media_ts_split_holed(s, 0, size)) {
            s->stat.damaged++;
            a->synced = 0;
            a->hit = 1;
            ngx_media_ts_audio_missing(s, in);
            ngx_media_ts_audio_pass(s, in, s->hole ? s->hole : 1);
            continue;
        }

        if (ngx_media_span_len(in) < size) {
            return NGX_AGAIN;
        }

        if (s->holed && s->hole == 0) {
            ngx_media_ts_audio_missing(s, in);
        }

        size = ngx_media_ts_audio_parts(s, &header, in);

        frame->codec = s->codec;
        frame->pos = in->pos;
        frame->last = in->pos + size;

        ngx_media_ts_audio_learn(s, &header, frame->pos, frame->last);
        ngx_media_ts_audio_stamp(s, frame);

        ngx_media_ts_split_pass(s, in, size);

        return NGX_OK;
    }
}


/*
 * Frames with a header that only MPEG-TS has: where one does not end in its PES
 * packet, though the next one begins with another, it is no frame.
 */

static ngx_int_t
ngx_media_ts_audio_packet(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    ngx_media_ts_split_frame_t *frame)
{
    size_t                    next, size;
    ngx_int_t                 rc;
    ngx_media_span_t          data;
    ngx_media_codec_piece_t   piece, other;

    while (in->pos < in->last) {

        data = *in;
        rc = s->codec->ts.next(&data, &piece);
        next = (s->nmarks > 1) ? s->marks[1].at : 0;
        size = data.pos - in->pos;

        if (rc == NGX_OK && next != 0 && next < size) {
            data.pos = in->pos + next;
            rc = s->codec->ts.next(&data, &other) == NGX_ERROR ? NGX_OK
                                                               : NGX_ERROR;
        }

        if (rc == NGX_OK && !ngx_media_ts_split_holed(s, 0, size)) {

            frame->pos = piece.frame.pos;
            frame->last = piece.frame.last;

            s->audio.rate = piece.rate;
            s->audio.samples = s->codec->samples
                               ? s->codec->samples(frame->pos, frame->last)
                               : 0;

            ngx_media_ts_audio_stamp(s, frame);
            ngx_media_ts_split_pass(s, in, size);

            return NGX_OK;
        }

        if (rc == NGX_AGAIN && next == 0 && !s->holed) {
            return NGX_AGAIN;
        }

        s->stat.damaged++;

        if (next == 0) {
            next = ngx_media_span_len(in);
        }

        s->stat.skipped += next;
        ngx_media_ts_split_pass(s, in, next);
    }

    return NGX_AGAIN;
}


/* NGX_OK: a frame begins at in->pos; NGX_AGAIN: what is left may be one */

static ngx_int_t
ngx_media_ts_audio_find(ngx_media_ts_split_t *s, ngx_media_span_t *in)
{
    ngx_int_t      rc;
    const u_char  *p, *last;

    last = in->last;

    for (p = in->pos; p < last; p++) {

        rc = ngx_media_ts_audio_any(s, p, last);

        if (rc == NGX_ERROR || (rc == NGX_AGAIN && s->flushed)) {
            continue;
        }

        ngx_media_ts_audio_pass(s, in, p - in->pos);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        s->audio.synced = 1;
        s->audio.known = 0;

        return NGX_OK;
    }

    ngx_media_ts_audio_pass(s, in, p - in->pos);

    return NGX_AGAIN;
}


/* of the codecs that have the stream type */

static ngx_int_t
ngx_media_ts_audio_any(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last)
{
    ngx_int_t                 rc, any;
    ngx_uint_t                i;
    const ngx_media_codec_t  *codec;

    any = ngx_media_ts_audio_chain(s, s->codec, pos, last);

    if (any == NGX_OK || s->as != NGX_MEDIA_TS_AS_FRAMES) {
        return any;
    }

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {

        if (codec == s->codec || codec->size == NULL
            || codec->type != NGX_MEDIA_AUDIO
            || (codec->ts.stream_type != s->stream_type
                && codec->ts.half_type != s->stream_type))
        {
            continue;
        }

        rc = ngx_media_ts_audio_chain(s, codec, pos, last);

        if (rc == NGX_OK) {
            s->codec = codec;
            return NGX_OK;
        }

        if (rc == NGX_AGAIN) {
            any = NGX_AGAIN;
        }
    }

    return any;
}


/* headers one behind the other; at the end of all fewer are enough */

static ngx_int_t
ngx_media_ts_audio_chain(const ngx_media_ts_split_t *s,
    const ngx_media_codec_t *codec, const u_char *pos, const u_char *last)
{
    uint32_t               look;
    ngx_int_t              rc;
    ngx_uint_t             n;
    ngx_media_ts_header_t  header;

    look = 0;

    for (n = 0; n < NGX_MEDIA_TS_HEADERS; n++) {

        rc = ngx_media_ts_audio_header(s, codec, pos, last, &header);

        if (rc == NGX_AGAIN) {
            return (s->flushed && n > 0 && pos == last) ? NGX_OK : NGX_AGAIN;
        }

        if (rc == NGX_ERROR || (n > 0 && header.look != look)) {
            return NGX_ERROR;
        }

        if (n + 1 < NGX_MEDIA_TS_HEADERS
            && (size_t) (last - pos) < header.size)
        {
            return (s->flushed && n > 0) ? NGX_OK : NGX_AGAIN;
        }

        look = header.look;
        pos += header.size;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_ts_audio_header(const ngx_media_ts_split_t *s,
    const ngx_media_codec_t *codec, const u_char *pos, const u_char *last,
    ngx_media_ts_header_t *header)
{
    ngx_media_adts_t  adts;

    if (last - pos < (s->as == NGX_MEDIA_TS_AS_LATM ? NGX_MEDIA_TS_LOAS_MAX
                                                    : NGX_MEDIA_TS_HEADER_MAX))
    {
        return NGX_AGAIN;
    }

    header->look = 0;

    if (s->as == NGX_MEDIA_TS_AS_LATM) {
        header->size = ngx_media_latm_size(pos, last);

    } else if (codec->ts.form == NGX_MEDIA_TS_AAC) {

        header->size = 0;

        if (ngx_media_adts_parse(&adts, pos, last) == NGX_OK) {
            header->size = adts.size;
            header->look = adts.object_type << 16 | adts.rate << 8
                           | adts.layout;
        }

    } else {

        header->size = codec->size ? codec->size(pos, last) : 0;
        header->look = (ngx_media_get_be16(pos) != NGX_MEDIA_TS_AC3_SYNC)
                       ? ngx_media_get_be32(pos) & NGX_MEDIA_TS_MPEG_LOOK
                       : ngx_media_get_be16(pos + NGX_MEDIA_TS_AC3_LOOK);
    }

    return header->size ? NGX_OK : NGX_ERROR;
}


/* a frame of E-AC-3 and those that depend on it, which have no samples */

static size_t
ngx_media_ts_audio_parts(const ngx_media_ts_split_t *s,
    const ngx_media_ts_header_t *header, const ngx_media_span_t *in)
{
    size_t         size;
    const u_char  *p;

    p = in->pos + header->size;

    if (s->as == NGX_MEDIA_TS_AS_LATM || !s->codec->ts.alone
        || s->codec->size == NULL || s->codec->samples == NULL)
    {
        return header->size;
    }

    for ( ;; ) {
        size = s->codec->size(p, in->last);

        if (size == 0 || (size_t) (in->last - p) < size
            || ngx_media_ts_split_holed(s, p - in->pos, p - in->pos + size)
            || s->codec->samples(p, p + size) != 0)
        {
            return p - in->pos;
        }

        p += size;
    }
}


/* how long frames last: by their first header, and when it changes */

static void
ngx_media_ts_audio_learn(ngx_media_ts_split_t *s,
    const ngx_media_ts_header_t *header, const u_char *pos,
    const u_char *last)
{
    u_char                 config[NGX_MEDIA_ADTS_CONFIG];
    ngx_int_t              rc;
    ngx_media_adts_t       adts;
    ngx_media_params_t     params;
    ngx_media_ts_audio_t  *a;

    a = &s->audio;

    if (a->known) {
        return;
    }

    if (s->as == NGX_MEDIA_TS_AS_LATM) {
        ngx_media_ts_audio_latm(s, pos, last);
        return;
    }

    a->known = 1;
    a->look = header->look;
    a->samples = 0;
    a->rate = 0;

    if (s->codec->ts.form == NGX_MEDIA_TS_AAC) {

        if (ngx_media_adts_parse(&adts, pos, last) != NGX_OK) {
            return;
        }

        /* what else it says has no part in this */

        adts.object_type = NGX_MEDIA_AAC_LC;
        adts.layout = 1;

        (void) ngx_media_adts_config(config, &adts);

        rc = s->codec->config(&params, config, config + sizeof(config));

    } else if (s->codec->learn != NULL) {
        rc = s->codec->learn(&params, pos, last);

    } else {
        rc = s->codec->config(&params, pos, last);
    }

    if (rc == NGX_OK) {
        a->samples = params.frame_samples;
        a->rate = params.timescale;
    }
}


/* the configuration is not in each element */

static void
ngx_media_ts_audio_latm(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last)
{
    ngx_media_latm_t       latm;
    ngx_media_params_t     params;
    ngx_media_ts_audio_t  *a;

    a = &s->audio;

    ngx_media_latm_init(&latm);

    if (ngx_media_latm_parse(&latm, pos, last) == NGX_OK
        && s->codec->config(&params, latm.mux.config,
                            latm.mux.config + latm.mux.config_len)
           == NGX_OK)
    {
        a->samples = params.frame_samples * latm.nframes;
        a->rate = params.timescale;
    }
}


/*
 * The first that begins in a PES packet has its stamp, others are counted on,
 * with those that are missing between them.
 */

static void
ngx_media_ts_audio_stamp(ngx_media_ts_split_t *s,
    ngx_media_ts_split_frame_t *frame)
{
    ngx_media_ts_mark_t   *mark;
    ngx_media_ts_audio_t  *a;

    a = &s->audio;

    frame->samples = a->samples;
    frame->rate = a->rate;
    frame->counted = 1;

    if (a->rate == 0) {
        frame->samples = 0;
    }

    if (s->codec->samples != NULL && s->codec->ts.alone && a->rate) {
        frame->samples = s->codec->samples(frame->pos, frame->last);
    }

    frame->lost = ngx_media_ts_audio_lost(s, frame->last - frame->pos);

    mark = ngx_media_ts_split_mark(s, 0);

    if (mark != NULL && !mark->used) {
        mark->used = 1;

        if (mark->pts != NGX_MEDIA_TS_NO_TIME) {
            a->base = mark->pts;
            a->count = 0;
            frame->counted = 0;
            frame->lost = 0;

        } else if (a->base == NGX_MEDIA_TS_NO_TIME
                   && mark->pcr != NGX_MEDIA_TS_NO_TIME)
        {
            a->base = mark->pcr + NGX_MEDIA_TS_SPLIT_DELAY;
            a->count = 0;
            frame->lost = 0;
        }
    }

    a->count += (uint64_t) frame->lost * frame->samples;

    frame->pts = a->base;

    if (a->base != NGX_MEDIA_TS_NO_TIME && a->rate != 0) {
        frame->pts += (int64_t) (a->count * NGX_MEDIA_TS_TIMESCALE / a->rate);
    }

    frame->dts = frame->pts;

    a->count += frame->samples;
}


/* bytes of no frame */

static void
ngx_media_ts_audio_pass(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    size_t n)
{
    s->audio.lost += (uint32_t) n;
    s->stat.skipped += n;

    ngx_media_ts_split_pass(s, in, n);
}


/* of the PES packet that is read: what it says, and what has come of it */

static void
ngx_media_ts_audio_missing(ngx_media_ts_split_t *s,
    const ngx_media_span_t *in)
{
    size_t                has, last;
    ngx_media_ts_mark_t  *mark, *next;

    mark = ngx_media_ts_split_mark(s, s->hole);

    if (mark == NULL || mark->size == 0) {
        return;
    }

    next = mark + 1;

    last = next < s->marks + s->nmarks ? next->at : ngx_media_span_len(in);
    has = mark->done + ngx_min(last, ngx_media_span_len(in)) - mark->at;

    if (has < mark->size) {
        s->audio.lost += (uint32_t) (mark->size - has);
    }

    /* it is counted once */

    mark->size = 0;
}


/* frames of about this size, of what is missing before it */

static uint32_t
ngx_media_ts_audio_lost(ngx_media_ts_split_t *s, size_t size)
{
    uint32_t               n;
    ngx_media_ts_audio_t  *a;

    a = &s->audio;

    n = (uint32_t) ((a->lost + size / 2) / ngx_max(size, 1));
    n = ngx_max(n, a->hit);

    a->lost = 0;
    a->hit = 0;

    return n;
}
