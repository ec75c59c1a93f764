
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "av/ngx_media_av.h"
#include "files/ngx_media_vod_params.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_wvtt.h"


static ngx_uint_t ngx_media_vod_params_served(
    const ngx_media_params_t *params);


ngx_uint_t
ngx_media_vod_served(const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *track)
{
    if (track->type == NGX_MEDIA_TEXT) {
        return track->nparams != 0;
    }

    return ngx_media_vod_params(file, track, 0) != NULL;
}


const ngx_media_params_t *
ngx_media_vod_params(const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *track, uint32_t description)
{
    void                      *all;
    uint32_t                   i;
    const ngx_media_params_t  *params;

    if (track->sidecar || description > track->nparams) {
        return NULL;
    }

    all = ngx_media_vod_at(file, track->params);

    if (description) {
        params = ngx_media_params_at(all, track->params_size, description - 1);

        return ngx_media_vod_params_served(params) ? params : NULL;
    }

    for (i = 0; i < track->nparams; i++) {
        params = ngx_media_params_at(all, track->params_size, i);

        if (ngx_media_vod_params_served(params)) {
            return params;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_media_vod_is_foreign(const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *track)
{
    return track->type != NGX_MEDIA_TEXT
           && ngx_media_vod_params(file, track, 0) == NULL
           && ngx_media_vod_params_any(file, track, 0) != NULL;
}


const ngx_media_params_t *
ngx_media_vod_params_any(const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *track, uint32_t description)
{
    uint32_t                   i;
    const ngx_media_params_t  *params;

    params = ngx_media_vod_params(file, track, description);

    if (params || track->sidecar || description > track->nparams) {
        return params;
    }

    for (i = description ? description - 1 : 0; i < track->nparams; i++) {
        params = ngx_media_params_at(ngx_media_vod_at(file, track->params),
                                     track->params_size, i);

        if (ngx_media_av_is_foreign(params->codec) && params->timescale) {
            return params;
        }

        if (description) {
            break;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_media_vod_params_served(const ngx_media_params_t *params)
{
    return params->codec && params->timescale
           && ngx_media_codec_find(params->codec) != NULL;
}


uint32_t
ngx_media_vod_delay(const ngx_media_index_t *index)
{
    int64_t  delay;

    delay = index->delay - index->min_cto;

    return (delay > 0 && delay <= INT32_MAX) ? (uint32_t) delay : 0;
}


void
ngx_media_vod_text_params(ngx_media_params_t *params)
{
    static const u_char  head[] = "WEBVTT";

    ngx_memzero(params, sizeof(ngx_media_params_t));

    (void) ngx_media_wvtt_codec.config(params, head, head + 6);

    params->type = NGX_MEDIA_TEXT;
    params->codec = ngx_media_wvtt_codec.id;
    params->timescale = NGX_MEDIA_WVTT_TIMESCALE;
}
