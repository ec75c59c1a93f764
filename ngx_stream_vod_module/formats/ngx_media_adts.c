
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_adts.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"


#define NGX_MEDIA_ADTS_HEADER    7
#define NGX_MEDIA_ADTS_CRC       2
#define NGX_MEDIA_ADTS_RATES     13           /* above: reserved */


ngx_int_t
ngx_media_adts_parse(ngx_media_adts_t *adts, const u_char *pos,
    const u_char *last)
{
    uint32_t          bare;
    ngx_media_bits_t  br;

    if (last - pos < NGX_MEDIA_ADTS_HEADER || !ngx_media_adts_is(pos, last)) {
        return NGX_ERROR;
    }

    ngx_media_bits_init(&br, pos, pos + NGX_MEDIA_ADTS_HEADER);

    ngx_media_bits_skip(&br, 12 + 1 + 2);     /* syncword, ID, layer */
    bare = ngx_media_bits_get(&br, 1);        /* protection_absent */

    adts->object_type = ngx_media_bits_get(&br, 2) + 1;
    adts->rate = ngx_media_bits_get(&br, 4);
    ngx_media_bits_skip(&br, 1);
    adts->layout = ngx_media_bits_get(&br, 3);
    ngx_media_bits_skip(&br, 2 + 2);          /* copies, copyright */
    adts->size = ngx_media_bits_get(&br, 13);
    ngx_media_bits_skip(&br, 11);             /* buffer fullness */
    adts->blocks = ngx_media_bits_get(&br, 2) + 1;

    adts->header = NGX_MEDIA_ADTS_HEADER + (bare ? 0 : NGX_MEDIA_ADTS_CRC);

    if (adts->rate >= NGX_MEDIA_ADTS_RATES || adts->size < adts->header) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Where several blocks share a header, only a decoder knows where the second
 * one begins, unless there are CRCs; nobody writes that.
 */

ngx_int_t
ngx_media_adts_next(ngx_media_span_t *data, ngx_media_adts_t *adts,
    ngx_media_span_t *frame)
{
    if (data->pos == data->last) {
        return NGX_DONE;
    }

    if (ngx_media_adts_parse(adts, data->pos, data->last) != NGX_OK
        || adts->blocks != 1
        || ngx_media_span_len(data) < adts->size)
    {
        return NGX_ERROR;
    }

    frame->pos = data->pos + adts->header;
    frame->last = data->pos + adts->size;
    data->pos = frame->last;

    return NGX_OK;
}


/* 1.6.2.1 with a GASpecificConfig of three zero bits: frames of 1024 */

ngx_int_t
ngx_media_adts_config(u_char *p, const ngx_media_adts_t *adts)
{
    if (adts->layout == 0) {
        return NGX_DECLINED;
    }

    (void) ngx_media_put_be16(p, adts->object_type << 11 | adts->rate << 7
                                 | adts->layout << 3);

    return NGX_OK;
}
