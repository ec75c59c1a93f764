
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_session.c access/ngx_media_session_end.c
         access/ngx_media_session_hash.c access/ngx_media_session_list.c
         access/ngx_media_session_table.c formats/ngx_media_agent.c
         formats/ngx_media_siphash.c memory/ngx_media_process.c
         ../unit/ngx_stub.c -lcrypto */


/*
 * Many processes over one table: each lets viewers come, touches, closes and
 * kicks them, and sweeps.  Any of them is killed at any moment and started
 * again.  What was counted never goes down; in the end nobody may be left, and
 * each session must have been told of once, but for those that somebody died
 * over.
 *
 *     session [seconds=6] [kill=MS] [seed=N] [zone=KB] [viewers=N]
 *             [processes=N]
 *
 * kill: a process is killed so often on the average, 0: never.
 */


#include <stdio.h>
#include "access/ngx_media_session_shm.h"
#include "../unit/ngx_stub.h"
#include "processes.h"


#define KB       1024
#define HELD     16                          /* native ones of each */
#define TIMEOUT  5                           /* units */
#define IDS      (64 * 1024 * 1024)


ngx_uint_t  ngx_worker;


typedef struct {
    uint64_t                   steps;
    uint64_t                   made;
    uint64_t                   refused;
    uint64_t                   limited;
    uint64_t                   touched;
    uint64_t                   gone;
    uint64_t                   kicked;
    uint64_t                   wrong;
    char                       what[128];
} work_t;


typedef struct {
    work_t                     work[PROCESSES];
    uint64_t                   stop;
    uint64_t                   told;
    uint64_t                   first;        /* id */
    uint8_t                    ids[IDS];     /* times that each was told of */
} shared_t;


static ngx_media_sessions_t    sessions;
static ngx_array_t             handlers;
static ngx_media_session_ended_pt
                               handler[1];
static shared_t               *shared;
static work_t                 *me;
static uint64_t                nviewers;


static void
wrong(const char *what, uint64_t n)
{
    if (me->wrong++ == 0) {
        (void) snprintf(me->what, sizeof(me->what), "%s: %lu", what,
                        (unsigned long) n);
    }
}


static void
ended(const ngx_media_session_info_t *info)
{
    uint64_t  n;

    n = (info->id - shared->first) / 2;

    if (n >= IDS || info->app.len != 4) {
        wrong("an id", info->id);
        return;
    }

    (void) ngx_media_count(&shared->ids[n], 1);
    (void) ngx_media_count(&shared->told, 1);

    if (rnd() % 256 == 0) {
        nap(100);
    }
}


/* there are others after a while */

static ngx_media_session_who_t
somebody(void)
{
    static char              viewer[32], name[8];
    ngx_media_session_who_t  who;

    memset(&who, 0, sizeof(who));

    ngx_str_set(&who.app, "live");

    who.name.data = (u_char *) name;
    who.name.len = snprintf(name, sizeof(name), "s%u",
                            (unsigned) (rnd() % 8));
    who.viewer.data = (u_char *) viewer;
    who.viewer.len = snprintf(viewer, sizeof(viewer), "v%lu",
                              (unsigned long) (ngx_current_msec / 2
                                               + rnd() % nviewers));
    who.by = NGX_MEDIA_SESSION_BY_TOKEN;
    who.protocol = NGX_MEDIA_SESSION_HLS;

    return who;
}


/* what never goes down */

static void
totals(void)
{
    static ngx_media_session_app_t  was;

    ngx_uint_t                i;
    ngx_media_session_app_t   app;

    for (i = 0; ngx_media_session_app(&sessions, i, &app) == NGX_OK; i++) {

        if (i != 1) {
            continue;
        }

        if (app.made < was.made || app.refused < was.refused
            || app.limited < was.limited || app.banned < was.banned
            || app.watch < was.watch)
        {
            wrong("went down", app.made);
        }

        was = app;
    }
}


