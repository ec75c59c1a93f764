
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * libavcodec from 5.1 to 9.0 of FFmpeg as one, what it calls our codecs, and
 * its errors as text; for those who call it.
 */


#ifndef _NGX_MEDIA_AV_COMPAT_H_INCLUDED_
#define _NGX_MEDIA_AV_COMPAT_H_INCLUDED_


#include "av/ngx_media_av.h"

#if (NGX_MEDIA_HAVE_AV)

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>


/* lavu 58.29: flags; before: members, which have gone with 60 */
#if (LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100))
#define NGX_MEDIA_AV_FRAME_FLAGS  1
#endif

/* lavc 60.31: side data that a codec is opened with */
#if (LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102))
#define NGX_MEDIA_AV_DECODED_SIDE_DATA  1
#endif


static ngx_inline ngx_uint_t
ngx_media_av_frame_interlaced(const AVFrame *frame)
{
#if (NGX_MEDIA_AV_FRAME_FLAGS)
    return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return frame->interlaced_frame != 0;
#endif
}


static ngx_inline ngx_uint_t
ngx_media_av_frame_top_first(const AVFrame *frame)
{
#if (NGX_MEDIA_AV_FRAME_FLAGS)
    return (frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0;
#else
    return frame->top_field_first != 0;
#endif
}


/* the picture is to be a key frame, or it is nobody's business what it was */

static ngx_inline void
ngx_media_av_frame_key(AVFrame *frame, ngx_uint_t key)
{
    frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;

#if (NGX_MEDIA_AV_FRAME_FLAGS)
    if (key) {
        frame->flags |= AV_FRAME_FLAG_KEY;

    } else {
        frame->flags &= ~AV_FRAME_FLAG_KEY;
    }
#else
    frame->key_frame = (key != 0);
#endif
}


/* of the codec table; 0: none; and back, AV_CODEC_ID_NONE */
uint32_t ngx_media_av_codec(enum AVCodecID id);
enum AVCodecID ngx_media_av_id(uint32_t codec);

/* 1: samples are from 0 to 255; also of RGB and the old names of formats */
ngx_uint_t ngx_media_av_frame_full_range(const AVFrame *frame);

/* "WHAT: what libav says of rc", cut where it has to be */
void ngx_media_av_error(u_char *error, const char *what, int rc);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_COMPAT_H_INCLUDED_ */
