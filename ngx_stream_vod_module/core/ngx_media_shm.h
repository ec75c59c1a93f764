
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What lies in a zone's shared memory.  Streams, extents and rows are type-
 * stable: a record never becomes another kind of record, so a reader that
 * comes late reads a stranger's value, and finds out by the id.  Blocks may
 * become anything: what is read there is copied first and judged afterwards.
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
#include "core/ngx_media_shm_stream.h"
#include "core/ngx_media_sync.h"


#define NGX_MEDIA_LAYOUT         3            /* of all that follows */

#define NGX_MEDIA_ROWS           512          /* processes at a time */
#define NGX_MEDIA_NONE           0xffffffff   /* no record */


/* states of an extent */
#define NGX_MEDIA_EXTENT_FREE    0
#define NGX_MEDIA_EXTENT_USED    1
#define NGX_MEDIA_EXTENT_LIMBO   2            /* unlinked, maybe pinned */
#define NGX_MEDIA_EXTENT_PUNCH   3            /* being punched by pid */


typedef struct {
    uint64_t                  id;             /* [atomic] 0: not linked */
    uint32_t                  state;          /* [zone] */
    uint32_t                  page;           /* [zone] the first one */
    uint32_t                  order;          /* [zone] reserved: 2^order */
    uint32_t                  pages;          /* [zone] committed */
    uint32_t                  stream;         /* [zone] record it belongs to;
                                                 NONE: to one that is gone */
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
    uint32_t                  layout;
    ngx_media_lock_t          lock;
    uint64_t                  retired;        /* [atomic] replaced: leave */
    uint64_t                  next_id;        /* [zone] of records */
    uint64_t                  number;         /* [zone] highest that a removed
                                                 stream has used */
    uint64_t                  discontinuity;  /* [zone] likewise */

    uint64_t                  limit;          /* pages that may be committed */
    uint64_t                  pages;          /* [zone] that are */
    uint64_t                  orphans;        /* [zone] of them, of streams
                                                 that are gone */
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
