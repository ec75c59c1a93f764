
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_mp4_box.c formats/ngx_media_text.c */


#include "formats/ngx_media_mp4_box.h"
#include "media_hex.h"


#define fourcc(s)  ngx_media_fourcc((s)[0], (s)[1], (s)[2], (s)[3])


static void
test_header(void)
{
    size_t                i, len, n;
    u_char               *p, *q;
    ngx_int_t             rc;
    ngx_media_mp4_box_t   box;

    static const struct {
        const char  *name;
        const char  *bytes;
        uint64_t     end;             /* of what the box is in; at 100 */
        ngx_int_t    rc;
        uint64_t     size;
        unsigned     header;
    } tests[] = {
        { "plain", "0000001066726565", 116, NGX_OK, 16, 8 },
        { "plain, more follows", "0000001066726565", 200, NGX_OK, 16, 8 },
        { "empty", "0000000866726565", 108, NGX_OK, 8, 8 },
        { "to the end", "0000000066726565", 1000, NGX_OK, 900, 8 },
        { "64 bits", "00000001667265650000000000000010", 116, NGX_OK, 16,
          16 },
        { "64 bits, large", "00000001667265650000000200000000",
          0x1000000000, NGX_OK, 0x200000000, 16 },
        { "64 bits, too small", "0000000166726565000000000000000f", 200,
          NGX_ERROR, 15, 16 },
        { "64 bits, too large", "0000000166726565ffffffffffffffff", 200,
          NGX_DECLINED, 0xffffffffffffffff, 16 },
        { "uuid", "00000018757569640102030405060708090a0b0c0d0e0f10", 124,
          NGX_OK, 24, 24 },
        { "uuid, 64 bits", "0000000175756964000000000000002001020304"
          "05060708090a0b0c0d0e0f10", 132, NGX_OK, 32, 32 },
        { "uuid, too small", "00000017757569640102030405060708090a0b0c0d0e0f"
          "10", 200, NGX_ERROR, 23, 24 },
        { "too large", "0000001166726565", 116, NGX_DECLINED, 17, 8 },
        { "too small", "0000000766726565", 200, NGX_ERROR, 7, 8 },
        { "much too small", "0000000266726565", 200, NGX_ERROR, 2, 8 },
        { "no room for a header", "00000008667265", 107, NGX_ERROR, 8, 8 },
        { "no room for 64 bits", "0000000166726565", 108, NGX_ERROR, 0, 16 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].bytes, &len);

        rc = ngx_media_mp4_box_header(&box, p, p + len, 100, tests[i].end);
        is(rc, tests[i].rc, "%s", tests[i].name);

        if (rc == NGX_OK) {
            is(box.type, (tests[i].header == 24 || tests[i].header == 32)
                         ? fourcc("uuid") : fourcc("free"), "type");
            is(box.offset, 100, "offset");
            is_hex(box.size, tests[i].size, "size");
            is(box.header, tests[i].header, "header");
            ok((box.uuid != NULL) == (box.type == fourcc("uuid")), "uuid");

            for (n = 0; n < box.header; n++) {
                q = tap_dup(p, n);

                if (ngx_media_mp4_box_header(&box, q, q + n, 100,
                                             tests[i].end)
                    != NGX_AGAIN)
                {
                    ok(0, "%u bytes", (unsigned) n);
                }

                free(q);
            }
        }

        free(p);
    }
}


static void
test_next(void)
{
    size_t                 i, len;
    u_char                *p;
    unsigned               n;
    ngx_int_t              rc;
    ngx_media_mp4_box_t    box;
    ngx_media_mp4_iter_t   iter;

    static const struct {
        const char  *name;
        const char  *bytes;
        unsigned     n;
        ngx_int_t    rc;
    } tests[] = {
        { "nothing", "", 0, NGX_DONE },
        { "two", "00000008616161610000000962626262ff", 2, NGX_DONE },
        { "zeros at the end", "000000086161616100000000", 1, NGX_DONE },
        { "eight zeros: a box to the end", "00000008616161610000000000000000",
          2, NGX_DONE },
        { "padding", "000000086161616101020304050607", 1, NGX_DONE },
        { "to the end", "000000006161616101020304", 1, NGX_DONE },
        { "beyond the end", "0000000861616161000000096262626", 1, NGX_DONE },
        { "one byte beyond", "00000008616161610000000962626262", 1,
          NGX_ERROR },
        { "wrong size", "00000008616161610000000362626262", 1, NGX_ERROR },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].bytes, &len);

        iter.pos = p;
        iter.last = p + len;
        iter.offset = 1000;

        n = 0;

        while ((rc = ngx_media_mp4_box_next(&iter, &box)) == NGX_OK) {
            ok(box.body.last == iter.pos
               && box.offset == 1000 + (uint64_t) (box.body.pos - p) - 8
               && iter.offset == 1000 + (uint64_t) (iter.pos - p),
               "%s: box %u", tests[i].name, n);
            n++;
        }

        is(rc, tests[i].rc, "%s", tests[i].name);
        is(n, tests[i].n, "boxes");

        free(p);
    }
}


/* a tree: top { leaf, call, tree { leaf }, soft { leaf } } */

typedef struct {
    ngx_media_span_t  leaf;
    ngx_media_span_t  deep;
    unsigned          calls;
} dst_t;


static ngx_int_t
call(ngx_media_mp4_walk_t *walk, const ngx_media_mp4_box_t *box, void *data)
{
    dst_t  *dst = data;

    if (ngx_media_span_len(&box->body) != 1) {
        return ngx_media_mp4_fail(walk, box->body.pos, "not one byte");
    }

    dst->calls += box->body.pos[0];
    walk->path[walk->depth - 1].number = dst->calls;

    return NGX_OK;
}


