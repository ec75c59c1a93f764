
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "http/ngx_http_media_kind.h"


/* digits of a track's number: each change of codec takes a new one */
#define NGX_HTTP_MEDIA_TRACK_DIGITS  7

#define NGX_HTTP_MEDIA_INIT_DIGITS   16
#define NGX_HTTP_MEDIA_TAG_DIGITS    8

#define NGX_HTTP_MEDIA_NUMBER_MAX    0x7fffffffffffffffull


static ngx_int_t ngx_http_media_url_try(const ngx_http_media_kind_t *kind,
    ngx_http_media_word_t rest, ngx_http_media_word_t stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_begins(ngx_http_media_word_t *word,
    const char *text, size_t len);
static ngx_int_t ngx_http_media_url_name_track(ngx_http_media_word_t *word,
    const char *types, ngx_str_t *track);
static ngx_int_t ngx_http_media_url_width(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_number(ngx_http_media_word_t *word,
    uint64_t max, uint64_t *value);
static ngx_int_t ngx_http_media_url_hex(ngx_http_media_word_t *word,
    size_t digits, uint64_t *value);
static ngx_int_t ngx_http_media_url_name(ngx_http_media_word_t *word,
    ngx_str_t *name);


/* the last component of the word, which loses it and its slash */

static ngx_http_media_word_t
ngx_http_media_url_cut(ngx_http_media_word_t *word)
{
    const u_char           *p;
    ngx_http_media_word_t   cut;

    for (p = word->last; p > word->pos; p--) {
        if (p[-1] == '/') {
            break;
        }
    }

    cut.pos = p;
    cut.last = word->last;

    word->last = (p > word->pos) ? p - 1 : p;

    return cut;
}


ngx_int_t
ngx_http_media_url_parse(const ngx_http_media_kind_t *kinds,
    const u_char *pos, const u_char *last, ngx_http_media_url_t *url)
{
    size_t                        len;
    ngx_http_media_word_t         rest, stem;
    const ngx_http_media_kind_t  *kind;

    rest.pos = pos;
    rest.last = last;

    stem = ngx_http_media_url_cut(&rest);

    last = stem.last;

    for (kind = kinds; kind->suffix.len; kind++) {
        len = kind->suffix.len;

        if ((size_t) (last - stem.pos) < len
            || ngx_memcmp(last - len, kind->suffix.data, len) != 0)
        {
            continue;
        }

        stem.last = last - len;

        if (ngx_http_media_url_try(kind, rest, stem, url) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_media_url_try(const ngx_http_media_kind_t *kind,
    ngx_http_media_word_t rest, ngx_http_media_word_t stem,
    ngx_http_media_url_t *url)
{
    ngx_http_media_word_t  folder;

    ngx_memzero(url, sizeof(ngx_http_media_url_t));

    url->kind = kind;

    if (kind->stem == NULL) {

        if (stem.pos == stem.last) {
            return NGX_DECLINED;
        }

        rest.last = stem.last;

    } else if (kind->stem(&stem, url) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (kind->folder) {
        folder = ngx_http_media_url_cut(&rest);

        if (kind->folder(&folder, url) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    return ngx_http_media_url_name(&rest, &url->name);
}


ngx_int_t
ngx_http_media_url_all(ngx_http_media_word_t *word, ngx_http_media_url_t *url)
{
    return (word->pos == word->last) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_media_url_track(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    url->folder.data = (u_char *) word->pos;
    url->folder.len = word->last - word->pos;

    return ngx_http_media_url_name_track(word, url->kind->tracks,
                                         &url->track);
}


ngx_int_t
ngx_http_media_url_pair(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    const u_char           *p;
    ngx_http_media_word_t   first, second;

    for (p = word->pos; p < word->last; p++) {

        if (*p != '-') {
            continue;
        }

        url->folder.data = (u_char *) word->pos;
        url->folder.len = word->last - word->pos;

        first.pos = word->pos;
        first.last = p;
        second.pos = p + 1;
        second.last = word->last;

        if (ngx_http_media_url_name_track(&first, "v", &url->track)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        return ngx_http_media_url_name_track(&second, "a", &url->second);
    }

    return ngx_http_media_url_track(word, url);
}


ngx_int_t
ngx_http_media_url_thumb(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    uint64_t               value;
    const u_char          *p;
    ngx_http_media_word_t  number, width;

    if (ngx_http_media_url_begins(word, "thumb-", 6) != NGX_OK) {
        return NGX_DECLINED;
    }

    number = *word;

    for (p = number.pos; p < word->last; p++) {

        if (*p != '-') {
            continue;
        }

        number.last = p;

        width.pos = p + 1;
        width.last = word->last;

        if (ngx_http_media_url_width(&width, url) != NGX_OK) {
            return NGX_DECLINED;
        }

        break;
    }

    if (ngx_http_media_url_number(&number, NGX_HTTP_MEDIA_NUMBER_MAX, &value)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    url->time = value;

    return NGX_OK;
}


ngx_int_t
ngx_http_media_url_newest(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    if (ngx_http_media_url_begins(word, "thumb", 5) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (word->pos == word->last) {
        return NGX_OK;
    }

    if (ngx_http_media_url_begins(word, "-", 1) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_media_url_width(word, url);
}


/* "w<width>" */

static ngx_int_t
ngx_http_media_url_width(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    uint64_t  value;

    if (ngx_http_media_url_begins(word, "w", 1) != NGX_OK
        || ngx_http_media_url_number(word, NGX_MAX_UINT32_VALUE, &value)
           != NGX_OK
        || value == 0)
    {
        return NGX_DECLINED;
    }

    url->width = value;

    return NGX_OK;
}


ngx_int_t
ngx_http_media_url_init(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    if (ngx_http_media_url_begins(word, "init-", 5) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_media_url_hex(word, NGX_HTTP_MEDIA_INIT_DIGITS,
                                  &url->init);
}


ngx_int_t
ngx_http_media_url_run(ngx_http_media_word_t *word, ngx_http_media_url_t *url)
{
    uint64_t  value;

    if (ngx_http_media_url_begins(word, "t", 1) != NGX_OK
        || ngx_http_media_url_number(word, NGX_HTTP_MEDIA_NUMBER_MAX, &value)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    url->time = value;

    return NGX_OK;
}


ngx_int_t
ngx_http_media_url_part(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    uint64_t               value;
    const u_char          *p;
    ngx_http_media_word_t  number, part;

    for (p = word->pos; p < word->last; p++) {
        if (*p == '.') {
            break;
        }
    }

    if (p == word->last) {
        return NGX_DECLINED;
    }

    number.pos = word->pos;
    number.last = p;
    part.pos = p + 1;
    part.last = word->last;

    if (ngx_http_media_url_number(&part, NGX_MAX_UINT32_VALUE, &value)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    url->part = value;

    return ngx_http_media_url_number(&number, NGX_HTTP_MEDIA_NUMBER_MAX,
                                     &url->number);
}


ngx_int_t
ngx_http_media_url_segment(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    uint64_t               tag;
    ngx_http_media_word_t  number;

    number = *word;

    if (word->last - word->pos > NGX_HTTP_MEDIA_TAG_DIGITS
        && word->pos[NGX_HTTP_MEDIA_TAG_DIGITS] == '-')
    {
        number.last = word->pos + NGX_HTTP_MEDIA_TAG_DIGITS;

        if (ngx_http_media_url_hex(&number, NGX_HTTP_MEDIA_TAG_DIGITS, &tag)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        url->tag = tag;
        url->tagged = 1;

        number.pos = number.last + 1;
        number.last = word->last;
    }

    return ngx_http_media_url_number(&number, NGX_HTTP_MEDIA_NUMBER_MAX,
                                     &url->number);
}


/* the word loses it */

static ngx_int_t
ngx_http_media_url_begins(ngx_http_media_word_t *word, const char *text,
    size_t len)
{
    if ((size_t) (word->last - word->pos) < len
        || ngx_memcmp(word->pos, text, len) != 0)
    {
        return NGX_DECLINED;
    }

    word->pos += len;

    return NGX_OK;
}


/* one of the type letters and a number from 1 */

static ngx_int_t
ngx_http_media_url_name_track(ngx_http_media_word_t *word, const char *types,
    ngx_str_t *track)
{
    uint64_t               value;
    ngx_http_media_word_t  number;

    if (word->pos == word->last) {
        return NGX_DECLINED;
    }

    while (*types && (u_char) *types != *word->pos) {
        types++;
    }

    if (*types == '\0') {
        return NGX_DECLINED;
    }

    number.pos = word->pos + 1;
    number.last = word->last;

    if (number.last - number.pos > NGX_HTTP_MEDIA_TRACK_DIGITS
        || ngx_http_media_url_number(&number, NGX_MAX_UINT32_VALUE, &value)
           != NGX_OK
        || value == 0)
    {
        return NGX_DECLINED;
    }

    track->data = (u_char *) word->pos;
    track->len = word->last - word->pos;

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_url_number(ngx_http_media_word_t *word, uint64_t max,
    uint64_t *value)
{
    uint64_t       n, digit;
    const u_char  *p;

    if (word->pos == word->last) {
        return NGX_DECLINED;
    }

    if (*word->pos == '0' && word->last - word->pos > 1) {
        return NGX_DECLINED;
    }

    n = 0;

    for (p = word->pos; p < word->last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_DECLINED;
        }

        digit = *p - '0';

        if (n > (max - digit) / 10) {
            return NGX_DECLINED;
        }

        n = n * 10 + digit;
    }

    *value = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_url_hex(ngx_http_media_word_t *word, size_t digits,
    uint64_t *value)
{
    uint64_t       n;
    const u_char  *p;

    if ((size_t) (word->last - word->pos) != digits) {
        return NGX_DECLINED;
    }

    n = 0;

    for (p = word->pos; p < word->last; p++) {

        if (*p >= '0' && *p <= '9') {
            n = n << 4 | (uint64_t) (*p - '0');

        } else if (*p >= 'a' && *p <= 'f') {
            n = n << 4 | (uint64_t) (*p - 'a' + 10);

        } else {
            return NGX_DECLINED;
        }
    }

    *value = n;

    return NGX_OK;
}


/* a stream's name: no empty components, no control characters */

static ngx_int_t
ngx_http_media_url_name(ngx_http_media_word_t *word, ngx_str_t *name)
{
    const u_char  *p;

    if (word->pos == word->last
        || word->last - word->pos > NGX_HTTP_MEDIA_URL_NAME_MAX
        || word->last[-1] == '/')
    {
        return NGX_DECLINED;
    }

    for (p = word->pos; p < word->last; p++) {

        if (*p < 0x20 || *p == 0x7f) {
            return NGX_DECLINED;
        }

        if (*p == '/' && (p == word->pos || p[-1] == '/')) {
            return NGX_DECLINED;
        }
    }

    name->data = (u_char *) word->pos;
    name->len = word->last - word->pos;

    return NGX_OK;
}
