
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A random walk over all of the way in and what reads it: publishers come,
 * go, take names over, change their codecs, stamp nonsense, lose frames, and
 * are as large as they like; the zone may be too small, allocations may fail.
 * What is in the store must be right whatever happens: every so often it is
 * read as a client would, and the bytes of segments are walked box by box.
 *
 * Randomness is a seed, or the input of a fuzzer: then the walk is over when
 * that is.
 */


#ifndef _MEDIA_WALK_H_INCLUDED_
#define _MEDIA_WALK_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/ngx_media_access.h"
#include "core/ngx_media_stream_validate.h"
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_publish_state.h"
#include "packager/ngx_media_pack.h"
#include "media_fake.h"
#include "media_zone.h"


#define WALK_NAMES    4
#define WALK_PUBS     6
#define WALK_TRACKS   16
#define WALK_STREAMS  8
#define WALK_LISTS    64
#define WALK_FAKES    16
#define WALK_FRAME    (390 * 1024)
#define WALK_RECORD   1024

#define WALK_US       1000000


/* what a walk does; bits */

#define WALK_CODECS   0x01                   /* other codecs come */
#define WALK_RATES    0x02                   /* other rates, parameter sets */
#define WALK_MANY     0x04                   /* eight tracks of each type */
#define WALK_NOMEM    0x08                   /* one allocation in 200 fails */
#define WALK_BLOCKS   0x10                   /* few blocks are left */
#define WALK_STILL    0x20                   /* pictures stand still */
#define WALK_FOLLOW   0x80                   /* streams are followed */
#define WALK_DERIVED  0x40                   /* tracks are derived of others */
#define WALK_DATA     0x100                  /* timed data comes */


enum { WALK_AVC = 0, WALK_HEVC, WALK_AAC, WALK_MP3, WALK_AC3, WALK_OPUS };


typedef struct {
    ngx_uint_t             type;
    ngx_uint_t             id;
    ngx_uint_t             codec;            /* WALK_* */
    ngx_uint_t             kind;             /* of its parameters */
    ngx_uint_t             next_codec;       /* from its next configuration */
    ngx_uint_t             next_kind;        /* on */
    int64_t                time;             /* us since the publisher came */
    int64_t                step;             /* us */
    int64_t                shift;            /* us: of its stamps */
    int64_t                delay;            /* us: of its arrival */
    ngx_uint_t             n;                /* frames */
    ngx_uint_t             gop;
    ngx_uint_t             reorder;
    size_t                 size;             /* bytes of usual frames */
    unsigned               due:1;            /* its configuration is */
    unsigned               derived:1;        /* something is, of it */
} walk_track_t;


typedef struct {
    ngx_media_publisher_t *publisher;
    const char            *closed;           /* the core wants it to end */
    int64_t                start;            /* ms of the wall clock */
    int64_t                base;             /* us: of its stamps */
    ngx_uint_t             ntracks;
    walk_track_t           tracks[WALK_TRACKS];
} walk_pub_t;


/* what was seen of a track: nothing of that may change any more */

typedef struct {
    uint64_t               stream;
    char                   name[16];
    uint32_t               codec;
    uint64_t               number;           /* of its last closed segment */
    int64_t                time;
    int64_t                end;
} walk_list_t;


typedef struct {
    uint64_t               state;
    const uint8_t         *data;
    const uint8_t         *last;
    ngx_uint_t             flags;
    unsigned               fuzz:1;
    unsigned               over:1;

    ngx_media_app_t        app;
    ngx_media_zone_t      *zone;
    int64_t                now;              /* ms */
    int64_t                late;             /* ms that frames were on their way
                                                here since they arrived */
    walk_pub_t             pubs[WALK_PUBS];
    walk_list_t            lists[WALK_LISTS];
    ngx_uint_t             nlists;
    ngx_uint_t             frames;
    ngx_uint_t             texts;
    media_fake_t           fakes[WALK_FAKES];
    ngx_uint_t             derived;          /* segments that were compared */

    char                   wrong[512];       /* empty: nothing is */
} walk_t;


/* what access checks say, when they were asked, and were told to forget it */

static ngx_int_t                walk_access = NGX_OK;
static ngx_uint_t               walk_cancelled;
static ngx_media_access_conf_t  walk_asked;

/* frames are real ones, and say nothing */
static ngx_uint_t  walk_real;

static u_char  walk_frame[WALK_FRAME + 64];


#define walk_wrong(w, ...)                                                    \
    do {                                                                      \
        if ((w)->wrong[0] == '\0') {                                          \
            (void) snprintf((w)->wrong, sizeof((w)->wrong), __VA_ARGS__);     \
        }                                                                     \
    } while (0)


