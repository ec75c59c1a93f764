
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The codec table: all that is particular of a codec, what containers call it
 * included, is in its entry or reached through it.  A new codec is one file
 * and one line here; what libav calls it is a line of av/
 * (docs/developing.md, "How to add").
 *
 * style: long header, it is one struct and what is in it.
 */


#ifndef _NGX_MEDIA_CODEC_H_INCLUDED_
#define _NGX_MEDIA_CODEC_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


#define NGX_MEDIA_CODEC_H264   ngx_media_fourcc('a', 'v', 'c', '1')
#define NGX_MEDIA_CODEC_H265   ngx_media_fourcc('h', 'v', 'c', '1')
#define NGX_MEDIA_CODEC_AAC    ngx_media_fourcc('m', 'p', '4', 'a')
#define NGX_MEDIA_CODEC_MP3    ngx_media_fourcc('.', 'm', 'p', '3')
#define NGX_MEDIA_CODEC_MP2    ngx_media_fourcc('.', 'm', 'p', '2')
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


/* what may carry it to viewers */
#define NGX_MEDIA_IN_HLS       0x01           /* of CMAF; text as WebVTT */
#define NGX_MEDIA_IN_HLS_TS    0x02           /* of MPEG-TS; text as WebVTT */
#define NGX_MEDIA_IN_DASH      0x04
#define NGX_MEDIA_IN_CMAF      (NGX_MEDIA_IN_HLS | NGX_MEDIA_IN_DASH)
#define NGX_MEDIA_IN_ALL       (NGX_MEDIA_IN_CMAF | NGX_MEDIA_IN_HLS_TS)

/* bytes of a configuration that a descriptor of MPEG-TS says */
#define NGX_MEDIA_TS_CONFIG_MAX  32

/* flags of an entry */
#define NGX_MEDIA_IS_LIVE      0x01           /* publishers may send it, and
                                                 it is offered to them */
#define NGX_MEDIA_IS_STEADY    0x02           /* audio: all frames of a track
                                                 are as long */
#define NGX_MEDIA_IS_BOUND     0x04           /* audio: frames need several of
                                                 those before them */

/* of ngx_media_codec_mp4_t; MP4 has no more of any codec */
#define NGX_MEDIA_MP4_ENTRIES  4


/* what frames are made of, and so what has to be done to them and for them */

typedef enum {
    NGX_MEDIA_UNITS_NONE = 0,                 /* a frame is one piece */
    NGX_MEDIA_UNITS_AVC,                      /* NAL units behind lengths */
    NGX_MEDIA_UNITS_HEVC,
    NGX_MEDIA_UNITS_OBU,
    NGX_MEDIA_UNITS_AAC,                      /* raw_data_block(); elsewhere it
                                                 has an ADTS header */
    NGX_MEDIA_UNITS_FRAMES                    /* whole frames with headers, of
                                                 which one comes at a time, or
                                                 several */
} ngx_media_units_e;


/* what MP4 calls it */

typedef struct {
    uint32_t                  entries[NGX_MEDIA_MP4_ENTRIES];
                                              /* sample entries in files, 0: no
                                                 more; "mp4a" is told apart by
                                                 objects */
    uint32_t                  record;         /* box whose body config() takes;
                                                 0: there is none */
    u_char                    objects[NGX_MEDIA_MP4_ENTRIES];
                                              /* objectTypeIndication of mp4a,
                                                 0: no more */
    const char               *dovi;           /* as the base layer of Dolby
                                                 Vision; NULL: it is never */
} ngx_media_codec_mp4_t;


/* one frame of those that MPEG-TS has behind a header of its own */

typedef struct {
    ngx_media_span_t          frame;
    uint32_t                  rate;           /* Hz: of samples */
} ngx_media_codec_piece_t;


/* how MPEG-TS has it */

