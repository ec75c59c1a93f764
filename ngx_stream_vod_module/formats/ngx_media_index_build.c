
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Building an index, see ngx_media_index.c for the bits.  Of each column of a
 * block the shortest of four codes is taken: one value for all; a dictionary
 * of up to 16 values, which fits composition offsets and durations; the same
 * width for all; exponential Golomb codes, which fit sizes of video.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_index_build.h"


/*
 * No column is longer than one of fixed width: two numbers of the head and 64
 * bits for each sample
 */
#define NGX_MEDIA_INDEX_COLUMN_MAX                                            \
    (2 * (7 + 64) + 64 * NGX_MEDIA_INDEX_BLOCK)

#define NGX_MEDIA_INDEX_BITS_MAX                                              \
    (2 + NGX_MEDIA_INDEX_BLOCK                                                \
     + NGX_MEDIA_INDEX_COLUMNS * (3 + NGX_MEDIA_INDEX_COLUMN_MAX))

/* an index is shorter than 2^32 */
#define NGX_MEDIA_INDEX_SIZE_MAX  0xf0000000

/* decode times that go back are mended up to this, in seconds */
#define NGX_MEDIA_INDEX_BACK_MAX  10

/* and all times are less than this, and than 2^31 seconds */
#define NGX_MEDIA_INDEX_TIME_MAX  ((int64_t) 1 << 59)


typedef struct {
    ngx_media_index_block_t   block;
    uint64_t                  len;            /* bytes of bits after it; the
                                                 next record is aligned */
} ngx_media_index_record_t;


#define ngx_media_index_record_size(len)                                      \
    (sizeof(ngx_media_index_record_t) + ngx_align(len, sizeof(uint64_t)))


typedef struct {
    u_char                   *pos;
    uint64_t                  acc;
    uint32_t                  n;              /* bits in acc, less than 32 */
} ngx_media_index_writer_t;


/* of one column of a block */

typedef struct {
    uint32_t                  mode;
    uint32_t                  width;
    int64_t                   base;
    uint32_t                  used;           /* of the dictionary */
    int64_t                   values[NGX_MEDIA_INDEX_VALUES];
    uint8_t                   numbers[NGX_MEDIA_INDEX_BLOCK];
} ngx_media_index_code_t;


static ngx_int_t ngx_media_index_flush(ngx_media_index_build_t *build);
static void ngx_media_index_write_keys(ngx_media_index_build_t *build,
    ngx_media_index_writer_t *w);
static void ngx_media_index_choose(ngx_media_index_code_t *code,
    const int64_t *values, uint32_t n);
static void ngx_media_index_write_head(ngx_media_index_writer_t *w,
    const ngx_media_index_code_t *code);
static void ngx_media_index_write_value(ngx_media_index_writer_t *w,
    const ngx_media_index_code_t *code, int64_t value, uint32_t i);
static uint64_t ngx_media_index_dictionary(ngx_media_index_code_t *code,
    const int64_t *values, uint32_t n);
static uint64_t ngx_media_index_sparse(const int64_t *values, uint32_t n,
    int64_t *base, uint32_t *order);
static uint64_t ngx_media_index_golomb_cost(const int64_t *values, uint32_t n,
    int64_t base, uint32_t *order);
static void ngx_media_index_put_number(ngx_media_index_writer_t *w,
    int64_t value);
static void ngx_media_index_put(ngx_media_index_writer_t *w, uint64_t value,
    uint32_t width);
static uint32_t ngx_media_index_width(uint64_t value);
static uint64_t ngx_media_index_zigzag(int64_t value);


void
ngx_media_index_build_init(ngx_media_index_build_t *build, uint32_t timescale,
    uint64_t file_size, uint32_t max_samples)
{
    ngx_memzero(build, sizeof(ngx_media_index_build_t));

    build->index.version = NGX_MEDIA_INDEX_VERSION;
    build->index.timescale = timescale;
    build->file_size = file_size;
    build->max_samples = max_samples;
}


