
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * AC-3 and Enhanced AC-3: ETSI TS 102 366, annex F: dac3 and dec3.
 */


#include "formats/ngx_media_ac3.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_ts.h"


/* six blocks of 256; E-AC-3 may have fewer in a frame, dec3 does not say */
#define NGX_MEDIA_AC3_SAMPLES   1536

#define NGX_MEDIA_AC3_SYNCWORD  0x0b77

/* bsid: 4.4.2.1, up to 8; 9 and 10 are its half rates, 11 to 16 Enhanced
   AC-3, annex E */
#define NGX_MEDIA_AC3_BSID       8
#define NGX_MEDIA_AC3_BSID_LAST  10
#define NGX_MEDIA_EAC3_BSID      16

#define NGX_MEDIA_EAC3_DEPENDENT  1           /* strmtyp */

/* a sample of ISO BMFF has six blocks, F.6 */
#define NGX_MEDIA_EAC3_BLOCKS     6

/* bytes of dac3; of dec3 with one independent substream, F.4 and F.6 */
#define NGX_MEDIA_AC3_RECORD      3
#define NGX_MEDIA_EAC3_RECORD     6

/* what frames of a stream have in common, in their first three bytes, behind
   data_rate: fscod, bsid, acmod, lfeon; num_dep_sub */
#define NGX_MEDIA_AC3_SAME        0xfe3c00
#define NGX_MEDIA_EAC3_SAME       0xfe0f1e


/* a frame of Enhanced AC-3, ETSI TS 102 366, E.1.2 */

typedef struct {
    uint32_t                  type;           /* strmtyp */
    uint32_t                  substream;      /* substreamid */
    uint32_t                  size;           /* bytes */
    uint32_t                  blocks;
    uint32_t                  fscod;
    uint32_t                  acmod;
    uint32_t                  lfe;
    uint32_t                  bsid;
    uint32_t                  map;            /* chanmap */
} ngx_media_eac3_t;


static ngx_int_t ngx_media_ac3_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_eac3_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_ac3_params(ngx_media_params_t *params,
    uint32_t codec, uint32_t fscod, uint32_t acmod, uint32_t lfe,
    const ngx_media_span_t *config);
static ngx_int_t ngx_media_ac3_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static ngx_int_t ngx_media_eac3_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_eac3_size(const u_char *pos, const u_char *last);
static size_t ngx_media_ac3_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_ac3_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_ac3_learn(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_eac3_learn(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_ac3_record(u_char *config, const u_char *pos,
    const u_char *last);
static size_t ngx_media_eac3_record(u_char *config, const u_char *pos,
    const u_char *last);
static uint32_t ngx_media_eac3_samples(const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_eac3_parse(ngx_media_eac3_t *frame,
    const u_char *pos, const u_char *last);


const ngx_media_codec_t  ngx_media_ac3_codec = {
    NGX_MEDIA_CODEC_AC3,
    NGX_MEDIA_AUDIO,
    ngx_string("ac3"),
    NGX_MEDIA_IN_ALL,
    NGX_MEDIA_IS_LIVE | NGX_MEDIA_IS_STEADY,
    NGX_MEDIA_UNITS_FRAMES,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('a', 'c', '-', '3') },
        ngx_media_fourcc('d', 'a', 'c', '3'),
        { 0 },
        NULL                                  /* dovi */
    },
    { NGX_MEDIA_TS_AC3, 0, NGX_MEDIA_TS_ID_PRIVATE1,
      NGX_MEDIA_TS_RAW, 0, ngx_media_fourcc('A', 'C', '-', '3'),
      NGX_MEDIA_TS_DVB_AC3, ngx_media_fourcc('A', 'C', '-', '3'), NULL,
      NULL, NULL },
    { NGX_MEDIA_CODEC_AC3, 0, 0, 0, 0, 0, NULL },
    ngx_media_ac3_config,
    ngx_media_ac3_frame,
    ngx_media_ac3_string,
    ngx_media_ac3_entry,
    ngx_media_ac3_silence,
    NULL,                                     /* still */
    ngx_media_ac3_learn,
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    ngx_media_ac3_size
};


const ngx_media_codec_t  ngx_media_eac3_codec = {
    NGX_MEDIA_CODEC_EAC3,
    NGX_MEDIA_AUDIO,
    ngx_string("eac3"),
    NGX_MEDIA_IN_ALL,
    NGX_MEDIA_IS_LIVE,
    NGX_MEDIA_UNITS_FRAMES,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('e', 'c', '-', '3') },
        ngx_media_fourcc('d', 'e', 'c', '3'),
        { 0 },
        NULL                                  /* dovi */
    },
    { NGX_MEDIA_TS_EAC3, 0, NGX_MEDIA_TS_ID_PRIVATE1,
      NGX_MEDIA_TS_RAW, 1, ngx_media_fourcc('E', 'A', 'C', '3'),
      NGX_MEDIA_TS_DVB_EAC3, ngx_media_fourcc('E', 'A', 'C', '3'), NULL,
      NULL, NULL },
    { NGX_MEDIA_CODEC_EAC3, 0, 0, 0, 0, 0, NULL },
    ngx_media_eac3_config,
    ngx_media_eac3_frame,
    ngx_media_ac3_string,
    ngx_media_ac3_entry,
    ngx_media_eac3_silence,
    NULL,                                     /* still */
    ngx_media_eac3_learn,
    NULL,                                     /* assume */
    ngx_media_eac3_samples,
    ngx_media_eac3_size
};


