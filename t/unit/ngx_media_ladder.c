
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @av transcode/ngx_media_ladder.c transcode/ngx_media_transcode_load.c
         formats/ngx_media_siphash.c */


#include "formats/ngx_media_codec.h"
#include "transcode/ngx_media_ladder.h"
#include "transcode/ngx_media_transcode_load.h"
#include "tap.h"

#if (NGX_MEDIA_HAVE_AV)
#include "av/ngx_media_av_encoder.h"
#endif


static ngx_media_ladder_t              ladder;
static ngx_media_transcode_load_shm_t  load;


/* rungs of these sizes, of two thousand bits each */

static void
start(uint32_t one, uint32_t two, uint32_t three)
{
    ngx_uint_t  i;

    memset(&ladder, 0, sizeof(ladder));

    ladder.rungs[0].side = one;
    ladder.rungs[1].side = two;
    ladder.rungs[2].side = three;
    ladder.nrungs = 3;

    for (i = 0; i < 3; i++) {
        ladder.rungs[i].bitrate = ladder.rungs[i].side * 2000;
        ladder.rungs[i].codec = NGX_MEDIA_CODEC_H264;

#if (NGX_MEDIA_HAVE_AV)
        ladder.rungs[i].kinds[0] =
            ngx_media_av_encoder_find(NGX_MEDIA_CODEC_H264,
                                      (u_char *) "x264", 4);
        ladder.rungs[i].nkinds = 1;
#endif
    }
}


static void
source(ngx_media_params_t *params, uint32_t width, uint32_t height,
    uint32_t sar_num, uint32_t sar_den)
{
    memset(params, 0, offsetof(ngx_media_params_t, config));

    params->type = NGX_MEDIA_VIDEO;
    params->width = width;
    params->height = height;
    params->sar_num = sar_num;
    params->sar_den = sar_den;
    params->fps_num = 30;
    params->fps_den = 1;
}


static void
shape(uint32_t width, uint32_t height, uint32_t sar_num, uint32_t sar_den,
    uint32_t side, const char *expected)
{
    char                      text[64];
    ngx_media_params_t        params;
    ngx_media_ladder_shape_t  is;

    start(side, 90, 80);
    source(&params, width, height, sar_num, sar_den);

    if (ngx_media_ladder_shape(&ladder, 0, &params, 0, &is) != NGX_OK) {
        (void) snprintf(text, sizeof(text), "none");

    } else {
        (void) snprintf(text, sizeof(text), "%ux%u%s", is.width, is.height,
                        is.capped ? " capped" : "");
    }

    is_text(text, strlen(text), expected, "%ux%u, %u:%u, as %up", width,
            height, sar_num, sar_den, side);
}


static void
test_shape(void)
{
    shape(1920, 1080, 0, 0, 720, "1280x720");
    shape(1920, 1080, 1, 1, 480, "854x480");
    shape(1920, 1080, 1, 1, 1080, "1920x1080");
    shape(1920, 1080, 1, 1, 1440, "1920x1080 capped");
    shape(1080, 1920, 1, 1, 720, "720x1280");
    shape(1080, 1920, 1, 1, 480, "480x854");
    shape(640, 640, 1, 1, 360, "360x360");
    shape(1440, 1080, 4, 3, 720, "1280x720");
    shape(720, 576, 64, 45, 576, "1024x576");
    shape(720, 576, 16, 15, 288, "384x288");
    shape(720, 480, 8, 9, 480, "640x480");
    shape(720, 480, 8, 9, 360, "480x360");
    shape(853, 480, 1, 1, 480, "852x480");
    shape(853, 479, 1, 1, 720, "852x478 capped");
    shape(1920, 800, 1, 1, 480, "1152x480");
    shape(3840, 1600, 1, 1, 480, "1152x480");
    shape(426, 240, 1, 1, 240, "426x240");
    shape(320, 180, 1, 1, 720, "320x180 capped");

    /* an aspect that is none, sizes that are none */

    shape(1920, 1080, 1, 1000, 720, "1280x720");
    shape(1920, 1080, 4000000000u, 1, 720, "1280x720");
    shape(0, 1080, 1, 1, 720, "none");
    shape(1920, 0, 1, 1, 720, "none");
    shape(20000, 1080, 1, 1, 720, "none");
    shape(1, 1, 1, 1, 720, "none");
    shape(16384, 2, 1, 1, 720, "16384x2 capped");
    shape(16384, 3, 1, 1, 720, "10922x2 capped");
}


static void
test_rate(void)
{
    ngx_media_params_t        params;
    ngx_media_ladder_shape_t  is;

    start(720, 480, 360);
    source(&params, 1920, 1080, 1, 1);

    params.fps_num = 30000;
    params.fps_den = 1001;

    (void) ngx_media_ladder_shape(&ladder, 0, &params, 0, &is);
    ok(is.fps_num == 30000 && is.fps_den == 1001, "its rate is the source's");

    ladder.rungs[0].half = 1;

    (void) ngx_media_ladder_shape(&ladder, 0, &params, 0, &is);
    ok(is.fps_num == 15000 && is.fps_den == 1001, "or half of it");

    params.fps_num = 25;
    params.fps_den = 1;

    (void) ngx_media_ladder_shape(&ladder, 0, &params, 0, &is);
    ok(is.fps_num == 25 && is.fps_den == 2, "also of an odd one");

    params.fps_den = 0;

    (void) ngx_media_ladder_shape(&ladder, 0, &params, 0, &is);
    is(is.fps_num, 0, "it may be unknown");
}


/* rungs of "auto": 0.9 of the size, 0.75 of the rate */

static ngx_uint_t
automatic(uint32_t width, uint32_t height, uint64_t bandwidth)
{
    ngx_uint_t                i, n;
    ngx_media_params_t        params;
    ngx_media_ladder_shape_t  is;

    ladder.automatic = 1;
    source(&params, width, height, 1, 1);

    n = 0;

    for (i = 0; i < ladder.nrungs; i++) {
        n |= (ngx_media_ladder_shape(&ladder, i, &params, bandwidth, &is)
              == NGX_OK) << i;
    }

    return n;
}


static void
test_auto(void)
{
    start(720, 480, 360);

    is(automatic(1920, 1080, 0), 7, "1080p has all of them");
    is(automatic(1080, 1920, 0), 7, "also upright");
    is(automatic(1280, 720, 0), 6, "720p those below");
    is(automatic(1422, 800, 0), 7, "720 are 0.9 of 800");
    is(automatic(1420, 798, 0), 6, "and not of less");
    is(automatic(640, 360, 0), 0, "360p none");
    is(automatic(1920, 1080, 1920000), 7, "1440000 are 0.75 of 1920000");
    is(automatic(1920, 1080, 1919996), 6, "and not of less");
    is(automatic(1920, 1080, 900000), 0, "a poor source has none");
}


static void
test_tags(void)
{
    uint64_t             tag, audio;
    ngx_media_ladder_t   other;

    start(720, 480, 360);

    ladder.audios[0].codec = 1;
    ladder.audios[0].bitrate = 128000;
    ladder.audios[0].channels = 2;
    ladder.audios[0].rate = 48000;
    ladder.naudios = 1;

    tag = ngx_media_ladder_tag(&ladder, 0);
    audio = ngx_media_ladder_audio_tag(&ladder, 0);

    is_hex(ngx_media_ladder_tag(&ladder, 0), tag, "the same again");
    ok(ngx_media_ladder_tag(&ladder, 1) != tag, "of another rung another one");
    ok(audio != tag, "of audio, too");

    ladder.latency = 1000;
    ladder.line = 12;
    ladder.nrungs = 1;
    ladder.naudios = 0;
    is_hex(ngx_media_ladder_tag(&ladder, 0), tag,
           "what does not change its bytes does not change it");

#define differs(what, of)                                                     \
    other = ladder;                                                           \
    ladder.what;                                                              \
    ok(ngx_media_ladder_tag(&ladder, 0) != tag, of " is in it");              \
    ladder = other

    differs(rungs[0].bitrate++, "bitrate");
    differs(rungs[0].side += 2, "size");
    differs(rungs[0].crf = 230, "crf");
    differs(rungs[0].half = 1, "fps=half");
    differs(rungs[0].threads = 2, "threads");
    differs(rungs[0].preset = "fast", "preset");
    differs(rungs[0].options = "a=b", "options");
    differs(rungs[0].bframes_set = 1, "bframes=0 that was written");
    differs(rungs[0].lookahead_set = 1, "lookahead=0 that was written");
    differs(tonemap = 1, "tonemap");
    differs(fields = 1, "deinterlace");
    differs(filter.len = 1; ladder.filter.data = (u_char *) "a", "filter");

    ladder.rungs[0].preset = "a";
    ladder.rungs[0].options = "bc";
    tag = ngx_media_ladder_tag(&ladder, 0);
    ladder.rungs[0].preset = "ab";
    ladder.rungs[0].options = "c";
    ok(ngx_media_ladder_tag(&ladder, 0) != tag, "texts do not run together");

    ladder.tonemap = 1;
    is_hex(ngx_media_ladder_audio_tag(&ladder, 0), audio,
           "of audio what is done to pictures is not");
    ladder.audios[0].rate = 44100;
    ok(ngx_media_ladder_audio_tag(&ladder, 0) != audio, "its rate is");
}


static void
test_cost(void)
{
#if (NGX_MEDIA_HAVE_AV)

    uint64_t            all, half, slow, big;
    ngx_media_params_t  params;

    /* 13.8 ms of "ffmpeg" for each of 30 pictures a second of 720p, measured
       with these three rungs */

    start(720, 480, 360);
    source(&params, 1280, 720, 1, 1);

    all = ngx_media_transcode_cost(&ladder, &params, 0);
    ok(all > 350 && all < 550, "720p30 to 720p, 480p and 360p: %lu thousandths",
       (unsigned long) all);

    ladder.rungs[0].half = 1;
    half = ngx_media_transcode_cost(&ladder, &params, 0);
    ok(half < all - 100 && half > all / 2, "half of the first: %lu",
       (unsigned long) half);

    ladder.rungs[0].half = 0;
    ladder.rungs[0].preset = "slow";
    slow = ngx_media_transcode_cost(&ladder, &params, 0);
    ok(slow > 2 * all, "a slow preset: %lu", (unsigned long) slow);

    ladder.rungs[0].preset = NULL;

    source(&params, 1920, 1080, 1, 1);
    big = ngx_media_transcode_cost(&ladder, &params, 0);
    ok(big > all && big < all + 100, "of 1080p: more to decode: %lu",
       (unsigned long) big);

    source(&params, 640, 360, 1, 1);
    ok(ngx_media_transcode_cost(&ladder, &params, 0) < 110,
       "of 360p only the last one");

    source(&params, 320, 180, 1, 1);
    is(ngx_media_transcode_cost(&ladder, &params, 0), 0, "of less none");

    source(&params, 16384, 16384, 1, 1);
    params.fps_num = 4000000000u;
    ok(ngx_media_transcode_cost(&ladder, &params, 0) < 1000000000,
       "of nonsense no nonsense");

#endif
}


static void
test_load(void)
{
    uint64_t  cost, used;

    cost = 0;
    used = 0;

    ngx_media_transcode_load_add(&load, 3, 1000);
    ngx_media_transcode_load_add(&load, 3, 500);
    ngx_media_transcode_load_add(&load, 7, 200);
    ngx_media_transcode_load_add(&load, 3, -1000);
    ngx_media_transcode_load_used(&load, 3, 700);
    ngx_media_transcode_load_used(&load, 3, 600);
    ngx_media_transcode_load_sum(&load, &cost, &used);

    ok(cost == 700 && used == 600, "of all rows");

    ngx_media_transcode_load_sum(&load, &cost, &used);
    ok(cost == 1400 && used == 1200, "of zones, added");

    ngx_media_transcode_load_clear(&load, 3);

    cost = used = 0;
    ngx_media_transcode_load_sum(&load, &cost, &used);
    ok(cost == 200 && used == 0, "without who has gone");

    ok(ngx_media_transcode_admits(1300, 0, 400, 2), "1.7 of 2 cores are 85 %%");
    ok(!ngx_media_transcode_admits(1300, 0, 401, 2), "more is not");
    ok(!ngx_media_transcode_admits(1300, 1400, 400, 2),
       "what is used counts, if it is more");
    ok(ngx_media_transcode_admits(1300, 900, 400, 2), "and if it is less not");
    ok(ngx_media_transcode_admits(0, 0, 5000, 1), "who is alone may begin");
    ok(ngx_media_transcode_admits(0, 900, 5000, 1),
       "also while what others used is still seen");
    ok(!ngx_media_transcode_admits(1, 0, 5000, 1), "and others not beside it");
}


int
main(void)
{
    test_shape();
    test_rate();
    test_auto();
    test_tags();
    test_cost();
    test_load();

    return done();
}
