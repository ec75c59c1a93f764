
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_latm.c formats/ngx_media_aac.c
         formats/ngx_media_bits.c formats/ngx_media_mp4_desc.c */


#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_latm.h"

#include <stdint.h>
#include <stdlib.h>


/* elements one after the other, as long as they say; a configuration that was
   taken out is one */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            n;
    ngx_int_t         rc;
    ngx_uint_t        i;
    const u_char     *last, *pos, *next;
    ngx_media_aac_t   aac;

    static ngx_media_latm_t  latm;

    ngx_media_latm_init(&latm);

    pos = data;
    last = data + size;
    next = latm.bytes;

    while (pos < last) {
        n = ngx_media_latm_size(pos, last);

        if (n == 0 || n > (size_t) (last - pos)) {
            pos++;
            continue;
        }

        rc = ngx_media_latm_parse(&latm, pos, pos + n);

        if (rc != NGX_OK && latm.nframes) {
            abort();
        }

        next = latm.bytes;

        for (i = 0; i < latm.nframes; i++) {
            if (latm.frames[i].pos != next
                || latm.frames[i].last <= next
                || latm.frames[i].last > latm.bytes + n)
            {
                abort();
            }

            next = latm.frames[i].last;
        }

        if (rc == NGX_OK
            && ngx_media_aac_parse(&aac, latm.mux.config,
                                   latm.mux.config + latm.mux.config_len)
               != NGX_OK)
        {
            abort();
        }

        pos += n;
    }

    return 0;
}
