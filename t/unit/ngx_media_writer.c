
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @writer @packager ngx_stub.c */


/*
 * Walks of fixed seeds over publish, writer, store, view and packager, see
 * media_walk.h.  By hand, any of them, and how long:
 *
 *     perl t/unit.t --run ngx_media_writer FIRST COUNT STEPS
 */


#define _GNU_SOURCE

#include "media_walk.h"
#include "tap.h"
#include "media_hand.h"


#define STEPS  3000
#define CHECK  500


static const char *
seed(uint64_t n, ngx_uint_t flags, ngx_uint_t steps, ngx_uint_t *texts,
    ngx_uint_t *derived)
{
    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));

    w.state = n * 0x9e3779b97f4a7c15ull + flags;

    walk(&w, flags, steps, CHECK);

    *texts += w.texts;
    *derived += w.derived;

    return w.wrong[0] ? w.wrong : NULL;
}


static const struct {
    const char  *name;
    ngx_uint_t   flags;
    ngx_uint_t   seeds;
} kinds[] = {
    { "nothing changes", 0, 6 },
    { "rates and parameter sets change", WALK_RATES, 8 },
    { "codecs change", WALK_CODECS|WALK_RATES, 12 },
    { "many tracks", WALK_MANY, 3 },
    { "many tracks, codecs change", WALK_MANY|WALK_CODECS, 3 },
    { "no memory", WALK_CODECS|WALK_RATES|WALK_NOMEM, 8 },
    { "few blocks", WALK_CODECS|WALK_RATES|WALK_BLOCKS, 6 },
    { "pictures stand still", WALK_STILL, 6 },
    { "pictures stand still, codecs change",
      WALK_STILL|WALK_CODECS|WALK_RATES, 6 },
    { "pictures stand still, no memory", WALK_STILL|WALK_RATES|WALK_NOMEM, 6 },
    { "pictures stand still, few blocks", WALK_STILL|WALK_BLOCKS, 6 },
    { "followed", WALK_FOLLOW|WALK_RATES, 2 },
    { "followed, codecs change", WALK_FOLLOW|WALK_CODECS|WALK_RATES, 4 },
    { "followed, many tracks", WALK_FOLLOW|WALK_MANY|WALK_CODECS, 1 },
    { "followed, no memory",
      WALK_FOLLOW|WALK_CODECS|WALK_RATES|WALK_NOMEM, 3 },
    { "followed, few blocks", WALK_FOLLOW|WALK_CODECS|WALK_BLOCKS, 2 },
    { "followed, pictures stand still", WALK_FOLLOW|WALK_STILL, 2 },
    { "derived tracks", WALK_DERIVED, 8 },
    { "derived tracks, codecs change",
      WALK_DERIVED|WALK_CODECS|WALK_RATES, 8 },
    { "derived tracks, pictures stand still", WALK_DERIVED|WALK_STILL, 6 },
    { "derived tracks, no memory",
      WALK_DERIVED|WALK_CODECS|WALK_RATES|WALK_NOMEM, 6 },
    { "derived tracks, few blocks", WALK_DERIVED|WALK_RATES|WALK_BLOCKS, 6 },
    { "timed data", WALK_DATA, 6 },
    { "timed data, codecs change", WALK_DATA|WALK_CODECS|WALK_RATES, 8 },
    { "timed data, many tracks", WALK_DATA|WALK_MANY, 3 },
    { "timed data, pictures stand still", WALK_DATA|WALK_STILL, 6 },
    { "timed data, no memory",
      WALK_DATA|WALK_CODECS|WALK_RATES|WALK_NOMEM, 6 },
    { "timed data, few blocks", WALK_DATA|WALK_RATES|WALK_BLOCKS, 4 },
    { "timed data, derived tracks", WALK_DATA|WALK_DERIVED|WALK_RATES, 6 },
};


/* count 0: as many as of its kind */

