
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Names are those of ISO/IEC 14496-3, 1.7.  StreamMuxConfig, table 1.42, says
 * what is in the elements from the one on that brings it:
 *
 *     for each program, for each layer: AudioSpecificConfig, or that of the
 *         layer before; how frames say their length
 *
 * and an element, table 1.41, has numSubFrames + 1 times the lengths of the
 * frames of all layers, table 1.44, and then the frames, table 1.45.
 */


#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_latm.h"


/* AudioSyncStream, table 1.39: syncword, audioMuxLengthBytes */
#define NGX_MEDIA_LATM_SYNC       0x2b7
#define NGX_MEDIA_LATM_HEADER     3

/* frameLengthType, table 1.43: the others are of CELP and HVXC */
#define NGX_MEDIA_LATM_VARIABLE   0
#define NGX_MEDIA_LATM_FIXED      1


static ngx_int_t ngx_media_latm_mux(ngx_media_latm_mux_t *mux,
    ngx_media_bits_t *br);
static ngx_int_t ngx_media_latm_layer(ngx_media_latm_mux_t *mux,
    ngx_media_bits_t *br, ngx_uint_t version);
static ngx_int_t ngx_media_latm_config(ngx_media_latm_mux_t *mux,
    ngx_media_bits_t *br, ngx_uint_t version);
static ngx_int_t ngx_media_latm_other(ngx_media_latm_mux_t *mux,
    ngx_media_bits_t *br, ngx_uint_t version);
static void ngx_media_latm_use(ngx_media_latm_t *latm,
    const ngx_media_latm_mux_t *mux);
static ngx_int_t ngx_media_latm_payload(ngx_media_latm_t *latm,
    ngx_media_bits_t *br);
static uint32_t ngx_media_latm_length(const ngx_media_latm_layer_t *layer,
    ngx_media_bits_t *br);
static uint32_t ngx_media_latm_value(ngx_media_bits_t *br);
static void ngx_media_latm_copy(u_char *p, ngx_media_bits_t *br, size_t bits);


void
ngx_media_latm_init(ngx_media_latm_t *latm)
{
    latm->mux.config_len = 0;
    latm->changed = 0;
    latm->nframes = 0;
}


size_t
ngx_media_latm_size(const u_char *pos, const u_char *last)
{
    size_t  size;

    if (last - pos < NGX_MEDIA_LATM_HEADER
        || (pos[0] << 3 | pos[1] >> 5) != NGX_MEDIA_LATM_SYNC)
    {
        return 0;
    }

    size = (pos[1] & 0x1f) << 8 | pos[2];

    return size ? NGX_MEDIA_LATM_HEADER + size : 0;
}


ngx_int_t
ngx_media_latm_parse(ngx_media_latm_t *latm, const u_char *pos,
    const u_char *last)
{
    size_t                size;
    ngx_int_t             rc;
    ngx_media_bits_t      br;
    ngx_media_latm_mux_t  mux;

    latm->changed = 0;
    latm->nframes = 0;

    size = ngx_media_latm_size(pos, last);

    if (size == 0 || size != (size_t) (last - pos)) {
        return NGX_ERROR;
    }

    ngx_media_bits_init(&br, pos + NGX_MEDIA_LATM_HEADER, last);

    if (ngx_media_bits_get(&br, 1) == 0) {    /* useSameStreamMux */
        rc = ngx_media_latm_mux(&mux, &br);

        if (rc == NGX_DECLINED) {
            latm->mux.config_len = 0;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_media_latm_use(latm, &mux);
    }

    if (latm->mux.config_len == 0) {
        return NGX_AGAIN;
    }

    return ngx_media_latm_payload(latm, &br);
}


static ngx_int_t
ngx_media_latm_mux(ngx_media_latm_mux_t *mux, ngx_media_bits_t *br)
{
    uint32_t    layers, programs, same;
    ngx_int_t   rc;
    ngx_uint_t  version;

    mux->config_len = 0;
    mux->nlayers = 0;

    version = ngx_media_bits_get(br, 1);      /* audioMuxVersion */

    if (version && ngx_media_bits_get(br, 1)) {
        return NGX_DECLINED;                  /* audioMuxVersionA: reserved */
    }

    if (version) {
        (void) ngx_media_latm_value(br);      /* taraBufferFullness */
    }

    same = ngx_media_bits_get(br, 1);         /* allStreamsSameTimeFraming */
    mux->frames = ngx_media_bits_get(br, 6) + 1;

    for (programs = ngx_media_bits_get(br, 4) + 1; programs; programs--) {
        for (layers = ngx_media_bits_get(br, 3) + 1; layers; layers--) {

            rc = ngx_media_latm_layer(mux, br, version);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    rc = ngx_media_latm_other(mux, br, version);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_media_bits_get(br, 1)) {          /* crcCheckPresent */
        ngx_media_bits_skip(br, 8);
    }

    if (br->err) {
        return NGX_ERROR;
    }

    return same ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_media_latm_layer(ngx_media_latm_mux_t *mux, ngx_media_bits_t *br,
    ngx_uint_t version)
{
    ngx_int_t                rc;
    ngx_media_latm_layer_t  *layer;

    layer = &mux->layers[mux->nlayers++];

    if (mux->nlayers == 1 || ngx_media_bits_get(br, 1) == 0) {
                                              /* useSameConfig */
        rc = ngx_media_latm_config(mux, br, version);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    layer->length_type = ngx_media_bits_get(br, 3);
    layer->bits = 0;

    switch (layer->length_type) {

    case NGX_MEDIA_LATM_VARIABLE:
        ngx_media_bits_skip(br, 8);           /* latmBufferFullness */
        break;

    case NGX_MEDIA_LATM_FIXED:
        layer->bits = 8 * (ngx_media_bits_get(br, 9) + 20);
        break;

    default:
        return br->err ? NGX_ERROR : NGX_DECLINED;
    }

    return br->err ? NGX_ERROR : NGX_OK;
}


/*
 * The first one is kept.  It begins at any bit; in version 0 nothing says how
 * long it is but itself, so it has no extension that would follow it.
 */

static ngx_int_t
ngx_media_latm_config(ngx_media_latm_mux_t *mux, ngx_media_bits_t *br,
    ngx_uint_t version)
{
    u_char            bytes[NGX_MEDIA_LATM_CONFIG];
    size_t            bits;
    uint64_t          left;
    ngx_int_t         rc;
    ngx_media_aac_t   aac;
    ngx_media_bits_t  at;

    left = ngx_media_bits_left(br);
    bits = ngx_min(left, sizeof(bytes) * 8);

    if (version) {
        bits = ngx_media_latm_value(br);      /* ascLen */

        if (br->err || bits > ngx_media_bits_left(br)) {
            return NGX_ERROR;
        }

        if (mux->nlayers > 1) {
            ngx_media_bits_skip(br, bits);
            return NGX_OK;
        }

        if (bits > sizeof(bytes) * 8) {
            return NGX_DECLINED;
        }
    }

    at = *br;
    ngx_media_latm_copy(bytes, &at, bits);

    rc = ngx_media_aac_parse(&aac, bytes, bytes + (bits + 7) / 8);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!version) {
        bits = aac.bits;

        if (bits == 0) {
            return NGX_DECLINED;              /* how long it is nobody knows */
        }
    }

    if (mux->nlayers == 1) {
        at = *br;
        mux->config_len = (bits + 7) / 8;
        ngx_media_latm_copy(mux->config, &at, bits);
    }

    ngx_media_bits_skip(br, bits);

    return NGX_OK;
}


static ngx_int_t
ngx_media_latm_other(ngx_media_latm_mux_t *mux, ngx_media_bits_t *br,
    ngx_uint_t version)
{
    uint32_t  more;

    mux->other = 0;

    if (ngx_media_bits_get(br, 1) == 0) {     /* otherDataPresent */
        return NGX_OK;
    }

    if (version) {
        mux->other = ngx_media_latm_value(br);
        return NGX_OK;
    }

    do {
        more = ngx_media_bits_get(br, 1);     /* otherDataLenEsc */
        mux->other = mux->other << 8 | ngx_media_bits_get(br, 8);

        if (br->err || mux->other > NGX_MEDIA_LATM_MAX * 8) {
            return NGX_ERROR;
        }

    } while (more);

    return NGX_OK;
}


static void
ngx_media_latm_use(ngx_media_latm_t *latm, const ngx_media_latm_mux_t *mux)
{
    latm->changed = latm->mux.config_len != mux->config_len
                    || ngx_memcmp(latm->mux.config, mux->config,
                                  mux->config_len)
                       != 0;

    ngx_memcpy(latm->mux.config, mux->config, mux->config_len);
    ngx_memcpy(latm->mux.layers, mux->layers,
               mux->nlayers * sizeof(ngx_media_latm_layer_t));

    latm->mux.config_len = mux->config_len;
    latm->mux.frames = mux->frames;
    latm->mux.other = mux->other;
    latm->mux.nlayers = mux->nlayers;
}


/* frames are bytes, in sum not more than the element has */

static ngx_int_t
ngx_media_latm_payload(ngx_media_latm_t *latm, ngx_media_bits_t *br)
{
    u_char                *p;
    uint32_t               first, i, n;
    uint64_t               rest;
    ngx_media_span_t      *frame;
    ngx_media_latm_mux_t  *mux;

    mux = &latm->mux;
    p = latm->bytes;

    for (n = 0; n < mux->frames; n++) {
        first = ngx_media_latm_length(&mux->layers[0], br);
        rest = 0;

        for (i = 1; i < mux->nlayers; i++) {
            rest += ngx_media_latm_length(&mux->layers[i], br);
        }

        if (br->err || first + rest > ngx_media_bits_left(br)) {
            latm->nframes = 0;
            return NGX_ERROR;
        }

        if (first) {
            frame = &latm->frames[latm->nframes++];

            frame->pos = p;
            ngx_media_latm_copy(p, br, first);
            p += first / 8;
            frame->last = p;
        }

        ngx_media_bits_skip(br, rest);
    }

    if (mux->other > ngx_media_bits_left(br)) {
        latm->nframes = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* of a frame, in bits: MuxSlotLengthBytes, table 1.44 */

static uint32_t
ngx_media_latm_length(const ngx_media_latm_layer_t *layer,
    ngx_media_bits_t *br)
{
    uint32_t  length, more;

    if (layer->length_type == NGX_MEDIA_LATM_FIXED) {
        return layer->bits;
    }

    length = 0;

    do {
        more = ngx_media_bits_get(br, 8);
        length += more;
    } while (more == 0xff && !br->err);

    return length * 8;
}


/* LatmGetValue(), table 1.46 */

static uint32_t
ngx_media_latm_value(ngx_media_bits_t *br)
{
    ngx_uint_t  bytes;

    bytes = ngx_media_bits_get(br, 2) + 1;

    return ngx_media_bits_get(br, bytes * 8);
}


/* the rest of the last byte is zeros */

static void
ngx_media_latm_copy(u_char *p, ngx_media_bits_t *br, size_t bits)
{
    uint32_t  word;

    for ( /* void */ ; bits >= 32; bits -= 32) {
        word = ngx_media_bits_get(br, 32);

        *p++ = (u_char) (word >> 24);
        *p++ = (u_char) (word >> 16);
        *p++ = (u_char) (word >> 8);
        *p++ = (u_char) word;
    }

    for ( /* void */ ; bits >= 8; bits -= 8) {
        *p++ = (u_char) ngx_media_bits_get(br, 8);
    }

    if (bits) {
        *p = (u_char) (ngx_media_bits_get(br, bits) << (8 - bits));
    }
}
