
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The table of encoders.  Each of them makes key frames by itself, holds back
 * pictures and starts threads unless it is told not to, in its own words.
 * Which of its words do what was found out with x264, x265 and SVT-AV1; rows
 * of hardware are by documentation and reports, and have to pass the check as
 * all others (ngx_media_av_prove.c).
 *
 * key frames   no group of pictures ends by itself, and none at a change of
 *              scene; what is asked for is an IDR picture
 * no delay     no lookahead, no B-frames, nothing in flight; of x264's "tune
 *              zerolatency" not the slices: they cost quality
 * one thread   streams and rungs are what is done at the same time
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_kind.h"
#include "formats/ngx_media_codec.h"

#include <libavutil/avstring.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>

#include <limits.h>


/* bytes of the options that are a library's own */
#define NGX_MEDIA_AV_PARAMS    1024

/* of QSV and VAAPI, which have 16 bits for it */
#define NGX_MEDIA_AV_GOP_LONG  65535

/* what is taken where a ladder does not say it */
#define NGX_MEDIA_AV_PRESET    "veryfast"


static ngx_int_t ngx_media_av_encoder_given(
    const ngx_media_av_encoder_conf_t *conf, AVDictionary **options,
    u_char *params, u_char *error);
static ngx_uint_t ngx_media_av_encoder_reserved(
    const ngx_media_av_kind_t *kind, const char *name);
static ngx_uint_t ngx_media_av_encoder_listed(const char *list,
    const char *name);
static ngx_int_t ngx_media_av_encoder_given_params(
    const ngx_media_av_kind_t *kind, const char *value, u_char *error);
static ngx_int_t ngx_media_av_encoder_wanted(
    const ngx_media_av_encoder_conf_t *conf, AVDictionary **options,
    u_char *params, u_char *error);
static const char *ngx_media_av_encoder_preset(
    const ngx_media_av_encoder_conf_t *conf);
static ngx_int_t ngx_media_av_encoder_add(AVDictionary **options,
    const char *more);
static ngx_int_t ngx_media_av_encoder_params_add(u_char *params,
    const char *more);
static ngx_int_t ngx_media_av_encoder_refuse(u_char *error,
    const ngx_media_av_kind_t *kind, const char *what, const char *name);


/* x264 and x265 have these, and no others have more of them */

static const ngx_media_av_preset_t  ngx_media_av_presets_x264[] = {
    { "ultrafast", "ultrafast" },
    { "superfast", "superfast" },
    { "veryfast", "veryfast" },
    { "faster", "faster" },
    { "fast", "fast" },
    { "medium", "medium" },
    { "slow", "slow" },
    { "slower", "slower" },
    { "veryslow", "veryslow" },
    { "placebo", "placebo" },
    { NULL, NULL }
};

static const ngx_media_av_preset_t  ngx_media_av_presets_svtav1[] = {
    { "ultrafast", "12" },
    { "superfast", "11" },
    { "veryfast", "10" },
    { "faster", "9" },
    { "fast", "8" },
    { "medium", "7" },
    { "slow", "6" },
    { "slower", "5" },
    { "veryslow", "4" },
    { "placebo", "2" },
    { NULL, NULL }
};

static const ngx_media_av_preset_t  ngx_media_av_presets_nvenc[] = {
    { "ultrafast", "p1" },
    { "superfast", "p1" },
    { "veryfast", "p2" },
    { "faster", "p3" },
    { "fast", "p4" },
    { "medium", "p4" },
    { "slow", "p5" },
    { "slower", "p6" },
    { "veryslow", "p7" },
    { "placebo", "p7" },
    { NULL, NULL }
};

static const ngx_media_av_preset_t  ngx_media_av_presets_qsv[] = {
    { "ultrafast", "veryfast" },
    { "superfast", "veryfast" },
    { "placebo", "veryslow" },
    { NULL, NULL }
};


/* what is set for all of them, by other means than options */

static const char  ngx_media_av_encoder_own[] =
    "b,g,bf,s,time_base,framerate,threads,thread_type,thread_count,maxrate,"
    "minrate,bufsize,rc_init_occupancy,flags,flags2,keyint_min,pix_fmt,sar,"
    "aspect,colorspace,color_range,color_primaries,color_trc,"
    "chroma_sample_location,err_detect";

/* what would undo it, also where the table does not name it; with "no-" in
   front, too */

