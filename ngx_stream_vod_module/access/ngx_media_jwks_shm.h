
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The last answer of a server of keys, for workers that start later.  Its
 * length is there when all of it is: who dies in between leaves none, and no
 * mixture of two, which may be a key set that is nobody's.
 */


#ifndef _NGX_MEDIA_JWKS_SHM_H_INCLUDED_
#define _NGX_MEDIA_JWKS_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_jwk.h"
#include "memory/ngx_media_sync.h"


/* guarded by the mutex of its zone */

typedef struct {
    size_t                    len;            /* 0: there has been none */
    ngx_msec_t                begun;          /* when it was asked for, by the
                                                 clock of the machine */
    u_char                    text[NGX_MEDIA_JWK_MAX];
} ngx_media_jwks_shm_t;


/* text: of NGX_MEDIA_JWK_MAX bytes at most */

static ngx_inline void
ngx_media_jwks_put_locked(ngx_media_jwks_shm_t *shm, const u_char *text,
    size_t len)
{
    /* nothing of what follows is done before */

    (void) ngx_media_exchange(&shm->len, 0);

    ngx_memcpy(shm->text, text, len);

    ngx_media_store(&shm->len, len);
}


#endif /* _NGX_MEDIA_JWKS_SHM_H_INCLUDED_ */
