
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_mp4_chunk.c formats/ngx_media_mp4_write.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_chunk.h"
#include "formats/ngx_media_mp4_write.h"
#include "media_hex.h"


static const char  avcc[] =
    "014d401effe1001c674d401eeca05a126c11a828282a000003000200000300643e28532c"
    "01000568fba3cb20";


/*
 * The names and sizes of all boxes, as "name(size) ..." with containers
 * opened; an independent walk.
 */

static void
walk(const u_char *p, const u_char *last, char **text)
{
    uint32_t  size;

    while (p < last) {
        if (last - p < 8) {
            *text += sprintf(*text, "short ");
            return;
        }

        size = ngx_media_get_be32(p);

        if (size < 8 || size > (size_t) (last - p)) {
            *text += sprintf(*text, "bad ");
            return;
        }

        *text += sprintf(*text, "%.4s(%u) ", (char *) p + 4, size);

        if (strstr("moov trak edts mdia minf stbl mvex moof traf dinf",
                   (char[5]) { p[4], p[5], p[6], p[7], 0 }))
        {
            walk(p + 8, p + size, text);
        }

        p += size;
    }
}


static const u_char *
find(const u_char *p, const u_char *last, const char *name)
{
    for ( /* void */ ; p + 4 <= last; p++) {
        if (memcmp(p, name, 4) == 0) {
            return p + 4;
        }
    }

    return NULL;
}


static void
test_init(void)
{
    char                      text[2048], *end;
    u_char                   *config, *p;
    size_t                    len, n;
    const u_char             *q;
    ngx_media_params_t        params;

    config = media_hex(avcc, &len);
    (void) ngx_media_codec_find(NGX_MEDIA_CODEC_H264)->config(&params, config,
                                                              config + len);

    n = ngx_media_mp4_write_init(NULL, &params);
    p = malloc(n);
    is(ngx_media_mp4_write_init(p, &params), n, "video, size");

    end = text;
    walk(p, p + n, &end);
    is_text(text, end - text,
            "ftyp(28) moov(670) mvhd(108) trak(514) tkhd(92) mdia(414) "
            "mdhd(32) hdlr(45) minf(329) vmhd(20) dinf(36) dref(28) stbl(265) "
            "stsd(189) stts(16) stsc(16) stsz(20) stco(16) "
            "mvex(40) trex(32) ", "video, boxes");

    is_mem(p + 8, 20, "cmf2\0\0\0\0iso6cmfccmf2", 20, "brands");

    q = find(p, p + n, "tkhd");
    is(ngx_media_get_be32(q), 3, "tkhd, flags");
    is(ngx_media_get_be32(q + 12), 1, "track_ID");
    is(ngx_media_get_be32(q + 76), (uint32_t) (720ull * 65536 * 16 / 11),
       "width with SAR, 16.16");
    is(ngx_media_get_be32(q + 80), 576 << 16, "height");

    q = find(p, p + n, "mdhd");
    is(ngx_media_get_be32(q + 12), 360000, "timescale");
    is(ngx_media_get_be32(q + 16), 0, "duration");

    q = find(p, p + n, "trex");
    is_hex(ngx_media_get_be32(q + 20), 0x01010000, "default flags");

    ok(find(p, p + n, "edts") == NULL, "no edit list");
    free(p);

    /* ISO/IEC 23000-19, 7.5.13: an offset of all composition times */

    params.delay = 7200;

    n = ngx_media_mp4_write_init(NULL, &params);
    p = malloc(n);
    is(ngx_media_mp4_write_init(p, &params), n, "delay, size");

    end = text;
    walk(p, p + n, &end);
    is_text(text, end - text,
            "ftyp(24) moov(706) mvhd(108) trak(550) tkhd(92) edts(36) "
            "elst(28) mdia(414) "
            "mdhd(32) hdlr(45) minf(329) vmhd(20) dinf(36) dref(28) stbl(265) "
            "stsd(189) stts(16) stsc(16) stsz(20) stco(16) "
            "mvex(40) trex(32) ", "delay, boxes");

    is_mem(p + 8, 16, "cmfc\0\0\0\0iso6cmfc", 16, "delay, brands");

    q = find(p, p + n, "elst");
    is(ngx_media_get_be32(q), 0, "elst, version");
    is(ngx_media_get_be32(q + 4), 1, "one edit");
    is(ngx_media_get_be32(q + 8), 0, "of all that comes");
    is(ngx_media_get_be32(q + 12), 7200, "from the delay on");
    is_hex(ngx_media_get_be32(q + 16), 0x00010000, "at normal speed");
    free(p);
    free(config);

    is(ngx_media_aac_params(&params, 48000, 2), NGX_OK, "audio");

    n = ngx_media_mp4_write_init(NULL, &params);
    p = malloc(n);
    is(ngx_media_mp4_write_init(p, &params), n, "audio, size");

    end = text;
    walk(p, p + n, &end);
    is_text(text, end - text,
            "ftyp(28) moov(568) mvhd(108) trak(412) tkhd(92) mdia(312) "
            "mdhd(32) hdlr(45) minf(227) smhd(16) dinf(36) dref(28) stbl(167) "
            "stsd(91) stts(16) stsc(16) stsz(20) stco(16) "
            "mvex(40) trex(32) ", "audio, boxes");

    q = find(p, p + n, "tkhd");
    is(ngx_media_get_be16(q + 36), 0x0100, "volume");
    is(ngx_media_get_be32(q + 76), 0, "no width");
    q = find(p, p + n, "mdhd");
    is(ngx_media_get_be32(q + 12), 48000, "timescale");
    q = find(p, p + n, "trex");
    is_hex(ngx_media_get_be32(q + 20), 0x02000000, "default flags");
    free(p);

    params.codec = 0;
    is(ngx_media_mp4_write_init(NULL, &params), 0, "unknown codec");
}


