
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The record of VP8 and VP9 does not say how large the picture is: width and
 * height are those of the sample entry, which ngx_media_mp4_params() knows.
 */


#ifndef _NGX_MEDIA_VPX_H_INCLUDED_
#define _NGX_MEDIA_VPX_H_INCLUDED_


#include "formats/ngx_media_codec.h"


extern const ngx_media_codec_t  ngx_media_vp8_codec;
extern const ngx_media_codec_t  ngx_media_vp9_codec;


#endif /* _NGX_MEDIA_VPX_H_INCLUDED_ */
