
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store ngx_stub.c */


/* who may have a stream's name, and what becomes of who had it */


#include "media_store.h"


/* what never had a part leaves nothing behind */

static void
test_unborn(void)
{
    int          status;
    char         name[16];
    pid_t        pid;
    uint64_t     number, discontinuity;
    ngx_uint_t   i, refused;
    media_pub_t  pub;

    start(64 * MB);

    is(media_pub_begin(&pub, zone, "a"), NGX_OK, "unborn: begins");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    number = ngx_media_stream_number(&pub.claim);
    discontinuity = zone->store->discontinuity;

    ngx_media_stream_release(&pub.claim, "bye");

    is(state("a"), 0, "unborn: it is gone at once");
    is(zone->store->expired, 1, "unborn: counted");
    ok(!ngx_media_claim_valid(&pub.claim), "unborn: so is the claim");
    is(validate(), 0, "unborn: the books agree");

    refused = 0;

    for (i = 0; i < 1100; i++) {
        (void) snprintf(name, sizeof(name), "name%u", (unsigned) i);

        if (media_pub_begin(&pub, zone, name) != NGX_OK) {
            refused++;
            continue;
        }

        ngx_media_stream_release(&pub.claim, "bye");
    }

    is(refused, 0, "unborn: many names, one after the other");

    (void) media_pub_begin(&pub, zone, "a");
    is(ngx_media_stream_number(&pub.claim), number,
       "unborn: they took no numbers");
    is(zone->store->discontinuity, discontinuity,
       "unborn: nor discontinuities");
    ngx_media_stream_release(&pub.claim, "bye");

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        (void) media_pub_begin(&pub, zone, "a");
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    is(state("a"), NGX_MEDIA_STREAM_LIVE, "unborn: its process died");
    wait_msec(0);
    is(state("a"), 0, "unborn: gone with the sweep");

    finish("unborn");
}


static void
test_conflict(void)
{
    char                      text[NGX_MEDIA_NAME_MAX + 2];
    int                       status;
    pid_t                     pid;
    media_pub_t               first, second;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    (void) media_pub_begin(&first, zone, "a");
    (void) media_pub_track(&first, NGX_MEDIA_VIDEO, 0, 48000);
    media_pub_cut(&first, ngx_media_stream_number(&first.claim));
    (void) media_pub_part(&first, 1000, MSEC, 1);

    app.publish_conflict = NGX_MEDIA_CONFLICT_REJECT;
    is(media_pub_begin(&second, zone, "a"), NGX_MEDIA_CLAIM_CONFLICT,
       "conflict: rejected");
    is(zone->store->refused[NGX_MEDIA_REFUSED_CONFLICT], 1,
       "conflict: counted");
    is(media_pub_part(&first, 1000, MSEC, 2), NGX_OK,
       "conflict: the first goes on");

    wait_msec(10000);
    is(media_pub_begin(&second, zone, "a"), NGX_MEDIA_CLAIM_CONFLICT,
       "conflict: rejected, however silent the first is");

    app.publish_conflict = NGX_MEDIA_CONFLICT_DROP;
    is(media_pub_begin(&second, zone, "a"), NGX_OK, "conflict: dropped");
    ok(!ngx_media_claim_valid(&first.claim), "conflict: the first has lost");
    is(media_pub_part(&first, 1000, MSEC, 3), NGX_DECLINED,
       "conflict: it cannot write");
    is(media_pub_close(&first), NGX_DECLINED, "conflict: nor close");
    is(media_pub_track(&first, NGX_MEDIA_AUDIO, 0, 48000), NGX_DECLINED,
       "conflict: nor add a track");

    view = look("a");
    is(view.tracks[0].segments[0].nparts, 2, "conflict: what it wrote is "
       "closed");

    ngx_media_stream_release(&first.claim, "late");
    is(state("a"), NGX_MEDIA_STREAM_LIVE, "conflict: nor release");

    ngx_media_stream_release(&second.claim, "bye");

    /* one whose process died is no conflict, and its lock none either */

    app.publish_conflict = NGX_MEDIA_CONFLICT_REJECT;

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        (void) media_pub_begin(&first, zone, "a");
        (void) media_pub_track(&first, NGX_MEDIA_VIDEO, 0, 48000);
        media_pub_cut(&first, ngx_media_stream_number(&first.claim));
        (void) media_pub_part(&first, 1000, MSEC, 1);
        ngx_media_stream_lock(zone, first.claim.stream.sh);
        ngx_media_zone_lock(zone);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    is(state("a"), NGX_MEDIA_STREAM_LIVE, "conflict: its process died");
    is(media_pub_begin(&second, zone, "a"), NGX_OK,
       "conflict: the next one gets it at once");
    is(second.claim.returned, 1, "conflict: and goes on");
    is(validate(), 0, "conflict: the books agree");

    /* and if nobody comes, the sweep releases it */

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        ngx_media_stream_release(&second.claim, "bye");
        (void) media_pub_begin(&first, zone, "a");
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    wait_msec(0);
    is(state("a"), NGX_MEDIA_STREAM_GRACE, "conflict: swept");

    memset(text, 'n', sizeof(text));
    text[NGX_MEDIA_NAME_MAX + 1] = '\0';
    is(media_pub_begin(&first, zone, text), NGX_MEDIA_CLAIM_LIMIT,
       "conflict: a name that is too long");
    text[NGX_MEDIA_NAME_MAX] = '\0';
    is(media_pub_begin(&first, zone, text), NGX_OK, "conflict: the longest");
    ngx_media_stream_release(&first.claim, "bye");

    finish("conflict");
}


/* who may have the name of somebody who was silent for so long */

static void
test_takeover(void)
{
    ngx_int_t           rc;
    ngx_str_t           name = ngx_string("a"), protocol = ngx_string("test");
    ngx_str_t           address = ngx_string("10.0.0.1");
    ngx_uint_t          i;
    media_pub_t         first;
    ngx_media_claim_t   claim;
    ngx_media_holder_t  holder;

    static const struct {
        const char  *what;
        ngx_uint_t   yields;
        int64_t      silent;
        const char  *address;
        ngx_uint_t   admitted;
        ngx_int_t    rc;
    } cases[] = {
        { "sends", 0, 0, "10.0.0.1", 0, NGX_MEDIA_CLAIM_CONFLICT },
        { "sends", 0, 0, "10.0.0.2", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "sent a moment ago", 0, 999, "10.0.0.1", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "silent for 1 s", 0, 1000, "10.0.0.1", 0, NGX_OK },
        { "silent for 1 s", 0, 1000, "10.0.0.2", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "silent for 1 s", 0, 1000, "10.0.0.12", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "silent for 1 s", 0, 1000, "10.0.0.", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "silent for 1 s", 0, 1000, "", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "silent for 2 s", 0, 1999, "10.0.0.2", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "silent for 2 s", 0, 2000, "10.0.0.2", 0, NGX_OK },
        { "heard by a clock ahead", 0, -50, "10.0.0.1", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "its worker leaves", 1, 0, "10.0.0.1", 0, NGX_OK },
        { "its worker leaves", 1, 0, "10.0.0.2", 0,
          NGX_MEDIA_CLAIM_CONFLICT },
        { "its worker leaves", 1, 2000, "10.0.0.2", 0, NGX_OK },
        { "sends, it is his", 0, 0, "10.0.0.2", 1, NGX_OK },
        { "sends, it is his", 0, 0, "10.0.0.1", 1, NGX_OK }
    };

    start(64 * MB);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ngx_str_t  one = ngx_string("10.0.0.1"), other;

        other.data = (u_char *) cases[i].address;
        other.len = strlen(cases[i].address);

        is(ngx_media_stream_acquire(zone, &name, &protocol, &one, 0,
                                    &first.claim), NGX_OK,
           "takeover: the first");

        if (cases[i].yields) {
            ngx_media_stream_yield(&first.claim);
        }

        /* what counts is the last media, not the beginning */

        now += 60000;
        ngx_stub_clock(now);
        ngx_media_stream_heard(&first.claim);
        now += cases[i].silent;
        ngx_stub_clock(now);

        rc = ngx_media_stream_acquire(zone, &name, &protocol, &other,
                                      cases[i].admitted, &claim);

        is(rc, cases[i].rc, "takeover: %s, another from %s", cases[i].what,
           cases[i].address);

        if (rc == NGX_OK) {
            ok(!ngx_media_claim_valid(&first.claim), "takeover: it has lost");

            /* what it still says is not said of the other */

            now += 5000;
            ngx_stub_clock(now);
            ngx_media_stream_heard(&first.claim);
            is(ngx_media_stream_holder(zone, &name, &holder), NGX_OK,
               "takeover: who has it now");
            is(holder.silent, 5000, "takeover: and was silent");

            ngx_media_stream_release(&claim, "bye");

        } else {
            is(ngx_media_stream_holder(zone, &name, &holder), NGX_OK,
               "takeover: who is in the way");
            is(holder.address_len, 8, "takeover: from where");
            is(holder.silent, ngx_max(cases[i].silent, 0),
               "takeover: for how long it is silent");

            ngx_media_stream_release(&first.claim, "bye");
        }

        is(ngx_media_stream_holder(zone, &name, &holder), NGX_DECLINED,
           "takeover: nobody has it");
    }

    /* "reject" is that, whoever comes */

    app.publish_conflict = NGX_MEDIA_CONFLICT_REJECT;

    is(media_pub_begin(&first, zone, "a"), NGX_OK, "reject: the first");
    is(ngx_media_stream_acquire(zone, &name, &protocol, &protocol, 1, &claim),
       NGX_MEDIA_CLAIM_CONFLICT, "reject: another, it is his");
    ngx_media_stream_release(&first.claim, "bye");

    /* but for one that returns without a connection that would have broken */

    is(ngx_media_stream_acquire(zone, &name, &protocol, &address, 0,
                                &first.claim), NGX_OK, "returns: the first");

    now += 999;
    ngx_stub_clock(now);
    is(ngx_media_stream_acquire(zone, &name, &protocol, &address,
                                NGX_MEDIA_CLAIM_RETURNS, &claim),
       NGX_MEDIA_CLAIM_CONFLICT, "returns: too early");

    now += 1;
    ngx_stub_clock(now);
    is(ngx_media_stream_acquire(zone, &name, &protocol, &protocol,
                                NGX_MEDIA_CLAIM_RETURNS, &claim),
       NGX_MEDIA_CLAIM_CONFLICT, "returns: from another address");
    is(ngx_media_stream_acquire(zone, &name, &address, &address,
                                NGX_MEDIA_CLAIM_RETURNS, &claim),
       NGX_MEDIA_CLAIM_CONFLICT, "returns: the first speaks otherwise");
    is(ngx_media_stream_acquire(zone, &name, &protocol, &address, 0, &claim),
       NGX_MEDIA_CLAIM_CONFLICT, "returns: it does not say so");
    is(ngx_media_stream_acquire(zone, &name, &protocol, &address,
                                NGX_MEDIA_CLAIM_RETURNS, &claim),
       NGX_OK, "returns: after a second of silence");
    ngx_media_stream_release(&claim, "bye");

    app.publish_conflict = NGX_MEDIA_CONFLICT_DROP;

    finish("takeover");
}


