
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * H.264: a picture that repeats the last one (ISO/IEC 14496-10).
 *
 * All macroblocks of a P slice are skipped: each is predicted without motion
 * from the first reference picture (8.4.1.1), and nothing is added.  As it is
 * not a reference picture itself, it takes the frame_num of the one to come,
 * which keeps its own; and its picture order count is one more than that of
 * the picture on show, which leaves the next ones theirs: frames count by two.
 * Several of them in a row are equal, which 7.4.3 does not provide for; what
 * tells them apart are the samples that hold them.
 */


#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h264_still.h"
#include "formats/ngx_media_nal.h"


#define NGX_MEDIA_H264_STILL_MAX  1024

/* a slice QP at which all contexts of mb_skip_flag begin at "skipped" */
#define NGX_MEDIA_H264_STILL_QP   51

/* Table 9-13, mb_skip_flag of P slices, ctxIdx 11, cabac_init_idc 0 */
#define NGX_MEDIA_H264_SKIP_M     23
#define NGX_MEDIA_H264_SKIP_N     33

/* and so its first pStateIdx */
#define NGX_MEDIA_H264_SKIP_STATE                                             \
    (((NGX_MEDIA_H264_SKIP_M * NGX_MEDIA_H264_STILL_QP) >> 4)                 \
     + NGX_MEDIA_H264_SKIP_N - 64)


/* 7.3.2.2: of the set that the picture on show uses */

typedef struct {
    uint32_t                  id;
    uint32_t                  sps;
    uint32_t                  qp;             /* 26 + pic_init_qp_minus26 */
    unsigned                  cabac:1;
    unsigned                  bottom:1;       /* bottom_field_pic_order_in_
                                                 frame_present_flag */
    unsigned                  groups:1;
    unsigned                  weighted:1;
    unsigned                  deblocking:1;   /* its control is present */
    unsigned                  redundant:1;
} ngx_media_h264_pps_t;


/* 7.3.3, as far as it tells where a picture stands */

typedef struct {
    uint32_t                  pps;
    uint32_t                  frame_num;
    uint32_t                  lsb;            /* pic_order_cnt_lsb */
    int32_t                   bottom;         /* delta_pic_order_cnt_bottom */
    int64_t                   poc;
    unsigned                  idr:1;
    unsigned                  ref:1;
    unsigned                  field:1;
    unsigned                  found:1;
} ngx_media_h264_picture_t;


typedef struct {
    const ngx_media_params_t *params;
    ngx_media_h264_sps_t      sps;
    ngx_media_h264_pps_t      pps;
    ngx_media_h264_picture_t  shown;          /* the last in output order */
    ngx_media_h264_picture_t  ref;            /* the last one of them */
} ngx_media_h264_past_t;


/* bits into a NAL unit's payload */

typedef struct {
    u_char                    bytes[NGX_MEDIA_H264_STILL_MAX];
    size_t                    n;              /* bits */
    unsigned                  err:1;
} ngx_media_h264_out_t;


/* 9.3.4.2: the arithmetic encoder */

typedef struct {
    uint32_t                  low;
    uint32_t                  range;
    uint32_t                  outstanding;
    uint32_t                  state;
    unsigned                  first:1;
} ngx_media_h264_cabac_t;


static ngx_int_t ngx_media_h264_past(ngx_media_h264_past_t *past,
    const ngx_media_span_t *frames, ngx_uint_t n);
static ngx_int_t ngx_media_h264_past_sets(ngx_media_h264_past_t *past,
    uint32_t pps);
static ngx_int_t ngx_media_h264_set(const ngx_media_params_t *params,
    ngx_uint_t type, uint32_t id, ngx_media_span_t *set);
static ngx_int_t ngx_media_h264_set_known(const ngx_media_params_t *params,
    const ngx_media_span_t *nal);
static uint32_t ngx_media_h264_set_id(const ngx_media_span_t *set);
static ngx_int_t ngx_media_h264_parse_pps(ngx_media_h264_pps_t *pps,
    const ngx_media_span_t *set);
static ngx_int_t ngx_media_h264_picture(ngx_media_h264_past_t *past,
    const ngx_media_span_t *frame, ngx_media_h264_picture_t *picture);
static ngx_int_t ngx_media_h264_slice(ngx_media_h264_past_t *past,
    const ngx_media_span_t *nal, ngx_media_h264_picture_t *picture);
