
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_json.c formats/ngx_media_text.c */


#include "formats/ngx_media_json.h"
#include "tap.h"


/* a document as it is read: types and texts, without escapes */

static ngx_int_t
dump(const char *in, size_t size, char *out, size_t left, size_t *offset,
    const char **error)
{
    size_t                   len;
    u_char                  *copy, *p;
    ngx_int_t                rc;
    ngx_media_json_t         json;
    ngx_media_json_token_t   token;

    static const char  letters[] = "nft#s[{e";

    copy = tap_dup(in, size);
    *out = '\0';

    ngx_media_json_init(&json, copy, copy + size);

    for ( ;; ) {
        rc = ngx_media_json_next(&json, &token);
        if (rc != NGX_OK) {
            break;
        }

        len = strlen(out);
        snprintf(out + len, left - len, "%d", (int) token.depth);
        len = strlen(out);

        if (token.key.pos) {
            p = malloc(ngx_media_json_string(NULL, &token.key) + 1);
            p[ngx_media_json_string(p, &token.key)] = '\0';
            snprintf(out + len, left - len, "(%s)", (char *) p);
            free(p);
            len = strlen(out);
        }

        snprintf(out + len, left - len, "%c", letters[token.type]);
        len = strlen(out);

        if (token.type == NGX_MEDIA_JSON_NUMBER) {
            snprintf(out + len, left - len, "%.*s",
                     (int) ngx_media_span_len(&token.text), token.text.pos);
        }

        if (token.type == NGX_MEDIA_JSON_STRING) {
            p = malloc(ngx_media_json_string(NULL, &token.text) + 1);
            p[ngx_media_json_string(p, &token.text)] = '\0';
            snprintf(out + len, left - len, "%s", (char *) p);
            free(p);
        }

        len = strlen(out);
        snprintf(out + len, left - len, " ");
    }

    *error = json.error;
    *offset = json.pos - json.start;

    if (ngx_media_json_next(&json, &token) != rc) {
        rc = NGX_ABORT;
    }

    free(copy);

    return rc;
}


static void
test_good(void)
{
    char        out[4096];
    size_t      offset, len, i;
    ngx_int_t   rc;
    ngx_uint_t  j, bad;
    const char *error;

    static const struct {
        const char  *in;
        const char  *out;
    } tests[] = {
        { "null", "0n " },
        { " \t\r\n true ", "0t " },
        { "false", "0f " },
        { "\xef\xbb\xbf[]", "0[ 0e " },
        { "\"\"", "0s " },
        { "0", "0#0 " },
        { "-0.5e+10", "0#-0.5e+10 " },
        { "1E2", "0#1E2 " },
        { "{}", "0{ 0e " },
        { "[1,\"a\",null]", "0[ 1#1 1sa 1n 0e " },
        { "{\"a\":1,\"b\":[],\"c\":{\"d\":true}}",
          "0{ 1(a)#1 1(b)[ 1e 1(c){ 2(d)t 1e 0e " },
        { " { \"a\" : [ 1 , { } ] } ", "0{ 1(a)[ 2#1 2{ 2e 1e 0e " },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "0s\"\\/\b\f\n\r\t " },
        { "\"\\u0041\\u00e4\\u20ac\\uD83D\\ude00\"",
          "0sA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 " },
        { "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\"",
          "0s\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd " },
        { "{\"\\u0061\\n\":\"\"}", "0{ 1(a\n)s 0e " },
        { "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
          "0[ 1[ 2[ 3[ 4[ 5[ 6[ 7[ 8[ 9[ 10[ 11[ 12[ 13[ 14[ 15[ "
          "15e 14e 13e 12e 11e 10e 9e 8e 7e 6e 5e 4e 3e 2e 1e 0e " },
    };

    for (j = 0; j < sizeof(tests) / sizeof(tests[0]); j++) {
        len = strlen(tests[j].in);

        rc = dump(tests[j].in, len, out, sizeof(out), &offset, &error);

        is(rc, NGX_DONE, "good %d", (int) j);
        is_text(out, strlen(out), tests[j].out, "good %d: what is read",
                (int) j);

        /* cut off anywhere it is an error, but for numbers and blanks */

        bad = 0;

        for (i = 0; i < len; i++) {
            rc = dump(tests[j].in, i, out, sizeof(out), &offset, &error);

            if (rc == NGX_DONE ? strspn(tests[j].in + i, "0123456789.eE+- ")
                                 != len - i
                               : rc != NGX_ERROR || offset > i)
            {
                bad++;
            }
        }

        is(bad, 0, "good %d: cut off", (int) j);
    }
}


