
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pictures of a ladder.  A rung that encodes one scales it; where it is made of
 * a larger rung's, that is scaled first, by whoever comes first.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include "transcode/ngx_media_transcode_job.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

/* a picture is made of one that is at most so many times as wide */
#define NGX_MEDIA_JOB_SCALE  2


static ngx_media_av_frame_t *ngx_media_job_picture_make(
    ngx_media_job_picture_t *picture, ngx_uint_t i, u_char *error);
static ngx_int_t ngx_media_job_picture_scaler(ngx_media_job_rung_t *rung,
    const ngx_media_ladder_shape_t *shape, ngx_uint_t depth, u_char *error);


ngx_media_job_picture_t *
ngx_media_job_picture(ngx_media_job_video_t *v, ngx_media_av_frame_t *frame)
{
    ngx_media_job_picture_t  *picture;

    picture = calloc(1, sizeof(ngx_media_job_picture_t));
    if (picture == NULL) {
        ngx_media_av_frame_free(frame);
        return NULL;
    }

    picture->video = v;
    picture->refs = 1;
    picture->frame = frame;

    return picture;
}


void
ngx_media_job_picture_release(ngx_media_job_picture_t *picture)
{
    ngx_uint_t  i;

    if (ngx_atomic_fetch_add(&picture->refs, (ngx_atomic_int_t) -1) != 1) {
        return;
    }

    for (i = 0; i < NGX_MEDIA_LADDER_RUNGS; i++) {
        ngx_media_av_frame_free(picture->scaled[i]);
    }

    ngx_media_av_frame_free(picture->frame);

    free(picture);
}


ngx_media_av_frame_t *
ngx_media_job_picture_scale(ngx_media_job_picture_t *picture,
    ngx_media_job_rung_t *rung, u_char *error)
{
    ngx_media_av_frame_t   *frame, *ref;
    ngx_media_job_video_t  *v;

    v = picture->video;
    ref = NULL;

    (void) ngx_thread_mutex_lock(&v->scale_lock, v->job->log);

    frame = ngx_media_job_picture_make(picture, rung->index, error);

    if (frame) {
        ref = ngx_media_av_frame_ref(frame);

        if (ref == NULL) {
            ngx_snprintf(error, NGX_MEDIA_AV_ERROR, "no memory%Z");
        }
    }

    (void) ngx_thread_mutex_unlock(&v->scale_lock, v->job->log);

    return ref;
}


/* PQ and HLG need 10 bits, which not all encoders are made for */

ngx_uint_t
ngx_media_job_picture_depth(const ngx_media_job_picture_t *picture,
    const ngx_media_job_rung_t *rung)
{
    u_char                       error[NGX_MEDIA_AV_ERROR];
    ngx_uint_t                   i;
    ngx_media_av_encoder_conf_t  conf;

    if (!picture->wide) {
        return 8;
    }

    ngx_memzero(&conf, sizeof(ngx_media_av_encoder_conf_t));

    conf.width = picture->shapes[rung->index].width;
    conf.height = picture->shapes[rung->index].height;
    conf.bitrate = rung->conf->bitrate;
    conf.fps_num = 1;
    conf.fps_den = 1;
    conf.bit_depth = 10;

    for (i = 0; i < rung->conf->nkinds; i++) {
        conf.kind = rung->conf->kinds[i];

        if (ngx_media_av_encoder_check(&conf, error) == NGX_OK) {
            return 10;
        }
    }

    return 0;
}


/* borrowed; the larger ones come first, so it ends with the source's */

static ngx_media_av_frame_t *
ngx_media_job_picture_make(ngx_media_job_picture_t *picture, ngx_uint_t i,
    u_char *error)
{
    ngx_uint_t                       k;
    ngx_media_av_frame_t            *from;
    ngx_media_job_rung_t            *rung;
    const ngx_media_ladder_shape_t  *shape, *larger;

    if (picture->scaled[i]) {
        return picture->scaled[i];
    }

    shape = &picture->shapes[i];
    from = picture->frame;

    for (k = i; k-- > 0; /* void */) {
        larger = &picture->shapes[k];

        if ((picture->wanted & ((ngx_uint_t) 1 << k))
            && larger->width >= shape->width
            && larger->width <= NGX_MEDIA_JOB_SCALE * shape->width)
        {
            from = ngx_media_job_picture_make(picture, k, error);
            break;
        }
    }

    rung = &picture->video->rungs[i];

    if (from == NULL
        || ngx_media_job_picture_scaler(rung, shape,
                            ngx_media_job_picture_depth(picture, rung), error)
           != NGX_OK)
    {
        return NULL;
    }

    picture->scaled[i] = ngx_media_av_scaler_scale(rung->scaler, from, error);

    return picture->scaled[i];
}


/* rungs of two periods may be in their queues */

static ngx_int_t
ngx_media_job_picture_scaler(ngx_media_job_rung_t *rung,
    const ngx_media_ladder_shape_t *shape, ngx_uint_t depth, u_char *error)
{
    if (rung->scaler && rung->scaled.width == shape->width
        && rung->scaled.height == shape->height && rung->depth == depth)
    {
        return NGX_OK;
    }

    if (rung->scaler) {
        ngx_media_av_scaler_close(rung->scaler);
    }

    rung->scaler = ngx_media_av_scaler_open(shape->width, shape->height,
                                            depth, error);
    if (rung->scaler == NULL) {
        return NGX_ERROR;
    }

    rung->scaled = *shape;
    rung->depth = depth;

    return NGX_OK;
}

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */
