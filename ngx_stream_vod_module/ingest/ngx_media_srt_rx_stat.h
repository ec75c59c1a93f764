
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a receiver of SRT has counted and measured.
 */


#ifndef _NGX_MEDIA_SRT_RX_STAT_H_INCLUDED_
#define _NGX_MEDIA_SRT_RX_STAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* in packets, bytes of payload and microseconds, libsrt's names beside */

typedef struct {
    uint64_t                  recv;           /* pktRecv: all that came */
    uint64_t                  recv_bytes;     /* byteRecv */
    uint64_t                  unique;         /* pktRecvUnique: once each */
    uint64_t                  unique_bytes;   /* byteRecvUnique */
    uint64_t                  loss;           /* pktRcvLoss: were missing when
                                                 one behind them came */
    uint64_t                  drop;           /* pktRcvDrop: given up */
    uint64_t                  retrans;        /* pktRcvRetrans */
    uint64_t                  belated;        /* pktRcvBelated: after they were
                                                 given up */
    uint64_t                  duplicate;
    uint64_t                  undecrypt;      /* pktRcvUndecrypt */
    uint64_t                  undecrypt_bytes;
    uint64_t                  nomem;          /* no slot, no ring for it */
    uint64_t                  early;          /* handed on before their time:
                                                 there was no room */
    uint64_t                  jumps;          /* of the sequence number */
    uint64_t                  steps;          /* of the peer's clock */
    uint64_t                  ack;            /* pktSentACK */
    uint64_t                  nak;            /* pktSentNAK */
    uint64_t                  ackack;         /* pktRecvACKACK */
    ngx_uint_t                held;           /* pktRcvBuf */
    ngx_uint_t                missing;        /* asked for, still wanted */
    ngx_uint_t                size;           /* of the ring */
    ngx_uint_t                reorder;        /* pktReorderDistance: longest */
    uint64_t                  tolerance;      /* us that NAKs wait for it */
    uint64_t                  belated_time;   /* pktRcvAvgBelatedTime, us */
    uint64_t                  rtt;            /* msRTT, us */
    uint64_t                  rtt_var;
    uint64_t                  rate;           /* packets/s */
    uint64_t                  bytes;          /* mbpsRecvRate, bytes/s */
    uint64_t                  capacity;       /* mbpsBandwidth, packets/s */
    int64_t                   buffered;       /* msRcvBuf: time stamps from the
                                                 first to the last held, us */
} ngx_media_srt_rx_stat_t;


#endif /* _NGX_MEDIA_SRT_RX_STAT_H_INCLUDED_ */
