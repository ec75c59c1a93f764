
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Video of a live ladder: frames of the source are copied, decoded once, and
 * their pictures handed to the rungs.  What is known of a frame is found again
 * by the pts of its picture.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <malloc.h>
#include <stdlib.h>
#include "transcode/ngx_media_transcode_job.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

static ngx_int_t ngx_media_job_video_begin(ngx_media_job_video_t *v,
    const ngx_media_params_t *params);
static void ngx_media_job_video_free(ngx_media_job_video_t *v);
static void ngx_media_job_video_frame(void *data,
    const ngx_media_source_frame_t *source);
static void ngx_media_job_video_late(ngx_media_job_video_t *v);
static void ngx_media_job_video_drop(ngx_media_job_video_t *v);
static void ngx_media_job_video_period(void *data,
    const ngx_media_params_t *params);
static void ngx_media_job_video_end(void *data);
static void ngx_media_job_video_gone(void *data, const char *reason);
static void ngx_media_job_video_put(ngx_media_job_video_t *v,
    ngx_media_job_coded_t *coded);
static ngx_uint_t ngx_media_job_video_waits(ngx_media_job_video_t *v,
    int64_t behind);
static void ngx_media_job_video_step(void *data);
static void ngx_media_job_video_work(ngx_media_job_video_t *v);
static void ngx_media_job_video_shut(ngx_media_job_video_t *v);
static void ngx_media_job_video_anew(ngx_media_job_video_t *v,
    ngx_media_job_coded_t *coded);
static void ngx_media_job_video_decode(ngx_media_job_video_t *v,
    const ngx_media_job_coded_t *coded);
static ngx_int_t ngx_media_job_video_open(ngx_media_job_video_t *v,
    const ngx_media_job_coded_t *coded);
static void ngx_media_job_video_drain(ngx_media_job_video_t *v);
static void ngx_media_job_video_stamp(ngx_media_job_video_t *v,
    const ngx_media_job_coded_t *coded);
static void ngx_media_job_video_cut(ngx_media_job_video_t *v, int64_t pts);
static void ngx_media_job_video_pictures(ngx_media_job_video_t *v);
static void ngx_media_job_video_known(ngx_media_job_video_t *v, int64_t pts,
    ngx_media_job_stamp_t *stamp);
static void ngx_media_job_video_done(void *data);
static void ngx_media_job_video_take(ngx_media_job_video_t *v);
static ngx_int_t ngx_media_job_video_hand_over(ngx_media_job_video_t *v);
static void ngx_media_job_video_end_rungs(ngx_media_job_video_t *v);
static void ngx_media_job_video_begun(ngx_media_job_video_t *v,
    ngx_uint_t waiting);
static void ngx_media_job_video_close(ngx_media_job_video_t *v);
static void ngx_media_job_video_last(ngx_media_job_video_t *v);


