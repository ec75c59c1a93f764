
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_session.c access/ngx_media_session_end.c
         access/ngx_media_session_hash.c access/ngx_media_session_list.c
         access/ngx_media_session_table.c formats/ngx_media_agent.c
         formats/ngx_media_siphash.c memory/ngx_media_process.c ngx_stub.c
         -lcrypto */

/* how sessions end: by time, kicked, in pieces, and with who ends them */

#include "media_session.h"


static void
test_over(void)
{
    int64_t                    started;
    ngx_media_session_who_t    who;
    ngx_media_session_info_t   info;
    ngx_media_session_stat_t   stat;
    ngx_media_session_state_t  state, again;

    table(256 * KB);
    sessions.address = NGX_MEDIA_SESSION_ADDRESS_PLAIN;

    who = viewer("a-name-that-is-longer-than-what-there-is-room-for-in-a-slot",
                 1);
    who.sockaddr = address("2001:db8::7");
    ngx_str_set(&who.agent, "VLC/3.0.20 LibVLC/3.0.20");

    started = clock_msec;
    (void) make(&who, &state);
    (void) touch(&state, 1000, 500);
    pass(7000);
    (void) touch(&state, 2000, 700);
    is(ngx_media_session_admit(&sessions, &state.ref, 60, 99), NGX_OK,
       "admitted");
    is(ngx_media_session_admit(&sessions, &state.ref, 60, 98), NGX_DONE,
       "of two ids the first is its own");
    is(ngx_media_session_admit(&sessions, &state.ref, 60, 99), NGX_OK,
       "which may come again");
    (void) ngx_media_session_look(&sessions, &who, &again);
    ok(again.admitted >= 59 && again.admitted <= 60, "for a minute");

    pass(TIMEOUT - 100);
    is(ngx_media_session_look(&sessions, &who, &again), NGX_OK, "is there");
    is(ngx_media_session_find(&sessions, state.id, &info), NGX_OK, "by id");

    pass(200);
    is(ngx_media_session_look(&sessions, &who, &again), NGX_DECLINED,
       "is over");
    is(ngx_media_session_find(&sessions, state.id, &info), NGX_DECLINED,
       "by id");
    is(told->n, 0, "nobody has found out");

    ngx_media_session_stat(&sessions, &stat);
    is(stat.used, 1, "it has its place");

    sweep();
    is(told->n, 1, "told of");

    ngx_media_session_stat(&sessions, &stat);
    is(stat.used, 0, "it has none");
    is(stat.made, 1, "and was made");

    ok(told->last.id == state.id, "id");
    is_str(&told->last.app, "live", "app");
    is_text((char *) told->last.text, NGX_MEDIA_SESSION_NAME,
            "a-name-that-is-longer-than-what-there-is-room-for-in-a-s", "name");
    is(told->last.cut, 1, "which is cut");
    is(told->last.plain.len, strlen("2001:db8::7"), "address");
    ok(told->last.address, "and its hash");
    is(told->last.agent, NGX_MEDIA_AGENT_VLC, "agent");
    is(told->last.by, NGX_MEDIA_SESSION_BY_TOKEN, "how it is known");
    is(told->last.protocol, NGX_MEDIA_SESSION_HLS, "protocol");
    is(told->last.bytes, 3000, "bytes");
    is(told->last.watch, 1200, "watch is what was sent");
    is(told->last.requests, 2, "requests");
    is(told->last.hook, 99, "what hooks call it");
    is(told->last.confirmed, 1, "a viewer");
    ok(llabs(told->last.started - started) <= 100, "since when");
    ok(llabs(told->last.seen - started - 7000) <= 200, "seen last");

    /* one that comes back is another one, and the first is told of then */

    who = viewer("demo", 2);
    (void) make(&who, &state);
    pass(TIMEOUT + 1000);
    is(make(&who, &again), NGX_OK, "comes back");
    is(again.made, 1, "is made anew");
    ok(again.id != state.id, "with another id");
    is(told->n, 2, "the first one has ended");
    is(touch(&again, 1, 1), NGX_OK, "and goes on");

    sessions.address = NGX_MEDIA_SESSION_ADDRESS_HASH;
    who = viewer("demo", 3);
    who.sockaddr = address("192.0.2.1");
    (void) make(&who, &state);
    (void) ngx_media_session_find(&sessions, state.id, &info);
    ok(info.address && info.plain.len == 0, "only a hash");

    sessions.address = NGX_MEDIA_SESSION_ADDRESS_OFF;
    who = viewer("demo", 4);
    (void) make(&who, &state);
    (void) ngx_media_session_find(&sessions, state.id, &info);
    ok(info.address == 0 && info.plain.len == 0, "not even that");
    ok(info.viewer == ngx_media_session_viewer(&sessions, &who), "viewer");
}


