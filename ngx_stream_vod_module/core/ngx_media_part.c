
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Writing tracks: parts go into the arena and become segments.
 *
 * The order of stores is what keeps a reader without a lock, and a process
 * that takes over from a dead one, on firm ground: bytes first, then the
 * entry, then the head that makes it valid; and the tail before an entry's
 * place or its extent is given up.
 *
 * A part has its room before it has its bytes, and these before it is listed:
 * under the lock room is reserved, with none held it is backed with memory and
 * filled, which nobody reads yet, and under the lock again it is published.
 * Whoever is overtaken in between, or dies, has published nothing.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_data.h"
#include "core/ngx_media_evict.h"
#include "core/ngx_media_form.h"
#include "core/ngx_media_part.h"
#include "core/ngx_media_stream_lock.h"
#include "core/ngx_media_track.h"


/*
 * Segments up to a quarter of this share an extent: otherwise rounding to
 * pages would cost more than they hold.
 */
#define NGX_MEDIA_SHARED_EXTENT  (128 * 1024)

/* at most so much of the arena is reserved at once for one track */
#define NGX_MEDIA_RESERVE_SHARE  32

/* how long a segment is kept after it left the playlist, in segments */
#define NGX_MEDIA_KEPT           2


/* where a part is written to, before anybody may know of it */

typedef struct {
    uint64_t                  id;             /* of the extent */
    uint64_t                  used;           /* bytes of it, before the part */
    size_t                    size;           /* of the part */
    uint32_t                  extent;
} ngx_media_room_t;


static uint64_t ngx_media_track_rate_round(uint64_t rate);
static void ngx_media_track_key_bandwidth_locked(ngx_media_track_shm_t *t,
    uint64_t size, uint64_t msec);
static ngx_int_t ngx_media_part_reserve(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_part_put_t *puts,
    ngx_media_room_t *rooms, ngx_uint_t nforms, ngx_media_data_part_t *data);
static ngx_int_t ngx_media_part_reserve_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_media_room_t *rooms, ngx_uint_t nforms);
static void ngx_media_part_data_locked(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_part_put_t *put,
    ngx_media_data_part_t *data);
static ngx_int_t ngx_media_part_fill(ngx_media_zone_t *zone,
    const ngx_media_part_put_t *put, const ngx_media_room_t *room,
    size_t data);
static ngx_int_t ngx_media_part_publish(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_part_put_t *puts,
    const ngx_media_room_t *rooms, ngx_uint_t nforms,
    const ngx_media_data_part_t *data);
static ngx_uint_t ngx_media_rooms_lost_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t, const ngx_media_room_t *rooms,
    ngx_uint_t nforms);
static ngx_int_t ngx_media_part_place_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_part_put_t *puts,
    ngx_uint_t nforms);
static ngx_int_t ngx_media_extent_next_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_media_place_shm_t *place, size_t size);
static ngx_int_t ngx_media_rings_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, uint64_t number);
static ngx_int_t ngx_media_segment_open_locked(
    const ngx_media_claim_t *claim, ngx_media_track_shm_t *t,
    const ngx_media_segment_t *segment);
static ngx_int_t ngx_media_segment_gap_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_segment_t *segment);
static void ngx_media_track_jump_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t, uint64_t number);
static void ngx_media_part_write_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_part_put_t *puts,
    const ngx_media_room_t *rooms, ngx_uint_t nforms,
    const ngx_media_data_part_t *data);
static void ngx_media_part_data_write_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const ngx_media_part_put_t *puts,
    const ngx_media_room_t *rooms, ngx_uint_t nforms,
    const ngx_media_data_part_t *data);
static void ngx_media_room_use_locked(ngx_media_zone_t *zone,
    ngx_media_place_shm_t *place, size_t size, ngx_media_range_t *range);
static void ngx_media_place_leave_locked(ngx_media_zone_t *zone,
    ngx_media_place_shm_t *place);
static void ngx_media_stream_window_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static uint64_t ngx_media_stream_duration_locked(ngx_media_stream_shm_t *s,
    uint64_t number, uint32_t *flags);
static uint64_t ngx_media_stream_closed_locked(ngx_media_stream_shm_t *s);


/* two significant digits, upwards */

static uint64_t
ngx_media_track_rate_round(uint64_t rate)
{
    uint64_t  unit;

    for (unit = 1; rate / unit >= 100; unit *= 10) { /* void */ }

    return (rate + unit - 1) / unit * unit;
}


