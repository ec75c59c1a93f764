
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_box.h"


#define NGX_MEDIA_MP4_UUID  ngx_media_fourcc('u', 'u', 'i', 'd')


static ngx_int_t ngx_media_mp4_walk_box(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, const ngx_media_mp4_table_t *entry,
    void *dst);


/* 4.2 */

ngx_int_t
ngx_media_mp4_box_header(ngx_media_mp4_box_t *box, const u_char *pos,
    const u_char *last, uint64_t offset, uint64_t end)
{
    uint64_t             left;
    ngx_media_reader_t   r;

    ngx_media_reader_init(&r, pos, last);

    left = end - offset;

    box->offset = offset;
    box->size = ngx_media_read_be32(&r);
    box->type = ngx_media_read_be32(&r);
    box->header = 8;
    box->uuid = NULL;

    if (box->size == 1) {
        box->size = ngx_media_read_be64(&r);
        box->header = 16;

    } else if (box->size == 0) {
        box->size = left;
    }

    if (box->type == NGX_MEDIA_MP4_UUID) {
        box->uuid = ngx_media_read_bytes(&r, 16);
        box->header += 16;
    }

    if (left < box->header) {
        return NGX_ERROR;
    }

    if (r.err) {
        return NGX_AGAIN;
    }

    if (box->size < box->header) {
        return NGX_ERROR;
    }

    return (box->size > left) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_media_mp4_box_next(ngx_media_mp4_iter_t *iter, ngx_media_mp4_box_t *box)
{
    size_t  left;

    left = iter->last - iter->pos;

    /* the 32 zero bits that end a list of QuickTime's user data, too */

    if (left < 8) {
        iter->pos = iter->last;
        return NGX_DONE;
    }

    if (ngx_media_mp4_box_header(box, iter->pos, iter->last, iter->offset,
                                 iter->offset + left)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    box->body.pos = iter->pos + box->header;
    box->body.last = iter->pos + (size_t) box->size;

    iter->pos = box->body.last;
    iter->offset += box->size;

    return NGX_OK;
}


ngx_int_t
ngx_media_mp4_walk(ngx_media_mp4_walk_t *walk, const ngx_media_span_t *boxes,
    const ngx_media_mp4_table_t *table, void *dst)
{
    ngx_int_t                     rc;
    ngx_media_mp4_box_t           box;
    ngx_media_mp4_iter_t          iter;
    const ngx_media_mp4_table_t  *entry;

    iter.pos = boxes->pos;
    iter.last = boxes->last;
    iter.offset = walk->offset + (boxes->pos - walk->start);

    for ( ;; ) {
        rc = ngx_media_mp4_box_next(&iter, &box);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return ngx_media_mp4_fail(walk, iter.pos,
                                      "a box in it has a wrong size");
        }

        for (entry = table; entry->type; entry++) {
            if (entry->type == box.type) {
                break;
            }
        }

        if (entry->type == 0) {
            continue;
        }

        rc = ngx_media_mp4_walk_box(walk, &box, entry, dst);

        if (rc != NGX_OK) {

            if (entry->flags & NGX_MEDIA_MP4_OPTIONAL) {
                walk->error->text = NULL;
                continue;
            }

            return rc;
        }
    }
}


static ngx_int_t
ngx_media_mp4_walk_box(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, const ngx_media_mp4_table_t *entry,
    void *dst)
{
    ngx_int_t          rc;
    ngx_media_span_t  *span;

    if (walk->depth == NGX_MEDIA_MP4_DEPTH) {
        return ngx_media_mp4_fail(walk, box->body.pos, "nested too deep");
    }

    walk->path[walk->depth].type = box->type;
    walk->path[walk->depth].number = 0;
    walk->depth++;

    if (entry->handler) {
        rc = entry->handler(walk, box, dst);

    } else if (entry->children) {
        rc = ngx_media_mp4_walk(walk, &box->body, entry->children, dst);

    } else {
        span = (ngx_media_span_t *) ((u_char *) dst + entry->offset);

        if (span->pos != NULL) {
            rc = ngx_media_mp4_fail(walk, box->body.pos, "is duplicate");

        } else {
            *span = box->body;
            rc = NGX_OK;
        }
    }

    walk->depth--;

    return rc;
}


ngx_int_t
ngx_media_mp4_fail(ngx_media_mp4_walk_t *walk, const u_char *pos,
    const char *text)
{
    ngx_media_mp4_error_t  *error;

    error = walk->error;

    ngx_memcpy(error->path, walk->path, sizeof(walk->path));

    error->depth = walk->depth;
    error->offset = walk->offset + (pos - walk->start);
    error->text = text;

    return NGX_ERROR;
}


void
ngx_media_mp4_error_text(ngx_media_text_t *text,
    const ngx_media_mp4_error_t *error)
{
    u_char       type[4];
    ngx_uint_t   i, n;

    for (n = 0; n < error->depth; n++) {

        if (n) {
            ngx_media_text_cstr(text, "/");
        }

        (void) ngx_media_put_be32(type, error->path[n].type);

        for (i = 0; i < 4; i++) {
            if (type[i] < 0x20 || type[i] > 0x7e) {
                type[i] = '.';
            }
        }

        ngx_media_text_data(text, type, 4);

        if (error->path[n].number) {
            ngx_media_text_cstr(text, "[");
            ngx_media_text_u64(text, error->path[n].number);
            ngx_media_text_cstr(text, "]");
        }
    }

    if (error->depth) {
        ngx_media_text_cstr(text, ": ");
    }

    ngx_media_text_data(text, error->text, ngx_strlen(error->text));
    ngx_media_text_cstr(text, ", offset:");
    ngx_media_text_u64(text, error->offset);
}
