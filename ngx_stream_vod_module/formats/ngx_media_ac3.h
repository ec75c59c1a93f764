
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_AC3_H_INCLUDED_
#define _NGX_MEDIA_AC3_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/* bytes of the frame of AC-3 or Enhanced AC-3 that begins here, which may be
   more than there are; 0: none does */
size_t ngx_media_ac3_size(const u_char *pos, const u_char *last);


extern const ngx_media_codec_t  ngx_media_ac3_codec;
extern const ngx_media_codec_t  ngx_media_eac3_codec;

/* ngx_media_ac3_silence.c */
ngx_int_t ngx_media_ac3_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence);
ngx_int_t ngx_media_eac3_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence);


#endif /* _NGX_MEDIA_AC3_H_INCLUDED_ */
