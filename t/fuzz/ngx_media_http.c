
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_http.c */


/*
 * An answer, whole and cut off: what is taken is inside of it, and no
 * beginning of a complete answer is an error while more may come.
 */


#include "formats/ngx_media_http.h"

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


static ngx_int_t
parse(const uint8_t *data, size_t size, ngx_uint_t end)
{
    u_char            *copy;
    ngx_int_t          rc;
    const char        *error;
    ngx_media_http_t   http;

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    error = NULL;

    rc = ngx_media_http_parse(copy, copy + size, end, 0, &http, &error);

    if (rc == NGX_OK) {
        check(http.status >= 200 && http.status <= 599);
        check(http.body.pos >= copy && http.body.pos <= http.body.last
              && http.body.last <= copy + size);

    } else {
        check(rc == NGX_AGAIN ? !end : rc == NGX_ERROR && error != NULL);
    }

    free(copy);

    return rc;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t     i;
    ngx_int_t  rc;

    if (size > 4096) {
        return 0;
    }

    rc = parse(data, size, 0);

    (void) parse(data, size, 1);

    for (i = 0; rc == NGX_OK && i < size; i++) {
        check(parse(data, i, 0) == NGX_AGAIN);
    }

    return 0;
}
