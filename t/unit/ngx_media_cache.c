
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_cache.c memory/ngx_media_process.c ngx_stub.c */


#include <sys/mman.h>
#include <sys/wait.h>
#include "memory/ngx_media_cache_shm.h"
#include "ngx_stub.h"
#include "tap.h"


#define KB  1024


static ngx_media_cache_t  cache;
static void              *mem;
static size_t             mem_size;


static void
start(size_t size)
{
    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
               0);
    if (mem == MAP_FAILED) {
        abort();
    }

    mem_size = size;

    ngx_memzero(&cache, sizeof(cache));
    cache.sh = ngx_media_cache_format(mem, size);
}


static const u_char *
key(ngx_uint_t n)
{
    static u_char  buf[NGX_MEDIA_CACHE_KEY];

    ngx_memzero(buf, sizeof(buf));
    (void) sprintf((char *) buf, "key %u", (unsigned) n);

    return buf;
}


/* a process of its own, that is killed in the end */

static void
other(void (*run)(ngx_uint_t arg), ngx_uint_t arg)
{
    pid_t  pid;

    pid = fork();

    if (pid == -1) {
        abort();
    }

    if (pid == 0) {
        ngx_pid = getpid();
        run(arg);
        (void) kill(ngx_pid, SIGKILL);
    }

    (void) waitpid(pid, NULL, 0);
}


static ngx_int_t
get(ngx_uint_t n, ngx_media_cache_ref_t *ref)
{
    return ngx_media_cache_get(&cache, key(n), ref);
}


static ngx_int_t
find(ngx_uint_t n)
{
    ngx_int_t              rc;
    ngx_media_cache_ref_t  ref;

    rc = ngx_media_cache_get(&cache, key(n), &ref);

    if (rc == NGX_DECLINED) {
        ngx_media_cache_abandon(&cache, key(n));
        return NGX_DONE;
    }

    ngx_media_cache_unpin(&cache, &ref);

    return rc;
}


static ngx_int_t
put(ngx_uint_t n, size_t size, ngx_media_cache_ref_t *ref)
{
    u_char     *p;
    ngx_int_t   rc;

    p = malloc(size ? size : 1);
    memset(p, (int) n, size);

    rc = ngx_media_cache_put(&cache, key(n), p, size, ref);

    free(p);

    return rc;
}


/* made and let go */

static ngx_int_t
make(ngx_uint_t n, size_t size)
{
    ngx_int_t              rc;
    ngx_media_cache_ref_t  ref;

    rc = get(n, &ref);

    if (rc == NGX_DECLINED) {
        rc = put(n, size, &ref);
    }

    ngx_media_cache_unpin(&cache, &ref);

    return rc;
}


static ngx_media_cache_stat_t
stat_now(void)
{
    ngx_media_cache_stat_t  stat;

    ngx_media_cache_stat(&cache, &stat);

    return stat;
}


static void
finish(const char *name)
{
    is(ngx_media_cache_validate(&cache), 0, "%s: the books agree", name);
    is(stat_now().pins, 0, "%s: no pins are left", name);

    ngx_media_cache_detach(&cache);

    is(ngx_media_cache_validate(&cache), 0, "%s: and after detach", name);

    (void) munmap(mem, mem_size);
}


