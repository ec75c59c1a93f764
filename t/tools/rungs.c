
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A file's video through av/: decoded once, scaled in a cascade, encoded, as
 * MP4 files; for t/av_rungs.t, and for scripts/rungs by hand.
 *
 *     rungs [-pPRESET] [-eENCODER] [-bBFRAMES] [-lLOOKAHEAD] [-rREORDER] [-f]
 *           FILE WIDTHxHEIGHT,BITRATE,OUT...
 *
 * Key frames are those of the source; -r: the decoder is told to expect so
 * many pictures out of order, instead of what the first frame says.  Prints
 * "pictures N late N errors N", and "cpu decode MS scale MS encode MS" of a
 * picture.
 */

/* link: @av -lavformat -lavcodec -lavutil */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_decode.h"
#include "av/ngx_media_av_encode.h"
#include "av/ngx_media_av_scale.h"
#include "formats/ngx_media_codec.h"

#include <libavformat/avformat.h>
#include <libavutil/mem.h>


#define RUNGS  8
#define KEYS   4096


typedef struct {
    char                     *out;
    ngx_media_av_scaler_t    *scaler;
    ngx_media_av_encoder_t   *encoder;
    AVFormatContext          *format;
    ngx_media_av_encoder_conf_t
                              conf;
} rung_t;


static rung_t      rungs[RUNGS];
static ngx_uint_t  nrungs;

static int64_t     keys[KEYS];
static ngx_uint_t  nkeys;

static int64_t     reorder = -1;

static double      cpu[3];


static void
die(const char *what, const void *why)
{
    fprintf(stderr, "rungs: %s: %s\n", what, (const char *) why);
    exit(1);
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (double) ts.tv_sec * 1000 + (double) ts.tv_nsec / 1000000;
}


static void
rung_begin(rung_t *rung)
{
    AVStream                  *st;
    const ngx_media_params_t  *params;

    params = ngx_media_av_encoder_params(rung->encoder);

    if (avformat_alloc_output_context2(&rung->format, NULL, "mp4", rung->out)
        < 0)
    {
        die(rung->out, "no memory");
    }

    st = avformat_new_stream(rung->format, NULL);

    st->time_base.num = 1;
    st->time_base.den = 90000;
    st->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    st->codecpar->codec_id = ngx_media_av_id(params->codec);
    st->codecpar->width = (int) params->width;
    st->codecpar->height = (int) params->height;
    st->codecpar->extradata = av_mallocz(params->config_len
                                         + AV_INPUT_BUFFER_PADDING_SIZE);
    st->codecpar->extradata_size = (int) params->config_len;
    memcpy(st->codecpar->extradata, params->config, params->config_len);

    if (avio_open(&rung->format->pb, rung->out, AVIO_FLAG_WRITE) < 0
        || avformat_write_header(rung->format, NULL) < 0)
    {
        die(rung->out, "cannot be written");
    }
}