void
ngx_media_index_piece(ngx_media_index_build_t *build, void *p, size_t size)
{
    ngx_media_index_piece_t  *piece;

    piece = p;
    piece->next = NULL;
    piece->size = size;
    piece->used = sizeof(ngx_media_index_piece_t);

    if (build->last) {
        build->last->next = piece;

    } else {
        build->first = piece;
    }

    build->last = piece;
}


ngx_int_t
ngx_media_index_add(ngx_media_index_build_t *build,
    const ngx_media_index_sample_t *sample)
{
    int64_t             back, cto, dts, limit;
    uint32_t            n;
    ngx_media_index_t  *index;

    index = &build->index;

    if (build->finished) {
        return NGX_DONE;
    }

    if (index->nsamples >= build->max_samples) {
        build->error = "too many samples";
        return NGX_ERROR;
    }

    if (sample->size
        && (sample->offset > build->file_size
            || sample->size > build->file_size - sample->offset))
    {
        index->truncated = 1;
        build->finished = 1;
        return NGX_DONE;
    }

    if (sample->size > build->file_size - index->bytes) {
        build->error = "samples have more bytes than the file";
        return NGX_ERROR;
    }

    dts = sample->dts;
    cto = sample->cto;

    limit = ngx_min((int64_t) index->timescale << 31,
                    NGX_MEDIA_INDEX_TIME_MAX);

    if (dts > limit || dts < -limit || cto > limit || cto < -limit
        || sample->duration > (uint64_t) limit)
    {
        build->error = "impossible time of a sample";
        return NGX_ERROR;
    }

    n = build->n;

    if (n && dts < build->dts) {
        back = build->dts - dts;

        if (back / NGX_MEDIA_INDEX_BACK_MAX > index->timescale) {
            build->error = "decode time goes back";
            return NGX_ERROR;
        }

        dts += back;
        cto -= back;
        index->overlap = 1;
    }

    if (n) {
        build->columns[NGX_MEDIA_INDEX_DURATION][n - 1] = dts - build->dts;
    }

    if (n == NGX_MEDIA_INDEX_BLOCK) {

        if (ngx_media_index_flush(build) != NGX_OK) {
            return build->error ? NGX_ERROR : NGX_AGAIN;
        }

        n = 0;
    }

    if (n == 0) {
        build->block.offset = sample->offset;
        build->block.dts = dts;
        build->block.keys = index->nkeys;
        ngx_memzero(build->keys, sizeof(build->keys));
    }

    build->columns[NGX_MEDIA_INDEX_SIZE][n] = sample->size;
    build->columns[NGX_MEDIA_INDEX_GAP][n] =
                          n ? (int64_t) (sample->offset - build->offset) : 0;
    build->columns[NGX_MEDIA_INDEX_DURATION][n] = sample->duration;
    build->columns[NGX_MEDIA_INDEX_CTO][n] = cto;
    build->columns[NGX_MEDIA_INDEX_DESCRIPTION][n] = sample->description;

    if (sample->key) {
        build->keys[n / 64] |= (uint64_t) 1 << n % 64;
        build->key_pts = dts + cto;
        build->has_key = 1;
        index->nkeys++;

    } else if (build->has_key && dts + cto < build->key_pts) {
        index->leading = 1;
    }

    if (index->nsamples == 0) {
        build->description = sample->description;
        index->min_cto = cto;
        index->max_cto = cto;
    }

    if (sample->description != build->description) {
        index->descriptions = 1;
    }

    index->min_cto = ngx_min(index->min_cto, cto);
    index->max_cto = ngx_max(index->max_cto, cto);
    index->max_size = ngx_max(index->max_size, sample->size);
    index->bytes += sample->size;
    index->nsamples++;

    build->n = n + 1;
    build->dts = dts;
    build->offset = sample->offset + sample->size;

    return NGX_OK;
}