static void
test_kicked(void)
{
    ngx_uint_t                  cursor, n;
    ngx_media_session_ban_t     ban;
    ngx_media_session_app_t     app;
    ngx_media_session_who_t     who, other;
    ngx_media_session_stat_t    stat;
    ngx_media_session_state_t   state, again;

    table(512 * KB);

    who = viewer("demo", 1);
    (void) make(&who, &state);
    (void) touch(&state, 1, 10000);
    is(count("demo").viewers, 1, "a viewer");

    is(ngx_media_session_end(&sessions, state.id ^ 2, 0), NGX_DECLINED,
       "no such session");
    is(ngx_media_session_end(&sessions, state.id, 0), NGX_OK, "kicked");
    is(count("demo").viewers, 0, "no viewer");
    is(ngx_media_session_end(&sessions, state.id, 0), NGX_OK, "twice");
    is(viewers(NGX_MEDIA_SESSION_HLS), 0, "no viewer of HLS");

    is(touch(&state, 1, 1), NGX_ABORT, "does not go on");
    is(ngx_media_session_look(&sessions, &who, &again), NGX_OK, "is found");
    is(again.kicked, 1, "kicked");
    is(again.banned, 0, "not banned");
    is(make(&who, &again), NGX_DECLINED, "is refused");

    pass(TIMEOUT + 1000);
    is(make(&who, &again), NGX_OK, "comes back after the time-out");
    is(touch(&again, 1, 10000), NGX_OK, "and goes on");

    is(ngx_media_session_end(&sessions, again.id, 300), NGX_OK, "banned");
    is(ngx_media_session_look(&sessions, &who, &state), NGX_OK, "is found");
    ok(state.banned >= 299 && state.banned <= 301, "for 300 s, %d",
       (int) state.banned);

    sweep();
    is(count("demo").sessions, 0, "the session has gone");
    is(ngx_media_session_look(&sessions, &who, &state), NGX_DECLINED,
       "is not found");
    ok(state.banned >= 255 && state.banned <= 261, "the ban has not, %d",
       (int) state.banned);
    is(limited(&who, 0, 0, 0), NGX_DECLINED, "is told so");
    is(make(&who, &state), NGX_DECLINED, "is refused");

    other = viewer("other", 1);
    is(make(&other, &state), NGX_OK, "may watch something else");

    cursor = 0;
    is(ngx_media_session_bans(&sessions, &cursor, &ban), NGX_OK, "a ban");
    ok(ban.id == again.id, "its id");
    is_str(&ban.name, "demo", "its stream");
    is_str(&ban.app, "live", "its app");
    is(ban.by, NGX_MEDIA_SESSION_BY_TOKEN, "how the viewer is known");
    ok(llabs(ban.until - clock_msec - 258000) < 3000, "until when");
    is(ngx_media_session_bans(&sessions, &cursor, &ban), NGX_DONE, "one");

    pass(262000);
    is(make(&who, &state), NGX_OK, "the ban is over");
    cursor = 0;
    is(ngx_media_session_bans(&sessions, &cursor, &ban), NGX_DONE, "is gone");

    is(ngx_media_session_end(&sessions, state.id, 300), NGX_OK, "once more");
    is(ngx_media_session_unban(&sessions, state.id), NGX_OK, "taken back");
    is(ngx_media_session_unban(&sessions, state.id), NGX_DECLINED, "once");
    is(touch(&state, 1, 10000), NGX_OK, "it goes on");
    is(count("demo").viewers, 1, "as a viewer");

    for (n = 0; n < NGX_MEDIA_SESSION_BANS + 1; n++) {
        other = viewer("demo", 1000 + n);

        if (make(&other, &state) != NGX_OK
            || ngx_media_session_end(&sessions, state.id, 300) != NGX_OK)
        {
            break;
        }

        ngx_media_session_close(&sessions, &state.ref);
    }

    is(n, NGX_MEDIA_SESSION_BANS, "so many bans");
    is(touch(&state, 1, 1), NGX_ABORT, "one more is kicked at least");

    ngx_media_session_stat(&sessions, &stat);
    is(stat.bans, NGX_MEDIA_SESSION_BANS, "all are counted");

    other = viewer("demo", 1001);
    is(make(&other, &state), NGX_DECLINED, "one of them");

    (void) ngx_media_session_app(&sessions, 1, &app);
    is(app.banned, 4, "who was refused is counted");
    ngx_media_session_refused(&sessions, &other);
    (void) ngx_media_session_app(&sessions, 1, &app);
    is(app.banned, 5, "also who was by others");

    /* those that are over are none; and nobody has to look for them */

    pass(301000);
    ngx_media_session_stat(&sessions, &stat);
    is(stat.bans, 0, "none is left");
    cursor = 0;
    is(ngx_media_session_bans(&sessions, &cursor, &ban), NGX_DONE, "none");

    is(sessions.sh->nbans, NGX_MEDIA_SESSION_BANS, "they are there yet");
    sweep();
    is(sessions.sh->nbans, 0, "and then they have gone");

    for (n = 0; n < NGX_MEDIA_SESSION_BANS; n++) {
        if (sessions.sh->ban_keys[n] || sessions.sh->bans[n].name_len
            || sessions.sh->bans[n].shown_viewer)
        {
            break;
        }
    }

    is(n, NGX_MEDIA_SESSION_BANS, "with all that was in them");
}


