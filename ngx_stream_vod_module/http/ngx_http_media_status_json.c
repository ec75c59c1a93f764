
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The status as JSON; docs/status.md names each field.  Counters and sizes
 * are rows of tables, so that a new one is a line here and a line there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <nginx.h>
#include "formats/ngx_media_text.h"
#include "http/ngx_http_media_status.h"


/* a number in a struct */

typedef struct {
    ngx_str_t                 name;
    size_t                    offset;
    size_t                    size;
} ngx_http_media_status_field_t;


#define ngx_http_media_status_field(type, name, field)                        \
    { ngx_string(name), offsetof(type, field),                                \
      sizeof(((type *) NULL)->field) }

#define ngx_http_media_status_zone_field(name, field)                         \
    ngx_http_media_status_field(ngx_media_zone_stat_t, name, field)

#define ngx_http_media_status_stream_field(name, field)                       \
    ngx_http_media_status_field(ngx_media_stream_stat_t, name, field)

#define ngx_http_media_status_track_field(name, field)                        \
    ngx_http_media_status_field(ngx_media_track_stat_t, name, field)

#define ngx_http_media_status_app_field(name, field)                          \
    ngx_http_media_status_field(ngx_media_app_t, name, field)

#define ngx_http_media_status_cache_field(name, field)                        \
    ngx_http_media_status_field(ngx_media_cache_stat_t, name, field)


static void ngx_http_media_status_app(ngx_media_text_t *text,
    const ngx_http_media_status_app_t *app);
static void ngx_http_media_status_stream(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream);
static uint64_t ngx_http_media_status_sum(
    const ngx_media_stream_stat_t *stream);
static void ngx_http_media_status_publisher(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream);
static void ngx_http_media_status_track(ngx_media_text_t *text,
    const ngx_media_track_stat_t *track);
static void ngx_http_media_status_params(ngx_media_text_t *text,
    const ngx_media_track_stat_t *track);
static void ngx_http_media_status_fields(ngx_media_text_t *text,
    const ngx_http_media_status_field_t *field, const void *data);
static void ngx_http_media_status_key(ngx_media_text_t *text,
    const char *name);
static void ngx_http_media_status_string(ngx_media_text_t *text,
    const char *name, const u_char *data, size_t len);
static void ngx_http_media_status_fraction(ngx_media_text_t *text,
    const char *name, uint64_t value, uint32_t unit, ngx_uint_t digits);
static void ngx_http_media_status_flag(ngx_media_text_t *text,
    const char *name, ngx_uint_t value);
static void ngx_http_media_status_date(ngx_media_text_t *text,
    const char *name, int64_t msec);


static const ngx_http_media_status_field_t  ngx_http_media_status_apps[] = {

    ngx_http_media_status_app_field("target_duration_s", target),
    ngx_http_media_status_app_field("segment_ms", segment),
    ngx_http_media_status_app_field("segment_max_ms", segment_max),
    ngx_http_media_status_app_field("part_ms", part),
    ngx_http_media_status_app_field("window_ms", window),
    ngx_http_media_status_app_field("grace_ms", grace),

    { ngx_null_string, 0, 0 }
};


static const ngx_http_media_status_field_t  ngx_http_media_status_zones[] = {

    ngx_http_media_status_zone_field("size", size),
    ngx_http_media_status_zone_field("used", used),
    ngx_http_media_status_zone_field("blocks", blocks),
    ngx_http_media_status_zone_field("records_size", records_size),
    ngx_http_media_status_zone_field("records_used", records_used),
    ngx_http_media_status_zone_field("extents", extents),
    ngx_http_media_status_zone_field("limbo", limbo),
    ngx_http_media_status_zone_field("pins", pins),
    ngx_http_media_status_zone_field("processes", rows),
    ngx_http_media_status_zone_field("waiters", waiters),
    ngx_http_media_status_zone_field("streams", streams),
    ngx_http_media_status_zone_field("publishers", publishers),
    ngx_http_media_status_zone_field("published", published),
    ngx_http_media_status_zone_field("refused", refused),
    ngx_http_media_status_zone_field("expired", expired),
    ngx_http_media_status_zone_field("evictions", evictions),
    ngx_http_media_status_zone_field("nomem", nomem),
    ngx_http_media_status_zone_field("swept", swept),

    { ngx_null_string, 0, 0 }
};


static const ngx_http_media_status_field_t  ngx_http_media_status_caches[] = {

    ngx_http_media_status_cache_field("size", size),
    ngx_http_media_status_cache_field("used", used),
    ngx_http_media_status_cache_field("entries", entries),
    ngx_http_media_status_cache_field("pins", pins),
    ngx_http_media_status_cache_field("hits", hits),
    ngx_http_media_status_cache_field("misses", misses),
    ngx_http_media_status_cache_field("evictions", evicted),
    ngx_http_media_status_cache_field("nomem", nomem),

    { ngx_null_string, 0, 0 }
};


static const ngx_http_media_status_field_t
    ngx_http_media_status_streams[] =
{
    ngx_http_media_status_stream_field("waiters", waiters),
    ngx_http_media_status_stream_field("publishes", publishes),
    ngx_http_media_status_stream_field("periods", periods),
    ngx_http_media_status_stream_field("anchors", anchors),
    ngx_http_media_status_stream_field("jumps", jumps),
    ngx_http_media_status_stream_field("evictions", evictions),
    ngx_http_media_status_stream_field("used", used),

    { ngx_null_string, 0, 0 }
};


#define ngx_http_media_status_ignored_field(name, kind)                       \
    ngx_http_media_status_stream_field(name, ignored[NGX_MEDIA_IGNORED_##kind])

static const ngx_http_media_status_field_t
    ngx_http_media_status_ignored[] =
{
    ngx_http_media_status_ignored_field("messages", MESSAGE),
    ngx_http_media_status_ignored_field("frames", FRAME),
    ngx_http_media_status_ignored_field("units", UNIT),
    ngx_http_media_status_ignored_field("configurations", CONFIG),
    ngx_http_media_status_ignored_field("unconfigured", UNCONFIGURED),
    ngx_http_media_status_ignored_field("codec", CODEC),
    ngx_http_media_status_ignored_field("track", TRACK),
    ngx_http_media_status_ignored_field("empty", EMPTY),
    ngx_http_media_status_ignored_field("data", DATA),

    { ngx_null_string, 0, 0 }
};


static const ngx_http_media_status_field_t  ngx_http_media_status_tracks[] = {

    ngx_http_media_status_track_field("bitrate", bitrate),
    ngx_http_media_status_track_field("bandwidth", bandwidth),
    ngx_http_media_status_track_field("average_bandwidth", average),
    ngx_http_media_status_track_field("key_interval_ms", key_interval),
    ngx_http_media_status_track_field("key_interval_max_ms",
                                      key_interval_max),
    ngx_http_media_status_track_field("frames", frames),
    ngx_http_media_status_track_field("key_frames", keys),
    ngx_http_media_status_track_field("bytes", bytes),
    ngx_http_media_status_track_field("segments", segments),
    ngx_http_media_status_track_field("parts", parts),
    ngx_http_media_status_track_field("parts_late", parts_late),
    ngx_http_media_status_track_field("parts_over", parts_over),
    ngx_http_media_status_track_field("forced_cuts", forced_cuts),
    ngx_http_media_status_track_field("silent_frames", silent_frames),
    ngx_http_media_status_track_field("repeated_frames", repeated_frames),
    ngx_http_media_status_track_field("dropped_late", dropped_late),
    ngx_http_media_status_track_field("dropped_key", dropped_key),
    ngx_http_media_status_track_field("dropped_nomem", dropped_nomem),
    ngx_http_media_status_track_field("dropped_bad", dropped_bad),
    ngx_http_media_status_track_field("kept_segments", kept_segments),
    ngx_http_media_status_track_field("kept_bytes", kept_bytes),
    ngx_http_media_status_track_field("first_segment", first),
    ngx_http_media_status_track_field("last_segment", last),

    { ngx_null_string, 0, 0 }
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

        ngx_http_media_status_app(&text, &status->apps[i]);
    }

    ngx_media_text_cstr(&text, "]");

    if (status->vod) {
        ngx_media_text_cstr(&text,
                            ",\"vod\":{\"cache\":{\"zone\":\"media_vod\"");
        ngx_http_media_status_fields(&text, ngx_http_media_status_caches,
                                     &status->cache);
        ngx_media_text_cstr(&text, "}}");
    }

    ngx_media_text_cstr(&text, "}\n");

    return text.total;
}


static void
ngx_http_media_status_app(ngx_media_text_t *text,
    const ngx_http_media_status_app_t *app)
{
    ngx_uint_t  i;

    ngx_media_text_cstr(text, "{\"name\":\"");
    ngx_media_text_json(text, &app->app->name);
    ngx_media_text_cstr(text, "\"");

    ngx_http_media_status_fields(text, ngx_http_media_status_apps, app->app);
    ngx_http_media_status_fraction(text, "part_target_s",
                                   app->app->part_target, 10000, 4);

    ngx_media_text_cstr(text, ",\"zone\":{\"max_streams\":");
    ngx_media_text_u64(text, app->app->max_streams);
    ngx_http_media_status_flag(text, "retired", app->zone.retired);
    ngx_http_media_status_fields(text, ngx_http_media_status_zones,
                                 &app->zone);

    ngx_media_text_cstr(text, "},\"streams\":[");

    for (i = 0; i < app->nstreams; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_http_media_status_stream(text, &app->streams[i]);
    }

    ngx_media_text_cstr(text, "]}");
}


static void
ngx_http_media_status_stream(ngx_media_text_t *text,
    const ngx_media_stream_stat_t *stream)
{
    ngx_uint_t  i;

    ngx_media_text_cstr(text, "{\"name\":\"");
    ngx_media_text_json(text, &stream->name);
    ngx_media_text_cstr(text, "\",\"state\":");

    switch (stream->state) {

    case NGX_MEDIA_STREAM_LIVE:
        ngx_media_text_cstr(text, "\"live\"");
        break;

    case NGX_MEDIA_STREAM_GRACE:
        ngx_media_text_cstr(text, "\"grace\"");
        break;

    default:
        ngx_media_text_cstr(text, "\"ended\"");
    }

    ngx_http_media_status_date(text, "born", stream->born);
    ngx_http_media_status_fields(text, ngx_http_media_status_streams, stream);
    ngx_http_media_status_key(text, "drift_ms");
    ngx_media_text_i64(text, stream->drift);
    ngx_http_media_status_key(text, "target_duration_s");
    ngx_media_text_u64(text, stream->target);
    ngx_http_media_status_fraction(text, "part_target_s", stream->part_target,
                                   10000, 4);

    ngx_http_media_status_publisher(text, stream);

    ngx_media_text_cstr(text, ",\"ignored\":{\"total\":");
    ngx_media_text_u64(text, ngx_http_media_status_sum(stream));
    ngx_http_media_status_fields(text, ngx_http_media_status_ignored, stream);

    ngx_media_text_cstr(text, "},\"tracks\":[");

    for (i = 0; i < stream->ntracks; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_http_media_status_track(text, &stream->tracks[i]);
    }

    ngx_media_text_cstr(text, "]}");
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
    ngx_http_media_status_flag(text, "connected",
                               stream->pid != 0);

    if (stream->reason_len) {
        ngx_http_media_status_string(text, "end", stream->reason,
                                     stream->reason_len);
    }

    ngx_media_text_cstr(text, "}");
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

    ngx_http_media_status_flag(text, "clock", track->clock);
    ngx_http_media_status_flag(text, "ended", track->ended);
    ngx_http_media_status_flag(text, "without_parts", track->parts_off);

    ngx_http_media_status_params(text, track);
    ngx_http_media_status_fields(text, ngx_http_media_status_tracks, track);

    ngx_media_text_cstr(text, "}");
}


static void
ngx_http_media_status_params(ngx_media_text_t *text,
    const ngx_media_track_stat_t *track)
{
    const ngx_media_codec_t   *codec;
    const ngx_media_params_t  *params;

    params = &track->init.params;
    codec = ngx_media_codec_find(params->codec);

    if (codec) {
        ngx_http_media_status_string(text, "codec", codec->name.data,
                                     codec->name.len);
    }

    ngx_http_media_status_string(text, "codec_string", track->init.codec,
                                 track->init.codec_len);
    ngx_http_media_status_key(text, "timescale");
    ngx_media_text_u64(text, track->timescale);

    if (track->type == NGX_MEDIA_VIDEO) {
        ngx_http_media_status_key(text, "width");
        ngx_media_text_u64(text, params->width);
        ngx_http_media_status_key(text, "height");
        ngx_media_text_u64(text, params->height);
        ngx_http_media_status_fraction(text, "fps", track->fps, 1000, 3);

    } else if (track->type == NGX_MEDIA_AUDIO) {
        ngx_http_media_status_key(text, "sample_rate");
        ngx_media_text_u64(text, params->sample_rate);
        ngx_http_media_status_key(text, "channels");
        ngx_media_text_u64(text, params->channels);
    }
}


static void
ngx_http_media_status_fields(ngx_media_text_t *text,
    const ngx_http_media_status_field_t *field, const void *data)
{
    uint32_t       word;
    uint64_t       value;
    const u_char  *p;

    for ( /* void */ ; field->name.len; field++) {
        p = (const u_char *) data + field->offset;

        if (field->size == sizeof(uint32_t)) {
            ngx_memcpy(&word, p, sizeof(uint32_t));
            value = word;

        } else {
            ngx_memcpy(&value, p, sizeof(uint64_t));
        }

        ngx_media_text_cstr(text, ",\"");
        ngx_media_text_str(text, &field->name);
        ngx_media_text_cstr(text, "\":");
        ngx_media_text_u64(text, value);
    }
}


static void
ngx_http_media_status_key(ngx_media_text_t *text, const char *name)
{
    ngx_media_text_cstr(text, ",\"");
    ngx_media_text_data(text, name, ngx_strlen(name));
    ngx_media_text_cstr(text, "\":");
}


static void
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


static void
ngx_http_media_status_fraction(ngx_media_text_t *text, const char *name,
    uint64_t value, uint32_t unit, ngx_uint_t digits)
{
    ngx_http_media_status_key(text, name);
    ngx_media_text_decimal(text, value, unit, digits, NGX_MEDIA_TEXT_DOWN);
}


static void
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


static void
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
