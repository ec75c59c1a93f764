
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Sessions of viewers, as media_sessions counts them: who watches, and how one
 * is ended.  A cursor is a place in the table: a page costs what it shows, and
 * what is skipped.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_session.h"
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_status.h"


/* arguments, by place */

#define NGX_HTTP_MEDIA_API_STREAM  0          /* of the list */
#define NGX_HTTP_MEDIA_API_COUNT   1
#define NGX_HTTP_MEDIA_API_CURSOR  2

#define NGX_HTTP_MEDIA_API_BAN     0          /* of a kick */


typedef struct {
    ngx_media_session_info_t *items;
    ngx_uint_t                n;
    ngx_uint_t                total;
    u_char                    text[NGX_INT_T_LEN];
    ngx_str_t                 cursor;         /* empty: nothing follows */
} ngx_http_media_api_sessions_t;


static ngx_int_t ngx_http_media_api_sessions(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static uint64_t ngx_http_media_api_session_key(
    ngx_media_sessions_t *sessions, const ngx_str_t *stream);
static void ngx_http_media_api_sessions_read(ngx_media_sessions_t *sessions,
    uint64_t stream, ngx_uint_t cursor, ngx_uint_t limit,
    ngx_http_media_api_sessions_t *list);
static void ngx_http_media_api_sessions_write(ngx_media_text_t *text,
    const void *data);
static void ngx_http_media_api_session_write(ngx_media_text_t *text,
    const ngx_media_session_info_t *info);
static ngx_int_t ngx_http_media_api_session_end(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static ngx_int_t ngx_http_media_api_no_sessions(ngx_http_request_t *r);


static const ngx_http_media_api_arg_t  ngx_http_media_api_sessions_args[] = {

    { ngx_string("stream"), NGX_HTTP_MEDIA_API_STRING, 1,
      NGX_HTTP_MEDIA_API_VALUE, NULL,
      "Only of this one, APP/NAME, or of a file as its location names it." },

    ngx_http_media_api_arg_limit,
    ngx_http_media_api_arg_cursor,
    ngx_http_media_api_no_arg
};


static const ngx_http_media_api_arg_t  ngx_http_media_api_session_args[] = {

    { ngx_string("ban"), NGX_HTTP_MEDIA_API_NUMBER, 1,
      NGX_HTTP_MEDIA_API_BAN_MAX, NULL,
      "Seconds that this viewer may not watch this stream." },

    ngx_http_media_api_no_arg
};


static const ngx_http_media_api_row_t  ngx_http_media_api_session_rows[] = {

    { NGX_HTTP_GET, ngx_string("v1/sessions"), 0,
      ngx_http_media_api_sessions_args, ngx_http_media_api_sessions,
      "Who watches what", NGX_HTTP_OK, "Sessions", NULL, "404" },

    { NGX_HTTP_DELETE, ngx_string("v1/sessions"), NGX_HTTP_MEDIA_API_ID,
      ngx_http_media_api_session_args, ngx_http_media_api_session_end,
      "Ends the session of a viewer", NGX_HTTP_NO_CONTENT, NULL, NULL,
      "404 409" },

    { 0, ngx_null_string, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL }
};


static const ngx_http_media_api_schema_t  ngx_http_media_api_session_schemas[] =
{
    { "Sessions", NGX_HTTP_MEDIA_API_LIST_SCHEMA("Session") },

    { "Session",
      "{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"id\",\"app\",\"name\",\"protocol\",\"by\",\"viewer\","
      "\"agent\",\"started\",\"seen\",\"bytes\",\"watch_ms\",\"requests\","
      "\"confirmed\",\"kicked\"],\"properties\":{"
      "\"id\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{16}$\"},"
      "\"app\":{\"type\":\"string\"},"
      "\"name\":{\"type\":\"string\",\"description\":"
      "\"shortened, if it is a long one\"},"
      "\"protocol\":{\"enum\":[\"unknown\",\"hls\",\"dash\",\"file\",\"flv\","
      "\"rtmp\",\"srt\"]},"
      "\"by\":{\"enum\":[\"address\",\"key\",\"token\",\"sid\"]},"
      "\"viewer\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{16}$\"},"
      "\"address\":{\"type\":\"string\",\"description\":"
      "\"as media_sessions says, or a hash\"},"
      "\"agent\":{\"type\":\"string\"},"
      "\"started\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"seen\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"bytes\":{\"type\":\"integer\",\"minimum\":0},"
      "\"watch_ms\":{\"type\":\"integer\",\"minimum\":0},"
      "\"requests\":{\"type\":\"integer\",\"minimum\":0},"
      "\"confirmed\":{\"type\":\"boolean\",\"description\":"
      "\"it counts as a viewer\"},"
      "\"kicked\":{\"type\":\"boolean\"},"
      "\"banned\":{\"$ref\":\"#/components/schemas/Date\"}}}" },

    { NULL, NULL }
};


const ngx_http_media_api_table_t  ngx_http_media_api_session_table = {
    ngx_http_media_api_session_rows,
    ngx_http_media_api_session_schemas
};


static ngx_int_t
ngx_http_media_api_sessions(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    uint64_t                           stream;
    ngx_int_t                          cursor;
    ngx_uint_t                         limit;
    ngx_media_sessions_t              *sessions;
    ngx_media_session_stat_t           stat;
    ngx_media_session_count_t          count;
    ngx_http_media_api_sessions_t      list;
    const ngx_http_media_api_value_t  *args;

    sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);

    if (sessions == NULL) {
        return ngx_http_media_api_no_sessions(r);
    }

    args = ctx->args;
    cursor = 0;
    stream = 0;

    if (args[NGX_HTTP_MEDIA_API_CURSOR].text.data) {
        cursor = ngx_atoi(args[NGX_HTTP_MEDIA_API_CURSOR].text.data,
                          args[NGX_HTTP_MEDIA_API_CURSOR].text.len);

        if (cursor == NGX_ERROR) {
            return ngx_http_media_api_no_list(r, NGX_DECLINED);
        }
    }

    limit = args[NGX_HTTP_MEDIA_API_COUNT].text.data
            ? args[NGX_HTTP_MEDIA_API_COUNT].n : NGX_HTTP_MEDIA_API_LIMIT;

    ngx_memzero(&list, sizeof(ngx_http_media_api_sessions_t));

    list.items = ngx_palloc(r->pool, (limit + 1)
                                     * sizeof(ngx_media_session_info_t));
    if (list.items == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (args[NGX_HTTP_MEDIA_API_STREAM].text.data) {
        stream = ngx_http_media_api_session_key(sessions,
                                       &args[NGX_HTTP_MEDIA_API_STREAM].text);

        if (stream) {
            ngx_media_session_count(sessions, stream, &count);
            list.total = count.sessions;
        }

    } else {
        ngx_media_session_stat(sessions, &stat);
        list.total = stat.used;
    }

    if (stream || args[NGX_HTTP_MEDIA_API_STREAM].text.data == NULL) {
        ngx_http_media_api_sessions_read(sessions, stream, cursor, limit,
                                         &list);
    }

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_sessions_write, &list);
}


/*
 * APP/NAME, where a location of files has slashes of its own, and the longest
 * one is who answers; 0: no such app
 */

static uint64_t
ngx_http_media_api_session_key(ngx_media_sessions_t *sessions,
    const ngx_str_t *stream)
{
    size_t                     len, longest;
    uint64_t                   key;
    ngx_str_t                  name;
    ngx_uint_t                 i;
    ngx_media_session_app_t    app;

    key = 0;
    longest = 0;

    for (i = 0; ngx_media_session_app(sessions, i, &app) == NGX_OK; i++) {
        len = app.name.len;

        if (len <= longest || len >= stream->len
            || ngx_memcmp(stream->data, app.name.data, len) != 0)
        {
            continue;
        }

        if (app.name.data[len - 1] != '/' && stream->data[len++] != '/') {
            continue;
        }

        name.data = stream->data + len;
        name.len = stream->len - len;

        longest = app.name.len;
        key = ngx_media_session_stream(sessions, &app.name, &name);
    }

    return key;
}


/* one more than a page tells whether there is another one */

static void
ngx_http_media_api_sessions_read(ngx_media_sessions_t *sessions,
    uint64_t stream, ngx_uint_t cursor, ngx_uint_t limit,
    ngx_http_media_api_sessions_t *list)
{
    ngx_uint_t  last;

    for (list->n = 0; /* void */ ; list->n++) {
        last = cursor;

        if (ngx_media_session_walk(sessions, stream, &cursor,
                                   &list->items[list->n])
            != NGX_OK)
        {
            return;
        }

        if (list->n == limit) {
            list->cursor.data = list->text;
            list->cursor.len = ngx_sprintf(list->text, "%ui", last)
                               - list->text;
            return;
        }
    }
}


static void
ngx_http_media_api_sessions_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_sessions_t *list = data;

    ngx_uint_t  i;

    ngx_http_media_api_list_begin(text, list->total, &list->cursor);

    for (i = 0; i < list->n; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_http_media_api_session_write(text, &list->items[i]);
    }

    ngx_http_media_api_list_end(text);
}


static void
ngx_http_media_api_session_write(ngx_media_text_t *text,
    const ngx_media_session_info_t *info)
{
    const char       *agent;
    const ngx_str_t  *by, *protocol;

    by = ngx_media_session_by_name(info->by);
    protocol = ngx_media_session_protocol_name(info->protocol);
    agent = ngx_media_agent_name(info->agent);

    ngx_media_text_cstr(text, "{\"id\":\"");
    ngx_media_text_hex64(text, info->id);
    ngx_media_text_cstr(text, "\"");

    ngx_http_media_status_string(text, "app", info->app.data, info->app.len);
    ngx_http_media_status_string(text, "name", info->name.data,
                                 info->name.len);
    ngx_http_media_status_string(text, "protocol", protocol->data,
                                 protocol->len);
    ngx_http_media_status_string(text, "by", by->data, by->len);
    ngx_media_text_cstr(text, ",\"viewer\":\"");
    ngx_media_text_hex64(text, info->viewer);
    ngx_media_text_cstr(text, "\"");

    if (info->plain.len) {
        ngx_http_media_status_string(text, "address", info->plain.data,
                                     info->plain.len);

    } else if (info->address) {
        ngx_media_text_cstr(text, ",\"address\":\"");
        ngx_media_text_hex64(text, info->address);
        ngx_media_text_cstr(text, "\"");
    }

    ngx_http_media_status_string(text, "agent", (u_char *) agent,
                                 ngx_strlen(agent));
    ngx_http_media_status_date(text, "started", info->started);
    ngx_http_media_status_date(text, "seen", info->seen);
    ngx_http_media_status_key(text, "bytes");
    ngx_media_text_u64(text, info->bytes);
    ngx_http_media_status_key(text, "watch_ms");
    ngx_media_text_u64(text, info->watch);
    ngx_http_media_status_key(text, "requests");
    ngx_media_text_u64(text, info->requests);
    ngx_http_media_status_flag(text, "confirmed", info->confirmed);
    ngx_http_media_status_flag(text, "kicked", info->kicked);

    if (info->banned) {
        ngx_http_media_status_date(text, "banned", info->banned);
    }

    ngx_media_text_cstr(text, "}");
}


static ngx_int_t
ngx_http_media_api_session_end(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    uint64_t               id;
    ngx_int_t              rc;
    ngx_uint_t             ban;
    ngx_media_sessions_t  *sessions;

    sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);

    if (sessions == NULL) {
        return ngx_http_media_api_no_sessions(r);
    }

    ban = ctx->args[NGX_HTTP_MEDIA_API_BAN].n;

    if (ngx_http_media_api_id(&ctx->name, &id) != NGX_OK) {
        rc = NGX_DECLINED;

    } else {
        rc = ngx_media_session_end(sessions, id, (time_t) ban);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_media_api_problem(r, NGX_HTTP_NOT_FOUND,
                                          "no-such-session",
                                          "there is no session of this id, "
                                          "or not any more");
    }

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "media session \"%016xL\" is ended, ban:%ui s", id,
                  rc == NGX_OK ? ban : 0);

    if (rc == NGX_BUSY) {
        return ngx_http_media_api_problem(r, NGX_HTTP_CONFLICT,
                                          "too-many-bans",
                                          "the session is ended, but its "
                                          "viewer is not banned: there are %d "
                                          "bans already, see v1/bans",
                                          NGX_MEDIA_SESSION_BANS);
    }

    return ngx_http_media_api_no_content(r);
}


static ngx_int_t
ngx_http_media_api_no_sessions(ngx_http_request_t *r)
{
    return ngx_http_media_api_problem(r, NGX_HTTP_NOT_FOUND, "no-sessions",
                                      "\"media_sessions\" is off");
}
