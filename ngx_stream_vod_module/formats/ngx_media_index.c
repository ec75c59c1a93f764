
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Reading an index.  The bits of a block, first the least significant of the
 * first byte:
 *
 *     key frames        2 bits mode, then a mask or a list
 *     5 columns         3 bits mode, base or dictionary, width
 *     samples           of each the columns that are not constant
 *
 * A number of the head is 7 bits of width and the zigzag code so wide.  A
 * gap is what lies between the end of a sample and the next one; the first
 * sample of a block has none, its offset is in the directory.
 *
 * An index is memory of our own; it is read as carefully as a file, since
 * this costs nothing.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_index.h"


/* of a Golomb code: no value has more than 32 bits */
#define NGX_MEDIA_INDEX_ZEROS_MAX  33


static ngx_int_t ngx_media_index_open_block(ngx_media_index_reader_t *reader,
    uint32_t n);
static void ngx_media_index_read_keys(ngx_media_index_reader_t *reader);
static void ngx_media_index_read_column(ngx_media_index_reader_t *reader,
    ngx_media_index_column_t *column);
static int64_t ngx_media_index_value(ngx_media_index_reader_t *reader,
    ngx_media_index_column_t *column);
static uint64_t ngx_media_index_golomb(ngx_media_index_reader_t *reader,
    uint32_t order);
static int64_t ngx_media_index_number(ngx_media_index_reader_t *reader);
static uint64_t ngx_media_index_bits(ngx_media_index_reader_t *reader,
    uint32_t width);
static uint64_t ngx_media_index_peek(ngx_media_index_reader_t *reader);
static ngx_int_t ngx_media_index_edit_first(ngx_media_index_t *index,
    ngx_media_index_reader_t *reader, int64_t start, int64_t *pts);
static ngx_int_t ngx_media_index_edit_plain(ngx_media_index_t *index,
    ngx_media_index_reader_t *reader, int64_t start,
    ngx_media_index_sample_t *sample);
static ngx_int_t ngx_media_index_edit_end(ngx_media_index_t *index,
    ngx_media_index_reader_t *reader, int64_t limit);


/* sums of hostile numbers wrap, as unsigned ones do */

static ngx_inline int64_t
ngx_media_index_sum(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a + (uint64_t) b);
}


static ngx_inline int64_t
ngx_media_index_difference(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a - (uint64_t) b);
}


