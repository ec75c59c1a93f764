
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Metrics of hooks: of each that an application has, how often what came of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_hook_on.h"
#include "access/ngx_media_hook_table.h"
#include "http/ngx_http_media_metric.h"


static ngx_int_t ngx_http_media_metrics_hook(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_set_t *hooks,
    const ngx_media_app_t *app, ngx_uint_t event);


static const ngx_media_metric_t  ngx_http_media_metric_hooks[] = {

    ngx_media_metric_field(ngx_http_media_metric_value_t, "", COUNTER,
        "hooks", NULL, 1, value, "What hooks were told, by what came of it"),

    ngx_media_metric_end
};


/* by ngx_media_hook_said_e */

static const ngx_str_t  ngx_http_media_metric_said[NGX_MEDIA_HOOK_SAID] = {
    ngx_string("yes"),
    ngx_string("no"),
    ngx_string("failed"),
    ngx_string("allowed"),
    ngx_string("lost")
};


ngx_int_t
ngx_http_media_metrics_hooks(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *hooks)
{
    ngx_uint_t              i, event;
    const ngx_media_app_t  *app;

    if (ngx_http_media_metrics_room(metrics, hooks,
                                    metrics->napps * NGX_MEDIA_HOOK_EVENTS
                                    * NGX_MEDIA_HOOK_SAID)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < metrics->napps; i++) {
        app = metrics->apps[i].app;

        for (event = 0; event < NGX_MEDIA_HOOK_EVENTS; event++) {

            if (ngx_media_hook_has(app, event)
                && ngx_http_media_metrics_hook(metrics, hooks, app, event)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_hook(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *hooks, const ngx_media_app_t *app,
    ngx_uint_t event)
{
    ngx_uint_t                      i;
    ngx_http_media_metric_label_t   labels[3];
    ngx_http_media_metric_value_t  *v;

    labels[0].name = "app";
    labels[0].value = app->name;
    labels[1].name = "event";
    labels[1].value = ngx_media_hook_events[event];
    labels[2].name = "result";

    v = ngx_palloc(metrics->pool, NGX_MEDIA_HOOK_SAID
                                  * sizeof(ngx_http_media_metric_value_t));
    if (v == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_MEDIA_HOOK_SAID; i++) {
        labels[2].value = ngx_http_media_metric_said[i];
        v[i].value = ngx_media_hook_said(app, event, i);

        if (ngx_http_media_metrics_push(metrics, hooks, &v[i], labels, 3)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_media_metrics_hooks_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metric_set_t *hooks)
{
    ngx_media_metric_walk(mt, ngx_http_media_metric_hooks, hooks->elts,
                          hooks->n);
}
