
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_base64.h"


static ngx_int_t ngx_media_base64_value(u_char c);


ngx_int_t
ngx_media_base64_decode(u_char *p, size_t *len, const ngx_media_span_t *text)
{
    u_char        *out;
    uint32_t       bits;
    ngx_int_t      value;
    ngx_uint_t     n;
    const u_char  *in;

    out = p;
    bits = 0;
    n = 0;

    for (in = text->pos; in < text->last; in++) {
        value = ngx_media_base64_value(*in);

        if (value == NGX_ERROR) {
            return NGX_ERROR;
        }

        bits = bits << 6 | (uint32_t) value;
        n += 6;

        if (n >= 8) {
            n -= 8;
            *out++ = (u_char) (bits >> n);
        }
    }

    /* a character that carries no byte, bits that are left and not zero */

    if (n == 6 || (bits & (((uint32_t) 1 << n) - 1))) {
        return NGX_ERROR;
    }

    *len = out - p;

    return NGX_OK;
}


static ngx_int_t
ngx_media_base64_value(u_char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    return c == '-' ? 62 : c == '_' ? 63 : NGX_ERROR;
}
