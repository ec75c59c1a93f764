
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MPEG audio Layer III: ISO/IEC 11172-3, 13818-3 for half the rates, and the
 * quarter rates known as MPEG-2.5.  Its header, 2.4.1.3, is that of Layer II,
 * too (ngx_media_mp2.c).
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_flv_fields.h"
#include "formats/ngx_media_mp3.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_ts.h"


/* the header, ISO/IEC 11172-3, 2.4.1.3 */
#define NGX_MEDIA_MP3_SYNC     0xffe00000
#define NGX_MEDIA_MP3_LAYER    0x00060000
#define NGX_MEDIA_MP3_NO_CRC   0x00010000
#define NGX_MEDIA_MP3_PADDING  0x00000200
#define NGX_MEDIA_MP3_MONO     0x000000c0
#define NGX_MEDIA_MP3_ID       0x00180000     /* version */
#define NGX_MEDIA_MP3_ID_1     0x00180000
#define NGX_MEDIA_MP3_ID_2     0x00100000
#define NGX_MEDIA_MP3_ID_2_5   0x00000000
#define NGX_MEDIA_MP3_ID_NONE  0x00080000
#define NGX_MEDIA_MP3_RATE     0x00000c00
#define NGX_MEDIA_MP3_BITRATE  0x0000f000


static ngx_int_t ngx_media_mp3_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_mp3_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_mp3_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp3_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_mp3_assume(ngx_media_params_t *params,
    uint32_t sample_rate, uint32_t channels);
static uint32_t ngx_media_mp3_samples(const u_char *pos, const u_char *last);
static size_t ngx_media_mp3_size(const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_mp3_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence);


const ngx_media_codec_t  ngx_media_mp3_codec = {
    NGX_MEDIA_CODEC_MP3,
    NGX_MEDIA_AUDIO,
    ngx_string("mp3"),
    NGX_MEDIA_IN_ALL,
    NGX_MEDIA_IS_LIVE | NGX_MEDIA_IS_STEADY | NGX_MEDIA_IS_BOUND,
    NGX_MEDIA_UNITS_FRAMES,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('.', 'm', 'p', '3') },
        0,                                    /* record */
        { NGX_MEDIA_MP4_OTI_MP2_L3, NGX_MEDIA_MP4_OTI_MP1_L3 },
        NULL                                  /* dovi */
    },
    { NGX_MEDIA_TS_MPEG1_AUDIO, NGX_MEDIA_TS_MPEG2_AUDIO,
      NGX_MEDIA_TS_ID_AUDIO, NGX_MEDIA_TS_RAW, 0, 0, 0, 0, NULL, NULL, NULL },
    { NGX_MEDIA_CODEC_MP3, NGX_MEDIA_FLV_MP3, NGX_MEDIA_FLV_MP3_8K, 0, 0, 0,
      NULL },
    ngx_media_mp3_config,
    ngx_media_mp3_frame,
    ngx_media_mp3_string,
    ngx_media_mp3_entry,
    ngx_media_mp3_silence,
    NULL,                                     /* still */
    ngx_media_mp3_config,
    ngx_media_mp3_assume,
    ngx_media_mp3_samples,
    ngx_media_mp3_size
};


/* kbit/s by bitrate_index; the row: MPEG-1, the others; MPEG-1, Layer II */

