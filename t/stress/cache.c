
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_cache.c memory/ngx_media_process.c
         ../unit/ngx_stub.c */


/*
 * Many processes over one cache: each gets blobs or makes them, holds some,
 * and looks at every byte of what it holds, when it is had and again before
 * it is let go.  Any of them is killed at any moment and started again.  In
 * the end nothing may be pinned or in the making, and all of the room must be
 * had again in one piece.
 *
 *     cache [seconds=6] [kill=MS] [seed=N] [zone=KB] [keys=N] [processes=N]
 *
 * kill: a process is killed so often on the average, 0: never.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdio.h>
#include "memory/ngx_media_cache_shm.h"
#include "../unit/ngx_stub.h"
#include "processes.h"


#define KB    1024
#define HELD  6                              /* refs of each */


/* what a process has done; shared, each has its own */

typedef struct {
    uint64_t                steps;
    uint64_t                hits;
    uint64_t                made;
    uint64_t                abandoned;
    uint64_t                waited;
    uint64_t                nomem;
    uint64_t                bytes;           /* looked at */
    uint64_t                wrong;
    char                    what[128];
} work_t;


typedef struct {
    work_t                  work[PROCESSES];
    uint64_t                stop;
} shared_t;


typedef struct {
    ngx_media_cache_ref_t   ref;
    uint64_t                n;
} held_t;


static ngx_media_cache_t    cache;
static shared_t            *shared;
static work_t              *me;
static uint64_t             nkeys;


static uint64_t
mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;

    return x ^ x >> 32;
}


static void
wrong(const char *what, uint64_t n)
{
    if (me->wrong++ == 0) {
        (void) snprintf(me->what, sizeof(me->what), "%s, key:%lu", what,
                        (unsigned long) n);
    }
}


static void
blob_key(uint64_t n, u_char *key)
{
    ngx_uint_t  i;
    uint64_t    word;

    for (i = 0; i < NGX_MEDIA_CACHE_KEY / 8; i++) {
        word = mix(n * 8 + i);
        memcpy(key + i * 8, &word, 8);
    }
}


/* a few are large */

static size_t
blob_size(uint64_t n)
{
    uint64_t  x;

    x = mix(n + 1000);

    if (n % 16 == 0) {
        return x % (300 * KB);
    }

    return n % 4 ? x % (20 * KB) : x % 500;
}


static void
blob_fill(uint64_t n, u_char *p)
{
    size_t    i, size;
    uint64_t  word;

    size = blob_size(n);

    for (i = 0; i < size; i += 8) {
        word = mix(n * 0x100000 + i);
        memcpy(p + i, &word, ngx_min(size - i, 8));
    }
}


static void
blob_check(uint64_t n, const ngx_media_cache_ref_t *ref)
{
    size_t         i, size;
    uint64_t       word;
    const u_char  *p;

    size = blob_size(n);
    p = ref->data;

    if (p == NULL || ref->size != size || (uintptr_t) p % 16) {
        wrong("a ref", n);
        return;
    }

    for (i = 0; i < size; i += 8) {
        word = mix(n * 0x100000 + i);

        if (memcmp(p + i, &word, ngx_min(size - i, 8)) != 0) {
            wrong("a byte", n);
            return;
        }
    }

    me->bytes += size;
}


static ngx_int_t
make(uint64_t n, const u_char *key, ngx_media_cache_ref_t *ref)
{
    u_char     *p;
    ngx_int_t   rc;

    if (rnd() % 16 == 0) {
        nap(rnd() % 2000);
    }

    if (rnd() % 16 == 0) {
        ngx_media_cache_abandon(&cache, key);
        me->abandoned++;
        return NGX_DECLINED;
    }

    p = malloc(blob_size(n) + 8);
    if (p == NULL) {
        abort();
    }

    blob_fill(n, p);

    rc = ngx_media_cache_put(&cache, key, p, blob_size(n), ref);

    free(p);

    if (rc == NGX_OK) {
        me->made++;

    } else {
        me->nomem++;
    }

    return rc;
}


static void
work(void)
{
    held_t                  held[HELD], *h;
    u_char                  key[NGX_MEDIA_CACHE_KEY];
    uint64_t                n;
    ngx_int_t               rc;
    ngx_media_cache_ref_t   ref;
    ngx_media_cache_stat_t  stat;

    memset(held, 0, sizeof(held));

    while (ngx_media_load(&shared->stop) == 0) {
        ngx_media_store(&me->steps, me->steps + 1);

        h = &held[rnd() % HELD];

        if (h->ref.data) {
            blob_check(h->n, &h->ref);
            ngx_media_cache_unpin(&cache, &h->ref);
        }

        if (rnd() % 2048 == 0) {
            if (ngx_media_cache_validate(&cache)) {
                wrong("books", 0);
            }

            ngx_media_cache_stat(&cache, &stat);
        }

        n = rnd() % (rnd() % 2 ? nkeys : nkeys / 8);
        blob_key(n, key);

        rc = ngx_media_cache_get(&cache, key, &ref);

        if (rc == NGX_DECLINED && rnd() % 8 == 0) {
            ngx_media_cache_abandon(&cache, key);
            continue;
        }

        switch (rc) {

        case NGX_OK:
            me->hits++;
            break;

        case NGX_DECLINED:
            rc = make(n, key, &ref);
            break;

        case NGX_AGAIN:
            me->waited++;
            nap(50);
            break;
        }

        if (rc != NGX_OK) {
            continue;
        }

        blob_check(n, &ref);

        h->ref = ref;
        h->n = n;

        if (rnd() % 64 == 0) {
            nap(rnd() % 3000);
        }
    }

    for (n = 0; n < HELD; n++) {

        if (held[n].ref.data) {
            blob_check(held[n].n, &held[n].ref);
        }

        /* what is left is given back with the row */

        if (n % 2) {
            ngx_media_cache_unpin(&cache, &held[n].ref);
        }
    }

    ngx_media_cache_detach(&cache);

    exit(0);
}