static void
touch(const ngx_media_session_ref_t *ref)
{
    ngx_int_t                 rc;
    ngx_media_session_sent_t  sent;

    memset(&sent, 0, sizeof(sent));

    sent.bytes = 1000;
    sent.watch = rnd() % 3000;
    sent.requests = 1;
    sent.media = 1;
    sent.protocol = rnd() % 8 ? 0 : NGX_MEDIA_SESSION_DASH;

    rc = ngx_media_session_touch(&sessions, ref, &sent);

    me->touched += rc == NGX_OK;
    me->gone += rc == NGX_DECLINED;
    me->kicked += rc == NGX_ABORT;
}


static void
walk(void)
{
    ngx_uint_t                cursor;
    ngx_media_session_info_t  info;

    cursor = rnd() % sessions.sh->nslots;

    while (ngx_media_session_walk(&sessions, 0, &cursor, &info) == NGX_OK) {

        if (info.app.len != 4 || info.name.len != 2 || info.id == 0) {
            wrong("listed", info.name.len);
        }

        if (rnd() % 64 == 0) {
            (void) ngx_media_session_end(&sessions, info.id, rnd() % 3);
            return;
        }

        if (rnd() % 32 == 0) {
            (void) ngx_media_session_unban(&sessions, info.id);
            return;
        }
    }
}


static void
work(void)
{
    ngx_uint_t                  n;
    const char                 *reason;
    ngx_media_session_ref_t     held[HELD];
    ngx_media_session_who_t     who;
    ngx_media_session_limit_t   limit;
    ngx_media_session_state_t   state;

    memset(held, 0, sizeof(held));

    while (ngx_media_load(&shared->stop) == 0) {
        ngx_media_store(&me->steps, me->steps + 1);

        if (me->steps % 16 == 0) {
            ngx_stub_clock_now();
            ngx_media_sessions_sweep(&sessions);
            totals();
        }

        if (rnd() % 128 == 0) {
            walk();
        }

        if (rnd() % 2048 == 0 && ngx_media_sessions_validate(&sessions)) {
            wrong("books", 0);
        }

        n = rnd() % HELD;
        who = somebody();

        if (rnd() % 4 == 0) {

            if (held[n].tag) {
                touch(&held[n]);

                if (rnd() % 4 == 0) {
                    ngx_media_session_close(&sessions, &held[n]);
                    touch(&held[n]);
                    held[n].tag = 0;
                }

                continue;
            }

            who.connection = (uint64_t) ngx_pid << 32 | me->steps;
        }

        limit.viewer = 4;
        limit.address = 0;
        limit.stream = nviewers / 2;

        switch (ngx_media_session_make(&sessions, &who, &limit, &state,
                                       &reason))
        {
        case NGX_OK:
            me->made += state.made;
            touch(&state.ref);

            if (who.connection) {
                held[n] = state.ref;
            }

            break;

        case NGX_BUSY:
            me->refused++;
            break;

        default:
            me->limited++;
        }

        if (rnd() % 512 == 0) {
            nap(rnd() % 3000);
        }
    }

    exit(0);
}


static void
process_begin(ngx_uint_t slot)
{
    me = &shared->work[slot];
    ngx_worker = slot;
    stress_state = (stress_state ^ (uint64_t) ngx_pid * 0x9e3779b97f4a7c15ull)
                   | 1;
}


/* the parent */


static uint64_t
process_steps(ngx_uint_t slot)
{
    return ngx_media_load(&shared->work[slot].steps);
}


static void
process_stuck(void)
{
    diag("lock: %d", (int) sessions.sh->lock);
}


static void
report(work_t *sum)
{
    ngx_uint_t                i;
    work_t                   *w;
    ngx_media_session_stat_t  stat;

    memset(sum, 0, sizeof(work_t));

    for (i = 0; i < processes.n; i++) {
        w = &shared->work[i];

        sum->steps += w->steps;
        sum->made += w->made;
        sum->refused += w->refused;
        sum->limited += w->limited;
        sum->touched += w->touched;
        sum->gone += w->gone;
        sum->kicked += w->kicked;
        sum->wrong += w->wrong;

        if (w->wrong) {
            diag("process %u: %lu times wrong, first: %s", (unsigned) i,
                 (unsigned long) w->wrong, w->what);
        }
    }

    ngx_media_session_stat(&sessions, &stat);

    diag("steps:%lu made:%lu refused:%lu limited:%lu touched:%lu gone:%lu "
         "kicked:%lu", (unsigned long) sum->steps, (unsigned long) sum->made,
         (unsigned long) sum->refused, (unsigned long) sum->limited,
         (unsigned long) sum->touched, (unsigned long) sum->gone,
         (unsigned long) sum->kicked);
    diag("slots:%lu used:%lu viewers:%lu bans:%lu kills:%lu",
         (unsigned long) stat.slots, (unsigned long) stat.used,
         (unsigned long) stat.viewers, (unsigned long) stat.bans,
         (unsigned long) processes.kills);
}


