
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A JSON Web Token, RFC 7519, in the compact serialization of a JSON Web
 * Signature, RFC 7515, 7.1:
 *
 *     base64url(header) "." base64url(claims) "." base64url(signature)
 *
 * It is read here and its signature is not looked at: whoever has the key does
 * that, over "input", and by the algorithm that the key is for.  Nothing of it
 * is true before.
 *
 * A header that names keys itself (jku, jwk, x5u, x5c), that asks for anything
 * we would have to understand (crit, b64) or to decrypt (enc, zip), and a
 * member that comes twice are errors (RFC 7515, 4.1.11; RFC 8725, 3.10).
 */


#ifndef _NGX_MEDIA_JWT_H_INCLUDED_
#define _NGX_MEDIA_JWT_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_grant.h"


#define NGX_MEDIA_JWT_MAX        8192         /* bytes */
#define NGX_MEDIA_JWT_GRANTS     16
#define NGX_MEDIA_JWT_AUDIENCES  8


/* RFC 7518, 3.1; RFC 8037, 3.1; "none" and all others are errors */

typedef enum {
    NGX_MEDIA_JWT_HS256 = 0,
    NGX_MEDIA_JWT_RS256,
    NGX_MEDIA_JWT_ES256,                      /* signature: r, s, 64 bytes */
    NGX_MEDIA_JWT_EDDSA,
    NGX_MEDIA_JWT_ALGORITHMS
} ngx_media_jwt_alg_e;


/* spans are in the caller's buffer, but for input, which is in the token */

typedef struct {
    ngx_media_jwt_alg_e       alg;
    ngx_media_span_t          kid;            /* empty: none */
    ngx_media_span_t          input;          /* what was signed */
    ngx_media_span_t          signature;

    int64_t                   exp;            /* s since the unix epoch; there
                                                 always is one */
    int64_t                   nbf;            /* INT64_MIN: none */
    ngx_media_span_t          iss;            /* empty: none, all of these */
    ngx_media_span_t          sub;
    ngx_media_span_t          jti;
    ngx_media_span_t          ip;             /* an address or a network */
    ngx_media_span_t          aud[NGX_MEDIA_JWT_AUDIENCES];
    ngx_uint_t                naud;

    /*
     * "media": [{ "a": "play", "p": "demo" }], and MediaMTX's
     * "mediamtx_permissions": [{ "action": "read", "path": "live/demo" }], of
     * which actions that are none of ours, and regular expressions, allow
     * nothing.  0: the token allows nothing.
     */
    ngx_media_grant_t         grants[NGX_MEDIA_JWT_GRANTS];
    ngx_uint_t                ngrants;
} ngx_media_jwt_t;


/*
 * buf has room for as many bytes as the token has.  NGX_OK; NGX_ERROR:
 * *error says why, static, and names nothing of the token.
 */
ngx_int_t ngx_media_jwt_parse(const u_char *pos, const u_char *last,
    u_char *buf, ngx_media_jwt_t *jwt, const char **error);


#endif /* _NGX_MEDIA_JWT_H_INCLUDED_ */
