
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt_control.h"
#include "ingest/ngx_media_srt_tx.h"


/* packets on their way, at most; a power of 2 */
#define NGX_MEDIA_SRT_TX_FLIGHT   8192

/*
 * And that there may be however little room the receiver has: one that says
 * "none" would never hear anything again, and so never say more
 */
#define NGX_MEDIA_SRT_TX_ROOM     2

/* us; an older key payload is none to begin with */
#define NGX_MEDIA_SRT_TX_FRESH    2000000

/* of the rate of the ring: at first, then, and as fast as may be */
#define NGX_MEDIA_SRT_TX_CATCH    4
#define NGX_MEDIA_SRT_TX_LEAST    1000000     /* bytes a second, at first */
#define NGX_MEDIA_SRT_TX_PACE(n)  ((n) + (n) / 4)
#define NGX_MEDIA_SRT_TX_FASTEST  8

/* bytes that may leave at once: packets, and us of the rate */
#define NGX_MEDIA_SRT_TX_BURST    (16 * NGX_MEDIA_SRT_RING_PAYLOAD)
#define NGX_MEDIA_SRT_TX_SPAN     10000

/* ms between two looks, so that several packets leave together */
#define NGX_MEDIA_SRT_TX_TICK     5

/* us; too late is a second at least, and so much more */
#define NGX_MEDIA_SRT_TX_LATE     1000000
#define NGX_MEDIA_SRT_TX_SLACK    20000

/* us; what libsrt says before it has measured anything */
#define NGX_MEDIA_SRT_TX_RTT      100000
#define NGX_MEDIA_SRT_TX_RTTVAR   50000

/*
 * Ranges that a receiver is told of at once that they are not sent any more;
 * who asks for more in one packet hears of the rest when it asks again
 */
#define NGX_MEDIA_SRT_TX_DROPS    16

/* bits of ngx_media_srt_tx_repeats_t */
#define NGX_MEDIA_SRT_TX_WORD     64


/* of the packets that are on their way, by index; most receivers need none */

typedef struct {
    uint64_t                  asked[NGX_MEDIA_SRT_TX_FLIGHT
                                    / NGX_MEDIA_SRT_TX_WORD];
    uint32_t                  sent[NGX_MEDIA_SRT_TX_FLIGHT];
                                              /* again; ms, 0: it was not */
} ngx_media_srt_tx_repeats_t;


struct ngx_media_srt_tx_s {
    ngx_media_srt_tx_conf_t     conf;
    int64_t                     late;         /* us */

    /* indexes: the first packet, the first that is on its way, the next one */
    uint64_t                    first;
    uint64_t                    acked;
    uint64_t                    next;

    /* what was there when it began */
    int64_t                     start;        /* us: the first one was due, */
    int64_t                     caught;       /* and the last one */
    uint64_t                    until;        /* the index behind it */
    uint64_t                    pos;          /* of the first */
    uint64_t                    catch;        /* bytes a second */

    int64_t                     tokens;       /* bytes that may leave */
    int64_t                     filled;       /* us: when that was so */

    ngx_media_srt_tx_repeats_t *repeats;      /* NULL: nothing was lost yet */
    ngx_uint_t                  nasked;       /* bits of it */

    ngx_media_srt_tx_stat_t     stat;
    unsigned                    begun:1;
};


static ngx_int_t ngx_media_srt_tx_begin(ngx_media_srt_tx_t *tx, int64_t now);
static int64_t ngx_media_srt_tx_due(const ngx_media_srt_tx_t *tx,
    uint64_t index);
static void ngx_media_srt_tx_forget(ngx_media_srt_tx_t *tx, int64_t now);
static void ngx_media_srt_tx_acknowledge(ngx_media_srt_tx_t *tx,
    uint64_t index);
static uint64_t ngx_media_srt_tx_rate(const ngx_media_srt_tx_t *tx,
    int64_t now);
