
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The truth about the arena is the table of extents: which pages a record
 * has reserved, and its state.  Everything else that the zone lock guards (the
 * buddy maps, the sets of free records, the list of limbo, the sums) can be
 * made anew from it, and is, when the lock is taken from a dead process.
 *
 *     FREE -> USED -> LIMBO -> PUNCH -> FREE
 *                       ^--------'  (its puncher died)
 *
 * System calls are made with no lock held.  Who makes them has the extent
 * taken, that is, its pid is there: what writes, trims and punches never meet
 * at one extent, whatever becomes of it meanwhile.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/mman.h>
#include "memory/ngx_media_process.h"
#include "memory/ngx_media_zone.h"
#include "memory/ngx_media_zone_validate.h"


#define NGX_MEDIA_COMMIT_STEP   (256 * 1024)
#define NGX_MEDIA_PUNCH_STEP    (1024 * 1024)
#define NGX_MEDIA_PUNCH_BATCH   32

#define NGX_MEDIA_ARENA_FACTOR   4
#define NGX_MEDIA_EXTENT_ORDER   14           /* 64 MB */


static ngx_uint_t ngx_media_zone_extents(const ngx_media_zone_conf_t *conf);
static ngx_uint_t ngx_media_arena_top(ngx_uint_t pages);
static ngx_uint_t ngx_media_arena_pages(size_t limit, ngx_uint_t *top);
static void ngx_media_zone_repair_locked(ngx_media_zone_t *zone);
static ngx_int_t ngx_media_row_take(ngx_media_zone_t *zone, uint64_t start);
static void ngx_media_row_clear_locked(ngx_media_zone_t *zone,
    ngx_uint_t row);
static ngx_uint_t ngx_media_row_dead(const ngx_media_row_shm_t *row,
    uint32_t *pid, uint64_t *start, ngx_uint_t closely);
static void ngx_media_extent_left(ngx_media_zone_t *zone, uint32_t extent,
    uint32_t pid);
static uint32_t ngx_media_spare_take_locked(ngx_media_zone_t *zone);
static void ngx_media_spare_drop_locked(ngx_media_zone_t *zone,
    uint32_t extent);
static void ngx_media_extent_shrink_locked(ngx_media_zone_t *zone,
    uint32_t extent, size_t keep, size_t drop);
static ngx_uint_t ngx_media_extent_pinned_locked(ngx_media_zone_t *zone,
    uint32_t extent);
static ngx_int_t ngx_media_arena_punch(ngx_media_zone_t *zone, size_t page,
    size_t pages);
static void ngx_media_extent_free_locked(ngx_media_zone_t *zone,
    uint32_t extent);
static uint64_t *ngx_media_extent_sum(ngx_media_zone_shm_t *sh,
    const ngx_media_extent_shm_t *e);
static void ngx_media_limbo_put_locked(ngx_media_zone_t *zone,
    uint32_t extent);


size_t
ngx_media_zone_memory(const ngx_media_zone_conf_t *conf)
{
    size_t      len;
    ngx_uint_t  extents, blocks, pages, top;

    extents = ngx_media_zone_extents(conf);
    blocks = conf->blocks;
    pages = ngx_media_arena_pages(conf->size, &top);

    len = ngx_align(sizeof(ngx_media_zone_shm_t), 64);
    len += ngx_align(conf->head, 64);
    len += ngx_align(extents * sizeof(ngx_media_extent_shm_t), 64);
    len += ngx_align(conf->accounts * sizeof(uint64_t), 64);
    len += ngx_align(conf->accounts * sizeof(uint32_t), 64);
    len += 2 * ngx_align(blocks * sizeof(uint32_t), 64);
    len += ngx_align(ngx_media_buddy_memory(pages, top), 64);
    len += ngx_align(ngx_media_bitmap_memory(extents), 64);
    len += ngx_align(ngx_media_bitmap_memory(blocks), 64);
    len += NGX_MEDIA_ROWS * extents * sizeof(uint32_t);
    len += NGX_MEDIA_PAGE;
    len += blocks * NGX_MEDIA_PAGE;

    return len;
}


