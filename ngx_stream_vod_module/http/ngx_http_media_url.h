
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


/* bytes of a name: paths of files may be longer than names of streams */
#define NGX_HTTP_MEDIA_URL_NAME_MAX  4000


typedef enum {
    NGX_HTTP_MEDIA_MULTI = 0,                 /* NAME/index.m3u8 */
    NGX_HTTP_MEDIA_MPD,                       /* NAME/manifest.mpd */
    NGX_HTTP_MEDIA_TIME,                      /* NAME/time.txt */
    NGX_HTTP_MEDIA_PLAYLIST,                  /* NAME/v1.m3u8 */
    NGX_HTTP_MEDIA_IFRAMES,                   /* NAME/v1.iframes.m3u8 */
    NGX_HTTP_MEDIA_TS_MULTI,                  /* NAME/ts.m3u8 */
    NGX_HTTP_MEDIA_TS_PLAYLIST,               /* NAME/v1-a1.ts.m3u8, t1 */
    NGX_HTTP_MEDIA_TS_IFRAMES,                /* NAME/v1.ts.iframes.m3u8 */
    NGX_HTTP_MEDIA_THUMB,                     /* NAME/thumb-<ms>-w<n>.jpg */
    NGX_HTTP_MEDIA_THUMBS,                    /* NAME/thumbs.vtt */
    NGX_HTTP_MEDIA_CLIP,                      /* NAME/clip.mp4 */
    NGX_HTTP_MEDIA_FLV,                       /* NAME.flv */

    /* those below a folder, which is a track */
    NGX_HTTP_MEDIA_INIT,                      /* NAME/v1/init-<v>.mp4 */
    NGX_HTTP_MEDIA_SEGMENT,                   /* NAME/v1/<n>.m4s */
    NGX_HTTP_MEDIA_PART,                      /* NAME/v1/<n>.<p>.m4s */
    NGX_HTTP_MEDIA_RUN,                       /* NAME/v1/t<time>.m4s */
    NGX_HTTP_MEDIA_KEY,                       /* NAME/k1/<n>.m4s */
    NGX_HTTP_MEDIA_TS_SEGMENT,                /* NAME/v1-a1/<n>.ts */
    NGX_HTTP_MEDIA_TS_KEY,                    /* NAME/k1/<n>.ts */
    NGX_HTTP_MEDIA_VTT,                       /* NAME/t1/<n>.vtt */
    NGX_HTTP_MEDIA_TS_VTT,                    /* NAME/t1/<n>.ts.vtt */
    NGX_HTTP_MEDIA_SHEET,                     /* NAME/i1/<n>.jpg */
    NGX_HTTP_MEDIA_KINDS
} ngx_http_media_kind_e;


typedef struct {
    ngx_http_media_kind_e     kind;
    ngx_str_t                 name;           /* of the stream */
    ngx_str_t                 track;          /* "v1"; empty where none is */
    ngx_str_t                 second;         /* muxed with it: "a1"; empty */
    ngx_str_t                 folder;         /* both: "v1-a1" */
    uint64_t                  number;         /* of the segment */
    uint32_t                  part;
    uint32_t                  tag;            /* of a file, <tag>-<n>; */
    unsigned                  tagged:1;       /* it is there */
    uint64_t                  init;
    int64_t                   time;           /* of a run; of a thumbnail, ms */
    uint32_t                  width;          /* of a thumbnail; 0: not said */
} ngx_http_media_url_t;


/* NGX_OK or NGX_DECLINED; what is returned points into the input */
ngx_int_t ngx_http_media_url_parse(const u_char *pos, const u_char *last,
    ngx_http_media_url_t *url);


#endif /* _NGX_HTTP_MEDIA_URL_H_INCLUDED_ */
