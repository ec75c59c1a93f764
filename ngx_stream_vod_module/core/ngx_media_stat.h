
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Statistics: snapshots by value, taken from any process without a lock that
 * a publisher could notice.  Counters begin with the life of what they count
 * and never go back; numbers of one snapshot may be a few frames apart.
 *
 * style: long header, it is one list of what is told.
 */


#ifndef _NGX_MEDIA_STAT_H_INCLUDED_
#define _NGX_MEDIA_STAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_link.h"
#include "core/ngx_media_read.h"
#include "formats/ngx_media_codec.h"


#define NGX_MEDIA_ADDRESS_MAX  64             /* text of a peer's address */


typedef struct {
    uint64_t                  size;           /* bytes for payload */
    uint64_t                  used;           /* bytes of payload pages taken,
                                                 by the allocator's books */
    uint64_t                  blocks;         /* bytes that the arena's file
                                                 really has (st_blocks) */
    uint64_t                  records_size;   /* bytes for records */
    uint64_t                  records_used;
    ngx_uint_t                extents;        /* linked */
    ngx_uint_t                limbo;          /* unlinked, not yet free */
    ngx_uint_t                pins;           /* of all processes */
    ngx_uint_t                rows;           /* processes attached */
    ngx_uint_t                waiters;        /* bits set, of all streams */
    ngx_uint_t                streams;
    ngx_uint_t                publishers;
    uint64_t                  evictions;      /* segments, for no memory */
    uint64_t                  nomem;          /* allocations that failed */
    uint64_t                  published;      /* publishers that began */
    uint64_t                  refused;        /* publishers turned away, */
    uint64_t                  refusals[NGX_MEDIA_REFUSED_KINDS];  /* and why */
    uint64_t                  expired;        /* streams that are gone */
    uint64_t                  swept;          /* rows of dead processes */
    unsigned                  retired:1;      /* replaced by another zone */
} ngx_media_zone_stat_t;


typedef struct {
    ngx_uint_t                index;          /* in the stream */
    size_t                    name_len;       /* "v1" */
    u_char                    name[8];
    ngx_uint_t                type;           /* ngx_media_type_e */
    uint32_t                  timescale;
    const ngx_media_codec_t  *codec;          /* the newest parameters; NULL:
                                                 it has none yet */
    size_t                    codec_len;      /* as in CODECS */
    u_char                    codec_string[NGX_MEDIA_CODEC_STRING_MAX];
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  sample_rate;    /* Hz */
    uint32_t                  channels;
    ngx_media_attributes_t    attributes;
    unsigned                  ended:1;
    unsigned                  clock:1;        /* decides the cuts */
    unsigned                  parts_off:1;
    uint32_t                  fps;            /* 1/1000, measured; 0 */
    uint32_t                  bitrate;        /* bit/s, of the last complete
                                                 segments; 0: unknown */
    uint64_t                  bandwidth;      /* as listed: peak */
    uint64_t                  average;        /* as listed */
    uint32_t                  key_interval;   /* ms, of the last two key
                                                 frames; 0: unknown */
    uint32_t                  key_interval_max;
    uint64_t                  frames;
    uint64_t                  bytes;
    uint64_t                  keys;
    uint64_t                  segments;       /* closed, since birth */
    uint64_t                  parts;          /* closed, since birth */
    uint64_t                  parts_late;     /* closed by the next frame */
    uint64_t                  parts_over;     /* one frame above the target */
    uint64_t                  forced_cuts;
    uint64_t                  silent_frames;  /* fed */
    uint64_t                  repeated_frames;  /* to hold a picture */
    uint64_t                  dropped_late;   /* frames dropped, by reason */
    uint64_t                  dropped_key;    /* waiting for a key frame */
    uint64_t                  dropped_nomem;
    uint64_t                  dropped_bad;    /* malformed or too large */
    ngx_uint_t                kept_segments;  /* now in the zone */
    uint64_t                  kept_bytes;
    uint64_t                  first;          /* oldest number kept */
    uint64_t                  last;           /* newest number, open or not */
} ngx_media_track_stat_t;


typedef struct {
    ngx_str_t                 name;           /* in the caller's pool */
    ngx_uint_t                state;          /* NGX_MEDIA_STREAM_* */
    uint64_t                  up;             /* it is live: 0 or 1 */
    uint64_t                  connected;      /* its publisher: 0 or 1 */
    int64_t                   born;           /* ms since the epoch */
    uint32_t                  part_target;    /* 1/10000 s; 0: no parts */
    uint32_t                  target;         /* TARGETDURATION, s */
    ngx_uint_t                waiters;        /* processes that wait */
    uint64_t                  publishes;      /* publishers, since birth */
    uint64_t                  periods;        /* since birth */
    uint64_t                  anchors;        /* wall clock set anew */
    uint64_t                  jumps;          /* stamps that broke a period */
    uint64_t                  data;           /* timed data that came, */
    uint64_t                  data_late;      /* whose time was over, */
    uint64_t                  data_dropped;   /* there was no room for */
    uint64_t                  evictions;      /* segments, for no memory */
    int64_t                   drift;          /* ms: arrival against anchor */
    uint64_t                  used;           /* bytes of payload held */
    uint64_t                  ignored[NGX_MEDIA_IGNORED_KINDS];
    uint64_t                  viewers;        /* set by who counts them */
    ngx_media_link_t          link;
    uint64_t                  linked;         /* its publisher has one, or had:
                                                 0 or 1 */

    /* the publisher; in grace and after: the last one */
    size_t                    protocol_len;
    u_char                    protocol[16];
    size_t                    address_len;
    u_char                    address[NGX_MEDIA_ADDRESS_MAX];
    int64_t                   since;          /* ms since the epoch */
    ngx_pid_t                 pid;            /* 0: none */
    size_t                    reason_len;     /* why the last one ended */
    u_char                    reason[64];

    ngx_media_track_stat_t   *tracks;         /* in the caller's pool */
    ngx_uint_t                ntracks;
} ngx_media_stream_stat_t;


/* of a stream, for lists of many */

typedef struct {
    size_t                    name_len;
    u_char                    name[NGX_MEDIA_NAME_MAX];
    ngx_uint_t                state;          /* NGX_MEDIA_STREAM_* */
    int64_t                   born;           /* ms since the epoch */
    uint64_t                  bitrate;        /* bit/s, of all its tracks */
    uint32_t                  fps;            /* 1/1000, of its first video */

    /* the publisher; in grace and after: the last one */
    ngx_pid_t                 pid;            /* 0: it has gone */
    uint64_t                  epoch;          /* of its claim */
    size_t                    protocol_len;
    u_char                    protocol[16];
    size_t                    address_len;
    u_char                    address[NGX_MEDIA_ADDRESS_MAX];
    int64_t                   since;          /* ms since the epoch */
} ngx_media_stream_brief_t;


void ngx_media_zone_stat(ngx_media_zone_t *zone,
    ngx_media_zone_stat_t *stat);

/* references to all streams, an array in pool; NGX_OK or NGX_ERROR */
ngx_int_t ngx_media_zone_streams(ngx_media_zone_t *zone, ngx_pool_t *pool,
    ngx_media_stream_t **streams, ngx_uint_t *n);

/* when it was published first, ms since the epoch; of one that has gone:
   anything */
int64_t ngx_media_stream_since(const ngx_media_stream_t *stream);

/* NGX_OK, NGX_DONE (the stream has gone), NGX_ERROR */
ngx_int_t ngx_media_stream_stat(const ngx_media_stream_t *stream,
    ngx_pool_t *pool, ngx_media_stream_stat_t *stat);


/* nothing is allocated; NGX_OK, NGX_DONE (the stream has gone) */
ngx_int_t ngx_media_stream_brief(const ngx_media_stream_t *stream,
    ngx_media_stream_brief_t *brief);


#endif /* _NGX_MEDIA_STAT_H_INCLUDED_ */