static void
ngx_media_track_key_bandwidth_locked(ngx_media_track_shm_t *t,
    uint64_t size, uint64_t msec)
{
    uint64_t  rate;

    if (msec) {
        rate = ngx_media_track_rate_round(size * 8 * 1000 / msec);
        t->key_bandwidth = ngx_max(t->key_bandwidth, rate);
    }
}


void
ngx_media_track_bandwidth(const ngx_media_claim_t *claim, ngx_uint_t track,
    uint64_t bandwidth)
{
    ngx_media_track_shm_t  *t;

    bandwidth = ngx_media_track_rate_round(bandwidth);

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    t = ngx_media_track_locked(claim, track);

    if (t && bandwidth > t->bandwidth) {
        t->bandwidth = bandwidth;
    }

    ngx_media_stream_unlock(claim->stream.sh);
}


ngx_int_t
ngx_media_part_put(const ngx_media_claim_t *claim, ngx_uint_t track,
    ngx_media_part_put_t *puts, ngx_uint_t nforms)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_media_room_t        rooms[NGX_MEDIA_FORMS];
    ngx_media_zone_t       *zone;
    ngx_media_data_part_t   data;

    zone = claim->stream.zone;

    ngx_memzero(rooms, sizeof(rooms));

    for ( ;; ) {
        rc = ngx_media_part_reserve(claim, track, puts, rooms, nforms, &data);

        for (i = 0; i < nforms; i++) {
            puts[i].size = rooms[i].size;
        }

        if (rc == NGX_OK) {

            for (i = 0; i < nforms && rc == NGX_OK; i++) {
                rc = ngx_media_part_fill(zone, &puts[i], &rooms[i],
                                         data.size);
            }

            if (rc == NGX_OK) {
                rc = ngx_media_part_publish(claim, track, puts, rooms,
                                            nforms, &data);
            }

            for (i = 0; i < nforms; i++) {
                ngx_media_extent_give(zone, rooms[i].extent);
            }
        }

        /* what was left for another extent, or by who took the stream over */

        (void) ngx_media_zone_trim(zone);

        if (rc == NGX_DONE) {
            ngx_log_debug2(NGX_LOG_DEBUG_CORE, zone->log, 0,
                           "media part of %uz is written anew, extent %uD is "
                           "another one's or other data has come",
                           rooms[0].size, rooms[0].extent);
            continue;
        }

        if (rc != NGX_AGAIN) {
            break;
        }

        ngx_log_debug5(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media stream \"%*s\" needs room, part:%uL.%uD size:%uz",
                       (size_t) claim->stream.sh->name_len,
                       claim->stream.sh->name, puts->segment->number,
                       puts->part, rooms[0].size);

        if (!ngx_media_zone_make_room(zone)) {
            ngx_media_count(&zone->store->nomem, 1);
            return NGX_ABORT;
        }
    }

    ngx_log_debug8(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" has part:%uL.%uD of track %ui, "
                   "extent:%uD used:%uL rc:%i",
                   (size_t) claim->stream.sh->name_len, claim->stream.sh->name,
                   puts->segment->number, puts->part, track, rooms[0].extent,
                   rooms[0].used + rooms[0].size, rc);

    if (rc != NGX_DECLINED) {

        /* also without the part, others may have left the list for it */

        ngx_media_notify(&claim->stream.sh->notify);
    }

    return rc;
}


/* NGX_AGAIN: memory must be made free */

static ngx_int_t
ngx_media_part_reserve(const ngx_media_claim_t *claim, ngx_uint_t track,
    const ngx_media_part_put_t *puts, ngx_media_room_t *rooms,
    ngx_uint_t nforms, ngx_media_data_part_t *data)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    t = ngx_media_track_locked(claim, track);

    rc = NGX_DECLINED;

    if (t) {
        ngx_media_part_data_locked(claim, track, puts, data);

        for (i = 0; i < nforms; i++) {
            rooms[i].size = puts[i].data[0].len + data->size
                            + puts[i].data[1].len + puts[i].data[2].len;
        }

        rc = ngx_media_part_reserve_locked(claim, t, rooms, nforms);
    }

    ngx_media_stream_unlock(claim->stream.sh);

    ngx_log_debug6(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media part reserved, track:%xi forms:%ui extent:%uD "
                   "at:%uL size:%uz rc:%i", track, nforms, rooms[0].extent,
                   rooms[0].used, rooms[0].size, rc);

    return rc;
}