/* records for extents of 32 KB on the average, and some for small zones */

static ngx_uint_t
ngx_media_zone_extents(const ngx_media_zone_conf_t *conf)
{
    return conf->size / 32768 + 1024;
}


static ngx_uint_t
ngx_media_arena_top(ngx_uint_t pages)
{
    ngx_uint_t  top;

    for (top = 0; top < NGX_MEDIA_EXTENT_ORDER; top++) {
        if ((ngx_uint_t) 2 << top > pages) {
            break;
        }
    }

    return top;
}


static ngx_uint_t
ngx_media_arena_pages(size_t limit, ngx_uint_t *top)
{
    ngx_uint_t  pages;

    pages = limit / NGX_MEDIA_PAGE * NGX_MEDIA_ARENA_FACTOR;

    *top = ngx_media_arena_top(pages);

    return pages >> *top << *top;
}


void
ngx_media_zone_format(ngx_media_zone_shm_t *sh, void *mem,
    const ngx_media_zone_conf_t *conf)
{
    u_char      *p;
    ngx_uint_t   i, pages, top;

    sh->next_id = 1;
    sh->limbo = NGX_MEDIA_NONE;
    sh->spare = NGX_MEDIA_NONE;
    sh->limit = conf->size / NGX_MEDIA_PAGE;
    sh->nextents = ngx_media_zone_extents(conf);
    sh->naccounts = conf->accounts;
    sh->nblocks = conf->blocks;

    pages = ngx_media_arena_pages(conf->size, &top);

    p = (u_char *) mem + ngx_align(sizeof(ngx_media_zone_shm_t), 64);

    sh->head = p;
    p += ngx_align(conf->head, 64);

    sh->extents = (ngx_media_extent_shm_t *) p;
    p += ngx_align(sh->nextents * sizeof(ngx_media_extent_shm_t), 64);

    sh->accounts = (uint64_t *) p;
    p += ngx_align(sh->naccounts * sizeof(uint64_t), 64);

    sh->firsts = (uint32_t *) p;
    p += ngx_align(sh->naccounts * sizeof(uint32_t), 64);

    sh->owners = (uint32_t *) p;
    p += ngx_align(sh->nblocks * sizeof(uint32_t), 64);

    sh->nexts = (uint32_t *) p;
    p += ngx_align(sh->nblocks * sizeof(uint32_t), 64);

    ngx_media_buddy_init(&sh->buddy, pages, top, p);
    p += ngx_align(ngx_media_buddy_memory(pages, top), 64);

    ngx_media_bitmap_init(&sh->free_extents, sh->nextents, p);
    p += ngx_align(ngx_media_bitmap_memory(sh->nextents), 64);

    ngx_media_bitmap_init(&sh->free_blocks, sh->nblocks, p);
    p += ngx_align(ngx_media_bitmap_memory(sh->nblocks), 64);

    sh->pins = (uint32_t *) p;
    p += NGX_MEDIA_ROWS * sh->nextents * sizeof(uint32_t);

    sh->blocks = ngx_align_ptr(p, NGX_MEDIA_PAGE);

    for (i = 0; i < sh->nextents; i++) {
        ngx_media_bitmap_set(&sh->free_extents, i);
    }

    for (i = 0; i < sh->nblocks; i++) {
        ngx_media_bitmap_set(&sh->free_blocks, i);
    }
}


ngx_media_arena_t *
ngx_media_arena_create(size_t limit, ngx_log_t *log)
{
    int                 fd;
    ngx_uint_t          top;
    ngx_media_arena_t  *arena;

    arena = ngx_alloc(sizeof(ngx_media_arena_t), log);
    if (arena == NULL) {
        return NULL;
    }

    arena->count = 1;
    arena->size = ngx_media_arena_pages(limit, &top) * NGX_MEDIA_PAGE;

    fd = memfd_create("ngx_media", MFD_CLOEXEC|MFD_ALLOW_SEALING);
    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "memfd_create() failed");
        goto failed;
    }

    if (ftruncate(fd, arena->size) == -1
        || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW) == -1)
    {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "sizing the media arena to %uz failed", arena->size);
        goto close;
    }

    arena->addr = mmap(NULL, arena->size, PROT_READ|PROT_WRITE,
                       MAP_SHARED|MAP_NORESERVE, fd, 0);

    if (arena->addr == MAP_FAILED) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "mmap(%uz) of the media arena failed", arena->size);
        goto close;
    }

    (void) madvise(arena->addr, arena->size, MADV_DONTDUMP);

    arena->fd = fd;

    return arena;