static void ngx_media_srt_tx_fill(ngx_media_srt_tx_t *tx, int64_t now);
static ngx_uint_t ngx_media_srt_tx_room(const ngx_media_srt_tx_t *tx);
static ngx_uint_t ngx_media_srt_tx_again(ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_packet_t *packets, ngx_uint_t n, int64_t *tokens);
static void ngx_media_srt_tx_packet(const ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_packet_t *packet, uint64_t index, ngx_uint_t repeated);
static ngx_uint_t ngx_media_srt_tx_lost(ngx_media_srt_tx_t *tx,
    uint64_t from, uint64_t to, int64_t now);
static void ngx_media_srt_tx_drop(ngx_media_srt_tx_t *tx, int64_t from,
    int64_t to);


#define ngx_media_srt_tx_slot(index)                                          \
    ((ngx_uint_t) ((index) & (NGX_MEDIA_SRT_TX_FLIGHT - 1)))

#define ngx_media_srt_tx_word(repeats, index)                                 \
    (repeats)->asked[ngx_media_srt_tx_slot(index) / NGX_MEDIA_SRT_TX_WORD]

#define ngx_media_srt_tx_bit(index)                                           \
    ((uint64_t) 1 << ((index) & (NGX_MEDIA_SRT_TX_WORD - 1)))

#define ngx_media_srt_tx_seq(tx, index)                                       \
    ngx_media_srt_seq_add((tx)->conf.isn, (int32_t) ((index) - (tx)->first))


ngx_media_srt_tx_t *
ngx_media_srt_tx_create(const ngx_media_srt_tx_conf_t *conf)
{
    ngx_media_srt_tx_t  *tx;

    tx = ngx_calloc(sizeof(ngx_media_srt_tx_t), conf->log);
    if (tx == NULL) {
        return NULL;
    }

    tx->conf = *conf;
    tx->late = ngx_max((int64_t) conf->latency * 1000,
                       NGX_MEDIA_SRT_TX_LATE)
               + NGX_MEDIA_SRT_TX_SLACK;

    tx->stat.rtt = NGX_MEDIA_SRT_TX_RTT;
    tx->stat.rttvar = NGX_MEDIA_SRT_TX_RTTVAR;
    tx->stat.room = (uint32_t) conf->window;

    return tx;
}


void
ngx_media_srt_tx_destroy(ngx_media_srt_tx_t *tx)
{
    if (tx->repeats) {
        ngx_free(tx->repeats);
    }

    ngx_free(tx);
}


ngx_uint_t
ngx_media_srt_tx_peek(ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_packet_t *packets, ngx_uint_t n, int64_t now)
{
    int64_t     tokens;
    uint64_t    index;
    ngx_uint_t  i, room;

    if (!tx->begun && ngx_media_srt_tx_begin(tx, now) != NGX_OK) {
        return 0;
    }

    ngx_media_srt_tx_forget(tx, now);
    ngx_media_srt_tx_fill(tx, now);

    tokens = tx->tokens;

    i = tx->nasked ? ngx_media_srt_tx_again(tx, packets, n, &tokens) : 0;

    room = ngx_media_srt_tx_room(tx);

    for (index = tx->next;
         i < n && room && tokens > 0 && index < tx->conf.ring->head
         && ngx_media_srt_tx_due(tx, index) <= now;
         index++)
    {
        ngx_media_srt_tx_packet(tx, &packets[i++], index, 0);

        tokens -= NGX_MEDIA_SRT_RING_PAYLOAD;
        room--;
    }

    return i;
}


