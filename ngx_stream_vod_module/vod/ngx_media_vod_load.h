
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * From a name to a set, without blocking: files are opened and looked at in a
 * thread, indexes and sets are had from the cache or made in a thread.  What
 * was found is remembered by this process for a moment ("valid"), so that
 * requests for what is known are answered at once.
 *
 *     load->...         set what is to be loaded
 *     rc = ngx_media_vod_load(load);
 *
 *     NGX_OK     done: load->status, and if it is 200, load->source
 *     NGX_AGAIN  load->handler will be called when it is; until then the
 *                owner must keep load and its pool.  If that is destroyed,
 *                it is not called
 *
 * What is remembered may be older than what another process has listed since.
 * ngx_media_vod_load_again() looks again, before it is said that something is
 * not there; once a second for a name at most, whatever is asked for.
 *
 * What was loaded is held until the pool is destroyed: blobs are pinned, and
 * files stay open.
 */


#ifndef _NGX_MEDIA_VOD_LOAD_H_INCLUDED_
#define _NGX_MEDIA_VOD_LOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_thread_pool.h>
#include "memory/ngx_media_cache.h"
#include "vod/ngx_media_vod.h"
#include "vod/ngx_media_vod_set.h"


typedef struct ngx_media_vod_load_s  ngx_media_vod_load_t;

/* what a process knows: names, open files */
typedef struct ngx_media_vod_table_s  ngx_media_vod_table_t;

typedef void (*ngx_media_vod_load_pt)(ngx_media_vod_load_t *load);


/* of a location; it lives as long as the cycle, names are known by it */

typedef struct {
    ngx_media_vod_table_t    *table;          /* one for all locations */
    ngx_media_cache_t        *cache;
    ngx_thread_pool_t        *thread_pool;
    ngx_msec_t                target;         /* of segments */
    ngx_msec_t                valid;          /* what is known is believed */
    size_t                    max_moov;
    ngx_uint_t                max_files;      /* open in this process */
    ngx_uint_t                symlinks;       /* NGX_DISABLE_SYMLINKS_* */
    const char               *temp;           /* directory of converted files;
                                                 NULL: none are converted */
    off_t                     temp_max;       /* of all of them, bytes; 0: no
                                                 limit */
    const ngx_media_vod_ladder_t *ladder;     /* NULL: none */
    unsigned                  mapping:1;      /* names are of JSON files */
} ngx_media_vod_conf_t;


struct ngx_media_vod_load_s {
    ngx_media_vod_conf_t     *conf;
    ngx_pool_t               *pool;
    ngx_log_t                *log;
    ngx_str_t                 path;           /* absolute, ends with a zero */
    size_t                    root;           /* bytes of it that are the
                                                 location's root */
    size_t                    symlinks_from;  /* as of ngx_open_file_info_t */
    ngx_media_vod_load_pt     handler;
    void                     *data;           /* of the handler */
    unsigned                  listed:1;       /* it is of a name that another
                                                 process may have listed: a
                                                 failure is not believed */

    /* the result */
    ngx_uint_t                status;         /* 200, or why not: logged */
    ngx_media_vod_source_t    source;

    /* its own */
    void                     *state;
    ngx_msec_t                asked;          /* when */
    unsigned                  again:1;        /* what is remembered of its
                                                 files is not believed */
};


/* while the configuration is read; NULL: no memory */
ngx_media_vod_table_t *ngx_media_vod_table_add(ngx_conf_t *cf);

ngx_int_t ngx_media_vod_load(ngx_media_vod_load_t *load);

/*
 * After it was done.  NGX_OK and NGX_AGAIN are as above, what it had is gone;
 * NGX_DECLINED: it was looked at since it was asked for, or too often: what
 * it has stays.
 */
ngx_int_t ngx_media_vod_load_again(ngx_media_vod_load_t *load);


#endif /* _NGX_MEDIA_VOD_LOAD_H_INCLUDED_ */
