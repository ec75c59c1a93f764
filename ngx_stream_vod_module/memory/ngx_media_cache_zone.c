
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The shared memory of a cache as nginx gives it: made when the configuration
 * is read, and kept over reloads.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_cache_shm.h"


#define NGX_MEDIA_CACHE_PAGES  64             /* at least */


static ngx_int_t ngx_media_cache_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static void ngx_media_cache_cleanup(void *data);


/* its address says whose zones they are */
static u_char  ngx_media_cache_tag;


ngx_media_cache_t *
ngx_media_cache_add(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    u_char              *p;
    ngx_str_t            text;
    ngx_shm_zone_t      *shm_zone;
    ngx_media_cache_t   *cache;
    ngx_pool_cleanup_t  *cln;

    if (size < NGX_MEDIA_CACHE_PAGES * ngx_pagesize) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "media cache \"%V\" is too small", name);
        return NULL;
    }

    cache = ngx_pcalloc(cf->pool, sizeof(ngx_media_cache_t));
    if (cache == NULL) {
        return NULL;
    }

    p = ngx_pnalloc(cf->pool, sizeof("media_cache::") + name->len
                              + NGX_INT_T_LEN);
    if (p == NULL) {
        return NULL;
    }

    /* nginx compares only sizes: the layout is in the name */

    text.data = p;
    text.len = ngx_sprintf(p, "media_cache:%V:%d", name,
                           NGX_MEDIA_CACHE_LAYOUT)
               - p;

    shm_zone = ngx_shared_memory_add(cf, &text, size, &ngx_media_cache_tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "media cache \"%V\" is duplicate", name);
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_media_cache_cleanup;
    cln->data = cache;

    cache->shm_zone = shm_zone;

    shm_zone->init = ngx_media_cache_init_zone;
    shm_zone->data = cache;

    return cache;
}


static ngx_int_t
ngx_media_cache_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_media_cache_t *old = data;

    void               *mem;
    u_char             *text;
    size_t              size;
    ngx_slab_pool_t    *shpool;
    ngx_media_cache_t  *cache;

    cache = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (old) {
        cache->sh = old->sh;

    } else if (shm_zone->shm.exists) {
        cache->sh = shpool->data;
    }

    if (cache->sh) {

        if (cache->sh->layout != NGX_MEDIA_CACHE_LAYOUT) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "media cache zone \"%V\" has another layout",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    shpool->log_nomem = 0;

    size = sizeof(" in media cache zone \"\"") + shm_zone->shm.name.len;

    text = ngx_slab_alloc(shpool, size);
    if (text == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(text, " in media cache zone \"%V\"%Z",
                       &shm_zone->shm.name);

    shpool->log_ctx = text;

    /* fresh, all free pages are neighbors */

    size = shpool->pfree * ngx_pagesize;

    mem = ngx_slab_alloc(shpool, size);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    cache->sh = ngx_media_cache_format(mem, size);

    if (cache->sh == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "media cache zone \"%V\" is too small",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    cache->sh->size = shm_zone->shm.size;
    shpool->data = cache->sh;

    return NGX_OK;
}


/*
 * Of the cycle's pool, that a worker destroys at its very end, when no thread
 * reads any more.  Without a master another cycle of the same process may
 * still use the row.
 */

static void
ngx_media_cache_cleanup(void *data)
{
    ngx_media_cache_t *cache = data;

    if (ngx_process == NGX_PROCESS_WORKER) {
        ngx_media_cache_detach(cache);
    }
}
