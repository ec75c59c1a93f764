
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store ngx_stub.c */


/*
 * Forms of a track: they are put, listed, dropped and repaired together, and
 * have their own bytes.
 */


#include "core/ngx_media_data.h"
#include "media_store.h"


#define SIZE  3000


static media_pub_t  pub;


static void
begin(size_t size)
{
    start(size);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
}


/* a segment of n forms */

static ngx_int_t
forms(size_t size, ngx_uint_t n)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    now += 3 * MSEC;
    ngx_stub_clock(now);

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));

    for (i = 0; i < 3; i++) {
        rc = media_pub_forms(&pub, size, MSEC, n);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return media_pub_close(&pub);
}


/* all that are listed, in each of n forms; those that are whole */

static const char *
check(size_t size, ngx_uint_t n, ngx_uint_t *count)
{
    ngx_uint_t                form, i;
    const char               *wrong;
    ngx_media_stream_t        stream;
    ngx_media_segment_t      *s;
    ngx_media_stream_view_t   view;

    stream = find("a");
    view = look("a");
    *count = 0;

    if (view.ntracks == 0) {
        return "no track";
    }

    for (i = 0; i < view.tracks[0].nsegments; i++) {
        s = &view.tracks[0].segments[i];

        if (s->open || s->gap) {
            continue;
        }

        (*count)++;

        for (form = 0; form < n; form++) {
            wrong = media_forms_check(zone, &stream, view.tracks[0].index,
                                      form, s->number, size);

            if (wrong) {
                return wrong;
            }
        }
    }

    return NULL;
}


/* timed data is in all forms, and the same */

static void
test_data(void)
{
    size_t               sizes[2];
    u_char              *boxes[2];
    ngx_uint_t           i;
    ngx_media_data_t     data;
    ngx_media_part_t     part;
    ngx_media_stream_t   stream;

    begin(8 * MB);

    ngx_memzero(&data, sizeof(ngx_media_data_t));

    now += 3 * MSEC;
    ngx_stub_clock(now);
    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));

    data.time = pub.time * (NGX_MEDIA_DATA_TIMESCALE / 1000);
    data.pos = (u_char *) "what was said";
    data.last = data.pos + 13;

    is(ngx_media_data_put(&pub.claim, &data), NGX_OK, "data: put");
    is(media_pub_forms(&pub, SIZE, MSEC, 2), NGX_OK, "data: a part");

    stream = find("a");
    boxes[0] = NULL;

    for (i = 0; i < 2; i++) {
        is(ngx_media_form_part(&stream, pub.track, i, pub.segment.number, 0,
                               &part), NGX_OK, "data: in form %d", (int) i);

        boxes[i] = ngx_media_arena_bytes(zone, &part.range)
                   + media_form_size(SIZE, i);
        sizes[i] = part.range.size - media_form_size(SIZE, i);

        is_mem(boxes[i] + 4, 4, "emsg", 4, "data: a box");
        is_mem(boxes[i] + sizes[i] - 13, 13, "what was said", 13,
               "data: what it says");
    }

    is_mem(boxes[1], sizes[1], boxes[0], sizes[0], "data: the same in both");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("data");
}


static void
test_both(void)
{
    ngx_uint_t            count;
    const char           *wrong;
    ngx_media_part_t      part;
    ngx_media_stream_t    stream;
    ngx_media_segment_t   segment;

    begin(8 * MB);

    is(forms(SIZE, 2), NGX_OK, "both: a segment in two forms");
    wrong = check(SIZE, 2, &count);
    ok(wrong == NULL && count == 1, "both: each as it was put%s%s",
       wrong ? ": " : "", wrong ? wrong : "");

    stream = find("a");

    is(ngx_media_form_segment(&stream, pub.track, 1, pub.segment.number,
                              &segment), NGX_OK, "both: the other one");
    is_hex(segment.init, pub.segment.init + 1, "both: its init");
    is(ngx_media_form_segment(&stream, pub.track, 2, pub.segment.number,
                              &segment), NGX_DECLINED, "both: not a third");
    is(ngx_media_form_segment(&stream, pub.track, 1, pub.segment.number + 1,
                              &segment), NGX_AGAIN, "both: not yet");

    /* while it is open; then not in fewer forms, nor in more */

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));

    is(media_pub_forms(&pub, SIZE, MSEC, 2), NGX_OK, "both: a part");
    is(ngx_media_form_part(&stream, pub.track, 1, pub.segment.number, 0,
                           &part), NGX_OK, "both: is there at once");
    is(part.range.size, media_form_size(SIZE, 1), "both: the other one's");
    is(ngx_media_form_part(&stream, pub.track, 1, pub.segment.number, 1,
                           &part), NGX_AGAIN, "both: the next is not");
    is(media_pub_forms(&pub, SIZE, MSEC, 1), NGX_ABORT, "both: not fewer");
    is(media_pub_forms(&pub, SIZE, MSEC, 3), NGX_ABORT, "both: not more");
    is(media_pub_close(&pub), NGX_OK, "both: closed");

    /* the next one may have others */

    is(forms(SIZE, 4), NGX_OK, "both: a segment in four");
    is(ngx_media_form_segment(&stream, pub.track, 3, pub.segment.number,
                              &segment), NGX_OK, "both: the last of them");
    is(forms(SIZE, 1), NGX_OK, "both: one in one");
    is(ngx_media_form_segment(&stream, pub.track, 1, pub.segment.number,
                              &segment), NGX_DECLINED, "both: has no other");

    wrong = check(SIZE, 1, &count);
    ok(wrong == NULL && count == 4, "both: all have the first");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("both");
}


