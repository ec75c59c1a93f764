
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Where segments and parts end: policy, pure (timing.md, 3, 4 and 7).
 * Times are in the timescale of the clock track.
 */


#ifndef _NGX_MEDIA_SEGMENTER_H_INCLUDED_
#define _NGX_MEDIA_SEGMENTER_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


#define NGX_MEDIA_CUT_NONE    0
#define NGX_MEDIA_CUT_KEY     1         /* starts at a random access point */
#define NGX_MEDIA_CUT_FORCED  2         /* does not */


typedef struct {
    uint32_t                  type;           /* ngx_media_type_e of the
                                                 clock track */
    uint32_t                  timescale;
    int64_t                   segment;        /* s, in timescale */
    int64_t                   max;            /* H, in timescale */

    int64_t                   period;         /* pts of the period's first */
    int64_t                   start;          /* pts of the segment's first */
    int64_t                   key;            /* pts of the last key frame */
    int64_t                   gap;            /* g */
    int64_t                   gap_max;        /* gmax, slowly forgotten */
    int64_t                   gap_recent;
    int64_t                   gap_old;
    int64_t                   aligned;        /* audio: the next multiple */
    ngx_uint_t                keys;           /* key frames seen */
    int64_t                   duration;       /* of a frame, the last */
    ngx_uint_t                regular;        /* equal gaps in a row */
    unsigned                  early:1;        /* the next cut is made as soon
                                                 as may be */
    unsigned                  awaited:1;      /* and by force before "max":
                                                 a playlist waits for it */
    unsigned                  aligning:1;     /* no cut has passed a multiple
                                                 of s since the period began */
} ngx_media_segmenter_t;


/* segment, max: ms */
void ngx_media_segmenter_init(ngx_media_segmenter_t *s,
    ngx_media_type_e type, uint32_t timescale, ngx_uint_t segment,
    ngx_uint_t max);

/* a segment starts with the frame at pts, whatever the rules say */
void ngx_media_segmenter_start(ngx_media_segmenter_t *s, int64_t pts,
    ngx_uint_t period);

/*
 * The segment at hand ends early, at the first key frame that leaves it a
 * quarter of s.  awaited: it is the first of a track, whose playlist waits for
 * it; it ends by force after one and a half s, should max be longer.
 */
void ngx_media_segmenter_hurry(ngx_media_segmenter_t *s, ngx_uint_t awaited);

/*
 * Before each frame of the clock track but the first of a period: does a new
 * segment start with it?  On a cut the state has moved on to the new one.
 * pts: of a key frame its pts, of any other its dts (there the segment would
 * start).  Media time is taken for the wall clock (first cut of a period).
 */
ngx_uint_t ngx_media_segmenter_frame(ngx_media_segmenter_t *s, int64_t pts,
    int64_t duration, ngx_uint_t key);

/* were the key frames of a segment that ends by force too far apart for max? */
ngx_uint_t ngx_media_segmenter_apart(const ngx_media_segmenter_t *s,
    int64_t pts);

/*
 * Will a frame at pts, the next one expected, start a segment, judging by
 * regular key frames?  For the preload hint only: it may be wrong.
 */
ngx_uint_t ngx_media_segmenter_expects(const ngx_media_segmenter_t *s,
    int64_t pts);

/* may it, since any key frame would, and nobody knows when one comes? */
ngx_uint_t ngx_media_segmenter_unsure(const ngx_media_segmenter_t *s,
    int64_t pts);

/* PART-TARGET in 1/10000 s from the configured part duration in ms */
uint32_t ngx_media_part_target(ngx_uint_t part);

/* the fraction of usual frame durations that cannot reach 85 % of target:
 * how many of the table's entries; 0 is good; for the configuration warning */
ngx_uint_t ngx_media_part_misfits(uint32_t target);

/*
 * Whether a part of this duration can take one more frame of duration d
 * without exceeding target; exact.
 */
static ngx_inline ngx_uint_t
ngx_media_part_fits(uint32_t target, uint32_t timescale, uint64_t duration,
    uint64_t d)
{
    return (duration + d) * 10000 <= (uint64_t) target * timescale;
}


#endif /* _NGX_MEDIA_SEGMENTER_H_INCLUDED_ */
