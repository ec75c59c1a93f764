
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Room for what comes next, at the expense of what is oldest.
 */


#ifndef _NGX_MEDIA_EVICT_H_INCLUDED_
#define _NGX_MEDIA_EVICT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_store_shm.h"


/* limbo, what is listed no more, the oldest; 1 if something was done */
ngx_uint_t ngx_media_zone_make_room(ngx_media_zone_t *zone);


#endif /* _NGX_MEDIA_EVICT_H_INCLUDED_ */