static void
test_walks(ngx_uint_t first, ngx_uint_t count, ngx_uint_t steps)
{
    ngx_uint_t   derived, i, k, n, texts;
    const char  *wrong;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        n = count ? count : kinds[i].seeds;
        derived = 0;
        texts = 0;
        walk_data_boxes = 0;

        for (k = first; k < first + n; k++) {
            wrong = seed(k, kinds[i].flags, steps, &texts, &derived);

            if (wrong) {
                ok(0, "%s: seed %d: %s", kinds[i].name, (int) k, wrong);
            }
        }

        ok(texts > 20 * n, "%s: %d seeds, %d texts", kinds[i].name, (int) n,
           (int) texts);

        if (kinds[i].flags & WALK_DERIVED) {
            ok(derived > 8 * n, "%s: %d segments of them agree",
               kinds[i].name, (int) derived);
        }

        if (kinds[i].flags & WALK_DATA) {
            ok(walk_data_boxes > 40 * n, "%s: %d boxes", kinds[i].name,
               (int) walk_data_boxes);
        }
    }

    is(ngx_stub_pools, 0, "no pool is left");
}


/*
 * All places are taken: what comes then has none, says so, leaves the others
 * alone, and is taken in when there is room.
 */

static void
test_refused(void)
{
    ngx_uint_t                i, warned;
    walk_pub_t               *p;
    walk_track_t             *t, many;
    ngx_media_stream_shm_t   *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    w.app.window = 8000;
    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    publisher(&w, p);
    (void) track(p, WALK_AVC, 0);
    seconds(&w, p, 4);

    /* configurations of tracks that never send a frame */

    for (i = 0; i < NGX_MEDIA_TRACKS - 1; i++) {
        memset(&many, 0, sizeof(walk_track_t));
        many.type = NGX_MEDIA_AUDIO;
        many.id = i + 1;
        many.codec = many.next_codec = WALK_AAC;
        walk_track(&w, p, &many);
    }

    is(s->ntracks, NGX_MEDIA_TRACKS, "refused: all places are taken");

    walk_end(p);
    w.now += 1000;
    ngx_stub_clock(w.now);

    publisher(&w, p);
    warned = ngx_stub_logged[NGX_LOG_WARN];
    t = track(p, WALK_AVC, 0);
    (void) track(p, WALK_MP3, 0);
    seconds(&w, p, 6);

    is(ngx_stub_logged[NGX_LOG_WARN], warned + 1, "refused: says so, once");
    walk_check(&w);
    is(w.wrong[0], 0, "refused: nobody else is hurt: %s", w.wrong);
    is(s->tracks[0]->ended, 0, "refused: video goes on");
    ok(s->tracks[0]->count.frames > 200, "refused: with its frames");

    /* the video changes its codec, too: no place for that either */

    t->next_codec = WALK_HEVC;
    t->due = 1;
    seconds(&w, p, 4);

    is(ngx_stub_logged[NGX_LOG_WARN], warned + 2, "refused: a change");
    walk_check(&w);
    is(w.wrong[0], 0, "refused: no frame goes astray: %s", w.wrong);
    is(s->tracks[0]->ended, 1, "refused: what it was has ended");

    walk_end(p);
    walk_finish(&w);

    is(w.wrong[0], 0, "refused: all is free: %s", w.wrong);
}


/* frames that bring their configuration: none of them is tried but once */

