
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which pages of the arena are reserved: a buddy allocator over page numbers,
 * lowest address first.  It holds no truth of its own: the table of extents
 * does, and after a crash inside the caller rebuilds this from there.  In
 * memory of the caller's; the caller locks.
 */


#ifndef _NGX_MEDIA_BUDDY_H_INCLUDED_
#define _NGX_MEDIA_BUDDY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_bitmap.h"


#define NGX_MEDIA_BUDDY_ORDERS  24
#define NGX_MEDIA_BUDDY_NONE    ((ngx_uint_t) -1)


typedef struct {
    ngx_uint_t                pages;          /* a multiple of 2^top */
    ngx_uint_t                top;            /* the largest order */
    ngx_media_bitmap_t        free[NGX_MEDIA_BUDDY_ORDERS];
                                              /* by order, of page >> order */
} ngx_media_buddy_t;


/* bytes of memory for the maps */
size_t ngx_media_buddy_memory(ngx_uint_t pages, ngx_uint_t top);

/* everything is free */
void ngx_media_buddy_init(ngx_media_buddy_t *buddy, ngx_uint_t pages,
    ngx_uint_t top, void *mem);

/* the first page of 2^order ones, NGX_MEDIA_BUDDY_NONE: there are none */
ngx_uint_t ngx_media_buddy_alloc(ngx_media_buddy_t *buddy, ngx_uint_t order);
void ngx_media_buddy_free(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t order);

/* takes just these pages out of what is free; for rebuilding */
ngx_int_t ngx_media_buddy_take(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t order);

/* gives back the upper part: the block now has the smaller order */
void ngx_media_buddy_shrink(ngx_media_buddy_t *buddy, ngx_uint_t page,
    ngx_uint_t order, ngx_uint_t smaller);

/* how many pages are free; walks the maps, for tests */
ngx_uint_t ngx_media_buddy_count(const ngx_media_buddy_t *buddy);


#endif /* _NGX_MEDIA_BUDDY_H_INCLUDED_ */
