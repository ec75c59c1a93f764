
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: core/ngx_media_module_zone.c core/ngx_media_store_zone.c
         memory/ngx_media_bitmap.c memory/ngx_media_buddy.c
         memory/ngx_media_process.c memory/ngx_media_zone.c
         memory/ngx_media_zone_validate.c ngx_stub.c */


/*
 * What modules have in zones: where, which zones a reload keeps, which it ends,
 * and what is cleared of processes that have gone.  nginx is played by hand:
 * cycles with modules and zones.
 */


#define _GNU_SOURCE

#include <ngx_config.h>
#include <ngx_core.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/ngx_media_module.h"
#include "core/ngx_media_store_shm.h"
#include "core/ngx_media_store_zone.h"
#include "ngx_stub.h"
#include "tap.h"


#define SIZE     (8 * 1024 * 1024)
#define STREAMS  4
#define ROWS     16


/* a cycle with one application */

typedef struct {
    ngx_cycle_t       cycle;
    ngx_module_t     *modules[4];
    ngx_media_app_t   app;
    void             *conf[3];
    void             *shared[3];
    ngx_shm_zone_t    zone;
    void             *mem;
} cycle_t;


/* what the module "some" has in a zone */

typedef struct {
    uint64_t          made;
    uint64_t          locked;
    uint64_t          swept[ROWS];
    u_char            rest[33];
} some_t;


uint32_t  ngx_crc32_table256[256];

static size_t    some_size = sizeof(some_t);
static cycle_t  *adding;


/* of nginx, as far as it goes */

static u_char *
print(u_char *p, u_char *last, const char *fmt, va_list args)
{
    char        buf[64];
    size_t      n;
    ngx_str_t  *v;

    for ( /* void */ ; *fmt; fmt += n) {
        buf[0] = '\0';

        if (strncmp(fmt, "%V", 2) == 0) {
            n = 2;
            v = va_arg(args, ngx_str_t *);
            (void) snprintf(buf, sizeof(buf), "%.*s", (int) v->len, v->data);

        } else if (strncmp(fmt, "%uz", 3) == 0) {
            n = 3;
            (void) snprintf(buf, sizeof(buf), "%zu", va_arg(args, size_t));

        } else if (strncmp(fmt, "%ui", 3) == 0) {
            n = 3;
            (void) snprintf(buf, sizeof(buf), "%zu",
                            (size_t) va_arg(args, ngx_uint_t));

        } else if (strncmp(fmt, "%08xD", 5) == 0) {
            n = 5;
            (void) snprintf(buf, sizeof(buf), "%08x", va_arg(args, uint32_t));

        } else {
            n = 1;
            buf[0] = *fmt;
            buf[1] = '\0';
        }

        if (p + strlen(buf) > last) {
            break;
        }

        p = (u_char *) memcpy(p, buf, strlen(buf)) + strlen(buf);
    }

    return p;
}


u_char *
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = print(buf, buf + 1024, fmt, args);
    va_end(args);

    return p;
}


u_char *
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = print(buf, last, fmt, args);
    va_end(args);

    return p;
}


ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    adding->zone.shm.name = *name;
    adding->zone.shm.size = size;
    adding->zone.shm.log = &ngx_stub_log;
    adding->zone.tag = tag;

    return &adding->zone;
}


void *
ngx_slab_alloc(ngx_slab_pool_t *pool, size_t size)
{
    return adding->mem;
}


/* modules */

static size_t
some_shared(const ngx_media_zone_conf_t *conf)
{
    return some_size;
}


static void
some_init(ngx_media_zone_t *zone, void *mem)
{
    some_t  *some = mem;

    some->made++;
}


static void
some_swept(ngx_media_zone_t *zone, void *mem, ngx_uint_t row)
{
    some_t  *some = mem;

    some->swept[row % ROWS]++;
    some->locked += zone->sh->lock == (uint32_t) ngx_pid;
}


static ngx_media_module_ctx_t  core_ctx = {
    NGX_MEDIA_LAYOUT, NULL, NULL, NULL, ngx_media_store_memory,
    ngx_media_store_format, NULL, NULL
};

static ngx_media_module_ctx_t  some_ctx = {
    1, NULL, NULL, NULL, some_shared, some_init, some_swept, NULL
};

static ngx_media_module_ctx_t  none_ctx = {
    1, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};


#define module(n, name_, ctx_)                                                \
    { .ctx_index = n, .name = name_, .ctx = ctx_, .type = NGX_MEDIA_MODULE }

ngx_module_t         ngx_media_module = { .name = "ngx_media_module" };
ngx_module_t         ngx_media_core_module = module(0, "core", &core_ctx);
static ngx_module_t  some_module = module(1, "some", &some_ctx);
static ngx_module_t  none_module = module(2, "none", &none_ctx);


