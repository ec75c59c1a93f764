
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A job goes through four steps:
 *
 *     map      what the name means: taken apart, read or listed
 *     open     the files that are not known well enough: one task for all
 *     index    blobs of files, each pinned or made; up to SLOTS at a time;
 *              those whose media was converted have that open, too
 *     set      the blob of the set, pinned or made
 *
 * Each of them is run until it is NGX_OK; NGX_AGAIN means that threads are at
 * work or that another process makes what is needed, then a timer asks again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "vod/ngx_media_vod_job_step.h"


#define NGX_MEDIA_VOD_JOB_POOL       2048

/* ms between questions whether another process is done */
#define NGX_MEDIA_VOD_JOB_DELAY_MAX  50

/* ms; a worker that shall exit does not while there is a timer */
#define NGX_MEDIA_VOD_JOB_TIMER      60000


typedef ngx_int_t (*ngx_media_vod_step_pt)(ngx_media_vod_job_t *job);


static char *ngx_media_vod_job_temp(ngx_pool_t *pool, const char *temp);
static ngx_media_vod_result_t *ngx_media_vod_result_create(
    ngx_media_vod_load_t *load);
static void ngx_media_vod_held_free(ngx_media_cache_t *cache,
    ngx_media_vod_held_t *held);
static void ngx_media_vod_job_timer(ngx_event_t *ev);


static ngx_media_vod_step_pt  ngx_media_vod_job_steps[] = {
    ngx_media_vod_job_map,
    ngx_media_vod_job_open,
    ngx_media_vod_job_index,
    ngx_media_vod_job_set
};


ngx_media_vod_job_t *
ngx_media_vod_job_create(ngx_media_vod_load_t *load,
    ngx_media_vod_node_t *node)
{
    ngx_pool_t           *pool;
    ngx_media_vod_job_t  *job;

    pool = ngx_create_pool(NGX_MEDIA_VOD_JOB_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_media_vod_job_t));
    if (job == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    if (load->conf->temp) {
        job->temp = ngx_media_vod_job_temp(pool, load->conf->temp);

        if (job->temp == NULL) {
            ngx_destroy_pool(pool);
            return NULL;
        }
    }

    job->result = ngx_media_vod_result_create(load);
    if (job->result == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->table = load->conf->table;
    job->node = node;
    job->conf = load->conf;
    job->pool = pool;
    job->symlinks_from = load->symlinks_from;
    job->again = load->again;
    job->started = ngx_current_msec;
    job->now = ngx_time();
    job->delay = NGX_MEDIA_VOD_JOB_DELAY;

    job->timer.handler = ngx_media_vod_job_timer;
    job->timer.data = job;
    job->timer.log = ngx_cycle->log;

    ngx_queue_init(&job->waiters);

    return job;
}


/* threads may be at work when the cycle is gone */

static char *
ngx_media_vod_job_temp(ngx_pool_t *pool, const char *temp)
{
    char    *p;
    size_t   size;

    size = ngx_strlen(temp) + 1;

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, temp, size);

    return p;
}


static ngx_media_vod_result_t *
ngx_media_vod_result_create(ngx_media_vod_load_t *load)
{
    u_char                    *p;
    ngx_time_t                *tp;
    ngx_pool_t                *pool;
    ngx_media_vod_result_t    *result;
    ngx_media_vod_map_make_t  *make;

    pool = ngx_create_pool(NGX_MEDIA_VOD_JOB_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    result = ngx_pcalloc(pool, sizeof(ngx_media_vod_result_t));
    p = ngx_pnalloc(pool, load->path.len + 1);

    if (result == NULL || p == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    ngx_memcpy(p, load->path.data, load->path.len);
    p[load->path.len] = '\0';

    result->refs = 1;
    result->pool = pool;
    result->cache = load->conf->cache;
    result->seen = ngx_current_msec;

    tp = ngx_timeofday();

    make = &result->make;
    make->pool = pool;
    make->path.data = p;
    make->path.len = load->path.len;
    make->root = load->root;
    make->now = (int64_t) tp->sec * 1000 + tp->msec;

    return result;
}


void
ngx_media_vod_result_unref(ngx_media_vod_result_t *result)
{
    ngx_uint_t  i;

    if (result == NULL || --result->refs) {
        return;
    }

    ngx_media_vod_result_unref(result->kept);
    ngx_media_vod_held_free(result->cache, &result->set);

    for (i = 0; i < result->nitems; i++) {
        ngx_media_vod_held_free(result->cache, &result->items[i].blob);
        ngx_media_vod_handle_unref(result->items[i].converted);
        ngx_media_vod_handle_unref(result->items[i].handle);
    }

    ngx_destroy_pool(result->pool);
}


static void
ngx_media_vod_held_free(ngx_media_cache_t *cache, ngx_media_vod_held_t *held)
{
    if (held->ref.data && cache) {
        ngx_media_cache_unpin(cache, &held->ref);
    }

    if (held->own) {
        free(held->own);
    }
}


void
ngx_media_vod_job_destroy(ngx_media_vod_job_t *job)
{
    if (job->timer.timer_set) {
        ngx_del_timer(&job->timer);
    }

    ngx_media_vod_job_probes_free(job);
    ngx_media_vod_handle_unref(job->plain);
    ngx_media_vod_result_unref(job->result);

    ngx_destroy_pool(job->pool);
}


void
ngx_media_vod_job_orphan(ngx_media_vod_job_t *job)
{
    ngx_uint_t             i;
    ngx_media_vod_slot_t  *slot;

    if (job->tasks == 0) {

        if (ngx_process == NGX_PROCESS_WORKER) {
            job->result->cache = NULL;
        }

        ngx_media_vod_job_destroy(job);
        return;
    }

    for (i = 0; i < NGX_MEDIA_VOD_JOB_SLOTS; i++) {
        slot = job->slots[i];

        if (slot && slot->busy) {
            ngx_media_cache_abandon(job->conf->cache, slot->key);
        }
    }

    if (job->making) {
        ngx_media_cache_abandon(job->conf->cache, job->key);
    }

    if (job->timer.timer_set) {
        ngx_del_timer(&job->timer);
    }

    /* what threads read stays pinned */

    job->result->cache = NULL;
    job->table = NULL;
    job->node = NULL;
    job->conf = NULL;
}


ngx_int_t
ngx_media_vod_job_run(ngx_media_vod_job_t *job)
{
    ngx_int_t                rc;
    ngx_media_vod_result_t  *result;

    result = job->result;

    while (result->status == 0) {
        rc = ngx_media_vod_job_steps[job->step](job);

        ngx_log_debug5(NGX_LOG_DEBUG_HTTP, ngx_media_vod_job_log(job), 0,
                       "media vod: \"%V\" step:%ui rc:%i status:%ui tasks:%ui",
                       &result->make.path, job->step, rc, result->status,
                       job->tasks);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_OK) {
            job->step++;
        }
    }

    return job->tasks ? NGX_AGAIN : NGX_OK;
}


/* a thread is done with what it did, or it is time to ask again */

void
ngx_media_vod_job_wake(ngx_media_vod_job_t *job)
{
    if (job->tasks
        && (job->table == NULL || ngx_queue_empty(&job->waiters)))
    {
        return;
    }

    if (job->table == NULL) {
        ngx_media_vod_job_destroy(job);
        return;
    }

    if (ngx_queue_empty(&job->waiters)) {
        (void) ngx_media_vod_job_fail(job, 503, NULL,
                                      (u_char *) "nobody waits for it");
        job->result->passing = 1;
    }

    if (ngx_media_vod_job_run(job) == NGX_OK) {
        job->done(job);
    }
}


static void
ngx_media_vod_job_timer(ngx_event_t *ev)
{
    ngx_media_vod_job_wake(ev->data);
}


void
ngx_media_vod_job_wait(ngx_media_vod_job_t *job)
{
    if (job->timer.timer_set) {
        return;
    }

    ngx_add_timer(&job->timer, job->delay);

    job->delay = ngx_min(job->delay * 2, NGX_MEDIA_VOD_JOB_DELAY_MAX);
}


ngx_thread_task_t *
ngx_media_vod_job_task(ngx_media_vod_job_t *job, size_t size,
    void (*handler)(void *data, ngx_log_t *log), ngx_event_handler_pt done)
{
    ngx_thread_task_t  *task;

    task = ngx_thread_task_alloc(job->pool, size);
    if (task == NULL) {
        return NULL;
    }

    task->handler = handler;
    task->event.handler = done;
    task->event.data = task->ctx;
    task->event.log = ngx_cycle->log;

    return task;
}


/* NGX_AGAIN, or NGX_ERROR: it failed */

ngx_int_t
ngx_media_vod_job_post(ngx_media_vod_job_t *job, ngx_thread_task_t *task)
{
    ngx_int_t  rc;

    task->event.complete = 0;

    if (ngx_thread_task_post(job->conf->thread_pool, task) == NGX_OK) {
        ngx_add_timer(&task->event, NGX_MEDIA_VOD_JOB_TIMER);

        job->tasks++;
        return NGX_AGAIN;
    }

    rc = ngx_media_vod_job_fail(job, 503, NULL,
                                (u_char *) "no thread takes it");
    job->result->passing = 1;

    return rc;
}


ngx_uint_t
ngx_media_vod_job_is_done(ngx_event_t *ev)
{
    if (ev->timedout) {
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_MEDIA_VOD_JOB_TIMER);
        return 0;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    return 1;
}


/* the log of who has waited longest */

ngx_log_t *
ngx_media_vod_job_log(ngx_media_vod_job_t *job)
{
    ngx_queue_t           *q;
    ngx_media_vod_wait_t  *wait;

    if (ngx_queue_empty(&job->waiters)) {
        return ngx_cycle->log;
    }

    q = ngx_queue_head(&job->waiters);
    wait = ngx_queue_data(q, ngx_media_vod_wait_t, queue);

    return wait->load->log;
}


/* the first failure counts; path: NULL is the name itself */

ngx_int_t
ngx_media_vod_job_fail(ngx_media_vod_job_t *job, ngx_uint_t status,
    const ngx_str_t *path, const u_char *error)
{
    ngx_media_vod_result_t  *result;

    result = job->result;

    if (result->status) {
        return NGX_ERROR;
    }

    result->status = (status < 400 || status > 599) ? 500 : status;
    result->level = NGX_LOG_ERR;
    result->path = path ? *path : result->make.path;

    ngx_media_vod_job_text(result->error, error);

    return NGX_ERROR;
}


/* names of boxes are whatever bytes the file has */

void
ngx_media_vod_job_text(u_char *text, const u_char *error)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_VOD_ERROR - 1 && error[i]; i++) {
        c = error[i];
        text[i] = (c < 0x20 || c == 0x7f) ? '?' : c;
    }

    text[i] = '\0';
}


ngx_int_t
ngx_media_vod_job_nomem(ngx_media_vod_job_t *job)
{
    ngx_int_t  rc;

    rc = ngx_media_vod_job_fail(job, 500, NULL, (u_char *) "no memory");

    job->result->passing = 1;

    return rc;
}
