
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store ngx_stub.c */




/* timed data: where it waits, which parts carry it, and when it is forgotten */


#include "core/ngx_media_data.h"
#include "formats/ngx_media_emsg.h"
#include "media_store.h"


#define TICKS  (NGX_MEDIA_DATA_TIMESCALE / 1000)


/* what the newest part of a track carries: ids, and times in ms */

typedef struct {
    ngx_uint_t  n;
    uint32_t    ids[NGX_MEDIA_DATA_RECORDS];
    int64_t     times[NGX_MEDIA_DATA_RECORDS];
    size_t      bytes;
    ngx_uint_t  wrong;
} carried_t;


/* a datum of so many bytes at a time in ms, each byte says its size */

static ngx_int_t
put_kind(const media_pub_t *pub, ngx_media_data_kind_e kind, int64_t msec,
    size_t size, uint64_t *id)
{
    ngx_int_t         rc;
    ngx_media_data_t  data;

    static u_char  bytes[NGX_MEDIA_DATA_MAX + 1];

    memset(bytes, (int) (size % 251), size);

    data.kind = kind;
    data.time = msec * TICKS;
    data.pos = bytes;
    data.last = bytes + size;

    rc = ngx_media_data_put(&pub->claim, &data);

    if (id) {
        *id = data.id;
    }

    return rc;
}


static ngx_int_t
put(const media_pub_t *pub, int64_t msec, size_t size, uint64_t *id)
{
    return put_kind(pub, NGX_MEDIA_DATA_ID3, msec, size, id);
}


static carried_t
carried(const media_pub_t *pub)
{
    size_t                   size;
    carried_t                c;
    const u_char            *p, *last, *q;
    ngx_media_emsg_t         emsg;
    ngx_media_part_shm_t    *part;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    memset(&c, 0, sizeof(carried_t));

    s = pub->claim.stream.sh;
    t = s->tracks[ngx_media_track_place(pub->track)];
    part = ngx_media_part_record(t, t->part_head - 1);

    p = ngx_media_arena_bytes(zone, &part->range);
    last = p + part->range.size;

    for (p += sizeof(media_head_t); memcmp(p + 4, "emsg", 4) == 0; p += size) {
        size = (size_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];

        if (size > (size_t) (last - p)
            || ngx_media_emsg_read(&emsg, p + 8, p + size) != NGX_OK)
        {
            c.wrong++;
            break;
        }

        for (q = emsg.data.pos; q < emsg.data.last; q++) {
            c.wrong += *q != ngx_media_span_len(&emsg.data) % 251;
        }

        c.wrong += emsg.version != 1 || emsg.timescale != t->timescale
                   || ngx_media_span_len(&emsg.value)
                   || emsg.duration != NGX_MEDIA_EMSG_UNKNOWN;
        c.bytes += size;
        c.ids[c.n] = emsg.id;
        c.times[c.n++] = emsg.time * 1000 / t->timescale;
    }

    return c;
}


static ngx_uint_t
waiting(const media_pub_t *pub)
{
    ngx_uint_t             i, n;
    ngx_media_data_shm_t  *d;

    d = pub->claim.stream.sh->data;
    n = 0;

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        n += d->records[i].seq != 0;
    }

    return n;
}


static void
begin(media_pub_t *pub, ngx_media_type_e type, uint32_t id)
{
    (void) media_pub_begin(pub, zone, "a");
    (void) media_pub_track(pub, type, id, 48000);
    media_pub_cut(pub, ngx_media_stream_number(&pub->claim));
}


/* another track of the same publisher */

static void
beside(media_pub_t *pub, const media_pub_t *of, ngx_media_type_e type,
    uint32_t id)
{
    *pub = *of;

    (void) media_pub_track(pub, type, id, 48000);
    media_pub_cut(pub, of->segment.number);
}


