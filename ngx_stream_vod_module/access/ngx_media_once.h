
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tokens that are for one publisher: the "jti" of each, in shared memory until
 * it expires, with who was the first to use it, and for what.  He may come back
 * with it, as encoders do when their connection has broken; nobody else may.
 *
 * Where there is no room the answer is no: who could push an entry out could
 * use its token once more.
 */


#ifndef _NGX_MEDIA_ONCE_H_INCLUDED_
#define _NGX_MEDIA_ONCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_media_once_shm_s  ngx_media_once_shm_t;


/* all is borrowed during the call */

typedef struct {
    ngx_str_t                 issuer;         /* whose "jti" it is; empty: he
                                                 has no name */
    ngx_str_t                 jti;
    ngx_str_t                 address;        /* who uses it */
    ngx_str_t                 name;           /* for which stream */
    time_t                    expires;        /* s since the epoch */
} ngx_media_once_t;


/* bytes for n tokens; init: zeroed ones are ready */
size_t ngx_media_once_size(ngx_uint_t n);
void ngx_media_once_init(ngx_media_once_shm_t *sh, ngx_uint_t n);

/*
 * NGX_OK, NGX_DECLINED: somebody else has it, or he for something else,
 * NGX_BUSY: there is no room, *full says how often so far; NGX_ERROR
 */
ngx_int_t ngx_media_once_use(ngx_media_once_shm_t *sh,
    const ngx_media_once_t *once, uint64_t *full);


#endif /* _NGX_MEDIA_ONCE_H_INCLUDED_ */
