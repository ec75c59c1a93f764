
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * CMAF headers and chunks.  One function for each box, all of one form: a
 * size comes back, and bytes are written unless p is NULL.  A container
 * counts its children first, in the pass that has no p, so no length is ever
 * patched.
 *
 * Clauses without a name are those of ISO/IEC 14496-12.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_mp4_fields.h"
#include "formats/ngx_media_mp4_write.h"


#define NGX_MEDIA_MP4_TRACK_ID  1


/* what the samples of a chunk have in common */

typedef struct {
    uint32_t                  tfhd;           /* flags of the two boxes */
    uint32_t                  trun;
    uint32_t                  flags;          /* default_sample_flags */
    uint32_t                  moof;           /* size of that box */
    uint64_t                  data;           /* bytes of all samples */
} ngx_media_mp4_run_t;


static size_t ngx_media_mp4_write_ftyp(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_moov(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_mvhd(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_trak(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_tkhd(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_edts(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_mdia(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_mdhd(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_hdlr(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_minf(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_vmhd(u_char *p);
static size_t ngx_media_mp4_write_smhd(u_char *p);
static size_t ngx_media_mp4_write_nmhd(u_char *p);
static size_t ngx_media_mp4_write_dinf(u_char *p);
static size_t ngx_media_mp4_write_stbl(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_stsd(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_mp4_write_empty(u_char *p, uint32_t type, size_t n);
static size_t ngx_media_mp4_write_mvex(u_char *p,
    const ngx_media_params_t *params);
static void ngx_media_mp4_scan(ngx_media_mp4_run_t *run,
    const ngx_media_mp4_chunk_t *chunk);
static size_t ngx_media_mp4_write_styp(u_char *p);
static size_t ngx_media_mp4_write_moof(u_char *p,
    const ngx_media_mp4_chunk_t *chunk, const ngx_media_mp4_run_t *run);
static size_t ngx_media_mp4_write_mfhd(u_char *p,
    const ngx_media_mp4_chunk_t *chunk);
static size_t ngx_media_mp4_write_tfhd(u_char *p,
    const ngx_media_mp4_chunk_t *chunk, const ngx_media_mp4_run_t *run);
static size_t ngx_media_mp4_write_tfdt(u_char *p,
    const ngx_media_mp4_chunk_t *chunk);
static size_t ngx_media_mp4_write_trun(u_char *p,
    const ngx_media_mp4_chunk_t *chunk, const ngx_media_mp4_run_t *run);
static u_char *ngx_media_mp4_put_box(u_char *p, size_t n, uint32_t type);
static u_char *ngx_media_mp4_put_full(u_char *p, size_t n, uint32_t type,
    uint32_t version, uint32_t flags);


/* by ngx_media_type_e; a zero ends the name */

static const struct {
    uint32_t   id;
    ngx_str_t  name;
} ngx_media_mp4_handlers[] = {
    { ngx_media_fourcc('v', 'i', 'd', 'e'), ngx_string("VideoHandler\0") },
    { ngx_media_fourcc('s', 'o', 'u', 'n'), ngx_string("SoundHandler\0") },
    { ngx_media_fourcc('t', 'e', 'x', 't'), ngx_string("TextHandler\0") }
};


/* unity, 6.2.2 */

static const u_char  ngx_media_mp4_matrix[36] = {
    0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00
};


size_t
ngx_media_mp4_write_init(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    if (ngx_media_codec_find(params->codec) == NULL) {
        return 0;
    }

    n = ngx_media_mp4_write_ftyp(p, params);

    return n + ngx_media_mp4_write_moov(ngx_media_mp4_at(p, n), params);
}


/* 4.3; ISO/IEC 23000-19, 7.7.2: cmf2 has no edit list, cmfc may have one */

static size_t
ngx_media_mp4_write_ftyp(u_char *p, const ngx_media_params_t *params)
{
    size_t    n;
    uint32_t  brand;

    n = 8 + 8 + 2 * 4 + (params->delay ? 0 : 4);

    if (p != NULL) {
        brand = params->delay ? ngx_media_fourcc('c', 'm', 'f', 'c')
                              : ngx_media_fourcc('c', 'm', 'f', '2');

        p = ngx_media_mp4_put_box(p, n, ngx_media_fourcc('f', 't', 'y', 'p'));
        p = ngx_media_put_be32(p, brand);
        p = ngx_media_put_be32(p, 0);
        p = ngx_media_put_be32(p, ngx_media_fourcc('i', 's', 'o', '6'));
        p = ngx_media_put_be32(p, ngx_media_fourcc('c', 'm', 'f', 'c'));

        if (params->delay == 0) {
            ngx_media_put_be32(p, brand);
        }
    }

    return n;
}


/* 8.2.1 */

static size_t
ngx_media_mp4_write_moov(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 8;
    n += ngx_media_mp4_write_mvhd(ngx_media_mp4_at(p, n), params);
    n += ngx_media_mp4_write_trak(ngx_media_mp4_at(p, n), params);
    n += ngx_media_mp4_write_mvex(ngx_media_mp4_at(p, n), params);

    if (p != NULL) {
        ngx_media_mp4_put_box(p, n, ngx_media_fourcc('m', 'o', 'o', 'v'));
    }

    return n;
}


/* 8.2.2; no times: equal parameters make equal bytes */

static size_t
ngx_media_mp4_write_mvhd(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 12 + 96;

    if (p != NULL) {
        ngx_memzero(p, n);

        p = ngx_media_mp4_put_full(p, n,
                                   ngx_media_fourcc('m', 'v', 'h', 'd'), 0, 0);
        p = ngx_media_put_be32(p + 8, params->timescale);
        p = ngx_media_put_be32(p + 4, 0x00010000);      /* rate */
        p = ngx_media_put_be16(p, 0x0100);              /* volume */
        p = ngx_cpymem(p + 10, ngx_media_mp4_matrix, 36);
        ngx_media_put_be32(p + 24, NGX_MEDIA_MP4_TRACK_ID + 1);
    }

    return n;
}


/* 8.3.1 */

static size_t
ngx_media_mp4_write_trak(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 8;
    n += ngx_media_mp4_write_tkhd(ngx_media_mp4_at(p, n), params);

    if (params->delay) {
        n += ngx_media_mp4_write_edts(ngx_media_mp4_at(p, n), params);
    }

    n += ngx_media_mp4_write_mdia(ngx_media_mp4_at(p, n), params);

    if (p != NULL) {
        ngx_media_mp4_put_box(p, n, ngx_media_fourcc('t', 'r', 'a', 'k'));
    }

    return n;
}


/* 8.3.2; the size is that of the presentation, so with SAR applied */

static size_t
ngx_media_mp4_write_tkhd(u_char *p, const ngx_media_params_t *params)
{
    size_t    n;
    uint64_t  width;

    n = 12 + 80;

    if (p == NULL) {
        return n;
    }

    ngx_memzero(p, n);

    /* flags: enabled, in movie */

    p = ngx_media_mp4_put_full(p, n, ngx_media_fourcc('t', 'k', 'h', 'd'),
                               0, 3);
    p = ngx_media_put_be32(p + 8, NGX_MEDIA_MP4_TRACK_ID);
    p = ngx_media_put_be16(p + 20, params->type == NGX_MEDIA_AUDIO ? 0x0100
                                                                   : 0);
    p = ngx_media_mp4_write_matrix(p + 2, params);

    width = (uint64_t) params->width << 16;

    if (params->sar_num && params->sar_den) {
        width = width * params->sar_num / params->sar_den;
    }

    p = ngx_media_put_be32(p, (uint32_t) ngx_min(width, 0xffff0000));
    ngx_media_put_be32(p, params->height << 16);

    return n;
}


/* 6.2.2: a b u c d v x y w; turned about the origin, and moved back */

u_char *
ngx_media_mp4_write_matrix(u_char *p, const ngx_media_params_t *params)
{
    int32_t  a, b, x, y;

    a = 1;
    b = 0;
    x = 0;
    y = 0;

    switch (params->rotation) {

    case 90:
        a = 0;
        b = 1;
        x = (int32_t) params->height;
        break;

    case 180:
        a = -1;
        x = (int32_t) params->width;
        y = (int32_t) params->height;
        break;

    case 270:
        a = 0;
        b = -1;
        y = (int32_t) params->width;
        break;
    }

    p = ngx_media_put_be32(p, (uint32_t) (a * 0x10000));
    p = ngx_media_put_be32(p, (uint32_t) (b * 0x10000));
    p = ngx_media_put_be32(p, 0);
    p = ngx_media_put_be32(p, (uint32_t) (-b * 0x10000));
    p = ngx_media_put_be32(p, (uint32_t) (a * 0x10000));
    p = ngx_media_put_be32(p, 0);
    p = ngx_media_put_be32(p, (uint32_t) x << 16);
    p = ngx_media_put_be32(p, (uint32_t) y << 16);

    return ngx_media_put_be32(p, 0x40000000);
}


/*
 * 8.6.5, 8.6.6; ISO/IEC 23000-19, 7.5.13: what is presented first has the
 * decode time of its fragment for its time of presentation.  The duration of
 * an edit that goes on through all fragments is 0.
 */

static size_t
ngx_media_mp4_write_edts(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 8 + 12 + 4 + 12;

    if (p != NULL) {
        p = ngx_media_mp4_put_box(p, n, ngx_media_fourcc('e', 'd', 't', 's'));
        p = ngx_media_mp4_put_full(p, n - 8,
                                   ngx_media_fourcc('e', 'l', 's', 't'), 0, 0);
        p = ngx_media_put_be32(p, 1);
        p = ngx_media_put_be32(p, 0);                   /* segment_duration */
        p = ngx_media_put_be32(p, params->delay);       /* media_time */
        ngx_media_put_be32(p, 0x00010000);              /* media_rate */
    }

    return n;
}


/* 8.4.1 */

static size_t
ngx_media_mp4_write_mdia(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 8;
    n += ngx_media_mp4_write_mdhd(ngx_media_mp4_at(p, n), params);
    n += ngx_media_mp4_write_hdlr(ngx_media_mp4_at(p, n), params);
    n += ngx_media_mp4_write_minf(ngx_media_mp4_at(p, n), params);

    if (p != NULL) {
        ngx_media_mp4_put_box(p, n, ngx_media_fourcc('m', 'd', 'i', 'a'));
    }

    return n;
}


/* 8.4.2 */

static size_t
ngx_media_mp4_write_mdhd(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 12 + 20;

    if (p != NULL) {
        ngx_memzero(p, n);

        p = ngx_media_mp4_put_full(p, n,
                                   ngx_media_fourcc('m', 'd', 'h', 'd'), 0, 0);
        p = ngx_media_put_be32(p + 8, params->timescale);
        ngx_media_put_be16(p + 4, 0x55c4);              /* "und" */
    }

    return n;
}


/* 8.4.3 */

static size_t
ngx_media_mp4_write_hdlr(u_char *p, const ngx_media_params_t *params)
{
    size_t      n;
    ngx_uint_t  type;

    type = ngx_min(params->type, NGX_MEDIA_TEXT);

    n = 12 + 20 + ngx_media_mp4_handlers[type].name.len;

    if (p == NULL) {
        return n;
    }

    ngx_memzero(p, n);

    p = ngx_media_mp4_put_full(p, n, ngx_media_fourcc('h', 'd', 'l', 'r'),
                               0, 0);

    p = ngx_media_put_be32(p + 4, ngx_media_mp4_handlers[type].id);
    ngx_memcpy(p + 12, ngx_media_mp4_handlers[type].name.data,
               ngx_media_mp4_handlers[type].name.len);

    return n;
}


/* 8.4.4 */

static size_t
ngx_media_mp4_write_minf(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 8;

    if (params->type == NGX_MEDIA_VIDEO) {
        n += ngx_media_mp4_write_vmhd(ngx_media_mp4_at(p, n));

    } else if (params->type == NGX_MEDIA_AUDIO) {
        n += ngx_media_mp4_write_smhd(ngx_media_mp4_at(p, n));

    } else {
        n += ngx_media_mp4_write_nmhd(ngx_media_mp4_at(p, n));
    }

    n += ngx_media_mp4_write_dinf(ngx_media_mp4_at(p, n));
    n += ngx_media_mp4_write_stbl(ngx_media_mp4_at(p, n), params);

    if (p != NULL) {
        ngx_media_mp4_put_box(p, n, ngx_media_fourcc('m', 'i', 'n', 'f'));
    }

    return n;
}


/* 12.1.2 */

static size_t
ngx_media_mp4_write_vmhd(u_char *p)
{
    size_t  n;

    n = 12 + 8;

    if (p != NULL) {
        p = ngx_media_mp4_put_full(p, n,
                                   ngx_media_fourcc('v', 'm', 'h', 'd'), 0, 1);
        ngx_media_put_be64(p, 0);
    }

    return n;
}


/* 12.2.2 */

static size_t
ngx_media_mp4_write_smhd(u_char *p)
{
    size_t  n;

    n = 12 + 4;

    if (p != NULL) {
        p = ngx_media_mp4_put_full(p, n,
                                   ngx_media_fourcc('s', 'm', 'h', 'd'), 0, 0);
        ngx_media_put_be32(p, 0);
    }

    return n;
}


/* 12.6.2; ISO/IEC 14496-30, 7.4: of WebVTT */

static size_t
ngx_media_mp4_write_nmhd(u_char *p)
{
    if (p != NULL) {
        (void) ngx_media_mp4_put_full(p, 12,
                                      ngx_media_fourcc('n', 'm', 'h', 'd'),
                                      0, 0);
    }

    return 12;
}


/* 8.7.1, 8.7.2: the data is in the same file */

static size_t
ngx_media_mp4_write_dinf(u_char *p)
{
    size_t  n;

    n = 8 + 16 + 12;

    if (p != NULL) {
        p = ngx_media_mp4_put_box(p, n, ngx_media_fourcc('d', 'i', 'n', 'f'));
        p = ngx_media_mp4_put_full(p, n - 8,
                                   ngx_media_fourcc('d', 'r', 'e', 'f'), 0, 0);
        p = ngx_media_put_be32(p, 1);
        ngx_media_mp4_put_full(p, 12, ngx_media_fourcc('u', 'r', 'l', ' '),
                               0, 1);
    }

    return n;
}


/* 8.5.1 */

static size_t
ngx_media_mp4_write_stbl(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 8;
    n += ngx_media_mp4_write_stsd(ngx_media_mp4_at(p, n), params);
    n += ngx_media_mp4_write_empty(ngx_media_mp4_at(p, n),
                                   ngx_media_fourcc('s', 't', 't', 's'), 16);
    n += ngx_media_mp4_write_empty(ngx_media_mp4_at(p, n),
                                   ngx_media_fourcc('s', 't', 's', 'c'), 16);
    n += ngx_media_mp4_write_empty(ngx_media_mp4_at(p, n),
                                   ngx_media_fourcc('s', 't', 's', 'z'), 20);
    n += ngx_media_mp4_write_empty(ngx_media_mp4_at(p, n),
                                   ngx_media_fourcc('s', 't', 'c', 'o'), 16);

    if (p != NULL) {
        ngx_media_mp4_put_box(p, n, ngx_media_fourcc('s', 't', 'b', 'l'));
    }

    return n;
}


/* 8.5.2 */

static size_t
ngx_media_mp4_write_stsd(u_char *p, const ngx_media_params_t *params)
{
    size_t                    n;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(params->codec);

    n = 12 + 4;
    n += codec->entry(ngx_media_mp4_at(p, n), params);

    if (p != NULL) {
        p = ngx_media_mp4_put_full(p, n,
                                   ngx_media_fourcc('s', 't', 's', 'd'), 0, 0);
        ngx_media_put_be32(p, 1);
    }

    return n;
}


/* 8.6.1.2, 8.7.4, 8.7.3.2, 8.7.5: all samples are in fragments */

static size_t
ngx_media_mp4_write_empty(u_char *p, uint32_t type, size_t n)
{
    if (p != NULL) {
        ngx_memzero(p, n);
        ngx_media_mp4_put_box(p, n, type);
    }

    return n;
}


/* 8.8.1, 8.8.3 */

static size_t
ngx_media_mp4_write_mvex(u_char *p, const ngx_media_params_t *params)
{
    size_t  n;

    n = 8 + 12 + 20;

    if (p != NULL) {
        p = ngx_media_mp4_put_box(p, n, ngx_media_fourcc('m', 'v', 'e', 'x'));
        p = ngx_media_mp4_put_full(p, n - 8,
                                   ngx_media_fourcc('t', 'r', 'e', 'x'), 0, 0);
        p = ngx_media_put_be32(p, NGX_MEDIA_MP4_TRACK_ID);
        p = ngx_media_put_be32(p, 1);     /* sample description */
        p = ngx_media_put_be64(p, 0);     /* duration, size */
        ngx_media_put_be32(p, params->type == NGX_MEDIA_VIDEO
                              ? NGX_MEDIA_MP4_NON_SYNC : NGX_MEDIA_MP4_SYNC);
    }

    return n;
}


size_t
ngx_media_mp4_write_chunk(u_char *p, const ngx_media_mp4_chunk_t *chunk)
{
    size_t               n;
    ngx_media_mp4_run_t  run;

    ngx_media_mp4_scan(&run, chunk);

    n = 0;

    if (chunk->styp) {
        n += ngx_media_mp4_write_styp(p);
    }

    n += ngx_media_mp4_write_moof(ngx_media_mp4_at(p, n), chunk, &run);

    if (p != NULL) {
        ngx_media_mp4_put_box(p + n, 8 + run.data,
                              ngx_media_fourcc('m', 'd', 'a', 't'));
    }

    return n + 8;
}


/* defaults stand for columns that would hold one value throughout */

static void
ngx_media_mp4_scan(ngx_media_mp4_run_t *run,
    const ngx_media_mp4_chunk_t *chunk)
{
    ngx_uint_t                 i, keys;
    const ngx_media_sample_t  *first, *sample;

    keys = 0;
    first = chunk->samples;

    run->data = 0;
    run->tfhd = NGX_MEDIA_MP4_TFHD_MOOF_BASE | NGX_MEDIA_MP4_TFHD_FLAGS
                | NGX_MEDIA_MP4_TFHD_DURATION | NGX_MEDIA_MP4_TFHD_SIZE;
    run->trun = NGX_MEDIA_MP4_TRUN_OFFSET;

    for (i = 0; i < chunk->nsamples; i++) {
        sample = &chunk->samples[i];

        if (sample->duration != first->duration) {
            run->tfhd &= ~NGX_MEDIA_MP4_TFHD_DURATION;
            run->trun |= NGX_MEDIA_MP4_TRUN_DURATION;
        }

        if (sample->size != first->size) {
            run->tfhd &= ~NGX_MEDIA_MP4_TFHD_SIZE;
            run->trun |= NGX_MEDIA_MP4_TRUN_SIZE;
        }

        if (sample->cto != (int64_t) chunk->delay) {
            run->trun |= NGX_MEDIA_MP4_TRUN_CTO;
        }

        keys += (sample->key != 0);
        run->data += sample->size;
    }

    run->flags = NGX_MEDIA_MP4_NON_SYNC;

    if (keys == chunk->nsamples) {
        run->flags = NGX_MEDIA_MP4_SYNC;

    } else if (keys == 1 && first->key) {
        run->trun |= NGX_MEDIA_MP4_TRUN_FIRST;

    } else if (keys) {
        run->tfhd &= ~NGX_MEDIA_MP4_TFHD_FLAGS;
        run->trun |= NGX_MEDIA_MP4_TRUN_FLAGS;
    }

    run->moof = 0;
    run->moof = ngx_media_mp4_write_moof(NULL, chunk, run);
}


/* 8.16.2; ISO/IEC 23000-19, 7.3.3.1: a segment, and its first chunk */

static size_t
ngx_media_mp4_write_styp(u_char *p)
{
    size_t  n;

    n = NGX_MEDIA_MP4_STYP_SIZE;

    if (p != NULL) {
        p = ngx_media_mp4_put_box(p, n, ngx_media_fourcc('s', 't', 'y', 'p'));
        p = ngx_media_put_be32(p, ngx_media_fourcc('m', 's', 'd', 'h'));
        p = ngx_media_put_be32(p, 0);
        p = ngx_media_put_be32(p, ngx_media_fourcc('m', 's', 'd', 'h'));
        p = ngx_media_put_be32(p, ngx_media_fourcc('c', 'm', 'f', 's'));
        ngx_media_put_be32(p, ngx_media_fourcc('c', 'm', 'f', 'l'));
    }

    return n;
}


/* 8.8.4, 8.8.6 */

static size_t
ngx_media_mp4_write_moof(u_char *p, const ngx_media_mp4_chunk_t *chunk,
    const ngx_media_mp4_run_t *run)
{
    size_t  n, traf;

    n = 8;
    n += ngx_media_mp4_write_mfhd(ngx_media_mp4_at(p, n), chunk);

    traf = n;

    n += 8;
    n += ngx_media_mp4_write_tfhd(ngx_media_mp4_at(p, n), chunk, run);
    n += ngx_media_mp4_write_tfdt(ngx_media_mp4_at(p, n), chunk);
    n += ngx_media_mp4_write_trun(ngx_media_mp4_at(p, n), chunk, run);

    if (p != NULL) {
        ngx_media_mp4_put_box(p, n, ngx_media_fourcc('m', 'o', 'o', 'f'));
        ngx_media_mp4_put_box(p + traf, n - traf,
                              ngx_media_fourcc('t', 'r', 'a', 'f'));
    }

    return n;
}


/* 8.8.5 */

static size_t
ngx_media_mp4_write_mfhd(u_char *p, const ngx_media_mp4_chunk_t *chunk)
{
    if (p != NULL) {
        p = ngx_media_mp4_put_full(p, 16,
                                   ngx_media_fourcc('m', 'f', 'h', 'd'), 0, 0);
        ngx_media_put_be32(p, chunk->sequence);
    }

    return 16;
}


/* 8.8.7 */

static size_t
ngx_media_mp4_write_tfhd(u_char *p, const ngx_media_mp4_chunk_t *chunk,
    const ngx_media_mp4_run_t *run)
{
    size_t  n;

    n = 12 + 4;
    n += (run->tfhd & NGX_MEDIA_MP4_TFHD_DURATION) ? 4 : 0;
    n += (run->tfhd & NGX_MEDIA_MP4_TFHD_SIZE) ? 4 : 0;
    n += (run->tfhd & NGX_MEDIA_MP4_TFHD_FLAGS) ? 4 : 0;

    if (p == NULL) {
        return n;
    }

    p = ngx_media_mp4_put_full(p, n, ngx_media_fourcc('t', 'f', 'h', 'd'), 0,
                               run->tfhd);
    p = ngx_media_put_be32(p, NGX_MEDIA_MP4_TRACK_ID);

    if (run->tfhd & NGX_MEDIA_MP4_TFHD_DURATION) {
        p = ngx_media_put_be32(p, chunk->nsamples
                                  ? chunk->samples[0].duration : 0);
    }

    if (run->tfhd & NGX_MEDIA_MP4_TFHD_SIZE) {
        p = ngx_media_put_be32(p, chunk->nsamples
                                  ? chunk->samples[0].size : 0);
    }

    if (run->tfhd & NGX_MEDIA_MP4_TFHD_FLAGS) {
        ngx_media_put_be32(p, run->flags);
    }

    return n;
}


/* 8.8.12, version 1: 64 bits */

static size_t
ngx_media_mp4_write_tfdt(u_char *p, const ngx_media_mp4_chunk_t *chunk)
{
    if (p != NULL) {
        p = ngx_media_mp4_put_full(p, 20,
                                   ngx_media_fourcc('t', 'f', 'd', 't'), 1, 0);
        ngx_media_put_be64(p, chunk->decode_time);
    }

    return 20;
}


/* 8.8.8, version 1: signed composition offsets */

static size_t
ngx_media_mp4_write_trun(u_char *p, const ngx_media_mp4_chunk_t *chunk,
    const ngx_media_mp4_run_t *run)
{
    size_t                     n, entry;
    ngx_uint_t                 i;
    const ngx_media_sample_t  *sample;

    entry = (run->trun & NGX_MEDIA_MP4_TRUN_DURATION) ? 4 : 0;
    entry += (run->trun & NGX_MEDIA_MP4_TRUN_SIZE) ? 4 : 0;
    entry += (run->trun & NGX_MEDIA_MP4_TRUN_FLAGS) ? 4 : 0;
    entry += (run->trun & NGX_MEDIA_MP4_TRUN_CTO) ? 4 : 0;

    n = 12 + 4 + 4;
    n += (run->trun & NGX_MEDIA_MP4_TRUN_FIRST) ? 4 : 0;
    n += entry * chunk->nsamples;

    if (p == NULL) {
        return n;
    }

    p = ngx_media_mp4_put_full(p, n, ngx_media_fourcc('t', 'r', 'u', 'n'), 1,
                               run->trun);
    p = ngx_media_put_be32(p, chunk->nsamples);
    p = ngx_media_put_be32(p, run->moof + 8); /* data_offset */

    if (run->trun & NGX_MEDIA_MP4_TRUN_FIRST) {
        p = ngx_media_put_be32(p, NGX_MEDIA_MP4_SYNC);
    }

    for (i = 0; i < chunk->nsamples; i++) {
        sample = &chunk->samples[i];

        if (run->trun & NGX_MEDIA_MP4_TRUN_DURATION) {
            p = ngx_media_put_be32(p, sample->duration);
        }

        if (run->trun & NGX_MEDIA_MP4_TRUN_SIZE) {
            p = ngx_media_put_be32(p, sample->size);
        }

        if (run->trun & NGX_MEDIA_MP4_TRUN_FLAGS) {
            p = ngx_media_put_be32(p, sample->key ? NGX_MEDIA_MP4_SYNC
                                                  : NGX_MEDIA_MP4_NON_SYNC);
        }

        if (run->trun & NGX_MEDIA_MP4_TRUN_CTO) {
            p = ngx_media_put_be32(p, (uint32_t) sample->cto - chunk->delay);
        }
    }

    return n;
}


static u_char *
ngx_media_mp4_put_box(u_char *p, size_t n, uint32_t type)
{
    p = ngx_media_put_be32(p, (uint32_t) n);

    return ngx_media_put_be32(p, type);
}


static u_char *
ngx_media_mp4_put_full(u_char *p, size_t n, uint32_t type, uint32_t version,
    uint32_t flags)
{
    p = ngx_media_mp4_put_box(p, n, type);

    return ngx_media_put_be32(p, version << 24 | flags);
}