/* 0 up to n - 1 */

static inline uint64_t
walk_random(walk_t *w, uint64_t n)
{
    uint64_t  v, m;

    if (!w->fuzz) {
        w->state = w->state * 6364136223846793005ull + 1442695040888963407ull;
        v = w->state;
        v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9ull;

        return (v ^ v >> 32) % n;
    }

    v = 0;

    for (m = 1; m < n; m <<= 8) {

        if (w->data == w->last) {
            w->over = 1;
            return 0;
        }

        v = v << 8 | *w->data++;
    }

    return v % n;
}


/* once in n; of a byte of a fuzzer's input, but that is short of large n */

static inline ngx_uint_t
walk_chance(walk_t *w, ngx_uint_t n)
{
    n = w->fuzz ? ngx_min(n, 256) : n;

    return walk_random(w, n) == n - 1;
}


#include "media_walk_codec.h"


/* publishers */

static inline void
walk_close(void *data, const char *reason)
{
    walk_pub_t  *p = data;

    p->closed = reason;
}


ngx_int_t
ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason)
{
    walk_asked = *conf;

    if (walk_access == NGX_AGAIN) {
        *access = (ngx_media_access_t *) &walk_asked;
    }

    *reason = "the walk says no";

    return walk_access;
}


void
ngx_media_access_cancel(ngx_media_access_t *access)
{
    walk_cancelled++;
}


/* something is made of the track, if nothing is yet */

static inline void
walk_derive(walk_t *w, walk_pub_t *p, walk_track_t *t)
{
    ngx_uint_t                  i;
    media_fake_t               *f;
    ngx_media_publish_track_t  *track;

    track = ngx_media_publish_track_get(p->publisher, t->type, t->id);

    if (t->derived || track == NULL || track->codec == NULL) {
        return;
    }

    for (i = 0; i < WALK_FAKES && w->fakes[i].derived; i++) { /* void */ }

    if (i == WALK_FAKES) {
        return;
    }

    f = &w->fakes[i];

    ngx_memzero(f, sizeof(media_fake_t));

    f->now = w->now;
    f->lag = walk_random(w, 4) * 150 + (walk_chance(w, 8) ? 4000 : 0);
    f->exact = walk_random(w, 2);
    f->plain = !t->reorder && walk_random(w, 2);
    f->loses = walk_chance(w, 4) ? 7 : 0;
    f->deaf = walk_chance(w, 8);

    if (walk_chance(w, 3)) {
        media_fake_wvtt(&f->params);

    } else if (t->type == NGX_MEDIA_VIDEO) {
        media_fake_avc(&f->params, 0, walk_random(w, 2) ? 360000 : 90000);

    } else {
        f->params = track->params;
        f->exact = 0;
        f->plain = 0;
        f->sure = walk_random(w, 2);

        if (f->params.codec != NGX_MEDIA_CODEC_AAC) {
            return;
        }
    }

    t->derived = 1;

    /* text may be of both */

    if (media_fake_derive(f, p->publisher->writer, track->track, t->type)
        != NGX_OK)
    {
        f->derived = NULL;
    }
}


/* no memory, a codec that is refused, a name that is lost: all may be */

static inline void
walk_track(walk_t *w, walk_pub_t *p, walk_track_t *t)
{
    ngx_media_publish_e        rc;
    ngx_media_publish_frame_t  config;

    static u_char  record[WALK_RECORD];

    static const uint32_t  codecs[] = {
        NGX_MEDIA_CODEC_H264, NGX_MEDIA_CODEC_H265,
        NGX_MEDIA_CODEC_AAC, NGX_MEDIA_CODEC_MP3,
        NGX_MEDIA_CODEC_AC3, NGX_MEDIA_CODEC_OPUS
    };

    ngx_memzero(&config, sizeof(ngx_media_publish_frame_t));

    t->due = 0;
    t->codec = t->next_codec;
    t->kind = t->next_kind;

    config.type = t->type;
    config.id = t->id;
    config.codec = codecs[t->codec];
    config.pos = record;
    config.last = record + walk_config(t, record);

    rc = ngx_media_publish_track(p->publisher, &config);

    if ((rc == NGX_MEDIA_PUBLISH_MALFORMED
         || (rc == NGX_MEDIA_PUBLISH_NOMEM && !(w->flags & WALK_NOMEM))))
    {
        walk_wrong(w, "a configuration of codec %d is malformed",
                   (int) t->codec);
    }

    if (rc == NGX_OK && w->flags & WALK_DERIVED && !walk_chance(w, 4)) {
        walk_derive(w, p, t);
    }
}


static inline void
walk_track_add(walk_t *w, walk_pub_t *p, ngx_uint_t type, ngx_uint_t id)
{
    walk_track_t  *t;

    static const int64_t  steps[6] = {
        4000, 8333, 16667, 40000, 125000, 200000
    };

    t = &p->tracks[p->ntracks++];

    ngx_memzero(t, sizeof(walk_track_t));

    t->type = type;
    t->id = id;
    t->due = 1;
    t->time = walk_chance(w, 8) ? walk_random(w, 3 * WALK_US) : 0;
    t->kind = w->flags & WALK_RATES ? walk_random(w, 12) : 0;

    if (type == NGX_MEDIA_VIDEO) {
        t->codec = w->flags & (WALK_CODECS|WALK_STILL) ? walk_random(w, 2)
                                                       : WALK_AVC;
        t->step = walk_chance(w, 4) ? 16667 : 40000;

        if (w->flags & WALK_STILL) {
            t->step = steps[walk_random(w, 6)];
        }
        t->gop = 25 + walk_random(w, 75);
        t->reorder = walk_random(w, 2);
        t->size = 2000 + walk_random(w, 60000) / (w->flags & WALK_MANY ? 8
                                                                       : 1);

    } else {
        t->codec = WALK_AAC + (w->flags & WALK_CODECS ? walk_random(w, 4)
                                                      : 0);
    }

    t->next_codec = t->codec;
    t->next_kind = t->kind;

    if (walk_chance(w, 4)) {
        t->shift = (int64_t) walk_random(w, 4 * WALK_US) - 2 * WALK_US;
    }

    if (walk_chance(w, 4)) {
        t->delay = walk_random(w, 4 * WALK_US);
    }
}


static inline void
walk_begin(walk_t *w, walk_pub_t *p)
{
    ngx_uint_t            i, n;
    const char           *reason;
    ngx_media_announce_t  announce;
    ngx_media_publish_t   conf;
    ngx_media_publish_e   rc;

    static const char  *names[WALK_NAMES] = { "a", "b", "cam/1", "d" };
    static const char  *addresses[2] = { "127.0.0.1", "10.0.0.1" };

    ngx_memzero(p, sizeof(walk_pub_t));
    ngx_memzero(&conf, sizeof(ngx_media_publish_t));

    conf.app = &w->app;
    conf.name.data = (u_char *) names[walk_random(w, WALK_NAMES)];
    conf.name.len = strlen((char *) conf.name.data);
    ngx_str_set(&conf.protocol, "rtmp");
    conf.address.data = (u_char *) addresses[walk_random(w, 2)];
    conf.address.len = strlen((char *) conf.address.data);
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &ngx_stub_log;
    conf.close = walk_close;
    conf.data = p;

    rc = ngx_media_publish_begin(&conf, &p->publisher, &reason);

    if (rc != NGX_MEDIA_PUBLISH_OK) {
        p->publisher = NULL;
        return;
    }

    p->start = w->now;
    p->base = walk_chance(w, 4) ? walk_random(w, 4000000) * 1000 : 0;

    n = w->flags & WALK_MANY ? 8 : 1;

    for (i = 0; i < n && !walk_chance(w, 8); i++) {
        walk_track_add(w, p, NGX_MEDIA_VIDEO, i);
    }

    for (i = 0; i < n && !walk_chance(w, 8); i++) {
        walk_track_add(w, p, NGX_MEDIA_AUDIO, i);
    }

    if (p->ntracks == 0) {
        walk_track_add(w, p, NGX_MEDIA_VIDEO + walk_random(w, 2), 0);
    }

    if (walk_chance(w, 2)) {
        ngx_memzero(&announce, sizeof(ngx_media_announce_t));

        announce.video = walk_random(w, 2);
        announce.audio = walk_random(w, 2);
        announce.frame_rate = walk_random(w, 2) * 25000;
        announce.sample_rate = 48000;
        announce.channels = 2;

        ngx_media_publish_announce(p->publisher, &announce);
    }
}


static inline void
walk_end(walk_pub_t *p)
{
    ngx_media_publish_end(p->publisher, "its connection was closed");

    p->publisher = NULL;
}


/* what encoders, people and networks do */