ngx_int_t
ngx_media_index_check(const void *p, size_t size)
{
    const ngx_media_index_t *index = p;

    uint64_t  n;

    if (size < sizeof(ngx_media_index_t)
        || index->version != NGX_MEDIA_INDEX_VERSION
        || index->size != size
        || index->timescale == 0)
    {
        return NGX_ERROR;
    }

    n = ((uint64_t) index->nsamples + NGX_MEDIA_INDEX_BLOCK - 1)
        / NGX_MEDIA_INDEX_BLOCK;

    if (index->nblocks != n
        || (size - sizeof(ngx_media_index_t))
           / sizeof(ngx_media_index_block_t) < n)
    {
        return NGX_ERROR;
    }

    if (size - sizeof(ngx_media_index_t) - n * sizeof(ngx_media_index_block_t)
        < NGX_MEDIA_INDEX_PADDING)
    {
        return NGX_ERROR;
    }

    if (index->first > index->end || index->end > index->nsamples
        || index->nkeys > index->nsamples)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_media_index_open(ngx_media_index_reader_t *reader,
    const ngx_media_index_t *index)
{
    size_t  directory;

    directory = index->nblocks * sizeof(ngx_media_index_block_t);

    reader->index = index;
    reader->blocks = (const ngx_media_index_block_t *) (index + 1);
    reader->bits = (const u_char *) reader->blocks + directory;
    reader->nbits = (uint64_t) 8 * (index->size - sizeof(ngx_media_index_t)
                                    - directory - NGX_MEDIA_INDEX_PADDING);
    reader->bit = 0;
    reader->number = 0;
    reader->left = 0;
    reader->dts = 0;
    reader->err = 0;
}


ngx_int_t
ngx_media_index_next(ngx_media_index_reader_t *reader,
    ngx_media_index_sample_t *sample)
{
    int64_t                    gap;
    uint32_t                   n;
    const ngx_media_index_t   *index;
    ngx_media_index_column_t  *columns;

    index = reader->index;

    if (reader->left == 0) {

        if (reader->number >= index->nsamples) {
            return NGX_DONE;
        }

        if (ngx_media_index_open_block(reader, reader->number
                                               / NGX_MEDIA_INDEX_BLOCK)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    columns = reader->columns;
    n = reader->number % NGX_MEDIA_INDEX_BLOCK;

    sample->size = (uint32_t)
                   ngx_media_index_value(reader,
                                         &columns[NGX_MEDIA_INDEX_SIZE]);
    gap = ngx_media_index_value(reader, &columns[NGX_MEDIA_INDEX_GAP]);

    sample->offset = reader->offset + (n ? (uint64_t) gap : 0);
    sample->duration = (uint64_t)
                       ngx_media_index_value(reader,
                                          &columns[NGX_MEDIA_INDEX_DURATION]);
    sample->dts = ngx_media_index_sum(reader->dts,
                                      ngx_media_index_sum(index->delay,
                                                          index->shift));
    sample->cto = ngx_media_index_difference(
                      ngx_media_index_value(reader,
                                            &columns[NGX_MEDIA_INDEX_CTO]),
                      index->delay);
    sample->description = (uint32_t)
                          ngx_media_index_value(reader,
                                       &columns[NGX_MEDIA_INDEX_DESCRIPTION]);
    sample->key = reader->keys[n / 64] >> n % 64 & 1;

    if (reader->err) {
        return NGX_ERROR;
    }

    reader->offset = sample->offset + sample->size;
    reader->dts = ngx_media_index_sum(reader->dts,
                                      (int64_t) sample->duration);
    reader->number++;
    reader->left--;

    return NGX_OK;
}


ngx_int_t
ngx_media_index_sample(const ngx_media_index_t *index, uint32_t n,
    ngx_media_index_sample_t *sample)
{
    ngx_int_t                 rc;
    ngx_media_index_reader_t  reader;

    ngx_media_index_open(&reader, index);

    rc = ngx_media_index_seek(&reader, n);

    return (rc == NGX_OK) ? ngx_media_index_next(&reader, sample) : rc;
}


ngx_int_t
ngx_media_index_seek(ngx_media_index_reader_t *reader, uint32_t n)
{
    ngx_media_index_sample_t  sample;

    reader->left = 0;
    reader->number = n;

    if (n >= reader->index->nsamples) {
        reader->number = reader->index->nsamples;
        return NGX_DONE;
    }

    if (ngx_media_index_open_block(reader, n / NGX_MEDIA_INDEX_BLOCK)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    while (reader->number < n) {
        if (ngx_media_index_next(reader, &sample) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_index_seek_time(ngx_media_index_reader_t *reader, int64_t time)
{
    int64_t                    raw;
    uint32_t                   high, low, n;
    ngx_int_t                  rc;
    ngx_media_index_sample_t   sample;

    raw = ngx_media_index_difference(time,
                                     ngx_media_index_sum(reader->index->delay,
                                                       reader->index->shift));

    /* the first block that begins so late; the sample may be before it */

    low = 0;
    high = reader->index->nblocks;

    while (low < high) {
        n = low + (high - low) / 2;

        if (reader->blocks[n].dts < raw) {
            low = n + 1;

        } else {
            high = n;
        }
    }

    rc = ngx_media_index_seek(reader, (low ? low - 1 : 0)
                                      * NGX_MEDIA_INDEX_BLOCK);

    while (rc == NGX_OK && reader->dts < raw) {
        rc = ngx_media_index_next(reader, &sample);

        if (reader->number == reader->index->nsamples) {
            return rc == NGX_OK ? NGX_DONE : rc;
        }
    }

    return rc;
}


ngx_int_t
ngx_media_index_seek_key(ngx_media_index_reader_t *reader, int64_t time)
{
    uint32_t                  high, low, n;
    ngx_int_t                 rc;
    ngx_media_index_sample_t  sample;

    /* the first one after that time; key frames are in order of both times */

    low = 0;
    high = reader->index->nkeys;

    while (low < high) {
        n = low + (high - low) / 2;
        rc = ngx_media_index_seek_key_number(reader, n);

        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_media_index_next(reader, &sample);

        if (rc != NGX_OK) {
            return rc;
        }

        if (ngx_media_index_sum(sample.dts, sample.cto) <= time) {
            low = n + 1;

        } else {
            high = n;
        }
    }

    return ngx_media_index_seek_key_number(reader, low ? low - 1 : 0);
}


ngx_int_t
ngx_media_index_seek_key_number(ngx_media_index_reader_t *reader, uint32_t n)
{
    uint32_t  high, i, low, middle;

    if (n >= reader->index->nkeys) {
        (void) ngx_media_index_seek(reader, reader->index->nsamples);
        return NGX_DONE;
    }

    /* the last block with so many before it, or fewer */

    low = 0;
    high = reader->index->nblocks;

    while (high - low > 1) {
        middle = low + (high - low) / 2;

        if (reader->blocks[middle].keys <= n) {
            low = middle;

        } else {
            high = middle;
        }
    }

    if (ngx_media_index_open_block(reader, low) != NGX_OK
        || n < reader->blocks[low].keys)
    {
        return NGX_ERROR;
    }

    n -= reader->blocks[low].keys;

    for (i = 0; i < reader->left; i++) {
        if (reader->keys[i / 64] >> i % 64 & 1 && n-- == 0) {
            return ngx_media_index_seek(reader,
                                        low * NGX_MEDIA_INDEX_BLOCK + i);
        }
    }

    return NGX_ERROR;
}


/* n is less than the number of blocks */

static ngx_int_t
ngx_media_index_open_block(ngx_media_index_reader_t *reader, uint32_t n)
{
    ngx_uint_t                      i;
    const ngx_media_index_block_t  *block;

    block = &reader->blocks[n];

    reader->number = n * NGX_MEDIA_INDEX_BLOCK;
    reader->left = ngx_min(NGX_MEDIA_INDEX_BLOCK,
                           reader->index->nsamples - reader->number);
    reader->bit = (uint64_t) block->bits * 8;
    reader->offset = block->offset;
    reader->dts = block->dts;
    reader->err = 0;

    ngx_media_index_read_keys(reader);

    for (i = 0; i < NGX_MEDIA_INDEX_COLUMNS; i++) {
        ngx_media_index_read_column(reader, &reader->columns[i]);
    }

    if (reader->err) {
        reader->left = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_media_index_read_keys(ngx_media_index_reader_t *reader)
{
    uint32_t  i, left, n;

    ngx_memzero(reader->keys, sizeof(reader->keys));

    switch (ngx_media_index_bits(reader, 2)) {

    case NGX_MEDIA_INDEX_ALL_KEYS:
        ngx_memset(reader->keys, 0xff, sizeof(reader->keys));
        break;

    case NGX_MEDIA_INDEX_MASK:
        left = reader->left;

        for (i = 0; left; i++) {
            n = ngx_min(left, 64);
            reader->keys[i] = ngx_media_index_bits(reader, n);
            left -= n;
        }

        break;

    case NGX_MEDIA_INDEX_LIST:

        for (n = ngx_media_index_bits(reader, 3); n; n--) {
            i = ngx_media_index_bits(reader, 7);
            reader->keys[i / 64] |= (uint64_t) 1 << i % 64;
        }

        break;
    }
}


static void
ngx_media_index_read_column(ngx_media_index_reader_t *reader,
    ngx_media_index_column_t *column)
{
    uint32_t  i, n;

    column->mode = ngx_media_index_bits(reader, 3);
    column->width = 0;

    if (column->mode == NGX_MEDIA_INDEX_DICTIONARY) {
        n = ngx_media_index_bits(reader, 4) + 1;

        for (i = 0; i < n; i++) {
            column->values[i] = ngx_media_index_number(reader);
        }

        for ( /* void */ ; i < NGX_MEDIA_INDEX_VALUES; i++) {
            column->values[i] = 0;
        }

        while ((uint32_t) 1 << column->width < n) {
            column->width++;
        }

        return;
    }

    column->base = ngx_media_index_number(reader);

    if (column->mode == NGX_MEDIA_INDEX_FIXED) {
        column->width = ngx_media_index_bits(reader, 7);

    } else if (column->mode != NGX_MEDIA_INDEX_CONST) {
        column->width = ngx_media_index_bits(reader, 5);
    }
}


static int64_t
ngx_media_index_value(ngx_media_index_reader_t *reader,
    ngx_media_index_column_t *column)
{
    uint64_t  value;

    switch (column->mode) {

    case NGX_MEDIA_INDEX_DICTIONARY:
        return column->values[ngx_media_index_bits(reader, column->width)];

    case NGX_MEDIA_INDEX_FIXED:
        value = ngx_media_index_bits(reader, column->width);
        break;

    case NGX_MEDIA_INDEX_SPARSE:

        if (ngx_media_index_bits(reader, 1) == 0) {
            return 0;
        }

        /* fall through */

    case NGX_MEDIA_INDEX_GOLOMB:
        value = ngx_media_index_golomb(reader, column->width);
        break;

    default: /* NGX_MEDIA_INDEX_CONST */
        value = 0;
        break;
    }

    return (int64_t) ((uint64_t) column->base + value);
}


static uint64_t
ngx_media_index_golomb(ngx_media_index_reader_t *reader, uint32_t order)
{
    uint32_t  zeros;
    uint64_t  value;

    value = ngx_media_index_peek(reader);

    for (zeros = 0; (value & 1) == 0; zeros++) {

        if (zeros == NGX_MEDIA_INDEX_ZEROS_MAX) {
            reader->err = 1;
            return 0;
        }

        value >>= 1;
    }

    (void) ngx_media_index_bits(reader, zeros + 1);

    value = ngx_media_index_bits(reader, zeros + order);

    return value + ((uint64_t) 1 << (zeros + order)) - ((uint64_t) 1 << order);
}


static int64_t
ngx_media_index_number(ngx_media_index_reader_t *reader)
{
    uint64_t  value;

    value = ngx_media_index_bits(reader, ngx_media_index_bits(reader, 7));

    return (int64_t) (value >> 1 ^ (0 - (value & 1)));
}


static uint64_t
ngx_media_index_bits(ngx_media_index_reader_t *reader, uint32_t width)
{
    uint64_t  value;

    if (width == 0) {
        return 0;
    }

    if (width > 64 || reader->bit > reader->nbits
        || width > reader->nbits - reader->bit)
    {
        reader->err = 1;
        return 0;
    }

    if (width > 56) {
        value = ngx_media_index_bits(reader, 32);

        return value | ngx_media_index_bits(reader, width - 32) << 32;
    }

    value = ngx_media_index_peek(reader) & (((uint64_t) 1 << width) - 1);
    reader->bit += width;

    return value;
}


/* at least 57 bits; zeros after the last one */

static uint64_t
ngx_media_index_peek(ngx_media_index_reader_t *reader)
{
    uint64_t       value;
    const u_char  *p;

    if (reader->bit >= reader->nbits) {
        return 0;
    }

    p = reader->bits + reader->bit / 8;

    value = ngx_media_get_le32(p) | (uint64_t) ngx_media_get_le32(p + 4) << 32;

    return value >> reader->bit % 8;
}


ngx_uint_t
ngx_media_index_covers(const ngx_media_index_t *index,
    const ngx_media_index_sample_t *sample, int64_t time)
{
    int64_t  pts, left;

    pts = ngx_media_index_sum(sample->dts, sample->cto);
    left = ngx_media_index_difference(ngx_media_index_sum(pts,
                                                (int64_t) sample->duration),
                                      time);

    return pts < time && left > (int64_t) (index->timescale / 1000);
}


ngx_int_t
ngx_media_index_edit(ngx_media_index_t *index, uint64_t empty, int64_t start,
    uint64_t duration)
{
    int64_t                    pts;
    ngx_media_index_reader_t   reader;

    index->shift = 0;
    index->delay = 0;
    index->preroll = 0;
    index->first = 0;
    index->end = index->nsamples;

    ngx_media_index_open(&reader, index);

    if (index->nsamples) {

        if (ngx_media_index_edit_first(index, &reader, start, &pts)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (duration
            && ngx_media_index_edit_end(index, &reader,
                                        ngx_media_index_sum(start,
                                                        (int64_t) duration))
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (index->end < index->first) {
            index->end = index->first;
        }

        if (pts < start && index->first < index->end) {
            index->preroll = ngx_media_index_difference(start, pts);
        }
    }

    index->shift = ngx_media_index_difference((int64_t) empty, start);

    return NGX_OK;
}


/* sets first and delay; *pts is that of the first sample */

static ngx_int_t
ngx_media_index_edit_first(ngx_media_index_t *index,
    ngx_media_index_reader_t *reader, int64_t start, int64_t *pts)
{
    ngx_int_t                 rc;
    ngx_media_index_sample_t  sample;

    if (index->nkeys == index->nsamples) {
        rc = ngx_media_index_edit_plain(index, reader, start, &sample);

        if (rc == NGX_DONE) {
            index->first = index->nsamples;
            *pts = start;
            return NGX_OK;
        }

    } else {
        rc = ngx_media_index_seek_key(reader, start);

        /* without any key frame it starts where it starts */

        if (rc == NGX_DONE) {
            rc = ngx_media_index_seek(reader, 0);
        }

        if (rc == NGX_OK) {
            index->first = reader->number;
            rc = ngx_media_index_next(reader, &sample);
        }
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    index->delay = sample.cto;
    *pts = ngx_media_index_sum(sample.dts, sample.cto);

    return NGX_OK;
}


/*
 * All samples stand alone: the one that goes on at the start, or else the
 * first that is not before it; NGX_DONE: there is none
 */

static ngx_int_t
ngx_media_index_edit_plain(ngx_media_index_t *index,
    ngx_media_index_reader_t *reader, int64_t start,
    ngx_media_index_sample_t *sample)
{
    uint32_t                  n;
    ngx_int_t                 rc;
    ngx_media_index_sample_t  before;

    rc = ngx_media_index_seek_time(reader,
                           ngx_media_index_difference(start, index->max_cto));

    for (n = reader->number; rc == NGX_OK; n = reader->number) {
        rc = ngx_media_index_next(reader, sample);

        if (rc == NGX_OK
            && ngx_media_index_sum(sample->dts, sample->cto) >= start)
        {
            break;
        }
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    index->first = n;

    if (n == 0 || (rc == NGX_OK
                   && ngx_media_index_sum(sample->dts, sample->cto) == start))
    {
        return rc;
    }

    if (ngx_media_index_seek(reader, n - 1) != NGX_OK
        || ngx_media_index_next(reader, &before) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_media_index_covers(index, &before, start)) {
        index->first = n - 1;
        *sample = before;
        return NGX_OK;
    }

    return rc;
}


/* after the last sample, in decode order, that is shown before the limit */

static ngx_int_t
ngx_media_index_edit_end(ngx_media_index_t *index,
    ngx_media_index_reader_t *reader, int64_t limit)
{
    int64_t                   delay;
    ngx_int_t                 rc;
    ngx_media_index_sample_t  sample;

    delay = index->delay;
    index->delay = 0;

    rc = ngx_media_index_seek_time(reader,
                           ngx_media_index_difference(limit, index->max_cto));

    if (rc == NGX_OK) {
        index->end = reader->number;
    }

    while (rc == NGX_OK) {
        rc = ngx_media_index_next(reader, &sample);

        if (rc != NGX_OK
            || sample.dts >= ngx_media_index_difference(limit, index->min_cto))
        {
            break;
        }

        if (ngx_media_index_sum(sample.dts, sample.cto) < limit) {
            index->end = reader->number;
        }
    }

    index->delay = delay;

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}
