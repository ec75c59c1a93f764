
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The handshake, "RTMP 1.0", 5.2, from the server's side:
 *
 *     C0 C1 ->          version, 1536 bytes
 *     <- S0 S1 S2       as soon as C1 is whole: some clients wait for S2
 *     C2 ->             1536 bytes of which nothing depends
 *
 * A client that signs its C1 (see formats/ngx_media_rtmp_hs.h) wants S1 and
 * S2 signed in turn; any other gets its C1 back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_rtmp_hs.h"
#include "ingest/ngx_media_rtmp_session.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>


#define NGX_MEDIA_RTMP_HS_SERVER  0x04050001  /* version in a signed S1 */


struct ngx_media_rtmp_handshake_s {
    size_t                    have;           /* bytes of C0 C1 C2 */
    u_char                    c1[NGX_MEDIA_RTMP_HS_SIZE];
};


static ngx_int_t ngx_media_rtmp_answer(ngx_media_rtmp_session_t *session,
    const u_char *c1);
static ngx_int_t ngx_media_rtmp_sign(u_char *s1, u_char *s2,
    const u_char *c1);
static ngx_int_t ngx_media_rtmp_digest(const u_char *p, size_t offset,
    const u_char *key, int len, u_char *digest);


ngx_int_t
ngx_media_rtmp_handshake(ngx_media_rtmp_session_t *session,
    const u_char **pos, const u_char *last)
{
    size_t                       n;
    ngx_connection_t            *c;
    ngx_media_rtmp_handshake_t  *hs;

    c = session->connection;
    hs = session->handshake;

    if (hs == NULL) {

        if (*pos == last) {
            return NGX_AGAIN;
        }

        if (*(*pos)++ != NGX_MEDIA_RTMP_HS_VERSION) {
            return ngx_media_rtmp_fail(session,
                                       "not RTMP, or an encrypted variant");
        }

        hs = ngx_palloc(c->pool, sizeof(ngx_media_rtmp_handshake_t));
        if (hs == NULL) {
            return NGX_ERROR;
        }

        hs->have = 0;
        session->handshake = hs;
    }

    if (hs->have < NGX_MEDIA_RTMP_HS_SIZE) {
        n = ngx_min((size_t) (last - *pos),
                    NGX_MEDIA_RTMP_HS_SIZE - hs->have);

        ngx_memcpy(hs->c1 + hs->have, *pos, n);

        hs->have += n;
        *pos += n;

        if (hs->have < NGX_MEDIA_RTMP_HS_SIZE) {
            return NGX_AGAIN;
        }

        if (ngx_media_rtmp_answer(session, hs->c1) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    n = ngx_min((size_t) (last - *pos),
                2 * NGX_MEDIA_RTMP_HS_SIZE - hs->have);

    hs->have += n;
    *pos += n;

    if (hs->have < 2 * NGX_MEDIA_RTMP_HS_SIZE) {
        return NGX_AGAIN;
    }

    (void) ngx_pfree(c->pool, hs);

    session->handshake = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_answer(ngx_media_rtmp_session_t *session, const u_char *c1)
{
    u_char     *s1, *s2;
    ngx_int_t   rc;

    s1 = ngx_media_rtmp_reserve(session, 1 + 2 * NGX_MEDIA_RTMP_HS_SIZE);
    if (s1 == NULL) {
        return NGX_ERROR;
    }

    session->out_last += 1 + 2 * NGX_MEDIA_RTMP_HS_SIZE;

    *s1++ = NGX_MEDIA_RTMP_HS_VERSION;
    s2 = s1 + NGX_MEDIA_RTMP_HS_SIZE;

    if (RAND_bytes(s1, NGX_MEDIA_RTMP_HS_SIZE) != 1) {
        return NGX_ERROR;
    }

    rc = ngx_media_rtmp_hs_versioned(c1) ? ngx_media_rtmp_sign(s1, s2, c1)
                                         : NGX_DECLINED;

    ngx_log_debug1(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "rtmp handshake, signed:%d", rc == NGX_OK);

    if (rc == NGX_DECLINED) {
        ngx_media_rtmp_hs_prologue(s1, 0, 0);
        ngx_memcpy(s2, c1, NGX_MEDIA_RTMP_HS_SIZE);

        return NGX_OK;
    }

    return rc;
}


/* NGX_DECLINED: C1 is not signed */

static ngx_int_t
ngx_media_rtmp_sign(u_char *s1, u_char *s2, const u_char *c1)
{
    size_t      offset;
    u_char      digest[NGX_MEDIA_RTMP_HS_DIGEST];
    u_char      key[NGX_MEDIA_RTMP_HS_DIGEST];
    ngx_uint_t  scheme;

    offset = 0;

    for (scheme = 0; scheme < NGX_MEDIA_RTMP_HS_SCHEMES; scheme++) {
        offset = ngx_media_rtmp_hs_offset(c1, scheme);

        if (ngx_media_rtmp_digest(c1, offset, ngx_media_rtmp_hs_client_key,
                                  NGX_MEDIA_RTMP_HS_CLIENT_KEY, digest)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_memcmp(digest, c1 + offset, NGX_MEDIA_RTMP_HS_DIGEST) == 0) {
            break;
        }
    }

    if (scheme == NGX_MEDIA_RTMP_HS_SCHEMES) {
        return NGX_DECLINED;
    }

    ngx_media_rtmp_hs_prologue(s1, 0, NGX_MEDIA_RTMP_HS_SERVER);

    offset = ngx_media_rtmp_hs_offset(s1, scheme);

    if (ngx_media_rtmp_digest(s1, offset, ngx_media_rtmp_hs_server_key,
                              NGX_MEDIA_RTMP_HS_SERVER_KEY, s1 + offset)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (RAND_bytes(s2, NGX_MEDIA_RTMP_HS_SIZE) != 1
        || HMAC(EVP_sha256(), ngx_media_rtmp_hs_server_key,
                NGX_MEDIA_RTMP_HS_SERVER_LONG, digest,
                NGX_MEDIA_RTMP_HS_DIGEST, key, NULL) == NULL)
    {
        return NGX_ERROR;
    }

    offset = NGX_MEDIA_RTMP_HS_SIZE - NGX_MEDIA_RTMP_HS_DIGEST;

    if (HMAC(EVP_sha256(), key, NGX_MEDIA_RTMP_HS_DIGEST, s2, offset,
             s2 + offset, NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* of a C1 or S1 without the digest in it, which may be where it goes to */

static ngx_int_t
ngx_media_rtmp_digest(const u_char *p, size_t offset, const u_char *key,
    int len, u_char *digest)
{
    size_t            n;
    u_char            buf[NGX_MEDIA_RTMP_HS_SIZE];
    ngx_media_span_t  ranges[2];

    ngx_media_rtmp_hs_signed(p, offset, ranges);

    n = ngx_media_span_len(&ranges[0]);

    ngx_memcpy(buf, ranges[0].pos, n);
    ngx_memcpy(buf + n, ranges[1].pos, ngx_media_span_len(&ranges[1]));

    n += ngx_media_span_len(&ranges[1]);

    if (HMAC(EVP_sha256(), key, len, buf, n, digest, NULL) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}
