
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_token.c formats/ngx_media_grant.c
         formats/ngx_media_base64.c */


#include "formats/ngx_media_base64.h"
#include "formats/ngx_media_token.h"
#include "tap.h"


#define MAC  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


static u_char  room[NGX_MEDIA_TOKEN_MAX];


static void
test_base64(void)
{
    size_t            len;
    ngx_uint_t        i;
    u_char           *p;
    ngx_media_span_t  text;

    static const struct {
        const char  *text;
        const char  *bytes;                  /* NULL: it is none */
    } all[] = {
        { "", "" }, { "Zg", "f" }, { "Zm8", "fo" }, { "Zm9v", "foo" },
        { "Zm9vYg", "foob" }, { "Zm9vYmE", "fooba" }, { "Zm9vYmFy", "foobar" },
        { "_-8", "\xff\xef" },
        { "Z", NULL }, { "Zm9vY", NULL },            /* no byte's bits */
        { "Zh", NULL }, { "Zm9", NULL },             /* bits that are left */
        { "Zg==", NULL }, { "Zg=", NULL }, { "/+8", NULL }, { "Z g", NULL },
        { "Zm8\n", NULL }, { "Zm\xc3\xa4", NULL }
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        len = strlen(all[i].text);
        p = tap_dup(all[i].text, len);
        text.pos = p;
        text.last = p + len;

        if (all[i].bytes == NULL) {
            is(ngx_media_base64_decode(p, &len, &text), NGX_ERROR,
               "base64: \"%s\" is none", all[i].text);

        } else {
            is(ngx_media_base64_decode(p, &len, &text), NGX_OK,
               "base64: \"%s\"", all[i].text);
            is_text(p, len, all[i].bytes, "base64: bytes of \"%s\"",
                    all[i].text);
            ok(len <= ngx_media_base64_size(strlen(all[i].text)),
               "base64: so many");
        }

        free(p);
    }
}


static ngx_uint_t
covers(const char *path, ngx_uint_t app, const char *name)
{
    ngx_str_t          live, text;
    ngx_media_grant_t  grant;

    ngx_memzero(&grant, sizeof(ngx_media_grant_t));
    ngx_str_set(&live, "live");

    text.data = (u_char *) name;
    text.len = strlen(name);

    grant.actions = NGX_MEDIA_GRANT_PLAY;
    grant.path.pos = tap_dup(path, strlen(path));
    grant.path.last = grant.path.pos + strlen(path);
    grant.app = app;

    app = ngx_media_grant_covers(&grant, NGX_MEDIA_GRANT_PLAY, &live, &text);

    ok(!ngx_media_grant_covers(&grant, NGX_MEDIA_GRANT_PUBLISH, &live, &text),
       "grant: \"%s\" is not for publishing", path);

    free((void *) grant.path.pos);

    return app;
}


static void
test_grant(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *path;
        ngx_uint_t   app;
        const char  *name;
        ngx_uint_t   covers;
    } all[] = {
        { "demo", 0, "demo", 1 }, { "demo", 0, "demo2", 0 },
        { "demo", 0, "dem", 0 }, { "demo", 0, "demo/x", 0 },
        { "", 0, "demo", 0 }, { "demo", 0, "Demo", 0 },
        { "*", 0, "demo", 1 }, { "*", 0, "a/b/c", 1 },
        { "a/*", 0, "a/b", 1 }, { "a/*", 0, "a/b/c", 1 },
        { "a/*", 0, "a/", 0 }, { "a/*", 0, "a", 0 }, { "a/*", 0, "ab/c", 0 },
        { "de*", 0, "demo", 0 }, { "de*", 0, "de*", 0 }, { "*o", 0, "demo", 0 },
        { "a/*/c", 0, "a/b/c", 0 },
        { "live/demo", 1, "demo", 1 }, { "demo", 1, "demo", 0 },
        { "live", 1, "demo", 0 }, { "live/", 1, "demo", 0 },
        { "live/*", 1, "demo", 1 }, { "live2/demo", 1, "demo", 0 },
        { "liv", 1, "demo", 0 }, { "*", 1, "demo", 1 },
        { "live/a/*", 1, "a/b", 1 }, { "live/a/*", 1, "b/a", 0 }
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        is(covers(all[i].path, all[i].app, all[i].name), all[i].covers,
           "grant: \"%s\" and \"%s\"", all[i].path, all[i].name);
    }
}