static void
test_refused_own(void)
{
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    publisher(&w, p);
    (void) track(p, WALK_AVC, 0);
    seconds(&w, p, 3);

    while (ngx_media_block_alloc(w.zone, WALK_STREAMS - 1)) { /* void */ }

    t = track(p, WALK_MP3, 0);
    t->due = 0;
    t->time = w.now * 1000 - p->start * 1000;
    seconds(&w, p, 1);

    is(s->ignored[NGX_MEDIA_IGNORED_TRACK], t->n, "own: each is counted");

    ngx_media_block_free_all(w.zone, WALK_STREAMS - 1);
    seconds(&w, p, 2);

    is(s->ignored[NGX_MEDIA_IGNORED_TRACK], t->n, "own: not tried again");
    is(s->ntracks, 1, "own: there is none");

    t->kind = 1;
    seconds(&w, p, 2);

    is(s->ntracks, 2, "own: another configuration is");
    ok(s->ignored[NGX_MEDIA_IGNORED_TRACK] < t->n, "own: and accepted");

    /* the same one, when there is room after all */

    while (ngx_media_block_alloc(w.zone, WALK_STREAMS - 1)) { /* void */ }

    t = track(p, WALK_MP3, 1);
    t->due = 0;
    t->time = w.now * 1000 - p->start * 1000;
    seconds(&w, p, 1);

    ngx_media_block_free_all(w.zone, WALK_STREAMS - 1);
    seconds(&w, p, 3);

    is(s->ntracks, 2, "own: not at once");

    seconds(&w, p, 3);

    is(s->ntracks, 3, "own: but after a while");

    walk_check(&w);
    is(w.wrong[0], 0, "own: %s", w.wrong);

    walk_end(p);
    walk_finish(&w);
}


/* codecs that change for ever, as at two encoders that take turns */

static void
test_alternate(void)
{
    ngx_uint_t               i;
    walk_pub_t              *p;
    walk_track_t            *video, *audio;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    w.app.window = 8000;
    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    for (i = 0; i < 60; i++) {
        publisher(&w, p);
        video = track(p, i % 2 ? WALK_AVC : WALK_HEVC, 0);
        audio = track(p, i % 2 ? WALK_AAC : WALK_MP3, 0);
        seconds(&w, p, 3);

        ok(video->n && audio->n, "alternate: %d", (int) i);
        walk_end(p);
    }

    walk_check(&w);

    is(w.wrong[0], 0, "alternate: %s", w.wrong);
    is(ngx_stub_logged[NGX_LOG_WARN], 0, "alternate: nothing is refused");
    is(s->names[NGX_MEDIA_VIDEO], 60, "alternate: each has a name");
    ok(s->ntracks < 20, "alternate: %d places", (int) s->ntracks);

    walk_finish(&w);

    is(w.wrong[0], 0, "alternate: all is free: %s", w.wrong);
}


/* frames of a codec that is none of ours, each second of n */

static void
useless(walk_t *w, walk_pub_t *p, ngx_uint_t type, ngx_uint_t n)
{
    ngx_uint_t                 i;
    ngx_media_publish_frame_t  frame;

    memset(&frame, 0, sizeof(ngx_media_publish_frame_t));

    frame.type = type;
    frame.codec = NGX_MEDIA_CODEC_VP9;
    frame.pos = walk_frame;
    frame.last = walk_frame + 100;

    for (i = 0; i < n; i++) {
        frame.stamp = w->now - p->start;
        (void) ngx_media_publish_frame(p->publisher, &frame);
        seconds(w, p, 1);
    }
}


/* what was announced and is refused is not waited for */

static void
test_useless(void)
{
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_announce_t     announce;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    w.app.track_wait = 4000;
    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    memset(&announce, 0, sizeof(ngx_media_announce_t));
    announce.video = 1;
    announce.audio = 1;

    publisher(&w, p);
    ngx_media_publish_announce(p->publisher, &announce);
    t = track(p, WALK_AAC, 0);
    useless(&w, p, NGX_MEDIA_VIDEO, 2);

    is(s->ntracks, 1, "useless: audio goes on without video");
    ok(s->tracks[0]->count.frames > 60, "useless: from its begin");

    useless(&w, p, NGX_MEDIA_VIDEO, 2);

    ok(s->ready, "useless: and is given out");

    /* another period does not wait for it, either */

    ngx_media_publish_announce(p->publisher, &announce);
    t->shift += 60 * WALK_US;
    useless(&w, p, NGX_MEDIA_VIDEO, 2);

    is(s->periods, 2, "useless: another period");
    is(s->tracks[0]->count.dropped_key, 0, "useless: from its first frame on");

    /* when it comes, it is video as any */

    (void) track(p, WALK_AVC, 0);
    p->tracks[1].time = w.now * 1000 - p->start * 1000;
    seconds(&w, p, 3);

    is(s->ntracks, 2, "useless: video comes");
    ok(s->tracks[1]->count.frames > 60, "useless: and is taken in");

    /* it turns into something else: no picture is held for it */

    p->ntracks = 1;
    useless(&w, p, NGX_MEDIA_VIDEO, 4);

    is(s->tracks[1]->count.again, 0, "useless: nothing is held");
    is(s->clock, 0, "useless: audio goes on alone");

    t->shift += 60 * WALK_US;
    useless(&w, p, NGX_MEDIA_VIDEO, 2);

    is(s->tracks[0]->count.dropped_key, 0,
       "useless: nothing waits for what it was");

    walk_check(&w);
    is(w.wrong[0], 0, "useless: %s", w.wrong);

    walk_end(p);

    /* audio is refused: video does not wait for it */

    w.now += 1000;
    ngx_stub_clock(w.now);

    publisher(&w, p);
    (void) track(p, WALK_AVC, 0);
    useless(&w, p, NGX_MEDIA_AUDIO, 2);

    ok(s->ready, "useless: still");

    walk_end(p);
    walk_finish(&w);

    is(w.wrong[0], 0, "useless: all is free: %s", w.wrong);
}


