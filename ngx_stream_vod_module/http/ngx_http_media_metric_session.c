
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Metrics of viewers' sessions.  An application is there from its first session
 * on, with all protocols, so that no series comes and goes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_metric.h"
#include "http/ngx_http_media_session.h"


#define ngx_http_media_metric_refuse(label, field)                            \
    ngx_media_metric_field(ngx_media_session_app_t, "", COUNTER,              \
        "sessions_refused", "reason=\"" label "\"", 1, field,                 \
        "Viewers that were turned away, by reason")


static const ngx_media_metric_t  ngx_http_media_metric_slots[] = {

    ngx_media_metric_field(ngx_media_session_stat_t, "", GAUGE,
        "session_slots", NULL, 1, slots,
        "Sessions that there is room for"),
    ngx_media_metric_field(ngx_media_session_stat_t, "", GAUGE,
        "session_slots_used", NULL, 1, used,
        "Sessions, of viewers or not yet"),
    ngx_media_metric_field(ngx_media_session_stat_t, "", GAUGE,
        "session_bans", NULL, 1, bans,
        "Viewers that are banned"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_sessions[] = {

    ngx_media_metric_field(ngx_media_session_app_t, "", COUNTER, "sessions",
        NULL, 1, made, "Sessions that began"),
    ngx_http_media_metric_refuse("slots", refused),
    ngx_http_media_metric_refuse("limit", limited),
    ngx_http_media_metric_refuse("ban", banned),
    ngx_media_metric_field(ngx_media_session_app_t, "", COUNTER,
        "watch_seconds", NULL, 1000, watch,
        "Media that viewers were sent, by its time"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_viewers[] = {

    ngx_media_metric_field(ngx_http_media_metric_value_t, "", GAUGE,
        "viewers", NULL, 1, value, "Viewers, by protocol"),

    ngx_media_metric_end
};


static ngx_int_t ngx_http_media_metrics_session_app(
    ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sessions_t *sessions,
    const ngx_media_session_app_t *app);


ngx_int_t
ngx_http_media_metrics_sessions(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sessions_t *sessions)
{
    ngx_uint_t                i;
    ngx_media_session_app_t  *apps;

    if (metrics->sessions == NULL) {
        return NGX_OK;
    }

    ngx_media_session_stat(metrics->sessions, &sessions->stat);

    apps = ngx_palloc(metrics->pool, NGX_MEDIA_SESSION_APPS
                                     * sizeof(ngx_media_session_app_t));

    if (apps == NULL
        || ngx_http_media_metrics_room(metrics, &sessions->apps,
                                       NGX_MEDIA_SESSION_APPS)
           != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sessions->viewers,
                                       NGX_MEDIA_SESSION_APPS
                                       * NGX_MEDIA_SESSION_PROTOCOLS)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_MEDIA_SESSION_APPS; i++) {

        if (ngx_media_session_app(metrics->sessions, i, &apps[i]) != NGX_OK) {
            break;
        }

        /* the first is of those that there is no room for */

        if (apps[i].name.len == 0 && apps[i].made == 0) {
            continue;
        }

        if (ngx_http_media_metrics_session_app(metrics, sessions, &apps[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_session_app(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sessions_t *sessions,
    const ngx_media_session_app_t *app)
{
    ngx_uint_t                      i;
    ngx_http_media_metric_label_t   labels[2];
    ngx_http_media_metric_value_t  *v;

    labels[0].name = "app";
    labels[0].value = app->name;
    labels[1].name = "protocol";

    if (ngx_http_media_metrics_push(metrics, &sessions->apps, app, labels, 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    v = ngx_palloc(metrics->pool, NGX_MEDIA_SESSION_PROTOCOLS
                                  * sizeof(ngx_http_media_metric_value_t));
    if (v == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_MEDIA_SESSION_PROTOCOLS; i++) {
        labels[1].value = *ngx_media_session_protocol_name(i);
        v[i].value = app->viewers[i];

        if (ngx_http_media_metrics_push(metrics, &sessions->viewers, &v[i],
                                        labels, 2)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_media_metrics_sessions_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metrics_t *metrics,
    const ngx_http_media_metric_sessions_t *sessions)
{
    ngx_media_metric_object_t  one;

    if (metrics->sessions == NULL) {
        return;
    }

    ngx_memzero(&one, sizeof(ngx_media_metric_object_t));

    one.data = &sessions->stat;

    ngx_media_metric_walk(mt, ngx_http_media_metric_slots, &one, 1);
    ngx_media_metric_walk(mt, ngx_http_media_metric_sessions,
                          sessions->apps.elts, sessions->apps.n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_viewers,
                          sessions->viewers.elts, sessions->viewers.n);
}


void
ngx_http_media_session_count(ngx_media_sessions_t *sessions,
    const ngx_str_t *app, ngx_media_stream_stat_t *stat)
{
    uint64_t                   stream;
    ngx_media_session_count_t  count;

    if (sessions == NULL) {
        return;
    }

    stream = ngx_media_session_stream(sessions, app, &stat->name);
    ngx_media_session_count(sessions, stream, &count);

    stat->viewers = count.viewers;
}
