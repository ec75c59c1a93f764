
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store ngx_stub.c */


#include "media_store.h"


/* by time, and inits, of a track that is found for that alone */

static ngx_int_t
segment_at(const ngx_media_stream_t *stream, ngx_uint_t track, int64_t time,
    ngx_media_segment_t *copy)
{
    ngx_media_track_ref_t  ref;

    if (ngx_media_track_ref(stream, track, &ref) != NGX_OK
        || ngx_media_ref_look(&ref) != NGX_OK)
    {
        return NGX_ABORT;
    }

    return ngx_media_ref_segment_at(&ref, time, copy);
}


static ngx_int_t
init_bytes(const ngx_media_stream_t *stream, ngx_uint_t track, uint64_t name,
    ngx_str_t *bytes)
{
    ngx_media_track_ref_t  ref;

    if (ngx_media_track_ref(stream, track, &ref) != NGX_OK) {
        return NGX_ABORT;
    }

    return ngx_media_ref_init(&ref, name, pool, bytes);
}


static void
test_birth(void)
{
    uint64_t                  first;
    ngx_str_t                 name;
    ngx_uint_t                i, parts;
    const char               *wrong;
    media_pub_t               pub;
    ngx_media_edge_t          edge;
    ngx_media_part_t          part;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       copy;
    ngx_media_track_ref_t     ref;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    ok(find("a").id == 0, "birth: there is no stream");
    is(media_pub_begin(&pub, zone, "a"), NGX_OK, "birth: acquire");
    is(pub.claim.returned, 0, "birth: it is a new one");
    ok(ngx_media_claim_valid(&pub.claim), "birth: claim");
    is(media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000), NGX_OK,
       "birth: track");

    stream = find("a");
    ok(stream.id != 0, "birth: found");

    first = ngx_media_stream_number(&pub.claim);
    is(first, (now - 1767225600000ll) / 250,
       "birth: its number is the time, in quarters of a second");

    view = look("a");
    is(view.state, NGX_MEDIA_STREAM_LIVE, "birth: live");
    is(view.ntracks, 1, "birth: one track");
    is(view.ready, 0, "birth: not ready");
    is_str(&view.tracks[0].name, "v1", "birth: its name");
    is(view.tracks[0].nsegments, 0, "birth: nothing is listed");
    is(view.target, 3, "birth: target");

    is(ngx_media_track_edge(&stream, 0, &edge), NGX_OK, "birth: edge");
    is(edge.any, 0, "birth: edge: nothing yet");
    is(ngx_media_track_segment(&stream, 0, first, &copy), NGX_AGAIN,
       "birth: segment: not yet");
    is(ngx_media_track_part(&stream, 0, first, 0, &part), NGX_AGAIN,
       "birth: part: not yet");
    is(ngx_media_track_segment(&stream, 1, first, &copy), NGX_DECLINED,
       "birth: no such track");

    /* the first part */

    media_pub_cut(&pub, first);
    is(media_pub_part(&pub, 1000, MSEC, 7), NGX_OK, "birth: part");

    ngx_media_stream_ready(&pub.claim, 0, 0);

    view = look("a");
    is(view.ready, 1, "birth: ready");
    is(view.tracks[0].nsegments, 1, "birth: an open segment");
    is(view.tracks[0].segments[0].open, 1, "birth: it is open");
    is(view.tracks[0].segments[0].nparts, 1, "birth: with one part");
    is(view.tracks[0].segments[0].duration, 9600, "birth: so long");
    is(view.tracks[0].nparts, 1, "birth: parts");
    is(view.tracks[0].ninits, 1, "birth: inits");
    is(view.tracks[0].expect_msn, first, "birth: hint");
    is(view.tracks[0].expect_part, 1, "birth: hint: part");

    is(ngx_media_track_part(&stream, 0, first, 0, &part), NGX_OK,
       "birth: part is there");
    wrong = verify(&part.range, 1, &pub, first, &parts);
    ok(wrong == NULL, "birth: its bytes: %s", wrong ? wrong : "right");
    is(ngx_media_track_part(&stream, 0, first, 1, &part), NGX_AGAIN,
       "birth: the next one is not");
    is(ngx_media_track_segment(&stream, 0, first, &copy), NGX_OK,
       "birth: the open segment");
    is(copy.open, 1, "birth: is open");
    is(copy.nranges, 0, "birth: has no bytes to give");

    for (i = 1; i < PARTS; i++) {
        (void) media_pub_part(&pub, 1000 + i * 700, MSEC, 7 + i);
    }

    is(media_pub_close(&pub), NGX_OK, "birth: close");

    is(ngx_media_track_part(&stream, 0, first, PARTS, &part), NGX_DECLINED,
       "birth: a part that never came");
    is(ngx_media_track_segment(&stream, 0, first, &copy), NGX_OK,
       "birth: segment");
    is(copy.open, 0, "birth: it is complete");
    is(copy.nparts, PARTS, "birth: parts of the segment");
    is(copy.duration, 2 * 48000, "birth: duration");
    wrong = verify(copy.ranges, copy.nranges, &pub, first, &parts);
    ok(wrong == NULL, "birth: its bytes: %s", wrong ? wrong : "right");
    is(parts, PARTS, "birth: all of them");

    is(segment(&pub, 2000), NGX_OK, "birth: another segment");

    is(segment_at(&stream, 0, pub.segment.time, &copy),
       NGX_OK, "time: the segment at this time");
    is(copy.number, first + 1, "time: is the second");
    is(segment_at(&stream, 0, pub.segment.time - 1, &copy),
       NGX_DECLINED, "time: between two");
    is(segment_at(&stream, 0, 1, &copy), NGX_DONE,
       "time: before the first");
    is(segment_at(&stream, 0, pub.segment.time + 1, &copy),
       NGX_AGAIN, "time: after the last");

    media_pub_cut(&pub, first + 2);
    (void) media_pub_part(&pub, 1000, MSEC, 9);
    is(segment_at(&stream, 0, pub.segment.time, &copy),
       NGX_AGAIN, "time: the open one");

    ngx_str_set(&name, "v1");
    is(ngx_media_track_find(&stream, &name, &ref), NGX_OK, "name: v1");
    is(ref.track, 0, "name: its index");
    ngx_str_set(&name, "v2");
    is(ngx_media_track_find(&stream, &name, &ref), NGX_DECLINED,
       "name: v2");

    ngx_media_stream_release(&pub.claim, "test");

    finish("birth");
}


