
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Where a segment starts, in all tracks and in one of them; and how times of
 * tracks that count differently are compared.
 */


#ifndef _NGX_MEDIA_CUT_H_INCLUDED_
#define _NGX_MEDIA_CUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


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
    unsigned                  apart:1;        /* time does not go on here from
                                                 what was before */
} ngx_media_cut_t;


/* where a segment of one track starts, and ends, for what is derived of it */

typedef struct {
    uint64_t                  number;
    uint32_t                  timescale;
    int64_t                   time;           /* dts of its first frame, */
    int64_t                   shown;          /* its pts */
    int64_t                   end;            /* 0: it is open */
} ngx_media_start_t;


/* in two steps: times of the unix epoch would overflow */

static ngx_inline int64_t
ngx_media_rescale(int64_t time, uint32_t from, uint32_t to)
{
    return time / (int64_t) from * to + time % (int64_t) from * to / from;
}


/* is time / timescale not before other / scale; seconds first: no overflow */

static ngx_inline ngx_uint_t
ngx_media_time_reached(int64_t time, uint32_t timescale, int64_t other,
    uint32_t scale)
{
    int64_t  a, b;

    a = time / (int64_t) timescale;
    b = other / (int64_t) scale;

    if (a != b) {
        return a > b;
    }

    return time % (int64_t) timescale * scale
           >= other % (int64_t) scale * timescale;
}


/* has a track come to the cut, with a frame at this time of its own */

static ngx_inline ngx_uint_t
ngx_media_cut_reached(const ngx_media_cut_t *cut, int64_t time,
    uint32_t timescale)
{
    return ngx_media_time_reached(time, timescale, cut->time, cut->timescale);
}


#endif /* _NGX_MEDIA_CUT_H_INCLUDED_ */
