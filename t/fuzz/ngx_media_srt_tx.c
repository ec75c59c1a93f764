
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_tx.c ingest/ngx_media_srt_ring.c
         ingest/ngx_media_srt_slots.c
         formats/ngx_media_srt.c formats/ngx_media_srt_control.c
         ../unit/ngx_stub.c */


/*
 * Whatever a receiver says, and whenever: what is sent is there, once for each
 * time that it was asked for, and never more than may be on its way.
 */


#include <stdlib.h>
#include <string.h>

#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_srt_control.h"
#include "ingest/ngx_media_srt_tx.h"


#define FLIGHT  8192
#define BATCH   32


typedef struct {
    const uint8_t            *pos;
    const uint8_t            *last;
} input_t;


static ngx_log_t             log;
static ngx_media_srt_ring_t  ring;
static ngx_media_srt_tx_t   *tx;
static int64_t               now;
static uint32_t              newest;          /* sequence number, + 1 */
static uint32_t              begun;           /* of a packet, and its index */
static uint64_t              index0;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define check(expr)                                                           \
    if (!(expr)) {                                                            \
        abort();                                                              \
    }


static uint8_t
byte(input_t *in)
{
    return (in->pos == in->last) ? 0 : *in->pos++;
}


static void
send_control(void *data, ngx_uint_t type, uint32_t info, const u_char *body,
    size_t len)
{
    uint32_t  from, to;

    if (type == NGX_MEDIA_SRT_ACKACK) {
        check(len == NGX_MEDIA_SRT_EMPTY_SIZE);
        return;
    }

    check(type == NGX_MEDIA_SRT_DROPREQ);
    check(ngx_media_srt_dropreq_parse(body, body + len, &from, &to)
          == NGX_OK);

    /* what was left out is behind the newest, but not behind the ring */

    check(ngx_media_srt_seq_diff(to, begun)
          < (int32_t) (ring.head - index0));
}


static void
put(input_t *in)
{
    uint8_t                   flags, n;
    ngx_media_srt_payload_t  *payload;

    flags = byte(in);

    for (n = flags & 0x3f; n; n--) {
        payload = ngx_media_srt_ring_next(&ring, &log);

        payload->time = now;
        payload->len = (flags & 0x80) ? 188 : NGX_MEDIA_SRT_RING_PAYLOAD;
        payload->key = (flags & 0x40) ? 1 : 0;

        memset(payload->data, (int) (ring.head & 0xff), payload->len);

        ngx_media_srt_ring_put(&ring);

        flags &= ~0x40;
    }
}


static void
send_some(input_t *in)
{
    ngx_uint_t                 i, n, sent;
    ngx_media_srt_tx_stat_t    stat;
    ngx_media_srt_tx_packet_t  packets[BATCH];

    n = ngx_media_srt_tx_peek(tx, packets, 1 + byte(in) % BATCH, now);
    sent = n ? byte(in) % (n + 1) : 0;

    for (i = 0; i < n; i++) {
        check(packets[i].index >= ring.tail && packets[i].index < ring.head);
        check(packets[i].last > packets[i].pos);
        check(packets[i].last[-1] == (u_char) (packets[i].index & 0xff));

        begun = packets[i].seq;
        index0 = packets[i].index;

        if (i < sent && !packets[i].repeated) {
            newest = ngx_media_srt_seq_add(packets[i].seq, 1);
        }
    }

    ngx_media_srt_tx_sent(tx, packets, sent, now);
    ngx_media_srt_tx_stat(tx, &stat);

    check(stat.flight <= FLIGHT);
    (void) ngx_media_srt_tx_wait(tx, now);
}


/* words near what was sent, or anything */

static void
control(input_t *in, ngx_uint_t nak)
{
    u_char    body[128], *p;
    uint8_t   flags, n;
    uint32_t  word;

    p = body;

    for (n = byte(in) & 0x1f; n; n--) {
        flags = byte(in);
        word = (uint32_t) byte(in) << 8;
        word |= byte(in);

        if (flags & 0x01) {
            word = ngx_media_srt_seq_add(newest, -(int32_t) (word & 0x3fff));
        }

        if (flags & 0x02) {
            word = ngx_media_srt_seq_add(newest, (int32_t) (word & 0xff));
        }

        if (flags & 0x80) {
            word |= 0x80000000;
        }

        p = ngx_media_put_be32(p, word);
    }

    n = byte(in) & 3;
    p = (p - body > n) ? p - n : p;

    if (nak) {
        ngx_media_srt_tx_nak(tx, body, p, now);

    } else {
        ngx_media_srt_tx_ack(tx, byte(in), body, p, now);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t                  in;
    ngx_media_srt_tx_conf_t  conf;

    in.pos = data;
    in.last = data + size;

    memset(&ring, 0, sizeof(ring));
    memset(&conf, 0, sizeof(conf));

    now = 1000000;
    ring.keep = 2500000;

    conf.ring = &ring;
    conf.log = &log;
    conf.isn = 0x7fffff00 + byte(&in);
    conf.window = (ngx_uint_t) byte(&in) << (byte(&in) & 15);
    conf.latency = (ngx_uint_t) byte(&in) * 20;
    conf.base = now;
    conf.send = send_control;

    newest = conf.isn;
    tx = ngx_media_srt_tx_create(&conf);

    while (in.pos != in.last) {

        switch (byte(&in) % 6) {

        case 0:
            put(&in);
            break;

        case 1:
            now += (int64_t) byte(&in) * 1000;
            break;

        case 2:
            control(&in, 0);
            break;

        case 3:
            control(&in, 1);
            break;

        default:
            send_some(&in);
        }
    }

    ngx_media_srt_tx_destroy(tx);
    ngx_media_srt_ring_free(&ring);

    return 0;
}
