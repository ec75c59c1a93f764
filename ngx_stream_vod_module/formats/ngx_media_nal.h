
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The NAL units of a frame as ISO BMFF carries them: each behind its length
 * (ISO/IEC 14496-15, 4.3.3).
 */


#ifndef _NGX_MEDIA_NAL_H_INCLUDED_
#define _NGX_MEDIA_NAL_H_INCLUDED_


#include "formats/ngx_media_bytes.h"


/*
 * The next NAL unit of what is left in frame; NGX_DONE after the last one,
 * NGX_ERROR if a length is zero or goes beyond the frame.
 */

static ngx_inline ngx_int_t
ngx_media_nal_next(ngx_media_span_t *frame, ngx_uint_t nal_length,
    ngx_media_span_t *nal)
{
    size_t      len;
    ngx_uint_t  i;

    if (frame->pos == frame->last) {
        return NGX_DONE;
    }

    if (ngx_media_span_len(frame) < nal_length) {
        return NGX_ERROR;
    }

    len = 0;

    for (i = 0; i < nal_length; i++) {
        len = len << 8 | *frame->pos++;
    }

    if (len == 0 || ngx_media_span_len(frame) < len) {
        return NGX_ERROR;
    }

    nal->pos = frame->pos;
    nal->last = frame->pos + len;
    frame->pos = nal->last;

    return NGX_OK;
}


#endif /* _NGX_MEDIA_NAL_H_INCLUDED_ */
