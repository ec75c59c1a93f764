
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What an answer means: its status first, ossrs/srs#158, then what is in it.
 * What is no answer of this kind at all, a page of HTML or a redirection to it,
 * is a no: somebody answers there who was not meant.
 */


#include "formats/ngx_media_hook.h"
#include "formats/ngx_media_json.h"


#define NGX_MEDIA_HOOK_SESSIONS  1000000
#define NGX_MEDIA_HOOK_EXPIRES   (10 * 365 * 86400)

#define NGX_MEDIA_HOOK_STREAM    0x01         /* members that have come */
#define NGX_MEDIA_HOOK_N         0x02
#define NGX_MEDIA_HOOK_TIME      0x04


static const char *ngx_media_hook_read_json(ngx_media_hook_verdict_t *verdict,
    const ngx_media_span_t *body, u_char *room);
static const char *ngx_media_hook_read_member(
    ngx_media_hook_verdict_t *verdict, const ngx_media_json_token_t *token,
    ngx_uint_t *seen, u_char **room);
static const char *ngx_media_hook_read_srs(const ngx_media_span_t *body);
static ngx_uint_t ngx_media_hook_zero(const ngx_media_json_token_t *token);
static const char *ngx_media_hook_redirect(ngx_media_hook_verdict_t *verdict,
    const ngx_str_t *app, const ngx_media_span_t *location, u_char *room);
static const u_char *ngx_media_hook_scheme(const u_char *pos,
    const u_char *last);
static void ngx_media_hook_trim(ngx_media_span_t *span);


void
ngx_media_hook_read(ngx_media_hook_format_e format,
    ngx_media_hook_event_e event, const ngx_str_t *app,
    const ngx_media_hook_answer_t *answer, u_char *room,
    ngx_media_hook_verdict_t *verdict)
{
    const char  *error;

    ngx_memzero(verdict, sizeof(ngx_media_hook_verdict_t));

    if (answer->status >= 500) {
        verdict->result = NGX_MEDIA_HOOK_FAILED;
        verdict->reason = "the hook has failed";
        return;
    }

    if (answer->status >= 400) {
        verdict->result = NGX_MEDIA_HOOK_NO;
        verdict->reason = "the hook refused it";
        return;
    }

    error = NULL;

    if (answer->status >= 300) {
        error = (format == NGX_MEDIA_HOOK_FORM)
                ? ngx_media_hook_redirect(verdict, app, &answer->location,
                                          room)
                : "the hook redirects, which is not followed";

    } else if (!ngx_media_hook_asks(event)) {

        /* that it was told is all that there is to say */

        error = NULL;

    } else if (format == NGX_MEDIA_HOOK_JSON) {
        error = ngx_media_hook_read_json(verdict, &answer->body, room);

    } else if (format == NGX_MEDIA_HOOK_SRS) {
        error = ngx_media_hook_read_srs(&answer->body);
    }

    if (error) {
        ngx_memzero(verdict, sizeof(ngx_media_hook_verdict_t));

        verdict->result = NGX_MEDIA_HOOK_NO;
        verdict->reason = error;
    }
}


/*
 * Nothing, or an object of members that are known: one that is not may have
 * been meant to refuse
 */

static const char *
ngx_media_hook_read_json(ngx_media_hook_verdict_t *verdict,
    const ngx_media_span_t *body, u_char *room)
{
    ngx_int_t                rc;
    ngx_uint_t               seen;
    const char              *error;
    ngx_media_span_t         text;
    ngx_media_json_t         json;
    ngx_media_json_token_t   token;

    text = *body;

    ngx_media_hook_trim(&text);

    if (text.pos == text.last) {
        return NULL;
    }

    ngx_media_json_init(&json, text.pos, text.last);

    if (ngx_media_json_next(&json, &token) != NGX_OK
        || token.type != NGX_MEDIA_JSON_OBJECT)
    {
        return "the hook's answer is no object of JSON";
    }

    seen = 0;

    for ( ;; ) {
        rc = ngx_media_json_next(&json, &token);

        if (rc == NGX_DONE) {
            return NULL;
        }

        if (rc != NGX_OK) {
            return "the hook's answer is no object of JSON";
        }

        if (token.type == NGX_MEDIA_JSON_END) {
            continue;
        }

        error = ngx_media_hook_read_member(verdict, &token, &seen, &room);

        if (error) {
            return error;
        }
    }
}


