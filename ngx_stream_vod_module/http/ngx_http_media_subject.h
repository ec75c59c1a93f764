
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a request is of: for variables, for what is counted, whoever answers
 * it.  A location with media_live or media_vod is a place; a request that
 * comes into one has a subject from then on, also when it is sent elsewhere
 * (error_page), where there is no media.  The URL is parsed when somebody
 * asks.
 */


#ifndef _NGX_HTTP_MEDIA_SUBJECT_H_INCLUDED_
#define _NGX_HTTP_MEDIA_SUBJECT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_kind.h"
#include "memory/ngx_media_count.h"


/* statuses that are counted; the last two: others of 4xx and 5xx */
#define NGX_HTTP_MEDIA_COUNT_CODES  11

/* bounds of times that requests waited, in all but the last bucket */
#define NGX_HTTP_MEDIA_COUNT_BUCKETS  9

/* why requests are not let in */

typedef enum {
    NGX_HTTP_MEDIA_COUNT_MISSING = 0,         /* they have no token, */
    NGX_HTTP_MEDIA_COUNT_INVALID,             /* or not for this, */
    NGX_HTTP_MEDIA_COUNT_EXPIRED,             /* or no longer */
    NGX_HTTP_MEDIA_COUNT_HOOK,                /* hooks did not say yes */
    NGX_HTTP_MEDIA_COUNT_REASONS
} ngx_http_media_count_reason_e;

/*
 * counters of a group: requests and bytes by kind, errors by code; requests
 * that waited by bucket, and the ms that they did; those that were not let in
 */
#define ngx_http_media_count_requests(kind)  (kind)
#define ngx_http_media_count_bytes(kind)     (NGX_HTTP_MEDIA_COUNT_KINDS      \
                                              + (kind))
#define ngx_http_media_count_errors(code)    (2 * NGX_HTTP_MEDIA_COUNT_KINDS  \
                                              + (code))
#define ngx_http_media_count_waits(bucket)                                    \
    (ngx_http_media_count_errors(NGX_HTTP_MEDIA_COUNT_CODES) + (bucket))
#define NGX_HTTP_MEDIA_COUNT_WAITED                                           \
    ngx_http_media_count_waits(NGX_HTTP_MEDIA_COUNT_BUCKETS)
#define ngx_http_media_count_refused(reason)                                  \
    (NGX_HTTP_MEDIA_COUNT_WAITED + 1 + (reason))
#define NGX_HTTP_MEDIA_COUNT_WIDTH                                            \
    ngx_http_media_count_refused(NGX_HTTP_MEDIA_COUNT_REASONS)


/* a location */

typedef struct {
    ngx_str_t                 app;            /* or the location's prefix */
    ngx_str_t                 prefix;         /* of URIs; empty: "/" */
    ngx_media_count_group_t  *group;
} ngx_http_media_place_t;


/* a request's; in its pool */

typedef struct {
    ngx_http_media_place_t   *place;
    ngx_str_t                 uri;            /* when it was there */
    ngx_int_t                 rc;             /* NGX_AGAIN: not parsed yet */
    ngx_http_media_url_t      url;            /* NGX_OK: what it says */
    ngx_msec_t                wait;           /* ms that it waited for media */
    uint64_t                  media;          /* us of what is watched that all
                                                 of the body is; 0: nothing */
    off_t                     size;           /* of all of that body; 0: as
                                                 its headers say */
    unsigned                  waited:1;
    unsigned                  open:1;         /* the segment in progress is
                                                 what is sent */
    unsigned                  watched:1;      /* somebody wants to know how much
                                                 media is sent */
} ngx_http_media_subject_t;


/* ngx_http_media_subject.c */

/* NULL: it has none, or no memory; parse: rc is NGX_OK or NGX_DECLINED */
ngx_http_media_subject_t *ngx_http_media_subject(ngx_http_request_t *r);
ngx_http_media_subject_t *ngx_http_media_subject_parse(ngx_http_request_t *r);

ngx_uint_t ngx_http_media_subject_kind(
    const ngx_http_media_subject_t *subject);

/*
 * Does somebody want to know how much of media a response is?  If so: what is
 * about to be sent is, in all, so much of media more, in so many bytes;
 * 0: its headers will say.  Of tracks that are watched: video, and audio where
 * there is no video.
 */
ngx_uint_t ngx_http_media_subject_watched(ngx_http_request_t *r);
void ngx_http_media_subject_media(ngx_http_request_t *r, uint64_t duration,
    uint32_t timescale, off_t size);

/* the words, by index of code */
extern const char  *ngx_http_media_count_codes[NGX_HTTP_MEDIA_COUNT_CODES];

extern const char  *ngx_http_media_count_reasons[NGX_HTTP_MEDIA_COUNT_REASONS];

/* a request for media is not let in; others are not counted */
void ngx_http_media_subject_refused(ngx_http_request_t *r, ngx_uint_t reason);

/* of the log phase: counts the request */
ngx_int_t ngx_http_media_subject_count(ngx_http_request_t *r);

/* ngx_http_media_variables.c */
ngx_int_t ngx_http_media_variables_add(ngx_conf_t *cf);


/* ngx_http_media_metric_module.c */

/* the location at hand has media of the application; NULL: of files */
ngx_int_t ngx_http_media_place_add(ngx_conf_t *cf, const ngx_str_t *app);

ngx_http_media_place_t *ngx_http_media_place(ngx_http_request_t *r);

/* NULL: no location has media */
ngx_media_count_t *ngx_http_media_count_conf(ngx_http_request_t *r);

extern ngx_module_t  ngx_http_media_metric_module;


#endif /* _NGX_HTTP_MEDIA_SUBJECT_H_INCLUDED_ */
