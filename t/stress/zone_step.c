
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store ../unit/ngx_stub.c */


/*
 * A process that works on the zone is followed instruction by instruction.
 * After each that changed the zone, a copy of all that is shared is given to
 * a process which takes it that the other one died right there: first as a
 * reader, to whom everything must look whole; then it cleans up as any worker
 * does, goes on publishing, and ends all; then nothing may be left.
 *
 *     zone_step [every=N] [skip=N] [only=N]
 *
 * every: look at each n-th such moment; 0: as many as take a third of the time
 * that the steps take.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/user.h>
#include "core/ngx_media_stream_validate.h"

#define media_pub_watch(on)  watch(on)

static void watch(int on);

#include "../unit/media_zone.h"
#include "core/ngx_media_data.h"
#include "core/ngx_media_tail.h"
#include "formats/ngx_media_emsg.h"
#include "step.h"


#define MB          (1024 * 1024)
#define TAIL_FRAME  60000                    /* four of them fill the ring */
#define DATA        8                        /* of timed data */
#define FORM_SIZE   8888                     /* no other parts have this */


static ngx_media_app_t    app;
static ngx_media_zone_t  *zone;
static int64_t           *clock_now;         /* all have the same */
static u_char            *image;             /* the zone when last looked at */
static size_t             image_size;
static ngx_uint_t         quiet;             /* not followed */


/* the parent goes from steps to running, or back */

static void
watch(int on)
{
    if (!dead && !quiet) {
        (void) raise(SIGUSR1);
    }
}


static void
later(int64_t msec)
{
    *clock_now += msec;
    ngx_stub_clock(*clock_now);
}


/* the process that is followed */


static void
work_segments(media_pub_t *video, media_pub_t *audio, ngx_uint_t n,
    size_t size)
{
    uint64_t    number;
    ngx_uint_t  i;

    while (n--) {
        number = ngx_media_stream_number(&video->claim);

        media_pub_cut(video, number);
        video->segment.discontinuity = number % 4 == 0;

        for (i = 0; i < 3; i++) {
            doing("a part of video");
            (void) media_pub_part(video, size, 20, number * 8 + i);
        }

        if (audio && number % 3) {
            audio->time = video->time - 60;
            media_pub_cut(audio, number);
            doing("a part of audio");
            (void) media_pub_part(audio, 150, 60, number * 8 + i);
            doing("closing a segment of audio");
            watch(1);
            (void) media_pub_close(audio);
            watch(0);
        }

        doing("closing a segment of video");
        watch(1);
        (void) media_pub_close(video);
        watch(0);
    }
}


/* frames whose every byte is that of their number, round the ring */

static void
work_tail(const media_pub_t *pub, ngx_uint_t n, size_t size)
{
    static u_char           bytes[TAIL_FRAME];

    ngx_uint_t              i;
    ngx_media_tail_frame_t  frame;

    ngx_memzero(&frame, sizeof(ngx_media_tail_frame_t));

    frame.track = pub->track;
    frame.timescale = 48000;
    frame.pos = bytes;
    frame.size = size;

    for (i = 0; i < n; i++) {
        memset(bytes, (int) i, size);
        frame.dts = i;

        doing("a frame into the tail");
        watch(1);
        ngx_media_tail_want(&pub->claim.stream);
        ngx_media_tail_put(&pub->claim, &frame);
        watch(0);
    }
}


/*
 * Timed data in a stream of its own, of the open part and of parts to come; one
 * is late, since its publisher left it waiting
 */

static void
put_data(const media_pub_t *pub, int64_t ahead)
{
    u_char            *bytes;
    ngx_media_data_t   data;

    bytes = (u_char *) "data";

    data.kind = NGX_MEDIA_DATA_ID3;
    data.time = (pub->time + ahead) * NGX_MEDIA_DATA_TIMESCALE / 1000;
    data.pos = bytes;
    data.last = bytes + 4;

    doing("timed data");
    watch(1);

    if (ngx_media_data_put(&pub->claim, &data) == NGX_OK) {
        clock_now[1]++;
    }

    watch(0);
}


