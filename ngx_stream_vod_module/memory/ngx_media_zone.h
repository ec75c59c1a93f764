
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The memory of a zone: arena, extents, pins, blocks; who is attached to it,
 * and what is done about the dead.
 *
 * style: long header, it is one allocator.
 */


#ifndef _NGX_MEDIA_ZONE_H_INCLUDED_
#define _NGX_MEDIA_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_zone_shm.h"


/* of whoever uses a zone: not looked at here */
typedef struct ngx_media_app_s        ngx_media_app_t;
typedef struct ngx_media_store_shm_s  ngx_media_store_shm_t;


/* the arena outlives cycles: counted by those that use it */

typedef struct {
    u_char                   *addr;
    size_t                    size;
    ngx_fd_t                  fd;
    ngx_uint_t                count;
} ngx_media_arena_t;


/* how a zone is laid out: the same for all that share it */

typedef struct {
    size_t                    size;           /* of payload, bytes */
    size_t                    head;           /* of its user's, bytes */
    ngx_uint_t                accounts;       /* owners */
    ngx_uint_t                blocks;
} ngx_media_zone_conf_t;


/* bytes of the arena */

typedef struct {
    uint64_t                  id;             /* of the extent, when made */
    uint64_t                  offset;         /* in the arena's file */
    uint32_t                  size;           /* bytes */
    uint32_t                  extent;         /* its record's index */
} ngx_media_range_t;


/* a zone as this process sees it; in the cycle's pool */

typedef struct ngx_media_zone_s  ngx_media_zone_t;

struct ngx_media_zone_s {
    ngx_media_zone_shm_t     *sh;
    ngx_media_arena_t        *arena;
    ngx_media_app_t          *app;
    ngx_media_store_shm_t    *store;          /* sh->head */
    uint32_t                 *row;            /* my pins; NULL: not attached */
    ngx_uint_t                nrow;
    ngx_uint_t                nlook;          /* row to look at closely */

    /*
     * The process of a row has gone, or left: what others have of it.  The
     * zone's lock is held; called again, if who called it dies.  NULL: nothing
     */
    void                    (*swept)(ngx_media_zone_t *zone, ngx_uint_t row);
    ngx_log_t                *log;
};


/* bytes of shared memory besides the arena */
size_t ngx_media_zone_memory(const ngx_media_zone_conf_t *conf);

/* lays out fresh zeroed memory; the arena was made before */
void ngx_media_zone_format(ngx_media_zone_shm_t *sh, void *mem,
    const ngx_media_zone_conf_t *conf);

/* a new arena for this much payload, or NULL (logged) */
ngx_media_arena_t *ngx_media_arena_create(size_t limit, ngx_log_t *log);
void ngx_media_arena_release(ngx_media_arena_t *arena);

/* this process gets its row; NGX_ERROR: all are taken */
ngx_int_t ngx_media_zone_attach(ngx_media_zone_t *zone);
void ngx_media_zone_detach(ngx_media_zone_t *zone);

void ngx_media_zone_lock(ngx_media_zone_t *zone);
#define ngx_media_zone_unlock(zone)  ngx_media_unlock(&(zone)->sh->lock)

/* rows, extents and locks of processes that are no more; any worker's timer */
void ngx_media_zone_sweep(ngx_media_zone_t *zone);

/* a zeroed page that belongs to the owner; NULL: there is none */
void *ngx_media_block_alloc(ngx_media_zone_t *zone, uint32_t owner);
/* all of an owner's */
void ngx_media_block_free_all(ngx_media_zone_t *zone, uint32_t owner);
void ngx_media_block_free(ngx_media_zone_t *zone, void *block);

