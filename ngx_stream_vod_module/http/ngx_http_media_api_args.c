
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Arguments of a call, held against those of its row: what is not known, comes
 * twice, or is not of its kind is an error, and says what would be right.
 * Values are not repeated: they may be anybody's.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_api.h"


#define NGX_HTTP_MEDIA_API_LISTED  512        /* bytes of all names, or words */


static ngx_int_t ngx_http_media_api_arg(ngx_http_request_t *r,
    ngx_http_media_api_ctx_t *ctx, u_char *pos, u_char *last);
static ngx_int_t ngx_http_media_api_decode(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_media_api_value(ngx_http_request_t *r,
    const ngx_http_media_api_arg_t *arg, ngx_http_media_api_value_t *value);
static ngx_int_t ngx_http_media_api_number(ngx_http_request_t *r,
    const ngx_http_media_api_arg_t *arg, ngx_http_media_api_value_t *value);
static ngx_int_t ngx_http_media_api_word(ngx_http_request_t *r,
    const ngx_http_media_api_arg_t *arg, ngx_http_media_api_value_t *value);
static ngx_int_t ngx_http_media_api_unknown(ngx_http_request_t *r,
    const ngx_http_media_api_row_t *row);
static ngx_int_t ngx_http_media_api_bad(ngx_http_request_t *r,
    const char *fmt, const ngx_str_t *name);


/* NGX_DECLINED: they are as they should be */

ngx_int_t
ngx_http_media_api_args(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx)
{
    u_char     *p, *last, *end;
    ngx_int_t   rc;

    p = r->args.data;
    end = p + r->args.len;

    for ( /* void */ ; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, '&');
        last = last ? last : end;

        if (last == p) {
            continue;
        }

        rc = ngx_http_media_api_arg(r, ctx, p, last);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_media_api_arg(ngx_http_request_t *r, ngx_http_media_api_ctx_t *ctx,
    u_char *pos, u_char *last)
{
    u_char                          *p;
    ngx_str_t                        name;
    ngx_uint_t                       i;
    const ngx_http_media_api_arg_t  *arg;

    p = ngx_strlchr(pos, last, '=');

    name.data = pos;
    name.len = (p ? p : last) - pos;

    arg = ctx->row->args;

    for (i = 0; arg && arg[i].name.len; i++) {

        if (arg[i].name.len != name.len
            || ngx_strncmp(arg[i].name.data, name.data, name.len) != 0)
        {
            continue;
        }

        if (ctx->args[i].text.data) {
            return ngx_http_media_api_bad(r, "\"%V\" is there twice",
                                          &arg[i].name);
        }

        ctx->args[i].text.data = p ? p + 1 : last;
        ctx->args[i].text.len = last - ctx->args[i].text.data;

        return ngx_http_media_api_value(r, &arg[i], &ctx->args[i]);
    }

    return ngx_http_media_api_unknown(r, ctx->row);
}


static ngx_int_t
ngx_http_media_api_value(ngx_http_request_t *r,
    const ngx_http_media_api_arg_t *arg, ngx_http_media_api_value_t *value)
{
    ngx_int_t  rc;

    rc = ngx_http_media_api_decode(r, &value->text);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_media_api_bad(r, "\"%V\" is not percent-encoded "
                                      "right", &arg->name);
    }

    switch (arg->type) {

    case NGX_HTTP_MEDIA_API_NUMBER:
        return ngx_http_media_api_number(r, arg, value);

    case NGX_HTTP_MEDIA_API_WORD:
        return ngx_http_media_api_word(r, arg, value);

    default: /* NGX_HTTP_MEDIA_API_STRING */
        break;
    }

    if (value->text.len < arg->min) {
        return ngx_http_media_api_bad(r, "\"%V\" is empty", &arg->name);
    }

    if (value->text.len > arg->max) {
        return ngx_http_media_api_bad(r, "\"%V\" is too long", &arg->name);
    }

    return NGX_DECLINED;
}


/* application/x-www-form-urlencoded, as forms and URLSearchParams write it */

static ngx_int_t
ngx_http_media_api_decode(ngx_http_request_t *r, ngx_str_t *value)
{
    u_char     *p, *dst, *last;
    ngx_int_t   ch;

    dst = ngx_pnalloc(r->pool, value->len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    p = value->data;
    last = p + value->len;
    value->data = dst;

    for ( /* void */ ; p < last; p++) {

        if (*p == '+') {
            *dst++ = ' ';
            continue;
        }

        if (*p != '%') {
            *dst++ = *p;
            continue;
        }

        if (last - p < 3) {
            return NGX_DECLINED;
        }

        ch = ngx_hextoi(p + 1, 2);

        if (ch == NGX_ERROR) {
            return NGX_DECLINED;
        }

        *dst++ = (u_char) ch;
        p += 2;
    }

    value->len = dst - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_api_number(ngx_http_request_t *r,
    const ngx_http_media_api_arg_t *arg, ngx_http_media_api_value_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->text.data, value->text.len);

    if (n == NGX_ERROR || (ngx_uint_t) n < arg->min
        || (ngx_uint_t) n > arg->max)
    {
        return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST,
                                          "bad-argument",
                                          "\"%V\" must be a number from %ui "
                                          "to %ui", &arg->name, arg->min,
                                          arg->max);
    }

    value->n = n;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_media_api_word(ngx_http_request_t *r,
    const ngx_http_media_api_arg_t *arg, ngx_http_media_api_value_t *value)
{
    u_char      *p, *last;
    u_char       buf[NGX_HTTP_MEDIA_API_LISTED];
    ngx_uint_t   i;

    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; arg->words[i]; i++) {

        if (value->text.len == ngx_strlen(arg->words[i])
            && ngx_strncmp(value->text.data, arg->words[i], value->text.len)
               == 0)
        {
            value->n = i;
            return NGX_DECLINED;
        }

        p = ngx_slprintf(p, last, "%s%s", i ? ", " : "", arg->words[i]);
    }

    return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST, "bad-argument",
                                      "\"%V\" must be one of: %*s",
                                      &arg->name, (size_t) (p - buf), buf);
}


static ngx_int_t
ngx_http_media_api_unknown(ngx_http_request_t *r,
    const ngx_http_media_api_row_t *row)
{
    u_char      *p, *last;
    u_char       buf[NGX_HTTP_MEDIA_API_LISTED];
    ngx_uint_t   i;

    if (row->args == NULL) {
        return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST,
                                          "bad-argument",
                                          "there are no arguments here");
    }

    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; row->args[i].name.len; i++) {
        p = ngx_slprintf(p, last, "%s%V", i ? ", " : "", &row->args[i].name);
    }

    return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST, "bad-argument",
                                      "there is an argument that is none of: "
                                      "%*s", (size_t) (p - buf), buf);
}


static ngx_int_t
ngx_http_media_api_bad(ngx_http_request_t *r, const char *fmt,
    const ngx_str_t *name)
{
    return ngx_http_media_api_problem(r, NGX_HTTP_BAD_REQUEST, "bad-argument",
                                      fmt, name);
}


ngx_int_t
ngx_http_media_api_id(const ngx_str_t *text, uint64_t *id)
{
    ngx_uint_t  i;
    ngx_int_t   digit;

    if (text->len != 16) {
        return NGX_DECLINED;
    }

    *id = 0;

    for (i = 0; i < 16; i++) {
        digit = ngx_hextoi(text->data + i, 1);

        if (digit == NGX_ERROR) {
            return NGX_DECLINED;
        }

        *id = *id << 4 | (uint64_t) digit;
    }

    return NGX_OK;
}
