
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_fill.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_plan.c
         formats/ngx_media_text.c */


#define _GNU_SOURCE

#include "media_mp4.h"
#include "tap.h"


#define TRACKS  3


static ngx_media_mp4_track_t  tracks[TRACKS];
static ngx_media_mp4_error_t  error;
static ngx_media_mp4_moov_t   moov;
static char                   said[256];


static ngx_int_t
parse(const media_mp4_t *m)
{
    ngx_int_t             rc;
    ngx_media_text_t      text;
    ngx_media_mp4_box_t   box;

    memset(&moov, 0, sizeof(moov));
    memset(tracks, 0xff, sizeof(tracks));
    memset(&error, 0, sizeof(error));

    moov.tracks = tracks;
    moov.max = TRACKS;
    moov.error = &error;

    media_mp4_check(ngx_media_mp4_box_header(&box, m->p, m->p + m->len, 500,
                                             500 + m->len)
                    == NGX_OK);

    box.body.pos = m->p + box.header;
    box.body.last = m->p + m->len;

    rc = ngx_media_mp4_moov_parse(&moov, &box);

    said[0] = '\0';

    if (rc != NGX_OK) {
        ngx_media_text_init(&text, (u_char *) said, sizeof(said) - 1);
        ngx_media_mp4_error_text(&text, &error);
        *text.pos = '\0';
    }

    return rc;
}


static void
test_track(void)
{
    media_mp4_t  m;

    memset(&m, 0, sizeof(m));

    media_mp4_open(&m, "moov");

    media_mp4_full(&m, "mvhd", 0x01000000);
    media_mp4_zeros(&m, 16);
    media_mp4_u32(&m, 600);
    media_mp4_u64(&m, 0x123456789a);
    media_mp4_zeros(&m, 80);
    media_mp4_close(&m);

    /* mvex before the tracks */

    media_mp4_open(&m, "mvex");
    media_mp4_full(&m, "trex", 0);
    media_mp4_u32(&m, 7);
    media_mp4_u32(&m, 1);
    media_mp4_u32(&m, 512);
    media_mp4_u32(&m, 9);
    media_mp4_u32(&m, 0x01010000);
    media_mp4_close(&m);
    media_mp4_full(&m, "trex", 0);        /* of no track */
    media_mp4_u32(&m, 99);
    media_mp4_zeros(&m, 16);
    media_mp4_close(&m);
    media_mp4_close(&m);

    media_mp4_open(&m, "trak");

    media_mp4_full(&m, "tkhd", 0x01000001);
    media_mp4_zeros(&m, 16);
    media_mp4_u32(&m, 7);
    media_mp4_zeros(&m, 12);
    media_mp4_zeros(&m, 10);
    media_mp4_u16(&m, 2);                 /* alternate_group */
    media_mp4_zeros(&m, 4);
    media_mp4_u32(&m, 0);                 /* 90 degrees */
    media_mp4_u32(&m, 0x00010000);
    media_mp4_u32(&m, 0);
    media_mp4_u32(&m, 0xffff0000);
    media_mp4_zeros(&m, 16);
    media_mp4_u32(&m, 0x40000000);
    media_mp4_u32(&m, 640 << 16);
    media_mp4_u32(&m, 360 << 16 | 0x8000);
    media_mp4_close(&m);

    media_mp4_open(&m, "tref");
    media_mp4_open(&m, "chap");
    media_mp4_u32(&m, 8);
    media_mp4_u32(&m, 77);
    media_mp4_u16(&m, 1);
    media_mp4_close(&m);
    media_mp4_close(&m);

    media_mp4_open(&m, "mdia");
    media_mp4_full(&m, "mdhd", 0x01000000);
    media_mp4_zeros(&m, 16);
    media_mp4_u32(&m, 12800);
    media_mp4_u64(&m, 0x1000000000);
    media_mp4_u16(&m, ('d' - 96) << 10 | ('e' - 96) << 5 | ('u' - 96));
    media_mp4_u16(&m, 0);
    media_mp4_close(&m);
    media_mp4_full(&m, "hdlr", 0);
    media_mp4_u32(&m, 0);
    media_mp4_data(&m, "vide", 4);
    media_mp4_zeros(&m, 12);
    media_mp4_data(&m, "\5Hello", 6);     /* as QuickTime has it */
    media_mp4_close(&m);
    media_mp4_full(&m, "elng", 0);
    media_mp4_data(&m, "de-AT", 6);
    media_mp4_close(&m);
    media_mp4_open(&m, "minf");
    media_mp4_open(&m, "stbl");
    media_mp4_stsz(&m, 0, NULL, 0);
    media_mp4_stbl_end(&m);
    media_mp4_close(&m);

    is(parse(&m), NGX_OK, "a track");
    is_text(said, strlen(said), "", "no error");
    is(moov.timescale, 600, "timescale of the movie");
    is(moov.duration, 0x123456789a, "its duration");
    is(moov.ntracks, 1, "tracks");
    ok(moov.fragmented, "fragmented");

    is(tracks[0].number, 1, "number");
    is(tracks[0].id, 7, "id");
    is_hex(tracks[0].handler, ngx_media_fourcc('v', 'i', 'd', 'e'),
           "handler");
    is(tracks[0].timescale, 12800, "timescale");
    is(tracks[0].duration, 0x1000000000, "duration");
    is(tracks[0].rotation, 90, "rotation");
    is(tracks[0].width, 360, "width");
    is(tracks[0].height, 640, "height");
    is(tracks[0].group, 2, "group");
    ok(tracks[0].enabled, "enabled");
    is_text(tracks[0].language, 3, "deu", "language");
    is_text(tracks[0].elng.pos, ngx_media_span_len(&tracks[0].elng), "de-AT",
            "extended language");
    is_text(tracks[0].handler_name.pos,
            ngx_media_span_len(&tracks[0].handler_name), "Hello",
            "name of the handler");
    ok(tracks[0].fragments, "fragments");
    is(tracks[0].trex.duration, 512, "default duration");
    is(tracks[0].trex.size, 9, "default size");
    ok(tracks[0].stsz.pos != NULL && tracks[0].stco.pos == NULL, "tables");
    ok(!tracks[0].chapters, "no chapters");

    free(m.p);
}