static const char *
ngx_media_hook_read_member(ngx_media_hook_verdict_t *verdict,
    const ngx_media_json_token_t *token, ngx_uint_t *seen, u_char **room)
{
    int64_t     n;
    ngx_uint_t  bit;

    if (ngx_media_json_equal(&token->key, "stream")) {
        bit = NGX_MEDIA_HOOK_STREAM;

    } else if (ngx_media_json_equal(&token->key, "sessions")) {
        bit = NGX_MEDIA_HOOK_N;

    } else if (ngx_media_json_equal(&token->key, "expires")) {
        bit = NGX_MEDIA_HOOK_TIME;

    } else {
        return "the hook's answer has a member that is not known";
    }

    if (*seen & bit) {
        return "the hook's answer says something twice";
    }

    *seen |= bit;

    if (token->type == NGX_MEDIA_JSON_NULL) {
        return NULL;
    }

    if (bit == NGX_MEDIA_HOOK_STREAM) {

        if (token->type != NGX_MEDIA_JSON_STRING) {
            return "the hook's answer has a stream that is no name";
        }

        verdict->stream.pos = *room;
        *room += ngx_media_json_string(*room, &token->text);
        verdict->stream.last = *room;

        return (verdict->stream.pos < verdict->stream.last)
               ? NULL : "the hook's answer has a stream that is no name";
    }

    if (token->type != NGX_MEDIA_JSON_NUMBER
        || ngx_media_json_number(&token->text, 0, &n) != NGX_OK
        || n < 1
        || n > ((bit == NGX_MEDIA_HOOK_N) ? NGX_MEDIA_HOOK_SESSIONS
                                          : NGX_MEDIA_HOOK_EXPIRES))
    {
        return "the hook's answer has a number that is out of range";
    }

    if (bit == NGX_MEDIA_HOOK_N) {
        verdict->sessions = n;

    } else {
        verdict->expires = n;
    }

    return NULL;
}


/* 0 or { "code": 0 }, both also as strings: ossrs/srs#3215 */

static const char *
ngx_media_hook_read_srs(const ngx_media_span_t *body)
{
    ngx_int_t                rc;
    ngx_uint_t               zero, codes;
    ngx_media_span_t         text;
    ngx_media_json_t         json;
    ngx_media_json_token_t   token;

    static const char  none[] = "the hook's answer is neither 0 nor an object "
                                "with a code";

    text = *body;

    ngx_media_hook_trim(&text);
    ngx_media_json_init(&json, text.pos, text.last);

    if (ngx_media_json_next(&json, &token) != NGX_OK) {
        return none;
    }

    if (token.type == NGX_MEDIA_JSON_NUMBER
        || token.type == NGX_MEDIA_JSON_STRING)
    {
        zero = ngx_media_hook_zero(&token);

        if (ngx_media_json_next(&json, &token) != NGX_DONE) {
            return none;
        }

        return zero ? NULL : "the hook refused it";
    }

    if (token.type != NGX_MEDIA_JSON_OBJECT) {
        return none;
    }

    codes = 0;
    zero = 0;

    while ((rc = ngx_media_json_next(&json, &token)) == NGX_OK) {

        if (token.type == NGX_MEDIA_JSON_END) {
            continue;
        }

        if (ngx_media_json_equal(&token.key, "code")) {
            codes++;
            zero = ngx_media_hook_zero(&token);
        }

        if (ngx_media_json_skip(&json, &token) != NGX_OK) {
            return none;
        }
    }

    if (rc != NGX_DONE || codes != 1) {
        return none;
    }

    return zero ? NULL : "the hook refused it";
}


static ngx_uint_t
ngx_media_hook_zero(const ngx_media_json_token_t *token)
{
    return (token->type == NGX_MEDIA_JSON_NUMBER
            || token->type == NGX_MEDIA_JSON_STRING)
           && ngx_media_span_len(&token->text) == 1 && *token->text.pos == '0';
}


/*
 * Without a Location it is a yes, as in nginx-rtmp; with a name the stream is
 * called so.  nginx-rtmp takes a URL for a server to relay to or from: that of
 * the same application here is the name in it, whatever the host is called,
 * and another one is an error of its configuration.
 */

static const char *
ngx_media_hook_redirect(ngx_media_hook_verdict_t *verdict,
    const ngx_str_t *app, const ngx_media_span_t *location, u_char *room)
{
    size_t         len;
    const u_char  *p, *last;

    p = location->pos;
    last = location->last;

    if (p == last) {
        return NULL;
    }

    if (memchr(p, ':', last - p)) {
        p = ngx_media_hook_scheme(p, last);

        if (p == NULL) {
            return "the hook redirects to what is neither a name nor a URL of "
                   "this application";
        }

        if ((size_t) (last - p) <= app->len + 1 || p[app->len] != '/'
            || ngx_memcmp(p, app->data, app->len) != 0)
        {
            return "the hook redirects to another server or application";
        }

        p += app->len + 1;
    }

    len = last - p;

    ngx_memcpy(room, p, len);

    verdict->stream.pos = room;
    verdict->stream.last = room + len;

    return NULL;
}


/* behind "rtmp://HOST/" or "rtmps://HOST/"; NULL: it does not begin so */

static const u_char *
ngx_media_hook_scheme(const u_char *pos, const u_char *last)
{
    size_t              n;
    const u_char       *p;

    static const char  scheme[] = "rtmp";

    for (n = 0; n < sizeof(scheme) - 1; n++) {
        if (pos == last || ngx_tolower(*pos) != (u_char) scheme[n]) {
            return NULL;
        }

        pos++;
    }

    if (pos < last && ngx_tolower(*pos) == 's') {
        pos++;
    }

    if (last - pos < 3 || ngx_memcmp(pos, "://", 3) != 0) {
        return NULL;
    }

    p = memchr(pos + 3, '/', last - pos - 3);

    return p ? p + 1 : NULL;
}


static void
ngx_media_hook_trim(ngx_media_span_t *span)
{
    while (span->pos < span->last && *span->pos <= ' ') {
        span->pos++;
    }

    while (span->pos < span->last && span->last[-1] <= ' ') {
        span->last--;
    }
}