static void
test_inits(void)
{
    uint64_t                  names[NGX_MEDIA_INITS + 4], name;
    ngx_str_t                 bytes;
    ngx_uint_t                i, n;
    media_pub_t               pub;
    ngx_media_stream_t        stream;
    ngx_media_params_t        params;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_AUDIO, 0, 44100);

    stream = find("a");
    params = pub.params;
    n = 0;

    for (i = 0; i < NGX_MEDIA_INITS + 4; i++) {

        /* the same codec and timescale, another configuration */

        params.config[params.config_len] = 0;
        params.config[params.config_len + 1] = i;
        pub.params.config_len = params.config_len + 2;
        ngx_memcpy(pub.params.config, params.config, pub.params.config_len);

        n += ngx_media_track_set_init(&pub.claim, 0, &pub.params, &names[i])
             == NGX_OK;
        pub.segment.init = names[i];
        n += segment(&pub, 500) == NGX_OK;
    }

    is(n, 2 * (NGX_MEDIA_INITS + 4), "inits: more than there is room for");

    is(init_bytes(&stream, 0, names[0], &bytes),
       NGX_DECLINED, "inits: the oldest has gone");
    is(init_bytes(&stream, 0, names[i - 1], &bytes), NGX_OK,
       "inits: the newest is there");
    is_hex(ngx_media_hash(bytes.data, bytes.len), names[i - 1],
           "inits: its name is its hash");
    is(bytes.len, ngx_media_mp4_write_init(NULL, &pub.params),
       "inits: its length");

    view = look("a");
    is(view.tracks[0].nsegments, NGX_MEDIA_INITS, "inits: segments that went "
       "with them");
    is(view.tracks[0].ninits, NGX_MEDIA_INITS, "inits: those that are named");

    is(ngx_media_track_set_init(&pub.claim, 0, &pub.params, &name), NGX_OK,
       "inits: the same again");
    is_hex(name, names[i - 1], "inits: has the same name");

    ngx_media_stream_release(&pub.claim, "test");

    finish("inits");
}


static void
test_window(void)
{
    uint64_t                  first;
    ngx_uint_t                i, n;
    media_pub_t               pub, small;
    ngx_media_part_t          part;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       copy;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);

    stream = find("a");
    first = ngx_media_stream_number(&pub.claim);

    for (i = 0; i < 50; i++) {
        (void) segment(&pub, 4000);
    }

    view = look("a");

    is(view.tracks[0].nsegments, 30, "window: 30 segments of 2 s fill it");
    is(view.tracks[0].segments[0].number, first + 20, "window: the newest");
    is(ngx_media_track_segment(&stream, 0, first + 18, &copy), NGX_OK,
       "window: two more are kept");
    is(ngx_media_track_segment(&stream, 0, first + 17, &copy), NGX_DONE,
       "window: older ones have gone");
    is(ngx_media_track_segment(&stream, 0, first - 1, &copy), NGX_DONE,
       "window: so has what never was");
    is(ngx_media_track_segment(&stream, 0, first + 50, &copy), NGX_AGAIN,
       "window: the next one comes");

    is(ngx_media_track_part(&stream, 0, first + 49, 3, &part), NGX_OK,
       "window: a part of the newest");
    is(ngx_media_track_part(&stream, 0, first + 20, 3, &part), NGX_DONE,
       "window: parts of old segments have gone");
    is(ngx_media_track_part(&stream, 0, first + 17, 3, &part), NGX_DONE,
       "window: parts of segments that have gone");
    is(ngx_media_track_part(&stream, 0, first + 49, PARTS + 1, &part),
       NGX_DECLINED, "window: a part that never was");
    is(ngx_media_track_part(&stream, 0, first + 50, 0, &part), NGX_AGAIN,
       "window: a part that comes");

    ok(zone->sh->pages * NGX_MEDIA_PAGE
       <= 32 * PARTS * 4000 * 11 / 10 + MB,
       "window: memory: %lu KB for %d KB",
       (unsigned long) zone->sh->pages * 4, 32 * PARTS * 4000 / 1024);
    is(media_zone_bytes(zone), zone->sh->pages * NGX_MEDIA_PAGE,
       "window: the file has what the books say");

    /* small segments share extents */

    (void) media_pub_begin(&small, zone, "b");
    (void) media_pub_track(&small, NGX_MEDIA_AUDIO, 0, 48000);

    n = zone->sh->pages;

    for (i = 0; i < 40; i++) {
        (void) segment(&small, 500);
    }

    n = zone->sh->pages - n;

    ok(n * NGX_MEDIA_PAGE <= 32 * PARTS * 504 + 256 * 1024,
       "window: small segments: %lu KB for %d KB", (unsigned long) n * 4,
       32 * PARTS * 504 / 1024);

    ngx_media_stream_release(&pub.claim, "bye");
    ngx_media_stream_release(&small.claim, "bye");

    finish("window");
}


static void
test_ring(void)
{
    uint64_t                  first, discontinuity;
    ngx_uint_t                i;
    media_pub_t               pub;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);

    first = ngx_media_stream_number(&pub.claim);
    discontinuity = look("a").discontinuity;

    /* so short that the ring is full before the window is */

    for (i = 0; i < 200; i++) {
        media_pub_cut(&pub, first + i);
        pub.segment.discontinuity = i % 10 == 5;
        (void) media_pub_part(&pub, 3000, MSEC, i);
        (void) media_pub_close(&pub);
    }

    view = look("a");

    is(view.tracks[0].nsegments, 76, "ring: as many as it holds");
    is(view.tracks[0].segments[0].number, first + 124, "ring: the newest");

    /* 12 of those that have gone, 8 that are there */

    is(view.discontinuity, discontinuity + 12, "ring: discontinuities");
    is(find("a").sh->discontinuities, 8, "ring: those that are listed");
    is(validate(), 0, "ring: the books agree");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("ring");
}


