
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Changing the store: how streams are born, written, handed over, and how
 * they end.  Each function takes the stream's lock itself.
 *
 * An epoch fences publishers: whoever acquires the stream raises it, and all
 * that is written with an older one is answered NGX_DECLINED.
 *
 * style: long header, it is all that changes the store.
 */


#ifndef _NGX_MEDIA_STREAM_H_INCLUDED_
#define _NGX_MEDIA_STREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_read.h"
#include "core/ngx_media_store_shm.h"


/*
 * Of a publisher that is connected nothing comes any more: to readers the
 * stream waits for one, until a part is put.  It does not end meanwhile: that
 * is its connection's affair.  reason is static.
 */
void ngx_media_stream_rest(const ngx_media_claim_t *claim,
    const char *reason);

/* a stream that is not claimed ends, after its grace time or at once */
void ngx_media_streams_tick(ngx_media_zone_t *zone);

/*
 * The track for this codec, found or made; what it was before (another codec
 * or timescale) ends, also when this fails.  NGX_OK, NGX_DECLINED, or why not.
 */
#define NGX_MEDIA_TRACK_MANY   (-22)          /* NGX_MEDIA_TRACKS are there */
#define NGX_MEDIA_TRACK_NOMEM  (-23)          /* no pages for its records */
#define NGX_MEDIA_TRACK_LARGE  (-24)          /* its init segment is */

ngx_int_t ngx_media_track_add(const ngx_media_claim_t *claim,
    const ngx_media_params_t *params, uint32_t publisher, ngx_uint_t *track);

/* a version of its parameters; the name is the hash of the bytes; likewise */
ngx_int_t ngx_media_track_set_init(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_params_t *params, uint64_t *name);

/* of its newest segment, if it has not ended; NGX_OK or NGX_DECLINED */
ngx_int_t ngx_media_track_params(const ngx_media_claim_t *claim,
    ngx_media_type_e type, uint32_t publisher, ngx_media_params_t *params);

/* of its newest segment, in timescale; NGX_DECLINED: it has none */
ngx_int_t ngx_media_track_end(const ngx_media_claim_t *claim,
    ngx_uint_t track, int64_t *end);

/*
 * Tracks of which nothing was put for longer than limit (ms), counted from
 * since (ms of media time) on, while others went on, are away: who comes now
 * is not told of them, until a part is put.  Returns 1 if the newest period has
 * segments of one that was not before.
 */
ngx_uint_t ngx_media_tracks_away(const ngx_media_claim_t *claim,
    int64_t since, int64_t limit);

/* the number of its first segment that is kept; 0: none was ever whole */
uint64_t ngx_media_track_first(const ngx_media_claim_t *claim,
    ngx_uint_t track);

/*
 * Tracks are known now: the multivariant playlist may be given out.  Segments
 * below first are not listed.
 */
void ngx_media_stream_ready(const ngx_media_claim_t *claim, ngx_uint_t clock,
    uint64_t first);

uint64_t ngx_media_stream_number(const ngx_media_claim_t *claim);  /* next */

/*
 * One part, written to the arena and listed.  data: two runs of bytes, header
 * and payload.  The first part of a segment opens it, with what is said in
 * *segment.  NGX_OK, NGX_DECLINED, NGX_ABORT: no memory, it was not stored.
 */
typedef struct {
    const ngx_media_segment_t
                             *segment;        /* but what parts add up to */
    uint32_t                  part;
    uint32_t                  duration;
    uint32_t                  key_size;       /* of part 0, see segment */
    unsigned                  independent:1;
    ngx_str_t                 data[2];
    uint64_t                  expect_number;  /* of the next part */
    uint32_t                  expect_part;
    const ngx_media_track_count_t
                             *count;          /* what the writer counts */
    uint32_t                  fps;            /* 1/1000 */
    int64_t                   drift;          /* ms, for status */
    uint32_t                  jumps;          /* of stamps, since the last */
    unsigned                  parts_off:1;    /* this track lists none, */
    unsigned                  held:1;         /* or not now, */
    unsigned                  coarse:1;       /* or this segment */
} ngx_media_part_put_t;

ngx_int_t ngx_media_part_put(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_part_put_t *put);

/* the open segment, if there is one, is complete */
ngx_int_t ngx_media_segment_close(const ngx_media_claim_t *claim,
    ngx_uint_t track);
/* the open segment's period is *segment's, and has runs */
void ngx_media_segment_runs(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_segment_t *segment);

/* BANDWIDTH goes up to this (bit/s), never down */
void ngx_media_track_bandwidth(const ngx_media_claim_t *claim,
    ngx_uint_t track, uint64_t bandwidth);

/* what status counts of it, kept over publishers, and its BANDWIDTH */
void ngx_media_track_counts(const ngx_media_claim_t *claim,
    ngx_uint_t track, ngx_media_track_count_t *count, uint64_t *bandwidth);

/* between the files that change the store; a record, its lock held */

void ngx_media_stream_lock(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
ngx_int_t ngx_media_stream_trylock(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
void ngx_media_stream_unlock(ngx_media_stream_shm_t *s);
ngx_int_t ngx_media_claim_lock(const ngx_media_claim_t *claim);

/* NULL: it has ended, or is another one; the claim's stream is locked */
ngx_media_track_shm_t *ngx_media_track_locked(const ngx_media_claim_t *claim,
    ngx_uint_t track);

/* places of ended tracks whose segments have gone become free */
void ngx_media_tracks_retire_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);

void ngx_media_stream_unlist_locked(ngx_media_stream_shm_t *s);
void ngx_media_segment_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t);
void ngx_media_segment_close_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t);
void ngx_media_track_leave_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
void ngx_media_extent_unref_locked(ngx_media_zone_t *zone, uint32_t extent);

/* limbo, what is listed no more, the oldest; 1 if something was done */
ngx_uint_t ngx_media_zone_make_room(ngx_media_zone_t *zone);

/* after the change itself is stored; ngx_media_stream_notify() when unlocked */
static ngx_inline void
ngx_media_stream_changed(ngx_media_stream_shm_t *s)
{
    ngx_media_store(&s->notify.version, s->notify.version + 1);
}


static ngx_inline ngx_media_segment_shm_t *
ngx_media_segment_record(const ngx_media_track_shm_t *t, uint64_t number)
{
    uint64_t  n;

    n = number % t->segment_size;

    return &t->segments[n / NGX_MEDIA_SEGMENT_PER_PAGE]
                       [n % NGX_MEDIA_SEGMENT_PER_PAGE];
}


static ngx_inline ngx_media_part_shm_t *
ngx_media_part_record(const ngx_media_track_shm_t *t, uint64_t index)
{
    uint64_t  n;

    n = index % t->part_size;

    return &t->parts[n / NGX_MEDIA_PART_PER_PAGE]
                    [n % NGX_MEDIA_PART_PER_PAGE];
}


#endif /* _NGX_MEDIA_STREAM_H_INCLUDED_ */
