
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which bytes of an MP4 file to read, in what order: the boxes of the top
 * level, of which only those that describe the media are read whole.
 *
 *     ngx_media_mp4_file_init(&file, size);
 *     file.max = ...;
 *     n = 0;
 *
 *     for ( ;; ) {
 *         rc = ngx_media_mp4_file_next(&file, p, p + n);
 *
 *         NGX_AGAIN  read at file.offset, at least file.want bytes, to p; n is
 *                    what there was, more is welcome
 *         NGX_OK     file.box is a moov, moof, sidx or mfra, whole, its body
 *                    in what was given; deal with it, then n = 0
 *         NGX_DONE   the end of the file
 *         NGX_ERROR  file.error
 *     }
 *
 * A moov without mvex (ngx_media_mp4_moov_t.fragmented) is all there is.  A
 * fragment is there when all of its data are: this is asked by
 * ngx_media_mp4_moof_end() and file.size.  If it is not, or at NGX_DONE, then
 * file.resume, resp. the offset of that moof, is where a file that has grown
 * is gone on with, by ngx_media_mp4_file_resume().
 */


#ifndef _NGX_MEDIA_MP4_FILE_H_INCLUDED_
#define _NGX_MEDIA_MP4_FILE_H_INCLUDED_


#include "formats/ngx_media_mp4_box.h"


/* what is read where a box begins: most moof boxes are no larger */
#define NGX_MEDIA_MP4_FILE_READ  4096

/* the default of max: moov of a film of 12 hours has less than half of it */
#define NGX_MEDIA_MP4_FILE_MAX_BOX  (128 * 1024 * 1024)


typedef struct {
    uint64_t                  size;           /* of the file */
    size_t                    max;            /* of a box that is read */
    unsigned                  again:1;        /* set by the caller: a moov
                                                 after the first is given,
                                                 too, and not passed over */
    uint64_t                  offset;         /* where to read, and */
    size_t                    want;           /* how much of it */
    uint64_t                  resume;         /* boxes before it are dealt
                                                 with */
    ngx_media_mp4_box_t       box;
    ngx_media_mp4_error_t     error;
    unsigned                  moov:1;         /* there was one */
    unsigned                  garbage:1;      /* the file ends with what is no
                                                 box, or with part of one */
} ngx_media_mp4_file_t;


void ngx_media_mp4_file_init(ngx_media_mp4_file_t *file, uint64_t size);

/* moov was read earlier; goes on at offset */
void ngx_media_mp4_file_resume(ngx_media_mp4_file_t *file, uint64_t size,
    uint64_t offset);

ngx_int_t ngx_media_mp4_file_next(ngx_media_mp4_file_t *file,
    const u_char *pos, const u_char *last);


#endif /* _NGX_MEDIA_MP4_FILE_H_INCLUDED_ */
