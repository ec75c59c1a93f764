
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_aac.c formats/ngx_media_bits.c
         formats/ngx_media_mp4_desc.c */


#include "formats/ngx_media_aac.h"
#include "media_hex.h"


#define bad(rc)  rc, NULL, 0, 0, 0, 0, NULL


static const struct {
    const char  *name;
    const char  *config;
    ngx_int_t    rc;
    const char  *string;
    unsigned     rate;
    unsigned     samples;
    unsigned     channels;
    unsigned     channel_config;
    const char  *flags;                       /* sbr ps implicit */
} configs[] = {
    { "LC", "1190", NGX_OK, "mp4a.40.2", 48000, 1024, 2, 2, "---" },
    { "LC mono", "1208", NGX_OK, "mp4a.40.2", 44100, 1024, 1, 1, "---" },
    { "LC, 960", "1194", NGX_OK, "mp4a.40.2", 48000, 960, 2, 2, "---" },
    { "LC, explicit rate", "178049d410", NGX_OK, "mp4a.40.2", 37800, 1024, 2,
      2, "---" },
    { "LC of ffmpeg: no SBR", "119056e500", NGX_OK, "mp4a.40.2", 48000, 1024,
      2, 2, "---" },
    { "core coder", "11920000", NGX_OK, "mp4a.40.2", 48000, 1024, 2, 2,
      "---" },
    { "main, 7.1", "0838", NGX_OK, "mp4a.40.1", 96000, 1024, 8, 7, "---" },
    { "HE", "2b920800", NGX_OK, "mp4a.40.5", 44100, 2048, 2, 2, "s--" },
    { "HE, downsampled", "2a120800", NGX_OK, "mp4a.40.5", 44100, 1024, 2, 2,
      "s--" },
    { "HE, rates that do not fit", "2b120800", bad(NGX_ERROR) },
    { "HE v2", "eb098800", NGX_OK, "mp4a.40.29", 48000, 2048, 2, 2, "sp-" },
    { "HE, backward compatible", "139056e5a0", NGX_OK, "mp4a.40.5", 44100,
      2048, 2, 2, "s-i" },
    { "HE v2, backward compatible", "130856e59d4880", NGX_OK, "mp4a.40.29",
      48000, 2048, 2, 2, "spi" },
    { "HE, backward compatible, no PS", "130856e59d4800", NGX_OK,
      "mp4a.40.5", 48000, 2048, 1, 1, "s-i" },
    { "sync extension of an odd rate", "119056e5a0", NGX_OK, "mp4a.40.2",
      48000, 1024, 2, 2, "---" },
    { "ER LC", "899000", NGX_OK, "mp4a.40.17", 48000, 1024, 2, 2, "---" },
    { "ER LC, extension flags", "899100", NGX_OK, "mp4a.40.17", 48000, 1024,
      2, 2, "---" },
    { "ER LC, error protection", "8990c0", bad(NGX_DECLINED) },
    { "ER LTP", "999000", NGX_OK, "mp4a.40.19", 48000, 1024, 2, 2, "---" },
    { "ER BSAC", "b191000000", NGX_OK, "mp4a.40.22", 48000, 1024, 2, 2,
      "---" },
    { "ER LD, 512", "b98800", NGX_OK, "mp4a.40.23", 48000, 512, 1, 1, "---" },
    { "ER LD, 480", "b98c00", NGX_OK, "mp4a.40.23", 48000, 480, 1, 1, "---" },
    { "ELD, 512", "f8e64000", NGX_OK, "mp4a.40.39", 48000, 512, 2, 2, "---" },
    { "ELD, 480", "f8e83000", NGX_OK, "mp4a.40.39", 44100, 480, 1, 1, "---" },
    { "ELD, SBR", "f8ec4180000000", NGX_OK, "mp4a.40.39", 48000, 1024, 2, 2,
      "---" },
    { "ELD, SBR of one rate", "f8ec4100000000", NGX_OK, "mp4a.40.39", 24000,
      512, 2, 2, "---" },
    { "USAC, 2:1", "f94c4362000000", NGX_OK, "mp4a.40.42", 48000, 2048, 2, 2,
      "---" },
    { "USAC, 768, explicit rate", "f9463f0093a801000000", NGX_OK,
      "mp4a.40.42", 37800, 768, 1, 1, "---" },
    { "USAC, 4:1", "f9524382000000", NGX_OK, "mp4a.40.42", 48000, 4096, 2, 2,
      "---" },
    { "USAC, reserved frame length", "f95243a2000000", bad(NGX_ERROR) },
    { "USAC, dual mono", "f9460328000000", NGX_OK, "mp4a.40.42", 48000, 1024,
      2, 8, "---" },
    { "USAC, own layout", "f946032028000000", NGX_OK, "mp4a.40.42", 48000,
      1024, 5, 0, "---" },
    { "USAC, large own layout", "f9460320f818000000", NGX_OK, "mp4a.40.42",
      48000, 1024, 34, 0, "---" },
    { "6.1", "11d8", NGX_OK, "mp4a.40.2", 48000, 1024, 7, 11, "---" },
    { "7.1 back", "11e0", NGX_OK, "mp4a.40.2", 48000, 1024, 8, 12, "---" },
    { "22.2", "11e8", NGX_OK, "mp4a.40.2", 48000, 1024, 24, 13, "---" },
    { "7.1 top", "11f0", NGX_OK, "mp4a.40.2", 48000, 1024, 8, 14, "---" },
    { "reserved layout 8", "11c0", bad(NGX_ERROR) },
    { "reserved layout 15", "11f8", bad(NGX_ERROR) },
    { "PCE, 5.1", "118004c8050001080000", NGX_OK, "mp4a.40.2", 48000, 1024,
      6, 0, "---" },
    { "PCE, 2.1, comment", "118004c401002000044c617663", NGX_OK, "mp4a.40.2",
      48000, 1024, 3, 0, "---" },
    { "PCE, 2.1, of ffmpeg", "118004c4010020000d4c61766335392e33372e3130305"
      "6e500", NGX_OK, "mp4a.40.2", 48000, 1024, 3, 0, "---" },
    { "PCE, then SBR", "130004c805000108000056e598", NGX_OK, "mp4a.40.5",
      48000, 2048, 6, 0, "s-i" },
    { "PCE of no channels", "118004c000000000", bad(NGX_ERROR) },
    { "PCE, comment too long", "118004c401002000ff4c617663", bad(NGX_ERROR) },
    { "reserved rate", "1690", bad(NGX_ERROR) },
    { "rate 0", "1780000010", bad(NGX_ERROR) },
    { "rate 1", "1780000090", bad(NGX_DECLINED) },
    { "object type 0", "0190", bad(NGX_ERROR) },
    { "Layer III", "f84640", bad(NGX_DECLINED) },
    { "ALS", "f886400000000000", bad(NGX_DECLINED) },
    { "scalable", "319000", bad(NGX_DECLINED) },
    { "CELP", "458800", bad(NGX_DECLINED) },
    { "empty", "", bad(NGX_ERROR) },
    { "one byte", "11", bad(NGX_ERROR) },
    { "zeros", "00000000", bad(NGX_ERROR) },
    { "ones", "ffffffff", bad(NGX_ERROR) },
};


