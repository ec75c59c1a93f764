
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * How the frames of a track are carried in a transport stream: the stream
 * type, and what has to stand before them.
 */


#ifndef _NGX_MEDIA_TS_ES_H_INCLUDED_
#define _NGX_MEDIA_TS_ES_H_INCLUDED_


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_ts.h"


/* timed metadata */
#define NGX_MEDIA_TS_CODEC_ID3   ngx_media_fourcc('I', 'D', '3', ' ')

/* of an ADTS header and a program_config_element behind it */
#define NGX_MEDIA_TS_PREFIX_MAX  80

/* audio_type, 2.6.19 */
#define NGX_MEDIA_TS_AUDIO_CLEAR        2     /* for the hearing impaired */
#define NGX_MEDIA_TS_AUDIO_DESCRIPTION  3     /* for the visually impaired */


/* flat, and without pointers */

typedef struct {
    uint32_t                  codec;
    uint32_t                  type;           /* ngx_media_type_e */
    uint32_t                  timescale;
    uint32_t                  registration;   /* format_identifier; 0: none */
    uint8_t                   units;          /* ngx_media_units_e */
    uint8_t                   alone;          /* audio: one frame a packet */
    uint8_t                   form;           /* ngx_media_ts_form_e */
    uint8_t                   stream_type;
    uint8_t                   stream_id;
    uint8_t                   code;           /* channel_config_code of its
                                                 descriptor; 0: it has none */
    uint8_t                   nal_length;     /* 1, 2, 4; 0: no NAL units */
    uint8_t                   prefix_len;
    uint8_t                   audio_type;     /* of the language, table 2-60 */
    u_char                    lang[3];        /* ISO 639-2; 0: it is not said */
    u_char                    prefix[NGX_MEDIA_TS_PREFIX_MAX];
                                              /* before each frame: an access
                                                 unit delimiter; ADTS header
                                                 with a length of zero */
} ngx_media_ts_es_t;


/*
 * NGX_DECLINED: there is no way to carry it, or none that players take.
 * Timed ID3: params->codec is NGX_MEDIA_TS_CODEC_ID3, type NGX_MEDIA_TEXT.
 */
ngx_int_t ngx_media_ts_es_init(ngx_media_ts_es_t *es,
    const ngx_media_params_t *params);

/* bytes that a frame may have at most, without its prefix; video: no limit */
size_t ngx_media_ts_es_max(const ngx_media_ts_es_t *es);

/*
 * What stands before a key frame: the access unit delimiter and all the
 * parameter sets of params->config; the size pass as usual.  Other than
 * video: nothing, 0.
 */
size_t ngx_media_ts_es_head(u_char *p, const ngx_media_params_t *params);

/* its descriptors for the PMT, ES_info and program_info; p may be NULL */
size_t ngx_media_ts_es_info(u_char *p, const ngx_media_ts_es_t *es);
size_t ngx_media_ts_program_info(u_char *p, const ngx_media_ts_es_t *es);

/*
 * What stands before a frame of so many bytes, other than video; at most
 * NGX_MEDIA_TS_PREFIX_MAX, in two passes
 */
size_t ngx_media_ts_es_prefix(u_char *p, const ngx_media_ts_es_t *es,
    size_t size);

/* bytes of the header of its NAL units */
ngx_uint_t ngx_media_ts_es_header(const ngx_media_ts_es_t *es);

/* whether a NAL unit of this header, the first of its frame, has no place in
   the stream: a delimiter, or one of another layer or view */
ngx_uint_t ngx_media_ts_es_blank(const ngx_media_ts_es_t *es,
    const u_char *header, size_t len, ngx_uint_t first);


#endif /* _NGX_MEDIA_TS_ES_H_INCLUDED_ */
