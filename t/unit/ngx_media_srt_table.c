
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_table.c formats/ngx_media_siphash.c */
/* link: memory/ngx_media_process.c ngx_stub.c */


/*
 * The table of SRT sessions: who has a caller, what is known of one whose
 * process has died, and for how long.
 */


#include "ingest/ngx_media_srt_table.h"
#include "core/ngx_media.h"
#include "media_step.h"
#include "ngx_stub.h"
#include "tap.h"

#include <arpa/inet.h>


static ngx_media_srt_table_shm_t  *table;
static size_t                      table_size;
static const u_char               *secret = (const u_char *)
                                               "0123456789abcdef";


static void
start(void)
{
    ngx_media_zone_conf_t  conf;

    memset(&conf, 0, sizeof(conf));

    if (table) {
        munmap(table, table_size);
    }

    table_size = ngx_media_srt_table_size(&conf);
    table = step_memory(table_size);

    ngx_media_srt_table_init(table, table_size, secret);

    ngx_stub_clock(1000000);
}


static void
addr(ngx_media_srt_addr_t *a, const char *ip, ngx_uint_t port)
{
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));

    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    inet_pton(AF_INET, ip, &sin.sin_addr);

    (void) ngx_media_srt_addr(a, (struct sockaddr *) &sin);
}


static ngx_int_t
add_isn(ngx_media_srt_record_t *r, ngx_uint_t port, uint32_t peer,
    ngx_uint_t row, uint32_t isn)
{
    memset(r, 0, sizeof(*r));

    addr(&r->remote, "192.0.2.1", port);
    addr(&r->local, "192.0.2.2", 9000);
    r->peer = peer;
    r->isn = isn;

    return ngx_media_srt_table_add(table, row, r);
}


static ngx_int_t
add(ngx_media_srt_record_t *r, ngx_uint_t port, uint32_t peer, ngx_uint_t row)
{
    return add_isn(r, port, peer, row, 7);
}


static ngx_int_t
find(uint32_t id, ngx_uint_t port, ngx_media_srt_record_t *r,
    ngx_uint_t *tell)
{
    ngx_media_srt_addr_t  a;

    addr(&a, "192.0.2.1", port);

    return ngx_media_srt_table_find(table, id, &a, r, tell);
}


static void
test_addr(void)
{
    struct sockaddr       sa;
    struct sockaddr_in6   sin6;
    ngx_media_srt_addr_t  four, six;

    memset(&sin6, 0, sizeof(sin6));
    sin6.sin6_family = AF_INET6;
    sin6.sin6_port = htons(5000);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &sin6.sin6_addr);

    addr(&four, "192.0.2.1", 5000);

    ok(ngx_media_srt_addr(&six, (struct sockaddr *) &sin6) == NGX_OK
       && memcmp(&four, &six, sizeof(four)) == 0,
       "IPv4 is the same in a socket of both");

    memset(&sa, 0, sizeof(sa));
    sa.sa_family = AF_UNIX;

    ok(ngx_media_srt_addr(&six, &sa) == NGX_ERROR, "a path is no address");
}


