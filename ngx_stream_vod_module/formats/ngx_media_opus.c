
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Opus in ISO BMFF, its encapsulation document, 4.3: dOps.  The identification
 * header of RFC 7845, 5.1, which Matroska and RTMP carry, says the same in
 * another byte order and is taken, too.  In MPEG-TS no player of HLS knows it;
 * who reads or writes it there does so as FFmpeg does, by the draft "ETSI TS
 * Opus in MPEG-TS", 0.1.3.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_opus.h"
#include "formats/ngx_media_ts.h"


/* whatever the rate of the input was: RFC 7845, 4 */
#define NGX_MEDIA_OPUS_RATE     48000

/* what encoders make unless told otherwise: 20 ms */
#define NGX_MEDIA_OPUS_SAMPLES  960

/* bytes of dOps: the mapping family, and the count of streams behind it; so
   long it is without a map of channels */
#define NGX_MEDIA_OPUS_SKIP     2             /* PreSkip, RFC 7845, 5.1 */
#define NGX_MEDIA_OPUS_FAMILY   10
#define NGX_MEDIA_OPUS_STREAMS  11

/* control_header_prefix in MPEG-TS */
#define NGX_MEDIA_OPUS_TS_PREFIX  0x3ff


static ngx_int_t ngx_media_opus_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_opus_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_opus_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_opus_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_opus_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence);
static uint32_t ngx_media_opus_samples(const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_opus_ts_next(ngx_media_span_t *data,
    ngx_media_codec_piece_t *piece);
static size_t ngx_media_opus_ts_config(u_char *p, uint32_t code);
static uint32_t ngx_media_opus_ts_code(const ngx_media_params_t *params);
static size_t ngx_media_opus_head(u_char *p,
    const ngx_media_params_t *params);


const ngx_media_codec_t  ngx_media_opus_codec = {
    NGX_MEDIA_CODEC_OPUS,
    NGX_MEDIA_AUDIO,
    ngx_string("opus"),
    NGX_MEDIA_IN_CMAF,
    NGX_MEDIA_IS_LIVE | NGX_MEDIA_IS_BOUND,
    NGX_MEDIA_UNITS_NONE,
    NGX_MEDIA_OPUS_SKIP,
    {
        { ngx_media_fourcc('O', 'p', 'u', 's') },
        ngx_media_fourcc('d', 'O', 'p', 's'),
        { 0 },
        NULL                                  /* dovi */
    },
    { NGX_MEDIA_TS_PRIVATE, 0, NGX_MEDIA_TS_ID_PRIVATE1,
      NGX_MEDIA_TS_CONTROL, 1, ngx_media_fourcc('O', 'p', 'u', 's'), 0,
      ngx_media_fourcc('O', 'p', 'u', 's'), ngx_media_opus_ts_next,
      ngx_media_opus_ts_config, ngx_media_opus_ts_code },
    { NGX_MEDIA_CODEC_OPUS, 0, 0, 0, 0, 1, ngx_media_opus_head },
    ngx_media_opus_config,
    ngx_media_opus_frame,
    ngx_media_opus_string,
    ngx_media_opus_entry,
    ngx_media_opus_silence,
    NULL,                                     /* still */
    NULL,                                     /* learn */
    NULL,                                     /* assume */
    ngx_media_opus_samples,
    NULL                                      /* size */
};


/*
 * A packet of one frame of 20 ms, CELT, in which nothing is coded (RFC 6716,
 * 3.1, 4.3).  Of several streams all but the last say how long the frame is
 * (its appendix B).
 */

static const u_char  ngx_media_opus_silent[] = { 0xf8, 0xff, 0xfe };
static const u_char  ngx_media_opus_delimited[] = { 0xf8, 0x02, 0xff, 0xfe };


/* RFC 7845, 5.1.1.2: family 1 by channels, as ISO/IEC 23091-3 has them */

static const uint8_t  ngx_media_opus_layouts[] = {
    0, 1, 2, 3, 10, 5, 6, 11, 12
};


/* the same: streams, those of them that are coupled, and the map, as libopus
   makes them; by channel_config_code, from 1 on */

static const struct {
    uint8_t                   streams;
    uint8_t                   coupled;
    uint8_t                   map[8];
} ngx_media_opus_maps[] = {
    { 1, 0, { 0 } },
    { 1, 1, { 0, 1 } },
    { 2, 1, { 0, 2, 1 } },
    { 2, 2, { 0, 1, 2, 3 } },
    { 3, 2, { 0, 4, 1, 2, 3 } },
    { 4, 2, { 0, 4, 1, 2, 3, 5 } },
    { 4, 3, { 0, 4, 1, 2, 3, 5, 6 } },
    { 5, 3, { 0, 6, 1, 2, 3, 4, 5, 7 } }
};


static ngx_int_t
ngx_media_opus_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    u_char              *p;
    uint32_t             channels, family, gain, rate, skip, version;
    ngx_uint_t           native;
    ngx_media_span_t     map;
    ngx_media_reader_t   r;

    native = (last - pos >= 8 && ngx_memcmp(pos, "OpusHead", 8) == 0);

    ngx_media_reader_init(&r, native ? pos + 8 : pos, last);

    version = ngx_media_read_8(&r);
    channels = ngx_media_read_8(&r);
    skip = ngx_media_read_be16(&r);
    rate = ngx_media_read_be32(&r);
    gain = ngx_media_read_be16(&r);
    family = ngx_media_read_8(&r);

    ngx_media_read_span(&r, family ? 2 + channels : 0, &map);

    if (r.err || channels == 0 || version != native) {
        return NGX_ERROR;
    }

    if (family == 0 ? channels > 2
                    : map.pos[0] == 0 || map.pos[1] > map.pos[0]
                      || map.pos[0] + map.pos[1] > 255)
    {
        return NGX_ERROR;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_CODEC_OPUS;
    params->type = NGX_MEDIA_AUDIO;
    params->timescale = NGX_MEDIA_OPUS_RATE;
    params->sample_rate = NGX_MEDIA_OPUS_RATE;
    params->channels = channels;
    params->frame_samples = NGX_MEDIA_OPUS_SAMPLES;

    if (family <= 1 && channels < sizeof(ngx_media_opus_layouts)) {
        params->channel_config = ngx_media_opus_layouts[channels];
    }

    if (native) {
        skip = (skip & 0xff) << 8 | skip >> 8;
        gain = (gain & 0xff) << 8 | gain >> 8;
        rate = rate << 24 | (rate & 0xff00) << 8 | (rate >> 8 & 0xff00)
               | rate >> 24;
    }

    p = params->config;
    p = ngx_media_put_8(p, 0);
    p = ngx_media_put_8(p, channels);
    p = ngx_media_put_be16(p, skip);
    p = ngx_media_put_be32(p, rate);
    p = ngx_media_put_be16(p, gain);
    p = ngx_media_put_8(p, family);
    p = ngx_cpymem(p, map.pos, ngx_media_span_len(&map));

    params->config_len = p - params->config;

    return NGX_OK;
}


static ngx_int_t
ngx_media_opus_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->key = 1;
    info->empty = (pos == last);

    return info->empty || ngx_media_opus_samples(pos, last) ? NGX_OK
                                                            : NGX_ERROR;
}


