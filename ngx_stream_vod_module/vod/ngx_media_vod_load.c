
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Names of a process.  A node has a result, a job that is to bring one, or
 * both while a result that was good is looked at again; one that has neither
 * is deleted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "vod/ngx_media_vod_job.h"
#include "vod/ngx_media_vod_load.h"


/* ms between sweeps */
#define NGX_MEDIA_VOD_SWEEP       1000
/* ms: blobs of a name that nobody asks for are unpinned */
#define NGX_MEDIA_VOD_IDLE_NAME   2000
/* ms: files that nobody asks for are closed */
#define NGX_MEDIA_VOD_IDLE_PATH   60000
/* nodes looked at to find one that may go */
#define NGX_MEDIA_VOD_EVICT       16
/* ms between looks at a name that is young: anybody can ask for what it does
   not have */
#define NGX_MEDIA_VOD_AGAIN       1000


static ngx_int_t ngx_media_vod_load_look(ngx_media_vod_wait_t *wait,
    ngx_media_vod_result_t *result);
static ngx_uint_t ngx_media_vod_load_is_due(ngx_media_vod_node_t *node);
static ngx_int_t ngx_media_vod_load_start(ngx_media_vod_wait_t *wait,
    ngx_media_vod_node_t *node);
static ngx_int_t ngx_media_vod_load_fail(ngx_media_vod_load_t *load,
    ngx_uint_t status, ngx_err_t err, const char *error);
static ngx_int_t ngx_media_vod_load_take(ngx_media_vod_wait_t *wait,
    ngx_media_vod_result_t *result);
static void ngx_media_vod_load_result(ngx_media_vod_wait_t *wait,
    ngx_media_vod_result_t *result);
static void ngx_media_vod_load_done(ngx_media_vod_job_t *job);
static void ngx_media_vod_load_stop(ngx_media_vod_wait_t *wait);
static void ngx_media_vod_load_cleanup(void *data);
static void ngx_media_vod_name_key(ngx_media_vod_load_t *load,
    ngx_media_vod_key_t *key);
static ngx_media_vod_node_t *ngx_media_vod_name(ngx_media_vod_load_t *load);
static void ngx_media_vod_name_finish(ngx_media_vod_node_t *node,
    ngx_media_vod_job_t *job);
static ngx_uint_t ngx_media_vod_name_keeps(ngx_media_vod_node_t *node,
    ngx_media_vod_job_t *job);
static void ngx_media_vod_name_drop(ngx_media_vod_table_t *table,
    ngx_media_vod_node_t *node);
static void ngx_media_vod_sweep(ngx_event_t *ev);
static void ngx_media_vod_sweep_names(ngx_media_vod_table_t *table);
static void ngx_media_vod_sweep_paths(ngx_media_vod_table_t *table);
static void ngx_media_vod_table_cleanup(void *data);


ngx_int_t
ngx_media_vod_load(ngx_media_vod_load_t *load)
{
    ngx_pool_cleanup_t      *cln;
    ngx_media_vod_node_t    *node;
    ngx_media_vod_wait_t    *wait;
    ngx_media_vod_result_t  *result;

    load->status = 0;
    load->state = NULL;
    load->asked = ngx_current_msec;
    load->again = 0;

    if (load->path.len >= NGX_MEDIA_VOD_PATH) {
        return ngx_media_vod_load_fail(load, 404, NGX_ENAMETOOLONG,
                                       ngx_open_file_n " failed");
    }

    cln = ngx_pool_cleanup_add(load->pool, sizeof(ngx_media_vod_wait_t));
    if (cln == NULL) {
        return ngx_media_vod_load_fail(load, 500, 0, "no memory");
    }

    wait = cln->data;
    ngx_memzero(wait, sizeof(ngx_media_vod_wait_t));
    wait->load = load;

    cln->handler = ngx_media_vod_load_cleanup;
    load->state = wait;

    node = ngx_media_vod_name(load);
    if (node == NULL) {
        return ngx_media_vod_load_fail(load, 500, 0, "no memory");
    }

    result = node->result;

    if (node->job == NULL && result
        && ngx_current_msec - node->checked < load->conf->valid)
    {
        ngx_log_debug4(NGX_LOG_DEBUG_HTTP, load->log, 0,
                       "media vod: \"%V\" is known, status:%ui age:%M "
                       "valid:%M", &load->path, result->status,
                       ngx_current_msec - node->checked, load->conf->valid);

        return ngx_media_vod_load_take(wait, result);
    }

    return ngx_media_vod_load_start(wait, node);
}


ngx_int_t
ngx_media_vod_load_again(ngx_media_vod_load_t *load)
{
    ngx_media_vod_wait_t *wait = load->state;

    return ngx_media_vod_load_look(wait, wait->result);
}


/*
 * The result may be of files that were looked at before it was asked for: a
 * job that was begun since believes what is known of a path that is young, and
 * a request may have joined one that was begun earlier.
 */

static ngx_int_t
ngx_media_vod_load_look(ngx_media_vod_wait_t *wait,
    ngx_media_vod_result_t *result)
{
    ngx_media_vod_load_t  *load;
    ngx_media_vod_node_t  *node;

    load = wait->load;

    if (wait->failed || (ngx_msec_int_t) (result->seen - load->asked) >= 0) {
        return NGX_DECLINED;
    }

    /* it may have been forgotten meanwhile */

    node = ngx_media_vod_name(load);

    if (node == NULL
        || (node->job == NULL && !ngx_media_vod_load_is_due(node)))
    {
        return NGX_DECLINED;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, load->log, 0,
                   "media vod again: \"%V\" age:%M",
                   &load->path, ngx_current_msec - result->seen);

    ngx_media_vod_result_unref(wait->result);
    wait->result = NULL;

    load->status = 0;
    load->again = 1;

    return ngx_media_vod_load_start(wait, node);
}


/* the name may be looked at again before its time, and is */

static ngx_uint_t
ngx_media_vod_load_is_due(ngx_media_vod_node_t *node)
{
    if (ngx_current_msec - node->again < NGX_MEDIA_VOD_AGAIN) {
        return 0;
    }

    node->again = ngx_current_msec;

    return 1;
}


/* waits for the node's job, a new one if there is none */

static ngx_int_t
ngx_media_vod_load_start(ngx_media_vod_wait_t *wait,
    ngx_media_vod_node_t *node)
{
    ngx_int_t                rc;
    ngx_uint_t               start;
    ngx_media_vod_job_t     *job;
    ngx_media_vod_load_t    *load;
    ngx_media_vod_result_t  *result;

    load = wait->load;
    job = node->job;
    start = (job == NULL);

    if (start) {
        job = ngx_media_vod_job_create(load, node);

        if (job == NULL) {

            if (node->result == NULL) {
                ngx_media_vod_name_drop(load->conf->table, node);
            }

            return ngx_media_vod_load_fail(load, 500, 0, "no memory");
        }

        job->done = ngx_media_vod_load_done;
        node->job = job;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, load->log, 0,
                   "media vod: \"%V\" is looked at, new job:%ui age:%M known "
                   "before:%d", &load->path, start,
                   ngx_current_msec - job->started, node->result != NULL);

    wait->job = job;
    wait->waiting = 1;
    ngx_queue_insert_tail(&job->waiters, &wait->queue);

    if (!start || ngx_media_vod_job_run(job) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    ngx_queue_remove(&wait->queue);
    wait->waiting = 0;
    wait->job = NULL;

    result = job->result;
    result->refs++;

    ngx_media_vod_name_finish(node, job);

    rc = ngx_media_vod_load_take(wait, result);

    ngx_media_vod_result_unref(result);

    return rc;
}


static ngx_int_t
ngx_media_vod_load_fail(ngx_media_vod_load_t *load, ngx_uint_t status,
    ngx_err_t err, const char *error)
{
    ngx_log_error(NGX_LOG_ERR, load->log, err, "media vod: \"%V\": %s",
                  &load->path, error);

    load->status = status;

    return NGX_OK;
}


/* a failure of what another process may have listed since is not believed */

static ngx_int_t
ngx_media_vod_load_take(ngx_media_vod_wait_t *wait,
    ngx_media_vod_result_t *result)
{
    ngx_int_t  rc;

    if (result->status != 200 && wait->load->listed) {
        rc = ngx_media_vod_load_look(wait, result);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    ngx_media_vod_load_result(wait, result);

    return NGX_OK;
}


static void
ngx_media_vod_load_result(ngx_media_vod_wait_t *wait,
    ngx_media_vod_result_t *result)
{
    ngx_time_t              *tp;
    ngx_media_vod_load_t    *load;
    ngx_media_vod_source_t  *source;

    load = wait->load;

    if (result->kept) {
        ngx_log_error(result->level, load->log, result->err,
                      "media vod: \"%V\": %s, what was known of it is taken",
                      &result->path, result->error);

        result = result->kept;
        wait->failed = 1;
    }

    load->status = result->status;

    wait->result = result;
    result->refs++;

    if (result->status != 200) {
        ngx_log_error(result->level, load->log, result->err,
                      "media vod: \"%V\": %s", &result->path, result->error);
        return;
    }

    tp = ngx_timeofday();

    source = &load->source;
    source->set = result->set.data;
    source->files = result->files;
    source->map = &result->make.map;
    source->now = (int64_t) tp->sec * 1000 + tp->msec
                  + result->make.map.time_offset;
}


/*
 * Handlers may do anything: destroy their pools, cancel others that wait,
 * load again.  Neither job nor node is used any more when they are called.
 */

static void
ngx_media_vod_load_done(ngx_media_vod_job_t *job)
{
    ngx_queue_t             *q, queue;
    ngx_media_vod_wait_t    *wait;
    ngx_media_vod_result_t  *result;

    ngx_queue_init(&queue);

    while (!ngx_queue_empty(&job->waiters)) {
        q = ngx_queue_head(&job->waiters);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&queue, q);

        wait = ngx_queue_data(q, ngx_media_vod_wait_t, queue);
        wait->job = NULL;
    }

    result = job->result;
    result->refs++;

    ngx_media_vod_name_finish(job->node, job);

    while (!ngx_queue_empty(&queue)) {
        q = ngx_queue_head(&queue);
        ngx_queue_remove(q);

        wait = ngx_queue_data(q, ngx_media_vod_wait_t, queue);
        wait->waiting = 0;

        if (ngx_media_vod_load_take(wait, result) == NGX_OK) {
            wait->load->handler(wait->load);
        }
    }

    ngx_media_vod_result_unref(result);
}


/* a job that nobody waits for goes on only if a thread is at work for it */

static void
ngx_media_vod_load_stop(ngx_media_vod_wait_t *wait)
{
    ngx_media_vod_job_t  *job;

    if (!wait->waiting) {
        return;
    }

    ngx_queue_remove(&wait->queue);
    wait->waiting = 0;

    job = wait->job;
    wait->job = NULL;

    if (job && ngx_queue_empty(&job->waiters) && job->tasks == 0) {
        job->result->passing = 1;
        ngx_media_vod_name_finish(job->node, job);
    }
}


static void
ngx_media_vod_load_cleanup(void *data)
{
    ngx_media_vod_wait_t *wait = data;

    ngx_media_vod_load_stop(wait);
    ngx_media_vod_result_unref(wait->result);
}


static void
ngx_media_vod_name_key(ngx_media_vod_load_t *load, ngx_media_vod_key_t *key)
{
    key->path = load->path;
    key->scope[0] = (uintptr_t) load->conf;
    key->scope[1] = load->root;
    key->scope[2] = load->symlinks_from;
}


/* the node of a name, found or new */

static ngx_media_vod_node_t *
ngx_media_vod_name(ngx_media_vod_load_t *load)
{
    ngx_uint_t              i;
    ngx_queue_t            *q, *prev;
    ngx_media_vod_key_t     key;
    ngx_media_vod_tree_t   *names;
    ngx_media_vod_node_t   *node, *old;
    ngx_media_vod_table_t  *table;

    table = load->conf->table;
    names = &table->names;

    ngx_media_vod_name_key(load, &key);

    node = ngx_media_vod_node_find(names, &key);
    if (node) {
        return node;
    }

    node = ngx_media_vod_node_add(names, &key);
    if (node == NULL) {
        return NULL;
    }

    node->valid = load->conf->valid;
    node->again = ngx_current_msec - NGX_MEDIA_VOD_AGAIN;

    q = ngx_queue_last(&names->queue);

    for (i = 0;
         i < NGX_MEDIA_VOD_EVICT && names->n > load->conf->max_files;
         i++)
    {
        prev = ngx_queue_prev(q);
        old = ngx_queue_data(q, ngx_media_vod_node_t, queue);

        if (old == node) {
            break;
        }

        if (old->job == NULL) {
            ngx_media_vod_name_drop(table, old);
        }

        q = prev;
    }

    if (!table->event.timer_set) {
        table->event.handler = ngx_media_vod_sweep;
        table->event.data = table;
        table->event.log = ngx_cycle->log;
        table->event.cancelable = 1;

        ngx_add_timer(&table->event, NGX_MEDIA_VOD_SWEEP);
    }

    return node;
}


/* the job is destroyed; the node, too, if there is nothing to remember */

static void
ngx_media_vod_name_finish(ngx_media_vod_node_t *node, ngx_media_vod_job_t *job)
{
    ngx_media_vod_result_t  *old, *result;

    old = node->result;
    result = job->result;

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, ngx_cycle->log, 0,
                   "media vod: \"%V\" comes to status:%ui after ms:%M "
                   "passing:%d kept:%ui", &result->make.path, result->status,
                   ngx_current_msec - job->started, result->passing,
                   ngx_media_vod_name_keeps(node, job));

    node->job = NULL;

    if (ngx_media_vod_name_keeps(node, job)) {

        if (old->status == 200) {
            result->kept = old;
            old->refs++;
        }

        ngx_media_vod_job_destroy(job);
        return;
    }

    node->result = NULL;

    ngx_media_vod_result_unref(old);

    if (result->passing || job->conf->valid == 0) {
        ngx_media_vod_name_drop(job->table, node);

    } else {
        result->refs++;
        node->result = result;
        node->checked = job->started;
    }

    ngx_media_vod_job_destroy(job);
}


/*
 * A job that came to nothing takes away neither what is known and young, nor
 * when it was looked at last: who asks for what is not there, and goes, would
 * have all of it found out anew each time.
 */

static ngx_uint_t
ngx_media_vod_name_keeps(ngx_media_vod_node_t *node, ngx_media_vod_job_t *job)
{
    return node->result && job->result->passing
           && ngx_current_msec - node->checked < job->conf->valid;
}


static void
ngx_media_vod_name_drop(ngx_media_vod_table_t *table,
    ngx_media_vod_node_t *node)
{
    ngx_media_vod_result_unref(node->result);
    ngx_media_vod_node_delete(&table->names, node);
}


/* nothing that is not asked for is held for long */

static void
ngx_media_vod_sweep(ngx_event_t *ev)
{
    ngx_media_vod_table_t *table = ev->data;

    ngx_media_vod_sweep_names(table);
    ngx_media_vod_sweep_paths(table);

    if (table->names.n || table->paths.n) {
        ngx_add_timer(&table->event, NGX_MEDIA_VOD_SWEEP);
    }
}


static void
ngx_media_vod_sweep_names(ngx_media_vod_table_t *table)
{
    ngx_queue_t             *q, *prev;
    ngx_media_vod_node_t    *node;
    ngx_media_vod_result_t  *result;

    for (q = ngx_queue_last(&table->names.queue);
         q != ngx_queue_sentinel(&table->names.queue);
         q = prev)
    {
        prev = ngx_queue_prev(q);
        node = ngx_queue_data(q, ngx_media_vod_node_t, queue);
        result = node->result;

        if (node->job || result == NULL) {
            continue;
        }

        if (ngx_current_msec - node->checked >= node->valid
            || (result->status == 200 && result->refs == 1
                && ngx_current_msec - node->used >= NGX_MEDIA_VOD_IDLE_NAME))
        {
            ngx_media_vod_name_drop(table, node);
        }
    }
}


ngx_uint_t
ngx_media_vod_table_release(ngx_media_vod_table_t *table)
{
    ngx_uint_t               n;
    ngx_queue_t             *q, *prev;
    ngx_media_vod_node_t    *node;
    ngx_media_vod_result_t  *result;

    n = 0;

    for (q = ngx_queue_last(&table->names.queue);
         q != ngx_queue_sentinel(&table->names.queue);
         q = prev)
    {
        prev = ngx_queue_prev(q);
        node = ngx_queue_data(q, ngx_media_vod_node_t, queue);
        result = node->result;

        if (node->job || result == NULL || result->refs != 1) {
            continue;
        }

        ngx_media_vod_name_drop(table, node);
        n++;
    }

    return n;
}


static void
ngx_media_vod_sweep_paths(ngx_media_vod_table_t *table)
{
    ngx_queue_t           *q;
    ngx_media_vod_node_t  *node;

    while (!ngx_queue_empty(&table->paths.queue)) {
        q = ngx_queue_last(&table->paths.queue);
        node = ngx_queue_data(q, ngx_media_vod_node_t, queue);

        if (ngx_current_msec - node->used < NGX_MEDIA_VOD_IDLE_PATH) {
            return;
        }

        ngx_media_vod_path_drop(&table->paths, node);
    }
}


ngx_media_vod_table_t *
ngx_media_vod_table_add(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t     *cln;
    ngx_media_vod_table_t  *table;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    table = ngx_pcalloc(cf->pool, sizeof(ngx_media_vod_table_t));

    if (cln == NULL || table == NULL) {
        return NULL;
    }

    ngx_media_vod_tree_init(&table->paths);
    ngx_media_vod_tree_init(&table->names);
    ngx_media_vod_makings_init(&table->makings);

    cln->handler = ngx_media_vod_table_cleanup;
    cln->data = table;

    return table;
}


/* with the cycle; a worker's threads have stopped by then */

static void
ngx_media_vod_table_cleanup(void *data)
{
    ngx_media_vod_table_t *table = data;

    ngx_queue_t             *q;
    ngx_media_vod_job_t     *job;
    ngx_media_vod_wait_t    *wait;
    ngx_media_vod_node_t    *node;
    ngx_media_vod_result_t  *result;

    if (table->event.timer_set) {
        ngx_del_timer(&table->event);
    }

    ngx_media_vod_makings_orphan(&table->makings);

    while (!ngx_queue_empty(&table->names.queue)) {
        q = ngx_queue_last(&table->names.queue);
        node = ngx_queue_data(q, ngx_media_vod_node_t, queue);
        job = node->job;
        result = node->result;

        if (result && ngx_process == NGX_PROCESS_WORKER) {
            /* a worker's pins go with it, they may be gone already */
            result->cache = NULL;
        }

        if (job) {

            while (!ngx_queue_empty(&job->waiters)) {
                q = ngx_queue_head(&job->waiters);
                ngx_queue_remove(q);

                wait = ngx_queue_data(q, ngx_media_vod_wait_t, queue);
                wait->waiting = 0;
                wait->job = NULL;
            }

            ngx_media_vod_job_orphan(job);
        }

        ngx_media_vod_name_drop(table, node);
    }

    while (!ngx_queue_empty(&table->paths.queue)) {
        q = ngx_queue_last(&table->paths.queue);
        node = ngx_queue_data(q, ngx_media_vod_node_t, queue);
        ngx_media_vod_path_drop(&table->paths, node);
    }
}
