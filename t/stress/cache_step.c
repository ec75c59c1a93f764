
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_cache.c memory/ngx_media_process.c
         ../unit/ngx_stub.c */


/*
 * A process that works on a cache is followed instruction by instruction.
 * After each that changed the tables, a copy of all is given to a process
 * which takes it that the other one died right there: what is pinned by who
 * lives must be whole and found, as all that is found; the books must agree,
 * nothing of the dead may be left, and in the end all of the room be had.
 *
 *     cache_step [every=N] [only=N]
 *
 * every: look at each n-th such moment; 0: as many as take half of the time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_cache_shm.h"
#include "../unit/ngx_stub.h"
#include "step.h"


#define KB     1024
#define KEYS   300
#define PINNED 200                           /* by the parent, who lives */


static ngx_media_cache_t      cache;
static ngx_media_cache_ref_t  pinned;
static u_char                *image;         /* the tables when last seen */
static u_char                *mem;
static size_t                 mem_size = 320 * KB;


static const u_char *
key(ngx_uint_t n)
{
    static u_char  buf[NGX_MEDIA_CACHE_KEY];

    memset(buf, 0, sizeof(buf));
    memcpy(buf, &n, sizeof(ngx_uint_t));

    return buf;
}


static ngx_int_t
put(ngx_uint_t n, size_t size, ngx_media_cache_ref_t *ref)
{
    static u_char  buf[320 * KB];

    memset(buf, (int) (n % 251), size);

    return ngx_media_cache_put(&cache, key(n), buf, size, ref);
}


static void
make(const char *what, ngx_uint_t n, size_t size)
{
    ngx_media_cache_ref_t  ref;

    doing(what);

    if (ngx_media_cache_get(&cache, key(n), &ref) == NGX_DECLINED) {
        (void) put(n, size, &ref);
    }

    ngx_media_cache_unpin(&cache, &ref);
}


/* the process that is followed */

static void
step_work(void)
{
    ngx_uint_t             i;
    ngx_media_cache_ref_t  a, b;

    make("the first", 1, 100);
    make("another", 2, 5 * KB);
    make("one that is there", 1, 100);

    (void) ngx_media_cache_get(&cache, key(3), &a);
    (void) ngx_media_cache_get(&cache, key(3), &b);
    ngx_media_cache_abandon(&cache, key(3));

    (void) ngx_media_cache_get(&cache, key(1), &a);
    (void) ngx_media_cache_get(&cache, key(1), &b);

    for (i = 4; i < 12; i++) {
        make("until others are dropped", i, i * 5 * KB);
    }

    make("a large one", 12, 90 * KB);
    make("in the gaps", 13, 300);
    make("one that is too large", 14, cache.sh->bytes - 64);

    ngx_media_cache_unpin(&cache, &a);

    for (i = 100; i < 170; i++) {
        make("until there are no entries", i, 64);
    }

    (void) ngx_media_cache_get(&cache, key(169), &a);
    (void) ngx_media_cache_get(&cache, key(170), &b);

    doing("detach");

    ngx_media_cache_detach(&cache);
}


/* the one that looks */


static void
copy(void)
{
    u_char  *p;

    p = malloc(mem_size);
    if (p == NULL) {
        abort();
    }

    memcpy(p, mem, mem_size);

    if (mmap(mem, mem_size, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0)
        == MAP_FAILED)
    {
        abort();
    }

    memcpy(mem, p, mem_size);
    free(p);
}


static void
check(const char *when, ngx_uint_t n, const ngx_media_cache_ref_t *ref)
{
    size_t         i;
    const u_char  *p;

    p = ref->data;

    for (i = 0; i < ref->size; i++) {
        if (p[i] != n % 251) {
            fail(when, "a byte");
            return;
        }
    }
}


static void
validate(const char *when)
{
    uint32_t                i;
    ngx_media_cache_stat_t  stat;

    ngx_media_cache_stat(&cache, &stat);

    if (stat.pins != 1) {
        fail(when, "pins");
    }

    if (ngx_media_cache_validate(&cache)) {
        fail(when, "books");
    }

    for (i = 0; i < cache.sh->nentries; i++) {
        if (cache.sh->table[i].state == NGX_MEDIA_CACHE_MAKING
            || cache.sh->table[i].state == NGX_MEDIA_CACHE_FILLING)
        {
            fail(when, "in the making");
        }
    }
}


