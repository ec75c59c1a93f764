
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The codec table: what a codec's own bytes mean is reached through its entry.
 * What containers and libav call codecs stands with these, see
 * docs/developing.md, "How to add".
 */


#ifndef _NGX_MEDIA_CODEC_H_INCLUDED_
#define _NGX_MEDIA_CODEC_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


#define NGX_MEDIA_CODEC_H264   ngx_media_fourcc('a', 'v', 'c', '1')
#define NGX_MEDIA_CODEC_H265   ngx_media_fourcc('h', 'v', 'c', '1')
#define NGX_MEDIA_CODEC_AAC    ngx_media_fourcc('m', 'p', '4', 'a')
#define NGX_MEDIA_CODEC_MP3    ngx_media_fourcc('.', 'm', 'p', '3')
#define NGX_MEDIA_CODEC_AV1    ngx_media_fourcc('a', 'v', '0', '1')
#define NGX_MEDIA_CODEC_VP8    ngx_media_fourcc('v', 'p', '0', '8')
#define NGX_MEDIA_CODEC_VP9    ngx_media_fourcc('v', 'p', '0', '9')
#define NGX_MEDIA_CODEC_OPUS   ngx_media_fourcc('O', 'p', 'u', 's')
#define NGX_MEDIA_CODEC_AC3    ngx_media_fourcc('a', 'c', '-', '3')
#define NGX_MEDIA_CODEC_EAC3   ngx_media_fourcc('e', 'c', '-', '3')
#define NGX_MEDIA_CODEC_FLAC   ngx_media_fourcc('f', 'L', 'a', 'C')
#define NGX_MEDIA_CODEC_WVTT   ngx_media_fourcc('w', 'v', 't', 't')
#define NGX_MEDIA_CODEC_TX3G   ngx_media_fourcc('t', 'x', '3', 'g')
#define NGX_MEDIA_CODEC_STPP   ngx_media_fourcc('s', 't', 'p', 'p')

/* the longest RFC 6381 string, without a terminating zero */
#define NGX_MEDIA_CODEC_STRING_MAX  64


/* the longest frame of silence: AC-3 of 640 kbit/s, 32 kHz */
#define NGX_MEDIA_SILENCE_MAX       3840


/* what one frame says of itself */

typedef struct {
    unsigned                  key:1;          /* random access point */
    unsigned                  leading:1;      /* open GOP: pictures that
                                                 precede it in output follow */
    unsigned                  repeat:1;       /* key: decoders take it at any
                                                 place, also a second time */
    unsigned                  disposable:1;   /* no other refers to it */
    unsigned                  config:1;       /* holds parameter sets */
    unsigned                  empty:1;        /* no coded picture in it */
} ngx_media_frame_info_t;


/* one frame of silence, the same bytes each time */

typedef struct {
    ngx_media_span_t          frame;          /* in bytes, or static data */
    uint32_t                  samples;        /* it lasts so many, */
    uint32_t                  rate;           /* Hz: of these */
    u_char                    bytes[NGX_MEDIA_SILENCE_MAX];
} ngx_media_silence_t;


typedef struct {
    uint32_t                  id;             /* NGX_MEDIA_CODEC_* */
    uint32_t                  type;           /* ngx_media_type_e */
    ngx_str_t                 name;           /* "h264", for status and logs */

    /*
     * Parses a decoder configuration (avcC, hvcC, AudioSpecificConfig; MP3:
     * any whole frame) and fills all of *params, config included.
     * NGX_DECLINED: valid, but not supported by us.
     */
    ngx_int_t               (*config)(ngx_media_params_t *params,
                                const u_char *pos, const u_char *last);

    /* looks at one frame as CMAF carries it; NGX_ERROR: it is malformed */
    ngx_int_t               (*frame)(const ngx_media_params_t *params,
                                const u_char *pos, const u_char *last,
                                ngx_media_frame_info_t *info);

    /* RFC 6381 codecs parameter; at most NGX_MEDIA_CODEC_STRING_MAX bytes */
    size_t                  (*string)(u_char *p,
                                const ngx_media_params_t *params);

    /* the whole sample entry box of stsd, ISO/IEC 14496-12, 8.5.2 */
    size_t                  (*entry)(u_char *p,
                                const ngx_media_params_t *params);

    /*
     * Audio: a frame of silence that may stand before, between and after
     * frames with these parameters; NGX_DECLINED: none is known.  Of what
     * publishers may send it has frame_samples.  Video: NULL.
     */
    ngx_int_t               (*silence)(const ngx_media_params_t *params,
                                ngx_media_silence_t *silence);

    /*
     * Video: a frame that goes on showing the last one, and that frames to
     * come need not know of; n frames from a key frame on.  *len: bytes of p,
     * then of the frame.  NGX_DECLINED: there is none.  NULL: never.
     */
    ngx_int_t               (*still)(const ngx_media_params_t *params,
                                const ngx_media_span_t *frames, ngx_uint_t n,
                                u_char *p, size_t *len);
} ngx_media_codec_t;


/* NULL: unknown */
const ngx_media_codec_t *ngx_media_codec_find(uint32_t id);

/* the same of the codecs that publishers may send */
const ngx_media_codec_t *ngx_media_codec_find_live(uint32_t id);

/* the i-th of those that publishers may send, NULL after the last */
const ngx_media_codec_t *ngx_media_codec_entry(ngx_uint_t i);

/*
 * AAC-LC parameters made from a sample rate and a channel count, for silence
 * that stands in for an announced track; NGX_DECLINED: no such configuration.
 */
ngx_int_t ngx_media_aac_params(ngx_media_params_t *params,
    ngx_uint_t sample_rate, ngx_uint_t channels);


#endif /* _NGX_MEDIA_CODEC_H_INCLUDED_ */
