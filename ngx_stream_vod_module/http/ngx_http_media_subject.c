
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_subject.h"


static ngx_http_media_subject_t *ngx_http_media_subject_find(
    ngx_http_request_t *r);
static ngx_http_media_subject_t *ngx_http_media_subject_create(
    ngx_http_request_t *r);
static void ngx_http_media_subject_cleanup(void *data);
static ngx_uint_t ngx_http_media_subject_code(ngx_uint_t status);
static ngx_uint_t ngx_http_media_subject_bucket(ngx_msec_t wait);


const char  *ngx_http_media_count_codes[NGX_HTTP_MEDIA_COUNT_CODES] = {
    "400", "401", "403", "404", "410", "416", "429", "499", "503", "4xx",
    "5xx"
};

const char  *ngx_http_media_count_reasons[NGX_HTTP_MEDIA_COUNT_REASONS] = {
    [NGX_HTTP_MEDIA_COUNT_MISSING] = "missing",
    [NGX_HTTP_MEDIA_COUNT_INVALID] = "invalid",
    [NGX_HTTP_MEDIA_COUNT_EXPIRED] = "expired",
    [NGX_HTTP_MEDIA_COUNT_HOOK] = "hook"
};

/* ms; those of ngx_http_media_metric_waits[] */

static const ngx_msec_t
    ngx_http_media_bounds[NGX_HTTP_MEDIA_COUNT_BUCKETS - 1] =
{
    50, 100, 200, 500, 1000, 2000, 5000, 10000
};


static const ngx_uint_t  ngx_http_media_codes[] = {
    400, 401, 403, 404, 410, 416, 429, 499, 503
};

#define NGX_HTTP_MEDIA_CODES                                                  \
    (sizeof(ngx_http_media_codes) / sizeof(ngx_http_media_codes[0]))


ngx_http_media_subject_t *
ngx_http_media_subject(ngx_http_request_t *r)
{
    ngx_http_media_place_t    *place;
    ngx_http_media_subject_t  *subject;

    place = ngx_http_media_place(r);
    subject = ngx_http_media_subject_find(r);

    if (place == NULL) {
        return subject;
    }

    if (subject == NULL) {
        subject = ngx_http_media_subject_create(r);

        if (subject == NULL) {
            return NULL;
        }
    }

    if (subject->place != place
        || subject->uri.data != r->uri.data
        || subject->uri.len != r->uri.len)
    {
        subject->place = place;
        subject->uri = r->uri;
        subject->rc = NGX_AGAIN;
        subject->open = 0;
        subject->media = 0;
        subject->size = 0;
        subject->watched = 0;
    }

    return subject;
}


/*
 * A redirect inside of nginx clears the contexts of modules, so it is a clean-
 * up handler that it is found by.  Subrequests, which share the pool, are not
 * redirected.
 */

static ngx_http_media_subject_t *
ngx_http_media_subject_find(ngx_http_request_t *r)
{
    ngx_http_media_subject_t  *subject;

    subject = ngx_http_get_module_ctx(r, ngx_http_media_metric_module);

    if (subject || r != r->main) {
        return subject;
    }

    subject = ngx_http_media_kept(r, ngx_http_media_subject_cleanup);

    if (subject) {
        ngx_http_set_ctx(r, subject, ngx_http_media_metric_module);
    }

    return subject;
}


static ngx_http_media_subject_t *
ngx_http_media_subject_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_media_subject_t  *subject;

    if (r != r->main) {
        subject = ngx_pcalloc(r->pool, sizeof(ngx_http_media_subject_t));

    } else {
        cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_subject_t));
        if (cln == NULL) {
            return NULL;
        }

        subject = cln->data;
        ngx_memzero(subject, sizeof(ngx_http_media_subject_t));

        cln->handler = ngx_http_media_subject_cleanup;
    }

    ngx_http_set_ctx(r, subject, ngx_http_media_metric_module);

    return subject;
}


static void
ngx_http_media_subject_cleanup(void *data)
{
    /* it is only to be found */
}