static void
test_basic(void)
{
    ngx_media_cache_ref_t   a, b, c;
    ngx_media_cache_stat_t  stat;

    start(512 * KB);

    is(find(1), NGX_DONE, "nothing is found");
    is(get(1, &a), NGX_DECLINED, "the first one makes it");
    ok(a.data == NULL, "and has nothing");
    is(get(1, &b), NGX_AGAIN, "the second one waits");
    is(find(1), NGX_AGAIN, "so does who only looks");
    ngx_media_cache_abandon(&cache, key(1));
    is(find(1), NGX_DONE, "abandoned");
    is(get(1, &a), NGX_DECLINED, "somebody else makes it");
    is(put(1, 1000, &a), NGX_OK, "put");
    ok(a.data && a.size == 1000 && ((uintptr_t) a.data & 15) == 0,
       "it is there and aligned");
    ok(((u_char *) a.data)[0] == 1 && ((u_char *) a.data)[999] == 1,
       "its bytes");
    is(get(1, &b), NGX_OK, "found");
    ok(b.data == a.data && b.size == 1000, "it is the same");
    c = b;
    is(put(1, 7, &b), NGX_OK, "what is there is not put again");
    ok(b.data == a.data && b.size == 1000, "but had");

    stat = stat_now();

    is(stat.hits, 1, "hits");
    is(stat.misses, 4, "misses");
    is(stat.entries, 1, "entries");
    is(stat.used, 1024, "used");
    is(stat.pins, 3, "pins");
    is(stat.size, 512 * KB, "size");

    ngx_media_cache_unpin(&cache, &a);
    ok(a.data == NULL, "unpinned is nothing");
    ngx_media_cache_unpin(&cache, &a);
    is(stat_now().pins, 2, "nothing may be unpinned");
    ngx_media_cache_unpin(&cache, &b);
    ngx_media_cache_unpin(&cache, &c);

    ngx_media_cache_abandon(&cache, key(1));
    is(find(1), NGX_OK, "what is ready is not abandoned");

    is(get(2, &a), NGX_DECLINED, "an empty one");
    is(put(2, 0, &a), NGX_OK, "is put");
    ok(a.data && a.size == 0, "and is there");
    ngx_media_cache_unpin(&cache, &a);

    is(put(3, 100, &a), NGX_OK, "put without get");
    ngx_media_cache_unpin(&cache, &a);

    finish("basic");
}


static void
test_room(void)
{
    size_t                 bytes;
    ngx_uint_t             i, n;
    ngx_media_cache_ref_t  a, b;

    start(1024 * KB);

    bytes = cache.sh->bytes;
    n = bytes / (32 * KB);

    is(make(0, bytes), NGX_OK, "one may be as large as all");
    is(stat_now().used, bytes, "all is used");
    is(get(1, &a), NGX_DECLINED, "one byte more");
    is(put(1, bytes + 1, &a), NGX_DECLINED, "is too large");
    is(ngx_media_cache_put(&cache, key(1), "", (size_t) -1, &a), NGX_DECLINED,
       "the largest size too");
    ok(a.data == NULL, "then there is nothing");
    is(find(1), NGX_DONE, "then it is abandoned");
    is(find(0), NGX_OK, "and nothing was dropped for it");
    is(stat_now().nomem, 2, "counted");

    for (i = 1; i <= n; i++) {
        is(make(i, 32 * KB), NGX_OK, "put %u of %u", (unsigned) i,
           (unsigned) n);
    }

    is(find(0), NGX_DONE, "the large one was dropped");
    is(find(1), NGX_OK, "the oldest is used");
    is(stat_now().evicted, 1, "no other was dropped");

    is(make(100, 32 * KB), NGX_OK, "one more");
    is(find(1), NGX_OK, "what was used is there");
    is(find(2), NGX_DONE, "the least recently used is not");
    is(find(3), NGX_OK, "only that one was dropped");

    /* used last: 3, 1, 100, n .. 4: 4 is next, 5 its neighbor */

    is(get(4, &a), NGX_OK, "pinned");
    is(find(3), NGX_OK, "and older by now");

    for (i = 5; i <= n; i++) {
        (void) find(i);
    }

    (void) find(1);
    (void) find(100);
    (void) find(3);

    is(make(101, 32 * KB), NGX_OK, "one more");
    is(find(4), NGX_OK, "what is pinned is not dropped");
    is(find(5), NGX_DONE, "but the next");
    ok(((u_char *) a.data)[0] == 4 && ((u_char *) a.data)[32 * KB - 1] == 4,
       "the bytes of what is pinned");

    /* it stands in the way */

    is(get(200, &b), NGX_DECLINED, "all with something pinned");
    is(put(200, bytes, &b), NGX_DECLINED, "has no room");
    is(stat_now().entries, n, "and nothing was dropped for it");

    ngx_media_cache_unpin(&cache, &a);

    is(make(200, bytes), NGX_OK, "unpinned it gives way");
    is(stat_now().entries, 1, "as do all");

    finish("room");
}


/* a run of neighbors, and no more of them than it takes */

static void
test_run(void)
{
    size_t                 bytes, left;
    ngx_uint_t             i, n;
    ngx_media_cache_ref_t  refs[64];

    start(2048 * KB);

    bytes = cache.sh->bytes;
    n = 12;

    for (i = 0; i < n; i++) {
        is(make(i, 64 * KB), NGX_OK, "put %u", (unsigned) i);
    }

    left = bytes - n * 64 * KB;

    is(get(99, &refs[0]), NGX_DECLINED, "the rest");
    is(put(99, left, &refs[0]), NGX_OK, "is taken and pinned");

    /* age: 8 2 5 7 6, and then others */

    is(get(8, &refs[8]), NGX_OK, "one is pinned");

    for (i = 0; i < n; i++) {
        if (i != 2 && i != 5 && i != 6 && i != 7 && i != 8) {
            (void) find(i);
        }
    }

    is(make(50, 100 * KB), NGX_OK, "two in a row are needed");
    is(find(8), NGX_OK, "what is pinned stays");
    is(find(2), NGX_OK, "who is old without neighbors stays");
    is(find(7), NGX_OK, "who is newer stays");
    is(find(5), NGX_DONE, "the first of the run");
    is(find(6), NGX_DONE, "the second");
    is(find(50), NGX_OK, "is there");
    is(make(51, 28 * KB), NGX_OK, "what is left over");
    is(stat_now().evicted, 2, "takes no other");

    ngx_media_cache_unpin(&cache, &refs[0]);
    ngx_media_cache_unpin(&cache, &refs[8]);

    finish("run");
}


static void
test_entries(void)
{
    ngx_uint_t              i, n, bad;
    ngx_media_cache_ref_t  *refs, ref;

    start(512 * KB);

    n = cache.sh->nentries;
    refs = calloc(n, sizeof(ngx_media_cache_ref_t));
    bad = 0;

    for (i = 0; i < 3 * n; i++) {
        bad += make(i, 10) != NGX_OK;
    }

    is(bad, 0, "more than there are entries");
    is(stat_now().entries, n, "all are in use");
    is(stat_now().evicted, 2 * n, "old ones are dropped for new ones");

    for (i = 0; i < n; i++) {
        bad += get(2 * n + i, &refs[i]) != NGX_OK;
    }

    is(bad, 0, "all are pinned");
    is(get(1, &ref), NGX_DECLINED, "one more is made");
    is(get(1, &ref), NGX_DECLINED, "without that others wait");
    is(put(1, 10, &ref), NGX_DECLINED, "and has no room");
    ngx_media_cache_abandon(&cache, key(1));

    ngx_media_cache_unpin(&cache, &refs[7]);
    is(put(1, 10, &ref), NGX_OK, "until there is");

    ngx_media_cache_unpin(&cache, &ref);

    for (i = 0; i < n; i++) {
        ngx_media_cache_unpin(&cache, &refs[i]);
    }

    free(refs);
    finish("entries");
}


static void
run_get(ngx_uint_t n)
{
    ngx_media_cache_ref_t  ref;

    (void) get(n, &ref);
}


/* dies with room reserved, as if it filled */

static void
run_fill(ngx_uint_t n)
{
    uint32_t               i;
    ngx_media_cache_ref_t  ref;

    (void) put(n, 100 * KB, &ref);

    i = ref.entry;

    cache.row[i]--;
    cache.sh->table[i].pins--;
    cache.sh->table[cache.sh->table[i].older].newer =
                                                 cache.sh->table[i].newer;
    cache.sh->table[cache.sh->table[i].newer].older =
                                                 cache.sh->table[i].older;
    cache.sh->table[i].state = NGX_MEDIA_CACHE_FILLING;
}


