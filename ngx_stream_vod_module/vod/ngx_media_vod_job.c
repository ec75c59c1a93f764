
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A job goes through four steps:
 *
 *     map      what the name means: taken apart, read or listed
 *     open     the files that are not known well enough: one task for all
 *     index    blobs of files, each pinned or made; up to SLOTS at a time
 *     set      the blob of the set, pinned or made
 *
 * Each of them is run until it is NGX_OK; NGX_AGAIN means that threads are at
 * work or that another process makes what is needed, then a timer asks again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_sha1.h>
#include "vod/ngx_media_vod_index.h"
#include "vod/ngx_media_vod_job.h"


#define NGX_MEDIA_VOD_JOB_POOL       2048

/* ms between questions whether another process is done */
#define NGX_MEDIA_VOD_JOB_DELAY      5
#define NGX_MEDIA_VOD_JOB_DELAY_MAX  50

/* s; a fragmented file that was written to lately may grow */
#define NGX_MEDIA_VOD_JOB_GROWING    60


typedef ngx_int_t (*ngx_media_vod_step_pt)(ngx_media_vod_job_t *job);


typedef struct {
    ngx_media_vod_job_t      *job;
    ngx_media_vod_probe_t    *probe;
    ngx_media_vod_map_make_t *make;
    ngx_uint_t                mapping;
} ngx_media_vod_map_task_t;


typedef struct {
    ngx_media_vod_job_t      *job;
    ngx_media_vod_probe_t    *probes;
    ngx_uint_t                nprobes;
} ngx_media_vod_open_task_t;


struct ngx_media_vod_slot_s {
    ngx_media_vod_job_t      *job;
    ngx_media_vod_index_t     index;
    ngx_media_vod_item_t     *item;
    ngx_thread_task_t        *task;
    u_char                    key[NGX_MEDIA_CACHE_KEY];
    unsigned                  busy:1;
};


typedef struct {
    ngx_media_vod_job_t      *job;
    ngx_media_vod_set_make_t  make;
} ngx_media_vod_set_task_t;


static ngx_media_vod_result_t *ngx_media_vod_result_create(
    ngx_media_vod_load_t *load);
static void ngx_media_vod_held_free(ngx_media_cache_t *cache,
    ngx_media_vod_held_t *held);
