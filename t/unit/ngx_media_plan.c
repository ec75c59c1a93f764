
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


#define MAX  20000


static ngx_media_index_build_t  build;


/*
 * A track: "25 frames/s of 10 s, a key frame every 2 s" is 25, 250, 50.  The
 * times of key frames may be given instead, in samples, up to a zero.
 */

static ngx_media_index_t *
track(uint32_t timescale, uint32_t duration, unsigned n, unsigned gop,
    const unsigned *keys, int64_t cto, int64_t empty)
{
    unsigned                   i, k;
    ngx_media_index_t         *index;
    ngx_media_index_sample_t   s;

    ngx_media_index_build_init(&build, timescale, (uint64_t) 1 << 40, MAX);

    memset(&s, 0, sizeof(s));
    k = 0;

    for (i = 0; i < n; i++) {
        s.offset = i * 1000;
        s.size = 1000;
        s.dts = (int64_t) i * duration;
        s.duration = duration;
        s.cto = cto;
        s.description = 1;
        s.key = keys ? i == 0 || keys[k] == i : i % gop == 0;

        if (keys && keys[k] == i) {
            k++;
        }

        media_mp4_check(media_mp4_add(&build, &s) == NGX_OK);
    }

    index = media_mp4_pack(&build);
    media_mp4_check(ngx_media_index_edit(index, empty, cto, 0) == NGX_OK);

    return index;
}


/* "TIME+DURATION/SAMPLES" of each segment, in milliseconds */

static const char *
text(const ngx_media_plan_t *plan)
{
    int                        len;
    uint32_t                   i;
    ngx_media_plan_segment_t   s;

    static char  line[8192];

    len = 0;
    line[0] = '\0';

    for (i = 0; i < plan->nsegments && len < 8000; i++) {
        (void) ngx_media_plan_segment(plan, i, &s);

        if (s.samples == 0) {
            len += snprintf(line + len, sizeof(line) - len, "%s-",
                            i ? " " : "");
            continue;
        }

        len += snprintf(line + len, sizeof(line) - len, "%s%ld+%ld/%u",
                        i ? " " : "",
                        (long) (s.time * 1000 / (int64_t) plan->timescale),
                        (long) (s.duration * 1000 / plan->timescale),
                        s.samples);
    }

    return line;
}


