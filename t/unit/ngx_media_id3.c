
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_id3.c */


#include "formats/ngx_media_id3.h"
#include "media_hex.h"


static void
test_head(void)
{
    size_t             i, len, n;
    u_char            *p, *q;
    ngx_media_span_t   name;

    static const struct {
        const char  *title;
        uint32_t     id;
        const char  *name;
        size_t       size;
        const char  *head;
    } tests[] = {
        { "TXXX", NGX_MEDIA_ID3_TXXX, "abc", 2,
          "49443304000000000011" "54585858000000070000" "0361626300" },
        { "TXXX, no description", NGX_MEDIA_ID3_TXXX, "", 0,
          "4944330400000000000c" "54585858000000020000" "0300" },
        { "PRIV", NGX_MEDIA_ID3_PRIV, "o", 5,
          "49443304000000000011" "50524956000000070000" "6f00" },

        /* 7 bits a byte: of the frame, then of the tag */

        { "127", NGX_MEDIA_ID3_PRIV, "", 126,
          "49443304000000000109" "505249560000007f0000" "00" },
        { "128", NGX_MEDIA_ID3_PRIV, "", 127,
          "4944330400000000010a" "50524956000001000000" "00" },
        { "16383 and 16384", NGX_MEDIA_ID3_PRIV, "", 16382,
          "49443304000000010009" "5052495600007f7f0000" "00" },
        { "2097152", NGX_MEDIA_ID3_PRIV, "", 2097151,
          "4944330400000100000a" "50524956010000000000" "00" },
        { "the longest tag", NGX_MEDIA_ID3_PRIV, "", 0xfffffff - 11,
          "4944330400007f7f7f7f" "505249567f7f7f750000" "00" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        name.pos = (const u_char *) tests[i].name;
        name.last = name.pos + strlen(tests[i].name);

        p = media_hex(tests[i].head, &len);
        n = ngx_media_id3_write_head(NULL, tests[i].id, &name, tests[i].size);
        is(n, len, "%s: size", tests[i].title);

        q = malloc(len);
        is(ngx_media_id3_write_head(q, tests[i].id, &name, tests[i].size), len,
           "%s: written", tests[i].title);
        is_mem(q, len, p, len, "%s: bytes", tests[i].title);

        free(q);
        free(p);
    }
}


int
main(void)
{
    test_head();

    return done();
}
