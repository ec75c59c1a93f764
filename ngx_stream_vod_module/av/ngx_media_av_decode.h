
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A decoder of video: frames as CMAF carries them go in, pictures come out, in
 * the order in which they are shown, each with the pts of its frame.
 *
 *     open, { send, { picture } }, drain, { picture }, close
 *
 * It has one thread, the caller's, and holds back as few pictures as the
 * stream needs.  What is broken in the stream is counted, and it goes on.
 */


#ifndef _NGX_MEDIA_AV_DECODE_H_INCLUDED_
#define _NGX_MEDIA_AV_DECODE_H_INCLUDED_


#include "av/ngx_media_av.h"


/* bytes of a frame that is decoded at most */
#define NGX_MEDIA_AV_FRAME    (32 * 1024 * 1024)

/* pictures that a stream may be reordered by, of H.264 and HEVC */
#define NGX_MEDIA_AV_REORDER  16


#if (NGX_MEDIA_HAVE_AV)

typedef struct ngx_media_av_decoder_s  ngx_media_av_decoder_t;


typedef struct {
    ngx_uint_t                frames;         /* sent */
    ngx_uint_t                pictures;       /* came out */
    ngx_uint_t                errors;         /* frames not decoded */
    ngx_uint_t                nomem;          /* of these, it may be there
                                                 another time */
    ngx_uint_t                row;            /* of these, since the last
                                                 picture came */
    ngx_uint_t                late;           /* pictures dropped: their pts
                                                 did not grow */
} ngx_media_av_decoder_stat_t;


/*
 * params are borrowed during the call.  reorder: pictures that it has to see
 * before it can show the first one, that is the composition offset of a key
 * frame in frames, rounded up; streams that say so themselves win over it.
 * NULL: error says why.
 */
ngx_media_av_decoder_t *ngx_media_av_decoder_open(
    const ngx_media_params_t *params, ngx_uint_t reorder, u_char *error);
void ngx_media_av_decoder_close(ngx_media_av_decoder_t *d);

/*
 * The same of what our codec table has not, and players do not take: by the
 * name that libavcodec has for it ("mpeg2video", "prores").  Of the parameters
 * width, height, timescale and config are used, which is what it calls
 * extradata.
 */
ngx_media_av_decoder_t *ngx_media_av_decoder_open_named(const char *name,
    const ngx_media_params_t *params, ngx_uint_t reorder, u_char *error);

/*
 * A frame, which is copied; the first one has to be a key frame.  pts in the
 * time scale of the parameters.  skip: it is not decoded if no other frame
 * refers to it.  NGX_OK; NGX_AGAIN: it was not taken, pictures have to be
 * first; NGX_ERROR: it cannot be decoded, stat() counts that, and one goes on
 * with the next.
 */
ngx_int_t ngx_media_av_decoder_send(ngx_media_av_decoder_t *d,
    const u_char *pos, size_t len, int64_t pts, ngx_uint_t key,
    ngx_uint_t skip);

/*
 * NULL: there is none until the next frame was sent, or, after drain(), ever.
 * The caller's, to be freed by ngx_media_av_frame_free().
 */
ngx_media_av_frame_t *ngx_media_av_decoder_picture(ngx_media_av_decoder_t *d);

/* nothing more is sent: what it holds back comes out.  Then only close() */
void ngx_media_av_decoder_drain(ngx_media_av_decoder_t *d);

const ngx_media_av_decoder_stat_t *ngx_media_av_decoder_stat(
    const ngx_media_av_decoder_t *d);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_DECODE_H_INCLUDED_ */
