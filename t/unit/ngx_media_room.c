
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store ngx_stub.c */


/*
 * Between the moment when room for a part is reserved and the one when it is
 * published no lock is held, and others do what they please with the stream:
 * they are called where memory is committed, which is in between.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "core/ngx_media_tail.h"
#include "media_store.h"


#define LARGE  300000                        /* more than is committed ahead */


static media_pub_t  pub;
static void       (*between)(void);
static ngx_uint_t   locks;                   /* held in system calls */


int
fallocate(int fd, int mode, off_t offset, off_t len)
{
    void  (*call)(void);

    locks += ngx_media_locks_held;

    if (mode == 0 && between) {
        call = between;
        between = NULL;
        call();
    }

    return syscall(SYS_fallocate, fd, mode, offset, len);
}


/* in a process of its own; what it says is wrong */

static int
other(int (*work)(void))
{
    int    status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        between = NULL;
        ngx_pid = getpid();
        zone->row = NULL;
        _exit(work());
    }

    (void) waitpid(pid, &status, 0);

    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}


/* its first part is there, the next one goes behind it in its extent */

static void
begin(size_t size)
{
    start(size);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    (void) segment(&pub, 60000);

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
    (void) media_pub_part(&pub, 60000, MSEC, 1);
}


/* what nobody works on any more, and has no more pages than it needs */

static ngx_uint_t
rest(void)
{
    uint32_t                 i;
    ngx_uint_t               n;
    ngx_media_extent_shm_t  *e;

    n = zone->sh->spare != NGX_MEDIA_NONE;

    for (i = 0; i < zone->sh->used_extents; i++) {
        e = &zone->sh->extents[i];
        n += e->pid != 0 || e->keep != 0;
    }

    return n;
}


static const char *
content(const char *name)
{
    ngx_uint_t                i, n;
    const char               *wrong;
    media_pub_t               pub;
    ngx_media_segment_t      *s;
    ngx_media_stream_view_t   view;

    view = look(name);

    pub.name = ngx_media_hash((u_char *) name, strlen(name));

    if (view.ntracks == 0 || view.tracks[0].nsegments == 0) {
        return "nothing is there";
    }

    pub.track = view.tracks[0].index;

    for (i = 0; i < view.tracks[0].nsegments; i++) {
        s = &view.tracks[0].segments[i];

        if (s->open || s->gap) {
            continue;
        }

        wrong = verify(s->ranges, s->nranges, &pub, s->number, &n);

        if (wrong || n != s->nparts) {
            return wrong ? wrong : "parts of a segment";
        }
    }

    return NULL;
}


static int
take_over(void)
{
    ngx_uint_t   i;
    media_pub_t  next;

    if (media_pub_begin(&next, zone, "a") != NGX_OK
        || media_pub_track(&next, NGX_MEDIA_VIDEO, 0, 48000) != NGX_OK)
    {
        return 1;
    }

    for (i = 0; i < 4; i++) {
        if (segment(&next, 20000) != NGX_OK) {
            return 2;
        }
    }

    (void) ngx_media_zone_reclaim(zone);

    return validate() ? 3 : 0;
}


static int
take_down(void)
{
    ngx_uint_t   i;
    media_pub_t  next;

    if (media_pub_begin(&next, zone, "a") != NGX_OK) {
        return 1;
    }

    ngx_media_stream_release(&next.claim, "bye");
    wait_msec(app.grace + 1);
    wait_msec(app.grace + app.window + 1);

    if (find("a").id) {
        return 2;
    }

    /* what it had would be had by this one, if it were free */

    if (media_pub_begin(&next, zone, "b") != NGX_OK
        || media_pub_track(&next, NGX_MEDIA_VIDEO, 0, 48000) != NGX_OK)
    {
        return 3;
    }

    for (i = 0; i < 4; i++) {
        if (segment(&next, 20000) != NGX_OK) {
            return 4;
        }
    }

    return validate() ? 5 : 0;
}


static int
cut_short(void)
{
    return ngx_media_zone_make_room(zone) ? 0 : 1;
}


