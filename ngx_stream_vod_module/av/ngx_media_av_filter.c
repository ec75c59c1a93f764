
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_filter.h"

#if (NGX_MEDIA_HAVE_AVFILTER)

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/avstring.h>
#include <libavutil/macros.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>

#include <dlfcn.h>


#define NGX_MEDIA_AV_FILTER_LIB                                               \
    "libavfilter.so." AV_STRINGIFY(LIBAVFILTER_VERSION_MAJOR)

/* a graph as text */
#define NGX_MEDIA_AV_FILTER_TEXT   4096

/* pictures that filters hold back, which are known by their pts */
#define NGX_MEDIA_AV_FILTER_SENT   16

/* lavfi 9.16: color is a matter of links */
#if (LIBAVFILTER_VERSION_INT >= AV_VERSION_INT(9, 16, 100))
#define NGX_MEDIA_AV_FILTER_COLOR  1
#endif

/* cd/m2 of what is 1.0 in linear light: white of SDR */
#define NGX_MEDIA_AV_FILTER_NITS   "100"


/* of the library, what is called */

typedef struct {
    AVFilterGraph           *(*graph_alloc)(void);
    void                     (*graph_free)(AVFilterGraph **graph);
    AVFilterContext         *(*graph_alloc_filter)(AVFilterGraph *graph,
                                const AVFilter *filter, const char *name);
    int                      (*graph_parse_ptr)(AVFilterGraph *graph,
                                const char *text, AVFilterInOut **inputs,
                                AVFilterInOut **outputs, void *log);
    int                      (*graph_config)(AVFilterGraph *graph, void *log);
    int                      (*init_str)(AVFilterContext *ctx,
                                const char *args);
    const AVFilter          *(*get_by_name)(const char *name);
    AVFilterInOut           *(*inout_alloc)(void);
    void                     (*inout_free)(AVFilterInOut **inout);
    AVBufferSrcParameters   *(*parameters_alloc)(void);
    int                      (*parameters_set)(AVFilterContext *ctx,
                                AVBufferSrcParameters *params);
    int                      (*add_frame)(AVFilterContext *ctx,
                                AVFrame *frame, int flags);
    int                      (*get_frame)(AVFilterContext *ctx,
                                AVFrame *frame, int flags);
    AVRational               (*time_base)(const AVFilterContext *ctx);
} ngx_media_av_filter_lib_t;


struct ngx_media_av_filter_s {
    AVFilterGraph            *graph;
    AVFilterContext          *source;
    AVFilterContext          *sink;

    int                       width;          /* what it is for */
    int                       height;
    int                       format;
    enum AVColorTransferCharacteristic  transfer;
    enum AVColorSpace         matrix;
    enum AVColorRange         range;

    int                       timescale;
    ngx_uint_t                two;            /* fields: two of one */
    ngx_uint_t                mapped;         /* HDR has become SDR */

    ngx_uint_t                n;              /* sent */
    int64_t                   sent[NGX_MEDIA_AV_FILTER_SENT];

    u_char                    error[NGX_MEDIA_AV_ERROR];
};


static ngx_int_t ngx_media_av_filter_text(
    const ngx_media_av_filter_conf_t *conf, const AVFrame *like, char *text,
    u_char *error);
static ngx_uint_t ngx_media_av_filter_wide(const AVFrame *frame);
static ngx_int_t ngx_media_av_filter_graph(ngx_media_av_filter_t *f,
    const ngx_media_av_filter_conf_t *conf, const AVFrame *like,
    const char *text, u_char *error);
static int ngx_media_av_filter_source(ngx_media_av_filter_t *f,
    const ngx_media_av_filter_conf_t *conf, const AVFrame *like);
static int ngx_media_av_filter_parse(ngx_media_av_filter_t *f,
    const char *text);
static ngx_uint_t ngx_media_av_filter_open_ends(const AVFilterGraph *graph);
static void ngx_media_av_filter_tag(AVFrame *frame);
static void ngx_media_av_filter_clean(ngx_media_av_filter_t *f,
    AVFrame *frame);


static void                       *ngx_media_av_filter_handle;
static ngx_media_av_filter_lib_t   ngx_media_av_filter_lib;


