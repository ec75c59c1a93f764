
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ngx_stub.c formats/ngx_media_srt.c formats/ngx_media_srt_control.c
         ingest/ngx_media_srt_play.c ingest/ngx_media_srt_ring.c
         ingest/ngx_media_srt_slots.c ingest/ngx_media_srt_tx.c */


/*
 * The role of viewers over SRT: who may, and what he is told, what leaves by a
 * socket that takes all, some or nothing, and each way in which it ends.  The
 * session, its keys, checks and the feed are made up here.
 */


#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/ngx_media_ban.h"
#include "access/ngx_media_viewer.h"
#include "formats/ngx_media_bytes.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_srt_feed.h"
#include "ingest/ngx_media_srt_session.h"
#include "ingest/ngx_media_srt_tx.h"
#include "ngx_stub.h"
#include "tap.h"


#define PACKETS   70                          /* in the ring */
#define ISN       0x7ffffff0                  /* it wraps */
#define LATENCY   2000
#define MOST      1500                        /* ms, of the configuration */

/* what each of those that are asked answers */

static struct {
    ngx_int_t    access;                      /* of the check */
    ngx_uint_t   status;
    ngx_int_t    ban;
    ngx_int_t    find;
    ngx_int_t    viewer;
    ngx_int_t    join;
    ngx_int_t    touch;
    ngx_int_t    encrypt;
    ngx_int_t    refresh;
    ngx_uint_t   id;                          /* of access */
    time_t       expires;
} say;

/* what became of it */

static struct {
    ngx_uint_t   code;                        /* declined */
    ngx_int_t    answered;
    ngx_uint_t   asked;
    ngx_uint_t   cancelled;
    ngx_uint_t   left;                        /* feed_leave() of a member */
    ngx_uint_t   viewers;                     /* those that are there */
    ngx_uint_t   finished;
    ngx_uint_t   sent;                        /* control packets, */
    ngx_uint_t   type;                        /* the last */
    ngx_uint_t   here;
    ngx_uint_t   unreachable;
    const char  *ended;                       /* access was told */
    const char  *failed;
    const char  *over;                        /* session_end() */
    u_char       name[16];
    size_t       name_len;
} did;

static ngx_media_app_t               app;
static ngx_media_srt_conf_t          conf;
static ngx_media_srt_handshake_t     hs;
static ngx_connection_t              connection, wire;
static ngx_media_srt_session_t       session;
static ngx_media_srt_ring_t          ring;
static ngx_media_srt_feed_member_t  *member;
static ngx_media_access_conf_t       asked;
static ngx_uint_t                    key_len;
static int64_t                       now;
static int                           peer = -1;

static const ngx_media_srt_role_t  *role = &ngx_media_srt_play_role;


ngx_uint_t
ngx_media_publish_name_valid(const ngx_str_t *name)
{
    return name->len && name->data[0] != '/';
}


ngx_int_t
ngx_media_access_ask(const ngx_media_access_conf_t *c,
    ngx_media_access_t **access, const char **reason)
{
    static u_char     other[] = "other";
    static ngx_str_t  renamed = { sizeof(other) - 1, other };

    asked = *c;
    did.asked++;

    c->verdict->status = say.status;
    c->verdict->id = say.id;
    c->verdict->expires = say.expires;

    *reason = "a check says no";

    if (say.access == NGX_AGAIN) {
        *access = (ngx_media_access_t *) &asked;

    } else if (say.access == NGX_OK) {
        (void) c->rename(c->data, &renamed);
    }

    return say.access;
}


void
ngx_media_access_cancel(ngx_media_access_t *access)
{
    did.cancelled++;
}


void
ngx_media_access_here(const ngx_media_app_t *a, uint64_t id,
    void (*close)(void *data, const char *reason), void *data)
{
    did.here++;

    if (say.status == 999) {
        close(data, "a check changed its mind");
    }
}


void
ngx_media_access_ended(const ngx_media_app_t *a, uint64_t id,
    const char *reason)
{
    did.ended = reason;
}


ngx_int_t
ngx_media_ban_check(const ngx_media_app_t *a, ngx_uint_t action,
    const ngx_str_t *name, const ngx_str_t *address, const char **reason)
{
    *reason = "banned";
    return say.ban;
}


ngx_int_t
ngx_media_stream_find(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_stream_t *stream)
{
    return say.find;
}


