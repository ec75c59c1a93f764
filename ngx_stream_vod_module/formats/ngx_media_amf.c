
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_text.h"
#include "formats/ngx_media_amf.h"


/* markers, AMF 0, 2.1; those that are a type too are not repeated here */

#define NGX_MEDIA_AMF_OBJECT_END   0x09
#define NGX_MEDIA_AMF_LONG_STRING  0x0c
#define NGX_MEDIA_AMF_UNSUPPORTED  0x0d
#define NGX_MEDIA_AMF_XML          0x0f
#define NGX_MEDIA_AMF_AVMPLUS      0x11


/* a container that is being walked over */

typedef struct {
    uint32_t                  left;           /* elements of a strict array */
    ngx_uint_t                named;
} ngx_media_amf_level_t;


static ngx_int_t ngx_media_amf_walk(ngx_media_reader_t *r,
    ngx_media_amf_value_t *value, uint32_t count);
static ngx_int_t ngx_media_amf_item(ngx_media_reader_t *r,
    ngx_media_amf_level_t *level, ngx_media_span_t *key);
static ngx_int_t ngx_media_amf_value(ngx_media_reader_t *r,
    ngx_media_amf_value_t *value, uint32_t *count);
static ngx_int_t ngx_media_amf3_value(ngx_media_reader_t *r,
    ngx_media_amf_value_t *value);
static uint32_t ngx_media_amf3_u29(ngx_media_reader_t *r);
static ngx_int_t ngx_media_amf_store(const ngx_media_amf_elt_t *elt,
    const ngx_media_amf_value_t *value, void *dst);
static ngx_int_t ngx_media_amf_properties(const ngx_media_amf_elt_t *elts,
    const ngx_media_amf_value_t *object, void *dst);


