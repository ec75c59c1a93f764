
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Do the books of a zone and of its streams agree with themselves: debug
 * builds look after each repair, tests whenever they like.  Each contradiction
 * is an alert; returned is how many there are.
 */


#ifndef _NGX_MEDIA_VALIDATE_H_INCLUDED_
#define _NGX_MEDIA_VALIDATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_zone.h"


#if (NGX_DEBUG)

/* takes the zone's lock */
ngx_uint_t ngx_media_zone_validate(ngx_media_zone_t *zone);

/* the locks are held by the caller */
ngx_uint_t ngx_media_zone_validate_locked(ngx_media_zone_t *zone);
ngx_uint_t ngx_media_stream_validate_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);

#else

#define ngx_media_zone_validate(zone)              0
#define ngx_media_zone_validate_locked(zone)       0
#define ngx_media_stream_validate_locked(zone, s)  0

#endif


#endif /* _NGX_MEDIA_VALIDATE_H_INCLUDED_ */
