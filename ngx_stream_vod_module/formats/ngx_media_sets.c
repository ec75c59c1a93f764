
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_sets.h"


#define NGX_MEDIA_SETS_HVCC_HEAD  23          /* with numOfArrays */


static ngx_int_t ngx_media_sets_h264_id(const ngx_media_span_t *nal,
    uint32_t *key);
static ngx_int_t ngx_media_sets_h265_id(const ngx_media_span_t *nal,
    uint32_t *key);
static void ngx_media_sets_remove(ngx_media_sets_t *sets, uint32_t i);
static uint32_t ngx_media_sets_count(const ngx_media_sets_t *sets,
    uint32_t type, ngx_media_span_t *first);
static size_t ngx_media_sets_write(u_char *p, const ngx_media_sets_t *sets,
    uint32_t type);
static size_t ngx_media_sets_avcc(u_char *p, const ngx_media_sets_t *sets);
static size_t ngx_media_sets_avcc_high(u_char *p, const u_char *pos,
    const u_char *last);
static size_t ngx_media_sets_hvcc(u_char *p, const ngx_media_sets_t *sets);
static u_char *ngx_media_sets_hvcc_head(u_char *p,
    const ngx_media_h265_sps_t *sps);


void
ngx_media_sets_init(ngx_media_sets_t *sets, ngx_media_units_e units)
{
    sets->units = units;
    sets->n = 0;
    sets->size = 0;
}


