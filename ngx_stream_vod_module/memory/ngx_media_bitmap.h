
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A set of small numbers with a fast "lowest member": a bitmap of 64-bit
 * words, over it one bit for each word that is not zero, and so on up to a
 * single word.  It lives in memory of the caller's, also shared one; the
 * caller locks.
 */


#ifndef _NGX_MEDIA_BITMAP_H_INCLUDED_
#define _NGX_MEDIA_BITMAP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MEDIA_BITMAP_LEVELS  5
#define NGX_MEDIA_BITMAP_NONE    ((ngx_uint_t) -1)


typedef struct {
    ngx_uint_t                size;           /* members are 0..size - 1 */
    ngx_uint_t                nlevels;
    uint64_t                 *levels[NGX_MEDIA_BITMAP_LEVELS];
                                              /* [0]: the members */
} ngx_media_bitmap_t;


/* bytes of memory for a set of this size */
size_t ngx_media_bitmap_memory(ngx_uint_t size);

/* an empty set; mem is zeroed by this */
void ngx_media_bitmap_init(ngx_media_bitmap_t *map, ngx_uint_t size,
    void *mem);

void ngx_media_bitmap_set(ngx_media_bitmap_t *map, ngx_uint_t n);
void ngx_media_bitmap_clear(ngx_media_bitmap_t *map, ngx_uint_t n);
ngx_uint_t ngx_media_bitmap_test(const ngx_media_bitmap_t *map, ngx_uint_t n);

/* NGX_MEDIA_BITMAP_NONE: the set is empty */
ngx_uint_t ngx_media_bitmap_lowest(const ngx_media_bitmap_t *map);


#endif /* _NGX_MEDIA_BITMAP_H_INCLUDED_ */