void
ngx_media_viewer_who(const ngx_media_access_conf_t *c, ngx_uint_t protocol,
    ngx_media_session_who_t *who, ngx_media_session_limit_t *limit)
{
}


ngx_int_t
ngx_media_viewer_begin(ngx_media_app_t *a, const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, ngx_media_viewer_t *viewer,
    const char **reason)
{
    if (say.viewer == NGX_OK) {
        did.viewers++;
        viewer->sessions = (ngx_media_sessions_t *) &did;
    }

    *reason = "the stream has too many viewers";

    return say.viewer;
}


ngx_msec_t
ngx_media_viewer_tick(const ngx_media_viewer_t *viewer)
{
    return 1000;
}


ngx_int_t
ngx_media_viewer_touch(ngx_media_viewer_t *viewer)
{
    return say.touch;
}


void
ngx_media_viewer_end(ngx_media_viewer_t *viewer)
{
    did.viewers -= viewer->sessions != NULL;
    viewer->sessions = NULL;
}


ngx_media_srt_slots_t *
ngx_media_srt_worker_slots(const ngx_media_srt_conf_t *c)
{
    return (ngx_media_srt_slots_t *) &did;
}


ngx_int_t
ngx_media_srt_feed_join(const ngx_media_stream_t *stream,
    ngx_media_srt_feed_member_t *m)
{
    if (say.join == NGX_OK) {
        m->feed = (ngx_media_srt_feed_t *) &ring;
        member = m;
    }

    return say.join;
}


void
ngx_media_srt_feed_leave(ngx_media_srt_feed_member_t *m)
{
    did.left += m->feed != NULL;
    m->feed = NULL;
    member = NULL;
}


const ngx_media_srt_ring_t *
ngx_media_srt_feed_ring(const ngx_media_srt_feed_t *feed)
{
    return &ring;
}


void
ngx_media_srt_keys_stat(const ngx_media_srt_keys_t *keys,
    ngx_media_srt_keys_stat_t *stat)
{
    ngx_memzero(stat, sizeof(ngx_media_srt_keys_stat_t));
    stat->len = key_len;
}


ngx_int_t
ngx_media_srt_keys_encrypt(ngx_media_srt_keys_t *keys, uint32_t seq,
    const u_char *pos, const u_char *last, u_char *out, ngx_uint_t *kk)
{
    size_t  i;

    for (i = 0; pos + i < last; i++) {
        out[i] = pos[i] ^ 0x55;
    }

    *kk = NGX_MEDIA_SRT_KK_ODD;

    return say.encrypt;
}


ngx_int_t
ngx_media_srt_keys_refresh(ngx_media_srt_keys_t *keys, int64_t at,
    int64_t rtt, ngx_str_t *km)
{
    ngx_str_set(km, "key");

    return say.refresh;
}


ngx_int_t
ngx_media_srt_named(ngx_media_srt_session_t *s, const ngx_str_t *name)
{
    did.name_len = name->len;
    memcpy(did.name, name->data, name->len);

    return NGX_OK;
}


ngx_int_t
ngx_media_srt_decline(ngx_media_srt_session_t *s, ngx_uint_t code,
    const char *reason)
{
    did.code = code;

    return NGX_DECLINED;
}


void
ngx_media_srt_answered(ngx_media_srt_session_t *s, ngx_int_t rc)
{
    did.answered = rc;
}


void
ngx_media_srt_session_fail(ngx_media_srt_session_t *s, const char *reason)
{
    did.failed = did.failed ? did.failed : reason;
}


void
ngx_media_srt_session_end(ngx_media_srt_session_t *s, const char *reason)
{
    did.over = reason;
    role->end(s, reason);
}


void
ngx_media_srt_session_finish(ngx_media_srt_session_t *s)
{
    did.finished++;
}


void
ngx_media_srt_session_send(ngx_media_srt_session_t *s, ngx_uint_t type,
    ngx_uint_t subtype, uint32_t info, const u_char *body, size_t len)
{
    did.sent++;
    did.type = type << 16 | subtype;
}


void
ngx_media_srt_session_reply(void *data, ngx_uint_t type, uint32_t info,
    const u_char *body, size_t len)
{
    ngx_media_srt_session_send(data, type, 0, info, body, len);
}


void
ngx_media_srt_unreachable(ngx_media_srt_session_t *s, ngx_err_t err)
{
    did.unreachable++;
}


static void
clock_to(int64_t msec)
{
    ngx_stub_clock(msec);
    now = msec * 1000;
}


