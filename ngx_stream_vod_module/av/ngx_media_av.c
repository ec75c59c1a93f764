
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"
#include "formats/ngx_media_codec.h"

#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

#include <pthread.h>

#if (NGX_LINUX)
#include <malloc.h>
#endif


/* bytes: pictures are larger, and what is read and decoded for them */
#define NGX_MEDIA_AV_MMAP      (256 * 1024)

/* bytes of captions that one picture may have: some seconds' worth */
#define NGX_MEDIA_AV_CAPTIONS  4096


static void ngx_media_av_quiet(void *data, int level, const char *fmt,
    va_list args);
static void ngx_media_av_process(void);


static pthread_once_t  ngx_media_av_once = PTHREAD_ONCE_INIT;


/* what libav calls our codecs; those of text: ngx_media_vod_lav_text.c */

static const struct {
    enum AVCodecID            id;
    uint32_t                  codec;
} ngx_media_av_codecs[] = {
    { AV_CODEC_ID_H264, NGX_MEDIA_CODEC_H264 },
    { AV_CODEC_ID_HEVC, NGX_MEDIA_CODEC_H265 },
    { AV_CODEC_ID_AV1, NGX_MEDIA_CODEC_AV1 },
    { AV_CODEC_ID_VP8, NGX_MEDIA_CODEC_VP8 },
    { AV_CODEC_ID_VP9, NGX_MEDIA_CODEC_VP9 },
    { AV_CODEC_ID_AAC, NGX_MEDIA_CODEC_AAC },
    { AV_CODEC_ID_MP3, NGX_MEDIA_CODEC_MP3 },
    { AV_CODEC_ID_OPUS, NGX_MEDIA_CODEC_OPUS },
    { AV_CODEC_ID_AC3, NGX_MEDIA_CODEC_AC3 },
    { AV_CODEC_ID_EAC3, NGX_MEDIA_CODEC_EAC3 },
    { AV_CODEC_ID_FLAC, NGX_MEDIA_CODEC_FLAC },
    { AV_CODEC_ID_NONE, 0 }
};


void
ngx_media_av_init(void)
{
    av_log_set_callback(ngx_media_av_quiet);
    (void) pthread_once(&ngx_media_av_once, ngx_media_av_process);
}


static void
ngx_media_av_quiet(void *data, int level, const char *fmt, va_list args)
{
    /* stderr is a log of nginx, and these are no messages of it */
}


/*
 * Pictures are large, and each thread would keep what it once had: glibc takes
 * larger and larger blocks from its heaps when such ones were freed, unless it
 * is told from which size on they come from the kernel and go back there.
 */

static void
ngx_media_av_process(void)
{
#if (NGX_LINUX) && defined(__GLIBC__)

    (void) mallopt(M_MMAP_THRESHOLD, NGX_MEDIA_AV_MMAP);

#endif

    ngx_media_av_environment();
}


/* SVT-AV1 says what it has to say on stderr, but where a variable says no */

void
ngx_media_av_environment(void)
{
    (void) setenv("SVT_LOG", "0", 0);
}


uint64_t
ngx_media_av_version(const char *encoder)
{
    uint64_t     n[6];
    const char  *text;

    n[0] = avcodec_version();
    n[1] = avutil_version();
    n[2] = swscale_version();
    n[3] = swresample_version();
    n[4] = encoder ? ngx_media_hash((u_char *) encoder, ngx_strlen(encoder))
                   : 0;

    /* of distributions: with what they have built it */

    text = av_version_info();
    n[5] = ngx_media_hash((u_char *) text, ngx_strlen(text));

    return ngx_media_hash((u_char *) n, sizeof(n));
}


uint32_t
ngx_media_av_codec(enum AVCodecID id)
{
    ngx_uint_t  i;

    for (i = 0; ngx_media_av_codecs[i].codec; i++) {
        if (ngx_media_av_codecs[i].id == id) {
            break;
        }
    }

    return ngx_media_av_codecs[i].codec;
}


enum AVCodecID
ngx_media_av_id(uint32_t codec)
{
    ngx_uint_t  i;

    if (ngx_media_av_is_foreign(codec)) {
        return (enum AVCodecID) (codec & ~NGX_MEDIA_AV_FOREIGN);
    }

    for (i = 0; ngx_media_av_codecs[i].codec; i++) {
        if (ngx_media_av_codecs[i].codec == codec) {
            break;
        }
    }

    return ngx_media_av_codecs[i].id;
}


