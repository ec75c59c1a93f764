
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What pictures of the source go through before they are scaled, where the
 * ladder asks for it and they need it; in the decoder's strand.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "transcode/ngx_media_transcode_job.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

static ngx_uint_t ngx_media_job_filter_wanted(ngx_media_job_video_t *v,
    const ngx_media_av_shape_t *shape);
static ngx_int_t ngx_media_job_filter_open(ngx_media_job_video_t *v,
    const ngx_media_av_frame_t *frame);
static void ngx_media_job_filter_pictures(ngx_media_job_video_t *v);
static void ngx_media_job_filter_failed(ngx_media_job_video_t *v);


void
ngx_media_job_filter(ngx_media_job_video_t *v, ngx_media_av_frame_t *frame)
{
    ngx_media_av_shape_t  shape;

    ngx_media_av_frame_shape(frame, &shape);

    if (shape.interlaced && v->job->ladder->fields == NGX_CONF_UNSET_UINT) {
        ngx_snprintf(v->error, NGX_MEDIA_AV_ERROR,
                     "it is interlaced, and there is no \"deinterlace\"%Z");
        ngx_media_av_frame_free(frame);
        v->failed = 1;
        return;
    }

    if (v->filter && !ngx_media_av_filter_is(v->filter, frame)) {
        ngx_media_job_filter_drain(v);
    }

    if (v->filter == NULL && !ngx_media_job_filter_wanted(v, &shape)) {
        ngx_media_job_video_picture(v, frame);
        return;
    }

    if ((v->filter == NULL && ngx_media_job_filter_open(v, frame) != NGX_OK)
        || ngx_media_av_filter_send(v->filter, frame) != NGX_OK)
    {
        ngx_media_job_filter_failed(v);

    } else {
        ngx_media_job_filter_pictures(v);
    }

    ngx_media_av_frame_free(frame);
}


static ngx_uint_t
ngx_media_job_filter_wanted(ngx_media_job_video_t *v,
    const ngx_media_av_shape_t *shape)
{
    const ngx_media_ladder_t  *ladder;

    ladder = v->job->ladder;

    return ladder->filter.len
           || ladder->fields == NGX_MEDIA_AV_FIELDS_FRAME
           || (shape->interlaced && ladder->fields != NGX_MEDIA_AV_FIELDS_NONE)
           || (shape->wide && ladder->tonemap == 1);
}


static ngx_int_t
ngx_media_job_filter_open(ngx_media_job_video_t *v,
    const ngx_media_av_frame_t *frame)
{
    const ngx_media_ladder_t    *ladder;
    ngx_media_av_filter_conf_t   conf;

    ladder = v->job->ladder;

    ngx_memzero(&conf, sizeof(ngx_media_av_filter_conf_t));

    conf.timescale = NGX_MEDIA_VIDEO_TIMESCALE;
    conf.fps_num = v->params->fps_num;
    conf.fps_den = v->params->fps_den;
    conf.tonemap = ladder->tonemap == 1;
    conf.text = ladder->filter.len ? (const char *) ladder->filter.data : NULL;

    if (ladder->fields != NGX_CONF_UNSET_UINT) {
        conf.fields = ladder->fields;
    }

    v->filter = ngx_media_av_filter_open(&conf, frame, v->error);

    return v->filter ? NGX_OK : NGX_ERROR;
}


static void
ngx_media_job_filter_pictures(ngx_media_job_video_t *v)
{
    ngx_media_av_frame_t  *frame;

    while ((frame = ngx_media_av_filter_picture(v->filter)) != NULL) {
        ngx_media_job_video_picture(v, frame);
    }

    if (ngx_media_av_filter_error(v->filter)[0]) {
        ngx_media_job_filter_failed(v);
    }
}


/* no rungs until the next period */

static void
ngx_media_job_filter_failed(ngx_media_job_video_t *v)
{
    if (v->filter) {
        ngx_cpystrn(v->error, (u_char *) ngx_media_av_filter_error(v->filter),
                    NGX_MEDIA_AV_ERROR);

        ngx_media_av_filter_close(v->filter);
        v->filter = NULL;
    }

    v->failed = 1;
}


void
ngx_media_job_filter_drain(ngx_media_job_video_t *v)
{
    if (v->filter == NULL) {
        return;
    }

    if (ngx_media_av_filter_send(v->filter, NULL) == NGX_OK) {
        ngx_media_job_filter_pictures(v);
    }

    if (v->filter) {
        ngx_media_av_filter_close(v->filter);
        v->filter = NULL;
    }
}

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */
