
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_jwt.c formats/ngx_media_jwk.c
         formats/ngx_media_base64.c formats/ngx_media_json.c
         formats/ngx_media_text.c */


#include "formats/ngx_media_jwk.h"
#include "formats/ngx_media_jwt.h"
#include "tap.h"


/* RFC 7515, A.1 */
#define RFC_INPUT                                                             \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"                                \
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"   \
    "LmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_SIGNATURE  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

#define span_is(span, text, ...)                                              \
    is_text((span).pos, ngx_media_span_len(&(span)), text, __VA_ARGS__)


static u_char           room[NGX_MEDIA_JWT_MAX];
static ngx_media_jwk_t  keys[NGX_MEDIA_JWK_KEYS];


static size_t
encode(char *p, const char *text)
{
    ngx_uint_t  n;
    char       *start;
    uint32_t    bits;

    static const char  letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                   "qrstuvwxyz0123456789-_";

    start = p;

    for ( /* void */ ; *text; text += n) {
        bits = 0;

        for (n = 0; n < 3 && text[n]; n++) {
            bits |= (uint32_t) (u_char) text[n] << (16 - 8 * n);
        }

        *p++ = letters[bits >> 18];
        *p++ = letters[bits >> 12 & 63];

        if (n > 1) {
            *p++ = letters[bits >> 6 & 63];
        }

        if (n > 2) {
            *p++ = letters[bits & 63];
        }
    }

    return p - start;
}


/* a token of these two, with a signature of three bytes */

static ngx_int_t
parse(const char *header, const char *claims, ngx_media_jwt_t *jwt,
    const char **error)
{
    char       *text;
    size_t      len;
    u_char     *p;
    ngx_int_t   rc;

    text = malloc(strlen(header) * 2 + strlen(claims) * 2 + 16);

    len = encode(text, header);
    text[len++] = '.';
    len += encode(text + len, claims);
    memcpy(text + len, ".AAAA", 5);
    len += 5;

    p = tap_dup(text, len);
    *error = "";
    rc = ngx_media_jwt_parse(p, p + len, room, jwt, error);

    free(p);
    free(text);

    return rc;
}


static void
test_rfc(void)
{
    u_char           *p;
    size_t            len;
    ngx_uint_t        i, wrong;
    const char       *error;
    ngx_media_jwt_t   jwt;

    static const char  text[] = RFC_INPUT "." RFC_SIGNATURE;

    len = sizeof(text) - 1;
    p = tap_dup(text, len);

    is(ngx_media_jwt_parse(p, p + len, room, &jwt, &error), NGX_OK, "RFC 7515");
    is(jwt.alg, NGX_MEDIA_JWT_HS256, "RFC 7515: algorithm");
    span_is(jwt.iss, "joe", "RFC 7515: issuer");
    is(jwt.exp, 1300819380, "RFC 7515: expires");
    span_is(jwt.input, RFC_INPUT, "RFC 7515: what was signed");
    is(ngx_media_span_len(&jwt.signature), 32, "RFC 7515: signature");
    is(jwt.ngrants, 0, "RFC 7515: it allows nothing");
    free(p);

    wrong = 0;

    for (i = 0; i < len; i++) {
        p = tap_dup(text, i);
        wrong += ngx_media_jwt_parse(p, p + i, room, &jwt, &error) == NGX_OK
                 && i < len - 43;
        free(p);
    }

    is(wrong, 0, "RFC 7515: cut off");
}


