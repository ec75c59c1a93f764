
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the bytes of FLV tag bodies mean, "Adobe Flash Video File Format
 * Specification" 10.1, annex E, and Enhanced RTMP v2: what the reader and the
 * writer have in common.
 */


#ifndef _NGX_MEDIA_FLV_FIELDS_H_INCLUDED_
#define _NGX_MEDIA_FLV_FIELDS_H_INCLUDED_


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_fmt.h"


/* legacy audio formats and video codecs, E.4.2.1 and E.4.3.1 */

#define NGX_MEDIA_FLV_MP3            2
#define NGX_MEDIA_FLV_EX_AUDIO       9
#define NGX_MEDIA_FLV_AAC            10
#define NGX_MEDIA_FLV_MP3_8K         14

#define NGX_MEDIA_FLV_AVC            7
#define NGX_MEDIA_FLV_HEVC           12       /* of no specification */

/* frame types, E.4.3.1, and the bit of a video header that is enhanced */

#define NGX_MEDIA_FLV_KEY            1
#define NGX_MEDIA_FLV_INTER          2
#define NGX_MEDIA_FLV_GENERATED_KEY  4
#define NGX_MEDIA_FLV_FRAME_COMMAND  5

#define NGX_MEDIA_FLV_EX_VIDEO       0x80

/*
 * Packet types of Enhanced RTMP v2, "Enhanced Video" and "Enhanced Audio";
 * a legacy header is given the one that means the same.
 */

#define NGX_MEDIA_FLV_EX_START       0
#define NGX_MEDIA_FLV_EX_CODED       1
#define NGX_MEDIA_FLV_EX_END         2
#define NGX_MEDIA_FLV_EX_CODED_X     3        /* video: no composition time */
#define NGX_MEDIA_FLV_EX_METADATA    4
#define NGX_MEDIA_FLV_EX_MODEX       7

#define NGX_MEDIA_FLV_EX_AUDIO_MULTI 5
#define NGX_MEDIA_FLV_EX_VIDEO_MULTI 6

#define NGX_MEDIA_FLV_EX_NANO        0        /* TimestampOffsetNano */
#define NGX_MEDIA_FLV_EX_NANO_MAX    999999


/* by fourcc, or if that is zero by legacy id; NULL: unknown */
const ngx_media_codec_flv_t *ngx_media_flv_find(uint32_t type,
    uint32_t fourcc, uint32_t codec_id);


#endif /* _NGX_MEDIA_FLV_FIELDS_H_INCLUDED_ */
