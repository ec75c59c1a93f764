
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_encode.h"
#include "av/ngx_media_av_feed.h"
#include "av/ngx_media_av_unit.h"

#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>


/* pictures that are on their way at most, of an encoder that looks ahead */
#define NGX_MEDIA_AV_FLIGHT     256

/* hundredths of the bitrate that it may be over a second */
#define NGX_MEDIA_AV_MAX_RATE   115

/* bytes of mastering data as text */
#define NGX_MEDIA_AV_WIDE       256

/* what the pts of an encoder may be off by, of 360000: some count in 90 kHz */
#define NGX_MEDIA_AV_SLACK      8


struct ngx_media_av_encoder_s {
    AVCodecContext              *ctx;
    AVPacket                    *packet;
    const ngx_media_codec_t     *codec;
    ngx_media_av_feed_t          feed;
    uint32_t                     fps_num;
    uint32_t                     fps_den;
    int                          format;      /* of pictures */
    int64_t                      origin;      /* pts of the first one */
    int64_t                      last;        /* of the last one */
    int64_t                      shift;       /* added to dts, with B-frames */
    int64_t                      flight[NGX_MEDIA_AV_FLIGHT];
                                              /* pts of those on their way, in
                                                 order */
    ngx_uint_t                   nflight;
    u_char                      *buf;         /* of what was put out */
    size_t                       size;
    u_char                       error[NGX_MEDIA_AV_ERROR];
    unsigned                     started:1;   /* a picture was sent */
    unsigned                     put:1;       /* a packet came */
    unsigned                     reorders:1;  /* it may have B-frames */
    unsigned                     known:1;     /* params are */
    ngx_media_params_t           params;
};


static ngx_int_t ngx_media_av_encoder_configure(ngx_media_av_encoder_t *e,
    const ngx_media_av_encoder_conf_t *conf, const AVFrame *like,
    u_char *error);
static void ngx_media_av_encoder_rate(AVCodecContext *ctx,
    const ngx_media_av_encoder_conf_t *conf);
static ngx_int_t ngx_media_av_encoder_wide(AVCodecContext *ctx,
    const ngx_media_av_encoder_conf_t *conf, const AVFrame *like);
#if !(NGX_MEDIA_AV_DECODED_SIDE_DATA)
static void ngx_media_av_encoder_light(char *text,
    const AVFrameSideData *data);
static ngx_uint_t ngx_media_av_encoder_screen(char *text,
    const AVFrameSideData *data);
