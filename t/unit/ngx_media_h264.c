
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_h264.c formats/ngx_media_h264_still.c
         formats/ngx_media_bits.c formats/ngx_media_mp4_desc.c
         formats/ngx_media_video.c */


#include "formats/ngx_media_h264.h"
#include "media_hex.h"


/* records of libx264 and of files, with what ffprobe says of them */

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
    unsigned     nal_length;
    int          reorder;                     /* -1: not said */
    unsigned     interlaced;
    unsigned     chroma;
} records[] = {
    { "baseline 1080p",
      "0142c028ffe100196742c028da01e0089f970110000003001000000303c0f1832a0100"
      "0468ce0fc8",
      "avc1.42c028", 1920, 1080, 1, 1, 30, 1, { 2, 2, 2, 0 }, 8, 4, 0, 0, 1 },

    { "main interlaced, sar 16:11",
      "014d401effe1001c674d401eeca05a126c11a828282a000003000200000300643e2853"
      "2c01000568fba3cb20",
      "avc1.4d401e", 720, 576, 16, 11, 25, 1, { 5, 5, 5, 0 }, 8, 4, 2, 1, 1 },

    { "high, sar 37:29, bt.709",
      "0164001effe100206764001eacd940a02ff97ff0025001d6a020202800001f480005dc"
      "0078b16cb001000668ebe3cb22c0fdf8f800",
      "avc1.64001e", 640, 360, 37, 29, 24000, 1001, { 1, 1, 1, 0 }, 8, 4, 2, 0,
      1 },

    { "high, hrd, overscan, chroma location",
      "0164000cffe100266764000cacd941419f9f01a4b70000030001000003003260200124"
      "f000493f930c01e28532c001000668ebecb3002cfdf8f800",
      "avc1.64000c", 320, 180, 1, 1, 25, 1, { 2, 2, 2, 0 }, 8, 4, 2, 0, 1 },

    { "high 10, full range",
      "016e000dffe1001b676e000da6cd941519e226c05b20000003002000000641e28532c0"
      "01000668ebe3cb22c0fdfafa00",
      "avc1.6e000d", 322, 182, 1, 1, 25, 1, { 2, 2, 2, 1 }, 10, 4, 2, 0, 1 },

    { "high 4:2:2, 10 bits",
      "017a000dffe1001b677a000db6cd941519e2237011000003000100000300320f142996"
      "01000668ebe3cb22c0fefafa00",
      "avc1.7a000d", 322, 180, 1, 1, 25, 1, { 2, 2, 2, 0 }, 10, 4, 2, 0, 2 },

    { "high 4:4:4",
      "01f4000cffe1001967f4000c919b282833f1b808800000030080000019078a14cb0100"
      "0668ebe3c44844fff8f800",
      "avc1.f4000c", 320, 180, 1, 1, 25, 1, { 2, 2, 2, 0 }, 8, 4, 2, 0, 3 },

    { "monochrome",
      "0164000dffe1001b6764000df365054678f8bc05b2000003000200000300641e28532c"
      "01000668ebe3cb22c0fcf8f800",
      "avc1.64000d", 322, 182, 1, 1, 25, 1, { 2, 2, 2, 1 }, 8, 4, 2, 0, 0 },

    { "high 4:2:2 interlaced, 486 lines",
      "017a001effe1001a677a001ebcd940b420fc760220000003002000000643e28532c001"
      "000668fba3cb22c0fef8f800",
      "avc1.7a001e", 720, 486, 1, 1, 25, 1, { 2, 2, 2, 0 }, 8, 4, 2, 1, 2 },

    { "NAL lengths of two bytes, no chroma fields",
      "0164001ffde100196764001facd9404405be5f011000003e90000ea600f18319600100"
      "0468ef8fcb",
      "avc1.64001f", 1080, 720, 1, 1, 30000, 1001, { 2, 2, 2, 0 }, 8, 2, 2, 0,
      1 },

    { "short SPS, no rate",
      "0164003cffe100116764003cacb602802dd35010101078d1b701000468ee3cb0",
      "avc1.64003c", 1280, 720, 0, 0, 0, 0, { 1, 1, 1, 0 }, 8, 4, 0, 0, 1 },

    { "QuickTime, smpte170m",
      "014d001effe1000f274d001ee540501bfdcd418041808001000428ee3c80",
      "avc1.4d001e", 640, 428, 0, 0, 0, 0, { 6, 1, 6, 0 }, 8, 4, -1, 0, 1 },
};