static void
process_begin(ngx_uint_t slot)
{
    me = &shared->work[slot];
    stress_state = mix(stress_state + (uint64_t) ngx_pid) | 1;
}


/* the parent */


static uint64_t
process_steps(ngx_uint_t slot)
{
    return ngx_media_load(&shared->work[slot].steps);
}


static void
process_stuck(void)
{
    diag("lock: %d", (int) cache.sh->lock);
}


static void
report(work_t *sum)
{
    ngx_uint_t  i;
    work_t     *w;

    memset(sum, 0, sizeof(work_t));

    for (i = 0; i < processes.n; i++) {
        w = &shared->work[i];

        sum->steps += w->steps;
        sum->hits += w->hits;
        sum->made += w->made;
        sum->abandoned += w->abandoned;
        sum->waited += w->waited;
        sum->nomem += w->nomem;
        sum->bytes += w->bytes;
        sum->wrong += w->wrong;

        if (w->wrong) {
            diag("process %u: %lu times wrong, first: %s", (unsigned) i,
                 (unsigned long) w->wrong, w->what);
        }
    }

    diag("steps:%lu hits:%lu made:%lu abandoned:%lu waited:%lu nomem:%lu",
         (unsigned long) sum->steps, (unsigned long) sum->hits,
         (unsigned long) sum->made, (unsigned long) sum->abandoned,
         (unsigned long) sum->waited, (unsigned long) sum->nomem);
    diag("MB checked:%lu evicted:%lu kills:%lu swept:%lu",
         (unsigned long) (sum->bytes >> 20),
         (unsigned long) cache.sh->evicted,
         (unsigned long) processes.kills, (unsigned long) cache.sh->swept);
}


static void
test_books(void)
{
    u_char                  *p, key[NGX_MEDIA_CACHE_KEY];
    ngx_uint_t               i, rows, other;
    ngx_media_cache_ref_t    ref;
    ngx_media_cache_stat_t   stat;

    is(ngx_media_cache_validate(&cache), 0, "the books agree");

    ngx_media_cache_stat(&cache, &stat);
    is(stat.pins, 0, "no pins are left");

    other = 0;
    rows = 0;

    for (i = 0; i < cache.sh->nentries; i++) {
        other += cache.sh->table[i].state != NGX_MEDIA_CACHE_FREE
                 && cache.sh->table[i].state != NGX_MEDIA_CACHE_READY;
    }

    for (i = 0; i < NGX_MEDIA_CACHE_ROWS; i++) {
        rows += cache.sh->rows[i].pid != 0;
    }

    is(other, 0, "nothing is in the making");
    is(rows, 0, "no rows are left");
    is(cache.sh->lock, 0, "the lock is not held");

    p = calloc(1, cache.sh->bytes);
    if (p == NULL) {
        abort();
    }

    blob_key(nkeys, key);

    is(ngx_media_cache_get(&cache, key, &ref), NGX_DECLINED, "one more");
    is(ngx_media_cache_put(&cache, key, p, cache.sh->bytes, &ref), NGX_OK,
       "has all of the room");

    ngx_media_cache_unpin(&cache, &ref);
    free(p);

    is(ngx_media_cache_validate(&cache), 0, "the books agree");
}


int
main(int argc, char **argv)
{
    size_t      size;
    work_t      sum;
    int64_t     end, next;
    uint64_t    pause;
    ngx_uint_t  n;

    end = msec() + 1000 * option(argc, argv, "seconds", 6);
    pause = option(argc, argv, "kill", 10);
    nkeys = option(argc, argv, "keys", 400);
    size = option(argc, argv, "zone", 2500) * KB;
    stress_state = mix(option(argc, argv, "seed", time(NULL)) + 1) | 1;

    setvbuf(stdout, NULL, _IOLBF, 0);

    cache.sh = ngx_media_cache_format(shared_memory(size), size);
    shared = shared_memory(sizeof(shared_t));

    if (cache.sh == NULL) {
        abort();
    }

    for (n = option(argc, argv, "processes", 8); n; n--) {
        processes_add(work);
    }

    next = msec();

    while (msec() < end) {
        nap(1000);
        processes_look();

        if (pause && msec() >= next) {
            next = msec() + rnd() % (2 * pause + 1);
            processes_kill(rnd() % processes.n);
        }
    }

    ngx_media_store(&shared->stop, 1);
    processes_end();
    report(&sum);

    is(processes.crashes, 0, "no process crashed");
    is(processes.stucks, 0, "no process was stuck");
    is(sum.wrong, 0, "no byte and no book was wrong");
    ok(sum.hits && sum.made, "blobs were made and had");

    test_books();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