static const struct {
    const char               *name;
    size_t                    offset;
} ngx_media_av_filter_symbols[] = {
    { "avfilter_graph_alloc",
      offsetof(ngx_media_av_filter_lib_t, graph_alloc) },
    { "avfilter_graph_free",
      offsetof(ngx_media_av_filter_lib_t, graph_free) },
    { "avfilter_graph_alloc_filter",
      offsetof(ngx_media_av_filter_lib_t, graph_alloc_filter) },
    { "avfilter_graph_parse_ptr",
      offsetof(ngx_media_av_filter_lib_t, graph_parse_ptr) },
    { "avfilter_graph_config",
      offsetof(ngx_media_av_filter_lib_t, graph_config) },
    { "avfilter_init_str",
      offsetof(ngx_media_av_filter_lib_t, init_str) },
    { "avfilter_get_by_name",
      offsetof(ngx_media_av_filter_lib_t, get_by_name) },
    { "avfilter_inout_alloc",
      offsetof(ngx_media_av_filter_lib_t, inout_alloc) },
    { "avfilter_inout_free",
      offsetof(ngx_media_av_filter_lib_t, inout_free) },
    { "av_buffersrc_parameters_alloc",
      offsetof(ngx_media_av_filter_lib_t, parameters_alloc) },
    { "av_buffersrc_parameters_set",
      offsetof(ngx_media_av_filter_lib_t, parameters_set) },
    { "av_buffersrc_add_frame_flags",
      offsetof(ngx_media_av_filter_lib_t, add_frame) },
    { "av_buffersink_get_frame_flags",
      offsetof(ngx_media_av_filter_lib_t, get_frame) },
    { "av_buffersink_get_time_base",
      offsetof(ngx_media_av_filter_lib_t, time_base) },
    { NULL, 0 }
};


ngx_int_t
ngx_media_av_filter_load(u_char *error)
{
    void        *handle, *symbol;
    ngx_uint_t   i;

    if (ngx_media_av_filter_handle != NULL) {
        return NGX_OK;
    }

    ngx_media_av_init();

    /* what it brings with it is not made to leave again */

    handle = dlopen(NGX_MEDIA_AV_FILTER_LIB,
                    RTLD_NOW|RTLD_LOCAL|RTLD_NODELETE);

    if (handle == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "there is no %s: install libavfilter, of the version "
                        "that libavcodec has",
                        NGX_MEDIA_AV_FILTER_LIB);
        return NGX_DECLINED;
    }

    for (i = 0; ngx_media_av_filter_symbols[i].name; i++) {
        symbol = dlsym(handle, ngx_media_av_filter_symbols[i].name);

        if (symbol == NULL) {
            (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                            "%s has no %s: install another libavfilter",
                            NGX_MEDIA_AV_FILTER_LIB,
                            ngx_media_av_filter_symbols[i].name);
            (void) dlclose(handle);
            return NGX_DECLINED;
        }

        ngx_memcpy((u_char *) &ngx_media_av_filter_lib
                   + ngx_media_av_filter_symbols[i].offset,
                   &symbol, sizeof(void *));
    }

    ngx_media_av_filter_handle = handle;

    return NGX_OK;
}


ngx_int_t
ngx_media_av_filter_check(const ngx_media_av_filter_conf_t *conf,
    u_char *error)
{
    int                     rc;
    AVFrame                *like;
    ngx_uint_t              i;
    ngx_media_av_filter_t   f;

    static const char  *mapping[] = { "zscale", "tonemap", "format", NULL };

    if (ngx_media_av_filter_handle == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "libavfilter is not loaded");
        return NGX_DECLINED;
    }

    if (conf->fields != NGX_MEDIA_AV_FIELDS_NONE
        && ngx_media_av_filter_lib.get_by_name("bwdif") == NULL)
    {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "libavfilter has no \"bwdif\": install one that was "
                        "built with it");
        return NGX_DECLINED;
    }

    for (i = 0; conf->tonemap && mapping[i]; i++) {
        if (ngx_media_av_filter_lib.get_by_name(mapping[i]) == NULL) {
            (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                            "libavfilter has no \"%s\": install one that was "
                            "built with libzimg", mapping[i]);
            return NGX_DECLINED;
        }
    }

    if (conf->text == NULL) {
        return NGX_OK;
    }

    /* ends for what is understood, of no picture that there will be */

    ngx_memzero(&f, sizeof(ngx_media_av_filter_t));
    rc = AVERROR(ENOMEM);

    like = av_frame_alloc();

    if (like != NULL) {
        like->width = 1280;
        like->height = 720;
        like->format = AV_PIX_FMT_YUV420P;

        f.graph = ngx_media_av_filter_lib.graph_alloc();
    }

    if (f.graph != NULL) {
        f.graph->nb_threads = 1;
        rc = ngx_media_av_filter_source(&f, conf, like);

        if (rc >= 0) {
            rc = ngx_media_av_filter_parse(&f, conf->text);
        }
    }

    ngx_media_av_filter_lib.graph_free(&f.graph);
    av_frame_free(&like);

    if (rc < 0) {
        ngx_media_av_error(error, "not understood by libavfilter", rc);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_media_av_filter_t *
ngx_media_av_filter_open(const ngx_media_av_filter_conf_t *conf,
    const ngx_media_av_frame_t *like, u_char *error)
{
    char                    text[NGX_MEDIA_AV_FILTER_TEXT];
    ngx_media_av_filter_t  *f;

    if (ngx_media_av_filter_handle == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "libavfilter is not loaded");
        return NULL;
    }

    if (ngx_media_av_filter_text(conf, like, text, error) != NGX_OK) {
        return NULL;
    }

    f = calloc(1, sizeof(ngx_media_av_filter_t));
    if (f == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR, "no memory");
        return NULL;
    }

    f->width = like->width;
    f->height = like->height;
    f->format = like->format;
    f->transfer = like->color_trc;
    f->matrix = like->colorspace;
    f->range = like->color_range;
    f->timescale = (int) conf->timescale;
    f->two = (conf->fields == NGX_MEDIA_AV_FIELDS_TWO);
    f->mapped = conf->tonemap && ngx_media_av_filter_wide(like);

    if (ngx_media_av_filter_graph(f, conf, like, text, error) != NGX_OK) {
        ngx_media_av_filter_close(f);
        return NULL;
    }

    return f;
}


