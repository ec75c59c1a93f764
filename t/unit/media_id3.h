
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _MEDIA_ID3_H_INCLUDED_
#define _MEDIA_ID3_H_INCLUDED_


#include "formats/ngx_media_bytes.h"

#include <stdlib.h>
#include <string.h>


static inline size_t
media_id3_size(const u_char *p)
{
    if ((p[0] | p[1] | p[2] | p[3]) & 0x80) {
        abort();
    }

    return (size_t) p[0] << 21 | p[1] << 14 | p[2] << 7 | p[3];
}


/*
 * The description and the value of a tag that is one frame TXXX in UTF-8 and
 * nothing else; aborts on all others
 */

static inline void
media_id3_txxx(const u_char *p, size_t len, ngx_media_span_t *name,
    ngx_media_span_t *value)
{
    const u_char  *end;

    if (len < 22 || memcmp(p, "ID3\4\0\0", 6) != 0
        || media_id3_size(p + 6) != len - 10
        || memcmp(p + 10, "TXXX", 4) != 0
        || media_id3_size(p + 14) != len - 20
        || memcmp(p + 18, "\0\0\3", 3) != 0)
    {
        abort();
    }

    end = memchr(p + 21, '\0', len - 21);

    if (end == NULL) {
        abort();
    }

    name->pos = p + 21;
    name->last = end;
    value->pos = end + 1;
    value->last = p + len;
}


#endif /* _MEDIA_ID3_H_INCLUDED_ */
