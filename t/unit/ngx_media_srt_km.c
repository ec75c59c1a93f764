
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_srt_km.c */


#include "formats/ngx_media_srt_km.h"
#include "media_hex.h"
#include "tap.h"


#define SALT   "046135ad19aec51c9a303fcb4e04aeff"
#define KEY    "74e60542a347f6ccb5b5e185a27107a1"
#define KEY24  KEY "7fd208d6a6eeb4db"
#define KEY32  KEY KEY
#define SUM    "0123456789abcdef"


static struct {
    const char   *hex;
    ngx_int_t     rc;
    ngx_uint_t    kk;
    size_t        key;
    const char   *name;
} messages[] = {

    /* as libsrt 1.5.1 sends them */

    { "12202901" "00000000" "02000200" "00000404" SALT SUM KEY,
      NGX_OK, 1, 16, "even, 16 bytes" },
    { "12202902" "00000000" "02000200" "00000406" SALT SUM KEY24,
      NGX_OK, 2, 24, "odd, 24 bytes" },
    { "12202901" "00000000" "02000200" "00000408" SALT SUM KEY32,
      NGX_OK, 1, 32, "even, 32 bytes" },
    { "12202903" "00000000" "02000200" "00000404" SALT SUM KEY KEY,
      NGX_OK, 3, 16, "both, 16 bytes" },
    { "12202903" "00000000" "02000200" "00000408" SALT SUM KEY32 KEY32,
      NGX_OK, 3, 32, "both, 32 bytes" },

    { "12202901" "00000000" "04010200" "00000404" SALT SUM KEY,
      NGX_DECLINED, 0, 0, "AES-GCM" },
    { "12202901" "00000000" "04010200" "00000304" "00000000" SUM SUM KEY,
      NGX_DECLINED, 0, 0, "AES-GCM, and other lengths" },
    { "12202901" "00000000" "02010200" "00000404" SALT SUM KEY,
      NGX_DECLINED, 0, 0, "AES-CTR, authenticated" },
    { "12202901" "00000000" "01000200" "00000404" SALT SUM KEY,
      NGX_DECLINED, 0, 0, "AES-ECB" },

    { "", NGX_ERROR, 0, 0, "nothing" },
    { "04000000", NGX_ERROR, 0, 0, "a state" },
    { "22202901" "00000000" "02000200" "00000404" SALT SUM KEY,
      NGX_ERROR, 0, 0, "another version" },
    { "11202901" "00000000" "02000200" "00000404" SALT SUM KEY,
      NGX_ERROR, 0, 0, "another packet type" },
    { "12202801" "00000000" "02000200" "00000404" SALT SUM KEY,
      NGX_ERROR, 0, 0, "another signature" },
    { "12202900" "00000000" "02000200" "00000404" SALT SUM KEY,
      NGX_ERROR, 0, 0, "no key" },
    { "12202901" "00000000" "02000200" "00000403" SALT SUM KEY,
      NGX_ERROR, 0, 0, "12 bytes" },
    { "12202901" "00000000" "02000200" "00000400" SALT SUM KEY,
      NGX_ERROR, 0, 0, "a key of 0 bytes" },
    { "12202901" "00000000" "02000200" "000004ff" SALT SUM KEY,
      NGX_ERROR, 0, 0, "a key of 1020 bytes" },
    { "12202901" "00000000" "02000200" "00000004" SALT SUM KEY,
      NGX_ERROR, 0, 0, "a salt of 0 bytes" },
    { "12202901" "00000000" "02000200" "0000ff04" SALT SUM KEY,
      NGX_ERROR, 0, 0, "a salt of 1020 bytes" },
    { "12202903" "00000000" "02000200" "00000404" SALT SUM KEY,
      NGX_ERROR, 0, 0, "both, and one is missing" },
    { "12202901" "00000000" "02000200" "00000404" SALT SUM KEY KEY,
      NGX_ERROR, 0, 0, "one, and there are two" },
    { "12202901" "00000000" "02000200" "00000408" SALT SUM KEY,
      NGX_ERROR, 0, 0, "32 bytes, and there are 16" },
};


int
main(void)
{
    size_t              len, size, n;
    u_char             *p, *q;
    ngx_int_t           rc;
    ngx_uint_t          i, wrong;
    ngx_media_srt_km_t  km;

    for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        p = media_hex(messages[i].hex, &len);

        rc = ngx_media_srt_km_parse(&km, p, p + len);
        is(rc, messages[i].rc, "%s", messages[i].name);

        if (rc == NGX_OK) {
            is(km.kk, messages[i].kk, "%s: KK", messages[i].name);
            is(km.key, messages[i].key, "%s: bytes", messages[i].name);
            ok(km.salt.pos == p + 16 && km.salt.last == p + 32
               && km.wrapped.pos == p + 32 && km.wrapped.last == p + len,
               "%s: salt and keys", messages[i].name);

            size = ngx_media_srt_km_write(NULL, &km);
            is(size, len, "%s: size", messages[i].name);

            q = malloc(size);
            is(ngx_media_srt_km_write(q, &km), size, "%s: written",
               messages[i].name);
            is_mem(q, size, p, len, "%s: the same bytes", messages[i].name);
            free(q);
        }

        wrong = 0;

        for (n = 0; n < len && messages[i].rc == NGX_OK; n++) {
            q = tap_dup(p, n);
            wrong += ngx_media_srt_km_parse(&km, q, q + n) != NGX_ERROR;
            free(q);
        }

        is(wrong, 0, "%s: each shorter one", messages[i].name);

        free(p);
    }

    is(NGX_MEDIA_SRT_KM_SIZE, 16 + 16 + 8 + 64, "the longest");

    return done();
}
