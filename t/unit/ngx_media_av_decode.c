
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


#define PICTURES  40
#define WIDTH     192
#define HEIGHT    108
#define STEP      12000


static media_picture_stream_t  stream;


static void
make(ngx_uint_t bframes)
{
    ngx_uint_t                   i;
    AVFrame                     *frames[PICTURES];
    ngx_media_av_encoder_conf_t  conf;

    static const ngx_uint_t  keys[] = { 20 };

    memset(&conf, 0, sizeof(conf));

    conf.kind = ngx_media_av_encoder_find(NGX_MEDIA_CODEC_H264,
                                          (u_char *) "x264", 4);
    conf.width = WIDTH;
    conf.height = HEIGHT;
    conf.fps_num = 30;
    conf.fps_den = 1;
    conf.bitrate = 500000;
    conf.preset = "ultrafast";
    conf.bit_depth = 8;
    conf.bframes = bframes;

    for (i = 0; i < PICTURES; i++) {
        frames[i] = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, (int) i,
                                  (int64_t) i * STEP);
    }

    (void) media_picture_encode(&conf, frames, PICTURES, keys, 1, &stream);

    media_picture_free_frames(frames, PICTURES);
}


static ngx_int_t
give(ngx_media_av_decoder_t *d, ngx_uint_t i, ngx_uint_t skip)
{
    return ngx_media_av_decoder_send(d, stream.packets[i].data,
                                     stream.packets[i].len,
                                     stream.packets[i].pts,
                                     stream.packets[i].key, skip);
}


static ngx_uint_t
take(ngx_media_av_decoder_t *d)
{
    ngx_uint_t             n;
    ngx_media_av_frame_t  *frame;

    for (n = 0; /* void */ ; n++) {
        frame = ngx_media_av_decoder_picture(d);

        if (frame == NULL) {
            return n;
        }

        ngx_media_av_frame_free(frame);
    }
}


static ngx_media_av_decoder_t *
opened(void)
{
    u_char                   error[NGX_MEDIA_AV_ERROR];
    ngx_media_av_decoder_t  *d;

    d = ngx_media_av_decoder_open(&stream.params, 0, error);

    if (d == NULL) {
        diag("%s", error);
        abort();
    }

    return d;
}


/* bytes that are anything, frames that are cut, and then all is well again */

static void
test_broken(void)
{
    u_char                              bytes[500];
    ngx_uint_t                          i, n;
    ngx_media_av_decoder_t             *d;
    const ngx_media_av_decoder_stat_t  *stat;

    d = opened();
    stat = ngx_media_av_decoder_stat(d);

    is(give(d, 1, 0), NGX_ERROR, "a frame before a key frame");
    is(stat->row, 1, "is counted");

    n = 0;

    for (i = 0; i < 5; i++) {
        is(give(d, i, 0), NGX_OK, "frame %u", (unsigned) i);
        n += take(d);
    }

    is(n, 5, "each is a picture, at once");
    is(stat->row, 0, "errors in a row end with a picture");

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (u_char) (i * 131 + 7);
    }

    for (i = 0; i < 8; i++) {
        (void) ngx_media_av_decoder_send(d, bytes + i, 100 + i * 40,
                                         (int64_t) (5 + i) * STEP, 0, 0);
        n += take(d);
    }

    ok(stat->row >= 8, "frames that are none: %u errors",
       (unsigned) stat->row);
    is(ngx_media_av_decoder_send(d, bytes, 0, 0, 0, 0), NGX_ERROR,
       "an empty frame");
    is(ngx_media_av_decoder_send(d, bytes, NGX_MEDIA_AV_FRAME + 1, 0, 0, 0),
       NGX_ERROR, "a frame too large");

    /* cut at any place */

    for (i = 13; i < 20; i++) {
        (void) ngx_media_av_decoder_send(d, stream.packets[i].data,
                                         stream.packets[i].len * (i - 12) / 8,
                                         stream.packets[i].pts, 0, 0);
        n += take(d);
    }

    n = 0;

    for (i = 20; i < PICTURES; i++) {
        is(give(d, i, 0), NGX_OK, "frame %u, behind them", (unsigned) i);
        n += take(d);
    }

    is(n, PICTURES - 20, "from the next key frame on all are pictures");
    is(stat->row, 0, "no error since");

    ngx_media_av_decoder_close(d);
}


static void
test_order(void)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i, n;
    ngx_media_av_decoder_t             *d;
    const ngx_media_av_decoder_stat_t  *stat;

    /* nobody takes pictures */

    d = opened();
    rc = NGX_OK;

    for (i = 0; i < 10 && rc == NGX_OK; i++) {
        rc = give(d, i, 0);
    }

    is(rc, NGX_AGAIN, "pictures have to be taken");
    ok(take(d) > 0, "they are");
    is(give(d, i - 1, 0), NGX_OK, "the frame is taken then");

    ngx_media_av_decoder_close(d);

    /* the same frames a second time, as after a publisher's clock went back */

    d = opened();
    stat = ngx_media_av_decoder_stat(d);

    for (i = 0; i < 10; i++) {
        (void) give(d, i, 0);
        (void) take(d);
    }

    n = 0;

    for (i = 0; i < 12; i++) {
        (void) give(d, i, 0);
        n += take(d);
    }

    is(n, 2, "what is not after the last one is dropped");
    is(stat->late, 10, "and counted");
    is(stat->pictures, 12, "pictures");
    is(stat->frames, 22, "frames");

    ngx_media_av_decoder_drain(d);
    is(take(d), 0, "nothing was held back");
    is(give(d, 12, 0), NGX_ERROR, "after the end there is none");

    ngx_media_av_decoder_close(d);
}


/* frames to which no other refers are left out, if it has to hurry */

static void
test_skip(void)
{
    ngx_uint_t               i, n;
    ngx_media_av_decoder_t  *d;

    d = opened();
    n = 0;

    for (i = 0; i < PICTURES; i++) {
        (void) give(d, i, 1);
        n += take(d);
    }

    ngx_media_av_decoder_drain(d);
    n += take(d);

    ok(n > PICTURES / 4 && n < PICTURES, "skipped: %u of %u pictures",
       (unsigned) n, (unsigned) PICTURES);

    is(ngx_media_av_decoder_stat(d)->errors, 0, "which is no error");

    ngx_media_av_decoder_close(d);
}


static void
test_refused(void)
{
    u_char                   error[NGX_MEDIA_AV_ERROR];
    ngx_uint_t               i;
    ngx_media_params_t       params;
    ngx_media_av_decoder_t  *d;

    memset(&params, 0, sizeof(params));
    params.codec = NGX_MEDIA_CODEC_WVTT;
    params.timescale = 360000;

    error[0] = '\0';
    ok(ngx_media_av_decoder_open(&params, 0, error) == NULL && error[0],
       "no decoder: %s", error);

    /* parameters that are anything: it is opened or not, and closed */

    for (i = 0; i < stream.params.config_len; i++) {
        ngx_media_params_copy(&params, &stream.params);
        params.config[i] ^= 0xff;
        params.config_len -= (i & 1) ? i : 0;

        d = ngx_media_av_decoder_open(&params, i, error);

        if (d != NULL) {
            (void) give(d, 0, 0);
            (void) take(d);
        }

        ngx_media_av_decoder_close(d);
    }

    is(i, stream.params.config_len, "parameters of any kind");
}


int
main(void)
{
    if (!ngx_media_av_encoder_known(ngx_media_av_encoder_find(
            NGX_MEDIA_CODEC_H264, (u_char *) "x264", 4)))
    {
        ok(1, "decoder # SKIP there is no x264");
        return done();
    }

    make(0);
    test_broken();
    test_order();
    test_refused();
    media_picture_free(&stream);

    make(2);
    test_skip();
    media_picture_free(&stream);

    return done();
}

#else

int
main(void)
{
    ok(1, "decoder # SKIP there is no libav");

    return done();
}

#endif
