
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _MEDIA_HEX_H_INCLUDED_
#define _MEDIA_HEX_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "tap.h"


/* bytes of a hexadecimal text, exactly as long as they are; to be freed */

static inline u_char *
media_hex(const char *text, size_t *len)
{
    u_char    *p, *q;
    size_t     i;
    unsigned   n;

    *len = strlen(text) / 2;
    p = malloc(*len + 1);

    if (p == NULL) {
        abort();
    }

    for (i = 0; i < *len; i++) {
        if (sscanf(text + i * 2, "%2x", &n) != 1) {
            abort();
        }

        p[i] = (u_char) n;
    }

    q = tap_dup(p, *len);
    free(p);

    return q;
}


#endif /* _MEDIA_HEX_H_INCLUDED_ */
