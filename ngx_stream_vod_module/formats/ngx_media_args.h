
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Arguments behind each URI of a playlist or manifest of ours, where what a
 * CDN, or secure_link, wants to see has to be in every request:
 *
 *     v1/7.m4s  ->  v1/7.m4s?st=aBc&e=1900000000
 *
 * URIs that are not relative are others', and stay as they are.
 */


#ifndef _NGX_MEDIA_ARGS_H_INCLUDED_
#define _NGX_MEDIA_ARGS_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


typedef enum {
    NGX_MEDIA_ARGS_M3U8 = 0,
    NGX_MEDIA_ARGS_MPD,
    NGX_MEDIA_ARGS_VTT                        /* cues that are URIs */
} ngx_media_args_e;


/*
 * May a value, as it is in a request, be put there as it is?  Not what ends a
 * line, a quoted string, an attribute or an argument anywhere, nor what players
 * put something else in place of ("$Number$", "{$name}").
 */
ngx_uint_t ngx_media_args_safe(const u_char *pos, const u_char *last);

/*
 * The text with args, "a=1&b=2" of safe ones, in all its URIs; the size, and at
 * p, unless that is NULL, the text
 */
size_t ngx_media_args_write(u_char *p, ngx_media_args_e form,
    const ngx_str_t *text, const ngx_str_t *args);


#endif /* _NGX_MEDIA_ARGS_H_INCLUDED_ */