static int
die_inside(void)
{
    ngx_media_stream_lock(zone, pub.claim.stream.sh);

    return 0;
}


static int
die_writing(void)
{
    media_pub_t  next;

    if (media_pub_begin(&next, zone, "a") != NGX_OK
        || media_pub_track(&next, NGX_MEDIA_VIDEO, 0, 48000) != NGX_OK)
    {
        return 1;
    }

    media_pub_cut(&next, ngx_media_stream_number(&next.claim));
    (void) media_pub_part(&next, 2000, MSEC, 1);

    between = abort;
    (void) media_pub_part(&next, LARGE, MSEC, 2);

    return 2;
}


static int  (*work)(void);
static int    wrong;


static void
call_other(void)
{
    wrong = other(work);
}


static ngx_int_t
put_between(int (*what)(void))
{
    work = what;
    wrong = -1;
    between = call_other;

    return media_pub_part(&pub, LARGE, MSEC, 2);
}


static void
test_taken_over(void)
{
    begin(64 * MB);
    wait_msec(10000);

    is(put_between(take_over), NGX_DECLINED,
       "taken over: the part is not taken any more");
    is(wrong, 0, "taken over: by who went on at once");
    wait_msec(0);
    is(rest(), 0, "taken over: what was reserved is given back");
    ok(content("a") == NULL, "taken over: and harmed nobody");

    finish("taken over");
}


static void
test_taken_down(void)
{
    begin(8 * MB);
    wait_msec(10000);

    is(put_between(take_down), NGX_DECLINED,
       "taken down: the part is not taken any more");
    is(wrong, 0, "taken down: memory is another stream's");
    wait_msec(0);
    is(rest(), 0, "taken down: what was reserved is given back");
    ok(content("b") == NULL, "taken down: and harmed nobody");

    finish("taken down");
}


static void
test_cut_short(void)
{
    ngx_uint_t                i;
    ngx_media_stream_view_t   view;

    start(8 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);

    for (i = 0; i < 12; i++) {
        (void) segment(&pub, 20000);
    }

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
    (void) media_pub_part(&pub, 2000, MSEC, 1);

    is(put_between(cut_short), NGX_OK, "cut short: the part is there");
    is(wrong, 0, "cut short: the oldest segment has gone meanwhile");
    is(media_pub_close(&pub), NGX_OK, "cut short: closed");

    view = look("a");
    is(view.tracks[0].nsegments, 12, "cut short: one less");
    ok(content("a") == NULL, "cut short: all of it whole");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("cut short");
}


static void
test_repaired(void)
{
    begin(64 * MB);

    is(put_between(die_inside), NGX_OK,
       "repaired: the part is there, at another place");
    is(wrong, 0, "repaired: somebody died meanwhile");
    is(media_pub_close(&pub), NGX_OK, "repaired: closed");
    is(rest(), 0, "repaired: nothing is left over");
    ok(content("a") == NULL, "repaired: all of it whole");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("repaired");
}


static void
test_dead(void)
{
    uint64_t  pages;

    begin(64 * MB);
    (void) media_pub_close(&pub);
    ngx_media_stream_release(&pub.claim, "bye");
    wait_msec(0);

    pages = zone->sh->pages;

    is(other(die_writing), 255, "dead: while it wrote");
    ok(zone->sh->pages > pages + LARGE / NGX_MEDIA_PAGE,
       "dead: what it had reserved is there");

    wait_msec(0);

    is(rest(), 0, "dead: nothing is taken by it");
    is(zone->sh->pages, pages + 1, "dead: nothing is left but its part");
    ok(content("a") == NULL, "dead: and what was there");

    finish("dead");
}


/* whoever is overtaken while a large frame is copied has the ring to itself */