void
ngx_media_av_filter_close(ngx_media_av_filter_t *f)
{
    if (f == NULL) {
        return;
    }

    ngx_media_av_filter_lib.graph_free(&f->graph);

    free(f);
}


static ngx_int_t
ngx_media_av_filter_text(const ngx_media_av_filter_conf_t *conf,
    const AVFrame *like, char *text, u_char *error)
{
    size_t       len, size;
    const char  *fields;

    static const char  *modes[] = {
        NULL,
        "bwdif=mode=send_frame:parity=auto:deint=interlaced",
        "bwdif=mode=send_frame:parity=auto:deint=all",
        "bwdif=mode=send_field:parity=auto:deint=interlaced"
    };

    /* by linear light */

    static const char  tonemap[] =
        "zscale=t=linear:npl=" NGX_MEDIA_AV_FILTER_NITS
        ",format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
        "zscale=t=bt709:m=bt709:r=tv,format=yuv420p";

    size = NGX_MEDIA_AV_FILTER_TEXT;
    fields = modes[conf->fields];
    len = 0;
    text[0] = '\0';

    if (fields) {
        len = av_strlcat(text, fields, size);
    }

    if (conf->tonemap && ngx_media_av_filter_wide(like)) {
        len = av_strlcatf(text, size, "%s%s", len ? "," : "", tonemap);
    }

    if (conf->text) {
        len = av_strlcatf(text, size, "%s%s", len ? "," : "", conf->text);
    }

    if (len == 0) {
        len = av_strlcat(text, "null", size);
    }

    if (len >= size) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "text of the filter is too long");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_media_av_filter_wide(const AVFrame *frame)
{
    return frame->color_trc == AVCOL_TRC_SMPTE2084
           || frame->color_trc == AVCOL_TRC_ARIB_STD_B67;
}


