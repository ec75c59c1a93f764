
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @av -lm */


#include <ngx_config.h>
#include <ngx_core.h>
#include "tap.h"

#if (NGX_MEDIA_HAVE_AV)

#include "media_picture.h"

#include <libavutil/pixdesc.h>


/* what comes in, of one level, and what the level of luma is then */

static const struct {
    const char               *name;
    enum AVPixelFormat        format;
    enum AVColorRange         range;
    int                       width;
    int                       height;
    int                       luma;           /* in */
    ngx_uint_t                depth;          /* that is wanted */
    int                       out;
} levels[] = {
    { "8 bits", AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, 320, 180, 180, 8, 180 },
    { "unknown range", AV_PIX_FMT_YUV420P, AVCOL_RANGE_UNSPECIFIED, 320, 180,
      180, 8, 180 },
    { "full range, white", AV_PIX_FMT_YUV420P, AVCOL_RANGE_JPEG, 320, 180,
      255, 8, 235 },
    { "full range, black", AV_PIX_FMT_YUVJ420P, AVCOL_RANGE_UNSPECIFIED, 320,
      180, 0, 8, 16 },
    { "full range, of the size", AV_PIX_FMT_YUVJ420P, AVCOL_RANGE_JPEG, 160,
      90, 255, 8, 235 },
    { "4:2:2", AV_PIX_FMT_YUV422P, AVCOL_RANGE_MPEG, 320, 180, 90, 8, 90 },
    { "4:4:4, odd", AV_PIX_FMT_YUV444P, AVCOL_RANGE_MPEG, 319, 181, 90, 8,
      90 },
    { "odd", AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, 321, 181, 90, 8, 90 },
    { "gray", AV_PIX_FMT_GRAY8, AVCOL_RANGE_MPEG, 320, 180, 90, 8, 90 },
    { "10 bits to 8", AV_PIX_FMT_YUV420P10, AVCOL_RANGE_MPEG, 320, 180, 720,
      8, 180 },
    { "4:2:2, 10 bits to 8", AV_PIX_FMT_YUV422P10, AVCOL_RANGE_MPEG, 320, 180,
      720, 8, 180 },
    { "10 bits", AV_PIX_FMT_YUV420P10, AVCOL_RANGE_MPEG, 320, 180, 721, 10,
      721 },
    { "4:2:2, 10 bits", AV_PIX_FMT_YUV422P10, AVCOL_RANGE_MPEG, 320, 180, 721,
      10, 721 },
    { "larger", AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, 64, 36, 180, 8, 180 },
    { "tiny", AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, 2, 2, 180, 8, 180 },
};


static AVFrame *
frame_of(enum AVPixelFormat format, int width, int height, int luma)
{
    int                        h, i, n, wide, x, y;
    AVFrame                   *frame;
    uint8_t                   *row;
    const AVPixFmtDescriptor  *desc;

    frame = av_frame_alloc();

    if (frame == NULL) {
        abort();
    }

    frame->format = format;
    frame->width = width;
    frame->height = height;
    frame->pts = 4711;

    if (av_frame_get_buffer(frame, 0) < 0) {
        abort();
    }

    desc = av_pix_fmt_desc_get(format);
    wide = desc->comp[0].depth > 8;

    for (i = 0; i < 3 && frame->data[i] != NULL; i++) {
        h = i ? AV_CEIL_RSHIFT(height, desc->log2_chroma_h) : height;
        n = frame->linesize[i] / (wide ? 2 : 1);

        for (y = 0; y < h; y++) {
            row = frame->data[i] + (ptrdiff_t) y * frame->linesize[i];

            for (x = 0; x < n; x++) {
                if (wide) {
                    ((uint16_t *) row)[x] = (uint16_t) (i ? 512 : luma);

                } else {
                    row[x] = (uint8_t) (i ? 128 : luma);
                }
            }
        }
    }

    return frame;
}


static int
luma_of(const AVFrame *frame, int x, int y)
{
    uint8_t  *row;

    row = frame->data[0] + (ptrdiff_t) y * frame->linesize[0];

    return (frame->format == AV_PIX_FMT_YUV420P10) ? ((uint16_t *) row)[x]
                                                   : row[x];
}


/* one scaler for all of them, as for a stream that changes */

