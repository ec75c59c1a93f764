
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs */


#include "formats/ngx_media_codec.h"
#include "media_hex.h"


#define INFO  "1000100000000e0010f80ac442f0000000000000"                      \
              "0000000000000000000000000000"


static const struct {
    const char  *name;
    uint32_t     id;
    const char  *config;
    ngx_int_t    rc;
    const char  *string;
    unsigned     a;               /* width or rate */
    unsigned     b;               /* height or channels */
    unsigned     least;           /* bytes of a configuration */
} tests[] = {
    { "av1", NGX_MEDIA_CODEC_AV1, "81050c000a0b0000002d4c37b3dfff9804", NGX_OK,
      "av01.0.05M.08", 1080, 720, 17 },
    { "av1 without a sequence header", NGX_MEDIA_CODEC_AV1, "81050c00",
      NGX_DECLINED, NULL, 0, 0, 0 },
    { "av1, another version", NGX_MEDIA_CODEC_AV1, "82050c00", NGX_ERROR,
      NULL, 0, 0, 0 },
    { "vp9", NGX_MEDIA_CODEC_VP9, "01000000001e800202020000", NGX_OK,
      "vp09.00.30.08", 0, 0, 12 },
    { "vp9, HDR", NGX_MEDIA_CODEC_VP9, "010000000233a20910090000", NGX_OK,
      "vp09.02.51.10.01.09.16.09.00", 0, 0, 12 },
    { "vp9, 9 bits", NGX_MEDIA_CODEC_VP9, "01000000001e900202020000",
      NGX_ERROR, NULL, 0, 0, 0 },
    { "vp9, version 0", NGX_MEDIA_CODEC_VP9, "00000000001e800202020000",
      NGX_DECLINED, NULL, 0, 0, 0 },
    { "vp8", NGX_MEDIA_CODEC_VP8, "01000000000a800202020000", NGX_OK,
      "vp08.00.10.08", 0, 0, 12 },
    { "opus", NGX_MEDIA_CODEC_OPUS, "000201380000bb80000000", NGX_OK, "opus",
      48000, 2, 11 },
    { "opus, 5.1", NGX_MEDIA_CODEC_OPUS,
      "000601380000bb800000010402000401020305", NGX_OK, "opus", 48000, 6,
      19 },
    { "opus, three without a map", NGX_MEDIA_CODEC_OPUS,
      "000301380000bb80000000", NGX_ERROR, NULL, 0, 0, 0 },
    { "opus, native", NGX_MEDIA_CODEC_OPUS,
      "4f7075734865616401023801" "80bb0000" "000000", NGX_OK, "opus", 48000,
      2, 19 },
    { "ac-3", NGX_MEDIA_CODEC_AC3, "0c3dc0", NGX_OK, "ac-3", 48000, 6, 3 },
    { "ac-3, half rate", NGX_MEDIA_CODEC_AC3, "123dc0", NGX_OK, "ac-3", 24000,
      6, 3 },
    { "ac-3, quarter rate", NGX_MEDIA_CODEC_AC3, "143dc0", NGX_OK, "ac-3",
      12000, 6, 3 },
    { "ac-3, bsid 11", NGX_MEDIA_CODEC_AC3, "163dc0", NGX_DECLINED, NULL, 0, 0,
      0 },
    { "ac-3, reserved rate", NGX_MEDIA_CODEC_AC3, "cc3dc0", NGX_DECLINED,
      NULL, 0, 0, 0 },
    { "e-ac-3", NGX_MEDIA_CODEC_EAC3, "1f40200f00", NGX_OK, "ec-3", 48000, 6,
      5 },
    { "flac", NGX_MEDIA_CODEC_FLAC, "0000000080000022" INFO, NGX_OK, "flac",
      44100, 2, 42 },
    { "flac, native", NGX_MEDIA_CODEC_FLAC, "664c614300000022" INFO, NGX_OK,
      "flac", 44100, 2, 42 },
    { "flac, STREAMINFO alone", NGX_MEDIA_CODEC_FLAC, INFO, NGX_OK, "flac",
      44100, 2, 34 },
    { "flac, STREAMINFO and more", NGX_MEDIA_CODEC_FLAC, INFO "00", NGX_ERROR,
      NULL, 0, 0, 0 },
    { "flac, no STREAMINFO", NGX_MEDIA_CODEC_FLAC, "0000000084000022" INFO,
      NGX_ERROR, NULL, 0, 0, 0 },
};


/* frames as encoders write them, and what they say where containers do not */

static const struct {
    const char  *name;
    uint32_t     id;
    const char  *frame;
    ngx_int_t    rc;              /* of learn(); DONE: it has none */
    const char  *config;          /* that it makes */
    unsigned     a;               /* width or rate */
    unsigned     b;               /* height or channels */
    unsigned     samples;         /* 0: it does not say */
    unsigned     size;            /* 0: it does not say */
} frames[] = {
    { "ac-3", NGX_MEDIA_CODEC_AC3, "0b77b50b1e40ebf8403eff99", NGX_OK,
      "103de0", 48000, 6, 0, 1792 },
    { "ac-3, no sync", NGX_MEDIA_CODEC_AC3, "0b78b50b1e40ebf8403eff99",
      NGX_DECLINED, NULL, 0, 0, 0, 0 },
    { "e-ac-3", NGX_MEDIA_CODEC_EAC3, "0b7701a07487c000208401003900ae06",
      NGX_OK, "05f8600400", 44100, 2, 1536, 834 },
    { "e-ac-3, with what depends on it", NGX_MEDIA_CODEC_EAC3,
      "0b77000734800000" "0000000000000000" "0b77400734800000"
      "0000000000000000" "0b77000734800000" "0000000000000000", NGX_OK,
      "004020040200", 48000, 2, 3072, 32 },
    { "e-ac-3, two programs", NGX_MEDIA_CODEC_EAC3,
      "0b77000734800000" "0000000000000000" "0b77080734800000"
      "0000000000000000", NGX_OK, "0020200400", 48000, 2, 1536, 32 },
    { "e-ac-3, of one block", NGX_MEDIA_CODEC_EAC3,
      "0b77000704800000" "0000000000000000" "0b77000704800000"
      "0000000000000000", NGX_OK, "00c0200400", 48000, 2, 512, 32 },
    { "e-ac-3, seven of one block", NGX_MEDIA_CODEC_EAC3,
      "0b77000504800000" "00000000" "0b77000504800000" "00000000"
      "0b77000504800000" "00000000" "0b77000504800000" "00000000"
      "0b77000504800000" "00000000" "0b77000504800000" "00000000"
      "0b77000504800000" "00000000", NGX_OK, "0090200400", 48000, 2, 1792,
      72 },
    { "e-ac-3, what depends on nothing", NGX_MEDIA_CODEC_EAC3,
      "0b77400734800000" "0000000000000000", NGX_DECLINED, NULL, 0, 0, 0, 0 },
    { "vp8", NGX_MEDIA_CODEC_VP8, "1062009d012a4001b4000007", NGX_OK,
      "01000000000b820202020000", 320, 180, 0, 0 },
    { "vp8, no key frame", NGX_MEDIA_CODEC_VP8, "1162009d012a4001b4000007",
      NGX_DECLINED, NULL, 0, 0, 0, 0 },
    { "vp9", NGX_MEDIA_CODEC_VP9, "824983420013f00b360438241c184a00", NGX_OK,
      "01000000000b820202020000", 320, 180, 0, 0 },
    { "vp9, wider than a sample entry says", NGX_MEDIA_CODEC_VP9,
      "82498342" "0ffff00b360438241c184a00", NGX_DECLINED, NULL, 0, 0, 0, 0 },
    { "opus, 20 ms", NGX_MEDIA_CODEC_OPUS, "f8fffe", NGX_DONE, NULL, 0, 0, 960,
      0 },
    { "opus, three of 20 ms", NGX_MEDIA_CODEC_OPUS, "fb03fffe", NGX_DONE, NULL,
      0, 0, 2880, 0 },
    { "flac", NGX_MEDIA_CODEC_FLAC, "fff85a0800814e000000eb01", NGX_DONE, NULL,
      0, 0, 4608, 0 },
    { "mp3", NGX_MEDIA_CODEC_MP3, "fffb9000", NGX_OK, "fffa0000", 44100, 2,
      1152, 417 },
    { "mp2", NGX_MEDIA_CODEC_MP2, "fffd8404", NGX_OK, "fffc0400", 48000, 2,
      1152, 384 },
    { "mp2, half the rate", NGX_MEDIA_CODEC_MP2, "fff584c0", NGX_OK,
      "fff404c0", 24000, 1, 1152, 384 },
    { "mp2, Layer III", NGX_MEDIA_CODEC_MP2, "fffb9000", NGX_DECLINED, NULL,
      0, 0, 0, 0 },
    { "mp3, Layer II", NGX_MEDIA_CODEC_MP3, "fffd8404", NGX_DECLINED, NULL,
      0, 0, 0, 0 }
};


static void
test_frames(void)
{
    u_char                   *p, *q, *config;
    size_t                    i, len, n;
    ngx_int_t                 rc;
    ngx_media_params_t        params;
    const ngx_media_codec_t  *codec;

    for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        codec = ngx_media_codec_find(frames[i].id);
        p = media_hex(frames[i].frame, &len);

        rc = codec->learn ? codec->learn(&params, p, p + len) : NGX_DONE;
        is(rc, frames[i].rc, "%s, a frame", frames[i].name);

        if (rc == NGX_OK) {
            config = media_hex(frames[i].config, &n);
            is_mem(params.config, params.config_len, config, n, "its record");
            free(config);

            is(codec->type == NGX_MEDIA_AUDIO ? params.sample_rate
                                              : params.width,
               frames[i].a, "rate or width");
            is(codec->type == NGX_MEDIA_AUDIO ? params.channels
                                              : params.height,
               frames[i].b, "channels or height");
        }

        is(codec->samples ? codec->samples(p, p + len) : 0, frames[i].samples,
           "samples");
        is(codec->size ? codec->size(p, p + len) : 0, frames[i].size, "size");

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);

            if (codec->learn) {
                (void) codec->learn(&params, q, q + n);
            }

            if (codec->samples) {
                (void) codec->samples(q, q + n);
            }

            if (codec->size) {
                (void) codec->size(q, q + n);
            }

            free(q);
        }

        free(p);
    }
}


int
main(void)
{
    u_char                    *p, *q, text[NGX_MEDIA_CODEC_STRING_MAX];
    size_t                     i, len, n;
    ngx_int_t                  rc;
    ngx_media_params_t         params, again;
    const ngx_media_codec_t   *codec;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        codec = ngx_media_codec_find(tests[i].id);
        ok(codec != NULL, "%s", tests[i].name);
        p = media_hex(tests[i].config, &len);
        rc = codec->config(&params, p, p + len);
        is(rc, tests[i].rc, "config");

        if (rc == NGX_OK) {
            is(codec->type == NGX_MEDIA_AUDIO ? params.sample_rate
                                              : params.width,
               tests[i].a, "rate or width");
            is(codec->type == NGX_MEDIA_AUDIO ? params.channels
                                              : params.height,
               tests[i].b, "channels or height");

            n = codec->string(NULL, &params);
            is(codec->string(text, &params), n, "string size");
            is_text(text, n, tests[i].string, "string");

            n = codec->entry(NULL, &params);
            q = malloc(n);
            is(codec->entry(q, &params), n, "entry size");
            free(q);

            is(codec->config(&again, params.config,
                             params.config + params.config_len),
               NGX_OK, "again");
            is_mem(&again, sizeof(again), &params, sizeof(params), "the same");
        }

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);

            if (codec->config(&again, q, q + n) == NGX_OK
                && n < tests[i].least)
            {
                ok(0, "%s: %u bytes", tests[i].name, (unsigned) n);
            }

            free(q);
        }

        free(p);
    }

    test_frames();

    return done();
}
