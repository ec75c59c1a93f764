
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: formats/ngx_media_text.c */


#include <math.h>

#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_text.h"
#include "tap.h"


typedef void (*writer_pt)(ngx_media_text_t *text, const void *arg);


/*
 * Size pass, write pass into a buffer of just that size, the same without
 * the size being told, and every shorter buffer.
 */

static void
check(writer_pt writer, const void *arg, const char *expected,
    const char *name)
{
    int               good;
    size_t            i, len;
    u_char           *p;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, NULL, 100);
    writer(&text, arg);

    len = text.total;
    good = (len == strlen(expected) && !text.overflow);

    p = malloc(len + 1);

    ngx_media_text_init(&text, p, len);
    writer(&text, arg);
    is_text(p, text.pos - p, expected, "%s", name);

    good = good && text.total == len && text.left == 0 && !text.overflow;

    ngx_media_text_init(&text, p, NGX_MEDIA_TEXT_MEASURED);
    writer(&text, arg);
    good = good && text.total == len && !text.overflow
           && memcmp(p, expected, len) == 0;

    free(p);

    for (i = 0; i < len; i++) {
        p = malloc(i ? i : 1);

        ngx_media_text_init(&text, p, i);
        writer(&text, arg);

        good = good && text.overflow && text.total == len
               && (size_t) (text.pos - p) <= i
               && memcmp(p, expected, text.pos - p) == 0;

        free(p);
    }

    ok(good, "%s, passes agree", name);
}


static void
write_u64(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_u64(text, *(const uint64_t *) arg);
}


static void
write_i64(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_i64(text, *(const int64_t *) arg);
}


static void
write_number(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_number(text, *(const double *) arg);
}


static void
write_hex64(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_hex64(text, *(const uint64_t *) arg);
}


static void
write_date(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_date(text, *(const int64_t *) arg);
}


static void
write_duration(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_duration(text, *(const int64_t *) arg);
}


static void
write_xml(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_xml(text, arg);
}


static void
write_json(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_json(text, arg);
}


static void
write_quoted(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_quoted(text, arg);
}


typedef struct {
    uint64_t                value;
    uint32_t                timescale;
    ngx_uint_t              digits;
    ngx_media_text_round_e  mode;
    const char             *expected;
} decimal_t;


static void
write_decimal(ngx_media_text_t *text, const void *arg)
{
    const decimal_t  *d = arg;

    ngx_media_text_decimal(text, d->value, d->timescale, d->digits, d->mode);
}


static void
write_line(ngx_media_text_t *text, const void *arg)
{
    ngx_media_text_cstr(text, "#EXT-X-MAP:URI=\"");
    ngx_media_text_str(text, (const ngx_str_t *) arg);
    ngx_media_text_cstr(text, "/init-");
    ngx_media_text_hex64(text, 0xabc);
    ngx_media_text_cstr(text, ".mp4\"\n");
    ngx_media_text_data(text, NULL, 0);
}


static const struct {
    uint64_t         value;
    const char      *expected;
} unsigneds[] = {
    { 0, "0" },
    { 9, "9" },
    { 10, "10" },
    { 1795222800, "1795222800" },
    { UINT64_MAX, "18446744073709551615" }
};


static const struct {
    int64_t          value;
    const char      *expected;
} signeds[] = {
    { 0, "0" },
    { -1, "-1" },
    { INT64_MAX, "9223372036854775807" },
    { INT64_MIN, "-9223372036854775808" }
};


static const struct {
    uint64_t         value;
    const char      *expected;
} hexes[] = {
    { 0, "0000000000000000" },
    { 0x0123456789abcdefull, "0123456789abcdef" },
    { UINT64_MAX, "ffffffffffffffff" }
};


