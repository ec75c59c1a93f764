
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_args.c formats/ngx_media_text.c */


/*
 * By its first byte the input is a playlist, a manifest or cues.  With their
 * arguments taken out again they are what they were, and the size was right.
 */


#include "formats/ngx_media_args.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


/* letters of the input that this holds are no letters of it */
#define ARGS  "\x01=\x02&\x03=\x04"
#define XML   "\x01=\x02&amp;\x03=\x04"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int expr)
{
    if (!expr) {
        abort();
    }
}


/* and with what stands before them */

static size_t
removed(u_char *p, const u_char *pos, size_t len, const char *args, int xml)
{
    size_t  i, n, before;

    n = 0;

    for (i = 0; i < len; i++) {

        if (len - i >= strlen(args) && memcmp(pos + i, args, strlen(args)) == 0)
        {
            before = (n > 0 && p[n - 1] == '?') ? 1 : (xml ? 5 : 1);

            check(n >= before
                  && memcmp(p + n - before,
                            before == 5 ? "&amp;" : p[n - 1] == '?' ? "?" : "&",
                            before)
                     == 0);

            n -= before;
            i += strlen(args) - 1;
            continue;
        }

        p[n++] = pos[i];
    }

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char            *p, *copy, *back;
    size_t             len, i;
    ngx_str_t          text, args;
    ngx_media_args_e   form;

    if (size == 0) {
        return 0;
    }

    form = data[0] % 3;

    /* what is put in is recognized by letters that the input has not */

    copy = malloc(size);
    memcpy(copy, data + 1, size - 1);

    for (i = 0; i < size - 1; i++) {
        if (copy[i] >= 1 && copy[i] <= 4) {
            copy[i] = 5;
        }
    }

    text.data = copy;
    text.len = size - 1;
    ngx_str_set(&args, ARGS);

    len = ngx_media_args_write(NULL, form, &text, &args);

    check(len >= text.len);

    p = malloc(len + 1);
    back = malloc(len + 1);

    check(ngx_media_args_write(p, form, &text, &args) == len);

    check(removed(back, p, len, form == NGX_MEDIA_ARGS_MPD ? XML : ARGS,
                  form == NGX_MEDIA_ARGS_MPD)
          == text.len);
    check(memcmp(back, text.data, text.len) == 0);

    (void) ngx_media_args_safe(copy, copy + text.len);

    free(copy);
    free(back);
    free(p);

    return 0;
}
