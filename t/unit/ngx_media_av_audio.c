
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @av -lm av/ngx_media_av_audio.c av/ngx_media_av_sound.c */


#include <ngx_config.h>
#include <ngx_core.h>
#include "tap.h"

#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_audio.h"
#include "media_sound.h"


#define BASE  1000003                         /* a live stream is under way */


typedef struct {
    sound_packet_t            *packets;
    size_t                     n;
    size_t                     size;
    ngx_media_av_audio_stat_t  stat;
    ngx_media_params_t         params;
    ngx_int_t                  rc;
    size_t                     declined;
    int                        torn;          /* it is no run */
} made_t;


static void
conf_init(ngx_media_av_audio_conf_t *conf, const sound_source_t *source,
    uint32_t codec, int channels, int rate)
{
    memset(conf, 0, sizeof(ngx_media_av_audio_conf_t));

    conf->source = &source->params;
    conf->name = source->name;
    conf->block_align = source->block_align;
    conf->bits = source->bits;
    conf->codec = codec;
    conf->bitrate = channels > 2 ? 448000 : 160000;
    conf->channels = (uint32_t) channels;
    conf->rate = (uint32_t) rate;
}


static void
take(made_t *made, ngx_media_av_audio_t *a, int64_t off)
{
    ngx_media_av_audio_packet_t  p;

    for ( ;; ) {
        made->rc = ngx_media_av_audio_packet(a, &p);

        if (made->rc != NGX_OK) {
            return;
        }

        if (made->n && (p.pts != made->packets[made->n - 1].pts + off
                                 + made->packets[made->n - 1].duration))
        {
            made->torn = 1;
        }

        sound_add(&made->packets, &made->n, &made->size, p.pos, p.last - p.pos,
                  p.pts - off, p.duration);
    }
}


static void
made_free(made_t *made)
{
    size_t  i;

    for (i = 0; i < made->n; i++) {
        free(made->packets[i].data);
    }

    free(made->packets);
    memset(made, 0, sizeof(made_t));
}


/* all of it; base: what is added to stamps, in whole seconds of the source */

static ngx_media_av_audio_t *
convert(made_t *made, const ngx_media_av_audio_conf_t *conf,
    const sound_source_t *source, int64_t base)
{
    size_t                 i;
    ngx_int_t              rc;
    u_char                 error[NGX_MEDIA_AV_ERROR];
    ngx_media_av_audio_t  *a;

    memset(made, 0, sizeof(made_t));

    a = ngx_media_av_audio_open(conf, error);

    if (a == NULL) {
        diag("%s", error);
        made->rc = NGX_ERROR;
        return NULL;
    }

    made->params = *ngx_media_av_audio_params(a);

    for (i = 0; i < source->n; i++) {
        rc = ngx_media_av_audio_send(a, source->packets[i].data,
                                source->packets[i].len,
                                source->packets[i].pts
                                + base * source->params.timescale,
                                source->packets[i].duration);

        made->declined += (rc == NGX_DECLINED);

        if (rc != NGX_OK && rc != NGX_DECLINED) {
            diag("packet %zu: %s", i, ngx_media_av_audio_error(a));
            made->rc = NGX_ERROR;
            return a;
        }

        take(made, a, base * made->params.timescale);
    }

    ngx_media_av_audio_drain(a);
    take(made, a, base * made->params.timescale);

    made->stat = *ngx_media_av_audio_stat(a);

    return a;
}


static const struct {
    const char  *encoder;
    int          rate;
    int          channels;
    int          bitrate;
    uint32_t     codec;
    int          to_channels;
    int          to_rate;
    double       gain;                        /* of the first channel, 0: any */
    double       snr;
} lives[] = {
    { "libopus", 48000, 2, 160000, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 22 },
    { "libopus", 48000, 1, 96000, NGX_MEDIA_CODEC_AAC, 2, 44100, 1, 20 },
    { "libmp3lame", 44100, 2, 192000, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 20 },
    { "libmp3lame", 48000, 2, 192000, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 20 },
    { "libmp3lame", 22050, 1, 64000, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 15 },
    { "mp2", 48000, 2, 256000, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 20 },
    { "ac3", 48000, 2, 256000, NGX_MEDIA_CODEC_AAC, 2, 48000, 0, 20 },
    { "ac3", 48000, 6, 448000, NGX_MEDIA_CODEC_AAC, 6, 48000, 0, 10 },
    { "ac3", 48000, 6, 448000, NGX_MEDIA_CODEC_AAC, 2, 48000, 0, -9 },
    { "eac3", 48000, 2, 256000, NGX_MEDIA_CODEC_AAC, 2, 48000, 0, 20 },
    { "aac", 44100, 2, 192000, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 20 },
    { "aac", 48000, 2, 192000, NGX_MEDIA_CODEC_OPUS, 2, 48000, 1, 20 },
    { "aac", 44100, 2, 192000, NGX_MEDIA_CODEC_OPUS, 2, 48000, 1, 20 },
    { "libmp3lame", 44100, 2, 192000, NGX_MEDIA_CODEC_OPUS, 1, 48000, 0, 0 },
    { "flac", 96000, 2, 0, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 22 },
    { "flac", 44100, 1, 0, NGX_MEDIA_CODEC_AAC, 1, 44100, 1, 22 },
    { "pcm_s16le", 48000, 2, 0, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 22 },
    { "pcm_s24be", 44100, 2, 0, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 22 },
    { "pcm_alaw", 8000, 1, 0, NGX_MEDIA_CODEC_AAC, 1, 48000, 1, 10 },
    { "libvorbis", 44100, 2, 192000, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 15 },
    { "alac", 44100, 2, 0, NGX_MEDIA_CODEC_AAC, 2, 48000, 1, 22 },
    { "libopus", 48000, 1, 14000, NGX_MEDIA_CODEC_AAC, 1, 48000, 0, 0 },
};


