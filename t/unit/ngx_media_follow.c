
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @writer ngx_stub.c */




/*
 * A publisher whose frames are numbered, and those who follow it: each frame
 * must come once and in order, from a key frame on, whenever they come.
 */


#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/ngx_media_access.h"
#include "core/ngx_media_follow.h"
#include "core/ngx_media_tail.h"
#include "core/ngx_media_stream_validate.h"
#include "core/ngx_media_cut.h"
#include "core/ngx_media_writer.h"
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_publish.h"
#include "media_zone.h"
#include "tap.h"
#include "media_shown.h"


#define FOLLOWERS  4

#define AVC  "0142c028ffe100196742c028da01e0089f970110000003001000000"     \
             "303c0f1832a01000468ce0fc8"
#define AVC_OTHER                                                             \
             "0142c01fffe100196742c01fda01e0089f970110000003001000000"         \
             "303c0f1832a01000468ce0fc8"


typedef struct {
    ngx_media_publisher_t *publisher;
    uint32_t               stamp;            /* ms, of the next frame */
    uint32_t               n;                /* its number */
    uint32_t               sent;             /* frames of this publisher */
    ngx_uint_t             gop;              /* frames */
    size_t                 size;             /* of a frame of video */
    ngx_uint_t             lag;              /* frames by which audio is late */
    unsigned               video:1;
    unsigned               audio:1;
} pub_t;


typedef struct {
    ngx_media_follow_t    *follow;
    uint32_t               first;            /* number of the first of video */
    uint32_t               last;             /* of the last */
    uint32_t               audio;            /* of the last, of audio */
    ngx_uint_t             frames;           /* of video */
    ngx_uint_t             sounds;
    ngx_uint_t             params;
    ngx_uint_t             flushes;
    ngx_uint_t             lost;             /* flags */
    ngx_uint_t             holes;            /* numbers that are missing */
    ngx_uint_t             back;             /* times that went back */
    ngx_uint_t             early;            /* audio before all pictures */
    int64_t                dts[2];
    int64_t                from;             /* dts of the first of video */
    uint32_t               scale;            /* of from */
    int64_t                heard;            /* dts of the first of audio */
    uint32_t               rate;             /* of heard */
    const char            *ended;
    unsigned               pending:1;        /* frames since the last flush */
    unsigned               unkeyed:1;        /* began without a key frame */
} viewer_t;


static ngx_media_app_t    app;
static ngx_media_zone_t  *zone;
static int64_t            now, ticked;
static ngx_uint_t         hang;              /* nobody looks */
static u_char             bytes[2 * 1024 * 1024];


static size_t
hex(u_char *p, const char *text)
{
    size_t    i;
    unsigned  n;

    for (i = 0; text[i * 2]; i++) {
        if (sscanf(text + i * 2, "%2x", &n) != 1) {
            abort();
        }

        p[i] = (u_char) n;
    }

    return i;
}


ngx_int_t
ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason)
{
    return NGX_OK;
}


void
ngx_media_access_cancel(ngx_media_access_t *access)
{
}


static void
closed(void *data, const char *reason)
{
}


static void
begin(pub_t *pub, size_t size, ngx_uint_t gop)
{
    const char                *reason;
    ngx_media_publish_t        conf;
    ngx_media_publish_frame_t  config;

    ngx_memzero(&conf, sizeof(ngx_media_publish_t));

    conf.app = &app;
    ngx_str_set(&conf.name, "a");
    ngx_str_set(&conf.protocol, "rtmp");
    ngx_str_set(&conf.address, "127.0.0.1");
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &ngx_stub_log;
    conf.close = closed;

    if (ngx_media_publish_begin(&conf, &pub->publisher, &reason)
        != NGX_MEDIA_PUBLISH_OK)
    {
        abort();
    }

    pub->stamp = 0;
    pub->sent = 0;
    pub->size = size;
    pub->gop = gop;

    ngx_memzero(&config, sizeof(ngx_media_publish_frame_t));

    config.pos = bytes;

    if (pub->video) {
        config.type = NGX_MEDIA_VIDEO;
        config.codec = NGX_MEDIA_CODEC_H264;
        config.last = bytes + hex(bytes, AVC);
        (void) ngx_media_publish_track(pub->publisher, &config);
    }

    if (pub->audio) {
        config.type = NGX_MEDIA_AUDIO;
        config.codec = NGX_MEDIA_CODEC_AAC;
        config.last = bytes + hex(bytes, "1310");
        (void) ngx_media_publish_track(pub->publisher, &config);
    }
}