static void
test_gaps(void)
{
    uint64_t                  first;
    ngx_uint_t                i, n, wrong;
    media_pub_t               audio, video;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       copy, *s;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    (void) media_pub_begin(&video, zone, "a");
    audio = video;
    (void) media_pub_track(&video, NGX_MEDIA_VIDEO, 0, 48000);
    (void) media_pub_track(&audio, NGX_MEDIA_AUDIO, 0, 44100);

    stream = find("a");
    first = ngx_media_stream_number(&video.claim);

    (void) segment(&video, 1000);

    media_pub_cut(&audio, first);
    (void) media_pub_part(&audio, 100, 2000, 1);
    (void) media_pub_close(&audio);

    /* audio misses three of them, among them a discontinuity */

    for (i = 0; i < 4; i++) {
        media_pub_cut(&video, ngx_media_stream_number(&video.claim));
        video.segment.discontinuity = i == 1;
        (void) media_pub_part(&video, 1000, 2000, i);
        (void) media_pub_close(&video);
    }

    audio.time = video.time - 2000;
    media_pub_cut(&audio, first + 4);
    is(media_pub_part(&audio, 100, 2000, 1), NGX_OK, "gaps: over them");
    (void) media_pub_close(&audio);

    view = look("a");

    is(view.tracks[1].nsegments, 5, "gaps: numbers have no holes");

    n = 0;
    wrong = 0;

    for (i = 0; i < view.tracks[1].nsegments; i++) {
        s = &view.tracks[1].segments[i];
        n += s->gap;

        if (i) {
            wrong += s->time != s[-1].time + (int64_t) s[-1].duration;
        }
    }

    is(n, 3, "gaps: three");
    ok(view.tracks[0].segments[2].discontinuity
       && view.tracks[1].segments[2].discontinuity,
       "gaps: with the discontinuity of others");
    is(wrong, 0, "gaps: they fill the time");
    is(ngx_media_track_segment(&stream, 1, first + 2, &copy), NGX_OK,
       "gaps: can be asked for");
    is(copy.gap, 1, "gaps: say that they are");
    is(segment_at(&stream, 1, audio.segment.time, &copy),
       NGX_OK, "gaps: the search by time goes over them");
    is(copy.number, first + 4, "gaps: to what is there");
    is(validate(), 0, "gaps: the books agree");

    /* a number that lasts 200 ms, then nothing for 8 s: no gap is longer */

    media_pub_cut(&video, first + 5);
    (void) media_pub_part(&video, 1000, 200, 1);
    (void) media_pub_close(&video);

    video.time += 8000;
    media_pub_cut(&video, first + 6);
    video.segment.discontinuity = 1;
    (void) media_pub_part(&video, 1000, 2000, 1);
    (void) media_pub_close(&video);

    audio.time = video.time - 2000;
    media_pub_cut(&audio, first + 6);
    is(media_pub_part(&audio, 100, 2000, 1), NGX_OK, "gaps: over a pause");
    (void) media_pub_close(&audio);

    is(ngx_media_track_segment(&stream, 1, first + 5, &copy), NGX_OK,
       "gaps: before a pause");
    is(copy.gap, 1, "gaps: there is one");
    is(copy.duration, 200 * 44100 / 1000, "gaps: as long as others have it");
    is(validate(), 0, "gaps: over a pause: the books agree");

    /* away for longer than the ring is */

    for (i = 0; i < 300; i++) {
        (void) segment(&video, 1000);
    }

    audio.time = video.time - 2000;
    media_pub_cut(&audio, ngx_media_stream_number(&video.claim) - 1);
    is(media_pub_part(&audio, 100, 2000, 1), NGX_OK, "gaps: far away");
    (void) media_pub_close(&audio);
    is(validate(), 0, "gaps: far away: the books agree");

    view = look("a");
    is(view.tracks[1].nsegments, 1, "gaps: far away: it begins anew");
    is(view.tracks[1].segments[0].number, first + 306,
       "gaps: far away: with this one");

    /* a number that has passed is refused */

    media_pub_cut(&audio, first + 100);
    is(media_pub_part(&audio, 100, 2000, 1), NGX_ABORT, "gaps: backwards");

    ngx_media_stream_release(&video.claim, "test");

    finish("gaps");
}


