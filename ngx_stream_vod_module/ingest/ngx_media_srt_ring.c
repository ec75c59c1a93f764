
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_ring.h"


#define NGX_MEDIA_SRT_RING_MIN    256         /* payloads, a power of 2 */

/* us: what is shorter says nothing of a rate */
#define NGX_MEDIA_SRT_RING_SPAN   250000

/* bytes a second that are assumed then, and at least */
#define NGX_MEDIA_SRT_RING_RATE   250000
#define NGX_MEDIA_SRT_RING_LEAST  16384


static ngx_media_srt_payload_t *ngx_media_srt_ring_alloc(
    ngx_media_srt_ring_t *ring, ngx_log_t *log);
static ngx_int_t ngx_media_srt_ring_grow(ngx_media_srt_ring_t *ring,
    ngx_log_t *log);


void
ngx_media_srt_ring_free(ngx_media_srt_ring_t *ring)
{
    ngx_uint_t  i;

    for (i = 0; i < ring->size; i++) {
        if (ring->payloads[i]) {
            ngx_free(ring->payloads[i]);
        }
    }

    if (ring->payloads) {
        ngx_free(ring->payloads);
    }

    if (ring->slots) {
        ngx_media_srt_slots_forget(ring->slots, ring->count
                                           * sizeof(ngx_media_srt_payload_t));
    }

    ngx_memzero(ring, sizeof(ngx_media_srt_ring_t));
}


/* what has left the ring is used anew: memory is that of the largest need */

ngx_media_srt_payload_t *
ngx_media_srt_ring_next(ngx_media_srt_ring_t *ring, ngx_log_t *log)
{
    ngx_media_srt_payload_t  **slot;

    if (ring->head - ring->tail == ring->size
        && (ring->size == NGX_MEDIA_SRT_RING_MAX
            || ngx_media_srt_ring_grow(ring, log) != NGX_OK))
    {
        if (ring->size == 0) {
            return NULL;
        }

        ring->tail++;
    }

    slot = &ring->payloads[ring->head & (ring->size - 1)];

    if (*slot == NULL) {
        *slot = ngx_media_srt_ring_alloc(ring, log);

        if (*slot == NULL) {
            return NULL;
        }
    }

    (*slot)->len = 0;
    (*slot)->key = 0;

    return *slot;
}


/* with few a ring is of no use: these it has in any case */

static ngx_media_srt_payload_t *
ngx_media_srt_ring_alloc(ngx_media_srt_ring_t *ring, ngx_log_t *log)
{
    ngx_media_srt_payload_t  *payload, **oldest;

    if (ring->slots
        && ngx_media_srt_slots_keep(ring->slots,
                                    sizeof(ngx_media_srt_payload_t),
                                    ring->count < NGX_MEDIA_SRT_RING_MIN)
           != NGX_OK)
    {
        if (ring->tail == ring->head) {
            return NULL;
        }

        oldest = &ring->payloads[ring->tail & (ring->size - 1)];

        payload = *oldest;
        *oldest = NULL;

        ring->tail++;

        return payload;
    }

    payload = ngx_alloc(sizeof(ngx_media_srt_payload_t), log);

    if (payload) {
        ring->count++;

    } else if (ring->slots) {
        ngx_media_srt_slots_forget(ring->slots,
                                   sizeof(ngx_media_srt_payload_t));
    }

    return payload;
}


static ngx_int_t
ngx_media_srt_ring_grow(ngx_media_srt_ring_t *ring, ngx_log_t *log)
{
    uint64_t                   i;
    ngx_uint_t                 size;
    ngx_media_srt_payload_t  **payloads;

    size = ring->size ? ring->size * 2 : NGX_MEDIA_SRT_RING_MIN;

    payloads = ngx_calloc(size * sizeof(ngx_media_srt_payload_t *), log);
    if (payloads == NULL) {
        return NGX_ERROR;
    }

    for (i = ring->tail; i < ring->head; i++) {
        payloads[i & (size - 1)] = ring->payloads[i & (ring->size - 1)];
    }

    if (ring->payloads) {
        ngx_free(ring->payloads);
    }

    ring->payloads = payloads;
    ring->size = size;

    return NGX_OK;
}


void
ngx_media_srt_ring_put(ngx_media_srt_ring_t *ring)
{
    ngx_media_srt_payload_t  *payload;

    payload = ngx_media_srt_ring_at(ring, ring->head);

    payload->pos = ring->pos;
    ring->pos += payload->len;

    ring->head++;

    if (payload->key) {
        ring->key = ring->head;
    }

    while (payload->time - ngx_media_srt_ring_at(ring, ring->tail)->time
           > ring->keep)
    {
        ring->tail++;
    }
}


ngx_int_t
ngx_media_srt_ring_key(const ngx_media_srt_ring_t *ring, uint64_t *index)
{
    if (ring->key <= ring->tail) {
        return NGX_DECLINED;
    }

    *index = ring->key - 1;

    return NGX_OK;
}


uint64_t
ngx_media_srt_ring_rate(const ngx_media_srt_ring_t *ring)
{
    int64_t                         span;
    uint64_t                        bytes, rate;
    const ngx_media_srt_payload_t  *first, *last;

    if (ring->head - ring->tail < 2) {
        return NGX_MEDIA_SRT_RING_RATE;
    }

    first = ngx_media_srt_ring_at(ring, ring->tail);
    last = ngx_media_srt_ring_at(ring, ring->head - 1);

    span = last->time - first->time;

    if (span < NGX_MEDIA_SRT_RING_SPAN) {
        return NGX_MEDIA_SRT_RING_RATE;
    }

    /* the ring is of 43 MB at most */

    bytes = ring->pos - first->pos;
    rate = bytes * 1000000 / (uint64_t) span;

    return ngx_max(rate, NGX_MEDIA_SRT_RING_LEAST);
}
