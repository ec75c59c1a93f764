
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_bitmap.c memory/ngx_media_buddy.c */


#include "memory/ngx_media_buddy.h"
#include "tap.h"


/*
 * The model: a byte per page.  Because what is free is always merged, a free
 * run that is aligned to its size lies in one block, and the lowest one is
 * what must be found.
 */

#define BLOCKS  4096


typedef struct {
    ngx_uint_t            page;
    ngx_uint_t            order;
} block_t;


static const struct {
    ngx_uint_t            top;
    ngx_uint_t            blocks;             /* of that order */
} shapes[] = {
    { 0, 1 }, { 0, 130 }, { 1, 1 }, { 3, 5 }, { 6, 1 }, { 6, 3 }, { 9, 2 },
    { 13, 1 }
};


static uint64_t           seed = 88172645463325252ULL;

static ngx_media_buddy_t  buddy;
static u_char            *model;
static ngx_uint_t         wrong;


static uint64_t
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed >> 11;
}


static void
mark(ngx_uint_t page, ngx_uint_t n, u_char used)
{
    while (n--) {
        wrong += model[page] == used;
        model[page++] = used;
    }
}


static ngx_uint_t
lowest(ngx_uint_t order)
{
    ngx_uint_t  i, page;

    for (page = 0; page < buddy.pages; page += (ngx_uint_t) 1 << order) {

        for (i = 0; i < (ngx_uint_t) 1 << order; i++) {
            if (model[page + i]) {
                break;
            }
        }

        if (i == (ngx_uint_t) 1 << order) {
            return page;
        }
    }

    return NGX_MEDIA_BUDDY_NONE;
}


static ngx_uint_t
count(void)
{
    ngx_uint_t  n, page;

    n = 0;

    for (page = 0; page < buddy.pages; page++) {
        n += !model[page];
    }

    return n;
}


static void
test_shape(ngx_uint_t top, ngx_uint_t pages)
{
    void        *mem;
    block_t      blocks[BLOCKS], *b;
    ngx_uint_t   i, n, order, smaller;

    mem = malloc(ngx_media_buddy_memory(pages, top));
    model = calloc(1, pages);
    wrong = 0;
    n = 0;

    ngx_media_buddy_init(&buddy, pages, top, mem);

    is(ngx_media_buddy_count(&buddy), pages, "%lu pages, all free",
       (unsigned long) pages);

    for (i = 0; i < 20000; i++) {

        switch (rnd() % (i % 4000 < 2000 ? 4 : 7)) {

        case 0:
        case 1:
        case 2:
            if (n == BLOCKS) {
                break;
            }

            order = rnd() % (top + 1);
            order = rnd() % (order + 1);
            b = &blocks[n];

            b->page = ngx_media_buddy_alloc(&buddy, order);
            b->order = order;

            if (b->page != lowest(order)) {
                wrong++;
            }

            if (b->page != NGX_MEDIA_BUDDY_NONE) {
                mark(b->page, (ngx_uint_t) 1 << order, 1);
                n++;
            }

            break;

        case 3:
            if (n == 0) {
                break;
            }

            b = &blocks[rnd() % n];
            smaller = rnd() % (b->order + 1);

            ngx_media_buddy_shrink(&buddy, b->page, b->order, smaller);
            mark(b->page + ((ngx_uint_t) 1 << smaller),
                 ((ngx_uint_t) 1 << b->order) - ((ngx_uint_t) 1 << smaller),
                 0);
            b->order = smaller;

            break;

        default:
            if (n == 0) {
                break;
            }

            b = &blocks[rnd() % n];

            ngx_media_buddy_free(&buddy, b->page, b->order);
            mark(b->page, (ngx_uint_t) 1 << b->order, 0);
            *b = blocks[--n];
        }

        if (i % 512 == 0) {
            wrong += ngx_media_buddy_count(&buddy) != count();
        }
    }

    is(wrong, 0, "%lu pages: 20000 steps", (unsigned long) pages);

    /* made anew from the blocks alone, as after a crash, it is the same */

    ngx_media_buddy_init(&buddy, pages, top, mem);

    for (i = 0; i < n; i++) {
        wrong += ngx_media_buddy_take(&buddy, blocks[i].page,
                                      blocks[i].order)
                 != NGX_OK;
    }

    wrong += ngx_media_buddy_count(&buddy) != count();

    for (order = 0; order <= top; order++) {
        i = lowest(order);
        b = &blocks[n];
        b->page = ngx_media_buddy_alloc(&buddy, order);

        wrong += b->page != i;

        if (b->page != NGX_MEDIA_BUDDY_NONE) {
            ngx_media_buddy_free(&buddy, b->page, order);
        }
    }

    for (i = 0; i < n; i++) {
        wrong += ngx_media_buddy_take(&buddy, blocks[i].page,
                                      blocks[i].order)
                 == NGX_OK;
    }

    is(wrong, 0, "%lu pages: rebuilt with %lu blocks", (unsigned long) pages,
       (unsigned long) n);

    while (n) {
        n--;
        ngx_media_buddy_free(&buddy, blocks[n].page, blocks[n].order);
    }

    is(ngx_media_buddy_count(&buddy), pages, "%lu pages, all free again",
       (unsigned long) pages);

    for (i = 0; i < pages >> top; i++) {
        wrong += ngx_media_buddy_alloc(&buddy, top) != i << top;
    }

    is(wrong, 0, "%lu pages: merged to the largest blocks",
       (unsigned long) pages);

    free(model);
    free(mem);
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        test_shape(shapes[i].top, shapes[i].blocks << shapes[i].top);
    }

    return done();
}
