
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What frames say where containers do not: parameters, how long they are, and
 * where they end.
 */


#include "files/ngx_media_vod_av.h"


ngx_int_t
ngx_media_vod_av_frame_params(ngx_media_params_t *params, uint32_t codec,
    const u_char *pos, const u_char *last)
{
    const ngx_media_codec_t  *entry;

    entry = ngx_media_codec_find(codec);

    if (entry == NULL || entry->learn == NULL) {
        return NGX_DECLINED;
    }

    return entry->learn(params, pos, last);
}


uint32_t
ngx_media_vod_av_frame_samples(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last)
{
    const ngx_media_codec_t  *entry;

    entry = ngx_media_codec_find(params->codec);

    if (entry == NULL || entry->samples == NULL) {
        return params->frame_samples;
    }

    return entry->samples(pos, last);
}


size_t
ngx_media_vod_av_frame_size(uint32_t codec, const u_char *pos,
    const u_char *last)
{
    size_t                    len, size;
    const ngx_media_codec_t  *entry;

    entry = ngx_media_codec_find(codec);

    if (entry == NULL || entry->size == NULL) {
        return last - pos;
    }

    len = 0;

    while (len < (size_t) (last - pos)) {
        size = entry->size(pos + len, last);

        if (size == 0 || size > (size_t) (last - pos) - len) {
            break;
        }

        len += size;
    }

    return len;
}
