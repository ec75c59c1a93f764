
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The builder of ngx_media_index.h: takes samples in decode order and memory
 * in pieces.
 *
 *     ngx_media_index_build_init(&build, timescale, file_size, max_samples);
 *
 *     for each sample {
 *         while (ngx_media_index_add(&build, &sample) == NGX_AGAIN) {
 *             give it a piece by ngx_media_index_piece()
 *         }
 *     }
 *
 *     the same with ngx_media_index_finish()
 *
 *     p = so many bytes as build.size, aligned as an int64_t
 *     ngx_media_index_pack(&build, p);
 *     free the pieces
 *
 * A file that grows: ngx_media_index_resume() of the index that there is, not
 * edited or edited, then add() as if all had been added to one builder.
 */


#ifndef _NGX_MEDIA_INDEX_BUILD_H_INCLUDED_
#define _NGX_MEDIA_INDEX_BUILD_H_INCLUDED_


#include "formats/ngx_media_index.h"


/* the least size of a piece; many times that is better */
#define NGX_MEDIA_INDEX_PIECE_MIN  8192


typedef struct ngx_media_index_piece_s  ngx_media_index_piece_t;

struct ngx_media_index_piece_s {
    ngx_media_index_piece_t  *next;
    size_t                    size;           /* of the piece */
    size_t                    used;
};


typedef struct {
    ngx_media_index_t         index;
    uint64_t                  file_size;
    uint32_t                  max_samples;
    uint32_t                  size;           /* after finish(): to pack */
    const char               *error;          /* static, after NGX_ERROR */

    ngx_media_index_piece_t  *first;
    ngx_media_index_piece_t  *last;
    uint64_t                  bits;           /* bytes of all blocks */

    uint32_t                  n;              /* samples of the block */
    uint64_t                  keys[NGX_MEDIA_INDEX_WORDS];
    ngx_media_index_block_t   block;
    int64_t                   columns[NGX_MEDIA_INDEX_COLUMNS]
                                     [NGX_MEDIA_INDEX_BLOCK];

    uint64_t                  offset;         /* after the last sample */
    int64_t                   dts;            /* of the last sample */
    int64_t                   key_pts;        /* of the last key frame */
    uint32_t                  description;    /* of the first sample */
    unsigned                  has_key:1;
    unsigned                  finished:1;
} ngx_media_index_build_t;


/* file_size: of what is there; no sample may end after it */
void ngx_media_index_build_init(ngx_media_index_build_t *build,
    uint32_t timescale, uint64_t file_size, uint32_t max_samples);

/* p: at least NGX_MEDIA_INDEX_PIECE_MIN bytes, aligned; borrowed until the
   index is packed; build->first is the list of them */
void ngx_media_index_piece(ngx_media_index_build_t *build, void *p,
    size_t size);

/*
 * sample->duration matters for the last one only, the others last until the
 * next.  NGX_AGAIN: nothing was done, a piece is needed; NGX_DONE: it ends
 * after the file, so this and all later ones are left out; NGX_ERROR: see
 * build->error.
 */
ngx_int_t ngx_media_index_add(ngx_media_index_build_t *build,
    const ngx_media_index_sample_t *sample);

/* no more samples; NGX_OK, NGX_AGAIN, NGX_ERROR */
ngx_int_t ngx_media_index_finish(ngx_media_index_build_t *build);

/* writes build->size bytes */
void ngx_media_index_pack(const ngx_media_index_build_t *build, void *p);

/* starts from an index, which must have passed the check; NGX_AGAIN as above */
ngx_int_t ngx_media_index_resume(ngx_media_index_build_t *build,
    const ngx_media_index_t *index);


#endif /* _NGX_MEDIA_INDEX_BUILD_H_INCLUDED_ */