static void
test_times(void)
{
    int64_t                  from;
    uint64_t                 ids[4];
    carried_t                c;
    media_pub_t              pub;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    start(64 * MB);

    begin(&pub, NGX_MEDIA_VIDEO, 0);
    s = pub.claim.stream.sh;
    from = pub.time;

    ok(s->data == NULL, "times: no memory before there is some");

    (void) put(&pub, from + 150, 30, &ids[0]);
    (void) put(&pub, from, 0, &ids[1]);
    (void) put(&pub, from - 700, NGX_MEDIA_DATA_MAX, &ids[2]);

    is(ids[1], ids[0] + 1, "times: an id each");
    is(ids[2], ids[1] + 1, "times: and the next one");
    is(media_pub_part(&pub, 500, 100, 1), NGX_OK, "times: a part");

    c = carried(&pub);
    is(c.n, 2, "times: two are of it");
    is(c.ids[0], (uint32_t) ids[1], "times: in the order in which they came");
    is(c.times[0], from, "times: with its begin");
    is(c.times[1], from, "times: also what was before it");
    is(c.wrong, 0, "times: their bytes");
    is(s->data_late, 1, "times: counted");
    is(waiting(&pub), 1, "times: forgotten then");

    t = s->tracks[0];
    is(ngx_media_segment_record(t, t->segment_closed)->bytes,
       c.bytes + 504, "times: the segment has them");

    /* at the first tick of the next part, and at its last one */

    (void) put(&pub, from + 100, 1, &ids[0]);
    (void) put(&pub, from + 200, 2, &ids[1]);
    (void) media_pub_part(&pub, 500, 100, 2);

    c = carried(&pub);
    is(c.n, 2, "times: another two");
    is(c.times[0], from + 150, "times: the one that waited");
    is(c.times[1], from + 100, "times: the first tick belongs to it");

    (void) put(&pub, from + 20, 3, &ids[2]);
    is(s->data_late, 1, "times: players have not come so far");
    (void) put(&pub, from + 200 - 426, 3, &ids[2]);
    is(s->data_late, 1, "times: but not");
    (void) put(&pub, from + 200 - 427, 3, &ids[2]);
    is(s->data_late, 2, "times: what is older");

    (void) media_pub_part(&pub, 500, 100, 3);
    c = carried(&pub);
    is(c.n, 4, "times: all are told");
    is(c.times[1], from + 20, "times: it keeps its time in a later part");
    is(c.times[2], from + 200 - 426, "times: so does this one");
    is(c.times[3], from + 200, "times: it begins with that");
    is(waiting(&pub), 0, "times: none is left");
    is(s->data_put, 8, "times: counted");

    (void) media_pub_close(&pub);
    ngx_media_stream_release(&pub.claim, "bye");

    finish("times");
}