/* pages that are looked at for the first time are noted here */

static uintptr_t   page_size;
static ngx_uint_t  pages_free;
static ngx_uint_t  pages_locked;


static void
page(int signo, siginfo_t *info, void *ctx)
{
    u_char  *p, *first, *last;

    p = (u_char *) ((uintptr_t) info->si_addr & ~(page_size - 1));
    first = (u_char *) sessions.sh->slots;
    last = (u_char *) &sessions.sh->slots[sessions.sh->nslots];

    if (p < first || p >= last
        || mprotect(p, page_size, PROT_READ|PROT_WRITE) != 0)
    {
        (void) signal(SIGSEGV, SIG_DFL);
        return;
    }

    if (sessions.sh->lock) {
        pages_locked++;

    } else {
        pages_free++;
    }
}


/* a large table is not walked with the lock: all others would wait for it */

static void
test_pardoned(void)
{
    u_char                     *first, *last;
    ngx_uint_t                  i;
    struct sigaction            action, before;
    ngx_media_session_who_t     who;
    ngx_media_session_state_t   states[300], state;

    table(512 * KB);

    for (i = 0; i < 300; i++) {
        who = viewer("demo", i);
        (void) make(&who, &states[i]);
        (void) touch(&states[i], 1, 10000);
    }

    who = viewer("demo", 7);
    is(ngx_media_session_end(&sessions, states[7].id, 300), NGX_OK, "banned");
    is(ngx_media_session_end(&sessions, states[8].id, 300), NGX_OK, "two");
    is(count("demo").viewers, 298, "are no viewers any more");

    page_size = getpagesize();

    first = (u_char *) (((uintptr_t) sessions.sh->slots + page_size - 1)
                        & ~(page_size - 1));
    last = (u_char *) ((uintptr_t) &sessions.sh->slots[sessions.sh->nslots]
                       & ~(page_size - 1));

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = page;
    action.sa_flags = SA_SIGINFO;

    (void) sigaction(SIGSEGV, &action, &before);
    (void) mprotect(first, last - first, PROT_NONE);

    is(ngx_media_session_unban(&sessions, states[7].id), NGX_OK, "lifted");

    (void) mprotect(first, last - first, PROT_READ|PROT_WRITE);
    (void) sigaction(SIGSEGV, &before, NULL);

    ok(pages_free > 0, "it was looked for, in %u pages",
       (unsigned) pages_free);
    is(pages_locked, 0, "while others go on");

    is(ngx_media_session_look(&sessions, &who, &state), NGX_OK, "is there");
    is(state.kicked + (state.banned != 0), 0, "and goes on");
    is(touch(&states[7], 1, 10000), NGX_OK, "with the next request");
    is(touch(&states[8], 1, 10000), NGX_ABORT, "the other one does not");
    is(count("demo").viewers, 299, "one more watches");

    is(ngx_media_session_end(&sessions, states[7].id, 300), NGX_OK, "again");
    is(ngx_media_session_unban(&sessions, states[8].id), NGX_OK, "the other");
    is(touch(&states[7], 1, 10000), NGX_ABORT, "is none of this one");
}


/* of a table that is swept in slices, too, no piece waits for the clock */

