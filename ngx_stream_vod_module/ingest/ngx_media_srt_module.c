
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The memory that an application's zone has for SRT: the table of its sessions.
 * Whether they may come is the affair of servers in stream {}.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_module.h"
#include "ingest/ngx_media_srt_table.h"

#include <openssl/rand.h>


static size_t ngx_media_srt_shared(const ngx_media_zone_conf_t *conf);
static void ngx_media_srt_shared_init(ngx_media_zone_t *zone, void *mem);
static void ngx_media_srt_swept(ngx_media_zone_t *zone, void *mem,
    ngx_uint_t row);
static void ngx_media_srt_tick(ngx_media_zone_t *zone, void *mem);


static ngx_media_module_ctx_t  ngx_media_srt_module_ctx = {
    NGX_MEDIA_SRT_TABLE_LAYOUT,            /* layout of its shared memory */
    NULL,                                  /* create configuration */
    NULL,                                  /* init configuration */
    NULL,                                  /* postconfiguration */
    ngx_media_srt_shared,                  /* shared memory */
    ngx_media_srt_shared_init,             /* init shared memory */
    ngx_media_srt_swept,                   /* a process has gone */
    ngx_media_srt_tick                     /* once a second */
};


static ngx_command_t  ngx_media_srt_commands[] = {

      ngx_null_command
};


ngx_module_t  ngx_media_srt_module = {
    NGX_MODULE_V1,
    &ngx_media_srt_module_ctx,             /* module context */
    ngx_media_srt_commands,                /* module directives */
    NGX_MEDIA_MODULE,                      /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static size_t
ngx_media_srt_shared(const ngx_media_zone_conf_t *conf)
{
    return ngx_media_srt_table_size(conf);
}


static void
ngx_media_srt_shared_init(ngx_media_zone_t *zone, void *mem)
{
    u_char                 secret[NGX_MEDIA_SRT_TABLE_SECRET];
    ngx_uint_t             i;
    ngx_media_zone_conf_t  conf;

    conf.size = zone->app->zone_size;
    conf.accounts = zone->app->max_streams;

    if (RAND_bytes(secret, sizeof(secret)) != 1) {
        for (i = 0; i < sizeof(secret); i++) {
            secret[i] = (u_char) (ngx_random() >> 8);
        }
    }

    ngx_media_srt_table_init(mem, ngx_media_srt_table_size(&conf), secret);
}


static void
ngx_media_srt_swept(ngx_media_zone_t *zone, void *mem, ngx_uint_t row)
{
    ngx_media_srt_table_swept(mem, row);
}


static void
ngx_media_srt_tick(ngx_media_zone_t *zone, void *mem)
{
    ngx_media_srt_table_tick(mem);
}