/* held pictures are too long for parts: those come back with the motion */

static void
test_held(void)
{
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_track_shm_t   *v;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    w.app.part = 200;
    w.app.part_target = 2134;
    w.app.window = 60000;
    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    publisher(&w, p);
    t = track(p, WALK_HEVC, 0);
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 10);

    v = s->tracks[0];
    is(v->parts_off + v->parts_held, 0, "held: it has parts");

    t->time += 2 * WALK_US;
    seconds(&w, p, 6);

    ok(v->count.again, "held: a picture is");
    is(v->parts_off + v->parts_held, 0, "held: for a moment");

    t->time += 20 * WALK_US;
    seconds(&w, p, 20);

    is(v->parts_off, 0, "held: not for good");
    is(v->parts_held, 1, "held: no parts meanwhile");

    seconds(&w, p, 4);
    is(v->parts_held, 1, "held: still none");

    seconds(&w, p, 10);
    is(v->parts_off + v->parts_held, 0, "held: they are back");

    walk_check(&w);
    is(w.wrong[0], 0, "held: %s", w.wrong);

    walk_end(p);
    walk_finish(&w);
}


/* a picture cannot be held up to a key frame: that begins anew */

static void
test_anew(void)
{
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_track_shm_t   *v;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    memset(walk_frame, 0xff, sizeof(walk_frame));
    walk_init(&w, 0);

    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    publisher(&w, p);
    t = track(p, WALK_HEVC, 0);
    seconds(&w, p, 5);

    do {
        w.now = p->start + t->time / 1000;
        ngx_stub_clock(w.now);
        walk_send(&w, p, t);
    } while (t->n % t->gop);

    t->time += 2 * WALK_US;
    w.now = p->start + t->time / 1000;
    ngx_stub_clock(w.now);

    ngx_stub_fail = 1;
    walk_send(&w, p, t);
    ngx_stub_fail = 0;

    seconds(&w, p, 3);
    v = s->tracks[0];

    is(s->periods, 2, "anew: another period");
    is(v->count.dropped_key, 0, "anew: nothing is dropped");

    walk_check(&w);
    is(w.wrong[0], 0, "anew: %s", w.wrong);

    walk_end(p);

    is(v->count.frames, t->n, "anew: all frames are there");

    walk_finish(&w);
}


/* more frames come again than a part has otherwise: no part is too short */

