
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: http/ngx_http_media_kind.c http/ngx_http_media_url.c */


#include "core/ngx_media.h"
#include "http_kinds.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* one object has one URL: what was read is written again, byte by byte */

static size_t
url_write_stem(char *p, size_t size, const ngx_http_media_url_t *url)
{
    int                    n;
    unsigned long long     number;
    ngx_http_media_url_pt  stem;

    stem = url->kind->stem;
    number = url->number;

    if (stem == ngx_http_media_url_track || stem == ngx_http_media_url_pair) {
        return snprintf(p, size, "%.*s", (int) url->folder.len,
                        url->folder.data);
    }

    if (stem == ngx_http_media_url_segment) {
        n = url->tagged ? snprintf(p, size, "%08x-", url->tag) : 0;

        return n + snprintf(p + n, size - n, "%llu", number);
    }

    if (stem == ngx_http_media_url_part) {
        return snprintf(p, size, "%llu.%u", number, url->part);
    }

    if (stem == ngx_http_media_url_run) {
        return snprintf(p, size, "t%lld", (long long) url->time);
    }

    if (stem == ngx_http_media_url_init) {
        return snprintf(p, size, "init-%016llx",
                        (unsigned long long) url->init);
    }

    if (stem == ngx_http_media_url_thumb) {
        n = snprintf(p, size, "thumb-%lld", (long long) url->time);

        return n + (url->width ? snprintf(p + n, size - n, "-w%u",
                                          url->width) : 0);
    }

    return 0;
}


static size_t
url_write(char *p, size_t size, const ngx_http_media_url_t *url)
{
    size_t  n;

    n = snprintf(p, size, "%.*s", (int) url->name.len, url->name.data);

    if (url->kind->stem) {
        n += snprintf(p + n, size - n, "/");
    }

    if (url->kind->folder) {
        n += snprintf(p + n, size - n, "%.*s/", (int) url->folder.len,
                      url->folder.data);
    }

    n += url_write_stem(p + n, size - n, url);

    return n + snprintf(p + n, size - n, "%s", url->kind->suffix.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  text[NGX_HTTP_MEDIA_URL_NAME_MAX + 128];
    size_t                len;
    ngx_http_media_url_t  url;

    if (ngx_http_media_url_parse(ngx_http_media_kinds, data, data + size, &url)
        != NGX_OK)
    {
        return 0;
    }

    len = url_write(text, sizeof(text), &url);

    if (len != size || memcmp(text, data, len) != 0) {
        abort();
    }

    return 0;
}