ngx_int_t
ngx_media_job_video_create(ngx_media_job_t *job, ngx_uint_t source,
    const ngx_media_params_t *params)
{
    ngx_media_job_video_t  *v;

    v = calloc(1, sizeof(ngx_media_job_video_t));
    if (v == NULL) {
        return NGX_ERROR;
    }

    v->job = job;
    v->source = source;
    v->nrungs = job->ladder->nrungs;
    v->overload.rungs = v->steps;
    v->overload.nrungs = v->nrungs;
    v->overload.latency = job->ladder->latency;
    v->overload.salt = ngx_crc32_short(job->name.data, job->name.len);
    v->anew = 1;

    ngx_media_job_input_init(&v->coded);
    ngx_queue_init(&v->pictures);
    ngx_queue_init(&v->out);

    if (ngx_thread_mutex_create(&v->lock, job->log) != NGX_OK) {
        free(v);
        return NGX_ERROR;
    }

    if (ngx_thread_mutex_create(&v->scale_lock, job->log) != NGX_OK) {
        (void) ngx_thread_mutex_destroy(&v->lock, job->log);
        free(v);
        return NGX_ERROR;
    }

    if (ngx_media_job_video_begin(v, params) != NGX_OK) {

        if (v->running) {
            ngx_media_job_video_close(v);

        } else {
            ngx_media_job_video_free(v);
        }

        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_job_video_begin(ngx_media_job_video_t *v,
    const ngx_media_params_t *params)
{
    ngx_uint_t                 i;
    ngx_media_job_t           *job;
    ngx_media_derive_t         conf;
    ngx_media_ladder_shape_t   shape;

    job = v->job;

    v->strand.step = ngx_media_job_video_step;
    v->strand.done = ngx_media_job_video_done;
    v->strand.data = v;

    if (ngx_media_strand_init(&v->strand, job->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    v->running++;
    job->refs++;
    job->video = v;

    for (i = 0; i < v->nrungs; i++) {
        if (ngx_media_ladder_shape(job->ladder, i, params, job->bandwidth,
                                   &shape)
            != NGX_OK
            || shape.capped)
        {
            continue;
        }

        if (ngx_media_job_rung_init(v, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_memzero(&conf, sizeof(ngx_media_derive_t));

    conf.frame = ngx_media_job_video_frame;
    conf.period = ngx_media_job_video_period;
    conf.end = ngx_media_job_video_end;
    conf.close = ngx_media_job_video_gone;
    conf.data = v;

    if (ngx_media_writer_derive(job->writer, v->source, NULL, &conf, &v->tee)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_media_job_video_period(v, params);
    ngx_media_job_video_expect(v);

    return NGX_OK;
}


static void
ngx_media_job_video_free(ngx_media_job_video_t *v)
{
    ngx_uint_t             i;
    ngx_media_job_rung_t  *rung;

    for (i = 0; i < v->nrungs; i++) {
        rung = &v->rungs[i];

        if (rung->params) {
            free(rung->params);
        }
    }

    if (v->params) {
        free(v->params);
    }

    ngx_media_job_input_free(&v->coded);

    (void) ngx_thread_mutex_destroy(&v->scale_lock, v->job->log);
    (void) ngx_thread_mutex_destroy(&v->lock, v->job->log);

    free(v);
}


/* a frame of the source: it is copied, and that is all */

static void
ngx_media_job_video_frame(void *data, const ngx_media_source_frame_t *source)
{
    ngx_media_job_video_t *v = data;

    ngx_uint_t                 lost;
    ngx_media_job_coded_t     *coded;
    ngx_media_source_frame_t   f;

    if (v->ending) {
        return;
    }

    v->frames++;

    if (v->unknown) {
        v->skipped++;
        return;
    }

    ngx_media_job_video_late(v);

    f = *source;
    lost = v->dropping && !f.frame.key;

    if (lost) {
        v->skipped++;
        v->resumes = 1;

        if (!f.first) {
            return;
        }

        /* rungs begin a segment here all the same */

        f.frame.last = f.frame.pos;
    }

    if (source->frame.duration) {
        v->overload.fps = (uint64_t) NGX_MEDIA_VIDEO_TIMESCALE * 1000
                          / source->frame.duration;
    }

    coded = ngx_media_job_coded(&f, NGX_MEDIA_JOB_FRAME, NULL);

    if (coded == NULL) {
        v->skipped += !lost;
        v->dropping = 1;
        v->resumes = 1;
        return;
    }

    coded->lost = lost;

    if (f.frame.key) {
        coded->reset = v->resumes;
        v->dropping = 0;
        v->resumes = 0;
    }

    ngx_media_job_video_put(v, coded);
    ngx_media_job_video_go(v);
}


/* is there too much that waits?  Then nothing comes before a key frame */

static void
ngx_media_job_video_late(ngx_media_job_video_t *v)
{
    size_t   bytes;
    int64_t  behind;

    behind = ngx_media_job_video_behind(v);

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    bytes = v->coded.bytes;

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    if (v->begins) {
        if (bytes < NGX_MEDIA_JOB_BYTES
            && behind < NGX_MEDIA_JOB_BEGINS)
        {
            return;
        }

    } else if (ngx_media_step_input(v->overload.latency, behind, bytes)
               != NGX_MEDIA_STEP_DROP)
    {
        return;
    }

    ngx_media_job_video_drop(v);

    v->dropping = 1;

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, v->job->log, 0,
                   "media ladder is too far behind, ms:%L bytes:%uz", behind,
                   bytes);
}


int64_t
ngx_media_job_video_behind(ngx_media_job_video_t *v)
{
    int64_t                 behind;
    ngx_media_job_coded_t  *coded;

    behind = 0;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    coded = ngx_media_job_coded_first(&v->coded);

    if (coded) {
        behind = (int64_t) ngx_current_msec - coded->arrival;
    }

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    return behind;
}


static void
ngx_media_job_video_drop(ngx_media_job_video_t *v)
{
    ngx_uint_t  missing;

    missing = v->resumes;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    v->skipped += ngx_media_job_input_drop(&v->coded, &missing);

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    v->resumes = missing;
}


static void
ngx_media_job_video_period(void *data, const ngx_media_params_t *params)
{
    ngx_media_job_video_t *v = data;

    ngx_media_job_coded_t  *coded;

    coded = ngx_media_job_coded(NULL, NGX_MEDIA_JOB_PERIOD, params);

    v->unknown = (coded == NULL);

    if (coded == NULL) {
        return;
    }

    v->begins = 1;
    v->since = ngx_current_msec;
    v->said = 0;
    v->warned = 0;

    ngx_media_job_video_put(v, coded);
    ngx_media_job_video_go(v);
}


static void
ngx_media_job_video_end(void *data)
{
    ngx_media_job_video_t *v = data;

    ngx_media_job_coded_t  *coded;

    coded = ngx_media_job_coded(NULL, NGX_MEDIA_JOB_END, NULL);

    v->ending = 1;

    /* without memory the writer's own time ends it */

    if (coded) {
        ngx_media_job_video_put(v, coded);
        ngx_media_job_video_go(v);
    }
}


static void
ngx_media_job_video_gone(void *data, const char *reason)
{
    ngx_media_job_video_t *v = data;

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, v->job->log, 0,
                   "media ladder of \"%V\" is over: %s", &v->job->name,
                   reason);

    v->tee = NULL;

    ngx_media_job_video_close(v);
}


static void
ngx_media_job_video_put(ngx_media_job_video_t *v,
    ngx_media_job_coded_t *coded)
{
    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    ngx_media_job_coded_put(&v->coded, coded);

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);
}


void
ngx_media_job_video_go(ngx_media_job_video_t *v)
{
    size_t      bytes;
    int64_t     arrival, behind;
    ngx_uint_t  n;

    if (v->tee == NULL || ngx_media_job_video_hand_over(v) == NGX_AGAIN
        || v->busy)
    {
        return;
    }

    if (v->ended) {
        ngx_media_job_video_end_rungs(v);
        return;
    }

    arrival = 0;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    n = v->coded.n;
    bytes = v->coded.bytes;

    if (n) {
        arrival = ngx_media_job_coded_first(&v->coded)->arrival;
    }

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    ngx_media_job_video_begun(v, n);

    behind = (int64_t) ngx_current_msec - arrival;

    if (n == 0 || ngx_media_job_video_waits(v, behind)) {
        return;
    }

    v->skip = !v->begins
              && ngx_media_step_input(v->overload.latency, behind, bytes)
                 != NGX_MEDIA_STEP_DECODE;
    v->busy = 1;

    ngx_media_strand_ready(&v->strand,
                           arrival + (int64_t) v->overload.latency);
}


/* of each rung something has come out, and nothing waits */

static void
ngx_media_job_video_begun(ngx_media_job_video_t *v, ngx_uint_t waiting)
{
    ngx_uint_t  i;

    if (!v->begins) {
        return;
    }

    for (i = 0; i < v->nrungs && !v->rungs[i].opening; i++) { /* void */ }

    if ((i == v->nrungs && !waiting)
        || ngx_current_msec - v->since >= NGX_MEDIA_JOB_BEGINS)
    {
        ngx_log_debug2(NGX_LOG_DEBUG_CORE, v->job->log, 0,
                       "media ladder has begun, ms:%M waiting:%ui",
                       ngx_current_msec - v->since, waiting);

        v->begins = 0;
    }
}


/*
 * A rung has as many pictures as it may have.  It is waited for as long as that
 * does not make the others late, or while all of them begin.
 */

static ngx_uint_t
ngx_media_job_video_waits(ngx_media_job_video_t *v, int64_t behind)
{
    ngx_uint_t  i;

    if (!v->begins && behind >= (int64_t) v->overload.latency / 2) {
        return 0;
    }

    for (i = 0; i < v->nrungs; i++) {
        if (ngx_media_job_rung_full(&v->rungs[i])) {
            return 1;
        }
    }

    return 0;
}


/* in a thread */

static void
ngx_media_job_video_step(void *data)
{
    ngx_media_job_video_t *v = data;

    ngx_media_table_enter(v->job->table, v->job->record);

    ngx_media_job_video_work(v);

    ngx_media_table_leave(v->job->table, v->job->record);
}


static void
ngx_media_job_video_work(ngx_media_job_video_t *v)
{
    ngx_uint_t              closing;
    ngx_media_job_coded_t  *coded;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    closing = v->closing;
    coded = closing ? NULL : ngx_media_job_coded_take(&v->coded);

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    if (closing) {
        ngx_media_job_video_shut(v);
        return;
    }

    if (coded == NULL) {
        return;
    }

    switch (coded->kind) {

    case NGX_MEDIA_JOB_FRAME:
        ngx_media_job_video_decode(v, coded);
        break;

    case NGX_MEDIA_JOB_PERIOD:
        ngx_media_job_video_anew(v, coded);
        break;

    default: /* NGX_MEDIA_JOB_END */
        ngx_media_job_video_drain(v);
        v->ended = 1;
    }

    ngx_media_job_coded_free(coded);
}


/* rungs have gone: nobody scales any more */

static void
ngx_media_job_video_shut(ngx_media_job_video_t *v)
{
    ngx_uint_t             i;
    ngx_media_job_rung_t  *rung;

    for (i = 0; i < v->nrungs; i++) {
        rung = &v->rungs[i];

        if (rung->scaler) {
            ngx_media_av_scaler_close(rung->scaler);
            rung->scaler = NULL;
        }
    }

    if (v->decoder) {
        ngx_media_av_decoder_close(v->decoder);
        v->decoder = NULL;
    }

    if (v->filter) {
        ngx_media_av_filter_close(v->filter);
        v->filter = NULL;
    }

    /* pictures are large, and arenas of malloc() would keep them */

    (void) malloc_trim(0);

    v->closed = 1;
}


/* another period: nothing of the decoder goes on */

static void
ngx_media_job_video_anew(ngx_media_job_video_t *v,
    ngx_media_job_coded_t *coded)
{
    ngx_uint_t                 i;
    ngx_media_ladder_shape_t   shape;

    ngx_media_job_video_drain(v);

    if (v->params) {
        free(v->params);
    }

    v->params = coded->params;
    coded->params = NULL;

    v->ncuts = 0;
    v->anew = 1;
    v->failed = 0;

    for (i = 0; i < v->nrungs; i++) {
        if (ngx_media_ladder_shape(v->job->ladder, i, v->params,
                                   v->job->bandwidth, &shape)
            == NGX_OK)
        {
            v->shapes[i] = shape;
        }
    }
}


static void
ngx_media_job_video_decode(ngx_media_job_video_t *v,
    const ngx_media_job_coded_t *coded)
{
    uint64_t                            errors;
    ngx_int_t                           rc;
    const ngx_media_av_decoder_stat_t  *stat;

    if (coded->first) {
        ngx_media_job_video_cut(v, coded->pts);
    }

    if (coded->lost || v->params == NULL || v->failed) {
        return;
    }

    if (coded->reset) {
        ngx_media_job_video_drain(v);
    }

    if (v->decoder == NULL
        && ngx_media_job_video_open(v, coded) != NGX_OK)
    {
        return;
    }

    stat = ngx_media_av_decoder_stat(v->decoder);
    errors = stat->errors;

    ngx_media_job_video_stamp(v, coded);

    rc = ngx_media_av_decoder_send(v->decoder, coded->data, coded->len,
                                   coded->pts, coded->key, v->skip);

    if (rc == NGX_AGAIN) {
        ngx_media_job_video_pictures(v);
        rc = ngx_media_av_decoder_send(v->decoder, coded->data, coded->len,
                                       coded->pts, coded->key, v->skip);
    }

    ngx_media_job_video_pictures(v);

    v->errors += stat->errors - errors + (rc == NGX_AGAIN);

    if (stat->row >= NGX_MEDIA_JOB_ERRORS) {
        ngx_media_av_decoder_close(v->decoder);
        v->decoder = NULL;
        v->reopened = 1;
    }
}


static ngx_int_t
ngx_media_job_video_open(ngx_media_job_video_t *v,
    const ngx_media_job_coded_t *coded)
{
    ngx_uint_t  reorder;

    if (!coded->key || v->failed) {
        return NGX_DECLINED;
    }

    reorder = coded->duration ? (coded->reorder + coded->duration - 1)
                                / coded->duration : 0;

    v->nstamps = 0;
    v->decoder = ngx_media_av_decoder_open(v->params, reorder, v->error);

    if (v->decoder == NULL) {
        v->failed = 1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_media_job_video_drain(ngx_media_job_video_t *v)
{
    if (v->decoder == NULL) {
        return;
    }

    ngx_media_av_decoder_drain(v->decoder);
    ngx_media_job_video_pictures(v);
    ngx_media_job_filter_drain(v);
    ngx_media_av_decoder_close(v->decoder);

    v->decoder = NULL;
}


/* of those that never came the oldest goes */

static void
ngx_media_job_video_stamp(ngx_media_job_video_t *v,
    const ngx_media_job_coded_t *coded)
{
    ngx_media_job_stamp_t  *stamp;

    if (v->nstamps == NGX_MEDIA_JOB_STAMPS) {
        ngx_memmove(v->stamps, v->stamps + 1,
                    sizeof(v->stamps) - sizeof(ngx_media_job_stamp_t));
        v->nstamps--;
    }

    stamp = &v->stamps[v->nstamps++];

    ngx_memzero(stamp, sizeof(ngx_media_job_stamp_t));

    v->arrival = coded->arrival;

    stamp->pts = coded->pts;
    stamp->arrival = coded->arrival;
    stamp->duration = coded->duration;
    stamp->key = coded->key;
    stamp->settled = coded->settled;
}


/* a segment begins with the first picture that is shown then, or later */

static void
ngx_media_job_video_cut(ngx_media_job_video_t *v, int64_t pts)
{
    if (v->ncuts == NGX_MEDIA_JOB_CUTS) {
        ngx_memmove(v->cuts, v->cuts + 1,
                    sizeof(v->cuts) - sizeof(v->cuts[0]));
        v->ncuts--;
    }

    v->cuts[v->ncuts++] = pts;
}


static void
ngx_media_job_video_pictures(ngx_media_job_video_t *v)
{
    ngx_media_av_frame_t  *frame;

    for ( ;; ) {
        frame = ngx_media_av_decoder_picture(v->decoder);

        if (frame == NULL) {
            return;
        }

        ngx_media_job_filter(v, frame);
    }
}


void
ngx_media_job_video_picture(ngx_media_job_video_t *v,
    ngx_media_av_frame_t *frame)
{
    int64_t                   pts;
    ngx_uint_t                n;
    ngx_media_av_shape_t      shape;
    ngx_media_job_picture_t  *picture;

    pts = ngx_media_av_frame_pts(frame);

    picture = ngx_media_job_picture(v, frame);
    if (picture == NULL) {
        return;
    }

    ngx_media_job_video_known(v, pts, &picture->stamp);

    for (n = 0; n < v->ncuts && v->cuts[n] <= pts; n++) { /* void */ }

    if (n) {
        v->ncuts -= n;
        ngx_memmove(v->cuts, v->cuts + n, v->ncuts * sizeof(v->cuts[0]));
    }

    ngx_media_av_frame_shape(frame, &shape);

    picture->wide = shape.wide;
    picture->stamp.cut = (n || v->anew);
    picture->stamp.anew = v->anew;
    v->anew = 0;

    ngx_memcpy(picture->shapes, v->shapes, sizeof(v->shapes));

    ngx_queue_insert_tail(&v->pictures, &picture->queue);
}


/* what is shown earlier will not come any more */

static void
ngx_media_job_video_known(ngx_media_job_video_t *v, int64_t pts,
    ngx_media_job_stamp_t *stamp)
{
    ngx_uint_t  i, n;

    /* a second field has none of its own */

    *stamp = v->last;

    stamp->arrival = v->arrival;
    stamp->key = 0;

    for (i = 0, n = 0; i < v->nstamps; i++) {

        if (v->stamps[i].pts == pts) {
            *stamp = v->stamps[i];
        }

        if (v->stamps[i].pts > pts) {
            v->stamps[n++] = v->stamps[i];
        }
    }

    stamp->pts = pts;
    v->last = *stamp;
    v->nstamps = n;

    if (v->filter && v->job->ladder->fields == NGX_MEDIA_AV_FIELDS_TWO) {
        stamp->duration /= 2;
    }
}


/* in the event loop */

static void
ngx_media_job_video_done(void *data)
{
    ngx_media_job_video_t *v = data;

    ngx_uint_t  i;

    v->busy = 0;
    v->undecoded = v->errors;

    if (v->closed) {
        ngx_media_strand_stop(&v->strand, ngx_media_job_video_stopped, v);
        return;
    }

    ngx_media_job_video_take(v);

    if (v->closing) {
        v->busy = 1;
        ngx_media_strand_ready(&v->strand, NGX_MEDIA_STRAND_LAST);
        return;
    }

    if (v->reopened && !v->warned) {
        v->warned = 1;

        ngx_media_job_log(NGX_LOG_WARN, v->job,
                          "cannot decode %ui frames in a row, its decoder "
                          "begins anew at a key frame",
                          (ngx_uint_t) NGX_MEDIA_JOB_ERRORS);
    }

    v->reopened = 0;

    if (v->failed && !v->said) {
        v->said = 1;

        ngx_media_job_log(NGX_LOG_ERR, v->job, "has no rungs: %s",
                          v->error);

        for (i = 0; i < v->nrungs; i++) {
            v->rungs[i].opening = 0;
        }

        ngx_media_job_video_expect(v);
    }

    ngx_media_job_video_go(v);
}


static void
ngx_media_job_video_take(ngx_media_job_video_t *v)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&v->pictures)) {
        q = ngx_queue_head(&v->pictures);
        ngx_queue_remove(q);

        if (v->tee) {
            ngx_queue_insert_tail(&v->out, q);

        } else {
            ngx_media_job_picture_release(ngx_queue_data(q,
                                            ngx_media_job_picture_t, queue));
        }
    }
}


/* NGX_AGAIN: some of them have to wait for rungs */

static ngx_int_t
ngx_media_job_video_hand_over(ngx_media_job_video_t *v)
{
    ngx_uint_t                i;
    ngx_queue_t              *q;
    ngx_media_job_picture_t  *picture;

    while (!ngx_queue_empty(&v->out)) {
        q = ngx_queue_head(&v->out);
        picture = ngx_queue_data(q, ngx_media_job_picture_t, queue);

        if (ngx_media_job_video_waits(v, (int64_t) ngx_current_msec
                                         - picture->stamp.arrival))
        {
            return NGX_AGAIN;
        }

        ngx_queue_remove(q);

        for (i = 0; i < v->nrungs; i++) {
            if (ngx_media_job_rung_wants(&v->rungs[i], picture)) {
                picture->wanted |= (ngx_uint_t) 1 << i;
            }
        }

        for (i = 0; i < v->nrungs; i++) {
            if (picture->wanted & ((ngx_uint_t) 1 << i)) {
                ngx_media_job_rung_put(&v->rungs[i], picture);
            }
        }

        ngx_media_job_picture_release(picture);
    }

    return NGX_OK;
}


static void
ngx_media_job_video_end_rungs(ngx_media_job_video_t *v)
{
    ngx_uint_t  i;

    if (v->told) {
        return;
    }

    v->told = 1;

    for (i = 0; i < v->nrungs; i++) {
        if (v->rungs[i].used) {
            ngx_media_job_rung_put(&v->rungs[i], NULL);
        }
    }

    ngx_media_job_video_ended(v);
}


void
ngx_media_job_video_expect(ngx_media_job_video_t *v)
{
    ngx_uint_t             i, n;
    ngx_media_job_rung_t  *rung;

    if (v->tee == NULL) {
        return;
    }

    n = 0;

    for (i = 0; i < v->nrungs; i++) {
        rung = &v->rungs[i];
        n += rung->used && rung->opening && rung->derived == NULL;
    }

    ngx_media_derived_expect(v->tee, n);
}


void
ngx_media_job_video_decide(ngx_media_job_video_t *v)
{
    ngx_uint_t             i;
    ngx_media_job_rung_t  *rung;
    ngx_uint_t             steps[NGX_MEDIA_LADDER_RUNGS];

    if (v->begins) {
        return;
    }

    for (i = 0; i < v->nrungs; i++) {
        steps[i] = v->steps[i].step;
    }

    i = ngx_media_step_decide(&v->overload, (int64_t) ngx_current_msec,
                              v->job->machine,
                              ngx_media_strand_cores() * 1000);

    if (i == v->nrungs) {
        return;
    }

    rung = &v->rungs[i];

    ngx_media_job_log(NGX_LOG_INFO, v->job,
                      "encodes %s of the pictures of \"%V\", before: %s",
                      ngx_media_step_name(rung->step->step),
                      &rung->conf->name, ngx_media_step_name(steps[i]));
}


uint64_t
ngx_media_job_video_cpu(ngx_media_job_video_t *v)
{
    uint64_t                 cpu;
    ngx_uint_t               i;
    ngx_media_strand_stat_t  stat;

    ngx_media_strand_stat(&v->strand, &stat);
    cpu = stat.cpu;

    for (i = 0; i < v->nrungs; i++) {
        if (v->rungs[i].used) {
            ngx_media_strand_stat(&v->rungs[i].strand, &stat);
            cpu += stat.cpu;
        }
    }

    return cpu;
}


void
ngx_media_job_video_ended(ngx_media_job_video_t *v)
{
    ngx_uint_t            i;
    ngx_media_derived_t  *tee;

    for (i = 0; i < v->nrungs; i++) {
        if (v->rungs[i].used && !v->rungs[i].done) {
            return;
        }
    }

    tee = v->tee;

    if (tee == NULL || !v->ended) {
        return;
    }

    v->tee = NULL;

    ngx_media_job_video_close(v);

    /* with it the publisher's writer may go, and with that its END is told */

    ngx_media_derived_done(tee);
}


void
ngx_media_job_video_tick(ngx_media_job_video_t *v)
{
    ngx_uint_t  i;

    for (i = 0; i < v->nrungs; i++) {
        ngx_media_job_rung_tick(&v->rungs[i]);
    }
}


/* rungs first: they have pictures of the decoder */

static void
ngx_media_job_video_close(ngx_media_job_video_t *v)
{
    ngx_uint_t    i;
    ngx_queue_t  *q;

    v->ending = 1;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    ngx_media_job_input_free(&v->coded);

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    while (!ngx_queue_empty(&v->out)) {
        q = ngx_queue_head(&v->out);
        ngx_queue_remove(q);

        ngx_media_job_picture_release(ngx_queue_data(q,
                                            ngx_media_job_picture_t, queue));
    }

    for (i = 0; i < v->nrungs; i++) {
        ngx_media_job_rung_close(&v->rungs[i]);
    }

    if (v->running == 1) {
        ngx_media_job_video_last(v);
    }
}


void
ngx_media_job_video_stopped(void *data)
{
    ngx_media_job_video_t *v = data;

    ngx_media_job_t  *job;

    v->running--;

    if (v->running == 1) {
        ngx_media_job_video_last(v);
    }

    if (v->running) {
        return;
    }

    job = v->job;
    job->video = NULL;

    ngx_media_job_video_free(v);
    ngx_media_job_release(job);
}


/* only the decoder is left */

static void
ngx_media_job_video_last(ngx_media_job_video_t *v)
{
    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    v->closing = 1;

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    if (!v->busy) {
        v->busy = 1;
        ngx_media_strand_ready(&v->strand, NGX_MEDIA_STRAND_LAST);
    }
}

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */
