
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_record.h"


#define NGX_MEDIA_RECORD_AV1    4             /* bytes before configOBUs */
#define NGX_MEDIA_RECORD_AVC    5             /* before numOfSequence... */
#define NGX_MEDIA_RECORD_HEVC   22            /* before numOfArrays */

#define NGX_MEDIA_RECORD_SETS   16            /* of a kind that are taken */


/* parameter sets of one kind, different ones */

typedef struct {
    ngx_uint_t                n;
    ngx_media_span_t          nals[NGX_MEDIA_RECORD_SETS];
} ngx_media_record_sets_t;


static ngx_uint_t ngx_media_record_is_partial_avc(
    const ngx_media_span_t *config);
static ngx_uint_t ngx_media_record_is_partial_hevc(
    const ngx_media_span_t *config);
static ngx_int_t ngx_media_record_av1(const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len);
static ngx_int_t ngx_media_record_avc(const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len);
static ngx_int_t ngx_media_record_hevc(const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len);
static void ngx_media_record_add(ngx_media_record_sets_t *sets,
    const ngx_media_span_t *nal);
static size_t ngx_media_record_size(const ngx_media_record_sets_t *sets);
static u_char *ngx_media_record_put(u_char *p,
    const ngx_media_record_sets_t *sets);


ngx_uint_t
ngx_media_record_is_partial(uint32_t codec, const ngx_media_span_t *config)
{
    size_t  len;

    len = ngx_media_span_len(config);

    switch (codec) {

    case NGX_MEDIA_CODEC_AV1:
        return len >= NGX_MEDIA_RECORD_AV1 && config->pos[0] == 0x81
               && ngx_media_av1_find(config->pos + NGX_MEDIA_RECORD_AV1,
                                     config->last, NULL)
                  == NGX_DECLINED;

    case NGX_MEDIA_CODEC_H264:
        return len > NGX_MEDIA_RECORD_AVC && config->pos[0] == 1
               && (config->pos[4] & 0x03) != 2
               && ngx_media_record_is_partial_avc(config);

    case NGX_MEDIA_CODEC_H265:
        return len > NGX_MEDIA_RECORD_HEVC && config->pos[0] == 1
               && (config->pos[21] & 0x03) != 2
               && ngx_media_record_is_partial_hevc(config);

    default:
        return 0;
    }
}


static ngx_uint_t
ngx_media_record_is_partial_avc(const ngx_media_span_t *config)
{
    uint32_t            n, npps, nsps;
    ngx_media_span_t    nal;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, config->pos + NGX_MEDIA_RECORD_AVC,
                          config->last);

    nsps = ngx_media_read_8(&r) & 0x1f;

    for (n = 0; n < nsps; n++) {
        ngx_media_read_span(&r, ngx_media_read_be16(&r), &nal);
    }

    if (r.err) {
        return 0;
    }

    /* some writers end it here */

    npps = ngx_media_read_8(&r);

    return nsps == 0 || npps == 0;
}


static ngx_uint_t
ngx_media_record_is_partial_hevc(const ngx_media_span_t *config)
{
    uint32_t            i, j, narrays, nnals, type;
    uint64_t            found;
    ngx_media_span_t    nal;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, config->pos + NGX_MEDIA_RECORD_HEVC,
                          config->last);

    found = 0;
    narrays = ngx_media_read_8(&r);

    for (i = 0; i < narrays && !r.err; i++) {
        type = ngx_media_read_8(&r) & 0x3f;
        nnals = ngx_media_read_be16(&r);

        for (j = 0; j < nnals && !r.err; j++) {
            ngx_media_read_span(&r, ngx_media_read_be16(&r), &nal);
            found |= (uint64_t) 1 << type;
        }
    }

    found = found >> NGX_MEDIA_H265_VPS & 7;

    return !r.err && found != 7;
}


ngx_int_t
ngx_media_record_complete(uint32_t codec, const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len)
{
    if (!ngx_media_record_is_partial(codec, config)) {
        return NGX_DECLINED;
    }

    switch (codec) {

    case NGX_MEDIA_CODEC_AV1:
        return ngx_media_record_av1(config, frame, record, len);

    case NGX_MEDIA_CODEC_H264:
        return ngx_media_record_avc(config, frame, record, len);

    default: /* NGX_MEDIA_CODEC_H265 */
        return ngx_media_record_hevc(config, frame, record, len);
    }
}


/* what is in the record stays, with the sequence header in front */

static ngx_int_t
ngx_media_record_av1(const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len)
{
    u_char            *p;
    size_t             n, rest;
    ngx_media_span_t   body;

    if (ngx_media_av1_find(frame->pos, frame->last, &body) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = ngx_media_span_len(&body);
    rest = ngx_media_span_len(config) - NGX_MEDIA_RECORD_AV1;

    if (n > 0x3fff || n + rest > NGX_MEDIA_CONFIG_MAX - 8) {
        return NGX_DECLINED;
    }

    p = ngx_cpymem(record, config->pos, NGX_MEDIA_RECORD_AV1);

    /* 5.3.2: OBU_SEQUENCE_HEADER with its size, leb128() */

    p = ngx_media_put_8(p, 0x0a);

    if (n > 0x7f) {
        p = ngx_media_put_8(p, 0x80 | (n & 0x7f));
        p = ngx_media_put_8(p, n >> 7);

    } else {
        p = ngx_media_put_8(p, n);
    }

    p = ngx_cpymem(p, body.pos, n);
    p = ngx_cpymem(p, config->pos + NGX_MEDIA_RECORD_AV1, rest);

    *len = p - record;

    return NGX_OK;
}


/* ISO/IEC 14496-15, 5.3.3.1.2; profile and level are those of the SPS */

static ngx_int_t
ngx_media_record_avc(const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len)
{
    u_char                   *p;
    ngx_uint_t                nal_length;
    ngx_media_span_t          in, nal;
    ngx_media_record_sets_t   pps, sps;

    in = *frame;
    sps.n = 0;
    pps.n = 0;
    nal_length = (config->pos[4] & 0x03) + 1;

    while (ngx_media_nal_next(&in, nal_length, &nal) == NGX_OK) {

        switch (nal.pos[0] & 0x1f) {

        case NGX_MEDIA_H264_SPS:
            ngx_media_record_add(&sps, &nal);
            break;

        case NGX_MEDIA_H264_PPS:
            ngx_media_record_add(&pps, &nal);
            break;
        }
    }

    if (sps.n == 0 || pps.n == 0 || ngx_media_span_len(&sps.nals[0]) < 4
        || 7 + ngx_media_record_size(&sps) + ngx_media_record_size(&pps)
           > NGX_MEDIA_CONFIG_MAX)
    {
        return NGX_DECLINED;
    }

    p = ngx_media_put_8(record, 1);
    p = ngx_cpymem(p, sps.nals[0].pos + 1, 3);
    p = ngx_media_put_8(p, 0xfc | (nal_length - 1));
    p = ngx_media_put_8(p, 0xe0 | sps.n);
    p = ngx_media_record_put(p, &sps);
    p = ngx_media_put_8(p, pps.n);
    p = ngx_media_record_put(p, &pps);

    *len = p - record;

    return NGX_OK;
}


/* 8.3.3.1.2; what is of the SPS may not be said by a record without one */

static ngx_int_t
ngx_media_record_hevc(const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len)
{
    size_t                    size;
    u_char                   *p;
    ngx_uint_t                i, layer, nal_length, type;
    ngx_media_span_t          in, nal;
    ngx_media_bits_t          br;
    ngx_media_h265_sps_t      sps;
    ngx_media_record_sets_t   sets[3];

    in = *frame;
    nal_length = (config->pos[21] & 0x03) + 1;
    ngx_memzero(sets, sizeof(sets));

    while (ngx_media_nal_next(&in, nal_length, &nal) == NGX_OK) {

        if (ngx_media_span_len(&nal) < 3) {
            continue;
        }

        type = nal.pos[0] >> 1 & 0x3f;
        layer = (nal.pos[0] & 1) << 5 | nal.pos[1] >> 3;

        if (layer == 0 && type >= NGX_MEDIA_H265_VPS
            && type <= NGX_MEDIA_H265_PPS)
        {
            ngx_media_record_add(&sets[type - NGX_MEDIA_H265_VPS], &nal);
        }
    }

    size = NGX_MEDIA_RECORD_HEVC + 1;

    for (i = 0; i < 3; i++) {
        size += 3 + ngx_media_record_size(&sets[i]);

        if (sets[i].n == 0) {
            return NGX_DECLINED;
        }
    }

    nal = sets[1].nals[0];

    if (size > NGX_MEDIA_CONFIG_MAX
        || ngx_media_h265_parse_sps(&sps, nal.pos, nal.last) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = ngx_cpymem(record, config->pos, NGX_MEDIA_RECORD_HEVC);

    /* profile_tier_level() follows the first byte of the SPS, 7.3.2.2 */

    ngx_media_bits_init_nal(&br, nal.pos + 3, nal.last);

    for (i = 1; i < 13; i++) {
        record[i] = (u_char) ngx_media_bits_get(&br, 8);
    }

    record[16] = 0xfc | sps.chroma_format;
    record[17] = 0xf8 | (sps.bit_depth - 8);
    record[18] = record[17];

    p = ngx_media_put_8(p, 3);

    for (i = 0; i < 3; i++) {
        p = ngx_media_put_8(p, NGX_MEDIA_H265_VPS + i);
        p = ngx_media_put_be16(p, sets[i].n);
        p = ngx_media_record_put(p, &sets[i]);
    }

    *len = p - record;

    return NGX_OK;
}


static void
ngx_media_record_add(ngx_media_record_sets_t *sets,
    const ngx_media_span_t *nal)
{
    ngx_uint_t  i;

    for (i = 0; i < sets->n; i++) {

        if (ngx_media_span_len(&sets->nals[i]) == ngx_media_span_len(nal)
            && ngx_memcmp(sets->nals[i].pos, nal->pos,
                          ngx_media_span_len(nal))
               == 0)
        {
            return;
        }
    }

    if (sets->n < NGX_MEDIA_RECORD_SETS) {
        sets->nals[sets->n++] = *nal;
    }
}


/* more than 16 bits of length are more than a record holds */

static size_t
ngx_media_record_size(const ngx_media_record_sets_t *sets)
{
    size_t      size;
    ngx_uint_t  i;

    size = 0;

    for (i = 0; i < sets->n; i++) {
        size += 2 + ngx_media_span_len(&sets->nals[i]);
    }

    return size;
}


static u_char *
ngx_media_record_put(u_char *p, const ngx_media_record_sets_t *sets)
{
    ngx_uint_t  i;

    for (i = 0; i < sets->n; i++) {
        p = ngx_media_put_be16(p, ngx_media_span_len(&sets->nals[i]));
        p = ngx_cpymem(p, sets->nals[i].pos,
                       ngx_media_span_len(&sets->nals[i]));
    }

    return p;
}
