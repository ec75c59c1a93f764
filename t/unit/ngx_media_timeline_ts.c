
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: time/ngx_media_timeline.c time/ngx_media_cadence.c
         time/ngx_media_line_audio.c time/ngx_media_line_video.c */


/* what MPEG-TS does: 33 bits, sound in lumps, clocks that begin anew */


#include "time/ngx_media_timeline.h"
#include "tap.h"


#define WALL  1795000000000LL                /* ms */
#define FULL  0x200000000LL


static ngx_media_timeline_t  tl;
static ngx_media_line_t     *audio, *video;


static void
begin(void)
{
    const ngx_media_timeline_conf_t  conf = { 90000, 33, 0, 1000, 0 };

    ngx_media_timeline_init(&tl, &conf);

    video = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, 360000, 14400);
    audio = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);
}


static ngx_media_time_t
put(ngx_media_line_t *line, int64_t stamp, int64_t msec, ngx_uint_t key)
{
    ngx_media_time_t   out;
    ngx_media_stamp_t  in;

    memset(&in, 0, sizeof(ngx_media_stamp_t));

    in.stamp = (uint64_t) stamp & (FULL - 1);
    in.arrival = WALL + msec;
    in.key = key;

    ngx_media_timeline_frame(&tl, line, &in, &out);

    return out;
}


/*
 * Seconds of sound in lumps of so many frames, each behind pictures of its
 * time: silence that was fed, and frames that were dropped for it
 */

static void
lumps(ngx_uint_t n, ngx_uint_t told, ngx_uint_t *silent, ngx_uint_t *dropped)
{
    int64_t           dts;
    ngx_uint_t        i, k, sent;
    ngx_media_time_t  out;

    begin();

    *silent = 0;
    *dropped = 0;
    sent = 0;

    for (i = 0; i < 500; i++) {
        (void) put(video, i * 3600, i * 40, i % 25 == 0);

        *silent += ngx_media_timeline_silence(&tl, audio, &dts);

        if ((sent + n) * 1920 > (i + 1) * 3600) {
            continue;
        }

        for (k = 0; k < n; k++, sent++) {
            out = put(audio, sent * 1920, i * 40, 1);

            *silent += out.silent;
            *dropped += out.drop;
        }

        if (told) {
            ngx_media_timeline_lump(audio, n * 1024 / 48);
        }
    }
}


static void
test_lumps(void)
{
    ngx_uint_t  dropped, silent;

    lumps(18, 0, &silent, &dropped);
    is(silent + dropped, 0, "lumps: 384 ms are not late");

    lumps(40, 0, &silent, &dropped);
    ok(silent > 0, "lumps: 853 ms are, if nobody says what they are");

    lumps(40, 1, &silent, &dropped);
    ok(silent <= 40 && dropped <= 40,
       "lumps: after the first, silent:%d dropped:%d", (int) silent,
       (int) dropped);

    begin();
    ngx_media_timeline_lump(audio, 363);
    is(audio->lag, 826, "lumps: twice that, and 100 ms");
    ngx_media_timeline_lump(audio, 100);
    is(audio->lag, 826, "lumps: the longest");
    ngx_media_timeline_absent(audio, 1);
    is(audio->lag, 0, "lumps: what has not come is not waited for");
    ngx_media_timeline_absent(audio, 0);
    is(audio->lag, 826, "lumps: and is, as it comes");
    ngx_media_timeline_lump(audio, 100000);
    is(audio->lag, 3000, "lumps: at most 3 s");

    ngx_media_timeline_lump(video, 480);
    ngx_media_timeline_lump(video, 100);
    is(video->lump, 480, "lumps of pictures: the longest");
    ngx_media_timeline_lump(video, 100000);
    is(video->lump, 3000, "lumps of pictures: at most 3 s");
    is(video->lag, 500, "they are not waited for as sound is");
}


/* over three wraps of 33 bits nothing is seen */

static void
test_wraps(void)
{
    int64_t           stamp;
    ngx_uint_t        bad, i;
    ngx_media_time_t  out;

    begin();

    stamp = FULL - 10 * 3600;
    bad = 0;

    for (i = 0; i < 60; i++) {
        out = put(video, stamp, i * 40, i % 25 == 0);
        bad += out.period != (i == 0) || out.drop
               || out.dts != (WALL + (int64_t) i * 40) * 360;

        out = put(audio, stamp, i * 40, 1);
        bad += out.drop;

        stamp += 3600;
    }

    is(bad, 0, "wraps: within GOPs");
}


static void
test_restart(void)
{
    int64_t           dts;
    ngx_uint_t        i;
    ngx_media_time_t  out;

    begin();

    for (i = 0; i < 50; i++) {
        (void) put(video, i * 3600, i * 40, i % 25 == 0);
        (void) put(audio, i * 3600, i * 40, 1);
    }

    /* 2 s ahead: by the stamps alone it could be a pause */

    ngx_media_timeline_restart(&tl);

    out = put(video, 100 * 3600, 2000, 1);
    ok(out.broken && out.period, "restart: a new period");
    is(out.dts, (WALL + 2000) * 360, "restart: at its arrival");
    is(ngx_media_timeline_silence(&tl, audio, &dts), 0,
       "restart: without silence for what was not");

    out = put(audio, 50 * 3600, 2005, 1);
    ok(out.drop, "restart: sound of before is none of it");

    out = put(audio, 100 * 3600, 2010, 1);
    ok(!out.drop && out.silent == 0, "restart: sound is");
    is(out.dts, (WALL + 2000) * 48, "restart: with the picture");

    /* before anything is open */

    begin();
    ngx_media_timeline_restart(&tl);
    out = put(video, 0, 0, 1);
    ok(out.period && !out.broken, "restart: at the begin");
}


int
main(void)
{
    test_lumps();
    test_wraps();
    test_restart();

    return done();
}