static void
test_clock(void)
{
    size_t              i;
    const char         *got;
    ngx_media_plan_t   *plan;
    ngx_media_index_t  *index;

    /* 25 frames a second; target in ms, until in ticks of 1/12800 s */

    static const struct {
        const char  *name;
        unsigned     n;
        unsigned     gop;
        unsigned     keys[8];
        int64_t      cto;
        int64_t      empty;
        ngx_msec_t   target;
        int64_t      until;
        const char  *expected;
        uint64_t     longest;
    } tests[] = {
        { "GOP of the target", 250, 50, { 0 }, 0, 0, 2000, 0,
          "0+2000/50 2000+2000/50 4000+2000/50 6000+2000/50 8000+2000/50",
          25600 },
        { "GOP of half the target", 250, 25, { 0 }, 0, 0, 2000, 0,
          "0+2000/50 2000+2000/50 4000+2000/50 6000+2000/50 8000+2000/50",
          25600 },
        { "B-frames change nothing", 100, 50, { 0 }, 1024, 0, 2000, 0,
          "0+2000/50 2000+2000/50", 25600 },
        { "it begins later", 100, 50, { 0 }, 0, 12800, 2000, 0,
          "1000+2000/50 3000+2000/50", 25600 },
        { "GOP of 1.5 s", 300, 37, { 0 }, 0, 0, 2000, 0,
          "0+1480/37 1480+2960/74 4440+1480/37 5920+1480/37 7400+2960/74"
          " 10360+1640/41", 37888 },
        { "GOP of 2.5 s, target 6", 750, 62, { 0 }, 0, 0, 6000, 0,
          "0+4960/124 4960+7440/186 12400+4960/124 17360+7440/186"
          " 24800+5200/130", 95232 },
        { "GOP of 10 s", 600, 250, { 0 }, 0, 0, 2000, 0,
          "0+10000/250 10000+10000/250 20000+4000/100", 128000 },
        { "one key frame", 500, 1000, { 0 }, 0, 0, 2000, 0,
          "0+20000/500", 256000 },
        { "key frames anywhere", 250, 0, { 12, 60, 90, 110, 190, 240 }, 0, 0,
          2000, 0, "0+2400/60 2400+2000/50 4400+3200/80 7600+2400/60",
          40960 },
        { "a late key frame", 250, 0, { 230 }, 0, 0, 2000, 0,
          "0+9200/230 9200+800/20", 117760 },
        { "nothing but key frames", 100, 1, { 0 }, 0, 0, 1000, 0,
          "0+1000/25 1000+1000/25 2000+1000/25 3000+1000/25", 12800 },
        { "no sample", 0, 1, { 0 }, 0, 0, 2000, 0, "-", 0 },
        { "one sample", 1, 1, { 0 }, 0, 0, 2000, 0, "0+40/1", 512 },
        { "audio that ends a little later", 100, 50, { 0 }, 0, 0, 2000,
          4400 * 128 / 10, "0+2000/50 2000+2000/50", 25600 },
        { "audio that ends later", 100, 50, { 0 }, 0, 0, 2000,
          9000 * 128 / 10, "0+2000/50 2000+2000/50 - - -", 25600 },
        { "other tracks only", 0, 1, { 0 }, 0, 0, 2000, 6000 * 128 / 10,
          "- - - -", 0 },
        { "a target of a millisecond", 4, 1, { 0 }, 0, 0, 1, 0,
          "0+40/1 40+40/1 80+40/1 120+40/1", 512 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        index = track(12800, 512, tests[i].n, tests[i].gop,
                      tests[i].keys[0] ? tests[i].keys : NULL, tests[i].cto,
                      tests[i].empty);

        plan = media_mp4_plan(index, NGX_MEDIA_VIDEO, tests[i].target,
                              tests[i].until, NULL);

        got = text(plan);
        is_text(got, strlen(got), tests[i].expected, "%s", tests[i].name);
        is(plan->longest, tests[i].longest, "longest");
        is(plan->bytes, tests[i].n * 1000, "bytes");
        is(plan->end, (int64_t) tests[i].n * 512
                      + (tests[i].n ? tests[i].empty : 0), "end");

        free(plan);
        free(index);
    }
}


static void
test_follow(void)
{
    size_t              i;
    const char         *got;
    ngx_media_plan_t   *clock, *plan;
    ngx_media_index_t  *first, *index;

    /* the clock has a key frame every 2 s and lasts 10 s, target 2 s */

    static const struct {
        const char  *name;
        uint32_t     type;
        uint32_t     timescale;
        uint32_t     duration;
        unsigned     n;
        unsigned     gop;
        int64_t      empty;
        const char  *expected;
        uint64_t     apart;
    } tests[] = {
        { "the same", NGX_MEDIA_VIDEO, 12800, 512, 250, 50, 0,
          "0+2000/50 2000+2000/50 4000+2000/50 6000+2000/50 8000+2000/50",
          0 },
        { "another rate", NGX_MEDIA_VIDEO, 90000, 3003, 300, 60, 0,
          "0+2002/60 2002+2002/60 4004+2002/60 6006+2002/60 8008+2002/60",
          720 },
        { "twice as many key frames", NGX_MEDIA_VIDEO, 12800, 512, 250, 25, 0,
          "0+2000/50 2000+2000/50 4000+2000/50 6000+2000/50 8000+2000/50",
          0 },
        { "half as many", NGX_MEDIA_VIDEO, 12800, 512, 250, 100, 0,
          "0+4000/100 - 4000+4000/100 - 8000+2000/50", 25600 },
        { "GOP of 5 s", NGX_MEDIA_VIDEO, 12800, 512, 250, 125, 0,
          "0+5000/125 - 5000+5000/125 - -", 12800 },
        { "one", NGX_MEDIA_VIDEO, 12800, 512, 250, 1000, 0,
          "0+10000/250 - - - -", 0 },
        { "shorter", NGX_MEDIA_VIDEO, 12800, 512, 80, 50, 0,
          "0+2000/50 2000+1200/30 - - -", 0 },
        { "audio", NGX_MEDIA_AUDIO, 48000, 1024, 469, 1, 0,
          "0+2005/94 2005+2005/94 4010+2005/94 6016+1984/93 8000+2005/94",
          0 },
        { "audio later", NGX_MEDIA_AUDIO, 48000, 1024, 280, 1, 192000,
          "- - 4000+2005/94 6005+2005/94 8010+1962/92", 0 },
        { "audio in between", NGX_MEDIA_AUDIO, 48000, 1024, 47, 1, 144000,
          "- 3000+1002/47 - - -", 0 },
        { "audio longer", NGX_MEDIA_AUDIO, 48000, 1024, 700, 1, 0,
          "0+2005/94 2005+2005/94 4010+2005/94 6016+1984/93 8000+6933/325",
          0 },
        { "no audio", NGX_MEDIA_AUDIO, 48000, 1024, 0, 1, 0, "- - - - -", 0 },
        { "frames of half a second", NGX_MEDIA_AUDIO, 1000, 700, 14, 1, 0,
          "0+2100/3 2100+2100/3 4200+2100/3 6300+2100/3 8400+1400/2", 0 },
    };

    first = track(12800, 512, 250, 50, NULL, 0, 0);
    clock = media_mp4_plan(first, NGX_MEDIA_VIDEO, 2000, 0, NULL);

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        index = track(tests[i].timescale, tests[i].duration, tests[i].n,
                      tests[i].gop, NULL, 0, tests[i].empty);

        plan = media_mp4_plan(index, tests[i].type, 0, 0, clock);

        got = text(plan);

        is_text(got, strlen(got), tests[i].expected, "%s", tests[i].name);
        is(plan->nsegments, 5, "segments");
        is(plan->bytes, tests[i].n * 1000, "bytes");
        is(plan->apart, tests[i].apart, "apart");

        free(plan);
        free(index);
    }

    free(clock);
    free(first);

    /* after the end of the clock */

    first = track(12800, 512, 100, 50, NULL, 0, 0);
    clock = media_mp4_plan(first, NGX_MEDIA_VIDEO, 2000, 12 * 12800, NULL);
    index = track(48000, 1024, 563, 1, NULL, 0, 0);
    plan = media_mp4_plan(index, NGX_MEDIA_AUDIO, 0, 0, clock);

    got = text(plan);
    is_text(got, strlen(got), "0+2005/94 2005+2005/94 4010+2005/94"
            " 6016+1984/93 8000+2005/94 10005+2005/94", "audio goes on");
    is(clock->last, 2, "the clock does not");
    is(clock->nempty, 4, "segments without video");
    is(clock->nruns, 2, "in one run");

    free(plan);
    free(clock);
    free(index);
    free(first);
}


