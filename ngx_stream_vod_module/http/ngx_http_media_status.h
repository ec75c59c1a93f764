
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_HTTP_MEDIA_STATUS_H_INCLUDED_
#define _NGX_HTTP_MEDIA_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_stat.h"
#include "memory/ngx_media_cache.h"


typedef struct {
    ngx_media_app_t          *app;
    ngx_media_zone_stat_t     zone;
    ngx_media_stream_stat_t  *streams;
    ngx_uint_t                nstreams;
} ngx_http_media_status_app_t;


/* what is shown, whatever the format */

typedef struct {
    int64_t                       time;       /* ms since the epoch */
    ngx_uint_t                    worker;
    ngx_http_media_status_app_t  *apps;
    ngx_uint_t                    napps;
    ngx_media_cache_stat_t        cache;      /* of files */
    unsigned                      vod:1;      /* there is one */
    unsigned                      sessions:1; /* viewers are counted */
} ngx_http_media_status_t;


/* RFC 8259; writes at most size bytes, returns the length of all */
size_t ngx_http_media_status_json(u_char *p, size_t size,
    const ngx_http_media_status_t *status);


#endif /* _NGX_HTTP_MEDIA_STATUS_H_INCLUDED_ */