static const char  ngx_media_av_encoder_never[] =
    "preset,crf,cq,qp,fps,keyint,min-keyint,keyint-min,sliced-threads,"
    "intra-refresh,threads,frame-threads,lookahead-threads,force-cfr,"
    "vfr-input,x264opts,stats,pass,passes,bitrate,vbv-maxrate,vbv-bufsize,"
    "vbv-init,bframes,rc-lookahead,scenecut,open-gop,annexb,repeat-headers,"
    "aud,bluray-compat,avcintra-class,interlaced,interlace,field,tff,bff,"
    "fake-interlaced,"
    "numa-pools,hist-scenecut,gop-lookahead,fades,radl,slices,"
    "single-slice-intra-refresh,cbr,surfaces,idr_interval,look_ahead_depth,"
    "tbr,mbr,rc,pred-struct,irefresh-type,force-key-frames,lookahead,pin,"
    "fps-num,fps-denom,width,height,input-depth";


static const ngx_media_av_kind_t  ngx_media_av_kinds[] = {

    { "libx264", "x264", "a libavcodec built with libx264",
      NGX_MEDIA_CODEC_H264, AV_PIX_FMT_YUV420P, AV_PIX_FMT_NONE,
      AV_HWDEVICE_TYPE_NONE, INT_MAX,
      "forced-idr=1:sc_threshold=0:intra-refresh=0:aud=0",
      NULL,
      "x264-params",
      "scenecut=0:open-gop=0:min-keyint=1:sliced-threads=0:sync-lookahead=0:"
      "force-cfr=1:annexb=1",
      "mbtree=0", NULL, NULL,
      "preset", ngx_media_av_presets_x264, "crf", "rc-lookahead",
      0 },

    /* what it says of a wide range is among its headers, so these are in key
       frames, too */

    { "libx265", "x265", "a libavcodec built with libx265",
      NGX_MEDIA_CODEC_H265, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P10,
      AV_HWDEVICE_TYPE_NONE, INT_MAX,
      "forced-idr=1",
      NULL,
      "x265-params",
      "scenecut=0:open-gop=0:keyint=-1:min-keyint=1:intra-refresh=0:"
      "pools=none:wpp=0:pmode=0:pme=0:lookahead-slices=0:hrd=0:aud=0:"
      "repeat-headers=1:annexb=1:info=0:log-level=none",
      "b-adapt=0", NULL, NULL,
      "preset", ngx_media_av_presets_x264, "crf", "rc-lookahead",
      NGX_MEDIA_AV_THREADS|NGX_MEDIA_AV_AHEAD|NGX_MEDIA_AV_SCREEN },

    /* a low delay has a constant rate only, a variable one an end of groups */

    { "libsvtav1", "svtav1", "a libavcodec built with SVT-AV1 1.5 or newer",
      NGX_MEDIA_CODEC_AV1, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P10,
      AV_HWDEVICE_TYPE_NONE, -1,
      NULL,
      NULL,
      "svtav1-params",
      "keyint=-1:scd=0:lp=1",
      "pred-struct=1:lookahead=0", "rc=2", "rc=1:keyint=65535",
      "preset", ngx_media_av_presets_svtav1, "crf", NULL,
      NGX_MEDIA_AV_THREADS|NGX_MEDIA_AV_TARGET },

    { "h264_nvenc", "nvenc", "a GPU of NVIDIA that encodes, and its driver",
      NGX_MEDIA_CODEC_H264, AV_PIX_FMT_YUV420P, AV_PIX_FMT_NONE,
      AV_HWDEVICE_TYPE_NONE, INT_MAX,
      "forced-idr=1:no-scenecut?=1:intra-refresh?=0:delay=0:rc=vbr:aud?=0",
      "zerolatency=1",
      NULL, NULL, NULL, NULL, NULL,
      "preset", ngx_media_av_presets_nvenc, "cq", "rc-lookahead",
      NGX_MEDIA_AV_THREADS },

    { "hevc_nvenc", "nvenc", "a GPU of NVIDIA that encodes, and its driver",
      NGX_MEDIA_CODEC_H265, AV_PIX_FMT_YUV420P, AV_PIX_FMT_P010,
      AV_HWDEVICE_TYPE_NONE, INT_MAX,
      "forced-idr=1:no-scenecut?=1:intra-refresh?=0:delay=0:rc=vbr:aud?=0",
      "zerolatency=1",
      NULL, NULL, NULL, NULL, NULL,
      "preset", ngx_media_av_presets_nvenc, "cq", "rc-lookahead",
      NGX_MEDIA_AV_THREADS },

    { "av1_nvenc", "nvenc", "a GPU of NVIDIA that encodes AV1, its driver, "
      "and libavcodec 60 or newer",
      NGX_MEDIA_CODEC_AV1, AV_PIX_FMT_YUV420P, AV_PIX_FMT_P010,
      AV_HWDEVICE_TYPE_NONE, INT_MAX,
      "forced-idr=1:no-scenecut?=1:intra-refresh?=0:delay=0:rc=vbr",
      "zerolatency=1",
      NULL, NULL, NULL, NULL, NULL,
      "preset", ngx_media_av_presets_nvenc, "cq", "rc-lookahead",
      NGX_MEDIA_AV_THREADS },

    { "h264_qsv", "qsv", "a GPU of Intel, and its media driver",
      NGX_MEDIA_CODEC_H264, AV_PIX_FMT_NV12, AV_PIX_FMT_NONE,
      AV_HWDEVICE_TYPE_NONE, NGX_MEDIA_AV_GOP_LONG,
      "forced_idr=1:adaptive_i?=0:adaptive_b?=0:int_ref_type?=0:"
      "async_depth=1:look_ahead?=0:aud?=0",
      NULL,
      NULL, NULL, NULL, NULL, NULL,
      "preset", ngx_media_av_presets_qsv, NULL, NULL,
      NGX_MEDIA_AV_THREADS },

    { "hevc_qsv", "qsv", "a GPU of Intel, and its media driver",
      NGX_MEDIA_CODEC_H265, AV_PIX_FMT_NV12, AV_PIX_FMT_P010,
      AV_HWDEVICE_TYPE_NONE, NGX_MEDIA_AV_GOP_LONG,
      "forced_idr=1:adaptive_i?=0:adaptive_b?=0:int_ref_type?=0:"
      "async_depth=1:look_ahead?=0:aud?=0",
      NULL,
      NULL, NULL, NULL, NULL, NULL,
      "preset", ngx_media_av_presets_qsv, NULL, NULL,
      NGX_MEDIA_AV_THREADS },

    { "av1_qsv", "qsv", "a GPU of Intel that encodes AV1, its media driver, "
      "and libavcodec 60 or newer",
      NGX_MEDIA_CODEC_AV1, AV_PIX_FMT_NV12, AV_PIX_FMT_P010,
      AV_HWDEVICE_TYPE_NONE, NGX_MEDIA_AV_GOP_LONG,
      "forced_idr?=1:adaptive_i?=0:adaptive_b?=0:async_depth=1",
      NULL,
      NULL, NULL, NULL, NULL, NULL,
      "preset", ngx_media_av_presets_qsv, NULL, NULL,
      NGX_MEDIA_AV_THREADS },

    { "h264_vaapi", "vaapi", "a GPU with a driver of VA-API that encodes",
      NGX_MEDIA_CODEC_H264, AV_PIX_FMT_NV12, AV_PIX_FMT_NONE,
      AV_HWDEVICE_TYPE_VAAPI, NGX_MEDIA_AV_GOP_LONG,
      "idr_interval=0:async_depth?=1:aud?=0",
      NULL,
      NULL, NULL, NULL, NULL, NULL,
      NULL, NULL, NULL, NULL,
      0 },

    { "hevc_vaapi", "vaapi", "a GPU with a driver of VA-API that encodes",
      NGX_MEDIA_CODEC_H265, AV_PIX_FMT_NV12, AV_PIX_FMT_P010,
      AV_HWDEVICE_TYPE_VAAPI, NGX_MEDIA_AV_GOP_LONG,
      "idr_interval=0:async_depth?=1:aud?=0",
      NULL,
      NULL, NULL, NULL, NULL, NULL,
      NULL, NULL, NULL, NULL,
      0 },

    { "av1_vaapi", "vaapi", "a GPU with a driver of VA-API that encodes AV1, "
      "and libavcodec 61 or newer",
      NGX_MEDIA_CODEC_AV1, AV_PIX_FMT_NV12, AV_PIX_FMT_P010,
      AV_HWDEVICE_TYPE_VAAPI, NGX_MEDIA_AV_GOP_LONG,
      "idr_interval=0:async_depth?=1",
      NULL,
      NULL, NULL, NULL, NULL, NULL,
      NULL, NULL, NULL, NULL,
      0 }
};


