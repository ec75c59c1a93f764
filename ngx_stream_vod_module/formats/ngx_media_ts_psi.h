
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a transport stream says of itself: program association and program map
 * sections, ISO/IEC 13818-1, 2.4.4, and what their descriptors tell of an
 * elementary stream.
 */


#ifndef _NGX_MEDIA_TS_PSI_H_INCLUDED_
#define _NGX_MEDIA_TS_PSI_H_INCLUDED_


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_ts.h"


/* elementary streams of a program: of those that are listed */
#define NGX_MEDIA_TS_STREAMS       32

/* channel_config_code that was not said */
#define NGX_MEDIA_TS_NO_CHANNELS   0xff

/* bytes of a section, header and CRC included, 2.4.4.11 */
#define NGX_MEDIA_TS_SECTION_MAX   4096


/* what is to be done with a stream */

typedef enum {
    NGX_MEDIA_TS_AS_NONE = 0,                 /* nothing: it is not known */
    NGX_MEDIA_TS_AS_FRAMES,                   /* of its codec */
    NGX_MEDIA_TS_AS_LATM,                     /* elements of LOAS: AAC */
    NGX_MEDIA_TS_AS_ID3,                      /* timed data, PES packets */
    NGX_MEDIA_TS_AS_KLV,
    NGX_MEDIA_TS_AS_SCTE35                    /* the same, sections */
} ngx_media_ts_as_e;


typedef struct {
    const ngx_media_codec_t  *codec;          /* of frames and LATM, or NULL.
                                                 A stream type may be shared by
                                                 codecs: the first of them, its
                                                 frames may say another one */
    ngx_media_ts_as_e         as;
    uint32_t                  serial;         /* never the same again: another
                                                 one is another stream, though
                                                 the PID be the same */
    uint32_t                  registration;   /* format_identifier; 0: none */
    uint16_t                  pid;
    uint8_t                   stream_type;
    uint8_t                   order;          /* in the newest PMT, from 0 */
    uint8_t                   audio_type;     /* of ISO_639_language: 1 clean
                                                 effects, 2 hearing impaired,
                                                 3 commentary */
    uint8_t                   channels;       /* Opus: channel_config_code */
    u_char                    language[4];    /* ISO 639-2, 3 letters and a
                                                 zero; "": none */
    unsigned                  used:1;         /* it is a stream */
    unsigned                  gone:1;         /* not in the newest PMT */
    unsigned                  noted:1;        /* that nothing is done with it */
} ngx_media_ts_stream_t;


/* a program map section */

typedef struct {
    uint32_t                  number;         /* program_number */
    uint32_t                  pcr_pid;        /* NGX_MEDIA_TS_PID_NULL: none */
    ngx_media_span_t          info;           /* descriptors of the program */
    ngx_media_span_t          streams;
} ngx_media_ts_pmt_t;


/*
 * Whole sections, with header and CRC.  NGX_OK; NGX_DECLINED: another table,
 * or not yet in force (current_next_indicator); NGX_ERROR: malformed.
 */
ngx_int_t ngx_media_ts_pat_parse(ngx_media_span_t *programs,
    const u_char *pos, const u_char *last);
ngx_int_t ngx_media_ts_pmt_parse(ngx_media_ts_pmt_t *pmt, const u_char *pos,
    const u_char *last);

/* the next program of a PAT, network_PID left out; NGX_DONE */
ngx_int_t ngx_media_ts_pat_next(ngx_media_span_t *programs,
    ngx_uint_t *number, ngx_uint_t *pid);

/*
 * The next stream of a PMT; serial, order and flags are zero.  NGX_DONE;
 * NGX_ERROR: the rest is malformed.
 */
ngx_int_t ngx_media_ts_pmt_next(ngx_media_ts_pmt_t *pmt,
    ngx_media_ts_stream_t *stream);

/* bytes of the section that begins here, by its first three; 0: too long */
size_t ngx_media_ts_section_size(const u_char *pos);


#endif /* _NGX_MEDIA_TS_PSI_H_INCLUDED_ */
