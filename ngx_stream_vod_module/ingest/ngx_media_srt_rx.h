
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The receiving half of an SRT connection: what came is put in order, what is
 * missing is asked for, what is in order is acknowledged, and the payloads
 * are handed on when their time has come.  It knows no socket, no event loop
 * and no clock: the caller hands in datagrams and the time, in microseconds
 * of a clock that never goes back, and calls tick() after each batch of them
 * and whenever tick() said that it wants to be called.
 *
 * The clock: base is the least of arrival - time stamp of the last minute,
 * and a packet is due at base + time stamp + latency.  Due packets are handed
 * on in order; a gap is given up when the packet behind it is due.  "early":
 * what has no gap before it is handed on at once.
 */


#ifndef _NGX_MEDIA_SRT_RX_H_INCLUDED_
#define _NGX_MEDIA_SRT_RX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt.h"
#include "ingest/ngx_media_srt_rx_stat.h"
#include "ingest/ngx_media_srt_slots.h"


#define NGX_MEDIA_SRT_RX_WINDOW  8192         /* packets; handshakes say so */
#define NGX_MEDIA_SRT_RX_NEVER   ((ngx_msec_t) -1)


typedef struct ngx_media_srt_rx_s  ngx_media_srt_rx_t;


/*
 * A callback may end nothing: the receiver is destroyed by an event of its
 * own.  All but decrypt are called from tick() and flush() and, where room
 * has to be made, from data(); decrypt from data().
 */

typedef struct {
    ngx_media_srt_slots_t    *slots;          /* borrowed, outlives it */
    ngx_log_t                *log;
    uint32_t                  isn;            /* the caller's handshake */
    ngx_msec_t                latency;        /* negotiated, of our side */
    size_t                    room;           /* bytes of what is sent, without
                                                 the header, at most; less than
                                                 a full ACK's are as many */
    unsigned                  early:1;
    unsigned                  rexmit:1;       /* the peer marks what it sends
                                                 once more (flag 0x20) */

    /* a control packet; the caller puts the header before it */
    void                    (*send)(void *data, ngx_uint_t type, uint32_t info,
                                    const u_char *body, size_t len);

    /*
     * In place; NULL: nothing is encrypted.  NGX_DECLINED: it cannot be, and
     * the packet is dropped.
     */
    ngx_int_t               (*decrypt)(void *data, uint32_t seq,
                                       ngx_uint_t kk, u_char *pos,
                                       u_char *last);

    /*
     * In order, borrowed until it returns; at: base + time stamp + latency,
     * in microseconds of the clock that the caller hands in, whether it is
     * handed on then or earlier.
     */
    void                    (*deliver)(void *data, const u_char *pos,
                                       const u_char *last, int64_t at);

    /* so many packets are missing before the next one; each once */
    void                    (*gap)(void *data, ngx_uint_t packets);

    void                     *data;
} ngx_media_srt_rx_conf_t;


/* NULL: no memory.  conf is copied; destroy() hands nothing on */
ngx_media_srt_rx_t *ngx_media_srt_rx_create(
    const ngx_media_srt_rx_conf_t *conf, int64_t now);
void ngx_media_srt_rx_destroy(ngx_media_srt_rx_t *rx);

/*
 * A data packet whose payload is within slot->b.data.  NGX_OK: the slot is the
 * receiver's now, the caller gets another one; NGX_DECLINED: it is not wanted
 * (a duplicate, too late, not decrypted ...) and stays the caller's.
 */
ngx_int_t ngx_media_srt_rx_data(ngx_media_srt_rx_t *rx,
    ngx_media_srt_slot_t *slot, const ngx_media_srt_data_t *packet,
    int64_t now);

/* the time stamp of a control packet, of each one, handshakes too */
void ngx_media_srt_rx_stamp(ngx_media_srt_rx_t *rx, uint32_t ts);

void ngx_media_srt_rx_ackack(ngx_media_srt_rx_t *rx, uint32_t number,
    int64_t now);

/* the peer has from..to no more */
void ngx_media_srt_rx_dropreq(ngx_media_srt_rx_t *rx, uint32_t from,
    uint32_t to);

/*
 * Hands on what is due, acknowledges, asks for what is missing.  Returns in
 * how many milliseconds it wants to be called again, at the latest.
 */
ngx_msec_t ngx_media_srt_rx_tick(ngx_media_srt_rx_t *rx, int64_t now);

/* all that is held is handed on now: the peer has ended */
void ngx_media_srt_rx_flush(ngx_media_srt_rx_t *rx);

void ngx_media_srt_rx_stat(ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_stat_t *stat, int64_t now);


#endif /* _NGX_MEDIA_SRT_RX_H_INCLUDED_ */
