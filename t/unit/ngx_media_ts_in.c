
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @writer @packager ngx_stub.c formats/ngx_media_ts_demux.c
         formats/ngx_media_ts_program.c formats/ngx_media_ts_psi.c
         formats/ngx_media_ts_split.c formats/ngx_media_ts_split_audio.c
         formats/ngx_media_ts_split_video.c formats/ngx_media_lang.c
         formats/ngx_media_latm.c formats/ngx_media_scte35.c
         ingest/ngx_media_ts_in.c ingest/ngx_media_ts_in_frame.c
         ingest/ngx_media_ts_in_track.c ingest/ngx_media_ts_in_latm.c
         ingest/ngx_media_ts_in_data.c */

/* fixture: unit.ts -f lavfi -i testsrc=size=64x64:rate=10:duration=4
   -f lavfi -i sine=sample_rate=16000:duration=4 -pix_fmt yuv420p
   -c:v libx264 -preset veryfast -g 20 -bf 2 -c:a aac -b:a 16k
   -metadata:s:a language=deu */

/* which has 40 pictures with B-frames, 64 frames of AAC */


#define _GNU_SOURCE

#include "ingest/ngx_media_ts_in_state.h"
#include "media_walk.h"
#include "tap.h"
#include "media_hand.h"
#include "media_ts_make.h"


#define SECONDS   4
#define PICTURES  40
#define SOUNDS    64


static u_char   file[65536];
static size_t   file_len;
static walk_t   w;


static void
load(void)
{
    FILE  *f;

    f = fopen(getenv("UNIT_FIXTURE"), "rb");

    if (f == NULL) {
        abort();
    }

    file_len = fread(file, 1, sizeof(file), f);
    fclose(f);
}


/* a publisher, and what takes its bytes */

static ngx_media_ts_in_t *
open_ts(walk_pub_t *p, ngx_uint_t program, ngx_uint_t early)
{
    const char              *reason;
    ngx_media_publish_t      conf;
    ngx_media_ts_in_conf_t   in;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    memset(&conf, 0, sizeof(ngx_media_publish_t));
    memset(p, 0, sizeof(walk_pub_t));

    conf.app = &w.app;
    ngx_str_set(&conf.name, "a");
    ngx_str_set(&conf.protocol, "ts");
    ngx_str_set(&conf.address, "127.0.0.1");
    conf.timebase = NGX_MEDIA_TS_IN_TIMEBASE;
    conf.wrap = NGX_MEDIA_TS_IN_WRAP;
    conf.bare = 1;
    conf.log = &ngx_stub_log;
    conf.close = walk_close;
    conf.data = p;

    if (ngx_media_publish_begin(&conf, &p->publisher, &reason)
        != NGX_MEDIA_PUBLISH_OK)
    {
        abort();
    }

    memset(&in, 0, sizeof(ngx_media_ts_in_conf_t));

    in.publisher = p->publisher;
    in.program = program;
    in.early = early;
    in.log = &ngx_stub_log;

    return ngx_media_ts_in_create(&in);
}


/* bytes in pieces, in so many ms */

static ngx_media_publish_e
feed(ngx_media_ts_in_t *ts, const u_char *p, size_t len, size_t piece,
    int64_t msec)
{
    size_t               n, pos;
    u_char              *copy;
    int64_t              from;
    ngx_media_publish_e  rc;

    from = w.now;
    rc = NGX_MEDIA_PUBLISH_OK;

    for (pos = 0; pos < len && ngx_media_publish_goes_on(rc); pos += n) {
        n = ngx_min(piece, len - pos);

        w.now = from + (int64_t) (pos + n) * msec / (int64_t) len;
        ngx_stub_clock(w.now);

        copy = tap_dup(p + pos, n);
        rc = ngx_media_ts_in_bytes(ts, copy, copy + n, w.now);
        free(copy);
    }

    return rc;
}


static void
close_ts(ngx_media_ts_in_t *ts, walk_pub_t *p)
{
    is(ngx_media_ts_in_flush(ts), NGX_MEDIA_PUBLISH_OK, "flush");
    ngx_media_ts_in_destroy(ts);
    ngx_media_publish_end(p->publisher, "over");
    p->publisher = NULL;
}


