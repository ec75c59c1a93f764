
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Elementary streams.  H.264 and HEVC become byte streams (annex B of either)
 * whose access units begin with a delimiter, as ISO/IEC 13818-1, 2.14.1 and
 * 2.17.1 demand; AAC gets ADTS headers; the rest is carried as it is.
 */


#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_ts_es.h"


/* nal_unit_type of AUD_NUT, ISO/IEC 23008-2, table 7-1 */
#define NGX_MEDIA_TS_H265_AUD    35

/* nal_unit_type of SVC, MVC and 3D-AVC, ISO/IEC 14496-10, table 7-1 */
#define NGX_MEDIA_TS_H264_PREFIX      14
#define NGX_MEDIA_TS_H264_SUBSET_SPS  15
#define NGX_MEDIA_TS_H264_EXTENSION   20
#define NGX_MEDIA_TS_H264_DEPTH       21

/* nuh_layer_id, ISO/IEC 23008-2, 7.3.1.2 */
#define ngx_media_ts_h265_layer(nal)                                          \
    (((nal)[0] & 0x01) << 5 | (nal)[1] >> 3)

/* id_syn_ele of a program_config_element, ISO/IEC 14496-3, table 4.85 */
#define NGX_MEDIA_TS_ID_PCE      5

/* ISO/IEC 13818-3: what is below, Hz, is another stream type */
#define NGX_MEDIA_TS_HALF        32000

/* control_header_prefix of 11 bits; no trims, no extension */
#define NGX_MEDIA_TS_CONTROL_PREFIX  0x7fe0

/* bytes of a registration_descriptor; of extension_descriptor with the code */
#define NGX_MEDIA_TS_REGISTERED  6
#define NGX_MEDIA_TS_EXTENDED    4

/* the front of hvcC, up to its arrays */
#define NGX_MEDIA_TS_HVCC_HEAD   22


typedef struct {
    u_char                   *pos;
    size_t                    bits;           /* written so far */
    size_t                    max;            /* room, in bits */
} ngx_media_ts_bits_t;