ngx_int_t
ngx_media_amf_parse(const u_char **pos, const u_char *last,
    const ngx_media_amf_elt_t *elts, void *dst)
{
    ngx_int_t              rc;
    ngx_media_amf_value_t  value;

    for ( /* void */ ; elts->type != NGX_MEDIA_AMF_END; elts++) {

        rc = ngx_media_amf_read(pos, last, &value);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (ngx_media_amf_store(elts, &value, dst) == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_amf_read(const u_char **pos, const u_char *last,
    ngx_media_amf_value_t *value)
{
    uint32_t            count;
    ngx_int_t           rc;
    ngx_media_reader_t  r;

    if (*pos == last) {
        return NGX_DONE;
    }

    ngx_media_reader_init(&r, *pos, last);

    rc = ngx_media_amf_value(&r, value, &count);

    if (rc == NGX_AGAIN) {
        rc = ngx_media_amf_walk(&r, value, count);
    }

    *pos = r.pos;

    return r.err ? NGX_ERROR : rc;
}


/*
 * Walks to the end of a container whose header has been read, with a stack
 * of its own; where the end cannot be found the container is as long as the
 * values that are understood.
 */

static ngx_int_t
ngx_media_amf_walk(ngx_media_reader_t *r, ngx_media_amf_value_t *value,
    uint32_t count)
{
    ngx_int_t               rc;
    ngx_uint_t              depth;
    ngx_media_span_t        key;
    ngx_media_amf_level_t  *level, levels[NGX_MEDIA_AMF_DEPTH];
    ngx_media_amf_value_t   nested;

    value->data.pos = r->pos;

    level = levels;
    level->left = count;
    level->named = (value->type != NGX_MEDIA_AMF_ARRAY);

    for (depth = 1; depth; /* void */ ) {

        level = &levels[depth - 1];

        if (depth == 1) {
            value->data.last = r->pos;
        }

        rc = ngx_media_amf_item(r, level, &key);

        if (rc == NGX_DONE) {
            depth--;
            continue;
        }

        rc = ngx_media_amf_value(r, &nested, &count);

        if (r->err) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            continue;
        }

        if (rc != NGX_AGAIN) {
            return rc;
        }

        if (depth == NGX_MEDIA_AMF_DEPTH) {
            return NGX_ERROR;
        }

        level = &levels[depth++];
        level->left = count;
        level->named = (nested.type != NGX_MEDIA_AMF_ARRAY);
    }

    return NGX_OK;
}


/* what precedes an element's value; NGX_DONE: there is none, past the end */

static ngx_int_t
ngx_media_amf_item(ngx_media_reader_t *r, ngx_media_amf_level_t *level,
    ngx_media_span_t *key)
{
    uint32_t  len;

    if (!level->named) {
        key->pos = r->pos;
        key->last = r->pos;

        return (level->left-- == 0) ? NGX_DONE : NGX_OK;
    }

    /* many senders leave out the last end marker */

    if (r->pos == r->last) {
        return NGX_DONE;
    }

    len = ngx_media_read_be16(r);
    ngx_media_read_span(r, len, key);

    if (len == 0 && r->pos < r->last
        && *r->pos == NGX_MEDIA_AMF_OBJECT_END)
    {
        r->pos++;
        return NGX_DONE;
    }

    return NGX_OK;
}


/*
 * One scalar, or the header of a container: then NGX_AGAIN, with the number
 * of elements of a strict array.  The count of an ECMA array is a hint only.
 */

static ngx_int_t
ngx_media_amf_value(ngx_media_reader_t *r, ngx_media_amf_value_t *value,
    uint32_t *count)
{
    uint32_t          marker;
    const u_char     *p;
    ngx_media_span_t  name;

    marker = ngx_media_read_8(r);

    value->type = marker;
    value->number = 0;
    value->data.pos = r->pos;
    value->data.last = r->pos;

    switch (marker) {

    case NGX_MEDIA_AMF_NUMBER:
    case NGX_MEDIA_AMF_DATE:
        p = ngx_media_read_bytes(r, 8);

        if (p != NULL) {
            value->number = ngx_media_get_double(p);
        }

        if (marker == NGX_MEDIA_AMF_DATE) {
            (void) ngx_media_read_be16(r);    /* time zone, reserved */
        }

        break;

    case NGX_MEDIA_AMF_BOOL:
        value->number = (ngx_media_read_8(r) != 0);
        break;

    case NGX_MEDIA_AMF_STRING:
        ngx_media_read_span(r, ngx_media_read_be16(r), &value->data);
        break;

    case NGX_MEDIA_AMF_LONG_STRING:
    case NGX_MEDIA_AMF_XML:
        value->type = NGX_MEDIA_AMF_STRING;
        ngx_media_read_span(r, ngx_media_read_be32(r), &value->data);
        break;

    case NGX_MEDIA_AMF_NULL:
    case NGX_MEDIA_AMF_UNDEFINED:
        break;

    case NGX_MEDIA_AMF_UNSUPPORTED:
        value->type = NGX_MEDIA_AMF_UNDEFINED;
        break;

    case NGX_MEDIA_AMF_REFERENCE:
        value->number = ngx_media_read_be16(r);
        break;

    case NGX_MEDIA_AMF_TYPED_OBJECT:
        ngx_media_read_span(r, ngx_media_read_be16(r), &name);

        /* fall through */

    case NGX_MEDIA_AMF_OBJECT:
        *count = 0;
        return NGX_AGAIN;

    case NGX_MEDIA_AMF_ECMA_ARRAY:
    case NGX_MEDIA_AMF_ARRAY:
        *count = ngx_media_read_be32(r);
        return NGX_AGAIN;

    case NGX_MEDIA_AMF_AVMPLUS:
        return ngx_media_amf3_value(r, value);

    default:
        value->type = NGX_MEDIA_AMF_UNDEFINED;
        r->err = 1;
    }

    return NGX_OK;
}


/* AMF 3, 3.1 to 3.14; arrays, objects and what follows are not read */

static ngx_int_t
ngx_media_amf3_value(ngx_media_reader_t *r, ngx_media_amf_value_t *value)
{
    uint32_t       marker, n;
    const u_char  *p;

    marker = ngx_media_read_8(r);

    value->type = NGX_MEDIA_AMF_UNDEFINED;

    switch (marker) {

    case 0x00: /* undefined */
        break;

    case 0x01:
        value->type = NGX_MEDIA_AMF_NULL;
        break;

    case 0x02: /* false */
    case 0x03: /* true */
        value->type = NGX_MEDIA_AMF_BOOL;
        value->number = marker - 0x02;
        break;

    case 0x04: /* integer, 29 bits, signed */
        value->type = NGX_MEDIA_AMF_NUMBER;
        n = ngx_media_amf3_u29(r);
        value->number = (n & 0x10000000) ? (double) n - 0x20000000 : n;
        break;

    case 0x06: /* string */
    case 0x07: /* XMLDocument */
    case 0x0b: /* XML */
    case 0x0c: /* ByteArray */
        n = ngx_media_amf3_u29(r);

        if ((n & 1) == 0) {
            value->type = NGX_MEDIA_AMF_REFERENCE;
            value->number = n >> 1;
            break;
        }

        value->type = NGX_MEDIA_AMF_STRING;
        ngx_media_read_span(r, n >> 1, &value->data);
        break;

    case 0x08: /* date */
        n = ngx_media_amf3_u29(r);

        if ((n & 1) == 0) {
            value->type = NGX_MEDIA_AMF_REFERENCE;
            value->number = n >> 1;
            break;
        }

        /* fall through */

    case 0x05: /* double */
        p = ngx_media_read_bytes(r, 8);

        if (p != NULL) {
            value->type = (marker == 0x05) ? NGX_MEDIA_AMF_NUMBER
                                           : NGX_MEDIA_AMF_DATE;
            value->number = ngx_media_get_double(p);
        }

        break;

    default:
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* AMF 3, 1.3.1: 7 bits a byte, the fourth has 8 */

static uint32_t
ngx_media_amf3_u29(ngx_media_reader_t *r)
{
    uint32_t    ch, n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < 3; i++) {
        ch = ngx_media_read_8(r);
        n = n << 7 | (ch & 0x7f);

        if (ch < 0x80) {
            return n;
        }
    }

    return n << 8 | ngx_media_read_8(r);
}


void
ngx_media_amf_iterate(ngx_media_amf_iterator_t *it,
    const ngx_media_amf_value_t *container)
{
    it->pos = container->data.pos;
    it->last = container->data.last;
    it->named = 1;

    switch (container->type) {

    case NGX_MEDIA_AMF_ARRAY:
        it->named = 0;
        break;

    case NGX_MEDIA_AMF_OBJECT:
    case NGX_MEDIA_AMF_ECMA_ARRAY:
    case NGX_MEDIA_AMF_TYPED_OBJECT:
        break;

    default:
        it->pos = it->last;
    }
}


ngx_int_t
ngx_media_amf_next(ngx_media_amf_iterator_t *it, ngx_media_span_t *key,
    ngx_media_amf_value_t *value)
{
    ngx_int_t              rc;
    ngx_media_reader_t     r;
    ngx_media_amf_level_t  level;

    if (it->pos == it->last) {
        return NGX_DONE;
    }

    ngx_media_reader_init(&r, it->pos, it->last);

    level.left = 1;
    level.named = it->named;

    if (ngx_media_amf_item(&r, &level, key) == NGX_DONE) {
        it->pos = it->last;
        return NGX_DONE;
    }

    it->pos = r.pos;
    rc = ngx_media_amf_read(&it->pos, it->last, value);

    if (rc != NGX_OK) {
        it->pos = it->last;
    }

    return (rc == NGX_DONE) ? NGX_ERROR : rc;
}


static ngx_int_t
ngx_media_amf_store(const ngx_media_amf_elt_t *elt,
    const ngx_media_amf_value_t *value, void *dst)
{
    u_char                *field;
    ngx_media_amf_type_e   type;

    type = value->type;
    field = (u_char *) dst + elt->offset;

    switch (elt->type) {

    case NGX_MEDIA_AMF_NUMBER:

        if (type == NGX_MEDIA_AMF_NUMBER || type == NGX_MEDIA_AMF_DATE) {
            *(double *) field = value->number;
        }

        break;

    case NGX_MEDIA_AMF_BOOL:

        if (type == NGX_MEDIA_AMF_BOOL || type == NGX_MEDIA_AMF_NUMBER) {
            *(ngx_uint_t *) field = (value->number != 0);
        }

        break;

    case NGX_MEDIA_AMF_STRING:

        if (type == NGX_MEDIA_AMF_STRING) {
            *(ngx_media_span_t *) field = value->data;
        }

        break;

    case NGX_MEDIA_AMF_OBJECT:

        if (type == NGX_MEDIA_AMF_OBJECT
            || type == NGX_MEDIA_AMF_ECMA_ARRAY
            || type == NGX_MEDIA_AMF_TYPED_OBJECT)
        {
            return ngx_media_amf_properties(elt->elts, value, dst);
        }

        break;

    case NGX_MEDIA_AMF_VALUE:
        *(ngx_media_amf_value_t *) field = *value;
        break;

    default: /* NGX_MEDIA_AMF_SKIP */
        break;
    }

    return NGX_OK;
}


/* the nesting of calls is that of the table, not that of the input */

static ngx_int_t
ngx_media_amf_properties(const ngx_media_amf_elt_t *elts,
    const ngx_media_amf_value_t *object, void *dst)
{
    ngx_int_t                   rc;
    ngx_media_span_t            key;
    ngx_media_amf_value_t       value;
    const ngx_media_amf_elt_t  *elt;
    ngx_media_amf_iterator_t    it;

    ngx_media_amf_iterate(&it, object);

    for ( ;; ) {
        rc = ngx_media_amf_next(&it, &key, &value);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_OK : rc;
        }

        for (elt = elts; elt->type != NGX_MEDIA_AMF_END; elt++) {

            if (ngx_media_span_len(&key) == elt->name.len
                && ngx_memcmp(key.pos, elt->name.data, elt->name.len) == 0)
            {
                rc = ngx_media_amf_store(elt, &value, dst);
                if (rc != NGX_OK) {
                    return rc;
                }

                break;
            }
        }
    }
}


void
ngx_media_amf_write_number(ngx_media_text_t *text, double number)
{
    u_char  buf[9];

    buf[0] = NGX_MEDIA_AMF_NUMBER;
    (void) ngx_media_put_double(buf + 1, number);

    ngx_media_text_data(text, buf, sizeof(buf));
}


void
ngx_media_amf_write_string(ngx_media_text_t *text, const void *data,
    size_t len)
{
    u_char   buf[5];
    u_char  *p;

    if (len > 0xffff) {
        buf[0] = NGX_MEDIA_AMF_LONG_STRING;
        len = ngx_min(len, 0xffffffff);
        p = ngx_media_put_be32(buf + 1, (uint32_t) len);

    } else {
        buf[0] = NGX_MEDIA_AMF_STRING;
        p = ngx_media_put_be16(buf + 1, (uint32_t) len);
    }

    ngx_media_text_data(text, buf, p - buf);
    ngx_media_text_data(text, data, len);
}


void
ngx_media_amf_write_bool(ngx_media_text_t *text, ngx_uint_t value)
{
    u_char  buf[2];

    buf[0] = NGX_MEDIA_AMF_BOOL;
    buf[1] = (value != 0);

    ngx_media_text_data(text, buf, sizeof(buf));
}


void
ngx_media_amf_write_null(ngx_media_text_t *text)
{
    ngx_media_text_cstr(text, "\x05");
}


void
ngx_media_amf_write_object(ngx_media_text_t *text)
{
    ngx_media_text_cstr(text, "\x03");
}


void
ngx_media_amf_write_array(ngx_media_text_t *text, uint32_t count)
{
    u_char  buf[5];

    buf[0] = NGX_MEDIA_AMF_ECMA_ARRAY;
    (void) ngx_media_put_be32(buf + 1, count);

    ngx_media_text_data(text, buf, sizeof(buf));
}


void
ngx_media_amf_write_key(ngx_media_text_t *text, const void *data, size_t len)
{
    u_char  buf[2];

    len = ngx_min(len, 0xffff);
    (void) ngx_media_put_be16(buf, (uint32_t) len);

    ngx_media_text_data(text, buf, sizeof(buf));
    ngx_media_text_data(text, data, len);
}


void
ngx_media_amf_write_end(ngx_media_text_t *text)
{
    ngx_media_text_cstr(text, "\x00\x00\x09");
}
