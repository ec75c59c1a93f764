
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @av -lm */


#include <ngx_config.h>
#include <ngx_core.h>
#include "tap.h"

#if (NGX_MEDIA_HAVE_AV)

#include "formats/ngx_media_codec.h"
#include "media_picture.h"

#include <libavutil/mastering_display_metadata.h>


/* x265 3.5 leaks some strings of each encoder */

const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libx265\n";
}


#define PICTURES  32
#define WIDTH     320
#define HEIGHT    180

/* no number of the encoder's: a period that began an hour ago */
#define ORIGIN    ((int64_t) 3600 * 360000 + 7)


static const ngx_uint_t  keys[] = { 9, 21 };


static void
conf_init(ngx_media_av_encoder_conf_t *conf, const ngx_media_av_kind_t *kind)
{
    memset(conf, 0, sizeof(ngx_media_av_encoder_conf_t));

    conf->kind = kind;
    conf->width = WIDTH;
    conf->height = HEIGHT;
    conf->fps_num = 30000;
    conf->fps_den = 1001;
    conf->bitrate = 700000;
    conf->preset = "ultrafast";
    conf->bit_depth = 8;
}


static const ngx_media_av_kind_t *
kind_of(const char *name)
{
    const ngx_media_av_kind_t  *kind;
    ngx_uint_t                  i;

    for (i = 0; /* void */ ; i++) {
        kind = ngx_media_av_encoder_entry(i);

        if (kind == NULL
            || strcmp(ngx_media_av_encoder_name(kind), name) == 0)
        {
            return kind;
        }
    }
}


/* 29.97 fps in ticks, with one picture that is late, as of a phone */

static int64_t
stamp(ngx_uint_t i)
{
    return ORIGIN + (int64_t) i * 12012 + (i == 5 ? 3333 : 0);
}


/* what is in each frame, and what the parameters say */

static void
test_stream(const char *name, const media_picture_stream_t *stream,
    ngx_uint_t depth)
{
    u_char                         string[NGX_MEDIA_CODEC_STRING_MAX];
    ngx_uint_t                     i, k, key, wrong_config, wrong_key;
    ngx_uint_t                     wrong_pts;
    ngx_media_frame_info_t         info;
    const ngx_media_codec_t       *codec;
    const ngx_media_params_t      *params;
    const media_picture_packet_t  *packet;

    params = &stream->params;
    codec = ngx_media_codec_find(params->codec);

    is(stream->n, PICTURES, "%s: a frame for each picture", name);

    if (codec == NULL) {
        return;
    }

    wrong_config = 0;
    wrong_key = 0;
    wrong_pts = 0;

    for (i = 0; i < stream->n; i++) {
        packet = &stream->packets[i];
        key = (i == 0);

        for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            key |= (packet->pts == stamp(keys[k]));
        }

        wrong_key += (packet->key != key);
        wrong_pts += (packet->pts != stamp(i) || packet->dts != packet->pts);

        if (codec->frame(params, packet->data, packet->data + packet->len,
                         &info)
            != NGX_OK)
        {
            wrong_config++;
            continue;
        }

        wrong_key += (info.key != key || info.leading);
        wrong_config += (codec->units != NGX_MEDIA_UNITS_OBU && info.config);
    }

    is(wrong_pts, 0, "%s: each has its picture's time, to the tick", name);
    is(wrong_key, 0, "%s: key frames where they were asked for only", name);
    is(wrong_config, 0, "%s: parameter sets are in none", name);
    is(stream->held, 0, "%s: none is held back", name);

    is(params->type, NGX_MEDIA_VIDEO, "%s: type", name);
    is(params->timescale, 360000, "%s: timescale", name);
    is(params->width, WIDTH, "%s: width", name);
    is(params->height, HEIGHT, "%s: height", name);
    is(params->bit_depth, depth, "%s: bit depth", name);
    is(params->sar_num, 1, "%s: sar", name);
    is(params->fps_num, 30000, "%s: rate", name);
    is(params->primaries, 1, "%s: primaries", name);
    is(params->transfer, 1, "%s: transfer", name);
    is(params->matrix, 1, "%s: matrix", name);
    is(params->full_range, 0, "%s: range", name);
    ok(codec->string(string, params) > 4, "%s: has a codec string", name);
}


static void
test_pictures(const char *name, AVFrame **frames, AVFrame **decoded,
    ngx_uint_t n, double least)
{
    double      psnr, worst;
    ngx_uint_t  i, wrong;

    is(n, PICTURES, "%s: all are decoded", name);

    worst = 99;
    wrong = 0;

    for (i = 0; i < n; i++) {
        wrong += (decoded[i]->pts != stamp(i));

        psnr = media_picture_psnr(frames[i], decoded[i]);
        worst = ngx_min(worst, psnr);
    }

    is(wrong, 0, "%s: with their times", name);
    ok(worst > least, "%s: they look the same, %.1f dB", name, worst);
}


/* a segment is a function of what it is made of */

static void
test_again(const char *name, const ngx_media_av_encoder_conf_t *conf,
    AVFrame **frames, const media_picture_stream_t *first)
{
    ngx_uint_t              i, wrong;
    media_picture_stream_t  stream;

    (void) media_picture_encode(conf, frames, PICTURES, keys,
                                sizeof(keys) / sizeof(keys[0]), &stream);

    wrong = (stream.n != first->n)
            || ngx_media_params_size(&stream.params)
               != ngx_media_params_size(&first->params)
            || memcmp(&stream.params, &first->params,
                      ngx_media_params_size(&first->params)) != 0;

    for (i = 0; i < stream.n && !wrong; i++) {
        wrong = stream.packets[i].len != first->packets[i].len
                || memcmp(stream.packets[i].data, first->packets[i].data,
                          stream.packets[i].len) != 0;
    }

    ok(!wrong, "%s: the same again, byte for byte", name);

    media_picture_free(&stream);
}


/* encoder after encoder that a libavcodec has without a device */

static void
test_encoder(const char *name, ngx_uint_t depth)
{
    int                           format;
    u_char                        error[NGX_MEDIA_AV_ERROR];
    char                          label[64];
    AVFrame                      *decoded[MEDIA_PICTURE_MAX];
    AVFrame                      *frames[PICTURES];
    ngx_uint_t                    i, n;
    const ngx_media_av_kind_t    *kind;
    media_picture_stream_t        stream;
    ngx_media_av_encoder_conf_t   conf;

    kind = kind_of(name);

    (void) snprintf(label, sizeof(label), "%s, %u bit", name,
                    (unsigned) depth);

    if (!ngx_media_av_encoder_known(kind)) {
        ok(1, "%s # SKIP it is not here", label);
        return;
    }

    conf_init(&conf, kind);
    conf.bit_depth = depth;

    error[0] = '\0';

    if (ngx_media_av_prove(&conf, error) != NGX_OK) {
        diag("%s", error);

        /* Debian 12 has an SVT-AV1 that does neither */

        ok(strcmp(name, "libsvtav1") == 0, "%s # SKIP %s", label, error);
        return;
    }

    format = (depth > 8) ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;

    for (i = 0; i < PICTURES; i++) {
        frames[i] = media_picture(format, WIDTH, HEIGHT, (int) i, stamp(i));

        /* as decoders leave it */

        frames[i]->pict_type = (i % 4) ? AV_PICTURE_TYPE_B
                                       : AV_PICTURE_TYPE_I;
    }

    is(media_picture_encode(&conf, frames, PICTURES, keys,
                            sizeof(keys) / sizeof(keys[0]), &stream),
       NGX_OK, "%s: encodes", label);

    test_stream(label, &stream, depth);
    test_again(label, &conf, frames, &stream);

    n = media_picture_decode(&stream, 0, decoded);

    test_pictures(label, frames, decoded, n, 30);

    media_picture_free_frames(decoded, n);
    media_picture_free_frames(frames, PICTURES);
    media_picture_free(&stream);
}


/* B-frames, and a decoder that has to be told how many: r is the composition
   offset of the key frame, in pictures */

static void
test_reorder(void)
{
    AVFrame                      *decoded[MEDIA_PICTURE_MAX];
    AVFrame                      *frames[PICTURES];
    int64_t                       last;
    ngx_uint_t                    b, i, n, wrong;
    media_picture_stream_t        stream;
    ngx_media_av_encoder_conf_t   conf;

    conf_init(&conf, kind_of("libx264"));
    conf.bframes = 2;
    conf.lookahead = 8;

    for (i = 0; i < PICTURES; i++) {
        frames[i] = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, (int) i,
                                  stamp(i));
    }

    is(media_picture_encode(&conf, frames, PICTURES, keys,
                            sizeof(keys) / sizeof(keys[0]), &stream),
       NGX_OK, "B-frames: encodes");
    is(stream.n, PICTURES, "B-frames: a frame for each picture");
    ok(stream.held > 0, "B-frames: some are held back");
    is(stream.packets[0].dts, stream.packets[0].pts,
       "B-frames: the first is decoded when it is shown");

    last = stream.packets[0].dts - 1;
    wrong = 0;
    b = 0;

    for (i = 0; i < stream.n; i++) {
        wrong += (stream.packets[i].dts <= last);
        last = stream.packets[i].dts;
        b += (i && stream.packets[i].pts < stream.packets[i - 1].pts);
    }

    is(wrong, 0, "B-frames: decode times grow");
    ok(b > 0, "B-frames: there are some");

    n = media_picture_decode(&stream, 2, decoded);

    test_pictures("B-frames", frames, decoded, n, 30);

    media_picture_free_frames(decoded, n);
    media_picture_free_frames(frames, PICTURES);
    media_picture_free(&stream);
}


/* what a screen is to know of a wide range is in what comes out */

static void
test_wide(void)
{
    int                          i;
    AVFrame                     *decoded[MEDIA_PICTURE_MAX], *frames[3];
    ngx_uint_t                   n;
    const AVFrameSideData       *data;
    media_picture_stream_t       stream;
    AVContentLightMetadata      *light;
    AVMasteringDisplayMetadata  *screen;
    ngx_media_av_encoder_conf_t  conf;

    conf_init(&conf, kind_of("libx265"));
    conf.bit_depth = 10;

    if (!ngx_media_av_encoder_known(conf.kind)) {
        ok(1, "wide range # SKIP no x265");
        return;
    }

    for (i = 0; i < 3; i++) {
        frames[i] = media_picture(AV_PIX_FMT_YUV420P10, WIDTH, HEIGHT, i,
                                  stamp((ngx_uint_t) i));
        frames[i]->color_primaries = AVCOL_PRI_BT2020;
        frames[i]->color_trc = AVCOL_TRC_SMPTE2084;
        frames[i]->colorspace = AVCOL_SPC_BT2020_NCL;
    }

    light = av_content_light_metadata_create_side_data(frames[0]);
    light->MaxCLL = 1000;
    light->MaxFALL = 400;

    screen = av_mastering_display_metadata_create_side_data(frames[0]);
    screen->has_primaries = 1;
    screen->has_luminance = 1;

    for (i = 0; i < 3; i++) {
        screen->display_primaries[i][0] = av_make_q(13250 + i, 50000);
        screen->display_primaries[i][1] = av_make_q(34500 - i, 50000);
    }

    screen->white_point[0] = av_make_q(15635, 50000);
    screen->white_point[1] = av_make_q(16450, 50000);
    screen->max_luminance = av_make_q(10000000, 10000);
    screen->min_luminance = av_make_q(50, 10000);

    is(media_picture_encode(&conf, frames, 3, NULL, 0, &stream), NGX_OK,
       "wide range: encodes");

    is(stream.params.primaries, 9, "wide range: primaries");
    is(stream.params.transfer, 16, "wide range: transfer");

    n = media_picture_decode(&stream, 0, decoded);
    is(n, 3, "wide range: is decoded");

    data = n ? av_frame_get_side_data(decoded[0],
                                      AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)
             : NULL;

    ok(data && ((AVContentLightMetadata *) data->data)->MaxCLL == 1000
       && ((AVContentLightMetadata *) data->data)->MaxFALL == 400,
       "wide range: light");

    data = n ? av_frame_get_side_data(decoded[0],
                                AV_FRAME_DATA_MASTERING_DISPLAY_METADATA)
             : NULL;

    screen = data ? (AVMasteringDisplayMetadata *) data->data : NULL;

    ok(screen && screen->has_primaries && screen->has_luminance
       && av_cmp_q(screen->display_primaries[0][0], av_make_q(13250, 50000))
          == 0
       && av_cmp_q(screen->display_primaries[1][0], av_make_q(13251, 50000))
          == 0
       && av_cmp_q(screen->display_primaries[2][1], av_make_q(34498, 50000))
          == 0
       && av_cmp_q(screen->white_point[0], av_make_q(15635, 50000)) == 0
       && av_cmp_q(screen->max_luminance, av_make_q(1000, 1)) == 0
       && av_cmp_q(screen->min_luminance, av_make_q(50, 10000)) == 0,
       "wide range: screen");

    media_picture_free_frames(decoded, n);
    media_picture_free_frames(frames, 3);
    media_picture_free(&stream);
}


/* decoded once, each rung scaled from the one above */

static void
test_cascade(void)
{
    char                          label[64];
    u_char                        error[NGX_MEDIA_AV_ERROR];
    AVFrame                      *above, *decoded[MEDIA_PICTURE_MAX];
    AVFrame                      *frames[PICTURES], *rungs[3][PICTURES];
    ngx_uint_t                    i, k, n, wrong;
    media_picture_stream_t        source, stream;
    ngx_media_av_scaler_t        *scalers[3];
    ngx_media_av_encoder_conf_t   conf;

    static const uint32_t  sizes[3][2] = {
        { 320, 180 }, { 214, 120 }, { 106, 60 }
    };

    conf_init(&conf, kind_of("libx264"));
    conf.bitrate = 2000000;

    for (i = 0; i < PICTURES; i++) {
        frames[i] = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, (int) i,
                                  stamp(i));
    }

    (void) media_picture_encode(&conf, frames, PICTURES, NULL, 0, &source);
    n = media_picture_decode(&source, 0, decoded);
    is(n, PICTURES, "cascade: source");

    for (k = 0; k < 3; k++) {
        scalers[k] = ngx_media_av_scaler_open(sizes[k][0], sizes[k][1], 8,
                                              error);
    }

    wrong = 0;

    for (i = 0; i < n; i++) {
        above = decoded[i];

        for (k = 0; k < 3; k++) {
            above = ngx_media_av_scaler_scale(scalers[k], above, error);
            rungs[k][i] = above;
            wrong += (above == NULL || above->pts != stamp(i)
                      || above->colorspace != AVCOL_SPC_BT709);
        }
    }

    is(wrong, 0, "cascade: scaled");
    ok(rungs[0][0]->data[0] == decoded[0]->data[0],
       "cascade: what has the size is not copied");

    for (k = 0; k < 3; k++) {
        ngx_media_av_scaler_close(scalers[k]);
    }

    media_picture_free_frames(decoded, n);

    for (k = 0; k < 3; k++) {
        (void) snprintf(label, sizeof(label), "cascade, %u",
                        (unsigned) sizes[k][1]);

        conf.width = sizes[k][0];
        conf.height = sizes[k][1];

        is(media_picture_encode(&conf, rungs[k], PICTURES, keys,
                                sizeof(keys) / sizeof(keys[0]), &stream),
           NGX_OK, "%s: encodes", label);

        n = media_picture_decode(&stream, 0, decoded);
        test_pictures(label, rungs[k], decoded, n, 30);

        media_picture_free_frames(decoded, n);
        media_picture_free_frames(rungs[k], PICTURES);
        media_picture_free(&stream);
    }

    media_picture_free_frames(frames, PICTURES);
    media_picture_free(&source);
}


int
main(void)
{
    test_encoder("libx264", 8);
    test_encoder("libx265", 8);
    test_encoder("libx265", 10);
    test_encoder("libsvtav1", 8);

    test_reorder();
    test_wide();
    test_cascade();

    return done();
}

#else

int
main(void)
{
    ok(1, "encoders # SKIP there is no libav");

    return done();
}

#endif
