
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt.h"
#include "ingest/ngx_media_srt_rate.h"


#define NGX_MEDIA_SRT_RATE_WINDOW  500000     /* us */
#define NGX_MEDIA_SRT_RATE_LEAST   10000      /* us: a rate of less is none */
#define NGX_MEDIA_SRT_RATE_PROBE   1000       /* us: of pairs not yet seen */
#define NGX_MEDIA_SRT_RATE_NEAR    8          /* times the median, or a part */


static void ngx_media_srt_rate_turn(ngx_media_srt_rate_t *rate, int64_t now);
static void ngx_media_srt_rate_probe(ngx_media_srt_rate_t *rate, uint32_t seq,
    size_t size, ngx_uint_t inorder, int64_t now);
static uint64_t ngx_media_srt_rate_of(const ngx_media_srt_rate_t *rate,
    uint64_t n, int64_t now);


void
ngx_media_srt_rate_init(ngx_media_srt_rate_t *rate, int64_t now)
{
    ngx_uint_t  i;

    ngx_memzero(rate, sizeof(ngx_media_srt_rate_t));

    rate->begin = now;

    for (i = 0; i < NGX_MEDIA_SRT_RATE_PROBES; i++) {
        rate->probes[i] = NGX_MEDIA_SRT_RATE_PROBE;
    }
}


void
ngx_media_srt_rate_packet(ngx_media_srt_rate_t *rate, uint32_t seq,
    size_t size, ngx_uint_t inorder, int64_t now)
{
    if (now - rate->begin >= NGX_MEDIA_SRT_RATE_WINDOW) {
        ngx_media_srt_rate_turn(rate, now);
    }

    rate->packets++;
    rate->bytes += size;

    ngx_media_srt_rate_probe(rate, seq, size, inorder, now);
}


uint64_t
ngx_media_srt_rate_packets(const ngx_media_srt_rate_t *rate, int64_t now)
{
    return ngx_media_srt_rate_of(rate, rate->packets + rate->last_packets,
                                 now);
}


uint64_t
ngx_media_srt_rate_bytes(const ngx_media_srt_rate_t *rate, int64_t now)
{
    return ngx_media_srt_rate_of(rate, rate->bytes + rate->last_bytes, now);
}


uint32_t
ngx_media_srt_rate_capacity(ngx_media_srt_rate_t *rate)
{
    uint32_t    probe, sorted[NGX_MEDIA_SRT_RATE_PROBES];
    uint64_t    sum;
    ngx_uint_t  i, j, n;

    if (rate->capacity) {
        return rate->capacity;
    }

    for (i = 0; i < NGX_MEDIA_SRT_RATE_PROBES; i++) {
        probe = rate->probes[i];

        for (j = i; j > 0 && sorted[j - 1] > probe; j--) {
            sorted[j] = sorted[j - 1];
        }

        sorted[j] = probe;
    }

    probe = sorted[NGX_MEDIA_SRT_RATE_PROBES / 2];

    sum = 0;
    n = 0;

    for (i = 0; i < NGX_MEDIA_SRT_RATE_PROBES; i++) {
        if (sorted[i] >= probe / NGX_MEDIA_SRT_RATE_NEAR
            && sorted[i] / NGX_MEDIA_SRT_RATE_NEAR <= probe)
        {
            sum += sorted[i];
            n++;
        }
    }

    rate->capacity = (uint32_t) ((uint64_t) 1000000 * n / sum);

    if (rate->capacity == 0) {
        rate->capacity = 1;
    }

    return rate->capacity;
}


static void
ngx_media_srt_rate_turn(ngx_media_srt_rate_t *rate, int64_t now)
{
    rate->last_packets = rate->packets;
    rate->last_bytes = rate->bytes;
    rate->last_time = now - rate->begin;

    rate->packets = 0;
    rate->bytes = 0;
    rate->begin = now;
}


static void
ngx_media_srt_rate_probe(ngx_media_srt_rate_t *rate, uint32_t seq,
    size_t size, ngx_uint_t inorder, int64_t now)
{
    int64_t  us;

    if (!inorder) {
        rate->probing = 0;
        return;
    }

    if ((seq & 15) == 0) {
        rate->probing = 1;
        rate->probe = now;
        rate->probe_next = ngx_media_srt_seq_add(seq, 1);
        return;
    }

    if (!rate->probing || seq != rate->probe_next) {
        return;
    }

    rate->probing = 0;

    if (size == 0) {
        return;
    }

    /*
     * Packets that were read together came within less than the time can
     * say: the way has more room than that.
     */

    us = ngx_max(now - rate->probe, 1) * NGX_MEDIA_SRT_PAYLOAD
         / (int64_t) size;

    rate->probes[rate->probe_at] = (uint32_t) ngx_min(ngx_max(us, 1),
                                                      1000000);
    rate->probe_at = (rate->probe_at + 1) % NGX_MEDIA_SRT_RATE_PROBES;
    rate->capacity = 0;
}


static uint64_t
ngx_media_srt_rate_of(const ngx_media_srt_rate_t *rate, uint64_t n,
    int64_t now)
{
    int64_t  time;

    /* a window that is long over was followed by nothing */

    time = now - rate->begin + rate->last_time;

    return n * 1000000 / (uint64_t) ngx_max(time, NGX_MEDIA_SRT_RATE_LEAST);
}
