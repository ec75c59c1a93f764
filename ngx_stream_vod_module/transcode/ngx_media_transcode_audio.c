
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Audio of a live ladder: a track of another codec beside the source's.  Its
 * samples are counted from where a period begins; the source has no holes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include "transcode/ngx_media_transcode_job.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

/* frames that one step takes at most: they are short */
#define NGX_MEDIA_JOB_AUDIO_STEP   8

/* bytes and frames that wait; what is more is dropped, and becomes silence */
#define NGX_MEDIA_JOB_AUDIO_BYTES  (1024 * 1024)
#define NGX_MEDIA_JOB_AUDIO_MAX    512


static ngx_int_t ngx_media_job_audio_create(ngx_media_job_t *job,
    ngx_uint_t index, ngx_uint_t source, uint32_t id,
    const ngx_media_ladder_audio_t *conf, const ngx_media_params_t *params);
static ngx_int_t ngx_media_job_audio_begin(ngx_media_job_audio_t *a,
    const ngx_media_params_t *params);
static void ngx_media_job_audio_frame(void *data,
    const ngx_media_source_frame_t *source);
static void ngx_media_job_audio_period(void *data,
    const ngx_media_params_t *params);
static void ngx_media_job_audio_offer(ngx_media_job_audio_t *a,
    const ngx_media_params_t *params);
