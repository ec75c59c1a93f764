
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_H264_STILL_H_INCLUDED_
#define _NGX_MEDIA_H264_STILL_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/*
 * A picture that shows again the one on show: a P picture of skipped macro-
 * blocks that nothing refers to, so pictures that follow need not know of it.
 * frames: all since an IDR picture, in decoding order, as CMAF carries them.
 * Writes one access unit of at most *len bytes to p, and its length to *len.
 * NGX_DECLINED: not for streams of this kind, or what frames need is not in
 * the configuration; NGX_ERROR: they are malformed.
 */
ngx_int_t ngx_media_h264_still(const ngx_media_params_t *params,
    const ngx_media_span_t *frames, ngx_uint_t n, u_char *p, size_t *len);


#endif /* _NGX_MEDIA_H264_STILL_H_INCLUDED_ */