/* timed data that a part of this track, and of this time, carries */

static void
ngx_media_part_data_locked(const ngx_media_claim_t *claim, ngx_uint_t track,
    const ngx_media_part_put_t *put, ngx_media_data_part_t *data)
{
    ngx_media_data_pick_locked(claim->stream.sh, ngx_media_track_place(track),
                               put->time, put->time + put->duration, data);
}


static ngx_int_t
ngx_media_part_reserve_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_media_room_t *rooms, ngx_uint_t nforms)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_media_zone_t       *zone;
    ngx_media_place_shm_t  *place;

    zone = claim->stream.zone;

    for (i = 0; i < nforms; i++) {

        if (ngx_media_form_make_locked(claim, t, i) != NGX_OK) {
            ngx_media_count(&zone->store->nomem, 1);
            return NGX_ABORT;
        }

        place = ngx_media_form_place_locked(t, i);

        rc = ngx_media_extent_next_locked(claim, t, place, rooms[i].size);

        if (rc != NGX_OK) {
            return rc;
        }

        rooms[i].extent = place->extent;
        rooms[i].id = zone->sh->extents[place->extent].id;
        rooms[i].used = place->used;
    }

    for (i = 0; i < nforms; i++) {
        ngx_media_extent_take(zone, rooms[i].extent);
    }

    return NGX_OK;
}


/* with no lock held: likewise */

static ngx_int_t
ngx_media_part_fill(ngx_media_zone_t *zone, const ngx_media_part_put_t *put,
    const ngx_media_room_t *room, size_t data)
{
    u_char      *p;
    ngx_uint_t   i;

    if (ngx_media_extent_commit(zone, room->extent, room->used + room->size)
        != NGX_OK)
    {
        return NGX_AGAIN;
    }

    p = ngx_media_extent_addr(zone, room->extent) + room->used;
    p = ngx_cpymem(p, put->data[0].data, put->data[0].len);

    /* timed data is written as the part is published */

    p += data;

    for (i = 1; i < NGX_MEDIA_PART_RUNS; i++) {

        if (put->data[i].len) {
            p = ngx_cpymem(p, put->data[i].data, put->data[i].len);
        }
    }

    return NGX_OK;
}


/*
 * NGX_DECLINED: the stream was taken over meanwhile; NGX_DONE: the room was
 * lost, since the tables were repaired after somebody who had died
 */

static ngx_int_t
ngx_media_part_publish(const ngx_media_claim_t *claim, ngx_uint_t track,
    const ngx_media_part_put_t *puts, const ngx_media_room_t *rooms,
    ngx_uint_t nforms, const ngx_media_data_part_t *data)
{
    ngx_int_t                rc;
    ngx_media_zone_t        *zone;
    ngx_media_data_part_t    now;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    zone = claim->stream.zone;
    s = claim->stream.sh;

    if (ngx_media_claim_lock(claim) != NGX_OK) {

        ngx_log_debug3(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media stream \"%*s\" was taken over while a part of "
                       "%uz was written", (size_t) s->name_len, s->name,
                       rooms[0].size);

        return NGX_DECLINED;
    }

    t = ngx_media_track_locked(claim, track);

    if (t == NULL) {
        rc = NGX_DECLINED;

    } else if (ngx_media_rooms_lost_locked(zone, t, rooms, nforms)) {
        rc = NGX_DONE;

    } else {

        /*
         * only this process puts data, and takes it away; if another one ever
         * does, the part is written anew
         */

        ngx_media_part_data_locked(claim, track, puts, &now);

        rc = (now.records == data->records && now.size == data->size)
             ? ngx_media_part_place_locked(claim, t, puts, nforms) : NGX_DONE;
    }

    if (rc == NGX_OK) {
        ngx_media_part_data_write_locked(zone, s, puts, rooms, nforms, data);
        ngx_media_part_write_locked(claim, t, puts, rooms, nforms, data);
    }

    ngx_media_stream_unlock(s);

    return rc;
}


static ngx_uint_t
ngx_media_rooms_lost_locked(ngx_media_zone_t *zone, ngx_media_track_shm_t *t,
    const ngx_media_room_t *rooms, ngx_uint_t nforms)
{
    ngx_uint_t              i;
    ngx_media_place_shm_t  *place;

    for (i = 0; i < nforms; i++) {
        place = ngx_media_form_place_locked(t, i);

        if (place == NULL || place->extent != rooms[i].extent
            || place->used != rooms[i].used
            || zone->sh->extents[place->extent].id != rooms[i].id)
        {
            return 1;
        }
    }

    return 0;
}


/* room in the rings */

static ngx_int_t
ngx_media_part_place_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_part_put_t *puts,
    ngx_uint_t nforms)
{
    uint64_t              number;
    ngx_int_t             rc;
    ngx_uint_t            i, opens;
    ngx_media_form_ref_t  ref;

    opens = t->segment_head == t->segment_closed;
    number = puts->segment->number;

    rc = ngx_media_rings_locked(claim, t, number);

    for (i = 1; i < nforms && rc == NGX_OK; i++) {
        rc = ngx_media_form_rings_locked(claim, t, i, number);
    }

    if (rc != NGX_OK) {
        ngx_media_count(&claim->stream.zone->store->nomem, 1);
        return rc;
    }

    if (opens) {
        return ngx_media_segment_open_locked(claim, t, puts->segment);
    }

    if (t->segment_closed != number) {
        return NGX_ABORT;
    }

    for (i = 0; i < NGX_MEDIA_FORMS; i++) {

        /* it has the forms that it began with */

        rc = ngx_media_form_ref_locked(t, i, number, &ref);

        if ((rc == NGX_OK) != (i < nforms)) {
            return NGX_ABORT;
        }

        if (i >= nforms) {
            continue;
        }

        if (*ref.nranges == NGX_MEDIA_RANGES
            && ref.ranges[NGX_MEDIA_RANGES - 1].extent
               != ngx_media_form_place_locked(t, i)->extent)
        {
            /* memory is in shreds, or the segment grew out of proportion */
            return NGX_ABORT;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_extent_next_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_media_place_shm_t *place, size_t size)
{
    size_t             want, left;
    uint32_t           extent, index;
    ngx_uint_t         fits, opens;
    ngx_media_zone_t  *zone;

    zone = claim->stream.zone;
    opens = t->segment_head == t->segment_closed;
    fits = 0;

    if (place->extent != NGX_MEDIA_NONE) {
        left = ngx_media_extent_size(zone, place->extent) - place->used;
        fits = left >= size;

        if (opens && place->used
            && (left < place->largest
                || place->largest > NGX_MEDIA_SHARED_EXTENT / 4))
        {
            fits = 0;
        }
    }

    if (!fits) {
        index = ngx_media_stream_index(zone, claim->stream.sh);

        /*
         * Only touched pages count, so a segment that outgrew its extent gets
         * plenty: there are few ranges in it.
         */

        want = place->largest * (opens ? 2 : 8);

        if (place->largest <= NGX_MEDIA_SHARED_EXTENT / 4) {
            want = ngx_max(want, NGX_MEDIA_SHARED_EXTENT);
        }

        /* but not so that others find no place for theirs */

        want = ngx_min(want, zone->arena->size / NGX_MEDIA_RESERVE_SHARE);
        want = ngx_max(want, size);

        for ( ;; ) {
            extent = ngx_media_extent_alloc(zone, index, want);

            if (extent != NGX_MEDIA_NONE || want == size) {
                break;
            }

            want = ngx_max(want / 2, size);
        }

        if (extent == NGX_MEDIA_NONE) {
            return NGX_AGAIN;
        }

        ngx_media_place_leave_locked(zone, place);

        place->extent = extent;
        place->used = 0;
    }

    return NGX_OK;
}


/* pages for the entries that come next; a full ring loses its oldest */

static ngx_int_t
ngx_media_rings_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, uint64_t number)
{
    uint64_t                  n;
    ngx_uint_t                page;
    ngx_media_zone_t         *zone;
    ngx_media_part_shm_t     *parts;
    ngx_media_stream_shm_t   *s;
    ngx_media_segment_shm_t  *segments;

    zone = claim->stream.zone;
    s = claim->stream.sh;

    if (t->segment_head == 0
        || (number > t->segment_head
            && number - t->segment_head >= t->segment_size))
    {
        ngx_media_track_jump_locked(zone, s, t, number);
    }

    if (t->part_head - t->part_tail == t->part_size) {
        ngx_media_store(&t->part_tail, t->part_tail + 1);
        ngx_media_fence();
    }

    page = t->part_head % t->part_size / NGX_MEDIA_PART_PER_PAGE;

    if (t->parts[page] == NULL) {
        parts = ngx_media_block_alloc(zone, ngx_media_stream_index(zone, s));
        if (parts == NULL) {
            return NGX_ABORT;
        }

        ngx_media_store(&t->parts[page], parts);
    }

    /* gaps in front of the segment may need entries of their own */

    for (n = t->segment_head; n <= number; n++) {
        page = n % t->segment_size / NGX_MEDIA_SEGMENT_PER_PAGE;

        if (t->segments[page] == NULL) {
            segments = ngx_media_block_alloc(zone,
                                            ngx_media_stream_index(zone, s));
            if (segments == NULL) {
                return NGX_ABORT;
            }

            ngx_media_store(&t->segments[page], segments);
        }

        if (n - t->segment_tail >= t->segment_size) {
            ngx_media_segment_drop_locked(zone, s, t);
        }
    }

    return NGX_OK;
}


/* its first segment, or it was away for longer than the ring is */

static void
ngx_media_track_jump_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t, uint64_t number)
{
    while (t->segment_tail < t->segment_head) {
        ngx_media_segment_drop_locked(zone, s, t);
    }

    ngx_media_store(&t->segment_tail, number);
    ngx_media_store(&t->segment_closed, number);
    ngx_media_store(&t->segment_head, number);
}


static ngx_int_t
ngx_media_segment_open_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_segment_t *segment)
{
    ngx_media_stream_shm_t   *s;
    ngx_media_segment_shm_t  *entry;

    s = claim->stream.sh;

    while (t->segment_head < segment->number) {
        if (ngx_media_segment_gap_locked(claim, t, segment) != NGX_OK) {
            return NGX_ABORT;
        }
    }

    if (t->segment_head != segment->number) {
        return NGX_ABORT;
    }

    entry = ngx_media_segment_record(t, segment->number);

    ngx_memzero(entry, sizeof(ngx_media_segment_shm_t));

    entry->number = segment->number;
    entry->time = segment->time;
    entry->wall = segment->wall;
    entry->init = segment->init;
    entry->bandwidth = segment->bandwidth;
    entry->period = segment->period;
    entry->period_time = segment->period_time;
    entry->period_wall = segment->period_wall;
    entry->part = t->part_head;
    entry->flags = segment->discontinuity * NGX_MEDIA_SEGMENT_DISCONTINUITY
                   | segment->anchored * NGX_MEDIA_SEGMENT_ANCHORED
                   | segment->forced * NGX_MEDIA_SEGMENT_FORCED
                   | segment->leading * NGX_MEDIA_SEGMENT_LEADING
                   | segment->runs * NGX_MEDIA_SEGMENT_RUNS;

    if (s->number <= segment->number) {
        ngx_media_store(&s->number, segment->number + 1);
        s->discontinuities += segment->discontinuity;
        s->periods += segment->discontinuity || segment->number
                                                == segment->period;
        s->anchors += segment->anchored;
    }

    s->forced |= segment->forced;

    ngx_media_store(&t->segment_head, segment->number + 1);

    return NGX_OK;
}


/* a number that other tracks have used and this one could not */

static ngx_int_t
ngx_media_segment_gap_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_segment_t *segment)
{
    int64_t                   hole;
    uint32_t                  flags;
    uint64_t                  most, n;
    ngx_media_segment_shm_t  *entry, *prev;

    n = t->segment_head;
    entry = ngx_media_segment_record(t, n);

    /* gaps share what is between: times must grow with numbers */

    hole = ngx_max(segment->time - t->end, 0);

    ngx_memzero(entry, sizeof(ngx_media_segment_shm_t));

    entry->number = n;
    entry->time = t->end;
    entry->duration = hole / (int64_t) (segment->number - n);
    entry->wall = segment->wall - hole * 1000 / (int64_t) t->timescale;
    entry->init = segment->init;
    entry->bandwidth = segment->bandwidth;
    entry->period = segment->period;
    entry->period_time = segment->period_time;
    entry->period_wall = segment->period_wall;
    entry->part = t->part_head;

    /*
     * Where the others have a discontinuity, so has this one.  It is no longer
     * than theirs: a pause between two periods is in no segment.
     */

    most = ngx_media_stream_duration_locked(claim->stream.sh, n, &flags)
           * t->timescale / 1000;

    if (most) {
        entry->duration = ngx_min(entry->duration, most);
    }

    entry->flags = (flags & (NGX_MEDIA_SEGMENT_DISCONTINUITY
                             |NGX_MEDIA_SEGMENT_ANCHORED))
                   | NGX_MEDIA_SEGMENT_GAP;

    if (n > t->segment_tail) {
        prev = ngx_media_segment_record(t, n - 1);

        entry->wall = prev->wall + prev->duration * 1000 / t->timescale;
        entry->init = prev->init;

        if (segment->period > n) {
            entry->period = prev->period;
            entry->period_time = prev->period_time;
            entry->period_wall = prev->period_wall;
        }
    }

    t->end += entry->duration;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media segment %uL is a gap, before:%uL time:%L "
                   "duration:%uL", n, segment->number, entry->time,
                   (uint64_t) entry->duration);

    ngx_media_store(&t->segment_head, n + 1);
    ngx_media_store(&t->segment_closed, n + 1);

    return NGX_OK;
}


/* of all forms, which have the same */

static void
ngx_media_part_data_write_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const ngx_media_part_put_t *puts,
    const ngx_media_room_t *rooms, ngx_uint_t nforms,
    const ngx_media_data_part_t *data)
{
    u_char      *p, *first;
    ngx_uint_t   i;

    first = NULL;

    for (i = 0; i < nforms && data->size; i++) {
        p = ngx_media_extent_addr(zone, rooms[i].extent) + rooms[i].used
            + puts[i].data[0].len;

        if (first) {
            ngx_memcpy(p, first, data->size);
            continue;
        }

        (void) ngx_media_data_write_locked(s, data, p);
        first = p;
    }
}


static void
ngx_media_part_write_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_part_put_t *puts,
    const ngx_media_room_t *rooms, ngx_uint_t nforms,
    const ngx_media_data_part_t *data)
{
    int64_t                      end;
    ngx_uint_t                   i;
    ngx_media_zone_t            *zone;
    ngx_media_form_ref_t         ref;
    ngx_media_part_shm_t        *part, other;
    ngx_media_stream_shm_t      *s;
    ngx_media_segment_shm_t     *segment;
    const ngx_media_part_put_t  *put;

    zone = claim->stream.zone;
    s = claim->stream.sh;
    put = puts;

    part = ngx_media_part_record(t, t->part_head);

    part->number = put->segment->number;
    part->part = put->part;
    part->duration = put->duration;
    part->independent = put->independent;

    ngx_media_room_use_locked(zone, &t->place, rooms[0].size, &part->range);

    segment = ngx_media_segment_record(t, t->segment_closed);

    (void) ngx_media_form_ref_locked(t, 0, t->segment_closed, &ref);
    ngx_media_form_append_locked(zone, &ref, &part->range, 1);

    for (i = 1; i < nforms; i++) {
        other = *part;

        ngx_media_room_use_locked(zone, &t->forms[i]->place, rooms[i].size,
                                  &other.range);
        ngx_media_form_write_locked(zone, t, i, puts[i].segment->init, &other,
                                    puts[i].key_size
                                    ? puts[i].key_size + data->size : 0);
    }

    if (put->coarse) {
        segment->flags |= NGX_MEDIA_SEGMENT_COARSE;
    }

    if (put->key_size) {
        segment->key_size = put->key_size + data->size;
        ngx_media_track_key_bandwidth_locked(t, segment->key_size,
                                             s->segment);
    }

    segment->duration += put->duration;
    segment->nparts++;

    t->end = segment->time + (int64_t) segment->duration;

    t->place.largest = ngx_max(t->place.largest, segment->bytes);

    /* who goes on after this process never comes before what is published */

    end = t->end * 1000 / (int64_t) t->timescale + 1;

    if (end > s->end) {
        s->end = end;
        s->wall = segment->wall + (int64_t) segment->duration * 1000
                                  / (int64_t) t->timescale;
    }

    ngx_media_data_told_locked(s, data);
    ngx_media_store(&t->part_head, t->part_head + 1);
    ngx_media_data_forget_locked(s);

    ngx_media_store(&t->edge, ngx_media_edge(put->segment->number,
                                             put->part));
    ngx_media_store(&t->expect, ngx_media_edge(put->expect_number,
                                               put->expect_part));

    t->count = *put->count;
    t->fps = put->fps;
    t->parts_off |= put->parts_off;
    t->parts_held = put->held;
    t->away = 0;
    t->nparts++;

    s->drift = put->drift;

    if (s->state == NGX_MEDIA_STREAM_GRACE && !s->trailing) {

        /* it rested */

        s->reason_len = 0;
        ngx_media_store(&s->state, NGX_MEDIA_STREAM_LIVE);
    }

    ngx_media_stream_changed(s);
}


/* the range that was reserved there is the part's now */

static void
ngx_media_room_use_locked(ngx_media_zone_t *zone,
    ngx_media_place_shm_t *place, size_t size, ngx_media_range_t *range)
{
    ngx_media_extent_shm_t  *e;

    e = &zone->sh->extents[place->extent];

    range->extent = place->extent;
    range->id = e->id;
    range->offset = (uint64_t) e->page * NGX_MEDIA_PAGE + place->used;
    range->size = size;

    place->used += size;
}


void
ngx_media_segment_runs(const ngx_media_claim_t *claim, ngx_uint_t track,
    const ngx_media_segment_t *segment)
{
    ngx_media_track_shm_t    *t;
    ngx_media_stream_shm_t   *s;
    ngx_media_segment_shm_t  *entry;

    s = claim->stream.sh;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    t = ngx_media_track_locked(claim, track);

    if (t && t->segment_head != t->segment_closed
        && t->segment_closed == segment->number)
    {
        entry = ngx_media_segment_record(t, segment->number);

        entry->period = segment->period;
        entry->period_time = segment->period_time;
        entry->period_wall = segment->period_wall;
        entry->flags |= NGX_MEDIA_SEGMENT_RUNS;
    }

    ngx_media_stream_unlock(s);
}


ngx_int_t
ngx_media_segment_close(const ngx_media_claim_t *claim, ngx_uint_t track)
{
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    s = claim->stream.sh;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    t = ngx_media_track_locked(claim, track);

    if (t == NULL) {
        ngx_media_stream_unlock(s);
        return NGX_DECLINED;
    }

    ngx_media_segment_close_locked(claim->stream.zone, s, t);

    ngx_media_stream_unlock(s);

    ngx_log_debug6(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media stream \"%*s\" has segments of track %ui, kept "
                   "from:%uL listed from:%uL to:%uL",
                   (size_t) s->name_len, s->name, track, t->segment_tail,
                   ngx_media_first_number(s->first), t->segment_closed);

    ngx_media_notify(&s->notify);

    (void) ngx_media_zone_reclaim(claim->stream.zone);

    return NGX_OK;
}


void
ngx_media_segment_close_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t)
{
    ngx_uint_t                i;
    ngx_media_place_shm_t    *place;
    ngx_media_segment_shm_t  *segment;

    if (t->segment_head == t->segment_closed) {
        return;
    }

    segment = ngx_media_segment_record(t, t->segment_closed);

    t->bits += segment->bytes * 8;
    t->ticks += segment->duration;

    if (segment->duration) {
        t->rate = segment->bytes * 8 * t->timescale / segment->duration;

        ngx_media_track_key_bandwidth_locked(t, segment->key_size,
                            segment->duration * 1000 / t->timescale);
    }

    t->nsegments++;

    /* the forecast may have been another part of this one */

    if (ngx_media_edge_number(t->expect) <= t->segment_closed) {
        ngx_media_store(&t->expect, ngx_media_edge(t->segment_closed + 1, 0));
    }

    ngx_media_store(&t->segment_closed, t->segment_closed + 1);
    ngx_media_stream_changed(s);

    /* the next one gets an extent of its own: this one need not wait */

    for (i = 0; i < NGX_MEDIA_FORMS; i++) {
        place = ngx_media_form_place_locked(t, i);

        if (place && place->largest > NGX_MEDIA_SHARED_EXTENT / 4) {
            ngx_media_place_leave_locked(zone, place);
        }
    }

    ngx_media_stream_window_locked(zone, s);
}


/* the writer has no more to write into the track's extents */

void
ngx_media_track_leave_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t)
{
    ngx_uint_t              i;
    ngx_media_place_shm_t  *place;

    for (i = 0; i < NGX_MEDIA_FORMS; i++) {
        place = ngx_media_form_place_locked(t, i);

        if (place) {
            ngx_media_place_leave_locked(zone, place);
        }
    }
}


