
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * VP8 and VP9: VP Codec ISO Media File Format Binding, 2.2: vpcC.  It is taken
 * with version and flags, as the box has it, and kept so.
 */


#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_vpx.h"


#define NGX_MEDIA_VPX_CONFIG  12


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


const ngx_media_codec_t  ngx_media_vp8_codec = {
    NGX_MEDIA_CODEC_VP8,
    NGX_MEDIA_VIDEO,
    ngx_string("vp8"),
    ngx_media_vp8_config,
    ngx_media_vp8_frame,
    ngx_media_vpx_string,
    ngx_media_vpx_entry,
    NULL,
    NULL
};


const ngx_media_codec_t  ngx_media_vp9_codec = {
    NGX_MEDIA_CODEC_VP9,
    NGX_MEDIA_VIDEO,
    ngx_string("vp9"),
    ngx_media_vp9_config,
    ngx_media_vp9_frame,
    ngx_media_vpx_string,
    ngx_media_vpx_entry,
    NULL,
    NULL
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
