
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @writer @packager ngx_stub.c */


/*
 * Derived tracks, by the one of media_fake.h, with publishers of media_walk.h:
 * what is written of them against what their source has.
 */


#define _GNU_SOURCE

#include <sys/wait.h>
#include <unistd.h>

#include "formats/ngx_media_mp4_chunk.h"
#include "media_walk.h"
#include "tap.h"


static walk_t                    w;
static int64_t                   vary;       /* us: frames differ by up to */
static ngx_uint_t                opened;     /* what the source had not */
static ngx_media_stream_shm_t   *s;


static void
begin(void)
{
    memset(&w, 0, sizeof(walk_t));

    w.state = 7;
    walk_init(&w, WALK_DERIVED);

    vary = 0;
    opened = 0;
    w.flags = 0;
    w.app.window = 60000;
    w.app.part = 200;
    w.app.part_target = 2134;

    s = ngx_media_stream_record(w.zone, 0);
}


static void
publisher(walk_pub_t *p)
{
    const char           *reason;
    ngx_media_publish_t   conf;

    memset(p, 0, sizeof(walk_pub_t));
    memset(&conf, 0, sizeof(ngx_media_publish_t));

    conf.app = &w.app;
    ngx_str_set(&conf.name, "a");
    ngx_str_set(&conf.protocol, "rtmp");
    ngx_str_set(&conf.address, "127.0.0.1");
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &ngx_stub_log;
    conf.close = walk_close;
    conf.data = p;

    if (ngx_media_publish_begin(&conf, &p->publisher, &reason)
        != NGX_MEDIA_PUBLISH_OK)
    {
        abort();
    }

    p->start = w.now;
}


static walk_track_t *
track(walk_pub_t *p, ngx_uint_t codec, int64_t step, ngx_uint_t gop)
{
    walk_track_t  *t;

    t = &p->tracks[p->ntracks++];

    memset(t, 0, sizeof(walk_track_t));

    t->type = codec < WALK_AAC ? NGX_MEDIA_VIDEO : NGX_MEDIA_AUDIO;
    t->codec = codec;
    t->next_codec = codec;
    t->step = step;
    t->gop = gop;
    t->size = 4000;

    walk_track(&w, p, t);

    return t;
}


/* of the publisher's track, with this id of its type */

static media_fake_t *
derive(walk_pub_t *p, walk_track_t *t, ngx_media_params_t *params,
    uint32_t id)
{
    ngx_uint_t                  i;
    media_fake_t               *f;
    ngx_media_publish_track_t  *track;

    for (i = 0; w.fakes[i].derived; i++) { /* void */ }

    f = &w.fakes[i];
    memset(f, 0, sizeof(media_fake_t));

    f->params = *params;
    f->lag = 150;
    f->now = w.now;

    track = ngx_media_publish_track_get(p->publisher, t->type, t->id);

    is(media_fake_derive(f, p->publisher->writer, track->track, id), NGX_OK,
       "derive");

    return f;
}


static media_fake_t *
rung(walk_pub_t *p, walk_track_t *t, uint32_t timescale)
{
    ngx_media_params_t  params;

    media_fake_avc(&params, 0, timescale);

    return derive(p, t, &params, 0);
}


/* nothing derived is ahead of its source, at any time */

static void
behind(void)
{
    uint64_t                 head;
    ngx_uint_t               i;
    ngx_media_track_shm_t   *t;

    head = 0;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t->publisher < NGX_MEDIA_DERIVED_ID) {
            head = ngx_max(head, t->segment_head);
        }
    }

    for (i = 0; i < s->ntracks; i++) {
        opened += s->tracks[i]->segment_head > head;
    }
}


/* so many ms pass, of all that publish and are derived */

static void
pass(ngx_uint_t msec)
{
    int64_t        end;
    ngx_uint_t     i, k;
    walk_pub_t    *p;
    walk_track_t  *t;

    for (end = w.now + msec; w.now < end; w.now += 10) {
        ngx_stub_clock(w.now);

        for (k = 0; k < WALK_PUBS; k++) {
            p = &w.pubs[k];

            for (i = 0; p->publisher && !p->closed && i < p->ntracks; i++) {
                t = &p->tracks[i];

                while (p->start + t->time / 1000 <= w.now && !p->closed) {
                    walk_send(&w, p, t);

                    if (vary && t->type == NGX_MEDIA_VIDEO) {
                        t->time += walk_random(&w, vary);
                    }
                }

                behind();
            }
        }

        for (i = 0; i < WALK_FAKES; i++) {
            if (w.fakes[i].derived) {
                (void) media_fake_run(&w.fakes[i], w.now);
                behind();
            }
        }

        ngx_stub_timers();

        if (w.now / 10 % 100 == 0) {
            walk_tick(&w);
        }
    }
}