static void
test_end(const work_t *sum)
{
    uint64_t                  i, n, twice, never;
    ngx_media_session_app_t   app;
    ngx_media_session_stat_t  stat;

    is(ngx_media_sessions_validate(&sessions), 0, "the books agree");

    for (i = 0; i < 10; i++) {
        nap(TIMEOUT * NGX_MEDIA_SESSION_UNIT * 1000 / 2);
        ngx_stub_clock_now();
        sessions.sh->tick = 0;
        ngx_media_sessions_sweep(&sessions);
    }

    ngx_media_session_stat(&sessions, &stat);
    (void) ngx_media_session_app(&sessions, 1, &app);

    is(stat.used, 0, "nobody is left");
    is(stat.viewers, 0, "nobody is counted");

    ok(app.made >= sum->made && app.made <= sum->made + processes.kills,
       "made: %lu, by those who know of it %lu", (unsigned long) app.made,
       (unsigned long) sum->made);

    for (i = 0, n = 0; i < sessions.sh->ncounts; i++) {
        n += sessions.sh->counts[i].key != 0;
    }

    is(n, 0, "no key is counted");

    for (i = 0, n = 0; i < sessions.sh->nslots; i++) {
        n += sessions.sh->slots[i].pid != 0;
    }

    is(n, 0, "nobody ends any more");

    n = (sessions.sh->serial - shared->first + 3) / 2;
    twice = 0;
    never = 0;

    for (i = 0; i < n && i < IDS; i++) {
        twice += shared->ids[i] > 1;
        never += shared->ids[i] == 0;
    }

    diag("ids:%lu told:%lu twice:%lu never:%lu", (unsigned long) n,
         (unsigned long) shared->told, (unsigned long) twice,
         (unsigned long) never);

    ok(twice <= processes.kills, "told of twice: those that one died in");
    ok(never <= processes.kills, "not told of: those that never were");
    is(sessions.sh->lock, 0, "the lock is not held");
}


int
main(int argc, char **argv)
{
    size_t      size;
    work_t      sum;
    int64_t     end, next;
    uint64_t    pause;
    ngx_uint_t  n;

    end = msec() + 1000 * option(argc, argv, "seconds", 6);
    pause = option(argc, argv, "kill", 10);
    nviewers = option(argc, argv, "viewers", 200);
    size = option(argc, argv, "zone", 300) * KB;
    stress_state = option(argc, argv, "seed", time(NULL)) * 2 + 1;

    setvbuf(stdout, NULL, _IOLBF, 0);
    ngx_stub_clock_now();

    if (ngx_media_sessions_format(&sessions.sh, shared_memory(size), size)
        != NGX_OK)
    {
        abort();
    }

    sessions.timeout = TIMEOUT;
    sessions.ended = &handlers;
    handler[0] = ended;
    handlers.elts = handler;
    handlers.nelts = 1;

    shared = shared_memory(sizeof(shared_t));
    shared->first = (sessions.sh->serial + 2) | 1;

    for (n = option(argc, argv, "processes", 8); n; n--) {
        processes_add(work);
    }

    next = msec();

    while (msec() < end) {
        nap(1000);
        processes_look();

        if (pause && msec() >= next) {
            next = msec() + rnd() % (2 * pause + 1);
            processes_kill(rnd() % processes.n);
        }
    }

    ngx_media_store(&shared->stop, 1);
    processes_end();
    report(&sum);

    is(processes.crashes, 0, "no process crashed");
    is(processes.stucks, 0, "no process was stuck");
    is(sum.wrong, 0, "nothing was wrong");
    ok(sum.made && sum.touched && sum.gone, "sessions came and went");
    ok(sum.limited && sum.kicked, "some were limited, and kicked");

    me = &sum;
    test_end(&sum);

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
