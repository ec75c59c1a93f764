
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_latm.c formats/ngx_media_aac.c
         formats/ngx_media_bits.c formats/ngx_media_mp4_desc.c */


#include "formats/ngx_media_latm.h"
#include "media_hex.h"


/* what ffmpeg makes of the same frames: LOAS, every fourth has the
   configuration; and the frames */

static const char  *const loas[] = {
    "56e02f200011901fe14109207e0028ca0295559ebdff1e7cdc1f4fa7d377d2fbfcdd4e"
    "00810e3571888a8c4beb1400001c00",
    "56e065b190a1b6749a895dbb76dbfc7e3f6ffe7fafedffcfcff5ffdc2fef982e71a1d2"
    "8c560d92f3d0c26eb559715e4775873c63e2f74ae71a1d28c560d92f3d0c26eb559715"
    "e4775873c63e2f74b6765f5ce832a42a1c1442bc89f427d0af2dbfee0f3fd4000e00",
    "56e0309710ba07e00248956122b9a5f8e77bce1c7d3a0977df411dfc991c77cb452c6f"
    "86f3019fdc8649212fadcd2c00007000",
    "56e03499108a07e001e9156142a9599bdefff8cff9ff177601818181870eb221d6df36"
    "601202dc18903320d983127a12fad4ac00001c00",
    "56e02f200011901fe14108a07e002752051558f1f9ff1edab8147e0b56c0fb28d9c45d"
    "4e22d6d81f629b9d12faca00000700",
    "56e02792908a07e00290a0294cdf8afaeb5703a73439124dba7f86da06872249bce7a4"
    "12fac500000700"
};

static const char  *const raw[] = {
    "21240fc005194052aab3d7bfe3cf9b83e9f4fa6efa5f7f9ba9c01021c6ae311151897d"
    "6280000380",
    "21436ce93512bb76edb7f8fc7edffcff5fdbff9f9febffb85fdf305ce343a518ac1b25"
    "e7a184dd6ab2e2bc8eeb0e78c7c5ee95ce343a518ac1b25e7a184dd6ab2e2bc8eeb0e7"
    "8c7c5ee96cecbeb9d06548543828857913e84fa15e5b7fdc1e7fa8001c",
    "21740fc004912ac245734bf1cef79c38fa7412efbe823bf93238ef968a58df0de6033f"
    "b90c92425f5b9a580000e0",
    "21140fc003d22ac28552b337bdfff19ff3fe2eec030303030e1d6443adbe6cc02405b8"
    "31206641b30624f425f5a958000038",
    "21140fc004ea40a2ab1e3f3fe3db57028fc16ad81f651b388ba9c45adb03ec5373a25f"
    "59400000e0",
    "21140fc00521405299bf15f5d6ae074e6872249b74ff0db40d0e449379cf4825f58a00"
    "000e"
};

#define FRAMES  (sizeof(raw) / sizeof(raw[0]))


/* a writer of elements, bit by bit */

static u_char      element[NGX_MEDIA_LATM_MAX];
static ngx_uint_t  bit;


static void
put(ngx_uint_t n, uint32_t value)
{
    while (n--) {
        if (n < 32 && (value >> n & 1)) {
            element[3 + bit / 8] |= 0x80 >> bit % 8;
        }

        bit++;
    }
}


static void
put_hex(const char *text)
{
    size_t   i, len;
    u_char  *p;

    p = media_hex(text, &len);

    for (i = 0; i < len; i++) {
        put(8, p[i]);
    }

    free(p);
}


static void
begin(void)
{
    memset(element, 0, sizeof(element));
    bit = 0;
}


static ngx_int_t
parse(ngx_media_latm_t *latm)
{
    size_t      size;
    u_char     *p;
    ngx_int_t   rc;

    size = (bit + 7) / 8;

    element[0] = 0x56;
    element[1] = (u_char) (0xe0 | size >> 8);
    element[2] = (u_char) size;

    p = tap_dup(element, 3 + size);
    rc = ngx_media_latm_parse(latm, p, p + 3 + size);
    free(p);

    return rc;
}


/* of one program and layer, up to its AudioSpecificConfig, in version 0 */

static void
begin_mux(ngx_uint_t frames, ngx_uint_t programs, ngx_uint_t layers)
{
    begin();
    put(1, 0);                            /* useSameStreamMux */
    put(1, 0);                            /* audioMuxVersion */
    put(1, 1);                            /* allStreamsSameTimeFraming */
    put(6, frames - 1);
    put(4, programs - 1);
    put(3, layers - 1);
}


/* frames of so many bytes, each of which is what and its place */

static void
put_bytes(ngx_uint_t n, u_char what)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        put(8, (u_char) (what + i));
    }
}


static void
is_bytes(const ngx_media_latm_t *latm, ngx_uint_t i, ngx_uint_t n,
    u_char what, const char *name)
{
    ngx_uint_t               k, wrong;
    const ngx_media_span_t  *frame;

    frame = &latm->frames[i];
    wrong = ngx_media_span_len(frame) != n;

    for (k = 0; !wrong && k < n; k++) {
        wrong = frame->pos[k] != (u_char) (what + k);
    }

    ok(i < latm->nframes && !wrong, "%s: frame %d", name, (int) i);
}


