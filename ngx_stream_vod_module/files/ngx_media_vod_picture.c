
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "files/ngx_media_vod_lav.h"
#include "files/ngx_media_vod_picture.h"

#if (NGX_MEDIA_HAVE_AV)

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#endif


/* what a picture is at least, and where a shape is none */
#define NGX_MEDIA_VOD_PICTURE_LEAST    2
#define NGX_MEDIA_VOD_PICTURE_MOST     16384

/* of a JPEG, in the encoder's scale: 2 is best, 31 worst */
#define NGX_MEDIA_VOD_PICTURE_QUALITY  5


void
ngx_media_vod_picture_size(const ngx_media_vod_shape_t *shape,
    uint32_t max_width, uint32_t max_height, uint32_t *width,
    uint32_t *height)
{
    uint64_t  h, w, n;

    w = ngx_min(shape->width, NGX_MEDIA_VOD_PICTURE_MOST);
    h = ngx_min(shape->height, NGX_MEDIA_VOD_PICTURE_MOST);

    /* pixels become square by making one of the two less */

    if (shape->sar_num && shape->sar_den) {

        if (shape->sar_num > shape->sar_den) {
            h = h * shape->sar_den / shape->sar_num;

        } else {
            w = w * shape->sar_num / shape->sar_den;
        }
    }

    if (shape->rotation == 90 || shape->rotation == 270) {
        n = w;
        w = h;
        h = n;
    }

    w = ngx_max(w, NGX_MEDIA_VOD_PICTURE_LEAST);
    h = ngx_max(h, NGX_MEDIA_VOD_PICTURE_LEAST);

    if (w > max_width) {
        h = (h * max_width + w) / (w * 2) * 2;
        w = max_width;
    }

    if (h > max_height) {
        w = (w * max_height + h) / (h * 2) * 2;
        h = max_height;
    }

    w &= ~1ull;
    h &= ~1ull;

    *width = (uint32_t) ngx_max(w, NGX_MEDIA_VOD_PICTURE_LEAST);
    *height = (uint32_t) ngx_max(h, NGX_MEDIA_VOD_PICTURE_LEAST);
}


#if (NGX_MEDIA_HAVE_AV)

struct ngx_media_vod_decoder_s {
    AVCodecContext           *ctx;
    AVPacket                 *packet;
    AVFrame                  *frame;
    AVFrame                  *best;           /* its pts is not after that of
                                                 the last sample, and it is
                                                 the latest of these */
    int64_t                   pts;            /* of the last sample */
    ngx_fd_t                  fd;
    ngx_uint_t                found;          /* best is one */
    char                      error[128];
};


static ngx_int_t ngx_media_vod_decoder_read(ngx_media_vod_decoder_t *decoder,
    const ngx_media_index_sample_t *sample);
static void ngx_media_vod_decoder_send(ngx_media_vod_decoder_t *decoder,
    const AVPacket *packet);
static void ngx_media_vod_decoder_receive(ngx_media_vod_decoder_t *decoder);
static AVFrame *ngx_media_vod_decoder_scale(ngx_media_vod_decoder_t *decoder,
    uint32_t width, uint32_t height);
static struct SwsContext *ngx_media_vod_decoder_scaler(const AVFrame *from,
    const AVFrame *to);
static void ngx_media_vod_canvas_put(ngx_media_vod_canvas_t *canvas,
    const AVFrame *frame, uint32_t rotation, uint32_t x, uint32_t y);
static void ngx_media_vod_plane_put(u_char *to, size_t stride,
    const u_char *from, size_t from_stride, uint32_t width, uint32_t height,
    uint32_t rotation);
static void ngx_media_vod_canvas_planes(const ngx_media_vod_canvas_t *canvas,
    u_char **planes, int *strides);


