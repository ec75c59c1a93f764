
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: formats/ngx_media_amf.c formats/ngx_media_text.c */


#include <math.h>

#include "formats/ngx_media_amf.h"
#include "tap.h"


typedef struct {
    ngx_media_span_t       name;
    double                 transaction;
    ngx_media_span_t       app;
    ngx_media_span_t       tcurl;
    ngx_uint_t             fpad;
    double                 caps;
    ngx_media_amf_value_t  list;
    ngx_media_amf_value_t  map;
    ngx_media_span_t       deep;
    ngx_media_span_t       extra;
} connect_t;


#define at(field)  offsetof(connect_t, field)


static const ngx_media_amf_elt_t  deep_elts[] = {
    { NGX_MEDIA_AMF_STRING, ngx_string("inner"), at(deep), NULL },
    ngx_media_amf_null_elt
};

static const ngx_media_amf_elt_t  props[] = {
    { NGX_MEDIA_AMF_STRING, ngx_string("app"), at(app), NULL },
    { NGX_MEDIA_AMF_STRING, ngx_string("tcUrl"), at(tcurl), NULL },
    { NGX_MEDIA_AMF_BOOL, ngx_string("fpad"), at(fpad), NULL },
    { NGX_MEDIA_AMF_NUMBER, ngx_string("capsEx"), at(caps), NULL },
    { NGX_MEDIA_AMF_VALUE, ngx_string("fourCcList"), at(list), NULL },
    { NGX_MEDIA_AMF_VALUE, ngx_string("videoFourCcInfoMap"), at(map), NULL },
    { NGX_MEDIA_AMF_OBJECT, ngx_string("outer"), 0, deep_elts },
    ngx_media_amf_null_elt
};

static const ngx_media_amf_elt_t  args[] = {
    { NGX_MEDIA_AMF_STRING, ngx_null_string, at(name), NULL },
    { NGX_MEDIA_AMF_NUMBER, ngx_null_string, at(transaction), NULL },
    { NGX_MEDIA_AMF_OBJECT, ngx_null_string, 0, props },
    { NGX_MEDIA_AMF_SKIP, ngx_null_string, 0, NULL },
    { NGX_MEDIA_AMF_STRING, ngx_null_string, at(extra), NULL },
    ngx_media_amf_null_elt
};


/* connect as an enhanced encoder sends it, with every type in it */

static const u_char  connect_message[] =
    "\x02\0\7connect"
    "\x00\x3f\xf0\0\0\0\0\0\0"
    "\x03"
        "\0\3app" "\x02\0\4live"
        "\0\4type" "\x02\0\x0anonprivate"
        "\0\5tcUrl" "\x0c\0\0\0\x0brtmp://h/l/"
        "\0\4fpad" "\x01\x01"
        "\0\6capsEx" "\x00\x40\x08\0\0\0\0\0\0"
        "\0\4null" "\x05"
        "\0\5undef" "\x06"
        "\0\5unsup" "\x0d"
        "\0\3ref" "\x07\0\1"
        "\0\4date" "\x0b\x42\x77\0\0\0\0\0\0\0\0"
        "\0\3xml" "\x0f\0\0\0\3<a>"
        "\0\5typed" "\x10\0\3cls" "\0\1x" "\x01\0" "\0\0\x09"
        "\0\7avmplus" "\x11\x06\x09" "text"
        "\0\x0a" "fourCcList" "\x0a\0\0\0\3"
            "\x02\0\4av01" "\x02\0\4hvc1" "\x02\0\1*"
        "\0\x12videoFourCcInfoMap" "\x08\0\0\0\2"
            "\0\4hvc1" "\x00\x3f\xf0\0\0\0\0\0\0"
            "\0\1*" "\x00\x40\0\0\0\0\0\0\0" "\0\0\x09"
        "\0\5outer" "\x03"
            "\0\1a" "\x0a\0\0\0\2" "\x03\0\1b\x0a\0\0\0\0\0\0\x09"
                "\x08\0\0\0\0\0\0\x09"
            "\0\5inner" "\x02\0\3yes" "\0\0\x09"
    "\0\0\x09"
    "\x03\0\0\x09"
    "\x02\0\4last";