/* may this pointer, read without a lock, be followed */
static ngx_inline ngx_uint_t
ngx_media_block_valid(const ngx_media_zone_t *zone, const void *p)
{
    const u_char  *b;

    b = p;

    return b >= zone->sh->blocks
           && b < zone->sh->blocks
                  + (size_t) zone->sh->nblocks * NGX_MEDIA_PAGE
           && (size_t) (b - zone->sh->blocks) % NGX_MEDIA_PAGE == 0;
}


/*
 * An extent of at least size bytes for the owner, its reference count 1
 * (its writer's); NGX_MEDIA_NONE: no memory.
 */
uint32_t ngx_media_extent_alloc(ngx_media_zone_t *zone, uint32_t owner,
    size_t size);

/*
 * A writer backs an extent with memory and fills it with no lock held.  It
 * takes it before, under the owner's lock, and gives it back when it is done,
 * under that or none: meanwhile nobody trims or frees it, also if the owner
 * unlinks it.  What a process had taken that died is given back by the sweep.
 */

static ngx_inline void
ngx_media_extent_take(ngx_media_zone_t *zone, uint32_t extent)
{
    ngx_media_store(&zone->sh->extents[extent].pid, (uint32_t) ngx_pid);
}


static ngx_inline void
ngx_media_extent_give(ngx_media_zone_t *zone, uint32_t extent)
{
    ngx_media_store(&zone->sh->extents[extent].pid, 0);
}


/*
 * Backs the first size bytes of what was taken with memory, in steps; NGX_OK,
 * NGX_DECLINED (the limit is reached, or the system has no memory).  No lock
 * is held.
 */
ngx_int_t ngx_media_extent_commit(ngx_media_zone_t *zone, uint32_t extent,
    size_t size);

/*
 * Its writer will not write to it again, only the first size bytes are needed:
 * the rest is given back by who trims next.  The owner's lock is held.
 */
void ngx_media_extent_leave(ngx_media_zone_t *zone, uint32_t extent,
    size_t size);

/* gives back what writers have left; no lock is held; 1 if there was any */
ngx_uint_t ngx_media_zone_trim(ngx_media_zone_t *zone);

/* unlinks it; freed when nobody has it pinned.  The owner's lock is held */
void ngx_media_extent_evict(ngx_media_zone_t *zone, uint32_t extent);

/*
 * The owner is gone, but not yet all of its extents: readers have them.  They
 * are nobody's, so that whoever gets the account is not taken for large.
 */
void ngx_media_extents_orphan_locked(ngx_media_zone_t *zone, uint32_t owner);

/*
 * Trims, and punches and frees what is in limbo and unpinned; 1 if there was
 * any.  No lock is held.
 */
ngx_uint_t ngx_media_zone_reclaim(ngx_media_zone_t *zone);

/*
 * Pins the extents of n ranges for this process: NGX_OK; NGX_DONE when one of
 * them has gone; NGX_BUSY, too many processes have pins: then none is pinned.
 * Only in the event loop.
 */
ngx_int_t ngx_media_pin(ngx_media_zone_t *zone,
    const ngx_media_range_t *ranges, ngx_uint_t n);
void ngx_media_unpin(ngx_media_zone_t *zone, const ngx_media_range_t *ranges,
    ngx_uint_t n);

/* the arena: descriptor for sendfile, and where a pinned range is mapped */
ngx_fd_t ngx_media_arena_fd(const ngx_media_zone_t *zone);
u_char *ngx_media_arena_bytes(const ngx_media_zone_t *zone,
    const ngx_media_range_t *range);


static ngx_inline u_char *
ngx_media_extent_addr(ngx_media_zone_t *zone, uint32_t extent)
{
    return zone->arena->addr
           + (size_t) zone->sh->extents[extent].page * NGX_MEDIA_PAGE;
}


static ngx_inline size_t
ngx_media_extent_size(ngx_media_zone_t *zone, uint32_t extent)
{
    return (size_t) NGX_MEDIA_PAGE << zone->sh->extents[extent].order;
}


#endif /* _NGX_MEDIA_ZONE_H_INCLUDED_ */
