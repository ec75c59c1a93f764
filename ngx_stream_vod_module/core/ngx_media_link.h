
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a publisher's transport knows of its packets, where it is one that loses
 * some: in words that SRT, RTP and MPEG-TS over UDP have alike; and what the
 * packets of MPEG-TS inside of them say.  Who receives them adds to it once a
 * second.
 */


#ifndef _NGX_MEDIA_LINK_H_INCLUDED_
#define _NGX_MEDIA_LINK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_MEDIA_LINK_NONE = 0,                  /* nothing is lost on the way */
    NGX_MEDIA_LINK_DATAGRAMS,                 /* nothing is answered or asked
                                                 for */
    NGX_MEDIA_LINK_SRT
} ngx_media_link_e;


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
    NGX_MEDIA_LINK_STRANGE,                   /* are not what they should be */
    NGX_MEDIA_LINK_FOREIGN,                   /* of others, while it had a
                                                 publisher */

    /* packets of MPEG-TS, where it is not said otherwise */

    NGX_MEDIA_LINK_TS_PACKETS,
    NGX_MEDIA_LINK_TS_BYTES,
    NGX_MEDIA_LINK_TS_CC,                     /* gaps, by continuity counter */
    NGX_MEDIA_LINK_TS_ERRORS,                 /* transport_error_indicator */
    NGX_MEDIA_LINK_TS_SCRAMBLED,
    NGX_MEDIA_LINK_TS_MALFORMED,              /* and sections that are */
    NGX_MEDIA_LINK_TS_IGNORED,                /* of PIDs of no use */
    NGX_MEDIA_LINK_TS_DUPLICATES,
    NGX_MEDIA_LINK_TS_RESYNCS,                /* times sync bytes were lost */
    NGX_MEDIA_LINK_TS_SKIPPED,                /* bytes that are no packets */
    NGX_MEDIA_LINK_TS_DAMAGED,                /* frames left out for that */
    NGX_MEDIA_LINK_TS_JUMPS,                  /* of the clock */
    NGX_MEDIA_LINK_COUNTERS
} ngx_media_link_counter_e;


/* PIDs that there is room for; more are counted */
#define NGX_MEDIA_LINK_PIDS  16

/* of a PID, since this publisher began */

typedef struct {
    uint64_t                  packets;
    uint64_t                  cc_errors;
    uint64_t                  scrambled;
    uint32_t                  codec;          /* ngx_media_codec_find(); 0: of
                                                 none */
    uint16_t                  pid;
    uint8_t                   stream_type;    /* 0: a table of the programme */
} ngx_media_link_pid_t;


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
    uint32_t                  kind;           /* ngx_media_link_e */
    uint32_t                  port;           /* of the sender; 0: he may come
                                                 back from another one */
    uint32_t                  npids;          /* of these, */
    uint32_t                  more;           /* and others, not listed */
    ngx_media_link_pid_t      pids[NGX_MEDIA_LINK_PIDS];
} ngx_media_link_t;


#endif /* _NGX_MEDIA_LINK_H_INCLUDED_ */