static void
work_data(void)
{
    ngx_uint_t   i, k;
    media_pub_t  pub;

    for (i = 0; i < 2; i++) {
        doing("publishing with timed data");
        watch(1);
        (void) media_pub_begin(&pub, zone, "c");
        (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
        watch(0);

        media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));

        put_data(&pub, 0);
        put_data(&pub, 30);
        put_data(&pub, -500);

        for (k = 0; k < 3; k++) {
            doing("a part with timed data");
            (void) media_pub_part(&pub, 300, 20, k);
        }

        put_data(&pub, 5);

        ngx_media_stream_release(&pub.claim, "done");
        later(10);
    }
}


/*
 * A publisher leaves while a track that is derived of its own is late, by a
 * segment; and is done, or its name is published anew.
 */

static void
work_trailing(ngx_uint_t anew)
{
    media_pub_t  derived, other, source;

    doing("publishing what something is derived of");
    watch(1);
    (void) media_pub_begin(&source, zone, "a");

    derived = source;

    (void) media_pub_track(&source, NGX_MEDIA_VIDEO, 0, 48000);
    (void) media_pub_track(&derived, NGX_MEDIA_VIDEO, 0x10000, 48000);
    watch(0);

    media_pub_cut(&source, ngx_media_stream_number(&source.claim));
    media_pub_cut(&derived, source.segment.number);

    doing("a part of the source");
    (void) media_pub_part(&source, 600, 20, 1);
    doing("a part of what is derived");
    (void) media_pub_part(&derived, 300, 20, 2);

    doing("the publisher leaves, what is derived is late");
    watch(1);
    (void) media_pub_close(&source);
    ngx_media_stream_finish(&source.claim, "done");
    watch(0);

    doing("a part that is late");
    (void) media_pub_part(&derived, 300, 20, 3);

    if (anew) {
        doing("publishing over what trails");
        watch(1);
        (void) media_pub_begin(&other, zone, "a");
        watch(0);

        doing("a part that is too late");
        (void) media_pub_part(&derived, 300, 20, 4);

        ngx_media_stream_release(&other.claim, "done");
        return;
    }

    doing("nothing is late any more");
    watch(1);
    (void) media_pub_close(&derived);
    ngx_media_stream_release(&derived.claim, "its tracks are done");
    watch(0);
}


static void
work_kick(void)
{
    ngx_str_t           name = ngx_string("a");
    ngx_media_holder_t  holder;

    watch(1);

    if (ngx_media_stream_holder(zone, &name, &holder) != NGX_OK
        || ngx_media_stream_kick(&holder.stream, holder.epoch,
                                 NGX_MEDIA_KICK_ASKED)
           != NGX_OK)
    {
        _exit(3);
    }

    watch(0);
}


/* a process that dies with both locks, a part half written, a pin */

static void
die_inside(void)
{
    int                      status;
    pid_t                    pid;
    ngx_media_track_shm_t   *t;
    ngx_media_part_t         part;
    media_pub_t              pub;
    ngx_media_stream_shm_t  *s;

    pid = fork();

    if (pid) {
        (void) waitpid(pid, &status, 0);
        return;
    }

    ngx_pid = getpid();
    quiet = 1;

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    work_segments(&pub, NULL, 3, 2000);

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
    (void) media_pub_part(&pub, 600, 20, 1);

    if (ngx_media_track_part(&pub.claim.stream, 0, pub.segment.number, 0,
                             &part)
        == NGX_OK)
    {
        (void) ngx_media_pin(zone, &part.range, 1);
    }

    s = pub.claim.stream.sh;
    ngx_media_stream_lock(zone, s);

    t = s->tracks[0];
    ngx_media_segment_record(t, t->segment_closed)->bytes += 17;
    zone->sh->extents[t->place.extent].refs++;

    ngx_media_zone_lock(zone);
    zone->sh->pages += 5;
    zone->sh->limbo = 7;

    _exit(0);
}


