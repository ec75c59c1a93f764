
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_sound.h"
#include "formats/ngx_media_codec.h"

#include <libavutil/audio_fifo.h>
#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>


/* a packet of audio, in bytes: FLAC and PCM have large ones */
#define NGX_MEDIA_AV_SOUND_PACKET  (4 * 1024 * 1024)

/* Hz of what is decoded, which a resampler's memory depends on */
#define NGX_MEDIA_AV_SOUND_SLOWEST 2000
#define NGX_MEDIA_AV_SOUND_FASTEST 768000

/* channels that a container may say there are */
#define NGX_MEDIA_AV_SOUND_CHANNELS  64

/* seconds that stamps may be from the origin */
#define NGX_MEDIA_AV_SOUND_SPAN    (1ll << 32)

/* samples of silence that are written at once */
#define NGX_MEDIA_AV_SOUND_ZEROS   1024


struct ngx_media_av_sound_s {
    AVCodecContext            *ctx;
    AVPacket                  *packet;
    AVFrame                   *frame;         /* decoded; if it is "pending",
                                                 not taken yet */
    SwrContext                *swr;           /* of a run; NULL: none */
    AVAudioFifo               *fifo;          /* samples up to end */
    uint8_t                   *planes[AV_NUM_DATA_POINTERS];
                                              /* what swr writes, */
    int                        room;          /* samples of these; */
    uint8_t                   *zeros[AV_NUM_DATA_POINTERS];

    ngx_media_av_sound_form_t  form;
    ngx_media_av_audio_stat_t *stat;          /* borrowed */

    const ngx_media_codec_t   *codec;         /* NULL: not in our table */
    int64_t                    timescale;
    int64_t                    origin;
    uint32_t                   duration;      /* of a packet that does not
                                                 say it, in timescale */

    /* a run: its input, */
    AVChannelLayout            layout;
    int                        format;
    int                        rate;
    int64_t                    next;          /* sample of it that comes, */
    int64_t                    skip;          /* and of its output, that were
                                                 there before */

    int64_t                    end;           /* position */
    int64_t                    pts;           /* of the last packet, */
    int64_t                    behind;        /* position of its end, */
    int64_t                    until;         /* and that of one that was
                                                 damaged */
    unsigned                   segment:1;
    unsigned                   started:1;     /* origin is known */
    unsigned                   begun:1;       /* samples were written */
    unsigned                   pending:1;
    unsigned                   damaged:1;     /* the last packet was */
    unsigned                   draining:1;    /* no packet comes, */
    unsigned                   drained:1;     /* which the decoder knows */
};


static AVCodecContext *ngx_media_av_sound_decoder(
    const ngx_media_av_audio_conf_t *conf, u_char *error);
