
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * HEVC: ISO/IEC 23008-2, and 14496-15 for its carriage.  The VUI is read
 * leniently: an encoder that got it wrong loses its hints, not its stream.  HLS
 * of MPEG-TS with it is none of Apple's, but other players take it.
 */


#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_flv_fields.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_ts.h"


/* A.4.1: a side is at most sqrt(8 * MaxLumaPs), level 6.2 */
#define NGX_MEDIA_H265_SIDE_MAX        16888

#define NGX_MEDIA_H265_HEAD            22     /* of the record, before
                                                 numOfArrays */
#define NGX_MEDIA_H265_SEI_USER_DATA   5
#define NGX_MEDIA_H265_SUB_LAYERS_MAX  7
#define NGX_MEDIA_H265_DPB             16     /* pictures */
#define NGX_MEDIA_H265_POCS_MAX        32


static ngx_int_t ngx_media_h265_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_h265_copy(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_uint_t ngx_media_h265_set(uint32_t type);
static ngx_uint_t ngx_media_h265_chatter(const ngx_media_span_t *nal);
static ngx_int_t ngx_media_h265_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_h265_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_h265_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_h265_parse_array(ngx_media_h265_record_t *record,
    ngx_media_reader_t *r);
static void ngx_media_h265_parse_profile(ngx_media_h265_profile_t *profile,
    ngx_media_bits_t *br, ngx_uint_t sub_layers);
static ngx_int_t ngx_media_h265_parse_size(ngx_media_h265_sps_t *sps,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_h265_parse_coding(ngx_media_h265_sps_t *sps,
    ngx_media_bits_t *br);
static void ngx_media_h265_skip_scaling(ngx_media_bits_t *br);
static ngx_int_t ngx_media_h265_skip_sets(ngx_media_bits_t *br);
static ngx_int_t ngx_media_h265_skip_set(ngx_media_bits_t *br,
    ngx_uint_t predicted, ngx_uint_t *pocs);
static void ngx_media_h265_parse_vui(ngx_media_h265_sps_t *sps,
    ngx_media_bits_t *br);
static ngx_uint_t ngx_media_h265_put_number(u_char *p, uint32_t n,
    uint32_t base);


const ngx_media_codec_t  ngx_media_h265_codec = {
    NGX_MEDIA_CODEC_H265,
    NGX_MEDIA_VIDEO,
    ngx_string("hevc"),
    NGX_MEDIA_IN_ALL,
    NGX_MEDIA_IS_LIVE,
    NGX_MEDIA_UNITS_HEVC,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('h', 'v', 'c', '1'),
          ngx_media_fourcc('h', 'e', 'v', '1'),
          ngx_media_fourcc('d', 'v', 'h', '1'),
          ngx_media_fourcc('d', 'v', 'h', 'e') },
        ngx_media_fourcc('h', 'v', 'c', 'C'),
        { 0 },
        "dvh1"
    },
    { NGX_MEDIA_TS_H265, 0, NGX_MEDIA_TS_ID_VIDEO,
      NGX_MEDIA_TS_NAL, 0, 0, 0, ngx_media_fourcc('H', 'E', 'V', 'C'), NULL,
      NULL, NULL },
    { NGX_MEDIA_CODEC_H265, NGX_MEDIA_FLV_HEVC, 0, 1, 1, 1, NULL },
    ngx_media_h265_config,
    ngx_media_h265_frame,
    ngx_media_h265_string,
    ngx_media_h265_entry,
    NULL,                                     /* silence */
    NULL,                                     /* still */
    NULL,                                     /* learn */
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    NULL                                      /* size */
};


