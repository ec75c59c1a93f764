
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A *job* finds out what a name is, for all loads of one process that wait
 * for it; a *result* is what it found, kept by all who use it.
 *
 * Jobs and what their threads touch belong to the table, never to a request,
 * so requests come and go as they like.
 *
 * style: long header, a job, its files and what it finds.
 */


#ifndef _NGX_MEDIA_VOD_JOB_H_INCLUDED_
#define _NGX_MEDIA_VOD_JOB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "memory/ngx_media_cache.h"
#include "vod/ngx_media_vod_load.h"
#include "vod/ngx_media_vod_map.h"
#include "vod/ngx_media_vod_open.h"
#include "vod/ngx_media_vod_want.h"


/* files of one job that are indexed at the same time */
#define NGX_MEDIA_VOD_JOB_SLOTS  4


typedef struct ngx_media_vod_job_s   ngx_media_vod_job_t;
typedef struct ngx_media_vod_slot_s  ngx_media_vod_slot_t;

typedef struct ngx_media_vod_result_s  ngx_media_vod_result_t;


struct ngx_media_vod_table_s {
    ngx_media_vod_tree_t      paths;
    ngx_media_vod_tree_t      names;
    ngx_event_t               event;          /* sweeps */
    ngx_media_vod_makings_t   makings;
};


/* a blob: pinned, or its own, from malloc(), for there was no room */

typedef struct {
    ngx_media_cache_ref_t     ref;
    void                     *own;
    const void               *data;
} ngx_media_vod_held_t;


/* one of the different files of a map */

typedef struct {
    ngx_str_t                 path;
    ngx_media_vod_handle_t   *handle;         /* a reference */
    ngx_media_vod_handle_t   *converted;      /* where its media is, another
                                                 one; NULL: in the file */
    ngx_media_vod_held_t      blob;
} ngx_media_vod_item_t;


struct ngx_media_vod_result_s {
    ngx_uint_t                refs;
    ngx_pool_t               *pool;           /* of all that follows */
    ngx_media_cache_t        *cache;          /* NULL: it is gone */

    ngx_media_vod_map_make_t  make;
    ngx_media_vod_item_t     *items;
    ngx_uint_t                nitems;
    ngx_media_vod_open_t     *files;          /* [sequence][clip] */
    ngx_media_vod_held_t      set;

    ngx_msec_t                seen;           /* when its files were looked
                                                 at, not later */
    ngx_uint_t                status;         /* 0: not yet */
    ngx_uint_t                level;          /* of the line in the log */
    ngx_err_t                 err;
    ngx_str_t                 path;           /* what is at fault */
    ngx_media_vod_result_t   *kept;           /* passing: what was known and
                                                 is good, a reference; NULL */
    unsigned                  passing:1;      /* not to be remembered */
    u_char                    error[NGX_MEDIA_VOD_ERROR];  /* ends with 0 */
};


/* of a load: load->state */

typedef struct {
    ngx_queue_t               queue;
    ngx_media_vod_load_t     *load;
    ngx_media_vod_job_t      *job;            /* while it waits for it */
    ngx_media_vod_result_t   *result;         /* a reference */
    unsigned                  waiting:1;      /* it is in a queue */
    unsigned                  failed:1;       /* it could not be looked at
                                                 again */
} ngx_media_vod_wait_t;


struct ngx_media_vod_job_s {
    ngx_media_vod_table_t    *table;          /* NULL: it is gone */
    ngx_media_vod_node_t     *node;           /* of names */
    ngx_media_vod_conf_t     *conf;
    ngx_pool_t               *pool;           /* of tasks */
    ngx_queue_t               waiters;
    ngx_media_vod_result_t   *result;         /* a reference */
    void                    (*done)(ngx_media_vod_job_t *job);

    ngx_uint_t                step;
    ngx_uint_t                tasks;          /* threads at work */
    ngx_event_t               timer;          /* somebody else is at it */
    ngx_msec_t                delay;
    ngx_msec_t                started;
    time_t                    now;
    size_t                    symlinks_from;
    char                     *temp;           /* conf->temp, for threads */

    ngx_media_vod_handle_t   *plain;          /* the name is a file: it */
    ngx_media_vod_probe_t    *probes;
    ngx_uint_t                nprobes;
    uint32_t                 *todo;           /* items without a blob */
    ngx_uint_t                ntodo;
    ngx_media_vod_slot_t     *slots[NGX_MEDIA_VOD_JOB_SLOTS];
    u_char                    key[NGX_MEDIA_CACHE_KEY];  /* of the set */
    unsigned                  again:1;        /* paths are not believed */
    unsigned                  making:1;       /* the set */
};


/* for a node without one; NULL: no memory */
ngx_media_vod_job_t *ngx_media_vod_job_create(ngx_media_vod_load_t *load,
    ngx_media_vod_node_t *node);
/* NGX_OK: the result has a status; NGX_AGAIN: job->done() will be called */
ngx_int_t ngx_media_vod_job_run(ngx_media_vod_job_t *job);
/* no thread is at work for it */
void ngx_media_vod_job_destroy(ngx_media_vod_job_t *job);
/* the table goes: a job that threads work for goes when they are done */
void ngx_media_vod_job_orphan(ngx_media_vod_job_t *job);

/* the cache needs room: what is only remembered is given up; how many */
ngx_uint_t ngx_media_vod_table_release(ngx_media_vod_table_t *table);

/* NULL is fine */
void ngx_media_vod_result_unref(ngx_media_vod_result_t *result);


#endif /* _NGX_MEDIA_VOD_JOB_H_INCLUDED_ */
