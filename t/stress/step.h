
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

#ifndef _STEP_H_INCLUDED_
#define _STEP_H_INCLUDED_


/*
 * A process that is followed instruction by instruction, and others that look
 * at a moment of it as if it had died there:
 *
 *     child = step_child();            forks; it goes on in step_work()
 *     step_look(child, moment, text);  forks one that goes on in step_check();
 *                                      1: something was wrong, and was told
 */


#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "stress.h"
#include "../unit/tap.h"


typedef struct {
    char         doing[64];                  /* by the one that is followed */
    uint64_t     failed;                     /* by the one that looks */
    char         what[256];
} step_t;


static step_t  *step;
static pid_t    dead;                        /* taken to be */


/* what is followed */
static void step_work(void);

/* looks; the child is taken to be dead */
static void step_check(pid_t child);


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


static inline void
doing(const char *what)
{
    strncpy(step->doing, what, sizeof(step->doing) - 1);
}


static inline void
fail(const char *when, const char *what)
{
    if (step->failed++ == 0) {
        (void) snprintf(step->what, sizeof(step->what), "%s: %s", when, what);
    }
}


/* 0: processes cannot be followed here */

static inline pid_t
step_child(void)
{
    int    status;
    pid_t  child;

    step = shared_memory(sizeof(step_t));

    child = fork();

    if (child == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        ngx_pid = getpid();

        if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1) {
            _exit(2);
        }

        (void) raise(SIGSTOP);
        step_work();
        _exit(0);
    }

    if (waitpid(child, &status, 0) == -1 || !WIFSTOPPED(status)) {
        ok(1, "not run: processes cannot be followed here");
        return 0;
    }

    return child;
}


/* a copy of bytes by a string instruction stops at each of them */

static inline void
step_tune(char **argv)
{
    if (getenv("GLIBC_TUNABLES") == NULL) {
        (void) setenv("GLIBC_TUNABLES",
                      "glibc.cpu.x86_rep_movsb_threshold=0x40000000:"
                      "glibc.cpu.x86_rep_stosb_threshold=0x40000000", 1);
        (void) execv("/proc/self/exe", argv);
    }
}


static inline ngx_uint_t
step_look(pid_t child, ngx_uint_t moment, uint64_t address)
{
    int    status;
    pid_t  pid;

    step->failed = 0;
    step->what[0] = '\0';

    pid = fork();

    if (pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) alarm(60);
        step_check(child);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    if (status == 0 && step->failed == 0) {
        return 0;
    }

    diag("moment %lu, %s, at 0x%lx: status 0x%x, %s", (unsigned long) moment,
         step->doing, (unsigned long) address, status, step->what);

    return 1;
}


#endif /* _STEP_H_INCLUDED_ */
