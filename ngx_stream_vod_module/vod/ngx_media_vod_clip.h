
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A part of a file as a progressive MP4: its head is made here, and the media
 * are ranges of the file.  It begins with the key frame that is needed for
 * its first picture, and an edit list says where it is to be begun with.
 *
 * Only for sets of one clip, and of the file that has its first video: other
 * renditions are left out.
 */


#ifndef _NGX_MEDIA_VOD_CLIP_H_INCLUDED_
#define _NGX_MEDIA_VOD_CLIP_H_INCLUDED_


#include "vod/ngx_media_vod_set.h"


/* bytes of the head and of the list of ranges */
#define NGX_MEDIA_VOD_CLIP_MAX  (64 * 1024 * 1024)


typedef struct {
    /* set by the caller, who keeps all of it until it is done */
    const ngx_media_vod_source_t *source;
    int64_t                   from;           /* ms */
    int64_t                   to;             /* -1: to its end */

    /* the result; head and ranges: by malloc(), the caller frees both */
    ngx_uint_t                status;         /* 200; 404: there is nothing;
                                                 413, 500: see error */
    u_char                   *head;
    size_t                    len;
    ngx_media_piece_t *ranges;
    ngx_uint_t                nranges;
    uint64_t                  bytes;          /* of all of them */
    const ngx_media_vod_open_t *open;         /* what they are of */
    u_char                    error[NGX_MEDIA_VOD_ERROR];
} ngx_media_vod_clip_make_t;


/* in a thread: all samples are looked at; touches nothing of nginx */
void ngx_media_vod_clip_make(ngx_media_vod_clip_make_t *make);


#endif /* _NGX_MEDIA_VOD_CLIP_H_INCLUDED_ */