static inline void
walk_event(walk_t *w, walk_pub_t *p, walk_track_t *t)
{
    switch (walk_random(w, 8)) {

    case 0:
        p->base += ((int64_t) walk_random(w, 40000) - 20000) * 1000;
        break;

    case 1:
        t->shift += ((int64_t) walk_random(w, 6000) - 3000) * 1000;
        break;

    case 2:
        if (w->flags & WALK_STILL) {
            t->time += walk_random(w, 20 * WALK_US);
            break;
        }

        /* frames are lost */
        t->time += (1 + (int64_t) walk_random(w, 60)) * walk_step(t);
        t->n += walk_random(w, 60);
        break;

    case 3:
        /* the connection hangs */
        p->start += walk_random(w, 6000);
        break;

    case 4:
        t->delay = walk_random(w, 4) * WALK_US;
        break;

    case 5:
        if (w->flags & WALK_CODECS) {
            t->next_codec = t->codec ^ 1;
        }

        /* fall through */

    case 6:
        if (w->flags & WALK_RATES) {
            t->next_kind = walk_random(w, 12);
        }

        t->due = 1;
        break;

    default:
        walk_end(p);
    }
}


static inline void
walk_send(walk_t *w, walk_pub_t *p, walk_track_t *t)
{
    int64_t                    stamp, step;
    ngx_int_t                  rc;
    ngx_uint_t                 key;
    ngx_media_publish_frame_t  frame;

    static const uint32_t  codecs[] = {
        NGX_MEDIA_CODEC_H264, NGX_MEDIA_CODEC_H265,
        NGX_MEDIA_CODEC_AAC, NGX_MEDIA_CODEC_MP3,
        NGX_MEDIA_CODEC_AC3, NGX_MEDIA_CODEC_OPUS
    };

    if (t->due && (t->type == NGX_MEDIA_AUDIO || t->n % t->gop == 0
                   || walk_chance(w, 80)))
    {
        walk_track(w, p, t);
    }

    step = walk_step(t);
    key = t->type == NGX_MEDIA_AUDIO || t->n % t->gop == 0;
    stamp = p->base + t->time + t->shift;

    ngx_memzero(&frame, sizeof(ngx_media_publish_frame_t));

    frame.type = t->type;
    frame.id = t->id;
    frame.codec = codecs[t->codec];
    frame.stamp = (uint32_t) (stamp / 1000);
    frame.arrival = w->late ? w->now - w->late : 0;
    frame.pos = walk_frame;
    frame.last = walk_frame + walk_payload(w, t, key);

    if (t->reorder) {
        frame.cts = (int32_t) ((t->n % 3 == 1 ? 3 : 1) * step / 1000);
    }

    t->time += step;
    t->n++;
    w->frames++;

    rc = ngx_media_publish_frame(p->publisher, &frame);

    if (rc == NGX_MEDIA_PUBLISH_LOST) {
        p->closed = "lost";
    }
}


static inline void walk_data_send(walk_t *w, walk_pub_t *p, walk_track_t *t);


/* what is due next happens; the clock goes there */

static inline void
walk_step_all(walk_t *w)
{
    int64_t        due, first;
    ngx_uint_t     i, k;
    walk_pub_t    *p;
    walk_track_t  *t;

    p = NULL;
    t = NULL;
    first = 0;

    for (i = 0; i < WALK_PUBS; i++) {

        if (w->pubs[i].publisher == NULL) {
            continue;
        }

        if (w->pubs[i].closed) {
            walk_end(&w->pubs[i]);
            continue;
        }

        for (k = 0; k < w->pubs[i].ntracks; k++) {
            due = w->pubs[i].start + (w->pubs[i].tracks[k].time
                                      + w->pubs[i].tracks[k].delay) / 1000;

            if (p == NULL || due < first) {
                p = &w->pubs[i];
                t = &p->tracks[k];
                first = due;
            }
        }
    }

    if (p == NULL || walk_chance(w, 1500)) {

        if (p == NULL) {
            w->now += walk_random(w, w->fuzz ? 256 : 8000);
        }

        i = walk_random(w, WALK_PUBS);

        if (w->pubs[i].publisher == NULL) {
            walk_begin(w, &w->pubs[i]);
        }

        return;
    }

    w->now = ngx_max(w->now, first);
    ngx_stub_clock(w->now);

    for (i = 0; i < WALK_FAKES; i++) {
        if (w->fakes[i].derived) {
            (void) media_fake_run(&w->fakes[i], w->now);
        }
    }

    if (walk_chance(w, 400)) {
        walk_event(w, p, t);
        return;
    }

    walk_send(w, p, t);

    if (w->flags & WALK_DATA && walk_chance(w, 16)) {
        walk_data_send(w, p, t);
    }
}


/* what clients see */