/* by fscod, 4.4.1.3; by acmod, 4.4.2.3: channels, ISO/IEC 23091-3 */

static const uint32_t  ngx_media_ac3_rates[] = { 48000, 44100, 32000, 0 };
static const uint8_t  ngx_media_ac3_channels[] = { 2, 1, 2, 3, 3, 4, 4, 5 };
static const uint8_t  ngx_media_ac3_layouts[] = { 8, 1, 2, 3, 9, 4, 10, 5 };


/* F.4 */

static ngx_int_t
ngx_media_ac3_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    uint32_t          acmod, bsid, fscod, lfe;
    ngx_int_t         rc;
    ngx_media_bits_t  br;
    ngx_media_span_t  config;

    ngx_media_bits_init(&br, pos, last);

    fscod = ngx_media_bits_get(&br, 2);
    bsid = ngx_media_bits_get(&br, 5);
    ngx_media_bits_skip(&br, 3);              /* bsmod */
    acmod = ngx_media_bits_get(&br, 3);
    lfe = ngx_media_bits_get(&br, 1);
    ngx_media_bits_skip(&br, 10);

    if (br.err) {
        return NGX_ERROR;
    }

    config.pos = pos;
    config.last = pos + 3;

    rc = ngx_media_ac3_params(params, NGX_MEDIA_CODEC_AC3, fscod, acmod, lfe,
                              &config);

    if (rc != NGX_OK || bsid <= NGX_MEDIA_AC3_BSID) {
        return rc;
    }

    if (bsid > NGX_MEDIA_AC3_BSID_LAST) {
        return NGX_DECLINED;
    }

    /* not in the standard, but in decoders: half and quarter rates */

    params->sample_rate >>= bsid - NGX_MEDIA_AC3_BSID;
    params->timescale = params->sample_rate;

    return NGX_OK;
}


/* F.6; channels are those of the first substream and what depends on it */

