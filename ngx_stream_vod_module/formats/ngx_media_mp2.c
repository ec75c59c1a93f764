
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MPEG audio Layer II, as broadcasters send it: ISO/IEC 11172-3, and 13818-3
 * for half the rates.  No player of HLS or DASH takes it, so it is in none of
 * their lists; in MPEG-TS that is sent it is.  It shares its header, and in
 * MPEG-TS its stream type, with Layer III.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp2.h"
#include "formats/ngx_media_mp3.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_ts.h"


/* MPEG-4 audioObjectType of Layer II, ISO/IEC 14496-3, table 1.17 */
#define NGX_MEDIA_MP2_OBJECT_TYPE  33

/* bitrate_index of silence: 64 kbit/s, which all modes may have, at half the
   rates 32 */
#define NGX_MEDIA_MP2_BITRATE      0x40


static ngx_int_t ngx_media_mp2_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_mp2_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_mp2_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp2_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_mp2_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence);
static uint32_t ngx_media_mp2_samples(const u_char *pos, const u_char *last);
static size_t ngx_media_mp2_size(const u_char *pos, const u_char *last);


const ngx_media_codec_t  ngx_media_mp2_codec = {
    NGX_MEDIA_CODEC_MP2,
    NGX_MEDIA_AUDIO,
    ngx_string("mp2"),
    0,                                        /* formats */
    NGX_MEDIA_IS_LIVE | NGX_MEDIA_IS_STEADY,
    NGX_MEDIA_UNITS_FRAMES,
    0,                                        /* skip */
    { { 0 }, 0, { 0 }, NULL },                /* mp4 */
    { NGX_MEDIA_TS_MPEG1_AUDIO, NGX_MEDIA_TS_MPEG2_AUDIO,
      NGX_MEDIA_TS_ID_AUDIO, NGX_MEDIA_TS_RAW, 0, 0, 0, 0, NULL, NULL, NULL },
    { 0, 0, 0, 0, 0, 0, NULL },               /* flv */
    ngx_media_mp2_config,
    ngx_media_mp2_frame,
    ngx_media_mp2_string,
    ngx_media_mp2_entry,
    ngx_media_mp2_silence,
    NULL,                                     /* still */
    ngx_media_mp2_config,
    NULL,                                     /* assume */
    ngx_media_mp2_samples,
    ngx_media_mp2_size
};


static ngx_int_t
ngx_media_mp2_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_int_t        rc;
    ngx_media_mp3_t  mp2;

    rc = ngx_media_mp3_parse_layer(&mp2, 2, pos, last);

    if (rc == NGX_OK) {
        ngx_media_mp3_params(params, &mp2, pos);

        params->codec = NGX_MEDIA_CODEC_MP2;
        params->object_type = NGX_MEDIA_MP2_OBJECT_TYPE;
    }

    return rc;
}


static ngx_int_t
ngx_media_mp2_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    return ngx_media_mp3_frame_layer(params, 2, pos, last, info);
}


/* RFC 6381, 3.3 */

static size_t
ngx_media_mp2_string(u_char *p, const ngx_media_params_t *params)
{
    if (p != NULL) {
        ngx_memcpy(p, "mp4a.40.33", 10);
    }

    return 10;
}


static size_t
ngx_media_mp2_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_mp4a(p, params,
                                    params->sample_rate < 32000
                                    ? NGX_MEDIA_MP4_OTI_MP2_L3
                                    : NGX_MEDIA_MP4_OTI_MP1_L3,
                                    0);
}


/* a frame that allocates no bits to any band, 2.4.1.6 */

static ngx_int_t
ngx_media_mp2_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence)
{
    u_char           *p;
    ngx_media_mp3_t   mp2;

    if (params->config_len != NGX_MEDIA_MP3_HEADER_SIZE) {
        return NGX_DECLINED;
    }

    p = silence->bytes;

    ngx_memcpy(p, params->config, NGX_MEDIA_MP3_HEADER_SIZE);
    p[1] |= 0x01;                             /* no CRC */
    p[2] |= NGX_MEDIA_MP2_BITRATE;

    if (ngx_media_mp3_parse_layer(&mp2, 2, p, p + NGX_MEDIA_MP3_HEADER_SIZE)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(p + NGX_MEDIA_MP3_HEADER_SIZE,
                mp2.size - NGX_MEDIA_MP3_HEADER_SIZE);

    silence->frame.pos = p;
    silence->frame.last = p + mp2.size;
    silence->samples = mp2.samples;
    silence->rate = mp2.sample_rate;

    return NGX_OK;
}


static uint32_t
ngx_media_mp2_samples(const u_char *pos, const u_char *last)
{
    ngx_media_mp3_t  mp2;

    return ngx_media_mp3_parse_layer(&mp2, 2, pos, last) == NGX_OK
           ? mp2.samples : 0;
}


static size_t
ngx_media_mp2_size(const u_char *pos, const u_char *last)
{
    ngx_media_mp3_t  mp2;

    return ngx_media_mp3_parse_layer(&mp2, 2, pos, last) == NGX_OK ? mp2.size
                                                                   : 0;
}
