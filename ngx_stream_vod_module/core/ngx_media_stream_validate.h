
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Do the books of a stream agree with themselves: as ngx_media_zone_validate.h
 * of those of a zone.
 */


#ifndef _NGX_MEDIA_STREAM_VALIDATE_H_INCLUDED_
#define _NGX_MEDIA_STREAM_VALIDATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_store_shm.h"
#include "memory/ngx_media_zone_validate.h"


#if (NGX_DEBUG)

/* the stream's lock and the zone's are held by the caller */
ngx_uint_t ngx_media_stream_validate_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);

#else

#define ngx_media_stream_validate_locked(zone, s)  0

#endif


#endif /* _NGX_MEDIA_STREAM_VALIDATE_H_INCLUDED_ */
