
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store ../unit/ngx_stub.c */


/*
 * Many processes over one zone: publishers whose parts say what they are,
 * readers that look at every byte of what they pinned, or send it from the
 * arena's file and look at what arrives much later, waiters that count the
 * wake-ups that did not come, and processes that sweep.  Any of them is
 * killed at any moment and started again.  In the end all must be free, and
 * no reader may ever have seen a wrong byte.
 *
 *     zone [seconds=15] [kill=MS] [seed=N] [zone=MB] [streams=N]
 *          [publishers=N] [readers=N] [waiters=N] [sweepers=N]
 *
 * kill: a process is killed so often on the average, 0: never.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include "core/ngx_media_stream_validate.h"
#include "../unit/media_zone.h"
#include "processes.h"


#define MB         (1024 * 1024)
#define STREAMS    64
#define WIRES      12                        /* of a reader */
#define HELD       32                        /* tracks, of a reader */
#define LOST       10000                     /* ms without a wake-up */

/* changes without a wake-up; each process may owe one, of a few at once */
#define OWED       (4 * PROCESSES)


/* what a process has done; shared, each has its own */

typedef struct {
    uint64_t              steps;
    uint64_t              parts;
    uint64_t              bytes;
    uint64_t              segments;
    uint64_t              nomem;
    uint64_t              taken;             /* claims that were lost */
    uint64_t              views;
    uint64_t              pins;
    uint64_t              misses;
    uint64_t              checked;           /* bytes */
    uint64_t              sent;              /* bytes */
    uint64_t              waits;
    uint64_t              wakes;
    uint64_t              lost;
    uint64_t              sweeps;
    uint64_t              notices;           /* "repaired", "swept" */
    uint64_t              wrong;
    char                  what[128];
} work_t;


typedef struct {
    work_t                work[PROCESSES];
    uint64_t              stop;
    uint64_t              seed;              /* of parts: never twice */
} shared_t;


/* bytes on their way: sent from the arena's file, not yet drained */

typedef struct {
    int                   in;
    int                   out;
    size_t                left;
    int64_t               due;
    size_t                len;               /* in buf */
    size_t                alloc;
    u_char               *buf;
    ngx_media_part_t      first;
    uint64_t              name;
    ngx_uint_t            track;
} wire_t;


/* a track that was found once, of the stream of that name */

typedef struct {
    ngx_media_track_ref_t  ref;
    uint64_t              name;              /* 0: none */
} held_t;


static ngx_media_app_t    app;
static ngx_media_zone_t  *zone;
static shared_t          *shared;
static work_t            *me;
static ngx_uint_t         nstreams;
static int                epfd = -1;


static void
wrong(const char *what, const char *more)
{
    if (me->wrong++ == 0) {
        (void) snprintf(me->what, sizeof(me->what), "%s: %s", what,
                        more ? more : "");
    }
}


static void
step(void)
{
    ngx_media_store(&me->steps, me->steps + 1);
    me->notices = ngx_stub_logged[NGX_LOG_NOTICE];

    ngx_stub_clock_now();

    if (ngx_media_load(&shared->stop)) {
        exit(0);
    }
}


static void
stream_name(ngx_uint_t n, char *text)
{
    (void) sprintf(text, "stream%u", (unsigned) n);
}


static ngx_int_t
stream_pick(ngx_media_stream_t *stream, uint64_t *hash)
{
    char       text[32];
    ngx_str_t  name;

    stream_name(rnd() % nstreams, text);

    name.data = (u_char *) text;
    name.len = strlen(text);
    *hash = ngx_media_hash(name.data, name.len);

    return ngx_media_stream_find(zone, &name, stream);
}


/* publishers */


static size_t
part_size(ngx_uint_t type)
{
    switch (rnd() % 100) {

    case 0:
        return rnd() % (600 * 1024);

    case 1:
    case 2:
    case 3:
        return rnd() % 100;

    default:
        return type == NGX_MEDIA_VIDEO ? 2000 + rnd() % 30000 : rnd() % 900;
    }
}


