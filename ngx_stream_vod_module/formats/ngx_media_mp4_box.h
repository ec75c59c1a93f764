
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The boxes of ISO/IEC 14496-12, 4.2: an iterator, and a walk of a tree by
 * tables.  Whatever is wrong is said by ngx_media_mp4_error_t: which box, by
 * its path, and where in the file.
 */


#ifndef _NGX_MEDIA_MP4_BOX_H_INCLUDED_
#define _NGX_MEDIA_MP4_BOX_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_text.h"


/* size and type, largesize, usertype */
#define NGX_MEDIA_MP4_HEADER_MAX  32

/* boxes in boxes */
#define NGX_MEDIA_MP4_DEPTH       12


typedef struct {
    uint32_t                  type;
    uint32_t                  header;         /* bytes before its body */
    uint64_t                  offset;         /* in the file */
    uint64_t                  size;           /* header included */
    const u_char             *uuid;           /* 16 bytes; NULL: no uuid */
    ngx_media_span_t          body;
} ngx_media_mp4_box_t;


/* one step of a path: "trak[2]"; number 0: "moov" */

typedef struct {
    uint32_t                  type;
    uint32_t                  number;
} ngx_media_mp4_step_t;


typedef struct {
    ngx_media_mp4_step_t      path[NGX_MEDIA_MP4_DEPTH];
    ngx_uint_t                depth;
    uint64_t                  offset;         /* in the file */
    const char               *text;           /* static; NULL: no error */
} ngx_media_mp4_error_t;


/* bytes of a file that are in memory */

typedef struct {
    const u_char             *pos;
    const u_char             *last;
    uint64_t                  offset;         /* in the file, of pos */
} ngx_media_mp4_iter_t;


/* a walk; zeroed but for the first three */

typedef struct {
    const u_char             *start;          /* bytes in memory, and */
    uint64_t                  offset;         /* where in the file they are */
    ngx_media_mp4_error_t    *error;
    void                     *data;           /* of the handlers */
    ngx_media_mp4_step_t      path[NGX_MEDIA_MP4_DEPTH];
    ngx_uint_t                depth;
} ngx_media_mp4_walk_t;


typedef struct ngx_media_mp4_table_s  ngx_media_mp4_table_t;

typedef ngx_int_t (*ngx_media_mp4_handler_pt)(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);

/* what is wrong inside does not matter: the rest of the box is ignored */
#define NGX_MEDIA_MP4_OPTIONAL    1

/*
 * A handler gets the box; else there is a table of its children, which have
 * the same dst; else its body is stored as an ngx_media_span_t at offset of
 * dst, and a second such box is an error.  The table ends with type 0.
 */

struct ngx_media_mp4_table_s {
    uint32_t                      type;
    ngx_uint_t                    flags;
    ngx_media_mp4_handler_pt      handler;
    const ngx_media_mp4_table_t  *children;
    size_t                        offset;
};


/*
 * The header of the box at pos; offset is that of pos in the file, end that
 * of the end of what the box is in.  The body is not touched.  NGX_AGAIN:
 * the header goes on after last; NGX_ERROR: impossible size; NGX_DECLINED:
 * the box, which is filled in, ends after end.
 */
ngx_int_t ngx_media_mp4_box_header(ngx_media_mp4_box_t *box,
    const u_char *pos, const u_char *last, uint64_t offset, uint64_t end);

/*
 * The next box, whole; NGX_DONE: none, fewer than 8 bytes at the end are
 * padding; NGX_ERROR: it has an impossible size or does not end inside
 */
ngx_int_t ngx_media_mp4_box_next(ngx_media_mp4_iter_t *iter,
    ngx_media_mp4_box_t *box);

/* boxes that are not in the table are passed over; NGX_OK or what a handler
   returned */
ngx_int_t ngx_media_mp4_walk(ngx_media_mp4_walk_t *walk,
    const ngx_media_span_t *boxes, const ngx_media_mp4_table_t *table,
    void *dst);

/* sets the error of the walk, at pos in memory; returns NGX_ERROR */
ngx_int_t ngx_media_mp4_fail(ngx_media_mp4_walk_t *walk, const u_char *pos,
    const char *text);

/* "moov/trak[2]/mdia: text, offset:123" */
void ngx_media_mp4_error_text(ngx_media_text_t *text,
    const ngx_media_mp4_error_t *error);


#endif /* _NGX_MEDIA_MP4_BOX_H_INCLUDED_ */