static void
step_check(pid_t child)
{
    ngx_uint_t              i;
    ngx_media_cache_ref_t   ref;
    ngx_media_cache_stat_t  stat;

    copy();

    /* the parent's pin is in the parent's row, and stays there */

    ngx_pid = getpid();
    dead = child;

    ngx_memzero(&ref, sizeof(ngx_media_cache_ref_t));

    if (ngx_media_cache_get(&cache, key(PINNED), &ref) != NGX_OK
        || ref.data != pinned.data || ref.size != pinned.size)
    {
        fail("at once", "what is pinned");
    }

    check("at once", PINNED, &pinned);
    ngx_media_cache_unpin(&cache, &ref);
    validate("at once");

    for (i = 0; i < KEYS; i++) {
        switch (ngx_media_cache_get(&cache, key(i), &ref)) {

        case NGX_AGAIN:
            fail("at once", "is being made");
            break;

        case NGX_DECLINED:
            ngx_media_cache_abandon(&cache, key(i));
            break;

        default:
            check("at once", i, &ref);
            ngx_media_cache_unpin(&cache, &ref);
        }
    }

    for (i = 50; i < 60; i++) {
        if (ngx_media_cache_get(&cache, key(i), &ref) != NGX_DECLINED
            || put(i, i * 400, &ref) != NGX_OK)
        {
            fail("going on", "put");
        }

        check("going on", i, &ref);
        ngx_media_cache_unpin(&cache, &ref);
    }

    check("going on", PINNED, &pinned);
    validate("going on");

    /* as if the parent let go */

    dead = getppid();
    ngx_media_cache_sweep(&cache);

    if (put(60, cache.sh->bytes, &ref) != NGX_OK) {
        fail("in the end", "room");
    }

    ngx_media_cache_unpin(&cache, &ref);
    ngx_media_cache_stat(&cache, &stat);

    if (stat.pins || stat.entries != 1 || ngx_media_cache_validate(&cache)) {
        fail("in the end", "books");
    }

    if (ngx_stub_logged[NGX_LOG_ALERT]) {
        fail("log", "alerts");
    }
}


/* the parent */


/* rows of two processes are in use */

static ngx_uint_t
changed(void)
{
    size_t  len;

    len = (u_char *) cache.sh->pins - mem
          + 2 * cache.sh->nentries * sizeof(uint32_t);

    if (memcmp(image, mem, len) == 0) {
        return 0;
    }

    memcpy(image, mem, len);

    return 1;
}


int
main(int argc, char **argv)
{
    int         status;
    pid_t       child;
    int64_t     began, spent, t;
    uint64_t    every, only, steps;
    ngx_uint_t  due, failed, looks, moments;

    step_tune(argv);

    every = option(argc, argv, "every", 0);
    only = option(argc, argv, "only", 0);

    setvbuf(stdout, NULL, _IOLBF, 0);

    mem = shared_memory(mem_size);
    image = calloc(1, mem_size);

    if (image == NULL) {
        abort();
    }

    cache.sh = ngx_media_cache_format(mem, mem_size);

    if (cache.sh == NULL || put(PINNED, 30 * KB, &pinned) != NGX_OK) {
        abort();
    }

    child = step_child();

    if (child == 0) {
        return done();
    }

    steps = 0;
    moments = 0;
    looks = 0;
    failed = 0;
    spent = 0;
    began = msec();

    (void) changed();

    for ( ;; ) {

        if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) == -1
            || waitpid(child, &status, 0) == -1
            || !WIFSTOPPED(status))
        {
            break;
        }

        if (WSTOPSIG(status) != SIGTRAP) {
            diag("the process got signal %d", WSTOPSIG(status));
            failed++;
            break;
        }

        steps++;

        if (!changed()) {
            continue;
        }

        moments++;

        if (only && moments != only) {
            continue;
        }

        t = msec();
        due = every ? moments % every == 0 || only : spent * 2 <= t - began;

        if (due) {
            failed += step_look(child, moments, 0);
            looks++;
            spent += msec() - t;
        }

        if (failed > 20) {
            break;
        }
    }

    diag("%lu instructions, %lu moments, %lu looked at, %lu ms",
         (unsigned long) steps, (unsigned long) moments,
         (unsigned long) looks, (unsigned long) (msec() - began));

    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "the process came to its end");
    is(failed, 0, "wherever it dies, nothing is wrong and nothing is left");

    return done();
}
