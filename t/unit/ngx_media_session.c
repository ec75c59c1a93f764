
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_session.c access/ngx_media_session_end.c
         access/ngx_media_session_hash.c access/ngx_media_session_list.c
         access/ngx_media_session_table.c formats/ngx_media_agent.c
         formats/ngx_media_siphash.c memory/ngx_media_process.c ngx_stub.c
         -lcrypto */


#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "access/ngx_media_session_shm.h"
#include "ngx_stub.h"
#include "tap.h"


#define KB       1024
#define TIMEOUT  30000                       /* ms */


ngx_uint_t  ngx_worker;


static ngx_media_sessions_t      sessions;
static ngx_array_t               handlers;
static ngx_media_session_ended_pt
                                 handler[2];
static int64_t                   clock_msec = 1800000000000;

/* what handlers were told; shared with children */

typedef struct {
    ngx_uint_t                   n;
    ngx_uint_t                   die;
    void                       (*meanwhile)(void);
    ngx_media_session_info_t     last;
} told_t;

static told_t                   *told;


static void
ended(const ngx_media_session_info_t *info)
{
    void  (*meanwhile)(void) = told->meanwhile;

    told->n++;
    told->last = *info;

    if (meanwhile) {
        told->meanwhile = NULL;
        meanwhile();
    }

    if (told->die) {
        _exit(0);
    }
}


static void
table(size_t size)
{
    void  *mem;

    if (sessions.sh) {
        is(ngx_media_sessions_validate(&sessions), 0, "the books agree");
    }

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
               0);

    if (ngx_media_sessions_format(&sessions.sh, mem, size) != NGX_OK) {
        abort();
    }

    sessions.timeout = TIMEOUT / NGX_MEDIA_SESSION_UNIT;
    sessions.address = NGX_MEDIA_SESSION_ADDRESS_OFF;
    sessions.ended = &handlers;

    handler[0] = ended;
    handlers.elts = handler;
    handlers.nelts = 1;

    memset(told, 0, sizeof(told_t));
}


static void
pass(int64_t msec)
{
    clock_msec += msec;
    ngx_stub_clock(clock_msec);
}


/* all of the table, however long it takes */

static void
sweep(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 40; i++) {
        pass(1000);
        ngx_media_sessions_sweep(&sessions);
    }
}


static ngx_media_session_who_t
who_is(const char *app, const char *name, ngx_uint_t by, const char *viewer)
{
    ngx_media_session_who_t  who;

    memset(&who, 0, sizeof(who));

    who.app.data = (u_char *) app;
    who.app.len = strlen(app);
    who.name.data = (u_char *) name;
    who.name.len = strlen(name);
    who.by = by;
    who.viewer.data = (u_char *) viewer;
    who.viewer.len = strlen(viewer);

    return who;
}


static ngx_media_session_who_t
viewer(const char *name, ngx_uint_t n)
{
    static char              buf[4][32];
    static ngx_uint_t        next;

    char                    *text;
    ngx_media_session_who_t  who;

    text = buf[next++ % 4];
    (void) snprintf(text, sizeof(buf[0]), "viewer-%u", (unsigned) n);

    who = who_is("live", name, NGX_MEDIA_SESSION_BY_TOKEN, text);
    who.protocol = NGX_MEDIA_SESSION_HLS;

    return who;
}


static struct sockaddr *
address(const char *text)
{
    static union {
        struct sockaddr      sa;
        struct sockaddr_in   sin;
        struct sockaddr_in6  sin6;
    } u;

    memset(&u, 0, sizeof(u));

    if (inet_pton(AF_INET, text, &u.sin.sin_addr) == 1) {
        u.sa.sa_family = AF_INET;

    } else if (inet_pton(AF_INET6, text, &u.sin6.sin6_addr) == 1) {
        u.sa.sa_family = AF_INET6;
    }

    return &u.sa;
}


static ngx_int_t
make(const ngx_media_session_who_t *who, ngx_media_session_state_t *state)
{
    const char  *reason;

    return ngx_media_session_make(&sessions, who, NULL, state, &reason);
}


