
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Where the frames of a followed stream come from:
 *
 *     parts of the arena, from the last key frame on     | the tail, frame by
 *     (what was published before anybody followed it)    | frame
 *
 * A track is attached to the tail as soon as the tail has what comes after its
 * last part, or, if it has none yet, all that is not before the first picture:
 * the first one who follows a stream waits for the open part to be put, nobody
 * does later.  Where the tail has not got a frame (it is too large,
 * or was overtaken, or there is no memory for it) the track is detached and
 * its parts are read again.  Times tell what has been given already.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_cut.h"
#include "core/ngx_media_follow_state.h"
#include "formats/ngx_media_mp4_chunk.h"


/* ms that starting lasts at most, above two parts */
#define NGX_MEDIA_FOLLOW_PATIENCE  500

/* without "part", segments consist of chunks of a second */
#define NGX_MEDIA_FOLLOW_CHUNK     10000      /* 1/10000 s */

/* steps back in search of a key frame; frames of one turn */
#define NGX_MEDIA_FOLLOW_STEPS     2048
#define NGX_MEDIA_FOLLOW_TURN      256


static void ngx_media_follow_begins(ngx_media_follow_reader_t *reader,
    ngx_uint_t state);
static ngx_int_t ngx_media_follow_tracks(ngx_media_follow_reader_t *reader);
static void ngx_media_follow_place(ngx_media_follow_reader_t *reader);
static ngx_int_t ngx_media_follow_place_key(
    ngx_media_follow_reader_t *reader, ngx_media_follow_track_t *t);
static void ngx_media_follow_place_after(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t);
static void ngx_media_follow_parts(ngx_media_follow_reader_t *reader);
static void ngx_media_follow_track_parts(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t);
static ngx_int_t ngx_media_follow_part(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t);
static ngx_int_t ngx_media_follow_chunk(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t, const ngx_media_part_t *part);
static ngx_int_t ngx_media_follow_list(ngx_media_follow_reader_t *reader,
    ngx_media_frame_t *frame);
static void ngx_media_follow_give_list(ngx_media_follow_reader_t *reader);
static int ngx_libc_cdecl ngx_media_follow_cmp(const void *one,
    const void *two);
static ngx_uint_t ngx_media_follow_attach(ngx_media_follow_reader_t *reader);
static ngx_uint_t ngx_media_follow_scan(ngx_media_follow_reader_t *reader,
    ngx_media_tail_frame_t *firsts, uint32_t *holes);
static ngx_uint_t ngx_media_follow_behind(ngx_media_follow_reader_t *reader,
    const ngx_media_tail_frame_t *firsts, uint32_t whole, ngx_uint_t place);
static ngx_uint_t ngx_media_follow_continues(
    const ngx_media_follow_track_t *t, const ngx_media_tail_frame_t *in);
static ngx_int_t ngx_media_follow_tail(ngx_media_follow_reader_t *reader);
static ngx_int_t ngx_media_follow_tail_frame(
    ngx_media_follow_reader_t *reader, const ngx_media_tail_frame_t *in);
static void ngx_media_follow_detach(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t);
static ngx_media_follow_track_t *ngx_media_follow_track(
    ngx_media_follow_reader_t *reader, ngx_uint_t track, ngx_uint_t type);
static ngx_int_t ngx_media_follow_params(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t, uint64_t init);
static void ngx_media_follow_out(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t, ngx_media_frame_t *frame);


ngx_int_t
ngx_media_follow_read(ngx_media_follow_reader_t *reader)
{
    ngx_uint_t  state;

    state = ngx_media_stream_state(&reader->stream);

    if (state == 0) {
        return NGX_DONE;
    }

    if (reader->stale) {
        reader->stale = 0;
        (void) ngx_media_follow_tracks(reader);
    }

    if (reader->starting) {
        ngx_media_follow_begins(reader, state);
    }

    if (!reader->starting && ngx_media_follow_tail(reader) == NGX_DECLINED) {

        /* there is no ring: all of it comes in parts */

        if (ngx_media_follow_tracks(reader) == NGX_OK) {
            ngx_media_follow_place(reader);
            ngx_media_follow_parts(reader);
        }
    }

    return state == NGX_MEDIA_STREAM_ENDED ? NGX_DONE : NGX_OK;
}


/* all that is there in parts, until the tail has the rest */