static const decimal_t  decimals[] = {
    { 0, 1, 0, NGX_MEDIA_TEXT_DOWN, "0" },
    { 0, 1, 3, NGX_MEDIA_TEXT_DOWN, "0.000" },
    { 720000, 360000, 5, NGX_MEDIA_TEXT_HALF_UP, "2.00000" },
    { 2, 3, 3, NGX_MEDIA_TEXT_DOWN, "0.666" },
    { 2, 3, 3, NGX_MEDIA_TEXT_HALF_UP, "0.667" },
    { 30000, 1001, 3, NGX_MEDIA_TEXT_HALF_UP, "29.970" },
    { 24000, 1001, 3, NGX_MEDIA_TEXT_HALF_UP, "23.976" },
    { 1, 8, 2, NGX_MEDIA_TEXT_HALF_UP, "0.13" },
    { 1, 8, 2, NGX_MEDIA_TEXT_DOWN, "0.12" },
    { 1, 2, 0, NGX_MEDIA_TEXT_HALF_UP, "1" },
    { 1, 2, 0, NGX_MEDIA_TEXT_DOWN, "0" },
    { 9999, 10000, 3, NGX_MEDIA_TEXT_HALF_UP, "1.000" },
    { 9999, 10000, 3, NGX_MEDIA_TEXT_DOWN, "0.999" },
    { 99999999, 100000000, 0, NGX_MEDIA_TEXT_HALF_UP, "1" },
    { 2134, 10000, 5, NGX_MEDIA_TEXT_HALF_UP, "0.21340" },
    { 4294967294u, 4294967295u, 9, NGX_MEDIA_TEXT_DOWN, "0.999999999" },
    { 4294967294u, 4294967295u, 9, NGX_MEDIA_TEXT_HALF_UP, "1.000000000" },
    { UINT64_MAX, 1, 9, NGX_MEDIA_TEXT_HALF_UP,
      "18446744073709551615.000000000" },
    { UINT64_MAX, 4294967295u, 3, NGX_MEDIA_TEXT_HALF_UP, "4294967297.000" },
    { UINT64_MAX, 48000, 6, NGX_MEDIA_TEXT_DOWN, "384307168202282.325312" },
    { 1, 3, 20, NGX_MEDIA_TEXT_DOWN, "0.333333333" },
    { 5, 0, 3, NGX_MEDIA_TEXT_HALF_UP, "0.000" }
};


/* dates from date -u -d @N */

static const struct {
    int64_t          value;
    const char      *expected;
} dates[] = {
    { 0, "1970-01-01T00:00:00.000Z" },
    { 1, "1970-01-01T00:00:00.001Z" },
    { -1, "1969-12-31T23:59:59.999Z" },
    { -86400000, "1969-12-31T00:00:00.000Z" },
    { -86400001, "1969-12-30T23:59:59.999Z" },
    { 951782400000, "2000-02-29T00:00:00.000Z" },
    { 951868800000, "2000-03-01T00:00:00.000Z" },
    { 1709164799999, "2024-02-28T23:59:59.999Z" },
    { 1709164800000, "2024-02-29T00:00:00.000Z" },
    { 1767225599999, "2025-12-31T23:59:59.999Z" },
    { 1767225600000, "2026-01-01T00:00:00.000Z" },
    { 4107542400000, "2100-03-01T00:00:00.000Z" },
    { 4107542399000, "2100-02-28T23:59:59.000Z" },
    { 4294967296000, "2106-02-07T06:28:16.000Z" },
    { 253402300799999, "9999-12-31T23:59:59.999Z" },
    { 253402300800000, "10000-01-01T00:00:00.000Z" },
    { -62135596800000, "0001-01-01T00:00:00.000Z" },
    { -62167219200000, "0000-01-01T00:00:00.000Z" },
    { -62167219200001, "-0001-12-31T23:59:59.999Z" },
    { INT64_MAX, "292278994-08-17T07:12:55.807Z" },
    { INT64_MIN, "-292275055-05-16T16:47:04.192Z" }
};


