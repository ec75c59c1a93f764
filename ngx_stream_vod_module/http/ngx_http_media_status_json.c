
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The status as JSON; docs/status.md names each field.  Counters and sizes
 * are rows of the tables of core/ngx_media_metric.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <nginx.h>
#include "core/ngx_media_metric.h"
#include "formats/ngx_media_text.h"
#include "http/ngx_http_media_status.h"


static void ngx_http_media_status_app(ngx_media_text_t *text,
    const ngx_http_media_status_t *status,
    const ngx_http_media_status_app_t *app);
static uint64_t ngx_http_media_status_sum(
    const ngx_media_stream_stat_t *stream);
static void ngx_http_media_status_publisher(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream);
static void ngx_http_media_status_link(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream);
static void ngx_http_media_status_link_srt(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream);
static void ngx_http_media_status_ts(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream);
static void ngx_http_media_status_track(ngx_media_text_t *text,
    const ngx_media_track_stat_t *track);
static void ngx_http_media_status_attributes(ngx_media_text_t *text,
    const ngx_media_attributes_t *attributes);
static void ngx_http_media_status_params(ngx_media_text_t *text,
    const ngx_media_track_stat_t *track);


static const char  *ngx_http_media_status_roles[] = {
    "", "main", "alternate", "description", "enhanced-audio-intelligibility"
};

static const char  *ngx_http_media_status_types[] = {
    "video", "audio", "text"
};


size_t
ngx_http_media_status_json(u_char *p, size_t size,
    const ngx_http_media_status_t *status)
{
    ngx_uint_t        i;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, p, size);

    ngx_media_text_cstr(&text, "{\"nginx\":\"" NGINX_VERSION "\",\"time\":\"");
    ngx_media_text_date(&text, status->time);
    ngx_media_text_cstr(&text, "\",\"worker\":");
    ngx_media_text_u64(&text, status->worker);
    ngx_media_text_cstr(&text, ",\"pid\":");
    ngx_media_text_u64(&text, ngx_pid);
    ngx_media_text_cstr(&text, ",\"apps\":[");

    for (i = 0; i < status->napps; i++) {

        if (i) {
            ngx_media_text_cstr(&text, ",");
        }

        ngx_http_media_status_app(&text, status, &status->apps[i]);
    }

    ngx_media_text_cstr(&text, "]");

    if (status->vod) {
        ngx_media_text_cstr(&text,
                            ",\"vod\":{\"cache\":{\"zone\":\"media_vod\"");
        ngx_media_metric_json(&text, ngx_media_metric_caches,
                              &status->cache);
        ngx_media_text_cstr(&text, "},\"ladder\":{");
        ngx_media_text_cstr(&text, "\"zone\":\"media_vod\"");
        ngx_media_metric_json(&text, ngx_media_metric_ladders,
                              &status->cache);
        ngx_media_text_cstr(&text, "}}");
    }

    ngx_media_text_cstr(&text, "}\n");

    return text.total;
}


static void
ngx_http_media_status_app(ngx_media_text_t *text,
    const ngx_http_media_status_t *status,
    const ngx_http_media_status_app_t *app)
{
    ngx_uint_t  i;

    ngx_media_text_cstr(text, "{\"name\":\"");
    ngx_media_text_json(text, &app->app->name);
    ngx_media_text_cstr(text, "\"");

    ngx_media_metric_json(text, ngx_media_metric_apps, app->app);
    ngx_http_media_status_fraction(text, "part_target_s",
                                   app->app->part_target, 10000, 4);

    ngx_media_text_cstr(text, ",");
    ngx_http_media_status_zone(text, app->app, &app->zone);
    ngx_http_media_status_ladders(text, &app->transcode);

    ngx_media_text_cstr(text, ",\"streams\":[");

    for (i = 0; i < app->nstreams; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_http_media_status_stream(text, NULL, status->sessions,
                                     &app->streams[i], app->ladders[i]);
    }

    ngx_media_text_cstr(text, "]}");
}


