
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: time/ngx_media_segmenter.c */


#include "tap.h"
#include "time/ngx_media_segmenter.h"


#define TS  360000


typedef struct {
    const char           *name;
    int64_t               gop;           /* us */
    int64_t               jitter;        /* of key frames, us */
    ngx_uint_t            segment;       /* ms */
    ngx_uint_t            max;
    int64_t               shortest;      /* us, what is expected once */
    int64_t               longest;       /* a few GOPs were seen */
    int64_t               forced;        /* in ten minutes, -1: any */
} gop_t;


static const gop_t  gops[] = {
    { "0.5 s", 500000, 0, 2000, 3000, 2000000, 2000000, 0 },
    { "1 s", 1000000, 0, 2000, 3000, 2000000, 2000000, 0 },
    { "2 s", 2000000, 0, 2000, 3000, 2000000, 2000000, 0 },
    { "2.002 s", 2002000, 0, 2000, 3000, 2002000, 2002000, 0 },
    { "59 frames at 29.97", 1968633, 0, 2000, 3000, 1968633, 1968633, 0 },
    { "1.5 s", 1500000, 0, 2000, 3000, 1500000, 1500000, 0 },
    { "1.32 s", 1320000, 0, 2000, 3000, 1320000, 2640000, 0 },
    { "2.5 s", 2500000, 0, 2000, 3000, 2500000, 2500000, 0 },
    { "2 s, jitter 1 ms", 2000000, 1000, 2000, 3000, 1998000, 2002000, 0 },
    { "1 s, segments of 1 s", 1000000, 0, 1000, 1500, 1000000, 1000000, 0 },
    { "2 s, segments of 6 s", 2000000, 0, 6000, 9000, 6000000, 6000000, 0 },
    { "10 s", 10000000, 0, 2000, 3000, 1960000, 2040000, -1 },
    { "10 s, max=10s", 10000000, 0, 2000, 10000, 10000000, 10000000, 0 },
    { "a minute", 60000000, 0, 2000, 3000, 1000000, 2000000, -1 }
};


static uint64_t  seed = 88172645463325252ULL;


static uint64_t
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed >> 11;
}


static int64_t
ticks(int64_t us)
{
    return us * TS / 1000000;
}


static void
test_gops(void)
{
    int64_t                d, e, forced, key, longest, pts, shortest, start;
    ngx_uint_t             cut, i, is_key, n;
    const gop_t           *g;
    ngx_media_segmenter_t  s;

    for (i = 0; i < sizeof(gops) / sizeof(gops[0]); i++) {
        g = &gops[i];

        ngx_media_segmenter_init(&s, NGX_MEDIA_VIDEO, TS, g->segment, g->max);

        d = TS / 25;
        start = 1795000000LL * TS;
        pts = start;
        key = start;
        n = 0;
        forced = 0;
        shortest = INT64_MAX;
        longest = 0;

        for ( ;; ) {

            /* frames every 40 ms, and a key frame where one is due */

            is_key = (pts >= key);

            if (is_key) {
                pts = key;
                key += ticks(g->gop);

                if (g->jitter) {
                    key += ticks((int64_t) (rnd() % (2 * g->jitter))
                                 - g->jitter);
                }
            }

            if (pts > 1795000600LL * TS) {
                break;
            }

            if (n == 0) {
                ngx_media_segmenter_start(&s, pts, 1);
                cut = NGX_MEDIA_CUT_NONE;

            } else {
                cut = ngx_media_segmenter_frame(&s, pts, d, is_key);
            }

            n++;

            if (cut) {
                e = (pts - start) * 1000000 / TS;
                forced += (cut == NGX_MEDIA_CUT_FORCED);
                start = pts;

                if (e > (int64_t) g->max * 1000 + 1000) {
                    ok(0, "segment of %lld us", (long long) e);
                }

                if (pts > (1795000000LL + 35) * TS) {
                    shortest = ngx_min(shortest, e);
                    longest = ngx_max(longest, e);
                }
            }

            pts = ngx_min(pts + d, ngx_max(key, pts + 1));
        }

        diag("GOP %s: %lld .. %lld us, forced %lld", g->name,
             (long long) shortest, (long long) longest, (long long) forced);

        ok(shortest >= g->shortest - 1000 && longest <= g->longest + 1000,
           "GOP %s: segments", g->name);

        if (g->forced >= 0) {
            is(forced, g->forced, "GOP %s: forced cuts", g->name);

        } else {
            ok(forced > 100, "GOP %s: cuts are forced", g->name);
        }
    }
}


/* irregular key frames, 0.3 to 2 s: no segment above H */

static void
test_irregular(void)
{
    int64_t                d, e, forced, key, longest, pts, start;
    ngx_uint_t             cut, is_key;
    ngx_media_segmenter_t  s;

    ngx_media_segmenter_init(&s, NGX_MEDIA_VIDEO, TS, 2000, 3000);
    ngx_media_segmenter_start(&s, 0, 1);

    d = TS / 50;
    key = TS;
    start = 0;
    forced = 0;
    longest = 0;

    for (pts = d; pts < 36000LL * TS; pts += d) {
        is_key = (pts >= key);

        if (is_key) {
            key = pts + ticks(300000 + (int64_t) (rnd() % 1700000));
        }

        cut = ngx_media_segmenter_frame(&s, pts, d, is_key);

        if (cut) {
            e = pts - start;
            start = pts;
            longest = ngx_max(longest, e);
            forced += (cut == NGX_MEDIA_CUT_FORCED);
        }
    }

    diag("irregular GOPs, ten hours: longest %lld ms, forced %lld",
         (long long) (longest * 1000 / TS), (long long) forced);

    ok(longest <= 3 * TS, "irregular GOPs: none is longer than max");
    ok(forced < 60, "irregular GOPs: cuts are rarely forced");
}


static void
test_audio(void)
{
    int64_t                cuts, n, pts, worst;
    ngx_media_segmenter_t  s;

    /* a day of AAC at 44.1 kHz: multiples of 2 s, no error adds up */

    ngx_media_segmenter_init(&s, NGX_MEDIA_AUDIO, 44100, 2000, 3000);
    ngx_media_segmenter_start(&s, 777, 1);

    cuts = 0;
    worst = 0;

    /* but for the first one, after a quarter of that */

    for (n = 1; n * 1024 < 44100; n++) {
        pts = 777 + n * 1024;

        if (ngx_media_segmenter_frame(&s, pts, 1024, 1)) {
            cuts++;
            ok(n * 1024 >= 22050 && n * 1024 < 22050 + 1024,
               "audio: the first cut is early");
        }
    }

    is(cuts, 1, "audio: one is");

    cuts = 0;

    for ( /* void */ ; n * 1024 < 86400 * 44100LL; n++) {
        pts = 777 + n * 1024;

        if (ngx_media_segmenter_frame(&s, pts, 1024, 1)) {
            cuts++;
            worst = ngx_max(worst, pts - 777 - cuts * 2 * 44100);

            if (pts - 777 < cuts * 2 * 44100) {
                ok(0, "audio: a cut comes before its multiple");
            }
        }
    }

    is(cuts, 43199, "audio: a day has its cuts");
    ok(worst < 1024, "audio: each at the first frame of its multiple");

    /* after a gap no cuts are made up for */

    is(ngx_media_segmenter_frame(&s, pts + 61 * 44100, 1024, 1),
       NGX_MEDIA_CUT_KEY, "audio: a cut after a gap");
    is(ngx_media_segmenter_frame(&s, pts + 61 * 44100 + 1024, 1024, 1),
       NGX_MEDIA_CUT_NONE, "audio: only one");
}


/* what is waited for: the first segment, and that of a track that joins */

