
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: formats/ngx_media_rtmp_hs.c -lcrypto */

/* data/rtmp_c1_ffmpeg.bin: C0 and C1 as ffmpeg 5.1 sent them */


#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "formats/ngx_media_rtmp_hs.h"
#include "tap.h"


static ngx_uint_t
verify(const u_char *p, ngx_uint_t scheme)
{
    size_t            offset;
    u_char            digest[NGX_MEDIA_RTMP_HS_DIGEST];
    u_char            data[NGX_MEDIA_RTMP_HS_SIZE];
    size_t            len;
    ngx_media_span_t  ranges[2];

    offset = ngx_media_rtmp_hs_offset(p, scheme);
    ngx_media_rtmp_hs_signed(p, offset, ranges);

    len = ngx_media_span_len(&ranges[0]);
    memcpy(data, ranges[0].pos, len);
    memcpy(data + len, ranges[1].pos, ngx_media_span_len(&ranges[1]));
    len += ngx_media_span_len(&ranges[1]);

    if (len != NGX_MEDIA_RTMP_HS_SIZE - NGX_MEDIA_RTMP_HS_DIGEST) {
        return 0;
    }

    HMAC(EVP_sha256(), ngx_media_rtmp_hs_client_key,
         NGX_MEDIA_RTMP_HS_CLIENT_KEY, data, len, digest, NULL);

    return memcmp(digest, p + offset, NGX_MEDIA_RTMP_HS_DIGEST) == 0;
}


int
main(void)
{
    int      good, sum;
    FILE    *f;
    size_t   offset;
    u_char   c1[1 + NGX_MEDIA_RTMP_HS_SIZE];
    u_char  *p;

    ok(memcmp(ngx_media_rtmp_hs_client_key, "Genuine Adobe Flash Player 001",
              NGX_MEDIA_RTMP_HS_CLIENT_KEY) == 0
       && sizeof(ngx_media_rtmp_hs_client_key) - 1
          == NGX_MEDIA_RTMP_HS_CLIENT_KEY + 32, "client key");
    ok(memcmp(ngx_media_rtmp_hs_server_key,
              "Genuine Adobe Flash Media Server 001",
              NGX_MEDIA_RTMP_HS_SERVER_KEY) == 0
       && sizeof(ngx_media_rtmp_hs_server_key) - 1
          == NGX_MEDIA_RTMP_HS_SERVER_LONG, "server key");
    is_mem(ngx_media_rtmp_hs_client_key + 30, 32,
           ngx_media_rtmp_hs_server_key + 36, 32, "the same tail");

    f = fopen("data/rtmp_c1_ffmpeg.bin", "rb");
    ok(f != NULL && fread(c1, sizeof(c1), 1, f) == 1, "C0 and C1 of ffmpeg");

    if (f) {
        fclose(f);
    }

    p = tap_dup(c1 + 1, NGX_MEDIA_RTMP_HS_SIZE);

    is(c1[0], NGX_MEDIA_RTMP_HS_VERSION, "C0");
    is(ngx_media_rtmp_hs_versioned(p), 1, "asks for digests");
    is(verify(p, 0), 0, "scheme 0 does not match");
    is(verify(p, 1), 1, "scheme 1 matches");

    p[NGX_MEDIA_RTMP_HS_SIZE - 1] ^= 1;
    is(verify(p, 1), 0, "the last byte counts");
    p[NGX_MEDIA_RTMP_HS_SIZE - 1] ^= 1;

    ngx_media_rtmp_hs_prologue(p, 0x01020304, 0);
    is_mem(p, 8, "\1\2\3\4\0\0\0\0", 8, "prologue");
    is(ngx_media_rtmp_hs_versioned(p), 0, "plain");
    is(verify(p, 1), 0, "the first bytes count");

    /* any four bytes that are summed */

    good = 1;

    for (sum = 0; sum <= 4 * 255; sum++) {

        memset(p, 0, NGX_MEDIA_RTMP_HS_SIZE);
        p[8] = p[772] = ngx_min(sum, 255);
        p[9] = p[773] = ngx_min(sum - p[8], 255);
        p[10] = p[774] = ngx_min(sum - p[8] - p[9], 255);
        p[11] = p[775] = sum - p[8] - p[9] - p[10];

        offset = ngx_media_rtmp_hs_offset(p, 0);
        good = good && offset == 772 + 4 + (size_t) sum % 728
               && offset + NGX_MEDIA_RTMP_HS_DIGEST <= NGX_MEDIA_RTMP_HS_SIZE;

        offset = ngx_media_rtmp_hs_offset(p, 1);
        good = good && offset == 8 + 4 + (size_t) sum % 728
               && offset + NGX_MEDIA_RTMP_HS_DIGEST <= 772;
    }

    ok(good, "offsets");

    free(p);

    return done();
}
