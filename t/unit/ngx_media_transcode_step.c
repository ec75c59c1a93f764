
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: transcode/ngx_media_transcode_step.c */


#include "transcode/ngx_media_transcode_step.h"
#include "tap.h"


#define MS  UINT64_C(1000000)


static ngx_media_step_t      rungs[3];
static ngx_media_step_job_t  job;


static void
start(void)
{
    memset(rungs, 0, sizeof(rungs));
    memset(&job, 0, sizeof(job));

    job.rungs = rungs;
    job.nrungs = 3;
    job.latency = 300;
    job.fps = 30000;
}


/* which of n pictures are taken; 12000 of 360000 each, key every 30 */

static void
taken(ngx_uint_t step, ngx_uint_t half, ngx_uint_t n, char *text)
{
    ngx_uint_t  i;

    start();

    rungs[0].step = step;
    rungs[0].half = half;

    for (i = 0; i < n; i++) {
        text[i] = ngx_media_step_takes(&rungs[0], i * 12000, 12000, i % 15 == 0)
                  ? 'x' : '-';
    }

    text[n] = '\0';
}


static void
test_takes(void)
{
    char        text[64];
    int64_t     pts;
    ngx_uint_t  i, n;

    taken(NGX_MEDIA_STEP_ALL, 0, 20, text);
    is_text(text, strlen(text), "xxxxxxxxxxxxxxxxxxxx", "all pictures");

    taken(NGX_MEDIA_STEP_ALL, 1, 20, text);
    is_text(text, strlen(text), "x-x-x-x-x-x-x-xx-x-x",
            "fps=half: every other one, a cut, and every other from there");

    taken(NGX_MEDIA_STEP_HALF, 0, 20, text);
    is_text(text, strlen(text), "x-x-x-x-x-x-x-xx-x-x", "one in two");

    taken(NGX_MEDIA_STEP_HALF, 1, 20, text);
    is_text(text, strlen(text), "x---x---x---x--x---x", "of half, one in four");

    taken(NGX_MEDIA_STEP_QUARTER, 0, 20, text);
    is_text(text, strlen(text), "x---x---x---x--x---x", "one in four");

    taken(NGX_MEDIA_STEP_ONLY_CUTS, 0, 20, text);
    is_text(text, strlen(text), "x--------------x----", "cuts only");

    /* stamps that jitter by a third of a picture; 29.97 from milliseconds */

    start();

    rungs[0].half = 1;
    n = 0;

    for (i = 0; i < 300; i++) {
        pts = i * 12012 + (i % 3 - 1) * 4000;
        n += ngx_media_step_takes(&rungs[0], pts, 12012, i == 0);
    }

    is(n, 150, "every other one, of stamps that jitter");

    /* a hole: no more is owed after it */

    start();

    rungs[0].half = 1;
    n = 0;

    for (i = 0; i < 20; i++) {
        n += ngx_media_step_takes(&rungs[0], i * 12000 + (i > 9) * 100000,
                                  12000, i == 0);
    }

    is(n, 10, "a hole is followed by as many");
}


static void *
name(const char *s)
{
    return (void *) s;
}


static void
test_queue(void)
{
    char                    *gone, *picture;
    ngx_uint_t               cut;
    ngx_media_step_queue_t   queue;

    memset(&queue, 0, sizeof(queue));

    ok(ngx_media_step_take(&queue, &cut) == NULL, "nothing waits");

    ok(ngx_media_step_put(&queue, name("a"), 1) == NULL
       && ngx_media_step_put(&queue, name("b"), 0) == NULL, "two wait");

    gone = ngx_media_step_put(&queue, name("c"), 0);
    ok(gone && *gone == 'b', "a third one replaces the newest");

    gone = ngx_media_step_put(&queue, name("d"), 1);
    ok(gone && *gone == 'c', "a cut does so, too");

    gone = ngx_media_step_put(&queue, name("e"), 0);
    ok(gone && *gone == 'e', "behind two cuts none waits that is no cut");

    ok(ngx_media_step_put(&queue, name("f"), 1) == NULL, "but a cut does");
    ok(ngx_media_step_put(&queue, name("g"), 1) == NULL, "and another one");

    gone = ngx_media_step_put(&queue, name("h"), 1);
    ok(gone && *gone == 'a', "then the oldest cut goes: memory has a limit");

    picture = ngx_media_step_take(&queue, &cut);
    ok(picture && *picture == 'd' && cut, "the oldest is taken first");

    picture = ngx_media_step_take(&queue, &cut);
    ok(picture && *picture == 'f', "and the next");

    ok(ngx_media_step_put(&queue, name("i"), 0) != NULL,
       "two cuts are still there");

    (void) ngx_media_step_take(&queue, &cut);

    ok(ngx_media_step_put(&queue, name("j"), 0) == NULL, "room for one");

    gone = ngx_media_step_put(&queue, name("k"), 0);
    ok(gone && *gone == 'j', "and none");

    (void) ngx_media_step_take(&queue, &cut);
    picture = ngx_media_step_take(&queue, &cut);
    ok(picture && *picture == 'k' && !cut, "what replaced it is there");

    is(queue.n, 0, "all were taken");

    ok(ngx_media_step_put(&queue, name("a"), 0) == NULL
       && ngx_media_step_put(&queue, name("b"), 1) == NULL, "two others");

    gone = ngx_media_step_put(&queue, name("c"), 1);
    ok(gone && *gone == 'a', "the newest that is no cut may be the oldest");
}


