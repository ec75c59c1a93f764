
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_pass.h"

#include <openssl/evp.h>


#define NGX_MEDIA_PASS_BITS    10
#define NGX_MEDIA_PASS_KEPT    (1 << NGX_MEDIA_PASS_BITS)
#define NGX_MEDIA_PASS_DIGEST  32
#define NGX_MEDIA_PASS_SHORT   160            /* bytes: nearly all signed
                                                 tokens */


/* a token that a public key has verified */

typedef struct {
    u_char                    digest[NGX_MEDIA_PASS_DIGEST];
    ngx_uint_t                keys;           /* serial of the set; 0: none */
} ngx_media_pass_kept_t;


/* a signed token whose HMAC is right, as it came and as it was read */

typedef struct {
    ngx_uint_t                keys;           /* serial of the set; 0: none */
    ngx_uint_t                action;
    size_t                    len;
    u_char                    text[NGX_MEDIA_PASS_SHORT];
    u_char                    room[NGX_MEDIA_PASS_SHORT];
    ngx_media_token_t         token;          /* in text and room */
} ngx_media_pass_short_t;


static ngx_int_t ngx_media_pass_token(const ngx_media_pass_conf_t *conf,
    const ngx_str_t *text, u_char *room, ngx_media_pass_t *pass,
    const char **reason);
static ngx_int_t ngx_media_pass_read(const ngx_media_pass_conf_t *conf,
    const ngx_str_t *text, u_char *room, ngx_media_token_t **token,
    ngx_media_pass_t *pass, const char **reason);
static ngx_media_pass_short_t *ngx_media_pass_short(
    const ngx_media_pass_conf_t *conf, const ngx_str_t *text,
    ngx_uint_t *found);
static ngx_uint_t ngx_media_pass_same(const u_char *one, const u_char *two,
    size_t len);
static void ngx_media_pass_keep(const ngx_media_pass_conf_t *conf,
    ngx_media_pass_short_t *kept, const ngx_str_t *text);
static ngx_int_t ngx_media_pass_jwt(const ngx_media_pass_conf_t *conf,
    const ngx_str_t *text, u_char *room, ngx_media_pass_t *pass,
    const char **reason);
static ngx_int_t ngx_media_pass_signed(const ngx_media_pass_conf_t *conf,
    const ngx_str_t *text, const ngx_media_jwt_t *jwt);
static ngx_int_t ngx_media_pass_unsigned(const ngx_media_pass_conf_t *conf,
    const ngx_media_span_t *key, ngx_media_pass_t *pass);
static ngx_uint_t ngx_media_pass_audience(const ngx_media_pass_conf_t *conf,
    const ngx_media_jwt_t *jwt);
static ngx_uint_t ngx_media_pass_text(const ngx_str_t *text,
    const ngx_media_span_t *span);
static ngx_int_t ngx_media_pass_in_time(const ngx_media_pass_conf_t *conf,
    ngx_media_pass_t *pass, const char **reason);
static const char *ngx_media_pass_holder(const ngx_media_pass_conf_t *conf,
    const ngx_media_span_t *ip, const ngx_media_grant_t *grants,
    ngx_uint_t n);
static ngx_uint_t ngx_media_pass_address(const ngx_media_pass_conf_t *conf,
    const ngx_media_span_t *ip);


/* of this process */

static ngx_media_pass_kept_t   ngx_media_pass_kept[NGX_MEDIA_PASS_KEPT];
static ngx_media_pass_short_t  ngx_media_pass_shorts[NGX_MEDIA_PASS_KEPT];


ngx_int_t
ngx_media_pass_check(const ngx_media_pass_conf_t *conf, const ngx_str_t *token,
    u_char *room, ngx_media_pass_t *pass, const char **reason)
{
    ngx_memzero(pass, sizeof(ngx_media_pass_t));

    if (token->len == 0) {
        *reason = "the token is empty";
        return NGX_DECLINED;
    }

    if (token->data[0] >= '0' && token->data[0] <= '9') {
        return ngx_media_pass_token(conf, token, room, pass, reason);
    }

    return ngx_media_pass_jwt(conf, token, room, pass, reason);
}


time_t
ngx_media_pass_expires(const ngx_media_pass_conf_t *conf,
    const ngx_media_pass_t *pass)
{
    return (time_t) ngx_min(pass->exp, NGX_MAX_TIME_T_VALUE - conf->leeway)
           + conf->leeway;
}


static ngx_int_t
ngx_media_pass_token(const ngx_media_pass_conf_t *conf, const ngx_str_t *text,
    u_char *room, ngx_media_pass_t *pass, const char **reason)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_media_token_t   parsed, *token;

    token = &parsed;

    rc = ngx_media_pass_read(conf, text, room, &token, pass, reason);

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < token->ngrants; i++) {
        token->grants[i].actions = conf->action;
    }

    *reason = ngx_media_pass_holder(conf, &token->ip, token->grants,
                                    token->ngrants);
    if (*reason) {
        return NGX_DECLINED;
    }

    pass->exp = token->exp;
    pass->max = token->max;
    pass->session.data = room;
    pass->session.len = ngx_media_span_len(&token->session);

    if (pass->session.len) {
        ngx_memmove(room, token->session.pos, pass->session.len);
    }

    return ngx_media_pass_in_time(conf, pass, reason);
}


/* a token whose HMAC is right: one that is kept, or it is read into *token */

static ngx_int_t
ngx_media_pass_read(const ngx_media_pass_conf_t *conf, const ngx_str_t *text,
    u_char *room, ngx_media_token_t **token, ngx_media_pass_t *pass,
    const char **reason)
{
    ngx_uint_t               found;
    const char              *action;
    ngx_media_pass_short_t  *kept;

    kept = ngx_media_pass_short(conf, text, &found);

    if (found) {
        *token = &kept->token;
        return NGX_OK;
    }

    if (ngx_media_token_parse(text->data, text->data + text->len, room, *token,
                              reason)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    action = (conf->action == NGX_MEDIA_GRANT_PUBLISH) ? "publish" : "play";

    if (ngx_media_keys_token(conf->keys, action, *token) != NGX_OK) {
        *reason = "the token's signature is not valid";
        return ngx_media_pass_unsigned(conf, &(*token)->key, pass);
    }

    if (kept) {
        ngx_media_pass_keep(conf, kept, text);
    }

    return NGX_OK;
}


/*
 * The place of a token, by the end of its MAC, and is it in it?  NULL: it has
 * none, as it is long.  Nothing is learned from how long the comparison takes,
 * and one that is wrong takes no other's place.
 */

static ngx_media_pass_short_t *
ngx_media_pass_short(const ngx_media_pass_conf_t *conf, const ngx_str_t *text,
    ngx_uint_t *found)
{
    size_t                   len;
    uint32_t                 place;
    const u_char            *last;
    ngx_media_pass_short_t  *kept;

    *found = 0;
    len = text->len;

    if (len < 4 || len > NGX_MEDIA_PASS_SHORT) {
        return NULL;
    }

    last = text->data + len;
    place = (last[-2] * 131 + last[-3]) * 131 + last[-4];
    place = (place * 2654435761u) >> (32 - NGX_MEDIA_PASS_BITS);

    kept = &ngx_media_pass_shorts[place];

    *found = kept->keys == ngx_media_keys_serial_of(conf->keys)
             && kept->action == conf->action
             && kept->len == len
             && ngx_media_pass_same(kept->text, text->data, len);

    return kept;
}


/* in the same time for all texts of a length, and by words */

static ngx_uint_t
ngx_media_pass_same(const u_char *one, const u_char *two, size_t len)
{
    size_t    i;
    uint64_t  a, b, differs;

    differs = 0;

    for (i = 0; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t)) {
        ngx_memcpy(&a, one + i, sizeof(uint64_t));
        ngx_memcpy(&b, two + i, sizeof(uint64_t));
        differs |= a ^ b;
    }

    for ( /* void */ ; i < len; i++) {
        differs |= one[i] ^ two[i];
    }

    return differs == 0;
}


static void
ngx_media_pass_keep(const ngx_media_pass_conf_t *conf,
    ngx_media_pass_short_t *kept, const ngx_str_t *text)
{
    const char  *reason;

    ngx_memcpy(kept->text, text->data, text->len);

    kept->keys = 0;
    kept->len = text->len;
    kept->action = conf->action;

    /* once more: what it points to has to be there, too */

    if (ngx_media_token_parse(kept->text, kept->text + kept->len, kept->room,
                              &kept->token, &reason)
        == NGX_OK)
    {
        kept->keys = ngx_media_keys_serial_of(conf->keys);
    }
}


