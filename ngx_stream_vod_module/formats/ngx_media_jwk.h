
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A JSON Web Key set, RFC 7517, 5: public keys and secrets that signatures of
 * tokens are verified with.  Keys for anything else, of other kinds, or too
 * short to be trusted are left out and counted; a set that cannot be read is
 * an error as a whole, so that the one before stays.
 */


#ifndef _NGX_MEDIA_JWK_H_INCLUDED_
#define _NGX_MEDIA_JWK_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_jwt.h"


#define NGX_MEDIA_JWK_MAX      65536          /* bytes of a set */
#define NGX_MEDIA_JWK_KEYS     64

#define NGX_MEDIA_JWK_SECRET   32             /* bytes of one, at least */
#define NGX_MEDIA_JWK_MODULUS  256            /* 2048 bits */
#define NGX_MEDIA_JWK_LARGEST  2048           /* bytes of either, at most */


/*
 * What belongs to which algorithm (RFC 7518, 6; RFC 8037, 2), big-endian:
 *
 *     HS256   x: the secret
 *     RS256   x: the modulus without leading zeros, y: the exponent
 *     ES256   x, y: the coordinates of the point, 32 bytes each
 *     EdDSA   x: the public key of Ed25519, 32 bytes
 */

typedef struct {
    ngx_media_jwt_alg_e       alg;            /* that it is for, and no other */
    ngx_media_span_t          kid;            /* empty: none */
    ngx_media_span_t          x;
    ngx_media_span_t          y;
} ngx_media_jwk_t;


/*
 * buf has room for as many bytes as the text has; spans are in it.  *nkeys is
 * at most NGX_MEDIA_JWK_KEYS, *skipped: those that were left out.  NGX_OK, or
 * NGX_ERROR: *error is static.
 */
ngx_int_t ngx_media_jwk_parse(const u_char *pos, const u_char *last,
    u_char *buf, ngx_media_jwk_t *keys, ngx_uint_t *nkeys,
    ngx_uint_t *skipped, const char **error);


#endif /* _NGX_MEDIA_JWK_H_INCLUDED_ */
