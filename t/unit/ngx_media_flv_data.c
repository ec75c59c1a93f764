
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_flv_data.c formats/ngx_media_id3.c
         formats/ngx_media_text.c */


#include "formats/ngx_media_amf.h"
#include "formats/ngx_media_flv_data.h"
#include "media_id3.h"
#include "tap.h"


#define bytes(literal)  literal, sizeof(literal) - 1

#define TEXT  "\x02\0\x0aonTextData"
#define NUM   "\x00\x40\x28\xb3\x33\x33\x33\x33\x33"   /* 12.35 */


static const struct {
    const char            *title;
    const char            *body;
    size_t                 len;
    ngx_media_flv_data_e   why;
    const char            *name;
    const char            *value;
} messages[] = {

    { "an object", bytes(TEXT "\x03\0\4text\x02\0\5hello\0\x08language"
      "\x02\0\3eng\0\7trackid\0\x40\0\0\0\0\0\0\0\0\0\x09"),
      NGX_MEDIA_FLV_DATA_OK, "onTextData",
      "{\"text\":\"hello\",\"language\":\"eng\",\"trackid\":2}" },

    { "an ECMA array, as libavformat writes it", bytes(TEXT "\x08\0\0\0\2"
      "\0\4type\x02\0\4Text\0\4text\x02\0\2hi\0\0\x09"),
      NGX_MEDIA_FLV_DATA_OK, "onTextData",
      "{\"type\":\"Text\",\"text\":\"hi\"}" },

    { "behind @setDataFrame", bytes("\x02\0\x0d@setDataFrame" TEXT
      "\x02\0\1x"), NGX_MEDIA_FLV_DATA_OK, "onTextData", "\"x\"" },

    { "of AMF3", bytes("\0" TEXT "\x03\0\1a\x11\x06\x05hi\0\1b\x11\4\7"
      "\0\0\x09"), NGX_MEDIA_FLV_DATA_OK, "onTextData",
      "{\"a\":\"hi\",\"b\":7}" },

    { "no argument", bytes("\x02\0\4ping"), NGX_MEDIA_FLV_DATA_OK, "ping",
      "null" },

    { "three arguments", bytes("\x02\0\4ping" NUM "\5" "\1\1"),
      NGX_MEDIA_FLV_DATA_OK, "ping", "[12.35,null,true]" },

    { "a cue point", bytes("\x02\0\x0aonCuePoint\x03\0\4name\x02\0\1n"
      "\0\4time" NUM "\0\x0aparameters\x03\0\1k\x02\0\1v\0\0\x09"
      "\0\4list\x0a\0\0\0\3\1\0\6\x0a\0\0\0\0\0\4last\x03\0\0\x09\0\0\x09"),
      NGX_MEDIA_FLV_DATA_OK, "onCuePoint",
      "{\"name\":\"n\",\"time\":12.35,\"parameters\":{\"k\":\"v\"},"
      "\"list\":[false,null,[]],\"last\":{}}" },

    { "other types", bytes("\x02\0\1t\x0a\0\0\0\6"
      "\x0b\x42\x77\0\0\0\0\0\0\0\0" "\x07\0\1" "\x0c\0\0\0\1l" "\x0d"
      "\x0f\0\0\0\3<a>" "\x10\0\3cls\0\1x\1\1\0\0\x09"),
      NGX_MEDIA_FLV_DATA_OK, "t", "[\"2020-02-01T09:06:04.928Z\",null,\"l\","
      "null,\"<a>\",{\"x\":true}]" },

    { "dates out of range", bytes("\x02\0\1t\x0a\0\0\0\2"
      "\x0b\xbf\xf0\0\0\0\0\0\0\0\0" "\x0b\x7f\xf8\0\0\0\0\0\0\0\0"),
      NGX_MEDIA_FLV_DATA_OK, "t", "[-1,null]" },

    { "characters", bytes(TEXT "\x03\0\3a\"\n\x02\0\x0e\0\1\n\t\"\\\x7f"
      "\xc3\xa4\xff\xe2\x82\xc0\x41\0\0\x09"),
      NGX_MEDIA_FLV_DATA_OK, "onTextData",
      "{\"a\\\"\\n\":\"\\u0000\\u0001\\n\\t\\\"\\\\\\u007f\xc3\xa4"
      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" "A\"}" },

    { "no end marker", bytes(TEXT "\x03\0\1a\1\1"),
      NGX_MEDIA_FLV_DATA_OK, "onTextData", "{\"a\":true}" },

    { "onMetaData", bytes("\x02\0\x0aonMetaData\x03\0\0\x09"),
      NGX_MEDIA_FLV_DATA_OTHER, "onMetaData", NULL },
    { "onMetaData, framed", bytes("\x02\0\x0d@setDataFrame"
      "\x02\0\x0aonMetaData\x03\0\0\x09"),
      NGX_MEDIA_FLV_DATA_OTHER, "onMetaData", NULL },
    { "@clearDataFrame", bytes("\x02\0\x0f@clearDataFrame" TEXT),
      NGX_MEDIA_FLV_DATA_OTHER, "@clearDataFrame", NULL },
    { "|RtmpSampleAccess", bytes("\x02\0\x11|RtmpSampleAccess\1\1\1\1"),
      NGX_MEDIA_FLV_DATA_OTHER, "|RtmpSampleAccess", NULL },
    { "captions", bytes("\x02\0\x0donCaptionInfo\x03"),
      NGX_MEDIA_FLV_DATA_OTHER, "onCaptionInfo", NULL },

    { "no name", bytes("\x03\0\0\x09"), NGX_MEDIA_FLV_DATA_MALFORMED, NULL,
      NULL },
    { "nothing", bytes(""), NGX_MEDIA_FLV_DATA_MALFORMED, NULL, NULL },
    { "an empty name", bytes("\x02\0\0"), NGX_MEDIA_FLV_DATA_NAME, "",
      NULL },
    { "a name that is not ASCII", bytes("\x02\0\3on\xe4\5"),
      NGX_MEDIA_FLV_DATA_NAME, "on\xe4", NULL },
    { "a zero in a name", bytes("\x02\0\1\0\5"),
      NGX_MEDIA_FLV_DATA_NAME, NULL, NULL },
    { "an AMF3 object", bytes(TEXT "\x03\0\1a\x11\x0a\x0b\0\0\x09"),
      NGX_MEDIA_FLV_DATA_UNREADABLE, "onTextData", NULL },
    { "a bad argument", bytes(TEXT "\5\xff"), NGX_MEDIA_FLV_DATA_MALFORMED,
      "onTextData", NULL }
};