#define NGX_MEDIA_AV_NKINDS                                                   \
    (sizeof(ngx_media_av_kinds) / sizeof(ngx_media_av_kinds[0]))


const ngx_media_av_kind_t *
ngx_media_av_encoder_find(uint32_t codec, const u_char *name, size_t len)
{
    ngx_uint_t                  i;
    const ngx_media_av_kind_t  *kind;

    for (i = 0; i < NGX_MEDIA_AV_NKINDS; i++) {
        kind = &ngx_media_av_kinds[i];

        if (kind->codec != codec) {
            continue;
        }

        if ((ngx_strlen(kind->brief) == len
             && ngx_memcmp(kind->brief, name, len) == 0)
            || (ngx_strlen(kind->name) == len
                && ngx_memcmp(kind->name, name, len) == 0))
        {
            return kind;
        }
    }

    return NULL;
}


const ngx_media_av_kind_t *
ngx_media_av_encoder_entry(ngx_uint_t i)
{
    return (i < NGX_MEDIA_AV_NKINDS) ? &ngx_media_av_kinds[i] : NULL;
}


const char *
ngx_media_av_encoder_name(const ngx_media_av_kind_t *kind)
{
    return kind->name;
}


const char *
ngx_media_av_encoder_brief(const ngx_media_av_kind_t *kind)
{
    return kind->brief;
}