/* what a worker does between two frames, and once a second */

static void
turn(int64_t msec)
{
    now += msec;
    ngx_stub_clock(now);

    if (now - ticked >= 1000) {
        ticked = now;

        ngx_media_writers_tick(zone);
        ngx_media_streams_tick(zone);
    }

    if (!hang) {
        ngx_stub_timers();
        ngx_media_notify_look();
        ngx_stub_events();
    }
}


/* frames of 128/3 ms, also of audio, which comes after video */

static void
publish(pub_t *pub, ngx_uint_t n)
{
    size_t                     size;
    uint32_t                   next;
    ngx_uint_t                 key;
    ngx_media_publish_frame_t  frame;

    while (n--) {
        ngx_memzero(&frame, sizeof(ngx_media_publish_frame_t));

        key = pub->n % pub->gop == 0;
        size = pub->size;

        frame.pos = bytes;
        frame.stamp = pub->stamp;

        if (pub->video) {
            memset(bytes, 0xff, size);

            bytes[0] = (u_char) ((size - 4) >> 24);
            bytes[1] = (u_char) ((size - 4) >> 16);
            bytes[2] = (u_char) ((size - 4) >> 8);
            bytes[3] = (u_char) (size - 4);
            bytes[4] = key ? 0x65 : 0x41;
            memcpy(&bytes[8], &pub->n, 4);

            frame.type = NGX_MEDIA_VIDEO;
            frame.codec = NGX_MEDIA_CODEC_H264;
            frame.last = bytes + size;

            (void) ngx_media_publish_frame(pub->publisher, &frame);
        }

        turn(1);

        if (pub->audio && pub->sent >= pub->lag) {
            memset(bytes, 0xff, 32);
            bytes[0] = 0x21;
            memcpy(&bytes[8], &pub->n, 4);

            frame.stamp = (pub->sent - pub->lag) * 128 / 3;
            frame.type = NGX_MEDIA_AUDIO;
            frame.codec = NGX_MEDIA_CODEC_AAC;
            frame.last = bytes + 32;

            (void) ngx_media_publish_frame(pub->publisher, &frame);
        }

        pub->n++;
        pub->sent++;

        next = pub->sent * 128 / 3;

        turn(next - pub->stamp - 1);

        pub->stamp = next;
    }
}


static void
on_params(void *data, ngx_uint_t track, const ngx_media_params_t *params)
{
    viewer_t *v = data;

    v->params++;
}


static void
on_frame(void *data, ngx_media_frame_t *frame)
{
    viewer_t *v = data;

    uint32_t  n;

    v->pending = 1;
    v->back += frame->dts <= v->dts[frame->type];
    v->dts[frame->type] = frame->dts;
    v->lost += (frame->flags & NGX_MEDIA_FRAME_LOST) != 0;

    if (frame->flags & NGX_MEDIA_FRAME_SILENT) {
        return;
    }

    memcpy(&n, &frame->data[8], 4);

    if (frame->type == NGX_MEDIA_AUDIO) {

        if (v->sounds++ == 0) {
            v->heard = frame->dts;
            v->rate = frame->timescale;
        }

        v->audio = n;
        v->early += v->frames
                    && !ngx_media_time_reached(frame->dts, frame->timescale,
                                               v->from, v->scale);
        return;
    }

    if (v->frames++ == 0) {
        v->first = n;
        v->from = frame->dts;
        v->scale = frame->timescale;
        v->unkeyed = !(frame->flags & NGX_MEDIA_FRAME_KEY);

    } else {
        v->holes += n - v->last - 1;
    }

    v->last = n;
}


