
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_fill.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_plan.c
         formats/ngx_media_text.c */


#include "media_mp4.h"
#include "tap.h"


#define MAX        2000
#define FILE_SIZE  ((uint64_t) 1 << 50)


static ngx_media_index_sample_t   samples[MAX];
static ngx_media_index_build_t    build;
static uint64_t                   state = 1;
static uint32_t                   timescale = 1000;


static uint32_t
random_32(void)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;

    return (uint32_t) (state >> 33);
}


static ngx_media_index_t *
make(unsigned n, uint64_t file_size)
{
    unsigned  i;

    ngx_media_index_build_init(&build, timescale, file_size, MAX);

    for (i = 0; i < n; i++) {
        if (media_mp4_add(&build, &samples[i]) != NGX_OK) {
            break;
        }
    }

    if (build.error) {
        media_mp4_pieces_free(&build);
        return NULL;
    }

    return media_mp4_pack(&build);
}


static unsigned
same(const ngx_media_index_t *index, unsigned n)
{
    unsigned                   i;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   s;

    if (index->nsamples != n) {
        return 0;
    }

    ngx_media_index_open(&reader, index);

    for (i = 0; i < n; i++) {

        if (ngx_media_index_next(&reader, &s) != NGX_OK
            || s.offset != samples[i].offset
            || s.size != samples[i].size
            || s.dts - index->shift - index->delay != samples[i].dts
            || s.cto + index->delay != samples[i].cto
            || s.duration != samples[i].duration
            || s.description != samples[i].description
            || s.key != samples[i].key)
        {
            return 0;
        }
    }

    return ngx_media_index_next(&reader, &s) == NGX_DONE;
}


/* columns of every kind; dts and offset follow */

typedef enum {
    CONSTANT, FEW, MANY, WIDE, SPARSE, HUGE_ONES, KINDS
} kind_e;


static int64_t
value(kind_e kind, unsigned i)
{
    switch (kind) {

    case CONSTANT:
        return 512;

    case FEW:
        return 100 * (int64_t) (random_32() % 5);

    case MANY:
        return 1000 + random_32() % 1000;

    case WIDE:
        return (int64_t) random_32() << 1;

    case SPARSE:
        return random_32() % 13 ? 0 : random_32() % 100000;

    default: /* HUGE_ONES */
        return i % 50 ? random_32() % 100 : (int64_t) random_32();
    }
}


static void
test_columns(void)
{
    int64_t              dts;
    uint64_t             offset;
    unsigned             a, b, c, i, n, runs;
    ngx_media_index_t   *index;

    static const unsigned  lengths[] = {
        0, 1, 2, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000
    };

    timescale = 1000000;

    for (a = 0; a < KINDS; a++) {
        runs = 0;

        for (b = 0; b < KINDS; b++) {
            for (c = 0; c < sizeof(lengths) / sizeof(lengths[0]); c++) {
                n = lengths[c];
                dts = (b == 3) ? -5000 : 0;
                offset = b;

                for (i = 0; i < n; i++) {
                    ngx_media_index_sample_t  *s = &samples[i];

                    offset += value(b, i);

                    s->size = value(a, i);
                    s->offset = offset;
                    s->dts = dts;
                    s->cto = value((a + b) % KINDS, i) - (b & 1) * 700;
                    s->duration = value((a + 2 * b) % KINDS, i);
                    s->description = 1 + (b == 2 && i > 500);
                    s->key = (c % 3 == 0) || (c % 3 == 1 && i % 50 == 0)
                             || (c % 3 == 2 && random_32() % 3 == 0);

                    dts += s->duration;
                    offset += s->size;

                    /* out of order in the file, too */

                    if (b == 4 && i % 100 == 99) {
                        offset /= 2;
                    }
                }

                index = make(n, FILE_SIZE);

                if (index == NULL || !same(index, n)) {
                    ok(0, "%u %u: %u samples", a, b, n);

                } else {
                    runs++;
                    media_mp4_index_check(index, FILE_SIZE);

                    if (ngx_media_index_edit(index, 17, 1000, 0) != NGX_OK
                        || !same(index, n))
                    {
                        ok(0, "%u %u: %u samples, edited", a, b, n);
                    }
                }

                free(index);
            }
        }

        is(runs, KINDS * sizeof(lengths) / sizeof(lengths[0]),
           "columns of kind %u", a);
    }

    timescale = 1000;
}


/* 25 frames a second with two B-frames between the others */

