
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Segments of rungs: had from the disk, or made, by one worker of all, while
 * others wait for it.  A request that asks for one has it until its pool is
 * destroyed; what nobody waits for any more is not made on.
 *
 *     want->...        set what is wanted
 *     rc = ngx_media_vod_want(want);
 *
 *     NGX_OK        done: want->status, and if it is 200, want->made
 *     NGX_AGAIN     want->handler will be called when it is
 *     NGX_DECLINED  there is no such segment
 *
 * In the event loop.
 */


#ifndef _NGX_MEDIA_VOD_WANT_H_INCLUDED_
#define _NGX_MEDIA_VOD_WANT_H_INCLUDED_


#include "vod/ngx_media_vod_load.h"
#include "vod/ngx_media_vod_made.h"


/* segments that were asked for of late */
#define NGX_MEDIA_VOD_ASKED      64


typedef struct ngx_media_vod_want_s  ngx_media_vod_want_t;
typedef struct ngx_media_vod_making_s  ngx_media_vod_making_t;


/* what a process makes, and what it has open of what was made: of a table */

typedef struct {
    ngx_queue_t               makings;        /* all of them */
    ngx_queue_t               made;           /* ngx_media_vod_kept_t, the one
                                                 used last first */
    ngx_uint_t                nmade;
    ngx_uint_t                running;        /* of makings, those that have
                                                 what they need, */
    ngx_uint_t                queued;         /* and those that wait for it */
    uint64_t                  asked[NGX_MEDIA_VOD_ASKED];
                                              /* segments of late, hashes */
    ngx_uint_t                nasked;
    ngx_msec_t                took;           /* about, for each */
    ngx_event_t               sweep;
} ngx_media_vod_makings_t;


struct ngx_media_vod_want_s {
    ngx_media_vod_load_t     *load;           /* its status is 200 */
    ngx_uint_t                track;          /* a rung */
    uint64_t                  number;         /* of the segment */
    void                    (*handler)(ngx_media_vod_want_t *want);
    void                     *data;           /* of the handler */

    /* the result; it is logged why it is not 200 */
    ngx_uint_t                status;         /* 200, 500, 503 */
    ngx_media_vod_made_t     *made;           /* a reference */

    /* its own */
    ngx_queue_t               queue;
    ngx_media_vod_making_t   *making;         /* while it waits for it */
    unsigned                  waiting:1;      /* it is in a queue */
};


/* of a set: its segments are made */
ngx_uint_t ngx_media_vod_is_rung(const ngx_media_vod_set_t *set,
    ngx_uint_t track);

ngx_int_t ngx_media_vod_want(ngx_media_vod_want_t *want);

/* it is not wanted any more: the handler is not called */
void ngx_media_vod_want_stop(ngx_media_vod_want_t *want);

/*
 * Its frames, as of ngx_media_vod_frames(); NGX_OK, NGX_DECLINED, NGX_ERROR
 */
ngx_int_t ngx_media_vod_want_frames(ngx_media_vod_want_t *want,
    ngx_uint_t key, ngx_pool_t *pool, ngx_media_frames_t *frames);

/* what is counted, in the cache's zone: sums of all workers */

#define NGX_MEDIA_VOD_COUNT_MADE       0      /* segments, */
#define NGX_MEDIA_VOD_COUNT_MEDIA      1      /* ms that they last, */
#define NGX_MEDIA_VOD_COUNT_CPU        2      /* ms of CPU they took */
#define NGX_MEDIA_VOD_COUNT_HITS       3      /* were there already */
#define NGX_MEDIA_VOD_COUNT_WAITED     4      /* requests that had to wait */
#define NGX_MEDIA_VOD_COUNT_REJECTED   5
#define NGX_MEDIA_VOD_COUNT_CANCELLED  6      /* nobody waited any more */
#define NGX_MEDIA_VOD_COUNT_FAILED     7

void ngx_media_vod_makings_init(ngx_media_vod_makings_t *makings);
/* with the cycle */
void ngx_media_vod_makings_orphan(ngx_media_vod_makings_t *makings);


#endif /* _NGX_MEDIA_VOD_WANT_H_INCLUDED_ */
