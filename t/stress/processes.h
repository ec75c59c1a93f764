
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

#ifndef _PROCESSES_H_INCLUDED_
#define _PROCESSES_H_INCLUDED_


/*
 * Processes that are killed at any moment and started again:
 *
 *     processes_add(run);              calls run() in a process
 *     processes_look();                often: starts again who has gone,
 *                                      kills who stands still
 *     processes_kill(rnd() % processes.n);
 *     processes_end();                 waits until all have ended, as the
 *                                      program told them to
 *
 * The program has process_begin(), process_steps() and process_stuck().
 */


#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "stress.h"
#include "../unit/tap.h"


#define PROCESSES  64
#define STUCK      30000                     /* ms without a step */


typedef struct {
    pid_t        pid;                        /* 0: has gone */
    void       (*run)(void);
    uint64_t     steps;                      /* when looked at last */
    int64_t      since;
} process_t;


typedef struct {
    process_t    process[PROCESSES];
    ngx_uint_t   n;
    int64_t      looked;
    uint64_t     crashes;
    uint64_t     kills;
    uint64_t     stucks;
} processes_t;


static processes_t  processes;


/* in the new process, before its run() */
static void process_begin(ngx_uint_t slot);

/* a number that changes as long as the process goes on */
static uint64_t process_steps(ngx_uint_t slot);

/* says what may be known of why one stands still */
static void process_stuck(void);


static inline void
process_spawn(ngx_uint_t slot)
{
    pid_t       pid, parent;
    process_t  *p;

    p = &processes.process[slot];
    p->since = msec();

    parent = getpid();
    (void) rnd();

    pid = fork();

    if (pid == -1) {
        abort();
    }

    if (pid) {
        p->pid = pid;
        return;
    }

    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

    if (getppid() != parent) {
        _exit(1);
    }

    ngx_pid = getpid();
    process_begin(slot);

    p->run();
    _exit(0);
}


static inline void
processes_add(void (*run)(void))
{
    if (processes.n == PROCESSES) {
        return;
    }

    processes.process[processes.n].run = run;
    process_spawn(processes.n++);
}


static inline void
processes_reap(ngx_uint_t respawn)
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
            diag("process %d ended with status 0x%x", (int) pid, status);
            processes.crashes++;
        }

        for (i = 0; i < processes.n; i++) {

            if (processes.process[i].pid != pid) {
                continue;
            }

            processes.process[i].pid = 0;

            if (respawn) {
                process_spawn(i);
            }
        }
    }
}


static inline void
processes_look(void)
{
    uint64_t    steps;
    process_t  *p;
    ngx_uint_t  i;

    processes_reap(1);

    if (msec() < processes.looked + 500) {
        return;
    }

    processes.looked = msec();

    for (i = 0; i < processes.n; i++) {
        p = &processes.process[i];
        steps = process_steps(i);

        if (p->pid == 0 || steps != p->steps) {
            p->steps = steps;
            p->since = msec();
            continue;
        }

        if (msec() - p->since < STUCK) {
            continue;
        }

        diag("process %d is stuck", (int) p->pid);
        process_stuck();

        (void) kill(p->pid, SIGKILL);
        p->since = msec();
        processes.stucks++;
    }
}


static inline void
processes_kill(ngx_uint_t slot)
{
    if (processes.process[slot].pid) {
        (void) kill(processes.process[slot].pid, SIGKILL);
        processes.kills++;
    }
}


static inline void
processes_end(void)
{
    int64_t     end;
    process_t  *p;
    ngx_uint_t  i, left;

    end = msec() + STUCK;

    do {
        nap(5000);
        processes_reap(0);

        for (left = 0, i = 0; i < processes.n; i++) {
            left += processes.process[i].pid != 0;
        }

    } while (left && msec() < end);

    for (i = 0; i < processes.n; i++) {
        p = &processes.process[i];

        if (p->pid == 0) {
            continue;
        }

        diag("process %d did not end", (int) p->pid);
        process_stuck();

        (void) kill(p->pid, SIGKILL);
        (void) waitpid(p->pid, NULL, 0);
        processes.stucks++;
    }
}


#endif /* _PROCESSES_H_INCLUDED_ */