/* the pid of a publisher that died is another process's now */

static void
test_pid(void)
{
    media_pub_t              first, second;
    ngx_media_stream_shm_t  *s;

    start(8 * MB);

    app.publish_conflict = NGX_MEDIA_CONFLICT_REJECT;

    (void) media_pub_begin(&first, zone, "a");

    s = first.claim.stream.sh;
    ok(s->start != 0, "pid: start of its process");

    wait_msec(0);
    is(s->state, NGX_MEDIA_STREAM_LIVE, "pid: it lives");

    s->pid = getppid();
    s->start = ngx_media_process_start(getppid());

    is(media_pub_begin(&second, zone, "a"), NGX_MEDIA_CLAIM_CONFLICT,
       "pid: of another that lives");

    s->start += 1;

    is(media_pub_begin(&second, zone, "a"), NGX_OK, "pid: of one that died");

    (void) media_pub_track(&second, NGX_MEDIA_VIDEO, 0, 48000);
    is(media_pub_segment(&second, 2, 1000, 200), NGX_OK, "pid: a segment");

    s->start += 1;
    wait_msec(0);
    is(s->state, NGX_MEDIA_STREAM_GRACE, "pid: mine, of one that died");

    finish("pid");
}


static ngx_int_t
kick(const ngx_media_claim_t *claim, ngx_media_kick_e why)
{
    return ngx_media_stream_kick(&claim->stream, claim->epoch, why);
}


/* a publisher of another process, and one that never had a part */

