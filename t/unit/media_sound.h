
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Sound that is known at each moment: encoded as a source, decoded again, and
 * held against what it was.
 *
 *     sound_source(&source, "libopus", 48000, 2, 3.0, 0);
 *     ... source.packets[i], source.params ...
 *     sound_free(&source);
 *
 * Its stamps are those of what a decoder makes of a packet: what sounds t after
 * 0 has t as its pts.
 */


#ifndef _MEDIA_SOUND_H_INCLUDED_
#define _MEDIA_SOUND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "formats/ngx_media_codec.h"
#include "av/ngx_media_av_compat.h"

#include <libavutil/channel_layout.h>
#include <libavutil/mathematics.h>

#include <math.h>

#include "tap.h"


typedef struct {
    u_char                    *data;
    size_t                     len;
    int64_t                    pts;
    uint32_t                   duration;
} sound_packet_t;


typedef struct {
    sound_packet_t            *packets;
    size_t                     n;
    size_t                     size;
    ngx_media_params_t         params;
    const char                *name;          /* NULL: one of our codecs */
    uint32_t                   block_align;
    uint32_t                   bits;
} sound_source_t;


/* samples of one channel; the first one is at pts */

typedef struct {
    float                     *data[8];
    size_t                     n;
    size_t                     size;
    int                        channels;
    int                        rate;
    int64_t                    pts;
} sound_samples_t;


/* a chord, other in each channel, and a burst every 400 ms */

static inline double
sound_at(double t, int channel)
{
    double  burst, x;

    static const double  tones[6][2] = {
        { 331, 1250 }, { 523, 2010 }, { 277, 880 }, { 61, 83 },
        { 415, 1480 }, { 622, 1870 }
    };

    if (t < 0) {
        return 0;
    }

    x = 0.12 * sin(2 * M_PI * tones[channel % 6][0] * t)
        + 0.06 * sin(2 * M_PI * tones[channel % 6][1] * t + channel);

    burst = t - 0.2 - 0.4 * floor(t / 0.4);
    x += 0.3 * exp(-burst * burst * 250000) * sin(2 * M_PI * 2500 * burst);

    return x;
}


static inline void
sound_add(sound_packet_t **packets, size_t *n, size_t *size, const u_char *p,
    size_t len, int64_t pts, uint32_t duration)
{
    sound_packet_t  *packet;

    if (*n == *size) {
        *size = *size ? *size * 2 : 64;
        *packets = realloc(*packets, *size * sizeof(sound_packet_t));
    }

    packet = &(*packets)[(*n)++];

    packet->data = malloc(len ? len : 1);
    memcpy(packet->data, p, len);
    packet->len = len;
    packet->pts = pts;
    packet->duration = duration;
}


static inline void
sound_free(sound_source_t *source)
{
    size_t  i;

    for (i = 0; i < source->n; i++) {
        free(source->packets[i].data);
    }

    free(source->packets);
    memset(source, 0, sizeof(sound_source_t));
}


static inline void
sound_fill(AVFrame *frame, int64_t from)
{
    int     c, i, planar;
    double  x;

    planar = av_sample_fmt_is_planar(frame->format);

    for (c = 0; c < frame->ch_layout.nb_channels; c++) {
        for (i = 0; i < frame->nb_samples; i++) {
            x = sound_at((double) (from + i) / frame->sample_rate, c);

            switch (av_get_packed_sample_fmt(frame->format)) {

            case AV_SAMPLE_FMT_FLT:
                ((float *) frame->extended_data[planar ? c : 0])
                    [planar ? i : i * frame->ch_layout.nb_channels + c]
                    = (float) x;
                break;

            case AV_SAMPLE_FMT_S16:
                ((int16_t *) frame->extended_data[planar ? c : 0])
                    [planar ? i : i * frame->ch_layout.nb_channels + c]
                    = (int16_t) lrint(x * 32767);
                break;

            default:                          /* S32 */
                ((int32_t *) frame->extended_data[planar ? c : 0])
                    [planar ? i : i * frame->ch_layout.nb_channels + c]
                    = (int32_t) lrint(x * 2147483000.0);
            }
        }
    }
}


static inline AVCodecContext *
sound_encoder(const AVCodec *codec, int rate, int channels, int bitrate)
{
    size_t           i;
    AVCodecContext  *ctx;

    static const enum AVSampleFormat  formats[] = {
        AV_SAMPLE_FMT_FLTP, AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_S16P,
        AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_S32P, AV_SAMPLE_FMT_S32
    };

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        ctx = avcodec_alloc_context3(codec);

        ctx->sample_fmt = formats[i];
        ctx->sample_rate = rate;
        ctx->time_base = (AVRational) { 1, rate };
        ctx->bit_rate = bitrate;
        ctx->flags = AV_CODEC_FLAG_GLOBAL_HEADER;
        ctx->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
        av_channel_layout_default(&ctx->ch_layout, channels);

        if (avcodec_open2(ctx, codec, NULL) == 0) {
            return ctx;
        }

        avcodec_free_context(&ctx);
    }

    return NULL;
}


/* what our table, or a container, says of it */

static inline int
sound_params(sound_source_t *source, const AVCodecContext *ctx)
{
    ngx_media_params_t       *params;
    const ngx_media_codec_t  *codec;

    params = &source->params;
    codec = ngx_media_codec_find(ngx_media_av_codec(ctx->codec_id));

    if (codec == NULL) {
        source->name = avcodec_get_name(ctx->codec_id);
        source->block_align = (uint32_t) ctx->block_align;
        source->bits = (uint32_t) ctx->bits_per_coded_sample;

        params->timescale = (uint32_t) ctx->sample_rate;
        params->sample_rate = (uint32_t) ctx->sample_rate;
        params->channels = (uint32_t) ctx->ch_layout.nb_channels;
        params->config_len = (uint32_t) ctx->extradata_size;

        if (params->config_len) {
            memcpy(params->config, ctx->extradata, params->config_len);
        }

        return 0;
    }

    if (codec->learn) {
        return codec->learn(params, source->packets[0].data,
                            source->packets[0].data + source->packets[0].len)
               != NGX_OK;
    }

    return codec->config(params, ctx->extradata,
                         ctx->extradata + ctx->extradata_size)
           != NGX_OK;
}


/* 0; 1: there is no such encoder here */

static inline int
sound_source(sound_source_t *source, const char *name, int rate, int channels,
    double seconds, int bitrate)
{
    int              done, size;
    int64_t          at, end;
    AVFrame         *frame;
    AVPacket        *packet;
    const AVCodec   *codec;
    AVCodecContext  *ctx;

    memset(source, 0, sizeof(sound_source_t));

    codec = avcodec_find_encoder_by_name(name);
    ctx = codec ? sound_encoder(codec, rate, channels, bitrate) : NULL;

    if (ctx == NULL) {
        return 1;
    }

    packet = av_packet_alloc();
    size = ctx->frame_size ? ctx->frame_size : 1000;
    end = (int64_t) (seconds * rate);

    for (at = 0, done = 0; !done; at += size) {

        frame = NULL;

        if (at < end) {
            frame = av_frame_alloc();
            frame->nb_samples = size;
            frame->format = ctx->sample_fmt;
            frame->sample_rate = rate;
            frame->pts = at;
            av_channel_layout_copy(&frame->ch_layout, &ctx->ch_layout);
            av_frame_get_buffer(frame, 0);
            sound_fill(frame, at);
        }

        done = (avcodec_send_frame(ctx, frame) < 0 || frame == NULL);
        av_frame_free(&frame);

        while (avcodec_receive_packet(ctx, packet) == 0) {

            if (packet->size) {
                sound_add(&source->packets, &source->n, &source->size,
                          packet->data, (size_t) packet->size, packet->pts,
                          (uint32_t) packet->duration);
            }

            av_packet_unref(packet);
        }
    }

    done = source->n == 0 || sound_params(source, ctx);

    av_packet_free(&packet);
    avcodec_free_context(&ctx);

    return done;
}


static inline void
sound_samples_free(sound_samples_t *samples)
{
    int  c;

    for (c = 0; c < 8; c++) {
        free(samples->data[c]);
    }

    memset(samples, 0, sizeof(sound_samples_t));
}


static inline void
sound_append(sound_samples_t *to, const AVFrame *frame)
{
    int     c, i, planar;
    size_t  n;

    n = (size_t) frame->nb_samples;
    planar = av_sample_fmt_is_planar(frame->format);

    if (to->n == 0) {
        to->rate = frame->sample_rate;
        to->channels = frame->ch_layout.nb_channels;
        to->pts = frame->pts;
    }

    if (to->n + n > to->size) {
        to->size = (to->n + n) * 2;

        for (c = 0; c < to->channels; c++) {
            to->data[c] = realloc(to->data[c], to->size * sizeof(float));
        }
    }

    for (c = 0; c < to->channels; c++) {
        for (i = 0; i < frame->nb_samples; i++) {
            to->data[c][to->n + i] = planar
                ? ((float *) frame->extended_data[c])[i]
                : ((float *) frame->extended_data[0])[i * to->channels + c];
        }
    }

    to->n += n;
}


/* as a player does, from the first packet on; samples are counted */

static inline void
sound_decode(sound_samples_t *to, const ngx_media_params_t *params,
    const sound_packet_t *packets, size_t n)
{
    size_t                    i, size;
    AVFrame                  *frame;
    AVPacket                 *packet;
    AVCodecContext           *ctx;
    const ngx_media_codec_t  *codec;

    memset(to, 0, sizeof(sound_samples_t));

    codec = ngx_media_codec_find(params->codec);
    ctx = avcodec_alloc_context3(
                         avcodec_find_decoder(ngx_media_av_id(params->codec)));
    size = codec->flv.record ? codec->flv.record(NULL, params)
                             : params->config_len;

    ctx->extradata = av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
    ctx->extradata_size = (int) size;
    ctx->pkt_timebase = (AVRational) { 1, (int) params->timescale };
    ctx->request_sample_fmt = AV_SAMPLE_FMT_FLTP;

    if (codec->flv.record) {
        codec->flv.record(ctx->extradata, params);

    } else {
        memcpy(ctx->extradata, params->config, size);
    }

    frame = av_frame_alloc();
    packet = av_packet_alloc();

    if (avcodec_open2(ctx, ctx->codec, NULL) < 0) {
        n = 0;
    }

    for (i = 0; i < n; i++) {
        av_new_packet(packet, (int) packets[i].len);
        memcpy(packet->data, packets[i].data, packets[i].len);
        packet->pts = packets[i].pts;

        avcodec_send_packet(ctx, packet);
        av_packet_unref(packet);

        while (avcodec_receive_frame(ctx, frame) == 0) {
            sound_append(to, frame);
            av_frame_unref(frame);
        }
    }

    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&ctx);
}


/*
 * Between two moments: how many samples it is late, of at most "most", and how
 * much louder, in dB, than what it differs by, at best gain
 */

static inline int
sound_lag(const sound_samples_t *s, int channel, int as, double from,
    double to, int most, double *snr, double *gain)
{
    int      best, lag;
    double   noise, power, sum, top, *x, y;
    int64_t  first, i, k, n;

    best = -most - 1;
    top = 0;
    power = 1e-9;
    *snr = 0;
    *gain = 0;

    first = (int64_t) (from * s->rate);
    n = (int64_t) ((to - from) * s->rate);
    x = malloc(n * sizeof(double));

    for (i = 0; i < n; i++) {
        x[i] = sound_at((double) (first + i) / s->rate, as);
        power += x[i] * x[i];
    }

    for (lag = -most; lag <= most; lag++) {
        sum = 0;
        noise = 1e-9;

        for (i = 0; i < n; i++) {
            k = first + i + lag - s->pts;

            if (k >= 0 && k < (int64_t) s->n) {
                y = s->data[channel][k];
                sum += x[i] * y;
                noise += y * y;
            }
        }

        if (sum / sqrt(power * noise) > top) {
            top = sum / sqrt(power * noise);
            best = lag;

            *gain = sum / power;
            *snr = 10 * log10(sum * sum / power
                              / (noise - sum * sum / power + 1e-9));
        }
    }

    free(x);

    return best;
}


#endif /* _MEDIA_SOUND_H_INCLUDED_ */
