
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_mp4_box.c formats/ngx_media_mp4_entry.c
         formats/ngx_media_mp4_moov.c formats/ngx_media_record.c
         formats/ngx_media_sets.c formats/ngx_media_text.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_entry.h"
#include "media_hex.h"


#define BASE  100


static ngx_media_mp4_track_t  track;
static ngx_media_mp4_error_t  error;
static ngx_media_mp4_moov_t   moov = { &track, 1, &error, 1000, 0, 1, 0, 0,
                                       NULL, BASE };


/* what stands in front of the boxes of an entry */

#define HEAD    "0000000000000001"
#define ZEROS   "00000000000000000000000000000000"
#define VISUAL  HEAD ZEROS "02800168" "0048000000480000" "00000000" "0001"    \
                ZEROS ZEROS "0018" "ffff"
#define COMMON  "0000" "00000000" "0002" "0010" "0000" "0000" "bb800000"
#define AUDIO   HEAD "0000" COMMON
#define AUDIO1  HEAD "0001" COMMON "00000400" "00000000" "00000000" "00000002"
#define AUDIO2  HEAD "0002" "0000" "00000000" "0003" "0010" "fffe" "0000"     \
                "00010000" "00000048" "40e7700000000000" "00000006"           \
                "7f000000" ZEROS

/* esds of AAC, and of a codec without a configuration */
#define DECODER(oti)  oti "15" "000000" "000001f4" "000001f4"
#define ESDS    "0000002765736473" "00000000" "0319" "000000"                 \
                "0411" DECODER("40") "0502" "1190" "060102"
#define OTHER(oti)                                                            \
                "0000002365736473" "00000000" "0315" "000000"                 \
                "040d" DECODER(oti) "060102"

/* a configuration of H.264 */
#define AVCC    "0142c028ffe100196742c028da01e0089f970110000003001000000303c0" \
                "f1832a01000468ce0fc8"