static ngx_int_t
rung_take(rung_t *rung)
{
    ngx_int_t               rc;
    AVPacket               *out;
    ngx_media_av_packet_t   packet;

    for ( ;; ) {
        rc = ngx_media_av_encoder_packet(rung->encoder, &packet);

        if (rc == NGX_ERROR) {
            die(rung->out, ngx_media_av_encoder_error(rung->encoder));
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (rung->format == NULL) {
            rung_begin(rung);
        }

        out = av_packet_alloc();

        if (av_new_packet(out, (int) (packet.last - packet.pos)) < 0) {
            die(rung->out, "no memory");
        }

        memcpy(out->data, packet.pos, out->size);
        out->pts = packet.pts / 4;
        out->dts = packet.dts / 4;

        out->duration = (int64_t) 90000 * rung->conf.fps_den
                        / rung->conf.fps_num;

        /* libavformat wants no frame to be shown before it is decoded */

        if (rung->conf.bframes) {
            out->dts -= 2 * out->duration;
        }

        out->flags = packet.key ? AV_PKT_FLAG_KEY : 0;

        av_packet_rescale_ts(out, (AVRational) { 1, 90000 },
                             rung->format->streams[0]->time_base);

        if (av_interleaved_write_frame(rung->format, out) < 0) {
            die(rung->out, "cannot be written");
        }

        av_packet_free(&out);
    }
}


static void
rung_picture(rung_t *rung, const ngx_media_av_frame_t *frame, ngx_uint_t key)
{
    u_char  error[NGX_MEDIA_AV_ERROR];

    if (rung->encoder == NULL) {
        rung->encoder = ngx_media_av_encoder_open(&rung->conf, frame, error);

        if (rung->encoder == NULL) {
            die(rung->out, error);
        }
    }

    if (ngx_media_av_encoder_send(rung->encoder, frame, key) != NGX_OK) {
        die(rung->out, ngx_media_av_encoder_error(rung->encoder));
    }

    (void) rung_take(rung);
}


/* through all rungs, by falling size */

static void
picture(ngx_media_av_frame_t *frame)
{
    u_char      error[NGX_MEDIA_AV_ERROR];
    double      start;
    ngx_uint_t  i, key;

    key = 0;

    for (i = 0; i < nkeys; i++) {
        key |= (keys[i] == frame->pts);
    }

    for (i = 0; i < nrungs; i++) {
        ngx_media_av_frame_t  *scaled;

        start = now();

        scaled = ngx_media_av_scaler_scale(rungs[i].scaler, frame, error);

        if (scaled == NULL) {
            die(rungs[i].out, error);
        }

        cpu[1] += now() - start;
        start = now();

        rung_picture(&rungs[i], scaled, key);

        cpu[2] += now() - start;

        ngx_media_av_frame_free(frame);
        frame = scaled;
    }

    ngx_media_av_frame_free(frame);
}


static void
pictures(ngx_media_av_decoder_t *d)
{
    double                 start;
    ngx_media_av_frame_t  *frame;

    for ( ;; ) {
        start = now();
        frame = ngx_media_av_decoder_picture(d);
        cpu[0] += now() - start;

        if (frame == NULL) {
            return;
        }

        picture(frame);
    }
}


static ngx_media_av_decoder_t *
source_open(AVFormatContext *in, AVStream *st, const AVPacket *packet)
{
    u_char                    error[NGX_MEDIA_AV_ERROR];
    ngx_uint_t                i;
    const ngx_media_codec_t  *codec;
    ngx_media_av_decoder_t   *d;
    ngx_media_params_t        params;

    codec = ngx_media_codec_find(ngx_media_av_codec(st->codecpar->codec_id));

    if (codec == NULL) {
        memset(&params, 0, sizeof(params));
        params.width = (uint32_t) st->codecpar->width;
        params.height = (uint32_t) st->codecpar->height;
        params.timescale = 360000;
        params.config_len = (uint32_t) st->codecpar->extradata_size;
        memcpy(params.config, st->codecpar->extradata, params.config_len);

    } else if (codec->config(&params, st->codecpar->extradata,
                             st->codecpar->extradata
                             + st->codecpar->extradata_size)
               != NGX_OK)
    {
        die(in->url, "no parameters");
    }

    if (reorder < 0) {
        reorder = av_rescale_q_rnd(packet->pts - packet->dts, st->time_base,
                                   av_inv_q(st->avg_frame_rate),
                                   AV_ROUND_UP);
    }

    d = codec ? ngx_media_av_decoder_open(&params, (ngx_uint_t) reorder, error)
              : ngx_media_av_decoder_open_named(
                                    avcodec_get_name(st->codecpar->codec_id),
                                    &params, (ngx_uint_t) reorder, error);

    if (d == NULL) {
        die(in->url, error);
    }

    for (i = 0; i < nrungs; i++) {
        rungs[i].conf.fps_num = (uint32_t) st->avg_frame_rate.num;
        rungs[i].conf.fps_den = (uint32_t) st->avg_frame_rate.den;

        rungs[i].scaler = ngx_media_av_scaler_open(rungs[i].conf.width,
                                                   rungs[i].conf.height, 8,
                                                   error);
        if (rungs[i].scaler == NULL) {
            die(rungs[i].out, error);
        }
    }

    return d;
}


static void
run(const char *name)
{
    int                                 n;
    double                              start;
    int64_t                             pts;
    AVPacket                           *packet;
    AVStream                           *st;
    ngx_uint_t                          i;
    AVFormatContext                    *in;
    ngx_media_av_decoder_t             *d;
    const ngx_media_av_decoder_stat_t  *stat;

    in = NULL;
    d = NULL;

    if (avformat_open_input(&in, name, NULL, NULL) < 0
        || avformat_find_stream_info(in, NULL) < 0)
    {
        die(name, "cannot be read");
    }

    n = av_find_best_stream(in, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);

    if (n < 0) {
        die(name, "no video");
    }

    st = in->streams[n];
    packet = av_packet_alloc();

    while (av_read_frame(in, packet) == 0) {

        if (packet->stream_index != n) {
            av_packet_unref(packet);
            continue;
        }

        if (d == NULL) {
            d = source_open(in, st, packet);
        }

        pts = av_rescale_q(packet->pts, st->time_base,
                           (AVRational) { 1, 360000 });

        if ((packet->flags & AV_PKT_FLAG_KEY) && nkeys < KEYS) {
            keys[nkeys++] = pts;
        }

        start = now();

        (void) ngx_media_av_decoder_send(d, packet->data,
                                         (size_t) packet->size, pts,
                                         packet->flags & AV_PKT_FLAG_KEY, 0);
        cpu[0] += now() - start;

        pictures(d);
        av_packet_unref(packet);
    }

    if (d == NULL) {
        die(name, "no frames");
    }

    ngx_media_av_decoder_drain(d);
    pictures(d);

    stat = ngx_media_av_decoder_stat(d);

    printf("pictures %u late %u errors %u\n", (unsigned) stat->pictures,
           (unsigned) stat->late, (unsigned) stat->errors);

    for (i = 0; i < nrungs; i++) {
        ngx_media_av_encoder_drain(rungs[i].encoder);
        (void) rung_take(&rungs[i]);

        (void) av_write_trailer(rungs[i].format);
        avio_closep(&rungs[i].format->pb);
        avformat_free_context(rungs[i].format);

        ngx_media_av_encoder_close(rungs[i].encoder);
        ngx_media_av_scaler_close(rungs[i].scaler);
    }

    printf("cpu decode %.2f scale %.2f encode %.2f\n",
           cpu[0] / (double) stat->pictures, cpu[1] / (double) stat->pictures,
           cpu[2] / (double) stat->pictures);

    ngx_media_av_decoder_close(d);
    av_packet_free(&packet);
    avformat_close_input(&in);
}


int
main(int argc, char **argv)
{
    int                           i, at;
    const char                   *encoder, *name;
    ngx_uint_t                    k;
    ngx_media_av_encoder_conf_t   conf;

    memset(&conf, 0, sizeof(conf));

    conf.bit_depth = 8;
    encoder = "libx264";

    for (i = 1; i < argc && argv[i][0] == '-'; i++) {

        switch (argv[i][1]) {

        case 'p':
            conf.preset = argv[i] + 2;
            break;

        case 'e':
            encoder = argv[i] + 2;
            break;

        case 'b':
            conf.bframes = (ngx_uint_t) atoi(argv[i] + 2);
            break;

        case 'l':
            conf.lookahead = (ngx_uint_t) atoi(argv[i] + 2);
            break;

        case 'r':
            reorder = atoi(argv[i] + 2);
            break;

        case 'f':
            conf.file = 1;
            break;
        }
    }

    for (k = 0; /* void */ ; k++) {
        conf.kind = ngx_media_av_encoder_entry(k);

        if (conf.kind == NULL) {
            die(encoder, "no such encoder");
        }

        if (strcmp(ngx_media_av_encoder_name(conf.kind), encoder) == 0) {
            break;
        }
    }

    if (argc - i < 2) {
        die("usage", "rungs [OPTIONS] FILE WIDTHxHEIGHT,BITRATE,OUT...");
    }

    name = argv[i++];

    for ( /* void */ ; i < argc && nrungs < RUNGS; i++) {
        rungs[nrungs].conf = conf;

        if (sscanf(argv[i], "%ux%u,%u,%n", &rungs[nrungs].conf.width,
                   &rungs[nrungs].conf.height, &rungs[nrungs].conf.bitrate,
                   &at)
            != 3)
        {
            die(argv[i], "not WIDTHxHEIGHT,BITRATE,OUT");
        }

        rungs[nrungs++].out = argv[i] + at;
    }

    run(name);

    return 0;
}

#else

int
main(void)
{
    printf("no libav\n");

    return 0;
}

#endif
