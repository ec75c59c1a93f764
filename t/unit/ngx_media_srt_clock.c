
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_clock.c ingest/ngx_media_srt_rate.c */


#include "formats/ngx_media_srt.h"
#include "ingest/ngx_media_srt_clock.h"
#include "ingest/ngx_media_srt_rate.h"
#include "tap.h"


#define MS       1000
#define SECOND   1000000LL
#define LATENCY  (120 * MS)


static ngx_media_srt_clock_t  srt_clock;


static void
sample(int64_t ts, int64_t now)
{
    ngx_media_srt_clock_sample(&srt_clock, ts, now, 0, LATENCY);
}


static void
test_unroll(void)
{
    int64_t     first, t;
    uint32_t    ts;
    ngx_uint_t  i, wrong;

    memset(&srt_clock, 0, sizeof(srt_clock));

    first = ngx_media_srt_clock_unroll(&srt_clock, 0xffffffff - 5);
    t = ngx_media_srt_clock_unroll(&srt_clock, 10);
    is(t - first, 16, "over a wrap");
    t = ngx_media_srt_clock_unroll(&srt_clock, 0xffffffff - 5);
    is(t, first, "one from before it");

    /* nothing but a keepalive each second, for 10 hours */

    ts = 10;
    wrong = 0;

    for (i = 1; i <= 36000; i++) {
        ts += SECOND;
        t = ngx_media_srt_clock_unroll(&srt_clock, ts);
        wrong += t - first != 16 + (int64_t) i * SECOND;
    }

    is(wrong, 0, "8 wraps, 10 hours");
}


static void
test_base(void)
{
    int64_t     i, now, seed;
    ngx_uint_t  wrong;

    memset(&srt_clock, 0, sizeof(srt_clock));

    ngx_media_srt_clock_sample(&srt_clock, 0, 300 * MS, 1, LATENCY);
    is(srt_clock.base, 300 * MS, "of what was sent once more, if need be");
    sample(0, 350 * MS);
    is(srt_clock.base, 350 * MS, "until one comes that was not");
    sample(10 * MS, 340 * MS);
    is(srt_clock.base, 330 * MS, "less: at once");
    ngx_media_srt_clock_sample(&srt_clock, 10 * MS, 310 * MS, 1, LATENCY);
    is(srt_clock.base, 330 * MS, "not by what was sent once more");

    /* ten minutes of jitter of 0 .. 100 ms */

    memset(&srt_clock, 0, sizeof(srt_clock));

    sample(0, 50 * MS);

    seed = 1;
    wrong = 0;

    for (i = 1; i < 60000; i++) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        sample(i * 10 * MS, i * 10 * MS + 50 * MS
                            + (i % 1000 ? seed / 256 % (100 * MS) : 0));
        wrong += srt_clock.base != 50 * MS;
    }

    is(wrong, 0, "jitter moves nothing");
    is(srt_clock.steps, 0, "no steps");

    /* the way becomes 60 ms longer: after a minute base walks there */

    now = i * 10 * MS;

    for (i = 0; i < 50; i++) {
        sample(now + i * SECOND, now + i * SECOND + 110 * MS);
    }

    is(srt_clock.base, 50 * MS, "what lasts 50 s moves nothing");

    for ( /* void */ ; i < 100; i++) {
        sample(now + i * SECOND, now + i * SECOND + 110 * MS);
    }

    ok(srt_clock.base > 80 * MS && srt_clock.base < 110 * MS,
       "after a minute it walks");

    for ( /* void */ ; i < 130; i++) {
        sample(now + i * SECOND, now + i * SECOND + 110 * MS);
    }

    is(srt_clock.base, 110 * MS, "and gets there");
    is(srt_clock.steps, 0, "without a step");
}


