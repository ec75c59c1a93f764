
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: core/ngx_media_cache.c core/ngx_media_process.c
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
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include "core/ngx_media_cache_shm.h"
#include "../unit/ngx_stub.h"
#include "../unit/tap.h"


#define KB       1024
#define MAX      32                          /* processes */
#define HELD     6                           /* refs of each */
#define STUCK    5000                        /* ms without a step */


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
    work_t                  work[MAX];
    uint64_t                stop;
} shared_t;


typedef struct {
    ngx_media_cache_ref_t   ref;
    uint64_t                n;
} held_t;


static ngx_media_cache_t    cache;
static shared_t            *shared;
static work_t              *me;
static uint64_t             state;
static uint64_t             nkeys;


static uint64_t
rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    return state >> 11;
}


static int64_t
msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
nap(ngx_uint_t usec)
{
    struct timespec  ts;

    ts.tv_sec = usec / 1000000;
    ts.tv_nsec = usec % 1000000 * 1000;

    (void) nanosleep(&ts, NULL);
}


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

        if (rnd() % 8 == 0) {
            rc = ngx_media_cache_find(&cache, key, &ref);

        } else {
            rc = ngx_media_cache_get(&cache, key, &ref);
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


/* the parent */


static pid_t
spawn(ngx_uint_t slot)
{
    pid_t  pid, parent;

    parent = getpid();
    (void) rnd();

    pid = fork();

    if (pid == -1) {
        abort();
    }

    if (pid) {
        return pid;
    }

    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

    if (getppid() != parent) {
        _exit(1);
    }

    ngx_pid = getpid();
    me = &shared->work[slot];
    state = mix(state + (uint64_t) ngx_pid) | 1;

    work();

    return 0;
}


static void
reap(pid_t *pids, ngx_uint_t n, ngx_uint_t respawn, uint64_t *crashes)
{
    int         status;
    pid_t       pid;
    ngx_uint_t  i;

    for ( ;; ) {
        pid = waitpid(-1, &status, WNOHANG);

        if (pid <= 0) {
            return;
        }

        if ((WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
            || (WIFEXITED(status) && WEXITSTATUS(status)))
        {
            diag("process %d ended with status %d", (int) pid, status);
            (*crashes)++;
        }

        for (i = 0; i < n; i++) {
            if (pids[i] == pid) {
                pids[i] = respawn ? spawn(i) : 0;
            }
        }
    }
}


/* without a step for long */

static ngx_uint_t
stuck(pid_t *pids, ngx_uint_t n)
{
    uint64_t         steps;
    ngx_uint_t       i, count;

    static int64_t   since[MAX];
    static uint64_t  seen[MAX];

    count = 0;

    for (i = 0; i < n; i++) {
        steps = ngx_media_load(&shared->work[i].steps);

        if (pids[i] == 0 || steps != seen[i] || since[i] == 0) {
            seen[i] = steps;
            since[i] = msec();
            continue;
        }

        if (msec() - since[i] > STUCK) {
            diag("process %d is stuck, lock: %d", (int) pids[i],
                 (int) cache.sh->lock);
            (void) kill(pids[i], SIGKILL);
            since[i] = 0;
            count++;
        }
    }

    return count;
}


static uint64_t
option(int argc, char **argv, const char *name, uint64_t value)
{
    int     i;
    size_t  len;

    len = strlen(name);

    for (i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            return strtoull(argv[i] + len + 1, NULL, 10);
        }
    }

    return value;
}


static void
report(ngx_uint_t n, uint64_t kills, work_t *sum)
{
    ngx_uint_t  i;
    work_t     *w;

    memset(sum, 0, sizeof(work_t));

    for (i = 0; i < n; i++) {
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
         (unsigned long) cache.sh->evicted, (unsigned long) kills,
         (unsigned long) cache.sh->swept);
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
    void      *mem;
    pid_t      pids[MAX];
    size_t     size;
    work_t     sum;
    int64_t    end, look, next;
    uint64_t   crashes, i, kills, n, left, pause, stucks;

    end = msec() + 1000 * option(argc, argv, "seconds", 6);
    pause = option(argc, argv, "kill", 10);
    nkeys = option(argc, argv, "keys", 400);
    n = option(argc, argv, "processes", 8);
    n = ngx_min(n, MAX);
    size = option(argc, argv, "zone", 2500) * KB;
    state = mix(option(argc, argv, "seed", time(NULL)) + 1) | 1;

    setvbuf(stdout, NULL, _IOLBF, 0);

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
               0);
    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (mem == MAP_FAILED || shared == MAP_FAILED) {
        abort();
    }

    cache.sh = ngx_media_cache_format(mem, size);

    if (cache.sh == NULL) {
        abort();
    }

    crashes = 0;
    kills = 0;
    stucks = 0;

    for (i = 0; i < n; i++) {
        pids[i] = spawn(i);
    }

    look = msec();
    next = look;

    while (msec() < end) {
        nap(1000);
        reap(pids, n, 1, &crashes);

        if (msec() >= look) {
            look = msec() + 500;
            stucks += stuck(pids, n);
        }

        if (pause && msec() >= next) {
            next = msec() + rnd() % (2 * pause + 1);
            i = rnd() % n;

            if (pids[i]) {
                (void) kill(pids[i], SIGKILL);
                kills++;
            }
        }
    }

    ngx_media_store(&shared->stop, 1);

    look = msec() + STUCK;

    do {
        nap(5000);
        reap(pids, n, 0, &crashes);

        for (left = 0, i = 0; i < n; i++) {
            left += pids[i] != 0;
        }

    } while (left && msec() < look);

    for (i = 0; i < n; i++) {
        if (pids[i]) {
            diag("process %d did not end", (int) pids[i]);
            (void) kill(pids[i], SIGKILL);
            (void) waitpid(pids[i], NULL, 0);
            stucks++;
        }
    }

    report(n, kills, &sum);

    is(crashes, 0, "no process crashed");
    is(stucks, 0, "no process was stuck");
    is(sum.wrong, 0, "no byte and no book was wrong");
    ok(sum.hits && sum.made, "blobs were made and had");

    test_books();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