ngx_media_vod_decoder_t *
ngx_media_vod_decoder_open(const ngx_media_params_t *params, ngx_fd_t fd,
    const char **error)
{
    const AVCodec            *codec;
    AVCodecContext           *ctx;
    ngx_media_vod_decoder_t  *decoder;

    ngx_media_av_init();

    codec = avcodec_find_decoder(ngx_media_av_id(params->codec));

    if (codec == NULL) {
        *error = "there is no decoder";
        return NULL;
    }

    *error = "no memory";

    decoder = calloc(1, sizeof(ngx_media_vod_decoder_t));
    if (decoder == NULL) {
        return NULL;
    }

    ctx = avcodec_alloc_context3(codec);

    decoder->fd = fd;
    decoder->ctx = ctx;
    decoder->packet = av_packet_alloc();
    decoder->frame = av_frame_alloc();
    decoder->best = av_frame_alloc();

    if (ctx == NULL || decoder->packet == NULL || decoder->frame == NULL
        || decoder->best == NULL)
    {
        goto failed;
    }

    ctx->thread_count = 1;
    ctx->max_pixels = NGX_MEDIA_VOD_PICTURE_PIXELS;
    ctx->width = (int) params->width;
    ctx->height = (int) params->height;
    ctx->pkt_timebase.num = 1;
    ctx->pkt_timebase.den = (int) params->timescale;

    ctx->extradata = av_mallocz(params->config_len
                                + AV_INPUT_BUFFER_PADDING_SIZE);
    if (ctx->extradata == NULL) {
        goto failed;
    }

    ngx_memcpy(ctx->extradata, params->config, params->config_len);
    ctx->extradata_size = (int) params->config_len;

    if (avcodec_open2(ctx, codec, NULL) < 0) {
        *error = "decoder does not take the codec's parameters";
        goto failed;
    }

    return decoder;

failed:

    ngx_media_vod_decoder_close(decoder);

    return NULL;
}


void
ngx_media_vod_decoder_close(ngx_media_vod_decoder_t *decoder)
{
    if (decoder == NULL) {
        return;
    }

    avcodec_free_context(&decoder->ctx);
    av_packet_free(&decoder->packet);
    av_frame_free(&decoder->frame);
    av_frame_free(&decoder->best);

    free(decoder);
}


const char *
ngx_media_vod_decoder_error(ngx_media_vod_decoder_t *decoder)
{
    return decoder->error;
}


ngx_int_t
ngx_media_vod_decoder_sample(ngx_media_vod_decoder_t *decoder,
    const ngx_media_index_sample_t *sample, ngx_uint_t last)
{
    if (sample->size == 0) {
        return NGX_OK;
    }

    if (ngx_media_vod_decoder_read(decoder, sample) != NGX_OK) {
        return NGX_ERROR;
    }

    decoder->packet->pts = sample->dts + sample->cto;
    decoder->packet->dts = sample->dts;
    decoder->packet->flags = sample->key ? AV_PKT_FLAG_KEY : 0;

    decoder->pts = decoder->packet->pts;

    /* pictures that no other refers to are not needed for the last */

    decoder->ctx->skip_frame = last ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;

    ngx_media_vod_decoder_send(decoder, decoder->packet);

    av_packet_unref(decoder->packet);

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_decoder_read(ngx_media_vod_decoder_t *decoder,
    const ngx_media_index_sample_t *sample)
{
    size_t   size;
    u_char  *p;
    off_t    offset;
    ssize_t  n;

    if (sample->size > NGX_MEDIA_VOD_PICTURE_SAMPLE
        || av_new_packet(decoder->packet, (int) sample->size) < 0)
    {
        (void) snprintf(decoder->error, sizeof(decoder->error),
                        "sample is too large, %u bytes, offset:%llu",
                        sample->size, (unsigned long long) sample->offset);
        return NGX_ERROR;
    }

    p = decoder->packet->data;
    size = sample->size;
    offset = (off_t) sample->offset;

    while (size) {
        n = pread(decoder->fd, p, size, offset);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            (void) snprintf(decoder->error, sizeof(decoder->error),
                            n ? "cannot be read, offset:%llu"
                              : "has become shorter, offset:%llu",
                            (unsigned long long) offset);
            av_packet_unref(decoder->packet);

            return NGX_ERROR;
        }

        p += n;
        offset += n;
        size -= (size_t) n;
    }

    return NGX_OK;
}


