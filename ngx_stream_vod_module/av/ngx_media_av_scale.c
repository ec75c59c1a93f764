
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_scale.h"

#include <libavutil/buffer.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>


/* bytes: of lines, and behind planes: libswscale writes past odd widths */
#define NGX_MEDIA_AV_LINE     64

/* where chroma samples lie, in 256ths of a luma sample */
#define NGX_MEDIA_AV_COSITED  0
#define NGX_MEDIA_AV_MIDWAY   128


/* what the context was made for */

typedef struct {
    int                       width;
    int                       height;
    int                       format;
    int                       range;
    int                       space;
    int                       location;
} ngx_media_av_scaler_from_t;


struct ngx_media_av_scaler_s {
    int                           width;
    int                           height;
    enum AVPixelFormat            format;
    struct SwsContext            *sws;
    AVBufferPool                 *pool;       /* pictures keep it alive */
    size_t                        planes[4];  /* where they are in a buffer */
    int                           lines[4];   /* bytes */
    ngx_media_av_scaler_from_t    from;
};


static size_t ngx_media_av_scaler_layout(ngx_media_av_scaler_t *s);
static ngx_uint_t ngx_media_av_scaler_as_is(const ngx_media_av_scaler_t *s,
    const AVFrame *from);
static ngx_int_t ngx_media_av_scaler_reopen(ngx_media_av_scaler_t *s,
    const AVFrame *from, u_char *error);
static struct SwsContext *ngx_media_av_scaler_context(
    const ngx_media_av_scaler_t *s, const ngx_media_av_scaler_from_t *in);
static int ngx_media_av_scaler_space(const AVFrame *frame);
static AVFrame *ngx_media_av_scaler_frame(ngx_media_av_scaler_t *s,
    const AVFrame *from);
static void ngx_media_av_scaler_props(AVFrame *to, const AVFrame *from);


ngx_media_av_scaler_t *
ngx_media_av_scaler_open(uint32_t width, uint32_t height, ngx_uint_t depth,
    u_char *error)
{
    size_t                  size;
    ngx_media_av_scaler_t  *s;

    ngx_media_av_init();

    if (width == 0 || height == 0 || (width | height) & 1
        || (uint64_t) width * height > NGX_MEDIA_AV_PIXELS)
    {
        ngx_media_av_error(error, "size of pictures", AVERROR(EINVAL));
        return NULL;
    }

    s = calloc(1, sizeof(ngx_media_av_scaler_t));

    if (s == NULL) {
        ngx_media_av_error(error, "scaler", AVERROR(ENOMEM));
        return NULL;
    }

    s->width = (int) width;
    s->height = (int) height;
    s->format = (depth > 8) ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;

    size = ngx_media_av_scaler_layout(s);

    s->pool = av_buffer_pool_init(size, NULL);

    if (s->pool == NULL) {
        ngx_media_av_error(error, "scaler", AVERROR(ENOMEM));
        free(s);
        return NULL;
    }

    return s;
}


static size_t
ngx_media_av_scaler_layout(ngx_media_av_scaler_t *s)
{
    size_t      size;
    ngx_uint_t  bytes, half, i;

    bytes = (s->format == AV_PIX_FMT_YUV420P10) ? 2 : 1;
    size = 0;

    for (i = 0; i < 3; i++) {
        half = (i != 0);

        s->planes[i] = size;
        s->lines[i] = (int) ngx_align((size_t) (s->width >> half) * bytes,
                                      NGX_MEDIA_AV_LINE);

        size += (size_t) s->lines[i] * (s->height >> half)
                + NGX_MEDIA_AV_LINE;
    }

    /* buffers begin where malloc() says */

    return size + NGX_MEDIA_AV_LINE;
}


void
ngx_media_av_scaler_close(ngx_media_av_scaler_t *s)
{
    if (s == NULL) {
        return;
    }

    sws_freeContext(s->sws);
    av_buffer_pool_uninit(&s->pool);

    free(s);
}


ngx_media_av_frame_t *
ngx_media_av_scaler_scale(ngx_media_av_scaler_t *s,
    const ngx_media_av_frame_t *from, u_char *error)
{
    int       rc;
    AVFrame  *to;

    if (ngx_media_av_scaler_as_is(s, from)) {
        to = av_frame_clone(from);

    } else {

        if (ngx_media_av_scaler_reopen(s, from, error) != NGX_OK) {
            return NULL;
        }

        to = ngx_media_av_scaler_frame(s, from);
    }

    if (to == NULL) {
        ngx_media_av_error(error, "picture", AVERROR(ENOMEM));
        return NULL;
    }

    ngx_media_av_scaler_props(to, from);

    if (to->data[0] == from->data[0]) {
        return to;
    }

    rc = sws_scale(s->sws, (const uint8_t *const *) from->data,
                   from->linesize, 0, from->height, to->data, to->linesize);

    if (rc < 0) {
        ngx_media_av_error(error, "picture is not scaled", rc);
        av_frame_free(&to);
    }

    return to;
}


static ngx_uint_t
ngx_media_av_scaler_as_is(const ngx_media_av_scaler_t *s, const AVFrame *from)
{
    return from->width == s->width && from->height == s->height
           && from->format == (int) s->format
           && !ngx_media_av_frame_full_range(from);
}


/* for what the picture is, if the last one was something else */

