
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_HTTP_MEDIA_STATUS_H_INCLUDED_
#define _NGX_HTTP_MEDIA_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_stat.h"
#include "formats/ngx_media_text.h"
#include "memory/ngx_media_cache.h"
#include "transcode/ngx_media_transcode_table.h"


/* live ladders of an application */

typedef struct {
    uint64_t                  max;            /* cores that there are; 0: the
                                                 module makes no ladders */
    uint64_t                  jobs;
    uint64_t                  refused;
    uint64_t                  quarantined;
    uint64_t                  cores;          /* used, thousandths */
} ngx_http_media_ladders_t;


typedef struct {
    ngx_media_app_t          *app;
    ngx_media_zone_stat_t     zone;
    ngx_media_stream_stat_t  *streams;
    ngx_media_table_stat_t  **ladders;        /* of each; NULL: it has none */
    ngx_http_media_ladders_t  transcode;
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

/* "zone":{...} */
void ngx_http_media_status_zone(ngx_media_text_t *text,
    const ngx_media_app_t *app, const ngx_media_zone_stat_t *zone);

/* an object; with the application's name, unless that is NULL; viewers: they
   are counted */
void ngx_http_media_status_stream(ngx_media_text_t *text,
    const ngx_str_t *app, ngx_uint_t viewers,
    const ngx_media_stream_stat_t *stream,
    const ngx_media_table_stat_t *ladder);

/* ngx_http_media_status_transcode.c: ,"transcode":{...} of an application, and
   of a stream, of whose ladder a copy is in the pool; NULL: it has none */
void ngx_http_media_ladders(const ngx_media_app_t *app,
    ngx_http_media_ladders_t *ladders);
void ngx_http_media_status_ladders(ngx_media_text_t *text,
    const ngx_http_media_ladders_t *ladders);
void ngx_http_media_status_ladder(ngx_media_text_t *text,
    const ngx_media_table_stat_t *stat);
ngx_media_table_stat_t *ngx_http_media_ladder(const ngx_media_app_t *app,
    const ngx_str_t *name, ngx_pool_t *pool);

/* what ends in 0, within quotes */
void ngx_http_media_status_raw(ngx_media_text_t *text, const u_char *data);

/* of JSON: ,"name": and the value; a string; true or false; a date, or null */
void ngx_http_media_status_key(ngx_media_text_t *text, const char *name);
void ngx_http_media_status_string(ngx_media_text_t *text, const char *name,
    const u_char *data, size_t len);
void ngx_http_media_status_fraction(ngx_media_text_t *text, const char *name,
    uint64_t value, uint32_t unit, ngx_uint_t digits);
void ngx_http_media_status_flag(ngx_media_text_t *text, const char *name,
    ngx_uint_t value);
void ngx_http_media_status_date(ngx_media_text_t *text, const char *name,
    int64_t msec);

/* "live" */
const char *ngx_http_media_status_state(ngx_uint_t state);


#endif /* _NGX_HTTP_MEDIA_STATUS_H_INCLUDED_ */