static void
test_drift(void)
{
    int64_t  i, t, most, least;

    /* the peer's clock is 200 ppm slow, or fast, for an hour */

    most = 0;
    memset(&srt_clock, 0, sizeof(srt_clock));

    for (i = 0; i < 36000; i++) {
        t = i * 100 * MS;
        sample(t - t / 5000, t);
        most = ngx_max(most, t / 5000 - srt_clock.base);
    }

    ok(most <= 13 * MS, "a slow clock is followed within a minute's drift");

    least = 0;
    memset(&srt_clock, 0, sizeof(srt_clock));

    for (i = 0; i < 36000; i++) {
        t = i * 100 * MS;
        sample(t + t / 5000, t);
        least = ngx_min(least, - t / 5000 - srt_clock.base);
    }

    is(least, 0, "a fast one at once");
    is(srt_clock.steps, 0, "no steps");
}


static void
test_steps(void)
{
    int64_t  i;

    memset(&srt_clock, 0, sizeof(srt_clock));

    for (i = 0; i < 600; i++) {
        sample(i * 100 * MS, i * 100 * MS);
    }

    /* the peer's clock is set back by an hour: nothing is in time any more */

    for ( /* void */ ; i < 800; i++) {
        sample(i * 100 * MS - 3600 * SECOND, i * 100 * MS);
    }

    is(srt_clock.base, 3600 * SECOND, "it steps where all was too late");
    is(srt_clock.steps, 1, "once");

    for ( /* void */ ; i < 900; i++) {
        sample(i * 100 * MS, i * 100 * MS);
    }

    is(srt_clock.base, 0, "it falls at once where that ends");

    /* nothing for an hour: the clocks have drifted, who knows where to */

    sample(i * 100 * MS, i * 100 * MS + 3600 * SECOND);
    is(srt_clock.base, 3600 * SECOND, "it begins anew after a minute's rest");

    sample(i * 100 * MS + 50 * SECOND,
           i * 100 * MS + 3650 * SECOND + 40 * MS);
    is(srt_clock.base, 3600 * SECOND, "after less it does not");
}


static void
test_rate(void)
{
    int64_t               now;
    uint32_t              i;
    ngx_media_srt_rate_t  rate;

    ngx_media_srt_rate_init(&rate, 0);
    is(ngx_media_srt_rate_packets(&rate, 0), 0, "nothing came");
    is(ngx_media_srt_rate_capacity(&rate), 1000, "the first capacity");

    /* 500 a second; the second of a pair comes 100 us after the first */

    for (i = 0; i < 5000; i++) {
        now = (int64_t) i * 2 * MS;

        if ((i & 15) == 1) {
            now += 100 - 2 * MS;
        }

        ngx_media_srt_rate_packet(&rate, i, 1316, 1, now);
    }

    now = (int64_t) i * 2 * MS;

    is((ngx_media_srt_rate_packets(&rate, now) + 5) / 10, 50, "packets/s");
    is((ngx_media_srt_rate_bytes(&rate, now) + 6580) / 13160, 50, "bytes/s");
    is(ngx_media_srt_rate_capacity(&rate), 9090,
       "packets of full size that the way has room for");

    is(ngx_media_srt_rate_packets(&rate, now + 100 * SECOND) / 10, 0,
       "nothing for long is no rate");

    /* pairs of which one was lost, or not in order, are none */

    for (i = 0; i < 64 * 16; i += 16) {
        ngx_media_srt_rate_packet(&rate, i, 1316, 1, now + i * MS);
        ngx_media_srt_rate_packet(&rate, i + 2, 1316, 1, now + i * MS + 1);
        ngx_media_srt_rate_packet(&rate, i, 1316, 1, now + i * MS);
        ngx_media_srt_rate_packet(&rate, i + 1, 1316, 0, now + i * MS + 1);
    }

    is(ngx_media_srt_rate_capacity(&rate), 9090, "are not looked at");

    /* read together */

    for (i = 0; i < 64 * 16; i += 16) {
        ngx_media_srt_rate_packet(&rate, i, 1, 1, now + i * MS);
        ngx_media_srt_rate_packet(&rate, i + 1, 0, 1, now + i * MS);
        ngx_media_srt_rate_packet(&rate, i, 1316, 1, now + i * MS);
        ngx_media_srt_rate_packet(&rate, i + 1, 1456, 1, now + i * MS);
    }

    is(ngx_media_srt_rate_capacity(&rate), 1000000, "at most a million");
}


int
main(void)
{
    test_unroll();
    test_base();
    test_drift();
    test_steps();
    test_rate();

    return done();
}
