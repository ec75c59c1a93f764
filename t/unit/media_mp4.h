
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MP4 files for tests: a writer of boxes, and a reader of whole files through
 * all of formats/, which checks whatever must hold of any input.  A program
 * that includes it links MEDIA_MP4_LINK, that is
 *
 *     formats/ngx_media_index.c formats/ngx_media_index_build.c
 *     formats/ngx_media_mp4_box.c formats/ngx_media_mp4_file.c
 *     formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
 *     formats/ngx_media_mp4_stbl.c formats/ngx_media_plan.c
 *     formats/ngx_media_text.c
 */


#ifndef _MEDIA_MP4_H_INCLUDED_
#define _MEDIA_MP4_H_INCLUDED_


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_index_build.h"
#include "formats/ngx_media_mp4_file.h"
#include "formats/ngx_media_mp4_moof.h"
#include "formats/ngx_media_mp4_stbl.h"
#include "media_plan.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define MEDIA_MP4_TRACKS   8
#define MEDIA_MP4_SAMPLES  20000
#define MEDIA_MP4_BOX      (1024 * 1024)


#define media_mp4_check(expr)                                                 \
    do {                                                                      \
        if (!(expr)) {                                                        \
            printf("failed: %s, line %d\n", #expr, __LINE__);                 \
            fflush(stdout);                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)


/* the writer */

typedef struct {
    u_char                   *p;
    size_t                    len;
    size_t                    size;
    size_t                    open[NGX_MEDIA_MP4_DEPTH];
    unsigned                  depth;
} media_mp4_t;


static inline void
media_mp4_data(media_mp4_t *m, const void *data, size_t len)
{
    if (m->len + len > m->size) {
        m->size = (m->len + len) * 2;
        m->p = realloc(m->p, m->size);
        media_mp4_check(m->p != NULL);
    }

    if (data) {
        memcpy(m->p + m->len, data, len);

    } else {
        memset(m->p + m->len, 0, len);
    }

    m->len += len;
}


static inline void
media_mp4_u8(media_mp4_t *m, uint32_t n)
{
    u_char  b[1] = { (u_char) n };

    media_mp4_data(m, b, 1);
}


static inline void
media_mp4_u16(media_mp4_t *m, uint32_t n)
{
    u_char  b[2];

    (void) ngx_media_put_be16(b, n);
    media_mp4_data(m, b, 2);
}


static inline void
media_mp4_u32(media_mp4_t *m, uint32_t n)
{
    u_char  b[4];

    (void) ngx_media_put_be32(b, n);
    media_mp4_data(m, b, 4);
}


static inline void
media_mp4_u64(media_mp4_t *m, uint64_t n)
{
    media_mp4_u32(m, (uint32_t) (n >> 32));
    media_mp4_u32(m, (uint32_t) n);
}


static inline void
media_mp4_zeros(media_mp4_t *m, size_t n)
{
    media_mp4_data(m, NULL, n);
}


static inline void
media_mp4_open(media_mp4_t *m, const char *type)
{
    m->open[m->depth++] = m->len;
    media_mp4_u32(m, 0);
    media_mp4_data(m, type, 4);
}


/* a full box */

static inline void
media_mp4_full(media_mp4_t *m, const char *type, uint32_t version_flags)
{
    media_mp4_open(m, type);
    media_mp4_u32(m, version_flags);
}


static inline void
media_mp4_close(media_mp4_t *m)
{
    size_t  at;

    at = m->open[--m->depth];
    (void) ngx_media_put_be32(m->p + at, m->len - at);
}


/* moov and the boxes of a track up to stbl, which stays open */

static inline void
media_mp4_mvhd(media_mp4_t *m, uint32_t timescale)
{
    media_mp4_full(m, "mvhd", 0);
    media_mp4_u64(m, 0);
    media_mp4_u32(m, timescale);
    media_mp4_u32(m, 0);
    media_mp4_zeros(m, 80);
    media_mp4_close(m);
}


static inline void
media_mp4_tkhd(media_mp4_t *m, uint32_t id)
{
    media_mp4_full(m, "tkhd", 3);
    media_mp4_u64(m, 0);
    media_mp4_u32(m, id);
    media_mp4_zeros(m, 24);
    media_mp4_u32(m, 0x00010000);
    media_mp4_zeros(m, 12);
    media_mp4_u32(m, 0x00010000);
    media_mp4_zeros(m, 12);
    media_mp4_u32(m, 0x40000000);
    media_mp4_u32(m, 640 << 16);
    media_mp4_u32(m, 360 << 16);
    media_mp4_close(m);
}


static inline void
media_mp4_mdhd(media_mp4_t *m, uint32_t timescale, uint32_t language)
{
    media_mp4_full(m, "mdhd", 0);
    media_mp4_u64(m, 0);
    media_mp4_u32(m, timescale);
    media_mp4_u32(m, 0);
    media_mp4_u16(m, language);
    media_mp4_u16(m, 0);
    media_mp4_close(m);
}


static inline void
media_mp4_hdlr(media_mp4_t *m, const char *handler)
{
    media_mp4_full(m, "hdlr", 0);
    media_mp4_u32(m, 0);
    media_mp4_data(m, handler, 4);
    media_mp4_zeros(m, 12);
    media_mp4_data(m, "Handler", 8);
    media_mp4_close(m);
}


static inline void
media_mp4_stbl(media_mp4_t *m, uint32_t id, const char *handler,
    uint32_t timescale)
{
    media_mp4_open(m, "trak");
    media_mp4_tkhd(m, id);
    media_mp4_open(m, "mdia");
    media_mp4_mdhd(m, timescale, 0x55c4);
    media_mp4_hdlr(m, handler);
    media_mp4_open(m, "minf");
    media_mp4_open(m, "stbl");
}


static inline void
media_mp4_stbl_end(media_mp4_t *m)
{
    media_mp4_close(m);
    media_mp4_close(m);
    media_mp4_close(m);
    media_mp4_close(m);
}


/* a full box of n numbers behind their count, in entries of so many */

static inline void
media_mp4_table(media_mp4_t *m, const char *type, uint32_t version,
    const uint32_t *values, unsigned n, unsigned width)
{
    unsigned  i;

    media_mp4_full(m, type, version << 24);
    media_mp4_u32(m, n / width);

    for (i = 0; i < n; i++) {
        media_mp4_u32(m, values[i]);
    }

    media_mp4_close(m);
}


#define media_mp4_list(m, type, version, values, width)                       \
    media_mp4_table(m, type, version, values,                                 \
                    sizeof(values) / sizeof(values[0]), width)


static inline void
media_mp4_stsz(media_mp4_t *m, uint32_t size, const uint32_t *values,
    uint32_t n)
{
    uint32_t  i;

    media_mp4_full(m, "stsz", 0);
    media_mp4_u32(m, size);
    media_mp4_u32(m, n);

    for (i = 0; values && i < n; i++) {
        media_mp4_u32(m, values[i]);
    }

    media_mp4_close(m);
}


/* the reader */

typedef struct {
    ngx_media_mp4_file_t      file;
    ngx_media_mp4_error_t     error;
    ngx_media_mp4_moov_t      moov;
    ngx_media_mp4_track_t     tracks[MEDIA_MP4_TRACKS];
    ngx_media_index_build_t   builds[MEDIA_MP4_TRACKS];
    ngx_media_index_t        *indexes[MEDIA_MP4_TRACKS];
    u_char                   *head;           /* moov */
    u_char                   *buffer;
    uint64_t                  resume;         /* see the file */
    char                      text[512];      /* the error */
} media_mp4_read_t;


static inline ngx_int_t
media_mp4_error(media_mp4_read_t *r, const ngx_media_mp4_error_t *error)
{
    ngx_media_text_t  text;

    media_mp4_check(error->text != NULL);
    media_mp4_check(error->depth <= NGX_MEDIA_MP4_DEPTH);

    ngx_media_text_init(&text, (u_char *) r->text, sizeof(r->text) - 1);
    ngx_media_mp4_error_text(&text, error);
    media_mp4_check(!text.overflow);
    *text.pos = '\0';

    media_mp4_check(error->offset <= r->file.size);

    return NGX_ERROR;
}


static inline void
media_mp4_piece(ngx_media_index_build_t *build)
{
    void  *p;

    p = malloc(NGX_MEDIA_INDEX_PIECE_MIN);
    media_mp4_check(p != NULL);
    ngx_media_index_piece(build, p, NGX_MEDIA_INDEX_PIECE_MIN);
}


static inline void
media_mp4_pieces_free(ngx_media_index_build_t *build)
{
    ngx_media_index_piece_t  *next;

    while (build->first) {
        next = build->first->next;
        free(build->first);
        build->first = next;
    }

    build->last = NULL;
}


static inline ngx_int_t
media_mp4_add(ngx_media_index_build_t *build,
    const ngx_media_index_sample_t *sample)
{
    ngx_int_t  rc;

    while ((rc = ngx_media_index_add(build, sample)) == NGX_AGAIN) {
        media_mp4_piece(build);
    }

    media_mp4_check((rc == NGX_ERROR) == (build->error != NULL));

    return rc;
}


static inline ngx_int_t
media_mp4_add_error(media_mp4_read_t *r, ngx_uint_t n)
{
    snprintf(r->text, sizeof(r->text), "track %u: %s", (unsigned) n + 1,
             r->builds[n].error);

    return NGX_ERROR;
}


static inline ngx_int_t
media_mp4_movie(media_mp4_read_t *r)
{
    ngx_int_t                  rc;
    ngx_uint_t                 n;
    ngx_media_mp4_samples_t    it;
    ngx_media_index_sample_t   sample;

    r->head = r->buffer;
    r->buffer = NULL;

    r->moov.tracks = r->tracks;
    r->moov.max = MEDIA_MP4_TRACKS;
    r->moov.error = &r->error;

    rc = ngx_media_mp4_moov_parse(&r->moov, &r->file.box);

    if (rc != NGX_OK) {
        r->moov.ntracks = 0;
        return media_mp4_error(r, &r->error);
    }

    media_mp4_check(r->moov.ntracks && r->moov.ntracks <= MEDIA_MP4_TRACKS);

    for (n = 0; n < r->moov.ntracks; n++) {
        ngx_media_index_build_init(&r->builds[n], r->tracks[n].timescale,
                                   r->file.size, MEDIA_MP4_SAMPLES);
    }

    for (n = 0; n < r->moov.ntracks; n++) {

        if (ngx_media_mp4_samples_init(&it, &r->moov, &r->tracks[n])
            != NGX_OK)
        {
            return media_mp4_error(r, &r->error);
        }

        while ((rc = ngx_media_mp4_samples_next(&it, &sample)) == NGX_OK) {

            rc = media_mp4_add(&r->builds[n], &sample);

            if (rc == NGX_ERROR) {
                return media_mp4_add_error(r, n);
            }

            if (rc == NGX_DONE) {
                break;
            }
        }

        if (rc == NGX_ERROR) {
            return media_mp4_error(r, &r->error);
        }
    }

    return NGX_OK;
}


static inline ngx_int_t
media_mp4_fragment(media_mp4_read_t *r)
{
    uint64_t                   end;
    ngx_int_t                  rc;
    ngx_media_mp4_moof_t       it;
    ngx_media_mp4_track_t     *track;
    ngx_media_index_sample_t   sample;

    if (ngx_media_mp4_moof_end(&r->moov, &r->file.box, &end) != NGX_OK) {
        return media_mp4_error(r, &r->error);
    }

    if (end > r->file.size) {
        r->resume = r->file.box.offset;
        return NGX_DONE;
    }

    rc = ngx_media_mp4_moof_open(&it, &r->moov, &r->file.box);

    while (rc == NGX_OK) {
        rc = ngx_media_mp4_moof_next(&it, &sample, &track);

        if (rc == NGX_OK) {
            media_mp4_check(track >= r->tracks
                            && track < r->tracks + r->moov.ntracks);
            media_mp4_check(sample.size == 0
                            || sample.offset + sample.size <= end);

            rc = media_mp4_add(&r->builds[track - r->tracks], &sample);

            if (rc == NGX_ERROR) {
                return media_mp4_add_error(r, track - r->tracks);
            }

            rc = NGX_OK;
        }
    }

    return (rc == NGX_DONE) ? NGX_OK : media_mp4_error(r, &r->error);
}


/* the bytes of a file, in exactly as large a buffer as was asked for */

static inline ngx_int_t
media_mp4_parse(media_mp4_read_t *r, const u_char *p, size_t len)
{
    size_t     n;
    ngx_int_t  rc;

    n = 0;

    for ( ;; ) {
        rc = ngx_media_mp4_file_next(&r->file, r->buffer,
                                     n ? r->buffer + n : r->buffer);

        if (rc == NGX_DONE) {
            r->resume = r->file.resume;
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            return media_mp4_error(r, &r->file.error);
        }

        if (rc == NGX_AGAIN) {
            free(r->buffer);

            n = r->file.want;
            media_mp4_check(n != 0 && r->file.offset < len
                            && n <= len - r->file.offset);

            r->buffer = malloc(n);
            media_mp4_check(r->buffer != NULL);
            memcpy(r->buffer, p + r->file.offset, n);
            continue;
        }

        n = 0;

        switch (r->file.box.type) {

        case ngx_media_fourcc('m', 'o', 'o', 'v'):
            rc = media_mp4_movie(r);
            break;

        case ngx_media_fourcc('m', 'o', 'o', 'f'):
            rc = media_mp4_fragment(r);
            break;

        default:
            rc = NGX_OK;
            break;
        }

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_OK : rc;
        }
    }
}


static inline ngx_media_index_t *
media_mp4_pack(ngx_media_index_build_t *build)
{
    void  *p;

    while (ngx_media_index_finish(build) == NGX_AGAIN) {
        media_mp4_piece(build);
    }

    media_mp4_check(build->error == NULL);

    p = malloc(build->size);
    media_mp4_check(p != NULL);

    ngx_media_index_pack(build, p);
    media_mp4_pieces_free(build);

    media_mp4_check(ngx_media_index_check(p, build->size) == NGX_OK);

    return p;
}


/* what must hold of any index, edited or not */

static inline void
media_mp4_index_check(const ngx_media_index_t *index, uint64_t file_size)
{
    int64_t                    dts;
    uint32_t                   i, keys;
    uint64_t                   bytes;
    ngx_media_index_reader_t   reader, other;
    ngx_media_index_sample_t   sample, again;

    ngx_media_index_open(&reader, index);

    /* compared as a whole */

    memset(&sample, 0, sizeof(sample));
    memset(&again, 0, sizeof(again));

    keys = 0;
    bytes = 0;
    dts = 0;

    for (i = 0; i < index->nsamples; i++) {
        media_mp4_check(reader.number == i);
        media_mp4_check(ngx_media_index_next(&reader, &sample) == NGX_OK);
        media_mp4_check(sample.size == 0
                        || sample.offset + sample.size <= file_size);
        media_mp4_check(sample.size <= index->max_size);
        media_mp4_check(i == 0 || sample.dts == dts);

        dts = sample.dts + (int64_t) sample.duration;
        bytes += sample.size;

        if (i % 61 == 0 || i + 1 == index->nsamples) {
            ngx_media_index_open(&other, index);

            media_mp4_check(ngx_media_index_seek(&other, i) == NGX_OK);
            media_mp4_check(ngx_media_index_next(&other, &again) == NGX_OK);
            media_mp4_check(memcmp(&sample, &again, sizeof(sample)) == 0);

            /* the first one that is so late: durations may be zero */

            media_mp4_check(ngx_media_index_seek_time(&other, sample.dts)
                            == NGX_OK);
            media_mp4_check(other.number <= i);
            media_mp4_check(ngx_media_index_next(&other, &again) == NGX_OK);
            media_mp4_check(again.dts == sample.dts);

            if (sample.key) {
                media_mp4_check(ngx_media_index_seek_key_number(&other, keys)
                                == NGX_OK);
                media_mp4_check(other.number == i);
            }
        }

        keys += sample.key;
    }

    media_mp4_check(ngx_media_index_next(&reader, &sample) == NGX_DONE);
    media_mp4_check(keys == index->nkeys);
    media_mp4_check(bytes == index->bytes);
    media_mp4_check(ngx_media_index_seek(&reader, i) == NGX_DONE);
    media_mp4_check(ngx_media_index_seek_key_number(&reader, keys)
                    == NGX_DONE);
}


/* what must hold of any plan */

static inline void
media_mp4_plan_check(const ngx_media_plan_t *plan,
    const ngx_media_index_t *index)
{
    int64_t                    time;
    uint32_t                   n, sample;
    ngx_media_plan_segment_t   segment;

    media_mp4_check(media_plan_is_whole(plan, plan->size));

    /* what begins before 0, or is empty, may come first */

    sample = index->first;
    time = INT64_MIN;

    for (n = 0; n < plan->nsegments; n++) {
        media_mp4_check(ngx_media_plan_segment(plan, n, &segment) == NGX_OK);
        media_mp4_check(segment.sample == sample);

        if (segment.samples) {
            media_mp4_check(segment.time >= time);
            media_mp4_check(n < plan->last);
            media_mp4_check(segment.duration <= plan->longest);
            time = segment.time + (int64_t) segment.duration;
        }

        sample += segment.samples;
    }

    media_mp4_check(sample == index->end);
    media_mp4_check(ngx_media_plan_segment(plan, n, &segment) == NGX_DONE);
}


static inline ngx_media_plan_t *
media_mp4_plan(const ngx_media_index_t *index, uint32_t type,
    ngx_msec_t target, int64_t until, const ngx_media_plan_t *clock)
{
    size_t             size, again;
    ngx_int_t          rc;
    ngx_media_plan_t  *plan;

    size = 0;
    plan = NULL;

    rc = clock ? ngx_media_plan_follow(plan, &size, index, NULL, NULL, type,
                                       clock)
               : ngx_media_plan_make(plan, &size, index, NULL, NULL, type,
                                     target, until);

    if (rc != NGX_OK) {
        media_mp4_check(rc == NGX_DECLINED);
        return NULL;
    }

    plan = malloc(size);
    media_mp4_check(plan != NULL);

    again = size;

    rc = clock ? ngx_media_plan_follow(plan, &again, index, NULL, NULL, type,
                                       clock)
               : ngx_media_plan_make(plan, &again, index, NULL, NULL, type,
                                     target, until);

    media_mp4_check(rc == NGX_OK && again == size);
    media_mp4_plan_check(plan, index);

    return plan;
}


static inline void
media_mp4_plans(media_mp4_read_t *r)
{
    int64_t            end, until;
    ngx_uint_t         n;
    ngx_media_plan_t  *clock, *plan;

    until = 0;

    for (n = 0; n < r->moov.ntracks; n++) {
        if (ngx_media_plan_end(r->indexes[n], NULL, &end) == NGX_OK) {
            end = ngx_media_plan_rescale(end, r->tracks[n].timescale,
                                         r->tracks[0].timescale);

            if (end < (int64_t) 1 << 60 && end > until) {
                until = end;
            }
        }
    }

    clock = media_mp4_plan(r->indexes[0], NGX_MEDIA_VIDEO, 2000, until, NULL);

    for (n = 1; clock && n < r->moov.ntracks; n++) {
        plan = media_mp4_plan(r->indexes[n], n & 1 ? NGX_MEDIA_AUDIO
                                                   : NGX_MEDIA_VIDEO,
                              0, 0, clock);

        media_mp4_check(plan == NULL || plan->nsegments == clock->nsegments);
        free(plan);
    }

    free(clock);
}


/*
 * NGX_OK: r->indexes are there; NGX_ERROR: r->text says why.  To be freed by
 * media_mp4_read_free() in any case.
 */

static inline ngx_int_t
media_mp4_read(media_mp4_read_t *r, const u_char *p, size_t len)
{
    ngx_int_t             rc;
    ngx_uint_t            n;
    ngx_media_mp4_edit_t  edit;

    memset(r, 0, sizeof(media_mp4_read_t));

    ngx_media_mp4_file_init(&r->file, len);
    r->file.max = MEDIA_MP4_BOX;

    rc = media_mp4_parse(r, p, len);

    if (rc != NGX_OK) {
        return rc;
    }

    for (n = 0; n < r->moov.ntracks; n++) {
        r->indexes[n] = media_mp4_pack(&r->builds[n]);

        media_mp4_index_check(r->indexes[n], len);

        if (ngx_media_mp4_edit(&r->moov, &r->tracks[n], &edit) != NGX_OK) {
            return media_mp4_error(r, &r->error);
        }

        media_mp4_check(ngx_media_index_edit(r->indexes[n], edit.empty,
                                             edit.start, edit.duration)
                        == NGX_OK);
        media_mp4_index_check(r->indexes[n], len);
    }

    media_mp4_plans(r);

    return NGX_OK;
}


static inline void
media_mp4_read_free(media_mp4_read_t *r)
{
    ngx_uint_t  n;

    for (n = 0; n < MEDIA_MP4_TRACKS; n++) {
        media_mp4_pieces_free(&r->builds[n]);
        free(r->indexes[n]);
    }

    free(r->head);
    free(r->buffer);
}


#endif /* _MEDIA_MP4_H_INCLUDED_ */
