
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Decoder configurations made from frames, for containers that have none, and
 * how long frames of audio are.
 */


#include "files/ngx_media_vod_av.h"
#include "formats/ngx_media_ac3.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp3.h"


#define NGX_MEDIA_VOD_AC3_SYNC      0x0b77
#define NGX_MEDIA_VOD_AC3_DEPENDENT 1         /* strmtyp */

#define NGX_MEDIA_VOD_VPX_CONFIG    12
#define NGX_MEDIA_VOD_VP9_SYNC      0x498342
#define NGX_MEDIA_VOD_VP9_RGB       7         /* color_space */


/* a frame of Enhanced AC-3, ETSI TS 102 366, E.1.2 */

typedef struct {
    uint32_t                  type;           /* strmtyp */
    uint32_t                  size;           /* bytes */
    uint32_t                  blocks;
    uint32_t                  fscod;
    uint32_t                  acmod;
    uint32_t                  lfe;
    uint32_t                  bsid;
    uint32_t                  map;            /* chanmap */
} ngx_media_vod_eac3_t;


typedef struct {
    uint32_t                  profile;
    uint32_t                  bit_depth;
    uint32_t                  chroma;         /* of vpcC */
    uint32_t                  full_range;
    uint32_t                  primaries;
    uint32_t                  transfer;
    uint32_t                  matrix;
    uint32_t                  width;
    uint32_t                  height;
} ngx_media_vod_vpx_t;


