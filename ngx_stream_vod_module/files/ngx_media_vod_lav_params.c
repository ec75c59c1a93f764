
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "files/ngx_media_vod_lav.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_record.h"


#define NGX_MEDIA_VOD_LAV_FLAC_INFO  34
#define NGX_MEDIA_VOD_LAV_VPX_COLOR  7        /* of vpcC, in config */
#define NGX_MEDIA_VOD_LAV_UNKNOWN    2        /* ISO/IEC 23091-2 */


static ngx_int_t ngx_media_vod_lav_config(ngx_media_params_t *params,
    uint32_t codec, const AVCodecParameters *par, const AVPacket *packet);
static void ngx_media_vod_lav_picture(ngx_media_params_t *params,
    const AVStream *st);


ngx_int_t
ngx_media_vod_lav_params(ngx_media_params_t *params, const AVStream *st,
    const AVPacket *packet)
{
    uint32_t   codec;
    ngx_int_t  rc;

    codec = ngx_media_vod_lav_codec(st->codecpar->codec_id);

    switch (codec) {

    case 0:
        return NGX_DECLINED;

    case NGX_MEDIA_CODEC_AC3:
    case NGX_MEDIA_CODEC_EAC3:
    case NGX_MEDIA_CODEC_MP3:
    case NGX_MEDIA_CODEC_VP8:
    case NGX_MEDIA_CODEC_VP9:
        rc = ngx_media_vod_av_frame_params(params, codec, packet->data,
                                           packet->data + packet->size);

        if (rc != NGX_OK) {
            return NGX_DONE;
        }

        break;

    default:
        rc = ngx_media_vod_lav_config(params, codec, st->codecpar, packet);
        break;
    }

    if (rc == NGX_OK && params->type == NGX_MEDIA_VIDEO) {
        ngx_media_vod_lav_picture(params, st);
    }

    return rc;
}


static ngx_int_t
ngx_media_vod_lav_config(ngx_media_params_t *params, uint32_t codec,
    const AVCodecParameters *par, const AVPacket *packet)
{
    size_t                    size;
    u_char                    flac[8 + NGX_MEDIA_VOD_LAV_FLAC_INFO], *p;
    u_char                    record[NGX_MEDIA_CONFIG_MAX];
    const u_char             *data;
    ngx_media_span_t          config, frame;
    const ngx_media_codec_t  *entry;

    data = par->extradata;
    size = (par->extradata_size > 0) ? (size_t) par->extradata_size : 0;
    entry = ngx_media_codec_find(codec);

    switch (codec) {

    case NGX_MEDIA_CODEC_FLAC:

        /* STREAMINFO alone, as the demuxer of FLAC has it */

        if (size == NGX_MEDIA_VOD_LAV_FLAC_INFO) {
            p = ngx_media_put_be32(flac, NGX_MEDIA_CODEC_FLAC);
            p = ngx_media_put_be32(p, 0x80000000 | size);
            ngx_memcpy(p, data, size);

            data = flac;
            size = sizeof(flac);
        }

        break;

    case NGX_MEDIA_CODEC_H264:
    case NGX_MEDIA_CODEC_H265:

        /* start codes, or nothing: parameter sets are in frames */

        if (size < 7 || data[0] != 1) {
            return NGX_AGAIN;
        }

        break;

    case NGX_MEDIA_CODEC_AV1:

        if (size < 4 || data[0] != 0x81) {
            return NGX_AGAIN;
        }

        break;
    }

    if (size == 0) {
        return NGX_AGAIN;
    }

    config.pos = data;
    config.last = data + size;

    if (ngx_media_record_is_partial(codec, &config)) {
        frame.pos = packet->data;
        frame.last = packet->data + packet->size;

        if (ngx_media_record_complete(codec, &config, &frame, record, &size)
            != NGX_OK)
        {
            return NGX_DONE;
        }

        data = record;
    }

    return entry->config(params, data, data + size);
}


/* what the stream itself does not say, or has no say in */

static void
ngx_media_vod_lav_picture(ngx_media_params_t *params, const AVStream *st)
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

    if (params->codec == NGX_MEDIA_CODEC_VP8
        || params->codec == NGX_MEDIA_CODEC_VP9)
    {
        p = params->config + NGX_MEDIA_VOD_LAV_VPX_COLOR;
        p = ngx_media_put_8(p, params->primaries);
        p = ngx_media_put_8(p, params->transfer);
        ngx_media_put_8(p, params->matrix);
    }
}

#endif
