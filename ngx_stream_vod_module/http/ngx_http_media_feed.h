
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Bodies that are made piece by piece as the client takes them, in one buffer
 * of bounded size, in a thread if making them blocks.  The length is known
 * before the first byte, and bytes that a range leaves out are not made.
 */


#ifndef _NGX_HTTP_MEDIA_FEED_H_INCLUDED_
#define _NGX_HTTP_MEDIA_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "packager/ngx_media_pull.h"


/* what a client that stops reading holds, at most: whole packets of TS */
#define NGX_HTTP_MEDIA_FEED_BUFFER  (174 * 188)


typedef struct ngx_http_media_feed_s  ngx_http_media_feed_t;


/* of a body; data are its owner's */

typedef struct {
    /*
     * Makes what must be known before the header, feed->size, if it is not
     * set; may block.  NULL: there is nothing to be done.
     */
    ngx_int_t               (*prepare)(ngx_http_media_feed_t *feed);

    /*
     * The next bytes, until *p == last or the end of the body; may block, but
     * not if feed->nowait: NGX_AGAIN, it has to, and will go on in a thread.
     */
    ngx_int_t               (*fill)(ngx_http_media_feed_t *feed, u_char **p,
                                    u_char *last);

    /*
     * Nothing before this byte is wanted.  Returns the byte that fill() makes
     * first, which is not after it.  Called once, before the first fill().
     */
    uint64_t                (*seek)(ngx_http_media_feed_t *feed,
                                    uint64_t offset);
} ngx_http_media_feed_body_t;


/* in the pool of the request, zeroed */

struct ngx_http_media_feed_s {
    /* set by the owner */
    const ngx_http_media_feed_body_t  *body;
    void                     *data;
    ngx_http_request_t       *request;
    ngx_thread_pool_t        *thread_pool;    /* NULL: nothing blocks */
    uint64_t                  size;           /* of the body; not 0 when
                                                 prepared */
    ngx_uint_t                nowait;         /* for fill() */

    /* set by prepare() and fill() with NGX_ERROR, for the log */
    ngx_media_pull_fault_t    fault;
    ngx_str_t                 name;           /* of the file */

    /* its own */
    ngx_thread_task_t        *task;
    u_char                   *start;          /* of the buffer */
    size_t                    room;           /* of it */
    ngx_buf_t                *buf;            /* what was made */
    uint64_t                  skip;           /* bytes that nobody wants, up
                                                 to the buffer */
    uint64_t                  begin;          /* of what is wanted */
    uint64_t                  end;
    uint64_t                  done;           /* bytes of the body made */
    ngx_int_t                 rc;             /* of the work */
    unsigned                  prepared:1;
    unsigned                  filling:1;      /* the work fills the buffer */
    unsigned                  working:1;      /* in a thread */
    unsigned                  header:1;       /* sent */
    unsigned                  fresh:1;        /* buf is not passed on yet */
    unsigned                  blocked:1;      /* until the client takes it */
};


/* what a content handler returns */
ngx_int_t ngx_http_media_feed(ngx_http_media_feed_t *feed);


#endif /* _NGX_HTTP_MEDIA_FEED_H_INCLUDED_ */
