
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Bans: which there are, how one is made of somebody who is not there, and
 * lifted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_ban.h"
#include "access/ngx_media_session.h"
#include "core/ngx_media_claim.h"
#include "core/ngx_media_name.h"
#include "core/ngx_media_stat.h"
#include "formats/ngx_media_json.h"
#include "http/ngx_http_media_api.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_status.h"


/* arguments of the list, by place */

#define NGX_HTTP_MEDIA_API_APP     0
#define NGX_HTTP_MEDIA_API_COUNT   1
#define NGX_HTTP_MEDIA_API_CURSOR  2

/* a cursor is a number: that of the table, and of the place in it */
#define NGX_HTTP_MEDIA_API_PLACES  65536


/* viewer.id 0: ban is what is banned; else a viewer, of a session */

typedef struct {
    const ngx_str_t          *app;
    ngx_media_ban_t           ban;
    ngx_media_session_ban_t   viewer;
} ngx_http_media_api_banned_t;


typedef struct {
    ngx_uint_t                limit;
    ngx_uint_t                from;           /* place of the first that is
                                                 wanted */
    ngx_uint_t                last;           /* behind the last of the page */
    ngx_uint_t                total;
    ngx_http_media_api_banned_t
                             *items;
    ngx_uint_t                n;
    u_char                    text[NGX_INT_T_LEN];
    ngx_str_t                 cursor;         /* empty: nothing follows */
} ngx_http_media_api_bans_t;


/* what a body asks for; wrong: a sentence, NULL: nothing is */

typedef struct {
    ngx_pool_t               *pool;
    ngx_str_t                 app;
    ngx_str_t                 name;
    ngx_str_t                 address;
    ngx_str_t                 action;
    int64_t                   seconds;
    const char               *wrong;
} ngx_http_media_api_order_t;


static ngx_int_t ngx_http_media_api_bans(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static void ngx_http_media_api_bans_of(ngx_http_media_api_bans_t *list,
    ngx_media_app_t *app, ngx_uint_t table);
static void ngx_http_media_api_bans_of_viewers(
    ngx_http_media_api_bans_t *list, const ngx_str_t *name,
    ngx_uint_t table);
static ngx_http_media_api_banned_t *ngx_http_media_api_bans_item(
    ngx_http_media_api_bans_t *list, ngx_uint_t table, ngx_uint_t place);
static void ngx_http_media_api_bans_write(ngx_media_text_t *text,
    const void *data);
static void ngx_http_media_api_ban_write(ngx_media_text_t *text,
    const void *data);
static void ngx_http_media_api_viewer_write(ngx_media_text_t *text,
    const ngx_media_session_ban_t *ban);
static ngx_int_t ngx_http_media_api_ban(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static void ngx_http_media_api_order(ngx_http_media_api_order_t *order,
    const ngx_str_t *body);
static void ngx_http_media_api_order_member(ngx_http_media_api_order_t *order,
    const ngx_media_json_token_t *token);
static ngx_int_t ngx_http_media_api_order_ban(
    ngx_http_media_api_order_t *order, ngx_media_ban_t *ban);
static ngx_int_t ngx_http_media_api_ban_kick(ngx_http_request_t *r,
    ngx_media_app_t *app, const ngx_media_ban_t *ban);
static ngx_int_t ngx_http_media_api_unban(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);


/* by their bits */

static const char *const  ngx_http_media_api_actions[] = {
    "", "publish", "play", "any"
};


static const ngx_http_media_api_arg_t  ngx_http_media_api_bans_args[] = {
    ngx_http_media_api_arg_app,
    ngx_http_media_api_arg_limit,
    ngx_http_media_api_arg_cursor,
    ngx_http_media_api_no_arg
};


static const ngx_http_media_api_row_t  ngx_http_media_api_ban_rows[] = {

    { NGX_HTTP_GET, ngx_string("v1/bans"), 0, ngx_http_media_api_bans_args,
      ngx_http_media_api_bans, "Who is banned, and until when", NGX_HTTP_OK,
      "Bans", NULL, "" },

    { NGX_HTTP_POST, ngx_string("v1/bans"), NGX_HTTP_MEDIA_API_JSON, NULL,
      ngx_http_media_api_ban,
      "Bans a name, a network, or both, and disconnects who publishes so",
      NGX_HTTP_CREATED, "Ban", "BanOrder", "404 409 422" },

    { NGX_HTTP_DELETE, ngx_string("v1/bans"), NGX_HTTP_MEDIA_API_ID, NULL,
      ngx_http_media_api_unban, "Lifts a ban", NGX_HTTP_NO_CONTENT, NULL,
      NULL, "404" },

    { 0, ngx_null_string, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL }
};


static const ngx_http_media_api_schema_t  ngx_http_media_api_ban_schemas[] = {

    { "Bans", NGX_HTTP_MEDIA_API_LIST_SCHEMA("Ban") },

    { "Ban",
      "{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"id\",\"app\",\"action\",\"until\"],"
      "\"properties\":{"
      "\"id\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{16}$\"},"
      "\"app\":{\"type\":\"string\"},"
      "\"name\":{\"type\":\"string\",\"description\":\"absent: any\"},"
      "\"address\":{\"type\":\"string\",\"description\":\"absent: any\"},"
      "\"viewer\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{16}$\"},"
      "\"by\":{\"enum\":[\"address\",\"key\",\"token\",\"sid\"]},"
      "\"action\":{\"enum\":[\"publish\",\"play\",\"any\",\"watch\"],"
      "\"description\":\"watch: of the viewer of a session\"},"
      "\"since\":{\"$ref\":\"#/components/schemas/Date\"},"
      "\"until\":{\"$ref\":\"#/components/schemas/Date\"}}}" },

    { "BanOrder",
      "{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"app\",\"seconds\"],"
      "\"anyOf\":[{\"required\":[\"name\"]},{\"required\":[\"address\"]}],"
      "\"properties\":{"
      "\"app\":{\"type\":\"string\"},"
      "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255},"
      "\"address\":{\"type\":\"string\",\"minLength\":1,\"description\":"
      "\"192.0.2.7, 192.0.2.0/24, 2001:db8::1; IPv6 is its /64\"},"
      "\"action\":{\"enum\":[\"publish\",\"play\",\"any\"],"
      "\"default\":\"publish\"},"
      "\"seconds\":{\"type\":\"integer\",\"minimum\":1,"
      "\"maximum\":31536000}}}" },

    { NULL, NULL }
};


const ngx_http_media_api_table_t  ngx_http_media_api_ban_table = {
    ngx_http_media_api_ban_rows,
    ngx_http_media_api_ban_schemas
};


static ngx_int_t
ngx_http_media_api_bans(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    ngx_int_t                          from;
    ngx_str_t                          name;
    ngx_uint_t                         i;
    ngx_media_app_t                   *app;
    ngx_http_media_api_bans_t          list;
    const ngx_http_media_api_value_t  *args;

    args = ctx->args;
    name = args[NGX_HTTP_MEDIA_API_APP].text;

    ngx_memzero(&list, sizeof(ngx_http_media_api_bans_t));

    list.limit = args[NGX_HTTP_MEDIA_API_COUNT].text.data
                 ? args[NGX_HTTP_MEDIA_API_COUNT].n
                 : NGX_HTTP_MEDIA_API_LIMIT;

    if (args[NGX_HTTP_MEDIA_API_CURSOR].text.data) {
        from = ngx_atoi(args[NGX_HTTP_MEDIA_API_CURSOR].text.data,
                        args[NGX_HTTP_MEDIA_API_CURSOR].text.len);

        if (from == NGX_ERROR) {
            return ngx_http_media_api_no_list(r, NGX_DECLINED);
        }

        list.from = from;
    }

    list.items = ngx_palloc(r->pool, list.limit
                                     * sizeof(ngx_http_media_api_banned_t));
    if (list.items == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, i);

        if (app == NULL) {
            break;
        }

        if (name.data == NULL
            || (name.len == app->name.len
                && ngx_memcmp(name.data, app->name.data, name.len) == 0))
        {
            ngx_http_media_api_bans_of(&list, app, i);
        }
    }

    ngx_http_media_api_bans_of_viewers(&list, &name, i);

    return ngx_http_media_api_reply(r, NGX_HTTP_OK,
                                    ngx_http_media_api_bans_write, &list);
}


static void
ngx_http_media_api_bans_of(ngx_http_media_api_bans_t *list,
    ngx_media_app_t *app, ngx_uint_t table)
{
    ngx_uint_t                    place;
    ngx_media_ban_t               ban;
    ngx_http_media_api_banned_t  *item;

    for (place = 0;
         ngx_media_bans_walk(ngx_media_bans(app), &place, &ban) == NGX_OK;
         /* void */)
    {
        item = ngx_http_media_api_bans_item(list, table, place);

        if (item == NULL) {
            continue;
        }

        item->app = &app->name;
        item->ban = ban;
        item->ban.name.data = item->ban.text;
        item->viewer.id = 0;
    }
}


static void
ngx_http_media_api_bans_of_viewers(ngx_http_media_api_bans_t *list,
    const ngx_str_t *name, ngx_uint_t table)
{
    ngx_uint_t                    place;
    ngx_media_sessions_t         *sessions;
    ngx_media_session_ban_t       ban;
    ngx_http_media_api_banned_t  *item;

    sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);

    if (sessions == NULL) {
        return;
    }

    for (place = 0;
         ngx_media_session_bans(sessions, &place, &ban) == NGX_OK;
         /* void */)
    {
        if (name->data
            && (name->len != ban.app.len
                || ngx_memcmp(name->data, ban.app.data, name->len) != 0))
        {
            continue;
        }

        item = ngx_http_media_api_bans_item(list, table, place);

        if (item) {
            item->viewer = ban;
            item->viewer.name.data = item->viewer.text;
        }
    }
}