static ngx_int_t
limited(const ngx_media_session_who_t *who, ngx_uint_t v, ngx_uint_t a,
    ngx_uint_t s)
{
    ngx_int_t                   rc;
    const char                 *reason;
    ngx_media_session_limit_t   limit;
    ngx_media_session_state_t   state;

    limit.viewer = v;
    limit.address = a;
    limit.stream = s;

    rc = ngx_media_session_ask(&sessions, who, &limit, &reason);

    /* what is refused is counted once: by who asks, or by who makes */

    if (rc == NGX_OK
        && ngx_media_session_make(&sessions, who, &limit, &state, &reason)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
touch(const ngx_media_session_state_t *state, uint64_t bytes, uint64_t watch)
{
    ngx_media_session_sent_t  sent;

    memset(&sent, 0, sizeof(sent));

    sent.bytes = bytes;
    sent.watch = watch;
    sent.requests = 1;
    sent.media = bytes != 0;

    return ngx_media_session_touch(&sessions, &state->ref, &sent);
}


static ngx_uint_t
confirmed(const ngx_media_session_who_t *who)
{
    ngx_media_session_state_t  state;

    return ngx_media_session_look(&sessions, who, &state) == NGX_OK
           && state.confirmed;
}


static uint64_t
viewers(ngx_uint_t protocol)
{
    uint64_t                  n;
    ngx_uint_t                i;
    ngx_media_session_app_t   app;

    n = 0;

    for (i = 0; ngx_media_session_app(&sessions, i, &app) == NGX_OK; i++) {
        n += app.viewers[protocol];
    }

    return n;
}


static ngx_media_session_count_t
count(const char *name)
{
    ngx_str_t                  app, stream;
    ngx_media_session_count_t  c;

    ngx_str_set(&app, "live");
    stream.data = (u_char *) name;
    stream.len = strlen(name);

    ngx_media_session_count(&sessions,
                            ngx_media_session_stream(&sessions, &app, &stream),
                            &c);

    return c;
}


static void
test_found(void)
{
    ngx_media_session_who_t    a, b;
    ngx_media_session_stat_t   stat;
    ngx_media_session_state_t  state, again;

    table(1024 * KB);

    ngx_media_session_stat(&sessions, &stat);
    ok(stat.slots > 3500 && stat.slots <= 4096, "%d sessions in the first MB",
       (int) stat.slots);
    is(stat.used, 0, "none is used");

    a = viewer("demo", 1);
    is(ngx_media_session_look(&sessions, &a, &state), NGX_DECLINED, "nobody");
    is(state.ref.tag, 0, "no ref");
    is(touch(&state, 1, 0), NGX_DECLINED, "nothing to be touched");
    ngx_media_session_close(&sessions, &state.ref);

    is(make(&a, &state), NGX_OK, "is made");
    is(state.made, 1, "by this call");
    is(make(&a, &again), NGX_OK, "is there");
    is(again.made, 0, "already");
    ok(again.id == state.id && state.id, "it has an id");

    is(ngx_media_session_look(&sessions, &a, &again), NGX_OK, "is found");
    ok(again.id == state.id, "the same");

    /* any part of it makes another one */

    b = a;
    b.app.len--;
    is(ngx_media_session_look(&sessions, &b, &again), NGX_DECLINED, "app");
    b = a;
    b.name.len--;
    is(ngx_media_session_look(&sessions, &b, &again), NGX_DECLINED, "name");
    b = a;
    b.by = NGX_MEDIA_SESSION_BY_SID;
    is(ngx_media_session_look(&sessions, &b, &again), NGX_DECLINED, "by");
    b = a;
    b.connection = 7;
    is(ngx_media_session_look(&sessions, &b, &again), NGX_DECLINED, "native");
    b = a;
    b.agent = b.app;
    is(ngx_media_session_look(&sessions, &b, &again), NGX_OK,
       "but not the agent of a token's");
    b = who_is("liv", "edemo", NGX_MEDIA_SESSION_BY_TOKEN, "viewer-1");
    is(ngx_media_session_look(&sessions, &b, &again), NGX_DECLINED,
       "app and name are two things");

    a = who_is("live", "demo", NGX_MEDIA_SESSION_BY_ADDRESS, "");
    a.sockaddr = address("192.0.2.1");
    is(make(&a, &state), NGX_OK, "an address");
    a.sockaddr = address("192.0.2.2");
    is(ngx_media_session_look(&sessions, &a, &again), NGX_DECLINED, "another");
    a.sockaddr = address("::ffff:192.0.2.1");
    is(ngx_media_session_look(&sessions, &a, &again), NGX_OK, "the same");
    ngx_str_set(&a.agent, "VLC");
    is(ngx_media_session_look(&sessions, &a, &again), NGX_DECLINED,
       "other agent");

    b = who_is("live", "other", NGX_MEDIA_SESSION_BY_SID, "7");
    b.sockaddr = address("192.0.2.1");
    is(make(&b, &state), NGX_OK, "what a player says");
    b.sockaddr = address("192.0.2.2");
    is(ngx_media_session_look(&sessions, &b, &again), NGX_DECLINED,
       "is nothing elsewhere");
    b.sockaddr = address("192.0.2.1");
    is(ngx_media_session_look(&sessions, &b, &again), NGX_OK, "but there");
    ngx_media_session_close(&sessions, &state.ref);

    b.by = NGX_MEDIA_SESSION_BY_TOKEN;
    ngx_str_set(&b.device, "tv");
    is(make(&b, &state), NGX_OK, "a device");
    b.sockaddr = address("192.0.2.2");
    is(ngx_media_session_look(&sessions, &b, &again), NGX_DECLINED,
       "is another one elsewhere");
    ngx_media_session_close(&sessions, &state.ref);

    a.sockaddr = address("2001:db8::1");
    is(make(&a, &state), NGX_OK, "IPv6");
    a.sockaddr = address("2001:db8::ffff:1");
    is(ngx_media_session_look(&sessions, &a, &again), NGX_OK, "its /64");
    a.sockaddr = address("2001:db8:0:1::1");
    is(ngx_media_session_look(&sessions, &a, &again), NGX_DECLINED,
       "another /64");

    ngx_media_session_stat(&sessions, &stat);
    is(stat.used, 3, "three are used");
    is(stat.made, 5, "and five were made");
    is(stat.viewers, 0, "nobody watches");
    is(count("demo").sessions, 3, "all of one stream");
}


static void
test_confirmed(void)
{
    ngx_media_session_app_t    app;
    ngx_media_session_who_t    who;
    ngx_media_session_sent_t   sent;
    ngx_media_session_state_t  state;

    table(256 * KB);

    who = viewer("demo", 1);
    (void) make(&who, &state);
    memset(&sent, 0, sizeof(sent));

    sent.requests = 1;
    sent.bytes = 100;
    sent.protocol = NGX_MEDIA_SESSION_HLS;

    is(ngx_media_session_touch(&sessions, &state.ref, &sent), NGX_OK,
       "a playlist");
    pass(5000);
    is(ngx_media_session_touch(&sessions, &state.ref, &sent), NGX_OK,
       "another one");
    is(confirmed(&who), 0, "are no viewer");

    is(touch(&state, 1000, 500), NGX_OK, "an object");
    pass(900);
    is(touch(&state, 1000, 500), NGX_OK, "another one, too early");
    is(confirmed(&who), 0, "no viewer");
    is(count("demo").viewers, 0, "as is counted");

    pass(100);
    is(touch(&state, 1000, 500), NGX_OK, "after a second");
    is(confirmed(&who), 1, "a viewer");
    is(count("demo").viewers, 1, "as is counted");
    is(viewers(NGX_MEDIA_SESSION_HLS), 1, "of HLS");

    sent.protocol = NGX_MEDIA_SESSION_DASH;
    (void) ngx_media_session_touch(&sessions, &state.ref, &sent);
    is(viewers(NGX_MEDIA_SESSION_HLS), 0, "not any more");
    is(viewers(NGX_MEDIA_SESSION_DASH), 1, "but of DASH");

    who = viewer("demo", 2);
    (void) make(&who, &state);
    is(touch(&state, 1000, 10000), NGX_OK, "ten seconds at once");
    is(confirmed(&who), 1, "a viewer");
    is(count("demo").viewers, 2, "as is counted");
    is(viewers(NGX_MEDIA_SESSION_HLS), 1, "of HLS");

    is(ngx_media_session_app(&sessions, 1, &app), NGX_OK, "its app");
    is_str(&app.name, "live", "is called so");
    is(app.made, 2, "two were made");
    is(app.watch, 11500, "what was watched");
    is(ngx_media_session_app(&sessions, 2, &app), NGX_DONE, "no more");

    ngx_media_session_close(&sessions, &state.ref);
    is(count("demo").viewers, 1, "one closes");
    is(ngx_media_session_look(&sessions, &who, &state), NGX_DECLINED,
       "it is not found");
    is(told->n, 1, "its end is told of");
    is(viewers(NGX_MEDIA_SESSION_HLS), 0, "none of HLS");

    ngx_media_session_close(&sessions, &state.ref);
    is(told->n, 1, "once");
}


static void
test_dropped(void)
{
    ngx_uint_t                 i;
    ngx_media_session_who_t    who;
    ngx_media_session_sent_t   sent;
    ngx_media_session_state_t  state;

    table(512 * 1024);

    who = viewer("demo", 1);

    /* a request more, some bytes more, and a kick each keep it */

    for (i = 0; i < 4; i++) {
        is(make(&who, &state), NGX_OK, "it is made");

        memset(&sent, 0, sizeof(sent));
        sent.requests = (i == 1);
        sent.bytes = (i == 2);

        (void) ngx_media_session_touch(&sessions, &state.ref, &sent);

        if (i == 3) {
            (void) ngx_media_session_end(&sessions, state.id, 0);
        }

        ngx_media_session_drop(&sessions, &state.ref);
        is(ngx_media_session_look(&sessions, &who, &state),
           i ? NGX_OK : NGX_DECLINED, "what others have used stays");

        is(state.kicked, i == 3, "and a kick is no end");
        ngx_media_session_close(&sessions, &state.ref);
    }
}


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
test_limits(void)
{
    ngx_uint_t                 i, n;
    ngx_media_session_app_t    app;
    ngx_media_session_who_t    who;

    table(256 * KB);

    who = viewer("one", 1);
    is(limited(&who, 2, 0, 0), NGX_OK, "first stream of a viewer");
    who = viewer("two", 1);
    is(limited(&who, 2, 0, 0), NGX_OK, "second");
    who = viewer("three", 1);
    is(limited(&who, 2, 0, 0), NGX_DECLINED, "third is one too many");
    who = viewer("two", 1);
    is(limited(&who, 2, 0, 0), NGX_DECLINED, "an own one is one, too");
    who = viewer("three", 2);
    is(limited(&who, 2, 0, 0), NGX_OK, "another viewer");

    for (i = 0, n = 0; i < 30; i++) {
        who = viewer("demo", 100 + i);
        who.sockaddr = address(i % 2 ? "2001:db8::1" : "2001:db8::2");
        n += limited(&who, 0, 20, 0) == NGX_OK;
    }

    is(n, 20, "of a /64");

    who.sockaddr = address("2001:db8:0:1::1");
    is(limited(&who, 0, 20, 0), NGX_OK, "not of another one");

    who.sockaddr = NULL;
    who = viewer("demo", 200);
    is(limited(&who, 0, 1, 0), NGX_OK, "without an address");
    who = viewer("demo", 201);
    is(limited(&who, 0, 1, 0), NGX_OK, "nobody has the same");

    for (i = 0, n = 0; i < 30; i++) {
        who = viewer("full", 300 + i);
        n += limited(&who, 0, 0, 11) == NGX_OK;
    }

    is(n, 11, "of a stream");

    (void) ngx_media_session_app(&sessions, 1, &app);
    is(app.limited, 2 + 10 + 19, "all are counted");

    pass(TIMEOUT + 1000);
    sweep();

    who = viewer("full", 400);
    is(limited(&who, 0, 0, 1), NGX_OK, "they have gone");
}


/* what requests tell of a session, and what they want to know */

static void
test_requests(void)
{
    ngx_uint_t                 i, n;
    ngx_media_session_who_t    who, sid;
    ngx_media_session_sent_t   sent;
    ngx_media_session_state_t  state, again;

    table(256 * KB);

    /* two devices of one viewer are two sessions, and count as his */

    who = viewer("demo", 1);
    ngx_str_set(&who.device, "a");
    is(limited(&who, 2, 0, 0), NGX_OK, "a viewer's device");
    (void) ngx_media_session_look(&sessions, &who, &state);
    ngx_str_set(&who.device, "b");
    is(limited(&who, 2, 0, 0), NGX_OK, "another one");
    (void) ngx_media_session_look(&sessions, &who, &again);
    ok(again.id != state.id, "has a session of its own");
    ngx_str_set(&who.device, "c");
    is(limited(&who, 2, 0, 0), NGX_DECLINED, "and one too many");

    /* words of who asks */

    who = viewer("demo", 2);
    who.mark = 7;
    (void) make(&who, &state);
    (void) ngx_media_session_look(&sessions, &who, &again);
    is(again.mark, 7, "what has let it in");
    is(again.protocol, NGX_MEDIA_SESSION_HLS, "protocol");
    ok(again.hook == 0, "no hook");

    (void) ngx_media_session_mark(&sessions, &state.ref, 8);
    (void) ngx_media_session_admit(&sessions, &state.ref, 1, 99);
    (void) ngx_media_session_look(&sessions, &who, &again);
    is(again.mark, 8, "what lets it in now");
    ok(again.hook == 99, "what hooks call it");

    /* a player of a live playlist may be silent for longer */

    memset(&sent, 0, sizeof(sent));
    sent.bytes = 1;
    sent.alive = 2 * TIMEOUT;
    (void) ngx_media_session_touch(&sessions, &state.ref, &sent);

    pass(TIMEOUT / 2);
    is(touch(&state, 1, 1), NGX_OK, "media meanwhile");

    pass(TIMEOUT + TIMEOUT / 2 - 1000);
    is(ngx_media_session_look(&sessions, &who, &again), NGX_OK,
       "shortens nothing");
    pass(2000);
    is(ngx_media_session_look(&sessions, &who, &again), NGX_DECLINED,
       "and then it is over");

    ngx_media_session_close(&sessions, &state.ref);
    is(ngx_media_session_mark(&sessions, &state.ref, 9), NGX_DECLINED,
       "a mark of what has gone");

    /* what players say is believed 64 times */

    for (i = 0, n = 0; i < 100; i++) {
        sid = viewer("demo", 100 + i);
        sid.by = NGX_MEDIA_SESSION_BY_SID;
        sid.sockaddr = address("192.0.2.1");
        n += ngx_media_session_folds(&sessions, &sid);
        (void) make(&sid, &state);
    }

    is(n, 36, "the others of an address are one");
    is(sid.by, NGX_MEDIA_SESSION_BY_ADDRESS, "of the address");
    is(count("demo").sessions, 65 + 2, "together");

    sid = viewer("demo", 300);
    sid.by = NGX_MEDIA_SESSION_BY_SID;
    is(ngx_media_session_folds(&sessions, &sid), 0, "without an address");
    sid.sockaddr = address("192.0.2.2");
    is(ngx_media_session_folds(&sessions, &sid), 0, "of another one");

    who = viewer("demo", 301);
    who.sockaddr = address("192.0.2.1");
    is(ngx_media_session_folds(&sessions, &who), 0, "who has shown a token");
}


/* what one address may say it is, at most, with nobody else going short */

static void
test_folds(void)
{
    char                       agent[32];
    ngx_uint_t                 i, n;
    ngx_media_session_who_t    who;
    ngx_media_session_stat_t   stat;
    ngx_media_session_state_t  state;

    table(512 * KB);

    for (i = 0, n = 0; i < 600; i++) {
        who = who_is("live", "demo", NGX_MEDIA_SESSION_BY_ADDRESS, "");
        who.sockaddr = address("192.0.2.1");
        who.agent.data = (u_char *) agent;
        who.agent.len = snprintf(agent, sizeof(agent), "agent-%d", (int) i);

        if (i % 2 == 0) {
            who.by = NGX_MEDIA_SESSION_BY_SID;
            who.viewer = who.agent;
        }

        while (ngx_media_session_look(&sessions, &who, &state) != NGX_OK
               && ngx_media_session_folds(&sessions, &who))
        {
            n++;
        }

        (void) make(&who, &state);
        (void) touch(&state, 1, 10000);
    }

    is(count("demo").sessions, 257, "one address has so many");
    is(count("demo").viewers, 257, "viewers");
    is(who.by, NGX_MEDIA_SESSION_BY_ADDRESS, "the last is its address");
    is(who.agent.len, 0, "and nothing else");
    is(ngx_media_session_folds(&sessions, &who), 0, "nor less than that");
    ok(n > 600, "in two steps, where he said a sid");

    ngx_media_session_stat(&sessions, &stat);
    is(stat.refused, 0, "nobody was refused a place");

    who = who_is("live", "demo", NGX_MEDIA_SESSION_BY_ADDRESS, "");
    who.sockaddr = address("192.0.2.2");
    ngx_str_set(&who.agent, "agent-1");
    is(ngx_media_session_folds(&sessions, &who), 0, "not of another one");

    who = who_is("live", "demo", NGX_MEDIA_SESSION_BY_KEY, "key");
    who.sockaddr = address("192.0.2.1");
    ngx_str_set(&who.agent, "agent-1");
    is(ngx_media_session_folds(&sessions, &who), 0, "who has a key");
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


static void
test_full(void)
{
    ngx_uint_t                 i, n, first;
    ngx_media_session_who_t    who;
    ngx_media_session_stat_t   stat;
    ngx_media_session_state_t  state;

    table(1024 * KB);

    ngx_media_session_stat(&sessions, &stat);

    first = 0;
    n = 0;

    for (i = 0; i < stat.slots; i++) {
        who = viewer("demo", i);

        if (make(&who, &state) == NGX_OK) {
            (void) touch(&state, 1, 10000);
            n++;

        } else if (first == 0) {
            first = i;
        }
    }

    ok(first >= stat.slots * 6 / 10, "the first one refused at %d %%",
       (int) (first * 100 / stat.slots));
    ok(n >= stat.slots * 9 / 10, "%d %% have a place",
       (int) (n * 100 / stat.slots));
    is(count("demo").viewers, n, "all are counted");
    is(ngx_media_sessions_validate(&sessions), 0, "the books agree");

    ngx_media_session_stat(&sessions, &stat);
    is(stat.used, n, "used");
    is(stat.refused, stat.slots - n, "refused");

    /* not one of them goes for another, but when it is over */

    is(told->n, 0, "nobody has ended");
    pass(TIMEOUT + 1000);

    for (i = 0; i < stat.slots; i++) {
        who = viewer("demo", 100000 + i);
        (void) make(&who, &state);
    }

    ok(told->n >= n / 2, "others take their places");

    /* nor does one that has just come: it has two seconds to become one */

    n = told->n;
    first = 0;

    for (i = 0; i < stat.slots; i++) {
        who = viewer("demo", 200000 + i);
        first += make(&who, &state) == NGX_OK;
    }

    ok(first < stat.slots / 4, "who has just come has two seconds");

    pass(2000);
    first = 0;

    for (i = 0; i < stat.slots; i++) {
        who = viewer("demo", 300000 + i);
        first += make(&who, &state) == NGX_OK;
    }

    ok(first >= stat.slots * 3 / 4, "then he may have to go");

    ngx_media_session_stat(&sessions, &stat);

    /* however many are over, there is no second without an end of it */

    pass(TIMEOUT + 1000);

    for (i = 1; ngx_media_sessions_sweep(&sessions); i++) { /* void */ }

    is(i, stat.used / 2048 + 1, "all at once, in pieces");

    ngx_media_session_stat(&sessions, &stat);
    is(stat.used, 0, "nobody is left");
    is(told->n, stat.made, "each was told of once");
    is(count("demo").sessions, 0, "none is counted");

    for (i = 0, n = 0; i < sessions.sh->ncounts; i++) {
        n += sessions.sh->counts[i].key != 0;
    }

    is(n, 0, "no key is left");
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


static void
test_day(void)
{
    int64_t                    next;
    uint64_t                   shown;
    ngx_uint_t                 i, n;
    ngx_media_session_who_t    who, native;
    ngx_media_session_info_t   info;
    ngx_media_session_state_t  state, again, own;

    table(1024 * KB);
    sessions.timeout = 3 * 3600 * 10;

    next = (clock_msec / 86400000 + 1) * 86400000;
    pass(next - clock_msec - 1000);

    who = viewer("demo", 1);
    native = viewer("demo", 2);
    native.connection = 1;

    (void) make(&who, &state);
    (void) make(&native, &own);
    (void) touch(&state, 1000, 10000);
    shown = ngx_media_session_viewer(&sessions, &who);

    for (i = 0; i < 500; i++) {
        who = viewer("demo", 1000 + i);
        (void) make(&who, &again);
    }

    pass(2000);

    who = viewer("demo", 1);
    is(ngx_media_session_look(&sessions, &who, &again), NGX_OK, "is found");
    ok(again.id == state.id, "the same");
    ok(again.ref.tag != state.ref.tag, "at another place");
    is(again.confirmed, 1, "a viewer");
    is(touch(&state, 1, 1), NGX_DECLINED, "it is not where it was");
    is(touch(&again, 1, 1), NGX_OK, "but there");
    is(touch(&own, 1, 1), NGX_OK, "who is native stays");
    is(make(&who, &state), NGX_OK, "is there");
    is(state.made, 0, "and not made");
    ok(shown != ngx_media_session_viewer(&sessions, &who), "shown otherwise");

    for (i = 0, n = 0; i < 500; i++) {
        who = viewer("demo", 1000 + i);
        (void) make(&who, &state);
        n += state.made;
    }

    is(n, 0, "all of them are the same");
    is(count("demo").sessions, 502, "and there once");
    is(told->n, 0, "nobody has ended");
    is(ngx_media_sessions_validate(&sessions), 0, "the books agree");

    who = viewer("demo", 1);
    (void) ngx_media_session_find(&sessions, again.id, &info);
    ok(info.viewer == ngx_media_session_viewer(&sessions, &who),
       "as it is shown today");
    is(info.bytes, 1001, "with what it had");

    /* of the day before nothing is known after two hours */

    who = viewer("late", 1);
    pass(86400000 - 3000);
    (void) make(&who, &state);
    pass(2 * 3600 * 1000 + 3000);
    is(ngx_media_session_look(&sessions, &who, &again), NGX_DECLINED,
       "after two hours");

    sessions.timeout = TIMEOUT / NGX_MEDIA_SESSION_UNIT;
    sweep();
    is(told->n, 503, "all have ended");
}


static void
test_listed(void)
{
    uint64_t                   key;
    ngx_str_t                  app, name;
    ngx_uint_t                 i, n, cursor;
    ngx_media_session_who_t    who;
    ngx_media_session_app_t    a;
    ngx_media_session_info_t   info;
    ngx_media_session_state_t  state;

    table(512 * KB);

    for (i = 0; i < 30; i++) {
        who = viewer(i % 3 ? "one" : "two", i);
        (void) make(&who, &state);
    }

    ngx_str_set(&app, "live");
    ngx_str_set(&name, "two");
    key = ngx_media_session_stream(&sessions, &app, &name);

    cursor = 0;
    n = 0;

    while (ngx_media_session_walk(&sessions, key, &cursor, &info) == NGX_OK) {
        n += info.name.len == 3 && memcmp(info.name.data, "two", 3) == 0;
    }

    is(n, 10, "of one stream");
    is(ngx_media_session_walk(&sessions, key, &cursor, &info), NGX_DONE,
       "no more");

    cursor = 0;
    n = 0;

    while (ngx_media_session_walk(&sessions, 0, &cursor, &info) == NGX_OK) {
        n++;
    }

    is(n, 30, "of all");

    for (i = 0; i < 100; i++) {
        char  text[16];

        (void) snprintf(text, sizeof(text), "app%d", (int) i);
        who = who_is(text, "demo", NGX_MEDIA_SESSION_BY_SID, "x");
        (void) make(&who, &state);
    }

    for (i = 0, n = 0; ngx_media_session_app(&sessions, i, &a) == NGX_OK; i++)
    {
        n += a.made;
    }

    is(i, NGX_MEDIA_SESSION_APPS, "so many apps");
    is(n, 130, "with all sessions");
    (void) ngx_media_session_app(&sessions, 0, &a);
    is(a.name.len, 0, "the first has no name");
    is(a.made, 38, "and all that have no room");

    is_str(ngx_media_session_by_name(NGX_MEDIA_SESSION_BY_SID), "sid", "by");
    is_str(ngx_media_session_protocol_name(NGX_MEDIA_SESSION_RTMP), "rtmp",
           "protocol");
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
    ngx_pid = getpid();

    told = mmap(NULL, sizeof(told_t), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    ngx_stub_clock(clock_msec);

    test_found();
    test_confirmed();
    test_dropped();
    test_over();
    test_limits();
    test_requests();
    test_folds();
    test_kicked();
    test_pardoned();
    test_full();
    test_pieces();
    test_day();
    test_listed();
    test_dies();
    test_wakes();
    test_nothing_stays();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
