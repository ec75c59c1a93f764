
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: packager/ngx_media_pull.c */


#include <stdio.h>
#include <unistd.h>
#include "packager/ngx_media_pull.h"
#include "tap.h"


#define FILE_SIZE  (1024 * 1024)
#define RANGES     400


static u_char                    *bytes;
static FILE                      *file;
static uint32_t                   seed = 1;
static ngx_media_piece_t   ranges[RANGES];


static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
}


static void
start(void)
{
    size_t  i;

    bytes = malloc(FILE_SIZE);

    for (i = 0; i < FILE_SIZE; i++) {
        bytes[i] = (u_char) rnd(256);
    }

    file = tmpfile();

    if (file == NULL || fwrite(bytes, 1, FILE_SIZE, file) != FILE_SIZE
        || fflush(file) != 0)
    {
        abort();
    }
}


/* ranges from here on, with gaps of up to "gap" bytes; how many fit */

static ngx_uint_t
layout(uint32_t size, uint32_t gap, uint32_t memory)
{
    size_t      at, n;
    ngx_uint_t  i;

    at = rnd(1000);

    for (i = 0; i < RANGES; i++) {
        at += gap ? rnd(gap + 1) : 0;
        n = 1 + rnd(size);

        if (at + n > FILE_SIZE) {
            break;
        }

        ranges[i].offset = at;
        ranges[i].size = n;
        ranges[i].memory = (memory && rnd(memory) == 0) ? bytes + at : NULL;

        at += n;
    }

    return i;
}


/* all bytes but those that are skipped; 0: as they should be */

static ngx_uint_t
play(ngx_uint_t n, size_t window, uint32_t skip, uint64_t *wanted,
    uint64_t *got)
{
    size_t            len, k;
    u_char           *pos, *last, *buf;
    ngx_int_t         rc;
    ngx_uint_t        i, left;
    ngx_media_pull_t  reader;

    memset(&reader, 0, sizeof(ngx_media_pull_t));

    buf = malloc(window);

    reader.ranges = ranges;
    reader.nranges = n;
    reader.fd = fileno(file);
    reader.start = buf;
    reader.size = window;

    *wanted = 0;
    i = 0;
    k = 0;

    for ( ;; ) {
        rc = ngx_media_pull_next(&reader, &pos, &last);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_AGAIN) {
            reader.nowait = rnd(2);
            rc = ngx_media_pull_fill(&reader);

            if (rc == NGX_AGAIN && reader.nowait) {
                reader.nowait = 0;
                rc = ngx_media_pull_fill(&reader);
            }

            if (rc != NGX_OK || reader.len == 0) {
                free(buf);
                return 1;
            }

            continue;
        }

        if (pos >= last) {
            free(buf);
            return 2;
        }

        len = 1 + rnd((uint32_t) (last - pos));

        if (skip && rnd(skip) == 0) {
            len = rnd(20000);
            ngx_media_pull_skip(&reader, len);
            pos = NULL;

        } else {
            ngx_media_pull_use(&reader, len);
        }

        for (left = len; left && i < n; /* void */) {
            size_t  part;

            part = ngx_min(left, ranges[i].size - k);

            if (pos) {
                if (memcmp(pos, bytes + ranges[i].offset + k, part) != 0) {
                    free(buf);
                    return 3;
                }

                pos += part;
                *wanted += ranges[i].memory ? 0 : part;
            }

            k += part;
            left -= part;

            if (k == ranges[i].size) {
                k = 0;
                i++;
            }
        }

        if (left && pos) {
            free(buf);
            return 4;
        }
    }

    *got = reader.bytes;

    free(buf);

    return (i == n) ? 0 : 5;
}


static void
test_random(void)
{
    uint64_t    wanted, got;
    ngx_uint_t  i, bad, rc, over;

    bad = 0;
    over = 0;

    for (i = 0; i < 3000; i++) {
        rc = play(layout(1 + rnd(3000), rnd(2) ? rnd(3000) : 0,
                         rnd(3) ? 0 : 1 + rnd(8)),
                  1 + rnd(40000), 0, &wanted, &got);

        if (rc) {
            diag("round %d: %d", (int) i, (int) rc);
        }

        bad += rc != 0;
        over += got > wanted * 2 || got < wanted;
    }

    is(bad, 0, "random ranges: bytes");
    is(over, 0, "random ranges: at most twice of them are read");

    bad = 0;

    for (i = 0; i < 1000; i++) {
        bad += play(layout(1 + rnd(3000), rnd(2) ? rnd(3000) : 0, 5),
                    1 + rnd(40000), 1 + rnd(5), &wanted, &got) != 0;
    }

    is(bad, 0, "random ranges and skips: bytes");
}


static void
test_shapes(void)
{
    uint64_t    wanted, got;
    ngx_uint_t  i;

    for (i = 0; i < RANGES; i++) {
        ranges[i].offset = i * 1000;
        ranges[i].size = 300;
        ranges[i].memory = NULL;
    }

    is(play(RANGES, 65536, 0, &wanted, &got), 0, "small and far apart");
    is(got, wanted, "what is between is not read");

    for (i = 0; i < RANGES; i++) {
        ranges[i].size = 600;
    }

    is(play(RANGES, 65536, 0, &wanted, &got), 0, "small and close");
    ok(got > wanted * 3 / 2 && got <= wanted * 2, "are read together");

    /* a large gap, after so many bytes that it may be read */

    ranges[0].offset = 0;
    ranges[0].size = 300000;
    ranges[1].offset = 500000;
    ranges[1].size = 300000;

    is(play(2, 700000, 0, &wanted, &got), 0, "large, a gap of 200000");
    is(got, 800000, "read together");

    ranges[0].offset = 600000;
    ranges[1].offset = 100000;

    is(play(2, 700000, 0, &wanted, &got), 0, "backwards");
    is(got, 600000, "nothing else is read");

    for (i = 0; i < 10; i++) {
        ranges[i].memory = bytes + ranges[i].offset;
    }

    is(play(10, 1, 0, &wanted, &got), 0, "all in memory");
    is(got, 0, "nothing is read");
}