/* of the one that has this place, which is counted; NULL: not of this page */

static ngx_http_media_api_banned_t *
ngx_http_media_api_bans_item(ngx_http_media_api_bans_t *list,
    ngx_uint_t table, ngx_uint_t place)
{
    list->total++;

    place += table * NGX_HTTP_MEDIA_API_PLACES;

    if (place <= list->from || list->cursor.len) {
        return NULL;
    }

    if (list->n == list->limit) {
        list->cursor.data = list->text;
        list->cursor.len = ngx_sprintf(list->text, "%ui", list->last)
                           - list->text;
        return NULL;
    }

    list->last = place;

    return &list->items[list->n++];
}


static void
ngx_http_media_api_bans_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_bans_t *list = data;

    ngx_uint_t  i;

    ngx_http_media_api_list_begin(text, list->total, &list->cursor);

    for (i = 0; i < list->n; i++) {

        if (i) {
            ngx_media_text_cstr(text, ",");
        }

        if (list->items[i].viewer.id) {
            ngx_http_media_api_viewer_write(text, &list->items[i].viewer);

        } else {
            ngx_http_media_api_ban_write(text, &list->items[i]);
        }
    }

    ngx_http_media_api_list_end(text);
}


static void
ngx_http_media_api_ban_write(ngx_media_text_t *text, const void *data)
{
    const ngx_http_media_api_banned_t *banned = data;

    u_char                  buf[NGX_SOCKADDR_STRLEN];
    const char             *action;
    const ngx_media_ban_t  *ban;

    ban = &banned->ban;
    action = ngx_http_media_api_actions[ban->actions & 3];

    ngx_media_text_cstr(text, "{\"id\":\"");
    ngx_media_text_hex64(text, ban->id);
    ngx_media_text_cstr(text, "\"");

    ngx_http_media_status_string(text, "app", banned->app->data,
                                 banned->app->len);

    if (ban->name.len) {
        ngx_http_media_status_string(text, "name", ban->name.data,
                                     ban->name.len);
    }

    if (ban->network.bits) {
        ngx_http_media_status_string(text, "address", buf,
                                     ngx_media_network_text(&ban->network,
                                                            buf));
    }

    ngx_http_media_status_string(text, "action", (u_char *) action,
                                 ngx_strlen(action));
    ngx_http_media_status_date(text, "since", ban->since);
    ngx_http_media_status_date(text, "until", ban->until);

    ngx_media_text_cstr(text, "}");
}


static void
ngx_http_media_api_viewer_write(ngx_media_text_t *text,
    const ngx_media_session_ban_t *ban)
{
    const ngx_str_t  *by;

    by = ngx_media_session_by_name(ban->by);

    ngx_media_text_cstr(text, "{\"id\":\"");
    ngx_media_text_hex64(text, ban->id);
    ngx_media_text_cstr(text, "\"");

    ngx_http_media_status_string(text, "app", ban->app.data, ban->app.len);
    ngx_http_media_status_string(text, "name", ban->name.data,
                                 ban->name.len);
    ngx_media_text_cstr(text, ",\"viewer\":\"");
    ngx_media_text_hex64(text, ban->viewer);
    ngx_media_text_cstr(text, "\"");
    ngx_http_media_status_string(text, "by", by->data, by->len);
    ngx_http_media_status_string(text, "action", (u_char *) "watch", 5);
    ngx_http_media_status_date(text, "until", ban->until);

    ngx_media_text_cstr(text, "}");
}


static ngx_int_t
ngx_http_media_api_ban(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_media_app_t              *app;
    ngx_http_media_api_order_t    order;
    ngx_http_media_api_banned_t   banned;

    ngx_memzero(&order, sizeof(ngx_http_media_api_order_t));
    ngx_memzero(&banned, sizeof(ngx_http_media_api_banned_t));

    order.pool = r->pool;

    ngx_http_media_api_order(&order, &ctx->body);

    if (order.wrong == NULL
        && ngx_http_media_api_order_ban(&order, &banned.ban) != NGX_OK)
    {
        return ngx_http_media_api_problem(r, NGX_HTTP_MEDIA_API_UNPROCESSABLE,
                                          "bad-value", "%s", order.wrong);
    }

    if (order.wrong) {
        return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST, "bad-body",
                                          "%s", order.wrong);
    }

    app = ngx_http_media_api_app(r, &order.app, &rc);

    if (app == NULL) {
        return rc;
    }

    if (ngx_media_bans_add(ngx_media_bans(app), &banned.ban,
                           (ngx_msec_t) order.seconds * 1000)
        != NGX_OK)
    {
        return ngx_http_media_api_problem(r, NGX_HTTP_CONFLICT,
                                          "too-many-bans",
                                          "there are %d bans already",
                                          NGX_MEDIA_BANS);
    }

    banned.app = &app->name;

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "media ban of \"%V/%V\" address:\"%V\" for %L s",
                  &app->name, &order.name, &order.address, order.seconds);

    if ((banned.ban.actions & NGX_MEDIA_BAN_PUBLISH)
        && ngx_http_media_api_ban_kick(r, app, &banned.ban) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* RFC 9110, 10.2.2: to be resolved against v1/bans */

    if (ngx_http_media_header(r, "Location", "bans/%016xL", banned.ban.id)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_api_reply(r, NGX_HTTP_CREATED,
                                    ngx_http_media_api_ban_write, &banned);
}


/* an object of strings and one number, each at most once */

static void
ngx_http_media_api_order(ngx_http_media_api_order_t *order,
    const ngx_str_t *body)
{
    ngx_int_t               rc;
    ngx_media_json_t        json;
    ngx_media_json_token_t  token;

    ngx_media_json_init(&json, body->data, body->data + body->len);

    if (ngx_media_json_next(&json, &token) != NGX_OK
        || token.type != NGX_MEDIA_JSON_OBJECT)
    {
        order->wrong = "the body is no JSON object";
        return;
    }

    for ( ;; ) {
        rc = ngx_media_json_next(&json, &token);

        if (rc == NGX_DONE || order->wrong) {
            return;
        }

        if (rc != NGX_OK) {
            order->wrong = "the body is no JSON";
            return;
        }

        if (token.type != NGX_MEDIA_JSON_END) {
            ngx_http_media_api_order_member(order, &token);
        }
    }
}


static void
ngx_http_media_api_order_member(ngx_http_media_api_order_t *order,
    const ngx_media_json_token_t *token)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    static const struct {
        const char  *key;
        size_t       offset;
    } members[] = {
        { "app", offsetof(ngx_http_media_api_order_t, app) },
        { "name", offsetof(ngx_http_media_api_order_t, name) },
        { "address", offsetof(ngx_http_media_api_order_t, address) },
        { "action", offsetof(ngx_http_media_api_order_t, action) }
    };

    if (ngx_media_json_equal(&token->key, "seconds")) {

        if (token->type != NGX_MEDIA_JSON_NUMBER || order->seconds
            || ngx_media_json_number(&token->text, 0, &order->seconds)
               != NGX_OK
            || order->seconds == 0)
        {
            order->wrong = "\"seconds\" is no whole number above 0, or there "
                           "twice";
        }

        return;
    }

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {

        if (!ngx_media_json_equal(&token->key, members[i].key)) {
            continue;
        }

        value = (ngx_str_t *) ((u_char *) order + members[i].offset);

        if (token->type != NGX_MEDIA_JSON_STRING || value->data) {
            order->wrong = "what should be a string is none, or there twice";
            return;
        }

        value->data = ngx_pnalloc(order->pool, token->text.last
                                               - token->text.pos + 1);
        if (value->data == NULL) {
            order->wrong = "there is no memory for it";
            return;
        }

        value->len = ngx_media_json_string(value->data, &token->text);

        return;
    }

    order->wrong = "there is a member that is none of: app, name, address, "
                   "action, seconds";
}


/* NGX_DECLINED: a value is wrong */

static ngx_int_t
ngx_http_media_api_order_ban(ngx_http_media_api_order_t *order,
    ngx_media_ban_t *ban)
{
    ngx_uint_t     i;
    const u_char  *bad;

    if (order->seconds < 1 || order->seconds > NGX_HTTP_MEDIA_API_BAN_MAX) {
        order->wrong = "\"seconds\" has to be from 1 to 31536000";
        return NGX_DECLINED;
    }

    if (order->app.len == 0) {
        order->wrong = "\"app\" has to be there";
        return NGX_DECLINED;
    }

    /* an empty one is a mistake, and not any */

    if ((order->name.data && order->name.len == 0)
        || (order->address.data && order->address.len == 0))
    {
        order->wrong = "\"name\" and \"address\" must not be empty";
        return NGX_DECLINED;
    }

    if (order->name.len == 0 && order->address.len == 0) {
        order->wrong = "\"name\" or \"address\" has to be there";
        return NGX_DECLINED;
    }

    if (order->name.len && ngx_media_name_wrong(&order->name, &bad)) {
        order->wrong = "\"name\" is not a name for a stream";
        return NGX_DECLINED;
    }

    if (order->address.len
        && ngx_media_network_of(&order->address, &ban->network) != NGX_OK)
    {
        order->wrong = "\"address\" has to be an address, or a network as "
                       "192.0.2.0/24";
        return NGX_DECLINED;
    }

    ban->name = order->name;
    ban->actions = NGX_MEDIA_BAN_PUBLISH;

    if (order->action.data == NULL) {
        return NGX_OK;
    }

    for (i = 1; i < 4; i++) {
        if (order->action.len == ngx_strlen(ngx_http_media_api_actions[i])
            && ngx_strncmp(order->action.data, ngx_http_media_api_actions[i],
                           order->action.len)
               == 0)
        {
            ban->actions = i;
            return NGX_OK;
        }
    }

    order->wrong = "\"action\" has to be \"publish\", \"play\" or \"any\"";

    return NGX_DECLINED;
}


/* who publishes what is banned */

static ngx_int_t
ngx_http_media_api_ban_kick(ngx_http_request_t *r, ngx_media_app_t *app,
    const ngx_media_ban_t *ban)
{
    ngx_str_t                  name, address;
    ngx_int_t                  rc;
    ngx_uint_t                 i, n;
    ngx_media_stream_t        *streams;
    ngx_media_network_t        network;
    ngx_media_stream_brief_t   brief;

    if (ngx_media_zone_streams(app->zone, r->pool, &streams, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (ngx_media_stream_brief(&streams[i], &brief) != NGX_OK
            || brief.pid == 0)
        {
            continue;
        }

        name.data = brief.name;
        name.len = brief.name_len;
        address.data = brief.address;
        address.len = brief.address_len;

        rc = ngx_media_network(&address, &network);

        if (!ngx_media_ban_hits(ban, NGX_MEDIA_BAN_PUBLISH, &name,
                                rc == NGX_OK ? &network : NULL))
        {
            continue;
        }

        if (ngx_media_stream_kick(&streams[i], brief.epoch,
                                  NGX_MEDIA_KICK_BANNED)
            == NGX_OK)
        {
            ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                          "media publisher of \"%V/%V\" is disconnected, "
                          "ban:\"%016xL\"", &app->name, &name, ban->id);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_api_unban(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    uint64_t               id;
    ngx_uint_t             i;
    ngx_media_app_t       *app;
    ngx_media_sessions_t  *sessions;

    if (ngx_http_media_api_id(&ctx->name, &id) == NGX_OK) {

        for (i = 0; /* void */ ; i++) {
            app = ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, i);

            if (app == NULL) {
                break;
            }

            if (ngx_media_bans_remove(ngx_media_bans(app), id) == NGX_OK) {
                ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                              "media ban \"%016xL\" of \"%V\" is lifted", id,
                              &app->name);

                return ngx_http_media_api_no_content(r);
            }
        }

        sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);

        if (sessions && ngx_media_session_unban(sessions, id) == NGX_OK) {
            ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                          "media ban \"%016xL\" of a viewer is lifted", id);

            return ngx_http_media_api_no_content(r);
        }
    }

    return ngx_http_media_api_problem(r, NGX_HTTP_NOT_FOUND, "no-such-ban",
                                      "there is no ban of this id, or not any "
                                      "more");
}