/* so many segments of the track are the first one's, and so many gaps or any */
#define ANY  ((ngx_uint_t) -1)


static void
agrees(ngx_uint_t index, ngx_uint_t least, ngx_uint_t gaps, const char *what)
{
    ngx_uint_t                     i, n, ngaps;
    ngx_pool_t                    *pool;
    const char                    *wrong;
    ngx_media_stream_t             stream;
    ngx_media_stream_view_t        view;
    const ngx_media_segment_t     *segment;
    const ngx_media_track_view_t  *of, *t;

    stream.zone = w.zone;
    stream.sh = s;
    stream.id = s->id;

    pool = ngx_create_pool(4096, &ngx_stub_log);

    if (ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view)
        != NGX_OK || view.ntracks <= index)
    {
        ok(0, "%s: a view of it", what);
        ngx_destroy_pool(pool);
        return;
    }

    of = &view.tracks[0];
    t = &view.tracks[index];
    n = 0;
    ngaps = 0;
    wrong = NULL;

    for (i = 0; i < t->nsegments && wrong == NULL; i++) {
        segment = &t->segments[i];

        if (segment->gap) {
            ngaps++;

        } else if (!segment->open) {
            n++;
            wrong = media_fake_segment(t, segment, of);
        }
    }

    ok(wrong == NULL, "%s: segment %d of %d %s", what, (int) i,
       (int) t->nsegments, wrong ? wrong : "is as the others");
    ok(n >= least, "%s: %d segments", what, (int) n);
    ok(ngaps == gaps || gaps == ANY, "%s: %d gaps", what, (int) ngaps);

    ngx_destroy_pool(pool);

    walk_check(&w);
    is(w.wrong[0], 0, "%s: %s", what, w.wrong);
}


static void
finish(const char *what)
{
    is(opened, 0, "%s: it opens no segment", what);
    walk_finish(&w);
    is(w.wrong[0], 0, "%s: all is free: %s", what, w.wrong);
}


/* sources of all kinds */

static const struct {
    const char  *name;
    int64_t      step;
    ngx_uint_t   gop;
    ngx_uint_t   reorder;
    uint32_t     timescale;
    ngx_uint_t   exact;
    int64_t      lag;
    ngx_uint_t   least;
    int64_t      vary;
    ngx_uint_t   sure;
} sources[] = {
    { "25 fps", 40000, 50, 0, 360000, 0, 150, 12, 0, 0 },
    { "25 fps, durations known", 40000, 50, 0, 360000, 1, 150, 12, 0, 0 },
    { "25 fps, at once", 40000, 50, 0, 360000, 0, 0, 12, 0, 0 },
    { "25 fps, two segments late", 40000, 50, 0, 360000, 1, 4500, 10, 0, 0 },
    { "29.97 fps", 33367, 60, 0, 360000, 0, 150, 12, 0, 0 },
    { "29.97 fps, 90 kHz", 33367, 60, 0, 90000, 1, 150, 12, 0, 0 },
    { "60 fps, 90 kHz", 16667, 120, 0, 90000, 0, 300, 12, 0, 0 },
    { "B-frames", 40000, 48, 1, 360000, 0, 150, 12, 0, 0 },
    { "B-frames, durations known", 40000, 48, 1, 360000, 1, 150, 12, 0, 0 },
    { "key frames each 2.5 s", 40000, 62, 0, 360000, 0, 150, 10, 0, 0 },
    { "forced cuts", 40000, 250, 0, 360000, 0, 150, 8, 0, 0 },
    { "forced cuts, 90 kHz, 29.97 fps", 33367, 300, 0, 90000, 0, 150, 8, 0, 0 },
    { "25 fps, at once, durations believed in", 40000, 50, 0, 360000, 0, 0,
      12, 0, 1 },
    { "frames at any time", 40000, 30, 0, 360000, 0, 150, 12, 30000, 0 },
    { "frames at any time, 90 kHz", 40000, 30, 0, 90000, 1, 150, 12, 30000,
      0 },
    { "5 fps", 200000, 10, 0, 360000, 0, 150, 12, 0, 0 },
};


