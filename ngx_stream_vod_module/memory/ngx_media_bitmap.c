
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_bitmap.h"


size_t
ngx_media_bitmap_memory(ngx_uint_t size)
{
    size_t      len;
    ngx_uint_t  n;

    len = 0;
    n = size;

    do {
        n = (n + 63) / 64;
        len += n * sizeof(uint64_t);
    } while (n > 1);

    return len;
}


void
ngx_media_bitmap_init(ngx_media_bitmap_t *map, ngx_uint_t size, void *mem)
{
    uint64_t    *p;
    ngx_uint_t   n;

    ngx_memzero(mem, ngx_media_bitmap_memory(size));

    map->size = size;
    map->nlevels = 0;

    p = mem;
    n = size;

    do {
        n = (n + 63) / 64;
        map->levels[map->nlevels++] = p;
        p += n;
    } while (n > 1);
}


void
ngx_media_bitmap_set(ngx_media_bitmap_t *map, ngx_uint_t n)
{
    uint64_t    *word, old;
    ngx_uint_t   i;

    for (i = 0; i < map->nlevels; i++) {
        word = &map->levels[i][n / 64];
        old = *word;
        *word = old | (uint64_t) 1 << n % 64;

        if (old) {
            return;
        }

        n /= 64;
    }
}


void
ngx_media_bitmap_clear(ngx_media_bitmap_t *map, ngx_uint_t n)
{
    uint64_t    *word;
    ngx_uint_t   i;

    for (i = 0; i < map->nlevels; i++) {
        word = &map->levels[i][n / 64];
        *word &= ~((uint64_t) 1 << n % 64);

        if (*word) {
            return;
        }

        n /= 64;
    }
}


ngx_uint_t
ngx_media_bitmap_test(const ngx_media_bitmap_t *map, ngx_uint_t n)
{
    return map->levels[0][n / 64] >> n % 64 & 1;
}


ngx_uint_t
ngx_media_bitmap_lowest(const ngx_media_bitmap_t *map)
{
    uint64_t    word;
    ngx_uint_t  i, n;

    n = 0;

    for (i = map->nlevels; i > 0; i--) {
        word = map->levels[i - 1][n];

        if (word == 0) {
            return NGX_MEDIA_BITMAP_NONE;
        }

        n = n * 64 + __builtin_ctzll(word);
    }

    return n;
}