static ngx_int_t
ngx_media_eac3_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    uint32_t          acmod, dependent, fscod, lfe, location, more;
    ngx_int_t         rc;
    ngx_media_bits_t  br;
    ngx_media_span_t  config;

    /* Lc/Rc, Lrs/Rrs, Cs, Ts, Lsd/Rsd, Lw/Rw, Lvh/Rvh, Cvh, LFE2 */

    static const uint8_t  locations[] = { 2, 2, 1, 1, 2, 2, 2, 1, 1 };

    ngx_media_bits_init(&br, pos, last);

    ngx_media_bits_skip(&br, 13 + 3);         /* data_rate, num_ind_sub */
    fscod = ngx_media_bits_get(&br, 2);
    ngx_media_bits_skip(&br, 5 + 1 + 1 + 3);  /* bsid, asvc, bsmod */
    acmod = ngx_media_bits_get(&br, 3);
    lfe = ngx_media_bits_get(&br, 1);
    ngx_media_bits_skip(&br, 3);
    dependent = ngx_media_bits_get(&br, 4);
    location = ngx_media_bits_get(&br, dependent ? 9 : 1);

    if (br.err) {
        return NGX_ERROR;
    }

    if (last - pos > NGX_MEDIA_CONFIG_MAX) {
        return NGX_DECLINED;
    }

    config.pos = pos;
    config.last = last;

    rc = ngx_media_ac3_params(params, NGX_MEDIA_CODEC_EAC3, fscod, acmod, lfe,
                              &config);

    if (rc != NGX_OK || dependent == 0) {
        return rc;
    }

    for (more = 0; more < 9; more++) {
        if (location >> (8 - more) & 1) {
            params->channels += locations[more];
            params->channel_config = 0;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_ac3_params(ngx_media_params_t *params, uint32_t codec,
    uint32_t fscod, uint32_t acmod, uint32_t lfe,
    const ngx_media_span_t *config)
{
    if (ngx_media_ac3_rates[fscod] == 0) {
        return NGX_DECLINED;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = codec;
    params->type = NGX_MEDIA_AUDIO;
    params->sample_rate = ngx_media_ac3_rates[fscod];
    params->timescale = params->sample_rate;
    params->channels = ngx_media_ac3_channels[acmod] + lfe;
    params->channel_config = ngx_media_ac3_layouts[acmod];
    params->frame_samples = NGX_MEDIA_AC3_SAMPLES;

    if (lfe) {
        params->channel_config = (acmod == 7) ? 6 : 0;
    }

    params->config_len = (uint32_t) ngx_media_span_len(config);
    ngx_memcpy(params->config, config->pos, params->config_len);

    return NGX_OK;
}


/* a whole frame, of the stream that is known */

static ngx_int_t
ngx_media_ac3_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    u_char  config[NGX_MEDIA_AC3_RECORD];

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->key = 1;

    if (pos == last) {
        info->empty = 1;
        return NGX_OK;
    }

    if (ngx_media_ac3_size(pos, last) != (size_t) (last - pos)
        || ngx_media_ac3_record(config, pos, last) != NGX_OK
        || params->config_len < NGX_MEDIA_AC3_RECORD)
    {
        return NGX_ERROR;
    }

    if ((ngx_media_get_be24(config) ^ ngx_media_get_be24(params->config))
        & NGX_MEDIA_AC3_SAME)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_eac3_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    u_char  config[NGX_MEDIA_EAC3_RECORD];

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->key = 1;

    if (pos == last) {
        info->empty = 1;
        return NGX_OK;
    }

    if (ngx_media_eac3_size(pos, last) != (size_t) (last - pos)
        || ngx_media_eac3_record(config, pos, last) == 0
        || params->config_len < NGX_MEDIA_EAC3_RECORD - 1)
    {
        return NGX_ERROR;
    }

    if ((ngx_media_get_be24(config + 2)
         ^ ngx_media_get_be24(params->config + 2))
        & NGX_MEDIA_EAC3_SAME)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* 4.4.1.4 and 5.3.1.3: the bit rate by frmsizecod; E.1.3.1.3: frmsiz */

size_t
ngx_media_ac3_size(const u_char *pos, const u_char *last)
{
    uint32_t  bsid, code, fscod, kbps;

    static const uint16_t  rates[] = {
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
        448, 512, 576, 640
    };

    if (last - pos < 6 || (pos[0] << 8 | pos[1]) != NGX_MEDIA_AC3_SYNCWORD) {
        return 0;
    }

    bsid = pos[5] >> 3;

    if (bsid > NGX_MEDIA_EAC3_BSID) {
        return 0;
    }

    if (bsid > NGX_MEDIA_AC3_BSID_LAST) {
        return (((pos[2] & 0x07) << 8 | pos[3]) + 1) * 2;
    }

    fscod = pos[4] >> 6;
    code = pos[4] & 0x3f;

    if (code / 2 >= sizeof(rates) / sizeof(rates[0])) {
        return 0;
    }

    kbps = rates[code / 2];

    switch (fscod) {

    case 0:                                   /* 48 kHz */
        return kbps * 4;

    case 1:                                   /* 44.1 kHz: what is left over */
        return (kbps * 96000 / 44100 + (code & 1)) * 2;

    case 2:                                   /* 32 kHz */
        return kbps * 6;

    default:
        return 0;
    }
}


static size_t
ngx_media_ac3_string(u_char *p, const ngx_media_params_t *params)
{
    if (p != NULL) {
        ngx_memcpy(p, params->codec == NGX_MEDIA_CODEC_AC3 ? "ac-3" : "ec-3",
                   4);
    }

    return 4;
}


static size_t
ngx_media_ac3_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_audio(p, params, params->codec,
                                     params->codec == NGX_MEDIA_CODEC_AC3
                                     ? ngx_media_fourcc('d', 'a', 'c', '3')
                                     : ngx_media_fourcc('d', 'e', 'c', '3'));
}


static ngx_int_t
ngx_media_ac3_learn(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    u_char  config[NGX_MEDIA_AC3_RECORD];

    if (ngx_media_ac3_record(config, pos, last) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_media_ac3_config(params, config, config + sizeof(config));
}


/* ETSI TS 102 366, 4.3.1, 4.3.2 and F.4 */

static ngx_int_t
ngx_media_ac3_record(u_char *config, const u_char *pos, const u_char *last)
{
    uint32_t          acmod, bsid, bsmod, code, fscod, lfe;
    ngx_media_bits_t  br;

    ngx_media_bits_init(&br, pos, last);

    if (ngx_media_bits_get(&br, 16) != NGX_MEDIA_AC3_SYNCWORD) {
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

    if (br.err || code > 37 || bsid > NGX_MEDIA_AC3_BSID_LAST) {
        return NGX_DECLINED;
    }

    (void) ngx_media_put_be24(config, fscod << 22 | bsid << 17 | bsmod << 14
                                      | acmod << 11 | lfe << 10
                                      | (code >> 1) << 5);

    return NGX_OK;
}


static ngx_int_t
ngx_media_eac3_learn(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    u_char  config[NGX_MEDIA_EAC3_RECORD];
    size_t  size;

    size = ngx_media_eac3_record(config, pos, last);

    if (size == 0) {
        return NGX_DECLINED;
    }

    return ngx_media_eac3_config(params, config, config + size);
}


/*
 * F.6; a packet is an independent frame and those that depend on it.  Bytes of
 * the record, 0: it is no such packet.
 */

static size_t
ngx_media_eac3_record(u_char *config, const u_char *pos, const u_char *last)
{
    u_char            *p;
    uint32_t           bytes, dependent, location, rate;
    ngx_media_eac3_t   first, next;

    if (ngx_media_eac3_parse(&first, pos, last) != NGX_OK
        || first.type == NGX_MEDIA_EAC3_DEPENDENT || first.fscod == 3)
    {
        return 0;
    }

    bytes = first.size;
    dependent = 0;
    location = 0;

    for ( ;; ) {
        pos += ngx_min(first.size, (size_t) (last - pos));

        if (ngx_media_eac3_parse(&next, pos, last) != NGX_OK
            || next.type != NGX_MEDIA_EAC3_DEPENDENT || dependent == 8)
        {
            break;
        }

        dependent++;
        bytes += next.size;
        location |= (next.map >> 3 & 0xff) << 1 | (next.map >> 1 & 1);
        first.size = next.size;
    }

    rate = (uint32_t) ((uint64_t) bytes * 8 * ngx_media_ac3_rates[first.fscod]
                       / (first.blocks * 256) / 1000);
    rate = ngx_min(rate, 0x1fff);

    p = ngx_media_put_be16(config, rate << 3);
    p = ngx_media_put_be24(p, first.fscod << 22 | first.bsid << 17
                              | first.acmod << 9 | first.lfe << 8
                              | dependent << 1 | location >> 8);

    if (dependent) {
        p = ngx_media_put_8(p, location & 0xff);
    }

    return p - config;
}


/*
 * What a sample of ISO BMFF is: a frame of the first substream with those that
 * depend on it and the other programs, and more of them up to six blocks
 */

static size_t
ngx_media_eac3_size(const u_char *pos, const u_char *last)
{
    size_t            size;
    uint32_t          blocks;
    ngx_int_t         rc;
    ngx_media_eac3_t  frame;

    blocks = 0;
    size = 0;

    while (size < (size_t) (last - pos)) {

        rc = ngx_media_eac3_parse(&frame, pos + size, last);

        if (rc == NGX_AGAIN) {
            return size + ngx_media_ac3_size(pos + size, last);
        }

        if (rc != NGX_OK) {
            break;
        }

        if (frame.type != NGX_MEDIA_EAC3_DEPENDENT && frame.substream == 0) {

            if (blocks >= NGX_MEDIA_EAC3_BLOCKS) {
                break;
            }

            blocks += frame.blocks;

        } else if (blocks == 0) {
            break;
        }

        size += frame.size;
    }

    return size;
}


/* NGX_AGAIN: its header is not whole */

static ngx_int_t
ngx_media_eac3_parse(ngx_media_eac3_t *frame, const u_char *pos,
    const u_char *last)
{
    uint32_t          code, mono;
    ngx_media_bits_t  br;

    static const uint8_t  blocks[] = { 1, 2, 3, 6 };

    ngx_memzero(frame, sizeof(ngx_media_eac3_t));
    ngx_media_bits_init(&br, pos, last);

    if (ngx_media_bits_get(&br, 16) != NGX_MEDIA_AC3_SYNCWORD) {
        return NGX_ERROR;
    }

    frame->type = ngx_media_bits_get(&br, 2);
    frame->substream = ngx_media_bits_get(&br, 3);
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

    if (frame->type == NGX_MEDIA_EAC3_DEPENDENT
        && ngx_media_bits_get(&br, 1))
    {
        frame->map = ngx_media_bits_get(&br, 16);
    }

    if (br.err) {
        return NGX_AGAIN;
    }

    if (frame->bsid <= NGX_MEDIA_AC3_BSID_LAST
        || frame->bsid > NGX_MEDIA_EAC3_BSID)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* of the first program, all frames of it that are in the packet */

static uint32_t
ngx_media_eac3_samples(const u_char *pos, const u_char *last)
{
    uint32_t              samples;
    ngx_media_eac3_t  frame;

    samples = 0;

    while (ngx_media_eac3_parse(&frame, pos, last) == NGX_OK) {

        if (frame.type != NGX_MEDIA_EAC3_DEPENDENT && frame.substream == 0) {
            samples += frame.blocks * 256;
        }

        pos += ngx_min(frame.size, (size_t) (last - pos));
    }

    return samples;
}