static void
test_live(size_t i, double seconds)
{
    int                         lag, late;
    char                        name[128];
    double                      gain, snr, snr2;
    made_t                      made;
    int64_t                     end;
    sound_source_t              source;
    sound_samples_t             samples;
    ngx_media_av_audio_t       *a;
    ngx_media_av_audio_conf_t   conf;

    if (sound_source(&source, lives[i].encoder, lives[i].rate,
                     lives[i].channels, seconds, lives[i].bitrate))
    {
        ok(1, "%s is not here", lives[i].encoder);
        return;
    }

    conf_init(&conf, &source, lives[i].codec, lives[i].to_channels,
              lives[i].to_rate);

    snprintf(name, sizeof(name), "%s %d %dch -> %s %d %dch",
             lives[i].encoder, lives[i].rate, lives[i].channels,
             (const char *) ngx_media_codec_find(lives[i].codec)->name.data,
             lives[i].to_rate, lives[i].to_channels);

    a = convert(&made, &conf, &source, BASE);

    ok(made.rc == NGX_DONE && made.n && !made.torn && made.stat.errors == 0
       && made.stat.silent == 0 && made.stat.cut == 0,
       "%s: %zu packets in a run", name, made.n);

    if (made.n == 0) {
        ngx_media_av_audio_close(a);
        sound_free(&source);
        return;
    }

    /* decoders give all of the last packet, however long it is said to be; of
       Vorbis there are two lengths */

    end = source.packets[source.n - 1].pts
          + source.packets[source.n - 1 - (source.name == NULL)].duration;

    ok(made.packets[0].pts == av_rescale(source.packets[0].pts,
                                         lives[i].to_rate, lives[i].rate)
       && llabs(made.packets[made.n - 1].pts
                + made.packets[made.n - 1].duration
                - av_rescale(end, lives[i].to_rate, lives[i].rate))
          <= (ngx_strcmp(lives[i].encoder, "libvorbis") ? 1 : 1200),
       "%s: as long as the source, %lld %lld", name,
       (long long) made.packets[0].pts,
       (long long) (made.packets[made.n - 1].pts
                    + made.packets[made.n - 1].duration));

    sound_decode(&samples, &made.params, made.packets, made.n);

    lag = sound_lag(&samples, 0, 0, 0.1, 0.5, 60, &snr, &gain);
    late = sound_lag(&samples, samples.channels - 1,
                     lives[i].channels == 1 ? 0 : samples.channels - 1,
                     seconds - 0.6, seconds - 0.2, 60, &snr2, &gain);

    ok(abs(lag) <= 1 && abs(late) <= 1 && snr > lives[i].snr
       && (lives[i].gain == 0 || fabs(gain / lives[i].gain - 1) < 0.06),
       "%s: lag %d, at the end %d; %.1f dB, %.1f dB, gain %.3f", name, lag,
       late, snr, snr2, gain);

    sound_samples_free(&samples);
    ngx_media_av_audio_close(a);
    made_free(&made);
    sound_free(&source);
}


/* what is wrong with the source; seconds from its begin */

enum { NOTHING, GARBAGE, SHORT, EMPTY, LOST, JITTER, TWICE, FAR };

