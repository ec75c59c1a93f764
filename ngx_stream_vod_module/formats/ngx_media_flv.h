
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Audio and video message bodies of RTMP, which are those of FLV tags
 * ("Adobe Flash Video File Format", annex E) and of Enhanced RTMP v2: one
 * message holds one packet, or with multitrack one for each track.
 *
 *     rc = ngx_media_flv_video(&it, pos, last);
 *
 *     while (rc == NGX_OK || rc == NGX_DECLINED) {
 *         rc = ngx_media_flv_next(&it, &packet);
 *
 *         NGX_OK        a packet
 *         NGX_DECLINED  a packet of a codec or kind that is not known here:
 *                       codec, codec_id and track are set; there may be more
 *         NGX_DONE      no more
 *         NGX_ERROR     malformed; packets before it are good
 *     }
 *
 * style: long header, it is what a message may be.
 */


#ifndef _NGX_MEDIA_FLV_H_INCLUDED_
#define _NGX_MEDIA_FLV_H_INCLUDED_


#include "formats/ngx_media_amf.h"
#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


typedef enum {
    NGX_MEDIA_FLV_EMPTY = 0,                  /* nothing in it: legal */
    NGX_MEDIA_FLV_CONFIG,                     /* body: avcC, hvcC, AudioSpe-
                                                 cificConfig, ... */
    NGX_MEDIA_FLV_FRAME,
    NGX_MEDIA_FLV_END,                        /* of sequence */
    NGX_MEDIA_FLV_METADATA,                   /* video: AMF0 colorInfo; audio:
                                                 MultichannelConfig */
    NGX_MEDIA_FLV_COMMAND                     /* frame type 5; see command */
} ngx_media_flv_kind_e;


typedef struct {
    ngx_media_flv_kind_e      kind;
    uint32_t                  type;           /* ngx_media_type_e */
    uint32_t                  codec;          /* fourcc, as of a sample entry;
                                                 0: legacy and unknown */
    uint32_t                  codec_id;       /* of a legacy header */
    uint32_t                  track;          /* trackId, 0: the default */
    uint32_t                  frame_type;     /* 1 key, 2 inter, 3 disposable,
                                                 4 generated key, 5 command */
    uint32_t                  command;        /* 0, 1: start, end of seek */
    int32_t                   cts;            /* pts - dts, ms, signed */
    uint32_t                  nano;           /* to be added to the time stamp,
                                                 ns, 0 to 999999 */
    ngx_media_span_t          body;           /* without any header */

    unsigned                  key:1;          /* audio: always */
    unsigned                  enhanced:1;
    unsigned                  multitrack:1;

    /* audio, legacy header only; meaningless with AAC */

    unsigned                  sound_rate:2;   /* 5.5, 11, 22, 44.1 kHz */
    unsigned                  sound_16bit:1;
    unsigned                  sound_stereo:1;
} ngx_media_flv_packet_t;


typedef struct {
    const u_char             *pos;
    const u_char             *last;
    ngx_media_flv_packet_t    packet;         /* what all tracks share */
    ngx_uint_t                packet_type;
    ngx_uint_t                multitrack;     /* type of it */
    unsigned                  done:1;
    unsigned                  declined:1;
} ngx_media_flv_iterator_t;


/* NGX_OK or NGX_ERROR */
ngx_int_t ngx_media_flv_video(ngx_media_flv_iterator_t *it,
    const u_char *pos, const u_char *last);
ngx_int_t ngx_media_flv_audio(ngx_media_flv_iterator_t *it,
    const u_char *pos, const u_char *last);

ngx_int_t ngx_media_flv_next(ngx_media_flv_iterator_t *it,
    ngx_media_flv_packet_t *packet);


/* is it a codec that is named here; what it is called, NULL: unknown */
ngx_uint_t ngx_media_flv_known(const ngx_media_flv_packet_t *packet);
const char *ngx_media_flv_codec_name(const ngx_media_flv_packet_t *packet);


/*
 * The name of a data message, AMF0 or AMF3, without @setDataFrame; *pos is
 * moved to its arguments.  NGX_ERROR: malformed; a name that is no string
 * leaves *name as it was.
 */
ngx_int_t ngx_media_flv_data_name(const u_char **pos, const u_char *last,
    ngx_media_span_t *name);


/* onMetaData; zero: absent or nonsense */

typedef struct {
    ngx_media_span_t          name;           /* of the data message, without
                                                 @setDataFrame */
    ngx_media_span_t          encoder;
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  fps;            /* 1/1000 */
    uint32_t                  video_rate;     /* kbit/s */
    uint32_t                  audio_rate;     /* kbit/s */
    uint32_t                  sample_rate;    /* Hz */
    uint32_t                  channels;
    uint32_t                  video_codec;    /* fourcc, if known */
    uint32_t                  audio_codec;
    ngx_media_span_t          language;       /* of all, or of audio 0 */
    ngx_media_amf_value_t     video_tracks;   /* ngx_media_flv_tracks.h */
    ngx_media_amf_value_t     audio_tracks;
    unsigned                  has_video:1;    /* announced, of any codec */
    unsigned                  has_audio:1;
} ngx_media_flv_metadata_t;

/*
 * The body of a data message, AMF0 or AMF3.  NGX_DECLINED: not onMetaData,
 * name is set.  All other returns leave *meta filled with what was found.
 */
ngx_int_t ngx_media_flv_metadata(const u_char *pos, const u_char *last,
    ngx_media_flv_metadata_t *meta);


/*
 * The tags in an RTMP aggregate message, "RTMP 1.0", 7.1.6: their time
 * stamps are moved so that the first one has that of the message.
 */

typedef struct {
    const u_char             *pos;
    const u_char             *last;
    uint32_t                  timestamp;
    uint32_t                  base;
    ngx_uint_t                started;
} ngx_media_flv_tags_t;

typedef struct {
    uint32_t                  type;           /* RTMP message type */
    uint32_t                  timestamp;      /* ms, modulo 2^32 */
    ngx_media_span_t          body;
} ngx_media_flv_tag_t;

void ngx_media_flv_tags(ngx_media_flv_tags_t *tags, const u_char *pos,
    const u_char *last, uint32_t timestamp);

/* NGX_OK, NGX_DONE, NGX_ERROR: truncated */
ngx_int_t ngx_media_flv_tag(ngx_media_flv_tags_t *tags,
    ngx_media_flv_tag_t *tag);


#endif /* _NGX_MEDIA_FLV_H_INCLUDED_ */