/* the encapsulation document, 4.4 */

static size_t
ngx_media_opus_string(u_char *p, const ngx_media_params_t *params)
{
    if (p != NULL) {
        ngx_memcpy(p, "opus", 4);
    }

    return 4;
}


static size_t
ngx_media_opus_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_audio(p, params, NGX_MEDIA_CODEC_OPUS,
                                     ngx_media_fourcc('d', 'O', 'p', 's'));
}


static ngx_int_t
ngx_media_opus_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence)
{
    u_char    *p;
    uint32_t   streams;

    streams = 1;

    if (params->config_len > NGX_MEDIA_OPUS_STREAMS
        && params->config[NGX_MEDIA_OPUS_FAMILY] != 0)
    {
        streams = params->config[NGX_MEDIA_OPUS_STREAMS];
    }

    p = silence->bytes;

    while (streams > 1) {
        p = ngx_cpymem(p, ngx_media_opus_delimited,
                       sizeof(ngx_media_opus_delimited));
        streams--;
    }

    p = ngx_cpymem(p, ngx_media_opus_silent, sizeof(ngx_media_opus_silent));

    silence->frame.pos = silence->bytes;
    silence->frame.last = p;
    silence->samples = NGX_MEDIA_OPUS_SAMPLES;
    silence->rate = NGX_MEDIA_OPUS_RATE;

    return NGX_OK;
}


/* dOps becomes the identification header of RFC 7845, 5.1: little endian */

