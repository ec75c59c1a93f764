
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "av/ngx_media_av_unit.h"
#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_record.h"
#include "formats/ngx_media_sets.h"


/* filler data, ISO/IEC 14496-10, 7.4.1; behind the parameter sets of HEVC are
   delimiters, ends, and up to here filler data, ISO/IEC 23008-2, 7.4.2.2 */
#define NGX_MEDIA_AV_UNIT_FILLER  12
#define NGX_MEDIA_AV_UNIT_FD      38


static ngx_int_t ngx_media_av_unit_sets(const ngx_media_codec_t *codec,
    ngx_media_params_t *params, const u_char *pos, const u_char *last);
static void ngx_media_av_unit_nals(const ngx_media_codec_t *codec,
    ngx_media_nals_t *nals, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_av_unit_sequence(const ngx_media_codec_t *codec,
    ngx_media_params_t *params, const u_char *pos, const u_char *last);
static size_t ngx_media_av_unit_write_nals(const ngx_media_codec_t *codec,
    u_char *p, const u_char *pos, const u_char *last, ngx_uint_t *key);
static ngx_uint_t ngx_media_av_unit_carried(const ngx_media_codec_t *codec,
    const ngx_media_span_t *nal, ngx_uint_t *key);


ngx_int_t
ngx_media_av_unit_params(const ngx_media_codec_t *codec,
    ngx_media_params_t *params, const u_char *pos, const u_char *last)
{
    ngx_media_span_t  config;

    config.pos = pos;
    config.last = last;

    /* some have a record of it already */

    if (ngx_media_record_is(codec->units, &config)
        && !ngx_media_record_is_partial(codec->units, &config))
    {
        return codec->config(params, pos, last);
    }

    switch (codec->units) {

    case NGX_MEDIA_UNITS_AVC:
    case NGX_MEDIA_UNITS_HEVC:
        return ngx_media_av_unit_sets(codec, params, pos, last);

    case NGX_MEDIA_UNITS_OBU:
        return ngx_media_av_unit_sequence(codec, params, pos, last);

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_media_av_unit_sets(const ngx_media_codec_t *codec,
    ngx_media_params_t *params, const u_char *pos, const u_char *last)
{
    size_t            size;
    u_char            record[NGX_MEDIA_SETS_RECORD_MAX];
    ngx_int_t         rc;
    ngx_media_nals_t  nals;
    ngx_media_sets_t  sets;
    ngx_media_span_t  nal;

    ngx_media_av_unit_nals(codec, &nals, pos, last);
    ngx_media_sets_init(&sets, codec->units);

    while ((rc = ngx_media_nals_next(&nals, &nal)) == NGX_OK) {

        if (ngx_media_sets_add(&sets, &nal) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    if (rc != NGX_DONE) {
        return NGX_ERROR;
    }

    size = ngx_media_sets_record(NULL, &sets);

    if (size == 0) {
        return NGX_DECLINED;
    }

    if (size > NGX_MEDIA_CONFIG_MAX) {
        return NGX_ERROR;
    }

    (void) ngx_media_sets_record(record, &sets);

    return codec->config(params, record, record + size);
}


/* what begins with a start code has them: no unit has one byte */

static void
ngx_media_av_unit_nals(const ngx_media_codec_t *codec, ngx_media_nals_t *nals,
    const u_char *pos, const u_char *last)
{
    size_t      len;
    ngx_uint_t  codes;

    len = (size_t) (last - pos);

    codes = (len >= 4 && ngx_memcmp(pos, "\0\0\0\1", 4) == 0)
            || (len >= 3 && ngx_memcmp(pos, "\0\0\1", 3) == 0);

    ngx_media_nals_init(nals, pos, last, NGX_MEDIA_SETS_NAL,
                        codes ? NGX_MEDIA_NALS_CODES
                              : NGX_MEDIA_NALS_UNKNOWN);

    if (codec->units == NGX_MEDIA_UNITS_HEVC) {
        nals->header = 2;
    }
}


/*
 * The head of a record says what the sequence header does, so it is made of
 * that, by whoever knows it
 */

static ngx_int_t
ngx_media_av_unit_sequence(const ngx_media_codec_t *codec,
    ngx_media_params_t *params, const u_char *pos, const u_char *last)
{
    size_t            len;
    u_char            head[NGX_MEDIA_AV1_RECORD], record[NGX_MEDIA_CONFIG_MAX];
    ngx_int_t         rc;
    ngx_media_span_t  config, frame;

    rc = ngx_media_av1_record(head, pos, last);

    if (rc != NGX_OK) {
        return rc;
    }

    config.pos = head;
    config.last = head + sizeof(head);
    frame.pos = pos;
    frame.last = last;

    if (ngx_media_record_complete(codec->units, &config, &frame, record, &len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return codec->config(params, record, record + len);
}


size_t
ngx_media_av_unit_write(const ngx_media_codec_t *codec, u_char *p,
    const u_char *pos, const u_char *last, ngx_uint_t *key)
{
    ngx_media_frame_info_t  info;

    *key = 0;

    if (codec->units != NGX_MEDIA_UNITS_OBU) {
        return ngx_media_av_unit_write_nals(codec, p, pos, last, key);
    }

    if (codec->frame(NULL, pos, last, &info) != NGX_OK || info.empty) {
        return 0;
    }

    *key = info.key;

    return ngx_media_av1_sample(p, pos, last);
}


static size_t
ngx_media_av_unit_write_nals(const ngx_media_codec_t *codec, u_char *p,
    const u_char *pos, const u_char *last, ngx_uint_t *key)
{
    size_t            len, size;
    ngx_int_t         rc;
    ngx_media_nals_t  nals;
    ngx_media_span_t  nal;

    ngx_media_av_unit_nals(codec, &nals, pos, last);

    size = 0;

    while ((rc = ngx_media_nals_next(&nals, &nal)) == NGX_OK) {

        if (!ngx_media_av_unit_carried(codec, &nal, key)) {
            continue;
        }

        len = ngx_media_span_len(&nal);
        size += NGX_MEDIA_SETS_NAL + len;

        if (p != NULL) {
            p = ngx_media_put_be32(p, (uint32_t) len);
            p = ngx_cpymem(p, nal.pos, len);
        }
    }

    return rc == NGX_DONE ? size : 0;
}


static ngx_uint_t
ngx_media_av_unit_carried(const ngx_media_codec_t *codec,
    const ngx_media_span_t *nal, ngx_uint_t *key)
{
    ngx_uint_t  type;

    if (codec->units == NGX_MEDIA_UNITS_AVC) {
        type = nal->pos[0] & 0x1f;

        *key |= (type == NGX_MEDIA_H264_IDR);

        return type != NGX_MEDIA_H264_SPS && type != NGX_MEDIA_H264_PPS
               && type != NGX_MEDIA_H264_SPS_EXT && type != NGX_MEDIA_H264_AUD
               && type != NGX_MEDIA_AV_UNIT_FILLER;
    }

    type = nal->pos[0] >> 1 & 0x3f;

    *key |= (type >= NGX_MEDIA_H265_IDR_W_RADL && type < NGX_MEDIA_H265_CRA);

    return (type < NGX_MEDIA_H265_VPS || type > NGX_MEDIA_AV_UNIT_FD);
}
