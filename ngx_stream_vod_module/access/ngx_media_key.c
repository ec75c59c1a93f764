
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_key.h"
#include "formats/ngx_media_jwk.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>


#define NGX_MEDIA_KEY_POINT      32           /* bytes of a coordinate */
#define NGX_MEDIA_KEY_SIGNATURE  64           /* r, s: RFC 7518, 3.4 */
#define NGX_MEDIA_KEY_PIECES     5            /* of what a token's MAC is of */
#define NGX_MEDIA_KEY_DER        (NGX_MEDIA_JWK_LARGEST + 128)


/* a kept context saves five sixths of the time: the key is hashed once */

#if (OPENSSL_VERSION_NUMBER >= 0x30000000L && !defined LIBRESSL_VERSION_NUMBER)
#define NGX_MEDIA_KEY_MAC  1
typedef EVP_MAC_CTX  ngx_media_key_mac_t;
#else
typedef HMAC_CTX     ngx_media_key_mac_t;
#endif


typedef struct {
    ngx_media_jwt_alg_e       alg;
    ngx_str_t                 id;             /* empty: none */
    EVP_PKEY                 *public;         /* NULL: it is a secret, */
    ngx_media_key_mac_t      *mac;            /* which is in here */
} ngx_media_key_t;


struct ngx_media_keys_s {
    ngx_pool_t               *pool;
    ngx_uint_t                serial;         /* of this process, never 0 */
    ngx_array_t               list;           /* ngx_media_key_t */
    ngx_array_t               remotes;        /* ngx_media_keys_t ** */
};


static void ngx_media_keys_cleanup(void *data);
static ngx_int_t ngx_media_keys_jwks(ngx_media_keys_t *keys,
    const ngx_str_t *id, const u_char *pos, const u_char *last,
    ngx_uint_t *secret, const char **error);
static ngx_int_t ngx_media_keys_jwk(ngx_media_keys_t *keys,
    const ngx_str_t *id, const ngx_media_jwk_t *jwk);
static ngx_int_t ngx_media_keys_pem(ngx_media_keys_t *keys,
    const ngx_str_t *id, const u_char *pos, const u_char *last,
    const char **error);
static ngx_int_t ngx_media_keys_secret(ngx_media_keys_t *keys,
    const ngx_str_t *id, const u_char *pos, const u_char *last,
    const char **error);
static ngx_int_t ngx_media_keys_add(ngx_media_keys_t *keys,
    const ngx_str_t *id, ngx_media_jwt_alg_e alg, EVP_PKEY *public,
    const ngx_media_span_t *secret);
static EVP_PKEY *ngx_media_key_rsa(const ngx_media_jwk_t *jwk);
static u_char *ngx_media_key_der(u_char *p, u_char tag, size_t len);
static size_t ngx_media_key_der_size(size_t len);
static size_t ngx_media_key_integer_size(const ngx_media_span_t *number);
static u_char *ngx_media_key_integer(u_char *p,
    const ngx_media_span_t *number);
static EVP_PKEY *ngx_media_key_ec(const ngx_media_jwk_t *jwk);
static ngx_media_jwt_alg_e ngx_media_key_alg(EVP_PKEY *public);
static ngx_uint_t ngx_media_keys_name(const ngx_media_keys_t *keys,
    const ngx_media_span_t *name);
static ngx_uint_t ngx_media_key_named(const ngx_media_key_t *key,
    const ngx_media_span_t *id);
static ngx_media_key_mac_t *ngx_media_key_mac_create(
    const ngx_media_span_t *secret);
static void ngx_media_key_mac_free(ngx_media_key_mac_t *mac);
static ngx_int_t ngx_media_key_hmac(const ngx_media_key_t *key,
    const ngx_media_span_t *text, ngx_uint_t n, u_char *mac);
static ngx_int_t ngx_media_key_verify(const ngx_media_key_t *key,
    const ngx_media_span_t *input, const ngx_media_span_t *signature);
