
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One track of audio becomes another: it is decoded, its channels and rate are
 * made those that are asked for, and it is encoded, by libavcodec and
 * libswresample.
 *
 *     open, send, packet..., send, packet..., drain, packet..., close
 *
 * Time is counted in samples.  A period has an origin, in the source's
 * timescale; frame j of what is made begins j * frame_samples after it, is made
 * of the sound that the source has there, and needs no edit list: what
 * an encoder puts in front (priming) is before the origin and is left out.
 * Rates are converted exactly, nothing is ever stretched to fit stamps.
 *
 * Live, the origin is the pts of the first packet, and frames are 0, 1, 2...
 * until drain().  Of a file, frames first..last are made alone, by an encoder
 * that begins some frames earlier, so that they follow upon those before and
 * are followed by those behind, whoever makes these and when.
 *
 * It has memory of its own and no globals: any thread may call it, one at a
 * time.  Other parameters of the source are another converter.
 *
 * style: long header, what a converter is told and tells is all here.
 */


#ifndef _NGX_MEDIA_AV_AUDIO_H_INCLUDED_
#define _NGX_MEDIA_AV_AUDIO_H_INCLUDED_


#include "av/ngx_media_av.h"
#include "formats/ngx_media_frame.h"


#if (NGX_MEDIA_HAVE_AV)

typedef struct ngx_media_av_audio_s  ngx_media_av_audio_t;


typedef struct {
    const ngx_media_params_t *source;         /* borrowed during open() */

    /*
     * A source that our codec table has not: what libavcodec calls it
     * ("pcm_s16le", "vorbis", "dts"); config is its extradata, and of the rest
     * timescale, sample_rate and channels are used.  NULL: source->codec.
     */
    const char               *name;
    uint32_t                  block_align;    /* bytes, as its container says;
                                                 0: unknown */
    uint32_t                  bits;           /* bits_per_coded_sample; 0 */

    uint32_t                  codec;          /* what is made: of the codec
                                                 table */
    uint32_t                  bitrate;        /* bit/s */
    uint32_t                  channels;       /* 1, 2 or 6; 0: 2 */
    uint32_t                  rate;           /* Hz; 0: 48000 */

    unsigned                  segment:1;      /* of a file, and so: */
    int64_t                   origin;         /* in source->timescale */
    uint64_t                  first;          /* frames that are made, the */
    uint64_t                  last;           /* last one included */
} ngx_media_av_audio_conf_t;


/* what of the source a segment is made of */

typedef struct {
    int64_t                   from;           /* in source->timescale: packets
                                                 with sound in from..to - 1, as
                                                 far as there are, */
    int64_t                   to;
    ngx_uint_t                preroll;        /* and so many in front of the
                                                 first of them: a decoder's
                                                 state; sent with the rest */
} ngx_media_av_audio_need_t;


typedef struct {
    const u_char             *pos;            /* as CMAF carries it; until the
                                                 next call of any kind */
    const u_char             *last;
    uint64_t                  number;         /* j */
    int64_t                   pts;            /* in params()->timescale, from
                                                 where the source has its 0 */
    uint32_t                  duration;       /* that of a frame; less for the
                                                 last one of a live period,
                                                 which ends with the source */
} ngx_media_av_audio_packet_t;


typedef struct {
    uint64_t                  packets;        /* sent */
    uint64_t                  errors;         /* of them, damaged: silent */
    uint64_t                  silent;         /* samples of silence put in */
    uint64_t                  cut;            /* and left out; as made */
} ngx_media_av_audio_stat_t;


/* NGX_DECLINED: no encoder for it; *error says what to install */
ngx_int_t ngx_media_av_audio_known(uint32_t codec, u_char *error);

/* libavcodec's name of that encoder, for names of what is made; NULL: none */
const char *ngx_media_av_audio_encoder(uint32_t codec);

/* samples of a frame of what is made, at any rate; 0: there is no encoder */
uint32_t ngx_media_av_audio_samples(uint32_t codec);

/* there is a decoder: of the codec table, or, if it is not NULL, of a name */
ngx_uint_t ngx_media_av_audio_decodes(uint32_t codec, const char *name);

/* the first frame that does not begin before a time after the origin */
uint64_t ngx_media_av_audio_frame(uint64_t time, uint32_t timescale,
    uint32_t rate, uint32_t samples);


/* NULL: *error, NGX_MEDIA_AV_ERROR bytes, says why, as it does below */
ngx_media_av_audio_t *ngx_media_av_audio_open(
    const ngx_media_av_audio_conf_t *conf, u_char *error);
void ngx_media_av_audio_close(ngx_media_av_audio_t *a);

/* what is made; until close() */
const ngx_media_params_t *ngx_media_av_audio_params(
    const ngx_media_av_audio_t *a);

/* of a segment */
void ngx_media_av_audio_need(const ngx_media_av_audio_t *a,
    ngx_media_av_audio_need_t *need);

/*
 * A packet of the source, copied.  pts and duration are in its timescale; 0:
 * what the packet says, or source->frame_samples, which are in timescale then.
 * NGX_OK; NGX_DECLINED: it is damaged, silence is in its place; NGX_AGAIN:
 * packets are to be taken first, nothing was taken of this one; NGX_ERROR: it
 * cannot go on.
 */
ngx_int_t ngx_media_av_audio_send(ngx_media_av_audio_t *a, const u_char *pos,
    size_t len, int64_t pts, uint32_t duration);

/* nothing more comes: what is there ends with silence */
void ngx_media_av_audio_drain(ngx_media_av_audio_t *a);

/* NGX_OK; NGX_AGAIN: more is needed; NGX_DONE: that was all; NGX_ERROR */
ngx_int_t ngx_media_av_audio_packet(ngx_media_av_audio_t *a,
    ngx_media_av_audio_packet_t *packet);

const ngx_media_av_audio_stat_t *ngx_media_av_audio_stat(
    const ngx_media_av_audio_t *a);
const u_char *ngx_media_av_audio_error(const ngx_media_av_audio_t *a);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_AUDIO_H_INCLUDED_ */
