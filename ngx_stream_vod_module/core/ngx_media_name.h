
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What streams may be called.  A name becomes a part of URLs, where it may hold
 * slashes: no empty, "." or ".." component, no control characters, nothing that
 * ends a path.
 */


#ifndef _NGX_MEDIA_NAME_H_INCLUDED_
#define _NGX_MEDIA_NAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* NULL: good; otherwise what is wrong, static, and the byte, if it is one */
const char *ngx_media_name_wrong(const ngx_str_t *name, const u_char **bad);


#endif /* _NGX_MEDIA_NAME_H_INCLUDED_ */
