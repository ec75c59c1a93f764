
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_http.h"


#define NGX_MEDIA_HTTP_DIGITS  15             /* of a length */
#define NGX_MEDIA_HTTP_AGE     9              /* of max-age */


/* of one answer, while its head is read */

typedef struct {
    ngx_media_http_t         *http;
    int64_t                   length;         /* -1: it does not say */
    unsigned                  chunked:1;
    unsigned                  coded:1;        /* in another way */
    unsigned                  version:1;      /* HTTP/1.<version> */
    unsigned                  close:1;
    unsigned                  keep:1;
} ngx_media_http_head_t;


static ngx_int_t ngx_media_http_status(const u_char *pos, const u_char *last,
    ngx_media_http_head_t *head);
static ngx_int_t ngx_media_http_lines(const u_char *pos, const u_char *last,
    ngx_media_http_head_t *head);
static ngx_int_t ngx_media_http_field(ngx_media_http_head_t *head,
    const ngx_media_span_t *name, ngx_media_span_t *value);
static ngx_int_t ngx_media_http_length(ngx_media_http_head_t *head,
    const ngx_media_span_t *value);
static void ngx_media_http_cache(ngx_media_http_head_t *head,
    const ngx_media_span_t *value);
static ngx_int_t ngx_media_http_body(u_char *pos, u_char *last,
    ngx_uint_t end, const ngx_media_http_head_t *head, const char **error);
static ngx_int_t ngx_media_http_chunks(u_char *pos, u_char *last,
    ngx_media_span_t *body, ngx_uint_t write);
static ngx_int_t ngx_media_http_chunk(const u_char **pos, const u_char *last,
    size_t *size);
static const u_char *ngx_media_http_line(const u_char *pos,
    const u_char *last, const u_char **end);
static ngx_uint_t ngx_media_http_is(const ngx_media_span_t *text,
    const char *word);
static ngx_uint_t ngx_media_http_lists(const ngx_media_span_t *text,
    const char *word);
static void ngx_media_http_trim(ngx_media_span_t *text);