static void ngx_media_vod_job_wake(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_timer(ngx_event_t *ev);
static void ngx_media_vod_job_wait(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_post(ngx_media_vod_job_t *job,
    ngx_thread_task_t *task);
static ngx_thread_task_t *ngx_media_vod_job_task(ngx_media_vod_job_t *job,
    size_t size, void (*handler)(void *data, ngx_log_t *log),
    ngx_event_handler_pt done);

static ngx_int_t ngx_media_vod_job_map(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_map_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_job_map_read(ngx_media_vod_map_task_t *ctx);
static void ngx_media_vod_job_map_done(ngx_event_t *ev);
static ngx_int_t ngx_media_vod_job_mapped(ngx_media_vod_job_t *job);

static ngx_int_t ngx_media_vod_job_open(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_items(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_known(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe, ngx_media_vod_handle_t **handle);
static void ngx_media_vod_job_open_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_job_open_done(ngx_event_t *ev);
static void ngx_media_vod_job_opened(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_probes_free(ngx_media_vod_job_t *job);

static ngx_int_t ngx_media_vod_job_index(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_index_item(ngx_media_vod_job_t *job,
    ngx_media_vod_item_t *item, ngx_media_vod_slot_t *slot);
static ngx_media_vod_slot_t *ngx_media_vod_job_slot(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_index_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_job_index_done(ngx_event_t *ev);
static ngx_int_t ngx_media_vod_job_indexed(ngx_media_vod_job_t *job,
    ngx_media_vod_item_t *item);

static ngx_int_t ngx_media_vod_job_set(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_files(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_set_key(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_set_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_job_set_done(ngx_event_t *ev);
static ngx_int_t ngx_media_vod_job_ready(ngx_media_vod_job_t *job);

static ngx_int_t ngx_media_vod_job_put(ngx_media_vod_job_t *job,
    const u_char *key, ngx_media_vod_held_t *held, void *blob, size_t size);
static void ngx_media_vod_job_key(u_char *key, const char *kind,
    uint32_t value);
static ngx_log_t *ngx_media_vod_job_log(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_fail(ngx_media_vod_job_t *job,
    ngx_uint_t status, const ngx_str_t *path, const u_char *error);
static ngx_int_t ngx_media_vod_job_fail_probe(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe);
static ngx_int_t ngx_media_vod_job_nomem(ngx_media_vod_job_t *job);


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
    job->started = ngx_current_msec;
    job->now = ngx_time();
    job->delay = NGX_MEDIA_VOD_JOB_DELAY;

    job->timer.handler = ngx_media_vod_job_timer;
    job->timer.data = job;
    job->timer.log = ngx_cycle->log;

    ngx_queue_init(&job->waiters);

    return job;
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

    ngx_media_vod_held_free(result->cache, &result->set);

    for (i = 0; i < result->nitems; i++) {
        ngx_media_vod_held_free(result->cache, &result->items[i].blob);
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

static void
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


static void
ngx_media_vod_job_wait(ngx_media_vod_job_t *job)
{
    if (job->timer.timer_set) {
        return;
    }

    ngx_add_timer(&job->timer, job->delay);

    job->delay = ngx_min(job->delay * 2, NGX_MEDIA_VOD_JOB_DELAY_MAX);
}


static ngx_thread_task_t *
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

static ngx_int_t
ngx_media_vod_job_post(ngx_media_vod_job_t *job, ngx_thread_task_t *task)
{
    ngx_int_t  rc;

    task->event.complete = 0;

    if (ngx_thread_task_post(job->conf->thread_pool, task) == NGX_OK) {
        job->tasks++;
        return NGX_AGAIN;
    }

    rc = ngx_media_vod_job_fail(job, 503, NULL,
                                (u_char *) "no thread takes it");
    job->result->passing = 1;

    return rc;
}


/* 1. what the name means */

static ngx_int_t
ngx_media_vod_job_map(ngx_media_vod_job_t *job)
{
    ngx_int_t                  rc;
    ngx_thread_task_t         *task;
    ngx_media_vod_probe_t     *probe;
    ngx_media_vod_map_make_t  *make;
    ngx_media_vod_map_task_t  *ctx;

    if (job->tasks) {
        return NGX_AGAIN;
    }

    make = &job->result->make;

    rc = ngx_media_vod_map_urlset(make);

    if (rc != NGX_DECLINED) {
        return ngx_media_vod_job_mapped(job);
    }

    probe = ngx_pcalloc(job->pool, sizeof(ngx_media_vod_probe_t));
    if (probe == NULL) {
        return ngx_media_vod_job_nomem(job);
    }

    probe->path = make->path;
    probe->fd = NGX_INVALID_FILE;

    job->probes = probe;
    job->nprobes = 1;

    if (!job->conf->mapping) {
        rc = ngx_media_vod_map_file(make);

        if (rc != NGX_OK
            || ngx_media_vod_job_known(job, probe, &job->plain) == NGX_OK)
        {
            return ngx_media_vod_job_mapped(job);
        }

    } else {
        probe->symlinks = job->conf->symlinks;
        probe->symlinks_from = job->symlinks_from;
    }

    task = ngx_media_vod_job_task(job, sizeof(ngx_media_vod_map_task_t),
                                  ngx_media_vod_job_map_thread,
                                  ngx_media_vod_job_map_done);
    if (task == NULL) {
        return ngx_media_vod_job_nomem(job);
    }

    ctx = task->ctx;
    ctx->job = job;
    ctx->probe = probe;
    ctx->make = make;
    ctx->mapping = job->conf->mapping;

    return ngx_media_vod_job_post(job, task);
}


static void
ngx_media_vod_job_map_thread(void *data, ngx_log_t *log)
{
    ngx_media_vod_map_task_t *ctx = data;

    ngx_media_vod_probe_t  *probe;

    probe = ctx->probe;

    ngx_media_vod_probe(probe, log);

    if (probe->failed || probe->special || probe->same) {
        return;
    }

    if (probe->directory) {

        if (!ctx->mapping) {
            (void) ngx_media_vod_map_directory(ctx->make);
        }

        return;
    }

    if (ctx->mapping) {
        ngx_media_vod_job_map_read(ctx);
    }
}


static void
ngx_media_vod_job_map_read(ngx_media_vod_map_task_t *ctx)
{
    u_char                    *p;
    size_t                     size, done;
    ssize_t                    n;
    ngx_media_vod_map_make_t  *make;

    make = ctx->make;

    if (ctx->probe->id.size > NGX_MEDIA_VOD_MAP_SIZE) {
        make->status = 500;
        (void) ngx_snprintf(make->error, NGX_MEDIA_VOD_ERROR,
                            "mapping is larger than %ui bytes%Z",
                            (ngx_uint_t) NGX_MEDIA_VOD_MAP_SIZE);
        return;
    }

    size = (size_t) ctx->probe->id.size;

    p = ngx_pnalloc(make->pool, size + 1);
    if (p == NULL) {
        make->status = 500;
        return;
    }

    for (done = 0; done < size; done += n) {
        n = pread(ctx->probe->fd, p + done, size - done, (off_t) done);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            ctx->probe->err = ngx_errno;
            ctx->probe->failed = "pread()";
            return;
        }

        if (n == 0) {
            break;
        }
    }

    p[done] = '\0';

    make->text.data = p;
    make->text.len = done;

    (void) ngx_media_vod_map_json(make);
}


static void
ngx_media_vod_job_map_done(ngx_event_t *ev)
{
    ngx_media_vod_map_task_t *ctx = ev->data;

    ngx_int_t               rc;
    ngx_media_vod_job_t    *job;
    ngx_media_vod_probe_t  *probe;

    job = ctx->job;
    job->tasks--;

    if (job->table == NULL) {
        ngx_media_vod_job_wake(job);
        return;
    }

    probe = ctx->probe;
    rc = NGX_OK;

    if (probe->failed || probe->special || (probe->directory && ctx->mapping))
    {
        rc = ngx_media_vod_job_fail_probe(job, probe);

    } else if (!probe->directory && !ctx->mapping) {
        job->plain = ngx_media_vod_path_set(&job->table->paths, probe,
                                            job->conf->max_files);
        if (job->plain == NULL) {
            rc = ngx_media_vod_job_nomem(job);
        }
    }

    ngx_media_vod_job_probes_free(job);

    if (rc == NGX_OK && ngx_media_vod_job_mapped(job) == NGX_OK) {
        job->step++;
    }

    ngx_media_vod_job_wake(job);
}


/* a map was made, or not */

static ngx_int_t
ngx_media_vod_job_mapped(ngx_media_vod_job_t *job)
{
    ngx_media_vod_map_make_t  *make;

    make = &job->result->make;

    if (make->status == 200) {
        return NGX_OK;
    }

    return ngx_media_vod_job_fail(job, make->status, NULL, make->error);
}


/* 2. files are opened */

static ngx_int_t
ngx_media_vod_job_open(ngx_media_vod_job_t *job)
{
    ngx_uint_t                  i, n;
    ngx_thread_task_t          *task;
    ngx_media_vod_item_t       *item;
    ngx_media_vod_probe_t      *probe;
    ngx_media_vod_open_task_t  *ctx;

    if (job->tasks) {
        return NGX_AGAIN;
    }

    ngx_media_vod_job_probes_free(job);

    if (ngx_media_vod_job_items(job) != NGX_OK) {
        return NGX_ERROR;
    }

    n = job->result->nitems;

    job->probes = ngx_pcalloc(job->pool, n * sizeof(ngx_media_vod_probe_t));
    job->todo = ngx_palloc(job->pool, n * sizeof(uint32_t));

    if (job->probes == NULL || job->todo == NULL) {
        return ngx_media_vod_job_nomem(job);
    }

    for (i = 0; i < n; i++) {
        item = &job->result->items[i];

        if (job->plain
            && item->path.len == job->result->make.path.len
            && ngx_memcmp(item->path.data, job->result->make.path.data,
                          item->path.len)
               == 0)
        {
            item->handle = job->plain;
            job->plain = NULL;
            continue;
        }

        probe = &job->probes[job->nprobes];
        probe->path = item->path;
        probe->fd = NGX_INVALID_FILE;

        if (ngx_media_vod_job_known(job, probe, &item->handle) != NGX_OK) {
            job->todo[job->nprobes++] = i;
        }
    }

    if (job->nprobes == 0) {
        ngx_media_vod_job_opened(job);
        return NGX_OK;
    }

    task = ngx_media_vod_job_task(job, sizeof(ngx_media_vod_open_task_t),
                                  ngx_media_vod_job_open_thread,
                                  ngx_media_vod_job_open_done);
    if (task == NULL) {
        return ngx_media_vod_job_nomem(job);
    }

    ctx = task->ctx;
    ctx->job = job;
    ctx->probes = job->probes;
    ctx->nprobes = job->nprobes;

    return ngx_media_vod_job_post(job, task);
}


/* each file of the map once */

static ngx_int_t
ngx_media_vod_job_items(ngx_media_vod_job_t *job)
{
    uint32_t                hash;
    ngx_str_t              *path;
    ngx_uint_t              i, n;
    ngx_rbtree_t            rbtree;
    ngx_str_node_t         *nodes, *node;
    ngx_rbtree_node_t       sentinel;
    ngx_media_vod_map_t    *map;
    ngx_media_vod_result_t *result;

    result = job->result;
    map = &result->make.map;

    if (map->nsequences == 0 || map->nsequences > NGX_MEDIA_VOD_SEQUENCES
        || map->nclips == 0 || map->nclips > NGX_MEDIA_VOD_CLIPS)
    {
        return ngx_media_vod_job_fail(job, 500, NULL,
                                      (u_char *) "the map is empty");
    }

    n = map->nsequences * map->nclips;

    result->files = ngx_pcalloc(result->pool,
                                n * sizeof(ngx_media_vod_open_t));
    result->items = ngx_pcalloc(result->pool,
                                n * sizeof(ngx_media_vod_item_t));
    nodes = ngx_pcalloc(job->pool, n * sizeof(ngx_str_node_t));

    if (result->files == NULL || result->items == NULL || nodes == NULL) {
        return ngx_media_vod_job_nomem(job);
    }

    ngx_rbtree_init(&rbtree, &sentinel, ngx_str_rbtree_insert_value);

    for (i = 0; i < n; i++) {
        path = &map->sequences[i / map->nclips].clips[i % map->nclips].path;
        hash = ngx_crc32_long(path->data, path->len);

        result->files[i].path = *path;

        node = ngx_str_rbtree_lookup(&rbtree, path, hash);

        if (node == NULL) {
            node = &nodes[result->nitems];
            node->node.key = hash;
            node->str = *path;
            ngx_rbtree_insert(&rbtree, &node->node);

            result->items[result->nitems++].path = *path;
        }

        /* until there is something better */
        result->files[i].fd = (ngx_fd_t) (node - nodes);
    }

    if (result->nitems > job->conf->max_files) {
        return ngx_media_vod_job_fail(job, 500, NULL,
                                      (u_char *) "too many files in the map");
    }

    return NGX_OK;
}


/*
 * NGX_OK: the path was looked at a moment ago, *handle is a reference;
 * NGX_DECLINED: probe->known is what it was before that.
 */

static ngx_int_t
ngx_media_vod_job_known(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe, ngx_media_vod_handle_t **handle)
{
    size_t                     from;
    ngx_str_t                 *path;
    ngx_media_vod_key_t        key;
    ngx_media_vod_node_t      *node;
    ngx_media_vod_map_make_t  *make;

    make = &job->result->make;
    path = &probe->path;
    from = job->symlinks_from;

    /* a file elsewhere is looked at from the root of the file system */

    if (from >= path->len || from >= make->path.len
        || ngx_memcmp(path->data, make->path.data, from) != 0
        || path->data[from] != '/')
    {
        from = 0;
    }

    probe->symlinks = job->conf->symlinks;
    probe->symlinks_from = from;
    probe->asked = ngx_current_msec;

    ngx_media_vod_path_key(&key, path, probe->symlinks, from);

    node = ngx_media_vod_node_find(&job->table->paths, &key);

    if (node == NULL) {
        return NGX_DECLINED;
    }

    node->handle->refs++;

    if (ngx_current_msec - node->checked < job->conf->valid) {
        *handle = node->handle;
        return NGX_OK;
    }

    probe->known = node->handle;

    return NGX_DECLINED;
}


static void
ngx_media_vod_job_open_thread(void *data, ngx_log_t *log)
{
    ngx_media_vod_open_task_t *ctx = data;

    ngx_uint_t              i;
    ngx_media_vod_probe_t  *probe;

    for (i = 0; i < ctx->nprobes; i++) {
        probe = &ctx->probes[i];

        ngx_media_vod_probe(probe, log);

        if (probe->failed || probe->special || probe->directory) {
            return;
        }
    }
}


static void
ngx_media_vod_job_open_done(ngx_event_t *ev)
{
    ngx_media_vod_open_task_t *ctx = ev->data;

    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_media_vod_job_t    *job;
    ngx_media_vod_item_t   *item;
    ngx_media_vod_probe_t  *probe;

    job = ctx->job;
    job->tasks--;

    if (job->table == NULL) {
        ngx_media_vod_job_wake(job);
        return;
    }

    rc = NGX_OK;

    for (i = 0; i < job->nprobes; i++) {
        probe = &job->probes[i];
        item = &job->result->items[job->todo[i]];

        if (probe->failed || probe->special || probe->directory) {
            rc = ngx_media_vod_job_fail_probe(job, probe);
            break;
        }

        item->handle = ngx_media_vod_path_set(&job->table->paths, probe,
                                              job->conf->max_files);
        if (item->handle == NULL) {
            rc = ngx_media_vod_job_nomem(job);
            break;
        }
    }

    if (rc == NGX_OK) {
        ngx_media_vod_job_opened(job);
        job->step++;
    }

    ngx_media_vod_job_probes_free(job);

    ngx_media_vod_job_wake(job);
}


static void
ngx_media_vod_job_opened(ngx_media_vod_job_t *job)
{
    ngx_uint_t  i;

    job->ntodo = job->result->nitems;

    for (i = 0; i < job->ntodo; i++) {
        job->todo[i] = i;
    }
}


static void
ngx_media_vod_job_probes_free(ngx_media_vod_job_t *job)
{
    ngx_uint_t  i;

    for (i = 0; i < job->nprobes; i++) {
        ngx_media_vod_handle_unref(job->probes[i].known);
        ngx_media_vod_probe_close(&job->probes[i]);
    }

    job->nprobes = 0;
}


/* 3. files are indexed */

static ngx_int_t
ngx_media_vod_job_index(ngx_media_vod_job_t *job)
{
    ngx_int_t               rc;
    ngx_uint_t              i, n, again;
    ngx_media_vod_slot_t   *slot;
    ngx_media_vod_item_t   *items;
    ngx_media_vod_result_t *result;

    result = job->result;
    items = result->items;

    n = 0;
    again = 0;

    for (i = 0; i < job->ntodo; i++) {

        slot = ngx_media_vod_job_slot(job);

        if (slot == NULL || result->status) {
            job->todo[n++] = job->todo[i];
            continue;
        }

        rc = ngx_media_vod_job_index_item(job, &items[job->todo[i]], slot);

        if (rc == NGX_DECLINED) {
            again = 1;
            job->todo[n++] = job->todo[i];
        }
    }

    job->ntodo = n;

    if (result->status) {
        return NGX_ERROR;
    }

    if (n == 0 && job->tasks == 0) {

        if (job->timer.timer_set) {
            ngx_del_timer(&job->timer);
        }

        job->delay = NGX_MEDIA_VOD_JOB_DELAY;

        return NGX_OK;
    }

    if (again) {
        ngx_media_vod_job_wait(job);
    }

    return NGX_AGAIN;
}


/*
 * NGX_OK: its blob is there; NGX_AGAIN: a thread makes it; NGX_DECLINED:
 * somebody else does; NGX_ERROR: it failed
 */

static ngx_int_t
ngx_media_vod_job_index_item(ngx_media_vod_job_t *job,
    ngx_media_vod_item_t *item, ngx_media_vod_slot_t *slot)
{
    u_char                 *key;
    ngx_int_t               rc;
    ngx_media_vod_index_t  *index;

    key = slot->key;

    /* how much may be read makes a difference to what is found */

    ngx_media_vod_job_key(key, "FILE", (uint32_t) (job->conf->max_moov >> 12));
    ngx_memcpy(key + 8, &item->handle->id, sizeof(ngx_media_vod_id_t));

    rc = ngx_media_cache_get(job->conf->cache, key, &item->blob.ref);

    if (rc == NGX_OK) {
        item->blob.data = item->blob.ref.data;
        return ngx_media_vod_job_indexed(job, item);
    }

    if (rc == NGX_AGAIN) {
        return NGX_DECLINED;
    }

    if (rc != NGX_DECLINED) {
        return ngx_media_vod_job_nomem(job);
    }

    index = &slot->index;

    ngx_memzero(index, sizeof(ngx_media_vod_index_t));

    index->fd = item->handle->fd;
    index->id = item->handle->id;
    index->path = (const char *) item->path.data;
    index->max_moov = job->conf->max_moov;
    index->now = job->now;

    slot->item = item;

    rc = ngx_media_vod_job_post(job, slot->task);

    if (rc == NGX_AGAIN) {
        slot->busy = 1;

    } else {
        ngx_media_cache_abandon(job->conf->cache, key);
    }

    return rc;
}


/* NULL: all of them are in use, or no memory: it failed */

static ngx_media_vod_slot_t *
ngx_media_vod_job_slot(ngx_media_vod_job_t *job)
{
    ngx_uint_t             i;
    ngx_thread_task_t     *task;
    ngx_media_vod_slot_t  *slot;

    for (i = 0; i < NGX_MEDIA_VOD_JOB_SLOTS; i++) {
        slot = job->slots[i];

        if (slot == NULL) {
            task = ngx_media_vod_job_task(job, sizeof(ngx_media_vod_slot_t),
                                          ngx_media_vod_job_index_thread,
                                          ngx_media_vod_job_index_done);
            if (task == NULL) {
                (void) ngx_media_vod_job_nomem(job);
                return NULL;
            }

            slot = task->ctx;
            slot->job = job;
            slot->task = task;

            job->slots[i] = slot;
        }

        if (!slot->busy) {
            return slot;
        }
    }

    return NULL;
}


static void
ngx_media_vod_job_index_thread(void *data, ngx_log_t *log)
{
    ngx_media_vod_slot_t *slot = data;

    ngx_media_vod_index(&slot->index);
}


static void
ngx_media_vod_job_index_done(ngx_event_t *ev)
{
    ngx_media_vod_slot_t *slot = ev->data;

    ngx_media_vod_job_t   *job;
    ngx_media_vod_file_t  *file;
    ngx_media_vod_item_t  *item;

    job = slot->job;
    item = slot->item;
    file = slot->index.file;

    slot->busy = 0;
    slot->index.file = NULL;
    job->tasks--;

    if (job->table == NULL) {
        free(file);

    } else if (file == NULL) {
        ngx_media_cache_abandon(job->conf->cache, slot->key);
        (void) ngx_media_vod_job_nomem(job);

    } else {

        if (ngx_media_vod_job_put(job, slot->key, &item->blob, file,
                                  file->size)
            != NGX_OK
            && !item->handle->warned)
        {
            item->handle->warned = 1;

            ngx_log_error(NGX_LOG_WARN, ngx_media_vod_job_log(job), 0,
                          "media vod: \"%V\": no room for its index, "
                          "size:%uD", &item->path, file->size);
        }

        (void) ngx_media_vod_job_indexed(job, item);
    }

    ngx_media_vod_job_wake(job);
}


/* a file that cannot be served fails all */

static ngx_int_t
ngx_media_vod_job_indexed(ngx_media_vod_job_t *job, ngx_media_vod_item_t *item)
{
    const ngx_media_vod_file_t  *file;

    file = item->blob.data;

    if (file->status == 200) {
        return NGX_OK;
    }

    return ngx_media_vod_job_fail(job, file->status, &item->path,
                                  file->error);
}


/* 4. the set */

static ngx_int_t
ngx_media_vod_job_set(ngx_media_vod_job_t *job)
{
    ngx_int_t                  rc;
    ngx_thread_task_t         *task;
    ngx_media_vod_result_t    *result;
    ngx_media_vod_set_task_t  *ctx;

    if (job->tasks) {
        return NGX_AGAIN;
    }

    result = job->result;

    ngx_media_vod_job_files(job);
    ngx_media_vod_job_set_key(job);

    rc = ngx_media_cache_get(job->conf->cache, job->key, &result->set.ref);

    if (rc == NGX_OK) {
        result->set.data = result->set.ref.data;
        return ngx_media_vod_job_ready(job);
    }

    if (rc == NGX_AGAIN) {
        ngx_media_vod_job_wait(job);
        return NGX_AGAIN;
    }

    if (rc != NGX_DECLINED) {
        return ngx_media_vod_job_nomem(job);
    }

    task = ngx_media_vod_job_task(job, sizeof(ngx_media_vod_set_task_t),
                                  ngx_media_vod_job_set_thread,
                                  ngx_media_vod_job_set_done);
    if (task == NULL) {
        ngx_media_cache_abandon(job->conf->cache, job->key);
        return ngx_media_vod_job_nomem(job);
    }

    ctx = task->ctx;
    ctx->job = job;
    ctx->make.map = &result->make.map;
    ctx->make.files = result->files;
    ctx->make.target = job->conf->target;
    ctx->make.now = job->now;

    rc = ngx_media_vod_job_post(job, task);

    if (rc == NGX_AGAIN) {
        job->making = 1;

    } else {
        ngx_media_cache_abandon(job->conf->cache, job->key);
    }

    return rc;
}


static void
ngx_media_vod_job_files(ngx_media_vod_job_t *job)
{
    ngx_uint_t               i, n;
    ngx_media_vod_item_t    *item;
    ngx_media_vod_open_t    *open;
    ngx_media_vod_result_t  *result;

    result = job->result;

    if (result->files[0].file) {
        return;
    }

    n = result->make.map.nsequences * result->make.map.nclips;

    for (i = 0; i < n; i++) {
        open = &result->files[i];
        item = &result->items[open->fd];

        open->fd = item->handle->fd;
        open->id = item->handle->id;
        open->file = item->blob.data;
    }
}


/*
 * What a set is made of: the map, its files, how long segments shall be, and
 * whether a file may grow.
 */

static void
ngx_media_vod_job_set_key(ngx_media_vod_job_t *job)
{
    u_char                       growing;
    uint32_t                     n;
    int64_t                      mtime;
    uint64_t                     hash;
    ngx_uint_t                   i;
    ngx_sha1_t                   sha1;
    ngx_media_vod_result_t      *result;
    const ngx_media_vod_open_t  *open;

    result = job->result;

    n = (uint32_t) (result->make.map.nsequences * result->make.map.nclips);
    hash = result->make.map.hash;

    ngx_media_vod_job_key(job->key, "SET ", (uint32_t) job->conf->target);
    ngx_memcpy(job->key + 8, &hash, 8);

    ngx_sha1_init(&sha1);

    for (i = 0; i < n; i++) {
        open = &result->files[i];
        mtime = open->id.mtime / 1000000000;

        growing = open->file->fragmented
                  && (int64_t) job->now - mtime < NGX_MEDIA_VOD_JOB_GROWING;

        ngx_sha1_update(&sha1, &open->id, sizeof(ngx_media_vod_id_t));
        ngx_sha1_update(&sha1, &open->file->tag, 8);
        ngx_sha1_update(&sha1, &growing, 1);
    }

    ngx_sha1_final(job->key + 16, &sha1);
    ngx_memcpy(job->key + 36, &n, 4);
}


static void
ngx_media_vod_job_set_thread(void *data, ngx_log_t *log)
{
    ngx_media_vod_set_task_t *ctx = data;

    ngx_media_vod_set_make(&ctx->make);
}


static void
ngx_media_vod_job_set_done(ngx_event_t *ev)
{
    ngx_media_vod_set_task_t *ctx = ev->data;

    ngx_log_t               *log;
    ngx_media_vod_job_t     *job;
    ngx_media_vod_set_t     *set;
    ngx_media_vod_result_t  *result;

    job = ctx->job;
    set = ctx->make.set;

    job->tasks--;
    job->making = 0;

    if (job->table == NULL) {
        free(set);
        ngx_media_vod_job_wake(job);
        return;
    }

    if (set == NULL) {
        ngx_media_cache_abandon(job->conf->cache, job->key);
        (void) ngx_media_vod_job_nomem(job);
        ngx_media_vod_job_wake(job);
        return;
    }

    result = job->result;
    log = ngx_media_vod_job_log(job);

    if (set->note[0]) {
        ngx_log_error(NGX_LOG_WARN, log, 0, "media vod: \"%V\": %s",
                      &result->make.path, set->note);
    }

    if (ngx_media_vod_job_put(job, job->key, &result->set, set, set->size)
        != NGX_OK
        && !job->node->warned)
    {
        job->node->warned = 1;

        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "media vod: \"%V\": no room for its set, size:%uD",
                      &result->make.path, set->size);
    }

    if (ngx_media_vod_job_ready(job) == NGX_OK) {
        job->step++;
    }

    ngx_media_vod_job_wake(job);
}


static ngx_int_t
ngx_media_vod_job_ready(ngx_media_vod_job_t *job)
{
    const ngx_media_vod_set_t  *set;

    set = job->result->set.data;

    if (set->status != 200) {
        return ngx_media_vod_job_fail(job, set->status, NULL, set->error);
    }

    if (job->result->status) {
        return NGX_ERROR;
    }

    job->result->status = 200;

    return NGX_OK;
}


/*
 * The blob, from malloc(), is moved: into the cache, or it is kept as it is,
 * then it is NGX_DECLINED.
 */

static ngx_int_t
ngx_media_vod_job_put(ngx_media_vod_job_t *job, const u_char *key,
    ngx_media_vod_held_t *held, void *blob, size_t size)
{
    if (ngx_media_cache_put(job->conf->cache, key, blob, size, &held->ref)
        == NGX_OK)
    {
        held->data = held->ref.data;
        free(blob);
        return NGX_OK;
    }

    held->own = blob;
    held->data = blob;

    return NGX_DECLINED;
}


/* the first 8 bytes of a key */

static void
ngx_media_vod_job_key(u_char *key, const char *kind, uint32_t value)
{
    ngx_memcpy(key, kind, 4);

    key[4] = NGX_MEDIA_VOD_VERSION;
    key[5] = (u_char) (value >> 16);
    key[6] = (u_char) (value >> 8);
    key[7] = (u_char) value;
}


/* the log of who has waited longest */

static ngx_log_t *
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

static ngx_int_t
ngx_media_vod_job_fail(ngx_media_vod_job_t *job, ngx_uint_t status,
    const ngx_str_t *path, const u_char *error)
{
    u_char                   c;
    ngx_uint_t               i;
    ngx_media_vod_result_t  *result;

    result = job->result;

    if (result->status) {
        return NGX_ERROR;
    }

    result->status = (status < 400 || status > 599) ? 500 : status;
    result->level = NGX_LOG_ERR;
    result->path = path ? *path : result->make.path;

    /* names of boxes are whatever bytes the file has */

    for (i = 0; i < NGX_MEDIA_VOD_ERROR - 1 && error[i]; i++) {
        c = error[i];
        result->error[i] = (c < 0x20 || c == 0x7f) ? '?' : c;
    }

    result->error[i] = '\0';

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_vod_job_fail_probe(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe)
{
    u_char      error[NGX_MEDIA_VOD_ERROR];
    ngx_int_t   rc;
    ngx_uint_t  crit, status;

    if (probe->failed == NULL) {
        return ngx_media_vod_job_fail(job, 404, &probe->path,
                                      (u_char *) "it is not a regular file");
    }

    crit = 0;

    switch (probe->err) {

    case NGX_ENOENT:
    case NGX_ENOTDIR:
    case NGX_ENAMETOOLONG:
        status = 404;
        break;

    case NGX_EACCES:
#if (NGX_HAVE_OPENAT)
    case NGX_EMLINK:
    case NGX_ELOOP:
#endif
        status = 403;
        break;

    default:
        status = 500;
        crit = 1;
        break;
    }

    (void) ngx_snprintf(error, NGX_MEDIA_VOD_ERROR, "%s failed%Z",
                        probe->failed);

    rc = ngx_media_vod_job_fail(job, status, &probe->path, error);

    job->result->err = probe->err;

    if (crit) {
        job->result->level = NGX_LOG_CRIT;
        job->result->passing = 1;
    }

    return rc;
}


static ngx_int_t
ngx_media_vod_job_nomem(ngx_media_vod_job_t *job)
{
    ngx_int_t  rc;

    rc = ngx_media_vod_job_fail(job, 500, NULL, (u_char *) "no memory");

    job->result->passing = 1;

    return rc;
}
