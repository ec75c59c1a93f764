
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: time/ngx_media_timeline.c time/ngx_media_cadence.c */
/* link: time/ngx_media_line_video.c time/ngx_media_line_audio.c */


#include "tap.h"
#include "media_sim.h"


#define U  360000


static sim_t  sim;


static void
show(const char *name)
{
    diag("%s: A/V %lld us, pts error %lld/360 ms, durations %lld..%lld "
         "%lld..%lld, silent %lld, dropped %lld %lld, periods %lld%s%s",
         name, (long long) sim_spread(&sim), (long long) sim.video.worst,
         (long long) sim.video.shortest, (long long) sim.video.longest,
         (long long) sim.audio.shortest, (long long) sim.audio.longest,
         (long long) sim.audio.silent, (long long) sim.video.dropped,
         (long long) sim.audio.dropped, (long long) sim.periods,
         sim.note ? ", " : "", sim.note ? sim.note : "");
}


static void
valid(const char *name)
{
    if (!ok(sim.bad == 0, "%s: all that must hold does", name)) {
        diag("%lld times, first at %lld ms: %s", (long long) sim.bad,
             (long long) (sim.when / 1000000), sim.what);
    }
}


static void
run(const char *name, const sim_conf_t *conf)
{
    sim_init(&sim, conf);
    sim_run(&sim, conf->seconds);
    sim_end(&sim, &sim.video);
    sim_end(&sim, &sim.audio);

    show(name);
    valid(name);
}


static sim_conf_t
base(int64_t num, int64_t den)
{
    sim_conf_t  conf;

    memset(&conf, 0, sizeof(sim_conf_t));

    conf.num = num;
    conf.den = den;
    conf.rate = 48000;
    conf.samples = 1024;
    conf.delay = 20;
    conf.seconds = 60;

    return conf;
}


static const int64_t  rates[][2] = {
    { 30000, 1001 }, { 24000, 1001 }, { 60000, 1001 }, { 25, 1 }, { 50, 1 },
    { 24, 1 }, { 30, 1 }, { 60, 1 }, { 120, 1 }, { 15, 1 }, { 10, 1 },
    { 7, 1 }, { 25, 2 }
};


/* constant rates come out exact, from floored and from rounded stamps */

static void
test_rates(void)
{
    char        name[80];
    size_t      i;
    int64_t     d;
    sim_conf_t  conf;
    ngx_uint_t  r;

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        for (r = 0; r < 4; r++) {
            conf = base(rates[i][0], rates[i][1]);
            conf.round = r & 1;
            conf.rate = (r & 2) ? 44100 : 48000;
            conf.hint = r >> 1;
            conf.seconds = 1200;

            sprintf(name, "%lld/%lld fps, %s, %lld Hz",
                    (long long) rates[i][0], (long long) rates[i][1],
                    conf.round ? "rounded" : "floored",
                    (long long) conf.rate);

            run(name, &conf);

            d = U * rates[i][1] / rates[i][0];

            ok(sim.video.shortest == d
               && sim.video.longest == (U * rates[i][1] + rates[i][0] - 1)
                                       / rates[i][0],
               "%s: durations", name);
            ok(sim.audio.shortest == 1024 && sim.audio.longest == 1024,
               "%s: audio durations", name);
            ok(sim_spread(&sim) < 10, "%s: A/V constant", name);
            ok(sim.video.worst <= 540, "%s: pts within 1.5 ms", name);
            ok(sim.video.cto_min == 0 && sim.video.cto_max == 0,
               "%s: cto is 0", name);
            ok(sim.periods == 1 && sim.audio.silent == 0
               && sim.audio.dropped == 0 && sim.video.dropped == 0
               && sim.notes == 0 && sim.anchors == 0,
               "%s: nothing fed, dropped or said", name);

            /* parts close with their last frame, and are full */

            ok(sim.video.early > sim.video.parts - 5 - 1200 * d / U,
               "%s: parts close early", name);

            if (d <= U / 15) {
                ok(sim.video.small == 0 && sim.audio.small == 0,
                   "%s: parts are full", name);
            }
        }
    }
}


static void
test_ppm(void)
{
    char        name[80];
    size_t      i, p;
    sim_conf_t  conf;

    static const int64_t  ppms[] = { 300, -300, 37, -100 };

    for (i = 0; i < 5; i++) {
        for (p = 0; p < (i ? 2 : 4); p++) {
            conf = base(rates[i][0], rates[i][1]);
            conf.ppm = ppms[p];
            conf.round = p & 1;
            conf.seconds = 3 * 3600;

            sprintf(name, "%lld/%lld fps, %lld ppm", (long long) rates[i][0],
                    (long long) rates[i][1], (long long) ppms[p]);

            run(name, &conf);

            ok(sim_spread(&sim) <= 3000, "%s: A/V within 3 ms", name);
            ok(sim.video.worst <= 540, "%s: pts within 1.5 ms", name);
            ok(sim.video.cto_min == 0 && sim.video.cto_max == 0,
               "%s: cto is 0", name);
            ok(sim.periods == 1 && sim.audio.silent == 0
               && sim.audio.dropped == 0 && sim.video.dropped == 0,
               "%s: nothing fed or dropped", name);
            ok(sim.wall_max <= 620 && sim.wall_min >= -620,
               "%s: the anchor follows", name);
            ok(ngx_abs(sim.anchors * 500 - ngx_abs(ppms[p]) * 108 / 10)
               <= 600,
               "%s: %lld new anchors", name, (long long) sim.anchors);
        }
    }
}


/* TEST_WEEK: at all five rates */

static void
test_week(void)
{
    char        name[80];
    size_t      i, n;
    sim_conf_t  conf;

    n = getenv("TEST_WEEK") ? 5 : 1;

    for (i = 0; i < n; i++) {
        conf = base(rates[i][0], rates[i][1]);
        conf.rate = (i & 1) ? 48000 : 44100;
        conf.round = i & 1;
        conf.seconds = 7 * 86400;
        conf.delay = 100;

        sprintf(name, "a week of %lld/%lld fps", (long long) rates[i][0],
                (long long) rates[i][1]);

        run(name, &conf);

        ok(sim_spread(&sim) < 10, "%s: A/V constant", name);
        ok(sim.video.worst <= 540, "%s: pts within 1.5 ms", name);
        ok(sim.video.offset_max - sim.video.offset_min < 10000
           && sim.audio.offset_max - sim.audio.offset_min < 10000,
           "%s: no drift against the truth", name);
        is(sim.periods, 1, "%s: one period", name);
        is(sim.audio.silent + sim.audio.dropped + sim.video.dropped, 0,
           "%s: nothing fed or dropped", name);
    }
}


static void
test_jitter(void)
{
    sim_conf_t  conf;

    conf = base(60000, 1001);
    conf.jitter = 1000;
    conf.seconds = 600;
    run("jitter of 1 ms at 59.94", &conf);
    ok(sim.video.worst <= 540, "jitter of 1 ms: pts within 1.5 ms");
    ok(sim_spread(&sim) <= 5000, "jitter of 1 ms: A/V within 5 ms");

    conf = base(60, 1);
    conf.jitter = 3000;
    conf.seconds = 600;
    run("jitter of 3 ms at 60", &conf);
    ok(sim.video.worst <= 540, "jitter of 3 ms: pts within 1.5 ms");
    is(sim.video.small, 0, "jitter of 3 ms: parts are full");

    conf = base(30000, 1001);
    conf.bframes = 2;
    conf.a = 1;
    conf.jitter = 5000;
    conf.seconds = 600;
    run("jitter of 5 ms, B-frames", &conf);
    ok(sim.video.worst <= 540, "jitter, B-frames: pts within 1.5 ms");

    conf = base(30000, 1001);
    conf.jitter = 10000;
    conf.seconds = 600;
    run("jitter of 10 ms", &conf);
    ok(sim.video.worst <= 540, "jitter of 10 ms: pts within 1.5 ms");
    is(sim.video.dropped, 0, "jitter of 10 ms: nothing dropped");
}


static int
lose_run(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    return video && n >= s->conf.b && n < s->conf.b + s->conf.c;
}


static int
lose_some(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    return video && sim_random(s) % 1000 < (uint64_t) s->conf.b;
}


/*
 * 1 to 24 frames lost anywhere, also right after a part that was settled:
 * no hole, no step above 2D; from 25 on (a second) the period ends.
 */

static void
test_loss(void)
{
    int64_t     bad, broken, longest, n, at, worst;
    sim_conf_t  conf;

    bad = 0;
    longest = 0;
    worst = 0;

    for (n = 1; n <= 30; n++) {
        broken = 0;

        for (at = 290; at < 302; at++) {
            conf = base(25, 1);
            conf.lose = lose_run;
            conf.b = at;
            conf.c = n;
            conf.seconds = 16;

            sim_init(&sim, &conf);
            sim_run(&sim, 16);

            broken += sim.broken;
            bad += sim.bad;
            longest = ngx_max(longest, sim.video.longest);
            worst = ngx_max(worst, sim.video.worst);

            if (sim.bad) {
                diag("%lld lost at %lld: %s", (long long) n, (long long) at,
                     sim.what);
            }

            if (sim.audio.silent || (n < 25 && sim.audio.dropped)) {
                ok(0, "%lld lost at %lld: audio is untouched", (long long) n,
                   (long long) at);
            }
        }

        is(broken, n < 25 ? 0 : 12, "%lld frames lost: periods end",
           (long long) n);
    }

    is(bad, 0, "frames lost: all that must hold does");
    is(longest, 28800, "frames lost: no step above 2D");
    is(worst, 0, "frames lost: pts are exact");

    conf = base(60000, 1001);
    conf.lose = lose_some;
    conf.b = 20;
    conf.jitter = 1000;
    conf.seconds = 600;
    run("jitter of 1 ms, 2 % lost, 59.94", &conf);
    ok(sim.video.worst <= 540, "2 %% lost: pts within 1.5 ms");
    is(sim.video.small, 0, "2 %% lost: parts are full");

    conf = base(30000, 1001);
    conf.lose = lose_some;
    conf.b = 50;
    conf.bframes = 2;
    conf.a = 1;
    conf.seconds = 600;
    run("B-frames, 5 % lost", &conf);
    ok(sim.video.worst <= 540, "B-frames, 5 %% lost: pts within 1.5 ms");
}