#define CONNECT_LEN  (sizeof(connect_message) - 1)

/* where its object ends */
#define OBJECT_LEN   (CONNECT_LEN - 4 - 7)


static int
is_span(const ngx_media_span_t *span, const char *expected, const char *name)
{
    return is_text(span->pos, ngx_media_span_len(span), expected, "%s", name);
}


static int
parse(const u_char *data, size_t len, connect_t *c, size_t *used)
{
    int            rc;
    u_char        *copy;
    const u_char  *p;

    memset(c, 0, sizeof(connect_t));
    c->transaction = -1;

    copy = tap_dup(data, len);
    p = copy;

    rc = ngx_media_amf_parse(&p, copy + len, args, c);

    if (used) {
        *used = p - copy;
    }

    free(copy);

    return rc;
}


static void
test_table(void)
{
    int                       i, n;
    connect_t                 c;
    const u_char             *p;
    ngx_media_span_t          key;
    ngx_media_amf_value_t     value;
    ngx_media_amf_iterator_t  it;

    static const char  *fourccs[] = { "av01", "hvc1", "*" };

    memset(&c, 0, sizeof(c));
    p = connect_message;

    is(ngx_media_amf_parse(&p, connect_message + CONNECT_LEN, args, &c),
       NGX_OK, "connect");
    ok(p == connect_message + CONNECT_LEN, "connect, all of it");

    is_span(&c.name, "connect", "command");
    ok(c.transaction == 1, "transaction");
    is_span(&c.app, "live", "app");
    is_span(&c.tcurl, "rtmp://h/l/", "tcUrl, a long string");
    is(c.fpad, 1, "fpad");
    ok(c.caps == 3, "capsEx");
    is_span(&c.deep, "yes", "nested object");
    is_span(&c.extra, "last", "the argument after a skipped one");

    is(c.list.type, NGX_MEDIA_AMF_ARRAY, "fourCcList");
    ngx_media_amf_iterate(&it, &c.list);

    for (n = 0; ngx_media_amf_next(&it, &key, &value) == NGX_OK; n++) {
        ok(n < 3 && ngx_media_span_len(&key) == 0, "element %d", n);
        is(value.type, NGX_MEDIA_AMF_STRING, "its type");
        is_span(&value.data, fourccs[n < 3 ? n : 0], "its value");
    }

    is(n, 3, "elements");
    is(ngx_media_amf_next(&it, &key, &value), NGX_DONE, "no more");

    is(c.map.type, NGX_MEDIA_AMF_ECMA_ARRAY, "videoFourCcInfoMap");
    ngx_media_amf_iterate(&it, &c.map);

    is(ngx_media_amf_next(&it, &key, &value), NGX_OK, "first of map");
    is_span(&key, "hvc1", "first of map, key");
    ok(value.type == NGX_MEDIA_AMF_NUMBER && value.number == 1,
       "first of map, value");
    is(ngx_media_amf_next(&it, &key, &value), NGX_OK, "second of map");
    is_span(&key, "*", "second of map, key");
    ok(value.number == 2, "second of map, value");
    is(ngx_media_amf_next(&it, &key, &value), NGX_DONE, "end of map");

    /* scalars have no elements */

    for (i = 0; i < 2; i++) {
        value.type = i ? NGX_MEDIA_AMF_STRING : NGX_MEDIA_AMF_NULL;
        value.data.pos = connect_message;
        value.data.last = connect_message + 20;
        ngx_media_amf_iterate(&it, &value);
        is(ngx_media_amf_next(&it, &key, &value), NGX_DONE, "not a container");
    }

    is(parse(connect_message, 0, &c, NULL), NGX_OK, "no input");
    ok(c.name.pos == NULL && c.transaction == -1, "nothing is touched");
}


