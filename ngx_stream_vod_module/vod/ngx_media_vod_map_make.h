
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What those who make maps share: vod/ngx_media_vod_map*.c only.
 */


#ifndef _NGX_MEDIA_VOD_MAP_MAKE_H_INCLUDED_
#define _NGX_MEDIA_VOD_MAP_MAKE_H_INCLUDED_


#include "vod/ngx_media_vod_map.h"


/* sets status and error of "fmt", of printf(); returns NGX_ERROR */
ngx_int_t ngx_media_vod_map_fail(ngx_media_vod_map_make_t *make,
    ngx_uint_t status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
ngx_int_t ngx_media_vod_map_nomem(ngx_media_vod_map_make_t *make);

/* the map becomes one of so many sequences and clips, with what they are
   when nothing is said */
ngx_int_t ngx_media_vod_map_init(ngx_media_vod_map_make_t *make,
    ngx_uint_t nsequences, ngx_uint_t nclips);

/*
 * Names never leave the root: NULL, or what is wrong with a name that is to
 * stand below it; it begins with a slash or not.
 */
const char *ngx_media_vod_map_check(const u_char *pos, const u_char *last);

/* a path of the root and of the name that these parts are */
ngx_int_t ngx_media_vod_map_name(ngx_media_vod_map_make_t *make,
    const ngx_str_t *parts, ngx_uint_t n, ngx_str_t *path);

/* the last step: its hash, status 200, NGX_OK */
ngx_int_t ngx_media_vod_map_done(ngx_media_vod_map_make_t *make);


#endif /* _NGX_MEDIA_VOD_MAP_MAKE_H_INCLUDED_ */