static const struct {
    const char  *name;
    const char  *handler;
    uint32_t     version;         /* of stsd */
    const char  *type;
    const char  *bytes;           /* of the entry, without its header */
    ngx_int_t    rc;
    const char  *codec;
    const char  *config;          /* NULL: there is none */
    const char  *error;
    unsigned     width;           /* or channels */
    unsigned     height;          /* or rate */
    ngx_int_t    params;
} tests[] = {

    { "avc1", "vide", 0, "avc1", VISUAL "0000000c6176634301020304", NGX_OK,
      "avc1", "01020304", NULL, 640, 360, NGX_ERROR },
    { "avc3", "vide", 0, "avc3", VISUAL "0000000c6176634301020304", NGX_OK,
      "avc1", "01020304", NULL, 640, 360, NGX_ERROR },
    { "hev1", "vide", 0, "hev1", VISUAL "0000000c6876634301020304", NGX_OK,
      "hvc1", "01020304", NULL, 640, 360, NGX_ERROR },
    { "avc1 without avcC", "vide", 0, "avc1", VISUAL, NGX_OK, "avc1", NULL,
      NULL, 640, 360, NGX_ERROR },
    { "avc1 with two avcC", "vide", 0, "avc1",
      VISUAL "00000008617663430000000861766343", NGX_ERROR, NULL, NULL,
      "is duplicate", 0, 0, 0 },
    { "av01", "vide", 0, "av01", VISUAL "0000000c6176314381000c00", NGX_OK,
      "av01", "81000c00", NULL, 640, 360, NGX_DONE },
    { "vp09", "vide", 0, "vp09", VISUAL "0000001076706343" "0100000000000000",
      NGX_OK, "vp09", "0100000000000000", NULL, 640, 360, NGX_DONE },
    { "unknown video", "vide", 0, "xvid", VISUAL, NGX_OK, NULL, NULL, NULL,
      640, 360, NGX_DECLINED },
    { "short video", "vide", 0, "avc1", "0000000000000001000000000000",
      NGX_ERROR, NULL, NULL, "is too short", 0, 0, 0 },
    { "a box with a wrong size", "vide", 0, "avc1",
      VISUAL "0000000d6176634301020304", NGX_ERROR, NULL, NULL,
      "a box in it has a wrong size", 0, 0, 0 },
    { "zeros at the end", "vide", 0, "avc1",
      VISUAL "0000000c617663430102030400000000", NGX_OK, "avc1", "01020304",
      NULL, 640, 360, NGX_ERROR },

    { "mp4a", "soun", 0, "mp4a", AUDIO ESDS, NGX_OK, "mp4a", "1190", NULL, 2,
      48000, NGX_OK },
    { "mp4a, lengths of four bytes", "soun", 0, "mp4a",
      AUDIO "0000003365736473" "00000000" "0380808022" "000000" "0480808014"
      DECODER("40") "0580808002" "1190" "0680808001" "02", NGX_OK, "mp4a",
      "1190", NULL, 2, 48000, NGX_OK },
    { "mp4a, all of ES", "soun", 0, "mp4a",
      AUDIO "0000002f65736473" "00000000" "0321" "0001e0" "0002" "03616263"
      "0003" "0411" DECODER("40") "0502" "1190" "060102", NGX_OK, "mp4a",
      "1190", NULL, 2, 48000, NGX_OK },
    { "mp4a, no decoder", "soun", 0, "mp4a",
      AUDIO "0000001165736473" "00000000" "0303" "000000", NGX_ERROR, NULL,
      NULL, "has no decoder descriptor", 0, 0, 0 },
    { "mp4a, short decoder", "soun", 0, "mp4a",
      AUDIO "0000001465736473" "00000000" "0306" "000000" "0401" "40",
      NGX_ERROR, NULL, NULL, "has a short decoder descriptor", 0, 0, 0 },
    { "mp4a is MPEG-2 AAC", "soun", 0, "mp4a", AUDIO OTHER("67"), NGX_OK,
      "mp4a", NULL, NULL, 2, 48000, NGX_ERROR },
    { "mp4a is MP3", "soun", 0, "mp4a", AUDIO OTHER("6b"), NGX_OK, ".mp3",
      NULL, NULL, 2, 48000, NGX_OK },
    { "mp4a is Vorbis", "soun", 0, "mp4a", AUDIO OTHER("dd"), NGX_OK, NULL,
      NULL, NULL, 2, 48000, NGX_DECLINED },
    { "mp4a without esds", "soun", 0, "mp4a", AUDIO, NGX_OK, NULL, NULL, NULL,
      2, 48000, NGX_DECLINED },
    { "mp4a, no ES", "soun", 0, "mp4a", AUDIO "0000000c6573647300000000",
      NGX_ERROR, NULL, NULL, "has no ES descriptor", 0, 0, 0 },
    { "mp4a, ES beyond", "soun", 0, "mp4a", AUDIO "000000106573647300000000"
      "037f0000", NGX_ERROR, NULL, NULL, "has no decoder descriptor", 0, 0,
      0 },
    { ".mp3", "soun", 0, ".mp3", AUDIO, NGX_OK, ".mp3", NULL, NULL, 2, 48000,
      NGX_OK },
    { "Opus", "soun", 0, "Opus", AUDIO "00000013644f7073"
      "0002013800003e80000000", NGX_OK, "Opus", "0002013800003e80000000", NULL,
      2, 48000, NGX_DONE },
    { "ac-3", "soun", 0, "ac-3", AUDIO "0000000b64616333" "100b80", NGX_OK,
      "ac-3", "100b80", NULL, 2, 48000, NGX_DONE },
    { "ec-3", "soun", 0, "ec-3", AUDIO "0000000d64656333" "0c00200000",
      NGX_OK, "ec-3", "0c00200000", NULL, 2, 48000, NGX_DONE },
    { "fLaC", "soun", 0, "fLaC", AUDIO "0000000d64664c61" "0000000080",
      NGX_OK, "fLaC", "0000000080", NULL, 2, 48000, NGX_DONE },

    /* QuickTime's sound descriptions */

    { "version 1", "soun", 0, "mp4a", AUDIO1 ESDS, NGX_OK, "mp4a", "1190",
      NULL, 2, 48000, NGX_OK },
    { "version 1, wave", "soun", 0, "mp4a", AUDIO1 "0000004f77617665"
      "0000000c66726d61" "6d703461" "0000000c6d703461" "00000000" ESDS
      "0000000800000000", NGX_OK, "mp4a", "1190", NULL, 2, 48000, NGX_OK },
    { "version 1 in stsd of version 1", "soun", 1, "mp4a",
      HEAD "0001" COMMON ESDS, NGX_OK, "mp4a", "1190", NULL, 2, 48000,
      NGX_OK },
    { "version 2", "soun", 0, "mp4a", AUDIO2 ESDS, NGX_OK, "mp4a", "1190",
      NULL, 6, 48000, NGX_OK },

    /* text */

    { "tx3g", "sbtl", 0, "tx3g", "0000000000000001" "0102030405", NGX_OK,
      "tx3g", "0102030405", NULL, 0, 0, NGX_DECLINED },
    { "wvtt", "text", 0, "wvtt", "0000000000000001" "0000000e76747443"
      "574542565454", NGX_OK, "wvtt", "574542565454", NULL, 0, 0,
      NGX_OK },
    { "stpp", "subt", 0, "stpp", "0000000000000001" "687474703a00", NGX_OK,
      "stpp", "687474703a00", NULL, 0, 0, NGX_DECLINED },
    { "QuickTime's text", "text", 0, "text", "0000000000000001" "01", NGX_OK,
      NULL, NULL, NULL, 0, 0, NGX_DECLINED },

    /* not ours */

    { "encv", "vide", 0, "encv", VISUAL "0000000873696e66", NGX_DECLINED,
      NULL, NULL, NULL, 640, 360, 0 },
    { "enca", "soun", 0, "enca", AUDIO "0000000873696e66", NGX_DECLINED, NULL,
      NULL, NULL, 2, 48000, 0 },
    { "encrypted under its own name", "soun", 0, "mp4a",
      AUDIO "0000000873696e66", NGX_DECLINED, NULL, NULL, NULL, 2, 48000, 0 },
    { "a hint track", "hint", 0, "rtp ", "0000000000000001", NGX_DECLINED,
      NULL, NULL, NULL, 0, 0, 0 },
};