static void
step_work(void)
{
    ngx_uint_t           i;
    media_pub_t          video, audio, other;
    ngx_media_stream_t   stream;
    ngx_media_segment_t  segment;

    ngx_process_slot = 1;

    doing("acquiring a new stream");
    watch(1);
    (void) media_pub_begin(&video, zone, "a");

    audio = video;

    doing("adding a track");
    (void) media_pub_track(&video, NGX_MEDIA_VIDEO, 0, 48000);
    (void) media_pub_track(&audio, NGX_MEDIA_AUDIO, 0, 48000);
    ngx_media_stream_ready(&video.claim, 0, 0);
    watch(0);

    work_segments(&video, &audio, 4, 3000);

    work_data();

    work_tail(&video, 6, TAIL_FRAME);

    doing("nobody follows any more");
    later(NGX_MEDIA_TAIL_WANTED + 1);
    watch(1);
    ngx_media_streams_tick(zone);
    watch(0);

    work_tail(&video, 2, 600);

    /* so large that extents are outgrown, and shorter ones after it */

    work_segments(&video, &audio, 1, 60000);
    work_segments(&video, &audio, 1, 8000);

    /* the ring of segments overflows */

    work_segments(&video, NULL, 8, 600);

    doing("another codec");
    watch(1);
    (void) media_pub_track(&audio, NGX_MEDIA_AUDIO, 0, 44100);
    watch(0);
    work_segments(&video, &audio, 1, 600);

    /* in two forms, which are there together or not at all */

    doing("a part in two forms");

    for (i = 0; i < 3; i++) {
        media_pub_cut(&video, ngx_media_stream_number(&video.claim));

        if (media_pub_forms(&video, FORM_SIZE, 20, 2) != NGX_OK
            || media_pub_forms(&video, FORM_SIZE, 20, 2) != NGX_OK
            || media_pub_close(&video) != NGX_OK)
        {
            _exit(3);
        }
    }

    doing("parameters of several pages, and others after them");

    for (i = 0; i < 2; i++) {
        video.params.config_len = 6000;
        memset(video.params.config + 2, (int) i, 6000 - 2);

        watch(1);
        (void) ngx_media_track_set_init(&video.claim, video.track,
                                        &video.params, &video.segment.init);
        watch(0);
    }

    work_segments(&video, NULL, 1, 600);

    doing("pinning");
    watch(1);
    stream = video.claim.stream;

    if (ngx_media_track_segment(&stream, 0,
                                ngx_media_stream_number(&video.claim) - 1,
                                &segment)
        == NGX_OK)
    {
        (void) ngx_media_pin(zone, segment.ranges, segment.nranges);
        ngx_media_unpin(zone, segment.ranges, segment.nranges);
    }

    doing("another stream");
    (void) media_pub_begin(&other, zone, "b");
    (void) media_pub_track(&other, NGX_MEDIA_VIDEO, 0, 48000);
    watch(0);

    /* memory is short: a is cut */

    for (i = 0; i < 4; i++) {
        media_pub_cut(&other, ngx_media_stream_number(&other.claim));
        doing("a part for which others are cut");
        (void) media_pub_part(&other, 200000, 20, i);
        doing("closing a large segment");
        watch(1);
        (void) media_pub_close(&other);
        watch(0);
    }

    doing("taking over");
    watch(1);
    (void) media_pub_begin(&video, zone, "a");
    (void) media_pub_track(&video, NGX_MEDIA_VIDEO, 0, 48000);
    watch(0);
    work_segments(&video, NULL, 1, 600);

    media_pub_cut(&video, ngx_media_stream_number(&video.claim));
    (void) media_pub_part(&video, 600, 20, 1);

    doing("kicking");
    work_kick();

    (void) media_pub_begin(&video, zone, "a");
    (void) media_pub_track(&video, NGX_MEDIA_VIDEO, 0, 48000);
    work_segments(&video, NULL, 1, 600);

    media_pub_cut(&video, ngx_media_stream_number(&video.claim));
    (void) media_pub_part(&video, 600, 20, 1);

    doing("releasing");
    watch(1);
    ngx_media_stream_release(&video.claim, "done");
    watch(0);

    work_trailing(1);
    work_trailing(0);

    doing("a tick: end of grace");
    watch(1);
    later(app.grace + 1);
    ngx_media_streams_tick(zone);

    doing("a tick: removal");
    later(app.window + 1);
    ngx_media_streams_tick(zone);

    doing("sweeping");
    ngx_media_zone_sweep(zone);

    doing("publishing over what has ended");
    ngx_media_stream_release(&other.claim, "done");
    later(app.grace + 1);
    ngx_media_streams_tick(zone);
    (void) media_pub_begin(&other, zone, "b");

    ngx_media_stream_release(&other.claim, "done");
    watch(0);

    die_inside();

    doing("repairing after another one");
    watch(1);
    ngx_media_zone_sweep(zone);
    ngx_media_streams_tick(zone);
    watch(0);

    die_inside();

    doing("taking over from a dead one");
    watch(1);
    (void) media_pub_begin(&video, zone, "a");
    (void) media_pub_track(&video, NGX_MEDIA_VIDEO, 0, 48000);
    watch(0);
    work_segments(&video, NULL, 1, 600);

    doing("leaving");
    watch(1);
    ngx_media_stream_release(&video.claim, "done");
    ngx_media_zone_detach(zone);
    watch(0);
}


