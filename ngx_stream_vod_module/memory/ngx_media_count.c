
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_count.h"
#include "memory/ngx_media_process.h"


static ngx_uint_t ngx_media_count_name(ngx_media_count_shm_t *sh,
    const ngx_str_t *name);
static ngx_uint_t ngx_media_count_find(ngx_media_count_shm_t *sh,
    const ngx_str_t *name);
static void ngx_media_count_settle(ngx_media_count_shm_t *sh,
    ngx_media_count_process_shm_t *process);


/* of a lane: they begin at cache lines */

static size_t
ngx_media_count_bytes(ngx_uint_t max, ngx_uint_t width)
{
    return ngx_align(max * width * sizeof(uint64_t), 64);
}


size_t
ngx_media_count_size(ngx_uint_t max, ngx_uint_t width)
{
    return 64 + ngx_align(sizeof(ngx_media_count_shm_t), 64)
           + ngx_align(max * sizeof(ngx_media_count_name_shm_t), 64)
           + NGX_MEDIA_COUNT_LANES * ngx_media_count_bytes(max, width);
}


/* the first group is of those that there is no room for */

void
ngx_media_count_format(ngx_media_count_shm_t *sh, ngx_uint_t max,
    ngx_uint_t width, int64_t now)
{
    u_char  *p;

    sh->since = now;
    sh->max = max;
    sh->width = width;
    sh->ngroups = 1;

    p = ngx_align_ptr((u_char *) sh + sizeof(ngx_media_count_shm_t), 64);

    sh->names = (ngx_media_count_name_shm_t *) p;
    p += ngx_align(max * sizeof(ngx_media_count_name_shm_t), 64);

    sh->counters = (uint64_t *) p;
}


ngx_uint_t
ngx_media_count_place(ngx_media_count_t *count)
{
    ngx_uint_t                 i, without;
    ngx_media_count_group_t  **group;

    group = count->groups.elts;
    without = 0;

    for (i = 0; i < count->groups.nelts; i++) {
        group[i]->index = ngx_media_count_name(count->sh, &group[i]->name);

        without += group[i]->index == 0;
    }

    return without;
}


/* its place, a new one if it has none; 0: there is no room */

static ngx_uint_t
ngx_media_count_name(ngx_media_count_shm_t *sh, const ngx_str_t *name)
{
    ngx_uint_t                   n;
    ngx_media_count_name_shm_t  *entry;

    n = ngx_media_count_find(sh, name);

    if (n) {
        return n;
    }

    n = sh->ngroups;

    if (n == sh->max) {
        return 0;
    }

    entry = &sh->names[n];

    entry->len = ngx_min(name->len, NGX_MEDIA_COUNT_NAME);
    ngx_memcpy(entry->name, name->data, entry->len);

    ngx_media_store(&sh->ngroups, (uint64_t) n + 1);

    return n;
}


void
ngx_media_count_carry(ngx_media_count_t *count,
    const ngx_media_count_shm_t *from)
{
    uint64_t               *to, *was;
    ngx_str_t               name;
    ngx_uint_t              c, i, lane, place;
    ngx_media_count_shm_t  *sh;

    sh = count->sh;

    sh->since = from->since;
    sh->deaths += from->deaths;

    for (i = 0; i < from->ngroups; i++) {

        name.len = from->names[i].len;
        name.data = from->names[i].name;

        place = i ? ngx_media_count_name(sh, &name) : 0;

        for (lane = 0; lane < NGX_MEDIA_COUNT_LANES; lane++) {

            was = from->counters + i * from->width
                  + lane * (ngx_media_count_bytes(from->max, from->width)
                            / sizeof(uint64_t));
            to = sh->counters + place * sh->width
                 + lane * (ngx_media_count_bytes(sh->max, sh->width)
                           / sizeof(uint64_t));

            for (c = 0; c < sh->width; c++) {

                /* what is untouched takes no memory */

                if (ngx_media_peek(&was[c])) {
                    (void) ngx_media_count(&to[c], ngx_media_peek(&was[c]));
                }
            }
        }
    }
}


