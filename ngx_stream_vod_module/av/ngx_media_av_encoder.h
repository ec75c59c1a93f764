
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The table of encoders of video: which one does what, with which settings.
 * None is used that has not shown what it does (ngx_media_av_encode.h).
 */


#ifndef _NGX_MEDIA_AV_ENCODER_H_INCLUDED_
#define _NGX_MEDIA_AV_ENCODER_H_INCLUDED_


#include "av/ngx_media_av.h"


#if (NGX_MEDIA_HAVE_AV)

/* of one list of encoders */
#define NGX_MEDIA_AV_ENCODERS  8


/* an encoder of the table: static */

typedef struct ngx_media_av_kind_s  ngx_media_av_kind_t;


typedef struct {
    const ngx_media_av_kind_t
                             *kind;           /* by choose(), or find() */
    uint32_t                  width;          /* even; of all pictures */
    uint32_t                  height;
    uint32_t                  fps_num;        /* what a second has on average:
                                                 rate control counts pictures,
                                                 it is wrong by as much as this
                                                 is */
    uint32_t                  fps_den;
    uint32_t                  bitrate;        /* bit/s; 1.15 times that is the
                                                 most, over a second */
    uint32_t                  crf;            /* in tenths; 0: none, otherwise
                                                 bitrate is the most */
    const char               *preset;         /* as x264 calls it, or the
                                                 encoder; NULL: the table's */
    const char               *options;        /* "NAME=VALUE:...", in the words
                                                 of libavcodec, or NULL */
    ngx_uint_t                bframes;
    ngx_uint_t                lookahead;      /* pictures */
    ngx_uint_t                threads;        /* 0 and 1: one */
    ngx_uint_t                bit_depth;      /* 8, or 10: HEVC and AV1 */
    unsigned                  file:1;         /* a segment of a file: closed,
                                                 rate control begins with half
                                                 a buffer */
} ngx_media_av_encoder_conf_t;                /* strings are borrowed during
                                                 calls */


/*
 * The encoder of a codec (NGX_MEDIA_CODEC_*) that a list of encoders calls so:
 * "x264", "nvenc", or as libavcodec does, "libx264", "h264_nvenc".  NULL: none
 * is known by that name, or it does not make this codec.
 */
const ngx_media_av_kind_t *ngx_media_av_encoder_find(uint32_t codec,
    const u_char *name, size_t len);

/* the i-th of the table, NULL after the last */
const ngx_media_av_kind_t *ngx_media_av_encoder_entry(ngx_uint_t i);

/* as libavcodec calls it, as lists of encoders do, and what it makes; its bit
   of what is known */
const char *ngx_media_av_encoder_name(const ngx_media_av_kind_t *kind);
const char *ngx_media_av_encoder_brief(const ngx_media_av_kind_t *kind);
uint32_t ngx_media_av_encoder_codec(const ngx_media_av_kind_t *kind);
ngx_uint_t ngx_media_av_encoder_bit(const ngx_media_av_kind_t *kind);

/* what a machine needs to have it, a static text */
const char *ngx_media_av_encoder_needs(const ngx_media_av_kind_t *kind);

/* libavcodec here was built with it; its device may be missing */
ngx_uint_t ngx_media_av_encoder_known(const ngx_media_av_kind_t *kind);

/* one that has threads of its own is closed before a process ends */
ngx_uint_t ngx_media_av_encoder_has_threads(const ngx_media_av_kind_t *kind);

/*
 * Whether all of conf can be said to its kind: preset, crf, B-frames, depth,
 * options.  Nothing is opened, so a master may call it.  NGX_ERROR: error says
 * why not; NGX_DECLINED: libavcodec here was built without it, as does error.
 */
ngx_int_t ngx_media_av_encoder_check(const ngx_media_av_encoder_conf_t *conf,
    u_char *error);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_ENCODER_H_INCLUDED_ */
