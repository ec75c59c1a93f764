
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_name.h"


static const char *ngx_media_name_component_wrong(const u_char *pos,
    size_t len);


const char *
ngx_media_name_wrong(const ngx_str_t *name, const u_char **bad)
{
    const char    *wrong;
    const u_char  *p, *last, *start;

    *bad = NULL;

    if (name->len == 0) {
        return "it is empty";
    }

    if (name->len > NGX_MEDIA_NAME_MAX) {
        return "it is longer than 255 bytes";
    }

    start = name->data;
    last = name->data + name->len;

    for (p = name->data; p <= last; p++) {

        if (p < last && *p != '/') {

            if (*p < 0x20 || *p == 0x7f || *p == '?' || *p == '#'
                || *p == '%' || *p == '\\')
            {
                *bad = p;
                return "a character that cannot be in it:";
            }

            continue;
        }

        wrong = ngx_media_name_component_wrong(start, p - start);

        if (wrong) {
            return wrong;
        }

        start = p + 1;
    }

    return NULL;
}


static const char *
ngx_media_name_component_wrong(const u_char *pos, size_t len)
{
    if (len == 0) {
        return "a component between slashes is empty";
    }

    if (pos[0] == '.' && (len == 1 || (len == 2 && pos[1] == '.'))) {
        return "a component between slashes is \".\" or \"..\"";
    }

    return NULL;
}
