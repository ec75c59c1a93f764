
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_grant.h"


static ngx_uint_t ngx_media_grant_matches(const ngx_media_span_t *pattern,
    const ngx_str_t *name);


ngx_uint_t
ngx_media_grant_covers(const ngx_media_grant_t *grant, ngx_uint_t action,
    const ngx_str_t *app, const ngx_str_t *name)
{
    size_t            len;
    ngx_media_span_t  path;

    if (!(grant->actions & action)) {
        return 0;
    }

    path = grant->path;

    if (grant->app) {
        len = ngx_media_span_len(&path);

        if (len == 1 && *path.pos == '*') {
            return 1;
        }

        if (len <= app->len || path.pos[app->len] != '/'
            || ngx_memcmp(path.pos, app->data, app->len) != 0)
        {
            return 0;
        }

        path.pos += app->len + 1;
    }

    return ngx_media_grant_matches(&path, name);
}


static ngx_uint_t
ngx_media_grant_matches(const ngx_media_span_t *pattern, const ngx_str_t *name)
{
    size_t  len;

    len = ngx_media_span_len(pattern);

    if (len == 0 || pattern->pos[len - 1] != '*') {
        return len == name->len
               && ngx_memcmp(pattern->pos, name->data, len) == 0;
    }

    len--;

    if (len == 0) {
        return 1;
    }

    /* a star stands for what follows a slash, and for nothing else */

    return pattern->pos[len - 1] == '/'
           && name->len > len
           && ngx_memcmp(pattern->pos, name->data, len) == 0;
}
