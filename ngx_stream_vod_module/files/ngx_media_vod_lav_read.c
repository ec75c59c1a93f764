
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What libavformat gives as packets is looked for in the file, byte by byte:
 * after the packet before (frames of a lace, of raw audio), or shortly after
 * the position that the demuxer tells.
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "files/ngx_media_vod_lav.h"
#include "formats/ngx_media_bytes.h"


/* headers and sizes of a lace, or what lies between frames */
#define NGX_MEDIA_VOD_LAV_GAP     4096

/* a packet is compared in full so often, if so many bytes are the same */
#define NGX_MEDIA_VOD_LAV_TRIES   64
#define NGX_MEDIA_VOD_LAV_BEGIN   32

#define NGX_MEDIA_VOD_LAV_SECOND  1000000000

/* obu_type 2, AV1 Bitstream Specification, 6.2.2: samples have none */
#define NGX_MEDIA_VOD_LAV_TD      2


typedef struct {
    ngx_media_vod_av_track_t *track;          /* NULL: not wanted */
    int64_t                   next;           /* after the last one, ns */
    unsigned                  seen:1;
    unsigned                  is_text:1;
} ngx_media_vod_lav_stream_t;


typedef struct {
    ngx_media_vod_lav_t      *lav;
    ngx_media_vod_av_t       *av;
    uint64_t                  end;            /* of the packet before */
    uint64_t                  rest;           /* bytes that are no frames */
    u_char                   *buffer;         /* what is compared */
    size_t                    room;
    ngx_media_vod_lav_stream_t
                              streams[NGX_MEDIA_VOD_LAV_STREAMS];
} ngx_media_vod_lav_reader_t;


static ngx_int_t ngx_media_vod_lav_packet(ngx_media_vod_lav_reader_t *r,
    const AVPacket *packet);
static ngx_int_t ngx_media_vod_lav_first(ngx_media_vod_lav_reader_t *r,
    ngx_media_vod_lav_stream_t *s, const AVStream *st,
    const AVPacket *packet);
static ngx_int_t ngx_media_vod_lav_sample(ngx_media_vod_lav_reader_t *r,
    ngx_media_vod_lav_stream_t *s, const AVStream *st,
    const AVPacket *packet);
static ngx_int_t ngx_media_vod_lav_locate(ngx_media_vod_lav_reader_t *r,
    const AVPacket *packet, uint64_t *offset);
static ngx_int_t ngx_media_vod_lav_find(ngx_media_vod_lav_reader_t *r,
    const AVPacket *packet, uint64_t from, size_t gap, uint64_t *offset);


ngx_int_t
ngx_media_vod_lav_read(ngx_media_vod_lav_t *lav, ngx_media_vod_av_t *av)
{
    int                          rc;
    AVPacket                    *packet;
    ngx_int_t                    rv;
    ngx_media_vod_lav_reader_t  *r;

    r = calloc(1, sizeof(ngx_media_vod_lav_reader_t));
    packet = av_packet_alloc();

    if (r == NULL || packet == NULL) {
        av_packet_free(&packet);
        free(r);
        av->nomem = 1;
        return NGX_ERROR;
    }

    r->lav = lav;
    r->av = av;
    rv = NGX_OK;

    for ( ;; ) {
        rc = av_read_frame(lav->ctx, packet);

        if (rc < 0) {
            break;
        }

        rv = ngx_media_vod_lav_packet(r, packet);

        av_packet_unref(packet);

        if (rv != NGX_OK) {
            break;
        }
    }

    if (rc == AVERROR(ENOMEM)) {
        av->nomem = 1;
    }

    if (lav->err || lav->bound || av->nomem) {
        rv = NGX_ERROR;
    }

    if (rv == NGX_OK && rc != AVERROR_EOF) {
        ngx_media_vod_blob_note(&av->blob, "%s: malformed, offset:%llu",
                                lav->demuxer->name,
                                (unsigned long long) lav->offset);
    }

    if (rv == NGX_OK && r->rest) {
        ngx_media_vod_blob_note(&av->blob, "%s: %llu bytes are left out, they"
                                " are no whole frames", lav->demuxer->name,
                                (unsigned long long) r->rest);
    }

    free(r->buffer);
    free(r);
    av_packet_free(&packet);

    return rv;
}


