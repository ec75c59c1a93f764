
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The frames of segments of the store, for whoever makes something else than
 * CMAF of them.
 */


#ifndef _NGX_MEDIA_TRACK_FRAMES_H_INCLUDED_
#define _NGX_MEDIA_TRACK_FRAMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_frames.h"
#include "core/ngx_media_read.h"


/*
 * Of a complete segment, whose ranges the caller has pinned and keeps pinned
 * while the frames are used.  All ranges of the frames have memory.
 * NGX_OK; NGX_DECLINED: it has none; NGX_DONE: what describes them has gone
 * with its stream; NGX_ERROR: no memory, or the chunks are broken.
 */
ngx_int_t ngx_media_track_frames(const ngx_media_track_ref_t *ref,
    const ngx_media_segment_t *segment, ngx_pool_t *pool,
    ngx_media_frames_t *frames);


#endif /* _NGX_MEDIA_TRACK_FRAMES_H_INCLUDED_ */
