
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the table of viewers' sessions costs, in CPU time of this process:
 *
 *     session MB SECONDS
 *
 * of a table of MB that is 70 per cent full: found and touched (hit), the same
 * one each time (same), looked for and not there (miss), made and closed
 * (make), asked for by a ban that there is (banned), and swept, all of the
 * table; each for SECONDS.  Says "name value": nanoseconds, sweep: milliseconds
 * for all, slots: how many there are.
 */

/* link: access/ngx_media_session.c access/ngx_media_session_end.c
         access/ngx_media_session_hash.c access/ngx_media_session_list.c
         access/ngx_media_session_table.c formats/ngx_media_agent.c
         formats/ngx_media_siphash.c memory/ngx_media_process.c
         ../t/unit/ngx_stub.c -lcrypto */


#include "access/ngx_media_session_shm.h"
#include "../../../t/unit/ngx_stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>


#define BATCH  1000


ngx_uint_t  ngx_worker;

static ngx_media_sessions_t     sessions;
static ngx_media_session_who_t  who;
static ngx_media_session_ref_t  same;
static char                     viewer[] =
                                    "6d1c2f7e-3b0a-4f5e-9c8d-000000000000";
static uint64_t                 n, state = 88172645463325252ull;


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static uint64_t
rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    return state >> 11;
}


/* as long as what players call a session */

static void
somebody(uint64_t i)
{
    char  *p;

    for (p = viewer + sizeof(viewer) - 2; *p != '-'; p--) {
        *p = '0' + (i & 15);
        i >>= 4;
    }
}


static void
touch(const ngx_media_session_ref_t *ref)
{
    ngx_media_session_sent_t  sent;

    memset(&sent, 0, sizeof(sent));

    sent.bytes = 2700;
    sent.watch = 200;
    sent.requests = 1;
    sent.media = 1;

    if (ngx_media_session_touch(&sessions, ref, &sent) != NGX_OK) {
        abort();
    }
}


static void
hit(void)
{
    ngx_media_session_state_t  found;

    somebody(rnd() % n);

    if (ngx_media_session_look(&sessions, &who, &found) == NGX_OK) {
        touch(&found.ref);
    }
}


static void
hit_same(void)
{
    ngx_media_session_state_t  found;

    somebody(1);

    if (ngx_media_session_look(&sessions, &who, &found) == NGX_OK) {
        touch(&found.ref);
    }
}


static void
miss(void)
{
    ngx_media_session_state_t  found;

    somebody(n + rnd());

    (void) ngx_media_session_look(&sessions, &who, &found);
}


static void
make(void)
{
    const char                 *reason;
    ngx_media_session_state_t   made;

    somebody(n + rnd());

    if (ngx_media_session_make(&sessions, &who, NULL, &made, &reason)
        == NGX_OK)
    {
        ngx_media_session_close(&sessions, &made.ref);
    }
}


static void
measure(const char *name, void (*what)(void), double seconds)
{
    double      began, spent;
    uint64_t    count;
    ngx_uint_t  i;

    count = 0;
    began = now();

    do {
        for (i = 0; i < BATCH; i++) {
            what();
        }

        count += BATCH;
        spent = now() - began;

    } while (spent < seconds);

    printf("%s %.1f\n", name, spent * 1e9 / count);
}


int
main(int argc, char **argv)
{
    void                       *mem;
    size_t                      size;
    double                      began, seconds;
    uint64_t                    i, sweeps;
    const char                 *reason;
    ngx_media_session_state_t   made;

    if (argc < 3) {
        fprintf(stderr, "usage: session MB SECONDS\n");
        return 2;
    }

    size = (size_t) atoi(argv[1]) * 1024 * 1024;
    seconds = atof(argv[2]);

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
               0);

    ngx_pid = getpid();
    ngx_stub_clock(1800000000000);

    if (mem == MAP_FAILED
        || ngx_media_sessions_format(&sessions.sh, mem, size) != NGX_OK)
    {
        return 1;
    }

    sessions.timeout = 30000 / NGX_MEDIA_SESSION_UNIT;

    ngx_str_set(&who.app, "live");
    ngx_str_set(&who.name, "some/stream");
    who.viewer.data = (u_char *) viewer;
    who.viewer.len = sizeof(viewer) - 1;
    who.by = NGX_MEDIA_SESSION_BY_SID;
    who.protocol = NGX_MEDIA_SESSION_HLS;

    n = sessions.sh->nslots * 7 / 10;

    for (i = 0; i < n; i++) {
        somebody(i);

        if (ngx_media_session_make(&sessions, &who, NULL, &made, &reason)
            == NGX_OK)
        {
            touch(&made.ref);
        }
    }

    same = made.ref;

    printf("slots %u\n", sessions.sh->nslots);

    measure("hit", hit, seconds);
    measure("same", hit_same, seconds);
    measure("miss", miss, seconds);
    measure("make", make, seconds);

    (void) ngx_media_session_end(&sessions, made.id, 1000);
    ngx_media_session_close(&sessions, &same);

    measure("banned", miss, seconds);

    /* nobody is over: so it is one look at each */

    sweeps = 0;
    began = now();

    while (now() - began < seconds) {
        sessions.sh->tick = 0;
        ngx_media_sessions_sweep(&sessions);
        sweeps++;
    }

    printf("sweep %.3f\n", (now() - began) * 1e3 / sweeps
                           * sessions.sh->nslots
                           / ngx_min(sessions.sh->nslots,
                                     NGX_MEDIA_SESSION_SLICE));

    return 0;
}
