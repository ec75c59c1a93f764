
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "transcode/ngx_media_transcode_table.h"


static void ngx_media_table_mark(ngx_media_table_shm_t *table,
    const u_char *name, size_t len);
static ngx_uint_t ngx_media_table_thread(void);


ngx_media_table_job_t *
ngx_media_table_add(ngx_media_table_shm_t *table, ngx_uint_t row,
    const ngx_str_t *name)
{
    uint32_t                free;
    ngx_uint_t              i;
    ngx_media_table_job_t  *job;

    for (i = 0; i < NGX_MEDIA_TABLE_JOBS; i++) {
        job = &table->jobs[i];
        free = 0;

        if (!__atomic_compare_exchange_n(&job->row, &free, (uint32_t) row + 1,
                                         0, __ATOMIC_ACQ_REL,
                                         __ATOMIC_RELAXED))
        {
            continue;
        }

        /* readers see none of that name, or the whole of it */

        ngx_media_store(&job->name_len, 0);

        ngx_memzero(&job->stat, sizeof(ngx_media_table_stat_t));
        job->threads = 0;
        ngx_memcpy(job->name, name->data,
                   ngx_min(name->len, NGX_MEDIA_NAME_MAX));

        ngx_media_store(&job->name_len,
                        ngx_min((uint32_t) name->len, NGX_MEDIA_NAME_MAX));
        return job;
    }

    return NULL;
}


void
ngx_media_table_remove(ngx_media_table_job_t *job)
{
    if (job) {
        ngx_media_store(&job->name_len, 0);
        ngx_media_store(&job->row, 0);
    }
}


void
ngx_media_table_enter(ngx_media_table_shm_t *table,
    ngx_media_table_job_t *job)
{
    if (job) {
        __atomic_store_n(&table->crumbs[job->row - 1]
                                       [ngx_media_table_thread()],
                         (uint32_t) (job - table->jobs) + 1,
                         __ATOMIC_RELAXED);
    }
}


void
ngx_media_table_leave(ngx_media_table_shm_t *table,
    ngx_media_table_job_t *job)
{
    if (job) {
        __atomic_store_n(&table->crumbs[job->row - 1]
                                       [ngx_media_table_thread()],
                         0, __ATOMIC_RELAXED);
    }
}


/* threads of a pool are for ever: each has its number */

static ngx_uint_t
ngx_media_table_thread(void)
{
    static ngx_uint_t           nthreads;
    static __thread ngx_uint_t  own;

    if (own == 0) {
        own = __atomic_add_fetch(&nthreads, 1, __ATOMIC_RELAXED);
    }

    return own % NGX_MEDIA_TABLE_CRUMBS;
}


/* the zone's lock is held: nobody else marks */

void
ngx_media_table_swept(ngx_media_table_shm_t *table, ngx_uint_t row)
{
    uint32_t                n, *crumb;
    ngx_uint_t              i;
    ngx_media_table_job_t  *job;

    for (i = 0; i < NGX_MEDIA_TABLE_CRUMBS; i++) {
        crumb = &table->crumbs[row][i];
        n = *crumb;

        if (n == 0 || n > NGX_MEDIA_TABLE_JOBS) {
            *crumb = 0;
            continue;
        }

        job = &table->jobs[n - 1];

        if (job->row == row + 1) {
            ngx_media_table_mark(table, job->name, job->name_len);

            /* it is not marked twice for one death */
            job->threads = 0;
            job->name_len = 0;
        }

        *crumb = 0;
    }

    for (i = 0; i < NGX_MEDIA_TABLE_JOBS; i++) {
        job = &table->jobs[i];

        if (ngx_media_load(&job->row) != row + 1) {
            continue;
        }

        if (job->threads && job->name_len) {
            ngx_media_table_mark(table, job->name, job->name_len);
        }

        ngx_media_table_remove(job);
    }

    ngx_media_transcode_load_clear(&table->load, row);
}


static void
ngx_media_table_mark(ngx_media_table_shm_t *table, const u_char *name,
    size_t len)
{
    int64_t                  now;
    ngx_uint_t               i;
    ngx_media_table_mark_t  *mark, *oldest;

    if (len == 0 || len > NGX_MEDIA_NAME_MAX) {
        return;
    }

    now = (int64_t) ngx_time();
    oldest = &table->marks[0];

    for (i = 0; i < NGX_MEDIA_TABLE_MARKS; i++) {
        mark = &table->marks[i];

        if (mark->marked && mark->name_len == len
            && ngx_memcmp(mark->name, name, len) == 0)
        {
            if (now - mark->marked < NGX_MEDIA_TABLE_TWICE) {
                mark->banned = now + NGX_MEDIA_TABLE_BANNED;
                mark->said = 0;
                table->quarantined++;
            }

            mark->marked = now;
            return;
        }

        if (mark->marked < oldest->marked) {
            oldest = mark;
        }
    }

    oldest->marked = 0;
    oldest->banned = 0;
    oldest->said = 0;
    oldest->name_len = len;
    ngx_memcpy(oldest->name, name, len);
    oldest->marked = now;
}


ngx_uint_t
ngx_media_table_banned(ngx_media_table_shm_t *table, const ngx_str_t *name,
    ngx_uint_t *first)
{
    int64_t                  now;
    ngx_uint_t               i;
    ngx_media_table_mark_t  *mark;

    now = (int64_t) ngx_time();
    *first = 0;

    for (i = 0; i < NGX_MEDIA_TABLE_MARKS; i++) {
        mark = &table->marks[i];

        if (mark->marked && mark->banned > now && mark->name_len == name->len
            && ngx_memcmp(mark->name, name->data, name->len) == 0)
        {
            *first = !mark->said;
            mark->said = 1;

            return (ngx_uint_t) (mark->banned - now);
        }
    }

    return 0;
}


ngx_int_t
ngx_media_table_stat(const ngx_media_table_shm_t *table,
    const ngx_str_t *name, ngx_media_table_stat_t *stat)
{
    ngx_uint_t                    i;
    const ngx_media_table_job_t  *job;

    for (i = 0; i < NGX_MEDIA_TABLE_JOBS; i++) {
        job = &table->jobs[i];

        if (ngx_media_load(&job->row) == 0
            || ngx_media_load(&job->name_len) != name->len
            || ngx_memcmp(job->name, name->data, name->len) != 0)
        {
            continue;
        }

        *stat = job->stat;

        /* what is being written ends there all the same */

        stat->ladder[sizeof(stat->ladder) - 1] = '\0';

        for (i = 0; i < NGX_MEDIA_LADDER_RUNGS; i++) {
            stat->rungs[i].name[sizeof(stat->rungs[i].name) - 1] = '\0';
            stat->rungs[i].encoder[sizeof(stat->rungs[i].encoder) - 1] = '\0';
        }

        return NGX_OK;
    }

    return NGX_DECLINED;
}


void
ngx_media_table_count(const ngx_media_table_shm_t *table, ngx_uint_t *jobs,
    ngx_uint_t *banned)
{
    int64_t     now;
    ngx_uint_t  i;

    now = (int64_t) ngx_time();

    *jobs = 0;
    *banned = 0;

    for (i = 0; i < NGX_MEDIA_TABLE_JOBS; i++) {
        *jobs += ngx_media_load(&table->jobs[i].row) != 0;
    }

    for (i = 0; i < NGX_MEDIA_TABLE_MARKS; i++) {
        *banned += table->marks[i].banned > now;
    }
}
