
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The buffer holds only what is wanted: what lies between ranges that are
 * read together goes nowhere, by the same call.  So a buffer may be sent as
 * it is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/uio.h>
#include "packager/ngx_media_pull.h"


/* of one call */
#define NGX_MEDIA_PULL_IOVS  64

/* what is between ranges is read over itself, on the stack */
#define NGX_MEDIA_PULL_GAP   8192


/* Linux 4.14, and not all file systems */

#ifdef RWF_NOWAIT

#define ngx_media_pull_preadv(fd, iovs, n, offset)                      \
    preadv2(fd, iovs, n, offset, RWF_NOWAIT)

#else

#define ngx_media_pull_preadv(fd, iovs, n, offset)  (-1)

#endif


/* how far a reader is, with what is about to be read */

typedef struct {
    ngx_media_pull_t         *reader;
    ngx_uint_t                range;
    size_t                    done;
    size_t                    len;
    off_t                     offset;         /* of its next byte, */
    size_t                    size;           /* and so many; 0: none */
} ngx_media_pull_cursor_t;


/* one call: neighbours */

typedef struct {
    off_t                     offset;
    size_t                    wanted;         /* bytes */
    size_t                    gaps;           /* bytes between them */
    ngx_uint_t                n;
    struct iovec              iovs[NGX_MEDIA_PULL_IOVS];
    u_char                    gap[NGX_MEDIA_PULL_GAP];
} ngx_media_vod_run_t;


static void ngx_media_pull_piece(ngx_media_pull_cursor_t *cursor);
static void ngx_media_pull_run(ngx_media_pull_cursor_t *cursors,
    ngx_uint_t n, ngx_media_vod_run_t *run);
static ngx_int_t ngx_media_pull_add(ngx_media_vod_run_t *run, size_t gap,
    u_char *pos, size_t n);
static ngx_int_t ngx_media_pull_call(ngx_media_pull_t *reader,
    ngx_media_vod_run_t *run);


ngx_int_t
ngx_media_pull_next(ngx_media_pull_t *reader, u_char **pos,
    u_char **last)
{
    const ngx_media_piece_t  *range;

    if (reader->range >= reader->nranges) {
        return NGX_DONE;
    }

    range = &reader->ranges[reader->range];

    if (range->memory) {
        *pos = range->memory + reader->done;
        *last = range->memory + range->size;

        return NGX_OK;
    }

    if (reader->pos == reader->len) {
        return NGX_AGAIN;
    }

    *pos = reader->start + reader->pos;
    *last = reader->start + reader->len;

    return NGX_OK;
}


void
ngx_media_pull_use(ngx_media_pull_t *reader, size_t n)
{
    ngx_media_pull_skip(reader, n);
}


void
ngx_media_pull_skip(ngx_media_pull_t *reader, uint64_t n)
{
    size_t                    len;
    const ngx_media_piece_t  *range;

    while (n && reader->range < reader->nranges) {
        range = &reader->ranges[reader->range];

        len = (size_t) ngx_min(range->size - reader->done, n);

        reader->done += len;
        n -= len;

        if (range->memory == NULL) {
            reader->pos += ngx_min(reader->len - reader->pos, len);
        }

        if (reader->done == range->size) {
            reader->done = 0;
            reader->range++;
        }
    }
}


ngx_int_t
ngx_media_pull_fill(ngx_media_pull_t *reader)
{
    return ngx_media_pull_fill_all(&reader, 1);
}


ngx_int_t
ngx_media_pull_fill_all(ngx_media_pull_t **readers, ngx_uint_t n)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_media_vod_run_t       run;
    ngx_media_pull_cursor_t  *cursor, cursors[NGX_MEDIA_PULLS];

    for (i = 0; i < n; i++) {
        readers[i]->pos = 0;
        readers[i]->len = 0;

        cursor = &cursors[i];

        cursor->reader = readers[i];
        cursor->range = readers[i]->range;
        cursor->done = readers[i]->done;
        cursor->len = 0;

        ngx_media_pull_piece(cursor);
    }

    for ( ;; ) {
        ngx_media_pull_run(cursors, n, &run);

        if (run.n == 0) {
            return NGX_OK;
        }

        rc = ngx_media_pull_call(readers[0], &run);

        if (rc == NGX_AGAIN && readers[0]->len) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {

            for (i = 0; i < n; i++) {
                readers[i]->len = 0;
            }

            return rc;
        }

        for (i = 0; i < n; i++) {
            readers[i]->len = cursors[i].len;
        }
    }
}


/* what comes next of one of them: the rest of a range, as far as it fits */

