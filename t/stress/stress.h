
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

#ifndef _STRESS_H_INCLUDED_
#define _STRESS_H_INCLUDED_


/* what the programs of t/stress have in common */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>


/* of rnd(), never 0; a process of its own begins with another one */
static uint64_t  stress_state;


static inline uint64_t
rnd(void)
{
    stress_state ^= stress_state << 13;
    stress_state ^= stress_state >> 7;
    stress_state ^= stress_state << 17;

    return stress_state >> 11;
}


static inline int64_t
msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static inline void
nap(ngx_uint_t usec)
{
    struct timespec  ts;

    ts.tv_sec = usec / 1000000;
    ts.tv_nsec = usec % 1000000 * 1000;

    (void) nanosleep(&ts, NULL);
}


/* NAME=VALUE of the command line, or what is given */

static inline uint64_t
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


/* zeroed, seen by all processes that are forked later */

static inline void *
shared_memory(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        abort();
    }

    return p;
}


#endif /* _STRESS_H_INCLUDED_ */
