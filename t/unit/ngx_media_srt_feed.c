
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @writer ngx_stub.c formats/ngx_media_lang.c
         formats/ngx_media_ts_mux.c formats/ngx_media_ts_push.c
         ingest/ngx_media_srt_feed.c ingest/ngx_media_srt_ring.c
         ingest/ngx_media_srt_slots.c packager/ngx_media_pack_push.c */


/*
 * What viewers over SRT in one process share: payloads that are a transport
 * stream, from a key frame on, for members who come, leave, and have others
 * leave while they are told.
 */


#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/ngx_media_access.h"
#include "core/ngx_media_writer.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_ts.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_srt_feed.h"
#include "media_hex.h"
#include "media_shown.h"
#include "media_ts.h"
#include "media_zone.h"
#include "tap.h"


#define FRAME  40                             /* ms, of video */
#define SOUND  1024                           /* 48 kHz */
#define GOP    25

#define AVC   "0142c028ffe100196742c028da01e0089f970110000003001000000"       \
              "303c0f1832a01000468ce0fc8"
#define AAC   "1190"


typedef struct {
    ngx_media_srt_feed_member_t   member;
    ngx_uint_t                    told;
    const char                   *ended;
    ngx_media_srt_feed_member_t  *leaves;     /* when this one is told */
} viewer_t;


static ngx_media_app_t         app;
static ngx_media_zone_t       *zone;
static int64_t                 now, ticked;
static ngx_media_publisher_t  *pub;
static ngx_uint_t              pictures, sounds;
static ngx_media_srt_slots_t  *slots;
static ts_reader_t             reader;
static u_char                  bytes[65536];


ngx_int_t
ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason)
{
    return NGX_OK;
}


/* nginx's */