static ngx_media_flv_data_e
convert(const u_char *body, size_t len, u_char **tag, size_t *size,
    ngx_media_flv_data_t *data)
{
    ngx_media_flv_data_e  why;

    *tag = NULL;
    why = ngx_media_flv_data_open(data, body, body + len);

    if (why == NGX_MEDIA_FLV_DATA_OK) {
        *size = data->size;
        *tag = malloc(data->size);
        ngx_media_flv_data_write(*tag, data);
    }

    return why;
}


static void
test_messages(void)
{
    size_t                 i, n, size;
    u_char                *p, *tag;
    unsigned               wrong;
    ngx_media_span_t       name, value;
    ngx_media_flv_data_t   data;
    ngx_media_flv_data_e   why;

    for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        p = tap_dup(messages[i].body, messages[i].len);

        is(convert(p, messages[i].len, &tag, &size, &data), messages[i].why,
           "%s", messages[i].title);

        if (messages[i].name) {
            is_text(data.name.pos, ngx_media_span_len(&data.name),
                    messages[i].name, "%s: name", messages[i].title);
        }

        if (tag) {
            media_id3_txxx(tag, size, &name, &value);
            is_text(name.pos, ngx_media_span_len(&name), messages[i].name,
                    "%s: description", messages[i].title);
            is_text(value.pos, ngx_media_span_len(&value), messages[i].value,
                    "%s: value", messages[i].title);
        }

        free(tag);
        free(p);

        /* cut short: refused, or fewer arguments and properties */

        wrong = 0;

        for (n = 0; n < messages[i].len; n++) {
            p = tap_dup(messages[i].body, n);
            why = convert(p, n, &tag, &size, &data);

            if (tag) {
                media_id3_txxx(tag, size, &name, &value);
                wrong += size > messages[i].len * 3 + 30;
            }

            wrong += n < 3 && why != NGX_MEDIA_FLV_DATA_MALFORMED;

            free(tag);
            free(p);
        }

        is(wrong, 0, "%s: cut short", messages[i].title);

        for (n = 0; n < messages[i].len * 256; n++) {
            p = tap_dup(messages[i].body, messages[i].len);
            p[n / 256] = (u_char) n;

            (void) convert(p, messages[i].len, &tag, &size, &data);

            if (tag) {
                media_id3_txxx(tag, size, &name, &value);
            }

            free(tag);
            free(p);
        }
    }
}