static u_char *
stsd(unsigned i, size_t *len)
{
    size_t   n;
    u_char  *p, *q, *bytes;

    bytes = media_hex(tests[i].bytes, &n);
    *len = 16 + n;

    p = calloc(1, *len);
    p[0] = tests[i].version;
    (void) ngx_media_put_be32(p + 4, 1);
    (void) ngx_media_put_be32(p + 8, 8 + n);
    memcpy(p + 12, tests[i].type, 4);
    memcpy(p + 16, bytes, n);

    q = tap_dup(p, *len);

    free(bytes);
    free(p);

    return q;
}


static uint32_t
fourcc(const char *s)
{
    return s ? ngx_media_get_be32((u_char *) s) : 0;
}


static ngx_int_t
get(const u_char *p, size_t len, const char *handler,
    ngx_media_mp4_entry_t *entry)
{
    memset(&track, 0, sizeof(track));
    memset(&error, 0, sizeof(error));

    track.number = 1;
    track.id = 1;
    track.timescale = 48000;
    track.handler = fourcc(handler);
    track.stsd.pos = p;
    track.stsd.last = p + len;

    moov.start = p;

    return ngx_media_mp4_entry(&moov, &track, 1, entry);
}


static void
test_entries(void)
{
    size_t                  len, n;
    u_char                 *config, *p, *q;
    unsigned                i;
    ngx_int_t               rc;
    ngx_media_params_t      params;
    ngx_media_mp4_entry_t   entry;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = stsd(i, &len);

        rc = get(p, len, tests[i].handler, &entry);
        is(rc, tests[i].rc, "%s", tests[i].name);

        if (rc == NGX_ERROR) {
            is_text(error.text, strlen(error.text), tests[i].error, "error");
            ok(error.depth >= 6 && error.offset >= BASE
               && error.offset <= BASE + len, "place");

        } else {
            is_hex(entry.format, fourcc(tests[i].type), "format");

            if (rc == NGX_OK) {
                is_hex(entry.codec, fourcc(tests[i].codec), "codec");
            }

            is(entry.type == NGX_MEDIA_AUDIO ? entry.channels : entry.width,
               tests[i].width, "size");
            is(entry.type == NGX_MEDIA_AUDIO ? entry.sample_rate
                                             : entry.height,
               tests[i].height, "rate");
        }

        if (rc == NGX_OK && tests[i].config) {
            config = media_hex(tests[i].config, &n);
            is_mem(entry.config.pos, ngx_media_span_len(&entry.config),
                   config, n, "config");
            free(config);

        } else if (rc == NGX_OK) {
            ok(entry.config.pos == NULL, "no config");
        }

        if (rc == NGX_DECLINED) {
            is(entry.encrypted, tests[i].type[0] != 'r', "encrypted");
        }

        /* NGX_DONE here: it depends on whether there is such a codec */

        if (rc == NGX_OK) {
            rc = ngx_media_mp4_params(&moov, &track, &entry, NULL, &params);

            if (tests[i].params != NGX_DONE) {
                is(rc, tests[i].params, "params");
            }

            if (rc == NGX_OK) {
                is(params.timescale, 48000, "timescale");
            }
        }

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);

            rc = get(q, n, tests[i].handler, &entry);

            if (rc != NGX_ERROR || error.offset > BASE + n) {
                ok(n >= 16 && tests[i].rc == NGX_DECLINED, "%s: %u bytes",
                   tests[i].name, (unsigned) n);
            }

            free(q);
        }

        /* the entry cut short, and said to be so */

        for (n = 16; n < len; n++) {
            q = tap_dup(p, n);
            (void) ngx_media_put_be32(q + 8, n - 8);

            if (get(q, n, tests[i].handler, &entry) == NGX_OK) {
                (void) ngx_media_mp4_params(&moov, &track, &entry, NULL,
                                            &params);
            }

            free(q);
        }

        free(p);
    }
}


