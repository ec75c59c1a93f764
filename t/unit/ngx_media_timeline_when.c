
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: time/ngx_media_timeline.c time/ngx_media_cadence.c
         time/ngx_media_line_audio.c time/ngx_media_line_video.c */


#include "time/ngx_media_timeline.h"
#include "tap.h"


#define WALL  1795000000000LL                /* ms */


/* what is in no line has the time of a picture with its stamp */

static int64_t
when(const ngx_media_timeline_t *tl, uint64_t stamp, int64_t arrival)
{
    return ngx_media_timeline_when(tl, stamp, arrival, 10 * 360000);
}


static void
test_when(void)
{
    int64_t               arrival, frame, off, worst;
    uint64_t              stamp;
    ngx_uint_t            i;
    ngx_media_line_t     *line;
    ngx_media_time_t      out;
    ngx_media_stamp_t     in;
    ngx_media_timeline_t  tl;

    const ngx_media_timeline_conf_t  conf = { 1000, 32, 0, 1000, 0 };

    arrival = WALL;
    stamp = 0xffffffff - 5000;

    ngx_media_timeline_init(&tl, &conf);
    is(when(&tl, 77, arrival), arrival * 360,
       "when: before there is anything, by the clock");

    line = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, 360000, 0);
    is(when(&tl, stamp, arrival), arrival * 360,
       "when: and before the first frame");

    worst = 0;

    /* over the wrap of stamps */

    for (i = 0; i < 250; i++) {
        frame = i * 1001 / 30;

        memset(&in, 0, sizeof(ngx_media_stamp_t));
        in.stamp = (uint32_t) (stamp + frame);
        in.cts = i % 3 * 33;
        in.arrival = arrival + frame;
        in.key = i % 25 == 0;

        ngx_media_timeline_frame(&tl, line, &in, &out);

        off = when(&tl, in.stamp, in.arrival) + in.cts * 360 - out.pts;
        worst = ngx_max(worst, ngx_abs(off));
    }

    ok(worst <= 540, "when: within 1.5 ms of its frame: %d u", (int) worst);

    off = when(&tl, in.stamp, in.arrival);

    is(when(&tl, (uint32_t) (in.stamp - 6000), in.arrival),
       off - 6000 * 360, "when: what is late, also before the wrap");
    is(when(&tl, (uint32_t) (in.stamp + 2500), in.arrival),
       off + 2500 * 360, "when: what is ahead");
    is(when(&tl, (uint32_t) (in.stamp + 3600000), in.arrival + 40),
       off + 40 * 360, "when: of another base, now");
    is(ngx_media_timeline_when(&tl, (uint32_t) (in.stamp + 25000), in.arrival,
                               30 * 360000),
       off + 25000 * 360, "when: what is said so long before");
    is(ngx_media_timeline_when(&tl, (uint32_t) (in.stamp + 31000), in.arrival,
                               30 * 360000),
       off, "when: but not longer");
    is(when(&tl, (uint32_t) (in.stamp - 3600000), in.arrival + 40),
       off + 40 * 360, "when: also of one before");
    is(when(&tl, (uint32_t) (in.stamp + 20000), in.arrival + 20000),
       off + 20000 * 360, "when: nothing else came for 20 s");

    ngx_media_timeline_break(&tl);
    in.stamp += 40;
    in.key = 0;
    in.arrival += 40;
    ngx_media_timeline_frame(&tl, line, &in, &out);
    ok(out.broken && out.drop, "when: the period is over");
    is(when(&tl, (uint32_t) in.stamp, in.arrival),
       off + 40 * 360, "when: the base stays");
}


int
main(void)
{
    test_when();

    return done();
}
