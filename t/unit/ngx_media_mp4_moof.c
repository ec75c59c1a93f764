
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_fill.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_plan.c
         formats/ngx_media_text.c */


#include "formats/ngx_media_mp4_fields.h"
#include "media_hex.h"
#include "media_mp4.h"


#define MOOF  1000


/* a traf in short: track, flags and values of tfhd, then tfdt, then runs */

typedef struct {
    uint32_t  flags;
    uint32_t  count;
    uint32_t  n;
    uint32_t  values[12];
} run_t;


typedef struct {
    uint32_t  id;
    uint32_t  flags;
    uint32_t  n;
    uint32_t  values[6];
    int64_t   time;                       /* -1: no tfdt */
    unsigned  nruns;
    run_t     runs[2];
} traf_t;


static ngx_media_mp4_track_t  tracks[2];
static ngx_media_mp4_error_t  error;
static ngx_media_mp4_moov_t   moov;


static const struct {
    const char  *name;
    unsigned     ntrafs;
    traf_t       trafs[3];
    uint64_t     end;
    const char  *expected;    /* "TRACK/OFFSET:SIZE@DTS+CTO~DURATION#D" */
} tests[] = {

    { "nothing", 0, { }, 0, "" },

    { "defaults of trex, base is moof", 1,
      { { 1, 0x020000, 0, { }, 500, 1, { { 0x1, 2, 1, { 200 } } } } },
      1200 + 22, "1/1200:11@500+0~100#1 1/1211:11@600+0~100#1" },

    { "no tfdt: it goes on", 1,
      { { 1, 0x020000, 0, { }, -1, 1, { { 0x1, 2, 1, { 200 } } } } },
      1200 + 22, "1/1200:11@70+0~100#1 1/1211:11@170+0~100#1" },

    { "64-bit tfdt", 1,
      { { 1, 0x020000, 0, { }, 0x100000000, 1, { { 0x1, 1, 1, { 200 } } } } },
      1200 + 11, "1/1200:11@4294967296+0~100#1" },

    { "defaults of tfhd", 1,
      { { 1, 0x02003a, 4, { 2, 50, 7, 0x02000000 }, 0, 1,
          { { 0x1, 2, 1, { 200 } } } } },
      1214, "1/1200:7@0+0~50#2K 1/1207:7@50+0~50#2K" },

    { "all of it in trun", 1,
      { { 1, 0x020000, 0, { }, 0, 1,
          { { 0xf01, 2, 9, { 200, 10, 3, 0x02000000, 5,
                             20, 4, 0x01010000, 0xffffffff } } } } },
      1207, "1/1200:3@0+5~10#1K 1/1203:4@10-1~20#1" },

    { "first sample flags", 1,
      { { 1, 0x020000, 0, { }, 0, 2,
          { { 0x5, 2, 2, { 200, 0x02000000 } },
            { 0x0, 1, 0, { } } } } },
      1233, "1/1200:11@0+0~100#1K 1/1211:11@100+0~100#1"
      " 1/1222:11@200+0~100#1" },

    { "a run without offset follows", 1,
      { { 1, 0x020000, 0, { }, 0, 2,
          { { 0x201, 1, 2, { 300, 5 } }, { 0x200, 1, 1, { 6 } } } } },
      1311, "1/1300:5@0+0~100#1 1/1305:6@100+0~100#1" },

    { "base offset", 1,
      { { 1, 0x000001, 2, { 0, 5000 }, 0, 1, { { 0x1, 1, 1, { 200 } } } } },
      5211, "1/5200:11@0+0~100#1" },

    { "base offset, no data offset", 1,
      { { 1, 0x000001, 2, { 1, 0 }, 0, 1, { { 0x0, 1, 0, { } } } } },
      0x10000000b, "1/4294967296:11@0+0~100#1" },

    { "negative data offset", 1,
      { { 1, 0x020000, 0, { }, 0, 1, { { 0x1, 1, 1, { (uint32_t) -900 } } } }
      }, 0, "1/100:11@0+0~100#1" },

    { "data before the file", 1,
      { { 1, 0x020000, 0, { }, 0, 1, { { 0x1, 1, 1, { (uint32_t) -1001 } } }
      } }, 0, "moof/traf/trun: has data before the file" },

    { "no base: the second after the first", 2,
      { { 1, 0, 0, { }, 0, 1, { { 0x1, 2, 1, { 400 } } } },
        { 2, 0, 0, { }, 0, 1, { { 0x0, 1, 0, { } } } } },
      1400 + 22 + 5, "1/1400:11@0+0~100#1 1/1411:11@100+0~100#1"
      " 2/1422:5@0+0~33#1K" },

    { "no base: the second counts from the end of the first", 2,
      { { 1, 0, 0, { }, 0, 1, { { 0x1, 2, 1, { 400 } } } },
        { 2, 0, 0, { }, 0, 1, { { 0x1, 1, 1, { 10 } } } } },
      1400 + 22 + 10 + 5, "1/1400:11@0+0~100#1 1/1411:11@100+0~100#1"
      " 2/1432:5@0+0~33#1K" },

    { "base is moof for both", 2,
      { { 1, 0x020000, 0, { }, 0, 1, { { 0x1, 2, 1, { 400 } } } },
        { 2, 0x020000, 0, { }, 9, 1, { { 0x1, 1, 1, { 10 } } } } },
      1422, "1/1400:11@0+0~100#1 1/1411:11@100+0~100#1 2/1010:5@9+0~33#1K" },

    { "an unknown track is passed over, its data count", 2,
      { { 9, 0x000010, 1, { 1000 }, 0, 1, { { 0x1, 3, 1, { 400 } } } },
        { 1, 0, 0, { }, 0, 1, { { 0x0, 1, 0, { } } } } },
      4411, "1/4400:11@0+0~100#1" },

    { "sizes of an unknown track", 2,
      { { 9, 0, 0, { }, 0, 1, { { 0x301, 2, 5, { 400, 1, 20, 1, 30 } } } },
        { 1, 0, 0, { }, 0, 1, { { 0x0, 1, 0, { } } } } },
      1461, "1/1450:11@0+0~100#1" },

    { "2^32 samples of an unknown track", 1,
      { { 9, 0x000010, 1, { 0 }, 0, 1, { { 0x1, 0xffffffff, 1, { 400 } } } } },
      0, "" },

    { "the same track twice", 2,
      { { 1, 0x020000, 0, { }, 0, 1, { { 0x1, 1, 1, { 400 } } } },
        { 1, 0x020000, 0, { }, -1, 1, { { 0x1, 1, 1, { 500 } } } } },
      1511, "1/1400:11@0+0~100#1 1/1500:11@100+0~100#1" },

    { "no sample in the run", 1,
      { { 1, 0x020000, 0, { }, 500, 1, { { 0x1, 0, 1, { 200 } } } } }, 0,
      "" },

    { "too few entries", 1,
      { { 1, 0x020000, 0, { }, 0, 1, { { 0x201, 3, 3, { 200, 1, 2 } } } } },
      0, "moof/traf/trun: has fewer entries than it says" },

    { "2^32 entries", 1,
      { { 1, 0x020000, 0, { }, 0, 1, { { 0xf01, 0xffffffff, 3,
                                         { 200, 1, 2 } } } } },
      0, "moof/traf/trun: has fewer entries than it says" },

    { "short run", 1,
      { { 1, 0x020000, 0, { }, 0, 1, { { 0x5, 0, 1, { 200 } } } } }, 0,
      "moof/traf/trun: is too short" },

    { "short tfhd", 1,
      { { 1, 0x020008, 0, { }, 0, 0, { } } }, 0,
      "moof/traf/tfhd: is too short" },

    { "impossible base", 1,
      { { 1, 0x000001, 2, { 0x80000000, 0 }, 0, 0, { } } }, 0,
      "moof/traf/tfhd: has an impossible value" },

    { "description 0", 1,
      { { 1, 0x000002, 1, { 0 }, 0, 0, { } } }, 0,
      "moof/traf/tfhd: has an impossible value" },

    { "impossible time", 1,
      { { 1, 0x020000, 0, { }, 0x7fffffffffffffff, 0, { } } }, 0,
      "moof/traf/tfdt: has an impossible time" },
};