static void
test_truncated(void)
{
    int        good, rc;
    size_t     i, used;
    connect_t  c;

    /* whole where a value, or a property of the outermost object, ends */

    static const size_t  borders[] = { 0, 10, 19 };

    good = 1;

    for (i = 0; i < OBJECT_LEN; i++) {
        rc = parse(connect_message, i, &c, &used);

        if (i == borders[0] || i == borders[1] || i == borders[2]) {
            good = good && rc == NGX_OK && used == i;
            continue;
        }

        if (rc == NGX_OK) {
            /* between two properties */
            good = good && i > 19 && used == i && c.transaction == 1;
            continue;
        }

        good = good && rc == NGX_ERROR;
    }

    ok(good, "truncated");

    is(parse(connect_message, OBJECT_LEN - 3, &c, NULL), NGX_OK,
       "no end marker");
    ok(c.caps == 3, "no end marker, properties");
    is(parse(connect_message, OBJECT_LEN, &c, NULL), NGX_OK,
       "fewer arguments");
    ok(c.caps == 3 && c.extra.pos == NULL, "fewer arguments, properties");
}


#define bytes(s)  (const u_char *) s, sizeof(s) - 1

static const struct {
    const u_char  *data;
    size_t         len;
    int            rc;
    int            type;
    double         number;
    const char    *text;
    const char    *name;
} values[] = {
    { bytes("\x00\x40\x39\0\0\0\0\0\0"), NGX_OK, NGX_MEDIA_AMF_NUMBER, 25,
      "", "number" },
    { bytes("\x01\x00"), NGX_OK, NGX_MEDIA_AMF_BOOL, 0, "", "false" },
    { bytes("\x01\x07"), NGX_OK, NGX_MEDIA_AMF_BOOL, 1, "", "true" },
    { bytes("\x02\0\0"), NGX_OK, NGX_MEDIA_AMF_STRING, 0, "",
      "empty string" },
    { bytes("\x02\0\2ab"), NGX_OK, NGX_MEDIA_AMF_STRING, 0, "ab", "string" },
    { bytes("\x0c\0\0\0\2ab"), NGX_OK, NGX_MEDIA_AMF_STRING, 0, "ab",
      "long string" },
    { bytes("\x0f\0\0\0\2ab"), NGX_OK, NGX_MEDIA_AMF_STRING, 0, "ab",
      "XML" },
    { bytes("\x03\0\0\x09"), NGX_OK, NGX_MEDIA_AMF_OBJECT, 0, "",
      "empty object" },
    { bytes("\x05"), NGX_OK, NGX_MEDIA_AMF_NULL, 0, "", "null" },
    { bytes("\x06"), NGX_OK, NGX_MEDIA_AMF_UNDEFINED, 0, "", "undefined" },
    { bytes("\x07\1\2"), NGX_OK, NGX_MEDIA_AMF_REFERENCE, 258, "",
      "reference" },
    { bytes("\x08\xff\xff\xff\xff\0\0\x09"), NGX_OK,
      NGX_MEDIA_AMF_ECMA_ARRAY, 0, "", "the count of an ECMA array" },
    { bytes("\x0a\0\0\0\0"), NGX_OK, NGX_MEDIA_AMF_ARRAY, 0, "",
      "empty array" },
    { bytes("\x0a\0\0\0\2\x05\x06"), NGX_OK, NGX_MEDIA_AMF_ARRAY, 0,
      "\x05\x06", "array" },
    { bytes("\x0b\x40\x39\0\0\0\0\0\0\0\0"), NGX_OK, NGX_MEDIA_AMF_DATE, 25,
      "", "date" },
    { bytes("\x0d"), NGX_OK, NGX_MEDIA_AMF_UNDEFINED, 0, "",
      "unsupported" },
    { bytes("\x10\0\1c\0\1k\x05\0\0\x09"), NGX_OK,
      NGX_MEDIA_AMF_TYPED_OBJECT, 0, NULL, "typed object" },

    /* an empty key is a property where no end marker follows */

    { bytes("\x03\0\0\x05\0\0\x09"), NGX_OK, NGX_MEDIA_AMF_OBJECT, 0, NULL,
      "empty key" },

    { bytes("\x04"), NGX_ERROR, 0, 0, NULL, "movie clip" },
    { bytes("\x09"), NGX_ERROR, 0, 0, NULL, "object end" },
    { bytes("\x0e"), NGX_ERROR, 0, 0, NULL, "record set" },
    { bytes("\x12"), NGX_ERROR, 0, 0, NULL, "no such marker" },
    { bytes("\xff"), NGX_ERROR, 0, 0, NULL, "no such marker" },
    { bytes("\x02\xff\xff" "ab"), NGX_ERROR, 0, 0, NULL, "length 65535" },
    { bytes("\x0c\xff\xff\xff\xff" "ab"), NGX_ERROR, 0, 0, NULL,
      "length 2^32 - 1" },
    { bytes("\x0a\xff\xff\xff\xff\x05\x05"), NGX_ERROR, 0, 0, NULL,
      "2^32 - 1 elements" },
    { bytes("\x10\xff\xff" "ab"), NGX_ERROR, 0, 0, NULL, "class name" },
    { bytes("\x03\0\1"), NGX_ERROR, 0, 0, NULL, "half a key" },
    { bytes("\x03\0\1k"), NGX_ERROR, 0, 0, NULL, "a key without a value" },
    { bytes("\x03\0\1k\x12"), NGX_ERROR, 0, 0, NULL, "a bad value" },

    /* AMF3 */

    { bytes("\x11\x00"), NGX_OK, NGX_MEDIA_AMF_UNDEFINED, 0, "",
      "AMF3 undefined" },
    { bytes("\x11\x01"), NGX_OK, NGX_MEDIA_AMF_NULL, 0, "", "AMF3 null" },
    { bytes("\x11\x02"), NGX_OK, NGX_MEDIA_AMF_BOOL, 0, "", "AMF3 false" },
    { bytes("\x11\x03"), NGX_OK, NGX_MEDIA_AMF_BOOL, 1, "", "AMF3 true" },
    { bytes("\x11\x04\x7f"), NGX_OK, NGX_MEDIA_AMF_NUMBER, 127, "",
      "AMF3 integer, 1 byte" },
    { bytes("\x11\x04\x81\x00"), NGX_OK, NGX_MEDIA_AMF_NUMBER, 128, "",
      "AMF3 integer, 2 bytes" },
    { bytes("\x11\x04\xbf\xff\xff\xff"), NGX_OK, NGX_MEDIA_AMF_NUMBER,
      268435455, "", "AMF3 integer, largest" },
    { bytes("\x11\x04\xc0\x80\x80\x00"), NGX_OK, NGX_MEDIA_AMF_NUMBER,
      -268435456, "", "AMF3 integer, smallest" },
    { bytes("\x11\x04\xff\xff\xff\xff"), NGX_OK, NGX_MEDIA_AMF_NUMBER, -1, "",
      "AMF3 integer, -1" },
    { bytes("\x11\x05\x40\x39\0\0\0\0\0\0"), NGX_OK, NGX_MEDIA_AMF_NUMBER, 25,
      "", "AMF3 double" },
    { bytes("\x11\x06\x05" "ab"), NGX_OK, NGX_MEDIA_AMF_STRING, 0, "ab",
      "AMF3 string" },
    { bytes("\x11\x06\x04"), NGX_OK, NGX_MEDIA_AMF_REFERENCE, 2, "",
      "AMF3 reference" },
    { bytes("\x11\x0c\x05" "ab"), NGX_OK, NGX_MEDIA_AMF_STRING, 0, "ab",
      "AMF3 bytes" },
    { bytes("\x11\x08\x01\x40\x39\0\0\0\0\0\0"), NGX_OK, NGX_MEDIA_AMF_DATE,
      25, "", "AMF3 date" },
    { bytes("\x11\x08\x02"), NGX_OK, NGX_MEDIA_AMF_REFERENCE, 1, "",
      "AMF3 date, reference" },
    { bytes("\x11\x06\xff\xff\xff\xff"), NGX_ERROR, 0, 0, NULL,
      "AMF3 string, longest" },
    { bytes("\x11\x06\xff"), NGX_ERROR, 0, 0, NULL, "AMF3 half a length" },
    { bytes("\x11\x09\x01"), NGX_DECLINED, 0, 0, NULL, "AMF3 array" },
    { bytes("\x11\x0a\x0b\x01"), NGX_DECLINED, 0, 0, NULL, "AMF3 object" },
    { bytes("\x11\x7f"), NGX_DECLINED, 0, 0, NULL, "AMF3 no such marker" },
    { bytes("\x11"), NGX_ERROR, 0, 0, NULL, "AMF3 nothing" }
};


