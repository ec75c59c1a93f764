
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A stream that is followed, as payloads of SRT: MPEG-TS of all tracks that it
 * can carry, made once for all viewers in this process.
 */


#ifndef _NGX_MEDIA_SRT_FEED_H_INCLUDED_
#define _NGX_MEDIA_SRT_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_read.h"
#include "ingest/ngx_media_srt_ring.h"


typedef struct ngx_media_srt_feed_s  ngx_media_srt_feed_t;


/* who wants to know; in its own memory, zeroed at first */

typedef struct {
    ngx_queue_t               queue;
    ngx_media_srt_feed_t     *feed;           /* NULL: it is in none */
    ngx_uint_t                latency;        /* ms: payloads are kept for so
                                                 long, and a second, */
    ngx_media_srt_slots_t    *slots;          /* in memory of this limit: the
                                                 same of all in a process */

    /*
     * There are new payloads.  Nothing comes any more: reason is static, what
     * is there stays until it leaves.  Both may leave, and have others of the
     * same feed leave; never called in join().
     */
    void                    (*ready)(void *data);
    void                    (*end)(void *data, const char *reason);
    void                     *data;
} ngx_media_srt_feed_member_t;


/* NGX_OK, NGX_DONE (the stream has gone, or has ended), NGX_ERROR */
ngx_int_t ngx_media_srt_feed_join(const ngx_media_stream_t *stream,
    ngx_media_srt_feed_member_t *member);

/* nothing, if it is in none; the last one takes the feed with it */
void ngx_media_srt_feed_leave(ngx_media_srt_feed_member_t *member);

/* borrowed, as long as it is a member */
const ngx_media_srt_ring_t *ngx_media_srt_feed_ring(
    const ngx_media_srt_feed_t *feed);


#endif /* _NGX_MEDIA_SRT_FEED_H_INCLUDED_ */