/* pasp, colr, btrt, Dolby Vision, external data */

static void
test_extras(void)
{
    u_char                 *p, *q;
    size_t                  len;
    unsigned                i;
    ngx_media_params_t      params;
    ngx_media_mp4_entry_t   entry;

    /* of the entry, of tkhd, and what comes of it; the stream: 1920x1080 */

    static const uint32_t  sizes[][4] = {
        { 1910, 1080, 1910, 19101080 },
        { 1920, 1079, 1910, 19201079 },
        { 1910, 1080, 0, 19201080 },
        { 1904, 1080, 1904, 19201080 },
        { 1910, 1081, 1910, 19201080 },
        { 1910, 0, 1910, 19201080 },
        { 0, 1080, 1910, 19201080 },
    };

    static const char  hex[] =
        "00000000" "00000002" "00000000" "61766331" VISUAL
        "0000000c61766343" "01020304"
        "0000001070617370" "00000010" "0000000b"
        "0000000c636f6c72" "70726f66"
        "00000013636f6c72" "6e636c78" "0009" "0010" "0009" "80"
        "00000013636f6c72" "6e636c78" "0001" "0001" "0001" "00"
        "0000001462747274" "00000000" "004c4b40" "003d0900"
        "0000001864766343" "01001025" "000000000000000000000000"
        "0000001864767643" "02001025" "000000000000000000000000"
        "0000000861766331";

    p = media_hex(hex, &len);
    (void) ngx_media_put_be32(p + 8, len - 8 - 8);

    is(get(p, len, "vide", &entry), NGX_OK, "extras");
    is(entry.sar_num, 16, "sar");
    is(entry.sar_den, 11, "sar");
    ok(entry.color, "color");
    is(entry.primaries, 9, "primaries");
    is(entry.transfer, 16, "transfer");
    is(entry.matrix, 9, "matrix");
    is(entry.full_range, 1, "range");
    is(entry.max_bitrate, 5000000, "max");
    is(entry.avg_bitrate, 4000000, "average");
    is(ngx_media_span_len(&entry.dovi), 16, "Dolby Vision");
    is(entry.dovi.pos[0], 1, "the first");

    is(ngx_media_mp4_entry(&moov, &track, 2, &entry), NGX_ERROR,
       "the second is short");
    is(ngx_media_mp4_entry(&moov, &track, 3, &entry), NGX_DONE, "no third");
    is(ngx_media_mp4_entry(&moov, &track, 0, &entry), NGX_DONE, "no zeroth");

    /* what the stream does not say is taken from the container */

    (void) ngx_media_mp4_entry(&moov, &track, 1, &entry);
    q = media_hex(AVCC, &len);
    entry.config.pos = q;
    entry.config.last = q + len;

    is(ngx_media_mp4_params(&moov, &track, &entry, NULL, &params), NGX_OK,
       "params");
    is(params.width, 1920, "width of the stream");
    is(params.transfer, 16, "transfer of the container");
    is(params.full_range, 1, "range of the container");
    is(params.timescale, 48000, "timescale of the track");
    is(params.sar_num * 100 + params.sar_den, 1611, "shape of the container");

    /* its size, if it crops macroblocks */

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        entry.width = sizes[i][0];
        entry.height = sizes[i][1];
        track.width = sizes[i][2];
        track.height = track.width;

        is(ngx_media_mp4_params(&moov, &track, &entry, NULL, &params), NGX_OK,
           "size %u", i);
        is(params.width * 10000 + params.height, sizes[i][3], "size %u", i);
    }

    track.width = 0;
    track.height = 0;
    free(q);

    /* a data reference to another file */

    track.dref.pos = (u_char *) "\0\0\0\0" "\0\0\0\1" "\0\0\0\14url \0\0\0\1";
    track.dref.last = track.dref.pos + 20;
    is(ngx_media_mp4_entry(&moov, &track, 1, &entry), NGX_OK, "in this file");

    track.dref.pos = (u_char *) "\0\0\0\0" "\0\0\0\1" "\0\0\0\14url \0\0\0\0";
    track.dref.last = track.dref.pos + 20;
    is(ngx_media_mp4_entry(&moov, &track, 1, &entry), NGX_DECLINED,
       "in another file");
    ok(entry.external && !entry.encrypted, "external");

    track.stsd.pos = NULL;
    is(ngx_media_mp4_entry(&moov, &track, 1, &entry), NGX_ERROR, "no stsd");
    is_text(error.text, strlen(error.text), "is missing", "error");

    free(p);
}


int
main(void)
{
    test_entries();
    test_extras();

    return done();
}
