
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_key.c formats/ngx_media_jwk.c
         formats/ngx_media_jwt.c formats/ngx_media_token.c
         formats/ngx_media_base64.c formats/ngx_media_json.c
         formats/ngx_media_text.c ngx_stub.c -lcrypto */


/*
 * Keys and tokens made by openssl.  Each key verifies what it signed and
 * nothing else, as PEM and as JWK.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_key.h"
#include "ngx_stub.h"
#include "tap.h"


#define SECRET  "0123456789abcdef0123456789abcdef"

#define SIGNED                                                                \
    "1900000000.cD1kZW1vJms9azE.07tqQ1JVLGstv94MgipqW-4Ex692b9HujLxCCws"      \
    "tDVs"

#define RSA_PEM                                                               \
    "-----BEGIN PUBLIC KEY-----\n"                                            \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAno4kxJMradrZOVrcav+D\n"      \
    "Fiud6eUsL/ZYx3CLc7GlY2SQk1waUTheT7chQN2NLh0frlw01M1Jw37RcjmvnMmM\n"      \
    "ECkQm57lcO1cvd44N08+C0FEzhzKyUljd/KhIev5pGJ8ir00miavYZP0skeYoqnW\n"      \
    "qxAPlQYmO/wGnYJpizk1HWha43Yd+6O3serXo4VuEdpUDg5JQgQkS7MOi6xUob7N\n"      \
    "r08Mbax1OIKiyzRqU3zXQg7j6lSI4ukqIAsFvLIX/uzFeafU7QvtvQ7OSjMg6EUA\n"      \
    "VX3C/zeiMCnOAZv/9djnP7s09HvK9p6eFotsxJ9B8zxV81I6s4e75wS0ZtgBiEZf\n"      \
    "pwIDAQAB\n"                                                              \
    "-----END PUBLIC KEY-----\n"

#define EC_PEM                                                                \
    "-----BEGIN PUBLIC KEY-----\n"                                            \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEg/aq7QEIPQ2yb+85yciD03cwqEvH\n"      \
    "ExQNPJ6JRVgdMR8fcAlpa8wXnbyVL5c9eegIzxTyK63sXZjbCXvLClln6A==\n"          \
    "-----END PUBLIC KEY-----\n"

#define ED_PEM                                                                \
    "-----BEGIN PUBLIC KEY-----\n"                                            \
    "MCowBQYDK2VwAyEAbjCDBp8cl+2wQgDQiARYM8RQigQKB5KArg5VPfIikEc=\n"          \
    "-----END PUBLIC KEY-----\n"

#define RSA_JWK                                                               \
    "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"kid\":\"r\",\"n\":\"no4kxJMradrZ"      \
    "OVrcav-DFiud6eU"                                                         \
    "sL_ZYx3CLc7GlY2SQk1waUTheT7chQN2NLh0frlw01M1Jw37RcjmvnMmMECkQm57lc"      \
    "O1cvd44N08-C0FEzhzKyUljd_KhIev5pGJ8ir00miavYZP0skeYoqnWqxAPlQYmO_w"      \
    "GnYJpizk1HWha43Yd-6O3serXo4VuEdpUDg5JQgQkS7MOi6xUob7Nr08Mbax1OIKiy"      \
    "zRqU3zXQg7j6lSI4ukqIAsFvLIX_uzFeafU7QvtvQ7OSjMg6EUAVX3C_zeiMCnOAZv"      \
    "_9djnP7s09HvK9p6eFotsxJ9B8zxV81I6s4e75wS0ZtgBiEZfpw\"}"

#define EC_JWK                                                                \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"g_aq7QEIPQ2yb-85yciD03cw"      \
    "qEvHExQNPJ6"                                                             \
    "JRVgdMR8\",\"y\":\"H3AJaWvMF528lS-XPXnoCM8U8iut7F2Y2wl7ywpZZ-g\"}"

#define ED_JWK                                                                \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"bjCDBp8cl-2wQgDQiARYM"      \
    "8RQigQKB5KA"                                                             \
    "rg5VPfIikEc\"}"

#define RSA_JWT                                                               \
    "eyJhbGciOiAiUlMyNTYifQ.eyJleHAiOjE5MDAwMDAwMDB9.d5TBGpu1VsaMD4ge2x"      \
    "ENAzo_9HQ6mIMtYjcg2XvC57CCyuR7QL6XtCtROD8VxeD2W4heCTbNqGD1pdeyGH_p"      \
    "0qhq_JudydFVlJ1wwnk033JL1QpgazVX8MSqjoHvAoi-6mU9slYh5cGPQFQFh-KMJ1"      \
    "WRVCstV-iLY9amHiEGWYIt5AJSVwtY8BwNdIl2ZkWKZq28HIPOkzz66kjpEjhByUWf"      \
    "4YvwKYgcUBmuCEWuWZVmrylwfsrAtrJOjoe_a0gA3ITlR3of2JzfIEqt149F4nSYSb"      \
    "XODXRjtRDj0aLLaXQiQmiPgkp0FC0gQn86MDDqav8MXpucXJQhomqJ1DpuQA"

#define EC_JWT                                                                \
    "eyJhbGciOiAiRVMyNTYifQ.eyJleHAiOjE5MDAwMDAwMDB9.gq-q7F5U-7nMEYja8c"      \
    "b_rdN0fF0E4PZMuwxG8dxzHQO-d46PNrHOzuNqFMD8q1OXcz-15F_nG8KilguLpPpy"      \
    "Mw"

#define ED_JWT                                                                \
    "eyJhbGciOiAiRWREU0EifQ.eyJleHAiOjE5MDAwMDAwMDB9.GuxbRTXa0P7d-FYfLf"      \
    "4ecYQwiag9WTU4f1f_qdY3BsX2WL9chqdc4Y_lowGYgKWwpjTVWhff1G_qRoxOcDga"      \
    "Cw"

/* signed by RSA, and says that it is not */
#define LIED_JWT                                                              \
    "eyJhbGciOiJFZERTQSJ9.eyJleHAiOjE5MDAwMDAwMDB9.iA3GNPg5V95pjFMtq5GV"      \
    "4HuGkRNNscgFyZQjBB7Jenm1rOl6-4ImdLdsd3fyKh5be7k7-rTzFWR4woBQd5X5-a"      \
    "5M4gfisQxpBYsE211wJWocfMKGgIoFnLQe_cdEVle9F5FRiVkdB26lMEwODu7sM3nV"      \
    "VeouS1AS-LImPvc3NpQ_rlZCQCJUdnH7BnzWbeQPfJmR99t9V8n7g0MnitOsYSksrY"      \
    "iupumnfb-AXuPRw1vSL9uKSZbIOj1ni7W5radLO_oSkVioWx1ebkvdoo0hAqRVpP-P"      \
    "hjCc1gFo--grD9iM8BqhST125pME3nt6seYkdp97UKaR73RyeAiQQSWScw"

