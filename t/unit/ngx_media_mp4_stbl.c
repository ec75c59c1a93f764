
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_fill.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_plan.c
         formats/ngx_media_text.c */


#include "media_mp4.h"
#include "tap.h"


#define NONE  ((uint32_t) -1)


/* tables of a track, as 32-bit numbers; of boxes without count in front */

typedef struct {
    const char  *type;
    uint32_t     version;
    unsigned     n;
    uint32_t     values[24];
} table_t;


static ngx_media_mp4_track_t  track;
static ngx_media_mp4_error_t  error;
static ngx_media_mp4_moov_t   moov;


static ngx_int_t
parse(media_mp4_t *m, const table_t *tables, unsigned n)
{
    unsigned              i, j;
    ngx_media_mp4_box_t   box;

    m->len = 0;

    media_mp4_open(m, "moov");
    media_mp4_mvhd(m, 1000);
    media_mp4_stbl(m, 1, "vide", 1000);

    for (i = 0; i < n; i++) {
        media_mp4_full(m, tables[i].type, tables[i].version << 24);

        for (j = 0; j < tables[i].n; j++) {
            media_mp4_u32(m, tables[i].values[j]);
        }

        media_mp4_close(m);
    }

    media_mp4_stbl_end(m);
    media_mp4_close(m);

    memset(&moov, 0, sizeof(moov));

    moov.tracks = &track;
    moov.max = 1;
    moov.error = &error;

    (void) ngx_media_mp4_box_header(&box, m->p, m->p + m->len, 0, m->len);

    box.body.pos = m->p + 8;
    box.body.last = m->p + m->len;

    return ngx_media_mp4_moov_parse(&moov, &box);
}


/* "OFFSET:SIZE@DTS+CTO~DURATION#DESCRIPTION" and "K" of each sample */

static const char *
samples(ngx_uint_t *notes)
{
    int                        len;
    ngx_int_t                  rc;
    ngx_media_mp4_samples_t    it;
    ngx_media_index_sample_t   s;

    static char  text[4096];

    len = 0;
    text[0] = '\0';
    *notes = 0;

    if (ngx_media_mp4_samples_init(&it, &moov, &track) != NGX_OK) {
        goto failed;
    }

    while ((rc = ngx_media_mp4_samples_next(&it, &s)) == NGX_OK) {

        len += snprintf(text + len, sizeof(text) - len,
                        "%s%lu:%u@%ld%+ld~%lu#%u%s", len ? " " : "",
                        (unsigned long) s.offset, s.size, (long) s.dts,
                        (long) s.cto, (unsigned long) s.duration,
                        s.description, s.key ? "K" : "");

        if (it.number == 20 || len > 3000) {
            strcpy(text + len, " ...");
            break;
        }
    }

    *notes = it.notes;

    if (rc != NGX_ERROR) {
        return text;
    }

failed:

    snprintf(text + len, sizeof(text) - len, "%s%.4s: %s", len ? " " : "",
             (char []) { track.number == 1 ? error.path[5].type >> 24 : 0,
                         error.path[5].type >> 16, error.path[5].type >> 8,
                         error.path[5].type, 0 },
             error.text);

    return text;
}


static const table_t  stts = { "stts", 0, 3, { 1, 3, 100 } };
static const table_t  stsc = { "stsc", 0, 4, { 1, 1, 2, 1 } };
static const table_t  stsz = { "stsz", 0, 5, { 0, 3, 10, 20, 30 } };
static const table_t  stco = { "stco", 0, 3, { 2, 1000, 2000 } };


