
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_emsg.h"


static u_char *ngx_media_emsg_put_string(u_char *p,
    const ngx_media_span_t *string);
static u_char *ngx_media_emsg_put_span(u_char *p,
    const ngx_media_span_t *span);
static void ngx_media_emsg_get_string(ngx_media_reader_t *r,
    ngx_media_span_t *string);


size_t
ngx_media_emsg_write(u_char *p, const ngx_media_emsg_t *emsg)
{
    size_t  size;

    /* size, type, version and flags, four or five fields, two zeros */

    size = 12 + (emsg->version == 0 ? 16 : 20) + 2
           + ngx_media_span_len(&emsg->scheme)
           + ngx_media_span_len(&emsg->value)
           + ngx_media_span_len(&emsg->data);

    if (p == NULL) {
        return size;
    }

    p = ngx_media_put_be32(p, (uint32_t) size);
    p = ngx_media_put_be32(p, NGX_MEDIA_MP4_EMSG);
    p = ngx_media_put_be32(p, emsg->version << 24);

    if (emsg->version == 0) {
        p = ngx_media_emsg_put_string(p, &emsg->scheme);
        p = ngx_media_emsg_put_string(p, &emsg->value);
        p = ngx_media_put_be32(p, emsg->timescale);
        p = ngx_media_put_be32(p, (uint32_t) emsg->time);

    } else {
        p = ngx_media_put_be32(p, emsg->timescale);
        p = ngx_media_put_be64(p, emsg->time);
    }

    p = ngx_media_put_be32(p, emsg->duration);
    p = ngx_media_put_be32(p, emsg->id);

    if (emsg->version != 0) {
        p = ngx_media_emsg_put_string(p, &emsg->scheme);
        p = ngx_media_emsg_put_string(p, &emsg->value);
    }

    (void) ngx_media_emsg_put_span(p, &emsg->data);

    return size;
}


static u_char *
ngx_media_emsg_put_string(u_char *p, const ngx_media_span_t *string)
{
    p = ngx_media_emsg_put_span(p, string);

    return ngx_media_put_8(p, 0);
}


/* an empty one may have no place */

static u_char *
ngx_media_emsg_put_span(u_char *p, const ngx_media_span_t *span)
{
    size_t  len;

    len = ngx_media_span_len(span);

    return (len == 0) ? p : ngx_cpymem(p, span->pos, len);
}


ngx_int_t
ngx_media_emsg_read(ngx_media_emsg_t *emsg, const u_char *pos,
    const u_char *last)
{
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, pos, last);

    emsg->version = ngx_media_read_8(&r);
    (void) ngx_media_read_be24(&r);

    if (emsg->version > 1) {
        return NGX_DECLINED;
    }

    if (emsg->version == 0) {
        ngx_media_emsg_get_string(&r, &emsg->scheme);
        ngx_media_emsg_get_string(&r, &emsg->value);
        emsg->timescale = ngx_media_read_be32(&r);
        emsg->time = ngx_media_read_be32(&r);

    } else {
        emsg->timescale = ngx_media_read_be32(&r);
        emsg->time = ngx_media_read_be64(&r);
    }

    emsg->duration = ngx_media_read_be32(&r);
    emsg->id = ngx_media_read_be32(&r);

    if (emsg->version == 1) {
        ngx_media_emsg_get_string(&r, &emsg->scheme);
        ngx_media_emsg_get_string(&r, &emsg->value);
    }

    ngx_media_read_span(&r, ngx_media_reader_left(&r), &emsg->data);

    return (r.err || emsg->timescale == 0) ? NGX_ERROR : NGX_OK;
}


/* without the zero that ends it; none is an error */

static void
ngx_media_emsg_get_string(ngx_media_reader_t *r, ngx_media_span_t *string)
{
    const u_char  *p;

    for (p = r->pos; p < r->last && *p != '\0'; p++) { /* void */ }

    ngx_media_read_span(r, p - r->pos, string);
    (void) ngx_media_read_8(r);
}