static void
video(unsigned n, unsigned gop)
{
    unsigned  i;

    memset(samples, 0, sizeof(samples));

    for (i = 0; i < n; i++) {
        samples[i].offset = i * 100;
        samples[i].size = 100;
        samples[i].dts = i * 40;
        samples[i].duration = 40;
        samples[i].cto = (i % gop == 0 || i % gop == gop - 1) ? 40
                         : (i % gop % 3 == 1) ? 120 : 0;
        samples[i].description = 1;
        samples[i].key = (i % gop == 0);
    }
}


static void
audio(unsigned n)
{
    unsigned  i;

    video(n, 1);

    for (i = 0; i < n; i++) {
        samples[i].cto = 0;
    }
}


static void
test_seek(void)
{
    unsigned                   i;
    ngx_int_t                  rc;
    ngx_media_index_t         *index;
    ngx_media_index_reader_t   reader;

    static const struct {
        int64_t    time;
        ngx_int_t  rc;
        unsigned   number;                /* by time */
        unsigned   key;                   /* by key */
    } tests[] = {
        { -1000, NGX_OK, 0, 0 },
        { 0, NGX_OK, 0, 0 },
        { 1, NGX_OK, 1, 0 },
        { 40, NGX_OK, 1, 0 },
        { 2039, NGX_OK, 51, 0 },
        { 2040, NGX_OK, 51, 50 },
        { 2041, NGX_OK, 52, 50 },
        { 5120, NGX_OK, 128, 100 },
        { 10000, NGX_OK, 250, 200 },
        { 19960, NGX_OK, 499, 450 },
        { 19961, NGX_DONE, 500, 450 },
        { 100000, NGX_DONE, 500, 450 },
    };

    video(500, 50);
    index = make(500, FILE_SIZE);

    ngx_media_index_open(&reader, index);

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        rc = ngx_media_index_seek_time(&reader, tests[i].time);
        is(rc, tests[i].rc, "time %d", (int) tests[i].time);
        is(reader.number, tests[i].number, "sample");

        is(ngx_media_index_seek_key(&reader, tests[i].time), NGX_OK, "key");
        is(reader.number, tests[i].key, "sample");
    }

    is(ngx_media_index_seek_key_number(&reader, 9), NGX_OK, "the last key");
    is(reader.number, 450, "sample");
    is(ngx_media_index_seek_key_number(&reader, 10), NGX_DONE, "no more");
    is(ngx_media_index_seek(&reader, 500), NGX_DONE, "no more samples");

    free(index);

    video(300, 1000);
    samples[0].key = 0;
    index = make(300, FILE_SIZE);
    ngx_media_index_open(&reader, index);
    is(ngx_media_index_seek_key(&reader, 100), NGX_DONE, "no key at all");
    is(ngx_media_index_edit(index, 0, 400, 0), NGX_OK, "edited");
    is(index->first, 0, "from the first");
    is(index->preroll, 360, "which is before");
    free(index);

    index = make(0, FILE_SIZE);
    ngx_media_index_open(&reader, index);
    is(ngx_media_index_seek(&reader, 0), NGX_DONE, "nothing");
    is(ngx_media_index_seek_time(&reader, 0), NGX_DONE, "at no time");
    is(ngx_media_index_seek_key(&reader, 0), NGX_DONE, "no key");
    is(ngx_media_index_edit(index, 5, 3, 10), NGX_OK, "edited");
    is(index->shift, 2, "shift");
    free(index);
}


static void
test_edit(void)
{
    unsigned                   i;
    ngx_media_index_t         *index;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   s;

    static const struct {
        const char  *name;
        unsigned     video;
        uint64_t     empty;
        int64_t      start;
        uint64_t     duration;
        unsigned     first;
        unsigned     end;
        int64_t      preroll;
        int64_t      dts;                 /* of the first, presented */
        int64_t      cto;
    } tests[] = {
        { "video as it is", 1, 0, 0, 0, 0, 500, 0, 40, 0 },
        { "video, the usual edit", 1, 0, 40, 0, 0, 500, 0, 0, 0 },
        { "video, and its end", 1, 0, 40, 20000, 0, 500, 0, 0, 0 },
        { "video, a shorter end", 1, 0, 40, 4000, 0, 100, 0, 0, 0 },
        { "video, the end among B-frames", 1, 0, 40, 4040, 0, 101, 0, 0, 0 },
        { "video, later", 1, 1000, 40, 0, 0, 500, 0, 1000, 0 },
        { "video, from a key frame", 1, 0, 2040, 0, 50, 500, 0, 0, 0 },
        { "video, from between", 1, 0, 3000, 0, 50, 500, 960, -960, 0 },
        { "video, a part of it", 1, 0, 3000, 1000, 50, 99, 960, -960, 0 },
        { "video, beyond it", 1, 0, 90000, 0, 450, 500, 71960, -71960, 0 },
        { "audio as it is", 0, 0, 0, 0, 0, 500, 0, 0, 0 },
        { "audio, priming of a frame", 0, 0, 40, 0, 1, 500, 0, 0, 0 },
        { "audio, priming of more", 0, 0, 47, 0, 1, 500, 7, -7, 0 },
        { "audio, 1 ms is left", 0, 0, 79, 0, 2, 500, 0, 1, 0 },
        { "audio, 2 ms are", 0, 0, 78, 0, 1, 500, 38, -38, 0 },
        { "audio, later", 0, 500, 0, 0, 0, 500, 0, 500, 0 },
        { "audio, later, priming", 0, 500, 40, 0, 1, 500, 0, 500, 0 },
        { "audio, to an end", 0, 0, 40, 80, 1, 3, 0, 0, 0 },
        { "audio, to an end in a frame", 0, 0, 40, 81, 1, 4, 0, 0, 0 },
        { "audio, beyond it", 0, 0, 90000, 0, 500, 500, 0, 0, 0 },
        { "audio, an end before", 0, 0, 47, 1, 1, 2, 7, -7, 0 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {

        if (tests[i].video) {
            video(500, 50);

        } else {
            audio(500);
        }

        index = make(500, FILE_SIZE);

        /* twice is as good as once */

        is(ngx_media_index_edit(index, 3, 700, 900), NGX_OK, "%s",
           tests[i].name);
        is(ngx_media_index_edit(index, tests[i].empty, tests[i].start,
                                tests[i].duration),
           NGX_OK, "again");

        is(index->first, tests[i].first, "first");
        is(index->end, tests[i].end, "end");
        is(index->preroll, tests[i].preroll, "preroll");
        is(ngx_media_index_check(index, index->size), NGX_OK, "valid");
        ok(same(index, 500), "the samples are the same");

        if (index->first < 500) {
            ngx_media_index_open(&reader, index);
            (void) ngx_media_index_seek(&reader, index->first);
            (void) ngx_media_index_next(&reader, &s);

            is(s.dts, tests[i].dts, "dts");
            is(s.cto, tests[i].cto, "cto");
        }

        media_mp4_index_check(index, FILE_SIZE);
        free(index);
    }

    /* negative offsets: what is shown comes before what is decoded */

    video(500, 50);

    for (i = 0; i < 500; i++) {
        samples[i].cto -= 40;
    }

    index = make(500, FILE_SIZE);
    is(ngx_media_index_edit(index, 0, 0, 4000), NGX_OK, "negative offsets");
    is(index->first, 0, "first");
    is(index->end, 100, "end");
    is(index->delay, 0, "delay");
    is(index->min_cto, -40, "least offset");
    free(index);
}


static void
test_refused(void)
{
    ngx_media_index_t         *index;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   s;

    audio(MAX);

    /* what is beyond the end of the file is left out */

    index = make(MAX, 100 * 100 + 99);
    is(index->nsamples, 100, "a file that was cut");
    ok(index->truncated, "says so");
    media_mp4_index_check(index, 100 * 100 + 99);
    free(index);

    index = make(MAX, 0);
    is(index->nsamples, 0, "a file that is empty");
    free(index);

    samples[5].size = 0;
    samples[5].offset = FILE_SIZE + 1;
    index = make(MAX, FILE_SIZE);
    ok(!index->truncated && same(index, MAX), "no bytes are nowhere");
    free(index);

    /* the same bytes again and again */

    audio(MAX);
    samples[10].offset = 0;
    samples[10].size = 50 * 100;
    ok(make(MAX, MAX * 100) == NULL, "more bytes than there are");
    is_text(build.error, strlen(build.error),
            "samples have more bytes than the file", "error");

    audio(MAX);
    ngx_media_index_build_init(&build, 1000, FILE_SIZE, 1);
    is(media_mp4_add(&build, &samples[0]), NGX_OK, "one sample");
    is(media_mp4_add(&build, &samples[1]), NGX_ERROR, "is enough");
    is_text(build.error, strlen(build.error), "too many samples", "error");
    media_mp4_pieces_free(&build);

    /* times */

    audio(MAX);
    samples[7].dts = (int64_t) 1 << 60;
    ok(make(MAX, FILE_SIZE) == NULL, "a time too large");

    audio(MAX);
    samples[7].cto = -((int64_t) 1 << 60);
    ok(make(MAX, FILE_SIZE) == NULL, "an offset too large");
    is_text(build.error, strlen(build.error), "impossible time of a sample",
            "error");

    audio(MAX);
    samples[7].duration = (uint64_t) -1;
    ok(make(MAX, FILE_SIZE) == NULL, "a duration too large");

    audio(MAX);
    samples[300].dts = 0;
    ok(make(MAX, FILE_SIZE) == NULL, "back by 12 s");
    is_text(build.error, strlen(build.error), "decode time goes back",
            "error");

    audio(200);
    samples[127].dts -= 100;
    samples[128].dts -= 100;
    index = make(200, FILE_SIZE);
    ok(index->overlap, "back by 60 ms");
    ngx_media_index_open(&reader, index);
    (void) ngx_media_index_seek(&reader, 126);
    (void) ngx_media_index_next(&reader, &s);
    is(s.dts, 126 * 40, "the one before");
    is(s.duration, 0, "takes no time");
    (void) ngx_media_index_next(&reader, &s);
    is(s.dts, 126 * 40, "time stands still");
    is(s.dts + s.cto, 127 * 40 - 100, "what is shown is right");
    (void) ngx_media_index_next(&reader, &s);
    is(s.dts + s.cto, 128 * 40 - 100, "and what comes then");
    media_mp4_index_check(index, FILE_SIZE);
    free(index);

    /* a hole is the duration of what is before it */

    audio(200);
    samples[100].dts += 5000;
    index = make(101, FILE_SIZE);
    ngx_media_index_open(&reader, index);
    (void) ngx_media_index_seek(&reader, 99);
    (void) ngx_media_index_next(&reader, &s);
    is(s.duration, 5040, "a hole");
    free(index);
}


static void
test_leading(void)
{
    unsigned            i;
    ngx_media_index_t  *index;

    video(500, 50);
    index = make(500, FILE_SIZE);
    ok(!index->leading, "closed GOPs");
    free(index);

    for (i = 0; i < 500; i++) {
        samples[i].cto += samples[i].key ? 80 : 0;
    }

    index = make(500, FILE_SIZE);
    ok(index->leading, "open GOPs");
    free(index);
}


/* as if it had been made at once, wherever it was left */

static void
test_resume(void)
{
    unsigned            i, n;
    ngx_int_t           rc;
    ngx_media_index_t  *part, *whole;

    video(700, 50);

    for (i = 0; i < 700; i++) {
        samples[i].size = random_32() % 1000;
        samples[i].description = 1 + (i > 600);
        samples[i].offset *= 10;
    }

    whole = make(700, FILE_SIZE);

    for (n = 0; n <= 700; n += (n < 150) ? 1 : 61) {
        part = make(n, FILE_SIZE);
        (void) ngx_media_index_edit(part, n, 40, 0);

        ngx_media_index_build_init(&build, 1000, FILE_SIZE, MAX);

        while ((rc = ngx_media_index_resume(&build, part)) == NGX_AGAIN) {
            media_mp4_piece(&build);
        }

        if (rc != NGX_OK) {
            ok(0, "%u samples", n);
        }

        for (i = n; i < 700; i++) {
            (void) media_mp4_add(&build, &samples[i]);
        }

        free(part);
        part = media_mp4_pack(&build);

        if (part->size != whole->size
            || memcmp(part, whole, whole->size) != 0)
        {
            ok(0, "%u samples and the others", n);
        }

        free(part);
    }

    ok(1, "resumed");
    free(whole);
}


/* any bit may be wrong: no read outside, no endless loop */

static void
test_broken(void)
{
    uint64_t                   sum;
    unsigned                   bit, n;
    ngx_media_index_t         *index, *copy;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   s;

    video(300, 50);

    for (n = 0; n < 300; n++) {
        samples[n].size = random_32() % 5000;
    }

    index = make(300, FILE_SIZE);
    sum = 0;

    for (n = 0; n < index->size; n++) {
        copy = tap_dup(index, n);

        if (ngx_media_index_check(copy, n) != NGX_ERROR) {
            ok(0, "%u bytes", n);
        }

        free(copy);
    }

    for (bit = 0; bit < index->size * 8; bit++) {
        copy = tap_dup(index, index->size);
        ((u_char *) copy)[bit / 8] ^= 1 << bit % 8;

        if (ngx_media_index_check(copy, index->size) == NGX_OK) {
            ngx_media_index_open(&reader, copy);

            for (n = 0; n < 400; n++) {
                if (ngx_media_index_next(&reader, &s) != NGX_OK) {
                    break;
                }

                sum += (uint64_t) s.cto;
            }

            (void) ngx_media_index_seek(&reader, 290);
            (void) ngx_media_index_seek_time(&reader, 3000);
            (void) ngx_media_index_seek_key(&reader, 3000);
            (void) ngx_media_index_edit(copy, 1, 1000, 1000);
        }

        free(copy);
    }

    ok(sum != 0, "%u bits", bit);
    free(index);
}


int
main(void)
{
    test_columns();
    test_seek();
    test_edit();
    test_refused();
    test_leading();
    test_resume();
    test_broken();

    return done();
}
