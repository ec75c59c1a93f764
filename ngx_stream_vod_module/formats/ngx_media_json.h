
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * JSON, RFC 8259, read token by token from a complete text:
 *
 *     ngx_media_json_init(&json, pos, last);
 *
 *     while (ngx_media_json_next(&json, &token) == NGX_OK) {
 *         if (ngx_media_json_equal(&token.key, "path")) { ... }
 *     }
 *
 * All of the text is checked on the way, UTF-8 and surrogates, too.  Spans
 * point into it, with escapes as they are written; once next() has returned
 * them they are known to be well-formed.
 */


#ifndef _NGX_MEDIA_JSON_H_INCLUDED_
#define _NGX_MEDIA_JSON_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* arrays and objects in one another */
#define NGX_MEDIA_JSON_DEPTH  16


typedef enum {
    NGX_MEDIA_JSON_NULL = 0,
    NGX_MEDIA_JSON_FALSE,
    NGX_MEDIA_JSON_TRUE,
    NGX_MEDIA_JSON_NUMBER,
    NGX_MEDIA_JSON_STRING,
    NGX_MEDIA_JSON_ARRAY,                     /* begins */
    NGX_MEDIA_JSON_OBJECT,
    NGX_MEDIA_JSON_END                        /* of the one or the other */
} ngx_media_json_type_e;


typedef struct {
    ngx_media_json_type_e     type;
    ngx_uint_t                depth;          /* of what it stands in; END: of
                                                 what ends */
    ngx_media_span_t          key;            /* of a value in an object, what
                                                 is between its quotes */
    ngx_media_span_t          text;           /* the same of a string; a number
                                                 or word as it is written; else
                                                 the bracket */
} ngx_media_json_token_t;


typedef struct {
    const u_char             *start;
    const u_char             *pos;            /* of the error, if there is */
    const u_char             *last;
    const char               *error;          /* static; NULL */

    /* its own */
    ngx_uint_t                depth;
    uint32_t                  objects;        /* bits: what is open is one */
    unsigned                  after:1;        /* a value was complete */
} ngx_media_json_t;


void ngx_media_json_init(ngx_media_json_t *json, const u_char *pos,
    const u_char *last);

/*
 * NGX_OK; NGX_DONE: the value that the text is was complete, and nothing
 * follows it; NGX_ERROR: see error, it stays so
 */
ngx_int_t ngx_media_json_next(ngx_media_json_t *json,
    ngx_media_json_token_t *token);

/*
 * To the end of the array or object that begins with token, which was had
 * last; of other tokens nothing is left.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_media_json_skip(ngx_media_json_t *json,
    const ngx_media_json_token_t *token);

/* how many values the array or object has that was just entered; *n is set
   only with NGX_OK; errors are left to those who read it */
ngx_int_t ngx_media_json_count(const ngx_media_json_t *json, ngx_uint_t *n);

/*
 * A key or the text of a string, without escapes, never longer than with
 * them; returns the length; p may be NULL for it.
 */
size_t ngx_media_json_string(u_char *p, const ngx_media_span_t *text);

/* whether it is this */
ngx_uint_t ngx_media_json_equal(const ngx_media_span_t *text,
    const char *string);

/*
 * The text of a number times 10^digits, without a fraction.  NGX_DECLINED:
 * there was one, it was cut off; NGX_ERROR: it is no 64-bit integer.
 */
ngx_int_t ngx_media_json_number(const ngx_media_span_t *text,
    ngx_uint_t digits, int64_t *n);


#endif /* _NGX_MEDIA_JSON_H_INCLUDED_ */