static void
test_room(void)
{
    size_t                   size;
    uint64_t                 id, next;
    carried_t                c;
    ngx_uint_t               blocks, i, k, n, wrong;
    media_pub_t              pub;
    ngx_media_stream_shm_t  *s;

    start(64 * MB);

    begin(&pub, NGX_MEDIA_VIDEO, 0);
    s = pub.claim.stream.sh;

    is(put(&pub, pub.time, NGX_MEDIA_DATA_MAX + 1, NULL), NGX_ABORT,
       "room: one that is too long");
    is(s->data_dropped, 1, "room: counted");

    for (i = 0; put(&pub, pub.time + 20, 16, NULL) == NGX_OK; i++) {
        /* void */
    }

    is(i, NGX_MEDIA_DATA_RECORDS, "room: so many short ones");
    is(s->data_dropped, 2, "room: counted");

    (void) media_pub_part(&pub, 500, 100, 1);
    c = carried(&pub);
    is(c.n, NGX_MEDIA_DATA_RECORDS, "room: all in a part");
    is(c.wrong, 0, "room: each is what it was");

    for (i = 0; put(&pub, pub.time + 20, NGX_MEDIA_DATA_MAX, NULL) == NGX_OK;
         i++)
    {
        /* void */
    }

    is(i, NGX_MEDIA_DATA_BYTES / NGX_MEDIA_DATA_MAX,
       "room: so many long ones");

    /* round and round, some of them late, so that the ring has holes */

    wrong = 0;
    n = 0;
    k = 0;
    next = s->data->seq + 1;

    for (i = 0; i < 3000; i++) {
        size = i * 7919 % (i % 5 ? 300 : NGX_MEDIA_DATA_MAX + 1);

        if (put(&pub, pub.time + i * 31 % 900, size, &id) == NGX_OK) {
            wrong += id != next++;
            n++;
        }

        if (i % 3 == 0) {
            wrong += media_pub_part(&pub, 500, 100, i) != NGX_OK;
            c = carried(&pub);
            wrong += c.wrong;
            k += c.n;
        }

        if (pub.nparts == 20) {
            (void) media_pub_close(&pub);
            media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
        }
    }

    is(wrong, 0, "room: round the ring, nothing is lost or changed");
    ok(n > 2900, "room: for %d of 3000", (int) n);
    is(k + waiting(&pub), n + NGX_MEDIA_DATA_BYTES / NGX_MEDIA_DATA_MAX,
       "room: each was told or waits");

    (void) media_pub_close(&pub);
    ngx_media_stream_release(&pub.claim, "bye");
    finish("room");

    /* no blocks */

    start(64 * MB);
    begin(&pub, NGX_MEDIA_VIDEO, 0);
    (void) media_pub_part(&pub, 500, 100, 1);

    for (blocks = 0; ngx_media_block_alloc(zone, 1); blocks++) { /* void */ }

    is(put(&pub, pub.time, 16, NULL), NGX_ABORT, "room: without blocks");
    is(pub.claim.stream.sh->data_dropped, 1, "room: counted");
    ok(pub.claim.stream.sh->data == NULL, "room: and nothing is there");

    ngx_media_block_free_all(zone, 1);
    is(put(&pub, pub.time, 16, NULL), NGX_OK, "room: with them again");

    (void) media_pub_close(&pub);
    ngx_media_stream_release(&pub.claim, "bye");
    finish("room");
}


static void
test_tracks(void)
{
    uint64_t     id;
    carried_t    c;
    media_pub_t  audio, one, two;

    start(64 * MB);

    /* before there is video */

    begin(&audio, NGX_MEDIA_AUDIO, 0);
    (void) put(&audio, audio.time, 10, &id);
    (void) media_pub_part(&audio, 100, 200, 1);

    c = carried(&audio);
    is(c.n, 1, "tracks: audio, where there is no video");

    beside(&one, &audio, NGX_MEDIA_VIDEO, 0);
    beside(&two, &audio, NGX_MEDIA_VIDEO, 1);

    (void) put(&one, one.time + 50, 10, &id);
    (void) media_pub_part(&audio, 100, 200, 2);
    is(carried(&audio).n, 0, "tracks: not audio, where there is");

    (void) media_pub_part(&one, 500, 100, 3);
    c = carried(&one);
    is(c.n, 1, "tracks: the first one of video");
    is(c.ids[0], (uint32_t) id, "tracks: its id");
    is(waiting(&one), 1, "tracks: the other one wants it, too");

    (void) media_pub_part(&two, 500, 100, 4);
    c = carried(&two);
    is(c.n, 1, "tracks: the second one");
    is(c.ids[0], (uint32_t) id, "tracks: the same id");
    is(c.times[0], two.time - 50, "tracks: the same time");
    is(waiting(&one), 0, "tracks: and no more");

    /* one of them stands still */

    (void) put(&one, one.time, 10, &id);

    while (waiting(&one)) {
        (void) media_pub_part(&one, 500, 100, 5);

        if (one.nparts == 40) {
            (void) media_pub_close(&one);
            media_pub_cut(&one, one.segment.number + 1);
        }
    }

    is((one.time - two.time) / 1000, 10, "tracks: it is waited for, for 10 s");

    (void) put(&one, one.time, 10, &id);
    (void) media_pub_close(&two);
    media_pub_cut(&two, two.segment.number + 1);
    two.claim.stream.sh->tracks[2]->away = 1;
    (void) media_pub_part(&one, 500, 100, 6);
    is(waiting(&one), 0, "tracks: what is away is not");

    (void) put(&one, one.time, 10, &id);
    two.time = one.time;
    media_pub_cut(&two, one.segment.number);
    (void) media_pub_part(&two, 500, 100, 7);
    is(carried(&two).n, 1, "tracks: until it comes");

    /* who begins so much later has not got what is told */

    (void) media_pub_part(&one, 500, 100, 8);
    (void) put(&one, one.time, 10, &id);
    (void) media_pub_part(&one, 500, 100, 9);

    (void) media_pub_track(&audio, NGX_MEDIA_VIDEO, 2, 48000);
    audio.time = one.time + 2000;
    media_pub_cut(&audio, one.segment.number);
    is(waiting(&one), 1, "tracks: one waits");
    (void) media_pub_part(&audio, 500, 100, 10);
    is(carried(&audio).n, 0, "tracks: it is not for who joins");

    ngx_media_stream_release(&one.claim, "bye");
    finish("tracks");
}


