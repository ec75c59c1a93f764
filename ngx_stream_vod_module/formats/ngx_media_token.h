
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A signed token, the short one that a shell script can make:
 *
 *     EXP "." OPTS "." MAC
 *
 *     EXP    unix seconds, decimal
 *     OPTS   base64url of "p=demo&ip=192.0.2.0/24&s=anna&n=2&k=k1"
 *     MAC    base64url(HMAC-SHA256(key, ACTION "\n" EXP "\n" OPTS)), of both as
 *            they are written, ACTION is "play" or "publish"
 *
 * Options are percent-encoded where they hold "&", "=" or "%".  p, which there
 * must be, is a pattern of ngx_media_grant.h, and may come several times; ip:
 * an address or a network; s: whose it is; n: how many may use it at a time; k:
 * which key.  An option that we do not know is an error: it may narrow what is
 * allowed.
 *
 * The MAC is not looked at here; nothing of a token is true before.
 */


#ifndef _NGX_MEDIA_TOKEN_H_INCLUDED_
#define _NGX_MEDIA_TOKEN_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_grant.h"


#define NGX_MEDIA_TOKEN_MAX     2048          /* bytes */
#define NGX_MEDIA_TOKEN_PATHS   8
#define NGX_MEDIA_TOKEN_MAC     32


/* spans are in the caller's buffer, but for exp_text and opts_text */

typedef struct {
    int64_t                   exp;            /* s since the unix epoch */
    ngx_media_span_t          exp_text;       /* what was signed, */
    ngx_media_span_t          opts_text;      /* in the token */
    u_char                    mac[NGX_MEDIA_TOKEN_MAC];

    ngx_media_grant_t         grants[NGX_MEDIA_TOKEN_PATHS];  /* no actions:
                                                 the MAC says which */
    ngx_uint_t                ngrants;
    ngx_media_span_t          ip;             /* empty: none, all of these */
    ngx_media_span_t          session;
    ngx_media_span_t          key;
    ngx_uint_t                max;            /* 0: it does not say */
} ngx_media_token_t;


/*
 * buf has room for as many bytes as the token has.  NGX_OK; NGX_ERROR:
 * *error says why, static, and names nothing of the token.
 */
ngx_int_t ngx_media_token_parse(const u_char *pos, const u_char *last,
    u_char *buf, ngx_media_token_t *token, const char **error);


#endif /* _NGX_MEDIA_TOKEN_H_INCLUDED_ */