static void
turn(int64_t msec)
{
    clock_to(now / 1000 + msec);
    ngx_stub_timers();
    ngx_stub_events();
}


/* a caller who is let in, if nothing else is said */

static void
start(void)
{
    ngx_memzero(&say, sizeof(say));
    ngx_memzero(&did, sizeof(did));
    ngx_memzero(&session, sizeof(session));
    ngx_memzero(&connection, sizeof(connection));
    ngx_memzero(&wire, sizeof(wire));
    ngx_memzero(&hs, sizeof(hs));

    say.refresh = NGX_AGAIN;
    key_len = 0;
    peer = -1;

    clock_to(1800000000000);
    ngx_stub_timers_init();

    conf.app = &app;
    conf.latency_max = MOST;

    connection.pool = ngx_create_pool(4096, &ngx_stub_log);
    connection.log = &ngx_stub_log;
    wire.fd = -1;

    hs.isn = ISN;
    hs.id = 0x12345678;
    hs.window = 8192;

    session.connection = &connection;
    session.socket = &wire;
    session.conf = &conf;
    session.hs = &hs;
    session.mtu = 1500;
    session.peer_latency = LATENCY;
    session.began = now;
    ngx_str_set(&session.asked_for, "stream");
}


static void
finish(const char *what)
{
    role->end(&session, "bye");

    is(did.viewers, 0, "%s: no session of a viewer is left", what);
    ok(member == NULL, "%s: it is no member", what);
    ok(ngx_queue_empty(&ngx_posted_events), "%s: nothing is posted", what);

    /* timers that were left would be called */

    did.over = NULL;
    turn(1000000);
    ok(did.over == NULL, "%s: no timer is left", what);

    if (peer != -1) {
        close(peer);
        close(wire.fd);
    }

    ngx_destroy_pool(connection.pool);
    ngx_media_srt_ring_free(&ring);
    ngx_memzero(&ring, sizeof(ring));
}


static void
refused(ngx_uint_t code, const char *what)
{
    is(role->ask(&session), NGX_DECLINED, "%s: declined", what);
    is(did.code, code, "%s: the code", what);
    finish(what);
}


static void
test_refused(void)
{
    static const struct {
        ngx_int_t   *say;
        ngx_int_t    value;
        ngx_uint_t   status;
        ngx_uint_t   code;
        const char  *what;
    } cases[] = {
        { &say.access, NGX_DECLINED, 401, 2401, "who is it" },
        { &say.access, NGX_DECLINED, 403, 2403, "he may not" },
        { &say.access, NGX_DECLINED, 503, 2503, "no answer" },
        { &say.access, NGX_ERROR, 0, 1003, "no memory for a check" },
        { &say.ban, NGX_DECLINED, 0, 2403, "banned" },
        { &say.find, NGX_DECLINED, 0, 2404, "no stream" },
        { &say.viewer, NGX_DECLINED, 0, 2403, "one too many" },
        { &say.join, NGX_DONE, 0, 2404, "it has ended" },
        { &say.join, NGX_ERROR, 0, 1003, "no memory for a feed" },
    };

    ngx_uint_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start();
        say.id = 7;
        say.status = cases[i].status;
        *cases[i].say = cases[i].value;
        refused(cases[i].code, cases[i].what);
        is_text(did.ended, strlen(did.ended), "it was not played",
                "%s: access is told", cases[i].what);
    }

    start();
    ngx_str_set(&session.asked_for, "/");
    refused(2404, "no name");
    is(did.asked, 0, "no name: nobody is asked");

    start();
    session.mtu = 1359;
    refused(2413, "an MTU of 1359");
    is(did.asked, 0, "an MTU of 1359: nobody is asked");

    start();
    ngx_exiting = 1;
    refused(2503, "the worker leaves");
    ngx_exiting = 0;
}


static void
test_waits(void)
{
    start();
    say.access = NGX_AGAIN;

    is(role->ask(&session), NGX_AGAIN, "waits: for an answer");
    did.answered = 99;
    say.access = NGX_OK;
    asked.ready(asked.data, NGX_OK, NULL);
    is(did.answered, NGX_OK, "waits: it is yes");
    is_text(did.name, did.name_len, "stream", "waits: the name");
    is(member->latency, MOST, "waits: no more is kept than may be");

    finish("waits");
    is(did.cancelled, 0, "waits: nothing was cancelled");
    is(did.left, 1, "waits: the feed is left");

    start();
    say.access = NGX_AGAIN;
    (void) role->ask(&session);
    finish("goes");
    is(did.cancelled, 1, "goes: while it is waited for");

    start();
    is(role->ask(&session), NGX_OK, "renamed: let in");
    is_text(did.name, did.name_len, "other", "renamed: the name");
    finish("renamed");
}


