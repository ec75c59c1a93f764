
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What loads stand on: files that are real, and threads, a cache, indexes and
 * sets that are not: threads work and report when the test says so.
 */


#ifndef _MEDIA_LOAD_H_INCLUDED_
#define _MEDIA_LOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_sha1.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include "files/ngx_media_vod_index.h"
#include "vod/ngx_media_vod_job.h"
#include "files/ngx_media_vod_temp.h"
#include "ngx_stub.h"
#include "tap.h"


#define BLOBS  64
#define TASKS  64
#define LOADS  8


typedef struct {
    u_char                 key[NGX_MEDIA_CACHE_KEY];
    void                  *data;
    ngx_uint_t             pins;
    ngx_uint_t             state;             /* 0 free 1 made 2 ready */
} blob_t;


typedef struct {
    ngx_media_vod_load_t   load;
    ngx_uint_t             called;
    ngx_uint_t             kill;              /* another + 1, when called */
} test_load_t;


uint32_t                   ngx_crc32_table256[256];

static blob_t              blobs[BLOBS];
static ngx_uint_t          cache_full;
static ngx_thread_task_t  *queued[TASKS], *worked[TASKS];
static ngx_uint_t          nqueued, nworked, max_queue = TASKS;
static ngx_uint_t          nposted, nindexed, nsets, nconverted;
static ngx_uint_t          no_space, load_listed;
static uint64_t            converter = 1;

static ngx_rbtree_node_t   timer_sentinel;
static int64_t             now = 1800000000000;
static char                dir[64], converted[96];
static ngx_uint_t          fds, pools;

static ngx_conf_t          cf;
static ngx_media_vod_conf_t  conf;
static test_load_t         loads[LOADS];


/* what nginx has */

static void
insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t  **p;

    for ( ;; ) {
        p = (node->key < temp->key) ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
}


void
ngx_str_rbtree_insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    insert_value(temp, node, sentinel);
}


/* nodes of equal keys are to the right */

ngx_str_node_t *
ngx_str_rbtree_lookup(ngx_rbtree_t *rbtree, ngx_str_t *val, uint32_t hash)
{
    ngx_str_node_t     *n;
    ngx_rbtree_node_t  *node;

    for (node = rbtree->root; node != rbtree->sentinel; ) {
        n = (ngx_str_node_t *) node;

        if (hash == node->key && n->str.len == val->len
            && memcmp(n->str.data, val->data, val->len) == 0)
        {
            return n;
        }

        node = (hash < node->key) ? node->left : node->right;
    }

    return NULL;
}


void
ngx_sha1_init(ngx_sha1_t *ctx)
{
    ctx->bytes = 5381;
}


void
ngx_sha1_update(ngx_sha1_t *ctx, const void *data, size_t size)
{
    size_t  i;

    for (i = 0; i < size; i++) {
        ctx->bytes = (ctx->bytes ^ ((const u_char *) data)[i])
                     * 1099511628211ULL;
    }
}


void
ngx_sha1_final(u_char result[20], ngx_sha1_t *ctx)
{
    memset(result, 0, 20);
    memcpy(result, &ctx->bytes, 8);
}


u_char * ngx_cdecl
ngx_snprintf(u_char *buf, size_t max, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);

    if (strncmp(fmt, "%s", 2) == 0) {
        snprintf((char *) buf, max, "%s failed", va_arg(args, char *));

    } else {
        snprintf((char *) buf, max, "too large");
    }

    va_end(args);

    return buf;
}


static void
file_cleanup(void *data)
{
    close(((ngx_pool_cleanup_file_t *) data)->fd);
}


ngx_int_t
ngx_open_cached_file(ngx_open_file_cache_t *cache, ngx_str_t *name,
    ngx_open_file_info_t *of, ngx_pool_t *pool)
{
    struct stat          st;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_pool_cleanup_file_t));

    of->fd = open((char *) name->data,
                  O_RDONLY|O_NONBLOCK
                  |(of->disable_symlinks == NGX_DISABLE_SYMLINKS_ON
                    ? O_NOFOLLOW : 0));

    if (of->fd == -1) {
        of->err = errno;
        of->failed = "open()";
        return NGX_ERROR;
    }

    fstat(of->fd, &st);

    of->is_dir = S_ISDIR(st.st_mode);
    of->is_file = S_ISREG(st.st_mode);

    if (of->is_dir) {
        close(of->fd);
        of->fd = -1;

    } else {
        cln->handler = file_cleanup;
        ((ngx_pool_cleanup_file_t *) cln->data)->fd = of->fd;
    }

    return NGX_OK;
}


