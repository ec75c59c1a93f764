
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_bits.c */


#include "formats/ngx_media_bits.h"
#include "media_hex.h"


static void
test_get(void)
{
    size_t             len;
    u_char            *p;
    ngx_media_bits_t   br;

    p = media_hex("a5000003ff80", &len);
    ngx_media_bits_init(&br, p, p + len);

    is(ngx_media_bits_left(&br), 48, "left");
    is(ngx_media_bits_get(&br, 0), 0, "no bits");
    is(ngx_media_bits_get(&br, 1), 1, "one bit");
    is(ngx_media_bits_get(&br, 3), 2, "three bits");
    is(ngx_media_bits_left(&br), 44, "left");
    is_hex(ngx_media_bits_get(&br, 32), 0x5000003f, "32 bits");
    is_hex(ngx_media_bits_get(&br, 12), 0xf80, "12 bits, bytes as they are");
    is(ngx_media_bits_left(&br), 0, "nothing left");
    ok(!br.err, "no error at the end");
    is(ngx_media_bits_get(&br, 1), 0, "zero past the end");
    ok(br.err, "error past the end");
    is(ngx_media_bits_get(&br, 32), 0, "zero ever after");

    ngx_media_bits_init(&br, p, p + len);
    ngx_media_bits_skip(&br, 41);
    is(ngx_media_bits_get(&br, 7), 0, "skip");
    ok(!br.err, "no error");
    ngx_media_bits_skip(&br, (uint64_t) -1);
    ok(br.err, "skip past the end");

    ngx_media_bits_init(&br, p, p + 1);
    is(ngx_media_bits_get(&br, 16), 0, "no part of what is not whole");
    ok(br.err, "error");

    ngx_media_bits_init(&br, p, p + len);
    ngx_media_bits_align(&br);
    is(ngx_media_bits_get(&br, 8), 0xa5, "align at the start");
    (void) ngx_media_bits_get(&br, 1);
    ngx_media_bits_align(&br);
    is(ngx_media_bits_get(&br, 16), 0x0003, "align");

    ngx_media_bits_init(&br, NULL, NULL);
    is(ngx_media_bits_get(&br, 1), 0, "empty input");
    ok(br.err, "empty input, error");

    free(p);
}


static void
test_nal(void)
{
    size_t             i, len;
    u_char            *p;
    ngx_media_bits_t   br;

    static const struct {
        const char  *nal;
        const char  *rbsp;
    } tests[] = {
        { "000003", "0000" },
        { "00000301", "000001" },
        { "0000030000030001", "000000000001" },
        { "000000030300", "0000000300" },
        { "00030000", "00030000" },
        { "0000020003", "0000020003" },
        { "aa00000355000003", "aa0000550000" },
        { "0000030003", "00000003" },
        { "00000300000301", "0000000001" },
        { "", "" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        size_t   n, rlen;
        u_char  *rbsp;

        p = media_hex(tests[i].nal, &len);
        rbsp = media_hex(tests[i].rbsp, &rlen);

        ngx_media_bits_init_nal(&br, p, p + len);

        for (n = 0; n < rlen; n++) {
            if (ngx_media_bits_get(&br, 8) != rbsp[n]) {
                break;
            }
        }

        is(n, rlen, "nal %s", tests[i].nal);
        ok(!br.err, "no error");
        (void) ngx_media_bits_get(&br, 1);
        ok(br.err, "then the end");

        free(p);
        free(rbsp);
    }
}


static void
test_golomb(void)
{
    size_t             i, len;
    u_char            *p;
    ngx_media_bits_t   br;

    static const struct {
        const char  *bytes;
        uint32_t     ue;
        int32_t      se;
        unsigned     err;
    } tests[] = {
        { "80", 0, 0, 0 },
        { "40", 1, 1, 0 },
        { "60", 2, -1, 0 },
        { "20", 3, 2, 0 },
        { "28", 4, -2, 0 },
        { "38", 6, -3, 0 },
        { "10", 7, 4, 0 },
        { "0100", 127, 64, 0 },
        { "0001fffe", 65534, -32767, 0 },
        { "00000000ffffffff", 0, 0, 1 },
        { "0000000080000000", 0, 0, 1 },
        { "000000008000000000", 4294967295, 0, 2 },
        { "0000000100000000", 2147483647, 1073741824, 0 },
        { "00000001ffffffff", 4294967294, -2147483647, 0 },
        { "000000008000000080", 0, 0, 1 },
        { "00000000000000000000", 0, 0, 1 },
        { "", 0, 0, 1 },
        { "00", 0, 0, 1 },
        { "01", 0, 0, 1 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].bytes, &len);

        ngx_media_bits_init(&br, p, p + len);
        is(ngx_media_bits_ue(&br), tests[i].ue, "ue %s", tests[i].bytes);
        is(br.err, tests[i].err == 1, "ue %s, error", tests[i].bytes);

        ngx_media_bits_init(&br, p, p + len);
        is(ngx_media_bits_se(&br), tests[i].se, "se %s", tests[i].bytes);
        is(br.err, tests[i].err != 0, "se %s, error", tests[i].bytes);

        free(p);
    }
}


int
main(void)
{
    test_get();
    test_nal();
    test_golomb();

    return done();
}