static void
tables(void)
{
    memset(tracks, 0, sizeof(tracks));
    memset(&moov, 0, sizeof(moov));

    tracks[0].number = 1;
    tracks[0].id = 1;
    tracks[0].timescale = 1000;
    tracks[0].trex.duration = 100;
    tracks[0].trex.size = 11;
    tracks[0].trex.flags = 0x01010000;
    tracks[0].trex.description = 1;
    tracks[0].decode_time = 70;

    tracks[1].number = 2;
    tracks[1].id = 2;
    tracks[1].timescale = 1000;
    tracks[1].trex.duration = 33;
    tracks[1].trex.size = 5;

    moov.tracks = tracks;
    moov.ntracks = 2;
    moov.max = 2;
    moov.error = &error;
    moov.timescale = 1000;
    moov.fragmented = 1;
}


static void
write_moof(media_mp4_t *m, const traf_t *trafs, unsigned n)
{
    unsigned  i, j, k;

    media_mp4_open(m, "moof");
    media_mp4_full(m, "mfhd", 0);
    media_mp4_u32(m, 1);
    media_mp4_close(m);

    for (i = 0; i < n; i++) {
        media_mp4_open(m, "traf");
        media_mp4_full(m, "tfhd", trafs[i].flags);
        media_mp4_u32(m, trafs[i].id);

        for (j = 0; j < trafs[i].n; j++) {
            media_mp4_u32(m, trafs[i].values[j]);
        }

        media_mp4_close(m);

        if (trafs[i].time >> 32 > 0) {
            media_mp4_full(m, "tfdt", 0x01000000);
            media_mp4_u64(m, trafs[i].time);
            media_mp4_close(m);

        } else if (trafs[i].time >= 0) {
            media_mp4_full(m, "tfdt", 0);
            media_mp4_u32(m, trafs[i].time);
            media_mp4_close(m);
        }

        for (j = 0; j < trafs[i].nruns; j++) {
            media_mp4_full(m, "trun", trafs[i].runs[j].flags);
            media_mp4_u32(m, trafs[i].runs[j].count);

            for (k = 0; k < trafs[i].runs[j].n; k++) {
                media_mp4_u32(m, trafs[i].runs[j].values[k]);
            }

            media_mp4_close(m);
        }

        media_mp4_close(m);
    }

    media_mp4_close(m);
}


