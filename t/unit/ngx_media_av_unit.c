
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs av/ngx_media_av_unit.c formats/ngx_media_nal.c
         formats/ngx_media_record.c formats/ngx_media_sets.c */


#include "av/ngx_media_av_unit.h"
#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "media_hex.h"
#include "tap.h"


#define SC    "00000001"

#define SPS   "6742c028da01e0089f970110000003001000000303c0f1832a"
#define PPS   "68ce0fc8"

#define VPS5  "40010c01ffff016000000300900000030000030078959409"
#define SPS5  "420101016000000300900000030000030078a003c0801107cb965654a4c2"  \
              "f024a020202080000003008000000c84"
#define PPS5  "4401c073c189"

/* temporal delimiter, sequence header, a key frame, padding */
#define TD    "1200"
#define SEQ   "0a0a00000002afff9b5f2008"
#define KEY   "320310aabb"
#define INTER "320330aabb"
#define PAD   "7a020080"


static const struct {
    const char               *name;
    const ngx_media_codec_t  *codec;
    const char               *in;
    const char               *out;            /* "": malformed, or nothing */
    ngx_uint_t                key;
} frames[] = {
    { "x264, the first frame: SEI, IDR", &ngx_media_h264_codec,
      SC "0605ffaabb80" "000001" "6588aabb",
      "00000006" "0605ffaabb80" "00000004" "6588aabb", 1 },
    { "parameter sets, delimiter and filler", &ngx_media_h264_codec,
      SC "0910" SC SPS SC PPS "000001" "6588aabb" SC "0cff80",
      "00000004" "6588aabb", 1 },
    { "no IDR", &ngx_media_h264_codec, SC "0910" SC "419aaabb",
      "00000004" "419aaabb", 0 },
    { "an I picture that is no IDR, behind a recovery point",
      &ngx_media_h264_codec, SC "06060180" SC "4188aabb",
      "00000004" "06060180" "00000004" "4188aabb", 0 },
    { "lengths", &ngx_media_h264_codec, "00000004" "6588aabb",
      "00000004" "6588aabb", 1 },
    { "a length too long", &ngx_media_h264_codec, "00000005" "6588aabb", "",
      1 },
    { "parameter sets alone", &ngx_media_h264_codec, SC SPS SC PPS, "", 0 },
    { "x265, IDR_W_RADL", &ngx_media_h265_codec,
      SC VPS5 SC SPS5 SC PPS5 SC "2601aabb", "00000004" "2601aabb", 1 },
    { "IDR_N_LP, delimiter, filler, SEI", &ngx_media_h265_codec,
      SC "460150" SC "4e01aa80" SC "2801aabb" SC "4c01ff80",
      "00000004" "4e01aa80" "00000004" "2801aabb", 1 },
    { "CRA is no IDR", &ngx_media_h265_codec, SC "2a01aabb",
      "00000004" "2a01aabb", 0 },
    { "TRAIL_R", &ngx_media_h265_codec, SC "0201aabb", "00000004" "0201aabb",
      0 },
    { "AV1, key frame", &ngx_media_av1_codec, TD SEQ KEY PAD, SEQ KEY, 1 },
    { "AV1, inter frame", &ngx_media_av1_codec, TD INTER, INTER, 0 },
    { "AV1, cut", &ngx_media_av1_codec, TD "320a10aabb", "", 0 },
    { "AV1, no frame", &ngx_media_av1_codec, TD SEQ, "", 0 },
};


