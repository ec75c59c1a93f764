
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Integers of either byte order, and a bounded reader with a sticky error:
 * past the end it returns zeros and empty spans and sets err, so a parser
 * reads a whole structure and checks once before it uses a value.
 */


#ifndef _NGX_MEDIA_BYTES_H_INCLUDED_
#define _NGX_MEDIA_BYTES_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* big endian */

static ngx_inline uint16_t
ngx_media_get_be16(const u_char *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}


static ngx_inline uint32_t
ngx_media_get_be24(const u_char *p)
{
    return (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
}


static ngx_inline uint32_t
ngx_media_get_be32(const u_char *p)
{
    return (uint32_t) p[0] << 24 | ngx_media_get_be24(p + 1);
}


static ngx_inline uint64_t
ngx_media_get_be64(const u_char *p)
{
    return (uint64_t) ngx_media_get_be32(p) << 32 | ngx_media_get_be32(p + 4);
}


/* two's complement */

static ngx_inline int32_t
ngx_media_get_be24s(const u_char *p)
{
    int32_t  n;

    n = (int32_t) ngx_media_get_be24(p);

    return (n & 0x800000) ? n - 0x1000000 : n;
}


/* the put functions return the position after what they wrote */

static ngx_inline u_char *
ngx_media_put_8(u_char *p, uint32_t n)
{
    p[0] = (u_char) n;

    return p + 1;
}


static ngx_inline u_char *
ngx_media_put_be16(u_char *p, uint32_t n)
{
    p[0] = (u_char) (n >> 8);
    p[1] = (u_char) n;

    return p + 2;
}


static ngx_inline u_char *
ngx_media_put_be24(u_char *p, uint32_t n)
{
    p[0] = (u_char) (n >> 16);

    return ngx_media_put_be16(p + 1, n);
}


static ngx_inline u_char *
ngx_media_put_be32(u_char *p, uint32_t n)
{
    p[0] = (u_char) (n >> 24);

    return ngx_media_put_be24(p + 1, n);
}


static ngx_inline u_char *
ngx_media_put_be64(u_char *p, uint64_t n)
{
    p = ngx_media_put_be32(p, (uint32_t) (n >> 32));

    return ngx_media_put_be32(p, (uint32_t) n);
}


/* little endian */

static ngx_inline uint16_t
ngx_media_get_le16(const u_char *p)
{
    return (uint16_t) (p[1] << 8 | p[0]);
}


static ngx_inline uint32_t
ngx_media_get_le32(const u_char *p)
{
    return (uint32_t) p[3] << 24 | (uint32_t) p[2] << 16
           | ngx_media_get_le16(p);
}


static ngx_inline u_char *
ngx_media_put_le16(u_char *p, uint32_t n)
{
    p[0] = (u_char) n;
    p[1] = (u_char) (n >> 8);

    return p + 2;
}


static ngx_inline u_char *
ngx_media_put_le32(u_char *p, uint32_t n)
{
    p = ngx_media_put_le16(p, n);

    return ngx_media_put_le16(p, n >> 16);
}


/* IEEE 754 doubles, big endian, of any value: NaN is not filtered here */

static ngx_inline double
ngx_media_get_double(const u_char *p)
{
    double    d;
    uint64_t  n;

    n = ngx_media_get_be64(p);
    ngx_memcpy(&d, &n, sizeof(double));

    return d;
}


static ngx_inline u_char *
ngx_media_put_double(u_char *p, double d)
{
    uint64_t  n;

    ngx_memcpy(&n, &d, sizeof(double));

    return ngx_media_put_be64(p, n);
}


/* the bounded reader */

typedef struct {
    const u_char             *pos;            /* never after last */
    const u_char             *last;
    ngx_uint_t                err;            /* read past the end, once */
} ngx_media_reader_t;


#define ngx_media_reader_left(r)  ((size_t) ((r)->last - (r)->pos))


static ngx_inline void
ngx_media_reader_init(ngx_media_reader_t *r, const u_char *pos,
    const u_char *last)
{
    r->pos = pos;
    r->last = last;
    r->err = 0;
}


/* the next n bytes, or NULL, err set and nothing left */

static ngx_inline const u_char *
ngx_media_read_bytes(ngx_media_reader_t *r, size_t n)
{
    const u_char  *p;

    if (ngx_media_reader_left(r) < n) {
        r->pos = r->last;
        r->err = 1;
        return NULL;
    }

    p = r->pos;
    r->pos += n;

    return p;
}


/* the same as a span, empty at the end of input if there are fewer */

static ngx_inline void
ngx_media_read_span(ngx_media_reader_t *r, size_t n, ngx_media_span_t *span)
{
    const u_char  *p;

    p = ngx_media_read_bytes(r, n);

    span->pos = (p == NULL) ? r->last : p;
    span->last = r->pos;
}


static ngx_inline uint32_t
ngx_media_read_8(ngx_media_reader_t *r)
{
    const u_char  *p;

    p = ngx_media_read_bytes(r, 1);

    return (p == NULL) ? 0 : p[0];
}


static ngx_inline uint32_t
ngx_media_read_be16(ngx_media_reader_t *r)
{
    const u_char  *p;

    p = ngx_media_read_bytes(r, 2);

    return (p == NULL) ? 0 : ngx_media_get_be16(p);
}


static ngx_inline uint32_t
ngx_media_read_be24(ngx_media_reader_t *r)
{
    const u_char  *p;

    p = ngx_media_read_bytes(r, 3);

    return (p == NULL) ? 0 : ngx_media_get_be24(p);
}


static ngx_inline uint32_t
ngx_media_read_be32(ngx_media_reader_t *r)
{
    const u_char  *p;

    p = ngx_media_read_bytes(r, 4);

    return (p == NULL) ? 0 : ngx_media_get_be32(p);
}


static ngx_inline uint64_t
ngx_media_read_be64(ngx_media_reader_t *r)
{
    const u_char  *p;

    p = ngx_media_read_bytes(r, 8);

    return (p == NULL) ? 0 : ngx_media_get_be64(p);
}


#endif /* _NGX_MEDIA_BYTES_H_INCLUDED_ */
