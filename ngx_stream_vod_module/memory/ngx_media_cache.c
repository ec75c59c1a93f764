
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One allocation of the zone's slab pool holds all: tables, and the data that
 * blobs are placed in.  The slab pool's own lock and pages are not used for
 * more than that, since nobody can repair them when a process dies inside.
 *
 * Blobs lie in the data in the order of a list, best fit first.  When nothing
 * fits, those that nobody pins are marked from the least recently used on,
 * until a run of marked neighbors and the gaps between them is large enough:
 * only that run is dropped, and nothing at all if there is no such run.
 *
 * Lists are circular, through the entry behind the last one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_cache_shm.h"
#include "memory/ngx_media_process.h"


#define NGX_MEDIA_CACHE_ALIGN    64

#define NGX_MEDIA_CACHE_SHARE    32768        /* of an entry, on the average */
#define NGX_MEDIA_CACHE_LEAST    64           /* entries */
#define NGX_MEDIA_CACHE_MOST     4096

#define NGX_MEDIA_CACHE_CLOSELY  32           /* each such poll of an entry */


#define ngx_media_cache_unlock(cache)  ngx_media_unlock(&(cache)->sh->lock)


static ngx_int_t ngx_media_cache_look(ngx_media_cache_t *cache,
    const u_char *key, ngx_media_cache_ref_t *ref);
static ngx_int_t ngx_media_cache_reserve(ngx_media_cache_t *cache,
    const u_char *key, size_t size, ngx_media_cache_ref_t *ref);
static void ngx_media_cache_pin_locked(ngx_media_cache_t *cache, uint32_t n,
    ngx_media_cache_ref_t *ref);
static void ngx_media_cache_lock(ngx_media_cache_t *cache);
static void ngx_media_cache_repair_locked(ngx_media_cache_shm_t *sh);
static void ngx_media_cache_relink_locked(ngx_media_cache_shm_t *sh);
static void ngx_media_cache_sort_locked(ngx_media_cache_shm_t *sh,
    ngx_uint_t n, ngx_uint_t placed);
static ngx_int_t ngx_media_cache_attach(ngx_media_cache_t *cache);
static ngx_int_t ngx_media_cache_row_take(ngx_media_cache_t *cache);
static void ngx_media_cache_row_drop_locked(ngx_media_cache_shm_t *sh,
    ngx_uint_t n);
static void ngx_media_cache_row_sweep(ngx_media_cache_t *cache, ngx_uint_t n);
static ngx_uint_t ngx_media_cache_entry_sweep(ngx_media_cache_t *cache,
    uint32_t n, ngx_uint_t closely);
static ngx_uint_t ngx_media_cache_dead(ngx_media_cache_t *cache, uint32_t pid,
    uint64_t start, ngx_uint_t closely);
static uint32_t ngx_media_cache_make_locked(ngx_media_cache_t *cache,
    const u_char *key);
static uint32_t ngx_media_cache_find_locked(ngx_media_cache_shm_t *sh,
    const u_char *key);
static uint32_t *ngx_media_cache_bucket(ngx_media_cache_shm_t *sh,
    const u_char *key);
static void ngx_media_cache_free_locked(ngx_media_cache_shm_t *sh,
    uint32_t n);
static ngx_int_t ngx_media_cache_place_locked(ngx_media_cache_shm_t *sh,
    uint32_t n, size_t size);
static uint32_t ngx_media_cache_gap_locked(ngx_media_cache_shm_t *sh,
    uint64_t room);
static uint32_t ngx_media_cache_evict_locked(ngx_media_cache_shm_t *sh,
    uint64_t room);
static uint32_t ngx_media_cache_evict_run_locked(ngx_media_cache_shm_t *sh,
    uint32_t n, uint32_t left, uint32_t right, uint64_t room);
static uint64_t ngx_media_cache_end(const ngx_media_cache_shm_t *sh,
    uint32_t n);
static void ngx_media_cache_link_place_locked(ngx_media_cache_shm_t *sh,
    uint32_t n, uint32_t prev);
static void ngx_media_cache_link_used_locked(ngx_media_cache_shm_t *sh,
    uint32_t n);
static void ngx_media_cache_unlink_used_locked(ngx_media_cache_shm_t *sh,
    uint32_t n);


