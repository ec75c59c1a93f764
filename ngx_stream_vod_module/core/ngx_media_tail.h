
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The tail: what a stream's publishers said last, frame by frame, in order of
 * arrival, all tracks in one ring.  It is there only while somebody follows the
 * stream; a frame is in it microseconds after its publisher sent it, while
 * parts are 100 ms late.
 */


#ifndef _NGX_MEDIA_TAIL_H_INCLUDED_
#define _NGX_MEDIA_TAIL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_read.h"
#include "core/ngx_media_store_shm.h"


/* ms that a wish to follow lasts, if it is not renewed */
#define NGX_MEDIA_TAIL_WANTED  5000


#define NGX_MEDIA_TAIL_KEY     0x01           /* random access point */
#define NGX_MEDIA_TAIL_SILENT  0x02           /* put in for what is missing */
#define NGX_MEDIA_TAIL_PERIOD  0x04           /* its track's first of one */
#define NGX_MEDIA_TAIL_LARGE   0x08           /* its bytes are in a part only */


typedef struct {
    uint64_t                  seq;            /* from the reader's next on */
    ngx_uint_t                track;          /* the stream's number of it */
    ngx_uint_t                type;           /* ngx_media_type_e */
    ngx_uint_t                flags;          /* NGX_MEDIA_TAIL_* */
    uint32_t                  timescale;
    uint32_t                  duration;       /* in timescale, a forecast */
    int64_t                   dts;            /* in timescale, unix epoch */
    int32_t                   cto;            /* pts - dts */
    uint64_t                  number;         /* of its segment */
    uint64_t                  init;           /* name of its parameters */
    const u_char             *pos;            /* borrowed, see valid() */
    size_t                    size;
} ngx_media_tail_frame_t;


/*
 * The publisher's end: a frame that has its segment and its time.  Costs a load
 * while nobody follows.  Without memory for the ring there is none: who follows
 * reads parts.
 */
void ngx_media_tail_put(const ngx_media_claim_t *claim,
    const ngx_media_tail_frame_t *frame);

/* if nobody follows any more, or of a stream that goes; it is locked */
void ngx_media_tail_tick_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
void ngx_media_tail_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);


/* the other end, in any process */

typedef struct {
    ngx_media_stream_t        stream;
    uint64_t                  next;           /* of the frame to come */
    ngx_media_tail_shm_t     *tail;           /* NULL: not open */
    ngx_media_range_t         pin;
    unsigned                  anew:1;         /* it is another ring */
} ngx_media_tail_reader_t;


/* this process follows it: to be said again sooner than WANTED */
void ngx_media_tail_want(const ngx_media_stream_t *stream);

/* what to wait for, for frames */
ngx_media_notify_shm_t *ngx_media_tail_notify(
    const ngx_media_stream_t *stream);

/*
 * The next frame, of what is there from reader->next on (0: from the oldest).
 * NGX_OK; NGX_AGAIN: there is none yet, or no ring; NGX_DONE: some were
 * overtaken, next is the oldest now.
 */
ngx_int_t ngx_media_tail_next(ngx_media_tail_reader_t *reader,
    ngx_media_tail_frame_t *frame);

/* its bytes were copied: are they what they said?  0: overtaken */
ngx_uint_t ngx_media_tail_valid(const ngx_media_tail_reader_t *reader,
    const ngx_media_tail_frame_t *frame);

/* gives the ring back */
void ngx_media_tail_close(ngx_media_tail_reader_t *reader);


#endif /* _NGX_MEDIA_TAIL_H_INCLUDED_ */
