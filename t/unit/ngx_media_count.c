
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_count.c memory/ngx_media_process.c ngx_stub.c */


/*
 * Counters in shared memory: processes that add, die while they do, and have
 * their places taken by others.
 */


#include <sys/mman.h>
#include <sys/wait.h>
#include "memory/ngx_media_count.h"
#include "ngx_stub.h"
#include "tap.h"


#define WIDTH  5
#define MAX    4


ngx_uint_t  ngx_worker;

static ngx_media_count_t         count;
static ngx_media_count_group_t   groups[8];
static ngx_media_count_group_t  *list[8];


static void
make(void)
{
    size_t  size;

    size = ngx_media_count_size(MAX, WIDTH);

    count.sh = mmap(NULL, size, PROT_READ|PROT_WRITE,
                    MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    count.width = WIDTH;
    count.groups.elts = list;

    ngx_media_count_format(count.sh, MAX, WIDTH, 1234);

    ok((u_char *) (count.sh->counters
                   + NGX_MEDIA_COUNT_LANES
                     * (ngx_align(MAX * WIDTH * 8, 64) / 8))
       <= (u_char *) count.sh + size, "it is in its memory");
    ok(((uintptr_t) count.sh->counters & 63) == 0, "lanes are lines");
}


static ngx_uint_t
place(ngx_uint_t n, const char **names)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        groups[i].name.data = (u_char *) names[i];
        groups[i].name.len = strlen(names[i]);
        groups[i].index = 99;
        list[i] = &groups[i];
    }

    count.groups.nelts = n;

    return ngx_media_count_place(&count);
}


static void
names(void)
{
    u_char       name[NGX_MEDIA_COUNT_NAME + 2];
    const char  *first[] = { "live", "/vod/" };
    const char  *second[] = { "/new/", "live", "/more/", "/vod/" };
    const char  *third[] = { "live", (char *) name };

    is(place(2, first), 0, "two names have places");
    is(groups[0].index, 1, "the first");
    is(groups[1].index, 2, "the second");

    ngx_media_count_add(&count, 1, 4, 10);

    /* another configuration, in another order, and there is not enough room */

    is(place(4, second), 1, "one of four has none");
    is(groups[0].index, 3, "a new one");
    is(groups[1].index, 1, "one that was there");
    is(groups[2].index, 0, "the one without");
    is(groups[3].index, 2, "another that was there");
    is(ngx_media_count_get(&count, 1, 4), 10, "what it counted is there");

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';

    is(place(2, third), 1, "a long name without room");
}


/* more than there are lanes, and two of each number */

static void
workers(void)
{
    int       i, k, status, good;
    pid_t     pid[16];
    uint64_t  sum;

    for (i = 0; i < 16; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            for (k = 0; k < 100000; k++) {
                ngx_worker = i / 2 * 32 + k % 2;
                ngx_media_count_add(&count, 2, k % WIDTH, 3);
            }

            _exit(0);
        }
    }

    for (i = 0; i < 16; i++) {
        waitpid(pid[i], &status, 0);
    }

    good = 1;

    for (k = 0; k < WIDTH; k++) {
        good = good
               && ngx_media_count_get(&count, 2, k) == 16 * 3 * 100000 / WIDTH;
    }

    ok(good, "nothing is lost");

    sum = 0;

    for (k = 0; k < NGX_MEDIA_COUNT_LANES; k++) {
        sum += ngx_media_count_lane(&count, k, 0);
    }

    is(sum, ngx_media_count_get(&count, 2, 0), "lanes are the same, together");
    is(ngx_media_count_get(&count, 1, 4), 10, "others are as they were");
}


/* killed at any moment: never down, and what was added stays */

static void
killed(void)
{
    int        i, status, good;
    pid_t      pid;
    uint64_t   last, value;

    good = 1;
    last = 0;

    for (i = 0; i < 50; i++) {
        pid = fork();

        if (pid == 0) {
            for ( ;; ) {
                ngx_media_count_add(&count, 3, 0, 1);
            }
        }

        while (ngx_media_count_get(&count, 3, 0) == last) {
            usleep(100);
        }

        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);

        value = ngx_media_count_get(&count, 3, 0);
        good = good && value > last;
        last = value;
    }

    ok(good, "counters of the killed stay");
}