static void
test_life(void)
{
    uint64_t                  first, discontinuity;
    ngx_uint_t                i;
    media_pub_t               pub, other;
    ngx_media_edge_t          edge;
    ngx_media_stream_t        stream;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    (void) segment(&pub, 1000);

    /* an unfinished one is closed with what there is of it */

    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
    (void) media_pub_part(&pub, 1000, MSEC, 1);
    ngx_media_stream_release(&pub.claim, "bye");

    stream = find("a");
    is(state("a"), NGX_MEDIA_STREAM_GRACE, "life: grace");
    ok(!ngx_media_claim_valid(&pub.claim), "life: the claim has ended");
    is(media_pub_part(&pub, 1000, MSEC, 2), NGX_DECLINED,
       "life: nothing is written with it");

    view = look("a");
    is(view.tracks[0].segments[1].open, 0, "life: closed");
    is(view.tracks[0].segments[1].nparts, 1, "life: with one part");
    is(view.tracks[0].ended, 0, "life: it may go on");

    wait_msec(app.grace - 1);
    is(state("a"), NGX_MEDIA_STREAM_GRACE, "life: still grace");

    /* it comes back */

    is(media_pub_begin(&other, zone, "a"), NGX_OK, "life: back");
    is(other.claim.returned, 1, "life: returned");
    ok(other.claim.floor >= pub.time, "life: time goes on");
    ok(find("a").id == stream.id, "life: the same stream");
    (void) media_pub_track(&other, NGX_MEDIA_VIDEO, 0, 48000);
    is(other.track, pub.track, "life: the same track");
    (void) segment(&other, 1000);

    view = look("a");
    is(view.tracks[0].nsegments, 3, "life: one more segment");

    ngx_media_stream_release(&other.claim, "bye");

    wait_msec(app.grace + 1);
    is(state("a"), NGX_MEDIA_STREAM_ENDED, "life: ended");
    (void) ngx_media_track_edge(&stream, 0, &edge);
    is(edge.ended, 1, "life: the edge says so");
    view = look("a");
    is(view.tracks[0].ended, 1, "life: so does the view");
    is(view.tracks[0].nsegments, 3, "life: all is there");

    first = ngx_media_stream_number(&other.claim);
    discontinuity = view.discontinuity;

    /* published again, it is another stream, above the old one */

    ngx_stub_clock(now - 7200 * 1000);
    is(media_pub_begin(&pub, zone, "a"), NGX_OK, "life: again");
    ngx_stub_clock(now);

    is(pub.claim.returned, 0, "life: a new stream");
    ok(find("a").id != stream.id, "life: of another id");
    is(ngx_media_stream_version(&stream), 0, "life: the old one has gone");
    is(ngx_media_stream_number(&pub.claim), first,
       "life: numbers go on although the clock went back");
    ok(look("a").discontinuity > discontinuity,
       "life: so do discontinuities");

    ngx_media_stream_release(&pub.claim, "bye");

    wait_msec(app.grace + 1);
    wait_msec(app.window);
    is(state("a"), 0, "life: removed");

    for (i = 0; i < 8; i++) {
        char  name[] = { 's', '0' + (char) i, '\0' };

        (void) media_pub_begin(&pub, zone, name);
    }

    is(media_pub_begin(&pub, zone, "one more"), NGX_MEDIA_CLAIM_LIMIT,
       "life: more streams than max_streams");

    for (i = 0; i < zone->store->used_streams; i++) {
        zone->store->streams[i].pid = 0;
        zone->store->streams[i].state = NGX_MEDIA_STREAM_GRACE;
    }

    finish("life");
}


static void
test_tracks(void)
{
    ngx_uint_t                i, n;
    media_pub_t               pub;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_AUDIO, 0, 48000);
    (void) segment(&pub, 1000);

    is(media_pub_track(&pub, NGX_MEDIA_AUDIO, 0, 48000), NGX_OK,
       "tracks: the same");
    is(pub.track, 0, "tracks: is the same");
    is(media_pub_track(&pub, NGX_MEDIA_AUDIO, 0, 44100), NGX_OK,
       "tracks: another timescale");
    is(pub.track, 1, "tracks: is another one");

    (void) segment(&pub, 1000);

    view = look("a");
    is(view.tracks[0].ended, 1, "tracks: the old one has ended");
    is(view.tracks[1].ended, 0, "tracks: the new one goes on");
    is_str(&view.tracks[1].name, "a2", "tracks: its name");

    n = 2;

    for (i = 1; i < 40; i++) {
        if (media_pub_track(&pub, i % 2 ? NGX_MEDIA_VIDEO : NGX_MEDIA_AUDIO,
                            i, 48000)
            != NGX_OK)
        {
            break;
        }

        (void) segment(&pub, 1000);
        n++;
    }

    is(n, NGX_MEDIA_TRACKS, "tracks: as many as there may be");

    view = look("a");
    is(view.ntracks, NGX_MEDIA_TRACKS, "tracks: are seen");
    is_str(&view.tracks[31].name, "a31", "tracks: name of the last");
    is(media_pub_track(&pub, NGX_MEDIA_VIDEO, 50, 48000),
       NGX_MEDIA_TRACK_MANY, "tracks: one more is refused");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("tracks");
}


/* names and lists go by the publisher's numbers, not by what comes first */

static void
names(char *buf, size_t size)
{
    size_t                   n;
    ngx_uint_t               i;
    ngx_media_stream_view_t  view;

    view = look("a");

    for (n = 0, i = 0; i < view.ntracks && n < size; i++) {
        n += snprintf(buf + n, size - n, "%s%.*s%s", i ? " " : "",
                      (int) view.tracks[i].name.len, view.tracks[i].name.data,
                      view.tracks[i].ended ? "-" : "");
    }
}


static void
test_order(void)
{
    char                      buf[256];
    ngx_uint_t                i, clock;
    media_pub_t               pub;
    ngx_media_stream_view_t   view;

    static const struct {
        ngx_media_type_e      type;
        uint32_t              id;
    } came[] = {
        { NGX_MEDIA_AUDIO, 3 }, { NGX_MEDIA_VIDEO, 1 }, { NGX_MEDIA_AUDIO, 1 },
        { NGX_MEDIA_VIDEO, 0x10000 }, { NGX_MEDIA_AUDIO, 64 },
        { NGX_MEDIA_VIDEO, 0 }, { NGX_MEDIA_AUDIO, 0 },
    };

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");

    clock = 0;

    for (i = 0; i < sizeof(came) / sizeof(came[0]); i++) {
        (void) media_pub_track(&pub, came[i].type, came[i].id, 48000);
        (void) segment(&pub, 1000);

        if (came[i].type == NGX_MEDIA_VIDEO && came[i].id == 0) {
            clock = pub.track;
        }
    }

    ngx_media_stream_ready(&pub.claim, clock, 0);

    names(buf, sizeof(buf));
    is_text(buf, strlen(buf), "v1 a1 v2 a2 a4 a5 v3",
            "order: as their numbers say");

    view = look("a");
    is_str(&view.tracks[view.clock].name, "v1", "order: the clock");

    for (i = 0; i < view.ntracks; i++) {
        ok(view.tracks[i].nsegments == 1, "order: %d has its segment", (int) i);
    }

    /* it returns: other ones are first, and one is of another kind */

    ngx_media_stream_release(&pub.claim, "bye");
    ngx_current_msec += 1000;

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_AUDIO, 1, 48000);
    (void) media_pub_track(&pub, NGX_MEDIA_AUDIO, 0, 44100);

    names(buf, sizeof(buf));
    is_text(buf, strlen(buf), "v1 a1- a6 v2 a2 a4 a5 v3",
            "order: none is another one's");

    (void) media_pub_track(&pub, NGX_MEDIA_AUDIO, 2, 48000);

    names(buf, sizeof(buf));
    is_text(buf, strlen(buf), "v1 a1- a6 v2 a2 a3 a4 a5 v3",
            "order: one that was free");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("order");
}


