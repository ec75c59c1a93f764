
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_session.c access/ngx_media_session_end.c
         access/ngx_media_session_hash.c access/ngx_media_session_list.c
         access/ngx_media_session_table.c formats/ngx_media_agent.c
         formats/ngx_media_siphash.c memory/ngx_media_process.c
         ../unit/ngx_stub.c -lcrypto */


/*
 * A process that works on a table of sessions is followed instruction by
 * instruction.  After each that changed it, a copy of all is given to a process
 * which takes it that the other one died right there: the books must agree,
 * who watches must be there once, and go on, and in the end all must have been
 * told of once, but for the one that was ended or made just then.
 *
 *     session_step [every=N] [only=N]
 *
 * every: look at each n-th such moment; 0: as many as take half of the time.
 */


#include "access/ngx_media_session_shm.h"
#include "../unit/ngx_stub.h"
#include "step.h"


#define KB       1024
#define OTHERS   12                          /* who watch all the time */
#define IDS      1024
#define TIMEOUT  300                         /* units */


ngx_uint_t  ngx_worker;


typedef struct {
    int64_t                    clock;
    uint8_t                    ids[IDS];
} shared_t;


static ngx_media_sessions_t    sessions;
static ngx_array_t             handlers;
static ngx_media_session_ended_pt
                               handler[1];
static ngx_media_session_state_t
                               others[OTHERS];
static shared_t               *shared;       /* of the one that is followed */
static uint8_t                *told;
static uint64_t                first;        /* id */
static u_char                 *image;        /* of the table when last seen */
static u_char                 *mem;
static size_t                  mem_size = 140 * KB;


static void
ended(const ngx_media_session_info_t *info)
{
    told[(info->id - first) / 2 % IDS]++;
}


static void
pass(int64_t msec)
{
    shared->clock += msec;
    ngx_stub_clock(shared->clock);
}


static ngx_int_t
come(const char *name, ngx_uint_t n, ngx_uint_t native,
    ngx_media_session_state_t *state)
{
    char                        viewer[32];
    const char                 *reason;
    ngx_media_session_who_t     who;
    ngx_media_session_limit_t   limit;

    memset(&who, 0, sizeof(who));
    memset(&limit, 0, sizeof(limit));

    ngx_str_set(&who.app, "live");
    who.name.data = (u_char *) name;
    who.name.len = strlen(name);
    who.viewer.data = (u_char *) viewer;
    who.viewer.len = snprintf(viewer, sizeof(viewer), "viewer-%u",
                              (unsigned) n);
    who.by = NGX_MEDIA_SESSION_BY_TOKEN;
    who.protocol = NGX_MEDIA_SESSION_HLS;
    who.connection = native;

    limit.viewer = 2;

    return ngx_media_session_make(&sessions, &who, &limit, state, &reason);
}


static void
touch(const ngx_media_session_state_t *state, ngx_uint_t protocol)
{
    ngx_media_session_sent_t  sent;

    memset(&sent, 0, sizeof(sent));

    sent.bytes = 1000;
    sent.watch = 4000;
    sent.requests = 1;
    sent.media = 1;
    sent.protocol = protocol;

    (void) ngx_media_session_touch(&sessions, &state->ref, &sent);
}


static void
all_touch(void)
{
    ngx_uint_t  i;

    for (i = 0; i < OTHERS; i++) {
        (void) come("other", i, 0, &others[i]);
        touch(&others[i], 0);
    }
}


/* the process that is followed */

