
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_json.h"
#include "formats/ngx_media_text.h"


/* exponents beyond are as good as this: texts are shorter */
#define NGX_MEDIA_JSON_EXPONENT  1000000000


typedef struct {
    char                      text[8];
    size_t                    len;
    ngx_media_json_type_e     type;
} ngx_media_json_word_t;


static ngx_int_t ngx_media_json_name(ngx_media_json_t *json,
    ngx_media_json_token_t *token);
static ngx_int_t ngx_media_json_value(ngx_media_json_t *json,
    ngx_media_json_token_t *token);
static ngx_int_t ngx_media_json_quoted(ngx_media_json_t *json,
    ngx_media_span_t *text);
static ngx_int_t ngx_media_json_escape(ngx_media_json_t *json);
static ngx_int_t ngx_media_json_digits(ngx_media_json_t *json,
    ngx_media_span_t *text);
static ngx_int_t ngx_media_json_run(ngx_media_json_t *json);
static ngx_int_t ngx_media_json_word(ngx_media_json_t *json,
    ngx_media_json_token_t *token);
static void ngx_media_json_space(ngx_media_json_t *json);
static ngx_int_t ngx_media_json_fail(ngx_media_json_t *json,
    const char *error);
static size_t ngx_media_json_char(u_char *p, const u_char **pos);
static uint32_t ngx_media_json_hex(const u_char *p);
static int64_t ngx_media_json_exponent(const u_char *p, const u_char *last);


static const ngx_media_json_word_t  ngx_media_json_words[] = {
    { "true", 4, NGX_MEDIA_JSON_TRUE },
    { "false", 5, NGX_MEDIA_JSON_FALSE },
    { "null", 4, NGX_MEDIA_JSON_NULL }
};


/* RFC 8259, 7: what stands after a backslash, and what it means */
static const u_char  ngx_media_json_escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";


void
ngx_media_json_init(ngx_media_json_t *json, const u_char *pos,
    const u_char *last)
{
    ngx_memzero(json, sizeof(ngx_media_json_t));

    json->start = pos;
    json->pos = pos;
    json->last = last;

    /* RFC 8259, 8.1: a byte order mark may be ignored */

    if (last - pos >= 3 && ngx_memcmp(pos, "\xef\xbb\xbf", 3) == 0) {
        json->pos += 3;
    }
}


