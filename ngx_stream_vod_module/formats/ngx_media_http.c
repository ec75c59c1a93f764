
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_http.h"


#define NGX_MEDIA_HTTP_DIGITS  15             /* of a length */
#define NGX_MEDIA_HTTP_AGE     9              /* of max-age */
#define NGX_MEDIA_HTTP_SIZE    4096           /* bytes of a line with a size */


/* what comes next */

enum {
    NGX_MEDIA_HTTP_STATUS = 0,                /* of an answer of 1xx, or not */
    NGX_MEDIA_HTTP_FIELD,
    NGX_MEDIA_HTTP_BODY,                      /* as it is */
    NGX_MEDIA_HTTP_CHUNK,                     /* its size */
    NGX_MEDIA_HTTP_DATA,
    NGX_MEDIA_HTTP_CRLF,                      /* behind that */
    NGX_MEDIA_HTTP_TRAILER
};


static ngx_int_t ngx_media_http_head(ngx_media_http_state_t *state,
    const u_char *buf, size_t len, const char **error);
static ngx_int_t ngx_media_http_head_line(ngx_media_http_state_t *state,
    const u_char *buf, const ngx_media_span_t *line);
static ngx_int_t ngx_media_http_head_end(ngx_media_http_state_t *state,
    ngx_uint_t head, const char **error);
static ngx_int_t ngx_media_http_status(ngx_media_http_head_t *head,
    const ngx_media_span_t *line);
static ngx_int_t ngx_media_http_field(ngx_media_http_head_t *head,
    const u_char *buf, const ngx_media_span_t *name, ngx_media_span_t *value);
static void ngx_media_http_range(ngx_media_http_range_t *range,
    const u_char *buf, const ngx_media_span_t *value);
static ngx_int_t ngx_media_http_length(ngx_media_http_head_t *head,
    const ngx_media_span_t *value);
static void ngx_media_http_cache(ngx_media_http_head_t *head,
    const ngx_media_span_t *value);
static ngx_int_t ngx_media_http_body(ngx_media_http_state_t *state,
    size_t len, ngx_uint_t end);
static ngx_int_t ngx_media_http_chunks(ngx_media_http_state_t *state,
    u_char *buf, size_t len);
static ngx_int_t ngx_media_http_chunk(ngx_media_http_state_t *state,
    const u_char *buf, size_t len);
static ngx_int_t ngx_media_http_data(ngx_media_http_state_t *state,
    u_char *buf, size_t len);
static ngx_int_t ngx_media_http_trailers(ngx_media_http_state_t *state,
    const u_char *buf, size_t len);
static void ngx_media_http_pass(ngx_media_http_state_t *state, size_t n);
static ngx_int_t ngx_media_http_line(ngx_media_http_state_t *state,
    const u_char *buf, size_t len, ngx_media_span_t *line);
static ngx_uint_t ngx_media_http_is(const ngx_media_span_t *text,
    const char *word);
static ngx_uint_t ngx_media_http_lists(const ngx_media_span_t *text,
    const char *word);
static void ngx_media_http_trim(ngx_media_span_t *text);


