
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_cmcd.h"


/* what a value is; an inner list is of those it has */

#define NGX_MEDIA_CMCD_FLAG    0x01
#define NGX_MEDIA_CMCD_NUMBER  0x02
#define NGX_MEDIA_CMCD_TOKEN   0x04
#define NGX_MEDIA_CMCD_STRING  0x08
#define NGX_MEDIA_CMCD_LIST    0x10


/* a key that is kept, if its value is of one of these types */

typedef struct {
    ngx_str_t                 name;
    ngx_uint_t                types;
    size_t                    max;            /* bytes of the value */
    size_t                    offset;         /* of a span */
} ngx_media_cmcd_key_t;


static const u_char *ngx_media_cmcd_member(ngx_media_cmcd_t *cmcd,
    const u_char *pos, const u_char *last);
static void ngx_media_cmcd_keep(ngx_media_cmcd_t *cmcd,
    const ngx_media_span_t *name, ngx_uint_t type,
    const ngx_media_span_t *value);
static const u_char *ngx_media_cmcd_key(const u_char *pos,
    const u_char *last);
static const u_char *ngx_media_cmcd_list(const u_char *pos,
    const u_char *last);
static const u_char *ngx_media_cmcd_item(const u_char *pos,
    const u_char *last, ngx_uint_t *type, ngx_media_span_t *value);
static const u_char *ngx_media_cmcd_string(const u_char *pos,
    const u_char *last, ngx_media_span_t *value);
static const u_char *ngx_media_cmcd_word(const u_char *pos,
    const u_char *last, ngx_uint_t *type, ngx_media_span_t *value);
static const u_char *ngx_media_cmcd_params(const u_char *pos,
    const u_char *last);
static const u_char *ngx_media_cmcd_blanks(const u_char *pos,
    const u_char *last);
static ngx_int_t ngx_media_cmcd_hex(u_char c);


static const ngx_media_cmcd_key_t  ngx_media_cmcd_keys[] = {

    { ngx_string("sid"), NGX_MEDIA_CMCD_STRING|NGX_MEDIA_CMCD_TOKEN,
      NGX_MEDIA_CMCD_SID, offsetof(ngx_media_cmcd_t, sid) },

    { ngx_string("sf"), NGX_MEDIA_CMCD_TOKEN,
      1, offsetof(ngx_media_cmcd_t, sf) },

    { ngx_null_string, 0, 0, 0 }
};


ngx_int_t
ngx_media_cmcd_decode(u_char *buf, size_t *len, const u_char *pos,
    const u_char *last)
{
    u_char     *p;
    ngx_int_t   high, low;

    for (p = buf; pos < last; pos++) {

        if (p - buf == NGX_MEDIA_CMCD_MAX) {
            return NGX_ERROR;
        }

        if (*pos == '+') {
            *p++ = ' ';
            continue;
        }

        if (*pos != '%') {
            *p++ = *pos;
            continue;
        }

        if (last - pos < 3) {
            return NGX_ERROR;
        }

        high = ngx_media_cmcd_hex(pos[1]);
        low = ngx_media_cmcd_hex(pos[2]);

        if (high == NGX_ERROR || low == NGX_ERROR) {
            return NGX_ERROR;
        }

        *p++ = (u_char) (high << 4 | low);
        pos += 2;
    }

    *len = p - buf;

    return NGX_OK;
}


/* RFC 8941, 4.2.2 */

ngx_int_t
ngx_media_cmcd_read(ngx_media_cmcd_t *cmcd, const u_char *pos,
    const u_char *last)
{
    if ((size_t) (last - pos) > NGX_MEDIA_CMCD_MAX - cmcd->bytes) {
        goto failed;
    }

    cmcd->bytes += last - pos;

    pos = ngx_media_cmcd_blanks(pos, last);

    while (pos < last) {

        pos = ngx_media_cmcd_member(cmcd, pos, last);

        if (pos == NULL || ++cmcd->keys > NGX_MEDIA_CMCD_KEYS) {
            goto failed;
        }

        pos = ngx_media_cmcd_blanks(pos, last);

        if (pos == last) {
            break;
        }

        if (*pos != ',') {
            goto failed;
        }

        pos = ngx_media_cmcd_blanks(pos + 1, last);

        /* a comma has something behind it */

        if (pos == last) {
            goto failed;
        }
    }

    return NGX_OK;

failed:

    ngx_memzero(cmcd, sizeof(ngx_media_cmcd_t));

    return NGX_ERROR;
}


static const u_char *
ngx_media_cmcd_member(ngx_media_cmcd_t *cmcd, const u_char *pos,
    const u_char *last)
{
    ngx_uint_t         type;
    ngx_media_span_t   name, value;

    name.pos = pos;
    pos = ngx_media_cmcd_key(pos, last);

    if (pos == NULL) {
        return NULL;
    }

    name.last = pos;

    type = NGX_MEDIA_CMCD_FLAG;
    value.pos = pos;
    value.last = pos;

    if (pos < last && *pos == '=') {
        pos++;

        if (pos < last && *pos == '(') {
            type = NGX_MEDIA_CMCD_LIST;
            value.pos = pos;
            pos = ngx_media_cmcd_list(pos, last);
            value.last = pos;

        } else {
            pos = ngx_media_cmcd_item(pos, last, &type, &value);
        }
    }

    if (pos) {
        pos = ngx_media_cmcd_params(pos, last);
    }

    if (pos) {
        ngx_media_cmcd_keep(cmcd, &name, type, &value);
    }

    return pos;
}


