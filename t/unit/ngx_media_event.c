
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: @writer @packager ngx_stub.c */


/*
 * What features are told of streams: by a publisher that does nothing special,
 * and by the walks of media_walk.h, over which each event has to say what the
 * store has, in order, with no lock held.  A second module fails at all it
 * does, and harms nobody.
 */


#define _GNU_SOURCE

#include "core/ngx_media_event.h"
#include "media_walk.h"
#include "tap.h"


#define STEPS   3000
#define TRACKS  256


/* ctx_index of the modules */

enum { GOOD = 0, BAD, MODULES };


/* of a publisher */

typedef struct {
    ngx_uint_t             events[NGX_MEDIA_EVENTS];
    uint64_t               frames[NGX_MEDIA_TEXT + 1];
    uint64_t               init[TRACKS];
    uint64_t               number[TRACKS];       /* the open segment */
    uint32_t               nparts[TRACKS];
    uint64_t               bytes[TRACKS];
    uint64_t               type[TRACKS];
    ngx_uint_t             derived[TRACKS];
    uint64_t               lost;
    ngx_media_event_end_t  end;
} publisher_t;


static ngx_media_event_pt     handlers[NGX_MEDIA_EVENTS][MODULES];
static ngx_media_listeners_t  listeners;
static publisher_t            last;             /* that has ended */
static ngx_uint_t             begun, ended, failed, lost, datums;
static char                   wrong[256];


#define is_wrong(...)                                                         \
    do {                                                                      \
        if (wrong[0] == '\0') {                                               \
            (void) snprintf(wrong, sizeof(wrong), __VA_ARGS__);               \
        }                                                                     \
    } while (0)


/* what holds for all of them; NULL: its publisher had no memory for it */

static publisher_t *
told(ngx_media_event_t *ev, ngx_media_event_e event)
{
    publisher_t             *p;
    ngx_media_stream_shm_t  *s;

    s = ev->claim->stream.sh;
    p = ev->ctx[GOOD];

    if (s->lock || ev->claim->stream.zone->sh->lock) {
        is_wrong("event %d under a lock", (int) event);
    }

    if (event != NGX_MEDIA_EVENT_END && ngx_media_claim_valid(ev->claim)
        && (ev->name->len != s->name_len
            || memcmp(ev->name->data, s->name, s->name_len) != 0))
    {
        is_wrong("event %d of another stream", (int) event);
    }

    if (p) {
        p->events[event]++;
    }

    return p;
}


static void
good_publish(ngx_media_event_t *ev)
{
    const ngx_media_event_publish_t  *what = ev->what;

    begun++;

    if (ev->ctx[GOOD] || ev->ctx[BAD]) {
        is_wrong("a context is there before its publisher");
    }

    if (what->protocol.len != 4 || what->address.len < 8) {
        is_wrong("who publishes");
    }

    /* a publisher without a context is one that the module does not have */

    if (begun % 4) {
        ev->ctx[GOOD] = ngx_pcalloc(ev->pool, sizeof(publisher_t));
    }

    (void) told(ev, NGX_MEDIA_EVENT_PUBLISH);
}


static void
good_track(ngx_media_event_t *ev)
{
    publisher_t                    *p;
    ngx_media_params_t              params;
    const ngx_media_event_track_t  *what = ev->what;

    p = told(ev, NGX_MEDIA_EVENT_TRACK);

    if (ngx_media_track_init_params(&ev->claim->stream, ev->track, what->init,
                                    &params)
        != NGX_OK
        || params.codec != what->params->codec)
    {
        is_wrong("parameters of a track are not in the store");
    }

    if (p) {
        p->init[ngx_media_track_place(ev->track)] = what->init;
        p->type[ngx_media_track_place(ev->track)] = what->params->type;
        p->derived[ngx_media_track_place(ev->track)] = what->derived;
    }
}


static void
good_period(ngx_media_event_t *ev)
{
    ngx_uint_t                       i;
    publisher_t                     *p;
    const ngx_media_event_period_t  *what = ev->what;

    p = told(ev, NGX_MEDIA_EVENT_PERIOD);

    for (i = 0; p && i < TRACKS; i++) {
        if (p->nparts[i]) {
            is_wrong("a segment is open where a period begins");
        }

        if (p->number[i] >= what->number) {
            is_wrong("a period begins in the past");
        }
    }
}


