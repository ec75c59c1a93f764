
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A writer's way with pictures that stand still: for ngx_media_writer.c,
 * ngx_media_writer_part.c and ngx_media_writer_still.c only.
 */


#ifndef _NGX_MEDIA_WRITER_STILL_H_INCLUDED_
#define _NGX_MEDIA_WRITER_STILL_H_INCLUDED_


#include "core/ngx_media_writer_state.h"


/* the longest still frame, bytes */
#define NGX_MEDIA_STILL_MAX       2048

/* a frame that was put out and may be again: ngx_media_writer_still.c */

typedef struct {
    int64_t                   pts;
    uint32_t                  size;
    uint32_t                  shown;          /* as the how manieth */
} ngx_media_writer_again_t;


struct ngx_media_writer_past_s {
    uint32_t                  n;
    uint32_t                  max;
    u_char                   *data;           /* of all of them, in order */
    size_t                    size;
    size_t                    max_size;
    size_t                    still_len;      /* 0: there is none */
    u_char                    still[NGX_MEDIA_STILL_MAX];
    unsigned                  tried:1;
    ngx_media_writer_again_t  frames[];
};


/* a frame of video was put out; one is missing from here on */
void ngx_media_writer_went_on(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_writer_frame_t *frame);
void ngx_media_writer_broken(ngx_media_writer_track_t *t);

/* a frame of another track comes: the picture may stand still */
void ngx_media_writer_pause(ngx_media_writer_t *w, int64_t time,
    uint32_t timescale);

/*
 * Before a frame that has time->resume set.  NGX_OK: its segment begins, or it
 * belongs to one that has; NGX_AGAIN: it is a key frame, and begins the next
 * one; NGX_DECLINED: what was before it is lost, so it is of no use.
 */
ngx_int_t ngx_media_writer_resume(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);

/*
 * A segment begins here, with what was since the last key frame: so the picture
 * is there for who begins with it.  time is moved behind that.  NGX_DECLINED:
 * that is not to be had.
 */
ngx_int_t ngx_media_writer_still_cut(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_media_time_t *time);

void ngx_media_writer_forget(ngx_media_writer_track_t *t);


#endif /* _NGX_MEDIA_WRITER_STILL_H_INCLUDED_ */
