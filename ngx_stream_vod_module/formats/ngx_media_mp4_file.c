
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_mp4_file.h"


#define NGX_MEDIA_MP4_MOOV  ngx_media_fourcc('m', 'o', 'o', 'v')


static ngx_int_t ngx_media_mp4_file_wanted(const ngx_media_mp4_file_t *file);
static ngx_int_t ngx_media_mp4_file_end(ngx_media_mp4_file_t *file);
static ngx_int_t ngx_media_mp4_file_fail(ngx_media_mp4_file_t *file,
    ngx_uint_t depth, const char *text);


void
ngx_media_mp4_file_init(ngx_media_mp4_file_t *file, uint64_t size)
{
    ngx_memzero(file, sizeof(ngx_media_mp4_file_t));

    file->size = size;
    file->max = NGX_MEDIA_MP4_FILE_MAX_BOX;
}


void
ngx_media_mp4_file_resume(ngx_media_mp4_file_t *file, uint64_t size,
    uint64_t offset)
{
    ngx_media_mp4_file_init(file, size);

    file->resume = offset;
    file->moov = 1;
}


ngx_int_t
ngx_media_mp4_file_next(ngx_media_mp4_file_t *file, const u_char *pos,
    const u_char *last)
{
    size_t     n;
    uint64_t   left;
    ngx_int_t  rc;

    n = last - pos;

    for ( ;; ) {

        if (file->resume >= file->size) {
            return ngx_media_mp4_file_end(file);
        }

        left = file->size - file->resume;

        if (n == 0 || file->offset != file->resume) {
            file->offset = file->resume;
            file->want = ngx_min(left, NGX_MEDIA_MP4_FILE_READ);
            return NGX_AGAIN;
        }

        if (n < file->want) {
            return ngx_media_mp4_file_fail(file, 0,
                                           "the file is shorter than it was");
        }

        rc = (left < 8) ? NGX_ERROR
                        : ngx_media_mp4_box_header(&file->box, pos, last,
                                                   file->resume, file->size);

        if (rc == NGX_ERROR || rc == NGX_AGAIN) {
            file->garbage = 1;

            if (!file->moov) {
                return ngx_media_mp4_file_fail(file, left >= 8,
                                               "has a wrong size");
            }

            return NGX_DONE;
        }

        if (ngx_media_mp4_file_wanted(file) != NGX_OK) {

            if (rc == NGX_DECLINED) {

                /* mdat that was cut, or that says more than there is */

                file->garbage = 1;
                return file->moov ? NGX_DONE : ngx_media_mp4_file_end(file);
            }

            file->resume += file->box.size;
            n = 0;
            continue;
        }

        if (rc == NGX_DECLINED) {
            file->garbage = 1;

            if (!file->moov) {
                return ngx_media_mp4_file_fail(file, 1, "is truncated");
            }

            return NGX_DONE;
        }

        if (file->box.size > file->max) {
            return ngx_media_mp4_file_fail(file, 1, "is too large");
        }

        if (n < file->box.size) {
            file->want = (size_t) file->box.size;
            return NGX_AGAIN;
        }

        file->box.body.pos = pos + file->box.header;
        file->box.body.last = pos + (size_t) file->box.size;

        file->resume += file->box.size;
        file->moov |= (file->box.type == NGX_MEDIA_MP4_MOOV);

        return NGX_OK;
    }
}


static ngx_int_t
ngx_media_mp4_file_wanted(const ngx_media_mp4_file_t *file)
{
    switch (file->box.type) {

    case NGX_MEDIA_MP4_MOOV:

        /* the first one counts */

        return (file->moov && !file->again) ? NGX_DECLINED : NGX_OK;

    case ngx_media_fourcc('m', 'o', 'o', 'f'):
    case ngx_media_fourcc('s', 'i', 'd', 'x'):
    case ngx_media_fourcc('m', 'f', 'r', 'a'):

        /* of use only to who knows the tracks */

        return file->moov ? NGX_OK : NGX_DECLINED;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_media_mp4_file_end(ngx_media_mp4_file_t *file)
{
    if (file->moov) {
        return NGX_DONE;
    }

    file->resume = file->size;

    return ngx_media_mp4_file_fail(file, 0, file->size ? "no moov in it"
                                                       : "the file is empty");
}


/* depth 1: about the box */

static ngx_int_t
ngx_media_mp4_file_fail(ngx_media_mp4_file_t *file, ngx_uint_t depth,
    const char *text)
{
    file->error.path[0].type = file->box.type;
    file->error.path[0].number = 0;
    file->error.depth = depth;
    file->error.offset = file->resume;
    file->error.text = text;

    return NGX_ERROR;
}
