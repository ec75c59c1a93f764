
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_ban.c memory/ngx_media_process.c ngx_stub.c */


/* the table of bans: whom it meets, when it is full, who dies in it */


#include <sys/mman.h>
#include <sys/wait.h>
#include "access/ngx_media_ban.h"
#include "memory/ngx_media_sync.h"
#include "media_step.h"
#include "ngx_stub.h"
#include "tap.h"


#define PUBLISH  NGX_MEDIA_BAN_PUBLISH
#define PLAY     NGX_MEDIA_BAN_PLAY
#define START    1800000000000


static ngx_media_bans_shm_t  *bans;
static int64_t                now = START;


static void
later(int64_t msec)
{
    now += msec;
    ngx_stub_clock(now);
}


static void
fresh(void)
{
    if (bans) {
        (void) munmap(bans, ngx_media_bans_size());
    }

    bans = mmap(NULL, ngx_media_bans_size(), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    later(0);
}


/* "c0a80107": IPv4; 32 digits: IPv6 */

static ngx_media_network_t *
network(const char *hex, ngx_uint_t bits)
{
    unsigned    byte;
    ngx_uint_t  i, n, skip;

    static ngx_media_network_t  net;

    if (hex == NULL) {
        return NULL;
    }

    memset(&net, 0, sizeof(ngx_media_network_t));

    n = strlen(hex) / 2;
    skip = 16 - n;

    if (skip) {
        net.address[10] = 0xff;
        net.address[11] = 0xff;
    }

    for (i = 0; i < n; i++) {
        (void) sscanf(hex + 2 * i, "%2x", &byte);
        net.address[skip + i] = byte;
    }

    net.bits = skip * 8 + bits;

    return &net;
}


static ngx_int_t
add(ngx_uint_t actions, const char *name, const char *hex, ngx_uint_t bits,
    ngx_msec_t time, uint64_t *id)
{
    ngx_int_t        rc;
    ngx_media_ban_t  ban;

    memset(&ban, 0, sizeof(ngx_media_ban_t));

    ban.actions = actions;
    ban.name.data = (u_char *) name;
    ban.name.len = strlen(name);

    if (hex) {
        ban.network = *network(hex, bits);
    }

    rc = ngx_media_bans_add(bans, &ban, time);

    if (id) {
        *id = ban.id;
    }

    return rc;
}


/* NULL: he is not banned */

static const char *
look(ngx_uint_t action, const char *text, const char *hex)
{
    ngx_str_t    name;
    const char  *reason;

    name.data = (u_char *) text;
    name.len = strlen(text);
    reason = NULL;

    if (ngx_media_bans_look(bans, action, &name,
                            network(hex, hex && strlen(hex) == 8 ? 32 : 128),
                            &reason)
        == NGX_OK)
    {
        return NULL;
    }

    return reason;
}


static ngx_uint_t
count(void)
{
    ngx_uint_t       n, cursor;
    ngx_media_ban_t  ban;

    cursor = 0;

    for (n = 0; ngx_media_bans_walk(bans, &cursor, &ban) == NGX_OK; n++) {
        /* void */
    }

    return n;
}


static void
test_meets(void)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t   actions;
        const char  *name;
        const char  *hex;
        ngx_uint_t   bits;

        ngx_uint_t   action;
        const char  *who;
        const char  *from;
        ngx_uint_t   banned;
    } cases[] = {
        { PUBLISH, "a", NULL, 0, PUBLISH, "a", "c0a80107", 1 },
        { PUBLISH, "a", NULL, 0, PUBLISH, "a", NULL, 1 },
        { PUBLISH, "a", NULL, 0, PUBLISH, "ab", "c0a80107", 0 },
        { PUBLISH, "ab", NULL, 0, PUBLISH, "a", "c0a80107", 0 },
        { PUBLISH, "a", NULL, 0, PLAY, "a", "c0a80107", 0 },
        { PLAY, "a", NULL, 0, PLAY, "a", "c0a80107", 1 },
        { PUBLISH|PLAY, "a", NULL, 0, PLAY, "a", "c0a80107", 1 },

        { PUBLISH, "", "c0a80107", 32, PUBLISH, "x", "c0a80107", 1 },
        { PUBLISH, "", "c0a80107", 32, PUBLISH, "x", "c0a80106", 0 },
        { PUBLISH, "", "c0a80107", 32, PUBLISH, "x", NULL, 0 },
        { PUBLISH, "", "c0a80100", 24, PUBLISH, "x", "c0a801ff", 1 },
        { PUBLISH, "", "c0a80100", 24, PUBLISH, "x", "c0a80201", 0 },
        { PUBLISH, "", "c0a80100", 23, PUBLISH, "x", "c0a801ff", 1 },
        { PUBLISH, "", "c0a80180", 25, PUBLISH, "x", "c0a80181", 1 },
        { PUBLISH, "", "c0a80180", 25, PUBLISH, "x", "c0a8017f", 0 },
        { PUBLISH, "", "80000000", 1, PUBLISH, "x", "c0a80107", 1 },
        { PUBLISH, "", "80000000", 1, PUBLISH, "x", "7f000001", 0 },

        /* an address of the one family is none of the other */

        { PUBLISH, "", "80000000", 1, PUBLISH, "x",
          "20010db8000000000000000000000001", 0 },
        { PUBLISH, "", "20010db8000000000000000000000000", 64, PUBLISH, "x",
          "20010db800000000ffffffffffffffff", 1 },
        { PUBLISH, "", "20010db8000000000000000000000000", 64, PUBLISH, "x",
          "20010db8000000010000000000000000", 0 },
        { PUBLISH, "", "20010db8000000000000000000000001", 128, PUBLISH, "x",
          "20010db8000000000000000000000001", 1 },

        /* both have to be his */

        { PUBLISH, "a", "c0a80107", 32, PUBLISH, "a", "c0a80107", 1 },
        { PUBLISH, "a", "c0a80107", 32, PUBLISH, "b", "c0a80107", 0 },
        { PUBLISH, "a", "c0a80107", 32, PUBLISH, "a", "c0a80108", 0 },
        { PUBLISH, "a", "c0a80107", 32, PUBLISH, "a", NULL, 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fresh();

        (void) add(cases[i].actions, cases[i].name, cases[i].hex,
                   cases[i].bits, 60000, NULL);

        is(look(cases[i].action, cases[i].who, cases[i].from) != NULL,
           cases[i].banned, "meets: %s %s/%u, %s from %s", cases[i].name,
           cases[i].hex ? cases[i].hex : "any", (unsigned) cases[i].bits,
           cases[i].who, cases[i].from ? cases[i].from : "nowhere");
    }

    fresh();
    (void) add(PUBLISH, "a", NULL, 0, 60000, NULL);
    is(strcmp(look(PUBLISH, "a", NULL),
              "the stream's name is banned for a while"), 0, "meets: a name");

    fresh();
    (void) add(PUBLISH, "", "c0a80107", 32, 60000, NULL);
    is(strcmp(look(PUBLISH, "a", "c0a80107"),
              "the address is banned for a while"), 0, "meets: an address");
}