/* one look at a track is one moment of it, however much is asked */

static void
test_ref(void)
{
    uint64_t               first;
    ngx_str_t              name;
    media_pub_t            pub;
    ngx_media_edge_t       edge, now;
    ngx_media_part_t       part;
    ngx_media_stream_t     stream;
    ngx_media_segment_t    copy;
    ngx_media_track_ref_t  ref;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);

    stream = find("a");
    first = ngx_media_stream_number(&pub.claim);

    ngx_str_set(&name, "v1");

    is(ngx_media_track_find(&stream, &name, &ref), NGX_OK, "ref: found");
    is(ref.track, pub.track, "ref: its handle");
    is(ref.stream.id, stream.id, "ref: its stream");

    is(ngx_media_ref_look(&ref), NGX_OK, "ref: a look");
    ngx_media_ref_edge(&ref, &edge);
    is(edge.any, 0, "ref: nothing yet");
    is(edge.state, NGX_MEDIA_STREAM_LIVE, "ref: live");

    (void) segment(&pub, 1000);

    is(ngx_media_ref_segment(&ref, first, &copy), NGX_AGAIN,
       "ref: as of that look there is no segment");
    is(ngx_media_ref_part(&ref, first, 0, &part), NGX_AGAIN, "ref: nor part");
    ngx_media_ref_edge(&ref, &now);
    ok(memcmp(&edge, &now, sizeof(edge)) == 0, "ref: nor another edge");

    is(ngx_media_ref_look(&ref), NGX_OK, "ref: another look");
    is(ngx_media_ref_segment(&ref, first, &copy), NGX_OK, "ref: the segment");
    is(copy.open, 0, "ref: is complete");
    is(ngx_media_ref_part(&ref, first, 0, &part), NGX_OK, "ref: its part");
    is(ngx_media_track_edge(&stream, pub.track, &now), NGX_OK,
       "ref: the edge of who asks that alone");
    ngx_media_ref_edge(&ref, &edge);
    ok(memcmp(&edge, &now, sizeof(edge)) == 0, "ref: is the same");
    is(edge.closed, first + 1, "ref: a segment is complete");

    /* a segment that was open at the look, and has been closed since */

    media_pub_cut(&pub, first + 1);
    (void) media_pub_part(&pub, 1000, MSEC, 9);
    (void) ngx_media_ref_look(&ref);
    (void) media_pub_part(&pub, 1000, MSEC, 9);
    (void) media_pub_close(&pub);

    is(ngx_media_ref_segment(&ref, first + 1, &copy), NGX_OK, "ref: closed");
    is(copy.open, 1, "ref: is open as of the look");
    is(ngx_media_ref_part(&ref, first + 1, 1, &part), NGX_OK,
       "ref: a part is there as soon as it is");
    is(ngx_media_ref_part(&ref, first + 1, 2, &part), NGX_AGAIN,
       "ref: one that will not come is not known yet");
    (void) ngx_media_ref_look(&ref);
    is(ngx_media_ref_part(&ref, first + 1, 2, &part), NGX_DECLINED,
       "ref: it is at the next look");

    /* the record's next stream, which has a track in the same place */

    ngx_media_stream_release(&pub.claim, "bye");
    wait_msec(0);
    wait_msec(app.grace + 1);
    wait_msec(app.window + 1);

    (void) media_pub_begin(&pub, zone, "b");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    (void) segment(&pub, 1000);

    ok(find("b").sh == stream.sh, "ref: the same record");
    is(ngx_media_ref_segment(&ref, first, &copy), NGX_DONE,
       "ref: its stream has gone");
    is(ngx_media_ref_look(&ref), NGX_DONE, "ref: as a look says");

    ngx_media_stream_release(&pub.claim, "bye");

    finish("ref");
}


/*
 * A track that has ended is given back with its last segment: its place, its
 * pages, but neither its name nor its number.
 */

