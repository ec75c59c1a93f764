
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_metric.h"
#include "http/ngx_http_media_session.h"


static ngx_int_t ngx_http_media_metrics_find(
    ngx_http_media_metrics_t *metrics);
static ngx_int_t ngx_http_media_metrics_append(
    ngx_http_media_metrics_t *metrics, ngx_uint_t app,
    ngx_media_stream_t *streams, ngx_uint_t n);
static int ngx_libc_cdecl ngx_http_media_metrics_older(const void *one,
    const void *two);
static ngx_int_t ngx_http_media_metrics_list(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_stream_t *stream);
static ngx_int_t ngx_http_media_metrics_omit(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_stream_t *stream, ngx_pool_t *pool);
static void ngx_http_media_metrics_state(ngx_http_media_metric_app_t *app,
    const ngx_media_stream_stat_t *stat);


ngx_int_t
ngx_http_media_metrics_collect(ngx_http_media_metrics_t *metrics,
    const ngx_http_media_metric_conf_t *conf)
{
    ngx_int_t                        rc;
    ngx_uint_t                       i;
    ngx_pool_t                      *pool;
    ngx_http_media_metric_stream_t  *stream;

    ngx_media_count_stat(metrics->count, &metrics->processes);

    metrics->tracks = conf->tracks;

    if (ngx_http_media_metrics_find(metrics) != NGX_OK) {
        return NGX_ERROR;
    }

    if (metrics->nstreams > conf->streams) {
        ngx_qsort(metrics->streams, metrics->nstreams,
                  sizeof(ngx_http_media_metric_stream_t),
                  ngx_http_media_metrics_older);
    }

    /* what is not kept is looked at in memory of its own */

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, metrics->pool->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for (i = 0; i < metrics->nstreams && rc == NGX_OK; i++) {
        stream = &metrics->streams[i];

        if (i < conf->streams) {
            rc = ngx_http_media_metrics_list(metrics, stream);

        } else {
            rc = ngx_http_media_metrics_omit(metrics, stream, pool);
            ngx_reset_pool(pool);
        }
    }

    ngx_destroy_pool(pool);

    return rc;
}


static ngx_int_t
ngx_http_media_metrics_find(ngx_http_media_metrics_t *metrics)
{
    ngx_uint_t           i, k;
    ngx_pool_t          *pool;
    ngx_media_app_t     *app;
    ngx_media_stream_t  *streams;

    for (i = 0; ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, i); i++) {
        /* void */
    }

    metrics->napps = i;

    if (i == 0) {
        return NGX_OK;
    }

    metrics->apps = ngx_pcalloc(metrics->pool,
                                i * sizeof(ngx_http_media_metric_app_t));
    if (metrics->apps == NULL) {
        return NGX_ERROR;
    }

    pool = metrics->pool;

    for (i = 0; i < metrics->napps; i++) {
        app = ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, i);

        metrics->apps[i].app = app;

        ngx_media_zone_stat(app->zone, &metrics->apps[i].zone);

        if (ngx_media_zone_streams(app->zone, pool, &streams, &k) != NGX_OK
            || ngx_http_media_metrics_append(metrics, i, streams, k)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_append(ngx_http_media_metrics_t *metrics,
    ngx_uint_t app, ngx_media_stream_t *streams, ngx_uint_t n)
{
    ngx_uint_t                       i;
    ngx_http_media_metric_stream_t  *all;

    if (n == 0) {
        return NGX_OK;
    }

    all = ngx_palloc(metrics->pool, (metrics->nstreams + n)
                                    * sizeof(ngx_http_media_metric_stream_t));
    if (all == NULL) {
        return NGX_ERROR;
    }

    if (metrics->nstreams) {
        ngx_memcpy(all, metrics->streams,
                   metrics->nstreams * sizeof(ngx_http_media_metric_stream_t));
        (void) ngx_pfree(metrics->pool, metrics->streams);
    }

    metrics->streams = all;

    all += metrics->nstreams;

    for (i = 0; i < n; i++) {
        all[i].stream = streams[i];
        all[i].born = ngx_media_stream_since(&streams[i]);
        all[i].app = app;
        all[i].stat = NULL;
    }

    metrics->nstreams += n;

    return NGX_OK;
}


/* ids grow in a zone */

static int ngx_libc_cdecl
ngx_http_media_metrics_older(const void *one, const void *two)
{
    const ngx_http_media_metric_stream_t  *first, *second;

    first = one;
    second = two;

    if (first->born != second->born) {
        return first->born < second->born ? -1 : 1;
    }

    if (first->app != second->app) {
        return first->app < second->app ? -1 : 1;
    }

    return first->stream.id < second->stream.id ? -1 : 1;
}


static ngx_int_t
ngx_http_media_metrics_list(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_stream_t *stream)
{
    ngx_int_t                 rc;
    ngx_media_stream_stat_t  *stat;

    stat = ngx_palloc(metrics->pool, sizeof(ngx_media_stream_stat_t));
    if (stat == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_media_stream_stat(&stream->stream, metrics->pool, stat);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
    }

    ngx_http_media_session_count(metrics->sessions,
                                 &metrics->apps[stream->app].app->name, stat);

    stream->stat = stat;

    ngx_http_media_metrics_state(&metrics->apps[stream->app], stat);

    if (metrics->tracks) {
        metrics->ntracks += stat->ntracks;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_omit(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_stream_t *stream, ngx_pool_t *pool)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i;
    ngx_media_stream_stat_t       stat;
    ngx_http_media_metric_app_t  *app;

    rc = ngx_media_stream_stat(&stream->stream, pool, &stat);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
    }

    app = &metrics->apps[stream->app];

    ngx_http_media_session_count(metrics->sessions, &app->app->name, &stat);
    ngx_http_media_metrics_state(app, &stat);

    app->states.omitted++;

    ngx_media_metric_add(ngx_media_metric_streams, &app->rest, &stat);
    ngx_media_metric_add(ngx_media_metric_ignored, &app->rest, &stat);
    ngx_media_metric_add(ngx_media_metric_viewers, &app->rest, &stat);
    ngx_media_metric_add(ngx_media_metric_links, &app->rest, &stat);
    ngx_media_metric_add(ngx_media_metric_links_srt, &app->rest, &stat);
    ngx_media_metric_add(ngx_media_metric_links_ts, &app->rest, &stat);
    app->rest.linked |= stat.linked;
    app->rest.link.kind = ngx_max(app->rest.link.kind, stat.link.kind);

    for (i = 0; i < stat.ntracks; i++) {
        ngx_media_metric_add(ngx_media_metric_tracks, &app->rest_tracks,
                             &stat.tracks[i]);
    }

    return NGX_OK;
}


static void
ngx_http_media_metrics_state(ngx_http_media_metric_app_t *app,
    const ngx_media_stream_stat_t *stat)
{
    ngx_uint_t                         i;
    ngx_http_media_metric_protocol_t  *protocol;

    switch (stat->state) {

    case NGX_MEDIA_STREAM_LIVE:
        app->states.live++;
        break;

    case NGX_MEDIA_STREAM_GRACE:
        app->states.grace++;
        break;

    default:
        app->states.ended++;
    }

    for (i = 0; i < app->nprotocols; i++) {
        if (app->protocols[i].len == stat->protocol_len
            && ngx_memcmp(app->protocols[i].name, stat->protocol,
                          stat->protocol_len)
               == 0)
        {
            app->protocols[i].publishers.value += stat->connected;
            return;
        }
    }

    if (i == NGX_HTTP_MEDIA_METRIC_PROTOCOLS) {
        return;
    }

    protocol = &app->protocols[app->nprotocols++];

    protocol->len = stat->protocol_len;
    ngx_memcpy(protocol->name, stat->protocol, stat->protocol_len);
    protocol->publishers.value = stat->connected;
}