static void
test_names(void)
{
    media_mp4_t  m;

    memset(&m, 0, sizeof(m));

    media_mp4_open(&m, "moov");
    media_mp4_mvhd(&m, 1000);

    media_mp4_stbl(&m, 1, "soun", 48000);
    media_mp4_close(&m);
    media_mp4_close(&m);
    media_mp4_close(&m);
    media_mp4_open(&m, "udta");
    media_mp4_open(&m, "name");
    media_mp4_data(&m, "Director", 8);
    media_mp4_close(&m);
    media_mp4_full(&m, "kind", 0);
    media_mp4_data(&m, "urn:mpeg:dash:role:2011\0commentary", 35);
    media_mp4_close(&m);
    media_mp4_u32(&m, 0);
    media_mp4_close(&m);
    media_mp4_open(&m, "tref");
    media_mp4_open(&m, "chap");
    media_mp4_u32(&m, 2);
    media_mp4_close(&m);
    media_mp4_close(&m);
    media_mp4_close(&m);

    media_mp4_stbl(&m, 2, "text", 1000);
    media_mp4_stbl_end(&m);
    media_mp4_stbl(&m, 3, "text", 1000);
    media_mp4_stbl_end(&m);
    media_mp4_stbl(&m, 4, "text", 1000);
    media_mp4_stbl_end(&m);

    /* user data of the movie is nobody's */

    media_mp4_open(&m, "udta");
    media_mp4_u32(&m, 5);
    media_mp4_u32(&m, 5);
    media_mp4_close(&m);

    media_mp4_close(&m);

    is(parse(&m), NGX_OK, "names");
    is(moov.ntracks, TRACKS, "tracks");
    is(moov.skipped, 1, "one too many");
    ok(!moov.fragmented, "not fragmented");
    is_text(tracks[0].name.pos, ngx_media_span_len(&tracks[0].name),
            "Director", "name");
    is_mem(tracks[0].kind.pos, ngx_media_span_len(&tracks[0].kind),
           "urn:mpeg:dash:role:2011\0commentary", 35, "kind");
    is_text(tracks[0].handler_name.pos,
            ngx_media_span_len(&tracks[0].handler_name), "Handler",
            "name of the handler");
    ok(!tracks[0].chapters && tracks[1].chapters && !tracks[2].chapters,
       "chapters");
    is_text(tracks[1].language, 3, "und", "no language");

    free(m.p);
}


/* each way in which moov may be wrong */

typedef enum {
    NO_MVHD = 1, TWO_MVHD, SHORT_MVHD, ZERO_SCALE, CMOV, NO_TRACK, NO_TKHD,
    SHORT_TKHD, ZERO_ID, TWO_TKHD, NO_MDHD, SHORT_MDHD, ZERO_MDHD, LARGE_MDHD,
    SHORT_HDLR, SAME_ID, TWO_STSZ, SHORT_SBGP, TWO_RAP, SHORT_TREX, TWO_TREX,
    SIZE, SHORT_ELNG, BAD_UDTA, CASES
} case_e;