u_char *
ngx_cpystrn(u_char *dst, u_char *src, size_t n)
{
    if (n == 0) {
        return dst;
    }

    while (--n) {
        *dst = *src++;

        if (*dst == '\0') {
            return dst;
        }

        dst++;
    }

    *dst = '\0';

    return dst;
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
turn(int64_t msec)
{
    now += msec;
    ngx_stub_clock(now);

    if (now - ticked >= 1000) {
        ticked = now;

        ngx_media_writers_tick(zone);
        ngx_media_streams_tick(zone);
    }

    ngx_stub_timers();
    ngx_media_notify_look();
    ngx_stub_events();
}


static void
config(ngx_uint_t type, uint32_t codec, const char *record)
{
    size_t                     size;
    u_char                    *p;
    ngx_media_publish_frame_t  frame;

    p = media_hex(record, &size);

    ngx_memzero(&frame, sizeof(ngx_media_publish_frame_t));

    frame.type = type;
    frame.codec = codec;
    frame.pos = p;
    frame.last = p + size;

    is(ngx_media_publish_track(pub, &frame), NGX_MEDIA_PUBLISH_OK,
       "a configuration");
    free(p);
}


/* a zone, a stream of two tracks */

static void
start(void)
{
    const char          *reason;
    ngx_media_publish_t  conf;
    static ngx_cycle_t   cycle;

    media_app_init(&app, 64 * 1024 * 1024, 4);

    app.grace = 2000;
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
    slots = ngx_media_srt_slots_create(0, &ngx_stub_log);

    ngx_memzero(&conf, sizeof(ngx_media_publish_t));

    conf.app = &app;
    ngx_str_set(&conf.name, "a");
    ngx_str_set(&conf.protocol, "rtmp");
    ngx_str_set(&conf.address, "127.0.0.1");
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &ngx_stub_log;
    conf.close = closed;

    if (ngx_media_publish_begin(&conf, &pub, &reason)
        != NGX_MEDIA_PUBLISH_OK)
    {
        abort();
    }

    pictures = 0;
    sounds = 0;

    config(NGX_MEDIA_VIDEO, NGX_MEDIA_CODEC_H264, AVC);
    config(NGX_MEDIA_AUDIO, NGX_MEDIA_CODEC_AAC, AAC);
}


static void
finish(const char *what)
{
    ngx_uint_t                  i;
    ngx_media_srt_slots_stat_t  stat;

    ngx_stub_fail = 0;

    if (pub) {
        ngx_media_publish_end(pub, "bye");
        pub = NULL;
    }

    for (i = 0; i < 4; i++) {
        turn(app.grace + app.window + 1000);
    }

    (void) ngx_media_zone_reclaim(zone);

    ngx_media_srt_slots_stat(slots, &stat);

    is(stat.kept, 0, "%s: nothing is kept of it", what);
    is(zone->sh->pages, 0, "%s: no pages are left", what);

    ngx_media_srt_slots_destroy(slots);
    ngx_media_zone_detach(zone);
    media_zone_destroy(zone);
}


static void
put(ngx_uint_t type, uint32_t codec, ngx_uint_t stamp, size_t size)
{
    ngx_media_publish_frame_t  frame;

    ngx_memzero(&frame, sizeof(ngx_media_publish_frame_t));

    frame.type = type;
    frame.codec = codec;
    frame.stamp = stamp;
    frame.pos = bytes;
    frame.last = bytes + size;

    (void) ngx_media_publish_frame(pub, &frame);
}


/* so many pictures, and the sound that belongs to them */

static void
publish(ngx_uint_t n, size_t size)
{
    while (n--) {
        memset(bytes, 0xff, size);

        (void) ngx_media_put_be32(bytes, size - 4);
        bytes[4] = pictures % GOP == 0 ? 0x65 : 0x41;

        put(NGX_MEDIA_VIDEO, NGX_MEDIA_CODEC_H264, pictures++ * FRAME, size);

        while (sounds * SOUND / 48 < pictures * FRAME) {
            memset(bytes, 0xff, 32);
            bytes[0] = 0x21;

            put(NGX_MEDIA_AUDIO, NGX_MEDIA_CODEC_AAC, sounds++ * SOUND / 48,
                32);
        }

        turn(FRAME);
    }
}


static void
on_ready(void *data)
{
    viewer_t *v = data;

    v->told++;

    if (v->leaves) {
        ngx_media_srt_feed_leave(v->leaves);
        v->leaves = NULL;
    }
}


static void
on_end(void *data, const char *reason)
{
    viewer_t *v = data;

    v->ended = reason;

    ngx_media_srt_feed_leave(&v->member);
}


static ngx_int_t
join(viewer_t *v, ngx_uint_t latency)
{
    ngx_str_t           name;
    ngx_media_stream_t  stream;

    ngx_memzero(v, sizeof(viewer_t));

    v->member.latency = latency;
    v->member.slots = slots;
    v->member.ready = on_ready;
    v->member.end = on_end;
    v->member.data = v;

    ngx_str_set(&name, "a");

    if (ngx_media_stream_find(zone, &name, &stream) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_media_srt_feed_join(&stream, &v->member);
}


static const ngx_media_srt_ring_t *
ring_of(viewer_t *v)
{
    return ngx_media_srt_feed_ring(v->member.feed);
}


/* all that is kept, as a receiver reads it; cut: frames may be, which their
   counters say */

static void
read_ring(const ngx_media_srt_ring_t *ring, ngx_uint_t cut, const char *what)
{
    int64_t                         time;
    uint64_t                        i, len;
    u_char                         *all;
    ngx_uint_t                      back, odd;
    const ngx_media_srt_payload_t  *payload;

    ts_init(&reader);

    all = malloc((ring->head - ring->tail) * NGX_MEDIA_SRT_RING_PAYLOAD + 1);
    len = 0;
    back = 0;
    odd = 0;
    time = 0;

    for (i = ring->tail; i < ring->head; i++) {
        payload = ngx_media_srt_ring_at(ring, i);

        back += payload->time < time;
        odd += payload->len == 0 || payload->len % NGX_MEDIA_TS_PACKET;

        if (payload->key) {
            odd += payload->data[0] != NGX_MEDIA_TS_SYNC
                   || (ngx_media_get_be16(payload->data + 1) & 0x1fff)
                      != NGX_MEDIA_TS_PID_PAT;
        }

        memcpy(all + len, payload->data, payload->len);

        len += payload->len;
        time = payload->time;
    }

    ts_read(&reader, all, len);
    free(all);

    is(back, 0, "%s: times do not go back", what);
    is(odd, 0, "%s: whole packets, tables where one may begin", what);
    ok(cut || reader.error[0] == '\0', "%s: a transport stream: %s", what,
       reader.error);
}


static ngx_uint_t
units_of(unsigned pid)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < reader.nunits; i++) {
        n += reader.units[i].pid == pid;
    }

    return n;
}


/* one feed for all, from the last key frame on */

