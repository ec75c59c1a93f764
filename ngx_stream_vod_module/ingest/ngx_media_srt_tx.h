
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One receiver of SRT (draft-sharabayko-srt): what it is sent of a ring, when,
 * and what once more.  A receiver is where it began: its first sequence number
 * is one payload of the ring, so that all others are one subtraction.
 *
 *     create -> [start] -> peek, send, sent, peek, ... -> destroy
 *                     ack, nak: as they come
 *
 * It begins with the newest key payload, if that is under 2 s old, or waits
 * for one.  What is older than now is sent at 4 times the rate of the ring,
 * then each payload as it comes: at 1.25 times the rate, or as fast as all that
 * is due leaves within a quarter of the latency, at most 8 times; some packets
 * may go at once.  What was asked for again goes first.  No more is on its way
 * than the receiver had room for at its last full ACK.  What is older than its
 * latency, and than a second, by 20 ms, is not sent any more, and who asks for
 * it is told so.
 *
 * The time stamp of a packet is when it was due, of a repeated one, too.  It
 * knows no clock: now is us, monotonic, as the times of the ring.
 */


#ifndef _NGX_MEDIA_SRT_TX_H_INCLUDED_
#define _NGX_MEDIA_SRT_TX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_ring.h"


/* of a data packet */
#define NGX_MEDIA_SRT_TX_HEADER    16

#define NGX_MEDIA_SRT_TX_NEVER     ((ngx_msec_t) -1)


typedef struct ngx_media_srt_tx_s  ngx_media_srt_tx_t;


typedef struct {
    const ngx_media_srt_ring_t  *ring;        /* borrowed until destroy() */
    ngx_log_t                *log;            /* the same */
    uint32_t                  isn;            /* of the handshake */
    uint32_t                  id;             /* the peer's socket */
    ngx_uint_t                window;         /* packets, of its handshake */
    ngx_uint_t                latency;        /* ms, the peer's */
    int64_t                   base;           /* us: time stamps begin here */

    /*
     * A control packet of this type: who is called puts header, time stamp and
     * the peer's id before it.  It ends nothing.
     */
    void                    (*send)(void *data, ngx_uint_t type,
                                uint32_t info, const u_char *body,
                                size_t len);
    void                     *data;
} ngx_media_srt_tx_conf_t;


/* a data packet that is to be sent: a header of its own and a payload that is
   borrowed until the ring is written to */

typedef struct {
    u_char                    header[NGX_MEDIA_SRT_TX_HEADER];
    uint64_t                  index;          /* of the ring */
    uint32_t                  seq;
    const u_char             *pos;
    const u_char             *last;
    unsigned                  repeated:1;
} ngx_media_srt_tx_packet_t;


/* as libsrt has them */

typedef struct {
    uint64_t                  packets;        /* pktSent, with repeats */
    uint64_t                  bytes;          /* byteSent, the same, payloads */
    uint64_t                  unique;         /* pktSentUnique */
    uint64_t                  repeats;        /* pktRetrans */
    uint64_t                  lost;           /* pktSndLoss: in NAKs */
    uint64_t                  dropped;        /* pktSndDrop: too late */
    uint64_t                  acks;           /* pktRecvACK */
    uint64_t                  naks;           /* pktRecvNAK */
    uint64_t                  wrong;          /* ACKs and NAKs of what was not
                                                 sent, or malformed */
    uint32_t                  rtt;            /* us */
    uint32_t                  rttvar;         /* us */
    uint32_t                  room;           /* packets, of the last ACK */
    uint32_t                  flight;         /* packets, not acknowledged */
} ngx_media_srt_tx_stat_t;


/* NULL: no memory */
ngx_media_srt_tx_t *ngx_media_srt_tx_create(
    const ngx_media_srt_tx_conf_t *conf);
void ngx_media_srt_tx_destroy(ngx_media_srt_tx_t *tx);

/*
 * At most n packets that may leave now, in the order in which they should;
 * returns their number.  And: the first n of them have left; it is asked again
 * for the others.
 */
ngx_uint_t ngx_media_srt_tx_peek(ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_packet_t *packets, ngx_uint_t n, int64_t now);
void ngx_media_srt_tx_sent(ngx_media_srt_tx_t *tx,
    const ngx_media_srt_tx_packet_t *packets, ngx_uint_t n, int64_t now);

/* ms until peek() may have some without anything coming; or _NEVER */
ngx_msec_t ngx_media_srt_tx_wait(const ngx_media_srt_tx_t *tx, int64_t now);

/* bodies of control packets, info is the second word of their headers */
void ngx_media_srt_tx_ack(ngx_media_srt_tx_t *tx, uint32_t info,
    const u_char *pos, const u_char *last, int64_t now);
void ngx_media_srt_tx_nak(ngx_media_srt_tx_t *tx, const u_char *pos,
    const u_char *last, int64_t now);

void ngx_media_srt_tx_stat(const ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_stat_t *stat);


#endif /* _NGX_MEDIA_SRT_TX_H_INCLUDED_ */
