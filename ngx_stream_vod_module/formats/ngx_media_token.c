
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_base64.h"
#include "formats/ngx_media_token.h"


#define NGX_MEDIA_TOKEN_DIGITS  11            /* of EXP: some 3000 years */
#define NGX_MEDIA_TOKEN_USERS   1000000       /* of n */


static ngx_int_t ngx_media_token_options(ngx_media_token_t *token,
    u_char *pos, u_char *last, const char **error);
static ngx_int_t ngx_media_token_option(ngx_media_token_t *token,
    const ngx_media_span_t *name, const ngx_media_span_t *value,
    const char **error);
static ngx_int_t ngx_media_token_path(ngx_media_token_t *token,
    const ngx_media_span_t *value, const char **error);
static ngx_int_t ngx_media_token_number(const ngx_media_span_t *text,
    ngx_uint_t digits, int64_t *n);
static ngx_int_t ngx_media_token_decode(u_char *pos, u_char *last,
    ngx_media_span_t *value);
static ngx_int_t ngx_media_token_hex(u_char c);


ngx_int_t
ngx_media_token_parse(const u_char *pos, const u_char *last, u_char *buf,
    ngx_media_token_t *token, const char **error)
{
    size_t            len;
    u_char           *mac;
    const u_char     *dot, *end;
    ngx_media_span_t  text;

    ngx_memzero(token, sizeof(ngx_media_token_t));

    *error = "it is no token of three parts";

    if (last - pos > NGX_MEDIA_TOKEN_MAX) {
        return NGX_ERROR;
    }

    dot = memchr(pos, '.', last - pos);

    if (dot == NULL) {
        return NGX_ERROR;
    }

    end = memchr(dot + 1, '.', last - dot - 1);

    if (end == NULL) {
        return NGX_ERROR;
    }

    token->exp_text.pos = pos;
    token->exp_text.last = dot;
    token->opts_text.pos = dot + 1;
    token->opts_text.last = end;

    if (ngx_media_token_number(&token->exp_text, NGX_MEDIA_TOKEN_DIGITS,
                               &token->exp)
        != NGX_OK)
    {
        *error = "it does not say when it expires";
        return NGX_ERROR;
    }

    if (ngx_media_base64_decode(buf, &len, &token->opts_text) != NGX_OK) {
        *error = "it is no base64url";
        return NGX_ERROR;
    }

    mac = buf + len;
    text.pos = end + 1;
    text.last = last;

    if (ngx_media_base64_decode(mac, &len, &text) != NGX_OK
        || len != NGX_MEDIA_TOKEN_MAC)
    {
        *error = "its signature is none";
        return NGX_ERROR;
    }

    ngx_memcpy(token->mac, mac, NGX_MEDIA_TOKEN_MAC);

    return ngx_media_token_options(token, buf, mac, error);
}


static ngx_int_t
ngx_media_token_options(ngx_media_token_t *token, u_char *pos, u_char *last,
    const char **error)
{
    u_char            *end, *p;
    ngx_media_span_t   name, value;

    for ( /* void */ ; pos < last; pos = end + 1) {
        end = memchr(pos, '&', last - pos);
        end = end ? end : last;

        p = memchr(pos, '=', end - pos);

        if (p == NULL || ngx_media_token_decode(p + 1, end, &value) != NGX_OK) {
            *error = "an option of it has no value";
            return NGX_ERROR;
        }

        name.pos = pos;
        name.last = p;

        if (ngx_media_token_option(token, &name, &value, error) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (token->ngrants == 0) {
        *error = "it does not say what it is for";
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_token_option(ngx_media_token_t *token, const ngx_media_span_t *name,
    const ngx_media_span_t *value, const char **error)
{
    size_t             len;
    int64_t            n;
    ngx_media_span_t  *text;

    len = ngx_media_span_len(name);

    if (len == 1 && *name->pos == 'p') {
        return ngx_media_token_path(token, value, error);
    }

    if (len == 1 && *name->pos == 'n') {

        if (token->max
            || ngx_media_token_number(value, NGX_MEDIA_TOKEN_DIGITS, &n)
               != NGX_OK
            || n < 1 || n > NGX_MEDIA_TOKEN_USERS)
        {
            *error = "an option of it is not valid";
            return NGX_ERROR;
        }

        token->max = (ngx_uint_t) n;

        return NGX_OK;
    }

    text = (len == 1 && *name->pos == 's') ? &token->session
           : (len == 1 && *name->pos == 'k') ? &token->key
           : (len == 2 && ngx_memcmp(name->pos, "ip", 2) == 0) ? &token->ip
           : NULL;

    if (text == NULL) {
        *error = "it has an option that is not known";
        return NGX_ERROR;
    }

    if (text->pos || value->pos == value->last) {
        *error = "an option of it is not valid";
        return NGX_ERROR;
    }

    *text = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_media_token_path(ngx_media_token_t *token, const ngx_media_span_t *value,
    const char **error)
{
    if (token->ngrants == NGX_MEDIA_TOKEN_PATHS
        || value->pos == value->last)
    {
        *error = "an option of it is not valid";
        return NGX_ERROR;
    }

    token->grants[token->ngrants++].path = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_media_token_number(const ngx_media_span_t *text, ngx_uint_t digits,
    int64_t *n)
{
    const u_char  *p;

    if (text->pos == text->last || ngx_media_span_len(text) > digits) {
        return NGX_ERROR;
    }

    *n = 0;

    for (p = text->pos; p < text->last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        *n = *n * 10 + (*p - '0');
    }

    return NGX_OK;
}


/* RFC 3986, 2.1, where it is */

static ngx_int_t
ngx_media_token_decode(u_char *pos, u_char *last, ngx_media_span_t *value)
{
    u_char     *p;
    ngx_int_t   high, low;

    value->pos = pos;

    for (p = pos; pos < last; pos++) {

        if (*pos != '%') {
            *p++ = *pos;
            continue;
        }

        if (last - pos < 3) {
            return NGX_ERROR;
        }

        high = ngx_media_token_hex(pos[1]);
        low = ngx_media_token_hex(pos[2]);

        if (high == NGX_ERROR || low == NGX_ERROR) {
            return NGX_ERROR;
        }

        *p++ = (u_char) (high << 4 | low);
        pos += 2;
    }

    value->last = p;

    return NGX_OK;
}


static ngx_int_t
ngx_media_token_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : NGX_ERROR;
}