static const struct {
    int64_t          value;
    const char      *expected;
} durations[] = {
    { 0, "PT0S" },
    { 2000, "PT2S" },
    { 12345, "PT12.345S" },
    { 200, "PT0.2S" },
    { 210, "PT0.21S" },
    { 7, "PT0.007S" },
    { 3600000, "PT3600S" },
    { -1500, "-PT1.5S" },
    { INT64_MIN, "-PT9223372036854775.808S" }
};


#define REPLACED  "\xef\xbf\xbd"

static const struct {
    ngx_str_t        str;
    const char      *xml;
    const char      *json;
    const char      *quoted;
} strings[] = {
    { ngx_string("plain"), "plain", "plain", "plain" },
    { ngx_string(""), "", "", "" },
    { ngx_string("a&b<c>d\"e'f"), "a&amp;b&lt;c&gt;d&quot;e&#39;f",
      "a&b<c>d\\\"e'f", "a&b<c>de'f" },
    { ngx_string("a\\b\tc\nd\re"), "a\\b&#9;c&#10;d&#13;e",
      "a\\\\b\\tc\\nd\\re", "a\\bcde" },
    { ngx_string("\0\1\x1f\x7f"), "\x7f", "\\u0000\\u0001\\u001f\\u007f", "" },
    { ngx_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
      "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
      "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
      "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },

    /* C1 controls, line separators, noncharacters */

    { ngx_string("a\xc2\x85" "b\xe2\x80\xa8" "c\xe2\x80\xa9" "d"),
      "a\xc2\x85" "b\xe2\x80\xa8" "c\xe2\x80\xa9" "d",
      "a\xc2\x85" "b\xe2\x80\xa8" "c\xe2\x80\xa9" "d", "abcd" },
    { ngx_string("\xef\xbf\xbe\xef\xbf\xbf"), "", "\xef\xbf\xbe\xef\xbf\xbf",
      "\xef\xbf\xbe\xef\xbf\xbf" },
    { ngx_string(REPLACED), REPLACED, REPLACED, REPLACED },

    /* malformed: lone, overlong, surrogate, too large, truncated */

    { ngx_string("a\x80" "b"), "a" REPLACED "b", "a" REPLACED "b",
      "a" REPLACED "b" },
    { ngx_string("\xc0\xaf"), REPLACED REPLACED, REPLACED REPLACED,
      REPLACED REPLACED },
    { ngx_string("\xe0\x9f\xbf"), REPLACED REPLACED REPLACED,
      REPLACED REPLACED REPLACED, REPLACED REPLACED REPLACED },
    { ngx_string("\xed\xa0\x80"), REPLACED REPLACED REPLACED,
      REPLACED REPLACED REPLACED, REPLACED REPLACED REPLACED },
    { ngx_string("\xf4\x90\x80\x80"), REPLACED REPLACED REPLACED REPLACED,
      REPLACED REPLACED REPLACED REPLACED,
      REPLACED REPLACED REPLACED REPLACED },
    { ngx_string("\xf8\xff"), REPLACED REPLACED, REPLACED REPLACED,
      REPLACED REPLACED },
    { ngx_string("\xe2\x82"), REPLACED, REPLACED, REPLACED },
    { ngx_string("\xe2\x82<"), REPLACED "&lt;", REPLACED "<", REPLACED "<" },
    { ngx_string("\xf0\x9f\x98\""), REPLACED "&quot;", REPLACED "\\\"",
      REPLACED },
    { ngx_string("\xc3"), REPLACED, REPLACED, REPLACED }
};


static void
test_bytes(void)
{
    u_char              buf[8];
    uint64_t            n;
    ngx_media_span_t    span;
    ngx_media_reader_t  r;

    static const u_char  p[] = { 0xf1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
                                 0xef };
    static const u_char  neg[] = { 0xff, 0xff, 0xfe, 0x7f, 0xff, 0xff,
                                   0x80, 0x00, 0x00 };

    is_hex(ngx_media_get_be16(p), 0xf123, "be16");
    is_hex(ngx_media_get_be24(p), 0xf12345, "be24");
    is_hex(ngx_media_get_be32(p), 0xf1234567, "be32");
    is_hex(ngx_media_get_be64(p), 0xf123456789abcdefull, "be64");
    is_hex(ngx_media_get_le16(p), 0x23f1, "le16");
    is_hex(ngx_media_get_le32(p), 0x674523f1, "le32");
    is(ngx_media_get_be24s(neg), -2, "be24s, negative");
    is(ngx_media_get_be24s(neg + 3), 0x7fffff, "be24s, largest");
    is(ngx_media_get_be24s(neg + 6), -0x800000, "be24s, smallest");

    n = 0xf123456789abcdefull;

    ok(ngx_media_put_be64(buf, n) == buf + 8
       && ngx_media_get_be64(buf) == n, "put be64");
    ok(ngx_media_put_be32(buf, 0xf1234567) == buf + 4
       && memcmp(buf, p, 4) == 0, "put be32");
    ok(ngx_media_put_be24(buf, 0xf12345) == buf + 3
       && memcmp(buf, p, 3) == 0, "put be24");
    ok(ngx_media_put_be16(buf, 0xf123) == buf + 2
       && memcmp(buf, p, 2) == 0, "put be16");
    ok(ngx_media_put_le32(buf, 0x674523f1) == buf + 4
       && memcmp(buf, p, 4) == 0, "put le32");
    ok(ngx_media_put_le16(buf, 0x23f1) == buf + 2
       && memcmp(buf, p, 2) == 0, "put le16");
    ok(ngx_media_put_8(buf, 0x1f1) == buf + 1 && buf[0] == 0xf1, "put 8");

    (void) ngx_media_put_double(buf, -2.5);
    is_mem(buf, 8, "\xc0\x04\0\0\0\0\0\0", 8, "double");
    ok(ngx_media_get_double(buf) == -2.5, "double back");

    ngx_media_reader_init(&r, p, p + 8);

    is_hex(ngx_media_read_8(&r), 0xf1, "reader, 8");
    is_hex(ngx_media_read_be16(&r), 0x2345, "reader, 16");
    is_hex(ngx_media_read_be32(&r), 0x6789abcd, "reader, 32");
    is(ngx_media_reader_left(&r), 1, "reader, left");
    ngx_media_read_span(&r, 1, &span);
    ok(span.pos == p + 7 && span.last == p + 8, "reader, span");
    is(r.err, 0, "reader, no error");
    ngx_media_read_span(&r, 0, &span);
    ok(ngx_media_span_len(&span) == 0 && !r.err, "reader, nothing at end");
    is(ngx_media_read_be64(&r), 0, "reader, 64 past the end");
    is(r.err, 1, "reader, error");

    ngx_media_reader_init(&r, p, p + 3);

    is(ngx_media_read_be32(&r), 0, "reader, 32 of 3");
    is(ngx_media_read_8(&r), 0, "reader, nothing after an error");
    is(r.err, 1, "reader, sticky");

    ngx_media_reader_init(&r, p, p + 3);
    ngx_media_read_span(&r, (size_t) -1, &span);
    ok(r.err && span.pos == span.last && span.last == p + 3,
       "reader, huge span");
    is(ngx_media_read_be24(&r), 0, "reader, 24 after it");
}


/* what JavaScript prints, to 15 digits */

static const struct {
    double           value;
    const char      *expected;
} numbers[] = {
    { 0, "0" },
    { -0.0, "0" },
    { 7, "7" },
    { -42, "-42" },
    { 9007199254740991.0, "9007199254740991" },
    { -9007199254740991.0, "-9007199254740991" },
    { 9007199254740992.0, "9007199254740990" },
    { 0.1, "0.1" },
    { 0.1 + 0.2, "0.3" },
    { -12.35, "-12.35" },
    { 29.97, "29.97" },
    { 1.0 / 3, "0.333333333333333" },
    { 2.0 / 3, "0.666666666666667" },
    { 99999999999999.95, "100000000000000" },
    { 999999999999999.96, "1000000000000000" },
    { 1795977310.123456, "1795977310.12346" },
    { 0.000001, "0.000001" },
    { 0.0000012, "0.0000012" },
    { 0.00000012, "1.2e-7" },
    { 1e-7, "1e-7" },
    { 1e20, "100000000000000000000" },
    { 1.5e20, "150000000000000000000" },
    { 1e21, "1e+21" },
    { -1.25e300, "-1.25e+300" },
    { 1e-300, "1e-300" },
    { 1.7976931348623157e308, "1.79769313486232e+308" },
    { 2.2250738585072014e-308, "2.2250738585072e-308" },
    { 4.9406564584124654e-324, "4.94065645841247e-324" },
    { INFINITY, "null" },
    { -INFINITY, "null" },
    { NAN, "null" }
};


/* printed with as many digits, and read again, it is the same number */

static void
test_numbers(void)
{
    char              buf[64], again[64];
    double            value;
    uint64_t          bits;
    unsigned          i, wrong;
    ngx_media_text_t  text;

    bits = 88172645463325252ull;
    wrong = 0;

    for (i = 0; i < 200000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;

        memcpy(&value, &bits, sizeof(double));

        if (!isnormal(value)) {
            continue;
        }

        ngx_media_text_init(&text, (u_char *) buf, sizeof(buf) - 1);
        ngx_media_text_number(&text, value);
        buf[text.total] = '\0';

        snprintf(again, sizeof(again), "%.13g", value);

        if (text.overflow
            || fabs(strtod(buf, NULL) - strtod(again, NULL))
               > fabs(value) * 1e-12)
        {
            diag("%.17g: %s", value, buf);
            wrong++;
        }
    }

    is(wrong, 0, "any double");
}


int
main(void)
{
    size_t  i;
    char    name[64];

    static ngx_str_t  track = ngx_string("v1");

    test_bytes();

    for (i = 0; i < sizeof(unsigneds) / sizeof(unsigneds[0]); i++) {
        check(write_u64, &unsigneds[i].value, unsigneds[i].expected, "u64");
    }

    for (i = 0; i < sizeof(signeds) / sizeof(signeds[0]); i++) {
        check(write_i64, &signeds[i].value, signeds[i].expected, "i64");
    }

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(name, sizeof(name), "number %s", numbers[i].expected);
        check(write_number, &numbers[i].value, numbers[i].expected, name);
    }

    test_numbers();

    for (i = 0; i < sizeof(hexes) / sizeof(hexes[0]); i++) {
        check(write_hex64, &hexes[i].value, hexes[i].expected, "hex64");
    }

    for (i = 0; i < sizeof(decimals) / sizeof(decimals[0]); i++) {
        snprintf(name, sizeof(name), "decimal %s", decimals[i].expected);
        check(write_decimal, &decimals[i], decimals[i].expected, name);
    }

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        snprintf(name, sizeof(name), "date %s", dates[i].expected);
        check(write_date, &dates[i].value, dates[i].expected, name);
    }

    for (i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        check(write_duration, &durations[i].value, durations[i].expected,
              durations[i].expected);
    }

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        snprintf(name, sizeof(name), "string %d, xml", (int) i);
        check(write_xml, &strings[i].str, strings[i].xml, name);

        snprintf(name, sizeof(name), "string %d, json", (int) i);
        check(write_json, &strings[i].str, strings[i].json, name);

        snprintf(name, sizeof(name), "string %d, quoted", (int) i);
        check(write_quoted, &strings[i].str, strings[i].quoted, name);
    }

    check(write_line, &track,
          "#EXT-X-MAP:URI=\"v1/init-0000000000000abc.mp4\"\n", "line");

    return done();
}
