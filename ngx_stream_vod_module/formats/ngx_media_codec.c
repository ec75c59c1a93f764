
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_ac3.h"
#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flac.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_mp2.h"
#include "formats/ngx_media_mp3.h"
#include "formats/ngx_media_opus.h"
#include "formats/ngx_media_vpx.h"
#include "formats/ngx_media_wvtt.h"


static const ngx_media_codec_t  *const ngx_media_codecs[] = {
    &ngx_media_h264_codec,
    &ngx_media_h265_codec,
    &ngx_media_aac_codec,
    &ngx_media_mp3_codec,
    &ngx_media_mp2_codec,
    &ngx_media_wvtt_codec,
    &ngx_media_av1_codec,
    &ngx_media_vp8_codec,
    &ngx_media_vp9_codec,
    &ngx_media_opus_codec,
    &ngx_media_ac3_codec,
    &ngx_media_eac3_codec,
    &ngx_media_flac_codec,
    NULL
};


const ngx_media_codec_t *
ngx_media_codec_find(uint32_t id)
{
    ngx_uint_t  i;

    for (i = 0; ngx_media_codecs[i] != NULL; i++) {
        if (ngx_media_codecs[i]->id == id) {
            return ngx_media_codecs[i];
        }
    }

    return NULL;
}


const ngx_media_codec_t *
ngx_media_codec_find_live(uint32_t id)
{
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(id);

    return (codec && (codec->flags & NGX_MEDIA_IS_LIVE)) ? codec : NULL;
}


const ngx_media_codec_t *
ngx_media_codec_entry(ngx_uint_t i)
{
    if (i >= sizeof(ngx_media_codecs) / sizeof(ngx_media_codecs[0])) {
        return NULL;
    }

    return ngx_media_codecs[i];
}


ngx_int_t
ngx_media_codec_next(const ngx_media_codec_t *codec, ngx_media_span_t *data,
    ngx_media_span_t *frame)
{
    size_t  size;

    if (data->pos == data->last) {
        return NGX_DONE;
    }

    size = codec->size(data->pos, data->last);

    if (size == 0 || size > ngx_media_span_len(data)) {
        return NGX_ERROR;
    }

    frame->pos = data->pos;
    frame->last = data->pos + size;
    data->pos = frame->last;

    return NGX_OK;
}