static void
test_sources(void)
{
    ngx_uint_t     i;
    walk_pub_t    *p;
    media_fake_t  *f;
    walk_track_t  *t;

    for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        begin();

        p = &w.pubs[0];
        publisher(p);
        t = track(p, WALK_AVC, sources[i].step, sources[i].gop);
        (void) track(p, WALK_AAC, 0, 0);
        t->reorder = sources[i].reorder;

        f = rung(p, t, sources[i].timescale);
        f->exact = sources[i].exact;
        f->sure = sources[i].sure;
        f->plain = !sources[i].exact;
        vary = sources[i].vary;
        f->lag = sources[i].lag;

        pass(30000);

        agrees(2, sources[i].least, 0, sources[i].name);

        ok(f->fed * 100 > f->frames * (sources[i].reorder ? 25 : 38)
           && f->fed * 100 < f->frames * 60, "%s: %d of %d frames",
           sources[i].name, (int) f->fed, (int) f->frames);
        is(s->tracks[2]->count.dropped_key + s->tracks[2]->count.dropped_nomem,
           0, "%s: none is dropped", sources[i].name);
        is(f->periods, s->periods, "%s: periods", sources[i].name);
        ok(sources[i].vary ? f->settled < f->frames
           : f->settled * 10 > f->frames * 8, "%s: %d are settled",
           sources[i].name, (int) f->settled);
        is(f->reorder > 0, sources[i].reorder, "%s: reordered",
           sources[i].name);

        walk_end(p);
        pass(10000);
        is(f->derived == NULL && f->closed == NULL, 1, "%s: it is done",
           sources[i].name);
        is(s->pid, 0, "%s: the stream is given up", sources[i].name);
        is(s->tracks[2]->segment_closed, s->tracks[0]->segment_closed,
           "%s: up to the last segment", sources[i].name);
        ok(ngx_abs(s->tracks[2]->end * 1000
                   / (int64_t) s->tracks[2]->timescale
                   - s->tracks[0]->end / 360)
           <= 2 * sources[i].step / 1000, "%s: to its end", sources[i].name);

        finish(sources[i].name);
    }
}


/* playlists and the MPD list it as one more rendition, with the same times */

static ngx_str_t
lines(ngx_pool_t *pool, const ngx_str_t *text, const char **names)
{
    u_char      *p, *last, *next;
    ngx_str_t    out;
    ngx_uint_t   i;

    out.data = ngx_palloc(pool, text->len);
    out.len = 0;

    last = text->data + text->len;

    for (p = text->data; p < last; p = next) {
        next = memchr(p, '\n', last - p);
        next = next ? next + 1 : last;

        for (i = 0; names[i]; i++) {
            if (memcmp(p, names[i], strlen(names[i])) == 0) {
                memcpy(out.data + out.len, p, next - p);
                out.len += next - p;
            }
        }
    }

    return out;
}


static void
test_listed(void)
{
    ngx_str_t                 mpd, multi, text[2], url;
    ngx_pool_t               *pool;
    walk_pub_t               *p;
    walk_track_t             *t;
    ngx_media_stream_t        stream;
    ngx_media_stream_view_t   view;

    static const char  *names[] = {
        "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY", "#EXTINF",
        "#EXT-X-TARGETDURATION", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-VERSION",
        "#EXT-X-SERVER-CONTROL", "#EXT-X-PART-INF",
        "#EXT-X-INDEPENDENT-SEGMENTS", NULL
    };

    begin();

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    (void) track(p, WALK_AAC, 0, 0);
    (void) rung(p, t, 360000);

    pass(12000);
    p->base += 20 * WALK_US;
    pass(8150);

    pool = ngx_create_pool(4096, &ngx_stub_log);

    stream.zone = w.zone;
    stream.sh = s;
    stream.id = s->id;

    is(ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view),
       NGX_OK, "listed: a view");

    ngx_str_null(&multi);
    ngx_str_null(&mpd);
    ngx_str_set(&url, "time");

    is(ngx_media_hls_multi(pool, &view, &multi), NGX_OK, "listed: HLS");
    is(ngx_media_dash_mpd(pool, &view, &url, &mpd), NGX_OK, "listed: DASH");

    ok(memmem(multi.data, multi.len, "v1.m3u8", 7)
       && memmem(multi.data, multi.len, "v2.m3u8", 7),
       "listed: two variants");
    ok(memmem(mpd.data, mpd.len, "\"v1\"", 4)
       && memmem(mpd.data, mpd.len, "\"v2\"", 4),
       "listed: two Representations");

    is(ngx_media_hls_media(pool, &view, 0, 0, &text[0]), NGX_OK,
       "listed: v1.m3u8");
    is(ngx_media_hls_media(pool, &view, 2, 0, &text[1]), NGX_OK,
       "listed: v2.m3u8");

    ok(memmem(text[1].data, text[1].len, "#EXT-X-PART:", 12) != NULL,
       "listed: with parts");
    ok(memmem(text[1].data, text[1].len, "#EXT-X-DISCONTINUITY\n", 21)
       != NULL, "listed: with the discontinuity");

    text[0] = lines(pool, &text[0], names);
    text[1] = lines(pool, &text[1], names);

    ok(text[0].len == text[1].len
       && memcmp(text[0].data, text[1].data, text[0].len) == 0,
       "listed: numbers, durations, times and discontinuities are the same");

    ngx_destroy_pool(pool);
    walk_end(p);
    finish("listed");
}


