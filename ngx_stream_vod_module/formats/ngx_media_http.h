
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * An answer of HTTP/1.1 to a request of ours, RFC 9112: the whole of it is
 * kept until it is complete, and what is too large for that is none of ours.
 * However it comes in pieces, each of its bytes is looked at once.
 */


#ifndef _NGX_MEDIA_HTTP_H_INCLUDED_
#define _NGX_MEDIA_HTTP_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_HTTP_HEAD   16384           /* bytes of all heads of an
                                                 answer, those of 1xx, too */
#define NGX_MEDIA_HTTP_LINES  100             /* of them */


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


typedef struct {
    size_t                    pos;
    size_t                    len;
} ngx_media_http_range_t;


/* of one head */

typedef struct {
    ngx_uint_t                status;
    int64_t                   length;         /* -1: it does not say */
    int64_t                   max_age;        /* as above */
    ngx_media_http_range_t    type;
    ngx_media_http_range_t    location;
    unsigned                  chunked:1;
    unsigned                  coded:1;        /* in another way */
    unsigned                  version:1;      /* HTTP/1.<version> */
    unsigned                  close:1;
    unsigned                  keep:1;
} ngx_media_http_head_t;


/*
 * What is known of an answer, zeroes at first; places are those in the buffer,
 * which may have moved when there is more.
 */

typedef struct {
    ngx_uint_t                stage;          /* of ngx_media_http.c */
    size_t                    pos;            /* of what has not been read */
    size_t                    seen;           /* pos or behind it: until here
                                                 no line ends */
    size_t                    body;
    size_t                    end;            /* of what there is of it */
    size_t                    left;           /* of the chunk */
    ngx_uint_t                lines;          /* of heads */
    ngx_media_http_head_t     head;
} ngx_media_http_state_t;


/*
 * buf: the caller's, with all that has come so far, in which chunks of a body
 * are put together; end: nothing will follow; head: the request was HEAD.
 *
 * NGX_OK; NGX_AGAIN; NGX_ERROR: *error is static.  Answers of 1xx before it
 * are passed over; bytes behind it, and an end before it, are errors.
 */
ngx_int_t ngx_media_http_parse(ngx_media_http_state_t *state, u_char *buf,
    size_t len, ngx_uint_t end, ngx_uint_t head, ngx_media_http_t *http,
    const char **error);


#endif /* _NGX_MEDIA_HTTP_H_INCLUDED_ */
