
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_video.h"


#define NGX_MEDIA_VIDEO_SAR_EXTENDED  255
#define NGX_MEDIA_VIDEO_FPS_MAX       1000


/* ISO/IEC 23091-2, 8.6: SampleAspectRatio */

static const uint8_t  ngx_media_video_sar[][2] = {
    { 0, 0 }, { 1, 1 }, { 12, 11 }, { 10, 11 }, { 16, 11 }, { 40, 33 },
    { 24, 11 }, { 20, 11 }, { 32, 11 }, { 80, 33 }, { 18, 11 }, { 15, 11 },
    { 64, 33 }, { 160, 99 }, { 4, 3 }, { 3, 2 }, { 2, 1 }
};


void
ngx_media_video_init(ngx_media_video_t *video)
{
    ngx_memzero(video, sizeof(ngx_media_video_t));

    video->primaries = 2;
    video->transfer = 2;
    video->matrix = 2;
}


void
ngx_media_video_vui(ngx_media_video_t *video, ngx_media_bits_t *br)
{
    uint32_t  sar;

    if (ngx_media_bits_get(br, 1)) {          /* aspect_ratio_info */
        sar = ngx_media_bits_get(br, 8);

        if (sar == NGX_MEDIA_VIDEO_SAR_EXTENDED) {
            video->sar_num = ngx_media_bits_get(br, 16);
            video->sar_den = ngx_media_bits_get(br, 16);

        } else if (sar < sizeof(ngx_media_video_sar) / 2) {
            video->sar_num = ngx_media_video_sar[sar][0];
            video->sar_den = ngx_media_video_sar[sar][1];
        }

        if (video->sar_num == 0 || video->sar_den == 0) {
            video->sar_num = 0;
            video->sar_den = 0;
        }
    }

    if (ngx_media_bits_get(br, 1)) {          /* overscan_info */
        ngx_media_bits_skip(br, 1);
    }

    if (ngx_media_bits_get(br, 1)) {          /* video_signal_type */
        ngx_media_bits_skip(br, 3);
        video->full_range = ngx_media_bits_get(br, 1);

        if (ngx_media_bits_get(br, 1)) {      /* colour_description */
            video->primaries = ngx_media_bits_get(br, 8);
            video->transfer = ngx_media_bits_get(br, 8);
            video->matrix = ngx_media_bits_get(br, 8);
        }
    }

    if (ngx_media_bits_get(br, 1)) {          /* chroma_loc_info */
        (void) ngx_media_bits_ue(br);
        (void) ngx_media_bits_ue(br);
    }
}


void
ngx_media_video_rate(ngx_media_video_t *video, uint32_t scale, uint64_t units)
{
    uint64_t  a, b, rest;

    if (scale == 0 || units == 0
        || scale / units >= NGX_MEDIA_VIDEO_FPS_MAX)
    {
        return;
    }

    a = scale;
    b = units;

    while (b) {
        rest = a % b;
        a = b;
        b = rest;
    }

    if (units / a > 0xffffffff) {
        return;
    }

    video->fps_num = (uint32_t) (scale / a);
    video->fps_den = (uint32_t) (units / a);
}