static ngx_int_t ngx_media_ts_es_nal(ngx_media_ts_es_t *es,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_ts_es_aac(ngx_media_ts_es_t *es,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_ts_es_pce(ngx_media_ts_es_t *es,
    const ngx_media_aac_t *aac, const ngx_media_params_t *params);
static uint32_t ngx_media_ts_copy_bits(ngx_media_ts_bits_t *bw,
    ngx_media_bits_t *br, ngx_uint_t n);
static void ngx_media_ts_put_bits(ngx_media_ts_bits_t *bw, uint32_t value,
    ngx_uint_t n);
static size_t ngx_media_ts_es_avcc(u_char *p, const u_char *pos,
    const u_char *last);
static size_t ngx_media_ts_es_hvcc(u_char *p, const u_char *pos,
    const u_char *last);
static size_t ngx_media_ts_es_array(u_char *p, ngx_media_reader_t *r,
    ngx_uint_t n, ngx_media_units_e units);
static size_t ngx_media_ts_registration(u_char *p, uint32_t id);
static size_t ngx_media_ts_extension(u_char *p, const ngx_media_ts_es_t *es);
static size_t ngx_media_ts_language(u_char *p, const ngx_media_ts_es_t *es);


/* timed metadata: no codec of a track */

static const ngx_media_codec_ts_t  ngx_media_ts_id3 = {
    NGX_MEDIA_TS_METADATA, 0, NGX_MEDIA_TS_ID_PRIVATE1, NGX_MEDIA_TS_RAW, 0, 0,
    0, 0, NULL, NULL, NULL
};


/* nal_unit_type 9 and 35, with the most permissive picture type */

static const u_char  ngx_media_ts_h264_aud[] = { 0, 0, 0, 1, 0x09, 0xf0 };
static const u_char  ngx_media_ts_h265_aud[] = { 0, 0, 0, 1, 0x46, 1, 0x50 };


/* sampling_frequency_index, ISO/IEC 14496-3, table 1.18 */

static const uint32_t  ngx_media_ts_rates[] = {
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000,
    11025, 8000, 7350
};


ngx_int_t
ngx_media_ts_es_init(ngx_media_ts_es_t *es, const ngx_media_params_t *params)
{
    const ngx_media_codec_t     *codec;
    const ngx_media_codec_ts_t  *ts;

    codec = ngx_media_codec_find(params->codec);
    ts = codec ? &codec->ts : NULL;

    if (params->codec == NGX_MEDIA_TS_CODEC_ID3) {
        ts = &ngx_media_ts_id3;
    }

    if (ts == NULL
        || ts->stream_type == 0
        || params->timescale == 0
        || params->config_len > NGX_MEDIA_CONFIG_MAX)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(es, sizeof(ngx_media_ts_es_t));

    es->codec = params->codec;
    es->type = params->type;
    es->timescale = params->timescale;
    es->registration = ts->registration;
    es->units = codec ? codec->units : NGX_MEDIA_UNITS_NONE;
    es->alone = ts->alone;
    es->form = ts->form;
    es->stream_type = ts->stream_type;
    es->stream_id = ts->stream_id;

    if (ts->half_type && params->sample_rate < NGX_MEDIA_TS_HALF) {
        es->stream_type = ts->half_type;
    }

    switch (es->form) {

    case NGX_MEDIA_TS_NAL:
        return ngx_media_ts_es_nal(es, params);

    case NGX_MEDIA_TS_AAC:
        return ngx_media_ts_es_aac(es, params);

    case NGX_MEDIA_TS_CONTROL:
        es->code = (uint8_t) ts->code(params);
        return es->code ? NGX_OK : NGX_DECLINED;

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_media_ts_es_nal(ngx_media_ts_es_t *es, const ngx_media_params_t *params)
{
    if (es->units == NGX_MEDIA_UNITS_AVC) {
        es->prefix_len = sizeof(ngx_media_ts_h264_aud);
        ngx_memcpy(es->prefix, ngx_media_ts_h264_aud, es->prefix_len);

    } else {
        es->prefix_len = sizeof(ngx_media_ts_h265_aud);
        ngx_memcpy(es->prefix, ngx_media_ts_h265_aud, es->prefix_len);
    }

    es->nal_length = params->nal_length;

    if (es->nal_length != 1 && es->nal_length != 2 && es->nal_length != 4) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * ADTS names object types 1 to 4 and the rates of the table, and has frames
 * of 1024 samples only, ISO/IEC 14496-3, 1.A.3.  SBR is not told: a decoder
 * finds it in the frames.
 */

static ngx_int_t
ngx_media_ts_es_aac(ngx_media_ts_es_t *es, const ngx_media_params_t *params)
{
    u_char           *p;
    uint32_t          index;
    ngx_media_aac_t   aac;

    if (ngx_media_aac_parse(&aac, params->config,
                            params->config + params->config_len)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (index = 0; /* void */ ; index++) {

        if (index == sizeof(ngx_media_ts_rates)
                     / sizeof(ngx_media_ts_rates[0]))
        {
            return NGX_DECLINED;
        }

        if (ngx_media_ts_rates[index] == aac.core_rate) {
            break;
        }
    }

    if (aac.core == 0 || aac.core > NGX_MEDIA_AAC_LTP || aac.layout > 7
        || (uint64_t) aac.frame_samples * aac.core_rate
           != (uint64_t) 1024 * aac.rate)
    {
        return NGX_DECLINED;
    }

    p = es->prefix;

    p[0] = 0xff;
    p[1] = 0xf1;                              /* MPEG-4, no CRC */
    p[2] = (u_char) ((aac.core - 1) << 6 | index << 2 | aac.layout >> 2);
    p[3] = (u_char) (aac.layout << 6);
    p[4] = 0;
    p[5] = 0x1f;                              /* buffer fullness: VBR */
    p[6] = 0xfc;

    es->prefix_len = NGX_MEDIA_TS_ADTS_HEADER;

    return aac.layout ? NGX_OK : ngx_media_ts_es_pce(es, &aac, params);
}


/*
 * A layout of its own: the program_config_element goes from the configuration
 * into each frame, without its comment, ISO/IEC 14496-3, 4.4.1.1.  It ends at
 * a byte boundary, so the bytes of the frame follow as they are.
 */

static ngx_int_t
ngx_media_ts_es_pce(ngx_media_ts_es_t *es, const ngx_media_aac_t *aac,
    const ngx_media_params_t *params)
{
    uint32_t             cc, data, elements, i, lfe;
    ngx_media_bits_t     br;
    ngx_media_ts_bits_t  bw;

    ngx_media_bits_init(&br, params->config,
                        params->config + params->config_len);

    /*
     * The configuration has been parsed: the object type has five bits, 1 to
     * 5 or 29, and rates that are not in the table 24 more
     */

    ngx_media_bits_skip(&br, 5);

    if (ngx_media_bits_get(&br, 4) == 0x0f) {
        ngx_media_bits_skip(&br, 24);
    }

    ngx_media_bits_skip(&br, 4);

    if (aac->sbr && !aac->implicit) {

        if (ngx_media_bits_get(&br, 4) == 0x0f) {
            ngx_media_bits_skip(&br, 24);
        }

        ngx_media_bits_skip(&br, 5);
    }

    ngx_media_bits_skip(&br, 1);              /* frameLengthFlag */

    if (ngx_media_bits_get(&br, 1)) {         /* dependsOnCoreCoder */
        ngx_media_bits_skip(&br, 14);
    }

    ngx_media_bits_skip(&br, 1);              /* extensionFlag */

    bw.pos = es->prefix + NGX_MEDIA_TS_ADTS_HEADER;
    bw.bits = 0;
    bw.max = (NGX_MEDIA_TS_PREFIX_MAX - NGX_MEDIA_TS_ADTS_HEADER) * 8;

    ngx_media_ts_put_bits(&bw, NGX_MEDIA_TS_ID_PCE, 3);

    (void) ngx_media_ts_copy_bits(&bw, &br, 4 + 2 + 4);

    elements = ngx_media_ts_copy_bits(&bw, &br, 4);         /* front, side, */
    elements += ngx_media_ts_copy_bits(&bw, &br, 4);        /* back */
    elements += ngx_media_ts_copy_bits(&bw, &br, 4);
    lfe = ngx_media_ts_copy_bits(&bw, &br, 2);
    data = ngx_media_ts_copy_bits(&bw, &br, 3);
    cc = ngx_media_ts_copy_bits(&bw, &br, 4);

    for (i = 0; i < 3; i++) {                 /* mono, stereo, matrix */
        if (ngx_media_ts_copy_bits(&bw, &br, 1)) {
            (void) ngx_media_ts_copy_bits(&bw, &br, i == 2 ? 3 : 4);
        }
    }

    for (i = 0; i < elements + cc; i++) {
        (void) ngx_media_ts_copy_bits(&bw, &br, 5);

        if (i + 1 == elements) {
            (void) ngx_media_ts_copy_bits(&bw, &br, lfe * 4);
            (void) ngx_media_ts_copy_bits(&bw, &br, data * 4);
        }
    }

    ngx_media_ts_put_bits(&bw, 0, (8 - bw.bits % 8) % 8);
    ngx_media_ts_put_bits(&bw, 0, 8);         /* comment_field_bytes */

    if (br.err || elements == 0 || bw.bits > bw.max) {
        return NGX_DECLINED;
    }

    es->prefix_len += bw.bits / 8;

    return NGX_OK;
}


static uint32_t
ngx_media_ts_copy_bits(ngx_media_ts_bits_t *bw, ngx_media_bits_t *br,
    ngx_uint_t n)
{
    uint32_t  value;

    value = ngx_media_bits_get(br, n);
    ngx_media_ts_put_bits(bw, value, n);

    return value;
}


/* into zeros; past the room they are counted only */

static void
ngx_media_ts_put_bits(ngx_media_ts_bits_t *bw, uint32_t value, ngx_uint_t n)
{
    while (n) {
        n--;

        if (bw->bits < bw->max && (value >> n & 1)) {
            bw->pos[bw->bits / 8] |= 0x80 >> bw->bits % 8;
        }

        bw->bits++;
    }
}


/* ISO/IEC 14496-3, 1.A.3: 13 bits; 13818-1, 2.4.3.7: 16 bits but for video */

size_t
ngx_media_ts_es_max(const ngx_media_ts_es_t *es)
{
    switch (es->form) {

    case NGX_MEDIA_TS_NAL:
        return (size_t) -1;

    case NGX_MEDIA_TS_AAC:
        return NGX_MEDIA_TS_ADTS_MAX - es->prefix_len;

    case NGX_MEDIA_TS_CONTROL:
        return (NGX_MEDIA_TS_PREFIX_MAX - 3) * 255;

    default:
        return NGX_MEDIA_TS_PES_MAX - NGX_MEDIA_TS_PES_DTS;
    }
}


size_t
ngx_media_ts_es_prefix(u_char *p, const ngx_media_ts_es_t *es, size_t size)
{
    size_t  n;

    switch (es->form) {

    case NGX_MEDIA_TS_AAC:

        if (p != NULL) {
            size += es->prefix_len;

            ngx_memcpy(p, es->prefix, es->prefix_len);

            p[3] |= size >> 11 & 0x03;
            p[4] = (u_char) (size >> 3);
            p[5] |= (size & 0x07) << 5;
        }

        return es->prefix_len;

    case NGX_MEDIA_TS_CONTROL:

        /* opus_control_header(): without trims, the size in bytes of 255 */

        n = size / 255;

        if (p != NULL) {
            p = ngx_media_put_be16(p, NGX_MEDIA_TS_CONTROL_PREFIX);
            ngx_memset(p, 0xff, n);
            p[n] = (u_char) (size % 255);
        }

        return 2 + n + 1;

    default:
        return 0;
    }
}


ngx_uint_t
ngx_media_ts_es_header(const ngx_media_ts_es_t *es)
{
    return (es->units == NGX_MEDIA_UNITS_AVC) ? 1 : 2;
}


/*
 * Layers are streams of types of their own, ISO/IEC 13818-1, table 2-34: in
 * one of 0x24 decoders take their pictures for more of the same.
 */

ngx_uint_t
ngx_media_ts_es_blank(const ngx_media_ts_es_t *es, const u_char *header,
    size_t len, ngx_uint_t first)
{
    if (len < ngx_media_ts_es_header(es)) {
        return 0;
    }

    if (es->units == NGX_MEDIA_UNITS_HEVC) {
        return ngx_media_ts_h265_layer(header)
               || (first && (header[0] >> 1 & 0x3f) == NGX_MEDIA_TS_H265_AUD);
    }

    switch (header[0] & 0x1f) {

    case NGX_MEDIA_H264_AUD:
        return first;

    case NGX_MEDIA_TS_H264_PREFIX:
    case NGX_MEDIA_TS_H264_SUBSET_SPS:
    case NGX_MEDIA_TS_H264_EXTENSION:
    case NGX_MEDIA_TS_H264_DEPTH:
        return 1;

    default:
        return 0;
    }
}


size_t
ngx_media_ts_es_head(u_char *p, const ngx_media_params_t *params)
{
    size_t                    n;
    const u_char             *aud, *last, *pos;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(params->codec);

    if (codec == NULL || params->config_len > NGX_MEDIA_CONFIG_MAX) {
        return 0;
    }

    pos = params->config;
    last = pos + params->config_len;

    switch (codec->units) {

    case NGX_MEDIA_UNITS_AVC:
        aud = ngx_media_ts_h264_aud;
        n = sizeof(ngx_media_ts_h264_aud);
        break;

    case NGX_MEDIA_UNITS_HEVC:
        aud = ngx_media_ts_h265_aud;
        n = sizeof(ngx_media_ts_h265_aud);
        break;

    default:
        return 0;
    }

    if (p != NULL) {
        ngx_memcpy(p, aud, n);
        p += n;
    }

    if (codec->units == NGX_MEDIA_UNITS_AVC) {
        return n + ngx_media_ts_es_avcc(p, pos, last);
    }

    return n + ngx_media_ts_es_hvcc(p, pos, last);
}


/* AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1 */

static size_t
ngx_media_ts_es_avcc(u_char *p, const u_char *pos, const u_char *last)
{
    size_t              n;
    uint32_t            count;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, pos, last);
    (void) ngx_media_read_bytes(&r, 5);

    count = ngx_media_read_8(&r) & 0x1f;
    n = ngx_media_ts_es_array(p, &r, count, NGX_MEDIA_UNITS_AVC);

    count = ngx_media_read_8(&r);

    return n + ngx_media_ts_es_array(p == NULL ? NULL : p + n, &r, count,
                                     NGX_MEDIA_UNITS_AVC);
}


/*
 * HEVCDecoderConfigurationRecord, 8.3.3.1: the arrays may come in any order,
 * the sets refer to those before them
 */

static size_t
ngx_media_ts_es_hvcc(u_char *p, const u_char *pos, const u_char *last)
{
    size_t              n;
    uint32_t            arrays, count, i, type;
    ngx_uint_t          k;
    ngx_media_reader_t  r;

    static const uint8_t  order[] = {
        NGX_MEDIA_H265_VPS, NGX_MEDIA_H265_SPS, NGX_MEDIA_H265_PPS,
        NGX_MEDIA_H265_SEI_PREFIX
    };

    n = 0;

    for (k = 0; k < sizeof(order); k++) {
        ngx_media_reader_init(&r, pos, last);
        (void) ngx_media_read_bytes(&r, NGX_MEDIA_TS_HVCC_HEAD);

        arrays = ngx_media_read_8(&r);

        for (i = 0; i < arrays && !r.err; i++) {
            type = ngx_media_read_8(&r) & 0x3f;
            count = ngx_media_read_be16(&r);

            n += ngx_media_ts_es_array(p == NULL ? NULL : p + n, &r, count,
                                       type == order[k]
                                       ? NGX_MEDIA_UNITS_HEVC
                                       : NGX_MEDIA_UNITS_NONE);
        }
    }

    return n;
}


/* n NAL units behind lengths of 16 bits; of no units: they are passed over */

static size_t
ngx_media_ts_es_array(u_char *p, ngx_media_reader_t *r, ngx_uint_t n,
    ngx_media_units_e units)
{
    size_t            len, size;
    ngx_media_span_t  nal;

    size = 0;

    while (n-- && !r->err) {
        ngx_media_read_span(r, ngx_media_read_be16(r), &nal);

        len = ngx_media_span_len(&nal);

        if (units == NGX_MEDIA_UNITS_NONE || len == 0
            || (units == NGX_MEDIA_UNITS_HEVC && len > 1
                && ngx_media_ts_h265_layer(nal.pos)))
        {
            continue;
        }

        size += 4 + len;

        if (p != NULL) {
            p = ngx_media_put_be32(p, 1);
            ngx_memcpy(p, nal.pos, len);
            p += len;
        }
    }

    return size;
}


/*
 * registration_descriptor, 2.6.8; of Opus extension_descriptor, ETSI EN 300
 * 468, 6.2.16, too; ISO_639_language_descriptor, 2.6.18; metadata_descriptor,
 * 2.6.60
 */

size_t
ngx_media_ts_es_info(u_char *p, const ngx_media_ts_es_t *es)
{
    size_t  n;

    static const u_char  metadata[] = {
        NGX_MEDIA_TS_METADATA_DESC, 13, 0xff, 0xff, 'I', 'D', '3', ' ',
        0xff, 'I', 'D', '3', ' ', 0, 0x0f
    };

    n = es->registration ? ngx_media_ts_registration(p, es->registration) : 0;

    if (es->code) {
        n += ngx_media_ts_extension(p == NULL ? NULL : p + n, es);
    }

    if (es->lang[0]) {
        n += ngx_media_ts_language(p == NULL ? NULL : p + n, es);
    }

    if (es->codec != NGX_MEDIA_TS_CODEC_ID3) {
        return n;
    }

    if (p != NULL) {
        ngx_memcpy(p + n, metadata, sizeof(metadata));
    }

    return n + sizeof(metadata);
}


static size_t
ngx_media_ts_registration(u_char *p, uint32_t id)
{
    if (p != NULL) {
        p[0] = NGX_MEDIA_TS_REGISTRATION;
        p[1] = 4;
        (void) ngx_media_put_be32(p + 2, id);
    }

    return NGX_MEDIA_TS_REGISTERED;
}


static size_t
ngx_media_ts_extension(u_char *p, const ngx_media_ts_es_t *es)
{
    if (p != NULL) {
        p[0] = NGX_MEDIA_TS_DVB_EXTENSION;
        p[1] = NGX_MEDIA_TS_EXTENDED - 2;
        p[2] = NGX_MEDIA_TS_DVB_OPUS;
        p[3] = es->code;
    }

    return NGX_MEDIA_TS_EXTENDED;
}


static size_t
ngx_media_ts_language(u_char *p, const ngx_media_ts_es_t *es)
{
    if (p != NULL) {
        p[0] = NGX_MEDIA_TS_LANGUAGE;
        p[1] = 4;
        ngx_memcpy(p + 2, es->lang, 3);
        p[5] = es->audio_type;
    }

    return 6;
}


/* metadata_pointer_descriptor, 2.6.58, to this program, number 1 */

size_t
ngx_media_ts_program_info(u_char *p, const ngx_media_ts_es_t *es)
{
    static const u_char  pointer[] = {
        NGX_MEDIA_TS_METADATA_PTR, 15, 0xff, 0xff, 'I', 'D', '3', ' ',
        0xff, 'I', 'D', '3', ' ', 0, 0x1f, 0, 1
    };

    if (es->codec != NGX_MEDIA_TS_CODEC_ID3) {
        return 0;
    }

    if (p != NULL) {
        ngx_memcpy(p, pointer, sizeof(pointer));
    }

    return sizeof(pointer);
}