/* what is a byte in AMF is six in JSON, at the most: "\u0000" */

static void
test_limits(void)
{
    size_t                 i, n, size;
    u_char                *tag, *p, *body;
    ngx_media_text_t       text;
    ngx_media_flv_data_t   data;

    static const struct {
        const char  *title;
        size_t       name;
        size_t       length;
        u_char       ch;
        ngx_int_t    why;
    } tests[] = {

        /* 2048 - 20 - 1 - 1 - 1 for the name - 2 quotes */

        { "the longest text", 1, 2023, 'x', NGX_MEDIA_FLV_DATA_OK },
        { "longer by one", 1, 2024, 'x', NGX_MEDIA_FLV_DATA_LONG },
        { "zeros", 1, 337, 0, NGX_MEDIA_FLV_DATA_OK },
        { "a zero more", 1, 338, 0, NGX_MEDIA_FLV_DATA_LONG },
        { "not UTF-8", 1, 675, 0xff, NGX_MEDIA_FLV_DATA_LONG },
        { "a long string", 1, 70000, 'x', NGX_MEDIA_FLV_DATA_LONG },
        { "the longest name", 64, 1960, 'x', NGX_MEDIA_FLV_DATA_OK },
        { "longer than its tag", 64, 1961, 'x', NGX_MEDIA_FLV_DATA_LONG },
        { "a longer name", 65, 1, 'x', NGX_MEDIA_FLV_DATA_NAME }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        body = malloc(80000);
        p = malloc(tests[i].length);
        memset(p, tests[i].ch, tests[i].length);

        ngx_media_text_init(&text, body, 80000);
        ngx_media_amf_write_string(&text, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                                   "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
                                   tests[i].name);
        ngx_media_amf_write_string(&text, p, tests[i].length);

        is(convert(body, text.total, &tag, &size, &data), tests[i].why, "%s",
           tests[i].title);

        free(tag);
        free(p);
        free(body);
    }

    /* as deep as AMF is read, and one more */

    for (n = NGX_MEDIA_AMF_DEPTH; n <= NGX_MEDIA_AMF_DEPTH + 1; n++) {
        body = malloc(3 + 1 + n * 5);
        p = ngx_cpymem(body, "\x02\0\1d", 4);

        for (i = 0; i < n; i++) {
            p = ngx_cpymem(p, i + 1 < n ? "\x0a\0\0\0\1" : "\x0a\0\0\0\0", 5);
        }

        is(convert(body, p - body, &tag, &size, &data),
           n == NGX_MEDIA_AMF_DEPTH ? NGX_MEDIA_FLV_DATA_OK
                                    : NGX_MEDIA_FLV_DATA_MALFORMED,
           "%u arrays in one another", (unsigned) n);

        if (tag) {
            is_text(tag + size - 2 * n, 2 * n,
                    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "their brackets");
        }

        free(tag);
        free(body);
    }
}


int
main(void)
{
    test_messages();
    test_limits();

    return done();
}