static void
test_tail(void)
{
    static u_char            bytes[100000];

    uint32_t                 extent;
    media_pub_t              next;
    ngx_media_tail_frame_t   frame;
    ngx_media_stream_shm_t  *s;

    begin(64 * MB);
    wait_msec(10000);

    s = pub.claim.stream.sh;

    ngx_memzero(&frame, sizeof(ngx_media_tail_frame_t));

    frame.track = pub.track;
    frame.timescale = 48000;
    frame.pos = bytes;
    frame.size = sizeof(bytes);

    ngx_media_tail_want(&pub.claim.stream);
    ngx_media_tail_put(&pub.claim, &frame);

    ok(s->tail && s->tail->head - s->tail->tail == 1, "tail: a large frame");

    extent = s->tail->extent;
    ngx_media_extent_take(zone, extent);

    (void) media_pub_begin(&next, zone, "a");
    frame.size = 1000;
    ngx_media_tail_put(&next.claim, &frame);

    ok(s->tail && s->tail->extent != extent, "tail: another ring");
    is(s->tail->head - s->tail->tail, 1, "tail: with a small frame");

    (void) ngx_media_zone_reclaim(zone);
    is(zone->sh->extents[extent].state, NGX_MEDIA_EXTENT_LIMBO,
       "tail: the first one is not given to anybody");

    ngx_media_extent_give(zone, extent);
    (void) ngx_media_zone_reclaim(zone);
    is(zone->sh->extents[extent].state, NGX_MEDIA_EXTENT_FREE,
       "tail: until it is written to no more");

    /* a ring that nobody has backed with memory is not written to */

    s->tail->ready = 0;
    extent = s->tail->extent;
    ngx_media_tail_put(&next.claim, &frame);
    ok(s->tail->ready && s->tail->extent != extent,
       "tail: whoever made it had died");

    ngx_media_stream_release(&next.claim, "bye");

    finish("tail");
}


/* a ring for who follows in a zone that is full: others give way, once */

static void
hung(int signo)
{
    static const char  text[] = "not ok - full: it looks for room for ever\n";

    _exit(write(1, text, sizeof(text) - 1) == 0 ? 1 : 2);
}


static void
test_full(void)
{
    static u_char           bytes[1000];

    ngx_uint_t              i;
    ngx_media_tail_frame_t  frame;

    begin(4 * MB);

    for (i = 0; i < 400 && zone->sh->limit - zone->sh->pages >= 60; i++) {
        wait_msec(MSEC);

        if (i % 10 == 0) {
            (void) media_pub_close(&pub);
            media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
        }

        (void) media_pub_part(&pub, 40000, MSEC, i);
    }

    ok(i < 400, "full: %d pages are left",
       (int) (zone->sh->limit - zone->sh->pages));

    ngx_memzero(&frame, sizeof(ngx_media_tail_frame_t));

    frame.track = pub.track;
    frame.timescale = 48000;
    frame.pos = bytes;
    frame.size = sizeof(bytes);

    signal(SIGALRM, hung);
    alarm(20);

    ngx_media_tail_want(&pub.claim.stream);
    ngx_media_tail_put(&pub.claim, &frame);

    alarm(0);

    ok(pub.claim.stream.sh->tail != NULL, "full: there is room for a ring");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("full");
}


/* what looks after the rest of this */

static void
test_locked(void)
{
    ngx_uint_t  level;

    begin(64 * MB);

    is(locks, 0, "locked: no system call was made under a lock");
    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "locked: nor seen");

    level = ngx_stub_log_level;
    ngx_stub_log_level = 0;

    ngx_media_stream_lock(zone, pub.claim.stream.sh);
    (void) ngx_media_extent_commit(zone, 0, LARGE);
    ngx_media_stream_unlock(pub.claim.stream.sh);

    ngx_stub_log_level = level;

    ok(ngx_stub_logged[NGX_LOG_ALERT] > 0 && locks > 0,
       "locked: one that is made is seen");

    ngx_stub_logged[NGX_LOG_ALERT] = 0;
    is(ngx_media_locks_held, 0, "locked: none is held");
}


int
main(void)
{
    if (ngx_media_notify_init(&ngx_stub_log) != NGX_OK) {
        return 1;
    }

    test_taken_over();
    test_taken_down();
    test_cut_short();
    test_repaired();
    test_dead();
    test_tail();
    test_full();
    test_locked();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