ngx_int_t
ngx_media_index_finish(ngx_media_index_build_t *build)
{
    if (build->n && ngx_media_index_flush(build) != NGX_OK) {
        return build->error ? NGX_ERROR : NGX_AGAIN;
    }

    build->finished = 1;

    build->size = sizeof(ngx_media_index_t)
                  + build->index.nblocks * sizeof(ngx_media_index_block_t)
                  + build->bits + NGX_MEDIA_INDEX_PADDING;

    build->index.size = build->size;
    build->index.first = 0;
    build->index.end = build->index.nsamples;

    return NGX_OK;
}


void
ngx_media_index_pack(const ngx_media_index_build_t *build, void *p)
{
    u_char                          *bits, *from, *last;
    ngx_media_index_t               *index;
    ngx_media_index_block_t         *block;
    ngx_media_index_piece_t         *piece;
    const ngx_media_index_record_t  *record;

    index = p;
    block = (ngx_media_index_block_t *) (index + 1);
    bits = (u_char *) (block + build->index.nblocks);

    *index = build->index;

    for (piece = build->first; piece; piece = piece->next) {
        from = (u_char *) piece + sizeof(ngx_media_index_piece_t);
        last = (u_char *) piece + piece->used;

        while (from < last) {
            record = (ngx_media_index_record_t *) from;
            *block++ = record->block;
            bits = ngx_cpymem(bits, record + 1, record->len);
            from += ngx_media_index_record_size(record->len);
        }
    }

    ngx_memzero(bits, NGX_MEDIA_INDEX_PADDING);
}


