
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_h265.c formats/ngx_media_bits.c
         formats/ngx_media_mp4_desc.c formats/ngx_media_video.c */


#include "formats/ngx_media_h265.h"
#include "media_hex.h"


/* records of libx265, with what ffprobe says of them */

static const struct {
    const char  *name;
    const char  *record;
    const char  *string;
    unsigned     width;
    unsigned     height;
    unsigned     sar_num;
    unsigned     sar_den;
    unsigned     fps_num;
    unsigned     fps_den;
    unsigned     colors[4];
    unsigned     depth;
    unsigned     chroma;
    unsigned     sub_layers;
    unsigned     reorder;
    unsigned     field_seq;
} records[] = {
    { "main, sar 12:11, 1080p cropped",
      "01016000000090000000000078f000fcfdf8f800000f03200001001840010c01ffff01"
      "6000000300900000030000030078959409210001002e42010101600000030090000003"
      "0000030078a003c0801107cb965654a4c2f024a020202080000003008000000c842200"
      "0100064401c073c189",
      "hvc1.1.6.L120.90", 1920, 1080, 12, 11, 25, 1, { 1, 1, 1, 0 }, 8, 1, 1,
      2, 0 },

    { "main 10, hdr10",
      "01022000000090000000000099f000fcfdfafa00000f03200001001840010c01ffff02"
      "2000000300900000030000030099959409210001002d42010102200000030090000003"
      "0000030099a001e020021c4d965654a4c2f016a1220120800001f48000753004220001"
      "00064401c073c189",
      "hvc1.2.4.L153.90", 3840, 2160, 1, 1, 60000, 1001, { 9, 16, 9, 0 }, 10,
      1, 1, 2, 0 },

    { "4:4:4, 12 bits, range extensions",
      "0104080000009808000000003cf000fcfffcfc00000f03200001001740010c01ffff04"
      "0800000300980800000300003c959409210001002c4201010408000003009808000003"
      "00003c9001410183e34a52caca94985e02d01000000300100000030190802200010008"
      "4401c07318301890",
      "hvc1.4.10.L60.98.8", 320, 180, 1, 1, 25, 1, { 2, 2, 2, 0 }, 12, 3, 1,
      2, 0 },

    { "temporal layers, scaling lists, hrd",
      "0101600000009000000000003cf000fcfdf8f800000f03200001001940010c01ffff01"
      "600000030090000003000003003c958a02402100010034420101016000000300900000"
      "03000003003ca00a080f165958a924e5780b4040000003004000000658032597800493"
      "c00124fc8022000100074401c172b46240",
      "hvc1.1.6.L60.90", 320, 240, 1, 1, 25, 1, { 2, 2, 2, 0 }, 8, 1, 1, 2,
      0 },

    { "4:2:2, 10 bits, full range",
      "0104080000009d08000000003cf000fcfefafa00000f03200001001740010c01ffff04"
      "08000003009d0800000300003c959409210001002b4201010408000003009d08000003"
      "00003cb00a880c1c446b6595952930bc05b02000000300200000030321220001000644"
      "01c073c189",
      "hvc1.4.10.L60.9D.8", 322, 180, 1, 1, 25, 1, { 2, 2, 2, 1 }, 10, 2, 1,
      2, 0 },

    { "default display window, high tier",
      "01216000000090000000000096f000fcfdf8f800000f03200001001840010c01ffff21"
      "6000000300900000030000030096959409210001002d42010121600000030090000003"
      "0000030096a00a080c1f3e595952930bc05a059ca26000000300200000030321220001"
      "00064401c073c189",
      "hvc1.1.6.H150.90", 320, 180, 1, 1, 25, 1, { 2, 2, 2, 0 }, 8, 1, 1, 2,
      0 },

    { "interlaced: a sequence of fields",
      "0101600000004000000000005af000fcfdf8f800000f03200001001840010c01ffff01"
      "600000030040000003000003005a959409210001002b42010101600000030040000003"
      "000003005aa005a200905965654a4c2f016868000003000800000300c8402200010006"
      "4401c073c189",
      "hvc1.1.6.L90.40", 720, 576, 1, 1, 25, 1, { 2, 2, 2, 0 }, 8, 1, 1, 2,
      1 },

    { "odd width, no hints",
      "0101600000009000000000005af000fcfdf8f800000f03200001001840010c01ffff01"
      "600000030090000003000003005a959009210001002b42010101600000030090000003"
      "000003005aa0068201d9d4996564924cae6808000003000800000300f0402200010007"
      "4401c172b46240",
      "hvc1.1.6.L90.90", 830, 466, 0, 0, 30, 1, { 2, 2, 2, 0 }, 8, 1, 1, 2,
      0 },

    { "hdr10, complete arrays, no rate",
      "01022000000090000000000096f000fcfdfafa00000f03a00001001840010c01ffff02"
      "2000000300900000030000030096ba0240a10001002442010102200000030090000003"
      "0000030096a003c0801107cad96e92930b9a8488048020a2000100064401c073c189",
      "hvc1.2.4.L150.90", 1920, 1080, 0, 0, 0, 0, { 9, 16, 9, 0 }, 10, 1, 1,
      0, 0 },
};


