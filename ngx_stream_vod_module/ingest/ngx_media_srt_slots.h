
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What datagrams of SRT are received into: slots of 1488 bytes, one pool a
 * worker, in chunks of 64 KB that are given back when they are empty.  A slot
 * has a number of 32 bits, so that a session's ring is half as large.
 *
 * The limit is not a wall.  Where there are more slots out than it says, the
 * pool is tight, and each session that has more than its share of them hands
 * on what it holds before its time (ngx_media_srt_rx.h); nobody is sent away.
 * What is kept for viewers (ngx_media_srt_ring.h) is not of the pool, but of
 * its limit: at most half of that.
 */


#ifndef _NGX_MEDIA_SRT_SLOTS_H_INCLUDED_
#define _NGX_MEDIA_SRT_SLOTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt.h"


#define NGX_MEDIA_SRT_SLOT_NONE  ((uint32_t) -1)


typedef struct ngx_media_srt_slots_s  ngx_media_srt_slots_t;


typedef struct {
    uint32_t                  number;         /* the pool's, never changes */
    uint16_t                  pos;            /* of the receiver that holds it:
                                                 the payload, within data */
    uint16_t                  len;
    int64_t                   ts;             /* us, unrolled */
    u_char                    data[NGX_MEDIA_SRT_DATAGRAM];
                                              /* the datagram */
} ngx_media_srt_slot_t;


typedef struct {
    size_t                    limit;          /* bytes */
    size_t                    size;           /* bytes of all chunks */
    size_t                    kept;           /* bytes, for viewers */
    ngx_uint_t                used;           /* slots that are out */
    ngx_uint_t                users;          /* receivers */
} ngx_media_srt_slots_stat_t;


/*
 * limit: bytes, 0: none; it may be changed later.  NULL: no memory.  Who
 * destroys it has given back all slots.
 */
ngx_media_srt_slots_t *ngx_media_srt_slots_create(size_t limit,
    ngx_log_t *log);
void ngx_media_srt_slots_destroy(ngx_media_srt_slots_t *slots);
void ngx_media_srt_slots_limit(ngx_media_srt_slots_t *slots, size_t limit);

/* NULL: no memory */
ngx_media_srt_slot_t *ngx_media_srt_slots_get(ngx_media_srt_slots_t *slots);
void ngx_media_srt_slots_put(ngx_media_srt_slots_t *slots,
    ngx_media_srt_slot_t *slot);

/* a slot that is out, by its number */
ngx_media_srt_slot_t *ngx_media_srt_slots_at(
    const ngx_media_srt_slots_t *slots, uint32_t number);

/* one more, or one less, who shares the limit */
void ngx_media_srt_slots_join(ngx_media_srt_slots_t *slots);
void ngx_media_srt_slots_leave(ngx_media_srt_slots_t *slots);

/* whether a receiver that holds so many has to hold less */
ngx_uint_t ngx_media_srt_slots_tight(const ngx_media_srt_slots_t *slots,
    ngx_uint_t held);

/* n bytes more are kept for viewers: NGX_DECLINED: there is no room, and they
   do not count, unless it is said that they are needed */
ngx_int_t ngx_media_srt_slots_keep(ngx_media_srt_slots_t *slots, size_t n,
    ngx_uint_t needed);

/* so many less */
void ngx_media_srt_slots_forget(ngx_media_srt_slots_t *slots, size_t n);

void ngx_media_srt_slots_stat(const ngx_media_srt_slots_t *slots,
    ngx_media_srt_slots_stat_t *stat);


#endif /* _NGX_MEDIA_SRT_SLOTS_H_INCLUDED_ */
