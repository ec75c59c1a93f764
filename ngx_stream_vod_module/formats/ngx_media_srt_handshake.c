
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_srt_handshake.h"
#include "formats/ngx_media_bytes.h"


#define NGX_MEDIA_SRT_MAGIC      0x4a17       /* field of our induction */
#define NGX_MEDIA_SRT_HSV5       5
#define NGX_MEDIA_SRT_SRT_MIN    0x00010300   /* SRT that has version 5 */

#define NGX_MEDIA_SRT_MTU_MIN    32           /* as libsrt wants them */
#define NGX_MEDIA_SRT_WINDOW_MIN 2

/* extension field of a conclusion */
#define NGX_MEDIA_SRT_FIELD_HSREQ  1
#define NGX_MEDIA_SRT_FIELD_KMREQ  2

/* that we answer: all but a byte stream and a filter */
#define NGX_MEDIA_SRT_FLAGS      0x3f

#define NGX_MEDIA_SRT_CONGESTION_MAX  16      /* bytes of its name */


typedef struct {
    ngx_uint_t                type;
    size_t                    min;            /* bytes */
    size_t                    max;
    void                    (*read)(ngx_media_srt_handshake_t *hs,
                                    const u_char *pos, const u_char *last);
} ngx_media_srt_block_t;


typedef struct {
    ngx_media_srt_refuse_e    refuse;
    const char               *text;
} ngx_media_srt_refusal_t;


/* what an answer does not have as the caller had it */

typedef struct {
    uint32_t                  version;
    uint32_t                  field;
    uint32_t                  mtu;
    uint32_t                  window;
    uint32_t                  type;
    uint32_t                  id;
    uint32_t                  cookie;
} ngx_media_srt_body_t;


static ngx_int_t ngx_media_srt_read_blocks(ngx_media_srt_handshake_t *hs,
    ngx_media_reader_t *r);
static ngx_int_t ngx_media_srt_read_block(ngx_media_srt_handshake_t *hs,
    ngx_uint_t type, const ngx_media_span_t *body);
