
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Reads ranges of a file into bounded memory.  Neighbouring
 * ranges are read together as long as what lies between them is no more than
 * what is wanted of them; ranges with memory are not read at all.
 *
 * The reader is flat and belongs to its owner; fill() touches nothing else
 * than it, its buffer and the file.
 */


#ifndef _NGX_MEDIA_PULL_H_INCLUDED_
#define _NGX_MEDIA_PULL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_frames.h"


/* that are filled together, at most */
#define NGX_MEDIA_PULLS  4


typedef struct {
    /* set by the owner */
    const ngx_media_piece_t
                             *ranges;
    ngx_uint_t                nranges;
    ngx_fd_t                  fd;
    u_char                   *start;          /* of its buffer; NULL: all */
    size_t                    size;           /* ranges have memory */
    ngx_uint_t                nowait;         /* what is not in the page
                                                 cache is not read */

    /* its own */
    ngx_uint_t                range;          /* of the next byte */
    size_t                    done;           /* bytes of it before that */
    size_t                    pos;            /* of it in the buffer */
    size_t                    len;            /* what is in the buffer */
    off_t                     offset;         /* in the file, after what was
                                                 read; of an error */
    uint64_t                  bytes;          /* read so far, for statistics */
    int                       err;            /* errno; 0 and NGX_ERROR: the
                                                 file has become shorter */
} ngx_media_pull_t;


/* what went wrong, for the log */

typedef struct {
    const char               *error;          /* static */
    int                       err;            /* errno, or 0 */
    off_t                     offset;         /* in the file */
} ngx_media_pull_fault_t;


/*
 * The next bytes that are in memory: NGX_OK, *pos and *last, never empty;
 * NGX_AGAIN: fill() is needed; NGX_DONE: there are no more.
 */
ngx_int_t ngx_media_pull_next(ngx_media_pull_t *reader, u_char **pos,
    u_char **last);

/* so many of them were used */
void ngx_media_pull_use(ngx_media_pull_t *reader, size_t n);

/* so many bytes from here on are not wanted, they are not read */
void ngx_media_pull_skip(ngx_media_pull_t *reader, uint64_t n);

/*
 * Blocks, in a thread, or does not wait: in the event loop; NGX_AGAIN: it has
 * to.  NGX_OK or NGX_ERROR otherwise.  Only when next() asked for it; until
 * then the buffer may be another.  What is wanted lies in it without a hole.
 */
ngx_int_t ngx_media_pull_fill(ngx_media_pull_t *reader);

/*
 * The same for up to NGX_MEDIA_PULLS of one file, the first of which
 * asked for it: what they want is read in the order in which it lies in the
 * file, neighbours together, whoever wants them.  Errors are in the first one;
 * the others may have got nothing.
 */
ngx_int_t ngx_media_pull_fill_all(ngx_media_pull_t **readers,
    ngx_uint_t n);

/* fill() has failed: says how; returns NGX_ERROR */
ngx_int_t ngx_media_pull_failed(const ngx_media_pull_t *reader,
    ngx_media_pull_fault_t *fault);


#endif /* _NGX_MEDIA_PULL_H_INCLUDED_ */
