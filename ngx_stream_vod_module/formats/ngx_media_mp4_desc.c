
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_desc.h"


#define NGX_MEDIA_MP4_DESC_ES       3
#define NGX_MEDIA_MP4_DESC_DECODER  4
#define NGX_MEDIA_MP4_DESC_INFO     5
#define NGX_MEDIA_MP4_DESC_SL       6

#define NGX_MEDIA_MP4_AUDIO_ENTRY   (8 + 8 + 20)


static void ngx_media_mp4_write_sound(u_char *p,
    const ngx_media_params_t *params, uint32_t type, size_t n);
static size_t ngx_media_mp4_write_config(u_char *p,
    const ngx_media_params_t *params, uint32_t type);
static size_t ngx_media_mp4_write_colr(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_pasp(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_esds(u_char *p,
    const ngx_media_params_t *params, ngx_uint_t oti, size_t len);
static size_t ngx_media_mp4_write_desc(u_char *p, ngx_uint_t tag, size_t len);


/* VisualSampleEntry, ISO/IEC 14496-12, 12.1.3 */

size_t
ngx_media_mp4_write_visual(u_char *p, const ngx_media_params_t *params,
    uint32_t type, uint32_t config)
{
    size_t  n;

    n = 8 + 8 + 70;
    n += ngx_media_mp4_write_config(ngx_media_mp4_at(p, n), params, config);
    n += ngx_media_mp4_write_colr(ngx_media_mp4_at(p, n), params);
    n += ngx_media_mp4_write_pasp(ngx_media_mp4_at(p, n), params);

    if (p == NULL) {
        return n;
    }

    ngx_memzero(p, 8 + 8 + 70);

    p = ngx_media_put_be32(p, n);
    p = ngx_media_put_be32(p, type);
    p = ngx_media_put_be16(p + 6, 1);         /* data_reference_index */
    p = ngx_media_put_be16(p + 16, params->width);
    p = ngx_media_put_be16(p, params->height);
    p = ngx_media_put_be32(p, 0x00480000);    /* 72 dpi */
    p = ngx_media_put_be32(p, 0x00480000);
    p = ngx_media_put_be16(p + 4, 1);         /* frame_count */
    p = ngx_media_put_be16(p + 32, 0x0018);   /* depth */
    ngx_media_put_be16(p, 0xffff);

    return n;
}


static size_t
ngx_media_mp4_write_config(u_char *p, const ngx_media_params_t *params,
    uint32_t type)
{
    size_t  n;

    n = 8 + params->config_len;

    if (p != NULL) {
        p = ngx_media_put_be32(p, n);
        p = ngx_media_put_be32(p, type);
        ngx_memcpy(p, params->config, params->config_len);
    }

    return n;
}


/* ISO/IEC 14496-12, 12.1.5; absent where the stream says nothing */

static size_t
ngx_media_mp4_write_colr(u_char *p, const ngx_media_params_t *params)
{
    if (params->primaries == 0
        || (params->primaries == 2 && params->transfer == 2
            && params->matrix == 2 && !params->full_range))
    {
        return 0;
    }

    if (p != NULL) {
        p = ngx_media_put_be32(p, 19);
        p = ngx_media_put_be32(p, ngx_media_fourcc('c', 'o', 'l', 'r'));
        p = ngx_media_put_be32(p, ngx_media_fourcc('n', 'c', 'l', 'x'));
        p = ngx_media_put_be16(p, params->primaries);
        p = ngx_media_put_be16(p, params->transfer);
        p = ngx_media_put_be16(p, params->matrix);
        ngx_media_put_8(p, params->full_range ? 0x80 : 0);
    }

    return 19;
}


/* ISO/IEC 14496-12, 12.1.4 */

static size_t
ngx_media_mp4_write_pasp(u_char *p, const ngx_media_params_t *params)
{
    if (params->sar_num == 0 || params->sar_den == 0) {
        return 0;
    }

    if (p != NULL) {
        p = ngx_media_put_be32(p, 16);
        p = ngx_media_put_be32(p, ngx_media_fourcc('p', 'a', 's', 'p'));
        p = ngx_media_put_be32(p, params->sar_num);
        ngx_media_put_be32(p, params->sar_den);
    }

    return 16;
}


size_t
ngx_media_mp4_write_mp4a(u_char *p, const ngx_media_params_t *params,
    ngx_uint_t oti, size_t len)
{
    size_t  n;

    n = NGX_MEDIA_MP4_AUDIO_ENTRY;
    n += ngx_media_mp4_write_esds(ngx_media_mp4_at(p, n), params, oti, len);

    if (p != NULL) {
        ngx_media_mp4_write_sound(p, params,
                                  ngx_media_fourcc('m', 'p', '4', 'a'), n);
    }

    return n;
}


size_t
ngx_media_mp4_write_audio(u_char *p, const ngx_media_params_t *params,
    uint32_t type, uint32_t config)
{
    size_t  n;

    n = NGX_MEDIA_MP4_AUDIO_ENTRY;
    n += ngx_media_mp4_write_config(ngx_media_mp4_at(p, n), params, config);

    if (p != NULL) {
        ngx_media_mp4_write_sound(p, params, type, n);
    }

    return n;
}


/* AudioSampleEntry, ISO/IEC 14496-12, 12.2.3, version 0 */

static void
ngx_media_mp4_write_sound(u_char *p, const ngx_media_params_t *params,
    uint32_t type, size_t n)
{
    uint32_t  rate;

    /* 16.16; what does not fit is told by the decoder configuration only */

    rate = (params->sample_rate > 0xffff) ? 0 : params->sample_rate;

    ngx_memzero(p, NGX_MEDIA_MP4_AUDIO_ENTRY);

    p = ngx_media_put_be32(p, n);
    p = ngx_media_put_be32(p, type);
    p = ngx_media_put_be16(p + 6, 1);         /* data_reference_index */
    p = ngx_media_put_be16(p + 8, params->channels);
    p = ngx_media_put_be16(p, 16);            /* samplesize */
    ngx_media_put_be32(p + 4, rate << 16);
}


/* ISO/IEC 14496-14, 6.7.2; the descriptors: 14496-1, 7.2.6.5 to 7.2.6.8 */

static size_t
ngx_media_mp4_write_esds(u_char *p, const ngx_media_params_t *params,
    ngx_uint_t oti, size_t len)
{
    size_t  n, es, decoder;

    decoder = 13;

    if (len) {
        decoder += ngx_media_mp4_write_desc(NULL, 0, len) + len;
    }

    es = 3 + ngx_media_mp4_write_desc(NULL, 0, decoder) + decoder
         + ngx_media_mp4_write_desc(NULL, 0, 1) + 1;

    n = 12 + ngx_media_mp4_write_desc(NULL, 0, es) + es;

    if (p == NULL) {
        return n;
    }

    p = ngx_media_put_be32(p, n);
    p = ngx_media_put_be32(p, ngx_media_fourcc('e', 's', 'd', 's'));
    p = ngx_media_put_be32(p, 0);

    p += ngx_media_mp4_write_desc(p, NGX_MEDIA_MP4_DESC_ES, es);
    p = ngx_media_put_be24(p, 0);             /* ES_ID, flags */

    p += ngx_media_mp4_write_desc(p, NGX_MEDIA_MP4_DESC_DECODER, decoder);
    p = ngx_media_put_8(p, oti);
    p = ngx_media_put_8(p, 0x15);             /* AudioStream */
    p = ngx_media_put_be24(p, 0);             /* bufferSizeDB */
    p = ngx_media_put_be64(p, 0);             /* maxBitrate, avgBitrate */

    if (len) {
        p += ngx_media_mp4_write_desc(p, NGX_MEDIA_MP4_DESC_INFO, len);
        p = ngx_cpymem(p, params->config, len);
    }

    p += ngx_media_mp4_write_desc(p, NGX_MEDIA_MP4_DESC_SL, 1);
    ngx_media_put_8(p, 2);                    /* predefined: MP4 file */

    return n;
}


/* tag and expandable size, ISO/IEC 14496-1, 8.3.3 */

static size_t
ngx_media_mp4_write_desc(u_char *p, ngx_uint_t tag, size_t len)
{
    size_t      n;
    ngx_uint_t  shift;

    n = 1;
    shift = 0;

    while (len >> shift > 0x7f) {
        shift += 7;
    }

    if (p != NULL) {
        p[0] = (u_char) tag;
    }

    for ( ;; ) {

        if (p != NULL) {
            p[n] = (u_char) ((len >> shift & 0x7f) | (shift ? 0x80 : 0));
        }

        n++;

        if (shift == 0) {
            return n;
        }

        shift -= 7;
    }
}
