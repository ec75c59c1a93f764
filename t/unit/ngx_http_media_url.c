
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: http/ngx_http_media_kind.c http/ngx_http_media_url.c */


#include "http_kinds.h"
#include "tap.h"


/* what a row of kinds is known by: suffix, stem, tracks */

#define MULTI        "index.m3u8", ngx_http_media_url_all, NULL
#define TS_MULTI     "ts.m3u8", ngx_http_media_url_all, NULL
#define MPD          "manifest.mpd", ngx_http_media_url_all, NULL
#define CLOCK        "time.txt", ngx_http_media_url_all, NULL
#define SHEETS       "thumbs.vtt", ngx_http_media_url_all, NULL
#define CLIP         "clip.mp4", ngx_http_media_url_all, NULL
#define PLAYLIST     ".m3u8", ngx_http_media_url_track, "vat"
#define IFRAMES      ".iframes.m3u8", ngx_http_media_url_track, "v"
#define TS_PLAYLIST  ".ts.m3u8", ngx_http_media_url_pair, "vat"
#define TS_IFRAMES   ".ts.iframes.m3u8", ngx_http_media_url_track, "v"
#define THUMB        ".jpg", ngx_http_media_url_thumb, NULL
#define NEWEST       ".jpg", ngx_http_media_url_newest, NULL
#define SHEET        ".jpg", ngx_http_media_url_segment, "i"
#define INIT         ".mp4", ngx_http_media_url_init, "vat"
#define SEGMENT      ".m4s", ngx_http_media_url_segment, "vat"
#define PART         ".m4s", ngx_http_media_url_part, "vat"
#define RUN          ".m4s", ngx_http_media_url_run, "vat"
#define KEY          ".m4s", ngx_http_media_url_segment, "k"
#define TS_SEGMENT   ".ts", ngx_http_media_url_segment, "va"
#define TS_KEY       ".ts", ngx_http_media_url_segment, "k"
#define VTT          ".vtt", ngx_http_media_url_segment, "t"
#define TS_VTT       ".ts.vtt", ngx_http_media_url_segment, "t"
#define FLV          ".flv", NULL, NULL


typedef struct {
    const char             *path;
    const char             *suffix;
    ngx_http_media_url_pt   stem;
    const char             *tracks;
    const char             *name;
    const char             *track;
    uint64_t                number;           /* or init, or time */
    uint32_t                part;             /* or tag, or width */
} url_good_t;


