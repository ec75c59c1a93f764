
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_cmcd.c */


#include "formats/ngx_media_cmcd.h"
#include "tap.h"


#define SID  "6e2fb550-c457-11e9-bb97-0800200c9a66"


static ngx_media_cmcd_t  cmcd;


static ngx_int_t
cmcd_read(const char *text)
{
    size_t      len;
    u_char     *p;
    ngx_int_t   rc;

    static u_char  kept[NGX_MEDIA_CMCD_MAX];

    len = strlen(text);
    p = tap_dup(text, len);

    rc = ngx_media_cmcd_read(&cmcd, p, p + len);

    /* all of what was found is in what was read; it is looked at later */

    if (rc == NGX_OK && cmcd.sid.pos >= p && cmcd.sid.last <= p + len) {
        memcpy(kept, cmcd.sid.pos, ngx_media_span_len(&cmcd.sid));
        cmcd.sid.last = kept + ngx_media_span_len(&cmcd.sid);
        cmcd.sid.pos = kept;
    }

    if (rc == NGX_OK && cmcd.sf.pos) {
        cmcd.sf.pos = (u_char *) (*cmcd.sf.pos == 'h' ? "h" : "d");
        cmcd.sf.last = cmcd.sf.pos + 1;
    }

    free(p);

    return rc;
}


static void
test_texts(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        const char  *sid;                    /* NULL: it is none */
        const char  *sf;
    } all[] = {

        /* as players send it: hls.js, dash.js, shaka */
        { "bl=2000,br=400,cid=\"live/de\\\"mo \xc3\xbc\",d=2000,mtp=2000,"
          "nor=\"s0_2.m4s\",ot=v,sf=h,sid=\"" SID "\",st=v,su", SID, "h" },
        { "bl=(0),br=(400),mtp=(500),nor=(\"s0_1.m4s\"),sf=h,sid=\"" SID "\","
          "sn=4,sta=s,su,tpb=(400.4),v=2", SID, "h" },
        { "ab=(300;v 69;a),bl=(0;v),nor=(\"chunk 2.m4s\"),ot=v,rtp=6100,"
          "sf=d,sid=\"" SID "\",v=2", SID, "d" },
        { "cid=\"live/demo\",ot=m,sid=\"" SID "\"", SID, "" },

        /* CTA-5004, and what it allows */
        { "", "", "" },
        { "su", "", "" },
        { "com.example-myNumericKey=500,com.example-javascript=\"a(),b\"",
          "", "" },
        { "sid=abc", "abc", "" },
        { "  sid=\"a\" ,\t sf=h  ", "a", "h" },
        { "sid=\"a\",sid=\"b\"", "b", "" },
        { "sid=\"a\";x=1;y,sf=d;q=\"z\"", "a", "d" },
        { "bl=()", "", "" },
        { "bl=( 1 2 )", "", "" },
        { "x=?1,y=:AAAA:,z=-1.5", "", "" },
        { "sid=\"a\\\\b\"", "a\\\\b", "" },

        /* of another type, or too long: nobody's */
        { "sid", "", "" }, { "sid=7", "", "" }, { "sid=(\"a\")", "", "" },
        { "sid=\"\"", "", "" }, { "sf=\"h\"", "", "" }, { "sf=hh", "", "" },
        { "sid=\"" SID SID "\"", "", "" },
        { "Sid=\"a\"", "", "" }, { "sidd=\"a\"", "", "" },

        /* none */
        { "sid=\"a\",", NULL, NULL }, { ",sid=\"a\"", NULL, NULL },
        { "sid=\"a\",,su", NULL, NULL }, { "sid=\"a\" su", NULL, NULL },
        { "sid=\"a", NULL, NULL }, { "sid=\"a\\", NULL, NULL },
        { "sid=\"a\\n\"", NULL, NULL }, { "sid=\"a\nb\"", NULL, NULL },
        { "sid=", NULL, NULL }, { "sid=\"a\"b", NULL, NULL },
        { "=1", NULL, NULL }, { "1=a", NULL, NULL }, { "sid=a,bl=(1", NULL,
          NULL },
        { "sid=a,bl=(1\"a\")", NULL, NULL }, { "sid=a,bl=(1 (2))", NULL,
          NULL },
        { "sid=a;", NULL, NULL }, { "sid=a;=1", NULL, NULL },
        { "sid=a\x7f", NULL, NULL }, { "sid=\xc3\xbc", NULL, NULL },
        { "sid=a;x=", NULL, NULL }
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        memset(&cmcd, 0, sizeof(ngx_media_cmcd_t));

        if (all[i].sid == NULL) {
            is(cmcd_read(all[i].text), NGX_ERROR, "cmcd: \"%s\" is none",
               all[i].text);
            ok(cmcd.sid.pos == NULL && cmcd.keys == 0, "cmcd: nothing of it");
            continue;
        }

        is(cmcd_read(all[i].text), NGX_OK, "cmcd: \"%s\"", all[i].text);
        is_text(cmcd.sid.pos, ngx_media_span_len(&cmcd.sid), all[i].sid,
                "cmcd: sid");
        is_text(cmcd.sf.pos, ngx_media_span_len(&cmcd.sf), all[i].sf,
                "cmcd: sf");
    }
}


