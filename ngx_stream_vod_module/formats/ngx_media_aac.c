
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * AAC: AudioSpecificConfig of ISO/IEC 14496-3, 1.6.2.1, and what follows from
 * it for the track.
 *
 * SBR doubles the rate of its core.  Where the configuration says so, the
 * track has the doubled rate, and so twice the samples in a frame; a decoder
 * that plays the core alone ("implicit" below) still keeps time.
 */


#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_flv_fields.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_ts.h"


#define NGX_MEDIA_AAC_SYNC_SBR   0x2b7
#define NGX_MEDIA_AAC_SYNC_PS    0x548
#define NGX_MEDIA_AAC_RATE_MIN   4000
#define NGX_MEDIA_AAC_RATE_MAX   384000
#define NGX_MEDIA_AAC_CONFIGS    15

/* id_syn_ele, ISO/IEC 14496-3, table 4.85 */
#define NGX_MEDIA_AAC_ID_SCE     0
#define NGX_MEDIA_AAC_ID_CPE     1
#define NGX_MEDIA_AAC_ID_LFE     3
#define NGX_MEDIA_AAC_ID_END     7

/* bytes, of pairs of channels only: 61 bits each, and 3 */
#define NGX_MEDIA_AAC_OWN_MAX    (NGX_MEDIA_AAC_ELEMENTS * 61 / 8 + 1)


static ngx_int_t ngx_media_aac_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_aac_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_aac_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_aac_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_aac_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence);
static void ngx_media_aac_own(const ngx_media_aac_t *aac,
    ngx_media_silence_t *silence);
static void ngx_media_aac_put(u_char *p, size_t *bit, ngx_uint_t n,
    uint32_t value);
static ngx_int_t ngx_media_aac_parse_core(ngx_media_aac_t *aac,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_aac_parse_ga(ngx_media_aac_t *aac,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_aac_parse_eld(ngx_media_aac_t *aac,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_aac_parse_usac(ngx_media_aac_t *aac,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_aac_parse_sync(ngx_media_aac_t *aac,
    ngx_media_bits_t *br, uint32_t *rate);
static ngx_int_t ngx_media_aac_apply_sbr(ngx_media_aac_t *aac, uint32_t rate);
static uint32_t ngx_media_aac_pce(ngx_media_aac_t *aac,
    ngx_media_bits_t *br);
static uint32_t ngx_media_aac_elements(ngx_media_aac_t *aac,
    ngx_media_bits_t *br, uint32_t n, ngx_uint_t lfe);
static uint32_t ngx_media_aac_object_type(ngx_media_bits_t *br);
static uint32_t ngx_media_aac_rate(ngx_media_bits_t *br);


const ngx_media_codec_t  ngx_media_aac_codec = {
    NGX_MEDIA_CODEC_AAC,
    NGX_MEDIA_AUDIO,
    ngx_string("aac"),
    NGX_MEDIA_IN_ALL,
    NGX_MEDIA_IS_LIVE | NGX_MEDIA_IS_STEADY,
    NGX_MEDIA_UNITS_AAC,
    0,                                        /* skip */
    {
        { 0 },
        0,                                    /* record */
        { NGX_MEDIA_MP4_OTI_AAC, NGX_MEDIA_MP4_OTI_MP2_MAIN,
          NGX_MEDIA_MP4_OTI_MP2_LC, NGX_MEDIA_MP4_OTI_MP2_SSR },
        NULL                                  /* dovi */
    },
    { NGX_MEDIA_TS_ADTS, 0, NGX_MEDIA_TS_ID_AUDIO,
      NGX_MEDIA_TS_AAC, 0, 0, 0, 0, NULL, NULL, NULL },
    { NGX_MEDIA_CODEC_AAC, NGX_MEDIA_FLV_AAC, 0, 0, 0, 1, NULL },
    ngx_media_aac_config,
    ngx_media_aac_frame,
    ngx_media_aac_string,
    ngx_media_aac_entry,
    ngx_media_aac_silence,
    NULL,                                     /* still */
    NULL,                                     /* learn */
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    NULL                                      /* size */
};


/*
 * samplingFrequencyIndex, table 1.18, continued by usacSamplingFrequencyIndex
 * of ISO/IEC 23003-3, table 67; 0: reserved
 */

static const uint32_t  ngx_media_aac_rates[] = {
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050,
    16000, 12000, 11025, 8000, 7350, 0, 0, 57600,
    51200, 40000, 38400, 34150, 28800, 25600, 20000, 19200,
    17075, 14400, 12800, 9600, 0, 0, 0
};


/*
 * Channels of channelConfiguration, table 1.19 (8 to 10: USAC only, 23003-3);
 * the same numbers as ISO/IEC 23091-3
 */

static const uint8_t  ngx_media_aac_channels[NGX_MEDIA_AAC_CONFIGS] = {
    0, 1, 2, 3, 4, 5, 6, 8, 2, 3, 4, 7, 8, 24, 8
};


/*
 * One raw_data_block of silence for each channelConfiguration: its syntactic
 * elements, each one long window with a single section of codebook zero, then
 * ID_END.  It holds for both frame lengths, and for HE-AAC too: without SBR
 * data its decoder merely upsamples.
 */

#define ngx_media_aac_block(s)                                                \
    { (const u_char *) s, (const u_char *) s + sizeof(s) - 1 }

static const ngx_media_span_t  ngx_media_aac_blocks[NGX_MEDIA_AAC_CONFIGS] = {
    { NULL, NULL },
    ngx_media_aac_block("\x00\xc8\x00\x80\x23\x80"),
    ngx_media_aac_block("\x21\x00\x49\x90\x02\x19\x00\x23\x80"),
    ngx_media_aac_block("\x00\xc8\x00\x80\x20\x84\x01\x26\x40\x08\x64\x00"
                        "\x8e"),
    ngx_media_aac_block("\x00\xc8\x00\x80\x20\x84\x01\x26\x40\x08\x64\x00"
                        "\x80\x2c\x80\x08\x02\x38"),
    ngx_media_aac_block("\x00\xc8\x00\x80\x20\x84\x01\x26\x40\x08\x64\x00"
                        "\x82\x30\x04\x99\x00\x21\x90\x02\x38"),
    ngx_media_aac_block("\x00\xc8\x00\x80\x20\x84\x01\x26\x40\x08\x64\x00"
                        "\x82\x30\x04\x99\x00\x21\x90\x02\x18\x32\x00\x20"
                        "\x08\xe0"),
    ngx_media_aac_block("\x00\xc8\x00\x80\x20\x84\x01\x26\x40\x08\x64\x00"
                        "\x82\x30\x04\x99\x00\x21\x90\x02\x09\x40\x12\x64"
                        "\x00\x86\x40\x08\x60\xc8\x00\x80\x23\x80"),
    { NULL, NULL },
    { NULL, NULL },
    { NULL, NULL },
    ngx_media_aac_block("\x00\xc8\x00\x80\x20\x84\x01\x26\x40\x08\x64\x00"
                        "\x82\x30\x04\x99\x00\x21\x90\x02\x00\xb2\x00\x20"
                        "\x08\x60\xc8\x00\x80\x23\x80"),
    ngx_media_aac_block("\x00\xc8\x00\x80\x20\x84\x01\x26\x40\x08\x64\x00"
                        "\x82\x30\x04\x99\x00\x21\x90\x02\x09\x40\x12\x64"
                        "\x00\x86\x40\x08\x60\xc8\x00\x80\x23\x80"),
    { NULL, NULL },
    { NULL, NULL }
};


static ngx_int_t
ngx_media_aac_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_int_t        rc;
    ngx_media_aac_t  aac;

    rc = ngx_media_aac_parse(&aac, pos, last);

    if (rc != NGX_OK) {
        return rc;
    }

    if (last - pos > NGX_MEDIA_CONFIG_MAX) {
        return NGX_DECLINED;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_CODEC_AAC;
    params->type = NGX_MEDIA_AUDIO;
    params->timescale = aac.rate;
    params->object_type = aac.object_type;
    params->channel_config = aac.channel_config;
    params->sample_rate = aac.rate;
    params->channels = aac.channels;
    params->frame_samples = aac.frame_samples;

    params->config_len = last - pos;
    ngx_memcpy(params->config, pos, params->config_len);

    return NGX_OK;
}


ngx_int_t
ngx_media_aac_parse(ngx_media_aac_t *aac, const u_char *pos,
    const u_char *last)
{
    uint32_t          rate;
    ngx_int_t         rc;
    ngx_media_bits_t  br;

    ngx_memzero(aac, sizeof(ngx_media_aac_t));
    ngx_media_bits_init(&br, pos, last);

    rate = 0;

    aac->core = ngx_media_aac_object_type(&br);
    aac->core_rate = ngx_media_aac_rate(&br);
    aac->layout = ngx_media_bits_get(&br, 4);

    if (aac->core == NGX_MEDIA_AAC_SBR || aac->core == NGX_MEDIA_AAC_PS) {
        aac->sbr = 1;
        aac->ps = (aac->core == NGX_MEDIA_AAC_PS);

        rate = ngx_media_aac_rate(&br);
        aac->core = ngx_media_aac_object_type(&br);

        if (aac->core == NGX_MEDIA_AAC_ER_BSAC) {
            ngx_media_bits_skip(&br, 4);
        }
    }

    if (br.err || aac->core == 0 || aac->core_rate == 0) {
        return NGX_ERROR;
    }

    if (aac->core_rate < NGX_MEDIA_AAC_RATE_MIN
        || aac->core_rate > NGX_MEDIA_AAC_RATE_MAX)
    {
        return NGX_DECLINED;
    }

    aac->rate = aac->core_rate;
    aac->object_type = aac->core;

    rc = ngx_media_aac_parse_core(aac, &br);

    if (rc != NGX_OK) {
        return rc;
    }

    if (br.err || aac->channels == 0) {
        return NGX_ERROR;
    }

    if (aac->core != NGX_MEDIA_AAC_ER_ELD && aac->core != NGX_MEDIA_AAC_USAC) {
        aac->bits = (uint32_t) br.read;
    }

    if (!aac->sbr && ngx_media_aac_parse_sync(aac, &br, &rate) != NGX_OK) {
        return NGX_OK;
    }

    return ngx_media_aac_apply_sbr(aac, rate);
}


static ngx_int_t
ngx_media_aac_parse_core(ngx_media_aac_t *aac, ngx_media_bits_t *br)
{
    if (aac->layout >= NGX_MEDIA_AAC_CONFIGS
        || (aac->layout >= 8 && aac->layout <= 10))
    {
        return NGX_ERROR;
    }

    aac->channel_config = aac->layout;
    aac->channels = ngx_media_aac_channels[aac->layout];

    switch (aac->core) {

    case NGX_MEDIA_AAC_MAIN:
    case NGX_MEDIA_AAC_LC:
    case NGX_MEDIA_AAC_SSR:
    case NGX_MEDIA_AAC_LTP:
    case NGX_MEDIA_AAC_ER_LC:
    case NGX_MEDIA_AAC_ER_LTP:
    case NGX_MEDIA_AAC_ER_BSAC:
    case NGX_MEDIA_AAC_ER_LD:
        return ngx_media_aac_parse_ga(aac, br);

    case NGX_MEDIA_AAC_ER_ELD:
        return ngx_media_aac_parse_eld(aac, br);

    case NGX_MEDIA_AAC_USAC:
        return ngx_media_aac_parse_usac(aac, br);

    default:
        return NGX_DECLINED;
    }
}


/* GASpecificConfig, 4.4.1; then epConfig of 1.6.2.1 */

static ngx_int_t
ngx_media_aac_parse_ga(ngx_media_aac_t *aac, ngx_media_bits_t *br)
{
    uint32_t  extension;

    aac->frame_samples = ngx_media_bits_get(br, 1) ? 960 : 1024;

    if (aac->core == NGX_MEDIA_AAC_ER_LD) {
        aac->frame_samples /= 2;
    }

    if (ngx_media_bits_get(br, 1)) {          /* dependsOnCoreCoder */
        ngx_media_bits_skip(br, 14);
    }

    extension = ngx_media_bits_get(br, 1);

    if (aac->layout == 0) {
        aac->channels = ngx_media_aac_pce(aac, br);
    }

    if (extension) {

        if (aac->core == NGX_MEDIA_AAC_ER_BSAC) {
            ngx_media_bits_skip(br, 16);

        } else if (aac->core >= NGX_MEDIA_AAC_ER_LC) {
            ngx_media_bits_skip(br, 3);
        }

        ngx_media_bits_skip(br, 1);
    }

    if (aac->core >= NGX_MEDIA_AAC_ER_LC
        && ngx_media_bits_get(br, 2) > 1)
    {
        return NGX_DECLINED;                  /* ErrorProtectionSpecific */
    }

    return NGX_OK;
}


/* ELDSpecificConfig, 4.6.20: as far as it matters here */

static ngx_int_t
ngx_media_aac_parse_eld(ngx_media_aac_t *aac, ngx_media_bits_t *br)
{
    aac->frame_samples = ngx_media_bits_get(br, 1) ? 480 : 512;

    ngx_media_bits_skip(br, 3);

    if (ngx_media_bits_get(br, 1)             /* ldSbrPresentFlag */
        && ngx_media_bits_get(br, 1))         /* ldSbrSamplingRate */
    {
        aac->rate *= 2;
        aac->frame_samples *= 2;
    }

    /* what follows depends on the SBR header and would not be understood */

    br->pos = br->last;
    br->left = 0;

    return NGX_OK;
}


/* UsacConfig, ISO/IEC 23003-3, 5.2 */

static ngx_int_t
ngx_media_aac_parse_usac(ngx_media_aac_t *aac, ngx_media_bits_t *br)
{
    uint32_t  i;

    static const uint32_t  samples[] = { 768, 1024, 2048, 2048, 4096 };

    i = ngx_media_bits_get(br, 5);

    if (i == 0x1f) {
        aac->rate = ngx_media_bits_get(br, 24);

    } else {
        aac->rate = ngx_media_aac_rates[i];
    }

    i = ngx_media_bits_get(br, 3);            /* coreSbrFrameLengthIndex */

    if (br->err || i >= sizeof(samples) / sizeof(samples[0])
        || aac->rate == 0)
    {
        return NGX_ERROR;
    }

    if (aac->rate < NGX_MEDIA_AAC_RATE_MIN
        || aac->rate > NGX_MEDIA_AAC_RATE_MAX)
    {
        return NGX_DECLINED;
    }

    aac->frame_samples = samples[i];

    i = ngx_media_bits_get(br, 5);            /* channelConfigurationIndex */

    if (br->err || i > 13) {
        return NGX_ERROR;
    }

    aac->channel_config = i;
    aac->channels = ngx_media_aac_channels[i];

    if (i == 0) {
        aac->channels = ngx_media_bits_get(br, 5);

        if (aac->channels == 31) {            /* escapedValue(5, 8, 16) */
            i = ngx_media_bits_get(br, 8);

            if (i == 255) {
                return NGX_DECLINED;
            }

            aac->channels += i;
        }
    }

    /* the rest configures the decoder; SBR is in the rate already */

    br->pos = br->last;
    br->left = 0;

    return NGX_OK;
}


/* the backward compatible way to signal SBR and PS, 1.6.5.1 */

static ngx_int_t
ngx_media_aac_parse_sync(ngx_media_aac_t *aac, ngx_media_bits_t *br,
    uint32_t *rate)
{
    uint32_t  ps;

    if (ngx_media_bits_left(br) < 16
        || ngx_media_bits_get(br, 11) != NGX_MEDIA_AAC_SYNC_SBR
        || ngx_media_aac_object_type(br) != NGX_MEDIA_AAC_SBR
        || ngx_media_bits_get(br, 1) == 0)
    {
        return NGX_DECLINED;
    }

    *rate = ngx_media_aac_rate(br);

    if (br->err || (*rate != aac->core_rate && *rate != aac->core_rate * 2)) {
        return NGX_DECLINED;
    }

    ps = 0;

    if (ngx_media_bits_left(br) >= 12
        && ngx_media_bits_get(br, 11) == NGX_MEDIA_AAC_SYNC_PS)
    {
        ps = ngx_media_bits_get(br, 1);
    }

    aac->sbr = 1;
    aac->ps = ps;
    aac->implicit = 1;

    return NGX_OK;
}


/* SBR plays at twice the rate of its core or, downsampled, at the same */

static ngx_int_t
ngx_media_aac_apply_sbr(ngx_media_aac_t *aac, uint32_t rate)
{
    if (rate != aac->core_rate && rate != aac->core_rate * 2) {
        return NGX_ERROR;
    }

    aac->frame_samples *= rate / aac->core_rate;
    aac->rate = rate;
    aac->object_type = aac->ps ? NGX_MEDIA_AAC_PS : NGX_MEDIA_AAC_SBR;

    if (aac->ps && aac->channels == 1) {
        aac->channels = 2;
        aac->channel_config = 2;
    }

    return NGX_OK;
}


/* program_config_element, 4.4.1.1; the number of channels, 0 on error */

static uint32_t
ngx_media_aac_pce(ngx_media_aac_t *aac, ngx_media_bits_t *br)
{
    uint32_t  back, cc, channels, data, front, lfe, side;

    ngx_media_bits_skip(br, 4 + 2 + 4);

    front = ngx_media_bits_get(br, 4);
    side = ngx_media_bits_get(br, 4);
    back = ngx_media_bits_get(br, 4);
    lfe = ngx_media_bits_get(br, 2);
    data = ngx_media_bits_get(br, 3);
    cc = ngx_media_bits_get(br, 4);

    if (ngx_media_bits_get(br, 1)) {          /* mono_mixdown */
        ngx_media_bits_skip(br, 4);
    }

    if (ngx_media_bits_get(br, 1)) {          /* stereo_mixdown */
        ngx_media_bits_skip(br, 4);
    }

    if (ngx_media_bits_get(br, 1)) {          /* matrix_mixdown_idx */
        ngx_media_bits_skip(br, 3);
    }

    channels = ngx_media_aac_elements(aac, br, front + side + back, 0);
    channels += ngx_media_aac_elements(aac, br, lfe, 1);

    ngx_media_bits_skip(br, data * 4 + cc * 5);
    ngx_media_bits_align(br);
    ngx_media_bits_skip(br, (uint64_t) ngx_media_bits_get(br, 8) * 8);

    return br->err ? 0 : channels;
}


static uint32_t
ngx_media_aac_elements(ngx_media_aac_t *aac, ngx_media_bits_t *br, uint32_t n,
    ngx_uint_t lfe)
{
    uint32_t  channels, id;

    for (channels = 0; n; n--) {
        id = NGX_MEDIA_AAC_ID_LFE;

        if (!lfe) {
            id = ngx_media_bits_get(br, 1) ? NGX_MEDIA_AAC_ID_CPE
                                           : NGX_MEDIA_AAC_ID_SCE;
        }

        channels += id == NGX_MEDIA_AAC_ID_CPE ? 2 : 1;
        aac->elements[aac->nelements++] = id << 4 | ngx_media_bits_get(br, 4);
    }

    return channels;
}


static uint32_t
ngx_media_aac_object_type(ngx_media_bits_t *br)
{
    uint32_t  type;

    type = ngx_media_bits_get(br, 5);

    if (type == NGX_MEDIA_AAC_ESCAPE) {
        type = 32 + ngx_media_bits_get(br, 6);
    }

    return type;
}


/* 0: reserved or past the end */

static uint32_t
ngx_media_aac_rate(ngx_media_bits_t *br)
{
    uint32_t  i;

    i = ngx_media_bits_get(br, 4);

    return (i == 0x0f) ? ngx_media_bits_get(br, 24) : ngx_media_aac_rates[i];
}


static ngx_int_t
ngx_media_aac_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->key = 1;

    if (pos == last) {
        info->empty = 1;
        return NGX_OK;
    }

    /* usacIndependencyFlag, ISO/IEC 23003-3, 5.3.2 */

    if (params->object_type == NGX_MEDIA_AAC_USAC) {
        info->key = pos[0] >> 7;
        return NGX_OK;
    }

    /* an ADTS header: not what CMAF carries, no decoder would take it */

    if (last - pos >= 2 && pos[0] == 0xff && (pos[1] & 0xf6) == 0xf0) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* RFC 6381, 3.3: "mp4a.40." and the object type in decimal */

static size_t
ngx_media_aac_string(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = sizeof("mp4a.40.N") - 1 + (params->object_type > 9);

    if (p != NULL) {
        p = ngx_cpymem(p, "mp4a.40.", 8);

        if (params->object_type > 9) {
            *p++ = '0' + params->object_type / 10;
        }

        *p = '0' + params->object_type % 10;
    }

    return n;
}


static size_t
ngx_media_aac_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_mp4a(p, params, NGX_MEDIA_MP4_OTI_AAC,
                                    params->config_len);
}


static ngx_int_t
ngx_media_aac_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence)
{
    ngx_media_aac_t  aac;

    if (ngx_media_aac_parse(&aac, params->config,
                            params->config + params->config_len)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* the error resilient types and USAC have other frames; SSR has more */

    if (aac.core != NGX_MEDIA_AAC_MAIN && aac.core != NGX_MEDIA_AAC_LC
        && aac.core != NGX_MEDIA_AAC_LTP)
    {
        return NGX_DECLINED;
    }

    if (aac.nelements) {
        ngx_media_aac_own(&aac, silence);

    } else if (ngx_media_aac_blocks[aac.layout].pos == NULL) {
        return NGX_DECLINED;

    } else {
        silence->frame = ngx_media_aac_blocks[aac.layout];
    }

    silence->samples = aac.frame_samples;
    silence->rate = aac.rate;

    return NGX_OK;
}


/* the same for a layout that a program_config_element has listed */

static void
ngx_media_aac_own(const ngx_media_aac_t *aac, ngx_media_silence_t *silence)
{
    size_t       bit;
    u_char      *p;
    uint32_t     i, id, n;

    bit = 0;
    p = silence->bytes;

    ngx_memzero(p, NGX_MEDIA_AAC_OWN_MAX);

    for (i = 0; i < aac->nelements; i++) {
        id = aac->elements[i] >> 4;

        ngx_media_aac_put(p, &bit, 3, id);
        ngx_media_aac_put(p, &bit, 4, aac->elements[i] & 0x0f);

        if (id == NGX_MEDIA_AAC_ID_CPE) {
            ngx_media_aac_put(p, &bit, 1, 1); /* common_window */
            ngx_media_aac_put(p, &bit, 11, 2);
                                              /* ics_info: max_sfb 1 */
            ngx_media_aac_put(p, &bit, 2, 0); /* ms_mask_present */
        }

        for (n = id == NGX_MEDIA_AAC_ID_CPE ? 2 : 1; n; n--) {
            ngx_media_aac_put(p, &bit, 8, 100);
                                              /* global_gain */
            if (id != NGX_MEDIA_AAC_ID_CPE) {
                ngx_media_aac_put(p, &bit, 11, 2);
            }

            ngx_media_aac_put(p, &bit, 9, 1); /* codebook 0, one band */
            ngx_media_aac_put(p, &bit, 3, 0); /* no pulses, TNS, gain */
        }
    }

    ngx_media_aac_put(p, &bit, 3, NGX_MEDIA_AAC_ID_END);

    silence->frame.pos = p;
    silence->frame.last = p + (bit + 7) / 8;
}


/* the bits were zero */

static void
ngx_media_aac_put(u_char *p, size_t *bit, ngx_uint_t n, uint32_t value)
{
    while (n--) {
        p[*bit / 8] |= (value >> n & 1) << (7 - *bit % 8);
        (*bit)++;
    }
}


ngx_int_t
ngx_media_aac_params(ngx_media_params_t *params, ngx_uint_t sample_rate,
    ngx_uint_t channels)
{
    u_char      config[2];
    ngx_uint_t  i;

    /* channelConfiguration: 7 channels are 6.1, 8 the older of the 7.1 */

    static const uint8_t  configs[] = { 0, 1, 2, 3, 4, 5, 6, 11, 7 };

    if (sample_rate == 0 || channels == 0 || channels >= sizeof(configs)) {
        return NGX_DECLINED;
    }

    for (i = 0; ngx_media_aac_rates[i] != sample_rate; i++) {
        if (ngx_media_aac_rates[i] == 0) {
            return NGX_DECLINED;
        }
    }

    ngx_media_put_be16(config, NGX_MEDIA_AAC_LC << 11 | i << 7
                               | (uint32_t) configs[channels] << 3);

    return ngx_media_aac_config(params, config, config + 2);
}