static ngx_int_t
publish_segment(media_pub_t *pub, ngx_uint_t parts, uint64_t number)
{
    size_t      size;
    ngx_int_t   rc;
    ngx_uint_t  i;

    media_pub_cut(pub, number);
    pub->segment.discontinuity = rnd() % 20 == 0;

    for (i = 0; i < parts; i++) {
        step();

        size = part_size(pub->params.type);
        rc = media_pub_part(pub, size, 20,
                            __atomic_add_fetch(&shared->seed, 1,
                                               __ATOMIC_RELAXED));
        if (rc == NGX_DECLINED) {
            me->taken++;
            return rc;
        }

        if (rc != NGX_OK) {
            me->nomem++;
            return NGX_OK;
        }

        me->parts++;
        me->bytes += size;

        if (rnd() % 64 == 0) {
            nap(rnd() % 2000);
        }
    }

    rc = media_pub_close(pub);
    me->segments += rc == NGX_OK;

    return rc;
}


/* whoever has it, perhaps this one */

static void
kick(void)
{
    char                text[32];
    ngx_str_t           name;
    ngx_media_holder_t  holder;

    stream_name(rnd() % nstreams, text);

    name.data = (u_char *) text;
    name.len = strlen(text);

    if (ngx_media_stream_holder(zone, &name, &holder) == NGX_OK) {
        (void) ngx_media_stream_kick(&holder.stream, holder.epoch,
                                     NGX_MEDIA_KICK_ASKED);
    }
}


static void
publish(void)
{
    char         text[32];
    int64_t      time;
    uint64_t     number;
    ngx_uint_t   i, k, n, ntracks;
    media_pub_t  pub[3];

    for ( ;; ) {
        step();

        stream_name(rnd() % nstreams, text);
        ntracks = 1 + rnd() % 3;

        if (media_pub_begin(&pub[0], zone, text) != NGX_OK) {
            nap(1000);
            continue;
        }

        for (i = 0; i < ntracks; i++) {
            pub[i] = pub[0];

            if (media_pub_track(&pub[i], i ? NGX_MEDIA_AUDIO
                                           : NGX_MEDIA_VIDEO,
                                i, rnd() % 200 == 0 ? 44100 : 48000)
                != NGX_OK)
            {
                break;
            }
        }

        if (i < ntracks) {
            /* taken already, or it has had too many tracks */
            me->taken++;
            ngx_media_stream_release(&pub[0].claim, "tracks");
            nap(rnd() % 100000);
            continue;
        }

        ngx_media_stream_ready(&pub[0].claim, 0, 0);

        n = 1 + rnd() % (rnd() % 8 ? 20 : 200);

        if (rnd() % 16 == 0) {
            kick();
        }

        while (n--) {
            number = ngx_media_stream_number(&pub[0].claim);
            time = pub[0].time;

            for (k = 0; k < ntracks; k++) {

                if (k && rnd() % 16 == 0) {
                    /* this one gets a gap */
                    continue;
                }

                pub[k].time = time;

                if (publish_segment(&pub[k], 1 + rnd() % 8, number)
                    != NGX_OK)
                {
                    n = 0;
                    break;
                }
            }

            /* tracks of uneven length: the longest says where it goes on */

            for (k = 0; k < ntracks; k++) {
                time = ngx_max(time, pub[k].time);
            }

            pub[0].time = time;
        }

        switch (rnd() % 4) {

        case 0:
            /* leaves it to the next one */
            break;

        default:
            ngx_media_stream_release(&pub[0].claim, "done");
            nap(rnd() % 50000);
        }
    }
}


/* readers */


static void
check_parts(const u_char *p, size_t size, uint64_t name, ngx_uint_t track,
    uint64_t number, ngx_uint_t part, ngx_uint_t *n)
{
    const char  *text;

    me->checked += size;

    text = media_parts_check(p, size, name, track, number, part, n);

    if (text) {
        wrong("bytes", text);
    }
}