static inline uint32_t
walk_be32(const u_char *p)
{
    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}


/* the box of this type, from p on; sets its end */

static inline const u_char *
walk_box(const u_char *p, const u_char *last, const char *type,
    const u_char **end)
{
    uint32_t  size;

    while (last - p >= 8) {
        size = walk_be32(p);

        if (size < 8 || size > (size_t) (last - p)) {
            return NULL;
        }

        if (memcmp(p + 4, type, 4) == 0) {
            *end = p + size;
            return p + 8;
        }

        p += size;
    }

    return NULL;
}


/*
 * A segment's bytes: chunks, each of which begins where the one before it
 * ended.  Takes the time of the first and leaves the end of the last.
 */

static inline const char *
walk_chunks(const u_char *p, const u_char *last, uint32_t codec,
    int64_t *time)
{
    int64_t        tfdt;
    uint32_t       duration, flags, i, n, size;
    const char    *wrong;
    const u_char  *moof, *moof_end, *traf, *traf_end, *q, *end, *mdat;

    while (p < last) {
        moof = walk_box(p, last, "moof", &moof_end);

        if (moof == NULL) {
            return "no moof";
        }

        traf = walk_box(moof, moof_end, "traf", &traf_end);
        mdat = walk_box(moof_end, last, "mdat", &p);

        if (traf == NULL || mdat == NULL) {
            return "no traf or mdat";
        }

        q = walk_box(traf, traf_end, "tfdt", &end);

        if (q == NULL || q[0] != 1) {
            return "no tfdt";
        }

        tfdt = (int64_t) ((uint64_t) walk_be32(q + 4) << 32
                          | walk_be32(q + 8));

        if (tfdt != *time) {
            return "tfdt is not where the last chunk ended";
        }

        q = walk_box(traf, traf_end, "tfhd", &end);

        if (q == NULL) {
            return "no tfhd";
        }

        duration = 0;
        size = 0;
        flags = walk_be32(q);
        q += 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);

        if (flags & 0x8) {
            duration = walk_be32(q);
            q += 4;
        }

        if (flags & 0x10) {
            size = walk_be32(q);
        }

        q = walk_box(traf, traf_end, "trun", &end);

        if (q == NULL) {
            return "no trun";
        }

        flags = walk_be32(q);
        n = walk_be32(q + 4);
        q += 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);

        for (i = 0; i < n; i++) {

            if (flags & 0x100) {
                duration = walk_be32(q);
                q += 4;
            }

            if (flags & 0x200) {
                size = walk_be32(q);
                q += 4;
            }

            q += (flags & 0x400 ? 4 : 0) + (flags & 0x800 ? 4 : 0);
            *time += duration;

            if (size > (size_t) (p - mdat)) {
                return "a sample is outside of mdat";
            }

            wrong = walk_real ? NULL : walk_sample(codec, mdat, size);

            if (wrong) {
                return wrong;
            }

            mdat += size;
        }

        if (mdat != p) {
            return "bytes behind the last sample";
        }
    }

    return NULL;
}


static inline void
walk_segment(walk_t *w, const ngx_media_stream_t *stream,
    const ngx_media_track_view_t *t, const ngx_media_segment_t *s)
{
    u_char                 *bytes;
    size_t                  size;
    int64_t                 time;
    ngx_int_t               rc;
    ngx_str_t               init;
    ngx_uint_t              i;
    ngx_pool_t             *pool;
    const char             *wrong;
    ngx_media_params_t      params;
    ngx_media_track_ref_t   ref;

    pool = ngx_create_pool(4096, &ngx_stub_log);
    if (pool == NULL) {
        return;
    }

    rc = ngx_media_track_ref(stream, t->index, &ref);

    if (rc == NGX_OK) {
        rc = ngx_media_ref_init(&ref, s->init, pool, &init);
    }

    /* NGX_ERROR: there was no memory for its bytes */

    if ((rc != NGX_OK && rc != NGX_ERROR)
        || ngx_media_ref_init_params(&ref, s->init, &params) != NGX_OK)
    {
        walk_wrong(w, "%.*s: segment %llu has no init", (int) t->name.len,
                   t->name.data, (unsigned long long) s->number);
        ngx_destroy_pool(pool);
        return;
    }

    ngx_destroy_pool(pool);

    if (s->open || s->gap) {
        return;
    }

    bytes = malloc(s->bytes + 1);
    size = 0;

    if (bytes == NULL || ngx_media_pin(w->zone, s->ranges, s->nranges)
                         != NGX_OK)
    {
        walk_wrong(w, "a segment cannot be pinned");
        free(bytes);
        return;
    }

    for (i = 0; i < s->nranges; i++) {

        if (size + s->ranges[i].size > s->bytes) {
            walk_wrong(w, "ranges of a segment");
            break;
        }

        memcpy(bytes + size,
               ngx_media_arena_bytes(w->zone, &s->ranges[i]),
               s->ranges[i].size);
        size += s->ranges[i].size;
    }

    ngx_media_unpin(w->zone, s->ranges, s->nranges);

    time = s->time;
    wrong = walk_chunks(bytes, bytes + size, params.codec, &time);

    free(bytes);

    if (wrong == NULL && time != s->time + (int64_t) s->duration) {
        wrong = "its samples do not add up to its duration";
    }

    if (wrong) {
        walk_wrong(w, "%.*s: segment %llu: %s", (int) t->name.len,
                   t->name.data, (unsigned long long) s->number, wrong);
    }
}


