
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs */


#include "formats/ngx_media_mp3.h"
#include "media_codec.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char             *p;
    ngx_media_span_t    span, frame;

    p = malloc(size + 1);
    fuzz_check(p != NULL);
    memcpy(p + 1, data, size);

    span.pos = p + 1;
    span.last = p + 1 + size;

    while (ngx_media_codec_next(&ngx_media_mp3_codec, &span, &frame)
           == NGX_OK)
    {
        fuzz_check(ngx_media_span_len(&frame) >= NGX_MEDIA_MP3_HEADER_SIZE);
        fuzz_check(frame.last == span.pos && span.pos <= span.last);
    }

    free(p);

    return fuzz_codec(&ngx_media_mp3_codec, data, size);
}
