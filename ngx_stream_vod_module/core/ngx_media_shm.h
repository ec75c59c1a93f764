
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What lies in a zone's shared memory.  All of it is type-stable: a record
 * never becomes another kind of record, so a reader that comes late reads a
 * stranger's value, never a stray pointer, and finds out by the id.
 *
 * Guards: [zone] zone lock; [stream] the stream's lock; [once] written before
 * the record is linked and never again while it is; [atomic].
 */


#ifndef _NGX_MEDIA_SHM_H_INCLUDED_
#define _NGX_MEDIA_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_buddy.h"
#include "core/ngx_media_store.h"
#include "core/ngx_media_sync.h"


#define NGX_MEDIA_LAYOUT         1            /* of all that follows */

#define NGX_MEDIA_PAGE           4096
#define NGX_MEDIA_ROWS           128          /* processes at a time */
#define NGX_MEDIA_NONE           0xffffffff   /* no record */
#define NGX_MEDIA_INITS          16           /* versions of a track */
#define NGX_MEDIA_CUTS           32           /* cuts a track may lag behind */


/* states of an extent */
#define NGX_MEDIA_EXTENT_FREE    0
#define NGX_MEDIA_EXTENT_USED    1
#define NGX_MEDIA_EXTENT_LIMBO   2            /* unlinked, maybe pinned */
#define NGX_MEDIA_EXTENT_PUNCH   3            /* being punched by pid */

/* states of a stream's record besides those of ngx_media_store.h */
#define NGX_MEDIA_STREAM_FREE    0
#define NGX_MEDIA_STREAM_LEAVING 4            /* being taken down by pid */


typedef struct {
    uint64_t                  id;             /* [atomic] 0: not linked */
    uint32_t                  state;          /* [zone] */
    uint32_t                  page;           /* [zone] the first one */
    uint32_t                  order;          /* [zone] reserved: 2^order */
    uint32_t                  pages;          /* [zone] committed */
    uint32_t                  stream;         /* [zone] record it belongs to */
    uint32_t                  refs;           /* [stream] segments, + 1 while
                                                 its writer appends */
    uint32_t                  next;           /* [zone] in limbo */
    uint32_t                  pid;            /* [zone] who punches */
} ngx_media_extent_shm_t;


/* a process that reads: its pins are its row */

typedef struct {
    uint32_t                  pid;            /* [zone] 0: free */
    uint64_t                  start;          /* [zone] its start time */
} ngx_media_row_shm_t;


typedef struct {
    uint64_t                  number;
    int64_t                   time;
    uint64_t                  duration;
    int64_t                   wall;
    uint64_t                  init;
    uint64_t                  bytes;
    uint64_t                  part;           /* ring index of its first */
    uint64_t                  bandwidth;
    uint64_t                  period;
    int64_t                   period_time;
    int64_t                   period_wall;
    uint32_t                  key_size;
    uint32_t                  nparts;
    uint32_t                  nranges;
    uint32_t                  flags;          /* NGX_MEDIA_SEGMENT_* */
    ngx_media_range_t         ranges[NGX_MEDIA_RANGES];
} ngx_media_segment_shm_t;

#define NGX_MEDIA_SEGMENT_DISCONTINUITY  0x01
#define NGX_MEDIA_SEGMENT_ANCHORED       0x02
#define NGX_MEDIA_SEGMENT_FORCED         0x04
#define NGX_MEDIA_SEGMENT_LEADING        0x08
#define NGX_MEDIA_SEGMENT_GAP            0x10

#define NGX_MEDIA_SEGMENT_PER_PAGE                                            \
    (NGX_MEDIA_PAGE / sizeof(ngx_media_segment_shm_t))
#define NGX_MEDIA_SEGMENT_PAGES  (NGX_MEDIA_PAGE / sizeof(void *))


typedef struct {
    uint64_t                  number;
    uint32_t                  part;
    uint32_t                  duration;
    uint32_t                  independent;
    ngx_media_range_t         range;
} ngx_media_part_shm_t;

#define NGX_MEDIA_PART_PER_PAGE                                               \
    (NGX_MEDIA_PAGE / sizeof(ngx_media_part_shm_t))
#define NGX_MEDIA_PART_PAGES     64


/* one page; [once] */

typedef struct {
    ngx_media_init_t          init;
    uint32_t                  size;
    u_char                    bytes[];        /* the init segment */
} ngx_media_init_shm_t;

#define NGX_MEDIA_INIT_MAX                                                    \
    (NGX_MEDIA_PAGE - offsetof(ngx_media_init_shm_t, bytes))


/* what a track's writer counts; it hands them over with each part */

typedef struct {
    uint64_t                  frames;
    uint64_t                  keys;
    uint64_t                  bytes;
    uint64_t                  parts_late;     /* closed by the next frame */
    uint64_t                  parts_over;     /* longer than PART-TARGET */
    uint64_t                  forced_cuts;
    uint64_t                  silent;         /* frames fed */
    uint64_t                  dropped_late;   /* frames */
    uint64_t                  dropped_key;    /* waiting for a key frame */
    uint64_t                  dropped_nomem;
    uint64_t                  dropped_bad;    /* malformed or too large */
    uint64_t                  key_msec;       /* the last key frame interval */
    uint64_t                  key_msec_max;
} ngx_media_track_count_t;


/* one page */

typedef struct {
    u_char                    name[8];        /* [once] "v1" */
    uint32_t                  name_len;       /* [once] */
    uint32_t                  type;           /* [once] */
    uint32_t                  timescale;      /* [once] */
    uint32_t                  publisher;      /* [once] its publisher's
                                                 number of the track */
    uint32_t                  codec;          /* [once] */
    uint32_t                  ended;          /* [stream] */
    uint32_t                  parts_off;      /* [stream] */
    uint32_t                  extent;         /* [stream] written to */
    uint64_t                  used;           /* [stream] bytes of it */
    uint64_t                  largest;        /* [stream] segment, bytes */

    /*
     * Rings.  Entries from tail up to (not including) head are valid; of
     * segments, those below closed are complete and one more may be open.
     */
    uint64_t                  segment_tail;   /* [stream, atomic] */
    uint64_t                  segment_closed; /* they are segment numbers: a */
    uint64_t                  segment_head;   /* track's have no holes */
    uint64_t                  segment_size;   /* [once] */
    ngx_media_segment_shm_t **segments;       /* [once] a page of pages */

    uint64_t                  part_tail;
    uint64_t                  part_head;
    uint64_t                  part_size;      /* [once] */
    ngx_media_part_shm_t     *parts[NGX_MEDIA_PART_PAGES];

    ngx_media_init_shm_t     *inits[NGX_MEDIA_INITS];  /* [stream] */

    uint64_t                  edge;           /* [atomic] see below */
    uint64_t                  expect;         /* [atomic] the next part */
    uint64_t                  bandwidth;      /* [atomic] bit/s, ratchet */
    uint64_t                  key_bandwidth;  /* [atomic] of key frames alone,
                                                 likewise */
    uint64_t                  bits;           /* [stream] of all closed */
    uint64_t                  ticks;          /* [stream] their duration */
    uint32_t                  fps;            /* [atomic] 1/1000 */

    uint64_t                  rate;           /* bit/s, the last segment */
    uint64_t                  nparts;         /* since birth */
    uint64_t                  nsegments;
    ngx_media_track_count_t   count;
} ngx_media_track_shm_t;

/* newest part: segment number and index; 0: nothing is published */
#define ngx_media_edge(n, p)       ((uint64_t) (n) << 20 | (p))
#define ngx_media_edge_number(e)   ((e) >> 20)
#define ngx_media_edge_part(e)     ((e) & 0xfffff)


struct ngx_media_stream_shm_s {
    uint64_t                  id;             /* [atomic] 0: not linked */
    ngx_media_lock_t          lock;
    uint32_t                  state;          /* [stream] NGX_MEDIA_STREAM_* */
    uint64_t                  version;        /* [atomic] */
    uint64_t                  waiters;        /* [atomic] slots mod 64 */
    uint64_t                  epoch;          /* [stream] of its publisher */

    uint32_t                  hash;           /* [once] of the name */
    uint32_t                  name_len;       /* [once] */
    u_char                    name[NGX_MEDIA_NAME_MAX + 1];  /* [once] */

    /* of the publisher [stream] */
    uint32_t                  pid;
    uint32_t                  protocol_len;
    uint32_t                  address_len;
    u_char                    protocol[16];
    u_char                    address[64];
    int64_t                   since;          /* ms since the epoch */
    uint64_t                  left;           /* ngx_current_msec then */

    /* configuration of its birth [once] */
    uint32_t                  target;
    uint32_t                  part_target;
    uint64_t                  segment;        /* ms */
    uint64_t                  segment_max;    /* ms */
    uint64_t                  window;         /* ms */
    uint64_t                  grace;          /* ms */

    /* [stream] */
    uint64_t                  number;         /* of the next segment */
    uint64_t                  listed;         /* number of the first listed */
    uint64_t                  discontinuity;  /* removed ones, and at birth */
    int64_t                   end;            /* media time of the end, ms */
    uint64_t                  pages;          /* [zone] committed */
    uint32_t                  ready;
    uint32_t                  forced;
    uint32_t                  clock;
    uint32_t                  ntracks;        /* [stream, atomic] */
    ngx_media_track_shm_t    *tracks[NGX_MEDIA_TRACKS];

    /* counters and what status shows of the publisher [stream] */
    int64_t                   born;           /* ms since the epoch */
    uint64_t                  publishers;
    uint64_t                  discontinuities;  /* still in the tables */
    uint64_t                  periods;
    uint64_t                  anchors;
    uint64_t                  jumps;
    uint64_t                  evicted;        /* segments, for want of memory */
    int64_t                   drift;          /* ms: arrival against anchor */
    uint32_t                  reason_len;
    u_char                    reason[64];     /* why the last one ended */
};


typedef struct {
    uint32_t                  layout;
    ngx_media_lock_t          lock;
    uint64_t                  retired;        /* [atomic] replaced: leave */
    uint64_t                  next_id;        /* [zone] of records */
    uint64_t                  number;         /* [zone] highest that a removed
                                                 stream has used */
    uint64_t                  discontinuity;  /* [zone] likewise */

    uint64_t                  limit;          /* pages that may be committed */
    uint64_t                  pages;          /* [zone] that are */
    uint32_t                  limbo;          /* [zone] list of extents */
    uint32_t                  nextents;
    uint32_t                  nstreams;
    uint32_t                  nblocks;
    uint32_t                  used_streams;   /* [zone] high-water mark */
    uint32_t                  used_extents;

    ngx_media_buddy_t         buddy;          /* [zone] */
    ngx_media_bitmap_t        free_extents;   /* [zone] */
    ngx_media_bitmap_t        free_blocks;    /* [zone] */

    ngx_media_extent_shm_t   *extents;
    ngx_media_stream_shm_t   *streams;
    uint32_t                 *hashes;         /* [atomic] of names, by record;
                                                 0: none */
    uint32_t                 *owners;         /* [zone] of blocks: record of a
                                                 stream + 1, 0: free */
    u_char                   *blocks;
    ngx_media_row_shm_t       rows[NGX_MEDIA_ROWS];
    uint32_t                 *pins;           /* rows of nextents counters,
                                                 each its process's own */

    /* counters [atomic] */
    uint64_t                  nomem;
    uint64_t                  evicted;
    uint64_t                  swept;
    uint64_t                  published;      /* publishers that began */
    uint64_t                  refused;        /* that were turned away */
    uint64_t                  expired;        /* streams that are gone */
} ngx_media_zone_shm_t;


#endif /* _NGX_MEDIA_SHM_H_INCLUDED_ */