/* a zone that takes the place of another one */

static void
carried(void)
{
    ngx_uint_t                i, k, max;
    const char               *two[] = { "/late/", "/vod/" };
    ngx_media_count_t         next;
    ngx_media_count_group_t   own[2], *places[2];

    static const ngx_uint_t  rooms[] = { 8, 3 };

    for (k = 0; k < 2; k++) {
        max = rooms[k];

        ngx_memzero(&next, sizeof(ngx_media_count_t));

        next.sh = mmap(NULL, ngx_media_count_size(max, WIDTH),
                       PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);
        next.width = WIDTH;
        next.groups.elts = places;
        next.groups.nelts = 2;

        for (i = 0; i < 2; i++) {
            own[i].name.data = (u_char *) two[i];
            own[i].name.len = strlen(two[i]);
            places[i] = &own[i];
        }

        ngx_media_count_format(next.sh, max, WIDTH, 9999);

        is(ngx_media_count_place(&next), 0, "there is room");
        ngx_media_count_carry(&next, count.sh);

        is(next.sh->since, 1234, "since when is kept");
        is(ngx_media_count_get(&next, own[0].index, 0), 0, "a new name");
        is(ngx_media_count_get(&next, own[1].index, 0),
           ngx_media_count_get(&count, 2, 0), "one of both");
        is(ngx_media_count_lane(&next, 1, 1),
           ngx_media_count_lane(&count, 1, 1), "lanes are the same");

        if (max == 3) {
            is(next.sh->ngroups, 3, "for others there is no room");
            is(ngx_media_count_get(&next, 0, 4),
               ngx_media_count_get(&count, 0, 4)
               + ngx_media_count_get(&count, 1, 4)
               + ngx_media_count_get(&count, 3, 4), "they have the first");

        } else {
            is(next.sh->ngroups, 5, "others have room");
            is(ngx_media_count_get(&next, 3, 4), 10, "theirs");
        }
    }
}


static pid_t
worker(ngx_int_t slot)
{
    int    fd[2];
    char   c;
    pid_t  pid;

    (void) pipe(fd);

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        ngx_process_slot = slot;
        ngx_media_count_attach(&count);
        (void) write(fd[1], "x", 1);

        for ( ;; ) {
            pause();
        }
    }

    (void) read(fd[0], &c, 1);
    close(fd[0]);
    close(fd[1]);

    return pid;
}


static void
deaths(void)
{
    int                     status;
    pid_t                   one, two, three;
    ngx_media_count_stat_t  stat;

    one = worker(1);
    two = worker(2);

    ngx_media_count_stat(&count, &stat);
    is(stat.workers, 2, "two workers");
    is(stat.deaths, 0, "no death");
    is(stat.since, 1234, "since when");

    kill(one, SIGKILL);
    waitpid(one, &status, 0);

    /* found out by who comes after it */

    three = worker(1);

    is(count.sh->deaths, 1, "a death, seen by its successor");
    ngx_media_count_stat(&count, &stat);
    is(stat.deaths, 1, "it is counted once");
    is(stat.workers, 2, "two again");

    /* and by who asks */

    kill(two, SIGKILL);
    waitpid(two, &status, 0);
    ngx_media_count_stat(&count, &stat);
    is(stat.deaths, 2, "another death");
    is(stat.workers, 1, "one is left");

    two = worker(2);
    ngx_media_count_stat(&count, &stat);
    is(stat.deaths, 2, "its successor does not count it again");

    kill(two, SIGKILL);
    kill(three, SIGKILL);
    waitpid(two, &status, 0);
    waitpid(three, &status, 0);

    /* one that leaves is no death */

    ngx_process_slot = 5;
    ngx_media_count_attach(&count);
    ngx_media_count_stat(&count, &stat);
    is(stat.workers, 1, "this one");
    is(stat.deaths, 4, "all deaths");

    ngx_media_count_detach(&count);
    ngx_media_count_stat(&count, &stat);
    is(stat.workers, 0, "it left");
    is(stat.deaths, 4, "and did not die");
}


int
main(void)
{
    ngx_pid = getpid();

    make();
    names();
    workers();
    killed();
    carried();
    deaths();

    return done();
}