static const char  records_base[] =
    "0142c028ffe100196742c028da01e0089f970110000003001000000303c0f1832a010004"
    "68ce0fc8";


static void
test_records(void)
{
    u_char                  *p, *q, text[NGX_MEDIA_CODEC_STRING_MAX];
    size_t                   i, len, n;
    ngx_media_params_t       params;
    ngx_media_h264_sps_t     sps;
    ngx_media_h264_record_t  record;

    for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        p = media_hex(records[i].record, &len);

        is(ngx_media_h264_codec.config(&params, p, p + len), NGX_OK, "%s",
           records[i].name);

        is(params.codec, NGX_MEDIA_CODEC_H264, "codec");
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
        is(params.nal_length, records[i].nal_length, "nal_length");
        is_mem(params.config, params.config_len, p, len, "config");

        n = ngx_media_h264_codec.string(NULL, &params);
        is(ngx_media_h264_codec.string(text, &params), n, "string size");
        is_text(text, n, records[i].string, "string");

        is(ngx_media_h264_parse_record(&record, p, p + len), NGX_OK,
           "record");
        is(ngx_media_h264_parse_sps(&sps, record.sps.pos, record.sps.last),
           NGX_OK, "sps");
        is(sps.has_reorder ? (int) sps.reorder : -1, records[i].reorder,
           "reorder");
        is(sps.interlaced, records[i].interlaced, "interlaced");
        is(sps.chroma_format, records[i].chroma, "chroma_format");

        n = ngx_media_h264_codec.entry(NULL, &params);
        q = malloc(n);
        is(ngx_media_h264_codec.entry(q, &params), n, "entry size");
        is_mem(q + 4, 4, "avc1", 4, "entry");
        is(q[32] << 8 | q[33], params.width, "entry, width");
        is_mem(q + 86 + 4, 4, "avcC", 4, "avcC");
        is_mem(q + 94, len, p, len, "avcC, content");

        free(q);
        free(p);
    }
}


/* colr and pasp of a sample entry */

static void
test_entry(void)
{
    u_char              *p, *q;
    size_t               len, n;
    ngx_media_params_t   params;

    p = media_hex(records[1].record, &len);

    is(ngx_media_h264_codec.config(&params, p, p + len), NGX_OK, "config");

    n = ngx_media_h264_codec.entry(NULL, &params);
    is(n, 86 + 8 + len + 19 + 16, "entry with colr and pasp");

    q = malloc(n);
    (void) ngx_media_h264_codec.entry(q, &params);

    is_mem(q + n - 16 - 19, 19,
           "\0\0\0\023colrnclx\0\005\0\005\0\005\0", 19, "colr");
    is_mem(q + n - 16, 16, "\0\0\0\020pasp\0\0\0\020\0\0\0\013", 16, "pasp");
    free(q);

    params.primaries = 2;
    params.transfer = 2;
    params.matrix = 2;
    params.sar_num = 0;
    is(ngx_media_h264_codec.entry(NULL, &params), 86 + 8 + len, "neither");

    params.full_range = 1;
    is(ngx_media_h264_codec.entry(NULL, &params), 86 + 8 + len + 19,
       "full range alone");

    free(p);
}