ngx_media_module_ctx_t *
ngx_media_module_next(ngx_cycle_t *cycle, ngx_uint_t *i, ngx_module_t **m)
{
    if (cycle->modules[*i] == NULL) {
        return NULL;
    }

    *m = cycle->modules[(*i)++];

    return (*m)->ctx;
}


/* a configuration is read; NULL ends the modules besides the core's */

static void
configure(cycle_t *c, const char *name, size_t size, ngx_module_t *one,
    ngx_module_t *two)
{
    ngx_conf_t  cf;

    memset(c, 0, sizeof(cycle_t));
    memset(&cf, 0, sizeof(ngx_conf_t));

    c->cycle.pool = ngx_create_pool(4096, &ngx_stub_log);
    c->cycle.log = &ngx_stub_log;
    c->cycle.conf_ctx = (void *) c;
    c->cycle.modules = c->modules;
    c->modules[0] = &ngx_media_core_module;
    c->modules[1] = one;
    c->modules[2] = two;

    c->app.name.data = (u_char *) name;
    c->app.name.len = strlen(name);
    c->app.zone_size = size;
    c->app.max_streams = STREAMS;
    c->app.conf = c->conf;
    c->app.shared = c->shared;
    c->app.cycle = &c->cycle;

    cf.cycle = &c->cycle;
    cf.pool = c->cycle.pool;

    adding = c;

    ok(ngx_media_module_zone(&cf, &c->app) == NGX_CONF_OK, "configuration");

    c->cycle.shared_memory.part.elts = &c->zone;
    c->cycle.shared_memory.part.nelts = 1;
}


static ngx_uint_t
same(cycle_t *a, cycle_t *b)
{
    return a->zone.shm.name.len == b->zone.shm.name.len
           && memcmp(a->zone.shm.name.data, b->zone.shm.name.data,
                     a->zone.shm.name.len) == 0;
}


/* and takes effect, over another one */

static void
start(cycle_t *c, cycle_t *old)
{
    void  *data;

    adding = c;
    data = NULL;

    if (old && same(c, old)) {
        c->zone.shm.addr = old->zone.shm.addr;
        data = old->zone.data;

    } else {
        c->zone.shm.addr = calloc(1, sizeof(ngx_slab_pool_t));
        c->mem = mmap(NULL, c->zone.shm.size, PROT_READ|PROT_WRITE,
                      MAP_SHARED|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);
    }

    is(c->zone.init(&c->zone, data), NGX_OK, "its zone");

    if (old) {
        c->cycle.old_cycle = &old->cycle;
        ngx_media_module_retire(&c->cycle);
        c->cycle.old_cycle = NULL;
    }
}


static void
end(cycle_t *c)
{
    ngx_destroy_pool(c->cycle.pool);

    if (c->mem) {
        (void) munmap(c->mem, c->zone.shm.size);
        free(c->zone.shm.addr);
    }
}


static void
test_layout(void)
{
    static cycle_t  plain, a, b;

    configure(&plain, "live", SIZE, NULL, NULL);

    configure(&a, "live", SIZE, &none_module, NULL);
    ok(same(&plain, &a), "a module that has nothing in a zone");
    end(&a);

    configure(&a, "live", SIZE, &some_module, &none_module);
    ok(!same(&plain, &a), "one that has");
    ok(a.zone.shm.size > plain.zone.shm.size, "which takes room");

    configure(&b, "live", SIZE, &none_module, &some_module);
    ok(same(&a, &b), "wherever that stands");
    end(&b);

    some_size++;
    configure(&b, "live", SIZE, &some_module, NULL);
    ok(!same(&a, &b), "another size");
    some_size--;
    end(&b);

    some_ctx.version++;
    configure(&b, "live", SIZE, &some_module, NULL);
    ok(!same(&a, &b), "another version");
    some_ctx.version--;
    end(&b);

    core_ctx.version++;
    configure(&b, "live", SIZE, &some_module, NULL);
    ok(!same(&a, &b), "another layout of the core");
    core_ctx.version--;
    end(&b);

    some_module.name = "other";
    configure(&b, "live", SIZE, &some_module, NULL);
    ok(!same(&a, &b), "the same of another module");
    some_module.name = "some";
    end(&b);

    end(&a);
    end(&plain);
}


