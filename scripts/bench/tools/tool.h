
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What all clients of the benches have: an end, a clock, and numbers of three
 * and four bytes.
 */


#ifndef _TOOL_H_INCLUDED_
#define _TOOL_H_INCLUDED_


#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


/* errno says why */

static inline void
die(const char *text)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, text,
            strerror(errno));
    exit(1);
}


static inline uint64_t
now_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static inline void
put_be24(uint8_t *p, uint32_t n)
{
    p[0] = n >> 16;
    p[1] = n >> 8;
    p[2] = n;
}


static inline uint32_t
get_be24(const uint8_t *p)
{
    return (uint32_t) p[0] << 16 | p[1] << 8 | p[2];
}


static inline uint32_t
get_be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | get_be24(p + 1);
}


#endif /* _TOOL_H_INCLUDED_ */
