
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A track of audio with frames of silence around its samples, so that it lasts
 * as long as the tracks that it is played with.  Nothing of the silence is
 * kept but how much there is: a reader makes it up.
 *
 * Frames are numbered on from those of the index: "first" is the number of the
 * first frame of the head, or of the first sample where there is no head; the
 * samples follow, then the tail.  Without either, numbers are the index's.
 *
 * Silence lasts a whole number of frames.  The head ends where the first
 * sample begins, the tail begins where the last one ends; times are exact, in
 * that no error adds up, and durations differ by a tick where they have to.
 */


#ifndef _NGX_MEDIA_FILL_H_INCLUDED_
#define _NGX_MEDIA_FILL_H_INCLUDED_


#include "formats/ngx_media_index.h"


/* of a sample: it is silence, and in no file */
#define NGX_MEDIA_FILL_SILENT  ((uint64_t) -1)

/* frames of one run: two days of AAC */
#define NGX_MEDIA_FILL_MAX     8388608


typedef struct {
    int64_t                   time;           /* dts of the first, in the
                                                 timescale of the index and on
                                                 its line */
    uint32_t                  count;          /* 0: none */
    uint32_t                  size;           /* bytes of each */
    uint32_t                  samples;        /* each lasts so many, */
    uint32_t                  rate;           /* Hz: of these */
    uint32_t                  description;
} ngx_media_fill_run_t;


/* it may be copied; zero: no silence */

typedef struct {
    uint32_t                  first;          /* see above */
    uint32_t                  nsamples;       /* of the index */
    ngx_media_fill_run_t      head;
    ngx_media_fill_run_t      tail;
} ngx_media_fill_t;


typedef struct {
    const ngx_media_fill_t   *fill;           /* NULL, or it stays */
    ngx_media_index_reader_t  index;
    uint32_t                  number;         /* of the next frame */
} ngx_media_fill_reader_t;


/*
 * How many whole frames of silence there are in a time, in timescale, of
 * which samples and rate are set; 0: it is not longer than one, or far too
 * long
 */
uint32_t ngx_media_fill_count(const ngx_media_fill_run_t *run, int64_t time,
    uint32_t timescale);

/* how long n frames of it are, in timescale */
int64_t ngx_media_fill_length(const ngx_media_fill_run_t *run, uint32_t n,
    uint32_t timescale);

/* as those of ngx_media_index.h, and with the same results */
void ngx_media_fill_open(ngx_media_fill_reader_t *reader,
    const ngx_media_index_t *index, const ngx_media_fill_t *fill);
ngx_int_t ngx_media_fill_seek(ngx_media_fill_reader_t *reader, uint32_t n);
ngx_int_t ngx_media_fill_next(ngx_media_fill_reader_t *reader,
    ngx_media_index_sample_t *sample);


/* frames of silence, all in all */

static ngx_inline uint32_t
ngx_media_fill_silent(const ngx_media_fill_t *fill)
{
    return fill ? fill->head.count + fill->tail.count : 0;
}


#endif /* _NGX_MEDIA_FILL_H_INCLUDED_ */