typedef struct {
    u_char                    stream_type;    /* 0: it is not written */
    u_char                    half_type;      /* the same of rates of less than
                                                 32 kHz; 0: no difference */
    u_char                    stream_id;
    u_char                    form;           /* ngx_media_ts_form_e */
    u_char                    alone;          /* audio: one frame a packet */
    uint32_t                  registration;   /* format_identifier; 0: none */

    /* by what else it is known, of private data */
    u_char                    tag;            /* descriptor of DVB; 0: none */
    uint32_t                  format;         /* format_identifier; 0: none */

    /*
     * The next frame, data is shortened by it; NGX_AGAIN: it is not whole yet,
     * NGX_ERROR: none begins here.  NULL: frames have no such header.
     */
    ngx_int_t               (*next)(ngx_media_span_t *data,
                                ngx_media_codec_piece_t *piece);

    /*
     * The configuration that channel_config_code of its descriptor says, in at
     * most NGX_MEDIA_TS_CONFIG_MAX bytes, and the code of parameters; 0: there
     * is none.  NULL: there is no such descriptor.
     */
    size_t                  (*config)(u_char *p, uint32_t code);
    uint32_t                (*code)(const ngx_media_params_t *params);
} ngx_media_codec_ts_t;


/* how RTMP and FLV have it, ngx_media_flv_fields.h */

typedef struct {
    uint32_t                  fourcc;         /* id; 0: not at all */
    u_char                    codec_id;       /* legacy, 0: none */
    u_char                    alias;          /* another one, that is read */
    u_char                    cts;            /* CodedFrames have it */
    u_char                    unofficial;     /* codec_id is read, and never
                                                 written */
    u_char                    start;          /* has a sequence start, of its
                                                 configuration, or of */
    size_t                  (*record)(u_char *p,
                                const ngx_media_params_t *params);
                                              /* two passes, 0: it has none */
} ngx_media_codec_flv_t;


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
    ngx_uint_t                formats;        /* NGX_MEDIA_IN_*; 0: players
                                                 have it in MPEG-TS that is
                                                 sent, or not at all */
    ngx_uint_t                flags;          /* NGX_MEDIA_IS_* */
    ngx_media_units_e         units;
    ngx_uint_t                skip;           /* where in its configuration 16
                                                 bits count samples that
                                                 players drop; 0: nowhere */
    ngx_media_codec_mp4_t     mp4;
    ngx_media_codec_ts_t      ts;
    ngx_media_codec_flv_t     flv;

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

    /*
     * The parameters that a frame says, of codecs for which containers have
     * no record, or none that is worth a look.  NGX_DECLINED: not this one.
     * NULL: it takes a configuration.
     */
    ngx_int_t               (*learn)(ngx_media_params_t *params,
                                const u_char *pos, const u_char *last);

    /* the same of what a sample entry says; NULL: it has a record */
    ngx_int_t               (*assume)(ngx_media_params_t *params,
                                uint32_t sample_rate, uint32_t channels);

    /* audio: samples of a packet, 0: malformed; NULL: frame_samples */
    uint32_t                (*samples)(const u_char *pos, const u_char *last);

    /* bytes of the frame that begins at pos, 0: none does; they may be more
       than there are.  NULL: it does not say that */
    size_t                  (*size)(const u_char *pos, const u_char *last);
} ngx_media_codec_t;


/* NULL: unknown */
const ngx_media_codec_t *ngx_media_codec_find(uint32_t id);

/* the same of the codecs that publishers may send */
const ngx_media_codec_t *ngx_media_codec_find_live(uint32_t id);

/* the i-th of all, NULL after the last; there are at most 32 */
const ngx_media_codec_t *ngx_media_codec_entry(ngx_uint_t i);

/*
 * The next frame of a message that may hold several, of NGX_MEDIA_UNITS_FRAMES;
 * data is shortened by it.  NGX_DONE: nothing left; NGX_ERROR: no whole frame
 * starts there.
 */
ngx_int_t ngx_media_codec_next(const ngx_media_codec_t *codec,
    ngx_media_span_t *data, ngx_media_span_t *frame);

/*
 * AAC-LC parameters made from a sample rate and a channel count, for silence
 * that stands in for an announced track; NGX_DECLINED: no such configuration.
 */
ngx_int_t ngx_media_aac_params(ngx_media_params_t *params,
    ngx_uint_t sample_rate, ngx_uint_t channels);


#endif /* _NGX_MEDIA_CODEC_H_INCLUDED_ */
