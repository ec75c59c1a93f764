
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The order of stores is as for parts: the tail moves before what it gives up
 * is overwritten, the entry is whole before the head makes it valid.  Whoever
 * dies between two of them leaves a ring that says what it said before, at
 * most with a few bytes of it given away for nothing.
 *
 * A ring is backed with memory, and what is large is copied into it, with no
 * lock held.  The ring's extent is taken meanwhile: who finds it so has taken
 * the stream over, or its publisher has died in there, and makes another one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_evict.h"
#include "core/ngx_media_part.h"
#include "core/ngx_media_stream_lock.h"
#include "core/ngx_media_tail.h"


/* bytes of a ring: two seconds of what comes, within bounds */
#define NGX_MEDIA_TAIL_MSEC   2000
#define NGX_MEDIA_TAIL_MIN    (256 * 1024)
#define NGX_MEDIA_TAIL_SHARE  64              /* of the zone */

/*
 * Frames up to this are copied under the lock: that takes a few microseconds,
 * as long as a waiter spins before it looks who holds it; most frames are so
 * small, and would pay for a second visit
 */
#define NGX_MEDIA_TAIL_SMALL  (16 * 1024)


/* where a frame is written to, before anybody may know of it */

typedef struct {
    ngx_media_tail_shm_t     *tail;
    uint64_t                  id;             /* of the ring's extent */
    uint64_t                  offset;
    size_t                    place;          /* in the ring */
    size_t                    size;
    uint32_t                  extent;
} ngx_media_tail_room_t;


static ngx_int_t ngx_media_tail_reserve(const ngx_media_claim_t *claim,
    const ngx_media_tail_frame_t *frame, ngx_media_tail_room_t *room);
static ngx_int_t ngx_media_tail_back(const ngx_media_claim_t *claim,
    const ngx_media_tail_room_t *room);
static ngx_int_t ngx_media_tail_fill(const ngx_media_claim_t *claim,
    const ngx_media_tail_frame_t *frame, const ngx_media_tail_room_t *room);
static ngx_uint_t ngx_media_tail_stale_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const ngx_media_tail_frame_t *frame);
static ngx_uint_t ngx_media_tail_is_locked(ngx_media_stream_shm_t *s,
    const ngx_media_tail_room_t *room);
static ngx_int_t ngx_media_tail_make_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static size_t ngx_media_tail_size_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static uint64_t ngx_media_tail_place_locked(ngx_media_tail_shm_t *tail,
    size_t size);
static void ngx_media_tail_copy(ngx_media_zone_t *zone,
    const ngx_media_tail_frame_t *frame, const ngx_media_tail_room_t *room);
static void ngx_media_tail_write_locked(ngx_media_stream_shm_t *s,
    const ngx_media_tail_frame_t *frame, const ngx_media_tail_room_t *room);
static ngx_int_t ngx_media_tail_open(ngx_media_tail_reader_t *reader);
static ngx_uint_t ngx_media_tail_same(const ngx_media_tail_reader_t *reader);


static ngx_inline ngx_msec_int_t
ngx_media_tail_left(const ngx_media_stream_shm_t *s)
{
    return (ngx_msec_int_t) ((ngx_msec_t) ngx_media_peek(&s->wanted)
                             - ngx_current_msec);
}


void
ngx_media_tail_put(const ngx_media_claim_t *claim,
    const ngx_media_tail_frame_t *frame)
{
    ngx_int_t                rc;
    ngx_media_zone_t        *zone;
    ngx_media_tail_room_t    room;
    ngx_media_stream_shm_t  *s;

    zone = claim->stream.zone;
    s = claim->stream.sh;

    if (ngx_media_tail_left(s) <= 0) {

        /* a ring has no holes: one that is not written to goes */

        if (ngx_media_peek(&s->tail) && ngx_media_claim_lock(claim) == NGX_OK)
        {
            ngx_media_tail_drop_locked(zone, s);
            ngx_media_stream_unlock(s);
        }

        return;
    }

    for ( ;; ) {
        rc = ngx_media_tail_reserve(claim, frame, &room);

        if (rc == NGX_BUSY) {
            rc = ngx_media_tail_back(claim, &room);
            ngx_media_extent_give(zone, room.extent);

            if (rc == NGX_OK) {
                continue;
            }
        }

        if (rc == NGX_DONE) {
            rc = ngx_media_tail_fill(claim, frame, &room);
            ngx_media_extent_give(zone, room.extent);
        }

        if (rc == NGX_OK) {
            break;
        }

        if (rc == NGX_ABORT) {
            return;
        }

        if (rc != NGX_AGAIN || !ngx_media_zone_make_room(zone)) {

            /* not before somebody says it anew, which is once a second */

            ngx_media_store(&s->wanted, 0);
            return;
        }
    }

    ngx_media_notify(&s->arrival);
}


/*
 * NGX_OK: it is there.  Otherwise there is more to do with no lock held, for
 * which the ring's extent is taken: NGX_DONE, room for a large frame is to be
 * filled; NGX_BUSY, the ring is to be backed.  NGX_AGAIN: memory must be made
 * free; NGX_DECLINED: no blocks; NGX_ABORT: the stream is another one's.
 */

static ngx_int_t
ngx_media_tail_reserve(const ngx_media_claim_t *claim,
    const ngx_media_tail_frame_t *frame, ngx_media_tail_room_t *room)
{
    ngx_int_t                rc;
    ngx_media_zone_t        *zone;
    ngx_media_stream_shm_t  *s;

    zone = claim->stream.zone;
    s = claim->stream.sh;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_ABORT;
    }

    if (s->tail && ngx_media_tail_stale_locked(zone, s, frame)) {
        ngx_media_tail_drop_locked(zone, s);
    }

    rc = s->tail ? NGX_OK : ngx_media_tail_make_locked(zone, s);

    if (rc != NGX_OK) {
        ngx_media_stream_unlock(s);
        return rc;
    }

    room->tail = s->tail;
    room->extent = s->tail->extent;
    room->id = s->tail->id;
    room->size = frame->size > s->tail->size / 2 ? 0 : frame->size;

    if (!s->tail->ready) {
        room->size = s->tail->size;
        rc = NGX_BUSY;

    } else {
        room->offset = ngx_media_tail_place_locked(s->tail, room->size);
        room->place = room->offset % s->tail->size;

        if (room->size > NGX_MEDIA_TAIL_SMALL) {

            /* who comes after this process writes behind it */

            s->tail->bytes = room->offset + room->size;
            rc = NGX_DONE;

        } else {
            ngx_media_tail_copy(zone, frame, room);
            ngx_media_tail_write_locked(s, frame, room);
        }
    }

    if (rc != NGX_OK) {
        ngx_media_extent_take(zone, room->extent);
    }

    ngx_media_stream_unlock(s);

    return rc;
}


/*
 * NGX_OK, look again; NGX_DECLINED.  The ring keeps its extent while room is
 * made: given back, it would be the room that is found.
 */

static ngx_int_t
ngx_media_tail_back(const ngx_media_claim_t *claim,
    const ngx_media_tail_room_t *room)
{
    ngx_int_t                rc;
    ngx_media_zone_t        *zone;
    ngx_media_stream_shm_t  *s;

    zone = claim->stream.zone;
    s = claim->stream.sh;

    do {
        rc = ngx_media_extent_commit(zone, room->extent, room->size);

    } while (rc != NGX_OK && ngx_media_zone_make_room(zone));

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream is followed, id:%uL ring:%uz rc:%i",
                   claim->stream.id, room->size, rc);

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_OK;
    }

    if (ngx_media_tail_is_locked(s, room)) {

        if (rc == NGX_OK) {
            s->tail->ready = 1;

        } else {
            ngx_media_tail_drop_locked(zone, s);
        }
    }

    ngx_media_stream_unlock(s);

    return rc == NGX_OK ? NGX_OK : NGX_DECLINED;
}


