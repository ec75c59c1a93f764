
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_uri.c */


/*
 * A URL: what is taken is inside of it, in its order, and nothing of it could
 * end a line of a request.
 */


#include "formats/ngx_media_uri.h"

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


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            i, len;
    u_char           *copy, *basic;
    const char       *error;
    ngx_media_uri_t   uri;

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    error = NULL;

    if (ngx_media_uri_parse(copy, copy + size, &uri, &error) != NGX_OK) {
        check(error != NULL);
        free(copy);
        return 0;
    }

    check(uri.host.pos > copy && uri.host.pos < uri.host.last
          && uri.host.last <= uri.path.pos && uri.path.pos <= uri.path.last
          && uri.path.last <= uri.args.pos && uri.args.pos <= uri.args.last
          && uri.args.last == copy + size
          && uri.port >= 1 && uri.port <= 65535);

    for (i = 0; i < size; i++) {
        check(copy[i] > ' ' && copy[i] < 0x7f);
    }

    if (uri.user.pos) {
        check(uri.user.pos > copy && uri.user.last < uri.host.pos);

        len = ngx_media_uri_basic(NULL, &uri.user);
        basic = malloc(len);

        check(ngx_media_uri_basic(basic, &uri.user) == len);

        free(basic);
    }

    free(copy);

    return 0;
}
