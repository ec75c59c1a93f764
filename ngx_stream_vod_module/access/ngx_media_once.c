
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A table with open addressing.  A place that was never used ends a search; one
 * whose token has expired is used again.  That is what "expires" says, which is
 * written last: who dies before has written nothing.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_once.h"
#include "formats/ngx_media_bytes.h"
#include "memory/ngx_media_sync.h"

#include <openssl/evp.h>


#define NGX_MEDIA_ONCE_DIGEST  32


/* the lock guards all of it */

typedef struct {
    u_char                    token[NGX_MEDIA_ONCE_DIGEST];
    u_char                    user[NGX_MEDIA_ONCE_DIGEST];
    int64_t                   expires;        /* s since the epoch; 0: it was
                                                 never used */
} ngx_media_once_entry_t;


struct ngx_media_once_shm_s {
    ngx_media_lock_t          lock;
    uint32_t                  n;
    uint64_t                  full;           /* how often it was */
    ngx_media_once_entry_t    entries[1];
};


static ngx_int_t ngx_media_once_digest(u_char *digest, const ngx_str_t *one,
    const ngx_str_t *two);
static ngx_int_t ngx_media_once_use_locked(ngx_media_once_shm_t *sh,
    const ngx_media_once_entry_t *wanted);


size_t
ngx_media_once_size(ngx_uint_t n)
{
    return offsetof(ngx_media_once_shm_t, entries)
           + n * sizeof(ngx_media_once_entry_t);
}


void
ngx_media_once_init(ngx_media_once_shm_t *sh, ngx_uint_t n)
{
    sh->n = (uint32_t) n;
}


ngx_int_t
ngx_media_once_use(ngx_media_once_shm_t *sh, const ngx_media_once_t *once,
    uint64_t *full)
{
    ngx_int_t               rc;
    ngx_media_once_entry_t  wanted;

    if (ngx_media_once_digest(wanted.token, &once->issuer, &once->jti)
        != NGX_OK
        || ngx_media_once_digest(wanted.user, &once->address, &once->name)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    wanted.expires = once->expires;

    /* who died in it has left nothing that is to be repaired */

    (void) ngx_media_lock(&sh->lock);

    rc = ngx_media_once_use_locked(sh, &wanted);

    if (rc == NGX_BUSY) {
        *full = ++sh->full;
    }

    ngx_media_unlock(&sh->lock);

    return rc;
}


/* of both, the length of the first one before them */

static ngx_int_t
ngx_media_once_digest(u_char *digest, const ngx_str_t *one,
    const ngx_str_t *two)
{
    int          rc;
    size_t       len;
    EVP_MD_CTX  *ctx;

    len = one->len;
    ctx = EVP_MD_CTX_new();

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    rc = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1
         && EVP_DigestUpdate(ctx, &len, sizeof(size_t)) == 1
         && EVP_DigestUpdate(ctx, one->data, one->len) == 1
         && EVP_DigestUpdate(ctx, two->data, two->len) == 1
         && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

    EVP_MD_CTX_free(ctx);

    return rc ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_media_once_use_locked(ngx_media_once_shm_t *sh,
    const ngx_media_once_entry_t *wanted)
{
    time_t                   now;
    ngx_uint_t               i, home;
    ngx_media_once_entry_t  *entry, *place;

    now = ngx_time();
    place = NULL;
    home = ngx_media_get_be32(wanted->token);

    for (i = 0; i < sh->n; i++) {
        entry = &sh->entries[(home + i) % sh->n];

        if (entry->expires <= now) {
            place = place ? place : entry;

            if (entry->expires == 0) {
                break;
            }

            continue;
        }

        if (ngx_memcmp(entry->token, wanted->token, NGX_MEDIA_ONCE_DIGEST)
            != 0)
        {
            continue;
        }

        if (ngx_memcmp(entry->user, wanted->user, NGX_MEDIA_ONCE_DIGEST)
            != 0)
        {
            return NGX_DECLINED;
        }

        /* another token with it may live for longer */

        if (wanted->expires > entry->expires) {
            ngx_media_store(&entry->expires, wanted->expires);
        }

        return NGX_OK;
    }

    if (place == NULL) {
        return NGX_BUSY;
    }

    /* expired, but not unused, while it is written: others are behind it */

    if (place->expires) {
        ngx_media_store(&place->expires, 1);
    }

    ngx_memcpy(place->token, wanted->token, NGX_MEDIA_ONCE_DIGEST);
    ngx_memcpy(place->user, wanted->user, NGX_MEDIA_ONCE_DIGEST);

    ngx_media_store(&place->expires, wanted->expires);

    return NGX_OK;
}
