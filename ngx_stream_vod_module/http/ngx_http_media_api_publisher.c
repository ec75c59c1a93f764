
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Publishers: who they are, and how they are made to leave.  A ban is there
 * before its publisher is kicked, so who comes back in between is refused.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_ban.h"
#include "core/ngx_media_claim.h"
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_api_list.h"
#include "http/ngx_http_media_status.h"


/* arguments, by place */

#define NGX_HTTP_MEDIA_API_APP     0          /* of the list */
#define NGX_HTTP_MEDIA_API_Q       1
#define NGX_HTTP_MEDIA_API_COUNT   2
#define NGX_HTTP_MEDIA_API_CURSOR  3

#define NGX_HTTP_MEDIA_API_BAN     0          /* of a kick */
#define NGX_HTTP_MEDIA_API_BY      1

#define NGX_HTTP_MEDIA_API_BY_ADDRESS  1      /* words of "by"; 0: name */
#define NGX_HTTP_MEDIA_API_BY_BOTH     2


static ngx_int_t ngx_http_media_api_publishers(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static void ngx_http_media_api_publishers_write(ngx_media_text_t *text,
    const void *data);
static ngx_int_t ngx_http_media_api_kick(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static ngx_int_t ngx_http_media_api_kick_ban(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx, ngx_media_app_t *app,
    const ngx_media_holder_t *holder);
static void ngx_http_media_api_kick_next(ngx_http_media_api_ctx_t *ctx,
    ngx_media_app_t *app);
static ngx_int_t ngx_http_media_api_no_publisher(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);


static const char *const  ngx_http_media_api_bys[] = {
    "name", "address", "both", NULL
};


static const ngx_http_media_api_arg_t  ngx_http_media_api_publishers_args[] = {

    ngx_http_media_api_arg_app,
    ngx_http_media_api_arg_q,
    ngx_http_media_api_arg_limit,
    ngx_http_media_api_arg_cursor,
    ngx_http_media_api_no_arg
};


static const ngx_http_media_api_arg_t  ngx_http_media_api_kick_args[] = {

    { ngx_string("ban"), NGX_HTTP_MEDIA_API_NUMBER, 1,
      NGX_HTTP_MEDIA_API_BAN_MAX, NULL,
      "Seconds that it may not come back; without it, it may at once." },

    { ngx_string("by"), NGX_HTTP_MEDIA_API_WORD, 0, 0,
      ngx_http_media_api_bys,
      "What is banned: that name, whoever publishes it; that address, "
      "whatever it publishes; or the two together; name." },

    ngx_http_media_api_no_arg
};


static const ngx_http_media_api_row_t  ngx_http_media_api_publisher_rows[] = {

    { NGX_HTTP_GET, ngx_string("v1/publishers"), 0,
      ngx_http_media_api_publishers_args, ngx_http_media_api_publishers,
      "Who publishes now", NGX_HTTP_OK, "Publishers", NULL, "" },

    { NGX_HTTP_DELETE, ngx_string("v1/publishers"), NGX_HTTP_MEDIA_API_NAME,
      ngx_http_media_api_kick_args, ngx_http_media_api_kick,
      "Disconnects the publisher of a stream", NGX_HTTP_NO_CONTENT, NULL,
      NULL, "404 409" },

    { 0, ngx_null_string, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL }
};


static const ngx_http_media_api_schema_t
    ngx_http_media_api_publisher_schemas[] =
{
    { "Publishers", NGX_HTTP_MEDIA_API_LIST_SCHEMA("Publisher") },

    { "Publisher",
      "{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"app\",\"name\",\"protocol\",\"address\",\"since\","
      "\"pid\"],\"properties\":{"
      "\"app\":{\"type\":\"string\"},"
      "\"name\":{\"type\":\"string\"},"
      "\"protocol\":{\"type\":\"string\"},"
      "\"address\":{\"type\":\"string\"},"
      "\"since\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"pid\":{\"type\":\"integer\",\"description\":"
      "\"of the worker that has it\"}}}" },

    { NULL, NULL }
};


const ngx_http_media_api_table_t  ngx_http_media_api_publisher_table = {
    ngx_http_media_api_publisher_rows,
    ngx_http_media_api_publisher_schemas
};


static ngx_int_t
ngx_http_media_api_publishers(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    ngx_int_t                          rc;
    ngx_http_media_api_list_t          list;
    const ngx_http_media_api_value_t  *args;

    args = ctx->args;

    ngx_memzero(&list, sizeof(ngx_http_media_api_list_t));

    list.publishers = 1;
    list.app = args[NGX_HTTP_MEDIA_API_APP].text;
    list.q = args[NGX_HTTP_MEDIA_API_Q].text;
    list.after = args[NGX_HTTP_MEDIA_API_CURSOR].text;
    list.limit = args[NGX_HTTP_MEDIA_API_COUNT].text.data
                 ? args[NGX_HTTP_MEDIA_API_COUNT].n
                 : NGX_HTTP_MEDIA_API_LIMIT;

    rc = ngx_http_media_api_list(r->pool, &list);

    if (rc != NGX_OK) {
        return ngx_http_media_api_no_list(r, rc);
    }

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_publishers_write,
                                    &list);
}


static void
ngx_http_media_api_publishers_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_list_t *list = data;

    ngx_uint_t                       i;
    const ngx_media_stream_brief_t  *brief;

    ngx_http_media_api_list_begin(text, list->total, &list->cursor);

    for (i = 0; i < list->n; i++) {
        brief = &list->items[i]->brief;

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        ngx_media_text_cstr(text, "{\"app\":\"");
        ngx_media_text_json(text, list->items[i]->app);
        ngx_media_text_cstr(text, "\"");

        ngx_http_media_status_string(text, "name", brief->name,
                                     brief->name_len);
        ngx_http_media_status_string(text, "protocol", brief->protocol,
                                     brief->protocol_len);
        ngx_http_media_status_string(text, "address", brief->address,
                                     brief->address_len);
        ngx_http_media_status_date(text, "since", brief->since);
        ngx_http_media_status_key(text, "pid");
        ngx_media_text_u64(text, brief->pid);

        ngx_media_text_cstr(text, "}");
    }

    ngx_http_media_api_list_end(text);
}


