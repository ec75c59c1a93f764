
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * libav as plain structs: open, step, close.  Memory is by malloc(), nothing
 * is logged, no clock is read, nothing of nginx is called: what is here may
 * run in any thread, one at a time for one struct.  What went wrong is a text
 * in a buffer of the caller's.
 *
 * Whoever includes this needs no header of libav; pictures are opaque to them.
 */


#ifndef _NGX_MEDIA_AV_H_INCLUDED_
#define _NGX_MEDIA_AV_H_INCLUDED_


#include "formats/ngx_media_frame.h"


/* bytes of a text that says why, with its terminating zero */
#define NGX_MEDIA_AV_ERROR   160

/*
 * A codec that the codec table has not, by libavcodec's number: parameters with
 * it are for decoders only, and its configuration is libavcodec's.  Nothing is
 * served of it, and it is good for this version of libavcodec alone.
 */
#define NGX_MEDIA_AV_FOREIGN  0xff000000

#define ngx_media_av_is_foreign(codec)                                        \
    (((codec) & NGX_MEDIA_AV_FOREIGN) == NGX_MEDIA_AV_FOREIGN)

/* width times height that is decoded at most: 8192x4608 */
#define NGX_MEDIA_AV_PIXELS  (8192 * 4608)


#if (NGX_MEDIA_HAVE_AV)

/* a picture, or samples; its data is shared by those who have a reference */
typedef struct AVFrame  ngx_media_av_frame_t;


/* what a picture is */

typedef struct {
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  sar_num;        /* 0: unknown */
    uint32_t                  sar_den;
    uint8_t                   primaries;      /* ISO 23091-2; 2: unspecified */
    uint8_t                   transfer;
    uint8_t                   matrix;
    uint8_t                   full_range;
    uint8_t                   bit_depth;
    unsigned                  interlaced:1;
    unsigned                  top_first:1;    /* interlaced: top field first */
    unsigned                  wide:1;         /* PQ or HLG */
} ngx_media_av_shape_t;


/*
 * Once per process at least, in any thread, as often as one likes: libav says
 * nothing on stderr, and pictures come from the kernel and go back there.
 * Whatever opens something calls it.  The first time it sets a variable of the
 * environment, which is best done before there are other threads.
 */
void ngx_media_av_init(void);

/* that variable again, for who has got another environment since then */
void ngx_media_av_environment(void);

/*
 * A hash of the versions of the libraries and of the encoder, by the name that
 * libavcodec has for it, that makes something; NULL: of the libraries.  What
 * is kept has it in its name.
 */
uint64_t ngx_media_av_version(const char *encoder);


/* another reference; NULL: no memory */
ngx_media_av_frame_t *ngx_media_av_frame_ref(
    const ngx_media_av_frame_t *frame);

/* of one of them; NULL is fine */
void ngx_media_av_frame_free(ngx_media_av_frame_t *frame);

/* in the time scale of the track it was decoded from */
int64_t ngx_media_av_frame_pts(const ngx_media_av_frame_t *frame);
void ngx_media_av_frame_set_pts(ngx_media_av_frame_t *frame, int64_t pts);

void ngx_media_av_frame_shape(const ngx_media_av_frame_t *frame,
    ngx_media_av_shape_t *shape);

/*
 * Captions (CEA-608 and 708) that a picture has, of one that is left out, are
 * put in front of those of the next one.  NGX_ERROR: no memory, or there were
 * too many.
 */
ngx_int_t ngx_media_av_frame_captions(ngx_media_av_frame_t *next,
    const ngx_media_av_frame_t *skipped);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_AV_H_INCLUDED_ */