static void
test_plain(void)
{
    uint64_t    index;
    viewer_t    a, b;
    ngx_uint_t  before;

    start();

    is(join(&a, 120), NGX_OK, "plain: the first one");
    is(a.told, 0, "plain: nothing is said in join()");

    publish(GOP + 10, 3000);
    ok(a.told > 0, "plain: there is something");

    is(join(&b, 4000), NGX_OK, "plain: another one");
    ok(b.member.feed == a.member.feed, "plain: the same for both");
    is(ring_of(&a)->keep, 5000000, "plain: as long as the slower one needs");

    before = a.told;
    publish(GOP, 3000);
    is(b.told, a.told - before, "plain: both are told");

    is(ngx_media_srt_ring_key(ring_of(&a), &index), NGX_OK,
       "plain: one may begin");
    ok(index > 0 && ring_of(&a)->head > index, "plain: at the second GOP");

    read_ring(ring_of(&a), 0, "plain");
    ok(units_of(0x100) >= 2 * GOP + 9, "plain: pictures: %d",
       (int) units_of(0x100));
    ok(units_of(0x101) + 6 >= sounds, "plain: sound: %d of %d",
       (int) units_of(0x101), (int) sounds);
    is(reader.types[0x100], NGX_MEDIA_TS_H264, "plain: H.264");
    is(reader.types[0x101], NGX_MEDIA_TS_ADTS, "plain: AAC");
    ts_free(&reader);

    ngx_media_srt_feed_leave(&b.member);
    is(ring_of(&a)->keep, 2500000, "plain: less when the slower one has left");

    ngx_media_srt_feed_leave(&b.member);
    ok(a.member.feed != NULL, "plain: who is in none leaves none");

    ngx_media_srt_feed_leave(&a.member);
    ok(a.member.feed == NULL, "plain: the last one has left");

    finish("plain");
}


/* members are told in turn; one of them has others leave, and itself */

static void
test_leave(void)
{
    viewer_t    v[4];
    ngx_uint_t  i, k;

    for (i = 0; i < 4; i++) {
        start();

        for (k = 0; k < 4; k++) {
            (void) join(&v[k], 120);
        }

        publish(5, 3000);
        v[1].leaves = &v[i].member;
        publish(5, 3000);

        ok(v[i].member.feed == NULL, "leave: %d has left", (int) i);

        for (k = 0; k < 4; k++) {
            ok(k == i || v[k].member.feed, "leave: %d stays", (int) k);
            ngx_media_srt_feed_leave(&v[k].member);
        }

        /* the only one, itself, while it is told */

        (void) join(&v[0], 120);
        publish(2, 3000);
        v[0].leaves = &v[0].member;
        publish(GOP, 3000);
        ok(v[0].member.feed == NULL, "leave: the only one has left");

        finish("leave");
    }
}


/* a stream that ends says so, and is no more to be joined */

static void
test_end(void)
{
    viewer_t  a, b;

    start();

    (void) join(&a, 120);
    (void) join(&b, 120);
    publish(GOP, 3000);

    ngx_media_publish_end(pub, "bye");
    pub = NULL;

    turn(app.grace / 2);
    ok(a.ended == NULL, "end: not while the publisher may return");

    turn(app.grace);
    turn(1000);
    turn(1000);

    ok(a.ended && b.ended, "end: both are told");
    ok(a.member.feed == NULL && b.member.feed == NULL, "end: both left");
    ok(join(&a, 120) != NGX_OK, "end: nobody comes");

    finish("end");
}


/* what is kept counts, and goes where there is no room for it */

static void
test_limit(void)
{
    viewer_t                    a;
    ngx_media_srt_slots_stat_t  stat;

    start();
    ngx_media_srt_slots_limit(slots, 1024 * 1024);

    (void) join(&a, 60000);
    publish(4 * GOP, 30000);

    ngx_media_srt_slots_stat(slots, &stat);

    ok(stat.kept > 400 * 1024 && stat.kept <= 512 * 1024,
       "limit: kept: %d", (int) stat.kept);
    ok(ring_of(&a)->tail > 0, "limit: the oldest has gone");

    ngx_media_srt_feed_leave(&a.member);
    finish("limit");
}


/* allocations that fail: nothing is lost of it but frames */

static void
test_nomem(void)
{
    viewer_t    a, b;
    ngx_uint_t  i;

    for (i = 2; i < 40; i++) {
        start();

        ngx_stub_fail = i;
        (void) join(&a, 120);
        (void) join(&b, 120);
        publish(GOP, 3000);
        ngx_stub_fail = 0;

        publish(GOP, 3000);

        if (a.member.feed) {
            read_ring(ring_of(&a), 1, "nomem");
            ts_free(&reader);
        }

        ngx_media_srt_feed_leave(&a.member);
        ngx_media_srt_feed_leave(&b.member);

        finish("nomem");
    }
}


int
main(void)
{
    test_plain();
    test_leave();
    test_end();
    test_limit();
    test_nomem();

    return done();
}
