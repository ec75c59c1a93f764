
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a converter of audio takes in: packets are decoded, channels and rate
 * changed, and samples stand where they belong, counted from an origin, without
 * holes.
 *
 * Samples are counted, stamps only say where a run of them begins: one that is
 * off by more than NGX_MEDIA_AV_SOUND_OFF begins another one, with silence
 * before it, or less what would be twice.  A resampler begins at a multiple of
 * the least time that has whole numbers of samples of both rates, so that it
 * makes the same of the same sound, wherever it began.
 */


#ifndef _NGX_MEDIA_AV_SOUND_H_INCLUDED_
#define _NGX_MEDIA_AV_SOUND_H_INCLUDED_


#include "av/ngx_media_av_audio.h"


#if (NGX_MEDIA_HAVE_AV)

#include <libavcodec/codec_id.h>
#include <libavutil/channel_layout.h>
#include <libavutil/samplefmt.h>


/* what stamps may be off: a fraction of a second.  Decoders hold back less */
#define NGX_MEDIA_AV_SOUND_OFF   200

/* source samples on both sides that a resampled one is made of, and more */
#define NGX_MEDIA_AV_SOUND_TAPS  64

/* a live hole that is filled, in seconds */
#define NGX_MEDIA_AV_SOUND_HOLE  10


typedef struct ngx_media_av_sound_s  ngx_media_av_sound_t;


/* how samples come out; positions are in samples of it, from the origin */

typedef struct {
    enum AVSampleFormat       format;
    AVChannelLayout           layout;         /* one without memory */
    int                       rate;
    int64_t                   start;          /* the first one */
    int64_t                   stop;           /* of a segment, the last and 1 */
} ngx_media_av_sound_form_t;


/* of what is in a conf, or is asked for */
enum AVCodecID ngx_media_av_sound_id(uint32_t codec, const char *name);

/* stat is the caller's, and filled in; NULL: *error */
ngx_media_av_sound_t *ngx_media_av_sound_open(
    const ngx_media_av_audio_conf_t *conf,
    const ngx_media_av_sound_form_t *form, ngx_media_av_audio_stat_t *stat,
    u_char *error);
void ngx_media_av_sound_close(ngx_media_av_sound_t *s);

/* as that of the converter */
ngx_int_t ngx_media_av_sound_send(ngx_media_av_sound_t *s, const u_char *pos,
    size_t len, int64_t pts, uint32_t duration, u_char *error);

void ngx_media_av_sound_drain(ngx_media_av_sound_t *s);

/* the source's pts of position 0; before the first packet it is 0 */
int64_t ngx_media_av_sound_origin(const ngx_media_av_sound_t *s);

/* where what came so far ends */
int64_t ngx_media_av_sound_end(const ngx_media_av_sound_t *s);

/*
 * n samples from position on into planes, or fewer: how many, or -1, *error.
 * Positions grow; what was before is forgotten.
 */
int ngx_media_av_sound_read(ngx_media_av_sound_t *s, int64_t position,
    uint8_t **planes, int n, u_char *error);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_SOUND_H_INCLUDED_ */
