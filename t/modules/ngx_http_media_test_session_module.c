
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: the table of sessions, as it is.
 *
 *     media_test_session;                  location
 *
 * GET .../ lists them: "ID APP NAME BY PROTOCOL AGENT BYTES WATCH MADE FLAGS",
 * c: confirmed, n: native, k: kicked; "?end=ID" kicks one, "?end=ID&ban=S" bans
 * it, "?unban=ID" takes that back, "?count=NAME" says "SESSIONS VIEWERS".  The
 * log has a line for each that ended.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_session.h"


#define NGX_HTTP_MEDIA_TEST_SESSION_LINE  512


static ngx_int_t ngx_http_media_test_session_handler(ngx_http_request_t *r);
static u_char *ngx_http_media_test_session_list(
    ngx_media_sessions_t *sessions, u_char *p);
static void ngx_http_media_test_session_ended(
    const ngx_media_session_info_t *info);
static char *ngx_http_media_test_session(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_media_test_session_commands[] = {

    { ngx_string("media_test_session"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_media_test_session,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_test_session_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_test_session_module = {
    NGX_MODULE_V1,
    &ngx_http_media_test_session_module_ctx, /* module context */
    ngx_http_media_test_session_commands,  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static uint64_t
ngx_http_media_test_session_arg(ngx_http_request_t *r, const char *name)
{
    uint64_t    n;
    ngx_str_t   value;
    ngx_uint_t  i;

    n = 0;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &value) != NGX_OK) {
        return 0;
    }

    for (i = 0; i < value.len; i++) {
        n = n * 10 + (value.data[i] - '0');
    }

    return n;
}


static ngx_int_t
ngx_http_media_test_session_handler(ngx_http_request_t *r)
{
    u_char                     *p, *start;
    uint64_t                    id, unban;
    ngx_int_t                   rc;
    ngx_buf_t                  *b;
    ngx_str_t                   app, name;
    ngx_chain_t                 out;
    ngx_media_sessions_t       *sessions;
    ngx_media_session_stat_t    stat;
    ngx_media_session_count_t   count;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);
    if (sessions == NULL) {
        return NGX_HTTP_NOT_FOUND;
    }

    ngx_media_session_stat(sessions, &stat);

    start = ngx_palloc(r->pool, (stat.used + 16)
                                * NGX_HTTP_MEDIA_TEST_SESSION_LINE);
    b = ngx_calloc_buf(r->pool);

    if (start == NULL || b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = start;
    id = ngx_http_media_test_session_arg(r, "end");
    unban = ngx_http_media_test_session_arg(r, "unban");

    if (id) {
        rc = ngx_media_session_end(sessions, id,
                                   ngx_http_media_test_session_arg(r, "ban"));
        p = ngx_sprintf(p, "%i\n", rc);

    } else if (unban) {
        p = ngx_sprintf(p, "%i\n", ngx_media_session_unban(sessions, unban));

    } else if (ngx_http_arg(r, (u_char *) "count", 5, &name) == NGX_OK) {
        ngx_str_set(&app, "live");

        ngx_media_session_count(sessions,
                                ngx_media_session_stream(sessions, &app,
                                                         &name),
                                &count);
        p = ngx_sprintf(p, "%ui %ui\n", count.sessions, count.viewers);

    } else {
        p = ngx_http_media_test_session_list(sessions, p);
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = p - start;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = start;
    b->last = p;
    b->memory = (p > start);
    b->last_buf = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static u_char *
ngx_http_media_test_session_list(ngx_media_sessions_t *sessions, u_char *p)
{
    ngx_uint_t                cursor, n;
    ngx_media_session_info_t  info;
    ngx_media_session_stat_t  stat;

    ngx_media_session_stat(sessions, &stat);

    cursor = 0;

    for (n = stat.used; n; n--) {

        if (ngx_media_session_walk(sessions, 0, &cursor, &info) != NGX_OK) {
            break;
        }

        p = ngx_sprintf(p, "%uL %V %V %V %V %s %uL %uL %L %s%s%s\n", info.id,
                        &info.app, &info.name,
                        ngx_media_session_by_name(info.by),
                        ngx_media_session_protocol_name(info.protocol),
                        ngx_media_agent_name(info.agent), info.bytes,
                        info.watch, info.started / 1000,
                        info.confirmed ? "c" : "", info.native ? "n" : "",
                        info.kicked ? "k" : "");
    }

    return p;
}


static void
ngx_http_media_test_session_ended(const ngx_media_session_info_t *info)
{
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "test session ended: %uL %V/%V %V watch:%uL", info->id,
                  &info->app, &info->name,
                  ngx_media_session_protocol_name(info->protocol),
                  info->watch);
}


static char *
ngx_http_media_test_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_media_test_session_handler;

    return ngx_media_session_ended_add(cf, ngx_http_media_test_session_ended)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}