static void
good_frame(ngx_media_event_t *ev)
{
    publisher_t                    *p;
    const ngx_media_event_frame_t  *what = ev->what;

    p = told(ev, NGX_MEDIA_EVENT_FRAME);

    if (p && !what->silent && !what->again
        && !p->derived[ngx_media_track_place(ev->track)])
    {
        p->frames[p->type[ngx_media_track_place(ev->track)]]++;
    }
}


static void
good_part(ngx_media_event_t *ev)
{
    ngx_uint_t                     i;
    publisher_t                   *p;
    ngx_media_part_t               part;
    const ngx_media_event_part_t  *what = ev->what;

    p = told(ev, NGX_MEDIA_EVENT_PART);
    i = ngx_media_track_place(ev->track);

    if (ngx_media_track_part(&ev->claim->stream, ev->track,
                             what->segment->number, what->part, &part)
        != NGX_OK
        || part.duration != what->duration || part.range.size != what->bytes)
    {
        is_wrong("a part is not in the store");
    }

    if (p == NULL) {
        return;
    }

    if (what->part != p->nparts[i]
        || (p->nparts[i] && what->segment->number != p->number[i])
        || what->segment->init != p->init[i])
    {
        is_wrong("parts are out of order");
    }

    p->number[i] = what->segment->number;
    p->bytes[i] += what->bytes;
    p->nparts[i]++;
}


static void
good_segment(ngx_media_event_t *ev)
{
    ngx_uint_t                     i;
    publisher_t                   *p;
    ngx_media_segment_t            segment;
    const ngx_media_event_part_t  *what = ev->what;

    p = told(ev, NGX_MEDIA_EVENT_SEGMENT);
    i = ngx_media_track_place(ev->track);

    if (ngx_media_track_segment(&ev->claim->stream, ev->track,
                                what->segment->number, &segment)
        != NGX_OK
        || segment.open || segment.duration != what->duration
        || segment.bytes != what->bytes || segment.nparts != what->part)
    {
        is_wrong("a segment is not in the store");
    }

    if (p && (p->number[i] != segment.number || p->bytes[i] != what->bytes
              || p->nparts[i] != what->part))
    {
        is_wrong("a segment is not its parts");
    }

    if (p) {
        p->bytes[i] = 0;
        p->nparts[i] = 0;
    }
}


static void
good_lost(ngx_media_event_t *ev)
{
    publisher_t                   *p;
    const ngx_media_event_lost_t  *what = ev->what;

    p = told(ev, NGX_MEDIA_EVENT_LOST);

    if (what->frames == 0) {
        is_wrong("nothing is lost");
    }

    lost += what->frames;

    if (p) {
        p->lost += what->frames;
    }
}


static void
good_end(ngx_media_event_t *ev)
{
    uint64_t                      nomem;
    ngx_uint_t                    i;
    publisher_t                  *p;
    const ngx_media_event_end_t  *what = ev->what;

    ended++;
    nomem = 0;

    p = told(ev, NGX_MEDIA_EVENT_END);

    if (what->reason == NULL) {
        is_wrong("an end without a reason");
    }

    if (p == NULL) {
        failed++;
        return;
    }

    if (p->events[NGX_MEDIA_EVENT_PUBLISH] != 1
        || p->events[NGX_MEDIA_EVENT_END] != 1)
    {
        is_wrong("more than one beginning or end");
    }

    for (i = 0; i <= NGX_MEDIA_TEXT; i++) {
        nomem += what->sums[i].nomem;

        if (p->frames[i] != what->sums[i].frames) {
            is_wrong("%d frames were told of, %d counted",
                     (int) p->frames[i], (int) what->sums[i].frames);
        }
    }

    if (p->lost > nomem) {
        is_wrong("more is lost than had no room");
    }

    p->end = *what;
    last = *p;
}


/* it waits in the store, or has gone out, as it was told */

static void
good_data(ngx_media_event_t *ev)
{
    const ngx_media_event_data_t  *what = ev->what;

    ngx_uint_t                    i;
    const ngx_media_data_t       *data;
    ngx_media_data_shm_t         *d;
    ngx_media_data_record_shm_t  *record;

    (void) told(ev, NGX_MEDIA_EVENT_DATA);

    data = what->data;
    d = ev->claim->stream.sh->data;

    if (ev->track || what->timescale != 360000 || d->seq != data->id
        || data->kind != NGX_MEDIA_DATA_ID3)
    {
        is_wrong("data that is another");
    }

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &d->records[i];

        if (record->seq == data->id
            && record->time - record->back == data->time
            && record->size == (size_t) (data->last - data->pos))
        {
            datums++;
            return;
        }
    }

    is_wrong("data that is not there");
}