static void
step_work(void)
{
    uint64_t                   id;
    ngx_uint_t                 i;
    ngx_media_session_state_t  a, b, c;

    doing("the first");
    (void) come("demo", 100, 0, &a);

    doing("becomes a viewer");
    touch(&a, 0);
    pass(1000);
    touch(&a, 0);

    doing("another protocol");
    touch(&a, NGX_MEDIA_SESSION_DASH);

    doing("one that is there");
    (void) come("demo", 100, 0, &a);

    doing("admitted");
    (void) ngx_media_session_admit(&sessions, &a.ref, 60, 7);

    doing("a native one");
    (void) come("demo", 101, 1, &b);
    touch(&b, 0);
    (void) come("demo", 101, 2, &c);

    doing("one too many");
    (void) come("demo", 101, 3, &c);

    doing("closes");
    ngx_media_session_close(&sessions, &b.ref);

    doing("kicked");
    id = a.id;
    (void) ngx_media_session_end(&sessions, id, 30);

    doing("taken back");
    (void) ngx_media_session_unban(&sessions, id);

    doing("kicked again");
    (void) ngx_media_session_end(&sessions, id, 30);
    (void) come("demo", 100, 0, &a);

    for (i = 0; i < 40; i++) {
        doing("until there is no room");
        (void) come("full", 200 + i, 0, &a);
    }

    pass(2000);

    for (i = 0; i < 6; i++) {
        doing("in the place of others");
        (void) come("full", 300 + i, 0, &a);
    }

    doing("all are over");
    all_touch();
    pass(TIMEOUT * NGX_MEDIA_SESSION_UNIT / 2);
    all_touch();
    pass(TIMEOUT * NGX_MEDIA_SESSION_UNIT / 2 + 1000);
    ngx_media_sessions_sweep(&sessions);
    all_touch();

    doing("another day");
    sessions.timeout = 100 * 3600 * 10;
    pass(86400000 - shared->clock % 86400000 + 1000);
    all_touch();
    sessions.timeout = TIMEOUT;

    doing("and the rest");
    (void) come("demo", 102, 0, &a);
    ngx_media_session_close(&sessions, &a.ref);
}


/* the one that looks */


static void
copy(void)
{
    u_char   *p;
    uint8_t  *own;

    p = malloc(mem_size);
    own = malloc(IDS);

    if (p == NULL || own == NULL) {
        abort();
    }

    memcpy(p, mem, mem_size);
    memcpy(own, shared->ids, IDS);

    if (mmap(mem, mem_size, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0)
        == MAP_FAILED)
    {
        abort();
    }

    memcpy(mem, p, mem_size);
    free(p);

    told = own;
}


static void
check_others(const char *when)
{
    ngx_uint_t                 i;
    ngx_media_session_state_t  state;

    for (i = 0; i < OTHERS; i++) {

        if (come("other", i, 0, &state) != NGX_OK || state.made
            || state.id != others[i].id)
        {
            fail(when, "somebody else's session");
        }
    }
}


static void
step_check(pid_t child)
{
    uint64_t                   n;
    ngx_uint_t                 i, twice, never, used;
    ngx_media_session_stat_t   stat;
    ngx_media_session_state_t  state;
    ngx_media_sessions_shm_t  *sh;

    copy();

    ngx_pid = getpid();
    dead = child;
    sh = sessions.sh;
    ngx_stub_clock(shared->clock);

    if (strcmp(step->doing, "another day") == 0) {
        sessions.timeout = 100 * 3600 * 10;
    }

    if (ngx_media_sessions_validate(&sessions)) {
        fail("at once", "books");
    }

    check_others("at once");

    (void) come("new", 400, 0, &state);
    touch(&state, 0);
    (void) come("new", 401, 1, &state);
    ngx_media_session_close(&sessions, &state.ref);

    if (ngx_media_sessions_validate(&sessions)) {
        fail("going on", "books");
    }

    /* all are over */

    sessions.timeout = TIMEOUT;

    for (i = 0; i < 3; i++) {
        ngx_stub_clock(shared->clock
                       + (i + 2) * TIMEOUT * NGX_MEDIA_SESSION_UNIT);
        ngx_media_sessions_sweep(&sessions);
    }

    ngx_media_session_stat(&sessions, &stat);

    if (stat.used || stat.viewers) {
        fail("in the end", "somebody is left");
    }

    for (i = 0, used = 0; i < sh->nslots; i++) {
        used += sh->slots[i].pid != 0;
        used += sh->slots[i].name_len || sh->slots[i].viewer
                || sh->slots[i].shown_viewer || sh->slots[i].stream
                || sh->slots[i].hook || sh->slots[i].name[0];
    }

    for (i = 0; i < sh->ncounts; i++) {
        used += sh->counts[i].key != 0;
    }

    if (used || sh->lock) {
        fail("in the end", "something is left");
    }

    n = (sh->serial - first + 3) / 2;
    twice = 0;
    never = 0;

    for (i = 0; i < n && i < IDS; i++) {
        twice += told[i] > 1;
        never += told[i] == 0;
    }

    if (twice + never > 1) {
        fail("in the end", "told of twice, or never");
    }

    if (ngx_stub_logged[NGX_LOG_ALERT]) {
        fail("log", "alerts");
    }
}


