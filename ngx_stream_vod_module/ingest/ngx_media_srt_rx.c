
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt_control.h"
#include "ingest/ngx_media_srt_rx.h"
#include "ingest/ngx_media_srt_rx_state.h"


#define NGX_MEDIA_SRT_RX_RTT      100000      /* us; a sender takes the pair */
#define NGX_MEDIA_SRT_RX_RTT_VAR  50000       /* for "not yet known" */

/* so many in a row from before all windows are no late ones: it went back */
#define NGX_MEDIA_SRT_RX_BEHIND   64


static ngx_int_t ngx_media_srt_rx_before(ngx_media_srt_rx_t *rx, uint64_t n,
    int64_t ts, ngx_uint_t repeated, int64_t now);
static void ngx_media_srt_rx_room(ngx_media_srt_rx_t *rx, uint64_t n);
static void ngx_media_srt_rx_jump(ngx_media_srt_rx_t *rx, uint64_t n);
static ngx_int_t ngx_media_srt_rx_place(ngx_media_srt_rx_t *rx, uint64_t n,
    const ngx_media_srt_data_t *packet, int64_t now);
static ngx_int_t ngx_media_srt_rx_decrypt(ngx_media_srt_rx_t *rx,
    ngx_media_srt_slot_t *slot, const ngx_media_srt_data_t *packet);
static int64_t ngx_media_srt_rx_hand(ngx_media_srt_rx_t *rx, int64_t now,
    uint64_t force);
static void ngx_media_srt_rx_deliver(ngx_media_srt_rx_t *rx,
    ngx_media_srt_slot_t *slot, int64_t at);
static void ngx_media_srt_rx_give_up(ngx_media_srt_rx_t *rx, uint64_t to);
static void ngx_media_srt_rx_end(ngx_media_srt_rx_t *rx);


ngx_media_srt_rx_t *
ngx_media_srt_rx_create(const ngx_media_srt_rx_conf_t *conf, int64_t now)
{
    ngx_media_srt_rx_t  *rx;

    rx = ngx_calloc(sizeof(ngx_media_srt_rx_t), conf->log);
    if (rx == NULL) {
        return NULL;
    }

    if (ngx_media_srt_rx_ring_init(&rx->ring, conf->log) != NGX_OK) {
        ngx_free(rx);
        return NULL;
    }

    rx->conf = *conf;
    rx->conf.room = ngx_max(conf->room, NGX_MEDIA_SRT_ACK_SIZE);
    rx->conf.room = ngx_min(rx->conf.room, NGX_MEDIA_SRT_NAK_SIZE);
    rx->latency = (int64_t) conf->latency * 1000;

    /* far enough from 0 that all that is before it is positive */

    rx->next = ((uint64_t) 1 << 32) + conf->isn;
    rx->end = rx->next;
    rx->high = rx->next;
    rx->acked = rx->next;

    rx->nak_at = NGX_MEDIA_SRT_RX_EVER;
    rx->ack_sent = now - NGX_MEDIA_SRT_RX_WHILE;
    rx->reordered = now;
    rx->rtt = NGX_MEDIA_SRT_RX_RTT;
    rx->rtt_var = NGX_MEDIA_SRT_RX_RTT_VAR;

    ngx_media_srt_rate_init(&rx->rate, now);
    ngx_media_srt_slots_join(conf->slots);

    return rx;
}


void
ngx_media_srt_rx_destroy(ngx_media_srt_rx_t *rx)
{
    uint64_t  n;

    while (rx->held) {
        n = ngx_media_srt_rx_slot_from(rx, rx->next);

        ngx_media_srt_slots_put(rx->conf.slots, ngx_media_srt_rx_slot(rx, n));

        rx->held--;
        rx->next = n + 1;
    }

    ngx_media_srt_slots_leave(rx->conf.slots);
    ngx_media_srt_rx_ring_done(&rx->ring);
    ngx_free(rx);
}


void
ngx_media_srt_rx_stamp(ngx_media_srt_rx_t *rx, uint32_t ts)
{
    (void) ngx_media_srt_clock_unroll(&rx->clock, ts);
}


