
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: http/ngx_http_media_url.c */


#include "core/ngx_media.h"
#include "http/ngx_http_media_url.h"
#include "tap.h"


typedef struct {
    const char             *path;
    ngx_http_media_kind_e   kind;
    const char             *name;
    const char             *track;
    uint64_t                number;           /* or init, or time */
    uint32_t                part;
} url_good_t;


static const url_good_t  url_good[] = {

    { "demo/index.m3u8", NGX_HTTP_MEDIA_MULTI, "demo", "", 0, 0 },
    { "demo/manifest.mpd", NGX_HTTP_MEDIA_MPD, "demo", "", 0, 0 },
    { "demo/time.txt", NGX_HTTP_MEDIA_TIME, "demo", "", 0, 0 },
    { "demo/v1.m3u8", NGX_HTTP_MEDIA_PLAYLIST, "demo", "v1", 0, 0 },
    { "a/b/c/a12.m3u8", NGX_HTTP_MEDIA_PLAYLIST, "a/b/c", "a12", 0, 0 },
    { "demo/t1.m3u8", NGX_HTTP_MEDIA_PLAYLIST, "demo", "t1", 0, 0 },
    { "demo/v9999.m3u8", NGX_HTTP_MEDIA_PLAYLIST, "demo", "v9999", 0, 0 },
    { "demo/v1.iframes.m3u8", NGX_HTTP_MEDIA_IFRAMES, "demo", "v1", 0, 0 },

    { "demo/v1/init-0123456789abcdef.mp4", NGX_HTTP_MEDIA_INIT, "demo", "v1",
      0x0123456789abcdefull, 0 },
    { "demo/v1/init-0000000000000000.mp4", NGX_HTTP_MEDIA_INIT, "demo", "v1",
      0, 0 },

    { "demo/v1/0.m4s", NGX_HTTP_MEDIA_SEGMENT, "demo", "v1", 0, 0 },
    { "demo/v1/1795222800.m4s", NGX_HTTP_MEDIA_SEGMENT, "demo", "v1",
      1795222800, 0 },
    { "demo/v1/9223372036854775807.m4s", NGX_HTTP_MEDIA_SEGMENT, "demo",
      "v1", 9223372036854775807ull, 0 },

    { "demo/a1/12.0.m4s", NGX_HTTP_MEDIA_PART, "demo", "a1", 12, 0 },
    { "demo/a1/12.34.m4s", NGX_HTTP_MEDIA_PART, "demo", "a1", 12, 34 },
    { "demo/a1/12.4294967295.m4s", NGX_HTTP_MEDIA_PART, "demo", "a1", 12,
      4294967295u },

    { "demo/v1/t0.m4s", NGX_HTTP_MEDIA_RUN, "demo", "v1", 0, 0 },
    { "demo/v1/t646280208000000.m4s", NGX_HTTP_MEDIA_RUN, "demo", "v1",
      646280208000000ull, 0 },

    /* names that look like files and tracks */
    { "v1/v1.m3u8", NGX_HTTP_MEDIA_PLAYLIST, "v1", "v1", 0, 0 },
    { "demo/v1/index.m3u8", NGX_HTTP_MEDIA_MULTI, "demo/v1", "", 0, 0 },
    { "demo/v1/v1/7.m4s", NGX_HTTP_MEDIA_SEGMENT, "demo/v1", "v1", 7, 0 },
    { "index.m3u8/index.m3u8", NGX_HTTP_MEDIA_MULTI, "index.m3u8", "", 0, 0 },
    { ".../index.m3u8", NGX_HTTP_MEDIA_MULTI, "...", "", 0, 0 },
    { "\xc3\xa4 b/index.m3u8", NGX_HTTP_MEDIA_MULTI, "\xc3\xa4 b", "", 0, 0 }
};