static void
ngx_media_place_leave_locked(ngx_media_zone_t *zone,
    ngx_media_place_shm_t *place)
{
    uint32_t  extent;

    extent = place->extent;

    if (extent == NGX_MEDIA_NONE) {
        return;
    }

    ngx_media_extent_leave(zone, extent, place->used);

    place->extent = NGX_MEDIA_NONE;

    ngx_media_extent_unref_locked(zone, extent);
}


void
ngx_media_extent_unref_locked(ngx_media_zone_t *zone, uint32_t extent)
{
    if (--zone->sh->extents[extent].refs == 0) {
        ngx_media_extent_evict(zone, extent);
    }
}


/* the oldest one goes; what is listed begins after it */

void
ngx_media_segment_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t)
{
    uint64_t              number;
    ngx_uint_t            form, i;
    ngx_media_form_ref_t  ref;

    number = t->segment_tail;

    if (ngx_media_first_number(s->first) <= t->segment_tail) {

        while (ngx_media_first_number(s->first) <= t->segment_tail) {
            ngx_media_stream_unlist_locked(s);
        }

        ngx_media_stream_changed(s);
    }

    if (t->segment_closed == t->segment_tail) {
        ngx_media_store(&t->segment_closed, t->segment_tail + 1);
    }

    ngx_media_store(&t->segment_tail, t->segment_tail + 1);
    ngx_media_fence();

    for (form = 0; form < NGX_MEDIA_FORMS; form++) {

        if (ngx_media_form_ref_locked(t, form, number, &ref) != NGX_OK) {
            continue;
        }

        for (i = 0; i < *ref.nranges; i++) {
            ngx_media_extent_unref_locked(zone, ref.ranges[i].extent);
        }

        *ref.nranges = 0;
    }
}


/*
 * The playlist shows the shortest run of newest segments that fills the
 * window; what left it stays for clients that have just read it.
 */

static void
ngx_media_stream_window_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    uint32_t                flags;
    uint64_t                closed, first, n, sum;
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    closed = ngx_media_stream_closed_locked(s);

    sum = 0;
    first = closed;

    for (n = closed;
         n > ngx_media_first_number(s->first) && sum < s->window;
         n--)
    {
        sum += ngx_media_stream_duration_locked(s, n - 1, &flags);
        first = n - 1;
    }

    while (ngx_media_first_number(s->first) < first) {
        ngx_media_stream_unlist_locked(s);
    }

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        while (t
               && t->segment_tail + NGX_MEDIA_KEPT
                  < ngx_media_first_number(s->first)
               && t->segment_tail < t->segment_closed)
        {
            ngx_media_segment_drop_locked(zone, s, t);
        }
    }

    ngx_media_tracks_retire_locked(zone, s);
}


/* the first listed segment leaves the playlists of all tracks */

void
ngx_media_stream_unlist_locked(ngx_media_stream_shm_t *s)
{
    uint32_t  flags;
    uint64_t  number, discontinuity;

    number = ngx_media_first_number(s->first);
    discontinuity = ngx_media_first_discontinuity(s->first);

    (void) ngx_media_stream_duration_locked(s, number, &flags);

    if (flags & NGX_MEDIA_SEGMENT_DISCONTINUITY) {
        discontinuity++;
        s->discontinuities -= s->discontinuities > 0;
    }

    ngx_media_store(&s->first, ngx_media_first(number + 1, discontinuity));
}


/* in ms; a track that has the segment is asked */

static uint64_t
ngx_media_stream_duration_locked(ngx_media_stream_shm_t *s, uint64_t number,
    uint32_t *flags)
{
    uint64_t                  duration;
    ngx_uint_t                i;
    ngx_media_track_shm_t    *t;
    ngx_media_segment_shm_t  *segment;

    *flags = 0;
    duration = 0;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL || number < t->segment_tail
            || number >= t->segment_closed)
        {
            continue;
        }

        segment = ngx_media_segment_record(t, number);

        *flags |= segment->flags;
        duration = ngx_max(duration, segment->duration * 1000
                                     / t->timescale);
    }

    return duration;
}


/* the number below which the clock track, or who goes on, is complete */

static uint64_t
ngx_media_stream_closed_locked(ngx_media_stream_shm_t *s)
{
    uint64_t    closed;
    ngx_uint_t  i;

    closed = 0;

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i]) {
            closed = ngx_max(closed, s->tracks[i]->segment_closed);
        }
    }

    return closed;
}
