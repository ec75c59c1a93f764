
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The lock of a stream; what is left by a holder that died is repaired.
 */


#ifndef _NGX_MEDIA_STREAM_LOCK_H_INCLUDED_
#define _NGX_MEDIA_STREAM_LOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_store_shm.h"


void ngx_media_stream_lock(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
ngx_int_t ngx_media_stream_trylock(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
void ngx_media_stream_unlock(ngx_media_stream_shm_t *s);

/* NGX_DECLINED: it is another one's now; it is not locked then */
ngx_int_t ngx_media_claim_lock(const ngx_media_claim_t *claim);

/* the last step of a publisher's leaving, after its epoch is over */
void ngx_media_stream_left_locked(ngx_media_stream_shm_t *s);


#endif /* _NGX_MEDIA_STREAM_LOCK_H_INCLUDED_ */