static ngx_int_t ngx_media_av_sound_extradata(AVCodecContext *ctx,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_av_sound_buffers(ngx_media_av_sound_t *s);
static ngx_int_t ngx_media_av_sound_decode(ngx_media_av_sound_t *s,
    const u_char *pos, size_t len);
static void ngx_media_av_sound_damaged(ngx_media_av_sound_t *s);
static ngx_int_t ngx_media_av_sound_pull(ngx_media_av_sound_t *s,
    u_char *error);
static ngx_int_t ngx_media_av_sound_finish(ngx_media_av_sound_t *s,
    u_char *error);
static ngx_int_t ngx_media_av_sound_take(ngx_media_av_sound_t *s,
    u_char *error);
static ngx_int_t ngx_media_av_sound_begin(ngx_media_av_sound_t *s, int64_t at,
    u_char *error);
static ngx_int_t ngx_media_av_sound_resampler(ngx_media_av_sound_t *s,
    u_char *error);
static ngx_int_t ngx_media_av_sound_convert(ngx_media_av_sound_t *s,
    const AVFrame *frame, u_char *error);
static ngx_int_t ngx_media_av_sound_silence(ngx_media_av_sound_t *s,
    int64_t to, u_char *error);
static ngx_int_t ngx_media_av_sound_write(ngx_media_av_sound_t *s,
    uint8_t **planes, int n, u_char *error);
static int64_t ngx_media_av_sound_position(const ngx_media_av_sound_t *s,
    int64_t pts, int rate);
static ngx_int_t ngx_media_av_sound_memory(u_char *error);


ngx_media_av_sound_t *
ngx_media_av_sound_open(const ngx_media_av_audio_conf_t *conf,
    const ngx_media_av_sound_form_t *form, ngx_media_av_audio_stat_t *stat,
    u_char *error)
{
    ngx_media_av_sound_t  *s;

    s = calloc(1, sizeof(ngx_media_av_sound_t));
    if (s == NULL) {
        (void) ngx_media_av_sound_memory(error);
        return NULL;
    }

    s->form = *form;
    s->stat = stat;
    s->codec = conf->name ? NULL : ngx_media_codec_find(conf->source->codec);
    s->timescale = conf->source->timescale;
    s->duration = conf->source->frame_samples;
    s->segment = conf->segment;
    s->started = conf->segment;
    s->origin = conf->segment ? conf->origin : 0;
    s->end = form->start;
    s->until = form->start;

    s->ctx = ngx_media_av_sound_decoder(conf, error);

    if (s->ctx == NULL) {
        ngx_media_av_sound_close(s);
        return NULL;
    }

    if (ngx_media_av_sound_buffers(s) != NGX_OK) {
        (void) ngx_media_av_sound_memory(error);
        ngx_media_av_sound_close(s);
        return NULL;
    }

    return s;
}


/* what no file is served of has no line in the table of names, but a name */

enum AVCodecID
ngx_media_av_sound_id(uint32_t codec, const char *name)
{
    enum AVCodecID            id;
    const AVCodecDescriptor  *desc;
    const ngx_media_codec_t  *entry;

    if (name == NULL) {
        id = ngx_media_av_id(codec);
        entry = ngx_media_codec_find(codec);

        if (id != AV_CODEC_ID_NONE || entry == NULL) {
            return id;
        }

        name = (const char *) entry->name.data;
    }

    desc = avcodec_descriptor_get_by_name(name);

    return desc ? desc->id : AV_CODEC_ID_NONE;
}


static AVCodecContext *
ngx_media_av_sound_decoder(const ngx_media_av_audio_conf_t *conf,
    u_char *error)
{
    int                        rc;
    const AVCodec             *codec;
    AVCodecContext            *ctx;
    const ngx_media_params_t  *params;

    params = conf->source;

    codec = avcodec_find_decoder(ngx_media_av_sound_id(params->codec,
                                                       conf->name));

    if (codec == NULL || codec->type != AVMEDIA_TYPE_AUDIO) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "libavcodec has no decoder of the source's audio");
        return NULL;
    }

    ctx = avcodec_alloc_context3(codec);
    if (ctx == NULL) {
        (void) ngx_media_av_sound_memory(error);
        return NULL;
    }

    ctx->thread_count = 1;
    ctx->err_recognition = AV_EF_CRCCHECK;
    ctx->pkt_timebase.num = 1;
    ctx->pkt_timebase.den = (int) params->timescale;
    ctx->sample_rate = (int) params->sample_rate;
    ctx->block_align = (int) conf->block_align;
    ctx->bits_per_coded_sample = (int) conf->bits;

    /* stamps say where sound is, so nothing is left out in front of it */
    ctx->flags2 = AV_CODEC_FLAG2_SKIP_MANUAL;

    if (params->channels && params->channels <= NGX_MEDIA_AV_SOUND_CHANNELS) {
        av_channel_layout_default(&ctx->ch_layout, (int) params->channels);
    }

    if (ngx_media_av_sound_extradata(ctx, params) != NGX_OK) {
        avcodec_free_context(&ctx);
        (void) ngx_media_av_sound_memory(error);
        return NULL;
    }

    rc = avcodec_open2(ctx, codec, NULL);

    if (rc < 0) {
        avcodec_free_context(&ctx);
        ngx_media_av_error(error, "source's audio cannot be decoded", rc);
        return NULL;
    }

    return ctx;
}


/* the record that RTMP has is what libavcodec calls for, too */

