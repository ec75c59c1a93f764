
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_rtmp_hs.h"


/*
 * C1 and S1: time (4), version (4), then two blocks of 764 bytes, in scheme
 * 0 key first, in scheme 1 digest first.  A digest block starts with four
 * bytes whose sum, modulo 728, is the digest's distance from their end; so
 * the digest ends within the block: 4 + 727 + 32 < 764.
 */

#define NGX_MEDIA_RTMP_HS_BLOCK  764
#define NGX_MEDIA_RTMP_HS_RANGE  728


const u_char  ngx_media_rtmp_hs_client_key[63] =
    "Genuine Adobe Flash Player 001"
    "\xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57"
    "\x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae";

const u_char  ngx_media_rtmp_hs_server_key[69] =
    "Genuine Adobe Flash Media Server 001"
    "\xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57"
    "\x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae";


ngx_uint_t
ngx_media_rtmp_hs_versioned(const u_char *p)
{
    return ngx_media_get_be32(p + 4) != 0;
}


size_t
ngx_media_rtmp_hs_offset(const u_char *p, ngx_uint_t scheme)
{
    size_t  base;

    base = 8;

    if (scheme == 0) {
        base += NGX_MEDIA_RTMP_HS_BLOCK;
    }

    p += base;

    return base + 4
           + (size_t) (p[0] + p[1] + p[2] + p[3]) % NGX_MEDIA_RTMP_HS_RANGE;
}


void
ngx_media_rtmp_hs_signed(const u_char *p, size_t offset,
    ngx_media_span_t ranges[2])
{
    ranges[0].pos = p;
    ranges[0].last = p + offset;
    ranges[1].pos = p + offset + NGX_MEDIA_RTMP_HS_DIGEST;
    ranges[1].last = p + NGX_MEDIA_RTMP_HS_SIZE;
}


void
ngx_media_rtmp_hs_prologue(u_char *p, uint32_t time, uint32_t version)
{
    p = ngx_media_put_be32(p, time);
    (void) ngx_media_put_be32(p, version);
}
