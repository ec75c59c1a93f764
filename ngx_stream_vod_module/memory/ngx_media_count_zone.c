
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Counters as nginx's configuration and shared memory have them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_count.h"


/*
 * At least, so that hardly any reload needs another zone: what nobody counts
 * in takes no memory
 */
#define NGX_MEDIA_COUNT_GROUPS   256


static ngx_int_t ngx_media_count_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_media_count_shm_t *ngx_media_count_before(ngx_uint_t width);


/* its address says whose zones they are */
static u_char  ngx_media_count_tag;


ngx_media_count_t *
ngx_media_count_create(ngx_conf_t *cf, ngx_uint_t width)
{
    ngx_media_count_t  *count;

    count = ngx_pcalloc(cf->pool, sizeof(ngx_media_count_t));
    if (count == NULL) {
        return NULL;
    }

    if (ngx_array_init(&count->groups, cf->pool, 4,
                       sizeof(ngx_media_count_group_t *))
        != NGX_OK)
    {
        return NULL;
    }

    count->width = width;

    return count;
}


ngx_media_count_group_t *
ngx_media_count_group(ngx_conf_t *cf, ngx_media_count_t *count,
    const ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_media_count_group_t **slot;

    slot = count->groups.elts;

    for (i = 0; i < count->groups.nelts; i++) {
        if (slot[i]->name.len == name->len
            && ngx_memcmp(slot[i]->name.data, name->data, name->len) == 0)
        {
            return slot[i];
        }
    }

    slot = ngx_array_push(&count->groups);
    if (slot == NULL) {
        return NULL;
    }

    *slot = ngx_pcalloc(cf->pool, sizeof(ngx_media_count_group_t));

    if (*slot) {
        (*slot)->name = *name;
    }

    return *slot;
}


/* groups that the zone has room for */

static ngx_uint_t
ngx_media_count_max(const ngx_media_count_t *count)
{
    ngx_uint_t  max;

    max = NGX_MEDIA_COUNT_GROUPS;

    while (max < 2 * count->groups.nelts + 1) {
        max *= 2;
    }

    return max;
}


ngx_int_t
ngx_media_count_zone(ngx_conf_t *cf, ngx_media_count_t *count)
{
    u_char          *p;
    size_t           size;
    ngx_str_t        name;
    ngx_uint_t       max;
    ngx_shm_zone_t  *shm_zone;

    max = ngx_media_count_max(count);

    p = ngx_pnalloc(cf->pool, sizeof("media_count:::") + 3 * NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* nginx compares only sizes: what decides on the layout is in the name */

    name.data = p;
    name.len = ngx_sprintf(p, "media_count:%ui:%ui:%d", max, count->width,
                           NGX_MEDIA_COUNT_LAYOUT)
               - p;

    /* one piece of a slab pool, which has a description of each page */

    size = ngx_align(ngx_media_count_size(max, count->width), ngx_pagesize);
    size += size / 64 + 8 * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, &name, size, &ngx_media_count_tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_media_count_init_zone;
    shm_zone->data = count;

    return NGX_OK;
}


static ngx_int_t
ngx_media_count_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_media_count_t *old = data;

    size_t                  size;
    ngx_uint_t              n, max;
    ngx_time_t             *tp;
    ngx_slab_pool_t        *shpool;
    ngx_media_count_t      *count;
    ngx_media_count_shm_t  *before;

    count = shm_zone->data;
    before = NULL;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (old) {
        count->sh = old->sh;

    } else if (shm_zone->shm.exists) {
        count->sh = shpool->data;
    }

    if (count->sh == NULL) {
        max = ngx_media_count_max(count);
        size = ngx_media_count_size(max, count->width);

        /* pages that were never written to are zero, and are none yet */

        count->sh = ngx_slab_alloc(shpool, size);
        if (count->sh == NULL) {
            return NGX_ERROR;
        }

#if (NGX_DEBUG_MALLOC)
        ngx_memzero(count->sh, size);
#endif

        before = ngx_media_count_before(count->width);

        tp = ngx_timeofday();

        ngx_media_count_format(count->sh, max, count->width,
                               (int64_t) tp->sec * 1000 + tp->msec);
        shpool->data = count->sh;
    }

    n = ngx_media_count_place(count);

    if (before) {
        ngx_media_count_carry(count, before);
    }

    if (n) {
        ngx_log_error(NGX_LOG_WARN, shm_zone->shm.log, 0,
                      "no room for %ui names in \"%V\", left by other "
                      "configurations: their requests are counted as one "
                      "until nginx is restarted", n, &shm_zone->shm.name);
    }

    return NGX_OK;
}


/*
 * The zone of the cycle that goes, which still is the one in use.  What its
 * workers count from now on is lost.
 */

static ngx_media_count_shm_t *
ngx_media_count_before(ngx_uint_t width)
{
    ngx_uint_t               i;
    ngx_list_part_t         *part;
    ngx_shm_zone_t          *shm_zone;
    ngx_media_count_t       *old;

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
    shm_zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {

            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            shm_zone = part->elts;
            i = 0;
        }

        old = shm_zone[i].data;

        if (shm_zone[i].tag == &ngx_media_count_tag && old && old->sh
            && old->width == width)
        {
            return old->sh;
        }
    }
}
