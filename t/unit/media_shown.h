
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Of access, for programs without: names are no secrets.
 */


#ifndef _MEDIA_SHOWN_H_INCLUDED_
#define _MEDIA_SHOWN_H_INCLUDED_


#include "access/ngx_media_access.h"


const ngx_str_t *
ngx_media_access_shown(const ngx_media_app_t *app, const ngx_str_t *name)
{
    return name;
}


#endif /* _MEDIA_SHOWN_H_INCLUDED_ */