static void
test_records(void)
{
    u_char                  *p, *q, text[NGX_MEDIA_CODEC_STRING_MAX];
    size_t                   i, len, n;
    ngx_media_params_t       params;
    ngx_media_h265_sps_t     sps;
    ngx_media_h265_record_t  record;

    for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        p = media_hex(records[i].record, &len);

        is(ngx_media_h265_codec.config(&params, p, p + len), NGX_OK, "%s",
           records[i].name);

        is(params.codec, NGX_MEDIA_CODEC_H265, "codec");
        is(params.type, NGX_MEDIA_VIDEO, "type");
        is(params.timescale, 360000, "timescale");
        is(params.width, records[i].width, "width");
        is(params.height, records[i].height, "height");
        is(params.sar_num, records[i].sar_num, "sar_num");
        is(params.sar_den, records[i].sar_den, "sar_den");
        is(params.fps_num, records[i].fps_num, "fps_num");
        is(params.fps_den, records[i].fps_den, "fps_den");
        is(params.primaries, records[i].colors[0], "primaries");
        is(params.transfer, records[i].colors[1], "transfer");
        is(params.matrix, records[i].colors[2], "matrix");
        is(params.full_range, records[i].colors[3], "full_range");
        is(params.bit_depth, records[i].depth, "bit_depth");
        is(params.nal_length, 4, "nal_length");

        n = ngx_media_h265_codec.string(NULL, &params);
        is(ngx_media_h265_codec.string(text, &params), n, "string size");
        is_text(text, n, records[i].string, "string");

        is(ngx_media_h265_parse_record(&record, p, p + len), NGX_OK,
           "record");
        is(record.complete, i == 8, "complete");
        is(ngx_media_h265_parse_sps(&sps, record.sps.pos, record.sps.last),
           NGX_OK, "sps");
        is(sps.chroma_format, records[i].chroma, "chroma_format");
        is(sps.sub_layers, records[i].sub_layers, "sub_layers");
        is(sps.reorder, records[i].reorder, "reorder");
        is(sps.field_seq, records[i].field_seq, "field_seq");

        is(ngx_media_h265_parse_record(&record, params.config,
                                       params.config + params.config_len),
           NGX_OK, "record as it is kept");
        is(record.complete, 1, "is complete");
        is(params.config_len, len, "and as long");

        n = ngx_media_h265_codec.entry(NULL, &params);
        q = malloc(n);
        is(ngx_media_h265_codec.entry(q, &params), n, "entry size");
        is_mem(q + 4, 4, "hvc1", 4, "entry");
        is_mem(q + 86 + 4, 4, "hvcC", 4, "hvcC");

        free(q);
        free(p);
    }
}


/* the examples of ISO/IEC 14496-15, E.3, and of players' sources */

static void
test_strings(void)
{
    u_char               p[14], text[NGX_MEDIA_CODEC_STRING_MAX];
    size_t               i, n;
    ngx_media_params_t   params;

    static const struct {
        const char  *head;                    /* bytes 1 to 12 */
        const char  *string;
    } tests[] = {
        { "\x01\x60\x00\x00\x00\x90\x00\x00\x00\x00\x00\x5d",
          "hvc1.1.6.L93.90" },
        { "\x02\x20\x00\x00\x00\xb0\x00\x00\x00\x00\x00\x7b",
          "hvc1.2.4.L123.B0" },
        { "\x41\x60\x00\x00\x00\xb0\x00\x00\x00\x00\x00\x5d",
          "hvc1.A1.6.L93.B0" },
        { "\xe4\x10\x00\x00\x00\xb0\x23\x00\x00\x00\x00\x3f",
          "hvc1.C4.8.H63.B0.23" },
        { "\x01\x60\x00\x00\x00\x00\x00\x00\x00\x00\x00\x5d",
          "hvc1.1.6.L93" },
        { "\x01\x80\x00\x00\x01\x01\x02\x03\x04\x05\x06\xff",
          "hvc1.1.80000001.L255.1.2.3.4.5.6" },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
          "hvc1.C31.FFFFFFFF.H255.FF.FF.FF.FF.FF.FF" },
        { "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
          "hvc1.0.0.L0" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        ngx_memzero(&params, sizeof(params));
        p[0] = 1;
        memcpy(p + 1, tests[i].head, 12);
        memcpy(params.config, p, 13);

        n = ngx_media_h265_codec.string(text, &params);
        is_text(text, n, tests[i].string, "%s", tests[i].string);
    }
}


/* user data in the record is dropped, other SEI stays, sizes are bounded */

static void
test_copy(void)
{
    u_char                  *p, *q;
    size_t                   len, n;
    ngx_media_params_t       params;
    ngx_media_h265_record_t  record;

    static const u_char  hdr[] =
        "\x27\x00\x02\x00\x08\x4e\x01\x05\x03\x01\x02\x03\x80"
        "\x00\x08\x4e\x01\x90\x03\x01\x02\x03\x80";

    static const u_char  name[] =
        "\x27\x00\x01\x00\x08\x4e\x01\x05\x03\x01\x02\x03\x80";

    q = media_hex(records[0].record, &len);
    p = calloc(1, 2 * NGX_MEDIA_CONFIG_MAX);

    memcpy(p, q, len);
    memcpy(p + len, hdr, sizeof(hdr) - 1);
    p[22]++;
    n = len + sizeof(hdr) - 1;

    is(ngx_media_h265_codec.config(&params, p, p + n), NGX_OK, "two SEI");
    is(params.config_len, n - 10, "one of them is kept");
    is_mem(params.config + len, params.config_len - len,
           "\x27\x00\x01\x00\x08\x4e\x01\x90\x03\x01\x02\x03\x80", 13,
           "not the one of user data");
    is(ngx_media_h265_parse_record(&record, params.config,
                                   params.config + params.config_len),
       NGX_OK, "it is a record");

    memcpy(p + len, name, sizeof(name) - 1);
    n = len + sizeof(name) - 1;

    is(ngx_media_h265_codec.config(&params, p, p + n), NGX_OK,
       "user data alone");
    is(params.config_len, len, "leaves nothing behind");
    is(params.config[22], 3, "not even an array");

    /* user data of what is the most, then other data of that */

    p[len + 3] = NGX_MEDIA_CONFIG_MAX >> 8;
    p[len + 4] = 0;
    n = len + 5 + NGX_MEDIA_CONFIG_MAX;
    is(ngx_media_h265_codec.config(&params, p, p + n), NGX_OK,
       "much user data");
    is(params.config_len, len, "is dropped");

    p[len + 7] = 0x90;
    is(ngx_media_h265_codec.config(&params, p, p + n), NGX_DECLINED,
       "much other data is not");

    /* a record that fits to the byte, and one that does not */

    n = NGX_MEDIA_CONFIG_MAX - len - 5;
    p[len + 3] = n >> 8;
    p[len + 4] = n;
    is(ngx_media_h265_codec.config(&params, p, p + NGX_MEDIA_CONFIG_MAX),
       NGX_OK, "the largest");
    is(params.config_len, NGX_MEDIA_CONFIG_MAX, "bytes");

    n++;
    p[len + 3] = n >> 8;
    p[len + 4] = n;
    is(ngx_media_h265_codec.config(&params, p, p + NGX_MEDIA_CONFIG_MAX + 1),
       NGX_DECLINED, "one that is larger");

    free(p);
    free(q);
}


