
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the sender is told.  Its window is refilled by full ACKs only, and it
 * ends the connection where an ACK or a NAK names what it did not send, or
 * stops for good where no room is left: srt.md of the design has what was
 * measured.  All of it goes by what came: nothing names more than high.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt_control.h"
#include "ingest/ngx_media_srt_rx_state.h"


#define NGX_MEDIA_SRT_RX_ROOM       512       /* the least that is said */
#define NGX_MEDIA_SRT_RX_CALM       10000000  /* us without reordering, after
                                                 which less is waited */
#define NGX_MEDIA_SRT_RX_CLOCK      5000      /* us, of who calls */
#define NGX_MEDIA_SRT_RX_AHEAD      7000      /* us before the last moment */

/*
 * us between two of the same question.  All but the first are for the case
 * that those before were lost: a sender that has just answered does not answer
 * them, see ngx_media_srt_rx_said_var().
 */
#define NGX_MEDIA_SRT_RX_AGAIN      20000     /* at most */
#define NGX_MEDIA_SRT_RX_AT_ONCE    10000     /* at least */


typedef struct {
    u_char                   *p;
    u_char                   *last;
    uint32_t                  now;            /* ms */
    uint32_t                  again;          /* ms, until it is repeated */
    uint32_t                  cycle;          /* ms, until an answer is there */
    uint32_t                  tolerance;      /* ms, until it is asked for */
    uint64_t                  behind;         /* the next packet that is there:
                                                 when it is due, what is before
                                                 it is too late */
    uint32_t                  chance;         /* ms, the last moment to ask for
                                                 that */
    uint32_t                  next;           /* ms from now */
    ngx_uint_t                asked;          /* packets */
} ngx_media_srt_rx_nak_t;


static void ngx_media_srt_rx_ack_send(ngx_media_srt_rx_t *rx, int64_t now);
static void ngx_media_srt_rx_nak_scan(ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_nak_t *nak);
static void ngx_media_srt_rx_nak_chance(const ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_nak_t *nak, uint64_t n);
static ngx_uint_t ngx_media_srt_rx_nak_due(const ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_nak_t *nak, uint64_t n);
static uint32_t ngx_media_srt_rx_nak_wait(const ngx_media_srt_rx_nak_t *nak,
    uint32_t age, ngx_uint_t times);
static void ngx_media_srt_rx_nak_asked(ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_nak_t *nak, uint64_t from, uint64_t to);
static int64_t ngx_media_srt_rx_again(const ngx_media_srt_rx_t *rx);
static int64_t ngx_media_srt_rx_answer(const ngx_media_srt_rx_t *rx);
static int64_t ngx_media_srt_rx_said_var(const ngx_media_srt_rx_t *rx);


int64_t
ngx_media_srt_rx_ack(ngx_media_srt_rx_t *rx, int64_t now)
{
    int64_t  wait;

    wait = NGX_MEDIA_SRT_RX_WHILE;

    if (rx->end == rx->acked) {

        if (!rx->unanswered) {
            return NGX_MEDIA_SRT_RX_EVER;
        }

        wait = ngx_max(wait, rx->rtt + 4 * rx->rtt_var);
    }

    if (now - rx->ack_sent >= wait) {
        ngx_media_srt_rx_ack_send(rx, now);

        wait = ngx_max(NGX_MEDIA_SRT_RX_WHILE, rx->rtt + 4 * rx->rtt_var);
    }

    return rx->ack_sent + wait;
}


static void
ngx_media_srt_rx_ack_send(ngx_media_srt_rx_t *rx, int64_t now)
{
    u_char               body[NGX_MEDIA_SRT_ACK_SIZE];
    uint64_t             held;
    ngx_media_srt_ack_t  ack;

    held = rx->high - rx->next;

    ack.seq = rx->end & NGX_MEDIA_SRT_SEQ_MAX;
    ack.rtt = (uint32_t) rx->rtt;
    ack.rttvar = (uint32_t) ngx_media_srt_rx_said_var(rx);
    ack.buffer = NGX_MEDIA_SRT_RX_WINDOW
                 - ngx_min(held, NGX_MEDIA_SRT_RX_WINDOW
                                 - NGX_MEDIA_SRT_RX_ROOM);
    ack.rate = ngx_media_srt_rate_packets(&rx->rate, now);
    ack.capacity = ngx_media_srt_rate_capacity(&rx->rate);
    ack.bytes = ngx_media_srt_rate_bytes(&rx->rate, now);
    ack.words = NGX_MEDIA_SRT_ACK_SIZE / 4;

    /* number 0 says that it is a light one */

    rx->ack_number += (rx->ack_number == 0xffffffff) ? 2 : 1;

    rx->acked = rx->end;
    rx->ack_sent = now;
    rx->unanswered = 1;
    rx->ack_times[rx->ack_number % NGX_MEDIA_SRT_RX_ACKS] =
                                            ngx_max((uint32_t) now, 1);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, rx->conf.log, 0,
                   "media srt ack %uD, seq:%uD rtt:%uD room:%uD rate:%uD",
                   rx->ack_number, ack.seq, ack.rtt, ack.buffer, ack.rate);

    (void) ngx_media_srt_ack_write(body, &ack);

    rx->stat.ack++;
    rx->conf.send(rx->conf.data, NGX_MEDIA_SRT_ACK, rx->ack_number, body,
                  NGX_MEDIA_SRT_ACK_SIZE);
}