#define K  0x100                              /* key frame */

static void
test_text(void)
{
    char                text[2048], *end;
    u_char             *p;
    size_t              n;
    const u_char       *q;
    ngx_media_params_t  params;

    static const u_char  config[] = "WEBVTT";

    (void) ngx_media_codec_find(NGX_MEDIA_CODEC_WVTT)->config(&params, config,
                                                              config + 6);

    n = ngx_media_mp4_write_init(NULL, &params);
    p = malloc(n);
    is(ngx_media_mp4_write_init(p, &params), n, "text, size");

    end = text;
    walk(p, p + n, &end);
    is_text(text, end - text,
            "ftyp(28) moov(518) mvhd(108) trak(362) tkhd(92) mdia(262) "
            "mdhd(32) hdlr(44) minf(178) nmhd(12) dinf(36) dref(28) stbl(122) "
            "stsd(46) stts(16) stsc(16) stsz(20) stco(16) "
            "mvex(40) trex(32) ", "text, boxes");

    q = find(p, p + n, "hdlr");
    is_mem(q + 8, 4, "text", 4, "text, handler");
    is_mem(find(p, p + n, "vttC"), 6, config, 6, "text, configuration");

    free(p);
}


static void
test_chunks(void)
{
    char                       text[2048], *end;
    u_char                    *p;
    size_t                     i, j, len, n;
    const u_char              *q;
    ngx_media_sample_t         samples[4];
    ngx_media_mp4_chunk_t      chunk;
    ngx_media_mp4_frame_t      frame;
    ngx_media_mp4_reader_t     reader;

    /* of each sample: flags and size, duration, composition offset */

    static const struct {
        const char  *name;
        const char  *boxes;
        unsigned     styp;
        unsigned     type;
        uint32_t     tfhd;
        uint32_t     trun;
        uint32_t     flags;                   /* default_sample_flags */
        unsigned     nsamples;
        int          samples[4][3];
    } tests[] = {
        { "first is key, constant rate",
          "styp(28) moof(112) mfhd(16) traf(88) tfhd(24) tfdt(20) trun(36) ",
          1, NGX_MEDIA_VIDEO, 0x020028, 0x000205, 0x01010000, 3,
          { { K + 7, 14400, 0 }, { 5, 14400, 0 }, { 6, 14400, 0 } } },

        { "no key",
          "moof(104) mfhd(16) traf(80) tfhd(24) tfdt(20) trun(28) ",
          0, NGX_MEDIA_VIDEO, 0x020028, 0x000201, 0x01010000, 2,
          { { 7, 14400, 0 }, { 5, 14400, 0 } } },

        { "durations differ, composition offsets of both signs",
          "moof(132) mfhd(16) traf(108) tfhd(20) tfdt(20) trun(60) ",
          0, NGX_MEDIA_VIDEO, 0x020020, 0x000b05, 0x01010000, 3,
          { { K + 7, 14400, 0 }, { 5, 14401, 28800 }, { 6, 1, -14400 } } },

        { "key in the middle",
          "moof(124) mfhd(16) traf(100) tfhd(20) tfdt(20) trun(52) ",
          0, NGX_MEDIA_VIDEO, 0x020008, 0x000601, 0, 4,
          { { 7, 14400, 0 }, { 5, 14400, 0 }, { K + 6, 14400, 0 },
            { 1, 14400, 0 } } },

        { "two keys, the first one too",
          "moof(116) mfhd(16) traf(92) tfhd(20) tfdt(20) trun(44) ",
          0, NGX_MEDIA_VIDEO, 0x020008, 0x000601, 0, 3,
          { { K + 7, 14400, 0 }, { 5, 14400, 0 }, { K + 6, 14400, 0 } } },

        { "intra only",
          "moof(104) mfhd(16) traf(80) tfhd(24) tfdt(20) trun(28) ",
          0, NGX_MEDIA_VIDEO, 0x020028, 0x000201, 0x02000000, 2,
          { { K + 7, 14400, 0 }, { K + 5, 14400, 0 } } },

        { "audio of one size",
          "moof(100) mfhd(16) traf(76) tfhd(28) tfdt(20) trun(20) ",
          0, NGX_MEDIA_AUDIO, 0x020038, 0x000001, 0x02000000, 3,
          { { K + 6, 1024, 0 }, { K + 6, 1024, 0 }, { K + 6, 1024, 0 } } },

        { "audio, durations differ",
          "styp(28) moof(116) mfhd(16) traf(92) tfhd(20) tfdt(20) trun(44) ",
          1, NGX_MEDIA_AUDIO, 0x020020, 0x000301, 0x02000000, 3,
          { { K + 6, 1024, 0 }, { K + 7, 1025, 0 }, { K + 6, 1023, 0 } } },

        { "one sample",
          "moof(100) mfhd(16) traf(76) tfhd(28) tfdt(20) trun(20) ",
          0, NGX_MEDIA_VIDEO, 0x020038, 0x000001, 0x02000000, 1,
          { { K + 255, 14400, 0 } } },

        { "empty samples",
          "moof(100) mfhd(16) traf(76) tfhd(28) tfdt(20) trun(20) ",
          0, NGX_MEDIA_VIDEO, 0x020038, 0x000001, 0x01010000, 2,
          { { 0, 14400, 0 }, { 0, 14400, 0 } } },

        { "no samples",
          "moof(100) mfhd(16) traf(76) tfhd(28) tfdt(20) trun(20) ",
          0, NGX_MEDIA_AUDIO, 0x020038, 0x000001, 0x02000000, 0, { { 0 } } },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        len = 0;
        ngx_memzero(&chunk, sizeof(chunk));

        for (j = 0; j < tests[i].nsamples; j++) {
            samples[j].size = tests[i].samples[j][0] & 0xff;
            samples[j].key = tests[i].samples[j][0] >> 8;
            samples[j].duration = tests[i].samples[j][1];
            samples[j].cto = tests[i].samples[j][2];
            len += samples[j].size;
        }

        chunk.samples = samples;
        chunk.nsamples = tests[i].nsamples;
        chunk.decode_time = 0x0002123456789abcull;
        chunk.sequence = 0xfedcba98;
        chunk.type = tests[i].type;
        chunk.styp = tests[i].styp;

        n = ngx_media_mp4_write_chunk(NULL, &chunk);
        ok(n <= ngx_media_mp4_chunk_max(chunk.nsamples), "%s",
           tests[i].name);

        p = calloc(1, n + len ? n + len : 1);
        is(ngx_media_mp4_write_chunk(p, &chunk), n, "size");

        end = text;
        walk(p, p + n - 8, &end);
        is_text(text, end - text, tests[i].boxes, "boxes");

        is(ngx_media_get_be32(p + n - 8), 8 + len, "mdat, size");
        is_mem(p + n - 4, 4, "mdat", 4, "mdat");

        q = find(p, p + n, "mfhd");
        is_hex(ngx_media_get_be32(q + 4), 0xfedcba98, "sequence");
        q = find(p, p + n, "tfdt");
        is_hex(ngx_media_get_be32(q), 0x01000000, "tfdt, version");
        is_hex(ngx_media_get_be64(q + 4), chunk.decode_time, "tfdt");
        q = find(p, p + n, "tfhd");
        is_hex(ngx_media_get_be32(q), tests[i].tfhd, "tfhd, flags");

        if (tests[i].tfhd & 0x20) {
            q += ngx_media_get_be32(q - 8);
            is_hex(ngx_media_get_be32(q - 12), tests[i].flags,
                   "default flags");
        }

        q = find(p, p + n, "trun");
        is_hex(ngx_media_get_be32(q), 0x01000000 | tests[i].trun,
               "trun, version and flags");
        is(ngx_media_get_be32(q + 8),
           n - (tests[i].styp ? NGX_MEDIA_MP4_STYP_SIZE : 0), "data_offset");

        /* read again */

        is(ngx_media_mp4_chunk_open(&reader, p, p + n + len), NGX_OK, "open");
        is_hex(reader.sequence, chunk.sequence, "sequence");

        for (j = 0; j < chunk.nsamples; j++) {
            is(ngx_media_mp4_chunk_next(&reader, &frame), NGX_OK, "next");
            is_mem(&frame.sample, sizeof(ngx_media_sample_t), &samples[j],
                   sizeof(ngx_media_sample_t), "sample");
        }

        is(ngx_media_mp4_chunk_next(&reader, &frame), NGX_DONE, "done");
        ok(reader.last == p + n + len, "end");

        free(p);
    }
}