/* the process that looks */


static void
copy_arena(void)
{
    int      fd;
    off_t    data, hole;
    ssize_t  n;

    fd = memfd_create("copy", 0);

    if (fd == -1 || ftruncate(fd, zone->arena->size) == -1) {
        abort();
    }

    for (data = 0; /* void */ ; data = hole) {
        data = lseek(zone->arena->fd, data, SEEK_DATA);

        if (data == -1) {
            break;
        }

        hole = lseek(zone->arena->fd, data, SEEK_HOLE);
        n = pwrite(fd, zone->arena->addr + data, hole - data, data);

        if (n != hole - data) {
            abort();
        }
    }

    if (mmap(zone->arena->addr, zone->arena->size, PROT_READ|PROT_WRITE,
             MAP_SHARED|MAP_FIXED, fd, 0)
        == MAP_FAILED)
    {
        abort();
    }

    zone->arena->fd = fd;
}


static void
copy_zone(void)
{
    if (mmap(zone->sh, image_size, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0)
        == MAP_FAILED)
    {
        abort();
    }

    memcpy(zone->sh, image, image_size);
}


static void
read_track(const char *when, const ngx_media_stream_t *stream,
    const char *name, ngx_media_track_view_t *t)
{
    uint64_t              hash;
    ngx_uint_t            i, k, n, parts;
    const char           *wrong;
    ngx_media_part_t      part;
    ngx_media_segment_t  *s;

    hash = ngx_media_hash((u_char *) name, strlen(name));
    wrong = media_view_check(t);

    if (wrong) {
        fail(when, wrong);
    }

    for (i = 0; i < t->nsegments; i++) {
        s = &t->segments[i];

        if (s->open || s->gap) {
            continue;
        }

        if (s->nparts && s->bytes == s->nparts * FORM_SIZE) {

            for (k = 0; k < 2; k++) {
                wrong = media_forms_check(zone, stream, t->index, k,
                                          s->number, FORM_SIZE);
                if (wrong) {
                    fail(when, wrong);
                }
            }

            continue;
        }

        if (ngx_media_pin(zone, s->ranges, s->nranges) != NGX_OK) {
            fail(when, "a listed segment cannot be pinned");
            continue;
        }

        parts = 0;

        for (k = 0; k < s->nranges; k++) {
            wrong = media_parts_check(ngx_media_arena_bytes(zone,
                                                            &s->ranges[k]),
                                      s->ranges[k].size, hash, t->index,
                                      s->number, parts, &n);
            parts += n;

            if (wrong) {
                fail(when, wrong);
            }
        }

        if (parts != s->nparts) {
            fail(when, "a segment has other parts than it says");
        }

        ngx_media_unpin(zone, s->ranges, s->nranges);
    }

    for (i = 0; i < t->nparts; i++) {

        if (t->parts[i].range.size == FORM_SIZE) {
            continue;
        }

        if (ngx_media_track_part(stream, t->index, t->parts[i].number,
                                 t->parts[i].part, &part)
            == NGX_DONE
            || ngx_media_pin(zone, &t->parts[i].range, 1) != NGX_OK)
        {
            /* parts may stay in the ring when their segment has gone */
            continue;
        }

        wrong = media_parts_check(ngx_media_arena_bytes(zone, &part.range),
                                  part.range.size, hash, t->index,
                                  part.number, part.part, &n);

        if (wrong || n != 1) {
            fail(when, wrong ? wrong : "no part");
        }

        ngx_media_unpin(zone, &t->parts[i].range, 1);
    }
}


/* what the tail says is there is whole, and in order */