static void
test_whole(void)
{
    size_t                   i;
    walk_pub_t               pub;
    ngx_media_ts_in_t       *ts;
    ngx_media_ts_in_pid_t    pid;
    ngx_media_ts_in_stat_t   stat;
    ngx_media_stream_shm_t  *s;

    static const size_t  pieces[] = { 1, 7, 188, 1316, 65536 };

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        ts = open_ts(&pub, 0, i & 1);
        s = ngx_media_stream_record(w.zone, 0);

        is(feed(ts, file, file_len, pieces[i], SECONDS * 1000),
           NGX_MEDIA_PUBLISH_OK, "in pieces of %d", (int) pieces[i]);

        ngx_media_ts_in_stat(ts, &stat);
        is(stat.bytes, file_len, "bytes");
        is(stat.packets, file_len / 188, "packets");
        is(stat.cc_errors + stat.resyncs + stat.damaged + stat.duplicates, 0,
           "nothing is wrong with them");

        is(ngx_media_ts_in_pid(ts, 0, &pid), NGX_OK, "PIDs");
        is(ngx_media_ts_in_pid(ts, 99, &pid), NGX_DONE, "no more PIDs");

        close_ts(ts, &pub);

        is(s->tracks[0]->count.frames, PICTURES, "all pictures");
        ok(s->tracks[1]->count.frames
           + s->tracks[1]->count.dropped_key >= SOUNDS - 1
           || s->tracks[1]->count.frames >= SOUNDS - 6, "sound: %d",
           (int) s->tracks[1]->count.frames);
        is(s->tracks[1]->count.silent, 0, "no silence");
        is_text(s->tracks[1]->attributes.lang, 2, "de", "language");

        walk_finish(&w);
        is(w.wrong[0], 0, "all is free: %s", w.wrong);
    }
}


/* what is told of it is what came since, and each PID as it is */

static void
is_linked(ngx_media_ts_in_t *ts, const ngx_media_ts_in_stat_t *stat)
{
    uint64_t              gaps, packets;
    ngx_uint_t            i;
    ngx_media_link_t      link;

    ngx_memset(&link, 0xff, sizeof(ngx_media_link_t));
    ngx_media_ts_in_link(ts, &link);

    is(link.count[NGX_MEDIA_LINK_TS_PACKETS], stat->packets, "told packets");
    is(link.count[NGX_MEDIA_LINK_TS_BYTES], stat->bytes, "told bytes");
    is(link.count[NGX_MEDIA_LINK_TS_CC], stat->cc_errors, "told gaps");
    is(link.count[NGX_MEDIA_LINK_TS_DAMAGED], stat->damaged, "told frames");
    is(link.npids, 4, "PAT, PMT, video, audio");
    is(link.more, 0, "no more");
    is(link.kind, 0xffffffff, "the rest is the caller's");

    for (i = 0, gaps = 0, packets = 0; i < link.npids; i++) {
        gaps += link.pids[i].cc_errors;
        packets += link.pids[i].packets;
    }

    is(gaps, stat->cc_errors, "gaps of all PIDs");
    is(packets, stat->packets - stat->ignored, "packets of all PIDs");

    ngx_media_ts_in_link(ts, &link);

    is(link.count[NGX_MEDIA_LINK_TS_PACKETS], 0, "nothing since then");
    is(link.count[NGX_MEDIA_LINK_TS_CC], 0, "and no gap");
    is(link.npids, 4, "PIDs as before");
}


/* one packet in so many is not there, with and without saying so */

static void
test_gaps(void)
{
    size_t                   i, n;
    walk_pub_t               pub;
    ngx_uint_t               said;
    ngx_media_ts_in_t       *ts;
    ngx_media_ts_in_stat_t   stat;
    ngx_media_stream_shm_t  *s;

    for (said = 0; said < 2; said++) {
        ts = open_ts(&pub, 0, 0);
        s = ngx_media_stream_record(w.zone, 0);

        for (i = 0, n = 0; i < file_len; i += 188) {

            if (++n % 29 == 0) {
                if (said) {
                    ngx_media_ts_in_gap(ts, 188);
                }

                continue;
            }

            (void) feed(ts, file + i, 188, 188, SECONDS * 188000 / file_len);
        }

        ngx_media_ts_in_stat(ts, &stat);
        is_linked(ts, &stat);
        ok(stat.cc_errors > 0, "gaps are counted");
        ok(stat.damaged > 0, "and so is what they hit");

        close_ts(ts, &pub);

        ok(s->tracks[0]->count.frames > PICTURES / 4, "pictures: %d",
           (int) s->tracks[0]->count.frames);

        walk_finish(&w);
        is(w.wrong[0], 0, "all is free: %s", w.wrong);
    }
}


