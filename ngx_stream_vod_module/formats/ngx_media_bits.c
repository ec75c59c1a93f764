
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bits.h"


static void ngx_media_bits_fill(ngx_media_bits_t *br);


void
ngx_media_bits_init(ngx_media_bits_t *br, const u_char *pos,
    const u_char *last)
{
    ngx_memzero(br, sizeof(ngx_media_bits_t));

    br->pos = pos;
    br->last = last;
}


void
ngx_media_bits_init_nal(ngx_media_bits_t *br, const u_char *pos,
    const u_char *last)
{
    ngx_media_bits_init(br, pos, last);

    br->nal = 1;
}


uint32_t
ngx_media_bits_get(ngx_media_bits_t *br, ngx_uint_t n)
{
    uint32_t    part;
    uint64_t    value;
    ngx_uint_t  take;

    value = 0;
    br->read += n;

    while (n) {

        if (br->left == 0) {
            ngx_media_bits_fill(br);

            if (br->err) {
                return 0;
            }
        }

        take = ngx_min(n, br->left);
        br->left -= take;
        n -= take;

        part = (br->byte >> br->left) & ((1u << take) - 1);
        value = value << take | part;
    }

    return (uint32_t) value;
}


void
ngx_media_bits_skip(ngx_media_bits_t *br, uint64_t n)
{
    /* after an error a hostile count must not cost time */

    while (n > 32 && !br->err) {
        (void) ngx_media_bits_get(br, 32);
        n -= 32;
    }

    (void) ngx_media_bits_get(br, ngx_min(n, 32));
}


void
ngx_media_bits_align(ngx_media_bits_t *br)
{
    (void) ngx_media_bits_get(br, (8 - br->read % 8) % 8);
}


/* ISO/IEC 14496-10, 9.1 */

uint32_t
ngx_media_bits_ue(ngx_media_bits_t *br)
{
    uint64_t    value;
    ngx_uint_t  zeros;

    for (zeros = 0; ngx_media_bits_get(br, 1) == 0; zeros++) {

        if (br->err || zeros == 32) {
            br->err = 1;
            return 0;
        }
    }

    value = (1ull << zeros) - 1;
    value += ngx_media_bits_get(br, zeros);

    if (br->err || value > 0xffffffff) {
        br->err = 1;
        return 0;
    }

    return (uint32_t) value;
}


/* ISO/IEC 14496-10, 9.1.1 */

int32_t
ngx_media_bits_se(ngx_media_bits_t *br)
{
    uint32_t  value;

    value = ngx_media_bits_ue(br);

    if (value == 0xffffffff) {
        br->err = 1;
        return 0;
    }

    if (value & 1) {
        return (int32_t) (value / 2 + 1);
    }

    return - (int32_t) (value / 2);
}


static void
ngx_media_bits_fill(ngx_media_bits_t *br)
{
    if (br->nal && br->zeros >= 2 && br->pos < br->last && *br->pos == 3) {
        br->pos++;
        br->zeros = 0;
    }

    if (br->err || br->pos == br->last) {
        br->pos = br->last;
        br->byte = 0;
        br->left = 0;
        br->err = 1;
        return;
    }

    br->byte = *br->pos++;
    br->left = 8;
    br->zeros = (br->byte == 0) ? br->zeros + 1 : 0;
}