/* a period that breaks, and parameters that change */

static uint64_t  init_seen;


static void
period(void *data, const ngx_media_params_t *params)
{
    media_fake_t *f = data;

    init_seen = f->derived ? f->derived->source->packer.init : 0;

    media_fake_period(data, params);
}


static void
test_periods(ngx_uint_t exact, ngx_uint_t sure)
{
    uint64_t       init, own;
    ngx_uint_t     n;
    walk_pub_t    *p;
    media_fake_t  *f;
    walk_track_t  *t;

    begin();

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    (void) track(p, WALK_AAC, 0, 0);
    f = rung(p, t, 360000);
    f->derived->conf.period = period;
    f->exact = exact;
    f->sure = sure;

    pass(9000);
    is(f->periods, 1, "periods: the first");

    /* stamps jump back */

    p->base -= 30 * WALK_US;
    pass(9000);
    is(f->periods, 2, "periods: a jump");
    is(s->periods, 2, "periods: a jump, of all");
    agrees(2, 8, 0, "periods: a jump");

    /* a pause that nobody can hold, and frames that are lost */

    t->time += 5 * WALK_US;
    p->tracks[1].time += 5 * WALK_US;
    pass(12000);
    n = f->periods;
    is(n, s->periods, "periods: a pause");
    agrees(2, 10, 0, "periods: a pause");

    /* other parameter sets, at a key frame */

    init = s->tracks[0]->inits[0]->name;
    own = f->derived->packer.init;
    t->next_kind = 1;
    t->due = 1;
    pass(6000);

    is(f->periods, n + 1, "periods: other parameters");
    ok(init_seen == init, "periods: told before the source has them");
    ok(f->derived->source->packer.init != init, "periods: it has them now");
    ok(f->derived->packer.init != own, "periods: so has what is derived");
    agrees(2, 12, 0, "periods: other parameters");

    walk_end(p);
    finish("periods");
}


/* the stream is taken over: at once, also from one that trails */

static void
test_take_over(void)
{
    walk_pub_t    *p, *other;
    media_fake_t  *f, *g;
    walk_track_t  *t;

    begin();

    p = &w.pubs[0];
    other = &w.pubs[1];

    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    f = rung(p, t, 360000);
    f->lag = 400;
    pass(7000);

    /* its connection hangs: nothing comes for longer than is waited for */

    p->start += 60000;
    pass(2500);

    publisher(other);
    t = track(other, WALK_AVC, 40000, 50);
    g = rung(other, t, 360000);
    p->start -= 60000;
    pass(7000);

    ok(p->closed != NULL, "take-over: the first one has lost it");
    walk_end(p);
    ok(f->derived == NULL && f->closed, "take-over: what is derived, too");
    is(f->ends, 0, "take-over: nothing is late");
    is(s->ntracks, 2, "take-over: in the same track");
    agrees(1, 5, 0, "take-over");

    /* the second one leaves, and its rung is never done */

    g->deaf = 1;
    w.app.publish_conflict = NGX_MEDIA_CONFLICT_REJECT;
    walk_end(other);
    ok(g->derived != NULL, "take-over: it trails");
    pass(1000);

    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    f = rung(p, t, 360000);
    pass(2000);
    ok(g->derived == NULL && g->closed, "take-over: it is over");

    pass(6000);
    agrees(1, 8, 0, "take-over: from one that trails");

    walk_end(p);
    finish("take-over");
}