static void
test_time(void)
{
    uint64_t         first, second;
    ngx_uint_t       cursor;
    ngx_media_ban_t  ban;

    fresh();

    is(add(PUBLISH, "a", NULL, 0, 1000, &first), NGX_OK, "time: for a second");
    ok(first != 0, "time: it has an id");
    later(999);
    ok(look(PUBLISH, "a", NULL) != NULL, "time: he is banned");
    later(1);
    ok(look(PUBLISH, "a", NULL) == NULL, "time: and is not");
    is(count(), 0, "time: nobody is");
    is(ngx_media_bans_remove(bans, first), NGX_DECLINED, "time: it is over");

    (void) add(PUBLISH, "a", NULL, 0, 1000, &first);
    (void) add(PUBLISH, "b", "c0a80107", 32, 5000, NULL);
    later(500);
    is(add(PUBLISH, "a", NULL, 0, 60000, &second), NGX_OK,
       "time: once more, for longer");
    ok(first == second, "time: it is the same");
    is(count(), 2, "time: no other");

    cursor = 0;
    is(ngx_media_bans_walk(bans, &cursor, &ban), NGX_OK, "time: is listed");
    is(ban.until, now + 60000, "time: until when");

    ngx_current_msec += 3;
    cursor = 0;
    (void) ngx_media_bans_walk(bans, &cursor, &ban);
    is(ban.until, now + 60000, "time: however clocks are read");
    ngx_current_msec -= 3;
    is(ban.since, now - 500, "time: since when");
    is_text(ban.name.data, ban.name.len, "a", "time: of what name");

    is(add(PLAY, "a", NULL, 0, 60000, &second), NGX_OK, "time: to play");
    ok(first != second, "time: that is another one");

    is(add(PUBLISH, "a", NULL, 0, 100, &second), NGX_OK, "time: for less");
    later(100);
    ok(look(PUBLISH, "a", NULL) == NULL, "time: that is the end of it");

    is(ngx_media_bans_remove(bans, 0), NGX_DECLINED, "time: 0 is no id");
    is(ngx_media_bans_remove(bans, first), NGX_DECLINED, "time: nor that one");

    cursor = 0;
    (void) ngx_media_bans_walk(bans, &cursor, &ban);
    is(ngx_media_bans_remove(bans, ban.id), NGX_OK, "time: one is lifted");
    is(ngx_media_bans_remove(bans, ban.id), NGX_DECLINED, "time: once");
    is(count(), 1, "time: one is left");
}


