
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_base64.h"
#include "formats/ngx_media_json.h"
#include "formats/ngx_media_jwt.h"


#define NGX_MEDIA_JWT_PARTS  3


typedef struct {
    ngx_media_jwt_t          *jwt;
    ngx_media_json_t          json;
    uint32_t                  seen;           /* members, by their place in the
                                                 table */
    const char               *error;
} ngx_media_jwt_reader_t;


typedef ngx_int_t (*ngx_media_jwt_handler_pt)(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);


typedef struct {
    const char               *name;
    ngx_media_jwt_handler_pt  handler;
    size_t                    offset;         /* of what it sets */
} ngx_media_jwt_member_t;


static ngx_int_t ngx_media_jwt_split(const u_char *pos, const u_char *last,
    ngx_media_span_t *parts);
static ngx_int_t ngx_media_jwt_object(ngx_media_jwt_reader_t *reader,
    const ngx_media_span_t *text, const ngx_media_jwt_member_t *members);
static ngx_int_t ngx_media_jwt_member(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, const ngx_media_jwt_member_t *members);
static ngx_int_t ngx_media_jwt_alg(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);
static ngx_int_t ngx_media_jwt_refused(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);
static ngx_int_t ngx_media_jwt_text(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);
static ngx_int_t ngx_media_jwt_date(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);
static ngx_int_t ngx_media_jwt_aud(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);
static ngx_int_t ngx_media_jwt_media(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);
static ngx_int_t ngx_media_jwt_mediamtx(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset);
static ngx_int_t ngx_media_jwt_grants(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, const char *action, const char *path,
    ngx_uint_t app);
static ngx_int_t ngx_media_jwt_grant(ngx_media_jwt_reader_t *reader,
    const char *action, const char *path, ngx_media_grant_t *grant);
static ngx_uint_t ngx_media_jwt_action(const ngx_media_span_t *text);
static void ngx_media_jwt_unescape(ngx_media_span_t *text);
static ngx_int_t ngx_media_jwt_fail(ngx_media_jwt_reader_t *reader,
    const char *error);


static const ngx_media_jwt_member_t  ngx_media_jwt_header[] = {
    { "alg", ngx_media_jwt_alg, 0 },
    { "kid", ngx_media_jwt_text, offsetof(ngx_media_jwt_t, kid) },
    { "crit", ngx_media_jwt_refused, 0 },
    { "b64", ngx_media_jwt_refused, 0 },
    { "enc", ngx_media_jwt_refused, 0 },
    { "zip", ngx_media_jwt_refused, 0 },
    { "jku", ngx_media_jwt_refused, 0 },
    { "jwk", ngx_media_jwt_refused, 0 },
    { "x5u", ngx_media_jwt_refused, 0 },
    { "x5c", ngx_media_jwt_refused, 0 },
    { NULL, NULL, 0 }
};


static const ngx_media_jwt_member_t  ngx_media_jwt_claims[] = {
    { "exp", ngx_media_jwt_date, offsetof(ngx_media_jwt_t, exp) },
    { "nbf", ngx_media_jwt_date, offsetof(ngx_media_jwt_t, nbf) },
    { "iss", ngx_media_jwt_text, offsetof(ngx_media_jwt_t, iss) },
    { "sub", ngx_media_jwt_text, offsetof(ngx_media_jwt_t, sub) },
    { "jti", ngx_media_jwt_text, offsetof(ngx_media_jwt_t, jti) },
    { "ip", ngx_media_jwt_text, offsetof(ngx_media_jwt_t, ip) },
    { "aud", ngx_media_jwt_aud, 0 },
    { "media", ngx_media_jwt_media, 0 },
    { "mediamtx_permissions", ngx_media_jwt_mediamtx, 0 },
    { NULL, NULL, 0 }
};


/* RFC 9864, 2.2, has another name for EdDSA by Ed25519 */

static const struct {
    const char               *name;
    ngx_media_jwt_alg_e       alg;
} ngx_media_jwt_algorithms[] = {
    { "HS256", NGX_MEDIA_JWT_HS256 },
    { "RS256", NGX_MEDIA_JWT_RS256 },
    { "ES256", NGX_MEDIA_JWT_ES256 },
    { "EdDSA", NGX_MEDIA_JWT_EDDSA },
    { "Ed25519", NGX_MEDIA_JWT_EDDSA }
};

#define NGX_MEDIA_JWT_NAMES                                                   \
    (sizeof(ngx_media_jwt_algorithms) / sizeof(ngx_media_jwt_algorithms[0]))


ngx_int_t
ngx_media_jwt_parse(const u_char *pos, const u_char *last, u_char *buf,
    ngx_media_jwt_t *jwt, const char **error)
{
    size_t                  len;
    ngx_uint_t              i;
    ngx_media_span_t        parts[NGX_MEDIA_JWT_PARTS];
    ngx_media_jwt_reader_t  reader;

    ngx_memzero(jwt, sizeof(ngx_media_jwt_t));
    ngx_memzero(&reader, sizeof(ngx_media_jwt_reader_t));

    jwt->alg = NGX_MEDIA_JWT_ALGORITHMS;
    jwt->exp = INT64_MIN;
    jwt->nbf = INT64_MIN;

    reader.jwt = jwt;

    if (ngx_media_jwt_split(pos, last, parts) != NGX_OK) {
        *error = "it is no token of three parts";
        return NGX_ERROR;
    }

    jwt->input.pos = pos;
    jwt->input.last = parts[1].last;

    for (i = 0; i < NGX_MEDIA_JWT_PARTS; i++) {

        if (ngx_media_base64_decode(buf, &len, &parts[i]) != NGX_OK) {
            *error = "it is no base64url";
            return NGX_ERROR;
        }

        parts[i].pos = buf;
        parts[i].last = buf + len;
        buf += len;
    }

    jwt->signature = parts[2];

    if (ngx_media_jwt_object(&reader, &parts[0], ngx_media_jwt_header)
        != NGX_OK
        || ngx_media_jwt_object(&reader, &parts[1], ngx_media_jwt_claims)
           != NGX_OK)
    {
        *error = reader.error;
        return NGX_ERROR;
    }

    if (jwt->alg == NGX_MEDIA_JWT_ALGORITHMS) {
        *error = "it names no algorithm";
        return NGX_ERROR;
    }

    if (jwt->exp == INT64_MIN) {
        *error = "it does not say when it expires";
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_jwt_split(const u_char *pos, const u_char *last,
    ngx_media_span_t *parts)
{
    ngx_uint_t     i;
    const u_char  *p;

    if (last - pos > NGX_MEDIA_JWT_MAX) {
        return NGX_ERROR;
    }

    i = 0;
    parts[0].pos = pos;

    for (p = pos; p < last; p++) {

        if (*p != '.') {
            continue;
        }

        if (i == NGX_MEDIA_JWT_PARTS - 1) {
            return NGX_ERROR;
        }

        parts[i++].last = p;
        parts[i].pos = p + 1;
    }

    parts[i].last = last;

    return i == NGX_MEDIA_JWT_PARTS - 1 ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_media_jwt_object(ngx_media_jwt_reader_t *reader,
    const ngx_media_span_t *text, const ngx_media_jwt_member_t *members)
{
    ngx_int_t               rc;
    ngx_media_json_token_t  token;

    reader->seen = 0;

    ngx_media_json_init(&reader->json, text->pos, text->last);

    if (ngx_media_json_next(&reader->json, &token) != NGX_OK
        || token.type != NGX_MEDIA_JSON_OBJECT)
    {
        return ngx_media_jwt_fail(reader, "a part of it is no JSON object");
    }

    for ( ;; ) {
        rc = ngx_media_json_next(&reader->json, &token);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return ngx_media_jwt_fail(reader, "a part of it is no JSON");
        }

        if (token.type == NGX_MEDIA_JSON_END) {
            continue;
        }

        if (ngx_media_jwt_member(reader, &token, members) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_media_jwt_member(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, const ngx_media_jwt_member_t *members)
{
    ngx_uint_t  i;

    for (i = 0; members[i].name; i++) {

        if (!ngx_media_json_equal(&token->key, members[i].name)) {
            continue;
        }

        if (reader->seen & (uint32_t) 1 << i) {
            return ngx_media_jwt_fail(reader, "a member of it comes twice");
        }

        reader->seen |= (uint32_t) 1 << i;

        return members[i].handler(reader, token, members[i].offset);
    }

    if (ngx_media_json_skip(&reader->json, token) != NGX_OK) {
        return ngx_media_jwt_fail(reader, "a part of it is no JSON");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_jwt_alg(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset)
{
    ngx_uint_t  i;

    if (token->type == NGX_MEDIA_JSON_STRING) {

        for (i = 0; i < NGX_MEDIA_JWT_NAMES; i++) {

            if (ngx_media_json_equal(&token->text,
                                     ngx_media_jwt_algorithms[i].name))
            {
                reader->jwt->alg = ngx_media_jwt_algorithms[i].alg;
                return NGX_OK;
            }
        }
    }

    return ngx_media_jwt_fail(reader, "its algorithm is none that is allowed");
}


static ngx_int_t
ngx_media_jwt_refused(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset)
{
    return ngx_media_jwt_fail(reader, "its header has a member that is not "
                                      "allowed");
}


static ngx_int_t
ngx_media_jwt_text(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset)
{
    ngx_media_span_t  *text;

    if (token->type != NGX_MEDIA_JSON_STRING) {
        return ngx_media_jwt_fail(reader, "a member of it is no string");
    }

    text = (ngx_media_span_t *) ((u_char *) reader->jwt + offset);

    *text = token->text;
    ngx_media_jwt_unescape(text);

    return NGX_OK;
}


/* RFC 7519, 2, NumericDate: it may have a fraction, which is left out */

static ngx_int_t
ngx_media_jwt_date(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset)
{
    int64_t    date;
    ngx_int_t  rc;

    rc = (token->type == NGX_MEDIA_JSON_NUMBER)
         ? ngx_media_json_number(&token->text, 0, &date) : NGX_ERROR;

    if (rc == NGX_ERROR || date < 0) {
        return ngx_media_jwt_fail(reader, "a time in it is none");
    }

    *(int64_t *) ((u_char *) reader->jwt + offset) = date;

    return NGX_OK;
}


/* RFC 7519, 4.1.3: one string, or an array of them */

static ngx_int_t
ngx_media_jwt_aud(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset)
{
    ngx_media_jwt_t         *jwt;
    ngx_media_json_token_t   item;

    jwt = reader->jwt;

    if (token->type == NGX_MEDIA_JSON_STRING) {
        jwt->aud[0] = token->text;
        ngx_media_jwt_unescape(&jwt->aud[0]);
        jwt->naud = 1;

        return NGX_OK;
    }

    if (token->type != NGX_MEDIA_JSON_ARRAY) {
        return ngx_media_jwt_fail(reader, "its audience is none");
    }

    for ( ;; ) {

        if (ngx_media_json_next(&reader->json, &item) != NGX_OK) {
            return ngx_media_jwt_fail(reader, "a part of it is no JSON");
        }

        if (item.type == NGX_MEDIA_JSON_END) {
            return NGX_OK;
        }

        if (item.type != NGX_MEDIA_JSON_STRING
            || jwt->naud == NGX_MEDIA_JWT_AUDIENCES)
        {
            return ngx_media_jwt_fail(reader, "its audience is none");
        }

        jwt->aud[jwt->naud] = item.text;
        ngx_media_jwt_unescape(&jwt->aud[jwt->naud]);
        jwt->naud++;
    }
}


static ngx_int_t
ngx_media_jwt_media(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset)
{
    return ngx_media_jwt_grants(reader, token, "a", "p", 0);
}


static ngx_int_t
ngx_media_jwt_mediamtx(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, size_t offset)
{
    return ngx_media_jwt_grants(reader, token, "action", "path", 1);
}


static ngx_int_t
ngx_media_jwt_grants(ngx_media_jwt_reader_t *reader,
    ngx_media_json_token_t *token, const char *action, const char *path,
    ngx_uint_t app)
{
    ngx_media_jwt_t         *jwt;
    ngx_media_grant_t        grant;
    ngx_media_json_token_t   item;

    jwt = reader->jwt;

    if (token->type != NGX_MEDIA_JSON_ARRAY) {
        return ngx_media_jwt_fail(reader, "its permissions are no array");
    }

    for ( ;; ) {

        if (ngx_media_json_next(&reader->json, &item) != NGX_OK) {
            return ngx_media_jwt_fail(reader, "a part of it is no JSON");
        }

        if (item.type == NGX_MEDIA_JSON_END) {
            return NGX_OK;
        }

        if (item.type != NGX_MEDIA_JSON_OBJECT) {
            return ngx_media_jwt_fail(reader, "a permission is no object");
        }

        ngx_memzero(&grant, sizeof(ngx_media_grant_t));
        grant.app = app;

        if (ngx_media_jwt_grant(reader, action, path, &grant) != NGX_OK) {
            return NGX_ERROR;
        }

        if (grant.actions == 0) {
            continue;
        }

        if (jwt->ngrants == NGX_MEDIA_JWT_GRANTS) {
            return ngx_media_jwt_fail(reader, "it has too many permissions");
        }

        jwt->grants[jwt->ngrants++] = grant;
    }
}


static ngx_int_t
ngx_media_jwt_grant(ngx_media_jwt_reader_t *reader, const char *action,
    const char *path, ngx_media_grant_t *grant)
{
    ngx_uint_t              seen, bit;
    ngx_media_json_token_t  item;

    seen = 0;

    for ( ;; ) {

        if (ngx_media_json_next(&reader->json, &item) != NGX_OK) {
            return ngx_media_jwt_fail(reader, "a part of it is no JSON");
        }

        if (item.type == NGX_MEDIA_JSON_END) {
            break;
        }

        bit = ngx_media_json_equal(&item.key, action) ? 1
              : ngx_media_json_equal(&item.key, path) ? 2 : 0;

        if (seen & bit) {
            return ngx_media_jwt_fail(reader, "a member of it comes twice");
        }

        /* one that we do not know may narrow it, so it allows nothing */

        if (bit == 0 || item.type != NGX_MEDIA_JSON_STRING) {
            seen |= 4;

            if (ngx_media_json_skip(&reader->json, &item) != NGX_OK) {
                return ngx_media_jwt_fail(reader, "a part of it is no JSON");
            }

            continue;
        }

        seen |= bit;

        if (bit == 1) {
            grant->actions = ngx_media_jwt_action(&item.text);

        } else {
            grant->path = item.text;
            ngx_media_jwt_unescape(&grant->path);
        }
    }

    /* MediaMTX: no path is any, and "~" begins a regular expression */

    if (grant->app && ngx_media_span_len(&grant->path) == 0) {
        grant->path.pos = (u_char *) "*";
        grant->path.last = grant->path.pos + 1;
        seen |= 2;
    }

    if (seen != 3 || (grant->app && *grant->path.pos == '~')) {
        grant->actions = 0;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_media_jwt_action(const ngx_media_span_t *text)
{
    if (ngx_media_json_equal(text, "publish")) {
        return NGX_MEDIA_GRANT_PUBLISH;
    }

    if (ngx_media_json_equal(text, "play")
        || ngx_media_json_equal(text, "read"))
    {
        return NGX_MEDIA_GRANT_PLAY;
    }

    return 0;
}


/* where it is: escapes are longer than what they stand for */

static void
ngx_media_jwt_unescape(ngx_media_span_t *text)
{
    text->last = text->pos
                 + ngx_media_json_string((u_char *) text->pos, text);
}


static ngx_int_t
ngx_media_jwt_fail(ngx_media_jwt_reader_t *reader, const char *error)
{
    reader->error = error;

    return NGX_ERROR;
}
