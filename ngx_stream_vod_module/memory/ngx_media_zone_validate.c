
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_zone_validate.h"


#if (NGX_DEBUG)


/* sums of the table of extents */

typedef struct {
    uint64_t                  reserved;       /* pages */
    uint64_t                  pages;          /* committed */
    uint64_t                  limbo;          /* extents */
} ngx_media_zone_sum_t;


static ngx_uint_t ngx_media_extent_validate(ngx_media_zone_t *zone,
    uint32_t extent, ngx_media_zone_sum_t *sum);
static ngx_uint_t ngx_media_spare_validate(ngx_media_zone_t *zone);
static ngx_uint_t ngx_media_blocks_validate(ngx_media_zone_t *zone);


ngx_uint_t
ngx_media_zone_validate(ngx_media_zone_t *zone)
{
    ngx_uint_t  n;

    ngx_media_zone_lock(zone);

    n = ngx_media_zone_validate_locked(zone);

    ngx_media_zone_unlock(zone);

    return n;
}


ngx_uint_t
ngx_media_zone_validate_locked(ngx_media_zone_t *zone)
{
    uint32_t               i;
    uint64_t               limbo, pages;
    ngx_uint_t             n;
    ngx_media_zone_sum_t   sum;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;
    n = 0;

    ngx_memzero(&sum, sizeof(ngx_media_zone_sum_t));

    for (i = 0; i < sh->nextents; i++) {
        n += ngx_media_extent_validate(zone, i, &sum);
    }

    ngx_media_must(zone, n, sum.pages == sh->pages,
                   "committed pages", sh->pages);
    ngx_media_must(zone, n, sh->pages <= sh->limit,
                   "pages above the limit", sh->pages);
    ngx_media_must(zone, n,
                   sum.reserved + ngx_media_buddy_count(&sh->buddy)
                   == sh->buddy.pages,
                   "reserved pages", sum.reserved);

    pages = sh->orphans;

    for (i = 0; i < sh->naccounts; i++) {
        pages += sh->accounts[i];
    }

    ngx_media_must(zone, n, pages == sh->pages, "pages of owners", pages);

    limbo = 0;

    for (i = sh->limbo;
         i < sh->nextents && limbo <= sum.limbo;
         i = sh->extents[i].next)
    {
        ngx_media_must(zone, n,
                       sh->extents[i].state == NGX_MEDIA_EXTENT_LIMBO,
                       "list of limbo", i);
        limbo++;
    }

    ngx_media_must(zone, n, limbo == sum.limbo, "length of limbo", limbo);

    return n + ngx_media_spare_validate(zone)
           + ngx_media_blocks_validate(zone);
}


/* what is to be trimmed is listed, unless somebody works on it right now */

static ngx_uint_t
ngx_media_spare_validate(ngx_media_zone_t *zone)
{
    uint32_t               i;
    uint64_t               listed, most, owed;
    ngx_uint_t             n;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;
    n = 0;
    most = 0;
    owed = 0;
    listed = 0;

    for (i = 0; i < sh->nextents; i++) {
        most += sh->extents[i].keep != 0;
        owed += sh->extents[i].keep && sh->extents[i].pid == 0;
    }

    for (i = sh->spare;
         i < sh->nextents && listed <= most;
         i = sh->extents[i].next)
    {
        ngx_media_must(zone, n,
                       sh->extents[i].state == NGX_MEDIA_EXTENT_USED
                       && sh->extents[i].keep,
                       "list of what is to be trimmed", i);
        listed++;
    }

    ngx_media_must(zone, n, listed >= owed && listed <= most,
                   "length of what is to be trimmed", listed);

    return n;
}


static ngx_uint_t
ngx_media_extent_validate(ngx_media_zone_t *zone, uint32_t extent,
    ngx_media_zone_sum_t *sum)
{
    ngx_uint_t               n;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    e = &sh->extents[extent];
    n = 0;

    ngx_media_must(zone, n,
                   ngx_media_bitmap_test(&sh->free_extents, extent)
                   == (e->state == NGX_MEDIA_EXTENT_FREE),
                   "set of free extents", extent);

    if (e->state == NGX_MEDIA_EXTENT_FREE) {
        ngx_media_must(zone, n, e->id == 0 && e->pages == 0,
                       "a free extent", extent);
        return n;
    }

    ngx_media_must(zone, n, e->state <= NGX_MEDIA_EXTENT_PUNCH,
                   "state of an extent", extent);
    ngx_media_must(zone, n,
                   e->state == NGX_MEDIA_EXTENT_USED
                   || ngx_media_load(&e->id) == 0,
                   "id of an extent in limbo", extent);
    ngx_media_must(zone, n, extent < sh->used_extents,
                   "high-water mark of extents", extent);
    ngx_media_must(zone, n,
                   e->owner < sh->naccounts
                   || (e->owner == NGX_MEDIA_NONE
                       && e->state != NGX_MEDIA_EXTENT_USED),
                   "owner of an extent", extent);
    ngx_media_must(zone, n,
                   e->order <= sh->buddy.top
                   && e->page % ((uint64_t) 1 << e->order) == 0
                   && e->page + ((uint64_t) 1 << e->order)
                      <= sh->buddy.pages,
                   "place of an extent", extent);
    ngx_media_must(zone, n, e->pages <= (uint64_t) 1 << e->order,
                   "size of an extent", extent);

    sum->reserved += (uint64_t) 1 << e->order;
    sum->pages += e->pages;
    sum->limbo += e->state == NGX_MEDIA_EXTENT_LIMBO;

    return n;
}


static ngx_uint_t
ngx_media_blocks_validate(ngx_media_zone_t *zone)
{
    uint32_t               block;
    uint64_t               listed, owned;
    ngx_uint_t             i, n;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;
    n = 0;
    owned = 0;
    listed = 0;

    for (i = 0; i < sh->nblocks; i++) {
        ngx_media_must(zone, n,
                       ngx_media_bitmap_test(&sh->free_blocks, i)
                       == (sh->owners[i] == 0),
                       "set of free blocks", i);
        ngx_media_must(zone, n, sh->owners[i] <= sh->naccounts,
                       "owner of a block", i);

        owned += sh->owners[i] != 0;
    }

    for (i = 0; i < sh->naccounts; i++) {

        for (block = sh->firsts[i];
             block && listed <= owned;
             block = sh->nexts[block - 1])
        {
            ngx_media_must(zone, n, sh->owners[block - 1] == i + 1,
                           "list of blocks", i);
            listed++;
        }
    }

    ngx_media_must(zone, n, listed == owned, "blocks in lists", listed);

    return n;
}


#endif
