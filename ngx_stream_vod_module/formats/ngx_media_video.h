
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the parameter sets of H.264 and HEVC share: the head of the VUI,
 * ISO/IEC 14496-10, E.1.1 and 23008-2, E.2.1.
 */


#ifndef _NGX_MEDIA_VIDEO_H_INCLUDED_
#define _NGX_MEDIA_VIDEO_H_INCLUDED_


#include "formats/ngx_media_bits.h"


/* code points: ISO/IEC 23091-2; 2: unspecified; SAR 0: unknown */

typedef struct {
    uint32_t                  sar_num;
    uint32_t                  sar_den;
    uint32_t                  fps_num;
    uint32_t                  fps_den;
    uint8_t                   primaries;
    uint8_t                   transfer;
    uint8_t                   matrix;
    uint8_t                   full_range;
} ngx_media_video_t;


/* nothing is known */
void ngx_media_video_init(ngx_media_video_t *video);

/* aspect_ratio_info_present_flag up to chroma_sample_loc_type_bottom_field */
void ngx_media_video_vui(ngx_media_video_t *video, ngx_media_bits_t *br);

/* fps = scale / units in lowest terms; figures nobody can mean are dropped */
void ngx_media_video_rate(ngx_media_video_t *video, uint32_t scale,
    uint64_t units);


#endif /* _NGX_MEDIA_VIDEO_H_INCLUDED_ */
