
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The store in a zone: how large it is, and how it begins.
 */


#ifndef _NGX_MEDIA_STORE_ZONE_H_INCLUDED_
#define _NGX_MEDIA_STORE_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "memory/ngx_media_zone.h"


/* the zone that the application asks for, with nothing but the store */
void ngx_media_store_zone_conf(const ngx_media_app_t *app,
    ngx_media_zone_conf_t *conf);

/* bytes of the store at such a zone's head, and how these begin */
size_t ngx_media_store_memory(const ngx_media_zone_conf_t *conf);
void ngx_media_store_format(ngx_media_zone_t *zone, void *mem);


#endif /* _NGX_MEDIA_STORE_ZONE_H_INCLUDED_ */
