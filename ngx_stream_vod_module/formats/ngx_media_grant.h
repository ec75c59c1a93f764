
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a token lets its holder do, and with which streams:
 *
 *     demo        the stream of this name
 *     news/...    with "*" for the dots: all whose names begin with "news/"
 *     *           all
 *
 * A prefix ends at a slash: "live/demo" is never also "live/demo2".
 */


#ifndef _NGX_MEDIA_GRANT_H_INCLUDED_
#define _NGX_MEDIA_GRANT_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_GRANT_PUBLISH  0x01
#define NGX_MEDIA_GRANT_PLAY     0x02


typedef struct {
    ngx_uint_t                actions;        /* NGX_MEDIA_GRANT_* */
    ngx_media_span_t          path;           /* a pattern as above */
    unsigned                  app:1;          /* it begins with that of the
                                                 application, and a slash */
} ngx_media_grant_t;


/* is it for this action and this stream? names are decoded ones */
ngx_uint_t ngx_media_grant_covers(const ngx_media_grant_t *grant,
    ngx_uint_t action, const ngx_str_t *app, const ngx_str_t *name);


#endif /* _NGX_MEDIA_GRANT_H_INCLUDED_ */
