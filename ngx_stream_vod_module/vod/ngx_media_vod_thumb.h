
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Thumbnails: the picture that is shown at a time, and sheets of small ones,
 * each the last key frame before its time.  Sheet n has the pictures n * X *
 * Y and on, row by row, and the i-th picture of all stands for the time from
 * i intervals on; the last sheet may have fewer, the rest of it is black.
 *
 * Without NGX_MEDIA_HAVE_AV there are none.
 */


#ifndef _NGX_MEDIA_VOD_THUMB_H_INCLUDED_
#define _NGX_MEDIA_VOD_THUMB_H_INCLUDED_


#include "vod/ngx_media_vod_set.h"


/* of pictures, pixels */
#define NGX_MEDIA_VOD_THUMB_MIN     16
#define NGX_MEDIA_VOD_THUMB_MAX     1920
#define NGX_MEDIA_VOD_THUMB_WIDTH   320       /* if nothing is asked for */

/* a side of a sheet, pixels */
#define NGX_MEDIA_VOD_SHEET_MAX     4096


/* what sheets are like, as configured; interval 0: there are none */

typedef struct {
    uint32_t                  interval;       /* ms */
    uint32_t                  width;          /* of a picture, at most */
    uint32_t                  tiles_x;
    uint32_t                  tiles_y;
} ngx_media_vod_sheet_t;


typedef struct {
    /* set by the caller, who keeps all of it until it is done */
    const ngx_media_vod_source_t *source;
    int64_t                   time;           /* ms; of a sheet: its number */
    uint32_t                  width;          /* 0: not said */
    const ngx_media_vod_sheet_t *sheet;       /* NULL: one picture */

    /* the result; data: a JPEG by malloc(), the caller frees it */
    ngx_uint_t                status;         /* 200; 404: there is nothing at
                                                 that time; 500: see error */
    u_char                   *data;
    size_t                    len;
    u_char                    error[NGX_MEDIA_VOD_ERROR];
                                              /* for the log; with 200: what
                                                 is missing; "" */
} ngx_media_vod_thumb_make_t;


/* decodes: in a thread; touches nothing of nginx */
void ngx_media_vod_thumb_make(ngx_media_vod_thumb_make_t *make);

/* what is said of the sheets of a set; interval 0: it has none; NGX_ERROR: no
   memory */
ngx_int_t ngx_media_vod_thumbs(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet, ngx_pool_t *pool,
    ngx_media_thumbs_view_t *view);

/* a WebVTT of all pictures; NGX_DECLINED: there are none */
ngx_int_t ngx_media_vod_thumbs_vtt(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet, ngx_pool_t *pool, ngx_str_t *bytes);

/* of names of sheets: other than the set's, it changes with how they are
   configured */
uint32_t ngx_media_vod_sheet_tag(const ngx_media_vod_source_t *source,
    const ngx_media_vod_sheet_t *sheet);


#endif /* _NGX_MEDIA_VOD_THUMB_H_INCLUDED_ */
