
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * H.264: ISO/IEC 14496-10, and 14496-15 for its carriage.  The VUI is read
 * leniently: an encoder that got it wrong loses its hints, not its stream.
 */


#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_flv_fields.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h264_still.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_ts.h"


/* A.3.1: a side is at most sqrt(8 * MaxFS) macroblocks, level 6.2 */
#define NGX_MEDIA_H264_MBS_MAX         1055

#define NGX_MEDIA_H264_SEI_RECOVERY    6


static ngx_int_t ngx_media_h264_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_h264_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_h264_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_h264_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_h264_parse_sets(ngx_media_reader_t *r,
    uint32_t n, ngx_uint_t type, ngx_media_span_t *first);
static ngx_int_t ngx_media_h264_parse_chroma(ngx_media_h264_sps_t *sps,
    ngx_media_bits_t *br, ngx_uint_t *separate);
static void ngx_media_h264_skip_scaling(ngx_media_bits_t *br, ngx_uint_t n);
static ngx_int_t ngx_media_h264_parse_poc(ngx_media_h264_sps_t *sps,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_h264_parse_size(ngx_media_h264_sps_t *sps,
    ngx_media_bits_t *br, ngx_uint_t separate);
static void ngx_media_h264_parse_vui(ngx_media_h264_sps_t *sps,
    ngx_media_bits_t *br);
static void ngx_media_h264_skip_hrd(ngx_media_bits_t *br);
static ngx_uint_t ngx_media_h264_recovery(const ngx_media_span_t *nal);
static ngx_int_t ngx_media_h264_sei_recovery(const ngx_media_span_t *nal,
    uint32_t *frames, ngx_media_span_t *payload);
static ngx_uint_t ngx_media_h264_intra(const ngx_media_span_t *nal);


const ngx_media_codec_t  ngx_media_h264_codec = {
    NGX_MEDIA_CODEC_H264,
    NGX_MEDIA_VIDEO,
    ngx_string("h264"),
    NGX_MEDIA_IN_ALL,
    NGX_MEDIA_IS_LIVE,
    NGX_MEDIA_UNITS_AVC,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('a', 'v', 'c', '1'),
          ngx_media_fourcc('a', 'v', 'c', '3'),
          ngx_media_fourcc('d', 'v', 'a', '1'),
          ngx_media_fourcc('d', 'v', 'a', 'v') },
        ngx_media_fourcc('a', 'v', 'c', 'C'),
        { 0 },
        "dva1"
    },
    { NGX_MEDIA_TS_H264, 0, NGX_MEDIA_TS_ID_VIDEO,
      NGX_MEDIA_TS_NAL, 0, 0, 0, 0, NULL, NULL, NULL },
    { NGX_MEDIA_CODEC_H264, NGX_MEDIA_FLV_AVC, 0, 1, 0, 1, NULL },
    ngx_media_h264_config,
    ngx_media_h264_frame,
    ngx_media_h264_string,
    ngx_media_h264_entry,
    NULL,                                     /* silence */
    ngx_media_h264_still,
    NULL,                                     /* learn */
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    NULL                                      /* size */
};