static const struct {
    const char  *name;
    unsigned     n;
    table_t      tables[6];           /* take the place of those above */
    const char  *expected;
    ngx_uint_t   notes;
} tests[] = {
    { "plain", 0, { }, "1000:10@0+0~100#1K 1010:20@100+0~100#1K"
      " 2000:30@200+0~100#1K", NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "exact", 1, { { "stsc", 0, 7, { 2, 1, 2, 1, 2, 1, 2 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1K 2000:30@200+0~100#2K", 0 },

    { "no sample", 1, { { "stsz", 0, 2, { 0, 0 } } }, "", 0 },

    { "no sample, no table", 5, { { "stsz", 0, 2, { 5, 0 } },
      { "-tts", 0, 0, { } }, { "-tsc", 0, 0, { } }, { "-tco", 0, 0, { } } },
      "", 0 },

    /* durations */

    { "durations", 1, { { "stts", 0, 5, { 2, 1, 50, 2, 0 } } },
      "1000:10@0+0~50#1K 1010:20@50+0~0#1K 2000:30@50+0~0#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "durations, runs of nothing", 1,
      { { "stts", 0, 9, { 4, 0, 7, 2, 100, 0, 9, 1, 60 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1K 2000:30@200+0~60#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "durations end too soon", 1, { { "stts", 0, 3, { 1, 1, 40 } } },
      "1000:10@0+0~40#1K 1010:20@40+0~40#1K 2000:30@80+0~40#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES | NGX_MEDIA_MP4_NOTE_STTS },

    { "no duration", 1, { { "stts", 0, 1, { 0 } } },
      "1000:10@0+0~0#1K 1010:20@0+0~0#1K 2000:30@0+0~0#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES | NGX_MEDIA_MP4_NOTE_STTS },

    { "negative duration", 1, { { "stts", 0, 5, { 2, 1, 0x80000000, 2, 9 } } },
      "1000:10@0+0~0#1K 1010:20@0+0~9#1K 2000:30@9+0~9#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES | NGX_MEDIA_MP4_NOTE_DELTA },

    { "no stts", 1, { { "-tts", 0, 0, { } } }, "stts: is missing", 0 },
    { "short stts", 1, { { "stts", 0, 0, { } } }, "stts: is too short", 0 },
    { "stts, too many", 1, { { "stts", 0, 3, { 2, 3, 100 } } },
      "stts: has fewer entries than it says", 0 },
    { "stts, 2^32", 1, { { "stts", 0, 3, { NONE, 3, 100 } } },
      "stts: has fewer entries than it says", 0 },
    { "stts, 2^29: overflows 32 bits", 1,
      { { "stts", 0, 3, { 0x20000001, 3, 100 } } },
      "stts: has fewer entries than it says", 0 },

    /* composition offsets */

    { "offsets", 1, { { "ctts", 0, 7, { 3, 1, 200, 1, 0, 1, 500 } } },
      "1000:10@0+200~100#1K 1010:20@100+0~100#1K 2000:30@200+500~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "negative offsets", 1, { { "ctts", 1, 5, { 2, 1, 0, 2,
                                                 (uint32_t) -300 } } },
      "1000:10@0+0~100#1K 1010:20@100-300~100#1K 2000:30@200-300~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "negative offsets of version 0", 1,
      { { "ctts", 0, 3, { 1, 3, (uint32_t) -1 } } },
      "1000:10@0-1~100#1K 1010:20@100-1~100#1K 2000:30@200-1~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "offsets end too soon", 1, { { "ctts", 0, 3, { 1, 1, 7 } } },
      "1000:10@0+7~100#1K 1010:20@100+0~100#1K 2000:30@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES | NGX_MEDIA_MP4_NOTE_CTTS },

    { "ctts, too many", 1, { { "ctts", 0, 3, { 2, 1, 7 } } },
      "ctts: has fewer entries than it says", 0 },

    /* chunks */

    { "chunks end too soon", 1, { { "stco", 0, 2, { 1, 1000 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1K", NGX_MEDIA_MP4_NOTE_CHUNKS },

    { "no chunk", 1, { { "stco", 0, 1, { 0 } } }, "",
      NGX_MEDIA_MP4_NOTE_CHUNKS },

    { "one more chunk", 1, { { "stco", 0, 4, { 3, 1000, 2000, 3000 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1K 2000:30@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "chunks of nothing", 1, { { "stsc", 0, 10, { 3, 1, 0, 1, 2, 1, 1, 3, 9,
                                                   1 } } },
      "2000:10@0+0~100#1K", NGX_MEDIA_MP4_NOTE_CHUNKS },

    { "co64", 2, { { "-tco", 0, 0, { } }, { "co64", 0, 5,
      { 2, 1, 2, 0x12, 0x34567890 } } },
      "4294967298:10@0+0~100#1K 4294967308:20@100+0~100#1K"
      " 78187493520:30@200+0~100#1K", NGX_MEDIA_MP4_NOTE_SAMPLES },

    { "co64, impossible", 2, { { "-tco", 0, 0, { } }, { "co64", 0, 3,
      { 1, 0x40000000, 0 } } }, "co64: has an impossible offset", 0 },

    { "co64, too many", 2, { { "-tco", 0, 0, { } }, { "co64", 0, 4,
      { 2, 0, 1, 2 } } }, "co64: has fewer entries than it says", 0 },

    { "no chunk offsets", 1, { { "-tco", 0, 0, { } } }, "stco: is missing",
      0 },
    { "stco, too many", 1, { { "stco", 0, 3, { 3, 1, 2 } } },
      "stco: has fewer entries than it says", 0 },
    { "stco, 2^30: overflows 32 bits", 1,
      { { "stco", 0, 3, { 0x40000001, 1, 2 } } },
      "stco: has fewer entries than it says", 0 },

    { "no stsc", 1, { { "-tsc", 0, 0, { } } }, "stsc: has no entry", 0 },
    { "empty stsc", 1, { { "stsc", 0, 1, { 0 } } }, "stsc: has no entry", 0 },
    { "stsc, too many", 1, { { "stsc", 0, 4, { 2, 1, 2, 1 } } },
      "stsc: has fewer entries than it says", 0 },
    { "stsc from 0", 1, { { "stsc", 0, 4, { 1, 0, 2, 1 } } },
      "stsc: does not begin with the first chunk", 0 },
    { "stsc from 2", 1, { { "stsc", 0, 4, { 1, 2, 2, 1 } } },
      "stsc: does not begin with the first chunk", 0 },
    { "stsc twice the same", 1, { { "stsc", 0, 7, { 2, 1, 2, 1, 1, 1, 1 } } },
      "stsc: has chunks out of order", 0 },
    { "stsc out of order", 1,
      { { "stsc", 0, 10, { 3, 1, 1, 1, 2, 1, 1, 1, 1, 1 } } },
      "1000:10@0+0~100#1K stsc: has chunks out of order", 0 },
    { "no description", 1, { { "stsc", 0, 4, { 1, 1, 2, 0 } } },
      "stsc: has an entry without a description", 0 },

    /* sizes */

    { "one size", 1, { { "stsz", 0, 2, { 7, 3 } } },
      "1000:7@0+0~100#1K 1007:7@100+0~100#1K 2000:7@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "stsz, too many", 1, { { "stsz", 0, 5, { 0, 4, 1, 2, 3 } } },
      "stsz: has fewer entries than it says", 0 },
    { "stsz, 2^30: overflows 32 bits", 1,
      { { "stsz", 0, 5, { 0, 0x40000003, 1, 2, 3 } } },
      "stsz: has fewer entries than it says", 0 },
    { "short stsz", 1, { { "stsz", 0, 1, { 0 } } }, "stsz: is too short", 0 },

    { "stz2, 16 bits", 2, { { "-tsz", 0, 0, { } }, { "stz2", 0, 4,
      { 16, 3, 0x00100020, 0x00300000 } } },
      "1000:16@0+0~100#1K 1016:32@100+0~100#1K 2000:48@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "stz2, 8 bits", 2, { { "-tsz", 0, 0, { } }, { "stz2", 0, 3,
      { 8, 3, 0x10203000 } } },
      "1000:16@0+0~100#1K 1016:32@100+0~100#1K 2000:48@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "stz2, 4 bits", 2, { { "-tsz", 0, 0, { } }, { "stz2", 0, 3,
      { 4, 3, 0x12300000 } } },
      "1000:1@0+0~100#1K 1001:2@100+0~100#1K 2000:3@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "stz2, 4 bits, too many", 2, { { "-tsz", 0, 0, { } }, { "stz2", 0, 3,
      { 4, 9, 0x12300000 } } }, "stz2: has fewer entries than it says", 0 },
    { "stz2, 7 bits", 2, { { "-tsz", 0, 0, { } }, { "stz2", 0, 3,
      { 7, 3, 0 } } }, "stz2: has a wrong field size", 0 },
    { "stz2, 32 bits is stsz's", 2, { { "-tsz", 0, 0, { } }, { "stz2", 0, 5,
      { 32, 3, 1, 2, 3 } } },
      "1000:1@0+0~100#1K 1001:2@100+0~100#1K 2000:3@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },

    /* key frames */

    { "keys", 1, { { "stss", 0, 3, { 2, 1, 3 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1 2000:30@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "no key", 1, { { "stss", 0, 1, { 0 } } },
      "1000:10@0+0~100#1 1010:20@100+0~100#1 2000:30@200+0~100#1",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "keys from 0, and twice", 1, { { "stss", 0, 5, { 4, 0, 2, 2, 3 } } },
      "1000:10@0+0~100#1 1010:20@100+0~100#1K 2000:30@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "keys beyond", 1, { { "stss", 0, 4, { 3, 2, 100, 4000000000u } } },
      "1000:10@0+0~100#1 1010:20@100+0~100#1K 2000:30@200+0~100#1",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "keys out of order", 1, { { "stss", 0, 3, { 2, 2, 1 } } },
      "1000:10@0+0~100#1 1010:20@100+0~100#1K"
      " stss: has samples out of order", 0 },
    { "stss, too many", 1, { { "stss", 0, 2, { 2, 1 } } },
      "stss: has fewer entries than it says", 0 },
    { "partial sync samples", 2, { { "stss", 0, 2, { 1, 1 } },
      { "stps", 0, 2, { 1, 3 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1 2000:30@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "random access points", 2, { { "stss", 0, 2, { 1, 1 } },
      { "sbgp", 0, 6, { 0x72617020, 2, 2, 0, 1, 1 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1 2000:30@200+0~100#1K",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "random access points, version 1", 2, { { "stss", 0, 2, { 1, 1 } },
      { "sbgp", 1, 7, { 0x72617020, 5, 2, 1, 0, 1, 1 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1K 2000:30@200+0~100#1",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "other groups", 2, { { "stss", 0, 2, { 1, 1 } },
      { "sbgp", 0, 4, { 0x726f6c6c, 1, 3, 1 } } },
      "1000:10@0+0~100#1K 1010:20@100+0~100#1 2000:30@200+0~100#1",
      NGX_MEDIA_MP4_NOTE_SAMPLES },
    { "groups, too many", 2, { { "stss", 0, 2, { 1, 1 } },
      { "sbgp", 0, 4, { 0x72617020, 2, 3, 1 } } },
      "sbgp: has fewer entries than it says", 0 },

    /* 2^32 samples without a table: only counting them takes time */

    { "2^32 samples", 3, { { "stsz", 0, 2, { 7, NONE } },
      { "stsc", 0, 4, { 1, 1, NONE, 1 } }, { "stts", 0, 3, { 1, NONE, 1 } } },
      "1000:7@0+0~1#1K 1007:7@1+0~1#1K 1014:7@2+0~1#1K 1021:7@3+0~1#1K"
      " 1028:7@4+0~1#1K 1035:7@5+0~1#1K 1042:7@6+0~1#1K 1049:7@7+0~1#1K"
      " 1056:7@8+0~1#1K 1063:7@9+0~1#1K 1070:7@10+0~1#1K 1077:7@11+0~1#1K"
      " 1084:7@12+0~1#1K 1091:7@13+0~1#1K 1098:7@14+0~1#1K 1105:7@15+0~1#1K"
      " 1112:7@16+0~1#1K 1119:7@17+0~1#1K 1126:7@18+0~1#1K 1133:7@19+0~1#1K"
      " ...", 0 },
};


int
main(void)
{
    table_t          tables[10];
    unsigned         i, j, k, n, from;
    ngx_uint_t       notes;
    const char      *got;
    media_mp4_t      m;

    memset(&m, 0, sizeof(m));

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {

        tables[0] = stts;
        tables[1] = stsc;
        tables[2] = stsz;
        tables[3] = stco;
        n = 4;

        /* "-tts" takes "stts" away */

        for (j = 0; j < tests[i].n; j++) {

            if (tests[i].tables[j].type == NULL) {
                continue;
            }

            for (k = 0; k < n; k++) {
                from = (tests[i].tables[j].type[0] == '-');

                if (strcmp(tables[k].type + from,
                           tests[i].tables[j].type + from)
                    == 0)
                {
                    break;
                }
            }

            tables[k] = tests[i].tables[j];
            n = (k == n) ? n + 1 : n;

            if (tables[k].type[0] == '-') {
                tables[k] = tables[--n];
            }
        }

        is(parse(&m, tables, n), NGX_OK, "%s: parsed", tests[i].name);

        got = samples(&notes);

        is_text(got, strlen(got), tests[i].expected, "%s", tests[i].name);

        is(notes, tests[i].notes, "%s: notes", tests[i].name);
    }

    free(m.p);

    return done();
}