/* other processes: one that dies with the lock, and one that goes on */

static void
test_processes(void)
{
    int                      status;
    pid_t                    pid;
    uint64_t                 id;
    carried_t                c;
    media_pub_t              pub;
    ngx_media_stream_shm_t  *s;

    start(64 * MB);

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        begin(&pub, NGX_MEDIA_VIDEO, 0);
        (void) put(&pub, pub.time, 100, NULL);
        (void) media_pub_part(&pub, 500, 100, 1);
        (void) put(&pub, pub.time, 200, NULL);

        ngx_media_stream_lock(zone, pub.claim.stream.sh);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    wait_msec(300);

    begin(&pub, NGX_MEDIA_VIDEO, 0);
    s = pub.claim.stream.sh;

    is(waiting(&pub), 1, "processes: what waited waits");
    (void) put(&pub, pub.time + 20, 300, &id);
    (void) media_pub_part(&pub, 500, 100, 2);

    c = carried(&pub);
    is(c.n, 2, "processes: it is told by another one");
    is(c.ids[0], (uint32_t) id - 1, "processes: ids go on");
    is(c.times[0], pub.time - 100, "processes: with its begin");
    is(c.wrong, 0, "processes: whole");
    is(s->data_late, 1, "processes: late");

    ngx_media_stream_release(&pub.claim, "bye");
    is(put(&pub, pub.time, 10, NULL), NGX_DECLINED,
       "processes: not without a claim");

    wait_msec(400);
    begin(&pub, NGX_MEDIA_VIDEO, 0);
    (void) media_pub_part(&pub, 500, 100, 3);
    is(carried(&pub).n, 0, "processes: once");

    (void) put(&pub, pub.time, 10, NULL);
    ngx_media_stream_release(&pub.claim, "bye");

    wait_msec(app.grace);
    is(s->data_dropped, 0, "processes: it waits for who returns");

    wait_msec(1);
    is(state("a"), NGX_MEDIA_STREAM_ENDED, "processes: nobody does");
    is(s->data_dropped, 1, "processes: counted");
    is(waiting(&pub), 0, "processes: it waits no more");
    finish("processes");
}


/* a publisher that returns, was ahead, and speaks before it shows anything */

static void
test_early(void)
{
    carried_t                c;
    ngx_uint_t               i;
    media_pub_t              pub;
    ngx_media_stream_shm_t  *s;

    start(64 * MB);
    begin(&pub, NGX_MEDIA_VIDEO, 0);

    s = pub.claim.stream.sh;

    /* four seconds in a moment */

    for (i = 0; i < 20; i++) {
        (void) media_pub_part(&pub, 500, 200, 1);
    }

    ngx_media_stream_release(&pub.claim, "bye");
    wait_msec(600);

    (void) media_pub_begin(&pub, zone, "a");

    is(put(&pub, now, 100, NULL), NGX_OK, "early: put");

    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
    (void) media_pub_part(&pub, 500, 200, 1);

    c = carried(&pub);

    is(c.n, 1, "early: it is in the first part");
    is(c.wrong, 0, "early: as it was");
    is(waiting(&pub), 0, "early: and does not wait any more");
    is(s->data_late, 1, "early: it was late, once");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("early");
}