static void
test_values(void)
{
    int                    good, rc;
    size_t                 i, j;
    u_char                *copy;
    const u_char          *p;
    ngx_media_amf_value_t  v;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {

        copy = tap_dup(values[i].data, values[i].len);
        p = copy;

        rc = ngx_media_amf_read(&p, copy + values[i].len, &v);

        is(rc, values[i].rc, "%s", values[i].name);

        if (rc == NGX_OK) {
            ok((int) v.type == values[i].type && v.number == values[i].number
               && p == copy + values[i].len, "%s, value", values[i].name);

            if (values[i].text) {
                is_text(v.data.pos, ngx_media_span_len(&v.data),
                        values[i].text, "%s, data", values[i].name);
            }
        }

        free(copy);

        if (rc != NGX_OK) {
            continue;
        }

        good = 1;

        for (j = 0; j < values[i].len; j++) {
            copy = tap_dup(values[i].data, j);
            p = copy;

            rc = ngx_media_amf_read(&p, copy + j, &v);

            /* a missing end marker is allowed */

            good = good && rc != NGX_DECLINED && (rc == NGX_DONE) == (j == 0)
                   && (rc != NGX_OK || p == copy + j);
            free(copy);
        }

        ok(good, "%s, truncated", values[i].name);
    }
}


