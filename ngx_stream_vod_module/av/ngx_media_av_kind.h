
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the table of encoders says of one, for those who open it.
 */


#ifndef _NGX_MEDIA_AV_KIND_H_INCLUDED_
#define _NGX_MEDIA_AV_KIND_H_INCLUDED_


#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_encoder.h"

#if (NGX_MEDIA_HAVE_AV)

#include <libavutil/dict.h>
#include <libavutil/hwcontext.h>


/* of an encoder: */
#define NGX_MEDIA_AV_THREADS  0x01            /* it has some of its own */
#define NGX_MEDIA_AV_TARGET   0x02            /* beside a bitrate there can be
                                                 no maximum */
#define NGX_MEDIA_AV_AHEAD    0x04            /* it has to look farther ahead
                                                 than B-frames go */
#define NGX_MEDIA_AV_SCREEN   0x08            /* its params have max-cll and
                                                 master-display */


/* what a preset of x264 is called elsewhere */

typedef struct {
    const char               *name;
    const char               *value;
} ngx_media_av_preset_t;


/* options are "NAME=VALUE:...", a NAME? may be unknown to a libavcodec */

struct ngx_media_av_kind_s {
    const char               *name;           /* libavcodec's */
    const char               *brief;          /* of lists of encoders */
    const char               *needs;          /* what it takes to have it */
    uint32_t                  codec;
    enum AVPixelFormat        format;         /* of 8 bits */
    enum AVPixelFormat        deep;           /* of 10 bits, or NONE */
    enum AVHWDeviceType       device;         /* pictures go there first */
    int                       gop;            /* no key frames by itself */
    const char               *options;        /* always */
    const char               *live;           /* where no delay is wanted */
    const char               *params;         /* option that has the library's
                                                 own, NULL: there is none */
    const char               *always;         /* of these, always */
    const char               *now;            /* of these, where no delay is
                                                 wanted, */
    const char               *rated;          /* and a bitrate, */
    const char               *later;          /* or a bitrate with a delay */
    const char               *preset;         /* its option, NULL: none */
    const ngx_media_av_preset_t
                             *presets;
    const char               *crf;            /* its option, NULL: none */
    const char               *lookahead;      /* one of params, if there are
                                                 any, or an option; NULL: no */
    ngx_uint_t                flags;          /* NGX_MEDIA_AV_* */
};


/*
 * All options that conf stands for, those of its own and what the table says
 * against them.  NGX_ERROR: error says why.  The caller frees it.
 */
ngx_int_t ngx_media_av_encoder_options(const ngx_media_av_encoder_conf_t *conf,
    AVDictionary **options, u_char *error);

/*
 * They are set in ctx, which is not open; what this libavcodec does not know
 * is an error, but for those that may be unknown.
 */
ngx_int_t ngx_media_av_encoder_set(AVCodecContext *ctx,
    const ngx_media_av_encoder_conf_t *conf, u_char *error);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_KIND_H_INCLUDED_ */
