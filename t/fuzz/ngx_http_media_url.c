
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: http/ngx_http_media_url.c */


#include "core/ngx_media.h"
#include "http/ngx_http_media_url.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* one object has one URL: what was read is written again, byte by byte */

static size_t
url_write(char *p, size_t size, const ngx_http_media_url_t *url)
{
    int                  n;
    unsigned long long   number;

    number = url->number;

    if (url->kind == NGX_HTTP_MEDIA_FLV) {
        return snprintf(p, size, "%.*s.flv", (int) url->name.len,
                        url->name.data);
    }

    n = snprintf(p, size, "%.*s/", (int) url->name.len, url->name.data);
    p += n;
    size -= n;

    switch (url->kind) {

    case NGX_HTTP_MEDIA_MULTI:
        return n + snprintf(p, size, "index.m3u8");

    case NGX_HTTP_MEDIA_MPD:
        return n + snprintf(p, size, "manifest.mpd");

    case NGX_HTTP_MEDIA_TIME:
        return n + snprintf(p, size, "time.txt");

    case NGX_HTTP_MEDIA_PLAYLIST:
        return n + snprintf(p, size, "%.*s.m3u8", (int) url->track.len,
                            url->track.data);

    case NGX_HTTP_MEDIA_IFRAMES:
        return n + snprintf(p, size, "%.*s.iframes.m3u8",
                            (int) url->track.len, url->track.data);

    case NGX_HTTP_MEDIA_TS_MULTI:
        return n + snprintf(p, size, "ts.m3u8");

    case NGX_HTTP_MEDIA_TS_PLAYLIST:
        return n + snprintf(p, size, "%.*s.ts.m3u8", (int) url->folder.len,
                            url->folder.data);

    case NGX_HTTP_MEDIA_TS_IFRAMES:
        return n + snprintf(p, size, "%.*s.ts.iframes.m3u8",
                            (int) url->track.len, url->track.data);

    case NGX_HTTP_MEDIA_THUMB:
        return n + (url->width
                    ? snprintf(p, size, "thumb-%lld-w%u.jpg",
                               (long long) url->time, url->width)
                    : snprintf(p, size, "thumb-%lld.jpg",
                               (long long) url->time));

    case NGX_HTTP_MEDIA_THUMBS:
        return n + snprintf(p, size, "thumbs.vtt");

    case NGX_HTTP_MEDIA_CLIP:
        return n + snprintf(p, size, "clip.mp4");

    default:
        break;
    }

    n += snprintf(p, size, "%.*s/", (int) url->folder.len, url->folder.data);
    p += url->folder.len + 1;

    if (url->tagged) {
        n += snprintf(p, size, "%08x-", url->tag);
        p += 9;
    }

    switch (url->kind) {

    case NGX_HTTP_MEDIA_INIT:
        return n + snprintf(p, size, "init-%016llx.mp4",
                            (unsigned long long) url->init);

    case NGX_HTTP_MEDIA_TS_SEGMENT:
    case NGX_HTTP_MEDIA_TS_KEY:
        return n + snprintf(p, size, "%llu.ts", number);

    case NGX_HTTP_MEDIA_VTT:
        return n + snprintf(p, size, "%llu.vtt", number);

    case NGX_HTTP_MEDIA_TS_VTT:
        return n + snprintf(p, size, "%llu.ts.vtt", number);

    case NGX_HTTP_MEDIA_SHEET:
        return n + snprintf(p, size, "%llu.jpg", number);

    case NGX_HTTP_MEDIA_KEY:
    case NGX_HTTP_MEDIA_SEGMENT:
        return n + snprintf(p, size, "%llu.m4s", number);

    case NGX_HTTP_MEDIA_PART:
        return n + snprintf(p, size, "%llu.%u.m4s", number, url->part);

    default:
        return n + snprintf(p, size, "t%lld.m4s", (long long) url->time);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  text[NGX_HTTP_MEDIA_URL_NAME_MAX + 128];
    size_t                len;
    ngx_http_media_url_t  url;

    if (ngx_http_media_url_parse(data, data + size, &url) != NGX_OK) {
        return 0;
    }

    len = url_write(text, sizeof(text), &url);

    if (len != size || memcmp(text, data, len) != 0) {
        abort();
    }

    return 0;
}
