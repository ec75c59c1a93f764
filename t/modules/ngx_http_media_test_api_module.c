
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: a table of calls of another module,
 * by which viewers watch without media.
 *
 *     media_test_sessions;           a table of sessions, in http
 *
 *     POST v1/test/APP/NAME?viewer=ID[&place=LOCATION]
 *                                    ten seconds are watched, or 403
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_session.h"
#include "http/ngx_http_media_api.h"


#define NGX_HTTP_MEDIA_TEST_API_SIZE   (1024 * 1024)
#define NGX_HTTP_MEDIA_TEST_API_WATCH  10000


static ngx_int_t ngx_http_media_test_api_watch(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static ngx_int_t ngx_http_media_test_api_patch(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx);
static ngx_int_t ngx_http_media_test_api_preconfiguration(ngx_conf_t *cf);
static char *ngx_http_media_test_api_sessions(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


static ngx_command_t  ngx_http_media_test_api_commands[] = {

    { ngx_string("media_test_sessions"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_NOARGS,
      ngx_http_media_test_api_sessions,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_test_api_module_ctx = {
    ngx_http_media_test_api_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_test_api_module = {
    NGX_MODULE_V1,
    &ngx_http_media_test_api_module_ctx,   /* module context */
    ngx_http_media_test_api_commands,      /* module directives */
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


static const ngx_http_media_api_arg_t  ngx_http_media_test_api_args[] = {

    { ngx_string("viewer"), NGX_HTTP_MEDIA_API_STRING, 1, 64, NULL,
      "Who it is." },

    { ngx_string("place"), NGX_HTTP_MEDIA_API_STRING, 1, 64, NULL,
      "A location of files, and not APP." },

    ngx_http_media_api_no_arg
};


static const ngx_http_media_api_row_t  ngx_http_media_test_api_rows[] = {

    { NGX_HTTP_POST, ngx_string("v1/test"), NGX_HTTP_MEDIA_API_NAME,
      ngx_http_media_test_api_args, ngx_http_media_test_api_watch,
      "Somebody watches", NGX_HTTP_NO_CONTENT, NULL, NULL, "403" },

    { NGX_HTTP_PATCH, ngx_string("v1/bans"), NGX_HTTP_MEDIA_API_ID, NULL,
      ngx_http_media_test_api_patch, "Another method of a path of others",
      NGX_HTTP_NO_CONTENT, NULL, NULL, "" },

    { 0, ngx_null_string, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL }
};


static const ngx_http_media_api_table_t  ngx_http_media_test_api_table = {
    ngx_http_media_test_api_rows,
    NULL
};


static ngx_int_t
ngx_http_media_test_api_watch(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    const char                 *reason;
    ngx_media_sessions_t       *sessions;
    ngx_media_session_who_t     who;
    ngx_media_session_sent_t    sent;
    ngx_media_session_state_t   state;

    sessions = ngx_media_sessions_get((ngx_cycle_t *) ngx_cycle);

    ngx_memzero(&who, sizeof(ngx_media_session_who_t));
    ngx_memzero(&sent, sizeof(ngx_media_session_sent_t));

    who.app = ctx->args[1].text.data ? ctx->args[1].text : ctx->app;
    who.name = ctx->name;
    who.by = NGX_MEDIA_SESSION_BY_KEY;
    who.viewer = ctx->args[0].text;
    who.sockaddr = r->connection->sockaddr;
    who.protocol = NGX_MEDIA_SESSION_HLS;

    sent.bytes = 1000;
    sent.watch = NGX_HTTP_MEDIA_TEST_API_WATCH;
    sent.requests = 1;
    sent.protocol = NGX_MEDIA_SESSION_HLS;
    sent.media = 1;

    reason = "nobody is counted";

    if (sessions == NULL
        || ngx_media_session_make(sessions, &who, NULL, &state, &reason)
           != NGX_OK
        || state.kicked
        || ngx_media_session_touch(sessions, &state.ref, &sent) != NGX_OK)
    {
        return ngx_http_media_api_problem(r, NGX_HTTP_FORBIDDEN, "refused",
                                          "%s", reason);
    }

    return ngx_http_media_api_no_content(r);
}


static ngx_int_t
ngx_http_media_test_api_patch(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx)
{
    return ngx_http_media_api_no_content(r);
}


static ngx_int_t
ngx_http_media_test_api_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_media_api_add(cf, &ngx_http_media_test_api_table);
}


static char *
ngx_http_media_test_api_sessions(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    static ngx_str_t  name = ngx_string("test");

    return ngx_media_sessions_add(cf, &name, NGX_HTTP_MEDIA_TEST_API_SIZE,
                                  60000, NGX_MEDIA_SESSION_ADDRESS_PLAIN)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}