/* the largest that n samples can make, and not a byte less is promised */

static void
test_bound(void)
{
    size_t                  n;
    ngx_media_sample_t      samples[64];
    ngx_media_mp4_chunk_t   chunk;

    ngx_memzero(&chunk, sizeof(chunk));
    ngx_memzero(samples, sizeof(samples));

    chunk.samples = samples;
    chunk.styp = 1;

    /* one offset of all, taken away: there is none */

    samples[0].cto = 40;
    chunk.nsamples = 1;
    n = ngx_media_mp4_write_chunk(NULL, &chunk);
    chunk.delay = 40;
    is(ngx_media_mp4_write_chunk(NULL, &chunk), n - 4, "delay taken away");
    chunk.delay = 0;
    samples[0].cto = 0;

    for (n = 0; n < 64; n++) {
        samples[n].size = n;
        samples[n].duration = n;
        samples[n].cto = n;
        samples[n].key = (n == 1);
    }

    for (n = 0; n <= 64; n++) {
        chunk.nsamples = n;

        if (ngx_media_mp4_write_chunk(NULL, &chunk)
            > ngx_media_mp4_chunk_max(n))
        {
            break;
        }
    }

    is(n, 65, "bound");
    is(ngx_media_mp4_write_chunk(NULL, &chunk),
       ngx_media_mp4_chunk_max(64) - 12, "all columns");
}