static void
ngx_media_follow_begins(ngx_media_follow_reader_t *reader, ngx_uint_t state)
{
    uint32_t    part;
    ngx_msec_t  patience;
    ngx_uint_t  i, waits;

    if (ngx_media_follow_tracks(reader) != NGX_OK) {
        return;
    }

    ngx_media_follow_place(reader);
    ngx_media_follow_parts(reader);

    waits = ngx_media_follow_attach(reader);

    part = ngx_media_stream_part_target(&reader->stream);
    part = part ? part : NGX_MEDIA_FOLLOW_CHUNK;
    patience = part / 10 * 2 + NGX_MEDIA_FOLLOW_PATIENCE;

    if (waits && state == NGX_MEDIA_STREAM_LIVE
        && ngx_current_msec - reader->since < patience)
    {
        return;
    }

    for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
        reader->tracks[i].torn |= !reader->tracks[i].attached;
    }

    reader->starting = 0;
    reader->started = 1;
    reader->tail.next = 0;

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, reader->log, 0,
                   "media follow started after %M ms, tracks not attached:%ui",
                   ngx_current_msec - reader->since, waits);
}


static ngx_int_t
ngx_media_follow_tracks(ngx_media_follow_reader_t *reader)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_pool_t                *pool;
    ngx_media_track_view_t    *track;
    ngx_media_stream_view_t    view;
    ngx_media_follow_track_t  *t;

    pool = ngx_create_pool(4096, reader->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_media_stream_view(&reader->stream, pool, NGX_MEDIA_NO_TRACK,
                               &view);

    if (rc != NGX_OK || view.ntracks == 0) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
        reader->tracks[i].gone = 1;
    }

    for (i = 0; i < view.ntracks; i++) {
        track = &view.tracks[i];

        if (track->ended || track->away || track->type == NGX_MEDIA_TEXT) {
            continue;
        }

        t = ngx_media_follow_track(reader, track->index, track->type);

        if (t) {
            t->gone = 0;
        }
    }

    track = &view.tracks[ngx_min(view.clock, view.ntracks - 1)];

    /* which one it is, is said with the playlists: video, if there is some */

    for (i = 0; i < view.ntracks && !view.ready; i++) {

        if (view.tracks[i].type == NGX_MEDIA_VIDEO && !view.tracks[i].ended) {
            track = &view.tracks[i];
            break;
        }
    }

    reader->clock = track->index;
    reader->video = track->type == NGX_MEDIA_VIDEO;

    ngx_destroy_pool(pool);

    return NGX_OK;
}


/* which part of each track that is not attached is the next to be read */

static void
ngx_media_follow_place(ngx_media_follow_reader_t *reader)
{
    ngx_uint_t                 i;
    ngx_media_edge_t           edge;
    ngx_media_follow_track_t  *t, *clock;

    clock = &reader->tracks[ngx_media_track_place(reader->clock)];

    if (!clock->attached && !clock->placed) {

        if (clock->begun) {
            ngx_media_follow_place_after(reader, clock);
        }

        if ((!clock->begun || clock->lost)
            && ngx_media_follow_place_key(reader, clock) != NGX_OK)
        {
            /* nothing is published yet that it could begin with */
            return;
        }
    }

    for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
        t = &reader->tracks[i];

        if (t->version == 0 || t->gone || t->attached || t->placed) {
            continue;
        }

        if (t->begun) {
            ngx_media_follow_place_after(reader, t);

            if (!t->lost) {
                continue;
            }
        }

        if (ngx_media_track_edge(&reader->stream, t->track, &edge) != NGX_OK
            || !edge.any || edge.msn < reader->first)
        {
            continue;
        }

        /* the clock may be further by now, and have had another cut */

        if (!reader->started && reader->first) {
            t->number = reader->first;

        } else {
            t->number = clock->placed ? clock->number : edge.msn;
        }

        t->part = 0;
        t->placed = 1;
    }
}


/* the newest part with a key frame; of audio the newest one */

