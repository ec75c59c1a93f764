
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_feed.h"

#include <libavutil/hwcontext.h>


/* pictures in a device's memory that encoders hold at most */
#define NGX_MEDIA_AV_FEED_POOL  8


static ngx_int_t ngx_media_av_feed_device(ngx_media_av_feed_t *feed,
    const ngx_media_av_kind_t *kind, AVCodecContext *ctx, u_char *error);
static enum AVPixelFormat ngx_media_av_feed_device_format(
    enum AVHWDeviceType device);
static AVFrame *ngx_media_av_feed_convert(ngx_media_av_feed_t *feed,
    const AVFrame *frame, u_char *error);
static AVFrame *ngx_media_av_feed_upload(ngx_media_av_feed_t *feed,
    const AVFrame *frame, u_char *error);


ngx_int_t
ngx_media_av_feed_open(ngx_media_av_feed_t *feed,
    const ngx_media_av_kind_t *kind, AVCodecContext *ctx, ngx_uint_t depth,
    u_char *error)
{
    enum AVPixelFormat  from;

    from = (depth > 8) ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;

    feed->format = (depth > 8) ? kind->deep : kind->format;
    ctx->pix_fmt = feed->format;

    if (feed->format != from) {
        feed->sws = sws_getContext(ctx->width, ctx->height, from, ctx->width,
                                   ctx->height, feed->format, SWS_POINT,
                                   NULL, NULL, NULL);
        if (feed->sws == NULL) {
            ngx_media_av_error(error, "pictures for the encoder",
                               AVERROR(EINVAL));
            return NGX_ERROR;
        }
    }

    if (kind->device == AV_HWDEVICE_TYPE_NONE) {
        return NGX_OK;
    }

    return ngx_media_av_feed_device(feed, kind, ctx, error);
}


static ngx_int_t
ngx_media_av_feed_device(ngx_media_av_feed_t *feed,
    const ngx_media_av_kind_t *kind, AVCodecContext *ctx, u_char *error)
{
    int                 rc;
    AVBufferRef        *device;
    AVHWFramesContext  *frames;

    device = NULL;

    rc = av_hwdevice_ctx_create(&device, kind->device, NULL, NULL, 0);

    if (rc < 0) {
        ngx_media_av_error(error, "device", rc);
        return NGX_ERROR;
    }

    feed->frames = av_hwframe_ctx_alloc(device);

    av_buffer_unref(&device);

    if (feed->frames == NULL) {
        ngx_media_av_error(error, "device", AVERROR(ENOMEM));
        return NGX_ERROR;
    }

    frames = (AVHWFramesContext *) feed->frames->data;

    frames->format = ngx_media_av_feed_device_format(kind->device);
    frames->sw_format = feed->format;
    frames->width = ctx->width;
    frames->height = ctx->height;
    frames->initial_pool_size = NGX_MEDIA_AV_FEED_POOL;

    rc = av_hwframe_ctx_init(feed->frames);

    if (rc < 0) {
        ngx_media_av_error(error, "pictures of a device", rc);
        return NGX_ERROR;
    }

    ctx->pix_fmt = frames->format;
    ctx->hw_frames_ctx = av_buffer_ref(feed->frames);

    if (ctx->hw_frames_ctx == NULL) {
        ngx_media_av_error(error, "device", AVERROR(ENOMEM));
        return NGX_ERROR;
    }

    return NGX_OK;
}


static enum AVPixelFormat
ngx_media_av_feed_device_format(enum AVHWDeviceType device)
{
    switch (device) {

    case AV_HWDEVICE_TYPE_VAAPI:
        return AV_PIX_FMT_VAAPI;

    default:
        return AV_PIX_FMT_NONE;
    }
}


void
ngx_media_av_feed_close(ngx_media_av_feed_t *feed)
{
    sws_freeContext(feed->sws);
    av_buffer_unref(&feed->frames);
}


AVFrame *
ngx_media_av_feed_frame(ngx_media_av_feed_t *feed, const AVFrame *frame,
    u_char *error)
{
    AVFrame  *converted, *to;

    if (feed->sws == NULL && feed->frames == NULL) {
        to = av_frame_clone(frame);

        if (to == NULL) {
            ngx_media_av_error(error, "picture", AVERROR(ENOMEM));
        }

        return to;
    }

    if (feed->sws == NULL) {
        return ngx_media_av_feed_upload(feed, frame, error);
    }

    converted = ngx_media_av_feed_convert(feed, frame, error);

    if (converted == NULL || feed->frames == NULL) {
        return converted;
    }

    to = ngx_media_av_feed_upload(feed, converted, error);

    av_frame_free(&converted);

    return to;
}


/* the same samples in another order */

static AVFrame *
ngx_media_av_feed_convert(ngx_media_av_feed_t *feed, const AVFrame *frame,
    u_char *error)
{
    int       rc;
    AVFrame  *to;

    rc = AVERROR(ENOMEM);
    to = av_frame_alloc();

    if (to != NULL) {
        to->format = feed->format;
        to->width = frame->width;
        to->height = frame->height;

        rc = av_frame_get_buffer(to, 0);
    }

    if (rc == 0) {
        rc = av_frame_copy_props(to, frame);
    }

    if (rc >= 0) {
        rc = sws_scale(feed->sws, (const uint8_t *const *) frame->data,
                       frame->linesize, 0, frame->height, to->data,
                       to->linesize);
    }

    if (rc < 0) {
        ngx_media_av_error(error, "picture is not converted", rc);
        av_frame_free(&to);
    }

    return to;
}


static AVFrame *
ngx_media_av_feed_upload(ngx_media_av_feed_t *feed, const AVFrame *frame,
    u_char *error)
{
    int       rc;
    AVFrame  *to;

    rc = AVERROR(ENOMEM);
    to = av_frame_alloc();

    if (to != NULL) {
        rc = av_hwframe_get_buffer(feed->frames, to, 0);
    }

    if (rc == 0) {
        rc = av_hwframe_transfer_data(to, frame, 0);
    }

    if (rc == 0) {
        rc = av_frame_copy_props(to, frame);
    }

    if (rc < 0) {
        ngx_media_av_error(error, "picture does not get to the device", rc);
        av_frame_free(&to);
    }

    return to;
}

#endif
