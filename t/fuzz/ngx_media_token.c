
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_token.c formats/ngx_media_jwt.c
         formats/ngx_media_jwk.c formats/ngx_media_grant.c
         formats/ngx_media_base64.c formats/ngx_media_json.c
         formats/ngx_media_text.c */


/*
 * By its first byte the input is a signed token, a JSON Web Token, the claims
 * of one, or a set of keys.  Whatever is taken stays in the room that there is
 * for it.
 */


#include "formats/ngx_media_jwk.h"
#include "formats/ngx_media_jwt.h"
#include "formats/ngx_media_token.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static u_char  *room;
static size_t   room_size;


static void
check(int expr)
{
    if (!expr) {
        abort();
    }
}


static void
inside(const ngx_media_span_t *span)
{
    check(span->pos <= span->last);
    check(span->pos == NULL || *span->pos == '*'
          || (span->pos >= room && span->last <= room + room_size));
}


static void
covers(const ngx_media_grant_t *grant)
{
    ngx_str_t  app, name;

    inside(&grant->path);

    ngx_str_set(&app, "live");
    ngx_str_set(&name, "news/demo");

    (void) ngx_media_grant_covers(grant, NGX_MEDIA_GRANT_PLAY, &app, &name);
}


static void
token(const u_char *pos, const u_char *last)
{
    ngx_uint_t          i;
    const char         *error;
    ngx_media_token_t   t;

    error = NULL;

    if (ngx_media_token_parse(pos, last, room, &t, &error) != NGX_OK) {
        check(error != NULL);
        return;
    }

    check(t.exp >= 0 && t.ngrants > 0);
    check(t.exp_text.pos >= pos && t.opts_text.last <= last);

    inside(&t.ip);
    inside(&t.session);
    inside(&t.key);

    for (i = 0; i < t.ngrants; i++) {
        covers(&t.grants[i]);
    }
}


static void
jwt(const u_char *pos, const u_char *last)
{
    ngx_uint_t        i;
    const char       *error;
    ngx_media_jwt_t   t;

    error = NULL;

    if (ngx_media_jwt_parse(pos, last, room, &t, &error) != NGX_OK) {
        check(error != NULL);
        return;
    }

    check(t.exp >= 0 && t.alg < NGX_MEDIA_JWT_ALGORITHMS);
    check(t.input.pos == pos && t.input.last < last);

    inside(&t.signature);
    inside(&t.kid);
    inside(&t.iss);
    inside(&t.sub);
    inside(&t.jti);
    inside(&t.ip);

    for (i = 0; i < t.naud; i++) {
        inside(&t.aud[i]);
    }

    for (i = 0; i < t.ngrants; i++) {
        covers(&t.grants[i]);
    }
}


/* claims as they are, in a token with a header */

static void
claims(const uint8_t *data, size_t size)
{
    char      *text, *p;
    size_t     i;
    uint32_t   bits;

    static const char  letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                   "qrstuvwxyz0123456789-_";
    static const char  head[] = "eyJhbGciOiJIUzI1NiJ9.";

    text = malloc(sizeof(head) + size * 2 + 8);
    memcpy(text, head, sizeof(head) - 1);
    p = text + sizeof(head) - 1;

    for (i = 0; i + 2 < size; i += 3) {
        bits = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
        *p++ = letters[bits >> 18];
        *p++ = letters[bits >> 12 & 63];
        *p++ = letters[bits >> 6 & 63];
        *p++ = letters[bits & 63];
    }

    memcpy(p, ".AAAA", 5);

    jwt((u_char *) text, (u_char *) p + 5);

    free(text);
}


static void
keys(const u_char *pos, const u_char *last)
{
    ngx_uint_t        i, n, skipped;
    const char       *error;
    ngx_media_jwk_t   set[NGX_MEDIA_JWK_KEYS];

    error = NULL;

    if (ngx_media_jwk_parse(pos, last, room, set, &n, &skipped, &error)
        != NGX_OK)
    {
        check(error != NULL);
        return;
    }

    check(n <= NGX_MEDIA_JWK_KEYS);

    for (i = 0; i < n; i++) {
        inside(&set[i].kid);
        inside(&set[i].x);
        inside(&set[i].y);

        check(ngx_media_span_len(&set[i].x) >= 32);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const u_char  *pos, *last;

    if (size == 0) {
        return 0;
    }

    pos = data + 1;
    last = data + size;

    switch (data[0] & 3) {

    case 0:
        room_size = size - 1;
        room = malloc(room_size ? room_size : 1);
        token(pos, last);
        break;

    case 1:
        room_size = size - 1;
        room = malloc(room_size ? room_size : 1);
        jwt(pos, last);
        break;

    case 2:
        room_size = NGX_MEDIA_JWT_MAX;
        room = malloc(room_size);
        claims(pos, last - pos);
        break;

    default:
        room_size = size - 1;
        room = malloc(room_size ? room_size : 1);
        keys(pos, last);
    }

    free(room);

    return 0;
}