static ngx_int_t
ngx_media_follow_place_key(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t)
{
    size_t               bytes;
    uint64_t             number;
    ngx_int_t            part;
    ngx_uint_t           steps;
    ngx_media_edge_t     edge;
    ngx_media_part_t     copy;
    ngx_media_segment_t  segment;

    if (ngx_media_track_edge(&reader->stream, t->track, &edge) != NGX_OK
        || !edge.any)
    {
        return NGX_AGAIN;
    }

    number = edge.msn;
    part = edge.part;
    bytes = 0;

    for (steps = 0; steps < NGX_MEDIA_FOLLOW_STEPS; steps++) {

        if (ngx_media_track_part(&reader->stream, t->track, number, part,
                                 &copy)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        bytes += copy.range.size;

        if (bytes > NGX_MEDIA_FOLLOW_BYTES) {
            return NGX_DECLINED;
        }

        if (copy.independent || t->type != NGX_MEDIA_VIDEO) {
            t->number = number;
            t->part = part;
            t->placed = 1;
            reader->first = number;

            ngx_log_debug4(NGX_LOG_DEBUG_CORE, reader->log, 0,
                           "media follow begins at part %uL.%i, edge:%uL.%ui",
                           number, part, edge.msn, edge.part);
            return NGX_OK;
        }

        if (part-- > 0) {
            continue;
        }

        number--;

        if (ngx_media_track_segment(&reader->stream, t->track, number,
                                    &segment)
            != NGX_OK
            || segment.nparts == 0)
        {
            return NGX_DECLINED;
        }

        part = segment.nparts - 1;
    }

    return NGX_DECLINED;
}


/* what comes after the frames that were given; lost: some of it has gone */

static void
ngx_media_follow_place_after(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t)
{
    uint64_t             number;
    ngx_media_edge_t     edge;
    ngx_media_segment_t  segment;

    if (ngx_media_track_edge(&reader->stream, t->track, &edge) != NGX_OK
        || !edge.any)
    {
        return;
    }

    /* frames of a part that were given already are left out */

    for (number = edge.msn; number; number--) {

        if (ngx_media_track_segment(&reader->stream, t->track, number,
                                    &segment)
            != NGX_OK)
        {
            /* they are no more */

            t->lost = 1;
            number++;
            break;
        }

        if (segment.time <= t->end && !segment.gap) {
            break;
        }
    }

    t->number = number;
    t->part = 0;
    t->placed = 1;
}


/* those of all tracks that are not attached, in order of time */

static void
ngx_media_follow_parts(ngx_media_follow_reader_t *reader)
{
    ngx_uint_t                 i, n;
    ngx_media_follow_track_t  *t;

    do {
        for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
            t = &reader->tracks[i];

            if (t->version && !t->gone && t->placed && !t->attached) {
                ngx_media_follow_track_parts(reader, t);
            }
        }

        n = reader->nlist;

        ngx_media_follow_give_list(reader);

    } while (n);
}


static void
ngx_media_follow_track_parts(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t)
{
    ngx_int_t         rc;
    ngx_media_edge_t  edge;

    if (ngx_media_track_edge(&reader->stream, t->track, &edge) != NGX_OK
        || !edge.any)
    {
        return;
    }

    while (t->number <= edge.msn) {

        rc = ngx_media_follow_part(reader, t);

        if (rc == NGX_OK) {
            t->part++;
            continue;
        }

        if (rc == NGX_AGAIN || rc == NGX_ERROR) {
            break;
        }

        /* there are no more in this segment, or it has gone */

        t->lost |= rc == NGX_DONE;
        t->number++;
        t->part = 0;
    }
}


/*
 * Its frames go into the list; answers as of the store.  A track has one set of
 * parameters at a time: frames that have the former ones are given first.
 */

static ngx_int_t
ngx_media_follow_part(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t)
{
    ngx_int_t            rc;
    ngx_media_part_t     part;
    ngx_media_segment_t  segment;

    rc = ngx_media_track_segment(&reader->stream, t->track, t->number,
                                 &segment);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_media_track_part(&reader->stream, t->track, t->number, t->part,
                              &part);

    if (rc != NGX_OK) {
        return rc;
    }

    if (segment.init != t->init && reader->nlist
        && reader->list[reader->nlist - 1]->track == t->track)
    {
        return NGX_AGAIN;
    }

    if (ngx_media_follow_params(reader, t, segment.init) != NGX_OK) {
        return NGX_DONE;
    }

    return ngx_media_follow_chunk(reader, t, &part);
}