ngx_int_t
ngx_media_json_next(ngx_media_json_t *json, ngx_media_json_token_t *token)
{
    u_char      close;
    ngx_uint_t  object;

    ngx_memzero(token, sizeof(ngx_media_json_token_t));

    if (json->error) {
        return NGX_ERROR;
    }

    ngx_media_json_space(json);

    if (json->depth == 0) {

        if (!json->after) {
            return ngx_media_json_value(json, token);
        }

        if (json->pos == json->last) {
            return NGX_DONE;
        }

        return ngx_media_json_fail(json, "data after the end");
    }

    if (json->pos == json->last) {
        return ngx_media_json_fail(json, "cut off");
    }

    object = (json->objects >> (json->depth - 1)) & 1;
    close = object ? '}' : ']';

    if (*json->pos == close) {
        token->type = NGX_MEDIA_JSON_END;
        token->text.pos = json->pos;
        token->text.last = ++json->pos;
        token->depth = --json->depth;
        json->after = 1;
        return NGX_OK;
    }

    if (json->after) {

        if (*json->pos != ',') {
            return ngx_media_json_fail(json, object ? "\",\" or \"}\" expected"
                                                  : "\",\" or \"]\" expected");
        }

        json->pos++;
        ngx_media_json_space(json);
    }

    if (object && ngx_media_json_name(json, token) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_media_json_value(json, token);
}


static ngx_int_t
ngx_media_json_name(ngx_media_json_t *json, ngx_media_json_token_t *token)
{
    if (json->pos == json->last || *json->pos != '"') {
        return ngx_media_json_fail(json, "name expected");
    }

    if (ngx_media_json_quoted(json, &token->key) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_media_json_space(json);

    if (json->pos == json->last || *json->pos != ':') {
        return ngx_media_json_fail(json, "\":\" expected");
    }

    json->pos++;
    ngx_media_json_space(json);

    return NGX_OK;
}


static ngx_int_t
ngx_media_json_value(ngx_media_json_t *json, ngx_media_json_token_t *token)
{
    u_char  ch;

    if (json->pos == json->last) {
        return ngx_media_json_fail(json, "value expected");
    }

    ch = *json->pos;

    token->depth = json->depth;
    json->after = 1;

    if (ch == '"') {
        token->type = NGX_MEDIA_JSON_STRING;
        return ngx_media_json_quoted(json, &token->text);
    }

    if (ch == '-' || (ch >= '0' && ch <= '9')) {
        token->type = NGX_MEDIA_JSON_NUMBER;
        return ngx_media_json_digits(json, &token->text);
    }

    if (ch != '[' && ch != '{') {
        return ngx_media_json_word(json, token);
    }

    if (json->depth == NGX_MEDIA_JSON_DEPTH) {
        return ngx_media_json_fail(json, "nested too deeply");
    }

    token->type = (ch == '{') ? NGX_MEDIA_JSON_OBJECT : NGX_MEDIA_JSON_ARRAY;
    token->text.pos = json->pos;
    token->text.last = ++json->pos;

    json->objects &= ~((uint32_t) 1 << json->depth);
    json->objects |= (uint32_t) (ch == '{') << json->depth;
    json->depth++;
    json->after = 0;

    return NGX_OK;
}


/* a string, from its quote on; RFC 8259, 7 */

static ngx_int_t
ngx_media_json_quoted(ngx_media_json_t *json, ngx_media_span_t *text)
{
    uint32_t       ch;
    const u_char  *p;

    json->pos++;
    text->pos = json->pos;

    while (json->pos < json->last) {
        p = json->pos;

        if (*p == '"') {
            text->last = p;
            json->pos++;
            return NGX_OK;
        }

        if (*p < 0x20) {
            return ngx_media_json_fail(json, "control character in a string");
        }

        if (*p == '\\') {

            if (ngx_media_json_escape(json) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (*p < 0x80) {
            json->pos++;
            continue;
        }

        ch = ngx_media_text_utf8(&p, json->last);

        /* U+FFFD itself is well-formed */

        if (ch == 0xfffd && (p - json->pos != 3 || json->pos[0] != 0xef
                             || json->pos[1] != 0xbf || json->pos[2] != 0xbd))
        {
            return ngx_media_json_fail(json, "malformed UTF-8");
        }

        json->pos = p;
    }

    return ngx_media_json_fail(json, "string cut off");
}


static ngx_int_t
ngx_media_json_escape(ngx_media_json_t *json)
{
    uint32_t       unit, pair;
    ngx_uint_t     i;
    const u_char  *p;

    p = json->pos + 1;

    if (p == json->last) {
        return ngx_media_json_fail(json, "string cut off");
    }

    if (*p != 'u') {

        for (i = 0; i < sizeof(ngx_media_json_escapes) - 1; i += 2) {

            if (*p == ngx_media_json_escapes[i]) {
                json->pos = p + 1;
                return NGX_OK;
            }
        }

        return ngx_media_json_fail(json, "unknown escape");
    }

    p++;
    unit = (json->last - p < 4) ? 0x10000 : ngx_media_json_hex(p);

    if (unit > 0xffff) {
        return ngx_media_json_fail(json, "malformed escape");
    }

    p += 4;

    if (unit >= 0xd800 && unit <= 0xdfff) {
        pair = 0;

        if (unit < 0xdc00 && json->last - p >= 6 && p[0] == '\\'
            && p[1] == 'u')
        {
            pair = ngx_media_json_hex(p + 2);
        }

        if (pair < 0xdc00 || pair > 0xdfff) {
            return ngx_media_json_fail(json, "surrogate without its other");
        }

        p += 6;
    }

    json->pos = p;

    return NGX_OK;
}


/* RFC 8259, 6 */

static ngx_int_t
ngx_media_json_digits(ngx_media_json_t *json, ngx_media_span_t *text)
{
    const u_char  *integer;

    text->pos = json->pos;

    if (*json->pos == '-') {
        json->pos++;
    }

    integer = json->pos;

    if (ngx_media_json_run(json) != NGX_OK) {
        return NGX_ERROR;
    }

    if (*integer == '0' && json->pos - integer > 1) {
        json->pos = integer;
        return ngx_media_json_fail(json, "malformed number");
    }

    if (json->pos < json->last && *json->pos == '.') {
        json->pos++;

        if (ngx_media_json_run(json) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (json->pos < json->last && (*json->pos | 0x20) == 'e') {
        json->pos++;

        if (json->pos < json->last
            && (*json->pos == '+' || *json->pos == '-'))
        {
            json->pos++;
        }

        if (ngx_media_json_run(json) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    text->last = json->pos;

    return NGX_OK;
}


/* one digit or more */

static ngx_int_t
ngx_media_json_run(ngx_media_json_t *json)
{
    const u_char  *p;

    p = json->pos;

    while (json->pos < json->last && *json->pos >= '0' && *json->pos <= '9') {
        json->pos++;
    }

    if (json->pos == p) {
        return ngx_media_json_fail(json, "malformed number");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_json_word(ngx_media_json_t *json, ngx_media_json_token_t *token)
{
    ngx_uint_t                    i;
    const ngx_media_json_word_t  *word;

    for (i = 0; i < 3; i++) {
        word = &ngx_media_json_words[i];

        if ((size_t) (json->last - json->pos) >= word->len
            && ngx_memcmp(json->pos, word->text, word->len) == 0)
        {
            token->type = word->type;
            token->text.pos = json->pos;
            token->text.last = json->pos + word->len;
            json->pos = token->text.last;
            return NGX_OK;
        }
    }

    return ngx_media_json_fail(json, "value expected");
}


static void
ngx_media_json_space(ngx_media_json_t *json)
{
    while (json->pos < json->last
           && (*json->pos == ' ' || *json->pos == '\t' || *json->pos == '\n'
               || *json->pos == '\r'))
    {
        json->pos++;
    }
}


static ngx_int_t
ngx_media_json_fail(ngx_media_json_t *json, const char *error)
{
    json->error = error;

    return NGX_ERROR;
}


ngx_int_t
ngx_media_json_skip(ngx_media_json_t *json,
    const ngx_media_json_token_t *token)
{
    ngx_media_json_token_t  t;

    if (token->type != NGX_MEDIA_JSON_ARRAY
        && token->type != NGX_MEDIA_JSON_OBJECT)
    {
        return NGX_OK;
    }

    do {
        if (ngx_media_json_next(json, &t) != NGX_OK) {
            return NGX_ERROR;
        }
    } while (t.type != NGX_MEDIA_JSON_END || t.depth > token->depth);

    return NGX_OK;
}


ngx_int_t
ngx_media_json_count(const ngx_media_json_t *json, ngx_uint_t *n)
{
    ngx_uint_t              i;
    ngx_media_json_t        copy;
    ngx_media_json_token_t  token;

    copy = *json;

    for (i = 0; /* void */ ; i++) {

        if (ngx_media_json_next(&copy, &token) != NGX_OK) {
            return NGX_ERROR;
        }

        if (token.type == NGX_MEDIA_JSON_END) {
            *n = i;
            return NGX_OK;
        }

        if (ngx_media_json_skip(&copy, &token) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


size_t
ngx_media_json_string(u_char *p, const ngx_media_span_t *text)
{
    size_t         len, n;
    u_char         buf[4];
    const u_char  *pos;

    len = 0;

    for (pos = text->pos; pos < text->last; /* void */ ) {
        n = ngx_media_json_char(buf, &pos);

        if (p) {
            ngx_memcpy(p + len, buf, n);
        }

        len += n;
    }

    return len;
}


ngx_uint_t
ngx_media_json_equal(const ngx_media_span_t *text, const char *string)
{
    size_t         n;
    u_char         buf[4];
    const u_char  *pos, *p, *last;

    p = (const u_char *) string;
    last = p + ngx_strlen(string);

    for (pos = text->pos; pos < text->last; /* void */ ) {
        n = ngx_media_json_char(buf, &pos);

        if ((size_t) (last - p) < n || ngx_memcmp(p, buf, n) != 0) {
            return 0;
        }

        p += n;
    }

    return p == last;
}


/* the next character or byte of a checked string, p of 4 bytes */

static size_t
ngx_media_json_char(u_char *p, const u_char **pos)
{
    uint32_t           ch;
    ngx_uint_t         i;
    const u_char      *in;
    ngx_media_text_t   text;

    in = *pos;

    if (*in != '\\') {
        *p = *in;
        *pos = in + 1;
        return 1;
    }

    if (in[1] != 'u') {

        for (i = 0; ngx_media_json_escapes[i] != in[1]; i += 2) {
            /* void */
        }

        *p = ngx_media_json_escapes[i + 1];
        *pos = in + 2;
        return 1;
    }

    ch = ngx_media_json_hex(in + 2);
    in += 6;

    if (ch >= 0xd800 && ch <= 0xdfff) {
        ch = 0x10000 + ((ch - 0xd800) << 10)
             + (ngx_media_json_hex(in + 2) - 0xdc00);
        in += 6;
    }

    *pos = in;

    ngx_media_text_init(&text, p, 4);
    ngx_media_text_char(&text, ch);

    return text.total;
}


/* four digits; above 0xffff: they are none */

static uint32_t
ngx_media_json_hex(const u_char *p)
{
    u_char      ch;
    uint32_t    n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < 4; i++) {
        ch = p[i];

        if (ch >= '0' && ch <= '9') {
            n = n << 4 | (ch - '0');
            continue;
        }

        ch |= 0x20;

        if (ch < 'a' || ch > 'f') {
            return 0x10000;
        }

        n = n << 4 | (ch - 'a' + 10);
    }

    return n;
}


/*
 * The digits of the integer and of the fraction are one row: those that stand
 * before the point where it is going to be are the result.
 */

ngx_int_t
ngx_media_json_number(const ngx_media_span_t *text, ngx_uint_t digits,
    int64_t *n)
{
    int64_t        point, i;
    uint64_t       value, limit;
    ngx_int_t      rc;
    ngx_uint_t     negative, fraction;
    const u_char  *p;

    p = text->pos;

    negative = (*p == '-');
    p += negative;

    point = (int64_t) digits;
    fraction = 0;

    for (i = 0; p + i < text->last && (p[i] | 0x20) != 'e'; i++) {

        if (p[i] == '.') {
            fraction = 1;
            continue;
        }

        point += !fraction;
    }

    if (p + i < text->last) {
        point += ngx_media_json_exponent(p + i + 1, text->last);
    }

    limit = (uint64_t) INT64_MAX + negative;
    value = 0;
    rc = NGX_OK;

    for (i = 0; i < point || p < text->last; i++) {

        if (p < text->last && *p == '.') {
            p++;
        }

        if (p == text->last || (*p | 0x20) == 'e') {
            p = text->last;

            if (i >= point || value == 0) {
                break;
            }

        } else if (i >= point) {
            rc = (*p++ == '0') ? rc : NGX_DECLINED;
            continue;
        }

        if (value > limit / 10) {
            return NGX_ERROR;
        }

        value *= 10;

        if (p < text->last) {

            if (value > limit - (*p - '0')) {
                return NGX_ERROR;
            }

            value += *p++ - '0';
        }
    }

    *n = (int64_t) (negative ? 0 - value : value);

    return rc;
}


static int64_t
ngx_media_json_exponent(const u_char *p, const u_char *last)
{
    int64_t     n;
    ngx_uint_t  minus;

    minus = (*p == '-');

    if (*p == '-' || *p == '+') {
        p++;
    }

    for (n = 0; p < last; p++) {
        n = ngx_min(n * 10 + (*p - '0'), NGX_MEDIA_JSON_EXPONENT);
    }

    return minus ? -n : n;
}