static void
test_peak(void)
{
    ngx_media_plan_t   *plan;
    ngx_media_index_t  *index;

    index = track(12800, 512, 1000, 37, NULL, 0, 0);
    plan = media_mp4_plan(index, NGX_MEDIA_VIDEO, 2000, 0, NULL);

    is(plan->peak, 37 * 8000 * 100 / 148, "peak");

    free(plan);
    free(index);
}


static void
test_rescale(void)
{
    size_t  i;

    static const struct {
        int64_t   value;
        uint32_t  from;
        uint32_t  to;
        int64_t   expected;
    } tests[] = {
        { 0, 1000, 48000, 0 },
        { 1, 1000, 48000, 48 },
        { 1, 48000, 1000, 1 },
        { 48, 48000, 1000, 1 },
        { 49, 48000, 1000, 2 },
        { -1, 48000, 1000, 0 },
        { -48, 48000, 1000, -1 },
        { -49, 48000, 1000, -1 },
        { 1795222800ll * 360000, 360000, 90000, 1795222800ll * 90000 },
        { 1795222800ll * 360000 + 1, 360000, 44100, 1795222800ll * 44100
                                                    + 1 },
        { 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff },
        { 0xfffffffe, 0xffffffff, 0xffffffff, 0xfffffffe },
        { -0xfffffffell, 0xffffffff, 0xffffffff, -0xfffffffell },
        { (int64_t) 1 << 58, 0x7fffffff, 0x7fffffff, (int64_t) 1 << 58 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        is(ngx_media_plan_rescale(tests[i].value, tests[i].from, tests[i].to),
           tests[i].expected, "%ld/%u to %u", (long) tests[i].value,
           tests[i].from, tests[i].to);
    }
}


static void
test_many(void)
{
    size_t                     size;
    ngx_media_index_t         *index;
    ngx_media_index_sample_t   s;

    /* a day between two samples, and a track that lasts for years */

    memset(&s, 0, sizeof(s));
    ngx_media_index_build_init(&build, 1000, 1000, 10);
    s.key = 1;
    s.duration = 86400000;
    (void) media_mp4_add(&build, &s);
    s.dts = 86400000;
    (void) media_mp4_add(&build, &s);
    index = media_mp4_pack(&build);

    size = 0;
    is(ngx_media_plan_make(NULL, &size, index, NULL, NULL, NGX_MEDIA_VIDEO,
                           2000, 0),
       NGX_OK, "two days");
    is(size, sizeof(ngx_media_plan_t) + sizeof(ngx_media_plan_run_t),
       "one run");
    is(ngx_media_plan_make(NULL, &size, index, NULL, NULL, NGX_MEDIA_VIDEO,
                           2000, 3000000000000),
       NGX_DECLINED, "a hundred years");

    free(index);
}


static void
test_range(void)
{
    unsigned                   i;
    ngx_media_index_t         *index;
    ngx_media_plan_range_t     range;
    ngx_media_index_sample_t   s;

    /* offsets on both sides of that of the first sample: B-frames */

    static const int64_t  cto[] = { 80, 200, 80, 0, 40 };

    memset(&s, 0, sizeof(s));
    ngx_media_index_build_init(&build, 1000, 1000000, 100);

    for (i = 0; i < 50; i++) {
        s.offset = i * 100;
        s.size = 100;
        s.dts = i * 40;
        s.duration = 40;
        s.cto = (i % 25) ? cto[i % 5] : 80;
        s.description = 1;
        s.key = (i % 25 == 0);

        media_mp4_check(media_mp4_add(&build, &s) == NGX_OK);
    }

    index = media_mp4_pack(&build);
    media_mp4_check(ngx_media_index_edit(index, 0, 80, 0) == NGX_OK);

    is(ngx_media_plan_range(&range, index, NGX_MEDIA_VIDEO, 0, INT64_MAX),
       NGX_OK, "a range without an end");
    is(range.first, 0, "from the first");
    is(range.end, 50, "to the last");

    is(ngx_media_plan_range(&range, index, NGX_MEDIA_VIDEO, 1100, INT64_MAX),
       NGX_OK, "from a time on");
    is(range.first, 25, "from the key frame before it");
    is(range.end, 50, "to the last");

    is(ngx_media_plan_range(&range, index, NGX_MEDIA_VIDEO, 0, 1000), NGX_OK,
       "a second");
    is(range.end, 25, "as many frames");

    is(ngx_media_plan_range(&range, index, NGX_MEDIA_VIDEO, 5000, INT64_MAX),
       NGX_OK, "behind the end");
    is(range.end, 50, "is where it ends");

    free(index);
}


int
main(void)
{
    test_clock();
    test_follow();
    test_peak();
    test_range();
    test_rescale();
    test_many();

    return done();
}
