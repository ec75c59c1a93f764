
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Kinds of what is asked for below a location: what its URL looks like, who
 * answers, and all else that differs between them, one row each.  Nobody else
 * has a list of kinds; what others want to know of one is a field or a flag.
 * The rows of this module are in ngx_http_media_kind.c, other modules add
 * theirs while the configuration is read (docs/developing.md).
 */


#ifndef _NGX_HTTP_MEDIA_KIND_H_INCLUDED_
#define _NGX_HTTP_MEDIA_KIND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_view.h"
#include "http/ngx_http_media_url.h"


/* glue of nginx's HTTP, and ours, that a row need not see */
struct ngx_http_request_s;
struct ngx_http_media_ctx_s;
struct ngx_http_media_vod_ctx_s;
struct ngx_http_media_text_key_s;


/* what they count as, in $media_kind and in metrics */

typedef enum {
    NGX_HTTP_MEDIA_COUNT_PLAYLIST = 0,
    NGX_HTTP_MEDIA_COUNT_MANIFEST,
    NGX_HTTP_MEDIA_COUNT_INIT,
    NGX_HTTP_MEDIA_COUNT_SEGMENT,
    NGX_HTTP_MEDIA_COUNT_PART,
    NGX_HTTP_MEDIA_COUNT_OPEN,                /* the segment in progress */
    NGX_HTTP_MEDIA_COUNT_TS,
    NGX_HTTP_MEDIA_COUNT_TEXT,
    NGX_HTTP_MEDIA_COUNT_PICTURE,
    NGX_HTTP_MEDIA_COUNT_CLIP,
    NGX_HTTP_MEDIA_COUNT_FLV,
    NGX_HTTP_MEDIA_COUNT_OTHER,               /* what has no name here */
    NGX_HTTP_MEDIA_COUNT_KINDS
} ngx_http_media_count_kind_e;


/* flags */

/* it is one of many: the URL has a number; and one of a part of that */
#define NGX_HTTP_MEDIA_KIND_NUMBER  0x0001
#define NGX_HTTP_MEDIA_KIND_PART    0x0002
/* clients find its name in what was answered before, maybe elsewhere */
#define NGX_HTTP_MEDIA_KIND_LISTED  0x0004
/* of a file: its name has the tag of what the file was then */
#define NGX_HTTP_MEDIA_KIND_TAGGED  0x0008
/* a playlist of one track, up to where that is; of whole segments only */
#define NGX_HTTP_MEDIA_KIND_EDGE    0x0010
#define NGX_HTTP_MEDIA_KIND_WHOLE   0x0020
/* a text that nobody may keep for longer than a second */
#define NGX_HTTP_MEDIA_KIND_FRESH   0x0040
/* it is there before anything else of a channel is */
#define NGX_HTTP_MEDIA_KIND_CLOCK   0x0080
/* a text that names sheets of thumbnails; it is one, of no track */
#define NGX_HTTP_MEDIA_KIND_SHEETS  0x0100
#define NGX_HTTP_MEDIA_KIND_SHEET   0x0200
/* HLS of MPEG-TS: who asks for it wants audio that it carries */
#define NGX_HTTP_MEDIA_KIND_TS      0x0400


/* see ngx_http_media.h, ngx_http_media_vod.h: what a content handler returns,
   the first of them NGX_HTTP_MEDIA_WAIT, too */
typedef ngx_int_t (*ngx_http_media_handler_pt)(struct ngx_http_request_s *r,
    struct ngx_http_media_ctx_s *ctx);
typedef ngx_int_t (*ngx_http_media_vod_pt)(struct ngx_http_request_s *r,
    struct ngx_http_media_vod_ctx_s *ctx);

/* a text, of live streams and of files; answers of packager/ngx_media_pack.h */
typedef ngx_int_t (*ngx_http_media_kind_render_pt)(ngx_pool_t *pool,
    const ngx_http_media_url_t *url,
    const struct ngx_http_media_text_key_s *key,
    const ngx_media_stream_view_t *view, ngx_str_t *bytes);


struct ngx_http_media_kind_s {
    ngx_str_t                 suffix;         /* of the last component */
    ngx_http_media_url_pt     stem;           /* reads what is before that;
                                                 NULL: it is the name's */
    ngx_http_media_url_pt     folder;         /* the component before it, which
                                                 says of which track it is;
                                                 NULL: it is the stream's */
    const char               *tracks;         /* first letters of tracks that
                                                 it may be of; NULL: none */
    const char               *types[3];       /* Content-Type: of video and of
                                                 streams, of audio, of text;
                                                 NULL: as the first */
    ngx_http_media_count_kind_e  count;
    ngx_uint_t                flags;          /* NGX_HTTP_MEDIA_KIND_* */
    ngx_http_media_handler_pt live;           /* who answers; NULL: there is */
    ngx_http_media_vod_pt     file;           /* no such thing, 404 */
    ngx_http_media_kind_render_pt  render;    /* NULL: no text of a view */
};


/* the rows of this module; the last one has no suffix, nor has any array of
   them */
extern const ngx_http_media_kind_t  ngx_http_media_kinds[];

/* the words, by ngx_http_media_count_kind_e */
extern const char *const
    ngx_http_media_count_kinds[NGX_HTTP_MEDIA_COUNT_KINDS];


/* of an URL's track; never empty */
void ngx_http_media_kind_type(const ngx_http_media_url_t *url,
    ngx_str_t *type);


/*
 * ngx_http_media_module.c.  In preconfiguration of any module of HTTP: adds
 * rows, which stay where they are as long as the configuration; they are looked
 * at behind those that are there already.  NGX_OK or NGX_ERROR.  And the URL of
 * a request below a location: NGX_OK or NGX_DECLINED, url points into the text.
 */
ngx_int_t ngx_http_media_kinds_add(ngx_conf_t *cf,
    const ngx_http_media_kind_t *kinds);
ngx_int_t ngx_http_media_kinds_parse(struct ngx_http_request_s *r,
    const u_char *pos, const u_char *last, ngx_http_media_url_t *url);


#endif /* _NGX_HTTP_MEDIA_KIND_H_INCLUDED_ */