static void
test_useless(void)
{
    size_t               i;
    u_char               noise[1316];
    walk_pub_t           pub;
    ngx_media_ts_in_t   *ts;
    ngx_media_publish_e  rc;

    ts = open_ts(&pub, 0, 0);
    rc = NGX_MEDIA_PUBLISH_OK;

    memset(noise, 0x55, sizeof(noise));

    for (i = 0; i < 49 && rc == NGX_MEDIA_PUBLISH_OK; i++) {
        rc = feed(ts, noise, sizeof(noise), 1316, 100);
    }

    is(rc, NGX_MEDIA_PUBLISH_OK, "noise for less than 5 s");

    for (i = 0; i < 3 && rc == NGX_MEDIA_PUBLISH_OK; i++) {
        rc = feed(ts, noise, sizeof(noise), 1316, 100);
    }

    is(rc, NGX_MEDIA_PUBLISH_USELESS, "noise for 5 s");
    is(strncmp(ngx_media_ts_in_why(ts, rc), "this is no MPEG-TS", 18), 0,
       "and why");

    close_ts(ts, &pub);
    walk_finish(&w);

    ts = open_ts(&pub, 2, 0);

    rc = feed(ts, file, file_len, 1316, 4900);
    is(rc, NGX_MEDIA_PUBLISH_OK, "another programme for less than 5 s");

    rc = feed(ts, file, file_len, 1316, 4900);
    is(rc, NGX_MEDIA_PUBLISH_USELESS, "another programme for 5 s");
    is(strncmp(ngx_media_ts_in_why(ts, rc), "no programme", 12), 0,
       "and why");

    close_ts(ts, &pub);
    walk_finish(&w);

    is(w.wrong[0], 0, "all is free: %s", w.wrong);
}


/* a frame that never ends is given up, and its memory given back */

static void
test_large(void)
{
    size_t                   i, n, pos;
    u_char                  *data;
    walk_pub_t               pub;
    ngx_media_ts_in_t       *ts;
    ngx_media_ts_in_stat_t   stat;

    ts = open_ts(&pub, 0, 0);

    make_start();
    make_pat("0001e100");
    make_pmt(0x100, 1, 0x101, "1be101f000");
    (void) feed(ts, make_bytes, make_len, 1316, 1);

    data = calloc(1, 1024 * 1024);
    memset(data, 0x77, 1024 * 1024);
    memcpy(data, "\0\0\1\x65\x88", 5);

    make_len = 0;
    make_pes(0x101, 0, MAKE_NONE, 0, data, 1024 * 1024);
    (void) feed(ts, make_bytes, make_len, 1316, 1);

    for (i = 0; i < 12; i++) {
        make_len = 0;

        for (pos = 0; pos < 1024 * 1024; pos += n) {
            n = make_packet(0x101, 0, data, 184);
        }

        is(feed(ts, make_bytes, make_len, 1316, 1), NGX_MEDIA_PUBLISH_OK,
           "%d MB of one frame", (int) i + 2);
    }

    ngx_media_ts_in_stat(ts, &stat);
    is(stat.cc_errors, 0, "no error");

    free(data);
    close_ts(ts, &pub);
    walk_finish(&w);

    is(w.wrong[0], 0, "all is free: %s", w.wrong);
}


/* frames of many pictures at once, none of which ends */

static void
test_all(void)
{
    size_t              i, n, pos;
    u_char             *data;
    walk_pub_t          pub;
    ngx_media_ts_in_t  *ts;

    ts = open_ts(&pub, 0, 0);

    make_start();
    make_pat("0001e100");
    make_pmt(0x100, 1, 0x101, "1be101f000" "1be102f000" "1be103f000"
                              "1be104f000" "1be105f000" "1be106f000");
    (void) feed(ts, make_bytes, make_len, 1316, 1);

    data = calloc(1, 1024);
    memset(data, 0x77, 1024);
    memcpy(data, "\0\0\1\x65\x88", 5);

    for (i = 0; i < 6; i++) {
        make_len = 0;
        make_pes(0x101 + i, 0, MAKE_NONE, 0, data, 1024);

        for (pos = 0; pos < 4300 * 1024; pos += n) {
            n = make_packet(0x101 + i, 0, data + 8, 184);

            if (make_len > 1024 * 1024) {
                (void) feed(ts, make_bytes, make_len, 1316, 1);
                make_len = 0;
            }
        }

        (void) feed(ts, make_bytes, make_len, 1316, 1);
    }

    /* and the least of those that come too late for that */

    is(ts->memory, 32 * 1024 * 1024 + 2 * 4096, "32 MB in all");

    free(data);
    close_ts(ts, &pub);
    walk_finish(&w);

    is(w.wrong[0], 0, "all is free: %s", w.wrong);
}


/* sound of many frames in a PES packet that does not say its length */

static void
test_long(void)
{
    size_t                   i;
    u_char                  *data, *p;
    walk_pub_t               pub;
    ngx_media_ts_in_t       *ts;
    ngx_media_stream_shm_t  *s;

    ts = open_ts(&pub, 0, 0);
    s = ngx_media_stream_record(w.zone, 0);

    make_start();
    make_pat("0001e100");
    make_pmt(0x100, 1, 0x101, "0fe102f000");
    (void) feed(ts, make_bytes, make_len, 1316, 1);

    data = calloc(40, 5000);

    for (i = 0, p = data; i < 40; i++, p += 5000) {
        memcpy(p, "\xff\xf1\x4c\x82\x71\x1f\xfc\x21", 8);
    }

    make_len = 0;
    make_pes(0x102, 90000, MAKE_NONE, 0, data, 40 * 5000);
    (void) feed(ts, make_bytes, make_len, 1316, 800);

    free(data);
    close_ts(ts, &pub);

    is(s->tracks[0]->count.frames, 40, "all frames of a long PES packet");

    walk_finish(&w);
    is(w.wrong[0], 0, "all is free: %s", w.wrong);
}


