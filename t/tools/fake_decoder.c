
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A decoder with a fault, for t/transcode_crash.t: preloaded, it aborts at a
 * packet that holds a certain text, as libraries do at streams that somebody
 * made for that.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>


int
avcodec_send_packet(AVCodecContext *ctx, const AVPacket *packet)
{
    static const char  text[] = "abort within libav";
    static int       (*call)(AVCodecContext *ctx, const AVPacket *packet);

    if (call == NULL) {
        *(void **) &call = dlsym(RTLD_NEXT, "avcodec_send_packet");
    }

    if (packet != NULL && packet->data != NULL
        && memmem(packet->data, packet->size, text, sizeof(text) - 1))
    {
        abort();
    }

    return call(ctx, packet);
}