static void
test_pieces(void)
{
    ngx_uint_t                 i, n, slices;
    ngx_media_session_who_t    who;
    ngx_media_session_state_t  state;

    for (slices = 1; slices < 12; slices += 2) {

        table(slices * 16 * 1024 * KB - 1024 * KB);

        is((sessions.sh->nslots + NGX_MEDIA_SESSION_SLICE - 1)
           / NGX_MEDIA_SESSION_SLICE, slices, "slices: %d", (int) slices);

        for (i = 0, n = 0; i < slices * 4500; i++) {
            who = viewer("demo", i);
            n += make(&who, &state) == NGX_OK;
        }

        pass(TIMEOUT + 1000);
        is(ngx_media_sessions_sweep(&sessions), 1, "there are more");
        is(told->n, 2048, "than may end at once");

        is(ngx_media_sessions_sweep(&sessions), 1, "the same moment");
        is(told->n, 4096, "the next ones end");

        for (i = 0; i < 40 && told->n < n; i++) {
            while (ngx_media_sessions_sweep(&sessions)) { /* void */ }
            pass(1000);
        }

        is(told->n, n, "and all of them");
    }
}


/* who dies holds the lock, or is telling of an end */

static void
test_dies(void)
{
    int                        status;
    pid_t                      pid;
    uint64_t                   tag;
    ngx_uint_t                 i, how;
    ngx_media_session_who_t    who;
    ngx_media_session_stat_t   stat;
    ngx_media_session_state_t  state, again;
    ngx_media_sessions_shm_t  *sh;

    for (how = 0; how < 4; how++) {

        table(256 * KB);
        sh = sessions.sh;

        for (i = 0; i < 20; i++) {
            who = viewer("demo", i);
            (void) make(&who, &state);
            (void) touch(&state, 1, 10000);
        }

        pid = fork();

        if (pid == 0) {
            ngx_pid = getpid();

            switch (how) {

            case 0:
                ngx_media_sessions_lock(&sessions);
                sh->used = 7;
                memset(sh->viewers, 1, sizeof(sh->viewers));
                sh->counts[3].key = 99;
                sh->counts[3].sessions = 5;
                sh->nbans = 12;
                break;

            case 1:
                ngx_media_sessions_lock(&sessions);
                sh->slots[state.ref.slot].pid = getpid();
                break;

            case 2:
                told->die = 1;
                ngx_media_session_close(&sessions, &state.ref);
                break;

            case 3:
                ngx_media_sessions_lock(&sessions);

                /* moved, but for the old one's tag */

                for (i = 0; sh->tags[i]; i++) { /* void */ }

                sh->slots[i] = sh->slots[state.ref.slot];
                sh->slots[state.ref.slot].moved = i + 1;

                tag = 1;

                while (ngx_media_session_bucket(sh, tag, 0) != i - i % 8) {
                    tag += 0x1000001;
                }

                sh->tags[i] = tag;
                break;
            }

            _exit(0);
        }

        (void) waitpid(pid, &status, 0);
        told->die = 0;

        who = viewer("demo", 100);
        is(make(&who, &again), NGX_OK, "way %d: goes on", (int) how);

        ngx_media_session_stat(&sessions, &stat);
        is(stat.used, 20 + (how != 1 && how != 2), "used");
        is(stat.viewers, 19 + (how != 1 && how != 2), "viewers");
        is(stat.bans, 0, "bans");
        is(count("demo").sessions, stat.used, "sessions");
        is(ngx_media_sessions_validate(&sessions), 0, "the books agree");

        is(told->n, how == 2, "told by who died");
        ngx_media_sessions_sweep(&sessions);
        pass(1000);
        ngx_media_sessions_sweep(&sessions);
        is(told->n, how == 1 ? 1 : how == 2 ? 2 : 0, "told by others");

        pass(TIMEOUT);
        sweep();

        ngx_media_session_stat(&sessions, &stat);
        is(stat.used, 0, "all have ended");
        is(told->n, how == 2 ? 22 : 21, "and were told of");

        for (i = 0; i < sh->nslots; i++) {
            if (sh->slots[i].pid) {
                break;
            }
        }

        is(i, sh->nslots, "nobody ends any more");
    }
}


/* while one tells of an end another process takes it over, and all is full */

static ngx_media_session_state_t  guests[2000];
static ngx_uint_t                 nguests;


static void
guests_come(void)
{
    ngx_pid_t                  pid;
    ngx_media_session_who_t    who;

    pid = ngx_pid;
    ngx_pid = getppid();

    pass(61000);
    sweep();

    for (nguests = 0; nguests < 2000; nguests++) {
        who = viewer("demo", 1000 + nguests);
        (void) make(&who, &guests[nguests]);
        (void) touch(&guests[nguests], 1, 10000);
    }

    ngx_pid = pid;
}


