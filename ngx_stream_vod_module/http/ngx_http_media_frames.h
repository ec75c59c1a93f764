
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Responses made of frames (core/ngx_media_frames.h): CMAF segments, whose
 * media go out as they lie in the file, and what has to be made: those of
 * finely interleaved files, and MPEG-TS.  The latter are produced as the
 * client takes them, in bounded memory, and read in a thread.
 *
 * All headers but Content-Length and ranges are set by the caller; what the
 * frames point to stays until the request ends.  What is returned is a content
 * handler's.
 */


#ifndef _NGX_HTTP_MEDIA_FRAMES_H_INCLUDED_
#define _NGX_HTTP_MEDIA_FRAMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media_frames.h"


/*
 * One CMAF chunk.  sequence: of its mfhd.  thread_pool: for what must be
 * read; NULL if all ranges have memory.
 */
ngx_int_t ngx_http_media_frames_cmaf(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, uint32_t sequence,
    ngx_thread_pool_t *thread_pool);

/*
 * A segment of MPEG-TS of n tracks, video first, at times that have
 * NGX_MEDIA_TS_OFFSET added.  number: of the segment.
 */
ngx_int_t ngx_http_media_frames_ts(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_uint_t n, uint64_t number,
    ngx_thread_pool_t *thread_pool);

/*
 * What a head and the ranges of frames are, params and samples are not looked
 * at; the head stays, too.
 */
ngx_int_t ngx_http_media_frames_head(ngx_http_request_t *r,
    const ngx_media_frames_t *frames, ngx_str_t *head,
    ngx_thread_pool_t *thread_pool);


#endif /* _NGX_HTTP_MEDIA_FRAMES_H_INCLUDED_ */
