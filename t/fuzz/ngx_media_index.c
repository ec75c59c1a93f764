
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_fill.c
         formats/ngx_media_plan.c */


/*
 * An even first byte: the rest is an index, broken in whatever way.  An odd
 * one: the rest is samples, which must come back from the index as they were
 * put in, at once and in two parts.
 */


#include "formats/ngx_media_index_build.h"
#include "../unit/media_plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define SAMPLES    1024
#define FILE_SIZE  ((uint64_t) 1 << 40)


static ngx_media_index_sample_t   samples[SAMPLES];
static ngx_media_index_build_t    build;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
read_any(const uint8_t *data, size_t size)
{
    int                        i;
    void                      *p;
    ngx_media_index_t         *index;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    p = malloc(size ? size : 1);
    check(p != NULL);
    memcpy(p, data, size);

    index = p;

    if (ngx_media_index_check(index, size) == NGX_OK) {
        ngx_media_index_open(&reader, index);

        for (i = 0; i < 1000; i++) {
            if (ngx_media_index_next(&reader, &sample) != NGX_OK) {
                break;
            }
        }

        (void) ngx_media_index_seek(&reader, index->nsamples / 2);
        (void) ngx_media_index_next(&reader, &sample);
        (void) ngx_media_index_seek_time(&reader, 1000);
        (void) ngx_media_index_next(&reader, &sample);
        (void) ngx_media_index_seek_key(&reader, 1000);
        (void) ngx_media_index_next(&reader, &sample);
    }

    free(p);
}


static void
piece(void)
{
    void  *p;

    p = malloc(NGX_MEDIA_INDEX_PIECE_MIN);
    check(p != NULL);
    ngx_media_index_piece(&build, p, NGX_MEDIA_INDEX_PIECE_MIN);
}


static ngx_media_index_t *
pack(void)
{
    void                     *p;
    ngx_media_index_piece_t  *next;

    while (ngx_media_index_finish(&build) == NGX_AGAIN) {
        piece();
    }

    check(build.error == NULL);

    p = malloc(build.size);
    check(p != NULL);
    ngx_media_index_pack(&build, p);

    while (build.first) {
        next = build.first->next;
        free(build.first);
        build.first = next;
    }

    check(ngx_media_index_check(p, build.size) == NGX_OK);

    return p;
}


static int
add(int from, int to)
{
    int        i;
    ngx_int_t  rc;

    for (i = from; i < to; i++) {

        do {
            rc = ngx_media_index_add(&build, &samples[i]);

            if (rc == NGX_AGAIN) {
                piece();
            }

        } while (rc == NGX_AGAIN);

        if (rc != NGX_OK) {
            break;
        }
    }

    return i - from;
}


static int
parse(const uint8_t *data, size_t size)
{
    int       n;
    uint8_t   op;
    int64_t   dts;
    uint64_t  offset, bytes;

    dts = 0;
    offset = 0;
    bytes = 0;

    for (n = 0; n < SAMPLES && size; n++) {
        ngx_media_index_sample_t  *s = &samples[n];

        memset(s, 0, sizeof(*s));

        op = *data++;
        size--;

        /* like the one before, but for what the bits say */

        if (n) {
            *s = samples[n - 1];
        }

        s->description = 1 + (op & 1);
        s->key = op >> 1 & 1;

        if (op & 4 && size >= 4) {
            memcpy(&s->size, data, 4);
            s->size >>= op >> 3;
            data += 4;
            size -= 4;
        }

        if (op & 8 && size >= 2) {
            s->duration = data[0] << 8 | data[1];
            data += 2;
            size -= 2;
        }

        if (op & 16 && size >= 2) {
            s->cto = (int16_t) (data[0] << 8 | data[1]);
            s->cto *= (op & 32) ? 1000003 : 1;
            data += 2;
            size -= 2;
        }

        if (op & 64 && size >= 4) {
            offset = (uint64_t) data[0] << 31 | data[1] << 16 | data[2] << 8
                     | data[3];
            data += 4;
            size -= 4;
        }

        if (s->size > FILE_SIZE - offset || bytes + s->size > FILE_SIZE) {
            break;
        }

        s->offset = offset;
        s->dts = dts;

        bytes += s->size;
        offset += s->size;
        dts += s->duration;
    }

    return n;
}


static void
compare(const ngx_media_index_t *index, int n)
{
    int                        i;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    check(index->nsamples == (uint32_t) n);

    ngx_media_index_open(&reader, index);

    for (i = 0; i < n; i++) {
        check(ngx_media_index_next(&reader, &sample) == NGX_OK);
        check(sample.offset == samples[i].offset);
        check(sample.size == samples[i].size);
        check(sample.dts == samples[i].dts + index->delay + index->shift);
        check(sample.cto == samples[i].cto - index->delay);
        check(sample.duration == samples[i].duration);
        check(sample.key == samples[i].key);
        check(sample.description == samples[i].description);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 n, half;
    size_t              plan_size, again;
    ngx_int_t           rc;
    ngx_media_plan_t   *plan;
    ngx_media_index_t  *whole, *part;

    if (size == 0) {
        return 0;
    }

    if ((data[0] & 1) == 0) {
        read_any(data + 1, size - 1);
        return 0;
    }

    n = parse(data + 1, size - 1);
    half = n ? data[0] * n / 256 : 0;

    ngx_media_index_build_init(&build, 1000, FILE_SIZE, SAMPLES);
    check(add(0, n) == n);
    whole = pack();
    compare(whole, n);

    ngx_media_index_build_init(&build, 1000, FILE_SIZE, SAMPLES);
    check(add(0, half) == half);
    part = pack();
    compare(part, half);
    check(ngx_media_index_edit(part, 5, 17, 0) == NGX_OK);
    compare(part, half);

    ngx_media_index_build_init(&build, 1000, FILE_SIZE, SAMPLES);

    while ((rc = ngx_media_index_resume(&build, part)) == NGX_AGAIN) {
        piece();
    }

    check(rc == NGX_OK);
    check(add(half, n) == n - half);
    free(part);
    part = pack();

    check(part->size == whole->size);
    check(memcmp(part, whole, whole->size) == 0);

    check(ngx_media_index_edit(whole, data[0], data[0] * 3, n * 20)
          == NGX_OK);
    compare(whole, n);

    plan_size = 0;
    rc = ngx_media_plan_make(NULL, &plan_size, whole, NULL, NULL,
                             data[0] & 2 ? 0 : 1, 50 + data[0], 20000);
    check(rc == NGX_OK || rc == NGX_DECLINED);

    if (rc == NGX_OK) {
        plan = malloc(plan_size);
        check(plan != NULL);
        again = plan_size;

        check(ngx_media_plan_make(plan, &again, whole, NULL, NULL,
                                  data[0] & 2 ? 0 : 1, 50 + data[0], 20000)
              == NGX_OK);
        check(again == plan_size);
        check(media_plan_is_whole(plan, again));

        free(plan);
    }

    free(part);
    free(whole);

    return 0;
}