static void
test_depth(void)
{
    int                    i, n;
    size_t                 len;
    u_char                *p, *q;
    const u_char          *pos;
    ngx_media_amf_value_t  value;

    for (n = NGX_MEDIA_AMF_DEPTH; n < NGX_MEDIA_AMF_DEPTH + 2; n++) {

        len = n * 5;
        p = malloc(len);

        for (i = 0, q = p; i < n; i++) {
            memcpy(q, i + 1 < n ? "\x0a\0\0\0\1" : "\x0a\0\0\0\0", 5);
            q += 5;
        }

        pos = p;
        is(ngx_media_amf_read(&pos, p + len, &value),
           n > NGX_MEDIA_AMF_DEPTH ? NGX_ERROR : NGX_OK, "%d arrays", n);
        free(p);

        len = n * 7;
        p = malloc(len);

        for (i = 0, q = p; i < n; i++) {
            memcpy(q, "\x03\0\1x", 4);
            q += 4;
        }

        q[-3] = 0;
        q[-2] = 0;
        q[-1] = 9;

        for (i = 1; i < n; i++) {
            memcpy(q, "\0\0\x09", 3);
            q += 3;
        }

        pos = p;
        is(ngx_media_amf_read(&pos, q, &value),
           n > NGX_MEDIA_AMF_DEPTH ? NGX_ERROR : NGX_OK, "%d objects", n);
        free(p);
    }

    /* deep and unlimited */

    len = 1000000;
    p = malloc(len);

    for (i = 0; i < (int) len; i += 5) {
        memcpy(p + i, "\x0a\xff\xff\xff\xff", 5);
    }

    pos = p;
    is(ngx_media_amf_read(&pos, p + len, &value), NGX_ERROR,
       "200000 arrays");

    /* long, but flat */

    memset(p, NGX_MEDIA_AMF_NULL, len);
    memcpy(p, "\x0a\0\x0f\x42\x3b", 5);
    pos = p;
    is(ngx_media_amf_read(&pos, p + len, &value), NGX_OK, "999995 elements");
    ok(pos == p + len, "999995 elements, all of them");

    free(p);
}


