
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What encoders of video put out, and what CMAF carries instead: parameter
 * sets go into a record, start codes become lengths, delimiters and padding
 * are left out (ISO/IEC 14496-15, 4.3 and 5.3; AV1-ISOBMFF, 2.4).
 */


#ifndef _NGX_MEDIA_AV_UNIT_H_INCLUDED_
#define _NGX_MEDIA_AV_UNIT_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/*
 * The parameters that are in extradata, or in a frame, as an encoder has them;
 * NGX_DECLINED: they are not in it; NGX_ERROR: they are malformed.
 */
ngx_int_t ngx_media_av_unit_params(const ngx_media_codec_t *codec,
    ngx_media_params_t *params, const u_char *pos, const u_char *last);

/*
 * A frame; p == NULL: the size.  0: nothing is left of it, or it is malformed.
 * *key: it begins with an IDR picture, or a key frame of AV1.
 */
size_t ngx_media_av_unit_write(const ngx_media_codec_t *codec, u_char *p,
    const u_char *pos, const u_char *last, ngx_uint_t *key);


#endif /* _NGX_MEDIA_AV_UNIT_H_INCLUDED_ */