static void
test_bframes(void)
{
    char        name[80];
    size_t      i, r;
    int64_t     d;
    sim_conf_t  conf;

    static const struct {
        int64_t  b;
        int64_t  delay;
        int      pyramid;
        int      open;
    } kinds[] = {
        { 1, 1, 0, 0 }, { 2, 1, 0, 0 }, { 3, 1, 0, 0 }, { 3, 2, 1, 0 },
        { 1, 1, 0, 1 }, { 2, 1, 0, 1 }, { 3, 1, 0, 1 }, { 3, 2, 1, 1 }
    };

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (r = 0; r < 5; r++) {
            conf = base(rates[r][0], rates[r][1]);
            conf.bframes = kinds[i].b;
            conf.a = kinds[i].delay;
            conf.pyramid = kinds[i].pyramid;
            conf.open = kinds[i].open;
            conf.round = r & 1;
            conf.ppm = (r == 3) ? 200 : 0;
            conf.hint = (r == 2);
            conf.seconds = 600;

            sprintf(name, "%lld B%s%s, %lld/%lld", (long long) kinds[i].b,
                    kinds[i].pyramid ? " pyramid" : "",
                    kinds[i].open ? " open" : "",
                    (long long) rates[r][0], (long long) rates[r][1]);

            run(name, &conf);

            d = U * rates[r][1] / rates[r][0];

            ok(sim.video.worst <= 540, "%s: pts within 1.5 ms", name);
            is(sim.video.cto_min, -kinds[i].delay * d, "%s: least cto",
               name);
            is(sim.periods, 1, "%s: one period", name);

            if (!kinds[i].open) {
                ok(sim.video.key_cto <= 1, "%s: key frames have cto 0",
                   name);
            }

            if (conf.ppm == 0) {
                ok(sim.video.shortest == d && sim.video.longest == d,
                   "%s: durations", name);
            }
        }
    }
}


/* an encoder that reorders more, or less, from some GOP on */

static int
more_delay(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    if (n >= s->conf.b) {
        s->conf.a = s->conf.c;
    }

    return 0;
}


static void
test_reorder(void)
{
    sim_conf_t  conf;

    conf = base(25, 1);
    conf.bframes = 2;
    conf.a = 1;
    conf.b = 490;
    conf.c = 3;
    conf.lose = more_delay;
    run("reorder delay grows", &conf);
    ok(sim.video.key_cto <= 3, "reorder delay grows: cto of keys is 0 again");

    conf.a = 3;
    conf.c = 1;
    run("reorder delay falls", &conf);
    ok(sim.video.key_cto <= 3, "reorder delay falls: cto of keys is 0 again");
    ok(sim.video.shortest >= 360, "reorder delay falls: at least 1 ms");
}


static int
lose_audio(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    return !video && n >= s->conf.b && n < s->conf.b + s->conf.c;
}


static int
jitter_audio(void *data, int video, int64_t n, int64_t *stamp,
    int64_t *arrival)
{
    sim_t  *s = data;

    if (!video) {
        *stamp += (int64_t) (sim_random(s) % (2 * s->conf.b + 1)) - s->conf.b;
    }

    return 0;
}


/* several frames with one stamp */

static int
batch_audio(void *data, int video, int64_t n, int64_t *stamp,
    int64_t *arrival)
{
    sim_t  *s = data;

    if (!video) {
        *stamp = sim_stamp(s, sim_truth(s, 0, n - n % s->conf.b));
    }

    return 0;
}


static void
test_audio(void)
{
    size_t      i;
    int64_t     late;
    sim_conf_t  conf;

    static const struct {
        const char  *name;
        int64_t      from;
        int64_t      n;
        int64_t      silent;
    } gaps[] = {
        { "one audio frame lost", 1000, 1, 1 },
        { "two lost", 1000, 2, 2 },
        { "20 lost", 1000, 20, 20 },
        { "audio pauses for 4 s", 1000, 200, 200 },
        { "audio pauses for a minute", 1000, 2813, 2813 },
        { "audio starts 4 s late", 0, 200, 200 },
        { "audio never comes", 0, 100000000, -1 }
    };

    for (i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
        conf = base(25, 1);
        conf.lose = lose_audio;
        conf.b = gaps[i].from;
        conf.c = gaps[i].n;
        conf.seconds = 120;

        run(gaps[i].name, &conf);

        if (gaps[i].silent >= 0) {
            is(sim.audio.silent, gaps[i].silent, "%s: silent frames",
               gaps[i].name);
            is(sim.audio.dropped, 0, "%s: nothing dropped", gaps[i].name);
            ok(sim_spread(&sim) <= 5000, "%s: A/V", gaps[i].name);

        } else {
            ok(sim.audio.silent > 5500, "%s: silence throughout",
               gaps[i].name);
        }

        is(sim.periods, 1, "%s: one period", gaps[i].name);
        is(sim.video.cto_max, 0, "%s: video is untouched", gaps[i].name);
    }

    /* audio that comes later than video, always: fed at first, no more */

    for (late = 200; late <= 2600; late += 400) {
        conf = base(25, 1);
        conf.late = late;

        run("late audio", &conf);
        is(sim.audio.silent, sim.audio.dropped, "audio %lld ms late: what was "
           "fed was dropped", (long long) late);
        ok(sim.audio.silent <= late / 20, "audio %lld ms late: it is waited "
           "for", (long long) late);
    }

    conf = base(25, 1);
    conf.lose = jitter_audio;
    conf.b = 10;
    conf.seconds = 600;
    run("audio with jitter of 10 ms", &conf);
    is(sim.audio.silent + sim.audio.dropped, 0,
       "audio with jitter of 10 ms: no gap");
    ok(sim_spread(&sim) <= 5000, "audio with jitter of 10 ms: A/V");

    conf.b = 35;
    conf.first = 1000;
    run("audio with jitter of 35 ms", &conf);
    is(sim.audio.silent + sim.audio.dropped, 0,
       "audio with jitter of 35 ms: no gap");

    for (late = 2; late <= 4; late++) {
        conf = base(25, 1);
        conf.lose = batch_audio;
        conf.b = late;
        run("audio stamped in batches", &conf);
        is(sim.audio.silent + sim.audio.dropped, 0,
           "audio in batches of %lld: counts rule", (long long) late);
    }

    /* HE-AAC at 24 kHz, MP3 */

    conf = base(25, 1);
    conf.rate = 24000;
    conf.samples = 1024;
    run("24 kHz", &conf);
    is(sim.audio.silent + sim.audio.dropped, 0, "24 kHz: no gap");

    conf.rate = 48000;
    conf.samples = 1152;
    run("MP3", &conf);
    is(sim.audio.silent + sim.audio.dropped, 0, "MP3: no gap");
}