static void
test_again(void)
{
    ngx_uint_t                i, k, n;
    ngx_pool_t               *pool;
    walk_pub_t               *p;
    walk_track_t             *t;
    ngx_media_part_t         *part;
    ngx_media_stream_t        stream;
    ngx_media_segment_t      *segment;
    ngx_media_track_view_t   *v;
    ngx_media_stream_view_t   view;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    w.app.part = 200;
    w.app.part_target = 2134;
    w.app.segment = 6000;
    w.app.segment_max = 9000;
    w.app.target = 9;
    w.app.window = 60000;
    p = &w.pubs[0];

    publisher(&w, p);
    t = track(p, WALK_HEVC, 0);
    t->step = 16667;
    t->gop = 360;
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 11);

    t->time += 5 * WALK_US;
    seconds(&w, p, 12);

    stream.zone = w.zone;
    stream.sh = ngx_media_stream_record(w.zone, 0);
    stream.id = stream.sh->id;

    pool = ngx_create_pool(4096, &ngx_stub_log);
    (void) ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view);

    v = &view.tracks[0];
    n = 0;
    k = 0;

    for (i = 0; i + 1 < v->nparts; i++) {
        part = &v->parts[i];

        for ( /* void */ ; k + 1 < v->nsegments; k++) {
            if (v->segments[k].number == part->number) {
                break;
            }
        }

        segment = &v->segments[k];

        n += !segment->coarse && part[1].number == part->number
             && part->duration * 10000 < v->timescale * 2134ull * 85 / 100;
    }

    ok(stream.sh->tracks[0]->count.again > 600, "again: %d frames",
       (int) stream.sh->tracks[0]->count.again);
    is(view.part_target, 2134, "again: there are parts");
    ok(v->nparts > 40, "again: %d of them", (int) v->nparts);
    is(n, 0, "again: none is too short");

    ngx_destroy_pool(pool);
    walk_check(&w);
    is(w.wrong[0], 0, "again: %s", w.wrong);

    walk_end(p);
    walk_finish(&w);
}


/* nothing comes, on a connection that stays */

static void
test_rest(void)
{
    int64_t                  end;
    ngx_uint_t               i, k;
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_track_shm_t   *v;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    publisher(&w, p);
    t = track(p, WALK_HEVC, 0);
    t->gop = 60;
    seconds(&w, p, 7);
    v = s->tracks[0];

    for (i = 0; i < 2; i++) {

        /* the second time it rests for longer than a stream has grace */

        end = s->target * 3 - 1;

        for (k = 0; k < s->target * 3 + 2 + i * 60; k++) {
            w.now += 1000;
            ngx_stub_clock(w.now);
            walk_tick(&w);

            if ((int64_t) k + 2 == end) {
                is(s->state, NGX_MEDIA_STREAM_LIVE, "rest: not at once");
            }
        }

        is(s->state, NGX_MEDIA_STREAM_GRACE, "rest: as if it had gone");
        is(v->segment_head, v->segment_closed, "rest: nothing is open");
        is(v->count.frames, t->n, "rest: all of it is there");

        t->time = (w.now - p->start) * 1000;
        seconds(&w, p, 4);

        is(s->state, NGX_MEDIA_STREAM_LIVE, "rest: it goes on");
        is(s->periods, 2 + i, "rest: with another period");
        is(v->count.dropped_key, 0, "rest: nothing is dropped");

        walk_check(&w);
        is(w.wrong[0], 0, "rest: %s", w.wrong);
    }

    walk_end(p);

    is(s->state, NGX_MEDIA_STREAM_GRACE, "rest: its connection has ended");

    /* one that comes back and sends nothing */

    publisher(&w, p);
    is(s->state, NGX_MEDIA_STREAM_LIVE, "rest: another one is connected");

    for (k = 0; k < s->target * 3 + 2; k++) {
        w.now += 1000;
        ngx_stub_clock(w.now);
        walk_tick(&w);
    }

    is(s->state, NGX_MEDIA_STREAM_GRACE, "rest: and sends nothing");

    walk_end(p);

    w.now += s->grace + 1000;
    ngx_stub_clock(w.now);
    walk_tick(&w);

    is(s->state, NGX_MEDIA_STREAM_ENDED, "rest: then the stream ends");

    walk_finish(&w);
}