static ngx_int_t
ngx_media_pass_jwt(const ngx_media_pass_conf_t *conf, const ngx_str_t *text,
    u_char *room, ngx_media_pass_t *pass, const char **reason)
{
    ngx_media_jwt_t    jwt;
    ngx_media_span_t  *session;

    if (ngx_media_jwt_parse(text->data, text->data + text->len, room, &jwt,
                            reason)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (ngx_media_pass_signed(conf, text, &jwt) != NGX_OK) {
        *reason = "the token's signature is not valid";
        return ngx_media_pass_unsigned(conf, &jwt.kid, pass);
    }

    *reason = NULL;

    if ((int64_t) conf->now + (int64_t) conf->leeway < jwt.nbf) {
        *reason = "the token is not valid yet";
    }

    if (*reason == NULL && !ngx_media_pass_audience(conf, &jwt)) {
        *reason = "the token is for somebody else";
    }

    if (*reason == NULL && conf->issuer.len
        && !ngx_media_pass_text(&conf->issuer, &jwt.iss))
    {
        *reason = "the token is from somebody else";
    }

    if (*reason == NULL) {
        *reason = ngx_media_pass_holder(conf, &jwt.ip, jwt.grants,
                                        jwt.ngrants);
    }

    if (*reason) {
        return NGX_DECLINED;
    }

    session = ngx_media_span_len(&jwt.jti) ? &jwt.jti : &jwt.sub;

    pass->exp = jwt.exp;
    pass->session.data = (u_char *) session->pos;
    pass->session.len = ngx_media_span_len(session);
    pass->jti.data = (u_char *) jwt.jti.pos;
    pass->jti.len = ngx_media_span_len(&jwt.jti);
    pass->issuer.data = (u_char *) jwt.iss.pos;
    pass->issuer.len = ngx_media_span_len(&jwt.iss);

    return ngx_media_pass_in_time(conf, pass, reason);
}


/* nobody that we know has signed it */

static ngx_int_t
ngx_media_pass_unsigned(const ngx_media_pass_conf_t *conf,
    const ngx_media_span_t *key, ngx_media_pass_t *pass)
{
    if (!ngx_media_keys_lacks(conf->keys, key)) {
        return NGX_DECLINED;
    }

    pass->key.data = (u_char *) key->pos;
    pass->key.len = ngx_media_span_len(key);

    return NGX_AGAIN;
}


/* its place among those that are kept is that of its digest */

static ngx_int_t
ngx_media_pass_signed(const ngx_media_pass_conf_t *conf, const ngx_str_t *text,
    const ngx_media_jwt_t *jwt)
{
    u_char                  digest[NGX_MEDIA_PASS_DIGEST];
    ngx_int_t               rc;
    ngx_uint_t              place;
    ngx_media_pass_kept_t  *kept;

    if (jwt->alg == NGX_MEDIA_JWT_HS256
        || EVP_Digest(text->data, text->len, digest, NULL, EVP_sha256(), NULL)
           != 1)
    {
        return ngx_media_keys_jwt(conf->keys, jwt);
    }

    place = (digest[0] << 8 | digest[1]) & (NGX_MEDIA_PASS_KEPT - 1);
    kept = &ngx_media_pass_kept[place];

    if (kept->keys == ngx_media_keys_serial_of(conf->keys)
        && ngx_memcmp(kept->digest, digest, NGX_MEDIA_PASS_DIGEST) == 0)
    {
        return NGX_OK;
    }

    rc = ngx_media_keys_jwt(conf->keys, jwt);

    if (rc == NGX_OK) {
        ngx_memcpy(kept->digest, digest, NGX_MEDIA_PASS_DIGEST);
        kept->keys = ngx_media_keys_serial_of(conf->keys);
    }

    return rc;
}


/* RFC 7519, 4.1.3: who is not meant must refuse it */

static ngx_uint_t
ngx_media_pass_audience(const ngx_media_pass_conf_t *conf,
    const ngx_media_jwt_t *jwt)
{
    ngx_uint_t  i;

    if (jwt->naud == 0) {
        return conf->audience.len == 0;
    }

    for (i = 0; i < jwt->naud; i++) {

        if (conf->audience.len
            && ngx_media_pass_text(&conf->audience, &jwt->aud[i]))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_media_pass_text(const ngx_str_t *text, const ngx_media_span_t *span)
{
    return text->len == ngx_media_span_len(span)
           && ngx_memcmp(text->data, span->pos, text->len) == 0;
}


/* the last thing that is looked at */

static ngx_int_t
ngx_media_pass_in_time(const ngx_media_pass_conf_t *conf,
    ngx_media_pass_t *pass, const char **reason)
{
    if ((int64_t) conf->now - (int64_t) conf->leeway >= pass->exp) {
        pass->expired = 1;
        *reason = "the token has expired";

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* NULL: it is for this peer and this stream */

static const char *
ngx_media_pass_holder(const ngx_media_pass_conf_t *conf,
    const ngx_media_span_t *ip, const ngx_media_grant_t *grants, ngx_uint_t n)
{
    ngx_uint_t  i;

    /* an empty one is one, that no peer has */

    if (ip->pos && !ngx_media_pass_address(conf, ip)) {
        return "the token is for another address";
    }

    for (i = 0; i < n; i++) {

        if (ngx_media_grant_covers(&grants[i], conf->action, &conf->app,
                                   &conf->name))
        {
            return NULL;
        }
    }

    return "the token is not for this stream";
}


static ngx_uint_t
ngx_media_pass_address(const ngx_media_pass_conf_t *conf,
    const ngx_media_span_t *ip)
{
    ngx_str_t    text;
    ngx_cidr_t   cidr;
    ngx_array_t  cidrs;

    if (conf->sockaddr == NULL) {
        return 0;
    }

    text.data = (u_char *) ip->pos;
    text.len = ngx_media_span_len(ip);

    if (ngx_ptocidr(&text, &cidr) == NGX_ERROR) {
        return 0;
    }

    ngx_memzero(&cidrs, sizeof(ngx_array_t));
    cidrs.elts = &cidr;
    cidrs.nelts = 1;

    return ngx_cidr_match(conf->sockaddr, &cidrs) == NGX_OK;
}
