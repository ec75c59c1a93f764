
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A receiver of SRT, for tests and fuzzing: it is given packets by number, and
 * all that it says or hands on is held against what has to be true whatever
 * came.  The first thing that is not is kept in srt.wrong.
 *
 * A packet's payload begins with its number, counted from the first, and the
 * time when it came, 8 bytes each.
 */


#ifndef _MEDIA_SRT_H_INCLUDED_
#define _MEDIA_SRT_H_INCLUDED_


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_srt_control.h"
#include "ingest/ngx_media_srt_rx_state.h"
#include "ngx_stub.h"


#define SRT_SIZE  1316


typedef struct srt_s  srt_t;

struct srt_s {
    ngx_media_srt_slots_t     *slots;
    ngx_media_srt_rx_t        *rx;
    ngx_media_srt_rx_stat_t    stat;         /* by srt_stat() */
    const char                *wrong;
    int64_t                    now;          /* us */
    uint64_t                   first;        /* the receiver's number of 0 */

    /* what it was told */
    uint32_t                   highest;      /* number that came */
    unsigned                   came:1;
    unsigned                   jumps:1;      /* numbers may do anything */

    /* what it said */
    ngx_media_srt_ack_t        ack;
    uint32_t                   ack_number;
    int64_t                    ack_time;
    uint32_t                   nak_from;     /* the last range */
    uint32_t                   nak_to;
    ngx_uint_t                 nak_ranges;   /* of the last NAK */
    ngx_uint_t                 nak_packets;  /* of all, with those repeated */

    /* what it handed on */
    uint64_t                   next;         /* number */
    ngx_uint_t                 handed;
    ngx_uint_t                 gaps;
    ngx_uint_t                 gap;          /* packets of all gaps */
    int64_t                    at;           /* of the last */
    int64_t                    late;         /* the longest after its time */
    int64_t                    waited;       /* and of that after it came */
    int64_t                    early;        /* the longest before */

    ngx_int_t                (*decrypt)(srt_t *srt, uint32_t seq,
                                        ngx_uint_t kk);
    void                     (*send)(srt_t *srt, ngx_uint_t type,
                                     uint32_t info, const u_char *body,
                                     size_t len);
    void                      *data;
};


static void
srt_wrong(srt_t *srt, const char *text)
{
    if (srt->wrong == NULL) {
        srt->wrong = text;
    }
}


/* where numbers go back it is as the receiver says */

static uint32_t
srt_highest(srt_t *srt)
{
    return srt->jumps ? (srt->rx->high - 1) & NGX_MEDIA_SRT_SEQ_MAX
                      : srt->highest;
}


static void
srt_send_ack(srt_t *srt, uint32_t info, const u_char *body, size_t len)
{
    uint32_t             last;
    ngx_media_srt_ack_t  ack;

    if (len != NGX_MEDIA_SRT_ACK_SIZE
        || ngx_media_srt_ack_parse(&ack, body, body + len) != NGX_OK)
    {
        srt_wrong(srt, "an ACK that is not a full one");
        return;
    }

    last = srt->ack.seq;

    if (info != srt->ack_number + 1) {
        srt_wrong(srt, "the ACK's number is not the next one");
    }

    if (!srt->came
        || ngx_media_srt_seq_diff(ack.seq, srt_highest(srt)) > 1)
    {
        srt_wrong(srt, "an ACK of what did not come");
    }

    if (!srt->jumps && srt->ack_number
        && ngx_media_srt_seq_diff(ack.seq, last) < 0)
    {
        srt_wrong(srt, "an ACK goes back");
    }

    if (ack.buffer < 512 || ack.buffer > 8192) {
        srt_wrong(srt, "an ACK tells of less than 512 places");
    }

    if (srt->ack_number && srt->now - srt->ack_time < 20000) {
        srt_wrong(srt, "ACKs that are less than 20 ms apart");
    }

    srt->ack = ack;
    srt->ack_number = info;
    srt->ack_time = srt->now;
}


