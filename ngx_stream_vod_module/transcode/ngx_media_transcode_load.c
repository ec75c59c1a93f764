
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Costs are CPU times of film at its usual bitrates, measured with one thread,
 * without B-frames and lookahead, for each pixel; what a process measures of
 * its jobs counts beside them where it is more.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "transcode/ngx_media_transcode_load.h"

#if (NGX_MEDIA_HAVE_AV)
#include "av/ngx_media_av_encoder.h"
#endif


/* tenths of ns for each pixel */
#define NGX_MEDIA_LOAD_DECODE    17
#define NGX_MEDIA_LOAD_SCALE     20           /* of what is made */
#define NGX_MEDIA_LOAD_HARDWARE  10           /* it is copied there and back */

/* pictures a second of a source that does not say */
#define NGX_MEDIA_LOAD_FPS       30

/* percent for each of these */
#define NGX_MEDIA_LOAD_BFRAMES   115          /* any */
#define NGX_MEDIA_LOAD_AHEAD     125          /* any */


typedef struct {
    const char               *preset;
    uint32_t                  x264;           /* tenths of ns */
    uint32_t                  x265;
    uint32_t                  svtav1;
} ngx_media_load_preset_t;


static uint32_t ngx_media_load_encode(const ngx_media_ladder_rung_t *rung);
static uint64_t ngx_media_load_rate(uint32_t num, uint32_t den);


static const ngx_media_load_preset_t  ngx_media_load_presets[] = {
    { "veryfast", 70, 390, 210 },             /* the default */
    { "ultrafast", 26, 196, 102 },
    { "superfast", 49, 274, 150 },
    { "faster", 114, 390, 300 },
    { "fast", 152, 478, 410 },
    { "medium", 180, 524, 650 },
    { "slow", 308, 1300, 1210 },
    { "slower", 425, 3600, 2000 },
    { "veryslow", 747, 6000, 3500 },
    { "placebo", 1500, 12000, 8000 },
    { NULL, 0, 0, 0 }
};


uint64_t
ngx_media_transcode_cost(const ngx_media_ladder_t *ladder,
    const ngx_media_params_t *source, uint64_t bandwidth)
{
    uint64_t                   cost;
    ngx_uint_t                 i, n;
    ngx_media_ladder_shape_t   shape;

    n = 0;
    cost = 0;

    for (i = 0; i < ladder->nrungs; i++) {

        if (ngx_media_ladder_shape(ladder, i, source, bandwidth, &shape)
            != NGX_OK
            || shape.capped)
        {
            continue;
        }

        cost += ngx_media_transcode_rung_cost(&ladder->rungs[i], &shape);
        n++;
    }

    if (n == 0) {
        return 0;
    }

    return cost + (uint64_t) source->width * source->height
                  * ngx_media_load_rate(source->fps_num, source->fps_den)
                  / 1000 * NGX_MEDIA_LOAD_DECODE / 10000000;
}


uint64_t
ngx_media_transcode_rung_cost(const ngx_media_ladder_rung_t *rung,
    const ngx_media_ladder_shape_t *shape)
{
    uint64_t  pixels;

    pixels = (uint64_t) shape->width * shape->height
             * ngx_media_load_rate(shape->fps_num, shape->fps_den) / 1000;

    if (shape->fps_num == 0 && rung->half) {
        pixels /= 2;
    }

    return pixels * (NGX_MEDIA_LOAD_SCALE + ngx_media_load_encode(rung))
           / 10000000;
}


/* tenths of ns for each pixel, of the encoder that is tried first */

static uint32_t
ngx_media_load_encode(const ngx_media_ladder_rung_t *rung)
{
#if (NGX_MEDIA_HAVE_AV)

    uint32_t                        cost;
    const char                     *name;
    const ngx_media_load_preset_t  *preset, *p;

    if (rung->nkinds == 0) {
        return 0;
    }

    preset = ngx_media_load_presets;

    for (p = preset; rung->preset && p->preset; p++) {
        if (ngx_strcmp(rung->preset, p->preset) == 0) {
            preset = p;
            break;
        }
    }

    name = ngx_media_av_encoder_name(rung->kinds[0]);

    if (ngx_strcmp(name, "libx264") == 0) {
        cost = preset->x264;

    } else if (ngx_strcmp(name, "libx265") == 0) {
        cost = preset->x265;

    } else if (ngx_strcmp(name, "libsvtav1") == 0) {
        cost = preset->svtav1;

    } else {
        return NGX_MEDIA_LOAD_HARDWARE;
    }

    if (rung->bframes) {
        cost = cost * NGX_MEDIA_LOAD_BFRAMES / 100;
    }

    if (rung->lookahead) {
        cost = cost * NGX_MEDIA_LOAD_AHEAD / 100;
    }

    return cost;

#else

    return 0;

#endif
}


/* thousandths of a picture each second; 1000 of them are the most */

static uint64_t
ngx_media_load_rate(uint32_t num, uint32_t den)
{
    uint64_t  rate;

    if (num == 0 || den == 0) {
        return NGX_MEDIA_LOAD_FPS * 1000;
    }

    rate = (uint64_t) num * 1000 / den;

    return ngx_min(rate, 1000000);
}


void
ngx_media_transcode_load_add(ngx_media_transcode_load_shm_t *load,
    ngx_uint_t row, int64_t cost)
{
    /* nobody else adds to it, others read it */

    (void) ngx_media_count(&load->rows[row].cost, (uint64_t) cost);
}


void
ngx_media_transcode_load_used(ngx_media_transcode_load_shm_t *load,
    ngx_uint_t row, uint64_t used)
{
    ngx_media_store(&load->rows[row].used, used);
}


void
ngx_media_transcode_load_clear(ngx_media_transcode_load_shm_t *load,
    ngx_uint_t row)
{
    ngx_media_store(&load->rows[row].cost, 0);
    ngx_media_store(&load->rows[row].used, 0);
}


void
ngx_media_transcode_load_sum(const ngx_media_transcode_load_shm_t *load,
    uint64_t *cost, uint64_t *used)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        *cost += ngx_media_peek(&load->rows[i].cost);
        *used += ngx_media_peek(&load->rows[i].used);
    }
}


ngx_uint_t
ngx_media_transcode_admits(uint64_t sum, uint64_t used, uint64_t cost,
    ngx_uint_t cores)
{
    if (sum == 0) {
        return 1;
    }

    /* less was used than expected: they have just begun, or shed pictures */

    return ngx_max(sum, used) + cost
           <= (uint64_t) cores * 10 * NGX_MEDIA_TRANSCODE_FULL;
}
