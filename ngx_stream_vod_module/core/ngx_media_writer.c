
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The clock track decides the cuts; each cut has a number, and every track
 * goes over to it before its first frame that is not earlier than the cut.
 * Tracks may lag: the last cuts are kept in a ring.
 *
 * A part is closed as its last frame arrives while the cadence is locked,
 * otherwise with the frame that comes after it (timing.md, 1 and 7).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_segmenter.h"
#include "core/ngx_media_timeline.h"
#include "core/ngx_media_writer.h"
#include "formats/ngx_media_mp4_write.h"


#define NGX_MEDIA_PART_SAMPLES    256
#define NGX_MEDIA_CUTS            32          /* that a track may lag behind */
#define NGX_MEDIA_PART_BYTES      (16 * 1024 * 1024)

/* without "part", segments still consist of chunks, of this target */
#define NGX_MEDIA_CHUNK_TARGET    10000       /* 1/10000 s */


/* where a segment starts, in all tracks */

typedef struct {
    uint64_t                  number;
    int64_t                   time;           /* in clock's timescale */
    uint32_t                  timescale;
    int64_t                   anchor;         /* ms: wall - media */
    uint64_t                  period;
    int64_t                   period_time;    /* in period_timescale */
    uint32_t                  period_timescale;
    int64_t                   period_wall;    /* ms */
    unsigned                  discontinuity:1;
    unsigned                  anchored:1;
    unsigned                  forced:1;
    unsigned                  runs:1;         /* the period has forced cuts */
    unsigned                  joined:1;       /* a track begins here */
} ngx_media_cut_t;


typedef struct {
    ngx_uint_t                index;          /* of the stream's track */
    ngx_uint_t                id;             /* the publisher's number */
    const ngx_media_codec_t  *codec;
    ngx_media_line_t         *line;
    ngx_media_params_t        params;
    ngx_media_params_t        next_params;    /* from the next cut on */
    uint64_t                  init;
    uint64_t                  bandwidth;      /* of this period */
    uint64_t                  bytes;          /* published */
    uint64_t                  ticks;

    /* the segment */
    ngx_media_segment_t       segment;
    uint64_t                  segment_bytes;
    uint64_t                  segment_ticks;
    uint64_t                  number;         /* cut that it belongs to */
    ngx_uint_t                nparts;

    /* the open part */
    int64_t                   time;           /* dts of its first sample */
    int64_t                   dts;            /* of its last */
    uint64_t                  duration;       /* of all but the last */
    int64_t                   key_time;       /* pts of the last one */
    size_t                    size;           /* payload, bytes */
    size_t                    alloc;
    u_char                   *data;
    ngx_uint_t                nsamples;
    ngx_media_sample_t        samples[NGX_MEDIA_PART_SAMPLES];

    ngx_media_track_count_t   count;
    uint32_t                  fps;

    unsigned                  changed:1;      /* next_params are set */
    unsigned                  open:1;         /* a segment is */
    unsigned                  independent:1;  /* the part has a key frame */
    unsigned                  fed:1;          /* silence for want of a track */
    unsigned                  listed:1;       /* a part was published */
    unsigned                  joining:1;      /* it waits for a cut */
} ngx_media_writer_track_t;


struct ngx_media_writer_s {
    ngx_queue_t               queue;          /* of zone->publishers */
    void                    (*close)(void *data, const char *reason);
    void                     *data;
    ngx_media_app_t          *app;
    ngx_media_claim_t         claim;
    ngx_log_t                *log;
    ngx_media_announce_t      announce;
    uint32_t                  target;         /* of parts, 1/10000 s */

    ngx_uint_t                ntracks;
    ngx_media_writer_track_t *tracks[NGX_MEDIA_TIMELINE_LINES];
    ngx_media_writer_track_t *clock;

    ngx_uint_t                ncuts;
    ngx_media_cut_t           cuts[NGX_MEDIA_CUTS];
    ngx_media_cut_t           cut;            /* the newest */

    uint32_t                  jumps;
    int64_t                   anchor;
    int64_t                   began;          /* first frame out, ms of media
                                                 time; 0: none yet */
    ngx_media_timeline_t      timeline;
    ngx_media_segmenter_t     segmenter;

    unsigned                  announced:1;
    unsigned                  ready:1;
    unsigned                  lost:1;         /* the claim */
    unsigned                  late:1;         /* warned of forced cuts */
    unsigned                  nomem:1;        /* warned of no memory */
};


/* downwards; in two steps: times of the unix epoch would overflow */

static ngx_inline int64_t
ngx_media_rescale(int64_t time, uint32_t from, uint32_t to)
{
    return time / (int64_t) from * to + time % (int64_t) from * to / from;
}


/* has a track come to the cut, with a frame at this time of its own */

static ngx_inline ngx_uint_t
ngx_media_cut_reached(const ngx_media_cut_t *cut,
    const ngx_media_writer_track_t *t, int64_t time)
{
    int64_t  a, b;

    /* time / timescale >= cut, without overflow: seconds first */

    a = time / (int64_t) t->params.timescale;
    b = cut->time / (int64_t) cut->timescale;

    if (a != b) {
        return a > b;
    }

    return time % (int64_t) t->params.timescale * cut->timescale
           >= cut->time % (int64_t) cut->timescale * t->params.timescale;
}


static ngx_media_writer_track_t *ngx_media_writer_track_get(
    ngx_media_writer_t *w, ngx_media_type_e type, ngx_uint_t id);
static ngx_int_t ngx_media_writer_track_add(ngx_media_writer_t *w,
    ngx_uint_t id, const ngx_media_params_t *params,
    ngx_media_writer_track_t **track);
static ngx_int_t ngx_media_writer_track_change(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_params_t *params);
static ngx_int_t ngx_media_writer_apply(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static uint32_t ngx_media_writer_frame_duration(ngx_media_writer_t *w,
    const ngx_media_params_t *params);

static void ngx_media_writer_break(ngx_media_writer_t *w);
static void ngx_media_writer_period(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time);
static void ngx_media_writer_clock(ngx_media_writer_t *w);
static void ngx_media_writer_cut(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t time, ngx_uint_t forced,
    ngx_uint_t discontinuity);
static void ngx_media_writer_runs(ngx_media_writer_t *w);
static void ngx_media_writer_set_period(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static void ngx_media_writer_silence(ngx_media_writer_t *w);
static void ngx_media_writer_silent(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t dts, ngx_uint_t n);
static void ngx_media_writer_ready(ngx_media_writer_t *w, int64_t now);
static void ngx_media_writer_stand_in(ngx_media_writer_t *w);

static void ngx_media_writer_sample(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame, ngx_uint_t period);
static void ngx_media_writer_clock_sample(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);
static ngx_uint_t ngx_media_writer_waits(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time);
static void ngx_media_writer_substitute(ngx_media_writer_track_t *t,
    ngx_media_writer_frame_t *frame);
static void ngx_media_writer_settle(ngx_media_writer_track_t *t,
    int64_t dts);
static void ngx_media_writer_follow(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);
static void ngx_media_writer_segment(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t time,
    const ngx_media_writer_frame_t *frame);
static ngx_int_t ngx_media_writer_append(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);
static void ngx_media_writer_flush(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static void ngx_media_writer_expect(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_part_put_t *put);
static void ngx_media_writer_close(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static void ngx_media_writer_bandwidth(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);


ngx_media_writer_t *
ngx_media_writer_create(ngx_media_app_t *app, const ngx_media_claim_t *claim,
    uint32_t timebase, uint32_t wrap, ngx_log_t *log)
{
    ngx_media_writer_t         *w;
    ngx_media_timeline_conf_t   conf;

    w = ngx_calloc(sizeof(ngx_media_writer_t), log);
    if (w == NULL) {
        return NULL;
    }

    w->app = app;
    w->claim = *claim;
    w->log = log;

    w->target = claim->stream.sh->part_target;

    if (w->target == 0) {
        w->target = NGX_MEDIA_CHUNK_TARGET;
    }

    conf.timebase = timebase;
    conf.wrap = wrap;
    conf.floor = claim->floor;
    conf.wait = app->track_wait;

    ngx_media_timeline_init(&w->timeline, &conf);

    ngx_queue_insert_tail(&claim->stream.zone->publishers, &w->queue);

    return w;
}


void
ngx_media_writer_watch(ngx_media_writer_t *w,
    void (*close)(void *data, const char *reason), void *data)
{
    w->close = close;
    w->data = data;
}


void
ngx_media_writers_close(ngx_media_zone_t *zone, const char *reason)
{
    ngx_queue_t         *q, *next;
    ngx_media_writer_t  *w;

    for (q = ngx_queue_head(&zone->publishers);
         q != ngx_queue_sentinel(&zone->publishers);
         q = next)
    {
        next = ngx_queue_next(q);
        w = ngx_queue_data(q, ngx_media_writer_t, queue);

        if (ngx_exiting) {
            ngx_media_stream_yield(&w->claim);
        }

        if (w->close == NULL) {
            continue;
        }

        if (reason) {
            w->close(w->data, reason);

        } else if (!ngx_media_claim_valid(&w->claim)) {
            w->close(w->data, "another publisher took the stream over");
        }
    }
}


/* the worker exits: their connections are gone with it */

void
ngx_media_writers_exit(ngx_media_zone_t *zone)
{
    ngx_queue_t         *q;
    ngx_media_writer_t  *w;

    for (q = ngx_queue_head(&zone->publishers);
         q != ngx_queue_sentinel(&zone->publishers);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_media_writer_t, queue);

        w->log = zone->log;

        ngx_media_writer_break(w);
        ngx_media_stream_release(&w->claim, "its worker exited");
    }
}


void
ngx_media_writer_destroy(ngx_media_writer_t *w, const char *reason)
{
    ngx_uint_t  i;

    ngx_queue_remove(&w->queue);

    ngx_media_writer_break(w);
    ngx_media_stream_release(&w->claim, reason);

    for (i = 0; i < w->ntracks; i++) {
        ngx_free(w->tracks[i]->data);
        ngx_free(w->tracks[i]);
    }

    ngx_free(w);
}


const ngx_media_claim_t *
ngx_media_writer_claim(const ngx_media_writer_t *w)
{
    return &w->claim;
}


void
ngx_media_writer_announce(ngx_media_writer_t *w,
    const ngx_media_announce_t *announce)
{
    w->announce = *announce;
    w->announced = announce->video || announce->audio;

    if (announce->video) {
        ngx_media_timeline_announce(&w->timeline, NGX_MEDIA_VIDEO);
    }

    if (announce->audio) {
        ngx_media_timeline_announce(&w->timeline, NGX_MEDIA_AUDIO);
    }
}


static ngx_media_writer_track_t *
ngx_media_writer_track_get(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < w->ntracks; i++) {
        if (w->tracks[i]->params.type == type && w->tracks[i]->id == id) {
            return w->tracks[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_media_writer_track(ngx_media_writer_t *w, ngx_uint_t id,
    const ngx_media_params_t *params, ngx_uint_t *track)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_media_writer_track_t  *t;

    t = ngx_media_writer_track_get(w, params->type, id);

    if (t == NULL) {
        rc = ngx_media_writer_track_add(w, id, params, &t);

    } else {
        rc = ngx_media_writer_track_change(w, t, params);
    }

    for (i = 0; i < w->ntracks; i++) {
        if (w->tracks[i] == t) {
            *track = i;
        }
    }

    return rc;
}


static ngx_int_t
ngx_media_writer_track_add(ngx_media_writer_t *w, ngx_uint_t id,
    const ngx_media_params_t *params, ngx_media_writer_track_t **track)
{
    ngx_media_writer_track_t  *t;

    if (w->ntracks == NGX_MEDIA_TIMELINE_LINES) {
        return NGX_ABORT;
    }

    t = ngx_calloc(sizeof(ngx_media_writer_track_t), w->log);
    if (t == NULL) {
        return NGX_ERROR;
    }

    t->id = id;
    t->params = *params;
    t->next_params = *params;

    t->line = ngx_media_timeline_add(&w->timeline, params->type,
                                     params->timescale,
                                     ngx_media_writer_frame_duration(w,
                                                                   params));
    if (t->line == NULL) {
        ngx_free(t);
        return NGX_ABORT;
    }

    /* playlists are out: clients cannot take it in before a cut */

    if (w->ready && w->clock) {
        t->joining = 1;
        t->number = w->cut.number;
    }

    w->tracks[w->ntracks++] = t;
    *track = t;

    return ngx_media_writer_apply(w, t);
}


/* of video, what metadata or the bitstream says; audio: exact */

static uint32_t
ngx_media_writer_frame_duration(ngx_media_writer_t *w,
    const ngx_media_params_t *params)
{
    if (params->type == NGX_MEDIA_AUDIO) {
        return params->frame_samples;
    }

    if (w->announce.frame_rate >= 1000) {
        return (uint64_t) params->timescale * 1000 / w->announce.frame_rate;
    }

    if (params->fps_num && params->fps_den) {
        return (uint64_t) params->timescale * params->fps_den
               / params->fps_num;
    }

    return 0;
}


/* repeated headers are usual and change nothing */

static ngx_int_t
ngx_media_writer_track_change(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_params_t *params)
{
    if (t->next_params.codec == params->codec
        && t->next_params.config_len == params->config_len
        && ngx_memcmp(t->next_params.config, params->config,
                      params->config_len)
           == 0)
    {
        t->fed = 0;
        return NGX_OK;
    }

    t->next_params = *params;
    t->changed = 1;
    t->fed = 0;

    if (params->timescale != t->params.timescale) {

        /* nothing of the old line goes on: a new period starts */

        ngx_log_error(NGX_LOG_INFO, w->log, 0,
                      "media parameters changed, new period, track:%ui",
                      t->index);

        ngx_media_writer_break(w);
        ngx_media_timeline_change(&w->timeline, t->line, params->timescale,
                                  ngx_media_writer_frame_duration(w, params));

        return ngx_media_writer_apply(w, t);
    }

    return t->open ? NGX_OK : ngx_media_writer_apply(w, t);
}


/* the parameters that were announced hold from here on */

static ngx_int_t
ngx_media_writer_apply(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_int_t   rc;
    ngx_uint_t  first, index;

    first = t->codec == NULL;
    index = t->index;
    t->changed = 0;

    if (t->next_params.frame_samples != t->params.frame_samples
        || t->next_params.codec != t->params.codec)
    {
        ngx_media_timeline_change(&w->timeline, t->line,
                                  t->next_params.timescale,
                                  ngx_media_writer_frame_duration(w,
                                                           &t->next_params));
    }

    t->params = t->next_params;
    t->codec = ngx_media_codec_find(t->params.codec);

    rc = ngx_media_track_add(&w->claim, &t->params, t->id, &t->index);

    if (rc == NGX_OK) {
        if (first || t->index != index) {
            t->count = ngx_media_track_record(&w->claim, t->index)->count;
            t->listed = 0;
        }

        rc = ngx_media_track_set_init(&w->claim, t->index, &t->params,
                                      &t->init);
    }

    w->lost |= rc == NGX_DECLINED;

    return rc;
}


void
ngx_media_writer_bad(ngx_media_writer_t *w, ngx_uint_t track)
{
    w->tracks[track]->count.dropped_bad++;
}


ngx_int_t
ngx_media_writer_frame(ngx_media_writer_t *w, ngx_uint_t track,
    const ngx_media_writer_frame_t *frame)
{
    uint64_t                   limit;
    ngx_media_time_t           time;
    ngx_media_stamp_t          stamp;
    ngx_media_writer_track_t  *t;

    t = w->tracks[track];

    ngx_memzero(&stamp, sizeof(ngx_media_stamp_t));

    stamp.stamp = frame->stamp;
    stamp.cts = frame->cts;
    stamp.nsec = frame->nsec;
    stamp.key = frame->key;
    stamp.arrival = ngx_media_wall_msec();

    if (t->nsamples) {
        limit = (uint64_t) w->target * t->params.timescale / 10000;
        stamp.limit = limit > t->duration ? limit - t->duration : 0;
    }

    ngx_media_timeline_frame(&w->timeline, t->line, &stamp, &time);

    if (time.note) {
        ngx_log_error(NGX_LOG_INFO, w->log, 0, "media %s, track:%ui",
                      time.note, t->index);
    }

    w->jumps += time.jump;

    if (time.broken) {
        ngx_media_writer_break(w);
    }

    if (time.drop) {
        t->count.dropped_key += w->clock == NULL;
        t->count.dropped_late += w->clock != NULL;
        return w->lost ? NGX_DECLINED : NGX_OK;
    }

    if (time.period) {
        ngx_media_writer_period(w, t, &time);
    }

    ngx_media_writer_clock(w);

    if (w->clock == NULL) {
        t->count.dropped_nomem++;
        return w->lost ? NGX_DECLINED : NGX_OK;
    }

    if (time.silent) {
        ngx_media_writer_silent(w, t,
                                time.dts - (int64_t) time.silent
                                           * t->params.frame_samples,
                                time.silent);
    }

    ngx_media_writer_sample(w, t, &time, frame, time.period);

    ngx_media_writer_silence(w);

    if (!w->ready) {
        ngx_media_writer_ready(w, time.dts * 1000
                                  / (int64_t) t->params.timescale);
    }

    return w->lost ? NGX_DECLINED : NGX_OK;
}


/* the period ends: all that is open is closed */

static void
ngx_media_writer_break(ngx_media_writer_t *w)
{
    ngx_uint_t                 i;
    ngx_media_writer_track_t  *t;

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        ngx_media_writer_flush(w, t);
        ngx_media_writer_close(w, t);
    }

    w->clock = NULL;
    w->ncuts = 0;
}


static void
ngx_media_writer_period(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time)
{
    ngx_uint_t        i;
    ngx_media_cut_t  *cut;

    ngx_media_writer_break(w);

    w->clock = t;

    ngx_media_segmenter_init(&w->segmenter, t->params.type,
                             t->params.timescale,
                             w->claim.stream.sh->segment,
                             w->claim.stream.sh->segment_max);
    ngx_media_segmenter_start(&w->segmenter, time->pts, 1);

    (void) ngx_media_timeline_anchor(&w->timeline, &w->anchor);

    for (i = 0; i < w->ntracks; i++) {
        if (w->tracks[i]->changed) {
            (void) ngx_media_writer_apply(w, w->tracks[i]);
        }

        w->tracks[i]->bandwidth = 0;
        w->tracks[i]->joining = 0;
    }

    cut = &w->cut;

    ngx_memzero(cut, sizeof(ngx_media_cut_t));

    cut->number = ngx_media_stream_number(&w->claim);
    cut->time = time->dts;
    cut->timescale = t->params.timescale;
    cut->anchor = w->anchor;
    cut->discontinuity = w->claim.returned || w->began;
    cut->period = cut->number;
    cut->period_time = time->dts;
    cut->period_timescale = t->params.timescale;
    cut->period_wall = time->dts * 1000 / (int64_t) t->params.timescale
                       + w->anchor;

    w->cuts[cut->number % NGX_MEDIA_CUTS] = *cut;
    w->ncuts = 1;

    if (w->began == 0) {
        w->began = time->dts * 1000 / (int64_t) t->params.timescale;
    }
}


/* who decides the cuts changes when video joins, or stops */

static void
ngx_media_writer_clock(ngx_media_writer_t *w)
{
    int64_t                    start;
    ngx_uint_t                 i;
    ngx_media_line_t          *line;
    ngx_media_writer_track_t  *t;

    line = ngx_media_timeline_clock(&w->timeline);

    if (w->clock == NULL || line == NULL || w->clock->line == line) {
        return;
    }

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        if (t->line != line) {
            continue;
        }

        start = ngx_media_rescale(w->cut.time, w->cut.timescale,
                                  t->params.timescale);

        ngx_media_segmenter_init(&w->segmenter, t->params.type,
                                 t->params.timescale,
                                 w->claim.stream.sh->segment,
                                 w->claim.stream.sh->segment_max);
        ngx_media_segmenter_start(&w->segmenter, start, 1);

        w->clock = t;

        if (w->ready) {
            ngx_media_stream_ready(&w->claim, t->index);
        }
    }
}


/* a new segment in all tracks, from this time of this track on */

static void
ngx_media_writer_cut(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t time, ngx_uint_t forced, ngx_uint_t discontinuity)
{
    ngx_uint_t        i;
    ngx_media_cut_t  *cut;

    cut = &w->cut;

    if (forced && !cut->runs) {
        ngx_media_writer_runs(w);
    }

    cut->number++;
    cut->time = time;
    cut->timescale = t->params.timescale;
    cut->forced = forced;
    cut->discontinuity = discontinuity;
    cut->joined = 0;

    /* what other tracks have been waiting for */

    for (i = 0; i < w->ntracks && !forced; i++) {
        cut->discontinuity |= w->tracks[i]->changed && w->tracks[i]->open;
        cut->joined |= w->tracks[i]->joining;
    }

    cut->anchored = !forced
                    && ngx_media_timeline_anchor(&w->timeline, &w->anchor);
    cut->anchor = w->anchor;

    if (cut->anchored || cut->discontinuity || cut->joined) {
        cut->period = cut->number;
        cut->period_time = time;
        cut->period_timescale = t->params.timescale;
        cut->period_wall = time * 1000 / (int64_t) t->params.timescale
                           + w->anchor;

        ngx_log_error(NGX_LOG_INFO, w->log, 0,
                      "media %s at segment %uL",
                      cut->discontinuity ? "parameters changed"
                      : cut->joined ? "track joins"
                      : "wall clock was set anew",
                      cut->number);
    }

    w->cuts[cut->number % NGX_MEDIA_CUTS] = *cut;

    if (w->ncuts < NGX_MEDIA_CUTS) {
        w->ncuts++;
    }

    if (forced) {
        t->count.forced_cuts++;

        if (!w->late) {
            w->late = 1;
            ngx_log_error(NGX_LOG_WARN, w->log, 0,
                          "media key frames are farther apart than "
                          "\"segment\" allows, segments without a key frame: "
                          "set the encoder's key frame interval to %Mms",
                          (ngx_msec_t) w->claim.stream.sh->segment);
        }
    }
}


/*
 * The segment that ends now, by force, is the first one of a period whose
 * segments DASH addresses by time, since not all of them start at a key frame
 * (timing.md, 4).  No track has closed it yet.
 */

static void
ngx_media_writer_runs(ngx_media_writer_t *w)
{
    ngx_media_cut_t  *cut;

    cut = &w->cut;

    cut->runs = 1;
    cut->period = cut->number;
    cut->period_time = cut->time;
    cut->period_timescale = cut->timescale;
    cut->period_wall = cut->time * 1000 / (int64_t) cut->timescale
                       + cut->anchor;

    w->cuts[cut->number % NGX_MEDIA_CUTS] = *cut;
}


static void
ngx_media_writer_set_period(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t)
{
    ngx_media_cut_t      *cut;
    ngx_media_segment_t  *segment;

    cut = &w->cuts[t->number % NGX_MEDIA_CUTS];
    segment = &t->segment;

    segment->runs = cut->runs;
    segment->period = cut->period;
    segment->period_wall = cut->period_wall;
    segment->period_time = ngx_media_rescale(cut->period_time,
                                             cut->period_timescale,
                                             t->params.timescale);
}


/* audio must never have a hole: it is fed up to where the others are */

static void
ngx_media_writer_silence(ngx_media_writer_t *w)
{
    int64_t                    dts;
    ngx_uint_t                 i, n;
    ngx_media_writer_track_t  *t;

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        if (t->params.type == NGX_MEDIA_AUDIO) {
            n = ngx_media_timeline_silence(&w->timeline, t->line, &dts);
            ngx_media_writer_silent(w, t, dts, n);
        }
    }
}


static void
ngx_media_writer_silent(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t dts, ngx_uint_t n)
{
    ngx_media_time_t          time;
    ngx_media_writer_frame_t  frame;

    if (n == 0) {
        return;
    }

    ngx_memzero(&time, sizeof(ngx_media_time_t));
    ngx_memzero(&frame, sizeof(ngx_media_writer_frame_t));

    frame.key = 1;

    time.duration = t->params.frame_samples;
    time.locked = 1;

    while (n--) {
        time.dts = dts;
        time.pts = dts;

        ngx_media_writer_substitute(t, &frame);

        t->count.silent++;

        ngx_media_writer_sample(w, t, &time, &frame, 0);

        dts += t->params.frame_samples;
    }
}


/*
 * Tracks are known when all that was announced, or else one of each, has its
 * header; or when track_wait has passed (timing.md, 2).
 */

static void
ngx_media_writer_ready(ngx_media_writer_t *w, int64_t now)
{
    ngx_uint_t                 i, video, audio, waited;
    ngx_media_writer_track_t  *t;

    video = ngx_media_writer_track_get(w, NGX_MEDIA_VIDEO, 0) != NULL;
    audio = ngx_media_writer_track_get(w, NGX_MEDIA_AUDIO, 0) != NULL;

    waited = now - w->began >= (int64_t) w->app->track_wait;

    if (!waited
        && (w->announced ? (w->announce.video && !video)
                           || (w->announce.audio && !audio)
                         : !(video && audio)))
    {
        return;
    }

    if (!audio && w->announce.audio) {
        ngx_media_writer_stand_in(w);
    }

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        ngx_media_writer_bandwidth(w, t);

        if (t->bandwidth == 0 && t->listed) {
            return;
        }

        if (!t->listed && !waited) {
            return;
        }
    }

    w->ready = 1;

    ngx_media_stream_ready(&w->claim, w->clock->index);
}


/* audio was announced and has not come: silence, until it does */

static void
ngx_media_writer_stand_in(ngx_media_writer_t *w)
{
    ngx_media_params_t         params;
    ngx_media_writer_track_t  *t;

    if (ngx_media_aac_params(&params,
                             w->announce.sample_rate ? w->announce.sample_rate
                                                     : 44100,
                             w->announce.channels ? w->announce.channels : 2)
        != NGX_OK)
    {
        return;
    }

    if (ngx_media_writer_track_add(w, 0, &params, &t) == NGX_OK) {
        t->fed = 1;

        ngx_log_error(NGX_LOG_INFO, w->log, 0,
                      "media audio was announced and has not come, "
                      "silence stands in for it");
    }
}


static void
ngx_media_writer_sample(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame,
    ngx_uint_t period)
{
    const u_char              *silent;
    ngx_media_writer_frame_t   copy;

    ngx_media_writer_settle(t, time->dts);

    if (t == w->clock) {
        if (!period) {
            ngx_media_writer_clock_sample(w, t, time, frame);
        }

    } else if ((t->changed || t->joining)
               && ngx_media_writer_waits(w, t, time))
    {
        if (t->joining || t->params.type != NGX_MEDIA_AUDIO) {
            t->count.dropped_key++;
            return;
        }

        /* audio may have no hole: what went before goes on, silent */

        silent = frame->pos;
        copy = *frame;
        frame = &copy;

        ngx_media_writer_substitute(t, &copy);

        t->count.silent += copy.pos != silent;
    }

    ngx_media_writer_follow(w, t, time, frame);

    if (ngx_media_writer_append(w, t, time, frame) != NGX_OK) {
        t->count.dropped_bad++;
    }
}


/* does a segment start with this frame? */

static void
ngx_media_writer_clock_sample(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame)
{
    ngx_uint_t  change, cut;

    cut = ngx_media_segmenter_frame(&w->segmenter,
                                    frame->key ? time->pts : time->dts,
                                    time->duration, frame->key);

    change = t->changed && frame->key;

    if ((change || t->joining) && cut == NGX_MEDIA_CUT_NONE) {
        ngx_media_segmenter_start(&w->segmenter, time->pts, t->joining);
    }

    if (change || t->joining || cut != NGX_MEDIA_CUT_NONE) {
        ngx_media_writer_cut(w, t, time->dts, cut == NGX_MEDIA_CUT_FORCED,
                             change);
    }

    t->joining = 0;

    if (change) {
        ngx_media_writer_flush(w, t);
        ngx_media_writer_close(w, t);
        (void) ngx_media_writer_apply(w, t);
    }
}


/*
 * New parameters, and tracks that come later than the playlists, need a cut
 * that all tracks take part in: the clock track makes one at its next key
 * frame.  Has this track come to it?
 */

static ngx_uint_t
ngx_media_writer_waits(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time)
{
    uint64_t          number, oldest;
    ngx_media_cut_t  *cut;

    oldest = w->cut.number + 1 - w->ncuts;

    for (number = ngx_max(t->number + 1, oldest);
         number <= w->cut.number;
         number++)
    {
        cut = &w->cuts[number % NGX_MEDIA_CUTS];

        if (!ngx_media_cut_reached(cut, t, time->pts)) {
            break;
        }

        if (t->joining ? cut->joined : cut->discontinuity) {
            t->joining = 0;

            if (t->changed) {
                ngx_media_writer_flush(w, t);
                ngx_media_writer_close(w, t);
                (void) ngx_media_writer_apply(w, t);
            }

            return 0;
        }
    }

    return 1;
}


static void
ngx_media_writer_substitute(ngx_media_writer_track_t *t,
    ngx_media_writer_frame_t *frame)
{
    ngx_media_span_t  span;

    frame->pos = NULL;
    frame->last = NULL;

    /* no silence is known for it: empty frames keep the line going */

    if (t->codec->silence
        && t->codec->silence(&t->params, &span) == NGX_OK)
    {
        frame->pos = span.pos;
        frame->last = span.last;
    }
}


/* the last sample lasts until this one */

static void
ngx_media_writer_settle(ngx_media_writer_track_t *t, int64_t dts)
{
    ngx_media_sample_t  *sample;

    if (t->nsamples) {
        sample = &t->samples[t->nsamples - 1];
        sample->duration = dts - t->dts;
        t->duration += sample->duration;
    }
}


/* goes over to the segment that this frame belongs to */

static void
ngx_media_writer_follow(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    uint64_t          number, oldest;
    ngx_media_cut_t  *cut;

    oldest = w->cut.number + 1 - w->ncuts;

    if (!t->open) {

        /* the newest cut that is not after this frame, else the oldest */

        for (number = w->cut.number; number > oldest; number--) {
            cut = &w->cuts[number % NGX_MEDIA_CUTS];

            if (ngx_media_cut_reached(cut, t, time->dts)) {
                break;
            }
        }

        t->number = ngx_max(number, t->number + 1);
        t->number = ngx_min(t->number, w->cut.number);

        ngx_media_writer_segment(w, t, time->dts, frame);
        return;
    }

    while (t->number < w->cut.number) {
        number = ngx_max(t->number + 1, oldest);
        cut = &w->cuts[number % NGX_MEDIA_CUTS];

        if (t != w->clock && !ngx_media_cut_reached(cut, t, time->pts)) {
            return;
        }

        ngx_media_writer_flush(w, t);
        ngx_media_writer_close(w, t);

        t->number = number;

        ngx_media_writer_segment(w, t, time->dts, frame);
    }
}


static void
ngx_media_writer_segment(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t time, const ngx_media_writer_frame_t *frame)
{
    ngx_media_cut_t      *cut;
    ngx_media_segment_t  *segment;

    cut = &w->cuts[t->number % NGX_MEDIA_CUTS];
    segment = &t->segment;

    ngx_memzero(segment, sizeof(ngx_media_segment_t));

    segment->number = cut->number;
    segment->time = time;
    segment->wall = time * 1000 / (int64_t) t->params.timescale + cut->anchor;
    segment->init = t->init;
    segment->discontinuity = cut->discontinuity;
    segment->anchored = cut->anchored;
    segment->leading = frame->leading;
    segment->forced = t->params.type == NGX_MEDIA_VIDEO && !frame->key;

    ngx_media_writer_set_period(w, t);

    if (cut->discontinuity || cut->anchored || cut->joined
        || t->bandwidth == 0)
    {
        ngx_media_writer_bandwidth(w, t);
    }

    segment->bandwidth = t->bandwidth;

    t->segment_bytes = 0;
    t->segment_ticks = 0;
    t->nparts = 0;
    t->open = 1;
}


static ngx_int_t
ngx_media_writer_append(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    const ngx_media_time_t *time, const ngx_media_writer_frame_t *frame)
{
    size_t               len, alloc;
    u_char              *p;
    ngx_media_sample_t  *sample;

    len = frame->last - frame->pos;

    if (len > NGX_MEDIA_PART_BYTES) {
        return NGX_DECLINED;
    }

    if (t->nsamples
        && (t->nsamples == NGX_MEDIA_PART_SAMPLES
            || t->size + len > NGX_MEDIA_PART_BYTES
            || !ngx_media_part_fits(w->target, t->params.timescale,
                                    t->duration, time->duration)))
    {
        t->count.parts_late++;
        ngx_media_writer_flush(w, t);
    }

    if (t->size + len > t->alloc) {
        alloc = ngx_max(t->size + len, t->alloc * 2);
        alloc = ngx_max(alloc, 4096);

        p = ngx_alloc(alloc, w->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (t->size) {
            ngx_memcpy(p, t->data, t->size);
        }

        if (t->data) {
            ngx_free(t->data);
        }

        t->data = p;
        t->alloc = alloc;
    }

    if (t->nsamples == 0) {
        t->time = time->dts;
        t->duration = 0;
        t->independent = 0;
    }

    sample = &t->samples[t->nsamples++];

    sample->size = len;
    sample->duration = time->duration;
    sample->cto = time->pts - time->dts;
    sample->key = frame->key;

    if (len) {
        ngx_memcpy(t->data + t->size, frame->pos, len);
        t->size += len;
    }

    t->dts = time->dts;
    t->independent |= frame->key;
    t->count.frames++;
    t->count.bytes += len;
    t->fps = time->duration ? (uint64_t) t->params.timescale * 1000
                              / time->duration : 0;

    if (frame->key && t->params.type == NGX_MEDIA_VIDEO) {
        if (t->count.keys++) {
            t->count.key_msec = (time->pts - t->key_time) * 1000
                                / (int64_t) t->params.timescale;
            t->count.key_msec_max = ngx_max(t->count.key_msec_max,
                                            t->count.key_msec);
        }

        t->key_time = time->pts;
    }

    if (time->locked
        && !ngx_media_part_fits(w->target, t->params.timescale, t->duration,
                                (uint64_t) time->duration * 2))
    {
        ngx_media_timeline_fix(t->line, time->duration);
        ngx_media_writer_flush(w, t);
    }

    return NGX_OK;
}


/*
 * Closes the open part.  Its last sample has the duration that it was given:
 * either it was settled by the next one, or the line goes on from there.
 */

static void
ngx_media_writer_flush(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    u_char                 head[ngx_media_mp4_chunk_max(
                                                  NGX_MEDIA_PART_SAMPLES)];
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_media_part_put_t   put;
    ngx_media_mp4_chunk_t  chunk;

    if (t->nsamples == 0) {
        return;
    }

    ngx_memzero(&put, sizeof(ngx_media_part_put_t));

    for (i = 0; i < t->nsamples; i++) {
        put.duration += t->samples[i].duration;
    }

    chunk.samples = t->samples;
    chunk.nsamples = t->nsamples;
    chunk.decode_time = t->time;
    chunk.sequence = (uint32_t) (t->segment.number * 1024 + t->nparts);
    chunk.type = t->params.type;
    chunk.styp = t->nparts == 0;

    put.data[0].data = head;
    put.data[0].len = ngx_media_mp4_write_chunk(head, &chunk);
    put.data[1].data = t->data;
    put.data[1].len = t->size;
    put.segment = &t->segment;
    put.part = t->nparts;
    put.independent = t->independent;

    if (t->nparts == 0 && t->samples[0].key) {
        put.key_size = put.data[0].len + t->samples[0].size;
    }

    put.count = &t->count;
    put.fps = t->fps;
    put.drift = ngx_media_timeline_drift(&w->timeline);
    put.jumps = w->jumps;

    if (!ngx_media_part_fits(w->target, t->params.timescale, put.duration,
                             0))
    {
        t->count.parts_over++;
        put.parts_off = !t->listed;
    }

    ngx_media_writer_expect(w, t, &put);

    t->nsamples = 0;
    t->size = 0;
    t->duration = 0;

    rc = ngx_media_part_put(&w->claim, t->index, &put);

    switch (rc) {

    case NGX_OK:
        w->jumps = 0;
        t->nparts++;
        t->listed = 1;
        t->segment_bytes += put.data[0].len + put.data[1].len;
        t->segment_ticks += put.duration;
        t->bytes += put.data[0].len + put.data[1].len;
        t->ticks += put.duration;
        break;

    case NGX_DECLINED:
        w->lost = 1;
        break;

    default: /* NGX_ABORT */

        /* a hole is not allowed: the period ends here */

        t->count.dropped_nomem += chunk.nsamples;
        ngx_media_timeline_break(&w->timeline);

        if (!w->nomem) {
            w->nomem = 1;
            ngx_log_error(NGX_LOG_WARN, w->log, 0,
                          "media zone \"%V\" is too small, parts are lost: "
                          "make \"zone\" larger or \"window\" shorter",
                          &w->app->name);
        }
    }
}


/* where the next part of this track will probably go: for the hint */

static void
ngx_media_writer_expect(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_media_part_put_t *put)
{
    int64_t     next, key;
    ngx_uint_t  cut;

    next = t->time + put->duration;

    if (w->clock == NULL) {
        cut = 0;

    } else if (t->number < w->cut.number) {
        cut = ngx_media_cut_reached(&w->cuts[(t->number + 1)
                                             % NGX_MEDIA_CUTS],
                                    t, next);

    } else if (t == w->clock) {
        cut = ngx_media_segmenter_expects(&w->segmenter, next);

    } else {
        key = w->segmenter.key + w->segmenter.gap;
        cut = ngx_media_segmenter_expects(&w->segmenter, key)
              && ngx_media_rescale(next, t->params.timescale,
                                   w->clock->params.timescale)
                 >= key;
    }

    put->expect_number = t->segment.number + cut;
    put->expect_part = cut ? 0 : t->nparts + 1;
}


static void
ngx_media_writer_close(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    uint64_t          rate;
    ngx_media_cut_t  *cut;

    if (!t->open) {
        return;
    }

    t->open = 0;

    if (t->nparts == 0) {
        return;
    }

    cut = &w->cuts[t->number % NGX_MEDIA_CUTS];

    if (cut->number == t->number && cut->runs && !t->segment.runs) {
        ngx_media_writer_set_period(w, t);
        ngx_media_segment_runs(&w->claim, t->index, &t->segment);
    }

    if (ngx_media_segment_close(&w->claim, t->index) != NGX_OK) {
        w->lost = 1;
        return;
    }

    if (w->ready && t->segment_ticks) {
        rate = t->segment_bytes * 8 * t->params.timescale / t->segment_ticks;
        ngx_media_track_bandwidth(&w->claim, t->index, rate);
    }
}


/* the first value lives for hours (timing.md, 12) */

static void
ngx_media_writer_bandwidth(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t)
{
    uint64_t                rate, said;
    ngx_media_track_shm_t  *record;

    said = t->params.type == NGX_MEDIA_VIDEO ? w->announce.video_rate
                                             : w->announce.audio_rate;
    rate = said + said / 10;

    if (t->ticks >= (uint64_t) w->claim.stream.sh->segment
                    * t->params.timescale / 1000)
    {
        rate = ngx_max(rate, t->bytes * 8 * t->params.timescale / t->ticks);

    } else if (rate == 0 && w->app->max_bitrate) {
        rate = w->app->max_bitrate;

    } else if (rate == 0 && t->ticks >= t->params.timescale) {
        rate = t->bytes * 10 * t->params.timescale / t->ticks;
    }

    if (rate == 0) {
        return;
    }

    ngx_media_track_bandwidth(&w->claim, t->index, rate);

    if (ngx_media_claim_valid(&w->claim)) {
        record = ngx_media_track_record(&w->claim, t->index);
        t->bandwidth = ngx_media_peek(&record->bandwidth);
    }
}
