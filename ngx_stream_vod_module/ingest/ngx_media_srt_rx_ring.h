
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which packets of a window of sequence numbers are there: a word and a bit
 * each, at number & (size - 1).
 *
 *     have   word
 *       1    the slot's number: it is there
 *       1    NGX_MEDIA_SRT_SLOT_NONE: it will never be, is not wanted
 *       0    when it was found to be missing, or last asked for, ms, and in
 *            the lowest bits how often, see ngx_media_srt_rx_ack.c
 *
 * Numbers are unrolled: 64 bits whose lower 31 are those of the packets.  A
 * place outside of the window has no bits, and a word that means nothing.
 */


#ifndef _NGX_MEDIA_SRT_RX_RING_H_INCLUDED_
#define _NGX_MEDIA_SRT_RX_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MEDIA_SRT_RX_RING_LEAST  512         /* packets */
#define NGX_MEDIA_SRT_RX_RING_MOST   8192


typedef struct {
    uint32_t                 *words;
    uint64_t                 *have;
    uint32_t                  size;           /* a power of two */
} ngx_media_srt_rx_ring_t;


/* of the least size; NGX_ERROR: no memory */
ngx_int_t ngx_media_srt_rx_ring_init(ngx_media_srt_rx_ring_t *ring,
    ngx_log_t *log);
void ngx_media_srt_rx_ring_done(ngx_media_srt_rx_ring_t *ring);

/*
 * Room for so many packets from "from" on, at most for as many as the most;
 * from..to is the window.  NGX_ERROR: no memory, it is what it was.
 */
ngx_int_t ngx_media_srt_rx_ring_grow(ngx_media_srt_rx_ring_t *ring,
    uint64_t from, uint64_t to, uint64_t room, ngx_log_t *log);

/* the first of from..to, to excluded, that is, or is not, had; else to */
uint64_t ngx_media_srt_rx_ring_find(const ngx_media_srt_rx_ring_t *ring,
    uint64_t from, uint64_t to, ngx_uint_t had);


static ngx_inline uint32_t *
ngx_media_srt_rx_ring_word(const ngx_media_srt_rx_ring_t *ring, uint64_t n)
{
    return &ring->words[n & (ring->size - 1)];
}


static ngx_inline ngx_uint_t
ngx_media_srt_rx_ring_test(const ngx_media_srt_rx_ring_t *ring,
    const uint64_t *bits, uint64_t n)
{
    n &= ring->size - 1;

    return bits[n >> 6] >> (n & 63) & 1;
}


static ngx_inline void
ngx_media_srt_rx_ring_set(const ngx_media_srt_rx_ring_t *ring, uint64_t *bits,
    uint64_t n)
{
    n &= ring->size - 1;

    bits[n >> 6] |= (uint64_t) 1 << (n & 63);
}


static ngx_inline void
ngx_media_srt_rx_ring_clear(const ngx_media_srt_rx_ring_t *ring,
    uint64_t *bits, uint64_t n)
{
    n &= ring->size - 1;

    bits[n >> 6] &= ~((uint64_t) 1 << (n & 63));
}


#endif /* _NGX_MEDIA_SRT_RX_RING_H_INCLUDED_ */