ngx_int_t
ngx_media_http_parse(u_char *pos, u_char *last, ngx_uint_t end,
    ngx_uint_t head, ngx_media_http_t *http, const char **error)
{
    ngx_int_t               rc;
    const u_char           *body, *line;
    ngx_media_span_t        lines;
    ngx_media_http_head_t   h;

    for ( ;; ) {
        ngx_memzero(http, sizeof(ngx_media_http_t));
        ngx_memzero(&h, sizeof(ngx_media_http_head_t));

        http->max_age = -1;
        h.http = http;
        h.length = -1;

        lines.pos = pos;

        body = pos;

        do {
            line = body;
            body = ngx_media_http_line(line, last, &lines.last);
        } while (body && lines.last != line);

        if (body == NULL) {
            *error = "the answer is cut off";
            return end ? NGX_ERROR : NGX_AGAIN;
        }

        if (ngx_media_http_status(lines.pos, lines.last, &h) != NGX_OK
            || ngx_media_http_lines(lines.pos, lines.last, &h) != NGX_OK)
        {
            *error = "the answer is no HTTP/1.1";
            return NGX_ERROR;
        }

        if (http->status >= 200) {
            break;
        }

        if (http->status == 101) {
            *error = "the answer is in another protocol";
            return NGX_ERROR;
        }

        /* RFC 9110, 15.2: there may be some before the answer */

        pos = (u_char *) body;
    }

    http->keepalive = h.version ? !h.close : h.keep;

    pos = (u_char *) body;
    http->body.pos = pos;
    http->body.last = pos;

    /* RFC 9112, 6.3 */

    if (head || http->status == 204 || http->status == 304) {

        if (pos != last) {
            *error = "there is more than the answer";
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    rc = ngx_media_http_body(pos, last, end, &h, error);

    return rc;
}


/* "HTTP/1.1 200 OK" */

static ngx_int_t
ngx_media_http_status(const u_char *pos, const u_char *last,
    ngx_media_http_head_t *head)
{
    ngx_uint_t  i;

    if (last - pos < 12 || ngx_memcmp(pos, "HTTP/1.", 7) != 0
        || (pos[7] != '0' && pos[7] != '1') || pos[8] != ' ')
    {
        return NGX_ERROR;
    }

    head->version = pos[7] - '0';
    head->http->status = 0;

    for (i = 9; i < 12; i++) {

        if (pos[i] < '0' || pos[i] > '9') {
            return NGX_ERROR;
        }

        head->http->status = head->http->status * 10 + (pos[i] - '0');
    }

    /* it ends there, or goes on with a phrase */

    if (last - pos > 12 && pos[12] != ' ' && pos[12] != '\r'
        && pos[12] != '\n')
    {
        return NGX_ERROR;
    }

    return head->http->status >= 100 && head->http->status <= 599 ? NGX_OK
                                                                  : NGX_ERROR;
}


static ngx_int_t
ngx_media_http_lines(const u_char *pos, const u_char *last,
    ngx_media_http_head_t *head)
{
    const u_char      *line, *end, *colon;
    ngx_media_span_t   name, value;

    /* the first one is the status */

    line = ngx_media_http_line(pos, last, &end);

    while (line && line < last) {
        pos = line;
        line = ngx_media_http_line(pos, last, &end);

        if (line == NULL) {
            end = last;
        }

        colon = memchr(pos, ':', end - pos);

        /* RFC 9112, 5.1, 5.2: no space before it, no folding */

        if (colon == NULL || colon == pos || *pos == ' ' || *pos == '\t'
            || colon[-1] == ' ' || colon[-1] == '\t')
        {
            return NGX_ERROR;
        }

        name.pos = pos;
        name.last = colon;
        value.pos = colon + 1;
        value.last = end;

        ngx_media_http_trim(&value);

        if (ngx_media_http_field(head, &name, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_http_field(ngx_media_http_head_t *head, const ngx_media_span_t *name,
    ngx_media_span_t *value)
{
    const u_char  *p;

    if (ngx_media_http_is(name, "content-length")) {
        return ngx_media_http_length(head, value);
    }

    if (ngx_media_http_is(name, "transfer-encoding")) {

        if (head->chunked || !ngx_media_http_is(value, "chunked")) {
            head->coded = 1;
        }

        head->chunked = 1;

    } else if (ngx_media_http_is(name, "content-encoding")) {
        head->coded |= !ngx_media_http_is(value, "identity");

    } else if (ngx_media_http_is(name, "content-type")) {
        p = memchr(value->pos, ';', ngx_media_span_len(value));

        if (p) {
            value->last = p;
            ngx_media_http_trim(value);
        }

        head->http->type = *value;

    } else if (ngx_media_http_is(name, "location")) {
        head->http->location = *value;

    } else if (ngx_media_http_is(name, "cache-control")) {
        ngx_media_http_cache(head, value);

    } else if (ngx_media_http_is(name, "connection")) {
        head->close |= ngx_media_http_lists(value, "close");
        head->keep |= ngx_media_http_lists(value, "keep-alive");
    }

    return NGX_OK;
}


/* RFC 9110, 8.6: the same twice is an error here, too */

static ngx_int_t
ngx_media_http_length(ngx_media_http_head_t *head,
    const ngx_media_span_t *value)
{
    int64_t        length;
    const u_char  *p;

    if (head->length != -1 || value->pos == value->last
        || ngx_media_span_len(value) > NGX_MEDIA_HTTP_DIGITS)
    {
        return NGX_ERROR;
    }

    length = 0;

    for (p = value->pos; p < value->last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        length = length * 10 + (*p - '0');
    }

    head->length = length;

    return NGX_OK;
}


/* RFC 9111, 5.2.2 */

static void
ngx_media_http_cache(ngx_media_http_head_t *head,
    const ngx_media_span_t *value)
{
    int64_t            age;
    ngx_uint_t         digits;
    const u_char      *p, *end;
    ngx_media_span_t   item;

    for (p = value->pos; p < value->last; p = end + 1) {
        end = memchr(p, ',', value->last - p);
        end = end ? end : value->last;

        item.pos = p;
        item.last = end;
        ngx_media_http_trim(&item);

        if (ngx_media_http_is(&item, "no-store")
            || ngx_media_http_is(&item, "no-cache"))
        {
            head->http->max_age = 0;
            return;
        }

        if (ngx_media_span_len(&item) <= 8) {
            continue;
        }

        item.last = item.pos + 8;

        if (!ngx_media_http_is(&item, "max-age=")) {
            continue;
        }

        age = 0;
        digits = 0;

        for (p = item.last; p < end && *p >= '0' && *p <= '9'; p++) {

            if (digits++ < NGX_MEDIA_HTTP_AGE) {
                age = age * 10 + (*p - '0');
            }
        }

        if (digits && head->http->max_age != 0) {
            head->http->max_age = age;
        }
    }
}


static ngx_int_t
ngx_media_http_body(u_char *pos, u_char *last, ngx_uint_t end,
    const ngx_media_http_head_t *head, const char **error)
{
    ngx_int_t          rc;
    ngx_media_span_t  *body;

    body = &head->http->body;

    /* a length beside chunks is how answers are smuggled */

    if (head->coded || (head->chunked && head->length != -1)) {
        *error = "the answer is in a coding that was not asked for";
        return NGX_ERROR;
    }

    if (head->chunked) {
        rc = ngx_media_http_chunks(pos, last, body, 0);

        if (rc == NGX_OK) {
            return ngx_media_http_chunks(pos, last, body, 1);
        }

        *error = (rc == NGX_ERROR) ? "the chunks of the answer are none"
                                   : "the answer is cut off";

        return (rc == NGX_AGAIN && !end) ? NGX_AGAIN : NGX_ERROR;
    }

    if (head->length == -1) {

        /* it ends with the connection */

        head->http->keepalive = 0;
        body->last = last;

        return end ? NGX_OK : NGX_AGAIN;
    }

    if (last - pos < head->length) {
        *error = "the answer is cut off";
        return end ? NGX_ERROR : NGX_AGAIN;
    }

    if (last - pos > head->length) {
        *error = "there is more than the answer";
        return NGX_ERROR;
    }

    body->last = last;

    return NGX_OK;
}


/* RFC 9112, 7.1; write: they are complete, and put together where they are */

static ngx_int_t
ngx_media_http_chunks(u_char *pos, u_char *last, ngx_media_span_t *body,
    ngx_uint_t write)
{
    u_char        *out;
    size_t         size;
    ngx_int_t      rc;
    const u_char  *p, *line, *end;

    out = pos;
    p = pos;

    for ( ;; ) {
        rc = ngx_media_http_chunk(&p, last, &size);

        if (rc != NGX_OK) {
            return rc;
        }

        if (size == 0) {
            break;
        }

        if ((size_t) (last - p) < size + 2) {

            /* one byte of the line's end would be enough to tell */

            return NGX_AGAIN;
        }

        if (p[size] != '\r' || p[size + 1] != '\n') {
            return NGX_ERROR;
        }

        if (write) {
            ngx_memmove(out, p, size);
        }

        out += size;
        p += size + 2;
    }

    /* trailers, which nobody wants, and an empty line */

    for ( ;; ) {
        line = p;
        p = ngx_media_http_line(line, last, &end);

        if (p == NULL) {
            return NGX_AGAIN;
        }

        if (end == line) {
            break;
        }
    }

    if (p != last) {
        return NGX_ERROR;
    }

    body->last = out;

    return NGX_OK;
}


static ngx_int_t
ngx_media_http_chunk(const u_char **pos, const u_char *last, size_t *size)
{
    u_char         c;
    ngx_uint_t     digits;
    const u_char  *p, *line, *end;

    line = ngx_media_http_line(*pos, last, &end);

    if (line == NULL) {
        return last - *pos > 4096 ? NGX_ERROR : NGX_AGAIN;
    }

    *size = 0;
    digits = 0;

    for (p = *pos; p < end; p++, digits++) {
        c = *p | 0x20;

        if (*p >= '0' && *p <= '9') {
            *size = *size * 16 + (*p - '0');

        } else if (c >= 'a' && c <= 'f') {
            *size = *size * 16 + (c - 'a' + 10);

        } else {
            break;
        }
    }

    if (digits == 0 || digits > 7
        || (p < end && *p != ';' && *p != ' ' && *p != '\t'))
    {
        return NGX_ERROR;
    }

    *pos = line;

    return NGX_OK;
}


/* what follows the line, *end: where it ends; NULL: it has no end */

static const u_char *
ngx_media_http_line(const u_char *pos, const u_char *last,
    const u_char **end)
{
    const u_char  *lf;

    lf = memchr(pos, '\n', last - pos);

    if (lf == NULL) {
        return NULL;
    }

    *end = (lf > pos && lf[-1] == '\r') ? lf - 1 : lf;

    return lf + 1;
}


static ngx_uint_t
ngx_media_http_is(const ngx_media_span_t *text, const char *word)
{
    const u_char  *p;

    for (p = text->pos; p < text->last; p++, word++) {
        if (*word == '\0' || ngx_tolower(*p) != (u_char) *word) {
            return 0;
        }
    }

    return *word == '\0';
}


/* is it one of those between commas */

static ngx_uint_t
ngx_media_http_lists(const ngx_media_span_t *text, const char *word)
{
    const u_char      *p, *end;
    ngx_media_span_t   item;

    for (p = text->pos; p < text->last; p = end + 1) {
        end = memchr(p, ',', text->last - p);
        end = end ? end : text->last;

        item.pos = p;
        item.last = end;
        ngx_media_http_trim(&item);

        if (ngx_media_http_is(&item, word)) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_media_http_trim(ngx_media_span_t *text)
{
    while (text->pos < text->last && (*text->pos == ' '
                                      || *text->pos == '\t'))
    {
        text->pos++;
    }

    while (text->last > text->pos && (text->last[-1] == ' '
                                      || text->last[-1] == '\t'
                                      || text->last[-1] == '\r'))
    {
        text->last--;
    }
}
