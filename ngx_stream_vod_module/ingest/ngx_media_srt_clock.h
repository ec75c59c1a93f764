
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * When a packet of SRT was sent, by our clock.  Time stamps are 32 bits of
 * microseconds since the peer's session began and wrap after 71.6 minutes;
 * those of all datagrams are followed, so that no wrap is missed while
 * there is nothing but keepalives.
 *
 * base + time stamp is when the packet would have come on the fastest way.
 * base is the least of arrival - time stamp of the last minute: it falls at
 * once and rises by a millisecond a second, so that jitter and a queue that
 * lasts for seconds move nothing, and the drift of clocks is followed.
 */


#ifndef _NGX_MEDIA_SRT_CLOCK_H_INCLUDED_
#define _NGX_MEDIA_SRT_CLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MEDIA_SRT_CLOCK_BUCKETS  8
#define NGX_MEDIA_SRT_CLOCK_BUCKET   7500000  /* us: 60 s in all */


typedef struct {
    int64_t                   last;           /* the newest stamp, unrolled */
    int64_t                   base;           /* us of our clock */
    int64_t                   moved;          /* base has risen up to here */
    int64_t                   begin;          /* of the current bucket */
    int64_t                   least[NGX_MEDIA_SRT_CLOCK_BUCKETS];
    ngx_uint_t                bucket;         /* the current one */
    uint64_t                  steps;          /* that base did not walk */
    unsigned                  stamped:1;      /* last is known */
    unsigned                  based:1;        /* base is known */
    unsigned                  firm:1;         /* of a packet sent once */
} ngx_media_srt_clock_t;


/* zeroed memory is a clock that knows nothing */

/* a time stamp in 64 bits; stamps half an hour before the newest are known */
int64_t ngx_media_srt_clock_unroll(ngx_media_srt_clock_t *clock, uint32_t ts);

/*
 * A data packet came.  repeated: it was sent later than its stamp says, and
 * counts only until another one comes.  latency in us: where nothing came
 * within it during a whole bucket, base steps.
 */
void ngx_media_srt_clock_sample(ngx_media_srt_clock_t *clock, int64_t ts,
    int64_t now, ngx_uint_t repeated, int64_t latency);


#endif /* _NGX_MEDIA_SRT_CLOCK_H_INCLUDED_ */