/* each prefix, and each byte of it turned */

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
        { "NAL length 3", 4, 0xfe },
        { "no SPS", 5, 0xe0 },
        { "SPS that is none", 8, 0x68 },
        { "no PPS", 33, 0 },
        { "PPS that is none", 36, 0x67 },
    };

    p = media_hex(records_base, &len);

    for (bad = 0, n = 0; n < len; n++) {
        q = tap_dup(p, n);
        bad += (ngx_media_h264_codec.config(&params, q, q + n) == NGX_OK);
        free(q);
    }

    is(bad, 0, "truncated records are refused");

    for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        free(p);
        p = media_hex(records[i].record, &len);

        for (n = 0; n < len; n++) {
            q = tap_dup(p, len);

            q[n] = 0;
            (void) ngx_media_h264_codec.config(&params, q, q + len);
            q[n] = 0xff;
            (void) ngx_media_h264_codec.config(&params, q, q + len);
            q[n] = p[n] ^ 0x10;
            (void) ngx_media_h264_codec.config(&params, q, q + len);

            free(q);
        }
    }

    free(p);

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        p = media_hex(records_base, &len);
        p[wrong[i].at] = wrong[i].value;
        is(ngx_media_h264_codec.config(&params, p, p + len), NGX_ERROR, "%s",
           wrong[i].name);
        free(p);
    }

    /* several sets are fine as long as there is room */

    n = NGX_MEDIA_CONFIG_MAX;
    p = calloc(1, n + 1);
    q = media_hex(records_base, &len);
    memcpy(p, q, len);
    is(ngx_media_h264_codec.config(&params, p, p + n), NGX_OK,
       "the largest");
    is(ngx_media_h264_codec.config(&params, p, p + n + 1), NGX_DECLINED,
       "one that is larger");
    free(p);
    free(q);
}


static void
test_sps(void)
{
    size_t                i, len;
    u_char               *p;
    ngx_media_h264_sps_t  sps;

    static const struct {
        const char  *name;
        const char  *sps;
        ngx_int_t    rc;
        unsigned     width;
        unsigned     height;
    } tests[] = {
        { "empty", "", NGX_ERROR, 0, 0 },
        { "header only", "67", NGX_ERROR, 0, 0 },
        { "zeros", "6700000000000000000000000000", NGX_ERROR, 0, 0 },

        /* from a camera: the VUI ends in the middle of its timing */
        { "cut in the VUI", "6742c028da01e0089f970110000003", NGX_OK, 1920,
          1080 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].sps, &len);

        is(ngx_media_h264_parse_sps(&sps, p, p + len), tests[i].rc, "sps, %s",
           tests[i].name);

        if (tests[i].rc == NGX_OK) {
            is(sps.width, tests[i].width, "width");
            is(sps.height, tests[i].height, "height");
            is(sps.video.fps_num, 0, "no rate");
            is(sps.video.sar_num, 0, "no sar");
            is(sps.video.primaries, 2, "no color");
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
        unsigned     nal_length;
        ngx_int_t    rc;
        const char  *info;                    /* key leading config empty */
    } tests[] = {
        { "IDR", "0000000465888400", 4, NGX_OK, "k---" },
        { "IDR, two bytes of length", "00056588840011", 2, NGX_OK, "k---" },
        { "IDR, one byte of length", "0465888400", 1, NGX_OK, "k---" },
        { "SPS, PPS, IDR", "0000000267420000000168000000026588", 4, NGX_OK,
          "k-c-" },
        { "AUD, IDR", "0000000209f0000000026588", 4, NGX_OK, "k---" },
        { "IDR field, P field", "00000003658884000000034199aa", 4, NGX_OK,
          "k---" },
        { "P", "0000000a419a236c433ffe9e2df0", 4, NGX_OK, "----" },
        { "b", "00000008019e626a42bf0c38", 4, NGX_OK, "----" },
        { "open GOP: recovery point, I",
          "00000005060601c480000000204188aa00fffef7689f029b5e61aa80e495c523ac"
          "ee82be2a93cb6582b1165d81", 4, NGX_OK, "kl--" },
        { "I without recovery point",
          "000000204188aa00fffef7689f029b5e61aa80e495c523acee82be2a93cb6582b1"
          "165d81", 4, NGX_OK, "----" },
        { "intra refresh: recovery of frames, P",
          "0000000606060234408000000021419a68344cae19ffc766b3cb9965a9620c7775"
          "38e8e6a4274c06aa2178513a9963", 4, NGX_OK, "----" },
        { "recovery point, P", "00000005060601c480000000064199aa00fffe", 4,
          NGX_OK, "----" },
        { "picture timing, no recovery", "00000005060101328000000009019ea2df44"
          "2bff0ca9", 4, NGX_OK, "----" },
        { "timing, then a recovery of one frame, in one SEI, I",
          "0000000806010132060144800000000a4188aa00fffef7689f02", 4, NGX_OK,
          "----" },
        { "timing, then recovery at once, in one SEI, I",
          "00000008060101320601c4800000000a4188aa00fffef7689f02", 4, NGX_OK,
          "kl--" },
        { "long user data before recovery, I",
          "0000001206050b00112233445566778899aa0601c4800000000a4188aa00fffef7"
          "689f02", 4, NGX_OK, "kl--" },
        { "SEI longer than its NAL unit, I",
          "00000006060501ffff800000000a4188aa00fffef7689f02", 4, NGX_OK,
          "----" },
        { "SEI of size bytes without end, I",
          "0000000606ffffffffff0000000a4188aa00fffef7689f02", 4, NGX_OK,
          "----" },
        { "SEI alone", "00000005060601c480", 4, NGX_OK, "---e" },
        { "nothing", "", 4, NGX_OK, "---e" },
        { "length beyond the end", "00000005658884", 4, NGX_ERROR, NULL },
        { "length of zero", "0000000000000001658884", 4, NGX_ERROR, NULL },
        { "length at its maximum", "ffffffff658884", 4, NGX_ERROR, NULL },
        { "half a length", "0000000265880000", 4, NGX_ERROR, NULL },
        { "forbidden bit", "00000002e588", 4, NGX_ERROR, NULL },
        { "annex B", "000000016588840000000141", 4, NGX_ERROR, NULL },
    };

    ngx_memzero(&params, sizeof(params));

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        char  said[5];

        params.nal_length = tests[i].nal_length;
        p = media_hex(tests[i].frame, &len);

        is(ngx_media_h264_codec.frame(&params, p, p + len, &info),
           tests[i].rc, "frame, %s", tests[i].name);

        if (tests[i].rc == NGX_OK) {
            snprintf(said, sizeof(said), "%c%c%c%c", info.key ? 'k' : '-',
                     info.leading ? 'l' : '-', info.config ? 'c' : '-',
                     info.empty ? 'e' : '-');
            is_text(said, 4, tests[i].info, "%s", tests[i].name);
        }

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);
            (void) ngx_media_h264_codec.frame(&params, q, q + n, &info);
            free(q);
        }

        free(p);
    }
}


