
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_bitmap.c */


#include "memory/ngx_media_bitmap.h"
#include "tap.h"


static const ngx_uint_t  sizes[] = {
    1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 70000, 262144, 262145
};


static uint64_t  seed = 88172645463325252ULL;


static uint64_t
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed >> 11;
}


static ngx_uint_t
lowest(const u_char *model, ngx_uint_t size)
{
    ngx_uint_t  i;

    for (i = 0; i < size; i++) {
        if (model[i]) {
            return i;
        }
    }

    return NGX_MEDIA_BITMAP_NONE;
}


static void
test_random(ngx_uint_t size)
{
    u_char              *model;
    void                *mem;
    size_t               len;
    ngx_uint_t           i, k, n, run, tested, wrong;
    ngx_media_bitmap_t   map;

    len = ngx_media_bitmap_memory(size);
    mem = malloc(len);
    model = calloc(1, size);

    /* whatever was there before */

    memset(mem, 0xa5, len);

    ngx_media_bitmap_init(&map, size, mem);

    wrong = ngx_media_bitmap_lowest(&map) != NGX_MEDIA_BITMAP_NONE;
    tested = 0;

    for (run = 0; run < 40; run++) {

        /* runs that fill and runs that empty, also to the last */

        for (i = 0; i < 200; i++) {
            n = rnd() % size;

            if (run % 4 == 3) {
                n = lowest(model, size);

                if (n == NGX_MEDIA_BITMAP_NONE) {
                    break;
                }
            }

            k = run % 4 < 2 ? rnd() % 4 != 0 : 0;

            if (k) {
                ngx_media_bitmap_set(&map, n);

            } else {
                ngx_media_bitmap_clear(&map, n);
            }

            model[n] = k;

            wrong += ngx_media_bitmap_test(&map, n) != k;
            tested++;
        }

        wrong += ngx_media_bitmap_lowest(&map) != lowest(model, size);
    }

    for (i = 0; i < size; i++) {
        wrong += ngx_media_bitmap_test(&map, i) != model[i];
        ngx_media_bitmap_set(&map, i);
    }

    for (i = 0; i < size; i++) {
        wrong += ngx_media_bitmap_lowest(&map) != i;
        ngx_media_bitmap_clear(&map, i);
    }

    wrong += ngx_media_bitmap_lowest(&map) != NGX_MEDIA_BITMAP_NONE;

    is(wrong, 0, "set of %lu, %lu changes", (unsigned long) size,
       (unsigned long) tested);

    for (i = 0; i < len; i++) {
        wrong += ((u_char *) mem)[i] != 0;
    }

    is(wrong, 0, "an empty set of %lu is empty on all levels",
       (unsigned long) size);

    free(model);
    free(mem);
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        test_random(sizes[i]);
    }

    return done();
}