static size_t
ngx_media_opus_head(u_char *p, const ngx_media_params_t *params)
{
    const u_char  *dops;

    if (params->config_len < NGX_MEDIA_OPUS_STREAMS) {
        return 0;
    }

    if (p != NULL) {
        dops = params->config;

        p = ngx_cpymem(p, "OpusHead", 8);
        p = ngx_media_put_8(p, 1);            /* version */
        p = ngx_media_put_8(p, dops[1]);      /* channels */
        p = ngx_media_put_le16(p, ngx_media_get_be16(dops + 2));
        p = ngx_media_put_le32(p, ngx_media_get_be32(dops + 4));
        p = ngx_media_put_le16(p, ngx_media_get_be16(dops + 8));

        /* mapping family, and the map */
        ngx_memcpy(p, dops + 10, params->config_len - 10);
    }

    return 8 + params->config_len;
}


/* RFC 6716, 3.1 and 3.2 */

static uint32_t
ngx_media_opus_samples(const u_char *pos, const u_char *last)
{
    uint32_t  config, frames, samples;

    if (pos == last) {
        return 0;
    }

    config = pos[0] >> 3;

    if (config < 12) {
        samples = (config & 3) == 3 ? 2880 : 480 << (config & 3);

    } else if (config < 16) {
        samples = 480 << (config & 1);

    } else {
        samples = 120 << (config & 3);
    }

    switch (pos[0] & 3) {

    case 0:
        return samples;

    case 3:
        frames = (last - pos > 1) ? pos[1] & 0x3f : 0;
        return (samples * frames <= 5760) ? samples * frames : 0;

    default:
        return samples * 2;
    }
}


/*
 * opus_access_unit(), ETSI TS draft "Opus in MPEG-TS", 0.1.3, table 4-3: a
 * prefix of 11 bits, flags, the size as bytes of 255 and a last one, samples
 * to be trimmed at the start and at the end, an extension.
 *
 * What is to be trimmed is passed over: FFmpeg stamps all samples, those of the
 * pre-skip are before the picture, and who joins has to play what others skip.
 */

static ngx_int_t
ngx_media_opus_ts_next(ngx_media_span_t *data, ngx_media_codec_piece_t *piece)
{
    size_t              size;
    uint32_t            flags, n;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, data->pos, data->last);

    flags = ngx_media_read_be16(&r);

    if (r.err) {
        return NGX_AGAIN;
    }

    if (flags >> 5 != NGX_MEDIA_OPUS_TS_PREFIX) {
        return NGX_ERROR;
    }

    size = 0;

    do {
        n = ngx_media_read_8(&r);
        size += n;
    } while (n == 0xff);

    if (flags & 0x10) {
        (void) ngx_media_read_be16(&r);
    }

    if (flags & 0x08) {
        (void) ngx_media_read_be16(&r);
    }

    if (flags & 0x04) {
        (void) ngx_media_read_bytes(&r, ngx_media_read_8(&r));
    }

    ngx_media_read_span(&r, size, &piece->frame);

    piece->rate = NGX_MEDIA_OPUS_RATE;

    if (r.err) {
        return NGX_AGAIN;
    }

    data->pos = r.pos;

    return NGX_OK;
}


/* channel_config_code, there: 1 to 8 are the channels of family 0 and 1 */

static size_t
ngx_media_opus_ts_config(u_char *p, uint32_t code)
{
    u_char  *start;

    if (code == 0 || code > sizeof(ngx_media_opus_maps)
                            / sizeof(ngx_media_opus_maps[0]))
    {
        return 0;
    }

    start = p;

    p = ngx_media_put_8(p, 0);
    p = ngx_media_put_8(p, code);
    p = ngx_media_put_be16(p, 0);
    p = ngx_media_put_be32(p, NGX_MEDIA_OPUS_RATE);
    p = ngx_media_put_be16(p, 0);
    p = ngx_media_put_8(p, code > 2);

    if (code > 2) {
        p = ngx_media_put_8(p, ngx_media_opus_maps[code - 1].streams);
        p = ngx_media_put_8(p, ngx_media_opus_maps[code - 1].coupled);
        p = ngx_cpymem(p, ngx_media_opus_maps[code - 1].map, code);
    }

    return p - start;
}


static uint32_t
ngx_media_opus_ts_code(const ngx_media_params_t *params)
{
    u_char  config[NGX_MEDIA_TS_CONFIG_MAX];
    size_t  size;

    size = ngx_media_opus_ts_config(config, params->channels);

    /* what is before the family does not matter */

    if (size == 0 || size != params->config_len
        || ngx_memcmp(config + NGX_MEDIA_OPUS_FAMILY,
                      params->config + NGX_MEDIA_OPUS_FAMILY,
                      size - NGX_MEDIA_OPUS_FAMILY)
           != 0)
    {
        return 0;
    }

    return params->channels;
}
