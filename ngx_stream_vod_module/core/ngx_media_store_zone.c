
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_store_shm.h"
#include "core/ngx_media_store_zone.h"


#define NGX_MEDIA_STREAM_BLOCKS  48
#define NGX_MEDIA_TRACK_BLOCKS   32


static uint32_t ngx_media_store_lists(const ngx_media_app_t *app);


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

    conf->head = ngx_align(sizeof(ngx_media_store_shm_t), 64)
                 + ngx_align(app->max_streams
                             * sizeof(ngx_media_stream_shm_t), 64)
                 + 2 * app->max_streams * sizeof(uint32_t)
                 + ngx_media_store_lists(app) * sizeof(uint32_t);
}


void
ngx_media_store_format(ngx_media_zone_t *zone, const ngx_media_app_t *app)
{
    u_char                 *p;
    ngx_media_store_shm_t  *store;

    p = zone->sh->head;

    store = (ngx_media_store_shm_t *) p;
    p += ngx_align(sizeof(ngx_media_store_shm_t), 64);

    store->nstreams = app->max_streams;

    store->streams = (ngx_media_stream_shm_t *) p;
    p += ngx_align(store->nstreams * sizeof(ngx_media_stream_shm_t), 64);

    store->hashes = (uint32_t *) p;
    store->nexts = store->hashes + store->nstreams;
    store->lists = store->nexts + store->nstreams;
    store->nlists = ngx_media_store_lists(app);

    zone->store = store;
}


/* so that they have one record on the average, at most */

static uint32_t
ngx_media_store_lists(const ngx_media_app_t *app)
{
    uint32_t  n;

    for (n = 1; n < app->max_streams; n *= 2) { /* void */ }

    return n;
}
