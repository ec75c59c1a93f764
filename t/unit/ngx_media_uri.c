
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_uri.c */


#include "formats/ngx_media_uri.h"
#include "tap.h"


static ngx_media_uri_t   uri;
static u_char           *kept;


static ngx_int_t
parse(const char *text, const char **error)
{
    size_t  n;

    n = strlen(text);

    free(kept);
    kept = tap_dup(text, n);
    *error = NULL;

    return ngx_media_uri_parse(kept, kept + n, &uri, error);
}


static void
is_span(const ngx_media_span_t *span, const char *text, const char *name)
{
    is_text(span->pos, ngx_media_span_len(span), text, name);
}


static void
test_right(void)
{
    ngx_uint_t   i;
    const char  *error;

    static const struct {
        const char  *text;
        ngx_uint_t   tls;
        const char  *user;
        const char  *host;
        ngx_uint_t   ipv6;
        ngx_uint_t   port;
        const char  *path;
        const char  *args;
    } all[] = {
        { "http://a", 0, "", "a", 0, 80, "", "" },
        { "https://a", 1, "", "a", 0, 443, "", "" },
        { "http://a.B-c_d:8080/x/y", 0, "", "a.B-c_d", 0, 8080, "/x/y", "" },
        { "http://10.0.0.1:1/?", 0, "", "10.0.0.1", 0, 1, "/", "" },
        { "http://a?b=/c@d", 0, "", "a", 0, 80, "", "b=/c@d" },
        { "https://u:p%40@[2001:db8::1]:65535/k?x=1&y=%20", 1, "u:p%40",
          "2001:db8::1", 1, 65535, "/k", "x=1&y=%20" },
        { "http://[::ffff:10.0.0.1]", 0, "", "::ffff:10.0.0.1", 1, 80, "",
          "" },
        { "http://@a/", 0, "", "a", 0, 80, "/", "" },
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        is(parse(all[i].text, &error), NGX_OK, "right: %s", all[i].text);
        ok(error == NULL, "right: no error");
        is(uri.tls, all[i].tls, "right: tls");
        is(uri.ipv6, all[i].ipv6, "right: ipv6");
        is(uri.port, all[i].port, "right: port");
        is_span(&uri.user, all[i].user, "right: user");
        is_span(&uri.host, all[i].host, "right: host");
        is_span(&uri.path, all[i].path, "right: path");
        is_span(&uri.args, all[i].args, "right: args");
    }

    is(parse("http://a/", &error), NGX_OK, "right: nobody");
    ok(uri.user.pos == NULL, "right: no user");
}


static void
test_wrong(void)
{
    char         text[NGX_MEDIA_URI_MAX + 2];
    ngx_uint_t   i;
    const char  *error;

    static const char  *all[] = {
        "", "http", "http:/", "http://", "ftp://a/", "HTTP://a/", "//a/",
        "http:///x", "http://?x", "http://:80/", "http://a:/", "http://a:0/",
        "http://a:65536/", "http://a:100000/", "http://a:8x/", "http://a:b:1/",
        "http://a b/", "http://a/b c", "http://a/\r\nX: y", "http://a/\xc3\xa4",
        "http://a/#b", "http://a/%", "http://a/%4", "http://a/%4g",
        "http://a%41/", "http://a/\"", "http://a/<b>", "http://a\\b/",
        "http://u@v@a/", "http://u:p@/", "http://[::1/", "http://[]/",
        "http://[::1]x/", "http://[::1]:/", "http://[::g]/", "http://::1/",
        "http://[fe80::1%25eth0]/", "http://$host/", "http://a/\x7f",
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        is(parse(all[i], &error), NGX_ERROR, "wrong: %s", all[i]);
        ok(error != NULL, "wrong: it says why");
    }

    memset(text, 'a', sizeof(text));
    memcpy(text, "http://", 7);
    text[7 + NGX_MEDIA_URI_HOST + 1] = '\0';

    is(parse(text, &error), NGX_ERROR, "wrong: a long host");

    text[7 + NGX_MEDIA_URI_HOST] = '\0';

    is(parse(text, &error), NGX_OK, "the longest host");

    text[7 + NGX_MEDIA_URI_HOST] = '/';
    text[7 + NGX_MEDIA_URI_HOST + 1] = 'a';
    text[NGX_MEDIA_URI_MAX + 1] = '\0';

    is(parse(text, &error), NGX_ERROR, "wrong: too long");

    text[NGX_MEDIA_URI_MAX] = '\0';

    is(parse(text, &error), NGX_OK, "the longest one");
}


static void
test_basic(void)
{
    size_t             len;
    u_char            *buf;
    ngx_uint_t         i;
    ngx_media_span_t   user;

    /* RFC 7617, 2, and the vectors of RFC 4648, 10 */

    static const struct {
        const char  *user;
        const char  *text;
    } all[] = {
        { "Aladdin:open%20sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
        { "", "Basic " },
        { "f", "Basic Zg==" },
        { "fo", "Basic Zm8=" },
        { "foo", "Basic Zm9v" },
        { "foob", "Basic Zm9vYg==" },
        { "%66%6F%6f%FF", "Basic Zm9v/w==" },
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        user.pos = tap_dup(all[i].user, strlen(all[i].user));
        user.last = user.pos + strlen(all[i].user);

        len = ngx_media_uri_basic(NULL, &user);
        buf = malloc(len + 1);

        is(ngx_media_uri_basic(buf, &user), len, "basic: size");
        is_text(buf, len, all[i].text, "basic: %s", all[i].user);

        free(buf);
        free((void *) user.pos);
    }
}


int
main(void)
{
    test_right();
    test_wrong();
    test_basic();

    free(kept);

    return done();
}
