
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_cache.c memory/ngx_media_cache_zone.c
         memory/ngx_media_process.c ngx_stub.c */


/* the zone of a cache over cycles, nginx's side of it made here */


#include <sys/mman.h>
#include "memory/ngx_media_cache_shm.h"
#include "ngx_stub.h"
#include "tap.h"


#define KB  1024


/* a pool of which one small and one large piece are had */

typedef struct {
    ngx_slab_pool_t           pool;
    u_char                    small[256];
} slab_t;


static ngx_shm_zone_t  zones[4];
static ngx_uint_t      nzones;
static ngx_uint_t      nerrors;
static ngx_uint_t      slab_left;


ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    ngx_uint_t  i;

    for (i = 0; i < nzones; i++) {
        if (zones[i].shm.name.len == name->len
            && ngx_memcmp(zones[i].shm.name.data, name->data, name->len) == 0)
        {
            return zones[i].shm.size == size && zones[i].tag == tag
                   ? &zones[i] : NULL;
        }
    }

    ngx_memzero(&zones[i], sizeof(ngx_shm_zone_t));

    zones[i].shm.name = *name;
    zones[i].shm.size = size;
    zones[i].shm.log = &ngx_stub_log;
    zones[i].tag = tag;
    nzones++;

    return &zones[i];
}


void
ngx_conf_log_error(ngx_uint_t level, ngx_conf_t *cf, ngx_err_t err,
    const char *fmt, ...)
{
    nerrors++;
}


/* of its formats these: %V, %d and %Z */

u_char *
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    va_list     args;
    ngx_str_t  *text;

    va_start(args, fmt);

    for ( /* void */ ; *fmt; fmt++) {

        if (*fmt != '%') {
            *buf++ = *fmt;
            continue;
        }

        switch (*++fmt) {

        case 'V':
            text = va_arg(args, ngx_str_t *);
            memcpy(buf, text->data, text->len);
            buf += text->len;
            break;

        case 'd':
            buf += sprintf((char *) buf, "%d", va_arg(args, int));
            break;

        case 'Z':
            *buf++ = '\0';
            break;

        default:
            abort();
        }
    }

    va_end(args);

    return buf;
}


void *
ngx_slab_alloc(ngx_slab_pool_t *pool, size_t size)
{
    slab_t *slab = (slab_t *) pool;

    if (slab_left == 0) {
        return NULL;
    }

    slab_left--;

    if (size < sizeof(slab->small)) {
        return slab->small;
    }

    if (size > pool->pfree * ngx_pagesize) {
        return NULL;
    }

    return (u_char *) pool + ngx_pagesize;
}


static ngx_media_cache_t *
add(ngx_pool_t *pool, const char *name, size_t size)
{
    ngx_str_t   text;
    ngx_conf_t  cf;

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.pool = pool;
    text.data = (u_char *) name;
    text.len = strlen(name);

    return ngx_media_cache_add(&cf, &text, size);
}


/* what nginx does of a zone that it has not yet */

static void
memory(ngx_shm_zone_t *zone, ngx_uint_t pieces)
{
    ngx_slab_pool_t  *slab;

    zone->shm.addr = mmap(NULL, zone->shm.size, PROT_READ|PROT_WRITE,
                          MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    if (zone->shm.addr == MAP_FAILED) {
        abort();
    }

    slab = (ngx_slab_pool_t *) zone->shm.addr;
    slab->pfree = zone->shm.size / ngx_pagesize - 1;
    slab->log_nomem = 1;
    slab_left = pieces;
}


static void
test_add(void)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(4096, &ngx_stub_log);
    nzones = 0;

    ok(add(pool, "a", 0) == NULL && nerrors == 1, "without a size");
    ok(add(pool, "a", 255 * KB) == NULL && nerrors == 2, "too small");
    ok(add(pool, "a", 256 * KB) != NULL && nerrors == 2, "large enough");
    ok(add(pool, "a", 256 * KB) == NULL && nerrors == 3, "duplicate");
    ok(add(pool, "a", 512 * KB) == NULL, "with two sizes");
    ok(add(pool, "b", 512 * KB) != NULL, "another one");
    is(nzones, 2, "two zones");

    ngx_destroy_pool(pool);
}


