
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


/*
 * ProRes, MJPEG, MPEG-4 part 2, AMR: those whose decoders need no more than is
 * known here.  Of PCM QuickTime has a sample for each moment, which no index
 * is for.
 */

ngx_int_t
ngx_media_vod_index_foreign(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, uint32_t timescale)
{
    size_t                              len;
    ngx_uint_t                          i;
    enum AVCodecID                      id;
    const struct AVCodecTag            *tags[2];

    static const struct {
        uint32_t                        object;
        enum AVCodecID                  id;
    } objects[] = {                           /* registered by MP4RA */
        { 0x20, AV_CODEC_ID_MPEG4 },
        { 0x60, AV_CODEC_ID_MPEG2VIDEO },
        { 0x61, AV_CODEC_ID_MPEG2VIDEO },
        { 0x62, AV_CODEC_ID_MPEG2VIDEO },
        { 0x63, AV_CODEC_ID_MPEG2VIDEO },
        { 0x64, AV_CODEC_ID_MPEG2VIDEO },
        { 0x65, AV_CODEC_ID_MPEG2VIDEO },
        { 0x6a, AV_CODEC_ID_MPEG1VIDEO },
        { 0x6c, AV_CODEC_ID_MJPEG },
        { 0xa9, AV_CODEC_ID_DTS },
        { 0xdd, AV_CODEC_ID_VORBIS }
    };

    id = AV_CODEC_ID_NONE;

    for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        if (objects[i].object == entry->object_type) {
            id = objects[i].id;
        }
    }

    tags[0] = (entry->type == NGX_MEDIA_VIDEO) ? avformat_get_mov_video_tags()
                                               : avformat_get_mov_audio_tags();
    tags[1] = NULL;

    if (entry->object_type == 0) {
        id = av_codec_get_id(tags, __builtin_bswap32(entry->format));
    }

    len = ngx_media_span_len(&entry->config);

    if (id == AV_CODEC_ID_NONE || avcodec_find_decoder(id) == NULL
        || av_get_exact_bits_per_sample(id) || len > NGX_MEDIA_CONFIG_MAX)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_AV_FOREIGN | (uint32_t) id;
    params->type = entry->type;
    params->timescale = timescale;
    params->width = entry->width;
    params->height = entry->height;
    params->sar_num = entry->sar_num;
    params->sar_den = entry->sar_den;
    params->channels = entry->channels;
    params->sample_rate = entry->sample_rate;

    if (len) {
        ngx_memcpy(params->config, entry->config.pos, len);
        params->config_len = (uint32_t) len;
    }

    return (entry->type == NGX_MEDIA_VIDEO ? params->width && params->height
                                           : params->sample_rate)
           ? NGX_OK : NGX_DECLINED;
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
