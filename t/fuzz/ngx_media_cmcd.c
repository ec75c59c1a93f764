
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_cmcd.c */


/*
 * The input is an argument, and the text of two headers, cut at its first zero
 * byte.  What is found is in what was read, and of a text that is none nothing
 * is.
 */


#include "formats/ngx_media_cmcd.h"

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
inside(const ngx_media_span_t *span, const u_char *pos, const u_char *last)
{
    check(span->pos <= span->last);
    check(span->pos == NULL || (span->pos >= pos && span->last <= last));
}


static void
read_all(const u_char *pos, const u_char *last)
{
    const u_char      *end;
    ngx_media_cmcd_t   cmcd;

    memset(&cmcd, 0, sizeof(ngx_media_cmcd_t));

    end = (pos < last) ? memchr(pos, '\0', last - pos) : NULL;
    end = end ? end : last;

    if (ngx_media_cmcd_read(&cmcd, pos, end) != NGX_OK
        || (end < last
            && ngx_media_cmcd_read(&cmcd, end + 1, last) != NGX_OK))
    {
        check(cmcd.sid.pos == NULL && cmcd.sf.pos == NULL);
        return;
    }

    check(cmcd.keys <= NGX_MEDIA_CMCD_KEYS);
    check(ngx_media_span_len(&cmcd.sid) <= NGX_MEDIA_CMCD_SID);
    check(ngx_media_span_len(&cmcd.sf) <= 1);

    inside(&cmcd.sid, pos, last);
    inside(&cmcd.sf, pos, last);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t   len;
    u_char  *buf;

    read_all(data, data + size);

    buf = malloc(NGX_MEDIA_CMCD_MAX);

    if (ngx_media_cmcd_decode(buf, &len, data, data + size) == NGX_OK) {
        check(len <= size && len <= NGX_MEDIA_CMCD_MAX);
        read_all(buf, buf + len);
    }

    free(buf);

    return 0;
}
