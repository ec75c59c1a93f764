
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_H264_H_INCLUDED_
#define _NGX_MEDIA_H264_H_INCLUDED_


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_video.h"


/* nal_unit_type, ISO/IEC 14496-10, 7.4.1 */
#define NGX_MEDIA_H264_SLICE       1
#define NGX_MEDIA_H264_PARTITION_A 2
#define NGX_MEDIA_H264_IDR         5
#define NGX_MEDIA_H264_SEI         6
#define NGX_MEDIA_H264_SPS         7
#define NGX_MEDIA_H264_PPS         8
#define NGX_MEDIA_H264_AUD         9
#define NGX_MEDIA_H264_SPS_EXT     13


/* AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1 */

typedef struct {
    uint8_t                   profile;
    uint8_t                   compatibility;
    uint8_t                   level;
    uint8_t                   nal_length;     /* 1, 2 or 4 */
    uint32_t                  nsps;
    uint32_t                  npps;
    ngx_media_span_t          sps;            /* the first ones, with header */
    ngx_media_span_t          pps;
} ngx_media_h264_record_t;


/* what is of use to a muxer */

typedef struct {
    uint8_t                   profile;
    uint8_t                   compatibility;
    uint8_t                   level;
    uint8_t                   chroma_format;  /* 0 to 3 */
    uint8_t                   bit_depth;      /* luma */
    uint8_t                   chroma_depth;
    uint32_t                  id;
    uint32_t                  width;          /* cropped */
    uint32_t                  height;
    uint32_t                  reorder;        /* max_num_reorder_frames */
    uint32_t                  mbs;            /* macroblocks of a frame */
    uint8_t                   frame_num_bits; /* of frame_num */
    uint8_t                   poc_type;       /* pic_order_cnt_type, 0 to 2 */
    uint8_t                   poc_bits;       /* of pic_order_cnt_lsb */
    ngx_media_video_t         video;
    unsigned                  interlaced:1;   /* fields may occur */
    unsigned                  fixed_rate:1;
    unsigned                  has_reorder:1;
    unsigned                  adaptive:1;     /* mb_adaptive_frame_field */
    unsigned                  separate:1;     /* separate_colour_plane */
} ngx_media_h264_sps_t;


/* both take the whole of it; spans in the output point into the input */
ngx_int_t ngx_media_h264_parse_record(ngx_media_h264_record_t *record,
    const u_char *pos, const u_char *last);
ngx_int_t ngx_media_h264_parse_sps(ngx_media_h264_sps_t *sps,
    const u_char *pos, const u_char *last);

/*
 * Intra refresh: an SEI that says after how many frames (recovery_frame_cnt,
 * D.2.8) the picture is whole again for who begins here.  NGX_OK: so many, and
 * payload is where that stands in the NAL unit; NGX_DECLINED: there is none.
 */
ngx_int_t ngx_media_h264_refresh(const ngx_media_span_t *nal,
    uint32_t *frames, ngx_media_span_t *payload);

/* it says at once, of the same length: decoders then begin here */
void ngx_media_h264_refresh_at_once(u_char *payload, size_t len);


extern const ngx_media_codec_t  ngx_media_h264_codec;


#endif /* _NGX_MEDIA_H264_H_INCLUDED_ */
