
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Encoders that a machine does not have, as they are seen in the field, for
 * t/av_encoder.t: preloaded, it gives those of $FAKE_ENCODER,
 *
 *     NAME=HOW,NAME=HOW...
 *
 * names of libavcodec's, to x264, which then does one thing wrong:
 *
 *     none      libavcodec was built without it
 *     fine      nothing
 *     delay     it holds back three pictures
 *     keys      each fourth picture is a key frame
 *     scene     key frames where the scene changes
 *     deaf      a key frame that is asked for is none
 *     bare      no parameter sets anywhere
 *     inband    parameter sets in the first frame only: not wrong
 *     coarse    stamps in 90 kHz: not wrong
 *     early     stamps of the picture before
 *     lost      the fifth frame never comes
 *     enomem    no session is left
 *     broken    it fails at the second picture
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>


#define FAKES  16


typedef struct {
    AVCodecContext  *ctx;
    char             how[16];
    int              sent;
    int              came;
    int              drained;
} fake_t;


static __thread char  fake_next[16];
static fake_t         fakes[FAKES];
static char           fake_list[1024];


#define real(name)                                                            \
    do {                                                                      \
        if (call == NULL) {                                                   \
            *(void **) &call = dlsym(RTLD_NEXT, name);                        \
        }                                                                     \
    } while (0)


/* nginx clears its environment */

static void __attribute__((constructor))
fake_init(void)
{
    const char  *p;

    p = getenv("FAKE_ENCODER");
    snprintf(fake_list, sizeof(fake_list), "%s", p ? p : "");
}


static fake_t *
fake_of(const AVCodecContext *ctx)
{
    int  i;

    for (i = 0; i < FAKES; i++) {
        if (ctx != NULL && fakes[i].ctx == ctx) {
            return &fakes[i];
        }
    }

    return NULL;
}


static int
fake_is(const fake_t *fake, const char *how)
{
    return fake != NULL && strcmp(fake->how, how) == 0;
}


const AVCodec *
avcodec_find_encoder_by_name(const char *name)
{
    size_t       n;
    const char  *p;

    static const AVCodec  *(*call)(const char *name);

    real("avcodec_find_encoder_by_name");

    fake_next[0] = '\0';
    n = strlen(name);

    for (p = fake_list; *p; p += strcspn(p, ",")) {
        p += (*p == ',');

        if (strncmp(p, name, n) == 0 && p[n] == '=') {
            snprintf(fake_next, sizeof(fake_next), "%.*s",
                     (int) strcspn(p + n + 1, ","), p + n + 1);

            return strcmp(fake_next, "none") ? call("libx264") : NULL;
        }
    }

    return call(name);
}


AVCodecContext *
avcodec_alloc_context3(const AVCodec *codec)
{
    int              i;
    AVCodecContext  *ctx;

    static AVCodecContext  *(*call)(const AVCodec *codec);

    real("avcodec_alloc_context3");

    ctx = call(codec);

    for (i = 0; ctx != NULL && fake_next[0] && i < FAKES; i++) {
        if (fakes[i].ctx == NULL) {
            memset(&fakes[i], 0, sizeof(fake_t));
            fakes[i].ctx = ctx;
            memcpy(fakes[i].how, fake_next, sizeof(fake_next));
            break;
        }
    }

    fake_next[0] = '\0';

    return ctx;
}


void
avcodec_free_context(AVCodecContext **ctx)
{
    fake_t  *fake;

    static void  (*call)(AVCodecContext **ctx);

    real("avcodec_free_context");

    fake = fake_of(*ctx);

    if (fake != NULL) {
        fake->ctx = NULL;
    }

    call(ctx);
}


/* those of the encoder that it is not are taken, and mean nothing */

int
av_opt_set(void *obj, const char *name, const char *value, int flags)
{
    static int  (*call)(void *obj, const char *name, const char *value,
                        int flags);

    real("av_opt_set");

    if (fake_of(obj) != NULL) {
        return 0;
    }

    return call(obj, name, value, flags);
}


int
avcodec_open2(AVCodecContext *ctx, const AVCodec *codec,
    AVDictionary **options)
{
    int            rc;
    fake_t        *fake;
    AVDictionary  *own;

    static int  (*call)(AVCodecContext *ctx, const AVCodec *codec,
                        AVDictionary **options);

    real("avcodec_open2");

    fake = fake_of(ctx);

    if (fake == NULL) {
        return call(ctx, codec, options);
    }

    if (fake_is(fake, "enomem")) {
        return AVERROR(ENOMEM);
    }

    if (fake_is(fake, "inband")) {
        ctx->flags &= ~AV_CODEC_FLAG_GLOBAL_HEADER;
    }

    own = NULL;

    av_dict_set(&own, "preset", "veryfast", 0);
    av_dict_set(&own, "rc-lookahead", "0", 0);
    av_dict_set(&own, "forced-idr", "1", 0);
    av_dict_set(&own, "x264-params", fake_is(fake, "scene")
                ? "force-cfr=1:mbtree=0:scenecut=40:min-keyint=1"
                : "force-cfr=1:mbtree=0:scenecut=0", 0);

    rc = call(ctx, codec, &own);

    av_dict_free(&own);

    if (rc == 0 && fake_is(fake, "bare")) {
        av_freep(&ctx->extradata);
        ctx->extradata_size = 0;
    }

    return rc;
}


int
avcodec_send_frame(AVCodecContext *ctx, const AVFrame *frame)
{
    int       rc;
    fake_t   *fake;
    AVFrame  *copy;

    static int  (*call)(AVCodecContext *ctx, const AVFrame *frame);

    real("avcodec_send_frame");

    fake = fake_of(ctx);

    if (fake == NULL) {
        return call(ctx, frame);
    }

    if (frame == NULL) {
        fake->drained = 1;
        return call(ctx, frame);
    }

    if (fake_is(fake, "broken") && fake->sent == 1) {
        return AVERROR_EXTERNAL;
    }

    copy = av_frame_clone(frame);

    if (fake_is(fake, "keys") && fake->sent % 4 == 0) {
        copy->pict_type = AV_PICTURE_TYPE_I;
    }

    if (fake_is(fake, "deaf") && fake->sent) {
        copy->pict_type = AV_PICTURE_TYPE_NONE;
    }

    fake->sent++;

    rc = call(ctx, copy);

    av_frame_free(&copy);

    return rc;
}


int
avcodec_receive_packet(AVCodecContext *ctx, AVPacket *packet)
{
    int      rc;
    fake_t  *fake;

    static int  (*call)(AVCodecContext *ctx, AVPacket *packet);

    real("avcodec_receive_packet");

    fake = fake_of(ctx);

    if (fake_is(fake, "delay") && !fake->drained
        && fake->sent - fake->came <= 3)
    {
        return AVERROR(EAGAIN);
    }

    rc = call(ctx, packet);

    if (rc < 0 || fake == NULL) {
        return rc;
    }

    fake->came++;

    if (fake_is(fake, "lost") && fake->came == 5) {
        av_packet_unref(packet);
        return call(ctx, packet);
    }

    if (fake_is(fake, "coarse")) {
        packet->pts = packet->pts / 4 * 4;
        packet->dts = packet->pts;
    }

    if (fake_is(fake, "early") && fake->came > 1) {
        packet->pts -= 12000;
    }

    return rc;
}