void
ngx_media_av_error(u_char *error, const char *what, int rc)
{
    char  text[AV_ERROR_MAX_STRING_SIZE];

    text[0] = '\0';
    (void) av_strerror(rc, text, sizeof(text));

    (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR, "%s: %s", what, text);
}


ngx_media_av_frame_t *
ngx_media_av_frame_ref(const ngx_media_av_frame_t *frame)
{
    return av_frame_clone(frame);
}


void
ngx_media_av_frame_free(ngx_media_av_frame_t *frame)
{
    av_frame_free(&frame);
}


int64_t
ngx_media_av_frame_pts(const ngx_media_av_frame_t *frame)
{
    return frame->pts;
}


void
ngx_media_av_frame_set_pts(ngx_media_av_frame_t *frame, int64_t pts)
{
    frame->pts = pts;
}


void
ngx_media_av_frame_shape(const ngx_media_av_frame_t *frame,
    ngx_media_av_shape_t *shape)
{
    const AVPixFmtDescriptor  *desc;

    ngx_memzero(shape, sizeof(ngx_media_av_shape_t));

    shape->width = (uint32_t) frame->width;
    shape->height = (uint32_t) frame->height;

    if (frame->sample_aspect_ratio.num > 0
        && frame->sample_aspect_ratio.den > 0)
    {
        shape->sar_num = (uint32_t) frame->sample_aspect_ratio.num;
        shape->sar_den = (uint32_t) frame->sample_aspect_ratio.den;
    }

    /* libav's numbers are those of ISO 23091-2 */

    shape->primaries = (uint8_t) frame->color_primaries;
    shape->transfer = (uint8_t) frame->color_trc;
    shape->matrix = (uint8_t) frame->colorspace;
    shape->full_range = (uint8_t) ngx_media_av_frame_full_range(frame);

    desc = av_pix_fmt_desc_get(frame->format);
    shape->bit_depth = desc ? (uint8_t) desc->comp[0].depth : 8;

    shape->interlaced = ngx_media_av_frame_interlaced(frame);
    shape->top_first = ngx_media_av_frame_top_first(frame);
    shape->wide = (frame->color_trc == AVCOL_TRC_SMPTE2084
                   || frame->color_trc == AVCOL_TRC_ARIB_STD_B67);
}


ngx_uint_t
ngx_media_av_frame_full_range(const AVFrame *frame)
{
    const AVPixFmtDescriptor  *desc;

    switch (frame->format) {

    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
        return 1;
    }

    desc = av_pix_fmt_desc_get(frame->format);

    if (desc && (desc->flags & AV_PIX_FMT_FLAG_RGB)) {
        return 1;
    }

    return frame->color_range == AVCOL_RANGE_JPEG;
}


ngx_int_t
ngx_media_av_frame_captions(ngx_media_av_frame_t *next,
    const ngx_media_av_frame_t *skipped)
{
    size_t                  size;
    AVBufferRef            *buf;
    const AVFrameSideData  *first, *second;

    first = av_frame_get_side_data(skipped, AV_FRAME_DATA_A53_CC);

    if (first == NULL || first->size == 0) {
        return NGX_OK;
    }

    second = av_frame_get_side_data(next, AV_FRAME_DATA_A53_CC);
    size = first->size + (second ? second->size : 0);

    if (first->size > NGX_MEDIA_AV_CAPTIONS || size > NGX_MEDIA_AV_CAPTIONS) {
        return NGX_ERROR;
    }

    buf = av_buffer_alloc(size);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(buf->data, first->data, first->size);

    if (second != NULL) {
        ngx_memcpy(buf->data + first->size, second->data, second->size);
        av_frame_remove_side_data(next, AV_FRAME_DATA_A53_CC);
    }

    if (av_frame_new_side_data_from_buf(next, AV_FRAME_DATA_A53_CC, buf)
        == NULL)
    {
        av_buffer_unref(&buf);
        return NGX_ERROR;
    }

    return NGX_OK;
}

#endif