static ngx_str_t
texts(walk_t *w, ngx_pool_t *pool, ngx_str_t *mpd)
{
    ngx_str_t                text, url;
    ngx_media_stream_t       stream;
    ngx_media_stream_view_t  view;

    ngx_str_null(&text);
    ngx_str_null(mpd);
    ngx_str_set(&url, "time");

    stream.zone = w->zone;
    stream.sh = ngx_media_stream_record(w->zone, 0);
    stream.id = stream.sh->id;

    if (ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view)
        != NGX_OK)
    {
        abort();
    }

    (void) ngx_media_hls_multi(pool, &view, &text);
    (void) ngx_media_dash_mpd(pool, &view, &url, mpd);

    return text;
}


static ngx_uint_t
has(const ngx_str_t *text, const char *what)
{
    return memmem(text->data, text->len, what, strlen(what)) != NULL;
}


/* the last Period of an MPD */

static ngx_str_t
last_period(const ngx_str_t *mpd)
{
    u_char     *p, *last;
    ngx_str_t   period;

    last = mpd->data + mpd->len;
    period = *mpd;

    while ((p = memmem(period.data + 1, last - period.data - 1, "<Period ",
                       8)))
    {
        period.data = p;
        period.len = last - p;
    }

    return period;
}


/* a picture that cannot be held stays away: others go on without it */

static void
test_away(void)
{
    ngx_str_t                multi, mpd, period;
    ngx_pool_t              *pool;
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_track_shm_t   *v;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    w.app.window = 60000;
    w.app.grace = 12000;
    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    publisher(&w, p);
    t = track(p, WALK_AVC, 0);
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 8);

    v = s->tracks[0];

    /* something of it is lost */

    t->time += 100 * WALK_US;
    useless(&w, p, NGX_MEDIA_VIDEO, 1);
    seconds(&w, p, 9);

    pool = ngx_create_pool(4096, &ngx_stub_log);

    multi = texts(&w, pool, &mpd);
    ok(has(&multi, "avc1"), "away: it is waited for");
    is(s->clock, 1, "away: without it");
    is(s->periods, 1, "away: in its period");

    seconds(&w, p, 6);

    multi = texts(&w, pool, &mpd);

    is(v->away, 1, "away: not for ever");
    is(v->segment_head, v->segment_closed, "away: all of it is listed");
    ok(!has(&multi, "avc1") && has(&multi, "mp4a"), "away: not listed");
    is(s->periods, 2, "away: another period");

    seconds(&w, p, 20);
    is(s->periods, 2, "away: one for all");

    (void) texts(&w, pool, &mpd);
    period = last_period(&mpd);

    ok(has(&mpd, "avc1"), "away: it is in the first");
    ok(!has(&period, "avc1") && has(&period, "mp4a"), "away: and not in this");

    t->time = (w.now - p->start) * 1000;
    t->n = 0;
    seconds(&w, p, 4);

    multi = texts(&w, pool, &mpd);
    period = last_period(&mpd);

    is(v->away, 0, "away: it is back");
    is(s->periods, 3, "away: with a period");
    is(s->ntracks, 2, "away: in its track");
    ok(has(&multi, "avc1") && has(&period, "avc1"), "away: listed again");

    walk_check(&w);
    is(w.wrong[0], 0, "away: %s", w.wrong);

    /* its publisher returns without it */

    walk_end(p);
    w.now += 2000;
    ngx_stub_clock(w.now);

    publisher(&w, p);
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 8);
    is(v->away, 0, "away: may come late");

    seconds(&w, p, 8);
    is(v->away, 1, "away: did not return");
    is(s->periods, 4, "away: was in no period since");

    ngx_destroy_pool(pool);
    walk_check(&w);
    is(w.wrong[0], 0, "away: %s", w.wrong);

    walk_end(p);
    walk_finish(&w);
}


/* segments that are a track's first of a period, and not the period's */

static ngx_uint_t
midst(walk_t *w)
{
    uint64_t                  period;
    ngx_uint_t                i, k, n;
    ngx_pool_t               *pool;
    ngx_media_stream_t        stream;
    ngx_media_segment_t      *segment;
    ngx_media_stream_view_t   view;

    stream.zone = w->zone;
    stream.sh = ngx_media_stream_record(w->zone, 0);
    stream.id = stream.sh->id;

    pool = ngx_create_pool(4096, &ngx_stub_log);
    (void) ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view);

    n = 0;

    for (i = 0; i < view.ntracks; i++) {
        period = 0;

        for (k = 0; k < view.tracks[i].nsegments; k++) {
            segment = &view.tracks[i].segments[k];

            if (segment->gap) {
                continue;
            }

            n += segment->period != period
                 && segment->number != segment->period;

            period = segment->period;
        }
    }

    ngx_destroy_pool(pool);

    return n;
}


