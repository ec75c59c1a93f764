
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Two passes over the samples, in the order in which they lie in the file:
 * the first counts the entries of all tables, which is all that must be known
 * to place them, the second fills them in side by side.  A run of samples of
 * one track is a chunk.
 *
 * Boxes are written as in ngx_media_mp4_write.c; clauses without a name are
 * those of ISO/IEC 14496-12.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_mp4_movie.h"
#include "formats/ngx_media_mp4_write.h"


/* of the movie: ms, and all usual video */
#define NGX_MEDIA_MP4_MOVIE_TIMESCALE  90000

/* of a chunk, so that readers of one track have something to read */
#define NGX_MEDIA_MP4_MOVIE_SAMPLES    512
#define NGX_MEDIA_MP4_MOVIE_BYTES      (1024 * 1024)


static ngx_inline const ngx_media_params_t *
ngx_media_mp4_params(const ngx_media_mp4_movie_track_t *t,
    uint32_t description)
{
    return ngx_media_params_at(t->params, t->params_size, description - 1);
}


static void ngx_media_mp4_movie_track_reset(ngx_media_mp4_movie_track_t *t);
static ngx_int_t ngx_media_mp4_movie_load(ngx_media_mp4_movie_track_t *t);
static ngx_int_t ngx_media_mp4_movie_pass(ngx_media_mp4_movie_t *movie);
static ngx_int_t ngx_media_mp4_movie_add(ngx_media_mp4_movie_t *movie,
    ngx_uint_t n, const ngx_media_index_sample_t *sample);
static void ngx_media_mp4_movie_chunk(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t, const ngx_media_index_sample_t *sample);
static void ngx_media_mp4_movie_chunk_end(ngx_media_mp4_movie_track_t *t);
static void ngx_media_mp4_movie_run(ngx_media_mp4_movie_table_t *table,
    uint32_t value);
static void ngx_media_mp4_movie_run_end(ngx_media_mp4_movie_table_t *table);
static void ngx_media_mp4_movie_put(ngx_media_mp4_movie_table_t *table,
    uint64_t value, size_t size);
static ngx_int_t ngx_media_mp4_movie_times(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t);
static void ngx_media_mp4_movie_omit(ngx_media_mp4_movie_table_t *table);
static uint32_t ngx_media_mp4_movie_description(
    const ngx_media_mp4_movie_track_t *t, uint32_t description);

static size_t ngx_media_mp4_movie_head(ngx_media_mp4_movie_t *movie,
    u_char *p);
static size_t ngx_media_mp4_movie_ftyp(u_char *p);
static size_t ngx_media_mp4_movie_moov(ngx_media_mp4_movie_t *movie,
    u_char *p);
static size_t ngx_media_mp4_movie_mvhd(ngx_media_mp4_movie_t *movie,
    u_char *p);
static size_t ngx_media_mp4_movie_trak(ngx_media_mp4_movie_t *movie,
    ngx_uint_t n, u_char *p);
static size_t ngx_media_mp4_movie_tkhd(ngx_media_mp4_movie_track_t *t,
    ngx_uint_t n, u_char *p);
static size_t ngx_media_mp4_movie_edts(ngx_media_mp4_movie_track_t *t,
    u_char *p);
static size_t ngx_media_mp4_movie_mdia(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t, u_char *p);
static size_t ngx_media_mp4_movie_mdhd(ngx_media_mp4_movie_track_t *t,
    u_char *p);
static size_t ngx_media_mp4_movie_elng(ngx_media_mp4_movie_track_t *t,
    u_char *p);
static size_t ngx_media_mp4_movie_hdlr(ngx_media_mp4_movie_track_t *t,
    u_char *p);
static size_t ngx_media_mp4_movie_minf(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t, u_char *p);
static size_t ngx_media_mp4_movie_stsd(ngx_media_mp4_movie_track_t *t,
    u_char *p);
static size_t ngx_media_mp4_movie_table(ngx_media_mp4_movie_table_t *table,
    u_char *p, uint32_t type, size_t size);
