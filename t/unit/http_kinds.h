
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * http/ngx_http_media_kind.c without those who answer: rows name them, and no
 * test of URLs calls them.
 */


#ifndef _HTTP_KINDS_H_INCLUDED_
#define _HTTP_KINDS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_kind.h"
#include "http/ngx_http_media_text.h"
#include "http/ngx_http_media_vod.h"


#define http_kinds_live(name)                                                 \
    ngx_int_t name(ngx_http_request_t *r, ngx_http_media_ctx_t *ctx)          \
    { return NGX_ERROR; }

#define http_kinds_file(name)                                                 \
    ngx_int_t name(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)      \
    { return NGX_ERROR; }

#define http_kinds_render(name)                                               \
    ngx_int_t name(ngx_pool_t *pool, const ngx_http_media_url_t *url,         \
        const ngx_http_media_text_key_t *key,                                 \
        const ngx_media_stream_view_t *view, ngx_str_t *bytes)                \
    { return NGX_ERROR; }

http_kinds_live(ngx_http_media_segment_handler)
http_kinds_live(ngx_http_media_part_handler)
http_kinds_live(ngx_http_media_run_handler)
http_kinds_live(ngx_http_media_init_handler)
http_kinds_live(ngx_http_media_playlist_handler)
http_kinds_live(ngx_http_media_manifest_handler)
http_kinds_live(ngx_http_media_time_handler)
http_kinds_live(ngx_http_media_ts_handler)
http_kinds_live(ngx_http_media_flv_handler)
http_kinds_live(ngx_http_media_thumb_handler)

http_kinds_file(ngx_http_media_vod_text)
http_kinds_file(ngx_http_media_vod_sheets)
http_kinds_file(ngx_http_media_vod_time)
http_kinds_file(ngx_http_media_vod_init_segment)
http_kinds_file(ngx_http_media_vod_cmaf)
http_kinds_file(ngx_http_media_vod_key)
http_kinds_file(ngx_http_media_vod_ts)
http_kinds_file(ngx_http_media_vod_ts_key)
http_kinds_file(ngx_http_media_vod_vtt)
http_kinds_file(ngx_http_media_vod_ts_vtt)
http_kinds_file(ngx_http_media_vod_thumb)
http_kinds_file(ngx_http_media_vod_sheet)
http_kinds_file(ngx_http_media_vod_clip)

http_kinds_render(ngx_http_media_render_multi)
http_kinds_render(ngx_http_media_render_media)
http_kinds_render(ngx_http_media_render_iframes)
http_kinds_render(ngx_http_media_render_mpd)
http_kinds_render(ngx_http_media_render_ts_multi)
http_kinds_render(ngx_http_media_render_ts_media)
http_kinds_render(ngx_http_media_render_ts_iframes)


#endif /* _HTTP_KINDS_H_INCLUDED_ */
