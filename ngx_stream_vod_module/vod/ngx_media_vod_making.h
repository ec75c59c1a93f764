
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A segment of a rung while it is made: what vod/ngx_media_vod_want.c and
 * vod/ngx_media_vod_making.c share.
 */


#ifndef _NGX_MEDIA_VOD_MAKING_H_INCLUDED_
#define _NGX_MEDIA_VOD_MAKING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "transcode/ngx_media_strand.h"
#include "vod/ngx_media_vod_crumb.h"
#include "vod/ngx_media_vod_encode.h"
#include "vod/ngx_media_vod_job.h"
#include "vod/ngx_media_vod_sound.h"
#include "vod/ngx_media_vod_want.h"


/* states */
#define NGX_MEDIA_VOD_MAKING_OPEN   0         /* a thread looks for it */
#define NGX_MEDIA_VOD_MAKING_LOCK   1         /* another worker makes it */
#define NGX_MEDIA_VOD_MAKING_QUEUE  2
#define NGX_MEDIA_VOD_MAKING_MAKE   3
#define NGX_MEDIA_VOD_MAKING_STOP   4         /* it is nobody's */


/* where a segment is */

typedef struct {
    ngx_media_vod_id_t        id;             /* of what it is: a hash */
    ngx_uint_t                track;
    uint64_t                  number;
    ngx_msec_t                duration;
    uint32_t                  period;
    int64_t                   time;           /* of its first frame, media time
                                                 in timescale */
    ngx_media_plan_segment_t  segment;
} ngx_media_vod_spot_t;


struct ngx_media_vod_making_s {
    ngx_queue_t               queue;
    ngx_queue_t               waiters;        /* ngx_media_vod_want_t */
    ngx_media_vod_makings_t  *makings;        /* NULL: it is gone, */
    ngx_media_vod_conf_t     *conf;           /* and so is this */
    ngx_media_vod_result_t   *result;         /* a reference */
    ngx_pool_t               *pool;
    ngx_media_vod_spot_t      spot;
    u_char                    key[NGX_MEDIA_CACHE_KEY];
    const char               *temp;
    off_t                     temp_max;
    ngx_uint_t                state;
    ngx_thread_task_t        *task;
    ngx_event_t               timer;
    ngx_msec_t                delay;
    ngx_msec_t                since;          /* it is wanted, */
    ngx_msec_t                begun;          /* and its turn has come */
    int64_t                   deadline;
    unsigned                  ahead:1;        /* nobody asked for it yet */
    unsigned                  follow:1;       /* the next one is made then */
    unsigned                  looking:1;      /* a thread is at work */
    unsigned                  locked:1;       /* we are who makes it */
    unsigned                  polled:1;       /* somebody else was */
    unsigned                  stranded:1;     /* the strand is one */
    unsigned                  stopping:1;     /* it was running */
    unsigned                  lost:1;         /* its thread hangs */

    /* of the thread, until it is done */
    ngx_media_strand_t        strand;
    ngx_media_vod_made_t     *made;           /* the result, a reference */
    ngx_int_t                 rc;             /* NGX_AGAIN: not yet */
    ngx_uint_t                found;          /* it was there already */
    uint32_t                  missing;        /* pictures */
    ngx_media_vod_made_writer_t  writer;
    ngx_media_vod_crumb_t     crumb;
#if (NGX_MEDIA_HAVE_AV)
    ngx_media_vod_encode_t    enc;
    ngx_media_vod_sound_t     sound;
#endif
    ngx_uint_t                is_sound;       /* it is audio that is made */
    u_char                    error[NGX_MEDIA_VOD_ERROR];
};


/* an open one that is remembered */

typedef struct {
    ngx_queue_t               queue;
    ngx_media_vod_made_t     *made;           /* a reference */
    ngx_msec_t                used;
} ngx_media_vod_kept_t;


/* of a rung; NGX_OK, NGX_DECLINED: there is none */
ngx_int_t ngx_media_vod_spot(const ngx_media_vod_source_t *source,
    ngx_uint_t track, uint64_t number, ngx_media_vod_spot_t *spot);

/* what the thread needs */
ngx_int_t ngx_media_vod_making_init(ngx_media_vod_making_t *m);

/* in a thread */
void ngx_media_vod_making_step(void *data);

/* no thread is at work: codecs and files are closed, as often as one likes */
void ngx_media_vod_making_close(ngx_media_vod_making_t *m);


#endif /* _NGX_MEDIA_VOD_MAKING_H_INCLUDED_ */