static void
test_ffmpeg(void)
{
    size_t            len, n;
    u_char           *config, *p, *q;
    ngx_uint_t        i;

    static ngx_media_latm_t  latm;

    ngx_media_latm_init(&latm);
    config = media_hex("1190", &n);

    p = media_hex(loas[1], &len);
    is(ngx_media_latm_parse(&latm, p, p + len), NGX_AGAIN,
       "ffmpeg: nothing is known yet");
    free(p);

    for (i = 0; i < FRAMES; i++) {
        p = media_hex(loas[i], &len);
        q = media_hex(raw[i], &n);

        is(ngx_media_latm_size(p, p + 3), len, "ffmpeg: size %d", (int) i);
        is(ngx_media_latm_size(p, p + 2), 0, "ffmpeg: of two bytes");
        is(ngx_media_latm_parse(&latm, p, p + len), NGX_OK,
           "ffmpeg: element %d", (int) i);
        is(latm.changed, i == 0, "ffmpeg: its configuration is new");
        is(latm.nframes, 1, "ffmpeg: a frame");
        is_mem(latm.frames[0].pos, ngx_media_span_len(&latm.frames[0]), q, n,
               "ffmpeg: its bytes");

        free(p);
        free(q);
    }

    is_mem(latm.mux.config, latm.mux.config_len, config, 2,
           "ffmpeg: the configuration");

    free(config);
}


/* all that a StreamMuxConfig may say */

static void
test_mux(void)
{
    ngx_uint_t  i;

    static ngx_media_latm_t  latm;

    ngx_media_latm_init(&latm);

    /* frames: one of none */

    begin_mux(3, 1, 1);
    put_hex("1190");
    put(3, 0);                            /* frameLengthType */
    put(8, 0xff);
    put(1, 1);                            /* otherDataPresent */
    put(9, 0x101);
    put(9, 2);
    put(1, 1);                            /* crcCheckPresent */
    put(8, 0x55);

    put(8, 5);
    put_bytes(5, 1);
    put(8, 0);
    put(8, 255);
    put(8, 45);
    put_bytes(300, 7);
    put(8 * 32, 0);
    put(2, 0);

    for (i = 0; i < 258; i++) {
        put(1, 1);
    }

    is(parse(&latm), NGX_OK, "frames: three, and other data");
    is(latm.nframes, 2, "frames: one is empty");
    is_bytes(&latm, 0, 5, 1, "frames");
    is_bytes(&latm, 1, 300, 7, "frames");

    /* and other data is less than it says */

    begin();
    put(1, 1);
    put(8, 0);
    put(8, 0);
    put(8, 1);
    put(8, 9);
    put(250, 0);
    is(parse(&latm), NGX_ERROR, "frames: other data is missing");
    is(latm.nframes, 0, "frames: none");

    /* the first layer of the first program */

    begin_mux(1, 2, 2);
    put_hex("1190");
    put(3, 1);
    put(9, 0);
    put(1, 0);                            /* useSameConfig */
    put_hex("1208");
    put(3, 0);
    put(8, 0xff);
    put(3, 0);                            /* numLayer */
    put(1, 1);
    put(3, 0);
    put(8, 0xff);
    put(2, 0);

    put(8, 3);
    put(8, 2);
    put_bytes(20, 40);
    put_bytes(3, 80);
    put_bytes(2, 90);

    is(parse(&latm), NGX_OK, "layers: three");
    is(latm.changed, 0, "layers: that of before");
    is(latm.nframes, 1, "layers: a frame");
    is_bytes(&latm, 0, 20, 40, "layers");
    is(latm.mux.nlayers, 3, "layers: counted");

    begin();
    put(1, 1);
    put(8, 255);
    put(8, 0);
    put(8, 4);
    put_bytes(20, 41);
    put_bytes(259, 3);
    is(parse(&latm), NGX_OK, "layers: the next element");
    is_bytes(&latm, 0, 20, 41, "layers: next");
}


