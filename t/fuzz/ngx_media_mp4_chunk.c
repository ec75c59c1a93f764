
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_mp4_chunk.c */


#include "formats/ngx_media_mp4_chunk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                  *p, *pos, *last;
    volatile u_char          byte;
    ngx_media_mp4_frame_t    frame;
    ngx_media_mp4_reader_t   reader;

    p = malloc(size + 1);

    if (p == NULL) {
        abort();
    }

    memcpy(p + 1, data, size);

    pos = p + 1;
    last = p + 1 + size;

    while (ngx_media_mp4_chunk_open(&reader, pos, last) == NGX_OK) {

        while (ngx_media_mp4_chunk_next(&reader, &frame) == NGX_OK) {

            if (frame.sample.size) {
                byte = frame.data[0];
                byte = frame.data[frame.sample.size - 1];
                (void) byte;
            }
        }

        if (reader.last <= pos || reader.last > last) {
            abort();
        }

        pos = (u_char *) reader.last;
    }

    free(p);

    return 0;
}