/* what went before, also what is listed no more */

static inline void
walk_remember(walk_t *w, const ngx_media_stream_t *stream,
    const ngx_media_track_view_t *t, uint32_t codec)
{
    ngx_uint_t                  i;
    walk_list_t                *list;
    const ngx_media_segment_t  *s;

    for (i = 0; i < w->nlists; i++) {
        list = &w->lists[i];

        if (list->stream == stream->id
            && memcmp(list->name, t->name.data, t->name.len) == 0
            && list->name[t->name.len] == '\0')
        {
            break;
        }
    }

    list = &w->lists[i % WALK_LISTS];

    if (i == w->nlists || i >= WALK_LISTS) {
        w->nlists = ngx_min(w->nlists + 1, WALK_LISTS - 1);

        ngx_memzero(list, sizeof(walk_list_t));
        list->stream = stream->id;
        memcpy(list->name, t->name.data, t->name.len);
        list->codec = codec;
    }

    if (codec != list->codec) {
        walk_wrong(w, "%s: another codec under the same name", list->name);
    }

    for (i = 0; i < t->nsegments; i++) {
        s = &t->segments[i];

        if (s->open) {
            break;
        }

        if (s->number == list->number
            && (s->time != list->time
                || s->time + (int64_t) s->duration != list->end))
        {
            walk_wrong(w, "%s: closed segment %llu changed", list->name,
                       (unsigned long long) s->number);
        }

        if (s->number > list->number) {

            if (list->number && s->time < list->end) {
                walk_wrong(w, "%s: segment %llu at %lld begins before %lld, "
                           "the end of %llu", list->name,
                           (unsigned long long) s->number,
                           (long long) s->time, (long long) list->end,
                           (unsigned long long) list->number);
            }

            list->number = s->number;
            list->time = s->time;
            list->end = s->time + s->duration;
        }
    }
}


static inline void
walk_list(walk_t *w, const ngx_media_stream_t *stream,
    const ngx_media_track_view_t *t)
{
    ngx_uint_t                  i;
    const char                 *wrong;
    const ngx_media_segment_t  *s;

    wrong = media_view_check(t);

    if (wrong) {
        walk_wrong(w, "%.*s: %s", (int) t->name.len, t->name.data, wrong);
        return;
    }

    for (i = 0; i < t->nsegments; i++) {
        s = &t->segments[i];

        walk_segment(w, stream, t, s);

        if (i == 0) {
            continue;
        }

        if (s->time < s[-1].time + (int64_t) s[-1].duration) {
            walk_wrong(w, "%.*s: segment %llu at %lld begins before the end "
                       "of the one before, %lld + %llu", (int) t->name.len,
                       t->name.data, (unsigned long long) s->number,
                       (long long) s->time, (long long) s[-1].time,
                       (unsigned long long) s[-1].duration);
        }

        if (!s->gap && !s[-1].gap && s->period == s[-1].period
            && s->time != s[-1].time + (int64_t) s[-1].duration)
        {
            walk_wrong(w, "%.*s: a hole before segment %llu in a period",
                       (int) t->name.len, t->name.data,
                       (unsigned long long) s->number);
        }
    }

    if (t->ninits) {
        walk_remember(w, stream, t, t->inits[0].params.codec);
    }
}


/* 0 where memory was short, which is all that may go wrong */

static inline void
walk_text(walk_t *w, const char *what, ngx_int_t rc, const ngx_str_t *text,
    const char *begin)
{
    if (rc == NGX_ERROR && (w->flags & WALK_NOMEM)) {
        return;
    }

    if (rc == NGX_ERROR) {
        walk_wrong(w, "%s: NGX_ERROR", what);
        return;
    }

    if (rc != NGX_OK) {
        return;
    }

    w->texts++;

    if (text->len < strlen(begin)
        || memcmp(text->data, begin, strlen(begin)) != 0)
    {
        walk_wrong(w, "%s: begins otherwise", what);
    }
}