/* dies inside, with all that is made in disorder */

static void
run_break(ngx_uint_t n)
{
    uint32_t               i;
    ngx_media_cache_ref_t  ref;

    (void) get(n, &ref);
    (void) ngx_media_lock(&cache.sh->lock);

    for (i = 0; i <= cache.sh->nentries; i++) {
        cache.sh->table[i].prev = 77777;
        cache.sh->table[i].next = 77777;
        cache.sh->table[i].older = 77777;
        cache.sh->table[i].newer = 77777;
        cache.sh->table[i].chain = 77777;
        cache.sh->table[i].pins = 77777;
    }

    for (i = 0; i < cache.sh->nbuckets; i++) {
        cache.sh->buckets[i] = 77777;
    }

    cache.sh->free = 77777;
    cache.sh->used = 1;
    cache.sh->entries = 1;
}


static void
run_sweep(ngx_uint_t n)
{
    ngx_media_cache_sweep(&cache);
}


static void
test_dead(void)
{
    size_t                 used;
    ngx_uint_t             i;
    ngx_media_cache_ref_t  ref;

    start(1024 * KB);

    for (i = 0; i < 8; i++) {
        (void) make(i, 20 * KB + i * 100);
    }

    used = stat_now().used;

    other(run_get, 100);
    is(get(100, &ref), NGX_DECLINED, "what a dead process made is taken over");
    ngx_media_cache_abandon(&cache, key(100));

    other(run_get, 101);
    is(find(101), NGX_DONE, "or is not there");

    other(run_fill, 102);
    ok(cache.sh->used > used, "a process dies while it fills");
    is(find(102), NGX_DONE, "that is not there");
    is(cache.sh->used, used, "nor is its room taken");

    other(run_fill, 103);
    ok(cache.sh->used > used, "another one");
    is(put(103, 10, &ref), NGX_OK, "what it filled is put by another");
    ngx_media_cache_unpin(&cache, &ref);

    other(run_get, 3);
    is(cache.sh->table[3].pins, 1, "a process dies with a pin");
    is(make(200, cache.sh->bytes), NGX_OK, "it stands in nobody's way");
    is(stat_now().pins, 0, "and is not counted");

    /* a reader that is alive */

    for (i = 0; i < 8; i++) {
        is(make(i, 20 * KB + i * 100), NGX_OK, "put %u", (unsigned) i);
    }

    is(get(3, &ref), NGX_OK, "pinned");
    other(run_sweep, 0);
    is(cache.sh->table[ref.entry].pins, 1, "others do not sweep the living");

    other(run_break, 5);
    is(find(7), NGX_OK, "a process dies inside: repaired");
    is(ngx_media_cache_validate(&cache), 0, "the books agree");
    is(stat_now().entries, 8, "all are there");

    for (i = 0; i < 8; i++) {
        is(find(i), NGX_OK, "%u too", (unsigned) i);
    }

    is(stat_now().pins, 1, "as is the pin");
    ngx_media_cache_unpin(&cache, &ref);

    other(run_break, 5);
    is(put(9, 1000, &ref), NGX_OK, "and once more");
    ngx_media_cache_unpin(&cache, &ref);

    /* my pid was another process's, as is told by the time */

    cache.pid = 0;
    is(get(300, &ref), NGX_DECLINED, "a former process makes");
    is(get(9, &ref), NGX_OK, "and pins");

    for (i = 0; i < NGX_MEDIA_CACHE_ROWS; i++) {
        if (cache.sh->rows[i].pid == (uint32_t) ngx_pid) {
            cache.sh->rows[i].start--;
        }
    }

    for (i = 0; i < cache.sh->nentries; i++) {
        cache.sh->table[i].start--;
    }

    cache.pid = 0;
    is(get(300, &ref), NGX_DECLINED, "a later one of its pid makes it");
    ngx_media_cache_abandon(&cache, key(300));
    is(stat_now().pins, 0, "and has not its pins");

    finish("dead");
}


