
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Delivery of files.  A request is loaded (vod/ngx_media_vod_load.h), which
 * may take a thread, and then answered by the handler of its kind.
 */


#ifndef _NGX_HTTP_MEDIA_VOD_H_INCLUDED_
#define _NGX_HTTP_MEDIA_VOD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_kind.h"
#include "vod/ngx_media_vod_load.h"
#include "vod/ngx_media_vod_want.h"
#include "vod/ngx_media_vod_thumb.h"


/* lifetime of what has a tag in its name: it never means anything else */
#define NGX_HTTP_MEDIA_VOD_LIFETIME  31536000

/* media_vod_thumbs is not said: the interval */
#define NGX_HTTP_MEDIA_VOD_UNSET     0xffffffff


/* a request; in its pool, not in r->ctx, which a redirect clears */

typedef struct ngx_http_media_vod_ctx_s {
    ngx_http_request_t       *request;
    ngx_http_media_url_t      url;
    ngx_uint_t                track;
    ngx_uint_t                second;         /* muxed with it, or NO_TRACK */
    time_t                    lifetime;       /* of texts, s */
    const ngx_media_vod_sheet_t *sheet;
    ngx_media_vod_load_t      load;
    ngx_media_vod_want_t      wants[2];       /* of rungs: of the two tracks */
    ngx_uint_t                pending;        /* of these, it waits for */
} ngx_http_media_vod_ctx_t;


/* ngx_http_media_vod_answer.c: load->status is 200; what a content handler
   returns */
ngx_int_t ngx_http_media_vod_answer(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);

/* and what it calls, the handlers of kinds */
ngx_int_t ngx_http_media_vod_text(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_sheets(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_time(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_init_segment(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_cmaf(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_key(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_ts(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_ts_key(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_vtt(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_ts_vtt(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);


/*
 * ngx_http_media_vod_module.c: what is asked for is not there, but another
 * process may know better: what a content handler returns, it will be answered
 * anew.  NGX_DECLINED: there is nothing newer to be known
 */
ngx_int_t ngx_http_media_vod_again(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);

/* ngx_http_media_vod_module.c: NULL: nothing is served from files */
ngx_media_cache_t *ngx_http_media_vod_cache_conf(ngx_http_request_t *r);


/*
 * ngx_http_media_vod_ladder.c: segments of rungs are had, or made: NGX_OK:
 * they are there, and so are those of other tracks; otherwise what a content
 * handler returns, the request is answered later or refused
 */
ngx_int_t ngx_http_media_vod_make(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);

/* then: the frames of the first (0) or second (1) track */
ngx_int_t ngx_http_media_vod_frames(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t second, ngx_uint_t key,
    ngx_media_frames_t *frames);

/* media_vod_ladder: of an ngx_media_vod_ladder_t * */
char *ngx_http_media_vod_ladder(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_http_media_vod_thumb.c, handlers, too: a picture, a sheet of them */
ngx_int_t ngx_http_media_vod_thumb(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
ngx_int_t ngx_http_media_vod_sheet(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);

/* ngx_http_media_vod_clip.c: the same of clip.mp4 */
ngx_int_t ngx_http_media_vod_clip(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);

/* media_vod_thumbs: of an ngx_media_vod_sheet_t */
char *ngx_http_media_vod_thumbs(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_media_vod_thumbs_default(ngx_media_vod_sheet_t *sheet);


#endif /* _NGX_HTTP_MEDIA_VOD_H_INCLUDED_ */
