
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tracks and frames, as CMAF has them, as the bodies of RTMP messages, which
 * are those of FLV tags ("Adobe Flash Video File Format Specification" 10.1,
 * annex E), and the rest of an FLV file.  Codecs that have no number there are
 * written as Enhanced RTMP v2 has them, all others in the old form, which
 * every player knows.
 *
 *     onMetaData          ngx_media_flv_write_metadata()
 *     of each track       ngx_media_flv_write_config(), unless it is 0 bytes
 *     of each frame       ngx_media_flv_write_head(), the frame
 *     at the end, or not  ngx_media_flv_write_end(), unless it is 0 bytes
 *
 * These are payloads of messages, see ngx_media_rtmp_chunk_write_spans().  A
 * file begins with ngx_media_flv_write_start(), and has each of them between
 * ngx_media_flv_write_tag() and ngx_media_flv_write_tail().
 *
 * A frame is not looked at, nor copied here: NAL units with their lengths as
 * avcC and hvcC say, a raw AAC frame, a temporal unit of OBUs, a whole frame
 * of MP3, AC-3 and others; one frame a message.
 *
 * All of the functions return the number of bytes; p == NULL: nothing is
 * written.  What they are given is borrowed during the call.
 */


#ifndef _NGX_MEDIA_FLV_WRITE_H_INCLUDED_
#define _NGX_MEDIA_FLV_WRITE_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


/* the most of ngx_media_flv_write_head() and ngx_media_flv_write_end() */
#define NGX_MEDIA_FLV_HEAD_MAX    8

/* a composition time that can be written, in ms: 24 bits with a sign */
#define NGX_MEDIA_FLV_CTS_MIN     (-0x800000)
#define NGX_MEDIA_FLV_CTS_MAX     0x7fffff

#define NGX_MEDIA_FLV_START_SIZE  13
#define NGX_MEDIA_FLV_TAG_SIZE    11
#define NGX_MEDIA_FLV_TAIL_SIZE   4

/* of a body, E.4.1; messages of RTMP have as many */
#define NGX_MEDIA_FLV_BODY_MAX    0xffffff


/* is there a way to write frames of this codec, NGX_MEDIA_CODEC_*? */
ngx_uint_t ngx_media_flv_carries(uint32_t codec);

/* is it a way that only players of Enhanced RTMP understand? */
ngx_uint_t ngx_media_flv_enhances(uint32_t codec);


/*
 * Bodies.  All of them are empty for codecs that are not carried.
 */

/*
 * What a decoder needs before the first frame, and again whenever it changes:
 * AVC and AAC sequence header, E.4.3.2 and E.4.2.2, SequenceStart of Enhanced
 * RTMP.  Empty: the codec has none (MP3, AC-3, E-AC-3), or params->config is
 * none of it.
 */
size_t ngx_media_flv_write_config(u_char *p,
    const ngx_media_params_t *params);

/*
 * What precedes the bytes of a frame, at most NGX_MEDIA_FLV_HEAD_MAX.  key is
 * of video alone; cts is pts - dts in ms, as the time stamps are rounded, and
 * of codecs that have it: what does not fit becomes the nearest that does.
 */
size_t ngx_media_flv_write_head(u_char *p, const ngx_media_params_t *params,
    ngx_uint_t key, int32_t cts);

/* the end of a sequence; AAC and MP3 have none in the old form */
size_t ngx_media_flv_write_end(u_char *p, const ngx_media_params_t *params);

/*
 * onMetaData, E.5 and Enhanced RTMP, "Enhancing onMetaData", without
 * @setDataFrame: for a data message, or a script tag, of time stamp 0 (ffmpeg
 * takes one of any other for a track of text).  video, audio and encoder may
 * be NULL; what is unknown of them is left out.
 */
size_t ngx_media_flv_write_metadata(u_char *p,
    const ngx_media_params_t *video, const ngx_media_params_t *audio,
    const ngx_str_t *encoder);


/* the file, E.2 to E.4.1 */

/* its header, which says what kinds of tags there will be, and a tail of 0 */
size_t ngx_media_flv_write_start(u_char *p, ngx_uint_t video,
    ngx_uint_t audio);

/*
 * What precedes a body of len bytes.  type is that of the RTMP message,
 * NGX_MEDIA_RTMP_AUDIO and others; timestamp is in ms, modulo 2^32.
 */
size_t ngx_media_flv_write_tag(u_char *p, uint32_t type, size_t len,
    uint32_t timestamp);

/* what follows a body of len bytes */
size_t ngx_media_flv_write_tail(u_char *p, size_t len);


#endif /* _NGX_MEDIA_FLV_WRITE_H_INCLUDED_ */
