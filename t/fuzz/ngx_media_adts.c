
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_adts.c formats/ngx_media_aac.c
         formats/ngx_media_bits.c formats/ngx_media_mp4_desc.c */


#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_adts.h"

#include <stdint.h>
#include <stdlib.h>


/* frames one after the other, and what their headers configure */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char               asc[NGX_MEDIA_ADTS_CONFIG];
    ngx_media_adts_t     adts;
    ngx_media_span_t     rest, frame;
    ngx_media_params_t   params;

    rest.pos = data;
    rest.last = data + size;

    while (ngx_media_adts_next(&rest, &adts, &frame) == NGX_OK) {

        if (frame.pos < data || frame.last > data + size
            || frame.pos > frame.last || rest.pos != frame.last)
        {
            abort();
        }

        if (ngx_media_adts_config(asc, &adts) == NGX_OK
            && ngx_media_aac_codec.config(&params, asc, asc + sizeof(asc))
               == NGX_ERROR)
        {
            abort();
        }
    }

    return 0;
}