static void
ngx_media_pull_piece(ngx_media_pull_cursor_t *cursor)
{
    const ngx_media_pull_t   *reader;
    const ngx_media_piece_t  *range;

    reader = cursor->reader;
    cursor->size = 0;

    if (cursor->range >= reader->nranges) {
        return;
    }

    range = &reader->ranges[cursor->range];

    if (range->memory) {
        return;
    }

    cursor->offset = range->offset + cursor->done;
    cursor->size = ngx_min(range->size - cursor->done,
                           reader->size - cursor->len);
}


/* what the next call reads: from the lowest offset on, as far as it goes */

static void
ngx_media_pull_run(ngx_media_pull_cursor_t *cursors, ngx_uint_t n,
    ngx_media_vod_run_t *run)
{
    off_t                     end;
    size_t                    gap;
    ngx_uint_t                i;
    const ngx_media_pull_t   *reader;
    ngx_media_pull_cursor_t  *cursor, *next;

    run->n = 0;
    run->wanted = 0;
    run->gaps = 0;

    end = 0;

    for ( ;; ) {
        next = NULL;

        for (i = 0; i < n; i++) {
            cursor = &cursors[i];

            if (cursor->size
                && (run->n == 0 || cursor->offset >= end)
                && (next == NULL || cursor->offset < next->offset))
            {
                next = cursor;
            }
        }

        if (next == NULL) {
            return;
        }

        gap = 0;

        if (run->n == 0) {
            run->offset = next->offset;

        } else {

            if ((uint64_t) (next->offset - end)
                > run->wanted + next->size
                  - ngx_min(run->gaps, run->wanted + next->size))
            {
                return;
            }

            gap = (size_t) (next->offset - end);
        }

        reader = next->reader;

        if (ngx_media_pull_add(run, gap, reader->start + next->len,
                                   next->size)
            != NGX_OK)
        {
            return;
        }

        end = next->offset + next->size;

        next->len += next->size;
        next->done += next->size;

        if (next->done == reader->ranges[next->range].size) {
            next->done = 0;
            next->range++;
        }

        ngx_media_pull_piece(next);
    }
}


static ngx_int_t
ngx_media_pull_add(ngx_media_vod_run_t *run, size_t gap, u_char *pos,
    size_t n)
{
    size_t         left;
    struct iovec  *iov;

    if (NGX_MEDIA_PULL_IOVS - run->n
        < 1 + (gap + NGX_MEDIA_PULL_GAP - 1) / NGX_MEDIA_PULL_GAP)
    {
        return NGX_DECLINED;
    }

    run->wanted += n;
    run->gaps += gap;

    if (run->n && gap == 0) {
        iov = &run->iovs[run->n - 1];

        if ((u_char *) iov->iov_base + iov->iov_len == pos) {
            iov->iov_len += n;

            return NGX_OK;
        }
    }

    for (left = gap; left; left -= iov->iov_len) {
        iov = &run->iovs[run->n++];
        iov->iov_base = run->gap;
        iov->iov_len = ngx_min(left, NGX_MEDIA_PULL_GAP);
    }

    iov = &run->iovs[run->n++];
    iov->iov_base = pos;
    iov->iov_len = n;

    return NGX_OK;
}


static ngx_int_t
ngx_media_pull_call(ngx_media_pull_t *reader,
    ngx_media_vod_run_t *run)
{
    size_t         left;
    ssize_t        n;
    struct iovec  *iov, *last;

    iov = run->iovs;
    last = iov + run->n;

    reader->offset = run->offset;

    while (iov < last) {

        if (reader->nowait) {
            n = ngx_media_pull_preadv(reader->fd, iov,
                                      (int) (last - iov),
                                            reader->offset);
        } else {
            n = preadv(reader->fd, iov, (int) (last - iov), reader->offset);
        }

        if (n == -1) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            /* whatever it is, a thread will see */

            if (reader->nowait) {
                return NGX_AGAIN;
            }

            reader->err = ngx_errno;
            return NGX_ERROR;
        }

        if (n == 0) {
            reader->err = 0;
            return NGX_ERROR;
        }

        reader->offset += n;
        reader->bytes += n;

        for (left = (size_t) n; left; /* void */) {

            if (left < iov->iov_len) {
                iov->iov_base = (u_char *) iov->iov_base + left;
                iov->iov_len -= left;
                break;
            }

            left -= iov->iov_len;
            iov++;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_pull_failed(const ngx_media_pull_t *reader,
    ngx_media_pull_fault_t *fault)
{
    fault->error = reader->err ? "media cannot be read from file"
                               : "media file has become shorter";
    fault->err = reader->err;
    fault->offset = reader->offset;

    return NGX_ERROR;
}