static void
test_cycles(void)
{
    u_char                  key[NGX_MEDIA_CACHE_KEY];
    ngx_pool_t             *pool, *next;
    ngx_shm_zone_t          former;
    ngx_slab_pool_t        *slab;
    ngx_media_cache_t      *cache, *old;
    ngx_media_cache_ref_t   ref, again;
    ngx_media_cache_stat_t  stat;

    ngx_memset(key, 7, NGX_MEDIA_CACHE_KEY);

    pool = ngx_create_pool(4096, &ngx_stub_log);
    nzones = 0;

    old = add(pool, "files", 1024 * KB);
    memory(&zones[0], 2);
    slab = (ngx_slab_pool_t *) zones[0].shm.addr;

    is(zones[0].init(&zones[0], NULL), NGX_OK, "a new zone");
    ok(old->sh && slab->data == old->sh, "has its tables");
    is(slab->log_nomem, 0, "lack of memory is not logged");
    ok(strstr((char *) slab->log_ctx, "files") != NULL, "it has a name");
    ok(old->sh->data + old->sh->bytes
       <= zones[0].shm.addr + zones[0].shm.size, "it is within its memory");

    is(ngx_media_cache_put(old, key, "text", 4, &ref), NGX_OK, "put");

    /* a reload */

    former = zones[0];
    next = ngx_create_pool(4096, &ngx_stub_log);
    nzones = 0;

    cache = add(next, "files", 1024 * KB);
    zones[0].shm = former.shm;
    slab_left = 0;

    is(zones[0].init(&zones[0], former.data), NGX_OK, "a reload");
    ok(cache != old && cache->sh == old->sh, "keeps what there is");
    is(ngx_media_cache_get(cache, key, &again), NGX_OK, "it is found");
    ok(again.data == ref.data, "it is the same");

    ngx_media_cache_unpin(old, &ref);
    ngx_media_cache_stat(cache, &stat);
    is(stat.pins, 1, "pins of both cycles of a process");
    is(stat.size, 1024 * KB, "size of the zone");

    /* without a master the old cycle goes while the new one reads */

    ngx_process = NGX_PROCESS_SINGLE;
    ngx_destroy_pool(pool);

    ngx_media_cache_stat(cache, &stat);
    is(stat.pins, 1, "the old cycle goes");

    /* where memory was there before */

    cache->sh = NULL;
    zones[0].shm.exists = 1;
    is(zones[0].init(&zones[0], NULL), NGX_OK, "a zone that exists");
    ok(cache->sh == slab->data, "is used");

    cache->sh->layout++;
    is(zones[0].init(&zones[0], cache), NGX_ERROR, "another layout");
    cache->sh->layout--;

    /* a worker ends */

    ngx_process = NGX_PROCESS_WORKER;
    ngx_destroy_pool(next);

    is(slab->data == NULL, 0, "the zone is there");

    cache = calloc(1, sizeof(ngx_media_cache_t));
    cache->sh = slab->data;
    ngx_media_cache_stat(cache, &stat);
    is(stat.pins, 0, "a worker that ends leaves no pins");
    is(cache->sh->rows[0].pid, 0, "nor its row");
    free(cache);

    ngx_process = NGX_PROCESS_SINGLE;
    (void) munmap(former.shm.addr, former.shm.size);
}


static void
test_memory(void)
{
    ngx_uint_t        i;
    ngx_pool_t       *pool;
    ngx_slab_pool_t  *slab;

    for (i = 0; i < 4; i++) {
        pool = ngx_create_pool(4096, &ngx_stub_log);
        nzones = 0;

        (void) add(pool, "files", 256 * KB);
        memory(&zones[0], i);

        if (i == 3) {
            slab = (ngx_slab_pool_t *) zones[0].shm.addr;
            slab->pfree = 1;
        }

        is(zones[0].init(&zones[0], NULL), i == 2 ? NGX_OK : NGX_ERROR,
           "memory %u", (unsigned) i);

        ngx_destroy_pool(pool);
        (void) munmap(zones[0].shm.addr, zones[0].shm.size);
    }
}


int
main(void)
{
    test_add();
    test_cycles();
    test_memory();

    is(ngx_stub_pools, 0, "no pools are left");
    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
