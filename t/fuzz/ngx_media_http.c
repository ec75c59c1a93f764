
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_http.c */


/*
 * An answer, whole, cut off, and in pieces: what is taken is inside of it, no
 * beginning of a complete answer is an error while more may come, and pieces
 * say what the whole of them says.
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


/* *n: of the bytes; those that were needed.  *copy is to be freed */

static ngx_int_t
parse(const uint8_t *data, size_t *n, size_t step, ngx_uint_t end,
    u_char **copy, ngx_media_http_t *http, const char **error)
{
    size_t                   len, size;
    ngx_int_t                rc;
    ngx_media_http_state_t   state;

    size = *n;
    len = 0;

    *copy = malloc(size ? size : 1);
    *error = NULL;

    memset(&state, 0, sizeof(ngx_media_http_state_t));

    do {
        step = ngx_min(step, size - len);

        memcpy(*copy + len, data + len, step);
        len += step;

        rc = ngx_media_http_parse(&state, *copy, len, end && len == size, 0,
                                  http, error);

    } while (rc == NGX_AGAIN && len < size);

    if (rc == NGX_OK) {
        check(http->status >= 200 && http->status <= 599);
        check(http->body.pos >= *copy && http->body.pos <= http->body.last
              && http->body.last <= *copy + len);

    } else {
        check(rc == NGX_AGAIN ? !end : rc == NGX_ERROR && *error != NULL);
    }

    *n = len;

    return rc;
}


static ngx_int_t
whole(const uint8_t *data, size_t size, ngx_uint_t end)
{
    u_char            *copy;
    ngx_int_t          rc;
    const char        *error;
    ngx_media_http_t   http;

    rc = parse(data, &size, size, end, &copy, &http, &error);

    free(copy);

    return rc;
}


static int
same(const ngx_media_span_t *a, const ngx_media_span_t *b)
{
    return ngx_media_span_len(a) == ngx_media_span_len(b)
           && memcmp(a->pos, b->pos, ngx_media_span_len(a)) == 0;
}


/* they end where it is sure, and are the whole until there */

static void
pieces(const uint8_t *data, size_t size, size_t step, ngx_uint_t end)
{
    u_char            *copy, *other;
    size_t             n;
    ngx_int_t          rc;
    const char        *error, *wrong;
    ngx_media_http_t   http, pieced;

    n = size;
    rc = parse(data, &n, step, end, &copy, &pieced, &error);

    end = end && n == size;

    check(parse(data, &n, n, end, &other, &http, &wrong) == rc);

    if (rc == NGX_OK) {
        check(pieced.status == http.status && pieced.max_age == http.max_age
              && pieced.keepalive == http.keepalive);
        check(same(&pieced.type, &http.type)
              && same(&pieced.location, &http.location)
              && same(&pieced.body, &http.body));
        check(n == size || whole(data, size, 0) == NGX_ERROR);

    } else if (rc == NGX_ERROR) {
        check(strcmp(error, wrong) == 0);
    }

    free(copy);
    free(other);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t     i;
    ngx_int_t  rc;

    if (size > 4096) {
        return 0;
    }

    rc = whole(data, size, 0);

    (void) whole(data, size, 1);

    for (i = 0; rc == NGX_OK && i < size; i++) {
        check(whole(data, i, 0) == NGX_AGAIN);
    }

    for (i = 1; i < 8; i += 3) {
        pieces(data, size, i, 0);
        pieces(data, size, i, 1);
    }

    return 0;
}
