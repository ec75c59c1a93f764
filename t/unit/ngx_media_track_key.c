
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store core/ngx_media_track_key.c formats/ngx_media_mp4_chunk.c
         ngx_stub.c */


/*
 * The newest key frame of a track: in which part it is, also where that is
 * long ago, or parts have gone, and which of its frames.
 */


#include "core/ngx_media_track_key.h"
#include "media_store.h"


static media_pub_t         pub;
static ngx_media_stream_t  stream;


/* a part of n frames of 100 bytes each; keys: bits of them */

static void
put_part(ngx_uint_t n, ngx_uint_t keys)
{
    u_char                 head[512];
    ngx_uint_t             i;
    ngx_media_sample_t     samples[8];
    ngx_media_part_put_t   put;
    ngx_media_mp4_chunk_t  chunk;

    static u_char  body[800];

    ngx_memzero(samples, sizeof(samples));
    ngx_memzero(&chunk, sizeof(chunk));
    ngx_memzero(&put, sizeof(put));

    for (i = 0; i < n; i++) {
        samples[i].size = 100;
        samples[i].duration = 1920;
        samples[i].key = (keys >> i) & 1;
    }

    chunk.samples = samples;
    chunk.nsamples = n;
    chunk.styp = (pub.nparts == 0);

    put.segment = &pub.segment;
    put.part = pub.nparts;
    put.time = pub.time * (int64_t) pub.params.timescale / 1000;
    put.duration = n * 1920;
    put.independent = (keys != 0);
    put.data[0].data = head;
    put.data[0].len = ngx_media_mp4_write_chunk(head, &chunk);
    put.data[1].data = body;
    put.data[1].len = n * 100;
    put.key_size = (pub.nparts == 0 && (keys & 1)) ? put.data[0].len + 100
                                                   : 0;
    put.count = &pub.count;

    is(ngx_media_part_put(&pub.claim, pub.track, &put, 1), NGX_OK, "put");

    pub.nparts++;
    pub.time += n * 40;
}


/* where it is, and that these bytes are its last key frame's */

static void
is_key(uint64_t number, ngx_uint_t part, ngx_uint_t frame, ngx_uint_t n,
    const char *name)
{
    uint32_t               size;
    uint64_t               offset;
    ngx_media_track_key_t  key;
    ngx_media_track_ref_t  ref;

    if (ngx_media_track_ref(&stream, pub.track, &ref) != NGX_OK
        || ngx_media_ref_look(&ref) != NGX_OK
        || ngx_media_track_key(&ref, &key) != NGX_OK)
    {
        ok(0, "%s: there is one", name);
        return;
    }

    ok(key.number == number && key.part == part, "%s: %lu.%lu", name,
       (unsigned long) key.number, (unsigned long) key.part);

    is(ngx_media_pin(zone, &key.range, 1), NGX_OK, "%s: pinned", name);
    is(ngx_media_track_key_bytes(&stream, &key, &offset, &size), NGX_OK,
       "%s: bytes", name);
    is(size, 100, "%s: of one frame", name);

    /* the chunk may have others behind it */

    ok(offset >= key.range.offset && offset + 100 * (n - frame)
       <= key.range.offset + key.range.size, "%s: within", name);

    key.range.size = 40;
    is(ngx_media_track_key_bytes(&stream, &key, &offset, &size), NGX_ERROR,
       "%s: a chunk that is cut", name);

    ngx_media_unpin(zone, &key.range, 1);
}


static void
next_segment(void)
{
    (void) media_pub_close(&pub);
    media_pub_cut(&pub, ngx_media_stream_number(&pub.claim));
}


int
main(void)
{
    uint64_t               first;
    ngx_uint_t             i;
    ngx_media_track_key_t  key;
    ngx_media_track_ref_t  ref;

    start(16 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);

    stream = find("a");

    (void) ngx_media_track_ref(&stream, pub.track, &ref);
    (void) ngx_media_ref_look(&ref);
    is(ngx_media_track_key(&ref, &key), NGX_AGAIN, "none yet");

    next_segment();
    first = pub.segment.number;

    put_part(3, 0);
    (void) ngx_media_ref_look(&ref);
    is(ngx_media_track_key(&ref, &key), NGX_AGAIN, "no key frame yet");

    put_part(3, 1);
    is_key(first, 1, 0, 3, "in the open segment");

    put_part(5, 2 | 8);
    is_key(first, 2, 3, 5, "the last one of several");

    put_part(3, 0);
    is_key(first, 2, 3, 5, "not the newest part");

    next_segment();
    put_part(3, 1);
    put_part(2, 0);
    is_key(first + 1, 0, 0, 3, "in the next segment");

    /* 250 parts behind it: its own has left the ring, its segment has not */

    for (i = 0; i < 25; i++) {
        next_segment();

        while (pub.nparts < 10) {
            put_part(1, 0);
        }
    }

    is_key(first + 1, 0, 0, 3, "long ago, in a segment");

    ngx_media_stream_release(&pub.claim, "bye");
    is_key(first + 1, 0, 0, 3, "its publisher has gone");

    finish("key");

    return done();
}