static int
jump(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    if (sim_truth(s, video, n) >= s->conf.b * 1000000) {
        *stamp += s->conf.c;
    }

    return 0;
}


static int
stop(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    if (sim_truth(s, video, n) >= s->conf.b * 1000000) {
        *arrival += s->conf.c;
    }

    return 0;
}


static int
pause_both(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    (void) jump(data, video, n, stamp, arrival);
    (void) stop(data, video, n, stamp, arrival);

    return 0;
}


static void
test_jumps(void)
{
    size_t      i;
    sim_conf_t  conf;

    static const struct {
        const char  *name;
        int64_t      by;
        int64_t      periods;
        const char  *note;
    } jumps[] = {
        { "back 1.1 s", -1100, 2, "timestamps jumped" },
        { "back 5 s", -5000, 2, "timestamps jumped" },
        { "back to the start", -20000, 2, "timestamps jumped" },
        { "back a day", -86400000, 2, "timestamps jumped" },
        { "back 0.5 s", -500, 1, NULL },
        { "back 40 ms", -40, 1, NULL },
        { "ahead 40 ms", 40, 1, NULL },
        { "ahead 0.5 s", 500, 1, NULL },
        { "ahead 2 s", 2000, 2, "video was silent, new period" },
        { "ahead 3.1 s", 3100, 2, "timestamps jumped" },
        { "ahead an hour", 3600000, 2, "timestamps jumped" },
        { "ahead 20 days", 1728000000, 2, "timestamps jumped" }
    };

    for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        conf = base(25, 1);
        conf.first = 100000000;
        conf.lose = jump;
        conf.b = 20000;
        conf.c = jumps[i].by;

        run(jumps[i].name, &conf);

        is(sim.periods, jumps[i].periods, "%s: periods", jumps[i].name);

        if (jumps[i].note) {
            ok(sim.note && strcmp(sim.note, jumps[i].note) == 0,
               "%s: the log says so", jumps[i].name);
        }

        /* half a GOP until the next key frame, no more */

        ok(sim.video.dropped <= 48 && sim.audio.dropped <= 100,
           "%s: little is dropped", jumps[i].name);

        sim.av_min = sim.av_max = sim.video.offset - sim.audio.offset;
        ok(ngx_abs(sim.av_min) <= 5000000, "%s: A/V afterwards is %lld us",
           jumps[i].name, (long long) sim.av_min / 1000);

        if (ngx_abs(jumps[i].by) > 3000 || jumps[i].by < -1000) {
            ok(sim.wall_max <= 50 && sim.wall_min >= -50,
               "%s: media time is the wall clock's", jumps[i].name);
        }
    }

    conf = base(25, 1);
    conf.lose = pause_both;
    conf.b = 20000;
    conf.c = 10000;
    run("a pause of 10 s", &conf);
    is(sim.periods, 2, "a pause: new period");
    ok(sim.wall_max <= 50, "a pause: media time is the wall clock's");

    conf.lose = stop;
    conf.seconds = 300;
    run("a pause that stamps know nothing of", &conf);
    is(sim.periods, 2, "such a pause: new period, a minute later");
    is(sim.video.dropped + sim.audio.dropped, 0, "such a pause: none lost");
    ok(ngx_abs(sim.tl.anchor) < 100
       && ngx_abs(ngx_media_timeline_drift(&sim.tl)) < 100,
       "such a pause: media time is the wall clock's again");

    conf = base(25, 1);
    conf.lose = stop;
    conf.b = 20000;
    conf.c = -3600000;
    run("the wall clock is set back", &conf);
    is(sim.periods, 2, "wall clock set back: new period");

    conf.c = 3600000;
    conf.seconds = 200;
    run("the wall clock is set ahead", &conf);
    is(sim.periods, 2, "wall clock set ahead: new period");
}


static void
test_wraps(void)
{
    size_t      i;
    sim_conf_t  conf;

    static const struct {
        const char  *name;
        int64_t      timebase;
        uint32_t     wrap;
        int64_t      before;
    } wraps[] = {
        { "32 bits", 1000, 32, 20000 },
        { "32 bits, at the start", 1000, 32, 10 },
        { "31 bits do not wrap", 1000, 32, 0x80000000LL + 20000 },
        { "33 bits", 90000, 33, 20 * 90000 },
        { "33 bits, at the start", 90000, 33, 900 }
    };

    for (i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
        conf = base(30000, 1001);
        conf.timebase = wraps[i].timebase;
        conf.wrap = wraps[i].wrap;
        conf.first = ((int64_t) 1 << wraps[i].wrap) - wraps[i].before;
        conf.bframes = (i & 1) ? 2 : 0;
        conf.a = (i & 1) ? 1 : 0;

        run(wraps[i].name, &conf);

        is(sim.periods, 1, "wrap of %s: one period", wraps[i].name);
        is(sim.video.dropped, 0, "wrap of %s: nothing dropped",
           wraps[i].name);
        ok(sim_spread(&sim) < 10, "wrap of %s: A/V", wraps[i].name);
        is(sim.notes, 0, "wrap of %s: nothing said", wraps[i].name);
    }
}


