
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * FLV, "Adobe Flash Video File Format", annex E, and enhanced FLV, whose tags
 * are what formats/ngx_media_flv.h knows.  Of each tag only its beginning is
 * read, unless it holds a configuration or several tracks.
 */


#include "files/ngx_media_vod_av.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_record.h"


#define NGX_MEDIA_VOD_FLV_HEADER    9
#define NGX_MEDIA_VOD_FLV_TAG       11
#define NGX_MEDIA_VOD_FLV_TAIL      4         /* PreviousTagSize */

#define NGX_MEDIA_VOD_FLV_AUDIO     8
#define NGX_MEDIA_VOD_FLV_VIDEO     9

/* what is read of a tag at once, and the longest one */
#define NGX_MEDIA_VOD_FLV_READ      4096
#define NGX_MEDIA_VOD_FLV_MAX       (NGX_MEDIA_VOD_FLV_TAG + 0xffffff)

/* tags that are no media, one after the other: it is something else */
#define NGX_MEDIA_VOD_FLV_UNKNOWN   1000000

#define NGX_MEDIA_VOD_FLV_MSEC      1000000   /* ns */

/* bytes of a configuration without parameter sets */
#define NGX_MEDIA_VOD_FLV_PARTIAL   64


typedef struct {
    ngx_media_vod_av_t        av;
    u_char                   *buffer;
    size_t                    len;            /* what is in it */
    uint64_t                  offset;         /* of the buffer in the file */
    uint64_t                  size;           /* of the file */
    int64_t                   time;           /* of the tag, ns */
    uint32_t                  last;           /* its time stamp, ms */
    int64_t                   wraps;          /* ms */

    /* by type and trackId */
    ngx_media_vod_av_track_t *tracks[2][256];
    u_char                    declined[2];    /* noted */

    /* of the last video track that leaves parameter sets to its frames */
    ngx_media_vod_av_track_t *partial;
    u_char                    config[NGX_MEDIA_VOD_FLV_PARTIAL];
    size_t                    config_len;
} ngx_media_vod_flv_t;


static ngx_int_t ngx_media_vod_flv_read(ngx_media_vod_flv_t *flv,
    uint64_t offset, size_t size);
static ngx_uint_t ngx_media_vod_flv_is_run(uint32_t codec);
static ngx_int_t ngx_media_vod_flv_tags(ngx_media_vod_flv_t *flv);
static void ngx_media_vod_flv_time(ngx_media_vod_flv_t *flv);
static ngx_int_t ngx_media_vod_flv_tag(ngx_media_vod_flv_t *flv,
    uint32_t type, size_t size);
static ngx_int_t ngx_media_vod_flv_packet(ngx_media_vod_flv_t *flv,
    const ngx_media_flv_packet_t *packet);
static ngx_int_t ngx_media_vod_flv_config(ngx_media_vod_flv_t *flv,
    ngx_media_vod_av_track_t *t, const ngx_media_flv_packet_t *packet);
static ngx_int_t ngx_media_vod_flv_frame(ngx_media_vod_flv_t *flv,
    ngx_media_vod_av_track_t *t, const ngx_media_flv_packet_t *packet);
static ngx_int_t ngx_media_vod_flv_complete(ngx_media_vod_flv_t *flv,
    const ngx_media_flv_packet_t *packet, ngx_media_params_t *params);
static ngx_int_t ngx_media_vod_flv_sample(ngx_media_vod_flv_t *flv,
    ngx_media_vod_av_track_t *t, const ngx_media_flv_packet_t *packet,
    const ngx_media_span_t *body, int64_t pts);


ngx_media_vod_file_t *
ngx_media_vod_index_flv(ngx_media_vod_index_t *index)
{
    ngx_int_t              rc;
    ngx_media_vod_flv_t   *flv;
    ngx_media_vod_file_t  *file;

    flv = calloc(1, sizeof(ngx_media_vod_flv_t));

    if (flv == NULL) {
        return NULL;
    }

    flv->size = index->id.size;
    flv->buffer = malloc(NGX_MEDIA_VOD_FLV_MAX);

    if (flv->buffer == NULL) {
        free(flv);
        return NULL;
    }

    ngx_media_vod_av_init(&flv->av, index);

    rc = ngx_media_vod_flv_tags(flv);

    if (rc == NGX_OK) {
        file = ngx_media_vod_av_finish(&flv->av);

    } else {
        file = flv->av.nomem ? NULL
               : ngx_media_vod_index_fail(index, rc == NGX_DECLINED ? 500
                                                                    : 415,
                                          "flv: %s, offset:%llu",
                                          rc == NGX_DECLINED
                                          ? "cannot be read" : "malformed",
                                          (unsigned long long) flv->offset);
        ngx_media_vod_av_free(&flv->av);
    }

    free(flv->buffer);
    free(flv);

    return file;
}


