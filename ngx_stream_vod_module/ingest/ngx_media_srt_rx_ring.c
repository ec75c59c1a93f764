
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_rx_ring.h"


static ngx_int_t ngx_media_srt_rx_ring_alloc(ngx_media_srt_rx_ring_t *ring,
    uint32_t size, ngx_log_t *log);


ngx_int_t
ngx_media_srt_rx_ring_init(ngx_media_srt_rx_ring_t *ring, ngx_log_t *log)
{
    return ngx_media_srt_rx_ring_alloc(ring, NGX_MEDIA_SRT_RX_RING_LEAST, log);
}


void
ngx_media_srt_rx_ring_done(ngx_media_srt_rx_ring_t *ring)
{
    ngx_free(ring->have);
    ring->have = NULL;
}


ngx_int_t
ngx_media_srt_rx_ring_grow(ngx_media_srt_rx_ring_t *ring, uint64_t from,
    uint64_t to, uint64_t room, ngx_log_t *log)
{
    uint32_t              size;
    uint64_t              n;
    ngx_media_srt_rx_ring_t  larger;

    room = ngx_min(room, NGX_MEDIA_SRT_RX_RING_MOST);

    for (size = ring->size; size < room; size *= 2) { /* void */ }

    if (size == ring->size) {
        return NGX_OK;
    }

    if (ngx_media_srt_rx_ring_alloc(&larger, size, log) != NGX_OK) {
        return NGX_ERROR;
    }

    for (n = from; n < to; n++) {
        *ngx_media_srt_rx_ring_word(&larger, n) =
                                         *ngx_media_srt_rx_ring_word(ring, n);

        if (ngx_media_srt_rx_ring_test(ring, ring->have, n)) {
            ngx_media_srt_rx_ring_set(&larger, larger.have, n);
        }
    }

    ngx_media_srt_rx_ring_done(ring);

    *ring = larger;

    return NGX_OK;
}


uint64_t
ngx_media_srt_rx_ring_find(const ngx_media_srt_rx_ring_t *ring, uint64_t from,
    uint64_t to, ngx_uint_t had)
{
    uint64_t  bits;

    while (from < to) {
        bits = ring->have[(from & (ring->size - 1)) >> 6];

        if (!had) {
            bits = ~bits;
        }

        bits >>= from & 63;

        if (bits) {
            from += (uint64_t) __builtin_ctzll(bits);
            break;
        }

        from = (from | 63) + 1;
    }

    return ngx_min(from, to);
}


static ngx_int_t
ngx_media_srt_rx_ring_alloc(ngx_media_srt_rx_ring_t *ring, uint32_t size,
    ngx_log_t *log)
{
    u_char  *p;
    size_t   bits;

    bits = size / 8;

    p = ngx_alloc(bits + size * sizeof(uint32_t), log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(p, bits);

    ring->have = (uint64_t *) (void *) p;
    ring->words = (uint32_t *) (void *) (p + bits);
    ring->size = size;

    return NGX_OK;
}
