
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_siphash.h"
#include "transcode/ngx_media_ladder.h"

#if (NGX_MEDIA_HAVE_AV)
#include "av/ngx_media_av_encoder.h"
#endif


/* raised when the same ladder makes other bytes of a file */
#define NGX_MEDIA_LADDER_VERSION  1

/* pixels; what is more has no picture */
#define NGX_MEDIA_LADDER_SIDE     16384


static ngx_int_t ngx_media_ladder_display(const ngx_media_params_t *source,
    uint64_t *width, uint64_t *height);
static void ngx_media_ladder_hash(ngx_media_siphash_t *hash,
    const ngx_media_ladder_t *ladder);
static void ngx_media_ladder_number(ngx_media_siphash_t *hash, uint64_t n);
static void ngx_media_ladder_text(ngx_media_siphash_t *hash,
    const char *text);


/* of no secret: names of files have to be the same everywhere */
static const u_char  ngx_media_ladder_key[NGX_MEDIA_SIPHASH_KEY + 1] =
    "ngx_media_ladder";


ngx_int_t
ngx_media_ladder_shape(const ngx_media_ladder_t *ladder, ngx_uint_t rung,
    const ngx_media_params_t *source, uint64_t bandwidth,
    ngx_media_ladder_shape_t *shape)
{
    uint64_t                        width, height, less, more, side, other;
    const ngx_media_ladder_rung_t  *r;

    r = &ladder->rungs[rung];

    if (ngx_media_ladder_display(source, &width, &height) != NGX_OK) {
        return NGX_DECLINED;
    }

    less = ngx_min(width, height);
    more = ngx_max(width, height);
    side = r->side;

    if (ladder->automatic
        && (side * 10 > less * 9
            || (bandwidth && r->bitrate > bandwidth / 4 * 3)))
    {
        return NGX_DECLINED;
    }

    shape->capped = side > less;

    side = ngx_min(side, less) & ~(uint64_t) 1;

    /* the nearest even one that is not more than there is */

    other = (side * more + less) / (2 * less) * 2;

    if (other > more) {
        other -= 2;
    }

    if (side == 0 || other == 0) {
        return NGX_DECLINED;
    }

    shape->width = (uint32_t) (width < height ? side : other);
    shape->height = (uint32_t) (width < height ? other : side);

    shape->fps_num = source->fps_den ? source->fps_num : 0;
    shape->fps_den = source->fps_den;

    if (r->half && shape->fps_num) {

        if (shape->fps_num % 2 == 0) {
            shape->fps_num /= 2;

        } else {
            shape->fps_den *= 2;
        }
    }

    return NGX_OK;
}


/* in square pixels, as it is stored: a rotation is the player's */

static ngx_int_t
ngx_media_ladder_display(const ngx_media_params_t *source, uint64_t *width,
    uint64_t *height)
{
    uint64_t  wide;

    *width = source->width;
    *height = source->height;

    if (*width == 0 || *height == 0 || *width > NGX_MEDIA_LADDER_SIDE
        || *height > NGX_MEDIA_LADDER_SIDE)
    {
        return NGX_DECLINED;
    }

    if (source->sar_num && source->sar_den) {
        wide = (*width * source->sar_num + source->sar_den / 2)
               / source->sar_den;

        /* an aspect that no screen has is not believed */

        if (wide >= *height / 8 && wide <= *height * 8) {
            *width = wide;
        }
    }

    return NGX_OK;
}


uint64_t
ngx_media_ladder_tag(const ngx_media_ladder_t *ladder, ngx_uint_t rung)
{
    ngx_media_siphash_t             hash;
    const ngx_media_ladder_rung_t  *r;
#if (NGX_MEDIA_HAVE_AV)
    ngx_uint_t                      i;
#endif

    r = &ladder->rungs[rung];

    ngx_media_ladder_hash(&hash, ladder);

    ngx_media_ladder_number(&hash, r->side);
    ngx_media_ladder_number(&hash, r->codec);
    ngx_media_ladder_number(&hash, r->bitrate);
    ngx_media_ladder_number(&hash, r->crf);
    ngx_media_ladder_number(&hash, r->half);
    ngx_media_ladder_number(&hash, r->threads);
    ngx_media_ladder_number(&hash, r->bframes_set ? r->bframes + 1 : 0);
    ngx_media_ladder_number(&hash, r->lookahead_set ? r->lookahead + 1 : 0);
    ngx_media_ladder_text(&hash, r->preset);
    ngx_media_ladder_text(&hash, r->options);

#if (NGX_MEDIA_HAVE_AV)

    for (i = 0; i < r->nkinds; i++) {
        ngx_media_ladder_text(&hash, ngx_media_av_encoder_name(r->kinds[i]));
    }

#endif

    return ngx_media_siphash_final(&hash);
}


uint64_t
ngx_media_ladder_audio_tag(const ngx_media_ladder_t *ladder, ngx_uint_t audio)
{
    ngx_media_siphash_t              hash;
    const ngx_media_ladder_audio_t  *a;

    a = &ladder->audios[audio];

    /* what is done to pictures does not matter */

    ngx_media_siphash_init(&hash, ngx_media_ladder_key);

    ngx_media_ladder_number(&hash, NGX_MEDIA_LADDER_VERSION);
    ngx_media_ladder_number(&hash, a->codec);
    ngx_media_ladder_number(&hash, a->bitrate);
    ngx_media_ladder_number(&hash, a->channels);
    ngx_media_ladder_number(&hash, a->rate);

    return ngx_media_siphash_final(&hash);
}


static void
ngx_media_ladder_hash(ngx_media_siphash_t *hash,
    const ngx_media_ladder_t *ladder)
{
    ngx_media_siphash_init(hash, ngx_media_ladder_key);

    ngx_media_ladder_number(hash, NGX_MEDIA_LADDER_VERSION);
    ngx_media_ladder_number(hash, ladder->fields);
    ngx_media_ladder_number(hash, ladder->tonemap);
    ngx_media_ladder_text(hash, ladder->filter.len
                                ? (char *) ladder->filter.data : NULL);
}


static void
ngx_media_ladder_number(ngx_media_siphash_t *hash, uint64_t n)
{
    ngx_media_siphash_update(hash, (u_char *) &n, sizeof(uint64_t));
}


/* with its length, NULL has none */

static void
ngx_media_ladder_text(ngx_media_siphash_t *hash, const char *text)
{
    ngx_media_ladder_number(hash, text ? ngx_strlen(text) + 1 : 0);

    if (text) {
        ngx_media_siphash_update(hash, (u_char *) text, ngx_strlen(text));
    }
}