static void
on_flush(void *data)
{
    viewer_t *v = data;

    v->flushes++;
    v->pending = 0;
}


static void
on_end(void *data, const char *reason)
{
    viewer_t *v = data;

    v->ended = reason;

    ngx_media_follow_end(v->follow);
    v->follow = NULL;
}


static void
follow(viewer_t *v)
{
    ngx_str_t                name;
    ngx_media_follow_conf_t  conf;

    ngx_memzero(v, sizeof(viewer_t));
    ngx_memzero(&conf, sizeof(ngx_media_follow_conf_t));

    ngx_str_set(&name, "a");

    if (ngx_media_stream_find(zone, &name, &conf.stream) != NGX_OK) {
        abort();
    }

    conf.log = &ngx_stub_log;
    conf.params = on_params;
    conf.frame = on_frame;
    conf.flush = on_flush;
    conf.end = on_end;
    conf.data = v;

    if (ngx_media_follow_begin(&conf, &v->follow) != NGX_OK) {
        abort();
    }

    ok(v->frames == 0 && v->params == 0, "nothing is called inside of begin");

    turn(0);
}


static void
leave(viewer_t *v)
{
    if (v->follow) {
        ngx_media_follow_end(v->follow);
        v->follow = NULL;
    }
}


static void
right(viewer_t *v, uint32_t first, uint32_t last, const char *what)
{
    is(v->first, first, "%s: the first frame", what);
    is(v->last, last, "%s: the last frame", what);
    is(v->holes, 0, "%s: none is missing", what);
    is(v->back, 0, "%s: times do not go back", what);
    ok(!v->unkeyed && !v->pending, "%s: a key frame first, and flushed", what);
}


static void
setup(size_t size)
{
    static ngx_cycle_t  cycle;

    media_app_init(&app, size, 4);

    app.grace = 5000;
    app.window = 20000;
    app.track_wait = 1000;

    now = 1800000000000;
    ticked = now;
    ngx_stub_clock(now);

    ngx_stub_timers_init();

    cycle.log = &ngx_stub_log;

    if (ngx_media_notify_init_process(&cycle) != NGX_OK) {
        abort();
    }

    zone = media_zone_create(&app);
}


static void
teardown(pub_t *pub)
{
    ngx_uint_t  i, n;

    if (pub->publisher) {
        ngx_media_publish_end(pub->publisher, "bye");
        pub->publisher = NULL;
    }

    for (i = 0; i < 4; i++) {
        turn(app.grace + app.window + 1000);
    }

    (void) ngx_media_zone_reclaim(zone);

    n = 0;

    for (i = 0; i < zone->sh->nblocks; i++) {
        n += zone->sh->owners[i] != 0;
    }

    is(zone->sh->pages, 0, "no pages are left");
    is(n, 0, "no blocks are left");

    ngx_media_zone_detach(zone);
    media_zone_destroy(zone);
}


/* the first one, and one who comes when others follow already */

static void
test_plain(ngx_uint_t video, ngx_uint_t audio)
{
    pub_t       pub;
    viewer_t    a, b, c;
    ngx_uint_t  first;

    memset(&pub, 0, sizeof(pub_t));
    pub.video = video;
    pub.audio = audio;

    setup(64 * 1024 * 1024);
    begin(&pub, 4000, 50);
    publish(&pub, 130);

    follow(&a);
    first = a.frames + a.sounds;
    ok(first > 0, "plain: the first one has %d frames at once", (int) first);
    publish(&pub, 15);

    follow(&b);
    ok(!video || b.frames == 45, "plain: who comes later has all frames");
    publish(&pub, 85);
    leave(&a);
    publish(&pub, 10);

    follow(&c);
    publish(&pub, 10);

    if (video) {
        right(&a, 100, 229, "plain, first");
        right(&b, 100, 249, "plain, later");
        right(&c, 200, 249, "plain, last");
        is(a.params, 1 + audio, "plain: parameters are told");
    }

    if (audio) {
        is(b.audio, 249, "plain: audio comes to the end");
        is(b.back, 0, "plain: its times do not go back");
    }

    leave(&b);
    leave(&c);
    publish(&pub, 300);
    ok(pub.publisher != NULL, "plain: published on");
    teardown(&pub);
}


/* audio comes a second late, and a viewer at any moment */

static void
test_lag(void)
{
    pub_t       pub;
    viewer_t    a, b;
    ngx_uint_t  i, early, back, sounds, silent;

    memset(&pub, 0, sizeof(pub_t));
    pub.video = 1;
    pub.audio = 1;
    pub.lag = 24;

    setup(64 * 1024 * 1024);
    begin(&pub, 4000, 50);
    publish(&pub, 200);

    early = 0;
    back = 0;
    silent = 0;

    for (i = 0; i < 24; i++) {

        /* with and without a ring that goes on */

        follow(&a);
        publish(&pub, 3);
        follow(&b);
        publish(&pub, 60);

        early += a.early + b.early;
        back += a.back + b.back;
        sounds = ngx_min(a.sounds, b.sounds);
        silent += sounds < 20;

        leave(&a);
        leave(&b);
        publish(&pub, i % 2 ? 100 : 1);
    }

    is(early, 0, "lag: sound from before the pictures is left out");
    is(back, 0, "lag: times do not go back");
    is(silent, 0, "lag: sound goes with them");

    teardown(&pub);
}


/* whenever the first one comes, sound begins with the picture */

static void
test_together(void)
{
    pub_t       pub;
    viewer_t    a;
    ngx_int_t   apart, frame, most;
    ngx_uint_t  i, lag, whole;

    for (lag = 0; lag < 6; lag += 3) {
        most = 0;
        whole = 1;

        for (i = 1; i < 60; i++) {
            memset(&pub, 0, sizeof(pub_t));
            pub.video = 1;
            pub.audio = 1;
            pub.lag = lag;

            setup(64 * 1024 * 1024);
            begin(&pub, 4000, 25);
            publish(&pub, i);

            follow(&a);
            publish(&pub, 60);

            frame = a.rate * 128 / 3000;
            apart = a.rate;

            if (a.sounds) {
                apart = a.heard - a.from / a.scale * a.rate
                        - a.from % a.scale * a.rate / a.scale;
            }

            if (apart > frame) {
                diag("together: %d frames are there, sound comes %d later",
                     (int) i, (int) (apart / frame));
            }

            most = ngx_max(most, apart);
            whole &= a.holes == 0 && a.back == 0 && a.early == 0
                     && a.last - a.first < a.sounds + lag + 2;

            leave(&a);
            teardown(&pub);
        }

        ok(most <= frame, "together: at most a frame apart, lag %d", (int) lag);
        ok(whole, "together: and nothing is missing, lag %d", (int) lag);
    }
}


/* the publisher comes back; the stream ends */

static void
test_return(void)
{
    pub_t     pub;
    viewer_t  a, b;

    memset(&pub, 0, sizeof(pub_t));
    pub.video = 1;
    pub.audio = 1;

    setup(64 * 1024 * 1024);
    begin(&pub, 4000, 25);
    publish(&pub, 55);

    follow(&a);
    publish(&pub, 20);

    ngx_media_publish_end(pub.publisher, "gone");
    turn(1500);
    follow(&b);
    turn(500);
    ok(a.ended == NULL && b.ended == NULL, "return: both wait");

    begin(&pub, 4000, 25);
    pub.n = 100;
    publish(&pub, 60);

    is(a.last, 159, "return: its frames come");
    is(a.back + b.back, 0, "return: times do not go back");
    is(a.holes, 25, "return: but those that were never sent");
    is(b.last, 159, "return: also to who came while it was away");

    ngx_media_publish_end(pub.publisher, "gone");
    pub.publisher = NULL;
    turn(1000);
    ok(a.ended == NULL, "end: not in the grace time");

    turn(5000);
    turn(1000);
    turn(1000);
    ok(a.ended != NULL && b.ended != NULL, "end: %s", a.ended);

    teardown(&pub);
}