static ngx_int_t
ngx_media_h264_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_media_h264_sps_t     sps;
    ngx_media_h264_record_t  record;

    if (ngx_media_h264_parse_record(&record, pos, last) != NGX_OK
        || ngx_media_h264_parse_sps(&sps, record.sps.pos, record.sps.last)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (last - pos > NGX_MEDIA_CONFIG_MAX) {
        return NGX_DECLINED;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    params->codec = NGX_MEDIA_CODEC_H264;
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

    params->config_len = last - pos;
    ngx_memcpy(params->config, pos, params->config_len);

    return NGX_OK;
}


ngx_int_t
ngx_media_h264_parse_record(ngx_media_h264_record_t *record,
    const u_char *pos, const u_char *last)
{
    uint32_t            version;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, pos, last);

    version = ngx_media_read_8(&r);
    record->profile = ngx_media_read_8(&r);
    record->compatibility = ngx_media_read_8(&r);
    record->level = ngx_media_read_8(&r);
    record->nal_length = (ngx_media_read_8(&r) & 0x03) + 1;

    if (r.err || version != 1 || record->nal_length == 3) {
        return NGX_ERROR;
    }

    /* an avc1 entry has its parameter sets here and nowhere else */

    record->nsps = ngx_media_read_8(&r) & 0x1f;

    if (ngx_media_h264_parse_sets(&r, record->nsps, NGX_MEDIA_H264_SPS,
                                  &record->sps)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    record->npps = ngx_media_read_8(&r);

    /*
     * The chroma fields of the High profiles may follow; many writers leave
     * them out, and they say nothing that the SPS does not.
     */

    return ngx_media_h264_parse_sets(&r, record->npps, NGX_MEDIA_H264_PPS,
                                     &record->pps);
}


static ngx_int_t
ngx_media_h264_parse_sets(ngx_media_reader_t *r, uint32_t n, ngx_uint_t type,
    ngx_media_span_t *first)
{
    uint32_t          i;
    ngx_media_span_t  set;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        ngx_media_read_span(r, ngx_media_read_be16(r), &set);

        if (r->err || set.pos == set.last || (set.pos[0] & 0x1f) != type) {
            return NGX_ERROR;
        }

        if (i == 0) {
            *first = set;
        }
    }

    return NGX_OK;
}


/* 7.3.2.1.1 */

