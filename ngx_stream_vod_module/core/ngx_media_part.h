
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Writing tracks: parts go into the arena and become segments.  Each function
 * takes the stream's lock itself; what is written with an epoch that is over
 * is answered NGX_DECLINED.
 */


#ifndef _NGX_MEDIA_PART_H_INCLUDED_
#define _NGX_MEDIA_PART_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_store_shm.h"


#define NGX_MEDIA_PART_RUNS  3


/*
 * One part, written to the arena and listed, in all its forms or in none: puts
 * are nforms, 1 to NGX_MEDIA_FORMS, of which all but the first are asked for
 * data, key_size and segment->init only.  A segment has the forms of its first
 * part.  data: three runs of bytes, what is in front of a segment, header and
 * payload; timed data of its time comes between the first two.  The first part
 * of a segment opens it, with what is said in *segment.  NGX_OK, NGX_DECLINED,
 * NGX_ABORT: no memory, it was not stored.
 */
typedef struct {
    const ngx_media_segment_t
                             *segment;        /* but what parts add up to */
    uint32_t                  part;
    int64_t                   time;           /* dts of its first frame */
    uint32_t                  duration;
    uint32_t                  key_size;       /* of part 0, see segment, without
                                                 timed data */
    unsigned                  independent:1;
    ngx_str_t                 data[NGX_MEDIA_PART_RUNS];
    size_t                    size;           /* out, if OK: of all of it */
    uint64_t                  expect_number;  /* of the next part */
    uint32_t                  expect_part;
    const ngx_media_track_count_t
                             *count;          /* what the writer counts */
    uint32_t                  fps;            /* 1/1000 */
    int64_t                   drift;          /* ms, for status */
    unsigned                  parts_off:1;    /* this track lists none, */
    unsigned                  held:1;         /* or not now, */
    unsigned                  coarse:1;       /* or this segment */
} ngx_media_part_put_t;

ngx_int_t ngx_media_part_put(const ngx_media_claim_t *claim,
    ngx_uint_t track, ngx_media_part_put_t *puts, ngx_uint_t nforms);

/* the open segment, if there is one, is complete */
ngx_int_t ngx_media_segment_close(const ngx_media_claim_t *claim,
    ngx_uint_t track);
/* the open segment's period is *segment's, and has runs */
void ngx_media_segment_runs(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_segment_t *segment);

/* BANDWIDTH goes up to this (bit/s), never down */
void ngx_media_track_bandwidth(const ngx_media_claim_t *claim,
    ngx_uint_t track, uint64_t bandwidth);


/* between the files that change streams: the stream is locked */

void ngx_media_stream_unlist_locked(ngx_media_stream_shm_t *s);
void ngx_media_segment_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t);
void ngx_media_segment_close_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t);
void ngx_media_track_leave_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
void ngx_media_extent_unref_locked(ngx_media_zone_t *zone, uint32_t extent);


#endif /* _NGX_MEDIA_PART_H_INCLUDED_ */
