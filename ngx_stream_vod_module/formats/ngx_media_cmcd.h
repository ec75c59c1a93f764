
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What players say of themselves with their requests: CTA-5004, version 1 and
 * 2, a dictionary of RFC 8941, 3.2:
 *
 *     bl=(2000;v 300;a),ot=v,sf=h,sid="6e2fb550",su
 *
 * A value is a number, a token, a string, a list of these, or nothing, which
 * is "true"; each may have parameters.  Both forms of version 2 are sent by
 * players of both versions, so the version is not looked at.  It is in an
 * argument or in four headers, and any key may be in any of those.
 *
 * All of it is a client's word.  What is not well-formed says nothing at all.
 */


#ifndef _NGX_MEDIA_CMCD_H_INCLUDED_
#define _NGX_MEDIA_CMCD_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_CMCD_MAX   2048             /* bytes, in all */
#define NGX_MEDIA_CMCD_KEYS  64
#define NGX_MEDIA_CMCD_SID   64               /* of a session's id */


/* spans point into what was read; empty: it does not say */

typedef struct {
    size_t                    bytes;          /* read so far */
    ngx_uint_t                keys;

    ngx_media_span_t          sid;            /* of a string: between quotes,
                                                 as it was escaped */
    ngx_media_span_t          sf;             /* streaming format: d, h, s, o */
} ngx_media_cmcd_t;


/*
 * Of an argument: "%XX" and "+" become bytes, once.  buf has room for
 * NGX_MEDIA_CMCD_MAX; NGX_OK, or NGX_ERROR: it is none, or too long.
 */
ngx_int_t ngx_media_cmcd_decode(u_char *buf, size_t *len, const u_char *pos,
    const u_char *last);

/*
 * Reads one more text into what is zeroed at first; of a key that comes twice
 * the last counts.  NGX_OK, or NGX_ERROR: nothing of all texts counts, and
 * cmcd is zeroed.
 */
ngx_int_t ngx_media_cmcd_read(ngx_media_cmcd_t *cmcd, const u_char *pos,
    const u_char *last);


#endif /* _NGX_MEDIA_CMCD_H_INCLUDED_ */
