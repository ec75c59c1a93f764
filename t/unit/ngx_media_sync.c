
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_process.c ngx_stub.c */


/*
 * Processes at one lock.  While all of them live, nobody is told that somebody
 * died; and nobody is ever inside with another one.
 */


/* few, so that who waits looks for the owner as often as can be */
#define NGX_MEDIA_LOCK_SPIN  16

#include <sys/mman.h>
#include <sys/wait.h>
#include "ngx_stub.h"
#include "tap.h"


static void pause_hook(void);

#undef ngx_cpu_pause
#define ngx_cpu_pause()  pause_hook()

#include "memory/ngx_media_sync.h"


#define PROCESSES  2
#define ROUNDS     60000


typedef struct {
    ngx_media_lock_t      lock;
    volatile uint32_t     inside;
    uint64_t              done;              /* NGX_DONE was said */
    uint64_t              both;
    uint64_t              locks;
} shared_t;


static shared_t    *shared;
static ngx_uint_t   pauses;                  /* until its holder unlocks */


static void
pause_hook(void)
{
    if (pauses && --pauses == 0) {
        ngx_media_unlock(&shared->lock);
    }
}


static void
run(ngx_uint_t n)
{
    uint32_t             me;
    ngx_uint_t           i;
    volatile ngx_uint_t  k;

    ngx_pid = getpid();
    me = (uint32_t) ngx_pid;

    for (i = 0; i < n; i++) {

        if (ngx_media_lock(&shared->lock) == NGX_DONE) {
            ngx_media_count(&shared->done, 1);
        }

        if (shared->inside) {
            ngx_media_count(&shared->both, 1);
        }

        shared->inside = me;

        for (k = 0; k < i * 7 % 512; k++) { /* void */ }

        if (shared->inside != me) {
            ngx_media_count(&shared->both, 1);
        }

        shared->inside = 0;
        shared->locks++;

        ngx_media_unlock(&shared->lock);

        for (k = 0; k < i * 13 % 512; k++) { /* void */ }
    }

    _exit(0);
}


static void
test_alive(void)
{
    ngx_uint_t  i;
    pid_t       pids[PROCESSES];

    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            run(ROUNDS);
        }
    }

    for (i = 0; i < PROCESSES; i++) {
        (void) waitpid(pids[i], NULL, 0);
    }

    is(shared->locks, PROCESSES * ROUNDS, "alive: all got in");
    is(shared->both, 0, "alive: one at a time");
    is(shared->done, 0, "alive: nobody is said to have died");
    is(shared->lock, 0, "alive: it is free");
}


/* it becomes free between the last look and that for its owner */

static void
test_moment(void)
{
    ngx_uint_t  i;

    for (i = 1; i <= 2 * NGX_MEDIA_LOCK_SPIN; i++) {
        shared->lock = (uint32_t) getppid();
        pauses = i;

        is(ngx_media_lock(&shared->lock), NGX_OK, "moment: pause %d",
           (int) i);
        is(shared->lock, (uint32_t) ngx_pid, "moment: it is held");

        ngx_media_unlock(&shared->lock);
    }
}


static void
test_dead(void)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        (void) ngx_media_lock(&shared->lock);
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);

    is(ngx_media_lock(&shared->lock), NGX_DONE, "dead: it is told so");
    is(ngx_media_trylock(&shared->lock), NGX_DONE,
       "dead: also of who had my pid");

    ngx_media_unlock(&shared->lock);

    is(ngx_media_lock(&shared->lock), NGX_OK, "dead: once");

    ngx_media_unlock(&shared->lock);
}


int
main(void)
{
    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        abort();
    }

    test_moment();
    test_alive();
    test_dead();

    return done();
}
