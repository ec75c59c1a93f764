
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @srt_rx ../unit/ngx_stub.c */


/*
 * Whatever comes in whatever order: what the receiver says is never more than
 * came, and its ring is sound.  A byte says what comes, some behind it what
 * is in it.
 */


#include <stdlib.h>

#include "ingest/ngx_media_srt_rx.h"
#include "media_srt.h"


typedef struct {
    const uint8_t            *pos;
    const uint8_t            *last;
} input_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static uint8_t
byte(input_t *in)
{
    return (in->pos == in->last) ? 0 : *in->pos++;
}


/* small ones mostly, large ones sometimes */

static int64_t
number(input_t *in)
{
    uint8_t  shift;

    shift = byte(in);

    return (int64_t) (int8_t) byte(in) * ((int64_t) 1 << (shift & 31));
}


static ngx_int_t
decrypt(srt_t *srt, uint32_t seq, ngx_uint_t kk)
{
    return (kk == NGX_MEDIA_SRT_KK_CLEAR) ? NGX_OK : NGX_DECLINED;
}


static uint32_t
near(srt_t *srt, input_t *in)
{
    return (uint32_t) ((int64_t) srt->rx->high + number(in))
           & NGX_MEDIA_SRT_SEQ_MAX;
}


static void
packets(srt_t *srt, input_t *in, int64_t *ts)
{
    uint8_t               flags, n;
    uint32_t              seq;
    ngx_media_srt_data_t  packet;

    memset(&packet, 0, sizeof(packet));

    flags = byte(in);
    seq = near(srt, in);
    *ts += number(in);

    n = (flags & 0x10) ? byte(in) : 1;

    while (n--) {
        packet.seq = seq;
        packet.ts = (uint32_t) *ts;
        packet.pp = flags & 3;
        packet.rexmit = flags >> 2 & 1;
        packet.kk = flags >> 3 & 1;

        (void) srt_packet(srt, &packet, 0, (flags & 0x20) ? flags : 1456);

        seq = ngx_media_srt_seq_add(seq, 1 + (flags >> 6));
        *ts += 1000;
        srt->now += (flags & 0x80) ? 1000 : 0;
    }
}


static void
what(srt_t *srt, input_t *in, int64_t *ts)
{
    uint32_t  from;

    switch (byte(in) & 15) {

    case 0:
        ngx_media_srt_rx_ackack(srt->rx, srt->ack_number - byte(in),
                                srt->now);
        break;

    case 1:
        from = near(srt, in);
        ngx_media_srt_rx_dropreq(srt->rx, from, near(srt, in));
        break;

    case 2:
        ngx_media_srt_rx_stamp(srt->rx, (uint32_t) (*ts + number(in)));
        break;

    case 3:
        ngx_media_srt_slots_limit(srt->slots,
                                  byte(in) * sizeof(ngx_media_srt_slot_t));
        break;

    case 4:
        ngx_media_srt_rx_flush(srt->rx);
        break;

    case 5:
        ngx_stub_fail = byte(in) & 3;
        break;

    case 6:
        (void) srt_data(srt, (uint64_t) number(in), *ts, byte(in) & 1);
        break;

    case 7:
    case 8:
        srt->now += llabs(number(in)) & 0xfffffff;
        (void) srt_tick(srt, srt->now);
        break;

    default:
        packets(srt, in, ts);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t                  ts;
    srt_t                    srt;
    uint8_t                  flags;
    input_t                  in;
    ngx_media_srt_rx_conf_t  conf;

    in.pos = data;
    in.last = data + size;

    memset(&srt, 0, sizeof(srt));
    memset(&conf, 0, sizeof(conf));

    flags = byte(&in);

    conf.early = flags & 1;
    conf.rexmit = flags >> 1 & 1;
    conf.room = (flags & 8) ? 44 : 0;
    conf.latency = (ngx_msec_t) byte(&in) * 32;
    conf.isn = (uint32_t) number(&in) & NGX_MEDIA_SRT_SEQ_MAX;

    srt.now = 1000000000;
    srt.jumps = 1;
    srt.decrypt = (flags & 4) ? decrypt : NULL;

    srt_begin(&srt, &conf);

    ts = (uint32_t) number(&in);

    while (in.pos != in.last && srt.wrong == NULL) {
        what(&srt, &in, &ts);
        srt_check(&srt);
    }

    ngx_stub_fail = 0;

    srt_stat(&srt);
    srt_end(&srt);

    if (srt.wrong) {
        fprintf(stderr, "%s\n", srt.wrong);
        abort();
    }

    return 0;
}