static int
tcp_pair(int fd[2])
{
    int                 ls, one;
    socklen_t           len;
    struct sockaddr_in  sin;

    one = 1;
    ls = socket(AF_INET, SOCK_STREAM, 0);

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(sin);

    if (ls == -1
        || bind(ls, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(ls, 1) == -1
        || getsockname(ls, (struct sockaddr *) &sin, &len) == -1)
    {
        return -1;
    }

    fd[0] = socket(AF_INET, SOCK_STREAM, 0);

    if (fd[0] == -1
        || connect(fd[0], (struct sockaddr *) &sin, sizeof(sin)) == -1)
    {
        return -1;
    }

    fd[1] = accept(ls, NULL, NULL);
    (void) close(ls);

    (void) setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    return fd[1] == -1 ? -1 : 0;
}


static void
wire_open(wire_t *w, ngx_uint_t tcp)
{
    int  fd[2], size;

    memset(w, 0, sizeof(wire_t));

    if ((tcp ? tcp_pair(fd) : socketpair(AF_UNIX, SOCK_STREAM, 0, fd)) == -1)
    {
        abort();
    }

    size = 1 * MB;
    (void) setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    (void) fcntl(fd[0], F_SETFL, O_NONBLOCK);
    (void) fcntl(fd[1], F_SETFL, O_NONBLOCK);

    w->out = fd[0];
    w->in = fd[1];
}


/*
 * As much as the socket takes, then the pin goes: the file's pages may be
 * punched and filled anew while these wait in the socket.
 */

static void
wire_send(wire_t *w, const ngx_media_part_t *part, uint64_t name,
    ngx_uint_t track)
{
    off_t    offset;
    size_t   len;
    ssize_t  n;

    offset = part->range.offset;
    len = part->range.size;

    while (len) {
        n = sendfile(w->out, ngx_media_arena_fd(zone), &offset, len);

        if (n <= 0) {
            break;
        }

        len -= n;
    }

    w->left = part->range.size - len;
    w->len = 0;
    w->first = *part;
    w->name = name;
    w->track = track;
    w->due = msec() + (rnd() % 2 ? 0 : rnd() % 60);

    me->sent += w->left;
}


static void
wire_drain(wire_t *w)
{
    ssize_t       n;
    size_t        i;
    uint64_t      word;
    media_head_t  head;

    if (w->left == 0 || msec() < w->due) {
        return;
    }

    if (w->alloc < w->left + w->len) {
        w->alloc = w->left + w->len;
        w->buf = realloc(w->buf, w->alloc);
    }

    while (w->left) {
        n = recv(w->in, w->buf + w->len, w->left, 0);

        if (n <= 0) {
            return;
        }

        w->len += n;
        w->left -= n;
    }

    me->checked += w->len;

    if (w->len < sizeof(media_head_t)) {
        return;
    }

    memcpy(&head, w->buf, sizeof(media_head_t));

    if (head.magic != MEDIA_MAGIC || head.name != w->name
        || head.number != w->first.number || head.part != w->first.part
        || head.track != w->track || head.size != w->first.range.size)
    {
        wrong("wire", "another part");
        return;
    }

    for (i = sizeof(media_head_t) / 8; i < w->len / 8; i++) {
        memcpy(&word, w->buf + i * 8, 8);

        if (word != media_word(head.seed, i)) {
            wrong("wire", "a byte");
            return;
        }
    }
}


static void
read_segment(const ngx_media_track_ref_t *ref, uint64_t name,
    uint64_t number)
{
    ngx_uint_t           i, n, parts;
    ngx_media_segment_t  segment;

    if (ngx_media_ref_segment(ref, number, &segment) != NGX_OK
        || segment.open)
    {
        return;
    }

    if (segment.number != number) {
        wrong("segment", "number");
    }

    if (ngx_media_pin(zone, segment.ranges, segment.nranges) != NGX_OK) {
        me->misses++;
        return;
    }

    me->pins++;
    parts = 0;

    for (i = 0; i < segment.nranges; i++) {
        check_parts(ngx_media_arena_bytes(zone, &segment.ranges[i]),
                    segment.ranges[i].size, name, ref->track, number, parts,
                    &n);
        parts += n;

        if (rnd() % 16 == 0) {
            nap(rnd() % 3000);
        }
    }

    if (parts != segment.nparts && me->wrong == 0) {
        wrong("segment", "parts");
    }

    ngx_media_unpin(zone, segment.ranges, segment.nranges);
}


static void
read_part(const ngx_media_track_ref_t *ref, uint64_t name,
    const ngx_media_part_t *listed, wire_t *w)
{
    ngx_int_t         rc;
    ngx_uint_t        n;
    ngx_media_part_t  part;

    rc = ngx_media_ref_part(ref, listed->number, listed->part, &part);

    if (rc == NGX_DECLINED || rc == NGX_AGAIN) {

        /* it was listed */

        if (ngx_media_stream_version(&ref->stream)) {
            wrong("part", "was listed and is not there");
        }

        return;
    }

    if (rc != NGX_OK) {
        me->misses++;
        return;
    }

    if (ngx_media_pin(zone, &part.range, 1) != NGX_OK) {
        me->misses++;
        return;
    }

    me->pins++;

    if (w->left == 0 && rnd() % 2) {
        wire_send(w, &part, name, ref->track);

    } else {
        check_parts(ngx_media_arena_bytes(zone, &part.range),
                    part.range.size, name, ref->track, part.number,
                    part.part, &n);
    }

    ngx_media_unpin(zone, &part.range, 1);
}


/*
 * Tracks that were found long ago: most of their streams have gone, and others
 * have their records and pages.  What they give is what they would have.
 */

static void
read_held(held_t *held)
{
    uint64_t            n;
    ngx_media_heads_t  *heads;

    if (held->name == 0) {
        return;
    }

    if (rnd() % 4 && ngx_media_ref_look(&held->ref) != NGX_OK) {
        me->misses++;
    }

    /* as of that look, or an older one */

    heads = &held->ref.heads;

    if (heads->head <= heads->tail) {
        return;
    }

    n = heads->tail + rnd() % (heads->head - heads->tail);

    read_segment(&held->ref, held->name, n);
}


static void
read_streams(void)
{
    held_t                    held[HELD];
    wire_t                    wires[WIRES];
    uint64_t                  name;
    ngx_pool_t               *pool;
    ngx_uint_t                i, k;
    const char               *text;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       at;
    ngx_media_track_ref_t     ref;
    ngx_media_track_view_t   *t;
    ngx_media_stream_view_t   view;

    memset(held, 0, sizeof(held));

    for (i = 0; i < WIRES; i++) {
        wire_open(&wires[i], i % 2);
    }

    for ( ;; ) {
        step();

        for (i = 0; i < WIRES; i++) {
            wire_drain(&wires[i]);
        }

        if (stream_pick(&stream, &name) != NGX_OK) {
            nap(500);
            continue;
        }

        pool = ngx_create_pool(4096, &ngx_stub_log);

        if (ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view)
            != NGX_OK)
        {
            ngx_destroy_pool(pool);
            continue;
        }

        me->views++;

        for (i = 0; i < view.ntracks; i++) {
            t = &view.tracks[i];

            text = media_view_check(t);

            if (text) {
                wrong("view", text);
            }

            /* later than the view: what was listed is there, or was */

            if (ngx_media_track_ref(&stream, t->index, &ref) != NGX_OK
                || ngx_media_ref_look(&ref) != NGX_OK)
            {
                me->misses++;
                continue;
            }

            for (k = 0; k < 4; k++) {

                if (t->nsegments) {
                    read_segment(&ref, name,
                                 t->segments[rnd() % t->nsegments].number);
                }

                if (t->nparts) {
                    read_part(&ref, name, &t->parts[rnd() % t->nparts],
                              &wires[rnd() % WIRES]);
                }

                step();
            }

            if (t->nsegments) {
                k = rnd() % t->nsegments;

                if (ngx_media_ref_segment_at(&ref, t->segments[k].time, &at)
                    == NGX_OK
                    && at.time != t->segments[k].time)
                {
                    wrong("segment at", "time");
                }
            }

            if (rnd() % 8 == 0) {
                k = rnd() % HELD;
                held[k].ref = ref;
                held[k].name = name;
            }

            read_held(&held[rnd() % HELD]);
        }

        ngx_destroy_pool(pool);
    }
}