static const struct {
    const char               *name;
    const ngx_media_codec_t  *codec;
    const char               *in;
    const char               *config;         /* "": rc says why not */
    ngx_int_t                 rc;
} params[] = {
    { "extradata of x264", &ngx_media_h264_codec, SC SPS SC PPS,
      "0142c028ffe10019" SPS "010004" PPS, NGX_OK },
    { "packet 0 of a driver", &ngx_media_h264_codec,
      SC "0910" SC SPS "000001" PPS SC "0605ffaabb80" SC "6588aabb",
      "0142c028ffe10019" SPS "010004" PPS, NGX_OK },
    { "avcC", &ngx_media_h264_codec, "0142c028ffe10019" SPS "010004" PPS,
      "0142c028ffe10019" SPS "010004" PPS, NGX_OK },
    { "no PPS", &ngx_media_h264_codec, SC SPS, "", NGX_DECLINED },
    { "SPS cut", &ngx_media_h264_codec, SC "6742c028" SC PPS, "",
      NGX_ERROR },
    { "a frame only", &ngx_media_h264_codec, SC "6588aabb", "",
      NGX_DECLINED },
    { "extradata of x265", &ngx_media_h265_codec, SC VPS5 SC SPS5 SC PPS5,
      "01016000000090000000000078" "f000fcfdf8f800000f" "03"
      "a000010018" VPS5 "a10001002e" SPS5 "a200010006" PPS5, NGX_OK },
    { "no VPS", &ngx_media_h265_codec, SC SPS5 SC PPS5, "", NGX_DECLINED },
    { "AV1, OBUs", &ngx_media_av1_codec, TD SEQ KEY, "81000c00" SEQ, NGX_OK },
    { "AV1, av1C", &ngx_media_av1_codec, "81000c00" SEQ, "81000c00" SEQ,
      NGX_OK },
    { "AV1, 10 bits", &ngx_media_av1_codec, "0a0a00000002afff9b5f2808",
      "81004c00" "0a0a00000002afff9b5f2808", NGX_OK },
    { "AV1, 12 bits", &ngx_media_av1_codec, "0a0a40000002afff9b5f2c61",
      "81406c00" "0a0a40000002afff9b5f2c61", NGX_OK },
    { "AV1, gray", &ngx_media_av1_codec, "0a0a00000002afff9b5f2540",
      "81001c00" "0a0a00000002afff9b5f2540", NGX_OK },
    { "AV1, 4:4:4", &ngx_media_av1_codec, "0a0a20000002afff9b5f2040",
      "81200000" "0a0a20000002afff9b5f2040", NGX_OK },
    { "AV1, 4:2:2", &ngx_media_av1_codec, "0a0a40000002afff9b5f2810",
      "81404800" "0a0a40000002afff9b5f2810", NGX_OK },
    { "AV1, 4:2:2 of 12 bits", &ngx_media_av1_codec,
      "0a0a40000002afff9b5f2c44", "81406800" "0a0a40000002afff9b5f2c44",
      NGX_OK },
    { "AV1, level 5.1, high tier", &ngx_media_av1_codec,
      "0a0b0000006eefbfe1bc010048", "810d8e00" "0a0b0000006eefbfe1bc010048",
      NGX_OK },
    { "AV1, no sequence header", &ngx_media_av1_codec, TD INTER, "",
      NGX_DECLINED },
    { "AV1, cut", &ngx_media_av1_codec, "0a0a0000", "", NGX_ERROR },
};


static void
test_frame(ngx_uint_t i)
{
    size_t      len, n, nout, size;
    u_char     *buf, *bytes, *in, *out;
    ngx_uint_t  key;

    bytes = media_hex(frames[i].in, &len);
    out = media_hex(frames[i].out, &nout);

    /* also where it ends too early, which is a matter of what is read */

    for (n = 0; n <= len; n++) {
        in = tap_dup(bytes, n);

        size = ngx_media_av_unit_write(frames[i].codec, NULL, in, in + n,
                                       &key);
        buf = malloc(size ? size : 1);

        if (size
            && ngx_media_av_unit_write(frames[i].codec, buf, in, in + n, &key)
               != size)
        {
            ok(0, "%s: two passes, %u bytes", frames[i].name, (unsigned) n);
        }

        if (n == len) {
            is_mem(buf, size, out, nout, "%s", frames[i].name);
            is(nout ? key : frames[i].key, frames[i].key, "%s: key",
               frames[i].name);
        }

        free(buf);
        free(in);
    }

    free(bytes);
    free(out);
}


static void
test_params(ngx_uint_t i)
{
    size_t              len, n, nconfig;
    u_char             *bytes, *config, *in;
    ngx_int_t           rc;
    ngx_media_params_t  found;

    bytes = media_hex(params[i].in, &len);
    config = media_hex(params[i].config, &nconfig);

    for (n = 0; n <= len; n++) {
        in = tap_dup(bytes, n);

        rc = ngx_media_av_unit_params(params[i].codec, &found, in, in + n);

        if (n == len) {
            is(rc, params[i].rc, "%s", params[i].name);

            if (rc == NGX_OK) {
                is_mem(found.config, found.config_len, config, nconfig,
                       "%s: record", params[i].name);
            }
        }

        free(in);
    }

    free(bytes);
    free(config);
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        test_frame(i);
    }

    for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        test_params(i);
    }

    return done();
}