ngx_int_t
ngx_media_http_parse(ngx_media_http_state_t *state, u_char *buf, size_t len,
    ngx_uint_t end, ngx_uint_t head, ngx_media_http_t *http,
    const char **error)
{
    ngx_int_t               rc;
    ngx_media_http_head_t  *h;

    h = &state->head;
    rc = NGX_OK;

    if (state->stage <= NGX_MEDIA_HTTP_FIELD) {
        rc = ngx_media_http_head(state, buf, len, error);

        if (rc == NGX_OK) {
            rc = ngx_media_http_head_end(state, head, error);
        }
    }

    if (rc == NGX_OK) {
        *error = "the chunks of the answer are none";

        rc = state->stage == NGX_MEDIA_HTTP_BODY
             ? ngx_media_http_body(state, len, end)
             : ngx_media_http_chunks(state, buf, len);
    }

    if (rc == NGX_AGAIN && end) {
        *error = "the answer is cut off";
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (state->pos != len) {
        *error = "there is more than the answer";
        return NGX_ERROR;
    }

    http->status = h->status;
    http->type.pos = buf + h->type.pos;
    http->type.last = http->type.pos + h->type.len;
    http->location.pos = buf + h->location.pos;
    http->location.last = http->location.pos + h->location.len;
    http->body.pos = buf + state->body;
    http->body.last = buf + state->end;
    http->max_age = h->max_age;

    /* RFC 9112, 9.3; a body without a length ends with the connection */

    http->keepalive = (h->version ? !h->close : h->keep)
                      && (h->chunked || h->length != -1);

    return NGX_OK;
}


/* until the empty line of one that is not 1xx */

static ngx_int_t
ngx_media_http_head(ngx_media_http_state_t *state, const u_char *buf,
    size_t len, const char **error)
{
    ngx_int_t         rc;
    ngx_media_span_t  line;

    for ( ;; ) {
        rc = ngx_media_http_line(state, buf, len, &line);

        state->lines += (rc == NGX_OK);

        if (state->seen > NGX_MEDIA_HTTP_HEAD
            || state->lines > NGX_MEDIA_HTTP_LINES)
        {
            *error = "the head of the answer is too large";
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (line.pos != line.last || state->stage == NGX_MEDIA_HTTP_STATUS) {

            if (ngx_media_http_head_line(state, buf, &line) != NGX_OK) {
                *error = "the answer is no HTTP/1.1";
                return NGX_ERROR;
            }

            continue;
        }

        if (state->head.status >= 200) {
            return NGX_OK;
        }

        if (state->head.status == 101) {
            *error = "the answer is in another protocol";
            return NGX_ERROR;
        }

        /* RFC 9110, 15.2: there may be some before the answer */

        state->stage = NGX_MEDIA_HTTP_STATUS;
    }
}


static ngx_int_t
ngx_media_http_head_line(ngx_media_http_state_t *state, const u_char *buf,
    const ngx_media_span_t *line)
{
    const u_char      *colon;
    ngx_media_span_t   name, value;

    if (state->stage == NGX_MEDIA_HTTP_STATUS) {
        state->stage = NGX_MEDIA_HTTP_FIELD;
        return ngx_media_http_status(&state->head, line);
    }

    colon = memchr(line->pos, ':', ngx_media_span_len(line));

    /* RFC 9112, 5.1, 5.2: no space before it, no folding */

    if (colon == NULL || colon == line->pos
        || *line->pos == ' ' || *line->pos == '\t'
        || colon[-1] == ' ' || colon[-1] == '\t')
    {
        return NGX_ERROR;
    }

    name.pos = line->pos;
    name.last = colon;
    value.pos = colon + 1;
    value.last = line->last;

    ngx_media_http_trim(&value);

    return ngx_media_http_field(&state->head, buf, &name, &value);
}


/* how the body comes, RFC 9112, 6.3 */

static ngx_int_t
ngx_media_http_head_end(ngx_media_http_state_t *state, ngx_uint_t head,
    const char **error)
{
    ngx_media_http_head_t  *h;

    h = &state->head;

    state->body = state->pos;
    state->end = state->pos;
    state->stage = NGX_MEDIA_HTTP_BODY;

    if (head || h->status == 204 || h->status == 304) {
        h->length = 0;
        return NGX_OK;
    }

    /* a length beside chunks is how answers are smuggled */

    if (h->coded || (h->chunked && h->length != -1)) {
        *error = "the answer is in a coding that was not asked for";
        return NGX_ERROR;
    }

    if (h->chunked) {
        state->stage = NGX_MEDIA_HTTP_CHUNK;
    }

    return NGX_OK;
}


/* "HTTP/1.1 200 OK" */

static ngx_int_t
ngx_media_http_status(ngx_media_http_head_t *head,
    const ngx_media_span_t *line)
{
    size_t         len;
    ngx_uint_t     i;
    const u_char  *p;

    ngx_memzero(head, sizeof(ngx_media_http_head_t));

    head->length = -1;
    head->max_age = -1;

    p = line->pos;
    len = ngx_media_span_len(line);

    if (len < 12 || ngx_memcmp(p, "HTTP/1.", 7) != 0
        || (p[7] != '0' && p[7] != '1') || p[8] != ' ')
    {
        return NGX_ERROR;
    }

    head->version = p[7] - '0';

    for (i = 9; i < 12; i++) {

        if (p[i] < '0' || p[i] > '9') {
            return NGX_ERROR;
        }

        head->status = head->status * 10 + (p[i] - '0');
    }

    /* it ends there, or goes on with a phrase */

    if (len > 12 && p[12] != ' ') {
        return NGX_ERROR;
    }

    return head->status >= 100 && head->status <= 599 ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_media_http_field(ngx_media_http_head_t *head, const u_char *buf,
    const ngx_media_span_t *name, ngx_media_span_t *value)
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

        ngx_media_http_range(&head->type, buf, value);

    } else if (ngx_media_http_is(name, "location")) {
        ngx_media_http_range(&head->location, buf, value);

    } else if (ngx_media_http_is(name, "cache-control")) {
        ngx_media_http_cache(head, value);

    } else if (ngx_media_http_is(name, "connection")) {
        head->close |= ngx_media_http_lists(value, "close");
        head->keep |= ngx_media_http_lists(value, "keep-alive");
    }

    return NGX_OK;
}


static void
ngx_media_http_range(ngx_media_http_range_t *range, const u_char *buf,
    const ngx_media_span_t *value)
{
    range->pos = value->pos - buf;
    range->len = ngx_media_span_len(value);
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
            head->max_age = 0;
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

        if (digits && head->max_age != 0) {
            head->max_age = age;
        }
    }
}