close:

    (void) close(fd);

failed:

    ngx_free(arena);

    return NULL;
}


void
ngx_media_arena_release(ngx_media_arena_t *arena)
{
    if (--arena->count) {
        return;
    }

    (void) munmap(arena->addr, arena->size);
    (void) close(arena->fd);

    ngx_free(arena);
}


void
ngx_media_zone_lock(ngx_media_zone_t *zone)
{
    if (ngx_media_lock(&zone->sh->lock) == NGX_DONE) {
        ngx_media_zone_repair_locked(zone);
    }
}


static void
ngx_media_zone_repair_locked(ngx_media_zone_t *zone)
{
    uint32_t                 i;
    ngx_uint_t               top;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    top = sh->buddy.top;

    sh->limbo = NGX_MEDIA_NONE;
    sh->spare = NGX_MEDIA_NONE;
    sh->pages = 0;
    sh->orphans = 0;
    sh->used_extents = 0;

    ngx_memzero(sh->accounts, sh->naccounts * sizeof(uint64_t));

    /* also the sets: between two of their levels they are inconsistent */

    ngx_media_buddy_init(&sh->buddy, sh->buddy.pages, top,
                         sh->buddy.free[0].levels[0]);
    ngx_media_bitmap_init(&sh->free_extents, sh->nextents,
                          sh->free_extents.levels[0]);
    ngx_media_bitmap_init(&sh->free_blocks, sh->nblocks,
                          sh->free_blocks.levels[0]);

    for (i = 0; i < sh->nextents; i++) {
        e = &sh->extents[i];

        if (e->state == NGX_MEDIA_EXTENT_FREE) {
            ngx_media_bitmap_set(&sh->free_extents, i);
            continue;
        }

        if (ngx_media_buddy_take(&sh->buddy, e->page, e->order) != NGX_OK) {
            ngx_log_error(NGX_LOG_ALERT, zone->log, 0,
                          "media extent %uD overlaps another one", i);
        }

        sh->used_extents = i + 1;
        sh->pages += e->pages;
        *ngx_media_extent_sum(sh, e) += e->pages;

        if (e->state == NGX_MEDIA_EXTENT_LIMBO) {
            e->next = sh->limbo;
            sh->limbo = i;

        } else if (e->state == NGX_MEDIA_EXTENT_USED && e->keep) {
            e->next = sh->spare;
            sh->spare = i;
        }
    }

    ngx_memzero(sh->firsts, sh->naccounts * sizeof(uint32_t));

    for (i = 0; i < sh->nblocks; i++) {

        if (sh->owners[i] == 0) {
            ngx_media_bitmap_set(&sh->free_blocks, i);
            continue;
        }

        sh->nexts[i] = sh->firsts[sh->owners[i] - 1];
        sh->firsts[sh->owners[i] - 1] = i + 1;
    }

    (void) ngx_media_zone_validate_locked(zone);

    ngx_log_error(NGX_LOG_NOTICE, zone->log, 0,
                  "media zone repaired after a process died in it");
}


ngx_int_t
ngx_media_zone_attach(ngx_media_zone_t *zone)
{
    uint64_t  start;

    if (zone->row) {
        return NGX_OK;
    }

    start = ngx_media_process_start(ngx_pid);

    if (ngx_media_row_take(zone, start) == NGX_OK) {
        return NGX_OK;
    }

    ngx_media_zone_sweep(zone);

    if (ngx_media_row_take(zone, start) == NGX_OK) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, zone->log, 0,
                  "more than %d processes use a media zone", NGX_MEDIA_ROWS);

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_row_take(ngx_media_zone_t *zone, uint64_t start)
{
    ngx_uint_t            i, n;
    ngx_media_row_shm_t  *rows;

    rows = zone->sh->rows;
    n = NGX_MEDIA_ROWS;

    ngx_media_zone_lock(zone);

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {

        if (rows[i].pid == (uint32_t) ngx_pid) {
            n = i;
            break;
        }

        if (rows[i].pid == 0 && n == NGX_MEDIA_ROWS) {
            n = i;
        }
    }

    if (n == NGX_MEDIA_ROWS) {
        ngx_media_zone_unlock(zone);
        return NGX_DECLINED;
    }

    zone->nrow = n;
    zone->row = zone->sh->pins + n * zone->sh->nextents;

    /*
     * My pid is there: of a process that died, or, without a master, of this
     * one, whose former cycle still sends.
     */

    if (rows[n].pid == 0 || start == 0 || rows[n].start != start) {
        ngx_media_row_clear_locked(zone, n);

        rows[n].start = start;
        ngx_media_store(&rows[n].pid, (uint32_t) ngx_pid);
    }

    ngx_media_zone_unlock(zone);

    return NGX_OK;
}


/* of whoever had it, who may have died before he could */

static void
ngx_media_row_clear_locked(ngx_media_zone_t *zone, ngx_uint_t row)
{
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;

    ngx_memzero(sh->pins + (size_t) row * sh->nextents,
                sh->nextents * sizeof(uint32_t));

    if (zone->swept) {
        zone->swept(zone, row);
    }
}


void
ngx_media_zone_detach(ngx_media_zone_t *zone)
{
    if (zone->row == NULL) {
        return;
    }

    ngx_media_zone_lock(zone);

    ngx_media_row_clear_locked(zone, zone->nrow);
    zone->sh->rows[zone->nrow].pid = 0;

    ngx_media_zone_unlock(zone);

    zone->row = NULL;
}


/* all that takes time, system calls and long walks, is done unlocked */

void
ngx_media_zone_sweep(ngx_media_zone_t *zone)
{
    uint64_t               start;
    uint32_t               i, n, pid;
    ngx_uint_t             swept;
    ngx_media_row_shm_t   *row;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        row = &sh->rows[i];

        if ((zone->row && zone->nrow == i)
            || !ngx_media_row_dead(row, &pid, &start, zone->nlook == i))
        {
            continue;
        }

        ngx_media_zone_lock(zone);

        swept = row->pid == pid && row->start == start;

        if (swept) {
            ngx_media_row_clear_locked(zone, i);
            row->pid = 0;
            sh->swept++;
        }

        ngx_media_zone_unlock(zone);

        if (swept) {
            ngx_log_error(NGX_LOG_NOTICE, zone->log, 0,
                          "media zone swept after process %uD", pid);
        }
    }

    zone->nlook = (zone->nlook + 1) % NGX_MEDIA_ROWS;

    n = ngx_media_peek(&sh->used_extents);

    for (i = 0; i < n; i++) {
        pid = ngx_media_peek(&sh->extents[i].pid);

        /* this process works on none now: what has its pid was left */

        if (pid && (pid == (uint32_t) ngx_pid || ngx_media_process_dead(pid)))
        {
            ngx_media_extent_left(zone, i, pid);
        }
    }

    (void) ngx_media_zone_reclaim(zone);
}


/* whoever wrote to it, trimmed or punched it, has died; its pid goes last */

static void
ngx_media_extent_left(ngx_media_zone_t *zone, uint32_t extent, uint32_t pid)
{
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    e = &sh->extents[extent];

    ngx_media_zone_lock(zone);

    if (ngx_media_load(&e->pid) != pid) {
        ngx_media_zone_unlock(zone);
        return;
    }

    if (e->state == NGX_MEDIA_EXTENT_PUNCH) {
        ngx_media_limbo_put_locked(zone, extent);

    } else if (e->state == NGX_MEDIA_EXTENT_USED && e->keep) {
        ngx_media_spare_drop_locked(zone, extent);

        e->next = sh->spare;
        sh->spare = extent;
    }

    ngx_media_extent_give(zone, extent);

    ngx_media_zone_unlock(zone);

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media extent %uD given back after process %uD",
                   extent, pid);
}


