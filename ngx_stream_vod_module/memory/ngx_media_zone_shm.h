
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The memory of a zone, as it lies in shared memory: extents of the arena,
 * blocks for records, and who is attached.  Owners are numbers to it, each
 * with an account of its pages; what they are is the affair of whoever uses
 * the zone, and so is what stands at its head.
 *
 * Extents and rows are type-stable: a record never becomes another kind of
 * record, so a reader that comes late reads a stranger's value, and finds out
 * by the id.  Blocks may become anything: what is read there is copied first
 * and judged afterwards.
 *
 * Guards: [zone] zone lock; [owner] the owner's own lock; [once] written
 * before the record is linked and never again while it is; [atomic].
 */


#ifndef _NGX_MEDIA_ZONE_SHM_H_INCLUDED_
#define _NGX_MEDIA_ZONE_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_buddy.h"
#include "memory/ngx_media_sync.h"


#define NGX_MEDIA_ROWS           512          /* processes at a time */
#define NGX_MEDIA_NONE           0xffffffff   /* no record */

#define NGX_MEDIA_PAGE           4096


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
    uint32_t                  owner;          /* [zone] whose it is; NONE: of
                                                 one that is gone */
    uint32_t                  refs;           /* [owner] 0: it may go */
    uint32_t                  next;           /* [zone] in limbo, or spare */
    uint32_t                  keep;           /* [zone] its writer has left:
                                                 pages that are needed; 0:
                                                 nothing is to be given back */
    uint32_t                  pid;            /* [atomic] who works on it with
                                                 no lock held: writes, trims,
                                                 punches; 0: nobody */
} ngx_media_extent_shm_t;


/* a process that reads: its pins are its row */

typedef struct {
    uint32_t                  pid;            /* [zone] 0: free */
    uint64_t                  start;          /* [zone] its start time */
} ngx_media_row_shm_t;


typedef struct {
    ngx_media_lock_t          lock;
    uint64_t                  next_id;        /* [zone] of records */

    uint64_t                  limit;          /* pages that may be committed */
    uint64_t                  pages;          /* [zone] that are */
    uint64_t                  orphans;        /* [zone] of them, of owners
                                                 that are gone */
    uint32_t                  limbo;          /* [zone] list of extents */
    uint32_t                  spare;          /* [zone] likewise: those that
                                                 are to be trimmed */
    uint32_t                  nextents;
    uint32_t                  naccounts;
    uint32_t                  nblocks;
    uint32_t                  used_extents;   /* [zone] high-water mark */

    ngx_media_buddy_t         buddy;          /* [zone] */
    ngx_media_bitmap_t        free_extents;   /* [zone] */
    ngx_media_bitmap_t        free_blocks;    /* [zone] */

    void                     *head;           /* 64 bytes aligned, zeroed */
    ngx_media_extent_shm_t   *extents;
    uint64_t                 *accounts;       /* [zone] pages, by owner */
    uint32_t                 *owners;         /* [zone] of blocks: owner + 1,
                                                 0: free */
    uint32_t                 *firsts;         /* [zone] of owners: the first
                                                 block + 1 of a list, */
    uint32_t                 *nexts;          /* [zone] of blocks: its next */
    u_char                   *blocks;
    ngx_media_row_shm_t       rows[NGX_MEDIA_ROWS];
    uint32_t                 *pins;           /* rows of nextents counters,
                                                 each its process's own */
    uint64_t                  swept;          /* [zone] rows of the dead */
} ngx_media_zone_shm_t;


#endif /* _NGX_MEDIA_ZONE_SHM_H_INCLUDED_ */
