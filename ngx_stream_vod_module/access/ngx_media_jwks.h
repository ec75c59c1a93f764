
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Sets of keys by URL, "jwks=https://issuer.example/keys.json".  Each process
 * asks for them as it starts, again as they get old, and when a token names a
 * key that nobody has.  The last good set stays until there is another one.
 */


#ifndef _NGX_MEDIA_JWKS_H_INCLUDED_
#define _NGX_MEDIA_JWKS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_key.h"


/* somebody waits for keys; in his memory, ready is called once */

typedef struct {
    ngx_queue_t               queue;
    void                    (*ready)(void *data);
    void                     *data;
    ngx_msec_t                since;          /* of ngx_media_keys_wait() */
} ngx_media_keys_wait_t;


/* of the configuration: keys get those of the URL, too */
ngx_int_t ngx_media_jwks_add(ngx_conf_t *cf, ngx_media_keys_t *keys,
    const ngx_str_t *id, ngx_str_t *url);

/*
 * After ngx_media_keys_lacks(): are they about to come?  name: of the one that
 * is looked for, empty: none.  again: it has been waited for them already, with
 * the same wait; there are 5 s for all of that.
 *
 * NGX_AGAIN: ready will be called, from the event loop, unless
 * ngx_media_keys_unwait(); NGX_DECLINED: there is no such key; NGX_ERROR:
 * nobody knows, as a set has never been had.
 */
ngx_int_t ngx_media_keys_wait(const ngx_media_keys_t *keys,
    const ngx_str_t *name, ngx_uint_t again, ngx_media_keys_wait_t *wait);
void ngx_media_keys_unwait(ngx_media_keys_wait_t *wait);


extern ngx_module_t  ngx_media_jwks_module;


#endif /* _NGX_MEDIA_JWKS_H_INCLUDED_ */
