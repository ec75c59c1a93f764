
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Times of packets: steady ones from rounded ones, and decode times.
 */


#ifndef _NGX_MEDIA_VOD_AV_TIMES_H_INCLUDED_
#define _NGX_MEDIA_VOD_AV_TIMES_H_INCLUDED_


#include "files/ngx_media_vod_av.h"


typedef struct {
    int64_t                   dts;
    int64_t                   pts;
} ngx_media_vod_av_time_t;


/* frame after frame, from the last stamp that was taken as it is; zeroed, then
   num and den are set */

typedef struct {
    int64_t                   anchor;         /* ns */
    uint64_t                  ticks;          /* since then, of what came */
    uint32_t                  num;            /* ticks in a second: num/den */
    uint32_t                  den;
    ngx_uint_t                steps;          /* stamps taken, but the first */
    ngx_uint_t                started;
} ngx_media_vod_av_clock_t;

/*
 * The times of all packets, less "origin", in ticks of a second; times has
 * t->npackets.  *last is how long the last one is.
 */
ngx_int_t ngx_media_vod_av_times(const ngx_media_vod_av_track_t *t,
    int64_t origin, uint32_t timescale, ngx_media_vod_av_time_t *times,
    uint64_t *last);

/* the stamp, or what it is meant to be, ns; then ticks are to be added */
int64_t ngx_media_vod_av_clock(ngx_media_vod_av_clock_t *clock,
    int64_t stamp);


#endif /* _NGX_MEDIA_VOD_AV_TIMES_H_INCLUDED_ */