static void
read_tail(const char *when, const ngx_media_stream_t *stream)
{
    size_t                    i;
    uint64_t                  seq;
    ngx_media_tail_frame_t    frame;
    ngx_media_tail_reader_t   reader;

    ngx_memzero(&reader, sizeof(ngx_media_tail_reader_t));

    reader.stream = *stream;
    seq = 0;

    while (ngx_media_tail_next(&reader, &frame) == NGX_OK) {

        if (seq && frame.seq != seq + 1) {
            fail(when, "a number in the tail");
        }

        seq = frame.seq;

        for (i = 0; i < frame.size; i++) {
            if (frame.pos[i] != (u_char) frame.dts) {
                fail(when, "a byte in the tail");
                break;
            }
        }

        if (!ngx_media_tail_valid(&reader, &frame)) {
            fail(when, "the tail was overtaken by nobody");
        }
    }

    ngx_media_tail_close(&reader);
}


static void
read_all(const char *when)
{
    ngx_str_t                 text;
    ngx_pool_t               *pool;
    ngx_uint_t                i, k;
    ngx_media_stream_t        stream;
    ngx_media_stream_view_t   view;

    static const char  *names[] = { "a", "b" };

    for (i = 0; i < 2; i++) {
        text.data = (u_char *) names[i];
        text.len = 1;

        if (ngx_media_stream_find(zone, &text, &stream) != NGX_OK) {
            continue;
        }

        pool = ngx_create_pool(4096, &ngx_stub_log);

        if (ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS, &view)
            == NGX_OK)
        {
            for (k = 0; k < view.ntracks; k++) {
                read_track(when, &stream, names[i], &view.tracks[k]);
            }
        }

        ngx_destroy_pool(pool);

        read_tail(when, &stream);
    }
}


/* of the stream with timed data, how often each was put into a part */

static uint64_t
count_data(const char *when, ngx_media_stream_shm_t *s, ngx_uint_t *found)
{
    u_char                *p, *last;
    uint32_t               size;
    uint64_t               first, i;
    ngx_media_emsg_t       emsg;
    ngx_media_part_shm_t  *part;

    first = s->data ? s->data->seq - DATA : 0;

    for (i = 0; s->ntracks && i < s->tracks[0]->part_head; i++) {
        part = ngx_media_part_record(s->tracks[0], i);
        p = ngx_media_arena_bytes(zone, &part->range);
        last = p + part->range.size;

        for (p += sizeof(media_head_t);
             last - p > 8 && memcmp(p + 4, "emsg", 4) == 0;
             p += size)
        {
            size = (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];

            if (size > (size_t) (last - p)
                || ngx_media_emsg_read(&emsg, p + 8, p + size) != NGX_OK
                || ngx_media_span_len(&emsg.data) != 4
                || memcmp(emsg.data.pos, "data", 4) != 0
                || emsg.id - (uint32_t) first > 2 * DATA)
            {
                fail(when, "timed data in a part");
                break;
            }

            found[emsg.id - (uint32_t) first]++;
        }
    }

    return first;
}


/* it is published once more: all is in a part now, and once */

static void
check_data(void)
{
    uint64_t                      first;
    ngx_uint_t                    i, k, n;
    ngx_uint_t                    before[2 * DATA + 1], after[2 * DATA + 1];
    media_pub_t                   pub;
    ngx_media_stream_t            stream;
    ngx_media_stream_shm_t       *s;
    ngx_media_data_record_shm_t  *record;

    ngx_str_t  name = ngx_string("c");

    if (ngx_media_stream_find(zone, &name, &stream) != NGX_OK
        || ngx_media_stream_state(&stream) == NGX_MEDIA_STREAM_ENDED)
    {
        return;
    }

    s = stream.sh;

    memset(before, 0, sizeof(before));
    memset(after, 0, sizeof(after));

    first = count_data("timed data", s, before);

    for (i = 0; s->data && i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &s->data->records[i];

        if (record->seq && before[record->seq - first] == 0) {
            before[record->seq - first] = 1;
        }
    }

    if (media_pub_begin(&pub, zone, "c") != NGX_OK
        || media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000) != NGX_OK
        || media_pub_segment(&pub, 4, 300, 20) != NGX_OK)
    {
        fail("timed data", "cannot publish");
    }

    (void) count_data("timed data, going on", s, after);

    n = 0;

    for (k = 0; k <= 2 * DATA; k++) {
        n += before[k];

        if (before[k] > 1 || after[k] != before[k]) {
            fail("timed data", after[k] > 1 ? "twice" : "missing");
        }
    }

    if (n < (ngx_uint_t) clock_now[1]) {
        fail("timed data", "what was put is not there");
    }

    ngx_media_stream_release(&pub.claim, "done");
}


