
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What answers for live streams and for files have in common: methods, CORS,
 * types, lifetimes, validators, texts.
 */


#ifndef _NGX_HTTP_MEDIA_REPLY_H_INCLUDED_
#define _NGX_HTTP_MEDIA_REPLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "formats/ngx_media_args.h"
#include "http/ngx_http_media_text.h"
#include "http/ngx_http_media_url.h"


#define NGX_HTTP_MEDIA_GONE      410

/* lifetimes besides seconds */
#define NGX_HTTP_MEDIA_NO_STORE  ((time_t) -1)


/* media_cors: origins, ngx_str_t, or any; NULL and 0: off */

typedef struct {
    ngx_array_t              *origins;
    ngx_flag_t                any;
} ngx_http_media_cors_t;


/*
 * The method is right, the body discarded and CORS headers are set: NGX_OK;
 * NGX_DONE: it was a preflight request, and is answered; else what a content
 * handler returns
 */
ngx_int_t ngx_http_media_accept(ngx_http_request_t *r);

/*
 * ngx_http_media_token_module.c: who is here has shown a token, or was let in
 * without; and the argument of this name, NULL: none, is no part of the request
 * any more, for logs and whoever it is passed on to
 */
ngx_uint_t ngx_http_media_token_on(ngx_http_request_t *r);

/* the end of the token that has let it in, s since the epoch; 0: none has */
time_t ngx_http_media_token_expires(ngx_http_request_t *r);

/* the token, if it came as the argument of this name, or NGX_DECLINED */
ngx_int_t ngx_http_media_token_argument(ngx_http_request_t *r,
    const ngx_str_t *name, ngx_str_t *value);

ngx_int_t ngx_http_media_token_conceal(ngx_http_request_t *r,
    const ngx_str_t *argument);

/*
 * ngx_http_media_module.c: of the location; and that the directive at hand is
 * what answers its requests, NGX_OK, or NGX_ERROR, which is told
 */
ngx_http_media_cors_t *ngx_http_media_cors_conf(ngx_http_request_t *r);
ngx_int_t ngx_http_media_answers(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_handler_pt handler);

/* what media_cors of the location says, for an answer that is not media */
ngx_int_t ngx_http_media_cors_add(ngx_http_request_t *r);

void ngx_http_media_set_type(ngx_http_request_t *r,
    const ngx_http_media_url_t *url);

/* the status, with Cache-Control set for it */
ngx_int_t ngx_http_media_refuse(ngx_http_request_t *r, ngx_int_t status,
    time_t lifetime);

/* of the request, the first of that name; NULL: it has none */
ngx_table_elt_t *ngx_http_media_request_header(ngx_http_request_t *r,
    const char *name, size_t len);

/*
 * What has this cleanup in the request's pool, the latest: it is there after
 * redirects inside of nginx, which clear contexts; NULL: there is none
 */
void *ngx_http_media_kept(ngx_http_request_t *r,
    ngx_pool_cleanup_pt handler);

ngx_int_t ngx_http_media_header(ngx_http_request_t *r, const char *name,
    const char *fmt, ...);
ngx_int_t ngx_http_media_cache_control(ngx_http_request_t *r,
    time_t lifetime, ngx_uint_t immutable);
ngx_int_t ngx_http_media_etag(ngx_http_request_t *r, const char *fmt, ...);

/*
 * Sends a text, compressed where that may be and no filter changes it; the
 * reference is taken over.  ngx_http_media_gzip_filter_module.c: what is sent
 * next is this text, which has a compressed form.
 */
ngx_int_t ngx_http_media_text_send(ngx_http_request_t *r,
    ngx_http_media_text_t *text, time_t lifetime);
ngx_int_t ngx_http_media_gzip_offer(ngx_http_request_t *r,
    ngx_http_media_text_t *text);

/*
 * ngx_http_media_args_module.c: the text with the arguments that are to be in
 * its URIs, NGX_OK; NGX_DECLINED: there are none, NGX_ERROR
 */
ngx_int_t ngx_http_media_args_text(ngx_http_request_t *r,
    ngx_media_args_e form, ngx_str_t *bytes);

/* ngx_http_media_playlist.c: the clock, offset in ms */
ngx_int_t ngx_http_media_time_send(ngx_http_request_t *r, int64_t offset);

/* headers but Content-Length are set; the bytes stay until the request ends */
ngx_int_t ngx_http_media_bytes_send(ngx_http_request_t *r, u_char *p,
    size_t len);


#endif /* _NGX_HTTP_MEDIA_REPLY_H_INCLUDED_ */
