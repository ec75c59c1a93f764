
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_ts_es.c formats/ngx_media_ts_mux.c
         formats/ngx_media_ts_push.c */


#include "formats/ngx_media_ts_push.h"
#include "media_hex.h"
#include "media_ts.h"


#define SIZE    (188 * 20000)
#define OFFSET  900000

#define AVCC    "0164001fffe1000467640102" "02" "000268ee" "0003680102"
#define AVCC_1  "0164001ffce1000467640102" "01" "000268ee"
#define HVCC    "01016000000000000000000078f000fcfdf8f800000f"               \
                "01" "a1000100034401c1"


static ngx_media_ts_push_t  push;
static ts_reader_t          reader;
static u_char               out[SIZE];
static size_t               len;
static size_t               nout;             /* bytes of a buffer; 0: many */
static uint32_t             reorder;
static u_char               heads[NGX_MEDIA_TS_TRACKS][256];


static void
start(void)
{
    ngx_media_ts_push_init(&push);
    ts_init(&reader);
    len = 0;
    nout = 0;
    reorder = 0;
}


static ngx_int_t
track(ngx_uint_t n, uint32_t codec, const char *config, uint32_t timescale)
{
    u_char              *p;
    size_t               size;
    ngx_media_ts_es_t    es;
    ngx_media_params_t   params;

    memset(&params, 0, sizeof(ngx_media_params_t));

    p = media_hex(config, &size);
    memcpy(params.config, p, size);
    free(p);

    params.config_len = size;
    params.codec = codec;
    params.timescale = timescale;
    params.type = NGX_MEDIA_AUDIO;

    if (codec == NGX_MEDIA_CODEC_H264 || codec == NGX_MEDIA_CODEC_H265) {
        params.type = NGX_MEDIA_VIDEO;
        params.nal_length = (params.config[4] & 3) + 1;
    }

    if (codec == NGX_MEDIA_CODEC_H265) {
        params.nal_length = 4;
    }

    if (codec == NGX_MEDIA_TS_CODEC_ID3) {
        params.type = NGX_MEDIA_TEXT;
    }

    if (ngx_media_ts_es_init(&es, &params) != NGX_OK) {
        return NGX_ABORT;
    }

    size = ngx_media_ts_es_head(heads[n % NGX_MEDIA_TS_TRACKS], &params);

    return ngx_media_ts_push_track(&push, n, &es,
                                   heads[n % NGX_MEDIA_TS_TRACKS], size,
                                   reorder);
}


/* one NAL unit, or bytes, of a size that is not that of the one before */

static ngx_int_t
frame(ngx_uint_t n, int64_t dts, int32_t cto, uint32_t duration,
    ngx_uint_t key)
{
    size_t                 i, size;
    u_char                *bytes, *p;
    ngx_int_t              rc;
    ngx_uint_t             length;
    ngx_media_ts_frame_t   f;

    size = 20 + (size_t) (dts & 0x7f) + (key ? 100 : 0);
    bytes = malloc(size);

    for (i = 0; i < size; i++) {
        bytes[i] = (u_char) (i | 1);
    }

    length = push.es[n].nal_length;

    for (i = 0; i < length; i++) {
        bytes[i] = (u_char) ((size - length) >> 8 * (length - 1 - i));
    }

    f.dts = dts;
    f.cto = cto;
    f.duration = duration;
    f.key = key;
    f.pos = bytes;
    f.last = bytes + size;

    rc = ngx_media_ts_push_frame(&push, n, &f);

    if (rc == NGX_OK) {
        do {
            p = out + len;
            rc = ngx_media_ts_push_write(&push, &p, nout ? p + nout
                                                         : out + SIZE);
            len = p - out;
        } while (rc == NGX_OK);

        rc = (rc == NGX_DONE) ? NGX_OK : rc;
    }

    free(bytes);

    return rc;
}


static void
finish(const char *name)
{
    ts_read(&reader, out, len);

    ok(reader.error[0] == '\0', "%s: structure %s", name, reader.error);
    ok(reader.pcr_step <= 9000, "%s: PCR every %d", name,
       (int) reader.pcr_step);
    is(reader.breaks, push.breaks, "%s: breaks", name);
    is(push.mux.damaged, 0, "%s: damaged", name);

    ts_free(&reader);
}


/* 4 s of video and audio, from the second frame of audio on by lag */

static unsigned
stream(int64_t base, int64_t lag)
{
    int      i, k;
    unsigned n;

    n = 0;
    k = 0;

    for (i = 0; i < 100; i++) {
        n += frame(0, base * 90000 + i * 3600, i % 3 ? 3600 : 0, 3600,
                   i % 50 == 0) == NGX_OK;

        while (k * 1024 <= (i * 40 - lag) * 48) {
            n += frame(1, base * 48000 + k * 1024, 0, 1024, 1) == NGX_OK;
            k++;
        }
    }

    return n;
}


