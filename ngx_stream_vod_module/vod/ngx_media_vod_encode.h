
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A segment of a rung: the pictures of its source's segment are decoded, scaled
 * and encoded, by codecs that are opened for it alone.  So it is the same
 * whenever it is made, and whatever was made before.
 *
 * Where GOPs are open, pictures that are shown before the key frame belong to
 * its segment: they need the GOP before, which is decoded, too.
 *
 * In a thread, step by step; memory is by malloc().
 */


#ifndef _NGX_MEDIA_VOD_ENCODE_H_INCLUDED_
#define _NGX_MEDIA_VOD_ENCODE_H_INCLUDED_


#include "av/ngx_media_av_decode.h"
#include "av/ngx_media_av_encode.h"
#include "av/ngx_media_av_scale.h"
#include "files/ngx_media_vod_file.h"
#include "formats/ngx_media_index.h"
#include "formats/ngx_media_plan.h"
#include "transcode/ngx_media_ladder.h"
#include "vod/ngx_media_vod_made.h"


#if (NGX_MEDIA_HAVE_AV)

/* a picture that is wanted; times in timescale, pts counts from the plan's
   origin, dts from where the segment begins */

typedef struct {
    int64_t                   pts;
    int64_t                   dts;            /* of the source's frame that has
                                                 its place in decode order */
    int64_t                   sent;           /* pts as the encoder has it */
} ngx_media_vod_encode_time_t;


typedef struct {
    /* set by the caller, who keeps it */
    const ngx_media_ladder_rung_t *rung;
    const ngx_media_params_t *own;            /* of what is made */
    const ngx_media_params_t *source;
    const ngx_media_index_t  *index;
    uint32_t                  encoder;        /* these three as of the clip */
    uint32_t                  delay;
    uint32_t                  bframes;
    ngx_fd_t                  fd;             /* of the source */
    int64_t                   origin;         /* of the plan */
    ngx_media_plan_segment_t  segment;
    ngx_media_vod_made_writer_t *writer;      /* open; where samples go */

    /* the result */
    uint32_t                  missing;        /* pictures that could not be
                                                 decoded */
    uint32_t                  pictures;
    u_char                    error[NGX_MEDIA_VOD_ERROR];

    /* its own */
    ngx_media_index_sample_t *samples;        /* that are decoded */
    uint32_t                  nsamples;
    uint32_t                  preroll;        /* so many before the segment's */
    uint32_t                  sample;         /* the next one */
    ngx_media_vod_encode_time_t *wanted;      /* as they are shown */
    uint32_t                  nwanted;
    uint32_t                  want;           /* the next one */
    ngx_media_vod_encode_time_t *times;       /* those that were sent */
    uint32_t                  ntimes;
    uint32_t                  nput;           /* frames that came back */
    u_char                   *buf;
    size_t                    size;
    ngx_media_av_decoder_t   *decoder;
    ngx_media_av_scaler_t    *scaler;
    ngx_media_av_encoder_t   *e;
    unsigned                  drained:1;      /* the decoder, */
    unsigned                  ending:1;       /* the encoder */
} ngx_media_vod_encode_t;


/* what an encoder is told: of a rung, own params without its configuration */
void ngx_media_vod_encode_conf(ngx_media_av_encoder_conf_t *conf,
    const ngx_media_ladder_rung_t *rung, const ngx_media_params_t *own,
    ngx_uint_t bframes, const ngx_media_av_kind_t *kind);

/* pictures by which an index is reordered, at most */
ngx_uint_t ngx_media_vod_encode_reorder(const ngx_media_index_t *index);

/*
 * Some ms of it.  NGX_AGAIN: there is more to be done; NGX_OK: all samples are
 * with the writer; NGX_ERROR: error says why
 */
ngx_int_t ngx_media_vod_encode_step(ngx_media_vod_encode_t *enc);

/* what it has of its own; as often as one likes */
void ngx_media_vod_encode_close(ngx_media_vod_encode_t *enc);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_VOD_ENCODE_H_INCLUDED_ */
