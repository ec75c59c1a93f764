
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * An encoder of audio with a delay of d samples gives packets that begin at
 * -d, d / size packets before what they are made of begins.  What it is fed
 * begins where d is left over of frames, so that they begin at multiples of
 * their size.
 *
 * Packets at a joint are made by two encoders.  Each has begun some frames
 * earlier, and goes on some samples longer, than what is taken of it.  Where
 * that is 4 frames and 1, AAC is as good at joints as elsewhere; without, it is
 * some 10 dB worse.  Opus needs nothing behind but its delay.
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_sound.h"
#include "formats/ngx_media_codec.h"

#include <libavutil/mathematics.h>


#define NGX_MEDIA_AV_AUDIO_RATE      48000
#define NGX_MEDIA_AV_AUDIO_CHANNELS  2

/* samples that an encoder holds back at most, and frames that it is given
   without a packet before it is given up */
#define NGX_MEDIA_AV_AUDIO_DELAY     8192
#define NGX_MEDIA_AV_AUDIO_PATIENCE  64


struct ngx_media_av_audio_s {
    AVCodecContext            *ctx;
    AVPacket                  *packet;
    ngx_media_av_sound_t      *sound;
    const ngx_media_params_t  *params;

    int64_t                    fed;           /* position that comes next */
    int64_t                    size;          /* of a frame */
    uint64_t                   next;          /* number of the packet */
    uint64_t                   last;
    uint32_t                   timescale;     /* of the source, */
    uint32_t                   rate;          /* and its samples */
    int64_t                    origin;
    int64_t                    start;         /* what it is fed, of a */
    int64_t                    stop;          /* segment */
    ngx_uint_t                 preroll;
    ngx_uint_t                 waits;         /* frames without a packet */

    unsigned                   segment:1;
    unsigned                   drained:1;
    unsigned                   done:1;

    ngx_media_av_audio_stat_t  stat;
    u_char                     error[NGX_MEDIA_AV_ERROR];
};


typedef struct {
    enum AVCodecID             id;
    const char                *name;          /* of an encoder */
    int                        samples;       /* of a frame */
    int                        before;        /* frames, at joints */
    int                        behind;
    const char                *missing;
} ngx_media_av_audio_encoder_t;


static const ngx_media_av_audio_encoder_t *ngx_media_av_audio_find(
    uint32_t codec);
static AVCodecContext *ngx_media_av_audio_context(
    const ngx_media_av_audio_conf_t *conf,
    const ngx_media_av_audio_encoder_t *encoder, u_char *error);
static ngx_media_params_t *ngx_media_av_audio_describe(
    const AVCodecContext *ctx, uint32_t codec, u_char *error);
static void ngx_media_av_audio_place(ngx_media_av_audio_t *a,
    const ngx_media_av_audio_conf_t *conf,
    const ngx_media_av_audio_encoder_t *encoder);
static ngx_uint_t ngx_media_av_audio_preroll(
    const ngx_media_av_audio_conf_t *conf);
static ngx_int_t ngx_media_av_audio_receive(ngx_media_av_audio_t *a,
    ngx_media_av_audio_packet_t *packet);
static ngx_int_t ngx_media_av_audio_feed(ngx_media_av_audio_t *a);
static AVFrame *ngx_media_av_audio_frame_alloc(ngx_media_av_audio_t *a);
static ngx_int_t ngx_media_av_audio_failed(ngx_media_av_audio_t *a,
    const char *what, int rc);


static const ngx_media_av_audio_encoder_t  ngx_media_av_audio_encoders[] = {
    { AV_CODEC_ID_AAC, "aac", 1024, 4, 1,
      "libavcodec has no encoder \"aac\": install one that was built with it" },
    { AV_CODEC_ID_OPUS, "libopus", 960, 4, 0,
      "libavcodec has no encoder \"libopus\": "
      "install one that was built with libopus" },
    { AV_CODEC_ID_NONE, NULL, 0, 0, 0, NULL }
};


/* packets without which others are not what they should be */

static const struct {
    enum AVCodecID             id;
    ngx_uint_t                 n;
} ngx_media_av_audio_prerolls[] = {
    { AV_CODEC_ID_AAC, 4 },                   /* of SBR; 2 without */
    { AV_CODEC_ID_AAC_LATM, 4 },
    { AV_CODEC_ID_OPUS, 4 },                  /* 80 ms, RFC 7845, 4.6 */
    { AV_CODEC_ID_MP3, 10 },                  /* the bit reservoir */
    { AV_CODEC_ID_AMR_NB, 10 },
    { AV_CODEC_ID_AMR_WB, 10 },
    { AV_CODEC_ID_NONE, 2 }                   /* windows that overlap */
};


ngx_int_t
ngx_media_av_audio_known(uint32_t codec, u_char *error)
{
    const ngx_media_av_audio_encoder_t  *encoder;

    encoder = ngx_media_av_audio_find(codec);

    if (encoder == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "audio is not made in this codec");
        return NGX_DECLINED;
    }

    if (avcodec_find_encoder_by_name(encoder->name) == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR, "%s",
                        encoder->missing);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


const char *
ngx_media_av_audio_encoder(uint32_t codec)
{
    const ngx_media_av_audio_encoder_t  *encoder;

    encoder = ngx_media_av_audio_find(codec);

    return encoder ? encoder->name : NULL;
}


uint32_t
ngx_media_av_audio_samples(uint32_t codec)
{
    const ngx_media_av_audio_encoder_t  *encoder;

    encoder = ngx_media_av_audio_find(codec);

    return encoder ? (uint32_t) encoder->samples : 0;
}


static const ngx_media_av_audio_encoder_t *
ngx_media_av_audio_find(uint32_t codec)
{
    enum AVCodecID                       id;
    const ngx_media_av_audio_encoder_t  *encoder;

    id = ngx_media_av_id(codec);

    if (id == AV_CODEC_ID_NONE) {
        return NULL;
    }

    for (encoder = ngx_media_av_audio_encoders; encoder->name; encoder++) {
        if (encoder->id == id) {
            return encoder;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_media_av_audio_decodes(uint32_t codec, const char *name)
{
    const AVCodec  *decoder;

    decoder = avcodec_find_decoder(ngx_media_av_sound_id(codec, name));

    return decoder != NULL && decoder->type == AVMEDIA_TYPE_AUDIO;
}


uint64_t
ngx_media_av_audio_frame(uint64_t time, uint32_t timescale, uint32_t rate,
    uint32_t samples)
{
    return (uint64_t) av_rescale_rnd((int64_t) time, rate,
                                     (int64_t) timescale * samples,
                                     AV_ROUND_UP);
}


ngx_media_av_audio_t *
ngx_media_av_audio_open(const ngx_media_av_audio_conf_t *conf, u_char *error)
{
    ngx_media_av_audio_t                *a;
    ngx_media_av_sound_form_t            form;
    const ngx_media_av_audio_encoder_t  *encoder;

    ngx_media_av_init();

    if (ngx_media_av_audio_known(conf->codec, error) != NGX_OK) {
        return NULL;
    }

    if (conf->source->timescale == 0 || conf->source->timescale > INT32_MAX
        || conf->source->sample_rate > INT32_MAX)
    {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "source's audio has no timescale");
        return NULL;
    }

    a = calloc(1, sizeof(ngx_media_av_audio_t));
    if (a == NULL) {
        goto memory;
    }

    encoder = ngx_media_av_audio_find(conf->codec);

    a->ctx = ngx_media_av_audio_context(conf, encoder, error);

    if (a->ctx == NULL) {
        goto failed;
    }

    a->params = ngx_media_av_audio_describe(a->ctx, conf->codec, error);

    if (a->params == NULL) {
        goto failed;
    }

    a->packet = av_packet_alloc();
    if (a->packet == NULL) {
        goto memory;
    }

    ngx_media_av_audio_place(a, conf, encoder);

    form.format = a->ctx->sample_fmt;
    form.layout = a->ctx->ch_layout;
    form.rate = a->ctx->sample_rate;
    form.start = a->start;
    form.stop = a->stop;

    a->sound = ngx_media_av_sound_open(conf, &form, &a->stat, error);

    if (a->sound == NULL) {
        goto failed;
    }

    return a;

memory:

    (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR, "no memory");

failed:

    ngx_media_av_audio_close(a);

    return NULL;
}


static AVCodecContext *
ngx_media_av_audio_context(const ngx_media_av_audio_conf_t *conf,
    const ngx_media_av_audio_encoder_t *encoder, u_char *error)
{
    int             rc;
    uint32_t        channels;
    ngx_uint_t      i;
    const AVCodec  *codec;
    AVCodecContext *ctx;

    static const enum AVSampleFormat  formats[] = {
        AV_SAMPLE_FMT_FLTP, AV_SAMPLE_FMT_FLT
    };

    channels = conf->channels ? conf->channels : NGX_MEDIA_AV_AUDIO_CHANNELS;

    if (channels != 1 && channels != 2 && channels != 6) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "audio is made of 1, 2 or 6 channels, not of %u",
                        channels);
        return NULL;
    }

    codec = avcodec_find_encoder_by_name(encoder->name);
    rc = AVERROR(ENOMEM);

    /* what an encoder takes is asked for in two ways: trying is a third */

    for (i = 0; i < 2; i++) {
        ctx = avcodec_alloc_context3(codec);
        if (ctx == NULL) {
            break;
        }

        ctx->thread_count = 1;
        ctx->sample_fmt = formats[i];
        ctx->sample_rate = (int) (conf->rate ? conf->rate
                                             : NGX_MEDIA_AV_AUDIO_RATE);
        ctx->time_base.num = 1;
        ctx->time_base.den = ctx->sample_rate;
        ctx->bit_rate = conf->bitrate;
        ctx->flags = AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;

        av_channel_layout_default(&ctx->ch_layout, (int) channels);

        rc = avcodec_open2(ctx, codec, NULL);

        if (rc == 0 && (ctx->frame_size != encoder->samples
                        || ctx->initial_padding < 0
                        || ctx->initial_padding > NGX_MEDIA_AV_AUDIO_DELAY))
        {
            rc = AVERROR(ENOSYS);
        }

        if (rc == 0) {
            return ctx;
        }

        avcodec_free_context(&ctx);
    }

    ngx_media_av_error(error, "encoder of audio cannot be opened", rc);

    return NULL;
}


/* players are told to skip nothing: what they would is not sent */

static ngx_media_params_t *
ngx_media_av_audio_describe(const AVCodecContext *ctx, uint32_t codec,
    u_char *error)
{
    u_char                   *skip;
    ngx_media_params_t       *params;
    const ngx_media_codec_t  *entry;

    params = calloc(1, sizeof(ngx_media_params_t));
    if (params == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR, "no memory");
        return NULL;
    }

    entry = ngx_media_codec_find(codec);

    if (ctx->extradata_size <= 0
        || entry->config(params, ctx->extradata,
                         ctx->extradata + ctx->extradata_size)
           != NGX_OK)
    {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "encoder's parameters are none of the codec");
        free(params);
        return NULL;
    }

    if (entry->skip) {
        skip = params->config + entry->skip;
        skip[0] = 0;
        skip[1] = 0;
    }

    params->frame_samples = (uint32_t) ctx->frame_size;

    return params;
}


/* where what it is fed begins and ends, and packets are taken */

static void
ngx_media_av_audio_place(ngx_media_av_audio_t *a,
    const ngx_media_av_audio_conf_t *conf,
    const ngx_media_av_audio_encoder_t *encoder)
{
    int64_t  delay, rest;

    a->size = encoder->samples;
    a->timescale = conf->source->timescale;
    a->rate = conf->source->sample_rate ? conf->source->sample_rate
                                        : conf->source->timescale;
    a->segment = conf->segment;
    a->preroll = ngx_media_av_audio_preroll(conf);
    a->last = INT64_MAX / a->size;

    delay = a->ctx->initial_padding;
    rest = delay % a->size;

    a->start = rest ? rest - a->size : 0;

    if (conf->segment) {
        a->next = conf->first;
        a->last = ngx_min(conf->last, a->last);
        a->origin = conf->origin;
        a->start += ((int64_t) conf->first - encoder->before) * a->size;
        a->stop = ((int64_t) a->last + 1 + encoder->behind) * a->size + delay;
    }

    a->fed = a->start;
}


static ngx_uint_t
ngx_media_av_audio_preroll(const ngx_media_av_audio_conf_t *conf)
{
    ngx_uint_t                i;
    enum AVCodecID            id;
    const AVCodecDescriptor  *desc;

    id = ngx_media_av_sound_id(conf->source->codec, conf->name);
    desc = avcodec_descriptor_get(id);

    if (desc && (desc->props & AV_CODEC_PROP_LOSSLESS)) {
        return 0;
    }

    for (i = 0; ngx_media_av_audio_prerolls[i].id != AV_CODEC_ID_NONE; i++) {
        if (ngx_media_av_audio_prerolls[i].id == id) {
            break;
        }
    }

    return ngx_media_av_audio_prerolls[i].n;
}


void
ngx_media_av_audio_close(ngx_media_av_audio_t *a)
{
    if (a == NULL) {
        return;
    }

    ngx_media_av_sound_close(a->sound);
    avcodec_free_context(&a->ctx);
    av_packet_free(&a->packet);
    free((void *) a->params);

    free(a);
}


const ngx_media_params_t *
ngx_media_av_audio_params(const ngx_media_av_audio_t *a)
{
    return a->params;
}


const ngx_media_av_audio_stat_t *
ngx_media_av_audio_stat(const ngx_media_av_audio_t *a)
{
    return &a->stat;
}


const u_char *
ngx_media_av_audio_error(const ngx_media_av_audio_t *a)
{
    return a->error;
}


void
ngx_media_av_audio_need(const ngx_media_av_audio_t *a,
    ngx_media_av_audio_need_t *need)
{
    int64_t  rate, taps;

    rate = a->ctx->sample_rate;
    taps = av_rescale_rnd(NGX_MEDIA_AV_SOUND_TAPS, a->timescale,
                          ngx_min((int64_t) a->rate, rate), AV_ROUND_UP);

    need->from = a->origin - taps
                 + av_rescale_rnd(a->start, a->timescale, rate,
                                  AV_ROUND_DOWN);
    need->to = a->origin + taps
               + av_rescale_rnd(a->stop, a->timescale, rate, AV_ROUND_UP);
    need->preroll = a->preroll;
}


ngx_int_t
ngx_media_av_audio_send(ngx_media_av_audio_t *a, const u_char *pos, size_t len,
    int64_t pts, uint32_t duration)
{
    ngx_int_t  rc;

    if (a->done || a->drained) {
        return NGX_OK;
    }

    rc = ngx_media_av_sound_send(a->sound, pos, len, pts, duration, a->error);

    if (rc == NGX_ERROR) {
        a->done = 1;
    }

    if (!a->segment) {
        a->origin = ngx_media_av_sound_origin(a->sound);
    }

    return rc;
}


void
ngx_media_av_audio_drain(ngx_media_av_audio_t *a)
{
    a->drained = 1;

    ngx_media_av_sound_drain(a->sound);
}


ngx_int_t
ngx_media_av_audio_packet(ngx_media_av_audio_t *a,
    ngx_media_av_audio_packet_t *packet)
{
    ngx_int_t  rc;

    av_packet_unref(a->packet);

    while (!a->done) {
        rc = ngx_media_av_audio_receive(a, packet);

        if (rc == NGX_AGAIN) {
            rc = ngx_media_av_audio_feed(a);

            if (rc == NGX_OK) {
                continue;
            }
        }

        if (rc == NGX_DONE) {
            a->done = 1;
            break;
        }

        return rc;
    }

    return a->error[0] ? NGX_ERROR : NGX_DONE;
}


/* NGX_AGAIN: the encoder wants samples */

