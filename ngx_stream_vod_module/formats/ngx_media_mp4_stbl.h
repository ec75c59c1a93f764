
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The sample tables of a track that is not fragmented, or of the part of it
 * that is not, read side by side: ISO/IEC 14496-12, 8.5 to 8.7.
 *
 * A count is never believed: what it says of table bytes is compared with the
 * box, in 64 bits, before the first entry is read.  Tables of the same track
 * that disagree do not make a file bad; what was made of them is in notes.
 */


#ifndef _NGX_MEDIA_MP4_STBL_H_INCLUDED_
#define _NGX_MEDIA_MP4_STBL_H_INCLUDED_


#include "formats/ngx_media_index.h"
#include "formats/ngx_media_mp4_moov.h"


/* fewer chunks than samples: the last samples are nowhere, and left out */
#define NGX_MEDIA_MP4_NOTE_CHUNKS   0x01

/* more room in chunks than samples */
#define NGX_MEDIA_MP4_NOTE_SAMPLES  0x02

/* stts ends too soon: the last duration goes on */
#define NGX_MEDIA_MP4_NOTE_STTS     0x04

/* a duration of 2^31 and more is a negative one: taken as zero */
#define NGX_MEDIA_MP4_NOTE_DELTA    0x08

/* ctts ends too soon: composition offsets of zero */
#define NGX_MEDIA_MP4_NOTE_CTTS     0x10


/* what is left of a table; entries are known to be there */

typedef struct {
    const u_char             *pos;
    uint32_t                  left;           /* entries after this one */
    uint32_t                  run;            /* samples left of this one */
    uint32_t                  value;          /* of this one */
} ngx_media_mp4_run_t;


typedef struct {
    const ngx_media_mp4_moov_t  *moov;
    ngx_media_mp4_track_t       *track;
    uint32_t                     nsamples;
    uint32_t                     number;      /* of the next, from 0 */
    uint64_t                     offset;      /* of the next in this chunk */
    int64_t                      dts;
    ngx_uint_t                   notes;

    ngx_media_mp4_run_t          stts;
    ngx_media_mp4_run_t          ctts;
    ngx_media_mp4_run_t          stss;        /* value: number of the next */
    ngx_media_mp4_run_t          stps;
    ngx_media_mp4_run_t          rap;         /* value: its group */
    ngx_media_mp4_run_t          stsc;        /* value: chunks of this entry
                                                 that are left */
    uint32_t                     chunk_samples;
    uint32_t                     description;
    const u_char                *chunk;       /* stco, co64 */
    uint32_t                     chunks;      /* left */
    uint32_t                     chunk_number;  /* of the next, from 1 */
    uint32_t                     chunk_left;  /* samples */

    uint32_t                     sample_size; /* of all, 0: in the table */
    uint32_t                     size_bits;   /* of an entry: 4, 8, 16, 32 */
    const u_char                *sizes;
    unsigned                     wide:1;      /* co64 */
    unsigned                     all_keys:1;
} ngx_media_mp4_samples_t;


/*
 * NGX_OK, there may be no sample at all; NGX_ERROR: see the error of moov.
 * The first sample has decode time 0.
 */
ngx_int_t ngx_media_mp4_samples_init(ngx_media_mp4_samples_t *it,
    const ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track);

/*
 * The next one in decode order.  NGX_DONE: none; track->decode_time is where
 * fragments go on then.  A hostile file may name 2^32 samples: the caller has
 * a limit.
 */
ngx_int_t ngx_media_mp4_samples_next(ngx_media_mp4_samples_t *it,
    ngx_media_index_sample_t *sample);


#endif /* _NGX_MEDIA_MP4_STBL_H_INCLUDED_ */