static inline void
walk_texts(walk_t *w, ngx_pool_t *pool, const ngx_media_stream_view_t *view)
{
    ngx_str_t   text, url;
    ngx_uint_t  i;

    ngx_str_set(&url, "time");
    ngx_str_null(&text);

    for (i = 0; i < view->ntracks; i++) {
        walk_text(w, "media playlist",
                  ngx_media_hls_media(pool, view, i, 0, &text), &text,
                  "#EXTM3U");
        walk_text(w, "delta update",
                  ngx_media_hls_media(pool, view, i, 1, &text), &text,
                  "#EXTM3U");
        walk_text(w, "media playlist of TS",
                  ngx_media_hls_ts_media(pool, view, &view->tracks[i].name, i,
                                         NGX_MEDIA_NO_TRACK, 0, &text),
                  &text, "#EXTM3U");

        if (view->tracks[i].type == NGX_MEDIA_VIDEO) {
            walk_text(w, "I-frame playlist",
                      ngx_media_hls_iframes(pool, view, i, 0, &text), &text,
                      "#EXTM3U");
        }
    }

    walk_text(w, "multivariant playlist",
              ngx_media_hls_multi(pool, view, &text), &text, "#EXTM3U");
    walk_text(w, "multivariant playlist of TS",
              ngx_media_hls_ts_multi(pool, view, &text), &text, "#EXTM3U");
    walk_text(w, "MPD", ngx_media_dash_mpd(pool, view, &url, &text), &text,
              "<?xml");
}


/* what is derived opens nothing, and agrees with what it is of */

static inline void
walk_derived(walk_t *w, ngx_media_stream_shm_t *s,
    const ngx_media_stream_view_t *view)
{
    uint64_t                       head;
    ngx_uint_t                     i, k, n;
    const char                    *wrong;
    const ngx_media_track_view_t  *t, *of;
    const ngx_media_track_shm_t   *track;

    head = 0;

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i] && s->tracks[i]->publisher < NGX_MEDIA_DERIVED_ID) {
            head = ngx_max(head, s->tracks[i]->segment_head);
        }
    }

    for (i = 0; i < view->ntracks; i++) {
        t = &view->tracks[i];
        track = s->tracks[ngx_media_track_place(t->index)];

        if (track == NULL || track->publisher < NGX_MEDIA_DERIVED_ID) {
            continue;
        }

        if (track->segment_head > head) {
            walk_wrong(w, "%.*s: is derived and opens segment %llu",
                       (int) t->name.len, t->name.data,
                       (unsigned long long) track->segment_head - 1);
        }

        for (k = 0; k < view->ntracks; k++) {
            of = &view->tracks[k];
            track = s->tracks[ngx_media_track_place(of->index)];

            if (t->type != NGX_MEDIA_VIDEO || of->type != NGX_MEDIA_VIDEO
                || track == NULL || track->publisher >= NGX_MEDIA_DERIVED_ID)
            {
                continue;
            }

            for (n = 0; n < t->nsegments; n++) {

                if (t->segments[n].gap || t->segments[n].open) {
                    continue;
                }

                w->derived++;
                wrong = media_fake_segment(t, &t->segments[n], of);

                if (wrong) {
                    walk_wrong(w, "%.*s: segment %llu %s than %.*s",
                               (int) t->name.len, t->name.data,
                               (unsigned long long) t->segments[n].number,
                               wrong, (int) of->name.len, of->name.data);
                }
            }
        }
    }
}


static inline void
walk_stream(walk_t *w, ngx_media_stream_shm_t *s)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_pool_t              *pool;
    ngx_media_stream_t       stream;
    ngx_media_stream_view_t  view;

    stream.zone = w->zone;
    stream.sh = s;
    stream.id = ngx_media_load(&s->id);

    if (stream.id == 0) {
        return;
    }

    ngx_media_stream_lock(w->zone, s);

    if (ngx_media_stream_validate_locked(w->zone, s)) {
        walk_wrong(w, "books of a stream");
    }

    ngx_media_stream_unlock(s);

    pool = ngx_create_pool(4096, &ngx_stub_log);
    if (pool == NULL) {
        return;
    }

    rc = ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view);

    if (rc == NGX_OK) {
        for (i = 0; i < view.ntracks; i++) {
            walk_list(w, &stream, &view.tracks[i]);
        }

        walk_derived(w, s, &view);
        walk_texts(w, pool, &view);

    } else if (rc != NGX_ERROR || !(w->flags & WALK_NOMEM)) {
        walk_wrong(w, "view: %d", (int) rc);
    }

    ngx_destroy_pool(pool);
}


