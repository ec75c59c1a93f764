
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: NAME.live.ts, a live stream as one
 * body of MPEG-TS, all tracks of it that there is room for, in the order in
 * which they appear.  It is as short as it can be: what a slow client does not
 * take stays in memory.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "packager/ngx_media_pack_push.h"


#define NGX_HTTP_MEDIA_TEST_TS_BUF  (7 * NGX_MEDIA_TS_PACKET)


typedef struct {
    ngx_http_request_t       *request;
    ngx_media_follow_t       *follow;
    ngx_media_pack_push_t     push;
    ngx_buf_t                *buf;            /* being filled; NULL: none */
} ngx_http_media_test_ts_t;


static ngx_int_t ngx_http_media_test_ts_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx);
static void ngx_http_media_test_ts_params(void *data, ngx_uint_t track,
    const ngx_media_params_t *params);
static void ngx_http_media_test_ts_frame(void *data,
    ngx_media_frame_t *frame);
static void ngx_http_media_test_ts_flush(void *data);
static void ngx_http_media_test_ts_end(void *data, const char *reason);
static ngx_int_t ngx_http_media_test_ts_send(ngx_http_media_test_ts_t *ts);
static void ngx_http_media_test_ts_cleanup(void *data);
static ngx_int_t ngx_http_media_test_ts_preconfiguration(ngx_conf_t *cf);


static const ngx_http_media_kind_t  ngx_http_media_test_ts_kinds[] = {

    { ngx_string(".live.ts"),
      NULL, NULL, NULL,
      { "video/mp2t", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_TS, 0,
      ngx_http_media_test_ts_handler, NULL, NULL },

    { ngx_null_string, NULL, NULL, NULL, { NULL, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_OTHER, 0, NULL, NULL, NULL }
};


static ngx_http_module_t  ngx_http_media_test_ts_module_ctx = {
    ngx_http_media_test_ts_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_test_ts_module = {
    NGX_MODULE_V1,
    &ngx_http_media_test_ts_module_ctx,    /* module context */
    NULL,                                  /* module directives */
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


static ngx_int_t
ngx_http_media_test_ts_handler(ngx_http_request_t *r,
    ngx_http_media_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_pool_cleanup_t        *cln;
    ngx_media_follow_conf_t    conf;
    ngx_http_media_test_ts_t  *ts;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_test_ts_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ts = cln->data;

    ngx_memzero(ts, sizeof(ngx_http_media_test_ts_t));

    ts->request = r;
    ngx_media_pack_push_init(&ts->push);

    cln->handler = ngx_http_media_test_ts_cleanup;

    ngx_memzero(&conf, sizeof(ngx_media_follow_conf_t));

    conf.stream = ctx->stream;
    conf.log = r->connection->log;
    conf.params = ngx_http_media_test_ts_params;
    conf.frame = ngx_http_media_test_ts_frame;
    conf.flush = ngx_http_media_test_ts_flush;
    conf.end = ngx_http_media_test_ts_end;
    conf.data = ts;

    rc = ngx_media_follow_begin(&conf, &ts->follow);

    if (rc != NGX_OK) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, 1);
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_media_grow_write;
    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_media_test_ts_params(void *data, ngx_uint_t track,
    const ngx_media_params_t *params)
{
    ngx_http_media_test_ts_t *ts = data;

    ngx_uint_t  n;

    for (n = 0; n < ts->push.ts.mux.ntracks; n++) {
        if (ts->push.tracks[n] == track) {
            break;
        }
    }

    if (ngx_media_pack_push_track(&ts->push, n, track, params) != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, ts->request->connection->log, 0,
                      "test ts: track %ui is left out", track);
    }
}


static void
ngx_http_media_test_ts_frame(void *data, ngx_media_frame_t *frame)
{
    ngx_http_media_test_ts_t *ts = data;

    ngx_int_t  rc;

    if (ngx_media_pack_push_frame(&ts->push, frame) != NGX_OK) {
        return;
    }

    do {
        if (ts->buf == NULL) {
            ts->buf = ngx_create_temp_buf(ts->request->pool,
                                          NGX_HTTP_MEDIA_TEST_TS_BUF);
            if (ts->buf == NULL) {
                return;
            }
        }

        rc = ngx_media_ts_push_write(&ts->push.ts, &ts->buf->last,
                                     ts->buf->end);

        if (rc == NGX_OK && ngx_http_media_test_ts_send(ts) == NGX_ERROR) {
            return;
        }

    } while (rc == NGX_OK);
}


static void
ngx_http_media_test_ts_flush(void *data)
{
    ngx_http_media_test_ts_t *ts = data;

    ngx_connection_t  *c;

    c = ts->request->connection;

    if (ngx_http_media_test_ts_send(ts) == NGX_ERROR) {
        ngx_http_finalize_request(ts->request, NGX_ERROR);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_media_test_ts_end(void *data, const char *reason)
{
    ngx_http_media_test_ts_t *ts = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ts->request;
    c = r->connection;

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "test ts: %s, late:%uL breaks:%uL damaged:%uD", reason,
                  ts->push.ts.late, ts->push.ts.breaks,
                  ts->push.ts.mux.damaged);

    ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_media_test_ts_send(ngx_http_media_test_ts_t *ts)
{
    ngx_chain_t  out;

    if (ts->buf == NULL || ts->buf->last == ts->buf->pos) {
        return NGX_OK;
    }

    ts->buf->flush = 1;

    out.buf = ts->buf;
    out.next = NULL;

    ts->buf = NULL;

    return ngx_http_output_filter(ts->request, &out);
}


static void
ngx_http_media_test_ts_cleanup(void *data)
{
    ngx_http_media_test_ts_t *ts = data;

    if (ts->follow) {
        ngx_media_follow_end(ts->follow);
    }

    ngx_media_pack_push_free(&ts->push);
}


static ngx_int_t
ngx_http_media_test_ts_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_media_kinds_add(cf, ngx_http_media_test_ts_kinds);
}
