
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_srt_sid.c formats/ngx_media_text.c */


/* the input is a stream id: what is found of it has no control characters */


#include "formats/ngx_media_srt_sid.h"

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
clean(const u_char *pos, const u_char *last)
{
    for ( /* void */ ; pos < last; pos++) {
        check(*pos >= 0x20 && *pos != 0x7f);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char           *reason;
    ngx_str_t             app = ngx_string("live");
    ngx_media_span_t     *name;
    ngx_media_srt_sid_t   sid;

    reason = NULL;

    if (ngx_media_srt_sid_parse(&sid, data, data + size, &reason) != NGX_OK) {
        check(reason != NULL);
        return 0;
    }

    name = &sid.name;

    check(size <= NGX_MEDIA_SRT_SID_MAX);
    check(name->pos >= sid.text && name->pos <= name->last
          && name->last <= sid.text + size);
    check(name->pos == name->last
          || (name->pos[0] != '/' && name->last[-1] != '/'));
    check(sid.args_len <= NGX_MEDIA_SRT_SID_ARGS);

    clean(name->pos, name->last);
    clean(sid.args, sid.args + sid.args_len);

    ngx_media_srt_sid_trim(name, &app);

    check(name->pos <= name->last);
    check(name->pos == name->last || name->pos[0] != '/');

    return 0;
}
