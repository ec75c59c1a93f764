
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_http.h"
#include "tap.h"


/* it is included, as what it costs is how far its searches go */

static size_t  looked;


static void *
look(const void *s, int c, size_t n)
{
    void  *p;

    p = memchr(s, c, n);
    looked += p ? (size_t) ((u_char *) p - (u_char *) s) + 1 : n;

    return p;
}


static void *
shift(void *dst, const void *src, size_t n)
{
    looked += n;

    return memmove(dst, src, n);
}


#undef memchr
#undef ngx_memmove
#define memchr(s, c, n)         look(s, c, n)
#define ngx_memmove(dst, s, n)  shift(dst, s, n)

#include "formats/ngx_media_http.c"


static ngx_media_http_t   http;
static u_char            *kept;
static size_t             came;       /* bytes that were needed */


/* n: bytes of it that come, so many at once; the buffer moves with each */

static ngx_int_t
feed(const char *text, size_t n, size_t step, ngx_uint_t end, ngx_uint_t head,
    const char **error)
{
    u_char                  *old;
    ngx_int_t                rc;
    ngx_media_http_state_t   state;

    memset(&state, 0, sizeof(state));
    *error = "";
    came = 0;

    free(kept);
    kept = tap_dup(text, 0);

    do {
        step = ngx_min(step, n - came);
        old = kept;

        kept = malloc(came + step + 1);
        memcpy(kept, old, came);
        memcpy(kept + came, text + came, step);
        free(old);

        kept = realloc(kept, came + step ? came + step : 1);
        came += step;

        rc = ngx_media_http_parse(&state, kept, came, end && came == n, head,
                                  &http, error);

    } while (rc == NGX_AGAIN && came < n);

    return rc;
}


static ngx_int_t
parse(const char *text, size_t n, ngx_uint_t end, ngx_uint_t head,
    const char **error)
{
    return feed(text, n, n, end, head, error);
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

        is(wrong, 0, "whole: cut off");

        for (i = 1; i < 4; i++) {
            is(feed(all[n].text, len, i, all[n].end, 0, &error), NGX_OK,
               "pieces of %d", (int) i);
            is(came, len, "pieces: all of it");
            is(http.status, all[n].status, "pieces: status");
            is_text(http.body.pos, ngx_media_span_len(&http.body),
                    all[n].body, "pieces: body");
            is(http.keepalive, all[n].keepalive, "pieces: keepalive");
        }
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

    is(feed(text, sizeof(text) - 1, 1, 0, 0, &error), NGX_OK, "fields");
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
    const char  *error, *whole;

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

        whole = error;

        if (strcmp(whole, "there is more than the answer") != 0) {
            is(feed(all[i], strlen(all[i]), 1, 0, 0, &error), NGX_ERROR,
               "wrong: byte by byte");
            is_text(error, strlen(error), whole, "wrong: the same");
        }
    }
}


static size_t
repeat(char *p, const char *text, size_t n)
{
    size_t  len;

    for (len = 0; n; n--) {
        len += sprintf(p + len, "%s", text);
    }

    return len;
}


static void
test_limits(void)
{
    char         text[32768];
    size_t       i, n;
    const char  *error;

    static const struct {
        const char  *head;
        const char  *line;
        size_t       lines;         /* which are one too many */
    } all[] = {
        { "HTTP/1.1 200 OK\r\n", "a: b\r\n", NGX_MEDIA_HTTP_LINES },
        { "", "HTTP/1.1 103 Hints\r\n\r\n", NGX_MEDIA_HTTP_LINES / 2 + 1 },
        { "HTTP/1.1 200 OK\r\na:", "0123456789abcdef",
          NGX_MEDIA_HTTP_HEAD / 16 - 1 },
        { "", "0123456789abcdef", NGX_MEDIA_HTTP_HEAD / 16 + 1 },
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        n = sprintf(text, "%s", all[i].head);
        n += repeat(text + n, all[i].line, all[i].lines - 1);

        is(parse(text, n, 0, 0, &error), NGX_AGAIN, "limits: %d", (int) i);

        n += repeat(text + n, all[i].line, 1);

        is(parse(text, n, 0, 0, &error), NGX_ERROR, "limits: one more");
        is_text(error, strlen(error), "the head of the answer is too large",
                "limits: which is said");
    }
}


/* however it comes, what is looked at grows with its size, and no faster */

static void
test_cost(void)
{
    char         text[65536];
    size_t       n;
    const char  *error;

    n = sprintf(text, "HTTP/1.1 200 OK\r\n");
    n += repeat(text + n, "name: 0123456789\r\n", 80);
    n += sprintf(text + n, "Content-Length: 4096\r\n\r\n");
    n += repeat(text + n, "0123456789abcdef", 256);

    looked = 0;
    is(feed(text, n, 1, 0, 0, &error), NGX_OK, "cost: byte by byte");
    ok(looked < 2 * n, "cost: %d of %d bytes", (int) looked, (int) n);

    n = sprintf(text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    n += repeat(text + n, "1\r\na\r\n", 500);
    n += repeat(text + n, "10\r\n0123456789abcdef\r\n", 200);
    n += sprintf(text + n, "0\r\n");
    n += repeat(text + n, "trailer: 0123456789\r\n", 200);
    n += sprintf(text + n, "\r\n");

    looked = 0;
    is(feed(text, n, 1, 0, 0, &error), NGX_OK, "cost: chunks");
    is(ngx_media_span_len(&http.body), 500 + 16 * 200, "cost: the body");
    ok(looked < 2 * n, "cost: %d of %d bytes", (int) looked, (int) n);

    looked = 0;
    is(feed(text, n, n, 0, 0, &error), NGX_OK, "cost: whole");
    ok(looked < 2 * n, "cost: %d of %d bytes", (int) looked, (int) n);
}


int
main(void)
{
    test_whole();
    test_fields();
    test_wrong();
    test_limits();
    test_cost();

    free(kept);

    return done();
}