static void
test_bases(void)
{
    size_t      i;
    sim_conf_t  conf;

    static const int64_t  bases[] = {
        3500, -3500, 1000000, -1000000, 3000000000LL, 2147483648LL, -4000000
    };

    for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        conf = base(25, 1);
        conf.first = 5000000;
        conf.audio_first = bases[i];

        run("bases that differ", &conf);

        is(sim.notes, 1, "audio at %+lld ms: said once",
           (long long) bases[i]);
        ok(sim.note && strcmp(sim.note, "timestamps rebased") == 0,
           "audio at %+lld ms: rebased", (long long) bases[i]);
        is(sim.periods, 1, "audio at %+lld ms: one period",
           (long long) bases[i]);
        ok(ngx_abs(sim.video.offset - sim.audio.offset) < 50000000,
           "audio at %+lld ms: by arrival", (long long) bases[i]);
        ok(sim_spread(&sim) < 10, "audio at %+lld ms: and stays",
           (long long) bases[i]);
    }
}


/* the network stalls right after a key frame, before any audio */

static int
stall(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    int64_t   t;
    sim_t    *s = data;

    t = sim_truth(s, video, n) / 1000000;

    if (t > s->conf.b && t < s->conf.b + s->conf.c) {
        *arrival = ngx_max(*arrival, SIM_WALL + s->conf.b + s->conf.c);
    }

    return 0;
}


static void
test_stalls(void)
{
    size_t      i;
    sim_conf_t  conf;

    static const int64_t  at[] = { 0, 5, 10000 };

    for (i = 0; i < 3; i++) {
        conf = base(25, 1);
        conf.lose = stall;
        conf.b = at[i];
        conf.c = 8000;

        run("the network stalls for 8 s", &conf);
        is(sim.periods, 1, "stall: one period");
        is(sim.notes, 0, "stall: nothing said");
        is(sim.audio.silent + sim.audio.dropped, 0, "stall: audio untouched");
        ok(sim_spread(&sim) < 10, "stall: A/V");
    }
}


/* each stamp twice; stamps that stand still */

static int
twice(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    if (video) {
        *stamp = sim_stamp(s, sim_truth(s, 1, n - n % s->conf.b));
    }

    return 0;
}


static void
test_doubles(void)
{
    sim_conf_t  conf;

    conf = base(50, 1);
    conf.lose = twice;
    conf.b = 2;
    run("each stamp twice", &conf);
    is(sim.periods, 1, "each stamp twice: one period");
    is(sim.video.dropped, 0, "each stamp twice: nothing dropped");
    ok(sim.video.worst <= 900, "each stamp twice: 1 ms more than that");

    conf.b = 1000000;
    conf.seconds = 120;
    run("stamps that stand still", &conf);
    ok(sim.video.dropped > 3000, "stamps that stand still: dropped");
    ok(sim.video.worst <= 3 * U, "stamps that stand still: not far ahead");
    is(sim.notes, 2, "stamps that stand still: said once, their rate too");
}


/* arrival is conf.b / 1000 of true time */

static int
rate(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    sim_t  *s = data;

    *arrival = SIM_WALL + (*arrival - SIM_WALL) * s->conf.b / 1000;

    return 0;
}


static void
test_wrong_rate(void)
{
    sim_conf_t  conf;

    conf = base(25, 1);
    conf.seconds = 600;
    conf.lose = rate;

    conf.b = 1020;
    run("stamps 2 % slow", &conf);
    ok(sim.notes >= 1, "stamps 2 %% slow: said");
    ok(sim.wall_max < 4000, "stamps 2 %% slow: wall clock within 4 s");
    is(sim.audio.silent, 0, "stamps 2 %% slow: no silence");

    conf.b = 980;
    run("stamps 2 % fast", &conf);
    is(sim.notes, 1, "stamps 2 %% fast: said once");
    is(sim.periods, 1, "stamps 2 %% fast: one period");
    ok(sim.anchors >= 8, "stamps 2 %% fast: the anchor is after it");

    conf.b = 0;
    run("all at once", &conf);
    is(sim.periods, 1, "all at once: one period");
    is(sim.video.dropped + sim.audio.dropped, 0, "all at once: none lost");
}


static int
lose_time(void *data, int video, int64_t n, int64_t *stamp, int64_t *arrival)
{
    int64_t   t;
    sim_t    *s = data;

    t = sim_truth(s, video, n) / 1000000;

    return (s->conf.a ? !video : video) && t >= s->conf.b && t < s->conf.c;
}


static void
test_tracks(void)
{
    sim_conf_t  conf;

    conf = base(25, 1);
    conf.num = 0;
    run("audio only", &conf);
    is(sim.audio.dropped, 0, "audio only: at once");
    is(sim.audio.frames, 2813, "audio only: all");

    conf.seconds = 60;
    conf.lose = lose_time;
    conf.a = 1;
    conf.b = 20000;
    conf.c = 25000;
    run("audio only, a pause", &conf);
    is(sim.periods, 2, "audio only, a pause: new period");
    is(sim.audio.silent, 0, "audio only, a pause: no silence");
    ok(sim.wall_max < 50, "audio only, a pause: wall clock");

    conf = base(25, 1);
    conf.rate = 0;
    run("video only", &conf);
    is(sim.video.frames, 1500, "video only: all");

    conf = base(25, 1);
    conf.lose = lose_time;
    conf.b = 20000;
    conf.c = 30000;
    run("video stops for 10 s", &conf);
    is(sim.periods, 2, "video stops: new period as it returns");
    is(sim.audio.dropped + sim.audio.silent, 0,
       "video stops: audio is untouched");

    conf.b = 0;
    conf.c = 30000;
    run("video starts 30 s late", &conf);
    is(sim.periods, 1, "video late: joins the period");
    ok(sim.audio.dropped >= 46 && sim.audio.dropped <= 48,
       "video late: audio waited a second");
    ok(sim_spread(&sim) < 10, "video late: A/V");

    /* no key frame for a minute, from the start and later */

    conf = base(25, 1);
    conf.gop = 1500;
    conf.lose = lose_time;
    conf.c = 1000;
    conf.seconds = 130;
    run("no key frame for a minute", &conf);
    is(sim.periods, 1, "no key frame: audio waits for it");
    is(sim.video.dropped, 1475, "no key frame: video is dropped till then");
}


