
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_AAC_H_INCLUDED_
#define _NGX_MEDIA_AAC_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/* audioObjectType, ISO/IEC 14496-3, table 1.17 */
#define NGX_MEDIA_AAC_MAIN         1
#define NGX_MEDIA_AAC_LC           2
#define NGX_MEDIA_AAC_SSR          3
#define NGX_MEDIA_AAC_LTP          4
#define NGX_MEDIA_AAC_SBR          5
#define NGX_MEDIA_AAC_ER_LC        17
#define NGX_MEDIA_AAC_ER_LTP       19
#define NGX_MEDIA_AAC_ER_BSAC      22
#define NGX_MEDIA_AAC_ER_LD        23
#define NGX_MEDIA_AAC_PS           29
#define NGX_MEDIA_AAC_ESCAPE       31
#define NGX_MEDIA_AAC_ER_ELD       39
#define NGX_MEDIA_AAC_USAC         42


/* most elements with sound in a program_config_element: 3 * 15, and 3 LFE */
#define NGX_MEDIA_AAC_ELEMENTS     48


/*
 * AudioSpecificConfig.  SBR that is not signaled here, only in the frames, is
 * not known: rate, channels and frame are those of the core then.
 */

typedef struct {
    uint32_t                  core;           /* object type of the core */
    uint32_t                  object_type;    /* 5, 29 when so signaled */
    uint32_t                  core_rate;      /* Hz */
    uint32_t                  rate;           /* Hz, as played */
    uint32_t                  layout;         /* channelConfiguration */
    uint32_t                  channel_config; /* as played; 0: own layout */
    uint32_t                  channels;       /* as played */
    uint32_t                  frame_samples;  /* as played */
    uint32_t                  bits;           /* of it, without an extension
                                                 behind it; 0: unknown */
    uint32_t                  nelements;      /* of a layout of its own, */
    uint8_t                   elements[NGX_MEDIA_AAC_ELEMENTS];
                                              /* each: id << 4 | its tag */
    unsigned                  sbr:1;
    unsigned                  ps:1;
    unsigned                  implicit:1;     /* sync extension: a decoder
                                                 may play the core alone */
} ngx_media_aac_t;


/* NGX_DECLINED: an object type or layout that is not AAC for browsers */
ngx_int_t ngx_media_aac_parse(ngx_media_aac_t *aac, const u_char *pos,
    const u_char *last);


extern const ngx_media_codec_t  ngx_media_aac_codec;


#endif /* _NGX_MEDIA_AAC_H_INCLUDED_ */