static ngx_int_t
ngx_media_srt_tx_begin(ngx_media_srt_tx_t *tx, int64_t now)
{
    uint64_t                        index;
    const ngx_media_srt_payload_t  *payload;

    if (ngx_media_srt_ring_key(tx->conf.ring, &index) != NGX_OK) {
        return NGX_AGAIN;
    }

    payload = ngx_media_srt_ring_at(tx->conf.ring, index);

    if (now - payload->time > NGX_MEDIA_SRT_TX_FRESH) {
        return NGX_AGAIN;
    }

    tx->begun = 1;
    tx->first = index;
    tx->acked = index;
    tx->next = index;
    tx->start = now;
    tx->pos = payload->pos;
    tx->catch = ngx_media_srt_ring_rate(tx->conf.ring)
                * NGX_MEDIA_SRT_TX_CATCH;
    tx->catch = ngx_max(tx->catch, NGX_MEDIA_SRT_TX_LEAST);
    tx->until = tx->conf.ring->head;
    tx->caught = ngx_media_srt_tx_due(tx, tx->until - 1);
    tx->tokens = NGX_MEDIA_SRT_TX_BURST;
    tx->filled = now;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, tx->conf.log, 0,
                   "media srt tx begins at:%uL of:%uL age:%L us caught:%L us",
                   index, tx->until, now - payload->time, tx->caught - now);

    return NGX_OK;
}


/*
 * When it may leave, which is its time stamp: when it came, or, of what was
 * there before, when 4 times the rate brings it
 */

static int64_t
ngx_media_srt_tx_due(const ngx_media_srt_tx_t *tx, uint64_t index)
{
    int64_t                         due;
    const ngx_media_srt_payload_t  *payload;

    payload = ngx_media_srt_ring_at(tx->conf.ring, index);

    if (index >= tx->until) {
        return ngx_max(tx->caught, payload->time);
    }

    /* a ring is of 43 MB at most */

    due = tx->start
          + (int64_t) ((payload->pos - tx->pos) * 1000000 / tx->catch);

    return ngx_max(due, payload->time);
}


/* what is too late for the receiver is as if it had come, or been sent */

static void
ngx_media_srt_tx_forget(ngx_media_srt_tx_t *tx, int64_t now)
{
    uint64_t                     index;
    const ngx_media_srt_ring_t  *ring;

    ring = tx->conf.ring;
    index = ngx_max(tx->acked, ring->tail);

    while (index < ring->head
           && now - ngx_media_srt_tx_due(tx, index) > tx->late)
    {
        index++;
    }

    if (index > tx->next) {

        ngx_log_debug3(NGX_LOG_DEBUG_CORE, tx->conf.log, 0,
                       "media srt tx leaves out:%uL from seq:%uD acked:%uD",
                       index - tx->next, ngx_media_srt_tx_seq(tx, tx->next),
                       ngx_media_srt_tx_seq(tx, tx->acked));

        tx->stat.dropped += index - tx->next;
        tx->next = index;
    }

    ngx_media_srt_tx_acknowledge(tx, index);
}


/* all before that one are done with */

static void
ngx_media_srt_tx_acknowledge(ngx_media_srt_tx_t *tx, uint64_t index)
{
    uint64_t  bit, i, *word;

    for (i = tx->acked; tx->nasked && i < index; i++) {
        word = &ngx_media_srt_tx_word(tx->repeats, i);
        bit = ngx_media_srt_tx_bit(i);

        if (*word & bit) {
            *word &= ~bit;
            tx->nasked--;
        }
    }

    tx->acked = ngx_max(tx->acked, index);
}


/* bytes a second, now */

static uint64_t
ngx_media_srt_tx_rate(const ngx_media_srt_tx_t *tx, int64_t now)
{
    int64_t                      left;
    uint64_t                     fast, pace, rate, waits;
    const ngx_media_srt_ring_t  *ring;

    ring = tx->conf.ring;
    rate = ngx_media_srt_ring_rate(ring);
    pace = NGX_MEDIA_SRT_TX_PACE(rate);

    if (tx->next == ring->head) {
        return pace;
    }

    /* the oldest is to have left after a quarter of the latency */

    waits = ring->pos - ngx_media_srt_ring_at(ring, tx->next)->pos;

    left = ngx_media_srt_tx_due(tx, tx->next)
           + (int64_t) tx->conf.latency * 250 - now;
    left = ngx_max(left, NGX_MEDIA_SRT_TX_TICK * 1000);

    fast = waits * 1000000 / (uint64_t) left;
    fast = ngx_min(fast, rate * NGX_MEDIA_SRT_TX_FASTEST);

    return ngx_max(pace, fast);
}