/* the window moves on, the ring is full, memory is short */

static void
test_drop(void)
{
    ngx_uint_t           count, i;
    const char          *wrong;
    ngx_media_stream_t   stream;
    ngx_media_segment_t  segment;

    begin(8 * MB);

    stream = find("a");

    for (i = 0; i < 200; i++) {
        if (forms(SIZE, 2) != NGX_OK) {
            break;
        }
    }

    is(i, 200, "drop: more than the ring holds");
    wrong = check(SIZE, 2, &count);
    ok(wrong == NULL && count > 10, "drop: what is left is whole%s%s",
       wrong ? ": " : "", wrong ? wrong : "");
    is(ngx_media_form_segment(&stream, pub.track, 1,
                              pub.segment.number - 150, &segment), NGX_DONE,
       "drop: what has gone is gone in both");
    is(validate(), 0, "drop: the books agree");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("drop");

    begin(8 * MB);

    for (i = 0; i < 40; i++) {
        if (forms(100000, 2) != NGX_OK) {
            break;
        }
    }

    is(i, 40, "drop: more than there is memory for");
    ok(zone->store->evicted > 0, "drop: some went early");
    wrong = check(100000, 2, &count);
    ok(wrong == NULL && count > 3, "drop: the rest is whole%s%s",
       wrong ? ": " : "", wrong ? wrong : "");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("drop");
}


/* somebody dies who holds the lock; then the publisher itself */

static void
test_repair(void)
{
    int                      status;
    pid_t                    pid;
    ngx_uint_t               count;
    const char              *wrong;
    ngx_media_form_ref_t     ref;
    ngx_media_stream_shm_t  *s;

    begin(8 * MB);

    (void) forms(SIZE, 2);
    (void) forms(SIZE, 2);

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
    (void) media_pub_forms(&pub, SIZE, MSEC, 2);
    (void) media_pub_forms(&pub, SIZE, MSEC, 2);

    s = pub.claim.stream.sh;

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        ngx_media_stream_lock(zone, s);

        if (ngx_media_form_ref_locked(s->tracks[0], 1, pub.segment.number,
                                      &ref)
            == NGX_OK)
        {
            *ref.bytes += 17;
            ref.ranges[0].size += 17;
            zone->sh->extents[ref.ranges[0].extent].refs += 3;
        }

        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    is(validate(), 0, "repair: the books agree");
    is(media_pub_forms(&pub, SIZE, MSEC, 2), NGX_OK, "repair: it goes on");
    is(media_pub_close(&pub), NGX_OK, "repair: closed");

    wrong = check(SIZE, 2, &count);
    ok(wrong == NULL && count == 3, "repair: all is whole%s%s",
       wrong ? ": " : "", wrong ? wrong : "");

    ngx_media_stream_release(&pub.claim, "bye");

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        (void) media_pub_begin(&pub, zone, "a");
        (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
        media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
        (void) media_pub_forms(&pub, SIZE, MSEC, 2);
        ngx_media_stream_lock(zone, pub.claim.stream.sh);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    wait_msec(0);
    wrong = check(SIZE, 2, &count);
    ok(wrong == NULL && count == 4, "repair: what a dead one left%s%s",
       wrong ? ": " : "", wrong ? wrong : "");

    finish("repair");
}


int
main(void)
{
    if (ngx_media_notify_init(&ngx_stub_log) != NGX_OK) {
        return 1;
    }

    test_data();
    test_both();
    test_drop();
    test_repair();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");
    is(ngx_stub_pools, 0, "no pools are left");

    return done();
}