/* waiters */


static ngx_int_t
epoll_add(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    ngx_connection_t    *c = ev->data;

    struct epoll_event   ee;

    ee.events = EPOLLIN|EPOLLET;
    ee.data.ptr = ev;

    return epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ee) == -1 ? NGX_ERROR
                                                             : NGX_OK;
}


static void
woken(ngx_media_waiter_t *waiter)
{
    *(ngx_uint_t *) waiter->data = 1;
}


/* it waits for the version to change */

static void
wait_for(const ngx_media_stream_t *stream)
{
    int                  n;
    int64_t              began, since;
    uint64_t             seen, version;
    ngx_uint_t           wake;
    ngx_event_t         *ev;
    ngx_media_waiter_t   waiter;

    struct epoll_event   ee[4];

    version = ngx_media_stream_version(stream);

    memset(&waiter, 0, sizeof(ngx_media_waiter_t));
    waiter.notify = &stream->sh->notify;
    waiter.log = &ngx_stub_log;
    waiter.handler = woken;
    waiter.data = &wake;
    wake = 0;

    ngx_media_wait(&waiter);

    if (ngx_media_stream_version(stream) != version) {
        /* it came before we slept: no wake-up is due */
        ngx_media_wait_done(&waiter);
        return;
    }

    me->waits++;
    began = msec();
    since = 0;
    seen = version;

    for ( ;; ) {
        step();

        if (ngx_media_stream_version(stream) != version) {

            if (wake) {
                break;
            }

            if (since == 0) {
                since = msec();
            }

            /* what was seen is from before the last look at events */

            if (seen - version > OWED || msec() - since > LOST) {
                me->lost++;
                break;
            }

            seen = ngx_media_stream_version(stream);

        } else if (msec() - began > 30) {
            /* nobody publishes it */
            break;
        }

        n = epoll_wait(epfd, ee, 4, 50);

        while (n-- > 0) {
            ev = ee[n].data.ptr;
            ev->handler(ev);
        }

        if (wake) {
            me->wakes++;
        }
    }

    ngx_media_wait_done(&waiter);
}


