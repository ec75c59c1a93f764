
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_args.c formats/ngx_media_text.c */


/* arguments in the URIs of playlists: where they are put, and which may be */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_args.h"
#include "tap.h"


#define ARGS  "s=a%2Fb-_=&e=1"


typedef struct {
    ngx_media_args_e   form;
    const char        *what;
    const char        *text;                  /* "@": args, in the way of */
} case_t;                                     /* the text; left out at first */


static const case_t  cases[] = {

    { NGX_MEDIA_ARGS_M3U8, "an empty one", "" },

    { NGX_MEDIA_ARGS_M3U8, "lines",
      "#EXTM3U\n#EXTINF:6.006,\nv1/7.m4s?@\n#EXTINF:6,a=\",URI=\"b\"\n"
      "v1/8.m4s?@\n" },

    { NGX_MEDIA_ARGS_M3U8, "attributes",
      "#EXT-X-MAP:URI=\"v1/init.mp4?@\"\n"
      "#EXT-X-PART:DURATION=0.2,URI=\"v1/7.0.m4s?@\",INDEPENDENT=YES\n"
      "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v1/7.1.m4s?@\"\n"
      "#EXT-X-RENDITION-REPORT:URI=\"a1.m3u8?@\",LAST-MSN=7,LAST-PART=1\n"
      "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"
      "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"v1.iframes.m3u8?@\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a\",URI=\"a1.m3u8?@\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a,b\"\nv1.m3u8?@\n" },

    { NGX_MEDIA_ARGS_M3U8, "what only looks like one",
      "#EXT-X-MEDIA:NAME=\"a,URI=\",URI=\"a1.m3u8?@\"\n"
      "#EXT-X-DATERANGE:X-URI=\"a\",MY-URI=\"b\",URI=b,ID=\"URI=\"\n"
      "# a comment, URI=\"x\"\n"
      "#EXT-X-TARGETDURATION:6\n\n" },

    { NGX_MEDIA_ARGS_M3U8, "those of others",
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://a/b\",IV=0x1\n"
      "#EXT-X-MAP:URI=\"data:a,b\"\n"
      "#EXT-X-MAP:URI=\"//a/b\"\nhttp://a/b.m4s\n/own/a:b.m4s?@\n" },

    { NGX_MEDIA_ARGS_M3U8, "with some already, or a fragment",
      "a.m4s?b=1&@\na.m4s?@#c?\n" },

    { NGX_MEDIA_ARGS_M3U8, "what is cut off",
      "#EXT-X-MAP:URI=\"a?@" },

    { NGX_MEDIA_ARGS_MPD, "a manifest",
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD media=\"x\"\n"
      "  initialization=\"y\" value=\"z\">\n"
      "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" "
      "value=\"time.txt?@\"/>\n"
      "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\" "
      "value=\"2026-01-01T00:00:00Z\"/>\n"
      "<Label>media=\"x\" &lt;BaseURL></Label>\n"
      "<Accessibility schemeIdUri=\"a\" value=\"1\"/>\n"
      "<SegmentTemplate timescale=\"9\" initialization=\"v1/init-$Time$.mp4?@\""
      " media=\"v1/$Number$.m4s?@\">\n<S t=\"1\" d=\"2\"/></SegmentTemplate>\n"
      "<BaseURL>t1/all.vtt?@</BaseURL>\n"
      "<Initialization sourceURL=\"v1/init-1.mp4?@\"/>\n"
      "<SegmentURL media=\"v1/1.m4s?@\"/>\n</MPD>\n" },

    { NGX_MEDIA_ARGS_MPD, "attributes whose values look like others",
      "<SegmentTemplate a=\" media=\" b=\"media=\" media=\"c?@\"/>" },

    { NGX_MEDIA_ARGS_MPD, "what is cut off", "<SegmentTemplate media=\"a" },
    { NGX_MEDIA_ARGS_MPD, "in an element", "<SegmentTemplate media=" },
    { NGX_MEDIA_ARGS_MPD, "in its name", "<SegmentTemp" },
    { NGX_MEDIA_ARGS_MPD, "of an URL", "<BaseURL>a?@" },
    { NGX_MEDIA_ARGS_MPD, "at a bracket", "<" },

    { NGX_MEDIA_ARGS_VTT, "thumbnails",
      "WEBVTT\n\n00:00:00.000 --> 00:00:10.000\n"
      "i1/a-0.jpg?@#xywh=0,0,1,1\n\n"
      "00:00:10.000 --> 00:00:20.000\ni1/a-0.jpg?@#xywh=1,0,1,1\n\n" }
};


/* the text of a case with something for each "@"; "?@" and "&@" as they are */

static size_t
build(char *p, const case_t *c, const char *args)
{
    size_t       len;
    const char  *t;

    len = 0;

    for (t = c->text; *t; t++) {

        if (args == NULL && (t[0] == '?' || t[0] == '&') && t[1] == '@') {
            t++;
            continue;
        }

        if (*t == '@') {
            len += sprintf(p + len, "%s", args);
            continue;
        }

        p[len++] = *t;
    }

    return len;
}


static void
test_forms(void)
{
    size_t      len, size;
    char        in[4096], out[8192], wanted[8192];
    ngx_str_t   text, args;
    ngx_uint_t  i;

    ngx_str_set(&args, ARGS);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        text.data = (u_char *) in;
        text.len = build(in, &cases[i], NULL);

        len = build(wanted, &cases[i], cases[i].form == NGX_MEDIA_ARGS_MPD
                                       ? "s=a%2Fb-_=&amp;e=1" : ARGS);

        size = ngx_media_args_write(NULL, cases[i].form, &text, &args);
        is(size, len, "%s: its size", cases[i].what);

        size = ngx_media_args_write((u_char *) out, cases[i].form, &text,
                                    &args);
        ok(size == len && memcmp(out, wanted, len) == 0, "%s", cases[i].what);
    }
}


static void
test_safe(void)
{
    char        text[4];
    ngx_uint_t  i;

    static const char  *const good[] = {
        "", "a", "aBc-_9", "a=", "%2F", "a%2fb", "exp=1~acl=/*~hmac=0af",
        "a+b/c=", "1,2;3:4@5!(6)?"
    };

    static const char  *const bad[] = {
        "a b", "a\nb", "a\"b", "a'b", "a<b", "a>b", "a&b", "a#b", "a\\b",
        "%", "%2", "%2g", "a%", "$Number$", "{$a}", "a|b", "a`b", "a^b",
        "a[b", "\x7f", "a\xc3\xa4"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ok(ngx_media_args_safe((u_char *) good[i],
                               (u_char *) good[i] + strlen(good[i])),
           "\"%s\" may be there", good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(!ngx_media_args_safe((u_char *) bad[i],
                                (u_char *) bad[i] + strlen(bad[i])),
           "the %luth may not", (unsigned long) i);
    }

    memcpy(text, "a\0b", 4);
    ok(!ngx_media_args_safe((u_char *) text, (u_char *) text + 3), "a zero");
}


int
main(void)
{
    test_forms();
    test_safe();

    return done();
}
