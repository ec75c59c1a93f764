
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "files/ngx_media_vod_lav.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_record.h"


/* the record of VP8 and VP9, and where colors are in it */
#define NGX_MEDIA_VOD_LAV_VPCC       ngx_media_fourcc('v', 'p', 'c', 'C')
#define NGX_MEDIA_VOD_LAV_VPX_COLOR  7

#define NGX_MEDIA_VOD_LAV_UNKNOWN    2        /* ISO/IEC 23091-2 */


static ngx_int_t ngx_media_vod_lav_config(ngx_media_params_t *params,
    const ngx_media_codec_t *codec, const AVCodecParameters *par,
    const AVPacket *packet);
static void ngx_media_vod_lav_picture(ngx_media_params_t *params,
    const ngx_media_codec_t *codec, const AVStream *st);


ngx_int_t
ngx_media_vod_lav_params(ngx_media_params_t *params, const AVStream *st,
    const AVPacket *packet)
{
    ngx_int_t                 rc;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(
                          ngx_media_av_codec(st->codecpar->codec_id));

    if (codec == NULL) {
        return NGX_DECLINED;
    }

    if (codec->learn) {
        rc = codec->learn(params, packet->data, packet->data + packet->size);

        if (rc != NGX_OK) {
            return NGX_DONE;
        }

    } else {
        rc = ngx_media_vod_lav_config(params, codec, st->codecpar, packet);
    }

    if (rc == NGX_OK && params->type == NGX_MEDIA_VIDEO) {
        ngx_media_vod_lav_picture(params, codec, st);
    }

    return rc;
}


static ngx_int_t
ngx_media_vod_lav_config(ngx_media_params_t *params,
    const ngx_media_codec_t *codec, const AVCodecParameters *par,
    const AVPacket *packet)
{
    size_t            size;
    u_char            record[NGX_MEDIA_CONFIG_MAX];
    const u_char     *data;
    ngx_media_span_t  config, frame;

    data = par->extradata;
    size = (par->extradata_size > 0) ? (size_t) par->extradata_size : 0;

    config.pos = data;
    config.last = size ? data + size : data;

    /* start codes, or nothing: parameter sets are in frames */

    if (!ngx_media_record_is(codec->units, &config)) {
        return NGX_AGAIN;
    }

    if (ngx_media_record_is_partial(codec->units, &config)) {
        frame.pos = packet->data;
        frame.last = packet->data + packet->size;

        if (ngx_media_record_complete(codec->units, &config, &frame, record,
                                      &size)
            != NGX_OK)
        {
            return NGX_DONE;
        }

        data = record;
    }

    return codec->config(params, data, data + size);
}


ngx_int_t
ngx_media_vod_lav_foreign(ngx_media_params_t *params, const AVStream *st)
{
    const AVCodecParameters  *par;

    par = st->codecpar;

    if (avcodec_find_decoder(par->codec_id) == NULL
        || (uint32_t) par->codec_id >= ~NGX_MEDIA_AV_FOREIGN
        || par->extradata_size < 0
        || par->extradata_size > NGX_MEDIA_CONFIG_MAX)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_AV_FOREIGN | (uint32_t) par->codec_id;

    if (par->codec_type == AVMEDIA_TYPE_VIDEO && par->width > 0
        && par->height > 0
        && !(st->disposition & AV_DISPOSITION_ATTACHED_PIC))
    {
        params->type = NGX_MEDIA_VIDEO;
        params->timescale = NGX_MEDIA_VIDEO_TIMESCALE;
        params->width = (uint32_t) par->width;
        params->height = (uint32_t) par->height;

        if (st->sample_aspect_ratio.num > 0 && st->sample_aspect_ratio.den > 0)
        {
            params->sar_num = (uint32_t) st->sample_aspect_ratio.num;
            params->sar_den = (uint32_t) st->sample_aspect_ratio.den;
        }

    } else if (par->codec_type == AVMEDIA_TYPE_AUDIO && par->sample_rate > 0) {
        params->type = NGX_MEDIA_AUDIO;
        params->timescale = (uint32_t) par->sample_rate;
        params->sample_rate = (uint32_t) par->sample_rate;
        params->channels = (uint32_t) par->ch_layout.nb_channels;

    } else {
        return NGX_DECLINED;
    }

    if (par->extradata_size) {
        ngx_memcpy(params->config, par->extradata,
                   (size_t) par->extradata_size);
        params->config_len = (uint32_t) par->extradata_size;
    }

    return NGX_OK;
}


/* what the stream itself does not say, or has no say in */

static void
ngx_media_vod_lav_picture(ngx_media_params_t *params,
    const ngx_media_codec_t *codec, const AVStream *st)
{
    u_char                   *p;
    AVRational                sar;
    const AVCodecParameters  *par;

    par = st->codecpar;

    if (params->width == 0 && par->width > 0 && par->height > 0) {
        params->width = (uint32_t) par->width;
        params->height = (uint32_t) par->height;
    }

    /* what the container says of the shape wins, not what a decoder would */

    sar = st->sample_aspect_ratio;

    if (sar.num <= 0 && params->sar_num == 0) {
        sar = par->sample_aspect_ratio;
    }

    if (sar.num > 0 && sar.den > 0) {
        params->sar_num = (uint32_t) sar.num;
        params->sar_den = (uint32_t) sar.den;
    }

    if ((params->primaries != 0
         && params->primaries != NGX_MEDIA_VOD_LAV_UNKNOWN)
        || par->color_primaries == AVCOL_PRI_UNSPECIFIED
        || par->color_primaries > 255 || par->color_trc > 255
        || par->color_space > 255)
    {
        return;
    }

    params->primaries = (uint8_t) par->color_primaries;
    params->transfer = (uint8_t) par->color_trc;
    params->matrix = (uint8_t) par->color_space;

    if (codec->mp4.record == NGX_MEDIA_VOD_LAV_VPCC) {
        p = params->config + NGX_MEDIA_VOD_LAV_VPX_COLOR;
        p = ngx_media_put_8(p, params->primaries);
        p = ngx_media_put_8(p, params->transfer);
        ngx_media_put_8(p, params->matrix);
    }
}

#endif