static void ngx_media_job_audio_asked(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_end(void *data);
static void ngx_media_job_audio_gone(void *data, const char *reason);
static void ngx_media_job_audio_lost(void *data, const char *reason);
static void ngx_media_job_audio_put(ngx_media_job_audio_t *a,
    ngx_media_job_coded_t *coded);
static void ngx_media_job_audio_go(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_step(void *data);
static void ngx_media_job_audio_work(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_anew(ngx_media_job_audio_t *a,
    ngx_media_job_coded_t *coded);
static void ngx_media_job_audio_convert(ngx_media_job_audio_t *a,
    const ngx_media_job_coded_t *coded);
static ngx_int_t ngx_media_job_audio_open(ngx_media_job_audio_t *a,
    int64_t pts);
static void ngx_media_job_audio_drain(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_packets(ngx_media_job_audio_t *a);
static ngx_int_t ngx_media_job_audio_packet(ngx_media_job_audio_t *a,
    const ngx_media_av_audio_packet_t *out);
static void ngx_media_job_audio_fail(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_done(void *data);
static void ngx_media_job_audio_publish(ngx_media_job_audio_t *a);
static ngx_int_t ngx_media_job_audio_derive(ngx_media_job_audio_t *a,
    const ngx_media_params_t *params);
static void ngx_media_job_audio_ended(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_leave(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_close(ngx_media_job_audio_t *a);
static void ngx_media_job_audio_stopped(void *data);


void
ngx_media_job_audios(ngx_media_job_t *job,
    const ngx_media_event_track_t *what, ngx_uint_t source)
{
    ngx_uint_t                       i, k;
    ngx_media_job_audio_t           *a;
    const ngx_media_ladder_audio_t  *conf;

    for (k = 0; k < job->ladder->naudios; k++) {
        conf = &job->ladder->audios[k];

        if (conf->when == NGX_MEDIA_LADDER_MISSING
            && conf->codec == what->params->codec)
        {
            continue;
        }

        for (i = 0; i < NGX_MEDIA_JOB_AUDIOS; i++) {
            a = job->audios[i];

            if (a == NULL || (a->id == what->id && a->conf == conf)) {
                break;
            }
        }

        /* one that is there is told by its source */

        if (i < NGX_MEDIA_JOB_AUDIOS && job->audios[i] == NULL) {
            (void) ngx_media_job_audio_create(job, i, source, what->id, conf,
                                              what->params);
        }
    }
}


static ngx_int_t
ngx_media_job_audio_create(ngx_media_job_t *job, ngx_uint_t index,
    ngx_uint_t source, uint32_t id, const ngx_media_ladder_audio_t *conf,
    const ngx_media_params_t *params)
{
    ngx_media_job_audio_t  *a;

    a = calloc(1, sizeof(ngx_media_job_audio_t));
    if (a == NULL) {
        return NGX_ERROR;
    }

    a->job = job;
    a->index = index;
    a->source = source;
    a->id = id;
    a->conf = conf;

    ngx_media_job_input_init(&a->coded);
    ngx_queue_init(&a->packets);

    if (ngx_thread_mutex_create(&a->lock, job->log) != NGX_OK) {
        free(a);
        return NGX_ERROR;
    }

    a->strand.step = ngx_media_job_audio_step;
    a->strand.done = ngx_media_job_audio_done;
    a->strand.data = a;

    if (ngx_media_strand_init(&a->strand, job->pool) != NGX_OK) {
        (void) ngx_thread_mutex_destroy(&a->lock, job->log);
        free(a);
        return NGX_ERROR;
    }

    job->refs++;
    job->audios[index] = a;

    if (ngx_media_job_audio_begin(a, params) != NGX_OK) {
        ngx_media_job_audio_close(a);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_job_audio_begin(ngx_media_job_audio_t *a,
    const ngx_media_params_t *params)
{
    ngx_media_derive_t  conf;

    ngx_memzero(&conf, sizeof(ngx_media_derive_t));

    conf.frame = ngx_media_job_audio_frame;
    conf.period = ngx_media_job_audio_period;
    conf.end = ngx_media_job_audio_end;
    conf.close = ngx_media_job_audio_gone;
    conf.data = a;

    if (ngx_media_writer_derive(a->job->writer, a->source, NULL, &conf,
                                &a->tee)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_media_job_audio_period(a, params);
    ngx_media_derived_expect(a->tee, !a->off);

    return NGX_OK;
}


static void
ngx_media_job_audio_frame(void *data, const ngx_media_source_frame_t *source)
{
    ngx_media_job_audio_t *a = data;

    size_t                  bytes;
    ngx_uint_t              n;
    ngx_media_job_coded_t  *coded;

    if (a->offered) {
        ngx_media_job_audio_asked(a);
    }

    if (a->off || source->frame.pos == source->frame.last) {
        return;
    }

    (void) ngx_thread_mutex_lock(&a->lock, a->job->log);

    bytes = a->coded.bytes;
    n = a->coded.n;

    (void) ngx_thread_mutex_unlock(&a->lock, a->job->log);

    if (bytes > NGX_MEDIA_JOB_AUDIO_BYTES || n > NGX_MEDIA_JOB_AUDIO_MAX) {
        a->dropped++;
        return;
    }

    coded = ngx_media_job_coded(source, NGX_MEDIA_JOB_FRAME, NULL);

    if (coded == NULL) {
        a->dropped++;
        return;
    }

    ngx_media_job_audio_put(a, coded);
    ngx_media_job_audio_go(a);
}


static void
ngx_media_job_audio_period(void *data, const ngx_media_params_t *params)
{
    ngx_media_job_audio_t *a = data;

    ngx_media_job_coded_t  *coded;

    a->off = a->conf->when == NGX_MEDIA_LADDER_MISSING
             && a->conf->codec == params->codec;
    a->said = 0;

    if (a->conf->when == NGX_MEDIA_LADDER_ASKED) {
        ngx_media_job_audio_offer(a, params);
    }

    coded = ngx_media_job_coded(NULL, NGX_MEDIA_JOB_PERIOD, params);

    if (coded == NULL) {

        /* its frames would be taken for those of the one before */

        a->off = 1;
        return;
    }

    ngx_media_job_audio_put(a, coded);
    ngx_media_job_audio_go(a);
}


/* for MPEG-TS, where the source's cannot be in it and its own can */

static void
ngx_media_job_audio_offer(ngx_media_job_audio_t *a,
    const ngx_media_params_t *params)
{
    const ngx_media_claim_t  *claim;
    const ngx_media_codec_t  *from, *to;

    claim = ngx_media_writer_claim(a->job->writer);
    from = ngx_media_codec_find(params->codec);
    to = ngx_media_codec_find(a->conf->codec);

    a->offered = from && to
                 && !(from->formats & NGX_MEDIA_IN_HLS_TS)
                 && (to->formats & NGX_MEDIA_IN_HLS_TS);

    a->off = !a->offered
             || !ngx_media_stream_asked(&claim->stream, NGX_MEDIA_ASK_TS);

    if (a->offered) {
        ngx_media_stream_offer(claim, NGX_MEDIA_ASK_TS, 1);
    }
}


/* looked at with each frame: somebody wants it, or nobody does any more */

static void
ngx_media_job_audio_asked(ngx_media_job_audio_t *a)
{
    ngx_uint_t                asked;
    ngx_media_job_coded_t    *coded;
    const ngx_media_claim_t  *claim;

    claim = ngx_media_writer_claim(a->job->writer);
    asked = ngx_media_stream_asked(&claim->stream, NGX_MEDIA_ASK_TS);

    if (asked != a->off) {
        return;
    }

    ngx_media_job_log(NGX_LOG_INFO, a->job, "%s audio track %uD to \"%V\"",
                      asked ? "converts" : "does not convert", a->id,
                      &a->conf->name);

    a->off = !asked;

    if (asked) {
        return;
    }

    /* the converter begins anew with the next frame that it gets */

    coded = ngx_media_job_coded(NULL, NGX_MEDIA_JOB_PAUSE, NULL);

    if (coded) {
        ngx_media_job_audio_put(a, coded);
        ngx_media_job_audio_go(a);
    }
}


static void
ngx_media_job_audio_end(void *data)
{
    ngx_media_job_audio_t *a = data;

    ngx_media_job_coded_t  *coded;

    coded = ngx_media_job_coded(NULL, NGX_MEDIA_JOB_END, NULL);

    if (coded) {
        ngx_media_job_audio_put(a, coded);
        ngx_media_job_audio_go(a);
    }
}


static void
ngx_media_job_audio_gone(void *data, const char *reason)
{
    ngx_media_job_audio_t *a = data;

    a->tee = NULL;

    ngx_media_job_audio_close(a);
}


static void
ngx_media_job_audio_lost(void *data, const char *reason)
{
    ngx_media_job_audio_t *a = data;

    a->derived = NULL;
}


static void
ngx_media_job_audio_put(ngx_media_job_audio_t *a,
    ngx_media_job_coded_t *coded)
{
    (void) ngx_thread_mutex_lock(&a->lock, a->job->log);

    ngx_media_job_coded_put(&a->coded, coded);

    (void) ngx_thread_mutex_unlock(&a->lock, a->job->log);
}


static void
ngx_media_job_audio_go(ngx_media_job_audio_t *a)
{
    int64_t                 deadline;
    ngx_uint_t              n;
    ngx_media_job_coded_t  *coded;

    if (a->busy) {
        return;
    }

    deadline = NGX_MEDIA_STRAND_LAST;

    (void) ngx_thread_mutex_lock(&a->lock, a->job->log);

    n = a->coded.n | a->closing;

    coded = ngx_media_job_coded_first(&a->coded);

    if (coded) {
        deadline = coded->arrival + (int64_t) a->job->ladder->latency;
    }

    (void) ngx_thread_mutex_unlock(&a->lock, a->job->log);

    if (n) {
        a->busy = 1;
        ngx_media_strand_ready(&a->strand, deadline);
    }
}


/* in a thread */

static void
ngx_media_job_audio_step(void *data)
{
    ngx_media_job_audio_t *a = data;

    ngx_media_table_enter(a->job->table, a->job->record);

    ngx_media_job_audio_work(a);

    ngx_media_table_leave(a->job->table, a->job->record);
}


static void
ngx_media_job_audio_work(ngx_media_job_audio_t *a)
{
    ngx_uint_t              closing, i;
    ngx_media_job_coded_t  *coded;

    for (i = 0; i < NGX_MEDIA_JOB_AUDIO_STEP; i++) {

        (void) ngx_thread_mutex_lock(&a->lock, a->job->log);

        closing = a->closing;
        coded = closing ? NULL : ngx_media_job_coded_take(&a->coded);

        (void) ngx_thread_mutex_unlock(&a->lock, a->job->log);

        if (closing) {
            if (a->converter) {
                ngx_media_av_audio_close(a->converter);
                a->converter = NULL;
            }

            a->closed = 1;
            return;
        }

        if (coded == NULL) {
            return;
        }

        switch (coded->kind) {

        case NGX_MEDIA_JOB_FRAME:
            ngx_media_job_audio_convert(a, coded);
            break;

        case NGX_MEDIA_JOB_PERIOD:
            ngx_media_job_audio_anew(a, coded);
            break;

        case NGX_MEDIA_JOB_PAUSE:
            ngx_media_job_audio_drain(a);
            break;

        default: /* NGX_MEDIA_JOB_END */
            ngx_media_job_audio_drain(a);
            a->ended = 1;
        }

        ngx_media_job_coded_free(coded);
    }
}


static void
ngx_media_job_audio_anew(ngx_media_job_audio_t *a,
    ngx_media_job_coded_t *coded)
{
    ngx_media_job_audio_drain(a);

    if (a->params) {
        free(a->params);
    }

    a->params = coded->params;
    coded->params = NULL;

    a->useless = 0;
}


static void
ngx_media_job_audio_convert(ngx_media_job_audio_t *a,
    const ngx_media_job_coded_t *coded)
{
    ngx_int_t  rc;

    if (a->useless || a->params == NULL
        || (a->converter == NULL
            && ngx_media_job_audio_open(a, coded->pts) != NGX_OK))
    {
        a->errors++;
        return;
    }

    a->arrival = coded->arrival;

    rc = ngx_media_av_audio_send(a->converter, coded->data, coded->len,
                                 coded->pts, 0);

    if (rc == NGX_AGAIN) {
        ngx_media_job_audio_packets(a);

        if (a->converter == NULL) {
            a->errors++;
            return;
        }

        rc = ngx_media_av_audio_send(a->converter, coded->data, coded->len,
                                     coded->pts, 0);
    }

    a->errors += rc != NGX_OK;

    if (rc == NGX_ERROR || rc == NGX_AGAIN) {
        ngx_media_job_audio_fail(a);
        return;
    }

    ngx_media_job_audio_packets(a);
}


static ngx_int_t
ngx_media_job_audio_open(ngx_media_job_audio_t *a, int64_t pts)
{
    ngx_media_av_audio_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_media_av_audio_conf_t));

    conf.source = a->params;
    conf.codec = a->conf->codec;
    conf.bitrate = a->conf->bitrate;
    conf.channels = a->conf->channels;
    conf.rate = a->conf->rate;
    conf.origin = pts;

    a->converter = ngx_media_av_audio_open(&conf, a->error);

    if (a->converter == NULL) {
        a->useless = 1;
        a->failed = 1;
        return NGX_ERROR;
    }

    a->described = 0;

    return NGX_OK;
}


static void
ngx_media_job_audio_drain(ngx_media_job_audio_t *a)
{
    if (a->converter == NULL) {
        return;
    }

    ngx_media_av_audio_drain(a->converter);
    ngx_media_job_audio_packets(a);

    if (a->converter) {
        ngx_media_av_audio_close(a->converter);
        a->converter = NULL;
    }
}


static void
ngx_media_job_audio_packets(ngx_media_job_audio_t *a)
{
    ngx_int_t                    rc;
    ngx_media_av_audio_packet_t  out;

    for ( ;; ) {
        rc = ngx_media_av_audio_packet(a->converter, &out);

        if (rc == NGX_AGAIN || rc == NGX_DONE) {
            return;
        }

        if (rc != NGX_OK
            || ngx_media_job_audio_packet(a, &out) != NGX_OK)
        {
            ngx_media_job_audio_fail(a);
            return;
        }
    }
}


static ngx_int_t
ngx_media_job_audio_packet(ngx_media_job_audio_t *a,
    const ngx_media_av_audio_packet_t *out)
{
    ngx_media_job_packet_t  *packet;

    packet = ngx_media_job_packet(out->pos, out->last);
    if (packet == NULL) {
        return NGX_ERROR;
    }

    packet->pts = out->pts;
    packet->dts = out->pts;
    packet->duration = out->duration;
    packet->arrival = a->arrival;
    packet->key = 1;
    packet->settled = 1;

    if (!a->described) {
        packet->params = ngx_media_job_params(
                                     ngx_media_av_audio_params(a->converter));

        if (packet->params == NULL) {
            ngx_media_job_packet_free(packet);
            return NGX_ERROR;
        }

        a->described = 1;
    }

    ngx_queue_insert_tail(&a->packets, &packet->queue);

    return NGX_OK;
}


static void
ngx_media_job_audio_fail(ngx_media_job_audio_t *a)
{
    ngx_cpystrn(a->error, (u_char *) ngx_media_av_audio_error(a->converter),
                NGX_MEDIA_AV_ERROR);

    ngx_media_av_audio_close(a->converter);

    a->converter = NULL;
    a->failed = 1;
}


/* in the event loop */

static void
ngx_media_job_audio_done(void *data)
{
    ngx_media_job_audio_t *a = data;

    a->busy = 0;
    a->undone = a->errors;

    if (a->closed) {
        ngx_media_job_packets_free(&a->packets);
        ngx_media_strand_stop(&a->strand, ngx_media_job_audio_stopped, a);
        return;
    }

    ngx_media_job_audio_publish(a);

    if (a->failed) {
        a->failed = 0;

        if (!a->said) {
            a->said = 1;

            ngx_media_job_log(NGX_LOG_ERR, a->job,
                              "cannot convert audio track %uD to \"%V\": %s",
                              a->id, &a->conf->name, a->error);
        }

        if (a->tee) {
            ngx_media_derived_expect(a->tee, 0);
        }

        if (a->tee && a->offered) {
            ngx_media_stream_offer(ngx_media_writer_claim(a->job->writer),
                                   NGX_MEDIA_ASK_TS, 0);
        }
    }

    if (a->off || a->ended) {
        ngx_media_job_audio_leave(a);
    }

    if (a->ended && a->tee) {
        ngx_media_job_audio_ended(a);
        return;
    }

    ngx_media_job_audio_go(a);
}


static void
ngx_media_job_audio_publish(ngx_media_job_audio_t *a)
{
    ngx_queue_t               *q;
    ngx_media_job_packet_t    *packet;
    ngx_media_packer_frame_t   frame;

    while (!ngx_queue_empty(&a->packets)) {
        q = ngx_queue_head(&a->packets);
        ngx_queue_remove(q);

        packet = ngx_queue_data(q, ngx_media_job_packet_t, queue);

        if (a->tee
            && (packet->params == NULL
                || ngx_media_job_audio_derive(a, packet->params) == NGX_OK)
            && a->derived)
        {
            ngx_memzero(&frame, sizeof(ngx_media_packer_frame_t));

            frame.pts = packet->pts;
            frame.dts = packet->dts;
            frame.duration = packet->duration;
            frame.pos = packet->data;
            frame.last = packet->data + packet->len;
            frame.key = 1;

            (void) ngx_media_derived_frame(a->derived, &frame, 1);
        }

        ngx_media_job_packet_free(packet);
    }
}


static ngx_int_t
ngx_media_job_audio_derive(ngx_media_job_audio_t *a,
    const ngx_media_params_t *params)
{
    ngx_int_t           rc;
    ngx_media_derive_t  conf;

    if (a->derived) {
        return ngx_media_derived_params(a->derived, params);
    }

    ngx_memzero(&conf, sizeof(ngx_media_derive_t));

    conf.id = a->index;
    conf.bandwidth = a->conf->bitrate;
    conf.only = (a->conf->when == NGX_MEDIA_LADDER_ASKED)
                ? NGX_MEDIA_IN_HLS_TS : 0;
    conf.close = ngx_media_job_audio_lost;
    conf.data = a;

    rc = ngx_media_writer_derive(a->job->writer, a->source, params, &conf,
                                 &a->derived);

    ngx_media_derived_expect(a->tee, 0);

    return rc;
}


static void
ngx_media_job_audio_leave(ngx_media_job_audio_t *a)
{
    ngx_media_derived_t  *d;

    if (a->tee) {
        ngx_media_derived_expect(a->tee, 0);
    }

    d = a->derived;
    a->derived = NULL;

    if (d) {
        ngx_media_derived_done(d);
    }
}


static void
ngx_media_job_audio_ended(ngx_media_job_audio_t *a)
{
    ngx_media_derived_t  *tee;

    tee = a->tee;
    a->tee = NULL;

    ngx_media_job_audio_close(a);

    /* with it the publisher's writer may go, and with that its END is told */

    ngx_media_derived_done(tee);
}


static void
ngx_media_job_audio_close(ngx_media_job_audio_t *a)
{
    (void) ngx_thread_mutex_lock(&a->lock, a->job->log);

    ngx_media_job_input_free(&a->coded);
    a->closing = 1;

    (void) ngx_thread_mutex_unlock(&a->lock, a->job->log);

    ngx_media_job_audio_go(a);
}


static void
ngx_media_job_audio_stopped(void *data)
{
    ngx_media_job_audio_t *a = data;

    ngx_media_job_t  *job;

    job = a->job;
    job->audios[a->index] = NULL;
    job->audio_errors += a->errors + a->dropped;

    if (a->params) {
        free(a->params);
    }

    ngx_media_job_input_free(&a->coded);

    (void) ngx_thread_mutex_destroy(&a->lock, job->log);

    free(a);

    ngx_media_job_release(job);
}

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */
