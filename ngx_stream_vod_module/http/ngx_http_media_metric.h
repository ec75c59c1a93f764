
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What media_metrics answers: a snapshot of all zones, and the text of it.
 */


#ifndef _NGX_HTTP_MEDIA_METRIC_H_INCLUDED_
#define _NGX_HTTP_MEDIA_METRIC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_session.h"
#include "core/ngx_media_metric.h"
#include "memory/ngx_media_cache.h"
#include "memory/ngx_media_count.h"


/* protocols of publishers that are told apart */
#define NGX_HTTP_MEDIA_METRIC_PROTOCOLS  8


typedef struct {
    ngx_uint_t                streams;        /* that are listed; the rest is
                                                 summed */
    ngx_flag_t                tracks;
} ngx_http_media_metric_conf_t;


typedef struct {
    uint64_t                  value;
} ngx_http_media_metric_value_t;


typedef struct {
    size_t                    len;
    u_char                    name[16];
    ngx_http_media_metric_value_t  publishers;
} ngx_http_media_metric_protocol_t;


typedef struct {
    ngx_media_app_t          *app;
    ngx_media_zone_stat_t     zone;
    ngx_media_streams_stat_t  states;
    ngx_media_stream_stat_t   rest;           /* of what is not listed */
    ngx_media_track_stat_t    rest_tracks;
    ngx_uint_t                nprotocols;
    ngx_http_media_metric_protocol_t
                              protocols[NGX_HTTP_MEDIA_METRIC_PROTOCOLS];
} ngx_http_media_metric_app_t;


/* a stream that may be listed */

typedef struct {
    ngx_media_stream_t        stream;
    int64_t                   born;
    ngx_uint_t                app;            /* index */
    ngx_media_stream_stat_t  *stat;           /* NULL: it has gone, or is not
                                                 listed */
} ngx_http_media_metric_stream_t;


typedef struct {
    ngx_pool_t               *pool;
    ngx_media_sessions_t     *sessions;       /* NULL: none are counted */
    ngx_media_count_t        *count;
    ngx_uint_t                ngroups;        /* of counters */
    ngx_media_count_stat_t    processes;
    ngx_http_media_metric_app_t  *apps;
    ngx_uint_t                napps;
    ngx_http_media_metric_stream_t  *streams;
    ngx_uint_t                nstreams;
    ngx_uint_t                ntracks;        /* of those that are listed */
    ngx_media_cache_stat_t    cache;
    unsigned                  vod:1;          /* there is one */
    unsigned                  tracks:1;       /* are wanted */
} ngx_http_media_metrics_t;


/* objects of one kind, in the pool */

typedef struct {
    ngx_media_metric_object_t  *elts;
    ngx_uint_t                  n;
} ngx_http_media_metric_set_t;


/* a label of an object, with those before it */

typedef struct {
    const char               *name;
    ngx_str_t                 value;
} ngx_http_media_metric_label_t;


/* all of it in the pool; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_media_metrics_collect(ngx_http_media_metrics_t *metrics,
    const ngx_http_media_metric_conf_t *conf);

/* ngx_http_media_metric_page.c: of the snapshot, in the pool; open: OpenMetrics
   1.0, else Prometheus 0.0.4; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_media_metrics_page(ngx_http_media_metrics_t *metrics,
    ngx_uint_t open, ngx_str_t *page);

/* room for n objects, and one more object; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_media_metrics_room(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *set, ngx_uint_t n);
ngx_int_t ngx_http_media_metrics_push(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *set, const void *data,
    const ngx_http_media_metric_label_t *labels, ngx_uint_t n);

/* ngx_http_media_metric_session.c: of viewers' sessions, if there are any;
   NGX_OK or NGX_ERROR */

typedef struct {
    ngx_media_session_stat_t  stat;
    ngx_http_media_metric_set_t  apps;
    ngx_http_media_metric_set_t  viewers;     /* by protocol */
} ngx_http_media_metric_sessions_t;

ngx_int_t ngx_http_media_metrics_sessions(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sessions_t *sessions);
void ngx_http_media_metrics_sessions_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metrics_t *metrics,
    const ngx_http_media_metric_sessions_t *sessions);

/* ngx_http_media_status_transcode.c: of live ladders, by application and by
   rung, likewise */
ngx_int_t ngx_http_media_metrics_ladders(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *ladders, ngx_http_media_metric_set_t *rungs);
void ngx_http_media_metrics_ladders_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metric_set_t *ladders,
    const ngx_http_media_metric_set_t *rungs);

/* ngx_http_media_metric_hook.c: of hooks, likewise */
ngx_int_t ngx_http_media_metrics_hooks(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *hooks);
void ngx_http_media_metrics_hooks_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metric_set_t *hooks);


#endif /* _NGX_HTTP_MEDIA_METRIC_H_INCLUDED_ */
