
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * URLs that we ask for, RFC 3986: "http://" and "https://", whole, and encoded
 * as they are to be sent.
 *
 *     https://user:password@[2001:db8::1]:8443/path?a=1
 */


#ifndef _NGX_MEDIA_URI_H_INCLUDED_
#define _NGX_MEDIA_URI_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_URI_MAX   4096              /* bytes */
#define NGX_MEDIA_URI_HOST  253               /* bytes of one, RFC 1035 */


/* spans are in the text */

typedef struct {
    ngx_media_span_t          user;           /* "user:password", encoded;
                                                 pos NULL: none */
    ngx_media_span_t          host;           /* without brackets */
    ngx_media_span_t          path;           /* empty: "/" */
    ngx_media_span_t          args;           /* without "?"; empty: none */
    ngx_uint_t                port;
    unsigned                  tls:1;
    unsigned                  ipv6:1;         /* there were brackets */
} ngx_media_uri_t;


/* NGX_OK; NGX_ERROR: *error is static and names nothing of it */
ngx_int_t ngx_media_uri_parse(const u_char *pos, const u_char *last,
    ngx_media_uri_t *uri, const char **error);

/*
 * "Basic dXNlcjpwYXNzd29yZA==" of a user, RFC 7617; p == NULL: only its size
 */
size_t ngx_media_uri_basic(u_char *p, const ngx_media_span_t *user);


#endif /* _NGX_MEDIA_URI_H_INCLUDED_ */
