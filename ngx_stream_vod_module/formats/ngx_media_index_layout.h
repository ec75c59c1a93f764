
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The memory that an index is, see ngx_media_index.h.
 */


#ifndef _NGX_MEDIA_INDEX_LAYOUT_H_INCLUDED_
#define _NGX_MEDIA_INDEX_LAYOUT_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* changes with the layout */
#define NGX_MEDIA_INDEX_VERSION  0x4e4d4901

#define NGX_MEDIA_INDEX_BLOCK    128          /* samples of a block */
#define NGX_MEDIA_INDEX_WORDS    (NGX_MEDIA_INDEX_BLOCK / 64)
#define NGX_MEDIA_INDEX_COLUMNS  5
#define NGX_MEDIA_INDEX_VALUES   16           /* of a dictionary */
#define NGX_MEDIA_INDEX_PADDING  8            /* bytes after the last bits */

#define NGX_MEDIA_INDEX_SIZE         0        /* columns: bytes, */
#define NGX_MEDIA_INDEX_GAP          1        /* between it and the one before,
                                                 in the file, */
#define NGX_MEDIA_INDEX_DURATION     2
#define NGX_MEDIA_INDEX_CTO          3
#define NGX_MEDIA_INDEX_DESCRIPTION  4

#define NGX_MEDIA_INDEX_CONST        0        /* modes: base, */
#define NGX_MEDIA_INDEX_DICTIONARY   1        /* one of values, */
#define NGX_MEDIA_INDEX_FIXED        2        /* base + width bits, */
#define NGX_MEDIA_INDEX_GOLOMB       3        /* base + exponential Golomb code
                                                 of order width, */
#define NGX_MEDIA_INDEX_SPARSE       4        /* a bit, 0: zero, 1: the same
                                                 as GOLOMB */

#define NGX_MEDIA_INDEX_NO_KEYS      0        /* key frames of a block: none, */
#define NGX_MEDIA_INDEX_ALL_KEYS     1        /* all, */
#define NGX_MEDIA_INDEX_MASK         2        /* a bit for each sample, */
#define NGX_MEDIA_INDEX_LIST         3        /* up to 7 numbers */


/* native byte order; multiples of 8 bytes */

typedef struct {
    uint32_t                  version;
    uint32_t                  size;           /* of all, this included */
    uint32_t                  timescale;
    uint32_t                  nblocks;
    uint32_t                  nsamples;
    uint32_t                  nkeys;
    uint32_t                  first;          /* to be presented */
    uint32_t                  end;            /* after the last one */
    int64_t                   shift;
    int64_t                   delay;
    int64_t                   preroll;
    int64_t                   min_cto;        /* raw */
    int64_t                   max_cto;
    uint64_t                  bytes;          /* of all samples */
    uint32_t                  max_size;
    unsigned                  truncated:1;    /* there were samples beyond the
                                                 end of the file: left out */
    unsigned                  overlap:1;      /* decode times went back and
                                                 were corrected */
    unsigned                  leading:1;      /* open GOPs: some sample after
                                                 a key frame precedes it */
    unsigned                  descriptions:1; /* not all the same */
} ngx_media_index_t;


/* of the directory, it follows the header; then come the bits */

typedef struct {
    uint64_t                  offset;         /* of the first sample */
    int64_t                   dts;            /* the same, raw */
    uint32_t                  bits;           /* byte where they start */
    uint32_t                  keys;           /* in all blocks before */
} ngx_media_index_block_t;


/* how the values of one column are coded */

typedef struct {
    uint32_t                  mode;
    uint32_t                  width;          /* bits */
    int64_t                   base;
    int64_t                   values[NGX_MEDIA_INDEX_VALUES];
} ngx_media_index_column_t;


#endif /* _NGX_MEDIA_INDEX_LAYOUT_H_INCLUDED_ */
