
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_index.c formats/ngx_media_fill.c
         formats/ngx_media_index_build.c formats/ngx_media_mp4_box.c
         formats/ngx_media_mp4_file.c formats/ngx_media_mp4_moof.c
         formats/ngx_media_mp4_moov.c formats/ngx_media_mp4_stbl.c
         formats/ngx_media_plan.c formats/ngx_media_text.c */


#include "media_mp4.h"
#include "tap.h"


#define MAX  1000


static ngx_media_index_build_t  build;


/* n samples of 1000 ticks, from 5000 on */

static ngx_media_index_t *
make(uint32_t timescale, unsigned n)
{
    unsigned                   i;
    ngx_media_index_t         *index;
    ngx_media_index_sample_t   s;

    ngx_media_index_build_init(&build, timescale, (uint64_t) 1 << 40, MAX);
    memset(&s, 0, sizeof(s));

    for (i = 0; i < n; i++) {
        s.offset = i * 100;
        s.size = 50;
        s.dts = i * 1000;
        s.duration = 1000;
        s.description = 1;
        s.key = 1;

        media_mp4_check(media_mp4_add(&build, &s) == NGX_OK);
    }

    index = media_mp4_pack(&build);
    media_mp4_check(ngx_media_index_edit(index, 5000, 0, 0) == NGX_OK);

    return index;
}


static void
test_count(void)
{
    ngx_media_fill_run_t  run;

    memset(&run, 0, sizeof(run));
    is(ngx_media_fill_count(&run, 100000, 48000), 0, "of nothing");

    run.samples = 1024;
    run.rate = 44100;

    is(ngx_media_fill_count(&run, 1023, 44100), 0, "less than a frame");
    is(ngx_media_fill_count(&run, 1024, 44100), 0, "one is no gap");
    is(ngx_media_fill_count(&run, 1025, 44100), 1, "more than one");
    is(ngx_media_fill_count(&run, 2048, 44100), 2, "two");
    is(ngx_media_fill_count(&run, -1, 44100), 0, "less than nothing");
    is(ngx_media_fill_count(&run, 3600 * 1000, 1000), 155039, "an hour, ms");
    is(ngx_media_fill_count(&run, (int64_t) 1 << 62, 1), 0, "too long");
    is(ngx_media_fill_count(&run, (int64_t) 3600 * 100 * 44100, 44100), 0,
       "100 hours are too long");
    is(ngx_media_fill_count(&run, 100, 10), 0, "no ticks");

    is(ngx_media_fill_length(&run, 155039, 1000), 3599998, "how long it is");
    is(ngx_media_fill_length(&run, 8388608, 0xffffffff),
       (int64_t) (8388608ull * 1024 / 44100 * 0xffffffff
                  + 8388608ull * 1024 % 44100 * 0xffffffff / 44100),
       "of the longest");
}


/* times have no holes, and no error adds up, whatever the timescale is */

static void
test_reader(uint32_t timescale)
{
    int64_t                    time;
    uint32_t                   i, n;
    ngx_media_fill_t           fill;
    ngx_media_index_t         *index;
    ngx_media_fill_reader_t    reader;
    ngx_media_index_sample_t   sample;

    index = make(timescale, 10);

    memset(&fill, 0, sizeof(fill));

    fill.first = 2;
    fill.nsamples = 5;

    fill.head.samples = 1152;
    fill.head.rate = 44100;
    fill.head.size = 7;
    fill.head.description = 1;
    fill.head.count = 100;
    fill.head.time = 7000 - ngx_media_fill_length(&fill.head, 100, timescale);

    fill.tail = fill.head;
    fill.tail.count = 200;
    fill.tail.size = 9;
    fill.tail.time = 12000;

    ngx_media_fill_open(&reader, index, &fill);

    time = fill.head.time;
    n = 0;

    for (i = 2; i < 307; i++) {
        media_mp4_check(reader.number == i);
        media_mp4_check(ngx_media_fill_next(&reader, &sample) == NGX_OK);
        media_mp4_check(sample.dts == time && sample.key);

        time += (int64_t) sample.duration;

        media_mp4_check(sample.size == (i < 102 ? 7 : i < 107 ? 50 : 9));
        media_mp4_check((sample.offset == NGX_MEDIA_FILL_SILENT)
                        == (sample.size != 50));
        n++;
    }

    is(n, 305, "frames of timescale %u", timescale);
    is(time, 12000 + ngx_media_fill_length(&fill.tail, 200, timescale),
       "to the end");
    is(ngx_media_fill_next(&reader, &sample), NGX_DONE, "it is the end");

    for (i = 2; i < 307; i += 21) {
        (void) ngx_media_fill_seek(&reader, i);
        media_mp4_check(ngx_media_fill_next(&reader, &sample) == NGX_OK);
        media_mp4_check(sample.size == (i < 102 ? 7 : i < 107 ? 50 : 9));
        media_mp4_check(i < 102 || i > 106
                        || sample.offset == (i - 100) * 100);
    }

    (void) ngx_media_fill_seek(&reader, 1);
    is(ngx_media_fill_next(&reader, &sample), NGX_ERROR, "before it");

    /* none: it is the index */

    memset(&fill, 0, sizeof(fill));
    ngx_media_fill_open(&reader, index, &fill);
    is(ngx_media_fill_seek(&reader, 9), NGX_OK, "the last sample");
    is(ngx_media_fill_next(&reader, &sample), NGX_OK, "is there");
    is(sample.dts, 14000, "with its time");
    is(ngx_media_fill_next(&reader, &sample), NGX_DONE, "and no more");
    is(reader.number, 10, "number");

    free(index);
}


int
main(void)
{
    test_count();
    test_reader(44100);
    test_reader(1000);
    test_reader(90000);
    test_reader(360000);

    return done();
}
