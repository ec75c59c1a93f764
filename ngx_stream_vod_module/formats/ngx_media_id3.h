
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tags of timed metadata, ID3 version 2.4.0, of one frame each: hls.js makes
 * a cue of every frame of a tag.
 *
 *     "ID3" 04 00 00 size(4, seven bits each)
 *     frame: id(4) size(4, likewise) 00 00, then
 *         TXXX: 03 (UTF-8) description 00 value
 *         PRIV: owner 00 data
 */


#ifndef _NGX_MEDIA_ID3_H_INCLUDED_
#define _NGX_MEDIA_ID3_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_ID3_PRIV  ngx_media_fourcc('P', 'R', 'I', 'V')
#define NGX_MEDIA_ID3_TXXX  ngx_media_fourcc('T', 'X', 'X', 'X')


/*
 * All of a tag but the value or data, size bytes, which the caller writes
 * behind it; p == NULL: how much that is.  id is one of the above; name is the
 * description or the owner, without a zero in it, and ASCII: hls.js skips as
 * many bytes as it has characters, UTF-16, to find the value.  The whole tag
 * is less than 2^28 bytes.
 */
size_t ngx_media_id3_write_head(u_char *p, uint32_t id,
    const ngx_media_span_t *name, size_t size);


#endif /* _NGX_MEDIA_ID3_H_INCLUDED_ */
