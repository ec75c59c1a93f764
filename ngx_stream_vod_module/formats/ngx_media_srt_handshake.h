
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Handshakes of SRT as a listener sees them, draft-sharabayko-srt, 3.2.1, 4.3:
 *
 *     induction (1, version 4)   ->
 *                                <-   induction (version 5, cookie)
 *     conclusion (-1, version 5,
 *     cookie, blocks)            ->
 *                                <-   conclusion with blocks, or a refusal
 *
 * parse() takes the body, which begins behind the header of 16 bytes; what is
 * written is whole datagrams.
 *
 * style: long header, it is one handshake from its induction to its answer.
 */


#ifndef _NGX_MEDIA_SRT_HANDSHAKE_H_INCLUDED_
#define _NGX_MEDIA_SRT_HANDSHAKE_H_INCLUDED_


#include "formats/ngx_media_siphash.h"
#include "formats/ngx_media_srt.h"
#include "formats/ngx_media_srt_km.h"


#define NGX_MEDIA_SRT_WAVEAHAND       0       /* rendezvous */
#define NGX_MEDIA_SRT_INDUCTION       1
#define NGX_MEDIA_SRT_CONCLUSION      0xffffffff

#define NGX_MEDIA_SRT_VERSION         0x00010500   /* that we say we are */
#define NGX_MEDIA_SRT_WINDOW          8192         /* packets, of ours */

/* flags of HSREQ and HSRSP, 3.2.1.1.1 */
#define NGX_MEDIA_SRT_FLAG_TSBPD_SND  0x01
#define NGX_MEDIA_SRT_FLAG_TSBPD_RCV  0x02
#define NGX_MEDIA_SRT_FLAG_CRYPT      0x04
#define NGX_MEDIA_SRT_FLAG_DROP       0x08
#define NGX_MEDIA_SRT_FLAG_NAK        0x10
#define NGX_MEDIA_SRT_FLAG_REXMIT     0x20
#define NGX_MEDIA_SRT_FLAG_STREAM     0x40
#define NGX_MEDIA_SRT_FLAG_FILTER     0x80

#define NGX_MEDIA_SRT_SID_MAX         512     /* bytes of a stream id */

/* whole datagrams: without blocks, and an answer with all of ours */
#define NGX_MEDIA_SRT_HANDSHAKE_SIZE  64
#define NGX_MEDIA_SRT_ACCEPT_SIZE                                             \
    (NGX_MEDIA_SRT_HANDSHAKE_SIZE + 16 + 4 + NGX_MEDIA_SRT_KM_SIZE)


/* types of answers that say no: 1000 and what libsrt calls a reject reason */

typedef enum {
    NGX_MEDIA_SRT_ACCEPTED = 0,
    NGX_MEDIA_SRT_REFUSE_RESOURCE = 1003,     /* no memory, no socket */
    NGX_MEDIA_SRT_REFUSE_MALFORMED = 1004,
    NGX_MEDIA_SRT_REFUSE_VERSION = 1008,
    NGX_MEDIA_SRT_REFUSE_PASSPHRASE = 1010,
    NGX_MEDIA_SRT_REFUSE_CLEAR = 1011,
    NGX_MEDIA_SRT_REFUSE_STREAM = 1012,
    NGX_MEDIA_SRT_REFUSE_FILE = 1013,
    NGX_MEDIA_SRT_REFUSE_FILTER = 1014,
    NGX_MEDIA_SRT_REFUSE_GROUP = 1015,
    NGX_MEDIA_SRT_REFUSE_CIPHER = 1017,
    NGX_MEDIA_SRT_REFUSE_SID = 2400,
    NGX_MEDIA_SRT_REFUSE_UNAUTHORIZED = 2401,
    NGX_MEDIA_SRT_REFUSE_OVERLOAD = 2402,
    NGX_MEDIA_SRT_REFUSE_FORBIDDEN = 2403,
    NGX_MEDIA_SRT_REFUSE_NOT_FOUND = 2404,
    NGX_MEDIA_SRT_REFUSE_CONFLICT = 2409,
    NGX_MEDIA_SRT_REFUSE_NARROW = 2413,       /* our packets are too large */
    NGX_MEDIA_SRT_REFUSE_UNAVAILABLE = 2503
} ngx_media_srt_refuse_e;