static const url_good_t  url_good[] = {

    { "demo/index.m3u8", MULTI, "demo", "", 0, 0 },
    { "demo/manifest.mpd", MPD, "demo", "", 0, 0 },
    { "demo/time.txt", CLOCK, "demo", "", 0, 0 },
    { "demo/v1.m3u8", PLAYLIST, "demo", "v1", 0, 0 },
    { "a/b/c/a12.m3u8", PLAYLIST, "a/b/c", "a12", 0, 0 },
    { "demo/t1.m3u8", PLAYLIST, "demo", "t1", 0, 0 },
    { "demo/v9999.m3u8", PLAYLIST, "demo", "v9999", 0, 0 },
    { "demo/v1.iframes.m3u8", IFRAMES, "demo", "v1", 0, 0 },

    { "demo/v1/init-0123456789abcdef.mp4", INIT, "demo", "v1",
      0x0123456789abcdefull, 0 },
    { "demo/v1/init-0000000000000000.mp4", INIT, "demo", "v1",
      0, 0 },

    { "demo/v1/0.m4s", SEGMENT, "demo", "v1", 0, 0 },
    { "demo/v1/1795222800.m4s", SEGMENT, "demo", "v1",
      1795222800, 0 },
    { "demo/v1/9223372036854775807.m4s", SEGMENT, "demo",
      "v1", 9223372036854775807ull, 0 },

    { "demo/a1/12.0.m4s", PART, "demo", "a1", 12, 0 },
    { "demo/a1/12.34.m4s", PART, "demo", "a1", 12, 34 },
    { "demo/a1/12.4294967295.m4s", PART, "demo", "a1", 12,
      4294967295u },

    { "demo/v1/t0.m4s", RUN, "demo", "v1", 0, 0 },
    { "demo/v1/t646280208000000.m4s", RUN, "demo", "v1",
      646280208000000ull, 0 },

    { "demo/ts.m3u8", TS_MULTI, "demo", "", 0, 0 },
    { "demo/v1-a2.ts.m3u8", TS_PLAYLIST, "demo", "v1-a2", 0,
      0 },
    { "demo/a1.ts.m3u8", TS_PLAYLIST, "demo", "a1", 0, 0 },
    { "d/m.mp4/t1.ts.m3u8", TS_PLAYLIST, "d/m.mp4", "t1", 0,
      0 },
    { "demo/v1.ts.iframes.m3u8", TS_IFRAMES, "demo", "v1", 0,
      0 },
    { "demo/v1-a1/7.ts", TS_SEGMENT, "demo", "v1-a1", 7, 0 },
    { "demo/v1-a1/0a1b2c3d-7.ts", TS_SEGMENT, "demo", "v1-a1",
      7, 0x0a1b2c3d },
    { "demo/a2/7.ts", TS_SEGMENT, "demo", "a2", 7, 0 },
    { "demo/k1/7.ts", TS_KEY, "demo", "k1", 7, 0 },
    { "demo/k1/0a1b2c3d-7.m4s", KEY, "demo", "k1", 7,
      0x0a1b2c3d },
    { "d/m.mp4/v1/0a1b2c3d-0.m4s", SEGMENT, "d/m.mp4", "v1",
      0, 0x0a1b2c3d },
    { "d/m.mp4/t2/ffffffff-12.vtt", VTT, "d/m.mp4", "t2", 12,
      0xffffffff },
    { "d/m.mp4/t2/ffffffff-12.ts.vtt", TS_VTT, "d/m.mp4", "t2",
      12, 0xffffffff },
    { "d/m.mp4/i1/ffffffff-12.jpg", SHEET, "d/m.mp4", "i1",
      12, 0xffffffff },
    { "d/m.mp4/thumbs.vtt", SHEETS, "d/m.mp4", "", 0, 0 },
    { "d/m.mp4/thumb-0.jpg", THUMB, "d/m.mp4", "", 0, 0 },
    { "d/m.mp4/thumb-12500-w320.jpg", THUMB, "d/m.mp4", "",
      12500, 320 },
    { "demo/thumb.jpg", NEWEST, "demo", "", 0, 0 },
    { "demo/thumb-w320.jpg", NEWEST, "demo", "", 0, 320 },
    { "a/thumb/thumb.jpg", NEWEST, "a/thumb", "", 0, 0 },
    { "d/m.mp4/clip.mp4", CLIP, "d/m.mp4", "", 0, 0 },
    { "_,a,b,.mp4.urlset/index.m3u8", MULTI,
      "_,a,b,.mp4.urlset", "", 0, 0 },

    { "demo.flv", FLV, "demo", "", 0, 0 },
    { "eu/cam/1.flv", FLV, "eu/cam/1", "", 0, 0 },
    { "demo.flv.flv", FLV, "demo.flv", "", 0, 0 },

    /* names that look like files and tracks */
    { "v1/v1.m3u8", PLAYLIST, "v1", "v1", 0, 0 },
    { "demo/v1/index.m3u8", MULTI, "demo/v1", "", 0, 0 },
    { "demo/v1/v1/7.m4s", SEGMENT, "demo/v1", "v1", 7, 0 },
    { "index.m3u8/index.m3u8", MULTI, "index.m3u8", "", 0, 0 },
    { ".../index.m3u8", MULTI, "...", "", 0, 0 },
    { "\xc3\xa4 b/index.m3u8", MULTI, "\xc3\xa4 b", "", 0, 0 }
};


static const char  *url_bad[] = {

    "",
    "/",
    ".flv",
    "demo/.flv",
    "/demo.flv",
    "a//demo.flv",
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
    "demo/v12345678.m3u8",
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
    "demo/a1-v1/7.ts",
    "demo/v1-a1-a2/7.ts",
    "demo/v1-/7.ts",
    "demo/-a1/7.ts",
    "demo/v1-v2/7.ts",
    "demo/t1/7.ts",
    "demo/v1-a1/7.m4s",
    "demo/v1-a1/t7.ts",
    "demo/v1-a1.m3u8",
    "demo/a1-v1.ts.m3u8",
    "demo/a1.ts.iframes.m3u8",
    "demo/v1-a1.ts.iframes.m3u8",
    "demo/k1/init-0123456789abcdef.mp4",
    "demo/k1.m3u8",
    "demo/k1/7.0.m4s",
    "demo/k0/7.m4s",
    "demo/v1/0A1b2c3d-7.m4s",
    "demo/v1/0a1b2c3-7.m4s",
    "demo/v1/0a1b2c3d-07.m4s",
    "demo/v1/0a1b2c3d-.m4s",
    "demo/v1/0a1b2c3d-7.0.m4s",
    "demo/v1/7.vtt",
    "demo/v1/7.jpg",
    "thumb.jpg",
    "demo/thumb-.jpg",
    "demo/thumbs.jpg",
    "demo/thumb-w.jpg",
    "demo/thumb-w0.jpg",
    "demo/thumb-w01.jpg",
    "demo/thumb-w4294967296.jpg",
    "demo/thumb-w320-.jpg",
    "demo/thumb-w320-1.jpg",
    "demo/thumb-1-.jpg",
    "demo/thumb-1-w.jpg",
    "demo/thumb-1-w0.jpg",
    "demo/thumb-1-w01.jpg",
    "demo/thumb-01.jpg",
    "demo/clips.mp4",
    "de\x01mo/index.m3u8",
    "de\nmo/index.m3u8",
    "de\x7fmo/index.m3u8"
};


static ngx_int_t
url_parse(const char *path, size_t len, ngx_http_media_url_t *url, char **copy)
{
    *copy = tap_dup(path, len);

    return ngx_http_media_url_parse(ngx_http_media_kinds, (u_char *) *copy,
                                    (u_char *) *copy + len, url);
}


static uint64_t
url_value(const ngx_http_media_url_t *url)
{
    if (url->kind->stem == ngx_http_media_url_init) {
        return url->init;
    }

    return url->time ? (uint64_t) url->time : url->number;
}


/* whatever is accepted is within the input and within the limits */

static int
url_sane(const ngx_http_media_url_t *url, const char *p, size_t len)
{
    if (url->kind < ngx_http_media_kinds
        || url->kind->suffix.len == 0
        || url->name.len == 0
        || url->name.len > NGX_HTTP_MEDIA_URL_NAME_MAX
        || url->name.data != (u_char *) p
        || url->name.len >= len)
    {
        return 0;
    }

    if (url->track.len == 0) {
        return url->kind->folder == NULL && url->kind->tracks == NULL;
    }

    return url->track.data > (u_char *) p
           && url->track.data + url->track.len < (u_char *) p + len;
}


static void
url_is_kind(const ngx_http_media_kind_t *kind, const url_good_t *good)
{
    is_str(&kind->suffix, good->suffix, "suffix");
    ok(kind->stem == good->stem, "stem");
    ok(kind->tracks == good->tracks
       || (kind->tracks && good->tracks
           && strcmp(kind->tracks, good->tracks) == 0), "tracks");
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
        url_is_kind(url.kind, &url_good[i]);
        is_str(&url.name, url_good[i].name, "name");
        is_str(url.folder.len ? &url.folder : &url.track, url_good[i].track,
               "track");
        is_hex(url_value(&url), url_good[i].number, "number");
        is(url.tagged ? url.tag : url.width ? url.width : url.part,
           url_good[i].part, "part, tag or width");
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
    char                  *copy, path[NGX_HTTP_MEDIA_URL_NAME_MAX + 32];
    size_t                 len;
    ngx_http_media_url_t   url;

    memset(path, 'x', sizeof(path));

    len = NGX_HTTP_MEDIA_URL_NAME_MAX;
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


/* what a row says fits together */

static void
url_test_kinds(void)
{
    size_t                        i;
    ngx_str_t                     type;
    ngx_uint_t                    number, track;
    ngx_http_media_url_t          url;
    const ngx_http_media_kind_t  *kind;

    memset(&url, 0, sizeof(url));

    for (kind = ngx_http_media_kinds; kind->suffix.len; kind++) {
        number = kind->stem == ngx_http_media_url_segment
                 || kind->stem == ngx_http_media_url_part;
        track = kind->folder || kind->stem == ngx_http_media_url_track
                || kind->stem == ngx_http_media_url_pair;

        is(number, (kind->flags & NGX_HTTP_MEDIA_KIND_NUMBER) != 0,
           "%s: number", kind->suffix.data);
        is(kind->stem == ngx_http_media_url_part,
           (kind->flags & NGX_HTTP_MEDIA_KIND_PART) != 0, "part");
        is(kind->file && number,
           (kind->flags & NGX_HTTP_MEDIA_KIND_TAGGED) != 0, "tagged");
        is(track, kind->tracks != NULL, "tracks");
        ok(kind->live || kind->file, "somebody answers");
        ok(kind->count < NGX_HTTP_MEDIA_COUNT_KINDS, "it counts");

        for (i = 0; i < 3; i++) {
            url.kind = kind;
            url.track.data = (u_char *) &"v1a1t1"[i * 2];
            url.track.len = 2;

            ngx_http_media_kind_type(&url, &type);
            ok(type.len && strchr((char *) type.data, '/'), "type");
        }
    }

    for (i = 0; i < NGX_HTTP_MEDIA_COUNT_KINDS; i++) {
        ok(ngx_http_media_count_kinds[i] != NULL, "word %zu", i);
    }
}


int
main(void)
{
    url_test_good();
    url_test_bad();
    url_test_long();
    url_test_kinds();

    return done();
}