static void
test_plain(void)
{
    size_t     n;
    u_char    *plain;
    unsigned   bad, frames, i;

    static const size_t  sizes[] = { 1, 7, 188, 1316, 1000 };

    start();

    is(track(0, NGX_MEDIA_CODEC_H264, AVCC, 90000), NGX_OK, "plain: video");
    is(track(1, NGX_MEDIA_CODEC_AAC, "1190", 48000), NGX_OK, "plain: audio");

    frames = stream(1800000000, 0);

    plain = malloc(len);
    memcpy(plain, out, len);
    n = len;

    finish("plain");

    is(frames, reader.nunits, "plain: a PES packet for each frame");
    is(push.late, 0, "plain: nobody is late");
    is(reader.pcr_pid, 0x100, "plain: the clock is that of video");
    ok(reader.tables >= 4000 / 100 && reader.tables <= 4000 / 80 + 2,
       "plain: %u tables", reader.tables);

    bad = 0;

    for (i = 0; i < reader.nunits; i++) {
        bad += !!reader.units[i].random
               != (reader.units[i].pid == 0x100
                   && (reader.units[i].dts - reader.units[0].dts) % 180000
                      == 0);
    }

    is(bad, 0, "plain: random access");

    /* the same through any buffers */

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        start();
        (void) track(0, NGX_MEDIA_CODEC_H264, AVCC, 90000);
        (void) track(1, NGX_MEDIA_CODEC_AAC, "1190", 48000);

        nout = sizes[i];
        (void) stream(1800000000, 0);

        ok(len == n && memcmp(out, plain, n) == 0, "plain: buffers of %d",
           (int) sizes[i]);
    }

    free(plain);
}


/* 33 bits are over in the middle of it */

static void
test_wrap(void)
{
    unsigned  i, wrapped;

    start();
    (void) track(0, NGX_MEDIA_CODEC_H265, HVCC, 90000);
    (void) track(1, NGX_MEDIA_CODEC_AAC, "1190", 48000);

    (void) stream((8589934592ll - OFFSET) / 90000 - 1, 300);
    finish("wrap");

    wrapped = 0;

    for (i = 1; i < reader.nunits; i++) {
        wrapped += reader.units[i].dts + 0x100000000ull
                   < reader.units[i - 1].dts;
    }

    ok(wrapped, "wrap: there is one");
    is(push.late, 0, "wrap: nobody is late");
}


/* what it is changes in the middle, and more comes */

static void
test_change(void)
{
    unsigned  before;

    start();
    (void) track(0, NGX_MEDIA_CODEC_AAC, "1190", 48000);
    is(frame(0, 0, 0, 1024, 1), NGX_OK, "change: audio alone");

    ts_read(&reader, out, len);
    is(reader.pcr_pid, 0x100, "change: its clock");
    before = reader.version;
    len = 0;

    is(track(2, NGX_MEDIA_CODEC_AAC, "1190", 48000), NGX_ERROR,
       "change: not yet");
    is(track(1, NGX_MEDIA_CODEC_H264, AVCC_1, 1000), NGX_OK,
       "change: video");
    is(frame(1, 20, 0, 40, 0), NGX_OK, "change: its frame");
    is(frame(0, 1024, 0, 1024, 1), NGX_OK, "change: one of audio");

    ts_read(&reader, out, len);
    is(reader.version, (before + 1) % 32, "change: other tables");
    is(reader.tables, 2, "change: once");
    is(reader.pcr_pid, 0x101, "change: the clock is that of video");
    is(reader.types[0x101], NGX_MEDIA_TS_H264, "change: H.264");
    len = 0;

    is(track(1, NGX_MEDIA_CODEC_H265, HVCC, 90000), NGX_OK, "change: HEVC");
    is(frame(1, 5400, 0, 3600, 0), NGX_OK, "change: its frame");

    ts_read(&reader, out, len);
    is(reader.version, (before + 2) % 32, "change: tables again");
    is(reader.types[0x101], 0, "change: what it was is no more");
    is(reader.types[0x109], NGX_MEDIA_TS_H265, "change: HEVC");
    is(reader.pcr_pid, 0x109, "change: which has the clock");
    is(reader.units[reader.nunits - 1].pid, 0x109, "change: and the frame");
    is(reader.types[0x100], NGX_MEDIA_TS_ADTS, "change: sound is as it was");
    len = 0;

    is(track(1, NGX_MEDIA_CODEC_H265, HVCC, 90000), NGX_OK, "change: itself");
    is(track(0, NGX_MEDIA_CODEC_AAC, "1210", 44100), NGX_OK,
       "change: another rate");
    is(frame(1, 9000, 0, 3600, 0), NGX_OK, "change: its frame");

    ts_read(&reader, out, len);
    is(reader.types[0x109], NGX_MEDIA_TS_H265, "change: it stays");
    is(reader.types[0x100], NGX_MEDIA_TS_ADTS, "change: of AAC, too");
    len = 0;

    is(track(2, NGX_MEDIA_TS_CODEC_ID3, "", 1000), NGX_OK, "change: ID3");
    is(track(3, NGX_MEDIA_CODEC_MP3, "fffb9064", 44100), NGX_OK,
       "change: MP3");
    is(track(4, NGX_MEDIA_TS_CODEC_ID3, "", 1000), NGX_OK, "change: more");
    is(track(5, NGX_MEDIA_TS_CODEC_ID3, "", 1000), NGX_OK, "change: more");
    is(track(6, NGX_MEDIA_CODEC_MP3, "fffb9064", 44100), NGX_OK,
       "change: more");
    is(track(7, NGX_MEDIA_TS_CODEC_ID3, "", 1000), NGX_ERROR,
       "change: the tables are full");
    is(track(7, NGX_MEDIA_CODEC_MP3, "fffb9064", 44100), NGX_OK,
       "change: but for a small one");
    is(track(7, NGX_MEDIA_TS_CODEC_ID3, "", 1000), NGX_ERROR,
       "change: it does not grow");
    is(track(8, NGX_MEDIA_CODEC_MP3, "fffb9064", 44100), NGX_ERROR,
       "change: one too many");
    is(frame(2, 61, 0, 0, 1), NGX_OK, "change: a tag");

    finish("change");

    is(reader.version, (before + 4) % 32, "change: one for both");
    is(reader.types[0x102], NGX_MEDIA_TS_METADATA, "change: metadata");
    is(reader.types[0x107], NGX_MEDIA_TS_MPEG2_AUDIO, "change: MP3 stays");
}