static void
out(ngx_uint_t rung, ngx_uint_t n, int64_t lag, uint64_t ns)
{
    while (n--) {
        ngx_media_step_out(&job, rung, lag, ns, ns);
    }
}


static void
test_down(void)
{
    start();

    out(0, 8, 300, 6 * MS);
    out(1, 8, 290, 3 * MS);
    out(2, 7, 900, 2 * MS);

    is(ngx_media_step_decide(&job, 1000, 1000, 1000), 3,
       "lags of L, and seven of more: nothing");

    out(2, 1, 900, 2 * MS);

    is(ngx_media_step_decide(&job, 1000, 1000, 1000), 0,
       "a mean of more: the dearest one gets less");
    is(rungs[0].step, NGX_MEDIA_STEP_HALF, "a half");
    is(ngx_media_step_decide(&job, 1001, 1000, 1000), 3,
       "what was seen before counts no more");

    out(2, 8, 301, 2 * MS);
    is(ngx_media_step_decide(&job, 1400, 1000, 1000), 0,
       "the dearest one is still the same");
    is(rungs[0].step, NGX_MEDIA_STEP_QUARTER, "which has one in four");

    out(2, 8, 301, 2 * MS);
    is(ngx_media_step_decide(&job, 1800, 1000, 1000), 1, "then another one is");

    ngx_media_step_replaced(&rungs[2], 2000);
    is(ngx_media_step_decide(&job, 2000, 1000, 1000), 3, "one replacement");

    ngx_media_step_replaced(&rungs[2], 2501);
    is(ngx_media_step_decide(&job, 2501, 1000, 1000), 3,
       "and another one, half a second later");

    ngx_media_step_replaced(&rungs[2], 3001);
    is(ngx_media_step_decide(&job, 3001, 1000, 1000), 2,
       "two within half a second are too many");

    rungs[0].step = rungs[1].step = rungs[2].step = NGX_MEDIA_STEP_ONLY_CUTS;

    out(1, 8, 5000, 3 * MS);
    is(ngx_media_step_decide(&job, 4000, 1000, 1000), 3,
       "nothing is left to shed");
    is(rungs[1].overload, 0, "and nothing is asked again of the same");

    /* one that is too slow for one thread, whatever the others cost */

    start();

    out(0, 8, 10, 30 * MS);
    out(2, 8, 400, 20 * MS);

    rungs[2].wall = 34 * MS;

    is(ngx_media_step_decide(&job, 1000, 1000, 8000), 2,
       "who takes longer than a picture lasts gets less himself");
}


static void
test_up(void)
{
    start();

    out(0, 8, 400, 6 * MS);
    out(1, 8, 10, 3 * MS);

    is(ngx_media_step_decide(&job, 1000, 900, 1000), 0, "down");

    out(0, 8, 10, 6 * MS);

    is(ngx_media_step_decide(&job, 10999, 100, 1000), 3, "not before 10 s");
    is(ngx_media_step_decide(&job, 11000, 710, 1000), 3,
       "nor where it does not fit: 710 and 90 are 80 %%");
    is(ngx_media_step_decide(&job, 11000, 709, 1000), 0, "up");
    is(rungs[0].step, NGX_MEDIA_STEP_ALL, "to all of them");

    out(0, 8, 400, 6 * MS);
    is(ngx_media_step_decide(&job, 12000, 900, 1000), 0, "it was in vain");

    is(ngx_media_step_decide(&job, 31999, 100, 1000), 3, "then in 20 s");
    is(ngx_media_step_decide(&job, 32000, 100, 1000), 0, "up again");
    is(ngx_media_step_decide(&job, 90000, 100, 1000), 3, "all is well");

    out(0, 8, 400, 6 * MS);
    (void) ngx_media_step_decide(&job, 90000, 900, 1000);
    (void) ngx_media_step_decide(&job, 200000, 100, 1000);
    is(rungs[0].step, NGX_MEDIA_STEP_ALL, "up after another one");
    is(job.patience, NGX_MEDIA_STEP_UP, "which is forgotten when all was well");

    /* jobs that went down together do not go up together */

    start();

    job.salt = 11;

    out(0, 8, 400, 6 * MS);
    (void) ngx_media_step_decide(&job, 1000, 900, 1000);
    is(ngx_media_step_decide(&job, 14749, 100, 1000), 3, "the fourth waits");
    is(ngx_media_step_decide(&job, 14750, 100, 1000), 0, "three eighths more");

    /* several: the cheapest first, and none that one thread cannot do */

    start();

    rungs[0].step = NGX_MEDIA_STEP_QUARTER;
    rungs[1].step = NGX_MEDIA_STEP_HALF;
    rungs[2].step = NGX_MEDIA_STEP_ONLY_CUTS;

    out(0, 8, 10, 6 * MS);
    out(1, 8, 10, 4 * MS);
    out(2, 8, 10, 30 * MS);

    is(ngx_media_step_decide(&job, 20000, 100, 1000), 0,
       "6 ms for one in two are 90, 4 for each 120, 30 for one in four 225");

    rungs[0].step = rungs[1].step = NGX_MEDIA_STEP_ALL;
    rungs[2].step = NGX_MEDIA_STEP_HALF;

    is(ngx_media_step_decide(&job, 40000, 100, 4000), 3,
       "30 ms of 33 are no room for one thread");
}