/*
 * NGX_OK; NGX_ABORT: the stream or the ring is no more what it was, who
 * follows reads the frame from its part
 */

static ngx_int_t
ngx_media_tail_fill(const ngx_media_claim_t *claim,
    const ngx_media_tail_frame_t *frame, const ngx_media_tail_room_t *room)
{
    ngx_int_t                rc;
    ngx_media_stream_shm_t  *s;

    s = claim->stream.sh;

    ngx_media_tail_copy(claim->stream.zone, frame, room);

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_ABORT;
    }

    rc = NGX_ABORT;

    if (ngx_media_tail_is_locked(s, room)) {
        ngx_media_tail_write_locked(s, frame, room);
        rc = NGX_OK;
    }

    ngx_media_stream_unlock(s);

    return rc;
}


static ngx_uint_t
ngx_media_tail_stale_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const ngx_media_tail_frame_t *frame)
{
    /* somebody else has begun something with it, and may still be at it */

    if (!s->tail->ready
        || ngx_media_load(&zone->sh->extents[s->tail->extent].pid))
    {
        return 1;
    }

    /* when it was made the rate was not known yet */

    return (frame->flags & NGX_MEDIA_TAIL_KEY)
           && frame->type == NGX_MEDIA_VIDEO
           && ngx_media_tail_size_locked(zone, s)
              >= (size_t) s->tail->size * 2;
}


/* is it still the ring that there was room in */

static ngx_uint_t
ngx_media_tail_is_locked(ngx_media_stream_shm_t *s,
    const ngx_media_tail_room_t *room)
{
    return s->tail && s->tail == room->tail && s->tail->id == room->id;
}


/* NGX_AGAIN: memory must be made free; NGX_DECLINED: no blocks */

static ngx_int_t
ngx_media_tail_make_locked(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    size_t                 size;
    ngx_int_t              rc;
    uint32_t               index;
    ngx_uint_t             i;
    ngx_media_tail_shm_t  *tail;

    index = ngx_media_stream_index(zone, s);
    size = ngx_media_tail_size_locked(zone, s);

    tail = ngx_media_block_alloc(zone, index);
    if (tail == NULL) {
        return NGX_DECLINED;
    }

    tail->extent = NGX_MEDIA_NONE;
    rc = NGX_DECLINED;

    for (i = 0; i < NGX_MEDIA_TAIL_PAGES; i++) {
        tail->frames[i] = ngx_media_block_alloc(zone, index);

        if (tail->frames[i] == NULL) {
            goto failed;
        }
    }

    rc = NGX_AGAIN;

    tail->extent = ngx_media_extent_alloc(zone, index, size);

    if (tail->extent == NGX_MEDIA_NONE) {
        goto failed;
    }

    tail->id = zone->sh->extents[tail->extent].id;
    tail->size = size;

    /* numbers go on: a reader of the last ring misses none of this one */

    tail->head = s->arrival.version + 1;
    tail->tail = tail->head;

    ngx_media_store(&s->tail, tail);

    return NGX_OK;

failed:

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" is followed, no memory for a ring "
                   "of %uz", (size_t) s->name_len, s->name, size);

    while (i) {
        ngx_media_block_free(zone, tail->frames[--i]);
    }

    ngx_media_block_free(zone, tail);

    return rc;
}


static size_t
ngx_media_tail_size_locked(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    size_t                  size, most;
    uint64_t                rate;
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    rate = 0;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t && !t->ended) {
            rate += ngx_max(t->bandwidth, t->rate);
        }
    }

    most = zone->sh->limit / NGX_MEDIA_TAIL_SHARE * NGX_MEDIA_PAGE;

    size = (size_t) ngx_min(rate / 8 * NGX_MEDIA_TAIL_MSEC / 1000, most);
    size = ngx_max(size, NGX_MEDIA_TAIL_MIN);

    return ngx_align(size, NGX_MEDIA_PAGE);
}


static void
ngx_media_tail_copy(ngx_media_zone_t *zone,
    const ngx_media_tail_frame_t *frame, const ngx_media_tail_room_t *room)
{
    if (room->size) {
        ngx_memcpy(ngx_media_extent_addr(zone, room->extent) + room->place,
                   frame->pos, room->size);
    }
}


static void
ngx_media_tail_write_locked(ngx_media_stream_shm_t *s,
    const ngx_media_tail_frame_t *frame, const ngx_media_tail_room_t *room)
{
    uint64_t                     seq;
    ngx_uint_t                   flags;
    ngx_media_tail_shm_t        *tail;
    ngx_media_tail_frame_shm_t  *entry;

    tail = s->tail;
    seq = tail->head;
    flags = frame->flags;

    if (room->size < frame->size) {
        flags |= NGX_MEDIA_TAIL_LARGE;
    }

    entry = ngx_media_tail_record(tail, seq);

    entry->dts = frame->dts;
    entry->offset = room->offset;
    entry->number = frame->number;
    entry->init = frame->init;
    entry->cto = frame->cto;
    entry->duration = frame->duration;
    entry->size = room->size;
    entry->timescale = frame->timescale;
    entry->track = (uint32_t) frame->track;
    entry->type = (uint16_t) frame->type;
    entry->flags = (uint16_t) flags;

    ngx_media_store(&entry->seq, seq);

    tail->bytes = room->offset + room->size;

    ngx_media_store(&tail->head, seq + 1);
    ngx_media_store(&s->arrival.version, seq);
}


/*
 * Room for so many bytes in one piece, and for an entry: what was there is
 * given up first
 */

static uint64_t
ngx_media_tail_place_locked(ngx_media_tail_shm_t *tail, size_t size)
{
    uint64_t  offset, oldest;

    offset = tail->bytes;

    if (offset % tail->size + size > tail->size) {
        offset += tail->size - offset % tail->size;
    }

    oldest = tail->tail;

    if (tail->head - oldest == NGX_MEDIA_TAIL_FRAMES) {
        oldest++;
    }

    while (oldest < tail->head
           && ngx_media_tail_record(tail, oldest)->offset + tail->size
              < offset + size)
    {
        oldest++;
    }

    if (oldest != tail->tail) {
        ngx_media_store(&tail->tail, oldest);
        ngx_media_fence();
    }

    return offset;
}


void
ngx_media_tail_tick_locked(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    if (s->tail && ngx_media_tail_left(s) <= 0) {
        ngx_media_tail_drop_locked(zone, s);
    }
}


void
ngx_media_tail_drop_locked(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    ngx_uint_t             i;
    ngx_media_tail_shm_t  *tail;

    tail = s->tail;

    if (tail == NULL) {
        return;
    }

    ngx_media_store(&s->tail, NULL);
    ngx_media_fence();

    ngx_media_extent_unref_locked(zone, tail->extent);

    for (i = 0; i < NGX_MEDIA_TAIL_PAGES; i++) {
        ngx_media_block_free(zone, tail->frames[i]);
    }

    ngx_media_block_free(zone, tail);
}


void
ngx_media_tail_want(const ngx_media_stream_t *stream)
{
    ngx_media_store(&stream->sh->wanted,
                    (uint64_t) (ngx_current_msec + NGX_MEDIA_TAIL_WANTED));
}


ngx_media_notify_shm_t *
ngx_media_tail_notify(const ngx_media_stream_t *stream)
{
    return &stream->sh->arrival;
}


/* the ring that is there now, pinned: what is no more is not to be touched */

static ngx_int_t
ngx_media_tail_open(ngx_media_tail_reader_t *reader)
{
    ngx_media_zone_t       *zone;
    ngx_media_tail_shm_t   *tail, copy;

    zone = reader->stream.zone;

    if (reader->tail) {

        if (ngx_media_tail_same(reader)) {
            return NGX_OK;
        }

        ngx_media_tail_close(reader);

        reader->anew = 1;
    }

    tail = ngx_media_load(&reader->stream.sh->tail);

    if (!ngx_media_block_valid(zone, tail)) {
        return NGX_AGAIN;
    }

    copy = *tail;

    ngx_media_fence_acquire();

    if (ngx_media_load(&reader->stream.sh->tail) != tail
        || ngx_media_load(&reader->stream.sh->id) != reader->stream.id
        || copy.extent >= zone->sh->nextents)
    {
        return NGX_AGAIN;
    }

    ngx_memzero(&reader->pin, sizeof(ngx_media_range_t));

    reader->pin.id = copy.id;
    reader->pin.extent = copy.extent;
    reader->pin.size = copy.size;

    if (ngx_media_pin(zone, &reader->pin, 1) != NGX_OK) {
        return NGX_AGAIN;
    }

    reader->pin.offset = (uint64_t) zone->sh->extents[copy.extent].page
                         * NGX_MEDIA_PAGE;
    reader->tail = tail;

    return NGX_OK;
}


/* is it still the ring that was opened; its block may be anything by now */

static ngx_uint_t
ngx_media_tail_same(const ngx_media_tail_reader_t *reader)
{
    return ngx_media_load(&reader->stream.sh->tail) == reader->tail
           && ngx_media_load(&reader->tail->id) == reader->pin.id
           && ngx_media_load(&reader->stream.sh->id) == reader->stream.id;
}


ngx_int_t
ngx_media_tail_next(ngx_media_tail_reader_t *reader,
    ngx_media_tail_frame_t *frame)
{
    uint64_t                     head, oldest;
    ngx_media_tail_shm_t        *tail;
    ngx_media_tail_frame_shm_t  *entry, copy;

    if (ngx_media_tail_open(reader) != NGX_OK) {
        return NGX_AGAIN;
    }

    if (reader->anew) {

        /* between two rings frames are missing */

        reader->anew = 0;
        reader->next = 0;
        return NGX_DONE;
    }

    tail = reader->tail;

    head = ngx_media_load(&tail->head);
    oldest = ngx_media_load(&tail->tail);

    if (reader->next == 0) {
        reader->next = oldest;
    }

    if (reader->next >= head) {
        return NGX_AGAIN;
    }

    entry = ngx_media_load(&tail->frames[reader->next % NGX_MEDIA_TAIL_FRAMES
                                         / NGX_MEDIA_TAIL_PER_PAGE]);

    if (!ngx_media_block_valid(reader->stream.zone, entry)) {
        return NGX_AGAIN;
    }

    copy = entry[reader->next % NGX_MEDIA_TAIL_PER_PAGE];

    ngx_media_fence_acquire();

    oldest = ngx_media_load(&tail->tail);

    if (!ngx_media_tail_same(reader)) {
        return NGX_AGAIN;
    }

    if (reader->next < oldest) {
        reader->next = oldest;
        return NGX_DONE;
    }

    if (copy.seq != reader->next
        || copy.size > reader->pin.size - copy.offset % reader->pin.size)
    {
        return NGX_AGAIN;
    }

    frame->seq = copy.seq;
    frame->track = copy.track;
    frame->type = copy.type;
    frame->flags = copy.flags;
    frame->timescale = copy.timescale;
    frame->duration = copy.duration;
    frame->dts = copy.dts;
    frame->cto = copy.cto;
    frame->number = copy.number;
    frame->init = copy.init;
    frame->pos = ngx_media_arena_bytes(reader->stream.zone, &reader->pin)
                 + copy.offset % reader->pin.size;
    frame->size = copy.size;

    reader->next++;

    return NGX_OK;
}


ngx_uint_t
ngx_media_tail_valid(const ngx_media_tail_reader_t *reader,
    const ngx_media_tail_frame_t *frame)
{
    uint64_t  oldest;

    ngx_media_fence_acquire();

    oldest = ngx_media_load(&reader->tail->tail);

    ngx_media_fence_acquire();

    return oldest <= frame->seq && ngx_media_tail_same(reader);
}


void
ngx_media_tail_close(ngx_media_tail_reader_t *reader)
{
    if (reader->tail) {
        ngx_media_unpin(reader->stream.zone, &reader->pin, 1);
        reader->tail = NULL;
    }
}