/* the parent */


static ngx_uint_t
changed(void)
{
    if (memcmp(image, mem, mem_size) == 0) {
        return 0;
    }

    memcpy(image, mem, mem_size);

    return 1;
}


/* what was counted, and must not go down */

static ngx_uint_t
went_down(void)
{
    static uint64_t  was[5];

    ngx_uint_t                     i, n, down;
    uint64_t                       now[5];
    ngx_media_session_lane_shm_t  *lane;

    memset(now, 0, sizeof(now));

    n = NGX_MEDIA_SESSION_APPS * NGX_MEDIA_SESSION_LANES;

    for (i = 0; i < n; i++) {
        lane = &sessions.sh->lanes[i];

        now[0] += lane->made;
        now[1] += lane->refused;
        now[2] += lane->limited;
        now[3] += lane->banned;
        now[4] += lane->watch;
    }

    for (i = 0, down = 0; i < 5; i++) {
        down += now[i] < was[i];
        was[i] = now[i];
    }

    return down;
}


int
main(int argc, char **argv)
{
    int         status;
    pid_t       child;
    int64_t     began, spent, t;
    uint64_t    every, only, steps;
    ngx_uint_t  due, failed, looks, moments;

    step_tune(argv);

    every = option(argc, argv, "every", 0);
    only = option(argc, argv, "only", 0);

    setvbuf(stdout, NULL, _IOLBF, 0);

    mem = shared_memory(mem_size);
    image = calloc(1, mem_size);
    shared = shared_memory(sizeof(shared_t));

    if (image == NULL) {
        abort();
    }

    shared->clock = 1800000000000;
    told = shared->ids;
    ngx_pid = getpid();

    pass(0);

    if (ngx_media_sessions_format(&sessions.sh, mem, mem_size) != NGX_OK) {
        abort();
    }

    sessions.timeout = TIMEOUT;
    sessions.ended = &handlers;
    handler[0] = ended;
    handlers.elts = handler;
    handlers.nelts = 1;

    first = (sessions.sh->serial + 2) | 1;

    all_touch();
    pass(1000);
    all_touch();

    child = step_child();

    if (child == 0) {
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

        if (went_down()) {
            diag("moment %lu: a counter went down", (unsigned long) moments);
            failed++;
        }

        t = msec();
        due = every ? moments % every == 0 || only : spent * 2 <= t - began;

        if (due) {
            failed += step_look(child, moments, 0);
            looks++;
            spent += msec() - t;
        }

        if (failed > 20) {
            break;
        }
    }

    diag("%lu slots, %lu instructions, %lu moments, %lu looked at, %lu ms",
         (unsigned long) sessions.sh->nslots, (unsigned long) steps,
         (unsigned long) moments, (unsigned long) looks,
         (unsigned long) (msec() - began));

    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "the process came to its end");
    is(failed, 0, "wherever it dies, nothing is wrong and nothing is left");

    return done();
}
