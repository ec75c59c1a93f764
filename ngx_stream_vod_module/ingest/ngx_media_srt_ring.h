
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Payloads of SRT packets, in the order in which they are sent: what a feed
 * makes of a stream, and all its viewers send.  Each has an index, which is one
 * more than that of the one before, and never comes again.
 */


#ifndef _NGX_MEDIA_SRT_RING_H_INCLUDED_
#define _NGX_MEDIA_SRT_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_slots.h"


/* 7 packets of a transport stream: what all receivers take */
#define NGX_MEDIA_SRT_RING_PAYLOAD  1316

/* of a ring: 43 MB, 8 s of 43 Mbit/s */
#define NGX_MEDIA_SRT_RING_MAX      32768


typedef struct {
    int64_t                   time;           /* us, monotonic: when it came */
    uint64_t                  pos;            /* bytes of all those before */
    uint32_t                  len;
    unsigned                  key:1;          /* who begins may begin here */
    u_char                    data[NGX_MEDIA_SRT_RING_PAYLOAD];
} ngx_media_srt_payload_t;


/* zeroed at first; of its owner */

typedef struct {
    uint64_t                  tail;           /* the oldest that is kept */
    uint64_t                  head;           /* the next one */
    int64_t                   keep;           /* us: no longer than that */
    ngx_media_srt_slots_t    *slots;          /* whose limit it is of, borrowed;
                                                 NULL: of none */

    /* its own */
    ngx_media_srt_payload_t **payloads;
    ngx_uint_t                size;           /* of these, a power of 2 */
    ngx_uint_t                count;          /* of these, there are */
    uint64_t                  pos;            /* bytes of all so far */
    uint64_t                  key;            /* the newest, + 1; 0: none */
} ngx_media_srt_ring_t;


/* gives its memory back */
void ngx_media_srt_ring_free(ngx_media_srt_ring_t *ring);

/*
 * The next payload, to be filled in, and then put in: with time, len and key.
 * What is older than keep, or too much, goes: where there is no memory for more
 * it is the oldest that is used anew.  NULL: there is none at all.
 */
ngx_media_srt_payload_t *ngx_media_srt_ring_next(ngx_media_srt_ring_t *ring,
    ngx_log_t *log);
void ngx_media_srt_ring_put(ngx_media_srt_ring_t *ring);

/* NGX_OK, *index is that of the newest key payload; NGX_DECLINED: none */
ngx_int_t ngx_media_srt_ring_key(const ngx_media_srt_ring_t *ring,
    uint64_t *index);

/* bytes a second, as far as can be seen; never 0 */
uint64_t ngx_media_srt_ring_rate(const ngx_media_srt_ring_t *ring);


/* of an index from tail to head - 1 */

static ngx_inline ngx_media_srt_payload_t *
ngx_media_srt_ring_at(const ngx_media_srt_ring_t *ring, uint64_t index)
{
    return ring->payloads[index & (ring->size - 1)];
}


#endif /* _NGX_MEDIA_SRT_RING_H_INCLUDED_ */