static void
test_retire(void)
{
    uint64_t                  blocks, first;
    ngx_str_t                 name;
    ngx_str_t                 bytes;
    ngx_uint_t                i, k, n, old, track, wrong;
    media_pub_t               video, audio;
    ngx_media_edge_t          edge;
    ngx_media_part_t          part;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       copy;
    ngx_media_track_ref_t     held, ref;
    ngx_media_stream_view_t   view;

    start(64 * MB);

    app.window = 8000;

    (void) media_pub_begin(&video, zone, "a");
    (void) media_pub_track(&video, NGX_MEDIA_VIDEO, 0, 48000);

    audio = video;
    n = 0;
    old = 0;
    wrong = 0;
    first = 0;
    blocks = 0;

    for (i = 0; i < 100; i++) {

        n += media_pub_track(&audio, NGX_MEDIA_AUDIO, 0,
                             i % 2 ? 44100 : 48000) == NGX_OK;

        if (i == 0) {
            old = audio.track;
            first = ngx_media_stream_number(&video.claim);

            stream = find("a");
            n += ngx_media_track_ref(&stream, old, &held) == NGX_OK;
            n += ngx_media_ref_look(&held) == NGX_OK;
        }

        for (k = 0; k < 2; k++) {
            (void) segment(&video, 1000);

            audio.time = video.time - 2000;
            media_pub_cut(&audio, video.segment.number);
            n += media_pub_part(&audio, 100, 2000, i) == NGX_OK;
            (void) media_pub_close(&audio);
        }

        view = look("a");

        for (k = 0; k < view.ntracks; k++) {
            wrong += view.tracks[k].name.len == 0
                     || media_view_check(&view.tracks[k]) != NULL;
        }

        wrong += validate();
        wrong += view.clock != 0 && i > 0;

        if (i == 20) {
            blocks = 0;
        }

        for (k = 0; k < zone->sh->nblocks && i >= 20; k++) {
            blocks += zone->sh->owners[k] ? 1 : 0;
        }

        wrong += i >= 20 && blocks > (i - 19) * 80;
    }

    is(n, 302, "retire: a hundred tracks, one after the other");
    is(wrong, 0, "retire: all is well meanwhile");
    ok(view.ntracks < 8, "retire: %d tracks are there", (int) view.ntracks);
    is_str(&view.tracks[0].name, "v1", "retire: the other one stays");

    stream = find("a");

    ngx_str_set(&name, "a1");
    is(ngx_media_track_find(&stream, &name, &ref), NGX_DECLINED,
       "retire: the first has gone");
    is(ngx_media_track_edge(&stream, old, &edge), NGX_DONE,
       "retire: who waits for it is told");
    is(ngx_media_track_segment(&stream, old, first, &copy), NGX_DONE,
       "retire: who asks for a segment, too");
    is(ngx_media_track_segment(&stream, old, audio.segment.number, &copy),
       NGX_DONE, "retire: and not given one of another track");

    /* whose pages are others' meanwhile */

    held.heads.head = audio.segment.number + 1000;
    held.heads.size = 1000;

    is(ngx_media_ref_segment(&held, audio.segment.number, &copy), NGX_DONE,
       "retire: who found it before is told, too");
    is(ngx_media_ref_segment_at(&held, audio.segment.time, &copy), NGX_DONE,
       "retire: by time");
    is(ngx_media_ref_part(&held, audio.segment.number, 0, &part), NGX_DONE,
       "retire: of a part");
    is(ngx_media_ref_init(&held, audio.segment.init, pool, &bytes), NGX_DONE,
       "retire: of an init");
    is(ngx_media_ref_look(&held), NGX_DONE, "retire: who looks anew");

    ngx_str_set(&name, "a100");
    is(ngx_media_track_find(&stream, &name, &ref), NGX_OK,
       "retire: the last is there");
    track = ref.track;
    is(track, audio.track, "retire: by its number");
    is(ngx_media_track_segment(&stream, track, audio.segment.number, &copy),
       NGX_OK, "retire: and its segment");
    ok(track != ngx_media_track_place(track), "retire: its place had others");

    ngx_media_stream_release(&video.claim, "bye");

    finish("retire");
}


/* its pages, of all versions of the parameters of a track */

static ngx_uint_t
pages_of(const ngx_media_track_shm_t *t)
{
    ngx_uint_t  i, k, n;

    n = 0;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {

        if (t->inits[i] == NULL) {
            continue;
        }

        for (k = 0; k < NGX_MEDIA_INIT_PAGES; k++) {
            n += t->inits[i]->pages[k] != NULL;
        }

        n++;
    }

    return n;
}


/* of any size, in one page or in several: what is read is what was put */

static void
test_config(void)
{
    u_char              *init;
    size_t               size;
    uint64_t             name;
    ngx_str_t            bytes;
    ngx_uint_t           i, k, pages, wrong;
    media_pub_t          pub;
    ngx_media_stream_t   stream;
    ngx_media_params_t   params;

    static const size_t  sizes[] = {
        2, 1435, 2048, 2049, 3000, 4096, 5000, 8192, 12345,
        NGX_MEDIA_CONFIG_MAX
    };

    start(8 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_AUDIO, 0, 48000);

    stream = find("a");

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {

        for (k = 2; k < sizes[i]; k++) {
            pub.params.config[k] = (u_char) (k * 7 + k / 256 + i);
        }

        pub.params.config_len = sizes[i];

        size = ngx_media_mp4_write_init(NULL, &pub.params);
        init = malloc(size);
        (void) ngx_media_mp4_write_init(init, &pub.params);

        wrong = ngx_media_track_set_init(&pub.claim, 0, &pub.params, &name)
                != NGX_OK;
        wrong += init_bytes(&stream, 0, name, &bytes)
                 != NGX_OK;
        wrong += bytes.len != size || memcmp(bytes.data, init, size) != 0;
        wrong += ngx_media_hash(bytes.data, bytes.len) != name;

        memset(&params, 0x55, sizeof(params));

        wrong += ngx_media_track_init_params(&stream, 0, name, &params)
                 != NGX_OK;
        wrong += memcmp(&params, &pub.params,
                        ngx_media_params_size(&pub.params)) != 0;

        is(wrong, 0, "config: %d bytes are as they were", (int) sizes[i]);

        free(init);
    }

    /* all of them in use, and the largest: some have to go */

    pages = 0;

    for (i = 0; i < NGX_MEDIA_INITS + 4; i++) {
        memset(pub.params.config + 2, (int) i, NGX_MEDIA_CONFIG_MAX - 2);

        wrong = ngx_media_track_set_init(&pub.claim, pub.track, &pub.params,
                                         &pub.segment.init)
                != NGX_OK;
        wrong += segment(&pub, 400) != NGX_OK;
        wrong += init_bytes(&stream, 0, pub.segment.init, &bytes)
                 != NGX_OK;

        pages = ngx_max(pages, pages_of(stream.sh->tracks[0]));

        if (wrong) {
            break;
        }
    }

    is(i, NGX_MEDIA_INITS + 4, "config: many that are large");
    ok(pages <= NGX_MEDIA_INITS_PAGES && pages > NGX_MEDIA_INITS_PAGES / 2,
       "config: they have %d pages at most", (int) pages);

    ngx_media_stream_release(&pub.claim, "bye");

    finish("config");
}