/* descriptors of a track, as they are in the PMT */

static ngx_uint_t
has(const char *hex)
{
    size_t      i, size;
    u_char     *p;
    ngx_uint_t  found;

    p = media_hex(hex, &size);
    found = 0;

    for (i = 0; i + size <= reader.pmt_len; i++) {
        found += (memcmp(reader.pmt + i, p, size) == 0);
    }

    free(p);

    return found;
}


/* what is said of them changes with the track */

static void
test_language(void)
{
    ngx_media_ts_es_t  es;

    start();
    (void) track(0, NGX_MEDIA_CODEC_AAC, "1190", 48000);
    (void) track(1, NGX_MEDIA_CODEC_AC3, "10114000", 48000);

    es = push.es[0];
    memcpy(es.lang, "eng", 3);
    is(ngx_media_ts_push_track(&push, 0, &es, NULL, 0, 0), NGX_OK,
       "language: of AAC");

    es = push.es[1];
    memcpy(es.lang, "fra", 3);
    es.audio_type = NGX_MEDIA_TS_AUDIO_DESCRIPTION;
    is(ngx_media_ts_push_track(&push, 1, &es, NULL, 0, 0), NGX_OK,
       "language: of AC-3");

    is(frame(0, 0, 0, 1024, 1), NGX_OK, "language: a frame");
    finish("language");

    is(has("0fe100f006" "0a04656e6700"), 1, "language: English");
    is(has("81e101f00c" "050441432d33" "0a0466726103"), 1,
       "language: French, a description, and what it was before");
}


/* live streams show pictures at decode times: B-frames before theirs */

static void
test_reorder(ngx_uint_t known)
{
    int       i;
    unsigned  equal, late, wrong;

    /* I P B B, P B B... */

    static const int  cto[] = { 0, 2, -1, -1 };

    start();
    reorder = known;
    (void) track(0, NGX_MEDIA_CODEC_H264, AVCC, 1000);

    for (i = 0; i < 60; i++) {
        (void) frame(0, i * 40, (i == 0 ? 0 : cto[1 + (i - 1) % 3]) * 40, 40,
                     i == 0);
    }

    finish("reorder");

    equal = 0;
    late = 0;
    wrong = 0;

    for (i = 0; i < (int) reader.nunits; i++) {
        late += reader.units[i].dts > reader.units[i].pts;
        wrong += reader.units[i].pts
                 != (unsigned) (i + (i == 0 ? 0 : cto[1 + (i - 1) % 3])) * 3600
                    + OFFSET;

        if (i > 0) {
            wrong += reader.units[i].dts < reader.units[i - 1].dts;
            equal += reader.units[i].dts == reader.units[i - 1].dts;
        }

        if (known) {
            wrong += reader.units[i].dts
                     != (unsigned) i * 3600 + OFFSET - known * 3600;
        }
    }

    is(late, 0, "reorder: decoded before they are shown");
    is(wrong, 0, "reorder: times");
    ok(known ? equal == 0 : equal <= 1, "reorder: %u equal", equal);
}


