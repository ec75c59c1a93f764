
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_buddy.h"


static void ngx_media_buddy_split(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t from, ngx_uint_t target, ngx_uint_t to);


size_t
ngx_media_buddy_memory(ngx_uint_t pages, ngx_uint_t top)
{
    size_t      len;
    ngx_uint_t  i;

    len = 0;

    for (i = 0; i <= top; i++) {
        len += ngx_media_bitmap_memory(pages >> i);
    }

    return len;
}


void
ngx_media_buddy_init(ngx_media_buddy_t *buddy, ngx_uint_t pages,
    ngx_uint_t top, void *mem)
{
    u_char      *p;
    ngx_uint_t   i;

    buddy->pages = pages;
    buddy->top = top;

    p = mem;

    for (i = 0; i <= top; i++) {
        ngx_media_bitmap_init(&buddy->free[i], pages >> i, p);
        p += ngx_media_bitmap_memory(pages >> i);
    }

    for (i = 0; i < pages >> top; i++) {
        ngx_media_bitmap_set(&buddy->free[top], i);
    }
}


ngx_uint_t
ngx_media_buddy_alloc(ngx_media_buddy_t *buddy, ngx_uint_t order)
{
    ngx_uint_t  best, i, n, page;

    best = 0;
    page = NGX_MEDIA_BUDDY_NONE;

    /* the lowest address wins over the best fit: pages stay together */

    for (i = order; i <= buddy->top; i++) {
        n = ngx_media_bitmap_lowest(&buddy->free[i]);

        if (n != NGX_MEDIA_BITMAP_NONE && n << i < page) {
            page = n << i;
            best = i;
        }
    }

    if (page == NGX_MEDIA_BUDDY_NONE) {
        return NGX_MEDIA_BUDDY_NONE;
    }

    ngx_media_bitmap_clear(&buddy->free[best], page >> best);
    ngx_media_buddy_split(buddy, page, best, page, order);

    return page;
}


void
ngx_media_buddy_free(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t order)
{
    ngx_uint_t  n;

    for ( /* void */ ; order < buddy->top; order++) {
        n = (page >> order) ^ 1;

        if (!ngx_media_bitmap_test(&buddy->free[order], n)) {
            break;
        }

        ngx_media_bitmap_clear(&buddy->free[order], n);
        page &= ~((ngx_uint_t) 1 << order);
    }

    ngx_media_bitmap_set(&buddy->free[order], page >> order);
}


ngx_int_t
ngx_media_buddy_take(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t order)
{
    ngx_uint_t  i;

    for (i = order; i <= buddy->top; i++) {

        if (ngx_media_bitmap_test(&buddy->free[i], page >> i)) {
            ngx_media_bitmap_clear(&buddy->free[i], page >> i);
            ngx_media_buddy_split(buddy, page >> i << i, i, page, order);
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


void
ngx_media_buddy_shrink(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t order, ngx_uint_t smaller)
{
    ngx_media_buddy_split(buddy, page, order, page, smaller);
}


ngx_uint_t
ngx_media_buddy_count(const ngx_media_buddy_t *buddy)
{
    ngx_uint_t  count, i, n;

    count = 0;

    for (i = 0; i <= buddy->top; i++) {
        for (n = 0; n < buddy->pages >> i; n++) {
            count += ngx_media_bitmap_test(&buddy->free[i], n) << i;
        }
    }

    return count;
}


/* halves the block at page until target is in one of order to; others: free */

static void
ngx_media_buddy_split(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t from, ngx_uint_t target, ngx_uint_t to)
{
    ngx_uint_t  half;

    while (from > to) {
        from--;
        half = (ngx_uint_t) 1 << from;

        if (target >= page + half) {
            ngx_media_bitmap_set(&buddy->free[from], page >> from);
            page += half;

        } else {
            ngx_media_bitmap_set(&buddy->free[from], (page >> from) + 1);
        }
    }
}
