
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The URL grammar below a location (docs/urls.md), pure and without state.
 *
 * It is read from the right: the last component says what is wanted and how
 * many components belong to it, the rest is the stream's name, which may hold
 * slashes.  Each object has exactly one URL: numbers are decimal without
 * leading zeros, names of init segments are 16 lower-case hexadecimal digits.
 */


#ifndef _NGX_HTTP_MEDIA_URL_H_INCLUDED_
#define _NGX_HTTP_MEDIA_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_MEDIA_MULTI = 0,                 /* NAME/index.m3u8 */
    NGX_HTTP_MEDIA_MPD,                       /* NAME/manifest.mpd */
    NGX_HTTP_MEDIA_TIME,                      /* NAME/time.txt */
    NGX_HTTP_MEDIA_PLAYLIST,                  /* NAME/v1.m3u8 */
    NGX_HTTP_MEDIA_IFRAMES,                   /* NAME/v1.iframes.m3u8 */
    NGX_HTTP_MEDIA_INIT,                      /* NAME/v1/init-<v>.mp4 */
    NGX_HTTP_MEDIA_SEGMENT,                   /* NAME/v1/<n>.m4s */
    NGX_HTTP_MEDIA_PART,                      /* NAME/v1/<n>.<p>.m4s */
    NGX_HTTP_MEDIA_RUN,                       /* NAME/v1/t<time>.m4s */
    NGX_HTTP_MEDIA_KINDS
} ngx_http_media_kind_e;


typedef struct {
    ngx_http_media_kind_e     kind;
    ngx_str_t                 name;           /* of the stream */
    ngx_str_t                 track;          /* "v1"; empty where none is */
    uint64_t                  number;         /* of the segment */
    uint32_t                  part;
    uint64_t                  init;
    int64_t                   time;           /* of a run */
} ngx_http_media_url_t;


/* NGX_OK or NGX_DECLINED; what is returned points into the input */
ngx_int_t ngx_http_media_url_parse(const u_char *pos, const u_char *last,
    ngx_http_media_url_t *url);


#endif /* _NGX_HTTP_MEDIA_URL_H_INCLUDED_ */