static ngx_int_t ngx_media_key_ecdsa(const ngx_media_span_t *signature,
    u_char **der, int *len);


/* SubjectPublicKeyInfo of a point of P-256, RFC 5480, before its x and y */

static const u_char  ngx_media_key_p256[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
    0x42, 0x00, 0x04
};

/* AlgorithmIdentifier of RSA, RFC 3279, 2.3.1 */

static const u_char  ngx_media_key_rsa_id[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00
};


static ngx_uint_t  ngx_media_keys_serial;


ngx_media_keys_t *
ngx_media_keys_create(ngx_pool_t *pool)
{
    ngx_media_keys_t    *keys;
    ngx_pool_cleanup_t  *cln;

    keys = ngx_palloc(pool, sizeof(ngx_media_keys_t));
    if (keys == NULL) {
        return NULL;
    }

    keys->pool = pool;
    keys->serial = ++ngx_media_keys_serial;

    if (ngx_array_init(&keys->list, pool, 4, sizeof(ngx_media_key_t))
        != NGX_OK
        || ngx_array_init(&keys->remotes, pool, 1, sizeof(ngx_media_keys_t **))
           != NGX_OK)
    {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_media_keys_cleanup;
    cln->data = keys;

    return keys;
}


static void
ngx_media_keys_cleanup(void *data)
{
    ngx_media_keys_t *keys = data;

    ngx_uint_t        i;
    ngx_media_key_t  *key;

    key = keys->list.elts;

    for (i = 0; i < keys->list.nelts; i++) {

        EVP_PKEY_free(key[i].public);
        ngx_media_key_mac_free(key[i].mac);
    }
}


ngx_uint_t
ngx_media_keys_serial_of(const ngx_media_keys_t *keys)
{
    return keys->serial;
}


ngx_uint_t
ngx_media_keys_count(const ngx_media_keys_t *keys)
{
    return keys->list.nelts;
}


ngx_int_t
ngx_media_keys_remote(ngx_media_keys_t *keys, ngx_media_keys_t **set)
{
    ngx_media_keys_t  ***remote;

    remote = ngx_array_push(&keys->remotes);
    if (remote == NULL) {
        return NGX_ERROR;
    }

    *remote = set;

    return NGX_OK;
}


void
ngx_media_keys_changed(ngx_media_keys_t *keys)
{
    keys->serial = ++ngx_media_keys_serial;
}


ngx_uint_t
ngx_media_keys_lacks(const ngx_media_keys_t *keys,
    const ngx_media_span_t *name)
{
    ngx_uint_t           i, known;
    ngx_media_keys_t  ***remote;

    if (keys->remotes.nelts == 0) {
        return 0;
    }

    remote = keys->remotes.elts;
    known = ngx_media_span_len(name) == 0 || ngx_media_keys_name(keys, name);

    for (i = 0; i < keys->remotes.nelts; i++) {

        if (*remote[i] == NULL) {
            return 1;
        }

        known |= ngx_media_keys_name(*remote[i], name);
    }

    return !known;
}


/* has one of them this very name */

static ngx_uint_t
ngx_media_keys_name(const ngx_media_keys_t *keys, const ngx_media_span_t *name)
{
    ngx_uint_t        i;
    ngx_media_key_t  *key;

    key = keys->list.elts;

    for (i = 0; i < keys->list.nelts; i++) {
        if (key[i].id.len && ngx_media_key_named(&key[i], name)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_media_keys_set(ngx_media_keys_t *keys, const ngx_str_t *id,
    const u_char *pos, const u_char *last, ngx_uint_t *secret,
    const char **error)
{
    *secret = 0;

    return ngx_media_keys_jwks(keys, id, pos, last, secret, error);
}


ngx_int_t
ngx_media_keys_text(ngx_media_keys_t *keys, const ngx_str_t *id,
    const u_char *pos, const u_char *last, ngx_uint_t *secret,
    const char **error)
{
    const u_char  *p;

    *secret = 0;

    for (p = pos; p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF);
         p++)
    {
        /* void */
    }

    if (p < last && *p == '{') {
        return ngx_media_keys_jwks(keys, id, p, last, secret, error);
    }

    if ((size_t) (last - p) > sizeof("-----BEGIN ") - 1
        && ngx_memcmp(p, "-----BEGIN ", sizeof("-----BEGIN ") - 1) == 0)
    {
        return ngx_media_keys_pem(keys, id, p, last, error);
    }

    *secret = 1;

    return ngx_media_keys_secret(keys, id, pos, last, error);
}


static ngx_int_t
ngx_media_keys_jwks(ngx_media_keys_t *keys, const ngx_str_t *id,
    const u_char *pos, const u_char *last, ngx_uint_t *secret,
    const char **error)
{
    u_char           *buf;
    ngx_int_t         rc;
    ngx_uint_t        i, n, had, skipped;
    ngx_media_jwk_t   jwks[NGX_MEDIA_JWK_KEYS];

    buf = ngx_alloc(last - pos, keys->pool->log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_media_jwk_parse(pos, last, buf, jwks, &n, &skipped, error);

    had = keys->list.nelts;

    if (rc != NGX_OK) {
        rc = NGX_DECLINED;
        n = 0;
    }

    for (i = 0; i < n && rc == NGX_OK; i++) {
        *secret |= (jwks[i].alg == NGX_MEDIA_JWT_HS256);
        rc = ngx_media_keys_jwk(keys, id, &jwks[i]);
    }

    if (rc == NGX_OK && keys->list.nelts == had) {
        *error = "it has no key that can be used";
        rc = NGX_DECLINED;
    }

    OPENSSL_cleanse(buf, last - pos);
    ngx_free(buf);

    return rc;
}


static ngx_int_t
ngx_media_keys_jwk(ngx_media_keys_t *keys, const ngx_str_t *id,
    const ngx_media_jwk_t *jwk)
{
    EVP_PKEY   *public;
    ngx_str_t   name;

    name = *id;

    if (jwk->kid.pos) {
        name.data = (u_char *) jwk->kid.pos;
        name.len = ngx_media_span_len(&jwk->kid);
    }

    switch (jwk->alg) {

    case NGX_MEDIA_JWT_HS256:
        return ngx_media_keys_add(keys, &name, jwk->alg, NULL, &jwk->x);

    case NGX_MEDIA_JWT_RS256:
        public = ngx_media_key_rsa(jwk);
        break;

    case NGX_MEDIA_JWT_ES256:
        public = ngx_media_key_ec(jwk);
        break;

    default: /* NGX_MEDIA_JWT_EDDSA */
        public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                             jwk->x.pos,
                                             ngx_media_span_len(&jwk->x));
    }

    if (public == NULL) {

        /* as those that are left out for other reasons */

        ERR_clear_error();
        return NGX_OK;
    }

    return ngx_media_keys_add(keys, &name, jwk->alg, public, NULL);
}


static ngx_int_t
ngx_media_keys_pem(ngx_media_keys_t *keys, const ngx_str_t *id,
    const u_char *pos, const u_char *last, const char **error)
{
    BIO                  *bio;
    EVP_PKEY             *public;
    ngx_media_jwt_alg_e   alg;

    bio = BIO_new_mem_buf(pos, (int) (last - pos));
    if (bio == NULL) {
        return NGX_ERROR;
    }

    public = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

    BIO_free(bio);

    if (public == NULL) {
        ERR_clear_error();
        *error = "it is no public key in PEM";
        return NGX_DECLINED;
    }

    alg = ngx_media_key_alg(public);

    if (alg == NGX_MEDIA_JWT_ALGORITHMS) {
        EVP_PKEY_free(public);
        *error = "it must be RSA of 2048 bits or more, P-256, or Ed25519";
        return NGX_DECLINED;
    }

    return ngx_media_keys_add(keys, id, alg, public, NULL);
}


static ngx_int_t
ngx_media_keys_secret(ngx_media_keys_t *keys, const ngx_str_t *id,
    const u_char *pos, const u_char *last, const char **error)
{
    const u_char      *p;
    ngx_media_span_t   secret;

    while (last > pos && (last[-1] == LF || last[-1] == CR)) {
        last--;
    }

    /* what is a key in another form must not be taken for a secret */

    for (p = pos; p < last; p++) {

        if (*p <= ' ' || *p > '~') {
            *error = "it is neither a set of keys, nor a public key in PEM, "
                     "nor a secret in one line without blanks";
            return NGX_DECLINED;
        }
    }

    if (last - pos < NGX_MEDIA_JWK_SECRET) {
        *error = "a secret must have at least 32 bytes, "
                 "\"openssl rand -hex 32\" makes one";
        return NGX_DECLINED;
    }

    secret.pos = pos;
    secret.last = last;

    return ngx_media_keys_add(keys, id, NGX_MEDIA_JWT_HS256, NULL, &secret);
}


/* takes public over */

static ngx_int_t
ngx_media_keys_add(ngx_media_keys_t *keys, const ngx_str_t *id,
    ngx_media_jwt_alg_e alg, EVP_PKEY *public, const ngx_media_span_t *secret)
{
    u_char               *name;
    ngx_media_key_t      *key;
    ngx_media_key_mac_t  *mac;

    mac = secret ? ngx_media_key_mac_create(secret) : NULL;
    name = ngx_pnalloc(keys->pool, id->len + 1);

    key = (name && (public || mac)) ? ngx_array_push(&keys->list) : NULL;

    if (key == NULL) {
        EVP_PKEY_free(public);
        ngx_media_key_mac_free(mac);
        return NGX_ERROR;
    }

    if (id->len) {
        ngx_memcpy(name, id->data, id->len);
    }

    key->alg = alg;
    key->id.len = id->len;
    key->id.data = name;
    key->public = public;
    key->mac = mac;

    return NGX_OK;
}


/* as SubjectPublicKeyInfo, which each OpenSSL reads: RFC 3279, 2.3.1 */

static EVP_PKEY *
ngx_media_key_rsa(const ngx_media_jwk_t *jwk)
{
    u_char         *p;
    size_t          numbers, bits, all;
    EVP_PKEY       *public;
    const u_char   *in;
    u_char          der[NGX_MEDIA_KEY_DER];

    numbers = ngx_media_key_integer_size(&jwk->x)
              + ngx_media_key_integer_size(&jwk->y);

    bits = 1 + ngx_media_key_der_size(numbers);
    all = sizeof(ngx_media_key_rsa_id) + ngx_media_key_der_size(bits);

    if (ngx_media_key_der_size(all) > sizeof(der)) {
        return NULL;
    }

    p = ngx_media_key_der(der, 0x30, all);
    p = ngx_cpymem(p, ngx_media_key_rsa_id, sizeof(ngx_media_key_rsa_id));
    p = ngx_media_key_der(p, 0x03, bits);
    *p++ = 0;
    p = ngx_media_key_der(p, 0x30, numbers);
    p = ngx_media_key_integer(p, &jwk->x);
    p = ngx_media_key_integer(p, &jwk->y);

    in = der;
    public = d2i_PUBKEY(NULL, &in, p - der);

    return public;
}


static u_char *
ngx_media_key_der(u_char *p, u_char tag, size_t len)
{
    *p++ = tag;

    if (len < 0x80) {
        *p++ = (u_char) len;
        return p;
    }

    if (len < 0x100) {
        *p++ = 0x81;

    } else {
        *p++ = 0x82;
        *p++ = (u_char) (len >> 8);
    }

    *p++ = (u_char) len;

    return p;
}


/* of a tag, its length and so many bytes */

static size_t
ngx_media_key_der_size(size_t len)
{
    return 1 + (len < 0x80 ? 1 : len < 0x100 ? 2 : 3) + len;
}


static size_t
ngx_media_key_integer_size(const ngx_media_span_t *number)
{
    return ngx_media_key_der_size(ngx_media_span_len(number)
                                  + (*number->pos >> 7));
}


/* it has a sign: a byte more where the first bit is set */

static u_char *
ngx_media_key_integer(u_char *p, const ngx_media_span_t *number)
{
    size_t  len;

    len = ngx_media_span_len(number);

    p = ngx_media_key_der(p, 0x02, len + (*number->pos >> 7));

    if (*number->pos & 0x80) {
        *p++ = 0;
    }

    return ngx_cpymem(p, number->pos, len);
}


static EVP_PKEY *
ngx_media_key_ec(const ngx_media_jwk_t *jwk)
{
    u_char        *p;
    const u_char  *in;
    u_char         der[sizeof(ngx_media_key_p256) + 2 * NGX_MEDIA_KEY_POINT];

    p = ngx_cpymem(der, ngx_media_key_p256, sizeof(ngx_media_key_p256));
    p = ngx_cpymem(p, jwk->x.pos, NGX_MEDIA_KEY_POINT);
    p = ngx_cpymem(p, jwk->y.pos, NGX_MEDIA_KEY_POINT);

    in = der;

    return d2i_PUBKEY(NULL, &in, p - der);
}


/* what a key is for; ALGORITHMS: for nothing here */

static ngx_media_jwt_alg_e
ngx_media_key_alg(EVP_PKEY *public)
{
    int      len;
    u_char  *der;

    switch (EVP_PKEY_base_id(public)) {

    case EVP_PKEY_RSA:
        return EVP_PKEY_bits(public) >= NGX_MEDIA_JWK_MODULUS * 8
               ? NGX_MEDIA_JWT_RS256 : NGX_MEDIA_JWT_ALGORITHMS;

    case EVP_PKEY_ED25519:
        return NGX_MEDIA_JWT_EDDSA;

    case EVP_PKEY_EC:
        break;

    default:
        return NGX_MEDIA_JWT_ALGORITHMS;
    }

    /* which curve, in a way that no version of OpenSSL has changed */

    der = NULL;
    len = i2d_PUBKEY(public, &der);

    if (len == (int) sizeof(ngx_media_key_p256) + 2 * NGX_MEDIA_KEY_POINT
        && ngx_memcmp(der, ngx_media_key_p256, sizeof(ngx_media_key_p256))
           == 0)
    {
        OPENSSL_free(der);
        return NGX_MEDIA_JWT_ES256;
    }

    OPENSSL_free(der);

    return NGX_MEDIA_JWT_ALGORITHMS;
}


ngx_int_t
ngx_media_keys_token(const ngx_media_keys_t *keys, const char *action,
    const ngx_media_token_t *token)
{
    u_char               mac[NGX_MEDIA_TOKEN_MAC];
    ngx_uint_t           i;
    ngx_media_key_t     *key;
    ngx_media_span_t     text[NGX_MEDIA_KEY_PIECES];
    ngx_media_keys_t  ***remote;

    text[0].pos = (const u_char *) action;
    text[0].last = text[0].pos + ngx_strlen(action);
    text[1].pos = (const u_char *) "\n";
    text[1].last = text[1].pos + 1;
    text[2] = token->exp_text;
    text[3] = text[1];
    text[4] = token->opts_text;

    key = keys->list.elts;

    for (i = 0; i < keys->list.nelts; i++) {

        if (key[i].public == NULL
            && ngx_media_key_named(&key[i], &token->key)
            && ngx_media_key_hmac(&key[i], text, NGX_MEDIA_KEY_PIECES, mac)
               == NGX_OK
            && CRYPTO_memcmp(mac, token->mac, NGX_MEDIA_TOKEN_MAC) == 0)
        {
            return NGX_OK;
        }
    }

    remote = keys->remotes.elts;

    for (i = 0; i < keys->remotes.nelts; i++) {
        if (*remote[i]
            && ngx_media_keys_token(*remote[i], action, token) == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_media_keys_jwt(const ngx_media_keys_t *keys, const ngx_media_jwt_t *jwt)
{
    u_char               mac[NGX_MEDIA_TOKEN_MAC];
    ngx_uint_t           i;
    ngx_media_key_t     *key;
    ngx_media_keys_t  ***remote;

    key = keys->list.elts;

    for (i = 0; i < keys->list.nelts; i++) {

        if (key[i].alg != jwt->alg
            || !ngx_media_key_named(&key[i], &jwt->kid))
        {
            continue;
        }

        if (key[i].public) {

            if (ngx_media_key_verify(&key[i], &jwt->input, &jwt->signature)
                == NGX_OK)
            {
                return NGX_OK;
            }

            continue;
        }

        if (ngx_media_key_hmac(&key[i], &jwt->input, 1, mac) == NGX_OK
            && ngx_media_span_len(&jwt->signature) == NGX_MEDIA_TOKEN_MAC
            && CRYPTO_memcmp(mac, jwt->signature.pos, NGX_MEDIA_TOKEN_MAC)
               == 0)
        {
            return NGX_OK;
        }
    }

    remote = keys->remotes.elts;

    for (i = 0; i < keys->remotes.nelts; i++) {
        if (*remote[i] && ngx_media_keys_jwt(*remote[i], jwt) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* what names none may be any's; a key without a name is for all */

static ngx_uint_t
ngx_media_key_named(const ngx_media_key_t *key, const ngx_media_span_t *id)
{
    size_t  len;

    len = ngx_media_span_len(id);

    return len == 0 || key->id.len == 0
           || (len == key->id.len
               && ngx_memcmp(id->pos, key->id.data, len) == 0);
}


#if (NGX_MEDIA_KEY_MAC)

static ngx_media_key_mac_t *
ngx_media_key_mac_create(const ngx_media_span_t *secret)
{
    EVP_MAC      *hmac;
    OSSL_PARAM    params[2];
    EVP_MAC_CTX  *mac;

    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

    EVP_MAC_free(hmac);

    params[0] = OSSL_PARAM_construct_utf8_string("digest", "SHA256", 0);
    params[1] = OSSL_PARAM_construct_end();

    if (mac == NULL
        || EVP_MAC_init(mac, secret->pos, ngx_media_span_len(secret), params)
           != 1)
    {
        EVP_MAC_CTX_free(mac);
        ERR_clear_error();
        return NULL;
    }

    return mac;
}


static void
ngx_media_key_mac_free(ngx_media_key_mac_t *mac)
{
    EVP_MAC_CTX_free(mac);
}


static ngx_int_t
ngx_media_key_hmac(const ngx_media_key_t *key, const ngx_media_span_t *text,
    ngx_uint_t n, u_char *mac)
{
    size_t        len;
    ngx_int_t     rc;
    ngx_uint_t    i, fresh;
    EVP_MAC_CTX  *ctx;

    /* before 3.0.3 a context that was used keeps what it was used for */

    fresh = OpenSSL_version_num() < 0x30000030L;

    ctx = fresh ? EVP_MAC_CTX_dup(key->mac) : key->mac;
    rc = NGX_ERROR;

    if (ctx == NULL || (!fresh && EVP_MAC_init(ctx, NULL, 0, NULL) != 1)) {
        goto done;
    }

    for (i = 0; i < n; i++) {
        if (EVP_MAC_update(ctx, text[i].pos, ngx_media_span_len(&text[i]))
            != 1)
        {
            goto done;
        }
    }

    if (EVP_MAC_final(ctx, mac, &len, NGX_MEDIA_TOKEN_MAC) == 1
        && len == NGX_MEDIA_TOKEN_MAC)
    {
        rc = NGX_OK;
    }

done:

    if (fresh) {
        EVP_MAC_CTX_free(ctx);
    }

    if (rc != NGX_OK) {
        ERR_clear_error();
    }

    return rc;
}

#else

static ngx_media_key_mac_t *
ngx_media_key_mac_create(const ngx_media_span_t *secret)
{
    HMAC_CTX  *mac;

    mac = HMAC_CTX_new();

    if (mac == NULL
        || HMAC_Init_ex(mac, secret->pos, (int) ngx_media_span_len(secret),
                        EVP_sha256(), NULL)
           != 1)
    {
        HMAC_CTX_free(mac);
        ERR_clear_error();
        return NULL;
    }

    return mac;
}


static void
ngx_media_key_mac_free(ngx_media_key_mac_t *mac)
{
    HMAC_CTX_free(mac);
}


static ngx_int_t
ngx_media_key_hmac(const ngx_media_key_t *key, const ngx_media_span_t *text,
    ngx_uint_t n, u_char *mac)
{
    unsigned    len;
    ngx_uint_t  i;

    if (HMAC_Init_ex(key->mac, NULL, 0, NULL, NULL) != 1) {
        goto failed;
    }

    for (i = 0; i < n; i++) {
        if (HMAC_Update(key->mac, text[i].pos, ngx_media_span_len(&text[i]))
            != 1)
        {
            goto failed;
        }
    }

    if (HMAC_Final(key->mac, mac, &len) == 1 && len == NGX_MEDIA_TOKEN_MAC) {
        return NGX_OK;
    }

failed:

    ERR_clear_error();

    return NGX_ERROR;
}

#endif


static ngx_int_t
ngx_media_key_verify(const ngx_media_key_t *key, const ngx_media_span_t *input,
    const ngx_media_span_t *signature)
{
    int            len, rc;
    size_t         size;
    u_char        *der;
    EVP_MD_CTX    *ctx;
    const u_char  *bytes;

    der = NULL;
    bytes = signature->pos;
    size = ngx_media_span_len(signature);

    if (key->alg == NGX_MEDIA_JWT_ES256) {

        if (ngx_media_key_ecdsa(signature, &der, &len) != NGX_OK) {
            return NGX_DECLINED;
        }

        bytes = der;
        size = len;
    }

    rc = 0;
    ctx = EVP_MD_CTX_new();

    if (ctx
        && EVP_DigestVerifyInit(ctx, NULL, key->alg == NGX_MEDIA_JWT_EDDSA
                                           ? NULL : EVP_sha256(),
                                NULL, key->public)
           == 1)
    {
        rc = EVP_DigestVerify(ctx, bytes, size, input->pos,
                              ngx_media_span_len(input));
    }

    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    ERR_clear_error();

    return rc == 1 ? NGX_OK : NGX_DECLINED;
}


/* r and s, 32 bytes each, as OpenSSL wants them; *der: OPENSSL_free() */

static ngx_int_t
ngx_media_key_ecdsa(const ngx_media_span_t *signature, u_char **der, int *len)
{
    BIGNUM     *r, *s;
    ECDSA_SIG  *sig;

    if (ngx_media_span_len(signature) != NGX_MEDIA_KEY_SIGNATURE) {
        return NGX_DECLINED;
    }

    r = BN_bin2bn(signature->pos, NGX_MEDIA_KEY_POINT, NULL);
    s = BN_bin2bn(signature->pos + NGX_MEDIA_KEY_POINT, NGX_MEDIA_KEY_POINT,
                  NULL);
    sig = ECDSA_SIG_new();

    if (r == NULL || s == NULL || sig == NULL
        || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return NGX_DECLINED;
    }

    *len = i2d_ECDSA_SIG(sig, der);

    ECDSA_SIG_free(sig);

    return *len > 0 ? NGX_OK : NGX_DECLINED;
}