static void
test_config(void)
{
    size_t   n;
    u_char  *config;

    static ngx_media_latm_t  latm;

    ngx_media_latm_init(&latm);

    /* explicit SBR: its length is what it says */

    begin_mux(1, 1, 1);
    put_hex("2b1188");
    put(1, 0);
    put(3, 0);
    put(8, 0xff);
    put(2, 0);
    put(8, 4);
    put_bytes(4, 1);

    is(parse(&latm), NGX_OK, "config: HE-AAC");
    is(latm.changed, 1, "config: is new");
    config = media_hex("2b118800", &n);
    is_mem(latm.mux.config, latm.mux.config_len, config, n, "config: bytes");
    free(config);
    is_bytes(&latm, 0, 4, 1, "config");

    /* a layout of its own: aligned from where the configuration begins */

    begin_mux(1, 1, 1);
    put_hex("1180");
    put(4 + 2 + 4, 1 << 4 | 3);
    put(4 + 4 + 4, 1 << 8);               /* front */
    put(2 + 3 + 4 + 3, 0);
    put(1 + 4, 1 << 4);                   /* a pair */
    put(1 + 8, 0);
    put(3, 0);
    put(8, 0xff);
    put(2, 0);
    put(8, 4);
    put_bytes(4, 1);

    is(parse(&latm), NGX_OK, "config: program_config_element");
    is(latm.mux.config_len, 8, "config: as long as that");
    is_bytes(&latm, 0, 4, 1, "config: behind it");

    /* version 1 says how long it is: also of what has an extension */

    begin();
    put(1, 0);
    put(1, 1);                            /* audioMuxVersion */
    put(1, 0);
    put(2, 1);                            /* taraBufferFullness */
    put(16, 0x1234);
    put(1, 1);
    put(6, 0);
    put(4, 0);
    put(3, 0);
    put(2, 0);
    put(8, 40);                           /* ascLen */
    put_hex("131056e598");
    put(3, 0);
    put(8, 0xff);
    put(1, 1);
    put(2, 0);
    put(8, 3);                            /* otherDataLenBits */
    put(1, 0);
    put(8, 2);
    put_bytes(2, 1);
    put(3, 7);

    is(parse(&latm), NGX_OK, "config: of version 1");
    is(latm.changed, 1, "config: another one");
    config = media_hex("131056e598", &n);
    is_mem(latm.mux.config, latm.mux.config_len, config, n,
           "config: with its extension");
    free(config);
    is_bytes(&latm, 0, 2, 1, "config: version 1");
}


static void
declined(ngx_media_latm_t *latm, const char *name)
{
    is(parse(latm), NGX_DECLINED, "declined: %s", name);

    begin();
    put(1, 1);
    put(8, 1);
    put(8, 1);
    is(parse(latm), NGX_AGAIN, "declined: and what follows");
}


static void
test_declined(void)
{
    static ngx_media_latm_t  latm;

    ngx_media_latm_init(&latm);

    begin();
    put(3, 3);                            /* audioMuxVersionA */
    put(64, 0);
    declined(&latm, "version A");

    begin_mux(1, 1, 1);
    put_hex("4190");                      /* CELP */
    put(64, 0);
    declined(&latm, "another object type");

    begin_mux(1, 1, 1);
    put_hex("f8e85000");                  /* ELD */
    put(64, 0);
    declined(&latm, "one whose length nobody knows");

    begin_mux(1, 1, 1);
    put_hex("1190");
    put(3, 6);
    put(64, 0);
    declined(&latm, "frames of HVXC");

    begin();
    put(3, 0);
    put(13, 0);
    put_hex("1190");
    put(3, 0);
    put(8, 0xff);
    put(64, 0);
    declined(&latm, "layers of different framing");
}


/* what is short, or has bits turned */

static void
test_malformed(void)
{
    size_t      len, n;
    u_char     *p, *q;
    ngx_uint_t  i, k, wrong;

    static ngx_media_latm_t  before, latm;

    wrong = 0;

    for (i = 0; i < FRAMES; i++) {
        p = media_hex(loas[i], &len);

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);
            wrong += ngx_media_latm_parse(&latm, q, q + n) != NGX_ERROR;

            if (n > 3) {
                q[1] = (u_char) (0xe0 | (n - 3) >> 8);
                q[2] = (u_char) (n - 3);
                wrong += ngx_media_latm_parse(&latm, q, q + n) != NGX_ERROR
                         && i % 4 == 0 && n < len - 1;
            }

            free(q);
        }

        for (n = 3 * 8; n < len * 8; n++) {
            q = tap_dup(p, len);
            q[n / 8] ^= 0x80 >> n % 8;
            (void) ngx_media_latm_parse(&latm, q, q + len);

            for (k = 0; k < latm.nframes; k++) {
                wrong += latm.frames[k].pos < latm.bytes
                         || latm.frames[k].last > latm.bytes + len
                         || latm.frames[k].pos >= latm.frames[k].last;
            }

            free(q);
        }

        free(p);
    }

    is(wrong, 0, "malformed: none is taken");

    /* a configuration that is cut off leaves that of before */

    ngx_media_latm_init(&latm);

    p = media_hex(loas[0], &len);
    (void) ngx_media_latm_parse(&latm, p, p + len);
    before = latm;

    p[2] = 2;
    is(ngx_media_latm_parse(&latm, p, p + 5), NGX_ERROR, "malformed: short");
    is_mem((u_char *) &latm.mux, sizeof(latm.mux), (u_char *) &before.mux,
           sizeof(latm.mux), "malformed: what holds is that of before");
    free(p);

    p = media_hex("56e000", &len);
    is(ngx_media_latm_size(p, p + len), 0, "malformed: of nothing");
    is(ngx_media_latm_parse(&latm, p, p + len), NGX_ERROR,
       "malformed: of nothing");
    free(p);
}


int
main(void)
{
    test_ffmpeg();
    test_mux();
    test_config();
    test_declined();
    test_malformed();

    return done();
}