static void
test_life(void)
{
    uint32_t                id;
    ngx_uint_t              tell;
    ngx_media_srt_record_t  r, s;

    start();

    ok(memcmp(ngx_media_srt_table_secret(table), secret, 16) == 0, "secret");

    ok(add(&r, 5000, 11, 1) == NGX_OK && r.id != 0
       && (r.id & NGX_MEDIA_SRT_TABLE_GROUP) == 0 && r.id >> 30 == 0,
       "an id that is none of a group");
    id = r.id;

    ok(add(&s, 5000, 11, 1) == NGX_DECLINED && s.id == id
       && s.state == NGX_MEDIA_SRT_PENDING && s.pid == ngx_pid,
       "a repeated one is found");
    ok(add(&s, 5001, 11, 1) == NGX_OK && s.id != id, "another port");
    ok(add(&s, 5000, 12, 1) == NGX_OK && s.id != id, "another socket");
    is(ngx_media_srt_table_used(table), 3, "three of them");

    ngx_media_srt_table_open(table, id);

    ok(find(id, 5000, &s, &tell) == NGX_OK && s.state == NGX_MEDIA_SRT_OPEN
       && s.peer == 11 && tell == 0, "by its id");
    ok(find(id, 5001, &s, &tell) == NGX_DECLINED, "from another port");
    ok(find(id ^ 0x4000, 5000, &s, &tell) == NGX_DECLINED, "another id");
    ok(find(0x3fff, 5000, &s, &tell) == NGX_DECLINED, "an index too far");

    ngx_media_srt_table_end(table, id);

    ok(find(id, 5000, &s, &tell) == NGX_OK && s.state == NGX_MEDIA_SRT_ENDED
       && s.peer == 11 && tell == 1, "who does not know of the end is told");
    ok(find(id, 5000, &s, &tell) == NGX_OK && tell == 0, "once");
    ok(add(&s, 5000, 11, 1) == NGX_DECLINED, "a late repetition is known");
    ok(add_isn(&s, 5000, 11, 1, 8) == NGX_OK && s.id != id,
       "another ISN is another session");
    ok(add_isn(&r, 5000, 11, 1, 9) == NGX_DECLINED && r.id == s.id,
       "but not while the first one is there");
    ngx_media_srt_table_free(table, s.id);

    ok(add(&s, 5000, 11, 1) == NGX_OK, "the first one again");
    id = s.id;
    ngx_media_srt_table_open(table, id);
    ngx_media_srt_table_end(table, id);
    ok(find(id, 5000, &s, &tell) == NGX_OK && tell == 1, "ends as before");

    ngx_stub_clock(1001000);
    ok(find(id, 5000, &s, &tell) == NGX_OK && tell == 1, "once a second");

    ngx_stub_clock(1004000);
    ngx_media_srt_table_tick(table);
    is(ngx_media_srt_table_used(table), 3, "records outlive sessions");

    ngx_stub_clock(1005000);
    ngx_media_srt_table_tick(table);
    is(ngx_media_srt_table_used(table), 2, "for 5 s");
    ok(find(id, 5000, &s, &tell) == NGX_DECLINED, "then nobody knows it");

    ok(add(&r, 5000, 11, 1) == NGX_OK, "it may come again");
    ngx_media_srt_table_free(table, r.id);
    ok(add(&r, 5000, 11, 1) == NGX_OK, "who was refused, at once");
}


static void
dies_pending(void)
{
    ngx_media_srt_record_t  r;

    (void) add(&r, 6000, 1, 5);
}


static void
dies_open(void)
{
    ngx_media_srt_record_t  r;

    (void) add(&r, 6001, 2, 5);
    ngx_media_srt_table_open(table, r.id);
}


static void
child(void (*work)(void))
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        work();
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);
}


static void
test_dead(void)
{
    uint32_t                id;
    ngx_uint_t              tell;
    ngx_media_srt_record_t  r;

    start();
    child(dies_pending);
    ok(add(&r, 6000, 1, 1) == NGX_OK && r.pid == ngx_pid,
       "who waits for a process that died is taken by another one");

    start();
    child(dies_open);

    /* its id is that of index 0 */

    for (id = 0; id < 0x40000000; id += 0x4000) {
        if (find(id, 6001, &r, &tell) == NGX_OK) {
            break;
        }
    }

    ok(tell && r.peer == 2 && r.state == NGX_MEDIA_SRT_ENDED,
       "the peer of a dead process is told at once");
    ok(find(id, 6001, &r, &tell) == NGX_OK && !tell, "and once a second");

    start();
    child(dies_open);
    ok(add(&r, 6001, 2, 1) == NGX_OK, "it may also begin anew");

    start();
    child(dies_pending);
    child(dies_open);
    ok(add(&r, 6002, 3, 4) == NGX_OK, "one of a process that lives");
    ngx_media_srt_table_swept(table, 5);
    is(ngx_media_srt_table_used(table), 2, "swept: pending ones are free");

    ngx_stub_clock(1005000);
    ngx_media_srt_table_tick(table);
    is(ngx_media_srt_table_used(table), 1, "open ones later");
    ok(find(r.id, 6002, &r, &tell) == NGX_OK
       && r.state == NGX_MEDIA_SRT_PENDING, "others stay");
}


/* its clock is some ms ahead of that of the process that looks */

static void
ends_later(void)
{
    ngx_uint_t              tell;
    ngx_media_srt_record_t  r;

    ngx_stub_clock(1000003);

    (void) add(&r, 6003, 4, 6);
    ngx_media_srt_table_open(table, r.id);
    ngx_media_srt_table_end(table, r.id);
    (void) find(r.id, 6003, &r, &tell);
}


