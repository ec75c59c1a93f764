
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_decode.h"

#include <libavutil/mem.h>


struct ngx_media_av_decoder_s {
    AVCodecContext               *ctx;
    AVPacket                     *packet;
    AVFrame                      *frame;      /* NULL: it was handed out */
    int64_t                       last;       /* pts of the last picture */
    ngx_media_av_decoder_stat_t   stat;
    unsigned                      started:1;  /* a key frame was sent */
    unsigned                      shown:1;    /* last is one */
};


static ngx_media_av_decoder_t *ngx_media_av_decoder_create(
    const AVCodec *codec, const ngx_media_params_t *params,
    ngx_uint_t reorder, u_char *error);
static ngx_int_t ngx_media_av_decoder_configure(ngx_media_av_decoder_t *d,
    const ngx_media_params_t *params, ngx_uint_t reorder);
static void ngx_media_av_decoder_failed(ngx_media_av_decoder_t *d, int rc);


ngx_media_av_decoder_t *
ngx_media_av_decoder_open(const ngx_media_params_t *params,
    ngx_uint_t reorder, u_char *error)
{
    return ngx_media_av_decoder_create(
                          avcodec_find_decoder(ngx_media_av_id(params->codec)),
                          params, reorder, error);
}


ngx_media_av_decoder_t *
ngx_media_av_decoder_open_named(const char *name,
    const ngx_media_params_t *params, ngx_uint_t reorder, u_char *error)
{
    const AVCodecDescriptor  *desc;

    desc = avcodec_descriptor_get_by_name(name);

    return ngx_media_av_decoder_create(desc ? avcodec_find_decoder(desc->id)
                                            : NULL,
                                       params, reorder, error);
}


static ngx_media_av_decoder_t *
ngx_media_av_decoder_create(const AVCodec *codec,
    const ngx_media_params_t *params, ngx_uint_t reorder, u_char *error)
{
    int                      rc;
    ngx_media_av_decoder_t  *d;

    ngx_media_av_init();

    if (codec == NULL) {
        ngx_media_av_error(error, "decoder", AVERROR_DECODER_NOT_FOUND);
        return NULL;
    }

    d = calloc(1, sizeof(ngx_media_av_decoder_t));

    if (d == NULL) {
        ngx_media_av_error(error, "decoder", AVERROR(ENOMEM));
        return NULL;
    }

    d->ctx = avcodec_alloc_context3(codec);
    d->packet = av_packet_alloc();

    if (d->ctx == NULL || d->packet == NULL
        || ngx_media_av_decoder_configure(d, params, reorder) != NGX_OK)
    {
        ngx_media_av_error(error, "decoder", AVERROR(ENOMEM));
        ngx_media_av_decoder_close(d);
        return NULL;
    }

    rc = avcodec_open2(d->ctx, codec, NULL);

    if (rc < 0) {
        ngx_media_av_error(error, "decoder is not opened", rc);
        ngx_media_av_decoder_close(d);
        return NULL;
    }

    return d;
}


/*
 * Streams and rungs are what is done at the same time, not the parts of one
 * picture, and threads of frames would hold back one picture each.
 *
 * Where a stream does not say how far pictures are reordered, the decoder
 * finds out, and drops one each time it has to learn: it is told.
 */

static ngx_int_t
ngx_media_av_decoder_configure(ngx_media_av_decoder_t *d,
    const ngx_media_params_t *params, ngx_uint_t reorder)
{
    AVCodecContext  *ctx;

    ctx = d->ctx;

    ctx->thread_count = 1;
    ctx->max_pixels = NGX_MEDIA_AV_PIXELS;
    ctx->width = (int) params->width;
    ctx->height = (int) params->height;
    ctx->pkt_timebase.num = 1;
    ctx->pkt_timebase.den = (int) params->timescale;
    ctx->has_b_frames = (int) ngx_min(reorder, NGX_MEDIA_AV_REORDER);

    ctx->extradata = av_mallocz(params->config_len
                                + AV_INPUT_BUFFER_PADDING_SIZE);
    if (ctx->extradata == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->extradata, params->config, params->config_len);
    ctx->extradata_size = (int) params->config_len;

    return NGX_OK;
}


void
ngx_media_av_decoder_close(ngx_media_av_decoder_t *d)
{
    if (d == NULL) {
        return;
    }

    avcodec_free_context(&d->ctx);
    av_packet_free(&d->packet);
    av_frame_free(&d->frame);

    free(d);
}


ngx_int_t
ngx_media_av_decoder_send(ngx_media_av_decoder_t *d, const u_char *pos,
    size_t len, int64_t pts, ngx_uint_t key, ngx_uint_t skip)
{
    int  rc;

    if (len == 0 || len > NGX_MEDIA_AV_FRAME || (!key && !d->started)) {
        d->stat.frames++;
        ngx_media_av_decoder_failed(d, AVERROR_INVALIDDATA);
        return NGX_ERROR;
    }

    d->started = 1;

    /* it has no owner, so it is copied, with what decoders read behind it */

    d->packet->data = (uint8_t *) pos;
    d->packet->size = (int) len;
    d->packet->pts = pts;
    d->packet->flags = key ? AV_PKT_FLAG_KEY : 0;

    d->ctx->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;

    rc = avcodec_send_packet(d->ctx, d->packet);

    av_packet_unref(d->packet);

    if (rc == AVERROR(EAGAIN)) {
        return NGX_AGAIN;
    }

    d->stat.frames++;

    if (rc < 0) {
        ngx_media_av_decoder_failed(d, rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_media_av_decoder_failed(ngx_media_av_decoder_t *d, int rc)
{
    d->stat.errors++;
    d->stat.row++;
    d->stat.nomem += (rc == AVERROR(ENOMEM));
}


ngx_media_av_frame_t *
ngx_media_av_decoder_picture(ngx_media_av_decoder_t *d)
{
    int          rc;
    AVFrame     *frame;
    ngx_uint_t   i;

    /* a frame that it failed at is gone, others may be behind it */

    for (i = 0; i < NGX_MEDIA_AV_REORDER; i++) {

        if (d->frame == NULL) {
            d->frame = av_frame_alloc();

            if (d->frame == NULL) {
                ngx_media_av_decoder_failed(d, AVERROR(ENOMEM));
                return NULL;
            }
        }

        rc = avcodec_receive_frame(d->ctx, d->frame);

        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) {
            return NULL;
        }

        if (rc < 0) {
            ngx_media_av_decoder_failed(d, rc);
            continue;
        }

        d->stat.row = 0;

        if (d->frame->pts == AV_NOPTS_VALUE
            || (d->shown && d->frame->pts <= d->last))
        {
            d->stat.late++;
            av_frame_unref(d->frame);
            continue;
        }

        d->last = d->frame->pts;
        d->shown = 1;
        d->stat.pictures++;

        frame = d->frame;
        d->frame = NULL;

        return frame;
    }

    return NULL;
}


void
ngx_media_av_decoder_drain(ngx_media_av_decoder_t *d)
{
    /* it fails where it was done before, only */

    (void) avcodec_send_packet(d->ctx, NULL);
}


const ngx_media_av_decoder_stat_t *
ngx_media_av_decoder_stat(const ngx_media_av_decoder_t *d)
{
    return &d->stat;
}

#endif