void
ngx_http_media_status_zone(ngx_media_text_t *text, const ngx_media_app_t *app,
    const ngx_media_zone_stat_t *zone)
{
    ngx_media_text_cstr(text, "\"zone\":{\"max_streams\":");
    ngx_media_text_u64(text, app->max_streams);
    ngx_http_media_status_flag(text, "retired", zone->retired);
    ngx_media_metric_json(text, ngx_media_metric_zones, zone);

    ngx_media_text_cstr(text, "}");
}


void
ngx_http_media_status_stream(ngx_media_text_t *text, const ngx_str_t *app,
    ngx_uint_t viewers, const ngx_media_stream_stat_t *stream,
    const ngx_media_table_stat_t *ladder)
{
    ngx_uint_t   i;
    const char  *state;

    ngx_media_text_cstr(text, "{");

    if (app) {
        ngx_media_text_cstr(text, "\"app\":\"");
        ngx_media_text_json(text, app);
        ngx_media_text_cstr(text, "\",");
    }

    ngx_media_text_cstr(text, "\"name\":\"");
    ngx_media_text_json(text, &stream->name);
    ngx_media_text_cstr(text, "\"");

    state = ngx_http_media_status_state(stream->state);

    ngx_http_media_status_string(text, "state", (u_char *) state,
                                 ngx_strlen(state));
    ngx_http_media_status_date(text, "born", stream->born);
    ngx_media_metric_json(text, ngx_media_metric_streams, stream);

    if (viewers) {
        ngx_media_metric_json(text, ngx_media_metric_viewers, stream);
    }

    ngx_http_media_status_key(text, "drift_ms");
    ngx_media_text_i64(text, stream->drift);
    ngx_http_media_status_key(text, "target_duration_s");
    ngx_media_text_u64(text, stream->target);
    ngx_http_media_status_fraction(text, "part_target_s", stream->part_target,
                                   10000, 4);

    ngx_http_media_status_publisher(text, stream);

    ngx_media_text_cstr(text, ",\"ignored\":{\"total\":");
    ngx_media_text_u64(text, ngx_http_media_status_sum(stream));
    ngx_media_metric_json(text, ngx_media_metric_ignored, stream);

    ngx_media_text_cstr(text, "},\"tracks\":[");

    for (i = 0; i < stream->ntracks; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_http_media_status_track(text, &stream->tracks[i]);
    }

    ngx_media_text_cstr(text, "]");

    if (ladder) {
        ngx_http_media_status_ladder(text, ladder);
    }

    ngx_media_text_cstr(text, "}");
}


const char *
ngx_http_media_status_state(ngx_uint_t state)
{
    switch (state) {

    case NGX_MEDIA_STREAM_LIVE:
        return "live";

    case NGX_MEDIA_STREAM_GRACE:
        return "grace";

    default:
        return "ended";
    }
}


static uint64_t
ngx_http_media_status_sum(const ngx_media_stream_stat_t *stream)
{
    uint64_t    sum;
    ngx_uint_t  i;

    sum = 0;

    for (i = 0; i < NGX_MEDIA_IGNORED_KINDS; i++) {
        sum += stream->ignored[i];
    }

    return sum;
}


static void
ngx_http_media_status_publisher(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream)
{
    ngx_media_text_cstr(text, ",\"publisher\":{\"pid\":");
    ngx_media_text_u64(text, stream->pid);

    ngx_http_media_status_string(text, "protocol", stream->protocol,
                                 stream->protocol_len);
    ngx_http_media_status_string(text, "address", stream->address,
                                 stream->address_len);
    ngx_http_media_status_date(text, "since", stream->since);
    ngx_http_media_status_flag(text, "connected", stream->connected);

    if (stream->reason_len) {
        ngx_http_media_status_string(text, "end", stream->reason,
                                     stream->reason_len);
    }

    if (stream->linked) {
        ngx_http_media_status_link(text, stream);
        ngx_http_media_status_ts(text, stream);
    }

    ngx_media_text_cstr(text, "}");
}


/* libsrt's names, where it has one */

static void
ngx_http_media_status_link(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream)
{
    ngx_media_text_cstr(text, ",\"link\":{\"mbpsRecvRate\":");
    ngx_media_text_decimal(text, stream->link.now.rate, 1000000, 3,
                           NGX_MEDIA_TEXT_DOWN);

    ngx_media_metric_json(text, ngx_media_metric_links, stream);

    if (stream->link.kind == NGX_MEDIA_LINK_SRT) {
        ngx_http_media_status_link_srt(text, stream);
    }

    ngx_media_text_cstr(text, "}");
}


static void
ngx_http_media_status_link_srt(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream)
{
    const ngx_media_link_now_t  *now;

    now = &stream->link.now;

    ngx_http_media_status_fraction(text, "msRTT", now->rtt, 1000, 3);
    ngx_http_media_status_fraction(text, "msRTTVar", now->rtt_var, 1000, 3);
    ngx_http_media_status_fraction(text, "mbpsBandwidth", now->capacity,
                                   1000000, 3);
    ngx_http_media_status_key(text, "msRcvTsbPdDelay");
    ngx_media_text_u64(text, now->latency);
    ngx_http_media_status_key(text, "pktRcvBuf");
    ngx_media_text_u64(text, now->held);
    ngx_http_media_status_key(text, "msRcvBuf");
    ngx_media_text_u64(text, now->buffered);
    ngx_http_media_status_key(text, "key_bytes");
    ngx_media_text_u64(text, now->key);

    ngx_media_metric_json(text, ngx_media_metric_links_srt, stream);
}


static void
ngx_http_media_status_ts(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream)
{
    ngx_uint_t                   i;
    const ngx_media_codec_t     *codec;
    const ngx_media_link_pid_t  *pid;

    ngx_media_text_cstr(text, ",\"ts\":{\"pids_omitted\":");
    ngx_media_text_u64(text, stream->link.more);

    ngx_media_metric_json(text, ngx_media_metric_links_ts, stream);

    ngx_media_text_cstr(text, ",\"pids\":[");

    for (i = 0; i < stream->link.npids; i++) {
        pid = &stream->link.pids[i];

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_media_text_cstr(text, "{\"pid\":");
        ngx_media_text_u64(text, pid->pid);
        ngx_http_media_status_key(text, "stream_type");
        ngx_media_text_u64(text, pid->stream_type);

        codec = ngx_media_codec_find(pid->codec);

        if (codec) {
            ngx_http_media_status_string(text, "codec", codec->name.data,
                                         codec->name.len);
        }

        ngx_http_media_status_key(text, "packets");
        ngx_media_text_u64(text, pid->packets);
        ngx_http_media_status_key(text, "cc_errors");
        ngx_media_text_u64(text, pid->cc_errors);
        ngx_http_media_status_key(text, "scrambled");
        ngx_media_text_u64(text, pid->scrambled);
        ngx_media_text_cstr(text, "}");
    }

    ngx_media_text_cstr(text, "]}");
}


static void
ngx_http_media_status_track(ngx_media_text_t *text,
    const ngx_media_track_stat_t *track)
{
    ngx_str_t    name;
    const char  *type;

    name.len = track->name_len;
    name.data = (u_char *) track->name;

    ngx_media_text_cstr(text, "{\"name\":\"");
    ngx_media_text_json(text, &name);
    ngx_media_text_cstr(text, "\"");

    type = track->type <= NGX_MEDIA_TEXT
           ? ngx_http_media_status_types[track->type] : "unknown";

    ngx_http_media_status_string(text, "type", (u_char *) type,
                                 ngx_strlen(type));

    ngx_http_media_status_attributes(text, &track->attributes);
    ngx_http_media_status_flag(text, "clock", track->clock);
    ngx_http_media_status_flag(text, "ended", track->ended);
    ngx_http_media_status_flag(text, "without_parts", track->parts_off);

    ngx_http_media_status_params(text, track);
    ngx_media_metric_json(text, ngx_media_metric_tracks, track);

    ngx_media_text_cstr(text, "}");
}


/* what its publisher has said of it, as far as it has */

static void
ngx_http_media_status_attributes(ngx_media_text_t *text,
    const ngx_media_attributes_t *attributes)
{
    const char  *role;

    if (attributes->lang[0]) {
        ngx_http_media_status_string(text, "lang", attributes->lang,
                                     ngx_strlen(attributes->lang));
    }

    if (attributes->label[0]) {
        ngx_http_media_status_string(text, "label", attributes->label,
                                     ngx_strlen(attributes->label));
    }

    if (attributes->role && attributes->role <= NGX_MEDIA_ROLE_CLEAR) {
        role = ngx_http_media_status_roles[attributes->role];
        ngx_http_media_status_string(text, "role", (u_char *) role,
                                     ngx_strlen(role));
    }

    if (attributes->group) {
        ngx_http_media_status_key(text, "group");
        ngx_media_text_u64(text, attributes->group);
    }
}


static void
ngx_http_media_status_params(ngx_media_text_t *text,
    const ngx_media_track_stat_t *track)
{
    if (track->codec) {
        ngx_http_media_status_string(text, "codec", track->codec->name.data,
                                     track->codec->name.len);
    }

    ngx_http_media_status_string(text, "codec_string", track->codec_string,
                                 track->codec_len);
    ngx_http_media_status_key(text, "timescale");
    ngx_media_text_u64(text, track->timescale);

    if (track->type == NGX_MEDIA_VIDEO) {
        ngx_http_media_status_key(text, "width");
        ngx_media_text_u64(text, track->width);
        ngx_http_media_status_key(text, "height");
        ngx_media_text_u64(text, track->height);
        ngx_http_media_status_fraction(text, "fps", track->fps, 1000, 3);

    } else if (track->type == NGX_MEDIA_AUDIO) {
        ngx_http_media_status_key(text, "sample_rate");
        ngx_media_text_u64(text, track->sample_rate);
        ngx_http_media_status_key(text, "channels");
        ngx_media_text_u64(text, track->channels);
    }
}


void
ngx_http_media_status_key(ngx_media_text_t *text, const char *name)
{
    ngx_media_text_cstr(text, ",\"");
    ngx_media_text_data(text, name, ngx_strlen(name));
    ngx_media_text_cstr(text, "\":");
}


void
ngx_http_media_status_string(ngx_media_text_t *text, const char *name,
    const u_char *data, size_t len)
{
    ngx_str_t  value;

    value.len = len;
    value.data = (u_char *) data;

    ngx_http_media_status_key(text, name);
    ngx_media_text_cstr(text, "\"");
    ngx_media_text_json(text, &value);
    ngx_media_text_cstr(text, "\"");
}


void
ngx_http_media_status_fraction(ngx_media_text_t *text, const char *name,
    uint64_t value, uint32_t unit, ngx_uint_t digits)
{
    ngx_http_media_status_key(text, name);
    ngx_media_text_decimal(text, value, unit, digits, NGX_MEDIA_TEXT_DOWN);
}


void
ngx_http_media_status_flag(ngx_media_text_t *text, const char *name,
    ngx_uint_t value)
{
    ngx_http_media_status_key(text, name);

    if (value) {
        ngx_media_text_cstr(text, "true");

    } else {
        ngx_media_text_cstr(text, "false");
    }
}


void
ngx_http_media_status_date(ngx_media_text_t *text, const char *name,
    int64_t msec)
{
    ngx_http_media_status_key(text, name);

    if (msec <= 0) {
        ngx_media_text_cstr(text, "null");
        return;
    }

    ngx_media_text_cstr(text, "\"");
    ngx_media_text_date(text, msec);
    ngx_media_text_cstr(text, "\"");
}