ngx_media_cache_shm_t *
ngx_media_cache_format(void *mem, size_t size)
{
    size_t                  tables;
    u_char                 *p;
    ngx_uint_t              n, nbuckets;
    ngx_media_cache_shm_t  *sh;

    n = size / NGX_MEDIA_CACHE_SHARE;
    n = ngx_max(n, NGX_MEDIA_CACHE_LEAST);
    n = ngx_min(n, NGX_MEDIA_CACHE_MOST);

    for (nbuckets = 1; nbuckets < n; nbuckets *= 2) { /* void */ }

    tables = ngx_align(sizeof(ngx_media_cache_shm_t), 64)
             + ngx_align((n + 1) * sizeof(ngx_media_cache_entry_shm_t), 64)
             + ngx_align(nbuckets * sizeof(uint32_t), 64)
             + ngx_align(n * sizeof(uint32_t), 64)
             + ngx_align(NGX_MEDIA_CACHE_ROWS * n * sizeof(uint32_t), 64)
             + NGX_MEDIA_CACHE_ALIGN;

    if (size < tables + NGX_MEDIA_CACHE_ALIGN) {
        return NULL;
    }

    ngx_memzero(mem, tables);

    sh = mem;
    p = mem;

    sh->layout = NGX_MEDIA_CACHE_LAYOUT;
    sh->size = size;
    sh->nentries = n;
    sh->nbuckets = nbuckets;

    p += ngx_align(sizeof(ngx_media_cache_shm_t), 64);
    sh->table = (ngx_media_cache_entry_shm_t *) p;

    p += ngx_align((n + 1) * sizeof(ngx_media_cache_entry_shm_t), 64);
    sh->buckets = (uint32_t *) p;

    p += ngx_align(nbuckets * sizeof(uint32_t), 64);
    sh->order = (uint32_t *) p;

    p += ngx_align(n * sizeof(uint32_t), 64);
    sh->pins = (uint32_t *) p;

    p += ngx_align(NGX_MEDIA_CACHE_ROWS * n * sizeof(uint32_t), 64);
    sh->data = ngx_align_ptr(p, NGX_MEDIA_CACHE_ALIGN);

    sh->bytes = (u_char *) mem + size - sh->data;
    sh->bytes -= sh->bytes % NGX_MEDIA_CACHE_ALIGN;

    ngx_media_cache_repair_locked(sh);

    return sh;
}


ngx_int_t
ngx_media_cache_get(ngx_media_cache_t *cache, const u_char *key,
    ngx_media_cache_ref_t *ref)
{
    ngx_int_t   rc;
    ngx_uint_t  closely;

    ngx_memzero(ref, sizeof(ngx_media_cache_ref_t));

    /* without a row nothing can be pinned: it is made without the cache */

    if (ngx_media_cache_attach(cache) != NGX_OK) {
        return NGX_DECLINED;
    }

    for ( ;; ) {
        rc = ngx_media_cache_look(cache, key, ref);

        if (rc != NGX_AGAIN) {
            return rc;
        }

        closely = cache->npolls++ % NGX_MEDIA_CACHE_CLOSELY == 0;

        if (!ngx_media_cache_entry_sweep(cache, ref->entry, closely)) {
            return rc;
        }
    }
}


/* with NGX_AGAIN ref->entry is what is being made */

static ngx_int_t
ngx_media_cache_look(ngx_media_cache_t *cache, const u_char *key,
    ngx_media_cache_ref_t *ref)
{
    uint32_t                n;
    ngx_int_t               rc;
    ngx_media_cache_shm_t  *sh;

    sh = cache->sh;

    ngx_media_cache_lock(cache);

    n = ngx_media_cache_find_locked(sh, key);

    if (n == NGX_MEDIA_CACHE_NONE) {
        /* where all entries are in use others do not wait for this one */

        (void) ngx_media_cache_make_locked(cache, key);

        sh->misses++;
        rc = NGX_DECLINED;

    } else if (sh->table[n].state == NGX_MEDIA_CACHE_READY) {
        ngx_media_cache_pin_locked(cache, n, ref);

        sh->hits++;
        rc = NGX_OK;

    } else {
        ref->entry = n;
        rc = NGX_AGAIN;
    }

    ngx_media_cache_unlock(cache);

    return rc;
}


