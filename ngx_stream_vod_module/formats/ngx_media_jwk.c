
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_base64.h"
#include "formats/ngx_media_json.h"
#include "formats/ngx_media_jwk.h"


#define NGX_MEDIA_JWK_POINT     32            /* bytes of a coordinate */
#define NGX_MEDIA_JWK_EXPONENT  8


/* members of a key, as they are written */

enum {
    NGX_MEDIA_JWK_KTY = 0,
    NGX_MEDIA_JWK_KID,
    NGX_MEDIA_JWK_USE,
    NGX_MEDIA_JWK_ALG,
    NGX_MEDIA_JWK_CRV,
    NGX_MEDIA_JWK_K,
    NGX_MEDIA_JWK_N,
    NGX_MEDIA_JWK_E,
    NGX_MEDIA_JWK_X,
    NGX_MEDIA_JWK_Y,
    NGX_MEDIA_JWK_MEMBERS
};


typedef struct {
    ngx_media_json_t          json;
    u_char                   *buf;
    ngx_media_jwk_t          *keys;
    ngx_uint_t                nkeys;
    ngx_uint_t                skipped;
    const char               *error;
} ngx_media_jwk_reader_t;


typedef struct {
    ngx_media_jwt_alg_e       id;
    const char               *kty;
    const char               *crv;            /* NULL: it has none */
    const char               *alg;            /* if it says one, */
    const char               *also;           /* or this */
    ngx_uint_t                x;              /* members; y is none where it is
                                                 KTY */
    ngx_uint_t                y;
    size_t                    xmin, xmax;     /* bytes */
    size_t                    ymin, ymax;
} ngx_media_jwk_kind_t;


static ngx_int_t ngx_media_jwk_set(ngx_media_jwk_reader_t *reader);
static ngx_int_t ngx_media_jwk_keys(ngx_media_jwk_reader_t *reader,
    const ngx_media_json_token_t *token);
static ngx_int_t ngx_media_jwk_members(ngx_media_jwk_reader_t *reader,
    ngx_media_span_t *members);
static ngx_int_t ngx_media_jwk_add(ngx_media_jwk_reader_t *reader,
    const ngx_media_span_t *members);
static const ngx_media_jwk_kind_t *ngx_media_jwk_kind(
    const ngx_media_span_t *members);
static ngx_int_t ngx_media_jwk_bytes(u_char **buf,
    const ngx_media_span_t *text, ngx_media_span_t *bytes);
static ngx_int_t ngx_media_jwk_fail(ngx_media_jwk_reader_t *reader,
    const char *error);


static const char  *ngx_media_jwk_names[] = {
    "kty", "kid", "use", "alg", "crv", "k", "n", "e", "x", "y"
};


static const ngx_media_jwk_kind_t  ngx_media_jwk_kinds[] = {
    { NGX_MEDIA_JWT_HS256, "oct", NULL, "HS256", NULL,
      NGX_MEDIA_JWK_K, NGX_MEDIA_JWK_KTY,
      NGX_MEDIA_JWK_SECRET, NGX_MEDIA_JWK_LARGEST, 0, 0 },
    { NGX_MEDIA_JWT_RS256, "RSA", NULL, "RS256", NULL,
      NGX_MEDIA_JWK_N, NGX_MEDIA_JWK_E,
      NGX_MEDIA_JWK_MODULUS, NGX_MEDIA_JWK_LARGEST,
      1, NGX_MEDIA_JWK_EXPONENT },
    { NGX_MEDIA_JWT_ES256, "EC", "P-256", "ES256", NULL,
      NGX_MEDIA_JWK_X, NGX_MEDIA_JWK_Y,
      NGX_MEDIA_JWK_POINT, NGX_MEDIA_JWK_POINT,
      NGX_MEDIA_JWK_POINT, NGX_MEDIA_JWK_POINT },
    { NGX_MEDIA_JWT_EDDSA, "OKP", "Ed25519", "EdDSA", "Ed25519",
      NGX_MEDIA_JWK_X, NGX_MEDIA_JWK_KTY,
      NGX_MEDIA_JWK_POINT, NGX_MEDIA_JWK_POINT, 0, 0 }
};