ngx_int_t
ngx_media_index_resume(ngx_media_index_build_t *build,
    const ngx_media_index_t *index)
{
    size_t                           len;
    uint32_t                         n, next;
    ngx_media_index_piece_t         *piece;
    ngx_media_index_reader_t         reader;
    ngx_media_index_record_t        *record;
    ngx_media_index_sample_t         sample;
    const ngx_media_index_block_t   *block;

    ngx_media_index_open(&reader, index);

    /* whole blocks as they are */

    while (build->index.nblocks + 1 < index->nblocks) {
        n = build->index.nblocks;
        block = &reader.blocks[n];
        next = block[1].bits;

        if (next < block->bits || next > reader.nbits / 8
            || next - block->bits > NGX_MEDIA_INDEX_BITS_MAX / 8 + 1
            || build->bits != block->bits)
        {
            build->error = "broken index";
            return NGX_ERROR;
        }

        len = next - block->bits;
        piece = build->last;

        if (piece == NULL
            || piece->size - piece->used < ngx_media_index_record_size(len))
        {
            return NGX_AGAIN;
        }

        record = (ngx_media_index_record_t *) ((u_char *) piece
                                               + piece->used);
        record->block = *block;
        record->len = len;
        ngx_memcpy(record + 1, reader.bits + block->bits, len);

        piece->used += ngx_media_index_record_size(len);
        build->bits += len;
        build->index.nblocks++;
    }

    if (index->nblocks == 0) {
        return NGX_OK;
    }

    /* then what was found out of all samples, and those of the last block */

    n = build->index.nblocks;

    build->index.nsamples = n * NGX_MEDIA_INDEX_BLOCK;
    build->index.nkeys = reader.blocks[n].keys;
    build->index.overlap = index->overlap;
    build->index.leading = index->leading;
    build->index.descriptions = index->descriptions;

    build->index.bytes = index->bytes;

    if (ngx_media_index_next(&reader, &sample) != NGX_OK) {
        build->error = "broken index";
        return NGX_ERROR;
    }

    build->description = sample.description;

    if (build->index.nkeys) {

        if (ngx_media_index_seek_key_number(&reader, build->index.nkeys - 1)
            != NGX_OK
            || ngx_media_index_next(&reader, &sample) != NGX_OK)
        {
            build->error = "broken index";
            return NGX_ERROR;
        }

        build->has_key = 1;
        build->key_pts = sample.dts + sample.cto - index->shift;
    }

    if (ngx_media_index_seek(&reader, build->index.nsamples) != NGX_OK) {
        build->error = "broken index";
        return NGX_ERROR;
    }

    while (ngx_media_index_next(&reader, &sample) == NGX_OK) {
        sample.dts -= index->delay + index->shift;
        sample.cto += index->delay;

        build->index.bytes -= sample.size;

        if (ngx_media_index_add(build, &sample) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    build->index.min_cto = index->min_cto;
    build->index.max_cto = index->max_cto;
    build->index.max_size = index->max_size;

    return NGX_OK;
}


static ngx_int_t
ngx_media_index_flush(ngx_media_index_build_t *build)
{
    u_char                    *bits;
    uint32_t                   n;
    ngx_uint_t                 i;
    ngx_media_index_code_t     codes[NGX_MEDIA_INDEX_COLUMNS];
    ngx_media_index_piece_t   *piece;
    ngx_media_index_record_t  *record;
    ngx_media_index_writer_t   w;

    piece = build->last;

    if (piece == NULL
        || piece->size - piece->used
           < ngx_media_index_record_size(NGX_MEDIA_INDEX_BITS_MAX / 8 + 1))
    {
        return NGX_AGAIN;
    }

    if (build->bits + (uint64_t) build->index.nblocks
                      * sizeof(ngx_media_index_block_t)
        > NGX_MEDIA_INDEX_SIZE_MAX)
    {
        build->error = "too large an index";
        return NGX_ERROR;
    }

    record = (ngx_media_index_record_t *) ((u_char *) piece + piece->used);
    bits = (u_char *) (record + 1);

    w.pos = bits;
    w.acc = 0;
    w.n = 0;

    ngx_media_index_write_keys(build, &w);

    for (i = 0; i < NGX_MEDIA_INDEX_COLUMNS; i++) {
        ngx_media_index_choose(&codes[i], build->columns[i], build->n);
        ngx_media_index_write_head(&w, &codes[i]);
    }

    for (n = 0; n < build->n; n++) {
        for (i = 0; i < NGX_MEDIA_INDEX_COLUMNS; i++) {
            ngx_media_index_write_value(&w, &codes[i], build->columns[i][n],
                                        n);
        }
    }

    while (w.n) {
        *w.pos++ = (u_char) w.acc;
        w.acc >>= 8;
        w.n -= ngx_min(w.n, 8);
    }

    record->block = build->block;
    record->block.bits = (uint32_t) build->bits;
    record->len = w.pos - bits;

    build->bits += record->len;
    piece->used += ngx_media_index_record_size(record->len);
    build->index.nblocks++;
    build->n = 0;

    return NGX_OK;
}


static void
ngx_media_index_write_keys(ngx_media_index_build_t *build,
    ngx_media_index_writer_t *w)
{
    uint32_t  i, n;

    n = 0;

    for (i = 0; i < build->n; i++) {
        n += build->keys[i / 64] >> i % 64 & 1;
    }

    if (n == 0) {
        ngx_media_index_put(w, NGX_MEDIA_INDEX_NO_KEYS, 2);

    } else if (n == build->n) {
        ngx_media_index_put(w, NGX_MEDIA_INDEX_ALL_KEYS, 2);

    } else if (n > 7 || 3 + 7 * n >= build->n) {
        ngx_media_index_put(w, NGX_MEDIA_INDEX_MASK, 2);

        for (i = 0; i < build->n; i += 64) {
            ngx_media_index_put(w, build->keys[i / 64],
                                ngx_min(build->n - i, 64));
        }

    } else {
        ngx_media_index_put(w, NGX_MEDIA_INDEX_LIST, 2);
        ngx_media_index_put(w, n, 3);

        for (i = 0; i < build->n; i++) {
            if (build->keys[i / 64] >> i % 64 & 1) {
                ngx_media_index_put(w, i, 7);
            }
        }
    }
}


/* the shortest code of n values */

static void
ngx_media_index_choose(ngx_media_index_code_t *code, const int64_t *values,
    uint32_t n)
{
    int64_t   base, max, min;
    uint32_t  i, order, range;
    uint64_t  cost, least;

    min = values[0];
    max = values[0];

    for (i = 1; i < n; i++) {
        min = ngx_min(min, values[i]);
        max = ngx_max(max, values[i]);
    }

    code->mode = NGX_MEDIA_INDEX_CONST;
    code->base = min;

    if (min == max) {
        return;
    }

    range = ngx_media_index_width((uint64_t) max - (uint64_t) min);

    code->mode = NGX_MEDIA_INDEX_FIXED;
    code->width = range;
    least = 14 + ngx_media_index_width(ngx_media_index_zigzag(min))
            + (uint64_t) n * range;

    if (range <= 32) {
        order = 0;
        cost = ngx_media_index_golomb_cost(values, n, min, &order);

        if (cost < least) {
            code->mode = NGX_MEDIA_INDEX_GOLOMB;
            code->width = order;
            least = cost;
        }
    }

    cost = ngx_media_index_sparse(values, n, &base, &order);

    if (cost < least) {
        code->mode = NGX_MEDIA_INDEX_SPARSE;
        code->base = base;
        code->width = order;
        least = cost;
    }

    if (ngx_media_index_dictionary(code, values, n) < least) {
        code->mode = NGX_MEDIA_INDEX_DICTIONARY;
        code->width = 0;

        while ((uint32_t) 1 << code->width < code->used) {
            code->width++;
        }
    }
}


static void
ngx_media_index_write_head(ngx_media_index_writer_t *w,
    const ngx_media_index_code_t *code)
{
    uint32_t  i;

    ngx_media_index_put(w, code->mode, 3);

    if (code->mode == NGX_MEDIA_INDEX_DICTIONARY) {
        ngx_media_index_put(w, code->used - 1, 4);

        for (i = 0; i < code->used; i++) {
            ngx_media_index_put_number(w, code->values[i]);
        }

        return;
    }

    ngx_media_index_put_number(w, code->base);

    if (code->mode == NGX_MEDIA_INDEX_FIXED) {
        ngx_media_index_put(w, code->width, 7);

    } else if (code->mode != NGX_MEDIA_INDEX_CONST) {
        ngx_media_index_put(w, code->width, 5);
    }
}


/* number i of the block */

static void
ngx_media_index_write_value(ngx_media_index_writer_t *w,
    const ngx_media_index_code_t *code, int64_t value, uint32_t i)
{
    uint32_t  width;
    uint64_t  rest;

    rest = (uint64_t) value - (uint64_t) code->base;

    switch (code->mode) {

    case NGX_MEDIA_INDEX_DICTIONARY:
        ngx_media_index_put(w, code->numbers[i], code->width);
        break;

    case NGX_MEDIA_INDEX_FIXED:
        ngx_media_index_put(w, rest, code->width);
        break;

    case NGX_MEDIA_INDEX_SPARSE:
        ngx_media_index_put(w, value != 0, 1);

        if (value == 0) {
            break;
        }

        /* fall through */

    case NGX_MEDIA_INDEX_GOLOMB:
        rest += (uint64_t) 1 << code->width;
        width = ngx_media_index_width(rest) - 1;

        ngx_media_index_put(w, 0, width - code->width);
        ngx_media_index_put(w, 1, 1);
        ngx_media_index_put(w, rest - ((uint64_t) 1 << width), width);
        break;

    default: /* NGX_MEDIA_INDEX_CONST */
        break;
    }
}


/* the cost in bits */

static uint64_t
ngx_media_index_dictionary(ngx_media_index_code_t *code,
    const int64_t *values, uint32_t n)
{
    uint32_t  i, j, width;
    uint64_t  cost;

    code->used = 0;
    cost = 4;

    for (i = 0; i < n; i++) {

        for (j = 0; j < code->used; j++) {
            if (code->values[j] == values[i]) {
                break;
            }
        }

        if (j == code->used) {

            if (code->used == NGX_MEDIA_INDEX_VALUES) {
                return (uint64_t) -1;
            }

            code->values[code->used++] = values[i];
            cost += 7 + ngx_media_index_width(
                                         ngx_media_index_zigzag(values[i]));
        }

        code->numbers[i] = j;
    }

    for (width = 0; (uint32_t) 1 << width < code->used; width++) {
        /* void */
    }

    return cost + (uint64_t) n * width;
}


/* the cost of a bit each, and of those that are not zero; -1: no code */

static uint64_t
ngx_media_index_sparse(const int64_t *values, uint32_t n, int64_t *base,
    uint32_t *order)
{
    int64_t   max, min, some[NGX_MEDIA_INDEX_BLOCK];
    uint32_t  i, m;

    max = 0;
    min = 0;
    m = 0;

    for (i = 0; i < n; i++) {

        if (values[i] == 0) {
            continue;
        }

        min = (m == 0) ? values[i] : ngx_min(min, values[i]);
        max = (m == 0) ? values[i] : ngx_max(max, values[i]);

        some[m++] = values[i];
    }

    if (m == 0 || m == n
        || ngx_media_index_width((uint64_t) max - (uint64_t) min) > 32)
    {
        return (uint64_t) -1;
    }

    *base = min;

    return n + ngx_media_index_golomb_cost(some, m, min, order);
}


/* of the best order, which is near the width of the mean */

static uint64_t
ngx_media_index_golomb_cost(const int64_t *values, uint32_t n, int64_t base,
    uint32_t *order)
{
    uint32_t  i, k, mean;
    uint64_t  cost, head, least, sum;

    sum = 0;

    for (i = 0; i < n; i++) {
        sum += (uint64_t) values[i] - (uint64_t) base;
    }

    mean = ngx_media_index_width(sum / n);
    head = 7 + ngx_media_index_width(ngx_media_index_zigzag(base)) + 5;
    least = (uint64_t) -1;

    for (k = (mean > 3) ? mean - 3 : 0; k <= mean && k < 32; k++) {
        cost = head;

        for (i = 0; i < n; i++) {
            cost += 2 * ngx_media_index_width((uint64_t) values[i]
                                              - (uint64_t) base
                                              + ((uint64_t) 1 << k))
                    - k - 1;
        }

        if (cost < least) {
            least = cost;
            *order = k;
        }
    }

    return least;
}


static void
ngx_media_index_put_number(ngx_media_index_writer_t *w, int64_t value)
{
    uint32_t  width;
    uint64_t  code;

    code = ngx_media_index_zigzag(value);
    width = ngx_media_index_width(code);

    ngx_media_index_put(w, width, 7);
    ngx_media_index_put(w, code, width);
}


static void
ngx_media_index_put(ngx_media_index_writer_t *w, uint64_t value,
    uint32_t width)
{
    if (width > 32) {
        ngx_media_index_put(w, value & 0xffffffff, 32);
        value >>= 32;
        width -= 32;
    }

    w->acc |= value << w->n;
    w->n += width;

    if (w->n >= 32) {
        w->pos = ngx_media_put_le32(w->pos, (uint32_t) w->acc);
        w->acc >>= 32;
        w->n -= 32;
    }
}


/* bits of a number, 0 of zero */

static uint32_t
ngx_media_index_width(uint64_t value)
{
    uint32_t  width;

    width = 0;

    if (value >> 32) {
        value >>= 32;
        width = 32;
    }

    if (value >> 16) {
        value >>= 16;
        width += 16;
    }

    if (value >> 8) {
        value >>= 8;
        width += 8;
    }

    while (value) {
        value >>= 1;
        width++;
    }

    return width;
}


static uint64_t
ngx_media_index_zigzag(int64_t value)
{
    return (uint64_t) value << 1 ^ (0 - (uint64_t) (value < 0));
}