static void
test_levels(ngx_uint_t depth)
{
    u_char                  error[NGX_MEDIA_AV_ERROR];
    AVFrame                *in, *out;
    ngx_uint_t              i, k;
    ngx_media_av_scaler_t  *s;

    s = ngx_media_av_scaler_open(160, 90, depth, error);
    ok(s != NULL, "%u bits: opens", (unsigned) depth);

    for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {

        if (levels[i].depth != depth) {
            continue;
        }

        in = frame_of(levels[i].format, levels[i].width, levels[i].height,
                      levels[i].luma);
        in->color_range = levels[i].range;

        out = ngx_media_av_scaler_scale(s, in, error);

        ok(out != NULL, "%s", levels[i].name);

        if (out != NULL) {
            ok(out->width == 160 && out->height == 90
               && out->color_range == AVCOL_RANGE_MPEG
               && out->sample_aspect_ratio.num == 1
               && out->pts == 4711, "%s: what it is", levels[i].name);

            is(luma_of(out, 80, 45), levels[i].out, "%s: middle",
               levels[i].name);
            is(luma_of(out, 159, 89), levels[i].out, "%s: corner",
               levels[i].name);

            for (k = 0; k < 3; k++) {
                if (out->data[0] != in->data[0]
                    && ((uintptr_t) out->data[k] % 64
                        || out->linesize[k] % 64))
                {
                    ok(0, "%s: lines of 64 bytes", levels[i].name);
                }
            }
        }

        ngx_media_av_frame_free(out);
        ngx_media_av_frame_free(in);
    }

    ngx_media_av_scaler_close(s);
}


static void
test_colors(void)
{
    u_char                  error[NGX_MEDIA_AV_ERROR];
    AVFrame                *in, *out;
    ngx_media_av_shape_t    shape;
    ngx_media_av_scaler_t  *s;

    s = ngx_media_av_scaler_open(160, 90, 8, error);

    in = frame_of(AV_PIX_FMT_YUV420P, 320, 180, 100);
    in->color_primaries = AVCOL_PRI_SMPTE170M;
    in->color_trc = AVCOL_TRC_SMPTE170M;
    in->colorspace = AVCOL_SPC_SMPTE170M;
    in->sample_aspect_ratio.num = 4;
    in->sample_aspect_ratio.den = 3;

    ngx_media_av_frame_shape(in, &shape);
    is(shape.sar_num, 4, "shape: sar");
    is(shape.width, 320, "shape: width");
    is(shape.matrix, 6, "shape: matrix");
    is(shape.bit_depth, 8, "shape: depth");
    ok(!shape.wide && !shape.interlaced, "shape: nothing else");

    out = ngx_media_av_scaler_scale(s, in, error);
    ngx_media_av_frame_shape(out, &shape);

    is(shape.primaries, 6, "BT.601 stays it, primaries");
    is(shape.matrix, 6, "matrix");
    is(shape.sar_num, 1, "pixels are square");

    ngx_media_av_frame_free(out);

    in->color_primaries = AVCOL_PRI_UNSPECIFIED;
    in->color_trc = AVCOL_TRC_UNSPECIFIED;
    in->colorspace = AVCOL_SPC_UNSPECIFIED;

    out = ngx_media_av_scaler_scale(s, in, error);
    ngx_media_av_frame_shape(out, &shape);

    is(shape.primaries, 2, "what is unknown stays it, primaries");
    is(shape.matrix, 2, "matrix");

    ngx_media_av_frame_free(out);
    ngx_media_av_frame_free(in);

    /* green, which says what matrix it was */

    in = frame_of(AV_PIX_FMT_GBRP, 320, 180, 255);
    memset(in->data[1], 0, (size_t) in->linesize[1] * 180);
    memset(in->data[2], 0, (size_t) in->linesize[2] * 180);
    in->colorspace = AVCOL_SPC_RGB;

    out = ngx_media_av_scaler_scale(s, in, error);
    ngx_media_av_frame_shape(out, &shape);

    is(shape.matrix, 1, "RGB becomes BT.709");
    ok(abs(luma_of(out, 80, 45) - 173) <= 1, "green of BT.709: %d",
       luma_of(out, 80, 45));

    ngx_media_av_frame_free(out);
    ngx_media_av_frame_free(in);

    ngx_media_av_scaler_close(s);
}


