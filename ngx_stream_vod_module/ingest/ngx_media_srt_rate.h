
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What full ACKs of SRT say of the way, and adaptive encoders go by: packets
 * and bytes a second that came, and packets a second that could, of the time
 * between the two packets of a pair (numbers of 16 n and 16 n + 1), which a
 * sender sends without a pause.
 */


#ifndef _NGX_MEDIA_SRT_RATE_H_INCLUDED_
#define _NGX_MEDIA_SRT_RATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MEDIA_SRT_RATE_PROBES  64


typedef struct {
    int64_t                   begin;          /* of the current window */
    uint64_t                  packets;
    uint64_t                  bytes;
    uint64_t                  last_packets;   /* of the one before */
    uint64_t                  last_bytes;
    int64_t                   last_time;      /* us that it took, 0: none */
    int64_t                   probe;          /* the first of a pair came */
    uint32_t                  probe_next;     /* the other one's number */
    uint32_t                  probe_at;       /* in the ring of probes */
    uint32_t                  capacity;       /* packets/s, 0: make it anew */
    uint32_t                  probes[NGX_MEDIA_SRT_RATE_PROBES];
                                              /* us a packet of full size */
    unsigned                  probing:1;
} ngx_media_srt_rate_t;


void ngx_media_srt_rate_init(ngx_media_srt_rate_t *rate, int64_t now);

/* inorder: it was sent once, and is the next of those that came so far */
void ngx_media_srt_rate_packet(ngx_media_srt_rate_t *rate, uint32_t seq,
    size_t size, ngx_uint_t inorder, int64_t now);

/* of the last half to whole second */
uint64_t ngx_media_srt_rate_packets(const ngx_media_srt_rate_t *rate,
    int64_t now);
uint64_t ngx_media_srt_rate_bytes(const ngx_media_srt_rate_t *rate,
    int64_t now);

/* packets/s, 1000 until pairs came */
uint32_t ngx_media_srt_rate_capacity(ngx_media_srt_rate_t *rate);


#endif /* _NGX_MEDIA_SRT_RATE_H_INCLUDED_ */
