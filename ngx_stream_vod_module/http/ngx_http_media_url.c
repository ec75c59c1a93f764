
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "http/ngx_http_media_url.h"


/* digits of a track's number: each change of codec takes a new one */
#define NGX_HTTP_MEDIA_TRACK_DIGITS  7

#define NGX_HTTP_MEDIA_INIT_DIGITS   16
#define NGX_HTTP_MEDIA_TAG_DIGITS    8

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
static ngx_int_t ngx_http_media_url_iframes(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_ts_m3u8(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_ts_iframes(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_flv(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_mpd(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_mp4(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_m4s(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_ts(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_vtt(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_ts_vtt(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_jpg(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_txt(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_folder(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_pair(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_segment(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
static ngx_int_t ngx_http_media_url_is(ngx_http_media_word_t *word,
    const char *text, size_t len);
static ngx_int_t ngx_http_media_url_track(ngx_http_media_word_t *word,
    const char *types, ngx_str_t *track);
static ngx_int_t ngx_http_media_url_number(ngx_http_media_word_t *word,
    uint64_t max, uint64_t *value);
static ngx_int_t ngx_http_media_url_hex(ngx_http_media_word_t *word,
    size_t digits, uint64_t *value);
static ngx_int_t ngx_http_media_url_name(ngx_http_media_word_t *word,
    ngx_str_t *name);


static const ngx_http_media_suffix_t  ngx_http_media_suffixes[] = {

    { ngx_string(".m4s"), ngx_http_media_url_m4s },
    { ngx_string(".ts"), ngx_http_media_url_ts },
    { ngx_string(".ts.iframes.m3u8"), ngx_http_media_url_ts_iframes },
    { ngx_string(".iframes.m3u8"), ngx_http_media_url_iframes },
    { ngx_string(".ts.m3u8"), ngx_http_media_url_ts_m3u8 },
    { ngx_string(".m3u8"), ngx_http_media_url_m3u8 },
    { ngx_string(".flv"), ngx_http_media_url_flv },
    { ngx_string(".mp4"), ngx_http_media_url_mp4 },
    { ngx_string(".mpd"), ngx_http_media_url_mpd },
    { ngx_string(".ts.vtt"), ngx_http_media_url_ts_vtt },
    { ngx_string(".vtt"), ngx_http_media_url_vtt },
    { ngx_string(".jpg"), ngx_http_media_url_jpg },
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

    if (url->kind == NGX_HTTP_MEDIA_FLV) {

        /* all of it is the name */

        rest.last = stem.last;
    }

    if (url->kind >= NGX_HTTP_MEDIA_INIT) {
        track = ngx_http_media_url_cut(&rest);

        if (ngx_http_media_url_folder(&track, url) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    return ngx_http_media_url_name(&rest, &url->name);
}


/* which folders hold what */

static ngx_int_t
ngx_http_media_url_folder(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    const char  *types;

    switch (url->kind) {

    case NGX_HTTP_MEDIA_TS_SEGMENT:

        if (word->pos < word->last && *word->pos == 'k') {
            url->kind = NGX_HTTP_MEDIA_TS_KEY;
            types = "k";
            break;
        }

        return ngx_http_media_url_pair(word, url);

    case NGX_HTTP_MEDIA_SEGMENT:

        if (word->pos < word->last && *word->pos == 'k') {
            url->kind = NGX_HTTP_MEDIA_KEY;
            types = "k";
            break;
        }

        types = "vat";
        break;

    case NGX_HTTP_MEDIA_VTT:
    case NGX_HTTP_MEDIA_TS_VTT:
        types = "t";
        break;

    case NGX_HTTP_MEDIA_SHEET:
        types = "i";
        break;

    default:
        types = "vat";
    }

    url->folder.data = (u_char *) word->pos;
    url->folder.len = word->last - word->pos;

    return ngx_http_media_url_track(word, types, &url->track);
}


/* what is in a transport stream: "v1-a1", "v1", "a1" */

static ngx_int_t
ngx_http_media_url_pair(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    const u_char           *p;
    ngx_http_media_word_t   first, second;

    url->folder.data = (u_char *) word->pos;
    url->folder.len = word->last - word->pos;

    for (p = word->pos; p < word->last; p++) {

        if (*p != '-') {
            continue;
        }

        first.pos = word->pos;
        first.last = p;
        second.pos = p + 1;
        second.last = word->last;

        if (ngx_http_media_url_track(&first, "v", &url->track) != NGX_OK) {
            return NGX_DECLINED;
        }

        return ngx_http_media_url_track(&second, "a", &url->second);
    }

    return ngx_http_media_url_track(word, "va", &url->track);
}


static ngx_int_t
ngx_http_media_url_m3u8(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url)
{
    if (ngx_http_media_url_is(stem, "index", 5) == NGX_OK) {
        url->kind = NGX_HTTP_MEDIA_MULTI;
        return NGX_OK;
    }

    if (ngx_http_media_url_is(stem, "ts", 2) == NGX_OK) {
        url->kind = NGX_HTTP_MEDIA_TS_MULTI;
        return NGX_OK;
    }

    url->kind = NGX_HTTP_MEDIA_PLAYLIST;

    return ngx_http_media_url_track(stem, "vat", &url->track);
}


static ngx_int_t
ngx_http_media_url_iframes(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_IFRAMES;

    return ngx_http_media_url_track(stem, "v", &url->track);
}


static ngx_int_t
ngx_http_media_url_ts_m3u8(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_TS_PLAYLIST;

    /* text beside them */

    if (stem->pos < stem->last && *stem->pos == 't') {
        url->folder.data = (u_char *) stem->pos;
        url->folder.len = stem->last - stem->pos;

        return ngx_http_media_url_track(stem, "t", &url->track);
    }

    return ngx_http_media_url_pair(stem, url);
}


static ngx_int_t
ngx_http_media_url_ts_iframes(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_TS_IFRAMES;

    return ngx_http_media_url_track(stem, "v", &url->track);
}


static ngx_int_t
ngx_http_media_url_flv(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_FLV;

    return NGX_OK;
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
ngx_http_media_url_ts(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_TS_SEGMENT;

    return ngx_http_media_url_segment(stem, url);
}


static ngx_int_t
ngx_http_media_url_vtt(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    if (ngx_http_media_url_is(stem, "thumbs", 6) == NGX_OK) {
        url->kind = NGX_HTTP_MEDIA_THUMBS;
        return NGX_OK;
    }

    url->kind = NGX_HTTP_MEDIA_VTT;

    return ngx_http_media_url_segment(stem, url);
}


/* the same for whom has the times of MPEG-TS */

static ngx_int_t
ngx_http_media_url_ts_vtt(ngx_http_media_word_t *stem,
    ngx_http_media_url_t *url)
{
    url->kind = NGX_HTTP_MEDIA_TS_VTT;

    return ngx_http_media_url_segment(stem, url);
}


/* thumb-<ms>.jpg, thumb-<ms>-w<width>.jpg; sheets are segments */

static ngx_int_t
ngx_http_media_url_jpg(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    uint64_t               value;
    const u_char          *p;
    ngx_http_media_word_t  number;

    if (stem->last - stem->pos < 6
        || ngx_memcmp(stem->pos, "thumb-", 6) != 0)
    {
        url->kind = NGX_HTTP_MEDIA_SHEET;
        return ngx_http_media_url_segment(stem, url);
    }

    url->kind = NGX_HTTP_MEDIA_THUMB;

    number.pos = stem->pos + 6;
    number.last = stem->last;

    for (p = number.pos; p < stem->last; p++) {

        if (*p != '-') {
            continue;
        }

        number.last = p++;

        if (p == stem->last || *p++ != 'w') {
            return NGX_DECLINED;
        }

        stem->pos = p;

        if (ngx_http_media_url_number(stem, NGX_MAX_UINT32_VALUE, &value)
            != NGX_OK
            || value == 0)
        {
            return NGX_DECLINED;
        }

        url->width = value;
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


static ngx_int_t
ngx_http_media_url_mp4(ngx_http_media_word_t *stem, ngx_http_media_url_t *url)
{
    ngx_http_media_word_t  word;

    if (ngx_http_media_url_is(stem, "clip", 4) == NGX_OK) {
        url->kind = NGX_HTTP_MEDIA_CLIP;
        return NGX_OK;
    }

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

    return ngx_http_media_url_hex(&word, NGX_HTTP_MEDIA_INIT_DIGITS,
                                  &url->init);
}


/* <n>.m4s, <tag>-<n>.m4s, <n>.<p>.m4s, t<time>.m4s */

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

    return ngx_http_media_url_segment(&number, url);
}


/* <n>, <tag>-<n> */

static ngx_int_t
ngx_http_media_url_segment(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url)
{
    uint64_t               tag;
    ngx_http_media_word_t  number;

    number = *word;

    if (word->last - word->pos > NGX_HTTP_MEDIA_TAG_DIGITS
        && word->pos[NGX_HTTP_MEDIA_TAG_DIGITS] == '-'
        && url->kind != NGX_HTTP_MEDIA_PART)
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


/* one of the type letters and a number from 1 */

static ngx_int_t
ngx_http_media_url_track(ngx_http_media_word_t *word, const char *types,
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
