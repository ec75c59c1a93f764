
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Counters of processes, in shared memory that outlives them: groups of
 * numbered counters, each group known by its name, kept over reloads.
 *
 * All counters are there in 64 lanes, one for each worker, by its number, so
 * that workers do not share cache lines.  A lane is nobody's: who comes after
 * a worker, or has its number beside it, goes on adding to it.  Adding is
 * atomic and a value is the sum of all lanes, so there is nothing to attach,
 * to sweep or to repair: whoever dies, wherever, counters never go back.
 */


#ifndef _NGX_MEDIA_COUNT_H_INCLUDED_
#define _NGX_MEDIA_COUNT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_sync.h"


#define NGX_MEDIA_COUNT_LAYOUT   1
#define NGX_MEDIA_COUNT_LANES    64
#define NGX_MEDIA_COUNT_NAME     120          /* bytes of a name, cut */


typedef struct {
    uint32_t                  pid;            /* [atomic] 0: none */
    uint64_t                  start;          /* its time; 0: not yet known */
} ngx_media_count_process_shm_t;


typedef struct {
    uint32_t                  len;
    u_char                    name[NGX_MEDIA_COUNT_NAME];
} ngx_media_count_name_shm_t;


/* names are written by the master, at their end ngroups */

typedef struct {
    int64_t                        since;     /* ms since the epoch */
    uint64_t                       deaths;    /* [atomic] of workers */
    uint64_t                       ngroups;   /* [atomic] */
    uint64_t                       max;       /* groups there is room for */
    uint64_t                       width;     /* counters of a group */
    ngx_media_count_process_shm_t  processes[NGX_MAX_PROCESSES];
    ngx_media_count_name_shm_t    *names;
    uint64_t                      *counters;  /* [atomic] lanes, of groups */
} ngx_media_count_shm_t;


/* a group as the configuration has it; in the cycle's pool */

typedef struct {
    ngx_str_t                 name;
    ngx_uint_t                index;          /* in the zone, when made */
} ngx_media_count_group_t;


typedef struct {
    ngx_media_count_shm_t    *sh;
    ngx_uint_t                width;
    ngx_array_t               groups;         /* ngx_media_count_group_t * */
} ngx_media_count_t;


typedef struct {
    int64_t                   since;          /* ms since the epoch */
    uint64_t                  deaths;         /* of workers */
    uint64_t                  workers;        /* that are alive */
} ngx_media_count_stat_t;


/*
 * While the configuration is read: counters, width of each group; a group, the
 * same for the same name; and, when all are known, their memory.  A zone has
 * room for 255 groups, or for twice as many as are asked for, rounded up, if
 * that is more: then it is a new one, which what was counted is carried over
 * to.  NULL, NGX_ERROR: logged.
 */
ngx_media_count_t *ngx_media_count_create(ngx_conf_t *cf, ngx_uint_t width);
ngx_media_count_group_t *ngx_media_count_group(ngx_conf_t *cf,
    ngx_media_count_t *count, const ngx_str_t *name);
ngx_int_t ngx_media_count_zone(ngx_conf_t *cf, ngx_media_count_t *count);

/* ngx_media_count_zone.c: in memory of this many bytes, zeroed */
size_t ngx_media_count_size(ngx_uint_t max, ngx_uint_t width);
void ngx_media_count_format(ngx_media_count_shm_t *sh, ngx_uint_t max,
    ngx_uint_t width, int64_t now);

/* its groups get their places; those without room all get the first */
ngx_uint_t ngx_media_count_place(ngx_media_count_t *count);

/*
 * What was counted in another zone, of the same width: names that this one has
 * no room for are added to those of its first group.
 */
void ngx_media_count_carry(ngx_media_count_t *count,
    const ngx_media_count_shm_t *from);

/* this worker lives, and leaves */
void ngx_media_count_attach(ngx_media_count_t *count);
void ngx_media_count_detach(ngx_media_count_t *count);

/* this worker's: a counter of a group */
void ngx_media_count_add(ngx_media_count_t *count, ngx_uint_t group,
    ngx_uint_t counter, uint64_t n);

uint64_t ngx_media_count_get(ngx_media_count_t *count, ngx_uint_t group,
    ngx_uint_t counter);

/* of one lane: what the workers of this number have added to all groups */
uint64_t ngx_media_count_lane(ngx_media_count_t *count, ngx_uint_t lane,
    ngx_uint_t counter);

/* also finds out who died since it was asked last */
void ngx_media_count_stat(ngx_media_count_t *count,
    ngx_media_count_stat_t *stat);


#endif /* _NGX_MEDIA_COUNT_H_INCLUDED_ */
