
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_json.c formats/ngx_media_text.c */


/*
 * Any text is read to its end or to its error; what a string says is the same
 * after it was written and read again; skipping and counting agree with
 * reading.
 */


#include "formats/ngx_media_json.h"
#include "formats/ngx_media_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int expr)
{
    if (!expr) {
        abort();
    }
}


static void
string(const ngx_media_span_t *span)
{
    u_char                  *p, *q, *r;
    ngx_str_t                str;
    ngx_media_text_t         text;
    ngx_media_json_t         json;
    ngx_media_json_token_t   token;

    str.len = ngx_media_json_string(NULL, span);
    check(str.len <= ngx_media_span_len(span));

    p = malloc(str.len + 1);
    check(ngx_media_json_string(p, span) == str.len);
    str.data = p;

    ngx_media_text_init(&text, NULL, 0);
    ngx_media_text_json(&text, &str);

    q = malloc(text.total + 2);
    q[0] = '"';
    q[text.total + 1] = '"';

    ngx_media_text_init(&text, q + 1, text.total);
    ngx_media_text_json(&text, &str);

    ngx_media_json_init(&json, q, q + text.total + 2);
    check(ngx_media_json_next(&json, &token) == NGX_OK);
    check(ngx_media_json_string(NULL, &token.text) == str.len);

    r = malloc(str.len + 1);
    (void) ngx_media_json_string(r, &token.text);
    check(memcmp(p, r, str.len) == 0);

    if (memchr(p, '\0', str.len) == NULL) {
        p[str.len] = '\0';
        check(ngx_media_json_equal(span, (char *) p));
    }

    free(p);
    free(q);
    free(r);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t                  n;
    ngx_int_t                rc;
    ngx_uint_t               count, begun, ended;
    ngx_media_json_t         json, copy;
    ngx_media_json_token_t   token, end;

    ngx_media_json_init(&json, data, data + size);

    begun = 0;
    ended = 0;

    for ( ;; ) {
        rc = ngx_media_json_next(&json, &token);
        if (rc != NGX_OK) {
            break;
        }

        check(json.pos > data && json.pos <= data + size);
        check(token.depth <= NGX_MEDIA_JSON_DEPTH);

        string(&token.key);

        switch (token.type) {

        case NGX_MEDIA_JSON_NUMBER:
            (void) ngx_media_json_number(&token.text, 0, &n);
            (void) ngx_media_json_number(&token.text, 3, &n);
            break;

        case NGX_MEDIA_JSON_STRING:
            string(&token.text);
            break;

        case NGX_MEDIA_JSON_ARRAY:
        case NGX_MEDIA_JSON_OBJECT:
            begun++;
            copy = json;

            /* the work is the square of the size otherwise */

            if (size < 4096 && ngx_media_json_skip(&copy, &token) == NGX_OK) {
                check(copy.depth == token.depth);
                check(ngx_media_json_count(&json, &count) == NGX_OK);

                copy = json;
                memset(&end, 0, sizeof(end));

                while (count--) {
                    check(ngx_media_json_next(&copy, &end) == NGX_OK);
                    check(ngx_media_json_skip(&copy, &end) == NGX_OK);
                }

                check(ngx_media_json_next(&copy, &end) == NGX_OK);
                check(end.type == NGX_MEDIA_JSON_END);
            }

            break;

        case NGX_MEDIA_JSON_END:
            ended++;
            break;

        default:
            break;
        }
    }

    check(rc == NGX_DONE ? begun == ended && json.error == NULL
                         : json.error != NULL);
    check(ngx_media_json_next(&json, &token) == rc);

    return 0;
}