static ngx_int_t
ngx_media_av_scaler_reopen(ngx_media_av_scaler_t *s, const AVFrame *from,
    u_char *error)
{
    ngx_media_av_scaler_from_t  in;

    ngx_memzero(&in, sizeof(ngx_media_av_scaler_from_t));

    in.width = from->width;
    in.height = from->height;
    in.format = from->format;
    in.range = (int) ngx_media_av_frame_full_range(from);
    in.space = ngx_media_av_scaler_space(from);
    in.location = from->chroma_location;

    if (s->sws != NULL
        && ngx_memcmp(&in, &s->from, sizeof(ngx_media_av_scaler_from_t)) == 0)
    {
        return NGX_OK;
    }

    sws_freeContext(s->sws);

    s->from = in;
    s->sws = ngx_media_av_scaler_context(s, &in);

    if (s->sws == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "pictures of %dx%d %s are not scaled to %dx%d",
                        in.width, in.height,
                        av_get_pix_fmt_name(in.format)
                            ? av_get_pix_fmt_name(in.format) : "?",
                        s->width, s->height);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Ranges must be known before the scaler is initialized, otherwise pictures
 * that keep their size keep their range.  Chroma of video lies beside the luma
 * of the left, unless it says something else; libswscale would take it for
 * lying midway, which moves it by half a sample where the size is halved.
 */

static struct SwsContext *
ngx_media_av_scaler_context(const ngx_media_av_scaler_t *s,
    const ngx_media_av_scaler_from_t *in)
{
    int                 x, y;
    struct SwsContext  *sws;

    sws = sws_alloc_context();
    if (sws == NULL) {
        return NULL;
    }

    x = NGX_MEDIA_AV_COSITED;
    y = NGX_MEDIA_AV_MIDWAY;

    switch (in->location) {

    case AVCHROMA_LOC_CENTER:
        x = NGX_MEDIA_AV_MIDWAY;
        break;

    case AVCHROMA_LOC_TOPLEFT:
        y = NGX_MEDIA_AV_COSITED;
        break;
    }

    if (av_opt_set_int(sws, "srcw", in->width, 0) < 0
        || av_opt_set_int(sws, "srch", in->height, 0) < 0
        || av_opt_set_int(sws, "src_format", in->format, 0) < 0
        || av_opt_set_int(sws, "src_range", in->range, 0) < 0
        || av_opt_set_int(sws, "src_h_chr_pos", x, 0) < 0
        || av_opt_set_int(sws, "src_v_chr_pos", y, 0) < 0
        || av_opt_set_int(sws, "dstw", s->width, 0) < 0
        || av_opt_set_int(sws, "dsth", s->height, 0) < 0
        || av_opt_set_int(sws, "dst_format", s->format, 0) < 0
        || av_opt_set_int(sws, "dst_range", 0, 0) < 0
        || av_opt_set_int(sws, "dst_h_chr_pos", x, 0) < 0
        || av_opt_set_int(sws, "dst_v_chr_pos", y, 0) < 0
        || av_opt_set_int(sws, "sws_flags", SWS_BICUBIC, 0) < 0
        || sws_init_context(sws, NULL, NULL) < 0)
    {
        sws_freeContext(sws);
        return NULL;
    }

    (void) sws_setColorspaceDetails(sws, sws_getCoefficients(in->space),
                                    in->range,
                                    sws_getCoefficients(in->space), 0,
                                    0, 1 << 16, 1 << 16);

    return sws;
}


/* the matrix of what comes out, too; RGB has none, and becomes BT.709 */

static int
ngx_media_av_scaler_space(const AVFrame *frame)
{
    const AVPixFmtDescriptor  *desc;

    desc = av_pix_fmt_desc_get(frame->format);

    if (desc && (desc->flags & AV_PIX_FMT_FLAG_RGB)) {
        return AVCOL_SPC_BT709;
    }

    return frame->colorspace;
}


static AVFrame *
ngx_media_av_scaler_frame(ngx_media_av_scaler_t *s, const AVFrame *from)
{
    AVFrame     *to;
    uint8_t     *p;
    ngx_uint_t   i;

    to = av_frame_alloc();
    if (to == NULL) {
        return NULL;
    }

    to->buf[0] = av_buffer_pool_get(s->pool);

    if (to->buf[0] == NULL || av_frame_copy_props(to, from) < 0) {
        av_frame_free(&to);
        return NULL;
    }

    to->format = s->format;
    to->width = s->width;
    to->height = s->height;

    p = ngx_align_ptr(to->buf[0]->data, NGX_MEDIA_AV_LINE);

    for (i = 0; i < 3; i++) {
        to->data[i] = p + s->planes[i];
        to->linesize[i] = s->lines[i];
    }

    to->colorspace = ngx_media_av_scaler_space(from);

    return to;
}


/* what is still true of it; captions and mastering data stay */

static void
ngx_media_av_scaler_props(AVFrame *to, const AVFrame *from)
{
    int                    i;
    enum AVFrameSideDataType  type;

    to->color_range = AVCOL_RANGE_MPEG;
    to->sample_aspect_ratio.num = 1;
    to->sample_aspect_ratio.den = 1;
    to->crop_top = 0;
    to->crop_bottom = 0;
    to->crop_left = 0;
    to->crop_right = 0;

    for (i = to->nb_side_data - 1; i >= 0; i--) {
        type = to->side_data[i]->type;

        if (type != AV_FRAME_DATA_A53_CC
            && type != AV_FRAME_DATA_MASTERING_DISPLAY_METADATA
            && type != AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)
        {
            av_frame_remove_side_data(to, type);
            i = to->nb_side_data;
        }
    }
}

#endif
