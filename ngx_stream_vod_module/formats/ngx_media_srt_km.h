
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Keying material of SRT, draft-sharabayko-srt, 3.2.2: in a block of a
 * handshake, or in a control packet of its own (NGX_MEDIA_SRT_EXT, subtypes
 * NGX_MEDIA_SRT_KMREQ and KMRSP), never reversed.
 *
 *     0x12 | 0x2029 | KK | key encryption key index, 4 bytes of zeros
 *     cipher | authentication | 2 | 0 | 0, 2 bytes | salt / 4 | key / 4
 *     salt, 16 bytes
 *     8 bytes and one key or, even first, two, wrapped by RFC 3394
 */


#ifndef _NGX_MEDIA_SRT_KM_H_INCLUDED_
#define _NGX_MEDIA_SRT_KM_H_INCLUDED_


#include "formats/ngx_media_srt.h"


#define NGX_MEDIA_SRT_KM_SALT  16             /* bytes */
#define NGX_MEDIA_SRT_KM_KEY   32             /* bytes, of a key, at most */
#define NGX_MEDIA_SRT_KM_WRAP  8              /* bytes that wrapping adds */

/* bytes of all, at most */
#define NGX_MEDIA_SRT_KM_SIZE                                                 \
    (16 + NGX_MEDIA_SRT_KM_SALT + NGX_MEDIA_SRT_KM_WRAP                       \
     + 2 * NGX_MEDIA_SRT_KM_KEY)


/* spans are in the message */

typedef struct {
    ngx_uint_t                kk;             /* which keys: _KK_EVEN, _ODD or
                                                 _BOTH of ngx_media_srt.h */
    size_t                    key;            /* bytes of one: 16, 24, 32 */
    ngx_media_span_t          salt;           /* 16 bytes */
    ngx_media_span_t          wrapped;        /* all behind it */
} ngx_media_srt_km_t;


/*
 * NGX_OK; NGX_DECLINED: of another cipher than AES-CTR; NGX_ERROR: malformed,
 * as is the one word of a KMRSP that says why there is no key
 */
ngx_int_t ngx_media_srt_km_parse(ngx_media_srt_km_t *km, const u_char *pos,
    const u_char *last);

/* the size, and at p, unless that is NULL, the message */
size_t ngx_media_srt_km_write(u_char *p, const ngx_media_srt_km_t *km);


#endif /* _NGX_MEDIA_SRT_KM_H_INCLUDED_ */