static void
validate(const char *when)
{
    uint32_t                 i;
    ngx_media_stream_shm_t  *s;

    if (ngx_media_zone_validate(zone)) {
        fail(when, "books of the zone");
    }

    for (i = 0; i < zone->store->used_streams; i++) {
        s = ngx_media_stream_record(zone, i);

        ngx_media_stream_lock(zone, s);

        if (ngx_media_stream_validate_locked(zone, s)) {
            fail(when, "books of a stream");
        }

        ngx_media_stream_unlock(s);
    }
}


/* the file has no more than what the table of extents says */

static void
check_file(void)
{
    uint32_t  i;
    uint64_t  pages;

    pages = 0;

    for (i = 0; i < zone->sh->nextents; i++) {
        pages += zone->sh->extents[i].state != NGX_MEDIA_EXTENT_FREE
                 ? zone->sh->extents[i].pages : 0;
    }

    if (media_zone_bytes(zone) > pages * NGX_MEDIA_PAGE) {
        fail("at once", "the file has more than the books say");
    }
}


/*
 * The dead one works on nothing any more, and what it had reserved for more
 * than it published is memory again
 */

static void
check_given_back(void)
{
    uint32_t                 i;
    ngx_media_extent_shm_t  *e;

    for (i = 0; i < zone->sh->nextents; i++) {
        e = &zone->sh->extents[i];

        if (e->state == NGX_MEDIA_EXTENT_FREE) {
            continue;
        }

        if (e->pid) {
            fail("after the sweep", "somebody works on an extent");
        }

        if (e->keep) {
            fail("after the sweep", "an extent is to be trimmed");
        }

        if (e->state == NGX_MEDIA_EXTENT_USED && e->refs == 0) {
            fail("after the sweep", "an extent is nobody's");
        }
    }
}


static void
check_end(void)
{
    uint32_t    i;
    ngx_uint_t  n;

    n = zone->sh->lock != 0;

    for (i = 0; i < zone->store->nstreams; i++) {
        n += zone->store->streams[i].lock != 0;
    }

    if (n) {
        fail("in the end", "locks");
    }

    n = 0;

    for (i = 0; i < zone->store->nstreams; i++) {
        n += zone->store->streams[i].state != NGX_MEDIA_STREAM_FREE;
    }

    if (n) {
        fail("in the end", "streams");
    }

    for (i = 0; i < zone->sh->nextents; i++) {
        n += zone->sh->extents[i].state != NGX_MEDIA_EXTENT_FREE;
    }

    if (n || zone->sh->pages || media_zone_bytes(zone)
        || ngx_media_buddy_count(&zone->sh->buddy) != zone->sh->buddy.pages)
    {
        fail("in the end", "extents or pages");
    }

    for (i = 0; i < zone->sh->nblocks; i++) {
        n += zone->sh->owners[i] != 0;
    }

    if (n) {
        fail("in the end", "blocks");
    }

    if (zone->sh->rows[0].pid || zone->sh->rows[1].pid) {
        fail("in the end", "rows");
    }
}


static void
step_check(pid_t child)
{
    ngx_uint_t   i;
    media_pub_t  pub;

    ngx_pid = getpid();
    ngx_process_slot = 2;
    dead = child;
    ngx_stub_clock(*clock_now);

    check_file();
    copy_arena();
    copy_zone();

    read_all("at once");

    ngx_media_zone_sweep(zone);
    ngx_media_streams_tick(zone);

    check_given_back();

    validate("after the sweep");
    read_all("after the sweep");

    if (media_pub_begin(&pub, zone, "a") != NGX_OK
        || media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000) != NGX_OK)
    {
        fail("going on", "cannot publish");

    } else {
        for (i = 0; i < 3; i++) {
            if (media_pub_segment(&pub, 3, 1000, 20) != NGX_OK) {
                fail("going on", "a segment");
            }
        }
    }

    check_data();

    validate("going on");
    read_all("going on");

    ngx_media_stream_release(&pub.claim, "done");

    later(2 * app.grace + 1);
    ngx_media_streams_tick(zone);
    later(2 * app.window + 1);
    ngx_media_streams_tick(zone);
    ngx_media_streams_tick(zone);
    ngx_media_zone_detach(zone);
    ngx_media_zone_sweep(zone);

    check_end();
    validate("in the end");

    if (ngx_stub_logged[NGX_LOG_ALERT]) {
        fail("log", "alerts");
    }
}


