
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Decoder configurations that leave to the frames what a sample entry of ours
 * has to say: av1C without configOBUs, AV1 Codec ISO Media File Format Binding,
 * 2.3.4; avcC and hvcC of avc3 and hev1 entries without parameter sets,
 * ISO/IEC 14496-15, 5.4.2 and 8.4.1.
 */


#ifndef _NGX_MEDIA_RECORD_H_INCLUDED_
#define _NGX_MEDIA_RECORD_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/* whether it may be a record, and is no start code, nor nothing */
ngx_uint_t ngx_media_record_is(ngx_media_units_e units,
    const ngx_media_span_t *config);

/* a record that is well-formed and leaves something out */
ngx_uint_t ngx_media_record_is_partial(ngx_media_units_e units,
    const ngx_media_span_t *config);

/*
 * What a partial record says, with what is missing taken from a key frame:
 * config() of the codec takes it.  record has room for NGX_MEDIA_CONFIG_MAX
 * bytes.  NGX_DECLINED: the frame does not have it, or it is too large.
 */
ngx_int_t ngx_media_record_complete(ngx_media_units_e units,
    const ngx_media_span_t *config, const ngx_media_span_t *frame,
    u_char *record, size_t *len);


#endif /* _NGX_MEDIA_RECORD_H_INCLUDED_ */
