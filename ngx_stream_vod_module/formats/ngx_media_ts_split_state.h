
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Between the files of ngx_media_ts_split.h:
 *
 *   ngx_media_ts_split.c         PES packets as marks, what they share
 *   ngx_media_ts_split_audio.c   frames behind headers
 *   ngx_media_ts_split_video.c   access units of NAL units
 */


#ifndef _NGX_MEDIA_TS_SPLIT_STATE_H_INCLUDED_
#define _NGX_MEDIA_TS_SPLIT_STATE_H_INCLUDED_


#include "formats/ngx_media_ts_split.h"


/* from the clock of a frame without a stamp until it is shown, 90 kHz */
#define NGX_MEDIA_TS_SPLIT_DELAY  18000


ngx_int_t ngx_media_ts_split_audio(ngx_media_ts_split_t *s,
    ngx_media_span_t *in, ngx_media_ts_split_frame_t *frame);
ngx_int_t ngx_media_ts_split_video(ngx_media_ts_split_t *s,
    ngx_media_span_t *in, ngx_media_ts_split_frame_t *frame);


/* so many bytes are done with */
void ngx_media_ts_split_pass(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    size_t n);

/* the PES packet in which this byte is; NULL: of one that nobody knows */
ngx_media_ts_mark_t *ngx_media_ts_split_mark(ngx_media_ts_split_t *s,
    size_t at);

/* are bytes missing behind from and before to? */

static ngx_inline ngx_uint_t
ngx_media_ts_split_holed(const ngx_media_ts_split_t *s, size_t from,
    size_t to)
{
    return s->holed && s->hole_last > from && s->hole < to;
}


#endif /* _NGX_MEDIA_TS_SPLIT_STATE_H_INCLUDED_ */
