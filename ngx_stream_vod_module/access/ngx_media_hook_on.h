
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * on publish | play | ... URL of media {}: for other modules, which back ends
 * there are.
 */


#ifndef _NGX_MEDIA_HOOK_ON_H_INCLUDED_
#define _NGX_MEDIA_HOOK_ON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_access.h"


/* is one asked whether somebody may?  once the block has been read */
ngx_uint_t ngx_media_hook_on(const ngx_media_app_t *app,
    ngx_media_access_e action);

/* is one told of this event, NGX_MEDIA_HOOK_PUBLISH...? */
ngx_uint_t ngx_media_hook_has(const ngx_media_app_t *app, ngx_uint_t event);

/* times that what was told came to this, see docs/metrics.md */
uint64_t ngx_media_hook_said(const ngx_media_app_t *app, ngx_uint_t event,
    ngx_uint_t said);


/* "publish_auth hook", of ngx_media_auth_module.c: it is a hook that says whose
   a name is; others may let in whoever comes */
ngx_uint_t ngx_media_auth_asks_hook(const ngx_media_app_t *app);


#endif /* _NGX_MEDIA_HOOK_ON_H_INCLUDED_ */