static void
test_nomem(void)
{
    uint64_t                  a, b;
    ngx_uint_t                i, lost, parts;
    const char               *wrong;
    media_pub_t               big, small;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       copy;
    ngx_media_stream_view_t   view;

    start(8 * MB);

    /* a window that does not fit: it gets shorter, nothing is lost */

    (void) media_pub_begin(&big, zone, "big");
    (void) media_pub_track(&big, NGX_MEDIA_VIDEO, 0, 48000);

    lost = 0;

    for (i = 0; i < 40; i++) {
        lost += segment(&big, 50000) != NGX_OK;
    }

    is(lost, 0, "no memory: nothing is lost");
    ok(zone->store->evicted > 0, "no memory: counted");
    ok(zone->sh->pages <= zone->sh->limit, "no memory: within the limit");
    is(validate(), 0, "no memory: the books agree");

    view = look("big");
    ok(view.tracks[0].nsegments >= 10 && view.tracks[0].nsegments < 30,
       "no memory: %lu segments are listed",
       (unsigned long) view.tracks[0].nsegments);

    stream = find("big");
    (void) ngx_media_track_segment(&stream, 0,
                                   view.tracks[0].segments[0].number, &copy);
    wrong = verify(copy.ranges, copy.nranges, &big, copy.number, &parts);
    ok(wrong == NULL, "no memory: bytes of the oldest: %s",
       wrong ? wrong : "right");

    /* another stream takes what it needs from the largest */

    (void) media_pub_begin(&small, zone, "small");
    (void) media_pub_track(&small, NGX_MEDIA_VIDEO, 0, 48000);

    for (i = 0; i < 40; i++) {
        lost += segment(&small, 10000) != NGX_OK;
        lost += segment(&big, 50000) != NGX_OK;
    }

    is(lost, 0, "share: nothing is lost");

    view = look("small");
    is(view.tracks[0].nsegments, 30, "share: the small one has its window");
    is(validate(), 0, "share: the books agree");

    /*
     * What one must list is more than it may hold: it is cut shorter, the
     * other one goes on.
     */

    a = find("big").sh->evicted;

    for (i = 0; i < 20; i++) {
        (void) segment(&big, 140000);
        lost += segment(&small, 10000) != NGX_OK;
    }

    b = find("big").sh->evicted;

    is(lost, 0, "share: who holds too much does not make others lose");
    ok(b > a, "share: it is cut shorter: %lu", (unsigned long) (b - a));
    view = look("small");
    ok(view.tracks[0].nsegments >= 6,
       "share: the small one lists what a playlist must: %lu",
       (unsigned long) view.tracks[0].nsegments);
    is(validate(), 0, "share: the books agree");

    /* more than there is at all */

    media_pub_cut(&big, ngx_media_stream_number(&big.claim));
    is(media_pub_part(&big, 9 * MB, MSEC, 1), NGX_ABORT,
       "no memory: a part that is too large");
    is(zone->store->nomem, 1, "no memory: counted");
    is(segment(&big, 10000), NGX_OK, "no memory: then it goes on");
    is(validate(), 0, "no memory: the books agree");

    ngx_media_stream_release(&big.claim, "bye");
    ngx_media_stream_release(&small.claim, "bye");

    finish("no memory");
}


/* what viewers ask for, and a publisher has, is of a time and of that one */

static void
test_asked(void)
{
    media_pub_t         pub, other;
    ngx_media_stream_t  stream;

    start(16 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_AUDIO, 0, 48000);
    (void) segment(&pub, 1000);

    stream = find("a");

    is(ngx_media_stream_asked(&stream, NGX_MEDIA_ASK_TS), 0, "asked: no");
    ngx_media_stream_ask(&stream, NGX_MEDIA_ASK_TS);
    is(ngx_media_stream_asked(&stream, NGX_MEDIA_ASK_TS), 1, "asked: yes");

    wait_msec(NGX_MEDIA_ASKED - 1);
    is(ngx_media_stream_asked(&stream, NGX_MEDIA_ASK_TS), 1, "asked: still");
    ngx_media_stream_ask(&stream, NGX_MEDIA_ASK_TS);
    wait_msec(NGX_MEDIA_ASKED - 1);
    is(ngx_media_stream_asked(&stream, NGX_MEDIA_ASK_TS), 1, "asked: again");
    wait_msec(1);
    is(ngx_media_stream_asked(&stream, NGX_MEDIA_ASK_TS), 0, "asked: over");

    is(look("a").offers, 0, "asked: nothing is offered");
    ngx_media_stream_offer(&pub.claim, NGX_MEDIA_ASK_TS, 1);
    is(look("a").offers, 1 << NGX_MEDIA_ASK_TS, "asked: it is offered");
    ngx_media_stream_offer(&pub.claim, NGX_MEDIA_ASK_TS, 0);
    is(look("a").offers, 0, "asked: no more");
    ngx_media_stream_offer(&pub.claim, NGX_MEDIA_ASK_TS, 1);

    is(look("a").tracks[0].only, 0, "asked: a track of all formats");
    is(ngx_media_track_only(&pub.claim, pub.track, NGX_MEDIA_IN_HLS_TS),
       NGX_OK, "asked: and of one");
    is(look("a").tracks[0].only, NGX_MEDIA_IN_HLS_TS, "asked: it is told");

    /* another publisher's features have not said so */

    ngx_media_stream_release(&pub.claim, "bye");
    (void) media_pub_begin(&other, zone, "a");
    is(look("a").offers, 0, "asked: not of another publisher");

    ngx_media_stream_offer(&pub.claim, NGX_MEDIA_ASK_TS, 1);
    is(look("a").offers, 0, "asked: nor by one that has gone");

    ngx_media_stream_release(&other.claim, "bye");

    finish("asked");
}


/* a segment that outgrows all that was reserved */

static void
test_large(void)
{
    uint64_t                  first;
    ngx_uint_t                i, lost, parts;
    const char               *wrong;
    media_pub_t               pub;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       copy;

    start(256 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);

    stream = find("a");
    first = ngx_media_stream_number(&pub.claim);
    lost = 0;

    for (i = 0; i < 3; i++) {
        lost += media_pub_segment(&pub, 120, 300000, MSEC) != NGX_OK;
    }

    is(lost, 0, "large: segments of 36 MB");

    for (i = 0; i < 3; i++) {
        (void) ngx_media_track_segment(&stream, 0, first + i, &copy);
        wrong = verify(copy.ranges, copy.nranges, &pub, first + i, &parts);
        ok(wrong == NULL && parts == 120, "large: %lu ranges, %lu parts: %s",
           (unsigned long) copy.nranges, (unsigned long) parts,
           wrong ? wrong : "right");
    }

    ngx_media_stream_release(&pub.claim, "bye");

    finish("large");
}