/* a text that was cut says nothing, or what it said before */

static void
test_cut(void)
{
    char     text[sizeof(SID) + 64];
    size_t   i, len;

    len = snprintf(text, sizeof(text), "bl=(1;v 2;a),sid=\"%s\",sf=h,su", SID);

    while (len--) {
        text[len] = '\0';
        memset(&cmcd, 0, sizeof(ngx_media_cmcd_t));

        if (cmcd_read(text) != NGX_OK) {
            ok(cmcd.sid.pos == NULL, "cmcd: cut at %zu", len);
            continue;
        }

        i = ngx_media_span_len(&cmcd.sid);
        ok(i == 0 || i == sizeof(SID) - 1, "cmcd: of %zu bytes", len);
    }
}


static void
test_limits(void)
{
    char        text[NGX_MEDIA_CMCD_MAX + 2];
    ngx_uint_t  i;

    /* headers, one after the other */

    memset(&cmcd, 0, sizeof(ngx_media_cmcd_t));

    is(cmcd_read("bl=1,ot=v"), NGX_OK, "cmcd: a header");
    is(cmcd_read("sid=\"a\""), NGX_OK, "cmcd: another");
    is(cmcd_read("sf=h"), NGX_OK, "cmcd: and another");
    is_text(cmcd.sid.pos, ngx_media_span_len(&cmcd.sid), "a", "cmcd: sid");
    is_text(cmcd.sf.pos, ngx_media_span_len(&cmcd.sf), "h", "cmcd: sf");
    is(cmcd_read("a b"), NGX_ERROR, "cmcd: a bad one");
    ok(cmcd.sid.pos == NULL && cmcd.sf.pos == NULL, "cmcd: nothing of all");

    /* keys */

    text[0] = '\0';

    for (i = 0; i < NGX_MEDIA_CMCD_KEYS; i++) {
        strcat(text, i ? ",a=1" : "a=1");
    }

    memset(&cmcd, 0, sizeof(ngx_media_cmcd_t));

    is(cmcd_read(text), NGX_OK, "cmcd: 64 keys");
    is(cmcd_read("sid=a"), NGX_ERROR, "cmcd: and one more");

    /* bytes */

    memset(text, 'x', sizeof(text));
    text[NGX_MEDIA_CMCD_MAX] = '\0';
    memset(&cmcd, 0, sizeof(ngx_media_cmcd_t));

    is(cmcd_read(text), NGX_OK, "cmcd: 2 KB");
    is(cmcd_read("a"), NGX_ERROR, "cmcd: and one byte");

    text[NGX_MEDIA_CMCD_MAX] = 'x';
    text[NGX_MEDIA_CMCD_MAX + 1] = '\0';

    is(cmcd_read(text), NGX_ERROR, "cmcd: more than 2 KB");
}


static void
test_decode(void)
{
    char         text[NGX_MEDIA_CMCD_MAX + 1];
    size_t       len;
    u_char      *p, *buf;
    ngx_int_t    rc;
    ngx_uint_t   i;

    static const struct {
        const char  *text;
        const char  *bytes;
    } all[] = {
        { "", "" }, { "su", "su" }, { "a+b", "a b" }, { "a%2Bb", "a+b" },
        { "sid%3D%22a%22%2csu", "sid=\"a\",su" },
        { "%252C", "%2C" },                          /* once */
        { "%C3%BC", "\xc3\xbc" },
        { "%", NULL }, { "%4", NULL }, { "a%zz", NULL }, { "%4g", NULL },
        { "%-1", NULL }
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        len = strlen(all[i].text);
        p = tap_dup(all[i].text, len);
        buf = malloc(NGX_MEDIA_CMCD_MAX);

        rc = ngx_media_cmcd_decode(buf, &len, p, p + len);

        is(rc, all[i].bytes ? NGX_OK : NGX_ERROR, "decode: \"%s\"",
           all[i].text);

        if (rc == NGX_OK) {
            is_text(buf, len, all[i].bytes, "decode: bytes");
        }

        free(p);
        free(buf);
    }

    memset(text, 'x', sizeof(text));
    p = tap_dup(text, sizeof(text));
    buf = malloc(NGX_MEDIA_CMCD_MAX);

    is(ngx_media_cmcd_decode(buf, &len, p, p + sizeof(text) - 1), NGX_OK,
       "decode: 2 KB");
    is(len, NGX_MEDIA_CMCD_MAX, "decode: all of it");
    is(ngx_media_cmcd_decode(buf, &len, p, p + sizeof(text)), NGX_ERROR,
       "decode: more");

    free(p);
    free(buf);
}


int
main(void)
{
    test_texts();
    test_cut();
    test_limits();
    test_decode();

    return done();
}
