
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_http.c */


#include "formats/ngx_media_http.h"
#include "tap.h"


static ngx_media_http_t   http;
static u_char            *kept;


/* n: bytes of it that have come */

static ngx_int_t
parse(const char *text, size_t n, ngx_uint_t end, ngx_uint_t head,
    const char **error)
{
    free(kept);
    kept = tap_dup(text, n);
    *error = "";

    return ngx_media_http_parse(kept, kept + n, end, head, &http, error);
}


static void
test_whole(void)
{
    size_t       i, len;
    ngx_uint_t   n, wrong;
    const char  *error;

    static const struct {
        const char  *text;
        ngx_uint_t   end;
        ngx_uint_t   status;
        const char  *body;
        ngx_uint_t   keepalive;
    } all[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 0, 200, "abc", 1 },
        { "HTTP/1.1 200\r\ncontent-length:3\r\n\r\nabc", 0, 200, "abc", 1 },
        { "HTTP/1.1 200 \nCONTENT-LENGTH: \t3 \n\nabc", 0, 200, "abc", 1 },
        { "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 0, 200, "abc", 0 },
        { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n"
          "\r\n", 0, 200, "", 1 },
        { "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n"
          "\r\n", 0, 200, "", 0 },
        { "HTTP/1.1 200 OK\r\n\r\nabc", 1, 200, "abc", 0 },
        { "HTTP/1.1 204 No Content\r\n\r\n", 0, 204, "", 1 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"
          "HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx", 0, 403, "x", 1 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
          "A;x=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 0, 200,
          "abc0123456789", 1 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 0,
          200, "", 1 },
    };

    for (n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
        len = strlen(all[n].text);

        is(parse(all[n].text, len, all[n].end, 0, &error), NGX_OK,
           "whole: %d", (int) n);
        is(http.status, all[n].status, "whole: status");
        is_text(http.body.pos, ngx_media_span_len(&http.body), all[n].body,
                "whole: body");
        is(http.keepalive, all[n].keepalive, "whole: keepalive");

        wrong = 0;

        for (i = 0; i < len; i++) {
            wrong += parse(all[n].text, i, 0, 0, &error) != NGX_AGAIN;

            if (!all[n].end) {
                wrong += parse(all[n].text, i, 1, 0, &error) != NGX_ERROR;
            }
        }

        is(wrong, 0, "whole: byte by byte");
    }
}


static void
test_fields(void)
{
    const char  *error;

    static const char  text[] =
        "HTTP/1.1 302 Found\r\nContent-Type: Application/JSON ; charset=x\r\n"
        "Location:  news/one \r\nCache-Control: private, max-age=600\r\n"
        "X-Empty:\r\nContent-Length: 0\r\n\r\n";
    static const char  headed[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    static const char  unkept[] =
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60, no-store\r\n"
        "Content-Length: 0\r\n\r\n";

    is(parse(text, sizeof(text) - 1, 0, 0, &error), NGX_OK, "fields");
    is_text(http.type.pos, ngx_media_span_len(&http.type), "Application/JSON",
            "fields: type");
    is_text(http.location.pos, ngx_media_span_len(&http.location), "news/one",
            "fields: location");
    is(http.max_age, 600, "fields: age");

    is(parse(headed, sizeof(headed) - 1, 0, 1, &error), NGX_OK,
       "fields: of HEAD");
    is(http.max_age, -1, "fields: no age");
    is(parse(unkept, sizeof(unkept) - 1, 0, 0, &error), NGX_OK,
       "fields: no-store");
    is(http.max_age, 0, "fields: is 0");
}


static void
test_wrong(void)
{
    ngx_uint_t   i;
    const char  *error;

    static const char  *all[] = {
        "HTTP/2 200 OK\r\n\r\n",
        "<html>\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 2000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        "HTTP/1.1 204 OK\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n"
        "\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        is(parse(all[i], strlen(all[i]), 0, 0, &error), NGX_ERROR,
           "wrong: %s", all[i]);
        ok(error[0] != '\0', "wrong: %s", error);
    }
}


int
main(void)
{
    test_whole();
    test_fields();
    test_wrong();

    free(kept);

    return done();
}
