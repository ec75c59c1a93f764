
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_record.h"
#include "formats/ngx_media_sets.h"


#define NGX_MEDIA_RECORD_AV1    4             /* bytes before configOBUs */
#define NGX_MEDIA_RECORD_AVC    5             /* before numOfSequence... */
#define NGX_MEDIA_RECORD_HEVC   22            /* before numOfArrays */
#define NGX_MEDIA_RECORD_MIN    7             /* of avcC: without any sets */


static ngx_uint_t ngx_media_record_is_partial_avc(
    const ngx_media_span_t *config);
static ngx_uint_t ngx_media_record_is_partial_hevc(
    const ngx_media_span_t *config);
static ngx_int_t ngx_media_record_av1(const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len);
static ngx_int_t ngx_media_record_sets(ngx_media_units_e units,
    const ngx_media_span_t *config, const ngx_media_span_t *frame,
    u_char *record, size_t *len);


ngx_uint_t
ngx_media_record_is_partial(ngx_media_units_e units,
    const ngx_media_span_t *config)
{
    size_t  len;

    len = ngx_media_span_len(config);

    switch (units) {

    case NGX_MEDIA_UNITS_OBU:
        return len >= NGX_MEDIA_RECORD_AV1 && config->pos[0] == 0x81
               && ngx_media_av1_find(config->pos + NGX_MEDIA_RECORD_AV1,
                                     config->last, NULL)
                  == NGX_DECLINED;

    case NGX_MEDIA_UNITS_AVC:
        return len > NGX_MEDIA_RECORD_AVC && config->pos[0] == 1
               && (config->pos[4] & 0x03) != 2
               && ngx_media_record_is_partial_avc(config);

    case NGX_MEDIA_UNITS_HEVC:
        return len > NGX_MEDIA_RECORD_HEVC && config->pos[0] == 1
               && (config->pos[21] & 0x03) != 2
               && ngx_media_record_is_partial_hevc(config);

    default:
        return 0;
    }
}


ngx_uint_t
ngx_media_record_is(ngx_media_units_e units, const ngx_media_span_t *config)
{
    size_t  len;

    len = ngx_media_span_len(config);

    switch (units) {

    case NGX_MEDIA_UNITS_OBU:
        return len >= NGX_MEDIA_RECORD_AV1 && config->pos[0] == 0x81;

    case NGX_MEDIA_UNITS_AVC:
    case NGX_MEDIA_UNITS_HEVC:
        return len >= NGX_MEDIA_RECORD_MIN && config->pos[0] == 1;

    default:
        return len != 0;
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
ngx_media_record_complete(ngx_media_units_e units,
    const ngx_media_span_t *config, const ngx_media_span_t *frame,
    u_char *record, size_t *len)
{
    if (!ngx_media_record_is_partial(units, config)) {
        return NGX_DECLINED;
    }

    if (units == NGX_MEDIA_UNITS_OBU) {
        return ngx_media_record_av1(config, frame, record, len);
    }

    return ngx_media_record_sets(units, config, frame, record, len);
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


/*
 * The record is made of the sets alone: profile and level are those of the SPS,
 * which a record without one need not say; lengths are those of the file
 */

static ngx_int_t
ngx_media_record_sets(ngx_media_units_e units, const ngx_media_span_t *config,
    const ngx_media_span_t *frame, u_char *record, size_t *len)
{
    ngx_uint_t        length;
    ngx_media_span_t  in, nal;
    ngx_media_sets_t  sets;

    in = *frame;

    /* where lengthSizeMinusOne is, 5.3.3.1.2 and 8.3.3.1.2 */

    length = (units == NGX_MEDIA_UNITS_AVC) ? 4 : 21;

    ngx_media_sets_init(&sets, units);

    while (ngx_media_nal_next(&in, (config->pos[length] & 0x03) + 1, &nal)
           == NGX_OK)
    {
        (void) ngx_media_sets_add(&sets, &nal);
    }

    *len = ngx_media_sets_record(NULL, &sets);

    if (*len == 0 || *len > NGX_MEDIA_CONFIG_MAX) {
        return NGX_DECLINED;
    }

    (void) ngx_media_sets_record(record, &sets);

    record[length] = (record[length] & 0xfc) | (config->pos[length] & 0x03);

    return NGX_OK;
}
