
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_adts.c formats/ngx_media_bits.c */


#include "formats/ngx_media_adts.h"
#include "media_hex.h"


/* headers as ffmpeg writes them, and what its configurations say */

static const struct {
    const char  *name;
    const char  *header;
    ngx_int_t    rc;
    unsigned     size;
    unsigned     header_size;
    unsigned     blocks;
    const char  *config;
} headers[] = {
    { "48 kHz, stereo", "fff14c8001bffc", NGX_OK, 13, 7, 1, "1190" },
    { "44.1 kHz, mono", "fff15040023ffc", NGX_OK, 17, 7, 1, "1208" },
    { "5.1", "fff14d8001bffc", NGX_OK, 13, 7, 1, "11b0" },
    { "with a CRC", "fff04c8001bffc", NGX_OK, 13, 9, 1, "1190" },
    { "MPEG-2", "fff94c8001bffc", NGX_OK, 13, 7, 1, "1190" },
    { "two blocks", "fff14c8001bffd", NGX_OK, 13, 7, 2, "1190" },
    { "layout in the frame", "fff14c0001bffc", NGX_OK, 13, 7, 1, NULL },
    { "the largest", "fff14c83ffff" "fc", NGX_OK, 8191, 7, 1, "1190" },
    { "shorter than its header", "fff14c8000dffc", NGX_ERROR, 0, 0, 0, NULL },
    { "rate 13", "fff1748001bffc", NGX_ERROR, 0, 0, 0, NULL },
    { "rate 15", "fff17c8001bffc", NGX_ERROR, 0, 0, 0, NULL },
    { "layer 3", "fffb4c8001bffc", NGX_ERROR, 0, 0, 0, NULL },
    { "no syncword", "ffe14c8001bffc", NGX_ERROR, 0, 0, 0, NULL },
    { "a raw frame", "21004990021900", NGX_ERROR, 0, 0, 0, NULL }
};


static void
check(ngx_uint_t i)
{
    size_t             len, n;
    u_char            *header, *part, *config, asc[NGX_MEDIA_ADTS_CONFIG];
    ngx_media_adts_t   adts;

    header = media_hex(headers[i].header, &len);

    is(ngx_media_adts_parse(&adts, header, header + len), headers[i].rc,
       "%s", headers[i].name);

    if (headers[i].rc == NGX_OK) {
        is(adts.size, headers[i].size, "%s: size", headers[i].name);
        is(adts.header, headers[i].header_size, "%s: header",
           headers[i].name);
        is(adts.blocks, headers[i].blocks, "%s: blocks", headers[i].name);

        if (headers[i].config) {
            config = media_hex(headers[i].config, &n);
            is(ngx_media_adts_config(asc, &adts), NGX_OK, "%s: config",
               headers[i].name);
            is_mem(asc, sizeof(asc), config, n, "%s: bytes",
                   headers[i].name);
            free(config);

        } else {
            is(ngx_media_adts_config(asc, &adts), NGX_DECLINED,
               "%s: no config", headers[i].name);
        }
    }

    for (n = 0; n < len; n++) {
        part = tap_dup(header, n);
        is(ngx_media_adts_parse(&adts, part, part + n), NGX_ERROR,
           "%s: %u bytes", headers[i].name, (unsigned) n);
        free(part);
    }

    free(header);
}


static void
test_next(void)
{
    size_t             len;
    u_char            *p;
    ngx_media_adts_t   adts;
    ngx_media_span_t   data, frame;

    p = media_hex("fff14c80015ffc" "212223" "fff04c80019ffc" "0000" "212324"
                  "fff14c80015ffc" "2122", &len);

    data.pos = p;
    data.last = p + len;

    is(ngx_media_adts_next(&data, &adts, &frame), NGX_OK, "next: first");
    is_mem(frame.pos, ngx_media_span_len(&frame), "\x21\x22\x23", 3,
           "next: without its header");
    is(ngx_media_adts_next(&data, &adts, &frame), NGX_OK, "next: second");
    is_mem(frame.pos, ngx_media_span_len(&frame), "\x21\x23\x24", 3,
           "next: without its CRC");
    is(ngx_media_adts_next(&data, &adts, &frame), NGX_ERROR,
       "next: one that is cut");

    data.pos = data.last;
    is(ngx_media_adts_next(&data, &adts, &frame), NGX_DONE, "next: none");

    free(p);

    p = media_hex("fff14c80015ffd" "212223", &len);
    data.pos = p;
    data.last = p + len;
    is(ngx_media_adts_next(&data, &adts, &frame), NGX_ERROR,
       "next: two blocks behind one header");
    free(p);
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        check(i);
    }

    test_next();

    return done();
}
