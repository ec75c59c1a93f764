
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The memory of a zone: arena, extents, pins, blocks; who is attached to it,
 * and what is done about the dead.
 */


#ifndef _NGX_MEDIA_ZONE_H_INCLUDED_
#define _NGX_MEDIA_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_shm.h"


/* the arena outlives cycles: counted by those that use it */

typedef struct {
    u_char                   *addr;
    size_t                    size;
    ngx_fd_t                  fd;
    ngx_uint_t                count;
} ngx_media_arena_t;


/* this process's waiters of a stream */

typedef struct {
    ngx_queue_t               queue;
    uint64_t                  version;        /* that they have seen */
} ngx_media_waiters_t;


/* a zone as this process sees it; in the cycle's pool */

struct ngx_media_zone_s {
    ngx_media_zone_shm_t     *sh;
    ngx_media_arena_t        *arena;
    ngx_media_app_t          *app;
    ngx_shm_zone_t           *shm_zone;
    ngx_cycle_t              *cycle;
    uint32_t                 *row;            /* my pins; NULL: not attached */
    ngx_uint_t                nrow;
    ngx_uint_t                nlook;          /* row to look at closely */
    ngx_uint_t                slook;          /* stream, likewise */
    ngx_queue_t               publishers;     /* of this process */
    ngx_queue_t               queue;          /* of zones with waiters */
    ngx_media_waiters_t      *waiters;        /* by stream record; NULL till
                                                 the first */
    ngx_uint_t                nwaiters;
    ngx_log_t                *log;
};


#define ngx_media_stream_record(zone, i)  (&(zone)->sh->streams[i])
#define ngx_media_stream_index(zone, s)                                       \
    ((uint32_t) ((s) - (zone)->sh->streams))


/* bytes of shared memory besides the arena */
size_t ngx_media_zone_memory(const ngx_media_app_t *app);

/* lays out fresh zeroed memory; the arena was made before */
void ngx_media_zone_format(ngx_media_zone_shm_t *sh, void *mem,
    const ngx_media_app_t *app);

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

/* a zeroed page that belongs to the stream; NULL: there is none */
void *ngx_media_block_alloc(ngx_media_zone_t *zone, uint32_t stream);
/* all of a stream's */
void ngx_media_block_free_all(ngx_media_zone_t *zone, uint32_t stream);
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
 * An extent of at least size bytes for the stream, its reference count 1
 * (its writer's); NGX_MEDIA_NONE: no memory.
 */
uint32_t ngx_media_extent_alloc(ngx_media_zone_t *zone, uint32_t stream,
    size_t size);

/*
 * Backs the first size bytes with memory, in steps; NGX_OK, NGX_DECLINED (the
 * limit is reached, or the system has no memory).
 */
ngx_int_t ngx_media_extent_commit(ngx_media_zone_t *zone, uint32_t extent,
    size_t size);

/* its writer is done: only the first size bytes stay reserved */
void ngx_media_extent_trim(ngx_media_zone_t *zone, uint32_t extent,
    size_t size);

/* unlinks it; freed when nobody has it pinned.  Stream lock held */
void ngx_media_extent_evict(ngx_media_zone_t *zone, uint32_t extent);

/*
 * The stream is gone, but not yet all of its extents: readers have them.  They
 * are nobody's, so that whoever gets the record is not taken for large.
 */
void ngx_media_extents_orphan_locked(ngx_media_zone_t *zone,
    uint32_t stream);

/* punches and frees what is in limbo and unpinned; 1 if there was any */
ngx_uint_t ngx_media_zone_reclaim(ngx_media_zone_t *zone);

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
