
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * ID3 tag version 2.4.0, Main Structure (id3.org); 2.3 has plain frame sizes,
 * 2.2 headers of six bytes.
 *
 *     "ID3" version(2) flags(1) size(4, seven bits each)
 *     [extended header]
 *     frames: id(4) size(4) flags(2) data
 *     [padding of zeros] [footer, a copy of the header]
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_id3.h"


/* of the tag */
#define NGX_MEDIA_ID3_UNSYNC        0x80
#define NGX_MEDIA_ID3_EXTENDED      0x40
#define NGX_MEDIA_ID3_FOOTER        0x10

/* of a frame, 2.4 */
#define NGX_MEDIA_ID3_4_GROUPED     0x40
#define NGX_MEDIA_ID3_4_COMPRESSED  0x08
#define NGX_MEDIA_ID3_4_ENCRYPTED   0x04
#define NGX_MEDIA_ID3_4_UNSYNC      0x02
#define NGX_MEDIA_ID3_4_LENGTH      0x01

/* of a frame, 2.3 */
#define NGX_MEDIA_ID3_3_COMPRESSED  0x80
#define NGX_MEDIA_ID3_3_ENCRYPTED   0x40
#define NGX_MEDIA_ID3_3_GROUPED     0x20


static ngx_int_t ngx_media_id3_syncsafe(const u_char *p, uint32_t *value);
static ngx_int_t ngx_media_id3_extended(ngx_media_id3_t *id3);
static ngx_int_t ngx_media_id3_flags(const ngx_media_id3_t *id3,
    ngx_media_id3_frame_t *frame, ngx_uint_t flags);


static const u_char  ngx_media_id3_owner[] =
    "com.apple.streaming.transportStreamTimestamp";


size_t
ngx_media_id3_write_timestamp(u_char *p, uint64_t time)
{
    size_t  n;

    /* all sizes are below 128: their seven-bit form is that of integers */

    n = sizeof(ngx_media_id3_owner) + 8;

    if (p == NULL) {
        return NGX_MEDIA_ID3_HEADER_SIZE + 10 + n;
    }

    p = ngx_media_put_be24(p, 0x494433);      /* "ID3" */
    p = ngx_media_put_be24(p, 0x040000);
    p = ngx_media_put_be32(p, (uint32_t) n + 10);

    p = ngx_media_put_be32(p, NGX_MEDIA_ID3_PRIV);
    p = ngx_media_put_be32(p, (uint32_t) n);
    p = ngx_media_put_be16(p, 0);

    ngx_memcpy(p, ngx_media_id3_owner, sizeof(ngx_media_id3_owner));

    (void) ngx_media_put_be64(p + sizeof(ngx_media_id3_owner),
                              time & 0x1ffffffff);

    return NGX_MEDIA_ID3_TIMESTAMP_SIZE;
}