static void
open_box(ngx_media_mp4_box_t *box, const u_char *p, size_t n)
{
    box->type = ngx_media_get_be32(p + 4);
    box->header = 8;
    box->offset = MOOF;
    box->size = n;
    box->uuid = NULL;
    box->body.pos = p + 8;
    box->body.last = p + n;
}


static const char *
samples(const u_char *p, size_t n, uint64_t *end)
{
    int                        len;
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_media_mp4_box_t        box;
    ngx_media_mp4_moof_t       it;
    ngx_media_mp4_track_t     *track;
    ngx_media_index_sample_t   s;

    static char  text[4096];

    tables();
    open_box(&box, p, n);

    len = 0;
    text[0] = '\0';
    memset(&error, 0, sizeof(error));

    rc = ngx_media_mp4_moof_end(&moov, &box, end);

    media_mp4_check(tracks[0].decode_time == 70);

    if (rc == NGX_OK) {
        rc = ngx_media_mp4_moof_open(&it, &moov, &box);
    }

    for (i = 0; rc == NGX_OK && i < 100; i++) {
        rc = ngx_media_mp4_moof_next(&it, &s, &track);

        if (rc == NGX_OK && len < 3000) {
            media_mp4_check(s.size == 0 || s.offset + s.size <= *end);

            len += snprintf(text + len, sizeof(text) - len,
                            "%s%u/%lu:%u@%ld%+ld~%lu#%u%s", len ? " " : "",
                            track->id, (unsigned long) s.offset, s.size,
                            (long) s.dts, (long) s.cto,
                            (unsigned long) s.duration, s.description,
                            s.key ? "K" : "");
        }
    }

    if (rc == NGX_ERROR) {
        media_mp4_check(error.text != NULL && error.offset >= MOOF
                        && error.offset <= MOOF + n);

        for (i = 0; i < error.depth; i++) {
            len += snprintf(text + len, sizeof(text) - len, "%s%c%c%c%c",
                            i ? "/" : "", error.path[i].type >> 24,
                            error.path[i].type >> 16 & 0xff,
                            error.path[i].type >> 8 & 0xff,
                            error.path[i].type & 0xff);
        }

        snprintf(text + len, sizeof(text) - len, ": %s", error.text);
    }

    return text;
}


static void
test_moof(void)
{
    size_t        i, n;
    u_char       *p;
    uint64_t      end;
    unsigned      v;
    const char   *got;
    media_mp4_t   m;

    static const uint32_t  values[] = { 0, 1, 7, 0x7fffffff, 0xffffffff };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        memset(&m, 0, sizeof(m));
        write_moof(&m, tests[i].trafs, tests[i].ntrafs);

        p = tap_dup(m.p, m.len);
        got = samples(p, m.len, &end);
        free(p);

        is_text(got, strlen(got), tests[i].expected, "%s", tests[i].name);

        if (error.text == NULL) {
            is(end, ngx_max(tests[i].end, MOOF + m.len), "end");
        }

        /* cut at each length, and each field wrong in some way */

        for (n = 8; n < m.len; n++) {
            p = tap_dup(m.p, n);
            (void) samples(p, n, &end);
            free(p);
        }

        for (n = 8; n + 4 <= m.len; n += 4) {
            for (v = 0; v < 5; v++) {
                p = tap_dup(m.p, m.len);
                (void) ngx_media_put_be32(p + n, values[v]);
                (void) samples(p, m.len, &end);
                free(p);
            }
        }

        free(m.p);
    }
}


static void
test_no_tfhd(void)
{
    uint64_t     end;
    const char  *got;
    media_mp4_t  m;

    memset(&m, 0, sizeof(m));
    media_mp4_open(&m, "moof");
    media_mp4_open(&m, "traf");
    media_mp4_full(&m, "trun", 0);
    media_mp4_u32(&m, 0);
    media_mp4_close(&m);
    media_mp4_close(&m);
    media_mp4_close(&m);

    got = samples(m.p, m.len, &end);
    is_text(got, strlen(got), "moof/traf: has no tfhd", "no tfhd");

    m.len = 0;
    media_mp4_open(&m, "moof");
    media_mp4_open(&m, "traf");
    media_mp4_full(&m, "tfhd", 0);
    media_mp4_u32(&m, 1);
    media_mp4_close(&m);
    media_mp4_full(&m, "tfhd", 0);
    media_mp4_u32(&m, 1);
    media_mp4_close(&m);
    media_mp4_close(&m);
    media_mp4_close(&m);

    got = samples(m.p, m.len, &end);
    is_text(got, strlen(got), "moof/traf/tfhd: is duplicate", "two tfhd");

    free(m.p);
}


int
main(void)
{
    test_moof();
    test_no_tfhd();

    return done();
}