/* the parent */


static uint64_t
where(pid_t pid)
{
#if defined(__x86_64__)

    return ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct,
                                                 rip), 0);
#else

    return 0;

#endif
}


/*
 * Has it changed what is shared since the last time; of rows and blocks only
 * the first ones are in use.
 */

static ngx_uint_t
changed(uint64_t *bytes)
{
    size_t      len, offset;
    uint64_t    now;
    ngx_uint_t  i, n;

    n = 0;
    now = media_zone_bytes(zone);

    if (now != *bytes) {
        *bytes = now;
        n++;
    }

    for (i = 0; i < 2; i++) {

        if (i == 0) {
            offset = 0;
            len = (u_char *) zone->sh->pins - (u_char *) zone->sh
                  + 4 * zone->sh->nextents * sizeof(uint32_t);

        } else {
            offset = zone->sh->blocks - (u_char *) zone->sh;
            len = ngx_min(zone->sh->nblocks, 64) * NGX_MEDIA_PAGE;
        }

        if (memcmp(image + offset, (u_char *) zone->sh + offset, len)) {
            memcpy(image + offset, (u_char *) zone->sh + offset, len);
            n++;
        }
    }

    return n;
}


int
main(int argc, char **argv)
{
    int         status;
    pid_t       child;
    int64_t     began, spent, t;
    uint64_t    bytes, every, only, rip, last, skip, steps;
    ngx_uint_t  due, failed, follow, looks, moments;

    step_tune(argv);

    every = option(argc, argv, "every", 0);
    skip = option(argc, argv, "skip", 0);
    only = option(argc, argv, "only", 0);

    setvbuf(stdout, NULL, _IOLBF, 0);

    media_app_init(&app, 1 * MB, 3);

    app.segment = 60;
    app.segment_max = 60;
    app.window = 300;
    app.grace = 100;
    app.target = 0;
    app.ring_segments = 8;
    app.ring_parts = 12;

    zone = media_zone_create(&app);
    image_size = media_zone_size(&app);
    image = calloc(1, image_size);
    clock_now = shared_memory(2 * sizeof(int64_t));

    if (image == NULL || ngx_media_notify_init(&ngx_stub_log) != NGX_OK) {
        abort();
    }

    *clock_now = ngx_media_wall_msec();

    child = step_child();

    if (child == 0) {
        return done();
    }

    bytes = 0;
    steps = 0;
    moments = 0;
    looks = 0;
    failed = 0;
    last = 0;
    follow = 0;
    spent = 0;
    began = msec();

    (void) changed(&bytes);

    for ( ;; ) {

        if (ptrace(follow ? PTRACE_SINGLESTEP : PTRACE_CONT, child, 0, 0)
            == -1
            || waitpid(child, &status, 0) == -1
            || !WIFSTOPPED(status))
        {
            break;
        }

        if (WSTOPSIG(status) == SIGUSR1) {
            follow = !follow;
            continue;
        }

        if (WSTOPSIG(status) == SIGCHLD) {
            continue;
        }

        if (WSTOPSIG(status) != SIGTRAP) {
            diag("the process got signal %d", WSTOPSIG(status));
            failed++;
            break;
        }

        steps++;
        rip = where(child);

        /* moments inside of a string instruction are all alike */

        if (rip == last) {
            continue;
        }

        last = rip;

        if (!changed(&bytes)) {
            continue;
        }

        moments++;

        if (moments <= skip || (only && moments != only)) {
            continue;
        }

        /* looks take a part of the time only */

        t = msec();
        due = every ? moments % every == 0 || only
                    : spent * 4 <= t - began;

        if (due) {
            failed += step_look(child, moments, rip);
            looks++;
            spent += msec() - t;
        }

        if (failed > 20) {
            break;
        }
    }

    diag("%lu instructions, %lu moments, %lu looked at, %lu ms",
         (unsigned long) steps, (unsigned long) moments,
         (unsigned long) looks, (unsigned long) (msec() - began));

    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "the process came to its end");
    is(failed, 0, "wherever it dies, nothing is wrong and nothing is left");

    return done();
}
