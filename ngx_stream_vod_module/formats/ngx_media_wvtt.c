
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The codec table's entry, and the boxes of samples, ISO/IEC 14496-30, 7:
 *
 *     vttc                 one for each cue that shows
 *         vsid             names a cue that goes on in other samples
 *         iden sttg payl   identifier, settings, text
 *     vtte                 alone: nothing shows
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_wvtt.h"


/* configuration */
#define NGX_MEDIA_WVTT_HEAD  ngx_media_fourcc('v', 't', 't', 'C')


static ngx_int_t ngx_media_wvtt_codec_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_wvtt_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_wvtt_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_wvtt_entry(u_char *p,
    const ngx_media_params_t *params);


const ngx_media_codec_t  ngx_media_wvtt_codec = {
    NGX_MEDIA_CODEC_WVTT,
    NGX_MEDIA_TEXT,
    ngx_string("webvtt"),
    NGX_MEDIA_IN_ALL,
    NGX_MEDIA_IS_LIVE,
    NGX_MEDIA_UNITS_NONE,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('w', 'v', 't', 't') },
        ngx_media_fourcc('v', 't', 't', 'C'),
        { 0 },
        NULL                                  /* dovi */
    },
    { 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL },         /* ts */
    { 0, 0, 0, 0, 0, 0, NULL },               /* flv */
    ngx_media_wvtt_codec_config,
    ngx_media_wvtt_frame,
    ngx_media_wvtt_string,
    ngx_media_wvtt_entry,
    NULL,                                     /* silence */
    NULL,                                     /* still */
    NULL,                                     /* learn */
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    NULL                                      /* size */
};


static const u_char  ngx_media_wvtt_magic[] = { 'W', 'E', 'B', 'V', 'T',
                                                'T' };


static ngx_int_t
ngx_media_wvtt_codec_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    if ((size_t) (last - pos) < sizeof(ngx_media_wvtt_magic)
        || ngx_memcmp(pos, ngx_media_wvtt_magic, sizeof(ngx_media_wvtt_magic))
           != 0)
    {
        return NGX_ERROR;
    }

    if (last - pos > NGX_MEDIA_CONFIG_MAX) {
        return NGX_DECLINED;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_CODEC_WVTT;
    params->type = NGX_MEDIA_TEXT;
    params->timescale = NGX_MEDIA_WVTT_TIMESCALE;

    params->config_len = (uint32_t) (last - pos);
    ngx_memcpy(params->config, pos, params->config_len);

    return NGX_OK;
}


static ngx_int_t
ngx_media_wvtt_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    uint32_t          type;
    ngx_int_t         rc;
    ngx_media_span_t  body, in;

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->key = 1;
    info->empty = 1;

    in.pos = pos;
    in.last = last;

    for ( ;; ) {
        rc = ngx_media_wvtt_next_box(&in, &type, &body);

        if (rc != NGX_OK) {
            return rc == NGX_DONE ? NGX_OK : NGX_ERROR;
        }

        if (type == NGX_MEDIA_WVTT_VTTC) {
            info->empty = 0;
        }
    }
}


static size_t
ngx_media_wvtt_string(u_char *p, const ngx_media_params_t *params)
{
    (void) ngx_media_put_be32(p, NGX_MEDIA_CODEC_WVTT);

    return 4;
}


/* WVTTSampleEntry, ISO/IEC 14496-30, 7.4 */

static size_t
ngx_media_wvtt_entry(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 16 + 8 + params->config_len;

    if (p == NULL) {
        return n;
    }

    p = ngx_media_put_be32(p, (uint32_t) n);
    p = ngx_media_put_be32(p, NGX_MEDIA_CODEC_WVTT);
    p = ngx_media_put_be32(p, 0);
    p = ngx_media_put_be32(p, 1);             /* data_reference_index */

    p = ngx_media_put_be32(p, 8 + params->config_len);
    p = ngx_media_put_be32(p, NGX_MEDIA_WVTT_HEAD);

    ngx_memcpy(p, params->config, params->config_len);

    return n;
}


ngx_int_t
ngx_media_wvtt_next_box(ngx_media_span_t *in, uint32_t *type,
    ngx_media_span_t *body)
{
    size_t    size;

    if (in->pos == in->last) {
        return NGX_DONE;
    }

    if (ngx_media_span_len(in) < 8) {
        return NGX_ERROR;
    }

    size = ngx_media_get_be32(in->pos);

    if (size < 8 || ngx_media_span_len(in) < size) {
        return NGX_ERROR;
    }

    *type = ngx_media_get_be32(in->pos + 4);

    body->pos = in->pos + 8;
    body->last = in->pos + size;
    in->pos = body->last;

    return NGX_OK;
}
