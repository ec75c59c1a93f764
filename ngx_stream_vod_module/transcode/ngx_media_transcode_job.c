
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Jobs: what is made of a publisher's tracks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include "core/ngx_media_module.h"
#include "transcode/ngx_media_transcode_job.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

static void ngx_media_job_begin_video(ngx_media_job_t *job,
    ngx_uint_t source, const ngx_media_params_t *params);
static ngx_int_t ngx_media_job_admit(ngx_media_job_t *job,
    const ngx_media_params_t *params);
static void ngx_media_job_unload(ngx_media_job_t *job);
static void ngx_media_job_banned(ngx_media_job_t *job);
static void ngx_media_job_tell(ngx_media_job_t *job);


static ngx_queue_t  ngx_media_jobs = {
    &ngx_media_jobs, &ngx_media_jobs
};


ngx_media_job_t *
ngx_media_job_create(const ngx_media_event_t *ev,
    const ngx_media_ladder_t *ladder, ngx_thread_pool_t *pool)
{
    ngx_media_job_t  *job;

    job = ngx_calloc(sizeof(ngx_media_job_t) + ev->name->len, ev->log);
    if (job == NULL) {
        return NULL;
    }

    job->app = ev->app;
    job->writer = ev->writer;
    job->ladder = ladder;
    job->pool = pool;
    job->log = ev->app->cycle->log;
    job->refs = 1;

    job->name.len = ev->name->len;
    job->name.data = (u_char *) job + sizeof(ngx_media_job_t);
    ngx_memcpy(job->name.data, ev->name->data, ev->name->len);

    ngx_queue_insert_tail(&ngx_media_jobs, &job->queue);

    job->table = ngx_media_app_shared(ev->app, ngx_media_transcode_module);

    ngx_media_job_banned(job);

    if (!job->banned && ngx_media_zone_attach(ev->app->zone) == NGX_OK) {
        job->record = ngx_media_table_add(job->table, ev->app->zone->nrow,
                                          &job->name);
    }

    return job;
}


/* workers were killed within its codecs: it plays, without a ladder */

static void
ngx_media_job_banned(ngx_media_job_t *job)
{
    ngx_uint_t  first, left;

    left = ngx_media_table_banned(job->table, &job->name, &first);

    if (left == 0) {
        return;
    }

    job->banned = 1;

    if (first) {
        ngx_media_job_log(NGX_LOG_ERR, job,
                          "is not made for %ui s: two workers died while they "
                          "decoded or encoded this stream", left);
    }
}


void
ngx_media_job_release(ngx_media_job_t *job)
{
    if (--job->refs) {
        return;
    }

    ngx_media_job_unload(job);
    ngx_media_table_remove(job->record);

    ngx_queue_remove(&job->queue);
    ngx_free(job);
}


ngx_media_job_t *
ngx_media_job_entry(ngx_uint_t i)
{
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&ngx_media_jobs);
         q != ngx_queue_sentinel(&ngx_media_jobs);
         q = ngx_queue_next(q))
    {
        if (i-- == 0) {
            return ngx_queue_data(q, ngx_media_job_t, queue);
        }
    }

    return NULL;
}


/* the publisher's first video, and its first tracks of audio */

void
ngx_media_job_track(ngx_media_job_t *job, const ngx_media_event_t *ev)
{
    ngx_uint_t                      source;
    const ngx_media_event_track_t  *what = ev->what;

    source = ngx_media_writer_source(job->writer, what->params->type,
                                     what->id);
    if (source == NGX_MEDIA_NO_TRACK || job->banned) {
        return;
    }

    switch (what->params->type) {

    case NGX_MEDIA_VIDEO:

        if (what->id == 0 && job->video == NULL) {
            ngx_media_job_begin_video(job, source, what->params);
        }

        break;

    case NGX_MEDIA_AUDIO:
        ngx_media_job_audios(job, what, source);
        break;

    default: /* NGX_MEDIA_TEXT */
        break;
    }
}


static void
ngx_media_job_begin_video(ngx_media_job_t *job, ngx_uint_t source,
    const ngx_media_params_t *params)
{
    job->bandwidth = ngx_media_writer_announced(job->writer)->video_rate;

    if (job->refused || job->ladder->nrungs == 0
        || ngx_media_job_admit(job, params) != NGX_OK)
    {
        return;
    }

    if (ngx_media_job_video_create(job, source, params) != NGX_OK) {
        ngx_media_job_unload(job);
    }
}


/* who was turned away is so until its publisher comes again */

static ngx_int_t
ngx_media_job_admit(ngx_media_job_t *job, const ngx_media_params_t *params)
{
    uint64_t    cost, sum, used;
    ngx_uint_t  cores;

    /* what it had before, if that has ended, is not beside it */

    ngx_media_job_unload(job);

    cores = ngx_media_strand_cores();

    cost = ngx_media_transcode_cost(job->ladder, params, job->bandwidth);

    ngx_media_job_load(job->app->cycle, &sum, &used);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, job->log, 0,
                   "media ladder of \"%V\" costs:%uL sum:%uL used:%uL "
                   "cores:%ui", &job->name, cost, sum, used, cores);

    if (cost == 0) {
        ngx_media_job_log(NGX_LOG_INFO, job,
                          "has no rung below %uDx%uD", params->width,
                          params->height);
        return NGX_DECLINED;
    }

    if (!ngx_media_transcode_admits(sum, used, cost, cores)) {
        job->refused = 1;
        (void) __atomic_add_fetch(&job->table->refused, 1, __ATOMIC_RELAXED);

        ngx_media_job_log(NGX_LOG_WARN, job,
                          "is not made: it takes %uL.%uL cores, others have "
                          "%uL.%uL of %ui", cost / 1000, cost % 1000 / 100,
                          sum / 1000, sum % 1000 / 100, cores);
        return NGX_DECLINED;
    }

    if (ngx_media_zone_attach(job->app->zone) != NGX_OK) {
        return NGX_DECLINED;
    }

    job->cost = cost;

    ngx_media_transcode_load_add(&job->table->load, job->app->zone->nrow,
                                 (int64_t) cost);

    return NGX_OK;
}