/* payloads that are told apart, the last one is short */

static void
fill(ngx_uint_t n)
{
    ngx_uint_t                i;
    ngx_media_srt_payload_t  *p;

    ring.keep = 10000000;

    for (i = 0; i < n; i++) {
        p = ngx_media_srt_ring_next(&ring, &ngx_stub_log);

        p->time = now;
        p->len = i + 1 == n ? 376 : NGX_MEDIA_SRT_RING_PAYLOAD;
        p->key = ring.head == 0;
        memset(p->data, (int) (ring.head + 1), p->len);

        ngx_media_srt_ring_put(&ring);
    }
}


/* a pair of sockets; of UDP the kernel cuts what is sent */

static void
sockets(ngx_uint_t udp)
{
    int                 fds[2], size;
    socklen_t           len;
    struct sockaddr_in  sin;

    if (!udp) {
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == -1) {
            abort();
        }

        wire.fd = fds[0];
        peer = fds[1];
        return;
    }

    ngx_memzero(&sin, sizeof(sin));

    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(sin);
    size = 1024 * 1024;

    peer = socket(AF_INET, SOCK_DGRAM, 0);
    wire.fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void) setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));

    if (bind(peer, (struct sockaddr *) &sin, len) == -1
        || getsockname(peer, (struct sockaddr *) &sin, &len) == -1
        || connect(wire.fd, (struct sockaddr *) &sin, len) == -1)
    {
        abort();
    }
}


static void
open_it(ngx_uint_t udp)
{
    sockets(udp);

    is(role->ask(&session), NGX_OK, "let in");

    member->ready(member->data);
    is(did.finished, 0, "there is no socket yet");

    is(role->open(&session, now), NGX_OK, "open");

    member->ready(member->data);
    is(did.finished, 1, "payloads are sent in the end of an event");
}


/* reads what has come; returns the number of packets that are right */

static ngx_uint_t
got(ngx_uint_t from, u_char mask, ngx_uint_t kk)
{
    u_char      bytes[2048];
    ssize_t     n, i;
    uint32_t    seq;
    ngx_uint_t  right;

    right = 0;

    for ( ;; ) {
        n = recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (n <= 0) {
            break;
        }

        seq = (ISN + from + right) & 0x7fffffff;

        for (i = 16; i < n; i++) {
            if (bytes[i] != (u_char) ((from + right + 1) ^ mask)) {
                break;
            }
        }

        if (i == n && n > 16 && ngx_media_get_be32(bytes) == seq
            && (bytes[4] >> 3 & 3) == kk
            && ngx_media_get_be32(bytes + 12) == hs.id)
        {
            right++;
            continue;
        }

        diag("packet %d: %d bytes, number %x, byte %02x", (int) right, (int) n,
             (unsigned) ngx_media_get_be32(bytes), bytes[16]);
        break;
    }

    return right;
}


/* up to so many packets, behind those that came */

static ngx_uint_t
send_all(ngx_uint_t n, ngx_uint_t all, u_char mask, ngx_uint_t kk)
{
    ngx_uint_t  i;

    for (i = 0; i < 500 && n < all; i++) {
        (void) role->tick(&session, now);
        n += got(n, mask, kk);
        turn(20);
    }

    return n;
}


/* packets of one size go in messages, by the kernel, or one by one */

static void
test_sends(ngx_uint_t udp, const char *what)
{
    start();
    fill(PACKETS);
    open_it(udp);

    is(send_all(0, PACKETS, 0, 0), PACKETS,
       "%s: all of them, once and in order", what);
    is(connection.sent,
       PACKETS * 16 + (PACKETS - 1) * NGX_MEDIA_SRT_RING_PAYLOAD + 376,
       "%s: all bytes are counted", what);
    is(did.unreachable, 0, "%s: the peer is there", what);
    ok(did.failed == NULL, "%s: it goes on", what);

    finish(what);
}


/* the system has room for some, or none: the others are not left out */