void
ngx_media_srt_rx_ackack(ngx_media_srt_rx_t *rx, uint32_t number, int64_t now)
{
    int64_t    rtt;
    uint32_t  *time;

    time = &rx->ack_times[number % NGX_MEDIA_SRT_RX_ACKS];

    if (rx->ack_number - number >= NGX_MEDIA_SRT_RX_ACKS || *time == 0) {
        return;
    }

    rtt = ngx_max((int32_t) ((uint32_t) now - *time), 1);

    *time = 0;

    rx->stat.ackack++;

    if (number == rx->ack_number) {
        rx->unanswered = 0;
    }

    if (!rx->measured) {
        rx->measured = 1;
        rx->rtt = rtt;
        rx->rtt_var = rtt / 2;
        return;
    }

    rx->rtt_var = (3 * rx->rtt_var + ngx_abs(rx->rtt - rtt)) / 4;
    rx->rtt = (7 * rx->rtt + rtt) / 8;
}


int64_t
ngx_media_srt_rx_nak(ngx_media_srt_rx_t *rx, int64_t now)
{
    u_char                  body[NGX_MEDIA_SRT_NAK_SIZE];
    ngx_media_srt_rx_nak_t  nak;

    if (rx->missing == 0) {
        rx->nak_at = NGX_MEDIA_SRT_RX_EVER;
        return NGX_MEDIA_SRT_RX_EVER;
    }

    if (now < rx->nak_at) {
        return rx->nak_at;
    }

    if (now - rx->reordered > NGX_MEDIA_SRT_RX_CALM) {
        rx->reordered = now;
        rx->tolerance /= 2;
    }

    nak.p = body;
    nak.last = body + rx->conf.room;
    nak.now = (uint32_t) (now / 1000);
    nak.again = ngx_media_srt_rx_again(rx) / 1000;
    nak.cycle = ngx_media_srt_rx_answer(rx) / 1000;
    nak.tolerance = rx->tolerance / 1000;
    nak.behind = 0;
    nak.next = nak.cycle;
    nak.asked = 0;

    ngx_media_srt_rx_nak_scan(rx, &nak);

    rx->nak_at = now + (int64_t) nak.next * 1000;

    if (nak.p == body) {
        return rx->nak_at;
    }

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, rx->conf.log, 0,
                   "media srt nak, seq:%uD packets:%ui of:%ui "
                   "answer:%uD tolerance:%uD",
                   (uint32_t) (rx->end & NGX_MEDIA_SRT_SEQ_MAX), nak.asked,
                   rx->missing, nak.cycle, nak.tolerance);

    rx->stat.nak++;
    rx->conf.send(rx->conf.data, NGX_MEDIA_SRT_NAK, 0, body, nak.p - body);

    return rx->nak_at;
}


/* what is due, the oldest first, as much as one packet has room for */

static void
ngx_media_srt_rx_nak_scan(ngx_media_srt_rx_t *rx, ngx_media_srt_rx_nak_t *nak)
{
    uint64_t                  from, n;
    ngx_media_srt_rx_ring_t  *ring;

    ring = &rx->ring;
    n = rx->end;

    for ( ;; ) {
        n = ngx_media_srt_rx_ring_find(ring, n, rx->high, 0);

        if (n == rx->high) {
            return;
        }

        if (!ngx_media_srt_rx_nak_due(rx, nak, n)) {
            n++;
            continue;
        }

        from = n;

        do {
            n++;
        } while (n < rx->high
                 && !ngx_media_srt_rx_ring_test(ring, ring->have, n)
                 && ngx_media_srt_rx_nak_due(rx, nak, n));

        if (ngx_media_srt_nak_add(&nak->p, nak->last,
                                  from & NGX_MEDIA_SRT_SEQ_MAX,
                                  (n - 1) & NGX_MEDIA_SRT_SEQ_MAX)
            != NGX_OK)
        {
            /* the rest in the next one, at once */

            nak->next = 1;
            return;
        }

        ngx_media_srt_rx_nak_asked(rx, nak, from, n);
    }
}


static ngx_uint_t
ngx_media_srt_rx_nak_due(const ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_nak_t *nak, uint64_t n)
{
    uint32_t  word, age, wait;

    if (n >= nak->behind) {
        ngx_media_srt_rx_nak_chance(rx, nak, n);
    }

    word = *ngx_media_srt_rx_ring_word(&rx->ring, n);
    age = ngx_media_srt_rx_age(word, nak->now);
    wait = ngx_media_srt_rx_nak_wait(nak, age, ngx_media_srt_rx_times(word));

    if (age < wait) {
        nak->next = ngx_min(nak->next, wait - age);
        return 0;
    }

    return 1;
}


