
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The compact index of one track of a file: where each sample is, when, how
 * long, and whether it is a key frame, in two or three bytes a sample.
 *
 * It is one run of bytes without pointers: made by the builder in a thread,
 * copied into shared memory, read there by any worker.  The header says what
 * is true of all samples, a directory has an entry for each block of samples,
 * and a block is bits that only it is needed for; so what is about one
 * segment is reached by a binary search and by reading one block before it.
 *
 * Times.  The reader gives times of presentation: the edit list of the track
 * is applied as a shift, the same for all samples, so that two tracks of a
 * file are in step to the tick.  dts is moved by the composition offset of
 * the first sample, too, so that a key frame of a closed GOP has cto 0 (and
 * tfdt of CMAF is dts).  With "raw" the times as the file has them:
 *
 *     dts = raw dts + delay + shift        cto = raw cto - delay
 *
 * What is to be presented are samples [first, end).  Audio and text start
 * with the sample that goes on at the begin of the edit, video with the key
 * frame that is needed for it: "preroll" ticks before.  These times may be
 * negative then: who presents several tracks adds one constant to all of them.
 *
 * In the order of calls: ngx_media_index_build.h, ngx_media_index_edit(),
 * then any number of readers.
 */


#ifndef _NGX_MEDIA_INDEX_H_INCLUDED_
#define _NGX_MEDIA_INDEX_H_INCLUDED_


#include "formats/ngx_media_index_layout.h"


typedef struct {
    uint64_t                  offset;         /* in the file */
    int64_t                   dts;            /* in the track's timescale */
    int64_t                   cto;            /* pts - dts */
    uint64_t                  duration;       /* up to the dts of the next */
    uint32_t                  size;           /* bytes, may be 0 */
    uint32_t                  description;    /* of stsd, from 1 */
    uint32_t                  key;
} ngx_media_index_sample_t;


typedef struct {
    const ngx_media_index_t        *index;    /* borrowed */
    const ngx_media_index_block_t  *blocks;
    const u_char                   *bits;
    uint64_t                        nbits;    /* without padding */
    uint64_t                        bit;      /* the next one */
    uint32_t                        number;   /* of the next sample */
    uint32_t                        left;     /* in the block, 0: not open */
    uint64_t                        keys[NGX_MEDIA_INDEX_WORDS];
                                              /* of the block, a bit each */
    uint64_t                        offset;   /* where the next one begins if
                                                 it follows */
    int64_t                         dts;      /* raw */
    ngx_uint_t                      err;
    ngx_media_index_column_t        columns[NGX_MEDIA_INDEX_COLUMNS];
} ngx_media_index_reader_t;


/* size bytes at p are an index that may be read; else NGX_ERROR */
ngx_int_t ngx_media_index_check(const void *p, size_t size);

/*
 * Applies an edit, in the track's timescale: nothing for "empty" ticks, then
 * the media from "start" on, for "duration" ticks or (0) to the end.
 * NGX_ERROR: the index is broken.
 */
ngx_int_t ngx_media_index_edit(ngx_media_index_t *index, uint64_t empty,
    int64_t start, uint64_t duration);

/* whether a sample began before this time and goes on for more than 1 ms */
ngx_uint_t ngx_media_index_covers(const ngx_media_index_t *index,
    const ngx_media_index_sample_t *sample, int64_t time);

/* an index that has passed the check; the next sample is number 0 */
void ngx_media_index_open(ngx_media_index_reader_t *reader,
    const ngx_media_index_t *index);

/*
 * The next sample.  NGX_DONE: after the last one of the file, whatever
 * index->end is; NGX_ERROR: the index is broken.
 */
ngx_int_t ngx_media_index_next(ngx_media_index_reader_t *reader,
    ngx_media_index_sample_t *sample);

/*
 * What is next: sample number n; the first one with dts >= time; the last key
 * frame with pts <= time, or the first of all; key frame number n, from 0.
 * NGX_DONE: there is none.  reader->number is the number of what is next.
 */
ngx_int_t ngx_media_index_seek(ngx_media_index_reader_t *reader, uint32_t n);
ngx_int_t ngx_media_index_seek_time(ngx_media_index_reader_t *reader,
    int64_t time);
ngx_int_t ngx_media_index_seek_key(ngx_media_index_reader_t *reader,
    int64_t time);
ngx_int_t ngx_media_index_seek_key_number(ngx_media_index_reader_t *reader,
    uint32_t n);

/* sample number n alone, without a reader; NGX_DONE, NGX_ERROR: as of next */
ngx_int_t ngx_media_index_sample(const ngx_media_index_t *index, uint32_t n,
    ngx_media_index_sample_t *sample);


#endif /* _NGX_MEDIA_INDEX_H_INCLUDED_ */
