
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a publisher's transport knows of its packets, where it is one that loses
 * some: in words that SRT, RTP and MPEG-TS over UDP have alike.  Who receives
 * them adds to it once a second.
 */


#ifndef _NGX_MEDIA_LINK_H_INCLUDED_
#define _NGX_MEDIA_LINK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* counters: of a stream, of all the publishers that it had */

typedef enum {
    NGX_MEDIA_LINK_PACKETS = 0,               /* that came, all of them */
    NGX_MEDIA_LINK_BYTES,                     /* their payload */
    NGX_MEDIA_LINK_LOST,                      /* were missing at first */
    NGX_MEDIA_LINK_RETRANSMITTED,             /* were sent once more */
    NGX_MEDIA_LINK_DROPPED,                   /* never came, or too late */
    NGX_MEDIA_LINK_BELATED,                   /* came too late */
    NGX_MEDIA_LINK_UNDECRYPTED,               /* had no key */
    NGX_MEDIA_LINK_OVERFLOWS,                 /* the kernel dropped: we had not
                                                 read the socket in time */
    NGX_MEDIA_LINK_ACKS,                      /* that we sent */
    NGX_MEDIA_LINK_NAKS,
    NGX_MEDIA_LINK_KEYS,                      /* times the key was changed */
    NGX_MEDIA_LINK_CC,                        /* gaps in MPEG-TS, by PID */
    NGX_MEDIA_LINK_COUNTERS
} ngx_media_link_counter_e;


/* what is so at present, or was when the publisher left */

typedef struct {
    uint64_t                  rtt;            /* us */
    uint64_t                  rtt_var;        /* us */
    uint64_t                  rate;           /* bit/s that come */
    uint64_t                  capacity;       /* bit/s that could; 0: unknown */
    uint64_t                  latency;        /* ms, as negotiated */
    uint64_t                  held;           /* packets that wait */
    uint64_t                  buffered;       /* ms of them */
    uint64_t                  key;            /* bytes; 0: it is clear */
} ngx_media_link_now_t;


typedef struct {
    uint64_t                  count[NGX_MEDIA_LINK_COUNTERS];
    ngx_media_link_now_t      now;
} ngx_media_link_t;


#endif /* _NGX_MEDIA_LINK_H_INCLUDED_ */