static void
test_configs(void)
{
    u_char              *p, *q, text[NGX_MEDIA_CODEC_STRING_MAX];
    size_t               i, len, n;
    ngx_media_aac_t      aac;
    ngx_media_params_t   params;

    for (i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        char  said[4];

        p = media_hex(configs[i].config, &len);

        is(ngx_media_aac_codec.config(&params, p, p + len), configs[i].rc,
           "%s", configs[i].name);

        if (configs[i].rc == NGX_OK) {
            is(params.codec, NGX_MEDIA_CODEC_AAC, "codec");
            is(params.type, NGX_MEDIA_AUDIO, "type");
            is(params.timescale, configs[i].rate, "timescale");
            is(params.sample_rate, configs[i].rate, "sample_rate");
            is(params.frame_samples, configs[i].samples, "frame_samples");
            is(params.channels, configs[i].channels, "channels");
            is(params.channel_config, configs[i].channel_config,
               "channel_config");
            is_mem(params.config, params.config_len, p, len, "config");

            n = ngx_media_aac_codec.string(NULL, &params);
            is(ngx_media_aac_codec.string(text, &params), n, "string size");
            is_text(text, n, configs[i].string, "string");

            ngx_media_aac_parse(&aac, p, p + len);
            snprintf(said, sizeof(said), "%c%c%c", aac.sbr ? 's' : '-',
                     aac.ps ? 'p' : '-', aac.implicit ? 'i' : '-');
            is_text(said, 3, configs[i].flags, "flags");

            n = ngx_media_aac_codec.entry(NULL, &params);
            q = malloc(n);
            is(ngx_media_aac_codec.entry(q, &params), n, "entry size");
            is(q[24] << 8 | q[25], configs[i].channels, "entry, channels");
            free(q);
        }

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);
            (void) ngx_media_aac_codec.config(&params, q, q + n);
            free(q);
        }

        free(p);
    }
}