/* slides */

static void
test_slow(void)
{
    size_t      i;
    sim_conf_t  conf;

    static const int64_t  slow[][2] = {
        { 4, 1 }, { 2, 1 }, { 1, 1 }, { 1, 2 }
    };

    for (i = 0; i < 4; i++) {
        conf = base(slow[i][0], slow[i][1]);
        conf.gop = 2;
        conf.seconds = 300;

        run("slides", &conf);
        is(sim.periods, 1, "%lld/%lld fps: one period",
           (long long) slow[i][0], (long long) slow[i][1]);
        is(sim.video.shortest, U * slow[i][1] / slow[i][0],
           "%lld/%lld fps: shortest", (long long) slow[i][0],
           (long long) slow[i][1]);
        is(sim.video.longest, U * slow[i][1] / slow[i][0],
           "%lld/%lld fps: longest", (long long) slow[i][0],
           (long long) slow[i][1]);
        is(sim.audio.silent, 0, "%lld/%lld fps: no silence",
           (long long) slow[i][0], (long long) slow[i][1]);
    }
}


/* true variable rate, 10 to 60 fps, and rates that change */

static void
test_vfr(void)
{
    int64_t            d, i, ms, phase, worst, last, holes;
    ngx_media_time_t   out;
    ngx_media_stamp_t  in;
    ngx_media_line_t  *line;

    static ngx_media_timeline_t             tl;
    static const ngx_media_timeline_conf_t  tc = { 1000, 32, 0, 1000, 0 };

    static const int64_t  steps[] = { 40, 20, 100, 17, 33, 40 };

    memset(&sim, 0, sizeof(sim_t));
    sim.seed = 88172645463325252ULL;

    for (phase = 0; phase < 2; phase++) {

        ngx_media_timeline_init(&tl, &tc);
        line = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 0);

        memset(&in, 0, sizeof(ngx_media_stamp_t));

        ms = 0;
        worst = 0;
        last = 0;
        holes = 0;

        for (i = 0; i < 60000; i++) {
            in.stamp = (uint64_t) ms;
            in.arrival = SIM_WALL + ms;
            in.key = (i % 50 == 0);

            ngx_media_timeline_frame(&tl, line, &in, &out);

            worst = ngx_max(worst, ngx_abs(out.pts
                                           - (SIM_WALL + ms) * 360));
            d = ngx_media_timeline_next(line) - out.dts;

            holes += (i && (out.dts - last < 360 || out.dts - last > 72000
                            || out.period || out.drop || d <= 0));
            last = out.dts;

            ms += phase ? steps[i / 10000]
                        : 16 + (int64_t) (sim_random(&sim) % 85);
        }

        is(holes, 0, phase ? "rates that change: steps"
                           : "variable rate: steps");
        ok(worst <= 540, "%s: pts within 1.5 ms", phase ? "rates that change"
                                                        : "variable rate");
        ok(ngx_abs(out.pts - out.dts) <= 72000, "%s: dts follows",
           phase ? "rates that change" : "variable rate");
    }
}


static ngx_media_time_t
feed_at(ngx_media_timeline_t *tl, ngx_media_line_t *line, int64_t ms,
    int64_t arrival, int key)
{
    ngx_media_time_t   out;
    ngx_media_stamp_t  in;

    memset(&in, 0, sizeof(ngx_media_stamp_t));

    in.stamp = (uint64_t) ms;
    in.arrival = SIM_WALL + arrival;
    in.key = key;

    ngx_media_timeline_frame(tl, line, &in, &out);

    return out;
}


static ngx_media_time_t
feed(ngx_media_timeline_t *tl, ngx_media_line_t *line, int64_t ms, int key)
{
    return feed_at(tl, line, ms, ms, key);
}


/* what a jump is made of: each line's, told of once */

static void
test_told(void)
{
    ngx_uint_t                 i, told;
    ngx_media_time_t           out;
    ngx_media_line_t          *a, *v;
    ngx_media_timeline_conf_t  tc;

    static ngx_media_timeline_t  tl;

    memset(&tc, 0, sizeof(ngx_media_timeline_conf_t));
    tc.timebase = 1000;
    tc.wrap = 32;
    tc.wait = 1000;

    for (i = 0; i < 2; i++) {
        ngx_media_timeline_init(&tl, &tc);
        v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 14400);
        a = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);

        (void) feed_at(&tl, v, 0, 0, 1);
        (void) feed_at(&tl, a, 0, 0, 1);
        (void) feed_at(&tl, a, 21, 21, 1);

        /* one of them is the first, and the other is in the same period */

        out = feed_at(&tl, i ? a : v, 900040, 40, 1);
        told = out.jump;
        ok(out.note != NULL, "the first to jump is told of");
        out = feed_at(&tl, i ? v : a, 900042, 42, 1);
        told += out.jump;
        out = feed_at(&tl, i ? a : v, 900080, 80, 1);
        told += out.jump;
        out = feed_at(&tl, i ? v : a, 900085, 85, 1);
        told += out.jump;

        is(told, 1, "no other is");

        out = feed_at(&tl, v, 120, 2000, 1);
        ok(out.jump && out.note != NULL, "the next jump is told of");
    }

    /* sound is where its stamps are, also where the old sound just ended */

    ngx_media_timeline_init(&tl, &tc);
    v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 14400);
    a = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);

    (void) feed_at(&tl, v, 0, 0, 1);

    for (i = 0; i < 500; i++) {
        (void) feed_at(&tl, a, i * 64 / 3, 0, 1);
    }

    out = feed_at(&tl, v, 900000, 0, 1);
    ok(out.period, "a period after sound that came too early");
    told = (ngx_uint_t) out.dts;

    out = feed_at(&tl, a, 900015, 0, 1);
    ok(!out.drop, "sound begins");
    is(out.dts * 15 / 2 - (int64_t) told, 15 * 360, "at its stamp");
}


