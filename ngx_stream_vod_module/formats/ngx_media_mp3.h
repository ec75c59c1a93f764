
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_MP3_H_INCLUDED_
#define _NGX_MEDIA_MP3_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/* of params->config: the header without what differs from frame to frame */
#define NGX_MEDIA_MP3_HEADER_SIZE  4

/* MPEG-4 audioObjectType of Layer III */
#define NGX_MEDIA_MP3_OBJECT_TYPE  34


/* the header of a frame */

typedef struct {
    uint32_t                  size;           /* bytes, header included */
    uint32_t                  samples;        /* 1152; Layer III: or 576 */
    uint32_t                  sample_rate;
    uint32_t                  channels;
    uint32_t                  bitrate;        /* bit/s */
    unsigned                  half:1;         /* MPEG-2 and 2.5 */
} ngx_media_mp3_t;


/* NGX_DECLINED: another layer, or the free format */
ngx_int_t ngx_media_mp3_parse(ngx_media_mp3_t *mp3, const u_char *pos,
    const u_char *last);

/* the same of Layer II, or III: what ngx_media_mp2.c shares */
ngx_int_t ngx_media_mp3_parse_layer(ngx_media_mp3_t *mp3, ngx_uint_t layer,
    const u_char *pos, const u_char *last);
ngx_int_t ngx_media_mp3_frame_layer(const ngx_media_params_t *params,
    ngx_uint_t layer, const u_char *pos, const u_char *last,
    ngx_media_frame_info_t *info);

/* of the frame with this header, of Layer III */
void ngx_media_mp3_params(ngx_media_params_t *params,
    const ngx_media_mp3_t *mp3, const u_char *header);


extern const ngx_media_codec_t  ngx_media_mp3_codec;


#endif /* _NGX_MEDIA_MP3_H_INCLUDED_ */
