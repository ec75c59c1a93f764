
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * An answer of HTTP/1.1 to a request of ours, RFC 9112: the whole of it is
 * kept until it is complete, so each look begins at its first byte, and what
 * is too large for that is none of ours.
 */


#ifndef _NGX_MEDIA_HTTP_H_INCLUDED_
#define _NGX_MEDIA_HTTP_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


typedef struct {
    ngx_uint_t                status;         /* 200..599 */
    ngx_media_span_t          type;           /* Content-Type, without its
                                                 parameters; empty: none */
    ngx_media_span_t          location;       /* empty: none */
    ngx_media_span_t          body;
    int64_t                   max_age;        /* s; -1: it does not say, 0: it
                                                 is not to be kept */
    unsigned                  keepalive:1;    /* the connection may be used
                                                 again */
} ngx_media_http_t;


/*
 * What has come so far, in the caller's buffer, in which a body that came in
 * chunks is put together when it is complete; end: nothing will follow; head:
 * the request was HEAD.
 *
 * NGX_OK; NGX_AGAIN; NGX_ERROR: *error is static.  Answers of 1xx before it
 * are passed over; bytes behind it, and an end before it, are errors.
 */
ngx_int_t ngx_media_http_parse(u_char *pos, u_char *last, ngx_uint_t end,
    ngx_uint_t head, ngx_media_http_t *http, const char **error);


#endif /* _NGX_MEDIA_HTTP_H_INCLUDED_ */
