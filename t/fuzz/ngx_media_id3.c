
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_id3.c */


#include "formats/ngx_media_id3.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                 *p, *last;
    size_t                  n;
    uint64_t                time;
    ngx_media_id3_t         id3;
    ngx_media_span_t        owner, rest;
    ngx_media_id3_frame_t   frame;

    p = malloc(size + 1);

    if (p == NULL) {
        abort();
    }

    memcpy(p, data, size);
    last = p + size;

    (void) ngx_media_id3_size(p, last, &n);
    (void) ngx_media_id3_timestamp(p, last, &time);

    if (ngx_media_id3_open(&id3, p, last) == NGX_OK) {

        while (ngx_media_id3_next(&id3, &frame) == NGX_OK) {

            if (frame.data.pos < p || frame.data.last > last
                || frame.data.pos > frame.data.last)
            {
                abort();
            }

            if (ngx_media_id3_priv(&frame, &owner, &rest) == NGX_OK
                && (owner.pos > owner.last || rest.pos > rest.last
                    || rest.last > last))
            {
                abort();
            }
        }
    }

    free(p);

    return 0;
}