/* what is pinned stays; what is not comes back as another extent */

static void
test_pins(void)
{
    ngx_uint_t                i, parts;
    const char               *wrong;
    media_pub_t               pub;
    media_head_t              head;
    ngx_media_stream_t        stream;
    ngx_media_segment_t       copy;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);
    (void) segment(&pub, 20000);

    stream = find("a");
    (void) ngx_media_track_segment(&stream, 0,
                                   ngx_media_stream_number(&pub.claim) - 1,
                                   &copy);

    is(ngx_media_pin(zone, copy.ranges, copy.nranges), NGX_OK, "pins: pin");
    is(ngx_media_pin(zone, copy.ranges, copy.nranges), NGX_OK, "pins: twice");

    for (i = 0; i < 50; i++) {
        (void) segment(&pub, 20000);
    }

    is(ngx_media_track_segment(&stream, 0, copy.number, &copy), NGX_DONE,
       "pins: it has gone");
    is(ngx_media_pin(zone, copy.ranges, copy.nranges), NGX_DONE,
       "pins: it cannot be pinned any more");

    wrong = media_part_check(ngx_media_arena_bytes(zone, &copy.ranges[0]),
                             copy.ranges[0].size, &head);
    ok(wrong == NULL && head.number == copy.number,
       "pins: its bytes are there: %s", wrong ? wrong : "right");

    ngx_media_unpin(zone, copy.ranges, copy.nranges);
    wait_msec(0);
    wrong = media_part_check(ngx_media_arena_bytes(zone, &copy.ranges[0]),
                             copy.ranges[0].size, &head);
    ok(wrong == NULL, "pins: one is left");

    /* the stream goes: what is pinned is nobody's, whoever gets its record */

    ngx_media_stream_release(&pub.claim, "bye");
    wait_msec(app.grace + 1);
    wait_msec(app.window + 1);
    is(stream.sh->id, 0, "pins: the stream has gone");
    is(ngx_media_stream_pages(zone, stream.sh), 0,
       "pins: nothing is counted for its record");
    ok(zone->sh->orphans > 0 && zone->sh->orphans == zone->sh->pages,
       "pins: but for the zone, %d pages", (int) zone->sh->pages);

    (void) media_pub_begin(&pub, zone, "b");
    ok(pub.claim.stream.sh == stream.sh
       && ngx_media_stream_pages(zone, stream.sh) == 0,
       "pins: nor for who has it then");
    is(validate(), 0, "pins: the books agree");

    ngx_media_unpin(zone, copy.ranges, copy.nranges);
    wait_msec(0);
    wrong = verify(copy.ranges, copy.nranges, &pub, copy.number, &parts);
    ok(wrong != NULL, "pins: none is left: %s", wrong);
    is(zone->sh->limbo, NGX_MEDIA_NONE, "pins: nothing is in limbo");
    is(zone->sh->orphans, 0, "pins: nothing is an orphan");
    is(media_zone_bytes(zone), zone->sh->pages * NGX_MEDIA_PAGE,
       "pins: the file has what the books say");

    ngx_media_zone_detach(zone);
    ngx_media_stream_release(&pub.claim, "bye");

    finish("pins");
}


/* who is attached, and who is taken for dead */

static void
test_rows(void)
{
    int                   fd[2], i, status;
    char                  byte;
    pid_t                 pid;
    uint64_t              start_time;
    ngx_media_row_shm_t  *row;

    start(64 * MB);

    if (pipe(fd) == -1) {
        abort();
    }

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();
        zone->row = NULL;
        (void) ngx_media_zone_attach(zone);
        zone->row[5] = 1;
        (void) close(fd[1]);
        _exit(read(fd[0], &byte, 1) == -1);
    }

    row = &zone->sh->rows[0];

    while (ngx_media_load(&row->pid) == 0) {
        ngx_sched_yield();
    }

    start_time = row->start;
    ok(start_time != 0, "rows: when the process was started");

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        ngx_media_zone_sweep(zone);
    }

    is(row->pid, pid, "rows: of one that lives stays");

    row->start = 0;

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        ngx_media_zone_sweep(zone);
    }

    is(row->pid, pid, "rows: also if its start is not known");

    row->start = start_time - 1;

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        ngx_media_zone_sweep(zone);
    }

    is(row->pid, 0, "rows: of one whose pid is another's now is swept");

    row->start = start_time;
    row->pid = pid;
    zone->sh->pins[5] = 1;

    (void) close(fd[0]);
    (void) close(fd[1]);
    (void) waitpid(pid, &status, 0);

    ngx_media_zone_sweep(zone);

    is(row->pid, 0, "rows: of a dead one is swept");
    is(zone->sh->pins[5], 0, "rows: so are its pins");

    is(ngx_media_zone_attach(zone), NGX_OK, "rows: attach");
    zone->row[7] = 1;
    zone->row = NULL;
    is(ngx_media_zone_attach(zone), NGX_OK, "rows: again, in a new cycle");
    is(zone->row[7], 1, "rows: what the former one pinned stays");
    zone->row[7] = 0;

    ngx_media_zone_detach(zone);

    /* all are taken, by a process that lives */

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        zone->sh->rows[i].pid = getppid();
        zone->sh->rows[i].start = 0;
    }

    is(ngx_media_pin(zone, NULL, 0), NGX_BUSY, "rows: none is left");

    zone->sh->rows[3].pid = 0;

    is(ngx_media_pin(zone, NULL, 0), NGX_OK, "rows: now one is");

    ngx_media_zone_detach(zone);

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        zone->sh->rows[i].pid = 0;
    }

    finish("rows");
}


int
main(void)
{
    test_birth();
    test_inits();
    test_window();
    test_ring();
    test_gaps();
    test_life();
    test_tracks();
    test_order();
    test_ref();
    test_retire();
    test_config();
    test_nomem();
    test_asked();
    test_large();
    test_pins();
    test_rows();

    is(ngx_stub_logged[NGX_LOG_ALERT], 0, "no alerts");
    is(ngx_stub_pools, 0, "no pools are left");

    return done();
}