static void
test_clocks(void)
{
    ngx_uint_t              tell;
    ngx_media_srt_record_t  r;

    start();
    child(ends_later);

    ok(add(&r, 6003, 4, 1) == NGX_DECLINED, "one that another has ended");

    ngx_media_srt_table_tick(table);
    is(ngx_media_srt_table_used(table), 1,
       "by a clock that is ahead, is kept for a while");
    ok(find(r.id, 6003, &r, &tell) == NGX_OK && !tell,
       "and told no more than once a second");

    ngx_stub_clock(1005003);
    ngx_media_srt_table_tick(table);
    is(ngx_media_srt_table_used(table), 0, "then it goes");
}


static void
test_full(void)
{
    ngx_uint_t              i, n, same;
    static uint32_t         ids[2048];
    ngx_media_srt_record_t  r;

    start();

    for (n = 0; n < 2048 && add(&r, n, n, 1) == NGX_OK; n++) {
        ids[n] = r.id;
    }

    is(n, 1024, "as many as there is room for");
    ok(add(&r, n, n, 1) == NGX_BUSY, "then no more");

    same = 0;

    for (i = 0; i < n; i++) {
        same += (ids[i] & 0x3fff) != i;
    }

    is(same, 0, "ids are of different records");

    for (i = 0; i < n; i += 2) {
        ngx_media_srt_table_free(table, ids[i]);
    }

    for (i = 0; i < n; i++) {
        if (add(&r, i, i, 1) != ((i & 1) ? NGX_DECLINED : NGX_OK)) {
            break;
        }
    }

    is(i, n, "freed ones are used again, the others found");

    for (i = 10; i < 13; i++) {
        ngx_stub_clock(1000000 + 100 * (i ^ 3));
        ngx_media_srt_table_open(table, ids[2 * i + 1]);
        ngx_media_srt_table_end(table, ids[2 * i + 1]);
    }

    ok(add(&r, n, n, 1) == NGX_OK && (r.id & 0x3fff) == 23,
       "where there is no room who has ended first is forgotten");
    ok(add(&r, n + 1, n, 1) == NGX_OK && add(&r, n + 2, n, 1) == NGX_OK
       && add(&r, n + 3, n, 1) == NGX_BUSY, "until there is none of them");
}


static ngx_uint_t  step_wrong;


static void
step_work(void)
{
    ngx_media_srt_record_t  r;

    if (add(&r, 7000, 1, 5) == NGX_OK) {
        ngx_media_srt_table_open(table, r.id);
        ngx_media_srt_table_end(table, r.id);
        ngx_media_srt_table_free(table, r.id);
    }
}


static void
step_look(void)
{
    ngx_uint_t              tell;
    ngx_media_srt_record_t  one, two, r;

    ngx_media_srt_table_swept(table, 5);

    step_wrong += add(&one, 7001, 2, 1) != NGX_OK;
    step_wrong += add(&two, 7002, 3, 1) != NGX_OK;
    step_wrong += one.id == two.id;

    ngx_media_srt_table_open(table, one.id);

    step_wrong += find(one.id, 7001, &r, &tell) != NGX_OK || tell
                  || r.peer != 2;
    step_wrong += add(&r, 7001, 2, 1) != NGX_DECLINED || r.id != one.id;
    step_wrong += add(&r, 7002, 3, 1) != NGX_DECLINED || r.id != two.id;

    ngx_media_srt_table_free(table, one.id);
    ngx_media_srt_table_free(table, two.id);

    ngx_stub_clock(1010000);
    ngx_media_srt_table_tick(table);
    ngx_stub_clock(1000000);

    step_wrong += ngx_media_srt_table_used(table) != 0;
}


static void
test_step(void)
{
    ngx_uint_t  n;

    start();

    n = step_each(table, 8192, (ngx_media_lock_t *) table, step_work,
                  step_look);

    if (n == 0) {
        ok(1, "no process can be followed here # SKIP");
        return;
    }

    ok(n > 20, "moments at which a process may die");
    is(step_wrong, 0, "at none of them is anything lost");
}


int
main(void)
{
    ngx_pid = getpid();

    test_addr();
    test_life();
    test_dead();
    test_clocks();
    test_full();
    test_step();

    return done();
}
