
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pictures through libavfilter: fields become frames, HDR becomes SDR, and
 * what a user wrote.  The library and the 70 that it needs are opened when a
 * directive asks for it, not with the module; where it is missing, at build or
 * now, an error says what to install.
 *
 *     load;  open, send, picture..., send, picture..., send(NULL), ..., close
 *
 * Of 1080p it takes a core 3 ms to make a frame of two fields, and 43 ms to map
 * tones, of 720p 18: pictures are made smaller before, but not those that are
 * interlaced.
 *
 * load() is for who reads the configuration, in one thread; all else is for
 * any thread, one at a time for each filter.
 */


#ifndef _NGX_MEDIA_AV_FILTER_H_INCLUDED_
#define _NGX_MEDIA_AV_FILTER_H_INCLUDED_


#include "av/ngx_media_av.h"


#if (NGX_MEDIA_HAVE_AV)

typedef struct ngx_media_av_filter_s  ngx_media_av_filter_t;


typedef enum {
    NGX_MEDIA_AV_FIELDS_NONE = 0,             /* left as they are */
    NGX_MEDIA_AV_FIELDS_AUTO,                 /* a picture of each interlaced
                                                 frame, others are left */
    NGX_MEDIA_AV_FIELDS_FRAME,                /* of all, whatever they say */
    NGX_MEDIA_AV_FIELDS_TWO                   /* two of each interlaced one,
                                                 others are left */
} ngx_media_av_fields_e;


/* in this order; the last three may be 0 or NULL */

typedef struct {
    uint32_t                  timescale;      /* of pts, 360000 */
    uint32_t                  fps_num;        /* of the source; 0: unknown */
    uint32_t                  fps_den;
    ngx_media_av_fields_e     fields;
    ngx_uint_t                tonemap;        /* PQ or HLG becomes BT.709 of 8
                                                 bits; what is SDR is left */
    const char               *text;           /* libavfilter's language: one
                                                 picture in, one out */
} ngx_media_av_filter_conf_t;


/*
 * Opens the library, once.  NGX_DECLINED: it is not there, or was not when the
 * module was built; *error, NGX_MEDIA_AV_ERROR bytes, says what to install.
 */
ngx_int_t ngx_media_av_filter_load(u_char *error);

/*
 * After load(): all that conf asks for is there, and text can be understood;
 * what a filter makes of a picture is not tried.  NGX_DECLINED: *error
 */
ngx_int_t ngx_media_av_filter_check(const ngx_media_av_filter_conf_t *conf,
    u_char *error);

/*
 * For pictures of like's size, format and color; NULL: *error says why.
 * ngx_media_av_filter_is() tells whether a picture is another one than those:
 * it needs another filter, when all is out of this one.
 */
ngx_media_av_filter_t *ngx_media_av_filter_open(
    const ngx_media_av_filter_conf_t *conf, const ngx_media_av_frame_t *like,
    u_char *error);
void ngx_media_av_filter_close(ngx_media_av_filter_t *f);

ngx_uint_t ngx_media_av_filter_is(const ngx_media_av_filter_t *f,
    const ngx_media_av_frame_t *frame);

/* the frame stays the caller's; NULL: no other comes.  NGX_OK, NGX_ERROR */
ngx_int_t ngx_media_av_filter_send(ngx_media_av_filter_t *f,
    ngx_media_av_frame_t *frame);

/*
 * A picture, the caller's, pts as sent; of the second field of two, halfway to
 * the next.  NULL: none now; ngx_media_av_filter_error() is not empty: none
 * ever.  It is late by one picture where fields are put together.
 */
ngx_media_av_frame_t *ngx_media_av_filter_picture(ngx_media_av_filter_t *f);

const u_char *ngx_media_av_filter_error(const ngx_media_av_filter_t *f);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_FILTER_H_INCLUDED_ */
