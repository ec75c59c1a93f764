
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Codecs with faults, for t/transcode_crash.t and t/vod_ladder_crash.t:
 * preloaded, a decoder aborts at a packet that holds a certain text, as
 * libraries do at streams that somebody made for that, and has no memory, once,
 * at one that holds another; and each 40th picture of $FAKE_HEIGHT is one that
 * no encoder takes.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>


static int  fake_height;


/* nginx clears its environment */

static void __attribute__((constructor))
fake_init(void)
{
    const char  *p;

    p = getenv("FAKE_HEIGHT");
    fake_height = p ? atoi(p) : 0;
}


int
avcodec_send_frame(AVCodecContext *ctx, const AVFrame *frame)
{
    static int    n;
    static int  (*call)(AVCodecContext *ctx, const AVFrame *frame);

    if (call == NULL) {
        *(void **) &call = dlsym(RTLD_NEXT, "avcodec_send_frame");
    }

    if (frame != NULL && fake_height && frame->height == fake_height
        && __atomic_add_fetch(&n, 1, __ATOMIC_RELAXED) % 40 == 0)
    {
        return AVERROR(EIO);
    }

    return call(ctx, frame);
}


int
avcodec_send_packet(AVCodecContext *ctx, const AVPacket *packet)
{
    static const char  text[] = "abort within libav";
    static const char  poor[] = "no RAM with libav!";
    static int         starved;
    static int       (*call)(AVCodecContext *ctx, const AVPacket *packet);

    if (call == NULL) {
        *(void **) &call = dlsym(RTLD_NEXT, "avcodec_send_packet");
    }

    if (packet != NULL && packet->data != NULL
        && memmem(packet->data, packet->size, text, sizeof(text) - 1))
    {
        abort();
    }

    if (packet != NULL && packet->data != NULL && !starved
        && memmem(packet->data, packet->size, poor, sizeof(poor) - 1))
    {
        starved = 1;
        return AVERROR(ENOMEM);
    }

    return call(ctx, packet);
}