ngx_int_t
ngx_media_id3_size(const u_char *pos, const u_char *last, size_t *size)
{
    size_t    i;
    uint32_t  value;

    static const u_char  id[] = { 'I', 'D', '3' };

    for (i = 0; i < sizeof(id); i++) {

        if (i == (size_t) (last - pos)) {
            return NGX_AGAIN;
        }

        if (pos[i] != id[i]) {
            return NGX_DECLINED;
        }
    }

    if (last - pos < NGX_MEDIA_ID3_HEADER_SIZE) {
        return NGX_AGAIN;
    }

    if (pos[3] == 0xff || pos[4] == 0xff
        || ngx_media_id3_syncsafe(pos + 6, &value) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    *size = NGX_MEDIA_ID3_HEADER_SIZE + (size_t) value;

    if (pos[3] >= 4 && (pos[5] & NGX_MEDIA_ID3_FOOTER)) {
        *size += NGX_MEDIA_ID3_HEADER_SIZE;
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_id3_open(ngx_media_id3_t *id3, const u_char *pos,
    const u_char *last)
{
    size_t  size;

    if (ngx_media_id3_size(pos, last, &size) != NGX_OK
        || pos[3] < 2 || pos[3] > 4)
    {
        return NGX_DECLINED;
    }

    if ((size_t) (last - pos) < size) {
        return NGX_ERROR;
    }

    id3->version = pos[3];
    id3->unsync = (pos[5] & NGX_MEDIA_ID3_UNSYNC) != 0;
    id3->last = pos + size;
    id3->pos = pos + NGX_MEDIA_ID3_HEADER_SIZE;

    if (id3->version == 2) {

        /* 2.2: this bit is compression, of which nothing else is said */

        return (pos[5] & NGX_MEDIA_ID3_EXTENDED) ? NGX_DECLINED : NGX_OK;
    }

    if (id3->version == 4 && (pos[5] & NGX_MEDIA_ID3_FOOTER)) {
        id3->last -= NGX_MEDIA_ID3_HEADER_SIZE;
    }

    if (pos[5] & NGX_MEDIA_ID3_EXTENDED) {
        return ngx_media_id3_extended(id3);
    }

    return NGX_OK;
}


/* its size counts itself in 2.4, not in 2.3 */

static ngx_int_t
ngx_media_id3_extended(ngx_media_id3_t *id3)
{
    uint32_t  size;

    if (id3->last - id3->pos < 4) {
        return NGX_ERROR;
    }

    if (id3->version == 4) {

        if (ngx_media_id3_syncsafe(id3->pos, &size) != NGX_OK || size < 6) {
            return NGX_ERROR;
        }

    } else {
        size = ngx_media_get_be32(id3->pos);
        id3->pos += 4;
    }

    if ((size_t) (id3->last - id3->pos) < size) {
        return NGX_ERROR;
    }

    id3->pos += size;

    return NGX_OK;
}


ngx_int_t
ngx_media_id3_next(ngx_media_id3_t *id3, ngx_media_id3_frame_t *frame)
{
    size_t         head;
    uint32_t       size;
    ngx_uint_t     flags;
    const u_char  *p;

    p = id3->pos;
    head = (id3->version == 2) ? 6 : 10;

    /* padding, or what is too little for a frame */

    if ((size_t) (id3->last - p) < head || p[0] == 0) {
        return NGX_DONE;
    }

    flags = 0;

    switch (id3->version) {

    case 2:
        frame->id = ngx_media_get_be24(p) << 8;
        size = ngx_media_get_be24(p + 3);
        break;

    case 3:
        frame->id = ngx_media_get_be32(p);
        size = ngx_media_get_be32(p + 4);
        flags = p[9];
        break;

    default:
        frame->id = ngx_media_get_be32(p);
        flags = p[9];

        /* some writers of 2.4 have plain sizes */

        if (ngx_media_id3_syncsafe(p + 4, &size) != NGX_OK) {
            size = ngx_media_get_be32(p + 4);
        }
    }

    p += head;

    if ((size_t) (id3->last - p) < size) {
        return NGX_ERROR;
    }

    frame->data.pos = p;
    frame->data.last = p + size;
    frame->unsync = id3->unsync;
    frame->opaque = 0;

    id3->pos = frame->data.last;

    return ngx_media_id3_flags(id3, frame, flags);
}


/* what they say stands before the data */

static ngx_int_t
ngx_media_id3_flags(const ngx_media_id3_t *id3, ngx_media_id3_frame_t *frame,
    ngx_uint_t flags)
{
    size_t  skip;

    skip = 0;

    if (id3->version == 3) {

        if (flags & NGX_MEDIA_ID3_3_COMPRESSED) {
            frame->opaque = 1;
            skip += 4;
        }

        if (flags & NGX_MEDIA_ID3_3_ENCRYPTED) {
            frame->opaque = 1;
            skip++;
        }

        if (flags & NGX_MEDIA_ID3_3_GROUPED) {
            skip++;
        }

    } else if (id3->version == 4) {

        frame->unsync = (flags & NGX_MEDIA_ID3_4_UNSYNC) != 0;

        if (flags & NGX_MEDIA_ID3_4_GROUPED) {
            skip++;
        }

        if (flags & NGX_MEDIA_ID3_4_COMPRESSED) {
            frame->opaque = 1;
        }

        if (flags & NGX_MEDIA_ID3_4_ENCRYPTED) {
            frame->opaque = 1;
            skip++;
        }

        if (flags & NGX_MEDIA_ID3_4_LENGTH) {
            skip += 4;
        }
    }

    if (ngx_media_span_len(&frame->data) < skip) {
        return NGX_ERROR;
    }

    frame->data.pos += skip;

    return NGX_OK;
}


ngx_int_t
ngx_media_id3_priv(const ngx_media_id3_frame_t *frame,
    ngx_media_span_t *owner, ngx_media_span_t *data)
{
    const u_char  *p;

    if (frame->id != NGX_MEDIA_ID3_PRIV || frame->opaque) {
        return NGX_DECLINED;
    }

    for (p = frame->data.pos; p < frame->data.last; p++) {
        if (*p == '\0') {
            owner->pos = frame->data.pos;
            owner->last = p;
            data->pos = p + 1;
            data->last = frame->data.last;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_media_id3_timestamp(const u_char *pos, const u_char *last, uint64_t *time)
{
    ngx_media_id3_t        id3;
    ngx_media_span_t       data, owner;
    ngx_media_id3_frame_t  frame;

    if (ngx_media_id3_open(&id3, pos, last) != NGX_OK) {
        return NGX_DECLINED;
    }

    while (ngx_media_id3_next(&id3, &frame) == NGX_OK) {

        if (ngx_media_id3_priv(&frame, &owner, &data) == NGX_OK
            && ngx_media_span_len(&data) == 8
            && ngx_media_span_len(&owner) == sizeof(ngx_media_id3_owner) - 1
            && ngx_memcmp(owner.pos, ngx_media_id3_owner,
                          sizeof(ngx_media_id3_owner) - 1)
               == 0)
        {
            *time = ngx_media_get_be64(data.pos) & 0x1ffffffff;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* 2.4, 6.2: seven bits of each byte */

static ngx_int_t
ngx_media_id3_syncsafe(const u_char *p, uint32_t *value)
{
    if ((p[0] | p[1] | p[2] | p[3]) & 0x80) {
        return NGX_ERROR;
    }

    *value = (uint32_t) p[0] << 21 | p[1] << 14 | p[2] << 7 | p[3];

    return NGX_OK;
}