ngx_int_t
ngx_media_jwk_parse(const u_char *pos, const u_char *last, u_char *buf,
    ngx_media_jwk_t *keys, ngx_uint_t *nkeys, ngx_uint_t *skipped,
    const char **error)
{
    ngx_media_jwk_reader_t  reader;

    ngx_memzero(&reader, sizeof(ngx_media_jwk_reader_t));

    if (last - pos > NGX_MEDIA_JWK_MAX) {
        *error = "it is too large";
        return NGX_ERROR;
    }

    reader.buf = buf;
    reader.keys = keys;

    ngx_media_json_init(&reader.json, pos, last);

    if (ngx_media_jwk_set(&reader) != NGX_OK) {
        *error = reader.error;
        return NGX_ERROR;
    }

    *nkeys = reader.nkeys;
    *skipped = reader.skipped;

    return NGX_OK;
}


static ngx_int_t
ngx_media_jwk_set(ngx_media_jwk_reader_t *reader)
{
    ngx_int_t               rc;
    ngx_uint_t              found;
    ngx_media_json_token_t  token;

    if (ngx_media_json_next(&reader->json, &token) != NGX_OK
        || token.type != NGX_MEDIA_JSON_OBJECT)
    {
        return ngx_media_jwk_fail(reader, "it is no JSON object");
    }

    found = 0;

    for ( ;; ) {
        rc = ngx_media_json_next(&reader->json, &token);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK) {
            return ngx_media_jwk_fail(reader, "it is no JSON");
        }

        if (token.type == NGX_MEDIA_JSON_END) {
            continue;
        }

        if (ngx_media_json_equal(&token.key, "keys")) {

            if (found++ || ngx_media_jwk_keys(reader, &token) != NGX_OK) {
                return ngx_media_jwk_fail(reader, "\"keys\" is no array of "
                                                  "keys");
            }

            continue;
        }

        if (ngx_media_json_skip(&reader->json, &token) != NGX_OK) {
            return ngx_media_jwk_fail(reader, "it is no JSON");
        }
    }

    return found ? NGX_OK : ngx_media_jwk_fail(reader, "it has no \"keys\"");
}


static ngx_int_t
ngx_media_jwk_keys(ngx_media_jwk_reader_t *reader,
    const ngx_media_json_token_t *token)
{
    ngx_int_t               rc;
    ngx_media_span_t        members[NGX_MEDIA_JWK_MEMBERS];
    ngx_media_json_token_t  item;

    if (token->type != NGX_MEDIA_JSON_ARRAY) {
        return NGX_ERROR;
    }

    for ( ;; ) {

        if (ngx_media_json_next(&reader->json, &item) != NGX_OK) {
            return NGX_ERROR;
        }

        if (item.type == NGX_MEDIA_JSON_END) {
            return NGX_OK;
        }

        if (item.type != NGX_MEDIA_JSON_OBJECT) {
            return NGX_ERROR;
        }

        rc = ngx_media_jwk_members(reader, members);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK || ngx_media_jwk_add(reader, members) != NGX_OK) {
            reader->skipped++;
        }
    }
}


/* NGX_DECLINED: they are such that it cannot be used */

