
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * AV1: AV1 Bitstream Specification, 5, and AV1 Codec ISO Media File Format
 * Binding, 2.3: av1C.  The sequence header has to be in the record, size and
 * color are nowhere else; one that leaves it out is completed first, see
 * ngx_media_record.h.
 */


#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_desc.h"


/* obu_type, 6.2.2 */
#define NGX_MEDIA_AV1_SEQUENCE      1
#define NGX_MEDIA_AV1_DELIMITER     2
#define NGX_MEDIA_AV1_FRAME_HEADER  3
#define NGX_MEDIA_AV1_FRAME         6
#define NGX_MEDIA_AV1_TILE_LIST     8
#define NGX_MEDIA_AV1_PADDING       15


typedef struct {
    uint32_t                  type;
    ngx_media_span_t          body;
} ngx_media_av1_obu_t;


/* what the head of a record repeats of a sequence header */

typedef struct {
    uint32_t                  profile;
    uint32_t                  level;          /* of operating point 0 */
    uint32_t                  tier;
    uint32_t                  reduced;        /* a still picture */
    uint32_t                  mono;
    uint32_t                  half_x;         /* chroma has half of it */
    uint32_t                  half_y;
    uint32_t                  position;       /* chroma_sample_position */
} ngx_media_av1_sequence_t;


static ngx_int_t ngx_media_av1_config(ngx_media_params_t *params,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_av1_frame(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last, ngx_media_frame_info_t *info);
static size_t ngx_media_av1_string(u_char *p,
    const ngx_media_params_t *params);
static size_t ngx_media_av1_entry(u_char *p,
    const ngx_media_params_t *params);
static ngx_int_t ngx_media_av1_next(ngx_media_span_t *in,
    ngx_media_av1_obu_t *obu);
static ngx_int_t ngx_media_av1_sequence(ngx_media_params_t *params,
    const ngx_media_span_t *body, ngx_media_av1_sequence_t *sequence);
static void ngx_media_av1_points(ngx_media_bits_t *br,
    ngx_media_av1_sequence_t *sequence);
static void ngx_media_av1_tools(ngx_media_bits_t *br, ngx_uint_t reduced);
static void ngx_media_av1_color(ngx_media_params_t *params,
    ngx_media_bits_t *br, ngx_media_av1_sequence_t *sequence);
static void ngx_media_av1_chroma(ngx_media_params_t *params,
    ngx_media_bits_t *br, ngx_media_av1_sequence_t *sequence);
static u_char *ngx_media_av1_field(u_char *p, uint32_t value);


const ngx_media_codec_t  ngx_media_av1_codec = {
    NGX_MEDIA_CODEC_AV1,
    NGX_MEDIA_VIDEO,
    ngx_string("av1"),
    NGX_MEDIA_IN_CMAF,
    0,                                        /* flags */
    NGX_MEDIA_UNITS_OBU,
    0,                                        /* skip */
    {
        { ngx_media_fourcc('a', 'v', '0', '1'),
          ngx_media_fourcc('d', 'a', 'v', '1') },
        ngx_media_fourcc('a', 'v', '1', 'C'),
        { 0 },
        "dav1"
    },
    { 0, 0, 0, 0, 0, 0,                       /* ts */
      0, ngx_media_fourcc('A', 'V', '0', '1'), NULL, NULL, NULL },
    { NGX_MEDIA_CODEC_AV1, 0, 0, 0, 0, 1, NULL },
    ngx_media_av1_config,
    ngx_media_av1_frame,
    ngx_media_av1_string,
    ngx_media_av1_entry,
    NULL,                                     /* silence */
    NULL,                                     /* still */
    NULL,                                     /* learn */
    NULL,                                     /* assume */
    NULL,                                     /* samples */
    NULL                                      /* size */
};


static ngx_int_t
ngx_media_av1_config(ngx_media_params_t *params, const u_char *pos,
    const u_char *last)
{
    ngx_int_t                 rc;
    ngx_media_span_t          body;
    ngx_media_av1_sequence_t  sequence;

    /* marker and version */

    if (last - pos < NGX_MEDIA_AV1_RECORD || pos[0] != 0x81) {
        return NGX_ERROR;
    }

    if (last - pos > NGX_MEDIA_CONFIG_MAX) {
        return NGX_DECLINED;
    }

    rc = ngx_media_av1_find(pos + NGX_MEDIA_AV1_RECORD, last, &body);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(params, sizeof(ngx_media_params_t));

    if (ngx_media_av1_sequence(params, &body, &sequence) != NGX_OK) {
        return NGX_ERROR;
    }

    params->codec = NGX_MEDIA_CODEC_AV1;
    params->type = NGX_MEDIA_VIDEO;
    params->timescale = NGX_MEDIA_VIDEO_TIMESCALE;

    params->config_len = (uint32_t) (last - pos);
    ngx_memcpy(params->config, pos, params->config_len);

    return NGX_OK;
}


ngx_int_t
ngx_media_av1_find(const u_char *pos, const u_char *last,
    ngx_media_span_t *body)
{
    ngx_int_t            rc;
    ngx_media_span_t     in;
    ngx_media_av1_obu_t  obu;

    in.pos = pos;
    in.last = last;

    do {
        rc = ngx_media_av1_next(&in, &obu);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_DECLINED : NGX_ERROR;
        }

    } while (obu.type != NGX_MEDIA_AV1_SEQUENCE);

    if (body != NULL) {
        *body = obu.body;
    }

    return NGX_OK;
}


/* 5.3; NGX_DONE: nothing left */

static ngx_int_t
ngx_media_av1_next(ngx_media_span_t *in, ngx_media_av1_obu_t *obu)
{
    uint32_t            byte, head;
    uint64_t            size;
    ngx_uint_t          i;
    ngx_media_reader_t  r;

    if (in->pos == in->last) {
        return NGX_DONE;
    }

    ngx_media_reader_init(&r, in->pos, in->last);

    head = ngx_media_read_8(&r);
    obu->type = head >> 3 & 0x0f;

    if (head & 0x80) {
        return NGX_ERROR;                     /* obu_forbidden_bit */
    }

    if (head & 0x04) {
        (void) ngx_media_read_8(&r);
    }

    size = ngx_media_reader_left(&r);

    if (head & 0x02) {                        /* leb128(), 4.10.5 */
        size = 0;

        for (i = 0; i < 8; i++) {
            byte = ngx_media_read_8(&r);
            size |= (uint64_t) (byte & 0x7f) << (7 * i);

            if ((byte & 0x80) == 0) {
                break;
            }
        }
    }

    if (r.err || size > ngx_media_reader_left(&r)) {
        return NGX_ERROR;
    }

    ngx_media_read_span(&r, (size_t) size, &obu->body);
    in->pos = r.pos;

    return NGX_OK;
}


/* 5.5.1 */