/* never gets memory, and spoils what it is handed */

static void
bad_any(ngx_media_event_t *ev)
{
    if (ev->ctx[BAD]) {
        is_wrong("a context of a module that has none");
    }

    ev->ctx[BAD] = NULL;
    ev->what = NULL;
    ev->claim = NULL;
    ev->name = NULL;
    ev->pool = NULL;
    ev->log = NULL;
}


static void
listen_to(walk_t *w)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_EVENTS; i++) {
        handlers[i][0] = bad_any;
    }

    handlers[NGX_MEDIA_EVENT_PUBLISH][1] = good_publish;
    handlers[NGX_MEDIA_EVENT_TRACK][1] = good_track;
    handlers[NGX_MEDIA_EVENT_PERIOD][1] = good_period;
    handlers[NGX_MEDIA_EVENT_FRAME][1] = good_frame;
    handlers[NGX_MEDIA_EVENT_PART][1] = good_part;
    handlers[NGX_MEDIA_EVENT_SEGMENT][1] = good_segment;
    handlers[NGX_MEDIA_EVENT_DATA][1] = good_data;
    handlers[NGX_MEDIA_EVENT_LOST][1] = good_lost;
    handlers[NGX_MEDIA_EVENT_END][1] = good_end;

    listeners.nmodules = MODULES;

    for (i = 0; i < NGX_MEDIA_EVENTS; i++) {
        listeners.handlers[i].elts = handlers[i];
        listeners.handlers[i].nelts = 2;
    }

    w->app.listeners = &listeners;

    wrong[0] = '\0';
    begun = 0;
    ended = 0;
    failed = 0;
    lost = 0;
}


static const struct {
    const char  *name;
    ngx_uint_t   flags;
    ngx_uint_t   seeds;
} kinds[] = {
    { "codecs change", WALK_CODECS|WALK_RATES, 6 },
    { "many tracks, codecs change", WALK_MANY|WALK_CODECS, 2 },
    { "no memory", WALK_CODECS|WALK_RATES|WALK_NOMEM, 6 },
    { "few blocks", WALK_CODECS|WALK_RATES|WALK_BLOCKS, 4 },
    { "pictures stand still", WALK_STILL|WALK_RATES, 4 },
    { "timed data", WALK_DATA|WALK_CODECS|WALK_RATES, 4 },
};


static void
test_walks(void)
{
    ngx_uint_t  i, k, n, pubs, none;

    static walk_t  w;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        pubs = 0;
        none = 0;

        for (k = 1; k <= kinds[i].seeds; k++) {
            memset(&w, 0, sizeof(walk_t));
            w.state = k * 0x9e3779b97f4a7c15ull + kinds[i].flags;

            walk_init(&w, kinds[i].flags);
            listen_to(&w);

            for (n = 1; n <= STEPS && wrong[0] == '\0'; n++) {
                walk_step_all(&w);

                if (n % 100 == 0) {
                    walk_tick(&w);
                }
            }

            walk_finish(&w);

            if (wrong[0] || w.wrong[0] || begun != ended) {
                ok(0, "%s: seed %d: %s%s, %d of %d ended", kinds[i].name,
                   (int) k, wrong, w.wrong, (int) ended, (int) begun);
            }

            pubs += ended;
            none += failed;
        }

        ok(pubs > kinds[i].seeds && none < pubs / 2,
           "%s: %d publishers, %d without a context", kinds[i].name,
           (int) pubs, (int) none);
    }

    ok(datums > 400, "%d timed data", (int) datums);
    is(ngx_stub_pools, 0, "no pool is left");
}


/* six seconds of audio and video, in a zone of so many pages; 0: enough */

