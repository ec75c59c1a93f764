
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pictures of video: samples are decoded, scaled, turned as the file says,
 * put on a canvas, and the canvas becomes a JPEG.  Everything here blocks and
 * is for threads.  Pictures of a wide range (PQ, HLG) are not mapped to a
 * narrow one: they look pale.
 *
 * Only with NGX_MEDIA_HAVE_AV.
 */


#ifndef _NGX_MEDIA_VOD_PICTURE_H_INCLUDED_
#define _NGX_MEDIA_VOD_PICTURE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_frame.h"
#include "formats/ngx_media_index.h"


/* bytes of a sample, and width times height, that are decoded at most */
#define NGX_MEDIA_VOD_PICTURE_SAMPLE  (32 * 1024 * 1024)
#define NGX_MEDIA_VOD_PICTURE_PIXELS  (8192 * 8192)


typedef struct ngx_media_vod_decoder_s  ngx_media_vod_decoder_t;


/* YUV 4:2:0, full range */

typedef struct {
    u_char                   *data;           /* by malloc(): Y, U, V */
    uint32_t                  width;          /* even */
    uint32_t                  height;
} ngx_media_vod_canvas_t;


/* what a frame is when it is shown */

typedef struct {
    uint32_t                  width;          /* as coded, cropped */
    uint32_t                  height;
    uint32_t                  sar_num;        /* 0: square */
    uint32_t                  sar_den;
    uint32_t                  rotation;       /* degrees, clockwise */
} ngx_media_vod_shape_t;


/*
 * The size of a picture of that shape in so many pixels: even, and not more
 * than there are
 */
void ngx_media_vod_picture_size(const ngx_media_vod_shape_t *shape,
    uint32_t max_width, uint32_t max_height, uint32_t *width,
    uint32_t *height);


#if (NGX_MEDIA_HAVE_AV)

/* params are borrowed; NULL: *error says why, a static string */
ngx_media_vod_decoder_t *ngx_media_vod_decoder_open(
    const ngx_media_params_t *params, ngx_fd_t fd, const char **error);
void ngx_media_vod_decoder_close(ngx_media_vod_decoder_t *decoder);

/*
 * The samples of a picture, in decode order, from a key frame on; it is the
 * last one.  NGX_ERROR: see error(); a sample that is damaged is no error.
 */
ngx_int_t ngx_media_vod_decoder_sample(ngx_media_vod_decoder_t *decoder,
    const ngx_media_index_sample_t *sample, ngx_uint_t last);

/* its picture, or the one before it; NGX_ERROR: there is none.  Then the
   samples of another one may follow */
ngx_int_t ngx_media_vod_decoder_finish(ngx_media_vod_decoder_t *decoder);

/* of the picture; what it does not know of itself is left as it was */
void ngx_media_vod_decoder_shape(ngx_media_vod_decoder_t *decoder,
    ngx_media_vod_shape_t *shape);

/* the picture in the middle of a field of the canvas, in even places */
ngx_int_t ngx_media_vod_decoder_draw(ngx_media_vod_decoder_t *decoder,
    const ngx_media_vod_shape_t *shape, ngx_media_vod_canvas_t *canvas,
    uint32_t x, uint32_t y, uint32_t width, uint32_t height);

/* alone, as a JPEG of at most so many pixels; *data: by malloc() */
ngx_int_t ngx_media_vod_decoder_jpeg(ngx_media_vod_decoder_t *decoder,
    ngx_media_vod_shape_t *shape, uint32_t max_width, uint32_t max_height,
    u_char **data, size_t *len);

const char *ngx_media_vod_decoder_error(ngx_media_vod_decoder_t *decoder);


/* black; NGX_ERROR: no memory */
ngx_int_t ngx_media_vod_canvas_init(ngx_media_vod_canvas_t *canvas,
    uint32_t width, uint32_t height);

/* *data: by malloc(); NGX_ERROR */
ngx_int_t ngx_media_vod_canvas_encode(const ngx_media_vod_canvas_t *canvas,
    u_char **data, size_t *len);

#endif


#endif /* _NGX_MEDIA_VOD_PICTURE_H_INCLUDED_ */