/* events may stand behind styp: nothing else moves */

static void
test_events(void)
{
    size_t                   i, n, styp;
    u_char                  *p, *q;
    ngx_media_sample_t       sample;
    ngx_media_mp4_chunk_t    chunk;
    ngx_media_mp4_reader_t   reader;

    static const u_char  events[] = "\0\0\0\x09""emsg1" "\0\0\0\x0a""emsg22";

    ngx_memzero(&chunk, sizeof(chunk));
    ngx_memzero(&sample, sizeof(sample));

    sample.size = 3;
    sample.duration = 1;
    chunk.samples = &sample;
    chunk.nsamples = 1;

    for (i = 0; i < 2; i++) {
        chunk.styp = i;
        styp = i ? NGX_MEDIA_MP4_STYP_SIZE : 0;

        n = ngx_media_mp4_write_chunk(NULL, &chunk);
        p = malloc(n);
        (void) ngx_media_mp4_write_chunk(p, &chunk);

        is_text(p + styp + 4, 4, "moof", "moof behind styp");

        q = calloc(1, n + sizeof(events) - 1 + sample.size);
        memcpy(q, p, styp);
        memcpy(q + styp, events, sizeof(events) - 1);
        memcpy(q + styp + sizeof(events) - 1, p + styp, n - styp);

        is(ngx_media_mp4_chunk_open(&reader, q, q + n + sizeof(events) - 1
                                                + sample.size),
           NGX_OK, "open");

        free(p);
        free(q);
    }
}


int
main(void)
{
    test_init();
    test_text();
    test_chunks();
    test_bound();
    test_events();

    return done();
}
