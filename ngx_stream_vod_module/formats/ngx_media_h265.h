
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_H265_H_INCLUDED_
#define _NGX_MEDIA_H265_H_INCLUDED_


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_video.h"


/* nal_unit_type, ISO/IEC 23008-2, table 7-1 */
#define NGX_MEDIA_H265_BLA_W_LP    16
#define NGX_MEDIA_H265_BLA_W_RADL  17
#define NGX_MEDIA_H265_IDR_W_RADL  19
#define NGX_MEDIA_H265_CRA         21
#define NGX_MEDIA_H265_IRAP_LAST   23
#define NGX_MEDIA_H265_VCL_LAST    31
#define NGX_MEDIA_H265_VPS         32
#define NGX_MEDIA_H265_SPS         33
#define NGX_MEDIA_H265_PPS         34
#define NGX_MEDIA_H265_SEI_PREFIX  39
#define NGX_MEDIA_H265_SEI_SUFFIX  40


/* profile_tier_level, the general part: 7.3.3 */

typedef struct {
    uint8_t                   space;          /* general_profile_space */
    uint8_t                   tier;
    uint8_t                   profile;
    uint8_t                   level;          /* 30 times the number */
    uint32_t                  compatibility;  /* flag 0 is the highest bit */
    uint8_t                   constraints[6];
} ngx_media_h265_profile_t;


/* HEVCDecoderConfigurationRecord, ISO/IEC 14496-15, 8.3.3.1 */

typedef struct {
    ngx_media_h265_profile_t  profile;
    uint8_t                   nal_length;     /* 1, 2 or 4 */
    ngx_media_span_t          vps;            /* the first ones, with header */
    ngx_media_span_t          sps;
    ngx_media_span_t          pps;
    unsigned                  complete:1;     /* array_completeness of these
                                                 three: none in the frames */
} ngx_media_h265_record_t;


/* what is of use to a muxer */

typedef struct {
    ngx_media_h265_profile_t  profile;
    uint8_t                   sub_layers;
    uint8_t                   chroma_format;  /* 0 to 3 */
    uint8_t                   bit_depth;      /* luma */
    uint8_t                   chroma_depth;
    uint8_t                   nested;         /* temporal_id_nesting */
    uint32_t                  id;
    uint32_t                  width;          /* of the conformance window */
    uint32_t                  height;
    uint32_t                  reorder;        /* sps_max_num_reorder_pics of
                                                 the highest sub-layer */
    ngx_media_video_t         video;
    unsigned                  field_seq:1;    /* pictures are fields */
} ngx_media_h265_sps_t;


/* these take the whole of it; spans in the output point into the input */
ngx_int_t ngx_media_h265_parse_record(ngx_media_h265_record_t *record,
    const u_char *pos, const u_char *last);
ngx_int_t ngx_media_h265_parse_sps(ngx_media_h265_sps_t *sps,
    const u_char *pos, const u_char *last);

/* vps_timing_info alone; video is left as it is where there is none */
ngx_int_t ngx_media_h265_parse_vps(ngx_media_video_t *video,
    const u_char *pos, const u_char *last);


extern const ngx_media_codec_t  ngx_media_h265_codec;


#endif /* _NGX_MEDIA_H265_H_INCLUDED_ */
