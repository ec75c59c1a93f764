
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_srt.h"
#include "formats/ngx_media_bytes.h"


#define NGX_MEDIA_SRT_CONTROL_BIT  0x80000000


static void ngx_media_srt_parse_data(ngx_media_srt_data_t *data,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_parse_control(ngx_media_srt_control_t *control,
    const u_char *pos, const u_char *last);


ngx_int_t
ngx_media_srt_parse(ngx_media_srt_packet_t *packet, const u_char *pos,
    const u_char *last)
{
    if ((size_t) (last - pos) < NGX_MEDIA_SRT_HEADER) {
        return NGX_ERROR;
    }

    packet->control = (pos[0] & 0x80) != 0;

    if (packet->control) {
        ngx_media_srt_parse_control(&packet->u.control, pos, last);

    } else {
        ngx_media_srt_parse_data(&packet->u.data, pos, last);
    }

    return NGX_OK;
}


/* draft-sharabayko-srt, 3.1 */

static void
ngx_media_srt_parse_data(ngx_media_srt_data_t *data, const u_char *pos,
    const u_char *last)
{
    uint32_t  flags;

    flags = ngx_media_get_be32(pos + 4);

    data->seq = ngx_media_get_be32(pos);
    data->msg = flags & NGX_MEDIA_SRT_MSG_MAX;
    data->pp = flags >> 30;
    data->order = flags >> 29 & 1;
    data->kk = flags >> 27 & 3;
    data->rexmit = flags >> 26 & 1;
    data->ts = ngx_media_get_be32(pos + 8);
    data->dst = ngx_media_get_be32(pos + 12);
    data->pos = pos + NGX_MEDIA_SRT_HEADER;
    data->last = last;
}


/* 3.2 */

static void
ngx_media_srt_parse_control(ngx_media_srt_control_t *control,
    const u_char *pos, const u_char *last)
{
    control->type = ngx_media_get_be16(pos) & 0x7fff;
    control->subtype = ngx_media_get_be16(pos + 2);
    control->info = ngx_media_get_be32(pos + 4);
    control->ts = ngx_media_get_be32(pos + 8);
    control->dst = ngx_media_get_be32(pos + 12);
    control->pos = pos + NGX_MEDIA_SRT_HEADER;
    control->last = last;
}


uint32_t
ngx_media_srt_dst(const u_char *pos, const u_char *last)
{
    if ((size_t) (last - pos) < NGX_MEDIA_SRT_HEADER) {
        return 0;
    }

    return ngx_media_get_be32(pos + 12);
}


u_char *
ngx_media_srt_put_header(u_char *p, ngx_uint_t type, ngx_uint_t subtype,
    uint32_t info, uint32_t ts, uint32_t dst)
{
    p = ngx_media_put_be32(p, NGX_MEDIA_SRT_CONTROL_BIT
                              | (uint32_t) (type & 0x7fff) << 16
                              | (uint32_t) (subtype & 0xffff));
    p = ngx_media_put_be32(p, info);
    p = ngx_media_put_be32(p, ts);

    return ngx_media_put_be32(p, dst);
}


u_char *
ngx_media_srt_put_data_header(u_char *p, const ngx_media_srt_data_t *data)
{
    p = ngx_media_put_be32(p, data->seq & NGX_MEDIA_SRT_SEQ_MAX);
    p = ngx_media_put_be32(p, (uint32_t) data->pp << 30
                              | (uint32_t) data->order << 29
                              | (uint32_t) data->kk << 27
                              | (uint32_t) data->rexmit << 26
                              | (data->msg & NGX_MEDIA_SRT_MSG_MAX));
    p = ngx_media_put_be32(p, data->ts);

    return ngx_media_put_be32(p, data->dst);
}
