
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Pictures of live streams that this process keeps: one of a key frame, in a
 * size, is made once, whoever asks for it meanwhile waits.  They are at most
 * NGX_HTTP_MEDIA_PICTURES bytes, but for those that are being sent; those that
 * nobody asked for longest go first.
 */


#ifndef _NGX_HTTP_MEDIA_PICTURE_H_INCLUDED_
#define _NGX_HTTP_MEDIA_PICTURE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_HTTP_MEDIA_PICTURES  (16 * 1024 * 1024)


typedef enum {
    NGX_HTTP_MEDIA_PICTURE_MAKING = 0,
    NGX_HTTP_MEDIA_PICTURE_READY,
    NGX_HTTP_MEDIA_PICTURE_FAILED,            /* it was tried in vain */
    NGX_HTTP_MEDIA_PICTURE_LEFT               /* nobody makes it any more */
} ngx_http_media_picture_state_e;


/* all bytes of it are compared */

typedef struct {
    void                     *owner;          /* the stream's record, */
    uint64_t                  id;             /* and id */
    uint64_t                  number;         /* of the key frame's segment */
    uint64_t                  track;
    uint32_t                  part;
    uint32_t                  width;
} ngx_http_media_picture_key_t;


typedef struct {
    ngx_queue_t               queue;          /* of its bucket */
    ngx_queue_t               lru;
    ngx_queue_t               waiters;
    ngx_http_media_picture_key_t  key;
    ngx_http_media_picture_state_e  state;
    ngx_uint_t                refs;           /* the table's is one */
    time_t                    failed;         /* when */
    u_char                   *data;           /* READY: a JPEG */
    size_t                    len;
} ngx_http_media_picture_t;


/* what a content handler returns; the state is not MAKING */
typedef ngx_int_t (*ngx_http_media_picture_pt)(ngx_http_request_t *r,
    ngx_http_media_picture_t *picture, void *data);


/*
 * The picture of that key; *new: it is to be made by the caller, who says so
 * when it is done, or has failed, or cannot be tried.  It is held until the
 * request is freed.  NULL: no memory.
 */
ngx_http_media_picture_t *ngx_http_media_picture_get(ngx_http_request_t *r,
    const ngx_http_media_picture_key_t *key, ngx_uint_t *new);

/* data: by malloc(), becomes its own */
void ngx_http_media_picture_done(ngx_http_media_picture_t *picture,
    ngx_http_media_picture_state_e state, u_char *data, size_t len);

/* it is MAKING: the handler is called when that has changed; what a content
   handler returns */
ngx_int_t ngx_http_media_picture_wait(ngx_http_request_t *r,
    ngx_http_media_picture_t *picture, ngx_http_media_picture_pt handler,
    void *data);


#endif /* _NGX_HTTP_MEDIA_PICTURE_H_INCLUDED_ */
