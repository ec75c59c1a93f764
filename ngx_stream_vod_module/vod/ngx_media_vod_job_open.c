
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The first two steps of a job: what a name means, and files are opened.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "vod/ngx_media_vod_job_step.h"


/* ms; less than what ngx_media_vod_temp_trim() takes for used */
#define NGX_MEDIA_VOD_JOB_TOUCH  15000


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


/* what a clip has that is empty */

static const ngx_media_vod_file_t  ngx_media_vod_job_nothing = {
    .version = NGX_MEDIA_VOD_VERSION,
    .size = sizeof(ngx_media_vod_file_t),
    .status = 200
};


static void ngx_media_vod_job_map_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_job_map_read(ngx_media_vod_map_task_t *ctx);
static void ngx_media_vod_job_map_done(ngx_event_t *ev);
static ngx_int_t ngx_media_vod_job_mapped(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_items(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_known(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe, ngx_media_vod_handle_t **handle);
static void ngx_media_vod_job_probe(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe);
static void ngx_media_vod_job_open_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_job_open_done(ngx_event_t *ev);
static void ngx_media_vod_job_opened(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_fail_probe(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe);


/* 1. what the name means */

ngx_int_t
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
        ngx_media_vod_job_probe(job, probe);
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
        ctx->probe->err = NGX_ENOMEM;
        ctx->probe->failed = "pread()";
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

    if (!ngx_media_vod_job_is_done(ev)) {
        return;
    }

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

ngx_int_t
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

        if (path->len == 0) {
            result->files[i].file = &ngx_media_vod_job_nothing;
            result->files[i].fd = NGX_INVALID_FILE;
            continue;
        }

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
 * NGX_DECLINED: probe->known is what it was before that.  A converted file is
 * deleted if it seems not to be used, so from time to time it is touched.
 */

static ngx_int_t
ngx_media_vod_job_known(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe, ngx_media_vod_handle_t **handle)
{
    ngx_media_vod_key_t      key;
    ngx_media_vod_node_t    *node;
    ngx_media_vod_handle_t  *converted;
    ngx_media_vod_result_t  *result;

    ngx_media_vod_job_probe(job, probe);

    ngx_media_vod_path_key(&key, &probe->path, probe->symlinks,
                           probe->symlinks_from);

    node = ngx_media_vod_node_find(&job->table->paths, &key);

    if (node == NULL) {
        return NGX_DECLINED;
    }

    node->handle->refs++;

    if (!job->again && ngx_current_msec - node->checked < job->conf->valid) {
        result = job->result;

        if ((ngx_msec_int_t) (node->checked - result->seen) < 0) {
            result->seen = node->checked;
        }

        *handle = node->handle;
        return NGX_OK;
    }

    probe->known = node->handle;

    converted = node->handle->converted;

    if (converted
        && ngx_current_msec - converted->touched >= NGX_MEDIA_VOD_JOB_TOUCH)
    {
        converted->touched = ngx_current_msec;
        converted->refs++;
        probe->touch = converted;
    }

    return NGX_DECLINED;
}


/* a file elsewhere is looked at from the root of the file system */

static void
ngx_media_vod_job_probe(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe)
{
    size_t      from;
    ngx_str_t  *path, *name;

    path = &probe->path;
    name = &job->result->make.path;
    from = job->symlinks_from;

    if (from >= path->len || from >= name->len || path->data[from] != '/'
        || ngx_memcmp(path->data, name->data, from) != 0)
    {
        from = 0;
    }

    probe->symlinks = job->conf->symlinks;
    probe->symlinks_from = from;
    probe->asked = ngx_current_msec;
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

    if (!ngx_media_vod_job_is_done(ev)) {
        return;
    }

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


void
ngx_media_vod_job_probes_free(ngx_media_vod_job_t *job)
{
    ngx_uint_t  i;

    for (i = 0; i < job->nprobes; i++) {
        ngx_media_vod_handle_unref(job->probes[i].known);
        ngx_media_vod_handle_unref(job->probes[i].touch);
        ngx_media_vod_probe_close(&job->probes[i]);
    }

    job->nprobes = 0;
}


static ngx_int_t
ngx_media_vod_job_fail_probe(ngx_media_vod_job_t *job,
    ngx_media_vod_probe_t *probe)
{
    u_char                 error[NGX_MEDIA_VOD_ERROR];
    ngx_int_t              rc;
    ngx_uint_t             crit, status;
    ngx_media_vod_key_t    key;
    ngx_media_vod_node_t  *node;

    ngx_media_vod_path_key(&key, &probe->path, probe->symlinks,
                           probe->symlinks_from);

    node = ngx_media_vod_node_find(&job->table->paths, &key);

    if (node) {
        ngx_media_vod_path_drop(&job->table->paths, node);
    }

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