static void
ngx_media_srt_tx_fill(ngx_media_srt_tx_t *tx, int64_t now)
{
    int64_t   most, us;
    uint64_t  rate;

    us = now - tx->filled;

    if (us <= 0) {
        return;
    }

    rate = ngx_media_srt_tx_rate(tx, now);
    us = ngx_min(us, 1000000);

    most = (int64_t) (rate * NGX_MEDIA_SRT_TX_SPAN / 1000000);
    most = ngx_max(most, NGX_MEDIA_SRT_TX_BURST);

    tx->tokens += (int64_t) (rate * (uint64_t) us / 1000000);
    tx->tokens = ngx_min(tx->tokens, most);
    tx->filled = now;
}


/* packets that may leave for the first time */

static ngx_uint_t
ngx_media_srt_tx_room(const ngx_media_srt_tx_t *tx)
{
    uint64_t  flight, room;

    flight = tx->next - tx->acked;

    room = ngx_max(tx->stat.room, NGX_MEDIA_SRT_TX_ROOM);
    room = ngx_min(room, NGX_MEDIA_SRT_TX_FLIGHT);

    return (flight < room) ? (ngx_uint_t) (room - flight) : 0;
}


/* what was asked for, the oldest first */

static ngx_uint_t
ngx_media_srt_tx_again(ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_packet_t *packets, ngx_uint_t n, int64_t *tokens)
{
    uint64_t    i, word;
    ngx_uint_t  k, left;

    k = 0;
    left = tx->nasked;

    for (i = tx->acked;
         i < tx->next && k < n && left && *tokens > 0;
         /* void */ )
    {
        word = ngx_media_srt_tx_word(tx->repeats, i);

        /* nothing behind it in this word */

        if ((word >> (i & (NGX_MEDIA_SRT_TX_WORD - 1))) == 0) {
            i = (i | (NGX_MEDIA_SRT_TX_WORD - 1)) + 1;
            continue;
        }

        if (word & ngx_media_srt_tx_bit(i)) {
            ngx_media_srt_tx_packet(tx, &packets[k++], i, 1);

            *tokens -= NGX_MEDIA_SRT_RING_PAYLOAD;
            left--;
        }

        i++;
    }

    return k;
}


static void
ngx_media_srt_tx_packet(const ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_packet_t *packet, uint64_t index, ngx_uint_t repeated)
{
    ngx_media_srt_data_t            data;
    const ngx_media_srt_payload_t  *payload;

    payload = ngx_media_srt_ring_at(tx->conf.ring, index);

    ngx_memzero(&data, sizeof(ngx_media_srt_data_t));

    /* one packet is a message, and there is no message 0 */

    data.seq = ngx_media_srt_tx_seq(tx, index);
    data.msg = (uint32_t) ((index - tx->first) % NGX_MEDIA_SRT_MSG_MAX) + 1;
    data.ts = (uint32_t) (ngx_media_srt_tx_due(tx, index) - tx->conf.base);
    data.dst = tx->conf.id;
    data.pp = NGX_MEDIA_SRT_PP_SOLO;
    data.order = 1;
    data.rexmit = repeated ? 1 : 0;

    (void) ngx_media_srt_put_data_header(packet->header, &data);

    packet->index = index;
    packet->seq = data.seq;
    packet->pos = payload->data;
    packet->last = payload->data + payload->len;
    packet->repeated = data.rexmit;
}