/* the source ends, what is late comes, the stream waits since the first */

static void
test_end(void)
{
    ngx_str_t             name;
    ngx_msec_t            left;
    walk_pub_t           *p;
    media_fake_t         *f;
    walk_track_t         *t;
    ngx_media_holder_t    holder;

    begin();

    ngx_str_set(&name, "a");

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    f = rung(p, t, 360000);
    f->lag = 2000;
    pass(9000);

    left = ngx_current_msec;
    walk_end(p);

    is(s->state, NGX_MEDIA_STREAM_GRACE, "end: its grace time has begun");
    is(s->left, left, "end: now");
    is(f->ends, 1, "end: it is told");
    is(ngx_media_stream_holder(w.zone, &name, &holder), NGX_DECLINED,
       "end: nobody holds it");
    is(s->tracks[0]->segment_head, s->tracks[0]->segment_closed,
       "end: the source is closed");
    ok(s->tracks[1]->segment_closed < s->tracks[0]->segment_closed,
       "end: what is late is not");

    pass(1000);
    is(s->state, NGX_MEDIA_STREAM_GRACE, "end: parts do not make it live");
    is(s->pid, (uint32_t) ngx_pid, "end: it is still the publisher's");

    pass(1500);
    ok(f->derived == NULL && f->closed == NULL, "end: done");
    is(s->pid, 0, "end: given up");
    is(s->left, left, "end: grace goes on");
    is(s->tracks[1]->segment_closed, s->tracks[0]->segment_closed,
       "end: all of it has come");
    agrees(1, 4, 0, "end");

    pass(w.app.grace - 3000);
    is(s->state, NGX_MEDIA_STREAM_GRACE, "end: not yet");
    pass(2000);
    is(s->state, NGX_MEDIA_STREAM_ENDED, "end: ENDLIST in time");

    /* one that is never done */

    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    f = rung(p, t, 360000);
    f->deaf = 1;
    pass(4000);
    walk_end(p);
    pass(4500);
    ok(f->derived != NULL, "end: some seconds");
    pass(1000);
    ok(f->derived == NULL && f->closed, "end: no more");
    is(s->pid, 0, "end: given up then");

    finish("end");
}


/* a worker exits, or is killed, with all of it open, or while it trails */