static ngx_int_t
ngx_media_av1_sequence(ngx_media_params_t *params,
    const ngx_media_span_t *body, ngx_media_av1_sequence_t *sequence)
{
    uint32_t          h, w;
    ngx_media_bits_t  br;

    ngx_memzero(sequence, sizeof(ngx_media_av1_sequence_t));

    ngx_media_bits_init(&br, body->pos, body->last);

    sequence->profile = ngx_media_bits_get(&br, 3);
    ngx_media_bits_skip(&br, 1);              /* still_picture */
    sequence->reduced = ngx_media_bits_get(&br, 1);

    if (sequence->reduced) {
        sequence->level = ngx_media_bits_get(&br, 5);

    } else {
        ngx_media_av1_points(&br, sequence);
    }

    w = ngx_media_bits_get(&br, 4) + 1;
    h = ngx_media_bits_get(&br, 4) + 1;

    params->width = ngx_media_bits_get(&br, w) + 1;
    params->height = ngx_media_bits_get(&br, h) + 1;

    if (!sequence->reduced && ngx_media_bits_get(&br, 1)) {
        ngx_media_bits_skip(&br, 4 + 3);      /* frame ids */
    }

    ngx_media_bits_skip(&br, 3);

    ngx_media_av1_tools(&br, sequence->reduced);

    ngx_media_bits_skip(&br, 3);              /* superres, cdef, restoration */

    ngx_media_av1_color(params, &br, sequence);

    if (br.err || sequence->profile > 2 || params->width > 65535
        || params->height > 65535)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* timing_info(), decoder_model_info() and the operating points */

static void
ngx_media_av1_points(ngx_media_bits_t *br, ngx_media_av1_sequence_t *sequence)
{
    uint32_t    delay, level, n, tier;
    ngx_uint_t  display, first, model;

    delay = 0;
    model = 0;

    if (ngx_media_bits_get(br, 1)) {
        ngx_media_bits_skip(br, 64);

        if (ngx_media_bits_get(br, 1)) {
            (void) ngx_media_bits_ue(br);     /* uvlc() */
        }

        model = ngx_media_bits_get(br, 1);

        if (model) {
            delay = ngx_media_bits_get(br, 5) + 1;
            ngx_media_bits_skip(br, 32 + 5 + 5);
        }
    }

    display = ngx_media_bits_get(br, 1);
    first = 1;

    for (n = ngx_media_bits_get(br, 5) + 1; n; n--) {
        ngx_media_bits_skip(br, 12);
        level = ngx_media_bits_get(br, 5);
        tier = (level > 7) ? ngx_media_bits_get(br, 1) : 0;

        if (first) {
            sequence->level = level;
            sequence->tier = tier;
            first = 0;
        }

        if (model && ngx_media_bits_get(br, 1)) {
            ngx_media_bits_skip(br, 2 * delay + 1);
        }

        if (display && ngx_media_bits_get(br, 1)) {
            ngx_media_bits_skip(br, 4);
        }
    }
}


static void
ngx_media_av1_tools(ngx_media_bits_t *br, ngx_uint_t reduced)
{
    uint32_t    screen;
    ngx_uint_t  order;

    if (reduced) {
        return;
    }

    ngx_media_bits_skip(br, 4);
    order = ngx_media_bits_get(br, 1);        /* enable_order_hint */

    if (order) {
        ngx_media_bits_skip(br, 2);
    }

    /* seq_choose_screen_content_tools: 2 is SELECT_SCREEN_CONTENT_TOOLS */

    screen = ngx_media_bits_get(br, 1) ? 2 : ngx_media_bits_get(br, 1);

    if (screen && ngx_media_bits_get(br, 1) == 0) {
        ngx_media_bits_skip(br, 1);           /* seq_force_integer_mv */
    }

    if (order) {
        ngx_media_bits_skip(br, 3);
    }
}


/* 5.5.2 */

static void
ngx_media_av1_color(ngx_media_params_t *params, ngx_media_bits_t *br,
    ngx_media_av1_sequence_t *sequence)
{
    params->bit_depth = ngx_media_bits_get(br, 1) ? 10 : 8;

    if (sequence->profile == 2 && params->bit_depth == 10) {
        params->bit_depth = ngx_media_bits_get(br, 1) ? 12 : 10;
    }

    sequence->mono = (sequence->profile == 1) ? 0 : ngx_media_bits_get(br, 1);

    params->primaries = 2;
    params->transfer = 2;
    params->matrix = 2;

    if (ngx_media_bits_get(br, 1)) {
        params->primaries = ngx_media_bits_get(br, 8);
        params->transfer = ngx_media_bits_get(br, 8);
        params->matrix = ngx_media_bits_get(br, 8);
    }

    /* sRGB is full range and does not say it */

    if (!sequence->mono && params->primaries == 1 && params->transfer == 13
        && params->matrix == 0)
    {
        params->full_range = 1;
        return;
    }

    params->full_range = ngx_media_bits_get(br, 1);

    ngx_media_av1_chroma(params, br, sequence);
}


static void
ngx_media_av1_chroma(ngx_media_params_t *params, ngx_media_bits_t *br,
    ngx_media_av1_sequence_t *sequence)
{
    if (sequence->mono || sequence->profile == 0) {
        sequence->half_x = 1;
        sequence->half_y = 1;

    } else if (sequence->profile == 2) {
        sequence->half_x = 1;

        if (params->bit_depth == 12) {
            sequence->half_x = ngx_media_bits_get(br, 1);
            sequence->half_y = sequence->half_x ? ngx_media_bits_get(br, 1)
                                                : 0;
        }
    }

    if (!sequence->mono && sequence->half_x && sequence->half_y) {
        sequence->position = ngx_media_bits_get(br, 2);
    }
}


/* AV1-ISOBMFF, 2.3.3; no initial presentation delay is said */

ngx_int_t
ngx_media_av1_record(u_char *p, const u_char *pos, const u_char *last)
{
    ngx_int_t                 rc;
    ngx_media_span_t          body;
    ngx_media_params_t        params;
    ngx_media_av1_sequence_t  sequence;

    rc = ngx_media_av1_find(pos, last, &body);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_media_av1_sequence(&params, &body, &sequence) != NGX_OK) {
        return NGX_ERROR;
    }

    p[0] = 0x81;
    p[1] = (u_char) (sequence.profile << 5 | sequence.level);
    p[2] = (u_char) (sequence.tier << 7 | (params.bit_depth > 8) << 6
                     | (params.bit_depth == 12) << 5 | sequence.mono << 4
                     | sequence.half_x << 3 | sequence.half_y << 2
                     | sequence.position);
    p[3] = 0;

    return NGX_OK;
}