static const char  *url_bad[] = {

    "",
    "/",
    "demo",
    "demo/",
    "index.m3u8",                     /* no name */
    "/index.m3u8",
    "//index.m3u8",
    "demo//index.m3u8",
    "/demo/index.m3u8",
    "a//b/index.m3u8",
    "v1/7.m4s",                       /* a track, but no name */
    "/v1/7.m4s",
    "demo/index.M3U8",
    "demo/Index.m3u8",
    "demo/.m3u8",
    "demo/manifest.m3u8",
    "demo/index.mpd",
    "demo/clock.txt",
    "demo/index.m3u8/",
    "demo/index.m3u8x",
    "demo/v.m3u8",
    "demo/v0.m3u8",
    "demo/v01.m3u8",
    "demo/v12345.m3u8",
    "demo/V1.m3u8",
    "demo/x1.m3u8",
    "demo/v1x.m3u8",
    "demo/v-1.m3u8",
    "demo/1v.m3u8",
    "demo/v1/init-.mp4",
    "demo/v1/init-0123456789abcde.mp4",
    "demo/v1/init-0123456789abcdef0.mp4",
    "demo/v1/init-0123456789ABCDEF.mp4",
    "demo/v1/init-0123456789abcdeg.mp4",
    "demo/v1/Init-0123456789abcdef.mp4",
    "demo/v1/0123456789abcdef.mp4",
    "demo/v1/init.mp4",
    "demo/x1/7.m4s",
    "demo/7.m4s",
    "demo/v1/.m4s",
    "demo/v1/-1.m4s",
    "demo/v1/+1.m4s",
    "demo/v1/07.m4s",
    "demo/v1/00.m4s",
    "demo/v1/7x.m4s",
    "demo/v1/7 .m4s",
    "demo/v1/0x7.m4s",
    "demo/v1/9223372036854775808.m4s",
    "demo/v1/18446744073709551616.m4s",
    "demo/v1/99999999999999999999999.m4s",
    "demo/v1/7..m4s",
    "demo/v1/.7.m4s",
    "demo/v1/7.07.m4s",
    "demo/v1/07.7.m4s",
    "demo/v1/7.7.7.m4s",
    "demo/v1/7.-1.m4s",
    "demo/v1/7.4294967296.m4s",
    "demo/v1/t.m4s",
    "demo/v1/t-1.m4s",
    "demo/v1/t01.m4s",
    "demo/v1/t1.0.m4s",
    "demo/v1/t9223372036854775808.m4s",
    "demo/v1/T1.m4s",
    "de\x01mo/index.m3u8",
    "de\nmo/index.m3u8",
    "de\x7fmo/index.m3u8"
};


static ngx_int_t
url_parse(const char *path, size_t len, ngx_http_media_url_t *url, char **copy)
{
    *copy = tap_dup(path, len);

    return ngx_http_media_url_parse((u_char *) *copy, (u_char *) *copy + len,
                                    url);
}


static uint64_t
url_value(const ngx_http_media_url_t *url)
{
    switch (url->kind) {

    case NGX_HTTP_MEDIA_INIT:
        return url->init;

    case NGX_HTTP_MEDIA_RUN:
        return url->time;

    default:
        return url->number;
    }
}


/* whatever is accepted is within the input and within the limits */

static int
url_sane(const ngx_http_media_url_t *url, const char *p, size_t len)
{
    if (url->kind >= NGX_HTTP_MEDIA_KINDS
        || url->name.len == 0
        || url->name.len > NGX_MEDIA_NAME_MAX
        || url->name.data != (u_char *) p
        || url->name.len >= len)
    {
        return 0;
    }

    if (url->track.len == 0) {
        return url->kind < NGX_HTTP_MEDIA_PLAYLIST;
    }

    return url->track.data > (u_char *) p
           && url->track.data + url->track.len < (u_char *) p + len;
}


static void
url_test_good(void)
{
    int                    sane;
    char                  *copy;
    size_t                 i, n, len;
    ngx_http_media_url_t   url;

    for (i = 0; i < sizeof(url_good) / sizeof(url_good[0]); i++) {
        len = strlen(url_good[i].path);

        is(url_parse(url_good[i].path, len, &url, &copy), NGX_OK, "\"%s\"",
           url_good[i].path);
        is(url.kind, url_good[i].kind, "kind");
        is_str(&url.name, url_good[i].name, "name");
        is_str(&url.track, url_good[i].track, "track");
        is_hex(url_value(&url), url_good[i].number, "number");
        is(url.part, url_good[i].part, "part");
        ok(url_sane(&url, copy, len), "within the input");

        free(copy);

        sane = 1;

        for (n = 0; n < len; n++) {
            if (url_parse(url_good[i].path, n, &url, &copy) == NGX_OK
                && !url_sane(&url, copy, n))
            {
                sane = 0;
            }

            free(copy);
        }

        ok(sane, "cut at every length");
    }
}


static void
url_test_bad(void)
{
    char                  *copy;
    size_t                 i;
    ngx_http_media_url_t   url;

    for (i = 0; i < sizeof(url_bad) / sizeof(url_bad[0]); i++) {
        is(url_parse(url_bad[i], strlen(url_bad[i]), &url, &copy),
           NGX_DECLINED, "not \"%s\"", url_bad[i]);
        free(copy);
    }

    is(url_parse("de\0mo/index.m3u8", 16, &url, &copy), NGX_DECLINED,
       "a zero in the name");
    free(copy);
}


static void
url_test_long(void)
{
    char                  *copy, path[NGX_MEDIA_NAME_MAX + 32];
    size_t                 len;
    ngx_http_media_url_t   url;

    memset(path, 'x', sizeof(path));

    len = NGX_MEDIA_NAME_MAX;
    memcpy(path + len, "/index.m3u8", 11);
    is(url_parse(path, len + 11, &url, &copy), NGX_OK, "the longest name");
    free(copy);

    path[len] = 'x';
    len++;
    memcpy(path + len, "/index.m3u8", 11);
    is(url_parse(path, len + 11, &url, &copy), NGX_DECLINED,
       "a name that is too long");
    free(copy);
}


int
main(void)
{
    url_test_good();
    url_test_bad();
    url_test_long();

    return done();
}