/* what is of another type, unreadable, or there twice */

static void
test_mismatch(void)
{
    connect_t      c;
    const u_char  *p;

    static const u_char  other[] =
        "\x00\x3f\xf0\0\0\0\0\0\0" "\x02\0\1x"
        "\x03" "\0\3app" "\x01\1" "\0\4fpad" "\x00\x3f\xf0\0\0\0\0\0\0"
        "\0\6capsEx" "\x02\0\1x" "\0\5outer" "\x05" "\0\5tcUrl" "\x02\0\1a"
        "\0\5tcUrl" "\x02\0\1b" "\0\5TCURL" "\x02\0\1c" "\0\0\x09"
        "\x05" "\x05";

    static const u_char  avm[] =
        "\x02\0\7connect" "\x00\x3f\xf0\0\0\0\0\0\0"
        "\x03" "\0\3app" "\x02\0\4live" "\0\1o" "\x11\x0a\x0b\1"
        "\0\5tcUrl" "\x02\0\1a";

    static const u_char  null[] =
        "\x02\0\7publish" "\x00\x3f\xf0\0\0\0\0\0\0" "\x05" "\x05"
        "\x02\0\4name";

    is(parse(other, sizeof(other) - 1, &c, NULL), NGX_OK, "other types");
    ok(c.name.pos == NULL && c.transaction == -1 && c.app.pos == NULL
       && c.caps == 0 && c.deep.pos == NULL && c.extra.pos == NULL,
       "other types, skipped");
    is(c.fpad, 1, "a number for a boolean");

    memset(&c, 0, sizeof(c));

    p = other;

    ngx_media_amf_parse(&p, other + sizeof(other) - 1, args, &c);
    is_span(&c.tcurl, "b", "the last of equal keys");

    memset(&c, 0, sizeof(c));
    p = avm;

    is(ngx_media_amf_parse(&p, avm + sizeof(avm) - 1, args, &c),
       NGX_DECLINED, "AMF3 object");
    is_span(&c.name, "connect", "AMF3 object, command");
    is_span(&c.app, "live", "AMF3 object, property before it");
    ok(c.tcurl.pos == NULL, "AMF3 object, property after it");

    memset(&c, 0, sizeof(c));
    p = null;

    is(ngx_media_amf_parse(&p, null + sizeof(null) - 1, args, &c), NGX_OK,
       "null for an object");
    is_span(&c.extra, "name", "null for an object, next argument");
}


static void
write_result(ngx_media_text_t *text)
{
    ngx_media_amf_write_cstr(text, "_result");
    ngx_media_amf_write_number(text, 1);
    ngx_media_amf_write_object(text);
    ngx_media_amf_write_name(text, "app");
    ngx_media_amf_write_cstr(text, "live");
    ngx_media_amf_write_name(text, "fpad");
    ngx_media_amf_write_number(text, 1);
    ngx_media_amf_write_name(text, "capsEx");
    ngx_media_amf_write_number(text, -0.5);
    ngx_media_amf_write_name(text, "videoFourCcInfoMap");
    ngx_media_amf_write_object(text);
    ngx_media_amf_write_name(text, "*");
    ngx_media_amf_write_number(text, 1);
    ngx_media_amf_write_end(text);
    ngx_media_amf_write_end(text);
    ngx_media_amf_write_null(text);
    ngx_media_amf_write_cstr(text, "last");
}