static void
srt_send_nak(srt_t *srt, const u_char *body, size_t len)
{
    uint32_t          from, to;
    ngx_int_t         rc;
    ngx_media_span_t  list;

    list.pos = body;
    list.last = body + len;

    if (len == 0 || len > 364 * 4 || len > srt->rx->conf.room) {
        srt_wrong(srt, "a NAK of 0 words, or of more than there is room for");
    }

    srt->nak_ranges = 0;

    for ( ;; ) {
        rc = ngx_media_srt_nak_next(&list, &from, &to);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc != NGX_OK) {
            srt_wrong(srt, "a NAK that is malformed");
            return;
        }

        if (!srt->came || ngx_media_srt_seq_diff(to, srt_highest(srt)) >= 0) {
            srt_wrong(srt, "a NAK of what was not yet sent");
        }

        if (srt->nak_ranges
            && ngx_media_srt_seq_diff(from, srt->nak_to) <= 0)
        {
            srt_wrong(srt, "a NAK that is not in order");
        }

        if (!srt->jumps && srt->ack_number
            && ngx_media_srt_seq_diff(from, srt->ack.seq) < 0)
        {
            srt_wrong(srt, "a NAK of what was acknowledged");
        }

        srt->nak_from = from;
        srt->nak_to = to;
        srt->nak_ranges++;
        srt->nak_packets += ngx_media_srt_seq_diff(to, from) + 1;
    }
}


static void
srt_send(void *data, ngx_uint_t type, uint32_t info, const u_char *body,
    size_t len)
{
    srt_t  *srt = data;

    switch (type) {

    case NGX_MEDIA_SRT_ACK:
        srt_send_ack(srt, info, body, len);
        break;

    case NGX_MEDIA_SRT_NAK:
        srt_send_nak(srt, body, len);
        break;

    default:
        srt_wrong(srt, "it sends what is neither ACK nor NAK");
    }

    if (srt->send) {
        srt->send(srt, type, info, body, len);
    }
}


static ngx_int_t
srt_decrypt(void *data, uint32_t seq, ngx_uint_t kk, u_char *pos,
    u_char *last)
{
    srt_t  *srt = data;

    return srt->decrypt(srt, seq, kk);
}


static void
srt_deliver(void *data, const u_char *pos, const u_char *last, int64_t at)
{
    srt_t     *srt = data;
    int64_t    came;
    uint64_t   number;

    srt->handed++;
    srt->at = at;
    srt->late = ngx_max(srt->late, srt->now - at);
    srt->early = ngx_max(srt->early, at - srt->now);

    if (last - pos < 8) {
        srt->next++;
        return;
    }

    number = ngx_media_get_be64(pos);

    if (last - pos >= 16) {
        came = (int64_t) ngx_media_get_be64(pos + 8);
        srt->waited = ngx_max(srt->waited, srt->now - ngx_max(at, came));
    }

    if (!srt->jumps && number != srt->next) {
        srt_wrong(srt, "what is handed on is not the next one");
    }

    srt->next = number + 1;
}


static void
srt_gap(void *data, ngx_uint_t packets)
{
    srt_t  *srt = data;

    if (packets == 0) {
        srt_wrong(srt, "a gap of nothing");
    }

    srt->next += packets;
    srt->gaps++;
    srt->gap += packets;
}


/* what docs and headers say of the state; walks the ring */

static void
srt_check(srt_t *srt)
{
    uint64_t               n, missing, held, end, outside, word;
    ngx_media_srt_rx_t    *rx;
    ngx_media_srt_rx_ring_t  *ring;

    rx = srt->rx;
    ring = &rx->ring;

    if (rx->next > rx->end || rx->end > rx->high
        || rx->high - rx->next > ring->size)
    {
        srt_wrong(srt, "next, end, high are out of order");
        return;
    }

    missing = 0;
    held = 0;
    outside = 0;
    end = rx->high;

    for (n = rx->next; n < rx->next + ring->size; n++) {

        if (n >= rx->high) {
            outside += ngx_media_srt_rx_ring_test(ring, ring->have, n);
            continue;
        }

        if (!ngx_media_srt_rx_ring_test(ring, ring->have, n)) {
            missing++;
            end = ngx_min(end, n);
            continue;
        }

        word = *ngx_media_srt_rx_ring_word(ring, n);

        if (word == NGX_MEDIA_SRT_SLOT_NONE) {
            continue;
        }

        held++;

        if (ngx_media_srt_slots_at(srt->slots, word)->number != word) {
            srt_wrong(srt, "a slot that is none");
        }
    }

    if (outside) {
        srt_wrong(srt, "bits outside of the window");
    }

    if (missing != rx->missing || held != rx->held) {
        srt_wrong(srt, "miscounted what is missing, or held");
    }

    if (end != rx->end) {
        srt_wrong(srt, "end is not where the first is missing");
    }
}