static void
test_bad(void)
{
    char        out[4096];
    size_t      offset;
    ngx_int_t   rc;
    ngx_uint_t  j;
    const char *error;

    static const struct {
        const char  *in;
        const char  *error;
        size_t       offset;
    } tests[] = {
        { "", "value expected", 0 },
        { " ", "value expected", 1 },
        { "nul", "value expected", 0 },
        { "nulll", "data after the end", 4 },
        { "True", "value expected", 0 },
        { "1 2", "data after the end", 2 },
        { "[1 2]", "\",\" or \"]\" expected", 3 },
        { "[1,]", "value expected", 3 },
        { "[,1]", "value expected", 1 },
        { "[1}", "\",\" or \"]\" expected", 2 },
        { "[", "cut off", 1 },
        { "[1", "cut off", 2 },
        { "[1,", "value expected", 3 },
        { "{", "cut off", 1 },
        { "{a:1}", "name expected", 1 },
        { "{1:1}", "name expected", 1 },
        { "{\"a\"}", "\":\" expected", 4 },
        { "{\"a\":}", "value expected", 5 },
        { "{\"a\":1,}", "name expected", 7 },
        { "{\"a\":1]", "\",\" or \"}\" expected", 6 },
        { "{\"a\":1 \"b\":2}", "\",\" or \"}\" expected", 7 },
        { "]", "value expected", 0 },
        { "01", "malformed number", 0 },
        { "-", "malformed number", 1 },
        { "-a", "malformed number", 1 },
        { "1.", "malformed number", 2 },
        { ".5", "value expected", 0 },
        { "1.e5", "malformed number", 2 },
        { "1e", "malformed number", 2 },
        { "1e+", "malformed number", 3 },
        { "+1", "value expected", 0 },
        { "0x10", "data after the end", 1 },
        { "NaN", "value expected", 0 },
        { "\"", "string cut off", 1 },
        { "\"a", "string cut off", 2 },
        { "\"\\", "string cut off", 1 },
        { "\"\\u12", "malformed escape", 1 },
        { "\"\\u12g4\"", "malformed escape", 1 },
        { "\"\\a\"", "unknown escape", 1 },
        { "\"\\\x01\"", "unknown escape", 1 },
        { "\"a\tb\"", "control character in a string", 2 },
        { "\"\\ud800\"", "surrogate without its other", 1 },
        { "\"\\ud800\\u0041\"", "surrogate without its other", 1 },
        { "\"\\udc00\\ud800\"", "surrogate without its other", 1 },
        { "\"\\ud800\\udc0\"", "surrogate without its other", 1 },
        { "\"\xff\"", "malformed UTF-8", 1 },
        { "\"\xc0\xaf\"", "malformed UTF-8", 1 },
        { "\"\xed\xa0\x80\"", "malformed UTF-8", 1 },
        { "\"\xef\xbf\"", "malformed UTF-8", 1 },
        { "\"\xf4\x90\x80\x80\"", "malformed UTF-8", 1 },
        { "'a'", "value expected", 0 },
        { "// a\n1", "value expected", 0 },
        { "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "nested too deeply", 16 },
        { "[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]", "nested too deeply", 16 },
    };

    for (j = 0; j < sizeof(tests) / sizeof(tests[0]); j++) {
        rc = dump(tests[j].in, strlen(tests[j].in), out, sizeof(out), &offset,
                  &error);

        is(rc, NGX_ERROR, "bad %d", (int) j);
        is_text(error ? error : "none", strlen(error ? error : "none"),
                tests[j].error, "bad %d: why", (int) j);
        is(offset, tests[j].offset, "bad %d: where", (int) j);
    }

    /* a zero byte in the text, and one that is escaped */

    rc = dump("\"a\0b\"", 5, out, sizeof(out), &offset, &error);
    is(rc, NGX_ERROR, "zero byte");

    rc = dump("[1\0]", 4, out, sizeof(out), &offset, &error);
    is(rc, NGX_ERROR, "zero byte between values");
}


static void
test_strings(void)
{
    u_char            out[16];
    ngx_media_span_t  text;

    text.pos = (u_char *) "p\\u0061th";
    text.last = text.pos + 9;

    ok(ngx_media_json_equal(&text, "path"), "equal with an escape");
    ok(!ngx_media_json_equal(&text, "pat"), "equal, shorter");
    ok(!ngx_media_json_equal(&text, "paths"), "equal, longer");
    ok(!ngx_media_json_equal(&text, "pbth"), "equal, other");

    text.pos = (u_char *) "a\\u0000b";
    text.last = text.pos + 8;

    is(ngx_media_json_string(NULL, &text), 3, "a zero byte, size");
    is(ngx_media_json_string(out, &text), 3, "a zero byte, written");
    is_mem(out, 3, "a\0b", 3, "a zero byte");
    ok(!ngx_media_json_equal(&text, "a"), "a zero byte ends nothing");

    text.last = text.pos;
    is(ngx_media_json_string(out, &text), 0, "empty string");
    ok(ngx_media_json_equal(&text, ""), "equal, empty");
}


static void
test_numbers(void)
{
    u_char            *p;
    int64_t            n;
    ngx_int_t          rc;
    ngx_uint_t         j;
    ngx_media_span_t   text;

    static const struct {
        const char  *in;
        ngx_uint_t   digits;
        ngx_int_t    rc;
        int64_t      n;
    } tests[] = {
        { "0", 0, NGX_OK, 0 },
        { "-0", 0, NGX_OK, 0 },
        { "1", 0, NGX_OK, 1 },
        { "-17", 0, NGX_OK, -17 },
        { "35000.0", 0, NGX_OK, 35000 },
        { "3.5e4", 0, NGX_OK, 35000 },
        { "3.5E+4", 0, NGX_OK, 35000 },
        { "350000e-1", 0, NGX_OK, 35000 },
        { "1.5", 0, NGX_DECLINED, 1 },
        { "-1.999", 0, NGX_DECLINED, -1 },
        { "0.1", 0, NGX_DECLINED, 0 },
        { "1e-1", 0, NGX_DECLINED, 0 },
        { "1e-5", 0, NGX_DECLINED, 0 },
        { "12e-1", 0, NGX_DECLINED, 1 },
        { "1.5", 3, NGX_OK, 1500 },
        { "1.5", 1, NGX_OK, 15 },
        { "0.0005", 3, NGX_DECLINED, 0 },
        { "0.0015", 3, NGX_DECLINED, 1 },
        { "1", 3, NGX_OK, 1000 },
        { "0.000000000000000000000000000001e30", 0, NGX_OK, 1 },
        { "0.000000000000000000000000000001e32", 0, NGX_OK, 100 },
        { "1000000000000000000000000000000e-30", 0, NGX_OK, 1 },
        { "0e999999999999999999999", 0, NGX_OK, 0 },
        { "1e-999999999999999999999", 0, NGX_DECLINED, 0 },
        { "0.00e-999999999999999999999", 0, NGX_OK, 0 },
        { "1e999999999999999999999", 0, NGX_ERROR, 0 },
        { "9223372036854775807", 0, NGX_OK, INT64_MAX },
        { "9223372036854775808", 0, NGX_ERROR, 0 },
        { "-9223372036854775808", 0, NGX_OK, INT64_MIN },
        { "-9223372036854775809", 0, NGX_ERROR, 0 },
        { "9223372036854775807", 1, NGX_ERROR, 0 },
        { "922337203685477580.7", 1, NGX_OK, INT64_MAX },
        { "1e18", 0, NGX_OK, 1000000000000000000 },
        { "1e19", 0, NGX_ERROR, 0 },
        { "99999999999999999999999999", 0, NGX_ERROR, 0 },
    };

    for (j = 0; j < sizeof(tests) / sizeof(tests[0]); j++) {
        p = tap_dup(tests[j].in, strlen(tests[j].in));
        text.pos = p;
        text.last = p + strlen(tests[j].in);
        n = 0;

        rc = ngx_media_json_number(&text, tests[j].digits, &n);

        is(rc, tests[j].rc, "number \"%s\"", tests[j].in);
        is(n, tests[j].n, "number \"%s\", %d digits", tests[j].in,
           (int) tests[j].digits);

        free(p);
    }
}


static void
test_walk(void)
{
    ngx_uint_t               n;
    const char              *in;
    ngx_media_json_t         json;
    ngx_media_json_token_t   token;

    in = "{\"a\":[1,[2,{\"x\":[]}],{}],\"b\":2}";

    ngx_media_json_init(&json, (u_char *) in, (u_char *) in + strlen(in));

    is(ngx_media_json_next(&json, &token), NGX_OK, "enter the object");
    is(ngx_media_json_count(&json, &n), NGX_OK, "count");
    is(n, 2, "values of the object");

    is(ngx_media_json_next(&json, &token), NGX_OK, "enter the array");
    is(ngx_media_json_count(&json, &n), NGX_OK, "count");
    is(n, 3, "values of the array");

    is(ngx_media_json_skip(&json, &token), NGX_OK, "skip it");
    is(ngx_media_json_next(&json, &token), NGX_OK, "next");
    ok(ngx_media_json_equal(&token.key, "b"), "its neighbor");
    is(ngx_media_json_skip(&json, &token), NGX_OK, "skip a number");
    is(ngx_media_json_next(&json, &token), NGX_OK, "end");
    is(token.type, NGX_MEDIA_JSON_END, "end");
    is(ngx_media_json_next(&json, &token), NGX_DONE, "done");

    in = "[[1,";
    ngx_media_json_init(&json, (u_char *) in, (u_char *) in + strlen(in));

    (void) ngx_media_json_next(&json, &token);
    is(ngx_media_json_count(&json, &n), NGX_ERROR, "count what is cut off");
    is(ngx_media_json_next(&json, &token), NGX_OK, "not yet an error");
    is(ngx_media_json_skip(&json, &token), NGX_ERROR, "skip what is cut off");
}


int
main(void)
{
    test_good();
    test_bad();
    test_strings();
    test_numbers();
    test_walk();

    return done();
}
