
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * libavformat, as far as files are opened with it: from one file descriptor,
 * nothing else; by the demuxers of a short list; within bounds of what is
 * read.  Only for those files of vod/ that are built with it.
 */


#ifndef _NGX_MEDIA_VOD_LAV_H_INCLUDED_
#define _NGX_MEDIA_VOD_LAV_H_INCLUDED_


#include "files/ngx_media_vod_av.h"

#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_compat.h"

#include <libavformat/avformat.h>


#define NGX_MEDIA_VOD_LAV_STREAMS  64         /* looked at */

/* of demuxers */
#define NGX_MEDIA_VOD_LAV_WHOLE    1          /* packets are whole frames and
                                                 have all that is needed */
#define NGX_MEDIA_VOD_LAV_RAW      2          /* frames of audio, no times */
#define NGX_MEDIA_VOD_LAV_CONVERT  4          /* never served as they are */


typedef struct {
    const char               *name;
    ngx_uint_t                flags;
} ngx_media_vod_lav_demuxer_t;


typedef struct {
    AVFormatContext          *ctx;
    AVIOContext              *io;
    const ngx_media_vod_lav_demuxer_t
                             *demuxer;
    ngx_media_vod_index_t    *index;          /* borrowed */
    uint64_t                  offset;         /* of the next byte read */
    uint64_t                  left;           /* bytes that may be read */
    int                       err;            /* errno of reading */
    unsigned                  bound:1;        /* too much was read */
} ngx_media_vod_lav_t;


/*
 * NGX_DECLINED: nothing we know; NGX_ERROR: it cannot be read, or no memory;
 * close() is needed always.  To be converted: all is known of its streams.
 */
ngx_int_t ngx_media_vod_lav_open(ngx_media_vod_lav_t *lav,
    ngx_media_vod_index_t *index, ngx_uint_t convert);
void ngx_media_vod_lav_close(ngx_media_vod_lav_t *lav);

/* language, title and roles */
void ngx_media_vod_lav_describe(ngx_media_vod_track_t *track,
    const AVStream *st);

/*
 * Parameters from what the container says and, where that is not all, from
 * the first packet.  NGX_DECLINED: not supported; NGX_AGAIN: they are there,
 * but not in a form that can be served; NGX_DONE: not in this packet.
 */
ngx_int_t ngx_media_vod_lav_params(ngx_media_params_t *params,
    const AVStream *st, const AVPacket *packet);


/* those of what can only be decoded: of libavcodec's number; NGX_DECLINED: it
   cannot be */
ngx_int_t ngx_media_vod_lav_foreign(ngx_media_params_t *params,
    const AVStream *st);


/* ngx_media_vod_lav_read.c: all packets where they are; NGX_AGAIN: some are
   not in one piece */
ngx_int_t ngx_media_vod_lav_read(ngx_media_vod_lav_t *lav,
    ngx_media_vod_av_t *av);


/*
 * ngx_media_vod_lav_convert.c: the blob of an MP4 file that is made of it, or
 * was; NULL: no memory
 */
ngx_media_vod_file_t *ngx_media_vod_lav_convert(ngx_media_vod_index_t *index);


/* ngx_media_vod_lav_text.c: the cues of a stream of text */

/* a stream of text whose cues can be had */
ngx_uint_t ngx_media_vod_lav_is_text(const AVStream *st);

/* NGX_ERROR: no memory */
ngx_int_t ngx_media_vod_lav_cue(ngx_media_vod_av_t *av,
    ngx_media_vod_av_track_t *t, const AVStream *st, const AVPacket *packet);

/* the same as a track of MP4; NGX_DECLINED: an empty cue */
ngx_int_t ngx_media_vod_lav_tx3g_params(AVCodecParameters *par);
ngx_int_t ngx_media_vod_lav_tx3g(const AVStream *st, AVPacket *packet);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_VOD_LAV_H_INCLUDED_ */