static const struct {
    const char  *name;
    const char  *encoder;
    int          what;
    int          n;                           /* packets, from the 30th on */
} faults[] = {
    { "garbage", "libopus", GARBAGE, 1 },
    { "garbage", "libmp3lame", GARBAGE, 3 },
    { "garbage", "ac3", GARBAGE, 2 },
    { "garbage", "aac", GARBAGE, 4 },
    { "cut short", "libmp3lame", SHORT, 1 },
    { "empty", "libopus", EMPTY, 5 },
    { "empty", "pcm_s16le", EMPTY, 3 },
    { "lost", "aac", LOST, 3 },
    { "lost", "libmp3lame", LOST, 40 },
    { "stamps off by 2 ms", "aac", JITTER, 40 },
    { "sent twice", "ac3", TWICE, 3 },
};


static void
break_source(sound_source_t *source, int what, int n)
{
    int             i;
    size_t          k;
    sound_packet_t *p;

    for (i = 0; i < n; i++) {
        p = &source->packets[30 + i];

        switch (what) {

        case GARBAGE:
            for (k = 0; k < p->len; k++) {
                p->data[k] = (u_char) (k * 37 + 11 * i + 0x55);
            }
            break;

        case SHORT:
            p->len = 3;
            break;

        case EMPTY:
            p->len = 0;
            break;

        case JITTER:
            p->pts += (i & 1 ? 1 : -1) * (int) source->params.timescale / 500;
            break;

        case TWICE:
            p->pts -= (int64_t) n * p->duration;
            break;
        }
    }

    if (what == LOST) {
        for (i = 0; i < n; i++) {
            free(source->packets[30 + i].data);
        }

        memmove(&source->packets[30], &source->packets[30 + n],
                (source->n - 30 - n) * sizeof(sound_packet_t));
        source->n -= n;
    }
}


static void
test_fault(size_t i)
{
    int                         early, late;
    size_t                      k;
    double                      gain, snr, snr2, seconds;
    made_t                      made;
    sound_source_t              source;
    sound_samples_t             samples;
    ngx_media_av_audio_t       *a;
    ngx_media_av_audio_conf_t   conf;

    seconds = 2.5;

    if (sound_source(&source, faults[i].encoder, 48000, 2, seconds, 192000)) {
        ok(1, "%s is not here", faults[i].encoder);
        return;
    }

    break_source(&source, faults[i].what, faults[i].n);

    for (k = 0; (i & 1) && k < source.n; k++) {
        source.packets[k].duration = 0;       /* it is not said */
    }

    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 2, 48000);

    a = convert(&made, &conf, &source, BASE);

    sound_decode(&samples, &made.params, made.packets, made.n);

    early = sound_lag(&samples, 0, 0, 0.1, 0.4, 60, &snr, &gain);
    late = sound_lag(&samples, 0, 0, 2, 2.3, 60, &snr2, &gain);

    ok(made.rc == NGX_DONE && !made.torn && abs(early) <= 1
       && abs(late) <= 1 && snr > 20 && snr2 > 20,
       "%s, %s: in its place, %d and %d; %.1f and %.1f dB", faults[i].encoder,
       faults[i].name, early, late, snr, snr2);

    ok((made.stat.errors > 0) == (faults[i].what == SHORT
                                  || faults[i].what == EMPTY
                                  || (faults[i].what == GARBAGE
                                      && made.stat.errors > 0))
       && made.declined == made.stat.errors
       && (made.stat.silent > 0) == (made.stat.errors > 0
                                     || faults[i].what == LOST
                                     || faults[i].what == TWICE)
       && (made.stat.cut > 0) == (faults[i].what == TWICE)
       && made.stat.packets == source.n,
       "%s, %s: %llu errors, %llu silent, %llu cut", faults[i].encoder,
       faults[i].name, (unsigned long long) made.stat.errors,
       (unsigned long long) made.stat.silent,
       (unsigned long long) made.stat.cut);

    sound_samples_free(&samples);
    ngx_media_av_audio_close(a);
    made_free(&made);
    sound_free(&source);
}


/* frames first..last, of the packets that they need, by one that is alone */

static void
segment(made_t *made, ngx_media_av_audio_conf_t *conf,
    const sound_source_t *source, uint64_t first, uint64_t last)
{
    u_char                      error[NGX_MEDIA_AV_ERROR];
    size_t                      i, from;
    sound_packet_t             *p;
    ngx_media_av_audio_t       *a;
    ngx_media_av_audio_need_t   need;

    conf->segment = 1;
    conf->first = first;
    conf->last = last;

    a = ngx_media_av_audio_open(conf, error);

    if (a == NULL) {
        diag("%s", error);
        made->rc = NGX_ERROR;
        return;
    }

    made->params = *ngx_media_av_audio_params(a);

    ngx_media_av_audio_need(a, &need);

    for (from = 0; from < source->n; from++) {
        p = &source->packets[from];

        if (p->pts + p->duration > need.from) {
            break;
        }
    }

    from = (from > need.preroll) ? from - need.preroll : 0;

    for (i = from; i < source->n; i++) {
        p = &source->packets[i];

        if (p->pts >= need.to) {
            break;
        }

        if (ngx_media_av_audio_send(a, p->data, p->len, p->pts, p->duration)
            != NGX_OK)
        {
            diag("packet %zu: %s", i, ngx_media_av_audio_error(a));
            made->declined++;
        }

        take(made, a, 0);
    }

    ngx_media_av_audio_drain(a);
    take(made, a, 0);

    made->stat = *ngx_media_av_audio_stat(a);

    ngx_media_av_audio_close(a);
}