static void
test_claims(void)
{
    const char       *error;
    ngx_media_jwt_t   jwt;

    is(parse("{\"alg\":\"EdDSA\",\"kid\":\"\\u006b1\",\"typ\":\"JWT\"}",
             "{\"exp\":1.9e9,\"nbf\":1700000000.75,\"iat\":5,\"sub\":\"a\\n\","
             "\"jti\":\"7\",\"ip\":\"2001:db8::/32\",\"aud\":[\"x\",\"y\"],"
             "\"nested\":{\"exp\":[1,{\"exp\":2}]},"
             "\"media\":[{\"a\":\"play\",\"p\":\"news/*\"},"
             "{\"p\":\"de\\u006do\",\"a\":\"publish\"},"
             "{\"a\":\"delete\",\"p\":\"demo\"},"
             "{\"a\":\"play\",\"p\":\"demo\",\"only\":\"mondays\"},"
             "{\"a\":\"play\"},{\"a\":5,\"p\":\"demo\"}],"
             "\"mediamtx_permissions\":[{\"action\":\"read\",\"path\":\"\"},"
             "{\"action\":\"publish\",\"path\":\"live/demo\"},"
             "{\"action\":\"publish\",\"path\":\"~^a\"},"
             "{\"action\":\"api\"}]}", &jwt, &error),
       NGX_OK, "claims");

    is(jwt.alg, NGX_MEDIA_JWT_EDDSA, "claims: algorithm");
    span_is(jwt.kid, "k1", "claims: kid");
    is(jwt.exp, 1900000000, "claims: exp");
    is(jwt.nbf, 1700000000, "claims: nbf");
    span_is(jwt.sub, "a\n", "claims: sub");
    span_is(jwt.jti, "7", "claims: jti");
    span_is(jwt.ip, "2001:db8::/32", "claims: ip");
    is(jwt.naud, 2, "claims: audiences");
    span_is(jwt.aud[1], "y", "claims: the second one");
    is(jwt.ngrants, 4, "claims: permissions that are ours");
    span_is(jwt.grants[0].path, "news/*", "claims: play");
    is(jwt.grants[0].actions, NGX_MEDIA_GRANT_PLAY, "claims: play only");
    span_is(jwt.grants[1].path, "demo", "claims: publish");
    is(jwt.grants[1].actions, NGX_MEDIA_GRANT_PUBLISH, "claims: that only");
    ok(!jwt.grants[1].app && jwt.grants[2].app, "claims: of which kind");
    span_is(jwt.grants[2].path, "*", "claims: MediaMTX's any");
    span_is(jwt.grants[3].path, "live/demo", "claims: MediaMTX's one");

    is(parse("{\"alg\":\"Ed25519\"}", "{\"exp\":1,\"aud\":\"x\"}", &jwt,
             &error), NGX_OK, "claims: the other name of EdDSA");
    is(jwt.alg, NGX_MEDIA_JWT_EDDSA, "claims: is it");
    span_is(jwt.aud[0], "x", "claims: one audience");
}


static void
test_refused(void)
{
    ngx_uint_t        i;
    const char       *error;
    ngx_media_jwt_t   jwt;

    static const struct {
        const char  *header;                  /* NULL: one that is good */
        const char  *claims;
        const char  *error;
    } all[] = {
        { "{\"alg\":\"none\"}", NULL, "its algorithm is none that is allowed" },
        { "{\"alg\":\"None\"}", NULL, "its algorithm is none that is allowed" },
        { "{\"alg\":\"HS512\"}", NULL,
          "its algorithm is none that is allowed" },
        { "{\"alg\":5}", NULL, "its algorithm is none that is allowed" },
        { "{}", NULL, "it names no algorithm" },
        { "{\"alg\":\"HS256\",\"alg\":\"RS256\"}", NULL,
          "a member of it comes twice" },
        { "{\"alg\":\"HS256\",\"\\u0061lg\":\"RS256\"}", NULL,
          "a member of it comes twice" },
        { "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", NULL,
          "its header has a member that is not allowed" },
        { "{\"alg\":\"HS256\",\"b64\":false}", NULL,
          "its header has a member that is not allowed" },
        { "{\"alg\":\"HS256\",\"jku\":\"https://a/\"}", NULL,
          "its header has a member that is not allowed" },
        { "{\"alg\":\"HS256\",\"jwk\":{}}", NULL,
          "its header has a member that is not allowed" },
        { "{\"alg\":\"HS256\",\"x5u\":\"\"}", NULL,
          "its header has a member that is not allowed" },
        { "{\"alg\":\"HS256\",\"kid\":1}", NULL,
          "a member of it is no string" },
        { "[]", NULL, "a part of it is no JSON object" },
        { "", NULL, "a part of it is no JSON object" },
        { "{\"alg\":\"HS256\"", NULL, "a part of it is no JSON" },
        { "{\"alg\":\"HS256\"} x", NULL, "a part of it is no JSON" },
        { NULL, "{}", "it does not say when it expires" },
        { NULL, "{\"exp\":\"1\"}", "a time in it is none" },
        { NULL, "{\"exp\":-1}", "a time in it is none" },
        { NULL, "{\"exp\":1e99}", "a time in it is none" },
        { NULL, "{\"exp\":1,\"nbf\":null}", "a time in it is none" },
        { NULL, "{\"exp\":1,\"exp\":2}", "a member of it comes twice" },
        { NULL, "{\"exp\":1,\"aud\":[1]}", "its audience is none" },
        { NULL, "{\"exp\":1,\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\","
                "\"7\",\"8\",\"9\"]}", "its audience is none" },
        { NULL, "{\"exp\":1,\"media\":{}}", "its permissions are no array" },
        { NULL, "{\"exp\":1,\"media\":[1]}", "a permission is no object" },
        { NULL, "{\"exp\":1,\"media\":[{\"a\":\"play\",\"a\":\"play\"}]}",
          "a member of it comes twice" },
        { NULL, "{\"exp\":1,\"media\":[{\"a\":\"play\"", "a part of it is no "
                                                         "JSON" },
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        is(parse(all[i].header ? all[i].header : "{\"alg\":\"HS256\"}",
                 all[i].claims ? all[i].claims : "{\"exp\":1}", &jwt, &error),
           NGX_ERROR, "refused: %s %s", all[i].header ? all[i].header : "",
           all[i].claims ? all[i].claims : "");
        is_text(error, strlen(error), all[i].error, "refused: why");
    }
}


static ngx_int_t
set(const char *text, ngx_uint_t *n, ngx_uint_t *skipped)
{
    u_char         *p;
    ngx_int_t       rc;
    const char     *error;
    static u_char  *buf;

    free(buf);
    buf = malloc(strlen(text) + 1);

    p = tap_dup(text, strlen(text));
    rc = ngx_media_jwk_parse(p, p + strlen(text), buf, keys, n, skipped,
                             &error);
    free(p);

    return rc;
}


static void
test_keys(void)
{
    char        text[512];
    ngx_uint_t  i, n, skipped;

    static const char  *useless[] = {
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umjw\"}",
        "{\"kty\":\"oct\"}",
        "{}",
        "{\"kty\":[]}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"HS256\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kty\":\"OKP\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
    };

    static const char  *wrong[] = {
        "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":[]",
        "{\"keys\":[],\"keys\":[]}", "<html>", "{\"keys\":[]} x"
    };

    /* RFC 7517, A.1, its first key for signing, too; RFC 8037, A.2 */

    is(set("{\"keys\":["
           "{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"enc\",\"kid\":\"1\","
           "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
           "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"},"
           "{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\","
           "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
           "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"},"
           "{\"kty\":\"RSA\",\"n\":\"AAAA"
           "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"
           "wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5Js"
           "GY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic"
           "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
           "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF"
           "Cur-kEgU8awapJzKnqDKgw\","
           "\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"},"
           "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"x\",\"x5c\":[\"a\"],"
           "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
           "{\"kty\":\"oct\",\"kid\":\"\\u0061\",\"k\":"
           "\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0"
           "iPS4hcgUuTwjAzZr1Z9CAow\"}],\"more\":[1,{}]}", &n, &skipped),
       NGX_OK, "keys");

    is(n, 4, "keys: those that can be used");
    is(skipped, 1, "keys: one is for encryption");
    is(keys[0].alg, NGX_MEDIA_JWT_ES256, "keys: EC");
    is_mem(keys[0].x.pos, 2, "\x30\xa0", 2, "keys: its x");
    is(ngx_media_span_len(&keys[0].y), 32, "keys: its y");
    is(keys[1].alg, NGX_MEDIA_JWT_RS256, "keys: RSA");
    span_is(keys[1].kid, "2011-04-29", "keys: its id");
    is(ngx_media_span_len(&keys[1].x), 256, "keys: 2048 bits, without zeros");
    is_mem(keys[1].y.pos, ngx_media_span_len(&keys[1].y), "\1\0\1", 3,
           "keys: its exponent");
    is(keys[2].alg, NGX_MEDIA_JWT_EDDSA, "keys: Ed25519");
    is(keys[2].y.pos == NULL, 1, "keys: one number");
    is(keys[3].alg, NGX_MEDIA_JWT_HS256, "keys: a secret");
    is(ngx_media_span_len(&keys[3].x), 64, "keys: of 64 bytes");
    span_is(keys[3].kid, "a", "keys: its id, without escapes");

    for (i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
        snprintf(text, sizeof(text), "{\"keys\":[%s]}", useless[i]);
        is(set(text, &n, &skipped), NGX_OK, "keys: %s", useless[i]);
        is(n * 10 + skipped, 1, "keys: is left out");
    }

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        is(set(wrong[i], &n, &skipped), NGX_ERROR, "keys: \"%s\"", wrong[i]);
    }
}


int
main(void)
{
    test_rfc();
    test_claims();
    test_refused();
    test_keys();

    return done();
}