static void ngx_media_srt_read_hsreq(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_read_km(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_read_sid(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_read_congestion(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_read_group(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last);
static size_t ngx_media_srt_read_text(u_char *p, const u_char *pos,
    const u_char *last);
static u_char *ngx_media_srt_body_write(u_char *p,
    const ngx_media_srt_handshake_t *hs, const ngx_media_srt_body_t *body,
    uint32_t ts);
static void ngx_media_srt_cookie_address(ngx_media_siphash_t *hash,
    const struct sockaddr *sa);


/* 3.2.1.1; those that are not here are skipped */

static const ngx_media_srt_block_t  ngx_media_srt_blocks[] = {

    { NGX_MEDIA_SRT_HSREQ, 12, NGX_MEDIA_SRT_PAYLOAD,
      ngx_media_srt_read_hsreq },
    { NGX_MEDIA_SRT_HSRSP, 12, NGX_MEDIA_SRT_PAYLOAD,
      ngx_media_srt_read_hsreq },
    { NGX_MEDIA_SRT_KMREQ, 4, NGX_MEDIA_SRT_KM_SIZE, ngx_media_srt_read_km },
    { NGX_MEDIA_SRT_KMRSP, 4, NGX_MEDIA_SRT_KM_SIZE, ngx_media_srt_read_km },
    { NGX_MEDIA_SRT_SID, 4, NGX_MEDIA_SRT_SID_MAX, ngx_media_srt_read_sid },
    { NGX_MEDIA_SRT_CONGESTION_CONTROL, 4, NGX_MEDIA_SRT_CONGESTION_MAX,
      ngx_media_srt_read_congestion },
    { NGX_MEDIA_SRT_FILTER, 4, NGX_MEDIA_SRT_PAYLOAD, NULL },
    { NGX_MEDIA_SRT_GROUP, 8, NGX_MEDIA_SRT_PAYLOAD,
      ngx_media_srt_read_group },

    { 0, 0, 0, NULL }
};


static const ngx_media_srt_refusal_t  ngx_media_srt_refusals[] = {

    { NGX_MEDIA_SRT_REFUSE_RESOURCE, "there is no memory, or no socket" },
    { NGX_MEDIA_SRT_REFUSE_MALFORMED, "the handshake is malformed" },
    { NGX_MEDIA_SRT_REFUSE_VERSION,
      "the caller is older than SRT 1.3.0, or wants to be" },
    { NGX_MEDIA_SRT_REFUSE_PASSPHRASE, "passphrase does not match" },
    { NGX_MEDIA_SRT_REFUSE_CLEAR, "one side has a passphrase, one has none" },
    { NGX_MEDIA_SRT_REFUSE_STREAM,
      "the caller sends a stream of bytes, and not messages" },
    { NGX_MEDIA_SRT_REFUSE_FILE, "the caller is in file mode, and not live" },
    { NGX_MEDIA_SRT_REFUSE_FILTER, "the caller wants a packet filter" },
    { NGX_MEDIA_SRT_REFUSE_GROUP, "the caller is a link of a group" },
    { NGX_MEDIA_SRT_REFUSE_CIPHER,
      "the caller encrypts by another cipher than AES-CTR" },
    { NGX_MEDIA_SRT_REFUSE_SID, "stream id" },
    { NGX_MEDIA_SRT_REFUSE_UNAUTHORIZED, "access, without credentials" },
    { NGX_MEDIA_SRT_REFUSE_OVERLOAD, "too many callers" },
    { NGX_MEDIA_SRT_REFUSE_FORBIDDEN, "access" },
    { NGX_MEDIA_SRT_REFUSE_NOT_FOUND, "there is nothing to play" },
    { NGX_MEDIA_SRT_REFUSE_CONFLICT, "the stream has a publisher" },
    { NGX_MEDIA_SRT_REFUSE_NARROW, "datagrams of the caller are too small" },
    { NGX_MEDIA_SRT_REFUSE_UNAVAILABLE, "the server leaves, or is too slow" },

    { 0, NULL }
};


ngx_int_t
ngx_media_srt_handshake_parse(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last)
{
    const u_char        *peer;
    ngx_media_reader_t   r;

    ngx_memzero(hs, offsetof(ngx_media_srt_handshake_t, sid));

    hs->live = 1;

    ngx_media_reader_init(&r, pos, last);

    hs->version = ngx_media_read_be32(&r);
    hs->encryption = ngx_media_read_be16(&r);
    hs->field = ngx_media_read_be16(&r);
    hs->isn = ngx_media_read_be32(&r);
    hs->mtu = ngx_media_read_be32(&r);
    hs->window = ngx_media_read_be32(&r);
    hs->type = ngx_media_read_be32(&r);
    hs->id = ngx_media_read_be32(&r);
    hs->cookie = ngx_media_read_be32(&r);
    peer = ngx_media_read_bytes(&r, sizeof(hs->peer));

    if (r.err) {
        return NGX_DECLINED;
    }

    ngx_memcpy(hs->peer, peer, sizeof(hs->peer));

    if (hs->isn > NGX_MEDIA_SRT_SEQ_MAX
        || hs->mtu < NGX_MEDIA_SRT_MTU_MIN
        || hs->window < NGX_MEDIA_SRT_WINDOW_MIN)
    {
        return NGX_ERROR;
    }

    if (hs->type != NGX_MEDIA_SRT_CONCLUSION
        || hs->version < NGX_MEDIA_SRT_HSV5)
    {
        return NGX_OK;
    }

    return ngx_media_srt_read_blocks(hs, &r);
}


/* whatever the extension field says of them */

static ngx_int_t
ngx_media_srt_read_blocks(ngx_media_srt_handshake_t *hs,
    ngx_media_reader_t *r)
{
    size_t            len;
    ngx_uint_t        type;
    ngx_media_span_t  body;

    while (r->pos < r->last) {
        type = ngx_media_read_be16(r);
        len = ngx_media_read_be16(r) * 4;

        ngx_media_read_span(r, len, &body);

        if (r->err || ngx_media_srt_read_block(hs, type, &body) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_srt_read_block(ngx_media_srt_handshake_t *hs, ngx_uint_t type,
    const ngx_media_span_t *body)
{
    size_t                        len;
    const ngx_media_srt_block_t  *block;

    for (block = ngx_media_srt_blocks; block->type != type; block++) {

        if (block->type == 0) {
            return NGX_OK;
        }
    }

    len = ngx_media_span_len(body);

    if ((hs->seen & (1 << type)) || len < block->min || len > block->max) {
        return NGX_ERROR;
    }

    hs->seen |= 1 << type;

    if (block->read) {
        block->read(hs, body->pos, body->last);
    }

    return NGX_OK;
}


/* 3.2.1.1; of an answer, too */

static void
ngx_media_srt_read_hsreq(ngx_media_srt_handshake_t *hs, const u_char *pos,
    const u_char *last)
{
    hs->srt = ngx_media_get_be32(pos);
    hs->flags = ngx_media_get_be32(pos + 4);
    hs->rcv_latency = ngx_media_get_be16(pos + 8);
    hs->snd_latency = ngx_media_get_be16(pos + 10);
}


static void
ngx_media_srt_read_km(ngx_media_srt_handshake_t *hs, const u_char *pos,
    const u_char *last)
{
    hs->km.pos = pos;
    hs->km.last = last;
}


static void
ngx_media_srt_read_sid(ngx_media_srt_handshake_t *hs, const u_char *pos,
    const u_char *last)
{
    hs->sid_len = ngx_media_srt_read_text(hs->sid, pos, last);
}


static void
ngx_media_srt_read_congestion(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last)
{
    size_t  len;
    u_char  name[NGX_MEDIA_SRT_CONGESTION_MAX];

    len = ngx_media_srt_read_text(name, pos, last);

    hs->live = len == 4 && ngx_memcmp(name, "live", 4) == 0;
}


/* 3.2.1.4 */

static void
ngx_media_srt_read_group(ngx_media_srt_handshake_t *hs, const u_char *pos,
    const u_char *last)
{
    hs->group = ngx_media_get_be32(pos);
    hs->group_type = pos[4];
    hs->group_flags = pos[5];
    hs->group_weight = ngx_media_get_be16(pos + 6);
}


/* 3.2.1.3: each four bytes are reversed, and zeros follow */

static size_t
ngx_media_srt_read_text(u_char *p, const u_char *pos, const u_char *last)
{
    size_t  len;

    len = last - pos;

    for ( /* void */ ; pos < last; pos += 4) {
        *p++ = pos[3];
        *p++ = pos[2];
        *p++ = pos[1];
        *p++ = pos[0];
    }

    while (len && *--p == '\0') {
        len--;
    }

    return len;
}


ngx_media_srt_refuse_e
ngx_media_srt_handshake_check(const ngx_media_srt_handshake_t *hs)
{
    if (hs->version < NGX_MEDIA_SRT_HSV5) {
        return NGX_MEDIA_SRT_REFUSE_VERSION;
    }

    if (!(hs->seen & (1 << NGX_MEDIA_SRT_HSREQ))) {
        return NGX_MEDIA_SRT_REFUSE_MALFORMED;
    }

    if (hs->srt < NGX_MEDIA_SRT_SRT_MIN) {
        return NGX_MEDIA_SRT_REFUSE_VERSION;
    }

    /* "transtype=file" has both: it is told what it has to change */

    if (!hs->live) {
        return NGX_MEDIA_SRT_REFUSE_FILE;
    }

    if (hs->flags & NGX_MEDIA_SRT_FLAG_STREAM) {
        return NGX_MEDIA_SRT_REFUSE_STREAM;
    }

    if (hs->seen & (1 << NGX_MEDIA_SRT_FILTER)) {
        return NGX_MEDIA_SRT_REFUSE_FILTER;
    }

    if (hs->seen & (1 << NGX_MEDIA_SRT_GROUP)) {
        return NGX_MEDIA_SRT_REFUSE_GROUP;
    }

    return NGX_MEDIA_SRT_ACCEPTED;
}


const char *
ngx_media_srt_refuse_text(ngx_media_srt_refuse_e refuse)
{
    const ngx_media_srt_refusal_t  *refusal;

    for (refusal = ngx_media_srt_refusals; refusal->text; refusal++) {

        if (refusal->refuse == refuse) {
            return refusal->text;
        }
    }

    return "nobody said why";
}


u_char *
ngx_media_srt_induction_write(u_char *p, const ngx_media_srt_handshake_t *hs,
    uint32_t cookie, uint32_t ts)
{
    ngx_media_srt_body_t  body;

    /* a caller that does not find the magic goes on as version 4 */

    body.version = NGX_MEDIA_SRT_HSV5;
    body.field = NGX_MEDIA_SRT_MAGIC;
    body.mtu = hs->mtu;
    body.window = hs->window;
    body.type = NGX_MEDIA_SRT_INDUCTION;
    body.id = hs->id;
    body.cookie = cookie;

    return ngx_media_srt_body_write(p, hs, &body, ts);
}


u_char *
ngx_media_srt_refuse_write(u_char *p, const ngx_media_srt_handshake_t *hs,
    ngx_media_srt_refuse_e refuse, uint32_t ts)
{
    ngx_media_srt_body_t  body;

    body.version = hs->version;
    body.field = 0;
    body.mtu = hs->mtu;
    body.window = hs->window;
    body.type = refuse;
    body.id = hs->id;
    body.cookie = hs->cookie;

    return ngx_media_srt_body_write(p, hs, &body, ts);
}


size_t
ngx_media_srt_accept_write(u_char *p, const ngx_media_srt_handshake_t *hs,
    const ngx_media_srt_accept_t *accept, uint32_t ts)
{
    size_t                km;
    ngx_media_srt_body_t  body;

    km = accept->km.pos ? ngx_media_span_len(&accept->km) : 0;

    if (p) {
        body.version = NGX_MEDIA_SRT_HSV5;
        body.field = NGX_MEDIA_SRT_FIELD_HSREQ;
        body.mtu = ngx_min(hs->mtu, NGX_MEDIA_SRT_MTU);
        body.window = NGX_MEDIA_SRT_WINDOW;
        body.type = NGX_MEDIA_SRT_CONCLUSION;
        body.id = accept->id;
        body.cookie = hs->cookie;

        if (km) {
            body.field |= NGX_MEDIA_SRT_FIELD_KMREQ;
        }

        p = ngx_media_srt_body_write(p, hs, &body, ts);

        p = ngx_media_put_be16(p, NGX_MEDIA_SRT_HSRSP);
        p = ngx_media_put_be16(p, 12 / 4);
        p = ngx_media_put_be32(p, NGX_MEDIA_SRT_VERSION);
        p = ngx_media_put_be32(p, NGX_MEDIA_SRT_FLAGS);
        p = ngx_media_put_be16(p, accept->latency);
        p = ngx_media_put_be16(p, accept->peer_latency);

        /* without an answer to its keys a caller hangs up */

        if (km) {
            p = ngx_media_put_be16(p, NGX_MEDIA_SRT_KMRSP);
            p = ngx_media_put_be16(p, km / 4);
            (void) ngx_cpymem(p, accept->km.pos, km);
        }
    }

    return NGX_MEDIA_SRT_HANDSHAKE_SIZE + 16 + (km ? 4 + km : 0);
}


static u_char *
ngx_media_srt_body_write(u_char *p, const ngx_media_srt_handshake_t *hs,
    const ngx_media_srt_body_t *body, uint32_t ts)
{
    p = ngx_media_srt_put_header(p, NGX_MEDIA_SRT_HANDSHAKE, 0, 0, ts, hs->id);

    p = ngx_media_put_be32(p, body->version);
    p = ngx_media_put_be16(p, 0);
    p = ngx_media_put_be16(p, body->field);
    p = ngx_media_put_be32(p, hs->isn);
    p = ngx_media_put_be32(p, body->mtu);
    p = ngx_media_put_be32(p, body->window);
    p = ngx_media_put_be32(p, body->type);
    p = ngx_media_put_be32(p, body->id);
    p = ngx_media_put_be32(p, body->cookie);

    return ngx_cpymem(p, hs->peer, sizeof(hs->peer));
}


uint32_t
ngx_media_srt_cookie(const u_char *secret, const struct sockaddr *peer,
    const struct sockaddr *local, uint64_t minute)
{
    u_char               bytes[8];
    uint32_t             cookie;
    ngx_media_siphash_t  hash;

    (void) ngx_media_put_be64(bytes, minute);

    ngx_media_siphash_init(&hash, secret);
    ngx_media_siphash_update(&hash, bytes, sizeof(bytes));
    ngx_media_srt_cookie_address(&hash, peer);
    ngx_media_srt_cookie_address(&hash, local);

    cookie = (uint32_t) ngx_media_siphash_final(&hash);

    return cookie ? cookie : 1;
}


/* field by field: in between is what nobody sets */

static void
ngx_media_srt_cookie_address(ngx_media_siphash_t *hash,
    const struct sockaddr *sa)
{
    u_char                      family;
    const struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    const struct sockaddr_in6  *sin6;
#endif

    family = sa->sa_family;
    ngx_media_siphash_update(hash, &family, 1);

    switch (sa->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (const struct sockaddr_in6 *) sa;
        ngx_media_siphash_update(hash, sin6->sin6_addr.s6_addr, 16);
        ngx_media_siphash_update(hash, (const u_char *) &sin6->sin6_port, 2);
        break;
#endif

    case AF_INET:
        sin = (const struct sockaddr_in *) sa;
        ngx_media_siphash_update(hash, (const u_char *) &sin->sin_addr, 4);
        ngx_media_siphash_update(hash, (const u_char *) &sin->sin_port, 2);
        break;
    }
}


ngx_uint_t
ngx_media_srt_cookie_valid(const u_char *secret, const struct sockaddr *peer,
    const struct sockaddr *local, uint64_t minute, uint32_t cookie)
{
    return ngx_media_srt_cookie(secret, peer, local, minute) == cookie
           || ngx_media_srt_cookie(secret, peer, local, minute - 1) == cookie;
}