static ngx_int_t
ngx_media_vod_lav_packet(ngx_media_vod_lav_reader_t *r,
    const AVPacket *packet)
{
    AVStream                    *st;
    ngx_int_t                    rc;
    ngx_media_vod_lav_stream_t  *s;

    if (packet->stream_index < 0
        || packet->stream_index >= NGX_MEDIA_VOD_LAV_STREAMS
        || packet->size <= 0)
    {
        return NGX_OK;
    }

    st = r->lav->ctx->streams[packet->stream_index];
    s = &r->streams[packet->stream_index];

    if (!s->seen) {
        rc = ngx_media_vod_lav_first(r, s, st, packet);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (s->is_text) {

        return s->track ? ngx_media_vod_lav_cue(r->av, s->track, st, packet)
                        : NGX_OK;
    }

    if (s->track == NULL) {
        return NGX_OK;
    }

    return ngx_media_vod_lav_sample(r, s, st, packet);
}


static ngx_int_t
ngx_media_vod_lav_first(ngx_media_vod_lav_reader_t *r,
    ngx_media_vod_lav_stream_t *s, const AVStream *st,
    const AVPacket *packet)
{
    ngx_int_t           rc;
    ngx_media_params_t  params;

    if (ngx_media_vod_lav_is_text(st)) {
        s->seen = 1;
        s->is_text = 1;

    } else {
        rc = ngx_media_vod_lav_params(&params, st, packet);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_DECLINED && r->av->index->foreign) {
            rc = ngx_media_vod_lav_foreign(&params, st);
        }

        if (rc != NGX_OK) {

            /* a frame that says nothing: perhaps the next one does */

            if (rc == NGX_DONE) {
                return NGX_OK;
            }

            s->seen = 1;
            ngx_media_vod_blob_note(&r->av->blob,
                                    "stream[%d]: unsupported codec %s",
                                    st->index,
                                    avcodec_get_name(st->codecpar->codec_id));
            return NGX_OK;
        }

        s->seen = 1;
    }

    s->track = ngx_media_vod_av_track(r->av,
                                      s->is_text ? NGX_MEDIA_TEXT
                                                 : params.type,
                                      s->is_text ? 0 : params.codec);

    if (s->track == NULL) {
        return r->av->nomem ? NGX_ERROR : NGX_OK;
    }

    s->track->order = (ngx_uint_t) st->index;

    ngx_media_vod_lav_describe(&s->track->track, st);

    if (s->is_text) {
        return NGX_OK;
    }

    if (st->avg_frame_rate.num > 0 && st->avg_frame_rate.den > 0) {
        s->track->fps_num = (uint32_t) st->avg_frame_rate.num;
        s->track->fps_den = (uint32_t) st->avg_frame_rate.den;
    }

    return ngx_media_vod_av_describe(r->av, s->track, &params);
}


static ngx_int_t
ngx_media_vod_lav_sample(ngx_media_vod_lav_reader_t *r,
    ngx_media_vod_lav_stream_t *s, const AVStream *st,
    const AVPacket *packet)
{
    size_t                      size;
    int64_t                     pts;
    ngx_int_t                   rc;
    ngx_media_params_t         *params;
    const ngx_media_codec_t    *codec;
    ngx_media_vod_av_packet_t   p;

    params = &s->track->params[0];
    size = ngx_media_vod_av_frame_size(params->codec, packet->data,
                                       packet->data + packet->size);

    if (size != (size_t) packet->size) {
        r->rest += (size_t) packet->size - size;

        if (size == 0) {
            return NGX_OK;
        }
    }

    codec = ngx_media_codec_find(params->codec);

    if (codec && codec->units == NGX_MEDIA_UNITS_OBU
        && (packet->data[0] >> 3 & 0x0f) == NGX_MEDIA_VOD_LAV_TD)
    {
        return NGX_AGAIN;
    }

    rc = ngx_media_vod_lav_locate(r, packet, &p.offset);

    if (rc != NGX_OK) {
        return rc;
    }

    p.size = (uint32_t) size;
    p.duration = 0;
    p.key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    p.description = 1;

    if (params->type == NGX_MEDIA_AUDIO) {
        p.key = 1;
        p.duration = ngx_media_vod_av_frame_samples(params, packet->data,
                                                    packet->data + size);
    }

    pts = (packet->pts != AV_NOPTS_VALUE) ? packet->pts : packet->dts;

    if (pts == AV_NOPTS_VALUE
        || (r->lav->demuxer->flags & NGX_MEDIA_VOD_LAV_RAW))
    {
        p.pts = s->next;

    } else {
        p.pts = av_rescale_q(pts, st->time_base,
                             (AVRational) { 1, NGX_MEDIA_VOD_LAV_SECOND });
    }

    s->next = p.pts;

    if (p.duration) {
        s->next += av_rescale(p.duration, NGX_MEDIA_VOD_LAV_SECOND,
                              params->timescale);

    } else if (packet->duration > 0) {
        s->next += av_rescale_q(packet->duration, st->time_base,
                                (AVRational) { 1, NGX_MEDIA_VOD_LAV_SECOND });
    }

    return ngx_media_vod_av_packet(r->av, s->track, &p);
}


