
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A derived track's state, for the files ngx_media_derive*.c, and the writer's,
 * which say here what happens to the source.
 */


#ifndef _NGX_MEDIA_DERIVE_STATE_H_INCLUDED_
#define _NGX_MEDIA_DERIVE_STATE_H_INCLUDED_


#include "core/ngx_media_derive.h"
#include "core/ngx_media_writer_state.h"


struct ngx_media_derived_s {
    ngx_media_packer_t        packer;
    ngx_queue_t               queue;          /* of the writer */
    ngx_media_writer_t       *writer;
    ngx_media_writer_track_t *source;
    ngx_media_derive_t        conf;
    ngx_media_params_t        params;         /* from its next segment on */
    uint64_t                  number;         /* the segment that it is in, or
                                                 was */
    uint64_t                  skip;           /* it has none up to this one */
    uint64_t                  offered;        /* cut for it to join at */
    int64_t                   end;            /* of what was put */
    ngx_uint_t                expected;       /* tracks beside it */

    /* text: what goes on showing in the next segment */
    u_char                   *rest;
    size_t                    rest_len;
    int64_t                   rest_until;

    unsigned                  changed:1;      /* params are new */
    unsigned                  joining:1;
    unsigned                  waiting:1;      /* the part is full, its segment
                                                 is not in the store yet */
};


/* ngx_media_derive_source.c */

/* of the source: a segment begins with this frame, and has ended */
void ngx_media_derived_begun(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_packer_frame_t *frame);
void ngx_media_derived_closed(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);

/* a part of it was put */
void ngx_media_derived_flushed(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);

/* a frame went out */
void ngx_media_derived_tell(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_packer_frame_t *frame,
    ngx_uint_t first, ngx_uint_t settled);

/* a period, or these parameters, begin with its next frame */
void ngx_media_derived_period(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_params_t *params);

/* a cut is made; 1: a derived track begins there */
ngx_uint_t ngx_media_derived_joins(ngx_media_writer_t *w,
    const ngx_media_cut_t *cut);

/* how many derived tracks the first playlist still has to wait for */
ngx_uint_t ngx_media_derived_wanting(ngx_media_writer_t *w,
    ngx_uint_t waited);

/* the first number that all which are there have */
uint64_t ngx_media_derived_first(ngx_media_writer_t *w);

/* no frame comes any more; 1: some of them are not done */
ngx_uint_t ngx_media_derived_end(ngx_media_writer_t *w);


/* ngx_media_derive.c */

/* they are over, all of them */
void ngx_media_derived_close(ngx_media_writer_t *w, const char *reason);

/* within: closes the part, that is the segment's last */
void ngx_media_derived_flush(ngx_media_derived_t *d, const char *why,
    ngx_uint_t last);
void ngx_media_derived_close_segment(ngx_media_derived_t *d);

/* within: a segment begins with the frame; NGX_DECLINED: not here */
ngx_int_t ngx_media_derived_begin(ngx_media_derived_t *d, uint64_t number,
    const ngx_media_packer_frame_t *frame);


/* ngx_media_derive_text.c */

void ngx_media_derived_text_begin(ngx_media_derived_t *d,
    const ngx_media_start_t *start);
void ngx_media_derived_text_close(ngx_media_derived_t *d, int64_t end);
ngx_int_t ngx_media_derived_text_frame(ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame);


#endif /* _NGX_MEDIA_DERIVE_STATE_H_INCLUDED_ */
