
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * VP8 and VP9: VP Codec ISO Media File Format Binding, 2.2: vpcC.  It is taken
 * with version and flags, as the box has it, and kept so.  VP8 has no place in
 * HLS.
 */


#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_vpx.h"


#define NGX_MEDIA_VPX_CONFIG  12

#define NGX_MEDIA_VP9_SYNC    0x498342
#define NGX_MEDIA_VP9_RGB     7               /* color_space */


/* what a key frame says */

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
} ngx_media_vpx_t;


static ngx_int_t ngx_media_vp8_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vp9_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vpx_config(ngx_media_params_t *params,
    uint32_t codec, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vp8_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static ngx_int_t ngx_media_vp9_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_vpx_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_vpx_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_vp8_learn(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_vp9_learn(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static void ngx_media_vp9_color(ngx_media_vpx_t *vpx, ngx_media_bits_t *br);
static ngx_int_t ngx_media_vpx_learn(ngx_media_params_t *params,
    uint32_t codec, const ngx_media_vpx_t *vpx);


const ngx_media_codec_t  ngx_media_vp8_codec = {
    NGX_MEDIA_CODEC_VP8,
    NGX_MEDIA_VIDEO,
    ngx_string("vp8"),
    NGX_MEDIA_IN_DASH,
    0,                                        /* flags */
    NGX_MEDIA_UNITS_NONE,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('v', 'p', '0', '8') },
        ngx_media_fourcc('v', 'p', 'c', 'C'),
        { 0 },
        NULL                                  /* dovi */
    },
    { 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL },         /* ts */
    { NGX_MEDIA_CODEC_VP8, 0, 0, 0, 0, 1, NULL },
    ngx_media_vp8_config,
    ngx_media_vp8_frame,
    ngx_media_vpx_string,
    ngx_media_vpx_entry,
    NULL,                                     /* silence */
    NULL,                                     /* still */
    ngx_media_vp8_learn,
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    NULL                                      /* size */
};


const ngx_media_codec_t  ngx_media_vp9_codec = {
    NGX_MEDIA_CODEC_VP9,
    NGX_MEDIA_VIDEO,
    ngx_string("vp9"),
    NGX_MEDIA_IN_CMAF,
    0,                                        /* flags */
    NGX_MEDIA_UNITS_NONE,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('v', 'p', '0', '9') },
        ngx_media_fourcc('v', 'p', 'c', 'C'),
        { 0 },
        NULL                                  /* dovi */
    },
    { 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL },         /* ts */
    { NGX_MEDIA_CODEC_VP9, 0, 0, 0, 0, 1, NULL },
    ngx_media_vp9_config,
    ngx_media_vp9_frame,
    ngx_media_vpx_string,
    ngx_media_vpx_entry,
    NULL,                                     /* silence */
    NULL,                                     /* still */
    ngx_media_vp9_learn,
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    NULL                                      /* size */
};


/* VP9 levels by luma samples of a picture; rates are those of 60 Hz */

static const struct {
    uint32_t                  level;
    uint32_t                  samples;
} ngx_media_vpx_levels[] = {
    { 10, 36864 }, { 11, 73728 }, { 20, 122880 }, { 21, 245760 },
    { 30, 552960 }, { 31, 983040 }, { 41, 2228224 }, { 51, 8912896 },
    { 61, 35651584 }
};


static ngx_int_t
ngx_media_vp8_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    return ngx_media_vpx_config(params, NGX_MEDIA_CODEC_VP8, pos, last);
}


static ngx_int_t
ngx_media_vp9_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    return ngx_media_vpx_config(params, NGX_MEDIA_CODEC_VP9, pos, last);
}


static ngx_int_t
ngx_media_vpx_config(ngx_media_params_t *params, uint32_t codec,
    const u_char *pos, const u_char *last)
{
    if (last - pos < NGX_MEDIA_VPX_CONFIG) {
        return NGX_ERROR;
    }

    /* version 0 has other fields, and is of drafts */

    if (pos[0] != 1) {
        return NGX_DECLINED;
    }

    /* profile, bit depth, chroma subsampling */

    if (pos[4] > 3 || (pos[6] >> 4 != 8 && pos[6] >> 4 != 10
                       && pos[6] >> 4 != 12)
        || (pos[6] >> 1 & 7) > 3)
    {
        return NGX_ERROR;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = codec;
    params->type = NGX_MEDIA_VIDEO;
    params->timescale = NGX_MEDIA_VIDEO_TIMESCALE;
    params->bit_depth = pos[6] >> 4;
    params->full_range = pos[6] & 1;
    params->primaries = pos[7];
    params->transfer = pos[8];
    params->matrix = pos[9];

    /* initialization data is of no use with these codecs */

    params->config_len = NGX_MEDIA_VPX_CONFIG;
    ngx_memcpy(params->config, pos, NGX_MEDIA_VPX_CONFIG);
    ngx_memzero(params->config + 10, 2);

    return NGX_OK;
}


/* RFC 6386, 9.1 */

static ngx_int_t
ngx_media_vp8_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    if (pos == last) {
        info->empty = 1;
        return NGX_OK;
    }

    info->key = (pos[0] & 1) == 0;

    return NGX_OK;
}


/* VP9 Bitstream Specification, 6.2: uncompressed_header() */

static ngx_int_t
ngx_media_vp9_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    uint32_t          marker, profile;
    ngx_media_bits_t  br;

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    if (pos == last) {
        info->empty = 1;
        return NGX_OK;
    }

    ngx_media_bits_init(&br, pos, last);

    marker = ngx_media_bits_get(&br, 2);
    profile = ngx_media_bits_get(&br, 1);
    profile |= ngx_media_bits_get(&br, 1) << 1;

    if (profile == 3) {
        ngx_media_bits_skip(&br, 1);
    }

    if (marker != 2) {
        return NGX_ERROR;
    }

    /* show_existing_frame: a frame that was decoded, never a key frame */

    if (ngx_media_bits_get(&br, 1) == 0) {
        info->key = (ngx_media_bits_get(&br, 1) == 0);
    }

    return br.err ? NGX_ERROR : NGX_OK;
}


/* the binding, 2.4: all of it where color is said, the short form else */

static size_t
ngx_media_vpx_string(u_char *p, const ngx_media_params_t *params)
{
    size_t      n;
    uint32_t    fields[8];
    ngx_uint_t  i, last;

    fields[0] = params->config[4];
    fields[1] = params->config[5];
    fields[2] = params->config[6] >> 4;
    fields[3] = params->config[6] >> 1 & 7;
    fields[4] = params->config[7];
    fields[5] = params->config[8];
    fields[6] = params->config[9];
    fields[7] = params->config[6] & 1;

    last = (fields[3] > 1 || fields[4] > 2 || fields[5] > 2 || fields[6] > 2
            || fields[7]) ? 8 : 3;

    n = 4;

    if (p != NULL) {
        (void) ngx_media_put_be32(p, params->codec);
    }

    for (i = 0; i < last; i++) {

        if (p != NULL) {
            p[n] = '.';
            p[n + 1] = (u_char) ('0' + fields[i] / 10 % 10);
            p[n + 2] = (u_char) ('0' + fields[i] % 10);
        }

        n += 3;
    }

    return n;
}


static size_t
ngx_media_vpx_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_visual(p, params, params->codec,
                                      ngx_media_fourcc('v', 'p', 'c', 'C'));
}


/* RFC 6386, 9.1 */

static ngx_int_t
ngx_media_vp8_learn(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_media_vpx_t  vpx;

    if (last - pos < 10 || (pos[0] & 1)
        || ngx_media_get_be24(pos + 3) != 0x9d012a)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&vpx, sizeof(ngx_media_vpx_t));

    vpx.profile = pos[0] >> 1 & 3;
    vpx.bit_depth = 8;
    vpx.chroma = 1;
    vpx.primaries = 2;
    vpx.transfer = 2;
    vpx.matrix = 2;
    vpx.width = ngx_media_get_le16(pos + 6) & 0x3fff;
    vpx.height = ngx_media_get_le16(pos + 8) & 0x3fff;

    return ngx_media_vpx_learn(params, NGX_MEDIA_CODEC_VP8, &vpx);
}


/* VP9 Bitstream Specification, 6.2: of a key frame */

static ngx_int_t
ngx_media_vp9_learn(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_media_bits_t     br;
    ngx_media_vpx_t  vpx;

    ngx_memzero(&vpx, sizeof(ngx_media_vpx_t));
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

    if (ngx_media_bits_get(&br, 24) != NGX_MEDIA_VP9_SYNC) {
        return NGX_DECLINED;
    }

    ngx_media_vp9_color(&vpx, &br);

    vpx.width = ngx_media_bits_get(&br, 16) + 1;
    vpx.height = ngx_media_bits_get(&br, 16) + 1;

    if (br.err) {
        return NGX_DECLINED;
    }

    return ngx_media_vpx_learn(params, NGX_MEDIA_CODEC_VP9, &vpx);
}


/* 6.2.2: color_config(); what it says, as ISO/IEC 23091-2 has it */

static void
ngx_media_vp9_color(ngx_media_vpx_t *vpx, ngx_media_bits_t *br)
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
    vpx->matrix = (space == NGX_MEDIA_VP9_RGB) ? 0 : spaces[space];
    vpx->chroma = 1;

    if (space == NGX_MEDIA_VP9_RGB) {
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
ngx_media_vpx_learn(ngx_media_params_t *params, uint32_t codec,
    const ngx_media_vpx_t *vpx)
{
    u_char      config[NGX_MEDIA_VPX_CONFIG], *p;
    uint32_t    level, samples;
    ngx_int_t   rc;
    ngx_uint_t  i;

    /* a sample entry has 16 bits for each, ISO/IEC 14496-12, 12.1.3 */

    if (vpx->width == 0 || vpx->height == 0
        || vpx->width > 0xffff || vpx->height > 0xffff)
    {
        return NGX_DECLINED;
    }

    samples = vpx->width * vpx->height;
    level = 62;

    for (i = 0; i < sizeof(ngx_media_vpx_levels)
                    / sizeof(ngx_media_vpx_levels[0]); i++)
    {
        if (samples <= ngx_media_vpx_levels[i].samples) {
            level = ngx_media_vpx_levels[i].level;
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

    rc = ngx_media_vpx_config(params, codec, config, p);

    if (rc == NGX_OK) {
        params->width = vpx->width;
        params->height = vpx->height;
    }

    return rc;
}