void
ngx_media_srt_tx_sent(ngx_media_srt_tx_t *tx,
    const ngx_media_srt_tx_packet_t *packets, ngx_uint_t n, int64_t now)
{
    ngx_uint_t                        i;
    const ngx_media_srt_tx_packet_t  *packet;

    for (i = 0; i < n; i++) {
        packet = &packets[i];

        tx->stat.packets++;
        tx->stat.bytes += packet->last - packet->pos;
        tx->tokens -= packet->last - packet->pos;

        if (packet->repeated) {
            ngx_media_srt_tx_word(tx->repeats, packet->index) &=
                                       ~ngx_media_srt_tx_bit(packet->index);

            tx->repeats->sent[ngx_media_srt_tx_slot(packet->index)] =
                                              (uint32_t) (now / 1000) | 1;
            tx->nasked--;
            tx->stat.repeats++;

            continue;
        }

        if (tx->repeats) {
            tx->repeats->sent[ngx_media_srt_tx_slot(packet->index)] = 0;
        }

        tx->stat.unique++;
        tx->next = packet->index + 1;
    }
}


ngx_msec_t
ngx_media_srt_tx_wait(const ngx_media_srt_tx_t *tx, int64_t now)
{
    int64_t                      wait;
    uint64_t                     rate;
    const ngx_media_srt_ring_t  *ring;

    if (!tx->begun) {
        return NGX_MEDIA_SRT_TX_NEVER;
    }

    ring = tx->conf.ring;

    if (tx->nasked) {
        wait = 0;

    } else if (tx->next == ring->head) {
        return NGX_MEDIA_SRT_TX_NEVER;

    } else if (ngx_media_srt_tx_room(tx) == 0) {

        /* an ACK, or it is too late for what is on its way */

        return NGX_MEDIA_SRT_TX_SLACK / 1000;

    } else {
        wait = ngx_media_srt_tx_due(tx, tx->next) - now;
    }

    if (tx->tokens <= 0) {
        rate = ngx_media_srt_tx_rate(tx, now);
        wait = ngx_max(wait, (1 - tx->tokens) * 1000000 / (int64_t) rate);
    }

    wait = (wait + 999) / 1000;

    return (ngx_msec_t) ngx_max(wait, NGX_MEDIA_SRT_TX_TICK);
}


/*
 * draft, 3.2.4 and 4.8.1: the first word is of all, the rest of those that have
 * more; ones with a number are to be answered
 */

void
ngx_media_srt_tx_ack(ngx_media_srt_tx_t *tx, uint32_t info,
    const u_char *pos, const u_char *last, int64_t now)
{
    int64_t              index;
    u_char               body[NGX_MEDIA_SRT_EMPTY_SIZE];
    ngx_media_srt_ack_t  ack;

    if (ngx_media_srt_ack_parse(&ack, pos, last) != NGX_OK) {
        tx->stat.wrong++;
        return;
    }

    index = (int64_t) tx->acked
            + ngx_media_srt_seq_diff(ack.seq,
                                     ngx_media_srt_tx_seq(tx, tx->acked));

    if (index > (int64_t) tx->next) {
        tx->stat.wrong++;
        return;
    }

    tx->stat.acks++;

    if (info) {
        (void) ngx_media_srt_empty_write(body);

        tx->conf.send(tx->conf.data, NGX_MEDIA_SRT_ACKACK, info, body,
                      sizeof(body));
    }

    /* late ones say nothing that is true yet */

    if (index < (int64_t) tx->acked) {
        return;
    }

    ngx_media_srt_tx_acknowledge(tx, (uint64_t) index);

    if (ack.words < 4) {
        return;
    }

    tx->stat.room = ack.buffer;

    if (ack.rtt != NGX_MEDIA_SRT_TX_RTT
        || ack.rttvar != NGX_MEDIA_SRT_TX_RTTVAR)
    {
        tx->stat.rtt = ack.rtt;
        tx->stat.rttvar = ack.rttvar;
    }
}


/* draft, 3.2.5 */