static void
ngx_media_job_unload(ngx_media_job_t *job)
{
    if (job->cost) {
        ngx_media_transcode_load_add(&job->table->load, job->app->zone->nrow,
                                     - (int64_t) job->cost);
        job->cost = 0;
    }
}


void
ngx_media_job_load(ngx_cycle_t *cycle, uint64_t *cost, uint64_t *used)
{
    ngx_uint_t              i;
    ngx_media_app_t        *app;
    ngx_media_table_shm_t  *table;

    *cost = 0;
    *used = 0;

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry(cycle, i);

        if (app == NULL) {
            return;
        }

        table = ngx_media_app_shared(app, ngx_media_transcode_module);

        ngx_media_transcode_load_sum(&table->load, cost, used);
    }
}


uint64_t
ngx_media_job_tick(ngx_media_job_t *job)
{
    uint64_t                 cost, cpu;
    ngx_uint_t               i;
    ngx_msec_t               passed;
    ngx_media_strand_stat_t  stat;

    if (job->video) {
        ngx_media_job_video_tick(job->video);
    }

    cpu = job->video ? ngx_media_job_video_cpu(job->video) : 0;

    for (i = 0; i < NGX_MEDIA_JOB_AUDIOS; i++) {
        if (job->audios[i]) {
            ngx_media_strand_stat(&job->audios[i]->strand, &stat);
            cpu += stat.cpu;
        }
    }

    ngx_media_job_load(job->app->cycle, &cost, &job->machine);

    passed = ngx_current_msec - job->ticked;

    if (job->ticked && passed && cpu > job->cpu) {
        job->used = (cpu - job->cpu) / 1000 / passed;
    }

    job->cpu = cpu;
    job->ticked = ngx_current_msec;

    ngx_media_job_tell(job);

    return job->used;
}


/* what status and metrics of all processes have of it */

static void
ngx_media_job_tell(ngx_media_job_t *job)
{
    ngx_uint_t                i;
    ngx_media_job_video_t    *v;
    ngx_media_table_stat_t   *stat;
    ngx_media_strand_stat_t   strand;

    if (job->record == NULL) {
        return;
    }

    stat = &job->record->stat;
    v = job->video;

    stat->cost = job->cost;
    stat->used = job->used;
    stat->audios = 0;
    stat->audio_errors = job->audio_errors;

    ngx_memcpy(stat->ladder, job->ladder->name.data,
               ngx_min(job->ladder->name.len, sizeof(stat->ladder) - 1));

    for (i = 0; i < NGX_MEDIA_JOB_AUDIOS; i++) {
        if (job->audios[i]) {
            stat->audios += job->audios[i]->derived != NULL;
            stat->audio_errors += job->audios[i]->undone
                                  + job->audios[i]->dropped;
        }
    }

    if (v == NULL) {
        return;
    }

    ngx_media_strand_stat(&v->strand, &strand);

    stat->frames = v->frames;
    stat->errors = v->undecoded;
    stat->dropped = v->skipped;
    stat->decode = strand.cpu / 1000000;
    stat->queue = (uint32_t) ngx_media_job_video_behind(v);

    for (i = 0; i < v->nrungs; i++) {
        ngx_media_job_rung_tell(&v->rungs[i], &stat->rungs[i]);
    }
}


ngx_media_job_packet_t *
ngx_media_job_packet(const u_char *pos, const u_char *last)
{
    size_t                   len;
    ngx_media_job_packet_t  *packet;

    len = last - pos;

    packet = malloc(sizeof(ngx_media_job_packet_t) + len);
    if (packet == NULL) {
        return NULL;
    }

    ngx_memzero(packet, sizeof(ngx_media_job_packet_t));

    packet->len = len;

    if (len) {
        ngx_memcpy(packet->data, pos, len);
    }

    return packet;
}


void
ngx_media_job_packet_free(ngx_media_job_packet_t *packet)
{
    if (packet->params) {
        free(packet->params);
    }

    free(packet);
}


void
ngx_media_job_packets_free(ngx_queue_t *packets)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(packets)) {
        q = ngx_queue_head(packets);
        ngx_queue_remove(q);

        ngx_media_job_packet_free(ngx_queue_data(q, ngx_media_job_packet_t,
                                                 queue));
    }
}


ngx_uint_t
ngx_media_job_params_same(const ngx_media_params_t *a,
    const ngx_media_params_t *b)
{
    return a->codec == b->codec
           && a->config_len == b->config_len
           && ngx_memcmp(a->config, b->config, a->config_len) == 0;
}

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */
