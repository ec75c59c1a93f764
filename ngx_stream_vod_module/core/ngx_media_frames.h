
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the store and a file have in common: the frames of one track from one
 * cut to the next.  Whoever makes segments (CMAF, TS) takes these, and needs
 * not know where they come from.
 *
 * All of it is in the pool of whoever asked, and the media bytes, which are
 * not, stay as long as the response: pinned in the zone, or in an open file.
 * The bytes of all samples, in order, are those of the ranges, in order.
 */


#ifndef _NGX_MEDIA_FRAMES_H_INCLUDED_
#define _NGX_MEDIA_FRAMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_frame.h"


/* neighbours in the file are one range */

typedef struct {
    off_t                     offset;         /* in the file */
    size_t                    size;           /* bytes, not 0 */
    u_char                   *memory;         /* the same bytes, mapped; NULL:
                                                 they have to be read */
} ngx_media_piece_t;


typedef struct {
    const ngx_media_params_t *params;
    const ngx_media_sample_t *samples;        /* in decode order */
    uint32_t                  nsamples;       /* not 0 */
    uint64_t                  decode_time;    /* of the first, in
                                                 params->timescale */
    uint32_t                  delay;          /* the same scale: what has been
                                                 added to all cto; */
    uint32_t                  edit;           /* of it, delay of the init
                                                 segment's params */
    const ngx_media_piece_t
                             *ranges;
    ngx_uint_t                nranges;
    uint64_t                  bytes;          /* of all of them */
    ngx_fd_t                  fd;             /* what the offsets are of */
    ngx_str_t                 name;           /* of it, for logs */
} ngx_media_frames_t;


#endif /* _NGX_MEDIA_FRAMES_H_INCLUDED_ */
