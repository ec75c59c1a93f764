
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs */


#include "formats/ngx_media_ac3.h"
#include "formats/ngx_media_crc.h"
#include "formats/ngx_media_flac.h"
#include "formats/ngx_media_opus.h"
#include "media_hex.h"
#include "tap.h"


/* that these decode to nothing but zeros is tested by t/vod_silence.t */

static const struct {
    const char               *name;
    const ngx_media_codec_t  *codec;
    const char               *config;
    size_t                    size;           /* 0: none is known */
    uint32_t                  samples;
    const char               *head;           /* how it begins */
} tests[] = {
    { "AC-3 stereo, 192 kbit/s", &ngx_media_ac3_codec, "101140", 768, 1536,
      "0b77" },
    { "AC-3 5.1, 448 kbit/s", &ngx_media_ac3_codec, "103de0", 1792, 1536,
      "0b77" },
    { "AC-3 stereo, 44.1 kHz", &ngx_media_ac3_codec, "501140", 834, 1536,
      "0b77" },
    { "AC-3 5.1, 640 kbit/s, 32 kHz", &ngx_media_ac3_codec, "903e40", 3840,
      1536, "0b77" },
    { "AC-3 of a bit rate that is not one", &ngx_media_ac3_codec, "103e60", 0,
      0, "" },
    { "E-AC-3 stereo", &ngx_media_eac3_codec, "0600200400", 36, 1536,
      "0b77001134" },
    { "E-AC-3 5.1", &ngx_media_eac3_codec, "0c00200f00", 66, 1536,
      "0b7700203f" },
    { "E-AC-3 with a dependent substream", &ngx_media_eac3_codec,
      "0c00200f0202", 0, 0, "" },
    { "Opus", &ngx_media_opus_codec, "00020138000000bb80000000", 3, 960,
      "f8fffe" },
    { "Opus 5.1", &ngx_media_opus_codec, "000601380000bb8000000104"
      "02000401020305", 15, 960, "f802fffe" },
    { "FLAC stereo, 16 bits", &ngx_media_flac_codec, "664c614380000022"
      "10001000000000000000" "0ac442f0" "00000000" "00000000000000000000000000"
      "000000", 16, 4096, "fff87010000fff" },
    { "FLAC mono, 24 bits, sizes vary", &ngx_media_flac_codec,
      "664c614380000022" "00101200000000000000" "0bb80170" "00000000"
      "00000000000000000000000000000000", 14, 4608, "fff970000011ff" },
};


int
main(void)
{
    size_t                i, len, n;
    u_char               *p;
    ngx_int_t             rc;
    ngx_media_span_t     *frame;
    ngx_media_params_t    params;
    ngx_media_silence_t   s;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].config, &len);

        is(tests[i].codec->config(&params, p, p + len), NGX_OK, "%s",
           tests[i].name);
        free(p);

        rc = tests[i].codec->silence(&params, &s);
        is(rc, tests[i].size ? NGX_OK : NGX_DECLINED, "silence");

        if (rc != NGX_OK) {
            continue;
        }

        frame = &s.frame;
        n = ngx_media_span_len(frame);

        is(n, tests[i].size, "size");
        is(s.samples, tests[i].samples, "samples");
        is(s.rate, params.sample_rate, "rate");

        p = media_hex(tests[i].head, &len);
        is_mem(frame->pos, len, p, len, "head");
        free(p);

        if (params.codec == NGX_MEDIA_CODEC_AC3) {
            len = ((n / 2 >> 1) + (n / 2 >> 3)) * 2;
            is(ngx_media_crc16(frame->pos + 2, frame->pos + len), 0, "crc1");
        }

        if (params.codec == NGX_MEDIA_CODEC_AC3
            || params.codec == NGX_MEDIA_CODEC_EAC3)
        {
            is(ngx_media_crc16(frame->pos + 2, frame->last), 0, "crc2");
        }

        if (params.codec == NGX_MEDIA_CODEC_FLAC) {
            is(ngx_media_crc8(frame->pos, frame->pos + 8), 0, "crc of head");
            is(ngx_media_crc16(frame->pos, frame->last), 0, "crc");
        }
    }

    return done();
}