static void
srt_stat(srt_t *srt)
{
    ngx_media_srt_rx_stat(srt->rx, &srt->stat, srt->now);
}


/* conf: isn, latency, early, rexmit, room (0: that of an MTU of 1500); the rest
   is the harness's */

static void
srt_begin(srt_t *srt, ngx_media_srt_rx_conf_t *conf)
{
    conf->log = &ngx_stub_log;
    conf->room = conf->room ? conf->room : NGX_MEDIA_SRT_NAK_SIZE;
    conf->send = srt_send;
    conf->deliver = srt_deliver;
    conf->gap = srt_gap;
    conf->decrypt = srt->decrypt ? srt_decrypt : NULL;
    conf->data = srt;

    if (srt->slots == NULL) {
        srt->slots = ngx_media_srt_slots_create(0, &ngx_stub_log);
    }

    conf->slots = srt->slots;

    srt->rx = ngx_media_srt_rx_create(conf, srt->now);
    srt->first = srt->rx->next;
}


static void
srt_end(srt_t *srt)
{
    ngx_media_srt_slots_stat_t  stat;

    ngx_media_srt_rx_destroy(srt->rx);

    ngx_media_srt_slots_stat(srt->slots, &stat);

    if (stat.users) {
        return;
    }

    if (stat.used) {
        srt_wrong(srt, "slots are still out");
    }

    ngx_media_srt_slots_destroy(srt->slots);
}


/* as it is received; the payload begins as above where there is room */

static ngx_int_t
srt_packet(srt_t *srt, ngx_media_srt_data_t *packet, uint64_t number,
    size_t size)
{
    u_char                *p;
    ngx_int_t              rc;
    ngx_media_srt_slot_t  *slot;

    slot = ngx_media_srt_slots_get(srt->slots);
    if (slot == NULL) {
        return NGX_DECLINED;
    }

    p = slot->data + NGX_MEDIA_SRT_HEADER;

    if (size >= 8) {
        (void) ngx_media_put_be64(p, number);
    }

    if (size >= 16) {
        (void) ngx_media_put_be64(p + 8, (uint64_t) srt->now);
    }

    packet->pos = p;
    packet->last = p + size;

    if (!srt->came
        || ngx_media_srt_seq_diff(packet->seq, srt->highest) > 0)
    {
        srt->highest = packet->seq;
    }

    srt->came = 1;

    rc = ngx_media_srt_rx_data(srt->rx, slot, packet, srt->now);

    if (rc != NGX_OK) {
        ngx_media_srt_slots_put(srt->slots, slot);
    }

    return rc;
}


/* packet number n, sent at ts us */

static ngx_int_t
srt_data(srt_t *srt, uint64_t n, int64_t ts, ngx_uint_t rexmit)
{
    ngx_media_srt_data_t  packet;

    memset(&packet, 0, sizeof(packet));

    packet.seq = (srt->first + n) & NGX_MEDIA_SRT_SEQ_MAX;
    packet.msg = n & NGX_MEDIA_SRT_MSG_MAX;
    packet.ts = (uint32_t) ts;
    packet.pp = NGX_MEDIA_SRT_PP_SOLO;
    packet.rexmit = rexmit;

    return srt_packet(srt, &packet, n, SRT_SIZE);
}


static ngx_msec_t
srt_tick(srt_t *srt, int64_t now)
{
    srt->now = now;

    return ngx_media_srt_rx_tick(srt->rx, now);
}


#endif /* _MEDIA_SRT_H_INCLUDED_ */
