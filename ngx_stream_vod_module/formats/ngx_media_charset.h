
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_CHARSET_H_INCLUDED_
#define _NGX_MEDIA_CHARSET_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


typedef enum {
    NGX_MEDIA_CHARSET_UTF8 = 0,
    NGX_MEDIA_CHARSET_UTF16LE,
    NGX_MEDIA_CHARSET_UTF16BE,
    NGX_MEDIA_CHARSET_LATIN1
} ngx_media_charset_e;


/*
 * What a text file is written in: what its byte order mark says; without one
 * UTF-8, or, if it is not well-formed, Latin-1 in the extent of Windows-1252,
 * as the encoding standard of browsers has it.
 */
ngx_media_charset_e ngx_media_charset_detect(const u_char *pos,
    const u_char *last);

/*
 * The text in UTF-8, without a byte order mark: at most three times as long.
 * With p NULL only the size is returned.
 */
size_t ngx_media_charset_utf8(u_char *p, const u_char *pos,
    const u_char *last);


#endif /* _NGX_MEDIA_CHARSET_H_INCLUDED_ */
