
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Encoders of video: pictures go in, frames as CMAF carries them come out,
 * with key frames where they are asked for and nowhere else, and, if no delay
 * was asked for, one for each picture at once.
 *
 *     choose, open, { send, { packet } }, drain, { packet }, close
 */


#ifndef _NGX_MEDIA_AV_ENCODE_H_INCLUDED_
#define _NGX_MEDIA_AV_ENCODE_H_INCLUDED_


#include "av/ngx_media_av_encoder.h"


#if (NGX_MEDIA_HAVE_AV)

typedef struct ngx_media_av_encoder_s  ngx_media_av_encoder_t;


/* a frame; borrowed until the next call for the same encoder */

typedef struct {
    const u_char             *pos;            /* lengths, no parameter sets, no
                                                 delimiters */
    const u_char             *last;
    int64_t                   pts;            /* that of its picture */
    int64_t                   dts;            /* the same, without B-frames;
                                                 it may be less than the first
                                                 pts with these */
    unsigned                  key:1;          /* IDR */
} ngx_media_av_packet_t;


/*
 * What a process knows of encoders, bits of the table's; zeroed, there is one
 * in a process.  Any thread may read and set it.
 */

typedef struct {
    ngx_atomic_t              proved;         /* they passed the check */
    ngx_atomic_t              off;            /* never again: they hang */
} ngx_media_av_known_t;


/*
 * The first of n kinds that does what is wanted: 12 pictures of conf's size go
 * through one that is not in known->proved, unless it is off.  conf->kind is
 * set.  For a thread: it takes some 100 ms.  NGX_DECLINED: none does, error
 * says what the last one lacks, and errors, unless it is NULL, of each, in n
 * buffers of NGX_MEDIA_AV_ERROR: empty, if it passed or was not asked.
 */
ngx_int_t ngx_media_av_encoder_choose(ngx_media_av_encoder_conf_t *conf,
    const ngx_media_av_kind_t *const *kinds, ngx_uint_t n,
    ngx_media_av_known_t *known, u_char *error, u_char *errors);

/* the check itself: 12 pictures through conf->kind.  NGX_ERROR: error */
ngx_int_t ngx_media_av_prove(const ngx_media_av_encoder_conf_t *conf,
    u_char *error);

/*
 * like: a picture as will be sent, for its colors and its mastering data.
 * NULL: error says why.
 */
ngx_media_av_encoder_t *ngx_media_av_encoder_open(
    const ngx_media_av_encoder_conf_t *conf, const ngx_media_av_frame_t *like,
    u_char *error);
void ngx_media_av_encoder_close(ngx_media_av_encoder_t *e);

/*
 * A picture, which is not changed, and may be freed then.  Its pts is in
 * 1/360000 s and any number, as long as it grows: the encoder gets what lies
 * between it and the first one's.  key: it becomes an IDR; the first one does
 * anyway.  NGX_OK; NGX_AGAIN: packets have to be taken first; NGX_ERROR.
 */
ngx_int_t ngx_media_av_encoder_send(ngx_media_av_encoder_t *e,
    const ngx_media_av_frame_t *frame, ngx_uint_t key);

/* NGX_OK; NGX_AGAIN: not before more was sent; NGX_DONE: the end, after
   drain(); NGX_ERROR: it has to be closed */
ngx_int_t ngx_media_av_encoder_packet(ngx_media_av_encoder_t *e,
    ngx_media_av_packet_t *packet);

/* nothing more is sent */
void ngx_media_av_encoder_drain(ngx_media_av_encoder_t *e);

/*
 * Of what comes out; NULL: not known yet, before the first packet.  Borrowed
 * until close(); they do not change.
 */
const ngx_media_params_t *ngx_media_av_encoder_params(
    const ngx_media_av_encoder_t *e);

/* what went wrong in send() and packet() */
const u_char *ngx_media_av_encoder_error(const ngx_media_av_encoder_t *e);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_ENCODE_H_INCLUDED_ */