#define HS_JWT                                                                \
    "eyJhbGciOiJIUzI1NiIsImtpZCI6ImgifQ.eyJleHAiOjE5MDAwMDAwMDB9.PbYOyf"      \
    "47bjeBpIV91grb-41BSysYZKK4yye5LcJOFXc"

/* HS256 with the text of RSA_PEM as its secret */
#define CONFUSED_JWT                                                          \
    "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE5MDAwMDAwMDB9.7rEXMp6tQFdAPSnuOjBQ"      \
    "4VDGPG7M-Rnrhx2bHjbPO2A"


#define NOWHERE  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""


static ngx_pool_t  *pool;


static ngx_media_keys_t *
load(const char *id, const char *text)
{
    ngx_int_t          rc;
    ngx_str_t          name;
    ngx_uint_t         secret;
    const char        *error;
    const u_char      *p;
    ngx_media_keys_t  *keys;

    name.data = (u_char *) id;
    name.len = strlen(id);

    keys = ngx_media_keys_create(pool);
    error = "";

    p = tap_dup(text, strlen(text));
    rc = ngx_media_keys_text(keys, &name, p, p + strlen(text), &secret,
                             &error);
    free((void *) p);

    if (rc != NGX_OK) {
        diag("%s", error);
        return NULL;
    }

    return keys;
}


static ngx_int_t
jwt(ngx_media_keys_t *keys, const char *text)
{
    ngx_int_t         rc;
    const char       *error;
    const u_char     *p;
    static u_char     room[NGX_MEDIA_JWT_MAX];
    ngx_media_jwt_t   token;

    p = tap_dup(text, strlen(text));
    rc = ngx_media_jwt_parse(p, p + strlen(text), room, &token, &error);

    if (rc == NGX_OK) {
        rc = ngx_media_keys_jwt(keys, &token);
    }

    free((void *) p);

    return rc;
}


static ngx_int_t
signature(ngx_media_keys_t *keys, const char *action, const char *text)
{
    ngx_int_t           rc;
    const char         *error;
    const u_char       *p;
    static u_char       room[NGX_MEDIA_TOKEN_MAX];
    ngx_media_token_t   token;

    p = tap_dup(text, strlen(text));
    rc = ngx_media_token_parse(p, p + strlen(text), room, &token, &error);

    if (rc == NGX_OK) {
        rc = ngx_media_keys_token(keys, action, &token);
    }

    free((void *) p);

    return rc;
}


static void
test_jwt(void)
{
    ngx_uint_t         i, n;
    ngx_media_keys_t  *keys;

    static const char  *tokens[] = { RSA_JWT, EC_JWT, ED_JWT, HS_JWT,
                                     CONFUSED_JWT };
    static const struct {
        const char  *name;
        const char  *text;
        ngx_uint_t   verifies;
    } all[] = {
        { "RSA in PEM", RSA_PEM, 0 },
        { "P-256 in PEM", EC_PEM, 1 },
        { "Ed25519 in PEM", ED_PEM, 2 },
        { "a secret", SECRET "\r\n", 3 },
        { "RSA in JWK", "{\"keys\":[" RSA_JWK "]}", 0 },
        { "P-256 in JWK", "{\"keys\":[" EC_JWK "]}", 1 },
        { "Ed25519 in JWK", " {\"keys\":[" ED_JWK "]}", 2 }
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        keys = load("", all[i].text);
        ok(keys != NULL, "%s", all[i].name);

        for (n = 0; n < 5; n++) {
            is(jwt(keys, tokens[n]),
               n == all[i].verifies ? NGX_OK : NGX_DECLINED,
               "%s and token %d", all[i].name, (int) n);
        }
    }

    keys = load("", "{\"keys\":[" ED_JWK "," RSA_JWK "," EC_JWK "]}");
    is(ngx_media_keys_count(keys), 3, "three keys");

    for (n = 0; n < 3; n++) {
        is(jwt(keys, tokens[n]), NGX_OK, "one of three, token %d", (int) n);
    }

    is(jwt(load("", RSA_PEM), LIED_JWT), NGX_DECLINED,
       "the key says what it is for");
    is(jwt(load("", SECRET), HS_JWT "AAA"), NGX_DECLINED, "too much of it");
    is(ngx_media_keys_count(load("", "{\"keys\":[" EC_JWK "," ED_JWK ","
                                 "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                                 NOWHERE ",\"y\":" NOWHERE "}]}")), 2,
       "one that is none is left out");

    /* who names a key means that one */

    is(jwt(load("h", SECRET), HS_JWT), NGX_OK, "its own key's name");
    is(jwt(load("x", SECRET), HS_JWT), NGX_DECLINED, "another key's name");
}


/* each bit of each counts */

static void
test_bits(void)
{
    char              *text;
    size_t             i, n, taken;
    ngx_media_keys_t  *keys;

    static const char  *tokens[] = { ED_JWT, EC_JWT, HS_JWT };
    static const char  *texts[] = { ED_PEM, EC_PEM, SECRET };

    for (n = 0; n < 3; n++) {
        keys = load("", texts[n]);
        text = strdup(tokens[n]);
        taken = 0;

        for (i = 0; text[i]; i++) {
            text[i] ^= 1;
            taken += jwt(keys, text) == NGX_OK;
            text[i] ^= 1;
        }

        is(taken, 0, "a bit of token %d", (int) n);
        free(text);
    }

    keys = load("", SECRET);
    text = strdup(SIGNED);
    taken = 0;

    for (i = 0; text[i]; i++) {
        text[i] ^= 1;
        taken += signature(keys, "play", text) == NGX_OK;
        text[i] ^= 1;
    }

    is(taken, 0, "a bit of a signed token");
    free(text);
}


static void
test_signed(void)
{
    is(signature(load("", SECRET), "play", SIGNED), NGX_OK, "signed");
    is(signature(load("k1", SECRET), "play", SIGNED), NGX_OK, "by its key");
    is(signature(load("k2", SECRET), "play", SIGNED), NGX_DECLINED,
       "by another one");
    is(signature(load("", SECRET), "publish", SIGNED), NGX_DECLINED,
       "it is for playing");
    is(signature(load("", RSA_PEM), "play", SIGNED), NGX_DECLINED,
       "not by a public key");
    is(signature(load("", SECRET "x"), "play", SIGNED), NGX_DECLINED,
       "not by another secret");
}


static void
test_refused(void)
{
    ngx_uint_t  i;

    static const char  *all[] = {
        "", "short", "0123456789abcdef0123456789abcde\n",
        "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMCow\n-----END PRIVATE KEY-----\n",
        "{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}",

        /* not on the curve */
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" NOWHERE
        ",\"y\":" NOWHERE "}]}",

        "# a comment\n" ED_PEM, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6q a",
        "0123456789abcdef 0123456789abcdef", "\xef\xbb\xbf" SECRET,

        /* 1024 bits; P-384 */
        "-----BEGIN PUBLIC KEY-----\n"
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCp96aEU6C648BbrqGXW3B3e7Xm\n"
        "n1cm7ioG4O7snwvamjl79Iy63xi7hVkXSxK7HaFOoREcrQDFkRkss6/ZTF3sGDw3\n"
        "n4vxowUCpuHGUF8ZOSc2f3fCpPXn8sgnGIVTDHk98VT40jWe26sl+9QKG01WRw7G\n"
        "U5Cw+cdESFh9JH1JeQIDAQAB\n"
        "-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n"
        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEQDROI05+cRYCSFZfjwvG1IGUUxZuWX/i\n"
        "O6l3KLLK+43xRCwWHKBHKIDVyaWLuhDURHKF/gsWsF+tW12VvfMpDgYaBrwPy1it\n"
        "Ob6wB9ULeaU03mHU3ssYlRkMWbaefeYF\n"
        "-----END PUBLIC KEY-----\n"
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ok(load("", all[i]) == NULL, "no key: %d", (int) i);
    }
}


static ngx_uint_t
lacks(ngx_media_keys_t *keys, const char *text)
{
    ngx_media_span_t  name;

    name.pos = (const u_char *) text;
    name.last = name.pos + strlen(text);

    return ngx_media_keys_lacks(keys, &name);
}


/* sets that come later, and change */

static void
test_remote(void)
{
    ngx_uint_t         serial;
    ngx_media_keys_t  *keys, *set, *none;

    keys = load("k1", SECRET);

    is(lacks(keys, "x"), 0, "remote: there are no others");

    set = NULL;
    none = NULL;
    ngx_media_keys_remote(keys, &set);
    serial = ngx_media_keys_serial_of(keys);

    is(jwt(keys, RSA_JWT), NGX_DECLINED, "remote: not there yet");
    is(signature(keys, "play", SIGNED), NGX_OK, "remote: ours is");
    is(lacks(keys, ""), 1, "remote: it may be the one");
    is(lacks(keys, "k1"), 1, "remote: or another one of that name");

    set = load("", "{\"keys\":[" RSA_JWK "]}");
    ngx_media_keys_changed(keys);

    ok(ngx_media_keys_serial_of(keys) != serial, "remote: another set");
    is(jwt(keys, RSA_JWT), NGX_OK, "remote: it came");
    is(signature(keys, "play", SIGNED), NGX_OK, "remote: ours is there, too");
    is(lacks(keys, ""), 0, "remote: no name");
    is(lacks(keys, "k1"), 0, "remote: a name of ours");
    is(lacks(keys, "r"), 0, "remote: a name of it");
    is(lacks(keys, "R"), 1, "remote: another name");

    ngx_media_keys_remote(keys, &none);

    is(lacks(keys, "r"), 1, "remote: one of them is missing");
    is(jwt(keys, RSA_JWT), NGX_OK, "remote: the other one is there");

    set = load("", "{\"keys\":[" EC_JWK "]}");

    is(jwt(keys, RSA_JWT), NGX_DECLINED, "remote: and has gone");

    /* a signed token by one of a set */

    keys = ngx_media_keys_create(pool);
    set = load("", SECRET);
    ngx_media_keys_remote(keys, &set);

    is(signature(keys, "play", SIGNED), NGX_OK, "remote: signed");
}


/* of a URL nothing is a key but what stands in a set */

static void
test_set(void)
{
    ngx_str_t          id;
    ngx_uint_t         i, secret;
    const char        *error;
    const u_char      *p;
    ngx_media_keys_t  *keys;

    static const struct {
        const char  *text;
        ngx_int_t    rc;
    } all[] = {
        { "{\"keys\":[" RSA_JWK "]}", NGX_OK },
        { " \n{\"keys\":[" EC_JWK "]}\n", NGX_OK },
        { "{\"keys\":[]}", NGX_DECLINED },
        { "", NGX_DECLINED },
        { SECRET, NGX_DECLINED },
        { RSA_PEM, NGX_DECLINED },
        { "<html><body>0123456789abcdef0123456789abcdef</body></html>",
          NGX_DECLINED },
    };

    ngx_str_null(&id);

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        keys = ngx_media_keys_create(pool);
        p = tap_dup(all[i].text, strlen(all[i].text));
        error = NULL;

        is(ngx_media_keys_set(keys, &id, p, p + strlen(all[i].text), &secret,
                              &error),
           all[i].rc, "set: %d", (int) i);
        is(secret, 0, "set: no secret");
        is(error == NULL, all[i].rc == NGX_OK, "set: why");
        is(ngx_media_keys_count(keys), all[i].rc == NGX_OK, "set: keys");

        free((void *) p);
    }
}


int
main(void)
{
    pool = ngx_create_pool(4096, &ngx_stub_log);

    test_jwt();
    test_bits();
    test_signed();
    test_refused();
    test_remote();
    test_set();

    ngx_destroy_pool(pool);

    return done();
}
