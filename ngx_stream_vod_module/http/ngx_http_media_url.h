
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The URL grammar below a location (docs/urls.md), pure and without state: how
 * URLs are read, and the parts that those of kinds are made of.
 *
 * It is read from the right: the last component says what is wanted and how
 * many components belong to it, the rest is the stream's name, which may hold
 * slashes.  Each object has exactly one URL: numbers are decimal without
 * leading zeros, names of init segments are 16 lower-case hexadecimal digits.
 */


#ifndef _NGX_HTTP_MEDIA_URL_H_INCLUDED_
#define _NGX_HTTP_MEDIA_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a name: paths of files may be longer than names of streams */
#define NGX_HTTP_MEDIA_URL_NAME_MAX  4000


typedef struct ngx_http_media_kind_s  ngx_http_media_kind_t;


typedef struct {
    const ngx_http_media_kind_t  *kind;
    ngx_str_t                 name;           /* of the stream */
    ngx_str_t                 track;          /* "v1"; empty where none is */
    ngx_str_t                 second;         /* muxed with it: "a1"; empty */
    ngx_str_t                 folder;         /* both: "v1-a1"; or the one */
    uint64_t                  number;         /* of the segment */
    uint32_t                  part;
    uint32_t                  tag;            /* of a file, <tag>-<n>; */
    unsigned                  tagged:1;       /* it is there */
    uint64_t                  init;
    int64_t                   time;           /* of a run; of a thumbnail, ms */
    uint32_t                  width;          /* of a thumbnail; 0: not said */
} ngx_http_media_url_t;


/* a part of an URL, within a component */

typedef struct {
    const u_char             *pos;
    const u_char             *last;
} ngx_http_media_word_t;


/* reads all of the word into url, of whose kind it is: NGX_OK, NGX_DECLINED */
typedef ngx_int_t (*ngx_http_media_url_pt)(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);


/*
 * The first of the kinds (ngx_http_media_kind.h), up to the one without a
 * suffix, whose URL this is: NGX_OK or NGX_DECLINED.  What is filled in points
 * into the input.
 */
ngx_int_t ngx_http_media_url_parse(const ngx_http_media_kind_t *kinds,
    const u_char *pos, const u_char *last, ngx_http_media_url_t *url);


/* for rows of kinds: before the suffix, and folders */

/* nothing: the suffix is all of it */
ngx_int_t ngx_http_media_url_all(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
/* "v1": a track; "v1-a1", too: of a transport stream */
ngx_int_t ngx_http_media_url_track(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
ngx_int_t ngx_http_media_url_pair(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
/* "<n>" or "<tag>-<n>"; "<n>.<p>"; "t<time>"; "init-<v>" */
ngx_int_t ngx_http_media_url_segment(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
ngx_int_t ngx_http_media_url_part(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
ngx_int_t ngx_http_media_url_run(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
ngx_int_t ngx_http_media_url_init(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
/* "thumb-<ms>", "thumb-<ms>-w<width>"; "thumb", "thumb-w<width>" */
ngx_int_t ngx_http_media_url_thumb(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);
ngx_int_t ngx_http_media_url_newest(ngx_http_media_word_t *word,
    ngx_http_media_url_t *url);


#endif /* _NGX_HTTP_MEDIA_URL_H_INCLUDED_ */
