
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"


static size_t ngx_media_rtmp_msg_write(u_char *p, uint32_t type,
    const u_char *body, size_t len);


ngx_int_t
ngx_media_rtmp_control_parse(uint32_t type, const u_char *pos,
    const u_char *last, ngx_media_rtmp_control_t *control)
{
    ngx_media_reader_t  r;

    ngx_memzero(control, sizeof(ngx_media_rtmp_control_t));
    ngx_media_reader_init(&r, pos, last);

    switch (type) {

    case NGX_MEDIA_RTMP_CHUNK:
    case NGX_MEDIA_RTMP_ABORT:
    case NGX_MEDIA_RTMP_ACK:
    case NGX_MEDIA_RTMP_WINDOW:
        control->value = ngx_media_read_be32(&r);
        break;

    case NGX_MEDIA_RTMP_BANDWIDTH:
        control->value = ngx_media_read_be32(&r);
        control->limit = ngx_media_read_8(&r);
        break;

    case NGX_MEDIA_RTMP_USER:
        control->event = ngx_media_read_be16(&r);

        if (ngx_media_reader_left(&r) >= 4) {
            control->value = ngx_media_read_be32(&r);
        }

        break;

    default:
        return NGX_DECLINED;
    }

    return r.err ? NGX_ERROR : NGX_OK;
}


size_t
ngx_media_rtmp_control_write(u_char *p, uint32_t type, uint32_t value)
{
    size_t  len;
    u_char  body[5];

    len = 4;
    (void) ngx_media_put_be32(body, value);

    if (type == NGX_MEDIA_RTMP_BANDWIDTH) {
        body[4] = NGX_MEDIA_RTMP_DYNAMIC;
        len = 5;
    }

    return ngx_media_rtmp_msg_write(p, type, body, len);
}


/* 5.4 and 7.1.7; all events written here have one argument of 4 bytes */

size_t
ngx_media_rtmp_user_write(u_char *p, uint32_t event, uint32_t value)
{
    u_char  body[6];

    (void) ngx_media_put_be16(body, event);
    (void) ngx_media_put_be32(body + 2, value);

    return ngx_media_rtmp_msg_write(p, NGX_MEDIA_RTMP_USER, body, 6);
}


static size_t
ngx_media_rtmp_msg_write(u_char *p, uint32_t type, const u_char *body,
    size_t len)
{
    ngx_media_rtmp_chunk_header_t  header;

    header.csid = 2;
    header.timestamp = 0;
    header.type = type;
    header.stream = 0;

    return ngx_media_rtmp_chunk_write(p, &header, body, len,
                                      NGX_MEDIA_RTMP_CHUNK_SIZE);
}
