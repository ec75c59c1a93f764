
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_srt_sid.c formats/ngx_media_text.c */


#include "formats/ngx_media_srt_sid.h"
#include "tap.h"


#define UNSET  NGX_MEDIA_SRT_MODE_UNSET
#define PUB    NGX_MEDIA_SRT_MODE_PUBLISH
#define READ   NGX_MEDIA_SRT_MODE_READ


static struct {
    const char            *text;
    ngx_media_srt_mode_e   mode;
    const char            *name;              /* NULL: refused */
    const char            *args;
} sids[] = {

    { "", UNSET, "", "" },
    { "demo", UNSET, "demo", "" },
    { "live/demo", UNSET, "live/demo", "" },
    { "/live/demo/", UNSET, "live/demo", "" },
    { "///", UNSET, "", "" },
    { "live/demo?a=1&b=2", UNSET, "live/demo", "a=1&b=2" },
    { "live/demo?a=1,2&b=x:y", UNSET, "live/demo", "a=1,2&b=x:y" },
    { "live/demo?", UNSET, "live/demo", "" },
    { "?a=1", UNSET, "", "a=1" },
    { "live/50%/demo", UNSET, "live/50%/demo", "" },
    { "live/caf\xc3\xa9 1", UNSET, "live/caf\xc3\xa9 1", "" },

    /* access control */

    { "#!::r=live/demo,m=publish", PUB, "live/demo", "" },
    { "#!::m=publish,r=live/demo", PUB, "live/demo", "" },
    { "#!::r=live/demo", READ, "live/demo", "" },
    { "#!::r=live/demo,m=request", READ, "live/demo", "" },
    { "#!::r=/live/demo,m=bidirectional", PUB, "live/demo", "" },
    { "#!::u=me,r=live/demo,m=publish,s=a&b=c%d,t=stream,h=host.tld", PUB,
      "live/demo", "u=me&s=a%26b%3Dc%25d&t=stream&h=host.tld" },
    { "#!::r=live/demo?k=v&l=w,m=publish,token=T", PUB, "live/demo",
      "k=v&l=w&token=T" },
    { "#!::r=a,r=b", READ, "b", "" },
    { "#!::u=KEY", READ, "KEY", "u=KEY" },
    { "#!::u=KEY,bmd_uuid=1a2b,bmd_name=X 1", PUB, "KEY",
      "u=KEY&bmd_uuid=1a2b&bmd_name=X%201" },
    { "#!::u=me,r=live/demo,bmd_uuid=1", PUB, "live/demo",
      "u=me&bmd_uuid=1" },
    { "#!::r=x,,=y,z,w=", READ, "x", "z=&w=" },
    { "#!::", READ, "", "" },
    { "#!::m=publish", PUB, "", "" },
    { "#!::r=a b,a b=c d", READ, "a b", "a%20b=c%20d" },
    { "#!::r=x,k=a=b==", READ, "x", "k=a%3Db%3D%3D" },
    { "#!::r=x,m=write", UNSET, NULL, NULL },
    { "#!::r=x,m=", UNSET, NULL, NULL },
    { "#!{\"r\":\"x\"}", UNSET, NULL, NULL },
    { "#!:{r=x}", UNSET, NULL, NULL },
    { "#!", UNSET, NULL, NULL },

    /* "publish:" and "read:" */

    { "publish:live/demo", PUB, "live/demo", "" },
    { "read:live/demo", READ, "live/demo", "" },
    { "publish:/live/demo", PUB, "live/demo", "" },
    { "publish:live/demo:a=1&b=2", PUB, "live/demo", "a=1&b=2" },
    { "publish:live/demo:me:se cret", PUB, "live/demo",
      "u=me&s=se%20cret" },
    { "publish:live/demo:me:secret:a=1:2", PUB, "live/demo",
      "u=me&s=secret&a=1:2" },
    { "publish:live/demo::", PUB, "live/demo", "u=&s=" },
    { "publish:live/demo?a=1:2:3", PUB, "live/demo", "a=1:2:3" },
    { "publish:", PUB, "", "" },
    { "read:live/demo:", READ, "live/demo", "" },
    { "publisher", UNSET, "publisher", "" },

    /* lists */

    { "demo,mode:publish,token:T", PUB, "demo", "token=T" },
    { "live/demo,token:a:b,mode:request", READ, "live/demo", "token=a:b" },
    { "demo,mode:read", READ, "demo", "" },
    { "demo,mode:play,x", READ, "demo", "x=" },
    { ",mode:publish", PUB, "", "" },
    { "demo,mode:", UNSET, NULL, NULL },
    { "demo,mode:x", UNSET, NULL, NULL },

    /* URLs */

    { "srt://host:9000/live/demo?a=1", UNSET, "live/demo", "a=1" },
    { "srt://host/live/demo", UNSET, "live/demo", "" },
    { "srt://host/demo", UNSET, "demo", "" },
    { "srt://host", UNSET, "", "" },
    { "srt://host?a=1", UNSET, "", "a=1" },
    { "srt://[2001:db8::1]:9000/live/demo", UNSET, "live/demo", "" },
    { "host:9000/live/demo?a=1", UNSET, "live/demo", "a=1" },
    { "host:9000/demo", UNSET, "demo", "" },
    { "host.tld/live/demo", UNSET, "live/demo", "" },
    { "192.0.2.1/live/demo,mode:publish", PUB, "live/demo", "" },
    { "[2001:db8::1]:9000/live/demo", UNSET, "live/demo", "" },
    { "[::1]/live/demo", UNSET, "live/demo", "" },
    { "host.tld/demo", UNSET, "host.tld/demo", "" },
    { "host.tld//demo", UNSET, "host.tld//demo", "" },
    { "host.tld/live/", UNSET, "host.tld/live", "" },
    { "live/v1.2/demo", UNSET, "live/v1.2/demo", "" },
    { "live:x/demo", UNSET, "live:x/demo", "" },
    { "host:9000", UNSET, "host:9000", "" },
    { ":9000/demo", UNSET, ":9000/demo", "" },

    /* encoded as a whole */

    { "%23!::r=live/demo,m=publish", PUB, "live/demo", "" },
    { "%23!%3A%3Ar%3Dlive%2fdemo%2Cm%3Dpublish%2Cs%3D%2541", PUB,
      "live/demo", "s=%2541" },
    { "srt%3A%2F%2Fhost%3A9000%2Flive%2Fdemo%3Fa%3D1", UNSET, "live/demo",
      "a=1" },
    { "srt%3a//host/demo", UNSET, "demo", "" },
    { "%23!::r=%zz", UNSET, NULL, NULL },
    { "%23!::r=%4", UNSET, NULL, NULL },
    { "%23!::r=%", UNSET, NULL, NULL },
    { "%23!::r=a%0ab", UNSET, NULL, NULL },
    { "%23!::r=a%00", UNSET, NULL, NULL },
    { "%2523!::r=a", UNSET, "%2523!::r=a", "" },

    { "a\nb", UNSET, NULL, NULL },
    { "a\x7f", UNSET, NULL, NULL },
    { "\x1f", UNSET, NULL, NULL },
};