ngx_int_t
ngx_media_srt_rx_data(ngx_media_srt_rx_t *rx, ngx_media_srt_slot_t *slot,
    const ngx_media_srt_data_t *packet, int64_t now)
{
    size_t      len;
    int64_t     ts;
    uint64_t    n;
    ngx_uint_t  repeated;

    len = packet->last - packet->pos;
    ts = ngx_media_srt_clock_unroll(&rx->clock, packet->ts);
    n = ngx_media_srt_rx_unroll(rx, packet->seq);
    repeated = rx->conf.rexmit && packet->rexmit;

    rx->stat.recv++;
    rx->stat.recv_bytes += len;
    rx->stat.retrans += repeated;

    ngx_media_srt_clock_sample(&rx->clock, ts, now, repeated, rx->latency);
    ngx_media_srt_rate_packet(&rx->rate, packet->seq, len,
                              !repeated && n == rx->high, now);

    if (n < rx->next
        && ngx_media_srt_rx_before(rx, n, ts, repeated, now) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rx->behind = 0;

    if (n - rx->next >= rx->ring.size) {
        ngx_media_srt_rx_room(rx, n);
    }

    if (ngx_media_srt_rx_place(rx, n, packet, now) != NGX_OK
        || ngx_media_srt_rx_decrypt(rx, slot, packet) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rx->stat.unique++;
    rx->stat.unique_bytes += len;

    /* one that is repeated may be stamped with what is still to come */

    slot->ts = ngx_min(ts, now - rx->clock.base);
    slot->pos = packet->pos - slot->data;
    slot->len = len;

    *ngx_media_srt_rx_ring_word(&rx->ring, n) = slot->number;
    rx->held++;

    return NGX_OK;
}


/* NGX_OK: it is not too late, it is the next one now */

static ngx_int_t
ngx_media_srt_rx_before(ngx_media_srt_rx_t *rx, uint64_t n, int64_t ts,
    ngx_uint_t repeated, int64_t now)
{
    int64_t  late;

    if (!repeated
        && rx->next - n >= NGX_MEDIA_SRT_RX_WINDOW
        && ++rx->behind >= NGX_MEDIA_SRT_RX_BEHIND)
    {
        ngx_media_srt_rx_jump(rx, n);
        return NGX_OK;
    }

    late = now - (rx->clock.base + ts + rx->latency);
    late = ngx_max(late, 0);

    rx->stat.belated_time = (rx->stat.belated == 0)
                            ? (uint64_t) late
                            : (7 * rx->stat.belated_time + late) / 8;
    rx->stat.belated++;

    return NGX_DECLINED;
}


/* the ring becomes larger, or what is in it is handed on before its time */

static void
ngx_media_srt_rx_room(ngx_media_srt_rx_t *rx, uint64_t n)
{
    ngx_uint_t  held;

    if (n < rx->high + NGX_MEDIA_SRT_RX_WINDOW
        && ngx_media_srt_rx_ring_grow(&rx->ring, rx->next, rx->high,
                                   n - rx->next + 1, rx->conf.log)
           != NGX_OK)
    {
        rx->stat.nomem++;
    }

    if (n - rx->next < rx->ring.size) {
        return;
    }

    if (n >= rx->high + rx->ring.size) {
        ngx_media_srt_rx_jump(rx, n);
        return;
    }

    held = rx->held;

    (void) ngx_media_srt_rx_hand(rx, 0, n + 1 - rx->ring.size);

    rx->stat.early += held - rx->held;
}


/* all that is missing before number n is one gap, and it is the next one */

static void
ngx_media_srt_rx_jump(ngx_media_srt_rx_t *rx, uint64_t n)
{
    ngx_log_debug3(NGX_LOG_DEBUG_CORE, rx->conf.log, 0,
                   "media srt jumps from %uD to %uD, held:%ui",
                   (uint32_t) (rx->high & NGX_MEDIA_SRT_SEQ_MAX),
                   (uint32_t) (n & NGX_MEDIA_SRT_SEQ_MAX), rx->held);

    (void) ngx_media_srt_rx_hand(rx, NGX_MEDIA_SRT_RX_EVER, rx->high);

    rx->stat.jumps++;
    rx->conf.gap(rx->conf.data, n > rx->high ? n - rx->high : 1);

    rx->next = n;
    rx->end = n;
    rx->high = n;
}


/* NGX_OK: it is wanted, and its place in the ring, which is there, is its */

static ngx_int_t
ngx_media_srt_rx_place(ngx_media_srt_rx_t *rx, uint64_t n,
    const ngx_media_srt_data_t *packet, int64_t now)
{
    uint32_t               *word;
    ngx_media_srt_rx_ring_t   *ring;

    ring = &rx->ring;
    word = ngx_media_srt_rx_ring_word(ring, n);

    if (n < rx->high) {

        if (!ngx_media_srt_rx_ring_test(ring, ring->have, n)) {
            rx->missing--;

            if (rx->conf.rexmit && !packet->rexmit) {
                ngx_media_srt_rx_reordered(rx, n, now);
            }

        } else if (*word != NGX_MEDIA_SRT_SLOT_NONE) {
            rx->stat.duplicate++;
            return NGX_DECLINED;
        }

    } else {
        rx->stat.loss += n - rx->high;

        if (n != rx->high) {
            rx->missing += n - rx->high;
            rx->nak_at = ngx_min(rx->nak_at, now + rx->tolerance);
        }

        while (rx->high < n) {
            *ngx_media_srt_rx_ring_word(ring, rx->high++) =
                                  ngx_media_srt_rx_missing(now / 1000, 0);
        }

        rx->high = n + 1;
    }

    *word = NGX_MEDIA_SRT_SLOT_NONE;
    ngx_media_srt_rx_ring_set(ring, ring->have, n);

    ngx_media_srt_rx_end(rx);

    return NGX_OK;
}


static ngx_int_t
ngx_media_srt_rx_decrypt(ngx_media_srt_rx_t *rx, ngx_media_srt_slot_t *slot,
    const ngx_media_srt_data_t *packet)
{
    u_char  *pos, *last;

    pos = slot->data + (packet->pos - slot->data);
    last = slot->data + (packet->last - slot->data);

    if (rx->conf.decrypt == NULL) {

        if (packet->kk == NGX_MEDIA_SRT_KK_CLEAR) {
            return NGX_OK;
        }

    } else if (rx->conf.decrypt(rx->conf.data, packet->seq, packet->kk, pos,
                                last)
               == NGX_OK)
    {
        return NGX_OK;
    }

    /* sent once more it would be the same: it is not asked for again */

    rx->stat.undecrypt++;
    rx->stat.undecrypt_bytes += last - pos;

    return NGX_DECLINED;
}


void
ngx_media_srt_rx_dropreq(ngx_media_srt_rx_t *rx, uint32_t from, uint32_t to)
{
    uint64_t               n, last;
    ngx_media_srt_rx_ring_t  *ring;

    /*
     * What was not yet seen to be missing will be asked for, and answered
     * so again: an ACK may not name what did not come.
     */

    ring = &rx->ring;

    n = ngx_max(ngx_media_srt_rx_unroll(rx, from), rx->end);
    last = ngx_min(ngx_media_srt_rx_unroll(rx, to) + 1, rx->high);

    while (n < last) {

        if (!ngx_media_srt_rx_ring_test(ring, ring->have, n)) {
            *ngx_media_srt_rx_ring_word(ring, n) = NGX_MEDIA_SRT_SLOT_NONE;
            ngx_media_srt_rx_ring_set(ring, ring->have, n);
            rx->missing--;
        }

        n++;
    }

    ngx_media_srt_rx_end(rx);
}


ngx_msec_t
ngx_media_srt_rx_tick(ngx_media_srt_rx_t *rx, int64_t now)
{
    int64_t  at, due;

    due = ngx_media_srt_rx_hand(rx, now, 0);

    while (rx->held && ngx_media_srt_slots_tight(rx->conf.slots, rx->held)) {
        rx->stat.early++;
        due = ngx_media_srt_rx_hand(rx, now,
                                    ngx_media_srt_rx_slot_from(rx, rx->next)
                                    + 1);
    }

    at = ngx_media_srt_rx_ack(rx, now);
    due = ngx_min(due, at);

    at = ngx_media_srt_rx_nak(rx, now);
    due = ngx_min(due, at);

    if (due == NGX_MEDIA_SRT_RX_EVER) {
        return NGX_MEDIA_SRT_RX_NEVER;
    }

    return (due > now) ? (ngx_msec_t) ((due - now + 999) / 1000) : 1;
}


void
ngx_media_srt_rx_flush(ngx_media_srt_rx_t *rx)
{
    (void) ngx_media_srt_rx_hand(rx, NGX_MEDIA_SRT_RX_EVER, rx->high);
}


/*
 * Hands on what is due at "now", and all before "force", due or not.  Returns
 * when the next packet is due.
 */

static int64_t
ngx_media_srt_rx_hand(ngx_media_srt_rx_t *rx, int64_t now, uint64_t force)
{
    int64_t                at;
    uint64_t               n;
    ngx_media_srt_slot_t  *slot;

    at = NGX_MEDIA_SRT_RX_EVER;

    while (rx->held) {
        n = ngx_media_srt_rx_slot_from(rx, rx->next);
        slot = ngx_media_srt_rx_slot(rx, n);

        at = rx->clock.base + slot->ts + rx->latency;

        if (at > now && n >= force && !(rx->conf.early && n < rx->end)) {
            break;
        }

        ngx_media_srt_rx_give_up(rx, n);
        ngx_media_srt_rx_deliver(rx, slot, at);

        at = NGX_MEDIA_SRT_RX_EVER;
    }

    if (force > rx->next) {
        ngx_media_srt_rx_give_up(rx, ngx_min(force, rx->high));
    }

    return at;
}


uint64_t
ngx_media_srt_rx_slot_from(const ngx_media_srt_rx_t *rx, uint64_t n)
{
    for ( ;; ) {
        n = ngx_media_srt_rx_ring_find(&rx->ring, n, rx->high, 1);

        if (n == rx->high
            || *ngx_media_srt_rx_ring_word(&rx->ring, n)
               != NGX_MEDIA_SRT_SLOT_NONE)
        {
            return n;
        }

        n++;
    }
}


static void
ngx_media_srt_rx_deliver(ngx_media_srt_rx_t *rx, ngx_media_srt_slot_t *slot,
    int64_t at)
{
    u_char  *pos;

    ngx_media_srt_rx_ring_clear(&rx->ring, rx->ring.have, rx->next);

    rx->next++;
    rx->held--;

    pos = slot->data + slot->pos;

    rx->conf.deliver(rx->conf.data, pos, pos + slot->len, at);

    ngx_media_srt_slots_put(rx->conf.slots, slot);
}


/* nothing is held of what is before number "to", and nothing will be */

static void
ngx_media_srt_rx_give_up(ngx_media_srt_rx_t *rx, uint64_t to)
{
    uint64_t               n;
    ngx_media_srt_rx_ring_t  *ring;

    if (rx->next == to) {
        return;
    }

    ring = &rx->ring;

    for (n = rx->next; n < to; n++) {
        rx->missing -= !ngx_media_srt_rx_ring_test(ring, ring->have, n);

        ngx_media_srt_rx_ring_clear(ring, ring->have, n);
    }

    n = to - rx->next;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, rx->conf.log, 0,
                   "media srt gives up %uL from %uD, rtt:%L missing:%ui",
                   n, (uint32_t) (rx->next & NGX_MEDIA_SRT_SEQ_MAX), rx->rtt,
                   rx->missing);

    rx->stat.drop += n;
    rx->next = to;

    ngx_media_srt_rx_end(rx);

    rx->conf.gap(rx->conf.data, n);
}


/* end goes on over what is there, or is given up */

static void
ngx_media_srt_rx_end(ngx_media_srt_rx_t *rx)
{
    rx->end = ngx_media_srt_rx_ring_find(&rx->ring, ngx_max(rx->end, rx->next),
                                      rx->high, 0);
}


ngx_media_srt_slot_t *
ngx_media_srt_rx_slot(const ngx_media_srt_rx_t *rx, uint64_t n)
{
    return ngx_media_srt_slots_at(rx->conf.slots,
                                  *ngx_media_srt_rx_ring_word(&rx->ring, n));
}


void
ngx_media_srt_rx_stat(ngx_media_srt_rx_t *rx, ngx_media_srt_rx_stat_t *stat,
    int64_t now)
{
    uint64_t  n;

    *stat = rx->stat;

    stat->held = rx->held;
    stat->missing = rx->missing;
    stat->size = rx->ring.size;
    stat->tolerance = rx->tolerance;
    stat->rtt = rx->rtt;
    stat->rtt_var = rx->rtt_var;
    stat->steps = rx->clock.steps;
    stat->rate = ngx_media_srt_rate_packets(&rx->rate, now);
    stat->bytes = ngx_media_srt_rate_bytes(&rx->rate, now);
    stat->capacity = ngx_media_srt_rate_capacity(&rx->rate);
    stat->buffered = 0;

    if (rx->held == 0) {
        return;
    }

    n = rx->high - 1;

    while (!ngx_media_srt_rx_ring_test(&rx->ring, rx->ring.have, n)
           || *ngx_media_srt_rx_ring_word(&rx->ring, n)
              == NGX_MEDIA_SRT_SLOT_NONE)
    {
        n--;
    }

    stat->buffered = ngx_media_srt_rx_slot(rx, n)->ts;

    n = ngx_media_srt_rx_slot_from(rx, rx->next);

    stat->buffered -= ngx_media_srt_rx_slot(rx, n)->ts;
}