static const uint16_t  ngx_media_mp3_bitrates[3][15] = {
    { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
    { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 }
};


static const uint32_t  ngx_media_mp3_rates[3] = { 44100, 48000, 32000 };


/*
 * Frames of silence: after the header, side information and main data of
 * zeros, so that no bits code any value.  All have the lowest bit rate, no
 * CRC and no padding; rows and columns are in order of the header's version
 * and sampling_frequency bits.
 */

#define NGX_MEDIA_MP3_SILENCE_MAX  144

#define ngx_media_mp3_zeros(version, rate, mode)                              \
    { 0xff, 0xe0 | (version) << 3 | 0x03, 0x10 | (rate) << 2, (mode) << 6 }

#define ngx_media_mp3_modes(version, rate)                                    \
    { ngx_media_mp3_zeros(version, rate, 0),                                  \
      ngx_media_mp3_zeros(version, rate, 3) }

#define ngx_media_mp3_version(version)                                        \
    { ngx_media_mp3_modes(version, 0), ngx_media_mp3_modes(version, 1),       \
      ngx_media_mp3_modes(version, 2) }

static const u_char
    ngx_media_mp3_silent[4][3][2][NGX_MEDIA_MP3_SILENCE_MAX] =
{
    ngx_media_mp3_version(0),
    { { { 0 } } },
    ngx_media_mp3_version(2),
    ngx_media_mp3_version(3)
};


static ngx_int_t
ngx_media_mp3_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_int_t        rc;
    ngx_media_mp3_t  mp3;

    rc = ngx_media_mp3_parse(&mp3, pos, last);

    if (rc == NGX_OK) {
        ngx_media_mp3_params(params, &mp3, pos);
    }

    return rc;
}


void
ngx_media_mp3_params(ngx_media_params_t *params, const ngx_media_mp3_t *mp3,
    const u_char *header)
{
    uint32_t  same;

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_CODEC_MP3;
    params->type = NGX_MEDIA_AUDIO;
    params->timescale = mp3->sample_rate;
    params->object_type = NGX_MEDIA_MP3_OBJECT_TYPE;
    params->channel_config = mp3->channels;
    params->sample_rate = mp3->sample_rate;
    params->channels = mp3->channels;
    params->frame_samples = mp3->samples;

    /* the same bytes for every frame of a stream */

    same = ngx_media_get_be32(header);
    same &= NGX_MEDIA_MP3_SYNC | NGX_MEDIA_MP3_ID | NGX_MEDIA_MP3_LAYER
            | NGX_MEDIA_MP3_RATE;
    same |= (mp3->channels == 1) ? NGX_MEDIA_MP3_MONO : 0;

    params->config_len = NGX_MEDIA_MP3_HEADER_SIZE;
    ngx_media_put_be32(params->config, same);
}


ngx_int_t
ngx_media_mp3_parse(ngx_media_mp3_t *mp3, const u_char *pos,
    const u_char *last)
{
    return ngx_media_mp3_parse_layer(mp3, 3, pos, last);
}


ngx_int_t
ngx_media_mp3_parse_layer(ngx_media_mp3_t *mp3, ngx_uint_t layer,
    const u_char *pos, const u_char *last)
{
    uint32_t    header, id;
    ngx_uint_t  bitrate, rate, row;

    if (last - pos < NGX_MEDIA_MP3_HEADER_SIZE) {
        return NGX_ERROR;
    }

    header = ngx_media_get_be32(pos);
    id = header & NGX_MEDIA_MP3_ID;
    bitrate = (header & NGX_MEDIA_MP3_BITRATE) >> 12;
    rate = (header & NGX_MEDIA_MP3_RATE) >> 10;

    if ((header & NGX_MEDIA_MP3_SYNC) != NGX_MEDIA_MP3_SYNC
        || id == NGX_MEDIA_MP3_ID_NONE || (header & NGX_MEDIA_MP3_LAYER) == 0
        || bitrate == 15 || rate == 3)
    {
        return NGX_ERROR;
    }

    if ((header & NGX_MEDIA_MP3_LAYER) >> 17 != 4 - layer || bitrate == 0) {
        return NGX_DECLINED;
    }

    mp3->half = (id != NGX_MEDIA_MP3_ID_1);
    row = (layer == 2 && !mp3->half) ? 2 : mp3->half;
    mp3->bitrate = ngx_media_mp3_bitrates[row][bitrate] * 1000;
    mp3->sample_rate = ngx_media_mp3_rates[rate];
    mp3->samples = (layer == 3 && mp3->half) ? 576 : 1152;
    mp3->channels = (header & NGX_MEDIA_MP3_MONO) == NGX_MEDIA_MP3_MONO ? 1
                                                                        : 2;

    if (id == NGX_MEDIA_MP3_ID_2) {
        mp3->sample_rate /= 2;

    } else if (id == NGX_MEDIA_MP3_ID_2_5) {
        mp3->sample_rate /= 4;
    }

    /* 2.4.3.1 */

    mp3->size = mp3->samples / 8 * mp3->bitrate / mp3->sample_rate
                + ((header & NGX_MEDIA_MP3_PADDING) != 0);

    return NGX_OK;
}


