
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_srt_km.h"
#include "formats/ngx_media_bytes.h"


/* draft-sharabayko-srt, 3.2.2 */

#define NGX_MEDIA_SRT_KM_BEGIN    0x122029    /* version 1, PT 2, "HAI" */
#define NGX_MEDIA_SRT_KM_AES_CTR  2
#define NGX_MEDIA_SRT_KM_SRT      2           /* stream encapsulation */


ngx_int_t
ngx_media_srt_km_parse(ngx_media_srt_km_t *km, const u_char *pos,
    const u_char *last)
{
    size_t              salt, keys;
    uint32_t            begin, cipher, auth;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, pos, last);

    begin = ngx_media_read_be24(&r);
    km->kk = ngx_media_read_8(&r) & NGX_MEDIA_SRT_KK_BOTH;

    (void) ngx_media_read_bytes(&r, 4);       /* KEKI */

    cipher = ngx_media_read_8(&r);
    auth = ngx_media_read_8(&r);

    (void) ngx_media_read_bytes(&r, 4);       /* SE, reserved */

    salt = ngx_media_read_8(&r) * 4;
    km->key = ngx_media_read_8(&r) * 4;

    if (r.err || begin != NGX_MEDIA_SRT_KM_BEGIN) {
        return NGX_ERROR;
    }

    /* others are as long as they like */

    if (cipher != NGX_MEDIA_SRT_KM_AES_CTR || auth != 0) {
        return NGX_DECLINED;
    }

    if (salt != NGX_MEDIA_SRT_KM_SALT
        || (km->key != 16 && km->key != 24 && km->key != 32)
        || km->kk == NGX_MEDIA_SRT_KK_CLEAR)
    {
        return NGX_ERROR;
    }

    keys = (km->kk == NGX_MEDIA_SRT_KK_BOTH) ? 2 : 1;

    ngx_media_read_span(&r, salt, &km->salt);
    ngx_media_read_span(&r, NGX_MEDIA_SRT_KM_WRAP + keys * km->key,
                        &km->wrapped);

    return (r.err || r.pos != r.last) ? NGX_ERROR : NGX_OK;
}


size_t
ngx_media_srt_km_write(u_char *p, const ngx_media_srt_km_t *km)
{
    size_t  salt, wrapped;

    salt = ngx_media_span_len(&km->salt);
    wrapped = ngx_media_span_len(&km->wrapped);

    if (p) {
        p = ngx_media_put_be24(p, NGX_MEDIA_SRT_KM_BEGIN);
        p = ngx_media_put_8(p, km->kk);
        p = ngx_media_put_be32(p, 0);
        p = ngx_media_put_8(p, NGX_MEDIA_SRT_KM_AES_CTR);
        p = ngx_media_put_8(p, 0);
        p = ngx_media_put_8(p, NGX_MEDIA_SRT_KM_SRT);
        p = ngx_media_put_8(p, 0);
        p = ngx_media_put_be16(p, 0);
        p = ngx_media_put_8(p, salt / 4);
        p = ngx_media_put_8(p, km->key / 4);
        p = ngx_cpymem(p, km->salt.pos, salt);
        (void) ngx_cpymem(p, km->wrapped.pos, wrapped);
    }

    return 16 + salt + wrapped;
}