uint32_t
ngx_media_av_encoder_codec(const ngx_media_av_kind_t *kind)
{
    return kind->codec;
}


ngx_uint_t
ngx_media_av_encoder_bit(const ngx_media_av_kind_t *kind)
{
    return (ngx_uint_t) 1 << (kind - ngx_media_av_kinds);
}


const char *
ngx_media_av_encoder_needs(const ngx_media_av_kind_t *kind)
{
    return kind->needs;
}


ngx_uint_t
ngx_media_av_encoder_has_threads(const ngx_media_av_kind_t *kind)
{
    return (kind->flags & NGX_MEDIA_AV_THREADS) != 0;
}


ngx_uint_t
ngx_media_av_encoder_known(const ngx_media_av_kind_t *kind)
{
    return avcodec_find_encoder_by_name(kind->name) != NULL;
}


ngx_int_t
ngx_media_av_encoder_check(const ngx_media_av_encoder_conf_t *conf,
    u_char *error)
{
    ngx_int_t                   rc;
    const AVCodec              *codec;
    AVCodecContext             *ctx;
    const ngx_media_av_kind_t  *kind;

    ngx_media_av_init();

    kind = conf->kind;

    codec = avcodec_find_encoder_by_name(kind->name);

    if (codec == NULL) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "encoder \"%s\" is not there, it needs %s",
                        kind->name, kind->needs);
        return NGX_DECLINED;
    }

    if (conf->bit_depth > 8 && kind->deep == AV_PIX_FMT_NONE) {
        return ngx_media_av_encoder_refuse(error, kind, "10 bits", NULL);
    }

    if (conf->lookahead && kind->lookahead == NULL) {
        return ngx_media_av_encoder_refuse(error, kind, "lookahead", NULL);
    }

    if (conf->crf && kind->crf == NULL) {
        return ngx_media_av_encoder_refuse(error, kind, "crf", NULL);
    }

    ctx = avcodec_alloc_context3(codec);

    if (ctx == NULL) {
        ngx_media_av_error(error, kind->name, AVERROR(ENOMEM));
        return NGX_ERROR;
    }

    rc = ngx_media_av_encoder_set(ctx, conf, error);

    avcodec_free_context(&ctx);

    return rc;
}


ngx_int_t
ngx_media_av_encoder_set(AVCodecContext *ctx,
    const ngx_media_av_encoder_conf_t *conf, u_char *error)
{
    int                 rc;
    char               *name;
    size_t              len;
    ngx_int_t           rv;
    ngx_uint_t          optional;
    AVDictionary       *options;
    AVDictionaryEntry  *entry;

    options = NULL;
    entry = NULL;

    rv = ngx_media_av_encoder_options(conf, &options, error);

    while (rv == NGX_OK) {
        entry = av_dict_get(options, "", entry, AV_DICT_IGNORE_SUFFIX);

        if (entry == NULL) {
            break;
        }

        name = entry->key;
        len = ngx_strlen(name);
        optional = (len && name[len - 1] == '?');

        if (optional) {
            name[len - 1] = '\0';
        }

        rc = av_opt_set(ctx, name, entry->value, AV_OPT_SEARCH_CHILDREN);

        if (rc == AVERROR_OPTION_NOT_FOUND && optional) {
            continue;
        }

        if (rc == AVERROR_OPTION_NOT_FOUND) {
            rv = ngx_media_av_encoder_refuse(error, conf->kind, "option",
                                             name);

        } else if (rc < 0) {
            (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                            "encoder \"%s\" does not take %s=%.48s",
                            conf->kind->name, name, entry->value);
            rv = NGX_ERROR;
        }
    }

    av_dict_free(&options);

    return rv;
}