static void
test_memory(void)
{
    u_char            *p;
    some_t            *some;
    ngx_media_zone_t  *zone;

    static cycle_t  a, b;

    configure(&a, "live", SIZE, &some_module, &none_module);
    start(&a, NULL);

    zone = a.app.zone;
    some = ngx_media_app_shared(&a.app, some_module);
    p = (u_char *) (zone->store->hashes + STREAMS);

    ok((void *) zone->store == ngx_media_app_shared(&a.app,
                                                    ngx_media_core_module),
       "the core has the store");
    is(zone->store->nstreams, STREAMS, "with its streams");
    ok((u_char *) some >= p, "others are behind it");
    ok((u_char *) some < p + 64, "not far");
    is((uintptr_t) some % 64, 0, "aligned");
    ok((u_char *) (some + 1) <= (u_char *) zone->sh->extents, "and fit");
    ok(ngx_media_app_shared(&a.app, none_module) == NULL, "or have nothing");
    is(some->made, 1, "made once");

    /* a reload that keeps it */

    configure(&b, "live", SIZE, &some_module, &none_module);
    start(&b, &a);

    is(zone->store->retired, 0, "a zone that is kept");
    ok(b.app.zone->store == zone->store, "the same store");
    ok(ngx_media_app_shared(&b.app, some_module) == (void *) some,
       "the same memory");
    is(some->made, 1, "as it was");
    is(zone->arena->count, 2, "two have it");

    b.mem = a.mem;
    a.mem = NULL;
    end(&a);
    end(&b);
}


static void
test_retire(void)
{
    static cycle_t  a, b;

    configure(&a, "live", SIZE, NULL, NULL);
    start(&a, NULL);

    configure(&b, "live", SIZE, &some_module, NULL);
    start(&b, &a);
    is(a.app.zone->store->retired, 1, "another layout ends it");
    is(b.app.zone->store->retired, 0, "not the new one");
    is(ngx_stub_logged[NGX_LOG_NOTICE], 1, "with a line");
    end(&b);

    a.app.zone->store->retired = 0;
    configure(&b, "live", 2 * SIZE, NULL, NULL);
    start(&b, &a);
    is(a.app.zone->store->retired, 1, "another size does");
    end(&b);

    a.app.zone->store->retired = 0;
    configure(&b, "liv", SIZE, NULL, NULL);
    start(&b, &a);
    is(a.app.zone->store->retired, 1, "so does its application's end");
    is(ngx_stub_logged[NGX_LOG_NOTICE], 3, "each with its line");
    end(&b);

    /* what is not ours, or is of an older module, is left alone */

    a.app.zone->store->retired = 0;
    a.app.zone->store->magic++;
    configure(&b, "live", 2 * SIZE, NULL, NULL);
    start(&b, &a);
    is(a.app.zone->store->retired, 0, "what it does not know is left alone");
    end(&b);

    ngx_str_set(&a.zone.shm.name, "media:live");
    configure(&b, "live", 2 * SIZE, NULL, NULL);
    start(&b, &a);
    is(ngx_stub_logged[NGX_LOG_NOTICE], 3, "also by name");
    end(&b);

    end(&a);
}


static void
test_swept(void)
{
    int                status;
    pid_t              pid;
    some_t            *some;
    ngx_uint_t         died;
    ngx_media_zone_t  *zone;

    static cycle_t  a;

    configure(&a, "live", SIZE, &some_module, NULL);
    start(&a, NULL);

    zone = a.app.zone;
    some = ngx_media_app_shared(&a.app, some_module);

    /* in row 0 another process, which dies */

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        _exit(ngx_media_zone_attach(zone) == NGX_OK ? 0 : 1);
    }

    (void) waitpid(pid, &status, 0);
    is(status, 0, "a process was there");

    died = some->swept[0];
    ngx_media_zone_sweep(zone);

    is(some->swept[0], died + 1, "and has died");
    ngx_media_zone_sweep(zone);
    is(some->swept[0], died + 1, "once");

    /* this one */

    is(ngx_media_zone_attach(zone), NGX_OK, "one that leaves");
    is(zone->nrow, 0, "from the same row");
    died = some->swept[0];
    ngx_media_zone_detach(zone);
    is(some->swept[0], died + 1, "has left");

    /*
     * one that dies in the midst of a sweep leaves the row, and the lock: the
     * next one does it again
     */

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        (void) ngx_media_zone_attach(zone);
        zone->sh->lock = (uint32_t) ngx_pid;
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    died = some->swept[0];
    ngx_media_zone_sweep(zone);

    is(some->swept[0], died + 1, "after one that died under the lock");
    is(some->locked, some->swept[0], "always under the lock");
    is(zone->sh->lock, 0, "which is free");

    end(&a);
}


int
main(void)
{
    uint32_t    c;
    ngx_uint_t  i, k;

    for (i = 0; i < 256; i++) {
        for (c = i, k = 0; k < 8; k++) {
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        }

        ngx_crc32_table256[i] = c;
    }

    ngx_pid = getpid();

    test_layout();
    test_memory();
    test_retire();
    test_swept();

    is(ngx_stub_pools, 0, "no pool is left");

    return done();
}