static void
wait_streams(void)
{
    uint64_t            name;
    ngx_cycle_t         cycle;
    ngx_media_stream_t  stream;

    memset(&cycle, 0, sizeof(cycle));
    cycle.log = &ngx_stub_log;

    epfd = epoll_create1(0);
    ngx_event_flags = NGX_USE_CLEAR_EVENT;
    ngx_event_actions.add = epoll_add;

    if (epfd == -1 || ngx_media_notify_init_process(&cycle) != NGX_OK) {
        abort();
    }

    for ( ;; ) {
        step();

        if (stream_pick(&stream, &name) != NGX_OK
            || ngx_media_peek(&stream.sh->state) != NGX_MEDIA_STREAM_LIVE)
        {
            nap(rnd() % 500);
            continue;
        }

        wait_for(&stream);
    }
}


/* what a worker's timer does, oftener */

static void
sweep(void)
{
    ngx_uint_t               n;
    ngx_media_stream_shm_t  *s;

    for ( ;; ) {
        step();

        ngx_media_zone_sweep(zone);
        ngx_media_streams_tick(zone);
        me->sweeps++;

        if (rnd() % 8 == 0) {
            if (ngx_media_zone_validate(zone)) {
                wrong("books", "zone");
            }

            n = rnd() % zone->store->nstreams;
            s = ngx_media_stream_record(zone, n);

            ngx_media_stream_lock(zone, s);

            if (s->id && ngx_media_stream_validate_locked(zone, s)) {
                wrong("books", "stream");
            }

            ngx_media_stream_unlock(s);
        }

        nap(rnd() % 30000);
    }
}