/* a whole frame, and of the stream that was announced */

static ngx_int_t
ngx_media_mp3_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    return ngx_media_mp3_frame_layer(params, 3, pos, last, info);
}


ngx_int_t
ngx_media_mp3_frame_layer(const ngx_media_params_t *params, ngx_uint_t layer,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_media_mp3_t  mp3;

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->key = 1;

    if (pos == last) {
        info->empty = 1;
        return NGX_OK;
    }

    if (ngx_media_mp3_parse_layer(&mp3, layer, pos, last) != NGX_OK
        || (size_t) (last - pos) != mp3.size
        || mp3.sample_rate != params->sample_rate
        || mp3.channels != params->channels)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * RFC 6381, 3.3: objectTypeIndication, without an object type.  13818-3 has
 * the half rates; the quarter rates have no number of their own.
 */

static size_t
ngx_media_mp3_string(u_char *p, const ngx_media_params_t *params)
{
    if (p != NULL) {
        ngx_memcpy(p, params->sample_rate < 32000 ? "mp4a.69" : "mp4a.6B",
                   7);
    }

    return 7;
}


static size_t
ngx_media_mp3_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_mp4a(p, params,
                                    params->sample_rate < 32000
                                    ? NGX_MEDIA_MP4_OTI_MP2_L3
                                    : NGX_MEDIA_MP4_OTI_MP1_L3,
                                    0);
}


static ngx_int_t
ngx_media_mp3_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence)
{
    uint32_t           header;
    ngx_media_mp3_t    mp3;
    ngx_media_span_t  *frame;

    if (params->config_len != NGX_MEDIA_MP3_HEADER_SIZE) {
        return NGX_DECLINED;
    }

    header = ngx_media_get_be32(params->config);
    frame = &silence->frame;

    frame->pos = ngx_media_mp3_silent[(header & NGX_MEDIA_MP3_ID) >> 19]
                                     [(header & NGX_MEDIA_MP3_RATE) >> 10]
                                     [params->channels == 1];
    frame->last = frame->pos + NGX_MEDIA_MP3_HEADER_SIZE;

    if (ngx_media_mp3_parse(&mp3, frame->pos, frame->last) != NGX_OK) {
        return NGX_DECLINED;
    }

    frame->last = frame->pos + mp3.size;

    silence->samples = mp3.samples;
    silence->rate = mp3.sample_rate;

    return NGX_OK;
}


/* the header that its frames must have */

static ngx_int_t
ngx_media_mp3_assume(ngx_media_params_t *params, uint32_t sample_rate,
    uint32_t channels)
{
    u_char      header[4];
    ngx_uint_t  i, rate;

    /* versions 1, 2 and 2.5; 128 resp. 64 kbit/s; ISO/IEC 11172-3, 2.4.1.3 */

    static const u_char  versions[] = { 0xfb, 0xf3, 0xe3 };

    for (i = 0; i < 3; i++) {
        for (rate = 0; rate < 3; rate++) {

            if (ngx_media_mp3_rates[rate] >> i != sample_rate) {
                continue;
            }

            header[0] = 0xff;
            header[1] = versions[i];
            header[2] = (i ? 0x80 : 0x90) | rate << 2;
            header[3] = (channels == 1) ? 0xc0 : 0x00;

            return ngx_media_mp3_config(params, header, header + 4);
        }
    }

    return NGX_DECLINED;
}


static uint32_t
ngx_media_mp3_samples(const u_char *pos, const u_char *last)
{
    ngx_media_mp3_t  mp3;

    return (ngx_media_mp3_parse(&mp3, pos, last) == NGX_OK) ? mp3.samples : 0;
}


static size_t
ngx_media_mp3_size(const u_char *pos, const u_char *last)
{
    ngx_media_mp3_t  mp3;

    return (ngx_media_mp3_parse(&mp3, pos, last) == NGX_OK) ? mp3.size : 0;
}