static void
ngx_media_cmcd_keep(ngx_media_cmcd_t *cmcd, const ngx_media_span_t *name,
    ngx_uint_t type, const ngx_media_span_t *value)
{
    size_t                       len;
    ngx_media_span_t            *span;
    const ngx_media_cmcd_key_t  *key;

    len = ngx_media_span_len(name);

    for (key = ngx_media_cmcd_keys; key->name.len; key++) {

        if (key->name.len != len
            || ngx_memcmp(key->name.data, name->pos, len) != 0)
        {
            continue;
        }

        if ((key->types & type) && ngx_media_span_len(value) <= key->max) {
            span = (ngx_media_span_t *) ((u_char *) cmcd + key->offset);
            *span = *value;
        }

        return;
    }
}


/*
 * RFC 8941, 3.1.2; CTA-5004 has upper case in the names of others,
 * "com.example-myNumericKey"
 */

static const u_char *
ngx_media_cmcd_key(const u_char *pos, const u_char *last)
{
    u_char         c;
    const u_char  *p;

    for (p = pos; p < last; p++) {
        c = *p;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*') {
            continue;
        }

        if (p > pos
            && ((c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
        {
            continue;
        }

        break;
    }

    return p > pos ? p : NULL;
}


/* RFC 8941, 4.2.1.2 */

static const u_char *
ngx_media_cmcd_list(const u_char *pos, const u_char *last)
{
    ngx_uint_t        type;
    const u_char     *end;
    ngx_media_span_t  value;

    end = pos + 1;

    for ( ;; ) {
        pos = ngx_media_cmcd_blanks(end, last);

        if (pos == last) {
            return NULL;
        }

        if (*pos == ')') {
            return pos + 1;
        }

        /* items are apart, but for the first and the parenthesis */

        if (pos == end && pos[-1] != '(') {
            return NULL;
        }

        end = ngx_media_cmcd_item(pos, last, &type, &value);

        if (end) {
            end = ngx_media_cmcd_params(end, last);
        }

        if (end == NULL) {
            return NULL;
        }
    }
}


static const u_char *
ngx_media_cmcd_item(const u_char *pos, const u_char *last, ngx_uint_t *type,
    ngx_media_span_t *value)
{
    if (pos < last && *pos == '"') {
        *type = NGX_MEDIA_CMCD_STRING;
        return ngx_media_cmcd_string(pos + 1, last, value);
    }

    return ngx_media_cmcd_word(pos, last, type, value);
}


/* RFC 8941, 4.2.5, but for other letters than those of ASCII, which are sent */

static const u_char *
ngx_media_cmcd_string(const u_char *pos, const u_char *last,
    ngx_media_span_t *value)
{
    value->pos = pos;

    for ( /* void */ ; pos < last; pos++) {

        if (*pos == '"') {
            value->last = pos;
            return pos + 1;
        }

        if (*pos < ' ' || *pos == 0x7f) {
            return NULL;
        }

        if (*pos == '\\') {
            pos++;

            if (pos == last || (*pos != '"' && *pos != '\\')) {
                return NULL;
            }
        }
    }

    return NULL;
}


/* numbers, tokens, and what else has no blanks in it: "?1", ":AAAA:" */

static const u_char *
ngx_media_cmcd_word(const u_char *pos, const u_char *last, ngx_uint_t *type,
    ngx_media_span_t *value)
{
    u_char         c;
    ngx_uint_t     digits, others;
    const u_char  *p;

    digits = 0;
    others = 0;

    for (p = pos; p < last; p++) {
        c = *p;

        if (c <= ' ' || c >= 0x7f || c == ',' || c == ';' || c == '"'
            || c == '(' || c == ')' || c == '\\')
        {
            break;
        }

        if (c >= '0' && c <= '9') {
            digits++;

        } else if (c != '.' && !(c == '-' && p == pos)) {
            others++;
        }
    }

    if (p == pos) {
        return NULL;
    }

    *type = (digits && !others) ? NGX_MEDIA_CMCD_NUMBER
                                : NGX_MEDIA_CMCD_TOKEN;
    value->pos = pos;
    value->last = p;

    return p;
}


/* RFC 8941, 4.2.3.2: they say which track a value is of, and more */

static const u_char *
ngx_media_cmcd_params(const u_char *pos, const u_char *last)
{
    ngx_uint_t        type;
    ngx_media_span_t  value;

    while (pos && pos < last && *pos == ';') {
        pos = ngx_media_cmcd_blanks(pos + 1, last);
        pos = ngx_media_cmcd_key(pos, last);

        if (pos && pos < last && *pos == '=') {
            pos = ngx_media_cmcd_item(pos + 1, last, &type, &value);
        }
    }

    return pos;
}


static const u_char *
ngx_media_cmcd_blanks(const u_char *pos, const u_char *last)
{
    while (pos < last && (*pos == ' ' || *pos == '\t')) {
        pos++;
    }

    return pos;
}


static ngx_int_t
ngx_media_cmcd_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : NGX_ERROR;
}