/* a stream that another one has taken the place of, and that goes on */

static void
test_taken(void)
{
    u_char                   data[300];
    ngx_uint_t               i;
    walk_pub_t               pub;
    ngx_media_ts_in_t       *ts;
    ngx_media_ts_in_stat_t   stat;
    ngx_media_stream_shm_t  *s;

    ts = open_ts(&pub, 0, 0);
    s = ngx_media_stream_record(w.zone, 0);

    memset(data, 0, sizeof(data));

    for (i = 0; i < 3; i++) {
        memcpy(data + i * 100, "\xff\xf1\x4c\x80\x0c\x9f\xfc\x21", 8);
    }

    make_start();
    make_pat("0001e100");

    for (i = 0; i < 20; i++) {

        if (i == 0 || i == 10) {
            make_pmt(0x100, 1, 0x102, i ? "0fe103f000" : "0fe102f000");
        }

        make_pes(0x102, 90000 + i * 5760, MAKE_NONE, 1, data, 300);

        if (i >= 10) {
            make_pes(0x103, 90000 + i * 5760, MAKE_NONE, 1, data, 300);
        }
    }

    (void) feed(ts, make_bytes, make_len, 1316, 1280);

    ngx_media_ts_in_stat(ts, &stat);
    is(stat.damaged, 30, "frames of it are left out");

    close_ts(ts, &pub);

    is(s->tracks[0]->count.frames, 60, "the other one goes on with the track");
    is(s->ntracks, 1, "of which there is one");

    walk_finish(&w);
    is(w.wrong[0], 0, "all is free: %s", w.wrong);
}


/* one that is listed again when another one has its track already */

static void
test_back(void)
{
    u_char                   data[300];
    ngx_uint_t               i;
    walk_pub_t               pub;
    ngx_media_ts_in_t       *ts;
    ngx_media_stream_shm_t  *s;

    static const char  *pmts[] = {
        "0fe102f000", "0fe103f000", "0fe102f000" "0fe103f000"
    };

    ts = open_ts(&pub, 0, 0);
    s = ngx_media_stream_record(w.zone, 0);

    memset(data, 0, sizeof(data));

    for (i = 0; i < 3; i++) {
        memcpy(data + i * 100, "\xff\xf1\x4c\x80\x0c\x9f\xfc\x21", 8);
    }

    make_start();
    make_pat("0001e100");

    for (i = 0; i < 30; i++) {

        if (i % 10 == 0) {
            make_pmt(0x100, 1, 0x102, pmts[i / 10]);
        }

        if (i / 10 != 1) {
            make_pes(0x102, 90000 + i * 5760, MAKE_NONE, 1, data, 300);
        }

        if (i / 10 != 0) {
            make_pes(0x103, 90000 + i * 5760, MAKE_NONE, 1, data, 300);
        }
    }

    (void) feed(ts, make_bytes, make_len, 1316, 1920);
    close_ts(ts, &pub);

    is(s->ntracks, 2, "one that is back has a track of its own");
    is(s->tracks[0]->count.frames, 90, "that it had is of the other one");
    is(s->tracks[0]->count.dropped_late, 0,
       "whose frames come in order");

    walk_finish(&w);
    is(w.wrong[0], 0, "all is free: %s", w.wrong);
}


static void
test_memory(void)
{
    walk_pub_t           pub;
    ngx_uint_t           n, nomem;
    ngx_media_ts_in_t   *ts;
    ngx_media_publish_e  rc;

    nomem = 0;

    for (n = 2; n < 60; n++) {
        ts = open_ts(&pub, 0, 0);

        ngx_stub_fail = n;
        rc = feed(ts, file, file_len, 1316, SECONDS * 1000);
        ngx_stub_fail = 0;

        nomem += (rc == NGX_MEDIA_PUBLISH_NOMEM);

        ngx_media_ts_in_destroy(ts);
        ngx_media_publish_end(pub.publisher, "over");
        walk_finish(&w);
    }

    ok(nomem > 0, "no memory: %d", (int) nomem);
    is(w.wrong[0], 0, "all is free: %s", w.wrong);
}


int
main(void)
{
    walk_real = 1;
    load();

    test_whole();
    test_gaps();
    test_useless();
    test_large();
    test_all();
    test_long();
    test_taken();
    test_back();
    test_memory();

    return done();
}
