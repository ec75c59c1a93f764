
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * base64url without padding, RFC 7515, 2, RFC 4648, 5: strict, so that each
 * value has one text only and a token cannot be written in two ways.
 */


#ifndef _NGX_MEDIA_BASE64_H_INCLUDED_
#define _NGX_MEDIA_BASE64_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* at most so many bytes come out of so many characters */
#define ngx_media_base64_size(len)  ((size_t) (len) / 4 * 3 + 2)


/*
 * Writes to p, which may be where the text begins; *len is the number of bytes.
 * NGX_ERROR: another character, a length or bits that no encoder writes.
 */
ngx_int_t ngx_media_base64_decode(u_char *p, size_t *len,
    const ngx_media_span_t *text);


#endif /* _NGX_MEDIA_BASE64_H_INCLUDED_ */