static void
test_killed(ngx_uint_t how, const char *what)
{
    int            status;
    pid_t          pid;
    ngx_uint_t     i;
    walk_pub_t    *p;
    walk_track_t  *t;

    begin();

    (void) fflush(stdout);

    pid = fork();

    if (pid == 0) {

        /* what it looks at counts for nothing */

        if (freopen("/dev/null", "w", stdout) == NULL) {
            abort();
        }

        ngx_pid = getpid();

        p = &w.pubs[0];
        publisher(p);
        t = track(p, WALK_AVC, 40000, 50);
        rung(p, t, 360000)->lag = 700;
        pass(7300);

        if (how == 1) {
            walk_end(p);
            pass(300);
        }

        if (how == 2) {
            ngx_media_writers_exit(w.zone);
        }

        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    w.now += 8000;
    ngx_stub_clock(w.now);

    for (i = 0; i < 3; i++) {
        walk_tick(&w);
    }

    is(status, 0, "%s: the other process", what);
    is(s->state, NGX_MEDIA_STREAM_GRACE, "%s: waits", what);
    is(s->pid, 0, "%s: for anybody", what);
    is(s->tracks[0]->segment_head, s->tracks[0]->segment_closed,
       "%s: the source is closed", what);
    is(s->tracks[1]->segment_head, s->tracks[1]->segment_closed,
       "%s: so is what is derived", what);
    agrees(1, 3, 0, what);

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    (void) rung(p, t, 360000);
    pass(7000);
    agrees(1, 6, 0, what);

    walk_end(p);
    finish(what);
}


/* it begins when playlists are out: a period for it, at a cut */

static void
test_join(void)
{
    uint64_t                n;
    walk_pub_t             *p;
    media_fake_t           *f;
    walk_track_t           *t;
    ngx_media_track_shm_t  *v;

    begin();

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    (void) track(p, WALK_AAC, 0, 0);
    pass(9000);
    is(s->periods, 1, "join: one period");

    f = rung(p, t, 360000);
    pass(9000);
    v = s->tracks[2];

    is(s->periods, 2, "join: another one");
    ok(v->segment_head > v->segment_tail
       && ngx_media_segment_record(v, v->segment_tail)->period
          == v->segment_tail, "join: that begins with it");
    agrees(2, 2, 0, "join");

    /* its maker stands still for longer than cuts are known, and goes on */

    f->lag = 68000;
    pass(72000);
    f->lag = 150;
    n = s->tracks[2]->nsegments;
    pass(90000);

    ok(s->tracks[2]->nsegments > n + 3, "join: it goes on");
    agrees(2, 3, ANY, "join: late");

    walk_end(p);
    finish("join");
}


/*
 * What it is of is known after some frames of the source came: something that
 * has no track is told of these, and it has them all
 */

static void
heard_close(void *data, const char *reason)
{
    ngx_media_derived_t **d = data;

    *d = NULL;
}


static void
test_later(ngx_uint_t expected, int64_t later, const char *what)
{
    walk_pub_t           *p;
    media_fake_t         *f;
    ngx_media_derive_t    conf;
    ngx_media_derived_t  *heard;
    ngx_media_writer_t   *writer;

    begin();
    w.app.track_wait = 4000;

    p = &w.pubs[0];
    publisher(p);
    (void) track(p, WALK_AVC, 40000, 50);
    (void) track(p, WALK_AAC, 0, 0);
    writer = p->publisher->writer;

    is(ngx_media_writer_source(writer, NGX_MEDIA_VIDEO, 0), 0,
       "%s: the source's place", what);
    is(ngx_media_writer_source(writer, NGX_MEDIA_AUDIO, 0), 1,
       "%s: another one's", what);
    is(ngx_media_writer_source(writer, NGX_MEDIA_AUDIO, 1),
       NGX_MEDIA_NO_TRACK, "%s: what has none", what);

    f = &w.fakes[0];
    memset(f, 0, sizeof(media_fake_t));
    media_fake_avc(&f->params, 0, 360000);
    f->every = 2;
    f->last = INT64_MIN / 2;
    f->last_next = &f->first;
    f->timescale = writer->tracks[0]->params.timescale;
    f->lag = 150;
    f->now = w.now;

    memset(&conf, 0, sizeof(ngx_media_derive_t));
    conf.frame = media_fake_source;
    conf.end = media_fake_end;
    conf.close = heard_close;
    conf.data = f;

    is(ngx_media_writer_derive(writer, 0, NULL, &conf, &heard), NGX_OK,
       "%s: without a track", what);
    ngx_media_derived_expect(heard, expected);
    is(s->ntracks, 2, "%s: it has none", what);

    pass(later);

    ok(f->frames > 10, "%s: it is told of frames", what);
    is(writer->ready, (expected == 0) && later > 2500,
       "%s: playlists are out", what);

    memset(&conf, 0, sizeof(ngx_media_derive_t));
    conf.close = media_fake_close;
    conf.data = f;

    is(ngx_media_writer_derive(writer, 0, &f->params, &conf, &f->derived),
       NGX_OK, "%s: derive", what);
    ngx_media_derived_expect(heard, 0);

    pass(20000);

    agrees(2, 8, 0, what);
    is(s->periods, 1, "%s: in the first period", what);
    is(ngx_media_segment_record(s->tracks[2],
                                s->tracks[2]->segment_tail)->number,
       ngx_media_segment_record(s->tracks[0],
                                s->tracks[0]->segment_tail)->number,
       "%s: from its first segment on", what);

    walk_end(p);
    ok(s->pid != 0, "%s: what has no track keeps it, too", what);
    pass(1000);
    ok(f->derived == NULL && heard, "%s: its track is done", what);
    ngx_media_derived_done(heard);
    is(s->pid, 0, "%s: the stream is given up", what);
    finish(what);
}


/* it is over, its source goes on: nobody is told of it any more */

static void
test_over(void)
{
    uint64_t                n;
    walk_pub_t             *p;
    media_fake_t           *f, *other;
    walk_track_t           *t;
    ngx_media_derived_t    *d;
    ngx_media_track_shm_t  *v;

    begin();

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    (void) track(p, WALK_AAC, 0, 0);
    f = rung(p, t, 360000);
    pass(9000);
    v = s->tracks[2];
    n = v->segment_closed;

    d = f->derived;
    f->derived = NULL;
    media_fake_free(f);
    ngx_media_derived_done(d);

    is(v->away, 1, "over: it is away");
    is(s->tracks[0]->away, 0, "over: its source is not");
    is(s->periods, 1, "over: the period goes on");
    is(v->segment_closed, v->segment_head, "over: nothing is open");

    pass(9000);
    is(s->periods, 2, "over: others have one without it");
    ok(v->segment_head <= n + 1, "over: it has no more");

    other = rung(p, t, 360000);
    pass(9000);
    is(s->tracks[2]->away, 0, "over: it is back");
    ok(other->fed > 50, "over: with frames");
    is(s->periods, 3, "over: and a period");

    walk_end(p);
    pass(1000);
    is(s->tracks[2]->away, 0, "over: what comes to the end is not away");
    finish("over");
}


/* as many as a stream has places; one that dies, and comes back */

static void
test_many(void)
{
    uint64_t             first, number;
    ngx_uint_t           i, warned;
    walk_pub_t          *p;
    media_fake_t        *f, more;
    walk_track_t        *t;
    ngx_media_params_t   params;

    begin();

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    (void) track(p, WALK_AAC, 0, 0);
    media_fake_avc(&params, 0, 360000);
    f = derive(p, t, &params, 0);

    for (i = 1; i < WALK_FAKES; i++) {
        derive(p, t, &params, i)->lag = 20 * i;
    }

    /* and those of somebody else, which make nothing */

    warned = ngx_stub_logged[NGX_LOG_WARN];

    for ( /* void */ ; i < NGX_MEDIA_TRACKS - 2; i++) {
        memset(&more, 0, sizeof(media_fake_t));
        more.params = params;
        is(media_fake_derive(&more, p->publisher->writer, 0, i), NGX_OK,
           "many: %d", (int) i);
        more.derived->conf.frame = NULL;
        more.derived->conf.period = NULL;
        more.derived->conf.end = NULL;
        more.derived->conf.close = NULL;
    }

    is(media_fake_derive(&more, p->publisher->writer, 0, i), NGX_ABORT,
       "many: one too many");
    is(ngx_stub_logged[NGX_LOG_WARN], warned + 1, "many: says so");
    is(s->ntracks, NGX_MEDIA_TRACKS, "many: all places are taken");

    pass(9000);
    is(s->ready, 1, "many: playlists are out");

    for (i = 2; i < 2 + WALK_FAKES; i++) {
        agrees(i, 3, 0, "many");
    }

    /* its encoder dies: a gap from there on, for others go on */

    number = s->tracks[2]->segment_head;
    ngx_media_derived_done(f->derived);
    media_fake_free(f);
    f->derived = NULL;
    pass(7000);

    is(s->tracks[2]->segment_head, number, "many: one is done");
    agrees(3, 6, 0, "many: one is done");

    f = derive(p, t, &params, 0);
    pass(9000);

    first = ngx_media_stream_number(&p->publisher->writer->claim);
    ok(s->tracks[2]->segment_head + 1 >= first, "many: it goes on");
    agrees(2, 5, ANY, "many: it goes on");

    walk_end(p);
    finish("many");
}


/*
 * Text: segments as the source's, in ms, and each moment of them in a sample,
 * of nothing where nothing was said; what goes on over a cut is on both sides.
 */

typedef struct {
    int64_t     time;
    uint32_t    duration;
    size_t      size;
    unsigned    empty:1;
} sample_t;

static sample_t    samples[512];
static ngx_uint_t  nsamples;


static void
samples_of(ngx_uint_t track)
{
    const u_char              *last, *p;
    ngx_uint_t                 i, k;
    ngx_pool_t                *pool;
    ngx_media_stream_t         stream;
    ngx_media_segment_t       *segment;
    ngx_media_mp4_frame_t      frame;
    ngx_media_mp4_reader_t     reader;
    ngx_media_stream_view_t    view;

    stream.zone = w.zone;
    stream.sh = s;
    stream.id = s->id;
    nsamples = 0;

    pool = ngx_create_pool(4096, &ngx_stub_log);
    (void) ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view);

    for (i = 0; i < view.tracks[track].nsegments; i++) {
        segment = &view.tracks[track].segments[i];

        for (k = 0; k < segment->nranges && !segment->open; k++) {
            p = ngx_media_arena_bytes(w.zone, &segment->ranges[k]);
            last = p + segment->ranges[k].size;

            while (ngx_media_mp4_chunk_open(&reader, p, last) == NGX_OK) {

                while (ngx_media_mp4_chunk_next(&reader, &frame) == NGX_OK) {
                    samples[nsamples].time = frame.decode_time;
                    samples[nsamples].duration = frame.sample.duration;
                    samples[nsamples].size = frame.sample.size;
                    samples[nsamples].empty = memcmp(frame.data + 4, "vtte",
                                                     4) == 0;
                    nsamples++;
                }

                p = reader.last;
            }
        }
    }

    ngx_destroy_pool(pool);
}


