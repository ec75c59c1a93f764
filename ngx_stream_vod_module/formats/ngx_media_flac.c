
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * FLAC in ISO BMFF, its encapsulation document, 3.3.2: dfLa.  The native form,
 * "fLaC" and metadata blocks (RFC 9639, 8), is taken, too, and STREAMINFO alone
 * as ffmpeg has it in FLV: its first four bytes, which are block sizes, are
 * neither zero nor "fLaC".  Of the blocks only STREAMINFO is kept.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_crc.h"
#include "formats/ngx_media_flac.h"
#include "formats/ngx_media_mp4_desc.h"


#define NGX_MEDIA_FLAC_INFO  34

/* of dfLa, before its blocks: version and flags */
#define NGX_MEDIA_FLAC_FLAGS  4

/* where STREAMINFO is in dfLa */
#define NGX_MEDIA_FLAC_AT    8


static ngx_int_t ngx_media_flac_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_flac_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_flac_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_flac_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_flac_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence);
static uint32_t ngx_media_flac_samples(const u_char *pos, const u_char *last);
static size_t ngx_media_flac_head(u_char *p,
    const ngx_media_params_t *params);


const ngx_media_codec_t  ngx_media_flac_codec = {
    NGX_MEDIA_CODEC_FLAC,
    NGX_MEDIA_AUDIO,
    ngx_string("flac"),
    NGX_MEDIA_IN_CMAF,
    0,                                        /* flags */
    NGX_MEDIA_UNITS_NONE,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('f', 'L', 'a', 'C') },
        ngx_media_fourcc('d', 'f', 'L', 'a'),
        { 0 },
        NULL                                  /* dovi */
    },
    { 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL },         /* ts */
    { NGX_MEDIA_CODEC_FLAC, 0, 0, 0, 0, 1, ngx_media_flac_head },
    ngx_media_flac_config,
    ngx_media_flac_frame,
    ngx_media_flac_string,
    ngx_media_flac_entry,
    ngx_media_flac_silence,
    NULL,                                     /* still */
    NULL,                                     /* learn */
    NULL,                                     /* assume */
    ngx_media_flac_samples,
    NULL                                      /* size */
};


/* RFC 9639, 9.1.3, as ISO/IEC 23091-3 has them */

static const uint8_t  ngx_media_flac_layouts[] = {
    0, 1, 2, 3, 10, 5, 6, 11, 12
};


static ngx_int_t
ngx_media_flac_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    u_char              *p;
    uint32_t             head, max, rate, start;
    const u_char        *info;
    ngx_media_reader_t   r;

    ngx_media_reader_init(&r, pos, last);

    start = ngx_media_read_be32(&r);          /* or version and flags */

    if (start == 0 || start == NGX_MEDIA_CODEC_FLAC) {
        head = ngx_media_read_be32(&r);

    } else {
        ngx_media_reader_init(&r, pos, last);
        head = (uint32_t) ngx_media_reader_left(&r);
    }

    info = ngx_media_read_bytes(&r, NGX_MEDIA_FLAC_INFO);

    if (r.err || (head & 0x7fffffff) != NGX_MEDIA_FLAC_INFO) {
        return NGX_ERROR;
    }

    max = ngx_media_get_be16(info + 2);
    rate = ngx_media_get_be24(info + 10) >> 4;

    if (max < 16 || rate == 0) {
        return NGX_ERROR;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_CODEC_FLAC;
    params->type = NGX_MEDIA_AUDIO;
    params->timescale = rate;
    params->sample_rate = rate;
    params->channels = (info[12] >> 1 & 7) + 1;
    params->channel_config = ngx_media_flac_layouts[params->channels];
    params->frame_samples = max;
    params->bit_depth = ((info[12] & 1) << 4 | info[13] >> 4) + 1;

    p = params->config;
    p = ngx_media_put_be32(p, 0);
    p = ngx_media_put_be32(p, 0x80000000 | NGX_MEDIA_FLAC_INFO);
    p = ngx_cpymem(p, info, NGX_MEDIA_FLAC_INFO);

    params->config_len = p - params->config;

    return NGX_OK;
}


/* RFC 9639, 9.1.1 */

static ngx_int_t
ngx_media_flac_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->key = 1;

    if (pos == last) {
        info->empty = 1;
        return NGX_OK;
    }

    if (last - pos < 2 || pos[0] != 0xff || (pos[1] & 0xfe) != 0xf8) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static size_t
ngx_media_flac_string(u_char *p, const ngx_media_params_t *params)
{
    if (p != NULL) {
        ngx_memcpy(p, "flac", 4);
    }

    return 4;
}


static size_t
ngx_media_flac_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_audio(p, params, NGX_MEDIA_CODEC_FLAC,
                                     ngx_media_fourcc('d', 'f', 'L', 'a'));
}


/*
 * RFC 9639, 9.1, 9.2: a frame as long as the longest of the stream, rate and
 * sample size "as in STREAMINFO", and for each channel a constant subframe of
 * zero.  Its number is 0 wherever it stands: the container has the times.
 */

static ngx_int_t
ngx_media_flac_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence)
{
    u_char        *p;
    size_t         bits;
    uint32_t       fixed, max;
    const u_char  *info;

    if (params->config_len < NGX_MEDIA_FLAC_AT + NGX_MEDIA_FLAC_INFO) {
        return NGX_DECLINED;
    }

    info = params->config + NGX_MEDIA_FLAC_AT;

    max = ngx_media_get_be16(info + 2);
    fixed = (ngx_media_get_be16(info) == max);

    p = silence->bytes;
    p = ngx_media_put_be16(p, fixed ? 0xfff8 : 0xfff9);
    p = ngx_media_put_8(p, 0x70);             /* the size has 16 bits */
    p = ngx_media_put_8(p, (params->channels - 1) << 4);
    p = ngx_media_put_8(p, 0);
    p = ngx_media_put_be16(p, max - 1);
    p = ngx_media_put_8(p, ngx_media_crc8(silence->bytes, p));

    bits = params->channels * (8 + params->bit_depth);

    ngx_memzero(p, (bits + 7) / 8);
    p += (bits + 7) / 8;
    p = ngx_media_put_be16(p, ngx_media_crc16(silence->bytes, p));

    silence->frame.pos = silence->bytes;
    silence->frame.last = p;
    silence->samples = max;
    silence->rate = params->sample_rate;

    return NGX_OK;
}


/* dfLa becomes the beginning of a FLAC file, RFC 9639, 6 and 8 */

static size_t
ngx_media_flac_head(u_char *p, const ngx_media_params_t *params)
{
    if (params->config_len <= NGX_MEDIA_FLAC_FLAGS) {
        return 0;
    }

    if (p != NULL) {
        p = ngx_cpymem(p, "fLaC", 4);
        ngx_memcpy(p, params->config + NGX_MEDIA_FLAC_FLAGS,
                   params->config_len - NGX_MEDIA_FLAC_FLAGS);
    }

    return 4 + params->config_len - NGX_MEDIA_FLAC_FLAGS;
}


/* RFC 9639, 9.1.1 and 9.1.6 */

static uint32_t
ngx_media_flac_samples(const u_char *pos, const u_char *last)
{
    size_t    n;
    uint32_t  code;

    if (last - pos < 6 || pos[0] != 0xff || (pos[1] & 0xfe) != 0xf8) {
        return 0;
    }

    code = pos[2] >> 4;

    if (code == 1) {
        return 192;
    }

    if (code >= 2 && code <= 5) {
        return 576 << (code - 2);
    }

    if (code >= 8) {
        return 256 << (code - 8);
    }

    /* after the coded number, 9.1.5: its first byte says how long it is */

    for (n = 0; n < 7 && (pos[4] << n & 0x80); n++) { /* void */ }

    pos += 4 + (n ? n : 1);

    if (code == 0 || last - pos < 2) {
        return 0;
    }

    return (code == 6) ? (uint32_t) pos[0] + 1
                       : (uint32_t) ngx_media_get_be16(pos) + 1;
}