static size_t ngx_media_mp4_movie_stsz(ngx_media_mp4_movie_track_t *t,
    u_char *p);
static size_t ngx_media_mp4_movie_bytes(u_char *p, const u_char *bytes,
    size_t n);
static u_char *ngx_media_mp4_movie_box(u_char *p, uint64_t n, uint32_t type);
static u_char *ngx_media_mp4_movie_full(u_char *p, size_t n, uint32_t type,
    uint32_t version, uint32_t flags);
static uint64_t ngx_media_mp4_movie_scale(uint64_t value, uint32_t timescale);


/* 12.1.2, 12.2.2 */

static const u_char  ngx_media_mp4_movie_vmhd[] = {
    0, 0, 0, 20, 'v', 'm', 'h', 'd', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0
};

static const u_char  ngx_media_mp4_movie_smhd[] = {
    0, 0, 0, 16, 's', 'm', 'h', 'd', 0, 0, 0, 0, 0, 0, 0, 0
};

/* 8.7.1, 8.7.2: the data is in the same file */

static const u_char  ngx_media_mp4_movie_dinf[] = {
    0, 0, 0, 36, 'd', 'i', 'n', 'f',
    0, 0, 0, 28, 'd', 'r', 'e', 'f', 0, 0, 0, 0, 0, 0, 0, 1,
    0, 0, 0, 12, 'u', 'r', 'l', ' ', 0, 0, 0, 1
};


/* the passes */

