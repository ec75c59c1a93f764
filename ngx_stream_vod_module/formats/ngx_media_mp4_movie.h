
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A progressive MP4 of samples that lie in another file: ftyp and moov, then
 * mdat, which holds their bytes in the order of that file, so that runs of
 * neighbours stay what they were.  An edit list says what is shown.
 *
 *     movie.tracks = ...
 *     ngx_media_mp4_movie_scan(&movie)
 *     p = so many bytes as movie.head
 *     ngx_media_mp4_movie_write(&movie, p)
 *     ngx_media_mp4_movie_rewind(&movie)
 *     ngx_media_mp4_movie_next(...) until NGX_DONE: the bytes that follow
 *
 * Samples are read from the indexes in each pass and never kept.
 */


#ifndef _NGX_MEDIA_MP4_MOVIE_H_INCLUDED_
#define _NGX_MEDIA_MP4_MOVIE_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"
#include "formats/ngx_media_index.h"


/* descriptions of a track, and so many are looked at */
#define NGX_MEDIA_MP4_MOVIE_PARAMS  64


/* a table of runs, or what is known of it so far */

typedef struct {
    uint32_t                  entries;
    uint32_t                  count;          /* of the run that is open */
    uint32_t                  value;
    u_char                   *p;              /* of the next; counting: NULL */
    u_char                   *last;
} ngx_media_mp4_movie_table_t;


typedef struct {
    /* set by the caller */
    const ngx_media_index_t  *index;          /* borrowed */
    const ngx_media_params_t *params;         /* by description - 1 */
    uint32_t                  params_size;    /* bytes of each */
    uint32_t                  nparams;
    uint32_t                  first;          /* samples [first, end) */
    uint32_t                  end;
    int64_t                   start;          /* what is shown, in times of the
                                                 index: [start, finish) */
    int64_t                   finish;
    u_char                    code[3];        /* ISO 639-2/T */
    ngx_str_t                 lang;           /* RFC 5646; empty: unknown */
    ngx_str_t                 label;
    unsigned                  disabled:1;     /* another one of its type is
                                                 what is played */

    /* its own */
    ngx_media_index_reader_t  reader;
    ngx_media_index_sample_t  sample;         /* the next one */
    uint64_t                  used;           /* descriptions, a bit each */
    uint32_t                  nsamples;
    uint32_t                  size;           /* of the first sample, */
    uint32_t                  description;    /* the same */
    uint32_t                  delay;          /* added to composition offsets:
                                                 none is negative */
    int64_t                   dts;            /* of the first sample */
    int64_t                   begin;          /* of what is shown, */
    int64_t                   over;           /* and its end */
    uint64_t                  duration;       /* of all samples */
    uint32_t                  number;         /* of the next sample */
    uint32_t                  chunks;
    uint32_t                  chunk_samples;  /* of the last one, */
    uint32_t                  chunk_description;
    uint64_t                  chunk_bytes;
    uint64_t                  packed;         /* samples and description of the
                                                 last entry of stsc */
    ngx_media_mp4_movie_table_t  stts;
    ngx_media_mp4_movie_table_t  ctts;
    ngx_media_mp4_movie_table_t  stsz;
    ngx_media_mp4_movie_table_t  stss;
    ngx_media_mp4_movie_table_t  stsc;
    ngx_media_mp4_movie_table_t  stco;
    unsigned                  sizes:1;        /* they differ */
    unsigned                  all_keys:1;
    unsigned                  more:1;         /* sample is one */
} ngx_media_mp4_movie_track_t;


typedef struct {
    /* set by the caller */
    ngx_media_mp4_movie_track_t  *tracks;
    ngx_uint_t                ntracks;

    /* known after the scan */
    uint64_t                  head;           /* bytes before the media */
    uint64_t                  bytes;          /* of the media */

    /* its own */
    uint64_t                  offset;         /* in the media */
    ngx_uint_t                last;           /* track of the last sample */
    uint64_t                  duration;       /* in its timescale */
    unsigned                  wide:1;         /* co64 */
    unsigned                  writing:1;
} ngx_media_mp4_movie_t;


/* NGX_DECLINED: there are no samples, or some that cannot be in a movie;
   NGX_ERROR: broken index */
ngx_int_t ngx_media_mp4_movie_scan(ngx_media_mp4_movie_t *movie);

/* movie->head bytes; NGX_ERROR: broken index */
ngx_int_t ngx_media_mp4_movie_write(ngx_media_mp4_movie_t *movie, u_char *p);

/* what comes first in mdat is next; NGX_ERROR: broken index */
ngx_int_t ngx_media_mp4_movie_rewind(ngx_media_mp4_movie_t *movie);

/* in the order of the file; NGX_DONE: there are no more */
ngx_int_t ngx_media_mp4_movie_next(ngx_media_mp4_movie_t *movie,
    ngx_uint_t *track, ngx_media_index_sample_t *sample);


#endif /* _NGX_MEDIA_MP4_MOVIE_H_INCLUDED_ */