static void ngx_media_h264_order(ngx_media_h264_past_t *past,
    ngx_media_h264_picture_t *picture);

static void ngx_media_h264_write_header(ngx_media_h264_out_t *out,
    const ngx_media_h264_past_t *past);
static void ngx_media_h264_write_list(ngx_media_h264_out_t *out,
    const ngx_media_h264_past_t *past, uint32_t frame_num);
static void ngx_media_h264_write_data(ngx_media_h264_out_t *out,
    const ngx_media_h264_past_t *past);
static void ngx_media_h264_skip(ngx_media_h264_out_t *out,
    ngx_media_h264_cabac_t *cabac);
static void ngx_media_h264_last(ngx_media_h264_out_t *out,
    ngx_media_h264_cabac_t *cabac, ngx_uint_t last);
static void ngx_media_h264_renorm(ngx_media_h264_out_t *out,
    ngx_media_h264_cabac_t *cabac);
static void ngx_media_h264_cabac_bit(ngx_media_h264_out_t *out,
    ngx_media_h264_cabac_t *cabac, ngx_uint_t bit);
static size_t ngx_media_h264_write_nal(u_char *p, size_t max,
    ngx_uint_t nal_length, const ngx_media_h264_out_t *out);

static void ngx_media_h264_put(ngx_media_h264_out_t *out, ngx_uint_t n,
    uint32_t v);
static void ngx_media_h264_put_ue(ngx_media_h264_out_t *out, uint32_t v);
static void ngx_media_h264_put_se(ngx_media_h264_out_t *out, int32_t v);


/* Table 9-44, rangeTabLPS, from the first state on */

static const uint8_t  ngx_media_h264_ranges[][4] = {
    { 16, 20, 23, 27 },         /* 42 */
    { 15, 19, 22, 25 },
    { 14, 18, 21, 24 },
    { 14, 17, 20, 23 },
    { 13, 16, 19, 22 },
    { 12, 15, 18, 21 },
    { 12, 14, 17, 20 },
    { 11, 14, 16, 19 },
    { 11, 13, 15, 18 },
    { 10, 12, 15, 17 },
    { 10, 12, 14, 16 },
    { 9, 11, 13, 15 },
    { 9, 11, 12, 14 },
    { 8, 10, 12, 14 },
    { 8, 9, 11, 13 },
    { 7, 9, 11, 12 },
    { 7, 9, 10, 12 },
    { 7, 8, 10, 11 },
    { 6, 8, 9, 11 },
    { 6, 7, 9, 10 },
    { 6, 7, 8, 9 }              /* 62 */
};

#define NGX_MEDIA_H264_STATES                                                 \
    (sizeof(ngx_media_h264_ranges) / sizeof(ngx_media_h264_ranges[0]))


ngx_int_t
ngx_media_h264_still(const ngx_media_params_t *params,
    const ngx_media_span_t *frames, ngx_uint_t n, u_char *p, size_t *len)
{
    ngx_int_t              rc;
    ngx_media_h264_out_t   out;
    ngx_media_h264_past_t  past;

    ngx_memzero(&past, sizeof(ngx_media_h264_past_t));
    past.params = params;

    rc = ngx_media_h264_past(&past, frames, n);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&out, sizeof(ngx_media_h264_out_t));

    ngx_media_h264_write_header(&out, &past);
    ngx_media_h264_write_data(&out, &past);

    if (out.err) {
        return NGX_DECLINED;
    }

    *len = ngx_media_h264_write_nal(p, *len, params->nal_length, &out);

    return *len ? NGX_OK : NGX_DECLINED;
}


/* which picture is on show, and which the newest that others may refer to */

static ngx_int_t
ngx_media_h264_past(ngx_media_h264_past_t *past,
    const ngx_media_span_t *frames, ngx_uint_t n)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_media_h264_picture_t  picture;

    for (i = 0; i < n; i++) {

        rc = ngx_media_h264_picture(past, &frames[i], &picture);

        if (rc != NGX_OK) {
            return rc;
        }

        if (!picture.found) {
            continue;
        }

        if (picture.field || (past->ref.found ? picture.idr : !picture.idr)) {
            return NGX_DECLINED;
        }

        ngx_media_h264_order(past, &picture);

        if (!past->shown.found || picture.poc >= past->shown.poc) {
            past->shown = picture;
        }

        if (picture.ref) {
            past->ref = picture;
        }
    }

    return past->ref.found ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_media_h264_picture(ngx_media_h264_past_t *past,
    const ngx_media_span_t *frame, ngx_media_h264_picture_t *picture)
{
    ngx_int_t         rc;
    ngx_media_span_t  left, nal;

    left = *frame;

    ngx_memzero(picture, sizeof(ngx_media_h264_picture_t));

    for ( ;; ) {
        rc = ngx_media_nal_next(&left, past->params->nal_length, &nal);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
        }

        switch (nal.pos[0] & 0x1f) {

        case NGX_MEDIA_H264_SPS:
        case NGX_MEDIA_H264_PPS:

            if (ngx_media_h264_set_known(past->params, &nal) != NGX_OK) {
                return NGX_DECLINED;
            }

            break;

        case NGX_MEDIA_H264_PARTITION_A:
            return NGX_DECLINED;

        case NGX_MEDIA_H264_SLICE:
        case NGX_MEDIA_H264_IDR:

            if (picture->found) {
                break;
            }

            rc = ngx_media_h264_slice(past, &nal, picture);

            if (rc != NGX_OK) {
                return rc;
            }

            break;

        default:
            break;
        }
    }
}


static ngx_int_t
ngx_media_h264_slice(ngx_media_h264_past_t *past, const ngx_media_span_t *nal,
    ngx_media_h264_picture_t *picture)
{
    uint32_t                     pps;
    const ngx_media_h264_sps_t  *sps;
    ngx_media_bits_t             br;

    ngx_media_bits_init_nal(&br, nal->pos + 1, nal->last);

    (void) ngx_media_bits_ue(&br);            /* first_mb_in_slice */
    (void) ngx_media_bits_ue(&br);            /* slice_type */

    pps = ngx_media_bits_ue(&br);

    if (br.err) {
        return NGX_ERROR;
    }

    if (ngx_media_h264_past_sets(past, pps) != NGX_OK) {
        return NGX_DECLINED;
    }

    sps = &past->sps;

    picture->found = 1;
    picture->pps = pps;
    picture->ref = (nal->pos[0] & 0x60) != 0;
    picture->idr = (nal->pos[0] & 0x1f) == NGX_MEDIA_H264_IDR;

    picture->frame_num = ngx_media_bits_get(&br, sps->frame_num_bits);

    if (sps->interlaced) {
        picture->field = ngx_media_bits_get(&br, 1);
    }

    if (picture->idr) {
        (void) ngx_media_bits_ue(&br);        /* idr_pic_id */
    }

    if (sps->poc_type == 0) {
        picture->lsb = ngx_media_bits_get(&br, sps->poc_bits);

        if (past->pps.bottom && !picture->field) {
            picture->bottom = ngx_media_bits_se(&br);
        }
    }

    return br.err ? NGX_ERROR : NGX_OK;
}


/* 8.2.1; of type 2, output order is decoding order */

static void
ngx_media_h264_order(ngx_media_h264_past_t *past,
    ngx_media_h264_picture_t *picture)
{
    int64_t  half, msb, prev;

    if (past->sps.poc_type != 0) {
        picture->poc = past->shown.poc + 1;
        return;
    }

    if (picture->idr) {
        picture->poc = picture->lsb;
        return;
    }

    half = (int64_t) 1 << (past->sps.poc_bits - 1);
    prev = past->ref.lsb;
    msb = past->ref.poc - prev;

    if (picture->lsb < prev && prev - picture->lsb >= half) {
        msb += 2 * half;

    } else if (picture->lsb > prev && picture->lsb - prev > half) {
        msb -= 2 * half;
    }

    picture->poc = msb + picture->lsb;
}


/* the sets of a picture: one pair for all of them */

