
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What is known of live ladders: of an application, and of a stream, in the
 * status; likewise in metrics.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media_metric.h"
#include "http/ngx_http_media_metric.h"
#include "http/ngx_http_media_status.h"
#include "transcode/ngx_media_strand.h"
#include "transcode/ngx_media_transcode_step.h"


static void ngx_http_media_status_rung(ngx_media_text_t *text,
    const ngx_media_table_rung_t *rung);
static ngx_int_t ngx_http_media_metrics_rungs(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_set_t *rungs,
    const ngx_media_app_t *app, const ngx_str_t *name,
    const ngx_media_table_stat_t *stat);


static const ngx_media_metric_t  ngx_http_media_metric_ladders[] = {

    ngx_media_metric_field(ngx_http_media_ladders_t, "jobs", SUM,
        "transcode_jobs", NULL, 1, jobs, "Streams that have a ladder"),
    ngx_media_metric_field(ngx_http_media_ladders_t, "refused", COUNTER,
        "transcode_refused", NULL, 1, refused,
        "Streams that got no ladder, for want of cores"),
    ngx_media_metric_field(ngx_http_media_ladders_t, "quarantined", SUM,
        "transcode_quarantined", NULL, 1, quarantined,
        "Streams that have no ladder, since workers died of them"),
    ngx_media_metric_field(ngx_http_media_ladders_t, "", SUM,
        "transcode_cores", NULL, 1000, cores,
        "Cores that ladders used in the last second"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_rungs[] = {

    ngx_media_metric_field(ngx_media_table_rung_t, "pictures", COUNTER,
        "transcode_pictures", NULL, 1, pictures, "Pictures that were encoded"),
    ngx_media_metric_field(ngx_media_table_rung_t, "skipped", COUNTER,
        "transcode_dropped_frames", NULL, 1, skipped,
        "Pictures that were left out, for want of time"),
    ngx_media_metric_field(ngx_media_table_rung_t, "restarts", COUNTER,
        "transcode_restarts", NULL, 1, restarts,
        "Times when an encoder failed and began anew"),
    ngx_media_metric_field(ngx_media_table_rung_t, "cpu_ms", COUNTER,
        "transcode_cpu_seconds", NULL, 1000, cpu,
        "Time of threads that scaled and encoded"),
    ngx_media_metric_field(ngx_media_table_rung_t, "lag_ms", GAUGE,
        "transcode_lag_seconds", NULL, 1000, lag,
        "From a frame's arrival until its picture was encoded"),
    ngx_media_metric_status(ngx_media_table_rung_t, "lag_max_ms", lag_max),
    ngx_media_metric_status(ngx_media_table_rung_t, "step_max_ms", step_max),
    ngx_media_metric_field(ngx_media_table_rung_t, "", GAUGE,
        "transcode_dead", NULL, 1, dead, "1: it has failed too often"),

    ngx_media_metric_end
};


void
ngx_http_media_ladders(const ngx_media_app_t *app,
    ngx_http_media_ladders_t *ladders)
{
    uint64_t                      cost;
    ngx_uint_t                    banned, jobs;
    const ngx_media_table_shm_t  *table;

    ngx_memzero(ladders, sizeof(ngx_http_media_ladders_t));

    table = ngx_media_transcode_table(app);

    if (table == NULL) {
        return;
    }

    cost = 0;

    ngx_media_table_count(table, &jobs, &banned);
    ngx_media_transcode_load_sum(&table->load, &cost, &ladders->cores);

    ladders->max = ngx_media_strand_cores();
    ladders->jobs = jobs;
    ladders->quarantined = banned;
    ladders->refused = ngx_media_load(&table->refused);
}


void
ngx_http_media_status_ladders(ngx_media_text_t *text,
    const ngx_http_media_ladders_t *ladders)
{
    if (ladders->max == 0) {
        return;
    }

    ngx_media_text_cstr(text, ",\"transcode\":{\"max_cores\":");
    ngx_media_text_u64(text, ladders->max);
    ngx_media_metric_json(text, ngx_http_media_metric_ladders, ladders);
    ngx_http_media_status_fraction(text, "cores", ladders->cores, 1000, 3);
    ngx_media_text_cstr(text, "}");
}


ngx_media_table_stat_t *
ngx_http_media_ladder(const ngx_media_app_t *app, const ngx_str_t *name,
    ngx_pool_t *pool)
{
    ngx_media_table_stat_t       *stat;
    const ngx_media_table_shm_t  *table;

    table = ngx_media_transcode_table(app);

    if (table == NULL) {
        return NULL;
    }

    stat = ngx_palloc(pool, sizeof(ngx_media_table_stat_t));

    if (stat == NULL || ngx_media_table_stat(table, name, stat) != NGX_OK) {
        return NULL;
    }

    return stat;
}


void
ngx_http_media_status_ladder(ngx_media_text_t *text,
    const ngx_media_table_stat_t *stat)
{
    ngx_uint_t  i, n;

    ngx_media_text_cstr(text, ",\"transcode\":{\"ladder\":\"");
    ngx_http_media_status_raw(text, stat->ladder);
    ngx_media_text_cstr(text, "\"");

    ngx_http_media_status_fraction(text, "cores", stat->used, 1000, 3);
    ngx_http_media_status_fraction(text, "estimated_cores", stat->cost, 1000,
                                   3);
    ngx_http_media_status_key(text, "frames");
    ngx_media_text_u64(text, stat->frames);
    ngx_http_media_status_key(text, "decode_ms");
    ngx_media_text_u64(text, stat->decode);
    ngx_http_media_status_key(text, "decode_errors");
    ngx_media_text_u64(text, stat->errors);
    ngx_http_media_status_key(text, "dropped_frames");
    ngx_media_text_u64(text, stat->dropped);
    ngx_http_media_status_key(text, "queue_ms");
    ngx_media_text_u64(text, stat->queue);
    ngx_http_media_status_key(text, "audio_tracks");
    ngx_media_text_u64(text, stat->audios);
    ngx_http_media_status_key(text, "audio_errors");
    ngx_media_text_u64(text, stat->audio_errors);

    ngx_media_text_cstr(text, ",\"rungs\":[");

    for (i = 0, n = 0; i < NGX_MEDIA_LADDER_RUNGS; i++) {

        if (stat->rungs[i].used) {

            if (n++) {
                ngx_media_text_cstr(text, ",");
            }

            ngx_http_media_status_rung(text, &stat->rungs[i]);
        }
    }

    ngx_media_text_cstr(text, "]}");
}


static void
ngx_http_media_status_rung(ngx_media_text_t *text,
    const ngx_media_table_rung_t *rung)
{
    ngx_media_text_cstr(text, "{\"name\":\"");
    ngx_http_media_status_raw(text, rung->name);
    ngx_media_text_cstr(text, "\",\"encoder\":\"");
    ngx_http_media_status_raw(text, rung->encoder);
    ngx_media_text_cstr(text, "\",\"width\":");
    ngx_media_text_u64(text, rung->width);
    ngx_media_text_cstr(text, ",\"height\":");
    ngx_media_text_u64(text, rung->height);
    ngx_media_text_cstr(text, ",\"step\":\"");
    ngx_http_media_status_raw(text,
                              (u_char *) ngx_media_step_name(rung->step));
    ngx_media_text_cstr(text, "\"");

    ngx_media_metric_json(text, ngx_http_media_metric_rungs, rung);
    ngx_http_media_status_flag(text, "dead", rung->dead);
    ngx_http_media_status_flag(text, "needs_threads", rung->needs_threads);

    ngx_media_text_cstr(text, "}");
}


void
ngx_http_media_status_raw(ngx_media_text_t *text, const u_char *data)
{
    ngx_str_t  s;

    s.data = (u_char *) data;
    s.len = ngx_strlen(data);

    ngx_media_text_json(text, &s);
}


ngx_int_t
ngx_http_media_metrics_ladders(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *ladders, ngx_http_media_metric_set_t *rungs)
{
    ngx_uint_t                       i;
    const ngx_media_app_t           *app;
    ngx_http_media_ladders_t        *sum;
    ngx_media_table_stat_t          *stat;
    ngx_http_media_metric_label_t    label;
    ngx_http_media_metric_stream_t  *stream;

    if (ngx_http_media_metrics_room(metrics, ladders, metrics->napps)
        != NGX_OK
        || ngx_http_media_metrics_room(metrics, rungs, metrics->nstreams
                                       * NGX_MEDIA_LADDER_RUNGS)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < metrics->napps; i++) {
        app = metrics->apps[i].app;

        sum = ngx_palloc(metrics->pool, sizeof(ngx_http_media_ladders_t));
        if (sum == NULL) {
            return NGX_ERROR;
        }

        ngx_http_media_ladders(app, sum);

        label.name = "app";
        label.value = app->name;

        if (ngx_http_media_metrics_push(metrics, ladders, sum, &label, 1)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < metrics->nstreams; i++) {
        stream = &metrics->streams[i];
        app = metrics->apps[stream->app].app;

        stat = stream->stat ? ngx_http_media_ladder(app, &stream->stat->name,
                                                    metrics->pool)
                            : NULL;

        if (stat && ngx_http_media_metrics_rungs(metrics, rungs, app,
                                                 &stream->stat->name, stat)
                    != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_rungs(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *rungs, const ngx_media_app_t *app,
    const ngx_str_t *name, const ngx_media_table_stat_t *stat)
{
    ngx_uint_t                     i;
    const ngx_media_table_rung_t  *rung;
    ngx_http_media_metric_label_t  labels[3];

    labels[0].name = "app";
    labels[0].value = app->name;
    labels[1].name = "stream";
    labels[1].value = *name;
    labels[2].name = "rung";

    for (i = 0; i < NGX_MEDIA_LADDER_RUNGS; i++) {
        rung = &stat->rungs[i];

        if (!rung->used) {
            continue;
        }

        labels[2].value.data = (u_char *) rung->name;
        labels[2].value.len = ngx_strlen(rung->name);

        if (ngx_http_media_metrics_push(metrics, rungs, rung, labels, 3)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_media_metrics_ladders_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metric_set_t *ladders,
    const ngx_http_media_metric_set_t *rungs)
{
    ngx_media_metric_walk(mt, ngx_http_media_metric_ladders, ladders->elts,
                          ladders->n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_rungs, rungs->elts,
                          rungs->n);
}