/*
 * How long after it was last asked for, or found.  A question may be lost: it
 * is asked three times, and again when its answer should have come.  And where
 * that is the last time that an answer can come before it is too late, whether
 * the last one is on its way or not, which is asked twice.
 */

static uint32_t
ngx_media_srt_rx_nak_wait(const ngx_media_srt_rx_nak_t *nak, uint32_t age,
    ngx_uint_t times)
{
    int32_t   left;
    uint32_t  wait;

    if (times == 0) {
        return nak->tolerance;
    }

    left = (int32_t) (nak->chance - nak->now + age);

    if (left <= 0) {
        return nak->cycle;
    }

    wait = nak->again;

    if (times == NGX_MEDIA_SRT_RX_TIMES) {
        wait = ngx_max(nak->cycle - ngx_min((times - 1) * wait, nak->cycle),
                       wait);
    }

    if (left > (int32_t) nak->again) {
        left -= nak->again;
    }

    return ngx_min(wait, ngx_max((uint32_t) left,
                                 NGX_MEDIA_SRT_RX_AT_ONCE / 1000));
}


static void
ngx_media_srt_rx_nak_chance(const ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_nak_t *nak, uint64_t n)
{
    int64_t  due;

    nak->behind = ngx_media_srt_rx_slot_from(rx, n);

    if (nak->behind == rx->high) {
        nak->chance = nak->now + 2 * nak->cycle;
        return;
    }

    due = rx->clock.base + ngx_media_srt_rx_slot(rx, nak->behind)->ts
          + rx->latency;

    nak->chance = (uint32_t) ((due - rx->rtt - rx->rtt_var
                               - NGX_MEDIA_SRT_RX_AHEAD) / 1000);
}


static void
ngx_media_srt_rx_nak_asked(ngx_media_srt_rx_t *rx,
    ngx_media_srt_rx_nak_t *nak, uint64_t from, uint64_t to)
{
    uint32_t    wait, *word;
    ngx_uint_t  times;

    nak->asked += to - from;

    while (from < to) {
        word = ngx_media_srt_rx_ring_word(&rx->ring, from++);

        times = ngx_media_srt_rx_times(*word) % NGX_MEDIA_SRT_RX_TIMES + 1;
        wait = ngx_media_srt_rx_nak_wait(nak, 0, times);

        *word = ngx_media_srt_rx_missing(nak->now, times);

        nak->next = ngx_min(nak->next, wait);
    }
}


/* where the answer comes nearly as soon it is waited for */

static int64_t
ngx_media_srt_rx_again(const ngx_media_srt_rx_t *rx)
{
    int64_t  again, answer;

    again = ngx_min(rx->rtt / 8, NGX_MEDIA_SRT_RX_AGAIN);
    again = ngx_max(again, NGX_MEDIA_SRT_RX_AT_ONCE);
    answer = ngx_media_srt_rx_answer(rx);

    return (answer < NGX_MEDIA_SRT_RX_TIMES * again) ? answer : again;
}


/* when what was asked for should be there; the first pair says little */

static int64_t
ngx_media_srt_rx_answer(const ngx_media_srt_rx_t *rx)
{
    int64_t  answer;

    answer = rx->rtt + ngx_min(4 * rx->rtt_var, rx->rtt / 2)
             + NGX_MEDIA_SRT_RX_CLOCK;

    return ngx_max(answer, NGX_MEDIA_SRT_RX_AT_ONCE);
}


/*
 * libsrt sends nothing once more within RTT - 4 var after it did so, by what
 * it is told here.  How often it is to do so is known better on this side, who
 * asks no more than is needed: it is told of a variance that leaves it a
 * quarter of RTT, which a question that is repeated does not outlast.
 */

static int64_t
ngx_media_srt_rx_said_var(const ngx_media_srt_rx_t *rx)
{
    int64_t  lock, var;

    if (!rx->measured) {
        return rx->rtt_var;
    }

    lock = NGX_MEDIA_SRT_RX_TIMES * ngx_media_srt_rx_again(rx);
    lock = ngx_max(rx->rtt / 4, lock);
    var = (rx->rtt - lock) / 4;

    return ngx_max(rx->rtt_var, var);
}


void
ngx_media_srt_rx_reordered(ngx_media_srt_rx_t *rx, uint64_t n, int64_t now)
{
    int64_t   most, late;
    uint32_t  age;

    age = ngx_media_srt_rx_age(*ngx_media_srt_rx_ring_word(&rx->ring, n),
                               now / 1000);

    most = ngx_min(NGX_MEDIA_SRT_RX_WHILE, rx->rtt / 4);
    late = ((int64_t) age + 1) * 1000;

    rx->reordered = now;
    rx->tolerance = ngx_max(rx->tolerance, late);
    rx->tolerance = ngx_min(rx->tolerance, most);

    rx->stat.reorder = ngx_max(rx->stat.reorder, rx->high - 1 - n);
}
