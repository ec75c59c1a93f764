
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The tail of a stream in a zone: see ngx_media_store_shm.h for what holds for
 * all records.  The ring's bytes are an extent of the arena that nothing is
 * sent from: readers copy, so it is overwritten and never punched.
 */


#ifndef _NGX_MEDIA_TAIL_SHM_H_INCLUDED_
#define _NGX_MEDIA_TAIL_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_zone.h"


#define NGX_MEDIA_TAIL_PAGES     8


typedef struct {
    uint64_t                  seq;            /* [atomic] of this entry */
    int64_t                   dts;            /* in timescale */
    uint64_t                  offset;         /* of its bytes, in all that ever
                                                 came */
    uint64_t                  number;         /* of its segment */
    uint64_t                  init;
    int32_t                   cto;
    uint32_t                  duration;
    uint32_t                  size;
    uint32_t                  timescale;
    uint32_t                  track;          /* the stream's number of it */
    uint16_t                  type;           /* ngx_media_type_e */
    uint16_t                  flags;          /* NGX_MEDIA_TAIL_* */
} ngx_media_tail_frame_shm_t;

#define NGX_MEDIA_TAIL_PER_PAGE                                               \
    (NGX_MEDIA_PAGE / sizeof(ngx_media_tail_frame_shm_t))
#define NGX_MEDIA_TAIL_FRAMES                                                 \
    (NGX_MEDIA_TAIL_PAGES * NGX_MEDIA_TAIL_PER_PAGE)


/* one block, and one for each page of entries */

typedef struct {
    uint64_t                  head;           /* [stream, atomic] of the next
                                                 entry */
    uint64_t                  tail;           /* [stream, atomic] oldest one */
    uint64_t                  bytes;          /* [stream] that ever came, or
                                                 have room */
    uint64_t                  id;             /* [once] of the extent */
    uint32_t                  extent;         /* [once] */
    uint32_t                  size;           /* [once] of the ring, bytes */
    uint32_t                  ready;          /* [stream] it is backed with
                                                 memory */
    ngx_media_tail_frame_shm_t
                             *frames[NGX_MEDIA_TAIL_PAGES];  /* [once] */
} ngx_media_tail_shm_t;


static ngx_inline ngx_media_tail_frame_shm_t *
ngx_media_tail_record(const ngx_media_tail_shm_t *tail, uint64_t seq)
{
    uint64_t  n;

    n = seq % NGX_MEDIA_TAIL_FRAMES;

    return &tail->frames[n / NGX_MEDIA_TAIL_PER_PAGE]
                        [n % NGX_MEDIA_TAIL_PER_PAGE];
}


#endif /* _NGX_MEDIA_TAIL_SHM_H_INCLUDED_ */
