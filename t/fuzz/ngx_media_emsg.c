
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_emsg.c */


/* what is read lies inside of the box, and is the same bytes when written */


#include "formats/ngx_media_emsg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
inside(const ngx_media_span_t *span, const u_char *pos, const u_char *last)
{
    if (span->pos < pos || span->last > last || span->pos > span->last) {
        abort();
    }
}


/* the body of a box */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char            *p;
    const u_char      *last;
    ngx_media_emsg_t   emsg;

    last = data + size;

    if (ngx_media_emsg_read(&emsg, data, last) != NGX_OK) {
        return 0;
    }

    if (emsg.version > 1 || emsg.timescale == 0 || emsg.data.last != last) {
        abort();
    }

    inside(&emsg.scheme, data + 4, last);
    inside(&emsg.value, data + 4, last);
    inside(&emsg.data, data + 4, last);

    if (memchr(emsg.scheme.pos, 0, ngx_media_span_len(&emsg.scheme))
        || memchr(emsg.value.pos, 0, ngx_media_span_len(&emsg.value))
        || ngx_media_emsg_write(NULL, &emsg) != size + 8)
    {
        abort();
    }

    p = malloc(size + 8);

    /* flags are not kept */

    if (p == NULL || ngx_media_emsg_write(p, &emsg) != size + 8
        || memcmp(p + 12, data + 4, size - 4) != 0)
    {
        abort();
    }

    free(p);

    return 0;
}
