
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pools of tests of the packager: a list of blocks, which may be told to fail
 * at the n-th allocation.
 */


#ifndef _MEDIA_PACK_H_INCLUDED_
#define _MEDIA_PACK_H_INCLUDED_


#include "packager/ngx_media_pack.h"
#include "tap.h"


#define POOL_BLOCKS  512


static void       *pool_blocks[POOL_BLOCKS];
static ngx_uint_t  pool_nblocks;
static ngx_uint_t  pool_fail;                 /* which one; 0: none */


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    if (pool_fail && --pool_fail == 0) {
        return NULL;
    }

    if (pool_nblocks == POOL_BLOCKS) {
        abort();
    }

    p = malloc(size);

    memset(p, 0xa5, size);
    pool_blocks[pool_nblocks++] = p;

    return p;
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_palloc(pool, size);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_palloc(pool, size);

    if (p) {
        memset(p, 0, size);
    }

    return p;
}


static void
pool_free(void)
{
    while (pool_nblocks) {
        free(pool_blocks[--pool_nblocks]);
    }
}


#endif /* _MEDIA_PACK_H_INCLUDED_ */