static ngx_int_t
ngx_media_follow_chunk(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t, const ngx_media_part_t *part)
{
    u_char                  *pos;
    ngx_int_t                rc;
    ngx_media_frame_t       *frame;
    ngx_media_mp4_frame_t    in;
    ngx_media_mp4_reader_t   chunk;

    rc = ngx_media_pin(reader->stream.zone, &part->range, 1);

    if (rc != NGX_OK) {
        return rc == NGX_DONE ? NGX_DONE : NGX_ERROR;
    }

    pos = ngx_media_arena_bytes(reader->stream.zone, &part->range);

    rc = ngx_media_mp4_chunk_open(&chunk, pos, pos + part->range.size);

    while (rc == NGX_OK) {
        rc = ngx_media_mp4_chunk_next(&chunk, &in);

        if (rc != NGX_OK) {
            break;
        }

        if (t->begun && (int64_t) in.decode_time <= t->last) {
            continue;
        }

        frame = ngx_media_frame_create(in.sample.size, reader->log);
        if (frame == NULL) {
            rc = NGX_ERROR;
            break;
        }

        ngx_memcpy(frame->data, in.data, in.sample.size);

        frame->track = t->track;
        frame->type = t->type;
        frame->flags = in.sample.key ? NGX_MEDIA_FRAME_KEY : 0;
        frame->timescale = t->timescale;
        frame->duration = in.sample.duration;
        frame->dts = (int64_t) in.decode_time;
        frame->cto = in.sample.cto;
        frame->number = part->number;
        frame->init = t->init;

        rc = ngx_media_follow_list(reader, frame);
    }

    ngx_media_unpin(reader->stream.zone, &part->range, 1);

    return rc == NGX_DONE ? NGX_OK : NGX_ERROR;
}


/* takes the reference over */

static ngx_int_t
ngx_media_follow_list(ngx_media_follow_reader_t *reader,
    ngx_media_frame_t *frame)
{
    ngx_uint_t           n;
    ngx_media_frame_t  **list;

    if (reader->nlist == reader->max_list) {
        n = ngx_max(reader->max_list * 2, 256);

        list = ngx_alloc(n * sizeof(ngx_media_frame_t *), reader->log);
        if (list == NULL) {
            ngx_media_frame_unref(frame);
            return NGX_ERROR;
        }

        if (reader->list) {
            ngx_memcpy(list, reader->list,
                       reader->nlist * sizeof(ngx_media_frame_t *));
            ngx_free(reader->list);
        }

        reader->list = list;
        reader->max_list = n;
    }

    reader->list[reader->nlist++] = frame;

    return NGX_OK;
}


/* tracks came one after the other, each in order */

static void
ngx_media_follow_give_list(ngx_media_follow_reader_t *reader)
{
    ngx_uint_t                 i, n;
    ngx_media_frame_t         *frame;
    ngx_media_follow_track_t  *t;

    n = reader->nlist;

    if (n > 1) {
        ngx_qsort(reader->list, n, sizeof(ngx_media_frame_t *),
                  ngx_media_follow_cmp);
    }

    reader->nlist = 0;

    for (i = 0; i < n; i++) {
        frame = reader->list[i];
        t = &reader->tracks[ngx_media_track_place(frame->track)];

        ngx_media_follow_out(reader, t, frame);
        ngx_media_frame_unref(frame);
    }
}


/* by time; where it is the same, in the order of tracks */

static int ngx_libc_cdecl
ngx_media_follow_cmp(const void *one, const void *two)
{
    const ngx_media_frame_t  *a, *b;

    a = *(ngx_media_frame_t **) one;
    b = *(ngx_media_frame_t **) two;

    if (!ngx_media_time_reached(a->dts, a->timescale, b->dts, b->timescale)) {
        return -1;
    }

    if (!ngx_media_time_reached(b->dts, b->timescale, a->dts, a->timescale)) {
        return 1;
    }

    return (a->track > b->track) - (a->track < b->track);
}


/* how many tracks the tail has not got the continuation of */

static ngx_uint_t
ngx_media_follow_attach(ngx_media_follow_reader_t *reader)
{
    uint32_t                   bit, holes, seen;
    ngx_uint_t                 i, waits;
    ngx_media_tail_frame_t     firsts[NGX_MEDIA_TRACKS];
    ngx_media_follow_track_t  *t;

    seen = ngx_media_follow_scan(reader, firsts, &holes);
    waits = 0;

    for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
        t = &reader->tracks[i];
        bit = (uint32_t) 1 << i;

        if (t->version == 0 || t->gone) {
            continue;
        }

        if (t->attached && !(holes & bit)) {
            continue;
        }

        if (!(seen & bit) || (holes & bit)
            || ngx_media_follow_behind(reader, firsts, seen & ~holes, i))
        {
            /* also of one that was attached: the ring went round meanwhile */

            waits++;
            t->placed = t->placed && !t->attached;
            t->attached = 0;
            continue;
        }

        t->attached = 1;
        t->placed = 0;
        t->torn = 0;
    }

    return waits;
}


/* bits of places: those that the tail has a frame of, and those with holes */