static ngx_int_t
ngx_media_vod_lav_locate(ngx_media_vod_lav_reader_t *r,
    const AVPacket *packet, uint64_t *offset)
{
    ngx_int_t  rc;

    /* parsers do not know where a frame begins */

    if (packet->pos >= 0 && (uint64_t) packet->pos > r->end
        && (r->end == 0
            || !(r->lav->demuxer->flags & NGX_MEDIA_VOD_LAV_RAW)))
    {
        r->end = (uint64_t) packet->pos;
    }

    rc = ngx_media_vod_lav_find(r, packet, r->end, NGX_MEDIA_VOD_LAV_GAP,
                                offset);

    if (rc == NGX_AGAIN && packet->pos >= 0
        && (uint64_t) packet->pos != r->end)
    {
        rc = ngx_media_vod_lav_find(r, packet, (uint64_t) packet->pos,
                                    NGX_MEDIA_VOD_LAV_GAP, offset);
    }

    if (rc == NGX_OK) {
        r->end = *offset + (uint64_t) packet->size;
    }

    return rc;
}


/* in what begins at most "gap" bytes after "from"; NGX_AGAIN: it is not */

static ngx_int_t
ngx_media_vod_lav_find(ngx_media_vod_lav_reader_t *r, const AVPacket *packet,
    uint64_t from, size_t gap, uint64_t *offset)
{
    u_char      *p, *last;
    size_t       begin, len, want;
    ssize_t      n;
    uint64_t     size;
    ngx_uint_t   tries;

    size = r->lav->index->id.size;
    len = (size_t) packet->size;

    if (from >= size || size - from < len) {
        return NGX_AGAIN;
    }

    want = (size_t) ngx_min(size - from, len + gap);

    if (want > r->room) {
        free(r->buffer);
        r->room = ngx_align(want, 65536);
        r->buffer = malloc(r->room);

        if (r->buffer == NULL) {
            r->room = 0;
            r->av->nomem = 1;
            return NGX_ERROR;
        }
    }

    do {
        n = pread(r->lav->index->fd, r->buffer, want, (off_t) from);
    } while (n < 0 && errno == EINTR);

    if (n < 0) {
        r->lav->err = errno;
        return NGX_ERROR;
    }

    if ((size_t) n < len) {
        return NGX_AGAIN;
    }

    p = r->buffer;
    last = p + ((size_t) n - len) + 1;
    begin = ngx_min(len, NGX_MEDIA_VOD_LAV_BEGIN);

    for (tries = 0; p < last && tries < NGX_MEDIA_VOD_LAV_TRIES; p++) {
        p = memchr(p, packet->data[0], (size_t) (last - p));

        if (p == NULL) {
            break;
        }

        if (ngx_memcmp(p, packet->data, begin) != 0) {
            continue;
        }

        if (ngx_memcmp(p, packet->data, len) == 0) {
            *offset = from + (uint64_t) (p - r->buffer);
            return NGX_OK;
        }

        tries++;
    }

    return NGX_AGAIN;
}

#endif