static ngx_int_t
ngx_media_av_filter_graph(ngx_media_av_filter_t *f,
    const ngx_media_av_filter_conf_t *conf, const AVFrame *like,
    const char *text, u_char *error)
{
    int  rc;

    f->graph = ngx_media_av_filter_lib.graph_alloc();

    if (f->graph == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR, "no memory");
        return NGX_ERROR;
    }

    f->graph->nb_threads = 1;

    rc = ngx_media_av_filter_source(f, conf, like);

    if (rc >= 0) {
        rc = ngx_media_av_filter_parse(f, text);
    }

    if (rc >= 0) {
        rc = ngx_media_av_filter_lib.graph_config(f->graph, NULL);
    }

    if (rc < 0) {
        ngx_media_av_error(error, "filter does not take the picture", rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static int
ngx_media_av_filter_source(ngx_media_av_filter_t *f,
    const ngx_media_av_filter_conf_t *conf, const AVFrame *like)
{
    int                     rc;
    AVBufferSrcParameters  *params;

    f->source = ngx_media_av_filter_lib.graph_alloc_filter(f->graph,
                       ngx_media_av_filter_lib.get_by_name("buffer"), "in");
    f->sink = ngx_media_av_filter_lib.graph_alloc_filter(f->graph,
                   ngx_media_av_filter_lib.get_by_name("buffersink"), "out");
    params = ngx_media_av_filter_lib.parameters_alloc();

    if (f->source == NULL || f->sink == NULL || params == NULL) {
        av_free(params);
        return AVERROR(ENOMEM);
    }

    params->format = like->format;
    params->width = like->width;
    params->height = like->height;
    params->sample_aspect_ratio = like->sample_aspect_ratio;
    params->time_base.num = 1;
    params->time_base.den = (int) conf->timescale;

    if (conf->fps_num && conf->fps_den) {
        params->frame_rate.num = (int) conf->fps_num;
        params->frame_rate.den = (int) conf->fps_den;
    }

#if (NGX_MEDIA_AV_FILTER_COLOR)
    params->color_space = like->colorspace;
    params->color_range = like->color_range;

    if (f->mapped && like->colorspace == AVCOL_SPC_UNSPECIFIED) {
        params->color_space = AVCOL_SPC_BT2020_NCL;
    }

    if (f->mapped && like->color_range == AVCOL_RANGE_UNSPECIFIED) {
        params->color_range = AVCOL_RANGE_MPEG;
    }
#endif

    rc = ngx_media_av_filter_lib.parameters_set(f->source, params);

    av_free(params);

    if (rc >= 0) {
        rc = ngx_media_av_filter_lib.init_str(f->source, NULL);
    }

    if (rc >= 0) {
        rc = ngx_media_av_filter_lib.init_str(f->sink, NULL);
    }

    return rc;
}


static int
ngx_media_av_filter_parse(ngx_media_av_filter_t *f, const char *text)
{
    int             rc;
    AVFilterInOut  *in, *out;

    in = ngx_media_av_filter_lib.inout_alloc();
    out = ngx_media_av_filter_lib.inout_alloc();
    rc = AVERROR(ENOMEM);

    if (in != NULL && out != NULL) {

        /* "in" is an output that is open, and "out" an input */

        out->name = av_strdup("in");
        out->filter_ctx = f->source;
        in->name = av_strdup("out");
        in->filter_ctx = f->sink;

        if (in->name != NULL && out->name != NULL) {
            rc = ngx_media_av_filter_lib.graph_parse_ptr(f->graph, text, &in,
                                                         &out, NULL);
        }

        /* one picture in, one out */

        if (rc >= 0 && (in != NULL || out != NULL
                        || ngx_media_av_filter_open_ends(f->graph)))
        {
            rc = AVERROR(EINVAL);
        }
    }

    ngx_media_av_filter_lib.inout_free(&in);
    ngx_media_av_filter_lib.inout_free(&out);

    return rc;
}


static ngx_uint_t
ngx_media_av_filter_open_ends(const AVFilterGraph *graph)
{
    unsigned                i, k;
    const AVFilterContext  *ctx;

    for (i = 0; i < graph->nb_filters; i++) {
        ctx = graph->filters[i];

        for (k = 0; k < ctx->nb_inputs; k++) {
            if (ctx->inputs[k] == NULL) {
                return 1;
            }
        }

        for (k = 0; k < ctx->nb_outputs; k++) {
            if (ctx->outputs[k] == NULL) {
                return 1;
            }
        }
    }

    return 0;
}


ngx_uint_t
ngx_media_av_filter_is(const ngx_media_av_filter_t *f,
    const ngx_media_av_frame_t *frame)
{
    return frame->width == f->width && frame->height == f->height
           && frame->format == f->format && frame->color_trc == f->transfer
           && frame->colorspace == f->matrix
           && frame->color_range == f->range;
}


ngx_int_t
ngx_media_av_filter_send(ngx_media_av_filter_t *f, ngx_media_av_frame_t *frame)
{
    int       rc;
    AVFrame  *copy;

    copy = NULL;

    if (frame != NULL) {

        if (!ngx_media_av_filter_is(f, frame)) {
            (void) snprintf((char *) f->error, NGX_MEDIA_AV_ERROR,
                            "picture is another one than the filter is for");
            return NGX_ERROR;
        }

        copy = av_frame_clone(frame);

        if (copy == NULL) {
            (void) snprintf((char *) f->error, NGX_MEDIA_AV_ERROR,
                            "no memory");
            return NGX_ERROR;
        }

        if (f->mapped) {
            ngx_media_av_filter_tag(copy);
        }

        f->sent[f->n++ % NGX_MEDIA_AV_FILTER_SENT] = frame->pts;
    }

    rc = ngx_media_av_filter_lib.add_frame(f->source, copy, 0);

    av_frame_free(&copy);

    if (rc < 0) {
        ngx_media_av_error(f->error, "filter", rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* zscale wants all of them: what is not said is what HDR has */

static void
ngx_media_av_filter_tag(AVFrame *frame)
{
    if (frame->color_primaries == AVCOL_PRI_UNSPECIFIED) {
        frame->color_primaries = AVCOL_PRI_BT2020;
    }

    if (frame->colorspace == AVCOL_SPC_UNSPECIFIED) {
        frame->colorspace = AVCOL_SPC_BT2020_NCL;
    }

    if (frame->color_range == AVCOL_RANGE_UNSPECIFIED) {
        frame->color_range = AVCOL_RANGE_MPEG;
    }
}


ngx_media_av_frame_t *
ngx_media_av_filter_picture(ngx_media_av_filter_t *f)
{
    int       rc;
    AVFrame  *frame;

    frame = av_frame_alloc();

    rc = frame ? ngx_media_av_filter_lib.get_frame(f->sink, frame, 0)
               : AVERROR(ENOMEM);

    if (rc < 0) {
        av_frame_free(&frame);

        if (rc != AVERROR(EAGAIN) && rc != AVERROR_EOF) {
            ngx_media_av_error(f->error, "filter", rc);
        }

        return NULL;
    }

    if (frame->pts != AV_NOPTS_VALUE) {
        frame->pts = av_rescale_q(frame->pts,
                                  ngx_media_av_filter_lib.time_base(f->sink),
                                  (AVRational) { 1, f->timescale });
    }

    ngx_media_av_filter_clean(f, frame);

    return frame;
}


/* what is not true any more, or would be there twice */

static void
ngx_media_av_filter_clean(ngx_media_av_filter_t *f, AVFrame *frame)
{
    ngx_uint_t  i;

    if (f->mapped) {
        av_frame_remove_side_data(frame,
                                  AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
        av_frame_remove_side_data(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
        av_frame_remove_side_data(frame, AV_FRAME_DATA_DYNAMIC_HDR_PLUS);
        av_frame_remove_side_data(frame, AV_FRAME_DATA_DOVI_METADATA);
    }

    if (!f->two) {
        return;
    }

    for (i = 0; i < ngx_min(f->n, NGX_MEDIA_AV_FILTER_SENT); i++) {
        if (f->sent[i] == frame->pts) {
            return;
        }
    }

    /* captions are the first field's */

    av_frame_remove_side_data(frame, AV_FRAME_DATA_A53_CC);
}


const u_char *
ngx_media_av_filter_error(const ngx_media_av_filter_t *f)
{
    return f->error;
}


#else /* !NGX_MEDIA_HAVE_AVFILTER */


static ngx_int_t
ngx_media_av_filter_none(u_char *error)
{
    (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                    "module was built without libavfilter: install its "
                    "headers (libavfilter-dev) and build it again");

    return NGX_DECLINED;
}


ngx_int_t
ngx_media_av_filter_load(u_char *error)
{
    return ngx_media_av_filter_none(error);
}


ngx_int_t
ngx_media_av_filter_check(const ngx_media_av_filter_conf_t *conf,
    u_char *error)
{
    return ngx_media_av_filter_none(error);
}


ngx_media_av_filter_t *
ngx_media_av_filter_open(const ngx_media_av_filter_conf_t *conf,
    const ngx_media_av_frame_t *like, u_char *error)
{
    (void) ngx_media_av_filter_none(error);

    return NULL;
}


/* there is none to call these for */

void
ngx_media_av_filter_close(ngx_media_av_filter_t *f)
{
    /* void */
}


ngx_uint_t
ngx_media_av_filter_is(const ngx_media_av_filter_t *f,
    const ngx_media_av_frame_t *frame)
{
    return 0;
}


ngx_int_t
ngx_media_av_filter_send(ngx_media_av_filter_t *f, ngx_media_av_frame_t *frame)
{
    return NGX_ERROR;
}


ngx_media_av_frame_t *
ngx_media_av_filter_picture(ngx_media_av_filter_t *f)
{
    return NULL;
}


const u_char *
ngx_media_av_filter_error(const ngx_media_av_filter_t *f)
{
    return (const u_char *) "";
}

#endif

#endif