static const ngx_media_mp4_table_t  inner[] = {
    { ngx_media_fourcc('l', 'e', 'a', 'f'), 0, NULL, NULL,
      offsetof(dst_t, deep) },
    { ngx_media_fourcc('c', 'a', 'l', 'l'), 0, call, NULL, 0 },
    { 0, 0, NULL, NULL, 0 }
};

static const ngx_media_mp4_table_t  top[] = {
    { ngx_media_fourcc('l', 'e', 'a', 'f'), 0, NULL, NULL,
      offsetof(dst_t, leaf) },
    { ngx_media_fourcc('c', 'a', 'l', 'l'), 0, call, NULL, 0 },
    { ngx_media_fourcc('t', 'r', 'e', 'e'), 0, NULL, inner, 0 },
    { ngx_media_fourcc('s', 'o', 'f', 't'), NGX_MEDIA_MP4_OPTIONAL, NULL,
      inner, 0 },
    { ngx_media_fourcc('s', 'e', 'l', 'f'), 0, NULL, top, 0 },
    { 0, 0, NULL, NULL, 0 }
};


static void
test_walk(void)
{
    dst_t                   dst;
    size_t                  i, len, n;
    u_char                 *p, *q, line[128];
    ngx_int_t               rc;
    ngx_media_span_t        span;
    ngx_media_text_t        text;
    ngx_media_mp4_walk_t    walk;
    ngx_media_mp4_error_t   error;

    static const struct {
        const char  *name;
        const char  *bytes;
        const char  *error;
        unsigned     calls;
    } tests[] = {
        { "nothing", "", NULL, 0 },
        { "all", "0000000a6c6561660102" "0000000963616c6c03"
          "00000012747265650000000a6c6561660405" "0000000866726565", NULL,
          3 },
        { "leaf twice", "000000086c656166" "000000086c656166",
          "root/leaf: is duplicate, offset:1016", 0 },
        { "handler", "0000000963616c6c01" "0000000863616c6c",
          "root/call: not one byte, offset:1017", 1 },
        { "deep", "00000010747265650000000863616c6c",
          "root/tree/call: not one byte, offset:1016", 0 },
        { "deep, soft", "00000010736f66740000000863616c6c"
          "0000000963616c6c01", NULL, 1 },
        { "size", "0000000c7472656500000008", NULL, 0 },
        { "size of a child", "00000010747265650000000963616c6c",
          "root/tree: a box in it has a wrong size, offset:1008", 0 },
        { "size, soft", "00000010736f66740000000963616c6c", NULL, 0 },
        { "deep down", "0000005873656c66" "0000005073656c66"
          "0000004873656c66" "0000004073656c66" "0000003873656c66"
          "0000003073656c66" "0000002873656c66" "0000002073656c66"
          "0000001873656c66" "0000001073656c66" "0000000873656c66", NULL,
          0 },
        { "too deep", "0000006073656c66" "0000005873656c66"
          "0000005073656c66" "0000004873656c66" "0000004073656c66"
          "0000003873656c66" "0000003073656c66" "0000002873656c66"
          "0000002073656c66" "0000001873656c66" "0000001073656c66"
          "0000000873656c66",
          "root/self/self/self/self/self/self/self/self/self/self/self:"
          " nested too deep, offset:1096", 0 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].bytes, &len);

        for (n = 0; n <= len; n++) {
            q = tap_dup(p, n);

            memset(&dst, 0, sizeof(dst));
            memset(&walk, 0, sizeof(walk));
            memset(&error, 0, sizeof(error));

            walk.start = q;
            walk.offset = 1000;
            walk.error = &error;
            walk.path[0].type = fourcc("root");
            walk.depth = 1;

            span.pos = q;
            span.last = q + n;

            rc = ngx_media_mp4_walk(&walk, &span, top, &dst);

            if (rc != (error.text ? NGX_ERROR : NGX_OK) || (n < len
                && rc == NGX_ERROR && error.offset > 1000 + n))
            {
                ok(0, "%s: %u bytes", tests[i].name, (unsigned) n);
            }

            free(n < len ? q : NULL);
        }

        is(rc, tests[i].error ? NGX_ERROR : NGX_OK, "%s", tests[i].name);
        is(dst.calls, tests[i].calls, "calls");

        if (rc == NGX_ERROR) {
            ngx_media_text_init(&text, line, sizeof(line));
            ngx_media_mp4_error_text(&text, &error);
            is_text(line, text.total, tests[i].error, "error");

        } else if (i == 1) {
            is_mem(dst.leaf.pos, ngx_media_span_len(&dst.leaf), "\1\2", 2,
                   "leaf");
            is_mem(dst.deep.pos, ngx_media_span_len(&dst.deep), "\4\5", 2,
                   "deeper leaf");
        }

        free(q);
        free(p);
    }

    /* what is no text in a type */

    error.path[0].type = 0xa9787900;
    error.path[1].type = fourcc("trak");
    error.path[1].number = 12;
    error.depth = 2;
    error.offset = 0xffffffffffffffff;
    error.text = "wrong";

    ngx_media_text_init(&text, line, sizeof(line));
    ngx_media_mp4_error_text(&text, &error);
    is_text(line, text.total,
            ".xy./trak[12]: wrong, offset:18446744073709551615", "bytes");

    error.depth = 0;

    ngx_media_text_init(&text, line, sizeof(line));
    ngx_media_mp4_error_text(&text, &error);
    is_text(line, text.total, "wrong, offset:18446744073709551615", "no box");
}


int
main(void)
{
    test_header();
    test_next();
    test_walk();

    return done();
}