static void
test_kick(void)
{
    int                  status;
    pid_t                pid;
    ngx_str_t            name = ngx_string("a");
    media_pub_t          first, second;
    ngx_media_claim_t    claim;
    ngx_media_holder_t   holder;

    start(64 * MB);

    (void) media_pub_begin(&first, zone, "a");
    (void) media_pub_track(&first, NGX_MEDIA_VIDEO, 0, 48000);
    media_pub_cut(&first, ngx_media_stream_number(&first.claim));
    (void) media_pub_part(&first, 1000, MSEC, 1);

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        _exit(ngx_media_stream_holder(zone, &name, &holder) != NGX_OK
              || holder.address_len == 0
              || ngx_media_stream_kick(&holder.stream, holder.epoch,
                                       NGX_MEDIA_KICK_BANNED) != NGX_OK);
    }

    (void) waitpid(pid, &status, 0);

    is(status, 0, "kick: by another process, which knows who it was");
    ok(!ngx_media_claim_valid(&first.claim), "kick: the claim is lost");
    is(media_pub_part(&first, 1000, MSEC, 2), NGX_DECLINED,
       "kick: it is declined");
    is(strcmp(ngx_media_claim_lost(&first.claim), "it is banned"), 0,
       "kick: it is told why");
    is(state("a"), NGX_MEDIA_STREAM_GRACE, "kick: its stream waits");
    is(kick(&first.claim, NGX_MEDIA_KICK_ASKED), NGX_DECLINED,
       "kick: nobody is left");

    /* what another one's end was has nothing to do with it */

    is(media_pub_begin(&second, zone, "a"), NGX_OK, "kick: it may come back");
    is(second.claim.returned, 1, "kick: to its stream");
    ngx_media_stream_release(&second.claim, "bye");

    (void) media_pub_begin(&second, zone, "a");
    app.publish_conflict = NGX_MEDIA_CONFLICT_DROP;
    wait_msec(10000);
    claim = second.claim;
    is(ngx_media_stream_holder(zone, &name, &holder), NGX_OK,
       "kick: who is meant");
    is(media_pub_begin(&second, zone, "a"), NGX_OK, "kick: taken over");
    is(strcmp(ngx_media_claim_lost(&claim),
              "another publisher took the stream over"), 0,
       "kick: that is no kick");
    is(strcmp(ngx_media_claim_lost(&first.claim), "it is banned"), 0,
       "kick: what the first was told holds");

    is(ngx_media_stream_kick(&holder.stream, holder.epoch,
                             NGX_MEDIA_KICK_BANNED), NGX_DECLINED,
       "kick: who took over meanwhile is not meant");
    ok(ngx_media_claim_valid(&second.claim), "kick: and goes on");
    is(kick(&second.claim, NGX_MEDIA_KICK_ASKED), NGX_OK,
       "kick: only this publisher");
    is(strcmp(ngx_media_claim_lost(&second.claim),
              "it was disconnected by an administrator"), 0, "kick: and why");

    /* who trails has left */

    (void) media_pub_begin(&first, zone, "a");
    (void) media_pub_track(&first, NGX_MEDIA_VIDEO, 0, 48000);
    media_pub_cut(&first, ngx_media_stream_number(&first.claim));
    (void) media_pub_part(&first, 1000, MSEC, 1);
    ngx_media_stream_finish(&first.claim, "bye");
    is(kick(&first.claim, NGX_MEDIA_KICK_ASKED), NGX_DECLINED,
       "kick: who trails has left");
    ngx_media_stream_release(&first.claim, "bye");

    /* the record may be another stream's, or nobody's */

    (void) media_pub_begin(&first, zone, "b");
    is(kick(&first.claim, NGX_MEDIA_KICK_BANNED), NGX_OK,
       "kick: one without a part");
    is(state("b"), 0, "kick: its stream is gone");
    (void) media_pub_begin(&second, zone, "b");
    is(second.claim.stream.sh == first.claim.stream.sh, 1,
       "kick: its record is used anew");
    is(strcmp(ngx_media_claim_lost(&first.claim), "it is banned"), 0,
       "kick: it knows all the same");
    ok(ngx_media_claim_valid(&second.claim), "kick: the other one publishes");
    ngx_media_stream_release(&second.claim, "bye");

    is(validate(), 0, "kick: the books agree");

    finish("kick");
}


/* who kicks dies with the lock: it is done by who repairs */

static void
test_kick_dead(void)
{
    int                      status;
    pid_t                    pid;
    media_pub_t              pub;
    ngx_media_stream_shm_t  *s;

    start(8 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    is(media_pub_segment(&pub, 2, 1000, 200), NGX_OK, "dead: a segment");

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
    (void) media_pub_part(&pub, 1000, MSEC, 2);

    s = pub.claim.stream.sh;
    wait_msec(10000);

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        ngx_media_stream_lock(zone, s);
        ngx_media_store(&s->kicked, ngx_media_kicked(s->epoch,
                                                     NGX_MEDIA_KICK_ASKED));
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    is(media_pub_part(&pub, 1000, MSEC, 3), NGX_DECLINED,
       "dead: its publisher is kicked all the same");
    ok(!ngx_media_claim_valid(&pub.claim), "dead: the claim is lost");
    is(strcmp(ngx_media_claim_lost(&pub.claim),
              "it was disconnected by an administrator"), 0, "dead: and why");
    is(s->reason_len, 39, "dead: so does the status");

    wait_msec(0);
    is(state("a"), NGX_MEDIA_STREAM_GRACE, "dead: its grace time begins");
    is(validate(), 0, "dead: the books agree");

    is(media_pub_begin(&pub, zone, "a"), NGX_OK, "dead: it may come back");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    is(media_pub_segment(&pub, 2, 1000, 200), NGX_OK,
       "dead: what was open is closed");
    ngx_media_stream_release(&pub.claim, "bye");

    finish("dead");
}


int
main(void)
{
    test_unborn();
    test_conflict();
    test_takeover();
    test_pid();
    test_kick();
    test_kick_dead();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");
    is(ngx_stub_pools, 0, "no pools are left");

    return done();
}
