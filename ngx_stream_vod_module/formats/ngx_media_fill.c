
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fill.h"


static void ngx_media_fill_frame(const ngx_media_fill_run_t *run, uint32_t n,
    uint32_t timescale, ngx_media_index_sample_t *sample);


uint32_t
ngx_media_fill_count(const ngx_media_fill_run_t *run, int64_t time,
    uint32_t timescale)
{
    uint64_t  n;

    /* 2^24 s of 2^32 samples have 56 bits */

    if (time <= 0 || (uint64_t) time / timescale >> 24
        || run->samples == 0 || run->rate == 0
        || ngx_media_fill_length(run, 1, timescale) == 0
        || time <= ngx_media_fill_length(run, 1, timescale))
    {
        return 0;
    }

    n = (uint64_t) time / timescale * run->rate
        + (uint64_t) time % timescale * run->rate / timescale;
    n /= run->samples;

    return (n <= NGX_MEDIA_FILL_MAX) ? (uint32_t) n : 0;
}


int64_t
ngx_media_fill_length(const ngx_media_fill_run_t *run, uint32_t n,
    uint32_t timescale)
{
    uint64_t  samples;

    samples = (uint64_t) n * run->samples;

    return (int64_t) (samples / run->rate * timescale
                      + samples % run->rate * timescale / run->rate);
}


void
ngx_media_fill_open(ngx_media_fill_reader_t *reader,
    const ngx_media_index_t *index, const ngx_media_fill_t *fill)
{
    ngx_media_index_open(&reader->index, index);

    reader->fill = ngx_media_fill_silent(fill) ? fill : NULL;
    reader->number = reader->fill ? fill->first : 0;
}


ngx_int_t
ngx_media_fill_seek(ngx_media_fill_reader_t *reader, uint32_t n)
{
    ngx_int_t  rc;

    if (reader->fill == NULL) {
        rc = ngx_media_index_seek(&reader->index, n);
        reader->number = reader->index.number;

        return rc;
    }

    /* samples are sought when they are read */

    reader->number = n;

    return NGX_OK;
}


ngx_int_t
ngx_media_fill_next(ngx_media_fill_reader_t *reader,
    ngx_media_index_sample_t *sample)
{
    uint32_t                 n;
    ngx_int_t                rc;
    const ngx_media_fill_t  *fill;

    fill = reader->fill;

    if (fill == NULL) {
        rc = ngx_media_index_next(&reader->index, sample);
        reader->number = reader->index.number;

        return rc;
    }

    if (reader->number < fill->first) {
        return NGX_ERROR;
    }

    n = reader->number - fill->first;

    if (n < fill->head.count) {
        ngx_media_fill_frame(&fill->head, n, reader->index.index->timescale,
                             sample);
        reader->number++;

        return NGX_OK;
    }

    n -= fill->head.count;

    if (n >= fill->nsamples) {
        n -= fill->nsamples;

        if (n >= fill->tail.count) {
            return NGX_DONE;
        }

        ngx_media_fill_frame(&fill->tail, n, reader->index.index->timescale,
                             sample);
        reader->number++;

        return NGX_OK;
    }

    if (reader->index.number != fill->first + n) {
        rc = ngx_media_index_seek(&reader->index, fill->first + n);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_media_index_next(&reader->index, sample);

    if (rc != NGX_OK) {
        return rc;
    }

    reader->number++;

    /* the last one may be cut short, its frame is not */

    if (n == fill->nsamples - 1 && fill->tail.count) {
        sample->duration = (uint64_t) fill->tail.time
                           - (uint64_t) sample->dts;
    }

    return NGX_OK;
}


static void
ngx_media_fill_frame(const ngx_media_fill_run_t *run, uint32_t n,
    uint32_t timescale, ngx_media_index_sample_t *sample)
{
    int64_t  begin;

    begin = ngx_media_fill_length(run, n, timescale);

    sample->offset = NGX_MEDIA_FILL_SILENT;
    sample->dts = (int64_t) ((uint64_t) run->time + (uint64_t) begin);
    sample->cto = 0;
    sample->duration = (uint64_t) (ngx_media_fill_length(run, n + 1, timescale)
                                   - begin);
    sample->size = run->size;
    sample->description = run->description;
    sample->key = 1;
}