ngx_int_t
ngx_media_cache_put(ngx_media_cache_t *cache, const u_char *key,
    const void *data, size_t size, ngx_media_cache_ref_t *ref)
{
    ngx_int_t                     rc;
    ngx_media_cache_shm_t        *sh;
    ngx_media_cache_entry_shm_t  *e;

    sh = cache->sh;
    rc = NGX_DECLINED;

    ngx_memzero(ref, sizeof(ngx_media_cache_ref_t));

    if (ngx_media_cache_attach(cache) == NGX_OK && size <= sh->bytes) {
        rc = ngx_media_cache_reserve(cache, key, size, ref);

        if (rc == NGX_DECLINED) {
            ngx_media_cache_sweep(cache);
            rc = ngx_media_cache_reserve(cache, key, size, ref);
        }
    }

    if (rc == NGX_DECLINED) {
        ngx_media_cache_abandon(cache, key);
        (void) ngx_media_count(&sh->nomem, 1);
        return rc;
    }

    if (rc == NGX_DONE) {
        return NGX_OK;
    }

    /* while it is being filled nobody else looks at it */

    e = &sh->table[ref->entry];

    if (size) {
        ngx_memcpy(sh->data + e->offset, data, size);
    }

    ngx_media_cache_lock(cache);

    e->used = ++sh->tick;
    ngx_media_store(&e->state, NGX_MEDIA_CACHE_READY);

    ngx_media_cache_link_used_locked(sh, ref->entry);
    ngx_media_cache_pin_locked(cache, ref->entry, ref);

    ngx_media_cache_unlock(cache);

    return NGX_OK;
}


/*
 * NGX_OK: ref->entry has room and is to be filled; NGX_DONE: it is there
 * already, since others made it too; NGX_DECLINED.
 */

static ngx_int_t
ngx_media_cache_reserve(ngx_media_cache_t *cache, const u_char *key,
    size_t size, ngx_media_cache_ref_t *ref)
{
    uint32_t                      n;
    ngx_int_t                     rc;
    ngx_media_cache_shm_t        *sh;
    ngx_media_cache_entry_shm_t  *e;

    sh = cache->sh;
    rc = NGX_DECLINED;

    ngx_media_cache_lock(cache);

    n = ngx_media_cache_find_locked(sh, key);

    if (n == NGX_MEDIA_CACHE_NONE) {
        n = ngx_media_cache_make_locked(cache, key);
    }

    if (n == NGX_MEDIA_CACHE_NONE) {
        goto done;
    }

    e = &sh->table[n];

    switch (e->state) {

    case NGX_MEDIA_CACHE_READY:
        ngx_media_cache_pin_locked(cache, n, ref);
        rc = NGX_DONE;
        break;

    case NGX_MEDIA_CACHE_MAKING:
        e->start = cache->start;
        e->pid = (uint32_t) ngx_pid;

        rc = ngx_media_cache_place_locked(sh, n, size);
        ref->entry = n;
        break;

    default: /* NGX_MEDIA_CACHE_FILLING */
        break;
    }

done:

    ngx_media_cache_unlock(cache);

    return rc;
}


void
ngx_media_cache_abandon(ngx_media_cache_t *cache, const u_char *key)
{
    uint32_t                      n;
    ngx_media_cache_entry_shm_t  *e;

    ngx_media_cache_lock(cache);

    n = ngx_media_cache_find_locked(cache->sh, key);

    if (n != NGX_MEDIA_CACHE_NONE) {
        e = &cache->sh->table[n];

        if (e->state == NGX_MEDIA_CACHE_MAKING && e->pid == (uint32_t) ngx_pid)
        {
            ngx_media_cache_free_locked(cache->sh, n);
        }
    }

    ngx_media_cache_unlock(cache);
}


static void
ngx_media_cache_pin_locked(ngx_media_cache_t *cache, uint32_t n,
    ngx_media_cache_ref_t *ref)
{
    ngx_media_cache_shm_t        *sh;
    ngx_media_cache_entry_shm_t  *e;

    sh = cache->sh;
    e = &sh->table[n];

    e->used = ++sh->tick;

    ngx_media_cache_unlink_used_locked(sh, n);
    ngx_media_cache_link_used_locked(sh, n);

    cache->row[n]++;
    e->pins++;

    ref->data = sh->data + e->offset;
    ref->size = e->size;
    ref->entry = n;
}


void
ngx_media_cache_unpin(ngx_media_cache_t *cache, ngx_media_cache_ref_t *ref)
{
    ngx_uint_t  wrong;

    if (ref->data == NULL) {
        return;
    }

    wrong = 0;

    ngx_media_cache_lock(cache);

    /* at the end of a process the row may be gone, and all pins with it */

    if (cache->row && cache->row[ref->entry]) {
        cache->row[ref->entry]--;
        cache->sh->table[ref->entry].pins--;

    } else if (cache->row) {
        wrong = 1;
    }

    ngx_media_cache_unlock(cache);

    if (wrong) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "media cache entry %uD is not pinned", ref->entry);
    }

    ngx_memzero(ref, sizeof(ngx_media_cache_ref_t));
}