static ngx_uint_t
ngx_media_count_find(ngx_media_count_shm_t *sh, const ngx_str_t *name)
{
    size_t      len;
    ngx_uint_t  i;

    len = ngx_min(name->len, NGX_MEDIA_COUNT_NAME);

    for (i = 1; i < sh->ngroups; i++) {
        if (sh->names[i].len == len
            && ngx_memcmp(sh->names[i].name, name->data, len) == 0)
        {
            return i;
        }
    }

    return 0;
}


/* the pid is the truth: who dies between the two is known by its pid alone */

void
ngx_media_count_attach(ngx_media_count_t *count)
{
    ngx_media_count_process_shm_t  *process;

    process = &count->sh->processes[ngx_process_slot];

    ngx_media_count_settle(count->sh, process);

    process->start = 0;
    ngx_media_store(&process->pid, (uint32_t) ngx_pid);
    process->start = ngx_media_process_self();
}


void
ngx_media_count_detach(ngx_media_count_t *count)
{
    ngx_media_count_process_shm_t  *process;

    process = &count->sh->processes[ngx_process_slot];

    if (ngx_media_peek(&process->pid) == (uint32_t) ngx_pid) {
        ngx_media_store(&process->pid, 0);
    }
}


/* who died is counted by one of those who see it */

static void
ngx_media_count_settle(ngx_media_count_shm_t *sh,
    ngx_media_count_process_shm_t *process)
{
    uint32_t  pid;

    pid = ngx_media_load(&process->pid);

    if (pid == 0 || pid == (uint32_t) ngx_pid
        || !ngx_media_process_gone((ngx_pid_t) pid, process->start))
    {
        return;
    }

    if (ngx_media_lock_cas(&process->pid, pid, 0)) {
        (void) ngx_media_count(&sh->deaths, 1);
    }
}


void
ngx_media_count_add(ngx_media_count_t *count, ngx_uint_t group,
    ngx_uint_t counter, uint64_t n)
{
    uint64_t               *lane;
    ngx_media_count_shm_t  *sh;

    sh = count->sh;

    lane = sh->counters + ngx_worker % NGX_MEDIA_COUNT_LANES
                         * (ngx_media_count_bytes(sh->max, sh->width)
                            / sizeof(uint64_t));

    (void) ngx_media_count(&lane[group * sh->width + counter], n);
}


uint64_t
ngx_media_count_get(ngx_media_count_t *count, ngx_uint_t group,
    ngx_uint_t counter)
{
    uint64_t                sum, *lane;
    ngx_uint_t              i;
    ngx_media_count_shm_t  *sh;

    sh = count->sh;
    lane = sh->counters;
    sum = 0;

    for (i = 0; i < NGX_MEDIA_COUNT_LANES; i++) {
        sum += ngx_media_peek(&lane[group * sh->width + counter]);
        lane += ngx_media_count_bytes(sh->max, sh->width) / sizeof(uint64_t);
    }

    return sum;
}


uint64_t
ngx_media_count_lane(ngx_media_count_t *count, ngx_uint_t lane,
    ngx_uint_t counter)
{
    uint64_t                sum, *counters;
    ngx_uint_t              i, n;
    ngx_media_count_shm_t  *sh;

    sh = count->sh;
    sum = 0;

    counters = sh->counters + lane * (ngx_media_count_bytes(sh->max, sh->width)
                                      / sizeof(uint64_t));

    n = ngx_media_load(&sh->ngroups);

    for (i = 0; i < n; i++) {
        sum += ngx_media_peek(&counters[i * sh->width + counter]);
    }

    return sum;
}


void
ngx_media_count_stat(ngx_media_count_t *count, ngx_media_count_stat_t *stat)
{
    ngx_uint_t              i;
    ngx_media_count_shm_t  *sh;

    sh = count->sh;

    stat->since = sh->since;
    stat->workers = 0;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        ngx_media_count_settle(sh, &sh->processes[i]);
        stat->workers += (ngx_media_peek(&sh->processes[i].pid) != 0);
    }

    stat->deaths = ngx_media_peek(&sh->deaths);
}
