
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_record.c formats/ngx_media_sets.c
         formats/ngx_media_av1.c formats/ngx_media_bits.c
         formats/ngx_media_h264.c formats/ngx_media_h264_still.c
         formats/ngx_media_h265.c formats/ngx_media_mp4_desc.c
         formats/ngx_media_video.c */


#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_record.h"
#include "media_hex.h"
#include "tap.h"


#define SPS   "6742c028da01e0089f970110000003001000000303c0f1832a"
#define PPS   "68ce0fc8"

#define VPS5  "40010c01ffff016000000300900000030000030078959409"
#define SPS5  "420101016000000300900000030000030078a003c0801107cb965654a4c2"  \
              "f024a020202080000003008000000c84"
#define PPS5  "4401c073c189"

/* temporal delimiter, sequence header, a frame follows */
#define TD    "1200"
#define SEQ   "0a0b0000002d4c37b3dfff9804"

#define HEAD5 "01" "000000000000000000000000" "f000fcfdf8f80000"


static const struct {
    const char         *name;
    ngx_media_units_e   units;
    const char         *config;
    const char         *frame;
    ngx_int_t           rc;
    const char         *record;
} tests[] = {
    { "avc3", NGX_MEDIA_UNITS_AVC, "0142c028ffe000",
      "00000019" SPS "00000004" PPS "000000026588", NGX_OK,
      "0142c028ffe10019" SPS "010004" PPS },
    { "avc3, lengths of two bytes, sets twice", NGX_MEDIA_UNITS_AVC,
      "0100000001e000",
      "0019" SPS "0004" PPS "0019" SPS "0004" PPS, NGX_OK,
      "0142c028fde10019" SPS "010004" PPS },
    { "avc3, an SPS alone", NGX_MEDIA_UNITS_AVC, "0142c028ffe10019" SPS "00",
      "00000019" SPS "00000004" PPS, NGX_OK,
      "0142c028ffe10019" SPS "010004" PPS },
    { "avc3, a frame that is cut", NGX_MEDIA_UNITS_AVC, "0142c028ffe000",
      "00000019" SPS "00000004" PPS "000100006588", NGX_OK,
      "0142c028ffe10019" SPS "010004" PPS },
    { "avc3, no PPS", NGX_MEDIA_UNITS_AVC, "0142c028ffe000",
      "00000019" SPS "000000026588", NGX_DECLINED, "" },
    { "avc1", NGX_MEDIA_UNITS_AVC, "0142c028ffe10019" SPS "010004" PPS,
      "00000019" SPS, NGX_DECLINED, "" },
    { "hev1", NGX_MEDIA_UNITS_HEVC, HEAD5 "0f00",
      "00000018" VPS5 "0000002e" SPS5 "00000006" PPS5, NGX_OK,
      "01016000000090000000000078" "f000fcfdf8f800000f" "03"
      "a000010018" VPS5 "a10001002e" SPS5 "a200010006" PPS5 },
    { "hev1, no VPS", NGX_MEDIA_UNITS_HEVC, HEAD5 "0f00",
      "0000002e" SPS5 "00000006" PPS5, NGX_DECLINED, "" },
    { "av01", NGX_MEDIA_UNITS_OBU, "81050c00", TD SEQ "3201ff", NGX_OK,
      "81050c00" SEQ },
    { "av01, no sequence header", NGX_MEDIA_UNITS_OBU, "81050c00",
      TD "3201ff", NGX_DECLINED, "" },
    { "another codec", NGX_MEDIA_UNITS_NONE, "01000000", "00", NGX_DECLINED,
      "" },
};


int
main(void)
{
    size_t                    len, ncfg, n, nframe, nrec;
    u_char                   *bytes, *cfg, *frame, *rec;
    u_char                    record[NGX_MEDIA_CONFIG_MAX];
    unsigned                  i;
    ngx_media_span_t          config, sample;
    ngx_media_params_t        params;
    const ngx_media_codec_t  *codec;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        bytes = media_hex(tests[i].config, &ncfg);
        cfg = tap_dup(bytes, ncfg);
        free(bytes);

        bytes = media_hex(tests[i].frame, &nframe);
        rec = media_hex(tests[i].record, &nrec);

        config.pos = cfg;
        config.last = cfg + ncfg;

        for (n = 0; n <= nframe; n++) {
            frame = tap_dup(bytes, n);
            sample.pos = frame;
            sample.last = frame + n;

            len = 0;

            if (ngx_media_record_complete(tests[i].units, &config, &sample,
                                          record, &len)
                == NGX_OK
                && len > NGX_MEDIA_CONFIG_MAX)
            {
                ok(0, "%s: %u bytes", tests[i].name, (unsigned) n);
            }

            if (n == nframe) {
                is(ngx_media_record_complete(tests[i].units, &config, &sample,
                                             record, &len),
                   tests[i].rc, "%s", tests[i].name);
            }

            free(frame);
        }

        if (tests[i].rc == NGX_OK) {
            is_mem(record, len, rec, nrec, "%s: record", tests[i].name);

            codec = tests[i].units == NGX_MEDIA_UNITS_AVC
                    ? &ngx_media_h264_codec
                    : tests[i].units == NGX_MEDIA_UNITS_HEVC
                    ? &ngx_media_h265_codec : &ngx_media_av1_codec;

            is(codec->config(&params, record, record + len), NGX_OK,
               "%s: a configuration", tests[i].name);
            ok(codec->config(&params, cfg, cfg + ncfg) != NGX_OK,
               "%s: which it was not", tests[i].name);
        }

        /* a configuration that is cut is no partial one */

        for (n = 0; n < ncfg; n++) {
            frame = tap_dup(cfg, n);
            sample.pos = frame;
            sample.last = frame + n;
            (void) ngx_media_record_is_partial(tests[i].units, &sample);
            free(frame);
        }

        free(bytes);
        free(cfg);
        free(rec);
    }

    return done();
}
