
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: asks others.
 *
 *     location /ask { media_test_fetch http://127.0.0.1:8000/x; }
 *
 *     ?method=POST &timeout=MS &args=... &type=... &body=...   as they are; a
 *                  "," in args is sent as "&"
 *     ?n=100       so many at once
 *     ?cancel=1    each of them is of no interest after all
 *     ?age=MS      connections that are kept become so much older before
 *
 * What is answered are the answers of each kind, with how many they are:
 *
 *     1 status:200 type:text/plain age:-1 location: body:...
 *     1 error:there was no answer in time
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media_fetch_state.h"


#define NGX_HTTP_MEDIA_TEST_KINDS  16
#define NGX_HTTP_MEDIA_TEST_TEXT   8192


typedef struct {
    ngx_media_target_t       *target;
} ngx_http_media_test_fetch_conf_t;


typedef struct ngx_http_media_test_fetch_s  ngx_http_media_test_fetch_t;


typedef struct {
    ngx_media_fetch_t        *fetch;          /* NULL: done */
    ngx_http_media_test_fetch_t  *all;
} ngx_http_media_test_fetch_one_t;


struct ngx_http_media_test_fetch_s {
    ngx_http_request_t       *request;
    ngx_uint_t                n;
    ngx_uint_t                left;
    ngx_http_media_test_fetch_one_t  *ones;

    ngx_uint_t                kinds;
    ngx_uint_t                counts[NGX_HTTP_MEDIA_TEST_KINDS];
    ngx_str_t                 texts[NGX_HTTP_MEDIA_TEST_KINDS];
};


static ngx_int_t ngx_http_media_test_fetch_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_test_fetch_start(ngx_http_request_t *r,
    ngx_http_media_test_fetch_t *all);
static void ngx_http_media_test_fetch_age(ngx_media_fetch_server_t *server,
    ngx_msec_t age);
static void ngx_http_media_test_fetch_done(void *data,
    const ngx_media_http_t *answer, const char *error);
static ngx_int_t ngx_http_media_test_fetch_send(
    ngx_http_media_test_fetch_t *all);
static void ngx_http_media_test_fetch_cleanup(void *data);
static ngx_uint_t ngx_http_media_test_fetch_number(ngx_http_request_t *r,
    const char *name, ngx_uint_t value);
static void *ngx_http_media_test_fetch_create_conf(ngx_conf_t *cf);
static char *ngx_http_media_test_fetch(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_media_test_fetch_commands[] = {

    { ngx_string("media_test_fetch"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_media_test_fetch,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_test_fetch_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_test_fetch_create_conf, /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_media_test_fetch_module = {
    NGX_MODULE_V1,
    &ngx_http_media_test_fetch_module_ctx, /* module context */
    ngx_http_media_test_fetch_commands,    /* module directives */
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
ngx_http_media_test_fetch_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_cleanup_t           *cln;
    ngx_http_media_test_fetch_t  *all;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    all = ngx_pcalloc(r->pool, sizeof(ngx_http_media_test_fetch_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (all == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    all->request = r;
    all->n = ngx_http_media_test_fetch_number(r, "n", 1);
    all->ones = ngx_pcalloc(r->pool, all->n
                                  * sizeof(ngx_http_media_test_fetch_one_t));
    if (all->ones == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_media_test_fetch_cleanup;
    cln->data = all;

    r->main->count++;

    if (ngx_http_media_test_fetch_start(r, all) != NGX_OK) {
        r->main->count--;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_media_test_fetch_number(r, "cancel", 0)) {
        ngx_http_media_test_fetch_cleanup(all);
        ngx_http_finalize_request(r, ngx_http_media_test_fetch_send(all));
        return NGX_DONE;
    }

    r->read_event_handler = ngx_http_test_reading;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_media_test_fetch_start(ngx_http_request_t *r,
    ngx_http_media_test_fetch_t *all)
{
    u_char                            *p;
    ngx_uint_t                         i;
    ngx_media_fetch_conf_t             conf;
    ngx_http_media_test_fetch_conf_t  *mtfcf;

    mtfcf = ngx_http_get_module_loc_conf(r, ngx_http_media_test_fetch_module);

    ngx_memzero(&conf, sizeof(ngx_media_fetch_conf_t));

    conf.target = mtfcf->target;
    conf.timeout = ngx_http_media_test_fetch_number(r, "timeout", 5000);
    conf.log = r->connection->log;
    conf.done = ngx_http_media_test_fetch_done;

    ngx_str_set(&conf.method, "GET");

    (void) ngx_http_arg(r, (u_char *) "method", 6, &conf.method);
    (void) ngx_http_arg(r, (u_char *) "args", 4, &conf.args);
    (void) ngx_http_arg(r, (u_char *) "type", 4, &conf.type);
    (void) ngx_http_arg(r, (u_char *) "body", 4, &conf.body);

    for (p = conf.args.data; p < conf.args.data + conf.args.len; p++) {
        *p = *p == ',' ? '&' : *p;
    }

    ngx_http_media_test_fetch_age(mtfcf->target->server,
                             ngx_http_media_test_fetch_number(r, "age", 0));

    for (i = 0; i < all->n; i++) {
        all->ones[i].all = all;
        conf.data = &all->ones[i];

        if (ngx_media_fetch(&conf, &all->ones[i].fetch) != NGX_OK) {
            all->ones[i].fetch = NULL;
            return NGX_ERROR;
        }

        all->left++;
    }

    return NGX_OK;
}


static void
ngx_http_media_test_fetch_age(ngx_media_fetch_server_t *server,
    ngx_msec_t age)
{
    ngx_queue_t             *q;
    ngx_media_fetch_peer_t  *peer;

    for (q = ngx_queue_head(&server->idle);
         age && q != ngx_queue_sentinel(&server->idle);
         q = ngx_queue_next(q))
    {
        peer = ngx_queue_data(q, ngx_media_fetch_peer_t, queue);
        peer->since -= age;
    }
}


static void
ngx_http_media_test_fetch_done(void *data, const ngx_media_http_t *answer,
    const char *error)
{
    ngx_http_media_test_fetch_one_t *one = data;

    u_char                        buf[NGX_HTTP_MEDIA_TEST_TEXT], *p;
    ngx_uint_t                    i;
    ngx_connection_t             *c;
    ngx_http_media_test_fetch_t  *all;

    one->fetch = NULL;
    all = one->all;
    all->left--;

    p = buf;

    if (answer) {
        p = ngx_slprintf(p, buf + sizeof(buf),
                         "status:%ui type:%*s age:%L location:%*s body:%*s",
                         answer->status, ngx_media_span_len(&answer->type),
                         answer->type.pos, answer->max_age,
                         ngx_media_span_len(&answer->location),
                         answer->location.pos,
                         ngx_media_span_len(&answer->body), answer->body.pos);
    } else {
        p = ngx_slprintf(p, buf + sizeof(buf), "error:%s", error);
    }

    for (i = 0; i < all->kinds; i++) {

        if (all->texts[i].len == (size_t) (p - buf)
            && ngx_memcmp(all->texts[i].data, buf, p - buf) == 0)
        {
            break;
        }
    }

    if (i == all->kinds && i < NGX_HTTP_MEDIA_TEST_KINDS) {
        all->texts[i].len = p - buf;
        all->texts[i].data = ngx_pnalloc(all->request->pool, p - buf);

        if (all->texts[i].data) {
            ngx_memcpy(all->texts[i].data, buf, p - buf);
            all->kinds++;
        }
    }

    if (i < all->kinds) {
        all->counts[i]++;
    }

    if (all->left == 0) {
        c = all->request->connection;

        ngx_http_finalize_request(all->request,
                                  ngx_http_media_test_fetch_send(all));
        ngx_http_run_posted_requests(c);
    }
}


static ngx_int_t
ngx_http_media_test_fetch_send(ngx_http_media_test_fetch_t *all)
{
    u_char              *p;
    size_t               len;
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_uint_t           i;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = all->request;
    len = 1;

    for (i = 0; i < all->kinds; i++) {
        len += NGX_INT_T_LEN + 2 + all->texts[i].len;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = b->last;

    for (i = 0; i < all->kinds; i++) {
        p = ngx_sprintf(p, "%ui %V\n", all->counts[i], &all->texts[i]);
    }

    if (p == b->last) {
        *p++ = '\n';
    }

    b->last = p;
    b->last_buf = 1;
    b->last_in_chain = 1;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_http_media_test_fetch_cleanup(void *data)
{
    ngx_http_media_test_fetch_t *all = data;

    ngx_uint_t  i;

    for (i = 0; i < all->n; i++) {

        if (all->ones[i].fetch) {
            ngx_media_fetch_cancel(all->ones[i].fetch);
            all->ones[i].fetch = NULL;
        }
    }
}


static ngx_uint_t
ngx_http_media_test_fetch_number(ngx_http_request_t *r, const char *name,
    ngx_uint_t value)
{
    ngx_int_t  n;
    ngx_str_t  text;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &text) != NGX_OK) {
        return value;
    }

    n = ngx_atoi(text.data, text.len);

    return n > 0 ? (ngx_uint_t) n : value;
}


static void *
ngx_http_media_test_fetch_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_media_test_fetch_conf_t));
}


static char *
ngx_http_media_test_fetch(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_test_fetch_conf_t *mtfcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;

    mtfcf->target = ngx_media_fetch_target(cf, &value[1]);
    if (mtfcf->target == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_media_test_fetch_handler;

    return NGX_CONF_OK;
}
