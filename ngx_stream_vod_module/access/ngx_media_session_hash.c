
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who a viewer is, as numbers.  Each is a hash of its own kind, so that none
 * can be taken for another; lengths stand before what they are of.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_session_shm.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>


#define NGX_MEDIA_SESSION_OVERLAP  (2 * 3600 * 1000 / NGX_MEDIA_SESSION_UNIT)


/* what is hashed */

typedef enum {
    NGX_MEDIA_SESSION_HASH_TAG = 1,
    NGX_MEDIA_SESSION_HASH_STREAM,
    NGX_MEDIA_SESSION_HASH_VIEWER,
    NGX_MEDIA_SESSION_HASH_ADDRESS
} ngx_media_session_hash_e;


static void ngx_media_session_begin(ngx_media_siphash_t *hash,
    const u_char *secret, u_char kind);
static void ngx_media_session_text(ngx_media_siphash_t *hash,
    const ngx_str_t *text);
static void ngx_media_session_who(ngx_media_siphash_t *hash,
    const ngx_media_session_who_t *who);
static void ngx_media_session_net(ngx_media_siphash_t *hash,
    const ngx_media_session_who_t *who);
static size_t ngx_media_session_address(const struct sockaddr *sockaddr,
    u_char *p);
static uint64_t ngx_media_session_final(ngx_media_siphash_t *hash);


/*
 * Another secret each day: what was shown of viewers can be found out by nobody
 * when it has gone.  The day's word is written last, and readers take what it
 * says: what is overwritten is of the day before yesterday.
 */

void
ngx_media_session_rotate(ngx_media_sessions_t *sessions)
{
    u_char                     secret[NGX_MEDIA_SIPHASH_KEY];
    int64_t                    day;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    day = ngx_time() / NGX_MEDIA_SESSION_DAY;

    if (ngx_media_peek(&sh->day) < day
        && RAND_bytes(secret, NGX_MEDIA_SIPHASH_KEY) == 1)
    {
        ngx_media_sessions_lock(sessions);

        if (sh->day < day) {
            ngx_memcpy(sh->secrets[day & 1], secret, NGX_MEDIA_SIPHASH_KEY);

            /* after more than a day there is none of the day before */

            if (sh->day != day - 1
                && RAND_bytes(secret, NGX_MEDIA_SIPHASH_KEY) == 1)
            {
                ngx_memcpy(sh->secrets[!(day & 1)], secret,
                           NGX_MEDIA_SIPHASH_KEY);
            }

            /* whenever it is noticed; 0 would be: nothing overlaps */

            sh->rotated = ngx_media_session_now()
                          - (uint32_t) (ngx_time() % NGX_MEDIA_SESSION_DAY)
                            * (1000 / NGX_MEDIA_SESSION_UNIT);

            sh->rotated += (sh->rotated == 0);

            ngx_media_store(&sh->day, day);
        }

        ngx_media_sessions_unlock(sessions);
    }

    /* what is over is forgotten */

    if (ngx_media_peek(&sh->rotated) && !ngx_media_session_overlaps(sh)
        && RAND_bytes(secret, NGX_MEDIA_SIPHASH_KEY) == 1)
    {
        ngx_media_sessions_lock(sessions);

        if (sh->rotated && !ngx_media_session_overlaps(sh)) {
            ngx_memcpy(sh->secrets[!(sh->day & 1)], secret,
                       NGX_MEDIA_SIPHASH_KEY);
            sh->rotated = 0;
        }

        ngx_media_sessions_unlock(sessions);
    }

    OPENSSL_cleanse(secret, NGX_MEDIA_SIPHASH_KEY);
}


ngx_uint_t
ngx_media_session_overlaps(const ngx_media_sessions_shm_t *sh)
{
    uint32_t  rotated;

    rotated = ngx_media_peek(&sh->rotated);

    return rotated
           && ngx_media_session_age(ngx_media_session_now(), rotated)
              < NGX_MEDIA_SESSION_OVERLAP;
}


uint64_t
ngx_media_session_tag(const ngx_media_sessions_shm_t *sh,
    const ngx_media_session_who_t *who, ngx_uint_t old)
{
    int64_t              day;
    ngx_media_siphash_t  hash;

    day = ngx_media_load(&sh->day);

    ngx_media_session_begin(&hash, sh->secrets[(day ^ (int64_t) old) & 1],
                            NGX_MEDIA_SESSION_HASH_TAG);

    ngx_media_siphash_update(&hash, (const u_char *) &who->connection,
                             sizeof(uint64_t));
    ngx_media_session_text(&hash, &who->app);
    ngx_media_session_text(&hash, &who->name);
    ngx_media_session_who(&hash, who);
    ngx_media_session_text(&hash, &who->device);

    if (who->device.len) {
        ngx_media_session_net(&hash, who);
    }

    return ngx_media_session_final(&hash);
}


void
ngx_media_session_keys(const ngx_media_sessions_shm_t *sh,
    const ngx_media_session_who_t *who, ngx_media_session_keys_t *keys)
{
    u_char               net[16];
    ngx_media_siphash_t  hash;

    ngx_media_session_begin(&hash, sh->secret, NGX_MEDIA_SESSION_HASH_STREAM);
    ngx_media_session_text(&hash, &who->app);
    ngx_media_session_text(&hash, &who->name);

    keys->stream = ngx_media_session_final(&hash);

    ngx_media_session_begin(&hash, sh->secret, NGX_MEDIA_SESSION_HASH_VIEWER);
    ngx_media_session_who(&hash, who);

    keys->viewer = ngx_media_session_final(&hash);
    keys->address = 0;

    if (ngx_media_session_address(who->sockaddr, net)) {
        ngx_media_session_begin(&hash, sh->secret,
                                NGX_MEDIA_SESSION_HASH_ADDRESS);
        ngx_media_session_net(&hash, who);

        keys->address = ngx_media_session_final(&hash);
    }
}


uint64_t
ngx_media_session_stream(ngx_media_sessions_t *sessions, const ngx_str_t *app,
    const ngx_str_t *name)
{
    ngx_media_siphash_t  hash;

    ngx_media_session_begin(&hash, sessions->sh->secret,
                            NGX_MEDIA_SESSION_HASH_STREAM);
    ngx_media_session_text(&hash, app);
    ngx_media_session_text(&hash, name);

    return ngx_media_session_final(&hash);
}


uint64_t
ngx_media_session_viewer(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who)
{
    int64_t                    day;
    ngx_media_siphash_t        hash;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    ngx_media_session_rotate(sessions);

    day = ngx_media_load(&sh->day);

    ngx_media_session_begin(&hash, sh->secrets[day & 1],
                            NGX_MEDIA_SESSION_HASH_VIEWER);
    ngx_media_session_who(&hash, who);

    return ngx_media_session_final(&hash);
}


/* what is shown of it, as "address=" says */

void
ngx_media_session_show(const ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, ngx_media_session_shm_t *slot)
{
    u_char                     address[16];
    size_t                     len;
    const u_char              *secret;
    ngx_media_siphash_t        hash;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    secret = sh->secrets[ngx_media_load(&sh->day) & 1];

    ngx_media_session_begin(&hash, secret, NGX_MEDIA_SESSION_HASH_VIEWER);
    ngx_media_session_who(&hash, who);

    slot->shown_viewer = ngx_media_session_final(&hash);
    slot->shown_address = 0;
    slot->plain_len = 0;

    ngx_memzero(slot->plain, sizeof(slot->plain));

    len = ngx_media_session_address(who->sockaddr, address);

    if (len == 0 || sessions->address == NGX_MEDIA_SESSION_ADDRESS_OFF) {
        return;
    }

    ngx_media_session_begin(&hash, secret, NGX_MEDIA_SESSION_HASH_ADDRESS);
    ngx_media_session_net(&hash, who);

    slot->shown_address = ngx_media_session_final(&hash);

    if (sessions->address == NGX_MEDIA_SESSION_ADDRESS_PLAIN) {
        ngx_memcpy(slot->plain, address, len);
        slot->plain_len = len;
    }
}


static void
ngx_media_session_begin(ngx_media_siphash_t *hash, const u_char *secret,
    u_char kind)
{
    ngx_media_siphash_init(hash, secret);
    ngx_media_siphash_update(hash, &kind, 1);
}


static void
ngx_media_session_text(ngx_media_siphash_t *hash, const ngx_str_t *text)
{
    uint32_t  len;

    len = (uint32_t) text->len;

    ngx_media_siphash_update(hash, (u_char *) &len, sizeof(uint32_t));
    ngx_media_siphash_update(hash, text->data, text->len);
}


/* what a player calls its session it says itself: it is so at one address */

static void
ngx_media_session_who(ngx_media_siphash_t *hash,
    const ngx_media_session_who_t *who)
{
    u_char  by;

    by = (u_char) who->by;

    ngx_media_siphash_update(hash, &by, 1);
    ngx_media_session_text(hash, &who->viewer);

    if (who->by == NGX_MEDIA_SESSION_BY_ADDRESS
        || who->by == NGX_MEDIA_SESSION_BY_SID)
    {
        ngx_media_session_net(hash, who);
    }

    if (who->by == NGX_MEDIA_SESSION_BY_ADDRESS) {
        ngx_media_session_text(hash, &who->agent);
    }
}


/* who has IPv6 has at least a /64 */

static void
ngx_media_session_net(ngx_media_siphash_t *hash,
    const ngx_media_session_who_t *who)
{
    u_char  address[16];
    size_t  len;

    len = ngx_media_session_address(who->sockaddr, address);

    ngx_media_siphash_update(hash, address, ngx_min(len, 8));
}


/* its bytes, network order; returns 4, 16, or 0: it has none */

static size_t
ngx_media_session_address(const struct sockaddr *sockaddr, u_char *p)
{
    const struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    const u_char               *address;
    const struct sockaddr_in6  *sin6;
#endif

    if (sockaddr == NULL) {
        return 0;
    }

    switch (sockaddr->sa_family) {

    case AF_INET:
        sin = (const struct sockaddr_in *) sockaddr;
        ngx_memcpy(p, &sin->sin_addr, 4);
        return 4;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (const struct sockaddr_in6 *) sockaddr;
        address = sin6->sin6_addr.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            ngx_memcpy(p, address + 12, 4);
            return 4;
        }

        ngx_memcpy(p, address, 16);
        return 16;
#endif

    default:
        return 0;
    }
}


/* 0 means that there is none */

static uint64_t
ngx_media_session_final(ngx_media_siphash_t *hash)
{
    uint64_t  sum;

    sum = ngx_media_siphash_final(hash);

    return sum ? sum : 1;
}
