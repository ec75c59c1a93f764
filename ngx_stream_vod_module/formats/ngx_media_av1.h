
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_AV1_H_INCLUDED_
#define _NGX_MEDIA_AV1_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/* the sequence header in OBUs, its payload; body may be NULL; NGX_DECLINED:
   none is there; NGX_ERROR: they are malformed before one is found */
ngx_int_t ngx_media_av1_find(const u_char *pos, const u_char *last,
    ngx_media_span_t *body);


extern const ngx_media_codec_t  ngx_media_av1_codec;


#endif /* _NGX_MEDIA_AV1_H_INCLUDED_ */
