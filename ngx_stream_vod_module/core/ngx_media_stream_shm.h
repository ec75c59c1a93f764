
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Streams in a zone: see ngx_media_store_shm.h for what holds for all records.
 */


#ifndef _NGX_MEDIA_STREAM_SHM_H_INCLUDED_
#define _NGX_MEDIA_STREAM_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_data_shm.h"
#include "core/ngx_media_link.h"
#include "core/ngx_media_tail_shm.h"
#include "core/ngx_media_track_shm.h"
#include "memory/ngx_media_notify.h"
#include "memory/ngx_media_sync.h"


/* states of a stream's record besides those of ngx_media_view.h */
#define NGX_MEDIA_STREAM_FREE    0
#define NGX_MEDIA_STREAM_LEAVING 4            /* being taken down by pid */


struct ngx_media_stream_shm_s {
    uint64_t                  id;             /* [atomic] 0: not linked */
    ngx_media_lock_t          lock;
    uint32_t                  state;          /* [stream] NGX_MEDIA_STREAM_* */
    ngx_media_notify_shm_t    notify;         /* what is listed changes */
    ngx_media_notify_shm_t    arrival;        /* a frame is in the tail: its
                                                 version is that one's seq */
    uint64_t                  wanted;         /* [atomic] ngx_current_msec until
                                                 which somebody follows */
    uint64_t                  epoch;          /* [stream] of its publisher */
    uint64_t                  kicked;         /* [stream, atomic] who was made
                                                 to leave last, see below */

    uint32_t                  hash;           /* [once] of the name */
    uint32_t                  name_len;       /* [once] */
    u_char                    name[NGX_MEDIA_NAME_MAX + 1];  /* [once] */

    /* of the publisher [stream] */
    uint64_t                  claimed;        /* epoch of its claim; another
                                                 one: it is being replaced */
    uint64_t                  start;          /* of its process */
    uint32_t                  pid;
    uint32_t                  yields;         /* its worker is to leave: may
                                                 be replaced without asking */
    uint32_t                  trailing;       /* it went, while what was made of
                                                 its media was still to come */
    uint32_t                  protocol_len;
    uint32_t                  address_len;
    u_char                    protocol[16];
    u_char                    address[64];
    int64_t                   since;          /* ms since the epoch */
    uint64_t                  left;           /* ngx_current_msec then */
    uint64_t                  heard;          /* [atomic] and at its last
                                                 frame, to 1/10 s */

    /* configuration of its birth [once] */
    uint32_t                  target;
    uint32_t                  part_target;
    uint64_t                  segment;        /* ms */
    uint64_t                  segment_max;    /* ms */
    uint64_t                  window;         /* ms */
    uint64_t                  grace;          /* ms */
    uint64_t                  latency;        /* ms */

    uint64_t                  asked[NGX_MEDIA_ASKS];  /* [atomic]
                                                 ngx_current_msec until which
                                                 somebody wants it */
    uint64_t                  offered[NGX_MEDIA_ASKS];  /* [atomic] epoch of the
                                                 publisher it is made of */

    /* [stream] */
    uint64_t                  number;         /* of the next segment */
    uint64_t                  first;          /* [stream, atomic] see below */
    int64_t                   end;            /* media time of the end, ms */
    int64_t                   wall;           /* its wall clock, ms */
    uint32_t                  ready;
    uint32_t                  forced;
    uint32_t                  clock;          /* its place */
    uint32_t                  ntracks;        /* [stream, atomic] places that
                                                 were ever taken */
    ngx_media_track_shm_t    *tracks[NGX_MEDIA_TRACKS];  /* [stream, atomic]
                                                 NULL: none is there now */
    uint32_t                  uses[NGX_MEDIA_TRACKS];  /* [stream, atomic] of
                                                 a place before that */
    uint32_t                  names[3];       /* [stream] the highest of a
                                                 type */
    uint64_t                  named[3];       /* [stream] bits of those up to 64
                                                 that were ever used */
    ngx_media_tail_shm_t     *tail;           /* [stream, atomic] NULL: none */
    ngx_media_data_shm_t     *data;           /* [stream] NULL: none came yet */

    /* counters and what status shows of the publisher [stream] */
    int64_t                   born;           /* ms since the epoch */
    uint64_t                  born_msec;      /* ngx_current_msec then */
    uint64_t                  born_number;
    uint64_t                  publishers;
    uint64_t                  discontinuities;  /* still in the tables */
    uint64_t                  periods;
    uint64_t                  anchors;
    uint64_t                  jumps;          /* [atomic] */
    uint64_t                  data_put;       /* timed data that came, */
    uint64_t                  data_late;      /* whose time was over, */
    uint64_t                  data_dropped;   /* there was no room for */
    uint64_t                  evicted;        /* segments, for want of memory */
    uint32_t                  squeezed;       /* listed ones, too: said */
    int64_t                   drift;          /* ms: arrival against anchor */
    uint64_t                  ignored[NGX_MEDIA_IGNORED_KINDS]; /* [atomic] */
    ngx_media_link_t          link;           /* all zero: it has none */
    uint32_t                  reason_len;
    u_char                    reason[64];     /* why the last one ended */
};

/* the epoch of a claim, and an ngx_media_kick_e */
#define ngx_media_kicked(epoch, why)  ((uint64_t) (epoch) << 8 | (why))
#define ngx_media_kicked_epoch(k)     ((k) >> 8)
#define ngx_media_kicked_why(k)       ((k) & 0xff)

/*
 * Number of the first segment that is listed, and how many discontinuities
 * were listed before it, those at birth included: always of one moment.
 */
#define ngx_media_first(n, d)   ((uint64_t) (n) << 28 | ((d) & 0xfffffff))
#define ngx_media_first_number(f)         ((f) >> 28)
#define ngx_media_first_discontinuity(f)  ((f) & 0xfffffff)


/* after the change itself is stored; ngx_media_notify() when unlocked */
static ngx_inline void
ngx_media_stream_changed(ngx_media_stream_shm_t *s)
{
    ngx_media_store(&s->notify.version, s->notify.version + 1);
}


#endif /* _NGX_MEDIA_STREAM_SHM_H_INCLUDED_ */
