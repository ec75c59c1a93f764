
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_store_shm.h"
#include "core/ngx_media_store_zone.h"


#define NGX_MEDIA_STREAM_BLOCKS  48
#define NGX_MEDIA_TRACK_BLOCKS   32


static uint32_t ngx_media_store_lists(ngx_uint_t streams);


/*
 * Pages for records: some for each stream, for long windows one for each MB
 * of payload, and as many as a stream with all of its tracks may take, also
 * where few streams are allowed.  Not a function of the window: a reload may
 * change that.
 */

void
ngx_media_store_zone_conf(const ngx_media_app_t *app,
    ngx_media_zone_conf_t *conf)
{
    conf->size = app->zone_size;
    conf->accounts = app->max_streams;

    conf->blocks = app->max_streams * NGX_MEDIA_STREAM_BLOCKS
                   + app->zone_size / (1024 * 1024)
                   + NGX_MEDIA_TRACKS * NGX_MEDIA_TRACK_BLOCKS;

    conf->head = ngx_media_store_memory(conf);
}


size_t
ngx_media_store_memory(const ngx_media_zone_conf_t *conf)
{
    return ngx_align(sizeof(ngx_media_store_shm_t), 64)
           + ngx_align(conf->accounts * sizeof(ngx_media_stream_shm_t), 64)
           + 2 * conf->accounts * sizeof(uint32_t)
           + ngx_media_store_lists(conf->accounts) * sizeof(uint32_t);
}


void
ngx_media_store_format(ngx_media_zone_t *zone, void *mem)
{
    u_char                 *p;
    ngx_media_store_shm_t  *store;

    p = mem;

    store = (ngx_media_store_shm_t *) p;
    p += ngx_align(sizeof(ngx_media_store_shm_t), 64);

    store->magic = NGX_MEDIA_STORE_MAGIC;
    store->nstreams = zone->sh->naccounts;

    store->streams = (ngx_media_stream_shm_t *) p;
    p += ngx_align(store->nstreams * sizeof(ngx_media_stream_shm_t), 64);

    store->hashes = (uint32_t *) p;
    store->nexts = store->hashes + store->nstreams;
    store->lists = store->nexts + store->nstreams;
    store->nlists = ngx_media_store_lists(store->nstreams);

    zone->store = store;
}


/* so that they have one record on the average, at most */

static uint32_t
ngx_media_store_lists(ngx_uint_t streams)
{
    uint32_t  n;

    for (n = 1; n < streams; n *= 2) { /* void */ }

    return n;
}