static void
test_entry(void)
{
    u_char               config[NGX_MEDIA_CONFIG_MAX + 1], *p;
    size_t               n;
    ngx_media_params_t   params;

    static const u_char  entry[] =
        "\0\0\0\113mp4a\0\0\0\0\0\0\0\1"
        "\0\0\0\0\0\0\0\0\0\2\0\20\0\0\0\0\273\200\0\0"
        "\0\0\0\047esds\0\0\0\0"
        "\003\031\0\0\0\004\021\100\025\0\0\0\0\0\0\0\0\0\0\0\005\002\021\220"
        "\006\001\002";

    static const u_char  esds[] =
        "\003\220\031\0\0\0\004\220\020\100\025\0\0\0\0\0\0\0\0\0\0\0"
        "\005\220\000\021\220";

    memset(config, 0, sizeof(config));
    config[0] = 0x11;
    config[1] = 0x90;

    (void) ngx_media_aac_codec.config(&params, config, config + 2);

    n = ngx_media_aac_codec.entry(NULL, &params);
    p = malloc(n);
    (void) ngx_media_aac_codec.entry(p, &params);
    is_mem(p, n, entry, sizeof(entry) - 1, "entry");
    free(p);

    is(ngx_media_aac_codec.config(&params, config, config + sizeof(config)),
       NGX_DECLINED, "config too large");

    /* lengths of two bytes */

    is(ngx_media_aac_codec.config(&params, config, config + 2048), NGX_OK,
       "large config");

    n = ngx_media_aac_codec.entry(NULL, &params);
    p = malloc(n);
    is(ngx_media_aac_codec.entry(p, &params), n, "entry of a large config");
    is_mem(p + 36 + 12, sizeof(esds) - 1, esds, sizeof(esds) - 1,
           "descriptor sizes of two bytes");
    is(p[n - 3] << 16 | p[n - 2] << 8 | p[n - 1], 0x060102, "its end");
    free(p);

    /* a rate that 16.16 does not hold */

    config[0] = 0x10;
    config[1] = 0x10;
    (void) ngx_media_aac_codec.config(&params, config, config + 2);
    is(params.sample_rate, 96000, "96 kHz");
    p = malloc(ngx_media_aac_codec.entry(NULL, &params));
    (void) ngx_media_aac_codec.entry(p, &params);
    is(p[32] << 8 | p[33], 0, "entry, samplerate");
    free(p);
}


static void
test_frames(void)
{
    size_t                   i, len;
    u_char                  *p;
    ngx_media_params_t       params;
    ngx_media_frame_info_t   info;

    static const struct {
        const char  *name;
        const char  *frame;
        unsigned     object_type;
        ngx_int_t    rc;
        unsigned     key;
        unsigned     empty;
    } tests[] = {
        { "raw", "210049900219002380", 2, NGX_OK, 1, 0 },
        { "empty", "", 2, NGX_OK, 1, 1 },
        { "one byte", "ff", 2, NGX_OK, 1, 0 },
        { "ADTS", "fff15080017ffc210049900219002380", 2, NGX_ERROR, 0, 0 },
        { "USAC, independent", "8000", 42, NGX_OK, 1, 0 },
        { "USAC, dependent", "7f00", 42, NGX_OK, 0, 0 },
    };

    ngx_memzero(&params, sizeof(params));

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].frame, &len);
        params.object_type = tests[i].object_type;

        is(ngx_media_aac_codec.frame(&params, p, p + len, &info), tests[i].rc,
           "frame, %s", tests[i].name);

        if (tests[i].rc == NGX_OK) {
            is(info.key, tests[i].key, "key");
            is(info.empty, tests[i].empty, "empty");
        }

        free(p);
    }
}