static void
broken(media_mp4_t *m, case_e which)
{
    unsigned  i;

    media_mp4_open(m, "moov");

    for (i = 0; i < (which == NO_MVHD ? 0u : which == TWO_MVHD ? 2u : 1u);
         i++)
    {
        media_mp4_mvhd(m, which == ZERO_SCALE ? 0 : 1000);
    }

    if (which == SHORT_MVHD) {
        m->len = 8 + 12;
        media_mp4_u32(m, 0);
        (void) ngx_media_put_be32(m->p + 8, m->len - 8);
    }

    if (which == CMOV) {
        media_mp4_open(m, "cmov");
        media_mp4_close(m);
    }

    for (i = 0; i < (which == NO_TRACK ? 0 : 2); i++) {
        media_mp4_open(m, "trak");

        if (which == SHORT_TKHD) {
            media_mp4_full(m, "tkhd", 0);
            media_mp4_zeros(m, 79);
            media_mp4_close(m);

        } else if (which != NO_TKHD) {
            media_mp4_tkhd(m, which == ZERO_ID ? 0 : which == SAME_ID ? 1
                                                                      : i + 1);
        }

        if (which == TWO_TKHD) {
            media_mp4_tkhd(m, 5);
        }

        media_mp4_open(m, "mdia");

        if (which == SHORT_MDHD) {
            media_mp4_full(m, "mdhd", 0x01000000);
            media_mp4_zeros(m, 29);
            media_mp4_close(m);

        } else if (which != NO_MDHD) {
            media_mp4_mdhd(m, which == ZERO_MDHD ? 0
                              : which == LARGE_MDHD ? 0x80000000 : 1000, 0);
        }

        if (which == SHORT_HDLR) {
            media_mp4_full(m, "hdlr", 0);
            media_mp4_zeros(m, 19);
            media_mp4_close(m);
        }

        if (which == SHORT_ELNG) {
            media_mp4_open(m, "elng");
            media_mp4_zeros(m, 3);
            media_mp4_close(m);
        }

        media_mp4_open(m, "minf");
        media_mp4_open(m, "stbl");
        media_mp4_stsz(m, 1, NULL, 0);

        if (which == TWO_STSZ) {
            media_mp4_stsz(m, 1, NULL, 0);
        }

        if (which == SHORT_SBGP) {
            media_mp4_full(m, "sbgp", 0);
            media_mp4_zeros(m, 3);
            media_mp4_close(m);
        }

        if (which == TWO_RAP) {
            media_mp4_full(m, "sbgp", 0);
            media_mp4_data(m, "rap \0\0\0\0", 8);
            media_mp4_close(m);
            media_mp4_full(m, "sbgp", 0);
            media_mp4_data(m, "rap \0\0\0\0", 8);
            media_mp4_close(m);
        }

        if (which == SIZE) {
            media_mp4_u32(m, 4);
            media_mp4_zeros(m, 4);
        }

        media_mp4_close(m);
        media_mp4_close(m);
        media_mp4_close(m);

        if (which == BAD_UDTA) {
            media_mp4_open(m, "udta");
            media_mp4_u32(m, 3);
            media_mp4_zeros(m, 4);
            media_mp4_close(m);
        }

        media_mp4_close(m);
    }

    if (which == SHORT_TREX || which == TWO_TREX) {
        media_mp4_open(m, "mvex");

        for (i = 0; i < 2; i++) {
            media_mp4_full(m, "trex", 0);
            media_mp4_u32(m, 2);
            media_mp4_zeros(m, which == SHORT_TREX ? 12 : 16);
            media_mp4_close(m);
        }

        media_mp4_close(m);
    }

    media_mp4_close(m);
}


/* those of ISO 639-2/T in 15 bits, and QuickTime's codes */

static void
test_languages(void)
{
    u_char       *p;
    unsigned      i;
    media_mp4_t   m;

    static const struct {
        uint32_t     code;
        const char  *language;
    } tests[] = {
        { 0, "und" }, { 1, "fra" }, { 2, "deu" }, { 46, "bel" },
        { 47, "und" }, { 0x3ff, "und" }, { 0x400, "und" },
        { 0x15c7, "eng" }, { 0x55c4, "und" }, { 0x7fff, "und" },
    };

    memset(&m, 0, sizeof(media_mp4_t));

    media_mp4_open(&m, "moov");
    media_mp4_mvhd(&m, 1000);
    media_mp4_stbl(&m, 1, "soun", 1000);
    media_mp4_stbl_end(&m);
    media_mp4_close(&m);

    p = memmem(m.p, m.len, "mdhd", 4);
    media_mp4_check(p != NULL);

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        (void) ngx_media_put_be16(p + 24, tests[i].code);

        is(parse(&m), NGX_OK, "language, 0x%04x", tests[i].code);
        is_text(tracks[0].language, 3, tests[i].language, "it is");
    }

    free(m.p);
}