void
ngx_media_cache_stat(ngx_media_cache_t *cache, ngx_media_cache_stat_t *stat)
{
    uint32_t                i;
    ngx_media_cache_shm_t  *sh;

    sh = cache->sh;

    ngx_memzero(stat, sizeof(ngx_media_cache_stat_t));

    ngx_media_cache_sweep(cache);

    ngx_media_cache_lock(cache);

    stat->hits = sh->hits;
    stat->misses = sh->misses;
    stat->evicted = sh->evicted;
    stat->nomem = sh->nomem;
    stat->size = sh->size;
    stat->used = sh->used;
    stat->entries = sh->entries;

    for (i = 0; i < NGX_MEDIA_CACHE_COUNTS; i++) {
        stat->counts[i] = sh->counts[i];
    }

    for (i = 0; i < sh->nentries; i++) {
        stat->pins += sh->table[i].pins;
    }

    ngx_media_cache_unlock(cache);
}


void
ngx_media_cache_count(ngx_media_cache_t *cache, ngx_uint_t counter, uint64_t n)
{
    (void) ngx_media_count(&cache->sh->counts[counter], n);
}


static void
ngx_media_cache_lock(ngx_media_cache_t *cache)
{
    if (ngx_media_lock(&cache->sh->lock) != NGX_DONE) {
        return;
    }

    ngx_media_cache_repair_locked(cache->sh);

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "media cache repaired after a process died in it");
}


/* also of fresh memory */

static void
ngx_media_cache_repair_locked(ngx_media_cache_shm_t *sh)
{
    uint32_t                      i, k, *bucket, *row;
    ngx_media_cache_entry_shm_t  *e;

    sh->free = NGX_MEDIA_CACHE_NONE;
    sh->entries = 0;
    sh->used = 0;

    for (i = 0; i < sh->nbuckets; i++) {
        sh->buckets[i] = NGX_MEDIA_CACHE_NONE;
    }

    for (i = sh->nentries; i-- > 0; /* void */ ) {
        e = &sh->table[i];
        e->pins = 0;

        if (e->state == NGX_MEDIA_CACHE_FREE) {
            e->chain = sh->free;
            sh->free = i;
            continue;
        }

        bucket = ngx_media_cache_bucket(sh, e->key);

        e->chain = *bucket;
        *bucket = i;

        sh->entries++;

        if (e->state != NGX_MEDIA_CACHE_MAKING) {
            sh->used += e->room;
        }
    }

    for (i = 0; i < NGX_MEDIA_CACHE_ROWS; i++) {

        if (sh->rows[i].pid == 0) {
            continue;
        }

        row = sh->pins + (size_t) i * sh->nentries;

        for (k = 0; k < sh->nentries; k++) {
            sh->table[k].pins += row[k];
        }
    }

    ngx_media_cache_relink_locked(sh);
}


static void
ngx_media_cache_relink_locked(ngx_media_cache_shm_t *sh)
{
    uint32_t                      i;
    ngx_uint_t                    k, n;
    ngx_media_cache_entry_shm_t  *last;

    last = &sh->table[sh->nentries];

    last->offset = sh->bytes;
    last->prev = sh->nentries;
    last->next = sh->nentries;
    last->older = sh->nentries;
    last->newer = sh->nentries;

    n = 0;

    for (i = 0; i < sh->nentries; i++) {
        if (sh->table[i].state == NGX_MEDIA_CACHE_FILLING
            || sh->table[i].state == NGX_MEDIA_CACHE_READY)
        {
            sh->order[n++] = i;
        }
    }

    ngx_media_cache_sort_locked(sh, n, 1);

    for (k = 0; k < n; k++) {
        ngx_media_cache_link_place_locked(sh, sh->order[k], last->prev);
    }

    ngx_media_cache_sort_locked(sh, n, 0);

    for (k = 0; k < n; k++) {
        if (sh->table[sh->order[k]].state == NGX_MEDIA_CACHE_READY) {
            ngx_media_cache_link_used_locked(sh, sh->order[k]);
        }
    }
}


/* Shell's: there may be thousands, and no memory */

static void
ngx_media_cache_sort_locked(ngx_media_cache_shm_t *sh, ngx_uint_t n,
    ngx_uint_t placed)
{
    uint32_t                            v;
    ngx_uint_t                          gap, i, k;
    const ngx_media_cache_entry_shm_t  *a, *b;

    for (gap = 1; gap < n / 3; gap = gap * 3 + 1) { /* void */ }

    for ( /* void */ ; gap; gap /= 3) {

        for (i = gap; i < n; i++) {
            v = sh->order[i];
            a = &sh->table[v];

            for (k = i; k >= gap; k -= gap) {
                b = &sh->table[sh->order[k - gap]];

                if (placed ? b->offset <= a->offset : b->used <= a->used) {
                    break;
                }

                sh->order[k] = sh->order[k - gap];
            }

            sh->order[k] = v;
        }
    }
}