static ngx_int_t
ngx_media_av_sound_extradata(AVCodecContext *ctx,
    const ngx_media_params_t *params)
{
    size_t                    size;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(params->codec);

    if (codec == NULL || codec->flv.record == NULL) {
        codec = NULL;
        size = params->config_len;

    } else {
        size = codec->flv.record(NULL, params);
    }

    if (size == 0) {
        return NGX_OK;
    }

    ctx->extradata = av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (ctx->extradata == NULL) {
        return NGX_ERROR;
    }

    ctx->extradata_size = (int) size;

    if (codec == NULL) {
        ngx_memcpy(ctx->extradata, params->config, size);

    } else {
        (void) codec->flv.record(ctx->extradata, params);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_av_sound_buffers(ngx_media_av_sound_t *s)
{
    int                        channels;
    ngx_media_av_sound_form_t *form;

    form = &s->form;
    channels = form->layout.nb_channels;

    s->packet = av_packet_alloc();
    s->frame = av_frame_alloc();
    s->fifo = av_audio_fifo_alloc(form->format, channels, form->rate);

    if (s->packet == NULL || s->frame == NULL || s->fifo == NULL
        || av_samples_alloc(s->zeros, NULL, channels, NGX_MEDIA_AV_SOUND_ZEROS,
                            form->format, 0)
           < 0)
    {
        return NGX_ERROR;
    }

    (void) av_samples_set_silence(s->zeros, 0, NGX_MEDIA_AV_SOUND_ZEROS,
                                  channels, form->format);

    return NGX_OK;
}


void
ngx_media_av_sound_close(ngx_media_av_sound_t *s)
{
    if (s == NULL) {
        return;
    }

    avcodec_free_context(&s->ctx);
    av_packet_free(&s->packet);
    av_frame_free(&s->frame);
    swr_free(&s->swr);
    av_channel_layout_uninit(&s->layout);
    av_audio_fifo_free(s->fifo);
    av_freep(&s->planes[0]);
    av_freep(&s->zeros[0]);

    free(s);
}


int64_t
ngx_media_av_sound_origin(const ngx_media_av_sound_t *s)
{
    return s->origin;
}


int64_t
ngx_media_av_sound_end(const ngx_media_av_sound_t *s)
{
    return s->end;
}


ngx_int_t
ngx_media_av_sound_send(ngx_media_av_sound_t *s, const u_char *pos, size_t len,
    int64_t pts, uint32_t duration, u_char *error)
{
    ngx_int_t  rc;

    rc = ngx_media_av_sound_pull(s, error);

    if (rc == NGX_DONE) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (!s->started) {
        s->started = 1;
        s->origin = pts;
    }

    if (pts < s->origin - NGX_MEDIA_AV_SOUND_SPAN * s->timescale
        || pts > s->origin + NGX_MEDIA_AV_SOUND_SPAN * s->timescale)
    {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "stamp is too far from the others, pts:%lld",
                        (long long) pts);
        return NGX_ERROR;
    }

    s->stat->packets++;
    s->damaged = 0;
    s->pts = pts;

    if (duration == 0 && len && s->codec && s->codec->samples) {
        duration = s->codec->samples(pos, pos + len);
    }

    if (duration == 0) {
        duration = s->duration;
    }

    s->behind = ngx_media_av_sound_position(s, pts + duration, s->form.rate);

    if (ngx_media_av_sound_decode(s, pos, len) != NGX_OK) {
        return ngx_media_av_sound_memory(error);
    }

    if (ngx_media_av_sound_pull(s, error) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return s->damaged ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_media_av_sound_decode(ngx_media_av_sound_t *s, const u_char *pos,
    size_t len)
{
    int  rc;

    if (len == 0 || len > NGX_MEDIA_AV_SOUND_PACKET) {
        ngx_media_av_sound_damaged(s);
        return NGX_OK;
    }

    if (av_new_packet(s->packet, (int) len) < 0) {
        return NGX_ERROR;
    }

    ngx_memcpy(s->packet->data, pos, len);

    s->packet->pts = s->pts;
    s->packet->dts = s->pts;
    s->packet->flags = AV_PKT_FLAG_KEY;

    rc = avcodec_send_packet(s->ctx, s->packet);

    av_packet_unref(s->packet);

    if (rc == AVERROR(ENOMEM)) {
        return NGX_ERROR;
    }

    if (rc < 0) {
        ngx_media_av_sound_damaged(s);
    }

    return NGX_OK;
}


/* those that are only there for the decoder's state may be without theirs */

static void
ngx_media_av_sound_damaged(ngx_media_av_sound_t *s)
{
    if (s->damaged || (s->segment && s->behind <= s->form.start)) {
        return;
    }

    s->damaged = 1;
    s->until = ngx_max(s->until, s->behind);
    s->stat->errors++;
}


void
ngx_media_av_sound_drain(ngx_media_av_sound_t *s)
{
    s->draining = 1;
}


int
ngx_media_av_sound_read(ngx_media_av_sound_t *s, int64_t position,
    uint8_t **planes, int n, u_char *error)
{
    int        rc;
    int64_t    have;
    ngx_int_t  pulled;

    pulled = NGX_OK;

    for ( ;; ) {
        have = av_audio_fifo_size(s->fifo);

        if (s->end - have < position) {
            (void) av_audio_fifo_drain(s->fifo, (int) ngx_min(have,
                                              position - (s->end - have)));
            have = av_audio_fifo_size(s->fifo);
        }

        if (have >= n) {
            break;
        }

        pulled = ngx_media_av_sound_pull(s, error);

        if (pulled == NGX_ERROR) {
            return -1;
        }

        if (pulled != NGX_AGAIN) {
            have = av_audio_fifo_size(s->fifo);
            break;
        }
    }

    /* all of them, or, behind the last packet, what there is */

    if (s->end - have != position || (have < n && pulled != NGX_DONE)) {
        return 0;
    }

    rc = av_audio_fifo_read(s->fifo, (void **) planes, (int) ngx_min(have, n));

    if (rc < 0) {
        ngx_media_av_error(error, "samples cannot be read", rc);
        return -1;
    }

    return rc;
}


/*
 * Moves on what the decoder has.  NGX_OK: it wants a packet; NGX_AGAIN: samples
 * are to be read first; NGX_DONE: all that will ever be is there; NGX_ERROR
 */

static ngx_int_t
ngx_media_av_sound_pull(ngx_media_av_sound_t *s, u_char *error)
{
    int        rc;
    ngx_int_t  taken;

    for ( ;; ) {

        if (s->segment && s->end >= s->form.stop) {
            return NGX_DONE;
        }

        if (av_audio_fifo_size(s->fifo) >= s->form.rate) {
            return NGX_AGAIN;
        }

        if (!s->pending) {
            rc = avcodec_receive_frame(s->ctx, s->frame);

            if (rc == AVERROR(EAGAIN) && s->draining && !s->drained) {
                s->drained = 1;

                /* what is wrong is what it still had */

                if (avcodec_send_packet(s->ctx, NULL) < 0) {
                    ngx_media_av_sound_damaged(s);
                }

                continue;
            }

            if (rc == AVERROR_EOF) {
                return ngx_media_av_sound_finish(s, error);
            }

            if (rc == AVERROR(ENOMEM)) {
                return ngx_media_av_sound_memory(error);
            }

            if (rc < 0 && rc != AVERROR(EAGAIN)) {
                ngx_media_av_sound_damaged(s);
            }

            if (rc < 0) {
                return ngx_media_av_sound_silence(s, s->until, error);
            }

            s->pending = 1;
        }

        taken = ngx_media_av_sound_take(s, error);

        if (taken != NGX_OK) {
            return taken;
        }

        av_frame_unref(s->frame);
        s->pending = 0;
    }
}


static ngx_int_t
ngx_media_av_sound_finish(ngx_media_av_sound_t *s, u_char *error)
{
    ngx_int_t  rc;

    if (ngx_media_av_sound_convert(s, NULL, error) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_media_av_sound_silence(s, s->segment ? s->form.stop : s->until,
                                    error);

    return (rc == NGX_OK) ? NGX_DONE : rc;
}


/* the frame, behind those that were, or where its stamp says */

static ngx_int_t
ngx_media_av_sound_take(ngx_media_av_sound_t *s, u_char *error)
{
    int64_t    at, off;
    AVFrame   *frame;
    ngx_int_t  rc;

    frame = s->frame;

    if (frame->sample_rate < NGX_MEDIA_AV_SOUND_SLOWEST
        || frame->sample_rate > NGX_MEDIA_AV_SOUND_FASTEST
        || frame->nb_samples / NGX_MEDIA_AV_SOUND_HOLE > frame->sample_rate)
    {
        ngx_media_av_sound_damaged(s);
        return NGX_OK;
    }

    at = ngx_media_av_sound_position(s, frame->pts == AV_NOPTS_VALUE
                                        ? s->pts : frame->pts,
                                     frame->sample_rate);

    if (s->swr != NULL) {
        off = (frame->pts == AV_NOPTS_VALUE) ? 0 : at - s->next;

        if (frame->sample_rate != s->rate || frame->format != s->format
            || av_channel_layout_compare(&frame->ch_layout, &s->layout) != 0
            || off > s->rate / NGX_MEDIA_AV_SOUND_OFF
            || off < -s->rate / NGX_MEDIA_AV_SOUND_OFF)
        {
            if (ngx_media_av_sound_convert(s, NULL, error) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    if (s->swr == NULL) {
        rc = ngx_media_av_sound_begin(s, at, error);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    s->next += frame->nb_samples;

    return ngx_media_av_sound_convert(s, frame, error);
}


/* a run, of frames as this one, from a sample on */

static ngx_int_t
ngx_media_av_sound_begin(ngx_media_av_sound_t *s, int64_t at, u_char *error)
{
    int64_t    first, from, in, out;
    AVFrame   *frame;
    ngx_int_t  rc;

    frame = s->frame;

    /* the least time that has whole numbers of samples: so many of both */

    in = frame->sample_rate / av_gcd(frame->sample_rate, s->form.rate);
    out = s->form.rate / av_gcd(frame->sample_rate, s->form.rate);

    first = (at >= 0 ? at / in : -((in - 1 - at) / in)) * in;
    from = first / in * out;

    rc = ngx_media_av_sound_silence(s, from, error);

    if (rc != NGX_OK) {
        return rc;
    }

    av_channel_layout_uninit(&s->layout);

    if (av_channel_layout_copy(&s->layout, &frame->ch_layout) < 0) {
        return ngx_media_av_sound_memory(error);
    }

    s->rate = frame->sample_rate;
    s->format = frame->format;
    s->next = at;
    s->skip = s->end - from;

    from = av_rescale(at, s->form.rate, s->rate);

    if (s->begun && s->end > from) {
        s->stat->cut += (uint64_t) (s->end - from);
    }

    if (ngx_media_av_sound_resampler(s, error) != NGX_OK) {
        return NGX_ERROR;
    }

    if (swr_inject_silence(s->swr, (int) (at - first)) < 0) {
        return ngx_media_av_sound_memory(error);
    }

    return NGX_OK;
}


/*
 * Where channels are put together nothing clips, as A/52, 7.8 has it; one that
 * becomes two is as loud as it was
 */

static ngx_int_t
ngx_media_av_sound_resampler(ngx_media_av_sound_t *s, u_char *error)
{
    int               rc;
    AVChannelLayout  *to, from;

    to = &s->form.layout;
    from = s->layout;

    if (from.order != AV_CHANNEL_ORDER_NATIVE) {
        av_channel_layout_default(&from, s->layout.nb_channels);
    }

    rc = swr_alloc_set_opts2(&s->swr, to, s->form.format, s->form.rate,
                             &from, s->format, s->rate, 0, NULL);

    if (rc == 0) {
        (void) av_opt_set_int(s->swr, "internal_sample_fmt",
                              AV_SAMPLE_FMT_FLTP, 0);
        (void) av_opt_set_double(s->swr, "rematrix_maxval", 1.0, 0);

        if (from.nb_channels == 1
            && av_channel_layout_index_from_channel(to, AV_CHAN_FRONT_LEFT)
               >= 0
            && av_channel_layout_index_from_channel(to, AV_CHAN_FRONT_CENTER)
               < 0)
        {
            (void) av_opt_set_double(s->swr, "rematrix_volume", M_SQRT2, 0);
        }

        rc = swr_init(s->swr);
    }

    if (rc < 0) {
        swr_free(&s->swr);
        ngx_media_av_error(error, "channels or rate cannot be converted", rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* NULL: the run ends */

static ngx_int_t
ngx_media_av_sound_convert(ngx_media_av_sound_t *s, const AVFrame *frame,
    u_char *error)
{
    int  max, n;

    if (s->swr == NULL) {
        return NGX_OK;
    }

    do {
        max = swr_get_out_samples(s->swr, frame ? frame->nb_samples : 0);

        if (max < NGX_MEDIA_AV_SOUND_ZEROS) {
            max = NGX_MEDIA_AV_SOUND_ZEROS;
        }

        if (max > s->room) {
            av_freep(&s->planes[0]);
            s->room = 0;

            if (av_samples_alloc(s->planes, NULL, s->form.layout.nb_channels,
                                 max, s->form.format, 0)
                < 0)
            {
                return ngx_media_av_sound_memory(error);
            }

            s->room = max;
        }

        n = swr_convert(s->swr, s->planes, s->room,
                        frame ? (const uint8_t **) frame->extended_data : NULL,
                        frame ? frame->nb_samples : 0);

        if (n < 0) {
            ngx_media_av_error(error, "samples cannot be converted", n);
            return NGX_ERROR;
        }

        if (ngx_media_av_sound_write(s, s->planes, n, error) != NGX_OK) {
            return NGX_ERROR;
        }

    } while (frame == NULL && n);

    if (frame == NULL) {
        swr_free(&s->swr);
        s->skip = 0;
    }

    return NGX_OK;
}


/* up to a position, if it is not there; NGX_AGAIN: more than fits now */

static ngx_int_t
ngx_media_av_sound_silence(ngx_media_av_sound_t *s, int64_t to, u_char *error)
{
    int      n;
    int64_t  left;

    if (to <= s->end) {
        return NGX_OK;
    }

    if (ngx_media_av_sound_convert(s, NULL, error) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!s->segment
        && to - s->end > (int64_t) s->form.rate * NGX_MEDIA_AV_SOUND_HOLE)
    {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "hole of %lld s in the source's audio",
                        (long long) ((to - s->end) / s->form.rate));
        return NGX_ERROR;
    }

    while (s->end < to) {
        left = ngx_min(to - s->end,
                       s->form.rate - av_audio_fifo_size(s->fifo));

        if (left <= 0) {
            return NGX_AGAIN;
        }

        n = (int) ngx_min(left, NGX_MEDIA_AV_SOUND_ZEROS);

        if (ngx_media_av_sound_write(s, s->zeros, n, error) != NGX_OK) {
            return NGX_ERROR;
        }

        /* what is in front of the origin is nobody's loss */

        if (s->end > 0) {
            s->stat->silent += (uint64_t) ngx_min(s->end, n);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_av_sound_write(ngx_media_av_sound_t *s, uint8_t **planes, int n,
    u_char *error)
{
    int       i, size, skip;
    uint8_t  *p[AV_NUM_DATA_POINTERS];

    skip = (int) ngx_min(s->skip, n);

    s->skip -= skip;
    n -= skip;

    if (n == 0) {
        return NGX_OK;
    }

    size = av_get_bytes_per_sample(s->form.format);

    if (!av_sample_fmt_is_planar(s->form.format)) {
        size *= s->form.layout.nb_channels;
    }

    for (i = 0; i < AV_NUM_DATA_POINTERS; i++) {
        p[i] = planes[i] ? planes[i] + skip * size : NULL;
    }

    if (av_audio_fifo_write(s->fifo, (void **) p, n) < n) {
        return ngx_media_av_sound_memory(error);
    }

    s->end += n;
    s->begun = 1;

    return NGX_OK;
}


/* of a pts, in samples of a rate */

static int64_t
ngx_media_av_sound_position(const ngx_media_av_sound_t *s, int64_t pts,
    int rate)
{
    return av_rescale(pts - s->origin, rate, s->timescale);
}


static ngx_int_t
ngx_media_av_sound_memory(u_char *error)
{
    (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR, "no memory");

    return NGX_ERROR;
}

#endif