/* AV1-ISOBMFF, 2.4: these OBUs should not be in a sample */

size_t
ngx_media_av1_sample(u_char *p, const u_char *pos, const u_char *last)
{
    size_t               len, size;
    ngx_int_t            rc;
    const u_char        *from;
    ngx_media_span_t     in;
    ngx_media_av1_obu_t  obu;

    in.pos = pos;
    in.last = last;
    size = 0;

    for ( ;; ) {
        from = in.pos;
        rc = ngx_media_av1_next(&in, &obu);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? size : 0;
        }

        if (obu.type == NGX_MEDIA_AV1_DELIMITER
            || obu.type == NGX_MEDIA_AV1_TILE_LIST
            || obu.type == NGX_MEDIA_AV1_PADDING)
        {
            continue;
        }

        len = (size_t) (in.pos - from);
        size += len;

        if (p != NULL) {
            p = ngx_cpymem(p, from, len);
        }
    }
}


/* 5.9.2: the first frame header of the temporal unit */

static ngx_int_t
ngx_media_av1_frame(const ngx_media_params_t *params, const u_char *pos,
    const u_char *last, ngx_media_frame_info_t *info)
{
    ngx_int_t                 rc;
    ngx_media_span_t          in;
    ngx_media_params_t        said;
    ngx_media_av1_obu_t       obu;
    ngx_media_av1_sequence_t  sequence;

    ngx_memzero(info, sizeof(ngx_media_frame_info_t));

    in.pos = pos;
    in.last = last;
    sequence.reduced = 0;

    for ( ;; ) {
        rc = ngx_media_av1_next(&in, &obu);

        if (rc != NGX_OK) {
            info->empty = 1;
            return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
        }

        if (obu.type == NGX_MEDIA_AV1_SEQUENCE) {
            info->config = 1;

            if (ngx_media_av1_sequence(&said, &obu.body, &sequence)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (obu.type == NGX_MEDIA_AV1_FRAME_HEADER
            || obu.type == NGX_MEDIA_AV1_FRAME)
        {
            break;
        }
    }

    if (obu.body.pos == obu.body.last) {
        return NGX_ERROR;
    }

    /* show_existing_frame 0, frame_type KEY_FRAME, show_frame 1 */

    info->key = sequence.reduced || (obu.body.pos[0] & 0xf0) == 0x10;

    return NGX_OK;
}


/* the binding, 5: all of it where color is said, the short form else */

static size_t
ngx_media_av1_string(u_char *p, const ngx_media_params_t *params)
{
    u_char  text[NGX_MEDIA_CODEC_STRING_MAX], *last;

    last = ngx_cpymem(text, "av01.", 5);
    *last++ = (u_char) ('0' + (params->config[1] >> 5));
    last = ngx_media_av1_field(last, params->config[1] & 0x1f);
    *last++ = (params->config[2] & 0x80) ? 'H' : 'M';
    last = ngx_media_av1_field(last, params->bit_depth);

    if (params->primaries > 2 || params->transfer > 2 || params->matrix > 2
        || params->full_range)
    {
        *last++ = '.';
        *last++ = (u_char) ('0' + (params->config[2] >> 4 & 1));
        *last++ = '.';
        *last++ = (u_char) ('0' + (params->config[2] >> 3 & 1));
        *last++ = (u_char) ('0' + (params->config[2] >> 2 & 1));
        *last++ = (u_char) ('0' + (params->config[2] & 3));
        last = ngx_media_av1_field(last, params->primaries);
        last = ngx_media_av1_field(last, params->transfer);
        last = ngx_media_av1_field(last, params->matrix);
        *last++ = '.';
        *last++ = (u_char) ('0' + params->full_range);
    }

    if (p != NULL) {
        ngx_memcpy(p, text, last - text);
    }

    return last - text;
}


static u_char *
ngx_media_av1_field(u_char *p, uint32_t value)
{
    *p++ = '.';
    *p++ = (u_char) ('0' + value / 10 % 10);
    *p++ = (u_char) ('0' + value % 10);

    return p;
}


static size_t
ngx_media_av1_entry(u_char *p, const ngx_media_params_t *params)
{
    return ngx_media_mp4_write_visual(p, params, NGX_MEDIA_CODEC_AV1,
                                      ngx_media_fourcc('a', 'v', '1', 'C'));
}
