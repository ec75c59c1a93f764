
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Segments that were made, each in a file of the directory of converted files
 * (files/ngx_media_vod_temp.h), with the same kind of name: the bytes of its
 * samples, then a box with the table of these, and what it is and checksums
 * of all.  It has that name only when it is complete, and one that is not what
 * its end says is as if it were not there.
 *
 * All of this blocks, and is for threads, but for unref().
 */


#ifndef _NGX_MEDIA_VOD_MADE_H_INCLUDED_
#define _NGX_MEDIA_VOD_MADE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "files/ngx_media_vod_file.h"
#include "formats/ngx_media_frame.h"


/* of one segment; as of vod/ngx_media_vod_frames.c */
#define NGX_MEDIA_VOD_MADE_SAMPLES  65536
#define NGX_MEDIA_VOD_MADE_BYTES    0x7fff0000


/* an open one, by malloc(); made in a thread, then only read */

typedef struct {
    ngx_uint_t                refs;           /* the event loop's */
    ngx_fd_t                  fd;
    ngx_media_vod_id_t        id;             /* of what it is: a hash */
    uint64_t                  bytes;          /* of samples, from 0 on */
    uint32_t                  nsamples;       /* not 0 */
    ngx_media_sample_t       *samples;        /* cto may be negative */
    ngx_str_t                 path;
} ngx_media_vod_made_t;


typedef struct {
    ngx_fd_t                  fd;             /* INVALID: none is open */
    ngx_media_vod_id_t        id;
    const char               *directory;      /* borrowed */
    ngx_media_sample_t       *samples;
    uint32_t                  nsamples;
    uint32_t                  room;
    uint64_t                  bytes;
    uint32_t                  crc;            /* of them, not final */
    u_char                   *buf;            /* what is not written yet */
    size_t                    len;
    u_char                    name[NGX_MEDIA_VOD_PATH];
} ngx_media_vod_made_writer_t;


/* NULL: there is none that is whole, or no memory; it was used now */
ngx_media_vod_made_t *ngx_media_vod_made_open(const char *directory,
    const ngx_media_vod_id_t *id);

/* NULL is fine */
void ngx_media_vod_made_unref(ngx_media_vod_made_t *made);

/* NGX_ERROR: errno */
ngx_int_t ngx_media_vod_made_create(ngx_media_vod_made_writer_t *w,
    const char *directory, const ngx_media_vod_id_t *id);

/* size of the sample is not looked at; NGX_ERROR: errno */
ngx_int_t ngx_media_vod_made_add(ngx_media_vod_made_writer_t *w,
    const ngx_media_sample_t *sample, const u_char *pos, const u_char *last);

/* it is complete, and has its name; NGX_ERROR: errno */
ngx_int_t ngx_media_vod_made_commit(ngx_media_vod_made_writer_t *w);

/* what was not committed is deleted; as often as one likes */
void ngx_media_vod_made_close(ngx_media_vod_made_writer_t *w);


#endif /* _NGX_MEDIA_VOD_MADE_H_INCLUDED_ */
