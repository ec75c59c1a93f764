
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the files of the receiver share.  Numbers of packets are unrolled
 * (ngx_media_srt_rx_ring.h):
 *
 *     next     end              high
 *      | had... | missing, had, ... |
 *
 * next is handed on next, all before end is acknowledged, the packet before
 * high is the last that came.  next <= end <= high, and no more than the
 * ring's size between the outer ones.
 */


#ifndef _NGX_MEDIA_SRT_RX_STATE_H_INCLUDED_
#define _NGX_MEDIA_SRT_RX_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_clock.h"
#include "ingest/ngx_media_srt_rate.h"
#include "ingest/ngx_media_srt_rx_ring.h"
#include "ingest/ngx_media_srt_rx.h"


#define NGX_MEDIA_SRT_RX_ACKS   128           /* whose ACKACK may come */
#define NGX_MEDIA_SRT_RX_WHILE  20000         /* us between ACKs, NAKs, at
                                                 least */
#define NGX_MEDIA_SRT_RX_EVER   0x7fffffffffffffffll


/* the ring's word of a packet that is missing: 30 bits of ms, and how often it
   was asked for, of NGX_MEDIA_SRT_RX_TIMES */

#define NGX_MEDIA_SRT_RX_TIMES  3

#define ngx_media_srt_rx_missing(ms, times)                                   \
    ((uint32_t) (ms) << 2 | (uint32_t) (times))
#define ngx_media_srt_rx_times(word)  ((word) & 3)

/* ms since then */
#define ngx_media_srt_rx_age(word, now)                                       \
    ((((uint32_t) (now) << 2) - ((word) & ~(uint32_t) 3)) >> 2)


struct ngx_media_srt_rx_s {
    ngx_media_srt_rx_conf_t   conf;
    ngx_media_srt_rx_ring_t      ring;
    ngx_media_srt_clock_t     clock;
    ngx_media_srt_rate_t      rate;

    uint64_t                  next;
    uint64_t                  end;
    uint64_t                  high;
    ngx_uint_t                held;           /* slots in the ring */
    ngx_uint_t                missing;        /* of end..high, still wanted */
    ngx_uint_t                behind;         /* one after the other that are
                                                 before all windows */

    int64_t                   latency;        /* us */
    int64_t                   nak_at;         /* something may be asked for */
    int64_t                   tolerance;      /* us, of reordering */
    int64_t                   reordered;      /* when it was last seen */

    uint64_t                  acked;          /* end of the last ACK */
    int64_t                   ack_sent;       /* when */
    uint32_t                  ack_number;     /* its number */
    int64_t                   rtt;            /* us */
    int64_t                   rtt_var;
    uint32_t                  ack_times[NGX_MEDIA_SRT_RX_ACKS];
                                              /* us, 0: is answered */
    unsigned                  unanswered:1;   /* the last ACK is */
    unsigned                  measured:1;     /* rtt is */

    ngx_media_srt_rx_stat_t   stat;           /* what is counted of it */
};


/* the first that is there to be handed on from number n on; high: none is */
uint64_t ngx_media_srt_rx_slot_from(const ngx_media_srt_rx_t *rx, uint64_t n);
ngx_media_srt_slot_t *ngx_media_srt_rx_slot(const ngx_media_srt_rx_t *rx,
    uint64_t n);

/* they return when they want to be called again */

int64_t ngx_media_srt_rx_ack(ngx_media_srt_rx_t *rx, int64_t now);
int64_t ngx_media_srt_rx_nak(ngx_media_srt_rx_t *rx, int64_t now);

/* number n, which was missing, has come, and was sent only once */
void ngx_media_srt_rx_reordered(ngx_media_srt_rx_t *rx, uint64_t n,
    int64_t now);


static ngx_inline uint64_t
ngx_media_srt_rx_unroll(const ngx_media_srt_rx_t *rx, uint32_t seq)
{
    return rx->high
           + (int64_t) ngx_media_srt_seq_diff(seq, rx->high
                                                   & NGX_MEDIA_SRT_SEQ_MAX);
}


#endif /* _NGX_MEDIA_SRT_RX_STATE_H_INCLUDED_ */