static void
test_hostile(void)
{
    u_char              *p, *q;
    size_t               i, len, n;
    ngx_uint_t           bad;
    ngx_media_params_t   params;

    static const struct {
        const char  *name;
        size_t       at;
        u_char       value;
    } wrong[] = {
        { "version", 0, 0 },
        { "NAL length 3", 21, 0x0e },
        { "no arrays", 22, 0 },
        { "two arrays: no PPS", 22, 2 },
        { "an array too many", 22, 4 },
        { "VPS that is none", 28, 0x42 },
    };

    p = media_hex(records[3].record, &len);

    for (bad = 0, n = 0; n < len; n++) {
        q = tap_dup(p, n);
        bad += (ngx_media_h265_codec.config(&params, q, q + n) == NGX_OK);
        free(q);
    }

    is(bad, 0, "truncated records are refused");
    free(p);

    for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        p = media_hex(records[i].record, &len);

        for (n = 0; n < len; n++) {
            q = tap_dup(p, len);

            q[n] = 0;
            (void) ngx_media_h265_codec.config(&params, q, q + len);
            q[n] = 0xff;
            (void) ngx_media_h265_codec.config(&params, q, q + len);
            q[n] = p[n] ^ 0x10;
            (void) ngx_media_h265_codec.config(&params, q, q + len);

            free(q);
        }

        free(p);
    }

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        p = media_hex(records[0].record, &len);
        p[wrong[i].at] = wrong[i].value;
        is(ngx_media_h265_codec.config(&params, p, p + len), NGX_ERROR, "%s",
           wrong[i].name);
        free(p);
    }
}


/* all that an SPS may hold, at once: 1280x720 out of 1288x728 */

static void
test_sps(void)
{
    size_t                 len, n;
    u_char                *p, *q;
    ngx_uint_t             bad;
    ngx_media_h265_sps_t   sps;

    static const char  text[] =
        "42010502200000030090000003000003005dd00000030000030000030000030000"
        "0300005a5a2200284802d9a236d96552b9899244f95d10ae885744294ae8857442"
        "ba214a57442ba215d10a52ba215d10ae8857442ba215d10ae8857442ba215d10ae"
        "8857442ba295d10ae8857442ba215d10ae8857442ba215d10ae8857442ba215d14"
        "ae8857442ba215d10ae8857442ba215d10ae8857442ba215d10ae8a72ba215d10a"
        "e8857442ba215d10ae8857442ba215d10ae8857442ba29cae8857442ba215d10ae"
        "8857442ba215d10ae8857442ba215d10ae8a72ba215d10ae8857442ba215d10ae8"
        "857442ba215d10ae8857442ba29cae8857442ba215d10ae8857442ba215d10ae88"
        "57442ba215d10ae8bbbdc8d7f69d7d82c25ffe005000436a1224136cca56e00000"
        "7d20000bb801";

    p = media_hex(text, &len);

    is(ngx_media_h265_parse_sps(&sps, p, p + len), NGX_OK, "sps");
    is(sps.id, 3, "id");
    is(sps.sub_layers, 3, "sub_layers");
    is(sps.profile.profile, 2, "profile");
    is(sps.profile.level, 93, "level");
    is(sps.width, 1280, "width");
    is(sps.height, 720, "height");
    is(sps.bit_depth, 10, "bit_depth");
    is(sps.reorder, 3, "reorder");
    is(sps.video.sar_num, 40, "sar_num");
    is(sps.video.sar_den, 33, "sar_den");
    is(sps.video.primaries, 9, "primaries");
    is(sps.video.transfer, 18, "transfer");
    is(sps.video.matrix, 9, "matrix");
    is(sps.video.full_range, 0, "full_range");
    is(sps.video.fps_num, 24000, "fps_num");
    is(sps.video.fps_den, 1001, "fps_den");
    is(sps.field_seq, 0, "field_seq");

    /* it may be cut in the VUI, the last bytes, but nowhere before */

    for (bad = 0, n = 0; n < len - 40; n++) {
        q = tap_dup(p, n);
        bad += (ngx_media_h265_parse_sps(&sps, q, q + n) == NGX_OK);
        free(q);
    }

    is(bad, 0, "truncated");

    for (bad = 0; n < len; n++) {
        q = tap_dup(p, n);

        if (ngx_media_h265_parse_sps(&sps, q, q + n) == NGX_OK) {
            bad += (sps.width != 1280 || sps.height != 720
                    || (sps.video.sar_num != 0 && sps.video.sar_num != 40));
        }

        free(q);
    }

    is(bad, 0, "truncated in the VUI");
    free(p);
}