static ngx_int_t
ngx_http_media_api_kick(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    ngx_int_t                          rc, banned;
    ngx_uint_t                         ban;
    ngx_media_kick_e                   why;
    ngx_media_app_t                   *app;
    ngx_media_holder_t                 holder;
    const ngx_http_media_api_value_t  *args;

    args = ctx->args;
    ban = args[NGX_HTTP_MEDIA_API_BAN].n;

    if (args[NGX_HTTP_MEDIA_API_BY].text.data && ban == 0) {
        return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST,
                                          "bad-argument",
                                          "\"by\" says what \"ban\" bans, "
                                          "which is not there");
    }

    app = ngx_http_media_api_app(r, &ctx->app, &rc);

    if (app == NULL) {
        return rc;
    }

    if (ngx_media_stream_holder(app->zone, &ctx->name, &holder) != NGX_OK) {
        return ngx_http_media_api_no_publisher(r, ctx);
    }

    banned = ban ? ngx_http_media_api_kick_ban(r, ctx, app, &holder) : NGX_OK;

    why = (ban && banned == NGX_OK) ? NGX_MEDIA_KICK_BANNED
                                    : NGX_MEDIA_KICK_ASKED;

    /* it may have left meanwhile; so it has, and is banned */

    rc = ngx_media_stream_kick(&holder.stream, holder.epoch, why);

    if (rc != NGX_OK && ban == 0) {
        return ngx_http_media_api_no_publisher(r, ctx);
    }

    if (rc != NGX_OK && banned == NGX_OK) {
        ngx_http_media_api_kick_next(ctx, app);
    }

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "media publisher of \"%V/%V\" is disconnected, ban:%ui s",
                  &ctx->app, &ctx->name, banned == NGX_OK ? ban : 0);

    if (banned == NGX_DECLINED) {
        return ngx_http_media_api_problem(r, NGX_HTTP_CONFLICT,
                                          "no-address",
                                          "the publisher is disconnected, but "
                                          "has no address that could be "
                                          "banned");
    }

    if (banned == NGX_BUSY) {
        return ngx_http_media_api_problem(r, NGX_HTTP_CONFLICT,
                                          "too-many-bans",
                                          "the publisher is disconnected, but "
                                          "not banned: there are %d bans "
                                          "already, see v1/bans",
                                          NGX_MEDIA_BANS);
    }

    return ngx_http_media_api_no_content(r);
}


/* NGX_OK, NGX_BUSY, NGX_DECLINED: it has no address */

static ngx_int_t
ngx_http_media_api_kick_ban(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx, ngx_media_app_t *app,
    const ngx_media_holder_t *holder)
{
    ngx_str_t         address;
    ngx_uint_t        by;
    ngx_media_ban_t   ban;

    ngx_memzero(&ban, sizeof(ngx_media_ban_t));

    by = ctx->args[NGX_HTTP_MEDIA_API_BY].n;

    ban.actions = NGX_MEDIA_BAN_PUBLISH;

    if (by != NGX_HTTP_MEDIA_API_BY_ADDRESS) {
        ban.name = ctx->name;
    }

    if (by == NGX_HTTP_MEDIA_API_BY_ADDRESS
        || by == NGX_HTTP_MEDIA_API_BY_BOTH)
    {
        address.data = (u_char *) holder->address;
        address.len = holder->address_len;

        if (ngx_media_network_of(&address, &ban.network) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    return ngx_media_bans_add(ngx_media_bans(app), &ban,
                              ctx->args[NGX_HTTP_MEDIA_API_BAN].n * 1000);
}


/*
 * Who came after it, and before the ban was there.  It is not who was meant,
 * and goes only if it is banned, too.
 */

static void
ngx_http_media_api_kick_next(ngx_http_media_api_ctx_t *ctx,
    ngx_media_app_t *app)
{
    ngx_str_t           address;
    const char         *reason;
    ngx_media_holder_t  next;

    if (ngx_media_stream_holder(app->zone, &ctx->name, &next) != NGX_OK) {
        return;
    }

    address.data = next.address;
    address.len = next.address_len;

    if (ngx_media_ban_check(app, NGX_MEDIA_BAN_PUBLISH, &ctx->name, &address,
                            &reason)
        != NGX_OK)
    {
        (void) ngx_media_stream_kick(&next.stream, next.epoch,
                                     NGX_MEDIA_KICK_BANNED);
    }
}


static ngx_int_t
ngx_http_media_api_no_publisher(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    return ngx_http_media_api_problem(r, NGX_HTTP_NOT_FOUND,
                                      "no-such-publisher",
                                      "nobody publishes \"%V/%V\"",
                                      &ctx->app, &ctx->name);
}