static void
test_rows(void)
{
    ngx_uint_t             i;
    ngx_media_cache_ref_t  ref;

    start(1024 * KB);

    (void) make(1, 100);

    ngx_media_cache_detach(&cache);

    for (i = 0; i < NGX_MEDIA_CACHE_ROWS; i++) {
        cache.sh->rows[i].pid = (uint32_t) getppid();
        cache.sh->rows[i].start = 0;
    }

    is(find(1), NGX_DONE, "without a row nothing is found");
    is(get(1, &ref), NGX_DECLINED, "but made");
    is(put(1, 100, &ref), NGX_DECLINED, "and not put");
    ok(ref.data == NULL, "nothing");
    ngx_media_cache_abandon(&cache, key(1));

    cache.sh->rows[77].pid = 0;

    is(get(1, &ref), NGX_OK, "with a row it is");
    ngx_media_cache_detach(&cache);
    is(stat_now().pins, 0, "pins go with the row");
    ngx_media_cache_unpin(&cache, &ref);
    is(find(1), NGX_OK, "unpinning later is nothing");
    is(cache.nrow, 77, "with this one");

    cache.sh->rows[76].start = 1;

    for (i = 0; i < NGX_MEDIA_CACHE_ROWS; i++) {
        ngx_media_cache_sweep(&cache);
    }

    is(cache.sh->rows[76].pid, 0, "a pid that is another process's by now");
    ok(cache.sh->rows[75].pid, "a start that is not known says nothing");

    finish("rows");
}


static void
test_small(void)
{
    size_t                 size;
    ngx_uint_t             n;
    ngx_media_cache_shm_t  *sh;

    n = 0;

    for (size = 0; size < 128 * KB; size += 64) {
        mem = calloc(1, size ? size : 1);
        sh = ngx_media_cache_format(mem, size);
        n += sh != NULL;

        if (sh && (sh->bytes == 0
                   || sh->data + sh->bytes > (u_char *) mem + size))
        {
            ok(0, "size %u", (unsigned) size);
        }

        free(mem);
    }

    ok(n > 1000 && n < 1900, "a zone may be too small");
}


/* against a model, with random sizes */

static void
test_random(void)
{
    size_t                 size;
    uint32_t               seed;
    ngx_int_t              rc;
    ngx_uint_t             i, k, n, bad, hits, none;
    ngx_media_cache_ref_t  refs[16], ref;

    start(3000 * KB);

    ngx_memzero(refs, sizeof(refs));

    seed = 1;
    bad = 0;
    hits = 0;
    none = 0;

    for (i = 0; i < 20000; i++) {
        seed = seed * 1103515245 + 12345;
        k = seed >> 8 & 15;
        n = (seed >> 12) % 300;
        size = n % 7 ? n * 97 : n * 1500;

        ngx_media_cache_unpin(&cache, &refs[k]);

        rc = get(n, &ref);

        if (rc == NGX_DECLINED) {
            rc = put(n, size, &ref);
            none += rc == NGX_DECLINED;

        } else {
            hits++;
        }

        if (rc == NGX_OK) {
            bad += ref.size != size;
            bad += size && ((u_char *) ref.data)[0] != (u_char) n;
            bad += size && ((u_char *) ref.data)[size - 1] != (u_char) n;
            refs[k] = ref;
        }

        if (i % 100 == 0) {
            bad += ngx_media_cache_validate(&cache);
        }
    }

    for (k = 0; k < 16; k++) {
        ngx_media_cache_unpin(&cache, &refs[k]);
    }

    is(bad, 0, "random: all as put");
    ok(hits > 1000 && none < 2000, "random: hits:%u evicted:%u no room:%u",
       (unsigned) hits, (unsigned) stat_now().evicted, (unsigned) none);

    finish("random");
}


int
main(void)
{
    test_basic();
    test_room();
    test_run();
    test_entries();
    test_dead();
    test_rows();
    test_small();
    test_random();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
