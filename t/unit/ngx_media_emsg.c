
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_emsg.c */


#include "formats/ngx_media_emsg.h"
#include "media_hex.h"


#define ID3  "68747470733a2f2f616f6d656469612e6f72672f656d73672f49443300"


static void
span(ngx_media_span_t *s, const char *text)
{
    s->pos = (text == NULL) ? NULL : (const u_char *) text;
    s->last = (text == NULL) ? NULL : s->pos + strlen(text);
}


static int
same(const ngx_media_span_t *a, const ngx_media_span_t *b)
{
    return ngx_media_span_len(a) == ngx_media_span_len(b)
           && (ngx_media_span_len(a) == 0
               || memcmp(a->pos, b->pos, ngx_media_span_len(a)) == 0);
}


static const struct {
    const char  *name;
    const char  *box;
    uint32_t     version;
    uint32_t     timescale;
    uint64_t     time;
    uint32_t     duration;
    uint32_t     id;
    const char  *scheme;
    const char  *value;
    const char  *data;
} boxes[] = {

    /* 1795977310 s at 360000: what a double still holds */

    { "ID3, version 1", "00000041" "656d7367" "01000000" "00057e40"
      "00024c0914405b80" "ffffffff" "00000007" ID3 "00" "494433",
      1, 360000, 646551831600000, NGX_MEDIA_EMSG_UNKNOWN, 7,
      NGX_MEDIA_EMSG_ID3, "", "ID3" },

    { "version 0", "00000030" "656d7367" "00000000" "75726e3a6100" "3130303100"
      "00015f90" "00000001" "00057e40" "ffffffff" "61626364656667" "6869",
      0, 90000, 1, 360000, 0xffffffff, "urn:a", "1001", "abcdefghi" },

    { "version 1, all bits", "00000026" "656d7367" "01000000" "ffffffff"
      "ffffffffffffffff" "00000000" "00000000" "6100" "6200" "63" "64",
      1, 0xffffffff, UINT64_MAX, 0, 0, "a", "b", "cd" },

    { "nothing in it", "00000022" "656d7367" "01000000" "00000001"
      "0000000000000000" "00000000" "00000000" "00" "00",
      1, 1, 0, 0, 0, "", NULL, NULL },

    { "nothing in version 0", "0000001e" "656d7367" "00000000" "0000"
      "00000001" "00000000" "00000000" "00000000",
      0, 1, 0, 0, 0, NULL, "", NULL }
};


static void
test_boxes(void)
{
    size_t             i, len, n;
    u_char            *p, *q;
    unsigned           wrong;
    ngx_int_t          rc;
    ngx_media_emsg_t   emsg, out;

    for (i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
        memset(&emsg, 0, sizeof(emsg));

        emsg.version = boxes[i].version;
        emsg.timescale = boxes[i].timescale;
        emsg.time = boxes[i].time;
        emsg.duration = boxes[i].duration;
        emsg.id = boxes[i].id;

        span(&emsg.scheme, boxes[i].scheme);
        span(&emsg.value, boxes[i].value);
        span(&emsg.data, boxes[i].data);

        p = media_hex(boxes[i].box, &len);

        is(ngx_media_emsg_write(NULL, &emsg), len, "%s: size", boxes[i].name);

        q = malloc(len);
        is(ngx_media_emsg_write(q, &emsg), len, "%s: written", boxes[i].name);
        is_mem(q, len, p, len, "%s: bytes", boxes[i].name);
        free(q);

        memset(&out, 0xa5, sizeof(out));
        is(ngx_media_emsg_read(&out, p + 8, p + len), NGX_OK, "%s: read",
           boxes[i].name);

        ok(out.version == emsg.version && out.timescale == emsg.timescale
           && out.time == emsg.time && out.duration == emsg.duration
           && out.id == emsg.id && same(&out.scheme, &emsg.scheme)
           && same(&out.value, &emsg.value) && same(&out.data, &emsg.data),
           "%s: fields", boxes[i].name);

        /* cut short: an error, until only data are missing */

        wrong = 0;

        for (n = 0; n < len - 8; n++) {
            q = tap_dup(p + 8, n);
            rc = ngx_media_emsg_read(&out, q, q + n);

            if (n < len - 8 - ngx_media_span_len(&emsg.data)) {
                wrong += rc != NGX_ERROR;

            } else {
                wrong += rc != NGX_OK || out.data.last != q + n;
            }

            free(q);
        }

        is(wrong, 0, "%s: cut short", boxes[i].name);

        /* all values of all bytes: what is read lies inside */

        for (n = 0; n < (len - 8) * 256; n++) {
            q = tap_dup(p + 8, len - 8);
            q[n / 256] = (u_char) n;

            rc = ngx_media_emsg_read(&out, q, q + len - 8);

            wrong += rc == NGX_OK
                     && (out.scheme.pos < q || out.scheme.last >= q + len - 8
                         || out.value.pos < q || out.value.last >= q + len - 8
                         || out.data.pos < q || out.data.last != q + len - 8
                         || out.timescale == 0 || out.version > 1);
            free(q);
        }

        is(wrong, 0, "%s: any byte", boxes[i].name);

        free(p);
    }
}


static void
test_refused(void)
{
    size_t             i, len;
    u_char            *p;
    ngx_media_emsg_t   emsg;

    static const struct {
        const char  *name;
        const char  *body;
        ngx_int_t    rc;
    } tests[] = {
        { "version 2", "02000000" "00000001" "0000000000000000" "00000000"
          "00000000" "00" "00", NGX_DECLINED },
        { "timescale 0", "01000000" "00000000" "0000000000000000" "00000000"
          "00000000" "00" "00", NGX_ERROR },
        { "timescale 0, version 0", "00000000" "0000" "00000000" "00000000"
          "00000000" "00000000", NGX_ERROR },
        { "scheme without an end", "01000000" "00000001" "0000000000000000"
          "00000000" "00000000" "6162", NGX_ERROR },
        { "value without an end", "01000000" "00000001" "0000000000000000"
          "00000000" "00000000" "00" "6162", NGX_ERROR },
        { "version 0, no end", "00000000" "6162636465666768696a6b6c6d6e6f7071"
          "72737475767778797a", NGX_ERROR },
        { "empty", "", NGX_ERROR }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].body, &len);
        is(ngx_media_emsg_read(&emsg, p, p + len), tests[i].rc, "%s",
           tests[i].name);
        free(p);
    }
}


int
main(void)
{
    test_boxes();
    test_refused();

    return done();
}