static void
process_begin(ngx_uint_t slot)
{
    ngx_process_slot = slot;
    me = &shared->work[slot];
    stress_state = (shared->seed + 1) * 0x9e3779b97f4a7c15ull
                   + ngx_pid * 7919;
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
    uint32_t  i;

    diag("zone lock: %d", (int) zone->sh->lock);

    for (i = 0; i < zone->store->used_streams; i++) {
        if (zone->store->streams[i].lock) {
            diag("stream %u is locked by %d", i,
                 (int) zone->store->streams[i].lock);
        }
    }
}


static void
test_books(void)
{
    int64_t     end;
    ngx_uint_t  i, k, n, pins, locks, rows;

    /* all streams end: what a worker's timer would do in its time */

    end = msec() + 5000 + 4 * (app.grace + app.window);

    do {
        ngx_stub_clock_now();
        ngx_media_zone_sweep(zone);
        ngx_media_streams_tick(zone);
        nap(10000);

        n = 0;

        for (i = 0; i < zone->store->used_streams; i++) {
            n += zone->store->streams[i].state != NGX_MEDIA_STREAM_FREE;
        }

    } while (n && msec() < end);

    ngx_media_zone_sweep(zone);

    is(n, 0, "no streams are left");

    n = 0;

    for (i = 0; i < zone->sh->nextents; i++) {
        n += zone->sh->extents[i].state != NGX_MEDIA_EXTENT_FREE;
    }

    is(n, 0, "no extents are left");

    n = 0;

    for (i = 0; i < zone->sh->nblocks; i++) {
        n += zone->sh->owners[i] != 0;
    }

    is(n, 0, "no blocks are left");
    is(zone->sh->pages, 0, "no pages are committed");
    is(media_zone_bytes(zone), 0, "the arena's file is empty");
    is(ngx_media_buddy_count(&zone->sh->buddy), zone->sh->buddy.pages,
       "all pages can be reserved");
    is(zone->sh->limbo, NGX_MEDIA_NONE, "nothing is in limbo");

    pins = 0;
    rows = 0;

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        rows += zone->sh->rows[i].pid != 0;

        for (k = 0; zone->sh->rows[i].pid && k < zone->sh->nextents; k++) {
            pins += zone->sh->pins[i * zone->sh->nextents + k];
        }
    }

    is(pins, 0, "no pins are left");
    is(rows, 0, "no rows are left");

    locks = zone->sh->lock != 0;

    for (i = 0; i < zone->store->nstreams; i++) {
        locks += zone->store->streams[i].lock != 0;
    }

    is(locks, 0, "no lock is held");
    is(ngx_media_zone_validate(zone), 0, "the books agree");
}


