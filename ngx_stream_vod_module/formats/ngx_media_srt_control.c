
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_srt_control.h"
#include "formats/ngx_media_bytes.h"


#define NGX_MEDIA_SRT_RANGE  0x80000000       /* the first word of a range */

/* words of an ACK: all after the first go together, 4 of them, or more */
#define NGX_MEDIA_SRT_ACK_SMALL  4


ngx_int_t
ngx_media_srt_ack_parse(ngx_media_srt_ack_t *ack, const u_char *pos,
    const u_char *last)
{
    ngx_media_reader_t  r;

    ngx_memzero(ack, sizeof(ngx_media_srt_ack_t));

    ack->words = ngx_min((last - pos) / 4, NGX_MEDIA_SRT_ACK_SIZE / 4);

    /* what is beyond the end is read as 0 */

    ngx_media_reader_init(&r, pos, pos + ack->words * 4);

    ack->seq = ngx_media_read_be32(&r);

    if (r.err || ack->seq > NGX_MEDIA_SRT_SEQ_MAX) {
        return NGX_ERROR;
    }

    if (ack->words < NGX_MEDIA_SRT_ACK_SMALL) {
        ack->words = 1;
        return NGX_OK;
    }

    ack->rtt = ngx_media_read_be32(&r);
    ack->rttvar = ngx_media_read_be32(&r);
    ack->buffer = ngx_media_read_be32(&r);
    ack->rate = ngx_media_read_be32(&r);
    ack->capacity = ngx_media_read_be32(&r);
    ack->bytes = ngx_media_read_be32(&r);

    return NGX_OK;
}


u_char *
ngx_media_srt_ack_write(u_char *p, const ngx_media_srt_ack_t *ack)
{
    p = ngx_media_put_be32(p, ack->seq & NGX_MEDIA_SRT_SEQ_MAX);
    p = ngx_media_put_be32(p, ack->rtt);
    p = ngx_media_put_be32(p, ack->rttvar);
    p = ngx_media_put_be32(p, ack->buffer);
    p = ngx_media_put_be32(p, ack->rate);
    p = ngx_media_put_be32(p, ack->capacity);

    return ngx_media_put_be32(p, ack->bytes);
}


ngx_int_t
ngx_media_srt_nak_add(u_char **p, u_char *last, uint32_t from, uint32_t to)
{
    if ((size_t) (last - *p) < (from == to ? 4 : 8)) {
        return NGX_DECLINED;
    }

    if (from != to) {
        *p = ngx_media_put_be32(*p, NGX_MEDIA_SRT_RANGE | from);
    }

    *p = ngx_media_put_be32(*p, to & NGX_MEDIA_SRT_SEQ_MAX);

    return NGX_OK;
}


ngx_int_t
ngx_media_srt_nak_next(ngx_media_span_t *list, uint32_t *from, uint32_t *to)
{
    ngx_media_reader_t  r;

    if (list->pos == list->last) {
        return NGX_DONE;
    }

    ngx_media_reader_init(&r, list->pos, list->last);

    *from = ngx_media_read_be32(&r);
    *to = *from;

    if (*from & NGX_MEDIA_SRT_RANGE) {
        *from &= NGX_MEDIA_SRT_SEQ_MAX;
        *to = ngx_media_read_be32(&r);
    }

    if (r.err
        || *to > NGX_MEDIA_SRT_SEQ_MAX
        || ngx_media_srt_seq_diff(*to, *from) < 0)
    {
        return NGX_ERROR;
    }

    list->pos = r.pos;

    return NGX_OK;
}


ngx_int_t
ngx_media_srt_dropreq_parse(const u_char *pos, const u_char *last,
    uint32_t *from, uint32_t *to)
{
    if ((size_t) (last - pos) < NGX_MEDIA_SRT_DROPREQ_SIZE) {
        return NGX_ERROR;
    }

    *from = ngx_media_get_be32(pos);
    *to = ngx_media_get_be32(pos + 4);

    if (*from > NGX_MEDIA_SRT_SEQ_MAX
        || *to > NGX_MEDIA_SRT_SEQ_MAX
        || ngx_media_srt_seq_diff(*to, *from) < 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


u_char *
ngx_media_srt_dropreq_write(u_char *p, uint32_t from, uint32_t to)
{
    p = ngx_media_put_be32(p, from & NGX_MEDIA_SRT_SEQ_MAX);

    return ngx_media_put_be32(p, to & NGX_MEDIA_SRT_SEQ_MAX);
}


u_char *
ngx_media_srt_empty_write(u_char *p)
{
    return ngx_media_put_be32(p, 0);
}
