
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A reader of the chunks that ngx_media_mp4_write_chunk() makes, frame by
 * frame.  It trusts nothing: any bytes may be given to it.
 */


#ifndef _NGX_MEDIA_MP4_CHUNK_H_INCLUDED_
#define _NGX_MEDIA_MP4_CHUNK_H_INCLUDED_


#include "formats/ngx_media_frame.h"


typedef struct {
    const u_char             *entry;          /* of trun, the next one */
    const u_char             *data;           /* of the next sample */
    const u_char             *last;           /* end of mdat, and of chunk */
    uint64_t                  decode_time;    /* of the next sample */
    uint32_t                  sequence;       /* mfhd */
    uint32_t                  left;           /* samples to come */
    uint32_t                  tfhd;           /* flags of the two boxes */
    uint32_t                  trun;
    uint32_t                  duration;       /* defaults */
    uint32_t                  size;
    uint32_t                  flags;
    uint32_t                  first;          /* flags of the next sample */
} ngx_media_mp4_reader_t;


typedef struct {
    ngx_media_sample_t        sample;
    uint64_t                  decode_time;
    const u_char             *data;           /* sample.size bytes, in the
                                                 input */
} ngx_media_mp4_frame_t;


/*
 * Opens the first chunk of [pos, last); boxes before its moof are skipped.
 * reader->last is where the next chunk of a segment begins.  NGX_DONE: no
 * moof there; NGX_ERROR: broken, or not of our making.
 */
ngx_int_t ngx_media_mp4_chunk_open(ngx_media_mp4_reader_t *reader,
    const u_char *pos, const u_char *last);

/* NGX_DONE after the last frame; NGX_ERROR: its data are not in mdat */
ngx_int_t ngx_media_mp4_chunk_next(ngx_media_mp4_reader_t *reader,
    ngx_media_mp4_frame_t *frame);


#endif /* _NGX_MEDIA_MP4_CHUNK_H_INCLUDED_ */