static ngx_int_t
parse(const char *text, ngx_media_token_t *token, const char **error)
{
    u_char     *p;
    ngx_int_t   rc;

    p = tap_dup(text, strlen(text));
    rc = ngx_media_token_parse(p, p + strlen(text), room, token, error);

    if (rc == NGX_OK) {
        is(ngx_media_span_len(&token->exp_text)
           + ngx_media_span_len(&token->opts_text) + 2 + strlen(MAC),
           strlen(text), "token: what was signed is all of it");
    }

    /* what stays is in the room */

    free(p);

    return rc;
}


static void
test_token(void)
{
    size_t              i;
    char                text[NGX_MEDIA_TOKEN_MAX + 16];
    const char         *error;
    ngx_media_token_t   token;

    static const struct {
        const char  *text;
        const char  *error;
    } all[] = {
        { "", "it is no token of three parts" },
        { "1900000000", "it is no token of three parts" },
        { "1900000000.cD1h", "it is no token of three parts" },
        { "1900000000.cD1h." MAC "." MAC, "its signature is none" },
        { ".cD1h." MAC, "it does not say when it expires" },
        { "-1.cD1h." MAC, "it does not say when it expires" },
        { "1e9.cD1h." MAC, "it does not say when it expires" },
        { "190000000000.cD1h." MAC, "it does not say when it expires" },
        { "1900000000.cD1*." MAC, "it is no base64url" },
        { "1900000000.." MAC, "it does not say what it is for" },
        { "1900000000.cD1h.", "its signature is none" },
        { "1900000000.cD1h.AAAA", "its signature is none" },
        { "1900000000.cD1h." MAC "AAAA", "its signature is none" },
        /* p, p=, q=1, p=%4, p=%zz, p=a&n=0, p=a&n=1&n=1, p=a&s=, p=a& &s */
        { "1900000000.cA." MAC, "an option of it has no value" },
        { "1900000000.cD0." MAC, "an option of it is not valid" },
        { "1900000000.cT0x." MAC, "it has an option that is not known" },
        { "1900000000.cD0lNA." MAC, "an option of it has no value" },
        { "1900000000.cD0leno." MAC, "an option of it has no value" },
        { "1900000000.cD1hJm49MA." MAC, "an option of it is not valid" },
        { "1900000000.cD1hJm49MSZuPTE." MAC, "an option of it is not valid" },
        { "1900000000.cD1hJnM9." MAC, "an option of it is not valid" },
        { "1900000000.cD1hJnM." MAC, "an option of it has no value" }
    };

    /* its options are those of the header's comment, and two paths */

    is(parse("1900000000."
             "cD1uZXdzLyomaXA9MTkyLjAuMi4wLzI0JnM9YSUyNmImbj0yJms9azEmcD1kZW1v"
             "." MAC, &token, &error), NGX_OK, "token");
    is(token.exp, 1900000000, "token: expires");
    is(token.ngrants, 2, "token: paths");
    is_text(token.grants[0].path.pos,
            ngx_media_span_len(&token.grants[0].path), "news/*",
            "token: the first");
    is_text(token.grants[1].path.pos,
            ngx_media_span_len(&token.grants[1].path), "demo",
            "token: the second");
    is_text(token.ip.pos, ngx_media_span_len(&token.ip), "192.0.2.0/24",
            "token: address");
    is_text(token.session.pos, ngx_media_span_len(&token.session), "a&b",
            "token: session, decoded");
    is_text(token.key.pos, ngx_media_span_len(&token.key), "k1",
            "token: key");
    is(token.max, 2, "token: how many");
    is_mem(token.mac, 2, "\x74\x18", 2, "token: mac");

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        error = "";
        is(parse(all[i].text, &token, &error), NGX_ERROR, "token: \"%s\"",
           all[i].text);
        is_text(error, strlen(error), all[i].error, "token: why");
    }

    /* nine paths; too long */

    is(parse("1900000000.cD1hJnA9YSZwPWEmcD1hJnA9YSZwPWEmcD1hJnA9YSZwPWE." MAC,
             &token, &error), NGX_ERROR, "token: too many paths");

    memset(text, 'A', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "1900000000.", 11);
    text[1000] = '.';
    is(parse(text, &token, &error), NGX_ERROR, "token: too long");
}


int
main(void)
{
    test_base64();
    test_grant();
    test_token();

    return done();
}
