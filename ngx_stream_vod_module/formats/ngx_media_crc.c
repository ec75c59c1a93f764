
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_crc.h"


static uint32_t ngx_media_crc_bits(const u_char *pos, const u_char *last,
    ngx_uint_t bits, uint32_t polynomial);


/* by the four highest bits: sections are short */

static const uint32_t  ngx_media_crc_table[] = {
    0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9,
    0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005,
    0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61,
    0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd
};


uint32_t
ngx_media_crc32_mpeg(const u_char *pos, const u_char *last)
{
    uint32_t  crc;

    crc = 0xffffffff;

    for ( /* void */ ; pos < last; pos++) {
        crc ^= (uint32_t) *pos << 24;
        crc = crc << 4 ^ ngx_media_crc_table[crc >> 28];
        crc = crc << 4 ^ ngx_media_crc_table[crc >> 28];
    }

    return crc;
}


/* frames of silence are few and short: no table; bits are 8 or more */

static uint32_t
ngx_media_crc_bits(const u_char *pos, const u_char *last, ngx_uint_t bits,
    uint32_t polynomial)
{
    uint32_t    crc, high;
    ngx_uint_t  i;

    crc = 0;
    high = (uint32_t) 1 << (bits - 1);

    for ( /* void */ ; pos < last; pos++) {
        crc ^= (uint32_t) *pos << (bits - 8);

        for (i = 0; i < 8; i++) {
            crc = crc << 1 ^ ((crc & high) ? polynomial : 0);
        }

        crc &= (high << 1) - 1;
    }

    return crc;
}


uint32_t
ngx_media_crc16(const u_char *pos, const u_char *last)
{
    return ngx_media_crc_bits(pos, last, 16, 0x8005);
}


uint32_t
ngx_media_crc8(const u_char *pos, const u_char *last)
{
    return ngx_media_crc_bits(pos, last, 8, 0x07);
}