/* one by itself */

static void
test_hits(void)
{
    ngx_str_t        a = ngx_string("a"), b = ngx_string("b");
    ngx_media_ban_t  ban;

    memset(&ban, 0, sizeof(ngx_media_ban_t));

    ban.actions = PUBLISH;
    ban.network = *network("c0a80100", 24);

    ok(ngx_media_ban_hits(&ban, PUBLISH, &a, network("c0a80107", 32)),
       "hits: from its network");
    ok(!ngx_media_ban_hits(&ban, PUBLISH, &a, network("c0a80207", 32)),
       "hits: from another one");
    ok(!ngx_media_ban_hits(&ban, PUBLISH, &a, NULL), "hits: from nowhere");
    ok(!ngx_media_ban_hits(&ban, PLAY, &a, network("c0a80107", 32)),
       "hits: to play");

    ban.name = b;

    ok(!ngx_media_ban_hits(&ban, PUBLISH, &a, network("c0a80107", 32)),
       "hits: another name");
    ok(ngx_media_ban_hits(&ban, PUBLISH, &b, network("c0a80107", 32)),
       "hits: its name");
}


static void
test_full(void)
{
    char        name[NGX_MEDIA_NAME_MAX + 1];
    uint64_t    id, ids[NGX_MEDIA_BANS];
    ngx_uint_t  i, k, same, wrong;

    fresh();
    wrong = 0;

    for (i = 0; i < NGX_MEDIA_BANS; i++) {
        (void) snprintf(name, sizeof(name), "name%u", (unsigned) i);
        wrong += add(PUBLISH, name, NULL, 0, 1000 + i, &ids[i]) != NGX_OK;
    }

    is(wrong, 0, "full: 1024 are banned");

    same = 0;

    for (i = 0; i < NGX_MEDIA_BANS; i++) {
        for (k = 0; k < i; k++) {
            same += ids[i] == ids[k];
        }
    }

    is(same, 0, "full: each has an id of its own");

    is(add(PUBLISH, "more", NULL, 0, 1000, &id), NGX_BUSY, "full: no more");
    is(add(PUBLISH, "name7", NULL, 0, 9000, &id), NGX_OK,
       "full: but who is already");
    is(count(), NGX_MEDIA_BANS, "full: all are listed");

    is(ngx_media_bans_remove(bans, ids[3]), NGX_OK, "full: one is lifted");
    is(add(PUBLISH, "more", NULL, 0, 9000, &id), NGX_OK, "full: so one more");

    later(1500);
    is(add(PUBLISH, "yet", NULL, 0, 9000, &id), NGX_OK,
       "full: or one is over");
    ok(look(PUBLISH, "name0", NULL) == NULL, "full: the first is over");
    ok(look(PUBLISH, "name1023", NULL) != NULL, "full: the last is not");

    memset(name, 'n', NGX_MEDIA_NAME_MAX);
    name[NGX_MEDIA_NAME_MAX] = '\0';
    is(add(PUBLISH, name, NULL, 0, 1000, &id), NGX_OK, "full: a long name");
    ok(look(PUBLISH, name, NULL) != NULL, "full: all of it");
}


/* a process that dies with the lock; several that ban and lift at a time */