/* an SEI of intra refresh, and what it is made to say */

static void
test_refresh(void)
{
    size_t            i, len, size;
    u_char           *becomes, *nal;
    uint32_t          frames;
    ngx_int_t         rc;
    ngx_media_span_t  payload, span;

    static const struct {
        const char  *hex;
        uint32_t     frames;                  /* 0: none */
        const char  *becomes;
    } cases[] = {
        /* recovery_frame_cnt 18, exact_match */
        { "06060209c480", 18, "060602c7ff80" },
        /* 1, and no flag: one byte */
        { "0606014180", 1, "0606018480" },
        { "0605020102060209c480", 18, "0605020102060" "2c7ff80" },
        /* at once; another message; not that long; not an SEI */
        { "0606018480", 0, NULL },
        { "0605020102", 0, NULL },
        { "06060509c480", 0, NULL },
        { "06060009c480", 0, NULL },
        { "41060209c480", 0, NULL },
        { "06", 0, NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        nal = media_hex(cases[i].hex, &len);
        span.pos = nal;
        span.last = nal + len;

        rc = ngx_media_h264_refresh(&span, &frames, &payload);

        is(rc, cases[i].becomes ? NGX_OK : NGX_DECLINED, "refresh: %s",
           cases[i].hex);

        if (rc != NGX_OK) {
            free(nal);
            continue;
        }

        is(frames, cases[i].frames, "refresh: frames");

        ngx_media_h264_refresh_at_once(nal + (payload.pos - nal),
                                       payload.last - payload.pos);

        becomes = media_hex(cases[i].becomes, &size);

        is_mem(nal, len, becomes, size, "refresh: at once");
        is(ngx_media_h264_refresh(&span, &frames, &payload), NGX_DECLINED,
           "refresh: it is whole then");

        free(becomes);
        free(nal);
    }
}


int
main(void)
{
    test_records();
    test_entry();
    test_hostile();
    test_sps();
    test_frames();
    test_refresh();

    return done();
}
