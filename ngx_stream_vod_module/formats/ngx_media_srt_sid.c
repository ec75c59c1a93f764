
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_srt_sid.h"
#include "formats/ngx_media_text.h"


typedef struct {
    ngx_str_t                 name;
    ngx_media_srt_mode_e      mode;
} ngx_media_srt_sid_mode_t;


/* one that is being read */

typedef struct {
    ngx_media_srt_sid_t      *sid;
    ngx_media_text_t          args;
    ngx_media_span_t          user;           /* "u" */
    const char               *reason;
} ngx_media_srt_sid_ctx_t;


static ngx_int_t ngx_media_srt_sid_decode(ngx_media_srt_sid_ctx_t *ctx,
    ngx_media_span_t *text, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_srt_sid_digit(u_char ch);
static ngx_int_t ngx_media_srt_sid_keys(ngx_media_srt_sid_ctx_t *ctx,
    ngx_media_span_t *text);
static ngx_int_t ngx_media_srt_sid_colons(ngx_media_srt_sid_ctx_t *ctx,
    ngx_media_span_t *text);
static ngx_int_t ngx_media_srt_sid_list(ngx_media_srt_sid_ctx_t *ctx,
    ngx_media_span_t *text);
static void ngx_media_srt_sid_url(ngx_media_srt_sid_ctx_t *ctx,
    ngx_media_span_t *text);
static ngx_uint_t ngx_media_srt_sid_host(const ngx_media_span_t *text,
    const u_char *slash);
static void ngx_media_srt_sid_path(ngx_media_srt_sid_ctx_t *ctx,
    ngx_media_span_t *text);
static ngx_int_t ngx_media_srt_sid_mode(ngx_media_srt_sid_ctx_t *ctx,
    const ngx_media_span_t *value);
static void ngx_media_srt_sid_arg(ngx_media_srt_sid_ctx_t *ctx,
    const ngx_media_span_t *key, const ngx_media_span_t *value);
static void ngx_media_srt_sid_escape(ngx_media_text_t *text,
    const ngx_media_span_t *span);
static void ngx_media_srt_sid_query(ngx_media_srt_sid_ctx_t *ctx,
    const ngx_media_span_t *query);
static const u_char *ngx_media_srt_sid_find(const u_char *pos,
    const u_char *last, const char *chars);
static ngx_uint_t ngx_media_srt_sid_next(ngx_media_span_t *text, u_char ch,
    ngx_media_span_t *item);
static ngx_uint_t ngx_media_srt_sid_is(const ngx_media_span_t *span,
    const char *text);
static ngx_uint_t ngx_media_srt_sid_skip(ngx_media_span_t *span,
    const char *prefix);


static const ngx_media_srt_sid_mode_t  ngx_media_srt_sid_modes[] = {
    { ngx_string("publish"), NGX_MEDIA_SRT_MODE_PUBLISH },
    { ngx_string("bidirectional"), NGX_MEDIA_SRT_MODE_PUBLISH },
    { ngx_string("request"), NGX_MEDIA_SRT_MODE_READ },
    { ngx_string("read"), NGX_MEDIA_SRT_MODE_READ },
    { ngx_string("play"), NGX_MEDIA_SRT_MODE_READ },
    { ngx_null_string, NGX_MEDIA_SRT_MODE_UNSET }
};


ngx_int_t
ngx_media_srt_sid_parse(ngx_media_srt_sid_t *sid, const u_char *pos,
    const u_char *last, const char **reason)
{
    ngx_int_t                rc;
    ngx_media_span_t         text;
    ngx_media_srt_sid_ctx_t  ctx;

    sid->mode = NGX_MEDIA_SRT_MODE_UNSET;
    sid->name.pos = sid->text;
    sid->name.last = sid->text;

    ctx.sid = sid;
    ctx.user = sid->name;
    ctx.reason = "stream id";

    ngx_media_text_init(&ctx.args, sid->args, NGX_MEDIA_SRT_SID_ARGS);

    rc = ngx_media_srt_sid_decode(&ctx, &text, pos, last);

    if (rc != NGX_OK) {
        goto done;
    }

    if (ngx_media_srt_sid_skip(&text, "#!")) {
        rc = ngx_media_srt_sid_keys(&ctx, &text);

    } else if (ngx_media_srt_sid_skip(&text, "publish:")) {
        sid->mode = NGX_MEDIA_SRT_MODE_PUBLISH;
        rc = ngx_media_srt_sid_colons(&ctx, &text);

    } else if (ngx_media_srt_sid_skip(&text, "read:")) {
        sid->mode = NGX_MEDIA_SRT_MODE_READ;
        rc = ngx_media_srt_sid_colons(&ctx, &text);

    } else {
        rc = ngx_media_srt_sid_list(&ctx, &text);
    }

done:

    sid->args_len = ctx.args.total;

    if (ctx.args.overflow) {
        ctx.reason = "stream id: arguments are too long";
        rc = NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        *reason = ctx.reason;
    }

    return rc;
}


/* into sid->text, once, if it looks as if it were encoded as a whole */

static ngx_int_t
ngx_media_srt_sid_decode(ngx_media_srt_sid_ctx_t *ctx, ngx_media_span_t *text,
    const u_char *pos, const u_char *last)
{
    u_char            *p;
    ngx_int_t          high, low;
    ngx_uint_t         encoded;
    ngx_media_span_t   begin;

    if ((size_t) (last - pos) > NGX_MEDIA_SRT_SID_MAX) {
        ctx->reason = "stream id is too long";
        return NGX_DECLINED;
    }

    begin.pos = pos;
    begin.last = last;

    encoded = ngx_media_srt_sid_skip(&begin, "%23!")
              || ngx_media_srt_sid_skip(&begin, "srt%3A")
              || ngx_media_srt_sid_skip(&begin, "srt%3a");

    p = ctx->sid->text;
    text->pos = p;

    while (pos < last) {

        if (*pos == '%' && encoded) {

            if (last - pos < 3) {
                ctx->reason = "stream id ends in an escape";
                return NGX_DECLINED;
            }

            high = ngx_media_srt_sid_digit(pos[1]);
            low = ngx_media_srt_sid_digit(pos[2]);

            if (high < 0 || low < 0) {
                ctx->reason = "stream id has an escape that is none";
                return NGX_DECLINED;
            }

            *p = (u_char) (high << 4 | low);
            pos += 3;

        } else {
            *p = *pos++;
        }

        if (*p < 0x20 || *p == 0x7f) {
            ctx->reason = "stream id has control characters";
            return NGX_DECLINED;
        }

        p++;
    }

    text->last = p;

    return NGX_OK;
}


static ngx_int_t
ngx_media_srt_sid_digit(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : -1;
}


/*
 * "SRT Access Control (Stream ID) Guidelines" of libsrt: ":" and key=value
 * pairs; its other form, nested blocks, nobody has
 */

static ngx_int_t
ngx_media_srt_sid_keys(ngx_media_srt_sid_ctx_t *ctx, ngx_media_span_t *text)
{
    ngx_int_t             rc;
    ngx_media_span_t      item, key;
    ngx_media_srt_sid_t  *sid;

    sid = ctx->sid;

    if (!ngx_media_srt_sid_skip(text, "::")) {
        ctx->reason = "stream id begins with \"#!\", but not with \"#!::\"";
        return NGX_DECLINED;
    }

    sid->mode = NGX_MEDIA_SRT_MODE_READ;

    while (ngx_media_srt_sid_next(text, ',', &item)) {

        (void) ngx_media_srt_sid_next(&item, '=', &key);

        if (ngx_media_srt_sid_is(&key, "r")) {
            ngx_media_srt_sid_path(ctx, &item);
            continue;
        }

        if (ngx_media_srt_sid_is(&key, "m")) {
            rc = ngx_media_srt_sid_mode(ctx, &item);

            if (rc != NGX_OK) {
                return rc;
            }

            continue;
        }

        if (ngx_media_srt_sid_is(&key, "u")) {
            ctx->user = item;

        } else if (ngx_media_srt_sid_is(&key, "bmd_uuid")) {
            sid->mode = NGX_MEDIA_SRT_MODE_PUBLISH;
        }

        ngx_media_srt_sid_arg(ctx, &key, &item);
    }

    if (sid->name.pos == sid->name.last) {
        ngx_media_srt_sid_path(ctx, &ctx->user);
    }

    return NGX_OK;
}


/* behind "publish:" */

static ngx_int_t
ngx_media_srt_sid_colons(ngx_media_srt_sid_ctx_t *ctx, ngx_media_span_t *text)
{
    ngx_uint_t        n;
    const u_char     *p;
    ngx_media_span_t  key, item;

    static const char  *keys[] = { "u", "s" };

    /* nothing but arguments is behind a "?" */

    p = ngx_media_srt_sid_find(text->pos, text->last, ":?");

    if (p < text->last && *p == '?') {
        ngx_media_srt_sid_path(ctx, text);
        return NGX_OK;
    }

    (void) ngx_media_srt_sid_next(text, ':', &item);
    ngx_media_srt_sid_path(ctx, &item);

    /* one more is arguments, two are user and password */

    if (ngx_media_srt_sid_find(text->pos, text->last, "::") == text->last) {
        ngx_media_srt_sid_query(ctx, text);
        return NGX_OK;
    }

    for (n = 0; n < 2; n++) {
        key.pos = (const u_char *) keys[n];
        key.last = key.pos + 1;

        (void) ngx_media_srt_sid_next(text, ':', &item);
        ngx_media_srt_sid_arg(ctx, &key, &item);
    }

    ngx_media_srt_sid_query(ctx, text);

    return NGX_OK;
}


/* a name and "key:value"; or no more than the name, or a URL */

static ngx_int_t
ngx_media_srt_sid_list(ngx_media_srt_sid_ctx_t *ctx, ngx_media_span_t *text)
{
    ngx_int_t         rc;
    const u_char     *p;
    ngx_media_span_t  item, key;

    p = ngx_media_srt_sid_find(text->pos, text->last, ",?");

    if (p < text->last && *p == '?') {
        ngx_media_srt_sid_url(ctx, text);
        return NGX_OK;
    }

    (void) ngx_media_srt_sid_next(text, ',', &item);
    ngx_media_srt_sid_url(ctx, &item);

    while (ngx_media_srt_sid_next(text, ',', &item)) {

        (void) ngx_media_srt_sid_next(&item, ':', &key);

        if (ngx_media_srt_sid_is(&key, "mode")) {
            rc = ngx_media_srt_sid_mode(ctx, &item);

            if (rc != NGX_OK) {
                return rc;
            }

            continue;
        }

        ngx_media_srt_sid_arg(ctx, &key, &item);
    }

    return NGX_OK;
}


static void
ngx_media_srt_sid_url(ngx_media_srt_sid_ctx_t *ctx, ngx_media_span_t *text)
{
    ngx_uint_t      scheme;
    const u_char   *slash;

    scheme = ngx_media_srt_sid_skip(text, "srt://");

    slash = ngx_media_srt_sid_find(text->pos, text->last, "/?");

    if (scheme || ngx_media_srt_sid_host(text, slash)) {
        text->pos = slash;
    }

    ngx_media_srt_sid_path(ctx, text);
}


/*
 * Without a scheme, is what is before the slash a host?  It has a port, or a
 * dot where an application and a name follow.
 */

static ngx_uint_t
ngx_media_srt_sid_host(const ngx_media_span_t *text, const u_char *slash)
{
    ngx_uint_t     dot;
    const u_char  *p;

    dot = ngx_media_srt_sid_find(text->pos, slash, ".]") < slash;

    if (slash == text->last || *slash != '/') {
        return 0;
    }

    for (p = slash; p > text->pos && p[-1] >= '0' && p[-1] <= '9'; p--) {
        /* void */
    }

    if (p < slash && p > text->pos + 1 && p[-1] == ':') {
        return 1;
    }

    p = ngx_media_srt_sid_find(slash + 1, text->last, "/?");

    return dot && p > slash + 1 && p < text->last - 1 && *p == '/';
}


/* a name with arguments behind a question mark */

static void
ngx_media_srt_sid_path(ngx_media_srt_sid_ctx_t *ctx, ngx_media_span_t *text)
{
    ngx_media_span_t  *name;

    name = &ctx->sid->name;

    (void) ngx_media_srt_sid_next(text, '?', name);

    while (name->pos < name->last && *name->pos == '/') {
        name->pos++;
    }

    while (name->pos < name->last && name->last[-1] == '/') {
        name->last--;
    }

    ngx_media_srt_sid_query(ctx, text);
}


static ngx_int_t
ngx_media_srt_sid_mode(ngx_media_srt_sid_ctx_t *ctx,
    const ngx_media_span_t *value)
{
    const ngx_media_srt_sid_mode_t  *mode;

    for (mode = ngx_media_srt_sid_modes; mode->name.len; mode++) {

        if (ngx_media_srt_sid_is(value, (const char *) mode->name.data)) {
            ctx->sid->mode = mode->mode;
            return NGX_OK;
        }
    }

    ctx->reason = "stream id has a mode that is none";

    return NGX_DECLINED;
}


static void
ngx_media_srt_sid_arg(ngx_media_srt_sid_ctx_t *ctx,
    const ngx_media_span_t *key, const ngx_media_span_t *value)
{
    if (key->pos == key->last) {
        return;
    }

    if (ctx->args.total) {
        ngx_media_text_cstr(&ctx->args, "&");
    }

    ngx_media_srt_sid_escape(&ctx->args, key);
    ngx_media_text_cstr(&ctx->args, "=");
    ngx_media_srt_sid_escape(&ctx->args, value);
}


/* what is not unreserved, RFC 3986, 2.3, but no UTF-8 and none of "/:@" */

static void
ngx_media_srt_sid_escape(ngx_media_text_t *text, const ngx_media_span_t *span)
{
    u_char         escape[3];
    const u_char  *p;

    static const char  digits[] = "0123456789ABCDEF";

    for (p = span->pos; p < span->last; p++) {

        if ((*p >= '0' && *p <= '9')
            || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
            || *p >= 0x80
            || *p == '-' || *p == '.' || *p == '_' || *p == '~'
            || *p == '/' || *p == ':' || *p == '@')
        {
            ngx_media_text_data(text, p, 1);
            continue;
        }

        escape[0] = '%';
        escape[1] = digits[*p >> 4];
        escape[2] = digits[*p & 0xf];

        ngx_media_text_data(text, escape, 3);
    }
}


/* arguments as they are */

static void
ngx_media_srt_sid_query(ngx_media_srt_sid_ctx_t *ctx,
    const ngx_media_span_t *query)
{
    if (query->pos == query->last) {
        return;
    }

    if (ctx->args.total) {
        ngx_media_text_cstr(&ctx->args, "&");
    }

    ngx_media_text_data(&ctx->args, query->pos, query->last - query->pos);
}


/* the first of these two characters, or last */

static const u_char *
ngx_media_srt_sid_find(const u_char *pos, const u_char *last,
    const char *chars)
{
    while (pos < last && *pos != chars[0] && *pos != chars[1]) {
        pos++;
    }

    return pos;
}


/* what is before the next ch, and text behind it; 0: nothing was left */

static ngx_uint_t
ngx_media_srt_sid_next(ngx_media_span_t *text, u_char ch,
    ngx_media_span_t *item)
{
    const u_char  *p;

    item->pos = text->pos;

    for (p = text->pos; p < text->last && *p != ch; p++) { /* void */ }

    item->last = p;

    if (text->pos == text->last) {
        return 0;
    }

    text->pos = (p < text->last) ? p + 1 : p;

    return 1;
}


static ngx_uint_t
ngx_media_srt_sid_is(const ngx_media_span_t *span, const char *text)
{
    size_t  len;

    len = ngx_strlen(text);

    return ngx_media_span_len(span) == len
           && ngx_memcmp(span->pos, text, len) == 0;
}


static ngx_uint_t
ngx_media_srt_sid_skip(ngx_media_span_t *span, const char *prefix)
{
    size_t  len;

    len = ngx_strlen(prefix);

    if (ngx_media_span_len(span) < len
        || ngx_memcmp(span->pos, prefix, len) != 0)
    {
        return 0;
    }

    span->pos += len;

    return 1;
}


void
ngx_media_srt_sid_trim(ngx_media_span_t *name, const ngx_str_t *app)
{
    if (app->len
        && ngx_media_span_len(name) > app->len + 1
        && name->pos[app->len] == '/'
        && ngx_memcmp(name->pos, app->data, app->len) == 0)
    {
        name->pos += app->len + 1;

        while (*name->pos == '/') {
            name->pos++;                      /* none is at its end */
        }
    }
}