typedef struct {
    uint32_t                  version;        /* 4, or 5 */
    ngx_uint_t                encryption;     /* bytes of a key / 8, or 0 */
    ngx_uint_t                field;          /* extension field */
    uint32_t                  isn;            /* 31 bits */
    uint32_t                  mtu;
    uint32_t                  window;         /* packets */
    uint32_t                  type;
    uint32_t                  id;             /* of the peer's socket */
    uint32_t                  cookie;
    u_char                    peer[16];       /* address, as it came */

    /* blocks of a conclusion of version 5 */

    ngx_uint_t                seen;           /* which: 1 << their types */

    uint32_t                  srt;            /* HSREQ: version of SRT, */
    uint32_t                  flags;          /* flags, */
    ngx_msec_t                rcv_latency;    /* the peer's as a receiver, */
    ngx_msec_t                snd_latency;    /* and what it wants of ours */

    ngx_media_span_t          km;             /* KMREQ: in the datagram */

    uint32_t                  group;          /* GROUP: the peer's */
    ngx_uint_t                group_type;
    ngx_uint_t                group_flags;
    ngx_uint_t                group_weight;

    unsigned                  live:1;         /* congestion control: it is
                                                 what live streams have */

    size_t                    sid_len;
    u_char                    sid[NGX_MEDIA_SRT_SID_MAX];   /* SID */
} ngx_media_srt_handshake_t;


typedef struct {
    uint32_t                  id;             /* our socket's */
    ngx_msec_t                latency;        /* ours, negotiated */
    ngx_msec_t                peer_latency;   /* the peer's, the same */
    ngx_media_span_t          km;             /* KMRSP: the bytes of KMREQ;
                                                 pos NULL: none */
} ngx_media_srt_accept_t;


/*
 * NGX_OK; NGX_DECLINED: too short to be one, it has no answer; NGX_ERROR:
 * malformed, but what is before blocks is there, to be refused with 1004
 */
ngx_int_t ngx_media_srt_handshake_parse(ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last);

/* is a conclusion, parsed with NGX_OK, of one whom we understand? */
ngx_media_srt_refuse_e ngx_media_srt_handshake_check(
    const ngx_media_srt_handshake_t *hs);

/* for the log, static */
const char *ngx_media_srt_refuse_text(ngx_media_srt_refuse_e refuse);

/*
 * The answers; ts: us since the session began, or since any moment, for those
 * that begin none.  Both return the end: NGX_MEDIA_SRT_HANDSHAKE_SIZE bytes.
 */
u_char *ngx_media_srt_induction_write(u_char *p,
    const ngx_media_srt_handshake_t *hs, uint32_t cookie, uint32_t ts);
u_char *ngx_media_srt_refuse_write(u_char *p,
    const ngx_media_srt_handshake_t *hs, ngx_media_srt_refuse_e refuse,
    uint32_t ts);

/* the size, and at p, unless that is NULL, the datagram */
size_t ngx_media_srt_accept_write(u_char *p,
    const ngx_media_srt_handshake_t *hs, const ngx_media_srt_accept_t *accept,
    uint32_t ts);


/*
 * Cookies, of both addresses and ports, for a minute and the one after it.
 * secret: NGX_MEDIA_SIPHASH_KEY bytes; minute: of any clock that all who have
 * the secret share.  Never 0.
 */
uint32_t ngx_media_srt_cookie(const u_char *secret,
    const struct sockaddr *peer, const struct sockaddr *local,
    uint64_t minute);
ngx_uint_t ngx_media_srt_cookie_valid(const u_char *secret,
    const struct sockaddr *peer, const struct sockaddr *local,
    uint64_t minute, uint32_t cookie);


#endif /* _NGX_MEDIA_SRT_HANDSHAKE_H_INCLUDED_ */
