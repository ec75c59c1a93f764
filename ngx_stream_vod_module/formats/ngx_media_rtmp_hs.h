
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The digest handshake of Flash Player 9 and later ("RTMP 1.0", 5.2, has the
 * plain one only), without the HMAC: where a C1 or S1 keeps its digest, and
 * what is signed with which key.
 *
 *     digest(C1) = HMAC-SHA256(client key 30 bytes, C1 without its digest)
 *     digest(S1) = HMAC-SHA256(server key 36 bytes, S1 without its digest)
 *     key(S2)    = HMAC-SHA256(server key 68 bytes, digest(C1))
 *     S2         = 1504 random bytes, HMAC-SHA256(key(S2), these 1504)
 *
 * A C1 asks for it by a non-zero version in bytes 4 to 7, and carries its
 * digest in one of two places: try scheme 0, then 1; neither: the plain
 * handshake.
 */


#ifndef _NGX_MEDIA_RTMP_HS_H_INCLUDED_
#define _NGX_MEDIA_RTMP_HS_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_RTMP_HS_VERSION     3       /* C0 and S0 */
#define NGX_MEDIA_RTMP_HS_SIZE        1536    /* C1, C2, S1, S2 */
#define NGX_MEDIA_RTMP_HS_DIGEST      32
#define NGX_MEDIA_RTMP_HS_SCHEMES     2

#define NGX_MEDIA_RTMP_HS_CLIENT_KEY  30      /* of 62 */
#define NGX_MEDIA_RTMP_HS_SERVER_KEY  36      /* of 68 */
#define NGX_MEDIA_RTMP_HS_SERVER_LONG 68


/* "Genuine Adobe ...", 32 bytes that follow it, and a zero that is not of it */
extern const u_char  ngx_media_rtmp_hs_client_key[63];
extern const u_char  ngx_media_rtmp_hs_server_key[69];


/* bytes 4 to 7 of a C1 of NGX_MEDIA_RTMP_HS_SIZE bytes are not zero */
ngx_uint_t ngx_media_rtmp_hs_versioned(const u_char *p);

/*
 * The digest's offset in a C1 or S1 of NGX_MEDIA_RTMP_HS_SIZE bytes; the
 * whole digest is inside for any input.  For an S1 to be made, fill it with
 * random bytes first: the offset follows from them.
 */
size_t ngx_media_rtmp_hs_offset(const u_char *p, ngx_uint_t scheme);

/* the two ranges around the digest, to be signed one after the other */
void ngx_media_rtmp_hs_signed(const u_char *p, size_t offset,
    ngx_media_span_t ranges[2]);

/* time and version of an S1, and zeros: bytes 0 to 7 */
void ngx_media_rtmp_hs_prologue(u_char *p, uint32_t time, uint32_t version);


#endif /* _NGX_MEDIA_RTMP_HS_H_INCLUDED_ */