ngx_int_t
ngx_media_av_encoder_options(const ngx_media_av_encoder_conf_t *conf,
    AVDictionary **options, u_char *error)
{
    u_char                      params[NGX_MEDIA_AV_PARAMS];
    ngx_uint_t                  now;
    const ngx_media_av_kind_t  *kind;

    kind = conf->kind;
    params[0] = '\0';

    if (ngx_media_av_encoder_given(conf, options, params, error) != NGX_OK
        || ngx_media_av_encoder_wanted(conf, options, params, error)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* what is said last counts */

    now = !conf->file && conf->bframes == 0 && conf->lookahead == 0;

    if (ngx_media_av_encoder_params_add(params, kind->always) != NGX_OK
        || (now && ngx_media_av_encoder_params_add(params, kind->now)
                   != NGX_OK)
        || (!conf->crf
            && ngx_media_av_encoder_params_add(params,
                                               now ? kind->rated
                                                   : kind->later)
               != NGX_OK)
        || ngx_media_av_encoder_add(options, kind->options) != NGX_OK
        || (now && ngx_media_av_encoder_add(options, kind->live) != NGX_OK)
        || (kind->params
            && av_dict_set(options, kind->params, (char *) params, 0) < 0))
    {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "options of encoder \"%s\" are too long", kind->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* those of a ladder */

static ngx_int_t
ngx_media_av_encoder_given(const ngx_media_av_encoder_conf_t *conf,
    AVDictionary **options, u_char *params, u_char *error)
{
    AVDictionaryEntry          *entry;
    const ngx_media_av_kind_t  *kind;

    kind = conf->kind;

    if (conf->options == NULL) {
        return NGX_OK;
    }

    if (av_dict_parse_string(options, conf->options, "=", ":", 0) < 0) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "options are no NAME=VALUE:...");
        return NGX_ERROR;
    }

    entry = NULL;

    for ( ;; ) {
        entry = av_dict_get(*options, "", entry, AV_DICT_IGNORE_SUFFIX);

        if (entry == NULL) {
            return NGX_OK;
        }

        if (kind->params && ngx_strcmp(entry->key, kind->params) == 0) {

            if (ngx_media_av_encoder_given_params(kind, entry->value, error)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            if (ngx_media_av_encoder_params_add(params, entry->value)
                != NGX_OK)
            {
                return ngx_media_av_encoder_refuse(error, kind,
                                                   "so many options in",
                                                   entry->key);
            }

            continue;
        }

        if (ngx_media_av_encoder_reserved(kind, entry->key)) {
            return ngx_media_av_encoder_refuse(error, kind, "option",
                                               entry->key);
        }
    }
}


/* the library's own */

static ngx_int_t
ngx_media_av_encoder_given_params(const ngx_media_av_kind_t *kind,
    const char *value, u_char *error)
{
    char               *p;
    ngx_int_t           rc;
    AVDictionary       *params;
    AVDictionaryEntry  *entry;

    params = NULL;
    entry = NULL;
    rc = NGX_OK;

    if (av_dict_parse_string(&params, value, "=", ":", 0) < 0) {
        rc = ngx_media_av_encoder_refuse(error, kind, "such", kind->params);
    }

    while (rc == NGX_OK) {
        entry = av_dict_get(params, "", entry, AV_DICT_IGNORE_SUFFIX);

        if (entry == NULL) {
            break;
        }

        /* x264 and x265 take both */

        for (p = entry->key; *p; p++) {
            *p = (*p == '_') ? '-' : *p;
        }

        if (ngx_media_av_encoder_reserved(kind, entry->key)) {
            rc = ngx_media_av_encoder_refuse(error, kind, "option",
                                             entry->key);
        }
    }

    av_dict_free(&params);

    return rc;
}


/* the table sets it, or it would undo what that does */

static ngx_uint_t
ngx_media_av_encoder_reserved(const ngx_media_av_kind_t *kind,
    const char *name)
{
    if (ngx_strncmp(name, "no-", 3) == 0
        && av_match_list(name + 3, ngx_media_av_encoder_never, ','))
    {
        return 1;
    }

    return av_match_list(name, ngx_media_av_encoder_own, ',')
           || av_match_list(name, ngx_media_av_encoder_never, ',')
           || ngx_media_av_encoder_listed(kind->options, name)
           || ngx_media_av_encoder_listed(kind->live, name)
           || ngx_media_av_encoder_listed(kind->always, name)
           || ngx_media_av_encoder_listed(kind->now, name)
           || ngx_media_av_encoder_listed(kind->rated, name)
           || ngx_media_av_encoder_listed(kind->later, name);
}


/* names of "NAME=VALUE:NAME?=VALUE" */

static ngx_uint_t
ngx_media_av_encoder_listed(const char *list, const char *name)
{
    size_t       len, n;
    const char  *p;

    len = ngx_strlen(name);

    for (p = list; p != NULL; p = ngx_strchr(p, ':')) {
        p += (*p == ':');
        n = strcspn(p, "?=:");

        if (n == len && ngx_memcmp(p, name, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_media_av_encoder_wanted(const ngx_media_av_encoder_conf_t *conf,
    AVDictionary **options, u_char *params, u_char *error)
{
    int                         rc;
    char                        text[64];
    ngx_uint_t                  ahead;
    const char                 *preset;
    const ngx_media_av_kind_t  *kind;

    kind = conf->kind;
    rc = 0;

    if (kind->preset) {
        preset = ngx_media_av_encoder_preset(conf);

        if (preset == NULL) {
            return ngx_media_av_encoder_refuse(error, kind, "preset",
                                               conf->preset);
        }

        rc |= av_dict_set(options, kind->preset, preset, 0);
    }

    if (conf->crf) {
        (void) snprintf(text, sizeof(text), "%u.%u", conf->crf / 10,
                        conf->crf % 10);

        rc |= av_dict_set(options, kind->crf, text, 0);
    }

    ahead = conf->lookahead;

    if ((kind->flags & NGX_MEDIA_AV_AHEAD) && conf->bframes) {
        ahead = ngx_max(ahead, conf->bframes + 1);
    }

    if (kind->lookahead && kind->params) {
        (void) snprintf(text, sizeof(text), "%s=%u", kind->lookahead,
                        (unsigned) ahead);

        rc |= (int) ngx_media_av_encoder_params_add(params, text);

    } else if (kind->lookahead) {
        rc |= av_dict_set_int(options, kind->lookahead, (int64_t) ahead, 0);
    }

    if (rc < 0) {
        ngx_media_av_error(error, kind->name, AVERROR(ENOMEM));
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* NULL: it has none of that name */

static const char *
ngx_media_av_encoder_preset(const ngx_media_av_encoder_conf_t *conf)
{
    const char                   *name;
    const ngx_media_av_preset_t  *preset;

    name = conf->preset ? conf->preset : NGX_MEDIA_AV_PRESET;

    for (preset = conf->kind->presets; preset->name; preset++) {
        if (ngx_strcmp(preset->name, name) == 0) {
            return preset->value;
        }
    }

    /* in its own words, which are seen when they are set; x264 and x265 have
       no others, and do not say so before they are opened */

    return (conf->kind->presets == ngx_media_av_presets_x264) ? NULL : name;
}


/* NULL: nothing, of both */

static ngx_int_t
ngx_media_av_encoder_add(AVDictionary **options, const char *more)
{
    if (more == NULL) {
        return NGX_OK;
    }

    return av_dict_parse_string(options, more, "=", ":", 0) < 0 ? NGX_ERROR
                                                               : NGX_OK;
}


static ngx_int_t
ngx_media_av_encoder_params_add(u_char *params, const char *more)
{
    size_t  len, n;

    if (more == NULL) {
        return NGX_OK;
    }

    len = ngx_strlen(params);
    n = ngx_strlen(more);

    if (n + 2 > NGX_MEDIA_AV_PARAMS - len) {
        return NGX_ERROR;
    }

    if (len) {
        params[len++] = ':';
    }

    ngx_memcpy(params + len, more, n + 1);

    return NGX_OK;
}


static ngx_int_t
ngx_media_av_encoder_refuse(u_char *error, const ngx_media_av_kind_t *kind,
    const char *what, const char *name)
{
    (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                    "encoder \"%s\" takes no %s%s%.48s%s", kind->name, what,
                    name ? " \"" : "", name ? name : "", name ? "\"" : "");

    return NGX_ERROR;
}

#endif
