
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_session.c access/ngx_media_session_end.c
         access/ngx_media_session_hash.c access/ngx_media_session_list.c
         access/ngx_media_session_table.c formats/ngx_media_agent.c
         formats/ngx_media_siphash.c memory/ngx_media_process.c ngx_stub.c
         -lcrypto */

#include "media_session.h"


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


int
main(void)
{
    media_session_begin();

    test_found();
    test_confirmed();
    test_dropped();
    test_limits();
    test_requests();
    test_folds();
    test_full();
    test_day();
    test_listed();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
