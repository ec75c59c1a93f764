
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

#ifndef _MEDIA_STEP_H_INCLUDED_
#define _MEDIA_STEP_H_INCLUDED_


/*
 * A process that is followed instruction by instruction as it changes a table
 * that is shared.  After each that did so another one looks, which takes it
 * that the first died right there; what it does to the table is undone then.
 *
 *     n = step_each(mem, size, lock, work, look);
 *
 * lock: in the table, NULL: there is none; n moments, 0: not possible here.
 */


#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "memory/ngx_media_sync.h"
#include "tap.h"


#define STEP_DEAD  0x7ffffffe                /* the pid of nobody */


static inline void *
step_memory(size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
               0);

    if (mem == MAP_FAILED) {
        abort();
    }

    return mem;
}


static inline pid_t
step_child(void (*work)(void))
{
    int    status;
    pid_t  child;

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

    if (waitpid(child, &status, 0) == -1 || !WIFSTOPPED(status)) {
        ok(1, "not run: processes cannot be followed here");
        return 0;
    }

    return child;
}


/* size: of what changes, the rest stays as it is */

static inline ngx_uint_t
step_each(void *mem, size_t size, ngx_media_lock_t *lock, void (*work)(void),
    void (*look)(void))
{
    int         status;
    u_char     *image;
    pid_t       child;
    ngx_uint_t  moments;

    child = step_child(work);

    if (child == 0) {
        return 0;
    }

    image = malloc(size);
    memcpy(image, mem, size);
    moments = 0;

    while (ptrace(PTRACE_SINGLESTEP, child, 0, 0) == 0
           && waitpid(child, &status, 0) == child && WIFSTOPPED(status)
           && WSTOPSIG(status) == SIGTRAP)
    {
        if (memcmp(image, mem, size) == 0) {
            continue;
        }

        memcpy(image, mem, size);
        moments++;

        if (lock && *lock) {
            *lock = STEP_DEAD;
        }

        look();

        memcpy(mem, image, size);
    }

    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it came to its end");

    free(image);

    return moments;
}


#endif /* _MEDIA_STEP_H_INCLUDED_ */