/* one of two renditions is away for a while, and comes with this frame */

static const struct {
    const char  *name;
    ngx_uint_t   gap;                        /* s */
    ngx_uint_t   n;
    ngx_uint_t   segment;                    /* ms */
    ngx_uint_t   periods;
} aways[] = {
    { "key frame, not away yet", 12, 0, 4000, 2 },
    { "no key frame, not away yet", 12, 13, 4000, 2 },
    { "key frame", 24, 0, 4000, 3 },
    { "no key frame", 24, 13, 4000, 3 },
    { "away soon", 9, 13, 1000, 3 },
};


static void
test_rendition(void)
{
    ngx_uint_t               i;
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    for (i = 0; i < sizeof(aways) / sizeof(aways[0]); i++) {
        memset(&w, 0, sizeof(walk_t));
        walk_init(&w, 0);

        w.app.window = 60000;
        w.app.grace = 4000;
        w.app.segment = aways[i].segment;
        w.app.segment_max = aways[i].segment * 3 / 2;
        w.app.target = (w.app.segment_max + 999) / 1000;
        s = ngx_media_stream_record(w.zone, 0);
        p = &w.pubs[0];

        publisher(&w, p);
        (void) track(p, WALK_AVC, 0);
        t = track(p, WALK_AVC, 1);
        (void) track(p, WALK_AAC, 0);
        seconds(&w, p, 8);

        t->time += aways[i].gap * WALK_US;
        t->n = aways[i].n;
        seconds(&w, p, aways[i].gap + 8);

        is(s->periods, aways[i].periods, "rendition: %s", aways[i].name);
        is(midst(&w), 0, "rendition: it begins with one");
        is(s->tracks[1]->away, 0, "rendition: it is back");
        is(s->clock, 0, "rendition: the other has the cuts");
        is(s->tracks[0]->count.dropped_key + s->tracks[0]->count.dropped_late,
           0, "rendition: and all of its frames");
        is(s->tracks[2]->count.silent + s->tracks[2]->count.dropped_late
           + s->tracks[2]->count.dropped_key, 0, "rendition: so has audio");

        walk_check(&w);
        is(w.wrong[0], 0, "rendition: %s", w.wrong);

        walk_end(p);
        walk_finish(&w);
    }
}


/* it returns after its period, in the midst of another */

static void
test_rendition_period(void)
{
    ngx_uint_t               i;
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    for (i = 0; i < 2; i++) {
        memset(&w, 0, sizeof(walk_t));
        walk_init(&w, 0);

        w.app.window = 60000;
        s = ngx_media_stream_record(w.zone, 0);
        p = &w.pubs[0];

        publisher(&w, p);
        (void) track(p, WALK_AVC, 0);
        t = track(p, WALK_AVC, 1);
        (void) track(p, WALK_AAC, 0);
        seconds(&w, p, 8);

        t->time += 120 * WALK_US;

        if (i) {
            seconds(&w, p, 30);
            is(s->tracks[1]->away, 1, "amid: it is away");
        }

        /* nothing comes at all, then the others alone */

        w.now += 40000;
        ngx_stub_clock(w.now);
        walk_tick(&w);
        is(s->state, NGX_MEDIA_STREAM_GRACE, "amid: nothing comes");

        p->tracks[0].time = (w.now - p->start) * 1000;
        p->tracks[2].time = (w.now - p->start) * 1000;
        seconds(&w, p, 12);
        is(midst(&w), 0, "amid: a period without it");

        t->time = (w.now - p->start) * 1000;
        t->n = 0;
        seconds(&w, p, 6);

        is(midst(&w), 0, "amid: and one with it");
        is(s->tracks[1]->away, 0, "amid: it is back");
        ok(s->tracks[1]->count.dropped_key, "amid: it has waited for it");

        walk_check(&w);
        is(w.wrong[0], 0, "amid: %s", w.wrong);

        walk_end(p);
        walk_finish(&w);
    }
}


