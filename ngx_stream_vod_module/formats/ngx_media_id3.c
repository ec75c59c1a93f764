
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_id3.h"


/* ID3v2.4.0, main structure, 3.1 and 4; frames, 4 */
#define NGX_MEDIA_ID3_HEADER  10
#define NGX_MEDIA_ID3_UTF8    3


static u_char *ngx_media_id3_put_size(u_char *p, size_t size);


size_t
ngx_media_id3_write_head(u_char *p, uint32_t id, const ngx_media_span_t *name,
    size_t size)
{
    size_t  head, len;

    len = ngx_media_span_len(name);
    head = (id == NGX_MEDIA_ID3_TXXX) + len + 1;

    if (p == NULL) {
        return 2 * NGX_MEDIA_ID3_HEADER + head;
    }

    p = ngx_media_put_be24(p, 0x494433);      /* "ID3" */
    p = ngx_media_put_be24(p, 0x040000);
    p = ngx_media_id3_put_size(p, NGX_MEDIA_ID3_HEADER + head + size);

    p = ngx_media_put_be32(p, id);
    p = ngx_media_id3_put_size(p, head + size);
    p = ngx_media_put_be16(p, 0);

    if (id == NGX_MEDIA_ID3_TXXX) {
        p = ngx_media_put_8(p, NGX_MEDIA_ID3_UTF8);
    }

    if (len) {
        p = ngx_cpymem(p, name->pos, len);
    }

    (void) ngx_media_put_8(p, 0);

    return 2 * NGX_MEDIA_ID3_HEADER + head;
}


/* main structure, 6.2: seven bits of each byte */

static u_char *
ngx_media_id3_put_size(u_char *p, size_t size)
{
    p = ngx_media_put_8(p, size >> 21 & 0x7f);
    p = ngx_media_put_8(p, size >> 14 & 0x7f);
    p = ngx_media_put_8(p, size >> 7 & 0x7f);

    return ngx_media_put_8(p, size & 0x7f);
}
