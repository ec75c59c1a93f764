
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What lies in a cache's shared memory.  Internal to it, and to its tests.
 *
 * The truth is the table of entries (their states, keys, places and times of
 * use) and the rows of pins.  Everything else, marked [made], is made anew
 * from it when the lock is taken from a dead process.  All is guarded by the
 * lock, but for the bytes of a blob that is being filled: these are its
 * maker's.
 *
 *     FREE -> MAKING -> FILLING -> READY -> FREE
 */


#ifndef _NGX_MEDIA_CACHE_SHM_H_INCLUDED_
#define _NGX_MEDIA_CACHE_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_cache.h"
#include "memory/ngx_media_sync.h"


#define NGX_MEDIA_CACHE_LAYOUT   3            /* of all that follows, and of
                                                 what is kept there */

#define NGX_MEDIA_CACHE_ROWS     128          /* processes at a time */
#define NGX_MEDIA_CACHE_NONE     0xffffffff   /* no entry */


/* states of an entry */
#define NGX_MEDIA_CACHE_FREE     0
#define NGX_MEDIA_CACHE_MAKING   1            /* has a key and a maker */
#define NGX_MEDIA_CACHE_FILLING  2            /* and a place */
#define NGX_MEDIA_CACHE_READY    3


typedef struct {
    u_char                    key[NGX_MEDIA_CACHE_KEY];
    uint64_t                  offset;         /* its place in the data */
    uint64_t                  room;
    uint64_t                  size;           /* of the blob: <= room */
    uint64_t                  used;           /* tick of the last use */
    uint64_t                  start;          /* of the maker */
    uint32_t                  pid;            /* of the maker */
    uint32_t                  state;
    uint32_t                  pins;           /* [made] of all rows */
    uint32_t                  chain;          /* [made] of its bucket, or of
                                                 free ones */
    uint32_t                  older;          /* [made] of those ready */
    uint32_t                  newer;
    uint32_t                  prev;           /* [made] by place */
    uint32_t                  next;
    uint32_t                  marked;         /* of a search for room */
    uint32_t                  other;          /* end of a run of marked */
} ngx_media_cache_entry_shm_t;


/* a process: its pins are its row */

typedef struct {
    uint32_t                  pid;            /* 0: free */
    uint64_t                  start;
} ngx_media_cache_row_shm_t;


typedef struct {
    uint32_t                  layout;
    ngx_media_lock_t          lock;
    uint64_t                  size;           /* of the zone */
    uint64_t                  bytes;          /* of the data */
    uint64_t                  tick;
    uint32_t                  nentries;       /* and one that ends lists */
    uint32_t                  nbuckets;       /* a power of two */
    uint32_t                  free;           /* [made] list */
    uint32_t                  entries;        /* [made] not free */
    uint64_t                  used;           /* [made] bytes */

    ngx_media_cache_entry_shm_t
                             *table;
    uint32_t                 *buckets;        /* [made] */
    uint32_t                 *order;          /* scratch of a repair */
    uint32_t                 *pins;           /* rows of nentries counters */
    u_char                   *data;

    uint64_t                  hits;
    uint64_t                  misses;
    uint64_t                  evicted;
    uint64_t                  nomem;
    uint64_t                  swept;          /* processes */
    uint64_t                  counts[NGX_MEDIA_CACHE_COUNTS];
    ngx_media_cache_row_shm_t rows[NGX_MEDIA_CACHE_ROWS];
} ngx_media_cache_shm_t;


/* a cache as this process sees it; in the cycle's pool */

struct ngx_media_cache_s {
    ngx_media_cache_shm_t    *sh;
    ngx_shm_zone_t           *shm_zone;
    ngx_pid_t                 pid;            /* whose the following is */
    uint64_t                  start;
    uint32_t                 *row;            /* my pins; NULL: not attached */
    ngx_uint_t                nrow;
    ngx_uint_t                nlook;          /* row to look at closely */
    ngx_uint_t                npolls;         /* of what others make */
    ngx_uint_t                nfull;          /* times there was no row */
};


/* lays out fresh memory; NULL: it is too small */
ngx_media_cache_shm_t *ngx_media_cache_format(void *mem, size_t size);

/* rows and entries of processes that are no more */
void ngx_media_cache_sweep(ngx_media_cache_t *cache);

/* this process's row is given back with all of its pins */
void ngx_media_cache_detach(ngx_media_cache_t *cache);


#if (NGX_DEBUG)

/* do the books agree: each contradiction is an alert; how many there are */
ngx_uint_t ngx_media_cache_validate(ngx_media_cache_t *cache);

#endif


#endif /* _NGX_MEDIA_CACHE_SHM_H_INCLUDED_ */
