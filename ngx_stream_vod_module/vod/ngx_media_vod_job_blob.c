
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The last two steps of a job: blobs of files, and the one of the set.
 *
 * A blob of a file that was converted goes with the one converted file that it
 * was made of: same tag.  Where that is not open, a thread opens it, and if it
 * is gone makes it again, one thread of all processes at a time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_sha1.h>
#include "files/ngx_media_vod_temp.h"
#include "formats/ngx_media_bytes.h"
#include "vod/ngx_media_vod_job_step.h"


/* s; a fragmented file that was written to lately may grow */
#define NGX_MEDIA_VOD_JOB_GROWING    60


/*
 * For debugging, what the cache says: 0 is there, -2 somebody makes it, -5 it
 * is made by who asks
 */
#define ngx_media_vod_job_looked(job, path, key, rc)                          \
    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, ngx_media_vod_job_log(job), 0,         \
                   "media vod: \"%V\" is looked for in the cache, %*s rc:%i", \
                   path, (size_t) 4, key, rc)


typedef struct {
    ngx_media_vod_job_t      *job;
    ngx_media_vod_set_make_t  make;
} ngx_media_vod_set_task_t;


static ngx_int_t ngx_media_vod_job_index_item(ngx_media_vod_job_t *job,
    ngx_media_vod_item_t *item, ngx_media_vod_slot_t *slot);
static ngx_int_t ngx_media_vod_job_converted(ngx_media_vod_item_t *item);
static ngx_media_vod_slot_t *ngx_media_vod_job_slot(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_index_thread(void *data, ngx_log_t *log);
static ngx_int_t ngx_media_vod_job_index_open(ngx_media_vod_slot_t *slot,
    uint64_t tag);
static void ngx_media_vod_job_index_done(ngx_event_t *ev);
static void ngx_media_vod_job_made(ngx_media_vod_job_t *job,
    ngx_media_vod_slot_t *slot, ngx_media_vod_file_t *file);
static void ngx_media_vod_job_made_again(ngx_media_vod_job_t *job,
    ngx_media_vod_slot_t *slot, ngx_media_vod_file_t *file);
static void ngx_media_vod_job_note(ngx_media_vod_job_t *job,
    ngx_media_vod_item_t *item, const ngx_media_vod_file_t *file);
static ngx_int_t ngx_media_vod_job_indexed(ngx_media_vod_job_t *job,
    ngx_media_vod_item_t *item);
static void ngx_media_vod_job_files(ngx_media_vod_job_t *job);
static int64_t ngx_media_vod_job_born(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_set_key(ngx_media_vod_job_t *job);
static void ngx_media_vod_job_set_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_job_set_done(ngx_event_t *ev);
static ngx_int_t ngx_media_vod_job_ready(ngx_media_vod_job_t *job);
static ngx_int_t ngx_media_vod_job_put(ngx_media_vod_job_t *job,
    const u_char *key, ngx_media_vod_held_t *held, void *blob, size_t size);
static void ngx_media_vod_job_file_key(ngx_media_vod_job_t *job,
    u_char *key, const char *kind, const ngx_media_vod_id_t *id);
static void ngx_media_vod_job_key(u_char *key, const char *kind,
    uint32_t value);


/* 3. files are indexed */

ngx_int_t
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
            ngx_memmove(&job->todo[n], &job->todo[i],
                        (job->ntodo - i) * sizeof(uint32_t));
            n += job->ntodo - i;
            break;
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
 * NGX_OK: its blob is there, and its converted file is open; NGX_AGAIN: a
 * thread makes it; NGX_DECLINED: somebody else does; NGX_ERROR: it failed
 */

static ngx_int_t
ngx_media_vod_job_index_item(ngx_media_vod_job_t *job,
    ngx_media_vod_item_t *item, ngx_media_vod_slot_t *slot)
{
    u_char                      *key;
    ngx_int_t                    rc;
    ngx_media_cache_t           *cache;
    ngx_media_cache_ref_t        none;
    ngx_media_vod_index_t       *index;
    const ngx_media_vod_file_t  *file;

    key = slot->key;
    cache = job->conf->cache;

    slot->tag = 0;

    ngx_media_vod_job_file_key(job, key, job->temp ? "FILT" : "FILE",
                               &item->handle->id);

    rc = ngx_media_cache_get(cache, key, &item->blob.ref);

    ngx_media_vod_job_looked(job, &item->path, key, rc);

    if (rc == NGX_OK) {
        file = item->blob.ref.data;
        item->blob.data = file;

        if (ngx_media_vod_job_converted(item) == NGX_OK) {
            return ngx_media_vod_job_indexed(job, item);
        }

        slot->tag = file->tag;

        /* whose turn it is: there is never a blob of it */

        ngx_media_vod_job_file_key(job, key, "OPEN", &item->handle->id);

        rc = ngx_media_cache_get(cache, key, &none);

        ngx_media_vod_job_looked(job, &item->path, key, rc);

        if (rc != NGX_DECLINED) {
            ngx_media_cache_unpin(cache, &item->blob.ref);
            item->blob.data = NULL;
        }
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
    index->temp = job->temp;
    index->temp_max = job->conf->temp_max;

#if (NGX_MEDIA_HAVE_AV)
    index->foreign = job->conf->ladder ? ngx_media_vod_index_foreign : NULL;
#endif

    slot->item = item;
    slot->fd = NGX_INVALID_FILE;

    rc = ngx_media_vod_job_post(job, slot->task);

    if (rc == NGX_AGAIN) {
        slot->busy = 1;

    } else {
        ngx_media_cache_abandon(cache, key);
    }

    return rc;
}


/* NGX_DECLINED: its media is in a file that is not open */

static ngx_int_t
ngx_media_vod_job_converted(ngx_media_vod_item_t *item)
{
    ngx_media_vod_handle_t      *converted;
    const ngx_media_vod_file_t  *file;

    file = item->blob.data;

    if (file->status != 200 || !file->converted) {
        return NGX_OK;
    }

    converted = item->handle->converted;

    if (converted == NULL || converted->tag != file->tag) {
        return NGX_DECLINED;
    }

    converted->refs++;
    item->converted = converted;

    return NGX_OK;
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

    ngx_media_vod_file_t  *file;

    if (slot->tag
        && ngx_media_vod_job_index_open(slot, slot->tag) == NGX_OK)
    {
        return;
    }

    ngx_media_vod_index(&slot->index);

    file = slot->index.file;

    if (file == NULL || file->status != 200 || !file->converted) {
        return;
    }

    if (ngx_media_vod_job_index_open(slot, file->tag) != NGX_OK) {
        free(file);

        slot->index.file = ngx_media_vod_index_fail(&slot->index, 500,
                                                    "the converted file is "
                                                    "gone");
    }
}


/* NGX_DECLINED: it is gone, or was made by another version */

static ngx_int_t
ngx_media_vod_job_index_open(ngx_media_vod_slot_t *slot, uint64_t tag)
{
    ngx_media_vod_temp_t  temp;

    slot->fd = ngx_media_vod_converted_open(slot->index.temp, &slot->index.id,
                                            &temp);

    if (slot->fd == NGX_INVALID_FILE) {
        return NGX_DECLINED;
    }

    if (ngx_media_vod_converted_tag(&temp) == tag) {
        return NGX_OK;
    }

    (void) ngx_close_file(slot->fd);
    slot->fd = NGX_INVALID_FILE;

    return NGX_DECLINED;
}


static void
ngx_media_vod_job_index_done(ngx_event_t *ev)
{
    ngx_media_vod_slot_t *slot = ev->data;

    uint64_t               tag;
    ngx_media_vod_job_t   *job;
    ngx_media_vod_file_t  *file;
    ngx_media_vod_item_t  *item;

    if (!ngx_media_vod_job_is_done(ev)) {
        return;
    }

    job = slot->job;
    item = slot->item;
    file = slot->index.file;

    slot->busy = 0;
    slot->index.file = NULL;
    job->tasks--;

    if (job->table == NULL) {

        if (slot->fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(slot->fd);
        }

        free(file);
        ngx_media_vod_job_wake(job);
        return;
    }

    if (slot->fd != NGX_INVALID_FILE) {
        tag = file ? file->tag : slot->tag;

        item->converted = ngx_media_vod_handle_convert(item->handle, slot->fd,
                                                       tag);
        if (item->converted == NULL) {
            (void) ngx_media_vod_job_nomem(job);
        }
    }

    if (slot->tag) {
        ngx_media_vod_job_made_again(job, slot, file);

    } else {
        ngx_media_vod_job_made(job, slot, file);
    }

    ngx_media_vod_job_wake(job);
}


/* what failed for reasons that may pass is not kept */

static void
ngx_media_vod_job_made(ngx_media_vod_job_t *job, ngx_media_vod_slot_t *slot,
    ngx_media_vod_file_t *file)
{
    ngx_media_vod_item_t  *item;

    item = slot->item;

    if (file == NULL) {
        ngx_media_cache_abandon(job->conf->cache, slot->key);
        (void) ngx_media_vod_job_nomem(job);
        return;
    }

    ngx_media_vod_job_note(job, item, file);

    if (file->status == 500) {
        ngx_media_cache_abandon(job->conf->cache, slot->key);

        item->blob.own = file;
        item->blob.data = file;

    } else if (ngx_media_vod_job_put(job, slot->key, &item->blob, file,
                                     file->size)
               != NGX_OK
               && !item->handle->warned)
    {
        item->handle->warned = 1;

        ngx_log_error(NGX_LOG_WARN, ngx_media_vod_job_log(job), 0,
                      "media vod: \"%V\": no room for its index, size:%uD",
                      &item->path, file->size);
    }

    (void) ngx_media_vod_job_indexed(job, item);
}


/* what of a file is left out is told once, by who indexed it */

static void
ngx_media_vod_job_note(ngx_media_vod_job_t *job, ngx_media_vod_item_t *item,
    const ngx_media_vod_file_t *file)
{
    u_char  text[NGX_MEDIA_VOD_ERROR];

    if (file->status != 200 || file->error[0] == '\0') {
        return;
    }

    ngx_media_vod_job_text(text, file->error);

    ngx_log_error(NGX_LOG_WARN, ngx_media_vod_job_log(job), 0,
                  "media vod: \"%V\": %s", &item->path, text);
}


/*
 * Its blob is pinned.  What was made by another version has another one, and
 * until that takes the place of the old one in the cache it is our own.
 */

static void
ngx_media_vod_job_made_again(ngx_media_vod_job_t *job,
    ngx_media_vod_slot_t *slot, ngx_media_vod_file_t *file)
{
    ngx_media_vod_held_t  *blob;

    blob = &slot->item->blob;

    ngx_media_cache_abandon(job->conf->cache, slot->key);

    if (file == NULL) {

        if (slot->item->converted == NULL) {
            (void) ngx_media_vod_job_nomem(job);
        }

    } else if (file->status == 200 && file->tag == slot->tag) {
        free(file);

    } else {
        ngx_media_cache_unpin(job->conf->cache, &blob->ref);

        blob->own = file;
        blob->data = file;
    }

    (void) ngx_media_vod_job_indexed(job, slot->item);
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

ngx_int_t
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

    ngx_media_vod_job_looked(job, &result->make.path, job->key, rc);

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
    ctx->make.ladder = job->conf->ladder;
    ctx->make.temp = job->temp;
    ctx->make.now = job->now;
    ctx->make.born = ngx_media_vod_job_born(job);

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

    n = result->make.map.nsequences * result->make.map.nclips;

    for (i = 0; i < n; i++) {
        open = &result->files[i];

        if (open->file) {
            continue;
        }

        item = &result->items[open->fd];

        open->fd = item->converted ? item->converted->fd : item->handle->fd;
        open->id = item->handle->id;
        open->file = item->blob.data;
    }
}


/* of the set that is known by the name until now */

static int64_t
ngx_media_vod_job_born(ngx_media_vod_job_t *job)
{
    const ngx_media_vod_set_t     *set;
    const ngx_media_vod_result_t  *result;

    result = job->node->result;

    if (result == NULL || result->status != 200) {
        return 0;
    }

    set = result->set.data;

    return set->born;
}


/*
 * What a set is made of: the map, its files, how long segments shall be,
 * whether a file may grow, and the ladder.
 */

static void
ngx_media_vod_job_set_key(ngx_media_vod_job_t *job)
{
    u_char                       growing;
    uint32_t                     n;
    int64_t                      mtime;
    uint64_t                     hash, ladder;
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

    ladder = ngx_media_vod_ladder_tag(job->conf->ladder);
    ngx_sha1_update(&sha1, &ladder, 8);

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

    if (!ngx_media_vod_job_is_done(ev)) {
        return;
    }

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

    /* each set of a file that grows has much the same to say: the first and
       the last one do */

    if (set->note[0] && !(set->growing && ctx->make.born)) {
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
    ngx_int_t  rc;

    rc = ngx_media_cache_put(job->conf->cache, key, blob, size, &held->ref);

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, ngx_media_vod_job_log(job), 0,
                   "media vod: \"%V\" is made, %*s size:%uz rc:%i",
                   &job->result->make.path, (size_t) 4, key, size, rc);

    /* names that were asked for a moment ago may pin all that there is */

    if (rc != NGX_OK && job->table && ngx_media_vod_table_release(job->table))
    {
        rc = ngx_media_cache_put(job->conf->cache, key, blob, size,
                                 &held->ref);
    }

    if (rc == NGX_OK) {
        held->data = held->ref.data;
        free(blob);
        return NGX_OK;
    }

    held->own = blob;
    held->data = blob;

    return NGX_DECLINED;
}


/*
 * What makes a difference to what is found: how much may be read, where what
 * is converted goes, and whether what can only be decoded is of use
 */

static void
ngx_media_vod_job_file_key(ngx_media_vod_job_t *job, u_char *key,
    const char *kind, const ngx_media_vod_id_t *id)
{
    u_char    foreign;
    uint32_t  value;

    value = (uint32_t) (job->conf->max_moov >> 12);

    if (job->temp) {
        ngx_crc32_init(value);
        ngx_crc32_update(&value, (u_char *) &job->conf->max_moov,
                         sizeof(size_t));
        ngx_crc32_update(&value, (u_char *) &job->conf->temp_max,
                         sizeof(off_t));
        ngx_crc32_update(&value, (u_char *) job->temp, ngx_strlen(job->temp));

        if (job->conf->ladder) {
            foreign = 1;
            ngx_crc32_update(&value, &foreign, 1);
        }

        ngx_crc32_final(value);
    }

    ngx_media_vod_job_key(key, kind, value);
    ngx_memcpy(key + 8, id, sizeof(ngx_media_vod_id_t));
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