static void
test_table(void)
{
    size_t                len;
    u_char               *p;
    ngx_int_t             rc;
    ngx_uint_t            i;
    const char           *reason;
    ngx_media_srt_sid_t  *sid;

    for (i = 0; i < sizeof(sids) / sizeof(sids[0]); i++) {
        len = strlen(sids[i].text);
        p = tap_dup(sids[i].text, len);
        sid = malloc(sizeof(ngx_media_srt_sid_t));
        reason = NULL;

        rc = ngx_media_srt_sid_parse(sid, p, p + len, &reason);
        free(p);

        if (sids[i].name == NULL) {
            ok(rc == NGX_DECLINED && reason != NULL, "entry %d is refused: %s",
               (int) i, reason);
            free(sid);
            continue;
        }

        is(rc, NGX_OK, "\"%s\"", sids[i].text);
        is(sid->mode, sids[i].mode, "\"%s\": mode", sids[i].text);
        is_text(sid->name.pos, sid->name.last - sid->name.pos, sids[i].name,
                "\"%s\": name", sids[i].text);
        is_text(sid->args, sid->args_len, sids[i].args,
                "\"%s\": arguments", sids[i].text);

        free(sid);
    }
}


static void
test_limits(void)
{
    size_t                n;
    u_char               *p;
    const char           *reason;
    ngx_media_srt_sid_t   sid;

    p = tap_dup("", 0);
    is(ngx_media_srt_sid_parse(&sid, p, p, &reason), NGX_OK, "no bytes");
    ok(sid.name.pos == sid.name.last && sid.args_len == 0, "no name");
    free(p);

    p = malloc(NGX_MEDIA_SRT_SID_MAX + 1);
    memset(p, 'a', NGX_MEDIA_SRT_SID_MAX + 1);

    is(ngx_media_srt_sid_parse(&sid, p, p + 512, &reason), NGX_OK,
       "512 bytes");
    is(sid.name.last - sid.name.pos, 512, "all of them are the name");
    is(ngx_media_srt_sid_parse(&sid, p, p + 513, &reason), NGX_DECLINED,
       "513 bytes");

    /* the longest arguments there can be */

    memset(p, '&', 512);
    memcpy(p, "publish:a:&:", 12);

    is(ngx_media_srt_sid_parse(&sid, p, p + 512, &reason), NGX_OK,
       "a password of 500 bytes");
    is(sid.args_len, 2 + 3 + 3 + 500 * 3, "each is escaped");

    for (n = 0; n < 2; n++) {
        memset(p, '&', 512);
        memcpy(p, n ? "#!::&=" : "a,&:", n ? 6 : 4);

        is(ngx_media_srt_sid_parse(&sid, p, p + 512, &reason), NGX_OK,
           "keys and values of nothing else");
        ok(sid.args_len <= NGX_MEDIA_SRT_SID_ARGS, "fit in");
    }

    free(p);
}


static void
test_trim(void)
{
    ngx_uint_t        i;
    ngx_str_t         app;
    ngx_media_span_t  name;

    static struct {
        const char   *name;
        const char   *app;
        const char   *trimmed;
    } names[] = {
        { "live/demo", "live", "demo" },
        { "live/a/b", "live", "a/b" },
        { "live//demo", "live", "demo" },
        { "demo", "live", "demo" },
        { "live", "live", "live" },
        { "lively/demo", "live", "lively/demo" },
        { "live/demo", "", "live/demo" },
        { "a/b/c", "a/b", "c" },
        { "", "live", "" },
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        name.pos = tap_dup(names[i].name, strlen(names[i].name));
        name.last = name.pos + strlen(names[i].name);
        app.data = (u_char *) names[i].app;
        app.len = strlen(names[i].app);

        ngx_media_srt_sid_trim(&name, &app);

        is_text(name.pos, name.last - name.pos, names[i].trimmed,
                "\"%s\" of \"%s\"", names[i].name, names[i].app);

        free((u_char *) name.last - strlen(names[i].name));
    }
}


int
main(void)
{
    test_table();
    test_limits();
    test_trim();

    return done();
}