static void
say(media_fake_t *f, int64_t time, int64_t end)
{
    ngx_media_packer_frame_t  frame;

    static u_char  text[] = "\0\0\0\x14vttc\0\0\0\x0cpaylhere";

    ngx_memzero(&frame, sizeof(ngx_media_packer_frame_t));

    frame.dts = time;
    frame.pts = time;
    frame.duration = end - time;
    frame.key = 1;
    frame.pos = text;
    frame.last = text + 20;

    is(ngx_media_derived_frame(f->derived, &frame, 1), NGX_OK, "say");
}


/* ms from time on in which something shows, up to end */

static int64_t
shown(int64_t time, int64_t end)
{
    int64_t     a, b, sum;
    ngx_uint_t  i;

    sum = 0;

    for (i = 0; i < nsamples; i++) {
        a = ngx_max(samples[i].time, time);
        b = ngx_min(samples[i].time + samples[i].duration, end);

        if (a < b && !samples[i].empty) {
            sum += b - a;
        }
    }

    return sum;
}


static void
test_text(void)
{
    int64_t                   time, cut;
    ngx_uint_t                i, holes;
    walk_pub_t               *p;
    media_fake_t             *f;
    walk_track_t             *t;
    ngx_media_params_t        params;
    ngx_media_segment_shm_t  *segment;

    begin();

    p = &w.pubs[0];
    publisher(p);
    t = track(p, WALK_AVC, 40000, 50);
    media_fake_wvtt(&params);
    f = derive(p, t, &params, 0);
    f->derived->conf.frame = NULL;

    pass(8500);

    /* the newest cut, 0.4 s ago or so */

    segment = ngx_media_segment_record(s->tracks[0],
                                       s->tracks[0]->segment_closed);
    cut = segment->time / 360;
    time = s->tracks[0]->end / 360;
    ok(time - cut > 200 && time - cut < 1500, "text: %d ms after a cut",
       (int) (time - cut));

    say(f, cut - 600, cut - 200);           /* too late for all of it */
    say(f, cut - 100, cut + 100);           /* and for half */
    say(f, cut + 100, cut + 150);           /* in time */
    say(f, cut + 120, cut + 5150);          /* over two cuts */
    pass(6000);
    say(f, time + 60000, time + 61000);     /* not yet */

    is(s->tracks[1]->count.dropped_late, 1, "text: one is too late");

    pass(4000);
    walk_end(p);
    pass(1000);

    agrees(1, 8, 0, "text");
    samples_of(1);

    holes = 0;

    for (i = 1; i < nsamples; i++) {
        holes += samples[i].time != samples[i - 1].time
                                    + samples[i - 1].duration;
    }

    ok(nsamples > 8, "text: %d samples", (int) nsamples);
    is(holes, 0, "text: no holes");
    is(shown(0, cut), 0, "text: nothing before");
    is(shown(cut, cut + 5150), 5150, "text: what was said, up to its end");
    ok(shown(cut + 5150, INT64_MAX) > 0, "text: what is not yet is now");
    is(s->tracks[1]->parts_off + s->tracks[0]->parts_off, 0,
       "text: parts of others are listed");
    is(samples[0].time, ngx_media_segment_record(s->tracks[0],
                                s->tracks[0]->segment_tail)->time / 360,
       "text: from the first moment on");
    is(samples[nsamples - 1].time + samples[nsamples - 1].duration,
       s->tracks[0]->end / 360, "text: to the last");

    finish("text");
}


int
main(void)
{
    test_sources();
    test_listed();
    test_periods(0, 0);
    test_periods(1, 0);
    test_periods(0, 1);
    test_take_over();
    test_end();
    test_killed(0, "killed");
    test_killed(1, "killed while it trails");
    test_killed(2, "its worker exits");
    test_join();
    test_over();
    test_later(0, 600, "soon");
    test_later(1, 3500, "expected");
    test_later(0, 3500, "not expected");
    test_text();
    test_many();

    return done();
}
