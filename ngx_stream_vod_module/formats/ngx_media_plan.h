
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Where the segments of a file begin.  One track, the clock, which is video
 * if there is any, decides for all: ngx_media_plan_make().  Its cuts are at
 * the key frames nearest to the multiples of the target duration, counted
 * from zero or from its first frame if that is before, and at the first key
 * frame of another sample description, never elsewhere; after its end, as
 * long as another track goes on, at every target duration.  The others
 * follow, ngx_media_plan_follow(): video at its own key frames nearest to
 * these times, audio and text with the first sample that is not before them.
 *
 * So all plans of a file have as many segments, and the n-th of them are of
 * the same time.  A track may have nothing there: it begins later, ends
 * sooner, or its key frames are too far apart, and then the segment before
 * goes on.  Such a segment has no samples and is not to be listed; its time
 * and duration mean nothing.
 *
 * A plan is memory without pointers, as an index is.  Times are in the
 * timescale of its track and on the time line of ngx_media_index.h: time is
 * the dts of the first sample, which is tfdt, and duration is the sum of the
 * durations.  Runs of equal segments are one entry.
 *
 * A track may be filled with silence (ngx_media_fill.h): its frames are
 * samples as others are, in segments and in numbers.
 *
 * A plan may be of a part of the file, a range.  Then its times count from
 * where the range begins, "origin".  As with the edits of an index, audio and
 * text start with the sample that goes on there, and video with the key frame
 * that is needed for it, at a time that may be negative.
 */


#ifndef _NGX_MEDIA_PLAN_H_INCLUDED_
#define _NGX_MEDIA_PLAN_H_INCLUDED_


#include "formats/ngx_media_fill.h"
#include "formats/ngx_media_frame.h"


/* a file that has more is not accepted: 36 hours of 2 s */
#define NGX_MEDIA_PLAN_SEGMENTS_MAX  65536


/* what of an index a plan is of, in its timescale */

typedef struct {
    uint32_t                  first;          /* number of a sample */
    uint32_t                  end;            /* after the last one */
    int64_t                   origin;         /* where times count from */
} ngx_media_plan_range_t;


/* equal segments */

typedef struct {
    int64_t                   time;           /* of the first */
    uint64_t                  duration;       /* of each */
    uint32_t                  segment;        /* number of the first */
    uint32_t                  count;
    uint32_t                  sample;         /* number, first of the first */
    uint32_t                  samples;        /* of each */
} ngx_media_plan_run_t;


/* the runs follow */

typedef struct {
    uint32_t                  size;           /* of all, this included */
    uint32_t                  timescale;
    uint32_t                  nruns;
    uint32_t                  nsegments;
    uint32_t                  nempty;         /* segments without samples */
    uint32_t                  last;           /* after the last one that has
                                                 samples */
    int64_t                   origin;         /* see above */
    int64_t                   start;          /* of the first sample */
    int64_t                   end;            /* of the last sample */
    uint64_t                  longest;        /* duration */
    uint64_t                  apart;          /* farthest from a common time
                                                 that a segment of video is */
    uint64_t                  bytes;          /* of all samples */
    uint64_t                  peak;           /* bit/s of the segment that has
                                                 most */
} ngx_media_plan_t;


typedef struct {
    int64_t                   time;
    uint64_t                  duration;
    uint32_t                  sample;
    uint32_t                  samples;
} ngx_media_plan_segment_t;


/*
 * Both are called twice: with plan NULL they set *size, then with memory of
 * that size.  NGX_DECLINED: too many segments; NGX_ERROR: broken index.
 *
 * range: NULL is all that is to be presented; fill: NULL is none, else it is
 * around that range; target: milliseconds, not 0; until: when the longest
 * track ends, in the timescale of this one, counted from the origin.
 */
ngx_int_t ngx_media_plan_make(ngx_media_plan_t *plan, size_t *size,
    const ngx_media_index_t *index, const ngx_media_plan_range_t *range,
    const ngx_media_fill_t *fill, uint32_t type, ngx_msec_t target,
    int64_t until);
ngx_int_t ngx_media_plan_follow(ngx_media_plan_t *plan, size_t *size,
    const ngx_media_index_t *index, const ngx_media_plan_range_t *range,
    const ngx_media_fill_t *fill, uint32_t type,
    const ngx_media_plan_t *clock);

/* [from, to) of a track, in its timescale, to its end for INT64_MAX; NGX_ERROR:
   broken index */
ngx_int_t ngx_media_plan_range(ngx_media_plan_range_t *range,
    const ngx_media_index_t *index, uint32_t type, int64_t from, int64_t to);

/* when the last sample of a track ends, from the origin; NGX_DONE: it has
   none; range as above */
ngx_int_t ngx_media_plan_end(const ngx_media_index_t *index,
    const ngx_media_plan_range_t *range, int64_t *end);

/* segment number n; NGX_DONE: there are not so many */
ngx_int_t ngx_media_plan_segment(const ngx_media_plan_t *plan, uint32_t n,
    ngx_media_plan_segment_t *segment);

/* value * to / from, rounded up; it wraps where it does not fit */
int64_t ngx_media_plan_rescale(int64_t value, uint32_t from, uint32_t to);


#endif /* _NGX_MEDIA_PLAN_H_INCLUDED_ */
