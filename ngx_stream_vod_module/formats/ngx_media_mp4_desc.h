
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Sample entries, ISO/IEC 14496-12, 8.5.2 and 12.  p == NULL: nothing is
 * written, the size is returned.
 */


#ifndef _NGX_MEDIA_MP4_DESC_H_INCLUDED_
#define _NGX_MEDIA_MP4_DESC_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


/* objectTypeIndication, ISO/IEC 14496-1, 7.2.6.6.2 */
#define NGX_MEDIA_MP4_OTI_AAC     0x40
#define NGX_MEDIA_MP4_OTI_MP2_MAIN  0x66      /* 13818-7: MPEG-2 AAC */
#define NGX_MEDIA_MP4_OTI_MP2_LC  0x67
#define NGX_MEDIA_MP4_OTI_MP2_SSR 0x68
#define NGX_MEDIA_MP4_OTI_MP2_L3  0x69        /* 13818-3: half rates */
#define NGX_MEDIA_MP4_OTI_MP1_L3  0x6b        /* 11172-3 */


/* where a writer goes on, while it may be only counting */
#define ngx_media_mp4_at(p, n)  ((p) == NULL ? NULL : (p) + (n))


/* type, then params->config in a box of type config, then colr and pasp */
size_t ngx_media_mp4_write_visual(u_char *p, const ngx_media_params_t *params,
    uint32_t type, uint32_t config);

/* type, then params->config in a box of type config */
size_t ngx_media_mp4_write_audio(u_char *p, const ngx_media_params_t *params,
    uint32_t type, uint32_t config);

/* mp4a with esds; len bytes of params->config are DecoderSpecificInfo */
size_t ngx_media_mp4_write_mp4a(u_char *p, const ngx_media_params_t *params,
    ngx_uint_t oti, size_t len);


#endif /* _NGX_MEDIA_MP4_DESC_H_INCLUDED_ */