/* captions go along, and what is left out keeps them for the next one */

static void
test_captions(void)
{
    u_char                  error[NGX_MEDIA_AV_ERROR];
    AVFrame                *in, *out;
    ngx_media_av_scaler_t  *s;
    const AVFrameSideData  *data;

    s = ngx_media_av_scaler_open(160, 90, 8, error);

    in = frame_of(AV_PIX_FMT_YUV420P, 320, 180, 100);

    memcpy(av_frame_new_side_data(in, AV_FRAME_DATA_A53_CC, 3)->data,
           "\xfc\x80\x81", 3);
    (void) av_frame_new_side_data(in, AV_FRAME_DATA_REGIONS_OF_INTEREST, 64);
    (void) av_frame_new_side_data(in, AV_FRAME_DATA_GOP_TIMECODE, 8);

    out = ngx_media_av_scaler_scale(s, in, error);

    is(out->nb_side_data, 1, "captions: nothing else goes along");

    data = av_frame_get_side_data(out, AV_FRAME_DATA_A53_CC);
    is_mem(data ? data->data : NULL, data ? data->size : 0, "\xfc\x80\x81", 3,
           "captions: go along");

    memcpy(av_frame_get_side_data(in, AV_FRAME_DATA_A53_CC)->data,
           "\xfc\x11\x12", 3);

    is(ngx_media_av_frame_captions(out, in), NGX_OK, "captions: of one more");

    data = av_frame_get_side_data(out, AV_FRAME_DATA_A53_CC);
    is_mem(data ? data->data : NULL, data ? data->size : 0,
           "\xfc\x11\x12\xfc\x80\x81", 6, "captions: are before its own");

    av_frame_remove_side_data(out, AV_FRAME_DATA_A53_CC);
    is(ngx_media_av_frame_captions(out, in), NGX_OK, "captions: it had none");

    data = av_frame_get_side_data(out, AV_FRAME_DATA_A53_CC);
    is(data ? data->size : 0, 3, "captions: it has them now");

    av_frame_remove_side_data(in, AV_FRAME_DATA_A53_CC);
    is(ngx_media_av_frame_captions(out, in), NGX_OK, "captions: none");

    (void) av_frame_new_side_data(in, AV_FRAME_DATA_A53_CC, 5000);
    is(ngx_media_av_frame_captions(out, in), NGX_ERROR,
       "captions: too many");

    ngx_media_av_scaler_close(s);

    /* it outlives its scaler */

    is(luma_of(out, 10, 10), 100, "picture without its scaler");

    ngx_media_av_frame_free(out);
    ngx_media_av_frame_free(in);
}


static void
test_refused(void)
{
    u_char                  error[NGX_MEDIA_AV_ERROR];
    AVFrame                *in;
    ngx_media_av_scaler_t  *s;

    ok(ngx_media_av_scaler_open(161, 90, 8, error) == NULL, "odd width: %s",
       error);
    ok(ngx_media_av_scaler_open(160, 91, 8, error) == NULL, "odd height");
    ok(ngx_media_av_scaler_open(0, 90, 8, error) == NULL, "no width");
    ok(ngx_media_av_scaler_open(65534, 65534, 8, error) == NULL, "too large");

    s = ngx_media_av_scaler_open(160, 90, 8, error);

    in = frame_of(AV_PIX_FMT_YUV420P, 320, 180, 100);
    in->format = AV_PIX_FMT_VAAPI;

    ok(ngx_media_av_scaler_scale(s, in, error) == NULL, "%s", error);

    in->format = AV_PIX_FMT_YUV420P;
    ngx_media_av_frame_free(ngx_media_av_scaler_scale(s, in, error));

    ngx_media_av_frame_free(in);
    ngx_media_av_frame_free(NULL);
    ngx_media_av_scaler_close(s);
    ngx_media_av_scaler_close(NULL);
}


int
main(void)
{
    ngx_media_av_init();

    test_levels(8);
    test_levels(10);
    test_colors();
    test_captions();
    test_refused();

    return done();
}

#else

int
main(void)
{
    ok(1, "scaler # SKIP there is no libav");

    return done();
}

#endif
