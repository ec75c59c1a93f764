
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The text of a snapshot.  Labels are escaped once for each object, so that a
 * line of the page is little more than a copy.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <nginx.h>
#include "http/ngx_http_media_metric.h"
#include "http/ngx_http_media_subject.h"


typedef struct {
    ngx_http_media_metric_set_t  apps;
    ngx_http_media_metric_set_t  zones;
    ngx_http_media_metric_set_t  states;
    ngx_http_media_metric_set_t  publishers;
    ngx_http_media_metric_set_t  requests;
    ngx_http_media_metric_set_t  bytes;
    ngx_http_media_metric_set_t  errors;
    ngx_http_media_metric_set_t  refused;
    ngx_http_media_metric_set_t  waits;
    ngx_http_media_metric_set_t  workers;
    ngx_http_media_metric_set_t  streams;
    ngx_http_media_metric_set_t  links;       /* of those that have one, */
    ngx_http_media_metric_set_t  srt;         /* and of those whose is SRT */
    ngx_http_media_metric_set_t  tracks;
    ngx_http_media_metric_set_t  videos;
    ngx_http_media_metric_set_t  hooks;
    ngx_http_media_metric_set_t  ladders;
    ngx_http_media_metric_set_t  rungs;
    ngx_http_media_metric_sessions_t  sessions;
} ngx_http_media_metric_sets_t;


/* requests that waited, buckets as Prometheus wants them: those below, too */

typedef struct {
    uint64_t                  buckets[NGX_HTTP_MEDIA_COUNT_BUCKETS];
    uint64_t                  sum;            /* ms */
} ngx_http_media_metric_wait_t;


static ngx_int_t ngx_http_media_metrics_sets(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_sets_t *sets);
static ngx_int_t ngx_http_media_metrics_apps(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_sets_t *sets);
static ngx_int_t ngx_http_media_metrics_groups(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_sets_t *sets);
static ngx_int_t ngx_http_media_metrics_group(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_set_t *set,
    ngx_uint_t group, ngx_uint_t counter, const char *name,
    const char *value);
static ngx_int_t ngx_http_media_metrics_wait(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_set_t *set,
    ngx_uint_t group);
static ngx_int_t ngx_http_media_metrics_workers(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_sets_t *sets);
static ngx_int_t ngx_http_media_metrics_streams(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_sets_t *sets);
static ngx_int_t ngx_http_media_metrics_tracks(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_sets_t *sets,
    const ngx_http_media_metric_stream_t *stream);
static void ngx_http_media_metrics_link(ngx_http_media_metric_sets_t *sets,
    const ngx_media_stream_stat_t *stat);
static ngx_int_t ngx_http_media_metrics_rest(
    ngx_http_media_metrics_t *metrics, ngx_http_media_metric_sets_t *sets,
    const ngx_http_media_metric_app_t *app);
static void ngx_http_media_metrics_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metrics_t *metrics,
    const ngx_http_media_metric_sets_t *sets);


#define ngx_http_media_metrics_one(type, metric, help)                        \
    ngx_media_metric_field(ngx_http_media_metric_value_t, "", type, metric,   \
                         NULL, 1, value, help)


static const ngx_media_metric_t  ngx_http_media_metric_processes[] = {

    ngx_media_metric_signed(ngx_media_count_stat_t, "", GAUGE,
        "start_time_seconds", 1000, since,
        "When counting began, since the epoch"),
    ngx_media_metric_field(ngx_media_count_stat_t, "", GAUGE, "workers", NULL,
        1, workers, "Workers that are alive, leaving ones too"),
    ngx_media_metric_field(ngx_media_count_stat_t, "", COUNTER,
        "worker_deaths", NULL, 1, deaths, "Workers that died"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_build =
    ngx_http_media_metrics_one(GAUGE, "build_info",
                               "What it was built for");


static const ngx_media_metric_t  ngx_http_media_metric_publishers[] = {

    ngx_http_media_metrics_one(GAUGE, "publishers",
        "Publishers that are connected, by protocol"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_requests[] = {

    ngx_http_media_metrics_one(COUNTER, "requests",
        "Requests that have ended, by what they were for"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_bytes[] = {

    ngx_http_media_metrics_one(COUNTER, "sent_bytes",
        "Bytes sent in response, headers too"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_errors[] = {

    ngx_http_media_metrics_one(COUNTER, "errors",
        "Requests that failed, by status"),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_refused[] = {

    ngx_http_media_metrics_one(COUNTER, "access_refused",
        "Requests that were not let in, by reason"),

    ngx_media_metric_end
};


#define ngx_http_media_metrics_bucket(bound, i)                               \
    ngx_media_metric_histogram(ngx_http_media_metric_wait_t, "wait_seconds",  \
                               "_bucket", "le=\"" bound "\"", 1, buckets[i],  \
                               "Time that requests for what is not there yet" \
                               " waited")

static const ngx_media_metric_t  ngx_http_media_metric_waits[] = {

    ngx_http_media_metrics_bucket("0.05", 0),
    ngx_http_media_metrics_bucket("0.1", 1),
    ngx_http_media_metrics_bucket("0.2", 2),
    ngx_http_media_metrics_bucket("0.5", 3),
    ngx_http_media_metrics_bucket("1.0", 4),
    ngx_http_media_metrics_bucket("2.0", 5),
    ngx_http_media_metrics_bucket("5.0", 6),
    ngx_http_media_metrics_bucket("10.0", 7),
    ngx_http_media_metrics_bucket("+Inf", 8),
    ngx_media_metric_histogram(ngx_http_media_metric_wait_t, "wait_seconds",
        "_count", NULL, 1, buckets[8], NULL),
    ngx_media_metric_histogram(ngx_http_media_metric_wait_t, "wait_seconds",
        "_sum", NULL, 1000, sum, NULL),

    ngx_media_metric_end
};


static const ngx_media_metric_t  ngx_http_media_metric_workers[] = {

    ngx_http_media_metrics_one(COUNTER, "worker_requests",
        "Requests that have ended, by number of worker"),

    ngx_media_metric_end
};


ngx_int_t
ngx_http_media_metrics_page(ngx_http_media_metrics_t *metrics,
    ngx_uint_t open, ngx_str_t *page)
{
    ngx_media_metric_text_t        mt;
    ngx_http_media_metric_sets_t   sets;

    ngx_memzero(&sets, sizeof(ngx_http_media_metric_sets_t));

    if (ngx_http_media_metrics_sets(metrics, &sets) != NGX_OK) {
        return NGX_ERROR;
    }

    mt.open = open;

    ngx_media_text_init(&mt.text, NULL, 0);
    ngx_http_media_metrics_write(&mt, metrics, &sets);

    page->len = mt.text.total;

    page->data = ngx_pnalloc(metrics->pool, page->len);
    if (page->data == NULL) {
        return NGX_ERROR;
    }

    ngx_media_text_init(&mt.text, page->data, page->len);
    ngx_http_media_metrics_write(&mt, metrics, &sets);

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_sets(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sets_t *sets)
{
    ngx_uint_t  n;

    n = metrics->napps;

    if (ngx_http_media_metrics_room(metrics, &sets->apps, n) != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->zones, n) != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->states, n) != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->publishers,
                                       n * NGX_HTTP_MEDIA_METRIC_PROTOCOLS)
           != NGX_OK
        || ngx_http_media_metrics_apps(metrics, sets) != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = ngx_media_load(&metrics->count->sh->ngroups);
    metrics->ngroups = n;

    if (ngx_http_media_metrics_room(metrics, &sets->requests,
                                    n * NGX_HTTP_MEDIA_COUNT_KINDS)
        != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->bytes,
                                       n * NGX_HTTP_MEDIA_COUNT_KINDS)
           != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->errors,
                                       n * NGX_HTTP_MEDIA_COUNT_CODES)
           != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->refused,
                                       n * NGX_HTTP_MEDIA_COUNT_REASONS)
           != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->waits, n) != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->workers,
                                       NGX_MEDIA_COUNT_LANES)
           != NGX_OK
        || ngx_http_media_metrics_groups(metrics, sets) != NGX_OK
        || ngx_http_media_metrics_workers(metrics, sets) != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = metrics->napps;

    if (ngx_http_media_metrics_room(metrics, &sets->streams,
                                    metrics->nstreams + n)
        != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->links,
                                       metrics->nstreams + n)
           != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->srt,
                                       metrics->nstreams + n)
           != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->tracks,
                                       metrics->ntracks + n)
           != NGX_OK
        || ngx_http_media_metrics_room(metrics, &sets->videos,
                                       metrics->ntracks)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_media_metrics_hooks(metrics, &sets->hooks) != NGX_OK
        || ngx_http_media_metrics_ladders(metrics, &sets->ladders,
                                          &sets->rungs)
           != NGX_OK
        || ngx_http_media_metrics_sessions(metrics, &sets->sessions) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_media_metrics_streams(metrics, sets);
}


static ngx_int_t
ngx_http_media_metrics_apps(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sets_t *sets)
{
    ngx_uint_t                         i, k;
    ngx_http_media_metric_app_t       *app;
    ngx_http_media_metric_label_t      labels[2];
    ngx_http_media_metric_protocol_t  *protocol;

    labels[0].name = "app";
    labels[1].name = "protocol";

    for (i = 0; i < metrics->napps; i++) {
        app = &metrics->apps[i];

        labels[0].value = app->app->name;

        if (ngx_http_media_metrics_push(metrics, &sets->apps, app->app,
                                        labels, 1)
            != NGX_OK
            || ngx_http_media_metrics_push(metrics, &sets->zones, &app->zone,
                                           labels, 1)
               != NGX_OK
            || ngx_http_media_metrics_push(metrics, &sets->states,
                                           &app->states, labels, 1)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        for (k = 0; k < app->nprotocols; k++) {
            protocol = &app->protocols[k];

            labels[1].value.data = protocol->name;
            labels[1].value.len = protocol->len;

            if (ngx_http_media_metrics_push(metrics, &sets->publishers,
                                            &protocol->publishers, labels, 2)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* the first group is of those without room: it is there if it was used */

static ngx_int_t
ngx_http_media_metrics_groups(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sets_t *sets)
{
    ngx_uint_t  i, k;

    for (i = 0; i < metrics->ngroups; i++) {

        for (k = 0; k < NGX_HTTP_MEDIA_COUNT_KINDS; k++) {

            if (ngx_http_media_metrics_group(metrics, &sets->requests, i,
                    ngx_http_media_count_requests(k), "kind",
                    ngx_http_media_count_kinds[k])
                != NGX_OK
                || ngx_http_media_metrics_group(metrics, &sets->bytes, i,
                       ngx_http_media_count_bytes(k), "kind",
                       ngx_http_media_count_kinds[k])
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (ngx_http_media_metrics_wait(metrics, &sets->waits, i) != NGX_OK) {
            return NGX_ERROR;
        }

        for (k = 0; k < NGX_HTTP_MEDIA_COUNT_CODES; k++) {

            if (ngx_http_media_metrics_group(metrics, &sets->errors, i,
                    ngx_http_media_count_errors(k), "code",
                    ngx_http_media_count_codes[k])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        for (k = 0; k < NGX_HTTP_MEDIA_COUNT_REASONS; k++) {

            if (ngx_http_media_metrics_group(metrics, &sets->refused, i,
                    ngx_http_media_count_refused(k), "reason",
                    ngx_http_media_count_reasons[k])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_group(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *set, ngx_uint_t group, ngx_uint_t counter,
    const char *name, const char *value)
{
    ngx_media_count_shm_t          *sh;
    ngx_http_media_metric_label_t   labels[2];
    ngx_http_media_metric_value_t  *v;

    sh = metrics->count->sh;

    v = ngx_palloc(metrics->pool, sizeof(ngx_http_media_metric_value_t));
    if (v == NULL) {
        return NGX_ERROR;
    }

    v->value = ngx_media_count_get(metrics->count, group, counter);

    if (group == 0 && v->value == 0) {
        return NGX_OK;
    }

    labels[0].name = "app";
    labels[0].value.data = sh->names[group].name;
    labels[0].value.len = sh->names[group].len;

    labels[1].name = name;
    labels[1].value.data = (u_char *) value;
    labels[1].value.len = ngx_strlen(value);

    return ngx_http_media_metrics_push(metrics, set, v, labels, 2);
}


/* of files nothing ever waits so */

static ngx_int_t
ngx_http_media_metrics_wait(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *set, ngx_uint_t group)
{
    uint64_t                        sum;
    ngx_uint_t                      i;
    ngx_media_count_t              *count;
    ngx_http_media_metric_wait_t   *wait;
    ngx_http_media_metric_label_t   label;

    wait = ngx_palloc(metrics->pool, sizeof(ngx_http_media_metric_wait_t));
    if (wait == NULL) {
        return NGX_ERROR;
    }

    count = metrics->count;
    sum = 0;

    for (i = 0; i < NGX_HTTP_MEDIA_COUNT_BUCKETS; i++) {
        sum += ngx_media_count_get(count, group,
                                   ngx_http_media_count_waits(i));
        wait->buckets[i] = sum;
    }

    if (sum == 0) {
        return NGX_OK;
    }

    wait->sum = ngx_media_count_get(count, group, NGX_HTTP_MEDIA_COUNT_WAITED);

    label.name = "app";
    label.value.data = count->sh->names[group].name;
    label.value.len = count->sh->names[group].len;

    return ngx_http_media_metrics_push(metrics, set, wait, &label, 1);
}


/* those numbers that there are, and those that there were */

static ngx_int_t
ngx_http_media_metrics_workers(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sets_t *sets)
{
    u_char                          text[NGX_INT_T_LEN];
    ngx_uint_t                      i, k;
    ngx_core_conf_t                *ccf;
    ngx_http_media_metric_label_t   label;
    ngx_http_media_metric_value_t  *v;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    label.name = "worker";
    label.value.data = text;

    for (i = 0; i < NGX_MEDIA_COUNT_LANES; i++) {

        v = ngx_pcalloc(metrics->pool, sizeof(ngx_http_media_metric_value_t));
        if (v == NULL) {
            return NGX_ERROR;
        }

        for (k = 0; k < NGX_HTTP_MEDIA_COUNT_KINDS; k++) {
            v->value += ngx_media_count_lane(metrics->count, i,
                                             ngx_http_media_count_requests(k));
        }

        if (v->value == 0 && (ngx_int_t) i >= ccf->worker_processes) {
            continue;
        }

        label.value.len = ngx_sprintf(text, "%ui", i) - text;

        if (ngx_http_media_metrics_push(metrics, &sets->workers, v, &label, 1)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_metrics_streams(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sets_t *sets)
{
    ngx_uint_t                       i;
    ngx_http_media_metric_label_t    labels[2];
    ngx_http_media_metric_stream_t  *stream;

    labels[0].name = "app";
    labels[1].name = "stream";

    for (i = 0; i < metrics->nstreams; i++) {
        stream = &metrics->streams[i];

        if (stream->stat == NULL) {
            continue;
        }

        labels[0].value = metrics->apps[stream->app].app->name;
        labels[1].value = stream->stat->name;

        if (ngx_http_media_metrics_push(metrics, &sets->streams, stream->stat,
                                        labels, 2)
            != NGX_OK
            || ngx_http_media_metrics_tracks(metrics, sets, stream) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_media_metrics_link(sets, stream->stat);
    }

    for (i = 0; i < metrics->napps; i++) {
        if (metrics->apps[i].states.omitted
            && ngx_http_media_metrics_rest(metrics, sets, &metrics->apps[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* of the stream that is the last one in sets->streams */

static void
ngx_http_media_metrics_link(ngx_http_media_metric_sets_t *sets,
    const ngx_media_stream_stat_t *stat)
{
    const ngx_media_metric_object_t  *object;

    object = &sets->streams.elts[sets->streams.n - 1];

    if (stat->linked) {
        sets->links.elts[sets->links.n++] = *object;
    }

    if (stat->link.kind == NGX_MEDIA_LINK_SRT) {
        sets->srt.elts[sets->srt.n++] = *object;
    }
}


static ngx_int_t
ngx_http_media_metrics_tracks(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sets_t *sets,
    const ngx_http_media_metric_stream_t *stream)
{
    ngx_uint_t                      i;
    ngx_media_track_stat_t         *track;
    ngx_http_media_metric_label_t   labels[3];

    if (!metrics->tracks) {
        return NGX_OK;
    }

    labels[0].name = "app";
    labels[0].value = metrics->apps[stream->app].app->name;
    labels[1].name = "stream";
    labels[1].value = stream->stat->name;
    labels[2].name = "track";

    for (i = 0; i < stream->stat->ntracks; i++) {
        track = &stream->stat->tracks[i];

        labels[2].value.data = track->name;
        labels[2].value.len = track->name_len;

        if (ngx_http_media_metrics_push(metrics, &sets->tracks, track, labels,
                                        3)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (track->type == NGX_MEDIA_VIDEO) {
            sets->videos.elts[sets->videos.n++] =
                                      sets->tracks.elts[sets->tracks.n - 1];
        }
    }

    return NGX_OK;
}


/* what is summed has empty names: no stream and no track has */

static ngx_int_t
ngx_http_media_metrics_rest(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_sets_t *sets,
    const ngx_http_media_metric_app_t *app)
{
    ngx_http_media_metric_label_t  labels[3];

    labels[0].name = "app";
    labels[0].value = app->app->name;
    labels[1].name = "stream";
    ngx_str_null(&labels[1].value);
    labels[2].name = "track";
    ngx_str_null(&labels[2].value);

    if (ngx_http_media_metrics_push(metrics, &sets->streams, &app->rest,
                                    labels, 2)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    sets->streams.elts[sets->streams.n - 1].rest = 1;

    ngx_http_media_metrics_link(sets, &app->rest);

    if (!metrics->tracks) {
        return NGX_OK;
    }

    if (ngx_http_media_metrics_push(metrics, &sets->tracks, &app->rest_tracks,
                                    labels, 3)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    sets->tracks.elts[sets->tracks.n - 1].rest = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_media_metrics_room(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *set, ngx_uint_t n)
{
    if (n == 0) {
        return NGX_OK;
    }

    set->elts = ngx_pcalloc(metrics->pool,
                            n * sizeof(ngx_media_metric_object_t));

    return set->elts ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_media_metrics_push(ngx_http_media_metrics_t *metrics,
    ngx_http_media_metric_set_t *set, const void *data,
    const ngx_http_media_metric_label_t *labels, ngx_uint_t n)
{
    u_char                     *p;
    ngx_uint_t                  i, pass;
    ngx_media_text_t            text;
    ngx_media_metric_object_t  *object;

    object = &set->elts[set->n];

    p = NULL;

    for (pass = 0; pass < 2; pass++) {
        ngx_media_text_init(&text, p, NGX_MEDIA_TEXT_MEASURED);

        for (i = 0; i < n; i++) {

            if (i) {
                ngx_media_text_cstr(&text, ",");
            }

            ngx_media_metric_label(&text, labels[i].name, &labels[i].value);
        }

        if (pass == 0) {
            p = ngx_pnalloc(metrics->pool, text.total);
            if (p == NULL) {
                return NGX_ERROR;
            }
        }
    }

    object->labels.data = p;
    object->labels.len = text.total;
    object->data = data;

    set->n++;

    return NGX_OK;
}


static void
ngx_http_media_metrics_write(ngx_media_metric_text_t *mt,
    const ngx_http_media_metrics_t *metrics,
    const ngx_http_media_metric_sets_t *sets)
{
    ngx_media_metric_object_t  one;

    ngx_memzero(&one, sizeof(ngx_media_metric_object_t));

    ngx_media_metric_head(mt, &ngx_http_media_metric_build);
    ngx_media_metric_sample(mt, &ngx_http_media_metric_build, &one.labels,
                            "nginx=\"" NGINX_VERSION "\"");
    ngx_media_text_cstr(&mt->text, "1\n");

    one.data = &metrics->processes;
    ngx_media_metric_walk(mt, ngx_http_media_metric_processes, &one, 1);

    ngx_media_metric_walk(mt, ngx_http_media_metric_workers,
                          sets->workers.elts, sets->workers.n);
    ngx_media_metric_walk(mt, ngx_media_metric_apps, sets->apps.elts,
                          sets->apps.n);
    ngx_media_metric_walk(mt, ngx_media_metric_zones, sets->zones.elts,
                          sets->zones.n);
    ngx_media_metric_walk(mt, ngx_media_metric_states, sets->states.elts,
                          sets->states.n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_publishers,
                          sets->publishers.elts, sets->publishers.n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_requests,
                          sets->requests.elts, sets->requests.n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_bytes, sets->bytes.elts,
                          sets->bytes.n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_errors, sets->errors.elts,
                          sets->errors.n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_refused,
                          sets->refused.elts, sets->refused.n);
    ngx_media_metric_walk(mt, ngx_http_media_metric_waits, sets->waits.elts,
                          sets->waits.n);
    ngx_media_metric_walk(mt, ngx_media_metric_streams, sets->streams.elts,
                          sets->streams.n);
    ngx_media_metric_walk(mt, ngx_media_metric_ignored, sets->streams.elts,
                          sets->streams.n);

    ngx_media_metric_walk(mt, ngx_media_metric_links, sets->links.elts,
                          sets->links.n);
    ngx_media_metric_walk(mt, ngx_media_metric_links_srt, sets->srt.elts,
                          sets->srt.n);
    ngx_media_metric_walk(mt, ngx_media_metric_links_ts, sets->links.elts,
                          sets->links.n);

    if (metrics->sessions) {
        ngx_media_metric_walk(mt, ngx_media_metric_viewers,
                              sets->streams.elts, sets->streams.n);
    }

    ngx_media_metric_walk(mt, ngx_media_metric_tracks, sets->tracks.elts,
                          sets->tracks.n);
    ngx_media_metric_walk(mt, ngx_media_metric_videos, sets->videos.elts,
                          sets->videos.n);

    ngx_http_media_metrics_ladders_write(mt, &sets->ladders, &sets->rungs);
    ngx_http_media_metrics_hooks_write(mt, &sets->hooks);
    ngx_http_media_metrics_sessions_write(mt, metrics, &sets->sessions);

    if (metrics->vod) {
        ngx_str_set(&one.labels, "zone=\"media_vod\"");
        one.data = &metrics->cache;
        ngx_media_metric_walk(mt, ngx_media_metric_caches, &one, 1);
        ngx_media_metric_walk(mt, ngx_media_metric_ladders, &one, 1);
    }

    if (mt->open) {
        ngx_media_text_cstr(&mt->text, "# EOF\n");
    }
}
