
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The life of streams: how they are born, change hands, and end.
 */


#ifndef _NGX_MEDIA_STREAM_H_INCLUDED_
#define _NGX_MEDIA_STREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_store_shm.h"


/* a stream that is not claimed ends, after its grace time or at once */
void ngx_media_streams_tick(ngx_media_zone_t *zone);

/*
 * Tracks are known now: the multivariant playlist may be given out.  Segments
 * below first are not listed.
 */
void ngx_media_stream_ready(const ngx_media_claim_t *claim, ngx_uint_t clock,
    uint64_t first);

uint64_t ngx_media_stream_number(const ngx_media_claim_t *claim);  /* next */



/* between the files that change streams */

/* links a record that nobody publishes yet; NGX_AGAIN: somebody was faster */
ngx_int_t ngx_media_stream_born(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_claim_t *claim);

/* its publishers take numbers faster than time goes */
ngx_uint_t ngx_media_stream_hurries(ngx_media_stream_shm_t *s);

/* text is cut to what fits */
void ngx_media_stream_set(u_char *dst, uint32_t *len, size_t size,
    ngx_str_t *src);

/* why its publisher is gone, or taken for gone; reason is static */
void ngx_media_stream_reason_locked(ngx_media_stream_shm_t *s,
    const char *reason);

/* its publisher has gone: what it left open is closed */
void ngx_media_stream_leave_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const char *reason);

/* the same; unlocks; a stream that never had a part is removed */
void ngx_media_stream_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const char *reason);

/* unlocks */
void ngx_media_stream_remove_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);


#endif /* _NGX_MEDIA_STREAM_H_INCLUDED_ */