/* of what comes late, the first frame is a key frame */

static const struct {
    const char  *name;
    ngx_uint_t   n;
    ngx_uint_t   gop;
    ngx_uint_t   forced;
    ngx_uint_t   aligned;
    ngx_uint_t   periods;
} joins[] = {
    { "key frames in common", 0, 25, 0, 1, 2 },
    { "at other times", 13, 25, 0, 0, 2 },
    { "seldom", 1, 400, 1, 1, 3 },
    { "after many segments", 1, 2500, 1, 1, 3 },
};


static void
test_join(void)
{
    ngx_uint_t                i, k;
    ngx_pool_t               *pool;
    walk_pub_t               *p;
    walk_track_t             *t;
    ngx_media_stream_t        stream;
    ngx_media_segment_t      *a, *b;
    ngx_media_stream_view_t   view;

    static walk_t  w;

    for (i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
        memset(&w, 0, sizeof(walk_t));
        walk_init(&w, 0);

        w.app.window = 60000;
        p = &w.pubs[0];

        publisher(&w, p);
        (void) track(p, WALK_AVC, 0);
        (void) track(p, WALK_AAC, 0);
        seconds(&w, p, 8);

        t = track(p, WALK_AVC, 1);
        t->time = (w.now - p->start) * 1000;
        t->n = joins[i].n;
        t->gop = joins[i].gop;
        seconds(&w, p, 16 + joins[i].gop / 25);

        stream.zone = w.zone;
        stream.sh = ngx_media_stream_record(w.zone, 0);
        stream.id = stream.sh->id;

        pool = ngx_create_pool(4096, &ngx_stub_log);
        (void) ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS,
                                     &view);

        is(view.ntracks, 3, "join: %s", joins[i].name);

        a = view.tracks[0].segments;
        b = view.tracks[2].segments;

        for (k = 0; k < view.tracks[0].nsegments && a->number < b->number;
             k++)
        {
            a++;
        }

        is(stream.sh->periods, joins[i].periods, "join: its periods");
        is(b->number, b->period, "join: where a period begins");
        is(b->forced, joins[i].forced, "join: with a key frame");
        ok(ngx_abs(b->time - a->time) <= 720 || !joins[i].aligned,
           "join: with the others: %lld", (long long) (b->time - a->time));

        ngx_destroy_pool(pool);
        walk_check(&w);
        is(w.wrong[0], 0, "join: %s", w.wrong);

        walk_end(p);
        walk_finish(&w);
    }
}


/* audio made a cut for video, whose key frame comes later: it has the cuts */

static void
test_join_clock(void)
{
    walk_pub_t              *p;
    walk_track_t            *t;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    w.app.window = 60000;
    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    publisher(&w, p);
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 12);

    is(s->ready, 1, "join clock: audio is given out");

    t = track(p, WALK_AVC, 0);
    t->time = (w.now - p->start) * 1000;
    walk_track(&w, p, t);
    t->n = 1;
    t->gop = 200;
    seconds(&w, p, 16);

    is(s->clock, 1, "join clock: video has the cuts");
    is(midst(&w), 0, "join clock: it begins with a period");
    is(s->periods, 3, "join clock: its own");

    walk_check(&w);
    is(w.wrong[0], 0, "join clock: %s", w.wrong);

    walk_end(p);
    walk_finish(&w);
}


int
main(int argc, char **argv)
{
    if (argc == 4) {
        test_walks(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
        return done();
    }

    test_refused();
    test_refused_own();
    test_alternate();
    test_useless();
    test_held();
    test_anew();
    test_again();
    test_rest();
    test_away();
    test_rendition();
    test_rendition_period();
    test_join();
    test_join_clock();
    test_walks(1, 0, STEPS);

    return done();
}