ngx_thread_task_t *
ngx_thread_task_alloc(ngx_pool_t *pool, size_t size)
{
    ngx_thread_task_t  *task;

    task = ngx_pcalloc(pool, sizeof(ngx_thread_task_t) + size);
    task->ctx = task + 1;

    return task;
}


ngx_int_t
ngx_thread_task_post(ngx_thread_pool_t *tp, ngx_thread_task_t *task)
{
    if (task->event.active || nqueued == max_queue) {
        return NGX_ERROR;
    }

    task->event.active = 1;
    queued[nqueued++] = task;
    nposted++;

    return NGX_OK;
}


/* threads do what is queued */

static void
work(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nqueued; i++) {
        queued[i]->handler(queued[i]->ctx, &ngx_stub_log);
        worked[nworked++] = queued[i];
    }

    nqueued = 0;
}


/* the event loop hears of it */

static void
report(void)
{
    ngx_uint_t          i, n;
    ngx_event_t        *ev;
    ngx_thread_task_t  *tasks[TASKS];

    n = nworked;
    memcpy(tasks, worked, sizeof(tasks));
    nworked = 0;

    for (i = 0; i < n; i++) {
        ev = &tasks[i]->event;
        ev->complete = 1;
        ev->active = 0;
        ev->handler(ev);
    }
}


static void
work_all(void)
{
    while (nqueued || nworked) {
        work();
        report();
    }
}


static void
pass(int64_t msec)
{
    ngx_event_t        *ev;
    ngx_rbtree_node_t  *node;

    now += msec;
    ngx_stub_clock(now);

    for ( ;; ) {
        node = ngx_event_timer_rbtree.root;

        if (node == &timer_sentinel) {
            return;
        }

        node = ngx_rbtree_min(node, &timer_sentinel);

        if ((ngx_msec_int_t) (node->key - ngx_current_msec) > 0) {
            return;
        }

        ev = ngx_rbtree_data(node, ngx_event_t, timer);

        ngx_rbtree_delete(&ngx_event_timer_rbtree, node);
        ev->timer_set = 0;
        ev->handler(ev);
    }
}


/* the cache */

static blob_t *
blob_find(const u_char *key)
{
    ngx_uint_t  i;

    for (i = 0; i < BLOBS; i++) {
        if (blobs[i].state
            && memcmp(blobs[i].key, key, NGX_MEDIA_CACHE_KEY) == 0)
        {
            return &blobs[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_media_cache_get(ngx_media_cache_t *cache, const u_char *key,
    ngx_media_cache_ref_t *ref)
{
    blob_t  *b;

    memset(ref, 0, sizeof(*ref));

    b = blob_find(key);

    if (b == NULL) {
        for (b = blobs; b->state; b++) { /* void */ }

        memcpy(b->key, key, NGX_MEDIA_CACHE_KEY);
        b->state = 1;

        return NGX_DECLINED;
    }

    if (b->state == 1) {
        return NGX_AGAIN;
    }

    b->pins++;
    ref->data = b->data;
    ref->entry = b - blobs;

    return NGX_OK;
}


ngx_int_t
ngx_media_cache_put(ngx_media_cache_t *cache, const u_char *key,
    const void *data, size_t size, ngx_media_cache_ref_t *ref)
{
    blob_t  *b;

    memset(ref, 0, sizeof(*ref));

    b = blob_find(key);

    if (cache_full) {
        b->state = 0;
        return NGX_DECLINED;
    }

    b->data = malloc(size);
    memcpy(b->data, data, size);
    b->state = 2;
    b->pins++;

    ref->data = b->data;
    ref->entry = b - blobs;

    return NGX_OK;
}


void
ngx_media_cache_abandon(ngx_media_cache_t *cache, const u_char *key)
{
    blob_find(key)->state = 0;
}


void
ngx_media_cache_unpin(ngx_media_cache_t *cache, ngx_media_cache_ref_t *ref)
{
    blobs[ref->entry].pins--;
    memset(ref, 0, sizeof(*ref));
}


static ngx_uint_t
pins(void)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < BLOBS; i++) {
        n += blobs[i].pins;
    }

    return n;
}


static void
unpin_all(void)
{
    ngx_uint_t  i;

    for (i = 0; i < BLOBS; i++) {
        blobs[i].pins = 0;
    }
}


static void
cache_empty(void)
{
    ngx_uint_t  i;

    for (i = 0; i < BLOBS; i++) {
        if (blobs[i].state == 2 && blobs[i].pins == 0) {
            free(blobs[i].data);
            blobs[i].state = 0;
        }
    }
}


/* maps, indexes and sets */

static ngx_int_t
map_paths(ngx_media_vod_map_make_t *make, ngx_uint_t n, const char **names)
{
    char                  *p;
    ngx_uint_t             i;
    ngx_media_vod_map_t   *map;
    ngx_media_vod_clip_t  *clips;

    map = &make->map;

    map->nsequences = 1;
    map->nclips = n;
    map->sequences = ngx_pcalloc(make->pool, sizeof(ngx_media_vod_sequence_t));

    clips = ngx_pcalloc(make->pool, n * sizeof(ngx_media_vod_clip_t));
    map->sequences[0].clips = clips;

    for (i = 0; i < n; i++) {
        p = ngx_palloc(make->pool, 256);
        snprintf(p, 256, "%s/%s", dir, names[i]);

        clips[i].path.data = (u_char *) p;
        clips[i].path.len = strlen(p);
    }

    make->status = 200;

    return NGX_OK;
}


static const char  *two[] = { "one.mp4", "two.mp4" };


ngx_int_t
ngx_media_vod_map_file(ngx_media_vod_map_make_t *make)
{
    const char  *name;

    name = (char *) make->path.data + strlen(dir) + 1;

    return map_paths(make, 1, &name);
}


ngx_int_t
ngx_media_vod_map_urlset(ngx_media_vod_map_make_t *make)
{
    if (strstr((char *) make->path.data, ".urlset") == NULL) {
        return NGX_DECLINED;
    }

    return map_paths(make, 2, two);
}


ngx_int_t
ngx_media_vod_map_directory(ngx_media_vod_map_make_t *make)
{
    return map_paths(make, 2, two);
}


/* the text is how often one.mp4 is repeated */

ngx_int_t
ngx_media_vod_map_json(ngx_media_vod_map_make_t *make)
{
    ngx_uint_t   i, n;
    const char  *names[16];

    n = make->text.data[0] - '0';

    for (i = 0; i < n; i++) {
        names[i] = two[0];
    }

    if (n == 0) {
        make->status = 500;
        strcpy((char *) make->error, "bad mapping");
        return NGX_ERROR;
    }

    return map_paths(make, n, names);
}


/* as it is done: one that is there is taken, whoever made it */

static void
index_converted(ngx_media_vod_index_t *index, ngx_media_vod_file_t *file)
{
    u_char                name[NGX_MEDIA_VOD_PATH];
    ngx_fd_t              fd;
    ngx_media_vod_temp_t  temp;

    if (index->temp == NULL) {
        file->status = 415;
        strcpy((char *) file->error, "no temp");
        return;
    }

    if (no_space) {
        file->status = 500;
        strcpy((char *) file->error, "no space");
        return;
    }

    fd = ngx_media_vod_converted_open(index->temp, &index->id, &temp);

    if (fd == -1) {
        memset(&temp, 0, sizeof(temp));
        temp.id = index->id;
        temp.converter = converter;

        fd = ngx_media_vod_temp_create(name, sizeof(name), index->temp,
                                       &index->id);

        ngx_media_vod_temp_commit(fd, name, index->temp, &temp);
        nconverted++;
    }

    close(fd);

    file->converted = 1;
    file->tag = ngx_media_vod_converted_tag(&temp);
}


void
ngx_media_vod_index(ngx_media_vod_index_t *index)
{
    char                   buf[4];
    ngx_media_vod_file_t  *file;

    nindexed++;

    memset(buf, 0, 4);
    (void) !pread(index->fd, buf, 3, 0);

    if (strcmp(buf, "mem") == 0) {
        return;
    }

    file = calloc(1, sizeof(*file));
    file->size = sizeof(*file);
    file->id = index->id;
    file->status = 200;

    if (strcmp(buf, "bad") == 0) {
        file->status = 415;
        strcpy((char *) file->error, "moov/\001: bad");
    }

    if (strcmp(buf, "mts") == 0) {
        index_converted(index, file);
    }

    index->file = file;
}


ngx_media_vod_file_t *
ngx_media_vod_index_fail(ngx_media_vod_index_t *index, ngx_uint_t status,
    const char *fmt, ...)
{
    ngx_media_vod_file_t  *file;

    file = calloc(1, sizeof(*file));
    file->size = sizeof(*file);
    file->status = status;
    snprintf((char *) file->error, sizeof(file->error), "%s", fmt);

    return file;
}


void
ngx_media_vod_set_make(ngx_media_vod_set_make_t *make)
{
    nsets++;

    make->set = calloc(1, sizeof(ngx_media_vod_set_t));
    make->set->size = sizeof(ngx_media_vod_set_t);
    make->set->status = 200;
    make->set->nfiles = make->map->nsequences * make->map->nclips;
}


/* the test's own */

static void
spell(const char *name, const char *text)
{
    int   fd;
    char  path[128], temp[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    snprintf(temp, sizeof(temp), "%s/.temp", dir);

    fd = open(temp, O_CREAT|O_TRUNC|O_WRONLY, 0600);
    (void) !write(fd, text, strlen(text));
    close(fd);

    (void) !rename(temp, path);
}


static void
forget(const char *name)
{
    char  path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    unlink(path);
}


static ngx_uint_t
open_fds(void)
{
    DIR         *d;
    ngx_uint_t   n;

    d = opendir("/proc/self/fd");

    for (n = 0; readdir(d); n++) { /* void */ }

    closedir(d);

    return n;
}


static void
drop(ngx_uint_t n)
{
    ngx_pool_t  *pool;

    pool = loads[n].load.pool;

    if (pool) {
        loads[n].load.pool = NULL;
        ngx_destroy_pool(pool);
    }
}


static void
handler(ngx_media_vod_load_t *load)
{
    test_load_t  *t;

    t = load->data;
    t->called++;

    if (t->kill) {
        drop(t->kill - 1);
        t->kill = 0;
    }
}


static ngx_int_t
ask(ngx_uint_t n, const char *name)
{
    char                  *p;
    ngx_media_vod_load_t  *load;

    drop(n);
    memset(&loads[n], 0, sizeof(loads[n]));

    load = &loads[n].load;

    load->conf = &conf;
    load->pool = ngx_create_pool(1024, &ngx_stub_log);
    load->log = &ngx_stub_log;
    load->root = strlen(dir);
    load->handler = handler;
    load->data = &loads[n];
    load->listed = load_listed;

    p = ngx_palloc(load->pool, 256);
    load->path.len = snprintf(p, 256, "%s/%s", dir, name);
    load->path.data = (u_char *) p;

    return ngx_media_vod_load(load);
}


static void
begin(void)
{
    fds = open_fds();
    pools = ngx_stub_pools;

    memset(&conf, 0, sizeof(conf));
    memset(&loads, 0, sizeof(loads));

    cf.pool = ngx_create_pool(1024, &ngx_stub_log);

    conf.table = ngx_media_vod_table_add(&cf);
    conf.cache = (ngx_media_cache_t *) &conf;
    conf.valid = 1000;
    conf.max_files = 100;
    conf.target = 6000;

    cache_full = 0;
    nposted = 0;
    nindexed = 0;
    nsets = 0;

    spell("one.mp4", "one");
    spell("two.mp4", "two");
}


static void
end(const char *what)
{
    ngx_uint_t  i;

    for (i = 0; i < LOADS; i++) {
        drop(i);
    }

    ngx_destroy_pool(cf.pool);

    work_all();

    is(pins(), 0, "%s: nothing is pinned", what);
    is(ngx_stub_pools, pools, "%s: pools are gone", what);
    is(open_fds(), fds, "%s: files are closed", what);
    ok(ngx_event_timer_rbtree.root == &timer_sentinel, "%s: no timers", what);

    cache_empty();
}


#endif /* _MEDIA_LOAD_H_INCLUDED_ */