static void
test_opening(void)
{
    int64_t                    dts;
    ngx_uint_t                 n;
    ngx_media_time_t           out;
    ngx_media_line_t          *a, *v;
    ngx_media_timeline_conf_t  tc;

    static ngx_media_timeline_t  tl;

    memset(&tc, 0, sizeof(ngx_media_timeline_conf_t));
    tc.timebase = 1000;
    tc.wrap = 32;
    tc.wait = 1000;

    ngx_media_timeline_init(&tl, &tc);
    v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 14400);
    a = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);

    ok(feed(&tl, a, 0, 1).drop, "audio before the key frame");
    ok(feed(&tl, v, 0, 0).drop, "video before the key frame");
    ok(ngx_media_timeline_clock(&tl) == NULL, "no period, no clock");

    out = feed(&tl, v, 100, 1);
    ok(out.period && !out.drop && !out.broken, "key frame opens a period");
    is(out.dts, (SIM_WALL + 100) * 360, "at the wall clock's time");
    is(out.pts, out.dts, "pts is dts");
    is(out.duration, 14400, "announced duration");
    ok(ngx_media_timeline_clock(&tl) == v, "video is the clock");

    ok(feed(&tl, a, 70, 1).drop, "audio that ends before it");

    out = feed(&tl, a, 90, 1);
    ok(!out.drop && out.silent == 0, "audio that ends after it");
    is(out.dts, (SIM_WALL + 90) * 48, "where it belongs");

    /* fix and limit */

    ngx_media_timeline_fix(v, 14000);
    is(feed(&tl, v, 140, 0).dts, (SIM_WALL + 100) * 360 + 14000,
       "a settled duration");

    out = feed(&tl, v, 180, 0);
    is(out.dts, (SIM_WALL + 180) * 360, "caught up");

    /* a break that the writer asks for */

    ngx_media_timeline_break(&tl);
    is(ngx_media_timeline_silence(&tl, a, &dts), 0, "nothing after a break");
    out = feed(&tl, v, 220, 0);
    ok(out.broken && out.drop, "broken by the writer");
    out = feed(&tl, v, 260, 1);
    ok(out.period && !out.broken, "a new period");
    is(out.dts, (SIM_WALL + 260) * 360, "stamps go on");

    /* another sample rate */

    ngx_media_timeline_change(&tl, a, 44100, 1024);
    out = feed(&tl, a, 280, 1);
    ok(out.broken && out.drop, "broken by another sample rate");
    out = feed(&tl, v, 300, 1);
    ok(out.period, "a new period");
    out = feed(&tl, a, 300, 1);
    is(out.dts, (SIM_WALL + 300) * 441 / 10, "in the new timescale");

    /* where a publisher before ended, is the earliest time */

    tc.floor = SIM_WALL + 5000;
    ngx_media_timeline_init(&tl, &tc);
    v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 0);
    out = feed(&tl, v, 0, 1);
    is(out.dts, (SIM_WALL + 5000) * 360, "not before the floor");
    (void) ngx_media_timeline_anchor(&tl, &dts);
    is(dts, -5000, "the wall clock is what it is");

    tc.wall = SIM_WALL + 400;
    ngx_media_timeline_init(&tl, &tc);
    v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 0);
    (void) feed(&tl, v, 0, 1);
    (void) ngx_media_timeline_anchor(&tl, &dts);
    is(dts, -4600, "the wall clock does not go back a little");

    tc.wall = SIM_WALL + 3600000;
    ngx_media_timeline_init(&tl, &tc);
    v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 0);
    (void) feed(&tl, v, 0, 1);
    (void) ngx_media_timeline_anchor(&tl, &dts);
    is(dts, -5000, "a clock that was set back is believed");
    (void) ngx_media_timeline_anchor(&tl, &dts);
    is(dts, -5000, "the anchor knows");

    /* announced video */

    tc.floor = 0;
    ngx_media_timeline_init(&tl, &tc);
    ngx_media_timeline_announce(&tl, NGX_MEDIA_VIDEO);
    a = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);
    ok(feed(&tl, a, 0, 1).drop, "audio waits for announced video");
    ok(feed(&tl, a, 999, 1).drop, "still");
    out = feed(&tl, a, 1000, 1);
    ok(out.period && !out.drop, "but not longer");
    ok(ngx_media_timeline_clock(&tl) == a, "audio is the clock");
    v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 14400);
    ok(feed(&tl, v, 1010, 0).drop, "video joins with a key frame");
    out = feed(&tl, v, 1050, 1);
    ok(!out.period && !out.drop, "and without a new period");
    ok(ngx_media_timeline_clock(&tl) == v, "and is the clock");

    /* a line that never gets a frame */

    ngx_media_timeline_init(&tl, &tc);
    v = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, U, 14400);
    a = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);
    is(ngx_media_timeline_silence(&tl, a, &dts), 0, "nothing without period");
    (void) feed(&tl, v, 0, 1);
    is(ngx_media_timeline_silence(&tl, a, &dts), 0, "nothing at once");
    (void) feed(&tl, v, 480, 0);
    is(ngx_media_timeline_silence(&tl, a, &dts), 0, "nothing for 500 ms");
    (void) feed(&tl, v, 520, 0);
    n = ngx_media_timeline_silence(&tl, a, &dts);
    is(n, 1, "silence after 500 ms");
    is(dts, SIM_WALL * 48, "from the start of the period");

    /* limits */

    ngx_media_timeline_init(&tl, &tc);
    ok(ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 0, 0) == NULL,
       "no timescale, no line");

    for (n = 0; n < NGX_MEDIA_TIMELINE_LINES; n++) {
        a = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 0);
    }

    ok(a != NULL && a->frame == 1024, "a frame of some length");
    ok(ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 0) == NULL,
       "too many lines");
}


/* whatever comes: no undefined behavior, and what must hold does */

static void
test_hostile(void)
{
    int64_t            arrival, stamp;
    ngx_uint_t         i, kind, round;
    sim_conf_t         conf;
    sim_line_t        *l;
    ngx_media_time_t   out;
    ngx_media_stamp_t  in;

    for (round = 0; round < 60; round++) {

        conf = base(25, 1);
        conf.wrap = (round & 1) ? 32 : 33;
        conf.timebase = (round & 1) ? 1000 : 90000;

        sim_init(&sim, &conf);
        sim.conf.seconds = 0;
        sim.conf.num = 0;
        sim.seed += round * 7919;

        stamp = 0;
        arrival = SIM_WALL;

        for (i = 0; i < 20000; i++) {
            l = (sim_random(&sim) & 1) ? &sim.video : &sim.audio;
            kind = sim_random(&sim) % (round + 2);

            switch (kind) {

            case 0:
                stamp = (int64_t) sim_random(&sim);
                break;

            case 1:
                stamp += (int64_t) (sim_random(&sim) % 20000) - 10000;
                break;

            case 2:
                arrival += (int64_t) (sim_random(&sim) % 20000) - 10000;
                break;

            case 3:
                break;

            default:
                stamp += sim.conf.timebase / 50;
                arrival += 20;
            }

            memset(&in, 0, sizeof(ngx_media_stamp_t));
            in.stamp = (uint64_t) stamp;
            in.arrival = arrival;
            in.key = (sim_random(&sim) % 25 == 0);

            if (sim_random(&sim) % (round + 1) == 0) {
                in.cts = (int32_t) sim_random(&sim);
                in.nsec = (uint32_t) sim_random(&sim);
            }

            sim_frame(&sim, l, &in, 0, &out);
        }

        if (sim.bad) {
            ok(0, "hostile stamps, round %u: %s", (unsigned) round,
               sim.what);
        }
    }

    ok(1, "hostile stamps");
}


/* lines that come back, join, and are taken away */

static void
test_lines(void)
{
    int64_t                     end, start;
    ngx_media_line_t           *video, *audio;
    ngx_media_time_t            out;
    ngx_media_stamp_t           in;
    ngx_media_timeline_conf_t   conf;

    static ngx_media_timeline_t  tl;

    memset(&conf, 0, sizeof(ngx_media_timeline_conf_t));
    memset(&in, 0, sizeof(ngx_media_stamp_t));

    conf.timebase = 1000;
    conf.wrap = 32;
    conf.wait = 0;

    ngx_media_timeline_init(&tl, &conf);

    audio = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);

    in.stamp = 5000;
    in.arrival = SIM_WALL;
    in.key = 1;

    ngx_media_timeline_frame(&tl, audio, &in, &out);
    ok(out.period && !out.drop, "lines: audio opens a period");
    start = out.dts * 15 / 2;

    /* a key frame that was stamped 1.7 s before it */

    video = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, 360000, 0);
    in.stamp = 3300;

    ngx_media_timeline_frame(&tl, video, &in, &out);
    ok(!out.drop, "lines: video joins");
    ok(out.dts >= start, "lines: not before the period: %ld",
       (long) (out.dts - start));

    /* what went out before this line was made */

    end = start + 5 * 360000;

    ngx_media_timeline_remove(&tl, video);
    ok(ngx_media_timeline_clock(&tl) != audio,
       "lines: the clock is taken away");
    is(tl.open, 0, "lines: and its period is over");

    video = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, 360000, 0);
    ngx_media_timeline_resume(video, end);
    in.stamp = 3340;
    in.arrival += 40;

    ngx_media_timeline_frame(&tl, video, &in, &out);
    ok(out.period && !out.drop, "lines: it comes back");
    ok(out.dts >= end, "lines: not before its end: %ld",
       (long) (out.dts - end));

    ngx_media_timeline_remove(&tl, audio);
    is(tl.open, 1, "lines: another one is taken away, the period goes on");
    ok(ngx_media_timeline_clock(&tl) == video, "lines: with its clock");
    ok(ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024) == audio,
       "lines: its place is used again");
}


int
main(void)
{
    test_told();
    test_lines();
    test_opening();
    test_rates();
    test_ppm();
    test_jitter();
    test_loss();
    test_bframes();
    test_reorder();
    test_audio();
    test_jumps();
    test_wraps();
    test_bases();
    test_stalls();
    test_doubles();
    test_wrong_rate();
    test_tracks();
    test_slow();
    test_vfr();
    test_hostile();
    test_week();

    return done();
}
