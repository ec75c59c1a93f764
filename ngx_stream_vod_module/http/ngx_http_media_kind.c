
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media.h"
#include "http/ngx_http_media_kind.h"
#include "http/ngx_http_media_text.h"
#include "http/ngx_http_media_vod.h"


#define NGX_HTTP_MEDIA_KIND_M3U8   "application/vnd.apple.mpegurl"
#define NGX_HTTP_MEDIA_KIND_MP4                                               \
    "video/mp4", "audio/mp4", "application/mp4"

/* of a file, one of many */
#define NGX_HTTP_MEDIA_KIND_MEDIA                                             \
    (NGX_HTTP_MEDIA_KIND_NUMBER | NGX_HTTP_MEDIA_KIND_TAGGED                  \
     | NGX_HTTP_MEDIA_KIND_LISTED)


const ngx_http_media_kind_t  ngx_http_media_kinds[] = {

    /* the most frequent ones first */

    /* NAME/v1/<n>.<p>.m4s */
    { ngx_string(".m4s"),
      ngx_http_media_url_part, ngx_http_media_url_track, "vat",
      { "video/mp4", "audio/mp4", NULL },
      NGX_HTTP_MEDIA_COUNT_PART,
      NGX_HTTP_MEDIA_KIND_NUMBER|NGX_HTTP_MEDIA_KIND_PART
      |NGX_HTTP_MEDIA_KIND_LISTED,
      ngx_http_media_part_handler, NULL, NULL },

    /* NAME/v1/<n>.m4s */
    { ngx_string(".m4s"),
      ngx_http_media_url_segment, ngx_http_media_url_track, "vat",
      { NGX_HTTP_MEDIA_KIND_MP4 },
      NGX_HTTP_MEDIA_COUNT_SEGMENT, NGX_HTTP_MEDIA_KIND_MEDIA,
      ngx_http_media_segment_handler, ngx_http_media_vod_cmaf, NULL },

    /* NAME/v1/t<time>.m4s */
    { ngx_string(".m4s"),
      ngx_http_media_url_run, ngx_http_media_url_track, "vat",
      { "video/mp4", "audio/mp4", NULL },
      NGX_HTTP_MEDIA_COUNT_SEGMENT, NGX_HTTP_MEDIA_KIND_LISTED,
      ngx_http_media_run_handler, NULL, NULL },

    /* NAME/k1/<n>.m4s: a key frame of v1 */
    { ngx_string(".m4s"),
      ngx_http_media_url_segment, ngx_http_media_url_track, "k",
      { "video/mp4", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_SEGMENT, NGX_HTTP_MEDIA_KIND_MEDIA,
      NULL, ngx_http_media_vod_key, NULL },

    /* NAME/v1-a1/<n>.ts, NAME/a1/<n>.ts */
    { ngx_string(".ts"),
      ngx_http_media_url_segment, ngx_http_media_url_pair, "va",
      { "video/mp2t", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_TS,
      NGX_HTTP_MEDIA_KIND_MEDIA|NGX_HTTP_MEDIA_KIND_TS,
      ngx_http_media_ts_handler, ngx_http_media_vod_ts, NULL },

    /* NAME/k1/<n>.ts */
    { ngx_string(".ts"),
      ngx_http_media_url_segment, ngx_http_media_url_track, "k",
      { "video/mp2t", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_TS, NGX_HTTP_MEDIA_KIND_MEDIA,
      NULL, ngx_http_media_vod_ts_key, NULL },

    /* NAME/v1.m3u8 */
    { ngx_string(".m3u8"),
      ngx_http_media_url_track, NULL, "vat",
      { NGX_HTTP_MEDIA_KIND_M3U8, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PLAYLIST,
      NGX_HTTP_MEDIA_KIND_EDGE|NGX_HTTP_MEDIA_KIND_LISTED,
      ngx_http_media_playlist_handler, ngx_http_media_vod_text,
      ngx_http_media_render_media },

    /* NAME/v1.iframes.m3u8 */
    { ngx_string(".iframes.m3u8"),
      ngx_http_media_url_track, NULL, "v",
      { NGX_HTTP_MEDIA_KIND_M3U8, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PLAYLIST,
      NGX_HTTP_MEDIA_KIND_EDGE|NGX_HTTP_MEDIA_KIND_WHOLE
      |NGX_HTTP_MEDIA_KIND_LISTED,
      ngx_http_media_playlist_handler, ngx_http_media_vod_text,
      ngx_http_media_render_iframes },

    /* NAME/v1-a1.ts.m3u8, v1.ts.m3u8, a1.ts.m3u8; t1.ts.m3u8 beside them */
    { ngx_string(".ts.m3u8"),
      ngx_http_media_url_pair, NULL, "vat",
      { NGX_HTTP_MEDIA_KIND_M3U8, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PLAYLIST,
      NGX_HTTP_MEDIA_KIND_EDGE|NGX_HTTP_MEDIA_KIND_LISTED
      |NGX_HTTP_MEDIA_KIND_TS,
      ngx_http_media_playlist_handler, ngx_http_media_vod_text,
      ngx_http_media_render_ts_media },

    /* NAME/v1.ts.iframes.m3u8 */
    { ngx_string(".ts.iframes.m3u8"),
      ngx_http_media_url_track, NULL, "v",
      { NGX_HTTP_MEDIA_KIND_M3U8, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PLAYLIST, NGX_HTTP_MEDIA_KIND_LISTED,
      NULL, ngx_http_media_vod_text, ngx_http_media_render_ts_iframes },

    { ngx_string("index.m3u8"),
      ngx_http_media_url_all, NULL, NULL,
      { NGX_HTTP_MEDIA_KIND_M3U8, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PLAYLIST, 0,
      ngx_http_media_manifest_handler, ngx_http_media_vod_text,
      ngx_http_media_render_multi },

    { ngx_string("ts.m3u8"),
      ngx_http_media_url_all, NULL, NULL,
      { NGX_HTTP_MEDIA_KIND_M3U8, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PLAYLIST, NGX_HTTP_MEDIA_KIND_TS,
      ngx_http_media_manifest_handler, ngx_http_media_vod_text,
      ngx_http_media_render_ts_multi },

    { ngx_string("manifest.mpd"),
      ngx_http_media_url_all, NULL, NULL,
      { "application/dash+xml", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_MANIFEST,
      NGX_HTTP_MEDIA_KIND_FRESH|NGX_HTTP_MEDIA_KIND_SHEETS,
      ngx_http_media_manifest_handler, ngx_http_media_vod_text,
      ngx_http_media_render_mpd },

    { ngx_string("time.txt"),
      ngx_http_media_url_all, NULL, NULL,
      { "text/plain", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_OTHER,
      NGX_HTTP_MEDIA_KIND_CLOCK|NGX_HTTP_MEDIA_KIND_LISTED,
      ngx_http_media_time_handler, ngx_http_media_vod_time, NULL },

    /* NAME/v1/init-<v>.mp4 */
    { ngx_string(".mp4"),
      ngx_http_media_url_init, ngx_http_media_url_track, "vat",
      { NGX_HTTP_MEDIA_KIND_MP4 },
      NGX_HTTP_MEDIA_COUNT_INIT, NGX_HTTP_MEDIA_KIND_LISTED,
      ngx_http_media_init_handler, ngx_http_media_vod_init_segment, NULL },

    /* NAME/t1/<n>.vtt, .ts.vtt for whom has the times of MPEG-TS */
    { ngx_string(".vtt"),
      ngx_http_media_url_segment, ngx_http_media_url_track, "t",
      { "text/vtt", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_TEXT, NGX_HTTP_MEDIA_KIND_MEDIA,
      NULL, ngx_http_media_vod_vtt, NULL },

    { ngx_string(".ts.vtt"),
      ngx_http_media_url_segment, ngx_http_media_url_track, "t",
      { "text/vtt", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_TEXT, NGX_HTTP_MEDIA_KIND_MEDIA,
      NULL, ngx_http_media_vod_ts_vtt, NULL },

    /* NAME/i1/<n>.jpg, and what names these for players without DASH */
    { ngx_string(".jpg"),
      ngx_http_media_url_segment, ngx_http_media_url_track, "i",
      { "image/jpeg", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PICTURE,
      NGX_HTTP_MEDIA_KIND_MEDIA|NGX_HTTP_MEDIA_KIND_SHEET,
      NULL, ngx_http_media_vod_sheet, NULL },

    { ngx_string("thumbs.vtt"),
      ngx_http_media_url_all, NULL, NULL,
      { "text/vtt", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_TEXT,
      NGX_HTTP_MEDIA_KIND_SHEETS|NGX_HTTP_MEDIA_KIND_LISTED,
      NULL, ngx_http_media_vod_sheets, NULL },

    /* NAME/thumb-<ms>.jpg, thumb-<ms>-w<width>.jpg */
    { ngx_string(".jpg"),
      ngx_http_media_url_thumb, NULL, NULL,
      { "image/jpeg", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PICTURE, 0,
      NULL, ngx_http_media_vod_thumb, NULL },

    /* NAME/thumb.jpg, thumb-w<width>.jpg: the newest one */
    { ngx_string(".jpg"),
      ngx_http_media_url_newest, NULL, NULL,
      { "image/jpeg", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_PICTURE, 0,
      ngx_http_media_thumb_handler, NULL, NULL },

    { ngx_string("clip.mp4"),
      ngx_http_media_url_all, NULL, NULL,
      { "video/mp4", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_CLIP, 0,
      NULL, ngx_http_media_vod_clip, NULL },

    /* NAME.flv */
    { ngx_string(".flv"),
      NULL, NULL, NULL,
      { "video/x-flv", NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_FLV, NGX_HTTP_MEDIA_KIND_LISTED,
      ngx_http_media_flv_handler, NULL, NULL },

    { ngx_null_string, NULL, NULL, NULL, { NULL, NULL, NULL },
      NGX_HTTP_MEDIA_COUNT_OTHER, 0, NULL, NULL, NULL }
};


const char *const  ngx_http_media_count_kinds[NGX_HTTP_MEDIA_COUNT_KINDS] = {
    [NGX_HTTP_MEDIA_COUNT_PLAYLIST] = "playlist",
    [NGX_HTTP_MEDIA_COUNT_MANIFEST] = "manifest",
    [NGX_HTTP_MEDIA_COUNT_INIT] = "init",
    [NGX_HTTP_MEDIA_COUNT_SEGMENT] = "segment",
    [NGX_HTTP_MEDIA_COUNT_PART] = "part",
    [NGX_HTTP_MEDIA_COUNT_OPEN] = "open",
    [NGX_HTTP_MEDIA_COUNT_TS] = "ts",
    [NGX_HTTP_MEDIA_COUNT_TEXT] = "text",
    [NGX_HTTP_MEDIA_COUNT_PICTURE] = "picture",
    [NGX_HTTP_MEDIA_COUNT_CLIP] = "clip",
    [NGX_HTTP_MEDIA_COUNT_FLV] = "flv",
    [NGX_HTTP_MEDIA_COUNT_OTHER] = "other"
};


void
ngx_http_media_kind_type(const ngx_http_media_url_t *url, ngx_str_t *type)
{
    const char         *name;
    const char *const  *types;

    types = url->kind->types;
    name = NULL;

    if (url->track.len && url->track.data[0] == 'a') {
        name = types[1];

    } else if (url->track.len && url->track.data[0] == 't') {

        /* RFC 8216bis names none for text in MP4, ISO/IEC 14496-30 does */

        name = types[2];
    }

    if (name == NULL) {
        name = types[0];
    }

    type->data = (u_char *) name;
    type->len = ngx_strlen(name);
}