static ngx_int_t
ngx_media_cache_attach(ngx_media_cache_t *cache)
{
    if (cache->pid != ngx_pid) {
        cache->pid = ngx_pid;
        cache->start = ngx_media_process_start(ngx_pid);
        cache->row = NULL;
    }

    if (cache->row) {
        return NGX_OK;
    }

    /* who comes new may come in the place of one that died */

    ngx_media_cache_sweep(cache);

    if (ngx_media_cache_row_take(cache) == NGX_OK) {
        return NGX_OK;
    }

    /* the first, and then each 2^n-th */

    if ((cache->nfull & (cache->nfull + 1)) == 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "more than %d processes use a media cache",
                      NGX_MEDIA_CACHE_ROWS);
    }

    cache->nfull++;

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_cache_row_take(ngx_media_cache_t *cache)
{
    ngx_uint_t                  i, n;
    ngx_media_cache_shm_t      *sh;
    ngx_media_cache_row_shm_t  *rows;

    sh = cache->sh;
    rows = sh->rows;
    n = NGX_MEDIA_CACHE_ROWS;

    ngx_media_cache_lock(cache);

    for (i = 0; i < NGX_MEDIA_CACHE_ROWS; i++) {

        if (rows[i].pid == (uint32_t) ngx_pid) {
            n = i;
            break;
        }

        if (rows[i].pid == 0 && n == NGX_MEDIA_CACHE_ROWS) {
            n = i;
        }
    }

    if (n == NGX_MEDIA_CACHE_ROWS) {
        ngx_media_cache_unlock(cache);
        return NGX_DECLINED;
    }

    /*
     * My pid is there: of a process that died, or, without a master, of this
     * one, whose former cycle still sends.
     */

    if (rows[n].pid
        && ngx_media_cache_dead(cache, rows[n].pid, rows[n].start, 0))
    {
        ngx_media_cache_row_drop_locked(sh, n);
    }

    cache->nrow = n;
    cache->row = sh->pins + n * sh->nentries;

    if (rows[n].pid == 0) {
        ngx_memzero(cache->row, sh->nentries * sizeof(uint32_t));

        rows[n].start = cache->start;
        ngx_media_store(&rows[n].pid, (uint32_t) ngx_pid);
    }

    ngx_media_cache_unlock(cache);

    return NGX_OK;
}


void
ngx_media_cache_detach(ngx_media_cache_t *cache)
{
    if (cache->row == NULL || cache->pid != ngx_pid) {
        return;
    }

    ngx_media_cache_lock(cache);

    ngx_media_cache_row_drop_locked(cache->sh, cache->nrow);

    ngx_media_cache_unlock(cache);

    cache->row = NULL;
}


static void
ngx_media_cache_row_drop_locked(ngx_media_cache_shm_t *sh, ngx_uint_t n)
{
    uint32_t  i, *row;

    row = sh->pins + n * sh->nentries;

    ngx_media_store(&sh->rows[n].pid, 0);

    for (i = 0; i < sh->nentries; i++) {
        sh->table[i].pins -= row[i];
    }
}


/* system calls are done unlocked */

void
ngx_media_cache_sweep(ngx_media_cache_t *cache)
{
    uint32_t    i;
    ngx_uint_t  n;

    for (n = 0; n < NGX_MEDIA_CACHE_ROWS; n++) {
        ngx_media_cache_row_sweep(cache, n);
    }

    cache->nlook = (cache->nlook + 1) % NGX_MEDIA_CACHE_ROWS;

    for (i = 0; i < cache->sh->nentries; i++) {
        (void) ngx_media_cache_entry_sweep(cache, i, 0);
    }
}


static void
ngx_media_cache_row_sweep(ngx_media_cache_t *cache, ngx_uint_t n)
{
    uint32_t                    pid;
    uint64_t                    start;
    ngx_uint_t                  swept;
    ngx_media_cache_row_shm_t  *row;

    row = &cache->sh->rows[n];

    pid = ngx_media_load(&row->pid);
    start = ngx_media_peek(&row->start);

    if (pid == 0
        || !ngx_media_cache_dead(cache, pid, start, n == cache->nlook))
    {
        return;
    }

    ngx_media_cache_lock(cache);

    swept = row->pid == pid && row->start == start;

    if (swept) {
        ngx_media_cache_row_drop_locked(cache->sh, n);
        cache->sh->swept++;
    }

    ngx_media_cache_unlock(cache);

    if (swept) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "media cache swept after process %uD", pid);
    }
}


/* 1: its maker is dead, and it is free now */

static ngx_uint_t
ngx_media_cache_entry_sweep(ngx_media_cache_t *cache, uint32_t n,
    ngx_uint_t closely)
{
    uint32_t                      pid, state;
    uint64_t                      start;
    ngx_uint_t                    swept;
    ngx_media_cache_entry_shm_t  *e;

    e = &cache->sh->table[n];

    state = ngx_media_load(&e->state);

    if (state != NGX_MEDIA_CACHE_MAKING && state != NGX_MEDIA_CACHE_FILLING) {
        return 0;
    }

    pid = ngx_media_peek(&e->pid);
    start = ngx_media_peek(&e->start);

    if (!ngx_media_cache_dead(cache, pid, start, closely)) {
        return 0;
    }

    ngx_media_cache_lock(cache);

    swept = (e->state == NGX_MEDIA_CACHE_MAKING
             || e->state == NGX_MEDIA_CACHE_FILLING)
            && e->pid == pid
            && e->start == start;

    if (swept) {
        ngx_media_cache_free_locked(cache->sh, n);
    }

    ngx_media_cache_unlock(cache);

    return swept;
}


/*
 * Closely: may its pid be another process's by now; that costs a read of
 * /proc.  A start time that could not be read says nothing.
 */

static ngx_uint_t
ngx_media_cache_dead(ngx_media_cache_t *cache, uint32_t pid, uint64_t start,
    ngx_uint_t closely)
{
    uint64_t  now;

    if (pid == (uint32_t) ngx_pid) {
        now = cache->pid == ngx_pid ? cache->start : 0;

    } else if (ngx_media_process_dead((ngx_pid_t) pid)) {
        return 1;

    } else {
        now = closely ? ngx_media_process_start((ngx_pid_t) pid) : 0;
    }

    return now && start && now != start;
}


/* an entry for what is made by this process, if need be of what is old */

static uint32_t
ngx_media_cache_make_locked(ngx_media_cache_t *cache, const u_char *key)
{
    uint32_t                      n, *bucket;
    ngx_media_cache_shm_t        *sh;
    ngx_media_cache_entry_shm_t  *e;

    sh = cache->sh;

    if (sh->free == NGX_MEDIA_CACHE_NONE) {

        for (n = sh->table[sh->nentries].newer;
             n != sh->nentries && sh->table[n].pins;
             n = sh->table[n].newer)
        {
            /* void */
        }

        if (n == sh->nentries) {
            return NGX_MEDIA_CACHE_NONE;
        }

        ngx_media_cache_free_locked(sh, n);
        sh->evicted++;
    }

    n = sh->free;
    e = &sh->table[n];

    ngx_memcpy(e->key, key, NGX_MEDIA_CACHE_KEY);

    e->start = cache->start;
    e->pid = (uint32_t) ngx_pid;

    ngx_media_store(&e->state, NGX_MEDIA_CACHE_MAKING);

    sh->free = e->chain;
    sh->entries++;

    bucket = ngx_media_cache_bucket(sh, key);

    e->chain = *bucket;
    *bucket = n;

    return n;
}


static uint32_t
ngx_media_cache_find_locked(ngx_media_cache_shm_t *sh, const u_char *key)
{
    uint32_t  n;

    for (n = *ngx_media_cache_bucket(sh, key);
         n != NGX_MEDIA_CACHE_NONE;
         n = sh->table[n].chain)
    {
        if (ngx_memcmp(sh->table[n].key, key, NGX_MEDIA_CACHE_KEY) == 0) {
            break;
        }
    }

    return n;
}


static uint32_t *
ngx_media_cache_bucket(ngx_media_cache_shm_t *sh, const u_char *key)
{
    uint64_t    hash, word;
    ngx_uint_t  i;

    hash = 0;

    for (i = 0; i < NGX_MEDIA_CACHE_KEY; i += sizeof(uint64_t)) {
        ngx_memcpy(&word, key + i, sizeof(uint64_t));

        hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
        hash ^= hash >> 32;
    }

    return &sh->buckets[hash & (sh->nbuckets - 1)];
}


static void
ngx_media_cache_free_locked(ngx_media_cache_shm_t *sh, uint32_t n)
{
    uint32_t                      state, *link;
    ngx_media_cache_entry_shm_t  *e;

    e = &sh->table[n];

    state = e->state;
    ngx_media_store(&e->state, NGX_MEDIA_CACHE_FREE);

    if (state == NGX_MEDIA_CACHE_READY) {
        ngx_media_cache_unlink_used_locked(sh, n);
    }

    if (state != NGX_MEDIA_CACHE_MAKING) {
        sh->table[e->prev].next = e->next;
        sh->table[e->next].prev = e->prev;
        sh->used -= e->room;
    }

    link = ngx_media_cache_bucket(sh, e->key);

    while (*link != n) {
        link = &sh->table[*link].chain;
    }

    *link = e->chain;

    e->chain = sh->free;
    sh->free = n;

    sh->entries--;
}


static ngx_int_t
ngx_media_cache_place_locked(ngx_media_cache_shm_t *sh, uint32_t n,
    size_t size)
{
    uint32_t                      prev;
    uint64_t                      room;
    ngx_media_cache_entry_shm_t  *e;

    e = &sh->table[n];

    /* an empty one too has a place of its own */

    room = ngx_align(ngx_max(size, 1), NGX_MEDIA_CACHE_ALIGN);

    prev = ngx_media_cache_gap_locked(sh, room);

    if (prev == NGX_MEDIA_CACHE_NONE) {
        prev = ngx_media_cache_evict_locked(sh, room);
    }

    if (prev == NGX_MEDIA_CACHE_NONE) {
        return NGX_DECLINED;
    }

    e->offset = ngx_media_cache_end(sh, prev);
    e->room = room;
    e->size = size;

    ngx_media_store(&e->state, NGX_MEDIA_CACHE_FILLING);

    ngx_media_cache_link_place_locked(sh, n, prev);

    sh->used += room;

    return NGX_OK;
}


/* what comes before the smallest gap that is large enough */

static uint32_t
ngx_media_cache_gap_locked(ngx_media_cache_shm_t *sh, uint64_t room)
{
    uint32_t                      best, i, next;
    uint64_t                      gap, least;
    ngx_media_cache_entry_shm_t  *table;

    table = sh->table;
    best = NGX_MEDIA_CACHE_NONE;
    least = sh->bytes + 1;
    i = sh->nentries;

    do {
        next = table[i].next;
        gap = table[next].offset - ngx_media_cache_end(sh, i);

        if (gap >= room && gap < least) {
            least = gap;
            best = i;
        }

        i = next;

    } while (i != sh->nentries);

    return best;
}


/* what comes before the gap that there is now */

static uint32_t
ngx_media_cache_evict_locked(ngx_media_cache_shm_t *sh, uint64_t room)
{
    uint32_t                      i, left, next, prev, right;
    ngx_media_cache_entry_shm_t  *table;

    table = sh->table;

    for (i = 0; i <= sh->nentries; i++) {
        table[i].marked = 0;
    }

    for (i = table[sh->nentries].newer;
         i != sh->nentries;
         i = table[i].newer)
    {
        if (table[i].pins) {
            continue;
        }

        prev = table[i].prev;
        next = table[i].next;

        left = table[prev].marked ? table[prev].other : i;
        right = table[next].marked ? table[next].other : i;

        table[i].marked = 1;
        table[left].other = right;
        table[right].other = left;

        if (table[table[right].next].offset
            - ngx_media_cache_end(sh, table[left].prev)
            >= room)
        {
            return ngx_media_cache_evict_run_locked(sh, i, left, right, room);
        }
    }

    return NGX_MEDIA_CACHE_NONE;
}


/* of the run left .. right as little as will do; n is needed */

static uint32_t
ngx_media_cache_evict_run_locked(ngx_media_cache_shm_t *sh, uint32_t n,
    uint32_t left, uint32_t right, uint64_t room)
{
    uint32_t                      i, next, prev;
    ngx_media_cache_entry_shm_t  *table;

    table = sh->table;
    prev = table[left].prev;
    next = table[right].next;

    while (left != n
           && table[next].offset - ngx_media_cache_end(sh, left) >= room)
    {
        prev = left;
        left = table[left].next;
    }

    while (right != n
           && table[right].offset - ngx_media_cache_end(sh, prev) >= room)
    {
        next = right;
        right = table[right].prev;
    }

    for (i = left; i != next; i = right) {
        right = table[i].next;

        ngx_media_cache_free_locked(sh, i);
        sh->evicted++;
    }

    return prev;
}


static uint64_t
ngx_media_cache_end(const ngx_media_cache_shm_t *sh, uint32_t n)
{
    return n == sh->nentries ? 0 : sh->table[n].offset + sh->table[n].room;
}


static void
ngx_media_cache_link_place_locked(ngx_media_cache_shm_t *sh, uint32_t n,
    uint32_t prev)
{
    uint32_t  next;

    next = sh->table[prev].next;

    sh->table[n].prev = prev;
    sh->table[n].next = next;
    sh->table[prev].next = n;
    sh->table[next].prev = n;
}


static void
ngx_media_cache_link_used_locked(ngx_media_cache_shm_t *sh, uint32_t n)
{
    uint32_t  last, older;

    last = sh->nentries;
    older = sh->table[last].older;

    sh->table[n].older = older;
    sh->table[n].newer = last;
    sh->table[older].newer = n;
    sh->table[last].older = n;
}


static void
ngx_media_cache_unlink_used_locked(ngx_media_cache_shm_t *sh, uint32_t n)
{
    uint32_t  newer, older;

    newer = sh->table[n].newer;
    older = sh->table[n].older;

    sh->table[older].newer = newer;
    sh->table[newer].older = older;
}


#if (NGX_DEBUG)


#define ngx_media_cache_must(n, expr, what, value)                            \
    do {                                                                      \
        if (!(expr)) {                                                        \
            (n)++;                                                            \
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,                   \
                          "media cache books: " what ", at:%uL",              \
                          (uint64_t) (value));                                \
            ngx_debug_point();                                                \
        }                                                                     \
    } while (0)


static ngx_uint_t
ngx_media_cache_validate_lists_locked(ngx_media_cache_shm_t *sh,
    ngx_uint_t placed, ngx_uint_t ready)
{
    uint32_t    i, last;
    uint64_t    at, used;
    ngx_uint_t  k, n;

    last = sh->nentries;
    n = 0;

    at = 0;
    k = 0;

    for (i = sh->table[last].next;
         i != last && k <= placed;
         i = sh->table[i].next)
    {
        ngx_media_cache_must(n, sh->table[i].offset >= at, "overlap", i);
        ngx_media_cache_must(n, sh->table[sh->table[i].next].prev == i,
                             "places", i);

        at = ngx_media_cache_end(sh, i);
        k++;
    }

    ngx_media_cache_must(n, k == placed && at <= sh->bytes, "placed", k);

    used = 0;
    k = 0;

    for (i = sh->table[last].newer;
         i != last && k <= ready;
         i = sh->table[i].newer)
    {
        ngx_media_cache_must(n, sh->table[i].state == NGX_MEDIA_CACHE_READY,
                             "used is not ready", i);
        ngx_media_cache_must(n, sh->table[i].used > used, "order of use", i);
        ngx_media_cache_must(n, sh->table[sh->table[i].newer].older == i,
                             "uses", i);

        used = sh->table[i].used;
        k++;
    }

    ngx_media_cache_must(n, k == ready, "ready", k);

    k = 0;

    for (i = sh->free;
         i != NGX_MEDIA_CACHE_NONE && k <= sh->nentries;
         i = sh->table[i].chain)
    {
        ngx_media_cache_must(n, sh->table[i].state == NGX_MEDIA_CACHE_FREE,
                             "free is used", i);
        k++;
    }

    ngx_media_cache_must(n, k + sh->entries == sh->nentries, "free", k);

    return n;
}


ngx_uint_t
ngx_media_cache_validate(ngx_media_cache_t *cache)
{
    uint32_t                      i, k;
    uint64_t                      pins, used;
    ngx_uint_t                    n, placed, ready, taken;
    ngx_media_cache_shm_t        *sh;
    ngx_media_cache_entry_shm_t  *e;

    sh = cache->sh;

    n = 0;
    placed = 0;
    ready = 0;
    taken = 0;
    used = 0;

    ngx_media_cache_lock(cache);

    for (i = 0; i < sh->nentries; i++) {
        e = &sh->table[i];
        pins = 0;

        for (k = 0; k < NGX_MEDIA_CACHE_ROWS; k++) {
            if (sh->rows[k].pid) {
                pins += sh->pins[(size_t) k * sh->nentries + i];
            }
        }

        ngx_media_cache_must(n, pins == e->pins, "pins", i);
        ngx_media_cache_must(n, pins == 0
                                || e->state == NGX_MEDIA_CACHE_READY,
                             "pinned is not ready", i);

        if (e->state == NGX_MEDIA_CACHE_FREE) {
            continue;
        }

        taken++;
        ready += e->state == NGX_MEDIA_CACHE_READY;

        ngx_media_cache_must(n, ngx_media_cache_find_locked(sh, e->key) == i,
                             "key", i);

        if (e->state != NGX_MEDIA_CACHE_MAKING) {
            ngx_media_cache_must(n, e->size <= e->room, "size", i);
            used += e->room;
            placed++;
        }
    }

    ngx_media_cache_must(n, taken == sh->entries, "entries", taken);
    ngx_media_cache_must(n, used == sh->used, "used", used);

    n += ngx_media_cache_validate_lists_locked(sh, placed, ready);

    ngx_media_cache_unlock(cache);

    return n;
}


#endif