static ngx_int_t
ngx_media_jwk_members(ngx_media_jwk_reader_t *reader,
    ngx_media_span_t *members)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_media_json_token_t  token;

    ngx_memzero(members, NGX_MEDIA_JWK_MEMBERS * sizeof(ngx_media_span_t));

    rc = NGX_OK;

    for ( ;; ) {

        if (ngx_media_json_next(&reader->json, &token) != NGX_OK) {
            return NGX_ERROR;
        }

        if (token.type == NGX_MEDIA_JSON_END) {
            return rc;
        }

        for (i = 0; i < NGX_MEDIA_JWK_MEMBERS; i++) {
            if (ngx_media_json_equal(&token.key, ngx_media_jwk_names[i])) {
                break;
            }
        }

        if (i == NGX_MEDIA_JWK_MEMBERS) {

            if (ngx_media_json_skip(&reader->json, &token) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (members[i].pos || token.type != NGX_MEDIA_JSON_STRING) {
            rc = NGX_DECLINED;
        }

        if (ngx_media_json_skip(&reader->json, &token) != NGX_OK) {
            return NGX_ERROR;
        }

        members[i] = token.text;
    }
}


static ngx_int_t
ngx_media_jwk_add(ngx_media_jwk_reader_t *reader,
    const ngx_media_span_t *members)
{
    size_t                       len;
    u_char                      *buf;
    ngx_media_jwk_t             *key;
    const ngx_media_jwk_kind_t  *kind;

    kind = ngx_media_jwk_kind(members);

    if (kind == NULL || reader->nkeys == NGX_MEDIA_JWK_KEYS) {
        return NGX_DECLINED;
    }

    key = &reader->keys[reader->nkeys];
    buf = reader->buf;

    ngx_memzero(key, sizeof(ngx_media_jwk_t));
    key->alg = kind->id;

    if (ngx_media_jwk_bytes(&buf, &members[kind->x], &key->x) != NGX_OK) {
        return NGX_DECLINED;
    }

    /* RFC 7518, 6.3.1.1: there should be none, and often are */

    while (kind->id == NGX_MEDIA_JWT_RS256 && key->x.pos < key->x.last
           && *key->x.pos == 0)
    {
        key->x.pos++;
    }

    len = ngx_media_span_len(&key->x);

    if (len < kind->xmin || len > kind->xmax) {
        return NGX_DECLINED;
    }

    if (kind->y != NGX_MEDIA_JWK_KTY) {

        if (ngx_media_jwk_bytes(&buf, &members[kind->y], &key->y) != NGX_OK) {
            return NGX_DECLINED;
        }

        len = ngx_media_span_len(&key->y);

        if (len < kind->ymin || len > kind->ymax) {
            return NGX_DECLINED;
        }
    }

    if (members[NGX_MEDIA_JWK_KID].pos) {
        key->kid.pos = buf;
        buf += ngx_media_json_string(buf, &members[NGX_MEDIA_JWK_KID]);
        key->kid.last = buf;
    }

    reader->buf = buf;
    reader->nkeys++;

    return NGX_OK;
}


/* RFC 7517, 4.2, 4.4: who says what it is for is taken by the word */

static const ngx_media_jwk_kind_t *
ngx_media_jwk_kind(const ngx_media_span_t *members)
{
    ngx_uint_t                   i;
    const ngx_media_jwk_kind_t  *kind;

    if (members[NGX_MEDIA_JWK_KTY].pos == NULL
        || (members[NGX_MEDIA_JWK_USE].pos
            && !ngx_media_json_equal(&members[NGX_MEDIA_JWK_USE], "sig")))
    {
        return NULL;
    }

    for (i = 0;
         i < sizeof(ngx_media_jwk_kinds) / sizeof(ngx_media_jwk_kind_t);
         i++)
    {
        kind = &ngx_media_jwk_kinds[i];

        if (!ngx_media_json_equal(&members[NGX_MEDIA_JWK_KTY], kind->kty)) {
            continue;
        }

        if (kind->crv
            && (members[NGX_MEDIA_JWK_CRV].pos == NULL
                || !ngx_media_json_equal(&members[NGX_MEDIA_JWK_CRV],
                                         kind->crv)))
        {
            continue;
        }

        if (members[NGX_MEDIA_JWK_ALG].pos
            && !ngx_media_json_equal(&members[NGX_MEDIA_JWK_ALG], kind->alg)
            && (kind->also == NULL
                || !ngx_media_json_equal(&members[NGX_MEDIA_JWK_ALG],
                                         kind->also)))
        {
            continue;
        }

        return kind;
    }

    return NULL;
}


static ngx_int_t
ngx_media_jwk_bytes(u_char **buf, const ngx_media_span_t *text,
    ngx_media_span_t *bytes)
{
    size_t  len;

    if (text->pos == NULL
        || ngx_media_base64_decode(*buf, &len, text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    bytes->pos = *buf;
    *buf += len;
    bytes->last = *buf;

    return NGX_OK;
}


static ngx_int_t
ngx_media_jwk_fail(ngx_media_jwk_reader_t *reader, const char *error)
{
    reader->error = error;

    return NGX_ERROR;
}
