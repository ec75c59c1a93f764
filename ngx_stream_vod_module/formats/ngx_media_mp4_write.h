
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Writers of CMAF headers and chunks, ISO/IEC 14496-12 and 23000-19.
 * p == NULL: nothing is written, the size is returned.
 */


#ifndef _NGX_MEDIA_MP4_WRITE_H_INCLUDED_
#define _NGX_MEDIA_MP4_WRITE_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


/*
 * One CMAF chunk: [styp] moof mdat, ISO/IEC 23000-19, 7.4.5.  Its media data,
 * sum of sample sizes, is appended by the caller right after what is written
 * here.  Events (ngx_media_emsg.h) would stand behind styp.
 */

typedef struct {
    const ngx_media_sample_t *samples;        /* borrowed */
    ngx_uint_t                nsamples;
    uint64_t                  decode_time;    /* tfdt, in timescale */
    uint32_t                  sequence;       /* mfhd */
    uint32_t                  type;           /* ngx_media_type_e */
    unsigned                  styp:1;         /* first of its segment */
    uint32_t                  delay;          /* taken away from all cto */
} ngx_media_mp4_chunk_t;


/* what ngx_media_mp4_write_chunk() makes of n samples, at most */
#define NGX_MEDIA_MP4_STYP_SIZE  28
#define ngx_media_mp4_chunk_max(n)                                            \
    (NGX_MEDIA_MP4_STYP_SIZE + 108 + 16 * (size_t) (n))


/*
 * ftyp and moov of one track, track_ID 1; CMAF header, brand cmf2, or cmfc if
 * there is an edit list, for params->delay; returns 0 for an unknown codec
 */
size_t ngx_media_mp4_write_init(u_char *p, const ngx_media_params_t *params);

/* the matrix of tkhd, 36 bytes, for rotation; returns what is behind it */
u_char *ngx_media_mp4_write_matrix(u_char *p,
    const ngx_media_params_t *params);

/*
 * styp, moof and the header of mdat, multiples of four bytes long; the caller
 * sees to it that all sizes together are less than 2^31
 */
size_t ngx_media_mp4_write_chunk(u_char *p,
    const ngx_media_mp4_chunk_t *chunk);


#endif /* _NGX_MEDIA_MP4_WRITE_H_INCLUDED_ */
