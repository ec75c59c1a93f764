
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * AMF0 ("Action Message Format -- AMF 0"), and of AMF3 what RTMP encoders
 * put behind an avmplus marker: numbers, strings, booleans, null, dates.
 *
 * A message is read by a table: positional elements in order, and below an
 * OBJECT element its properties by name.
 *
 *     static const ngx_media_amf_elt_t  props[] = {
 *         { NGX_MEDIA_AMF_STRING, ngx_string("app"),
 *           offsetof(connect_t, app), NULL },
 *         ngx_media_amf_null_elt
 *     };
 *
 *     static const ngx_media_amf_elt_t  args[] = {
 *         { NGX_MEDIA_AMF_NUMBER, ngx_null_string,
 *           offsetof(connect_t, transaction), NULL },
 *         { NGX_MEDIA_AMF_OBJECT, ngx_null_string, 0, props },
 *         ngx_media_amf_null_elt
 *     };
 *
 * What is absent, null or of another type leaves the field as the caller
 * initialized it; unknown values and properties are skipped.
 */


#ifndef _NGX_MEDIA_AMF_H_INCLUDED_
#define _NGX_MEDIA_AMF_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_text.h"


#define NGX_MEDIA_AMF_DEPTH  16               /* of nested containers */


/* AMF 0, 2.1; also what an element of a table asks for */

typedef enum {
    NGX_MEDIA_AMF_NUMBER = 0,                 /* double */
    NGX_MEDIA_AMF_BOOL = 1,                   /* ngx_uint_t; or a number */
    NGX_MEDIA_AMF_STRING = 2,                 /* ngx_media_span_t; long
                                                 strings and XML as well */
    NGX_MEDIA_AMF_OBJECT = 3,                 /* its elements go to the same
                                                 struct; ECMA arrays and typed
                                                 objects as well */
    NGX_MEDIA_AMF_NULL = 5,
    NGX_MEDIA_AMF_UNDEFINED = 6,              /* unsupported as well */
    NGX_MEDIA_AMF_REFERENCE = 7,
    NGX_MEDIA_AMF_ECMA_ARRAY = 8,
    NGX_MEDIA_AMF_ARRAY = 10,                 /* strict */
    NGX_MEDIA_AMF_DATE = 11,
    NGX_MEDIA_AMF_TYPED_OBJECT = 16,

    NGX_MEDIA_AMF_VALUE = 256,                /* tables only, any type:
                                                 ngx_media_amf_value_t */
    NGX_MEDIA_AMF_SKIP,                       /* tables only: not stored */
    NGX_MEDIA_AMF_END                         /* tables only: the last */
} ngx_media_amf_type_e;


typedef struct ngx_media_amf_elt_s  ngx_media_amf_elt_t;

struct ngx_media_amf_elt_s {
    ngx_media_amf_type_e        type;
    ngx_str_t                   name;         /* of a property; case-sensitive;
                                                 the last of equal ones wins */
    size_t                      offset;       /* in the caller's struct */
    const ngx_media_amf_elt_t  *elts;         /* OBJECT: its properties */
};

#define ngx_media_amf_null_elt  { NGX_MEDIA_AMF_END, ngx_null_string, 0, NULL }


typedef struct {
    ngx_media_amf_type_e        type;         /* never a "tables only" one */
    double                      number;       /* NUMBER, BOOL, DATE (ms) */
    ngx_media_span_t            data;         /* STRING: its bytes; containers:
                                                 what they hold, for
                                                 ngx_media_amf_iterate() */
} ngx_media_amf_value_t;


typedef struct {
    const u_char               *pos;
    const u_char               *last;
    ngx_uint_t                  named;        /* not a strict array */
} ngx_media_amf_iterator_t;


/*
 * All of these return NGX_ERROR on malformed input and NGX_DECLINED on a
 * value whose end cannot be found (AMF3 arrays and objects); what was stored
 * until then stays valid.  An object whose end marker is missing ends with
 * the input.
 */

/* positional values by table; *pos is moved behind what was read */
ngx_int_t ngx_media_amf_parse(const u_char **pos, const u_char *last,
    const ngx_media_amf_elt_t *elts, void *dst);

/* one value with all that is in it; NGX_DONE: no input is left */
ngx_int_t ngx_media_amf_read(const u_char **pos, const u_char *last,
    ngx_media_amf_value_t *value);

/* walks a container; other types have no elements; NGX_DONE: no more */
void ngx_media_amf_iterate(ngx_media_amf_iterator_t *it,
    const ngx_media_amf_value_t *container);
ngx_int_t ngx_media_amf_next(ngx_media_amf_iterator_t *it,
    ngx_media_span_t *key, ngx_media_amf_value_t *value);


/* the writers, AMF0: into a bounded writer, see ngx_media_text.h */

void ngx_media_amf_write_number(ngx_media_text_t *text, double number);
void ngx_media_amf_write_string(ngx_media_text_t *text, const void *data,
    size_t len);
void ngx_media_amf_write_bool(ngx_media_text_t *text, ngx_uint_t value);
void ngx_media_amf_write_null(ngx_media_text_t *text);

/*
 * An object, or an ECMA array of so many elements (AMF 0, 2.10): begin, then
 * key and value each, then end.
 */
void ngx_media_amf_write_object(ngx_media_text_t *text);
void ngx_media_amf_write_array(ngx_media_text_t *text, uint32_t count);
void ngx_media_amf_write_key(ngx_media_text_t *text, const void *data,
    size_t len);
void ngx_media_amf_write_end(ngx_media_text_t *text);

#define ngx_media_amf_write_cstr(text, literal)                               \
    ngx_media_amf_write_string(text, "" literal, sizeof(literal) - 1)

#define ngx_media_amf_write_name(text, literal)                               \
    ngx_media_amf_write_key(text, "" literal, sizeof(literal) - 1)


#endif /* _NGX_MEDIA_AMF_H_INCLUDED_ */