/* times that jump, pauses, tracks that stand still */

static void
test_clock(void)
{
    int  i;

    start();
    (void) track(0, NGX_MEDIA_CODEC_H264, AVCC, 1000);
    (void) track(1, NGX_MEDIA_CODEC_AAC, "1190", 48000);

    for (i = 0; i < 50; i++) {
        (void) frame(0, i * 40, 0, 40, i == 0);
        (void) frame(1, i * 40 * 48, 0, 1920, 1);
    }

    /* a pause of 5 s is none for the clock, nor is one of 9 s of audio alone */

    for (i = 0; i < 50; i++) {
        (void) frame(0, 7000 + i * 40, 0, 40, i == 0);
        (void) frame(1, (7000 + i * 40) * 48, 0, 1920, 1);
    }

    for (i = 50; i < 300; i++) {
        (void) frame(0, 7000 + i * 40, 0, 40, 0);
    }

    (void) frame(1, (7000 + i * 40) * 48, 0, 1920, 1);

    is(push.breaks, 0, "clock: goes on");
    is(push.late, 0, "clock: nobody is late");

    /* audio that comes 12 s too late, for as long as it likes */

    for (i = 300; i < 350; i++) {
        (void) frame(0, 7000 + i * 40, 0, 40, 0);
        (void) frame(1, (i * 40 - 5000) * 48, 0, 1920, 1);
    }

    is(push.late, 50, "clock: what is late is counted");
    is(push.breaks, 0, "clock: that of others goes on");

    /* a jump of all, ahead and back */

    for (i = 0; i < 50; i++) {
        (void) frame(0, 100000 + i * 40, 0, 40, i == 0);
        (void) frame(1, (100000 + i * 40) * 48, 0, 1920, 1);
    }

    is(push.breaks, 1, "clock: ahead");

    for (i = 0; i < 50; i++) {
        (void) frame(0, i * 40, 0, 40, i == 0);
        (void) frame(1, i * 40 * 48, 0, 1920, 1);
    }

    is(push.breaks, 2, "clock: back, once for all");

    finish("clock");
}


static void
test_refused(void)
{
    u_char                byte;
    ngx_media_ts_frame_t  f;

    start();
    (void) track(0, NGX_MEDIA_CODEC_AAC, "1190", 48000);

    memset(&f, 0, sizeof(ngx_media_ts_frame_t));

    f.pos = &byte;
    f.last = &byte;

    is(ngx_media_ts_push_frame(&push, 0, &f), NGX_DECLINED, "no bytes");

    f.pos = out;
    f.last = out + NGX_MEDIA_TS_ADTS_MAX;

    is(ngx_media_ts_push_frame(&push, 0, &f), NGX_DECLINED, "too many");
    is(ngx_media_ts_push_frame(&push, 1, &f), NGX_DECLINED, "no such track");
    is(frame(0, 0, 0, 1024, 1), NGX_OK, "it goes on");

    finish("refused");
}


/* few frames that are reordered, and one that is long: nothing is late */

static void
test_slow(ngx_uint_t fps, ngx_uint_t pictures, ngx_uint_t one)
{
    long        sound, time;
    uint32_t    step;
    ngx_uint_t  i;

    start();
    reorder = (uint32_t) pictures;
    sound = 0;

    (void) track(0, NGX_MEDIA_CODEC_H264, AVCC, 1000);
    (void) track(1, NGX_MEDIA_CODEC_AAC, "1190", 48000);

    for (i = 0; i < fps * 20; i++) {
        time = (long) (i * 1000 / fps);
        step = (uint32_t) (i == one ? 600 : 1000 / fps);

        if (i > one) {
            time += 600 - 1000 / (long) fps;
        }

        (void) frame(0, time, 0, step, i % (fps * 2) == 0);

        for ( /* void */ ; sound * 1024 / 48 <= time + (long) step; sound++) {
            (void) frame(1, sound * 1024, 0, 1024, 1);
        }
    }

    is(push.late, 0, "slow: %d fps, %d are reordered", (int) fps,
       (int) pictures);

    finish("slow");
}


int
main(void)
{
    test_plain();
    test_wrap();
    test_change();
    test_language();
    test_reorder(1);
    test_reorder(0);
    test_reorder(2);
    test_clock();
    test_refused();
    test_slow(1, 2, 99);
    test_slow(2, 2, 99);
    test_slow(3, 4, 99);
    test_slow(25, 2, 250);

    return done();
}
