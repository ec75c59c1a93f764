
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * SipHash-2-4, 64 bit: Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF".  Of several pieces, as if they were one; who has pieces of any length
 * says their lengths, too.
 */


#ifndef _NGX_MEDIA_SIPHASH_H_INCLUDED_
#define _NGX_MEDIA_SIPHASH_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_SIPHASH_KEY  16


typedef struct {
    uint64_t                  v[4];
    uint64_t                  word;           /* that is being filled */
    uint64_t                  len;            /* of all so far */
} ngx_media_siphash_t;


void ngx_media_siphash_init(ngx_media_siphash_t *hash, const u_char *key);
void ngx_media_siphash_update(ngx_media_siphash_t *hash, const u_char *pos,
    size_t len);
uint64_t ngx_media_siphash_final(ngx_media_siphash_t *hash);


#endif /* _NGX_MEDIA_SIPHASH_H_INCLUDED_ */