static const struct {
    const char  *encoder;
    int          rate;
    int          bitrate;
    uint32_t     codec;
    double       most;                        /* dB that joints may lose, */
    double       least;                       /* and have */
} joints[] = {
    { "flac", 48000, 0, NGX_MEDIA_CODEC_AAC, 3, 30 },
    { "pcm_s16le", 44100, 0, NGX_MEDIA_CODEC_AAC, 3, 30 },
    { "libmp3lame", 44100, 192000, NGX_MEDIA_CODEC_AAC, 3, 25 },
    { "ac3", 48000, 256000, NGX_MEDIA_CODEC_AAC, 3, 30 },

    /* a burst is at one of them, and Opus knows its energies by the ones before
       it */
    { "aac", 44100, 192000, NGX_MEDIA_CODEC_OPUS, 10, 28 },
    { "libopus", 48000, 160000, NGX_MEDIA_CODEC_AAC, 3, 28 },
};


/* SNR of some frames from a cut on, one for all cuts */

static double
joint_snr(const sound_samples_t *s, const uint64_t *cuts, size_t n,
    uint32_t size, int from, int to)
{
    size_t   i;
    double   noise, power, x, y;
    int64_t  k, last;

    noise = 1e-12;
    power = 0;

    for (i = 0; i < n; i++) {
        k = ((int64_t) cuts[i] + from) * size;
        last = ((int64_t) cuts[i] + to) * size;

        for ( /* void */ ; k < last; k++) {
            x = sound_at((double) k / s->rate, 0);
            y = s->data[0][k - s->pts];

            power += x * x;
            noise += (x - y) * (x - y);
        }
    }

    return 10 * log10(power / noise);
}


static void
test_joint(size_t i)
{
    size_t                      k;
    double                      alone, near, whole;
    uint32_t                    size;
    made_t                      one, parts;
    sound_source_t              source;
    sound_samples_t             samples;
    ngx_media_av_audio_conf_t   conf;

    static uint64_t  cuts[] = { 47, 76, 95, 130, 161, 170 };

    if (sound_source(&source, joints[i].encoder, joints[i].rate, 2, 4,
                     joints[i].bitrate))
    {
        ok(1, "%s is not here", joints[i].encoder);
        return;
    }

    memset(&one, 0, sizeof(made_t));
    memset(&parts, 0, sizeof(made_t));

    conf_init(&conf, &source, joints[i].codec, 2, 48000);

    segment(&one, &conf, &source, 0, 179);

    ok(one.rc == NGX_DONE && one.n == 180 && !one.torn && one.declined == 0
       && one.packets[0].pts == 0,
       "%s %d: all of it, %zu packets from %lld", joints[i].encoder,
       joints[i].rate, one.n, (long long) one.packets[0].pts);

    for (k = 0; k <= 6; k++) {
        segment(&parts, &conf, &source, k ? cuts[k - 1] : 0,
                k < 6 ? cuts[k] - 1 : 179);
    }

    ok(parts.rc == NGX_DONE && parts.n == 180 && !parts.torn
       && parts.declined == 0 && parts.stat.errors == 0,
       "%s %d: the same in pieces, %zu packets", joints[i].encoder,
       joints[i].rate, parts.n);

    size = one.packets[0].duration;

    sound_decode(&samples, &one.params, one.packets, one.n);
    whole = joint_snr(&samples, cuts, 6, size, -1, 1);
    sound_samples_free(&samples);

    /* an encoder that begins anew needs seconds to know how good it may be:
       that is no matter of joints, so they are held against what is near */

    sound_decode(&samples, &parts.params, parts.packets, parts.n);
    alone = joint_snr(&samples, cuts, 6, size, -1, 1);
    near = joint_snr(&samples, cuts, 6, size, 2, 12);
    sound_samples_free(&samples);

    ok(alone > near - joints[i].most && alone > joints[i].least,
       "%s %d: joints have %.1f dB, behind them it is %.1f, and %.1f of one",
       joints[i].encoder, joints[i].rate, alone, near, whole);

    made_free(&one);
    made_free(&parts);
    sound_free(&source);
}