static void
test_vps(void)
{
    size_t              i, len, n;
    u_char             *p, *q;
    ngx_media_video_t   video;

    static const struct {
        const char  *name;
        const char  *vps;
        unsigned     fps_num;
        unsigned     fps_den;
    } tests[] = {
        { "one layer",
          "40010c01ffff01600000030090000003000003005d95c3c00000fa40003a"
          "9814",
          60000, 1001 },
        { "sub-layers, layer sets",
          "40010c05ffff01600000030090000003000003005dd00000030000030000"
          "0300000300000300005d5d15c3755000003e90000ea605",
          60000, 1001 },
        { "no timing",
          "40010c01ffff01600000030090000003000003005d95c390",
          0, 0 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].vps, &len);

        ngx_media_video_init(&video);
        is(ngx_media_h265_parse_vps(&video, p, p + len), NGX_OK, "vps, %s",
           tests[i].name);
        is(video.fps_num, tests[i].fps_num, "fps_num");
        is(video.fps_den, tests[i].fps_den, "fps_den");

        for (n = 0; n < 20; n++) {
            q = tap_dup(p, n);
            is(ngx_media_h265_parse_vps(&video, q, q + n), NGX_ERROR,
               "vps, truncated at %u", (unsigned) n);
            free(q);
        }

        free(p);
    }
}


static void
test_frames(void)
{
    size_t                   i, len, n;
    u_char                  *p, *q;
    ngx_media_params_t       params;
    ngx_media_frame_info_t   info;

    static const struct {
        const char  *name;
        const char  *frame;
        ngx_int_t    rc;
        const char  *info;                    /* key leading config empty */
    } tests[] = {
        { "IDR_W_RADL", "000000042601af08", NGX_OK, "k---" },
        { "IDR_N_LP", "000000042801af1d", NGX_OK, "k---" },
        { "VPS, SPS, PPS, IDR", "0000000240010000000242010000000244010000000"
          "42801af1d", NGX_OK, "k-c-" },
        { "CRA", "000000042a01ac20", NGX_OK, "kl--" },
        { "BLA_W_LP", "000000042001ac20", NGX_OK, "kl--" },
        { "BLA_W_RADL", "000000042201ac20", NGX_OK, "kl--" },
        { "BLA_N_LP", "000000042401ac20", NGX_OK, "k---" },
        { "reserved IRAP", "000000042e01ac20", NGX_OK, "k---" },
        { "reserved VCL", "000000043001ac20", NGX_OK, "----" },
        { "TRAIL_R", "0000000b0201d0195f84318e40fa84", NGX_OK, "----" },
        { "TRAIL_N", "0000000b0001e024fffa2c2980c820", NGX_OK, "----" },
        { "RASL_N", "0000000b1001e0c6f7ff48b0a6c820", NGX_OK, "----" },
        { "RASL_R", "0000000b1201e0e2255ff71849c560", NGX_OK, "----" },
        { "AUD, SEI, CRA", "000000034601500000000a4e010604000000000080"
          "000000042a01ac20", NGX_OK, "kl--" },
        { "IDR of another layer", "000000042609af08", NGX_OK, "---e" },
        { "IDR of layer 32", "000000042701af08", NGX_OK, "---e" },
        { "IDR of another layer, base layer",
          "000000042609af080000000b0201d0195f84318e40fa84", NGX_OK, "----" },
        { "SEI alone", "000000044e010180", NGX_OK, "---e" },
        { "nothing", "", NGX_OK, "---e" },
        { "length beyond the end", "000000052601af08", NGX_ERROR, NULL },
        { "length of zero", "00000000000000042601af08", NGX_ERROR, NULL },
        { "length of one", "0000000126", NGX_ERROR, NULL },
        { "length at its maximum", "ffffffff2601af08", NGX_ERROR, NULL },
        { "forbidden bit", "00000004a601af08", NGX_ERROR, NULL },
    };

    ngx_memzero(&params, sizeof(params));

    params.nal_length = 4;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        char  said[5];

        p = media_hex(tests[i].frame, &len);

        is(ngx_media_h265_codec.frame(&params, p, p + len, &info),
           tests[i].rc, "frame, %s", tests[i].name);

        if (tests[i].rc == NGX_OK) {
            snprintf(said, sizeof(said), "%c%c%c%c", info.key ? 'k' : '-',
                     info.leading ? 'l' : '-', info.config ? 'c' : '-',
                     info.empty ? 'e' : '-');
            is_text(said, 4, tests[i].info, "%s", tests[i].name);
        }

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);
            (void) ngx_media_h265_codec.frame(&params, q, q + n, &info);
            free(q);
        }

        free(p);
    }
}


int
main(void)
{
    test_records();
    test_strings();
    test_copy();
    test_hostile();
    test_sps();
    test_vps();
    test_frames();

    return done();
}
