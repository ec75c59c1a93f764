
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_index.h"
#include "formats/ngx_media_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>


#define NGX_MEDIA_VOD_HEAD  16                /* bytes that are looked at */


static ngx_uint_t ngx_media_vod_index_is_mp4(const u_char *head, size_t len);
static ngx_uint_t ngx_media_vod_index_is_text(const char *path,
    const u_char *head, size_t len);


/* what files of ISO BMFF and QuickTime begin with */

static const uint32_t  ngx_media_vod_boxes[] = {
    ngx_media_fourcc('f', 't', 'y', 'p'),
    ngx_media_fourcc('s', 't', 'y', 'p'),
    ngx_media_fourcc('m', 'o', 'o', 'v'),
    ngx_media_fourcc('m', 'd', 'a', 't'),
    ngx_media_fourcc('f', 'r', 'e', 'e'),
    ngx_media_fourcc('s', 'k', 'i', 'p'),
    ngx_media_fourcc('w', 'i', 'd', 'e'),
    ngx_media_fourcc('p', 'n', 'o', 't'),
    ngx_media_fourcc('u', 'u', 'i', 'd'),
    ngx_media_fourcc('u', 'd', 't', 'a'),
    ngx_media_fourcc('m', 'e', 't', 'a'),
    ngx_media_fourcc('p', 'd', 'i', 'n'),
    ngx_media_fourcc('m', 'o', 'o', 'f'),
    ngx_media_fourcc('s', 'i', 'd', 'x'),
    ngx_media_fourcc('s', 's', 'i', 'x'),
    ngx_media_fourcc('e', 'm', 's', 'g'),
    ngx_media_fourcc('p', 'r', 'f', 't'),
    0
};


void
ngx_media_vod_index(ngx_media_vod_index_t *index)
{
    size_t  n;
    u_char  head[NGX_MEDIA_VOD_HEAD];

    if (index->id.size == 0) {
        index->file = ngx_media_vod_index_fail(index, 415, "file is empty");
        return;
    }

    n = (size_t) ngx_min(index->id.size, NGX_MEDIA_VOD_HEAD);

    if (ngx_media_vod_index_read(index, head, n, 0, &index->file) != NGX_OK) {
        return;
    }

    if (ngx_media_vod_index_is_text(index->path, head, n)) {
        index->file = ngx_media_vod_index_text(index);

    } else if (ngx_media_vod_index_is_mp4(head, n)) {
        index->file = ngx_media_vod_index_mp4(index);

    } else {
        index->file = ngx_media_vod_index_av(index);
    }
}


ngx_int_t
ngx_media_vod_index_read(ngx_media_vod_index_t *index, u_char *p, size_t size,
    uint64_t offset, ngx_media_vod_file_t **file)
{
    ssize_t  n;

    while (size) {
        n = pread(index->fd, p, size, (off_t) offset);

        if (n < 0) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            *file = ngx_media_vod_index_fail(index, 500,
                                             "reading failed, errno:%d",
                                             ngx_errno);
            return NGX_ERROR;
        }

        if (n == 0) {
            *file = ngx_media_vod_index_fail(index, 500,
                                             "file is shorter than it was");
            return NGX_ERROR;
        }

        p += n;
        size -= n;
        offset += n;
    }

    return NGX_OK;
}


/* size 0: up to the end of the file; 1: a large one follows */

static ngx_uint_t
ngx_media_vod_index_is_mp4(const u_char *head, size_t len)
{
    uint32_t    size, type;
    ngx_uint_t  i;

    if (len < 8) {
        return 0;
    }

    size = ngx_media_get_be32(head);
    type = ngx_media_get_be32(head + 4);

    if (size > 1 && size < 8) {
        return 0;
    }

    for (i = 0; ngx_media_vod_boxes[i]; i++) {
        if (ngx_media_vod_boxes[i] == type) {
            return 1;
        }
    }

    return 0;
}


/*
 * WebVTT by its signature, WebVTT, 4, or text files by their names; what is
 * in them is looked at by their reader
 */

static ngx_uint_t
ngx_media_vod_index_is_text(const char *path, const u_char *head, size_t len)
{
    size_t  n;

    static const u_char  bom[] = { 0xef, 0xbb, 0xbf };
    static const u_char  magic[] = { 'W', 'E', 'B', 'V', 'T', 'T' };

    if (path != NULL) {
        n = ngx_strlen(path);

        if (n > 4
            && (strcasecmp(path + n - 4, ".vtt") == 0
                || strcasecmp(path + n - 4, ".srt") == 0))
        {
            return 1;
        }
    }

    if (len > sizeof(bom) && ngx_memcmp(head, bom, sizeof(bom)) == 0) {
        head += sizeof(bom);
        len -= sizeof(bom);
    }

    return len >= sizeof(magic)
           && ngx_memcmp(head, magic, sizeof(magic)) == 0;
}


ngx_media_vod_file_t *
ngx_media_vod_index_fail(ngx_media_vod_index_t *index, ngx_uint_t status,
    const char *fmt, ...)
{
    va_list                args;
    ngx_media_vod_file_t  *file;

    file = calloc(1, sizeof(ngx_media_vod_file_t));

    if (file == NULL) {
        return NULL;
    }

    file->version = NGX_MEDIA_VOD_VERSION;
    file->size = sizeof(ngx_media_vod_file_t);
    file->id = index->id;
    file->tag = ngx_media_hash((u_char *) &index->id, sizeof(index->id));
    file->status = (uint32_t) status;

    va_start(args, fmt);
    (void) vsnprintf((char *) file->error, sizeof(file->error), fmt, args);
    va_end(args);

    return file;
}