/* what is in one reader, compared and used up; 0: as it should be */

static ngx_uint_t
take(ngx_media_pull_t *reader)
{
    size_t                    n;
    u_char                   *pos, *last;
    const ngx_media_piece_t  *range;

    while (ngx_media_pull_next(reader, &pos, &last) == NGX_OK) {
        range = &reader->ranges[reader->range];
        n = ngx_min((size_t) (last - pos), range->size - reader->done);

        if (memcmp(pos, bytes + range->offset + reader->done, n) != 0) {
            return 1;
        }

        ngx_media_pull_use(reader, n);
    }

    return 0;
}


/* the ranges, dealt out to some readers that are filled together */

static ngx_uint_t
play_all(ngx_uint_t n, uint64_t *wanted, uint64_t *got)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, k, nreaders, nlist, left;
    ngx_media_pull_t          readers[NGX_MEDIA_PULLS];
    ngx_media_pull_t         *list[NGX_MEDIA_PULLS];
    static u_char             bufs[NGX_MEDIA_PULLS][40000];
    static ngx_media_piece_t  dealt[NGX_MEDIA_PULLS][RANGES];

    memset(readers, 0, sizeof(readers));

    nreaders = 1 + rnd(NGX_MEDIA_PULLS);
    *wanted = 0;
    *got = 0;

    for (k = 0; k < nreaders; k++) {
        readers[k].ranges = dealt[k];
        readers[k].fd = fileno(file);
        readers[k].start = bufs[k];
        readers[k].size = 1 + rnd(sizeof(bufs[k]));
    }

    for (i = 0; i < n; i++) {
        k = rnd((uint32_t) nreaders);
        dealt[k][readers[k].nranges++] = ranges[i];
        *wanted += ranges[i].memory ? 0 : ranges[i].size;
    }

    for ( ;; ) {
        nlist = 0;
        left = 0;

        for (i = 0; i < nreaders; i++) {

            if (take(&readers[i]) != 0) {
                return 1;
            }

            if (readers[i].range < readers[i].nranges) {
                left++;

                /* some of them, in any order */

                if (nlist == 0 || rnd(4)) {
                    k = rnd((uint32_t) ++nlist);
                    list[nlist - 1] = list[k];
                    list[k] = &readers[i];
                }
            }
        }

        if (left == 0) {
            break;
        }

        list[0]->nowait = rnd(2);
        rc = ngx_media_pull_fill_all(list, nlist);

        if (rc == NGX_AGAIN && list[0]->nowait) {
            list[0]->nowait = 0;
            rc = ngx_media_pull_fill_all(list, nlist);
        }

        if (rc != NGX_OK || list[0]->len == 0) {
            return 2;
        }
    }

    for (i = 0; i < nreaders; i++) {
        *got += readers[i].bytes;
    }

    return 0;
}


static void
test_together(void)
{
    uint64_t    wanted, got;
    ngx_uint_t  i, bad, over;

    bad = 0;
    over = 0;

    for (i = 0; i < 3000; i++) {
        bad += play_all(layout(1 + rnd(3000), rnd(2) ? rnd(3000) : 0,
                               rnd(3) ? 0 : 1 + rnd(8)),
                        &wanted, &got) != 0;
        over += got > wanted * 2 || got < wanted;
    }

    is(bad, 0, "several readers: bytes");
    is(over, 0, "several readers: at most twice of them are read");
}


static void
test_errors(void)
{
    u_char            buf[4096], *pos, *last;
    ngx_media_pull_t  reader;

    memset(&reader, 0, sizeof(ngx_media_pull_t));

    ranges[0].offset = FILE_SIZE - 100;
    ranges[0].size = 200;
    ranges[0].memory = NULL;

    reader.ranges = ranges;
    reader.nranges = 1;
    reader.fd = fileno(file);
    reader.start = buf;
    reader.size = sizeof(buf);

    is(ngx_media_pull_next(&reader, &pos, &last), NGX_AGAIN, "asks");
    is(ngx_media_pull_fill(&reader), NGX_ERROR, "shorter: an error");
    is(reader.err, 0, "shorter: no errno");
    is(reader.offset, FILE_SIZE, "shorter: where");
    is(ngx_media_pull_next(&reader, &pos, &last), NGX_AGAIN,
       "shorter: nothing is there");

    reader.fd = -1;

    is(ngx_media_pull_fill(&reader), NGX_ERROR, "no file: an error");
    is(reader.err, NGX_EBADF, "no file: errno");
    is(reader.offset, FILE_SIZE - 100, "no file: where");

    reader.fd = fileno(file);

    ngx_media_pull_skip(&reader, 1000);
    is(ngx_media_pull_next(&reader, &pos, &last), NGX_DONE,
       "skipped beyond the end");
}


int
main(void)
{
    start();

    test_random();
    test_shapes();
    test_together();
    test_errors();

    free(bytes);
    fclose(file);

    return done();
}
