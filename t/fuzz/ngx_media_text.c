
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_text.c */


#include "formats/ngx_media_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


typedef void (*escape_pt)(ngx_media_text_t *text, const ngx_str_t *str);


static const escape_pt  escapes[] = {
    ngx_media_text_xml,
    ngx_media_text_json,
    ngx_media_text_quoted
};

static const char  *forbidden[] = { "<>\"'", "", "\"\r\n" };


/* the passes agree; nothing is left that ends the context; escaping UTF-8
   again changes no byte of what needs no escape */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             i, j, len;
    u_char            *p, *q;
    ngx_str_t          str;
    ngx_media_text_t   text;

    str.data = (u_char *) data;
    str.len = size;

    for (i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {

        ngx_media_text_init(&text, NULL, 0);
        escapes[i](&text, &str);
        len = text.total;

        p = malloc(len ? len : 1);
        ngx_media_text_init(&text, p, len);
        escapes[i](&text, &str);

        if (text.overflow || text.total != len || text.left) {
            abort();
        }

        for (j = 0; j < len; j++) {
            if (p[j] < 0x20 || strchr(forbidden[i], p[j])) {
                abort();
            }
        }

        if (i == 2) {
            str.data = p;
            str.len = len;

            q = malloc(len ? len : 1);
            ngx_media_text_init(&text, q, len);
            ngx_media_text_quoted(&text, &str);

            if (text.total != len || memcmp(p, q, len) != 0) {
                abort();
            }

            free(q);
        }

        free(p);
    }

    return 0;
}