static void
test_names(void)
{
    u_char                      error[NGX_MEDIA_AV_ERROR];
    sound_source_t              source;
    ngx_media_av_audio_t       *a;
    ngx_media_av_audio_conf_t   conf;

    is(ngx_media_av_audio_known(NGX_MEDIA_CODEC_AAC, error), NGX_OK,
       "AAC is made");
    is(ngx_media_av_audio_known(NGX_MEDIA_CODEC_FLAC, error), NGX_DECLINED,
       "FLAC is not: %s", error);
    is(ngx_media_av_audio_known(NGX_MEDIA_CODEC_H264, error), NGX_DECLINED,
       "nor is H.264");

    ok(strcmp(ngx_media_av_audio_encoder(NGX_MEDIA_CODEC_AAC), "aac") == 0
       && ngx_media_av_audio_encoder(NGX_MEDIA_CODEC_MP3) == NULL
       && ngx_media_av_audio_samples(NGX_MEDIA_CODEC_AAC) == 1024
       && ngx_media_av_audio_samples(NGX_MEDIA_CODEC_OPUS) == 960
       && ngx_media_av_audio_samples(NGX_MEDIA_CODEC_MP3) == 0,
       "encoders and frames");

    ok(ngx_media_av_audio_decodes(NGX_MEDIA_CODEC_AC3, NULL)
       && ngx_media_av_audio_decodes(NGX_MEDIA_CODEC_MP2, NULL)
       && ngx_media_av_audio_decodes(0, "vorbis")
       && !ngx_media_av_audio_decodes(0, "h264")
       && !ngx_media_av_audio_decodes(0, "nothing")
       && !ngx_media_av_audio_decodes(NGX_MEDIA_CODEC_H264, NULL)
       && !ngx_media_av_audio_decodes(NGX_MEDIA_CODEC_WVTT, NULL), "decoders");

    ok(ngx_media_av_audio_frame(0, 360000, 48000, 1024) == 0
       && ngx_media_av_audio_frame(1, 360000, 48000, 1024) == 1
       && ngx_media_av_audio_frame(7680, 360000, 48000, 1024) == 1
       && ngx_media_av_audio_frame(7681, 360000, 48000, 1024) == 2
       && ngx_media_av_audio_frame(360000ull * 86400 * 365, 360000, 48000, 1024)
          == 1478250000,
       "the first frame behind a time");

    if (sound_source(&source, "pcm_s16le", 48000, 2, 0.1, 0)) {
        return;
    }

    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 3, 48000);
    ok(ngx_media_av_audio_open(&conf, error) == NULL, "3 channels: %s", error);

    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 2, 12345);
    ok(ngx_media_av_audio_open(&conf, error) == NULL, "12345 Hz: %s", error);

    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 2, 48000);
    conf.name = "nothing";
    ok(ngx_media_av_audio_open(&conf, error) == NULL, "no decoder: %s", error);

    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 0, 0);
    a = ngx_media_av_audio_open(&conf, error);
    ok(a && ngx_media_av_audio_params(a)->channels == 2
       && ngx_media_av_audio_params(a)->sample_rate == 48000
       && ngx_media_av_audio_params(a)->timescale == 48000
       && ngx_media_av_audio_params(a)->frame_samples == 1024,
       "2 channels and 48 kHz if nothing is said");
    ngx_media_av_audio_close(a);
    ngx_media_av_audio_close(NULL);

    conf_init(&conf, &source, NGX_MEDIA_CODEC_OPUS, 2, 48000);
    a = ngx_media_av_audio_open(&conf, error);
    ok(a == NULL || (ngx_media_av_audio_params(a)->config[2] == 0
                     && ngx_media_av_audio_params(a)->config[3] == 0
                     && ngx_media_av_audio_params(a)->config_len >= 11),
       "Opus has nothing to be skipped");
    ngx_media_av_audio_close(a);

    sound_free(&source);
}


/* who does not take packets is told to, and nothing is lost */