/* NGX_DECLINED: an error of the disk, or the file has become shorter */

static ngx_int_t
ngx_media_vod_flv_read(ngx_media_vod_flv_t *flv, uint64_t offset, size_t size)
{
    ssize_t  n;

    if (offset == flv->offset && size <= flv->len) {
        return NGX_OK;
    }

    flv->offset = offset;
    flv->len = 0;

    while (flv->len < size) {
        n = pread(flv->av.index->fd, flv->buffer + flv->len, size - flv->len,
                  (off_t) (offset + flv->len));

        if (n <= 0) {

            if (n < 0 && errno == EINTR) {
                continue;
            }

            return NGX_DECLINED;
        }

        flv->len += (size_t) n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_flv_tags(ngx_media_vod_flv_t *flv)
{
    size_t      size;
    uint32_t    type;
    uint64_t    next, offset;
    ngx_int_t   rc;
    ngx_uint_t  unknown;

    if (flv->size < NGX_MEDIA_VOD_FLV_HEADER) {
        return NGX_ERROR;
    }

    rc = ngx_media_vod_flv_read(flv, 0, NGX_MEDIA_VOD_FLV_HEADER);

    if (rc != NGX_OK) {
        return rc;
    }

    offset = ngx_media_get_be32(flv->buffer + 5);

    if (offset < NGX_MEDIA_VOD_FLV_HEADER) {
        return NGX_ERROR;
    }

    offset += NGX_MEDIA_VOD_FLV_TAIL;
    unknown = 0;

    /* what is not complete is not there: it may be being written */

    while (offset < flv->size
           && flv->size - offset >= NGX_MEDIA_VOD_FLV_TAG)
    {
        size = ngx_min(flv->size - offset, NGX_MEDIA_VOD_FLV_READ);

        rc = ngx_media_vod_flv_read(flv, offset, size);

        if (rc != NGX_OK) {
            return rc;
        }

        size = ngx_media_get_be24(flv->buffer + 1);
        type = flv->buffer[0];

        if (size > flv->size - offset - NGX_MEDIA_VOD_FLV_TAG) {
            ngx_media_vod_blob_note(&flv->av.blob,
                                    "flv: truncated, offset:%llu",
                                    (unsigned long long) offset);
            break;
        }

        next = offset + NGX_MEDIA_VOD_FLV_TAG + size
               + NGX_MEDIA_VOD_FLV_TAIL;

        ngx_media_vod_flv_time(flv);

        if (type == NGX_MEDIA_VOD_FLV_AUDIO
            || type == NGX_MEDIA_VOD_FLV_VIDEO)
        {
            unknown = 0;
            rc = ngx_media_vod_flv_tag(flv, type, size);

            if (rc != NGX_OK) {
                return rc;
            }

        } else if (++unknown == NGX_MEDIA_VOD_FLV_UNKNOWN) {
            return NGX_ERROR;
        }

        offset = next;
    }

    return NGX_OK;
}


/* E.4.1: milliseconds of 32 bits, the upper 8 of them at the end */

static void
ngx_media_vod_flv_time(ngx_media_vod_flv_t *flv)
{
    uint32_t  stamp;

    stamp = ngx_media_get_be24(flv->buffer + 4)
            | (uint32_t) flv->buffer[7] << 24;

    if (stamp < flv->last && flv->last - stamp > 0x80000000) {
        flv->wraps += (int64_t) 1 << 32;

    } else if (stamp > flv->last && stamp - flv->last > 0x80000000
               && flv->wraps)
    {
        flv->wraps -= (int64_t) 1 << 32;
    }

    flv->last = stamp;
    flv->time = (flv->wraps + stamp) * NGX_MEDIA_VOD_FLV_MSEC;
}


static ngx_int_t
ngx_media_vod_flv_tag(ngx_media_vod_flv_t *flv, uint32_t type, size_t size)
{
    u_char                    *pos;
    ngx_int_t                  rc, rv;
    ngx_uint_t                 again;
    ngx_media_flv_packet_t     packet;
    ngx_media_flv_iterator_t   it;

    again = 0;
    pos = flv->buffer + NGX_MEDIA_VOD_FLV_TAG;

    for ( ;; ) {
        rc = (type == NGX_MEDIA_VOD_FLV_VIDEO)
             ? ngx_media_flv_video(&it, pos, pos + size)
             : ngx_media_flv_audio(&it, pos, pos + size);

        while (rc == NGX_OK || rc == NGX_DECLINED) {

            rc = ngx_media_flv_next(&it, &packet);

            /* all of it is needed */

            if (rc == NGX_OK && !again
                && size + NGX_MEDIA_VOD_FLV_TAG > flv->len
                && (packet.multitrack || packet.kind == NGX_MEDIA_FLV_CONFIG
                    || ngx_media_vod_flv_is_run(packet.codec)))
            {
                break;
            }

            if (rc == NGX_DECLINED && packet.kind == NGX_MEDIA_FLV_FRAME
                && !flv->declined[packet.type])
            {
                flv->declined[packet.type] = 1;
                ngx_media_vod_blob_note(&flv->av.blob,
                                        "flv: unsupported %s codec",
                                        packet.type == NGX_MEDIA_VIDEO
                                        ? "video" : "audio");
            }

            if (rc == NGX_OK) {
                rv = ngx_media_vod_flv_packet(flv, &packet);

                if (rv != NGX_OK) {
                    return rv;
                }
            }
        }

        if (rc != NGX_OK) {

            /* malformed tags are left out, as players do */

            return NGX_OK;
        }

        again = 1;
        flv->len = 0;

        rc = ngx_media_vod_flv_read(flv, flv->offset,
                                    size + NGX_MEDIA_VOD_FLV_TAG);

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_int_t
ngx_media_vod_flv_packet(ngx_media_vod_flv_t *flv,
    const ngx_media_flv_packet_t *packet)
{
    ngx_media_vod_av_track_t  **tp, *t;

    if ((packet->kind != NGX_MEDIA_FLV_CONFIG
         && packet->kind != NGX_MEDIA_FLV_FRAME)
        || packet->type > NGX_MEDIA_AUDIO || packet->track > 255
        || packet->body.pos == packet->body.last)
    {
        return NGX_OK;
    }

    if (ngx_media_codec_find(packet->codec) == NULL) {

        if (!flv->declined[packet->type]) {
            flv->declined[packet->type] = 1;
            ngx_media_vod_blob_note(&flv->av.blob,
                                    "flv: unsupported codec");
        }

        return NGX_OK;
    }

    tp = &flv->tracks[packet->type][packet->track];

    if (*tp == NULL) {
        *tp = ngx_media_vod_av_track(&flv->av, packet->type, packet->codec);

        if (*tp == NULL) {
            return flv->av.nomem ? NGX_ERROR : NGX_OK;
        }

        (*tp)->order = packet->type << 8 | packet->track;
    }

    t = *tp;

    /* another codec on the way cannot be one track */

    if (t->codec != packet->codec) {
        return NGX_OK;
    }

    if (packet->kind == NGX_MEDIA_FLV_CONFIG) {
        return ngx_media_vod_flv_config(flv, t, packet);
    }

    return ngx_media_vod_flv_frame(flv, t, packet);
}


static ngx_int_t
ngx_media_vod_flv_config(ngx_media_vod_flv_t *flv,
    ngx_media_vod_av_track_t *t, const ngx_media_flv_packet_t *packet)
{
    size_t                    len;
    ngx_media_params_t        params, *current;
    const ngx_media_codec_t  *codec;

    len = ngx_media_span_len(&packet->body);
    codec = ngx_media_codec_find(t->codec);

    if (t->nparams == 0 && len <= NGX_MEDIA_VOD_FLV_PARTIAL
        && ngx_media_record_is_partial(codec->units, &packet->body))
    {
        flv->partial = t;
        flv->config_len = len;
        ngx_memcpy(flv->config, packet->body.pos, len);
        return NGX_OK;
    }

    if (codec->config(&params, packet->body.pos, packet->body.last)
        != NGX_OK)
    {
        ngx_media_vod_blob_note(&flv->av.blob,
                                "flv: unsupported configuration, offset:%llu",
                                (unsigned long long) flv->offset);
        return NGX_OK;
    }

    if (t->nparams) {
        current = &t->params[t->nparams - 1];

        /* it is repeated; one of VP8 and VP9 does not say the size */

        if (current->config_len == params.config_len
            && ngx_memcmp(current->config, params.config, params.config_len)
               == 0)
        {
            return NGX_OK;
        }

        if (current->timescale != params.timescale) {
            ngx_media_vod_blob_note(&flv->av.blob,
                                    "flv: another sample rate, offset:%llu",
                                    (unsigned long long) flv->offset);
            return NGX_OK;
        }
    }

    if (params.type == NGX_MEDIA_VIDEO && params.width == 0) {
        return NGX_OK;
    }

    return ngx_media_vod_av_describe(&flv->av, t, &params);
}


static ngx_int_t
ngx_media_vod_flv_frame(ngx_media_vod_flv_t *flv,
    ngx_media_vod_av_track_t *t, const ngx_media_flv_packet_t *packet)
{
    int64_t                   pts;
    ngx_int_t                 rc;
    ngx_media_span_t          data, frame;
    ngx_media_params_t        params;
    const ngx_media_codec_t  *codec;

    if (t->nparams == 0) {

        if (t == flv->partial) {
            rc = ngx_media_vod_flv_complete(flv, packet, &params);

        } else {
            rc = ngx_media_vod_av_frame_params(&params, t->codec,
                                               packet->body.pos,
                                               packet->body.last);
        }

        if (rc != NGX_OK) {
            return NGX_OK;
        }

        if (ngx_media_vod_av_describe(&flv->av, t, &params) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    pts = flv->time + (int64_t) packet->cts * NGX_MEDIA_VOD_FLV_MSEC
          + packet->nano;

    if (!ngx_media_vod_flv_is_run(t->codec)) {
        return ngx_media_vod_flv_sample(flv, t, packet, &packet->body, pts);
    }

    /* there may be several in a tag */

    data = packet->body;
    codec = ngx_media_codec_find(t->codec);

    while (ngx_media_codec_next(codec, &data, &frame) == NGX_OK) {

        rc = ngx_media_vod_flv_sample(flv, t, packet, &frame, pts);

        if (rc != NGX_OK) {
            return rc;
        }

        pts += (int64_t) 1000000000
               * ngx_media_vod_av_frame_samples(&t->params[0], frame.pos,
                                                frame.last)
               / t->params[0].timescale;
    }

    return NGX_OK;
}


/* several frames in a tag may be */

static ngx_uint_t
ngx_media_vod_flv_is_run(uint32_t codec)
{
    const ngx_media_codec_t  *entry;

    entry = ngx_media_codec_find(codec);

    return entry && entry->units == NGX_MEDIA_UNITS_FRAMES;
}


/* parameter sets come first in a frame: they are in what was read of it */

static ngx_int_t
ngx_media_vod_flv_complete(ngx_media_vod_flv_t *flv,
    const ngx_media_flv_packet_t *packet, ngx_media_params_t *params)
{
    size_t                    len;
    u_char                    record[NGX_MEDIA_CONFIG_MAX], *last;
    ngx_media_span_t          config, frame;
    const ngx_media_codec_t  *codec;

    last = flv->buffer + flv->len;

    if (!packet->key || packet->body.pos > last) {
        return NGX_DECLINED;
    }

    codec = ngx_media_codec_find(flv->partial->codec);

    config.pos = flv->config;
    config.last = flv->config + flv->config_len;
    frame.pos = packet->body.pos;
    frame.last = ngx_min(packet->body.last, last);

    if (ngx_media_record_complete(codec->units, &config, &frame, record,
                                  &len)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return codec->config(params, record, record + len);
}


static ngx_int_t
ngx_media_vod_flv_sample(ngx_media_vod_flv_t *flv,
    ngx_media_vod_av_track_t *t, const ngx_media_flv_packet_t *packet,
    const ngx_media_span_t *body, int64_t pts)
{
    ngx_media_vod_av_packet_t  p;

    p.pts = pts;
    p.offset = flv->offset + (size_t) (body->pos - flv->buffer);
    p.size = (uint32_t) ngx_media_span_len(body);
    p.duration = 0;
    p.key = packet->key;
    p.description = (uint8_t) t->nparams;

    if (packet->type == NGX_MEDIA_AUDIO) {
        p.duration = ngx_media_vod_av_frame_samples(&t->params[0], body->pos,
                                                    body->last);
    }

    return ngx_media_vod_av_packet(&flv->av, t, &p);
}