static ngx_int_t ngx_media_vod_av_ac3(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vod_av_eac3(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vod_av_eac3_frame(ngx_media_vod_eac3_t *frame,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vod_av_vp8(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vod_av_vp9(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static void ngx_media_vod_av_vp9_color(ngx_media_vod_vpx_t *vpx,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_vod_av_vpx(ngx_media_params_t *params,
    uint32_t codec, const ngx_media_vod_vpx_t *vpx);
static uint32_t ngx_media_vod_av_opus_samples(const u_char *pos,
    const u_char *last);
static uint32_t ngx_media_vod_av_flac_samples(const u_char *pos,
    const u_char *last);
static uint32_t ngx_media_vod_av_eac3_samples(const u_char *pos,
    const u_char *last);


/* VP9 levels by luma samples of a picture; rates are those of 60 Hz */

static const struct {
    uint32_t                  level;
    uint32_t                  samples;
} ngx_media_vod_vpx_levels[] = {
    { 10, 36864 }, { 11, 73728 }, { 20, 122880 }, { 21, 245760 },
    { 30, 552960 }, { 31, 983040 }, { 41, 2228224 }, { 51, 8912896 },
    { 61, 35651584 }
};


ngx_int_t
ngx_media_vod_av_frame_params(ngx_media_params_t *params, uint32_t codec,
    const u_char *pos, const u_char *last)
{
    switch (codec) {

    case NGX_MEDIA_CODEC_AC3:
        return ngx_media_vod_av_ac3(params, pos, last);

    case NGX_MEDIA_CODEC_EAC3:
        return ngx_media_vod_av_eac3(params, pos, last);

    case NGX_MEDIA_CODEC_MP3:
        return ngx_media_codec_find(codec)->config(params, pos, last);

    case NGX_MEDIA_CODEC_VP8:
        return ngx_media_vod_av_vp8(params, pos, last);

    case NGX_MEDIA_CODEC_VP9:
        return ngx_media_vod_av_vp9(params, pos, last);

    default:
        return NGX_DECLINED;
    }
}


uint32_t
ngx_media_vod_av_frame_samples(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last)
{
    ngx_media_mp3_t  mp3;

    switch (params->codec) {

    case NGX_MEDIA_CODEC_OPUS:
        return ngx_media_vod_av_opus_samples(pos, last);

    case NGX_MEDIA_CODEC_FLAC:
        return ngx_media_vod_av_flac_samples(pos, last);

    case NGX_MEDIA_CODEC_EAC3:
        return ngx_media_vod_av_eac3_samples(pos, last);

    case NGX_MEDIA_CODEC_MP3:
        return (ngx_media_mp3_parse(&mp3, pos, last) == NGX_OK)
               ? mp3.samples : 0;

    default:
        return params->frame_samples;
    }
}


size_t
ngx_media_vod_av_frame_size(uint32_t codec, const u_char *pos,
    const u_char *last)
{
    size_t           len, size;
    ngx_media_mp3_t  mp3;

    len = 0;

    while (len < (size_t) (last - pos)) {

        switch (codec) {

        case NGX_MEDIA_CODEC_MP3:
            size = (ngx_media_mp3_parse(&mp3, pos + len, last) == NGX_OK)
                   ? mp3.size : 0;
            break;

        case NGX_MEDIA_CODEC_AC3:
        case NGX_MEDIA_CODEC_EAC3:
            size = ngx_media_ac3_size(pos + len, last);
            break;

        default:
            return last - pos;
        }

        if (size == 0 || size > (size_t) (last - pos) - len) {
            break;
        }

        len += size;
    }

    return len;
}


/* ETSI TS 102 366, 4.3.1, 4.3.2 and F.4 */

static ngx_int_t
ngx_media_vod_av_ac3(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    u_char            config[3];
    uint32_t          acmod, bsid, bsmod, code, fscod, lfe;
    ngx_media_bits_t  br;

    ngx_media_bits_init(&br, pos, last);

    if (ngx_media_bits_get(&br, 16) != NGX_MEDIA_VOD_AC3_SYNC) {
        return NGX_DECLINED;
    }

    ngx_media_bits_skip(&br, 16);             /* crc1 */
    fscod = ngx_media_bits_get(&br, 2);
    code = ngx_media_bits_get(&br, 6);
    bsid = ngx_media_bits_get(&br, 5);
    bsmod = ngx_media_bits_get(&br, 3);
    acmod = ngx_media_bits_get(&br, 3);

    if ((acmod & 1) && acmod != 1) {
        ngx_media_bits_skip(&br, 2);          /* cmixlev */
    }

    if (acmod & 4) {
        ngx_media_bits_skip(&br, 2);          /* surmixlev */
    }

    if (acmod == 2) {
        ngx_media_bits_skip(&br, 2);          /* dsurmod */
    }

    lfe = ngx_media_bits_get(&br, 1);

    if (br.err || code > 37 || bsid > 10) {
        return NGX_DECLINED;
    }

    ngx_media_put_be24(config, fscod << 22 | bsid << 17 | bsmod << 14
                               | acmod << 11 | lfe << 10 | (code >> 1) << 5);

    return ngx_media_codec_find(NGX_MEDIA_CODEC_AC3)->config(params, config,
                                                   config + sizeof(config));
}


/* F.6; a packet is an independent frame and those that depend on it */

static ngx_int_t
ngx_media_vod_av_eac3(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    u_char                 config[6], *p;
    uint32_t               bytes, dependent, location, rate;
    ngx_media_vod_eac3_t   first, next;

    static const uint32_t  rates[] = { 48000, 44100, 32000, 0 };

    if (ngx_media_vod_av_eac3_frame(&first, pos, last) != NGX_OK
        || first.type == NGX_MEDIA_VOD_AC3_DEPENDENT || first.fscod == 3)
    {
        return NGX_DECLINED;
    }

    bytes = first.size;
    dependent = 0;
    location = 0;

    for ( ;; ) {
        pos += ngx_min(first.size, (size_t) (last - pos));

        if (ngx_media_vod_av_eac3_frame(&next, pos, last) != NGX_OK
            || next.type != NGX_MEDIA_VOD_AC3_DEPENDENT || dependent == 8)
        {
            break;
        }

        dependent++;
        bytes += next.size;
        location |= (next.map >> 3 & 0xff) << 1 | (next.map >> 1 & 1);
        first.size = next.size;
    }

    rate = (uint32_t) ((uint64_t) bytes * 8 * rates[first.fscod]
                       / (first.blocks * 256) / 1000);
    rate = ngx_min(rate, 0x1fff);

    p = ngx_media_put_be16(config, rate << 3);
    p = ngx_media_put_be24(p, first.fscod << 22 | first.bsid << 17
                              | first.acmod << 9 | first.lfe << 8
                              | dependent << 1 | location >> 8);

    if (dependent) {
        p = ngx_media_put_8(p, location & 0xff);
    }

    return ngx_media_codec_find(NGX_MEDIA_CODEC_EAC3)->config(params, config,
                                                              p);
}


static ngx_int_t
ngx_media_vod_av_eac3_frame(ngx_media_vod_eac3_t *frame, const u_char *pos,
    const u_char *last)
{
    uint32_t          code, mono;
    ngx_media_bits_t  br;

    static const uint8_t  blocks[] = { 1, 2, 3, 6 };

    ngx_memzero(frame, sizeof(ngx_media_vod_eac3_t));
    ngx_media_bits_init(&br, pos, last);

    if (ngx_media_bits_get(&br, 16) != NGX_MEDIA_VOD_AC3_SYNC) {
        return NGX_ERROR;
    }

    frame->type = ngx_media_bits_get(&br, 2);
    ngx_media_bits_skip(&br, 3);              /* substreamid */
    frame->size = (ngx_media_bits_get(&br, 11) + 1) * 2;
    frame->fscod = ngx_media_bits_get(&br, 2);
    code = ngx_media_bits_get(&br, 2);        /* or fscod2: half rates */
    frame->blocks = (frame->fscod == 3) ? 6 : blocks[code];
    frame->acmod = ngx_media_bits_get(&br, 3);
    frame->lfe = ngx_media_bits_get(&br, 1);
    frame->bsid = ngx_media_bits_get(&br, 5);

    for (mono = (frame->acmod == 0) ? 2 : 1; mono; mono--) {
        ngx_media_bits_skip(&br, 5);          /* dialnorm */

        if (ngx_media_bits_get(&br, 1)) {
            ngx_media_bits_skip(&br, 8);      /* compr */
        }
    }

    if (frame->type == NGX_MEDIA_VOD_AC3_DEPENDENT
        && ngx_media_bits_get(&br, 1))
    {
        frame->map = ngx_media_bits_get(&br, 16);
    }

    if (br.err || frame->bsid <= 10 || frame->bsid > 16) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* RFC 6386, 9.1 */

static ngx_int_t
ngx_media_vod_av_vp8(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_media_vod_vpx_t  vpx;

    if (last - pos < 10 || (pos[0] & 1)
        || ngx_media_get_be24(pos + 3) != 0x9d012a)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&vpx, sizeof(ngx_media_vod_vpx_t));

    vpx.profile = pos[0] >> 1 & 3;
    vpx.bit_depth = 8;
    vpx.chroma = 1;
    vpx.primaries = 2;
    vpx.transfer = 2;
    vpx.matrix = 2;
    vpx.width = ngx_media_get_le16(pos + 6) & 0x3fff;
    vpx.height = ngx_media_get_le16(pos + 8) & 0x3fff;

    return ngx_media_vod_av_vpx(params, NGX_MEDIA_CODEC_VP8, &vpx);
}


/* VP9 Bitstream Specification, 6.2: of a key frame */

static ngx_int_t
ngx_media_vod_av_vp9(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_media_bits_t     br;
    ngx_media_vod_vpx_t  vpx;

    ngx_memzero(&vpx, sizeof(ngx_media_vod_vpx_t));
    ngx_media_bits_init(&br, pos, last);

    if (ngx_media_bits_get(&br, 2) != 2) {
        return NGX_DECLINED;
    }

    vpx.profile = ngx_media_bits_get(&br, 1);
    vpx.profile |= ngx_media_bits_get(&br, 1) << 1;

    if (vpx.profile == 3) {
        ngx_media_bits_skip(&br, 1);
    }

    /* show_existing_frame, frame_type; show_frame, error_resilient_mode */

    if (ngx_media_bits_get(&br, 2) != 0) {
        return NGX_DECLINED;
    }

    ngx_media_bits_skip(&br, 2);

    if (ngx_media_bits_get(&br, 24) != NGX_MEDIA_VOD_VP9_SYNC) {
        return NGX_DECLINED;
    }

    ngx_media_vod_av_vp9_color(&vpx, &br);

    vpx.width = ngx_media_bits_get(&br, 16) + 1;
    vpx.height = ngx_media_bits_get(&br, 16) + 1;

    if (br.err) {
        return NGX_DECLINED;
    }

    return ngx_media_vod_av_vpx(params, NGX_MEDIA_CODEC_VP9, &vpx);
}


/* 6.2.2: color_config(); what it says, as ISO/IEC 23091-2 has it */

static void
ngx_media_vod_av_vp9_color(ngx_media_vod_vpx_t *vpx, ngx_media_bits_t *br)
{
    uint32_t  space, x, y;

    static const uint8_t  spaces[] = { 2, 6, 1, 6, 7, 9, 2, 1 };

    vpx->bit_depth = 8;

    if (vpx->profile >= 2) {
        vpx->bit_depth = ngx_media_bits_get(br, 1) ? 12 : 10;
    }

    space = ngx_media_bits_get(br, 3);

    vpx->primaries = spaces[space];
    vpx->transfer = (space == 5) ? 2 : spaces[space];
    vpx->matrix = (space == NGX_MEDIA_VOD_VP9_RGB) ? 0 : spaces[space];
    vpx->chroma = 1;

    if (space == NGX_MEDIA_VOD_VP9_RGB) {
        vpx->full_range = 1;
        vpx->transfer = 13;
        vpx->chroma = 3;
        ngx_media_bits_skip(br, vpx->profile & 1);
        return;
    }

    vpx->full_range = ngx_media_bits_get(br, 1);

    if (vpx->profile & 1) {
        x = ngx_media_bits_get(br, 1);
        y = ngx_media_bits_get(br, 1);
        ngx_media_bits_skip(br, 1);

        /* 4:4:4, 4:2:2; 4:4:0 has no number */

        vpx->chroma = x ? 2 : (y ? 1 : 3);
    }
}


/* VP Codec ISO Media File Format Binding, 2.2 */

static ngx_int_t
ngx_media_vod_av_vpx(ngx_media_params_t *params, uint32_t codec,
    const ngx_media_vod_vpx_t *vpx)
{
    u_char      config[NGX_MEDIA_VOD_VPX_CONFIG], *p;
    uint32_t    level, samples;
    ngx_int_t   rc;
    ngx_uint_t  i;

    if (vpx->width == 0 || vpx->height == 0) {
        return NGX_DECLINED;
    }

    samples = vpx->width * vpx->height;
    level = 62;

    for (i = 0; i < sizeof(ngx_media_vod_vpx_levels)
                    / sizeof(ngx_media_vod_vpx_levels[0]); i++)
    {
        if (samples <= ngx_media_vod_vpx_levels[i].samples) {
            level = ngx_media_vod_vpx_levels[i].level;
            break;
        }
    }

    p = ngx_media_put_be32(config, 0x01000000);
    p = ngx_media_put_8(p, vpx->profile);
    p = ngx_media_put_8(p, level);
    p = ngx_media_put_8(p, vpx->bit_depth << 4 | vpx->chroma << 1
                           | vpx->full_range);
    p = ngx_media_put_8(p, vpx->primaries);
    p = ngx_media_put_8(p, vpx->transfer);
    p = ngx_media_put_8(p, vpx->matrix);
    p = ngx_media_put_be16(p, 0);

    rc = ngx_media_codec_find(codec)->config(params, config, p);

    if (rc == NGX_OK) {
        params->width = vpx->width;
        params->height = vpx->height;
    }

    return rc;
}


/* RFC 6716, 3.1 and 3.2 */

static uint32_t
ngx_media_vod_av_opus_samples(const u_char *pos, const u_char *last)
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


/* RFC 9639, 9.1.1 and 9.1.6 */

static uint32_t
ngx_media_vod_av_flac_samples(const u_char *pos, const u_char *last)
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


/* of the first program, all frames of it that are in the packet */

static uint32_t
ngx_media_vod_av_eac3_samples(const u_char *pos, const u_char *last)
{
    uint32_t              samples;
    ngx_media_vod_eac3_t  frame;

    samples = 0;

    while (ngx_media_vod_av_eac3_frame(&frame, pos, last) == NGX_OK) {

        if (frame.type != NGX_MEDIA_VOD_AC3_DEPENDENT) {
            samples += frame.blocks * 256;
        }

        pos += ngx_min(frame.size, (size_t) (last - pos));
    }

    return samples;
}