/* frames that the ring cannot hold are in parts */

static void
test_large(void)
{
    pub_t     pub;
    viewer_t  a;

    memset(&pub, 0, sizeof(pub_t));
    pub.video = 1;
    pub.audio = 1;

    setup(64 * 1024 * 1024);
    begin(&pub, 4000, 25);
    publish(&pub, 55);
    follow(&a);
    publish(&pub, 10);

    pub.size = 900 * 1024;
    publish(&pub, 1);
    pub.size = 4000;
    publish(&pub, 34);

    right(&a, 50, 99, "large");
    is(a.audio, 99, "large: audio as well");
    is(a.lost, 0, "large: nothing was lost");

    leave(&a);
    teardown(&pub);
}


/* who does not look for long is overtaken, and finds it in parts */

static void
test_slow(ngx_uint_t frames, ngx_uint_t within)
{
    pub_t     pub;
    viewer_t  a;

    memset(&pub, 0, sizeof(pub_t));
    pub.video = 1;

    setup(64 * 1024 * 1024);
    begin(&pub, 20000, 25);
    publish(&pub, 55);
    follow(&a);
    publish(&pub, 20);

    /* this process hangs, its publisher is in another one */

    hang = 1;
    publish(&pub, frames);
    hang = 0;

    publish(&pub, 50);

    is(a.last, pub.n - 1, "slow: the last frame");
    is(a.back, 0, "slow: times do not go back");

    if (within) {
        is(a.holes, 0, "slow: none is missing");

    } else {
        ok(a.holes > 0, "slow: %d are missing", (int) a.holes);
        ok(a.lost > 0, "slow: it was told");
    }

    leave(&a);
    teardown(&pub);
}


/* who catches up crosses a change of parameters: both sides of it come */

static void
test_change(void)
{
    pub_t                      pub;
    viewer_t                   a;
    ngx_media_publish_frame_t  config;

    memset(&pub, 0, sizeof(pub_t));
    pub.video = 1;

    setup(64 * 1024 * 1024);
    begin(&pub, 20000, 25);
    publish(&pub, 55);
    follow(&a);
    publish(&pub, 20);

    hang = 1;
    publish(&pub, 50);

    ngx_memzero(&config, sizeof(ngx_media_publish_frame_t));

    config.type = NGX_MEDIA_VIDEO;
    config.codec = NGX_MEDIA_CODEC_H264;
    config.pos = bytes;
    config.last = bytes + hex(bytes, AVC_OTHER);
    config.stamp = pub.stamp;
    (void) ngx_media_publish_track(pub.publisher, &config);

    publish(&pub, 50);
    hang = 0;

    publish(&pub, 50);

    right(&a, 50, 224, "change");
    is(a.params, 2, "change: it was told of both");
    is(a.lost, 0, "change: nothing was lost");

    leave(&a);
    teardown(&pub);
}


/* a small zone that is full: there is room for a ring, or parts are read */

static void
test_small(void)
{
    pub_t     pub;
    viewer_t  a;

    memset(&pub, 0, sizeof(pub_t));
    pub.video = 1;
    pub.audio = 1;

    setup(8 * 1024 * 1024);
    begin(&pub, 30000, 25);
    publish(&pub, 505);
    follow(&a);
    publish(&pub, 100);

    is(a.holes, 0, "small: none is missing");
    ok(a.last >= 590, "small: the last frame is %d", (int) a.last);
    is(a.back, 0, "small: times do not go back");

    leave(&a);
    teardown(&pub);
}


int
main(void)
{
    test_plain(1, 1);
    test_plain(1, 0);
    test_plain(0, 1);
    test_change();
    test_lag();
    test_together();
    test_return();
    test_large();
    test_slow(200, 1);
    test_slow(1500, 0);
    test_small();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