ngx_int_t
ngx_media_sets_add(ngx_media_sets_t *sets, const ngx_media_span_t *nal)
{
    size_t            len;
    uint32_t          i, key;
    ngx_int_t         rc;
    ngx_media_set_t  *set;

    if (sets->units == NGX_MEDIA_UNITS_AVC) {
        rc = ngx_media_sets_h264_id(nal, &key);

    } else {
        rc = ngx_media_sets_h265_id(nal, &key);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    len = ngx_media_span_len(nal);

    for (i = 0; i < sets->n; i++) {
        set = &sets->sets[i];

        if (set->key != key) {
            continue;
        }

        if (set->len == len
            && ngx_memcmp(sets->data + set->pos, nal->pos, len) == 0)
        {
            return NGX_DECLINED;
        }

        if (len > sizeof(sets->data) - sets->size + set->len) {
            return NGX_ERROR;
        }

        ngx_media_sets_remove(sets, i);
        break;
    }

    if (sets->n == NGX_MEDIA_SETS_MAX
        || len > sizeof(sets->data) - sets->size)
    {
        return NGX_ERROR;
    }

    set = &sets->sets[sets->n++];

    set->key = key;
    set->pos = sets->size;
    set->len = len;

    ngx_memcpy(sets->data + sets->size, nal->pos, len);
    sets->size += len;

    return NGX_OK;
}


/* ISO/IEC 14496-10, 7.3.2.1.1 and 7.3.2.2 */

static ngx_int_t
ngx_media_sets_h264_id(const ngx_media_span_t *nal, uint32_t *key)
{
    uint32_t              id, type;
    ngx_media_bits_t      br;
    ngx_media_h264_sps_t  sps;

    if (nal->pos == nal->last) {
        return NGX_DECLINED;
    }

    type = nal->pos[0] & 0x1f;

    switch (type) {

    case NGX_MEDIA_H264_SPS:

        if (ngx_media_h264_parse_sps(&sps, nal->pos, nal->last) != NGX_OK) {
            return NGX_ERROR;
        }

        id = sps.id;
        break;

    case NGX_MEDIA_H264_PPS:
        ngx_media_bits_init_nal(&br, nal->pos + 1, nal->last);

        id = ngx_media_bits_ue(&br);

        if (id > 255 || ngx_media_bits_ue(&br) > 31 || br.err) {
            return NGX_ERROR;
        }

        break;

    default:
        return NGX_DECLINED;
    }

    *key = type << 8 | id;

    return NGX_OK;
}


/* ISO/IEC 23008-2, 7.3.2.1 to 7.3.2.3; of the base layer */

static ngx_int_t
ngx_media_sets_h265_id(const ngx_media_span_t *nal, uint32_t *key)
{
    uint32_t              id, type;
    ngx_media_bits_t      br;
    ngx_media_h265_sps_t  sps;

    if (ngx_media_span_len(nal) < 3
        || (nal->pos[0] & 1) || nal->pos[1] >> 3)
    {
        return NGX_DECLINED;
    }

    type = nal->pos[0] >> 1 & 0x3f;

    switch (type) {

    case NGX_MEDIA_H265_VPS:
        id = nal->pos[2] >> 4;
        break;

    case NGX_MEDIA_H265_SPS:

        if (ngx_media_h265_parse_sps(&sps, nal->pos, nal->last) != NGX_OK) {
            return NGX_ERROR;
        }

        id = sps.id;
        break;

    case NGX_MEDIA_H265_PPS:
        ngx_media_bits_init_nal(&br, nal->pos + 2, nal->last);

        id = ngx_media_bits_ue(&br);

        if (id > 63 || ngx_media_bits_ue(&br) > 15 || br.err) {
            return NGX_ERROR;
        }

        break;

    default:
        return NGX_DECLINED;
    }

    *key = type << 8 | id;

    return NGX_OK;
}


static void
ngx_media_sets_remove(ngx_media_sets_t *sets, uint32_t i)
{
    uint32_t         k;
    ngx_media_set_t  set;

    set = sets->sets[i];

    ngx_memmove(sets->data + set.pos, sets->data + set.pos + set.len,
                sets->size - set.pos - set.len);

    sets->size -= set.len;
    sets->n--;

    for (k = i; k < sets->n; k++) {
        sets->sets[k] = sets->sets[k + 1];
        sets->sets[k].pos -= set.len;
    }
}


size_t
ngx_media_sets_record(u_char *p, const ngx_media_sets_t *sets)
{
    return sets->units == NGX_MEDIA_UNITS_AVC ? ngx_media_sets_avcc(p, sets)
                                              : ngx_media_sets_hvcc(p, sets);
}


static uint32_t
ngx_media_sets_count(const ngx_media_sets_t *sets, uint32_t type,
    ngx_media_span_t *first)
{
    uint32_t  i, n;

    n = 0;
    first->pos = NULL;
    first->last = NULL;

    for (i = 0; i < sets->n; i++) {

        if (sets->sets[i].key >> 8 != type) {
            continue;
        }

        if (n++ == 0) {
            first->pos = sets->data + sets->sets[i].pos;
            first->last = first->pos + sets->sets[i].len;
        }
    }

    return n;
}


/* all of a type, each behind its length */

static size_t
ngx_media_sets_write(u_char *p, const ngx_media_sets_t *sets, uint32_t type)
{
    size_t                  size;
    uint32_t                i;
    const ngx_media_set_t  *set;

    size = 0;

    for (i = 0; i < sets->n; i++) {
        set = &sets->sets[i];

        if (set->key >> 8 != type) {
            continue;
        }

        size += 2 + set->len;

        if (p != NULL) {
            p = ngx_media_put_be16(p, set->len);
            p = ngx_cpymem(p, sets->data + set->pos, set->len);
        }
    }

    return size;
}


/* ISO/IEC 14496-15, 5.3.3.1.2; there are at most 32 sets, of 31 and 255 */

static size_t
ngx_media_sets_avcc(u_char *p, const ngx_media_sets_t *sets)
{
    size_t            high, nsps, npps;
    uint32_t          n, m;
    ngx_media_span_t  sps, pps;

    n = ngx_media_sets_count(sets, NGX_MEDIA_H264_SPS, &sps);
    m = ngx_media_sets_count(sets, NGX_MEDIA_H264_PPS, &pps);

    if (n == 0 || m == 0 || n > 31) {
        return 0;
    }

    nsps = ngx_media_sets_write(NULL, sets, NGX_MEDIA_H264_SPS);
    npps = ngx_media_sets_write(NULL, sets, NGX_MEDIA_H264_PPS);
    high = ngx_media_sets_avcc_high(NULL, sps.pos, sps.last);

    if (p != NULL) {
        *p++ = 1;
        p = ngx_cpymem(p, sps.pos + 1, 3);
        *p++ = 0xfc | (NGX_MEDIA_SETS_NAL - 1);
        *p++ = (u_char) (0xe0 | n);
        p += ngx_media_sets_write(p, sets, NGX_MEDIA_H264_SPS);
        *p++ = (u_char) m;
        p += ngx_media_sets_write(p, sets, NGX_MEDIA_H264_PPS);
        (void) ngx_media_sets_avcc_high(p, sps.pos, sps.last);
    }

    return 6 + nsps + 1 + npps + high;
}


static size_t
ngx_media_sets_avcc_high(u_char *p, const u_char *pos, const u_char *last)
{
    ngx_media_h264_sps_t  sps;

    /* it was parsed before it was taken */

    (void) ngx_media_h264_parse_sps(&sps, pos, last);

    if (sps.profile == 66 || sps.profile == 77 || sps.profile == 88) {
        return 0;
    }

    if (p != NULL) {
        p[0] = 0xfc | sps.chroma_format;
        p[1] = (u_char) (0xf8 | (sps.bit_depth - 8));
        p[2] = (u_char) (0xf8 | (sps.chroma_depth - 8));
        p[3] = 0;                             /* SPS extensions */
    }

    return 4;
}


/* ISO/IEC 14496-15, 8.3.3.1.2 */

static size_t
ngx_media_sets_hvcc(u_char *p, const ngx_media_sets_t *sets)
{
    size_t                size;
    uint32_t              counts[3], type;
    ngx_media_span_t      nal, sps;
    ngx_media_h265_sps_t  parsed;

    size = NGX_MEDIA_SETS_HVCC_HEAD;

    for (type = NGX_MEDIA_H265_VPS; type <= NGX_MEDIA_H265_PPS; type++) {
        counts[type - NGX_MEDIA_H265_VPS]
                                = ngx_media_sets_count(sets, type, &nal);

        if (counts[type - NGX_MEDIA_H265_VPS] == 0) {
            return 0;
        }

        size += 3 + ngx_media_sets_write(NULL, sets, type);
    }

    if (p == NULL) {
        return size;
    }

    (void) ngx_media_sets_count(sets, NGX_MEDIA_H265_SPS, &sps);
    (void) ngx_media_h265_parse_sps(&parsed, sps.pos, sps.last);

    p = ngx_media_sets_hvcc_head(p, &parsed);

    for (type = NGX_MEDIA_H265_VPS; type <= NGX_MEDIA_H265_PPS; type++) {
        *p++ = (u_char) (0x80 | type);        /* array_completeness */
        p = ngx_media_put_be16(p, counts[type - NGX_MEDIA_H265_VPS]);
        p += ngx_media_sets_write(p, sets, type);
    }

    return size;
}


/* segmentation, parallelism and frame rate: unknown */

static u_char *
ngx_media_sets_hvcc_head(u_char *p, const ngx_media_h265_sps_t *sps)
{
    const ngx_media_h265_profile_t  *profile;

    profile = &sps->profile;

    *p++ = 1;
    *p++ = (u_char) (profile->space << 6 | profile->tier << 5
                     | profile->profile);
    p = ngx_media_put_be32(p, profile->compatibility);
    p = ngx_cpymem(p, profile->constraints, sizeof(profile->constraints));
    *p++ = profile->level;
    p = ngx_media_put_be16(p, 0xf000);
    *p++ = 0xfc;
    *p++ = 0xfc | sps->chroma_format;
    *p++ = (u_char) (0xf8 | (sps->bit_depth - 8));
    *p++ = (u_char) (0xf8 | (sps->chroma_depth - 8));
    p = ngx_media_put_be16(p, 0);
    *p++ = (u_char) (sps->sub_layers << 3 | sps->nested << 2
                     | (NGX_MEDIA_SETS_NAL - 1));
    *p++ = 3;

    return p;
}