static ngx_int_t
ngx_media_h264_past_sets(ngx_media_h264_past_t *past, uint32_t pps)
{
    uint32_t              sps;
    ngx_media_span_t      set;
    ngx_media_h264_pps_t  next;

    if (past->ref.found && past->pps.id == pps) {
        return NGX_OK;
    }

    if (ngx_media_h264_set(past->params, NGX_MEDIA_H264_PPS, pps, &set)
        != NGX_OK
        || ngx_media_h264_parse_pps(&next, &set) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    sps = past->ref.found ? past->pps.sps : next.sps;
    past->pps = next;

    if (next.sps != sps || next.groups) {
        return NGX_DECLINED;
    }

    if (past->ref.found) {
        return NGX_OK;
    }

    if (ngx_media_h264_set(past->params, NGX_MEDIA_H264_SPS, next.sps, &set)
        != NGX_OK
        || ngx_media_h264_parse_sps(&past->sps, set.pos, set.last) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* type 1 repeats a pattern that a picture more would shift */

    return (past->sps.poc_type == 1 || past->sps.separate) ? NGX_DECLINED
                                                           : NGX_OK;
}


/* a parameter set of the configuration by its id */

static ngx_int_t
ngx_media_h264_set(const ngx_media_params_t *params, ngx_uint_t type,
    uint32_t id, ngx_media_span_t *set)
{
    uint32_t            i, n;
    ngx_uint_t          kind;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, params->config,
                          params->config + params->config_len);
    (void) ngx_media_read_bytes(&r, 5);

    for (kind = NGX_MEDIA_H264_SPS; kind <= NGX_MEDIA_H264_PPS; kind++) {

        n = ngx_media_read_8(&r);

        if (kind == NGX_MEDIA_H264_SPS) {
            n &= 0x1f;
        }

        for (i = 0; i < n; i++) {
            ngx_media_read_span(&r, ngx_media_read_be16(&r), set);

            if (r.err) {
                return NGX_DECLINED;
            }

            if (kind == type && ngx_media_span_len(set) > 1
                && ngx_media_h264_set_id(set) == id)
            {
                return NGX_OK;
            }
        }
    }

    return NGX_DECLINED;
}


static uint32_t
ngx_media_h264_set_id(const ngx_media_span_t *set)
{
    ngx_media_bits_t  br;

    ngx_media_bits_init_nal(&br, set->pos + 1, set->last);

    if ((set->pos[0] & 0x1f) == NGX_MEDIA_H264_SPS) {
        ngx_media_bits_skip(&br, 24);
    }

    return ngx_media_bits_ue(&br);
}


/* a set in the stream: is it that of the configuration? */

static ngx_int_t
ngx_media_h264_set_known(const ngx_media_params_t *params,
    const ngx_media_span_t *nal)
{
    ngx_media_span_t  set;

    if (ngx_media_span_len(nal) < 2
        || ngx_media_h264_set(params, nal->pos[0] & 0x1f,
                              ngx_media_h264_set_id(nal), &set)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (ngx_media_span_len(&set) != ngx_media_span_len(nal)
        || ngx_memcmp(set.pos, nal->pos, ngx_media_span_len(nal)) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* 7.3.2.2 */

static ngx_int_t
ngx_media_h264_parse_pps(ngx_media_h264_pps_t *pps,
    const ngx_media_span_t *set)
{
    ngx_media_bits_t  br;

    ngx_memzero(pps, sizeof(ngx_media_h264_pps_t));

    ngx_media_bits_init_nal(&br, set->pos + 1, set->last);

    pps->id = ngx_media_bits_ue(&br);
    pps->sps = ngx_media_bits_ue(&br);
    pps->cabac = ngx_media_bits_get(&br, 1);
    pps->bottom = ngx_media_bits_get(&br, 1);

    if (ngx_media_bits_ue(&br) != 0) {
        pps->groups = 1;
        return br.err ? NGX_ERROR : NGX_OK;
    }

    (void) ngx_media_bits_ue(&br);            /* num_ref_idx_l0_default */
    (void) ngx_media_bits_ue(&br);            /* and l1 */

    pps->weighted = ngx_media_bits_get(&br, 1);

    ngx_media_bits_skip(&br, 2);              /* weighted_bipred_idc */

    pps->qp = 26 + (uint32_t) ngx_media_bits_se(&br);

    if (pps->qp > 51) {
        return NGX_ERROR;
    }

    (void) ngx_media_bits_se(&br);            /* pic_init_qs_minus26 */
    (void) ngx_media_bits_se(&br);            /* chroma_qp_index_offset */

    pps->deblocking = ngx_media_bits_get(&br, 1);

    ngx_media_bits_skip(&br, 1);              /* constrained_intra_pred */

    pps->redundant = ngx_media_bits_get(&br, 1);

    return br.err ? NGX_ERROR : NGX_OK;
}


/* 7.3.3 */

static void
ngx_media_h264_write_header(ngx_media_h264_out_t *out,
    const ngx_media_h264_past_t *past)
{
    uint32_t                     frame_num;
    const ngx_media_h264_sps_t  *sps;
    const ngx_media_h264_pps_t  *pps;

    sps = &past->sps;
    pps = &past->pps;

    frame_num = (past->ref.frame_num + 1)
                & (((uint32_t) 1 << sps->frame_num_bits) - 1);

    ngx_media_h264_put_ue(out, 0);            /* first_mb_in_slice */
    ngx_media_h264_put_ue(out, 5);            /* slice_type: P, all of them */
    ngx_media_h264_put_ue(out, pps->id);
    ngx_media_h264_put(out, sps->frame_num_bits, frame_num);

    if (sps->interlaced) {
        ngx_media_h264_put(out, 1, 0);        /* field_pic_flag */
    }

    if (sps->poc_type == 0) {
        ngx_media_h264_put(out, sps->poc_bits,
                           (past->shown.lsb + 1)
                           & (((uint32_t) 1 << sps->poc_bits) - 1));

        if (pps->bottom) {
            ngx_media_h264_put_se(out, past->shown.bottom);
        }
    }

    if (pps->redundant) {
        ngx_media_h264_put_ue(out, 0);        /* redundant_pic_cnt */
    }

    ngx_media_h264_put(out, 1, 1);            /* num_ref_idx_active_override */
    ngx_media_h264_put_ue(out, 0);            /* one picture */

    ngx_media_h264_write_list(out, past, frame_num);

    if (pps->weighted) {
        ngx_media_h264_put_ue(out, 0);        /* luma_log2_weight_denom */

        if (sps->chroma_format) {
            ngx_media_h264_put_ue(out, 0);
        }

        ngx_media_h264_put(out, sps->chroma_format ? 2 : 1, 0);
    }

    if (pps->cabac) {
        ngx_media_h264_put_ue(out, 0);        /* cabac_init_idc */
    }

    ngx_media_h264_put_se(out, NGX_MEDIA_H264_STILL_QP - (int32_t) pps->qp);

    if (pps->deblocking) {
        ngx_media_h264_put_ue(out, 1);        /* none */
    }
}


/* 7.3.3.1: the picture on show is the one that is referred to */

static void
ngx_media_h264_write_list(ngx_media_h264_out_t *out,
    const ngx_media_h264_past_t *past, uint32_t frame_num)
{
    uint32_t  diff;

    if (!past->shown.ref || past->shown.frame_num == past->ref.frame_num) {
        ngx_media_h264_put(out, 1, 0);
        return;
    }

    diff = (frame_num - past->shown.frame_num)
           & (((uint32_t) 1 << past->sps.frame_num_bits) - 1);

    if (diff == 0) {

        /* it cannot be said, numbers are too short */

        out->err = 1;
        return;
    }

    ngx_media_h264_put(out, 1, 1);
    ngx_media_h264_put_ue(out, 0);            /* subtract, */
    ngx_media_h264_put_ue(out, diff - 1);     /* abs_diff_pic_num_minus1 */
    ngx_media_h264_put_ue(out, 3);            /* end */
}


/* 7.3.4 */

static void
ngx_media_h264_write_data(ngx_media_h264_out_t *out,
    const ngx_media_h264_past_t *past)
{
    uint32_t                i, n;
    ngx_media_h264_cabac_t  cabac;

    n = past->sps.mbs;

    if (!past->pps.cabac) {
        ngx_media_h264_put_ue(out, n);        /* mb_skip_run */
        ngx_media_h264_put(out, 1, 1);        /* rbsp_stop_one_bit */
        return;
    }

    while (out->n % 8) {
        ngx_media_h264_put(out, 1, 1);        /* cabac_alignment_one_bit */
    }

    cabac.low = 0;
    cabac.range = 510;
    cabac.outstanding = 0;
    cabac.state = 0;
    cabac.first = 1;

    for (i = 0; i < n && !out->err; i++) {
        ngx_media_h264_skip(out, &cabac);

        /* pairs of macroblocks end together */

        if (!past->sps.adaptive || i % 2) {
            ngx_media_h264_last(out, &cabac, i == n - 1);
        }
    }
}


/* 9.3.4.2: mb_skip_flag is 1, which is always the more probable symbol */

static void
ngx_media_h264_skip(ngx_media_h264_out_t *out, ngx_media_h264_cabac_t *cabac)
{
    cabac->range -= ngx_media_h264_ranges[cabac->state]
                                         [(cabac->range >> 6) & 3];

    if (cabac->state < NGX_MEDIA_H264_STATES - 1) {
        cabac->state++;
    }

    ngx_media_h264_renorm(out, cabac);
}


/* 9.3.4.5: end_of_slice_flag; the last bit that is written is the stop bit */

static void
ngx_media_h264_last(ngx_media_h264_out_t *out, ngx_media_h264_cabac_t *cabac,
    ngx_uint_t last)
{
    cabac->range -= 2;

    if (!last) {
        ngx_media_h264_renorm(out, cabac);
        return;
    }

    cabac->low += cabac->range;
    cabac->range = 2;

    ngx_media_h264_renorm(out, cabac);

    ngx_media_h264_cabac_bit(out, cabac, cabac->low >> 9 & 1);
    ngx_media_h264_put(out, 2, (cabac->low >> 7 & 3) | 1);
}


static void
ngx_media_h264_renorm(ngx_media_h264_out_t *out,
    ngx_media_h264_cabac_t *cabac)
{
    while (cabac->range < 256) {

        if (cabac->low < 256) {
            ngx_media_h264_cabac_bit(out, cabac, 0);

        } else if (cabac->low >= 512) {
            cabac->low -= 512;
            ngx_media_h264_cabac_bit(out, cabac, 1);

        } else {
            cabac->low -= 256;
            cabac->outstanding++;
        }

        cabac->range <<= 1;
        cabac->low <<= 1;
    }
}


static void
ngx_media_h264_cabac_bit(ngx_media_h264_out_t *out,
    ngx_media_h264_cabac_t *cabac, ngx_uint_t bit)
{
    if (cabac->first) {
        cabac->first = 0;

    } else {
        ngx_media_h264_put(out, 1, bit);
    }

    while (cabac->outstanding) {
        ngx_media_h264_put(out, 1, !bit);
        cabac->outstanding--;
    }
}


/* 7.3.1, with a length in front; returns 0 where it does not fit */

static size_t
ngx_media_h264_write_nal(u_char *p, size_t max, ngx_uint_t nal_length,
    const ngx_media_h264_out_t *out)
{
    size_t      i, n, size, zeros;
    ngx_uint_t  k;

    n = (out->n + 7) / 8;

    /* every third byte may need one more */

    if (max < nal_length + 1 + n + n / 2 + 1) {
        return 0;
    }

    size = nal_length;
    p[size++] = NGX_MEDIA_H264_SLICE;         /* nal_ref_idc is 0 */
    zeros = 0;

    for (i = 0; i < n; i++) {

        if (zeros == 2 && out->bytes[i] <= 3) {
            p[size++] = 3;                    /* emulation_prevention */
            zeros = 0;
        }

        p[size++] = out->bytes[i];
        zeros = out->bytes[i] ? 0 : zeros + 1;
    }

    if (nal_length == 1 && size - 1 > 255) {
        return 0;
    }

    for (k = 0; k < nal_length; k++) {
        p[k] = (u_char) ((size - nal_length) >> 8 * (nal_length - 1 - k));
    }

    return size;
}


static void
ngx_media_h264_put(ngx_media_h264_out_t *out, ngx_uint_t n, uint32_t v)
{
    while (n--) {

        if (out->n == NGX_MEDIA_H264_STILL_MAX * 8) {
            out->err = 1;
            return;
        }

        if (v >> n & 1) {
            out->bytes[out->n / 8] |= (u_char) (0x80 >> out->n % 8);
        }

        out->n++;
    }
}


static void
ngx_media_h264_put_ue(ngx_media_h264_out_t *out, uint32_t v)
{
    ngx_uint_t  n;

    for (n = 0; ((uint64_t) v + 1) >> (n + 1); n++) { /* void */ }

    ngx_media_h264_put(out, n, 0);
    ngx_media_h264_put(out, n + 1, v + 1);
}


static void
ngx_media_h264_put_se(ngx_media_h264_out_t *out, int32_t v)
{
    ngx_media_h264_put_ue(out, v > 0 ? 2 * (uint32_t) v - 1
                                     : 2 * (uint32_t) -v);
}
