
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: core/ngx_media_cache.c core/ngx_media_process.c
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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include "core/ngx_media_cache_shm.h"
#include "../unit/ngx_stub.h"
#include "../unit/tap.h"


#define KB     1024
#define KEYS   300
#define PINNED 200                           /* by the parent, who lives */


typedef struct {
    char                    doing[64];
    uint64_t                failed;
    char                    what[128];
} shared_t;


static ngx_media_cache_t      cache;
static ngx_media_cache_ref_t  pinned;
static shared_t              *shared;
static u_char                *image;         /* the tables when last seen */
static u_char                *mem;
static size_t                 mem_size = 320 * KB;
static pid_t                  dead;          /* taken to be */


/* the core asks by this whether a process lives */

int
kill(pid_t pid, int sig)
{
    if (pid == dead) {
        errno = ESRCH;
        return -1;
    }

    return syscall(SYS_kill, pid, sig);
}


static int64_t
msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


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

    strncpy(shared->doing, what, sizeof(shared->doing) - 1);

    if (ngx_media_cache_get(&cache, key(n), &ref) == NGX_DECLINED) {
        (void) put(n, size, &ref);
    }

    ngx_media_cache_unpin(&cache, &ref);
}


/* the process that is followed */

static void
work(void)
{
    ngx_uint_t             i;
    ngx_media_cache_ref_t  a, b;

    make("the first", 1, 100);
    make("another", 2, 5 * KB);
    make("one that is there", 1, 100);

    (void) ngx_media_cache_get(&cache, key(3), &a);
    (void) ngx_media_cache_get(&cache, key(3), &b);
    ngx_media_cache_abandon(&cache, key(3));
    (void) ngx_media_cache_find(&cache, key(3), &a);

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

    (void) ngx_media_cache_find(&cache, key(169), &a);
    (void) ngx_media_cache_get(&cache, key(170), &b);

    strncpy(shared->doing, "detach", sizeof(shared->doing) - 1);

    ngx_media_cache_detach(&cache);
}


/* the one that looks */


static void
fail(const char *when, const char *what)
{
    if (shared->failed++ == 0) {
        (void) snprintf(shared->what, sizeof(shared->what), "%s: %s", when,
                        what);
    }
}


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
look(pid_t child)
{
    ngx_uint_t              i;
    ngx_media_cache_ref_t   ref;
    ngx_media_cache_stat_t  stat;

    copy();

    /* the parent's pin is in the parent's row, and stays there */

    ngx_pid = getpid();
    dead = child;

    ngx_memzero(&ref, sizeof(ngx_media_cache_ref_t));

    if (ngx_media_cache_find(&cache, key(PINNED), &ref) != NGX_OK
        || ref.data != pinned.data || ref.size != pinned.size)
    {
        fail("at once", "what is pinned");
    }

    check("at once", PINNED, &pinned);
    ngx_media_cache_unpin(&cache, &ref);
    validate("at once");

    for (i = 0; i < KEYS; i++) {
        if (ngx_media_cache_find(&cache, key(i), &ref) == NGX_AGAIN) {
            fail("at once", "is being made");
        }

        check("at once", i, &ref);
        ngx_media_cache_unpin(&cache, &ref);
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


static ngx_uint_t
look_at(pid_t child, ngx_uint_t moment)
{
    int    status;
    pid_t  pid;

    shared->failed = 0;
    shared->what[0] = '\0';

    pid = fork();

    if (pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) alarm(20);
        look(child);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    if (status == 0 && shared->failed == 0) {
        return 0;
    }

    diag("moment %lu, %s: status %d, %s", (unsigned long) moment,
         shared->doing, status, shared->what);

    return 1;
}


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


int
main(int argc, char **argv)
{
    int         status;
    pid_t       child;
    int64_t     began, spent, t;
    uint64_t    every, only, steps;
    ngx_uint_t  due, failed, looks, moments;

    /* a copy of bytes by a string instruction stops at each of them */

    if (getenv("GLIBC_TUNABLES") == NULL) {
        (void) setenv("GLIBC_TUNABLES",
                      "glibc.cpu.x86_rep_movsb_threshold=0x40000000:"
                      "glibc.cpu.x86_rep_stosb_threshold=0x40000000", 1);
        (void) execv("/proc/self/exe", argv);
    }

    every = option(argc, argv, "every", 0);
    only = option(argc, argv, "only", 0);

    setvbuf(stdout, NULL, _IOLBF, 0);

    mem = mmap(NULL, mem_size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
               -1, 0);
    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    image = calloc(1, mem_size);

    if (mem == MAP_FAILED || shared == MAP_FAILED || image == NULL) {
        abort();
    }

    cache.sh = ngx_media_cache_format(mem, mem_size);

    if (cache.sh == NULL || put(PINNED, 30 * KB, &pinned) != NGX_OK) {
        abort();
    }

    child = fork();

    if (child == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        ngx_pid = getpid();

        if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1) {
            _exit(2);
        }

        (void) raise(SIGSTOP);
        work();
        _exit(0);
    }

    (void) waitpid(child, &status, 0);

    if (!WIFSTOPPED(status)) {
        ok(1, "not run: processes cannot be followed here");
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
            failed += look_at(child, moments);
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
