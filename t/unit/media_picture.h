
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pictures that are made, and how alike two are; and streams of them.
 */


#ifndef _MEDIA_PICTURE_H_INCLUDED_
#define _MEDIA_PICTURE_H_INCLUDED_


#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_decode.h"
#include "av/ngx_media_av_encode.h"
#include "av/ngx_media_av_scale.h"
#include "tap.h"

#include <math.h>


#define MEDIA_PICTURE_MAX  128


/* what came out of an encoder */

typedef struct {
    u_char                   *data;
    size_t                    len;
    int64_t                   pts;
    int64_t                   dts;
    ngx_uint_t                key;
} media_picture_packet_t;


typedef struct {
    ngx_uint_t                n;
    media_picture_packet_t    packets[MEDIA_PICTURE_MAX];
    ngx_uint_t                held;           /* pictures held back at most */
    ngx_media_params_t        params;
} media_picture_stream_t;


/* something moves over something that does not */

static inline AVFrame *
media_picture(int format, int width, int height, int n, int64_t pts)
{
    int        h, i, w, x, y;
    AVFrame   *frame;
    uint8_t   *row;
    uint16_t  *deep;
    unsigned   value;

    frame = av_frame_alloc();

    if (frame == NULL) {
        abort();
    }

    frame->format = format;
    frame->width = width;
    frame->height = height;
    frame->pts = pts;
    frame->color_range = AVCOL_RANGE_MPEG;
    frame->color_primaries = AVCOL_PRI_BT709;
    frame->color_trc = AVCOL_TRC_BT709;
    frame->colorspace = AVCOL_SPC_BT709;

    if (av_frame_get_buffer(frame, 0) < 0) {
        abort();
    }

    for (i = 0; i < 3; i++) {
        w = (width + (i != 0)) >> (i != 0);
        h = (height + (i != 0)) >> (i != 0);

        for (y = 0; y < h; y++) {
            row = frame->data[i] + (ptrdiff_t) y * frame->linesize[i];
            deep = (uint16_t *) row;

            for (x = 0; x < w; x++) {
                value = 40 + (unsigned) (x * 100 / w + y * 60 / h);

                if (abs(x - (w / 4 + 2 * n) % w) < w / 10
                    && abs(y - h / 2) < h / 6)
                {
                    value = 200;
                }

                if (format == AV_PIX_FMT_YUV420P10) {
                    deep[x] = (uint16_t) (value << 2);

                } else {
                    row[x] = (uint8_t) value;
                }
            }
        }
    }

    return frame;
}


/* dB, of luma */

static inline double
media_picture_psnr(const AVFrame *a, const AVFrame *b)
{
    int      x, y;
    double   d, sum;

    if (a->width != b->width || a->height != b->height
        || a->format != b->format)
    {
        return 0;
    }

    sum = 0;

    for (y = 0; y < a->height; y++) {
        for (x = 0; x < a->width; x++) {

            if (a->format == AV_PIX_FMT_YUV420P10) {
                d = ((uint16_t *) (a->data[0] + y * a->linesize[0]))[x] / 4.0
                    - ((uint16_t *) (b->data[0] + y * b->linesize[0]))[x]
                      / 4.0;

            } else {
                d = (double) a->data[0][y * a->linesize[0] + x]
                    - b->data[0][y * b->linesize[0] + x];
            }

            sum += d * d;
        }
    }

    sum /= (double) a->width * a->height;

    return sum > 0 ? 10 * log10(255 * 255 / sum) : 99;
}