static int64_t
first_cut(int64_t gop, ngx_uint_t max, ngx_uint_t awaited, ngx_uint_t *cut)
{
    int64_t                d, pts;
    ngx_media_segmenter_t  s;

    ngx_media_segmenter_init(&s, NGX_MEDIA_VIDEO, TS, 2000, max);
    ngx_media_segmenter_start(&s, 0, 1);

    if (awaited) {
        ngx_media_segmenter_hurry(&s, 1);
    }

    d = TS / 25;

    for (pts = d; pts < 60 * TS; pts += d) {
        *cut = ngx_media_segmenter_frame(&s, pts, d, pts % ticks(gop) == 0);

        if (*cut) {
            return pts * 1000 / TS;
        }
    }

    return -1;
}


static void
test_early(void)
{
    int64_t                d, pts;
    ngx_uint_t             cut;
    ngx_media_segmenter_t  s;

    is(first_cut(1000000, 3000, 1, &cut), 1000, "early: at the key frame");
    is(cut, NGX_MEDIA_CUT_KEY, "early: it is one");
    is(first_cut(200000, 3000, 1, &cut), 600, "early: not less than s / 4");
    is(first_cut(40000, 3000, 1, &cut), 520, "early: key frames only");
    is(first_cut(2480000, 3000, 1, &cut), 2480, "early: not by force");
    is(cut, NGX_MEDIA_CUT_KEY, "early: where max allows it");
    is(first_cut(10000000, 3000, 1, &cut), 3000, "early: as max says");
    is(cut, NGX_MEDIA_CUT_FORCED, "early: by force");
    is(first_cut(30000000, 31000, 1, &cut), 3000, "early: though max is long");
    is(cut, NGX_MEDIA_CUT_FORCED, "early: by force, awaited");
    is(first_cut(30000000, 31000, 0, &cut), 30000, "early: not awaited");
    is(cut, NGX_MEDIA_CUT_KEY, "early: at its key frame");

    /* in the middle, for a track that comes late: once */

    ngx_media_segmenter_init(&s, NGX_MEDIA_VIDEO, TS, 4000, 6000);
    ngx_media_segmenter_start(&s, 0, 1);

    d = TS / 25;

    for (pts = d; pts <= 8 * TS; pts += d) {
        cut = ngx_media_segmenter_frame(&s, pts, d, pts % TS == 0);
    }

    is(cut, NGX_MEDIA_CUT_KEY, "early: a usual cut");

    ngx_media_segmenter_hurry(&s, 0);

    for ( /* void */ ; pts <= 9 * TS; pts += d) {
        cut = ngx_media_segmenter_frame(&s, pts, d, pts % TS == 0);
    }

    is(cut, NGX_MEDIA_CUT_KEY, "early: at the next key frame");

    for ( /* void */ ; pts < 13 * TS; pts += d) {
        if (ngx_media_segmenter_frame(&s, pts, d, pts % TS == 0)) {
            break;
        }
    }

    ok(pts >= 12 * TS, "early: only once");
}


/* ladders of several publishers with equal GOPs fall into step */

static void
test_aligned(void)
{
    int64_t                d, pts, start;
    ngx_uint_t             cut, first, phase;
    ngx_media_segmenter_t  s;

    d = TS / 25;

    for (phase = 0; phase < 20; phase++) {

        /* key frames each half second, wherever the stream was joined */

        start = 1795000000LL * TS + phase * TS / 2;

        ngx_media_segmenter_init(&s, NGX_MEDIA_VIDEO, TS, 2000, 3000);
        ngx_media_segmenter_start(&s, start, 1);

        first = 2;
        cut = 0;

        for (pts = start + d; pts < start + 20 * TS; pts += d) {

            cut = ngx_media_segmenter_frame(&s, pts, d,
                                            (pts * 2) % TS < 2 * d);

            if (cut) {
                /* one that is early, and one that leads to the others */

                if (pts / (TS / 2) % 4 != 0 && !first) {
                    break;
                }

                first -= (first != 0);
            }
        }

        ok(pts >= start + 20 * TS, "segments begin at even seconds, %u",
           (unsigned) phase);
    }
}


static void
test_expects(void)
{
    int64_t                d, right, wrong, missed, pts;
    ngx_uint_t             expected, cut, surprise, unsure;
    ngx_media_segmenter_t  s;

    ngx_media_segmenter_init(&s, NGX_MEDIA_VIDEO, TS, 2000, 3000);
    ngx_media_segmenter_start(&s, 0, 1);

    d = TS / 25;
    right = 0;
    wrong = 0;
    missed = 0;
    surprise = 0;

    for (pts = d; pts < 600 * TS; pts += d) {

        unsure = ngx_media_segmenter_unsure(&s, pts);
        expected = ngx_media_segmenter_expects(&s, pts);
        cut = ngx_media_segmenter_frame(&s, pts, d, pts % TS == 0);

        right += (expected && cut);
        wrong += (expected && !cut);
        missed += (!expected && cut);
        surprise += (!expected && !unsure && cut) || (unsure && pts > 2 * TS);
    }

    diag("expected cuts: %lld right, %lld wrong, %lld missed",
         (long long) right, (long long) wrong, (long long) missed);

    ok(right > 290 && wrong == 0 && missed <= 2, "cuts are expected");
    is(surprise, 0, "or it is known that nobody knows, in the beginning");
}


static void
test_parts(void)
{
    size_t  i;

    static const uint32_t  targets[][3] = {
        { 200, 2134, 1 },
        { 150, 1669, 6 },
        { 250, 2667, 1 },
        { 333, 3414, 0 },
        { 500, 5000, 0 },
        { 1000, 10000, 0 }
    };

    for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        is(ngx_media_part_target(targets[i][0]), targets[i][1],
           "PART-TARGET for %u ms", targets[i][0]);
        is(ngx_media_part_misfits(targets[i][1]), targets[i][2],
           "misfits for %u ms", targets[i][0]);
    }

    ok(ngx_media_part_misfits(ngx_media_part_target(100)) >= 3,
       "24 and 25 frames a second do not fit 100 ms");

    is(ngx_media_part_target(0), 0, "PART-TARGET for nothing");
    ok(ngx_media_part_target(1) >= 10, "PART-TARGET for 1 ms");

    ok(ngx_media_part_fits(2134, 48000, 9 * 1024, 1024), "10 AAC frames");
    ok(!ngx_media_part_fits(2134, 48000, 10 * 1024, 1024), "11 AAC frames");
    ok(ngx_media_part_fits(2134, 48000, 10243, 0), "to the sample");
    ok(!ngx_media_part_fits(2134, 48000, 10244, 0), "and no further");
    ok(ngx_media_part_fits(2134, 360000, 5 * 12012, 12012),
       "6 frames at 29.97");
    ok(!ngx_media_part_fits(2134, 360000, 6 * 12012, 12012),
       "7 frames at 29.97");
}


static void
test_limits(void)
{
    ngx_uint_t             i;
    ngx_media_segmenter_t  s;

    ngx_media_segmenter_init(&s, NGX_MEDIA_VIDEO, 1, 0, 0);
    ngx_media_segmenter_start(&s, 0, 1);

    for (i = 0; i < 1000; i++) {
        (void) ngx_media_segmenter_frame(&s, (int64_t) (rnd() >> 12),
                                         (int64_t) (rnd() >> 24), rnd() % 2);
        (void) ngx_media_segmenter_expects(&s, (int64_t) (rnd() >> 12));
    }

    ok(1, "times that jump about");
}


int
main(void)
{
    test_gops();
    test_irregular();
    test_audio();
    test_early();
    test_aligned();
    test_expects();
    test_parts();
    test_limits();

    return done();
}