static void
test_full(void)
{
    int                          lag;
    size_t                       i;
    double                       gain, snr;
    u_char                       error[NGX_MEDIA_AV_ERROR];
    made_t                       made;
    ngx_int_t                    rc;
    ngx_uint_t                   again;
    sound_source_t               source;
    sound_samples_t              samples;
    ngx_media_av_audio_t        *a;
    ngx_media_av_audio_conf_t    conf;

    memset(&made, 0, sizeof(made_t));

    if (sound_source(&source, "aac", 44100, 2, 3, 192000)) {
        return;
    }

    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 2, 48000);

    a = ngx_media_av_audio_open(&conf, error);
    made.params = *ngx_media_av_audio_params(a);
    again = 0;

    take(&made, a, 0);
    is(made.rc, NGX_AGAIN, "nothing is in it");

    for (i = 0; i < source.n; /* void */ ) {
        rc = ngx_media_av_audio_send(a, source.packets[i].data,
                                     source.packets[i].len,
                                     source.packets[i].pts, 0);
        if (rc == NGX_AGAIN) {
            again++;
            take(&made, a, 0);
            continue;
        }

        i++;
    }

    ngx_media_av_audio_drain(a);
    ngx_media_av_audio_drain(a);
    take(&made, a, 0);

    sound_decode(&samples, &made.params, made.packets, made.n);
    lag = sound_lag(&samples, 0, 0, 2, 2.5, 60, &snr, &gain);

    ok(again >= 2 && again < 6 && made.rc == NGX_DONE && !made.torn
       && lag == 0 && snr > 20,
       "packets are taken late: %u times full, lag %d, %.1f dB",
       (unsigned) again, lag, snr);

    is(ngx_media_av_audio_send(a, source.packets[0].data,
                               source.packets[0].len, 0, 0),
       NGX_OK, "what comes then is nobody's");
    take(&made, a, 0);
    is(made.rc, NGX_DONE, "and the end stays the end");

    ngx_media_av_audio_close(a);
    sound_samples_free(&samples);
    made_free(&made);

    /* stamps that are far from each other */

    a = ngx_media_av_audio_open(&conf, error);

    for (i = 0; i < 10; i++) {
        (void) ngx_media_av_audio_send(a, source.packets[i].data,
                                       source.packets[i].len,
                                       source.packets[i].pts, 0);
    }

    rc = ngx_media_av_audio_send(a, source.packets[i].data,
                                 source.packets[i].len, 44100 * 12, 0);
    ok(rc == NGX_ERROR, "a hole of 11 s: %s", ngx_media_av_audio_error(a));
    take(&made, a, 0);
    is(made.rc, NGX_ERROR, "no packets then");
    ngx_media_av_audio_close(a);

    a = ngx_media_av_audio_open(&conf, error);
    (void) ngx_media_av_audio_send(a, source.packets[0].data,
                                   source.packets[0].len, 0, 0);
    rc = ngx_media_av_audio_send(a, source.packets[1].data,
                                 source.packets[1].len, INT64_MAX / 2, 0);
    ok(rc == NGX_ERROR, "a wild stamp: %s", ngx_media_av_audio_error(a));
    ngx_media_av_audio_close(a);

    a = ngx_media_av_audio_open(&conf, error);
    ngx_media_av_audio_drain(a);
    memset(&made, 0, sizeof(made_t));
    take(&made, a, 0);
    ok(made.rc == NGX_DONE && made.n == 0, "nothing was sent");
    ngx_media_av_audio_close(a);

    sound_free(&source);
}


/* MP3 of another rate in mid-stream, as servers of radio do it */

static void
test_change(void)
{
    int                          early, late;
    size_t                       i, k;
    double                       gain, snr, snr2;
    made_t                       made;
    sound_source_t               first, second;
    sound_samples_t              samples;
    ngx_media_av_audio_t        *a;
    ngx_media_av_audio_conf_t    conf;

    if (sound_source(&first, "libmp3lame", 44100, 2, 3, 192000)
        || sound_source(&second, "libmp3lame", 48000, 1, 3, 128000))
    {
        ok(1, "libmp3lame is not here");
        return;
    }

    for (i = 0; first.packets[i].pts < 44100; i++) { /* void */ }
    for (k = 0; second.packets[k].pts < 48000 * first.packets[i].pts / 44100;
         k++) { /* void */ }

    for ( /* void */ ; i < first.n; i++) {
        free(first.packets[i].data);
        first.packets[i].len = 0;
        first.packets[i].data = malloc(1);

        if (k < second.n) {
            first.packets[i].len = second.packets[k].len;
            first.packets[i].data = realloc(first.packets[i].data,
                                            second.packets[k].len);
            memcpy(first.packets[i].data, second.packets[k].data,
                   second.packets[k].len);
            first.packets[i].pts = av_rescale(second.packets[k].pts, 44100,
                                              48000);
            first.packets[i].duration = 1058;
            k++;
        }
    }

    conf_init(&conf, &first, NGX_MEDIA_CODEC_AAC, 2, 48000);
    a = convert(&made, &conf, &first, BASE);

    sound_decode(&samples, &made.params, made.packets, made.n);
    early = sound_lag(&samples, 0, 0, 0.4, 0.8, 60, &snr, &gain);
    late = sound_lag(&samples, 0, 0, 2, 2.4, 60, &snr2, &gain);

    ok(made.rc == NGX_DONE && !made.torn && early == 0 && abs(late) <= 1
       && snr > 20 && snr2 > 20 && made.stat.errors < 12,
       "another rate and other channels: lag %d and %d, %.1f and %.1f dB",
       early, late, snr, snr2);

    ngx_media_av_audio_close(a);
    sound_samples_free(&samples);
    made_free(&made);
    sound_free(&first);
    sound_free(&second);
}