/* that these decode to nothing but zeros is tested by t/formats_cmaf.t */

static void
test_silence(void)
{
    size_t               i, len;
    u_char              *p;
    ngx_media_silence_t  silence;
    ngx_media_params_t   params;

    static const struct {
        const char  *name;
        const char  *config;
        const char  *frame;
    } tests[] = {
        { "LC mono", "1208", "00c800802380" },
        { "LC stereo", "1190", "210049900219002380" },
        { "LC stereo, 960", "1194", "210049900219002380" },
        { "HE stereo", "2b920800", "210049900219002380" },
        { "HE v2: a mono core", "eb098800", "00c800802380" },
        { "22.2", "11e8", NULL },
        { "own layout, mono", "118004c400000000", "00c800802380" },
        { "own layout, 5.1", "118004c8050001080000",
          "00c800802084010c8010c801042008640086400860c800802380" },
        { "own layout, 5.1(side) of FFmpeg",
          "118004c844002000c40d4c61766335392e33372e31303056e500",
          "2100432004320040064004010059001004118021900219002380" },
        { "ER LC", "899000", NULL },
        { "ELD", "f8e64000", NULL },
        { "USAC", "f94c4362000000", NULL },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].config, &len);

        is(ngx_media_aac_codec.config(&params, p, p + len), NGX_OK, "%s",
           tests[i].name);
        is(ngx_media_aac_codec.silence(&params, &silence),
           tests[i].frame ? NGX_OK : NGX_DECLINED, "silence");

        free(p);

        if (tests[i].frame) {
            p = media_hex(tests[i].frame, &len);
            is_mem(silence.frame.pos, ngx_media_span_len(&silence.frame), p,
                   len, "frame");
            is(silence.samples, params.frame_samples, "samples");
            is(silence.rate, params.sample_rate, "rate");
            free(p);
        }
    }

    params.config_len = 0;
    is(ngx_media_aac_codec.silence(&params, &silence), NGX_DECLINED,
       "silence of nothing");
}


static void
test_params(void)
{
    ngx_uint_t           i;
    ngx_media_silence_t  silence;
    ngx_media_params_t   params;

    static const uint32_t  rates[] = {
        96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000,
        11025, 8000, 7350
    };

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        is(ngx_media_aac_params(&params, rates[i], 2), NGX_OK, "%u Hz",
           rates[i]);
        is(params.sample_rate, rates[i], "sample_rate");
    }

    for (i = 1; i <= 8; i++) {
        is(ngx_media_aac_params(&params, 48000, i), NGX_OK, "%u channels",
           (unsigned) i);
        is(params.channels, i, "channels");
        is(params.object_type, 2, "object_type");
        is(ngx_media_aac_codec.silence(&params, &silence), NGX_OK, "silence");
    }

    is(ngx_media_aac_params(&params, 48000, 0), NGX_DECLINED, "no channels");
    is(ngx_media_aac_params(&params, 48000, 9), NGX_DECLINED, "9 channels");
    is(ngx_media_aac_params(&params, 48000, (ngx_uint_t) -1), NGX_DECLINED,
       "many channels");
    is(ngx_media_aac_params(&params, 0, 2), NGX_DECLINED, "no rate");
    is(ngx_media_aac_params(&params, 57600, 2), NGX_DECLINED, "USAC rate");
    is(ngx_media_aac_params(&params, 1, 2), NGX_DECLINED, "odd rate");
}


int
main(void)
{
    test_configs();
    test_entry();
    test_frames();
    test_silence();
    test_params();

    return done();
}