/* what no part carries: it waits for its time, and takes nobody's room */

static void
test_kinds(void)
{
    uint64_t                 id;
    carried_t                c;
    ngx_uint_t               i;
    media_pub_t              pub;
    ngx_media_stream_shm_t  *s;

    start(64 * MB);
    begin(&pub, NGX_MEDIA_VIDEO, 0);
    s = pub.claim.stream.sh;

    ok(ngx_media_data_carried(NGX_MEDIA_DATA_ID3)
       && !ngx_media_data_carried(NGX_MEDIA_DATA_SCTE35)
       && !ngx_media_data_carried(NGX_MEDIA_DATA_KLV), "kinds: what is");

    (void) put_kind(&pub, NGX_MEDIA_DATA_SCTE35, pub.time + 250, 40, NULL);
    (void) put_kind(&pub, NGX_MEDIA_DATA_KLV, pub.time + 10, 100, NULL);
    (void) put(&pub, pub.time + 20, 30, &id);

    is(s->data_put, 3, "kinds: counted");

    (void) media_pub_part(&pub, 500, 100, 1);
    c = carried(&pub);
    is(c.n, 1, "kinds: the part has one of them");
    is(c.ids[0], (uint32_t) id, "kinds: the tag");
    is(waiting(&pub), 1, "kinds: one is still to come");

    (void) put_kind(&pub, NGX_MEDIA_DATA_SCTE35, pub.time - 900, 40, NULL);
    is(s->data_late, 1, "kinds: also what is late");

    (void) media_pub_part(&pub, 500, 100, 2);
    is(waiting(&pub), 1, "kinds: for as long as");
    (void) media_pub_part(&pub, 500, 100, 3);
    is(waiting(&pub), 0, "kinds: its time is not over");

    /* too many: the newest ones of each */

    for (i = 0; i < 100; i++) {
        (void) put_kind(&pub, NGX_MEDIA_DATA_KLV, pub.time + 3000, 10, NULL);
        (void) put_kind(&pub, NGX_MEDIA_DATA_SCTE35, pub.time + 3000, 10,
                        NULL);
    }

    is(waiting(&pub), 2 * 16, "kinds: the newest of each are kept");
    is(s->data_dropped, 0, "kinds: nothing was to come of the others");

    for (i = 0; put(&pub, pub.time + 20, 16, NULL) == NGX_OK; i++) {
        /* void */
    }

    is(i, NGX_MEDIA_DATA_RECORDS, "kinds: they give way to what is carried");

    (void) media_pub_part(&pub, 500, 100, 4);

    for (i = 0; i < 5; i++) {
        (void) put_kind(&pub, NGX_MEDIA_DATA_SCTE35, pub.time + 3000,
                        NGX_MEDIA_DATA_MAX, NULL);
    }

    for (i = 0; put(&pub, pub.time + 20, NGX_MEDIA_DATA_MAX, NULL) == NGX_OK;
         i++)
    {
        /* void */
    }

    is(i, NGX_MEDIA_DATA_BYTES / NGX_MEDIA_DATA_MAX,
       "kinds: with their bytes");
    is(s->data_dropped, 2, "kinds: only that is lost which had no room");

    (void) media_pub_part(&pub, 500, 100, 5);
    (void) put_kind(&pub, NGX_MEDIA_DATA_KLV, pub.time + 3000, 10, NULL);
    (void) put(&pub, pub.time + 3000, 10, NULL);
    (void) media_pub_close(&pub);
    ngx_media_data_end_locked(s);
    is(s->data_dropped, 3, "kinds: nor at the end");

    ngx_media_stream_release(&pub.claim, "bye");
    finish("kinds");
}


int
main(void)
{
    test_times();
    test_kinds();
    test_room();
    test_tracks();
    test_processes();
    test_early();

    return done();
}
