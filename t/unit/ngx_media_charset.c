
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_charset.c formats/ngx_media_text.c */


#include "formats/ngx_media_charset.h"
#include "media_hex.h"


static void
check(const u_char *pos, size_t len, u_char **out, size_t *size)
{
    u_char  *in;

    in = tap_dup(pos, len);

    *size = ngx_media_charset_utf8(NULL, in, in + len);
    *out = malloc(*size ? *size : 1);

    if (ngx_media_charset_utf8(*out, in, in + len) != *size
        || *size > len * 3)
    {
        abort();
    }

    /* what comes out is UTF-8, and stays the same */

    if (ngx_media_charset_detect(*out, *out + *size)
        != NGX_MEDIA_CHARSET_UTF8)
    {
        ok(0, "not UTF-8");
    }

    free(in);
}


int
main(void)
{
    size_t    i, len, n, size;
    u_char   *out, *p;

    static const struct {
        const char           *name;
        const char           *in;
        ngx_media_charset_e   charset;
        const char           *out;
    } tests[] = {
        { "empty", "", NGX_MEDIA_CHARSET_UTF8, "" },
        { "ascii", "616263", NGX_MEDIA_CHARSET_UTF8, "abc" },
        { "utf-8", "c3a4e282acf09f9880", NGX_MEDIA_CHARSET_UTF8,
          "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "utf-8, mark", "efbbbfc3a4", NGX_MEDIA_CHARSET_UTF8, "\xc3\xa4" },
        { "utf-8, mark, malformed", "efbbbfc3c3a461e2",
          NGX_MEDIA_CHARSET_UTF8, "\xef\xbf\xbd\xc3\xa4" "a\xef\xbf\xbd" },
        { "utf-8, U+FFFD itself", "efbfbd", NGX_MEDIA_CHARSET_UTF8,
          "\xef\xbf\xbd" },
        { "utf-16, little", "fffe6100e400ac203dd800de",
          NGX_MEDIA_CHARSET_UTF16LE,
          "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "utf-16, big", "feff006100e420acd83dde00",
          NGX_MEDIA_CHARSET_UTF16BE,
          "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "utf-16, surrogates alone", "feffd83d0061de00d83d",
          NGX_MEDIA_CHARSET_UTF16BE,
          "\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd" },
        { "utf-16, half a unit", "fffe610062", NGX_MEDIA_CHARSET_UTF16LE,
          "a\xef\xbf\xbd" },
        { "utf-16, only a mark", "fffe", NGX_MEDIA_CHARSET_UTF16LE, "" },
        { "latin-1", "66fc72", NGX_MEDIA_CHARSET_LATIN1, "f\xc3\xbcr" },
        { "windows-1252", "80939485fc", NGX_MEDIA_CHARSET_LATIN1,
          "\xe2\x82\xac\xe2\x80\x9c\xe2\x80\x9d\xe2\x80\xa6\xc3\xbc" },
        { "no such character", "81ff", NGX_MEDIA_CHARSET_LATIN1,
          "\xc2\x81\xc3\xbf" },
        { "overlong", "c080", NGX_MEDIA_CHARSET_LATIN1,
          "\xc3\x80\xe2\x82\xac" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].in, &len);

        is(ngx_media_charset_detect(p, p + len), tests[i].charset, "%s",
           tests[i].name);

        check(p, len, &out, &size);
        is_text(out, size, tests[i].out, "%s: text", tests[i].name);
        free(out);

        for (n = 0; n < len; n++) {
            check(p, n, &out, &size);
            free(out);
        }

        free(p);
    }

    return done();
}
