
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "http/ngx_http_media_url.h"


/* digits of a track's number */
#define NGX_HTTP_MEDIA_TRACK_DIGITS  4

#define NGX_HTTP_MEDIA_INIT_DIGITS   16

#define NGX_HTTP_MEDIA_NUMBER_MAX    0x7fffffffffffffffull


typedef struct {
    const u_char             *pos;
    const u_char             *last;
} ngx_http_media_word_t;


/* last components by their ends */

typedef struct {
    ngx_str_t                 suffix;
    ngx_int_t               (*parse)(ngx_http_media_word_t *stem,
                                ngx_http_media_url_t *url);
} ngx_http_media_suffix_t;


static ngx_int_t ngx_http_media_url_m3u8(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_mpd(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_mp4(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_m4s(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_txt(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_is(ngx_http_media_word_t *word,
    const char *text, size_t len);
static ngx_int_t ngx_http_media_url_track(ngx_http_media_word_t *word,
    ngx_str_t *track);
static ngx_int_t ngx_http_media_url_number(ngx_http_media_word_t *word,
    uint64_t max, uint64_t *value);
static ngx_int_t ngx_http_media_url_hex(ngx_http_media_word_t *word,
    uint64_t *value);
static ngx_int_t ngx_http_media_url_name(ngx_http_media_word_t *word,
    ngx_str_t *name);


static const ngx_http_media_suffix_t  ngx_http_media_suffixes[] = {

    { ngx_string(".m4s"), ngx_http_media_url_m4s },
    { ngx_string(".m3u8"), ngx_http_media_url_m3u8 },
    { ngx_string(".mp4"), ngx_http_media_url_mp4 },
    { ngx_string(".mpd"), ngx_http_media_url_mpd },
    { ngx_string(".txt"), ngx_http_media_url_txt },

    { ngx_null_string, NULL }
};


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
ngx_http_media_url_parse(const u_char *pos, const u_char *last,
    ngx_http_media_url_t *url)
{
    size_t                          len;
    ngx_http_media_word_t           rest, stem, track;
    const ngx_http_media_suffix_t  *s;

    ngx_memzero(url, sizeof(ngx_http_media_url_t));

    rest.pos = pos;
    rest.last = last;

    stem = ngx_http_media_url_cut(&rest);

    for (s = ngx_http_media_suffixes; s->parse; s++) {
        len = s->suffix.len;

        if ((size_t) (stem.last - stem.pos) > len
            && ngx_memcmp(stem.last - len, s->suffix.data, len) == 0)
        {
            break;
        }
    }

    if (s->parse == NULL) {
        return NGX_DECLINED;
    }

    stem.last -= s->suffix.len;

    if (s->parse(&stem, url) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (url->kind >= NGX_HTTP_MEDIA_INIT) {
        track = ngx_http_media_url_cut(&rest);

        if (ngx_http_media_url_track(&track, &url->track) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    return ngx_http_media_url_name(&rest, &url->name);
}


static ngx_int_t
ngx_http_media_url_m3u8(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url)
{
    if (ngx_http_media_url_is(stem, "index", 5) == NGX_OK) {
        url->kind = NGX_HTTP_MEDIA_MULTI;
        return NGX_OK;
    }

    url->kind = NGX_HTTP_MEDIA_PLAYLIST;

    if (stem->last - stem->pos > 8
        && ngx_memcmp(stem->last - 8, ".iframes", 8) == 0
        && *stem->pos == 'v')
    {
        stem->last -= 8;
        url->kind = NGX_HTTP_MEDIA_IFRAMES;
    }

    return ngx_http_media_url_track(stem, &url->track);
}


static ngx_int_t
ngx_http_media_url_mpd(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_MPD;

    return ngx_http_media_url_is(stem, "manifest", 8);
}


static ngx_int_t
ngx_http_media_url_txt(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_TIME;

    return ngx_http_media_url_is(stem, "time", 4);
}


static ngx_int_t
ngx_http_media_url_mp4(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    ngx_http_media_word_t  word;

    url->kind = NGX_HTTP_MEDIA_INIT;

    if (stem->last - stem->pos < 5) {
        return NGX_DECLINED;
    }

    word.pos = stem->pos;
    word.last = stem->pos + 5;

    if (ngx_http_media_url_is(&word, "init-", 5) != NGX_OK) {
        return NGX_DECLINED;
    }

    word.pos = word.last;
    word.last = stem->last;

    return ngx_http_media_url_hex(&word, &url->init);
}


/* <n>.m4s, <n>.<p>.m4s, t<time>.m4s */

static ngx_int_t
ngx_http_media_url_m4s(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    uint64_t               value;
    const u_char          *p;
    ngx_http_media_word_t  number, part;

    number = *stem;

    if (number.pos < number.last && *number.pos == 't') {
        number.pos++;

        if (ngx_http_media_url_number(&number, NGX_HTTP_MEDIA_NUMBER_MAX,
                                      &value)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        url->kind = NGX_HTTP_MEDIA_RUN;
        url->time = value;

        return NGX_OK;
    }

    url->kind = NGX_HTTP_MEDIA_SEGMENT;

    for (p = stem->pos; p < stem->last; p++) {

        if (*p != '.') {
            continue;
        }

        part.pos = p + 1;
        part.last = stem->last;

        if (ngx_http_media_url_number(&part, NGX_MAX_UINT32_VALUE, &value)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        url->kind = NGX_HTTP_MEDIA_PART;
        url->part = value;

        number.last = p;
        break;
    }

    return ngx_http_media_url_number(&number, NGX_HTTP_MEDIA_NUMBER_MAX,
                                     &url->number);
}


static ngx_int_t
ngx_http_media_url_is(ngx_http_media_word_t *word, const char *text,
    size_t len)
{
    if ((size_t) (word->last - word->pos) != len
        || ngx_memcmp(word->pos, text, len) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a type letter and a number from 1 */

static ngx_int_t
ngx_http_media_url_track(ngx_http_media_word_t *word, ngx_str_t *track)
{
    uint64_t               value;
    ngx_http_media_word_t  number;

    if (word->pos == word->last
        || (*word->pos != 'v' && *word->pos != 'a' && *word->pos != 't'))
    {
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
ngx_http_media_url_hex(ngx_http_media_word_t *word, uint64_t *value)
{
    uint64_t       n;
    const u_char  *p;

    if (word->last - word->pos != NGX_HTTP_MEDIA_INIT_DIGITS) {
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
        || word->last - word->pos > NGX_MEDIA_NAME_MAX
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