static ngx_int_t
ngx_media_av_audio_receive(ngx_media_av_audio_t *a,
    ngx_media_av_audio_packet_t *packet)
{
    int      rc;
    int64_t  number, left;

    for ( ;; ) {

        if (a->next > a->last) {
            return NGX_DONE;
        }

        av_packet_unref(a->packet);

        rc = avcodec_receive_packet(a->ctx, a->packet);

        if (rc == AVERROR(EAGAIN)) {
            return NGX_AGAIN;
        }

        if (rc < 0) {
            return ngx_media_av_audio_failed(a, "audio cannot be encoded", rc);
        }

        a->waits = 0;

        if (a->packet->pts % a->size) {
            return ngx_media_av_audio_failed(a, "encoder's delay is another "
                                             "one than it says", 0);
        }

        number = a->packet->pts / a->size;

        if (number >= (int64_t) a->next) {
            break;
        }
    }

    if (number > (int64_t) a->next) {
        return ngx_media_av_audio_failed(a, "encoder has left out a frame", 0);
    }

    packet->pos = a->packet->data;
    packet->last = a->packet->data + a->packet->size;
    packet->number = a->next;
    packet->pts = av_rescale(a->origin, a->ctx->sample_rate, a->timescale)
                  + number * a->size;
    packet->duration = (uint32_t) a->size;

    a->next++;

    if (!a->segment && a->drained) {
        left = ngx_media_av_sound_end(a->sound) - number * a->size;

        if (left <= 0) {
            return NGX_DONE;
        }

        packet->duration = (uint32_t) ngx_min(left, a->size);
    }

    return NGX_OK;
}


/* a frame; behind the end of what there is it is silent */

static ngx_int_t
ngx_media_av_audio_feed(ngx_media_av_audio_t *a)
{
    int       n, rc;
    AVFrame  *frame;

    frame = ngx_media_av_audio_frame_alloc(a);
    if (frame == NULL) {
        return ngx_media_av_audio_failed(a, "frame of audio",
                                         AVERROR(ENOMEM));
    }

    n = ngx_media_av_sound_read(a->sound, a->fed, frame->extended_data,
                                frame->nb_samples, a->error);

    if (n < 0) {
        av_frame_free(&frame);
        a->done = 1;
        return NGX_ERROR;
    }

    if (n < frame->nb_samples && !a->drained
        && !(a->segment && a->fed >= a->stop))
    {
        av_frame_free(&frame);
        return NGX_AGAIN;
    }

    if (!a->segment && n == 0
        && ngx_media_av_sound_end(a->sound) <= (int64_t) a->next * a->size)
    {
        av_frame_free(&frame);
        return NGX_DONE;
    }

    if (a->waits++ >= NGX_MEDIA_AV_AUDIO_PATIENCE) {
        av_frame_free(&frame);
        return ngx_media_av_audio_failed(a, "encoder gives no packets", 0);
    }

    (void) av_samples_set_silence(frame->extended_data, n,
                                  frame->nb_samples - n,
                                  frame->ch_layout.nb_channels,
                                  frame->format);

    frame->pts = a->fed;
    a->fed += frame->nb_samples;

    rc = avcodec_send_frame(a->ctx, frame);

    av_frame_free(&frame);

    if (rc < 0) {
        return ngx_media_av_audio_failed(a, "audio cannot be encoded", rc);
    }

    return NGX_OK;
}


static AVFrame *
ngx_media_av_audio_frame_alloc(ngx_media_av_audio_t *a)
{
    AVFrame  *frame;

    frame = av_frame_alloc();
    if (frame == NULL) {
        return NULL;
    }

    frame->nb_samples = (int) a->size;
    frame->format = a->ctx->sample_fmt;
    frame->sample_rate = a->ctx->sample_rate;

    if (av_channel_layout_copy(&frame->ch_layout, &a->ctx->ch_layout) < 0
        || av_frame_get_buffer(frame, 0) < 0)
    {
        av_frame_free(&frame);
        return NULL;
    }

    return frame;
}


static ngx_int_t
ngx_media_av_audio_failed(ngx_media_av_audio_t *a, const char *what, int rc)
{
    if (rc) {
        ngx_media_av_error(a->error, what, rc);

    } else {
        (void) snprintf((char *) a->error, NGX_MEDIA_AV_ERROR, "%s", what);
    }

    a->done = 1;

    return NGX_ERROR;
}

#endif