static void
test_blocked(void)
{
    int         size;
    off_t       sent;
    ngx_uint_t  n;

    start();
    fill(PACKETS);
    open_it(0);

    size = 8 * NGX_MEDIA_SRT_RING_PAYLOAD;
    (void) setsockopt(wire.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

    turn(LATENCY / 4);

    is(role->tick(&session, now), 5, "blocked: it is tried again soon");

    sent = connection.sent;
    n = sent / (16 + NGX_MEDIA_SRT_RING_PAYLOAD);
    ok(n > 0 && n < PACKETS, "blocked: %d of them had room", (int) n);

    is(role->tick(&session, now), 5, "blocked: and again");
    is(connection.sent, sent, "blocked: nothing leaves");

    is(got(0, 0, 0), n, "blocked: those have come");
    is(send_all(n, PACKETS, 0, 0), PACKETS,
       "blocked: the others come behind them");

    finish("blocked");

    /* nobody is there */

    start();
    fill(3);
    open_it(0);
    close(peer);
    peer = dup(wire.fd);

    (void) role->tick(&session, now);
    ok(did.unreachable > 0, "gone: the session is told");
    finish("gone");
}


static void
test_encrypted(void)
{
    u_char  bytes[2048];

    start();
    key_len = 16;
    fill(4);
    open_it(0);

    say.refresh = NGX_OK;
    is(send_all(0, 4, 0x55, NGX_MEDIA_SRT_KK_ODD), 4,
       "encrypted: all of them");
    is(did.type, NGX_MEDIA_SRT_EXT << 16 | NGX_MEDIA_SRT_KMREQ,
       "encrypted: a new key is said");

    say.refresh = NGX_DECLINED;
    (void) role->tick(&session, now);
    ok(did.failed != NULL, "encrypted: it takes no new key: %s", did.failed);

    did.failed = NULL;
    say.refresh = NGX_AGAIN;
    say.encrypt = NGX_ERROR;
    fill(1);
    turn(100);
    (void) role->tick(&session, now);
    ok(did.failed != NULL, "encrypted: what cannot be ends it: %s",
       did.failed);

    is(recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT), 16 + 376,
       "encrypted: and nothing");
    is(bytes[16] | bytes[16 + 375], 0, "encrypted: leaves in clear");

    finish("encrypted");
}


static void
over(const char *reason, const char *what)
{
    ok(did.over && strcmp(did.over, reason) == 0, "%s: it is over: %s", what,
       did.over ? did.over : "not");
    finish(what);
}


static void
test_ends(void)
{
    start();
    open_it(0);
    member->end(member->data, "the stream has ended");
    turn(LATENCY + 400);
    ok(did.over == NULL, "ends: what is on its way has time");
    turn(200);
    over("the stream has ended", "ends");

    start();
    app.drain = 5000;
    open_it(0);
    is(role->drain(&session), NGX_OK, "drain: it stays");
    turn(4900);
    is(role->drain(&session), NGX_OK, "drain: as long as was said first");
    ok(did.over == NULL, "drain: it is not over");
    turn(200);
    over("the drain time is over", "drain");

    start();
    app.drain = 0;
    open_it(0);
    (void) role->drain(&session);
    turn(900000);
    ok(did.over == NULL, "drain: without a limit it stays");
    finish("no drain");

    start();
    open_it(0);
    turn(1000);
    ok(did.over == NULL, "kicked: not yet");
    say.touch = NGX_ABORT;
    turn(1000);
    over(NGX_MEDIA_VIEWER_KICKED, "kicked");

    start();
    say.expires = ngx_time() + 10;
    open_it(0);
    turn(9000);
    ok(did.over == NULL, "expires: not yet");
    turn(2000);
    over(NGX_MEDIA_ACCESS_OVER, "expires");

    /* in the middle of something */

    start();
    say.id = 7;
    say.status = 999;
    open_it(0);
    is(did.here, 1, "closed: access is told that he is here");
    ok(did.over == NULL, "closed: not at once");
    turn(0);
    ok(did.ended != NULL && strcmp(did.ended, did.over) == 0,
       "closed: access is told why");
    over("a check changed its mind", "closed");

    start();
    say.id = 7;
    say.status = 999;
    open_it(0);
    finish("closed and gone");
}


int
main(void)
{
    test_refused();
    test_waits();
    test_sends(1, "udp");
    test_sends(0, "one by one");
    test_blocked();
    test_encrypted();
    test_ends();

    is(ngx_stub_pools, 0, "pools are given back");
    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