#endif
static ngx_int_t ngx_media_av_encoder_learn(ngx_media_av_encoder_t *e,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_av_encoder_stamp(ngx_media_av_encoder_t *e,
    ngx_media_av_packet_t *packet);
static ngx_int_t ngx_media_av_encoder_landed(ngx_media_av_encoder_t *e,
    int64_t pts, ngx_uint_t *i);
static ngx_int_t ngx_media_av_encoder_write(ngx_media_av_encoder_t *e,
    ngx_media_av_packet_t *packet);
static ngx_int_t ngx_media_av_encoder_fail(ngx_media_av_encoder_t *e,
    const char *why);


ngx_media_av_encoder_t *
ngx_media_av_encoder_open(const ngx_media_av_encoder_conf_t *conf,
    const ngx_media_av_frame_t *like, u_char *error)
{
    int                      rc;
    const AVCodec           *codec;
    ngx_media_av_encoder_t  *e;

    ngx_media_av_init();

    codec = avcodec_find_encoder_by_name(
                                   ngx_media_av_encoder_name(conf->kind));

    if (codec == NULL) {
        ngx_media_av_error(error, ngx_media_av_encoder_name(conf->kind),
                           AVERROR_ENCODER_NOT_FOUND);
        return NULL;
    }

    e = calloc(1, sizeof(ngx_media_av_encoder_t));

    if (e == NULL) {
        ngx_media_av_error(error, "encoder", AVERROR(ENOMEM));
        return NULL;
    }

    e->codec = ngx_media_codec_find(conf->kind->codec);
    e->ctx = avcodec_alloc_context3(codec);
    e->packet = av_packet_alloc();

    if (e->ctx == NULL || e->packet == NULL) {
        ngx_media_av_error(error, "encoder", AVERROR(ENOMEM));
        goto failed;
    }

    if (ngx_media_av_encoder_configure(e, conf, like, error) != NGX_OK) {
        goto failed;
    }

    rc = avcodec_open2(e->ctx, codec, NULL);

    if (rc < 0) {
        ngx_media_av_error(error, "is not opened", rc);

        /* hardware has so many of them, or its license */

        if (rc == AVERROR(ENOMEM) && conf->kind->params == NULL) {
            (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                            "is not opened: no memory, or no session is "
                            "left");
        }

        goto failed;
    }

    if (ngx_media_av_encoder_learn(e, e->ctx->extradata,
                              e->ctx->extradata + e->ctx->extradata_size)
        == NGX_ERROR)
    {
        ngx_memcpy(error, e->error, sizeof(e->error));
        goto failed;
    }

    return e;

failed:

    ngx_media_av_encoder_close(e);

    return NULL;
}


/*
 * A picture's time is exact, and its rate is said beside that: rate control of
 * some takes it from the time base otherwise
 */

static ngx_int_t
ngx_media_av_encoder_configure(ngx_media_av_encoder_t *e,
    const ngx_media_av_encoder_conf_t *conf, const AVFrame *like,
    u_char *error)
{
    AVCodecContext  *ctx;

    ctx = e->ctx;

    e->format = like->format;
    e->fps_num = conf->fps_num;
    e->fps_den = conf->fps_den;
    e->reorders = (conf->bframes != 0);

    ctx->width = (int) conf->width;
    ctx->height = (int) conf->height;
    ctx->time_base.num = 1;
    ctx->time_base.den = NGX_MEDIA_VIDEO_TIMESCALE;
    ctx->framerate.num = (int) conf->fps_num;
    ctx->framerate.den = (int) conf->fps_den;
    ctx->sample_aspect_ratio.num = 1;
    ctx->sample_aspect_ratio.den = 1;
    ctx->gop_size = conf->kind->gop;
    ctx->max_b_frames = (int) conf->bframes;
    ctx->thread_count = (int) ngx_max(conf->threads, 1);
    ctx->thread_type = FF_THREAD_FRAME;
    ctx->flags |= AV_CODEC_FLAG_GLOBAL_HEADER|AV_CODEC_FLAG_CLOSED_GOP;
    ctx->err_recognition |= AV_EF_EXPLODE;
    ctx->color_range = AVCOL_RANGE_MPEG;
    ctx->color_primaries = like->color_primaries;
    ctx->color_trc = like->color_trc;
    ctx->colorspace = like->colorspace;
    ctx->chroma_sample_location = like->chroma_location;

    ngx_media_av_encoder_rate(ctx, conf);

    if (ngx_media_av_encoder_set(ctx, conf, error) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_media_av_encoder_wide(ctx, conf, like) != NGX_OK) {
        ngx_media_av_error(error, "mastering data", AVERROR(ENOMEM));
        return NGX_ERROR;
    }

    return ngx_media_av_feed_open(&e->feed, conf->kind, ctx, conf->bit_depth,
                                  error);
}


static void
ngx_media_av_encoder_rate(AVCodecContext *ctx,
    const ngx_media_av_encoder_conf_t *conf)
{
    int64_t  rate;

    rate = conf->bitrate;

    if (conf->crf) {
        ctx->bit_rate = 0;
        ctx->rc_max_rate = rate;

    } else {
        ctx->bit_rate = rate;
        ctx->rc_max_rate = (conf->kind->flags & NGX_MEDIA_AV_TARGET)
                           ? 0 : rate * NGX_MEDIA_AV_MAX_RATE / 100;
    }

    ctx->rc_buffer_size = (int) ngx_min(ngx_max(ctx->rc_max_rate, rate),
                                        INT_MAX);

    if (conf->file) {
        ctx->rc_initial_buffer_occupancy = ctx->rc_buffer_size / 2;
    }
}


/*
 * What screens are to know of a wide range: from lavc 60.31 on encoders take
 * it from side data, before x265 does from its parameters, and no other from
 * anywhere
 */

static ngx_int_t
ngx_media_av_encoder_wide(AVCodecContext *ctx,
    const ngx_media_av_encoder_conf_t *conf, const AVFrame *like)
{
#if (NGX_MEDIA_AV_DECODED_SIDE_DATA)

    ngx_uint_t              i;
    const AVFrameSideData  *data;

    static const enum AVFrameSideDataType  types[] = {
        AV_FRAME_DATA_MASTERING_DISPLAY_METADATA,
        AV_FRAME_DATA_CONTENT_LIGHT_LEVEL
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        data = av_frame_get_side_data(like, types[i]);

        if (data != NULL
            && av_frame_side_data_clone(&ctx->decoded_side_data,
                                        &ctx->nb_decoded_side_data, data, 0)
               < 0)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;

#else

    int                     rc;
    char                    text[NGX_MEDIA_AV_WIDE];
    AVDictionary           *params;
    const AVFrameSideData  *light, *screen;

    light = av_frame_get_side_data(like, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    screen = av_frame_get_side_data(like,
                                  AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);

    if (!(conf->kind->flags & NGX_MEDIA_AV_SCREEN)
        || (light == NULL && screen == NULL))
    {
        return NGX_OK;
    }

    params = NULL;
    rc = av_opt_get_dict_val(ctx, conf->kind->params, AV_OPT_SEARCH_CHILDREN,
                             &params);

    if (rc >= 0 && light) {
        ngx_media_av_encoder_light(text, light);
        rc = av_dict_set(&params, "max-cll", text, 0);
    }

    if (rc >= 0 && screen && ngx_media_av_encoder_screen(text, screen)) {
        rc = av_dict_set(&params, "master-display", text, 0);
    }

    if (rc >= 0) {
        rc = av_opt_set_dict_val(ctx, conf->kind->params, params,
                                 AV_OPT_SEARCH_CHILDREN);
    }

    av_dict_free(&params);

    return rc < 0 ? NGX_ERROR : NGX_OK;

#endif
}


#if !(NGX_MEDIA_AV_DECODED_SIDE_DATA)

static void
ngx_media_av_encoder_light(char *text, const AVFrameSideData *data)
{
    const AVContentLightMetadata  *light;

    light = (const AVContentLightMetadata *) data->data;

    (void) snprintf(text, NGX_MEDIA_AV_WIDE, "%u,%u",
                    ngx_min(light->MaxCLL, 65535),
                    ngx_min(light->MaxFALL, 65535));
}


/* ISO/IEC 23008-2, D.3.28: green, blue, red and white in 1/50000, light in
   1/10000; 0: it does not say both */

static ngx_uint_t
ngx_media_av_encoder_screen(char *text, const AVFrameSideData *data)
{
    int                                i;
    double                             xy[4][2];
    const AVMasteringDisplayMetadata  *m;

    m = (const AVMasteringDisplayMetadata *) data->data;

    if (!m->has_primaries || !m->has_luminance) {
        return 0;
    }

    for (i = 0; i < 2; i++) {
        xy[0][i] = av_q2d(m->display_primaries[1][i]);
        xy[1][i] = av_q2d(m->display_primaries[2][i]);
        xy[2][i] = av_q2d(m->display_primaries[0][i]);
        xy[3][i] = av_q2d(m->white_point[i]);
    }

    (void) snprintf(text, NGX_MEDIA_AV_WIDE,
                    "G(%.0f,%.0f)B(%.0f,%.0f)R(%.0f,%.0f)WP(%.0f,%.0f)"
                    "L(%.0f,%.0f)",
                    xy[0][0] * 50000, xy[0][1] * 50000, xy[1][0] * 50000,
                    xy[1][1] * 50000, xy[2][0] * 50000, xy[2][1] * 50000,
                    xy[3][0] * 50000, xy[3][1] * 50000,
                    av_q2d(m->max_luminance) * 10000,
                    av_q2d(m->min_luminance) * 10000);

    return 1;
}

#endif


void
ngx_media_av_encoder_close(ngx_media_av_encoder_t *e)
{
    if (e == NULL) {
        return;
    }

    avcodec_free_context(&e->ctx);
    av_packet_free(&e->packet);
    ngx_media_av_feed_close(&e->feed);

    free(e->buf);
    free(e);
}


ngx_int_t
ngx_media_av_encoder_send(ngx_media_av_encoder_t *e,
    const ngx_media_av_frame_t *frame, ngx_uint_t key)
{
    int       rc;
    AVFrame  *in;

    if (frame->width != e->ctx->width || frame->height != e->ctx->height
        || frame->format != e->format)
    {
        return ngx_media_av_encoder_fail(e, "picture is of another size or "
                                            "format");
    }

    if (e->started && frame->pts <= e->last) {
        return ngx_media_av_encoder_fail(e, "picture is not after the last");
    }

    if (e->nflight == NGX_MEDIA_AV_FLIGHT) {
        return ngx_media_av_encoder_fail(e, "encoder holds back too many "
                                            "pictures");
    }

    if (!e->started) {
        e->origin = frame->pts;
    }

    in = ngx_media_av_feed_frame(&e->feed, frame, e->error);

    if (in == NULL) {
        return NGX_ERROR;
    }

    in->pts = frame->pts - e->origin;

    /* a decoder's pictures have its types, and encoders would follow them */

    ngx_media_av_frame_key(in, key || !e->started);

    rc = avcodec_send_frame(e->ctx, in);

    av_frame_free(&in);

    if (rc == AVERROR(EAGAIN)) {
        return NGX_AGAIN;
    }

    if (rc < 0) {
        ngx_media_av_error(e->error, "picture is not encoded", rc);
        return NGX_ERROR;
    }

    e->flight[e->nflight++] = frame->pts;
    e->last = frame->pts;
    e->started = 1;

    return NGX_OK;
}


ngx_int_t
ngx_media_av_encoder_packet(ngx_media_av_encoder_t *e,
    ngx_media_av_packet_t *packet)
{
    int           rc;
    const u_char  *last, *pos;

    av_packet_unref(e->packet);

    rc = avcodec_receive_packet(e->ctx, e->packet);

    if (rc == AVERROR(EAGAIN)) {
        return NGX_AGAIN;
    }

    if (rc == AVERROR_EOF) {
        return NGX_DONE;
    }

    if (rc < 0) {
        ngx_media_av_error(e->error, "picture is not encoded", rc);
        return NGX_ERROR;
    }

    pos = e->packet->data;
    last = pos + e->packet->size;

    if (!e->known) {

        if (ngx_media_av_encoder_learn(e, pos, last) == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (!e->known) {
            return ngx_media_av_encoder_fail(e, "no parameter sets, neither "
                                           "before the first frame nor in it");
        }
    }

    if (ngx_media_av_encoder_stamp(e, packet) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_media_av_encoder_write(e, packet);
}


/* NGX_OK, also if they are not there */

static ngx_int_t
ngx_media_av_encoder_learn(ngx_media_av_encoder_t *e, const u_char *pos,
    const u_char *last)
{
    ngx_int_t            rc;
    ngx_media_params_t  *params;

    if (pos == last) {
        return NGX_OK;
    }

    params = &e->params;

    rc = ngx_media_av_unit_params(e->codec, params, pos, last);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return ngx_media_av_encoder_fail(e, "parameter sets are malformed");
    }

    if (params->width != (uint32_t) e->ctx->width
        || params->height != (uint32_t) e->ctx->height)
    {
        return ngx_media_av_encoder_fail(e, "parameter sets are of another "
                                            "size");
    }

    params->fps_num = e->fps_num;
    params->fps_den = e->fps_den;
    params->sar_num = 1;
    params->sar_den = 1;

    e->known = 1;

    return NGX_OK;
}


/*
 * Without B-frames the n-th packet is the n-th picture; its time is known
 * here, and what an encoder says of it is looked at only
 */

static ngx_int_t
ngx_media_av_encoder_stamp(ngx_media_av_encoder_t *e,
    ngx_media_av_packet_t *packet)
{
    int64_t     dts;
    ngx_uint_t  i;

    if (ngx_media_av_encoder_landed(e, e->packet->pts, &i) != NGX_OK) {
        return ngx_media_av_encoder_fail(e, "frame has the time of no "
                                            "picture");
    }

    packet->pts = e->flight[i];
    packet->dts = packet->pts;

    e->nflight--;
    ngx_memmove(&e->flight[i], &e->flight[i + 1],
                (e->nflight - i) * sizeof(int64_t));

    if (!e->reorders) {
        return NGX_OK;
    }

    /* the first frame is decoded when it is shown, timing.md 10 */

    dts = e->packet->dts + e->origin;

    if (!e->put) {
        e->shift = packet->pts - dts;
        e->put = 1;
    }

    packet->dts = dts + e->shift;

    return NGX_OK;
}


static ngx_int_t
ngx_media_av_encoder_landed(ngx_media_av_encoder_t *e, int64_t pts,
    ngx_uint_t *i)
{
    int64_t     off;
    ngx_uint_t  n;

    if (pts == AV_NOPTS_VALUE) {
        return NGX_ERROR;
    }

    n = e->reorders ? e->nflight : ngx_min(e->nflight, 1);

    for (*i = 0; *i < n; (*i)++) {
        off = e->flight[*i] - e->origin - pts;

        if (off >= -NGX_MEDIA_AV_SLACK && off <= NGX_MEDIA_AV_SLACK) {
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_av_encoder_write(ngx_media_av_encoder_t *e,
    ngx_media_av_packet_t *packet)
{
    size_t         size;
    u_char        *buf;
    ngx_uint_t     key;
    const u_char  *last, *pos;

    pos = e->packet->data;
    last = pos + e->packet->size;

    size = ngx_media_av_unit_write(e->codec, NULL, pos, last, &key);

    if (size == 0) {
        return ngx_media_av_encoder_fail(e, "frame is malformed");
    }

    if (size > e->size) {
        buf = realloc(e->buf, size);

        if (buf == NULL) {
            ngx_media_av_error(e->error, "frame", AVERROR(ENOMEM));
            return NGX_ERROR;
        }

        e->buf = buf;
        e->size = size;
    }

    (void) ngx_media_av_unit_write(e->codec, e->buf, pos, last, &key);

    packet->pos = e->buf;
    packet->last = e->buf + size;
    packet->key = key;

    return NGX_OK;
}


static ngx_int_t
ngx_media_av_encoder_fail(ngx_media_av_encoder_t *e, const char *why)
{
    (void) snprintf((char *) e->error, sizeof(e->error), "%s", why);

    return NGX_ERROR;
}


void
ngx_media_av_encoder_drain(ngx_media_av_encoder_t *e)
{
    /* it fails where it was done before, only */

    (void) avcodec_send_frame(e->ctx, NULL);
}


const ngx_media_params_t *
ngx_media_av_encoder_params(const ngx_media_av_encoder_t *e)
{
    return e->known ? &e->params : NULL;
}


const u_char *
ngx_media_av_encoder_error(const ngx_media_av_encoder_t *e)
{
    return e->error;
}

#endif