static walk_pub_t *
six_seconds(walk_t *w, uint64_t pages)
{
    int64_t               end;
    ngx_uint_t            i;
    walk_pub_t           *p;
    const char           *reason;
    walk_track_t         *t;
    ngx_media_publish_t   conf;

    memset(w, 0, sizeof(walk_t));
    walk_init(w, 0);
    listen_to(w);

    if (pages) {
        w->zone->sh->limit = pages;
    }

    p = &w->pubs[0];

    memset(&conf, 0, sizeof(ngx_media_publish_t));

    conf.app = &w->app;
    ngx_str_set(&conf.name, "a");
    ngx_str_set(&conf.protocol, "rtmp");
    ngx_str_set(&conf.address, "127.0.0.1");
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &ngx_stub_log;
    conf.close = walk_close;
    conf.data = p;

    is(ngx_media_publish_begin(&conf, &p->publisher, &reason),
       NGX_MEDIA_PUBLISH_OK, "begin");
    is(begun, 1, "its first event");

    p->start = w->now;

    for (i = 0; i < 2; i++) {
        t = &p->tracks[p->ntracks++];
        t->type = i ? NGX_MEDIA_AUDIO : NGX_MEDIA_VIDEO;
        t->codec = i ? WALK_AAC : WALK_AVC;
        t->next_codec = t->codec;
        t->step = 40000;
        t->gop = 25;
        t->size = 4000;
        t->due = 1;
    }

    for (end = w->now + 6000; w->now < end; w->now += 10) {
        ngx_stub_clock(w->now);

        for (i = 0; i < p->ntracks; i++) {
            t = &p->tracks[i];

            while (p->start + t->time / 1000 <= w->now) {
                walk_send(w, p, t);
            }
        }
    }

    is(ended, 0, "it is there");
    walk_end(p);
    is(ended, 1, "and has gone");
    is(wrong[0], 0, "its events: %s", wrong);

    walk_finish(w);

    is(w->wrong[0], 0, "all is free: %s", w->wrong);

    return p;
}


static void
test_plain(void)
{
    walk_pub_t  *p;

    static walk_t  w;

    p = six_seconds(&w, 0);

    is(last.events[NGX_MEDIA_EVENT_TRACK], 2, "tracks");
    is(last.events[NGX_MEDIA_EVENT_PERIOD], 1, "periods");
    ok(last.events[NGX_MEDIA_EVENT_SEGMENT] >= 6, "segments");
    ok(last.events[NGX_MEDIA_EVENT_PART]
       > last.events[NGX_MEDIA_EVENT_SEGMENT], "parts");
    is(last.frames[NGX_MEDIA_VIDEO], p->tracks[0].n, "frames of video");
    is(last.frames[NGX_MEDIA_AUDIO], p->tracks[1].n, "of audio");
    is(last.events[NGX_MEDIA_EVENT_LOST], 0, "none is lost");
    ok(last.end.msec > 5900 && last.end.msec < 6100, "how long");
    ok(strcmp(last.end.reason, "its connection was closed") == 0, "and why");
}


/* more than the zone has room for */

static void
test_lost(void)
{
    static walk_t  w;

    (void) six_seconds(&w, 8);

    ok(last.events[NGX_MEDIA_EVENT_LOST] > 0, "frames are lost");
    ok(last.lost > 0 && last.lost == lost, "so many: %d", (int) lost);
    ok(last.events[NGX_MEDIA_EVENT_PERIOD] > 1, "which ends periods");
    ok(last.end.sums[NGX_MEDIA_VIDEO].nomem > 0, "and they are summed up");
}


static void
test_nobody(void)
{
    ngx_str_t           name;
    ngx_media_claim_t   claim;
    ngx_media_events_t  events;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    listen_to(&w);
    memset(&listeners, 0, sizeof(ngx_media_listeners_t));

    walk_begin(&w, &w.pubs[0]);

    is(begun, 0, "nobody listens");
    is(ngx_stub_pools, 0, "which costs no memory");

    walk_finish(&w);

    /* there is no memory for who listens */

    listen_to(&w);
    memset(&events, 0, sizeof(ngx_media_events_t));
    memset(&claim, 0, sizeof(ngx_media_claim_t));
    ngx_str_set(&name, "a");

    ngx_stub_fail = 1;
    ngx_media_events_begin(&events, &w.app, &claim, &name, &ngx_stub_log);
    ngx_stub_fail = 0;

    is(events.wanted, 0, "nobody is told");
    is(ngx_stub_pools, 0, "and nothing is left");

    ngx_media_events_begin(&events, &w.app, &claim, &name, &ngx_stub_log);
    ok(events.wanted != 0, "the next one's are");
    ngx_media_events_end(&events);
}


int
main(void)
{
    test_plain();
    test_lost();
    test_nobody();
    test_walks();

    return done();
}