ngx_http_media_subject_t *
ngx_http_media_subject_parse(ngx_http_request_t *r)
{
    u_char                    *p, *last;
    ngx_str_t                 *prefix;
    ngx_http_media_subject_t  *subject;

    subject = ngx_http_media_subject(r);

    if (subject == NULL || subject->rc != NGX_AGAIN) {
        return subject;
    }

    prefix = &subject->place->prefix;

    p = subject->uri.data;
    last = p + subject->uri.len;

    subject->rc = NGX_DECLINED;

    if (subject->uri.len < prefix->len) {
        return subject;
    }

    p += prefix->len;

    /* "location /live" has no business with /liveness */

    if (prefix->len == 0 || prefix->data[prefix->len - 1] != '/') {

        if (p == last || *p != '/') {
            return subject;
        }

        p++;
    }

    subject->rc = ngx_http_media_kinds_parse(r, p, last, &subject->url);

    return subject;
}


ngx_uint_t
ngx_http_media_subject_kind(const ngx_http_media_subject_t *subject)
{
    if (subject->rc != NGX_OK) {
        return NGX_HTTP_MEDIA_COUNT_OTHER;
    }

    return subject->open ? NGX_HTTP_MEDIA_COUNT_OPEN
                         : subject->url.kind->count;
}


ngx_uint_t
ngx_http_media_subject_watched(ngx_http_request_t *r)
{
    ngx_http_media_subject_t  *subject;

    subject = ngx_http_get_module_ctx(r, ngx_http_media_metric_module);

    return subject && subject->watched;
}


void
ngx_http_media_subject_media(ngx_http_request_t *r, uint64_t duration,
    uint32_t timescale, off_t size)
{
    ngx_http_media_subject_t  *subject;

    subject = ngx_http_media_subject(r);

    if (subject && subject->watched) {
        subject->media += duration * 1000000 / timescale;
        subject->size += size;
    }
}


/* what $bytes_sent and $status say; subrequests are part of their requests */

ngx_int_t
ngx_http_media_subject_count(ngx_http_request_t *r)
{
    ngx_uint_t                 kind, group, code, status;
    ngx_media_count_t         *count;
    ngx_http_media_subject_t  *subject;

    if (r != r->main) {
        return NGX_OK;
    }

    subject = ngx_http_media_subject_parse(r);

    if (subject == NULL) {
        return NGX_OK;
    }

    count = ngx_http_media_count_conf(r);
    group = subject->place->group->index;
    kind = ngx_http_media_subject_kind(subject);

    ngx_media_count_add(count, group, ngx_http_media_count_requests(kind), 1);
    ngx_media_count_add(count, group, ngx_http_media_count_bytes(kind),
                        r->connection->sent);

    status = r->err_status ? r->err_status : r->headers_out.status;
    code = ngx_http_media_subject_code(status);

    if (code < NGX_HTTP_MEDIA_COUNT_CODES) {
        ngx_media_count_add(count, group, ngx_http_media_count_errors(code),
                            1);
    }

    if (subject->waited) {
        ngx_media_count_add(count, group,
            ngx_http_media_count_waits(
                               ngx_http_media_subject_bucket(subject->wait)),
            1);
        ngx_media_count_add(count, group, NGX_HTTP_MEDIA_COUNT_WAITED,
                            subject->wait);
    }

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media counted, group:%ui, kind:%s, bytes:%O, "
                   "status:%ui", group, ngx_http_media_count_kinds[kind],
                   r->connection->sent, status);

    return NGX_OK;
}


void
ngx_http_media_subject_refused(ngx_http_request_t *r, ngx_uint_t reason)
{
    ngx_http_media_place_t  *place;

    place = ngx_http_media_place(r);

    if (place) {
        ngx_media_count_add(ngx_http_media_count_conf(r), place->group->index,
                            ngx_http_media_count_refused(reason), 1);
    }
}


static ngx_uint_t
ngx_http_media_subject_code(ngx_uint_t status)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_MEDIA_CODES; i++) {
        if (ngx_http_media_codes[i] == status) {
            return i;
        }
    }

    if (status >= 400 && status < 500) {
        return NGX_HTTP_MEDIA_COUNT_CODES - 2;
    }

    if (status >= 500) {
        return NGX_HTTP_MEDIA_COUNT_CODES - 1;
    }

    return NGX_HTTP_MEDIA_COUNT_CODES;
}


static ngx_uint_t
ngx_http_media_subject_bucket(ngx_msec_t wait)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_MEDIA_COUNT_BUCKETS - 1; i++) {
        if (wait <= ngx_http_media_bounds[i]) {
            break;
        }
    }

    return i;
}