static void
test_dead(void)
{
    int          i, k, status;
    char         name[16];
    pid_t        pid[4];
    uint64_t     id;
    ngx_uint_t   wrong;

    fresh();

    (void) add(PUBLISH, "a", NULL, 0, 60000, NULL);

    pid[0] = fork();

    if (pid[0] == 0) {
        ngx_pid = getpid();
        (void) ngx_media_lock((ngx_media_lock_t *) bans);
        _exit(0);
    }

    (void) waitpid(pid[0], &status, 0);

    ok(look(PUBLISH, "a", NULL) != NULL, "dead: the lock is taken from it");
    is(*(ngx_media_lock_t *) bans, 0, "dead: and free");

    for (i = 0; i < 4; i++) {
        pid[i] = fork();

        if (pid[i]) {
            continue;
        }

        ngx_pid = getpid();
        srandom(i);
        wrong = 0;

        for (k = 0; k < 20000; k++) {
            (void) snprintf(name, sizeof(name), "%d-%d", i, k % 50);

            wrong += add(PUBLISH, name, NULL, 0, 60000, &id) != NGX_OK
                     || look(PUBLISH, name, NULL) == NULL
                     || ngx_media_bans_remove(bans, id) != NGX_OK
                     || look(PUBLISH, name, NULL) != NULL;
        }

        _exit(wrong != 0);
    }

    wrong = 0;

    for (i = 0; i < 4; i++) {
        (void) waitpid(pid[i], &status, 0);
        wrong += status != 0;
    }

    is(wrong, 0, "dead: processes do not disturb one another");
    is(count(), 1, "dead: what is left");
}


/* clocks of processes differ: what one takes to be over another one does not */

static void
test_clocks(void)
{
    uint64_t  id, again;

    fresh();

    (void) add(PUBLISH, "a", NULL, 0, 60000, &id);
    (void) add(PUBLISH, "b", NULL, 0, 60000, NULL);

    later(60000);
    ok(look(PUBLISH, "b", NULL) == NULL, "clocks: by one all are over");

    later(-10);
    is(add(PUBLISH, "c", NULL, 0, 60000, &again), NGX_OK,
       "clocks: the other one bans");
    ok(again != id, "clocks: whom it says");
    ok(look(PUBLISH, "c", NULL) != NULL, "clocks: who is met");
    is(ngx_media_bans_remove(bans, again), NGX_OK, "clocks: by its id");

    later(60000);
    (void) look(PUBLISH, "b", NULL);
    later(-60000);
    is(add(PUBLISH, "c", NULL, 0, 60000, NULL), NGX_OK, "clocks: the same");
    ok(look(PUBLISH, "c", NULL) != NULL, "clocks: who is met, too");
}


/* the process that is followed */

static void
step_work(void)
{
    uint64_t  id;

    (void) add(PUBLISH, "b", NULL, 0, 60000, &id);
    (void) add(PUBLISH, "b", NULL, 0, 70000, &id);
    (void) ngx_media_bans_remove(bans, id);
    (void) add(PUBLISH, "behind", NULL, 0, 60000, NULL);
    (void) add(PUBLISH, "b", "c0a80100", 24, 60000, &id);
}


static ngx_uint_t  step_wrong;


static void
step_look(void)
{
    uint64_t    id, other;
    ngx_uint_t  n;

    n = count();

    step_wrong += look(PUBLISH, "a", NULL) == NULL;
    step_wrong += look(PUBLISH, "c", NULL) != NULL;

    step_wrong += add(PUBLISH, "c", NULL, 0, 60000, &id) != NGX_OK;
    step_wrong += look(PUBLISH, "c", NULL) == NULL;
    step_wrong += add(PUBLISH, "d", "c0a80101", 32, 60000, &other) != NGX_OK;
    step_wrong += look(PUBLISH, "d", "c0a80101") == NULL;
    step_wrong += id == other || count() != n + 2;

    step_wrong += ngx_media_bans_remove(bans, id) != NGX_OK;
    step_wrong += ngx_media_bans_remove(bans, other) != NGX_OK;
    step_wrong += look(PUBLISH, "c", NULL) != NULL;
    step_wrong += add(PUBLISH, "b", NULL, 0, 60000, &id) != NGX_OK;
    step_wrong += look(PUBLISH, "b", NULL) == NULL;
    step_wrong += ngx_media_bans_remove(bans, id) != NGX_OK;
}


static void
test_step(void)
{
    ngx_uint_t  n;

    fresh();

    (void) add(PUBLISH, "a", NULL, 0, 60000, NULL);

    n = step_each(bans, 4096, (ngx_media_lock_t *) bans, step_work,
                  step_look);

    ok(n == 0 || n > 20, "step: moments, %u", (unsigned) n);
    is(step_wrong, 0, "step: wherever one dies, bans are as they are said");
}


int
main(void)
{
    ngx_pid = getpid();

    test_meets();
    test_time();
    test_hits();
    test_full();
    test_dead();
    test_clocks();
    test_step();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