static void
test_segment(void)
{
    int                          lag;
    size_t                       i, same;
    double                       gain, snr;
    u_char                       error[NGX_MEDIA_AV_ERROR];
    made_t                       made, other;
    sound_source_t               source;
    sound_samples_t              samples;
    ngx_media_av_audio_t        *a;
    ngx_media_av_audio_need_t    need;
    ngx_media_av_audio_conf_t    conf;

    if (sound_source(&source, "flac", 44100, 2, 4, 0)) {
        return;
    }

    memset(&made, 0, sizeof(made_t));
    memset(&other, 0, sizeof(made_t));
    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 2, 48000);
    conf.origin = 1000;

    segment(&made, &conf, &source, 50, 99);

    ok(made.n == 50 && made.packets[0].pts == 50 * 1024
                                             + av_rescale(1000, 48000, 44100)
       && made.packets[49].duration == 1024,
       "a segment: 50 frames from %lld", (long long) made.packets[0].pts);

    sound_decode(&samples, &made.params, made.packets, made.n);
    lag = sound_lag(&samples, 0, 0, 1.15, 1.55, 60, &snr, &gain);
    ok(lag == 0 && snr > 20, "where the origin says: lag %d, %.1f dB", lag,
       snr);
    sound_samples_free(&samples);

    /* all of the file, or what is needed */

    conf.segment = 1;
    a = ngx_media_av_audio_open(&conf, error);
    ngx_media_av_audio_need(a, &need);

    ok(need.from < 1000 + 46 * 1024 * 441 / 480
       && need.from > 1000 + 43 * 1024 * 441 / 480
       && need.to > 1000 + 101 * 1024 * 441 / 480
       && need.to < 1000 + 104 * 1024 * 441 / 480 && need.preroll == 0,
       "it needs %lld to %lld", (long long) need.from, (long long) need.to);

    for (i = 0; i < source.n; i++) {
        while (ngx_media_av_audio_send(a, source.packets[i].data,
                                       source.packets[i].len,
                                       source.packets[i].pts,
                                       source.packets[i].duration)
               == NGX_AGAIN)
        {
            take(&other, a, 0);
        }
    }

    take(&other, a, 0);
    ngx_media_av_audio_close(a);

    for (i = 0, same = 0; i < made.n && i < other.n; i++) {
        same += (made.packets[i].len == other.packets[i].len
                 && memcmp(made.packets[i].data, other.packets[i].data,
                           made.packets[i].len) == 0);
    }

    ok(other.rc == NGX_DONE && other.n == 50 && same == 50,
       "the same of all of the file, and without its end: %zu frames", same);
    made_free(&made);
    made_free(&other);

    /* behind the end, and where there is nothing */

    segment(&made, &conf, &source, 180, 199);
    ok(made.n == 20 && made.rc == NGX_DONE, "over the end: %zu frames, silent "
       "%llu", made.n, (unsigned long long) made.stat.silent);
    made_free(&made);

    segment(&made, &conf, &source, 100000, 100009);
    ok(made.n == 10 && made.rc == NGX_DONE, "behind it: %zu frames", made.n);
    made_free(&made);

    sound_free(&source);
}


static uint32_t  seed;


static uint32_t
draw(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;

    return (uint32_t) (((uint64_t) (seed >> 8) * n) >> 24);
}


/* whatever a packet is, and says of itself; 0: all is in a run */

static int
random_take(made_t *made, ngx_media_av_audio_t *a, uint64_t *number)
{
    int                          wrong;
    ngx_media_av_audio_packet_t  p;

    wrong = 0;

    for ( ;; ) {
        made->rc = ngx_media_av_audio_packet(a, &p);

        if (made->rc != NGX_OK) {
            return wrong;
        }

        wrong |= made->n && p.number != *number;
        wrong |= p.last <= p.pos;

        *number = p.number + 1;
        made->n++;
    }
}