/*
 * A machine that does so many ms of work each second, and rungs of which each
 * does what it can of that in turn: they shed, and no more than they have to,
 * and come back when there is room.
 */

static void
simulate(uint64_t *left, ngx_uint_t *changes, int64_t seconds, double power)
{
    double      budget, cost;
    int64_t     now, lag[3];
    uint64_t    used;
    ngx_uint_t  i, n, rung;

    static const double  costs[] = { 6.0, 3.0, 1.5 };
    static double        queued[3];
    static int64_t       clock;
    static uint64_t      pts;

    budget = 0;
    used = 0;

    for (n = 0; n < (ngx_uint_t) seconds * 30; n++) {
        clock += 33;
        now = clock;
        budget = power * 33 / 1000;

        for (i = 0; i < 3; i++) {
            if (ngx_media_step_takes(&rungs[i], pts, 12000, n % 60 == 0)) {
                queued[i] += costs[i];

                if (queued[i] > 2 * costs[i] + 0.001) {
                    queued[i] -= costs[i];
                    ngx_media_step_replaced(&rungs[i], now);
                }
            }
        }

        pts += 12000;

        for (i = 0; i < 3; i++) {
            cost = ngx_min(budget, queued[i]);
            queued[i] -= cost;
            budget -= cost;

            if (queued[i] < 0.001) {
                lag[i] = 33;
                ngx_media_step_out(&job, i, lag[i],
                                   (uint64_t) (costs[i] * (double) MS),
                                   (uint64_t) (costs[i] * (double) MS));
            }
        }

        used = (uint64_t) (power * (1 - budget / (power * 33 / 1000)));

        rung = ngx_media_step_decide(&job, now, used, (uint64_t) power);

        *changes += rung < 3;
    }

    *left = rungs[0].step * 100 + rungs[1].step * 10 + rungs[2].step;
}


static void
test_simulation(void)
{
    uint64_t    left;
    ngx_uint_t  changes;

    start();

    job.changed = 0;
    changes = 0;

    simulate(&left, &changes, 60, 400);
    is(left, 0, "315 ms of 400: nothing is shed");
    is(changes, 0, "at no time");

    simulate(&left, &changes, 120, 200);
    ok(left != 0, "315 of 200: %03lu", (unsigned long) left);
    ok(changes >= 2 && changes < 24, "in %lu steps", (unsigned long) changes);

    changes = 0;

    simulate(&left, &changes, 400, 1000);
    is(left, 0, "of 1000: all come back in %lu", (unsigned long) changes);
}


static void
test_input(void)
{
    is(ngx_media_step_input(300, 300, 0), NGX_MEDIA_STEP_DECODE, "in time");
    is(ngx_media_step_input(300, 301, 0), NGX_MEDIA_STEP_SKIP, "behind");
    is(ngx_media_step_input(300, 1000, 0), NGX_MEDIA_STEP_SKIP, "by a second");
    is(ngx_media_step_input(300, 1001, 0), NGX_MEDIA_STEP_DROP, "by more");
    is(ngx_media_step_input(300, 0, 4 * 1024 * 1024 + 1), NGX_MEDIA_STEP_DROP,
       "too many bytes wait");
    is(ngx_media_step_input(800, 1500, 0), NGX_MEDIA_STEP_SKIP,
       "where more latency is allowed");
    ok(strcmp(ngx_media_step_name(NGX_MEDIA_STEP_QUARTER), "1/4") == 0
       && strcmp(ngx_media_step_name(9), "cuts") == 0, "names of steps");
}


int
main(void)
{
    test_takes();
    test_queue();
    test_down();
    test_up();
    test_simulation();
    test_input();

    return done();
}