/*
 * NULL: the end.  All that is decoded by then is taken, otherwise a packet
 * waits, and is decoded with what skip_frame is for a later one.
 */

static void
ngx_media_vod_decoder_send(ngx_media_vod_decoder_t *decoder,
    const AVPacket *packet)
{
    int  rc;

    do {
        rc = avcodec_send_packet(decoder->ctx, packet);

        ngx_media_vod_decoder_receive(decoder);

    } while (rc == AVERROR(EAGAIN));
}


/* what is decoded by now */

static void
ngx_media_vod_decoder_receive(ngx_media_vod_decoder_t *decoder)
{
    AVFrame  *frame;

    while (avcodec_receive_frame(decoder->ctx, decoder->frame) == 0) {
        frame = decoder->frame;

        if (!decoder->found
            || (frame->pts <= decoder->pts
                && frame->pts >= decoder->best->pts)
            || (frame->pts <= decoder->pts
                && decoder->best->pts > decoder->pts))
        {
            av_frame_unref(decoder->best);
            av_frame_move_ref(decoder->best, frame);
            decoder->found = 1;

        } else {
            av_frame_unref(frame);
        }
    }
}


ngx_int_t
ngx_media_vod_decoder_finish(ngx_media_vod_decoder_t *decoder)
{
    ngx_uint_t  found;

    ngx_media_vod_decoder_send(decoder, NULL);

    avcodec_flush_buffers(decoder->ctx);

    found = decoder->found;
    decoder->found = 0;

    if (!found) {
        (void) snprintf(decoder->error, sizeof(decoder->error),
                        "samples make no picture");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_media_vod_decoder_shape(ngx_media_vod_decoder_t *decoder,
    ngx_media_vod_shape_t *shape)
{
    AVFrame  *frame;

    frame = decoder->best;

    shape->width = (uint32_t) frame->width;
    shape->height = (uint32_t) frame->height;

    if (frame->sample_aspect_ratio.num > 0
        && frame->sample_aspect_ratio.den > 0)
    {
        shape->sar_num = (uint32_t) frame->sample_aspect_ratio.num;
        shape->sar_den = (uint32_t) frame->sample_aspect_ratio.den;
    }
}


ngx_int_t
ngx_media_vod_decoder_draw(ngx_media_vod_decoder_t *decoder,
    const ngx_media_vod_shape_t *shape, ngx_media_vod_canvas_t *canvas,
    uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    AVFrame     *frame;
    uint32_t     h, w;
    ngx_uint_t   side;

    ngx_media_vod_picture_size(shape, width, height, &w, &h);

    /* what is missing is what was rounded */

    if (width - w <= 2 && height - h <= 2) {
        w = width;
        h = height;
    }

    side = (shape->rotation == 90 || shape->rotation == 270);

    frame = ngx_media_vod_decoder_scale(decoder, side ? h : w, side ? w : h);

    if (frame == NULL) {
        (void) snprintf(decoder->error, sizeof(decoder->error),
                        "picture cannot be scaled");
        return NGX_ERROR;
    }

    ngx_media_vod_canvas_put(canvas, frame, shape->rotation,
                             x + (((width - w) / 2) & ~1),
                             y + (((height - h) / 2) & ~1));

    av_frame_free(&frame);

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_decoder_jpeg(ngx_media_vod_decoder_t *decoder,
    ngx_media_vod_shape_t *shape, uint32_t max_width, uint32_t max_height,
    u_char **data, size_t *len)
{
    uint32_t                height, width;
    ngx_int_t               rc;
    ngx_media_vod_canvas_t  canvas;

    ngx_media_vod_decoder_shape(decoder, shape);
    ngx_media_vod_picture_size(shape, max_width, max_height, &width, &height);

    if (ngx_media_vod_canvas_init(&canvas, width, height) != NGX_OK) {
        (void) snprintf(decoder->error, sizeof(decoder->error), "no memory");
        return NGX_ERROR;
    }

    rc = ngx_media_vod_decoder_draw(decoder, shape, &canvas, 0, 0, width,
                                    height);

    if (rc == NGX_OK
        && ngx_media_vod_canvas_encode(&canvas, data, len) != NGX_OK)
    {
        (void) snprintf(decoder->error, sizeof(decoder->error),
                        "picture cannot be encoded");
        rc = NGX_ERROR;
    }

    free(canvas.data);

    return rc;
}


/* a new frame */

static AVFrame *
ngx_media_vod_decoder_scale(ngx_media_vod_decoder_t *decoder, uint32_t width,
    uint32_t height)
{
    int                 rc;
    AVFrame            *from, *to;
    struct SwsContext  *sws;

    from = decoder->best;

    to = av_frame_alloc();
    if (to == NULL) {
        return NULL;
    }

    to->format = AV_PIX_FMT_YUV420P;
    to->width = (int) width;
    to->height = (int) height;

    sws = NULL;
    rc = av_frame_get_buffer(to, 0);

    if (rc == 0) {
        sws = ngx_media_vod_decoder_scaler(from, to);
    }

    rc = -1;

    if (sws != NULL) {
        rc = sws_scale(sws, (const uint8_t *const *) from->data,
                       from->linesize, 0, from->height, to->data,
                       to->linesize);
        sws_freeContext(sws);
    }

    if (rc < 0) {
        av_frame_free(&to);
    }

    return to;
}


/*
 * JFIF: BT.601, full range.  Video that does not say so is BT.709 if it is
 * high definition.  Ranges must be known before the scaler is initialized,
 * otherwise pictures that keep their size keep their range.
 */

static struct SwsContext *
ngx_media_vod_decoder_scaler(const AVFrame *from, const AVFrame *to)
{
    int                 range, space;
    struct SwsContext  *sws;

    sws = sws_alloc_context();
    if (sws == NULL) {
        return NULL;
    }

    range = (int) ngx_media_av_frame_full_range(from);
    space = from->colorspace;

    if (space == AVCOL_SPC_UNSPECIFIED || space == AVCOL_SPC_RESERVED) {
        space = (from->width >= 1280 || from->height > 576)
                ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    }

    if (av_opt_set_int(sws, "srcw", from->width, 0) < 0
        || av_opt_set_int(sws, "srch", from->height, 0) < 0
        || av_opt_set_int(sws, "src_format", from->format, 0) < 0
        || av_opt_set_int(sws, "src_range", range, 0) < 0
        || av_opt_set_int(sws, "dstw", to->width, 0) < 0
        || av_opt_set_int(sws, "dsth", to->height, 0) < 0
        || av_opt_set_int(sws, "dst_format", to->format, 0) < 0
        || av_opt_set_int(sws, "dst_range", 1, 0) < 0
        || av_opt_set_int(sws, "sws_flags", SWS_BICUBIC|SWS_ACCURATE_RND, 0)
           < 0
        || sws_init_context(sws, NULL, NULL) < 0)
    {
        sws_freeContext(sws);
        return NULL;
    }

    (void) sws_setColorspaceDetails(sws, sws_getCoefficients(space), range,
                                  sws_getCoefficients(AVCOL_SPC_SMPTE170M), 1,
                                  0, 1 << 16, 1 << 16);

    return sws;
}


ngx_int_t
ngx_media_vod_canvas_init(ngx_media_vod_canvas_t *canvas, uint32_t width,
    uint32_t height)
{
    size_t  n;

    n = (size_t) width * height;

    canvas->width = width;
    canvas->height = height;

    canvas->data = malloc(n + n / 2);
    if (canvas->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memset(canvas->data, 0, n);
    ngx_memset(canvas->data + n, 128, n / 2);

    return NGX_OK;
}


static void
ngx_media_vod_canvas_put(ngx_media_vod_canvas_t *canvas,
    const AVFrame *frame, uint32_t rotation, uint32_t x, uint32_t y)
{
    int          strides[4];
    u_char      *planes[4];
    uint32_t     half;
    ngx_uint_t   i;

    ngx_media_vod_canvas_planes(canvas, planes, strides);

    for (i = 0; i < 3; i++) {
        half = (i != 0);

        ngx_media_vod_plane_put(planes[i] + (size_t) (y >> half) * strides[i]
                                + (x >> half),
                                (size_t) strides[i], frame->data[i],
                                (size_t) frame->linesize[i],
                                (uint32_t) frame->width >> half,
                                (uint32_t) frame->height >> half, rotation);
    }
}


/* width and height: of what is put, before it is turned */

static void
ngx_media_vod_plane_put(u_char *to, size_t stride, const u_char *from,
    size_t from_stride, uint32_t width, uint32_t height, uint32_t rotation)
{
    u_char        *p;
    uint32_t       i, k;
    const u_char  *row;

    for (i = 0; i < height; i++) {
        row = from + i * from_stride;

        switch (rotation) {

        case 90:
            for (k = 0, p = to + (height - 1 - i); k < width; k++) {
                *p = row[k];
                p += stride;
            }
            break;

        case 180:
            for (k = 0, p = to + (height - 1 - i) * stride; k < width; k++) {
                p[width - 1 - k] = row[k];
            }
            break;

        case 270:
            for (k = 0, p = to + i; k < width; k++) {
                p[(width - 1 - k) * stride] = row[k];
            }
            break;

        default:
            ngx_memcpy(to + i * stride, row, width);
        }
    }
}


static void
ngx_media_vod_canvas_planes(const ngx_media_vod_canvas_t *canvas,
    u_char **planes, int *strides)
{
    size_t  n;

    n = (size_t) canvas->width * canvas->height;

    planes[0] = canvas->data;
    planes[1] = canvas->data + n;
    planes[2] = canvas->data + n + n / 4;
    planes[3] = NULL;

    strides[0] = (int) canvas->width;
    strides[1] = (int) canvas->width / 2;
    strides[2] = (int) canvas->width / 2;
    strides[3] = 0;
}


ngx_int_t
ngx_media_vod_canvas_encode(const ngx_media_vod_canvas_t *canvas,
    u_char **data, size_t *len)
{
    AVFrame         *frame;
    AVPacket        *packet;
    ngx_int_t        rc;
    const AVCodec   *codec;
    AVCodecContext  *ctx;

    rc = NGX_ERROR;

    codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    if (codec == NULL) {
        return NGX_ERROR;
    }

    ctx = avcodec_alloc_context3(codec);
    frame = av_frame_alloc();
    packet = av_packet_alloc();

    if (ctx == NULL || frame == NULL || packet == NULL) {
        goto done;
    }

    ctx->width = (int) canvas->width;
    ctx->height = (int) canvas->height;
    ctx->pix_fmt = AV_PIX_FMT_YUVJ420P;
    ctx->color_range = AVCOL_RANGE_JPEG;
    ctx->time_base.num = 1;
    ctx->time_base.den = 1;
    ctx->sample_aspect_ratio.num = 1;     /* there is a JFIF header then */
    ctx->sample_aspect_ratio.den = 1;
    ctx->thread_count = 1;
    ctx->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
    ctx->global_quality = FF_QP2LAMBDA * NGX_MEDIA_VOD_PICTURE_QUALITY;

    frame->format = ctx->pix_fmt;
    frame->width = ctx->width;
    frame->height = ctx->height;
    frame->color_range = AVCOL_RANGE_JPEG;
    frame->quality = ctx->global_quality;
    frame->pts = 0;

    /* it is copied, having no owner */

    ngx_media_vod_canvas_planes(canvas, frame->data, frame->linesize);

    if (avcodec_open2(ctx, codec, NULL) < 0
        || avcodec_send_frame(ctx, frame) < 0
        || avcodec_send_frame(ctx, NULL) < 0
        || avcodec_receive_packet(ctx, packet) < 0)
    {
        goto done;
    }

    *data = malloc(packet->size);

    if (*data != NULL) {
        ngx_memcpy(*data, packet->data, packet->size);
        *len = (size_t) packet->size;
        rc = NGX_OK;
    }

done:

    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&ctx);

    return rc;
}

#endif /* NGX_MEDIA_HAVE_AV */
