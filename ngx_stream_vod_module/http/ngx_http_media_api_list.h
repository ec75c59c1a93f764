
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A page of a list of streams, or of publishers, of all applications: those
 * that are wanted are counted, and of these the first behind a cursor are kept,
 * in memory for one page, however many there are.
 */


#ifndef _NGX_HTTP_MEDIA_API_LIST_H_INCLUDED_
#define _NGX_HTTP_MEDIA_API_LIST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_session.h"
#include "core/ngx_media.h"
#include "core/ngx_media_stat.h"


/* what comes first: by value, then by application, then by name */

typedef struct {
    uint64_t                  value;
    const ngx_str_t          *app;
    ngx_uint_t                viewers;        /* with media_sessions */
    ngx_media_stream_brief_t  brief;
} ngx_http_media_api_item_t;


typedef struct {

    /* set before: which */
    ngx_str_t                 app;            /* data NULL: of all */
    ngx_str_t                 q;              /* in the name, whatever case;
                                                 data NULL: any */
    ngx_uint_t                state;          /* NGX_MEDIA_STREAM_*; 0: any */
    ngx_uint_t                limit;          /* items of the page */
    ngx_str_t                 after;          /* a cursor; data NULL: from the
                                                 first */
    ngx_media_sessions_t     *sessions;       /* of whose viewers are counted;
                                                 NULL: they are not */
    unsigned                  publishers:1;   /* only those that have one */
    unsigned                  watched:1;      /* value wants viewers */

    /* what a stream is listed by, the least first; NULL: its name */
    uint64_t                (*value)(const ngx_http_media_api_item_t *item);

    /* afterwards */
    ngx_uint_t                total;          /* that are wanted */
    ngx_http_media_api_item_t
                            **items;          /* of the page, in order */
    ngx_uint_t                n;
    ngx_str_t                 cursor;         /* empty: nothing follows */
    unsigned                  more:1;
} ngx_http_media_api_list_t;


/* NGX_OK, NGX_DECLINED: "after" is no cursor, NGX_ERROR */
ngx_int_t ngx_http_media_api_list(ngx_pool_t *pool,
    ngx_http_media_api_list_t *list);


#endif /* _NGX_HTTP_MEDIA_API_LIST_H_INCLUDED_ */