ngx_int_t
ngx_media_mp4_movie_scan(ngx_media_mp4_movie_t *movie)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    movie->bytes = 0;
    movie->duration = 0;
    movie->wide = 0;
    movie->writing = 0;

    for (i = 0; i < movie->ntracks; i++) {
        movie->tracks[i].used = 0;
        movie->tracks[i].sizes = 0;
    }

    rc = ngx_media_mp4_movie_pass(movie);

    if (rc != NGX_OK) {
        return rc;
    }

    movie->bytes = movie->offset;

    for (i = 0; i < movie->ntracks; i++) {
        rc = ngx_media_mp4_movie_times(movie, &movie->tracks[i]);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    movie->head = ngx_media_mp4_movie_head(movie, NULL);

    if (movie->head + movie->bytes > UINT32_MAX) {
        movie->wide = 1;
        movie->head = ngx_media_mp4_movie_head(movie, NULL);
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_mp4_movie_write(ngx_media_mp4_movie_t *movie, u_char *p)
{
    uint32_t                      n[6];
    ngx_uint_t                    i;
    ngx_media_mp4_movie_track_t  *t;

    if (ngx_media_mp4_movie_head(movie, p) != movie->head) {
        return NGX_ERROR;
    }

    movie->writing = 1;

    if (ngx_media_mp4_movie_pass(movie) != NGX_OK) {
        return NGX_ERROR;
    }

    /* what was counted was written, not less and not more */

    for (i = 0; i < movie->ntracks; i++) {
        t = &movie->tracks[i];

        n[0] = (t->stts.p != t->stts.last);
        n[1] = (t->ctts.p != t->ctts.last);
        n[2] = (t->stsz.p != t->stsz.last);
        n[3] = (t->stss.p != t->stss.last);
        n[4] = (t->stsc.p != t->stsc.last);
        n[5] = (t->stco.p != t->stco.last);

        if (n[0] || n[1] || n[2] || n[3] || n[4] || n[5]) {
            return NGX_ERROR;
        }
    }

    return (movie->offset == movie->bytes) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_media_mp4_movie_rewind(ngx_media_mp4_movie_t *movie)
{
    ngx_uint_t                    i;
    ngx_media_mp4_movie_track_t  *t;

    movie->offset = 0;
    movie->last = movie->ntracks;

    for (i = 0; i < movie->ntracks; i++) {
        t = &movie->tracks[i];

        ngx_media_mp4_movie_track_reset(t);
        ngx_media_index_open(&t->reader, t->index);

        t->more = 0;

        if (t->first >= t->end) {
            continue;
        }

        if (ngx_media_index_seek(&t->reader, t->first) != NGX_OK
            || ngx_media_mp4_movie_load(t) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the places of the tables stay: they are what is written to */

static void
ngx_media_mp4_movie_track_reset(ngx_media_mp4_movie_track_t *t)
{
    t->number = 0;
    t->chunks = 0;
    t->chunk_samples = 0;
    t->chunk_bytes = 0;
    t->packed = 0;

    t->stts.count = 0;
    t->ctts.count = 0;
}


static ngx_int_t
ngx_media_mp4_movie_load(ngx_media_mp4_movie_track_t *t)
{
    t->more = 0;

    if (t->reader.number >= t->end) {
        return NGX_OK;
    }

    if (ngx_media_index_next(&t->reader, &t->sample) != NGX_OK) {
        return NGX_ERROR;
    }

    t->more = 1;

    return NGX_OK;
}


ngx_int_t
ngx_media_mp4_movie_next(ngx_media_mp4_movie_t *movie, ngx_uint_t *track,
    ngx_media_index_sample_t *sample)
{
    ngx_uint_t                    i, best;
    ngx_media_mp4_movie_track_t  *t;

    best = movie->ntracks;

    for (i = 0; i < movie->ntracks; i++) {
        t = &movie->tracks[i];

        if (t->more
            && (best == movie->ntracks
                || t->sample.offset < movie->tracks[best].sample.offset))
        {
            best = i;
        }
    }

    if (best == movie->ntracks) {
        return NGX_DONE;
    }

    t = &movie->tracks[best];

    *track = best;
    *sample = t->sample;

    return ngx_media_mp4_movie_load(t);
}


static ngx_int_t
ngx_media_mp4_movie_pass(ngx_media_mp4_movie_t *movie)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, n;
    ngx_media_index_sample_t      sample;
    ngx_media_mp4_movie_track_t  *t;

    if (ngx_media_mp4_movie_rewind(movie) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < movie->ntracks && !movie->writing; i++) {
        t = &movie->tracks[i];

        t->nsamples = 0;
        ngx_memzero(&t->stts, sizeof(ngx_media_mp4_movie_table_t));
        t->ctts = t->stts;
        t->stsz = t->stts;
        t->stss = t->stts;
        t->stsc = t->stts;
        t->stco = t->stts;
    }

    for ( ;; ) {
        rc = ngx_media_mp4_movie_next(movie, &n, &sample);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_OK) {
            rc = ngx_media_mp4_movie_add(movie, n, &sample);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (i = 0; i < movie->ntracks; i++) {
        t = &movie->tracks[i];

        ngx_media_mp4_movie_run_end(&t->stts);
        ngx_media_mp4_movie_run_end(&t->ctts);
        ngx_media_mp4_movie_chunk_end(t);

        if (!movie->writing) {
            t->nsamples = t->number;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_movie_add(ngx_media_mp4_movie_t *movie, ngx_uint_t n,
    const ngx_media_index_sample_t *sample)
{
    int64_t                       cto, delay, end;
    uint32_t                      d;
    ngx_media_mp4_movie_track_t  *t;

    t = &movie->tracks[n];
    d = sample->description;

    if (t->number == 0 && !movie->writing) {
        delay = t->index->delay - t->index->min_cto;
        delay = ngx_max(delay, 0);

        t->delay = (uint32_t) ngx_min(delay, INT32_MAX);
        t->dts = sample->dts;
        t->size = sample->size;
        t->description = d;
        t->begin = ngx_max(t->start, sample->dts + sample->cto);
        t->over = INT64_MIN;
        t->duration = 0;
    }

    cto = sample->cto + t->delay;

    if (cto < 0 || cto > INT32_MAX || sample->duration > UINT32_MAX) {
        return NGX_ERROR;
    }

    if (d == 0 || d > t->nparams || d > NGX_MEDIA_MP4_MOVIE_PARAMS
        || ngx_media_codec_find(ngx_media_mp4_params(t, d)->codec) == NULL)
    {
        return NGX_DECLINED;
    }

    if (!movie->writing) {
        t->used |= (uint64_t) 1 << (d - 1);
        t->sizes |= (sample->size != t->size);
        t->duration += sample->duration;

        /* what has no duration, the last one, is shown all the same */

        end = sample->dts + sample->cto
              + (int64_t) ngx_max(sample->duration, 1);
        t->over = ngx_max(t->over, end);
    }

    if (movie->last != n) {

        if (movie->last != movie->ntracks) {
            ngx_media_mp4_movie_chunk_end(&movie->tracks[movie->last]);
        }

        movie->last = n;
    }

    ngx_media_mp4_movie_chunk(movie, t, sample);

    ngx_media_mp4_movie_run(&t->stts, (uint32_t) sample->duration);
    ngx_media_mp4_movie_run(&t->ctts, (uint32_t) cto);

    ngx_media_mp4_movie_put(&t->stsz, sample->size, 4);

    t->number++;

    if (sample->key) {
        ngx_media_mp4_movie_put(&t->stss, t->number, 4);
    }

    movie->offset += sample->size;

    return NGX_OK;
}


static void
ngx_media_mp4_movie_chunk(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t, const ngx_media_index_sample_t *sample)
{
    if (t->chunk_samples
        && (t->chunk_samples == NGX_MEDIA_MP4_MOVIE_SAMPLES
            || t->chunk_bytes > NGX_MEDIA_MP4_MOVIE_BYTES
            || t->chunk_description != sample->description))
    {
        ngx_media_mp4_movie_chunk_end(t);
    }

    if (t->chunk_samples == 0) {
        ngx_media_mp4_movie_put(&t->stco, movie->head + movie->offset,
                                movie->wide ? 8 : 4);
        t->chunks++;
        t->chunk_description = sample->description;
        t->chunk_bytes = 0;
    }

    t->chunk_samples++;
    t->chunk_bytes += sample->size;
}


/* 8.7.4: chunks that are like the one before have no entry */

static void
ngx_media_mp4_movie_chunk_end(ngx_media_mp4_movie_track_t *t)
{
    uint32_t  description;
    uint64_t  packed;

    if (t->chunk_samples == 0) {
        return;
    }

    packed = (uint64_t) t->chunk_samples << 32 | t->chunk_description;

    if (packed != t->packed) {
        description = ngx_media_mp4_movie_description(t,
                                                      t->chunk_description);

        ngx_media_mp4_movie_put(&t->stsc, (uint64_t) t->chunks << 32
                                          | t->chunk_samples, 8);

        if (t->stsc.p != NULL && t->stsc.p < t->stsc.last) {
            t->stsc.p = ngx_media_put_be32(t->stsc.p, description);
        }

        t->packed = packed;
    }

    t->chunk_samples = 0;
}


static void
ngx_media_mp4_movie_run(ngx_media_mp4_movie_table_t *table, uint32_t value)
{
    if (table->count && table->value != value) {
        ngx_media_mp4_movie_run_end(table);
    }

    table->value = value;
    table->count++;
}


static void
ngx_media_mp4_movie_run_end(ngx_media_mp4_movie_table_t *table)
{
    if (table->count == 0) {
        return;
    }

    ngx_media_mp4_movie_put(table, (uint64_t) table->count << 32
                                   | table->value, 8);
    table->count = 0;
}


/* an entry is counted, or written */

static void
ngx_media_mp4_movie_put(ngx_media_mp4_movie_table_t *table, uint64_t value,
    size_t size)
{
    if (table->last == NULL) {
        table->entries++;
        return;
    }

    if ((size_t) (table->last - table->p) < size) {
        return;
    }

    table->p = (size == 8) ? ngx_media_put_be64(table->p, value)
                           : ngx_media_put_be32(table->p, (uint32_t) value);
}


/* after the first pass: what is shown, and what of the tables is needed */

static ngx_int_t
ngx_media_mp4_movie_times(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t)
{
    uint64_t  end;

    if (t->nsamples == 0) {
        return NGX_DECLINED;
    }

    t->over = ngx_min(t->over, t->finish);
    t->over = ngx_max(t->over, t->begin + 1);

    end = ngx_media_mp4_movie_scale((uint64_t) (t->over - t->start),
                                    t->index->timescale);

    movie->duration = ngx_max(movie->duration, end);

    /* all values are the same: 8.6.1.3, 8.6.2 */

    if (t->ctts.entries == 1 && t->ctts.value == 0) {
        ngx_media_mp4_movie_omit(&t->ctts);
    }

    t->all_keys = (t->stss.entries == t->nsamples);

    if (t->all_keys) {
        ngx_media_mp4_movie_omit(&t->stss);
    }

    if (!t->sizes && t->size) {
        t->stsz.entries = 0;
    }

    return NGX_OK;
}


/* there is no room for entries */

static void
ngx_media_mp4_movie_omit(ngx_media_mp4_movie_table_t *table)
{
    table->entries = 0;
    table->p = (u_char *) table;
    table->last = table->p;
}


/* those that are not used are left out */

static uint32_t
ngx_media_mp4_movie_description(const ngx_media_mp4_movie_track_t *t,
    uint32_t description)
{
    uint32_t  i, n;

    n = 1;

    for (i = 0; i + 1 < description; i++) {
        n += (uint32_t) (t->used >> i & 1);
    }

    return n;
}


/* the boxes; 4.3, 8.1.1 */

static size_t
ngx_media_mp4_movie_head(ngx_media_mp4_movie_t *movie, u_char *p)
{
    size_t  n, size;

    n = ngx_media_mp4_movie_ftyp(p);
    n += ngx_media_mp4_movie_moov(movie, ngx_media_mp4_at(p, n));

    size = (movie->bytes + 8 > UINT32_MAX) ? 16 : 8;

    if (p != NULL) {
        p = ngx_media_mp4_movie_box(p + n, movie->bytes + size,
                                    ngx_media_fourcc('m', 'd', 'a', 't'));

        if (size == 16) {
            (void) ngx_media_mp4_movie_box(p - 8, 1,
                                           ngx_media_fourcc('m', 'd', 'a',
                                                            't'));
            (void) ngx_media_put_be64(p, movie->bytes + size);
        }
    }

    return n + size;
}


static size_t
ngx_media_mp4_movie_ftyp(u_char *p)
{
    static const u_char  ftyp[] = {
        0, 0, 0, 28, 'f', 't', 'y', 'p', 'i', 's', 'o', 'm', 0, 0, 2, 0,
        'i', 's', 'o', 'm', 'i', 's', 'o', '2', 'm', 'p', '4', '1'
    };

    return ngx_media_mp4_movie_bytes(p, ftyp, sizeof(ftyp));
}


/* 8.2.1 */

static size_t
ngx_media_mp4_movie_moov(ngx_media_mp4_movie_t *movie, u_char *p)
{
    size_t      n;
    ngx_uint_t  i;

    n = 8;
    n += ngx_media_mp4_movie_mvhd(movie, ngx_media_mp4_at(p, n));

    for (i = 0; i < movie->ntracks; i++) {
        n += ngx_media_mp4_movie_trak(movie, i, ngx_media_mp4_at(p, n));
    }

    if (p != NULL) {
        (void) ngx_media_mp4_movie_box(p, n,
                                       ngx_media_fourcc('m', 'o', 'o', 'v'));
    }

    return n;
}


/* 8.2.2; no times: equal clips are equal bytes */

static size_t
ngx_media_mp4_movie_mvhd(ngx_media_mp4_movie_t *movie, u_char *p)
{
    size_t  n;

    static const u_char  matrix[36] = {
        0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00
    };

    n = 12 + 108;

    if (p != NULL) {
        ngx_memzero(p, n);

        p = ngx_media_mp4_movie_full(p, n,
                                   ngx_media_fourcc('m', 'v', 'h', 'd'), 1, 0);
        p = ngx_media_put_be32(p + 16, NGX_MEDIA_MP4_MOVIE_TIMESCALE);
        p = ngx_media_put_be64(p, movie->duration);
        p = ngx_media_put_be32(p, 0x00010000);          /* rate */
        p = ngx_media_put_be16(p, 0x0100);              /* volume */
        p = ngx_cpymem(p + 10, matrix, 36);
        (void) ngx_media_put_be32(p + 24, (uint32_t) movie->ntracks + 1);
    }

    return n;
}


/* 8.3.1 */

static size_t
ngx_media_mp4_movie_trak(ngx_media_mp4_movie_t *movie, ngx_uint_t i,
    u_char *p)
{
    size_t                        n;
    ngx_media_mp4_movie_track_t  *t;

    t = &movie->tracks[i];

    n = 8;
    n += ngx_media_mp4_movie_tkhd(t, i, ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_movie_edts(t, ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_movie_mdia(movie, t, ngx_media_mp4_at(p, n));

    if (p != NULL) {
        (void) ngx_media_mp4_movie_box(p, n,
                                       ngx_media_fourcc('t', 'r', 'a', 'k'));
    }

    return n;
}


/* 8.3.2: enabled, in movie, in preview */

static size_t
ngx_media_mp4_movie_tkhd(ngx_media_mp4_movie_track_t *t, ngx_uint_t i,
    u_char *p)
{
    size_t                     n;
    uint64_t                   width;
    const ngx_media_params_t  *params;

    n = 12 + 92;

    if (p == NULL) {
        return n;
    }

    params = ngx_media_mp4_params(t, t->description);

    ngx_memzero(p, n);

    p = ngx_media_mp4_movie_full(p, n, ngx_media_fourcc('t', 'k', 'h', 'd'),
                                 1, t->disabled ? 2 : 3);
    p = ngx_media_put_be32(p + 16, (uint32_t) i + 1);
    p = ngx_media_put_be64(p + 4, ngx_media_mp4_movie_scale(
                                      (uint64_t) (t->over - t->start),
                                      t->index->timescale));

    /* alternate_group, volume */

    p = ngx_media_put_be16(p + 10, params->type + 1);
    p = ngx_media_put_be16(p, params->type == NGX_MEDIA_AUDIO ? 0x0100 : 0);
    p = ngx_media_mp4_write_matrix(p + 2, params);

    width = (uint64_t) params->width << 16;

    if (params->sar_num && params->sar_den) {
        width = width * params->sar_num / params->sar_den;
    }

    p = ngx_media_put_be32(p, (uint32_t) ngx_min(width, 0xffff0000));
    (void) ngx_media_put_be32(p, params->height << 16);

    return n;
}


/* 8.6.5, 8.6.6: nothing for a while, then what is shown */

static size_t
ngx_media_mp4_movie_edts(ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t    n;
    uint64_t  empty, end;

    empty = ngx_media_mp4_movie_scale((uint64_t) (t->begin - t->start),
                                      t->index->timescale);
    end = ngx_media_mp4_movie_scale((uint64_t) (t->over - t->start),
                                    t->index->timescale);

    n = 8 + 16 + (empty ? 40 : 20);

    if (p == NULL) {
        return n;
    }

    p = ngx_media_mp4_movie_box(p, n, ngx_media_fourcc('e', 'd', 't', 's'));
    p = ngx_media_mp4_movie_full(p, n - 8,
                                 ngx_media_fourcc('e', 'l', 's', 't'), 1, 0);
    p = ngx_media_put_be32(p, empty ? 2 : 1);

    if (empty) {
        p = ngx_media_put_be64(p, empty);
        p = ngx_media_put_be64(p, (uint64_t) -1);
        p = ngx_media_put_be32(p, 0x00010000);
    }

    p = ngx_media_put_be64(p, end - empty);
    p = ngx_media_put_be64(p, (uint64_t) (t->begin - t->dts) + t->delay);
    (void) ngx_media_put_be32(p, 0x00010000);

    return n;
}


/* 8.4.1 */

static size_t
ngx_media_mp4_movie_mdia(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t  n;

    n = 8;
    n += ngx_media_mp4_movie_mdhd(t, ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_movie_elng(t, ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_movie_hdlr(t, ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_movie_minf(movie, t, ngx_media_mp4_at(p, n));

    if (p != NULL) {
        (void) ngx_media_mp4_movie_box(p, n,
                                       ngx_media_fourcc('m', 'd', 'i', 'a'));
    }

    return n;
}


/* 8.4.2 */

static size_t
ngx_media_mp4_movie_mdhd(ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t    n;
    uint32_t  code;

    n = 12 + 32;

    if (p != NULL) {
        ngx_memzero(p, n);

        code = (uint32_t) (t->code[0] & 0x1f) << 10
               | (uint32_t) (t->code[1] & 0x1f) << 5
               | (uint32_t) (t->code[2] & 0x1f);

        p = ngx_media_mp4_movie_full(p, n,
                                   ngx_media_fourcc('m', 'd', 'h', 'd'), 1, 0);
        p = ngx_media_put_be32(p + 16, t->index->timescale);
        p = ngx_media_put_be64(p, t->duration);
        (void) ngx_media_put_be16(p, code);
    }

    return n;
}


/* 8.4.6 */

static size_t
ngx_media_mp4_movie_elng(ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t  n;

    if (t->lang.len == 0) {
        return 0;
    }

    n = 12 + t->lang.len + 1;

    if (p != NULL) {
        p = ngx_media_mp4_movie_full(p, n,
                                   ngx_media_fourcc('e', 'l', 'n', 'g'), 0, 0);
        p = ngx_cpymem(p, t->lang.data, t->lang.len);
        *p = '\0';
    }

    return n;
}


/* 8.4.3; its name is what readers show */

static size_t
ngx_media_mp4_movie_hdlr(ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t                     n;
    const ngx_media_params_t  *params;

    n = 12 + 20 + t->label.len + 1;

    if (p != NULL) {
        params = ngx_media_mp4_params(t, t->description);

        ngx_memzero(p, n);

        p = ngx_media_mp4_movie_full(p, n,
                                   ngx_media_fourcc('h', 'd', 'l', 'r'), 0, 0);
        p = ngx_media_put_be32(p + 4, params->type == NGX_MEDIA_AUDIO
                                      ? ngx_media_fourcc('s', 'o', 'u', 'n')
                                      : ngx_media_fourcc('v', 'i', 'd', 'e'));
        ngx_memcpy(p + 12, t->label.data, t->label.len);
    }

    return n;
}


/* 8.4.4, 8.5.1 */

static size_t
ngx_media_mp4_movie_minf(ngx_media_mp4_movie_t *movie,
    ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t  n, stbl;

    n = 8;

    if (ngx_media_mp4_params(t, t->description)->type == NGX_MEDIA_AUDIO) {
        n += ngx_media_mp4_movie_bytes(ngx_media_mp4_at(p, n),
                                       ngx_media_mp4_movie_smhd,
                                       sizeof(ngx_media_mp4_movie_smhd));
    } else {
        n += ngx_media_mp4_movie_bytes(ngx_media_mp4_at(p, n),
                                       ngx_media_mp4_movie_vmhd,
                                       sizeof(ngx_media_mp4_movie_vmhd));
    }

    n += ngx_media_mp4_movie_bytes(ngx_media_mp4_at(p, n),
                                   ngx_media_mp4_movie_dinf,
                                   sizeof(ngx_media_mp4_movie_dinf));

    stbl = n;

    n += 8;
    n += ngx_media_mp4_movie_stsd(t, ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_movie_table(&t->stts, ngx_media_mp4_at(p, n),
                                   ngx_media_fourcc('s', 't', 't', 's'), 8);

    if (t->ctts.entries) {
        n += ngx_media_mp4_movie_table(&t->ctts, ngx_media_mp4_at(p, n),
                                       ngx_media_fourcc('c', 't', 't', 's'),
                                       8);
    }

    if (!t->all_keys) {
        n += ngx_media_mp4_movie_table(&t->stss, ngx_media_mp4_at(p, n),
                                       ngx_media_fourcc('s', 't', 's', 's'),
                                       4);
    }

    n += ngx_media_mp4_movie_table(&t->stsc, ngx_media_mp4_at(p, n),
                                   ngx_media_fourcc('s', 't', 's', 'c'), 12);
    n += ngx_media_mp4_movie_stsz(t, ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_movie_table(&t->stco, ngx_media_mp4_at(p, n),
                                   movie->wide
                                   ? ngx_media_fourcc('c', 'o', '6', '4')
                                   : ngx_media_fourcc('s', 't', 'c', 'o'),
                                   movie->wide ? 8 : 4);

    if (p != NULL) {
        (void) ngx_media_mp4_movie_box(p, n,
                                       ngx_media_fourcc('m', 'i', 'n', 'f'));
        (void) ngx_media_mp4_movie_box(p + stbl, n - stbl,
                                       ngx_media_fourcc('s', 't', 'b', 'l'));
    }

    return n;
}


/* 8.5.2 */

static size_t
ngx_media_mp4_movie_stsd(ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t                     n;
    uint32_t                   count, i;
    const ngx_media_codec_t   *codec;
    const ngx_media_params_t  *params;

    n = 16;
    count = 0;

    for (i = 0; i < t->nparams && i < NGX_MEDIA_MP4_MOVIE_PARAMS; i++) {

        if (t->used >> i & 1) {
            params = ngx_media_mp4_params(t, i + 1);
            codec = ngx_media_codec_find(params->codec);

            n += codec->entry(ngx_media_mp4_at(p, n), params);
            count++;
        }
    }

    if (p != NULL) {
        p = ngx_media_mp4_movie_full(p, n,
                                   ngx_media_fourcc('s', 't', 's', 'd'), 0, 0);
        (void) ngx_media_put_be32(p, count);
    }

    return n;
}


/* 8.6.1.2, 8.6.1.3, 8.6.2, 8.7.4, 8.7.5: its entries come later */

static size_t
ngx_media_mp4_movie_table(ngx_media_mp4_movie_table_t *table, u_char *p,
    uint32_t type, size_t size)
{
    size_t  n;

    n = 16 + table->entries * size;

    if (p != NULL) {
        table->last = p + n;

        p = ngx_media_mp4_movie_full(p, n, type, 0, 0);
        table->p = ngx_media_put_be32(p, table->entries);
    }

    return n;
}


/* 8.7.3.2 */

static size_t
ngx_media_mp4_movie_stsz(ngx_media_mp4_movie_track_t *t, u_char *p)
{
    size_t  n;

    n = 20 + (size_t) t->stsz.entries * 4;

    if (p != NULL) {
        t->stsz.last = p + n;

        p = ngx_media_mp4_movie_full(p, n,
                                   ngx_media_fourcc('s', 't', 's', 'z'), 0, 0);
        p = ngx_media_put_be32(p, t->stsz.entries ? 0 : t->size);
        t->stsz.p = ngx_media_put_be32(p, t->nsamples);
    }

    return n;
}


static size_t
ngx_media_mp4_movie_bytes(u_char *p, const u_char *bytes, size_t n)
{
    if (p != NULL) {
        ngx_memcpy(p, bytes, n);
    }

    return n;
}


static u_char *
ngx_media_mp4_movie_box(u_char *p, uint64_t n, uint32_t type)
{
    p = ngx_media_put_be32(p, (uint32_t) n);

    return ngx_media_put_be32(p, type);
}


static u_char *
ngx_media_mp4_movie_full(u_char *p, size_t n, uint32_t type,
    uint32_t version, uint32_t flags)
{
    p = ngx_media_mp4_movie_box(p, n, type);

    return ngx_media_put_be32(p, version << 24 | flags);
}


/* to the movie's timescale, rounded up */

static uint64_t
ngx_media_mp4_movie_scale(uint64_t value, uint32_t timescale)
{
    return value / timescale * NGX_MEDIA_MP4_MOVIE_TIMESCALE
           + (value % timescale * NGX_MEDIA_MP4_MOVIE_TIMESCALE
              + timescale - 1) / timescale;
}