static void
test_wakes(void)
{
    uint64_t                   id;
    ngx_uint_t                 i, n, taken;
    ngx_media_session_who_t    who;
    ngx_media_session_info_t   info;
    ngx_media_session_count_t  before;
    ngx_media_session_state_t  state;

    table(256 * KB);

    who = viewer("demo", 1);
    (void) make(&who, &state);
    id = state.id;

    told->meanwhile = guests_come;
    ngx_media_session_close(&sessions, &state.ref);

    is(told->n, 2, "told of by both");
    ok(told->last.id == id, "the same one");

    before = count("demo");

    for (i = 0, n = 0, taken = 0; i < nguests; i++) {

        if (guests[i].ref.tag == 0) {
            continue;
        }

        n += ngx_media_session_find(&sessions, guests[i].id, &info) == NGX_OK;
        taken += guests[i].ref.slot == state.ref.slot;
    }

    is(taken, 1, "its place was taken");
    is(n, before.sessions, "all who came then are there");
    is(before.viewers, n, "and counted");
    is(ngx_media_sessions_validate(&sessions), 0, "the books agree");
}


/* a place that is free has nothing of whom it was */

static ngx_uint_t
left_over(void)
{
    uint32_t                   i, n;
    ngx_media_session_shm_t   *s;
    ngx_media_sessions_shm_t  *sh;

    static const ngx_media_session_shm_t  none;

    sh = sessions.sh;

    for (i = 0, n = 0; i < sh->nslots; i++) {
        s = &sh->slots[i];
        n += sh->tags[i] == 0 && memcmp(s, &none, sizeof(none)) != 0;
    }

    return n;
}


static void
test_nothing_stays(void)
{
    uint32_t                   to;
    ngx_media_session_who_t    who;
    ngx_media_session_info_t   info;
    ngx_media_sessions_shm_t  *sh;
    ngx_media_session_state_t  state;

    table(256 * KB);
    sh = sessions.sh;
    sessions.address = NGX_MEDIA_SESSION_ADDRESS_PLAIN;

    who = viewer("demo", 1);
    who.sockaddr = address("192.0.2.1");
    ngx_str_set(&who.agent, "VLC/3.0.20 LibVLC/3.0.20");
    who.mark = 7;

    (void) make(&who, &state);
    (void) touch(&state, 1, 10000);
    (void) ngx_media_session_admit(&sessions, &state.ref, 60, 99);

    /* what is shown is what the configuration of now says */

    (void) ngx_media_session_find(&sessions, state.id, &info);
    is_str(&info.plain, "192.0.2.1", "an address");

    sessions.address = NGX_MEDIA_SESSION_ADDRESS_HASH;
    (void) ngx_media_session_find(&sessions, state.id, &info);
    ok(info.address && info.plain.len == 0, "not after a reload");

    sessions.address = NGX_MEDIA_SESSION_ADDRESS_OFF;
    (void) ngx_media_session_find(&sessions, state.id, &info);
    ok(info.address == 0 && info.plain.len == 0, "nor its hash");

    ngx_media_session_close(&sessions, &state.ref);
    ok(told->last.address == 0 && told->last.plain.len == 0, "nor in the end");
    is(left_over(), 0, "nothing is left of it");

    /* who dies while one moves to its place of another day leaves two */

    sessions.address = NGX_MEDIA_SESSION_ADDRESS_PLAIN;
    (void) make(&who, &state);

    to = (state.ref.slot + 8) % sh->nslots;
    sh->slots[to] = sh->slots[state.ref.slot];
    sh->slots[state.ref.slot].moved = to + 1;
    sh->tags[to] = sh->tags[state.ref.slot];

    ngx_media_session_repair_locked(sh);
    is(sh->used, 1, "one has gone");
    is(left_over(), 0, "with all that it had");

    sh->tags[state.ref.slot] = sh->tags[to];
    sh->slots[state.ref.slot] = sh->slots[to];
    sh->tags[to] = 0;

    ngx_media_session_repair_locked(sh);
    is(left_over(), 0, "also one that is not there yet");

    pass(TIMEOUT + 1000);
    sweep();
    is(left_over(), 0, "in the end");
    is(sh->used, 0, "nobody is left");
}


int
main(void)
{
    media_session_begin();

    test_over();
    test_kicked();
    test_pardoned();
    test_pieces();
    test_dies();
    test_wakes();
    test_nothing_stays();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