ngx_int_t
ngx_media_h264_parse_sps(ngx_media_h264_sps_t *sps, const u_char *pos,
    const u_char *last)
{
    ngx_uint_t        separate;
    ngx_media_bits_t  br;

    ngx_memzero(sps, sizeof(ngx_media_h264_sps_t));
    ngx_media_video_init(&sps->video);

    if (pos == last || (pos[0] & 0x9f) != NGX_MEDIA_H264_SPS) {
        return NGX_ERROR;
    }

    ngx_media_bits_init_nal(&br, pos + 1, last);

    sps->profile = ngx_media_bits_get(&br, 8);
    sps->compatibility = ngx_media_bits_get(&br, 8);
    sps->level = ngx_media_bits_get(&br, 8);
    sps->id = ngx_media_bits_ue(&br);

    if (sps->id > 31
        || ngx_media_h264_parse_chroma(sps, &br, &separate) != NGX_OK
        || ngx_media_h264_parse_poc(sps, &br) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sps->separate = separate;

    (void) ngx_media_bits_ue(&br);            /* max_num_ref_frames */
    ngx_media_bits_skip(&br, 1);              /* gaps_in_frame_num */

    if (ngx_media_h264_parse_size(sps, &br, separate) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_media_bits_get(&br, 1)) {
        ngx_media_h264_parse_vui(sps, &br);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_h264_parse_chroma(ngx_media_h264_sps_t *sps, ngx_media_bits_t *br,
    ngx_uint_t *separate)
{
    uint32_t    chroma, luma;
    ngx_uint_t  i, n;

    *separate = 0;
    sps->chroma_format = 1;
    sps->bit_depth = 8;
    sps->chroma_depth = 8;

    switch (sps->profile) {

    case 44:
    case 83:
    case 86:
    case 100:
    case 110:
    case 118:
    case 122:
    case 128:
    case 134:
    case 135:
    case 138:
    case 139:
    case 244:
        break;

    default:
        return NGX_OK;
    }

    n = ngx_media_bits_ue(br);

    if (n > 3) {
        return NGX_ERROR;
    }

    sps->chroma_format = n;

    if (n == 3) {
        *separate = ngx_media_bits_get(br, 1);
    }

    luma = ngx_media_bits_ue(br);
    chroma = ngx_media_bits_ue(br);

    if (luma > 6 || chroma > 6) {
        return NGX_ERROR;
    }

    sps->bit_depth = luma + 8;
    sps->chroma_depth = chroma + 8;

    ngx_media_bits_skip(br, 1);               /* qpprime_y_zero */

    if (ngx_media_bits_get(br, 1)) {          /* seq_scaling_matrix */
        n = (sps->chroma_format == 3) ? 12 : 8;

        for (i = 0; i < n; i++) {
            if (ngx_media_bits_get(br, 1)) {
                ngx_media_h264_skip_scaling(br, i < 6 ? 16 : 64);
            }
        }
    }

    return NGX_OK;
}


/* 7.3.2.1.1.1 */

static void
ngx_media_h264_skip_scaling(ngx_media_bits_t *br, ngx_uint_t n)
{
    uint32_t    next;
    ngx_uint_t  i;

    next = 8;

    for (i = 0; i < n && next != 0; i++) {
        next = (next + (uint32_t) ngx_media_bits_se(br)) & 0xff;
    }
}


static ngx_int_t
ngx_media_h264_parse_poc(ngx_media_h264_sps_t *sps, ngx_media_bits_t *br)
{
    uint32_t  i, n;

    n = ngx_media_bits_ue(br);                /* log2_max_frame_num_minus4 */

    if (n > 12) {
        return NGX_ERROR;
    }

    sps->frame_num_bits = n + 4;

    n = ngx_media_bits_ue(br);
    sps->poc_type = ngx_min(n, 3);

    switch (n) {

    case 0:
        n = ngx_media_bits_ue(br);

        if (n > 12) {
            return NGX_ERROR;
        }

        sps->poc_bits = n + 4;

        return NGX_OK;

    case 1:
        ngx_media_bits_skip(br, 1);
        (void) ngx_media_bits_se(br);
        (void) ngx_media_bits_se(br);

        n = ngx_media_bits_ue(br);

        if (n > 255) {
            return NGX_ERROR;
        }

        for (i = 0; i < n; i++) {
            (void) ngx_media_bits_se(br);
        }

        return NGX_OK;

    case 2:
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_media_h264_parse_size(ngx_media_h264_sps_t *sps, ngx_media_bits_t *br,
    ngx_uint_t separate)
{
    uint32_t  progressive, x, y;
    uint64_t  crop[4], height, horizontal, vertical, width;

    width = (uint64_t) ngx_media_bits_ue(br) + 1;
    height = (uint64_t) ngx_media_bits_ue(br) + 1;

    progressive = ngx_media_bits_get(br, 1);

    if (!progressive) {
        sps->adaptive = ngx_media_bits_get(br, 1);
        height *= 2;
        sps->interlaced = 1;
    }

    ngx_media_bits_skip(br, 1);               /* direct_8x8_inference */

    ngx_memzero(crop, sizeof(crop));

    if (ngx_media_bits_get(br, 1)) {
        crop[0] = ngx_media_bits_ue(br);
        crop[1] = ngx_media_bits_ue(br);
        crop[2] = ngx_media_bits_ue(br);
        crop[3] = ngx_media_bits_ue(br);
    }

    if (br->err || width > NGX_MEDIA_H264_MBS_MAX
        || height > NGX_MEDIA_H264_MBS_MAX)
    {
        return NGX_ERROR;
    }

    /* CropUnitX and CropUnitY, equations 7-19 to 7-22 */

    x = 1;
    y = progressive ? 1 : 2;

    if (!separate && (sps->chroma_format == 1 || sps->chroma_format == 2)) {
        x *= 2;
        y *= (sps->chroma_format == 1) ? 2 : 1;
    }

    sps->mbs = (uint32_t) (width * height);

    width *= 16;
    height *= 16;
    horizontal = (crop[0] + crop[1]) * x;
    vertical = (crop[2] + crop[3]) * y;

    if (horizontal >= width || vertical >= height) {
        return NGX_ERROR;
    }

    sps->width = (uint32_t) (width - horizontal);
    sps->height = (uint32_t) (height - vertical);

    return NGX_OK;
}


/* E.1.1 */

static void
ngx_media_h264_parse_vui(ngx_media_h264_sps_t *sps, ngx_media_bits_t *br)
{
    uint32_t           fixed, has_reorder, hrd, reorder, scale, units;
    ngx_media_video_t  video;

    fixed = 0;
    scale = 0;
    units = 0;
    reorder = 0;

    ngx_media_video_init(&video);
    ngx_media_video_vui(&video, br);

    if (ngx_media_bits_get(br, 1)) {          /* timing_info */
        units = ngx_media_bits_get(br, 32);
        scale = ngx_media_bits_get(br, 32);
        fixed = ngx_media_bits_get(br, 1);
    }

    if (br->err) {
        return;
    }

    /* a tick is a field, D.2.3 */

    ngx_media_video_rate(&video, scale, (uint64_t) units * 2);

    sps->video = video;
    sps->fixed_rate = fixed;

    hrd = ngx_media_bits_get(br, 1);

    if (hrd) {                                /* nal_hrd_parameters */
        ngx_media_h264_skip_hrd(br);
    }

    if (ngx_media_bits_get(br, 1)) {          /* vcl_hrd_parameters */
        ngx_media_h264_skip_hrd(br);
        hrd = 1;
    }

    ngx_media_bits_skip(br, hrd + 1);         /* low_delay, pic_struct */

    has_reorder = ngx_media_bits_get(br, 1);

    if (has_reorder) {                        /* bitstream_restriction */
        ngx_media_bits_skip(br, 1);
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
        reorder = ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
    }

    if (!br->err && reorder <= 16) {
        sps->has_reorder = has_reorder;
        sps->reorder = reorder;
    }
}


/* E.1.2 */

static void
ngx_media_h264_skip_hrd(ngx_media_bits_t *br)
{
    uint32_t  i, n;

    n = ngx_media_bits_ue(br);

    if (n > 31) {
        br->err = 1;
        return;
    }

    ngx_media_bits_skip(br, 8);

    for (i = 0; i <= n; i++) {
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
        ngx_media_bits_skip(br, 1);
    }

    ngx_media_bits_skip(br, 20);
}


/*
 * IDR pictures are random access points; so is an I picture behind a recovery
 * point of no frames (open GOP), but pictures shown before it may follow that
 * cannot be decoded from here.
 */

static ngx_int_t
ngx_media_h264_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_int_t         rc;
    ngx_uint_t        recovery;
    ngx_media_span_t  frame, nal;

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    info->empty = 1;
    recovery = 0;
    frame.pos = pos;
    frame.last = last;

    for ( ;; ) {
        rc = ngx_media_nal_next(&frame, params->nal_length, &nal);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
        }

        if (nal.pos[0] & 0x80) {              /* forbidden_zero_bit */
            return NGX_ERROR;
        }

        switch (nal.pos[0] & 0x1f) {

        case NGX_MEDIA_H264_SLICE:
        case NGX_MEDIA_H264_PARTITION_A:

            if (info->empty && recovery && ngx_media_h264_intra(&nal)) {
                info->key = 1;
                info->leading = 1;
            }

            info->disposable = (nal.pos[0] & 0x60) == 0;
            info->empty = 0;
            break;

        case NGX_MEDIA_H264_IDR:
            info->key = 1;
            info->repeat = 1;
            info->leading = 0;
            info->empty = 0;
            break;

        case NGX_MEDIA_H264_SEI:

            if (info->empty && !recovery) {
                recovery = ngx_media_h264_recovery(&nal);
            }

            break;

        case NGX_MEDIA_H264_SPS:
        case NGX_MEDIA_H264_PPS:
        case NGX_MEDIA_H264_SPS_EXT:
            info->config = 1;
            break;

        default:
            break;
        }
    }
}


/* 7.3.2.3.1, D.1.8: a recovery point with recovery_frame_cnt 0 */

static ngx_uint_t
ngx_media_h264_recovery(const ngx_media_span_t *nal)
{
    uint32_t          frames;
    ngx_media_span_t  payload;

    return ngx_media_h264_sei_recovery(nal, &frames, &payload) == NGX_OK
           && frames == 0;
}


ngx_int_t
ngx_media_h264_refresh(const ngx_media_span_t *nal, uint32_t *frames,
    ngx_media_span_t *payload)
{
    const u_char  *p;

    if (nal->pos == nal->last
        || (nal->pos[0] & 0x1f) != NGX_MEDIA_H264_SEI
        || ngx_media_h264_sei_recovery(nal, frames, payload) != NGX_OK
        || *frames == 0)
    {
        return NGX_DECLINED;
    }

    /* an emulation prevention byte in it: it is not as long as it says */

    for (p = payload->pos; p < payload->last; p++) {
        if (p[0] == 3 && p[-1] == 0 && p[-2] == 0) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/*
 * recovery_frame_cnt of one bit, the four bits of flags that follow it, then
 * reserved_payload_extension_data and bit_equal_to_one (7.3.2.3.1)
 */

void
ngx_media_h264_refresh_at_once(u_char *payload, size_t len)
{
    size_t            i;
    uint32_t          flags;
    ngx_media_bits_t  br;

    ngx_media_bits_init(&br, payload, payload + len);

    (void) ngx_media_bits_ue(&br);
    flags = ngx_media_bits_get(&br, 4);

    payload[0] = (u_char) (0x80 | flags << 3 | (len > 1 ? 0x07 : 0x04));

    for (i = 1; i < len; i++) {
        payload[i] = 0xff;
    }
}


static ngx_int_t
ngx_media_h264_sei_recovery(const ngx_media_span_t *nal, uint32_t *frames,
    ngx_media_span_t *payload)
{
    uint32_t          byte;
    uint64_t          size, type;
    ngx_media_bits_t  br;

    ngx_media_bits_init_nal(&br, nal->pos + 1, nal->last);

    /* two bytes of a message, one of payload or of rbsp_trailing_bits */

    while (ngx_media_bits_left(&br) >= 24) {
        type = 0;
        size = 0;

        do {
            byte = ngx_media_bits_get(&br, 8);
            type += byte;
        } while (byte == 0xff);

        do {
            byte = ngx_media_bits_get(&br, 8);
            size += byte;
        } while (byte == 0xff);

        if (br.err) {
            break;
        }

        if (type == NGX_MEDIA_H264_SEI_RECOVERY) {
            payload->pos = br.pos;

            if (size == 0 || size > (size_t) (nal->last - br.pos)) {
                break;
            }

            payload->last = br.pos + size;
            *frames = ngx_media_bits_ue(&br);

            return br.err ? NGX_DECLINED : NGX_OK;
        }

        ngx_media_bits_skip(&br, size * 8);
    }

    return NGX_DECLINED;
}


/* 7.3.3: first_mb_in_slice, slice_type I or SI */

static ngx_uint_t
ngx_media_h264_intra(const ngx_media_span_t *nal)
{
    uint32_t          type;
    ngx_media_bits_t  br;

    ngx_media_bits_init_nal(&br, nal->pos + 1, nal->last);

    (void) ngx_media_bits_ue(&br);
    type = ngx_media_bits_ue(&br);

    if (br.err || type > 9) {
        return 0;
    }

    return type % 5 == 2 || type % 5 == 4;
}


/*
 * RFC 6381, 3.3: profile_idc, the byte with the constraint flags and
 * level_idc, of the SPS itself: records exist that do not repeat them.
 */

static size_t
ngx_media_h264_string(u_char *p, const ngx_media_params_t *params)
{
    ngx_uint_t     i;
    const u_char  *sps;

    static const u_char  hex[] = "0123456789abcdef";

    if (p == NULL) {
        return sizeof("avc1.PPCCLL") - 1;
    }

    sps = &params->config[8];                 /* its NAL header */
    p = ngx_cpymem(p, "avc1.", 5);

    for (i = 1; i <= 3; i++) {
        *p++ = hex[sps[i] >> 4];
        *p++ = hex[sps[i] & 0x0f];
    }

    return sizeof("avc1.PPCCLL") - 1;
}


static size_t
ngx_media_h264_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_visual(p, params, NGX_MEDIA_CODEC_H264,
                                      ngx_media_fourcc('a', 'v', 'c', 'C'));
}
