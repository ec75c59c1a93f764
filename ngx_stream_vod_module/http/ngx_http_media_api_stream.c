
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Streams: all of them, in a list for people and consoles, and all that is
 * known of one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media_view.h"
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_api_list.h"
#include "http/ngx_http_media_session.h"
#include "http/ngx_http_media_status.h"


/* arguments of the list, by place */

#define NGX_HTTP_MEDIA_API_APP     0
#define NGX_HTTP_MEDIA_API_STATE   1
#define NGX_HTTP_MEDIA_API_Q       2
#define NGX_HTTP_MEDIA_API_SORT    3
#define NGX_HTTP_MEDIA_API_COUNT   4
#define NGX_HTTP_MEDIA_API_CURSOR  5


typedef struct {
    const ngx_str_t                *app;
    const ngx_media_stream_stat_t  *stream;
    ngx_uint_t                      viewers;  /* are counted */
    const ngx_media_table_stat_t   *ladder;   /* NULL: it has none */
} ngx_http_media_api_one_t;


static ngx_int_t ngx_http_media_api_streams(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static uint64_t ngx_http_media_api_by_since(
    const ngx_http_media_api_item_t *item);
static uint64_t ngx_http_media_api_by_bitrate(
    const ngx_http_media_api_item_t *item);
static uint64_t ngx_http_media_api_by_viewers(
    const ngx_http_media_api_item_t *item);
static void ngx_http_media_api_streams_write(ngx_media_text_t *text,
    const void *data);
static void ngx_http_media_api_item_write(ngx_media_text_t *text,
    const ngx_http_media_api_item_t *item, ngx_uint_t viewers);
static ngx_int_t ngx_http_media_api_stream(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static ngx_int_t ngx_http_media_api_no_stream(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static void ngx_http_media_api_stream_write(ngx_media_text_t *text,
    const void *data);


/* "live" and on is NGX_MEDIA_STREAM_LIVE and on */

static const char *const  ngx_http_media_api_states[] = {
    "live", "grace", "ended", NULL
};

static const ngx_uint_t  ngx_http_media_api_state_values[] = {
    NGX_MEDIA_STREAM_LIVE, NGX_MEDIA_STREAM_GRACE, NGX_MEDIA_STREAM_ENDED
};

static const char *const  ngx_http_media_api_sorts[] = {
    "name", "since", "bitrate", "viewers", NULL
};

static uint64_t (*const ngx_http_media_api_sort_values[])(
    const ngx_http_media_api_item_t *item) =
{
    NULL, ngx_http_media_api_by_since, ngx_http_media_api_by_bitrate,
    ngx_http_media_api_by_viewers
};


static const ngx_http_media_api_arg_t  ngx_http_media_api_streams_args[] = {

    ngx_http_media_api_arg_app,

    { ngx_string("state"), NGX_HTTP_MEDIA_API_WORD, 0, 0,
      ngx_http_media_api_states, "Only those in this state." },

    ngx_http_media_api_arg_q,

    { ngx_string("sort"), NGX_HTTP_MEDIA_API_WORD, 0, 0,
      ngx_http_media_api_sorts,
      "By name, or what began last, or has most, first; name." },

    ngx_http_media_api_arg_limit,
    ngx_http_media_api_arg_cursor,
    ngx_http_media_api_no_arg
};


static const ngx_http_media_api_row_t  ngx_http_media_api_stream_rows[] = {

    { NGX_HTTP_GET, ngx_string("v1/streams"), 0,
      ngx_http_media_api_streams_args, ngx_http_media_api_streams,
      "Streams, with what a list shows of them", NGX_HTTP_OK, "Streams",
      NULL, "" },

    { NGX_HTTP_GET, ngx_string("v1/streams"), NGX_HTTP_MEDIA_API_NAME,
      NULL, ngx_http_media_api_stream,
      "All that the status has of a stream", NGX_HTTP_OK, "Stream", NULL,
      "404" },

    { 0, ngx_null_string, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL }
};


static const ngx_http_media_api_schema_t  ngx_http_media_api_stream_schemas[] =
{
    { "Streams", NGX_HTTP_MEDIA_API_LIST_SCHEMA("StreamItem") },

    { "StreamItem",
      "{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"app\",\"name\",\"state\",\"connected\",\"born\","
      "\"since\",\"bitrate\",\"fps\"],\"properties\":{"
      "\"app\":{\"type\":\"string\"},"
      "\"name\":{\"type\":\"string\"},"
      "\"state\":{\"enum\":[\"live\",\"grace\",\"ended\"]},"
      "\"connected\":{\"type\":\"boolean\",\"description\":"
      "\"it has a publisher\"},"
      "\"born\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"since\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"bitrate\":{\"type\":\"integer\",\"minimum\":0},"
      "\"fps\":{\"type\":\"number\",\"minimum\":0},"
      "\"viewers\":{\"type\":\"integer\",\"minimum\":0,"
      "\"description\":\"with media_sessions\"}}}" },

    { "Stream",
      "{\"type\":\"object\",\"required\":[\"app\",\"name\",\"state\",\"born\","
      "\"publisher\",\"ignored\",\"tracks\"],\"properties\":{"
      "\"app\":{\"type\":\"string\"},"
      "\"name\":{\"type\":\"string\"},"
      "\"state\":{\"enum\":[\"live\",\"grace\",\"ended\"]},"
      "\"born\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"publisher\":{\"type\":\"object\",\"required\":[\"pid\","
      "\"protocol\",\"address\",\"since\",\"connected\"],\"properties\":{"
      "\"pid\":{\"type\":\"integer\"},"
      "\"protocol\":{\"type\":\"string\"},"
      "\"address\":{\"type\":\"string\"},"
      "\"since\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"connected\":{\"type\":\"boolean\"},"
      "\"end\":{\"type\":\"string\"},"
      "\"link\":{\"type\":\"object\",\"description\":"
      "\"of transports that may lose packets\","
      "\"additionalProperties\":{\"type\":\"number\"}},"
      "\"ts\":{\"type\":\"object\",\"description\":"
      "\"of those that bring MPEG-TS\","
      "\"required\":[\"pids\"],\"properties\":{"
      "\"pids\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
      "\"required\":[\"pid\",\"stream_type\",\"packets\","
      "\"cc_errors\",\"scrambled\"],\"properties\":{"
      "\"codec\":{\"type\":\"string\"}},"
      "\"additionalProperties\":{\"type\":\"integer\",\"minimum\":0}}}},"
      "\"additionalProperties\":{\"type\":\"integer\",\"minimum\":0}}}},"
      "\"ignored\":{\"type\":\"object\",\"required\":[\"total\"],"
      "\"additionalProperties\":{\"type\":\"integer\"}},"
      "\"tracks\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
      "\"required\":[\"name\",\"type\"],\"properties\":{"
      "\"name\":{\"type\":\"string\"},"
      "\"type\":{\"enum\":[\"video\",\"audio\",\"text\"]}}}},"
      "\"transcode\":{\"type\":\"object\",\"description\":"
      "\"of its ladder, if it has one\","
      "\"required\":[\"ladder\",\"rungs\"],\"properties\":{"
      "\"ladder\":{\"type\":\"string\"},"
      "\"rungs\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
      "\"required\":[\"name\",\"encoder\",\"step\"]}}}}}}" },

    { NULL, NULL }
};


const ngx_http_media_api_table_t  ngx_http_media_api_stream_table = {
    ngx_http_media_api_stream_rows,
    ngx_http_media_api_stream_schemas
};


static ngx_int_t
ngx_http_media_api_streams(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    ngx_int_t                          rc;
    ngx_http_media_api_list_t          list;
    const ngx_http_media_api_value_t  *args;

    args = ctx->args;

    ngx_memzero(&list, sizeof(ngx_http_media_api_list_t));

    list.app = args[NGX_HTTP_MEDIA_API_APP].text;
    list.q = args[NGX_HTTP_MEDIA_API_Q].text;
    list.after = args[NGX_HTTP_MEDIA_API_CURSOR].text;
    list.limit = args[NGX_HTTP_MEDIA_API_COUNT].text.data
                 ? args[NGX_HTTP_MEDIA_API_COUNT].n
                 : NGX_HTTP_MEDIA_API_LIMIT;
    list.value = ngx_http_media_api_sort_values[
                                         args[NGX_HTTP_MEDIA_API_SORT].n];

    list.sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);
    list.watched = (list.value == ngx_http_media_api_by_viewers);

    if (args[NGX_HTTP_MEDIA_API_STATE].text.data) {
        list.state = ngx_http_media_api_state_values[
                                         args[NGX_HTTP_MEDIA_API_STATE].n];
    }

    rc = ngx_http_media_api_list(r->pool, &list);

    if (rc != NGX_OK) {
        return ngx_http_media_api_no_list(r, rc);
    }

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_streams_write, &list);
}


/* the largest first */

static uint64_t
ngx_http_media_api_by_since(const ngx_http_media_api_item_t *item)
{
    return ~(uint64_t) item->brief.since;
}


static uint64_t
ngx_http_media_api_by_bitrate(const ngx_http_media_api_item_t *item)
{
    return ~item->brief.bitrate;
}


static uint64_t
ngx_http_media_api_by_viewers(const ngx_http_media_api_item_t *item)
{
    return ~(uint64_t) item->viewers;
}


static void
ngx_http_media_api_streams_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_list_t *list = data;

    ngx_uint_t  i;

    ngx_http_media_api_list_begin(text, list->total, &list->cursor);

    for (i = 0; i < list->n; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_http_media_api_item_write(text, list->items[i],
                                      list->sessions != NULL);
    }

    ngx_http_media_api_list_end(text);
}


static void
ngx_http_media_api_item_write(ngx_media_text_t *text,
    const ngx_http_media_api_item_t *item, ngx_uint_t viewers)
{
    const char                      *state;
    const ngx_media_stream_brief_t  *brief;

    brief = &item->brief;
    state = ngx_http_media_status_state(brief->state);

    ngx_media_text_cstr(text, "{\"app\":\"");
    ngx_media_text_json(text, item->app);
    ngx_media_text_cstr(text, "\"");

    ngx_http_media_status_string(text, "name", brief->name, brief->name_len);
    ngx_http_media_status_string(text, "state", (u_char *) state,
                                 ngx_strlen(state));
    ngx_http_media_status_flag(text, "connected", brief->pid != 0);
    ngx_http_media_status_date(text, "born", brief->born);
    ngx_http_media_status_date(text, "since", brief->since);
    ngx_http_media_status_key(text, "bitrate");
    ngx_media_text_u64(text, brief->bitrate);
    ngx_http_media_status_fraction(text, "fps", brief->fps, 1000, 3);

    if (viewers) {
        ngx_http_media_status_key(text, "viewers");
        ngx_media_text_u64(text, item->viewers);
    }

    ngx_media_text_cstr(text, "}");
}


static ngx_int_t
ngx_http_media_api_stream(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    ngx_int_t                 rc;
    ngx_media_app_t          *app;
    ngx_media_stream_t        stream;
    ngx_media_sessions_t     *sessions;
    ngx_media_stream_stat_t   stat;
    ngx_http_media_api_one_t  one;

    app = ngx_http_media_api_app(r, &ctx->app, &rc);

    if (app == NULL) {
        return rc;
    }

    if (ngx_media_stream_find(app->zone, &ctx->name, &stream) != NGX_OK) {
        return ngx_http_media_api_no_stream(r, ctx);
    }

    rc = ngx_media_stream_stat(&stream, r->pool, &stat);

    if (rc == NGX_DONE) {
        return ngx_http_media_api_no_stream(r, ctx);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);

    ngx_http_media_session_count(sessions, &app->name, &stat);

    one.app = &app->name;
    one.stream = &stat;
    one.viewers = (sessions != NULL);
    one.ladder = ngx_http_media_ladder(app, &stat.name, r->pool);

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_stream_write, &one);
}


static ngx_int_t
ngx_http_media_api_no_stream(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    return ngx_http_media_api_problem(r, NGX_HTTP_NOT_FOUND, "no-such-stream",
                                      "there is no stream \"%V/%V\", or not "
                                      "any more", &ctx->app, &ctx->name);
}


static void
ngx_http_media_api_stream_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_one_t *one = data;

    ngx_http_media_status_stream(text, one->app, one->viewers, one->stream,
                                 one->ladder);
    ngx_media_text_cstr(text, "\n");
}
