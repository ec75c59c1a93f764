
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Does a token, of whichever form, let its holder do this now?  Signed tokens
 * begin with a digit, JSON Web Tokens with "ey".
 *
 * The signature is verified before anything that a token says is looked at.
 * That it is right is kept for about 1024 of the latest tokens of a process,
 * of either form: a public key takes 20 to 110 us, and the HMAC of a short
 * signed token is 5 % of what sending a part takes.
 */


#ifndef _NGX_MEDIA_PASS_H_INCLUDED_
#define _NGX_MEDIA_PASS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_key.h"


/* bytes of a token */
#define NGX_MEDIA_PASS_MAX  NGX_MEDIA_JWT_MAX


/* what is asked; all is borrowed during the call */

typedef struct {
    const ngx_media_keys_t   *keys;
    ngx_str_t                 audience;       /* empty: a token that is for
                                                 certain ones is not for us */
    ngx_str_t                 issuer;         /* empty: any */
    time_t                    leeway;         /* s that clocks may differ */

    ngx_uint_t                action;         /* one NGX_MEDIA_GRANT_* */
    ngx_str_t                 app;
    ngx_str_t                 name;           /* of the stream, decoded */
    struct sockaddr          *sockaddr;       /* of the peer; NULL: a token for
                                                 an address is not for it */
    time_t                    now;
} ngx_media_pass_conf_t;


/* what a token that is valid says of its holder */

typedef struct {
    int64_t                   exp;            /* s since the unix epoch */
    ngx_str_t                 session;        /* "s", "jti" or "sub", in room;
                                                 empty: none */
    ngx_str_t                 jti;            /* likewise, with who gives it, */
    ngx_str_t                 issuer;         /* for whom alone it is one */
    ngx_uint_t                max;            /* how many at a time; 0: any */
    ngx_str_t                 key;            /* the key that it names, in room,
                                                 if that may be one that we do
                                                 not have; empty: none */
    unsigned                  expired:1;      /* which is all that is wrong with
                                                 it: the rest is filled in */
} ngx_media_pass_t;


/*
 * room has as many bytes as the token, what pass points to is in it.
 * NGX_OK, or NGX_DECLINED: *reason is a static sentence, which names nothing
 * of it.  NGX_AGAIN: likewise, but a key that we do not have may have signed
 * it, see ngx_media_keys_wait().
 */
ngx_int_t ngx_media_pass_check(const ngx_media_pass_conf_t *conf,
    const ngx_str_t *token, u_char *room, ngx_media_pass_t *pass,
    const char **reason);

/* s since the unix epoch from which on the check would refuse it */
time_t ngx_media_pass_expires(const ngx_media_pass_conf_t *conf,
    const ngx_media_pass_t *pass);


#endif /* _NGX_MEDIA_PASS_H_INCLUDED_ */
