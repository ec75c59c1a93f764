
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_MP2_H_INCLUDED_
#define _NGX_MEDIA_MP2_H_INCLUDED_


#include "formats/ngx_media_codec.h"


extern const ngx_media_codec_t  ngx_media_mp2_codec;


#endif /* _NGX_MEDIA_MP2_H_INCLUDED_ */