static inline void
walk_check(walk_t *w)
{
    ngx_uint_t  i;

    if (ngx_media_zone_validate(w->zone)) {
        walk_wrong(w, "books of the zone");
    }

    for (i = 0; i < w->zone->store->nstreams; i++) {
        walk_stream(w, ngx_media_stream_record(w->zone, i));
    }

    if (ngx_stub_logged[NGX_LOG_ALERT]) {
        walk_wrong(w, "an alert");
    }
}


#include "media_data.h"
#include "media_follow.h"
#include "media_shown.h"


/* what a worker's timer does */

static inline void
walk_tick(walk_t *w)
{
    ngx_stub_timers();
    ngx_media_writers_close(w->zone, NULL);
    ngx_media_writers_tick(w->zone);
    ngx_media_zone_sweep(w->zone);
    ngx_media_streams_tick(w->zone);
}


static inline void
walk_init(walk_t *w, ngx_uint_t flags)
{
    ngx_uint_t  i, keep;

    ngx_stub_timers_init();

    w->flags = flags;
    w->now = 1800000000000 + (int64_t) walk_random(w, 250);

    ngx_memzero(ngx_stub_logged, sizeof(ngx_stub_logged));
    ngx_stub_clock(w->now);

    media_app_init(&w->app, (8 << walk_random(w, 3)) * 1024 * 1024
                            + walk_random(w, 256) * 65536, WALK_STREAMS);

    w->app.window = 8000 + walk_random(w, 3) * 16000;
    w->app.track_wait = 1000;

    if (walk_chance(w, 4)) {
        w->app.part = 0;
        w->app.part_target = 0;
    }

    w->zone = media_zone_create(&w->app);

    if (flags & WALK_FOLLOW) {
        walk_follow_init();
    }

    walk_data_init();

    if (flags & WALK_BLOCKS) {

        /* a neighbour has taken them */

        keep = 20 + walk_random(w, 200);

        for (i = w->zone->sh->nblocks; i > keep; i--) {
            (void) ngx_media_block_alloc(w->zone, WALK_STREAMS - 1);
        }
    }

    ngx_stub_fail = flags & WALK_NOMEM ? 200 : 0;
}


/* all leave, and nothing is left */

static inline void
walk_finish(walk_t *w)
{
    ngx_uint_t  i;

    for (i = 0; i < WALK_PUBS; i++) {
        if (w->pubs[i].publisher) {
            walk_end(&w->pubs[i]);
        }
    }

    walk_check(w);

    if (w->flags & WALK_FOLLOW) {
        walk_follow_finish();
    }

    ngx_stub_fail = 0;

    for (i = 0; i < 3; i++) {
        w->now += w->app.grace + w->app.window + 1000;
        ngx_stub_clock(w->now);
        walk_tick(w);
    }

    for (i = 0; i < WALK_FAKES; i++) {
        if (w->fakes[i].derived) {
            walk_wrong(w, "a derived track is left");
        }
    }

    ngx_media_block_free_all(w->zone, WALK_STREAMS - 1);

    if (w->zone->sh->pages) {
        walk_wrong(w, "%llu pages are left",
                   (unsigned long long) w->zone->sh->pages);
    }

    for (i = 0; i < w->zone->sh->nblocks; i++) {
        if (w->zone->sh->owners[i]) {
            walk_wrong(w, "block %d is left", (int) i);
        }
    }

    ngx_media_zone_detach(w->zone);
    media_zone_destroy(w->zone);
}


/* steps until something is wrong, data is used up, or that many are done */

static inline void
walk(walk_t *w, ngx_uint_t flags, ngx_uint_t steps, ngx_uint_t check)
{
    ngx_uint_t  i;

    walk_init(w, flags);

    for (i = 1; i <= steps && !w->over && w->wrong[0] == '\0'; i++) {
        walk_step_all(w);

        if (w->flags & WALK_FOLLOW) {
            walk_follow_step(w);
        }

        if (i % 100 == 0) {
            walk_tick(w);
        }

        if (w->flags & WALK_DATA) {
            walk_data_step(w);
        }

        if (i % check == 0) {
            walk_check(w);
            walk_data_check(w);
        }
    }

    walk_finish(w);
}


#endif /* _MEDIA_WALK_H_INCLUDED_ */