/*
 * Closely: may its pid be another process's by now; that costs a read of
 * /proc.  A start time that could not be read says nothing.
 */

static ngx_uint_t
ngx_media_row_dead(const ngx_media_row_shm_t *row, uint32_t *pid,
    uint64_t *start, ngx_uint_t closely)
{
    *pid = ngx_media_load(&row->pid);
    *start = ngx_media_peek(&row->start);

    if (*pid == 0) {
        return 0;
    }

    return closely ? ngx_media_process_gone(*pid, *start)
                   : ngx_media_process_dead(*pid);
}


void *
ngx_media_block_alloc(ngx_media_zone_t *zone, uint32_t owner)
{
    u_char                *p;
    ngx_uint_t             n;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;

    ngx_media_zone_lock(zone);

    n = ngx_media_bitmap_lowest(&sh->free_blocks);

    if (n == NGX_MEDIA_BITMAP_NONE) {
        ngx_media_zone_unlock(zone);
        return NULL;
    }

    sh->owners[n] = owner + 1;
    ngx_media_bitmap_clear(&sh->free_blocks, n);

    sh->nexts[n] = sh->firsts[owner];
    sh->firsts[owner] = n + 1;

    ngx_media_zone_unlock(zone);

    p = sh->blocks + n * NGX_MEDIA_PAGE;

    ngx_memzero(p, NGX_MEDIA_PAGE);

    return p;
}


void
ngx_media_block_free(ngx_media_zone_t *zone, void *block)
{
    uint32_t              *link;
    ngx_uint_t             n;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;
    n = ((u_char *) block - sh->blocks) / NGX_MEDIA_PAGE;

    ngx_media_zone_lock(zone);

    for (link = &sh->firsts[sh->owners[n] - 1];
         *link != n + 1;
         link = &sh->nexts[*link - 1])
    {
        /* void */
    }

    *link = sh->nexts[n];

    sh->owners[n] = 0;
    ngx_media_bitmap_set(&sh->free_blocks, n);

    ngx_media_zone_unlock(zone);
}


void
ngx_media_block_free_all(ngx_media_zone_t *zone, uint32_t owner)
{
    uint32_t               n;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;

    ngx_media_zone_lock(zone);

    while (sh->firsts[owner]) {
        n = sh->firsts[owner] - 1;

        sh->firsts[owner] = sh->nexts[n];

        sh->owners[n] = 0;
        ngx_media_bitmap_set(&sh->free_blocks, n);
    }

    ngx_media_zone_unlock(zone);
}


uint32_t
ngx_media_extent_alloc(ngx_media_zone_t *zone, uint32_t owner, size_t size)
{
    ngx_uint_t               n, order, page;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;

    for (order = 0; (size_t) NGX_MEDIA_PAGE << order < size; order++) {
        if (order == sh->buddy.top) {
            return NGX_MEDIA_NONE;
        }
    }

    ngx_media_zone_lock(zone);

    n = ngx_media_bitmap_lowest(&sh->free_extents);
    page = NGX_MEDIA_BUDDY_NONE;

    if (n != NGX_MEDIA_BITMAP_NONE) {
        page = ngx_media_buddy_alloc(&sh->buddy, order);
    }

    if (page == NGX_MEDIA_BUDDY_NONE) {
        ngx_media_zone_unlock(zone);
        return NGX_MEDIA_NONE;
    }

    e = &sh->extents[n];

    e->page = page;
    e->order = order;
    e->pages = 0;
    e->owner = owner;
    e->refs = 1;
    e->keep = 0;
    e->pid = 0;

    if (n >= sh->used_extents) {
        sh->used_extents = n + 1;
    }

    /* from here on its pages are taken, whatever happens to this process */

    ngx_media_store(&e->state, NGX_MEDIA_EXTENT_USED);

    ngx_media_bitmap_clear(&sh->free_extents, n);

    ngx_media_store(&e->id, sh->next_id++);

    ngx_media_zone_unlock(zone);

    return n;
}


ngx_int_t
ngx_media_extent_commit(ngx_media_zone_t *zone, uint32_t extent, size_t size)
{
    off_t                    offset;
    size_t                   step, need, most;
    ngx_int_t                rc;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    e = &sh->extents[extent];

    ngx_media_must_be_free(zone->log, "memory is committed");

    /* who has taken it is the only one that changes this */

    need = (size + NGX_MEDIA_PAGE - 1) / NGX_MEDIA_PAGE;

    if (need <= e->pages) {
        return NGX_OK;
    }

    ngx_media_zone_lock(zone);

    need -= e->pages;
    most = (ngx_media_extent_size(zone, extent) / NGX_MEDIA_PAGE) - e->pages;

    /* ahead of the writer by half of what is there, within bounds */

    step = ngx_min(e->pages / 2, NGX_MEDIA_COMMIT_STEP / NGX_MEDIA_PAGE);
    step = ngx_min(ngx_max(need, step), most);

    if (sh->pages + step > sh->limit) {
        step = need;
    }

    if (sh->pages + step > sh->limit) {
        ngx_media_zone_unlock(zone);
        return NGX_DECLINED;
    }

    sh->pages += step;
    *ngx_media_extent_sum(sh, e) += step;
    e->pages += step;

    ngx_media_zone_unlock(zone);

    /*
     * A store into a hole that cannot be filled is SIGBUS: this is where the
     * lack of memory is met instead.
     */

    offset = ((off_t) e->page + e->pages - step) * NGX_MEDIA_PAGE;
    rc = NGX_OK;

    while (fallocate(zone->arena->fd, 0, offset,
                     (off_t) step * NGX_MEDIA_PAGE)
           == -1)
    {
        if (ngx_errno == NGX_EINTR) {
            continue;
        }

        rc = NGX_DECLINED;
        break;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media extent %uD backed, pages:%uD +%uz rc:%i",
                   extent, e->pages, step, rc);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    ngx_media_zone_lock(zone);

    sh->pages -= step;
    *ngx_media_extent_sum(sh, e) -= step;
    e->pages -= step;

    ngx_media_zone_unlock(zone);

    return rc;
}


void
ngx_media_extent_leave(ngx_media_zone_t *zone, uint32_t extent, size_t size)
{
    size_t                   need;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    e = &sh->extents[extent];

    need = ngx_max((size + NGX_MEDIA_PAGE - 1) / NGX_MEDIA_PAGE, 1);

    ngx_media_zone_lock(zone);

    /* who left it before has died in there */

    if (e->keep == 0
        && (e->pages > need || need <= (size_t) 1 << e->order >> 1))
    {
        e->keep = need;
        e->next = sh->spare;
        sh->spare = extent;
    }

    ngx_media_zone_unlock(zone);
}


/*
 * What was committed ahead and never written, which nobody can see.  Others may
 * unlink it meanwhile, but not free it.
 */

ngx_uint_t
ngx_media_zone_trim(ngx_media_zone_t *zone)
{
    size_t                   drop, keep;
    uint32_t                 extent;
    ngx_int_t                rc;
    ngx_uint_t               any;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    any = 0;

    while (ngx_media_peek(&sh->spare) != NGX_MEDIA_NONE) {

        ngx_media_zone_lock(zone);

        extent = ngx_media_spare_take_locked(zone);

        if (extent == NGX_MEDIA_NONE) {
            ngx_media_zone_unlock(zone);
            break;
        }

        e = &sh->extents[extent];

        keep = e->keep;
        drop = e->pages > keep ? e->pages - keep : 0;

        ngx_media_zone_unlock(zone);

        rc = ngx_media_arena_punch(zone, e->page + keep, drop);

        ngx_log_debug4(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media extent %uD trimmed, pages:%uz -%uz rc:%i",
                       extent, keep, drop, rc);

        ngx_media_zone_lock(zone);

        if (rc == NGX_OK) {
            ngx_media_extent_shrink_locked(zone, extent, keep, drop);
            any = 1;
        }

        /* otherwise it is freed with the rest of it */

        ngx_media_spare_drop_locked(zone, extent);
        e->keep = 0;

        ngx_media_extent_give(zone, extent);

        ngx_media_zone_unlock(zone);
    }

    return any;
}


/* one that nobody works on is this process's now, and in no list */

static uint32_t
ngx_media_spare_take_locked(ngx_media_zone_t *zone)
{
    uint32_t                 extent, *link;
    ngx_media_extent_shm_t  *e;

    for (link = &zone->sh->spare; *link != NGX_MEDIA_NONE; link = &e->next) {
        extent = *link;
        e = &zone->sh->extents[extent];

        if (ngx_media_load(&e->pid) == 0) {
            ngx_media_extent_take(zone, extent);
            *link = e->next;
            return extent;
        }
    }

    return NGX_MEDIA_NONE;
}


static void
ngx_media_spare_drop_locked(ngx_media_zone_t *zone, uint32_t extent)
{
    uint32_t  *link;

    for (link = &zone->sh->spare;
         *link != NGX_MEDIA_NONE;
         link = &zone->sh->extents[*link].next)
    {
        if (*link == extent) {
            *link = zone->sh->extents[extent].next;
            return;
        }
    }
}


static void
ngx_media_extent_shrink_locked(ngx_media_zone_t *zone, uint32_t extent,
    size_t keep, size_t drop)
{
    ngx_uint_t               order;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    e = &sh->extents[extent];

    sh->pages -= drop;
    *ngx_media_extent_sum(sh, e) -= drop;
    e->pages -= drop;

    for (order = 0; (size_t) 1 << order < keep; order++) { /* void */ }

    if (order < e->order) {
        ngx_media_buddy_shrink(&sh->buddy, e->page, e->order, order);
        e->order = order;
    }
}


void
ngx_media_extent_evict(ngx_media_zone_t *zone, uint32_t extent)
{
    ngx_media_store(&zone->sh->extents[extent].id, 0);
    ngx_media_fence();

    ngx_media_zone_lock(zone);
    ngx_media_limbo_put_locked(zone, extent);
    ngx_media_zone_unlock(zone);
}


static void
ngx_media_limbo_put_locked(ngx_media_zone_t *zone, uint32_t extent)
{
    ngx_media_extent_shm_t  *e;

    e = &zone->sh->extents[extent];

    if (e->keep) {
        ngx_media_spare_drop_locked(zone, extent);
        e->keep = 0;
    }

    e->next = zone->sh->limbo;
    ngx_media_store(&e->state, NGX_MEDIA_EXTENT_LIMBO);

    zone->sh->limbo = extent;
}


ngx_uint_t
ngx_media_zone_reclaim(ngx_media_zone_t *zone)
{
    uint32_t                 batch[NGX_MEDIA_PUNCH_BATCH], *link, extent;
    ngx_int_t                rc[NGX_MEDIA_PUNCH_BATCH];
    ngx_uint_t               any, i, n;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    any = ngx_media_zone_trim(zone);

    if (ngx_media_peek(&sh->limbo) == NGX_MEDIA_NONE) {
        return any;
    }

    do {
        n = 0;

        ngx_media_zone_lock(zone);

        link = &sh->limbo;

        while (*link != NGX_MEDIA_NONE && n < NGX_MEDIA_PUNCH_BATCH) {
            extent = *link;
            e = &sh->extents[extent];

            if (ngx_media_load(&e->pid)
                || ngx_media_extent_pinned_locked(zone, extent))
            {
                link = &e->next;
                continue;
            }

            *link = e->next;
            ngx_media_extent_take(zone, extent);
            ngx_media_store(&e->state, NGX_MEDIA_EXTENT_PUNCH);

            batch[n++] = extent;
        }

        ngx_media_zone_unlock(zone);

        for (i = 0; i < n; i++) {
            e = &sh->extents[batch[i]];
            rc[i] = ngx_media_arena_punch(zone, e->page, e->pages);
        }

        if (n) {
            ngx_media_zone_lock(zone);

            for (i = 0; i < n; i++) {

                /* others stay as they are: the next sweep tries again */

                if (rc[i] == NGX_OK) {
                    ngx_media_extent_free_locked(zone, batch[i]);
                    any = 1;
                }
            }

            ngx_media_zone_unlock(zone);
        }

    } while (n == NGX_MEDIA_PUNCH_BATCH);

    return any;
}


static ngx_uint_t
ngx_media_extent_pinned_locked(ngx_media_zone_t *zone, uint32_t extent)
{
    ngx_uint_t             i;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {
        if (sh->rows[i].pid
            && ngx_media_load(&sh->pins[i * sh->nextents + extent]))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_media_arena_punch(ngx_media_zone_t *zone, size_t page, size_t pages)
{
    off_t   offset;
    size_t  len, step;

    offset = (off_t) page * NGX_MEDIA_PAGE;
    len = pages * NGX_MEDIA_PAGE;

    ngx_media_must_be_free(zone->log, "the arena is punched");

    while (len) {
        step = ngx_min(len, NGX_MEDIA_PUNCH_STEP);

        if (fallocate(zone->arena->fd,
                      FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, offset, step)
            == -1)
        {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            ngx_log_error(NGX_LOG_CRIT, zone->log, ngx_errno,
                          "punching the media arena failed");
            return NGX_ERROR;
        }

        offset += step;
        len -= step;
    }

    return NGX_OK;
}


static void
ngx_media_extent_free_locked(ngx_media_zone_t *zone, uint32_t extent)
{
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    e = &sh->extents[extent];

    sh->pages -= e->pages;
    *ngx_media_extent_sum(sh, e) -= e->pages;

    ngx_media_buddy_free(&sh->buddy, e->page, e->order);

    e->pages = 0;
    ngx_media_store(&e->state, NGX_MEDIA_EXTENT_FREE);
    ngx_media_extent_give(zone, extent);

    ngx_media_bitmap_set(&sh->free_extents, extent);
}


/* where its pages are counted */

static uint64_t *
ngx_media_extent_sum(ngx_media_zone_shm_t *sh,
    const ngx_media_extent_shm_t *e)
{
    return e->owner == NGX_MEDIA_NONE ? &sh->orphans
                                      : &sh->accounts[e->owner];
}


void
ngx_media_extents_orphan_locked(ngx_media_zone_t *zone, uint32_t owner)
{
    uint32_t                 i;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;

    for (i = 0; i < sh->used_extents; i++) {
        e = &sh->extents[i];

        if (e->state == NGX_MEDIA_EXTENT_FREE || e->owner != owner) {
            continue;
        }

        sh->accounts[owner] -= e->pages;
        e->owner = NGX_MEDIA_NONE;
        sh->orphans += e->pages;
    }
}


ngx_int_t
ngx_media_pin(ngx_media_zone_t *zone, const ngx_media_range_t *ranges,
    ngx_uint_t n)
{
    uint32_t    *pin;
    ngx_uint_t   i;

    if (zone->row == NULL && ngx_media_zone_attach(zone) != NGX_OK) {
        return NGX_BUSY;
    }

    for (i = 0; i < n; i++) {
        pin = &zone->row[ranges[i].extent];

        ngx_media_store(pin, *pin + 1);
        ngx_media_fence();

        if (ngx_media_load(&zone->sh->extents[ranges[i].extent].id)
            != ranges[i].id)
        {
            ngx_media_unpin(zone, ranges, i + 1);
            return NGX_DONE;
        }
    }

    return NGX_OK;
}


void
ngx_media_unpin(ngx_media_zone_t *zone, const ngx_media_range_t *ranges,
    ngx_uint_t n)
{
    uint32_t    *pin;
    ngx_uint_t   i;

    if (zone->row == NULL) {
        return;
    }

    for (i = 0; i < n; i++) {
        pin = &zone->row[ranges[i].extent];
        ngx_media_store(pin, *pin - 1);
    }
}


ngx_fd_t
ngx_media_arena_fd(const ngx_media_zone_t *zone)
{
    return zone->arena->fd;
}


u_char *
ngx_media_arena_bytes(const ngx_media_zone_t *zone,
    const ngx_media_range_t *range)
{
    return zone->arena->addr + range->offset;
}
