
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A stream that is followed (core/ngx_media_follow.h) as MPEG-TS: what its
 * callbacks are given goes in, ngx_media_ts_push_write() of ts makes packets.
 * Who sends them chooses the tracks, which stay in their places: a publisher
 * that changes its codec has a new track, which takes that of the old one.
 */


#ifndef _NGX_MEDIA_PACK_PUSH_H_INCLUDED_
#define _NGX_MEDIA_PACK_PUSH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_follow.h"
#include "formats/ngx_media_ts_push.h"


/* of its owner, it is not to be copied */

typedef struct {
    ngx_media_ts_push_t       ts;

    /* its own */
    ngx_uint_t                tracks[NGX_MEDIA_TS_TRACKS];  /* the stream's
                                                               numbers */
    u_char                   *heads[NGX_MEDIA_TS_TRACKS];
} ngx_media_pack_push_t;


void ngx_media_pack_push_init(ngx_media_pack_push_t *push);

/* gives its memory back */
void ngx_media_pack_push_free(ngx_media_pack_push_t *push);

/*
 * Of params(): what comes of this track of the stream goes into place n, which
 * is the next one or has had another.  Between frames.  NGX_OK; NGX_DECLINED:
 * transport streams do not carry it; NGX_ERROR: no memory, or no such place.
 */
ngx_int_t ngx_media_pack_push_track(ngx_media_pack_push_t *push,
    ngx_uint_t n, ngx_uint_t track, const ngx_media_params_t *params);

/*
 * What is said of the track in place n, as a stream's view says it; lang: of
 * RFC 5646, may be empty.  Of another one there it is said anew.  NGX_OK;
 * NGX_ERROR: the tables have no room.
 */
ngx_int_t ngx_media_pack_push_describe(ngx_media_pack_push_t *push,
    ngx_uint_t n, const ngx_str_t *lang, ngx_uint_t audio_type);

/*
 * Of frame(), which is borrowed until it is written.  NGX_OK; NGX_DECLINED: it
 * is of no track that is sent, or none that can be.
 */
ngx_int_t ngx_media_pack_push_frame(ngx_media_pack_push_t *push,
    const ngx_media_frame_t *frame);


#endif /* _NGX_MEDIA_PACK_PUSH_H_INCLUDED_ */