static void
test_broken(void)
{
    u_char        *p;
    size_t         n;
    unsigned       i;
    ngx_int_t      rc;
    media_mp4_t    m, cut;

    static const char  *expected[CASES] = {
        "",
        "moov: has no mvhd, offset:508",
        "moov/mvhd: is duplicate, offset:624",
        "moov/mvhd: is too short, offset:516",
        "moov/mvhd: timescale is zero, offset:516",
        "moov/cmov: is not supported, offset:624",
        "moov: has no track, offset:508",
        "moov/trak[1]: has no tkhd, offset:624",
        "moov/trak[1]/tkhd: is too short, offset:632",
        "moov/trak[1]/tkhd: track_ID is zero, offset:632",
        "moov/trak[1]/tkhd: is duplicate, offset:724",
        "moov/trak[1]: has no mdhd, offset:624",
        "moov/trak[1]/mdia/mdhd: is too short, offset:732",
        "moov/trak[1]/mdia/mdhd: timescale is wrong, offset:732",
        "moov/trak[1]/mdia/mdhd: timescale is wrong, offset:732",
        "moov/trak[1]/mdia/hdlr: is too short, offset:764",
        "moov/trak[2]: has the track_ID of another, offset:800",
        "moov/trak[1]/mdia/minf/stbl/stsz: is duplicate, offset:800",
        "moov/trak[1]/mdia/minf/stbl/sbgp: is too short, offset:800",
        "moov/trak[1]/mdia/minf/stbl/sbgp: is duplicate, offset:820",
        "moov/mvex/trex: is too short, offset:984",
        "moov/mvex/trex: is duplicate, offset:1016",
        "moov/trak[1]/mdia/minf/stbl: a box in it has a wrong size,"
        " offset:792",
        "moov/trak[1]/mdia/elng: is too short, offset:764",
        ""
    };

    for (i = 0; i < CASES; i++) {
        memset(&m, 0, sizeof(m));
        broken(&m, i);

        rc = parse(&m);
        is(rc, i == CMOV ? NGX_DECLINED : expected[i][0] ? NGX_ERROR : NGX_OK,
           "case %u", i);
        is_text(said, strlen(said), expected[i], "error");

        /* cut anywhere, moov itself being as long as it is */

        for (n = 8; n < m.len; n++) {
            p = tap_dup(m.p, n);
            (void) ngx_media_put_be32(p, n);

            memset(&cut, 0, sizeof(cut));
            cut.p = p;
            cut.len = n;

            if (parse(&cut) != NGX_OK && error.offset > 500 + n) {
                ok(0, "case %u: %u bytes", i, (unsigned) n);
            }

            free(p);
        }

        free(m.p);
    }
}