static ngx_int_t
ngx_media_h265_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_media_h265_sps_t     sps;
    ngx_media_h265_record_t  record;

    if (ngx_media_h265_parse_record(&record, pos, last) != NGX_OK
        || ngx_media_h265_parse_sps(&sps, record.sps.pos, record.sps.last)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (sps.video.fps_num == 0) {
        (void) ngx_media_h265_parse_vps(&sps.video, record.vps.pos,
                                        record.vps.last);
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_CODEC_H265;
    params->type = NGX_MEDIA_VIDEO;
    params->timescale = NGX_MEDIA_VIDEO_TIMESCALE;
    params->width = sps.width;
    params->height = sps.height;
    params->sar_num = sps.video.sar_num;
    params->sar_den = sps.video.sar_den;
    params->fps_num = sps.video.fps_num;
    params->fps_den = sps.video.fps_den;
    params->primaries = sps.video.primaries;
    params->transfer = sps.video.transfer;
    params->matrix = sps.video.matrix;
    params->full_range = sps.video.full_range;
    params->bit_depth = sps.bit_depth;
    params->nal_length = record.nal_length;

    return ngx_media_h265_copy(params, pos, last);
}


/*
 * An hvc1 entry demands array_completeness, ISO/IEC 14496-15, 8.4.1.1, and
 * some players take nothing but hvc1; encoders that write hev1 leave the bit
 * unset although their sets do not change without a new configuration.
 *
 * Encoders also put their name and all their options there, as an SEI message
 * of kilobytes that no decoder uses: it is left out.
 */

static ngx_int_t
ngx_media_h265_copy(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    u_char              *p, *end, *head;
    uint32_t             i, j, n, narrays, sets, type;
    ngx_media_span_t     nal;
    ngx_media_reader_t   r;

    /* the record has been parsed: its lengths are sound */

    ngx_media_reader_init(&r, pos, last);

    p = params->config;
    end = p + NGX_MEDIA_CONFIG_MAX;
    p = ngx_cpymem(p, ngx_media_read_bytes(&r, NGX_MEDIA_H265_HEAD),
                   NGX_MEDIA_H265_HEAD);

    n = ngx_media_read_8(&r);
    narrays = 0;
    p++;

    for (i = 0; i < n; i++) {
        type = ngx_media_read_8(&r);
        sets = ngx_media_read_be16(&r);

        if (end - p < 3) {
            return NGX_DECLINED;
        }

        head = p;
        *p++ = (u_char) (type | (ngx_media_h265_set(type) ? 0x80 : 0));
        p = ngx_media_put_be16(p, 0);

        for (j = 0; j < sets; j++) {
            ngx_media_read_span(&r, ngx_media_read_be16(&r), &nal);

            if (ngx_media_h265_chatter(&nal)) {
                continue;
            }

            if ((size_t) (end - p) < 2 + ngx_media_span_len(&nal)) {
                return NGX_DECLINED;
            }

            p = ngx_media_put_be16(p, ngx_media_span_len(&nal));
            p = ngx_cpymem(p, nal.pos, ngx_media_span_len(&nal));

            ngx_media_put_be16(head + 1, ngx_media_get_be16(head + 1) + 1);
        }

        if (p == head + 3) {
            p = head;
            continue;
        }

        narrays++;
    }

    params->config[NGX_MEDIA_H265_HEAD] = (u_char) narrays;
    params->config_len = p - params->config;

    return NGX_OK;
}


static ngx_uint_t
ngx_media_h265_set(uint32_t type)
{
    type &= 0x3f;

    return type >= NGX_MEDIA_H265_VPS && type <= NGX_MEDIA_H265_PPS;
}


/* user_data_unregistered, D.2.7, and nothing else by its first message */

static ngx_uint_t
ngx_media_h265_chatter(const ngx_media_span_t *nal)
{
    ngx_uint_t  type;

    if (ngx_media_span_len(nal) < 3) {
        return 0;
    }

    type = nal->pos[0] >> 1 & 0x3f;

    return (type == NGX_MEDIA_H265_SEI_PREFIX
            || type == NGX_MEDIA_H265_SEI_SUFFIX)
           && nal->pos[2] == NGX_MEDIA_H265_SEI_USER_DATA;
}


ngx_int_t
ngx_media_h265_parse_record(ngx_media_h265_record_t *record,
    const u_char *pos, const u_char *last)
{
    uint32_t            i, n;
    ngx_media_bits_t    br;
    ngx_media_reader_t  r;

    ngx_memzero(record, sizeof(ngx_media_h265_record_t));

    if (last - pos <= NGX_MEDIA_H265_HEAD || pos[0] != 1) {
        return NGX_ERROR;
    }

    ngx_media_bits_init(&br, pos + 1, pos + 13);
    ngx_media_h265_parse_profile(&record->profile, &br, 1);

    record->nal_length = (pos[21] & 0x03) + 1;
    record->complete = 1;

    if (record->nal_length == 3) {
        return NGX_ERROR;
    }

    ngx_media_reader_init(&r, pos + NGX_MEDIA_H265_HEAD, last);

    n = ngx_media_read_8(&r);

    for (i = 0; i < n; i++) {
        if (ngx_media_h265_parse_array(record, &r) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* an hvc1 entry has its parameter sets here and nowhere else */

    if (record->vps.pos == NULL || record->sps.pos == NULL
        || record->pps.pos == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_h265_parse_array(ngx_media_h265_record_t *record,
    ngx_media_reader_t *r)
{
    uint32_t          head, i, n, type;
    ngx_media_span_t  nal, *set;

    head = ngx_media_read_8(r);
    n = ngx_media_read_be16(r);
    type = head & 0x3f;

    switch (type) {

    case NGX_MEDIA_H265_VPS:
        set = &record->vps;
        break;

    case NGX_MEDIA_H265_SPS:
        set = &record->sps;
        break;

    case NGX_MEDIA_H265_PPS:
        set = &record->pps;
        break;

    default:
        set = NULL;
    }

    if (set != NULL && (head & 0x80) == 0) {
        record->complete = 0;
    }

    for (i = 0; i < n && !r->err; i++) {
        ngx_media_read_span(r, ngx_media_read_be16(r), &nal);

        if (ngx_media_span_len(&nal) < 2 || (nal.pos[0] >> 1 & 0x3f) != type) {
            return NGX_ERROR;
        }

        if (set != NULL && set->pos == NULL) {
            *set = nal;
        }
    }

    return r->err ? NGX_ERROR : NGX_OK;
}


/* 7.3.3 */

static void
ngx_media_h265_parse_profile(ngx_media_h265_profile_t *profile,
    ngx_media_bits_t *br, ngx_uint_t sub_layers)
{
    ngx_uint_t  i, present[NGX_MEDIA_H265_SUB_LAYERS_MAX];

    profile->space = ngx_media_bits_get(br, 2);
    profile->tier = ngx_media_bits_get(br, 1);
    profile->profile = ngx_media_bits_get(br, 5);
    profile->compatibility = ngx_media_bits_get(br, 32);

    for (i = 0; i < 6; i++) {
        profile->constraints[i] = ngx_media_bits_get(br, 8);
    }

    profile->level = ngx_media_bits_get(br, 8);

    if (sub_layers == 1) {
        return;
    }

    /* sub_layer_profile_present_flag and sub_layer_level_present_flag */

    for (i = 0; i < sub_layers - 1; i++) {
        present[i] = ngx_media_bits_get(br, 2);
    }

    ngx_media_bits_skip(br, (8 - i) * 2);

    for (i = 0; i < sub_layers - 1; i++) {
        ngx_media_bits_skip(br, (present[i] & 2) ? 88 : 0);
        ngx_media_bits_skip(br, (present[i] & 1) ? 8 : 0);
    }
}


/* 7.3.2.1 */

ngx_int_t
ngx_media_h265_parse_vps(ngx_media_video_t *video, const u_char *pos,
    const u_char *last)
{
    uint32_t                  all, i, layers, n, scale, sub_layers, units;
    ngx_media_bits_t          br;
    ngx_media_h265_profile_t  profile;

    ngx_media_bits_init_nal(&br, pos, last);

    ngx_media_bits_skip(&br, 16 + 4 + 2 + 6); /* header, id, flags, layers */
    sub_layers = ngx_media_bits_get(&br, 3) + 1;
    ngx_media_bits_skip(&br, 1 + 16);

    if (sub_layers > NGX_MEDIA_H265_SUB_LAYERS_MAX) {
        return NGX_ERROR;
    }

    ngx_media_h265_parse_profile(&profile, &br, sub_layers);

    all = ngx_media_bits_get(&br, 1);         /* sub_layer_ordering_info */

    for (i = all ? 0 : sub_layers - 1; i < sub_layers; i++) {
        (void) ngx_media_bits_ue(&br);
        (void) ngx_media_bits_ue(&br);
        (void) ngx_media_bits_ue(&br);
    }

    layers = ngx_media_bits_get(&br, 6) + 1;
    n = ngx_media_bits_ue(&br);               /* vps_num_layer_sets_minus1 */

    if (n > 1023) {
        return NGX_ERROR;
    }

    ngx_media_bits_skip(&br, (uint64_t) n * layers);

    if (ngx_media_bits_get(&br, 1) == 0) {    /* vps_timing_info_present */
        return br.err ? NGX_ERROR : NGX_OK;
    }

    units = ngx_media_bits_get(&br, 32);
    scale = ngx_media_bits_get(&br, 32);

    if (br.err) {
        return NGX_ERROR;
    }

    ngx_media_video_rate(video, scale, units);

    return NGX_OK;
}


/* 7.3.2.2 */

ngx_int_t
ngx_media_h265_parse_sps(ngx_media_h265_sps_t *sps, const u_char *pos,
    const u_char *last)
{
    ngx_media_bits_t  br;

    ngx_memzero(sps, sizeof(ngx_media_h265_sps_t));
    ngx_media_video_init(&sps->video);

    if (last - pos < 2 || (pos[0] & 0xfe) != NGX_MEDIA_H265_SPS << 1) {
        return NGX_ERROR;
    }

    ngx_media_bits_init_nal(&br, pos + 2, last);

    ngx_media_bits_skip(&br, 4);              /* sps_video_parameter_set_id */
    sps->sub_layers = ngx_media_bits_get(&br, 3) + 1;
    sps->nested = ngx_media_bits_get(&br, 1);

    if (sps->sub_layers > NGX_MEDIA_H265_SUB_LAYERS_MAX) {
        return NGX_ERROR;
    }

    ngx_media_h265_parse_profile(&sps->profile, &br, sps->sub_layers);

    sps->id = ngx_media_bits_ue(&br);

    if (sps->id > 15
        || ngx_media_h265_parse_size(sps, &br) != NGX_OK
        || ngx_media_h265_parse_coding(sps, &br) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_media_bits_get(&br, 1)) {
        ngx_media_h265_parse_vui(sps, &br);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_h265_parse_size(ngx_media_h265_sps_t *sps, ngx_media_bits_t *br)
{
    uint32_t  chroma, separate, x, y;
    uint64_t  crop[4], height, horizontal, vertical, width;

    chroma = ngx_media_bits_ue(br);

    if (chroma > 3) {
        return NGX_ERROR;
    }

    separate = (chroma == 3) ? ngx_media_bits_get(br, 1) : 0;

    width = ngx_media_bits_ue(br);
    height = ngx_media_bits_ue(br);

    ngx_memzero(crop, sizeof(crop));

    if (ngx_media_bits_get(br, 1)) {          /* conformance_window */
        crop[0] = ngx_media_bits_ue(br);
        crop[1] = ngx_media_bits_ue(br);
        crop[2] = ngx_media_bits_ue(br);
        crop[3] = ngx_media_bits_ue(br);
    }

    if (br->err || width > NGX_MEDIA_H265_SIDE_MAX
        || height > NGX_MEDIA_H265_SIDE_MAX)
    {
        return NGX_ERROR;
    }

    /* SubWidthC and SubHeightC, table 6-1 */

    x = (!separate && (chroma == 1 || chroma == 2)) ? 2 : 1;
    y = (chroma == 1) ? 2 : 1;

    horizontal = (crop[0] + crop[1]) * x;
    vertical = (crop[2] + crop[3]) * y;

    if (horizontal >= width || vertical >= height) {
        return NGX_ERROR;
    }

    sps->chroma_format = chroma;
    sps->width = (uint32_t) (width - horizontal);
    sps->height = (uint32_t) (height - vertical);

    return NGX_OK;
}


/* from bit_depth_luma_minus8 up to vui_parameters_present_flag */

static ngx_int_t
ngx_media_h265_parse_coding(ngx_media_h265_sps_t *sps, ngx_media_bits_t *br)
{
    uint32_t  all, chroma, i, luma, n, poc;

    luma = ngx_media_bits_ue(br);
    chroma = ngx_media_bits_ue(br);

    if (luma > 8 || chroma > 8) {
        return NGX_ERROR;
    }

    sps->bit_depth = luma + 8;
    sps->chroma_depth = chroma + 8;

    poc = ngx_media_bits_ue(br) + 4;          /* bits of a POC LSB */

    if (poc > 16) {
        return NGX_ERROR;
    }

    all = ngx_media_bits_get(br, 1);          /* sub_layer_ordering_info */

    for (i = all ? 0 : sps->sub_layers - 1u; i < sps->sub_layers; i++) {
        (void) ngx_media_bits_ue(br);
        sps->reorder = ngx_media_bits_ue(br);

        /* 7.4.3.2.1: as many pictures as the DPB has, at most */

        if (sps->reorder > NGX_MEDIA_H265_DPB) {
            sps->reorder = 0;
        }

        (void) ngx_media_bits_ue(br);
    }

    for (i = 0; i < 6; i++) {                 /* block sizes and depths */
        (void) ngx_media_bits_ue(br);
    }

    if (ngx_media_bits_get(br, 1)             /* scaling_list_enabled */
        && ngx_media_bits_get(br, 1))         /* sps_scaling_list_data */
    {
        ngx_media_h265_skip_scaling(br);
    }

    ngx_media_bits_skip(br, 2);               /* amp, sao */

    if (ngx_media_bits_get(br, 1)) {          /* pcm_enabled */
        ngx_media_bits_skip(br, 4 + 4);
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
        ngx_media_bits_skip(br, 1);
    }

    if (ngx_media_h265_skip_sets(br) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_media_bits_get(br, 1)) {          /* long_term_ref_pics */
        n = ngx_media_bits_ue(br);

        if (n > 32) {
            return NGX_ERROR;
        }

        ngx_media_bits_skip(br, (uint64_t) n * (poc + 1));
    }

    ngx_media_bits_skip(br, 2);               /* temporal_mvp, smoothing */

    return br->err ? NGX_ERROR : NGX_OK;
}


/* scaling_list_data, 7.3.4 */

static void
ngx_media_h265_skip_scaling(ngx_media_bits_t *br)
{
    ngx_uint_t  i, matrix, n, size;

    for (size = 0; size < 4; size++) {

        for (matrix = 0; matrix < 6; matrix += (size == 3) ? 3 : 1) {

            if (ngx_media_bits_get(br, 1) == 0) {
                (void) ngx_media_bits_ue(br);
                continue;
            }

            n = ngx_min(64, 1u << (4 + (size << 1)));

            if (size > 1) {
                (void) ngx_media_bits_se(br);
            }

            for (i = 0; i < n; i++) {
                (void) ngx_media_bits_se(br);
            }
        }
    }
}


/* st_ref_pic_set for all indexes, 7.3.7 */

static ngx_int_t
ngx_media_h265_skip_sets(ngx_media_bits_t *br)
{
    uint32_t    i, n;
    ngx_uint_t  pocs;

    n = ngx_media_bits_ue(br);

    if (n > 64) {
        return NGX_ERROR;
    }

    pocs = 0;

    for (i = 0; i < n; i++) {
        if (ngx_media_h265_skip_set(br, i != 0, &pocs) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* pocs: NumDeltaPocs of the set before and, on return, of this one */

static ngx_int_t
ngx_media_h265_skip_set(ngx_media_bits_t *br, ngx_uint_t predicted,
    ngx_uint_t *pocs)
{
    uint32_t    negative, positive;
    ngx_uint_t  i, n;

    n = 0;

    if (predicted && ngx_media_bits_get(br, 1)) {
        ngx_media_bits_skip(br, 1);           /* delta_rps_sign */
        (void) ngx_media_bits_ue(br);

        for (i = 0; i <= *pocs; i++) {

            /* used_by_curr_pic_flag, or else use_delta_flag */

            if (ngx_media_bits_get(br, 1) || ngx_media_bits_get(br, 1)) {
                n++;
            }
        }

    } else {
        negative = ngx_media_bits_ue(br);
        positive = ngx_media_bits_ue(br);

        if (negative > 16 || positive > 16) {
            return NGX_ERROR;
        }

        n = negative + positive;

        for (i = 0; i < n; i++) {
            (void) ngx_media_bits_ue(br);
            ngx_media_bits_skip(br, 1);
        }
    }

    if (br->err || n > NGX_MEDIA_H265_POCS_MAX) {
        return NGX_ERROR;
    }

    *pocs = n;

    return NGX_OK;
}


/*
 * E.2.1.  The default display window is read and not applied: it is a hint
 * of what to show by default, decoders put out the conformance window.
 */

static void
ngx_media_h265_parse_vui(ngx_media_h265_sps_t *sps, ngx_media_bits_t *br)
{
    uint32_t           field, scale, units;
    ngx_media_video_t  video;

    ngx_media_video_init(&video);
    ngx_media_video_vui(&video, br);

    ngx_media_bits_skip(br, 1);               /* neutral_chroma_indication */
    field = ngx_media_bits_get(br, 1);
    ngx_media_bits_skip(br, 1);               /* frame_field_info_present */

    if (br->err) {
        return;
    }

    sps->video = video;
    sps->field_seq = field;

    if (ngx_media_bits_get(br, 1)) {          /* default_display_window */
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
    }

    if (ngx_media_bits_get(br, 1)) {          /* vui_timing_info */
        units = ngx_media_bits_get(br, 32);
        scale = ngx_media_bits_get(br, 32);

        if (!br->err) {
            ngx_media_video_rate(&sps->video, scale, units);
        }
    }
}


/*
 * The pictures of IRAP types are random access points.  Pictures that precede
 * them in output may follow a CRA or BLA picture of the types named here.
 * Only the base layer counts.
 */

static ngx_int_t
ngx_media_h265_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_int_t         rc;
    ngx_uint_t        layer, type;
    ngx_media_span_t  frame, nal;

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->empty = 1;
    frame.pos = pos;
    frame.last = last;

    for ( ;; ) {
        rc = ngx_media_nal_next(&frame, params->nal_length, &nal);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
        }

        if (ngx_media_span_len(&nal) < 2 || (nal.pos[0] & 0x80)) {
            return NGX_ERROR;
        }

        type = nal.pos[0] >> 1;
        layer = (nal.pos[0] & 1) << 5 | nal.pos[1] >> 3;

        if (layer) {
            continue;
        }

        if (ngx_media_h265_set(type)) {
            info->config = 1;
            continue;
        }

        if (type > NGX_MEDIA_H265_VCL_LAST) {
            continue;
        }

        info->empty = 0;

        if (type < NGX_MEDIA_H265_BLA_W_LP || type > NGX_MEDIA_H265_IRAP_LAST)
        {
            continue;
        }

        info->key = 1;
        info->repeat = 1;

        if (type == NGX_MEDIA_H265_BLA_W_LP
            || type == NGX_MEDIA_H265_BLA_W_RADL
            || type == NGX_MEDIA_H265_CRA)
        {
            info->leading = 1;
        }
    }
}


/*
 * ISO/IEC 14496-15, E.3: profile space and number; compatibility flags in
 * reverse bit order, hexadecimal; tier and level; the constraint bytes up to
 * the last that is not zero.
 */

static size_t
ngx_media_h265_string(u_char *p, const ngx_media_params_t *params)
{
    u_char                    text[NGX_MEDIA_CODEC_STRING_MAX], *q;
    uint32_t                  flags;
    ngx_uint_t                i, n;
    ngx_media_bits_t          br;
    ngx_media_h265_profile_t  profile;

    ngx_media_bits_init(&br, params->config + 1, params->config + 13);
    ngx_media_h265_parse_profile(&profile, &br, 1);

    flags = 0;

    for (i = 0; i < 32; i++) {
        flags |= (profile.compatibility >> i & 1) << (31 - i);
    }

    q = ngx_cpymem(text, "hvc1.", 5);

    if (profile.space) {
        *q++ = 'A' + profile.space - 1;
    }

    q += ngx_media_h265_put_number(q, profile.profile, 10);
    *q++ = '.';
    q += ngx_media_h265_put_number(q, flags, 16);
    *q++ = '.';
    *q++ = profile.tier ? 'H' : 'L';
    q += ngx_media_h265_put_number(q, profile.level, 10);

    for (n = 6; n && profile.constraints[n - 1] == 0; n--) { /* void */ }

    for (i = 0; i < n; i++) {
        *q++ = '.';
        q += ngx_media_h265_put_number(q, profile.constraints[i], 16);
    }

    if (p != NULL) {
        ngx_memcpy(p, text, q - text);
    }

    return q - text;
}


static ngx_uint_t
ngx_media_h265_put_number(u_char *p, uint32_t n, uint32_t base)
{
    u_char      digits[10];
    ngx_uint_t  i, len;

    static const u_char  hex[] = "0123456789ABCDEF";

    len = 0;

    do {
        digits[len++] = hex[n % base];
        n /= base;
    } while (n);

    for (i = 0; i < len; i++) {
        p[i] = digits[len - 1 - i];
    }

    return len;
}


static size_t
ngx_media_h265_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_visual(p, params, NGX_MEDIA_CODEC_H265,
                                      ngx_media_fourcc('h', 'v', 'c', 'C'));
}
