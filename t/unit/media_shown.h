
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Of access, for programs without: names are no secrets, and nobody is banned
 * but who is said here.
 */


#ifndef _MEDIA_SHOWN_H_INCLUDED_
#define _MEDIA_SHOWN_H_INCLUDED_


#include "access/ngx_media_access.h"
#include "access/ngx_media_ban.h"


const ngx_str_t *
ngx_media_access_shown(const ngx_media_app_t *app, const ngx_str_t *name)
{
    return name;
}


void
ngx_media_access_here(const ngx_media_app_t *app, uint64_t id,
    void (*close)(void *data, const char *reason), void *data)
{
    /* nobody asks */
}


void
ngx_media_access_ended(const ngx_media_app_t *app, uint64_t id,
    const char *reason)
{
    /* nobody asks */
}


static const char  *media_banned;            /* why; NULL: nobody is */
static ngx_uint_t   media_ban_after;         /* so many that ask */


ngx_int_t
ngx_media_ban_check(const ngx_media_app_t *app, ngx_uint_t action,
    const ngx_str_t *name, const ngx_str_t *address, const char **reason)
{
    if (media_banned == NULL) {
        return NGX_OK;
    }

    if (media_ban_after) {
        media_ban_after--;
        return NGX_OK;
    }

    *reason = media_banned;

    return NGX_DECLINED;
}


#endif /* _MEDIA_SHOWN_H_INCLUDED_ */