static inline ngx_int_t
media_picture_take(ngx_media_av_encoder_t *e, media_picture_stream_t *stream)
{
    ngx_int_t                rc;
    media_picture_packet_t  *to;
    ngx_media_av_packet_t    packet;

    for ( ;; ) {
        rc = ngx_media_av_encoder_packet(e, &packet);

        if (rc != NGX_OK) {
            break;
        }

        if (stream->n == MEDIA_PICTURE_MAX) {
            abort();
        }

        to = &stream->packets[stream->n++];

        to->len = packet.last - packet.pos;
        to->data = tap_dup(packet.pos, to->len);
        to->pts = packet.pts;
        to->dts = packet.dts;
        to->key = packet.key;
    }

    if (rc == NGX_ERROR) {
        diag("packet: %s", ngx_media_av_encoder_error(e));
    }

    return rc;
}


/* frames of them go in, keys is a list of those that are to be key frames */

static inline ngx_int_t
media_picture_encode(const ngx_media_av_encoder_conf_t *conf,
    AVFrame **frames, ngx_uint_t n, const ngx_uint_t *keys, ngx_uint_t nkeys,
    media_picture_stream_t *stream)
{
    u_char                   error[NGX_MEDIA_AV_ERROR];
    ngx_int_t                rc;
    ngx_uint_t               i, k, key;
    ngx_media_av_encoder_t  *e;

    memset(stream, 0, sizeof(media_picture_stream_t));

    e = ngx_media_av_encoder_open(conf, frames[0], error);

    if (e == NULL) {
        diag("open: %s", error);
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for (i = 0; i < n && rc == NGX_OK; i++) {
        key = 0;

        for (k = 0; k < nkeys; k++) {
            key |= (keys[k] == i);
        }

        rc = ngx_media_av_encoder_send(e, frames[i], key);

        if (rc != NGX_OK) {
            diag("send: %s", ngx_media_av_encoder_error(e));
            break;
        }

        rc = media_picture_take(e, stream) == NGX_AGAIN ? NGX_OK : NGX_ERROR;

        stream->held = ngx_max(stream->held, i + 1 - stream->n);
    }

    ngx_media_av_encoder_drain(e);

    if (rc == NGX_OK) {
        rc = media_picture_take(e, stream) == NGX_DONE ? NGX_OK : NGX_ERROR;
    }

    if (ngx_media_av_encoder_params(e)) {
        ngx_media_params_copy(&stream->params, ngx_media_av_encoder_params(e));
    }

    ngx_media_av_encoder_close(e);

    return rc;
}


static inline void
media_picture_free(media_picture_stream_t *stream)
{
    ngx_uint_t  i;

    for (i = 0; i < stream->n; i++) {
        free(stream->packets[i].data);
    }
}


/* the pictures of it, to be freed; how many */

static inline ngx_uint_t
media_picture_decode(const media_picture_stream_t *stream, ngx_uint_t reorder,
    AVFrame **frames)
{
    u_char                         error[NGX_MEDIA_AV_ERROR];
    ngx_uint_t                     i, n;
    ngx_media_av_decoder_t        *d;
    const media_picture_packet_t  *packet;

    d = ngx_media_av_decoder_open(&stream->params, reorder, error);

    if (d == NULL) {
        diag("open: %s", error);
        return 0;
    }

    n = 0;

    for (i = 0; i <= stream->n; i++) {

        if (i < stream->n) {
            packet = &stream->packets[i];

            if (ngx_media_av_decoder_send(d, packet->data, packet->len,
                                          packet->pts, packet->key, 0)
                != NGX_OK)
            {
                diag("frame %u is not decoded", (unsigned) i);
            }

        } else {
            ngx_media_av_decoder_drain(d);
        }

        while (n < MEDIA_PICTURE_MAX) {
            frames[n] = ngx_media_av_decoder_picture(d);

            if (frames[n] == NULL) {
                break;
            }

            n++;
        }
    }

    ngx_media_av_decoder_close(d);

    return n;
}


static inline void
media_picture_free_frames(AVFrame **frames, ngx_uint_t n)
{
    while (n) {
        ngx_media_av_frame_free(frames[--n]);
    }
}


#endif /* _MEDIA_PICTURE_H_INCLUDED_ */