static void
test_write(void)
{
    size_t                    len;
    u_char                   *p;
    u_char                   *large;
    connect_t                 c;
    const u_char             *pos;
    ngx_media_span_t          key;
    ngx_media_text_t          text;
    ngx_media_amf_value_t     value;
    ngx_media_amf_iterator_t  it;

    ngx_media_text_init(&text, NULL, 0);
    write_result(&text);
    len = text.total;

    p = malloc(len);
    ngx_media_text_init(&text, p, len);
    write_result(&text);
    ok(text.total == len && text.left == 0 && !text.overflow,
       "sizes of the passes");

    memset(&c, 0, sizeof(c));
    pos = p;
    is(ngx_media_amf_parse(&pos, p + len, args, &c), NGX_OK, "read again");
    ok(pos == p + len, "read again, all of it");
    is_span(&c.name, "_result", "written string");
    ok(c.transaction == 1 && c.caps == -0.5 && c.fpad == 1,
       "written numbers");
    is_span(&c.app, "live", "written property");
    is_span(&c.extra, "last", "written null, string after it");

    ngx_media_amf_iterate(&it, &c.map);
    is(ngx_media_amf_next(&it, &key, &value), NGX_OK, "written object in one");
    is_span(&key, "*", "its key");

    ngx_media_text_init(&text, p, len - 1);
    write_result(&text);
    ok(text.overflow && text.total == len, "too small");
    free(p);

    /* long strings, long keys */

    /* booleans, arrays */

    p = malloc(18);
    ngx_media_text_init(&text, p, 18);
    ngx_media_amf_write_array(&text, 2);
    ngx_media_amf_write_name(&text, "t");
    ngx_media_amf_write_bool(&text, 7);
    ngx_media_amf_write_name(&text, "f");
    ngx_media_amf_write_bool(&text, 0);
    ngx_media_amf_write_end(&text);
    pos = p;
    ok(ngx_media_amf_read(&pos, text.pos, &value) == NGX_OK
       && value.type == NGX_MEDIA_AMF_ECMA_ARRAY && pos == text.pos,
       "written array");
    is_mem(p, text.total, "\x08\0\0\0\2\0\1t\1\1\0\1f\1\0\0\0\x09", 18,
           "bytes of an array");
    free(p);

    large = malloc(70000);
    memset(large, 'x', 70000);
    p = malloc(140000);

    ngx_media_text_init(&text, p, 140000);
    ngx_media_amf_write_string(&text, large, 70000);
    ngx_media_amf_write_string(&text, large, 65535);
    pos = p;
    ok(ngx_media_amf_read(&pos, text.pos, &value) == NGX_OK && *p == 12
       && ngx_media_span_len(&value.data) == 70000, "long string");
    ok(ngx_media_amf_read(&pos, text.pos, &value) == NGX_OK
       && ngx_media_span_len(&value.data) == 65535 && pos == text.pos,
       "longest short string");

    ngx_media_text_init(&text, p, 140000);
    ngx_media_amf_write_object(&text);
    ngx_media_amf_write_key(&text, large, 70000);
    ngx_media_amf_write_null(&text);
    ngx_media_amf_write_end(&text);
    pos = p;
    ok(ngx_media_amf_read(&pos, text.pos, &value) == NGX_OK
       && pos == text.pos, "key that is too long");

    ngx_media_text_init(&text, p, 9);
    ngx_media_amf_write_number(&text, NAN);
    pos = p;
    ok(ngx_media_amf_read(&pos, p + 9, &value) == NGX_OK
       && isnan(value.number), "NaN");

    free(large);
    free(p);
}


int
main(void)
{
    test_table();
    test_truncated();
    test_values();
    test_depth();
    test_mismatch();
    test_write();

    return done();
}