static int
random_run(uint32_t from, const sound_source_t *source)
{
    int                         i, wrong;
    u_char                     *data, error[NGX_MEDIA_AV_ERROR];
    size_t                      len;
    made_t                      made;
    int64_t                     pts;
    uint32_t                    duration;
    uint64_t                    number;
    const sound_packet_t       *p;
    ngx_media_av_audio_t       *a;
    ngx_media_av_audio_conf_t   conf;

    seed = from;
    wrong = 0;
    number = 0;
    memset(&made, 0, sizeof(made_t));

    conf_init(&conf, source, draw(2) ? NGX_MEDIA_CODEC_AAC
                                     : NGX_MEDIA_CODEC_OPUS, 1 + draw(2), 0);
    conf.segment = draw(2);
    conf.first = draw(60);
    conf.last = conf.first + draw(40);

    a = ngx_media_av_audio_open(&conf, error);

    if (a == NULL) {
        return ngx_media_av_audio_known(conf.codec, error) == NGX_OK;
    }

    pts = source->packets[0].pts - draw(50000);

    for (i = 0; i < 50; i++) {
        p = &source->packets[i % source->n];
        len = p->len;
        duration = p->duration;

        data = malloc(len);
        memcpy(data, p->data, len);

        switch (draw(20)) {
        case 0:
            len = draw((uint32_t) len + 1);
            break;
        case 1:
            data[draw((uint32_t) len)] ^= 1 << draw(8);
            break;
        case 2:
            pts += draw(100000);
            break;
        case 3:
            pts -= draw(60000);
            break;
        case 4:
            pts += (int64_t) draw(1000) - 500;
            break;
        case 5:
            duration = draw(100000);
            break;
        case 6:
            duration = 0;
            break;
        }

        do {
            made.rc = ngx_media_av_audio_send(a, data, len, pts, duration);

            if (made.rc == NGX_AGAIN) {
                wrong |= random_take(&made, a, &number);
                made.rc = (made.rc == NGX_ERROR) ? NGX_ERROR : NGX_AGAIN;
            }

        } while (made.rc == NGX_AGAIN);

        free(data);

        if (draw(3) && made.rc != NGX_ERROR) {
            wrong |= random_take(&made, a, &number);
        }

        pts += p->duration;
    }

    ngx_media_av_audio_drain(a);
    wrong |= random_take(&made, a, &number);

    if (made.rc == NGX_ERROR) {
        wrong |= (strstr((char *) ngx_media_av_audio_error(a), "hole") == NULL);

    } else {
        wrong |= (made.rc != NGX_DONE);
        wrong |= (conf.segment && made.n != conf.last - conf.first + 1);
    }

    if (wrong) {
        diag("seed %u: rc %d, %zu packets, \"%s\"", from, (int) made.rc,
             made.n, ngx_media_av_audio_error(a));
    }

    ngx_media_av_audio_close(a);

    return wrong;
}


static void
test_random(void)
{
    int             wrong;
    size_t          i;
    uint32_t        k;
    sound_source_t  source;

    static const char  *encoders[] = { "pcm_s16le", "libmp3lame", "aac" };

    for (i = 0; i < 3; i++) {
        if (sound_source(&source, encoders[i], 44100, 2, 1.2, 160000)) {
            continue;
        }

        wrong = 0;

        for (k = 0; k < 12; k++) {
            wrong += random_run(k, &source);
        }

        is(wrong, 0, "%s, as it likes", encoders[i]);

        sound_free(&source);
    }
}


/* the decoder has half a sample left when the end comes, and when nothing more
   is wanted of it */

static void
test_end(void)
{
    size_t                      i;
    made_t                      made;
    sound_source_t              source;
    ngx_media_av_audio_t       *a;
    ngx_media_av_audio_conf_t   conf;

    if (sound_source(&source, "pcm_s16le", 44100, 2, 0.5, 0)) {
        return;
    }

    for (i = 0; i < source.n; i++) {
        source.packets[i].len--;
    }

    conf_init(&conf, &source, NGX_MEDIA_CODEC_AAC, 2, 48000);
    a = convert(&made, &conf, &source, BASE);

    ok(made.rc == NGX_DONE && !made.torn && made.n > 20,
       "an end in the middle of a sample: %zu packets", made.n);

    ngx_media_av_audio_close(a);
    made_free(&made);

    conf.segment = 1;
    conf.last = 5;
    a = convert(&made, &conf, &source, 0);

    ok(made.rc == NGX_DONE && !made.torn && made.n == 6,
       "the same of a segment that is whole: %zu packets", made.n);

    ngx_media_av_audio_close(a);
    made_free(&made);
    sound_free(&source);
}


int
main(int argc, char **argv)
{
    size_t  i;
    double  seconds;

    /* SECONDS NUMBER: only that conversion, of that length */

    if (argc > 2) {
        test_live((size_t) atoi(argv[2]), atof(argv[1]));
        return done();
    }

    test_names();
    test_full();
    test_change();
    test_segment();
    test_end();
    test_random();

    seconds = argc > 1 ? atof(argv[1]) : 1.5;

    for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        test_live(i, seconds);
    }

    for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        test_fault(i);
    }

    for (i = 0; i < sizeof(joints) / sizeof(joints[0]); i++) {
        test_joint(i);
    }

    return done();
}

#else

int
main(void)
{
    ok(1, "without libav");

    return done();
}

#endif
