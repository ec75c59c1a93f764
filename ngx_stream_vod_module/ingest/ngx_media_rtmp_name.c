
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What becomes of the names that clients send.  The name of a stream is what
 * follows the application in connect, a slash, and the name in publish, each
 * without its query string:
 *
 *     rtmp://host/live/room?key=1   x?token=2   ->   app live, stream room/x,
 *                                                    arguments key=1&token=2
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ingest/ngx_media_rtmp_session.h"


static void ngx_media_rtmp_trim_url(ngx_media_rtmp_session_t *session,
    ngx_media_span_t *span);
static ngx_uint_t ngx_media_rtmp_trim_component(ngx_media_span_t *span,
    const ngx_str_t *prefix);


ngx_int_t
ngx_media_rtmp_name(ngx_media_rtmp_session_t *session,
    const ngx_media_span_t *value, u_char *buf, ngx_str_t *name)
{
    size_t             len;
    u_char            *p;
    ngx_media_span_t   span;

    span = *value;

    ngx_media_rtmp_trim(&span);
    ngx_media_rtmp_trim_url(session, &span);

    len = ngx_media_span_len(&span);

    name->data = (u_char *) span.pos;
    name->len = len;

    if (len == 0 || len > NGX_MEDIA_NAME_MAX) {
        return NGX_DECLINED;
    }

    p = buf;

    if (session->prefix.len) {

        if (len + 1 > NGX_MEDIA_NAME_MAX - session->prefix.len) {
            return NGX_DECLINED;
        }

        p = ngx_cpymem(p, session->prefix.data, session->prefix.len);
        *p++ = '/';
    }

    p = ngx_cpymem(p, span.pos, len);

    name->data = buf;
    name->len = p - buf;

    return NGX_OK;
}


/*
 * Cameras exist whose stream name is all of the URL, and cannot be told
 * otherwise: what precedes the path goes, and so does the path of connect, as
 * long as something is left.
 */

static void
ngx_media_rtmp_trim_url(ngx_media_rtmp_session_t *session,
    ngx_media_span_t *span)
{
    const u_char  *p;

    for (p = span->pos; p < span->last; p++) {

        /* rtmp, rtmps, rtmpt, ... */

        if ((*p | 0x20) < 'a' || (*p | 0x20) > 'z') {
            break;
        }
    }

    if (p == span->pos || span->last - p < 3 || ngx_memcmp(p, "://", 3) != 0) {
        return;
    }

    for (p += 3; p < span->last && *p != '/'; p++) { /* void */ }

    span->pos = p;

    ngx_media_rtmp_trim(span);

    if (ngx_media_rtmp_trim_component(span, &session->app->name)
        || ngx_media_rtmp_trim_component(span, &session->alias))
    {
        (void) ngx_media_rtmp_trim_component(span, &session->prefix);
    }
}


/* 1 if the path began with it, and something is left */

static ngx_uint_t
ngx_media_rtmp_trim_component(ngx_media_span_t *span, const ngx_str_t *prefix)
{
    if (prefix->len == 0
        || ngx_media_span_len(span) < prefix->len + 2
        || span->pos[prefix->len] != '/'
        || ngx_memcmp(span->pos, prefix->data, prefix->len) != 0)
    {
        return 0;
    }

    span->pos += prefix->len + 1;

    return 1;
}


ngx_int_t
ngx_media_rtmp_args(ngx_media_rtmp_session_t *session,
    const ngx_media_span_t *value, ngx_str_t *args)
{
    size_t             len;
    u_char            *p;
    ngx_media_span_t   own;

    ngx_str_null(args);

    own = *value;

    ngx_media_rtmp_query(&own);

    len = ngx_media_span_len(&own);

    if (session->long_args
        || len > NGX_MEDIA_RTMP_ARGS - session->args.len)
    {
        return NGX_DECLINED;
    }

    if (len + session->args.len == 0) {
        return NGX_OK;
    }

    p = ngx_alloc(session->args.len + 1 + len, session->connection->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    args->data = p;

    if (session->args.len) {
        p = ngx_cpymem(p, session->args.data, session->args.len);
    }

    if (session->args.len && len) {
        *p++ = '&';
    }

    if (len) {
        p = ngx_cpymem(p, own.pos, len);
    }

    args->len = p - args->data;

    return NGX_OK;
}


/* what follows the first question mark; without one the end */

void
ngx_media_rtmp_query(ngx_media_span_t *span)
{
    while (span->pos < span->last && *span->pos != '?') {
        span->pos++;
    }

    if (span->pos < span->last) {
        span->pos++;
    }
}


void
ngx_media_rtmp_trim(ngx_media_span_t *span)
{
    const u_char  *p;

    for (p = span->pos; p < span->last; p++) {
        if (*p == '?') {
            span->last = p;
            break;
        }
    }

    while (span->pos < span->last && *span->pos == '/') {
        span->pos++;
    }

    while (span->pos < span->last && span->last[-1] == '/') {
        span->last--;
    }
}
