
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_hook.c formats/ngx_media_hook_write.c
         formats/ngx_media_json.c formats/ngx_media_text.c */


/*
 * The first byte says the format, the event and the status; then an answer's
 * Location, a line feed, and its body; the same bytes are a client's
 * arguments, which are written in all formats.
 */


#include "formats/ngx_media_hook.h"
#include "formats/ngx_media_json.h"

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
answer(const uint8_t *data, size_t size)
{
    u_char                   *room;
    ngx_str_t                 app;
    ngx_media_hook_answer_t   a;
    ngx_media_hook_verdict_t  v;

    static const ngx_uint_t  status[] = { 200, 302, 403, 500 };

    a.status = status[data[0] >> 2 & 3];
    a.location.pos = data + 1;
    a.location.last = memchr(data + 1, '\n', size - 1);
    a.body.pos = a.location.last ? a.location.last + 1 : data + size;
    a.body.last = data + size;

    if (a.location.last == NULL) {
        a.location.last = data + size;
    }

    room = malloc(size);

    app.data = (u_char *) "live";
    app.len = 4;

    ngx_media_hook_read(data[0] & 3, data[0] >> 4 & 3, &app, &a, room, &v);

    check(v.stream.pos <= v.stream.last);
    check(v.stream.pos == NULL
          || (v.stream.pos >= room && v.stream.last <= room + size));
    check((v.result == NGX_MEDIA_HOOK_YES) == (v.reason == NULL));
    check(v.result == NGX_MEDIA_HOOK_YES
          || (v.stream.pos == NULL && v.sessions == 0 && v.expires == 0));
    check(v.expires >= 0);

    free(room);
}


static void
request(const uint8_t *data, size_t size)
{
    size_t                   len;
    u_char                  *p;
    ngx_uint_t               f;
    ngx_media_text_t         text;
    ngx_media_hook_t         hook;
    ngx_media_json_t         json;
    ngx_media_json_token_t   token;

    memset(&hook, 0, sizeof(hook));

    hook.event = (data[0] >> 4) % NGX_MEDIA_HOOK_EVENTS;
    hook.args.data = (u_char *) data + 1;
    hook.args.len = size - 1;
    hook.stream = hook.args;
    hook.agent = hook.args;

    for (f = 0; f < NGX_MEDIA_HOOK_FORMATS; f++) {

        if (!ngx_media_hook_known(f, hook.event)) {
            continue;
        }

        ngx_media_text_init(&text, NULL, 0);
        ngx_media_hook_write(&text, f, &hook);
        len = text.total;

        p = malloc(len);

        ngx_media_text_init(&text, p, len);
        ngx_media_hook_write(&text, f, &hook);
        check(text.total == len && !text.overflow);

        if (f != NGX_MEDIA_HOOK_FORM) {
            ngx_media_json_init(&json, p, p + len);

            while (ngx_media_json_next(&json, &token) == NGX_OK) {
                /* void */
            }

            check(json.error == NULL);
        }

        free(p);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }

    answer(data, size);
    request(data, size);

    return 0;
}
