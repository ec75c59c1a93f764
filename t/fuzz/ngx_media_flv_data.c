
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_flv_data.c formats/ngx_media_id3.c
         formats/ngx_media_json.c formats/ngx_media_text.c */


/*
 * Of any message: refused, or one frame TXXX in a tag that is as long as was
 * said, its description printable, its value JSON
 */


#include "formats/ngx_media_flv_data.h"
#include "formats/ngx_media_json.h"
#include "media_id3.h"

#include <stdint.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
json(const ngx_media_span_t *value)
{
    ngx_int_t                rc;
    ngx_media_json_t         json;
    ngx_media_json_token_t   token;

    ngx_media_json_init(&json, value->pos, value->last);

    do {
        rc = ngx_media_json_next(&json, &token);
    } while (rc == NGX_OK);

    /* arguments in an array: one deeper than that reader goes */

    if (rc != NGX_DONE && json.depth != NGX_MEDIA_JSON_DEPTH) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                *p;
    const u_char          *s;
    ngx_media_span_t       name, value;
    ngx_media_flv_data_t   message;

    if (ngx_media_flv_data_open(&message, data, data + size)
        != NGX_MEDIA_FLV_DATA_OK)
    {
        return 0;
    }

    if (message.size > NGX_MEDIA_FLV_DATA_MAX) {
        abort();
    }

    p = malloc(message.size);

    if (p == NULL) {
        abort();
    }

    ngx_media_flv_data_write(p, &message);
    media_id3_txxx(p, message.size, &name, &value);

    if (ngx_media_span_len(&name) != ngx_media_span_len(&message.name)) {
        abort();
    }

    for (s = name.pos; s < name.last; s++) {
        if (*s < 0x20 || *s > 0x7e) {
            abort();
        }
    }

    json(&value);

    free(p);

    return 0;
}