void
ngx_media_srt_tx_nak(ngx_media_srt_tx_t *tx, const u_char *pos,
    const u_char *last, int64_t now)
{
    int64_t           from, to;
    uint32_t          base, first, second;
    ngx_int_t         rc;
    ngx_uint_t        drops, n;
    ngx_media_span_t  list;

    tx->stat.naks++;

    if (!tx->begun) {
        tx->stat.wrong++;
        return;
    }

    ngx_media_srt_tx_forget(tx, now);

    list.pos = pos;
    list.last = last;

    base = ngx_media_srt_tx_seq(tx, tx->acked);
    n = 0;
    drops = 0;

    for ( ;; ) {
        rc = ngx_media_srt_nak_next(&list, &first, &second);

        if (rc != NGX_OK) {
            break;
        }

        from = (int64_t) tx->acked + ngx_media_srt_seq_diff(first, base);
        to = (int64_t) tx->acked + ngx_media_srt_seq_diff(second, base);

        /* one list has each packet once */

        if (from < (int64_t) tx->first || to < from
            || to >= (int64_t) tx->next || n > NGX_MEDIA_SRT_TX_FLIGHT)
        {
            rc = NGX_ERROR;
            break;
        }

        if (from < (int64_t) tx->acked) {

            if (drops++ < NGX_MEDIA_SRT_TX_DROPS) {
                ngx_media_srt_tx_drop(tx, from,
                                      ngx_min(to, (int64_t) tx->acked - 1));
            }

            from = tx->acked;
            n++;
        }

        if (from <= to) {
            n += ngx_media_srt_tx_lost(tx, (uint64_t) from, (uint64_t) to,
                                       now);
        }
    }

    if (rc == NGX_ERROR) {
        tx->stat.wrong++;
    }
}


/*
 * All of these are kept.  Receivers say what is missing several times in a
 * round trip: what was sent again since they can have seen it is on its way.
 */

static ngx_uint_t
ngx_media_srt_tx_lost(ngx_media_srt_tx_t *tx, uint64_t from, uint64_t to,
    int64_t now)
{
    int64_t     us;
    uint32_t    ms, sent, trip;
    uint64_t    bit, i, *word;
    ngx_uint_t  n;

    n = (ngx_uint_t) (to - from + 1);

    tx->stat.lost += n;

    if (tx->repeats == NULL) {
        tx->repeats = ngx_calloc(sizeof(ngx_media_srt_tx_repeats_t),
                                 tx->conf.log);
        if (tx->repeats == NULL) {
            return n;
        }
    }

    us = (int64_t) tx->stat.rtt - 4 * (int64_t) tx->stat.rttvar;
    trip = (us > 0) ? (uint32_t) (us / 1000) : 0;
    ms = (uint32_t) (now / 1000) | 1;

    for (i = from; i <= to; i++) {
        word = &ngx_media_srt_tx_word(tx->repeats, i);
        bit = ngx_media_srt_tx_bit(i);
        sent = tx->repeats->sent[ngx_media_srt_tx_slot(i)];

        if ((*word & bit) || (sent && ms - sent < trip)) {
            continue;
        }

        *word |= bit;
        tx->nasked++;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, tx->conf.log, 0,
                   "media srt tx nak seq:%uD packets:%ui to repeat:%ui "
                   "flight:%uL", ngx_media_srt_tx_seq(tx, from), n, tx->nasked,
                   tx->next - tx->acked);

    return n;
}


/* draft, 3.2.9: message number 0 is "whichever they are of" */

static void
ngx_media_srt_tx_drop(ngx_media_srt_tx_t *tx, int64_t from, int64_t to)
{
    u_char  body[NGX_MEDIA_SRT_DROPREQ_SIZE];

    (void) ngx_media_srt_dropreq_write(body,
                                ngx_media_srt_tx_seq(tx, (uint64_t) from),
                                ngx_media_srt_tx_seq(tx, (uint64_t) to));

    tx->conf.send(tx->conf.data, NGX_MEDIA_SRT_DROPREQ, 0, body,
                  sizeof(body));
}


void
ngx_media_srt_tx_stat(const ngx_media_srt_tx_t *tx,
    ngx_media_srt_tx_stat_t *stat)
{
    *stat = tx->stat;
    stat->flight = (uint32_t) (tx->next - tx->acked);
}