static ngx_uint_t
ngx_media_follow_scan(ngx_media_follow_reader_t *reader,
    ngx_media_tail_frame_t *firsts, uint32_t *holes)
{
    uint32_t                   bit, seen;
    ngx_uint_t                 i;
    ngx_media_tail_frame_t     in;
    ngx_media_follow_track_t  *t;

    seen = 0;
    *holes = 0;
    reader->tail.next = 0;

    while (ngx_media_tail_next(&reader->tail, &in) == NGX_OK) {
        i = ngx_media_track_place(in.track) % NGX_MEDIA_TRACKS;
        t = &reader->tracks[i];
        bit = (uint32_t) 1 << i;

        if (t->track != in.track) {
            continue;
        }

        if ((in.flags & NGX_MEDIA_TAIL_LARGE)
            && (!t->begun || in.dts > t->last))
        {
            *holes |= bit;
        }

        /* the first one of each tells what was not put */

        if (!(seen & bit)) {
            seen |= bit;
            firsts[i] = in;
            *holes |= ngx_media_follow_continues(t, &in) ? 0 : bit;
        }
    }

    return seen;
}


/*
 * The tail began in a part of it that is still open, after the first picture,
 * which may be waited for: what is missing is in that part, when it is put.
 */

static ngx_uint_t
ngx_media_follow_behind(ngx_media_follow_reader_t *reader,
    const ngx_media_tail_frame_t *firsts, uint32_t whole, ngx_uint_t place)
{
    int64_t                          start;
    uint32_t                         scale;
    ngx_uint_t                       n;
    const ngx_media_tail_frame_t    *in;
    const ngx_media_follow_track_t  *clock;

    in = &firsts[place];
    n = ngx_media_track_place(reader->clock);
    clock = &reader->tracks[n];

    if (reader->started || n == place || in->type == NGX_MEDIA_VIDEO
        || reader->tracks[place].begun || (in->flags & NGX_MEDIA_TAIL_PERIOD)
        || clock->version == 0 || clock->gone)
    {
        return 0;
    }

    if (clock->begun) {
        start = reader->start;
        scale = reader->timescale;

    } else if (whole >> n & 1) {
        start = firsts[n].dts;
        scale = firsts[n].timescale;

    } else {
        return 1;
    }

    return ngx_media_time_reached(in->dts - in->duration, in->timescale, start,
                                  scale);
}


/* is nothing missing between what was given and this frame? */

static ngx_uint_t
ngx_media_follow_continues(const ngx_media_follow_track_t *t,
    const ngx_media_tail_frame_t *in)
{
    if (in->flags & NGX_MEDIA_TAIL_PERIOD) {
        return 1;
    }

    if (!t->begun) {

        /* the open part may have a key frame from before it */

        return in->type != NGX_MEDIA_VIDEO || (in->flags & NGX_MEDIA_TAIL_KEY);
    }

    return in->dts <= t->end;
}


/* NGX_DECLINED: there is no ring */

static ngx_int_t
ngx_media_follow_tail(ngx_media_follow_reader_t *reader)
{
    ngx_int_t               rc;
    ngx_uint_t              i, n;
    ngx_media_tail_frame_t  in;

    for (n = 0; /* void */ ; n++) {

        if (n == NGX_MEDIA_FOLLOW_TURN) {
            ngx_post_event(&reader->event, &ngx_posted_events);
            return NGX_OK;
        }

        rc = ngx_media_tail_next(&reader->tail, &in);

        if (rc == NGX_OK) {
            rc = ngx_media_follow_tail_frame(reader, &in);
        }

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_DONE) {

            /* overtaken: parts have what was missed, if it is not long ago */

            for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
                ngx_media_follow_detach(reader, &reader->tracks[i]);
            }

            return NGX_OK;
        }

        if (reader->starting) {
            return NGX_OK;
        }
    }

    if (reader->tail.tail) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
        reader->tracks[i].attached = 0;
        reader->tracks[i].torn = 0;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_media_follow_tail_frame(ngx_media_follow_reader_t *reader,
    const ngx_media_tail_frame_t *in)
{
    ngx_media_frame_t         *frame;
    ngx_media_follow_track_t  *t;

    t = ngx_media_follow_track(reader, in->track, in->type);

    if (t == NULL || (t->begun && in->dts <= t->last)) {
        return NGX_OK;
    }

    if (t->gone && !t->attached) {

        /* it has ended, and nobody waits for its last parts */

        return NGX_OK;
    }

    if ((in->flags & NGX_MEDIA_TAIL_LARGE)
        || (!t->attached && t->begun && !ngx_media_follow_continues(t, in)))
    {
        if (!t->torn) {
            ngx_media_follow_detach(reader, t);
            return NGX_OK;
        }

        t->lost = 1;
    }

    if (in->flags & NGX_MEDIA_TAIL_LARGE) {
        t->last = in->dts;
        t->end = in->dts + in->duration;
        return NGX_OK;
    }

    t->attached = 1;
    t->placed = 0;
    t->torn = 0;

    if (in->flags & NGX_MEDIA_TAIL_PERIOD) {
        (void) ngx_media_follow_tracks(reader);
    }

    if (ngx_media_follow_params(reader, t, in->init) != NGX_OK) {
        t->lost = 1;
        return NGX_OK;
    }

    frame = ngx_media_frame_create(in->size, reader->log);
    if (frame == NULL) {
        t->lost = 1;
        return NGX_OK;
    }

    ngx_memcpy(frame->data, in->pos, in->size);

    if (!ngx_media_tail_valid(&reader->tail, in)) {
        ngx_media_frame_unref(frame);
        return NGX_DONE;
    }

    frame->track = in->track;
    frame->type = in->type;
    frame->flags = in->flags & (NGX_MEDIA_FRAME_KEY|NGX_MEDIA_FRAME_SILENT
                                |NGX_MEDIA_FRAME_PERIOD);
    frame->timescale = in->timescale;
    frame->duration = in->duration;
    frame->dts = in->dts;
    frame->cto = in->cto;
    frame->number = in->number;
    frame->init = in->init;

    ngx_media_follow_out(reader, t, frame);
    ngx_media_frame_unref(frame);

    return NGX_OK;
}


/* its parts are read again, from where its frames ended on */

static void
ngx_media_follow_detach(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t)
{
    if (t->version == 0) {
        return;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, reader->log, 0,
                   "media follow reads parts, track:%ui end:%L next:%uL",
                   t->track, t->end, reader->tail.next);

    t->attached = 0;
    t->placed = 0;

    reader->starting = 1;
    reader->since = ngx_current_msec;

    if (!reader->event.posted) {
        ngx_post_event(&reader->event, &ngx_posted_events);
    }
}


/* the track in its place, anew if it was another one's; NULL: of no use */

static ngx_media_follow_track_t *
ngx_media_follow_track(ngx_media_follow_reader_t *reader, ngx_uint_t track,
    ngx_uint_t type)
{
    ngx_uint_t                 place;
    ngx_media_params_t        *params;
    ngx_media_follow_track_t  *t;

    place = ngx_media_track_place(track);

    if (place >= NGX_MEDIA_TRACKS) {
        return NULL;
    }

    t = &reader->tracks[place];

    if (t->version && t->track == track) {
        return t;
    }

    params = t->params;

    ngx_memzero(t, sizeof(ngx_media_follow_track_t));

    t->params = params;
    t->track = track;
    t->type = type;
    t->version = ++reader->version;

    /* it may be the clock track now */

    reader->stale = 1;

    return t;
}


static ngx_int_t
ngx_media_follow_params(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t, uint64_t init)
{
    if (t->init == init && t->timescale) {
        return NGX_OK;
    }

    if (t->params == NULL) {
        t->params = ngx_alloc(sizeof(ngx_media_params_t), reader->log);

        if (t->params == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_media_track_init_params(&reader->stream, t->track, init,
                                    t->params)
        != NGX_OK)
    {
        t->timescale = 0;
        return NGX_DECLINED;
    }

    t->init = init;
    t->timescale = t->params->timescale;
    t->version = ++reader->version;

    return NGX_OK;
}


static void
ngx_media_follow_out(ngx_media_follow_reader_t *reader,
    ngx_media_follow_track_t *t, ngx_media_frame_t *frame)
{
    if (t->lost && frame->type == NGX_MEDIA_VIDEO
        && !(frame->flags & NGX_MEDIA_FRAME_KEY))
    {
        return;
    }

    if (t->lost) {
        frame->flags |= NGX_MEDIA_FRAME_LOST;
        t->lost = 0;
    }

    if (!t->begun && t->track == reader->clock) {
        reader->start = frame->dts;
        reader->timescale = frame->timescale;
    }

    t->begun = 1;
    t->last = frame->dts;
    t->end = frame->dts + frame->duration;

    ngx_media_follow_give(reader, frame);
}