static void
report(work_t *sum)
{
    ngx_uint_t  i;
    work_t     *w;

    memset(sum, 0, sizeof(work_t));

    for (i = 0; i < processes.n; i++) {
        w = &shared->work[i];

        sum->steps += w->steps;
        sum->parts += w->parts;
        sum->bytes += w->bytes;
        sum->segments += w->segments;
        sum->nomem += w->nomem;
        sum->taken += w->taken;
        sum->views += w->views;
        sum->pins += w->pins;
        sum->misses += w->misses;
        sum->checked += w->checked;
        sum->sent += w->sent;
        sum->waits += w->waits;
        sum->wakes += w->wakes;
        sum->lost += w->lost;
        sum->sweeps += w->sweeps;
        sum->notices += w->notices;
        sum->wrong += w->wrong;

        if (w->wrong) {
            diag("process %u: %lu times wrong, first: %s", (unsigned) i,
                 (unsigned long) w->wrong, w->what);
        }
    }

    diag("kills:%lu published:%lu refused:%lu swept:%lu expired:%lu",
         (unsigned long) processes.kills,
         (unsigned long) zone->store->published,
         (unsigned long) zone->store->refused[NGX_MEDIA_REFUSED_CONFLICT],
         (unsigned long) zone->sh->swept,
         (unsigned long) zone->store->expired);
    diag("parts:%lu segments:%lu MB:%lu evicted:%lu nomem:%lu taken:%lu",
         (unsigned long) sum->parts, (unsigned long) sum->segments,
         (unsigned long) sum->bytes / MB, (unsigned long) zone->store->evicted,
         (unsigned long) sum->nomem, (unsigned long) sum->taken);
    diag("views:%lu pins:%lu misses:%lu MB checked:%lu MB sent:%lu",
         (unsigned long) sum->views, (unsigned long) sum->pins,
         (unsigned long) sum->misses, (unsigned long) sum->checked / MB,
         (unsigned long) sum->sent / MB);
    diag("waits:%lu wakes:%lu lost:%lu sweeps:%lu",
         (unsigned long) sum->waits, (unsigned long) sum->wakes,
         (unsigned long) sum->lost, (unsigned long) sum->sweeps);
}


int
main(int argc, char **argv)
{
    work_t      sum;
    int64_t     end, next, quiet;
    uint64_t    pause, seconds;
    ngx_uint_t  i, n;

    const struct {
        const char  *name;
        void       (*run)(void);
        ngx_uint_t   n;
    } roles[] = {
        { "publishers", publish, 4 },
        { "readers", read_streams, 3 },
        { "waiters", wait_streams, 2 },
        { "sweepers", sweep, 2 }
    };

    seconds = option(argc, argv, "seconds", 15);
    pause = option(argc, argv, "kill", 20);
    stress_state = option(argc, argv, "seed", time(NULL)) * 2654435761u + 1;
    nstreams = option(argc, argv, "streams", 12);

    setvbuf(stdout, NULL, _IOLBF, 0);

    ngx_stub_clock_now();
    media_app_init(&app, option(argc, argv, "zone", 8) * MB, nstreams + 2);

    app.segment = 100;
    app.segment_max = 150;
    app.window = 1200;
    app.grace = 150;
    app.target = 0;
    app.ring_segments = 40;
    app.ring_parts = 90;

    zone = media_zone_create(&app);

    shared = shared_memory(sizeof(shared_t));
    shared->seed = stress_state;

    if (ngx_media_notify_init(&ngx_stub_log) != NGX_OK) {
        abort();
    }

    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        for (n = option(argc, argv, roles[i].name, roles[i].n); n; n--) {
            processes_add(roles[i].run);
        }
    }

    /*
     * At first nobody is killed: then not one wake-up may be lost, and nothing
     * is repaired
     */

    quiet = msec() + seconds * 200;
    end = msec() + seconds * 1000;
    next = quiet;

    while (msec() < end) {
        nap(1000);
        processes_look();

        if (quiet && msec() >= quiet) {
            quiet = 0;
            report(&sum);
            is(sum.lost, 0, "%lu waits, no wake-up was lost",
               (unsigned long) sum.waits);
            is(sum.notices, 0, "nothing was repaired of those who live");
        }

        if (quiet == 0 && pause && msec() >= next) {
            next = msec() + rnd() % (2 * pause + 1);
            processes_kill(rnd() % processes.n);
        }
    }

    ngx_media_store(&shared->stop, 1);
    processes_end();
    report(&sum);

    is(processes.crashes, 0, "no process crashed");
    is(processes.stucks, 0, "no process was stuck");
    is(sum.wrong, 0, "no byte and no number was wrong");
    ok(sum.lost <= processes.kills, "%lu wake-ups lost with who owed them",
       (unsigned long) sum.lost);

    test_books();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");

    return done();
}