static ngx_int_t
ngx_media_http_body(ngx_media_http_state_t *state, size_t len,
    ngx_uint_t end)
{
    size_t   size;
    int64_t  length;

    length = state->head.length;
    size = len - state->body;

    if (length != -1 && (uint64_t) length < size) {
        size = length;
    }

    state->end = state->body + size;
    ngx_media_http_pass(state, state->end - state->pos);

    /* without a length it ends with the connection */

    if (length == -1) {
        return end ? NGX_OK : NGX_AGAIN;
    }

    return size == (uint64_t) length ? NGX_OK : NGX_AGAIN;
}


/* RFC 9112, 7.1 */

static ngx_int_t
ngx_media_http_chunks(ngx_media_http_state_t *state, u_char *buf, size_t len)
{
    ngx_int_t  rc;

    do {
        switch (state->stage) {

        case NGX_MEDIA_HTTP_CHUNK:
            rc = ngx_media_http_chunk(state, buf, len);
            break;

        case NGX_MEDIA_HTTP_TRAILER:
            return ngx_media_http_trailers(state, buf, len);

        default:
            rc = ngx_media_http_data(state, buf, len);
        }

    } while (rc == NGX_OK);

    return rc;
}


/* the size of one; the last one has none */

static ngx_int_t
ngx_media_http_chunk(ngx_media_http_state_t *state, const u_char *buf,
    size_t len)
{
    u_char             c;
    size_t             start;
    ngx_int_t          rc;
    ngx_uint_t         digits;
    const u_char      *p;
    ngx_media_span_t   line;

    start = state->pos;
    rc = ngx_media_http_line(state, buf, len, &line);

    if (state->seen - start > NGX_MEDIA_HTTP_SIZE) {
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    state->left = 0;
    digits = 0;

    for (p = line.pos; p < line.last && digits <= 7; p++, digits++) {
        c = *p | 0x20;

        if (*p >= '0' && *p <= '9') {
            state->left = state->left * 16 + (*p - '0');

        } else if (c >= 'a' && c <= 'f') {
            state->left = state->left * 16 + (c - 'a' + 10);

        } else {
            break;
        }
    }

    if (digits == 0 || digits > 7
        || (p < line.last && *p != ';' && *p != ' ' && *p != '\t'))
    {
        return NGX_ERROR;
    }

    state->stage = state->left ? NGX_MEDIA_HTTP_DATA : NGX_MEDIA_HTTP_TRAILER;

    return NGX_OK;
}


/* moved to what came before of the body, as it comes */

static ngx_int_t
ngx_media_http_data(ngx_media_http_state_t *state, u_char *buf, size_t len)
{
    size_t  n;

    if (state->stage == NGX_MEDIA_HTTP_DATA) {
        n = ngx_min(len - state->pos, state->left);

        ngx_memmove(buf + state->end, buf + state->pos, n);

        state->end += n;
        state->left -= n;
        ngx_media_http_pass(state, n);

        if (state->left) {
            return NGX_AGAIN;
        }

        state->stage = NGX_MEDIA_HTTP_CRLF;
    }

    if (len - state->pos < 2) {

        /* one byte of it would be enough to tell */

        return NGX_AGAIN;
    }

    if (buf[state->pos] != '\r' || buf[state->pos + 1] != '\n') {
        return NGX_ERROR;
    }

    ngx_media_http_pass(state, 2);
    state->stage = NGX_MEDIA_HTTP_CHUNK;

    return NGX_OK;
}


/* which nobody wants, and an empty line */

static ngx_int_t
ngx_media_http_trailers(ngx_media_http_state_t *state, const u_char *buf,
    size_t len)
{
    ngx_media_span_t  line;

    do {
        if (ngx_media_http_line(state, buf, len, &line) != NGX_OK) {
            return NGX_AGAIN;
        }
    } while (line.pos != line.last);

    return NGX_OK;
}


/* n bytes which are no line have been read */

static void
ngx_media_http_pass(ngx_media_http_state_t *state, size_t n)
{
    state->pos += n;
    state->seen = state->pos;
}


/* the next one, which has been read then; NGX_AGAIN: it has no end yet */

static ngx_int_t
ngx_media_http_line(ngx_media_http_state_t *state, const u_char *buf,
    size_t len, ngx_media_span_t *line)
{
    const u_char  *lf;

    lf = memchr(buf + state->seen, '\n', len - state->seen);

    if (lf == NULL) {
        state->seen = len;
        return NGX_AGAIN;
    }

    line->pos = buf + state->pos;
    line->last = (lf > line->pos && lf[-1] == '\r') ? lf - 1 : lf;

    state->pos = lf + 1 - buf;
    state->seen = state->pos;

    return NGX_OK;
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
