
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


/* of the zone that the application asks for */
void ngx_media_store_zone_conf(const ngx_media_app_t *app,
    ngx_media_zone_conf_t *conf);

/* lays out the store at the zone's head, which was formatted */
void ngx_media_store_format(ngx_media_zone_t *zone,
    const ngx_media_app_t *app);


#endif /* _NGX_MEDIA_STORE_ZONE_H_INCLUDED_ */
