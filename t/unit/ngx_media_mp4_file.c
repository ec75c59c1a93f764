
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


static media_mp4_read_t  file;


static void
moov_box(media_mp4_t *m, int fragmented, uint32_t data)
{
    unsigned  i;

    const uint32_t  stts[] = { 10, 100 };
    const uint32_t  ctts[] = { 1, 200, 1, 400, 1, 100, 1, 0, 6, 200 };
    const uint32_t  stsc[] = { 1, 5, 1 };
    const uint32_t  stco[] = { data, data + 600 };
    const uint32_t  stss[] = { 1, 6 };
    const uint32_t  sizes[] = { 50, 10, 10, 10, 20, 50, 10, 10, 10, 20 };

    media_mp4_open(m, "moov");
    media_mp4_mvhd(m, 1000);

    for (i = 1; i <= 2; i++) {
        media_mp4_stbl(m, i, i == 1 ? "vide" : "soun", 1000);

        if (fragmented) {
            media_mp4_stsz(m, 0, NULL, 0);

        } else {
            media_mp4_list(m, "stts", 0, stts, 2);
            media_mp4_list(m, "stsc", 0, stsc, 3);
            media_mp4_list(m, "stco", 0, stco, 1);

            if (i == 1) {
                media_mp4_list(m, "ctts", 0, ctts, 2);
                media_mp4_list(m, "stss", 0, stss, 1);
                media_mp4_stsz(m, 0, sizes, 10);

            } else {
                media_mp4_stsz(m, 20, NULL, 10);
            }
        }

        media_mp4_stbl_end(m);
    }

    if (fragmented) {
        media_mp4_open(m, "mvex");

        for (i = 1; i <= 2; i++) {
            media_mp4_full(m, "trex", 0);
            media_mp4_u32(m, i);
            media_mp4_u32(m, 1);
            media_mp4_u32(m, 100);
            media_mp4_u32(m, 20);
            media_mp4_u32(m, i == 1 ? 0x01010000 : 0x02000000);
            media_mp4_close(m);
        }

        media_mp4_close(m);
    }

    media_mp4_close(m);
}


static void
ftyp_box(media_mp4_t *m)
{
    media_mp4_open(m, "ftyp");
    media_mp4_data(m, "isom\0\0\0\0isom", 12);
    media_mp4_close(m);
}


static void
mdat_box(media_mp4_t *m, size_t n)
{
    media_mp4_open(m, "mdat");
    media_mp4_zeros(m, n);
    media_mp4_close(m);
}


static void
fragment(media_mp4_t *m, unsigned n)
{
    unsigned  i;

    media_mp4_open(m, "moof");
    media_mp4_full(m, "mfhd", 0);
    media_mp4_u32(m, n);
    media_mp4_close(m);

    for (i = 1; i <= 2; i++) {
        media_mp4_open(m, "traf");
        media_mp4_full(m, "tfhd", 0x020000);
        media_mp4_u32(m, i);
        media_mp4_close(m);
        media_mp4_full(m, "tfdt", 0);
        media_mp4_u32(m, n * 500);
        media_mp4_close(m);
        media_mp4_full(m, "trun", 0x5);
        media_mp4_u32(m, 5);
        media_mp4_u32(m, 8 + 16 + 2 * (8 + 16 + 16 + 24) + 8
                         + (i - 1) * 100);
        media_mp4_u32(m, 0x02000000);
        media_mp4_close(m);
        media_mp4_close(m);
    }

    media_mp4_close(m);
    mdat_box(m, 200);
}


/* where things stand in a file */

static void
test_order(void)
{
    media_mp4_t  m;

    memset(&m, 0, sizeof(m));

    ftyp_box(&m);
    moov_box(&m, 0, 100);
    mdat_box(&m, 2000);

    is(media_mp4_read(&file, m.p, m.len), NGX_OK, "moov first");
    is(file.moov.ntracks, 2, "tracks");
    is(file.indexes[0]->nsamples, 10, "samples");
    is(file.indexes[0]->nkeys, 2, "keys");
    is(file.resume, m.len, "to the end");
    media_mp4_read_free(&file);

    m.len = 0;
    mdat_box(&m, 9000);
    media_mp4_open(&m, "free");
    media_mp4_close(&m);
    moov_box(&m, 0, 100);

    is(media_mp4_read(&file, m.p, m.len), NGX_OK, "moov last");
    is(file.indexes[1]->nsamples, 10, "samples");
    media_mp4_read_free(&file);

    /* a second one does not count, nor does garbage at the end */

    moov_box(&m, 0, 200000);
    media_mp4_data(&m, "\0\0\0\3junkjunk", 12);

    is(media_mp4_read(&file, m.p, m.len), NGX_OK, "two of them, garbage");
    is(file.indexes[1]->nsamples, 10, "samples");
    ok(file.file.garbage, "garbage");
    media_mp4_read_free(&file);

    /* 64-bit sizes, and one up to the end */

    m.len = 0;
    media_mp4_u32(&m, 1);
    media_mp4_data(&m, "mdat", 4);
    media_mp4_u64(&m, 16 + 1000);
    media_mp4_zeros(&m, 1000);
    moov_box(&m, 0, 100);
    media_mp4_u32(&m, 0);
    media_mp4_data(&m, "mdat", 4);
    media_mp4_zeros(&m, 50);

    is(media_mp4_read(&file, m.p, m.len), NGX_OK, "sizes");
    is(file.indexes[1]->nsamples, 10, "samples");
    media_mp4_read_free(&file);

    m.len = 0;
    moov_box(&m, 0, 100);
    media_mp4_u32(&m, 5000);
    media_mp4_data(&m, "mdat", 4);
    media_mp4_zeros(&m, 700);

    is(media_mp4_read(&file, m.p, m.len), NGX_OK, "mdat is cut");
    ok(file.file.garbage, "said so");
    media_mp4_read_free(&file);

    free(m.p);
}


static void
test_refused(void)
{
    size_t       i;
    media_mp4_t  m;

    static const struct {
        const char  *name;
        const char  *bytes;
        size_t       len;
        const char  *error;
    } tests[] = {
        { "empty", "", 0, "the file is empty, offset:0" },
        { "short", "\0\0\0", 3, "has a wrong size, offset:0" },
        { "text", "<html><body>hello</body>", 24, "no moov in it, offset:24" },
        { "zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16,
          "no moov in it, offset:16" },
        { "no moov", "\0\0\0\10free\0\0\0\10mdat", 16,
          "no moov in it, offset:16" },
        { "too small", "\0\0\0\10free\0\0\0\7mdat", 16,
          "mdat: has a wrong size, offset:8" },
        { "no end of a header", "\0\0\0\10free\0\0\0\1moov", 16,
          "moov: has a wrong size, offset:8" },
        { "moov is cut", "\0\0\0\10free\0\0\0\20moov", 16,
          "moov: is truncated, offset:8" },
        { "too large", "\0\0\0\10free\0\20\0\1moov", 16,
          "moov: is truncated, offset:8" },
        { "moof alone", "\0\0\0\10moof", 8, "no moov in it, offset:8" },
        { "uuid is cut", "\0\0\0\30uuid0000", 12,
          "uuid: has a wrong size, offset:0" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        is(media_mp4_read(&file, (u_char *) tests[i].bytes, tests[i].len),
           NGX_ERROR, "%s", tests[i].name);
        is_text(file.text, strlen(file.text), tests[i].error, "error");
        media_mp4_read_free(&file);
    }

    memset(&m, 0, sizeof(m));
    media_mp4_open(&m, "moov");
    media_mp4_zeros(&m, MEDIA_MP4_BOX);
    media_mp4_close(&m);

    is(media_mp4_read(&file, m.p, m.len), NGX_ERROR, "moov is too large");
    is_text(file.text, strlen(file.text), "moov: is too large, offset:0",
            "error");
    media_mp4_read_free(&file);

    free(m.p);
}


/* the file is read piece by piece, and may be shorter than it was */

static void
test_read(void)
{
    media_mp4_t            m;
    ngx_media_mp4_file_t   f;

    memset(&m, 0, sizeof(m));
    ftyp_box(&m);
    mdat_box(&m, 100000);
    moov_box(&m, 0, 100);
    media_mp4_zeros(&m, 0);

    ngx_media_mp4_file_init(&f, m.len);

    is(ngx_media_mp4_file_next(&f, NULL, NULL), NGX_AGAIN, "the first read");
    is(f.offset, 0, "offset");
    is(f.want, NGX_MEDIA_MP4_FILE_READ, "size");

    is(ngx_media_mp4_file_next(&f, m.p, m.p + f.want), NGX_AGAIN, "on");
    is(f.offset, 20, "mdat");
    is(ngx_media_mp4_file_next(&f, m.p + 20, m.p + 20 + f.want), NGX_AGAIN,
       "on");
    is(f.offset, 20 + 100008, "moov");
    is(f.want, m.len - f.offset, "what is left");
    is(ngx_media_mp4_file_next(&f, m.p + f.offset, m.p + m.len), NGX_OK,
       "moov");
    is_hex(f.box.type, ngx_media_fourcc('m', 'o', 'o', 'v'), "type");
    ok(f.box.body.last == m.p + m.len, "whole");
    is(ngx_media_mp4_file_next(&f, NULL, NULL), NGX_DONE, "the end");

    ngx_media_mp4_file_init(&f, m.len);
    (void) ngx_media_mp4_file_next(&f, NULL, NULL);
    is(ngx_media_mp4_file_next(&f, m.p, m.p + f.want - 1), NGX_ERROR,
       "a short read");
    is_text(f.error.text, strlen(f.error.text),
            "the file is shorter than it was", "error");

    free(m.p);
}


static void
test_growing(void)
{
    size_t                      n, whole;
    unsigned                    i;
    uint32_t                    last[2], samples[2];
    uint64_t                    resume;
    media_mp4_t                 m;
    ngx_int_t                   rc;
    ngx_uint_t                  t;
    media_mp4_read_t           *first;
    ngx_media_index_t          *part;
    ngx_media_index_build_t    *build;

    memset(&m, 0, sizeof(m));
    ftyp_box(&m);
    moov_box(&m, 1, 0);

    for (i = 0; i < 40; i++) {
        fragment(&m, i);
    }

    whole = m.len;

    is(media_mp4_read(&file, m.p, whole), NGX_OK, "fragments");
    is(file.indexes[0]->nsamples, 200, "samples");
    is(file.indexes[0]->nkeys, 40, "keys");
    is(file.indexes[1]->nkeys, 200, "keys");
    media_mp4_read_free(&file);

    /* at each length what is complete, never more, never less */

    last[0] = 0;
    last[1] = 0;

    for (n = 0; n < 4000; n++) {
        rc = media_mp4_read(&file, m.p, n);

        if (rc == NGX_OK) {
            samples[0] = file.indexes[0]->nsamples;
            samples[1] = file.indexes[1]->nsamples;

            if (samples[0] != samples[1] || samples[0] % 5
                || samples[0] < last[0] || samples[0] > last[0] + 5)
            {
                ok(0, "%u bytes", (unsigned) n);
            }

            last[0] = samples[0];

        } else if (last[0]) {
            ok(0, "%u bytes", (unsigned) n);
        }

        media_mp4_read_free(&file);
    }

    is(last[0], 45, "samples of 4000 bytes");

    /* gone on with from there */

    first = malloc(sizeof(media_mp4_read_t));
    is(media_mp4_read(first, m.p, 4000), NGX_OK, "a part");
    resume = first->resume;

    ngx_media_mp4_file_resume(&first->file, whole, resume);

    for (t = 0; t < 2; t++) {
        build = &first->builds[t];
        part = first->indexes[t];

        is(first->tracks[t].decode_time, 4500, "where it goes on");

        ngx_media_index_build_init(build, 1000, whole, MEDIA_MP4_SAMPLES);

        while ((rc = ngx_media_index_resume(build, part)) == NGX_AGAIN) {
            media_mp4_piece(build);
        }

        is(rc, NGX_OK, "resumed");
        free(part);
    }

    free(first->buffer);
    first->buffer = NULL;

    is(media_mp4_parse(first, m.p, whole), NGX_OK, "the rest");

    is(media_mp4_read(&file, m.p, whole), NGX_OK, "all of it");

    for (t = 0; t < 2; t++) {
        part = media_mp4_pack(&first->builds[t]);
        first->indexes[t] = part;

        (void) ngx_media_index_edit(part, 0, 0, 0);

        is_mem(part, part->size, file.indexes[t], file.indexes[t]->size,
               "the same index");
    }

    media_mp4_read_free(&file);
    media_mp4_read_free(first);
    free(first);
    free(m.p);
}


/* every field wrong in every way, and every length */

static void
test_hostile(void)
{
    int          fragmented;
    size_t       i, n;
    u_char      *p;
    unsigned     v, good;
    media_mp4_t  m;

    static const uint32_t  values[] = {
        0, 1, 2, 7, 8, 0xff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0,
        0xffffffff
    };

    for (fragmented = 0; fragmented < 2; fragmented++) {
        memset(&m, 0, sizeof(m));
        ftyp_box(&m);
        moov_box(&m, fragmented, 1000);

        if (fragmented) {
            fragment(&m, 0);
            fragment(&m, 1);

        } else {
            mdat_box(&m, 500);
        }

        good = 0;

        for (n = 0; n < m.len; n++) {
            p = tap_dup(m.p, n);
            good += media_mp4_read(&file, p, n) == NGX_OK;
            media_mp4_read_free(&file);
            free(p);
        }

        ok(good < m.len, "cut: %u of %u are read", good, (unsigned) m.len);

        good = 0;

        for (i = 0; i + 4 <= m.len; i += 4) {
            for (v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                p = tap_dup(m.p, m.len);
                (void) ngx_media_put_be32(p + i, values[v]);
                good += media_mp4_read(&file, p, m.len) == NGX_OK;
                media_mp4_read_free(&file);
                free(p);
            }
        }

        ok(good > 0, "wrong: %u are read", good);

        free(m.p);
    }
}


int
main(void)
{
    test_order();
    test_refused();
    test_read();
    test_growing();
    test_hostile();

    return done();
}