static void
test_edits(void)
{
    size_t                 i, j, n;
    u_char                *p;
    ngx_int_t              rc;
    media_mp4_t            m;
    ngx_media_span_t       whole;
    ngx_media_mp4_edit_t   edit;

    /* the movie has 1000 ticks a second, the track 48000 */

    static const struct {
        const char  *name;
        unsigned     version;
        uint32_t     count;
        unsigned     n;
        struct {
            uint64_t  duration;
            int64_t   start;
            uint32_t  rate;
        } edits[4];
        const char  *error;
        uint64_t     empty;
        int64_t      start;
        uint64_t     duration;
        unsigned     more;
    } tests[] = {
        { "nothing", 0, 0, 0, { }, NULL, 0, 0, 0, 0 },
        { "priming", 0, 1, 1, { { 10000, 1024, 0x10000 } }, NULL, 0, 1024,
          480000, 0 },
        { "to the end", 0, 1, 1, { { 0, 1024, 0x10000 } }, NULL, 0, 1024, 0,
          0 },
        { "unknown duration", 0, 1, 1, { { 0xffffffff, 7, 0x10000 } }, NULL,
          0, 7, 0, 0 },
        { "unknown duration, 64 bits", 1, 1, 1,
          { { (uint64_t) -1, 7, 0x10000 } }, NULL, 0, 7, 0, 0 },
        { "empty", 0, 2, 2, { { 500, -1, 0x10000 }, { 10, 0, 0x10000 } },
          NULL, 24000, 0, 480, 0 },
        { "empty twice", 0, 3, 3, { { 500, -1, 0x10000 },
          { 1, -1, 0x10000 }, { 10, 5, 0x10000 } }, NULL, 24048, 5, 480, 0 },
        { "nothing but empty", 0, 1, 1, { { 500, -1, 0x10000 } }, NULL, 24000,
          0, 0, 0 },
        { "64 bits", 1, 1, 1, { { 1000000, 0x100000000, 0x10000 } }, NULL, 0,
          0x100000000, 48000000, 0 },
        { "two edits", 0, 2, 2, { { 1000, 0, 0x10000 },
          { 1000, 96000, 0x10000 } }, NULL, 0, 0, 48000, 1 },
        { "empty after media", 0, 2, 2, { { 1000, 3, 0x10000 },
          { 1000, -1, 0x10000 } }, NULL, 0, 3, 48000, 1 },
        { "another rate", 0, 1, 1, { { 1000, 0, 0x8000 } }, NULL, 0, 0, 48000,
          1 },
        { "a dwell", 0, 1, 1, { { 1000, 0, 0 } }, NULL, 0, 0, 48000, 1 },
        { "rounded down", 0, 1, 1, { { 1, 0, 0x10000 } }, NULL, 0, 0, 48, 0 },
        { "too many", 0, 3, 2, { { 1, 0, 0x10000 }, { 1, 0, 0x10000 } },
          "has fewer entries than it says", 0, 0, 0, 0 },
        { "2^32", 0, 0xffffffff, 1, { { 1, 0, 0x10000 } },
          "has fewer entries than it says", 0, 0, 0, 0 },
        { "far too long", 1, 1, 1, { { 0x7fffffffffffffff, 0, 0x10000 } },
          "has an impossible entry", 0, 0, 0, 0 },
        { "far too late", 1, 1, 1, { { 1, 0x7fffffffffffffff, 0x10000 } },
          "has an impossible entry", 0, 0, 0, 0 },
        { "before it all", 0, 1, 1, { { 1, -2, 0x10000 } },
          "has an impossible entry", 0, 0, 0, 0 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        memset(&m, 0, sizeof(m));

        media_mp4_open(&m, "moov");
        media_mp4_mvhd(&m, 1000);
        media_mp4_open(&m, "trak");
        media_mp4_tkhd(&m, 1);
        media_mp4_open(&m, "mdia");
        media_mp4_mdhd(&m, 48000, 0);
        media_mp4_close(&m);
        media_mp4_open(&m, "edts");
        media_mp4_full(&m, "elst", tests[i].version << 24);
        media_mp4_u32(&m, tests[i].count);

        for (j = 0; j < tests[i].n; j++) {

            if (tests[i].version) {
                media_mp4_u64(&m, tests[i].edits[j].duration);
                media_mp4_u64(&m, (uint64_t) tests[i].edits[j].start);

            } else {
                media_mp4_u32(&m, (uint32_t) tests[i].edits[j].duration);
                media_mp4_u32(&m, (uint32_t) tests[i].edits[j].start);
            }

            media_mp4_u32(&m, tests[i].edits[j].rate);
        }

        media_mp4_close(&m);
        media_mp4_close(&m);
        media_mp4_close(&m);
        media_mp4_close(&m);

        is(parse(&m), NGX_OK, "%s: parsed", tests[i].name);

        rc = ngx_media_mp4_edit(&moov, &tracks[0], &edit);
        is(rc, tests[i].error ? NGX_ERROR : NGX_OK, "%s", tests[i].name);

        if (rc == NGX_OK) {
            is(edit.empty, tests[i].empty, "empty");
            is(edit.start, tests[i].start, "start");
            is(edit.duration, tests[i].duration, "duration");
            is(edit.more, tests[i].more, "more");

        } else {
            is_text(error.text, strlen(error.text), tests[i].error, "error");
            is(error.depth, 4, "depth");
            is_hex(error.path[2].type, ngx_media_fourcc('e', 'd', 't', 's'),
                   "path");
        }

        /* as long as it may be */

        for (n = 0; n < ngx_media_span_len(&tracks[0].elst); n++) {
            p = tap_dup(tracks[0].elst.pos, n);

            whole = tracks[0].elst;
            tracks[0].elst.pos = p;
            tracks[0].elst.last = p + n;
            (void) ngx_media_mp4_edit(&moov, &tracks[0], &edit);
            tracks[0].elst = whole;

            free(p);
        }

        free(m.p);
    }
}


int
main(void)
{
    test_track();
    test_names();
    test_languages();
    test_broken();
    test_edits();

    return done();
}
